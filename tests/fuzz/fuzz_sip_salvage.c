/*
 * Whatever the request was, the answer to it is a message: lines that end in CR LF, without other
 * control characters, the start line first, one empty line at the end and none before.
 */
#include <stdlib.h>

#include "base/limits.h"
#include "sip/salvage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(struct slice line)
{
    for (size_t i = 0; i < line.n; i++)
        if (line.p[i] < 0x20 || line.p[i] == 0x7f)
            abort();
}

static void check(struct slice answer)
{
    if (!slice_starts(answer, SLICE_LIT("SIP/2.0 400 Bad Request\r\n")) ||
        slice_find_slice(answer, SLICE_LIT("\r\nVia: ")) == answer.n ||
        !slice_ends(answer, SLICE_LIT("\r\nContent-Length: 0\r\n\r\n")))
        abort();
    while (answer.n > 2) {
        const size_t end = slice_find_slice(answer, SLICE_LIT("\r\n"));
        if (end == 0 || end == answer.n)
            abort();
        check_line(slice_first(answer, end));
        answer = slice_from(answer, end + 2);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out;
    if (size > LIMIT_SIP_MESSAGE)
        return 0;
    buf_init(&out, 2 * LIMIT_SIP_MESSAGE);
    const struct result r =
        sip_salvage_response(&out, slice_of(data, size), 400, "Bad Request", "tag");
    if (is_err(r) && r.code != ERR_LIMIT)
        abort();
    if (is_ok(r) && buf_len(&out) != 0)
        check(buf_slice(&out));
    buf_free(&out);
    return 0;
}
