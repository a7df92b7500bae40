/* A thousand runs, good ones and bad ones, leave nothing in memory. */
#include "tools/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "scenario/provlab.h"
#include "tools/heap.h"

#define DELETE_ALL "static.trusted_certificates.delete = http://localhost/all\n"
#define RUNS       (42 * PROVLAB_MAX) /* over a thousand; the lab keeps the reports of the last ones */

static struct provlab *w;

static int set_up(void **state)
{
    (void)state;
    w = provlab_new(NULL, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    provlab_free(w);
    return 0;
}

/* One of two certificates instead of the other, and a setting. */
static char *lines_for(const char *name)
{
    char subject[32], *lines;
    (void)snprintf(subject, sizeof subject, "CN=%s", name);
    char *ca = provlab_trust_line(statedir_ca(subject));
    assert_true(asprintf(&lines, DELETE_ALL "%saccount.1.label = %s\n", ca, name) > 0);
    free(ca);
    return lines;
}

static void test_a_thousand_runs(void **state)
{
    size_t before = 0;
    (void)state;
    SKIP_UNDER_VALGRIND(); /* it takes too long there, and knows no heap */
    char *lines[2] = {lines_for("one"), lines_for("other")};
    for (int i = 0; i < RUNS; i++) {
        if (i == 2 * PROVLAB_MAX)
            before = heap_bytes();
        const struct provision_report *r = provlab_apply(w, "corp.cfg", lines[i % 2]);
        assert_int_equal(PROVISION_APPLIED, r->outcome);
    }
    if (before != 0)
        assert_int_equal(before, heap_bytes());
    free(lines[0]);
    free(lines[1]);
}

static void test_a_thousand_runs_that_fail(void **state)
{
    static const char *const bad[] = {"account.1.enable = 2\n", DELETE_ALL "nonsense\n",
                                      "static.trusted_certificates.url = data:,x\n"};
    size_t before = 0;
    (void)state;
    SKIP_UNDER_VALGRIND(); /* it takes too long there, and knows no heap */
    for (int i = 0; i < RUNS; i++) {
        if (i == 2 * PROVLAB_MAX)
            before = heap_bytes();
        const struct provision_report *r = provlab_apply(w, "corp.cfg", bad[i % 3]);
        assert_int_equal(PROVISION_REFUSED, r->outcome);
    }
    if (before != 0)
        assert_int_equal(before, heap_bytes());
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_thousand_runs),
        TEST(test_a_thousand_runs_that_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
