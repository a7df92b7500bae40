/* packet: SEQPACKET sockets. Clients are plain sockets here. */
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
#include "sys/packet.h"
#include "tools/looprun.h"
#include "tools/unit.h"

#define SIZE   65559
#define NO_GID ((gid_t)-1)

static struct {
    struct loop *loop;
    struct packet_listener *listener;
    char dir[64];
    char path[96];
    int client;
    struct packet *packet;
    char got[64]; /* the first bytes of the last packet */
    size_t got_size;
    unsigned packets, drained, closed;
    enum err why;
    bool close_in_callback, refuse;
} t;

static void run_for(uint64_t ms)
{
    looprun_for(t.loop, ms);
}

static void on_packet(void *arg, struct slice packet)
{
    assert_ptr_equal(arg, &t);
    t.packets++;
    t.got_size = packet.n;
    (void)slice_to_str(slice_first(packet, sizeof t.got - 1), t.got, sizeof t.got);
    if (t.close_in_callback) {
        packet_close(t.packet);
        t.packet = NULL;
    }
}

static void on_drained(void *arg)
{
    (void)arg;
    t.drained++;
}

static void on_closed(void *arg, struct result why, const struct errinfo *e)
{
    (void)arg;
    assert_true(e->text[0] != '\0');
    t.closed++;
    t.why = why.code;
}

static const struct packet_handlers handlers = {on_packet, on_drained, on_closed};

static void say(const char *text)
{
    const struct slice parts[] = {SLICE_LIT("<"), slice_of_str(text), SLICE_LIT(">")};
    assert_true(is_ok(packet_send(t.packet, parts, COUNT_OF(parts))));
}

static void on_accept(void *arg, struct packet *accepted)
{
    assert_ptr_equal(arg, &t);
    t.packet = accepted;
    if (t.refuse) {
        say("go away");
        packet_finish(accepted);
        t.packet = NULL;
        return;
    }
    assert_true(is_ok(packet_start(accepted, SIZE, 100000, &handlers, &t)));
}

static int set_up(void **state)
{
    struct errinfo e = ERRINFO_INIT;
    (void)state;
    memset(&t, 0, sizeof t);
    assert_true(is_ok(loop_new(&t.loop, NULL)));
    (void)snprintf(t.dir, sizeof t.dir, "/tmp/test_packet.XXXXXX");
    assert_non_null(mkdtemp(t.dir));
    (void)snprintf(t.path, sizeof t.path, "%s/relay.sock", t.dir);
    if (is_err(packet_listen(t.loop, t.path, 0660, NO_GID, on_accept, &t, &t.listener, &e)))
        fail_msg("%s", e.text);
    t.client = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(t.client >= 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (t.client >= 0)
        (void)close(t.client);
    packet_close(t.packet);
    packet_listener_free(t.listener);
    loop_free(t.loop);
    return rmdir(t.dir); /* so nothing was left in it */
}

static void connect_client(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", t.path);
    assert_int_equal(connect(t.client, (struct sockaddr *)&at, sizeof at), 0);
    run_for(5);
}

static void client_hears(const char *expected)
{
    char text[128];
    const ssize_t n = recv(t.client, text, sizeof text - 1, 0);
    assert_true(n >= 0);
    text[n] = '\0';
    assert_string_equal(text, expected);
}

static void boundaries_are_kept(void **state)
{
    (void)state;
    connect_client();
    assert_non_null(t.packet);
    assert_int_equal(send(t.client, "one", 3, 0), 3);
    assert_int_equal(send(t.client, "three", 5, 0), 5);
    run_for(5);
    assert_int_equal(t.packets, 2);
    assert_string_equal(t.got, "three");
    say("a");
    say("bc");
    client_hears("<a>");
    client_hears("<bc>");
}

static void the_largest_and_one_more(void **state)
{
    (void)state;
    char *bytes = calloc(1, SIZE + 1);
    connect_client();
    assert_int_equal(send(t.client, bytes, SIZE, 0), SIZE);
    run_for(5);
    assert_int_equal(t.got_size, SIZE);
    const struct slice whole = slice_of(bytes, SIZE);
    assert_true(is_ok(packet_send(t.packet, &whole, 1)));
    assert_int_equal(recv(t.client, bytes, SIZE, 0), SIZE);
    assert_int_equal(send(t.client, bytes, SIZE + 1, 0), SIZE + 1);
    run_for(5);
    assert_int_equal(t.packets, 1);
    assert_int_equal(t.closed, 1);
    assert_int_equal(t.why, ERR_LIMIT);
    free(bytes);
}

static void a_peer_that_does_not_read(void **state)
{
    (void)state;
    static const char bytes[20000] = "x";
    const struct slice one = slice_of(bytes, sizeof bytes);
    unsigned sent = 0;
    struct result r;
    connect_client();
    while (is_ok(r = packet_send(t.packet, &one, 1)))
        assert_true(++sent < 1000);
    assert_int_equal(r.code, ERR_LIMIT);
    assert_int_equal(packet_queued(t.packet), 100000);
    assert_int_equal(t.drained, 0);
    for (unsigned i = 0; i < sent; i++) {
        char got[sizeof bytes];
        struct pollfd fd = {.fd = t.client, .events = POLLIN};
        while (poll(&fd, 1, 0) == 0)
            run_for(1);
        assert_int_equal(recv(t.client, got, sizeof got, 0), sizeof got);
    }
    run_for(5);
    assert_int_equal(t.drained, 1);
    assert_int_equal(packet_queued(t.packet), 0);
    assert_int_equal(t.closed, 0);
}

static void the_peer_leaves(void **state)
{
    (void)state;
    connect_client();
    assert_int_equal(send(t.client, "last", 4, 0), 4);
    assert_int_equal(close(t.client), 0);
    t.client = -1;
    say("nobody hears it");
    run_for(5);
    assert_string_equal(t.got, "last");
    assert_int_equal(t.closed, 1);
    assert_int_equal(t.why, ERR_CLOSED);
    const struct slice word = SLICE_LIT("x");
    assert_int_equal(packet_send(t.packet, &word, 1).code, ERR_STATE);
}

static void closed_in_its_callback(void **state)
{
    (void)state;
    connect_client();
    t.close_in_callback = true;
    assert_int_equal(send(t.client, "one", 3, 0), 3);
    assert_int_equal(send(t.client, "two", 3, 0), 3);
    run_for(5);
    assert_int_equal(t.packets, 1);
    assert_int_equal(t.closed, 0);
}

/* What a client has sent already must not cost it the reason why it is sent away. */
static void last_words(void **state)
{
    (void)state;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    t.refuse = true;
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", t.path);
    assert_int_equal(connect(t.client, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(send(t.client, "hello", 5, 0), 5);
    run_for(20);
    assert_int_equal(send(t.client, "hello?", 6, 0), 6);
    client_hears("<go away>");
    run_for(5);
    assert_int_equal(t.packets, 0);
}

static void who_is_there(void **state)
{
    (void)state;
    struct stream_cred cred;
    struct stat st;
    connect_client();
    assert_true(is_ok(packet_peer_cred(t.packet, &cred)));
    assert_int_equal(cred.pid, getpid());
    assert_int_equal(cred.uid, getuid());
    assert_true(packet_peer_in_group(t.packet, getgid()));
    assert_false(packet_peer_in_group(t.packet, 64999));
    assert_int_equal(stat(t.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0660);
}

/* A second one at the same path is refused while the first answers, and takes its place after. */
static void a_stale_path(void **state)
{
    (void)state;
    struct packet_listener *second;
    struct errinfo e = ERRINFO_INIT;
    assert_int_equal(packet_listen(t.loop, t.path, 0600, NO_GID, on_accept, &t, &second, &e).code,
                     ERR_EXISTS);
    packet_listener_free(t.listener);
    assert_int_equal(access(t.path, F_OK), -1);
    const int left = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", t.path);
    assert_int_equal(bind(left, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(close(left), 0);
    errinfo_clear(&e);
    if (is_err(packet_listen(t.loop, t.path, 0600, NO_GID, on_accept, &t, &t.listener, &e)))
        fail_msg("%s", e.text);
    connect_client();
    assert_non_null(t.packet);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(boundaries_are_kept),
        TEST(the_largest_and_one_more),
        TEST(a_peer_that_does_not_read),
        TEST(the_peer_leaves),
        TEST(closed_in_its_callback),
        TEST(last_words),
        TEST(who_is_there),
        TEST(a_stale_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
