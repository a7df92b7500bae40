/*
 * What our session costs beside bare mbedTLS: handshakes in memory, both ends of one kind, with the
 * same suites, groups and certificates. Ours judges the server with pki/verify and a trust store,
 * bare mbedTLS with its own verification and the one CA that is needed. The two take turns, so that
 * whatever else the machine does hits both; the ratio is the median of those of the rounds.
 *
 * And the heap that an idle connection of ours takes.
 */
#include <malloc.h>
#include <mbedtls/platform.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pki/verify.h"
#include "tls/ciphers.h"
#include "tools/tlswire.h"

#define ROUNDS        21
#define ROUND_SECONDS 0.05
#define IDLE          64

#define NAME "sip.example.com"

static void must(bool done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "bench_handshake: %s\n", what);
    exit(1);
}

/* --- certificates: a leaf and its intermediate are sent, the root is trusted --- */

struct pki {
    const struct testpki_cert *root, *chain[2];
    struct slice der[2];
    struct identity *identity;
    struct trust *trust;
};

static struct pki make_pki(enum testpki_key_type type)
{
    static const char *const eku[] = {TESTPKI_OID_SERVER_AUTH, NULL};
    struct pki p = {.root =
                        testpki_make(&(struct testpki_spec){.subject = "CN=Root",
                                                            .key_type = type,
                                                            .key = 1,
                                                            .ca = true,
                                                            .key_usage = TESTPKI_KEY_CERT_SIGN})};

    p.chain[1] = testpki_make(&(struct testpki_spec){.subject = "CN=Intermediate",
                                                     .issuer = p.root,
                                                     .key_type = type,
                                                     .key = 2,
                                                     .ca = true,
                                                     .key_usage = TESTPKI_KEY_CERT_SIGN});
    p.chain[0] = testpki_make(&(struct testpki_spec){.subject = "CN=" NAME,
                                                     .issuer = p.chain[1],
                                                     .key_type = type,
                                                     .key = 3,
                                                     .key_usage = TESTPKI_DIGITAL_SIGNATURE,
                                                     .eku = eku,
                                                     .san = "DNS:" NAME});
    for (int i = 0; i < 2; i++)
        p.der[i] = testpki_der(p.chain[i]);
    p.identity = tlswire_identity(p.chain, 2);
    const struct trust_custom custom = {"root", testpki_der(p.root)};
    must(is_ok(trust_new(&custom, 1, NULL, NULL, &p.trust, NULL)), "no trust store");
    return p;
}

static void free_pki(struct pki *p)
{
    identity_unref(p->identity);
    trust_unref(p->trust);
}

/* --- our ends --- */

static void judge(void *arg, const struct slice *chain, size_t n, struct verdict *out)
{
    const struct pki *pki = arg;
    static const struct verify_policy policy = {.check_trust = true};
    struct peername name;

    must(is_ok(peername_parse(SLICE_LIT(NAME), &name, NULL)), "no name");
    verify_chain(&(struct verify_input){.chain = chain,
                                        .chain_len = n,
                                        .trust = pki->trust,
                                        .filter = TRUST_ALL,
                                        .name = &name,
                                        .now = {tlswire_now_s, CLOCK_SET},
                                        .purpose = VERIFY_SERVER,
                                        .policy = &policy},
                 out);
    must(out->class == VERDICT_VERIFIED, verdict_sentence(out));
}

struct ours {
    struct tls_tickets *store;
    struct tlspair pair;
};

static void init_ours(struct ours *o, struct pki *pki, enum tls_versions versions, bool tickets)
{
    must(is_ok(tls_tickets_new(LIMIT_TICKETS, &o->store)), "no store");
    o->pair = tlspair_of((struct tlsend_spec){.versions = versions,
                                              .server_name = NAME,
                                              .tickets = tickets,
                                              .store = tickets ? o->store : NULL},
                         (struct tlsend_spec){.identity = pki->identity, .tickets = tickets});
    o->pair.client.judge = judge;
    o->pair.client.judge_arg = pki;
}

static void free_ours(struct ours *o)
{
    tlspair_free(&o->pair);
    tls_tickets_free(o->store);
}

static void run_ours(void *arg)
{
    struct ours *o = arg;

    tlspair_connect(&o->pair, 0);
    must(tls_session_state(o->pair.client.session) == TLS_ESTABLISHED, "no handshake");
}

/* --- bare ends --- */

struct bare {
    struct tlsbare client, server;
};

static void init_bare(struct bare *b, const struct pki *pki, enum tls_versions versions,
                      bool tickets)
{
    const mbedtls_ssl_protocol_version version =
        versions == TLS_1_2_ONLY ? MBEDTLS_SSL_VERSION_TLS1_2 : MBEDTLS_SSL_VERSION_TLS1_3;
    struct tlsbare_spec spec = {.min = version,
                                .max = version,
                                .suites = tls_cipher_suites,
                                .groups = tls_groups,
                                .signatures = tls_signatures,
                                .hostname = NAME,
                                .ca = testpki_der(pki->root),
                                .tickets = tickets};

    tlsbare_init(&b->client, &spec);
    spec.server = true;
    spec.authmode = MBEDTLS_SSL_VERIFY_NONE;
    spec.chain = pki->der;
    spec.chain_len = 2;
    spec.key_of = pki->chain[0];
    spec.hostname = NULL;
    tlsbare_init(&b->server, &spec);
}

static void free_bare(struct bare *b)
{
    tlsbare_free(&b->client);
    tlsbare_free(&b->server);
}

static void run_bare(void *arg)
{
    struct bare *b = arg;

    tlsbare_open(&b->client);
    tlsbare_open(&b->server);
    tlsbare_step(&b->client);
    tlswire_run(tlsbare_wire(&b->client), tlsbare_wire(&b->server), 0);
    must(mbedtls_ssl_is_handshake_over(&b->client.ssl) != 0, "no bare handshake");
}

/* --- time --- */

static double cpu_seconds(void)
{
    struct timespec t;

    must(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0, "no clock");
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds_each(void (*run)(void *arg), void *arg, unsigned times)
{
    const double start = cpu_seconds();

    for (unsigned i = 0; i < times; i++)
        run(arg);
    return (cpu_seconds() - start) / times;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
    qsort(values, n, sizeof(values[0]), compare);
    return values[n / 2];
}

static void measure(const char *what, struct ours *o, struct bare *b)
{
    double ours[ROUNDS], bare[ROUNDS], ratio[ROUNDS];

    run_ours(o); /* caches are warm, and there are tickets if there will be */
    run_bare(b);
    const double first = seconds_each(run_bare, b, 3);
    const unsigned times = first < ROUND_SECONDS ? (unsigned)(ROUND_SECONDS / first) + 1 : 1;
    for (int i = 0; i < ROUNDS; i++) {
        ours[i] = seconds_each(run_ours, o, times);
        bare[i] = seconds_each(run_bare, b, times);
        ratio[i] = ours[i] / bare[i];
    }
    const double our_s = median(ours, ROUNDS), bare_s = median(bare, ROUNDS);
    printf("%-32s %9.0f %9.0f %9.3f\n", what, 1 / our_s, 1 / bare_s, median(ratio, ROUNDS));
}

static void measure_handshakes(void)
{
    static const struct {
        enum testpki_key_type key;
        const char *name;
    } keys[] = {{TESTPKI_P256, "ECDSA P-256"}, {TESTPKI_RSA_2048, "RSA 2048"}};

    printf("handshakes a second, both ends   %9s %9s %9s\n", "ours", "bare", "time");
    for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
        struct pki pki = make_pki(keys[k].key);
        for (enum tls_versions v = TLS_1_2_ONLY; v <= TLS_1_3_ONLY; v++) {
            for (int resumed = 0; resumed < 2; resumed++) {
                struct ours o;
                struct bare b;
                char what[64];
                init_ours(&o, &pki, v, resumed);
                init_bare(&b, &pki, v, resumed);
                (void)snprintf(what, sizeof(what), "TLS 1.%d, %s, %s", v == TLS_1_2_ONLY ? 2 : 3,
                               keys[k].name, resumed ? "resumed" : "full");
                measure(what, &o, &b);
                free_ours(&o);
                free_bare(&b);
            }
        }
        free_pki(&pki);
    }
}

/* --- memory --- */

static size_t library_bytes; /* of the heap's, what mbedTLS has */

static void *counting_calloc(size_t n, size_t size)
{
    void *p = calloc(n, size);

    if (p != NULL)
        library_bytes += malloc_usable_size(p);
    return p;
}

static void counting_free(void *p)
{
    library_bytes -= malloc_usable_size(p);
    free(p);
}

static size_t heap_bytes(void)
{
    const struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

static void exchange(struct tlspair *p)
{
    tlsend_write(&p->client, "REGISTER");
    tlsend_write(&p->server, "200 OK");
    tlspair_run(p);
    free(tlsend_read(&p->client));
    free(tlsend_read(&p->server));
}

/* What IDLE clients hold after full handshakes, when both sides have read all there was. */
static void measure_idle(const char *what, struct ours *o)
{
    struct tls_session *idle[IDLE];

    run_ours(o); /* what is made once is made */
    exchange(&o->pair);
    const size_t heap = heap_bytes(), library = library_bytes;
    for (int i = 0; i < IDLE; i++) {
        idle[i] = o->pair.client.session;
        o->pair.client.session = NULL;
        run_ours(o);
        exchange(&o->pair);
    }
    printf("%-32s %9zu %9zu\n", what, (heap_bytes() - heap) / IDLE,
           (library_bytes - library) / IDLE);
    for (int i = 0; i < IDLE; i++)
        tls_session_free(idle[i]);
}

static void measure_memory(void)
{
    struct pki pki = make_pki(TESTPKI_P256);

    printf("\nheap of an idle client, bytes    %9s %9s\n", "all", "mbedTLS");
    for (enum tls_versions v = TLS_1_2_ONLY; v <= TLS_1_3_ONLY; v++) {
        struct ours o;
        init_ours(&o, &pki, v, false);
        measure_idle(v == TLS_1_2_ONLY ? "TLS 1.2, keeps two certificates"
                                       : "TLS 1.3, keeps two certificates",
                     &o);
        free_ours(&o);
    }
    free_pki(&pki);
}

int main(void)
{
    (void)mbedtls_platform_set_calloc_free(counting_calloc, counting_free);
    tlswire_global_init();
    measure_handshakes();
    measure_memory();
    tls_global_free();
    return 0;
}
