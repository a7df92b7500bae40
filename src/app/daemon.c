#include "app/daemon.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "app/config.h"
#include "app/daemon_parts.h"
#include "app/home.h"
#include "base/limits.h"
#include "sys/entropy.h"
#include "sys/notify.h"
#include "sys/privs.h"

/* --- certificates that end --- */

static void on_certificate(void *arg, const struct expiry_notice *n)
{
    struct daemon *d = arg;
    char sentence[LIMIT_REPORT_TEXT];
    expiry_sentence(n, sentence, sizeof sentence);
    if (n->stage == EXPIRY_FINE)
        log_notice("trust", "%s", sentence);
    else
        log_warning("trust", "%s", sentence);
    events_certificate(d->events, n);
}

static struct result watch_certificates(struct daemon *d, struct errinfo *e)
{
    struct expirywatch_source s = source_expirywatch(d);
    s.tell = on_certificate;
    return expirywatch_new(d->loop, &s, &d->expirywatch, e);
}

/* --- what the accounts tell, and who calls --- */

static void on_inbound_changed(void *arg, const struct inbound_status *s)
{
    struct daemon *d = arg;
    events_inbound_changed(d->events, s);
}

static void on_inbound_untold(void *arg, unsigned connections)
{
    const struct daemon *d = arg;
    events_inbound_untold(d->events, connections);
}

static void on_account_changed(void *arg, struct account *a)
{
    struct daemon *d = arg;
    events_account_changed(d->events, a);
    provisioning_account_changed(d->provisioning);
    expirywatch_look(d->expirywatch);
}

static void on_accounts_replaced(void *arg)
{
    struct daemon *d = arg;
    listener_accounts_changed(d->listener);
    events_accounts_replaced(d->events);
    expirywatch_look(d->expirywatch);
}

static void on_accounts_stopped(void *arg)
{
    struct daemon *d = arg;
    loop_stop(d->loop);
}

static const struct fleet_handlers fleet_handlers = {
    .changed = on_account_changed,
    .replaced = on_accounts_replaced,
    .stopped = on_accounts_stopped,
};

static void on_message(void *arg, int account, uint64_t connection, bool outward,
                       struct slice message)
{
    const struct daemon *d = arg;
    events_message(d->events, account, connection, outward, message);
}

static void on_clock_changed(void *arg)
{
    struct daemon *d = arg;
    log_notice("clock", "the clock is %s now", clock_state_name(wallclock_now(d->clock).state));
    if (d->fleet != NULL)
        fleet_clock_changed(d->fleet);
    listener_clock_changed(d->listener);
    provisioning_clock_changed(d->provisioning);
    events_clock_changed(d->events);
    expirywatch_look(d->expirywatch);
}

/* --- certificates --- */

static void take_trust(struct daemon *d)
{
    struct trust *trust = credentials_trust(d->credentials);
    fleet_set_trust(d->fleet, trust);
    listener_set_trust(d->listener, trust);
    events_trust_changed(d->events);
    log_notice("trust", "%zu trusted certificates, generation %llu", trust_count(trust, TRUST_ALL),
               (unsigned long long)trust_generation(trust));
}

/* What clients get, and servers who ask for one; accounts that are made later begin with it. */
static void choose_identity(struct daemon *d)
{
    d->shared.identity = credentials_identity(d->credentials);
    d->shared.identity_source = credentials_source(d->credentials);
    listener_set_identity(d->listener, d->shared.identity);
}

static void take_identity(struct daemon *d)
{
    choose_identity(d);
    fleet_set_identity(d->fleet, d->shared.identity, d->shared.identity_source);
    events_identity_changed(d->events, d->shared.identity, credentials_why(d->credentials));
}

/* Settings that came with the certificates go first, so that connections are judged once, by both.
 * Kept sessions speak for the old trust and the old identity: no connection resumes one of them. */
static void on_credentials_changed(void *arg, unsigned what)
{
    struct daemon *d = arg;
    provisioning_credentials_changed(d->provisioning);
    if (d->fleet == NULL) /* make_fleet() takes what there is then */
        return;
    if (what != 0)
        tls_tickets_clear(d->tickets);
    if (what & CREDENTIALS_IDENTITY)
        take_identity(d);
    if (what & CREDENTIALS_TRUST)
        take_trust(d);
    expirywatch_look(d->expirywatch);
}

/* --- settings --- */

static void on_check_sync(void *arg, int account)
{
    struct daemon *d = arg;
    provisioning_check_sync(d->provisioning, account);
}

static void configure_listener(struct daemon *d, const struct settings *s)
{
    struct listener_config cfg;
    phone_listener(s, &cfg);
    listener_configure(d->listener, &cfg);
}

/* Where there is nothing to fetch from, such a request is call-control's, as any other. */
static void heed_check_sync(struct daemon *d, const struct settings *s)
{
    struct phone_schedule schedule;
    phone_schedule(s, &schedule);
    const bool heeded = schedule.check_sync && schedule.server[0] != '\0';
    d->shared.on_check_sync = heeded ? on_check_sync : NULL;
    d->shared.on_check_sync_arg = d;
}

static void on_settings(void *arg, const struct settings *old, const struct settings *now)
{
    struct daemon *d = arg;
    credentials_want(d->credentials, phone_identity(now));
    fleet_apply(d->fleet, old, now, credentials_trust(d->credentials));
    heed_check_sync(d, now);
    configure_listener(d, now);
    doors_apply(d->doors, now);
    if (phone_trust_filter(old) != phone_trust_filter(now))
        events_trust_changed(d->events);
}

static void on_provisioned(void *arg, const struct provision_report *r)
{
    struct daemon *d = arg;
    events_provision(d->events, r);
}

/* --- signals and the supervisor --- */

static void on_watchdog(void *arg)
{
    struct daemon *d = arg;
    notify_send("WATCHDOG=1");
    loop_timer_start(d->watchdog, notify_watchdog_ms() / 2);
}

static void on_stop(void *arg)
{
    struct daemon *d = arg;
    if (d->stopping) {
        log_notice("sipsd", "asked again: stopping at once");
        loop_stop(d->loop);
        return;
    }
    log_notice("sipsd", "stopping");
    d->stopping = true;
    notify_send("STOPPING=1");
    listener_stop(d->listener);
    fleet_stop(d->fleet);
}

static void tell_reloading(void)
{
    char lines[64];
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    (void)snprintf(lines, sizeof lines, "RELOADING=1\nMONOTONIC_USEC=%lld",
                   (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    notify_send(lines);
}

static void on_reload(void *arg)
{
    struct daemon *d = arg;
    struct errinfo e = ERRINFO_INIT;
    if (d->stopping)
        return;
    tell_reloading();
    struct result r = credentials_reload(d->credentials, &e);
    if (is_err(r))
        log_error("trust", "the old certificates stay: %s", errinfo_text(&e, r));
    errinfo_clear(&e);
    r = provisioning_reload(d->provisioning, &e);
    if (is_err(r))
        log_error("settings", "the old settings stay: %s", errinfo_text(&e, r));
    else
        log_notice("settings", "read again");
    notify_send("READY=1");
}

/* --- start --- */

static struct result find_group(const char *name, gid_t *out, struct errinfo *e)
{
    *out = (gid_t)-1;
    return name == NULL ? OK : privs_group(name, out, e);
}

static struct result make_dirs(struct daemon *d, struct errinfo *e)
{
    const struct options *o = d->options;
    TRY(home_make_dir(o->run_dir, 0755, o->user, e));
    return home_make_dir(o->state_dir, 0700, o->user, e);
}

static struct result make_admin(struct daemon *d, struct errinfo *e)
{
    const struct admin_source source = source_admin(d);
    if (is_err(rejected_new(&d->rejected)) || is_err(admin_new(d->loop, &source, &d->admin)))
        return fail(e, ERR_NOMEM, "out of memory for the methods of control.sock");
    return OK;
}

static struct result open_sockets(struct daemon *d, const char *version, struct errinfo *e)
{
    struct events_params p = {
        .loop = d->loop,
        .run_dir = d->options->run_dir,
        .version = version,
        .source = source_events(d),
    };
    TRY(make_admin(d, e));
    p.more = admin_service(d->admin);
    TRY(find_group(d->options->ui_group, &p.ui_group, e));
    TRY(find_group(d->options->admin_group, &p.admin_group, e));
    return events_new(&p, &d->events, e);
}

/* A port that only root may open is opened while we are it. */
static struct result make_listener(struct daemon *d, struct errinfo *e)
{
    const struct options *o = d->options;
    const struct listener_params p = {
        .loop = d->loop,
        .shared = &d->shared,
        .accounts = source_accounts(d),
        .changed = on_inbound_changed,
        .untold = on_inbound_untold,
        .arg = d,
    };
    struct errinfo why = ERRINFO_INIT;
    TRY(listener_new(&p, &d->listener, e));
    if (o->user == NULL)
        return OK;
    const struct result r =
        listener_reserve(d->listener, config_peek_port(o->configs, o->configs_count), &why);
    if (is_err(r)) /* the accounts do without */
        log_error("listener", "%s", errinfo_text(&why, r));
    return OK;
}

static struct result open_relay(struct daemon *d, struct errinfo *e)
{
    char path[256];
    struct relay_params p = {.path = path};
    const int n = snprintf(path, sizeof path, "%s/relay.sock", d->options->run_dir);
    if (n < 0 || (size_t)n >= sizeof path)
        return fail(e, ERR_INVALID, "%s is too long a path for a socket's directory",
                    d->options->run_dir);
    TRY(find_group(d->options->call_group, &p.gid, e));
    TRY(carrier_new(&entropy_system, &d->carrier, e));
    carrier_tap(d->carrier, on_message, d);
    return relay_new(d->loop, d->carrier, &p, &d->relay, e);
}

/* The first random bytes: early in a boot the system may have to gather them yet. */
static struct result wait_for_randomness(struct errinfo *e)
{
    unsigned char byte;
    if (entropy_system.fill(entropy_system.ctx, &byte, sizeof byte) != 0)
        return fail(e, ERR_SYSTEM, "the system gives no random numbers");
    return OK;
}

static struct result read_credentials(struct daemon *d, struct errinfo *e)
{
    const struct credentials_params p = {
        .state_dir = d->options->state_dir,
        .factory_dir = d->options->factory_dir,
        .mac = d->mac,
        .rng = entropy_system,
        .now = source_now,
        .changed = on_credentials_changed,
        .arg = d,
    };
    return credentials_open(&p, phone_identity(provisioning_settings(d->provisioning)),
                            &d->credentials, e);
}

static struct result read_settings(struct daemon *d, struct errinfo *e)
{
    const struct provisioning_params p = {
        .options = d->options,
        .loop = d->loop,
        .dns = d->dns,
        .clock = d->clock,
        .mac = d->mac,
        .agent = d->user_agent,
        .accounts = source_accounts(d),
        .on_refused = rejected_note,
        .on_refused_arg = d->rejected,
        .now = source_now,
        .apply = on_settings,
        .ended = on_provisioned,
        .arg = d,
    };
    return provisioning_new(&p, &d->provisioning, e);
}

static struct result read_phone(struct daemon *d, struct errinfo *e)
{
    const struct options *o = d->options;
    if (o->mac != NULL)
        (void)snprintf(d->mac, sizeof d->mac, "%s", o->mac);
    else
        TRY(home_mac(o->interface, d->mac, sizeof d->mac, e));
    TRY(phone_instance_id(d->mac, d->instance, e));
    TRY(dns_new(d->loop, &d->dns, e));
    TRY(wallclock_open(d->loop, o->state_dir, on_clock_changed, d, &d->clock, e));
    TRY(read_settings(d, e));
    TRY(read_credentials(d, e));
    TRY(provisioning_open(d->provisioning, d->credentials, e));
    credentials_want(d->credentials, phone_identity(provisioning_settings(d->provisioning)));
    return OK;
}

static struct result make_fleet(struct daemon *d, struct errinfo *e)
{
    if (is_err(tls_tickets_new(LIMIT_TICKETS, &d->tickets)))
        return fail(e, ERR_NOMEM, "out of memory for session tickets");
    d->shared = (struct account_shared){
        .loop = d->loop,
        .dns = d->dns,
        .clock = d->clock,
        .tickets = d->tickets,
        .rng = entropy_system,
        .instance_id = d->instance,
        .user_agent = d->user_agent,
        .on_refused = rejected_note,
        .on_refused_arg = d->rejected,
        .carrier = d->carrier,
    };
    choose_identity(d);
    listener_set_trust(d->listener, credentials_trust(d->credentials));
    heed_check_sync(d, provisioning_settings(d->provisioning));
    configure_listener(d, provisioning_settings(d->provisioning));
    if (is_err(doors_new(d->loop, d->carrier, &entropy_system, &d->doors)) ||
        is_err(fleet_new(&d->shared, &fleet_handlers, d, &d->fleet)))
        return fail(e, ERR_NOMEM, "out of memory for the accounts");
    return OK;
}

/* Signals that come before there is somebody to work them off, or after, must not kill us: until
 * then they wait, from then on nothing is left to be done for them. */
static void hold_signals(int how)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    (void)sigprocmask(how, &set, NULL);
}

static struct result watch_signals(struct daemon *d, struct errinfo *e)
{
    TRY(loop_signal_new(d->loop, SIGTERM, on_stop, d, &d->signals[0], e));
    TRY(loop_signal_new(d->loop, SIGINT, on_stop, d, &d->signals[1], e));
    TRY(loop_signal_new(d->loop, SIGHUP, on_reload, d, &d->signals[2], e));
    if (notify_watchdog_ms() == 0)
        return OK;
    d->watchdog = loop_timer_new(d->loop, on_watchdog, d);
    return d->watchdog != NULL ? OK : fail(e, ERR_NOMEM, "out of memory for the watchdog");
}

static struct result set_up(struct daemon *d, const char *version, struct errinfo *e)
{
    (void)snprintf(d->user_agent, sizeof d->user_agent, "sipsd/%s", version);
    TRY(wait_for_randomness(e));
    hold_signals(SIG_BLOCK);
    TRY(loop_new(&d->loop, e));
    TRY(make_dirs(d, e));
    TRY(open_relay(d, e)); /* who waits for events.sock can have them all then */
    TRY(open_sockets(d, version, e));
    TRY(make_listener(d, e));
    if (d->options->user != NULL)
        TRY(privs_drop(d->options->user, e));
    TRY(read_phone(d, e));
    TRY(make_fleet(d, e));
    TRY(watch_certificates(d, e));
    return watch_signals(d, e);
}

RESULT daemon_new(const struct options *o, const char *version, struct daemon **out,
                  struct errinfo *e)
{
    struct daemon *d = calloc(1, sizeof *d);
    if (d == NULL)
        return fail(e, ERR_NOMEM, "out of memory");
    d->options = o;
    const struct result r = set_up(d, version, e);
    if (is_err(r)) {
        daemon_free(d);
        return r;
    }
    *out = d;
    return OK;
}

void daemon_run(struct daemon *d)
{
    const struct settings *s = provisioning_settings(d->provisioning);
    fleet_apply(d->fleet, NULL, s, credentials_trust(d->credentials));
    doors_apply(d->doors, s);
    provisioning_start(d->provisioning);
    notify_send("READY=1");
    if (d->watchdog != NULL)
        on_watchdog(d);
    log_notice("sipsd", "%zu accounts, %zu trusted certificates", fleet_count(d->fleet),
               trust_count(credentials_trust(d->credentials), TRUST_ALL));
    hold_signals(SIG_UNBLOCK);
    loop_run(d->loop);
    hold_signals(SIG_BLOCK);
}

void daemon_free(struct daemon *d)
{
    if (d == NULL)
        return;
    listener_free(d->listener);
    events_free(d->events);
    admin_free(d->admin);
    provisioning_free(d->provisioning);
    expirywatch_free(d->expirywatch);
    relay_free(d->relay);
    doors_free(d->doors);
    fleet_free(d->fleet);
    carrier_free(d->carrier);
    rejected_free(d->rejected);
    loop_timer_free(d->watchdog);
    for (size_t i = 0; i < sizeof d->signals / sizeof d->signals[0]; i++)
        loop_signal_free(d->signals[i]);
    tls_tickets_free(d->tickets);
    wallclock_close(d->clock);
    dns_free(d->dns);
    credentials_free(d->credentials);
    loop_free(d->loop);
    free(d);
}
