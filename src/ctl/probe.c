#include "ctl/probe.h"

#include "base/limits.h"
#include "link/connection.h"
#include "link/route.h"
#include "sys/entropy.h"

/* A TLS 1.3 server that asked for a certificate says nothing when it likes it: a keep-alive, which
 * it answers, brings its word (RFC 5626 section 3.5.1). */
#define CONFIRM_MS 2000

struct probe {
    const struct probe_question *question;
    struct probe_answer *answer;
    struct loop *loop;
    struct loop_timer *timer;
    struct tls_profile *profile;
    struct route route;
    struct connection *connection;
};

static void judge(void *arg, const struct slice *chain, size_t n, struct verdict *out)
{
    const struct probe *p = arg;
    struct verify_input in = p->question->judgement;
    in.chain = chain;
    in.chain_len = n;
    verify_chain(&in, out);
}

/* What the connection knows, before it goes. */
static void note(struct probe *p)
{
    p->answer->verdict = *connection_verdict(p->connection);
    p->answer->facts = connection_facts(p->connection);
}

static void finish(void *arg)
{
    struct probe *p = arg;
    note(p);
    connection_close(p->connection);
    p->connection = NULL;
    loop_stop(p->loop);
}

static void on_connected(void *arg)
{
    struct probe *p = arg;
    p->answer->connected = true;
    p->answer->remote = connection_remote(p->connection);
}

static void on_open(void *arg)
{
    struct probe *p = arg;
    p->answer->open = true;
    if (connection_facts(p->connection).confirmed ||
        is_err(connection_send(p->connection, SLICE_LIT("\r\n\r\n"))))
        finish(p);
    else
        loop_timer_start(p->timer, CONFIRM_MS);
}

static void on_message(void *arg, const struct sip_message *m, struct slice raw)
{
    (void)arg; /* nothing was asked: whatever it is, it is not for us */
    (void)m;
    (void)raw;
}

static void dial_next(struct probe *p);

static void on_closed(void *arg, struct result why, const struct errinfo *e)
{
    struct probe *p = arg;
    (void)why;
    note(p);
    p->answer->open = false;
    p->answer->error = *e;
    route_failed(&p->route, e);
    connection_free(p->connection);
    p->connection = NULL;
    loop_timer_stop(p->timer);
    if (p->answer->verdict.class == VERDICT_NONE)
        dial_next(p); /* it has not shown who it is: perhaps at another address */
    else
        loop_stop(p->loop);
}

static void dial_next(struct probe *p)
{
    static const struct connection_handlers handlers = {
        .on_connected = on_connected,
        .on_open = on_open,
        .on_message = on_message,
        .on_confirmed = finish,
        .on_closed = on_closed,
    };
    const struct tls_session_params tls = {
        .server_name = p->question->server_name,
        .judge = judge,
        .judge_arg = p,
        .now_s = p->question->judgement.now.epoch_s,
    };
    const struct addr *to;
    while ((to = route_next(&p->route)) != NULL) {
        struct errinfo e = ERRINFO_INIT;
        if (is_ok(connection_dial(p->loop, to, p->profile, &tls, &handlers, p, &p->connection, &e)))
            return;
        route_failed(&p->route, &e);
    }
    p->answer->error = *route_error(&p->route);
    loop_stop(p->loop);
}

static void on_route(void *arg)
{
    dial_next(arg);
}

static struct result find_and_dial(struct probe *p, struct dns *dns, struct errinfo *e)
{
    route_init(&p->route, dns, p->question->host, p->question->port, on_route, p);
    TRY(route_find(&p->route, e));
    loop_run(p->loop);
    route_cancel(&p->route);
    return OK;
}

static struct result run(struct probe *p, struct errinfo *e)
{
    const struct tls_profile_params params = {
        .role = TLS_CLIENT,
        .versions = p->question->versions,
        .identity = p->question->identity,
        .tickets = true, /* none is kept, but its coming confirms the handshake */
        .rng = entropy_system,
    };
    struct dns *dns;
    p->timer = loop_timer_new(p->loop, finish, p);
    if (p->timer == NULL)
        return err(ERR_NOMEM);
    TRY(tls_profile_new(&params, &p->profile, e));
    TRY(dns_new(p->loop, &dns, e));
    const struct result r = find_and_dial(p, dns, e);
    dns_free(dns);
    return r;
}

struct result probe_run(const struct probe_question *q, struct probe_answer *out, struct errinfo *e)
{
    struct probe p = {.question = q, .answer = out};
    *out = (struct probe_answer){.facts = {.alert_sent = -1, .alert_received = -1},
                                 .error = ERRINFO_INIT};
    TRY(loop_new(&p.loop, e));
    const struct result r = run(&p, e);
    loop_timer_free(p.timer);
    tls_profile_unref(p.profile);
    loop_free(p.loop);
    return r;
}
