#include "scenario/lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "sys/entropy.h"
#include "tools/tlswire.h"
#include "tools/unit.h"

static struct lab *the_lab; /* one at a time; for the clock that the TLS library asks for */

static void need(struct result r, const struct errinfo *e, const char *what)
{
    if (is_ok(r))
        return;
    (void)fprintf(stderr, "lab: %s: %s\n", what, errinfo_text(e, r));
    abort();
}

static int64_t epoch_s(void)
{
    return wallclock_now(the_lab->shared.clock).epoch_s;
}

static void on_clock_changed(void *arg)
{
    struct lab *lab = arg;
    if (lab->account != NULL)
        account_clock_changed(lab->account);
}

static void on_event(void *arg, const struct registrar_event *event)
{
    struct lab *lab = arg;
    lab->events[event->type]++;
}

static void make_registrar(struct lab *lab)
{
    const struct registrar_config cfg = {
        .realm = LAB_HOST,
        .md5 = true,
        .sha256 = true,
        .nonce_lifetime_ms = 3600000,
        .max_expires_s = 3600,
    };
    need(registrar_new(&cfg, &entropy_system, on_event, lab, &lab->core), NULL, "registrar");
    need(registrar_add_user(lab->core, "alice", NULL, "wonderland"), NULL, "user");
    need(registrar_server_new(sim_loop(lab->sim), lab->core, &entropy_system, NULL, NULL,
                              &lab->server),
         NULL, "server");
}

struct lab *lab_new(void)
{
    struct errinfo e = ERRINFO_INIT;
    struct lab *lab = calloc(1, sizeof *lab);
    if (lab == NULL)
        abort();
    the_lab = lab;
    log_open(getenv("LAB_LOG") != NULL ? LOG_SINK_STDERR : LOG_SINK_NONE, LOG_LEVEL_DEBUG, "lab");
    lab->sim = sim_new();
    struct account_shared *s = &lab->shared;
    s->loop = sim_loop(lab->sim);
    need(wallclock_open(s->loop, NULL, on_clock_changed, lab, &s->clock, &e), &e, "clock");
    need(tls_global_init(&entropy_system, epoch_s, &e), &e, "TLS");
    need(dns_new(s->loop, &s->dns, &e), &e, "DNS");
    need(tls_tickets_new(LIMIT_TICKETS, &s->tickets), NULL, "tickets");
    s->rng = entropy_system;
    s->instance_id = "urn:uuid:00000000-0000-1000-8000-001565123456";
    s->user_agent = "sipsd";
    sim_host_add(lab->sim, LAB_HOST, LAB_IP);
    lab->ca = testpki_make(&(struct testpki_spec){.subject = "CN=Lab Root,O=Lab", .ca = true});
    lab->trust = lab_trust(&lab->ca, 1);
    make_registrar(lab);
    return lab;
}

void lab_free(struct lab *lab)
{
    account_free(lab->account);
    registrar_server_free(lab->server);
    registrar_free(lab->core);
    trust_unref(lab->trust);
    identity_unref(lab->shared.identity);
    tls_tickets_free(lab->shared.tickets);
    dns_free(lab->shared.dns);
    sim_settle(lab->sim); /* what was finished, not closed, still flows */
    wallclock_close(lab->shared.clock);
    sim_free(lab->sim);
    tls_global_free();
    free(lab);
    the_lab = NULL;
}

const struct testpki_cert *lab_good(struct lab *lab)
{
    return testpki_make(&(struct testpki_spec){
        .subject = "CN=" LAB_HOST, .issuer = lab->ca, .san = "DNS:" LAB_HOST});
}

struct registrar_endpoint *lab_serve_as(struct lab *lab, const char *ip,
                                        const struct testpki_cert *cert,
                                        struct registrar_endpoint_params params)
{
    struct errinfo e = ERRINFO_INIT;
    struct registrar_endpoint *endpoint;
    if (!addr_parse(ip, LAB_PORT, &params.at))
        abort();
    params.identity = tlswire_identity(&cert, 1);
    need(registrar_server_listen(lab->server, &params, &endpoint, &e), &e, "listen");
    identity_unref(params.identity);
    return endpoint;
}

struct registrar_endpoint *lab_serve(struct lab *lab, const char *ip,
                                     const struct testpki_cert *cert)
{
    return lab_serve_as(lab, ip, cert, (struct registrar_endpoint_params){0});
}

static void on_changed(void *arg, struct account *a)
{
    struct lab *lab = arg;
    const struct account_status s = account_status(a);
    if (lab->views_count < LAB_VIEWS_MAX)
        lab->views[lab->views_count] = (struct lab_view){s.state, s.registration, s.encrypted};
    lab->views_count++;
}

void lab_account(struct lab *lab, lab_change_fn *change)
{
    struct errinfo e = ERRINFO_INIT;
    struct account_config cfg = {
        .number = 1,
        .enabled = true,
        .label = "Alice",
        .user = "alice",
        .password = "wonderland",
        .domain = LAB_HOST,
        .port = LAB_PORT,
        .expires_s = 600,
        .policy = {.check_trust = true},
        .check_name = true,
        .filter = TRUST_ALL,
    };
    if (change != NULL)
        change(&cfg);
    need(account_new(&lab->shared, &cfg, lab->trust, on_changed, lab, &lab->account, &e), &e,
         "account");
}

struct trust *lab_trust(const struct testpki_cert *const *certs, size_t n)
{
    struct errinfo e = ERRINFO_INIT;
    struct trust_custom custom[LIMIT_CUSTOM_CAS];
    struct trust *trust;
    for (size_t i = 0; i < n; i++)
        custom[i] = (struct trust_custom){.name = "lab.pem", .der = testpki_der(certs[i])};
    need(trust_new(custom, n, NULL, NULL, &trust, &e), &e, "trust");
    return trust;
}

struct account_status lab_status(const struct lab *lab)
{
    return account_status(lab->account);
}

struct wish {
    struct lab *lab;
    lab_condition *condition;
};

static bool granted(void *arg)
{
    const struct wish *w = arg;
    const struct account_status s = lab_status(w->lab);
    return w->condition(&s);
}

bool lab_until(struct lab *lab, lab_condition *condition, uint64_t ms)
{
    struct wish w = {lab, condition};
    return sim_run_until(lab->sim, granted, &w, ms);
}

bool lab_is_locked(const struct account_status *s)
{
    return s->encrypted && verdict_accepted(s->verdict) &&
           s->registration == REGISTRATION_REGISTERED;
}

bool lab_is_waiting(const struct account_status *s)
{
    return s->state == ACCOUNT_WAITING;
}

bool lab_is_idle(const struct account_status *s)
{
    return s->state == ACCOUNT_IDLE;
}

void lab_assert_error(const struct lab *lab, enum err code, const char *part)
{
    const struct account_status s = lab_status(lab);
    if (s.error->code != code || strstr(s.error->text, part) == NULL)
        fail_msg("the error is %s '%s', not %s '...%s...'", err_name(s.error->code), s.error->text,
                 err_name(code), part);
}
