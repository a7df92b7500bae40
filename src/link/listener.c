#include "link/listener.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "link/port.h"
#include "sys/loop.h"

#define AREA            "listener"
#define PORT_PRIVILEGED 1023 /* and below */

struct slot {
    struct inbound *in;
    bool opened;
    bool untold; /* when it opened, too many had been told: nothing of it is */
};

/* What was refused since it was last logged: a flood shall not fill the log. */
struct tally {
    unsigned full;      /* there was no room */
    unsigned source;    /* too many from one address */
    unsigned replaced;  /* handshakes that gave way */
    unsigned failed;    /* handshakes that did not succeed */
    unsigned told;      /* of these, as events */
    unsigned strangers; /* opened without a certificate, and told so */
    unsigned untold;    /* opened or refused, and there were too many to tell */
};

struct listener {
    struct listener_params params;
    struct listener_config cfg;
    bool configured;
    struct port *port;
    uint16_t reserved;
    struct identity *identity; /* that the profile has */
    struct tls_profile *profile;
    struct inbound_shared in;
    struct slot slots[LIMIT_INBOUND]; /* the oldest first */
    size_t count;
    struct tally tally;
    struct loop_timer *tally_timer;
    bool tallying;
};

/* --- what is refused --- */

static void log_tally(void *arg)
{
    struct listener *l = arg;
    const struct tally was = l->tally, *t = &was;
    l->tallying = false;
    l->tally = (struct tally){.full = 0};
    if (t->full + t->source + t->replaced + t->failed != 0)
        log_warning(AREA,
                    "within %d s: %u handshakes failed, %u gave way to newer ones; %u connections "
                    "found no room, %u were too many from one address",
                    LIMIT_INBOUND_TALLY_MS / 1000, t->failed, t->replaced, t->full, t->source);
    if (t->untold != 0)
        l->params.untold(l->params.arg, t->untold);
}

static void count_one(struct listener *l, unsigned *counter)
{
    (*counter)++;
    if (!l->tallying)
        loop_timer_start(l->tally_timer, LIMIT_INBOUND_TALLY_MS);
    l->tallying = true;
}

/* --- the connections --- */

static void remove_slot(struct listener *l, size_t i)
{
    l->count--;
    memmove(&l->slots[i], &l->slots[i + 1], (l->count - i) * sizeof l->slots[0]);
}

static size_t slot_of(const struct listener *l, const struct inbound *in)
{
    size_t i = 0;
    while (l->slots[i].in != in)
        i++;
    return i;
}

static void tell(struct listener *l, const struct inbound *in)
{
    const struct inbound_status s = inbound_status(in);
    l->params.changed(l->params.arg, &s);
}

/* Whether one more may be told of those that *COUNTER counts; else it counts as untold. */
static bool may_tell(struct listener *l, unsigned *counter, unsigned most)
{
    const bool may = *counter < most;
    count_one(l, may ? counter : &l->tally.untold);
    return may;
}

/* One that never opened is only told of where its certificate was refused. */
static void tell_refused(struct listener *l, const struct inbound *in)
{
    count_one(l, &l->tally.failed);
    if (inbound_status(in).error->code == ERR_CERT &&
        may_tell(l, &l->tally.told, LIMIT_INBOUND_TOLD))
        tell(l, in);
}

static void tell_of(struct listener *l, struct slot *s)
{
    const bool stranger = inbound_status(s->in).verdict->class == VERDICT_NONE;
    if (!s->opened && stranger)
        s->untold = !may_tell(l, &l->tally.strangers, LIMIT_INBOUND_STRANGERS);
    s->opened = true;
    if (!s->untold)
        tell(l, s->in);
}

static void on_changed(void *arg, struct inbound *in)
{
    struct listener *l = arg;
    const size_t i = slot_of(l, in);
    if (inbound_state(in) != INBOUND_CLOSED) {
        tell_of(l, &l->slots[i]);
        return;
    }
    struct slot ended = l->slots[i];
    remove_slot(l, i);
    if (ended.opened)
        tell_of(l, &ended);
    else
        tell_refused(l, in);
    inbound_free(in);
}

static void reconsider_all(struct listener *l)
{
    for (size_t i = l->count; i > 0; i--) /* it may remove itself, and none other */
        inbound_reconsider(l->slots[i - 1].in);
}

/* --- admission --- */

/* Half of an IPv6 address is for its holder to choose, but for a link-local one. */
static bool same_source(const struct addr *a, const struct addr *b)
{
    const bool link_local = a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
    if (a->family != 6 || b->family != 6 || link_local)
        return addr_same_host(a, b);
    return memcmp(a->bytes, b->bytes, 8) == 0;
}

static size_t count_from(const struct listener *l, const struct addr *source)
{
    size_t n = 0;
    for (size_t i = 0; i < l->count; i++) {
        const struct addr from = inbound_remote(l->slots[i].in);
        n += same_source(&from, source);
    }
    return n;
}

/* Handshakes under way; *OLDEST is the slot of the first, if there is one. */
static size_t count_handshakes(const struct listener *l, size_t *oldest)
{
    size_t n = 0;
    for (size_t i = l->count; i > 0; i--)
        if (inbound_state(l->slots[i - 1].in) == INBOUND_HANDSHAKE) {
            *oldest = i - 1;
            n++;
        }
    return n;
}

/* Whether there is, or can be made, room for one more handshake. */
static bool make_room(struct listener *l)
{
    size_t oldest = 0;
    const size_t handshakes = count_handshakes(l, &oldest);
    if (handshakes < LIMIT_INBOUND_HANDSHAKES && l->count < LIMIT_INBOUND)
        return true;
    if (handshakes == 0)
        return false;
    struct inbound *in = l->slots[oldest].in;
    if (loop_now_ms(l->params.loop) - inbound_began_ms(in) < LIMIT_INBOUND_PATIENCE_MS)
        return false;
    count_one(l, &l->tally.replaced);
    remove_slot(l, oldest);
    inbound_free(in);
    return true;
}

static bool admit(struct listener *l, const struct addr *from)
{
    if (count_from(l, from) >= LIMIT_INBOUND_SOURCE) {
        count_one(l, &l->tally.source);
        return false;
    }
    if (!make_room(l)) {
        count_one(l, &l->tally.full);
        return false;
    }
    return true;
}

static void on_accept(void *arg, struct stream *accepted)
{
    struct listener *l = arg;
    const struct addr from = stream_remote(accepted);
    struct inbound *in;
    if (l->profile == NULL || l->in.judge.trust == NULL || !admit(l, &from)) {
        stream_close(accepted);
        return;
    }
    if (is_err(inbound_new(&l->in, accepted, l->profile, &in))) {
        count_one(l, &l->tally.full);
        return;
    }
    l->slots[l->count++] = (struct slot){.in = in};
}

/* --- what it is made of --- */

/* Without a certificate nobody can be served; but what was reserved could not be had again. */
static void open_port(struct listener *l)
{
    const uint16_t wanted = l->cfg.port;
    if (!l->configured)
        return;
    if (wanted != 0 && l->profile == NULL)
        log_warning(AREA, "the phone has no certificate to show: port %u is not served",
                    (unsigned)wanted);
    port_set(l->port, l->profile != NULL || wanted == l->reserved ? wanted : 0);
}

/* From CFG and the identity ID; what was there stays if it cannot be. */
static void make_profile(struct listener *l, const struct listener_config *cfg, struct identity *id)
{
    struct tls_profile *profile = NULL;
    struct errinfo e = ERRINFO_INIT;
    const struct tls_profile_params p = {
        .role = TLS_SERVER,
        .versions = cfg->versions,
        .identity = id,
        .client_auth = cfg->client_auth,
        .tickets = true, /* where no certificate is asked for: see tls/profile */
        .rng = l->params.shared->rng,
    };
    const struct result r = id == NULL ? OK : tls_profile_new(&p, &profile, &e);
    if (is_err(r)) {
        log_error(AREA, "the certificate cannot be shown to clients: %s", errinfo_text(&e, r));
        return;
    }
    struct identity *old = l->identity;
    l->identity = id == NULL ? NULL : identity_ref(id);
    identity_unref(old);
    tls_profile_unref(l->profile);
    l->profile = profile;
}

static bool policy_differs(const struct verify_policy *a, const struct verify_policy *b)
{
    return a->check_trust != b->check_trust || a->rules != b->rules || a->clock != b->clock ||
           a->profile != b->profile || a->min_rsa_bits != b->min_rsa_bits ||
           a->allow_sha1 != b->allow_sha1 || a->client_eku_required != b->client_eku_required ||
           a->crl_required != b->crl_required;
}

void listener_configure(struct listener *l, const struct listener_config *cfg)
{
    const struct listener_config was = l->cfg;
    if (cfg->versions != was.versions || cfg->client_auth != was.client_auth)
        make_profile(l, cfg, l->identity);
    l->cfg = *cfg;
    l->configured = true;
    l->in.client_auth = cfg->client_auth;
    l->in.trust_ctrl = cfg->trust_ctrl;
    l->in.judge.clock = l->params.shared->clock;
    l->in.judge.filter = cfg->filter;
    l->in.judge.policy = cfg->policy;
    if (cfg->filter != was.filter || cfg->client_auth != was.client_auth ||
        policy_differs(&cfg->policy, &was.policy))
        reconsider_all(l);
    open_port(l);
}

void listener_set_identity(struct listener *l, struct identity *id)
{
    if (id == l->identity)
        return;
    make_profile(l, &l->cfg, id);
    open_port(l);
}

void listener_set_trust(struct listener *l, struct trust *trust)
{
    judge_set_trust(&l->in.judge, trust);
    reconsider_all(l);
}

void listener_clock_changed(struct listener *l)
{
    reconsider_all(l);
}

void listener_accounts_changed(struct listener *l)
{
    for (size_t i = 0; i < l->count; i++)
        inbound_accounts_changed(l->slots[i].in);
}

RESULT listener_reserve(struct listener *l, uint16_t port, struct errinfo *e)
{
    if (port == 0 || port > PORT_PRIVILEGED)
        return OK;
    TRY(port_open(l->port, port, e));
    l->reserved = port;
    return OK;
}

RESULT listener_new(const struct listener_params *p, struct listener **out, struct errinfo *e)
{
    struct listener *l = calloc(1, sizeof *l);
    if (l == NULL)
        return fail(e, ERR_NOMEM, "out of memory for the listener");
    l->params = *p;
    l->in = (struct inbound_shared){
        .loop = p->loop,
        .accounts_shared = p->shared,
        .accounts = p->accounts,
        .judge = {.purpose = VERIFY_CLIENT},
        .changed = on_changed,
        .arg = l,
    };
    l->tally_timer = loop_timer_new(p->loop, log_tally, l);
    struct result r = port_new(p->loop, on_accept, l, &l->port, e);
    if (is_ok(r) && l->tally_timer == NULL)
        r = fail(e, ERR_NOMEM, "out of memory for the listener");
    if (is_err(r)) {
        listener_free(l);
        return r;
    }
    *out = l;
    return OK;
}

void listener_free(struct listener *l)
{
    if (l == NULL)
        return;
    port_free(l->port);
    while (l->count > 0)
        inbound_free(l->slots[--l->count].in);
    loop_timer_free(l->tally_timer);
    tls_profile_unref(l->profile);
    identity_unref(l->identity);
    judge_clear(&l->in.judge);
    free(l);
}

void listener_stop(struct listener *l)
{
    port_set(l->port, 0);
    while (l->count > 0)
        inbound_close(l->slots[--l->count].in);
}

static const struct inbound *nth_open(const struct listener *l, size_t n)
{
    for (size_t i = 0; i < l->count; i++)
        if (inbound_state(l->slots[i].in) == INBOUND_OPEN && n-- == 0)
            return l->slots[i].in;
    return NULL;
}

size_t listener_count(const struct listener *l)
{
    size_t n = 0;
    while (nth_open(l, n) != NULL)
        n++;
    return n;
}

struct inbound_status listener_at(const struct listener *l, size_t i)
{
    return inbound_status(nth_open(l, i));
}
