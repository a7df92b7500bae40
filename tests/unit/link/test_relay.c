/* relay.sock with libsipsd's client at the other end: who may use it, what goes through, and what
 * happens to a call-control that is not as it should be. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "link/relay.h"
#include "sip/message_write.h"
#include "sipsd/relay.h"
#include "sys/entropy.h"
#include "tools/looprun.h"
#include "tools/unit.h"

#define NO_GID ((gid_t)-1)

static struct {
    struct loop *loop;
    struct carrier *carrier;
    struct carrier_line *line;
    struct relay *relay;
    char dir[64], path[96];
    struct sipsd_relay *client, *second;
    struct sipsd_relay_event ev;
    char error[SIPSD_ERROR_SIZE];
    char sent[8192]; /* the last that left over the line */
    unsigned sends, calls_changed;
    size_t queued;
} t;

/* --- the TLS side --- */

static struct result send_out(void *arg, struct slice message)
{
    (void)arg;
    assert_true(slice_to_str(slice_first(message, sizeof t.sent - 1), t.sent, sizeof t.sent));
    t.sends++;
    return OK;
}

static size_t queued(void *arg)
{
    (void)arg;
    return t.queued;
}

static void calls_changed(void *arg)
{
    (void)arg;
    t.calls_changed++;
}

static const struct carrier_line_handlers line_handlers = {
    .send = send_out, .queued = queued, .calls_changed = calls_changed};

static struct carrier_facts facts(void)
{
    struct carrier_facts f = {
        .account = 1,
        .id = 77,
        .lock = true,
        .assurance = ASSURANCE_FULL,
        .registered = true,
        .contact = "sips:alice@192.0.2.7:40312",
    };
    (void)addr_parse("192.0.2.7", 40312, &f.local);
    (void)addr_parse("198.51.100.1", 5061, &f.remote);
    return f;
}

static void open_line(void)
{
    const struct carrier_facts f = facts();
    assert_true(is_ok(carrier_line_new(t.carrier, &f, &line_handlers, NULL, &t.line)));
}

static void arrives(const char *text)
{
    struct sip_message *m;
    assert_true(is_ok(sip_message_parse(slice_of_str(text), &m, NULL)));
    carrier_line_receive(t.line, m, slice_of_str(text));
    sip_message_free(m);
}

/* --- the phone's side --- */

static void run_for(uint64_t ms)
{
    looprun_for(t.loop, ms);
}

static enum sipsd_status next(struct sipsd_relay *r)
{
    enum sipsd_status status;
    for (int i = 0; (status = sipsd_relay_next(r, &t.ev, t.error)) == SIPSD_AGAIN && i < 50; i++)
        run_for(2);
    return status;
}

static void hears(enum sipsd_relay_type type)
{
    const enum sipsd_status status = next(t.client);
    if (status != SIPSD_OK)
        fail_msg("%d: %s", status, t.error);
    assert_int_equal(t.ev.type, type);
}

static void hears_nothing(void)
{
    run_for(5);
    assert_int_equal(sipsd_relay_next(t.client, &t.ev, t.error), SIPSD_AGAIN);
}

static void connect_client(void)
{
    if (sipsd_relay_connect(t.path, &t.client, t.error) != SIPSD_OK)
        fail_msg("%s", t.error);
    hears(SIPSD_RELAY_HELLO);
}

static void says(uint64_t connection, uint32_t token, const char *text)
{
    assert_int_equal(sipsd_relay_send(t.client, 1, connection, token, text, strlen(text), t.error),
                     SIPSD_OK);
    run_for(5);
}

static void is_told_no(enum sipsd_relay_error code, int status, uint32_t token)
{
    hears(SIPSD_RELAY_ERROR);
    assert_int_equal(t.ev.code, code);
    assert_int_equal(t.ev.status, status);
    assert_int_equal(t.ev.token, token);
    assert_true(t.ev.sentence[0] != '\0');
}

static int set_up(void **state)
{
    (void)state;
    struct errinfo e = ERRINFO_INIT;
    memset(&t, 0, sizeof t);
    log_open(LOG_SINK_NONE, LOG_LEVEL_ERROR, "test");
    assert_true(is_ok(loop_new(&t.loop, NULL)));
    assert_true(is_ok(carrier_new(&entropy_system, &t.carrier, &e)));
    (void)snprintf(t.dir, sizeof t.dir, "/tmp/test_relay.XXXXXX");
    assert_non_null(mkdtemp(t.dir));
    (void)snprintf(t.path, sizeof t.path, "%s/relay.sock", t.dir);
    const struct relay_params p = {.path = t.path, .gid = NO_GID};
    if (is_err(relay_new(t.loop, t.carrier, &p, &t.relay, &e)))
        fail_msg("%s", e.text);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sipsd_relay_free(t.client);
    sipsd_relay_free(t.second);
    relay_free(t.relay);
    carrier_line_free(t.line);
    carrier_free(t.carrier);
    loop_free(t.loop);
    return rmdir(t.dir);
}

#define REST(method)                                                \
    "From: <sips:bob@example.com>;tag=b\r\n"                        \
    "To: <sips:alice@example.com>\r\nCall-ID: 1\r\nCSeq: 1 " method \
    "\r\nContent-Length: 0\r\n\r\n"
#define INVITE                                      \
    "INVITE sips:alice@192.0.2.7:40312 SIP/2.0\r\n" \
    "Via: SIP/2.0/TLS 198.51.100.1:5061;branch=z9hG4bKx\r\n" REST("INVITE")

/* --- tests --- */

static void states(void **state)
{
    (void)state;
    open_line();
    connect_client();
    hears(SIPSD_RELAY_STATE);
    assert_int_equal(t.ev.account, 1);
    assert_int_equal(t.ev.connection, 77);
    const struct sipsd_relay_state *s = &t.ev.state;
    assert_true(s->up && s->lock && s->registered && !s->inbound);
    assert_int_equal(s->assurance, SIPSD_ASSURANCE_FULL);
    assert_string_equal(s->contact, "sips:alice@192.0.2.7:40312");
    assert_string_equal(s->local, "192.0.2.7:40312");
    assert_string_equal(s->remote, "198.51.100.1:5061");
    struct carrier_facts f = facts();
    carrier_line_set(t.line, &f);
    hears_nothing(); /* nothing is new */
    f.lock = false;
    f.assurance = ASSURANCE_NONE;
    carrier_line_set(t.line, &f);
    hears(SIPSD_RELAY_STATE);
    assert_true(t.ev.state.up && !t.ev.state.lock);
    carrier_line_free(t.line);
    t.line = NULL;
    hears(SIPSD_RELAY_STATE);
    assert_false(t.ev.state.up);
}

static void a_call_and_its_answer(void **state)
{
    (void)state;
    open_line();
    connect_client();
    hears(SIPSD_RELAY_STATE);
    arrives(INVITE);
    hears(SIPSD_RELAY_RECEIVE);
    assert_int_equal(t.ev.account, 1);
    assert_int_equal(t.ev.connection, 77);
    /* what it got is a message, and its answer goes back without our Via */
    struct sip_message *m;
    struct buf out;
    assert_true(is_ok(sip_message_parse(slice_of(t.ev.message, t.ev.length), &m, NULL)));
    buf_init(&out, LIMIT_SIP_MESSAGE);
    assert_true(is_ok(sip_message_write_response(&out, m, 180, NULL, "p", NULL)));
    says(77, 1, buf_str(&out));
    assert_int_equal(t.sends, 1);
    assert_memory_equal(t.sent, "SIP/2.0 180 ", 12);
    assert_non_null(
        strstr(t.sent, "\r\nVia: SIP/2.0/TLS 198.51.100.1:5061;branch=z9hG4bKx\r\nFrom"));
    buf_free(&out);
    sip_message_free(m);
    hears_nothing();
}

static void what_cannot_be_sent(void **state)
{
    (void)state;
    connect_client();
    says(0, 1, INVITE);
    is_told_no(SIPSD_RELAY_ERROR_GONE, 503, 1);
    open_line();
    hears(SIPSD_RELAY_STATE);
    says(78, 2, INVITE);
    is_told_no(SIPSD_RELAY_ERROR_GONE, 503, 2);
    says(77, 3, "SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS a;branch=z9hG4bKx\r\n" REST("INVITE"));
    is_told_no(SIPSD_RELAY_ERROR_ACCOUNT, 0, 3);
    says(77, 4, "hello?");
    is_told_no(SIPSD_RELAY_ERROR_MESSAGE, 0, 4);
    assert_int_equal(sipsd_relay_send(t.client, 2, 77, 5, INVITE, strlen(INVITE), t.error),
                     SIPSD_OK);
    is_told_no(SIPSD_RELAY_ERROR_ACCOUNT, 403, 5);
    assert_int_equal(t.sends, 0);
    static char large[SIPSD_RELAY_MESSAGE + 1];
    assert_int_equal(sipsd_relay_send(t.client, 1, 77, 6, large, sizeof large, t.error),
                     SIPSD_FAILED);
    says(77, 7, INVITE); /* it is still a good client */
    assert_int_equal(t.sends, 1);
}

static void a_server_that_is_slow(void **state)
{
    (void)state;
    open_line();
    connect_client();
    hears(SIPSD_RELAY_STATE);
    t.queued = LIMIT_CARRIER_OUT;
    says(0, 1, INVITE);
    is_told_no(SIPSD_RELAY_ERROR_BUSY, 503, 1);
    assert_int_equal(t.ev.connection, 77);
    hears(SIPSD_RELAY_BUSY);
    assert_true(t.ev.busy);
    t.queued = 0;
    carrier_line_drained(t.line);
    hears(SIPSD_RELAY_BUSY);
    assert_false(t.ev.busy);
    assert_int_equal(t.ev.connection, 77);
    says(0, 2, INVITE);
    assert_int_equal(t.sends, 1);
}

static void calls_count_while_it_lives(void **state)
{
    (void)state;
    open_line();
    connect_client();
    assert_int_equal(sipsd_relay_dialogs(t.client, 1, 77, 2, t.error), SIPSD_OK);
    run_for(5);
    assert_int_equal(carrier_line_calls(t.line), 2);
    assert_int_equal(t.calls_changed, 1);
    sipsd_relay_free(t.client);
    t.client = NULL;
    run_for(5);
    assert_int_equal(carrier_line_calls(t.line), 0);
    assert_int_equal(t.calls_changed, 2);
    assert_false(carrier_serves(t.carrier, 1));
}

static void one_at_a_time(void **state)
{
    (void)state;
    connect_client();
    assert_int_equal(sipsd_relay_connect(t.path, &t.second, t.error), SIPSD_OK);
    assert_int_equal(next(t.second), SIPSD_REFUSED);
    assert_int_equal(t.ev.code, SIPSD_RELAY_ERROR_TAKEN);
    assert_non_null(strstr(t.error, "another call-control is connected"));
    assert_int_equal(next(t.second), SIPSD_AGAIN); /* it may look at that for a while */
    open_line();
    hears(SIPSD_RELAY_STATE);
    sipsd_relay_free(t.client);
    t.client = NULL;
    run_for(5);
    connect_client(); /* the place is free again */
}

/* A request that it has no room for is answered; when not even the state fits, it has to go. */
static void a_client_that_does_not_read(void **state)
{
    (void)state;
    static char text[30000];
    open_line();
    connect_client();
    (void)snprintf(text, sizeof text,
                   "MESSAGE sips:alice@192.0.2.7:40312 SIP/2.0\r\n"
                   "Via: SIP/2.0/TLS 198.51.100.1:5061;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=b\r\n"
                   "To: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 MESSAGE\r\nContent-Length: 20000\r\n\r\n"
                   "%20000s",
                   "");
    unsigned n = 0;
    while (t.sends == 0 && n < 100) {
        arrives(text);
        n++;
    }
    assert_true(n > 6 && n < 100);
    assert_memory_equal(t.sent, "SIP/2.0 503 ", 12);
    assert_non_null(strstr(t.sent, "\r\nRetry-After: "));
    assert_true(carrier_serves(t.carrier, 1));
    struct carrier_facts f = facts();
    for (unsigned i = 0; i < 5000; i++) {
        f.lock = !f.lock;
        carrier_line_set(t.line, &f);
    }
    run_for(5);
    assert_false(carrier_serves(t.carrier, 1));
}

static int raw_socket(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", t.path);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

/* The last error packet on FD, and the end. */
static void is_sent_away(int fd, const char *sentence)
{
    char packet[1024];
    ssize_t n, last = 0;
    struct sipsd_relay_event ev = {0};
    run_for(10);
    while ((n = recv(fd, packet, sizeof packet, 0)) > 0) {
        last = n;
        assert_true(sipsd_relay_parse(packet, (size_t)n, &ev));
    }
    assert_true(last > 0);
    assert_int_equal(ev.type, SIPSD_RELAY_ERROR);
    assert_int_equal(ev.code, SIPSD_RELAY_ERROR_PROTOCOL);
    assert_non_null(strstr(ev.sentence, sentence));
    assert_int_equal(close(fd), 0);
    run_for(5);
}

static void clients_that_do_not_speak_it(void **state)
{
    (void)state;
    static const struct {
        const char bytes[32];
        size_t n;
        const char *sentence;
    } cases[] = {
        {"GET / HTTP/1.0\r\n\r\n", 18, "no packet of the relay"},
        {"SIPS\2\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24, "the version is 2"},
        {"SIPS\1\1\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0", 24, "the length"},
        {"SIPS\1\1\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0x", 25, "has to be empty"},
        {"SIPS\1\2\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24, "did not say hello first"},
        {"SIPS\1\6\0\1\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0x", 25, "has to have 4 bytes"},
        {"SIPS\1\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24, "there is no account 0"},
        {"SIPS\1\2\0\21\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24, "there is no account 17"},
        {"SIPS\1\7\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24, "type 7 are not for sipsd"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const int fd = raw_socket();
        assert_int_equal(send(fd, cases[i].bytes, cases[i].n, 0), cases[i].n);
        is_sent_away(fd, cases[i].sentence);
    }
    const int fd = raw_socket();
    static const char hello[] = "SIPS\1\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    assert_int_equal(send(fd, hello, 24, 0), 24);
    assert_int_equal(send(fd, hello, 24, 0), 24);
    is_sent_away(fd, "hello twice");
    connect_client();
}

static void one_that_says_nothing(void **state)
{
    (void)state;
    const int fd = raw_socket();
    run_for(LIMIT_RELAY_HELLO_MS + 50);
    is_sent_away(fd, "did not say hello");
}

static void who_may(void **state)
{
    (void)state;
    struct stat st;
    assert_int_equal(stat(t.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    relay_free(t.relay);
    const struct relay_params p = {.path = t.path, .gid = getgid()};
    assert_true(is_ok(relay_new(t.loop, t.carrier, &p, &t.relay, NULL)));
    assert_int_equal(stat(t.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0660);
    connect_client();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(states),
        TEST(a_call_and_its_answer),
        TEST(what_cannot_be_sent),
        TEST(a_server_that_is_slow),
        TEST(calls_count_while_it_lives),
        TEST(one_at_a_time),
        TEST(a_client_that_does_not_read),
        TEST(clients_that_do_not_speak_it),
        TEST(one_that_says_nothing),
        TEST(who_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
