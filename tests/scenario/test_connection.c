/* One connection, against a server that is slow, fast, rude, or does not speak TLS at all. */
#include "tools/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "link/connection.h"
#include "sim/sim.h"
#include "sys/entropy.h"
#include "tools/tlswire.h"

#define MESSAGE                                                          \
    "OPTIONS sips:a@b SIP/2.0\r\nVia: SIP/2.0/TLS h;branch=z9hG4bKa\r\n" \
    "From: <sips:a@b>;tag=1\r\nTo: <sips:a@b>\r\nCall-ID: x\r\n"         \
    "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"

enum handler { IN_NONE, IN_CONNECTED, IN_OPEN, IN_MESSAGE, IN_PONG };

struct world {
    struct sim *sim;
    struct addr at;

    /* the server, by hand */
    struct stream_listener *listener;
    struct stream *stream;
    struct tlsend end;
    struct tlsend_spec spec;
    const char *greeting; /* what it says instead of TLS; NULL: TLS */
    size_t received;      /* plain bytes */
    bool server_closed;

    /* the client under test */
    struct tlsend profile;
    struct connection *connection;
    unsigned connected, opened, messages, pongs, closed;
    enum err why;
    char error[ERRINFO_TEXT_MAX];
    enum handler free_in; /* the handler that is to free the connection */
};

/* --- the server --- */

static void push(struct world *w)
{
    const struct slice out = tls_session_output(w->end.session);
    if (out.n == 0 || w->stream == NULL)
        return;
    assert_true(is_ok(stream_write(w->stream, out)));
    tls_session_sent(w->end.session, out.n);
}

static void say(struct world *w, const char *text)
{
    tlsend_write(&w->end, text);
    push(w);
}

static void on_server_data(void *arg, struct slice data)
{
    struct world *w = arg;
    if (w->greeting != NULL)
        return;
    tls_session_feed(w->end.session, data);
    push(w);
    char *text = tlsend_read(&w->end);
    w->received += strlen(text);
    free(text);
}

static void on_server_closed(void *arg, struct result why, const struct errinfo *e)
{
    struct world *w = arg;
    (void)why;
    (void)e;
    stream_close(w->stream);
    w->stream = NULL;
    w->server_closed = true;
}

static void on_accept(void *arg, struct stream *accepted)
{
    static const struct stream_handlers handlers = {.on_data = on_server_data,
                                                    .on_closed = on_server_closed};
    struct world *w = arg;
    w->stream = accepted;
    stream_start(accepted, 64 * 1024 * 1024, &handlers, w);
    if (w->greeting != NULL)
        assert_true(is_ok(stream_write(accepted, slice_of_str(w->greeting))));
    else
        tlsend_open(&w->end, &w->spec);
}

/* --- the client --- */

static void free_here(struct world *w)
{
    connection_free(w->connection);
    w->connection = NULL;
}

static void note(struct world *w, unsigned *count, enum handler which)
{
    (*count)++;
    if (w->free_in == which)
        free_here(w);
}

static void on_connected(void *arg)
{
    struct world *w = arg;
    note(w, &w->connected, IN_CONNECTED);
}

static void on_open(void *arg)
{
    struct world *w = arg;
    note(w, &w->opened, IN_OPEN);
}

static void on_message(void *arg, const struct sip_message *m, struct slice raw)
{
    struct world *w = arg;
    assert_true(sip_message_is_request(m));
    assert_int_equal(raw.n, strlen(MESSAGE));
    note(w, &w->messages, IN_MESSAGE);
}

static void on_pong(void *arg)
{
    struct world *w = arg;
    note(w, &w->pongs, IN_PONG);
}

static void on_closed(void *arg, struct result why, const struct errinfo *e)
{
    struct world *w = arg;
    w->closed++;
    w->why = why.code;
    (void)snprintf(w->error, sizeof w->error, "%s", e->text);
    free_here(w);
}

static void accept_all(void *arg, const struct slice *chain, size_t n, struct verdict *out)
{
    (void)arg;
    (void)chain;
    (void)n;
    *out = (struct verdict){.class = VERDICT_VERIFIED, .valid_until_s = INT64_MAX};
}

static void dial(struct world *w)
{
    static const struct connection_handlers handlers = {
        .on_connected = on_connected,
        .on_open = on_open,
        .on_message = on_message,
        .on_pong = on_pong,
        .on_closed = on_closed,
    };
    const struct tls_session_params tls = {.server_name = "sip.example.com", .judge = accept_all};
    assert_true(is_ok(connection_dial(sim_loop(w->sim), &w->at, w->profile.profile, &tls, &handlers,
                                      w, &w->connection, NULL)));
}

static void dial_and_open(struct world *w)
{
    dial(w);
    sim_settle(w->sim);
    assert_int_equal(w->opened, 1);
}

/* --- set-up --- */

static int set_up(void **state)
{
    static struct world w;
    w = (struct world){.sim = sim_new()};
    tlswire_global_init();
    const struct testpki_cert *cert =
        testpki_make(&(struct testpki_spec){.subject = "CN=sip.example.com"});
    struct identity *identity = tlswire_identity(&cert, 1);
    w.spec = (struct tlsend_spec){.role = TLS_SERVER, .identity = identity};
    tlsend_init(&w.end, &w.spec);
    identity_unref(identity);
    tlsend_init(&w.profile, &(struct tlsend_spec){.role = TLS_CLIENT});
    assert_true(addr_parse("192.0.2.1", 5061, &w.at));
    assert_true(is_ok(stream_listen_tcp(sim_loop(w.sim), &w.at, on_accept, &w, &w.listener, NULL)));
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    connection_free(w->connection);
    stream_close(w->stream);
    stream_listener_free(w->listener);
    tlsend_free(&w->end);
    tlsend_free(&w->profile);
    sim_settle(w->sim);
    sim_free(w->sim);
    tls_global_free();
    return 0;
}

/* --- what arrives --- */

static void test_messages_and_keep_alives(void **state)
{
    struct world *w = *state;
    dial_and_open(w);
    say(w, MESSAGE "\r\n\r\n" MESSAGE);
    say(w, "\r\n");
    sim_settle(w->sim);
    assert_int_equal(w->messages, 2);
    assert_int_equal(w->received, 2); /* the ping's answer */
    assert_int_equal(w->pongs, 1);
    assert_int_equal(w->closed, 0);
}

/* However much comes at once, other events have their turn in between. */
static void test_a_flood_starves_nobody(void **state)
{
    struct world *w = *state;
    dial_and_open(w);
    for (int i = 0; i < 2000; i++)
        say(w, MESSAGE);
    unsigned before = 0;
    while (w->messages < 2000 && sim_step(w->sim)) {
        assert_in_range(w->messages - before, 0, LIMIT_CONNECTION_TURN);
        before = w->messages;
    }
    assert_int_equal(w->messages, 2000);
}

static void test_what_came_before_the_end_counts(void **state)
{
    struct world *w = *state;
    dial_and_open(w);
    for (int i = 0; i < 100; i++)
        say(w, MESSAGE);
    tls_session_close(w->end.session);
    push(w);
    stream_finish(w->stream);
    w->stream = NULL;
    sim_settle(w->sim);
    assert_int_equal(w->messages, 100);
    assert_int_equal(w->closed, 1);
    assert_int_equal(w->why, ERR_CLOSED);
    assert_string_equal(w->error, "sip.example.com (192.0.2.1:5061) closed the connection");
}

static void test_no_boundaries(void **state)
{
    struct world *w = *state;
    dial_and_open(w);
    say(w, "OPTIONS sips:a@b SIP/2.0\r\nContent-Length: 5x\r\n\r\n" MESSAGE);
    sim_settle(w->sim);
    assert_int_equal(w->messages, 0);
    assert_int_equal(w->closed, 1);
    assert_int_equal(w->why, ERR_PARSE);
    assert_true(w->server_closed);
}

/* --- a server that does not read --- */

static void test_a_peer_that_does_not_read(void **state)
{
    struct world *w = *state;
    dial_and_open(w);
    stream_pause(w->stream);
    struct result r = OK;
    size_t sent = 0;
    while (is_ok(r = connection_send(w->connection, SLICE_LIT(MESSAGE)))) {
        sent += strlen(MESSAGE);
        sim_settle(w->sim);
        assert_true(sent < 4 * LIMIT_CONNECTION_OUT);
    }
    assert_int_equal(r.code, ERR_LIMIT);
    stream_resume(w->stream);
    sim_settle(w->sim);
    assert_int_equal(w->received, sent); /* what was taken arrives */
    assert_true(is_ok(connection_send(w->connection, SLICE_LIT(MESSAGE))));
}

/* It asks for more answers than it reads: then its questions are read no faster. */
static void test_pings_without_end(void **state)
{
    struct world *w = *state;
    char pings[4097];
    memset(pings, '\n', sizeof pings - 1);
    for (size_t i = 0; i < sizeof pings - 1; i += 2)
        pings[i] = '\r';
    pings[sizeof pings - 1] = '\0';
    dial_and_open(w);
    stream_pause(w->stream);
    for (int i = 0; i < 200; i++) /* answers would be 200 * 1024 records */
        say(w, pings);
    sim_settle(w->sim);
    assert_int_equal(w->closed, 0);
    assert_in_range(stream_queued(w->stream), 4096, SIZE_MAX); /* we stopped to read */
    stream_resume(w->stream);
    sim_settle(w->sim);
    assert_int_equal(w->received, 200 * 1024 * 2);
    assert_int_equal(w->closed, 0);
}

/* --- no TLS --- */

static void test_a_server_without_tls(void **state)
{
    struct world *w = *state;
    w->greeting = "SIP/2.0 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    dial(w);
    sim_settle(w->sim);
    assert_int_equal(w->closed, 1);
    assert_int_equal(w->opened, 0);
    assert_int_equal(w->why, ERR_TLS);
    assert_non_null(strstr(w->error, "sip.example.com (192.0.2.1:5061): "));
    assert_non_null(strstr(w->error, "TLS"));
}

static void test_a_server_that_hangs_up(void **state)
{
    struct world *w = *state;
    w->greeting = "";
    dial(w);
    sim_advance(w->sim, 10);
    stream_close(w->stream);
    w->stream = NULL;
    sim_settle(w->sim);
    assert_int_equal(w->closed, 1);
    assert_int_equal(w->why, ERR_CLOSED);
    assert_non_null(strstr(w->error, "sip.example.com (192.0.2.1:5061)"));
}

/* --- the end --- */

static void test_close_says_so(void **state)
{
    struct world *w = *state;
    dial_and_open(w);
    connection_close(w->connection);
    w->connection = NULL;
    sim_settle(w->sim);
    assert_int_equal(tls_session_state(w->end.session), TLS_CLOSED);
    assert_int_equal(w->closed, 0);
}

static void test_send_before_open(void **state)
{
    struct world *w = *state;
    dial(w);
    assert_int_equal(connection_send(w->connection, SLICE_LIT(MESSAGE)).code, ERR_STATE);
}

static void test_free_in_any_handler(void **state)
{
    struct world *w = *state;
    for (enum handler h = IN_CONNECTED; h <= IN_PONG; h++) {
        w->free_in = h;
        w->server_closed = false;
        w->opened = 0;
        dial(w);
        sim_settle(w->sim);
        if (w->connection != NULL)
            say(w, "\r\n" MESSAGE MESSAGE);
        sim_settle(w->sim);
        assert_null(w->connection);
        assert_true(w->server_closed);
        assert_int_equal(w->closed, 0);
    }
    assert_int_equal(w->messages, 1);
}

#define SCENARIO(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(test_messages_and_keep_alives),
        SCENARIO(test_a_flood_starves_nobody),
        SCENARIO(test_what_came_before_the_end_counts),
        SCENARIO(test_no_boundaries),
        SCENARIO(test_a_peer_that_does_not_read),
        SCENARIO(test_pings_without_end),
        SCENARIO(test_a_server_without_tls),
        SCENARIO(test_a_server_that_hangs_up),
        SCENARIO(test_close_says_so),
        SCENARIO(test_send_before_open),
        SCENARIO(test_free_in_any_handler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
