/*
 * tlsload: handshakes in numbers, and what they are compared with: bare mbedTLS that accepts one
 * after the other and does nothing else.
 *
 *     tlsload --serve PORT --minor N --cert FILE --key FILE [--ca FILE] [--tickets] [--keep]
 *     tlsload --connect PORT --minor N [--cert FILE --key FILE] [--resume]
 *
 * The server, of TLS 1.N, asks for certificates of --ca; with --keep it leaves connections open,
 * else it waits for their end. Commands to the client come as lines on the standard input:
 *
 *     run SECONDS CLIENTS   so many clients at once, each a process, connect, do a handshake and
 *                           close, again and again; prints how many, and in how many seconds
 *     hold N                has N connections open from now on, idle; prints N
 *     drop                  closes these; prints 0
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sys/entropy.h"
#include "tls/session.h"
#include "tools/tlsfd.h"

#define HOLD_MAX    64
#define FROM_ONE    4 /* connections from one address: the phone takes no more */
#define CLIENTS_MAX 16

struct held {
    int fd;
    struct tlsfd *tls;
};

static struct tlsfd_spec spec;
static struct held held[HOLD_MAX];
static unsigned held_n;

static void die(const char *what)
{
    fprintf(stderr, "tlsload: %s\n", what);
    exit(2);
}

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int64_t epoch_s(void)
{
    return (int64_t)time(NULL);
}

static struct sockaddr_in loopback(unsigned long host, const char *port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)(port != NULL ? strtoul(port, NULL, 10) : 0)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)host),
    };
}

static void no_delay(int fd)
{
    const int yes = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

static void read_to_the_end(struct tlsfd *t)
{
    uint8_t bytes[4096];
    size_t n;
    while (tlsfd_read(t, bytes, sizeof bytes, &n) == TLSFD_OK)
        ;
}

/* --- the server --- */

static void serve_one(struct tlsfd_profile *profile, int fd, bool keep)
{
    struct tlsfd *t = tlsfd_new(profile, fd);
    const bool done = tlsfd_handshake(t) == TLSFD_OK;
    if (done && keep)
        return; /* it stays until the process ends */
    if (done) {
        read_to_the_end(t);
        tlsfd_close(t);
    }
    tlsfd_free(t);
    (void)close(fd);
}

static void serve(const char *port, bool keep)
{
    struct tlsfd_profile *profile = tlsfd_profile_new(&spec);
    const struct sockaddr_in a = loopback(0, port);
    const int yes = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(listener, (const struct sockaddr *)&a, sizeof a) != 0 || listen(listener, 32) != 0)
        die(strerror(errno));
    for (;;) {
        const int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            die(strerror(errno));
        no_delay(fd);
        serve_one(profile, fd, keep);
    }
}

/* --- the client --- */

static struct held connect_from(struct tlsfd_profile *profile, unsigned long host, const char *port)
{
    const struct sockaddr_in from = loopback(host, NULL), to = loopback(0, port);
    const int yes = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* What stays of it in TIME_WAIT is in nobody's way who wants to listen. */
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(fd, (const struct sockaddr *)&from, sizeof from) != 0 ||
        connect(fd, (const struct sockaddr *)&to, sizeof to) != 0)
        die(strerror(errno));
    no_delay(fd);
    struct held h = {fd, tlsfd_new(profile, fd)};
    if (tlsfd_handshake(h.tls) != TLSFD_OK)
        die(tlsfd_error(h.tls));
    return h;
}

/* The server's close is waited for: its session tickets come before it, and it has room again. */
static void part(struct held *h)
{
    tlsfd_close(h->tls);
    read_to_the_end(h->tls);
    tlsfd_free(h->tls);
    (void)close(h->fd);
}

static unsigned client(unsigned long host, const char *port, double until_s)
{
    struct tlsfd_profile *profile = tlsfd_profile_new(&spec);
    unsigned n = 0;
    for (; now_s() < until_s; n++) {
        struct held h = connect_from(profile, host, port);
        part(&h);
    }
    tlsfd_profile_free(profile);
    return n;
}

static void run(const char *port, double seconds, unsigned clients)
{
    const double began = now_s();
    unsigned total = 0, n;
    int counts[2];
    if (pipe(counts) != 0)
        die(strerror(errno));
    for (unsigned i = 0; i < clients; i++) {
        if (fork() != 0)
            continue;
        n = client(i + 1, port, began + seconds);
        _exit(write(counts[1], &n, sizeof n) == sizeof n ? 0 : 2);
    }
    for (unsigned i = 0; i < clients; i++) {
        int status;
        if (wait(&status) < 0 || status != 0 || read(counts[0], &n, sizeof n) != sizeof n)
            die("a client has failed");
        total += n;
    }
    (void)close(counts[0]);
    (void)close(counts[1]);
    printf("%u %.6f\n", total, now_s() - began);
}

static void hold(const char *port, unsigned n)
{
    struct tlsfd_profile *profile = tlsfd_profile_new(&spec); /* as long as they */
    for (; held_n < n; held_n++)
        held[held_n] = connect_from(profile, held_n / FROM_ONE + 1, port);
    printf("%u\n", held_n);
}

static void drop(void)
{
    while (held_n > 0)
        part(&held[--held_n]);
    printf("0\n");
}

/* The numbers behind the command NAME (0 where there are none); false if LINE is another. */
static bool is_command(const char *line, const char *name, double *first, double *second)
{
    const size_t n = strlen(name);
    char *rest;
    if (strncmp(line, name, n) != 0)
        return false;
    *first = strtod(line + n, &rest);
    *second = strtod(rest, NULL);
    return true;
}

static void obey(const char *port)
{
    char line[100];
    double first, second;
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (is_command(line, "run", &first, &second) && second <= CLIENTS_MAX)
            run(port, first, (unsigned)second);
        else if (is_command(line, "hold", &first, &second) && first <= HOLD_MAX)
            hold(port, (unsigned)first);
        else if (is_command(line, "drop", &first, &second))
            drop();
        else
            die("no such command");
        (void)fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    enum { SERVE, CONNECT, MINOR, CERT, KEY, CA, TICKETS, KEEP, RESUME };
    static const struct option longs[] = {
        {"serve", required_argument, NULL, SERVE}, {"connect", required_argument, NULL, CONNECT},
        {"minor", required_argument, NULL, MINOR}, {"cert", required_argument, NULL, CERT},
        {"key", required_argument, NULL, KEY},     {"ca", required_argument, NULL, CA},
        {"tickets", no_argument, NULL, TICKETS},   {"keep", no_argument, NULL, KEEP},
        {"resume", no_argument, NULL, RESUME},     {0},
    };
    const char *value[RESUME + 1] = {NULL};
    struct errinfo e = ERRINFO_INIT;
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c == '?')
            return 2;
        value[c] = optarg != NULL ? optarg : "";
    }
    if ((value[SERVE] == NULL) == (value[CONNECT] == NULL) || value[MINOR] == NULL)
        die("--serve or --connect, and --minor are needed");
    if (is_err(tls_global_init(&entropy_system, epoch_s, &e)))
        die(e.text);
    spec = (struct tlsfd_spec){
        .server = value[SERVE] != NULL,
        .minor = (int)strtol(value[MINOR], NULL, 10),
        .cert = value[CERT],
        .key = value[KEY],
        .ca = value[CA],
        .tickets = value[TICKETS] != NULL || value[RESUME] != NULL,
    };
    if (spec.server)
        serve(value[SERVE], value[KEEP] != NULL);
    else
        obey(value[CONNECT]);
    tls_global_free();
    return 0;
}
