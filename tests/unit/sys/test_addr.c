/* addr: literals to addresses and back. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "sys/addr.h"
#include "tools/unit.h"

static void literals_are_parsed_and_formatted(void **state)
{
    (void)state;
    static const struct {
        const char *text, *with_port, *host;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1:5061", "192.0.2.1"},
        {"0.0.0.0", "0.0.0.0:5061", "0.0.0.0"},
        {"::", "[::]:5061", "::"},
        {"2001:DB8:0:0::1", "[2001:db8::1]:5061", "2001:db8::1"},
        {"[2001:db8::1]", "[2001:db8::1]:5061", "2001:db8::1"},
        {"::ffff:192.0.2.1", "[::ffff:192.0.2.1]:5061", "::ffff:192.0.2.1"},
        {"fe80::1%1", "[fe80::1%1]:5061", "fe80::1%1"},
        {"fe80::1%lo", "[fe80::1%1]:5061", "fe80::1%1"},
        {"[fe80::1%4294967295]", "[fe80::1%4294967295]:5061", "fe80::1%4294967295"},
        {"1111:2222:3333:4444:5555:6666:7777:8888%4294967295",
         "[1111:2222:3333:4444:5555:6666:7777:8888%4294967295]:5061",
         "1111:2222:3333:4444:5555:6666:7777:8888%4294967295"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct addr a;
        char text[ADDR_TEXT_SIZE];
        if (!addr_parse(cases[i].text, 5061, &a))
            fail_msg("%s is not parsed", cases[i].text);
        addr_format(&a, text);
        assert_string_equal(text, cases[i].with_port);
        addr_format_host(&a, text);
        assert_string_equal(text, cases[i].host);
    }
}

static void what_is_no_literal_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "sip.example.com",
        "192.0.2",
        "192.0.2.256",
        "192.0.2.1.",
        "192.0.2.01",
        "192.0.2.1 ",
        "[192.0.2.1]",
        "[",
        "[]",
        "[::1",
        "::1]",
        ":::",
        "1::2::3",
        "12345::",
        "::1%",
        "::1%0",
        "::1%no-such-interface",
        "fe80::1%4294967296",
        "192.0.2.1%1",
        "2001:db8::1:5061:1:2:3:4:5",
        "111111111111111111111111111111111111111111111111111111111111111111111111111111111111111",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct addr a = {.family = 9};
        if (addr_parse(texts[i], 5061, &a))
            fail_msg("'%s' is parsed", texts[i]);
        assert_int_equal(a.family, 9);
    }
}

static void equal_means_all_of_it(void **state)
{
    (void)state;
    struct addr a, b;
    assert_true(addr_parse("192.0.2.1", 5061, &a));
    b = a;
    b.bytes[15] = 77; /* an IPv4 address has but four */
    assert_true(addr_eq(&a, &b));
    b = a;
    b.bytes[3] ^= 1;
    assert_false(addr_eq(&a, &b));
    b = a;
    b.port++;
    assert_false(addr_eq(&a, &b));
    assert_true(addr_same_host(&a, &b));
    b.bytes[3] ^= 1;
    assert_false(addr_same_host(&a, &b));
    assert_true(addr_parse("fe80::1%1", 5061, &a));
    b = a;
    b.scope++;
    assert_false(addr_eq(&a, &b));
    b = a;
    b.family = 4;
    assert_false(addr_eq(&a, &b));
    const struct addr none = {0}, none_too = {.bytes = {1}};
    assert_true(addr_eq(&none, &none_too));
}

static void no_address_has_no_text(void **state)
{
    (void)state;
    const struct addr none = {0};
    char text[ADDR_TEXT_SIZE] = "x";
    addr_format(&none, text);
    assert_string_equal(text, "");
}

static void the_systems_form_goes_and_comes(void **state)
{
    (void)state;
    static const char *const texts[] = {"192.0.2.1", "2001:db8::1", "fe80::1%3"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct addr a;
        struct sockaddr_storage sa;
        assert_true(addr_parse(texts[i], 5061, &a));
        assert_int_equal(addr_to_sockaddr(&a, &sa),
                         a.family == 4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
        const struct addr back = addr_from_sockaddr((const struct sockaddr *)&sa);
        assert_true(addr_eq(&a, &back));
    }
    const struct sockaddr other = {.sa_family = AF_UNIX};
    assert_int_equal(addr_from_sockaddr(&other).family, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_are_parsed_and_formatted),
        cmocka_unit_test(what_is_no_literal_is_refused),
        cmocka_unit_test(equal_means_all_of_it),
        cmocka_unit_test(no_address_has_no_text),
        cmocka_unit_test(the_systems_form_goes_and_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
