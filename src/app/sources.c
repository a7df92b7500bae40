/* What the sockets and others look at, where the daemon has it. */
#include <string.h>

#include "app/daemon_parts.h"

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
    return phone_trust_filter(provisioning_settings(d->provisioning));
}

struct wallclock source_now(void *daemon)
{
    const struct daemon *d = daemon;
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

static bool is_about(const struct complaints *c, const char *file)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->list[i].file, file) == 0)
            return true;
    return false;
}

/* Of a damaged layer both complain; the engine knows what counts instead. */
static const struct complaints *source_complaints(void *arg)
{
    struct daemon *d = arg;
    const struct complaints *certs = credentials_complaints(d->credentials);
    d->complaints = *provision_complaints(provisioning_engine(d->provisioning));
    const struct complaints layers = d->complaints;
    for (size_t i = 0; i < certs->count && d->complaints.count < LIMIT_COMPLAINTS; i++)
        if (!is_about(&layers, certs->list[i].file))
            d->complaints.list[d->complaints.count++] = certs->list[i];
    return &d->complaints;
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

static struct provision *source_provision(void *arg)
{
    const struct daemon *d = arg;
    return provisioning_engine(d->provisioning);
}

static bool source_reserves_certs(void *arg)
{
    const struct daemon *d = arg;
    return phone_reserves_certs(provisioning_settings(d->provisioning));
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

struct account_source source_accounts(struct daemon *d)
{
    return (struct account_source){.count = source_count, .at = source_at, .arg = d};
}

struct events_source source_events(struct daemon *d)
{
    return (struct events_source){
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
    };
}

struct admin_source source_admin(struct daemon *d)
{
    return (struct admin_source){
        .credentials = source_credentials,
        .rejected = source_rejected,
        .provision = source_provision,
        .reserves_certs = source_reserves_certs,
        .now = source_now,
        .arg = d,
    };
}

struct expirywatch_source source_expirywatch(struct daemon *d)
{
    return (struct expirywatch_source){
        .account_count = source_count,
        .account_at = source_at,
        .trust = source_trust,
        .identity_at = source_identity,
        .now = source_now,
        .arg = d,
    };
}
