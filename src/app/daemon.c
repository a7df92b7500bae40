#include "app/daemon.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "app/config.h"
#include "app/doors.h"
#include "app/fleet.h"
#include "app/home.h"
#include "base/limits.h"
#include "control/admin.h"
#include "control/events.h"
#include "control/expirywatch.h"
#include "control/phone.h"
#include "control/rejected.h"
#include "link/relay.h"
#include "sys/entropy.h"
#include "sys/notify.h"
#include "sys/privs.h"

struct daemon {
    const struct options *options;
    struct loop *loop;
    struct dns *dns;
    struct wallclock_source *clock;
    struct tls_tickets *tickets;
    struct settings *settings;
    struct credentials *credentials;
    struct rejected *rejected;
    struct account_shared shared;
    struct fleet *fleet;
    struct listener *listener;
    struct admin *admin;
    struct events *events;
    struct expirywatch *expirywatch;
    struct carrier *carrier;
    struct relay *relay;
    struct doors *doors;
    struct loop_signal *signals[3];
    struct loop_timer *watchdog;
    bool stopping;
    char mac[32];
    char instance[PHONE_INSTANCE_SIZE];
    char user_agent[32];
};

/* --- what the sockets look at --- */

static size_t source_count(void *arg)
{
    const struct daemon *d = arg;
    return d->fleet == NULL ? 0 : fleet_count(d->fleet);
}

static struct account *source_at(void *arg, size_t i)
{
    const struct daemon *d = arg;
    return fleet_at(d->fleet, i);
}

static struct trust *source_trust(void *arg)
{
    const struct daemon *d = arg;
    return credentials_trust(d->credentials);
}

static enum trust_filter source_filter(void *arg)
{
    const struct daemon *d = arg;
    return phone_trust_filter(d->settings);
}

static struct wallclock source_now(void *arg)
{
    const struct daemon *d = arg;
    return wallclock_now(d->clock);
}

static size_t source_inbound_count(void *arg)
{
    const struct daemon *d = arg;
    return listener_count(d->listener);
}

static struct inbound_status source_inbound_at(void *arg, size_t i)
{
    const struct daemon *d = arg;
    return listener_at(d->listener, i);
}

static const struct complaints *source_complaints(void *arg)
{
    const struct daemon *d = arg;
    return credentials_complaints(d->credentials);
}

static struct credentials *source_credentials(void *arg)
{
    const struct daemon *d = arg;
    return d->credentials;
}

static struct rejected *source_rejected(void *arg)
{
    const struct daemon *d = arg;
    return d->rejected;
}

static bool source_reserves_certs(void *arg)
{
    const struct daemon *d = arg;
    return phone_reserves_certs(d->settings);
}

static void source_expiring(void *arg, expiry_tell_fn *visit, void *visit_arg)
{
    const struct daemon *d = arg;
    expirywatch_each(d->expirywatch, visit, visit_arg);
}

static void source_local_ports(void *arg, door_visit_fn *visit, void *visit_arg)
{
    const struct daemon *d = arg;
    if (d->doors != NULL)
        doors_each(d->doors, visit, visit_arg);
}

static struct identity *source_identity(void *arg, size_t i)
{
    const struct daemon *d = arg;
    return credentials_held_at(d->credentials, i);
}

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
    const struct expirywatch_source s = {
        .account_count = source_count,
        .account_at = source_at,
        .trust = source_trust,
        .identity_at = source_identity,
        .now = source_now,
        .tell = on_certificate,
        .arg = d,
    };
    return expirywatch_new(d->loop, &s, &d->expirywatch, e);
}

/* --- what the accounts tell, and who calls --- */

static void on_inbound_changed(void *arg, const struct inbound_status *s)
{
    struct daemon *d = arg;
    events_inbound_changed(d->events, s);
}

static void on_account_changed(void *arg, struct account *a)
{
    struct daemon *d = arg;
    events_account_changed(d->events, a);
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

/* Kept sessions speak for the old trust and the old identity: no connection resumes one of them. */
static void on_credentials_changed(void *arg, unsigned what)
{
    struct daemon *d = arg;
    tls_tickets_clear(d->tickets);
    if (what & CREDENTIALS_IDENTITY)
        take_identity(d);
    if (what & CREDENTIALS_TRUST)
        take_trust(d);
    expirywatch_look(d->expirywatch);
}

static void configure_listener(struct daemon *d)
{
    struct listener_config cfg;
    phone_listener(d->settings, &cfg);
    listener_configure(d->listener, &cfg);
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

/* All of the new settings, or, if something in them is refused, all of the old ones. */
static struct result reload_settings(struct daemon *d, struct errinfo *e)
{
    struct settings *s;
    unsigned refused;
    TRY(config_read(d->options->configs, d->options->configs_count, &s, &refused, e));
    if (refused != 0) {
        settings_free(s);
        return fail(e, ERR_INVALID, "%u settings are refused", refused);
    }
    struct settings *old = d->settings;
    d->settings = s;
    credentials_want(d->credentials, phone_identity(s));
    fleet_apply(d->fleet, old, s, credentials_trust(d->credentials));
    configure_listener(d);
    doors_apply(d->doors, s);
    if (phone_trust_filter(old) != phone_trust_filter(s))
        events_trust_changed(d->events);
    settings_free(old);
    return OK;
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
    r = reload_settings(d, &e);
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
    const struct admin_source source = {
        .credentials = source_credentials,
        .rejected = source_rejected,
        .reserves_certs = source_reserves_certs,
        .now = source_now,
        .arg = d,
    };
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
        .source =
            {
                .account_count = source_count,
                .account_at = source_at,
                .inbound_count = source_inbound_count,
                .inbound_at = source_inbound_at,
                .trust = source_trust,
                .trust_filter = source_filter,
                .now = source_now,
                .complaints = source_complaints,
                .expiring = source_expiring,
                .local_ports = source_local_ports,
                .arg = d,
            },
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
        .accounts = {.count = source_count, .at = source_at, .arg = d},
        .changed = on_inbound_changed,
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
    return credentials_open(&p, phone_identity(d->settings), &d->credentials, e);
}

static struct result read_phone(struct daemon *d, struct errinfo *e)
{
    const struct options *o = d->options;
    unsigned refused;
    if (o->mac != NULL)
        (void)snprintf(d->mac, sizeof d->mac, "%s", o->mac);
    else
        TRY(home_mac(o->interface, d->mac, sizeof d->mac, e));
    TRY(phone_instance_id(d->mac, d->instance, e));
    TRY(config_read(o->configs, o->configs_count, &d->settings, &refused, e));
    if (refused != 0)
        log_warning("settings", "%u settings are refused; starting with the others", refused);
    return read_credentials(d, e);
}

static struct result make_fleet(struct daemon *d, const char *version, struct errinfo *e)
{
    TRY(dns_new(d->loop, &d->dns, e));
    TRY(wallclock_open(d->loop, d->options->state_dir, on_clock_changed, d, &d->clock, e));
    if (is_err(tls_tickets_new(LIMIT_TICKETS, &d->tickets)))
        return fail(e, ERR_NOMEM, "out of memory for session tickets");
    (void)snprintf(d->user_agent, sizeof d->user_agent, "sipsd/%s", version);
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
    configure_listener(d);
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
    TRY(make_fleet(d, version, e));
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
    fleet_apply(d->fleet, NULL, d->settings, credentials_trust(d->credentials));
    doors_apply(d->doors, d->settings);
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
    settings_free(d->settings);
    loop_free(d->loop);
    free(d);
}
