#include "tools/registrar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "sip/field.h"
#include "sip/frame.h"
#include "sip/message_write.h"
#include "sip/uri.h"
#include "tools/registrar_auth.h"

#define USERS       64
#define BINDINGS    128
#define TEXT_SIZE   512
#define TAG_LENGTH  10
#define DEFAULT_S   3600 /* RFC 3261 section 10.3 step 7 leaves it to us */
#define EXTRA_BYTES 16384

struct user {
    char *name;
    char *auth_name;
    char *password;
};

struct binding {
    bool used;
    char aor[TEXT_SIZE]; /* without parameters */
    char contact[TEXT_SIZE];
    char call_id[TEXT_SIZE];
    char instance[TEXT_SIZE]; /* "" if it has none */
    uint32_t cseq;
    uint64_t ends_ms;
};

struct registrar {
    struct registrar_config cfg;
    char *realm;
    struct rng rng;
    registrar_event_fn *on_event;
    void *arg;
    struct registrar_auth auth;
    struct user users[USERS];
    size_t n_users;
    struct binding bindings[BINDINGS];
};

/* One request and what is known of it. */
struct request {
    struct registrar *r;
    const struct sip_message *m;
    uint64_t now_ms;
    struct buf *out;
    char aor[TEXT_SIZE];
    char user[TEXT_SIZE];
};

const char *registrar_event_name(enum registrar_event_type type)
{
    static const char *const names[] = {
#define REGISTRAR_EVENT_NAME_(name, text) text,
        REGISTRAR_EVENT_TABLE(REGISTRAR_EVENT_NAME_)
#undef REGISTRAR_EVENT_NAME_
    };
    return names[type];
}

static void tell(struct registrar *r, struct registrar_event event)
{
    if (event.contact == NULL)
        event.contact = "";
    if (event.text == NULL)
        event.text = "";
    if (r->on_event != NULL)
        r->on_event(r->arg, &event);
}

/* --- responses --- */

static struct result respond(struct request *q, int status, const char *extra)
{
    char tag[TAG_LENGTH + 1];
    rng_token(&q->r->rng, tag, TAG_LENGTH);
    return sip_message_write_response(q->out, q->m, status, NULL, tag, extra);
}

static struct result refuse(struct request *q, int status, const char *extra, const char *why)
{
    tell(q->r, (struct registrar_event){
                   .type = REGISTRAR_REFUSED, .aor = q->aor, .status = status, .text = why});
    return respond(q, status, extra);
}

static struct result challenge(struct request *q, bool stale)
{
    struct buf lines;
    const int status = q->r->cfg.as_proxy ? 407 : 401;
    buf_init(&lines, EXTRA_BYTES);
    struct result r = registrar_auth_challenge(&q->r->auth, stale, q->now_ms, &lines);
    if (is_ok(r)) {
        tell(q->r, (struct registrar_event){.type = REGISTRAR_CHALLENGED,
                                            .aor = q->aor,
                                            .status = status,
                                            .text = stale ? "stale" : ""});
        r = respond(q, status, buf_str(&lines));
    }
    buf_free(&lines);
    return r;
}

/* --- bindings --- */

static uint32_t seconds_left(const struct binding *b, uint64_t now_ms)
{
    return (uint32_t)((b->ends_ms - now_ms + 999) / 1000);
}

static void expire(struct registrar *r, uint64_t now_ms)
{
    for (size_t i = 0; i < BINDINGS; i++) {
        struct binding *b = &r->bindings[i];
        if (!b->used || b->ends_ms > now_ms)
            continue;
        b->used = false;
        tell(r, (struct registrar_event){
                    .type = REGISTRAR_EXPIRED, .aor = b->aor, .contact = b->contact});
    }
}

/* The binding that a contact of this request is about: of the same URI, or of the same phone
 * (RFC 5626 section 6). */
static struct binding *find_binding(struct request *q, const struct sip_contact *c)
{
    for (size_t i = 0; i < BINDINGS; i++) {
        struct binding *b = &q->r->bindings[i];
        if (b->used && strcmp(b->aor, q->aor) == 0 &&
            (sip_uri_equal(c->uri, slice_of_str(b->contact)) ||
             (c->instance != NULL && strcmp(c->instance, b->instance) == 0)))
            return b;
    }
    return NULL;
}

static struct binding *new_binding(struct registrar *r)
{
    for (size_t i = 0; i < BINDINGS; i++)
        if (!r->bindings[i].used)
            return &r->bindings[i];
    return NULL;
}

static bool fill_binding(struct binding *b, struct request *q, const struct sip_contact *c,
                         uint32_t expires_s)
{
    b->used =
        slice_to_str(slice_of_str(q->aor), b->aor, sizeof b->aor) &&
        slice_to_str(c->uri, b->contact, sizeof b->contact) &&
        slice_to_str(slice_of_str(sip_message_call_id(q->m)), b->call_id, sizeof b->call_id) &&
        slice_to_str(slice_of_str(c->instance), b->instance, sizeof b->instance);
    b->cseq = sip_message_cseq(q->m);
    b->ends_ms = q->now_ms + (uint64_t)expires_s * 1000;
    return b->used;
}

static void remove_binding(struct request *q, struct binding *b)
{
    b->used = false;
    tell(q->r,
         (struct registrar_event){
             .type = REGISTRAR_UNREGISTERED, .aor = b->aor, .contact = b->contact, .status = 200});
}

/* What the request asks for one contact, by its parameter, else by the Expires field. */
static uint32_t asked_expires(struct request *q, const struct sip_contact *c)
{
    uint64_t s;
    if (c->expires != NULL && slice_to_u64(slice_of_str(c->expires), UINT32_MAX, &s))
        return (uint32_t)s;
    return sip_message_number(q->m, "Expires", UINT32_MAX, &s) ? (uint32_t)s : DEFAULT_S;
}

/* RFC 3261 section 10.3 step 7 for one contact: the status of the answer. */
static int bind_contact(struct request *q, const struct sip_contact *c)
{
    struct registrar *r = q->r;
    uint32_t expires_s = asked_expires(q, c);
    struct binding *b = find_binding(q, c);
    const bool fresh = b == NULL;
    if (!fresh && strcmp(b->call_id, sip_message_call_id(q->m)) == 0 &&
        sip_message_cseq(q->m) <= b->cseq)
        return 500;
    if (expires_s == 0) {
        if (!fresh)
            remove_binding(q, b);
        return 200;
    }
    if (expires_s < r->cfg.min_expires_s)
        return 423;
    if (r->cfg.max_expires_s != 0 && expires_s > r->cfg.max_expires_s)
        expires_s = r->cfg.max_expires_s;
    if (fresh)
        b = new_binding(r);
    if (b == NULL || !fill_binding(b, q, c, expires_s))
        return 500;
    tell(r, (struct registrar_event){.type = fresh ? REGISTRAR_REGISTERED : REGISTRAR_REFRESHED,
                                     .aor = b->aor,
                                     .contact = b->contact,
                                     .expires_s = expires_s,
                                     .status = 200});
    return 200;
}

/* "Contact: *" takes all away, and only that (section 10.2.2). */
static int unbind_all(struct request *q)
{
    uint64_t s;
    if (!sip_message_number(q->m, "Expires", UINT32_MAX, &s) || s != 0 ||
        sip_message_header(q->m, "Contact", 1) != NULL)
        return 400;
    for (size_t i = 0; i < BINDINGS; i++)
        if (q->r->bindings[i].used && strcmp(q->r->bindings[i].aor, q->aor) == 0)
            remove_binding(q, &q->r->bindings[i]);
    return 200;
}

static int bind_contacts(struct request *q)
{
    struct sip_contact c;
    for (size_t n = 0; sip_message_contact(q->m, n, &c); n++) {
        const int status = slice_eq_str(c.uri, "*") ? unbind_all(q) : bind_contact(q, &c);
        if (status != 200)
            return status;
    }
    return 200;
}

static struct result list_bindings(struct request *q, struct buf *out)
{
    for (size_t i = 0; i < BINDINGS; i++) {
        const struct binding *b = &q->r->bindings[i];
        if (b->used && strcmp(b->aor, q->aor) == 0 && q->r->cfg.fault != REGISTRAR_NO_CONTACT)
            TRY(buf_printf(out, "Contact: <%s>;expires=%u\r\n", b->contact,
                           (unsigned)seconds_left(b, q->now_ms)));
    }
    return OK;
}

static struct result confirm(struct request *q)
{
    struct buf lines;
    buf_init(&lines, EXTRA_BYTES);
    struct result r = list_bindings(q, &lines);
    if (is_ok(r) && q->r->cfg.next_nonce)
        r = registrar_auth_next(&q->r->auth, q->now_ms, &lines);
    if (is_ok(r))
        r = respond(q, 200, buf_str(&lines));
    buf_free(&lines);
    return r;
}

/* --- REGISTER --- */

static const struct user *find_user(const struct registrar *r, const char *name)
{
    for (size_t i = 0; i < r->n_users; i++)
        if (strcmp(r->users[i].name, name) == 0)
            return &r->users[i];
    return NULL;
}

static struct result do_register(struct request *q)
{
    char extra[64];
    const int status = bind_contacts(q);
    if (status == 200)
        return confirm(q);
    (void)snprintf(extra, sizeof extra, "Min-Expires: %u\r\n", (unsigned)q->r->cfg.min_expires_s);
    return refuse(q, status, status == 423 ? extra : NULL,
                  status == 423 ? "too brief" : "not possible");
}

static struct result check_and_register(struct request *q)
{
    const struct user *u = find_user(q->r, q->user);
    if (u == NULL)
        return refuse(q, 404, NULL, "no such user");
    if (q->r->cfg.realm == NULL)
        return do_register(q);
    enum registrar_verdict v =
        registrar_auth_check(&q->r->auth, q->m, u->auth_name, u->password, q->now_ms);
    if (v == REGISTRAR_AUTH_RIGHT && q->r->cfg.fault == REGISTRAR_STALE)
        v = REGISTRAR_AUTH_STALE;
    if (v == REGISTRAR_AUTH_RIGHT)
        return do_register(q);
    if (v == REGISTRAR_AUTH_WRONG && !q->r->cfg.challenge_again)
        return refuse(q, 403, NULL, "wrong password");
    return challenge(q, v == REGISTRAR_AUTH_STALE);
}

static bool has_reg_id(const struct sip_message *m)
{
    const char *contact = sip_message_header(m, "Contact", 0);
    return contact != NULL && strstr(contact, ";reg-id=") != NULL;
}

/* The CSeq of what it writes is the request's; here it is made another one. */
static struct result spoil_cseq(struct request *q)
{
    const size_t before = buf_len(q->out);
    TRY(check_and_register(q));
    struct slice written = slice_from(buf_slice(q->out), before);
    const size_t at = slice_find_slice(written, SLICE_LIT("CSeq: "));
    q->out->mem[q->out->start + before + at + strlen("CSeq: ")] = '9';
    return OK;
}

static struct result want_more(struct request *q)
{
    char extra[64];
    uint64_t s = 0;
    (void)sip_message_number(q->m, "Expires", UINT32_MAX, &s);
    (void)snprintf(extra, sizeof extra, "Min-Expires: %u\r\n", (unsigned)s + 1);
    return refuse(q, 423, extra, "never long enough");
}

static struct result take_register(struct request *q, bool *close)
{
    char extra[64];
    switch (q->r->cfg.fault) {
    case REGISTRAR_SILENT:
        return OK;
    case REGISTRAR_TRYING:
        return respond(q, 100, NULL);
    case REGISTRAR_UNAVAILABLE:
        (void)snprintf(extra, sizeof extra, "Retry-After: %u\r\n",
                       (unsigned)q->r->cfg.retry_after_s);
        return refuse(q, 503, q->r->cfg.retry_after_s != 0 ? extra : NULL, "out of order");
    case REGISTRAR_FORBIDDEN:
        return refuse(q, 403, NULL, "nobody may");
    case REGISTRAR_NO_SIPS:
        if (strncmp(sip_message_uri(q->m), "sips:", 5) == 0)
            return refuse(q, 416, NULL, "no SIPS");
        break;
    case REGISTRAR_NO_OUTBOUND:
        if (has_reg_id(q->m))
            return refuse(q, 439, NULL, "no outbound");
        break;
    case REGISTRAR_INSATIABLE:
        return want_more(q);
    case REGISTRAR_WRONG_CSEQ:
        return spoil_cseq(q);
    case REGISTRAR_CLOSES:
        *close = true;
        return OK;
    case REGISTRAR_WELL:
    case REGISTRAR_NO_CONTACT:
    case REGISTRAR_STALE:
        break;
    }
    return check_and_register(q);
}

/* --- requests --- */

/* The address of record as it is kept: the To without parameters, and its user unescaped. */
static bool read_aor(struct request *q)
{
    struct sip_uri uri;
    const struct slice text = sip_field_uri(slice_of_str(sip_message_header(q->m, "To", 0)));
    if (!slice_to_str(slice_first(text, slice_find(text, ';')), q->aor, sizeof q->aor) ||
        !sip_uri_parse(text, &uri) || !slice_to_str(uri.userinfo, q->user, sizeof q->user))
        return false;
    char *to = q->user;
    for (const char *from = q->user; *from != '\0'; to++)
        if (*from == '%') {
            const char hex[3] = {from[1], from[2], '\0'};
            *to = (char)strtoul(hex, NULL, 16);
            from += 3;
        } else {
            *to = *from++;
        }
    *to = '\0';
    return true;
}

static struct result take_other(struct request *q)
{
    static const char *const known[] = {"INVITE",    "BYE",    "CANCEL", "MESSAGE",
                                        "SUBSCRIBE", "NOTIFY", "INFO",   "PUBLISH",
                                        "UPDATE",    "PRACK",  "REFER"};
    static const char allow[] = "Allow: REGISTER, OPTIONS\r\n";
    const char *method = sip_message_method(q->m);
    int status = strcmp(method, "OPTIONS") == 0 ? 200 : 501;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(method, known[i]) == 0)
            status = 405;
    tell(q->r, (struct registrar_event){
                   .type = REGISTRAR_ASKED, .aor = q->aor, .status = status, .text = method});
    return respond(q, status, allow);
}

struct result registrar_handle(struct registrar *r, const struct sip_message *m, uint64_t now_ms,
                               struct buf *out, bool *close)
{
    struct request q = {.r = r, .m = m, .now_ms = now_ms, .out = out};
    *close = false;
    expire(r, now_ms);
    if (!sip_message_is_request(m) || strcmp(sip_message_method(m), "ACK") == 0)
        return OK;
    if (!read_aor(&q))
        return refuse(&q, 400, NULL, "no address of record");
    if (strcmp(sip_message_method(m), "REGISTER") == 0)
        return take_register(&q, close);
    return take_other(&q);
}

bool registrar_binding(struct registrar *r, size_t n, uint64_t now_ms,
                       struct registrar_binding *out)
{
    expire(r, now_ms);
    for (size_t i = 0; i < BINDINGS; i++) {
        const struct binding *b = &r->bindings[i];
        if (!b->used || n-- > 0)
            continue;
        *out = (struct registrar_binding){b->aor, b->contact, seconds_left(b, now_ms)};
        return true;
    }
    return false;
}

/* --- life --- */

struct result registrar_new(const struct registrar_config *cfg, const struct rng *rng,
                            registrar_event_fn *on_event, void *arg, struct registrar **out)
{
    struct registrar *r = calloc(1, sizeof *r);
    if (r == NULL)
        return err(ERR_NOMEM);
    r->cfg = *cfg;
    if (cfg->realm != NULL) {
        r->realm = strdup(cfg->realm);
        if (r->realm == NULL) {
            free(r);
            return err(ERR_NOMEM);
        }
        r->cfg.realm = r->realm;
    }
    r->rng = *rng;
    r->on_event = on_event;
    r->arg = arg;
    r->auth = (struct registrar_auth){.cfg = &r->cfg, .rng = &r->rng};
    *out = r;
    return OK;
}

static void free_user(const struct user *u)
{
    free(u->name);
    free(u->auth_name);
    free(u->password);
}

void registrar_free(struct registrar *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->n_users; i++)
        free_user(&r->users[i]);
    free(r->realm);
    free(r);
}

struct result registrar_add_user(struct registrar *r, const char *user, const char *auth_user,
                                 const char *password)
{
    for (size_t i = 0; i < r->n_users; i++)
        if (strcmp(r->users[i].name, user) == 0) {
            char *changed = strdup(password);
            if (changed == NULL)
                return err(ERR_NOMEM);
            free(r->users[i].password);
            r->users[i].password = changed;
            return OK;
        }
    if (r->n_users == USERS)
        return err(ERR_LIMIT);
    const struct user u = {.name = strdup(user),
                           .auth_name = strdup(auth_user != NULL ? auth_user : user),
                           .password = strdup(password)};
    if (u.name == NULL || u.auth_name == NULL || u.password == NULL) {
        free_user(&u);
        return err(ERR_NOMEM);
    }
    r->users[r->n_users++] = u;
    return OK;
}

void registrar_set_fault(struct registrar *r, enum registrar_fault fault)
{
    r->cfg.fault = fault;
}

/* --- one connection, as bytes --- */

struct registrar_peer {
    struct registrar *registrar;
    struct sip_frame *frame;
};

struct result registrar_peer_new(struct registrar *r, struct registrar_peer **out)
{
    struct registrar_peer *p = calloc(1, sizeof *p);
    if (p == NULL || is_err(sip_frame_new(&p->frame))) {
        free(p);
        return err(ERR_NOMEM);
    }
    p->registrar = r;
    *out = p;
    return OK;
}

void registrar_peer_free(struct registrar_peer *p)
{
    if (p == NULL)
        return;
    sip_frame_free(p->frame);
    free(p);
}

static struct result take_message(struct registrar_peer *p, struct slice raw, uint64_t now_ms,
                                  struct buf *out, bool *close, struct errinfo *e)
{
    struct sip_message *m;
    TRY(sip_message_parse(raw, &m, e));
    const struct result r = registrar_handle(p->registrar, m, now_ms, out, close);
    sip_message_free(m);
    return r;
}

struct result registrar_peer_feed(struct registrar_peer *p, struct slice bytes, uint64_t now_ms,
                                  struct buf *out, bool *close, struct errinfo *e)
{
    enum sip_frame_event event;
    struct slice raw;
    *close = false;
    TRY(sip_frame_feed(p->frame, bytes));
    do {
        TRY(sip_frame_next(p->frame, &event, &raw, e));
        if (event == SIP_FRAME_MESSAGE)
            TRY(take_message(p, raw, now_ms, out, close, e));
        else if (event == SIP_FRAME_PING)
            TRY(buf_append_str(out, "\r\n"));
    } while (event != SIP_FRAME_MORE && !*close);
    return OK;
}
