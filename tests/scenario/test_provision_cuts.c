/* What a crash at any step of a run leaves behind, and what calls that fail do: the old or the new,
 * settings and certificates together. */
#include "tools/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "scenario/provlab.h"
#include "tools/killing.h"

#define DELETE_ALL "static.trusted_certificates.delete = http://localhost/all\n"

static struct provlab *w;
static char *lines[2]; /* of the old push, and of the new one */

/* A deletion, CAs, a setting, and where a test can bear the time that it takes, an identity. */
static char *lines_for(const char *name, bool with_identity)
{
    char subject[3][32], *all;
    for (int i = 0; i < 3; i++)
        (void)snprintf(subject[i], sizeof subject[i], "CN=%s %d", name, i);
    char *a = provlab_trust_line(statedir_ca(subject[0])),
         *b = provlab_trust_line(statedir_ca(subject[1])),
         *identity = with_identity ? provlab_identity_line(subject[2]) : NULL;
    assert_true(asprintf(&all, DELETE_ALL "%s%s%saccount.1.label = %s\n", a, b,
                         identity != NULL ? identity : "", name) > 0);
    free(a);
    free(b);
    free(identity);
    return all;
}

static void begin(bool with_identity)
{
    w = provlab_new(NULL, NULL);
    lines[0] = lines_for("old", with_identity);
    lines[1] = lines_for("new", with_identity);
    assert_int_equal(PROVISION_APPLIED, provlab_apply(w, "corp.cfg", lines[0])->outcome);
}

static int set_up(void **state)
{
    (void)state;
    begin(false);
    return 0;
}

static int set_up_with_identity(void **state)
{
    (void)state;
    begin(true);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    provlab_free(w);
    free(lines[0]);
    free(lines[1]);
    return 0;
}

static bool is_of(const struct cert *c, const char *name)
{
    char label[96];
    cert_label(c, label, sizeof label);
    return strncmp(label, name, strlen(name)) == 0;
}

static bool count_name(void *arg, const struct trust_anchor *a)
{
    size_t *counts = arg;
    counts[0] += is_of(a->cert, "old");
    counts[1] += is_of(a->cert, "new");
    return true;
}

/* 0: the old, 1: the new; anything else fails the test. */
static int what_counts(void)
{
    size_t counts[2] = {0, 0};
    const struct identity *id = credentials_identity(w->dir.credentials);
    const char *label = provlab_text(w, "account.X.label", 1, 0);
    trust_each(credentials_trust(w->dir.credentials), TRUST_CUSTOM, count_name, counts);
    const int now = strcmp(label, "new") == 0;
    assert_string_equal(now ? "new" : "old", label);
    assert_true(id == NULL || is_of(identity_leaf(id), label));
    assert_int_equal(2, counts[now]);
    assert_int_equal(0, counts[!now]);
    assert_int_equal(0, credentials_complaints(w->dir.credentials)->count);
    assert_int_equal(0, provision_complaints(w->engine)->count);
    return now;
}

static int push_new(void *arg)
{
    (void)arg;
    return provlab_apply(w, "corp.cfg", lines[1])->outcome == PROVISION_APPLIED ? 0 : 1;
}

/* Back to the old, whatever it is. */
static void push_old(void)
{
    const enum provision_outcome outcome = provlab_apply(w, "corp.cfg", lines[0])->outcome;
    assert_true(outcome == PROVISION_APPLIED || outcome == PROVISION_UNCHANGED);
}

static void test_killed_at_every_step(void **state)
{
    unsigned seen[2] = {0, 0}, n = 0;
    bool killed = true;
    (void)state;
    if (!killing_is_possible())
        skip();
    while (killed) {
        killed = killing_before_change(push_new, NULL, ++n);
        provlab_restart(w);
        seen[what_counts()]++;
        if (!killed)
            break;
        push_old();
    }
    assert_int_equal(1, what_counts());
    assert_true(seen[0] > 1);
    assert_true(seen[1] > 1); /* also killed after it had counted */
    print_message(
        "killed before each of %u calls that change files: %u times the old, %u the new\n", n - 1,
        seen[0], seen[1]);
}

static const struct provision_report *try_new(void)
{
    struct provision_request r = provlab_request("corp.cfg", lines[1]);
    r.trial_s = 60;
    return provlab_run(w, &r);
}

static int push_on_trial(void *arg)
{
    (void)arg;
    return try_new()->outcome == PROVISION_TRIAL ? 0 : 1;
}

/* What is on trial does not survive, at whatever step. */
static void test_a_trial_killed_at_every_step(void **state)
{
    unsigned n = 0;
    (void)state;
    if (!killing_is_possible())
        skip();
    while (killing_before_change(push_on_trial, NULL, ++n)) {
        provlab_restart(w);
        assert_int_equal(0, what_counts());
        assert_null(strstr(statedir_files(&w->dir), "trial "));
        sim_advance(w->sim, 10); /* it tells what it has to tell */
        assert_false(provision_in_trial(w->engine));
    }
}

static int confirm(void *arg)
{
    (void)arg;
    return is_ok(provision_confirm(w->engine, NULL)) ? 0 : 1;
}

static int roll_back(void *arg)
{
    (void)arg;
    return is_ok(provision_roll_back(w->engine, NULL)) ? 0 : 1;
}

/* The trial's end is told rightly, whether it was killed before, in or after its commit. */
static void test_the_end_of_a_trial_killed_at_every_step(void **state)
{
    (void)state;
    if (!killing_is_possible())
        skip();
    for (int way = 0; way < 2; way++) {
        unsigned kept = 0, n = 0;
        bool killed = true;
        while (killed) {
            const uint64_t id = try_new()->id;
            killed = killing_before_change(way == 0 ? confirm : roll_back, NULL, ++n);
            provlab_restart(w);
            sim_advance(w->sim, 10);
            const int now = what_counts();
            kept += (unsigned)now;
            const struct provision_report *last = provision_last(w->engine);
            assert_int_equal(id, last->id);
            assert_int_equal(now ? PROVISION_KEPT : PROVISION_ROLLED_BACK, last->outcome);
            push_old();
        }
        print_message("the end of a trial: %u steps, kept after %u\n", n - 1, kept);
        assert_true(way == 0 ? kept > 1 : kept == 0);
    }
}

/* --- calls that fail --- */

static int fail_to_push(void *arg)
{
    (void)arg;
    w->applied = 0;
    const enum provision_outcome outcome = provlab_apply(w, "corp.cfg", lines[1])->outcome;
    const bool untouched =
        w->applied == 0 && strcmp(provlab_text(w, "account.X.label", 1, 0), "old") == 0;
    return outcome == PROVISION_FAILED && untouched ? 1 : 0;
}

static void test_a_full_disk_and_other_failures(void **state)
{
    static const struct {
        long call;
        int error;
    } cases[] = {{SYS_mkdirat, ENOSPC}, {SYS_mkdirat, EROFS}, {SYS_openat, EMFILE},
                 {SYS_write, ENOSPC},   {SYS_write, EDQUOT},  {SYS_fsync, EIO},
                 {SYS_renameat, ENOSPC}};
    (void)state;
    if (!killing_is_possible())
        skip();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(
            1, killing_with_failing_call(fail_to_push, NULL, cases[i].call, cases[i].error));
        provlab_restart(w);
        assert_int_equal(0, what_counts());
    }
    assert_int_equal(PROVISION_APPLIED, provlab_apply(w, "corp.cfg", lines[1])->outcome);
    assert_int_equal(1, what_counts());
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_killed_at_every_step, set_up_with_identity, tear_down),
        TEST(test_a_trial_killed_at_every_step),
        TEST(test_the_end_of_a_trial_killed_at_every_step),
        TEST(test_a_full_disk_and_other_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
