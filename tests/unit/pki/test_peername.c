/* Names: what is asked for, what certificates present, and the three rule sets. */
#include "pki/peername.h"

#include <stdio.h>
#include <string.h>

#include "pki/ip.h"
#include "tools/testpki.h"
#include "tools/unit.h"

/* --- what the admin writes --- */

static void parse_gives_the_canonical_form(void **state)
{
    static const struct {
        const char *text, *canonical;
        bool ip;
    } cases[] = {
        {"sip.example.com", "sip.example.com", false},
        {"SIP.Example.COM", "sip.example.com", false},
        {"sip.example.com.", "sip.example.com", false},
        {"  pbx\t", "pbx", false},
        {"my_pbx.lan", "my_pbx.lan", false},
        {"xn--bcher-kva.example", "xn--bcher-kva.example", false},
        {"3com.example", "3com.example", false},
        {"192.0.2.1", "192.0.2.1", true},
        {"2001:DB8::1", "2001:db8::1", true},
        {"[2001:db8::1]", "2001:db8::1", true},
        {"2001:0db8:0:0:0:0:0:1", "2001:db8::1", true},
        {"::", "::", true},
        {"::1", "::1", true},
        {"1::", "1::", true},
        {"::ffff:192.0.2.1", "::ffff:c000:201", true},
        {"1:0:0:2:0:0:0:3", "1:0:0:2::3", true},
        {"1:0:0:2:3:0:0:4", "1::2:3:0:0:4", true},
        {"1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7", true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct peername p;

        if (is_err(peername_parse(slice_of_str(cases[i].text), &p, NULL)))
            fail_msg("'%s' was refused", cases[i].text);
        assert_string_equal(p.text, cases[i].canonical);
        assert_int_equal(p.kind, cases[i].ip ? PEERNAME_IP : PEERNAME_DNS);
    }
}

static void parse_refuses_what_is_no_name(void **state)
{
    static const char *const cases[] = {
        "",
        ".",
        "..",
        "a..b",
        ".a",
        "-a.example",
        "a-.example",
        "a b",
        "*.example.com",
        "sip:example.com",
        "a/b",
        "192.0.2",
        "192.0.2.256",
        "192.0.2.1.1",
        "192.0.2.01",
        "0x7f.1",
        "2001:db8::1::2",
        "2001:db8:0:0:0:0:0:0:1",
        "1:2:3:4:5:6:7",
        "12345::",
        "::1%eth0",
        "[::1",
        "::1.2.3",
        "1.2.3.4::",
        "::1:2:3:4:5:6:7:8",
        "[192.0.2.1]",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct peername p;
        struct errinfo e = ERRINFO_INIT;

        if (is_ok(peername_parse(slice_of_str(cases[i]), &p, &e)))
            fail_msg("'%s' was taken as %s", cases[i], p.text);
        assert_int_equal(e.code, ERR_INVALID);
    }
}

static void parse_counts_every_byte(void **state)
{
    char longest[255];
    struct peername p;

    (void)state;
    memset(longest, 'a', sizeof longest);
    for (size_t i = 49; i < sizeof longest; i += 50)
        longest[i] = '.';
    longest[252] = 'a';
    assert_true(is_ok(peername_parse(slice_of(longest, 253), &p, NULL)));
    assert_int_equal(strlen(p.text), 253);
    assert_true(is_err(peername_parse(slice_of(longest, 254), &p, NULL)));
    assert_true(is_err(peername_parse(SLICE_LIT("a\0b.example"), &p, NULL)));
}

static void parse_advises_to_write_an_a_label(void **state)
{
    struct peername p;
    struct errinfo e = ERRINFO_INIT;

    (void)state;
    assert_true(is_err(peername_parse(SLICE_LIT("b\xc3\xbc"
                                                "cher.example"),
                                      &p, &e)));
    assert_non_null(strstr(e.text, "xn--"));
}

static void rules_have_names(void **state)
{
    enum peername_rules r = PEERNAME_RFC2818;

    (void)state;
    for (int i = PEERNAME_RFC2818; i <= PEERNAME_RFC5922; i++) {
        assert_true(peername_rules_from_name(peername_rules_name((enum peername_rules)i), &r));
        assert_int_equal(r, i);
    }
    assert_false(peername_rules_from_name("rfc6125", &r));
    assert_false(peername_rules_from_name("", &r));
}

/* --- one presented dNSName --- */

#define R2818 1
#define R9525 2
#define R5922 4
#define ALL   (R2818 | R9525 | R5922)

static void dns_names_match_by_the_rules(void **state)
{
    static const struct {
        const char *presented, *want;
        unsigned rules; /* by which they match */
    } cases[] = {
        {"sip.example.com", "sip.example.com", ALL},
        {"SIP.EXAMPLE.com", "sip.example.com", ALL},
        {"example.com", "sip.example.com", 0},
        {"sip.example.com", "example.com", 0},
        {"sip.example.com.", "sip.example.com", 0}, /* no preferred name syntax */
        {"localhost", "localhost", ALL},
        {"my_pbx.lan", "my_pbx.lan", R2818},
        {"*.my_pbx.lan", "a.my_pbx.lan", R2818},
        {"", "example.com", 0},
        {" ", "example.com", 0},
        {".example.com", "sip.example.com", 0},
        {"192.0.2.1", "sip.example.com", 0},
        /* the wildcard as the whole label */
        {"*.example.com", "sip.example.com", R2818 | R9525},
        {"*.EXAMPLE.com", "sip.example.com", R2818 | R9525},
        {"*.example.com", "example.com", 0},
        {"*.example.com", "a.sip.example.com", 0},
        {"*.example.com", "xn--bcher-kva.example.com", R2818 | R9525},
        {"*.xn--bcher-kva.example", "sip.xn--bcher-kva.example", R2818 | R9525},
        {"*.example.uk", "sip.example.uk", R2818 | R9525},
        {"*.com.example", "sip.com.example", R2818 | R9525},
        {"*.co.uk", "example.co.uk", 0}, /* what can be told without a list of such domains */
        {"*.COM.au", "example.com.au", 0},
        {"*.b.co.uk", "a.b.co.uk", R2818 | R9525},
        /* too wide, or in the wrong place */
        {"*", "example", 0},
        {"*", "example.com", 0},
        {"*.com", "example.com", 0},
        {"*.", "example", 0},
        {"*.*.com", "sip.example.com", 0},
        {"*.*", "example.com", 0},
        {"**.example.com", "sip.example.com", 0},
        {"sip.*.com", "sip.example.com", 0},
        {"sip.example.*", "sip.example.com", 0},
        {"sip*example.com", "sip.example.com", 0},
        {"*example.com", "sip.example.com", 0},
        {".*.example.com", "sip.example.com", 0},
        {"*.-.com", "sip.-.com", 0},
        /* fragments: RFC 2818's own example is f*.com */
        {"f*.com", "foo.com", R2818},
        {"f*.com", "bar.com", 0},
        {"s*.example.com", "sip.example.com", R2818},
        {"*p.example.com", "sip.example.com", R2818},
        {"s*p.example.com", "sip.example.com", R2818},
        {"S*P.example.com", "sip.example.com", R2818},
        {"s*p.example.com", "sp.example.com", R2818},
        {"sip*.example.com", "sip.example.com", R2818},
        {"si*ip.example.com", "sip.example.com", 0},
        {"s*.example.com", "sip.test.example.com", 0},
        {"s*p*.example.com", "sip.example.com", 0},
        /* never in an A-label */
        {"x*.example.com", "xn--bcher-kva.example.com", 0},
        {"xn--*.example.com", "xn--bcher-kva.example.com", 0},
        {"*kva.example.com", "xn--bcher-kva.example.com", 0},
        {"xn--b*.example.com", "xn--bcher-kva.example.com", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct peername want;

        assert_true(is_ok(peername_parse(slice_of_str(cases[i].want), &want, NULL)) ||
                    strcmp(cases[i].want, "sip.-.com") == 0);
        for (int r = PEERNAME_RFC2818; r <= PEERNAME_RFC5922; r++) {
            const bool expected = (cases[i].rules & (1U << r)) != 0;

            if (peername_match_dns(slice_of_str(cases[i].presented), &want,
                                   (enum peername_rules)r) != expected)
                fail_msg("'%s' and '%s' by %s: expected %d", cases[i].presented, cases[i].want,
                         peername_rules_name((enum peername_rules)r), expected);
        }
    }
}

static void sip_uris_are_taken_apart(void **state)
{
    static const struct {
        const char *uri, *host; /* NULL: no SIP URI */
        bool secure, user;
    } cases[] = {
        {"sip:example.com", "example.com", false, false},
        {"SIP:example.com", "example.com", false, false},
        {"sips:example.com", "example.com", true, false},
        {"sip:alice@example.com", "example.com", false, true},
        {"sip:alice:secret@example.com:5061;transport=tls", "example.com", false, true},
        {"sip:@example.com", "example.com", false, true},
        {"sip:example.com:5061", "example.com", false, false},
        {"sip:example.com;lr", "example.com", false, false},
        {"sip:example.com?subject=x", "example.com", false, false},
        {"sip:[2001:db8::1]:5061", "[2001:db8::1]", false, false},
        {"sip:[2001:db8::1", NULL, false, false},
        {"sip:", NULL, false, false},
        {"sip:;lr", NULL, false, false},
        {"sip:example.com:x", NULL, false, false},
        {"sip:example.com:70000", NULL, false, false},
        {"tel:+4930123", NULL, false, false},
        {"https://example.com", NULL, false, false},
        {"", NULL, false, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct slice host = SLICE_EMPTY;
        bool secure = false, user = false;
        const bool ok = peername_sip_host(slice_of_str(cases[i].uri), &host, &secure, &user);

        if (ok != (cases[i].host != NULL) || (ok && !slice_eq_str(host, cases[i].host)))
            fail_msg("'%s' gave '%.*s'", cases[i].uri, SLICE_FMT(host));
        if (ok && (secure != cases[i].secure || user != cases[i].user))
            fail_msg("'%s': secure %d, user %d", cases[i].uri, secure, user);
    }
}

/* --- certificates --- */

struct cert_case {
    const char *subject, *san, *want;
    unsigned rules;
};

static struct certfields leaf_with(const char *subject, const char *san)
{
    struct certfields f;
    const struct testpki_cert *c =
        testpki_make(&(struct testpki_spec){.subject = subject, .san = san, .key = 1});

    assert_true(is_ok(certfields_read(testpki_der(c), &f, NULL)));
    return f;
}

static void check_cases(const struct cert_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct certfields leaf = leaf_with(cases[i].subject, cases[i].san);
        struct peername want;

        assert_true(is_ok(peername_parse(slice_of_str(cases[i].want), &want, NULL)));
        for (int r = PEERNAME_RFC2818; r <= PEERNAME_RFC5922; r++) {
            const bool expected = (cases[i].rules & (1U << r)) != 0;

            if (is_ok(peername_match(&want, &leaf, (enum peername_rules)r, NULL, 0, NULL)) !=
                expected)
                fail_msg("%s with %s for %s by %s: expected %d", cases[i].subject,
                         cases[i].san != NULL ? cases[i].san : "no SAN", cases[i].want,
                         peername_rules_name((enum peername_rules)r), expected);
        }
    }
}

static void common_names_stand_in_where_nothing_better_is(void **state)
{
    static const struct cert_case cases[] = {
        {"CN=sip.example.com", NULL, "sip.example.com", R2818 | R5922},
        {"CN=SIP.example.com", NULL, "sip.example.com", R2818 | R5922},
        {"CN=*.example.com", NULL, "sip.example.com", R2818},
        {"CN=*.com", NULL, "example.com", 0},
        {"CN=s*.example.com", NULL, "sip.example.com", 0},
        /* the last one is the most specific */
        {"CN=other.example,CN=sip.example.com", NULL, "sip.example.com", R2818 | R5922},
        {"CN=sip.example.com,CN=other.example", NULL, "sip.example.com", 0},
        {"CN=sip.example.com,OU=telephony", NULL, "sip.example.com", R2818 | R5922},
        {"O=sip.example.com", NULL, "sip.example.com", 0},
        /* any dNSName forbids it, even one that is for somebody else */
        {"CN=sip.example.com", "DNS:other.example", "sip.example.com", 0},
        {"CN=sip.example.com", "DNS:", "sip.example.com", 0},
        {"CN=sip.example.com", "IP:192.0.2.1 DNS:other.example", "sip.example.com", 0},
        /* another kind of name does not, by RFC 2818; by RFC 5922 any SAN does */
        {"CN=sip.example.com", "IP:192.0.2.1", "sip.example.com", R2818},
        {"CN=sip.example.com", "email:admin@example.com", "sip.example.com", R2818},
        {"CN=sip.example.com", "URI:sip:other.example", "sip.example.com", R2818},
        {"CN=sip.example.com", "URI:https://sip.example.com", "sip.example.com", R2818},
        /* what is no host name is none */
        {"CN=sip.example.com ", NULL, "sip.example.com", 0},
        {"CN=sip.example.com\\00.evil.example", NULL, "sip.example.com", 0},
        {"CN=sip.example.com.", NULL, "sip.example.com", 0},
        {"CN=SIP server of example.com", NULL, "example.com", 0},
        {"", NULL, "sip.example.com", 0},
    };

    (void)state;
    check_cases(cases, COUNT_OF(cases));
}

static void addresses_match_addresses_only(void **state)
{
    static const struct cert_case cases[] = {
        {"CN=x", "IP:192.0.2.1", "192.0.2.1", ALL},
        {"CN=x", "IP:192.0.2.1", "192.0.2.2", 0},
        {"CN=x", "IP:2001:db8::1", "2001:db8::1", ALL},
        {"CN=x", "IP:2001:db8::1", "[2001:0DB8:0:0:0:0:0:1]", ALL},
        {"CN=x", "IP:2001:db8::1", "2001:db8::2", 0},
        /* an IPv4 address and the IPv6 form of it are two addresses */
        {"CN=x", "IP:192.0.2.1", "::ffff:192.0.2.1", 0},
        {"CN=x", "IP:::ffff:192.0.2.1", "192.0.2.1", 0},
        /* never a text */
        {"CN=x", "DNS:192.0.2.1", "192.0.2.1", 0},
        {"CN=x", "DNS:2001:db8::1", "2001:db8::1", 0},
        {"CN=x", "URI:sip:192.0.2.1", "192.0.2.1", 0},
        {"CN=192.0.2.1", NULL, "192.0.2.1", 0},
        {"CN=2001:db8::1", NULL, "2001:db8::1", 0},
        {"CN=x", "DNS:*.0.2.1", "192.0.2.1", 0},
        {"CN=x", "DNS:192.0.2.*", "192.0.2.1", 0},
        /* and a host name never matches an address */
        {"CN=x", "IP:192.0.2.1", "sip.example.com", 0},
    };

    (void)state;
    check_cases(cases, COUNT_OF(cases));
}

static void sip_domains_follow_rfc5922(void **state)
{
    static const struct cert_case cases[] = {
        {"CN=x", "URI:sip:example.com", "example.com", R5922},
        {"CN=x", "URI:SIP:EXAMPLE.com", "example.com", R5922},
        {"CN=x", "URI:sip:example.com:5061", "example.com", R5922},
        {"CN=x", "URI:sip:example.com;transport=tls", "example.com", R5922},
        /* a user's, not a domain's */
        {"CN=x", "URI:sip:alice@example.com", "example.com", 0},
        {"CN=x", "URI:sips:example.com", "example.com", 0},
        {"CN=x", "URI:https://example.com", "example.com", 0},
        {"CN=x", "URI:sip:*.example.com", "sip.example.com", 0},
        {"CN=x", "URI:sip:sub.example.com", "example.com", 0},
        /* a dNSName counts if and only if no SIP domain is there */
        {"CN=x", "DNS:example.com", "example.com", ALL},
        {"CN=x", "URI:sip:other.example DNS:example.com", "example.com", R2818 | R9525},
        {"CN=x", "DNS:example.com URI:sip:example.com", "example.com", ALL},
        {"CN=x", "URI:sip:alice@example.com DNS:example.com", "example.com", ALL},
        {"CN=x", "URI:sips:example.com DNS:example.com", "example.com", ALL},
        {"CN=x", "DNS:*.example.com", "sip.example.com", R2818 | R9525},
    };

    (void)state;
    check_cases(cases, COUNT_OF(cases));
}

static void every_alternative_name_is_looked_at(void **state)
{
    static const struct cert_case cases[] = {
        {"CN=x", "DNS:a.example DNS:b.example DNS:c.example", "c.example", ALL},
        {"CN=x", "email:b@a.example IP:192.0.2.1 DNS:c.example", "c.example", ALL},
        {"CN=x", "DNS:*.com DNS:b.example", "b.example", ALL},
    };

    (void)state;
    check_cases(cases, COUNT_OF(cases));
}

static void a_nul_in_a_name_is_a_character(void **state)
{
    const uint8_t sans[] = "\x30\x1c\x82\x1asip.example.com\0.evil.test";
    const struct testpki_ext ext = {"2.5.29.17", false, {sans, sizeof sans - 1}};
    const struct testpki_cert *c = testpki_make(
        &(struct testpki_spec){.subject = "CN=x", .key = 1, .exts = &ext, .exts_count = 1});
    struct certfields leaf;
    struct peername want;
    struct errinfo e = ERRINFO_INIT;

    (void)state;
    assert_true(is_ok(certfields_read(testpki_der(c), &leaf, NULL)));
    assert_true(is_ok(peername_parse(SLICE_LIT("sip.example.com"), &want, NULL)));
    assert_true(is_err(peername_match(&want, &leaf, PEERNAME_RFC2818, NULL, 0, &e)));
    /* and the sentence shows it */
    assert_non_null(strstr(e.text, "sip.example.com?.evil.test"));
}

static void the_matching_name_is_told(void **state)
{
    const struct certfields leaf =
        leaf_with("CN=x", "DNS:b.example DNS:*.Example.com IP:192.0.2.1");
    struct peername want;
    char matched[PEERNAME_TEXT_SIZE];

    (void)state;
    assert_true(is_ok(peername_parse(SLICE_LIT("sip.example.com"), &want, NULL)));
    assert_true(
        is_ok(peername_match(&want, &leaf, PEERNAME_RFC2818, matched, sizeof matched, NULL)));
    assert_string_equal(matched, "*.Example.com");
    assert_true(is_ok(peername_parse(SLICE_LIT("192.0.2.1"), &want, NULL)));
    assert_true(
        is_ok(peername_match(&want, &leaf, PEERNAME_RFC2818, matched, sizeof matched, NULL)));
    assert_string_equal(matched, "192.0.2.1");
}

static void a_mismatch_says_what_the_certificate_is_for(void **state)
{
    static const struct {
        const char *subject, *san, *sentence;
    } cases[] = {
        {"CN=x", "DNS:a.example DNS:b.example",
         "the certificate is for a.example, b.example, not for sip.example.com"},
        {"CN=x", "DNS:a.example IP:2001:db8::1 URI:sip:c.example DNS:d.example DNS:e.example",
         "the certificate is for a.example, 2001:db8::1, sip:c.example and 2 more, not for "
         "sip.example.com"},
        {"CN=pbx", NULL, "the certificate is for pbx, not for sip.example.com"},
        {"CN=pbx", "DNS:a.example", "the certificate is for a.example, not for sip.example.com"},
        {"O=nobody", NULL, "the certificate names no host, and sip.example.com was expected"},
    };
    struct peername want;

    (void)state;
    assert_true(is_ok(peername_parse(SLICE_LIT("sip.example.com"), &want, NULL)));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct certfields leaf = leaf_with(cases[i].subject, cases[i].san);
        struct errinfo e = ERRINFO_INIT;

        assert_int_equal(peername_match(&want, &leaf, PEERNAME_RFC2818, NULL, 0, &e).code,
                         ERR_CERT);
        assert_string_equal(e.text, cases[i].sentence);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_gives_the_canonical_form),
        cmocka_unit_test(parse_refuses_what_is_no_name),
        cmocka_unit_test(parse_counts_every_byte),
        cmocka_unit_test(parse_advises_to_write_an_a_label),
        cmocka_unit_test(rules_have_names),
        cmocka_unit_test(dns_names_match_by_the_rules),
        cmocka_unit_test(sip_uris_are_taken_apart),
        cmocka_unit_test(common_names_stand_in_where_nothing_better_is),
        cmocka_unit_test(addresses_match_addresses_only),
        cmocka_unit_test(sip_domains_follow_rfc5922),
        cmocka_unit_test(every_alternative_name_is_looked_at),
        cmocka_unit_test(a_nul_in_a_name_is_a_character),
        cmocka_unit_test(the_matching_name_is_told),
        cmocka_unit_test(a_mismatch_says_what_the_certificate_is_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
