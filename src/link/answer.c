#include "link/answer.h"

#include <stdio.h>
#include <string.h>

#include "sip/message_write.h"

#define TAG_LENGTH 10

static const struct answer {
    const char *method; /* NULL: all others */
    int status;         /* 0: none (RFC 3261 section 17: ACK has no response) */
    const char *reason;
    const char *extra;
} answers[] = {
    {"ACK", 0, NULL, NULL},
    /* RFC 3261 section 11.2 */
    {"OPTIONS", 200, "OK", "Allow: OPTIONS\r\n"},
    /* RFC 3261 sections 9.2 and 15.1.2 */
    {"CANCEL", 481, "Call/Transaction Does Not Exist", NULL},
    {"BYE", 481, "Call/Transaction Does Not Exist", NULL},
    {NULL, 503, "Service Unavailable", "Retry-After: 60\r\n"},
};

RESULT answer_request(struct buf *out, const struct sip_message *m, const struct rng *rng)
{
    const struct answer *a = answers;
    while (a->method != NULL && strcmp(a->method, sip_message_method(m)) != 0)
        a++;
    if (a->status == 0)
        return OK;
    char tag[TAG_LENGTH + 1];
    rng_token(rng, tag, TAG_LENGTH);
    return sip_message_write_response(out, m, a->status, a->reason, tag, a->extra);
}

RESULT answer_status(struct buf *out, const struct sip_message *m, int status, unsigned retry_s,
                     const struct rng *rng)
{
    char tag[TAG_LENGTH + 1], extra[40] = "";
    if (strcmp(sip_message_method(m), "ACK") == 0)
        return OK;
    if (retry_s != 0)
        (void)snprintf(extra, sizeof extra, "Retry-After: %u\r\n", retry_s);
    rng_token(rng, tag, TAG_LENGTH);
    return sip_message_write_response(out, m, status, NULL, tag, extra);
}
