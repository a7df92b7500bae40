/* The members of a request that bring a file: whatever they are, they make a file or a sentence. */
#include <cjson/cJSON.h>
#include <stdlib.h>

#include "base/limits.h"
#include "control/json.h"
#include "control/request_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct staging *staging;

/* Number 1: "0123456789", whole. */
static void stage(void)
{
    static struct loop *loop;
    const struct staging_piece piece = {.size = 10, .base64 = SLICE_LIT("MDEyMzQ1Njc4OQ==")};
    uint64_t number;
    size_t received;

    if (is_err(loop_new(&loop, NULL)) || is_err(staging_new(loop, &staging)) ||
        is_err(staging_put(staging, &piece, &number, &received, NULL)) || number != 1)
        abort();
}

static void look_at(const struct cJSON *json, bool strict)
{
    struct request_file file;
    struct errinfo e = ERRINFO_INIT;
    const struct result r = strict ? request_file_read_strict(json, "it", staging, &file, &e)
                                   : request_file_read(json, staging, &file, &e);

    if (is_err(r)) {
        if (e.code != r.code || e.text[0] == '\0')
            abort();
        return;
    }
    if (file.name == NULL || file.content.n > LIMIT_RPC_REQUEST || (file.staged > 1))
        abort();
    for (size_t i = 0; i < file.content.n; i++) /* all of it can be read */
        (void)*(const volatile uint8_t *)&file.content.p[i];
    request_file_clear(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cJSON *json;

    if (staging == NULL)
        stage();
    if (is_err(json_parse(slice_of(data, size), &json, NULL)))
        return 0;
    look_at(json, false);
    look_at(json, true);
    json_wipe(json);
    return 0;
}
