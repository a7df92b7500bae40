/*
 * dns: against a DNS server of the test's own, on the same loop; and, where the kernel allows a
 * namespace of one's own, against a resolv.conf and a hosts file of the test's own.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "sys/dns.h"
#include "tools/looprun.h"
#include "tools/unit.h"

#define TYPE_A    1
#define TYPE_AAAA 28

enum behaviour {
    ANSWERS, /* 192.0.2.7 and 2001:db8::7 */
    ANSWERS_IPV4_ONLY,
    ANSWERS_MANY, /* 40 IPv4 addresses */
    SAYS_NO_SUCH_NAME,
    SAYS_SERVER_FAILURE,
    SAYS_GARBAGE_FIRST, /* to the first query, and then answers */
    IS_SILENT,
};

static struct {
    struct loop *loop;
    struct dns *dns;
    /* The server. */
    int fd;
    struct loop_poll *poll;
    enum behaviour behaviour;
    int asked;
    char asked_for[256];
    /* The answer. */
    int answers;
    enum err code;
    struct addr addrs[LIMIT_DNS_ADDRESSES];
    size_t count;
    char sentence[ERRINFO_TEXT_MAX];
    bool free_in_answer, in_call;
} t;

/* --- the server --- */

/* The question's name as text; returns where its type stands, or 0. */
static size_t read_name(const uint8_t *p, size_t n, char *out, size_t size)
{
    size_t at = 12, used = 0;
    while (at < n && p[at] != 0) {
        const size_t label = p[at++];
        if (at + label > n || used + label + 2 > size)
            return 0;
        if (used > 0)
            out[used++] = '.';
        memcpy(out + used, p + at, label);
        used += label;
        at += label;
    }
    out[used] = '\0';
    return at + 1;
}

static void add_address(struct buf *b, unsigned type, uint8_t last)
{
    const uint8_t head[] = {0xc0, 12, 0, (uint8_t)type, 0, 1, 0, 0, 0, 60};
    const uint8_t ipv4[] = {0, 4, 192, 0, 2, last};
    const uint8_t ipv6[] = {0, 16, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last};
    assert_true(is_ok(buf_append(b, slice_of(head, sizeof head))));
    assert_true(is_ok(
        buf_append(b, type == TYPE_A ? slice_of(ipv4, sizeof ipv4) : slice_of(ipv6, sizeof ipv6))));
}

static void reply(const uint8_t *query, size_t question_end, unsigned type, struct buf *b)
{
    uint8_t head[12] = {query[0], query[1], 0x81, 0x80, 0, 1};
    unsigned addresses = 1;
    if (t.behaviour == SAYS_NO_SUCH_NAME)
        head[3] = 0x83;
    if (t.behaviour == SAYS_SERVER_FAILURE)
        head[3] = 0x82;
    if (t.behaviour == SAYS_NO_SUCH_NAME || t.behaviour == SAYS_SERVER_FAILURE ||
        (type == TYPE_AAAA && t.behaviour != ANSWERS && t.behaviour != SAYS_GARBAGE_FIRST) ||
        (type != TYPE_A && type != TYPE_AAAA))
        addresses = 0;
    else if (t.behaviour == ANSWERS_MANY)
        addresses = 20;
    head[7] = (uint8_t)addresses;
    assert_true(is_ok(buf_append(b, slice_of(head, sizeof head))));
    assert_true(is_ok(buf_append(b, slice_of(query + 12, question_end - 12))));
    for (unsigned i = 0; i < addresses; i++)
        add_address(b, type, (uint8_t)(7 + i));
}

static void serve(void *arg)
{
    (void)arg;
    uint8_t query[512];
    struct sockaddr_storage from;
    socklen_t size = sizeof from;
    struct buf b;
    const ssize_t n = recvfrom(t.fd, query, sizeof query, 0, (struct sockaddr *)&from, &size);
    assert_true(n > 12);
    t.asked++;
    const size_t type_at = read_name(query, (size_t)n, t.asked_for, sizeof t.asked_for);
    assert_true(type_at > 0 && type_at + 4 <= (size_t)n);
    if (t.behaviour == IS_SILENT)
        return;
    buf_init(&b, 4096);
    if (t.behaviour == SAYS_GARBAGE_FIRST && t.asked == 1)
        (void)sendto(t.fd, "this is not DNS", 15, 0, (struct sockaddr *)&from, size);
    reply(query, type_at + 4, (unsigned)(query[type_at] << 8 | query[type_at + 1]), &b);
    (void)sendto(t.fd, buf_slice(&b).p, buf_len(&b), 0, (struct sockaddr *)&from, size);
    buf_free(&b);
}

/* On 127.0.0.1; returns its port. */
static uint16_t start_server(uint16_t port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    t.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(t.fd, (struct sockaddr *)&at, size), 0);
    assert_int_equal(getsockname(t.fd, (struct sockaddr *)&at, &size), 0);
    assert_true(is_ok(loop_poll_new(t.loop, t.fd, serve, NULL, &t.poll, NULL)));
    return ntohs(at.sin_port);
}

static void stop_server(void)
{
    loop_poll_free(t.poll);
    t.poll = NULL;
    if (t.fd >= 0)
        (void)close(t.fd);
    t.fd = -1;
}

/* --- asking --- */

static void on_answer(void *arg, struct result r, const struct addr *addrs, size_t n,
                      const struct errinfo *e)
{
    assert_ptr_equal(arg, &t);
    assert_false(t.in_call);
    t.answers++;
    t.code = r.code;
    t.count = n;
    if (n > 0)
        memcpy(t.addrs, addrs, n * sizeof *addrs);
    (void)snprintf(t.sentence, sizeof t.sentence, "%s", errinfo_text(e, r));
    if (t.free_in_answer) {
        dns_free(t.dns);
        t.dns = NULL;
    }
    loop_stop(t.loop);
}

static struct dns_query *start(const char *host)
{
    struct dns_query *q = NULL;
    t.in_call = true;
    assert_true(is_ok(dns_resolve(t.dns, host, 5061, on_answer, &t, &q, NULL)));
    t.in_call = false;
    return q;
}

static void ask(const char *host)
{
    t.answers = 0;
    (void)start(host);
    while (t.answers == 0)
        loop_run(t.loop);
}

static void assert_answer(size_t i, const char *text)
{
    char got[ADDR_TEXT_SIZE];
    assert_true(i < t.count);
    addr_format(&t.addrs[i], got);
    assert_string_equal(got, text);
}

static int set_up(void **state)
{
    (void)state;
    char servers[64];
    memset(&t, 0, sizeof t);
    t.fd = -1;
    assert_true(is_ok(loop_new(&t.loop, NULL)));
    assert_true(is_ok(dns_new(t.loop, &t.dns, NULL)));
    (void)snprintf(servers, sizeof servers, "127.0.0.1:%u", (unsigned)start_server(0));
    assert_true(is_ok(dns_set_servers(t.dns, servers, NULL)));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    dns_free(t.dns);
    stop_server();
    loop_free(t.loop);
    return 0;
}

/* --- tests --- */

static void an_ip_literal_is_answered_without_a_query(void **state)
{
    (void)state;
    static const char *const literals[][2] = {
        {"192.0.2.1", "192.0.2.1:5061"},
        {"2001:db8::1", "[2001:db8::1]:5061"},
        {"[2001:db8::1]", "[2001:db8::1]:5061"},
    };
    for (size_t i = 0; i < COUNT_OF(literals); i++) {
        ask(literals[i][0]);
        assert_int_equal(t.count, 1);
        assert_answer(0, literals[i][1]);
    }
    assert_int_equal(t.asked, 0);
}

static void localhost_is_answered_without_a_query(void **state)
{
    (void)state;
    static const char *const names[] = {"localhost", "LocalHost.", "phone.localhost"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        ask(names[i]);
        assert_int_equal(t.count, 2);
        assert_answer(0, "127.0.0.1:5061");
        assert_answer(1, "[::1]:5061");
    }
    assert_int_equal(t.asked, 0);
    ask("localhost.example.com");
    assert_int_equal(t.asked, 2);
}

static void a_name_is_asked_for_in_both_families(void **state)
{
    (void)state;
    ask("sip.example.com");
    assert_int_equal(t.code, ERR_OK);
    assert_int_equal(t.asked, 2);
    assert_string_equal(t.asked_for, "sip.example.com");
    assert_int_equal(t.count, 2);
    assert_true(t.addrs[0].family != t.addrs[1].family);
    assert_answer(t.addrs[0].family == 4 ? 0 : 1, "192.0.2.7:5061");
    assert_answer(t.addrs[0].family == 4 ? 1 : 0, "[2001:db8::7]:5061");
}

static void one_family_is_enough(void **state)
{
    (void)state;
    t.behaviour = ANSWERS_IPV4_ONLY;
    ask("sip.example.com");
    assert_int_equal(t.count, 1);
    assert_answer(0, "192.0.2.7:5061");
}

static void a_trailing_dot_is_allowed(void **state)
{
    (void)state;
    ask("sip.example.com.");
    assert_int_equal(t.code, ERR_OK);
    assert_string_equal(t.asked_for, "sip.example.com");
}

static void the_number_of_addresses_is_bounded(void **state)
{
    (void)state;
    t.behaviour = ANSWERS_MANY;
    ask("sip.example.com");
    assert_int_equal(t.count, LIMIT_DNS_ADDRESSES);
}

static void failures_are_told_in_sentences(void **state)
{
    (void)state;
    static const struct {
        enum behaviour behaviour;
        const char *host;
        const char *sentence;
    } cases[] = {
        {SAYS_NO_SUCH_NAME, "nobody.example.com",
         "nobody.example.com has no address: check the name and the network's DNS"},
        {SAYS_SERVER_FAILURE, "sip.example.com",
         "no DNS server can be reached, or all failed, when asked for sip.example.com: check the "
         "network's DNS settings"},
        {ANSWERS, "sip example.com", "'sip example.com' is not the name of a host"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        t.behaviour = cases[i].behaviour;
        ask(cases[i].host);
        assert_int_equal(t.code, ERR_DNS);
        assert_int_equal(t.count, 0);
        assert_string_equal(t.sentence, cases[i].sentence);
    }
}

static void what_cannot_be_a_name_is_not_asked_for(void **state)
{
    (void)state;
    char long_label[80] = "";
    memset(long_label, 'a', 70);
    const char *const names[] = {"",    ".",   ".example.com",      "a..example.com", long_label,
                                 "a b", "a/b", "m\xfcller.example", "sip:a",          "a,b"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        ask(names[i]);
        assert_int_equal(t.code, ERR_DNS);
    }
    assert_int_equal(t.asked, 0);
}

/* Which of the two it is depends on how c-ares counts its tries. */
static void a_server_that_is_not_there_is_a_failure(void **state)
{
    (void)state;
    stop_server();
    ask("sip.example.com");
    assert_true(t.code == ERR_DNS || t.code == ERR_TIMEOUT);
    assert_non_null(strstr(t.sentence, "no DNS server"));
}

static void the_next_server_is_asked_when_one_is_not_there(void **state)
{
    (void)state;
    char servers[64];
    stop_server();
    const uint16_t port = start_server(0);
    (void)snprintf(servers, sizeof servers, "127.0.0.1:1,127.0.0.1:%u", (unsigned)port);
    assert_true(is_ok(dns_set_servers(t.dns, servers, NULL)));
    ask("sip.example.com");
    assert_int_equal(t.code, ERR_OK);
}

/* Takes its full time: silence can be told from slowness by waiting only. */
static void silence_ends_in_a_timeout(void **state)
{
    (void)state;
    t.behaviour = IS_SILENT;
    ask("sip.example.com");
    assert_int_equal(t.code, ERR_TIMEOUT);
    assert_string_equal(t.sentence, "no DNS server answered when asked for sip.example.com");
    assert_true(t.asked >= 4); /* each family more than once */
}

/* c-ares takes no notice of it, or, a newer one, gives up the socket and asks again. */
static void garbage_before_the_answer_does_no_harm(void **state)
{
    (void)state;
    t.behaviour = SAYS_GARBAGE_FIRST;
    ask("sip.example.com");
    assert_int_equal(t.code, ERR_OK);
    assert_int_equal(t.count, 2);
}

static void a_cancelled_query_is_never_answered(void **state)
{
    (void)state;
    dns_cancel(start("sip.example.com"));
    dns_cancel(start("192.0.2.1"));
    looprun_for(t.loop, 50);
    assert_int_equal(t.asked, 2);
    assert_int_equal(t.answers, 0);
}

static void the_resolver_may_be_freed_with_queries_under_way(void **state)
{
    (void)state;
    t.behaviour = IS_SILENT;
    for (int i = 0; i < 3; i++)
        (void)start("sip.example.com");
    looprun_for(t.loop, 20);
    dns_free(t.dns);
    t.dns = NULL;
    looprun_for(t.loop, 20);
    assert_int_equal(t.answers, 0);
}

static void the_resolver_may_be_freed_inside_an_answer(void **state)
{
    (void)state;
    t.free_in_answer = true;
    (void)start("192.0.2.1");
    ask("sip.example.com");
    assert_int_equal(t.answers, 1);
}

static void servers_may_change_with_queries_under_way(void **state)
{
    (void)state;
    (void)start("first.example.com");
    assert_true(is_ok(dns_set_servers(t.dns, "127.0.0.1:1", NULL)));
    (void)start("second.example.com");
    int good = 0;
    for (t.answers = 0; t.answers < 2;) {
        loop_run(t.loop);
        good += t.code == ERR_OK;
    }
    assert_int_equal(good, 1); /* the first, of the server that was asked */
}

static void a_bad_list_of_servers_changes_nothing(void **state)
{
    (void)state;
    struct errinfo e = ERRINFO_INIT;
    assert_int_equal(dns_set_servers(t.dns, "not a server", &e).code, ERR_INVALID);
    assert_string_equal(e.text, "'not a server' is not a list of DNS servers");
    ask("sip.example.com");
    assert_int_equal(t.code, ERR_OK);
}

/* --- with files of our own in /etc --- */

static char scratch[] = "/tmp/test_dns.XXXXXX";
static const char *const files[][2] = {{"resolv.conf", "/etc/resolv.conf"},
                                       {"hosts", "/etc/hosts"}};
static bool has_namespace;

static bool write_file(const char *path, const char *text)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    const bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    return fd >= 0 && close(fd) == 0 && done;
}

static bool bring_loopback_up(void)
{
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool up = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &lo) == 0;
    return fd >= 0 && close(fd) == 0 && up;
}

static bool write_id_map(const char *path, unsigned id)
{
    char line[32];
    (void)snprintf(line, sizeof line, "0 %u 1", id);
    return write_file(path, line);
}

/* A mount and a network namespace, in which /etc/resolv.conf and /etc/hosts are ours. The whole
 * program enters it, before any test: its servers are in there as well. */
static bool enter_namespace(void)
{
    char path[64];
    const uid_t uid = geteuid();
    const gid_t gid = getegid();
    if (uid == 0 ? unshare(CLONE_NEWNS | CLONE_NEWNET) != 0
                 : unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) != 0 ||
                       !write_file("/proc/self/setgroups", "deny") ||
                       !write_id_map("/proc/self/uid_map", uid) ||
                       !write_id_map("/proc/self/gid_map", gid))
        return false;
    if (!bring_loopback_up() || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0 ||
        mkdtemp(scratch) == NULL)
        return false;
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", scratch, files[i][0]);
        if (!write_file(path, "") || mount(path, files[i][1], "none", MS_BIND, NULL) != 0)
            return false;
    }
    return true;
}

static void remove_scratch(void)
{
    char path[64];
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", scratch, files[i][0]);
        (void)unlink(path);
    }
    (void)rmdir(scratch);
}

static void hosts_file_goes_before_the_servers(void **state)
{
    (void)state;
    if (!has_namespace)
        skip();
    assert_true(write_file("/etc/hosts", "192.0.2.33 pbx.example.com pbx\n"));
    ask("PBX.example.com");
    assert_int_equal(t.code, ERR_OK);
    assert_answer(0, "192.0.2.33:5061");
    ask("pbx");
    assert_answer(0, "192.0.2.33:5061");
    assert_int_equal(t.asked, 0);
    assert_true(write_file("/etc/hosts", "192.0.2.34 pbx.example.com\n"));
    ask("pbx.example.com");
    assert_answer(0, "192.0.2.34:5061");
}

static void a_changed_resolv_conf_is_followed(void **state)
{
    (void)state;
    if (!has_namespace)
        skip();
    stop_server();
    (void)start_server(53);
    dns_free(t.dns);
    assert_true(write_file("/etc/resolv.conf", "nameserver 127.0.0.2\n"));
    assert_true(is_ok(dns_new(t.loop, &t.dns, NULL)));
    ask("sip.example.com");
    assert_int_not_equal(t.code, ERR_OK);
    assert_true(write_file("/etc/resolv.conf", "nameserver 127.0.0.1\n#\n"));
    ask("sip.example.com");
    assert_int_equal(t.code, ERR_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_ip_literal_is_answered_without_a_query),
        TEST(localhost_is_answered_without_a_query),
        TEST(a_name_is_asked_for_in_both_families),
        TEST(one_family_is_enough),
        TEST(a_trailing_dot_is_allowed),
        TEST(the_number_of_addresses_is_bounded),
        TEST(failures_are_told_in_sentences),
        TEST(what_cannot_be_a_name_is_not_asked_for),
        TEST(a_server_that_is_not_there_is_a_failure),
        TEST(the_next_server_is_asked_when_one_is_not_there),
        TEST(silence_ends_in_a_timeout),
        TEST(garbage_before_the_answer_does_no_harm),
        TEST(a_cancelled_query_is_never_answered),
        TEST(the_resolver_may_be_freed_with_queries_under_way),
        TEST(the_resolver_may_be_freed_inside_an_answer),
        TEST(servers_may_change_with_queries_under_way),
        TEST(a_bad_list_of_servers_changes_nothing),
        TEST(hosts_file_goes_before_the_servers),
        TEST(a_changed_resolv_conf_is_followed),
    };
    has_namespace = enter_namespace();
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    remove_scratch();
    return failed;
}
