/* sys/dns.h over a table of names. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/slice.h"
#include "sim/world.h"
#include "sys/dns.h"
#include "sys/neterr.h"

struct sim_host {
    char *name;
    struct addr addrs[LIMIT_DNS_ADDRESSES];
    size_t count;
    enum err fails; /* ERR_OK: it does not */
    char sentence[ERRINFO_TEXT_MAX];
    bool has_delay;
    uint64_t delay_ms;
    unsigned queries;
    struct sim_host *next;
};

struct dns {
    struct dns_query *queries;
};

struct dns_query {
    struct dns *dns;
    struct sim_event answer;
    char *host;
    uint16_t port;
    bool unanswered;
    dns_fn *fn;
    void *arg;
    struct dns_query *next;
};

/* --- the table --- */

static struct sim_host *find(const struct sim *w, const char *name)
{
    struct sim_host *h = w->hosts;
    while (h != NULL && !slice_eq_nocase_str(slice_of_str(h->name), name))
        h = h->next;
    return h;
}

static struct sim_host *find_or_add(struct sim *w, const char *name)
{
    struct sim_host *h = find(w, name);
    if (h != NULL)
        return h;
    h = sim_alloc(sizeof *h);
    h->name = sim_copy(name);
    h->next = w->hosts;
    w->hosts = h;
    return h;
}

void sim_host_add(struct sim *w, const char *name, const char *ip)
{
    struct sim_host *h = find_or_add(w, name);
    if (h->count == LIMIT_DNS_ADDRESSES || !addr_parse(ip, 0, &h->addrs[h->count]))
        sim_abort("'%s' cannot be an address of %s", ip, name);
    h->count++;
    h->fails = ERR_OK;
}

void sim_host_clear(struct sim *w, const char *name)
{
    find_or_add(w, name)->count = 0;
}

void sim_host_fail(struct sim *w, const char *name, enum err code, const char *sentence)
{
    struct sim_host *h = find_or_add(w, name);
    h->fails = code;
    if (!slice_to_str(slice_of_str(sentence), h->sentence, sizeof h->sentence))
        sim_abort("the sentence is too long: %s", sentence);
}

void sim_host_delay(struct sim *w, const char *name, uint64_t ms)
{
    struct sim_host *h = find_or_add(w, name);
    h->has_delay = true;
    h->delay_ms = ms;
}

unsigned sim_host_queries(const struct sim *w, const char *name)
{
    const struct sim_host *h = find(w, name);
    return h == NULL ? 0 : h->queries;
}

void sim_hosts_free(struct sim *w)
{
    while (w->hosts != NULL) {
        struct sim_host *h = w->hosts;
        w->hosts = h->next;
        free(h->name);
        free(h);
    }
}

/* --- sys/dns.h --- */

struct result dns_new(struct loop *l, struct dns **out, struct errinfo *e)
{
    (void)l;
    (void)e;
    *out = sim_alloc(sizeof **out);
    sim_world->made.resolvers++;
    return OK;
}

void dns_free(struct dns *d)
{
    if (d == NULL)
        return;
    while (d->queries != NULL)
        dns_cancel(d->queries);
    sim_world->made.resolvers--;
    free(d);
}

static struct result look_up(const struct dns_query *q, struct addr *addrs, size_t *n,
                             struct errinfo *e)
{
    const struct sim_host *h = find(sim_world, q->host);
    *n = 1;
    if (addr_parse(q->host, q->port, &addrs[0]))
        return OK;
    if (q->unanswered)
        return neterr_no_answer(e, q->host);
    if (h != NULL && h->fails != ERR_OK)
        return fail(e, h->fails, "%s", h->sentence);
    if (h == NULL || h->count == 0)
        return neterr_no_address(e, q->host);
    *n = h->count;
    for (size_t i = 0; i < *n; i++) {
        addrs[i] = h->addrs[i];
        addrs[i].port = q->port;
    }
    return OK;
}

/* The query is gone before its owner hears of it. */
static void answered(void *arg)
{
    struct dns_query *q = arg;
    struct addr addrs[LIMIT_DNS_ADDRESSES];
    size_t n = 0;
    struct errinfo e = ERRINFO_INIT;
    const struct result r = look_up(q, addrs, &n, &e);
    dns_fn *fn = q->fn;
    void *fn_arg = q->arg;
    dns_cancel(q);
    fn(fn_arg, r, addrs, is_ok(r) ? n : 0, &e);
}

static uint64_t delay_of(const char *host)
{
    struct addr literal;
    if (addr_parse(host, 0, &literal))
        return 0;
    const struct sim_host *h = find_or_add(sim_world, host);
    return h->has_delay ? h->delay_ms : sim_world->net.latency_ms;
}

struct result dns_resolve(struct dns *d, const char *host, uint16_t port, dns_fn *fn, void *arg,
                          struct dns_query **out, struct errinfo *e)
{
    if (sim_refuses_call())
        return fail(e, ERR_NOMEM, "out of memory for a DNS query");
    const uint64_t delay = delay_of(host);
    struct dns_query *q = sim_alloc(sizeof *q);
    *q = (struct dns_query){.dns = d, .port = port, .fn = fn, .arg = arg, .next = d->queries};
    q->host = sim_copy(host);
    q->unanswered = delay >= LIMIT_DNS_MS;
    q->answer = SIM_EVENT(answered, q);
    q->answer.is_timer = q->unanswered;
    d->queries = q;
    sim_world->made.queries++;
    find_or_add(sim_world, host)->queries++;
    sim_event_arm(&q->answer, q->unanswered ? LIMIT_DNS_MS : delay);
    *out = q;
    return OK;
}

void dns_cancel(struct dns_query *q)
{
    if (q == NULL)
        return;
    struct dns_query **at = &q->dns->queries;
    while (*at != q)
        at = &(*at)->next;
    *at = q->next;
    sim_event_disarm(&q->answer);
    sim_world->made.queries--;
    free(q->host);
    free(q);
}

/* The table is the only server here. */
struct result dns_set_servers(struct dns *d, const char *servers, struct errinfo *e)
{
    (void)d;
    (void)servers;
    (void)e;
    return OK;
}
