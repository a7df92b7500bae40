/*
 * The same stream, in pieces of any size, gives the same messages. The first byte is the size of
 * the pieces, the rest the stream.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "sip/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CAP (2U << 20)

/* Appends every message to OUT, and to *END how the stream ended. */
static void run(struct slice stream, size_t piece, struct buf *out, enum err *end)
{
    struct sip_frame *f;
    struct errinfo e = ERRINFO_INIT;
    struct result r = OK;
    if (is_err(sip_frame_new(&f)))
        abort();
    while (stream.n > 0 && is_ok(r)) {
        enum sip_frame_event event;
        struct slice whole;
        if (is_err(sip_frame_feed(f, slice_first(stream, piece))))
            abort(); /* everything was taken out before */
        stream = slice_from(stream, piece);
        while (is_ok(r = sip_frame_next(f, &event, &whole, &e)) && event != SIP_FRAME_MORE)
            if (event == SIP_FRAME_MESSAGE && is_err(buf_append(out, whole)))
                abort();
    }
    if (is_err(r) && (e.code != r.code || e.text[0] == '\0'))
        abort();
    *end = r.code;
    sip_frame_free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf some, one;
    enum err end_some, end_one;
    if (size == 0)
        return 0;
    const struct slice stream = slice_of(data + 1, size - 1);
    buf_init(&some, CAP);
    buf_init(&one, CAP);
    run(stream, (size_t)data[0] + 1, &some, &end_some);
    run(stream, 1, &one, &end_one);
    if (end_some != end_one || !slice_eq(buf_slice(&some), buf_slice(&one)))
        abort();
    buf_free(&some);
    buf_free(&one);
    return 0;
}
