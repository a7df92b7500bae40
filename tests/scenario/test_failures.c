/* The way down, and up again: servers that are silent, gone, or broken, for hours and days. */
#include "tools/unit.h"

#include "base/limits.h"
#include "scenario/lab.h"

#define SECONDS(n) ((n)*UINT64_C(1000))
#define HOURS(n)   SECONDS((n)*UINT64_C(3600))

static int set_up(void **state)
{
    *state = lab_new();
    return 0;
}

static int tear_down(void **state)
{
    lab_free(*state);
    return 0;
}

static uint64_t now(const struct lab *lab)
{
    return loop_now_ms(sim_loop(lab->sim));
}

static void start(struct lab *lab)
{
    lab_account(lab, NULL);
    account_start(lab->account);
}

static struct addr lab_addr(const char *ip)
{
    struct addr at;
    assert_true(addr_parse(ip, LAB_PORT, &at));
    return at;
}

/* --- a server that takes connections and says nothing --- */

struct mute {
    struct stream_listener *listener;
    struct stream *accepted;
};

static void mute_data(void *arg, struct slice data)
{
    (void)arg;
    (void)data;
}

static void mute_closed(void *arg, struct result why, const struct errinfo *e)
{
    struct mute *m = arg;
    (void)why;
    (void)e;
    stream_close(m->accepted);
    m->accepted = NULL;
}

static void mute_accept(void *arg, struct stream *accepted)
{
    static const struct stream_handlers handlers = {.on_data = mute_data, .on_closed = mute_closed};
    struct mute *m = arg;
    stream_close(m->accepted);
    m->accepted = accepted;
    stream_start(accepted, 1, &handlers, m);
}

static void mute_listen(struct lab *lab, struct mute *m, const char *ip)
{
    const struct addr at = lab_addr(ip);
    *m = (struct mute){0};
    assert_true(
        is_ok(stream_listen_tcp(sim_loop(lab->sim), &at, mute_accept, m, &m->listener, NULL)));
}

static void mute_end(struct mute *m)
{
    stream_close(m->accepted);
    stream_listener_free(m->listener);
}

static void test_handshake_never_answered(void **state)
{
    struct lab *lab = *state;
    struct mute m;
    mute_listen(lab, &m, LAB_IP);
    start(lab);
    assert_false(lab_until(lab, lab_is_waiting, LIMIT_HANDSHAKE_MS - 1));
    assert_int_equal(lab_status(lab).state, ACCOUNT_HANDSHAKE);
    assert_true(lab_until(lab, lab_is_waiting, 100));
    lab_assert_error(lab, ERR_TIMEOUT,
                     LAB_HOST " (" LAB_IP ":5061) did not finish the TLS handshake within 10 s");
    mute_end(&m);
}

/* --- a server that cannot be reached --- */

static void test_name_unknown(void **state)
{
    struct lab *lab = *state;
    sim_host_clear(lab->sim, LAB_HOST);
    start(lab);
    assert_true(lab_until(lab, lab_is_waiting, SECONDS(1)));
    lab_assert_error(lab, ERR_DNS, LAB_HOST);
    assert_int_equal(sim_link_count(lab->sim), 0);
}

static void test_dns_silent(void **state)
{
    struct lab *lab = *state;
    sim_host_delay(lab->sim, LAB_HOST, SIM_NEVER);
    start(lab);
    assert_true(lab_until(lab, lab_is_waiting, LIMIT_DNS_MS + 100));
    assert_int_equal(lab_status(lab).error->code, ERR_TIMEOUT);
}

static void test_nobody_listens(void **state)
{
    struct lab *lab = *state;
    start(lab);
    assert_true(lab_until(lab, lab_is_waiting, SECONDS(1)));
    lab_assert_error(lab, ERR_SYSTEM, LAB_HOST ": cannot connect to " LAB_IP ":5061: ");
}

static void test_host_silent(void **state)
{
    struct lab *lab = *state;
    sim_net_reach(lab->sim, LAB_IP, SIM_REACH_SILENT);
    start(lab);
    assert_false(lab_until(lab, lab_is_waiting, LIMIT_CONNECT_MS - 1));
    assert_true(lab_until(lab, lab_is_waiting, 100));
    lab_assert_error(lab, ERR_TIMEOUT, "did not answer within 8 s");
}

/* --- several addresses --- */

static void test_fails_over_to_another_address(void **state)
{
    struct lab *lab = *state;
    struct mute m;
    sim_host_add(lab->sim, LAB_HOST, "192.0.2.2");
    sim_host_add(lab->sim, LAB_HOST, "192.0.2.3");
    sim_host_add(lab->sim, LAB_HOST, "192.0.2.4");
    sim_net_reach(lab->sim, LAB_IP, SIM_REACH_SILENT);
    sim_net_reach(lab->sim, "192.0.2.2", SIM_REACH_REFUSED);
    mute_listen(lab, &m, "192.0.2.3");
    lab_serve(lab, "192.0.2.4", lab_good(lab));
    start(lab);
    assert_true(lab_until(lab, lab_is_locked, SECONDS(20)));
    const struct addr at = lab_addr("192.0.2.4");
    const struct account_status s = lab_status(lab);
    assert_true(addr_eq(&s.remote, &at));
    assert_int_equal(sim_link_count(lab->sim), 4);
    mute_end(&m);
}

/* Only when all addresses failed, it is a failure; and a refused certificate is what is told. */
static void test_tells_the_most_telling_failure(void **state)
{
    struct lab *lab = *state;
    const struct testpki_cert *other = testpki_make(&(struct testpki_spec){
        .subject = "CN=other", .issuer = lab->ca, .san = "DNS:other.example.net"});
    sim_host_add(lab->sim, LAB_HOST, "192.0.2.2");
    sim_host_add(lab->sim, LAB_HOST, "192.0.2.3");
    lab_serve(lab, "192.0.2.2", other);
    start(lab);
    assert_true(lab_until(lab, lab_is_waiting, SECONDS(5)));
    assert_int_equal(sim_link_count(lab->sim), 3);
    assert_int_equal(lab_status(lab).failures, 1);
    lab_assert_error(lab, ERR_CERT, "other.example.net");
}

/* --- back-off --- */

/* Waits between tries, as the server would see them; all within their bounds. */
static void test_backs_off_over_a_day(void **state)
{
    struct lab *lab = *state;
    start(lab);
    sim_advance(lab->sim, HOURS(24));
    const size_t tries = sim_link_count(lab->sim);
    uint64_t bound = LIMIT_RECONNECT_BASE_MS;
    for (size_t i = 1; i < tries; i++) {
        const uint64_t wait = sim_link_dialled_ms(sim_link_at(lab->sim, i)) -
                              sim_link_dialled_ms(sim_link_at(lab->sim, i - 1));
        assert_in_range(wait, bound / 2, bound + 10);
        bound = 2 * bound < LIMIT_RECONNECT_MAX_MS ? 2 * bound : LIMIT_RECONNECT_MAX_MS;
    }
    /* Half an hour at most between two, at least half of that once it has grown. */
    assert_in_range(tries, 48, 110);
    lab_serve(lab, LAB_IP, lab_good(lab));
    assert_true(lab_until(lab, lab_is_locked, LIMIT_RECONNECT_MAX_MS + SECONDS(5)));
    assert_int_equal(lab_status(lab).failures, 0);
}

static void test_reconnect_does_not_wait(void **state)
{
    struct lab *lab = *state;
    start(lab);
    sim_advance(lab->sim, HOURS(3));
    lab_serve(lab, LAB_IP, lab_good(lab));
    account_reconnect(lab->account);
    assert_true(lab_until(lab, lab_is_locked, SECONDS(1)));
}

/* --- a server that dies --- */

static void test_lock_goes_with_the_server(void **state)
{
    struct lab *lab = *state;
    struct registrar_endpoint *server = lab_serve(lab, LAB_IP, lab_good(lab));
    start(lab);
    assert_true(lab_until(lab, lab_is_locked, SECONDS(1)));
    sim_advance(lab->sim, SECONDS(100));
    registrar_endpoint_kill(server);
    assert_true(lab_until(lab, lab_is_waiting, 10));
    assert_false(lab_status(lab).encrypted);
    assert_int_equal(lab_status(lab).registration, REGISTRATION_OFF);
    lab_assert_error(lab, ERR_CLOSED,
                     LAB_HOST " (" LAB_IP ":5061): the server closed the connection");
    assert_in_range(lab_status(lab).retry_in_ms, 1, LIMIT_RECONNECT_BASE_MS);
    sim_advance(lab->sim, SECONDS(60));
    assert_true(is_ok(registrar_endpoint_revive(server, NULL)));
    assert_true(lab_until(lab, lab_is_locked, SECONDS(70)));
    assert_int_equal(lab->events[REGISTRAR_EXPIRED], 0);
}

static void test_lock_goes_with_a_reset(void **state)
{
    struct lab *lab = *state;
    lab_serve(lab, LAB_IP, lab_good(lab));
    start(lab);
    assert_true(lab_until(lab, lab_is_locked, SECONDS(1)));
    sim_link_cut(sim_link_last(lab->sim), SIM_CUT_RESET);
    assert_true(lab_until(lab, lab_is_waiting, 10));
    assert_false(lab_status(lab).encrypted);
    assert_true(lab_until(lab, lab_is_locked, SECONDS(5)));
}

/* A peer that vanished without a word is noticed by keep-alive probes, or by the next refresh. */
static void test_dead_peer_is_noticed(void **state)
{
    struct lab *lab = *state;
    lab_serve(lab, LAB_IP, lab_good(lab));
    start(lab);
    assert_true(lab_until(lab, lab_is_locked, SECONDS(1)));
    sim_link_cut(sim_link_last(lab->sim), SIM_CUT_SILENT);
    assert_true(lab_until(lab, lab_is_waiting,
                          SECONDS(LIMIT_TCP_IDLE_S) + LIMIT_TCP_UNANSWERED_MS + SECONDS(20)));
    assert_true(lab_until(lab, lab_is_locked, SECONDS(5)));
}

static bool is_unanswered(const struct account_status *s)
{
    return s->state == ACCOUNT_WAITING && s->error->code == ERR_TIMEOUT;
}

/* The TLS side is well, and SIP says nothing: another connection is tried. */
static void test_register_unanswered(void **state)
{
    struct lab *lab = *state;
    registrar_set_fault(lab->core, REGISTRAR_SILENT);
    lab_serve(lab, LAB_IP, lab_good(lab));
    start(lab);
    assert_true(lab_until(lab, is_unanswered, LIMIT_SIP_TIMER_F_MS + SECONDS(1)));
    assert_false(lab_status(lab).encrypted);
    lab_assert_error(lab, ERR_TIMEOUT, "did not answer the REGISTER within 32 s");
}

/* A refused password leaves the connection, and its lock, alone. */
static void test_refused_password_keeps_the_lock(void **state)
{
    struct lab *lab = *state;
    registrar_set_fault(lab->core, REGISTRAR_FORBIDDEN);
    lab_serve(lab, LAB_IP, lab_good(lab));
    start(lab);
    sim_advance(lab->sim, SECONDS(10));
    const struct account_status s = lab_status(lab);
    assert_int_equal(s.state, ACCOUNT_OPEN);
    assert_true(s.encrypted);
    assert_int_equal(s.registration, REGISTRATION_WAITING);
    assert_int_equal(s.registration_status, 403);
    assert_int_not_equal(s.registration_error->code, ERR_OK);
    assert_int_equal(sim_link_count(lab->sim), 1);
}

/* --- a server that is worse than dead --- */

struct killer {
    struct lab *lab;
    struct registrar_endpoint *server;
};

static bool is_registered_now(void *arg)
{
    const struct killer *k = arg;
    const struct account_status s = lab_status(k->lab);
    return lab_is_locked(&s);
}

/* It accepts us, registers us, and dies, each time: that must not reset the back-off. */
static void test_a_server_in_a_crash_loop_is_not_hammered(void **state)
{
    struct lab *lab = *state;
    struct killer k = {lab, lab_serve(lab, LAB_IP, lab_good(lab))};
    start(lab);
    const uint64_t end = now(lab) + HOURS(2);
    while (now(lab) < end) {
        if (!sim_run_until(lab->sim, is_registered_now, &k, end - now(lab)))
            break;
        sim_advance(lab->sim, SECONDS(1));
        registrar_endpoint_kill(k.server);
        assert_true(is_ok(registrar_endpoint_revive(k.server, NULL)));
        sim_settle(lab->sim);
    }
    assert_in_range(sim_link_count(lab->sim), 8, 24);
}

/* One that was up for long is back as fast as can be, however often it failed before. */
static void test_a_long_life_resets_the_back_off(void **state)
{
    struct lab *lab = *state;
    struct registrar_endpoint *server = lab_serve(lab, LAB_IP, lab_good(lab));
    registrar_endpoint_kill(server);
    start(lab);
    sim_advance(lab->sim, HOURS(2));
    assert_true(is_ok(registrar_endpoint_revive(server, NULL)));
    assert_true(lab_until(lab, lab_is_locked, LIMIT_RECONNECT_MAX_MS + SECONDS(1)));
    sim_advance(lab->sim, LIMIT_STABLE_MS);
    sim_link_cut(sim_link_last(lab->sim), SIM_CUT_RESET);
    assert_true(lab_until(lab, lab_is_waiting, 10));
    assert_in_range(lab_status(lab).retry_in_ms, 1, LIMIT_RECONNECT_BASE_MS);
    assert_int_equal(lab_status(lab).failures, 1);
}

/* The same for one that never registered us: the connection was good. */
static void test_a_long_life_without_registration(void **state)
{
    struct lab *lab = *state;
    struct registrar_endpoint *server = lab_serve(lab, LAB_IP, lab_good(lab));
    registrar_set_fault(lab->core, REGISTRAR_FORBIDDEN);
    registrar_endpoint_kill(server);
    start(lab);
    sim_advance(lab->sim, SECONDS(100));
    assert_true(is_ok(registrar_endpoint_revive(server, NULL)));
    sim_advance(lab->sim, HOURS(1));
    assert_int_equal(lab_status(lab).state, ACCOUNT_OPEN);
    sim_link_cut(sim_link_last(lab->sim), SIM_CUT_RESET);
    assert_true(lab_until(lab, lab_is_waiting, 10));
    assert_int_equal(lab_status(lab).failures, 1);
}

/* --- our own troubles --- */

static void test_out_of_memory_is_a_failure_like_others(void **state)
{
    struct lab *lab = *state;
    lab_serve(lab, LAB_IP, lab_good(lab));
    lab_account(lab, NULL);
    sim_refuse_calls(lab->sim, 1); /* dns_resolve */
    account_start(lab->account);
    assert_int_equal(lab_status(lab).state, ACCOUNT_WAITING);
    assert_int_equal(lab_status(lab).error->code, ERR_NOMEM);
    assert_true(lab_until(lab, lab_is_locked, SECONDS(5)));
}

#define SCENARIO(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(test_handshake_never_answered),
        SCENARIO(test_name_unknown),
        SCENARIO(test_dns_silent),
        SCENARIO(test_nobody_listens),
        SCENARIO(test_host_silent),
        SCENARIO(test_fails_over_to_another_address),
        SCENARIO(test_tells_the_most_telling_failure),
        SCENARIO(test_backs_off_over_a_day),
        SCENARIO(test_reconnect_does_not_wait),
        SCENARIO(test_lock_goes_with_the_server),
        SCENARIO(test_lock_goes_with_a_reset),
        SCENARIO(test_dead_peer_is_noticed),
        SCENARIO(test_register_unanswered),
        SCENARIO(test_refused_password_keeps_the_lock),
        SCENARIO(test_a_server_in_a_crash_loop_is_not_hammered),
        SCENARIO(test_a_long_life_resets_the_back_off),
        SCENARIO(test_a_long_life_without_registration),
        SCENARIO(test_out_of_memory_is_a_failure_like_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
