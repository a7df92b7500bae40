/* The watch over certificates that end: what is told, when, and how often. */
#include "control/expiry.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/report.h"
#include "tools/unit.h"

#define DAY_S  INT64_C(86400)
#define NOW    INT64_C(1800000000) /* 2027-01-15T08:00:00Z */
#define YEAR_S (365 * DAY_S)

static struct expiry *watch;

/* What was told, one a line: "peer leaf expiring 6". */
static char told[4096];
static char listed[4096];

static void write_line(char *to, size_t size, const struct expiry_notice *n)
{
    const size_t at = strlen(to);
    (void)snprintf(to + at, size - at, "%s %s %s %d\n", expiry_role_name(n->item->role),
                   n->item->name, expiry_state_name(n), n->gone ? 0 : (int)expiry_days_left(n));
}

static void list_it(void *arg, const struct expiry_notice *n)
{
    (void)arg;
    write_line(listed, sizeof listed, n);
}

static void note(void *arg, const struct expiry_notice *n)
{
    assert_ptr_equal(arg, watch);
    write_line(told, sizeof told, n);
    listed[0] = '\0';
    expiry_each(watch, (struct wallclock){NOW, CLOCK_SET}, list_it, NULL); /* may be asked in it */
}

static int set_up(void **state)
{
    (void)state;
    told[0] = listed[0] = '\0';
    assert_true(is_ok(expiry_new(&watch)));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    expiry_free(watch);
    return 0;
}

/* One whose name is also what its fingerprint is made of. */
static struct expiry_item item(enum expiry_role role, const char *name, int64_t not_after_s,
                               uint32_t accounts)
{
    struct expiry_item it = {.role = role, .accounts = accounts, .not_after_s = not_after_s};
    (void)snprintf(it.name, sizeof it.name, "%s", name);
    hash_sha256(slice_of_str(name), it.sha256);
    return it;
}

static void update(const struct expiry_item *items, size_t n, uint32_t pending, int64_t now_s,
                   enum clock_state state, const char *expected)
{
    told[0] = '\0';
    expiry_update(watch, items, n, pending, (struct wallclock){now_s, state}, note, watch);
    assert_string_equal(told, expected);
}

static void look(const struct expiry_item *it, int64_t now_s, const char *expected)
{
    update(it, it != NULL, 0, now_s, CLOCK_SET, expected);
}

static const char *list(int64_t now_s)
{
    listed[0] = '\0';
    expiry_each(watch, (struct wallclock){now_s, CLOCK_SET}, list_it, NULL);
    return listed;
}

/* --- thresholds --- */

static void test_each_threshold_is_told_once(void **state)
{
    const struct expiry_item it = item(EXPIRY_CUSTOM, "ca", NOW, 0);
    static const struct {
        int64_t before_s; /* the end */
        const char *told;
    } steps[] = {
        {30 * DAY_S + 1, ""},
        {30 * DAY_S, "trusted ca expiring 30\n"},
        {30 * DAY_S - 1, ""},
        {7 * DAY_S + 1, ""},
        {7 * DAY_S, "trusted ca expiring 7\n"},
        {DAY_S + 1, ""},
        {DAY_S, "trusted ca expiring 1\n"},
        {1, ""},
        {0, ""}, /* the last second is still within */
        {-1, "trusted ca expired 0\n"},
        {-100 * DAY_S, ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(steps); i++)
        look(&it, NOW - steps[i].before_s, steps[i].told);
}

/* From one wake-up to the next, and never in vain. */
static void test_the_next_look_is_when_something_is_to_be_told(void **state)
{
    const struct expiry_item it = item(EXPIRY_OWN, "own", NOW, 0);
    int64_t at = NOW - 100 * DAY_S;
    (void)state;
    look(&it, at, "");
    for (int i = 0; i < 4; i++) {
        at = expiry_next_s(watch);
        told[0] = '\0';
        expiry_update(watch, &it, 1, 0, (struct wallclock){at - 1, CLOCK_SET}, note, watch);
        assert_string_equal(told, "");
        expiry_update(watch, &it, 1, 0, (struct wallclock){at, CLOCK_SET}, note, watch);
        assert_string_not_equal(told, "");
    }
    assert_int_equal(at, NOW + 1);
    assert_int_equal(expiry_next_s(watch), INT64_MAX);
}

static void test_the_nearest_of_several(void **state)
{
    const struct expiry_item items[] = {item(EXPIRY_CUSTOM, "a", NOW + 50 * DAY_S, 0),
                                        item(EXPIRY_OWN, "b", NOW + 8 * DAY_S, 0),
                                        item(EXPIRY_PEER, "c", NOW - DAY_S, 1)};
    (void)state;
    update(items, 3, 0, NOW, CLOCK_SET, "own b expiring 8\npeer c expired 0\n");
    assert_int_equal(expiry_next_s(watch), NOW + DAY_S);
    assert_string_equal(list(NOW), "own b expiring 8\npeer c expired 0\n");
    assert_string_equal(list(NOW + DAY_S - 1), "own b expiring 7\npeer c expired 0\n");
}

/* Found late, after a start: the nearest threshold that has passed, not all of them. */
static void test_only_the_nearest_threshold_that_passed(void **state)
{
    const struct expiry_item it = item(EXPIRY_CUSTOM, "ca", NOW + 3 * DAY_S, 0);
    (void)state;
    look(&it, NOW, "trusted ca expiring 3\n");
    assert_int_equal(expiry_next_s(watch), NOW + 2 * DAY_S);
}

/* --- certificates come and go --- */

static void test_a_renewed_certificate(void **state)
{
    const struct expiry_item old = item(EXPIRY_OWN, "old", NOW + DAY_S, 0);
    const struct expiry_item new = item(EXPIRY_OWN, "new", NOW + YEAR_S, 0);
    (void)state;
    look(&old, NOW, "own old expiring 1\n");
    look(&new, NOW, "own old replaced 0\n");
    assert_string_equal(list(NOW), "");
    look(&old, NOW, "own old expiring 1\n"); /* put back: it is told anew */
    look(NULL, NOW, "own old replaced 0\n");
    assert_int_equal(expiry_next_s(watch), INT64_MAX);
}

static void test_one_that_nobody_was_told_of_goes_quietly(void **state)
{
    const struct expiry_item it = item(EXPIRY_CUSTOM, "ca", NOW + YEAR_S, 0);
    (void)state;
    look(&it, NOW, "");
    look(NULL, NOW, "");
}

static void test_the_same_certificate_in_two_roles(void **state)
{
    const struct expiry_item pin[] = {item(EXPIRY_CUSTOM, "pin", NOW + DAY_S, 0),
                                      item(EXPIRY_PEER, "pin", NOW + DAY_S, 1)};
    (void)state;
    update(pin, 2, 0, NOW, CLOCK_SET, "trusted pin expiring 1\npeer pin expiring 1\n");
}

static uint32_t accounts_seen;

static void note_accounts(void *arg, const struct expiry_notice *n)
{
    (void)arg;
    accounts_seen = n->item->accounts;
}

static void test_accounts_are_added_up(void **state)
{
    const struct expiry_item items[] = {item(EXPIRY_PEER, "leaf", NOW + DAY_S, 1u << 0),
                                        item(EXPIRY_PEER, "leaf", NOW + DAY_S, 1u << 4)};
    (void)state;
    update(items, 2, 0, NOW, CLOCK_SET, "peer leaf expiring 1\n");
    expiry_each(watch, (struct wallclock){NOW, CLOCK_SET}, note_accounts, NULL);
    assert_int_equal(accounts_seen, 0x11);
    update(items, 1, 0, NOW, CLOCK_SET, "");
    expiry_each(watch, (struct wallclock){NOW, CLOCK_SET}, note_accounts, NULL);
    assert_int_equal(accounts_seen, 1);
}

/* A connection that is lost and comes back tells nothing anew. */
static void test_a_peer_that_is_away_for_a_while(void **state)
{
    const struct expiry_item path[] = {item(EXPIRY_PEER, "leaf", NOW + DAY_S, 1),
                                       item(EXPIRY_BUILTIN, "root", NOW + DAY_S, 1),
                                       item(EXPIRY_CUSTOM, "ca", NOW + DAY_S, 1)};
    (void)state;
    update(path, 3, 0, NOW, CLOCK_SET,
           "peer leaf expiring 1\ntrusted root expiring 1\ntrusted ca expiring 1\n");
    /* A custom one is gone for sure where it is not on the list. */
    update(NULL, 0, 1, NOW, CLOCK_SET, "trusted ca replaced 0\n");
    assert_string_equal(list(NOW), "peer leaf expiring 1\ntrusted root expiring 1\n");
    update(NULL, 0, 1, NOW + DAY_S + 1, CLOCK_SET, "peer leaf expired 0\ntrusted root expired 0\n");
    update(path, 2, 0, NOW + DAY_S + 1, CLOCK_SET, "");
    update(NULL, 0, 2, NOW, CLOCK_SET, "peer leaf replaced 0\ntrusted root replaced 0\n");
}

static void test_more_than_can_be_remembered(void **state)
{
    static struct expiry_item items[LIMIT_EXPIRY + 20];
    char name[16];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(items); i++) {
        (void)snprintf(name, sizeof name, "%zu", i);
        items[i] = item(EXPIRY_PEER, name, NOW + YEAR_S, 1);
    }
    update(items, COUNT_OF(items), 0, NOW, CLOCK_SET, "");
    update(items + 20, LIMIT_EXPIRY, 0, NOW, CLOCK_SET, "");
    update(NULL, 0, 0, NOW, CLOCK_SET, "");
}

/* --- the clock --- */

static void test_without_a_clock_nothing_is_judged(void **state)
{
    const struct expiry_item it = item(EXPIRY_CUSTOM, "ca", NOW - DAY_S, 0);
    (void)state;
    update(&it, 1, 0, NOW, CLOCK_UNSET, "");
    assert_int_equal(expiry_next_s(watch), INT64_MAX);
    update(&it, 1, 0, NOW, CLOCK_FLOOR, "trusted ca expired 0\n");
    update(&it, 1, 0, 0, CLOCK_UNSET, ""); /* what was told stands */
    update(NULL, 0, 0, 0, CLOCK_UNSET, "trusted ca replaced 0\n");
}

static void test_a_clock_that_jumps(void **state)
{
    const struct expiry_item it = item(EXPIRY_CUSTOM, "ca", NOW + 20 * DAY_S, 0);
    (void)state;
    look(&it, NOW + 10 * YEAR_S, "trusted ca expired 0\n");
    look(&it, NOW, "trusted ca expiring 20\n");
    look(&it, NOW - 20 * DAY_S, "trusted ca valid 40\n");
    assert_string_equal(list(NOW), "");
    assert_int_equal(expiry_next_s(watch), NOW - 10 * DAY_S);
    look(&it, NOW, "trusted ca expiring 20\n");
}

/* --- sentences --- */

static const char *sentence(const struct expiry_item *it, enum expiry_stage stage, bool gone,
                            int64_t left_s)
{
    static char text[LIMIT_REPORT_TEXT];
    const struct expiry_notice n = {it, stage, gone, left_s};
    expiry_sentence(&n, text, sizeof text);
    return text;
}

static void test_sentences(void **state)
{
    const struct expiry_item custom = item(EXPIRY_CUSTOM, "Office CA", NOW, 0x3);
    const struct expiry_item builtin = item(EXPIRY_BUILTIN, "Big Root", NOW, 0x4);
    const struct expiry_item own = item(EXPIRY_OWN, "001565123456", NOW, 0);
    const struct expiry_item peer = item(EXPIRY_PEER, "sip.example.com", NOW, 0x1);
    (void)state;
    assert_string_equal(
        sentence(&peer, EXPIRY_WEEK, false, 5 * DAY_S + 3600),
        "The certificate 'sip.example.com' of the server of account 1 expires on 2027-01-15 (in 5 "
        "days); the server's admin must renew it");
    assert_string_equal(
        sentence(&peer, EXPIRY_ENDED, false, -1),
        "The certificate 'sip.example.com' of the server of account 1 expired on 2027-01-15; the "
        "server's admin must renew it");
    assert_string_equal(sentence(&custom, EXPIRY_DAY, false, DAY_S),
                        "The trusted certificate 'Office CA' expires on 2027-01-15 (in 1 day); add "
                        "its successor; it is needed by accounts 1, 2");
    assert_string_equal(sentence(&own, EXPIRY_DAY, false, DAY_S - 1),
                        "The phone's own certificate '001565123456' expires on 2027-01-15 (in less "
                        "than a day); servers that ask for it will refuse the phone: install a new "
                        "one");
    assert_string_equal(sentence(&builtin, EXPIRY_FINE, true, 0),
                        "The built-in CA 'Big Root' is not in use any more");
    assert_string_equal(
        sentence(&builtin, EXPIRY_FINE, false, YEAR_S),
        "The built-in CA 'Big Root' expires on 2027-01-15 (in 365 days): the clock was corrected");
}

/* The longest that there can be is whole. */
static void test_the_longest_sentence_fits(void **state)
{
    struct expiry_item it = item(EXPIRY_BUILTIN, "", NOW, 0xffff);
    (void)state;
    memset(it.name, 'x', sizeof it.name - 1);
    const char *text = sentence(&it, EXPIRY_MONTH, false, 30 * DAY_S);
    assert_non_null(
        strstr(text, "by accounts 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16"));
    char small[10];
    const struct expiry_notice n = {&it, EXPIRY_MONTH, false, 1};
    expiry_sentence(&n, small, sizeof small);
    assert_string_equal(small, "The built");
}

static void test_as_json(void **state)
{
    const struct expiry_item it = item(EXPIRY_PEER, "sip\xff", NOW, 0x5);
    const struct expiry_notice n = {&it, EXPIRY_WEEK, false, 5 * DAY_S};
    char *text;
    struct cJSON *json = report_certificate(&n);
    (void)state;
    cJSON_DeleteItemFromObject(json, "sha256");
    text = cJSON_PrintUnformatted(json);
    assert_string_equal(
        text, "{\"role\":\"peer\",\"accounts\":[1,3],\"name\":\"sip?\","
              "\"not_after\":\"2027-01-15T08:00:00Z\",\"days_left\":5,\"state\":\"expiring\","
              "\"sentence\":\"The certificate 'sip?' of the server of accounts 1, 3 expires on "
              "2027-01-15 (in 5 days); the server's admin must renew it\"}");
    free(text);
    cJSON_Delete(json);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_threshold_is_told_once),
        TEST(test_the_next_look_is_when_something_is_to_be_told),
        TEST(test_the_nearest_of_several),
        TEST(test_only_the_nearest_threshold_that_passed),
        TEST(test_a_renewed_certificate),
        TEST(test_one_that_nobody_was_told_of_goes_quietly),
        TEST(test_the_same_certificate_in_two_roles),
        TEST(test_accounts_are_added_up),
        TEST(test_a_peer_that_is_away_for_a_while),
        TEST(test_more_than_can_be_remembered),
        TEST(test_without_a_clock_nothing_is_judged),
        TEST(test_a_clock_that_jumps),
        TEST(test_sentences),
        TEST(test_the_longest_sentence_fits),
        TEST(test_as_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
