#include "tools/unit.h"

#include <string.h>

#include "sip/uri.h"

static void takes_uris_apart(void **state)
{
    static const struct {
        const char *text, *scheme, *userinfo, *host, *port, *params, *headers;
    } cases[] = {
        {"sip:example.com", "sip", "", "example.com", "", "", ""},
        {"SIPS:alice@example.com:5061", "SIPS", "alice", "example.com", "5061", "", ""},
        {"sip:alice:pw@h;transport=tls;lr?a=b&c=", "sip", "alice:pw", "h", "", "transport=tls;lr",
         "a=b&c="},
        {"sip:a;b=c?d@h", "sip", "a;b=c?d", "h", "", "", ""},
        {"sip:%61%00@1.2.3.4", "sip", "%61%00", "1.2.3.4", "", "", ""},
        {"sip:a@[2001:db8::1]:5061;lr", "sip", "a", "[2001:db8::1]", "5061", "lr", ""},
        {"sip:[::ffff:1.2.3.4]", "sip", "", "[::ffff:1.2.3.4]", "", "", ""},
        {"sip:a@in_house-1.example.", "sip", "a", "in_house-1.example.", "", "", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sip_uri u;
        if (!sip_uri_parse(slice_of_str(cases[i].text), &u))
            fail_msg("%s", cases[i].text);
        assert_true(slice_eq_str(u.scheme, cases[i].scheme));
        assert_true(slice_eq_str(u.userinfo, cases[i].userinfo));
        assert_true(slice_eq_str(u.host, cases[i].host));
        assert_true(slice_eq_str(u.port, cases[i].port));
        assert_true(slice_eq_str(u.params, cases[i].params));
        assert_true(slice_eq_str(u.headers, cases[i].headers));
        assert_true(sip_uri_valid(slice_of_str(cases[i].text)));
    }
}

static void refuses_what_is_none(void **state)
{
    static const char *const cases[] = {
        "",
        "sip",
        "sip:",
        "sip:@h",
        "sip::pw@h",
        "sip:a@",
        "sip:a@@h",
        "sip:a b@h",
        "sip:a@h ",
        "sip:a<b@h",
        "sip:a>b@h",
        "sip:a\"b@h",
        "sip:a%4@h",
        "sip:a%zz@h",
        "sip:a\x80@h",
        "sip:a\r\n@h",
        "sip:a@.h",
        "sip:a@h..com",
        "sip:a@h:",
        "sip:a@h:0",
        "sip:a@h:65536",
        "sip:a@h:50x",
        "sip:a@h;",
        "sip:a@h;;lr",
        "sip:a@h;lr=",
        "sip:a@h;=x",
        "sip:a@h;a b",
        "sip:a@h?",
        "sip:a@h?a=b c",
        "sip:a@2001:db8::1",
        "sip:a@[2001:db8::1",
        "sip:a@2001:db8::1]",
        "sip:a@[]",
        "sip:a@[:",
        "sip:a@[12]",
        "sip:a@[2001:db8::zz]",
        "sip:a@[::1]x",
        "1x:y",
        "tel:",
        "tel:+1 2",
        "http://a<b",
        ":x",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (sip_uri_valid(slice_of_str(cases[i])))
            fail_msg("taken: %s", cases[i]);
}

static void lets_other_schemes_pass(void **state)
{
    static const char *const cases[] = {"tel:+4930123", "http://example.com/?a=b",
                                        "soap.beep://192.0.2.103:3002", "urn:uuid:x", "x:y"};
    struct sip_uri u;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(sip_uri_valid(slice_of_str(cases[i])));
        assert_false(sip_uri_parse(slice_of_str(cases[i]), &u));
    }
}

/* RFC 3261 section 19.1.4, its own examples first. */
static void compares_as_the_rfc_says(void **state)
{
    static const struct {
        bool equal;
        const char *a, *b;
    } cases[] = {
        {true, "sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"},
        {true, "sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"},
        {true, "sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"},
        {true, "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
         "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"},
        {true, "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
         "sip:alice@atlanta.com?priority=urgent&subject=project%20x"},
        {false, "SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"},
        {false, "sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"},
        {false, "sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"},
        {false, "sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"},
        {false, "sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"},
        {false, "sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"},
        {false, "sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"},
        /* and what they leave open */
        {false, "sip:a@h", "sips:a@h"},
        {true, "SIPS:a@h", "sips:a@H"},
        {false, "sip:a@h", "sip:h"},
        {false, "sip:a:pw@h", "sip:a@h"},
        {false, "sip:a@h", "sip:a@h;user=phone"},
        {false, "sip:a@h;maddr=1.2.3.4", "sip:a@h"},
        {false, "sip:a@h;ttl=1", "sip:a@h"},
        {true, "sip:a@h;lr", "sip:a@h"},
        {false, "sip:a@h;x", "sip:a@h;x=1"},
        {false, "sip:a%3Bb@h", "sip:a;b@h"}, /* a reserved one means another thing when escaped */
        {true, "sip:a%3bb@h", "sip:a%3Bb@h"},
        {false, "sip:a%00b@h", "sip:a@h"},
        {false, "sip:a%2541@h", "sip:a%41@h"},
        {true, "sip:a@[2001:db8::1]:5061", "sip:a@[2001:DB8:0::1]:05061"},
        {false, "sip:a@[2001:db8::1]", "sip:a@[2001:db8::2]"},
        {false, "tel:1", "tel:1"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct slice a = slice_of_str(cases[i].a), b = slice_of_str(cases[i].b);
        if (sip_uri_equal(a, b) != cases[i].equal || sip_uri_equal(b, a) != cases[i].equal)
            fail_msg("%s and %s", cases[i].a, cases[i].b);
    }
}

static void escapes_user_names(void **state)
{
    static const struct {
        const char *user, *escaped;
    } cases[] = {
        {"alice", "alice"},       {"a@b", "a%40b"},       {"a b", "a%20b"},
        {"a:b", "a%3Ab"}, /* or it would be a password */
        {"100%", "100%25"},       {"\xc3\xa9", "%C3%A9"}, {"<\">\r\n", "%3C%22%3E%0D%0A"},
        {"+1;ext=2", "+1;ext=2"}, {"*31#", "*31%23"},
    };
    struct buf b;
    (void)state;
    buf_init(&b, 256);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        buf_clear(&b);
        assert_true(is_ok(sip_uri_write_user(&b, cases[i].user)));
        assert_string_equal(buf_str(&b), cases[i].escaped);
    }
    assert_int_equal(sip_uri_write_user(&b, "").code, ERR_INVALID);
    buf_free(&b);
}

static void writes_hosts(void **state)
{
    static const struct {
        const char *host, *written; /* NULL: refused */
    } cases[] = {
        {"example.com", "example.com"},
        {"192.0.2.1", "192.0.2.1"},
        {"2001:db8::1", "[2001:db8::1]"},
        {"[2001:db8::1]", "[2001:db8::1]"},
        {"", NULL},
        {"a b", NULL},
        {"a>b", NULL},
        {"example.com:5061", NULL},
        {"2001:db8::1%eth0", NULL},
        {"a;b", NULL},
    };
    struct buf b;
    (void)state;
    buf_init(&b, 256);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        buf_clear(&b);
        const struct result r = sip_uri_write_host(&b, cases[i].host);
        assert_int_equal(r.code, cases[i].written != NULL ? ERR_OK : ERR_INVALID);
        assert_string_equal(buf_str(&b), cases[i].written != NULL ? cases[i].written : "");
    }
    buf_free(&b);
}

static void compares_users(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"alice", "alice", true},  {"alice", "%61lice", true},
        {"alice", "Alice", false}, {"alice:secret", "alice", true},
        {"alice", "alic", false},  {"", "", true},
        {"", "alice", false},      {"a;b=c", "a", false},
        {"a%3bb", "a;b", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (sip_user_equal(slice_of_str(cases[i].a), slice_of_str(cases[i].b)) != cases[i].equal)
            fail_msg("%s, %s", cases[i].a, cases[i].b);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_uris_apart),
        cmocka_unit_test(compares_users),
        cmocka_unit_test(refuses_what_is_none),
        cmocka_unit_test(lets_other_schemes_pass),
        cmocka_unit_test(compares_as_the_rfc_says),
        cmocka_unit_test(escapes_user_names),
        cmocka_unit_test(writes_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
