/*
 * fetch: one fetch as the daemon would do it, for tests against other people's servers; --help says
 * the rest.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/fetch.h"
#include "sys/entropy.h"
#include "tools/pemfiles.h"

static const char help[] =
    "usage: fetch --ca FILE [OPTION]... URL\n"
    "\n"
    "Prints what came of it, one \"key: value\" a line, and after an empty line the body.\n"
    "\n"
    "  --ca FILE               PEM of who is trusted\n"
    "  --cert FILE --key FILE  PEM, for servers that ask for a certificate\n"
    "  --versions V            1.2, 1.3 or auto (auto)\n"
    "  --no-trust --no-name    what is wrong with the server does not matter\n"
    "  --user U --password P   for basic and digest authentication\n"
    "  --allow-http            plain HTTP may be used\n"
    "  --etag E --modified T   of an earlier answer\n"
    "  --post TEXT             send this as JSON\n"
    "  --max-bytes N --total-ms N --slow-ms N\n"
    "  --cancel-ms N           give up after so long, without a result\n"
    "  --times N               the same again, one after the other (1)\n";

struct program {
    const char *ca, *cert, *key, *versions;
    struct fetch_params params;
    unsigned cancel_ms, times;
    struct loop *loop;
    struct fetch *fetch;
    bool done;
};

static void die(const char *what, const struct errinfo *e)
{
    fprintf(stderr, "fetch: %s%s%s\n", what, e != NULL ? ": " : "", e != NULL ? e->text : "");
    exit(2);
}

static struct tls_profile *make_profile(const struct program *p)
{
    struct tls_profile *profile;
    struct errinfo e = ERRINFO_INIT;
    struct identity *identity = pemfiles_identity(p->cert, p->key);
    const struct tls_profile_params params = {
        .role = TLS_CLIENT,
        .versions = strcmp(p->versions, "1.2") == 0   ? TLS_1_2_ONLY
                    : strcmp(p->versions, "1.3") == 0 ? TLS_1_3_ONLY
                                                      : TLS_1_2_AND_1_3,
        .identity = identity,
        .tickets = true, /* that none is used must not depend on it */
        .rng = entropy_system,
    };

    if (is_err(tls_profile_new(&params, &profile, &e)))
        die("TLS", &e);
    identity_unref(identity);
    return profile;
}

/* --- the fetch --- */

static void on_result(void *arg, const struct fetch_result *r)
{
    static const char *const outcomes[] = {"failed", "done", "unchanged"};
    struct program *p = arg;

    printf("outcome: %s\nstatus: %d\nhost: %s\nsecure: %d\n", outcomes[r->outcome], r->status,
           r->host, r->secure);
    printf("code: %s\nerror: %s\n", err_name(r->error.code), r->error.text);
    printf("verdict: %s\nsentence: %s\n", verdict_class_name(r->verdict->class),
           r->verdict->class != VERDICT_NONE ? verdict_sentence(r->verdict) : "");
    printf("version: %s\nresumed: %d\nalert-sent: %d\nsent-certificate: %d\n",
           r->facts.version != NULL ? r->facts.version : "", r->facts.resumed, r->facts.alert_sent,
           r->facts.sent_certificate);
    printf("etag: %s\nmodified: %s\ntype: %s\nretry-after: %u\nbytes: %zu\n\n%.*s\n", r->etag,
           r->last_modified, r->content_type, (unsigned)r->retry_after_s, r->body.n,
           SLICE_FMT(r->body));
    p->fetch = NULL;
    p->done = r->outcome != FETCH_FAILED;
    loop_stop(p->loop);
}

static void on_refused(void *arg, const struct refused_chain *c)
{
    (void)arg;
    printf("noted: %d %s %zu %s\n", c->account, c->host, c->input->chain_len,
           reason_name(c->verdict->reasons[0].code));
}

static void on_cancel(void *arg)
{
    struct program *p = arg;

    fetch_cancel(p->fetch);
    p->fetch = NULL;
    printf("outcome: cancelled\n\n");
    loop_stop(p->loop);
}

static void run_once(struct program *p)
{
    struct errinfo e = ERRINFO_INIT;
    struct loop_timer *cancel = loop_timer_new(p->loop, on_cancel, p);

    if (is_err(fetch_start(&p->params, on_result, p, &p->fetch, &e))) {
        printf("outcome: refused\ncode: %s\nerror: %s\n\n", err_name(e.code), e.text);
    } else {
        if (p->cancel_ms > 0)
            loop_timer_start(cancel, p->cancel_ms);
        loop_run(p->loop);
    }
    loop_timer_free(cancel);
}

static int run(struct program *p)
{
    struct errinfo e = ERRINFO_INIT;
    struct wallclock_source *clock = NULL;

    if (is_err(loop_new(&p->loop, &e)) || is_err(dns_new(p->loop, &p->params.dns, &e)) ||
        is_err(wallclock_open(p->loop, NULL, NULL, NULL, &clock, &e)))
        die("set-up", &e);
    p->params.loop = p->loop;
    p->params.clock = clock;
    p->params.profile = make_profile(p);
    p->params.trust = pemfiles_trust(p->ca);
    for (unsigned i = 0; i < p->times; i++)
        run_once(p);
    tls_profile_unref(p->params.profile);
    trust_unref(p->params.trust);
    wallclock_close(clock);
    dns_free(p->params.dns);
    loop_free(p->loop);
    return p->done ? 0 : 1;
}

static unsigned number(const char *text)
{
    uint64_t n;

    if (!slice_to_u64(slice_of_str(text), UINT32_MAX, &n))
        die(text, NULL);
    return (unsigned)n;
}

static bool take(struct program *p, int option)
{
    struct fetch_params *f = &p->params;

    switch (option) {
    case 'c':
        p->ca = optarg;
        return true;
    case 'i':
        p->cert = optarg;
        return true;
    case 'k':
        p->key = optarg;
        return true;
    case 'v':
        p->versions = optarg;
        return true;
    case 'T':
        f->policy.check_trust = false;
        return true;
    case 'N':
        f->check_name = false;
        return true;
    case 'u':
        f->user = optarg;
        return true;
    case 'p':
        f->password = optarg;
        return true;
    case 'H':
        f->allow_http = true;
        return true;
    case 'e':
        f->etag = optarg;
        return true;
    case 'm':
        f->last_modified = optarg;
        return true;
    case 'P':
        f->post = true;
        f->body = slice_of_str(optarg);
        return true;
    case 'b':
        f->max_bytes = number(optarg);
        return true;
    case 't':
        f->total_ms = number(optarg);
        return true;
    case 's':
        f->slow_ms = number(optarg);
        return true;
    case 'x':
        p->cancel_ms = number(optarg);
        return true;
    case 'n':
        p->times = number(optarg);
        return true;
    default:
        return false;
    }
}

static void parse(int argc, char **argv, struct program *p)
{
    static const struct option longs[] = {
        {"ca", required_argument, NULL, 'c'},        {"cert", required_argument, NULL, 'i'},
        {"key", required_argument, NULL, 'k'},       {"versions", required_argument, NULL, 'v'},
        {"no-trust", no_argument, NULL, 'T'},        {"no-name", no_argument, NULL, 'N'},
        {"user", required_argument, NULL, 'u'},      {"password", required_argument, NULL, 'p'},
        {"allow-http", no_argument, NULL, 'H'},      {"etag", required_argument, NULL, 'e'},
        {"modified", required_argument, NULL, 'm'},  {"post", required_argument, NULL, 'P'},
        {"max-bytes", required_argument, NULL, 'b'}, {"total-ms", required_argument, NULL, 't'},
        {"slow-ms", required_argument, NULL, 's'},   {"cancel-ms", required_argument, NULL, 'x'},
        {"times", required_argument, NULL, 'n'},     {0},
    };

    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;)
        if (!take(p, c))
            die(help, NULL);
    if (optind != argc - 1)
        die(help, NULL);
    p->params.url = argv[optind];
}

static int64_t now_s(void)
{
    return wallclock_build_time(); /* for ticket keys, of which a client has none */
}

int main(int argc, char **argv)
{
    struct errinfo e = ERRINFO_INIT;
    struct program p = {
        .versions = "auto",
        .times = 1,
        .params = {.filter = TRUST_CUSTOM,
                   .check_name = true,
                   .policy = {.check_trust = true, .profile = VERIFY_PROFILE_COMPATIBLE},
                   .on_refused = on_refused,
                   .user_agent = "sipsd-test"},
    };

    parse(argc, argv, &p);
    if (is_err(tls_global_init(&entropy_system, now_s, &e)))
        die("TLS", &e);
    const int status = run(&p);
    tls_global_free();
    return status;
}
