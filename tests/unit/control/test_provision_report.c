/* provision_report: what came of a run, its bounds, and its JSON there and back. */
#include "tools/unit.h"

#include <cjson/cJSON.h>
#include <stdio.h>

#include "base/buf.h"
#include "control/provision_report.h"

static struct provision_report r;
static struct buf text;

static int set_up(void **state)
{
    (void)state;
    provision_report_init(&r, 7, PROVISION_PUSH);
    buf_init(&text, LIMIT_RPC_BACKLOG);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    provision_report_clear(&r);
    buf_free(&text);
    return 0;
}

static void add_item(const char *subject, bool ok)
{
    struct provision_item item = {.line = 3, .what = PROVISION_SETTING, .ok = ok};
    (void)snprintf(item.file, sizeof item.file, "corp.cfg");
    (void)snprintf(item.subject, sizeof item.subject, "%s", subject);
    provision_report_item(&r, &item);
}

static void fill(void)
{
    provision_report_file(&r, "corp.cfg", "", PROVISION_FILE_READ, SLICE_LIT("abc"), "");
    provision_report_file(&r, "x.cfg", "prov.example.com", PROVISION_FILE_MISSING, SLICE_EMPTY,
                          "there is none");
    add_item("account.1.label", true);
    add_item("account.2.label", false);
    provision_report_changed(&r, "account.1.label");
    r.trusted_added = 1;
    r.identity = true;
    r.generation = 12;
    r.time_s = 1800000000;
    r.trial_ends_s = 1800000060;
    r.lockout = r.forced = true;
    provision_report_end(&r, PROVISION_REFUSED, ERR_CERT, "it is %s", "so");
}

static void test_json(void **state)
{
    (void)state;
    fill();
    assert_true(is_ok(provision_report_write(&r, &text, NULL)));
    assert_string_equal(
        buf_str(&text),
        "{\"id\":7,\"time\":\"2027-01-15T08:00:00Z\",\"cause\":\"push\",\"outcome\":\"refused\","
        "\"code\":\"CERT\",\"sentence\":\"it is so\",\"lockout\":true,\"forced\":true,\"files\":["
        "{\"name\":\"corp.cfg\",\"host\":null,\"bytes\":3,\"sha256\":"
        "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\",\"outcome\":\"read\","
        "\"sentence\":null},{\"name\":\"x.cfg\",\"host\":\"prov.example.com\",\"bytes\":0,"
        "\"sha256\":null,\"outcome\":\"missing\",\"sentence\":\"there is none\"}],\"items\":["
        "{\"file\":\"corp.cfg\",\"line\":3,\"what\":\"setting\",\"subject\":\"account.1.label\","
        "\"ok\":true,\"sentence\":null},{\"file\":\"corp.cfg\",\"line\":3,\"what\":\"setting\","
        "\"subject\":\"account.2.label\",\"ok\":false,\"sentence\":null}],\"items_left_out\":0,"
        "\"changed\":{\"settings\":[\"account.1.label\"],\"settings_left_out\":0,"
        "\"trusted_added\":1,\"trusted_removed\":0,\"identity\":true},\"generation\":12,"
        "\"trial_ends\":\"2027-01-15T08:01:00Z\"}\n");
}

static void test_there_and_back(void **state)
{
    struct provision_report back;
    struct buf again;
    (void)state;
    fill();
    assert_true(is_ok(provision_report_write(&r, &text, NULL)));
    assert_true(is_ok(provision_report_read(buf_slice(&text), &back, NULL)));
    buf_init(&again, LIMIT_RPC_BACKLOG);
    assert_true(is_ok(provision_report_write(&back, &again, NULL)));
    assert_string_equal(buf_str(&text), buf_str(&again));
    assert_memory_equal(r.records[0].sha256, back.records[0].sha256, HASH_SHA256_SIZE);
    provision_report_clear(&back);
    buf_free(&again);
}

static void test_a_copy(void **state)
{
    struct provision_report copy = {0};
    (void)state;
    fill();
    assert_true(is_ok(provision_report_copy(&r, &copy)));
    assert_true(copy.items != r.items);
    assert_string_equal(copy.items[1].subject, "account.2.label");
    provision_report_restart(&r);
    assert_int_equal(7, r.id);
    assert_int_equal(0, r.items_count);
    assert_int_equal(2, copy.items_count);
    assert_true(is_ok(provision_report_copy(&r, &copy))); /* what was there goes */
    assert_null(copy.items);
    provision_report_clear(&copy);
}

static void test_faults_find_room(void **state)
{
    (void)state;
    for (size_t i = 0; i < LIMIT_PROVISION_ITEMS; i++)
        add_item("unknown", true);
    add_item("unknown", true);
    assert_null(provision_report_fault(&r));
    add_item("bad", false);
    assert_int_equal(LIMIT_PROVISION_ITEMS, r.items_count);
    assert_int_equal(2, r.items_left_out);
    assert_string_equal("bad", provision_report_fault(&r)->subject);
    for (size_t i = 1; i < LIMIT_PROVISION_ITEMS; i++)
        add_item("bad", false);
    assert_int_equal(LIMIT_PROVISION_ITEMS, provision_report_faults(&r));
    add_item("one too many", false);
    assert_int_equal(LIMIT_PROVISION_ITEMS, provision_report_faults(&r));
}

/* Whatever is in it, a subscriber's backlog has room for the event. */
static void test_the_largest_fits(void **state)
{
    char longest[400];
    struct provision_item item = {.line = 99999, .what = PROVISION_DELETE_IDENTITY};
    struct provision_report back;
    (void)state;
    memset(longest, '"', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    (void)snprintf(item.file, sizeof item.file, "%s", longest);
    (void)snprintf(item.subject, sizeof item.subject, "%s", longest);
    (void)snprintf(item.sentence, sizeof item.sentence, "%s", longest);
    for (size_t i = 0; i <= LIMIT_PROVISION_RECORDS; i++)
        provision_report_file(&r, longest, longest, PROVISION_FILE_READ, SLICE_EMPTY, "");
    for (size_t i = 0; i <= LIMIT_PROVISION_ITEMS; i++)
        provision_report_item(&r, &item);
    for (size_t i = 0; i <= LIMIT_PROVISION_NAMES; i++)
        provision_report_changed(&r, longest);
    provision_report_end(&r, PROVISION_ROLLED_BACK, ERR_UNSUPPORTED, "%s", longest);
    assert_int_equal(1, r.changed_left_out);
    assert_true(is_ok(provision_report_write(&r, &text, NULL)));
    print_message("the largest report has %zu bytes\n", buf_len(&text));
    assert_in_range(buf_len(&text), 1, LIMIT_RPC_BACKLOG - 200);
    assert_true(is_ok(provision_report_read(buf_slice(&text), &back, NULL)));
    assert_int_equal(LIMIT_PROVISION_ITEMS, back.items_count);
    provision_report_clear(&back);
}

static void test_what_is_printed_is_printable(void **state)
{
    (void)state;
    provision_report_file(&r, "a\x1b[31m\xff\"\\", "", PROVISION_FILE_READ, SLICE_EMPTY, "");
    assert_string_equal("a?[31m?''", r.records[0].name);
    provision_report_changed(&r, "b\n");
    assert_string_equal("b?", r.changed[0]);
    provision_report_end(&r, PROVISION_FAILED, ERR_DNS, "\t");
    assert_string_equal("?", r.sentence);
}

static void test_what_is_no_report(void **state)
{
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "null",
        "{\"id\":1,\"cause\":\"push\"}",
        "{\"id\":0,\"cause\":\"push\",\"outcome\":\"applied\"}",
        "{\"id\":1,\"cause\":\"pull\",\"outcome\":\"applied\"}",
    };
    struct provision_report back;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(ERR_PARSE, provision_report_read(slice_of_str(bad[i]), &back, NULL).code);
    static const char odd[] =
        "{\"id\":1e9,\"cause\":\"push\",\"outcome\":\"applied\",\"time\":5,\"files\":7,"
        "\"items\":[3,{\"line\":-1}],\"changed\":{\"settings\":[null,\"a\"]},\"generation\":1e300}";
    assert_true(is_ok(provision_report_read(slice_of_str(odd), &back, NULL)));
    assert_int_equal(1000000000, back.id);
    assert_int_equal(2, back.items_count);
    assert_int_equal(1, back.changed_count);
    assert_int_equal(0, back.generation);
    provision_report_clear(&back);
}

static void test_names(void **state)
{
    (void)state;
    for (int c = PROVISION_START; c <= PROVISION_LOCAL; c++)
        assert_non_null(provision_cause_name((enum provision_cause)c));
    for (int o = PROVISION_APPLIED; o <= PROVISION_ROLLED_BACK; o++)
        assert_non_null(provision_outcome_name((enum provision_outcome)o));
    assert_true(provision_cause_fetches(PROVISION_CHECK_SYNC));
    assert_false(provision_cause_fetches(PROVISION_PUSH));
    assert_true(provision_outcome_is_good(PROVISION_KEPT));
    assert_false(provision_outcome_is_good(PROVISION_ROLLED_BACK));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_json),
        TEST(test_there_and_back),
        TEST(test_a_copy),
        TEST(test_faults_find_room),
        TEST(test_the_largest_fits),
        TEST(test_what_is_printed_is_printable),
        TEST(test_what_is_no_report),
        TEST(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
