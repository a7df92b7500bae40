/* Pushes: all of it counts or nothing, what is the same costs nothing, and who comes waits. */
#include "tools/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/command.h"
#include "scenario/provlab.h"
#include "sys/store.h"

#define DELETE_ALL "static.trusted_certificates.delete = http://localhost/all\n"

#define TLS(x) "account." #x ".sip_server.1.transport_type = 2\n"

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

/* Certificates, a deletion, an identity and a setting. */
static char *large_push(void)
{
    char *a = provlab_trust_line(statedir_ca("CN=A")), *b = provlab_trust_line(statedir_ca("CN=B"));
    char *identity = provlab_identity_line("CN=phone");
    char *lines;
    assert_true(asprintf(&lines, DELETE_ALL "%s%s%saccount.1.label = Alice\n", a, b, identity) > 0);
    free(a);
    free(b);
    free(identity);
    return lines;
}

static void install_old(void)
{
    char *old = provlab_trust_line(statedir_ca("CN=Old"));
    assert_int_equal(PROVISION_APPLIED, provlab_apply(w, "old.cfg", old)->outcome);
    assert_string_equal("ca.old.pem ", statedir_files(&w->dir));
    free(old);
}

static void test_all_of_it(void **state)
{
    char *lines = large_push();
    (void)state;
    install_old();
    const struct provision_report *r = provlab_apply(w, "corp.cfg", lines);
    assert_int_equal(PROVISION_APPLIED, r->outcome);
    assert_string_equal("1 setting changed, 2 trusted certificates added, 1 trusted certificate "
                        "removed, another server certificate",
                        r->sentence);
    assert_int_equal(2, provlab_custom(w));
    assert_string_equal("Alice", provlab_text(w, "account.X.label", 1, 0));
    assert_int_equal(IDENTITY_CUSTOM, credentials_source(w->dir.credentials));
    assert_string_equal("ca.corp-2.pem ca.corp.pem common.cfg identity.pem ",
                        statedir_files(&w->dir));
    assert_int_equal(2, r->trusted_added);
    assert_int_equal(1, r->trusted_removed);
    assert_true(r->identity);
    assert_int_equal(1, r->changed_count);
    assert_string_equal("account.1.label", r->changed[0]);
    assert_int_equal(2, r->generation);
    assert_int_equal(4, r->items_count); /* the commands */
    assert_null(provision_report_fault(r));
    assert_int_equal(1, r->records_count);
    assert_string_equal("corp.cfg", r->records[0].name);
    assert_int_equal(1, w->applied);
    assert_int_equal(2, w->applied_custom); /* certificates counted when settings did */
    free(lines);
}

static void test_it_is_there_after_a_start(void **state)
{
    char *lines = large_push();
    (void)state;
    (void)provlab_apply(w, "corp.cfg", lines);
    provlab_restart(w);
    assert_int_equal(2, provlab_custom(w));
    assert_string_equal("Alice", provlab_text(w, "account.X.label", 1, 0));
    assert_int_equal(PROVISION_APPLIED, provision_last(w->engine)->outcome);
    assert_int_equal(1, provision_last(w->engine)->id);
    assert_int_equal(2, provlab_push(w, "corp.cfg", lines));
    sim_advance(w->sim, 1);
    free(lines);
}

/* Each of these, behind all that is good, and nothing has changed. */
static void test_a_bad_line_among_good_ones(void **state)
{
    static const struct {
        const char *line;
        const char *sentence;
    } cases[] = {
        {"account.1.enable = maybe\n", "account.1.enable"},
        {TLS(1) "account.1.enable = 1\n", "account 1 has no user name"},
        {"static.trusted_certificates.url = data:,nothing\n", "no certificate"},
        {"static.server_certificates.url = data:,nothing\n", "no certificate"},
        {"static.trusted_certificates.url = ftp://example.com/a.pem\n", "https"},
        {"static.trusted_certificates.delete = http://example.com/all\n", "localhost"},
        {"no setting at all\n", "="},
    };
    char *good = large_push();
    (void)state;
    install_old();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *lines;
        assert_true(asprintf(&lines, "%s%s", good, cases[i].line) > 0);
        const struct provision_report *r = provlab_apply(w, "corp.cfg", lines);
        assert_int_equal(PROVISION_REFUSED, r->outcome);
        if (strstr(r->sentence, cases[i].sentence) == NULL)
            fail_msg("'%s' is not in '%s'", cases[i].sentence, r->sentence);
        assert_int_equal(1, provision_report_faults(r));
        assert_int_equal(1, provlab_custom(w));
        assert_string_equal("", provlab_text(w, "account.X.label", 1, 0));
        assert_string_equal("ca.old.pem ", statedir_files(&w->dir));
        assert_int_equal(0, w->applied);
        free(lines);
    }
    free(good);
}

static void test_a_bad_file_among_good_ones(void **state)
{
    static const char *const bad[] = {"account.1.label = x\n", "", "#!version:1.0.0.0\n",
                                      "-----BEGIN CERTIFICATE-----\n"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct provision_file files[] = {
            {"good.cfg", SLICE_LIT(PROVLAB_HEAD "account.1.label = x\n")},
            {"bad.cfg", slice_of_str(bad[i])},
            {"better.cfg", SLICE_LIT(PROVLAB_HEAD "account.2.label = y\n")},
        };
        const struct provision_report *r = provlab_run(
            w, &(struct provision_request){.cause = PROVISION_PUSH, .files = files, .count = 3});
        assert_int_equal(PROVISION_REFUSED, r->outcome);
        assert_string_equal("bad.cfg", provision_report_fault(r)->file);
        assert_int_equal(PROVISION_FILE_REFUSED, r->records[1].fate);
        assert_string_equal("", provlab_text(w, "account.X.label", 2, 0));
    }
}

static void test_all_that_is_wrong_is_told(void **state)
{
    (void)state;
    const struct provision_report *r =
        provlab_apply(w, "corp.cfg",
                      "account.1.enable = 2\nmystery.key = 1\n"
                      "static.trusted_certificates.url = data:,no\naccount.2.enable = 7\n");
    assert_int_equal(PROVISION_REFUSED, r->outcome);
    assert_int_equal(3, provision_report_faults(r));
    assert_int_equal(4, r->items_count);
    assert_string_equal("mystery.key", r->items[1].subject);
    assert_true(r->items[1].ok);
    assert_int_equal(3, r->items[1].line);
    assert_non_null(strstr(r->sentence, "corp.cfg:2: "));
    assert_non_null(strstr(r->sentence, "(and 2 more)"));
    assert_int_equal(PROVISION_TRUSTED, r->items[3].what);
}

/* Nothing on flash has been touched. */
static void test_the_same_again_costs_nothing(void **state)
{
    char *lines = large_push();
    (void)state;
    (void)provlab_apply(w, "corp.cfg", lines);
    char *before = provlab_flash(w);
    const int changes = w->dir.changes;
    for (int i = 0; i < 3; i++) {
        const struct provision_report *r = provlab_apply(w, "corp.cfg", lines);
        assert_int_equal(PROVISION_UNCHANGED, r->outcome);
        char *after = provlab_flash(w);
        assert_string_equal(before, after);
        free(after);
    }
    assert_int_equal(1, w->applied);
    assert_int_equal(changes, w->dir.changes);
    free(before);
    free(lines);
}

static void test_a_check_changes_nothing(void **state)
{
    char *lines = large_push();
    struct provision_request request = provlab_request("corp.cfg", lines);
    (void)state;
    char *before = provlab_flash(w);
    request.check = true;
    request.trial_s = 60;
    const struct provision_report *r = provlab_run(w, &request);
    assert_int_equal(PROVISION_CHECKED, r->outcome);
    assert_int_equal(2, r->trusted_added);
    assert_string_equal("account.1.label", r->changed[0]);
    assert_int_equal(0, provlab_custom(w));
    char *after = provlab_flash(w);
    assert_string_equal(before, after);
    free(before);
    free(after);
    free(lines);
}

static void test_layers(void **state)
{
    (void)state;
    (void)provlab_apply(w, PROVLAB_MAC ".cfg", "account.1.label = mine\n");
    (void)provlab_apply(w, "00-15-65-12-34-56.CFG", "account.2.label = mine\n");
    (void)provlab_apply(w, "corp.cfg", "account.1.label = all\naccount.3.label = all\n");
    assert_string_equal("mine", provlab_text(w, "account.X.label", 1, 0));
    assert_string_equal("mine", provlab_text(w, "account.X.label", 2, 0));
    assert_string_equal("all", provlab_text(w, "account.X.label", 3, 0));
    assert_string_equal("common.cfg phone.cfg ", statedir_files(&w->dir));
    (void)provlab_apply(w, "other.cfg", "account.3.label = %NULL%\n"); /* the rest stays */
    assert_string_equal("", provlab_text(w, "account.X.label", 3, 0));
    assert_string_equal("mine", provlab_text(w, "account.X.label", 1, 0));
    const struct provision_report *r =
        provlab_apply(w, "001565000001.cfg", "account.1.label = theirs\n");
    assert_int_equal(PROVISION_REFUSED, r->outcome);
    assert_non_null(strstr(r->sentence, "is for the phone 001565000001"));
}

static void test_deleting_what_is_not_there(void **state)
{
    (void)state;
    install_old();
    static const char lines[] = "static.trusted_certificates.delete = http://localhost/old.pem\n"
                                "static.trusted_certificates.delete = http://localhost/nobody\n"
                                "static.server_certificates.delete = http://localhost/all\n";
    assert_int_equal(PROVISION_APPLIED, provlab_apply(w, "corp.cfg", lines)->outcome);
    assert_int_equal(0, provlab_custom(w));
    assert_int_equal(PROVISION_UNCHANGED, provlab_apply(w, "corp.cfg", lines)->outcome);
}

/* The fault was there before: it is told, and is not this push's. */
static void test_an_account_that_was_broken_before(void **state)
{
    (void)state;
    provlab_free(w);
    w = provlab_new(NULL, TLS(2) "account.2.enable = 1\n");
    const struct provision_report *r = provlab_apply(w, "corp.cfg", "account.1.label = x\n");
    assert_int_equal(PROVISION_APPLIED, r->outcome);
    assert_int_equal(PROVISION_ACCOUNT, r->items[0].what);
    assert_true(r->items[0].ok);
    assert_string_equal("2", r->items[0].subject);
}

static void test_a_queue(void **state)
{
    struct errinfo e = ERRINFO_INIT;
    (void)state;
    for (int i = 0; i < LIMIT_PROVISION_QUEUE; i++) {
        char line[64];
        (void)snprintf(line, sizeof line, "account.%d.label = %d\naccount.16.label = %d\n", i + 1,
                       i, i);
        assert_int_equal(i + 1, provlab_push(w, "corp.cfg", line));
    }
    const struct provision_request ninth = provlab_request("corp.cfg", "account.9.label = x\n");
    assert_int_equal(0, provlab_begin(w, &ninth, &e));
    assert_int_equal(ERR_BUSY, e.code);
    assert_true(provision_is_busy(w->engine));
    sim_advance(w->sim, 10);
    assert_false(provision_is_busy(w->engine));
    assert_int_equal(LIMIT_PROVISION_QUEUE, w->ended_count);
    for (size_t i = 0; i < LIMIT_PROVISION_QUEUE; i++) {
        assert_int_equal(i + 1, w->ended[i].id);
        assert_int_equal(PROVISION_APPLIED, w->ended[i].outcome);
    }
    assert_string_equal("7", provlab_text(w, "account.X.label", 16, 0));
    assert_int_equal(9, provlab_push(w, "corp.cfg", "account.9.label = x\n"));
    sim_advance(w->sim, 10);
}

static void test_files_that_wait_are_bounded(void **state)
{
    static char text[LIMIT_SETTINGS_BYTES];
    struct provision_file files[LIMIT_PROVISION_FILES];
    struct provision_request r = {.cause = PROVISION_PUSH, .files = files};
    struct errinfo e = ERRINFO_INIT;
    (void)state;
    memset(text, '\n', sizeof text);
    memcpy(text, PROVLAB_HEAD, sizeof PROVLAB_HEAD - 1);
    for (size_t i = 0; i < LIMIT_PROVISION_FILES; i++)
        files[i] = (struct provision_file){"large.cfg", slice_of(text, sizeof text)};
    r.count = LIMIT_PROVISION_FILES;
    assert_int_equal(1, provlab_begin(w, &r, &e));
    assert_int_equal(2, provlab_begin(w, &r, &e));
    assert_int_equal(0, provlab_begin(w, &r, &e));
    assert_int_equal(ERR_BUSY, e.code);
    sim_advance(w->sim, 10);
    assert_int_equal(PROVISION_UNCHANGED, provlab_last(w)->outcome);
}

static void test_requests_that_make_no_sense(void **state)
{
    struct provision_request r = provlab_request("corp.cfg", "");
    struct errinfo e = ERRINFO_INIT;
    (void)state;
    r.trial_s = LIMIT_TRIAL_MIN_S - 1;
    assert_int_equal(0, provlab_begin(w, &r, &e));
    assert_int_equal(ERR_INVALID, e.code);
    r.trial_s = LIMIT_TRIAL_MAX_S + 1;
    assert_int_equal(0, provlab_begin(w, &r, &e));
    r.trial_s = 0;
    r.count = 0;
    assert_int_equal(0, provlab_begin(w, &r, &e));
    r = provlab_request("", "");
    assert_int_equal(0, provlab_begin(w, &r, &e));
    errinfo_clear(&e);
    r = (struct provision_request){.cause = PROVISION_ASKED};
    assert_int_equal(0, provlab_begin(w, &r, &e));
    assert_int_equal(ERR_STATE, e.code);
    assert_non_null(strstr(e.text, "static.auto_provision.server.url"));
}

/* No room on flash, or something in the way. */
static void test_what_cannot_be_written(void **state)
{
    char *lines = large_push();
    (void)state;
    assert_true(is_ok(
        store_write(statedir_path(&w->dir, "generations"), 0600, SLICE_LIT("in the way"), NULL)));
    const struct provision_report *r = provlab_apply(w, "corp.cfg", lines);
    assert_int_equal(PROVISION_FAILED, r->outcome);
    assert_true(r->code != ERR_OK);
    assert_int_equal(0, provlab_custom(w));
    assert_string_equal("", provlab_text(w, "account.X.label", 1, 0));
    assert_int_equal(0, w->applied);
    assert_int_equal(0, unlink(statedir_path(&w->dir, "generations")));
    assert_int_equal(PROVISION_APPLIED, provlab_apply(w, "corp.cfg", lines)->outcome);
    free(lines);
}

/* Failing every hour for the same reason is written once. */
static void test_a_failure_is_kept_once(void **state)
{
    (void)state;
    (void)provlab_apply(w, "corp.cfg", "account.1.enable = 2\n");
    char *before = provlab_flash(w);
    (void)provlab_apply(w, "corp.cfg", "account.1.enable = 2\n");
    char *after = provlab_flash(w);
    assert_string_equal(before, after);
    free(after);
    (void)provlab_apply(w, "corp.cfg", "account.2.enable = 2\n");
    after = provlab_flash(w);
    assert_string_not_equal(before, after);
    free(before);
    free(after);
    provlab_restart(w);
    assert_int_equal(PROVISION_REFUSED, provision_last(w->engine)->outcome);
    assert_non_null(strstr(provision_last(w->engine)->sentence, "account.2.enable"));
}

static const struct provision_report *set(const char *key, const char *value, bool force,
                                          enum err *code)
{
    const struct provision_report *r = NULL;
    struct settings *changes;
    struct errinfo e = ERRINFO_INIT;
    assert_true(is_ok(settings_new(&changes)));
    assert_true(is_ok(settings_set(changes, key, slice_of_str(value), NULL)));
    *code = provision_set_local(w->engine, changes, NULL, 0, force, &r, &e).code;
    settings_free(changes);
    return r;
}

static void test_settings_of_the_phone_itself(void **state)
{
    static const char *const label[] = {"account.1.label"}, *const nonsense[] = {"mystery"};
    const struct provision_report *r;
    enum err code;
    (void)state;
    (void)provlab_apply(w, PROVLAB_MAC ".cfg", "account.1.label = provisioned\n");
    r = set("account.1.label", "local", false, &code);
    assert_int_equal(ERR_OK, code);
    assert_int_equal(PROVISION_APPLIED, r->outcome);
    assert_int_equal(PROVISION_LOCAL, r->cause);
    assert_string_equal("local", provlab_text(w, "account.X.label", 1, 0));
    (void)provlab_apply(w, PROVLAB_MAC ".cfg", "account.1.label = again\n"); /* stays hidden */
    assert_string_equal("local", provlab_text(w, "account.X.label", 1, 0));
    r = set("account.1.label", "local", false, &code);
    assert_int_equal(PROVISION_UNCHANGED, r->outcome);
    assert_int_equal(ERR_OK, code);
    (void)provlab_apply(w, "corp.cfg", TLS(1));
    r = set("account.1.enable", "1", false, &code); /* it has no user name */
    assert_int_equal(PROVISION_REFUSED, r->outcome);
    assert_int_equal(ERR_INVALID, code);
    assert_true(is_ok(provision_set_local(w->engine, NULL, label, 1, false, &r, NULL)));
    assert_string_equal("again", provlab_text(w, "account.X.label", 1, 0));
    const size_t ended = w->ended_count;
    assert_int_equal(ERR_NOT_FOUND,
                     provision_set_local(w->engine, NULL, nonsense, 1, false, &r, NULL).code);
    assert_int_equal(ended, w->ended_count);
}

static void test_no_secret_is_told(void **state)
{
    struct buf text;
    (void)state;
    (void)provlab_apply(w, "corp.cfg",
                        "account.1.password = s3cret\naccount.2.password = s3cret\x01\n"
                        "static.trusted_certificates.url = https://joe:s3cret@h.example/?s3cret\n"
                        "static.server_certificates.url = data:,s3cret\n");
    buf_init(&text, LIMIT_RPC_BACKLOG);
    assert_true(is_ok(provision_report_write(provlab_last(w), &text, NULL)));
    assert_null(strstr(buf_str(&text), "s3cret"));
    assert_non_null(strstr(buf_str(&text), "account.2.password"));
    buf_free(&text);
}

/* The commands of the files that the phone starts with. */
static void test_commands_at_the_start(void **state)
{
    char *line = provlab_trust_line(statedir_ca("CN=A"));
    struct commands commands = {0};
    (void)state;
    line[strlen(line) - 1] = '\0';
    assert_true(is_ok(commands_add(&commands, COMMAND_TRUST_URL, "base.cfg", 7,
                                   slice_of_str(strstr(line, "data:")), NULL)));
    const struct provision_request r = {.cause = PROVISION_START, .commands = &commands};
    const struct provision_report *report = provlab_run(w, &r);
    assert_int_equal(PROVISION_APPLIED, report->outcome);
    assert_string_equal("base.cfg", report->items[0].file);
    assert_int_equal(7, report->items[0].line);
    assert_string_equal("ca.base.pem ", statedir_files(&w->dir));
    assert_int_equal(PROVISION_UNCHANGED, provlab_run(w, &r)->outcome);
    commands_clear(&commands);
    free(line);
}

static void test_the_base_changes(void **state)
{
    (void)state;
    (void)provlab_apply(w, "corp.cfg", "account.1.label = pushed\n");
    assert_true(is_ok(settings_set(w->base, "account.2.label", SLICE_LIT("based"), NULL)));
    assert_true(is_ok(settings_set(w->base, "account.1.label", SLICE_LIT("based"), NULL)));
    const unsigned applied = w->applied;
    assert_true(is_ok(provision_reload(w->engine, NULL)));
    assert_int_equal(applied + 1, w->applied);
    assert_string_equal("pushed", provlab_text(w, "account.X.label", 1, 0));
    assert_string_equal("based", provlab_text(w, "account.X.label", 2, 0));
    assert_true(is_ok(provision_reload(w->engine, NULL)));
    assert_int_equal(applied + 1, w->applied);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_all_of_it),
        TEST(test_it_is_there_after_a_start),
        TEST(test_a_bad_line_among_good_ones),
        TEST(test_a_bad_file_among_good_ones),
        TEST(test_all_that_is_wrong_is_told),
        TEST(test_the_same_again_costs_nothing),
        TEST(test_a_check_changes_nothing),
        TEST(test_layers),
        TEST(test_deleting_what_is_not_there),
        TEST(test_an_account_that_was_broken_before),
        TEST(test_a_queue),
        TEST(test_files_that_wait_are_bounded),
        TEST(test_requests_that_make_no_sense),
        TEST(test_what_cannot_be_written),
        TEST(test_a_failure_is_kept_once),
        TEST(test_settings_of_the_phone_itself),
        TEST(test_no_secret_is_told),
        TEST(test_commands_at_the_start),
        TEST(test_the_base_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
