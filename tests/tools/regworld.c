#include "tools/regworld.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sip/frame.h"
#include "tools/rigged_rng.h"

static void must(bool happen)
{
    if (!happen)
        abort();
}

static struct result on_send(void *arg, struct slice message)
{
    struct regworld *w = arg;
    w->requests++;
    must(slice_to_str(message, w->last, sizeof w->last));
    return buf_append(&w->wire, message);
}

static void on_changed(void *arg)
{
    struct regworld *w = arg;
    w->changes++;
}

static void on_give_up(void *arg, const struct errinfo *why)
{
    struct regworld *w = arg;
    must(why->code == ERR_TIMEOUT);
    w->given_up++;
}

const struct registration_handlers regworld_handlers = {on_send, on_changed, on_give_up};

static void on_event(void *arg, const struct registrar_event *e)
{
    struct regworld *w = arg;
    const size_t used = strlen(w->log);
    (void)snprintf(w->log + used, sizeof w->log - used, "%s%s", used > 0 ? " " : "",
                   registrar_event_name(e->type));
}

const struct registration_params regworld_alice = {
    .user = "alice",
    .domain = "example.com",
    .display_name = "Alice",
    .password = "secret",
    .instance_id = "urn:uuid:00000000-0000-1000-8000-001565123456",
    .user_agent = "test",
    .expires_s = 3600,
};

const struct registrar_config regworld_both = {.realm = "example.com", .md5 = true, .sha256 = true};

void regworld_make(struct regworld *w, const struct registrar_config *cfg,
                   const struct registration_params *p, uint64_t seed)
{
    struct errinfo e = ERRINFO_INIT;
    *w = (struct regworld){.now_ms = 5000, .seed = seed};
    w->rng = rigged_rng(&w->seed);
    buf_init(&w->wire, 65536);
    must(is_ok(registrar_new(cfg, &w->rng, on_event, w, &w->server)));
    must(is_ok(registrar_add_user(w->server, "alice", NULL, "secret")));
    must(is_ok(registrar_peer_new(w->server, &w->peer)));
    must(is_ok(registration_new(p, &regworld_handlers, w, &w->rng, &w->phone, &e)));
}

void regworld_end(struct regworld *w)
{
    registration_free(w->phone);
    registrar_peer_free(w->peer);
    registrar_free(w->server);
    buf_free(&w->wire);
}

static void deliver(struct regworld *w, struct slice bytes)
{
    struct sip_frame *frame;
    enum sip_frame_event event;
    struct slice raw;
    struct sip_message *m;
    must(is_ok(sip_frame_new(&frame)));
    must(is_ok(sip_frame_feed(frame, bytes)));
    while (is_ok(sip_frame_next(frame, &event, &raw, NULL)) && event == SIP_FRAME_MESSAGE) {
        must(is_ok(sip_message_parse(raw, &m, NULL)));
        (void)registration_receive(w->phone, m, w->now_ms);
        sip_message_free(m);
    }
    sip_frame_free(frame);
}

void regworld_exchange(struct regworld *w)
{
    while (buf_len(&w->wire) > 0) {
        struct buf request = w->wire, response;
        bool close;
        struct errinfo e = ERRINFO_INIT;
        buf_init(&w->wire, 65536);
        buf_init(&response, 65536);
        if (!w->unplugged)
            must(is_ok(registrar_peer_feed(w->peer, buf_slice(&request), w->now_ms, &response,
                                           &close, &e)));
        deliver(w, buf_slice(&response));
        buf_free(&request);
        buf_free(&response);
    }
}

void regworld_connect(struct regworld *w, const char *local)
{
    registration_connected(w->phone, local, w->now_ms);
    regworld_exchange(w);
}

void regworld_run_until(struct regworld *w, uint64_t at)
{
    uint64_t due;
    while ((due = registration_deadline(w->phone)) <= at) {
        if (due > w->now_ms)
            w->now_ms = due;
        registration_tick(w->phone, w->now_ms);
        regworld_exchange(w);
    }
    w->now_ms = at;
}

void regworld_run_for(struct regworld *w, uint64_t ms)
{
    regworld_run_until(w, w->now_ms + ms);
}

bool regworld_said(const struct regworld *w, const char *text)
{
    return strstr(w->last, text) != NULL;
}

size_t regworld_bindings(struct regworld *w)
{
    struct registrar_binding b;
    size_t n = 0;
    while (registrar_binding(w->server, n, w->now_ms, &b))
        n++;
    return n;
}
