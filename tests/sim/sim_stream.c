/* sys/stream.h at the ends of simulated wires. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "sim/link.h"
#include "sys/neterr.h"

enum stream_state {
    STREAM_ACCEPTED,
    STREAM_CONNECTING,
    STREAM_OPEN,
    STREAM_ENDED,
    STREAM_FINISHING,
};

struct stream {
    struct sim_link *link;
    enum sim_side side;
    enum stream_state state;
    struct stream_handlers h;
    void *arg;
    size_t queue_cap;
    bool paused;
    struct sim_event deadline; /* FINISHING */
};

struct stream_listener {
    struct addr at;
    char *path; /* Unix */
    mode_t mode;
    gid_t gid;
    stream_accept_fn *fn;
    void *arg;
    struct stream_listener *next;
};

/* --- streams --- */

static struct stream *stream_new(enum sim_side side, enum stream_state state)
{
    struct stream *s = sim_alloc(sizeof *s);
    s->side = side;
    s->state = state;
    sim_world->made.streams++;
    return s;
}

static void leave(struct stream *s)
{
    sim_event_disarm(&s->deadline);
    link_leave(s->link, s->side);
    free(s);
}

void stream_close(struct stream *s)
{
    if (s == NULL)
        return;
    sim_world->made.streams--;
    leave(s);
}

static struct stream *dial(const struct addr *to, const char *path, size_t queue_cap,
                           const struct stream_handlers *h, void *arg)
{
    struct stream *s = stream_new(SIM_CLIENT, STREAM_CONNECTING);
    s->h = *h;
    s->arg = arg;
    s->queue_cap = queue_cap;
    s->link = link_dial(s, to, path);
    return s;
}

struct result stream_connect(struct loop *l, const struct addr *to, size_t queue_cap,
                             const struct stream_handlers *h, void *arg, struct stream **out,
                             struct errinfo *e)
{
    (void)l;
    if (sim_refuses_call())
        return fail(e, ERR_NOMEM, "out of memory for a connection");
    *out = dial(to, NULL, queue_cap, h, arg);
    return OK;
}

void stream_start(struct stream *s, size_t queue_cap, const struct stream_handlers *h, void *arg)
{
    if (s->state != STREAM_ACCEPTED)
        sim_abort("stream_start() of a stream that was started or is not an accepted one");
    s->state = STREAM_OPEN;
    s->h = *h;
    s->arg = arg;
    s->queue_cap = queue_cap;
    link_poke_reader(s->link, s->side);
}

struct result stream_write(struct stream *s, struct slice data)
{
    if (s->state != STREAM_OPEN)
        return err(ERR_STATE);
    if (data.n > s->queue_cap - stream_queued(s))
        return err(ERR_LIMIT);
    link_send(s->link, s->side, data);
    return OK;
}

size_t stream_queued(const struct stream *s)
{
    return link_queued(s->link, s->side);
}

void stream_pause(struct stream *s)
{
    s->paused = true;
}

void stream_resume(struct stream *s)
{
    s->paused = false;
    link_poke_reader(s->link, s->side);
}

static void finished(struct stream *s)
{
    sim_world->made.finishing--;
    leave(s);
}

static void deadline_passed(void *arg)
{
    finished(arg);
}

void stream_finish(struct stream *s)
{
    if (s == NULL)
        return;
    if (s->state != STREAM_OPEN) {
        stream_close(s);
        return;
    }
    sim_world->made.streams--;
    sim_world->made.finishing++;
    s->state = STREAM_FINISHING;
    s->deadline = SIM_EVENT(deadline_passed, s);
    s->deadline.is_timer = true;
    sim_event_arm(&s->deadline, LIMIT_CLOSE_MS);
    link_shut(s->link, s->side);
    link_poke_reader(s->link, s->side);
}

struct addr stream_local(const struct stream *s)
{
    return s->side == SIM_CLIENT ? s->link->from : s->link->to;
}

struct addr stream_remote(const struct stream *s)
{
    return s->side == SIM_CLIENT ? s->link->to : s->link->from;
}

struct result stream_peer_cred(const struct stream *s, struct stream_cred *out)
{
    if (s->link->path == NULL)
        return err(ERR_UNSUPPORTED);
    *out = s->link->cred;
    return OK;
}

/* Simulated peers have no other groups. */
bool stream_peer_in_group(const struct stream *s, gid_t gid)
{
    return s->link->path != NULL && s->link->cred.gid == gid;
}

struct sim_link *sim_link_of(const struct stream *s)
{
    return s->link;
}

/* --- what the wire asks --- */

struct stream *stream_accepted(struct sim_link *k)
{
    struct stream *s = stream_new(SIM_SERVER, STREAM_ACCEPTED);
    s->link = k;
    return s;
}

void stream_opened(struct stream *s)
{
    s->state = STREAM_OPEN;
    link_poke_reader(s->link, s->side);
    s->h.on_open(s->arg);
}

bool stream_reads(const struct stream *s)
{
    return (s->state == STREAM_OPEN && !s->paused) || s->state == STREAM_FINISHING;
}

void stream_receive(struct stream *s, struct slice data)
{
    if (s->state == STREAM_OPEN)
        s->h.on_data(s->arg, data);
}

void stream_drained(struct stream *s)
{
    if (s->state == STREAM_OPEN && s->h.on_drained != NULL)
        s->h.on_drained(s->arg);
}

void stream_failed(struct stream *s, int errnum)
{
    struct errinfo e = ERRINFO_INIT;
    if (s->state == STREAM_FINISHING) {
        finished(s);
        return;
    }
    if (s->state != STREAM_CONNECTING && s->state != STREAM_OPEN)
        return;
    const struct result why = s->state == STREAM_CONNECTING
                                  ? neterr_connect(&e, &s->link->to, errnum)
                                  : neterr_stream(&e, errnum);
    s->state = STREAM_ENDED;
    s->h.on_closed(s->arg, why, &e);
}

/* --- listening --- */

static struct stream_listener *listener_at(const struct addr *at)
{
    for (struct stream_listener *sl = sim_world->net.listeners; sl != NULL; sl = sl->next)
        if (sl->path == NULL && addr_eq(&sl->at, at))
            return sl;
    return NULL;
}

/* Who listens at the very address comes before who listens at all. */
static struct stream_listener *listener_for(const struct addr *to)
{
    static const struct addr any;
    struct addr wildcard = *to;
    memcpy(wildcard.bytes, any.bytes, sizeof wildcard.bytes);
    wildcard.scope = 0;
    struct stream_listener *sl = listener_at(to);
    return sl != NULL ? sl : listener_at(&wildcard);
}

struct stream_listener *listener_find(const struct addr *to, const char *path)
{
    if (path == NULL)
        return listener_for(to);
    for (struct stream_listener *sl = sim_world->net.listeners; sl != NULL; sl = sl->next)
        if (sl->path != NULL && strcmp(sl->path, path) == 0)
            return sl;
    return NULL;
}

void listener_accept(struct stream_listener *sl, struct stream *accepted)
{
    sl->fn(sl->arg, accepted);
}

static struct stream_listener *listener_new(stream_accept_fn *fn, void *arg)
{
    struct stream_listener *sl = sim_alloc(sizeof *sl);
    sl->fn = fn;
    sl->arg = arg;
    sl->next = sim_world->net.listeners;
    sim_world->net.listeners = sl;
    sim_world->made.listeners++;
    return sl;
}

void stream_listener_free(struct stream_listener *sl)
{
    if (sl == NULL)
        return;
    struct stream_listener **at = &sim_world->net.listeners;
    while (*at != sl)
        at = &(*at)->next;
    *at = sl->next;
    sim_world->made.listeners--;
    free(sl->path);
    free(sl);
}

struct result stream_listen_tcp(struct loop *l, const struct addr *at, stream_accept_fn *fn,
                                void *arg, struct stream_listener **out, struct errinfo *e)
{
    (void)l;
    char text[ADDR_TEXT_SIZE];
    struct addr here = *at;
    if (here.port == 0)
        here.port = sim_world->net.next_port++;
    addr_format(&here, text);
    if (listener_at(&here) != NULL)
        return fail_errno(e, EADDRINUSE, "cannot listen on %s", text);
    *out = listener_new(fn, arg);
    (*out)->at = here;
    return OK;
}

struct addr stream_listener_local(const struct stream_listener *sl)
{
    return sl->at;
}

struct result stream_listen_unix(struct loop *l, const char *path, mode_t mode, gid_t gid,
                                 stream_accept_fn *fn, void *arg, struct stream_listener **out,
                                 struct errinfo *e)
{
    (void)l;
    if (listener_find(NULL, path) != NULL)
        return fail(e, ERR_EXISTS, "another process answers on %s", path);
    *out = listener_new(fn, arg);
    (*out)->path = sim_copy(path);
    (*out)->mode = mode;
    (*out)->gid = gid;
    return OK;
}

struct stream *sim_connect_unix(struct sim *w, const char *path, size_t queue_cap,
                                const struct stream_handlers *h, void *arg)
{
    (void)w;
    return dial(NULL, path, queue_cap, h, arg);
}

void sim_unix_cred(struct sim *w, struct stream_cred cred)
{
    w->net.cred = cred;
}

void sim_unix_access(const struct sim *w, const char *path, mode_t *mode, gid_t *gid)
{
    (void)w;
    const struct stream_listener *sl = listener_find(NULL, path);
    if (sl == NULL)
        sim_abort("nobody listens at %s", path);
    *mode = sl->mode;
    *gid = sl->gid;
}
