/*
 * tlspeer: one of our TLS sessions on a blocking socket, to be tried by other people's programs.
 * It does one connection after the other; --help says the rest.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "pki/verify.h"
#include "sys/entropy.h"
#include "tls/session.h"
#include "tools/pemfiles.h"

#define WAIT_S    10 /* no test of ours waits longer for a peer */
#define READ_SIZE 16384
#define ANSWER    "answer\n"

static const char help[] =
    "usage: tlspeer --listen PORT --cert CHAIN --key KEY [OPTION]...\n"
    "       tlspeer --connect PORT [OPTION]...\n"
    "\n"
    "The server prints \"listening PORT\" (0 takes a free one), answers whatever it gets with one\n"
    "line, goes on after errors, and ends by a signal. To GET /keyupdate it asks for new keys\n"
    "first. The client says its text, waits for an answer, and closes. Both print a line for each\n"
    "thing that happens to a connection.\n"
    "\n"
    "  --cert FILE --key FILE  PEM; a client may have one, too\n"
    "  --ca FILE               PEM or DER of who is trusted; without it nothing is checked\n"
    "  --name NAME             client: the server's, for SNI and for the check\n"
    "  --client-auth MODE      server: off, request or require (off)\n"
    "  --versions V            1.2, 1.3 or auto (auto)\n"
    "  --echo                  server: sends back what it gets, in place of its line\n"
    "  --wait SECONDS          for bytes of a peer that is slow (10)\n"
    "  --say TEXT              client: (hello)\n"
    "  --times N               client: so many connections, resuming if it can (1)\n"
    "  --answers N             client: wait for so many answers (1)\n";

struct options {
    int listen_port, connect_port; /* or -1 */
    const char *cert, *key, *ca, *name, *say;
    enum tls_client_auth client_auth;
    enum tls_versions versions;
    unsigned times, answers, wait_s;
    bool echo;
};

struct program {
    struct options o;
    struct trust *trust; /* NULL: nothing is checked */
    struct tls_profile *profile;
    struct tls_tickets *tickets;
};

static void die(const char *what, const struct errinfo *e)
{
    fprintf(stderr, "tlspeer: %s%s%s\n", what, e != NULL ? ": " : "", e != NULL ? e->text : "");
    exit(2);
}

static void say(const char *what, const char *more)
{
    printf("%s%s%s\n", what, more[0] != '\0' ? " " : "", more);
    (void)fflush(stdout);
}

static int64_t now_s(void)
{
    return (int64_t)time(NULL);
}

/* --- the judge --- */

static void judge(void *arg, const struct slice *chain, size_t n, struct verdict *out)
{
    const struct program *p = arg;
    const struct verify_policy policy = {.check_trust = p->trust != NULL,
                                         .profile = VERIFY_PROFILE_COMPATIBLE};
    struct peername name;
    struct errinfo e = ERRINFO_INIT;

    if (p->o.name != NULL && is_err(peername_parse(slice_of_str(p->o.name), &name, &e)))
        die("--name", &e);
    if (p->trust == NULL) {
        out->class = VERDICT_UNVERIFIED;
        out->valid_until_s = INT64_MAX;
        return;
    }
    verify_chain(
        &(struct verify_input){.chain = chain,
                               .chain_len = n,
                               .trust = p->trust,
                               .filter = TRUST_CUSTOM,
                               .name = p->o.name != NULL ? &name : NULL,
                               .now = {now_s(), CLOCK_SET},
                               .purpose = p->o.listen_port >= 0 ? VERIFY_CLIENT : VERIFY_SERVER,
                               .policy = &policy},
        out);
}

/* --- one connection --- */

struct link {
    int fd;
    struct tls_session *session;
    bool told; /* that it is established */
};

static bool flush(struct link *l)
{
    for (;;) {
        const struct slice out = tls_session_output(l->session);
        if (out.n == 0)
            return true;
        const ssize_t n = send(l->fd, out.p, out.n, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        tls_session_sent(l->session, (size_t)n);
    }
}

static void tell_established(struct link *l)
{
    const struct tls_session_facts f = tls_session_facts(l->session);
    char line[200];

    if (l->told || f.cipher == NULL)
        return;
    l->told = true;
    (void)snprintf(line, sizeof(line), "%s %s %s %s", f.version, f.cipher,
                   f.resumed ? "resumed" : "full",
                   verdict_class_name(tls_session_verdict(l->session)->class));
    say("established", line);
}

static void tell_end(const struct link *l)
{
    const struct errinfo *e = tls_session_error(l->session);
    const struct tls_session_facts f = tls_session_facts(l->session);

    if (f.alert_sent >= 0)
        say("alert sent", tls_alert_name(f.alert_sent));
    if (f.alert_received >= 0)
        say("alert received", tls_alert_name(f.alert_received));
    say(e != NULL ? "failed" : "closed", e != NULL ? e->text : "");
}

/* Waits for bytes from the network and gives them to the session; false when there will be no more.
 */
static bool receive(struct link *l)
{
    uint8_t bytes[READ_SIZE];
    const ssize_t n = recv(l->fd, bytes, sizeof(bytes), 0);

    if (n < 0 && errno == EINTR)
        return true;
    if (n <= 0) {
        tls_session_feed_eof(l->session);
        return false;
    }
    tls_session_feed(l->session, slice_of(bytes, (size_t)n));
    tell_established(l);
    return flush(l) && tls_session_state(l->session) <= TLS_ESTABLISHED;
}

/* An HTTP request, as testing tools send it, is whole with its empty line; all else as it comes. */
static bool is_whole(const char *text)
{
    const size_t n = strlen(text);

    return strncmp(text, "GET ", n < 4 ? n : 4) != 0 || strstr(text, "\n\n") != NULL ||
           strstr(text, "\r\n\r\n") != NULL;
}

/* The next line, or what there is of one, as text; NULL at the end. */
static char *hear(struct link *l)
{
    static char text[READ_SIZE + 1];
    size_t n, length = 0;

    do {
        while (
            is_err(tls_session_read(l->session, (uint8_t *)text + length, READ_SIZE - length, &n)))
            if (!receive(l))
                return NULL;
        length += n;
        text[length] = '\0';
    } while (length < READ_SIZE && !is_whole(text));
    text[strcspn(text, "\r\n")] = '\0';
    say("heard", text);
    return text;
}

static bool speak(struct link *l, const char *text)
{
    return is_ok(tls_session_write(l->session, slice_of_str(text))) && flush(l);
}

static void serve(struct link *l)
{
    const char *request;

    while ((request = hear(l)) != NULL) {
        if (strncmp(request, "GET /keyupdate ", 15) == 0 &&
            (is_err(tls_session_update_keys(l->session, true)) || !flush(l)))
            return;
        if (!speak(l, ANSWER))
            return;
    }
}

static void echo(struct link *l)
{
    uint8_t bytes[READ_SIZE];
    size_t n;

    for (;;) {
        while (is_err(tls_session_read(l->session, bytes, sizeof(bytes), &n)))
            if (!receive(l))
                return;
        if (is_err(tls_session_write(l->session, slice_of(bytes, n))) || !flush(l))
            return;
    }
}

static void ask(struct link *l, const struct options *o)
{
    tls_session_start(l->session);
    if (!flush(l))
        return;
    while (tls_session_state(l->session) == TLS_HANDSHAKE)
        if (!receive(l))
            return;
    if (!speak(l, o->say))
        return;
    for (unsigned i = 0; i < o->answers; i++)
        if (hear(l) == NULL)
            return;
    tls_session_close(l->session);
    (void)flush(l);
    (void)shutdown(l->fd, SHUT_WR);
    while (receive(l))
        ;
}

/* Lets the last alert arrive: a close while the peer still sends is a reset, which overtakes it. */
static void finish(int fd)
{
    uint8_t ignored[READ_SIZE];

    (void)shutdown(fd, SHUT_WR);
    while (recv(fd, ignored, sizeof(ignored), 0) > 0)
        ;
    (void)close(fd);
}

/* Returns whether all went well. */
static bool run_connection(struct program *p, int fd)
{
    const struct timeval timeout = {.tv_sec = (time_t)p->o.wait_s};
    struct link l = {.fd = fd};
    struct errinfo e = ERRINFO_INIT;

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
    if (is_err(tls_session_new(p->profile,
                               &(struct tls_session_params){.server_name = p->o.name,
                                                            .judge = judge,
                                                            .judge_arg = p,
                                                            .tickets = p->tickets,
                                                            .now_s = now_s()},
                               &l.session, &e)))
        die("no session", &e);
    if (p->o.echo)
        echo(&l);
    else if (p->o.listen_port >= 0)
        serve(&l);
    else
        ask(&l, &p->o);
    (void)flush(&l);
    tell_end(&l);
    const bool well = l.told && tls_session_error(l.session) == NULL;
    tls_session_free(l.session);
    finish(fd);
    return well;
}

/* --- sockets --- */

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int open_listener(int port)
{
    struct sockaddr_in a = loopback(port);
    socklen_t size = sizeof(a);
    const int yes = 1;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char text[8];

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
        bind(fd, (struct sockaddr *)&a, size) != 0 || listen(fd, 16) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &size) != 0)
        die(strerror(errno), NULL);
    (void)snprintf(text, sizeof(text), "%u", (unsigned)ntohs(a.sin_port));
    say("listening", text);
    return fd;
}

static int connect_to(int port)
{
    const struct sockaddr_in a = loopback(port);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (const struct sockaddr *)&a, sizeof(a)) != 0)
        die(strerror(errno), NULL);
    return fd;
}

/* --- set-up --- */

static volatile sig_atomic_t ended;

static void on_signal(int number)
{
    (void)number;
    ended = 1;
}

static int find_word(const char *const *words, const char *word)
{
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    die(word, NULL);
    return -1;
}

static long number_of(const char *text, long most)
{
    char *end;
    const long n = strtol(text, &end, 10);

    if (end == text || *end != '\0' || n < 0 || n > most)
        die(text, NULL);
    return n;
}

static struct options parse(int argc, char **argv)
{
    enum {
        LISTEN,
        CONNECT,
        CERT,
        KEY,
        CA,
        NAME,
        AUTH,
        VERSIONS,
        ECHO,
        WAIT,
        SAY,
        TIMES,
        ANSWERS,
        HELP
    };
    static const struct option longs[] = {
        {"listen", required_argument, NULL, LISTEN},
        {"connect", required_argument, NULL, CONNECT},
        {"cert", required_argument, NULL, CERT},
        {"key", required_argument, NULL, KEY},
        {"ca", required_argument, NULL, CA},
        {"name", required_argument, NULL, NAME},
        {"client-auth", required_argument, NULL, AUTH},
        {"versions", required_argument, NULL, VERSIONS},
        {"echo", no_argument, NULL, ECHO},
        {"wait", required_argument, NULL, WAIT},
        {"say", required_argument, NULL, SAY},
        {"times", required_argument, NULL, TIMES},
        {"answers", required_argument, NULL, ANSWERS},
        {"help", no_argument, NULL, HELP},
        {0},
    };
    static const char *const versions[] = {"auto", "1.2", "1.3", NULL}; /* as enum tls_versions */
    static const char *const auths[] = {"off", "request", "require", NULL};
    struct options o = {.listen_port = -1,
                        .connect_port = -1,
                        .say = "hello",
                        .times = 1,
                        .answers = 1,
                        .wait_s = WAIT_S};

    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        switch (c) {
        case LISTEN:
            o.listen_port = (int)number_of(optarg, UINT16_MAX);
            break;
        case CONNECT:
            o.connect_port = (int)number_of(optarg, UINT16_MAX);
            break;
        case CERT:
            o.cert = optarg;
            break;
        case KEY:
            o.key = optarg;
            break;
        case CA:
            o.ca = optarg;
            break;
        case NAME:
            o.name = optarg;
            break;
        case AUTH:
            o.client_auth = (enum tls_client_auth)find_word(auths, optarg);
            break;
        case VERSIONS:
            o.versions = (enum tls_versions)find_word(versions, optarg);
            break;
        case ECHO:
            o.echo = true;
            break;
        case WAIT:
            o.wait_s = (unsigned)number_of(optarg, INT32_MAX);
            break;
        case SAY:
            o.say = optarg;
            break;
        case TIMES:
            o.times = (unsigned)number_of(optarg, INT32_MAX);
            break;
        case ANSWERS:
            o.answers = (unsigned)number_of(optarg, INT32_MAX);
            break;
        case HELP:
            (void)fputs(help, stdout);
            exit(0);
        default:
            exit(2);
        }
    }
    if ((o.listen_port < 0) == (o.connect_port < 0))
        die("either --listen or --connect", NULL);
    if (o.echo && o.listen_port < 0)
        die("--echo is for --listen", NULL);
    return o;
}

static void set_up(struct program *p)
{
    struct errinfo e = ERRINFO_INIT;

    if (is_err(tls_global_init(&entropy_system, now_s, &e)))
        die("TLS", &e);
    struct identity *id = pemfiles_identity(p->o.cert, p->o.key);
    if (p->o.ca != NULL)
        p->trust = pemfiles_trust(p->o.ca);
    if (is_err(tls_tickets_new(LIMIT_TICKETS, &p->tickets)) ||
        is_err(tls_profile_new(
            &(struct tls_profile_params){
                .role = p->o.listen_port >= 0 ? TLS_SERVER : TLS_CLIENT,
                .versions = p->o.versions,
                .identity = id,
                .client_auth = p->o.client_auth,
                .tickets = true,
                .rng = entropy_system,
            },
            &p->profile, &e)))
        die("TLS", &e);
    identity_unref(id);
}

static bool run_server(struct program *p)
{
    const int listener = open_listener(p->o.listen_port);

    while (!ended) {
        const int fd = accept(listener, NULL, NULL);
        if (fd >= 0)
            (void)run_connection(p, fd);
    }
    (void)close(listener);
    return true;
}

static bool run_client(struct program *p)
{
    bool well = true;

    for (unsigned i = 0; i < p->o.times && well; i++)
        well = run_connection(p, connect_to(p->o.connect_port));
    return well;
}

int main(int argc, char **argv)
{
    struct program p = {.o = parse(argc, argv)};
    const struct sigaction act = {.sa_handler = on_signal};

    (void)sigaction(SIGTERM, &act, NULL);
    set_up(&p);
    const bool well = p.o.listen_port >= 0 ? run_server(&p) : run_client(&p);
    tls_profile_unref(p.profile);
    tls_tickets_free(p.tickets);
    trust_unref(p.trust);
    tls_global_free();
    return well ? 0 : 1;
}
