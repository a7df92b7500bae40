/* Whatever message is taken passes us whole: what comes out is taken again, has the same body and
 * the same header fields but for those that are ours to change, and the response to it comes back
 * with the Vias of the sender. A response that nobody asked for does not pass. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "sip/hop.h"
#include "sip/line.h"
#include "sip/message_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t key[HOP_KEY_SIZE] = "fuzz";

static void check(bool what)
{
    if (!what)
        abort();
}

/* Corpora have its Record-Routes: they are of this key and account. */
static struct hop hop(bool marks)
{
    return (struct hop){
        .key = key,
        .account = 1,
        .outward = true,
        .from = {.id = 1,
                 .transport = HOP_TCP,
                 .hostport = "127.0.0.1:5070",
                 .peer_host = marks ? "[::1]" : NULL,
                 .peer_port = 5090},
        .to = {.id = 2, .transport = HOP_TLS, .hostport = "[2001:db8::7]:40312"},
        .edit = {.contact_was = SLICE_LIT("sip:alice@192.0.2.7"),
                 .contact_is = "sips:alice@[2001:db8::7]:40312"},
    };
}

/* Header fields that pass untouched. */
static bool next_foreign(struct slice *rest, struct sip_line *l)
{
    while (sip_line_next(rest, l)) {
        const enum sip_header_id id = l->known == NULL ? SIP_HEADER_OTHER : l->known->id;
        if (id != SIP_HEADER_VIA && id != SIP_HEADER_ROUTE && id != SIP_HEADER_RECORD_ROUTE &&
            id != SIP_HEADER_CONTACT && id != SIP_HEADER_MAX_FORWARDS)
            return true;
    }
    return false;
}

static void same_but_for_ours(struct slice before, struct slice after)
{
    struct sip_line a, b;
    (void)sip_line_cut(&before);
    (void)sip_line_cut(&after);
    while (next_foreign(&before, &a)) {
        check(next_foreign(&after, &b));
        check(slice_eq(a.whole, b.whole));
    }
    check(!next_foreign(&after, &b));
    check(slice_eq(before, after)); /* the empty line and the body */
}

/* The far end answers what it got: it comes back to the sender with the sender's own Vias. */
static void respond(const struct hop *h, const struct sip_message *sender,
                    const struct sip_message *got)
{
    const struct hop back = {.key = key, .account = 1, .from = h->to, .to = h->from};
    struct buf response, out;
    struct sip_message *m, *again;
    struct errinfo e = ERRINFO_INIT;
    uint64_t id;
    buf_init(&response, 2 * LIMIT_SIP_MESSAGE);
    buf_init(&out, 2 * LIMIT_SIP_MESSAGE);
    check(is_ok(sip_message_write_response(&response, got, 200, "OK", "tag", NULL)));
    if (is_ok(sip_message_parse(buf_slice(&response), &m, NULL))) {
        check(hop_response_id(m, &id) && id == h->from.id);
        check(is_ok(hop_response(&back, m, buf_slice(&response), &out, &e)));
        same_but_for_ours(buf_slice(&response), buf_slice(&out));
        check(is_ok(sip_message_parse(buf_slice(&out), &again, &e)));
        for (size_t n = 0;
             h->from.peer_host == NULL && sip_message_header(sender, "Via", n) != NULL; n++)
            check(strcmp(sip_message_header(sender, "Via", n),
                         sip_message_header(again, "Via", n)) == 0);
        sip_message_free(again);
        sip_message_free(m);
    }
    buf_free(&response);
    buf_free(&out);
}

static void request(const struct hop *h, const struct sip_message *m, struct slice raw)
{
    struct buf out;
    struct sip_message *got;
    struct errinfo e = ERRINFO_INIT;
    buf_init(&out, 2 * LIMIT_SIP_MESSAGE);
    struct result r = hop_request(h, m, raw, &out, &e);
    if (is_ok(r)) {
        same_but_for_ours(raw, buf_slice(&out));
        r = sip_message_parse(buf_slice(&out), &got, &e);
        if (is_ok(r)) {
            respond(h, m, got);
            sip_message_free(got);
        }
    } else {
        check(e.native == 483 || e.native == 513);
    }
    check(is_ok(r) || r.code == ERR_LIMIT); /* ours were too many for it */
    buf_free(&out);
}

static void response(const struct sip_message *m, struct slice raw)
{
    const struct hop h = hop(true);
    struct buf out;
    struct errinfo e = ERRINFO_INIT;
    char at[HOP_HOSTPORT_SIZE];
    buf_init(&out, 2 * LIMIT_SIP_MESSAGE);
    check(is_err(hop_response(&h, m, raw, &out, &e)) && e.text[0] != '\0');
    (void)hop_seen_at(m, at);
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice raw = slice_of(data, size);
    struct sip_message *m;
    if (is_err(sip_message_parse(raw, &m, NULL)))
        return 0;
    if (sip_message_is_request(m)) {
        const struct hop marking = hop(true), plain = hop(false);
        request(&marking, m, raw);
        request(&plain, m, raw);
    } else {
        response(m, raw);
    }
    sip_message_free(m);
    return 0;
}
