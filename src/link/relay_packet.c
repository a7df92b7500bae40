#include "link/relay_packet.h"

#include <string.h>

#include "base/limits.h"

static const uint8_t magic[4] = {'S', 'I', 'P', 'S'};

static void put(uint8_t *out, size_t size, uint64_t v)
{
    for (size_t i = size; i-- > 0; v >>= 8)
        out[i] = (uint8_t)v;
}

static uint64_t get(struct slice *rest, size_t size)
{
    uint64_t v = 0;
    for (size_t i = 0; i < size; i++)
        v = v << 8 | rest->p[i];
    *rest = slice_of(rest->p + size, rest->n - size);
    return v;
}

/* --- reading --- */

static struct result take_payload(struct relay_packet *p, struct slice payload, struct errinfo *e)
{
    switch (p->type) {
    case SIPSD_RELAY_HELLO:
        return payload.n == 0 ? OK : fail(e, ERR_PARSE, "a hello packet has to be empty");
    case SIPSD_RELAY_SEND:
        p->message = payload;
        return payload.n <= SIPSD_RELAY_MESSAGE
                   ? OK
                   : fail(e, ERR_PARSE, "a message is longer than %d bytes", SIPSD_RELAY_MESSAGE);
    case SIPSD_RELAY_DIALOGS:
        if (payload.n != 4)
            return fail(e, ERR_PARSE, "a dialogs packet has to have 4 bytes");
        p->calls = (unsigned)get(&payload, 4);
        return OK;
    default:
        return fail(e, ERR_UNSUPPORTED, "packets of type %d are not for sipsd", (int)p->type);
    }
}

struct result relay_packet_parse(struct slice bytes, struct relay_packet *out, struct errinfo *e)
{
    struct slice rest = bytes;
    if (bytes.n < SIPSD_RELAY_HEADER || memcmp(bytes.p, magic, sizeof magic) != 0)
        return fail(e, ERR_PARSE, "that is no packet of the relay");
    *out = (struct relay_packet){0};
    (void)get(&rest, sizeof magic);
    const uint64_t version = get(&rest, 1);
    if (version != SIPSD_RELAY_VERSION)
        return fail(e, ERR_UNSUPPORTED, "the version is %u, and sipsd speaks %d", (unsigned)version,
                    SIPSD_RELAY_VERSION);
    out->type = (enum sipsd_relay_type)get(&rest, 1);
    out->account = (int)get(&rest, 2);
    out->connection = get(&rest, 8);
    const uint64_t length = get(&rest, 4);
    out->token = (uint32_t)get(&rest, 4);
    if (length != rest.n)
        return fail(e, ERR_PARSE, "the length is not that of the packet");
    if (out->type != SIPSD_RELAY_HELLO && (out->account < 1 || out->account > LIMIT_ACCOUNTS))
        return fail(e, ERR_INVALID, "there is no account %d", out->account);
    return take_payload(out, rest, e);
}

/* --- writing --- */

void relay_packet_header(enum sipsd_relay_type type, int account, uint64_t connection,
                         size_t length, uint32_t token, uint8_t out[SIPSD_RELAY_HEADER])
{
    memcpy(out, magic, sizeof magic);
    out[4] = SIPSD_RELAY_VERSION;
    out[5] = (uint8_t)type;
    put(out + 6, 2, (uint64_t)account);
    put(out + 8, 8, connection);
    put(out + 16, 4, length);
    put(out + 20, 4, token);
}

static struct result write_packet(struct buf *out, enum sipsd_relay_type type, int account,
                                  uint64_t connection, uint32_t token, struct slice payload)
{
    uint8_t header[SIPSD_RELAY_HEADER];
    relay_packet_header(type, account, connection, payload.n, token, header);
    TRY(buf_append(out, slice_of(header, sizeof header)));
    return buf_append(out, payload);
}

static struct result add_text(struct buf *out, const char *text)
{
    uint8_t length[2];
    const struct slice s = slice_of_str(text);
    put(length, sizeof length, s.n);
    TRY(buf_append(out, slice_of(length, sizeof length)));
    return buf_append(out, s);
}

static struct result add_state(struct buf *out, const struct carrier_facts *f, bool up)
{
    const uint8_t flags[] = {up, f->inbound, f->lock, (uint8_t)f->assurance, f->registered, 0};
    char local[ADDR_TEXT_SIZE], remote[ADDR_TEXT_SIZE];
    addr_format(&f->local, local);
    addr_format(&f->remote, remote);
    TRY(buf_append(out, slice_of(flags, sizeof flags)));
    TRY(add_text(out, f->contact));
    TRY(add_text(out, local));
    return add_text(out, remote);
}

struct result relay_packet_state(struct buf *out, const struct carrier_facts *f, bool up)
{
    struct buf payload;
    buf_init(&payload, 1024);
    struct result r = add_state(&payload, f, up);
    if (is_ok(r))
        r = write_packet(out, SIPSD_RELAY_STATE, f->account, f->id, 0, buf_slice(&payload));
    buf_free(&payload);
    return r;
}

struct result relay_packet_busy(struct buf *out, int account, uint64_t connection, bool busy)
{
    const uint8_t payload = busy;
    return write_packet(out, SIPSD_RELAY_BUSY, account, connection, 0, slice_of(&payload, 1));
}

struct result relay_packet_error(struct buf *out, int account, uint64_t connection, uint32_t token,
                                 enum sipsd_relay_error code, int status, const char *sentence)
{
    uint8_t numbers[4];
    struct buf payload;
    put(numbers, 2, (uint64_t)code);
    put(numbers + 2, 2, (uint64_t)status);
    buf_init(&payload, 1024);
    struct result r = buf_append(&payload, slice_of(numbers, sizeof numbers));
    if (is_ok(r))
        r = buf_append_str(&payload, sentence);
    if (is_ok(r))
        r = write_packet(out, SIPSD_RELAY_ERROR, account, connection, token, buf_slice(&payload));
    buf_free(&payload);
    return r;
}
