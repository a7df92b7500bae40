/* stream: listening on Unix and TCP sockets. Clients are plain sockets here. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/log.h"
#include "sys/stream.h"
#include "sys/uvloop.h"
#include "tools/looprun.h"
#include "tools/unit.h"

#define CLIENTS 20
#define NO_GID  ((gid_t)-1)

static struct {
    struct loop *loop;
    struct stream_listener *listener;
    char dir[64];
    char path[96];
    int clients[CLIENTS];
    struct stream *accepted[CLIENTS];
    size_t count;
    bool close_at_once, free_listener;
    struct buf got;
    int closed;
} t;

static void run_for(uint64_t ms)
{
    looprun_for(t.loop, ms);
}

static void on_accept(void *arg, struct stream *accepted)
{
    assert_ptr_equal(arg, &t);
    assert_true(t.count < CLIENTS);
    if (t.close_at_once) {
        stream_close(accepted);
        accepted = NULL;
    }
    t.accepted[t.count++] = accepted;
    if (t.free_listener) {
        stream_listener_free(t.listener);
        t.listener = NULL;
    }
}

static int set_up(void **state)
{
    (void)state;
    memset(&t, 0, sizeof t);
    memset(t.clients, -1, sizeof t.clients);
    assert_true(is_ok(loop_new(&t.loop, NULL)));
    (void)snprintf(t.dir, sizeof t.dir, "/tmp/test_listen.XXXXXX");
    assert_non_null(mkdtemp(t.dir));
    (void)snprintf(t.path, sizeof t.path, "%s/events.sock", t.dir);
    buf_init(&t.got, 1 << 16);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < CLIENTS; i++) {
        if (t.clients[i] >= 0)
            (void)close(t.clients[i]);
        stream_close(t.accepted[i]);
    }
    stream_listener_free(t.listener);
    loop_free(t.loop);
    buf_free(&t.got);
    (void)unlink(t.path);
    return rmdir(t.dir); /* so nothing was left in it */
}

static struct result listen_here(struct errinfo *e)
{
    return stream_listen_unix(t.loop, t.path, 0660, NO_GID, on_accept, &t, &t.listener, e);
}

static void must_listen(void)
{
    struct errinfo e = ERRINFO_INIT;
    if (is_err(listen_here(&e)))
        fail_msg("%s", e.text);
}

static int unix_socket(void)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    return fd;
}

static int connect_to_path(int fd)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", t.path);
    return connect(fd, (struct sockaddr *)&at, sizeof at);
}

static void connect_clients(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        t.clients[i] = unix_socket();
        assert_int_equal(connect_to_path(t.clients[i]), 0);
    }
}

static void accept_until(size_t n)
{
    while (t.count < n)
        run_for(5);
}

/* --- who may connect --- */

static void mode_and_group_are_as_asked_whatever_the_umask(void **state)
{
    (void)state;
    struct stat st;
    const gid_t gid = geteuid() == 0 ? 1 : getegid(); /* only root may give it to any */
    const mode_t mask = umask(0777);
    const struct result r =
        stream_listen_unix(t.loop, t.path, 0660, gid, on_accept, &t, &t.listener, NULL);
    assert_int_equal(umask(mask), 0777);
    assert_true(is_ok(r));
    assert_int_equal(lstat(t.path, &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 07777, 0660);
    assert_int_equal(st.st_gid, gid);
}

static void a_group_that_may_not_be_given_is_refused_and_leaves_nothing(void **state)
{
    (void)state;
    if (geteuid() == 0)
        skip(); /* root may give any */
    struct errinfo e = ERRINFO_INIT;
    assert_true(
        is_err(stream_listen_unix(t.loop, t.path, 0660, 0, on_accept, &t, &t.listener, &e)));
    assert_int_equal(access(t.path, F_OK), -1);
}

static void the_peers_credentials_are_known(void **state)
{
    (void)state;
    struct stream_cred cred;
    must_listen();
    connect_clients(1);
    accept_until(1);
    assert_true(is_ok(stream_peer_cred(t.accepted[0], &cred)));
    assert_int_equal(cred.pid, getpid());
    assert_int_equal(cred.uid, geteuid());
    assert_int_equal(cred.gid, getegid());
    assert_int_equal(stream_remote(t.accepted[0]).family, 0);
    assert_int_equal(stream_local(t.accepted[0]).family, 0);
}

/* A child with GROUPS connects, and lives until the pipe UNTIL is closed. */
static pid_t connect_as(const gid_t *groups, size_t n, const int until[2])
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0)
        return child;
    char c;
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (setgroups(n, groups) != 0 || setresgid(65534, 65534, 65534) != 0 ||
        setresuid(65534, 65534, 65534) != 0 || connect_to_path(fd) != 0)
        _exit(1);
    (void)close(until[1]);
    (void)!read(until[0], &c, 1);
    _exit(0);
}

static void supplementary_groups_of_the_peer_are_known(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* only root may choose its groups */
    SKIP_UNDER_VALGRIND();
    static const size_t counts[] = {0, 3, 200};
    gid_t groups[200];
    for (size_t i = 0; i < COUNT_OF(groups); i++)
        groups[i] = (gid_t)(1000 + i);
    must_listen();
    assert_int_equal(chmod(t.dir, 0755), 0);
    assert_int_equal(chmod(t.path, 0666), 0);
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        int until[2], status;
        assert_int_equal(pipe(until), 0);
        const pid_t child = connect_as(groups, counts[i], until);
        accept_until(i + 1);
        assert_true(stream_peer_in_group(t.accepted[i], 65534));
        assert_int_equal(stream_peer_in_group(t.accepted[i], 1000), counts[i] > 0);
        assert_int_equal(stream_peer_in_group(t.accepted[i], 1199), counts[i] == 200);
        assert_false(stream_peer_in_group(t.accepted[i], 0));
        (void)close(until[0]);
        (void)close(until[1]);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
}

/* --- what is at the path already --- */

static void make_stale_socket(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const int fd = unix_socket();
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", t.path);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(close(fd), 0);
}

static void a_stale_socket_is_replaced(void **state)
{
    (void)state;
    make_stale_socket();
    must_listen();
    connect_clients(1);
    accept_until(1);
}

static void a_stale_socket_under_the_temporary_name_is_no_hindrance(void **state)
{
    (void)state;
    char temporary[128];
    (void)snprintf(temporary, sizeof temporary, "%s.new", t.path);
    make_stale_socket();
    assert_int_equal(rename(t.path, temporary), 0);
    must_listen();
    connect_clients(1);
    accept_until(1);
}

static void a_socket_that_answers_is_left_alone(void **state)
{
    (void)state;
    struct errinfo e = ERRINFO_INIT;
    struct stream_listener *second;
    char expected[160];
    must_listen();
    assert_int_equal(
        stream_listen_unix(t.loop, t.path, 0600, NO_GID, on_accept, &t, &second, &e).code,
        ERR_EXISTS);
    (void)snprintf(expected, sizeof expected, "another process answers on %s", t.path);
    assert_string_equal(e.text, expected);
    t.close_at_once = true; /* the look whether it answers is a connection too */
    accept_until(1);
    connect_clients(1);
    accept_until(2);
}

static void a_file_that_is_no_socket_is_left_alone(void **state)
{
    (void)state;
    struct errinfo e = ERRINFO_INIT;
    const int fd = open(t.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_equal(close(fd), 0);
    assert_int_equal(listen_here(&e).code, ERR_EXISTS);
    assert_int_equal(access(t.path, F_OK), 0);
}

static void a_path_that_is_too_long_or_nowhere_is_refused(void **state)
{
    (void)state;
    struct errinfo e = ERRINFO_INIT;
    char path[200] = "";
    memset(path, 'p', sizeof path - 1);
    assert_int_equal(
        stream_listen_unix(t.loop, path, 0600, NO_GID, on_accept, &t, &t.listener, &e).code,
        ERR_INVALID);
    errinfo_clear(&e);
    assert_int_equal(stream_listen_unix(t.loop, "/no/such/directory/sock", 0600, NO_GID, on_accept,
                                        &t, &t.listener, &e)
                         .code,
                     ERR_SYSTEM);
    assert_string_equal(
        e.text, "cannot make the socket /no/such/directory/sock: No such file or directory");
}

static void the_path_is_removed_with_the_listener(void **state)
{
    (void)state;
    must_listen();
    stream_listener_free(t.listener);
    t.listener = NULL;
    assert_int_equal(access(t.path, F_OK), -1);
}

static void a_successors_socket_is_not_removed(void **state)
{
    (void)state;
    must_listen();
    assert_int_equal(unlink(t.path), 0);
    make_stale_socket();
    stream_listener_free(t.listener);
    t.listener = NULL;
    assert_int_equal(access(t.path, F_OK), 0);
}

/* --- accepting --- */

static void more_connections_than_fit_a_turn_are_all_accepted(void **state)
{
    (void)state;
    must_listen();
    connect_clients(CLIENTS);
    accept_until(CLIENTS);
}

static void the_listener_may_be_freed_inside_its_callback(void **state)
{
    (void)state;
    t.free_listener = true;
    must_listen();
    connect_clients(3);
    run_for(20);
    assert_int_equal(t.count, 1);
}

static void on_data(void *arg, struct slice data)
{
    (void)arg;
    assert_true(is_ok(buf_append(&t.got, data)));
}

static void on_closed(void *arg, struct result why, const struct errinfo *e)
{
    (void)e;
    assert_ptr_equal(arg, &t);
    assert_int_equal(why.code, ERR_CLOSED);
    t.closed++;
}

static const struct stream_handlers handlers = {.on_data = on_data, .on_closed = on_closed};

static void what_comes_before_the_start_is_kept_for_it(void **state)
{
    (void)state;
    must_listen();
    connect_clients(1);
    assert_int_equal(write(t.clients[0], "early", 5), 5);
    assert_int_equal(shutdown(t.clients[0], SHUT_WR), 0);
    accept_until(1);
    run_for(10);
    assert_int_equal(t.closed, 0);
    stream_start(t.accepted[0], 100, &handlers, &t);
    assert_int_equal(buf_len(&t.got), 0);
    while (t.closed == 0)
        run_for(5);
    assert_true(slice_eq_str(buf_slice(&t.got), "early"));
}

static void finish_closes_a_unix_stream_once_all_is_sent(void **state)
{
    (void)state;
    char reply[8] = "";
    must_listen();
    connect_clients(1);
    accept_until(1);
    stream_start(t.accepted[0], 100, &handlers, &t);
    assert_true(is_ok(stream_write(t.accepted[0], SLICE_LIT("bye"))));
    stream_finish(t.accepted[0]);
    t.accepted[0] = NULL;
    run_for(5);
    assert_int_equal(read(t.clients[0], reply, sizeof reply), 3);
    assert_int_equal(read(t.clients[0], reply, sizeof reply), 0);
}

/* --- without descriptors --- */

static void count_turn(uv_prepare_t *prepare)
{
    ++*(unsigned *)prepare->data;
}

/* How often the loop turns while MS pass. */
static unsigned turns_within(uint64_t ms)
{
    unsigned turns = 0;
    uv_prepare_t prepare;
    assert_int_equal(uv_prepare_init(uvloop_of(t.loop), &prepare), 0);
    prepare.data = &turns;
    assert_int_equal(uv_prepare_start(&prepare, count_turn), 0);
    run_for(ms);
    uv_close((uv_handle_t *)&prepare, NULL);
    run_for(1);
    return turns;
}

static void out_of_descriptors_accepting_pauses_and_goes_on(void **state)
{
    (void)state;
    struct rlimit before, none_left;
    SKIP_UNDER_VALGRIND();
    must_listen();
    t.clients[0] = unix_socket();
    const int lowest_free = dup(t.clients[0]);
    assert_int_equal(close(lowest_free), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none_left = (struct rlimit){.rlim_cur = (rlim_t)lowest_free, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none_left), 0);
    assert_int_equal(connect_to_path(t.clients[0]), 0);
    log_open(LOG_SINK_NONE, LOG_LEVEL_ERROR, "test");
    const unsigned turns = turns_within(100);
    log_open(LOG_SINK_STDERR, LOG_LEVEL_NOTICE, "test");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_true(turns < 10);
    assert_int_equal(t.count, 0);
    accept_until(1); /* the kernel has kept it */
}

/* --- TCP --- */

static void a_port_in_use_is_told(void **state)
{
    (void)state;
    struct errinfo e = ERRINFO_INIT;
    struct stream_listener *second;
    struct addr at;
    char expected[128], text[ADDR_TEXT_SIZE];
    assert_true(addr_parse("127.0.0.1", 0, &at));
    assert_true(is_ok(stream_listen_tcp(t.loop, &at, on_accept, &t, &t.listener, NULL)));
    at = stream_listener_local(t.listener);
    assert_int_not_equal(at.port, 0);
    assert_int_equal(stream_listen_tcp(t.loop, &at, on_accept, &t, &second, &e).code, ERR_SYSTEM);
    addr_format(&at, text);
    (void)snprintf(expected, sizeof expected, "cannot listen on %s: Address already in use", text);
    assert_string_equal(e.text, expected);
}

static void ipv6_is_accepted_and_is_ipv6_alone(void **state)
{
    (void)state;
    struct addr at;
    assert_true(addr_parse("::", 0, &at));
    if (is_err(stream_listen_tcp(t.loop, &at, on_accept, &t, &t.listener, NULL)))
        skip(); /* a kernel without IPv6 */
    at = stream_listener_local(t.listener);
    struct sockaddr_in ipv4 = {.sin_family = AF_INET,
                               .sin_port = htons(at.port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 ipv6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(at.port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    t.clients[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(t.clients[0], (struct sockaddr *)&ipv4, sizeof ipv4), -1);
    t.clients[1] = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(t.clients[1], (struct sockaddr *)&ipv6, sizeof ipv6), 0);
    accept_until(1);
    char text[ADDR_TEXT_SIZE];
    const struct addr remote = stream_remote(t.accepted[0]);
    addr_format_host(&remote, text);
    assert_string_equal(text, "::1");
}

/* The peer neither reads nor closes: the stream ends by itself, and loop_free() waits for that. */
static void finish_has_a_deadline(void **state)
{
    (void)state;
    static uint8_t block[1 << 16];
    struct addr at;
    assert_true(addr_parse("127.0.0.1", 0, &at));
    assert_true(is_ok(stream_listen_tcp(t.loop, &at, on_accept, &t, &t.listener, NULL)));
    at = stream_listener_local(t.listener);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(at.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    t.clients[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(t.clients[0], (struct sockaddr *)&to, sizeof to), 0);
    accept_until(1);
    stream_start(t.accepted[0], sizeof block, &handlers, &t);
    while (is_ok(stream_write(t.accepted[0], slice_of(block, sizeof block))))
        ;
    stream_finish(t.accepted[0]);
    t.accepted[0] = NULL;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(mode_and_group_are_as_asked_whatever_the_umask),
        TEST(a_group_that_may_not_be_given_is_refused_and_leaves_nothing),
        TEST(the_peers_credentials_are_known),
        TEST(supplementary_groups_of_the_peer_are_known),
        TEST(a_stale_socket_is_replaced),
        TEST(a_stale_socket_under_the_temporary_name_is_no_hindrance),
        TEST(a_socket_that_answers_is_left_alone),
        TEST(a_file_that_is_no_socket_is_left_alone),
        TEST(a_path_that_is_too_long_or_nowhere_is_refused),
        TEST(the_path_is_removed_with_the_listener),
        TEST(a_successors_socket_is_not_removed),
        TEST(more_connections_than_fit_a_turn_are_all_accepted),
        TEST(the_listener_may_be_freed_inside_its_callback),
        TEST(what_comes_before_the_start_is_kept_for_it),
        TEST(finish_closes_a_unix_stream_once_all_is_sent),
        TEST(out_of_descriptors_accepting_pauses_and_goes_on),
        TEST(a_port_in_use_is_told),
        TEST(ipv6_is_accepted_and_is_ipv6_alone),
        TEST(finish_has_a_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
