/* stream: connected streams over loopback TCP and Unix sockets. Listening: test_stream_listen.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "sys/stream.h"
#include "tools/looprun.h"
#include "tools/unit.h"

#define QUEUE_CAP 65536

/* One side of a connection, and what happened to it. */
struct side {
    struct fixture *f;
    struct stream *s;
    struct buf got;
    int opened, drained, closed;
    enum err why;
    char sentence[ERRINFO_TEXT_MAX];
    bool close_on_data, close_on_open, stay_after_close;
};

struct fixture {
    struct loop *loop;
    struct stream_listener *listener;
    struct side client, server;
    int running_calls; /* > 0 while inside a call of stream's: no callback may come */
};

/* Turns the loop until nothing more happens for a while. */
static void settle(struct fixture *f, uint64_t ms)
{
    looprun_for(f->loop, ms);
}

static void on_open(void *arg)
{
    struct side *side = arg;
    assert_int_equal(side->f->running_calls, 0);
    side->opened++;
    if (side->close_on_open) {
        stream_close(side->s);
        side->s = NULL;
    }
    loop_stop(side->f->loop);
}

static void on_data(void *arg, struct slice data)
{
    struct side *side = arg;
    assert_int_equal(side->f->running_calls, 0);
    assert_true(is_ok(buf_append(&side->got, data)));
    if (side->close_on_data) {
        stream_close(side->s);
        side->s = NULL;
    }
    loop_stop(side->f->loop);
}

static void on_drained(void *arg)
{
    struct side *side = arg;
    assert_int_equal(side->f->running_calls, 0);
    side->drained++;
}

static void on_closed(void *arg, struct result why, const struct errinfo *e)
{
    struct side *side = arg;
    assert_int_equal(side->f->running_calls, 0);
    side->closed++;
    side->why = why.code;
    (void)snprintf(side->sentence, sizeof side->sentence, "%s", errinfo_text(e, why));
    if (!side->stay_after_close) {
        stream_close(side->s);
        side->s = NULL;
    }
    loop_stop(side->f->loop);
}

static const struct stream_handlers handlers = {
    .on_open = on_open, .on_data = on_data, .on_drained = on_drained, .on_closed = on_closed};

static void on_accept(void *arg, struct stream *accepted)
{
    struct fixture *f = arg;
    f->server.s = accepted;
    stream_start(accepted, QUEUE_CAP, &handlers, &f->server);
    loop_stop(f->loop);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_true(is_ok(loop_new(&f->loop, NULL)));
    f->client.f = f;
    f->server.f = f;
    buf_init(&f->client.got, 1 << 24);
    buf_init(&f->server.got, 1 << 24);
    struct addr at;
    assert_true(addr_parse("127.0.0.1", 0, &at));
    assert_true(is_ok(stream_listen_tcp(f->loop, &at, on_accept, f, &f->listener, NULL)));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    stream_close(f->client.s);
    stream_close(f->server.s);
    stream_listener_free(f->listener);
    loop_free(f->loop);
    buf_free(&f->client.got);
    buf_free(&f->server.got);
    free(f);
    return 0;
}

static void dial(struct fixture *f, const struct addr *to)
{
    f->running_calls++;
    assert_true(
        is_ok(stream_connect(f->loop, to, QUEUE_CAP, &handlers, &f->client, &f->client.s, NULL)));
    f->running_calls--;
}

static void connect_both(struct fixture *f)
{
    const struct addr to = stream_listener_local(f->listener);
    dial(f, &to);
    while (f->client.opened == 0 || f->server.s == NULL)
        loop_run(f->loop);
}

static struct result say(struct side *side, struct slice data)
{
    side->f->running_calls++;
    const struct result r = stream_write(side->s, data);
    side->f->running_calls--;
    return r;
}

static void read_until(struct side *side, size_t n)
{
    while (buf_len(&side->got) < n)
        loop_run(side->f->loop);
}

static void bytes_go_both_ways(void **state)
{
    struct fixture *f = *state;
    connect_both(f);
    assert_true(is_ok(say(&f->client, SLICE_LIT("hello"))));
    read_until(&f->server, 5);
    assert_true(is_ok(say(&f->server, SLICE_LIT("welcome"))));
    read_until(&f->client, 7);
    assert_true(slice_eq_str(buf_slice(&f->server.got), "hello"));
    assert_true(slice_eq_str(buf_slice(&f->client.got), "welcome"));
}

static void both_sides_know_each_others_address(void **state)
{
    struct fixture *f = *state;
    connect_both(f);
    const struct addr c_local = stream_local(f->client.s), c_remote = stream_remote(f->client.s);
    const struct addr s_local = stream_local(f->server.s), s_remote = stream_remote(f->server.s);
    assert_true(addr_eq(&c_local, &s_remote));
    assert_true(addr_eq(&c_remote, &s_local));
    assert_int_not_equal(c_local.port, 0);
}

static void tcp_has_no_credentials(void **state)
{
    struct fixture *f = *state;
    struct stream_cred cred;
    connect_both(f);
    assert_int_equal(stream_peer_cred(f->client.s, &cred).code, ERR_UNSUPPORTED);
}

static void a_refused_connection_is_told_later_and_named(void **state)
{
    struct fixture *f = *state;
    struct addr to = stream_listener_local(f->listener);
    char expected[128], text[ADDR_TEXT_SIZE];
    stream_listener_free(f->listener);
    f->listener = NULL;
    dial(f, &to);
    while (f->client.closed == 0)
        loop_run(f->loop);
    addr_format(&to, text);
    (void)snprintf(expected, sizeof expected, "cannot connect to %s: Connection refused", text);
    assert_int_equal(f->client.why, ERR_SYSTEM);
    assert_string_equal(f->client.sentence, expected);
    assert_int_equal(f->client.opened, 0);
}

/* The kernel refuses it inside connect(2). */
static void an_impossible_address_is_told_later_too(void **state)
{
    struct fixture *f = *state;
    struct addr to;
    assert_true(addr_parse("255.255.255.255", 9, &to));
    dial(f, &to);
    assert_int_equal(f->client.closed, 0);
    while (f->client.closed == 0)
        loop_run(f->loop);
    assert_int_equal(f->client.closed, 1);
}

static void nothing_may_be_written_before_it_is_open_or_after_it_ended(void **state)
{
    struct fixture *f = *state;
    const struct addr to = stream_listener_local(f->listener);
    dial(f, &to);
    assert_int_equal(say(&f->client, SLICE_LIT("x")).code, ERR_STATE);
    while (f->client.opened == 0 || f->server.s == NULL)
        loop_run(f->loop);
    f->client.stay_after_close = true;
    stream_close(f->server.s);
    f->server.s = NULL;
    while (f->client.closed == 0)
        loop_run(f->loop);
    assert_int_equal(say(&f->client, SLICE_LIT("x")).code, ERR_STATE);
}

static void a_close_by_the_peer_is_told_once(void **state)
{
    struct fixture *f = *state;
    connect_both(f);
    f->client.stay_after_close = true;
    stream_close(f->server.s);
    f->server.s = NULL;
    settle(f, 20);
    settle(f, 20);
    assert_int_equal(f->client.closed, 1);
    assert_int_equal(f->client.why, ERR_CLOSED);
    assert_string_equal(f->client.sentence, "the other side closed the connection");
}

static void closing_inside_on_data_ends_all_callbacks(void **state)
{
    struct fixture *f = *state;
    connect_both(f);
    f->server.close_on_data = true;
    assert_true(is_ok(say(&f->client, SLICE_LIT("one"))));
    while (f->server.s != NULL)
        loop_run(f->loop);
    settle(f, 10);
    assert_int_equal(f->server.closed, 0);
}

static void closing_inside_on_open_is_allowed(void **state)
{
    struct fixture *f = *state;
    const struct addr to = stream_listener_local(f->listener);
    f->client.close_on_open = true;
    dial(f, &to);
    while (f->client.opened == 0)
        loop_run(f->loop);
    settle(f, 10);
    assert_int_equal(f->client.closed, 0);
}

static void closing_while_it_connects_is_silent(void **state)
{
    struct fixture *f = *state;
    const struct addr to = stream_listener_local(f->listener);
    dial(f, &to);
    stream_close(f->client.s);
    f->client.s = NULL;
    settle(f, 10);
    assert_int_equal(f->client.opened + f->client.closed, 0);
}

/* Fills the kernel's buffers and then the queue: the peer does not read. */
static size_t write_until_full(struct side *side)
{
    static const uint8_t block[4096];
    size_t sent = 0;
    while (is_ok(say(side, slice_of(block, sizeof block))))
        sent += sizeof block;
    return sent;
}

static void a_slow_reader_fills_the_queue_up_to_its_cap(void **state)
{
    struct fixture *f = *state;
    connect_both(f);
    stream_pause(f->server.s);
    static const uint8_t block[4096];
    (void)write_until_full(&f->client);
    assert_int_equal(say(&f->client, slice_of(block, sizeof block)).code, ERR_LIMIT);
    assert_true(stream_queued(f->client.s) <= QUEUE_CAP);
    assert_true(stream_queued(f->client.s) > QUEUE_CAP - sizeof block);
}

static void a_write_larger_than_the_cap_is_refused_whole(void **state)
{
    struct fixture *f = *state;
    connect_both(f);
    static const uint8_t large[QUEUE_CAP + 1];
    assert_int_equal(say(&f->client, slice_of(large, sizeof large)).code, ERR_LIMIT);
    settle(f, 10);
    assert_int_equal(buf_len(&f->server.got), 0);
}

static void the_queue_drains_once_the_reader_goes_on(void **state)
{
    struct fixture *f = *state;
    connect_both(f);
    stream_pause(f->server.s);
    const size_t sent = write_until_full(&f->client);
    settle(f, 10);
    assert_int_equal(buf_len(&f->server.got), 0);
    stream_resume(f->server.s);
    read_until(&f->server, sent);
    while (f->client.drained == 0)
        settle(f, 10);
    assert_int_equal(buf_len(&f->server.got), sent);
    assert_int_equal(stream_queued(f->client.s), 0);
    assert_int_equal(f->client.drained, 1);
}

static void closing_with_a_full_queue_loses_it_silently(void **state)
{
    struct fixture *f = *state;
    connect_both(f);
    stream_pause(f->server.s);
    (void)write_until_full(&f->client);
    stream_close(f->client.s);
    f->client.s = NULL;
    settle(f, 10);
    assert_int_equal(f->client.closed, 0);
}

static void finish_sends_what_is_queued(void **state)
{
    struct fixture *f = *state;
    connect_both(f);
    stream_pause(f->server.s);
    const size_t sent = write_until_full(&f->client);
    assert_true(stream_queued(f->client.s) > 0);
    stream_finish(f->client.s);
    f->client.s = NULL;
    stream_resume(f->server.s);
    while (f->server.closed == 0)
        loop_run(f->loop);
    assert_int_equal(buf_len(&f->server.got), sent);
    assert_int_equal(f->server.why, ERR_CLOSED);
    assert_int_equal(f->client.closed, 0);
}

/* What the peer still sends would be answered with a reset, if the socket were gone, and a reset
 * takes away what the peer has not read yet on some systems. */
static void finish_goes_on_reading_until_the_peer_closes(void **state)
{
    struct fixture *f = *state;
    connect_both(f);
    stream_pause(f->client.s);
    stream_pause(f->server.s);
    assert_true(is_ok(say(&f->server, SLICE_LIT("not read"))));
    settle(f, 10);
    assert_true(is_ok(say(&f->client, SLICE_LIT("last words"))));
    stream_finish(f->client.s);
    f->client.s = NULL;
    settle(f, 10);
    assert_true(is_ok(say(&f->server, SLICE_LIT("too late"))));
    settle(f, 10);
    stream_resume(f->server.s);
    while (f->server.closed == 0)
        loop_run(f->loop);
    assert_true(slice_eq_str(buf_slice(&f->server.got), "last words"));
    assert_string_equal(f->server.sentence, "the other side closed the connection");
}

/* The peer's last bytes, such as a TLS alert, come before the news that it has gone. */
static void what_the_peer_said_last_is_read_although_a_write_failed(void **state)
{
    struct fixture *f = *state;
    connect_both(f);
    stream_pause(f->client.s);
    assert_true(is_ok(say(&f->client, SLICE_LIT("unread")))); /* so that the close is a reset */
    stream_pause(f->server.s);
    assert_true(is_ok(say(&f->server, SLICE_LIT("because"))));
    settle(f, 10);
    stream_close(f->server.s);
    f->server.s = NULL;
    settle(f, 10);
    for (int i = 0; i < 3; i++)
        assert_true(is_ok(say(&f->client, SLICE_LIT("more"))));
    stream_resume(f->client.s);
    while (f->client.closed == 0)
        loop_run(f->loop);
    assert_true(slice_eq_str(buf_slice(&f->client.got), "because"));
    assert_int_equal(f->client.why, ERR_CLOSED);
}

static void a_paused_stream_still_learns_that_its_writes_fail(void **state)
{
    struct fixture *f = *state;
    connect_both(f);
    stream_pause(f->client.s);
    stream_close(f->server.s);
    f->server.s = NULL;
    while (f->client.closed == 0) {
        assert_true(is_ok(say(&f->client, SLICE_LIT("more"))));
        settle(f, 5);
    }
    assert_int_equal(f->client.why, ERR_CLOSED);
    assert_string_equal(f->client.sentence, "the other side reset the connection");
}

static void a_pair_is_a_stream_and_a_descriptor(void **state)
{
    struct fixture *f = *state;
    char bytes[8];
    int fd;
    assert_true(is_ok(stream_pair(f->loop, &f->client.s, &fd, NULL)));
    stream_pause(f->client.s);
    stream_start(f->client.s, QUEUE_CAP, &handlers, &f->client);
    assert_int_equal(recv(fd, bytes, sizeof bytes, 0), -1); /* it does not block */
    assert_int_equal(write(fd, "in", 2), 2);
    settle(f, 5);
    assert_int_equal(buf_len(&f->client.got), 0); /* what was paused waits */
    stream_resume(f->client.s);
    read_until(&f->client, 2);
    assert_true(is_ok(say(&f->client, SLICE_LIT("out"))));
    assert_int_equal(recv(fd, bytes, sizeof bytes, 0), 3);
    assert_int_equal(close(fd), 0);
    while (f->client.closed == 0)
        loop_run(f->loop);
    assert_int_equal(f->client.why, ERR_CLOSED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(bytes_go_both_ways),
        TEST(both_sides_know_each_others_address),
        TEST(tcp_has_no_credentials),
        TEST(a_refused_connection_is_told_later_and_named),
        TEST(an_impossible_address_is_told_later_too),
        TEST(nothing_may_be_written_before_it_is_open_or_after_it_ended),
        TEST(a_close_by_the_peer_is_told_once),
        TEST(closing_inside_on_data_ends_all_callbacks),
        TEST(closing_inside_on_open_is_allowed),
        TEST(closing_while_it_connects_is_silent),
        TEST(a_slow_reader_fills_the_queue_up_to_its_cap),
        TEST(a_write_larger_than_the_cap_is_refused_whole),
        TEST(the_queue_drains_once_the_reader_goes_on),
        TEST(closing_with_a_full_queue_loses_it_silently),
        TEST(finish_sends_what_is_queued),
        TEST(finish_goes_on_reading_until_the_peer_closes),
        TEST(what_the_peer_said_last_is_read_although_a_write_failed),
        TEST(a_paused_stream_still_learns_that_its_writes_fail),
        TEST(a_pair_is_a_stream_and_a_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
