/* libsipsd against a server that the test plays itself, on the other end of a real socket. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sipsd/client.h"
#include "tools/unit.h"

#define ACCOUNT                                                                              \
    "{\"account\":2,\"label\":\"Desk\",\"aor\":\"sips:alice@example.com\",\"state\":\"up\"," \
    "\"lock\":true,\"assurance\":\"chain\",\"code\":\"none\",\"sentence\":\"Verified\","     \
    "\"registration\":{\"state\":\"registered\",\"expires_s\":300,\"error\":null},"          \
    "\"peer\":{\"host\":\"sip.example.com\",\"protocol\":\"TLSv1.3\"},\"retry_in_ms\":null," \
    "\"failures\":3}"

struct server {
    char path[64];
    int listener;
    int peer; /* accepted */
    struct sipsd_client *client;
};

static int setup(void **state)
{
    struct server *s = calloc(1, sizeof *s);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char error[SIPSD_ERROR_SIZE];
    (void)snprintf(s->path, sizeof s->path, "/tmp/sipsd-client-%d.sock", (int)getpid());
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", s->path);
    (void)unlink(s->path);
    s->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(s->listener, 1), 0);
    assert_int_equal(sipsd_client_connect(s->path, &s->client, error), SIPSD_OK);
    s->peer = accept(s->listener, NULL, NULL);
    assert_true(s->peer >= 0);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct server *s = *state;
    sipsd_client_free(s->client);
    if (s->peer >= 0)
        (void)close(s->peer);
    (void)close(s->listener);
    (void)unlink(s->path);
    free(s);
    return 0;
}

static void say(struct server *s, const char *text)
{
    assert_int_equal(write(s->peer, text, strlen(text)), strlen(text));
}

/* What the client sent, at most one line. */
static const char *heard(struct server *s)
{
    static char line[4096];
    const ssize_t n = recv(s->peer, line, sizeof line - 1, MSG_DONTWAIT);
    line[n > 0 ? n : 0] = '\0';
    return line;
}

static void expect(struct server *s, enum sipsd_event_type type, struct sipsd_event *ev)
{
    char error[SIPSD_ERROR_SIZE] = "";
    assert_int_equal(sipsd_client_next(s->client, ev, error), SIPSD_OK);
    assert_int_equal(ev->type, type);
}

static void expect_none(struct server *s)
{
    struct sipsd_event ev;
    assert_int_equal(sipsd_client_next(s->client, &ev, NULL), SIPSD_AGAIN);
}

static void test_nobody_there(void **state)
{
    struct sipsd_client *c;
    char error[SIPSD_ERROR_SIZE];
    (void)state;
    assert_int_equal(sipsd_client_connect("/tmp/sipsd-nobody.sock", &c, error), SIPSD_FAILED);
    assert_null(c);
    assert_non_null(strstr(error, "not running"));
    assert_int_equal(sipsd_client_connect("/tmp/sipsd-nobody.sock", &c, NULL), SIPSD_FAILED);
}

#define FAREWELL \
    "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32000,\"message\":\"too many\"}}\n"

/* What sipsd says before it closes is the reason, even when the request came too late. */
static void test_a_farewell_is_the_reason(void **state)
{
    struct server *s = *state;
    struct sipsd_event ev;
    const char *result;
    char error[SIPSD_ERROR_SIZE];
    say(s, FAREWELL FAREWELL FAREWELL);
    (void)close(s->peer);
    s->peer = -1;
    assert_int_equal(sipsd_client_call(s->client, "status", NULL, 5000, &result, error),
                     SIPSD_REFUSED);
    assert_string_equal(error, "too many");
    assert_int_equal(sipsd_client_subscribe(s->client, error), SIPSD_OK);
    assert_int_equal(sipsd_client_next(s->client, &ev, error), SIPSD_REFUSED);
    assert_string_equal(error, "too many");
    assert_int_equal(sipsd_client_next(s->client, &ev, NULL), SIPSD_REFUSED);
    assert_int_equal(sipsd_client_next(s->client, &ev, error), SIPSD_CLOSED);
}

static void test_a_subscription_refused(void **state)
{
    struct server *s = *state;
    struct sipsd_event ev;
    char error[SIPSD_ERROR_SIZE];
    assert_int_equal(sipsd_client_subscribe(s->client, NULL), SIPSD_OK);
    say(s,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32603,\"message\":\"no memory\"}}\n");
    assert_int_equal(sipsd_client_next(s->client, &ev, error), SIPSD_REFUSED);
    assert_string_equal(error, "no memory");
}

static void test_params_of_several_lines(void **state)
{
    struct server *s = *state;
    const char *result;
    assert_int_equal(sipsd_client_call(s->client, "m", "{\n\"a\":\n1}", 0, &result, NULL),
                     SIPSD_TIMEOUT);
    assert_string_equal(heard(s),
                        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":{ \"a\": 1}}\n");
}

static void test_snapshot(void **state)
{
    struct server *s = *state;
    struct sipsd_event ev;
    assert_int_equal(sipsd_client_subscribe(s->client, NULL), SIPSD_OK);
    assert_string_equal(heard(s), "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\"}\n");
    expect_none(s);
    say(s, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"version\":\"1\",\"accounts\":[" ACCOUNT
           "]}}\n");
    expect(s, SIPSD_EVENT_SNAPSHOT_BEGIN, &ev);
    assert_non_null(strstr(ev.json, "\"version\":\"1\""));
    expect(s, SIPSD_EVENT_LOCK, &ev);
    assert_int_equal(ev.account.number, 2);
    assert_string_equal(ev.account.label, "Desk");
    assert_int_equal(ev.account.state, SIPSD_STATE_UP);
    assert_true(ev.account.lock);
    assert_int_equal(ev.account.assurance, SIPSD_ASSURANCE_CHAIN);
    assert_string_equal(ev.account.registration, "registered");
    assert_int_equal(ev.account.expires_s, 300);
    assert_string_equal(ev.account.registration_error, "");
    assert_string_equal(ev.account.host, "sip.example.com");
    assert_string_equal(ev.account.protocol, "TLSv1.3");
    assert_string_equal(ev.account.cipher, "");
    assert_int_equal(ev.account.retry_in_ms, -1);
    assert_int_equal(ev.account.failures, 3);
    expect(s, SIPSD_EVENT_SNAPSHOT_END, &ev);
    expect_none(s);
}

#define CERTIFICATE                                                                               \
    "{\"role\":\"peer\",\"accounts\":[2],\"name\":\"sip.example.com\",\"sha256\":\"ab12\","       \
    "\"not_after\":\"2027-01-20T00:00:00Z\",\"days_left\":4,\"state\":\"expiring\",\"sentence\":" \
    "\"It expires\"}"

static void test_certificates(void **state)
{
    struct server *s = *state;
    struct sipsd_event ev;
    say(s, "{\"jsonrpc\":\"2.0\",\"method\":\"snapshot\",\"params\":{\"accounts\":[" ACCOUNT
           "],\"expiring\":[" CERTIFICATE ",7]}}\n"
           "{\"jsonrpc\":\"2.0\",\"method\":\"certificate\",\"params\":" CERTIFICATE "}\n");
    expect(s, SIPSD_EVENT_SNAPSHOT_BEGIN, &ev);
    expect(s, SIPSD_EVENT_LOCK, &ev);
    expect(s, SIPSD_EVENT_CERTIFICATE, &ev);
    expect(s, SIPSD_EVENT_OTHER, &ev);
    expect(s, SIPSD_EVENT_SNAPSHOT_END, &ev);
    expect(s, SIPSD_EVENT_CERTIFICATE, &ev);
    assert_string_equal(ev.method, "certificate");
    assert_string_equal(ev.certificate.role, "peer");
    assert_string_equal(ev.certificate.name, "sip.example.com");
    assert_string_equal(ev.certificate.sha256, "ab12");
    assert_string_equal(ev.certificate.not_after, "2027-01-20T00:00:00Z");
    assert_int_equal(ev.certificate.days_left, 4);
    assert_string_equal(ev.certificate.state, "expiring");
    assert_string_equal(ev.certificate.sentence, "It expires");
    expect_none(s);
}

static void test_a_snapshot_without_lists(void **state)
{
    struct server *s = *state;
    struct sipsd_event ev;
    say(s, "{\"jsonrpc\":\"2.0\",\"method\":\"snapshot\",\"params\":{}}\n");
    expect(s, SIPSD_EVENT_SNAPSHOT_BEGIN, &ev);
    expect(s, SIPSD_EVENT_SNAPSHOT_END, &ev);
    expect_none(s);
}

static void test_events_byte_by_byte(void **state)
{
    static const char text[] = "{\"jsonrpc\":\"2.0\",\"method\":\"registration\",\"params\":"
                               "{\"account\":2,\"state\":\"waiting\",\"error\":\"no\"}}\n";
    struct server *s = *state;
    struct sipsd_event ev;
    for (size_t i = 0; i < sizeof text - 1; i++) {
        expect_none(s);
        assert_int_equal(write(s->peer, text + i, 1), 1);
    }
    expect(s, SIPSD_EVENT_REGISTRATION, &ev);
    assert_int_equal(ev.account.number, 2);
    assert_string_equal(ev.account.registration, "waiting");
    assert_string_equal(ev.account.registration_error, "no");
}

static void test_unknown_events_pass_through(void **state)
{
    struct server *s = *state;
    struct sipsd_event ev;
    say(s, "{\"jsonrpc\":\"2.0\",\"method\":\"moon\",\"params\":[1]}\n"
           "{\"jsonrpc\":\"2.0\",\"method\":\"lock\",\"params\":{}}\n");
    expect(s, SIPSD_EVENT_OTHER, &ev);
    assert_string_equal(ev.method, "moon");
    assert_string_equal(ev.json, "[1]");
    expect(s, SIPSD_EVENT_OTHER, &ev); /* no account in it */
}

static void test_call(void **state)
{
    struct server *s = *state;
    struct sipsd_event ev;
    const char *result;
    char error[SIPSD_ERROR_SIZE];
    say(s, "{\"jsonrpc\":\"2.0\",\"method\":\"a\"}\n{\"jsonrpc\":\"2.0\",\"method\":\"b\"}\n"
           "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"x\":1}}\n");
    assert_int_equal(
        sipsd_client_call(s->client, "status", "{\"deep\":true}", 1000, &result, error), SIPSD_OK);
    assert_string_equal(result, "{\"x\":1}");
    assert_string_equal(
        heard(s),
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\",\"params\":{\"deep\":true}}\n");
    expect(s, SIPSD_EVENT_OTHER, &ev); /* what came before the answer is not lost, and in order */
    assert_string_equal(ev.method, "a");
    expect(s, SIPSD_EVENT_OTHER, &ev);
    assert_string_equal(ev.method, "b");
    expect_none(s);
}

static void test_call_in_a_snapshot(void **state)
{
    struct server *s = *state;
    struct sipsd_event ev;
    const char *result;
    say(s,
        "{\"jsonrpc\":\"2.0\",\"method\":\"snapshot\",\"params\":{\"accounts\":[" ACCOUNT "]}}\n");
    expect(s, SIPSD_EVENT_SNAPSHOT_BEGIN, &ev);
    say(s, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":7}\n");
    assert_int_equal(sipsd_client_call(s->client, "x", NULL, 1000, &result, NULL), SIPSD_OK);
    assert_string_equal(result, "7");
    expect(s, SIPSD_EVENT_LOCK, &ev);
    expect(s, SIPSD_EVENT_SNAPSHOT_END, &ev);
}

static void test_call_refused(void **state)
{
    struct server *s = *state;
    const char *result;
    char error[SIPSD_ERROR_SIZE];
    say(s, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,\"message\":\"there is no "
           "account 9\"}}\n");
    assert_int_equal(sipsd_client_call(s->client, "x", NULL, 1000, &result, error), SIPSD_REFUSED);
    assert_string_equal(error, "there is no account 9");
    assert_null(result);
}

static void test_late_answer_is_dropped(void **state)
{
    struct server *s = *state;
    const char *result;
    char error[SIPSD_ERROR_SIZE];
    assert_int_equal(sipsd_client_call(s->client, "x", NULL, 0, &result, error), SIPSD_TIMEOUT);
    say(s, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1}\n{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":"
           "2}\n");
    assert_int_equal(sipsd_client_call(s->client, "y", NULL, 1000, &result, error), SIPSD_OK);
    assert_string_equal(result, "2");
    expect_none(s);
}

/* More than may be held: a fresh snapshot is asked for instead. */
static void test_too_many_events_in_a_call(void **state)
{
    struct server *s = *state;
    const char *result;
    char *big = malloc(60000);
    const int room = 4 * 1024 * 1024;
    assert_int_equal(setsockopt(s->peer, SOL_SOCKET, SO_SNDBUF, &room, sizeof room), 0);
    (void)sprintf(big, "{\"jsonrpc\":\"2.0\",\"method\":\"%050000d\"}\n", 1);
    for (int i = 0; i < 30; i++) {
        say(s, big);
        assert_int_equal(sipsd_client_call(s->client, "x", NULL, 0, &result, NULL), SIPSD_TIMEOUT);
    }
    free(big);
    char all[8192];
    const ssize_t n = recv(s->peer, all, sizeof all - 1, MSG_DONTWAIT);
    all[n > 0 ? n : 0] = '\0';
    assert_non_null(strstr(all, "\"subscribe\""));
}

static void test_closed(void **state)
{
    struct server *s = *state;
    struct sipsd_event ev;
    char error[SIPSD_ERROR_SIZE];
    const char *result;
    say(s, "{\"jsonrpc\":\"2.0\",\"method\":\"last\"}\n");
    (void)close(s->peer);
    s->peer = -1;
    expect(s, SIPSD_EVENT_OTHER, &ev);
    assert_int_equal(sipsd_client_next(s->client, &ev, error), SIPSD_CLOSED);
    assert_int_equal(sipsd_client_call(s->client, "x", NULL, 1000, &result, error), SIPSD_CLOSED);
}

static void test_garbage(void **state)
{
    struct server *s = *state;
    struct sipsd_event ev;
    say(s, "hello\n");
    assert_int_equal(sipsd_client_next(s->client, &ev, NULL), SIPSD_FAILED);
    say(s, "[]\n{}\n7\n\"x\"\n{\"method\":5}\n");
    expect_none(s); /* JSON, but nothing that concerns us */
}

static void test_endless_line(void **state)
{
    struct server *s = *state;
    struct sipsd_event ev;
    static char block[65536];
    enum sipsd_status status = SIPSD_AGAIN;
    memset(block, 'x', sizeof block);
    for (int i = 0; i < 64 && status == SIPSD_AGAIN; i++) {
        assert_true(send(s->peer, block, sizeof block, MSG_DONTWAIT) > 0);
        status = sipsd_client_next(s->client, &ev, NULL);
    }
    assert_int_equal(status, SIPSD_FAILED);
}

static void test_text_is_cut_between_characters(void **state)
{
    struct sipsd_account a;
    (void)state;
    assert_false(sipsd_account_from_json("{\"label\":\"x\"}", &a));
    assert_false(sipsd_account_from_json("nonsense", &a));
    /* 63 bytes fit: 62 of ASCII, and the two bytes of the next character do not */
    assert_true(sipsd_account_from_json(
        "{\"account\":1,\"label\":\"0123456789012345678901234567890123456789"
        "0123456789012345678901\u00e4\u00e4\"}",
        &a));
    assert_int_equal(strlen(a.label), 62);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test_setup_teardown(test_a_farewell_is_the_reason, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_subscription_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_params_of_several_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(test_snapshot, setup, teardown),
        cmocka_unit_test_setup_teardown(test_certificates, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_snapshot_without_lists, setup, teardown),
        cmocka_unit_test_setup_teardown(test_events_byte_by_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unknown_events_pass_through, setup, teardown),
        cmocka_unit_test_setup_teardown(test_call, setup, teardown),
        cmocka_unit_test_setup_teardown(test_call_in_a_snapshot, setup, teardown),
        cmocka_unit_test_setup_teardown(test_call_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_late_answer_is_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_many_events_in_a_call, setup, teardown),
        cmocka_unit_test_setup_teardown(test_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_garbage, setup, teardown),
        cmocka_unit_test_setup_teardown(test_endless_line, setup, teardown),
        cmocka_unit_test(test_text_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
