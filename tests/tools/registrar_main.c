/*
 * registrar: a SIP registrar over TLS for tests and the demo.
 *
 * Prints "listening ADDRESS:PORT" for each endpoint when it is ready; SIGTERM and SIGINT end it.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "sys/entropy.h"
#include "sys/loop.h"
#include "sys/store.h"
#include "tools/registrar_server.h"

#define ENDPOINTS_MAX 32
#define USERS_MAX     64

struct options {
    char *endpoints[ENDPOINTS_MAX]; /* "ADDRESS:PORT,CHAIN,KEY" */
    size_t endpoints_count;
    const char *listen;
    const char *cert;
    const char *key;
    char *users[USERS_MAX]; /* "NAME:PASSWORD" */
    size_t users_count;
    enum tls_versions versions;
    const char *log;
    struct registrar_config config;
};

struct program {
    struct loop *loop;
    struct registrar *core;
    struct registrar_server *server;
    struct loop_signal *signals[2];
    FILE *log;
};

static const char help[] =
    "usage: registrar --listen ADDRESS:PORT --cert CHAIN --key KEY [OPTION]...\n"
    "       registrar --endpoint ADDRESS:PORT,CHAIN,KEY [--endpoint ...] [OPTION]...\n"
    "\n"
    "A SIP registrar over TLS for tests. Port 0 takes a free one.\n"
    "\n"
    "  --user NAME:PASSWORD  who may register; may be repeated. Without it, everybody may\n"
    "  --realm REALM         of the challenges (localhost)\n"
    "  --alg MD5|SHA-256     the only digest algorithm; both are offered otherwise\n"
    "  --expires S           grant no more (3600)\n"
    "  --min-expires S       423 below (0)\n"
    "  --nonce-lifetime S    then a nonce is stale (300)\n"
    "  --versions V          1.2, 1.3 or auto (auto)\n"
    "  --log FILE            one line an event; - is stderr\n";

enum {
    ENDPOINT = 1,
    LISTEN,
    CERT,
    KEY,
    USER,
    REALM,
    ALG,
    EXPIRES,
    MIN_EXPIRES,
    NONCE_LIFETIME,
    VERSIONS,
    LOG,
    HELP,
};

static const struct option longs[] = {
    {"endpoint", required_argument, NULL, ENDPOINT},
    {"listen", required_argument, NULL, LISTEN},
    {"cert", required_argument, NULL, CERT},
    {"key", required_argument, NULL, KEY},
    {"user", required_argument, NULL, USER},
    {"realm", required_argument, NULL, REALM},
    {"alg", required_argument, NULL, ALG},
    {"expires", required_argument, NULL, EXPIRES},
    {"min-expires", required_argument, NULL, MIN_EXPIRES},
    {"nonce-lifetime", required_argument, NULL, NONCE_LIFETIME},
    {"versions", required_argument, NULL, VERSIONS},
    {"log", required_argument, NULL, LOG},
    {"help", no_argument, NULL, HELP},
    {NULL, 0, NULL, 0},
};

static void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "registrar: %s: %s\n", what, why);
    exit(1);
}

static void usage(void)
{
    (void)fputs(help, stderr);
    exit(2);
}

static uint32_t number(const char *text)
{
    uint64_t n;
    if (!slice_to_u64(slice_of_str(text), UINT32_MAX, &n))
        usage();
    return (uint32_t)n;
}

static enum tls_versions versions(const char *text)
{
    if (strcmp(text, "1.2") == 0)
        return TLS_1_2_ONLY;
    if (strcmp(text, "1.3") == 0)
        return TLS_1_3_ONLY;
    if (strcmp(text, "auto") != 0)
        usage();
    return TLS_1_2_AND_1_3;
}

static void take(int option, char *value, struct options *o)
{
    if (option == ENDPOINT && o->endpoints_count < ENDPOINTS_MAX)
        o->endpoints[o->endpoints_count++] = value;
    else if (option == LISTEN)
        o->listen = value;
    else if (option == CERT)
        o->cert = value;
    else if (option == KEY)
        o->key = value;
    else if (option == USER && o->users_count < USERS_MAX)
        o->users[o->users_count++] = value;
    else if (option == REALM)
        o->config.realm = value;
    else if (option == ALG && strcmp(value, "MD5") == 0)
        o->config.sha256 = false;
    else if (option == ALG && strcmp(value, "SHA-256") == 0)
        o->config.md5 = false;
    else if (option == EXPIRES)
        o->config.max_expires_s = number(value);
    else if (option == MIN_EXPIRES)
        o->config.min_expires_s = number(value);
    else if (option == NONCE_LIFETIME)
        o->config.nonce_lifetime_ms = 1000 * (uint64_t)number(value);
    else if (option == VERSIONS)
        o->versions = versions(value);
    else if (option == LOG)
        o->log = value;
    else
        usage();
}

static void parse(int argc, char **argv, struct options *o)
{
    *o = (struct options){
        .config = {.realm = "localhost",
                   .md5 = true,
                   .sha256 = true,
                   .nonce_lifetime_ms = 300000,
                   .max_expires_s = 3600},
    };
    int option;
    while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (option == HELP) {
            (void)fputs(help, stdout);
            exit(0);
        }
        take(option, optarg, o);
    }
    const bool one = o->listen != NULL && o->cert != NULL && o->key != NULL;
    if (optind < argc || (o->endpoints_count == 0 && !one))
        usage();
    if (o->users_count == 0)
        o->config.realm = NULL;
}

static void write_line(struct program *p, const char *what, const char *text)
{
    if (p->log == NULL)
        return;
    (void)fprintf(p->log, "%lld %s %s\n", (long long)time(NULL), what, text);
    (void)fflush(p->log);
}

static void on_line(void *arg, const char *line)
{
    write_line(arg, "connection", line);
}

static void on_event(void *arg, const struct registrar_event *event)
{
    char text[1024];
    (void)snprintf(text, sizeof text, "%s %s %s %u %d %s", registrar_event_name(event->type),
                   event->aor, event->contact, (unsigned)event->expires_s, event->status,
                   event->text);
    write_line(arg, "registrar", text);
}

static int64_t epoch_s(void)
{
    return (int64_t)time(NULL);
}

static void on_signal(void *arg)
{
    struct program *p = arg;
    loop_stop(p->loop);
}

static struct result read_identity(const char *chain, const char *key, struct identity **out,
                                   struct errinfo *e)
{
    struct buf c, k;
    buf_init(&c, LIMIT_CERT_FILE_BYTES);
    buf_init(&k, LIMIT_CERT_FILE_BYTES);
    struct result r = store_read(chain, &c, e);
    if (is_ok(r))
        r = store_read(key, &k, e);
    if (is_ok(r))
        r = identity_load(buf_slice(&c), buf_slice(&k), SLICE_EMPTY, &entropy_system, out, e);
    buf_free(&c);
    buf_wipe(&k);
    return r;
}

static struct result add_endpoint(struct program *p, const char *at, const char *chain,
                                  const char *key, enum tls_versions v, struct errinfo *e)
{
    struct registrar_endpoint_params params = {.versions = v};
    struct registrar_endpoint *endpoint;
    char host[ADDR_TEXT_SIZE], text[ADDR_TEXT_SIZE];
    uint64_t port;
    const char *colon = strrchr(at, ':');
    if (colon == NULL || !slice_to_str(slice_of(at, (size_t)(colon - at)), host, sizeof host) ||
        !slice_to_u64(slice_of_str(colon + 1), UINT16_MAX, &port) ||
        !addr_parse(host, (uint16_t)port, &params.at))
        return fail(e, ERR_INVALID, "'%s' is no ADDRESS:PORT", at);
    TRY(read_identity(chain, key, &params.identity, e));
    const struct result r = registrar_server_listen(p->server, &params, &endpoint, e);
    identity_unref(params.identity);
    TRY(r);
    const struct addr bound = registrar_endpoint_facts(endpoint).at;
    addr_format(&bound, text);
    (void)printf("listening %s\n", text);
    return OK;
}

static struct result add_endpoints(struct program *p, const struct options *o, struct errinfo *e)
{
    if (o->listen != NULL)
        TRY(add_endpoint(p, o->listen, o->cert, o->key, o->versions, e));
    for (size_t i = 0; i < o->endpoints_count; i++) {
        char *rest = o->endpoints[i];
        const char *at = strsep(&rest, ",");
        const char *chain = strsep(&rest, ",");
        const char *key = strsep(&rest, ",");
        if (key == NULL || rest != NULL)
            return fail(e, ERR_INVALID, "--endpoint is ADDRESS:PORT,CHAIN,KEY");
        TRY(add_endpoint(p, at, chain, key, o->versions, e));
    }
    return OK;
}

static struct result add_users(struct program *p, const struct options *o, struct errinfo *e)
{
    for (size_t i = 0; i < o->users_count; i++) {
        char *password = o->users[i];
        const char *name = strsep(&password, ":");
        if (password == NULL)
            return fail(e, ERR_INVALID, "--user is NAME:PASSWORD");
        TRY(registrar_add_user(p->core, name, NULL, password));
    }
    return OK;
}

static struct result start(struct program *p, const struct options *o, struct errinfo *e)
{
    TRY(tls_global_init(&entropy_system, epoch_s, e));
    TRY(loop_new(&p->loop, e));
    TRY(registrar_new(&o->config, &entropy_system, on_event, p, &p->core));
    TRY(registrar_server_new(p->loop, p->core, &entropy_system, on_line, p, &p->server));
    TRY(add_users(p, o, e));
    TRY(loop_signal_new(p->loop, SIGTERM, on_signal, p, &p->signals[0], e));
    TRY(loop_signal_new(p->loop, SIGINT, on_signal, p, &p->signals[1], e));
    return add_endpoints(p, o, e);
}

static FILE *open_log(const char *path)
{
    if (path == NULL || strcmp(path, "-") == 0)
        return path == NULL ? NULL : stderr;
    FILE *f = fopen(path, "ae");
    if (f == NULL)
        die(path, "cannot be opened");
    return f;
}

int main(int argc, char **argv)
{
    struct options o;
    struct program p = {0};
    struct errinfo e = ERRINFO_INIT;
    parse(argc, argv, &o);
    p.log = open_log(o.log);
    (void)signal(SIGPIPE, SIG_IGN);
    const struct result r = start(&p, &o, &e);
    if (is_err(r))
        die("cannot start", errinfo_text(&e, r));
    (void)fflush(stdout);
    loop_run(p.loop);
    registrar_server_free(p.server);
    registrar_free(p.core);
    loop_signal_free(p.signals[0]);
    loop_signal_free(p.signals[1]);
    loop_free(p.loop);
    tls_global_free();
    if (p.log != NULL && p.log != stderr)
        (void)fclose(p.log);
    return 0;
}
