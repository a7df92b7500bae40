#include "link/inbound.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "link/answer.h"
#include "link/lines.h"
#include "link/recheck.h"
#include "sip/message_write.h"
#include "sip/salvage.h"
#include "sip/uri.h"
#include "sys/loop.h"

#define AREA       "inbound"
#define TAG_LENGTH 10

struct inbound {
    const struct inbound_shared *shared;
    uint64_t id;
    enum inbound_state state;
    struct addr remote;
    char peer[ADDR_TEXT_SIZE]; /* the same, for the log */
    struct connection *connection;
    struct loop_timer *timer; /* OPEN: of the first request, then of silence */
    uint64_t began_ms;
    bool asked;    /* a request came */
    bool outdated; /* what the verdict depends on changed during the handshake */
    bool failed;   /* what was to be sent could not be */
    struct verdict verdict;
    struct cert *client;    /* the verified leaf, or NULL */
    struct recheck recheck; /* of the verdict */
    int account;
    struct lines lines;
    struct errinfo error;
};

#define BIT(s) (1u << (s))

static const unsigned legal[] = {
    [INBOUND_HANDSHAKE] = BIT(INBOUND_OPEN) | BIT(INBOUND_CLOSED),
    [INBOUND_OPEN] = BIT(INBOUND_CLOSED),
    [INBOUND_CLOSED] = 0,
};

static void set_state(struct inbound *in, enum inbound_state to)
{
    assert((legal[in->state] & BIT(to)) != 0);
    in->state = to;
}

/* --- the end: nothing may follow in the caller --- */

static void become_closed(struct inbound *in, const struct errinfo *why)
{
    loop_timer_stop(in->timer);
    recheck_stop(&in->recheck);
    lines_clear(&in->lines);
    in->error = *why;
    set_state(in, INBOUND_CLOSED);
    in->shared->changed(in->shared->arg, in);
}

static void give_up(struct inbound *in, enum err code, const char *sentence)
{
    struct errinfo e = ERRINFO_INIT;
    IGNORE(fail(&e, code, "%s: %s", in->peer, sentence)); /* only its text is wanted */
    log_info(AREA, "%s", e.text);
    connection_close(in->connection);
    in->connection = NULL;
    become_closed(in, &e);
}

/* --- the verdict --- */

/* The verified leaf, for its names. Without memory it has none. */
static void keep_client(struct inbound *in)
{
    size_t n;
    const struct slice *chain = connection_chain(in->connection, &n);
    cert_unref(in->client);
    in->client = NULL;
    if (n > 0 && in->verdict.class == VERDICT_VERIFIED)
        IGNORE(cert_parse(chain[0], &in->client, NULL));
}

static void keep_verdict(struct inbound *in, const struct verdict *v)
{
    in->verdict = *v;
    keep_client(in);
    if (v->class != VERDICT_NONE && verdict_accepted(v))
        recheck_start(&in->recheck, v);
}

/* True if the connection may stay; DIFFERS: and its verdict is another one. */
static bool judge_again(struct inbound *in, bool *differs)
{
    size_t n;
    struct verdict v;
    const struct slice *chain = connection_chain(in->connection, &n);
    *differs = false;
    if (n == 0)
        return in->shared->client_auth != TLS_CLIENT_AUTH_REQUIRE;
    const struct verify_input input = judge_input(&in->shared->judge, chain, n);
    verify_chain(&input, &v);
    *differs = !judge_same(&in->verdict, &v);
    keep_verdict(in, &v);
    return verdict_accepted(&v);
}

static void reject(struct inbound *in)
{
    if (in->verdict.class != VERDICT_REJECTED) {
        in->verdict.class = VERDICT_REJECTED;
        verdict_add(&in->verdict, REASON_NO_CERTIFICATE, -1, "",
                    "A certificate is required now, and the client showed none");
    }
    give_up(in, ERR_CERT, verdict_sentence(&in->verdict));
}

/* Ends what cannot be sent to any more; the last act of whatever came in. */
static void settle(struct inbound *in)
{
    if (in->failed && in->state == INBOUND_OPEN)
        give_up(in, ERR_LIMIT, "it does not read what it asks for");
}

/* --- time --- */

static void on_timer(void *arg)
{
    struct inbound *in = arg;
    const uint64_t now = loop_now_ms(in->shared->loop);
    const uint64_t end = connection_heard_ms(in->connection) + LIMIT_INBOUND_IDLE_MS;
    char sentence[64];
    if (in->failed) {
        settle(in);
        return;
    }
    if (in->asked && (end > now || lines_busy(&in->lines))) {
        loop_timer_start(in->timer, end > now ? end - now : LIMIT_INBOUND_IDLE_MS);
        return;
    }
    (void)snprintf(sentence, sizeof sentence, "it sent nothing for %d s",
                   (in->asked ? LIMIT_INBOUND_IDLE_MS : LIMIT_INBOUND_FIRST_MS) / 1000);
    give_up(in, ERR_TIMEOUT, sentence);
}

/* --- what is sent --- */

static const struct rng *rng_of(const struct inbound *in)
{
    return &in->shared->accounts_shared->rng;
}

/* It ends soon after a failure, not in it: the carrier may be about to use it. */
static struct result send_out(void *arg, struct slice message)
{
    struct inbound *in = arg;
    const struct result r = connection_send(in->connection, message);
    if (r.code == ERR_LIMIT || r.code == ERR_TLS) {
        in->failed = true;
        loop_timer_start(in->timer, 0);
    }
    return r;
}

static size_t queued(void *arg)
{
    const struct inbound *in = arg;
    return connection_queued(in->connection);
}

static const struct carrier_line_handlers line_handlers = {.send = send_out, .queued = queued};

/* R: of making OUT, which is empty where nothing may be said. */
static void send_answer(struct inbound *in, const struct buf *out, struct result r)
{
    if (is_ok(r) && buf_len(out) != 0)
        r = send_out(in, buf_slice(out));
    if (is_err(r))
        log_info(AREA, "%s: a request was not answered: %s", in->peer, err_text(r.code));
}

static struct result refuse(struct inbound *in, const struct sip_message *m,
                            const struct reception_answer *a, struct buf *out)
{
    char tag[TAG_LENGTH + 1];
    log_info(AREA, "%s: %.32s %.64s is refused: %d %s", in->peer, sip_message_method(m),
             sip_message_uri(m), a->status, a->reason);
    rng_token(rng_of(in), tag, TAG_LENGTH);
    return sip_message_write_response(out, m, a->status, a->reason, tag, a->extra);
}

static void answer(struct inbound *in, const struct sip_message *m,
                   const struct reception_answer *a)
{
    struct buf out;
    buf_init(&out, LIMIT_SIP_MESSAGE);
    const struct result r =
        a->status != 0 ? refuse(in, m, a, &out) : answer_request(&out, m, rng_of(in));
    send_answer(in, &out, r);
    buf_free(&out);
}

/* --- what is not for us --- */

static enum assurance assurance_of(const struct inbound *in, const struct account *a)
{
    const bool named = in->verdict.class == VERDICT_VERIFIED &&
                       reception_names_server(in->client, in->shared->judge.policy.rules, a);
    return named ? ASSURANCE_FULL : verdict_assurance(&in->verdict);
}

/* The URI at which the peer reaches the account over this port. */
static void write_contact(const struct inbound *in, const struct account *a, char *out, size_t size)
{
    char local[ADDR_TEXT_SIZE];
    struct addr at = connection_local(in->connection);
    struct sip_uri aor;
    at.scope = 0; /* which means nothing to anybody else */
    addr_format(&at, local);
    if (sip_uri_parse(slice_of_str(account_status(a).aor), &aor))
        (void)snprintf(out, size, "sips:%.*s@%s", SLICE_FMT(aor.userinfo), local);
}

static struct carrier_line *open_line(struct inbound *in, const struct account *a)
{
    struct carrier_facts f = {
        .account = account_number(a),
        .id = in->id,
        .inbound = true,
        .lock = true,
        .assurance = assurance_of(in, a),
        .local = connection_local(in->connection),
        .remote = in->remote,
    };
    write_contact(in, a, f.contact, sizeof f.contact);
    return lines_open(&in->lines, &f);
}

/* RFC 3261 section 11: outside of calls it asks whether the phone is there. */
static bool asks_whether_we_are_there(const struct sip_message *m)
{
    return strcmp(sip_message_method(m), "OPTIONS") == 0 && sip_message_to_tag(m)[0] == '\0';
}

/* Hands M on; false if there is nobody who could have it. */
static bool carry(struct inbound *in, const struct sip_message *m, const struct account *a,
                  struct slice raw)
{
    struct carrier_line *line = a != NULL ? open_line(in, a) : lines_find(&in->lines, in->account);
    if (line != NULL)
        carrier_line_receive(line, m, raw);
    return line != NULL;
}

/* --- what arrives --- */

static void note_request(struct inbound *in)
{
    if (!in->asked)
        loop_timer_start(in->timer, LIMIT_INBOUND_IDLE_MS);
    in->asked = true;
}

/* Told once: whoever names another account with each request shall not make an event of each. */
static void note_account(struct inbound *in, const struct account *a)
{
    if (a == NULL || in->account != 0)
        return;
    in->account = account_number(a);
    in->shared->changed(in->shared->arg, in);
}

static struct reception reception_of(const struct inbound *in)
{
    return (struct reception){
        .accounts = &in->shared->accounts,
        .from = in->remote,
        .client = in->client,
        .rules = in->shared->judge.policy.rules,
        .trust_ctrl = in->shared->trust_ctrl,
        .no_check_sync = in->shared->accounts_shared->on_check_sync != NULL,
    };
}

/* RFC 3261 section 12.2.2, where even the carrier knows of no such call. */
static const struct reception_answer no_such_call = {.status = 481,
                                                     .reason = "Call/Transaction Does Not Exist"};

static void take_request(struct inbound *in, const struct sip_message *m, struct slice raw)
{
    const struct reception r = reception_of(in);
    struct reception_answer a;
    note_request(in);
    reception_decide(&r, m, &a);
    if (a.status == 0) {
        note_account(in, a.account);
        if (!asks_whether_we_are_there(m)) {
            if (carry(in, m, a.account, raw))
                return;
            if (a.account == NULL)
                a = no_such_call;
        }
    }
    if (strcmp(sip_message_method(m), "ACK") != 0) /* it has no answer */
        answer(in, m, &a);
}

/* Not to a request of ours: call-control has made it, over this connection. */
static void take_response(struct inbound *in, const struct sip_message *m, struct slice raw)
{
    const struct reception r = reception_of(in);
    const struct account *a = reception_asker(&r, m);
    struct carrier_line *line = lines_find(&in->lines, a != NULL ? account_number(a) : 0);
    if (line != NULL)
        carrier_line_receive(line, m, raw);
    else
        log_info(AREA, "%s: a response that nobody waits for: %d", in->peer, sip_message_status(m));
}

static void on_message(void *arg, const struct sip_message *m, struct slice raw)
{
    struct inbound *in = arg;
    if (sip_message_is_request(m))
        take_request(in, m, raw);
    else
        take_response(in, m, raw);
    settle(in);
}

static void on_drained(void *arg)
{
    struct inbound *in = arg;
    lines_drained(&in->lines);
}

static void on_malformed(void *arg, struct result why, struct slice raw)
{
    static const struct {
        enum err code;
        int status;
        const char *reason;
    } answers[] = {
        {ERR_UNSUPPORTED, 505, "Version Not Supported"},
        {ERR_LIMIT, 513, "Message Too Large"},
        {ERR_PARSE, 400, "Bad Request"},
    };
    struct inbound *in = arg;
    char tag[TAG_LENGTH + 1];
    struct buf out;
    size_t i = 0;
    while (i + 1 < sizeof answers / sizeof answers[0] && answers[i].code != why.code)
        i++;
    rng_token(rng_of(in), tag, TAG_LENGTH);
    buf_init(&out, LIMIT_SIP_MESSAGE);
    send_answer(in, &out,
                sip_salvage_response(&out, raw, answers[i].status, answers[i].reason, tag));
    buf_free(&out);
    settle(in);
}

static void on_open(void *arg)
{
    struct inbound *in = arg;
    bool differs;
    const struct tls_session_facts tls = connection_facts(in->connection);
    keep_verdict(in, connection_verdict(in->connection));
    set_state(in, INBOUND_OPEN);
    log_info(AREA, "%s: connected with %s, %s", in->peer, tls.version,
             in->verdict.class == VERDICT_NONE ? "without a certificate"
                                               : verdict_sentence(&in->verdict));
    if (in->outdated && !judge_again(in, &differs)) {
        reject(in);
        return;
    }
    loop_timer_start(in->timer, LIMIT_INBOUND_FIRST_MS);
    in->shared->changed(in->shared->arg, in);
}

static void on_closed(void *arg, struct result why, const struct errinfo *e)
{
    struct inbound *in = arg;
    if (why.code == ERR_CERT)
        in->verdict = *connection_verdict(in->connection);
    log_info(AREA, "%s", errinfo_text(e, why)); /* it names the peer */
    become_closed(in, e);
}

static const struct connection_handlers handlers = {
    .on_open = on_open,
    .on_message = on_message,
    .on_malformed = on_malformed,
    .on_drained = on_drained,
    .on_closed = on_closed,
};

/* --- the calls --- */

static void judge_in_handshake(void *arg, const struct slice *chain, size_t n, struct verdict *out)
{
    const struct inbound *in = arg;
    const struct verify_input input = judge_input(&in->shared->judge, chain, n);
    verify_chain(&input, out);
}

static void on_recheck(void *arg)
{
    inbound_reconsider(arg);
}

static struct result set_up(struct inbound *in, struct stream *accepted,
                            struct tls_profile *profile)
{
    const struct tls_session_params tls = {
        .judge = judge_in_handshake,
        .judge_arg = in,
        .now_s = wallclock_now(in->shared->judge.clock).epoch_s,
    };
    in->remote = stream_remote(accepted);
    addr_format(&in->remote, in->peer);
    in->began_ms = loop_now_ms(in->shared->loop);
    in->timer = loop_timer_new(in->shared->loop, on_timer, in);
    struct result r =
        recheck_init(&in->recheck, in->shared->loop, in->shared->judge.clock, on_recheck, in, NULL);
    if (is_ok(r) && in->timer == NULL)
        r = err(ERR_NOMEM);
    if (is_err(r)) {
        stream_close(accepted);
        return r;
    }
    TRY(connection_accept(in->shared->loop, accepted, profile, &tls, &handlers, in, &in->connection,
                          NULL));
    in->id = connection_id(in->connection);
    return OK;
}

RESULT inbound_new(const struct inbound_shared *shared, struct stream *accepted,
                   struct tls_profile *profile, struct inbound **out)
{
    struct inbound *in = calloc(1, sizeof *in);
    if (in == NULL) {
        stream_close(accepted);
        return err(ERR_NOMEM);
    }
    in->shared = shared;
    in->lines =
        (struct lines){.carrier = shared->accounts_shared->carrier, .h = &line_handlers, .arg = in};
    in->error = ERRINFO_INIT;
    const struct result r = set_up(in, accepted, profile);
    if (is_err(r))
        inbound_free(in);
    else
        *out = in;
    return r;
}

void inbound_free(struct inbound *in)
{
    if (in == NULL)
        return;
    lines_clear(&in->lines);
    connection_free(in->connection);
    loop_timer_free(in->timer);
    recheck_clear(&in->recheck);
    cert_unref(in->client);
    free(in);
}

void inbound_close(struct inbound *in)
{
    if (in == NULL)
        return;
    lines_clear(&in->lines); /* they are over this connection */
    connection_close(in->connection);
    in->connection = NULL;
    inbound_free(in);
}

/* The best of the account that was asked for, or, before that, of any. */
static enum assurance best_assurance(const struct inbound *in)
{
    const struct account_source *s = &in->shared->accounts;
    enum assurance best = verdict_assurance(&in->verdict);
    for (size_t i = 0; in->client != NULL && i < s->count(s->arg); i++) {
        const struct account *a = s->at(s->arg, i);
        if ((in->account == 0 || in->account == account_number(a)) && assurance_of(in, a) > best)
            best = assurance_of(in, a);
    }
    return best;
}

static bool is_there(const struct account_source *s, int number)
{
    for (size_t i = 0; i < s->count(s->arg); i++)
        if (account_number(s->at(s->arg, i)) == number)
            return true;
    return false;
}

/* Its verdict is another one. */
static void tell_all(struct inbound *in)
{
    const struct account_source *s = &in->shared->accounts;
    for (size_t i = 0; i < s->count(s->arg); i++) {
        const struct account *a = s->at(s->arg, i);
        if (in->lines.of[account_number(a) - 1] != NULL)
            (void)open_line(in, a);
    }
    in->shared->changed(in->shared->arg, in);
}

void inbound_reconsider(struct inbound *in)
{
    bool differs;
    if (in->state == INBOUND_HANDSHAKE)
        in->outdated = true;
    if (in->state != INBOUND_OPEN)
        return;
    if (!judge_again(in, &differs))
        reject(in);
    else if (differs)
        tell_all(in);
}

void inbound_accounts_changed(struct inbound *in)
{
    for (int number = 1; number <= LIMIT_ACCOUNTS; number++)
        if (!is_there(&in->shared->accounts, number))
            lines_close(&in->lines, number);
}

struct inbound_status inbound_status(const struct inbound *in)
{
    struct inbound_status s = {
        .id = in->id,
        .state = in->state,
        .remote = in->remote,
        .verdict = &in->verdict,
        .assurance = in->state == INBOUND_OPEN ? best_assurance(in) : ASSURANCE_NONE,
        .account = in->account,
        .error = &in->error,
    };
    if (in->state == INBOUND_OPEN)
        s.tls = connection_facts(in->connection);
    return s;
}

enum inbound_state inbound_state(const struct inbound *in)
{
    return in->state;
}

struct addr inbound_remote(const struct inbound *in)
{
    return in->remote;
}

uint64_t inbound_began_ms(const struct inbound *in)
{
    return in->began_ms;
}
