/* Of every message that is taken, everything can be asked; and the answer to every request is a
 * message that is taken. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "sip/message_write.h"
#include "sip/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct sip_message *m)
{
    static const char *const names[] = {"Via", "m", "supported", "WWW-Authenticate", "X-Unknown"};
    struct sip_contact c;
    uint64_t number;
    size_t length = strlen(sip_message_method(m)) + strlen(sip_message_reason(m)) +
                    strlen(sip_message_uri(m)) + strlen(sip_message_call_id(m)) +
                    strlen(sip_message_branch(m)) + strlen(sip_message_from_tag(m)) +
                    strlen(sip_message_to_tag(m)) + sip_message_body(m).n;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        for (size_t n = 0; sip_message_header(m, names[i], n) != NULL; n++)
            length += strlen(sip_message_header(m, names[i], n));
    for (size_t n = 0; sip_message_contact(m, n, &c); n++)
        (void)sip_uri_equal(c.uri, SLICE_LIT("sips:alice@[2001:db8::7]:5061;x=y?a=b"));
    (void)sip_message_granted_expires(m, "sips:alice@192.0.2.7:40312", "urn:uuid:1", 60);
    (void)sip_message_number(m, "Expires", 86400, &number);
    if (sip_message_is_request(m) != (sip_message_status(m) == 0) || length == 0)
        abort();
}

static void answer(const struct sip_message *m)
{
    struct buf out;
    struct sip_message *again;
    struct errinfo e = ERRINFO_INIT;
    buf_init(&out, 2 * LIMIT_SIP_MESSAGE);
    if (is_err(sip_message_write_response(&out, m, 503, NULL, "tag", "Retry-After: 60\r\n")))
        abort();
    const struct result r = sip_message_parse(buf_slice(&out), &again, &e);
    if (is_ok(r)) {
        if (strcmp(sip_message_branch(again), sip_message_branch(m)) != 0 ||
            strcmp(sip_message_call_id(again), sip_message_call_id(m)) != 0 ||
            sip_message_cseq(again) != sip_message_cseq(m) || sip_message_to_tag(again)[0] == '\0')
            abort();
        sip_message_free(again);
    } else if (r.code != ERR_LIMIT) { /* one Via a line and a tag more than the request had */
        abort();
    }
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sip_message *m;
    struct errinfo e = ERRINFO_INIT;
    const struct result r = sip_message_parse(slice_of(data, size), &m, &e);
    if (is_err(r)) {
        if (e.code != r.code || e.text[0] == '\0')
            abort();
        return 0;
    }
    ask(m);
    if (sip_message_is_request(m))
        answer(m);
    sip_message_free(m);
    return 0;
}
