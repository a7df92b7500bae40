/* Fetches: what is asked of the server, what it says, and what comes of that. */
#include "tools/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/provlab.h"

#define COMMON PROVLAB_URL "common.cfg"
#define PHONE  PROVLAB_URL PROVLAB_MAC ".cfg"
#define CERT   PROVLAB_URL "certs/corp.pem"
#define ELSE   "https://elsewhere.example.com/corp?token=1"

static struct provlab *w;
static char *pem; /* of a CA */

static int set_up(void **state)
{
    (void)state;
    w = provlab_new(NULL, "static.auto_provision.server.url = " PROVLAB_URL "\n");
    pem = statedir_pem(statedir_ca("CN=A"));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    provlab_free(w);
    free(pem);
    return 0;
}

static void serve(const char *url, const char *text, const char *etag)
{
    provlab_serve(w, (struct provlab_served){.url = url, .text = text, .etag = etag});
}

static void serve_error(const char *url, enum err error, uint32_t retry_after_s)
{
    provlab_serve(
        w, (struct provlab_served){.url = url, .error = error, .retry_after_s = retry_after_s});
}

static void serve_good(void)
{
    serve(COMMON,
          PROVLAB_HEAD "account.1.label = all\naccount.2.label = all\n"
                       "static.trusted_certificates.url = " CERT "\n",
          "\"1\"");
    serve(PHONE, PROVLAB_HEAD "account.1.label = mine\n", "\"2\"");
    serve(CERT, pem, NULL);
}

static void test_two_files_and_a_certificate(void **state)
{
    (void)state;
    serve_good();
    const struct provision_report *r = provlab_fetch(w);
    assert_int_equal(PROVISION_APPLIED, r->outcome);
    assert_int_equal(PROVISION_ASKED, r->cause);
    assert_string_equal("mine", provlab_text(w, "account.X.label", 1, 0));
    assert_string_equal("all", provlab_text(w, "account.X.label", 2, 0));
    assert_string_equal("ca.corp.pem common.cfg phone.cfg ", statedir_files(&w->dir));
    assert_int_equal(3, w->asked_count);
    assert_string_equal(COMMON, w->asked[0].url);
    assert_string_equal(PHONE, w->asked[1].url);
    assert_string_equal(CERT, w->asked[2].url);
    assert_int_equal(3, r->records_count);
    assert_string_equal("common.cfg", r->records[0].name);
    assert_string_equal(PROVLAB_HOST, r->records[0].host);
    assert_string_equal("/phones/certs/corp.pem", r->records[2].name);
    assert_int_equal(strlen(pem), r->records[2].bytes);
}

static void test_a_missing_file(void **state)
{
    (void)state;
    serve(PHONE, PROVLAB_HEAD "account.1.label = mine\n", NULL);
    const struct provision_report *r = provlab_fetch(w);
    assert_int_equal(PROVISION_APPLIED, r->outcome);
    assert_int_equal(PROVISION_FILE_MISSING, r->records[0].fate);
    assert_string_equal("mine", provlab_text(w, "account.X.label", 1, 0));
}

static void test_both_missing(void **state)
{
    (void)state;
    const struct provision_report *r = provlab_fetch(w);
    assert_int_equal(PROVISION_FAILED, r->outcome);
    assert_int_equal(ERR_NOT_FOUND, r->code);
    assert_int_equal(2, r->records_count);
}

static void test_no_common_file(void **state)
{
    (void)state;
    assert_true(
        is_ok(settings_set(w->base, "static.auto_provision.common_file", SLICE_LIT("none"), NULL)));
    assert_true(is_ok(provision_reload(w->engine, NULL)));
    serve_good();
    const struct provision_report *r = provlab_fetch(w);
    assert_int_equal(1, w->asked_count);
    assert_int_equal(PROVISION_APPLIED, r->outcome);
}

static void test_a_server_that_fails(void **state)
{
    (void)state;
    serve_good();
    serve_error(PHONE, ERR_PEER, 77);
    const struct provision_report *r = provlab_fetch(w);
    assert_int_equal(PROVISION_FAILED, r->outcome);
    assert_int_equal(ERR_PEER, r->code);
    assert_int_equal(77, r->retry_after_s);
    assert_string_equal("", provlab_text(w, "account.X.label", 2, 0)); /* nothing of it counts */
    assert_int_equal(PROVISION_FILE_REFUSED, r->records[1].fate);
    w->no_memory_to_fetch = true;
    r = provlab_fetch(w);
    assert_int_equal(PROVISION_FAILED, r->outcome);
    assert_int_equal(ERR_NOMEM, r->code);
}

static void test_a_certificate_that_is_not_there(void **state)
{
    (void)state;
    serve_good();
    serve_error(CERT, ERR_NOT_FOUND, 0);
    const struct provision_report *r = provlab_fetch(w);
    assert_int_equal(PROVISION_FAILED, r->outcome);
    assert_string_equal("", provlab_text(w, "account.X.label", 1, 0));
    assert_string_equal("corp.pem", provision_report_fault(r)->subject);
}

static void test_a_certificate_that_is_no_good(void **state)
{
    (void)state;
    serve_good();
    serve(CERT, "404 not found, said with 200\n", NULL);
    const struct provision_report *r = provlab_fetch(w);
    assert_int_equal(PROVISION_REFUSED, r->outcome);
    assert_int_equal(PROVISION_TRUSTED, provision_report_fault(r)->what);
    assert_string_equal("", provlab_text(w, "account.X.label", 1, 0));
}

/* User and password are for the provisioning server, and nobody else. */
static void test_who_gets_the_password(void **state)
{
    (void)state;
    serve(COMMON,
          PROVLAB_HEAD "static.trusted_certificates.url = " CERT "\n"
                       "static.trusted_certificates.url = " ELSE "\n"
                       "static.trusted_certificates.url = https://" PROVLAB_HOST ":8443/a.pem\n",
          NULL);
    serve(CERT, pem, NULL);
    serve(ELSE, pem, NULL);
    serve("https://" PROVLAB_HOST ":8443/a.pem", pem, NULL);
    assert_int_equal(PROVISION_APPLIED, provlab_fetch(w)->outcome);
    assert_int_equal(5, w->asked_count);
    assert_true(w->asked[0].login);
    assert_true(w->asked[1].login);
    assert_true(w->asked[2].login);
    assert_false(w->asked[3].login);
    assert_false(w->asked[4].login);
    assert_string_equal("/corp", provlab_last(w)->records[3].name); /* without its token */
    assert_string_equal("trusted already", provlab_last(w)->items[1].sentence);
}

/* What the server had is not sent again; the certificates that it names are looked at again. */
static void test_what_has_not_changed(void **state)
{
    char *other = statedir_pem(statedir_ca("CN=Renewed"));
    (void)state;
    serve_good();
    (void)provlab_fetch(w);
    char *before = provlab_flash(w);
    const struct provision_report *r = provlab_fetch(w);
    assert_int_equal(PROVISION_UNCHANGED, r->outcome);
    assert_string_equal("\"1\"", w->asked[3].etag);
    assert_string_equal("\"2\"", w->asked[4].etag);
    assert_string_equal(CERT, w->asked[5].url);
    assert_int_equal(PROVISION_FILE_UNCHANGED, r->records[0].fate);
    char *after = provlab_flash(w);
    assert_string_equal(before, after);
    free(before);
    free(after);
    serve(CERT, other, NULL);
    r = provlab_fetch(w);
    assert_int_equal(PROVISION_APPLIED, r->outcome);
    assert_int_equal(1, r->trusted_added);
    serve(PHONE, PROVLAB_HEAD "account.1.label = new\n", "\"3\"");
    assert_int_equal(PROVISION_APPLIED, provlab_fetch(w)->outcome);
    assert_string_equal("new", provlab_text(w, "account.X.label", 1, 0));
    free(other);
}

/* What a file said does not count any more if somebody else has changed the settings since. */
static void test_what_was_pushed_over_it(void **state)
{
    (void)state;
    serve_good();
    (void)provlab_fetch(w);
    (void)provlab_apply(w, "corp.cfg", "account.2.label = pushed\n");
    assert_int_equal(PROVISION_APPLIED, provlab_fetch(w)->outcome);
    assert_string_equal("", w->asked[3].etag);
    assert_string_equal("all", provlab_text(w, "account.X.label", 2, 0));
    assert_int_equal(PROVISION_UNCHANGED, provlab_fetch(w)->outcome);
    assert_string_equal("\"1\"", w->asked[6].etag);
}

/* A run that did not count has not read anything. */
static void test_what_was_refused_is_asked_for_whole(void **state)
{
    (void)state;
    serve_good();
    serve(PHONE, PROVLAB_HEAD "account.1.enable = 2\n", "\"2\"");
    assert_int_equal(PROVISION_REFUSED, provlab_fetch(w)->outcome);
    assert_int_equal(PROVISION_REFUSED, provlab_fetch(w)->outcome);
    assert_string_equal("", w->asked[4].etag);
}

/* Someone changes the certificates while files are on their way: the run begins anew. */
static void test_the_ground_moves(void **state)
{
    (void)state;
    serve_good();
    w->latency_ms = 1000;
    const struct provision_request r = {.cause = PROVISION_ASKED};
    assert_int_equal(1, provlab_begin(w, &r, NULL));
    sim_advance(w->sim, 1500);
    struct change *ch;
    assert_true(is_ok(change_begin(w->dir.credentials, &ch, NULL)));
    assert_true(is_ok(change_set_file(ch, "note", SLICE_LIT("x"), NULL)));
    assert_true(is_ok(change_commit(ch, NULL)));
    change_free(ch);
    sim_advance(w->sim, 10000);
    assert_int_equal(PROVISION_APPLIED, provlab_last(w)->outcome);
    assert_int_equal(3, provlab_last(w)->records_count);
    assert_int_equal(6, w->asked_count);
    assert_string_equal("ca.corp.pem common.cfg note phone.cfg ", statedir_files(&w->dir));
}

static void set_label(const char *text)
{
    struct settings *changes;
    assert_true(is_ok(settings_new(&changes)));
    assert_true(is_ok(settings_set(changes, "account.9.label", slice_of_str(text), NULL)));
    assert_true(is_ok(provision_set_local(w->engine, changes, NULL, 0, false, NULL, NULL)));
    settings_free(changes);
}

static void test_the_ground_never_rests(void **state)
{
    (void)state;
    serve_good();
    w->latency_ms = 1000;
    const struct provision_request r = {.cause = PROVISION_ASKED};
    assert_int_equal(1, provlab_begin(w, &r, NULL));
    for (int i = 0; i < 20 && provision_is_busy(w->engine); i++) {
        char text[8];
        (void)snprintf(text, sizeof text, "%d", i);
        set_label(text);
        sim_advance(w->sim, 1000);
    }
    assert_false(provision_is_busy(w->engine));
    assert_int_equal(PROVISION_FAILED, provlab_last(w)->outcome);
    assert_int_equal(ERR_STATE, provlab_last(w)->code);
    assert_int_equal(3 * LIMIT_PROVISION_ATTEMPTS, w->asked_count);
}

static void test_a_server_that_never_answers(void **state)
{
    (void)state;
    serve_good();
    w->latency_ms = 3600000;
    const struct provision_request r = {.cause = PROVISION_ASKED};
    assert_int_equal(1, provlab_begin(w, &r, NULL));
    sim_advance(w->sim, LIMIT_PROVISION_MS + 10);
    assert_int_equal(PROVISION_FAILED, provlab_last(w)->outcome);
    assert_int_equal(ERR_TIMEOUT, provlab_last(w)->code);
    assert_int_equal(0, w->fetching);
}

/* While one fetch runs, and another waits, a third is that one. */
static void test_fetches_that_want_the_same(void **state)
{
    const struct provision_request sync = {.cause = PROVISION_CHECK_SYNC},
                                   forced = {.cause = PROVISION_ASKED, .force = true};
    (void)state;
    serve_good();
    w->latency_ms = 1000;
    assert_int_equal(1, provlab_begin(w, &sync, NULL));
    sim_advance(w->sim, 10);
    assert_int_equal(2, provlab_begin(w, &sync, NULL));
    assert_int_equal(2, provlab_begin(w, &sync, NULL));
    assert_int_equal(3, provlab_begin(w, &forced, NULL));
    assert_int_equal(4, provlab_push(w, "corp.cfg", "account.5.label = x\n"));
    sim_advance(w->sim, 20000);
    assert_int_equal(4, w->ended_count);
}

static void test_a_process_that_ends_meanwhile(void **state)
{
    (void)state;
    serve_good();
    w->latency_ms = 1000;
    const struct provision_request r = {.cause = PROVISION_POWER_ON};
    assert_int_equal(1, provlab_begin(w, &r, NULL));
    sim_advance(w->sim, 1500);
    assert_int_equal(1, w->fetching);
    provlab_restart(w); /* it says so if a fetch is left */
    assert_string_equal("", statedir_files(&w->dir));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_two_files_and_a_certificate),
        TEST(test_a_missing_file),
        TEST(test_both_missing),
        TEST(test_no_common_file),
        TEST(test_a_server_that_fails),
        TEST(test_a_certificate_that_is_not_there),
        TEST(test_a_certificate_that_is_no_good),
        TEST(test_who_gets_the_password),
        TEST(test_what_has_not_changed),
        TEST(test_what_was_pushed_over_it),
        TEST(test_what_was_refused_is_asked_for_whole),
        TEST(test_the_ground_moves),
        TEST(test_the_ground_never_rests),
        TEST(test_a_server_that_never_answers),
        TEST(test_fetches_that_want_the_same),
        TEST(test_a_process_that_ends_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
