/* hop_mark: what is read from a response's topmost Via, and whose marks are whose. */
#include "sip/hop_mark.h"

#include <stdio.h>
#include <string.h>

#include "sip/hop.h"
#include "tools/unit.h"

#define REST                                \
    "f: <sips:alice@example.com>;tag=a\r\n" \
    "t: <sips:bob@example.com>\r\n"         \
    "i: call\r\n"                           \
    "CSeq: 1 INVITE\r\n"

static struct sip_message *parse(const char *text)
{
    struct sip_message *m;
    struct errinfo e = ERRINFO_INIT;
    const struct result r = sip_message_parse(slice_of_str(text), &m, &e);
    if (is_err(r))
        fail_msg("%s\n%s", errinfo_text(&e, r), text);
    return m;
}

static void ids_in_branches(void **state)
{
    (void)state;
    static const struct {
        const char *branch;
        bool ours;
    } cases[] = {
        {"z9hG4bK00000000000000070123456789abcdef0123456789abcdef", true},
        {"z9hG4bK00000000000000070123456789abcdef0123456789abcde", false},
        {"z9hG4bK000000000000000g0123456789abcdef0123456789abcdef", false},
        {"z9hG4bk00000000000000070123456789abcdef0123456789abcdef", false},
        {"", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[512];
        uint64_t id = 1;
        (void)snprintf(text, sizeof text, "SIP/2.0 200 OK\r\nv: SIP/2.0/TLS a%s%s\r\n" REST "\r\n",
                       cases[i].branch[0] != '\0' ? ";branch=" : "", cases[i].branch);
        struct sip_message *m = parse(text);
        assert_int_equal(hop_response_id(m, &id), cases[i].ours);
        if (cases[i].ours)
            assert_int_equal(id, 7);
        sip_message_free(m);
    }
}

/* RFC 3581 section 4 */
static void how_the_server_sees_us(void **state)
{
    (void)state;
    static const struct {
        const char *params, *expected;
    } cases[] = {
        {";received=203.0.113.5;rport=40312", "203.0.113.5:40312"},
        {";rport=4;received=2001:db8::5", "[2001:db8::5]:4"},
        {";rport=4;received=[2001:db8::5]", "[2001:db8::5]:4"},
        {";rport;received=203.0.113.5", NULL},
        {";rport=4", NULL},
        {";rport=0;received=203.0.113.5", NULL},
        {";rport=70000;received=203.0.113.5", NULL},
        {";rport=4;received=evil.example.com", NULL},
        {";rport=4;received=\"203.0.113.5\"", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[512], at[HOP_HOSTPORT_SIZE];
        (void)snprintf(text, sizeof text, "SIP/2.0 200 OK\r\nv: SIP/2.0/TLS a%s\r\n" REST "\r\n",
                       cases[i].params);
        struct sip_message *m = parse(text);
        assert_int_equal(hop_seen_at(m, at), cases[i].expected != NULL);
        if (cases[i].expected != NULL)
            assert_string_equal(at, cases[i].expected);
        sip_message_free(m);
    }
}

static void routes_are_of_an_account_and_a_direction(void **state)
{
    (void)state;
    const uint8_t key[HOP_KEY_SIZE] = "mine", other[HOP_KEY_SIZE] = "yours";
    char token[HOP_TOKEN_SIZE];
    bool sips;
    for (int i = 0; i < 4; i++) {
        const bool outward = i / 2 != 0;
        hop_mark_route(key, 3, outward, i % 2 != 0, token);
        const struct slice s = slice_of_str(token);
        assert_true(hop_mark_is_route(key, 3, s, outward, &sips));
        assert_int_equal(sips, i % 2 != 0);
        assert_false(hop_mark_is_route(key, 3, s, !outward, &sips));
        assert_false(hop_mark_is_route(key, 4, s, outward, &sips));
        assert_false(hop_mark_is_route(other, 3, s, outward, &sips));
        assert_false(hop_mark_is_route(key, 3, slice_first(s, s.n - 1), outward, &sips));
        token[1] ^= 's' ^ 'p'; /* the scheme is part of it */
        assert_false(hop_mark_is_route(key, 3, s, outward, &sips));
    }
    assert_false(hop_mark_is_route(key, 3, SLICE_EMPTY, true, &sips));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_in_branches),
        cmocka_unit_test(how_the_server_sees_us),
        cmocka_unit_test(routes_are_of_an_account_and_a_direction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
