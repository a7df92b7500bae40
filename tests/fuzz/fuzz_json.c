/* What the door lets through, cJSON must parse, and write as something that the door lets through
 * again. */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "control/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct errinfo e = ERRINFO_INIT;
    struct cJSON *value = NULL;

    if (is_err(json_parse(slice_of(data, size), &value, &e))) {
        if (e.code != ERR_PARSE && e.code != ERR_LIMIT)
            abort();
        return 0;
    }
    char *text = cJSON_PrintUnformatted(value);
    if (text == NULL || is_err(json_check(slice_of_str(text), &e)))
        if (e.code != ERR_LIMIT) /* escapes can make it longer */
            abort();
    cJSON_free(text);
    cJSON_Delete(value);
    return 0;
}
