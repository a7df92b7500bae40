/* A data: URL: what comes out is within its cap, a failure leaves what was there and says why; what
 * was decoded and is written as a URL anew is the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "control/dataurl.h"
#include "pki/pem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEPT "kept"

static void check_again(struct slice content)
{
    struct buf url, again;

    buf_init(&url, 2 * LIMIT_SETTINGS_LINE + 64);
    buf_init(&again, LIMIT_SETTINGS_LINE);
    if (is_ok(buf_append_str(&url, "data:;base64,")) && is_ok(pem_encode(content, &url)) &&
        (is_err(dataurl_decode(buf_slice(&url), &again, NULL)) ||
         !slice_eq(buf_slice(&again), content)))
        abort();
    buf_free(&url);
    buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct errinfo e = ERRINFO_INIT;
    struct buf out;

    buf_init(&out, LIMIT_SETTINGS_LINE);
    if (is_err(buf_append_str(&out, KEPT)))
        return 0;
    char name[64];
    if (dataurl_name(slice_of(data, size), name, sizeof name) != (name[0] != '\0') ||
        strchr(name, '/') != NULL)
        abort();
    const struct result r = dataurl_decode(slice_of(data, size), &out, &e);
    const struct slice all = buf_slice(&out);
    if (!slice_starts(all, SLICE_LIT(KEPT)) || all.n > LIMIT_SETTINGS_LINE)
        abort();
    const struct slice content = slice_from(all, strlen(KEPT));
    if (is_err(r) ? content.n != 0 || e.text[0] == '\0' : content.n == 0)
        abort();
    if (is_ok(r))
        check_again(content);
    buf_free(&out);
    return 0;
}
