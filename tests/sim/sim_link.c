/* The wire: connecting, bytes with latency and a window, closing, cutting. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "sim/link.h"

#define CAPTURE_CAP ((size_t)64 << 20)
#define READ_SIZE   32768 /* as one read of the real streams */

struct packet {
    struct sim_event arrival;
    struct half *half;
    struct packet *next;
    enum ending ending; /* no data, but this */
    size_t n;
    uint8_t data[];
};

struct reach_rule {
    struct addr addr; /* port 0 */
    enum sim_reach reach;
    struct reach_rule *next;
};

static enum sim_side other(enum sim_side side)
{
    return side == SIM_CLIENT ? SIM_SERVER : SIM_CLIENT;
}

static void must(struct result r)
{
    if (is_err(r))
        sim_abort("%s", err_text(r.code));
}

/* --- the network's settings --- */

void sim_net_init(struct sim *w)
{
    w->net = (struct sim_net){.latency_ms = 1, .window = 65536, .next_port = 40000};
}

void sim_net_latency(struct sim *w, uint64_t ms)
{
    w->net.latency_ms = ms;
}

void sim_net_from(struct sim *w, const char *ip)
{
    w->net.from = (struct addr){0};
    if (ip != NULL && !addr_parse(ip, 0, &w->net.from))
        sim_abort("'%s' is no address", ip);
}

void sim_net_chunk(struct sim *w, size_t n)
{
    w->net.chunk = n;
}

void sim_net_window(struct sim *w, size_t n)
{
    w->net.window = n;
}

void sim_net_reach(struct sim *w, const char *ip, enum sim_reach reach)
{
    struct reach_rule *rule = sim_alloc(sizeof *rule);
    if (!addr_parse(ip, 0, &rule->addr))
        sim_abort("'%s' is not an IP address", ip);
    rule->reach = reach;
    rule->next = w->net.rules; /* before an older one for the same address */
    w->net.rules = rule;
}

static enum sim_reach reach_of(const struct addr *to)
{
    struct addr host = *to;
    host.port = 0;
    for (const struct reach_rule *r = sim_world->net.rules; r != NULL; r = r->next)
        if (addr_eq(&r->addr, &host))
            return r->reach;
    return SIM_REACH_OK;
}

static uint64_t latency(const struct sim_link *k)
{
    return k->path != NULL ? 0 : sim_world->net.latency_ms;
}

/* --- connecting --- */

static void answer_came(void *arg)
{
    struct sim_link *k = arg;
    struct stream *client = k->end[SIM_CLIENT];
    if (client == NULL)
        return;
    k->opened = k->answer_why == 0;
    if (k->opened)
        stream_opened(client);
    else
        stream_failed(client, k->answer_why);
}

static void answer(struct sim_link *k, int why, uint64_t ms)
{
    k->answer_why = why;
    sim_event_arm(&k->answer, ms);
}

static void request_arrived(void *arg)
{
    struct sim_link *k = arg;
    struct stream_listener *sl = listener_find(&k->to, k->path);
    const enum sim_reach reach = k->path != NULL ? SIM_REACH_OK : reach_of(&k->to);
    if (k->end[SIM_CLIENT] == NULL)
        return;
    if (reach == SIM_REACH_SILENT) {
        k->answer.is_timer = true;
        answer(k, ETIMEDOUT, SIM_SYN_TIMEOUT_MS);
    } else if (reach == SIM_REACH_UNREACHABLE) {
        answer(k, EHOSTUNREACH, 0);
    } else if (reach == SIM_REACH_REFUSED || sl == NULL) {
        answer(k, ECONNREFUSED, latency(k));
    } else {
        answer(k, 0, latency(k));
        k->end[SIM_SERVER] = stream_accepted(k);
        listener_accept(sl, k->end[SIM_SERVER]);
    }
}

static void tell_reader(void *arg);
static void tell_drained(void *arg);
static void tell_dead(void *arg);

static struct addr next_client_addr(const struct addr *to)
{
    struct addr a = sim_world->net.from;
    if (a.family != 0) {
        a.port = sim_world->net.next_port++;
        return a;
    }
    const char *ip = to->family == 6 ? "2001:db8::100" : "192.0.2.100";
    if (!addr_parse(ip, sim_world->net.next_port++, &a))
        sim_abort("cannot make the address of a client");
    return a;
}

struct sim_link *link_dial(struct stream *client, const struct addr *to, const char *path)
{
    struct sim_net *net = &sim_world->net;
    struct sim_link *k = sim_alloc(sizeof *k);
    struct sim_link **links = realloc(net->links, (net->link_count + 1) * sizeof *links);
    if (links == NULL)
        sim_abort("out of memory");
    net->links = links;
    links[net->link_count++] = k;

    k->dialled_ms = sim_world->now_ms;
    k->cred = net->cred;
    if (path != NULL) {
        k->path = sim_copy(path);
    } else {
        k->to = *to;
        k->from = next_client_addr(to);
    }
    k->end[SIM_CLIENT] = client;
    k->arrival = SIM_EVENT(request_arrived, k);
    k->answer = SIM_EVENT(answer_came, k);
    for (int side = SIM_CLIENT; side <= SIM_SERVER; side++) {
        struct half *h = &k->half[side];
        h->link = k;
        h->from = (enum sim_side)side;
        h->readable = SIM_EVENT(tell_reader, h);
        h->drained = SIM_EVENT(tell_drained, h);
        h->dead = SIM_EVENT(tell_dead, h);
        h->dead.is_timer = true;
        buf_init(&h->sent, CAPTURE_CAP);
        buf_init(&h->queue, CAPTURE_CAP);
        buf_init(&h->received, CAPTURE_CAP);
    }
    sim_event_arm(&k->arrival, latency(k));
    return k;
}

/* --- sending --- */

static void free_packet(struct packet *p)
{
    struct packet **at = &p->half->wire;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    sim_event_disarm(&p->arrival);
    free(p);
}

static void find_dead(struct half *h, int why, uint64_t ms)
{
    if (h->dead.armed && h->dead.at_ms <= sim_world->now_ms + ms)
        return;
    h->dead_why = why;
    sim_event_arm(&h->dead, ms);
}

static void tell_dead(void *arg)
{
    const struct half *h = arg;
    struct stream *s = h->link->end[h->from];
    if (s != NULL)
        stream_failed(s, h->dead_why);
}

/* Data for an end that has left is answered with a reset (RFC 9293 section 3.10.7.1). */
static void packet_arrived(void *arg)
{
    struct packet *p = arg;
    struct half *h = p->half;
    struct sim_link *k = h->link;
    if (k->silent) {
        free_packet(p);
        return;
    }
    h->on_wire -= p->n;
    if (k->end[other(h->from)] == NULL) {
        if (p->n > 0)
            find_dead(h, ECONNRESET, latency(k));
    } else {
        must(buf_append(&h->received, slice_of(p->data, p->n)));
        if (p->ending != ENDING_NONE)
            h->ending = p->ending;
        struct half *back = &k->half[other(h->from)];
        if (p->ending == ENDING_RESET && buf_len(&back->queue) > 0)
            find_dead(back, ECONNRESET, 0); /* its write fails, whether it reads or not */
        link_poke_reader(k, other(h->from));
    }
    free_packet(p);
}

static void put_on_wire(struct half *h, struct slice data, enum ending ending)
{
    h->on_wire += data.n;
    if (h->link->silent) {
        if (data.n > 0)
            find_dead(h, ETIMEDOUT, LIMIT_TCP_UNANSWERED_MS);
        return;
    }
    struct packet *p = sim_alloc(sizeof *p + data.n);
    p->arrival = SIM_EVENT(packet_arrived, p);
    p->half = h;
    p->ending = ending;
    p->n = data.n;
    if (data.n > 0)
        memcpy(p->data, data.p, data.n);

    /* Never before what was sent earlier, though the latency may have been changed. */
    uint64_t ms = latency(h->link);
    struct packet **at = &h->wire;
    for (; *at != NULL; at = &(*at)->next)
        if ((*at)->arrival.at_ms > sim_world->now_ms + ms)
            ms = (*at)->arrival.at_ms - sim_world->now_ms;
    *at = p;
    sim_event_arm(&p->arrival, ms);
}

/* From the queue onto the wire as far as the window allows, and the close behind the last byte. */
static void pump(struct half *h)
{
    const size_t used = h->on_wire + buf_len(&h->received);
    const size_t space = sim_world->net.window > used ? sim_world->net.window - used : 0;
    const struct slice now = slice_first(buf_slice(&h->queue), space);
    if (now.n == 0)
        return;
    put_on_wire(h, now, ENDING_NONE);
    buf_consume(&h->queue, now.n);
    if (buf_len(&h->queue) > 0)
        return;
    if (h->closed)
        put_on_wire(h, SLICE_EMPTY, ENDING_CLOSE);
    else
        sim_event_arm(&h->drained, 0);
}

void link_send(struct sim_link *k, enum sim_side from, struct slice data)
{
    struct half *h = &k->half[from];
    const bool waits = buf_len(&h->queue) > 0;
    must(buf_append(&h->sent, data));
    must(buf_append(&h->queue, data));
    pump(h);
    if (!waits) /* as in the real one, what the kernel takes at once is not told */
        sim_event_disarm(&h->drained);
}

size_t link_queued(const struct sim_link *k, enum sim_side from)
{
    return buf_len(&k->half[from].queue);
}

static void tell_drained(void *arg)
{
    const struct half *h = arg;
    struct stream *s = h->link->end[h->from];
    if (s != NULL && buf_len(&h->queue) == 0)
        stream_drained(s);
}

/* --- receiving --- */

void link_poke_reader(struct sim_link *k, enum sim_side side)
{
    struct half *h = &k->half[other(side)];
    const bool something = buf_len(&h->received) > 0 || h->ending != ENDING_NONE;
    if (something && !h->readable.armed && k->end[side] != NULL && stream_reads(k->end[side]))
        sim_event_arm(&h->readable, 0);
}

/* One on_data, of a copy that is freed at once: who keeps the slice is found out. */
static void tell_reader(void *arg)
{
    struct half *h = arg;
    struct sim_link *k = h->link;
    const enum sim_side side = other(h->from);
    struct stream *s = k->end[side];
    if (s == NULL || !stream_reads(s))
        return;
    if (buf_len(&h->received) == 0) {
        stream_failed(s, h->ending == ENDING_RESET ? ECONNRESET : 0);
        return;
    }
    const size_t chunk = sim_world->net.chunk;
    const struct slice data = slice_first(buf_slice(&h->received), chunk > 0 ? chunk : READ_SIZE);
    uint8_t *copy = sim_alloc(data.n);
    memcpy(copy, data.p, data.n);
    const size_t n = data.n;
    buf_consume(&h->received, n);
    pump(h);
    stream_receive(s, slice_of(copy, n));
    free(copy);
    link_poke_reader(k, side);
}

/* --- closing and cutting --- */

void link_shut(struct sim_link *k, enum sim_side side)
{
    struct half *h = &k->half[side];
    if (h->closed)
        return;
    h->closed = true;
    if (buf_len(&h->queue) == 0)
        put_on_wire(h, SLICE_EMPTY, ENDING_CLOSE);
}

/* A close with bytes unread is a reset (RFC 1122 section 4.2.2.13). */
void link_leave(struct sim_link *k, enum sim_side side)
{
    struct half *out = &k->half[side];
    struct half *in = &k->half[other(side)];
    const bool unread = buf_len(&in->received) > 0;
    k->end[side] = NULL;
    buf_free(&out->queue);
    buf_free(&in->received);
    sim_event_disarm(&out->drained);
    sim_event_disarm(&out->dead);
    sim_event_disarm(&in->readable);
    if (!out->closed || unread)
        put_on_wire(out, SLICE_EMPTY, unread ? ENDING_RESET : ENDING_CLOSE);
    out->closed = true;
}

void sim_link_cut(struct sim_link *k, enum sim_cut how)
{
    k->silent = true; /* nothing that is on its way arrives any more */
    for (int side = SIM_CLIENT; side <= SIM_SERVER; side++) {
        struct half *h = &k->half[side];
        if (how == SIM_CUT_RESET) {
            h->dead.is_timer = false;
            find_dead(h, ECONNRESET, 0);
        } else {
            find_dead(h, ETIMEDOUT, (LIMIT_TCP_IDLE_S + LIMIT_TCP_PROBE_S) * 1000);
            if (h->on_wire > 0)
                find_dead(h, ETIMEDOUT, LIMIT_TCP_UNANSWERED_MS);
        }
    }
}

/* --- looking --- */

size_t sim_link_count(const struct sim *w)
{
    return w->net.link_count;
}

struct sim_link *sim_link_at(const struct sim *w, size_t i)
{
    if (i >= w->net.link_count)
        sim_abort("there is no connection %zu, only %zu", i, w->net.link_count);
    return w->net.links[i];
}

struct sim_link *sim_link_last(const struct sim *w)
{
    return w->net.link_count == 0 ? NULL : w->net.links[w->net.link_count - 1];
}

uint64_t sim_link_dialled_ms(const struct sim_link *k)
{
    return k->dialled_ms;
}

struct addr sim_link_to(const struct sim_link *k)
{
    return k->to;
}

bool sim_link_is_open(const struct sim_link *k)
{
    return k->opened && k->end[SIM_CLIENT] != NULL && k->end[SIM_SERVER] != NULL;
}

struct slice sim_link_sent(const struct sim_link *k, enum sim_side side)
{
    return buf_slice(&k->half[side].sent);
}

static void free_link(struct sim_link *k)
{
    sim_event_disarm(&k->arrival);
    sim_event_disarm(&k->answer);
    for (int side = SIM_CLIENT; side <= SIM_SERVER; side++) {
        struct half *h = &k->half[side];
        while (h->wire != NULL)
            free_packet(h->wire);
        sim_event_disarm(&h->readable);
        sim_event_disarm(&h->drained);
        sim_event_disarm(&h->dead);
        buf_free(&h->sent);
        buf_free(&h->queue);
        buf_free(&h->received);
    }
    free(k->path);
    free(k);
}

void sim_net_free(struct sim *w)
{
    for (size_t i = 0; i < w->net.link_count; i++)
        free_link(w->net.links[i]);
    free(w->net.links);
    while (w->net.rules != NULL) {
        struct reach_rule *rule = w->net.rules;
        w->net.rules = rule->next;
        free(rule);
    }
}
