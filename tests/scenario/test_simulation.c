/* The simulated system itself: what scenario tests may rely on. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "sim/sim.h"
#include "sys/dns.h"
#include "sys/entropy.h"
#include "sys/wallclock.h"
#include "tools/unit.h"

#define QUEUE_CAP 100000

/* One side of a connection and what it saw. */
struct side {
    struct stream *s;
    struct buf got;
    int opened, received, drained, closed;
    enum err why;
    char sentence[ERRINFO_TEXT_MAX];
    struct loop_timer *timer;
};

static struct {
    struct sim *w;
    struct side client, server;
    struct stream_listener *listener;
    int ticks;
} t;

static void on_open(void *arg)
{
    ((struct side *)arg)->opened++;
}

static void on_data(void *arg, struct slice data)
{
    struct side *side = arg;
    side->received++;
    assert_true(is_ok(buf_append(&side->got, data)));
}

static void on_drained(void *arg)
{
    ((struct side *)arg)->drained++;
}

static void on_closed(void *arg, struct result why, const struct errinfo *e)
{
    struct side *side = arg;
    side->closed++;
    side->why = why.code;
    (void)snprintf(side->sentence, sizeof side->sentence, "%s", errinfo_text(e, why));
}

static const struct stream_handlers handlers = {on_open, on_data, on_drained, on_closed};

static void on_accept(void *arg, struct stream *accepted)
{
    (void)arg;
    t.server.s = accepted;
    stream_start(accepted, QUEUE_CAP, &handlers, &t.server);
}

static void tick(void *arg)
{
    (void)arg;
    t.ticks++;
}

static struct addr address(const char *ip, uint16_t port)
{
    struct addr a;
    assert_true(addr_parse(ip, port, &a));
    return a;
}

static int set_up(void **state)
{
    (void)state;
    memset(&t, 0, sizeof t);
    t.w = sim_new();
    buf_init(&t.client.got, 1 << 20);
    buf_init(&t.server.got, 1 << 20);
    const struct addr at = address("192.0.2.1", 5061);
    assert_true(is_ok(stream_listen_tcp(sim_loop(t.w), &at, on_accept, NULL, &t.listener, NULL)));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    stream_close(t.client.s);
    stream_close(t.server.s);
    stream_listener_free(t.listener);
    sim_free(t.w);
    buf_free(&t.client.got);
    buf_free(&t.server.got);
    return 0;
}

static void dial(const char *ip)
{
    const struct addr to = address(ip, 5061);
    assert_true(is_ok(
        stream_connect(sim_loop(t.w), &to, QUEUE_CAP, &handlers, &t.client, &t.client.s, NULL)));
}

static void connect_both(void)
{
    dial("192.0.2.1");
    sim_settle(t.w);
    assert_int_equal(t.client.opened, 1);
    assert_non_null(t.server.s);
}

static void say(struct side *from, const char *text)
{
    assert_true(is_ok(stream_write(from->s, slice_of_str(text))));
}

/* --- time --- */

static void time_moves_only_by_what_is_asked(void **state)
{
    (void)state;
    const uint64_t start = loop_now_ms(sim_loop(t.w));
    struct loop_timer *timer = loop_timer_new(sim_loop(t.w), tick, NULL);
    loop_timer_start(timer, 3600000);
    assert_int_equal(sim_next(t.w), 3600000);
    sim_settle(t.w);
    assert_int_equal(loop_now_ms(sim_loop(t.w)), start);
    sim_advance(t.w, 3599999);
    assert_int_equal(t.ticks, 0);
    sim_advance(t.w, 1);
    assert_int_equal(t.ticks, 1);
    assert_int_equal(loop_now_ms(sim_loop(t.w)), start + 3600000);
    assert_true(sim_next(t.w) == SIM_NEVER);
    loop_timer_free(timer);
}

static void stop(void *arg)
{
    loop_stop(arg);
}

static void loop_run_ends_by_loop_stop_or_when_nothing_is_left(void **state)
{
    (void)state;
    struct loop_timer *first = loop_timer_new(sim_loop(t.w), stop, sim_loop(t.w));
    struct loop_timer *second = loop_timer_new(sim_loop(t.w), tick, NULL);
    loop_timer_start(first, 1);
    loop_timer_start(second, 2);
    loop_run(sim_loop(t.w));
    assert_int_equal(t.ticks, 0);
    loop_run(sim_loop(t.w));
    assert_int_equal(t.ticks, 1);
    loop_timer_free(first);
    loop_timer_free(second);
}

static bool ticked(void *arg)
{
    (void)arg;
    return t.ticks > 0;
}

static void run_until_stops_as_soon_as_it_is_true(void **state)
{
    (void)state;
    struct loop_timer *timer = loop_timer_new(sim_loop(t.w), tick, NULL);
    const uint64_t start = loop_now_ms(sim_loop(t.w));
    loop_timer_start(timer, 500);
    assert_false(sim_run_until(t.w, ticked, NULL, 499));
    assert_true(sim_run_until(t.w, ticked, NULL, 1000));
    assert_int_equal(loop_now_ms(sim_loop(t.w)), start + 500);
    loop_timer_free(timer);
}

static void signals_arrive_from_the_loop(void **state)
{
    (void)state;
    struct loop_signal *s;
    assert_true(is_ok(loop_signal_new(sim_loop(t.w), 15, tick, NULL, &s, NULL)));
    sim_raise(t.w, 1);
    sim_raise(t.w, 15);
    assert_int_equal(t.ticks, 0);
    sim_settle(t.w);
    assert_int_equal(t.ticks, 1);
    loop_signal_free(s);
}

static void random_numbers_repeat_in_every_world(void **state)
{
    (void)state;
    unsigned char first[16], again[16], other[16];
    assert_int_equal(entropy_system.fill(NULL, first, sizeof first), 0);
    stream_listener_free(t.listener);
    sim_free(t.w);
    assert_int_equal(set_up(NULL), 0);
    assert_int_equal(entropy_system.fill(NULL, again, sizeof again), 0);
    sim_seed(t.w, 7);
    assert_int_equal(entropy_system.fill(NULL, other, sizeof other), 0);
    assert_memory_equal(first, again, sizeof first);
    assert_memory_not_equal(first, other, sizeof first);
}

/* --- the wall clock --- */

static void the_wall_clock_goes_with_the_time(void **state)
{
    (void)state;
    struct wallclock_source *clock;
    assert_true(is_ok(wallclock_open(sim_loop(t.w), NULL, tick, NULL, &clock, NULL)));
    assert_int_equal(wallclock_now(clock).epoch_s, SIM_EPOCH_S);
    sim_advance(t.w, 90000);
    assert_int_equal(wallclock_now(clock).epoch_s, SIM_EPOCH_S + 90);
    assert_int_equal(t.ticks, 0);

    sim_clock_set(t.w, SIM_BUILD_S, CLOCK_UNSET);
    sim_settle(t.w);
    assert_int_equal(t.ticks, 1);
    assert_int_equal(wallclock_now(clock).state, CLOCK_UNSET);
    assert_int_equal(wallclock_now(clock).epoch_s, SIM_BUILD_S);
    wallclock_close(clock);
}

/* --- names --- */

static struct {
    int calls;
    enum err code;
    size_t n;
    struct addr first;
    char sentence[ERRINFO_TEXT_MAX];
} dns_answer;

static void on_answer(void *arg, struct result r, const struct addr *addrs, size_t n,
                      const struct errinfo *e)
{
    (void)arg;
    dns_answer.calls++;
    dns_answer.code = r.code;
    dns_answer.n = n;
    if (n > 0)
        dns_answer.first = addrs[0];
    (void)snprintf(dns_answer.sentence, sizeof dns_answer.sentence, "%s", errinfo_text(e, r));
}

static struct dns_query *resolve(struct dns *d, const char *host)
{
    struct dns_query *q;
    memset(&dns_answer, 0, sizeof dns_answer);
    assert_true(is_ok(dns_resolve(d, host, 5061, on_answer, NULL, &q, NULL)));
    assert_int_equal(dns_answer.calls, 0);
    return q;
}

static void names_are_answered_from_the_table(void **state)
{
    (void)state;
    struct dns *d;
    assert_true(is_ok(dns_new(sim_loop(t.w), &d, NULL)));
    sim_host_add(t.w, "sip.example.com", "192.0.2.7");
    sim_host_add(t.w, "sip.example.com", "2001:db8::7");
    (void)resolve(d, "SIP.example.com");
    sim_settle(t.w);
    assert_int_equal(dns_answer.n, 2);
    const struct addr expected = address("192.0.2.7", 5061);
    assert_true(addr_eq(&dns_answer.first, &expected));
    assert_int_equal(sim_host_queries(t.w, "sip.example.com"), 1);

    (void)resolve(d, "other.example.com");
    sim_settle(t.w);
    assert_int_equal(dns_answer.code, ERR_DNS);

    sim_host_fail(t.w, "sip.example.com", ERR_DNS, "the DNS server refused");
    (void)resolve(d, "sip.example.com");
    sim_settle(t.w);
    assert_string_equal(dns_answer.sentence, "the DNS server refused");
    dns_free(d);
}

static void a_silent_dns_server_times_out(void **state)
{
    (void)state;
    struct dns *d;
    assert_true(is_ok(dns_new(sim_loop(t.w), &d, NULL)));
    sim_host_delay(t.w, "sip.example.com", SIM_NEVER);
    (void)resolve(d, "sip.example.com");
    sim_settle(t.w);
    assert_int_equal(dns_answer.calls, 0);
    sim_advance(t.w, LIMIT_DNS_MS);
    assert_int_equal(dns_answer.code, ERR_TIMEOUT);
    dns_free(d);
}

static void a_cancelled_query_is_not_answered(void **state)
{
    (void)state;
    struct dns *d;
    assert_true(is_ok(dns_new(sim_loop(t.w), &d, NULL)));
    dns_cancel(resolve(d, "192.0.2.1"));
    (void)resolve(d, "192.0.2.1");
    dns_free(d);
    sim_settle(t.w);
    assert_int_equal(dns_answer.calls, 0);
}

/* --- connecting --- */

static void connecting_takes_a_round_trip(void **state)
{
    (void)state;
    const uint64_t start = loop_now_ms(sim_loop(t.w));
    sim_net_latency(t.w, 30);
    connect_both();
    assert_int_equal(loop_now_ms(sim_loop(t.w)), start + 60);
    const struct addr local = stream_local(t.client.s), remote = stream_remote(t.server.s);
    assert_true(addr_eq(&local, &remote));
    assert_true(sim_link_is_open(sim_link_last(t.w)));
}

static void failures_to_connect_are_those_of_the_real_network(void **state)
{
    (void)state;
    static const struct {
        const char *ip;
        enum sim_reach reach;
        uint64_t after_ms;
        enum err code;
        const char *sentence;
    } cases[] = {
        {"192.0.2.2", SIM_REACH_OK, 2, ERR_SYSTEM,
         "cannot connect to 192.0.2.2:5061: Connection refused"},
        {"192.0.2.1", SIM_REACH_REFUSED, 2, ERR_SYSTEM,
         "cannot connect to 192.0.2.1:5061: Connection refused"},
        {"192.0.2.1", SIM_REACH_UNREACHABLE, 1, ERR_SYSTEM,
         "cannot connect to 192.0.2.1:5061: No route to host"},
        {"192.0.2.1", SIM_REACH_SILENT, SIM_SYN_TIMEOUT_MS + 1, ERR_TIMEOUT,
         "cannot connect to 192.0.2.1:5061: Connection timed out"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        sim_net_reach(t.w, cases[i].ip, cases[i].reach);
        t.client.closed = 0;
        dial(cases[i].ip);
        sim_advance(t.w, cases[i].after_ms - 1);
        assert_int_equal(t.client.closed, 0);
        sim_advance(t.w, 1);
        assert_int_equal(t.client.closed, 1);
        assert_int_equal(t.client.why, cases[i].code);
        assert_string_equal(t.client.sentence, cases[i].sentence);
        stream_close(t.client.s);
        t.client.s = NULL;
    }
    assert_int_equal(sim_link_count(t.w), COUNT_OF(cases));
}

static void calls_can_be_made_to_fail(void **state)
{
    (void)state;
    struct errinfo e = ERRINFO_INIT;
    struct stream *s;
    const struct addr to = address("192.0.2.1", 5061);
    sim_refuse_calls(t.w, 1);
    assert_int_equal(
        stream_connect(sim_loop(t.w), &to, QUEUE_CAP, &handlers, &t.client, &s, &e).code,
        ERR_NOMEM);
    connect_both();
}

static void giving_up_while_connecting_is_seen_by_the_server(void **state)
{
    (void)state;
    sim_net_latency(t.w, 10);
    dial("192.0.2.1");
    sim_advance(t.w, 15); /* the server has accepted, the client does not know yet */
    assert_non_null(t.server.s);
    stream_close(t.client.s);
    t.client.s = NULL;
    sim_settle(t.w);
    assert_int_equal(t.client.opened, 0);
    assert_int_equal(t.server.closed, 1);
}

/* --- bytes --- */

static void bytes_arrive_after_the_latency_and_are_captured(void **state)
{
    (void)state;
    connect_both();
    say(&t.client, "REGISTER");
    say(&t.client, " sips:");
    assert_int_equal(t.server.received, 0);
    sim_settle(t.w);
    assert_true(slice_eq_str(buf_slice(&t.server.got), "REGISTER sips:"));
    assert_true(slice_eq_str(sim_link_sent(sim_link_last(t.w), SIM_CLIENT), "REGISTER sips:"));
    assert_int_equal(sim_link_sent(sim_link_last(t.w), SIM_SERVER).n, 0);
}

static void bytes_can_come_one_by_one(void **state)
{
    (void)state;
    connect_both();
    sim_net_chunk(t.w, 1);
    say(&t.server, "200 OK");
    sim_settle(t.w);
    assert_int_equal(t.client.received, 6);
    assert_true(slice_eq_str(buf_slice(&t.client.got), "200 OK"));
}

static void a_shorter_latency_does_not_reorder(void **state)
{
    (void)state;
    connect_both();
    sim_net_latency(t.w, 100);
    say(&t.client, "first ");
    sim_net_latency(t.w, 1);
    say(&t.client, "second");
    sim_settle(t.w);
    assert_true(slice_eq_str(buf_slice(&t.server.got), "first second"));
}

static void a_reader_that_pauses_fills_the_window_and_then_the_queue(void **state)
{
    (void)state;
    static char text[60001];
    memset(text, 'x', sizeof text - 1);
    connect_both();
    sim_net_window(t.w, 10000);
    stream_pause(t.server.s);
    say(&t.client, text);
    sim_settle(t.w);
    assert_int_equal(t.server.received, 0);
    assert_int_equal(stream_queued(t.client.s), 50000);
    assert_int_equal(stream_write(t.client.s, slice_of(text, 50001)).code, ERR_LIMIT);
    stream_resume(t.server.s);
    sim_settle(t.w);
    assert_int_equal(buf_len(&t.server.got), 60000);
    assert_int_equal(t.client.drained, 1);
}

/* --- the end --- */

static void a_close_comes_behind_the_data(void **state)
{
    (void)state;
    connect_both();
    say(&t.server, "bye");
    stream_close(t.server.s);
    t.server.s = NULL;
    sim_settle(t.w);
    assert_true(slice_eq_str(buf_slice(&t.client.got), "bye"));
    assert_int_equal(t.client.closed, 1);
    assert_string_equal(t.client.sentence, "the other side closed the connection");
    assert_int_equal(stream_write(t.client.s, SLICE_LIT("x")).code, ERR_STATE);
}

static void a_close_with_bytes_unread_is_a_reset(void **state)
{
    (void)state;
    connect_both();
    stream_pause(t.server.s);
    say(&t.client, "unread");
    sim_settle(t.w);
    stream_close(t.server.s);
    t.server.s = NULL;
    sim_settle(t.w);
    assert_int_equal(t.client.why, ERR_CLOSED);
    assert_string_equal(t.client.sentence, "the other side reset the connection");
}

static void finish_sends_the_queue_and_calls_nobody(void **state)
{
    (void)state;
    connect_both();
    sim_net_window(t.w, 10);
    say(&t.client, "longer than the window of ten bytes");
    stream_finish(t.client.s);
    t.client.s = NULL;
    sim_settle(t.w);
    assert_true(slice_eq_str(buf_slice(&t.server.got), "longer than the window of ten bytes"));
    assert_int_equal(t.server.closed, 1);
    assert_int_equal(t.client.closed, 0);
}

static void a_reset_is_told_to_both(void **state)
{
    (void)state;
    connect_both();
    sim_link_cut(sim_link_last(t.w), SIM_CUT_RESET);
    assert_int_equal(t.client.closed, 0);
    sim_settle(t.w);
    assert_int_equal(t.client.why, ERR_CLOSED);
    assert_int_equal(t.server.why, ERR_CLOSED);
}

static void a_silent_cut_is_noticed_by_who_sends(void **state)
{
    (void)state;
    connect_both();
    sim_link_cut(sim_link_last(t.w), SIM_CUT_SILENT);
    say(&t.client, "hello?");
    sim_settle(t.w);
    assert_int_equal(t.server.received, 0);
    sim_advance(t.w, LIMIT_TCP_UNANSWERED_MS);
    assert_int_equal(t.client.why, ERR_TIMEOUT);
    assert_int_equal(t.server.closed, 0);
    sim_advance(t.w, (LIMIT_TCP_IDLE_S + LIMIT_TCP_PROBE_S) * 1000);
    assert_int_equal(t.server.why, ERR_TIMEOUT);
    assert_int_equal(t.client.closed, 1);
}

/* --- Unix sockets --- */

static void local_processes_connect_with_credentials(void **state)
{
    (void)state;
    struct stream_listener *sl;
    struct stream_cred cred;
    mode_t mode;
    gid_t gid;
    assert_true(is_ok(stream_listen_unix(sim_loop(t.w), "/run/events.sock", 0660, 42, on_accept,
                                         NULL, &sl, NULL)));
    sim_unix_cred(t.w, (struct stream_cred){.pid = 9, .uid = 1000, .gid = 42});
    t.client.s = sim_connect_unix(t.w, "/run/events.sock", QUEUE_CAP, &handlers, &t.client);
    sim_settle(t.w);
    assert_int_equal(t.client.opened, 1);
    assert_true(is_ok(stream_peer_cred(t.server.s, &cred)));
    assert_int_equal(cred.uid, 1000);
    sim_unix_access(t.w, "/run/events.sock", &mode, &gid);
    assert_int_equal(mode, 0660);
    assert_int_equal(gid, 42);
    stream_listener_free(sl);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(time_moves_only_by_what_is_asked),
        TEST(loop_run_ends_by_loop_stop_or_when_nothing_is_left),
        TEST(run_until_stops_as_soon_as_it_is_true),
        TEST(signals_arrive_from_the_loop),
        TEST(random_numbers_repeat_in_every_world),
        TEST(the_wall_clock_goes_with_the_time),
        TEST(names_are_answered_from_the_table),
        TEST(a_silent_dns_server_times_out),
        TEST(a_cancelled_query_is_not_answered),
        TEST(connecting_takes_a_round_trip),
        TEST(failures_to_connect_are_those_of_the_real_network),
        TEST(calls_can_be_made_to_fail),
        TEST(giving_up_while_connecting_is_seen_by_the_server),
        TEST(bytes_arrive_after_the_latency_and_are_captured),
        TEST(bytes_can_come_one_by_one),
        TEST(a_shorter_latency_does_not_reorder),
        TEST(a_reader_that_pauses_fills_the_window_and_then_the_queue),
        TEST(a_close_comes_behind_the_data),
        TEST(a_close_with_bytes_unread_is_a_reset),
        TEST(finish_sends_the_queue_and_calls_nobody),
        TEST(a_reset_is_told_to_both),
        TEST(a_silent_cut_is_noticed_by_who_sends),
        TEST(local_processes_connect_with_credentials),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
