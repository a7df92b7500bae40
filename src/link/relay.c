#include "link/relay.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "link/relay_packet.h"
#include "sys/packet.h"

struct relay {
    struct loop *loop;
    struct carrier *carrier;
    gid_t gid;
    struct packet_listener *listener;

    /* the client; all zero while there is none */
    struct packet *packet;
    pid_t pid;
    uint64_t id;                 /* of it as a side of the hop */
    struct carrier_phone *phone; /* since its hello */
    struct loop_timer *patience; /* until its hello; then due when it has to be sent away */
    bool overrun;                /* it was not told something, and has to go */
};

/* --- the client goes --- */

static void let_go(struct relay *r)
{
    loop_timer_stop(r->patience);
    carrier_phone_free(r->phone);
    r->phone = NULL;
    r->id = 0;
    r->overrun = false;
}

static void say_goodbye(struct packet *p, enum sipsd_relay_error code, const char *sentence)
{
    struct buf out;
    buf_init(&out, SIPSD_RELAY_PACKET);
    if (is_ok(relay_packet_error(&out, 0, 0, 0, code, 0, sentence))) {
        const struct slice whole = buf_slice(&out);
        IGNORE(packet_send(p, &whole, 1)); /* a courtesy */
    }
    buf_free(&out);
    packet_finish(p);
}

static void send_away(struct relay *r, enum sipsd_relay_error code, const char *sentence)
{
    struct packet *p = r->packet;
    log_warning("relay", "call-control (process %d) is sent away: %s", (int)r->pid, sentence);
    r->packet = NULL;
    let_go(r);
    say_goodbye(p, code, sentence);
}

static void patience_ends(void *arg)
{
    struct relay *r = arg;
    if (r->overrun)
        send_away(r, SIPSD_RELAY_ERROR_BUSY, "it does not read what it is sent");
    else
        send_away(r, SIPSD_RELAY_ERROR_PROTOCOL, "it did not say hello");
}

/* Not from inside what it was doing when it turned out. */
static void overrun(struct relay *r)
{
    r->overrun = true;
    loop_timer_start(r->patience, 0);
}

/* --- to the client --- */

/* What it must know; if it cannot be told, it has to begin anew. */
static void tell(struct relay *r, struct result made, struct buf *packet)
{
    const struct slice whole = buf_slice(packet);
    if (is_ok(made))
        made = packet_send(r->packet, &whole, 1);
    if (is_err(made))
        overrun(r);
    buf_free(packet);
}

static void tell_line(void *arg, const struct carrier_facts *f, bool up)
{
    struct relay *r = arg;
    struct buf out;
    buf_init(&out, SIPSD_RELAY_PACKET);
    const struct result made = relay_packet_state(&out, f, up);
    tell(r, made, &out);
}

static void tell_line_up(void *arg, const struct carrier_facts *f)
{
    tell_line(arg, f, true);
}

static void tell_busy(struct relay *r, int account, uint64_t connection, bool busy)
{
    struct buf out;
    buf_init(&out, SIPSD_RELAY_PACKET);
    const struct result made = relay_packet_busy(&out, account, connection, busy);
    tell(r, made, &out);
}

static void tell_drained(void *arg, const struct carrier_facts *f)
{
    tell_busy(arg, f->account, f->id, false);
}

static enum sipsd_relay_error code_of(struct result why)
{
    switch (why.code) {
    case ERR_NOT_FOUND:
    case ERR_STATE:
        return SIPSD_RELAY_ERROR_GONE;
    case ERR_DENIED:
        return SIPSD_RELAY_ERROR_ACCOUNT;
    case ERR_BUSY:
        return SIPSD_RELAY_ERROR_BUSY;
    case ERR_PARSE:
    case ERR_TRUNCATED:
    case ERR_LIMIT:
    case ERR_UNSUPPORTED:
        return SIPSD_RELAY_ERROR_MESSAGE;
    default:
        return SIPSD_RELAY_ERROR_FAILED;
    }
}

static void tell_failure(struct relay *r, const struct relay_packet *p, struct result why,
                         const struct errinfo *e)
{
    struct buf out;
    const int status = e->native >= 400 && e->native <= 699 ? e->native : 0;
    buf_init(&out, SIPSD_RELAY_PACKET);
    const struct result made = relay_packet_error(&out, p->account, p->connection, p->token,
                                                  code_of(why), status, errinfo_text(e, why));
    tell(r, made, &out);
}

/* It has no address of its own: what we write has the same form on both sides. */
static bool passage(void *arg, const struct carrier_facts *f, const struct sip_message *m,
                    uint64_t id, struct carrier_passage *out)
{
    const struct relay *r = arg;
    (void)f;
    (void)m;
    out->side.id = r->id;
    return id == 0 || id == r->id;
}

static struct result deliver(void *arg, uint64_t id, const struct carrier_facts *f,
                             struct slice message)
{
    const struct relay *r = arg;
    uint8_t header[SIPSD_RELAY_HEADER];
    (void)id;
    const bool request = !slice_starts_nocase(message, SLICE_LIT("SIP/2.0 "));
    if (request && packet_queued(r->packet) > LIMIT_RELAY_BACKLOG / 2)
        return err(ERR_BUSY);
    relay_packet_header(SIPSD_RELAY_RECEIVE, f->account, f->id, message.n, 0, header);
    const struct slice parts[] = {slice_of(header, sizeof header), message};
    const struct result sent = packet_send(r->packet, parts, sizeof parts / sizeof parts[0]);
    return sent.code == ERR_LIMIT ? err(ERR_BUSY) : sent;
}

static const struct carrier_phone_handlers phone_handlers = {
    .passage = passage,
    .deliver = deliver,
    .line = tell_line,
    .drained = tell_drained,
};

/* --- from the client --- */

static struct result take_hello(struct relay *r, struct errinfo *e)
{
    uint8_t header[SIPSD_RELAY_HEADER];
    relay_packet_header(SIPSD_RELAY_HELLO, 0, 0, 0, 0, header);
    const struct slice hello = slice_of(header, sizeof header);
    const struct result made = carrier_phone_new(r->carrier, 0, &phone_handlers, r, &r->phone);
    if (is_err(made))
        return fail(e, made.code, "sipsd cannot take call-control now");
    loop_timer_stop(r->patience);
    log_notice("relay", "call-control (process %d) is connected", (int)r->pid);
    TRY(packet_send(r->packet, &hello, 1));
    carrier_lines(r->phone, tell_line_up, r);
    return OK;
}

static struct result send_out(struct relay *r, struct relay_packet *p, struct errinfo *e)
{
    const struct carrier_passage from = {.side = {.id = r->id}};
    return carrier_send(r->phone, p->account, p->connection, &from, p->message, &p->connection, e);
}

static void take_order(struct relay *r, struct relay_packet *p)
{
    struct errinfo e = ERRINFO_INIT;
    const struct result done =
        p->type == SIPSD_RELAY_SEND
            ? send_out(r, p, &e)
            : carrier_set_calls(r->phone, p->account, p->connection, p->calls, &e);
    if (is_ok(done))
        return;
    log_info("relay", "account %d: not done: %s", p->account, errinfo_text(&e, done));
    tell_failure(r, p, done, &e);
    if (done.code == ERR_BUSY)
        tell_busy(r, p->account, p->connection, true);
}

static struct result take(struct relay *r, struct slice bytes, struct errinfo *e)
{
    struct relay_packet p;
    TRY(relay_packet_parse(bytes, &p, e));
    const bool hello = p.type == SIPSD_RELAY_HELLO;
    if (hello != (r->phone == NULL))
        return fail(e, ERR_STATE, hello ? "it said hello twice" : "it did not say hello first");
    if (hello)
        return take_hello(r, e);
    take_order(r, &p);
    return OK;
}

static void on_packet(void *arg, struct slice bytes)
{
    struct relay *r = arg;
    struct errinfo e = ERRINFO_INIT;
    const struct result taken = take(r, bytes, &e);
    if (is_err(taken))
        send_away(r, SIPSD_RELAY_ERROR_PROTOCOL, errinfo_text(&e, taken));
}

static void on_closed(void *arg, struct result why, const struct errinfo *e)
{
    struct relay *r = arg;
    log_notice("relay", "call-control (process %d) is gone: %s", (int)r->pid, errinfo_text(e, why));
    packet_close(r->packet);
    r->packet = NULL;
    let_go(r);
}

static const struct packet_handlers packet_handlers = {
    .on_packet = on_packet,
    .on_closed = on_closed,
};

/* --- the client comes --- */

/* The kernel looked at the socket's mode; this looks at who it is. */
static bool may_connect(const struct relay *r, const struct packet *p, pid_t *pid)
{
    struct stream_cred peer;
    if (is_err(packet_peer_cred(p, &peer)))
        return false;
    *pid = peer.pid;
    return peer.uid == 0 || peer.uid == geteuid() ||
           (r->gid != (gid_t)-1 && packet_peer_in_group(p, r->gid));
}

static void on_accept(void *arg, struct packet *accepted)
{
    struct relay *r = arg;
    pid_t pid = 0;
    if (!may_connect(r, accepted, &pid)) {
        say_goodbye(accepted, SIPSD_RELAY_ERROR_DENIED, "you are not allowed to use this socket");
        return;
    }
    if (r->packet != NULL) {
        char sentence[80];
        (void)snprintf(sentence, sizeof sentence, "another call-control is connected (process %d)",
                       (int)r->pid);
        log_warning("relay", "process %d is sent away: %s", (int)pid, sentence);
        say_goodbye(accepted, SIPSD_RELAY_ERROR_TAKEN, sentence);
        return;
    }
    if (is_err(
            packet_start(accepted, SIPSD_RELAY_PACKET, LIMIT_RELAY_BACKLOG, &packet_handlers, r))) {
        say_goodbye(accepted, SIPSD_RELAY_ERROR_FAILED, "sipsd is short of memory; try again");
        return;
    }
    r->packet = accepted;
    r->pid = pid;
    r->id = loop_unique_id(r->loop);
    loop_timer_start(r->patience, LIMIT_RELAY_HELLO_MS);
}

struct result relay_new(struct loop *l, struct carrier *k, const struct relay_params *p,
                        struct relay **out, struct errinfo *e)
{
    struct relay *r = calloc(1, sizeof *r);
    if (r == NULL)
        return fail(e, ERR_NOMEM, "out of memory for a socket");
    *r = (struct relay){.loop = l, .carrier = k, .gid = p->gid};
    r->patience = loop_timer_new(l, patience_ends, r);
    struct result made =
        r->patience != NULL ? OK : fail(e, ERR_NOMEM, "out of memory for a socket");
    if (is_ok(made))
        made = packet_listen(l, p->path, p->gid != (gid_t)-1 ? 0660 : 0600, p->gid, on_accept, r,
                             &r->listener, e);
    if (is_err(made)) {
        relay_free(r);
        return made;
    }
    *out = r;
    return OK;
}

void relay_free(struct relay *r)
{
    if (r == NULL)
        return;
    packet_listener_free(r->listener);
    carrier_phone_free(r->phone);
    packet_finish(r->packet);
    loop_timer_free(r->patience);
    free(r);
}
