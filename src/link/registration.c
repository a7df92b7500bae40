#include "link/registration.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/limits.h"
#include "base/wipe.h"
#include "link/binding.h"
#include "link/refusal.h"
#include "link/watched.h"
#include "sip/auth.h"
#include "sip/message_write.h"
#include "sip/transaction.h"

#define ID_LENGTH     24 /* of Call-ID and tag: over 32 bits (RFC 3261 section 19.3), never again */
#define BRANCH_COOKIE "z9hG4bK"
#define BRANCH_LENGTH 20
#define STATES        6

struct registration {
    char *user;
    char *domain;
    char *display_name;
    char *auth_user;
    char *password;
    char *instance_id;
    char *user_agent;

    const struct registration_handlers *h;
    void *arg;
    struct rng rng;

    enum registration_state state;
    bool dirty; /* CHANGED is to be called */

    /* The binding. Call-ID and CSeq live as long as the account (RFC 3261 section 10.2). */
    char call_id[ID_LENGTH + 1];
    char from_tag[ID_LENGTH + 1];
    uint32_t cseq;
    char *local;
    struct binding binding;
    struct binding_style style;

    /* The request under way. */
    struct sip_transaction transaction;
    struct sip_auth auth;
    bool lengthened; /* for a 423 */

    uint32_t asked_s;       /* how long the binding shall last */
    uint32_t granted_s;     /* how long it does; 0 while there is none */
    uint64_t ends_ms;       /* REFRESHING, REGISTERED: when it is gone */
    uint64_t next_ms;       /* REGISTERED: refresh; REMOVING: give up */
    uint64_t not_before_ms; /* the end of the wait after a refusal, over all connections */

    struct backoff refused;         /* waits between tries */
    struct backoff account_refused; /* the same, where only a person can help */
    struct errinfo error;
    int last_status;

    bool passive; /* all of the above but the binding rests */
    struct watched watched;
};

/* --- states --- */

#define TO(state) (1U << REGISTRATION_##state)

static const unsigned legal[STATES] = {
    [REGISTRATION_OFF] = TO(TRYING) | TO(WAITING),
    [REGISTRATION_TRYING] = TO(OFF) | TO(REGISTERED) | TO(WAITING) | TO(REMOVING),
    [REGISTRATION_REGISTERED] = TO(OFF) | TO(REFRESHING) | TO(REMOVING),
    /* TRYING: the binding ended while the refresh was under way */
    [REGISTRATION_REFRESHING] = TO(OFF) | TO(TRYING) | TO(REGISTERED) | TO(WAITING) | TO(REMOVING),
    [REGISTRATION_WAITING] = TO(OFF) | TO(TRYING),
    [REGISTRATION_REMOVING] = TO(OFF),
};

static void set_state(struct registration *r, enum registration_state to)
{
    assert((legal[r->state] & (1U << to)) != 0);
    r->state = to;
    r->dirty = true;
    if (!registration_is_up(r))
        r->granted_s = 0;
}

/* The end of every call that may have changed something. */
static void tell(struct registration *r)
{
    if (!r->dirty)
        return;
    r->dirty = false;
    r->h->changed(r->arg);
}

static void turn_off(struct registration *r)
{
    sip_transaction_cancel(&r->transaction);
    if (r->state != REGISTRATION_OFF)
        set_state(r, REGISTRATION_OFF);
}

/* --- sending --- */

static struct result write_message(struct registration *r, struct buf *out, const char *branch,
                                   const char *authorization, struct errinfo *e)
{
    const struct sip_register request = {
        .registrar_uri = r->binding.registrar,
        .aor = r->binding.aor,
        .display_name = r->display_name,
        .contact_uri = r->binding.contact,
        .contact_params = r->binding.contact_params,
        .via_host = r->local,
        .branch = branch,
        .call_id = r->call_id,
        .from_tag = r->from_tag,
        .cseq = r->cseq,
        .expires = r->state == REGISTRATION_REMOVING ? 0 : r->asked_s,
        .user_agent = r->user_agent,
        .supported = r->style.no_outbound || r->instance_id == NULL ? "path" : "path, outbound",
        .authorization = authorization,
    };
    return sip_message_write_register(out, &request, e);
}

/* Writes the next REGISTER, with a CSeq of its own, and credentials if the server wants some. */
static struct result write_next(struct registration *r, struct buf *out, const char *branch,
                                struct errinfo *e)
{
    const struct digest_credentials cred = {.user = r->auth_user, .password = r->password};
    struct buf lines;
    buf_init(&lines, LIMIT_SIP_HEADER_BYTES);
    r->cseq++;
    struct result result =
        sip_auth_write(&r->auth, &lines, &cred, "REGISTER", r->binding.registrar, &r->rng, e);
    const char *text = buf_str(&lines);
    if (is_ok(result))
        result = text == NULL ? err(ERR_NOMEM) : write_message(r, out, branch, text, e);
    buf_wipe(&lines);
    return result;
}

/* --- refusals --- */

/* The try is over. The next one, on this connection or another, comes when the wait is over. */
static void refuse(struct registration *r, const struct refusal *why, const struct errinfo *e,
                   uint64_t now_ms)
{
    struct backoff *b = why->of_account ? &r->account_refused : &r->refused;
    const uint32_t asked_ms = why->retry_after_s * 1000;
    uint64_t wait_ms = backoff_next(b, &r->rng);
    if (wait_ms < asked_ms) /* and a little more, for not all phones to come back at once */
        wait_ms = asked_ms + rng_below(&r->rng, asked_ms / 10 + 1);
    r->error = *e;
    sip_transaction_cancel(&r->transaction);
    if (why->of_account)
        sip_auth_reset(&r->auth);
    r->not_before_ms = now_ms + wait_ms;
    set_state(r, REGISTRATION_WAITING);
}

/* The same for what is not in the response but in what we make of it. */
static void refuse_for(struct registration *r, const struct errinfo *e, uint64_t now_ms)
{
    if (r->state == REGISTRATION_REMOVING) {
        turn_off(r);
        return;
    }
    refuse(r, &(struct refusal){.of_account = e->code == ERR_AUTH}, e, now_ms);
}

/* --- requests --- */

static void send_request(struct registration *r, uint64_t now_ms)
{
    char branch[sizeof BRANCH_COOKIE + BRANCH_LENGTH] = BRANCH_COOKIE;
    struct errinfo e = ERRINFO_INIT;
    struct buf out;
    rng_token(&r->rng, branch + strlen(BRANCH_COOKIE), BRANCH_LENGTH);
    buf_init(&out, LIMIT_SIP_MESSAGE);
    const struct result result = write_next(r, &out, branch, &e);
    if (is_ok(result)) {
        sip_transaction_start(&r->transaction, branch, "REGISTER", now_ms);
        IGNORE(r->h->send(r->arg, buf_slice(&out))); /* _disconnected will follow */
    } else {
        IGNORE(fail(&e, result.code, "the REGISTER cannot be made: %s", err_text(result.code)));
        refuse_for(r, &e, now_ms);
    }
    buf_wipe(&out);
}

/* The first request of a try, a refresh or a removal. */
static void begin_request(struct registration *r, enum registration_state as, uint64_t now_ms)
{
    sip_auth_begin(&r->auth);
    r->lengthened = false;
    set_state(r, as);
    send_request(r, now_ms);
}

/* The same URIs in another style, or for another connection. */
static struct result make_binding(struct registration *r, struct errinfo *e)
{
    const struct registration_params p = {
        .user = r->user, .domain = r->domain, .instance_id = r->instance_id};
    binding_clear(&r->binding);
    return binding_make(&r->binding, &p, &r->style, r->local, e);
}

static void restyle(struct registration *r, struct binding_style style, uint64_t now_ms)
{
    struct errinfo e = ERRINFO_INIT;
    r->style = style;
    const struct result result = make_binding(r, &e);
    if (is_ok(result)) {
        send_request(r, now_ms);
        return;
    }
    IGNORE(fail(&e, result.code, "the REGISTER cannot be made: %s", err_text(result.code)));
    refuse_for(r, &e, now_ms);
}

/* --- responses --- */

/* Between 80 and 90 % of the granted time, so that a lost second try still fits in. */
static uint64_t refresh_after_ms(struct registration *r)
{
    const uint64_t ms = (uint64_t)r->granted_s * (800 + rng_below(&r->rng, 101));
    return ms > LIMIT_REGISTER_MIN_S * 1000 ? ms : LIMIT_REGISTER_MIN_S * 1000;
}

static void on_success(struct registration *r, const struct sip_message *m, uint64_t now_ms)
{
    struct errinfo e = ERRINFO_INIT;
    sip_auth_accepted(&r->auth, m);
    if (r->state == REGISTRATION_REMOVING) {
        turn_off(r);
        return;
    }
    const uint32_t granted =
        sip_message_granted_expires(m, r->binding.contact, r->instance_id, r->asked_s);
    if (granted == 0) {
        IGNORE(fail(&e, ERR_PEER, "the server says that it registered, but not this phone"));
        refuse_for(r, &e, now_ms);
        return;
    }
    set_state(r, REGISTRATION_REGISTERED);
    r->granted_s = granted < LIMIT_REGISTER_MAX_S ? granted : LIMIT_REGISTER_MAX_S;
    r->ends_ms = now_ms + (uint64_t)granted * 1000;
    r->next_ms = now_ms + refresh_after_ms(r);
    errinfo_clear(&r->error);
    registration_forget_refusals(r);
}

static void on_challenge(struct registration *r, const struct sip_message *m, uint64_t now_ms)
{
    struct errinfo e = ERRINFO_INIT;
    if (r->password == NULL)
        IGNORE(fail(&e, ERR_AUTH, "the server asks for a password, and the account has none"));
    else
        IGNORE(sip_auth_challenged(&r->auth, m, &e));
    if (e.code == ERR_OK)
        send_request(r, now_ms);
    else
        refuse_for(r, &e, now_ms);
}

static void on_refusal(struct registration *r, const struct sip_message *m, uint64_t now_ms)
{
    struct errinfo e = ERRINFO_INIT;
    const struct refusal why = refusal_read(m, sip_auth_known(&r->auth), &e);
    if (r->state == REGISTRATION_REMOVING)
        turn_off(r);
    else
        refuse(r, &why, &e, now_ms);
}

/* RFC 3261 section 10.3 step 7: the server wants longer bindings. */
static void on_too_brief(struct registration *r, const struct sip_message *m, uint64_t now_ms)
{
    struct errinfo e = ERRINFO_INIT;
    uint64_t min;
    if (r->lengthened || !sip_message_number(m, "Min-Expires", UINT32_MAX, &min) ||
        min <= r->asked_s) {
        on_refusal(r, m, now_ms);
        return;
    }
    if (min > LIMIT_REGISTER_MAX_S) {
        IGNORE(fail(&e, ERR_LIMIT, "the server wants registrations to last %llu s: more than %d",
                    (unsigned long long)min, LIMIT_REGISTER_MAX_S));
        refuse_for(r, &e, now_ms);
        return;
    }
    r->lengthened = true;
    r->asked_s = (uint32_t)min;
    send_request(r, now_ms);
}

static void on_final(struct registration *r, const struct sip_message *m, uint64_t now_ms)
{
    const int status = r->last_status;
    struct binding_style style = r->style;
    if (status < 300) {
        on_success(r, m, now_ms);
    } else if (status == 401 || status == 407) {
        on_challenge(r, m, now_ms);
    } else if (status == 423) {
        on_too_brief(r, m, now_ms);
    } else if (status == 416 && !style.sip) { /* RFC 3261 section 8.1.3.5 */
        style.sip = true;
        restyle(r, style, now_ms);
    } else if (status == 439 && !style.no_outbound) { /* RFC 5626 section 11.6 */
        style.no_outbound = true;
        restyle(r, style, now_ms);
    } else {
        on_refusal(r, m, now_ms);
    }
}

bool registration_has_asked(const struct registration *r, const struct sip_message *m)
{
    return !sip_message_is_request(m) && sip_message_cseq(m) == r->cseq &&
           strcmp(sip_message_call_id(m), r->call_id) == 0;
}

/* The branch says whose it is; with another Call-ID or CSeq it is no answer to ours all the same.
 */
bool registration_receive(struct registration *r, const struct sip_message *m, uint64_t now_ms)
{
    if (!registration_has_asked(r, m) || !sip_transaction_receive(&r->transaction, m))
        return false;
    if (sip_message_status(m) >= 200) {
        r->last_status = sip_message_status(m);
        r->dirty = true;
        on_final(r, m, now_ms);
    }
    tell(r);
    return true;
}

/* --- time --- */

static void on_no_answer(struct registration *r)
{
    const bool removing = r->state == REGISTRATION_REMOVING;
    turn_off(r);
    if (removing)
        return;
    errinfo_clear(&r->error);
    IGNORE(fail(&r->error, ERR_TIMEOUT, "the server did not answer the REGISTER within %d s",
                LIMIT_SIP_TIMER_F_MS / 1000));
    r->h->give_up(r->arg, &r->error);
}

bool registration_is_passive(const struct registration *r)
{
    return r->passive;
}

void registration_watch(struct registration *r, const struct sip_message *m, uint64_t now_ms)
{
    r->dirty |= watched_see(&r->watched, m, registration_contact(r), now_ms);
    tell(r);
}

void registration_tick(struct registration *r, uint64_t now_ms)
{
    r->dirty |= watched_tick(&r->watched, now_ms);
    if (sip_transaction_expired(&r->transaction, now_ms))
        on_no_answer(r);
    else if (r->state == REGISTRATION_REFRESHING && now_ms >= r->ends_ms)
        set_state(r, REGISTRATION_TRYING);
    else if (r->state == REGISTRATION_REGISTERED && now_ms >= r->next_ms)
        begin_request(r, REGISTRATION_REFRESHING, now_ms);
    else if (r->state == REGISTRATION_WAITING && now_ms >= r->not_before_ms)
        begin_request(r, REGISTRATION_TRYING, now_ms);
    else if (r->state == REGISTRATION_REMOVING && now_ms >= r->next_ms)
        turn_off(r);
    tell(r);
}

uint64_t registration_deadline(const struct registration *r)
{
    const uint64_t timer_f = sip_transaction_deadline(&r->transaction);
    if (r->passive)
        return r->watched.ends_ms;
    switch (r->state) {
    case REGISTRATION_REGISTERED:
        return r->next_ms;
    case REGISTRATION_WAITING:
        return r->not_before_ms;
    case REGISTRATION_REFRESHING:
        return r->ends_ms < timer_f ? r->ends_ms : timer_f;
    case REGISTRATION_REMOVING:
        return r->next_ms < timer_f ? r->next_ms : timer_f;
    case REGISTRATION_TRYING:
    case REGISTRATION_OFF:
        break;
    }
    return timer_f;
}

/* --- the connection --- */

void registration_connected(struct registration *r, const char *local, uint64_t now_ms)
{
    struct errinfo e = ERRINFO_INIT;
    assert(r->state == REGISTRATION_OFF);
    free(r->local);
    r->local = strdup(local);
    struct result result = r->local == NULL ? err(ERR_NOMEM) : make_binding(r, &e);
    if (r->passive) {
        watched_reset(&r->watched);
        r->dirty = true;
    } else if (is_err(result)) {
        IGNORE(fail(&e, result.code, "the REGISTER cannot be made: %s", err_text(result.code)));
        refuse_for(r, &e, now_ms);
    } else if (now_ms < r->not_before_ms) {
        set_state(r, REGISTRATION_WAITING);
    } else {
        begin_request(r, REGISTRATION_TRYING, now_ms);
    }
    tell(r);
}

void registration_disconnected(struct registration *r)
{
    turn_off(r);
    watched_reset(&r->watched);
    tell(r);
}

void registration_forget_refusals(struct registration *r)
{
    backoff_reset(&r->refused);
    backoff_reset(&r->account_refused);
    r->not_before_ms = 0;
}

void registration_remove(struct registration *r, uint64_t now_ms)
{
    watched_reset(&r->watched); /* it is not ours to take back */
    if (r->state == REGISTRATION_WAITING || r->state == REGISTRATION_OFF) {
        turn_off(r);
    } else if (r->state != REGISTRATION_REMOVING) {
        r->next_ms = now_ms + LIMIT_CLOSE_MS;
        begin_request(r, REGISTRATION_REMOVING, now_ms);
    }
    tell(r);
}

/* --- life --- */

static bool copy(char **to, const char *from)
{
    *to = from == NULL ? NULL : strdup(from);
    return from == NULL || *to != NULL;
}

/* Settings say "" for what is not set. */
static const char *or_null(const char *s)
{
    return s == NULL || s[0] == '\0' ? NULL : s;
}

static bool copy_params(struct registration *r, const struct registration_params *p)
{
    return copy(&r->user, p->user) && copy(&r->domain, p->domain) &&
           copy(&r->display_name, p->display_name) &&
           copy(&r->auth_user, or_null(p->auth_user) != NULL ? p->auth_user : p->user) &&
           copy(&r->password, or_null(p->password)) && copy(&r->instance_id, p->instance_id) &&
           copy(&r->user_agent, p->user_agent) && copy(&r->local, "192.0.2.1:5061");
}

/* Writes a REGISTER for nobody, so that settings that make none are refused where they are read. */
static struct result rehearse(struct registration *r, struct errinfo *e)
{
    struct buf out;
    if (r->asked_s == 0)
        return fail(e, ERR_INVALID, "a registration for 0 s is none");
    buf_init(&out, LIMIT_SIP_MESSAGE);
    struct result result = make_binding(r, e);
    if (is_ok(result))
        result = write_message(r, &out, BRANCH_COOKIE, NULL, e);
    buf_free(&out);
    return result;
}

struct result registration_new(const struct registration_params *p,
                               const struct registration_handlers *h, void *arg,
                               const struct rng *rng, struct registration **out, struct errinfo *e)
{
    struct registration *r = calloc(1, sizeof *r);
    if (r == NULL)
        return err(ERR_NOMEM);
    r->h = h;
    r->arg = arg;
    r->rng = *rng;
    r->error = r->watched.error = ERRINFO_INIT;
    r->passive = p->passive;
    watched_reset(&r->watched);
    r->asked_s = p->expires_s < LIMIT_REGISTER_MAX_S ? p->expires_s : LIMIT_REGISTER_MAX_S;
    rng_token(rng, r->call_id, ID_LENGTH);
    rng_token(rng, r->from_tag, ID_LENGTH);
    backoff_init(&r->refused, LIMIT_REGISTER_RETRY_MS, LIMIT_RECONNECT_MAX_MS);
    backoff_init(&r->account_refused, LIMIT_AUTH_RETRY_MS, LIMIT_RECONNECT_MAX_MS);
    const struct result result = copy_params(r, p) ? rehearse(r, e) : err(ERR_NOMEM);
    if (is_err(result)) {
        registration_free(r);
        return result;
    }
    *out = r;
    return OK;
}

void registration_free(struct registration *r)
{
    if (r == NULL)
        return;
    binding_clear(&r->binding);
    free(r->user);
    free(r->domain);
    free(r->display_name);
    free(r->auth_user);
    wipe_free_str(r->password);
    free(r->instance_id);
    free(r->user_agent);
    free(r->local);
    free(r);
}

/* --- what it says --- */

enum registration_state registration_state(const struct registration *r)
{
    return r->passive ? r->watched.state : r->state;
}

const char *registration_state_name(enum registration_state s)
{
    static const char *const names[STATES] = {"off",        "trying",  "registered",
                                              "refreshing", "waiting", "removing"};
    return (unsigned)s < STATES ? names[s] : "unknown";
}

bool registration_is_up(const struct registration *r)
{
    const enum registration_state s = registration_state(r);
    return s == REGISTRATION_REGISTERED || s == REGISTRATION_REFRESHING;
}

uint32_t registration_granted_s(const struct registration *r)
{
    return r->passive ? r->watched.granted_s : r->granted_s;
}

const struct errinfo *registration_error(const struct registration *r)
{
    return r->passive ? &r->watched.error : &r->error;
}

int registration_last_status(const struct registration *r)
{
    return r->passive ? r->watched.last_status : r->last_status;
}

const char *registration_contact(const struct registration *r)
{
    return r->binding.contact != NULL ? r->binding.contact : "";
}
