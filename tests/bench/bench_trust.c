/*
 * What the trust store costs: a look-up, of each kind, and the heap that a snapshot with ten custom
 * certificates takes beside the built-in ones. For comparison, the same list as mbedTLS keeps it.
 */
#include <malloc.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "pki/dn.h"
#include "pki/trust.h"
#include "tools/testpki.h"

#define SECONDS 0.3 /* for each figure */

static void must(bool done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "bench_trust: %s\n", what);
    exit(1);
}

static double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t heap_used(void)
{
    return mallinfo2().uordblks;
}

/* --- what is looked for --- */

struct subject {
    const struct trust *trust;
    struct slice name, key_id, der;
};

static bool count(void *arg, const struct trust_anchor *a)
{
    size_t *n = arg;

    (void)a;
    (*n)++;
    return true;
}

static bool keep_last(void *arg, const struct trust_anchor *a)
{
    struct cert **kept = arg;

    cert_unref(*kept);
    *kept = cert_ref(a->cert);
    return true;
}

static size_t find(const struct subject *s)
{
    size_t n = 0;

    trust_find(s->trust, TRUST_ALL, s->name, s->key_id, count, &n);
    return n;
}

static size_t find_exact(const struct subject *s)
{
    size_t n = 0;

    (void)trust_find_exact(s->trust, TRUST_ALL, s->der, count, &n);
    return n;
}

static size_t visit_all(const struct subject *s)
{
    size_t n = 0;

    trust_each(s->trust, TRUST_ALL, count, &n);
    return n;
}

static size_t hash(const struct subject *s)
{
    return dn_hash(s->name) != 0;
}

static void measure(const char *what, size_t (*f)(const struct subject *), const struct subject *s,
                    size_t expected)
{
    double begin = now_s(), passed;
    size_t rounds = 0;

    do {
        for (int i = 0; i < 100; i++)
            must(f(s) == expected, what);
        rounds += 100;
        passed = now_s() - begin;
    } while (passed < SECONDS);
    printf("%-40s %9.2f us\n", what, passed / (double)rounds * 1e6);
}

/* --- memory --- */

/* The custom ones; made once, as they stay allocated. */
static struct trust_custom custom_cas[LIMIT_CUSTOM_CAS];

static void make_custom_cas(void)
{
    for (size_t i = 0; i < LIMIT_CUSTOM_CAS; i++) {
        char subject[32];

        (void)snprintf(subject, sizeof(subject), "O=Custom,CN=CA %zu", i);
        custom_cas[i] = (struct trust_custom){
            "custom.pem",
            testpki_der(testpki_make(&(struct testpki_spec){.subject = subject, .ca = true}))};
    }
}

static struct trust *make_trust(size_t n)
{
    struct trust *t = NULL;

    must(is_ok(trust_new(custom_cas, n, NULL, NULL, &t, NULL)), "no trust store");
    return t;
}

static void measure_snapshot(const char *what, size_t custom)
{
    size_t before = heap_used();
    struct trust *t = make_trust(custom);

    printf("%-40s %9zu bytes\n", what, heap_used() - before);
    trust_unref(t);
}

static bool append(void *arg, const struct trust_anchor *a)
{
    struct slice der = cert_der(a->cert);

    must(mbedtls_x509_crt_parse_der(arg, der.p, der.n) == 0, "mbedTLS does not take it");
    return true;
}

static void measure_list(const struct trust *t)
{
    size_t before = heap_used();
    mbedtls_x509_crt list;

    mbedtls_x509_crt_init(&list);
    trust_each(t, TRUST_ALL, append, &list);
    printf("%-40s %9zu bytes\n", "heap of all as a list of mbedTLS's", heap_used() - before);
    mbedtls_x509_crt_free(&list);
}

int main(void)
{
    struct trust *t;
    struct cert *builtin = NULL;
    struct subject known, unknown = {.trust = NULL};
    uint8_t *name = testpki_name_der("O=Nobody,CN=Nobody's CA", &unknown.name.n);

    make_custom_cas();
    t = make_trust(LIMIT_CUSTOM_CAS);
    trust_each(t, TRUST_DEFAULT, keep_last, &builtin);
    known =
        (struct subject){t, cert_subject(builtin), cert_subject_key_id(builtin), cert_der(builtin)};
    unknown.trust = t;
    unknown.name.p = name;

    measure("hash of a name", hash, &known, 1);
    measure("find a built-in one", find, &known, 1);
    measure("find a built-in one by its bytes", find_exact, &known, 1);
    measure("find none", find, &unknown, 0);
    measure("visit all", visit_all, &known, trust_count(t, TRUST_ALL));
    measure_snapshot("heap of a snapshot", 0);
    measure_snapshot("heap of a snapshot with 10 custom ones", LIMIT_CUSTOM_CAS);
    measure_list(t);

    free(name);
    cert_unref(builtin);
    trust_unref(t);
    return 0;
}
