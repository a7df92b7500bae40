#include "tools/registrar_server.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "link/connection.h"

struct client {
    struct client *next;
    struct registrar_endpoint *endpoint;
    struct connection *connection;
    char from[ADDR_TEXT_SIZE];
    bool opened;
};

struct registrar_endpoint {
    struct registrar_endpoint *next;
    struct registrar_server *server;
    struct stream_listener *listener;
    struct tls_profile *profile;
    tls_judge_fn *judge;
    void *judge_arg;
    struct client *clients;
    struct registrar_endpoint_facts facts;
};

struct registrar_server {
    struct loop *loop;
    struct registrar *core;
    struct rng rng;
    registrar_line_fn *line;
    void *arg;
    struct registrar_endpoint *endpoints;
};

static void say(const struct client *c, const char *what, const char *more)
{
    const struct registrar_server *s = c->endpoint->server;
    char line[ADDR_TEXT_SIZE + 32 + ERRINFO_TEXT_MAX];
    if (s->line == NULL)
        return;
    (void)snprintf(line, sizeof line, "%s %s %s", c->from, what, more);
    s->line(s->arg, line);
}

static void drop(struct client *c)
{
    struct client **p = &c->endpoint->clients;
    while (*p != c)
        p = &(*p)->next;
    *p = c->next;
    if (c->opened)
        c->endpoint->facts.open_now--;
    connection_free(c->connection);
    free(c);
}

static void on_open(void *arg)
{
    struct client *c = arg;
    const struct tls_session_facts f = connection_facts(c->connection);
    c->opened = true;
    c->endpoint->facts.opened++;
    c->endpoint->facts.open_now++;
    if (f.resumed)
        c->endpoint->facts.resumed++;
    say(c, f.resumed ? "resumed" : "open", f.version);
}

static void on_message(void *arg, const struct sip_message *m, struct slice raw)
{
    struct client *c = arg;
    struct registrar_server *s = c->endpoint->server;
    struct buf out;
    bool end = false;
    (void)raw;
    c->endpoint->facts.messages++;
    say(c, sip_message_is_request(m) ? "request" : "response", sip_message_method(m));
    if (!sip_message_is_request(m)) {
        c->endpoint->facts.last_status = sip_message_status(m);
        return;
    }
    buf_init(&out, LIMIT_SIP_MESSAGE);
    struct result r = registrar_handle(s->core, m, loop_now_ms(s->loop), &out, &end);
    if (is_ok(r) && buf_len(&out) != 0)
        r = connection_send(c->connection, buf_slice(&out));
    buf_free(&out);
    if (is_err(r) || end) {
        say(c, "closing", is_err(r) ? err_text(r.code) : "as told");
        drop(c);
    }
}

static void on_closed(void *arg, struct result why, const struct errinfo *e)
{
    struct client *c = arg;
    const struct tls_session_facts f = connection_facts(c->connection);
    if (f.alert_received >= 0)
        c->endpoint->facts.alert_received = f.alert_received;
    /* As link/connection puts it; a mere end of the stream has more words. */
    if (why.code == ERR_CLOSED &&
        slice_ends(slice_of_str(e->text), SLICE_LIT(" closed the connection")))
        c->endpoint->facts.closed_cleanly++;
    say(c, c->opened ? "closed" : "failed", errinfo_text(e, why));
    drop(c);
}

static const struct connection_handlers handlers = {
    .on_open = on_open,
    .on_message = on_message,
    .on_closed = on_closed,
};

/* Clients are known by their passwords: their certificates may be anything. */
static void judge_client(void *arg, const struct slice *chain, size_t n, struct verdict *out)
{
    (void)arg;
    (void)chain;
    *out = (struct verdict){.class = n == 0 ? VERDICT_NONE : VERDICT_UNVERIFIED};
}

static void on_accept(void *arg, struct stream *accepted)
{
    struct registrar_endpoint *p = arg;
    struct registrar_server *s = p->server;
    struct client *c = calloc(1, sizeof *c);
    if (c == NULL) {
        stream_close(accepted);
        return;
    }
    const struct addr from = stream_remote(accepted);
    const struct tls_session_params tls = {
        .judge = p->judge != NULL ? p->judge : judge_client,
        .judge_arg = p->judge_arg,
    };
    addr_format(&from, c->from);
    c->endpoint = p;
    p->facts.accepted++;
    if (is_err(connection_accept(s->loop, accepted, p->profile, &tls, &handlers, c, &c->connection,
                                 NULL))) {
        free(c);
        return;
    }
    c->next = p->clients;
    p->clients = c;
}

RESULT registrar_server_new(struct loop *l, struct registrar *core, const struct rng *rng,
                            registrar_line_fn *line, void *arg, struct registrar_server **out)
{
    struct registrar_server *s = calloc(1, sizeof *s);
    if (s == NULL)
        return err(ERR_NOMEM);
    s->loop = l;
    s->core = core;
    s->rng = *rng;
    s->line = line;
    s->arg = arg;
    *out = s;
    return OK;
}

void registrar_server_free(struct registrar_server *s)
{
    if (s == NULL)
        return;
    while (s->endpoints != NULL) {
        struct registrar_endpoint *p = s->endpoints;
        s->endpoints = p->next;
        registrar_endpoint_kill(p);
        tls_profile_unref(p->profile);
        free(p);
    }
    free(s);
}

RESULT registrar_server_listen(struct registrar_server *s,
                               const struct registrar_endpoint_params *params,
                               struct registrar_endpoint **out, struct errinfo *e)
{
    const struct tls_profile_params profile = {
        .role = TLS_SERVER,
        .versions = params->versions,
        .identity = params->identity,
        .client_auth = params->client_auth,
        .tickets = !params->no_tickets,
        .rng = s->rng,
    };
    struct registrar_endpoint *p = calloc(1, sizeof *p);
    if (p == NULL)
        return fail(e, ERR_NOMEM, "out of memory for an endpoint");
    p->server = s;
    p->judge = params->judge;
    p->judge_arg = params->judge_arg;
    p->facts = (struct registrar_endpoint_facts){.at = params->at, .alert_received = -1};
    struct result r = tls_profile_new(&profile, &p->profile, e);
    if (is_ok(r))
        r = registrar_endpoint_revive(p, e);
    if (is_err(r)) {
        tls_profile_unref(p->profile);
        free(p);
        return r;
    }
    p->next = s->endpoints;
    s->endpoints = p;
    *out = p;
    return OK;
}

RESULT registrar_endpoint_revive(struct registrar_endpoint *p, struct errinfo *e)
{
    TRY(stream_listen_tcp(p->server->loop, &p->facts.at, on_accept, p, &p->listener, e));
    p->facts.at = stream_listener_local(p->listener);
    return OK;
}

void registrar_endpoint_kill(struct registrar_endpoint *p)
{
    while (p->clients != NULL)
        drop(p->clients);
    stream_listener_free(p->listener);
    p->listener = NULL;
}

struct registrar_endpoint_facts registrar_endpoint_facts(const struct registrar_endpoint *p)
{
    return p->facts;
}

void registrar_endpoint_send(struct registrar_endpoint *p, struct slice bytes)
{
    for (struct client *c = p->clients; c != NULL; c = c->next)
        if (c->opened)
            IGNORE(connection_send(c->connection, bytes)); /* one that is going is told soon */
}
