#include "scenario/callers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "sip/message_write.h"
#include "sys/entropy.h"
#include "tools/tlswire.h"
#include "tools/unit.h"

/* --- the phone --- */

static size_t count_accounts(void *arg)
{
    const struct called *c = arg;
    return c->lab->account != NULL ? 1 : 0;
}

static struct account *account_at(void *arg, size_t i)
{
    const struct called *c = arg;
    (void)i;
    return c->lab->account;
}

static void on_told(void *arg, const struct inbound_status *s)
{
    struct called *c = arg;
    if (s->state == INBOUND_OPEN && s->id != c->last_id)
        c->opened++;
    else if (s->state == INBOUND_OPEN)
        c->changed++;
    else
        c->closed++;
    c->last_id = s->id;
    c->verdict = *s->verdict;
    c->assurance = s->assurance;
    c->account = s->account;
    c->why = s->error->code;
    (void)snprintf(c->sentence, sizeof c->sentence, "%s", s->error->text);
}

static void on_untold(void *arg, unsigned connections)
{
    struct called *c = arg;
    c->untold = connections;
}

struct identity *called_identity(const struct testpki_cert *cert)
{
    return tlswire_identity(&cert, 1);
}

struct called *called_new(struct lab *lab, called_change_fn *change)
{
    struct called *c = calloc(1, sizeof *c);
    assert_non_null(c);
    c->lab = lab;
    c->cfg = (struct listener_config){
        .port = CALLED_PORT, .filter = TRUST_ALL, .policy = {.check_trust = true}};
    if (change != NULL)
        change(&c->cfg);
    const struct listener_params p = {
        .loop = sim_loop(lab->sim),
        .shared = &lab->shared,
        .accounts = {.count = count_accounts, .at = account_at, .arg = c},
        .changed = on_told,
        .untold = on_untold,
        .arg = c,
    };
    assert_true(is_ok(listener_new(&p, &c->listener, NULL)));
    struct identity *id = called_identity(
        testpki_make(&(struct testpki_spec){.subject = "CN=phone", .issuer = lab->ca}));
    listener_set_identity(c->listener, id);
    identity_unref(id);
    listener_set_trust(c->listener, lab->trust);
    called_configure(c);
    return c;
}

void called_configure(struct called *c)
{
    listener_configure(c->listener, &c->cfg);
}

void called_free(struct called *c)
{
    listener_free(c->listener);
    free(c);
}

/* --- who calls --- */

static void judge(void *arg, const struct slice *chain, size_t n, struct verdict *out)
{
    struct caller *p = arg;
    if (n > 0)
        hash_sha256(chain[0], p->server);
    *out = (struct verdict){.class = VERDICT_VERIFIED, .valid_until_s = INT64_MAX};
}

static void on_open(void *arg)
{
    struct caller *p = arg;
    p->open = true;
}

static void on_message(void *arg, const struct sip_message *m, struct slice raw)
{
    struct caller *p = arg;
    (void)snprintf(p->text, sizeof p->text, "%.*s", SLICE_FMT(raw));
    if (sip_message_is_request(m))
        return;
    p->status = sip_message_status(m);
    if (p->responses++ == 0)
        p->first_status = p->status;
}

/* The answer to a request that was malformed can be, too: what was copied from it. */
static void on_malformed(void *arg, struct result why, struct slice raw)
{
    struct caller *p = arg;
    (void)why;
    assert_true(slice_starts(raw, SLICE_LIT("SIP/2.0 ")));
    (void)snprintf(p->text, sizeof p->text, "%.*s", SLICE_FMT(raw));
    p->status = (int)strtol(p->text + strlen("SIP/2.0 "), NULL, 10);
    if (p->responses++ == 0)
        p->first_status = p->status;
}

static void on_closed(void *arg, struct result why, const struct errinfo *e)
{
    struct caller *p = arg;
    (void)e;
    p->alert_received = connection_facts(p->connection).alert_received;
    p->closed = true;
    p->why = why.code;
    connection_free(p->connection);
    p->connection = NULL;
}

static const struct connection_handlers handlers = {
    .on_open = on_open,
    .on_message = on_message,
    .on_malformed = on_malformed,
    .on_closed = on_closed,
};

static struct addr phone_at(const char *from)
{
    struct addr at;
    const bool six = from != NULL && strchr(from, ':') != NULL;
    assert_true(addr_parse(six ? CALLED_IP6 : CALLED_IP, CALLED_PORT, &at));
    return at;
}

static struct caller *begin(struct called *c, const char *from, const struct testpki_cert *cert,
                            enum tls_versions versions, const char *tickets)
{
    struct caller *p = calloc(1, sizeof *p);
    assert_non_null(p);
    struct identity *id = cert == NULL ? NULL : called_identity(cert);
    const struct tls_profile_params profile = {.role = TLS_CLIENT,
                                               .versions = versions,
                                               .identity = id,
                                               .tickets = tickets != NULL,
                                               .rng = entropy_system};
    const struct tls_session_params tls = {
        .server_name = "phone",
        .judge = judge,
        .judge_arg = p,
        .tickets = tickets != NULL ? c->lab->shared.tickets : NULL,
        .flow_key = slice_of_str(tickets),
        .now_s = wallclock_now(c->lab->shared.clock).epoch_s,
    };
    const struct addr at = phone_at(from);
    p->lab = c->lab;
    p->alert_received = -1;
    assert_true(is_ok(tls_profile_new(&profile, &p->profile, NULL)));
    identity_unref(id);
    sim_net_from(c->lab->sim, from);
    assert_true(is_ok(connection_dial(sim_loop(c->lab->sim), &at, p->profile, &tls, &handlers, p,
                                      &p->connection, NULL)));
    sim_net_from(c->lab->sim, NULL);
    return p;
}

struct caller *caller_begin(struct called *c, const char *from, const struct testpki_cert *cert)
{
    return begin(c, from, cert, TLS_1_2_AND_1_3, NULL);
}

struct caller *caller_dial_as(struct called *c, const char *from, const struct testpki_cert *cert,
                              enum tls_versions versions, const char *tickets)
{
    struct caller *p = begin(c, from, cert, versions, tickets);
    sim_settle(c->lab->sim);
    return p;
}

struct caller *caller_dial(struct called *c, const char *from, const struct testpki_cert *cert)
{
    return caller_dial_as(c, from, cert, TLS_1_2_AND_1_3, NULL);
}

void caller_free(struct caller *p)
{
    struct sim *w = p->lab->sim;
    connection_free(p->connection);
    tls_profile_unref(p->profile);
    free(p);
    sim_settle(w);
}

void caller_send(struct caller *p, const char *text)
{
    assert_non_null(p->connection);
    assert_true(is_ok(connection_send(p->connection, slice_of_str(text))));
    sim_settle(p->lab->sim);
}

void caller_answer(struct caller *p, int status)
{
    struct sip_message *m;
    struct buf out;
    assert_true(is_ok(sip_message_parse(slice_of_str(p->text), &m, NULL)));
    buf_init(&out, LIMIT_SIP_MESSAGE);
    assert_true(is_ok(sip_message_write_response(&out, m, status, NULL, "c", NULL)));
    caller_send(p, buf_str(&out));
    buf_free(&out);
    sip_message_free(m);
}

int caller_ask_with(struct caller *p, const char *method, const char *uri, const char *extra)
{
    char text[4096];
    (void)snprintf(text, sizeof text,
                   "%s %s SIP/2.0\r\n"
                   "Via: SIP/2.0/TLS 192.0.2.50:5061;branch=z9hG4bKa\r\n"
                   "From: <sips:bob@example.net>;tag=b1\r\n"
                   "To: <sips:alice@example.org>\r\n"
                   "Call-ID: call\r\n"
                   "CSeq: 7 %s\r\n"
                   "%s"
                   "Content-Length: 0\r\n\r\n",
                   method, uri, method, extra);
    p->status = 0;
    caller_send(p, text);
    return p->status;
}

int caller_ask(struct caller *p, const char *method, const char *uri)
{
    return caller_ask_with(p, method, uri, "Max-Forwards: 70\r\n");
}

/* --- half-open --- */

static void ignore_data(void *arg, struct slice data)
{
    (void)arg;
    (void)data;
}

static void ignore(void *arg)
{
    (void)arg;
}

static void ignore_closed(void *arg, struct result why, const struct errinfo *e)
{
    (void)arg;
    (void)why;
    (void)e;
}

struct stream *caller_stall(struct called *c, const char *from)
{
    static const struct stream_handlers silent = {
        .on_open = ignore, .on_data = ignore_data, .on_closed = ignore_closed};
    const struct addr at = phone_at(from);
    struct stream *s;
    sim_net_from(c->lab->sim, from);
    assert_true(is_ok(
        stream_connect(sim_loop(c->lab->sim), &at, LIMIT_CONNECTION_OUT, &silent, NULL, &s, NULL)));
    sim_net_from(c->lab->sim, NULL);
    sim_settle(c->lab->sim);
    return s;
}
