/* What account.rules says of an account, and what is told of a local port. The other reports:
 * tests/scenario/test_events.c. */
#include "control/report.h"

#include <cjson/cJSON.h>

#include "tools/unit.h"

static void check_json(struct cJSON *o, const char *expected)
{
    char *text = cJSON_PrintUnformatted(o);

    assert_string_equal(text, expected);
    cJSON_free(text);
    cJSON_Delete(o);
}

static void check(const struct account_status *s, const char *expected)
{
    check_json(report_rules(s), expected);
}

static void rules_are_told_by_their_names(void **state)
{
    const struct peername name = {.kind = PEERNAME_DNS, .text = "sip.example.com"};
    struct verify_policy policy = {
        .check_trust = true, .rules = PEERNAME_RFC9525, .profile = VERIFY_PROFILE_COMPATIBLE};
    struct account_status s = {.number = 2,
                               .host = "proxy.example.com",
                               .rules = {.port = 5071,
                                         .name = &name,
                                         .policy = &policy,
                                         .filter = TRUST_CUSTOM,
                                         .versions = TLS_1_3_ONLY}};

    (void)state;
    check(
        &s,
        "{\"account\":2,\"host\":\"proxy.example.com\",\"port\":5071,\"name\":\"sip.example.com\","
        "\"check_trust\":true,\"filter\":\"custom\",\"rules\":\"rfc9525\","
        "\"profile\":\"compatible\",\"tls\":\"1.3\"}");
    policy = (struct verify_policy){.check_trust = false};
    s.rules.name = NULL;
    s.rules.filter = TRUST_ALL;
    s.rules.versions = TLS_1_2_AND_1_3;
    check(&s,
          "{\"account\":2,\"host\":\"proxy.example.com\",\"port\":5071,\"name\":null,"
          "\"check_trust\":false,\"filter\":\"all\",\"rules\":\"rfc2818\",\"profile\":\"public\","
          "\"tls\":\"any\"}");
}

static void a_local_port_is_told(void **state)
{
    struct door_status s = {.account = 3, .port = 5070};

    (void)state;
    check_json(report_local_port(&s),
               "{\"account\":3,\"address\":\"127.0.0.1:5070\",\"listening\":false,"
               "\"registers\":\"sipsd\",\"stack\":null,\"connections\":0,\"calls\":0}");
    s.open = s.stack_registers = true;
    s.connections = 2;
    s.calls = 1;
    assert_true(addr_parse("127.0.0.1", 40312, &s.stack));
    check_json(report_local_port(&s),
               "{\"account\":3,\"address\":\"127.0.0.1:5070\",\"listening\":true,"
               "\"registers\":\"stack\",\"stack\":\"127.0.0.1:40312\",\"connections\":2,"
               "\"calls\":1}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rules_are_told_by_their_names),
                                       cmocka_unit_test(a_local_port_is_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
