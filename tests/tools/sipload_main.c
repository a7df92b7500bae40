/*
 * sipload: both ends of a path for SIP, to measure what is between: a SIP stack (near), which
 * speaks plain TCP, TLS or sipsd's relay.sock, and the server (far), which speaks TLS on bare
 * mbedTLS. Each end answers whatever it is asked with 200, REGISTER too.
 *
 *     sipload --far PORT --cert FILE --key FILE
 *             --tcp PORT | --tls PORT | --relay PATH [--near PORT] [--contact URI]
 *
 * The near end connects to the local PORT, or to relay.sock at PATH; connections to --near are
 * its own, too. The far one calls it at URI, or at the Contact that it was sent in a REGISTER.
 * Commands come as lines on the standard input:
 *
 *     ready                    waits until both ends are there; prints "ready SUITE"
 *     outward WINDOW SECONDS   MESSAGE requests from near to far, WINDOW of them under way;
 *     inward WINDOW SECONDS    or from far to near; prints one line: how many were answered, in how
 *                              many seconds, the median and the 99th percentile of the time from
 *                              a request to its answer, in microseconds
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "sip/frame.h"
#include "sipsd/relay.h"
#include "sys/entropy.h"
#include "tls/session.h"
#include "tools/tlsfd.h"

#define ENDS_MAX    16
#define WINDOW_MAX  256
#define SAMPLES_MAX 4000000
#define PATIENCE_S  10.0 /* for both ends to be there, and for an answer */
#define TEXT_SIZE   256

struct end {
    bool far, dialled;
    int fd;
    struct tlsfd *tls;
    bool handshake; /* ... is under way */
    struct sipsd_relay *relay;
    uint64_t connection; /* of the relay: that the present message came over */
    struct sip_frame *frame;
    struct buf out;
};

struct run {
    bool outward;
    unsigned window, under_way;
    uint32_t next, answered;
    double ends_s;
    double sent_s[WINDOW_MAX];
    float *us; /* of each answer */
};

static struct {
    struct end *ends[ENDS_MAX];
    size_t n;
    int far_listener, near_listener; /* or -1 */
    struct tlsfd_profile *server;
    struct run run;
    bool calls_first;        /* what is measured connects when there is something to send */
    char contact[TEXT_SIZE]; /* at which the server reaches the phone */
} load = {.far_listener = -1, .near_listener = -1};

static void die(const char *what)
{
    fprintf(stderr, "sipload: %s\n", what);
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

/* --- ends --- */

static struct end *add_end(int fd, bool far)
{
    const int yes = 1;
    struct end *e = calloc(1, sizeof *e);
    if (e == NULL || load.n == ENDS_MAX || is_err(sip_frame_new(&e->frame)))
        die("too many connections");
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    e->fd = fd;
    e->far = far;
    buf_init(&e->out, 1U << 22);
    load.ends[load.n++] = e;
    return e;
}

static void drop_end(struct end *e)
{
    size_t i = 0;
    if (e->dialled)
        die("the connection to what is measured has ended");
    while (load.ends[i] != e)
        i++;
    load.ends[i] = load.ends[--load.n];
    tlsfd_free(e->tls);
    sip_frame_free(e->frame);
    buf_free(&e->out);
    (void)close(e->fd);
    free(e);
}

static void flush(struct end *e)
{
    while (buf_len(&e->out) != 0) {
        const struct slice s = buf_slice(&e->out);
        size_t n = 0;
        if (e->tls != NULL) {
            if (tlsfd_write(e->tls, s.p, s.n, &n) == TLSFD_FAILED)
                die(tlsfd_error(e->tls));
        } else {
            const ssize_t sent = send(e->fd, s.p, s.n, MSG_NOSIGNAL);
            if (sent < 0 && errno != EAGAIN)
                die(strerror(errno));
            n = sent > 0 ? (size_t)sent : 0;
        }
        if (n == 0)
            return;
        buf_consume(&e->out, n);
    }
}

static void send_relay(struct end *e, uint64_t connection, struct slice message)
{
    char error[SIPSD_ERROR_SIZE];
    for (;;) {
        switch (sipsd_relay_send(e->relay, 1, connection, 0, message.p, message.n, error)) {
        case SIPSD_OK:
            return;
        case SIPSD_AGAIN: /* it works at what it has; what it sends meanwhile it keeps */
            (void)poll(&(struct pollfd){.fd = e->fd, .events = POLLOUT}, 1, 100);
            break;
        default:
            die(error);
        }
    }
}

static void send_message(struct end *e, uint64_t connection, struct slice message)
{
    if (e->relay != NULL) {
        send_relay(e, connection, message);
        return;
    }
    if (is_err(buf_append(&e->out, message)))
        die("what is measured does not read");
    flush(e);
}

/* --- SIP --- */

/* The first end of a kind over which requests can go; the newest far one. */
static struct end *find_end(bool far)
{
    struct end *found = NULL;
    for (size_t i = 0; i < load.n; i++) {
        struct end *e = load.ends[i];
        if (e->far == far && !e->handshake && (far || e->dialled))
            found = e;
    }
    return found;
}

static void send_request(void)
{
    static const char body[] = "Messages of this size are usual: a short text, or what a "
                               "feature event carries.\r\n";
    struct run *r = &load.run;
    struct end *e = find_end(!r->outward);
    char text[2048];
    const uint32_t number = r->next++;
    if (e == NULL)
        die("an end is gone");
    const int n = snprintf(
        text, sizeof text,
        "MESSAGE %s SIP/2.0\r\n"
        "Via: SIP/2.0/%s %s;branch=z9hG4bK%08x%c%d;rport\r\n"
        "Max-Forwards: 70\r\n"
        "From: \"One\" <sip:%s@localhost>;tag=a73kszlfl\r\n"
        "To: \"Two\" <sip:%s@localhost>\r\n"
        "Call-ID: %08x-3848276298220188511@localhost\r\n"
        "CSeq: %u MESSAGE\r\n"
        "User-Agent: sipload\r\n"
        "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, INFO\r\n"
        "Supported: replaces, outbound, path\r\n"
        "Content-Type: text/plain\r\n"
        "Content-Length: %zu\r\n\r\n%s",
        r->outward ? "sip:user2@localhost" : load.contact, e->tls != NULL ? "TLS" : "TCP",
        e->far ? "127.0.0.1:5061" : "127.0.0.1:5060", (unsigned)number, r->outward ? 'o' : 'i',
        (int)getpid(), r->outward ? "user1" : "user2", r->outward ? "user2" : "user1",
        (unsigned)number, (unsigned)number, strlen(body), body);
    r->sent_s[number % WINDOW_MAX] = now_s();
    r->under_way++;
    send_message(e, 0, slice_of((const uint8_t *)text, (size_t)n));
}

static void take_response(struct slice raw)
{
    struct run *r = &load.run;
    const char *text = (const char *)raw.p;
    const char *cseq = memmem(text, raw.n, "\nCSeq: ", 7);
    if (cseq == NULL || strncmp(text, "SIP/2.0 200 ", 12) != 0)
        die("a request was not answered with 200");
    const uint32_t number = (uint32_t)strtoul(cseq + 7, NULL, 10);
    const double now = now_s();
    if (r->us != NULL && r->answered < SAMPLES_MAX)
        r->us[r->answered++] = (float)((now - r->sent_s[number % WINDOW_MAX]) * 1e6);
    r->under_way--;
    if (now < r->ends_s)
        send_request();
}

/* NAME as every header field of it is written by all that we measure. */
static bool is_field(const char *line, const char *name)
{
    return strncasecmp(line, name, strlen(name)) == 0;
}

static void note_contact(const char *line, size_t n)
{
    const char *from = memchr(line, '<', n), *to = memchr(line, '>', n);
    if (from != NULL && to != NULL && to > from && (size_t)(to - from) < sizeof load.contact)
        (void)snprintf(load.contact, sizeof load.contact, "%.*s", (int)(to - from - 1), from + 1);
}

static void answer_request(struct end *e, struct slice raw)
{
    const bool is_register = strncmp((const char *)raw.p, "REGISTER ", 9) == 0;
    const char *line = (const char *)raw.p;
    struct buf out;
    buf_init(&out, LIMIT_SIP_MESSAGE);
    IGNORE(buf_append_str(&out, "SIP/2.0 200 OK\r\n"));
    for (;;) {
        line = (const char *)memchr(line, '\n', raw.n) + 1;
        const size_t n = (size_t)((const char *)memchr(line, '\n', raw.n) + 1 - line);
        const struct slice s = slice_of((const uint8_t *)line, n);
        if (n == 2)
            break;
        if (is_field(line, "To:") && memmem(line, n, ";tag=", 5) == NULL)
            IGNORE(buf_printf(&out, "%.*s;tag=1928301774\r\n", (int)n - 2, line));
        else if (is_field(line, "Via:") || is_field(line, "From:") || is_field(line, "To:") ||
                 is_field(line, "Call-ID:") || is_field(line, "CSeq:"))
            IGNORE(buf_append(&out, s));
        else if (is_register && is_field(line, "Contact:")) {
            note_contact(line, n);
            IGNORE(buf_append(&out, s));
        }
    }
    IGNORE(buf_append_str(&out, is_register ? "Expires: 3600\r\nContent-Length: 0\r\n\r\n"
                                            : "Content-Length: 0\r\n\r\n"));
    send_message(e, e->connection, buf_slice(&out));
    buf_free(&out);
}

static void take_message(struct end *e, struct slice raw)
{
    if (strncmp((const char *)raw.p, "SIP/2.0 ", 8) == 0)
        take_response(raw);
    else
        answer_request(e, raw);
}

/* --- what arrives --- */

static void take_frames(struct end *e)
{
    enum sip_frame_event event;
    struct slice raw;
    struct errinfo why = ERRINFO_INIT;
    for (;;) {
        if (is_err(sip_frame_next(e->frame, &event, &raw, &why)))
            die(why.text);
        if (event == SIP_FRAME_MORE)
            return;
        if (event == SIP_FRAME_MESSAGE)
            take_message(e, raw);
        else if (event == SIP_FRAME_PING)
            send_message(e, 0, SLICE_LIT("\r\n"));
    }
}

static void take_relay(struct end *e)
{
    struct sipsd_relay_event ev;
    char error[SIPSD_ERROR_SIZE];
    enum sipsd_status s;
    while ((s = sipsd_relay_next(e->relay, &ev, error)) == SIPSD_OK) {
        if (ev.type == SIPSD_RELAY_ERROR)
            die(ev.sentence);
        if (ev.type != SIPSD_RELAY_RECEIVE)
            continue;
        e->connection = ev.connection;
        take_message(e, slice_of((const uint8_t *)ev.message, ev.length));
    }
    if (s != SIPSD_AGAIN)
        die(error);
}

/* False if there is nothing now, or it is the end. */
static bool read_some(struct end *e, bool *ended)
{
    uint8_t bytes[16384];
    size_t n = 0;
    if (e->tls != NULL) {
        const enum tlsfd_status s = tlsfd_read(e->tls, bytes, sizeof bytes, &n);
        *ended = s == TLSFD_CLOSED || s == TLSFD_FAILED;
    } else {
        const ssize_t got = recv(e->fd, bytes, sizeof bytes, 0);
        *ended = got == 0 || (got < 0 && errno != EAGAIN);
        n = got > 0 ? (size_t)got : 0;
    }
    if (n == 0)
        return false;
    if (is_err(sip_frame_feed(e->frame, slice_of(bytes, n))))
        die("a message is too long");
    take_frames(e);
    return e->tls != NULL && tlsfd_has_more(e->tls);
}

static void on_readable(struct end *e)
{
    bool ended = false;
    if (e->handshake) {
        const enum tlsfd_status s = tlsfd_handshake(e->tls);
        e->handshake = s == TLSFD_AGAIN;
        if (s == TLSFD_AGAIN)
            return;
        ended = s != TLSFD_OK;
        if (ended && e->dialled)
            die(tlsfd_error(e->tls));
    }
    if (e->relay != NULL)
        take_relay(e);
    else
        while (!ended && read_some(e, &ended))
            ;
    if (ended)
        drop_end(e);
}

static void on_accept(int listener, bool far)
{
    const int fd = accept(listener, NULL, NULL);
    if (fd < 0)
        return;
    struct end *e = add_end(fd, far);
    if (far) {
        e->tls = tlsfd_new(load.server, fd);
        e->handshake = true;
    }
}

static void turn(int timeout_ms)
{
    struct pollfd fds[ENDS_MAX + 2];
    struct end *ends[ENDS_MAX];
    const size_t n = load.n;
    for (size_t i = 0; i < n; i++) {
        ends[i] = load.ends[i];
        fds[i] = (struct pollfd){.fd = ends[i]->fd,
                                 .events = POLLIN | (buf_len(&ends[i]->out) != 0 ? POLLOUT : 0)};
    }
    fds[n] = (struct pollfd){.fd = load.far_listener, .events = POLLIN};
    fds[n + 1] = (struct pollfd){.fd = load.near_listener, .events = POLLIN};
    if (poll(fds, n + 2, timeout_ms) <= 0)
        return;
    for (size_t i = 0; i < n; i++) {
        if ((fds[i].revents & POLLOUT) != 0)
            flush(ends[i]);
        if ((fds[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
            on_readable(ends[i]);
    }
    if (fds[n].revents != 0)
        on_accept(load.far_listener, true);
    if (fds[n + 1].revents != 0)
        on_accept(load.near_listener, false);
}

/* --- commands --- */

static int compare(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void drain(double until_s)
{
    while (load.run.under_way > 0) {
        turn(100);
        if (now_s() > until_s)
            die("a request was not answered");
    }
}

static void run(bool outward, unsigned window, double seconds)
{
    struct run *r = &load.run;
    const double began = now_s();
    *r = (struct run){.outward = outward, .window = window, .next = r->next, .us = r->us};
    r->ends_s = began + seconds;
    for (unsigned i = 0; i < window; i++)
        send_request();
    drain(r->ends_s + PATIENCE_S);
    const double took = now_s() - began;
    qsort(r->us, r->answered, sizeof r->us[0], compare);
    printf("%u %.6f %.1f %.1f\n", (unsigned)r->answered, took, (double)r->us[r->answered / 2],
           (double)r->us[r->answered - 1 - r->answered / 100]);
}

static void get_ready(void)
{
    const double end = now_s() + PATIENCE_S;
    while (find_end(false) == NULL || find_end(true) == NULL || load.contact[0] == '\0') {
        turn(10);
        if (now_s() > end)
            die("what is measured does not connect");
        if (load.calls_first && find_end(false) != NULL && load.run.next == 0) {
            load.run.outward = true;
            send_request();
        }
    }
    drain(end);
    printf("ready %s\n", tlsfd_suite(find_end(true)->tls));
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

static void obey(const char *line)
{
    double window, seconds;
    if (is_command(line, "ready", &window, &seconds))
        get_ready();
    else if (is_command(line, "outward", &window, &seconds) && window <= WINDOW_MAX)
        run(true, (unsigned)window, seconds);
    else if (is_command(line, "inward", &window, &seconds) && window <= WINDOW_MAX)
        run(false, (unsigned)window, seconds);
    else
        die("no such command");
    (void)fflush(stdout);
}

/* Both ends stay alive while there is nothing to do. */
static void serve(void)
{
    char line[TEXT_SIZE];
    for (;;) {
        struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
        if (poll(&in, 1, 0) == 0) {
            turn(10);
            continue;
        }
        if (fgets(line, sizeof line, stdin) == NULL)
            return;
        obey(line);
    }
}

/* --- set-up --- */

static struct sockaddr_in loopback(const char *port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int listen_on(const char *port)
{
    const struct sockaddr_in a = loopback(port);
    const int yes = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(fd, (const struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 16) != 0)
        die(strerror(errno));
    return fd;
}

static struct end *dial(const char *port)
{
    const struct sockaddr_in a = loopback(port);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&a, sizeof a) != 0)
        die(strerror(errno));
    struct end *e = add_end(fd, false);
    e->dialled = true;
    return e;
}

static void dial_tls(const char *port)
{
    struct end *e = dial(port);
    e->tls = tlsfd_new(tlsfd_profile_new(&(struct tlsfd_spec){.minor = 3}), e->fd);
    e->handshake = true;
    on_readable(e); /* its first flight */
}

static void dial_relay(const char *path)
{
    char error[SIPSD_ERROR_SIZE];
    struct sipsd_relay *relay;
    if (sipsd_relay_connect(path, &relay, error) != SIPSD_OK)
        die(error);
    struct end *e = add_end(sipsd_relay_fd(relay), false);
    e->dialled = true;
    e->relay = relay;
}

int main(int argc, char **argv)
{
    enum { FAR, CERT, KEY, TCP, TLS, RELAY, NEAR, CONTACT };
    static const struct option longs[] = {
        {"far", required_argument, NULL, FAR},
        {"cert", required_argument, NULL, CERT},
        {"key", required_argument, NULL, KEY},
        {"tcp", required_argument, NULL, TCP},
        {"tls", required_argument, NULL, TLS},
        {"relay", required_argument, NULL, RELAY},
        {"near", required_argument, NULL, NEAR},
        {"contact", required_argument, NULL, CONTACT},
        {0},
    };
    static const int suites[] = {MBEDTLS_TLS1_3_AES_128_GCM_SHA256, 0}; /* for all alike */
    const char *value[CONTACT + 1] = {NULL};
    struct errinfo e = ERRINFO_INIT;
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c == '?')
            return 2;
        value[c] = optarg;
    }
    if (value[FAR] == NULL || value[CERT] == NULL || value[KEY] == NULL)
        die("--far, --cert and --key are needed");
    if (is_err(tls_global_init(&entropy_system, epoch_s, &e)))
        die(e.text);
    load.run.us = calloc(SAMPLES_MAX, sizeof load.run.us[0]);
    load.server = tlsfd_profile_new(&(struct tlsfd_spec){
        .server = true, .minor = 3, .cert = value[CERT], .key = value[KEY], .suites = suites});
    load.far_listener = listen_on(value[FAR]);
    if (value[NEAR] != NULL)
        load.near_listener = listen_on(value[NEAR]);
    load.calls_first = value[CONTACT] != NULL;
    if (load.calls_first)
        (void)snprintf(load.contact, sizeof load.contact, "%s", value[CONTACT]);
    if (value[TCP] != NULL)
        (void)dial(value[TCP]);
    if (value[TLS] != NULL)
        dial_tls(value[TLS]);
    if (value[RELAY] != NULL)
        dial_relay(value[RELAY]);
    serve();
    tls_global_free();
    return 0;
}
