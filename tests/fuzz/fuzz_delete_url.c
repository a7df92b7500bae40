/* What a delete command says: whatever it is, a name that comes out is text, and says the same when
 * it is written as a URL again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "control/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_again(const char *name, char url[3 * COMMAND_NAME_SIZE + 32])
{
    size_t used = (size_t)sprintf(url, "HTTPS://LOCALHOST/");

    for (const char *p = name; *p != '\0'; p++)
        used += (size_t)sprintf(url + used, "%%%02x", (unsigned)(unsigned char)*p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char name[COMMAND_NAME_SIZE], again[COMMAND_NAME_SIZE], url[3 * COMMAND_NAME_SIZE + 32];
    struct errinfo e = ERRINFO_INIT;
    bool all, all_again;

    if (is_err(command_delete_target(slice_of(data, size), name, &all, &e))) {
        if (e.text[0] == '\0')
            abort();
        return 0;
    }
    if (name[0] == '\0' || !utf8_is_text(slice_of_str(name)) || all != (strcmp(name, "all") == 0))
        abort();
    write_again(name, url);
    if (is_err(command_delete_target(slice_of_str(url), again, &all_again, NULL)) ||
        strcmp(name, again) != 0 || all != all_again)
        abort();
    return 0;
}
