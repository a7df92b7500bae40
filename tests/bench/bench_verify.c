/*
 * What a judgement costs: a usual chain (a leaf and its intermediate are sent, the root is trusted)
 * through verify_chain() and through mbedTLS's own verification with a CA callback. Both begin with
 * the DER that the peer sent; the second figure of mbedTLS leaves the parsing of the peer's list
 * out. They take turns, so that whatever else the machine does hits both; the ratio is the median
 * of those of the rounds.
 *
 * And what hostile lists cost, which ask for as much work as the limits allow.
 */
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pki/verify.h"
#include "tools/testpki.h"

#define ROUNDS        21
#define ROUND_SECONDS 0.05

#define NAME "sip.example.com"

static void must(bool done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "bench_verify: %s\n", what);
    exit(1);
}

/* --- a usual chain --- */

struct usual {
    struct slice chain[2], root;
    struct trust *trust;
    struct peername name;
    mbedtls_x509_crt parsed;
    struct verdict verdict;
};

static struct usual make_usual(enum testpki_key_type type)
{
    static const char *const eku[] = {TESTPKI_OID_SERVER_AUTH, NULL};
    struct usual u = {.root = SLICE_EMPTY};
    const struct testpki_cert *root =
        testpki_make(&(struct testpki_spec){.subject = "CN=Root",
                                            .key_type = type,
                                            .key = 1,
                                            .ca = true,
                                            .key_usage = TESTPKI_KEY_CERT_SIGN});
    const struct testpki_cert *ca =
        testpki_make(&(struct testpki_spec){.subject = "CN=Issuing CA",
                                            .key_type = type,
                                            .key = 2,
                                            .ca = true,
                                            .issuer = root,
                                            .key_usage = TESTPKI_KEY_CERT_SIGN});
    const struct testpki_cert *leaf =
        testpki_make(&(struct testpki_spec){.subject = "CN=" NAME,
                                            .key_type = type,
                                            .key = 3,
                                            .not_ca = true,
                                            .issuer = ca,
                                            .key_usage = TESTPKI_DIGITAL_SIGNATURE,
                                            .eku = eku,
                                            .san = "DNS:" NAME});

    u.chain[0] = testpki_der(leaf);
    u.chain[1] = testpki_der(ca);
    u.root = testpki_der(root);
    must(
        is_ok(trust_new(&(struct trust_custom){"root.pem", u.root}, 1, NULL, NULL, &u.trust, NULL)),
        "no trust store");
    must(is_ok(peername_parse(SLICE_LIT(NAME), &u.name, NULL)), "no name");
    return u;
}

static void parse_list(const struct usual *u, mbedtls_x509_crt *list)
{
    mbedtls_x509_crt_init(list);
    for (size_t i = 0; i < 2; i++)
        must(mbedtls_x509_crt_parse_der_nocopy(list, u->chain[i].p, u->chain[i].n) == 0,
             "mbedTLS does not parse the chain");
}

static void run_ours(void *arg)
{
    static const struct verify_policy policy = {.check_trust = true};
    struct usual *u = arg;
    const struct verify_input in = {
        .chain = u->chain,
        .chain_len = 2,
        .trust = u->trust,
        .filter = TRUST_ALL,
        .name = &u->name,
        .now = {TESTPKI_NOW, CLOCK_SET},
        .policy = &policy,
    };

    verify_chain(&in, &u->verdict);
    must(u->verdict.class == VERDICT_VERIFIED, verdict_sentence(&u->verdict));
}

static int give_root(void *arg, const mbedtls_x509_crt *child, mbedtls_x509_crt **out)
{
    const struct usual *u = arg;
    mbedtls_x509_crt *root = calloc(1, sizeof *root);

    (void)child;
    must(root != NULL, "out of memory");
    mbedtls_x509_crt_init(root);
    must(mbedtls_x509_crt_parse_der_nocopy(root, u->root.p, u->root.n) == 0, "no root");
    *out = root;
    return 0;
}

static void verify_bare(struct usual *u, mbedtls_x509_crt *list)
{
    uint32_t flags;

    must(mbedtls_x509_crt_verify_with_ca_cb(list, give_root, u, &mbedtls_x509_crt_profile_default,
                                            NAME, &flags, NULL, NULL) == 0,
         "mbedTLS does not accept the chain");
}

static void run_bare(void *arg)
{
    struct usual *u = arg;
    mbedtls_x509_crt list;

    parse_list(u, &list);
    verify_bare(u, &list);
    mbedtls_x509_crt_free(&list);
}

static void run_bare_parsed(void *arg)
{
    struct usual *u = arg;

    verify_bare(u, &u->parsed);
}

/* --- measuring --- */

static double cpu_seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds_each(void (*run)(void *arg), void *arg)
{
    const double start = cpu_seconds();
    unsigned n = 0;
    double spent;

    do {
        run(arg);
        n++;
        spent = cpu_seconds() - start;
    } while (spent < ROUND_SECONDS);
    return spent / n;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof values[0], compare);
    return values[ROUNDS / 2];
}

static void measure_usual(const char *what, enum testpki_key_type type)
{
    struct usual u = make_usual(type);
    double ours[ROUNDS], bare[ROUNDS], parsed[ROUNDS], ratio[ROUNDS], ratio_parsed[ROUNDS];

    parse_list(&u, &u.parsed);
    for (int i = 0; i < ROUNDS; i++) {
        ours[i] = seconds_each(run_ours, &u);
        bare[i] = seconds_each(run_bare, &u);
        parsed[i] = seconds_each(run_bare_parsed, &u);
        ratio[i] = ours[i] / bare[i];
        ratio_parsed[i] = ours[i] / parsed[i];
    }
    printf("%-10s %10.1f %10.1f %10.1f %10.3f %10.3f\n", what, median(ours) * 1e6,
           median(bare) * 1e6, median(parsed) * 1e6, median(ratio), median(ratio_parsed));
    mbedtls_x509_crt_free(&u.parsed);
    trust_unref(u.trust);
}

/* --- hostile lists --- */

/* All of one name and without key identifiers, so that each may have issued each: the most
 * signatures and steps. */
static void measure_hostile(const char *what, enum testpki_key_type type, bool forged)
{
    static const struct verify_policy policy = {.check_trust = true,
                                                .profile = VERIFY_PROFILE_COMPATIBLE};
    struct slice chain[LIMIT_PEER_CERTS];
    const struct testpki_cert *last = NULL;
    struct trust *trust;
    struct verdict v;

    for (size_t i = LIMIT_PEER_CERTS; i-- > 0;) {
        last = testpki_make(&(struct testpki_spec){.subject = "CN=Loop",
                                                   .key_type = type,
                                                   .key = 10 + (unsigned)i,
                                                   .ca = i > 0,
                                                   .issuer = last,
                                                   .no_aki = true,
                                                   .no_ski = true,
                                                   .bad_signature = forged});
        chain[i] = testpki_der(last);
    }
    must(is_ok(trust_new(NULL, 0, NULL, NULL, &trust, NULL)), "no trust store");
    const struct verify_input in = {
        .chain = chain,
        .chain_len = LIMIT_PEER_CERTS,
        .trust = trust,
        .now = {TESTPKI_NOW, CLOCK_SET},
        .policy = &policy,
    };
    const double start = cpu_seconds();
    verify_chain(&in, &v);
    printf("%-34s %8.2f ms %5u checks  %s\n", what, (cpu_seconds() - start) * 1e3,
           v.signature_checks, reason_name(v.reasons[0].code));
    must(v.class == VERDICT_REJECTED, "a hostile list was accepted");
    trust_unref(trust);
}

int main(void)
{
    printf("a usual chain, microseconds (the ratios are ours to mbedTLS's)\n");
    printf("%-10s %10s %10s %10s %10s %10s\n", "", "ours", "mbedTLS", "parsed", "ratio",
           "to parsed");
    measure_usual("P-256", TESTPKI_P256);
    measure_usual("P-384", TESTPKI_P384);
    measure_usual("RSA 2048", TESTPKI_RSA_2048);
    printf("\nhostile lists of %d certificates\n", LIMIT_PEER_CERTS);
    measure_hostile("P-256, each signed by the next", TESTPKI_P256, false);
    measure_hostile("P-521, each signed by the next", TESTPKI_P521, false);
    measure_hostile("P-521, all forged", TESTPKI_P521, true);
    measure_hostile("RSA 2048, all forged", TESTPKI_RSA_2048, true);
    return 0;
}
