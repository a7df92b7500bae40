/* rpc: the server of the sockets, with slow, rude and unwanted clients. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "control/rpc.h"
#include "sim/local.h"
#include "tools/unit.h"

#define PATH    "/run/test.sock"
#define REQUEST "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
#define RESULT_ "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":"

static struct {
    struct sim *w;
    struct rpc_server *server;
    int version; /* of the state: what a snapshot says */
    int snapshots;
    size_t size; /* of the answer of "large" */
    bool no_snapshot;
} t;

/* --- the service --- */

static struct result snapshot(void *arg, const struct cJSON *params, struct cJSON **result,
                              struct errinfo *e)
{
    (void)arg;
    (void)params;
    if (t.no_snapshot)
        return fail(e, ERR_NOMEM, "no memory");
    t.snapshots++;
    *result = cJSON_CreateNumber(t.version);
    return OK;
}

static struct result large(void *arg, const struct cJSON *params, struct cJSON **result,
                           struct errinfo *e)
{
    char *text = calloc(1, t.size + 1);
    (void)arg;
    (void)params;
    (void)e;
    assert_non_null(text);
    memset(text, 'a', t.size);
    *result = cJSON_CreateString(text);
    free(text);
    return OK;
}

/* Something changes: the state's version is told. PADDING makes the line long. */
static void change(size_t padding)
{
    char *text = calloc(1, padding + 1);
    struct cJSON *params = cJSON_CreateObject();

    assert_non_null(text);
    memset(text, 'p', padding);
    t.version++;
    assert_non_null(cJSON_AddNumberToObject(params, "v", t.version));
    assert_non_null(cJSON_AddStringToObject(params, "p", text));
    rpc_notify(t.server, "changed", params);
    cJSON_Delete(params);
    free(text);
}

static struct result change_now(void *arg, const struct cJSON *params, struct cJSON **result,
                                struct errinfo *e)
{
    (void)arg;
    (void)params;
    (void)e;
    change(0);
    *result = cJSON_CreateTrue();
    return OK;
}

static const struct jsonrpc_method methods[] = {
    {"large", NULL, large}, {"change", NULL, change_now}, {NULL, NULL, NULL}};

/* --- the peers --- */

static void connect_peer(struct local *p)
{
    local_connect(p, t.w, PATH);
}

/* The last line, without its newline, in a static buffer. */
static const char *last_line(struct local *p)
{
    static char line[1024];
    struct slice all = buf_slice(&p->got), start = all;

    assert_true(all.n > 0 && all.p[all.n - 1] == '\n');
    all.n--;
    for (struct slice rest = all; rest.p != NULL;)
        start = slice_cut(&rest, '\n');
    assert_true(slice_to_str(start, line, sizeof line));
    return line;
}

/* Every line that P got is whole JSON. */
static size_t check_lines(struct local *p)
{
    struct slice rest = buf_slice(&p->got);
    size_t n = 0;

    while (rest.n != 0) {
        const struct slice line = slice_cut(&rest, '\n');
        struct cJSON *json = cJSON_ParseWithLength((const char *)line.p, line.n);
        assert_non_null(json);
        cJSON_Delete(json);
        n++;
    }
    return n;
}

static int set_up(void **state)
{
    struct rpc_params p = {.path = PATH,
                           .mode = 0660,
                           .gid = 7,
                           .service = {.methods = methods, .snapshot = snapshot}};
    (void)state;

    memset(&t, 0, sizeof t);
    t.w = sim_new();
    assert_true(is_ok(rpc_server_new(sim_loop(t.w), &p, &t.server, NULL)));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rpc_server_free(t.server);
    sim_settle(t.w);
    sim_free(t.w);
    return 0;
}

/* --- the tests --- */

static void test_call(void **state)
{
    struct local p;
    (void)state;

    connect_peer(&p);
    local_ask(&p, REQUEST "\"status\"}\n");
    local_check(&p, RESULT_ "0}\n");
    local_leave(&p);
    assert_int_equal(0, rpc_clients(t.server));
}

static void test_lines_come_in_any_pieces(void **state)
{
    struct local p;
    (void)state;

    sim_net_chunk(t.w, 1);
    connect_peer(&p);
    local_ask(&p, "\n \r\n" REQUEST "\"status\"}\r\n" REQUEST "\"status\"}\nnonsense\n");
    local_check(&p, RESULT_
                "0}\n" RESULT_ "0}\n"
                "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"not "
                "JSON at byte 1: expected true, false or null\",\"data\":\"PARSE\"}}\n");
    assert_false(p.closed);
    local_leave(&p);
}

static void test_many_lines_in_one_piece(void **state)
{
    struct local p;
    (void)state;

    connect_peer(&p);
    for (int i = 0; i < 500; i++)
        local_say(&p, REQUEST "\"status\"}\n");
    local_ask(&p, "");
    assert_int_equal(500, check_lines(&p));
    local_leave(&p);
}

/* A client that floods us gets one answer a turn, and others get theirs between. */
static void test_a_flood_starves_nobody(void **state)
{
    struct local flood, other;
    (void)state;

    connect_peer(&flood);
    connect_peer(&other);
    for (int i = 0; i < 1000; i++)
        local_say(&flood, REQUEST "\"status\"}\n");
    local_say(&other, REQUEST "\"status\"}\n");
    while (buf_len(&other.got) == 0)
        assert_true(sim_step(t.w));
    assert_true(t.snapshots < 50);
    local_leave(&flood);
    local_leave(&other);
}

static void test_half_a_line_is_no_request(void **state)
{
    struct local p;
    (void)state;

    connect_peer(&p);
    local_ask(&p, REQUEST "\"status\"}");
    local_check(&p, "");
    local_leave(&p);
    assert_int_equal(0, t.snapshots);
    assert_int_equal(0, rpc_clients(t.server));
}

static void test_a_line_that_never_ends(void **state)
{
    struct local p;
    char *text = malloc(LIMIT_RPC_REQUEST + 2);
    (void)state;

    assert_non_null(text);
    memset(text, ' ', LIMIT_RPC_REQUEST + 1);
    text[LIMIT_RPC_REQUEST + 1] = '\0';
    connect_peer(&p);
    text[LIMIT_RPC_REQUEST] = '\0';
    local_ask(&p, text); /* as long as a line may be */
    assert_false(p.closed);
    local_ask(&p, "\n" REQUEST "\"status\"}\n");
    local_check(&p, RESULT_ "0}\n");

    text[LIMIT_RPC_REQUEST] = ' ';
    local_ask(&p, text);
    local_check(
        &p, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":\"a request "
            "is longer than 65536 bytes\",\"data\":\"LIMIT\"}}\n");
    assert_true(p.closed);
    assert_int_equal(0, rpc_clients(t.server));
    local_leave(&p);
    free(text);
}

static void test_subscribers_are_told(void **state)
{
    struct local p, other;
    (void)state;

    connect_peer(&p);
    connect_peer(&other);
    assert_false(rpc_has_subscribers(t.server));
    change(0);
    local_ask(&p, REQUEST "\"subscribe\"}\n");
    assert_true(rpc_has_subscribers(t.server));
    local_check(&p, RESULT_ "1}\n");
    change(1);
    sim_settle(t.w);
    local_check(&p,
                "{\"jsonrpc\":\"2.0\",\"method\":\"changed\",\"params\":{\"v\":2,\"p\":\"p\"}}\n");
    local_ask(&other, REQUEST "\"status\"}\n");
    local_check(&other, RESULT_ "2}\n");
    local_leave(&p);
    assert_false(rpc_has_subscribers(t.server));
    change(0);
    local_leave(&other);
}

static void test_a_method_that_notifies_its_caller(void **state)
{
    struct local p;
    (void)state;

    connect_peer(&p);
    local_ask(&p, REQUEST "\"subscribe\"}\n" REQUEST "\"change\"}\n");
    local_check(
        &p, RESULT_
        "0}\n{\"jsonrpc\":\"2.0\",\"method\":\"changed\",\"params\":{\"v\":1,\"p\":\"\"}}\n" RESULT_
        "true}\n");
    local_leave(&p);
}

/* What a slow subscriber reads in the end is the state of the end. */
static void test_a_slow_subscriber_gets_a_snapshot(void **state)
{
    struct local slow, quick;
    (void)state;

    sim_net_window(t.w, 1000);
    connect_peer(&slow);
    connect_peer(&quick);
    local_ask(&slow, REQUEST "\"subscribe\"}\n");
    local_ask(&quick, REQUEST "\"subscribe\"}\n");
    stream_pause(slow.s);
    for (int i = 0; i < 1000; i++) {
        change(500);
        sim_settle(t.w);
    }
    assert_int_equal(1, t.snapshots - 1);
    assert_int_equal(1 + 1000, check_lines(&quick));

    stream_resume(slow.s);
    sim_settle(t.w);
    const size_t lines = check_lines(&slow); /* the one that was begun was finished */
    assert_true(lines < 10);
    assert_string_equal("{\"jsonrpc\":\"2.0\",\"method\":\"snapshot\",\"params\":1000}",
                        last_line(&slow));
    assert_int_equal(3, t.snapshots);

    buf_clear(&slow.got);
    change(0);
    sim_settle(t.w);
    local_check(
        &slow, "{\"jsonrpc\":\"2.0\",\"method\":\"changed\",\"params\":{\"v\":1001,\"p\":\"\"}}\n");
    local_leave(&slow);
    local_leave(&quick);
}

static void test_a_backlog_within_the_limit_is_kept(void **state)
{
    struct local p;
    (void)state;

    sim_net_window(t.w, 1000);
    connect_peer(&p);
    local_ask(&p, REQUEST "\"subscribe\"}\n");
    buf_clear(&p.got);
    stream_pause(p.s);
    for (int i = 0; i < 100; i++) {
        change(500);
        sim_settle(t.w);
    }
    stream_resume(p.s);
    sim_settle(t.w);
    assert_int_equal(100, check_lines(&p));
    assert_int_equal(1, t.snapshots);
    local_leave(&p);
}

/* An answer that waits is not thrown away with the notifications around it, and is not the last
 * word either. */
static void test_an_answer_survives_the_backlog(void **state)
{
    struct local p;
    (void)state;

    sim_net_window(t.w, 1000);
    connect_peer(&p);
    local_ask(&p, REQUEST "\"subscribe\"}\n");
    stream_pause(p.s);
    change(5000);
    sim_settle(t.w);
    local_ask(&p, REQUEST "\"status\"}\n");
    for (int i = 0; i < 1000; i++)
        change(500);
    buf_clear(&p.got);
    stream_resume(p.s);
    sim_settle(t.w);
    assert_non_null(strstr(buf_str(&p.got), "}\n" RESULT_ "1}\n"));
    assert_int_equal(3, check_lines(&p));
    assert_string_equal("{\"jsonrpc\":\"2.0\",\"method\":\"snapshot\",\"params\":1001}",
                        last_line(&p));
    local_leave(&p);
}

/* Who does not read the answers is not read any more. */
static void test_answers_wait_for_the_reader(void **state)
{
    struct local p;
    (void)state;

    sim_net_window(t.w, 1000);
    t.size = 100000;
    connect_peer(&p);
    stream_pause(p.s);
    for (int i = 0; i < 50; i++)
        local_say(&p, REQUEST "\"large\"}\n");
    local_say(&p, REQUEST "\"status\"}\n");
    sim_settle(t.w);
    assert_int_equal(0, t.snapshots);
    stream_resume(p.s);
    sim_settle(t.w);
    sim_advance(t.w, 1000);
    assert_int_equal(51, check_lines(&p));
    assert_string_equal(RESULT_ "0}", last_line(&p));
    local_leave(&p);
}

/* More requests than we hold: they wait in the kernel, and with the client. */
static void test_requests_wait_for_the_reader(void **state)
{
    enum { REQUESTS = 8 * LIMIT_RPC_REQUEST / sizeof(REQUEST) };
    struct local p;
    (void)state;

    sim_net_window(t.w, 1000);
    t.size = 100000;
    connect_peer(&p);
    stream_pause(p.s);
    local_ask(&p, REQUEST "\"large\"}\n" REQUEST "\"large\"}\n");
    for (int i = 0; i < REQUESTS; i++)
        local_say(&p, REQUEST "\"status\"}\n");
    sim_settle(t.w);
    stream_resume(p.s);
    sim_settle(t.w);
    assert_int_equal(2 + REQUESTS, check_lines(&p));
    assert_false(p.closed);
    local_leave(&p);
}

static void test_a_snapshot_that_cannot_be_made_comes_later(void **state)
{
    struct local p;
    (void)state;

    sim_net_window(t.w, 1000);
    connect_peer(&p);
    local_ask(&p, REQUEST "\"subscribe\"}\n");
    stream_pause(p.s);
    for (int i = 0; i < 1000; i++)
        change(500);
    t.no_snapshot = true;
    stream_resume(p.s);
    sim_settle(t.w);
    sim_advance(t.w, 3 * LIMIT_RPC_RETRY_MS);
    assert_int_equal(1, t.snapshots);
    t.no_snapshot = false;
    sim_advance(t.w, LIMIT_RPC_RETRY_MS);
    assert_string_equal("{\"jsonrpc\":\"2.0\",\"method\":\"snapshot\",\"params\":1000}",
                        last_line(&p));
    local_leave(&p);
}

static void test_so_many_clients(void **state)
{
    struct local p[LIMIT_RPC_CLIENTS], more;
    (void)state;

    for (size_t i = 0; i < COUNT_OF(p); i++)
        connect_peer(&p[i]);
    assert_int_equal(LIMIT_RPC_CLIENTS, rpc_clients(t.server));
    connect_peer(&more);
    local_check(
        &more,
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32000,\"message\":\"16 clients "
        "are connected, and no more can be\",\"data\":\"BUSY\"}}\n");
    assert_true(more.closed);
    local_leave(&more);

    local_leave(&p[3]);
    connect_peer(&p[3]);
    local_ask(&p[3], REQUEST "\"status\"}\n");
    local_check(&p[3], RESULT_ "0}\n");
    for (size_t i = 0; i < COUNT_OF(p); i++)
        local_leave(&p[i]);
}

static void test_who_may_connect(void **state)
{
    /* Who is root is let in as root: the daemon's own user has to be another one. */
    const bool root = geteuid() == 0 && seteuid(4712) == 0;
    const struct {
        uid_t uid;
        gid_t gid;
        bool may;
    } cases[] = {
        {0, 99, true}, {geteuid(), 99, true}, {4711, 7, true}, {4711, 99, false}, {4711, 0, false}};
    mode_t mode;
    gid_t gid;
    (void)state;

    sim_unix_access(t.w, PATH, &mode, &gid);
    assert_int_equal(0660, mode);
    assert_int_equal(7, gid);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct local p;
        sim_unix_cred(t.w, (struct stream_cred){.uid = cases[i].uid, .gid = cases[i].gid});
        connect_peer(&p);
        if (cases[i].may) {
            local_ask(&p, REQUEST "\"status\"}\n");
            local_check(&p, RESULT_ "0}\n");
        } else {
            local_check(
                &p, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32000,\"message\":\"you "
                    "are not allowed to use this socket\",\"data\":\"DENIED\"}}\n");
            assert_true(p.closed);
        }
        local_leave(&p);
    }
    if (root)
        assert_int_equal(0, seteuid(0));
}

static void test_clients_that_go_at_any_time(void **state)
{
    struct local p;
    (void)state;

    sim_net_window(t.w, 1000);
    t.size = 100000;
    for (unsigned steps = 0; steps < 60; steps++) {
        connect_peer(&p);
        local_say(&p, REQUEST "\"subscribe\"}\n" REQUEST "\"large\"}\n" REQUEST
                              "\"change\"}\n" REQUEST);
        for (unsigned i = 0; i < steps; i++)
            (void)sim_step(t.w);
        local_leave(&p);
        sim_advance(t.w, LIMIT_CLOSE_MS);
        assert_int_equal(0, rpc_clients(t.server));
    }
}

static void test_the_server_goes_first(void **state)
{
    struct local p, idle;
    (void)state;

    connect_peer(&p);
    connect_peer(&idle);
    local_ask(&p, REQUEST "\"subscribe\"}\n");
    buf_clear(&p.got);
    change(0);
    rpc_server_free(t.server);
    t.server = NULL;
    sim_settle(t.w);
    local_check(&p,
                "{\"jsonrpc\":\"2.0\",\"method\":\"changed\",\"params\":{\"v\":1,\"p\":\"\"}}\n");
    assert_true(p.closed);
    assert_true(idle.closed);
    local_leave(&p);
    local_leave(&idle);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_call),
        TEST(test_lines_come_in_any_pieces),
        TEST(test_many_lines_in_one_piece),
        TEST(test_a_flood_starves_nobody),
        TEST(test_half_a_line_is_no_request),
        TEST(test_a_line_that_never_ends),
        TEST(test_subscribers_are_told),
        TEST(test_a_method_that_notifies_its_caller),
        TEST(test_a_slow_subscriber_gets_a_snapshot),
        TEST(test_a_backlog_within_the_limit_is_kept),
        TEST(test_an_answer_survives_the_backlog),
        TEST(test_answers_wait_for_the_reader),
        TEST(test_requests_wait_for_the_reader),
        TEST(test_a_snapshot_that_cannot_be_made_comes_later),
        TEST(test_so_many_clients),
        TEST(test_who_may_connect),
        TEST(test_clients_that_go_at_any_time),
        TEST(test_the_server_goes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
