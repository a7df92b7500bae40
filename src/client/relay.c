#include "sipsd/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/lines.h"

struct sipsd_relay {
    int fd;
    uint8_t in[SIPSD_RELAY_PACKET + 1]; /* one more, to see what is too long */
};

/* --- numbers and texts of the wire --- */

/* What is left of a packet; `ok` becomes false when more is asked for. */
struct reader {
    const uint8_t *p;
    size_t n;
    bool ok;
};

static uint64_t take(struct reader *r, size_t size)
{
    uint64_t v = 0;
    r->ok = r->ok && r->n >= size;
    if (!r->ok)
        return 0;
    for (size_t i = 0; i < size; i++)
        v = v << 8 | r->p[i];
    r->p += size;
    r->n -= size;
    return v;
}

/* LENGTH bytes as a string; what is too long for OUT is cut. */
static void take_text(struct reader *r, size_t length, char *out, size_t size)
{
    r->ok = r->ok && r->n >= length;
    const size_t n = !r->ok ? 0 : length < size ? length : size - 1;
    if (n > 0)
        memcpy(out, r->p, n);
    out[n] = '\0';
    if (r->ok) {
        r->p += length;
        r->n -= length;
    }
}

static bool take_flag(struct reader *r)
{
    return take(r, 1) != 0;
}

static void take_state(struct reader *r, struct sipsd_relay_state *out)
{
    out->up = take_flag(r);
    out->inbound = take_flag(r);
    out->lock = take_flag(r);
    const uint64_t assurance = take(r, 1);
    out->assurance =
        assurance <= SIPSD_ASSURANCE_FULL ? (enum sipsd_assurance)assurance : SIPSD_ASSURANCE_NONE;
    out->registered = take_flag(r);
    (void)take(r, 1);
    take_text(r, take(r, 2), out->contact, sizeof out->contact);
    take_text(r, take(r, 2), out->local, sizeof out->local);
    take_text(r, take(r, 2), out->remote, sizeof out->remote);
}

static bool take_payload(struct reader *r, struct sipsd_relay_event *out)
{
    switch (out->type) {
    case SIPSD_RELAY_HELLO:
        return true;
    case SIPSD_RELAY_RECEIVE:
        out->message = (const char *)r->p;
        out->length = r->n;
        return r->n > 0;
    case SIPSD_RELAY_STATE:
        take_state(r, &out->state);
        return r->ok;
    case SIPSD_RELAY_BUSY:
        out->busy = take_flag(r);
        return r->ok;
    case SIPSD_RELAY_ERROR:
        out->code = (enum sipsd_relay_error)take(r, 2);
        out->status = (int)take(r, 2);
        take_text(r, r->n, out->sentence, sizeof out->sentence);
        return r->ok;
    default:
        return false;
    }
}

bool sipsd_relay_parse(const void *packet, size_t size, struct sipsd_relay_event *out)
{
    struct reader r = {.p = packet, .n = size, .ok = true};
    memset(out, 0, sizeof *out);
    if (size < SIPSD_RELAY_HEADER || memcmp(packet, "SIPS", 4) != 0)
        return false;
    (void)take(&r, 4);
    const uint64_t version = take(&r, 1);
    out->type = (enum sipsd_relay_type)take(&r, 1);
    out->account = (int)take(&r, 2);
    out->connection = take(&r, 8);
    const uint64_t length = take(&r, 4);
    out->token = (uint32_t)take(&r, 4);
    return version == SIPSD_RELAY_VERSION && length == r.n && take_payload(&r, out);
}

/* --- sending --- */

static void put(uint8_t *out, size_t size, uint64_t v)
{
    for (size_t i = size; i-- > 0; v >>= 8)
        out[i] = (uint8_t)v;
}

static enum sipsd_status not_sent(char *error)
{
    switch (errno) {
    case EAGAIN:
    case ENOBUFS:
        return client_fail(error, SIPSD_AGAIN, "sipsd does not read at present");
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
        return client_fail(error, SIPSD_CLOSED, "sipsd has closed the connection");
    default:
        return client_fail(error, SIPSD_FAILED, "cannot send: %s", strerror(errno));
    }
}

static enum sipsd_status send_packet(struct sipsd_relay *r, enum sipsd_relay_type type, int account,
                                     uint64_t connection, uint32_t token, const void *payload,
                                     size_t length, char *error)
{
    uint8_t header[SIPSD_RELAY_HEADER] = {'S', 'I', 'P', 'S', SIPSD_RELAY_VERSION, (uint8_t)type};
    struct iovec parts[] = {{header, sizeof header}, {(void *)(uintptr_t)payload, length}};
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    if (length > SIPSD_RELAY_MESSAGE)
        return client_fail(error, SIPSD_FAILED, "a message is longer than %d bytes",
                           SIPSD_RELAY_MESSAGE);
    put(header + 6, 2, (uint64_t)account);
    put(header + 8, 8, connection);
    put(header + 16, 4, length);
    put(header + 20, 4, token);
    return sendmsg(r->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 ? SIPSD_OK : not_sent(error);
}

enum sipsd_status sipsd_relay_send(struct sipsd_relay *r, int account, uint64_t connection,
                                   uint32_t token, const void *message, size_t length, char *error)
{
    return send_packet(r, SIPSD_RELAY_SEND, account, connection, token, message, length, error);
}

enum sipsd_status sipsd_relay_dialogs(struct sipsd_relay *r, int account, uint64_t connection,
                                      uint32_t calls, char *error)
{
    uint8_t payload[4];
    put(payload, sizeof payload, calls);
    return send_packet(r, SIPSD_RELAY_DIALOGS, account, connection, 0, payload, sizeof payload,
                       error);
}

/* --- the relay --- */

enum sipsd_status sipsd_relay_connect(const char *path, struct sipsd_relay **out, char *error)
{
    const int room = 2 * SIPSD_RELAY_PACKET; /* for one packet of the largest */
    *out = NULL;
    struct sipsd_relay *r = malloc(sizeof *r);
    if (r == NULL)
        return client_fail(error, SIPSD_FAILED, "out of memory");
    enum sipsd_status status = client_open(path, SOCK_SEQPACKET, &r->fd, error);
    if (status == SIPSD_OK) {
        (void)setsockopt(r->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
        status = send_packet(r, SIPSD_RELAY_HELLO, 0, 0, 0, NULL, 0, error);
    }
    /* Who is sent away at once is told why by sipsd_relay_next(). */
    if (status != SIPSD_OK && status != SIPSD_CLOSED) {
        sipsd_relay_free(r);
        return status;
    }
    *out = r;
    return SIPSD_OK;
}

void sipsd_relay_free(struct sipsd_relay *r)
{
    if (r == NULL)
        return;
    if (r->fd >= 0)
        (void)close(r->fd);
    free(r);
}

int sipsd_relay_fd(const struct sipsd_relay *r)
{
    return r->fd;
}

/* After these sipsd has closed. */
static bool is_final(const struct sipsd_relay_event *ev)
{
    return ev->type == SIPSD_RELAY_ERROR &&
           (ev->code == SIPSD_RELAY_ERROR_PROTOCOL || ev->code == SIPSD_RELAY_ERROR_TAKEN ||
            ev->code == SIPSD_RELAY_ERROR_DENIED);
}

enum sipsd_status sipsd_relay_next(struct sipsd_relay *r, struct sipsd_relay_event *out,
                                   char *error)
{
    const ssize_t n = recv(r->fd, r->in, sizeof r->in, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return SIPSD_AGAIN;
    if (n <= 0)
        return client_fail(error, SIPSD_CLOSED, "sipsd has closed the connection");
    if (!sipsd_relay_parse(r->in, (size_t)n, out))
        return client_fail(error, SIPSD_FAILED, "what came is no packet of sipsd's");
    return is_final(out) ? client_fail(error, SIPSD_REFUSED, "%s", out->sentence) : SIPSD_OK;
}
