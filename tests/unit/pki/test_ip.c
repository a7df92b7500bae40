/* Texts of IP addresses: what is one, and which is the canonical one. */
#include "pki/ip.h"

#include <string.h>

#include "tools/unit.h"

static void texts_are_parsed(void **state)
{
    static const struct {
        const char *text, *canonical; /* NULL: no address */
    } cases[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"256.0.2.1", NULL},
        {"192.0.2", NULL},
        {"192.0.2.1.1", NULL},
        {"192.0.2.", NULL},
        {"192..2.1", NULL},
        {"192.0.02.1", NULL}, /* octal to some */
        {"0xc0.0.2.1", NULL},
        {"192.0.2.1 ", NULL},
        {"+1.0.2.1", NULL},
        {"3221225985", NULL},
        {"[192.0.2.1]", NULL},
        {"", NULL},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"2001:db8::1", "2001:db8::1"},
        {"2001:0DB8:0:0::1", "2001:db8::1"},
        {"[2001:db8::1]", "2001:db8::1"},
        {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"}, /* one group is not shortened */
        {"1::3:4:5:6:7:8", "1:0:3:4:5:6:7:8"},
        {"::ffff:192.0.2.1", "::ffff:c000:201"},
        {"1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:c000:201"},
        {"0:0:1:0:0:0:0:1", "0:0:1::1"},     /* the longest run */
        {"1:0:0:2:0:0:3:4", "1::2:0:0:3:4"}, /* the first of equals */
        {"1:2:3:4:5:6:7", NULL},
        {"1:2:3:4:5:6:7:8:9", NULL},
        {"1:2:3:4::5:6:7:8", NULL}, /* nothing left for the gap */
        {"1::2::3", NULL},
        {":1", NULL},
        {"1:", NULL},
        {":::", NULL},
        {"12345::", NULL},
        {"g::", NULL},
        {"::192.0.2", NULL},
        {"::192.0.2.1:1", NULL},
        {"192.0.2.1::", NULL},
        {"1:2:3:4:5:6:7:192.0.2.1", NULL},
        {"fe80::1%eth0", NULL},
        {"[::1", NULL},
        {"::1]", NULL},
        {"[]", NULL},
        {"[[::1]]", NULL},
    };
    char text[IP_TEXT_SIZE];
    uint8_t ip[16];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const size_t n = ip_parse(slice_of_str(cases[i].text), ip);

        if ((n != 0) != (cases[i].canonical != NULL))
            fail_msg("'%s': %zu bytes", cases[i].text, n);
        if (n == 0)
            continue;
        assert_int_equal(n, strchr(cases[i].text, ':') != NULL ? 16 : 4);
        ip_text(slice_of(ip, n), text, sizeof text);
        assert_string_equal(text, cases[i].canonical);
    }
}

static void a_nul_is_no_end(void **state)
{
    uint8_t ip[16];

    (void)state;
    assert_int_equal(ip_parse(slice_of("192.0.2.1\0", 10), ip), 0);
    assert_int_equal(ip_parse(slice_of("::1\0", 4), ip), 0);
}

/* Every text of every address is read back as the same bytes. */
static void texts_are_read_back(void **state)
{
    uint8_t bytes[16], back[16];
    char text[IP_TEXT_SIZE];

    (void)state;
    for (unsigned zeros = 0; zeros < 256; zeros++) { /* which of the groups are zero */
        for (size_t i = 0; i < 8; i++) {
            bytes[2 * i] = 0;
            bytes[2 * i + 1] = (zeros >> i & 1) != 0 ? 0 : (uint8_t)(i + 1);
        }
        ip_text(slice_of(bytes, 16), text, sizeof text);
        assert_int_equal(ip_parse(slice_of_str(text), back), 16);
        assert_memory_equal(bytes, back, 16);
    }
}

static void other_lengths_have_no_text(void **state)
{
    static const size_t lengths[] = {0, 1, 3, 5, 8, 15, 17, 32};
    const uint8_t bytes[32] = {0};
    char text[IP_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        ip_text(slice_of(bytes, lengths[i]), text, sizeof text);
        assert_string_equal(text, "?");
    }
    ip_text(slice_of(bytes, 4), text, 4);
    assert_string_equal(text, "0.0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_parsed),
        cmocka_unit_test(a_nul_is_no_end),
        cmocka_unit_test(texts_are_read_back),
        cmocka_unit_test(other_lengths_have_no_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
