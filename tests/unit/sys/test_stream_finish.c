/* stream: how many accepted connections may wait for their peers to close. Clients are plain
 * sockets here, that do not. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "sys/stream.h"
#include "tools/looprun.h"
#include "tools/unit.h"

#define CLIENTS (LIMIT_FINISHING + 8)

static struct {
    struct loop *loop;
    struct stream_listener *listener;
    int clients[CLIENTS];
    struct stream *accepted[CLIENTS];
    size_t count;
} t;

static void run_for(uint64_t ms)
{
    looprun_for(t.loop, ms);
}

static void ignore_data(void *arg, struct slice data)
{
    (void)arg;
    (void)data;
}

static void ignore_closed(void *arg, struct result why, const struct errinfo *e)
{
    (void)arg;
    (void)why;
    (void)e;
}

static void on_accept(void *arg, struct stream *accepted)
{
    static const struct stream_handlers handlers = {.on_data = ignore_data,
                                                    .on_closed = ignore_closed};
    (void)arg;
    stream_start(accepted, 64, &handlers, NULL);
    t.accepted[t.count++] = accepted;
}

static int set_up(void **state)
{
    struct addr at;
    (void)state;
    memset(&t, 0, sizeof t);
    assert_true(is_ok(loop_new(&t.loop, NULL)));
    assert_true(addr_parse("127.0.0.1", 0, &at));
    assert_true(is_ok(stream_listen_tcp(t.loop, &at, on_accept, NULL, &t.listener, NULL)));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < CLIENTS; i++)
        (void)close(t.clients[i]);
    stream_listener_free(t.listener);
    loop_free(t.loop);
    return 0;
}

static void dial(size_t i)
{
    const struct addr to = stream_listener_local(t.listener);
    struct sockaddr_storage sa;
    const socklen_t size = addr_to_sockaddr(&to, &sa);
    t.clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(t.clients[i] >= 0);
    assert_int_equal(connect(t.clients[i], (struct sockaddr *)&sa, size), 0);
}

/* Whether the other side has closed for good: what we send is refused. One that waits takes it. */
static bool is_cut_off(int fd)
{
    const ssize_t n = send(fd, "x", 1, MSG_NOSIGNAL);
    char byte;
    run_for(20);
    return n < 0 || send(fd, "x", 1, MSG_NOSIGNAL) < 0 ||
           (recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == ECONNRESET);
}

static void strangers_cannot_make_us_wait_for_many(void **state)
{
    size_t cut_off = 0;
    (void)state;
    for (size_t i = 0; i < CLIENTS; i++) {
        dial(i);
        while (t.count <= i)
            run_for(5);
    }
    for (size_t i = 0; i < CLIENTS; i++)
        stream_finish(t.accepted[i]);
    run_for(20);
    for (size_t i = 0; i < CLIENTS; i++)
        cut_off += is_cut_off(t.clients[i]);
    assert_int_equal(cut_off, CLIENTS - LIMIT_FINISHING);
    run_for(LIMIT_CLOSE_MS + 200); /* and nobody is waited for any longer than that */
    for (size_t i = 0; i < CLIENTS; i++)
        assert_true(is_cut_off(t.clients[i]));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(strangers_cannot_make_us_wait_for_many, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
