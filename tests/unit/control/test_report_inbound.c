/* What is told of a connection that somebody made to the phone: its lock, and its JSON. */
#include "tools/unit.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "control/lock.h"
#include "control/report.h"

/* A verified client, for tests to change. */
struct world {
    struct verdict verdict;
    struct errinfo error;
    struct inbound_status status;
};

static void good(struct world *w)
{
    memset(w, 0, sizeof *w);
    w->error = ERRINFO_INIT;
    w->verdict.class = VERDICT_VERIFIED;
    (void)snprintf(w->verdict.summary, sizeof w->verdict.summary, "Verified: a proxy");
    w->status = (struct inbound_status){.id = 0x8000000000000001,
                                        .state = INBOUND_OPEN,
                                        .tls = {.version = "TLSv1.2"},
                                        .verdict = &w->verdict,
                                        .assurance = ASSURANCE_CHAIN,
                                        .account = 2,
                                        .error = &w->error};
    assert_true(addr_parse("192.0.2.9", 40000, &w->status.remote));
}

static void add_reason(struct world *w, enum reason_code code, const char *sentence)
{
    verdict_add(&w->verdict, code, 0, "proxy", "%s", sentence);
}

static void check_lock(const struct world *w, bool lock, enum lock_assurance assurance,
                       const char *code, const char *sentence)
{
    struct lock_entry e;
    lock_reduce_inbound(&w->status, &e);
    assert_int_equal(e.lock, lock);
    assert_int_equal(e.state, lock ? LOCK_UP : LOCK_DOWN);
    assert_int_equal(e.assurance, assurance);
    assert_int_equal(e.account, 2);
    assert_string_equal(e.code, code);
    assert_string_equal(e.sentence, sentence);
}

static void test_a_certificate_alone_is_half_of_it(void **state)
{
    struct world w;
    (void)state;
    good(&w);
    check_lock(&w, true, LOCK_ASSURANCE_CHAIN, "none", "Verified: a proxy");
    w.status.assurance = ASSURANCE_FULL;
    check_lock(&w, true, LOCK_ASSURANCE_FULL, "none", "Verified: a proxy");
}

static void test_without_a_certificate(void **state)
{
    struct world w;
    (void)state;
    good(&w);
    w.verdict = (struct verdict){.class = VERDICT_NONE};
    w.status.assurance = ASSURANCE_NONE;
    check_lock(&w, true, LOCK_ASSURANCE_NONE, "none",
               "Encrypted, but who it is is not known: it showed no certificate");
}

static void test_trust_checking_is_off(void **state)
{
    struct world w;
    (void)state;
    good(&w);
    w.verdict = (struct verdict){.class = VERDICT_UNVERIFIED};
    w.status.assurance = ASSURANCE_NONE;
    add_reason(&w, REASON_UNKNOWN_CA, "Nobody knows its CA");
    check_lock(&w, true, LOCK_ASSURANCE_NONE, "unknown_ca",
               "Encrypted, but not verified (trust checking is off): Nobody knows its CA");
}

static void test_provisional(void **state)
{
    struct world w;
    (void)state;
    good(&w);
    w.verdict.class = VERDICT_PROVISIONAL;
    add_reason(&w, REASON_CLOCK_UNSET, "The clock is not set");
    check_lock(&w, true, LOCK_ASSURANCE_CHAIN, "clock_unset", "The clock is not set");
}

static void test_refused(void **state)
{
    struct world w;
    (void)state;
    good(&w);
    w.verdict = (struct verdict){.class = VERDICT_REJECTED};
    add_reason(&w, REASON_EXPIRED, "It has expired");
    w.status.state = INBOUND_CLOSED;
    w.status.assurance = ASSURANCE_NONE;
    w.error = (struct errinfo){.code = ERR_CERT, .text = "192.0.2.9:40000: It has expired"};
    check_lock(&w, false, LOCK_ASSURANCE_NONE, "expired", "It has expired");
}

static void test_gone(void **state)
{
    struct world w;
    (void)state;
    good(&w);
    w.status.assurance = ASSURANCE_NONE;
    w.status.state = INBOUND_CLOSED;
    w.error = (struct errinfo){.code = ERR_TIMEOUT, .text = "it sent nothing for 900 s"};
    check_lock(&w, false, LOCK_ASSURANCE_NONE, "timeout", "it sent nothing for 900 s");
}

static void check_json(const struct world *w, const char *expected)
{
    cJSON *json = report_inbound(&w->status);
    char *text = cJSON_PrintUnformatted(json);
    assert_string_equal(text, expected);
    cJSON_free(text);
    cJSON_Delete(json);
}

static void test_the_json_of_one(void **state)
{
    struct world w;
    (void)state;
    good(&w);
    check_json(&w, "{\"id\":\"8000000000000001\",\"state\":\"up\",\"lock\":true,"
                   "\"assurance\":\"chain\",\"verdict\":\"verified\",\"code\":\"none\","
                   "\"sentence\":\"Verified: a proxy\",\"reasons\":[],\"account\":2,"
                   "\"peer\":{\"address\":\"192.0.2.9:40000\",\"protocol\":\"TLSv1.2\","
                   "\"cipher\":null,\"resumed\":false,\"certificate\":null,\"chain\":[],"
                   "\"anchor\":null}}");
}

static void test_the_json_of_a_refused_one(void **state)
{
    struct world w;
    (void)state;
    good(&w);
    w.verdict = (struct verdict){.class = VERDICT_REJECTED, .path_len = 1};
    (void)snprintf(w.verdict.path[0].label, sizeof w.verdict.path[0].label, "pro\x1bxy");
    add_reason(&w, REASON_EXPIRED, "It has expired");
    w.status.state = INBOUND_CLOSED;
    w.status.account = 0;
    w.status.assurance = ASSURANCE_NONE;
    w.status.tls.version = NULL;
    w.error = (struct errinfo){.code = ERR_CERT, .text = "refused"};
    check_json(&w, "{\"id\":\"8000000000000001\",\"state\":\"down\",\"lock\":false,"
                   "\"assurance\":\"none\",\"verdict\":\"rejected\",\"code\":\"expired\","
                   "\"sentence\":\"It has expired\",\"reasons\":[{\"code\":\"expired\","
                   "\"depth\":0,\"certificate\":\"proxy\",\"sentence\":\"It has expired\"}],"
                   "\"account\":null,\"peer\":{\"address\":\"192.0.2.9:40000\","
                   "\"protocol\":null,\"cipher\":null,\"resumed\":false,"
                   "\"certificate\":\"pro?xy\",\"chain\":[{\"certificate\":\"pro?xy\","
                   "\"sha256\":"
                   "\"0000000000000000000000000000000000000000000000000000000000000000\","
                   "\"not_before\":\"1970-01-01T00:00:00Z\","
                   "\"not_after\":\"1970-01-01T00:00:00Z\"}],\"anchor\":null}}");
}

static void test_the_json_of_those_that_are_not_told(void **state)
{
    static const struct {
        unsigned n;
        const char *sentence;
    } cases[] = {{1, "1 more connection was made"}, {37, "37 more connections were made"}};
    char expected[256];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cJSON *o = report_inbound_untold(cases[i].n);
        char *text = cJSON_PrintUnformatted(o);
        (void)snprintf(expected, sizeof expected,
                       "{\"connections\":%u,\"seconds\":60,\"sentence\":\"%s to the phone within "
                       "60 s: too many to tell of each\"}",
                       cases[i].n, cases[i].sentence);
        assert_string_equal(text, expected);
        cJSON_free(text);
        cJSON_Delete(o);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_certificate_alone_is_half_of_it),
        cmocka_unit_test(test_without_a_certificate),
        cmocka_unit_test(test_trust_checking_is_off),
        cmocka_unit_test(test_provisional),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_gone),
        cmocka_unit_test(test_the_json_of_one),
        cmocka_unit_test(test_the_json_of_a_refused_one),
        cmocka_unit_test(test_the_json_of_those_that_are_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
