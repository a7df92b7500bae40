#include <stdio.h>
#include <string.h>

#include "link/door_rules.h"
#include "link/door_stack.h"
#include "tools/unit.h"

static struct sip_message *message(const char *start, const char *from, const char *to,
                                   const char *more)
{
    static char text[4096];
    struct sip_message *m;
    struct errinfo e = ERRINFO_INIT;
    const char *method = strncmp(start, "SIP/2.0", 7) == 0 ? "INVITE" : start;
    (void)snprintf(text, sizeof text,
                   "%s\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKx\r\nFrom: %s\r\nTo: %s\r\n"
                   "Call-ID: c\r\nCSeq: 1 %.*s\r\nMax-Forwards: 9\r\n%sContent-Length: 0\r\n\r\n",
                   start, from, to, (int)strcspn(method, " "), method, more);
    if (is_err(sip_message_parse(slice_of_str(text), &m, &e)))
        fail_msg("%s", e.text);
    return m;
}

static bool is_address(const char *text, const char *shown)
{
    struct addr at;
    char back[ADDR_TEXT_SIZE];
    if (!door_address(slice_of_str(text), &at))
        return false;
    addr_format(&at, back);
    assert_string_equal(back, shown);
    return true;
}

static void test_addresses(void **state)
{
    static const char *const others[] = {
        "",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "192.0.2.1:5080",
        "localhost:5080",
        "[::1]:5080",
        "127.0.0.1:5080x",
        "0.0.0.0:5080",
        "128.0.0.1:1",
        "127.0.0.1:5080:1",
    };
    (void)state;
    assert_true(is_address("127.0.0.1:5080", "127.0.0.1:5080"));
    assert_true(is_address("127.9.8.7:1", "127.9.8.7:1"));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(is_address(others[i], ""));
}

static void test_contacts(void **state)
{
    struct door_contact c;
    char longest[DOOR_CONTACT_SIZE + 20];
    (void)state;
    assert_true(door_contact_parse(SLICE_LIT("sip:a@127.0.0.1:5080;transport=tcp"), &c));
    assert_string_equal(c.uri, "sip:a@127.0.0.1:5080;transport=tcp");
    assert_int_equal(c.at.port, 5080);
    assert_true(door_contact_parse(SLICE_LIT("sip:127.0.0.1"), &c));
    assert_int_equal(c.at.port, 5060);
    assert_true(door_contact_parse(SLICE_LIT("sip:a@192.0.2.1:5080"), &c)); /* not to be dialled */
    assert_int_equal(c.at.family, 0);
    assert_false(door_contact_parse(SLICE_LIT("sips:a@127.0.0.1"), &c));
    assert_false(door_contact_parse(SLICE_LIT("sip:a@127.0.0.1?Subject=x"), &c));
    assert_false(door_contact_parse(SLICE_LIT("tel:1"), &c));
    assert_string_equal(c.uri, "");
    memset(longest, 'a', sizeof longest);
    memcpy(longest, "sip:", 4);
    assert_false(door_contact_parse(slice_of(longest, sizeof longest), &c));
    const struct addr at = {.family = 4, .bytes = {127, 0, 0, 1}, .port = 7};
    assert_true(is_ok(door_contact_make("a b", &at, &c)));
    assert_string_equal(c.uri, "sip:a%20b@127.0.0.1:7;transport=tcp");
}

static void test_whose(void **state)
{
    (void)state;
    assert_true(door_is_ours(SLICE_LIT("sip:alice@example.com"), "alice", "example.com"));
    assert_true(
        door_is_ours(SLICE_LIT("sips:%61lice@EXAMPLE.com:5061;x=y"), "alice", "example.com"));
    assert_true(door_is_ours(SLICE_LIT("sip:alice@[2001:db8::1]"), "alice", "2001:db8::1"));
    assert_false(door_is_ours(SLICE_LIT("sip:Alice@example.com"), "alice", "example.com"));
    assert_false(door_is_ours(SLICE_LIT("sip:example.com"), "alice", "example.com"));
    assert_false(door_is_ours(SLICE_LIT("sip:alice:pw@example.com"), "alice", "example.com"));
    assert_false(door_is_ours(SLICE_LIT("sip:alice@example.com.evil"), "alice", "example.com"));
    assert_false(door_is_ours(SLICE_LIT("tel:+1"), "alice", "example.com"));
}

static bool may_say(const char *start, const char *from, const char *to)
{
    struct sip_message *m = message(start, from, to, "");
    const bool may = door_may_say(m, "alice", "example.com");
    sip_message_free(m);
    return may;
}

static void test_who_may_say(void **state)
{
    static const char us[] = "<sip:alice@example.com>;tag=1", bob[] = "<sip:bob@example.com>;tag=2";
    (void)state;
    assert_true(may_say("INVITE sip:x@y SIP/2.0", us, "<sip:x@y>"));
    assert_false(may_say("INVITE sip:x@y SIP/2.0", bob, "<sip:x@y>"));
    assert_true(may_say("BYE sip:x@y SIP/2.0", bob, us)); /* bob is what the caller has dialled */
    assert_true(may_say("REGISTER sip:example.com SIP/2.0", us, "<sip:alice@example.com>"));
    assert_false(may_say("REGISTER sip:example.com SIP/2.0", us, bob));
    assert_false(may_say("REGISTER sip:example.com SIP/2.0", bob, us));
}

static bool is_target(const char *uri, const char *to, const char *more)
{
    char start[128];
    (void)snprintf(start, sizeof start, "OPTIONS %s SIP/2.0", uri);
    struct sip_message *m = message(start, "<sip:a@b>;tag=1", to, more);
    const bool is = door_is_target(m, "127.0.0.1:5070");
    sip_message_free(m);
    return is;
}

static void test_target(void **state)
{
    (void)state;
    assert_true(is_target("sip:127.0.0.1:5070", "<sip:a@b>", ""));
    assert_true(is_target("sip:127.0.0.1:5070", "<sip:a@b>", "Route: <sip:127.0.0.1:5070;lr>\r\n"));
    assert_false(is_target("sip:127.0.0.1:5071", "<sip:a@b>", ""));
    assert_false(is_target("sip:127.0.0.1", "<sip:a@b>", ""));
    assert_false(is_target("sip:a@127.0.0.1:5070", "<sip:a@b>", ""));
    assert_false(is_target("sip:127.0.0.1:5070", "<sip:a@b>;tag=2", ""));
    assert_false(is_target("sip:127.0.0.1:5070", "<sip:a@b>",
                           "Route: <sip:127.0.0.1:5070;lr>, <sip:p;lr>\r\n"));
}

/* NULL: none is exchanged. */
static void check_outside(const char *start, const char *from, const char *to, const char *contact,
                          const char *expected)
{
    char is[BINDING_CONTACT_SIZE];
    struct slice was;
    struct sip_message *m = message(start, from, to, contact);
    const bool found = door_contact_outside(m, "sips:a@192.0.2.7:4", &was, is);
    assert_int_equal(found, expected != NULL);
    if (found) {
        assert_string_equal(is, expected);
        assert_true(slice_eq_str(was, "sip:a@127.0.0.1"));
    }
    sip_message_free(m);
}

static void test_contact_outside(void **state)
{
    static const char sip[] = "<sip:a@b>;tag=1", sips[] = "<sips:a@b>;tag=1";
    static const char contact[] = "Contact: \"A\" <sip:a@127.0.0.1>;x\r\n";
    static const char as_sip[] = "sip:a@192.0.2.7:4;transport=tls",
                      as_sips[] = "sips:a@192.0.2.7:4";
    (void)state;
    check_outside("INVITE sip:c@d SIP/2.0", sip, sip, contact, as_sip);
    check_outside("INVITE sips:c@d SIP/2.0", sip, sip, contact, as_sips);
    check_outside("SIP/2.0 200 OK", sip, sips, contact, as_sips);
    check_outside("SIP/2.0 200 OK", sip, sip, contact, as_sip);
    check_outside("SIP/2.0 302 Moved", sip, sip, contact, NULL);
    check_outside("SIP/2.0 180 Ringing", sip, sip, "", NULL);
    check_outside("REGISTER sip:d SIP/2.0", sip, sip, "Contact: *\r\nExpires: 0\r\n", NULL);
    char is[BINDING_CONTACT_SIZE];
    struct slice was;
    struct sip_message *m = message("INVITE sip:c@d SIP/2.0", sip, sip, contact);
    assert_false(door_contact_outside(m, "", &was, is)); /* the line has none */
    sip_message_free(m);
}

static void test_contact_inside(void **state)
{
    static const char *const found[] = {
        "Contact: <sip:x@y>, <sip:a@192.0.2.7:4;transport=tls>;expires=5\r\n",
        "Contact: <sips:a@192.0.2.7:4>\r\n"};
    char was[BINDING_CONTACT_SIZE];
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct sip_message *m = message("SIP/2.0 200 OK", "<sip:a@b>;tag=1", "<sip:a@b>;tag=2",
                                        i < 2 ? found[i] : "Contact: <sip:a@192.0.2.8:4>\r\n");
        assert_int_equal(door_contact_inside(m, "sips:a@192.0.2.7:4", was), i < 2);
        sip_message_free(m);
    }
}

static uint32_t asked(const char *more)
{
    struct sip_message *m = message("REGISTER sip:d SIP/2.0", "<sip:a@b>;tag=1", "<sip:a@b>", more);
    const uint32_t seconds = door_asked_s(m);
    sip_message_free(m);
    return seconds;
}

static void test_asked(void **state)
{
    (void)state;
    assert_int_equal(asked("Contact: <sip:a@b>;expires=7\r\nExpires: 9\r\n"), 7);
    assert_int_equal(asked("Contact: <sip:a@b>\r\nExpires: 9\r\n"), 9);
    assert_int_equal(asked("Contact: <sip:a@b>\r\n"), 3600);
    assert_int_equal(asked("Contact: *\r\nExpires: 0\r\n"), 0);
    assert_int_equal(asked("Contact: <sip:a@b>;expires=4294967295\r\n"), 86400);
}

static void learn(struct door_stack *s, const char *start, const char *contact)
{
    char more[128];
    (void)snprintf(more, sizeof more, "Contact: %s\r\n", contact);
    struct sip_message *m = message(start, "<sip:a@b>;tag=1", "<sip:a@b>", more);
    if (strncmp(start, "REGISTER", 8) == 0)
        (void)door_stack_register(s, m);
    else
        door_stack_learn(s, m);
    sip_message_free(m);
}

static uint16_t dialled(const struct door_stack *s)
{
    const struct addr *at = door_stack_address(s, 5070);
    return at == NULL ? 0 : at->port;
}

static void test_where_a_stack_is(void **state)
{
    struct door_stack s = {.user = "alice"};
    const struct addr at = {.family = 4, .bytes = {127, 0, 0, 1}, .port = 7};
    (void)state;
    assert_string_equal(door_stack_contact(&s, &at), "sip:alice@127.0.0.1:7;transport=tcp");
    assert_int_equal(dialled(&s), 0);
    learn(&s, "INVITE sip:c@d SIP/2.0", "<sip:u@127.0.0.1:5081>");
    assert_string_equal(door_stack_contact(&s, &at), "sip:u@127.0.0.1:5081");
    assert_int_equal(dialled(&s), 5081);
    learn(&s, "REGISTER sip:d SIP/2.0", "<sip:r@127.0.0.1:5082>");
    learn(&s, "INVITE sip:c@d SIP/2.0", "<sip:u@127.0.0.1:5083>");
    assert_string_equal(door_stack_contact(&s, &at), "sip:r@127.0.0.1:5082");
    s.peer = (struct addr){.family = 4, .bytes = {127, 0, 0, 1}, .port = 5090};
    assert_int_equal(dialled(&s), 5082);
    s.misled = true;
    assert_int_equal(dialled(&s), 5090);
    learn(&s, "REGISTER sip:d SIP/2.0", "<sip:r@127.0.0.1:5082>;expires=0");
    assert_string_equal(door_stack_contact(&s, &at), "sip:r@127.0.0.1:5082"); /* used last */
    learn(&s, "INVITE sip:c@d SIP/2.0", "<sip:u@127.0.0.1:5070>");            /* ourselves */
    assert_int_equal(dialled(&s), 5090);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_contacts),
        cmocka_unit_test(test_whose),
        cmocka_unit_test(test_who_may_say),
        cmocka_unit_test(test_target),
        cmocka_unit_test(test_contact_outside),
        cmocka_unit_test(test_contact_inside),
        cmocka_unit_test(test_asked),
        cmocka_unit_test(test_where_a_stack_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
