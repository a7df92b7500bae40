#include "tools/unit.h"

#include <string.h>

#include "sip/field.h"

static void splits_lists_outside_quotes_and_brackets(void **state)
{
    static const struct {
        const char *list;
        const char *elements[5];
    } cases[] = {
        {"a", {"a"}},
        {" a , b ", {"a", "b"}},
        {"\"a,b\" <sip:x>,c", {"\"a,b\" <sip:x>", "c"}},
        {"\"\\\",\", <sip:a,b>", {"\"\\\",\"", "<sip:a,b>"}},
        {"a,,b", {"a", "", "b"}},
        {"a,", {"a", ""}},
        {"\"a,b", {"\"a,b"}},
        {"<a,b", {"<a,b"}},
        {"\"<\",<\">,\"", {"\"<\"", "<\">", "\""}},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct slice rest = slice_of_str(cases[i].list), element;
        size_t n = 0;
        for (; sip_field_next(&rest, &element); n++) {
            assert_non_null(cases[i].elements[n]);
            assert_true(slice_eq_str(element, cases[i].elements[n]));
        }
        assert_null(cases[i].elements[n]);
    }
}

static void judges_addresses(void **state)
{
    static const struct {
        const char *address;
        const char *wrong;
    } cases[] = {
        {"sip:a@h", NULL},
        {"sip:a@h;tag=1", NULL},
        {"<sip:a@h;lr>;tag=1 ; x = y;z", NULL},
        {"Alice Ann <sip:a@h>", NULL},
        {"\"A \\\" <b>; c\" <sip:a@h>;tag=\"x;y\"", NULL},
        {"A<sip:a@h>", NULL},
        {"<tel:+1>", NULL},
        {"<sip:a@h?x=y>", NULL},
        {"<sip:a@h>;+sip.instance=\"<urn:uuid:x>\";reg-id=1", NULL},
        {"<sip:a@h>;tag=a@b", NULL},
        {"<sip:a@h>;received=[::1]:5", NULL},
        {"", "the URI is missing"},
        {"<>", "the URI is missing"},
        {"alice", "the URI is not valid"},
        {"< sip:a@h >", "the URI is not valid"},
        {"<sip:a@h> x", "the '<' has no '>' at the end of the address"},
        {"<sip:a@h", "the '<' has no '>' at the end of the address"},
        {"<sip:a@h>x;y", "the '<' has no '>' at the end of the address"},
        {"<sip:a><sip:b>", "the URI is not valid"},
        {"\"A <sip:a@h>", "a quoted string does not end, or no address follows it"},
        {"\"A\" sip:a@h", "a quoted string does not end, or no address follows it"},
        {"\"A\"B <sip:a@h>", "a quoted string does not end"},
        {"A (b) <sip:a@h>", "the display name needs quotes"},
        {"J\xc3\xbcrg <sip:a@h>", "the display name needs quotes"},
        {"sip:a@h?x=y", "a URI with '?' needs <> around it"},
        {"sip:a@h;", "a parameter is empty"},
        {"<sip:a@h>;;x", "a parameter is empty"},
        {"<sip:a@h>;=x", "a parameter is empty"},
        {"<sip:a@h>;a b=x", "a parameter's name is no token"},
        {"<sip:a@h>;x=", "a parameter's value is broken"},
        {"<sip:a@h>;x=a b", "a parameter's value is broken"},
        {"<sip:a@h>;x=\"a", "a parameter's value is broken"},
        {"<sip:a@h>;x=\"a\"b", "a parameter's value is broken"},
        {"<sip:a@h>;x=<y>", "a parameter's value is broken"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *wrong = sip_field_check_address(slice_of_str(cases[i].address));
        if ((wrong == NULL) != (cases[i].wrong == NULL) ||
            (wrong != NULL && strcmp(wrong, cases[i].wrong) != 0))
            fail_msg("%s: %s", cases[i].address, wrong != NULL ? wrong : "taken");
    }
}

static void judges_vias(void **state)
{
    static const struct {
        const char *via;
        const char *wrong;
    } cases[] = {
        {"SIP/2.0/TLS host:5061;branch=z9hG4bKx;rport", NULL},
        {"SIP / 2.0 / TLS   [2001:db8::1]:5061 ; branch = x", NULL},
        {"sip/2.0/x-new h", NULL},
        {"SIP/2.0/UDP h;received=2001:db8::9:255", NULL},
        {"", "it does not begin with SIP/2.0 and a transport"},
        {"SIP/2.0/", "it does not begin with SIP/2.0 and a transport"},
        {"SIP/3.0/TLS h", "it does not begin with SIP/2.0 and a transport"},
        {"HTTP/2.0/TLS h", "it does not begin with SIP/2.0 and a transport"},
        {"SIP/2.0/TLS", "the host or port is not valid"},
        {"SIP/2.0/TLS h i", "the host or port is not valid"},
        {"SIP/2.0/TLS h:99999", "the host or port is not valid"},
        {"SIP/2.0/TLS h;;branch=x", "a parameter is empty"},
        {"SIP/2.0/TLS h;branch=", "a parameter's value is broken"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *wrong = sip_field_check_via(slice_of_str(cases[i].via));
        if ((wrong == NULL) != (cases[i].wrong == NULL) ||
            (wrong != NULL && strcmp(wrong, cases[i].wrong) != 0))
            fail_msg("%s: %s", cases[i].via, wrong != NULL ? wrong : "taken");
    }
}

static void gives_the_uri(void **state)
{
    static const char *const cases[] = {"sip:a@h", "sip:a@h;tag=1", "<sip:a@h>;tag=<b>",
                                        "\"<sip:x>\" <sip:a@h>", "A <sip:a@h>"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_true(slice_eq_str(sip_field_uri(slice_of_str(cases[i])), "sip:a@h"));
}

static void knows_tokens(void **state)
{
    (void)state;
    assert_true(sip_token_valid(SLICE_LIT("aZ09-.!%*_+`'~")));
    assert_false(sip_token_valid(SLICE_EMPTY));
    assert_false(sip_token_valid(SLICE_LIT("a b")));
    assert_false(sip_token_valid(SLICE_LIT("a\0b")));
    assert_false(sip_token_valid(SLICE_LIT("a:b")));
    assert_false(sip_token_valid(SLICE_LIT("\x80")));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_lists_outside_quotes_and_brackets),
        cmocka_unit_test(judges_addresses),
        cmocka_unit_test(judges_vias),
        cmocka_unit_test(gives_the_uri),
        cmocka_unit_test(knows_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
