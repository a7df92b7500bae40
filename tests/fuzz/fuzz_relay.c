/* Packets of relay.sock, both ways: whatever is taken is within its bounds, and what sipsd writes
 * its client reads. */
#include <stdlib.h>
#include <string.h>

#include "link/relay_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool what)
{
    if (!what)
        abort();
}

static void from_call_control(struct slice bytes)
{
    struct relay_packet p;
    struct errinfo e = ERRINFO_INIT;
    const struct result r = relay_packet_parse(bytes, &p, &e);
    if (is_err(r)) {
        check(e.text[0] != '\0');
        return;
    }
    check(p.type == SIPSD_RELAY_HELLO || (p.account >= 1 && p.account <= 16));
    check(p.message.n == 0 || p.message.p + p.message.n == bytes.p + bytes.n);
}

static void from_sipsd(struct slice bytes)
{
    struct sipsd_relay_event ev;
    if (!sipsd_relay_parse(bytes.p, bytes.n, &ev))
        return;
    check(memchr(ev.sentence, '\0', sizeof ev.sentence) != NULL);
    check(memchr(ev.state.contact, '\0', sizeof ev.state.contact) != NULL);
    check(ev.state.assurance <= SIPSD_ASSURANCE_FULL);
    if (ev.type == SIPSD_RELAY_RECEIVE)
        check((const uint8_t *)ev.message + ev.length == bytes.p + bytes.n);
}

/* The bytes as a sentence and a Contact. */
static void there_and_back(struct slice bytes)
{
    struct carrier_facts f = {.account = 3, .id = UINT64_MAX, .registered = true};
    struct sipsd_relay_event ev;
    struct buf out;
    buf_init(&out, SIPSD_RELAY_PACKET);
    if (!slice_to_str(slice_first(bytes, sizeof f.contact - 1), f.contact, sizeof f.contact))
        return;
    check(is_ok(relay_packet_state(&out, &f, true)));
    check(sipsd_relay_parse(buf_slice(&out).p, buf_len(&out), &ev));
    check(ev.type == SIPSD_RELAY_STATE && ev.account == 3 && ev.connection == UINT64_MAX);
    check(ev.state.up && ev.state.registered && strcmp(ev.state.contact, f.contact) == 0);
    buf_clear(&out);
    check(is_ok(relay_packet_error(&out, 1, 2, 3, SIPSD_RELAY_ERROR_GONE, 503, f.contact)));
    check(sipsd_relay_parse(buf_slice(&out).p, buf_len(&out), &ev));
    check(ev.code == SIPSD_RELAY_ERROR_GONE && ev.status == 503 && ev.token == 3 &&
          strcmp(ev.sentence, f.contact) == 0);
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice bytes = slice_of(data, size);
    from_call_control(bytes);
    from_sipsd(bytes);
    there_and_back(bytes);
    return 0;
}
