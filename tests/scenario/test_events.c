/* events: what subscribers are told, and what the methods answer. Accounts and trust are made up
 * here: what they do themselves is tested elsewhere. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/events.h"
#include "control/json.h"
#include "sim/local.h"
#include "tools/testpki.h"
#include "tools/unit.h"

#define UI    "/run/events.sock"
#define ADMIN "/run/control.sock"

/* --- a phone with two accounts --- */

struct account {
    struct account_status status;
    struct verdict verdict;
    struct errinfo error, registration_error;
    char label[64];
    int reconnects;
};

struct trust {
    uint64_t generation;
};

static struct {
    struct sim *w;
    struct events *events;
    struct account accounts[2];
    size_t count;
    struct trust trust;
    struct wallclock clock;
    struct complaints complaints;
} t;

struct account_status account_status(const struct account *a)
{
    return a->status;
}

int account_number(const struct account *a)
{
    return a->status.number;
}

void account_reconnect(struct account *a)
{
    a->reconnects++;
    a->status.state = ACCOUNT_RESOLVING;
    a->status.encrypted = false;
    events_account_changed(t.events, a);
}

uint64_t trust_generation(const struct trust *trust)
{
    return trust->generation;
}

size_t trust_count(const struct trust *trust, enum trust_filter f)
{
    (void)trust;
    return f == TRUST_CUSTOM ? 1 : f == TRUST_DEFAULT ? 76 : 77;
}

/* --- the source --- */

static size_t source_count(void *arg)
{
    (void)arg;
    return t.count;
}

static struct account *source_at(void *arg, size_t i)
{
    (void)arg;
    return &t.accounts[i];
}

static struct trust *source_trust(void *arg)
{
    (void)arg;
    return &t.trust;
}

static enum trust_filter source_filter(void *arg)
{
    (void)arg;
    return TRUST_ALL;
}

static struct wallclock source_now(void *arg)
{
    (void)arg;
    return t.clock;
}

static const struct complaints *source_complaints(void *arg)
{
    (void)arg;
    return &t.complaints;
}

/* A method of another module on control.sock. */
static struct result greet(void *arg, const struct cJSON *params, struct cJSON **result,
                           struct errinfo *e)
{
    (void)params;
    (void)e;
    *result = cJSON_CreateString(arg);
    return OK;
}

static const struct jsonrpc_method more_methods[] = {{"greet", NULL, greet}, {NULL, NULL, NULL}};
static char greeting[] = "hello";
static const struct jsonrpc_service more = {.methods = more_methods, .arg = greeting};

static void make_account(struct account *a, int number)
{
    *a = (struct account){.error = ERRINFO_INIT, .registration_error = ERRINFO_INIT};
    (void)snprintf(a->label, sizeof a->label, "Desk %d", number);
    a->status = (struct account_status){
        .number = number,
        .label = a->label,
        .aor = "sips:alice@sip.test",
        .state = ACCOUNT_RESOLVING,
        .registration = REGISTRATION_OFF,
        .registration_error = &a->registration_error,
        .verdict = &a->verdict,
        .error = &a->error,
        .host = "sip.test",
    };
}

/* Up, locked, registered. */
static void go_up(struct account *a)
{
    struct verdict *v = &a->verdict;

    a->status.state = ACCOUNT_OPEN;
    a->status.encrypted = true;
    a->status.registration = REGISTRATION_REGISTERED;
    a->status.granted_s = 300;
    a->status.registration_status = 200;
    a->status.tls.version = "TLSv1.3";
    a->status.tls.cipher = "TLS1-3-AES-128-GCM-SHA256";
    assert_true(addr_parse("192.0.2.1", 5061, &a->status.remote));
    *v = (struct verdict){.class = VERDICT_VERIFIED,
                          .name_checked = true,
                          .anchored = true,
                          .anchor_source = TRUST_SOURCE_CUSTOM,
                          .path_len = 1};
    (void)snprintf(v->summary, sizeof v->summary, "Verified: sip.test, issued by Demo CA");
    (void)snprintf(v->matched, sizeof v->matched, "sip.test");
    (void)snprintf(v->path[0].label, sizeof v->path[0].label, "sip.test");
    v->path[0].sha256[0] = 0xab;
    v->path[0].not_after_s = 86400;
}

static void be_refused(struct account *a)
{
    a->status.state = ACCOUNT_WAITING;
    a->status.encrypted = false;
    a->status.registration = REGISTRATION_OFF;
    a->status.retry_in_ms = 1500;
    a->status.failures = 3;
    a->error.code = ERR_CERT;
    (void)snprintf(a->error.text, sizeof a->error.text, "refused");
    a->verdict = (struct verdict){.class = VERDICT_REJECTED, .reasons_count = 2};
    a->verdict.reasons[0] = (struct reason){REASON_EXPIRED, 0, "sip\x1b.test", "It has expired"};
    a->verdict.reasons[1] = (struct reason){REASON_CLOCK_UNSET, -1, "", "The clock is not set"};
}

/* --- a process on the other side --- */

/* Calls METHOD; PARAMS is JSON or NULL. */
static void ask(struct local *p, const char *method, const char *params)
{
    char line[256];

    (void)snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"%s%s}\n",
                   method, params != NULL ? ",\"params\":" : "", params != NULL ? params : "");
    local_ask(p, line);
}

/* All that P got since it was last asked; each line is strict JSON. */
static void check(struct local *p, const char *expected)
{
    struct slice rest;

    sim_settle(t.w);
    for (rest = buf_slice(&p->got); rest.n != 0;)
        assert_true(is_ok(json_check(slice_cut(&rest, '\n'), NULL)));
    local_check(p, expected);
}

#define RESULT_(json)      "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":" json "}\n"
#define TOLD(method, json) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":" json "}\n"
#define ERROR_(code, text, d)                                                        \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":" code ",\"message\":\"" text \
    "\",\"data\":\"" d "\"}}\n"

#define REGISTRATION_NEW "{\"state\":\"off\",\"expires_s\":0,\"status\":null,\"error\":null}"
#define ACCOUNT_NEW(n)                                                                         \
    "{\"account\":" n ",\"label\":\"Desk " n "\",\"aor\":\"sips:alice@sip.test\","             \
    "\"state\":\"connecting\",\"lock\":false,\"assurance\":\"none\",\"encrypted\":false,"      \
    "\"verdict\":\"none\",\"code\":\"none\",\"sentence\":\"Connecting to sip.test\","          \
    "\"reasons\":[],\"registration\":" REGISTRATION_NEW ",\"peer\":null,\"retry_in_ms\":null," \
    "\"failures\":0}"
#define ACCOUNT_UP                                                                                 \
    "{\"account\":1,\"label\":\"Desk 1\",\"aor\":\"sips:alice@sip.test\",\"state\":\"up\","        \
    "\"lock\":true,\"assurance\":\"full\",\"encrypted\":true,\"verdict\":\"verified\","            \
    "\"code\":\"none\",\"sentence\":\"Verified: sip.test, issued by Demo CA\",\"reasons\":[],"     \
    "\"registration\":{\"state\":\"registered\",\"expires_s\":300,\"status\":200,\"error\":null}," \
    "\"peer\":{\"host\":\"sip.test\",\"address\":\"192.0.2.1:5061\",\"protocol\":\"TLSv1.3\","     \
    "\"cipher\":\"TLS1-3-AES-128-GCM-SHA256\",\"resumed\":false,\"name\":\"sip.test\","            \
    "\"chain\":[{\"certificate\":\"sip.test\",\"sha256\":"                                         \
    "\"ab00000000000000000000000000000000000000000000000000000000000000\","                        \
    "\"not_before\":\"1970-01-01T00:00:00Z\",\"not_after\":\"1970-01-02T00:00:00Z\"}],"            \
    "\"anchor\":\"custom\"},\"retry_in_ms\":null,\"failures\":0}"
#define REGISTRATION_UP \
    "{\"account\":1,\"state\":\"registered\",\"expires_s\":300,\"status\":200,\"error\":null}"
#define TRUST "{\"generation\":5,\"builtin\":76,\"custom\":1,\"filter\":\"all\"}"
#define SNAPSHOT(accounts)                                                                    \
    "{\"version\":\"1.2.3\",\"clock\":{\"state\":\"set\",\"time\":\"2027-01-15T08:00:00Z\"}," \
    "\"trust\":" TRUST ",\"expiring\":[],\"complaints\":[],\"accounts\":[" accounts           \
    "],\"inbound\":[],\"local_ports\":[]}"

static int set_up(void **state)
{
    const struct events_params p = {
        .run_dir = "/run",
        .ui_group = 7,
        .admin_group = (gid_t)-1,
        .version = "1.2.3",
        .loop = NULL,
        .source = {.account_count = source_count,
                   .account_at = source_at,
                   .trust = source_trust,
                   .trust_filter = source_filter,
                   .now = source_now,
                   .complaints = source_complaints},
        .more = &more,
    };
    struct events_params params = p;
    (void)state;

    memset(&t, 0, sizeof t);
    t.w = sim_new();
    params.loop = sim_loop(t.w);
    t.clock = (struct wallclock){.epoch_s = TESTPKI_NOW, .state = CLOCK_SET};
    t.trust.generation = 5;
    t.count = 2;
    for (int i = 0; i < 2; i++)
        make_account(&t.accounts[i], i + 1);
    assert_true(is_ok(events_new(&params, &t.events, NULL)));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    events_free(t.events);
    sim_settle(t.w);
    sim_free(t.w);
    return 0;
}

/* --- what is told --- */

static void test_the_snapshot(void **state)
{
    static const char *const paths[] = {UI, ADMIN};
    static const char *const methods[] = {"status", "subscribe"};
    (void)state;

    for (size_t i = 0; i < 4; i++) {
        struct local p;
        local_connect(&p, t.w, paths[i % 2]);
        ask(&p, methods[i / 2], NULL);
        check(&p, RESULT_(SNAPSHOT(ACCOUNT_NEW("1") "," ACCOUNT_NEW("2"))));
        local_leave(&p);
    }
}

static void test_a_lock_and_a_registration(void **state)
{
    struct local ui, admin, idle;
    (void)state;

    local_connect(&ui, t.w, UI);
    local_connect(&admin, t.w, ADMIN);
    local_connect(&idle, t.w, UI);
    ask(&ui, "subscribe", NULL);
    ask(&admin, "subscribe", NULL);
    buf_clear(&ui.got);
    buf_clear(&admin.got);
    go_up(&t.accounts[0]);
    events_account_changed(t.events, &t.accounts[0]);
    check(&ui, TOLD("lock", ACCOUNT_UP) TOLD("registration", REGISTRATION_UP));
    check(&admin, TOLD("lock", ACCOUNT_UP) TOLD("registration", REGISTRATION_UP));
    check(&idle, "");
    local_leave(&ui);
    local_leave(&admin);
    local_leave(&idle);
}

static void test_only_what_differs_is_told(void **state)
{
    struct account *a = &t.accounts[0];
    struct local p;
    (void)state;

    local_connect(&p, t.w, UI);
    go_up(a);
    events_account_changed(t.events, a); /* nobody listens, but it is what is known */
    ask(&p, "subscribe", NULL);
    buf_clear(&p.got);

    events_account_changed(t.events, a);
    check(&p, "");
    a->status.registration = REGISTRATION_REFRESHING;
    events_account_changed(t.events, a);
    check(&p, "");
    a->status.registration = REGISTRATION_REGISTERED;
    a->status.granted_s = 60;
    events_account_changed(t.events, a);
    check(&p, TOLD("registration", "{\"account\":1,\"state\":\"registered\",\"expires_s\":60,"
                                   "\"status\":200,\"error\":null}"));
    a->registration_error.code = ERR_AUTH;
    (void)snprintf(a->registration_error.text, sizeof a->registration_error.text, "refused\xff");
    a->status.registration = REGISTRATION_WAITING;
    a->status.registration_status = 403;
    a->status.granted_s = 0;
    events_account_changed(t.events, a);
    check(&p, TOLD("registration", "{\"account\":1,\"state\":\"waiting\",\"expires_s\":0,"
                                   "\"status\":403,\"error\":\"refused?\"}"));
    local_leave(&p);
}

static void test_a_refusal_has_its_reasons(void **state)
{
    struct account *a = &t.accounts[0];
    struct local p;
    (void)state;

    local_connect(&p, t.w, UI);
    ask(&p, "subscribe", NULL);
    buf_clear(&p.got);
    be_refused(a);
    events_account_changed(t.events, a);
    check(&p, TOLD("lock",
                   "{\"account\":1,\"label\":\"Desk 1\",\"aor\":\"sips:alice@sip.test\","
                   "\"state\":\"down\",\"lock\":false,\"assurance\":\"none\",\"encrypted\":false,"
                   "\"verdict\":\"rejected\",\"code\":\"expired\",\"sentence\":\"It has expired\","
                   "\"reasons\":[{\"code\":\"expired\",\"depth\":0,\"certificate\":\"sip?.test\","
                   "\"sentence\":\"It has expired\"},{\"code\":\"clock_unset\",\"depth\":null,"
                   "\"certificate\":null,\"sentence\":\"The clock is not set\"}],"
                   "\"registration\":" REGISTRATION_NEW ","
                   "\"peer\":{\"host\":\"sip.test\",\"address\":null,\"protocol\":null,"
                   "\"cipher\":null,\"resumed\":false,\"name\":null,\"chain\":[],\"anchor\":null},"
                   "\"retry_in_ms\":1500,\"failures\":3}")
                  TOLD("registration", "{\"account\":1,\"state\":\"off\",\"expires_s\":0,"
                                       "\"status\":null,\"error\":null}"));
    local_leave(&p);
}

static void test_accounts_replaced(void **state)
{
    struct account *a = &t.accounts[0];
    struct local p;
    (void)state;

    local_connect(&p, t.w, UI);
    ask(&p, "subscribe", NULL);
    buf_clear(&p.got);
    go_up(a);
    t.count = 1;
    events_accounts_replaced(t.events);
    check(&p, TOLD("snapshot", SNAPSHOT(ACCOUNT_UP)));
    events_account_changed(t.events, a); /* told already */
    check(&p, "");
    t.count = 0;
    events_accounts_replaced(t.events);
    check(&p, TOLD("snapshot", SNAPSHOT("")));
    local_leave(&p);
}

static void test_trust_and_clock(void **state)
{
    struct local p;
    (void)state;

    local_connect(&p, t.w, UI);
    ask(&p, "subscribe", NULL);
    buf_clear(&p.got);
    events_trust_changed(t.events);
    check(&p, TOLD("trust", TRUST));
    t.clock = (struct wallclock){.epoch_s = 0, .state = CLOCK_UNSET};
    events_clock_changed(t.events);
    check(&p, TOLD("clock", "{\"state\":\"unset\",\"time\":\"1970-01-01T00:00:00Z\"}"));
    local_leave(&p);
}

/* --- what is asked --- */

static void test_account_list(void **state)
{
    struct local p;
    (void)state;

    local_connect(&p, t.w, ADMIN);
    go_up(&t.accounts[0]);
    ask(&p, "account.list", NULL);
    check(&p, RESULT_("{\"accounts\":[" ACCOUNT_UP "," ACCOUNT_NEW("2") "]}"));
    local_leave(&p);
}

static void test_account_reconnect(void **state)
{
    struct local p;
    (void)state;

    local_connect(&p, t.w, ADMIN);
    go_up(&t.accounts[1]);
    ask(&p, "account.reconnect", "{\"account\":2}");
    check(&p, RESULT_("{\"account\":2}"));
    assert_int_equal(0, t.accounts[0].reconnects);
    assert_int_equal(1, t.accounts[1].reconnects);
    local_leave(&p);
}

static void test_account_reconnect_refused(void **state)
{
    static const char *const bad[] = {NULL,
                                      "{}",
                                      "{\"account\":\"1\"}",
                                      "{\"account\":1.5}",
                                      "{\"account\":1e99}",
                                      "{\"account\":null}"};
    struct local p;
    (void)state;

    local_connect(&p, t.w, ADMIN);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        ask(&p, "account.reconnect", bad[i]);
        check(&p,
              ERROR_("-32602", "\\\"account\\\" has to be the number of an account", "INVALID"));
    }
    ask(&p, "account.reconnect", "{\"account\":3}");
    check(&p, ERROR_("-32602", "there is no account 3 in use", "NOT_FOUND"));
    t.accounts[0].status.state = ACCOUNT_IDLE;
    ask(&p, "account.reconnect", "{\"account\":1}");
    check(&p, ERROR_("-32000", "account 1 is off, and has nothing to connect to", "STATE"));
    assert_int_equal(0, t.accounts[0].reconnects);
    local_leave(&p);
}

static void test_methods_of_another_module(void **state)
{
    struct local p;
    (void)state;

    local_connect(&p, t.w, ADMIN);
    ask(&p, "greet", NULL);
    check(&p, RESULT_("\"hello\""));
    ask(&p, "greet", "{\"loudly\":true}");
    check(&p, ERROR_("-32602", "greet has no parameter 'loudly'", "INVALID"));
    local_leave(&p);
}

static void test_files_that_could_not_be_used(void **state)
{
    struct local p;
    (void)state;

    complaints_add(&t.complaints, "trust", "ca.a.pem", "is left out: %s", "it is \x1b odd");
    local_connect(&p, t.w, UI);
    ask(&p, "status", NULL);
    const struct slice got = buf_slice(&p.got);
    const struct slice said = SLICE_LIT("\"complaints\":[{\"file\":\"ca.a.pem\",\"sentence\":"
                                        "\"is left out: it is ? odd\"}]");
    assert_true(slice_find_slice(got, said) < got.n);
    local_leave(&p);
}

static void test_the_ui_cannot_administrate(void **state)
{
    static const char *const methods[] = {"account.list", "account.reconnect", "greet"};
    struct local p;
    (void)state;

    local_connect(&p, t.w, UI);
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        char expected[256];
        (void)snprintf(expected, sizeof expected,
                       ERROR_("-32601", "there is no method '%s' on this socket", "UNSUPPORTED"),
                       methods[i]);
        ask(&p, methods[i], "{\"account\":1}");
        check(&p, expected);
    }
    assert_int_equal(0, t.accounts[0].reconnects);
    local_leave(&p);
}

static void test_access(void **state)
{
    struct local p;
    mode_t mode;
    gid_t gid;
    (void)state;

    sim_unix_access(t.w, UI, &mode, &gid);
    assert_int_equal(0660, mode);
    assert_int_equal(7, gid);
    sim_unix_access(t.w, ADMIN, &mode, &gid);
    assert_int_equal(0600, mode);

    /* No group is nobody's. */
    sim_unix_cred(t.w, (struct stream_cred){.uid = 4711, .gid = (gid_t)-1});
    local_connect(&p, t.w, ADMIN);
    assert_true(p.closed);
    local_leave(&p);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_the_snapshot),
        TEST(test_a_lock_and_a_registration),
        TEST(test_only_what_differs_is_told),
        TEST(test_a_refusal_has_its_reasons),
        TEST(test_accounts_replaced),
        TEST(test_trust_and_clock),
        TEST(test_account_list),
        TEST(test_account_reconnect),
        TEST(test_account_reconnect_refused),
        TEST(test_methods_of_another_module),
        TEST(test_files_that_could_not_be_used),
        TEST(test_the_ui_cannot_administrate),
        TEST(test_access),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
