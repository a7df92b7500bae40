#include "link/carrier.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/wipe.h"
#include "link/answer.h"

struct carrier_line {
    struct carrier *carrier;
    struct carrier_line *next;
    const struct carrier_line_handlers *h;
    void *arg;
    struct carrier_facts facts;
    char hostport[HOP_HOSTPORT_SIZE];  /* where the peer can reach us */
    char peer_host[HOP_HOSTPORT_SIZE]; /* as in a URI */
    bool busy;                         /* a phone was told so */
    struct carrier_phone *caller;      /* who counts the calls */
    unsigned calls;
};

struct carrier_phone {
    struct carrier *carrier;
    struct carrier_phone *next;
    const struct carrier_phone_handlers *h;
    void *arg;
    int account; /* 0: all that have none of their own */
};

struct carrier {
    struct rng rng;
    uint8_t key[HOP_KEY_SIZE];
    struct carrier_line *lines; /* the newest first */
    struct carrier_phone *phones;
    carrier_tap_fn *tap;
    void *tap_arg;
};

struct result carrier_new(const struct rng *rng, struct carrier **out, struct errinfo *e)
{
    struct carrier *k = calloc(1, sizeof *k);
    if (k == NULL)
        return fail(e, ERR_NOMEM, "out of memory");
    k->rng = *rng;
    if (rng->fill(rng->ctx, k->key, sizeof k->key) != 0) {
        free(k);
        return fail(e, ERR_SYSTEM, "the system gives no random numbers");
    }
    *out = k;
    return OK;
}

void carrier_free(struct carrier *k)
{
    if (k == NULL)
        return;
    assert(k->lines == NULL && k->phones == NULL);
    wipe(k->key, sizeof k->key);
    free(k);
}

void carrier_tap(struct carrier *k, carrier_tap_fn *fn, void *arg)
{
    k->tap = fn;
    k->tap_arg = arg;
}

void carrier_show(const struct carrier *k, int account, uint64_t connection, bool outward,
                  struct slice message)
{
    if (k->tap != NULL)
        k->tap(k->tap_arg, account, connection, outward, message);
}

static void show(const struct carrier_line *l, bool outward, struct slice message)
{
    carrier_show(l->carrier, l->facts.account, l->facts.id, outward, message);
}

/* --- who is whose --- */

static struct carrier_phone *find_phone(const struct carrier *k, int account)
{
    struct carrier_phone *p = k->phones;
    while (p != NULL && p->account != account)
        p = p->next;
    return p;
}

/* Who takes the requests for ACCOUNT. */
static struct carrier_phone *phone_of(const struct carrier *k, int account)
{
    struct carrier_phone *own = find_phone(k, account);
    return own != NULL ? own : find_phone(k, 0);
}

bool carrier_serves(const struct carrier *k, int account)
{
    return phone_of(k, account) != NULL;
}

static void tell(struct carrier_phone *p, const struct carrier_facts *f, bool up)
{
    if (p != NULL && p->h->line != NULL)
        p->h->line(p->arg, f, up);
}

/* The lines of ACCOUNT come to P (UP), or go from it: another phone takes or gives them. */
static void hand_over(const struct carrier *k, int account, struct carrier_phone *p, bool up)
{
    for (const struct carrier_line *l = k->lines; l != NULL; l = l->next)
        if (l->facts.account == account)
            tell(p, &l->facts, up);
}

/* --- lines --- */

/* host:port for SIP: without a zone, which means nothing to anybody else. */
static void write_address(const struct addr *a, bool port, char out[HOP_HOSTPORT_SIZE])
{
    struct addr plain = *a;
    char text[ADDR_TEXT_SIZE];
    plain.scope = 0;
    if (port) {
        addr_format(&plain, text);
        (void)snprintf(out, HOP_HOSTPORT_SIZE, "%s", text);
    } else {
        addr_format_host(&plain, text);
        (void)snprintf(out, HOP_HOSTPORT_SIZE, plain.family == 6 ? "[%s]" : "%s", text);
    }
}

struct result carrier_line_new(struct carrier *k, const struct carrier_facts *f,
                               const struct carrier_line_handlers *h, void *arg,
                               struct carrier_line **out)
{
    if (f->account < 1 || f->account > LIMIT_ACCOUNTS)
        return err(ERR_INVALID);
    struct carrier_line *l = calloc(1, sizeof *l);
    if (l == NULL)
        return err(ERR_NOMEM);
    *l = (struct carrier_line){.carrier = k, .next = k->lines, .h = h, .arg = arg, .facts = *f};
    write_address(&f->local, true, l->hostport);
    write_address(&f->remote, false, l->peer_host);
    k->lines = l;
    *out = l;
    tell(phone_of(k, f->account), &l->facts, true);
    return OK;
}

void carrier_line_free(struct carrier_line *l)
{
    if (l == NULL)
        return;
    struct carrier *k = l->carrier;
    struct carrier_line **at = &k->lines;
    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    tell(phone_of(k, l->facts.account), &l->facts, false);
    free(l);
}

static bool same_facts(const struct carrier_facts *a, const struct carrier_facts *b)
{
    return a->account == b->account && a->id == b->id && a->inbound == b->inbound &&
           a->lock == b->lock && a->assurance == b->assurance && a->registered == b->registered &&
           addr_eq(&a->local, &b->local) && addr_eq(&a->remote, &b->remote) &&
           strcmp(a->contact, b->contact) == 0;
}

void carrier_line_set(struct carrier_line *l, const struct carrier_facts *f)
{
    if (same_facts(&l->facts, f))
        return;
    l->facts = *f;
    tell(phone_of(l->carrier, f->account), &l->facts, true);
}

void carrier_line_observe(struct carrier_line *l, const struct sip_message *m)
{
    char seen[HOP_HOSTPORT_SIZE];
    if (!hop_seen_at(m, seen) || strcmp(seen, l->hostport) == 0)
        return;
    log_info("carrier", "account %d: the server sees us at %s", l->facts.account, seen);
    memcpy(l->hostport, seen, sizeof seen);
}

void carrier_line_drained(struct carrier_line *l)
{
    struct carrier_phone *p = phone_of(l->carrier, l->facts.account);
    if (!l->busy)
        return;
    l->busy = false;
    if (p != NULL && p->h->drained != NULL)
        p->h->drained(p->arg, &l->facts);
}

unsigned carrier_line_calls(const struct carrier_line *l)
{
    return l->calls;
}

static void set_calls(struct carrier_line *l, struct carrier_phone *by, unsigned calls)
{
    if (l->calls == calls)
        return;
    l->calls = calls;
    l->caller = calls == 0 ? NULL : by;
    if (l->h->calls_changed != NULL)
        l->h->calls_changed(l->arg);
}

static struct hop_side side_of(const struct carrier_line *l)
{
    return (struct hop_side){
        .id = l->facts.id,
        .transport = HOP_TLS,
        .hostport = l->hostport,
        .peer_host = l->peer_host,
        .peer_port = l->facts.remote.port,
    };
}

/* The side of a phone, which without an address of its own has the line's. */
static struct hop_side phone_side(const struct carrier_passage *p, const struct carrier_line *l)
{
    struct hop_side side = p->side;
    if (side.hostport == NULL) {
        side.transport = HOP_TLS;
        side.hostport = l->hostport;
    }
    return side;
}

/* --- from the TLS side --- */

/* STATUS 0: what there is to say while nobody is there. */
static void answer(struct carrier_line *l, const struct sip_message *m, int status,
                   unsigned retry_s)
{
    struct buf out;
    buf_init(&out, LIMIT_SIP_MESSAGE);
    struct result r = status == 0 ? answer_request(&out, m, &l->carrier->rng)
                                  : answer_status(&out, m, status, retry_s, &l->carrier->rng);
    if (is_ok(r) && buf_len(&out) != 0)
        r = l->h->send(l->arg, buf_slice(&out));
    if (is_err(r))
        log_info("carrier", "account %d: a request was not answered: %s", l->facts.account,
                 err_text(r.code));
    else if (buf_len(&out) != 0)
        show(l, true, buf_slice(&out));
    buf_free(&out);
}

static struct hop inward_hop(const struct carrier_line *l, const struct carrier_passage *passage)
{
    return (struct hop){
        .key = l->carrier->key,
        .account = l->facts.account,
        .from = side_of(l),
        .to = phone_side(passage, l),
        .edit = passage->edit,
    };
}

static void receive_request(struct carrier_line *l, const struct sip_message *m, struct slice raw)
{
    struct carrier_phone *p = phone_of(l->carrier, l->facts.account);
    struct carrier_passage passage = {0};
    struct errinfo e = ERRINFO_INIT;
    struct buf out;
    if (p == NULL || !p->h->passage(p->arg, &l->facts, m, 0, &passage)) {
        answer(l, m, 0, 0);
        return;
    }
    buf_init(&out, 2 * LIMIT_SIP_MESSAGE);
    const struct hop h = inward_hop(l, &passage);
    struct result r = hop_request(&h, m, raw, &out, &e);
    if (is_err(r)) {
        log_info("carrier", "account %d: a request is refused: %s", l->facts.account,
                 errinfo_text(&e, r));
        answer(l, m, e.native, 0);
    } else {
        r = p->h->deliver(p->arg, passage.side.id, &l->facts, buf_slice(&out));
        if (r.code == ERR_BUSY)
            answer(l, m, 503, LIMIT_CARRIER_RETRY_S);
        else if (is_err(r))
            answer(l, m, 0, 0);
    }
    buf_wipe(&out); /* it may have credentials in it */
}

/* The phone whose connection ID is. */
static struct carrier_phone *find_way(const struct carrier_line *l, const struct sip_message *m,
                                      uint64_t id, struct carrier_passage *out)
{
    struct carrier_phone *const candidates[] = {find_phone(l->carrier, l->facts.account),
                                                find_phone(l->carrier, 0)};
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
        struct carrier_phone *p = candidates[i];
        *out = (struct carrier_passage){0};
        if (p != NULL && p->h->passage(p->arg, &l->facts, m, id, out))
            return p;
    }
    return NULL;
}

static void note_register(const struct carrier_line *l, const struct sip_message *m)
{
    if (l->h->registers != NULL && strcmp(sip_message_method(m), "REGISTER") == 0)
        l->h->registers(l->arg, m);
}

static struct result pass_response(struct carrier_line *l, const struct sip_message *m,
                                   struct slice raw, struct errinfo *e)
{
    struct carrier_passage passage;
    struct buf out;
    uint64_t id;
    if (!hop_response_id(m, &id))
        return fail(e, ERR_DENIED, "nobody here has asked for it");
    struct carrier_phone *p = find_way(l, m, id, &passage);
    if (p == NULL)
        return fail(e, ERR_NOT_FOUND, "who has asked for it is gone");
    passage.side.id = id;
    buf_init(&out, 2 * LIMIT_SIP_MESSAGE);
    const struct hop h = inward_hop(l, &passage);
    struct result r = hop_response(&h, m, raw, &out, e);
    if (is_ok(r)) {
        r = p->h->deliver(p->arg, id, &l->facts, buf_slice(&out));
        if (is_err(r))
            r = fail(e, r.code, "the phone side does not take it: %s", err_text(r.code));
        note_register(l, m);
    }
    buf_wipe(&out); /* it may have credentials in it */
    return r;
}

void carrier_line_receive(struct carrier_line *l, const struct sip_message *m, struct slice raw)
{
    struct errinfo e = ERRINFO_INIT;
    show(l, false, raw);
    if (sip_message_is_request(m)) {
        receive_request(l, m, raw);
        return;
    }
    const struct result r = pass_response(l, m, raw, &e);
    if (is_err(r))
        log_info("carrier", "account %d: a response is dropped: %s", l->facts.account,
                 errinfo_text(&e, r));
}

/* --- phones --- */

struct result carrier_phone_new(struct carrier *k, int account,
                                const struct carrier_phone_handlers *h, void *arg,
                                struct carrier_phone **out)
{
    if (find_phone(k, account) != NULL)
        return err(ERR_EXISTS);
    struct carrier_phone *p = calloc(1, sizeof *p);
    if (p == NULL)
        return err(ERR_NOMEM);
    *p = (struct carrier_phone){
        .carrier = k, .next = k->phones, .h = h, .arg = arg, .account = account};
    if (account != 0)
        hand_over(k, account, find_phone(k, 0), false);
    k->phones = p;
    *out = p;
    return OK;
}

void carrier_phone_free(struct carrier_phone *p)
{
    if (p == NULL)
        return;
    struct carrier *k = p->carrier;
    struct carrier_phone **at = &k->phones;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    for (struct carrier_line *l = k->lines; l != NULL; l = l->next)
        if (l->caller == p)
            set_calls(l, NULL, 0);
    if (p->account != 0)
        hand_over(k, p->account, find_phone(k, 0), true);
    free(p);
}

void carrier_lines(const struct carrier_phone *p, carrier_line_fn *fn, void *arg)
{
    for (const struct carrier_line *l = p->carrier->lines; l != NULL; l = l->next)
        if (phone_of(p->carrier, l->facts.account) == p)
            fn(arg, &l->facts);
}

/* --- from the phone side --- */

/* The line of ACCOUNT that is connection ID; 0: the newest of those to its server. */
static struct result find_line(const struct carrier_phone *p, int account, uint64_t id,
                               struct carrier_line **out, struct errinfo *e)
{
    bool others = false;
    if (phone_of(p->carrier, account) != p)
        return fail_native(e, ERR_DENIED, 403, "account %d is not for this phone", account);
    for (struct carrier_line *l = p->carrier->lines; l != NULL; l = l->next) {
        const bool wanted = id == 0 ? !l->facts.inbound : l->facts.id == id;
        if (wanted && l->facts.account == account) {
            *out = l;
            return OK;
        }
        others |= id != 0 && wanted;
    }
    if (others)
        return fail_native(e, ERR_DENIED, 403, "the connection is not one of account %d", account);
    return id == 0 ? fail_native(e, ERR_NOT_FOUND, 503, "account %d is not connected", account)
                   : fail_native(e, ERR_NOT_FOUND, 503, "the connection is gone");
}

bool carrier_find(const struct carrier_phone *p, int account, uint64_t id,
                  struct carrier_facts *out)
{
    struct carrier_line *l;
    if (is_err(find_line(p, account, id, &l, NULL)))
        return false;
    *out = l->facts;
    return true;
}

/* What the boundaries of messages on a stream need (RFC 3261 section 20.14). */
static struct result check_whole(const struct sip_message *m, struct errinfo *e)
{
    if (sip_message_header(m, "Content-Length", 0) == NULL)
        return fail_native(e, ERR_PARSE, 400, "it has no Content-Length header field");
    return OK;
}

static struct result check_room(struct carrier_line *l, size_t n, struct errinfo *e)
{
    const size_t queued = l->h->queued(l->arg);
    if (queued == 0 || queued + n <= LIMIT_CARRIER_OUT)
        return OK;
    l->busy = true;
    return fail_native(e, ERR_BUSY, 503, "the server does not take more at present");
}

static struct result pass_outward(struct carrier_line *l, const struct carrier_passage *from,
                                  const struct sip_message *m, struct slice raw, struct buf *out,
                                  struct errinfo *e)
{
    const struct hop h = {
        .key = l->carrier->key,
        .account = l->facts.account,
        .outward = true,
        .from = phone_side(from, l),
        .to = side_of(l),
        .edit = from->edit,
    };
    uint64_t id;
    if (sip_message_is_request(m))
        return hop_request(&h, m, raw, out, e);
    if (!hop_response_id(m, &id) || id != l->facts.id)
        return fail(e, ERR_DENIED, "it answers nothing that came over this connection");
    return hop_response(&h, m, raw, out, e);
}

static struct result send_parsed(struct carrier_line *l, const struct carrier_passage *from,
                                 const struct sip_message *m, struct slice raw, struct errinfo *e)
{
    struct buf out;
    TRY(check_whole(m, e));
    TRY(check_room(l, raw.n, e));
    buf_init(&out, 2 * LIMIT_SIP_MESSAGE);
    struct result r = pass_outward(l, from, m, raw, &out, e);
    if (is_ok(r)) {
        r = l->h->send(l->arg, buf_slice(&out));
        if (is_err(r))
            r = fail_native(e, r.code, 503, "the connection is closing");
        else
            show(l, true, buf_slice(&out));
        if (is_ok(r) && sip_message_is_request(m))
            note_register(l, m);
    }
    buf_wipe(&out); /* it may have credentials in it */
    return r;
}

struct result carrier_pass(struct carrier_phone *p, int account, uint64_t id,
                           const struct carrier_passage *from, const struct sip_message *m,
                           struct slice raw, uint64_t *used, struct errinfo *e)
{
    struct carrier_line *l;
    TRY(find_line(p, account, id, &l, e));
    if (used != NULL)
        *used = l->facts.id;
    return send_parsed(l, from, m, raw, e);
}

struct result carrier_send(struct carrier_phone *p, int account, uint64_t id,
                           const struct carrier_passage *from, struct slice raw, uint64_t *used,
                           struct errinfo *e)
{
    struct carrier_line *l;
    struct sip_message *m;
    TRY(find_line(p, account, id, &l, e));
    if (used != NULL)
        *used = l->facts.id;
    struct result r = sip_message_parse(raw, &m, e);
    if (is_err(r)) {
        errinfo_context(e, "the message is not valid");
        return fail(e, r.code, "the message cannot be read");
    }
    r = send_parsed(l, from, m, raw, e);
    sip_message_free(m);
    return r;
}

struct result carrier_set_calls(struct carrier_phone *p, int account, uint64_t id, unsigned calls,
                                struct errinfo *e)
{
    struct carrier_line *l;
    TRY(find_line(p, account, id, &l, e));
    set_calls(l, p, calls);
    return OK;
}
