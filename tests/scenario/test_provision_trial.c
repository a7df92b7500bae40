/* Trials, and the guard against lock-out, with an account on a live server. */
#include "tools/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "control/phone.h"
#include "scenario/provlab.h"
#include "sys/store.h"
#include "tools/tlswire.h"

#define SECONDS(n) ((n)*UINT64_C(1000))
#define DELETE_ALL "static.trusted_certificates.delete = http://localhost/all\n"

/* Alice's account, as the lab has it. */
#define ALICE                                                                              \
    "account.1.enable = 1\naccount.1.user_name = alice\naccount.1.password = wonderland\n" \
    "account.1.sip_server.1.address = " LAB_HOST "\n"                                      \
    "account.1.sip_server.1.transport_type = 2\n"

static struct lab *lab;
static struct provlab *w;
static const struct testpki_cert *prov_ca;

static struct account_config configured(const struct settings *s)
{
    struct account_config cfg;
    assert_true(is_ok(phone_account(s, 1, &cfg, NULL)));
    return cfg;
}

static void on_changed(void *arg, struct account *a)
{
    struct provlab *world = arg;
    (void)a;
    if (world->engine != NULL)
        provision_account_changed(world->engine);
}

/* The account as the settings have it now, connected. */
static void make_account(void)
{
    const struct account_config cfg = configured(provision_settings(w->engine));
    account_free(lab->account);
    lab->account = NULL;
    if (!cfg.enabled)
        return;
    assert_true(is_ok(account_new(&lab->shared, &cfg, credentials_trust(w->dir.credentials),
                                  on_changed, w, &lab->account, NULL)));
    account_start(lab->account);
}

/* As the fleet does. */
static void on_apply(struct provlab *world, const struct settings *old, const struct settings *now)
{
    const struct account_config was = configured(old), is = configured(now);
    (void)world;
    if (phone_account_differs(&was, &is))
        make_account();
}

static int set_up(void **state)
{
    (void)state;
    lab = lab_new();
    lab_serve(lab, LAB_IP, lab_good(lab));
    w = provlab_new(lab, ALICE "static.auto_provision.server.url = " PROVLAB_URL "\n");
    char *ca = provlab_trust_line(lab->ca);
    assert_int_equal(PROVISION_APPLIED, provlab_apply(w, "lab.cfg", ca)->outcome);
    free(ca);
    w->on_apply = on_apply;
    make_account();
    assert_true(lab_until(lab, lab_is_locked, SECONDS(10)));
    prov_ca = testpki_make(&(struct testpki_spec){.subject = "CN=Prov Root", .ca = true});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    provlab_free(w);
    lab_free(lab);
    return 0;
}

static const struct provision_report *run(const char *lines, bool force, unsigned trial_s)
{
    struct provision_request r = provlab_request("corp.cfg", lines);
    r.force = force;
    r.trial_s = trial_s;
    return provlab_run(w, &r);
}

static bool is_locked(void)
{
    const struct account_status s = lab_status(lab);
    return lab_is_locked(&s);
}

static void assert_locked_out(const struct provision_report *r, enum provision_what what,
                              const char *part)
{
    assert_int_equal(PROVISION_REFUSED, r->outcome);
    assert_int_equal(ERR_CERT, r->code);
    assert_true(r->lockout);
    const struct provision_item *fault = provision_report_fault(r);
    assert_non_null(fault);
    assert_int_equal(what, fault->what);
    if (strstr(r->sentence, part) == NULL)
        fail_msg("'%s' is not in '%s'", part, r->sentence);
    assert_non_null(strstr(r->sentence, "force would apply it"));
}

/* --- the guard --- */

static void test_a_ca_that_an_account_needs(void **state)
{
    (void)state;
    assert_locked_out(run(DELETE_ALL, false, 0), PROVISION_ACCOUNT, LAB_HOST);
    assert_string_equal("1", provision_report_fault(provlab_last(w))->subject);
    assert_int_equal(1, provlab_custom(w));
    assert_true(is_locked());
    const struct provision_report *r = run(DELETE_ALL, true, 0);
    assert_int_equal(PROVISION_APPLIED, r->outcome);
    assert_true(r->forced);
    assert_false(r->lockout);
    assert_non_null(strstr(r->items[1].sentence, "would lose its server"));
    sim_advance(w->sim, 10);
    assert_false(is_locked());
}

static void test_settings_that_would_refuse(void **state)
{
    (void)state;
    assert_locked_out(run("static.security.ca_cert = 0\n", false, 0), PROVISION_ACCOUNT, LAB_HOST);
    assert_locked_out(run("account.1.security.ca_cert = 0\n", false, 0), PROVISION_ACCOUNT,
                      LAB_HOST);
    assert_true(is_locked());
    assert_int_equal(PROVISION_APPLIED, run("static.security.ca_cert = 1\n", false, 0)->outcome);
    sim_advance(w->sim, SECONDS(5));
    assert_true(is_locked());
}

static void test_a_setting_of_the_phone_itself(void **state)
{
    struct settings *changes;
    struct errinfo e = ERRINFO_INIT;
    (void)state;
    assert_true(is_ok(settings_new(&changes)));
    assert_true(is_ok(settings_set(changes, "static.security.ca_cert", SLICE_LIT("0"), NULL)));
    assert_int_equal(ERR_CERT,
                     provision_set_local(w->engine, changes, NULL, 0, false, NULL, &e).code);
    assert_non_null(strstr(e.text, "force"));
    assert_true(is_locked());
    assert_true(is_ok(provision_set_local(w->engine, changes, NULL, 0, true, NULL, NULL)));
    settings_free(changes);
}

/* One that goes, or goes elsewhere, does not need its CA any more. */
static void test_an_account_that_goes(void **state)
{
    (void)state;
    assert_int_equal(PROVISION_APPLIED,
                     run(DELETE_ALL "account.1.enable = 0\n", false, 0)->outcome);
}

static void test_an_account_that_moves(void **state)
{
    (void)state;
    assert_int_equal(
        PROVISION_APPLIED,
        run(DELETE_ALL "account.1.sip_server.1.address = other.example.com\n", false, 0)->outcome);
}

/* The CA's place is taken by its successor in one push. */
static void test_a_ca_that_is_replaced_by_itself(void **state)
{
    char *ca = provlab_trust_line(lab->ca), *lines;
    (void)state;
    assert_true(asprintf(&lines, DELETE_ALL "%saccount.1.label = x\n", ca) > 0);
    assert_int_equal(PROVISION_APPLIED, run(lines, false, 0)->outcome);
    sim_advance(w->sim, SECONDS(5));
    assert_true(is_locked());
    free(ca);
    free(lines);
}

/* The provisioning server has been seen, under a CA that is trusted for it. */
static void see_server(void)
{
    char *ca = provlab_trust_line(prov_ca);
    assert_int_equal(PROVISION_APPLIED, run(ca, false, 0)->outcome);
    free(ca);
    w->chain[0] = testpki_make(&(struct testpki_spec){
        .subject = "CN=" PROVLAB_HOST, .issuer = prov_ca, .san = "DNS:" PROVLAB_HOST});
    provlab_serve(w, (struct provlab_served){.url = PROVLAB_URL "common.cfg",
                                             .text = PROVLAB_HEAD "account.3.label = x\n"});
    assert_int_equal(PROVISION_APPLIED, provlab_fetch(w)->outcome);
    assert_int_equal(2, provlab_custom(w));
}

static void test_the_provisioning_server(void **state)
{
    (void)state;
    see_server();
    static const char lines[] = "static.trusted_certificates.delete = http://localhost/corp\n";
    assert_locked_out(run(lines, false, 0), PROVISION_SERVER, PROVLAB_HOST);
    assert_int_equal(2, provlab_custom(w));
    assert_locked_out(run("static.security.auto_provision.ca_cert = 0\n", false, 0),
                      PROVISION_SERVER, PROVLAB_HOST);
    assert_int_equal(PROVISION_APPLIED, run(lines, true, 0)->outcome);
}

/* What this very fetch was answered by counts, too. */
static void test_a_fetch_that_drops_its_own_server(void **state)
{
    (void)state;
    see_server();
    provlab_serve(
        w, (struct provlab_served){.url = PROVLAB_URL "common.cfg",
                                   .text = PROVLAB_HEAD
                                   "static.trusted_certificates.delete = http://localhost/corp\n"});
    assert_locked_out(provlab_fetch(w), PROVISION_SERVER, PROVLAB_HOST);
}

static void test_a_provisioning_server_that_is_left(void **state)
{
    (void)state;
    see_server();
    assert_int_equal(PROVISION_APPLIED,
                     run("static.trusted_certificates.delete = http://localhost/corp\n"
                         "static.auto_provision.server.url = https://new.example.com/\n",
                         false, 0)
                         ->outcome);
}

/* --- trials --- */

static void assert_ended(enum provision_outcome outcome, const char *part)
{
    const struct provision_report *r = provlab_last(w);
    if (outcome != r->outcome)
        fail_msg("%s: %s", provision_outcome_name(r->outcome), r->sentence);
    if (strstr(r->sentence, part) == NULL)
        fail_msg("'%s' is not in '%s'", part, r->sentence);
}

/* A change after which the account cannot come back: another password. */
#define WRONG "account.1.sip_server.1.address = nowhere.example.com\n"

static void test_a_trial_that_is_confirmed(void **state)
{
    (void)state;
    const struct provision_report *r = run(WRONG, false, 60);
    assert_int_equal(PROVISION_TRIAL, r->outcome);
    assert_true(r->trial_ends_s > 0);
    const uint64_t id = r->id;
    sim_advance(w->sim, SECONDS(30));
    assert_true(provision_in_trial(w->engine));
    assert_non_null(strstr(statedir_files(&w->dir), "trial "));
    assert_true(is_ok(provision_confirm(w->engine, NULL)));
    assert_ended(PROVISION_KEPT, "confirmed");
    assert_int_equal(id, provlab_last(w)->id);
    assert_int_equal(0, provlab_last(w)->trial_ends_s);
    assert_false(provision_in_trial(w->engine));
    assert_null(strstr(statedir_files(&w->dir), "trial "));
    sim_advance(w->sim, SECONDS(60));
    assert_string_equal("nowhere.example.com",
                        provlab_text(w, "account.X.sip_server.Y.address", 1, 1));
    assert_int_equal(ERR_STATE, provision_confirm(w->engine, NULL).code);
    assert_int_equal(ERR_STATE, provision_roll_back(w->engine, NULL).code);
}

static void test_a_trial_that_time_ends(void **state)
{
    (void)state;
    (void)run(WRONG DELETE_ALL, true, 60);
    sim_advance(w->sim, SECONDS(59));
    assert_int_equal(PROVISION_TRIAL, provlab_last(w)->outcome);
    assert_false(is_locked());
    assert_int_equal(0, provlab_custom(w));
    sim_advance(w->sim, SECONDS(2));
    assert_ended(PROVISION_ROLLED_BACK, "as it was before");
    assert_int_equal(1, provlab_custom(w));
    assert_string_equal(LAB_HOST, provlab_text(w, "account.X.sip_server.Y.address", 1, 1));
    assert_string_equal("ca.lab.pem ", statedir_files(&w->dir));
    assert_true(lab_until(lab, lab_is_locked, SECONDS(10)));
}

static void test_a_trial_that_is_rolled_back(void **state)
{
    (void)state;
    (void)run(WRONG, false, 60);
    assert_true(is_ok(provision_roll_back(w->engine, NULL)));
    assert_ended(PROVISION_ROLLED_BACK, "as asked");
    assert_true(lab_until(lab, lab_is_locked, SECONDS(10)));
}

/* The account connects anew, with what is on trial, and locks. */
static void test_a_trial_that_proves_itself(void **state)
{
    (void)state;
    const struct provision_report *r = run("account.1.sip_server.1.expires = 120\n", false, 60);
    assert_int_equal(PROVISION_TRIAL, r->outcome);
    sim_advance(w->sim, SECONDS(5));
    assert_ended(PROVISION_KEPT, "locked again");
    assert_true(is_locked());
    assert_null(strstr(statedir_files(&w->dir), "trial "));
}

/* One that never was locked is no proof, and is not waited for. */
static void test_a_trial_without_accounts(void **state)
{
    (void)state;
    assert_int_equal(PROVISION_APPLIED, run("account.1.enable = 0\n", false, 0)->outcome);
    (void)run("account.5.label = x\n", false, 60);
    sim_advance(w->sim, SECONDS(59));
    assert_true(provision_in_trial(w->engine));
    sim_advance(w->sim, SECONDS(2));
    assert_ended(PROVISION_ROLLED_BACK, "as it was before");
    assert_string_equal("", provlab_text(w, "account.X.label", 5, 0));
}

static void test_what_waits_for_a_trial(void **state)
{
    struct errinfo e = ERRINFO_INIT;
    struct change *ch;
    (void)state;
    (void)run(WRONG, false, 60);
    const uint64_t trial = provlab_last(w)->id;
    assert_int_equal(trial + 1, provlab_push(w, "corp.cfg", "account.2.label = waited\n"));
    sim_advance(w->sim, SECONDS(30));
    assert_int_equal(trial, provlab_last(w)->id);
    assert_true(is_ok(change_begin(w->dir.credentials, &ch, NULL)));
    (void)change_clear_trusted(ch);
    assert_int_equal(ERR_BUSY, change_commit(ch, &e).code);
    assert_non_null(strstr(e.text, "on trial"));
    change_free(ch);
    assert_int_equal(ERR_BUSY,
                     provision_set_local(w->engine, NULL, NULL, 0, false, NULL, NULL).code);
    sim_advance(w->sim, SECONDS(35));
    assert_ended(PROVISION_APPLIED, "1 setting changed");
    assert_string_equal("waited", provlab_text(w, "account.X.label", 2, 0));
    assert_string_equal(LAB_HOST, provlab_text(w, "account.X.sip_server.Y.address", 1, 1));
}

static void test_a_trial_of_nothing(void **state)
{
    (void)state;
    assert_int_equal(PROVISION_UNCHANGED, run("", false, 60)->outcome);
    assert_false(provision_in_trial(w->engine));
    assert_string_equal("ca.lab.pem ", statedir_files(&w->dir));
}

static void test_a_trial_whose_process_ends(void **state)
{
    (void)state;
    (void)run(WRONG DELETE_ALL, true, 60);
    const uint64_t id = provlab_last(w)->id;
    account_free(lab->account);
    lab->account = NULL;
    provlab_restart(w);
    assert_int_equal(1, provlab_custom(w));
    assert_string_equal(LAB_HOST, provlab_text(w, "account.X.sip_server.Y.address", 1, 1));
    sim_advance(w->sim, 10);
    assert_ended(PROVISION_ROLLED_BACK, "restarted");
    assert_int_equal(id, provlab_last(w)->id);
    assert_false(provision_in_trial(w->engine));
    assert_int_equal(id + 1, provlab_push(w, "corp.cfg", "account.2.label = x\n"));
    sim_advance(w->sim, 10);
}

/* Another process writes just then: it is tried again, and nothing else can change meanwhile. */
static void test_a_trial_that_cannot_be_rolled_back(void **state)
{
    (void)state;
    (void)run(WRONG, false, 60);
    account_free(lab->account);
    lab->account = NULL;
    provlab_stop(w);
    const int other = open(statedir_path(&w->dir, "generations"), O_RDONLY | O_DIRECTORY);
    assert_int_equal(0, flock(other, LOCK_EX));
    provlab_start(w);
    sim_advance(w->sim, SECONDS(40));
    assert_true(provision_in_trial(w->engine));
    assert_int_equal(ERR_BUSY,
                     provision_set_local(w->engine, NULL, NULL, 0, false, NULL, NULL).code);
    assert_int_equal(0, close(other));
    sim_advance(w->sim, SECONDS(40));
    assert_ended(PROVISION_ROLLED_BACK, "as it was before");
    assert_string_equal(LAB_HOST, provlab_text(w, "account.X.sip_server.Y.address", 1, 1));
}

static void take_any(void *arg, const struct slice *chain, size_t n, struct verdict *out)
{
    (void)arg;
    (void)chain;
    out->class = n > 0 ? VERDICT_VERIFIED : VERDICT_REJECTED;
}

/* The connection that was made with the old one proves nothing about the new one. */
static void test_a_trial_of_an_identity(void **state)
{
    const struct testpki_cert *old = testpki_make(&(struct testpki_spec){.subject = "CN=old"});
    char *line = provlab_identity_line("CN=new");
    (void)state;
    sim_host_clear(lab->sim, LAB_HOST);
    sim_host_add(lab->sim, LAB_HOST, "192.0.2.2");
    lab_serve_as(lab, "192.0.2.2", lab_good(lab),
                 (struct registrar_endpoint_params){.client_auth = TLS_CLIENT_AUTH_REQUIRE,
                                                    .judge = take_any});
    lab->shared.identity = tlswire_identity(&old, 1);
    make_account();
    assert_true(lab_until(lab, lab_is_locked, SECONDS(10)));
    assert_true(lab_status(lab).tls.sent_certificate);
    assert_int_equal(PROVISION_TRIAL, run(line, false, 60)->outcome);
    sim_advance(w->sim, SECONDS(30));
    assert_true(is_locked());
    assert_true(provision_in_trial(w->engine));
    account_reconnect(lab->account);
    sim_advance(w->sim, SECONDS(5));
    assert_ended(PROVISION_KEPT, "locked again");
    free(line);
}

/* What cannot be written leaves the trial as it was. */
static void test_a_confirmation_that_cannot_be_written(void **state)
{
    char aside[200];
    (void)state;
    (void)run(WRONG, false, 60);
    (void)snprintf(aside, sizeof aside, "%s-aside", w->dir.path);
    assert_int_equal(0, rename(statedir_path(&w->dir, "generations"), aside));
    assert_true(is_ok(
        store_write(statedir_path(&w->dir, "generations"), 0600, SLICE_LIT("in the way"), NULL)));
    assert_true(is_err(provision_confirm(w->engine, NULL)));
    assert_true(is_err(provision_roll_back(w->engine, NULL)));
    assert_true(provision_in_trial(w->engine));
    sim_advance(w->sim, SECONDS(70)); /* its end cannot be written either */
    assert_true(provision_in_trial(w->engine));
    assert_int_equal(0, unlink(statedir_path(&w->dir, "generations")));
    assert_int_equal(0, rename(aside, statedir_path(&w->dir, "generations")));
    sim_advance(w->sim, SECONDS(40));
    assert_ended(PROVISION_ROLLED_BACK, "as it was before");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_ca_that_an_account_needs),
        TEST(test_settings_that_would_refuse),
        TEST(test_a_setting_of_the_phone_itself),
        TEST(test_an_account_that_goes),
        TEST(test_an_account_that_moves),
        TEST(test_a_ca_that_is_replaced_by_itself),
        TEST(test_the_provisioning_server),
        TEST(test_a_fetch_that_drops_its_own_server),
        TEST(test_a_provisioning_server_that_is_left),
        TEST(test_a_trial_that_is_confirmed),
        TEST(test_a_trial_that_time_ends),
        TEST(test_a_trial_that_is_rolled_back),
        TEST(test_a_trial_that_proves_itself),
        TEST(test_a_trial_without_accounts),
        TEST(test_what_waits_for_a_trial),
        TEST(test_a_trial_of_nothing),
        TEST(test_a_trial_whose_process_ends),
        TEST(test_a_trial_that_cannot_be_rolled_back),
        TEST(test_a_trial_of_an_identity),
        TEST(test_a_confirmation_that_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
