#include "sys/dns.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/ascii.h"
#include "base/limits.h"
#include "base/slice.h"
#include "sys/aresloop.h"
#include "sys/neterr.h"

#define RESOLV_CONF "/etc/resolv.conf"

#define NAME_MAX_DNS 253 /* RFC 1035 section 2.3.4, as text */
#define LABEL_MAX    63

/* What tells one state of a file from another. */
struct file_mark {
    bool exists;
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
};

/*
 * c-ares with one reading of resolv.conf. It is replaced when that changes, and the old one lives
 * on until its look-ups have ended.
 */
struct channel {
    struct aresloop *ares;
    unsigned lookups;
    struct channel *next;
};

struct dns {
    struct loop *loop;
    struct channel *channels; /* the first is the current one */
    struct dns_query *queries;
    char *servers; /* of dns_set_servers(), or NULL */
    struct file_mark resolv_conf;
};

/* What c-ares works on. It cannot cancel one look-up alone: a cancelled query leaves its own
 * behind, without an owner. */
struct lookup {
    struct channel *channel;
    struct dns_query *query; /* NULL once nobody wants the answer */
};

struct dns_query {
    struct dns *dns;
    struct lookup *lookup;    /* NULL once it has ended */
    struct loop_timer *timer; /* the deadline; then, to answer from the loop alone, the answer */
    bool answered;
    struct addr addrs[LIMIT_DNS_ADDRESSES];
    size_t count;
    uint16_t port;
    struct result result;
    struct errinfo error;
    dns_fn *fn;
    void *arg;
    struct dns_query *next;
    char host[];
};

/* --- channels --- */

static void sweep(void *arg);

static struct result channel_new(struct dns *d, struct errinfo *e)
{
    struct channel *c = calloc(1, sizeof *c);
    if (c == NULL)
        return fail(e, ERR_NOMEM, "out of memory for the resolver");
    const struct result r = aresloop_new(d->loop, d->servers, sweep, d, &c->ares, e);
    if (is_err(r)) {
        free(c);
        return r;
    }
    c->next = d->channels;
    d->channels = c;
    return OK;
}

static void channel_free(struct channel *c)
{
    aresloop_free(c->ares);
    assert(c->lookups == 0);
    free(c);
}

/* Frees the channels that were replaced and have no more to do. */
static void sweep(void *arg)
{
    const struct dns *d = arg;
    struct channel **at = &d->channels->next;
    while (*at != NULL) {
        struct channel *c = *at;
        if (c->lookups > 0) {
            at = &c->next;
            continue;
        }
        *at = c->next;
        channel_free(c);
    }
}

static struct file_mark mark_of(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return (struct file_mark){0};
    return (struct file_mark){.exists = true,
                              .device = st.st_dev,
                              .inode = st.st_ino,
                              .size = st.st_size,
                              .modified = st.st_mtim};
}

static bool mark_eq(const struct file_mark *a, const struct file_mark *b)
{
    return a->exists == b->exists && a->device == b->device && a->inode == b->inode &&
           a->size == b->size && a->modified.tv_sec == b->modified.tv_sec &&
           a->modified.tv_nsec == b->modified.tv_nsec;
}

/* A phone changes networks: the new one's servers are asked from its first query on. */
static void follow_resolv_conf(struct dns *d)
{
    const struct file_mark now = mark_of(RESOLV_CONF);
    struct errinfo e = ERRINFO_INIT;
    if (mark_eq(&now, &d->resolv_conf))
        return;
    if (is_ok(channel_new(d, &e))) /* else the old one goes on, and the next query tries again */
        d->resolv_conf = now;
    sweep(d);
}

/* --- the resolver --- */

struct result dns_new(struct loop *l, struct dns **out, struct errinfo *e)
{
    struct dns *d = calloc(1, sizeof *d);
    if (d == NULL)
        return fail(e, ERR_NOMEM, "out of memory for the resolver");
    d->loop = l;
    d->resolv_conf = mark_of(RESOLV_CONF);
    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
        free(d);
        return fail(e, ERR_DNS, "cannot start the resolver");
    }
    const struct result r = channel_new(d, e);
    if (is_err(r)) {
        ares_library_cleanup();
        free(d);
        return r;
    }
    *out = d;
    return OK;
}

void dns_free(struct dns *d)
{
    if (d == NULL)
        return;
    while (d->queries != NULL)
        dns_cancel(d->queries);
    while (d->channels != NULL) {
        struct channel *c = d->channels;
        d->channels = c->next;
        channel_free(c);
    }
    ares_library_cleanup();
    free(d->servers);
    free(d);
}

struct result dns_set_servers(struct dns *d, const char *servers, struct errinfo *e)
{
    char *before = d->servers;
    d->servers = strdup(servers);
    if (d->servers == NULL) {
        d->servers = before;
        return fail(e, ERR_NOMEM, "out of memory for the resolver");
    }
    if (is_err(channel_new(d, NULL))) {
        free(d->servers);
        d->servers = before;
        return fail(e, ERR_INVALID, "'%s' is not a list of DNS servers", servers);
    }
    free(before);
    sweep(d);
    return OK;
}

/* --- queries --- */

/* The query is gone before its owner hears of it: the owner may free everything. */
static void give_answer(void *arg)
{
    struct dns_query *q = arg;
    if (!q->answered)
        q->result = neterr_no_answer(&q->error, q->host); /* the deadline */
    const struct dns_query answer = *q;
    dns_cancel(q);
    answer.fn(answer.arg, answer.result, answer.addrs, is_ok(answer.result) ? answer.count : 0,
              &answer.error);
}

static void answer_soon(struct dns_query *q, struct result r)
{
    q->answered = true;
    q->result = r;
    loop_timer_start(q->timer, 0);
}

/* Which of the last group it is depends on the version of c-ares more than on the server. */
static struct result describe_failure(struct errinfo *e, int status, const char *host)
{
    switch (status) {
    case ARES_ENODATA:
    case ARES_ENOTFOUND:
        return neterr_no_address(e, host);
    case ARES_ETIMEOUT:
        return neterr_no_answer(e, host);
    case ARES_EBADNAME:
        return fail_native(e, ERR_DNS, status, "'%s' is not the name of a host", host);
    case ARES_ECONNREFUSED:
    case ARES_ESERVICE:
    case ARES_ESERVFAIL:
    case ARES_EREFUSED:
        return fail_native(e, ERR_DNS, status,
                           "no DNS server can be reached, or all failed, when asked for %s: check "
                           "the network's DNS settings",
                           host);
    default:
        return fail_native(e, ERR_DNS, status, "cannot find the address of %s: %s", host,
                           ares_strerror(status));
    }
}

static void take_addresses(struct dns_query *q, const struct ares_addrinfo *result)
{
    for (const struct ares_addrinfo_node *n = result == NULL ? NULL : result->nodes;
         n != NULL && q->count < LIMIT_DNS_ADDRESSES; n = n->ai_next) {
        struct addr a = addr_from_sockaddr(n->ai_addr);
        a.port = q->port;
        if (a.family != 0)
            q->addrs[q->count++] = a;
    }
}

/* From c-ares; inside ares_getaddrinfo() already where /etc/hosts knows the name. */
static void lookup_ended(void *arg, int status, int timeouts, struct ares_addrinfo *result)
{
    (void)timeouts;
    struct lookup *k = arg;
    struct dns_query *q = k->query;
    k->channel->lookups--;
    free(k);
    if (q != NULL) {
        q->lookup = NULL;
        if (status == ARES_SUCCESS)
            take_addresses(q, result);
        if (q->count == 0 && status == ARES_SUCCESS)
            status = ARES_ENODATA;
        answer_soon(q, status == ARES_SUCCESS ? OK : describe_failure(&q->error, status, q->host));
    }
    ares_freeaddrinfo(result);
}

/* RFC 1123 section 2.1, and the underscore that the world uses: c-ares asks for anything. */
static bool is_host_name(const char *host)
{
    struct slice rest = slice_of_str(host);
    if (rest.n > NAME_MAX_DNS)
        return false;
    do {
        const struct slice label = slice_cut(&rest, '.');
        if (label.n == 0 || label.n > LABEL_MAX)
            return false;
        for (size_t i = 0; i < label.n; i++)
            if (!ascii_is_alnum(label.p[i]) && label.p[i] != '-' && label.p[i] != '_')
                return false;
    } while (rest.n > 0);
    return true;
}

/* The last label of a name that is_host_name(), at the end of which may be a dot. */
static struct slice last_label(const char *host)
{
    struct slice rest = slice_of_str(host);
    struct slice label = SLICE_EMPTY;
    while (rest.n > 0)
        label = slice_cut(&rest, '.');
    return label;
}

/* RFC 6761 section 6.3: localhost and all below it are this machine, whatever files and servers
 * say, and nobody is asked. */
static bool take_localhost(struct dns_query *q)
{
    if (!slice_eq_nocase_str(last_label(q->host), "localhost"))
        return false;
    const bool both =
        addr_parse("127.0.0.1", q->port, &q->addrs[0]) && addr_parse("::1", q->port, &q->addrs[1]);
    assert(both);
    q->count = 2;
    return both;
}

static struct result look_up(struct dns_query *q, struct errinfo *e)
{
    struct lookup *k = calloc(1, sizeof *k);
    if (k == NULL)
        return fail(e, ERR_NOMEM, "out of memory for a DNS query");
    follow_resolv_conf(q->dns);
    struct channel *c = q->dns->channels;
    k->channel = c;
    k->query = q;
    q->lookup = k;
    c->lookups++;
    aresloop_look_up(c->ares, q->host, lookup_ended, k);
    return OK;
}

static struct dns_query *query_new(struct dns *d, const char *host, uint16_t port)
{
    const size_t n = strlen(host) + 1;
    struct dns_query *q = calloc(1, sizeof *q + n);
    if (q == NULL)
        return NULL;
    q->timer = loop_timer_new(d->loop, give_answer, q);
    if (q->timer == NULL) {
        free(q);
        return NULL;
    }
    memcpy(q->host, host, n);
    q->error = ERRINFO_INIT;
    q->port = port;
    q->dns = d;
    q->next = d->queries;
    d->queries = q;
    return q;
}

struct result dns_resolve(struct dns *d, const char *host, uint16_t port, dns_fn *fn, void *arg,
                          struct dns_query **out, struct errinfo *e)
{
    struct dns_query *q = query_new(d, host, port);
    if (q == NULL)
        return fail(e, ERR_NOMEM, "out of memory for a DNS query");
    q->fn = fn;
    q->arg = arg;
    loop_timer_start(q->timer, LIMIT_DNS_MS);
    if (addr_parse(host, port, &q->addrs[0])) {
        q->count = 1;
        answer_soon(q, OK);
    } else if (!is_host_name(host)) {
        answer_soon(q, describe_failure(&q->error, ARES_EBADNAME, host));
    } else if (take_localhost(q)) {
        answer_soon(q, OK);
    } else {
        const struct result r = look_up(q, e);
        if (is_err(r)) {
            dns_cancel(q);
            return r;
        }
    }
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
    if (q->lookup != NULL)
        q->lookup->query = NULL;
    loop_timer_free(q->timer);
    free(q);
}
