#include "link/calls.h"

#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "link/answer.h"
#include "sip/checksync.h"

/* --- what the carrier asks for --- */

static void show(const struct calls *c, bool outward, struct slice message)
{
    if (c->carrier != NULL)
        carrier_show(c->carrier, c->account, connection_id(c->flow->connection), outward, message);
}

struct result calls_send(const struct calls *c, struct slice message)
{
    TRY(connection_send(c->flow->connection, message));
    show(c, true, message);
    return OK;
}

/* What fails here the connection tells itself, from the loop. */
static struct result send_out(void *arg, struct slice message)
{
    const struct calls *c = arg;
    return connection_send(c->flow->connection, message);
}

static size_t queued(void *arg)
{
    const struct calls *c = arg;
    return connection_queued(c->flow->connection);
}

static void changed(void *arg)
{
    struct calls *c = arg;
    if (c->retiring && !calls_busy(c))
        loop_timer_start(c->drain, 0);
}

static void passed_register(void *arg, const struct sip_message *m)
{
    const struct calls *c = arg;
    if (!registration_is_passive(c->registration))
        return;
    if (!sip_message_is_request(m)) /* our own server has put down where it sees us */
        carrier_line_observe(c->line, m);
    registration_watch(c->registration, m, loop_now_ms(c->flow->shared->loop));
}

static const struct carrier_line_handlers handlers = {
    .send = send_out,
    .registers = passed_register,
    .queued = queued,
    .calls_changed = changed,
};

/* --- the connection --- */

/* The last call has ended, or has lasted too long. */
static void on_drain(void *arg)
{
    struct calls *c = arg;
    if (calls_busy(c))
        log_notice("carrier", "account %d: its calls are cut off: it was replaced %d s ago",
                   c->account, LIMIT_DRAIN_S);
    c->ended(c->arg);
}

RESULT calls_init(struct calls *c, const struct flow *flow, struct registration *r, loop_fn *ended,
                  void *arg)
{
    *c = (struct calls){
        .carrier = flow->shared->carrier,
        .account = flow->account,
        .flow = flow,
        .registration = r,
        .drain = loop_timer_new(flow->shared->loop, on_drain, c),
        .ended = ended,
        .arg = arg,
    };
    return c->drain != NULL ? OK : err(ERR_NOMEM);
}

void calls_clear(struct calls *c)
{
    carrier_line_free(c->line);
    c->line = NULL;
    loop_timer_free(c->drain);
    c->drain = NULL;
}

static struct carrier_facts facts(const struct calls *c, const struct verdict *v)
{
    const struct connection *connection = c->flow->connection;
    const bool lock = connection_facts(connection).confirmed && verdict_accepted(v);
    struct carrier_facts f = {
        .account = c->account,
        .id = connection_id(connection),
        .lock = lock,
        .assurance = lock ? verdict_assurance(v) : ASSURANCE_NONE,
        .registered = registration_is_up(c->registration),
        .local = connection_local(connection),
        .remote = connection_remote(connection),
    };
    const char *contact = registration_contact(c->registration);
    if (strlen(contact) < sizeof f.contact)
        memcpy(f.contact, contact, strlen(contact));
    return f;
}

void calls_open(struct calls *c, const struct verdict *v)
{
    if (c->carrier == NULL)
        return;
    const struct carrier_facts f = facts(c, v);
    const struct result r = carrier_line_new(c->carrier, &f, &handlers, c, &c->line);
    if (is_err(r))
        log_error("carrier", "account %d can carry no calls: %s", c->account, err_text(r.code));
}

void calls_update(struct calls *c, const struct verdict *v)
{
    if (c->line == NULL)
        return;
    const struct carrier_facts f = facts(c, v);
    carrier_line_set(c->line, &f);
}

void calls_close(struct calls *c)
{
    carrier_line_free(c->line);
    c->line = NULL;
    c->retiring = false;
    loop_timer_stop(c->drain);
}

/* --- messages --- */

/* Whether the phone is there is answered by us, whoever takes the calls; inside a call (RFC 3261
 * section 12.2) by the one who has it. */
static bool asks_whether_we_are_there(const struct sip_message *m)
{
    return strcmp(sip_message_method(m), "OPTIONS") == 0 && sip_message_to_tag(m)[0] == '\0';
}

/* STATUS 0: what the method says. */
static void answer(struct calls *c, const struct sip_message *m, int status)
{
    struct buf out;
    buf_init(&out, LIMIT_SIP_MESSAGE);
    const struct rng *rng = &c->flow->shared->rng;
    struct result r =
        status != 0 ? answer_status(&out, m, status, 0, rng) : answer_request(&out, m, rng);
    if (is_ok(r) && buf_len(&out) != 0)
        r = calls_send(c, buf_slice(&out));
    if (is_err(r))
        log_info("carrier", "account %d: a request was not answered: %s", c->account,
                 err_text(r.code));
    buf_free(&out);
}

/* "Encrypted only" is not enough: whoever sits between could have the phone fetch all day. */
static void take_check_sync(struct calls *c, const struct sip_message *m, const struct verdict *v)
{
    const struct account_shared *shared = c->flow->shared;
    const bool allowed = v->class == VERDICT_VERIFIED;
    answer(c, m, allowed ? 200 : 403);
    if (allowed)
        shared->on_check_sync(shared->on_check_sync_arg, c->account);
    else
        log_info("carrier",
                 "account %d: a server whose certificate is not verified cannot have settings "
                 "fetched (check-sync)",
                 c->account);
}

static void take_request(struct calls *c, const struct sip_message *m, struct slice raw,
                         const struct verdict *v)
{
    /* What may be asked of a phone that has call-control (Allow), only that would know. */
    const bool served = c->line != NULL && carrier_serves(c->carrier, c->account);
    const bool check_sync =
        c->flow->shared->on_check_sync != NULL && checksync_of(m) == CHECKSYNC_FETCH;
    if (c->line != NULL && !check_sync && !asks_whether_we_are_there(m)) {
        carrier_line_receive(c->line, m, raw);
        return;
    }
    show(c, false, raw);
    if (check_sync)
        take_check_sync(c, m, v);
    else
        answer(c, m, served ? 200 : 0);
}

static void take_own_response(struct calls *c, const struct sip_message *m, struct slice raw)
{
    show(c, false, raw);
    if (registration_receive(c->registration, m, loop_now_ms(c->flow->shared->loop)) &&
        c->line != NULL)
        carrier_line_observe(c->line, m);
}

void calls_receive(struct calls *c, const struct sip_message *m, struct slice raw,
                   const struct verdict *v)
{
    if (sip_message_is_request(m))
        take_request(c, m, raw, v);
    else if (registration_has_asked(c->registration, m))
        take_own_response(c, m, raw);
    else if (c->line != NULL)
        carrier_line_receive(c->line, m, raw);
}

void calls_drained(struct calls *c)
{
    if (c->line != NULL)
        carrier_line_drained(c->line);
}

/* --- the end --- */

bool calls_busy(const struct calls *c)
{
    return c->line != NULL && carrier_line_calls(c->line) > 0;
}

void calls_retire(struct calls *c)
{
    log_notice("carrier", "account %d is replaced when its calls have ended", c->account);
    c->retiring = true;
    loop_timer_start(c->drain, calls_busy(c) ? LIMIT_DRAIN_S * UINT64_C(1000) : 0);
}
