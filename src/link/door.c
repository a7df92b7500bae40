#include "link/door.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "link/door_calls.h"
#include "link/door_guests.h"
#include "link/door_rules.h"
#include "link/door_stack.h"
#include "link/doorway.h"
#include "link/port.h"
#include "sip/field.h"
#include "sip/message_write.h"

#define TAG_LENGTH 10
#define EXPIRES_S  3600 /* what a stack is told that has only asked */

enum { FORBIDDEN = 403, UNAVAILABLE = 503 };

struct door {
    struct loop *loop;
    struct carrier *carrier;
    struct rng rng;
    int account;
    bool stack_registers;
    char area[16]; /* "account 3", for the log */
    char *user;
    char *domain;
    char *peer_text;

    char hostport[HOP_HOSTPORT_SIZE]; /* where the stack reaches us */
    struct port *listener;

    struct carrier_phone *phone;
    struct door_guests guests;
    uint64_t home; /* the connection that the stack registered over, or 0 */
    struct door_stack stack;
    char exchanged[BINDING_CONTACT_SIZE]; /* as borrowed by the passage of the present message */

    struct door_calls *calls;
    const struct sip_message *passing; /* from `passage` to `deliver` */
    struct loop_timer *tidy;           /* forgets calls, frees guests, and goes on after a `busy` */
    bool may_go_on;
};

/* --- calls --- */

static void count_on(void *arg, const struct carrier_facts *f)
{
    struct door *d = arg;
    const unsigned calls = door_calls_on_line(d->calls, f->id);
    IGNORE(carrier_set_calls(d->phone, d->account, f->id, calls, NULL)); /* the line is there */
}

/* After everything that may have changed a call. */
static void count_calls(struct door *d)
{
    const uint64_t now = loop_now_ms(d->loop);
    const uint64_t next = door_calls_expire(d->calls, now);
    carrier_lines(d->phone, count_on, d);
    if (d->may_go_on)
        return; /* the timer is set already */
    if (next == UINT64_MAX)
        loop_timer_stop(d->tidy);
    else
        loop_timer_start(d->tidy, next - now);
}

static void tidy_soon(struct door *d)
{
    d->may_go_on = true;
    loop_timer_start(d->tidy, 0);
}

static void on_tidy(void *arg)
{
    struct door *d = arg;
    const bool go_on = d->may_go_on;
    d->may_go_on = false;
    door_guests_free_closed(&d->guests);
    for (struct door_guest *g = d->guests.first; go_on && g != NULL; g = g->next)
        if (!g->closed)
            doorway_retry(g->way);
    count_calls(d);
}

static void note(struct door *d, const struct sip_message *m, bool outward, uint64_t stack,
                 const struct carrier_facts *line)
{
    const struct door_way way = {.stack = stack, .line = line->id, .inbound = line->inbound};
    door_calls_note(d->calls, m, outward, &way, loop_now_ms(d->loop));
    count_calls(d);
}

/* --- who takes a call --- */

static const struct doorway_handlers doorway_handlers;

static struct door_guest *dial(struct door *d)
{
    const struct addr *to = door_stack_address(&d->stack, port_number(d->listener));
    struct errinfo e = ERRINFO_INIT;
    struct door_guest *g = to == NULL ? NULL : door_guests_make(&d->guests, d);
    if (g == NULL)
        return NULL;
    const struct result r = doorway_dial(d->loop, to, &doorway_handlers, g, &g->way, &e);
    if (is_err(r)) {
        log_info(d->area, "the SIP stack cannot be called: %s", errinfo_text(&e, r));
        free(g);
        return NULL;
    }
    g->known = g->dialled = true;
    door_guests_add(&d->guests, g);
    return g;
}

/* The guest for what begins at the server; NULL: none is there. */
static struct door_guest *present(const struct door *d)
{
    struct door_guest *g = d->home == 0 ? NULL : door_guests_find(&d->guests, d->home);
    return g != NULL ? g : door_guests_newest_known(&d->guests);
}

/* The guest for request M of the server. */
static struct door_guest *choose(struct door *d, const struct sip_message *m)
{
    const struct door_way *way = door_calls_find(d->calls, m, false);
    struct door_guest *g = way == NULL ? NULL : door_guests_find(&d->guests, way->stack);
    if (g == NULL)
        g = present(d);
    return g != NULL ? g : dial(d);
}

/* --- from the server: what the carrier asks for --- */

static bool passage(void *arg, const struct carrier_facts *f, const struct sip_message *m,
                    uint64_t id, struct carrier_passage *out)
{
    struct door *d = arg;
    struct door_guest *g = id == 0 ? choose(d, m) : door_guests_find(&d->guests, id);
    if (g == NULL)
        return false;
    d->passing = m;
    out->side =
        (struct hop_side){.id = doorway_id(g->way), .transport = HOP_TCP, .hostport = d->hostport};
    if (id == 0) {
        const struct addr at = doorway_peer(g->way);
        out->edit.request_uri = door_stack_contact(&d->stack, &at);
    } else if (strcmp(sip_message_method(m), "REGISTER") == 0 &&
               d->stack.registered.uri[0] != '\0' &&
               door_contact_inside(m, f->contact, d->exchanged)) {
        out->edit.contact_was = slice_of_str(d->exchanged);
        out->edit.contact_is = d->stack.registered.uri;
    }
    return true;
}

static struct result deliver(void *arg, uint64_t id, const struct carrier_facts *f,
                             struct slice message)
{
    struct door *d = arg;
    struct door_guest *g = door_guests_find(&d->guests, id);
    if (g == NULL)
        return err(ERR_STATE);
    TRY(doorway_send(g->way, message));
    note(d, d->passing, false, id, f);
    return OK;
}

static void line_changed(void *arg, const struct carrier_facts *f, bool up)
{
    struct door *d = arg;
    (void)f;
    if (!up) /* what waited for it is to be told so */
        tidy_soon(d);
}

static void line_drained(void *arg, const struct carrier_facts *f)
{
    struct door *d = arg;
    (void)f;
    tidy_soon(d);
}

static const struct carrier_phone_handlers phone_handlers = {
    .passage = passage,
    .deliver = deliver,
    .line = line_changed,
    .drained = line_drained,
};

/* --- from the stack --- */

/* EXTRA: whole header lines, or NULL. */
static struct result write_answer(struct door *d, struct buf *out, const struct sip_message *m,
                                  int status, const char *extra)
{
    char tag[TAG_LENGTH + 1];
    rng_token(&d->rng, tag, TAG_LENGTH);
    return sip_message_write_response(out, m, status, NULL, tag, extra);
}

static void answer(struct door_guest *g, const struct sip_message *m, int status, const char *extra)
{
    struct buf out;
    if (strcmp(sip_message_method(m), "ACK") == 0)
        return;
    buf_init(&out, LIMIT_SIP_MESSAGE);
    struct result r = write_answer(g->door, &out, m, status, extra);
    if (is_ok(r))
        r = doorway_send(g->way, buf_slice(&out));
    if (is_err(r))
        log_info(g->door->area, "a request of the SIP stack was not answered: %s",
                 err_text(r.code));
    buf_free(&out);
}

static void refuse(struct door_guest *g, const struct sip_message *m, int status, const char *why)
{
    char extra[40] = "";
    log_info(g->door->area, "%s of the SIP stack is not passed on: %s", sip_message_method(m), why);
    if (status == UNAVAILABLE)
        (void)snprintf(extra, sizeof extra, "Retry-After: %d\r\n", LIMIT_CARRIER_RETRY_S);
    answer(g, m, status, extra);
}

/* Where the carrier has not said it: what its failure is for a stack. */
static int status_for(struct result r, const struct errinfo *e)
{
    if (e->native >= 400 && e->native <= 699)
        return e->native;
    switch (r.code) {
    case ERR_PARSE:
    case ERR_TRUNCATED:
    case ERR_UNSUPPORTED:
        return 400;
    case ERR_DENIED:
        return FORBIDDEN;
    case ERR_LIMIT:
        return 513;
    default:
        return 500;
    }
}

/* The line that M of the stack goes over. A response: over the one that its request came by. A
 * request in a call: over that of the call; the account's own may be another one by now, but not
 * one that the other side has dialled. False if it is gone. */
static bool choose_line(const struct door *d, const struct sip_message *m,
                        struct carrier_facts *out)
{
    uint64_t id;
    if (!sip_message_is_request(m))
        return hop_response_id(m, &id) && carrier_find(d->phone, d->account, id, out);
    const struct door_way *way = door_calls_find(d->calls, m, true);
    if (way != NULL && carrier_find(d->phone, d->account, way->line, out))
        return true;
    return (way == NULL || !way->inbound) && carrier_find(d->phone, d->account, 0, out);
}

/* What the other end is to know us by: the account's Contact, also where it has dialled itself. */
static void exchange_contact(struct door *d, const struct sip_message *m,
                             const struct carrier_facts *line, struct hop_edit *edit)
{
    struct carrier_facts own;
    const char *outside = line->contact;
    if (outside[0] == '\0' && carrier_find(d->phone, d->account, 0, &own))
        outside = own.contact;
    if (door_contact_outside(m, outside, &edit->contact_was, d->exchanged))
        edit->contact_is = d->exchanged;
}

static struct result pass_over(struct door_guest *g, const struct carrier_facts *line,
                               const struct sip_message *m, struct slice raw, struct errinfo *e)
{
    struct door *d = g->door;
    const struct addr peer = doorway_peer(g->way);
    char host[ADDR_TEXT_SIZE];
    struct carrier_passage from = {.side = {.id = doorway_id(g->way),
                                            .transport = HOP_TCP,
                                            .hostport = d->hostport,
                                            .peer_host = host,
                                            .peer_port = peer.port}};
    addr_format_host(&peer, host);
    exchange_contact(d, m, line, &from.edit);
    return carrier_pass(d->phone, d->account, line->id, &from, m, raw, NULL, e);
}

/* False if there is no room for it now. */
static bool pass(struct door_guest *g, const struct sip_message *m, struct slice raw)
{
    struct door *d = g->door;
    struct carrier_facts line;
    struct errinfo e = ERRINFO_INIT;
    struct result r;
    if (choose_line(d, m, &line))
        r = pass_over(g, &line, m, raw, &e);
    else
        r = fail_native(&e, ERR_NOT_FOUND, UNAVAILABLE, "the account is not connected");
    if (is_ok(r))
        note(d, m, true, doorway_id(g->way), &line);
    else if (r.code == ERR_BUSY)
        return false;
    else if (sip_message_is_request(m))
        refuse(g, m, status_for(r, &e), errinfo_text(&e, r));
    else
        log_info(d->area, "a response of the SIP stack is dropped: %s", errinfo_text(&e, r));
    return true;
}

/* --- registering --- */

/* The account is registered by us: the stack is told that it is (RFC 3261 section 10.3). */
static void answer_register(struct door_guest *g, const struct sip_message *m)
{
    struct door *d = g->door;
    struct carrier_facts line;
    struct sip_contact c;
    char extra[DOOR_CONTACT_SIZE + 40] = "";
    if (!carrier_find(d->phone, d->account, 0, &line) || !line.registered) {
        refuse(g, m, UNAVAILABLE, "the account is not registered");
        return;
    }
    const uint32_t seconds = door_asked_s(m);
    if (d->stack.registered.uri[0] != '\0')
        (void)snprintf(extra, sizeof extra, "Contact: <%s>;expires=%u\r\n", d->stack.registered.uri,
                       sip_message_contact(m, 0, &c) ? (unsigned)seconds : EXPIRES_S);
    answer(g, m, 200, extra);
}

static bool take_register(struct door_guest *g, const struct sip_message *m, struct slice raw)
{
    struct door *d = g->door;
    struct sip_contact first, second;
    if (sip_message_contact(m, 1, &second)) {
        refuse(g, m, 400, "it has several Contacts");
        return true;
    }
    g->known = true;
    if (sip_message_contact(m, 0, &first))
        d->home = door_stack_register(&d->stack, m) ? doorway_id(g->way) : 0;
    if (d->stack_registers)
        return pass(g, m, raw);
    answer_register(g, m);
    return true;
}

/* --- what the stack says --- */

static bool take_request(struct door_guest *g, const struct sip_message *m, struct slice raw)
{
    struct door *d = g->door;
    if (strcmp(sip_message_method(m), "OPTIONS") == 0 && door_is_target(m, d->hostport)) {
        answer(g, m, 200, NULL);
        return true;
    }
    if (!door_may_say(m, d->user, d->domain)) {
        refuse(g, m, FORBIDDEN, "it is not From the account");
        return true;
    }
    if (strcmp(sip_message_method(m), "REGISTER") == 0)
        return take_register(g, m, raw);
    g->known = true;
    door_stack_learn(&d->stack, m);
    return pass(g, m, raw);
}

static bool on_message(void *arg, const struct sip_message *m, struct slice raw)
{
    struct door_guest *g = arg;
    return sip_message_is_request(m) ? take_request(g, m, raw) : pass(g, m, raw);
}

/* The stack could not be reached: we answer in its place. */
static void on_unsent(void *arg, const struct sip_message *m)
{
    struct door_guest *g = arg;
    struct sip_message *response = NULL;
    struct buf out;
    char extra[40];
    if (!sip_message_is_request(m) || strcmp(sip_message_method(m), "ACK") == 0)
        return;
    (void)snprintf(extra, sizeof extra, "Retry-After: %d\r\n", LIMIT_CARRIER_RETRY_S);
    buf_init(&out, LIMIT_SIP_MESSAGE);
    if (is_ok(write_answer(g->door, &out, m, UNAVAILABLE, extra)) &&
        is_ok(sip_message_parse(buf_slice(&out), &response, NULL)))
        (void)pass(g, response, buf_slice(&out));
    sip_message_free(response);
    buf_free(&out);
}

static bool may_be_idle(void *arg)
{
    const struct door_guest *g = arg;
    return door_calls_on_stack(g->door->calls, doorway_id(g->way));
}

static void on_closed(void *arg, const struct errinfo *e)
{
    struct door_guest *g = arg;
    struct door *d = g->door;
    const uint64_t id = doorway_id(g->way);
    log_info(d->area, "a connection of the SIP stack is gone: %s", e->text);
    if (g->dialled && !doorway_was_open(g->way))
        d->stack.misled = !d->stack.misled;
    if (d->home == id)
        d->home = 0;
    g->closed = true;
    door_calls_stack_gone(d->calls, id, loop_now_ms(d->loop));
    tidy_soon(d);
}

static const struct doorway_handlers doorway_handlers = {
    .on_message = on_message,
    .on_unsent = on_unsent,
    .may_be_idle = may_be_idle,
    .on_closed = on_closed,
};

/* --- the port --- */

static void on_accept(void *arg, struct stream *accepted)
{
    struct door *d = arg;
    struct door_guest *g = door_guests_make(&d->guests, d);
    if (g == NULL) {
        log_warning(d->area, "the SIP stack has too many connections");
        stream_close(accepted);
        return;
    }
    if (is_err(doorway_accept(d->loop, accepted, &doorway_handlers, g, &g->way))) {
        log_error(d->area, "out of memory for a connection");
        free(g);
        return;
    }
    door_guests_add(&d->guests, g);
}

/* --- life --- */

static struct result copy_config(struct door *d, const struct door_config *cfg, struct errinfo *e)
{
    const char *peer = cfg->peer != NULL ? cfg->peer : "";
    if (peer[0] != '\0' && !door_address(slice_of_str(peer), &d->stack.peer))
        return fail(e, ERR_INVALID, "'%s' is no loopback address with a port", peer);
    d->stack.user = d->user = strdup(cfg->user);
    d->domain = strdup(cfg->domain);
    d->peer_text = strdup(peer);
    if (d->user == NULL || d->domain == NULL || d->peer_text == NULL)
        return fail(e, ERR_NOMEM, "out of memory for a local port");
    return OK;
}

static struct result make(struct door *d, const struct door_config *cfg, struct errinfo *e)
{
    TRY(copy_config(d, cfg, e));
    d->tidy = loop_timer_new(d->loop, on_tidy, d);
    if (d->tidy == NULL || is_err(door_calls_new(&d->calls)))
        return fail(e, ERR_NOMEM, "out of memory for a local port");
    const struct result r =
        carrier_phone_new(d->carrier, d->account, &phone_handlers, d, &d->phone);
    if (is_err(r))
        return fail(e, r.code, "account %d cannot have another local port: %s", d->account,
                    err_text(r.code));
    TRY(port_new_local(d->loop, d->area, on_accept, d, &d->listener, e));
    (void)snprintf(d->hostport, sizeof d->hostport, "127.0.0.1:%u", (unsigned)cfg->port);
    port_set(d->listener, cfg->port);
    return OK;
}

struct result door_new(struct loop *l, struct carrier *k, const struct rng *rng,
                       const struct door_config *cfg, struct door **out, struct errinfo *e)
{
    struct door *d = calloc(1, sizeof *d);
    if (d == NULL)
        return fail(e, ERR_NOMEM, "out of memory for a local port");
    *d = (struct door){.loop = l,
                       .carrier = k,
                       .rng = *rng,
                       .account = cfg->account,
                       .stack_registers = cfg->stack_registers};
    (void)snprintf(d->area, sizeof d->area, "account %d", cfg->account);
    const struct result r = make(d, cfg, e);
    if (is_err(r))
        door_free(d);
    else
        *out = d;
    return r;
}

void door_free(struct door *d)
{
    if (d == NULL)
        return;
    port_free(d->listener);
    door_guests_clear(&d->guests);
    carrier_phone_free(d->phone);
    door_calls_free(d->calls);
    loop_timer_free(d->tidy);
    free(d->user);
    free(d->domain);
    free(d->peer_text);
    free(d);
}

bool door_is(const struct door *d, const struct door_config *cfg)
{
    return d->account == cfg->account && port_number(d->listener) == cfg->port &&
           d->stack_registers == cfg->stack_registers && strcmp(d->user, cfg->user) == 0 &&
           strcmp(d->domain, cfg->domain) == 0 &&
           strcmp(d->peer_text, cfg->peer != NULL ? cfg->peer : "") == 0;
}

struct door_status door_status(const struct door *d)
{
    const struct door_guest *g = present(d);
    return (struct door_status){
        .account = d->account,
        .port = port_number(d->listener),
        .open = port_is_open(d->listener),
        .stack_registers = d->stack_registers,
        .connections = door_guests_connected(&d->guests),
        .stack = g != NULL && doorway_was_open(g->way) ? doorway_peer(g->way)
                                                       : (struct addr){.family = 0},
        .calls = door_calls_count(d->calls),
    };
}
