#include "pki/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "pki/dn.h"
#include "pki/pubkey.h"
#include "tools/testpki.h"
#include "tools/unit.h"

#define BUILTIN_COUNT 76

static struct trust *trust_of(const struct testpki_cert *const *certs, size_t n)
{
    struct trust_custom custom[LIMIT_CUSTOM_CAS];
    struct errinfo e = ERRINFO_INIT;
    struct trust *t = NULL;
    char names[LIMIT_CUSTOM_CAS][32];

    for (size_t i = 0; i < n; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "%zu.pem", i);
        custom[i] = (struct trust_custom){names[i], testpki_der(certs[i])};
    }
    if (is_err(trust_new(custom, n, NULL, NULL, &t, &e)))
        fail_msg("%s", e.text);
    return t;
}

/* What a look-up visits: for each the letter of its source and, of custom ones, its name's digit:
 * "c0 b c1". */
struct visited {
    char text[64];
    size_t n, stop_at; /* 0: never */
    struct cert *kept; /* the last one, with a reference */
};

static bool note(void *arg, const struct trust_anchor *a)
{
    struct visited *v = arg;
    size_t used = strlen(v->text);

    if (a->source == TRUST_SOURCE_CUSTOM)
        (void)snprintf(v->text + used, sizeof(v->text) - used, "c%c ", a->name[0]);
    else
        (void)snprintf(v->text + used, sizeof(v->text) - used, "b ");
    cert_unref(v->kept);
    v->kept = cert_ref(a->cert);
    return ++v->n != v->stop_at;
}

/* --- built in --- */

struct list {
    struct cert *certs[BUILTIN_COUNT + LIMIT_CUSTOM_CAS];
    const char *names[BUILTIN_COUNT + LIMIT_CUSTOM_CAS];
    size_t n;
};

static bool collect(void *arg, const struct trust_anchor *a)
{
    struct list *list = arg;

    list->names[list->n] = a->name;
    list->certs[list->n++] = cert_ref(a->cert);
    return true;
}

static void list_free(struct list *list)
{
    for (size_t i = 0; i < list->n; i++)
        cert_unref(list->certs[i]);
}

static void test_builtin_set(void **state)
{
    struct trust *t = trust_of(NULL, 0);
    struct list list = {.n = 0};
    (void)state;

    assert_int_equal(BUILTIN_COUNT, trust_count(t, TRUST_DEFAULT));
    trust_each(t, TRUST_DEFAULT, collect, &list);
    assert_int_equal(BUILTIN_COUNT, list.n);
    for (size_t i = 0; i < list.n; i++) {
        const struct certfields *c = cert_fields(list.certs[i]);

        assert_true(c->is_ca);
        assert_true(sig_check(c->algorithm, c->tbs, c->signature, c->key));
        if (i > 0) /* by operator */
            assert_true(strcmp(list.names[i - 1], list.names[i]) <= 0);
    }
    assert_string_equal("Actalis", list.names[0]);
    assert_true(strlen(trust_builtin_version()) > 0);
    list_free(&list);
    trust_unref(t);
}

/* Every one is found by its own name and key, and by its very bytes. */
static void test_each_builtin_is_found(void **state)
{
    struct trust *t = trust_of(NULL, 0);
    struct list list = {.n = 0};
    (void)state;

    trust_each(t, TRUST_DEFAULT, collect, &list);
    for (size_t i = 0; i < list.n; i++) {
        struct visited by_name = {.stop_at = 1}, exact = {.n = 0};
        struct cert *c = list.certs[i];

        trust_find(t, TRUST_DEFAULT, cert_subject(c), cert_subject_key_id(c), note, &by_name);
        assert_int_equal(1, by_name.n);
        assert_true(slice_eq(cert_der(c), cert_der(by_name.kept)));
        assert_true(trust_find_exact(t, TRUST_DEFAULT, cert_der(c), note, &exact));
        assert_true(slice_eq(cert_der(c), cert_der(exact.kept)));
        cert_unref(by_name.kept);
        cert_unref(exact.kept);
    }
    list_free(&list);
    trust_unref(t);
}

/* A name in other case and string type finds the same CA: the index is over the normal form. */
static void test_builtin_by_a_name_written_otherwise(void **state)
{
    struct trust *t = trust_of(NULL, 0);
    struct visited v = {.n = 0};
    size_t n;
    uint8_t *name =
        testpki_name_der("C=us,O=INTERNET  Security Research Group,CN=isrg root x1", &n);
    (void)state;

    trust_find(t, TRUST_DEFAULT, slice_of(name, n), SLICE_EMPTY, note, &v);
    assert_string_equal("b ", v.text);
    cert_unref(v.kept);
    free(name);
    trust_unref(t);
}

static void test_unknown_name_finds_nothing(void **state)
{
    struct trust *t = trust_of(NULL, 0);
    struct visited v = {.n = 0};
    size_t n;
    uint8_t *name = testpki_name_der("CN=Nobody", &n);
    (void)state;

    trust_find(t, TRUST_ALL, slice_of(name, n), SLICE_EMPTY, note, &v);
    trust_find(t, TRUST_ALL, SLICE_EMPTY, SLICE_EMPTY, note, &v);
    trust_find(t, TRUST_ALL, slice_of(name, n - 1), SLICE_EMPTY, note, &v);
    assert_int_equal(0, v.n);
    assert_false(trust_find_exact(t, TRUST_ALL, slice_of(name, n), note, &v));
    assert_false(trust_find_exact(t, TRUST_ALL, SLICE_EMPTY, note, &v));
    assert_int_equal(0, v.n);
    free(name);
    trust_unref(t);
}

/* --- custom --- */

static const struct testpki_cert *ca(const char *subject, unsigned key)
{
    return testpki_make(&(struct testpki_spec){.subject = subject, .ca = true, .key = key});
}

/* Stands in for a built-in CA: the same name, another key. */
static const struct testpki_cert *namesake_of_builtin(struct trust *t)
{
    struct visited v = {.stop_at = 1};
    const struct testpki_cert *made;

    trust_each(t, TRUST_DEFAULT, note, &v);
    made = testpki_make(
        &(struct testpki_spec){.subject_der = cert_subject(v.kept), .ca = true, .key = 1});
    cert_unref(v.kept);
    return made;
}

static void test_filter(void **state)
{
    static const struct {
        enum trust_filter filter;
        const char *visited;
        size_t count;
    } cases[] = {
        {TRUST_DEFAULT, "b ", BUILTIN_COUNT},
        {TRUST_CUSTOM, "c0 ", 1},
        {TRUST_ALL, "c0 b ", BUILTIN_COUNT + 1},
    };
    struct trust *empty = trust_of(NULL, 0);
    const struct testpki_cert *namesake = namesake_of_builtin(empty);
    struct trust *t = trust_of(&namesake, 1);
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct visited v = {.n = 0}, all = {.stop_at = 1}, exact = {.n = 0};
        bool custom = cases[i].filter != TRUST_DEFAULT;

        trust_find(t, cases[i].filter, testpki_name(namesake), SLICE_EMPTY, note, &v);
        assert_string_equal(cases[i].visited, v.text);
        assert_int_equal(cases[i].count, trust_count(t, cases[i].filter));
        trust_each(t, cases[i].filter, note, &all);
        assert_string_equal(custom ? "c0 " : "b ", all.text);
        assert_int_equal(custom,
                         trust_find_exact(t, cases[i].filter, testpki_der(namesake), note, &exact));
        assert_string_equal(custom ? "c0 " : "", exact.text);
        cert_unref(v.kept);
        cert_unref(all.kept);
        cert_unref(exact.kept);
    }
    trust_unref(t);
    trust_unref(empty);
}

static void test_same_key_id_comes_first(void **state)
{
    struct trust *empty = trust_of(NULL, 0);
    const struct testpki_cert *certs[3];
    struct visited builtin = {.stop_at = 1};
    struct trust *t;
    struct slice name;
    (void)state;

    certs[0] = namesake_of_builtin(empty);
    name = testpki_name(certs[0]);
    certs[1] = testpki_make(&(struct testpki_spec){.subject_der = name, .ca = true, .key = 2});
    certs[2] = testpki_make(&(struct testpki_spec){.subject_der = name, .key = 3, .no_ski = true});
    t = trust_of(certs, 3);
    trust_each(empty, TRUST_DEFAULT, note, &builtin);

    const struct {
        struct slice key_id;
        const char *visited;
    } cases[] = {
        {SLICE_EMPTY, "c0 c1 c2 b "},
        {testpki_key_id(certs[0]), "c0 c1 c2 b "},
        {testpki_key_id(certs[1]), "c1 c0 c2 b "},
        {cert_subject_key_id(builtin.kept), "b c0 c1 c2 "},
        {SLICE_LIT("unknown"), "c0 c1 c2 b "},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct visited v = {.n = 0};

        trust_find(t, TRUST_ALL, name, cases[i].key_id, note, &v);
        assert_string_equal(cases[i].visited, v.text);
        cert_unref(v.kept);
    }
    cert_unref(builtin.kept);
    trust_unref(t);
    trust_unref(empty);
}

static void test_a_visitor_can_stop(void **state)
{
    const struct testpki_cert *certs[] = {ca("CN=Same", 1), ca("CN=Same", 2), ca("CN=Same", 3)};
    struct trust *t = trust_of(certs, 3);
    (void)state;

    for (size_t stop = 1; stop <= 3; stop++) {
        struct visited found = {.stop_at = stop}, all = {.stop_at = stop};

        trust_find(t, TRUST_ALL, testpki_name(certs[0]), testpki_key_id(certs[1]), note, &found);
        assert_int_equal(stop, found.n);
        trust_each(t, TRUST_ALL, note, &all);
        assert_int_equal(stop, all.n);
        cert_unref(found.kept);
        cert_unref(all.kept);
    }
    trust_unref(t);
}

struct refusals {
    char text[256];
    size_t n;
};

static void note_refusal(void *arg, const char *name, const struct errinfo *why)
{
    struct refusals *r = arg;

    r->n++;
    (void)snprintf(r->text, sizeof(r->text), "%s: %.200s", name, why->text);
}

static void test_a_bad_one_does_not_take_the_others(void **state)
{
    const struct testpki_cert *good = ca("CN=Good", 1);
    struct trust_custom custom[] = {
        {"bad.pem", SLICE_LIT("no certificate")},
        {"good.pem", testpki_der(good)},
    };
    struct refusals refusals = {.n = 0};
    struct trust *t;
    (void)state;

    assert_true(is_ok(trust_new(custom, 2, note_refusal, &refusals, &t, NULL)));
    assert_int_equal(1, refusals.n);
    assert_non_null(strstr(refusals.text, "bad.pem: "));
    assert_int_equal(1, trust_count(t, TRUST_CUSTOM));
    trust_unref(t);
    assert_true(is_ok(trust_new(custom, 2, NULL, NULL, &t, NULL)));
    assert_int_equal(1, trust_count(t, TRUST_CUSTOM));
    trust_unref(t);
}

static void test_at_most_ten(void **state)
{
    struct trust_custom custom[LIMIT_CUSTOM_CAS + 1];
    const struct testpki_cert *one = ca("CN=One", 1);
    struct errinfo e = ERRINFO_INIT;
    struct trust *t = NULL;
    (void)state;

    for (size_t i = 0; i < COUNT_OF(custom); i++)
        custom[i] = (struct trust_custom){"a.pem", testpki_der(one)};
    assert_int_equal(ERR_LIMIT, trust_new(custom, COUNT_OF(custom), NULL, NULL, &t, &e).code);
    assert_null(t);
    assert_non_null(strstr(e.text, "10"));
    assert_true(is_ok(trust_new(custom, LIMIT_CUSTOM_CAS, NULL, NULL, &t, NULL)));
    assert_int_equal(LIMIT_CUSTOM_CAS, trust_count(t, TRUST_CUSTOM));
    trust_unref(t);
}

/* --- snapshots --- */

static void test_generations_are_never_used_twice(void **state)
{
    struct trust *a = trust_of(NULL, 0);
    uint64_t generation = trust_generation(a);
    struct trust *b;
    (void)state;

    trust_unref(a);
    b = trust_of(NULL, 0);
    assert_true(trust_generation(b) > generation);
    trust_unref(b);
}

static void test_a_snapshot_lives_as_long_as_its_last_reference(void **state)
{
    const struct testpki_cert *one = ca("CN=One", 1);
    struct trust *t = trust_of(&one, 1);
    struct visited v = {.n = 0};
    (void)state;

    assert_ptr_equal(t, trust_ref(t));
    trust_unref(t);
    trust_each(t, TRUST_CUSTOM, note, &v);
    trust_unref(t);
    trust_unref(NULL);
    assert_true(slice_eq(testpki_der(one), cert_der(v.kept))); /* and a cert, longer */
    cert_unref(v.kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_builtin_set),
        cmocka_unit_test(test_each_builtin_is_found),
        cmocka_unit_test(test_builtin_by_a_name_written_otherwise),
        cmocka_unit_test(test_unknown_name_finds_nothing),
        cmocka_unit_test(test_filter),
        cmocka_unit_test(test_same_key_id_comes_first),
        cmocka_unit_test(test_a_visitor_can_stop),
        cmocka_unit_test(test_a_bad_one_does_not_take_the_others),
        cmocka_unit_test(test_at_most_ten),
        cmocka_unit_test(test_generations_are_never_used_twice),
        cmocka_unit_test(test_a_snapshot_lives_as_long_as_its_last_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
