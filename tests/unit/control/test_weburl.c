#include "base/limits.h"
#include "control/weburl.h"
#include "tools/unit.h"

static struct weburl parsed(const char *text)
{
    struct weburl u;
    struct errinfo e = ERRINFO_INIT;
    const struct result r = weburl_parse(text, &u, &e);

    if (is_err(r))
        fail_msg("%s: %s", text, e.text);
    return u;
}

static void good_urls_are_taken_apart(void **state)
{
    static const struct {
        const char *text;
        bool secure;
        const char *host, *authority;
        uint16_t port;
        const char *target;
    } cases[] = {
        {"https://prov.example.com/phones/", true, "prov.example.com", "prov.example.com", 443,
         "/phones/"},
        {"https://prov.example.com", true, "prov.example.com", "prov.example.com", 443, "/"},
        {"HTTPS://Prov.Example.COM:443/A", true, "prov.example.com", "prov.example.com", 443, "/A"},
        {"http://prov.example.com:443/", false, "prov.example.com", "prov.example.com:443", 443,
         "/"},
        {"http://192.0.2.1:80/x?y=z", false, "192.0.2.1", "192.0.2.1", 80, "/x?y=z"},
        {"https://[2001:DB8::1]:8443/x", true, "2001:db8::1", "[2001:db8::1]:8443", 8443, "/x"},
        {"https://a.example/b/../c/./d#part", true, "a.example", "a.example", 443, "/c/d"},
        {"https://a.example/a b", true, "a.example", "a.example", 443, "/a%20b"},
        {"https://a.example./x", true, "a.example", "a.example", 443, "/x"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct weburl u = parsed(cases[i].text);
        assert_int_equal(cases[i].secure, u.secure);
        assert_string_equal(cases[i].host, u.host.text);
        assert_string_equal(cases[i].authority, u.authority);
        assert_int_equal(cases[i].port, u.port);
        assert_string_equal(cases[i].target, u.target);
        assert_null(u.user);
        weburl_clear(&u);
    }
}

static void credentials_are_decoded(void **state)
{
    struct weburl u = parsed("https://phone:s%40c%3Aret@a.example/");
    (void)state;

    assert_string_equal("phone", u.user);
    assert_string_equal("s@c:ret", u.password);
    assert_string_equal("a.example", u.authority);
    weburl_clear(&u);
    u = parsed("https://phone@a.example/");
    assert_string_equal("", u.password);
    weburl_clear(&u);
    assert_null(u.user);
}

static void bad_urls_are_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "prov.example.com",
        "/x",
        "https:/",
        "https://",
        "https:///x",
        "https://:443/",
        "ftp://a.example/",
        "file:///etc/passwd",
        "https://a.example:0/",
        "https://a.example:65536/",
        "https://a.example:x/",
        "https://a b.example/",
        "https://-a.example/",
        "https://a.example\r\nHost: b/",
        "https://a.example/\r\nX: y",
        "https://a.example/\x7f",
        "https://\xc3\xa4.example/",
        "https://[::1/",
        "https://a%0db.example/",
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct weburl u;
        struct errinfo e = ERRINFO_INIT;
        print_message("%s\n", cases[i]);
        assert_int_equal(ERR_INVALID, weburl_parse(cases[i], &u, &e).code);
        assert_string_not_equal("", e.text);
        assert_null(u.target);
    }
}

static void one_that_is_too_long_is_refused(void **state)
{
    static char text[LIMIT_URL + 1] = "https://a.example/";
    struct weburl u;
    (void)state;

    memset(text + strlen(text), 'a', LIMIT_URL - strlen(text));
    assert_int_equal(ERR_INVALID, weburl_parse(text, &u, NULL).code);
    text[LIMIT_URL - 1] = '\0';
    assert_true(is_ok(weburl_parse(text, &u, NULL)));
    weburl_clear(&u);
}

static void a_sentence_holds_no_password(void **state)
{
    struct weburl u;
    struct errinfo e = ERRINFO_INIT;
    (void)state;

    assert_int_equal(ERR_INVALID,
                     weburl_parse("https://phone:s3cret@a.example:99999/?t=s3cret", &u, &e).code);
    assert_null(strstr(e.text, "s3cret"));
}

static void redirects_are_followed_where_they_may_be(void **state)
{
    static const struct {
        const char *from, *location;
        const char *authority, *target; /* NULL: refused */
        bool keeps_password;
    } cases[] = {
        {"https://u:p@a.example/x/y", "z", "a.example", "/x/z", true},
        {"https://u:p@a.example/x/y", "/z?q", "a.example", "/z?q", true},
        {"https://u:p@a.example/x/y", "//a.example/z", "a.example", "/z", true},
        {"https://u:p@a.example/x", "https://A.example:443/z", "a.example", "/z", true},
        {"https://u:p@a.example/x", "https://v:w@b.example/z", "b.example", "/z", false},
        {"https://u:p@a.example/x", "https://a.example:8443/z", "a.example:8443", "/z", false},
        {"http://u:p@a.example/x", "https://a.example/z", "a.example", "/z", false},
        {"http://u:p@a.example/x", "http://b.example/z", "b.example", "/z", false},
        {"https://a.example/x", "http://a.example/z", NULL, NULL, false},
        {"https://a.example/x", "ftp://a.example/z", NULL, NULL, false},
        {"https://a.example/x", "file:///etc/passwd", NULL, NULL, false},
        {"https://a.example/x", "https://", NULL, NULL, false},
        {"https://a.example/x", "/z\r\nX: y", NULL, NULL, false},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct weburl from = parsed(cases[i].from);
        struct weburl to;
        struct errinfo e = ERRINFO_INIT;
        const struct result r = weburl_follow(&from, cases[i].location, &to, &e);
        print_message("%s -> %s: %s\n", cases[i].from, cases[i].location, e.text);
        if (cases[i].authority == NULL) {
            assert_int_equal(ERR_DENIED, r.code);
        } else {
            assert_true(is_ok(r));
            assert_string_equal(cases[i].authority, to.authority);
            assert_string_equal(cases[i].target, to.target);
            assert_int_equal(cases[i].keeps_password, to.user != NULL);
            if (to.user != NULL)
                assert_string_equal("p", to.password);
        }
        weburl_clear(&from);
        weburl_clear(&to);
    }
}

static void what_may_be_shown_ends_before_the_query(void **state)
{
    struct weburl u = parsed("https://a.example/x.cfg?token=1");
    (void)state;

    assert_int_equal(strlen("/x.cfg"), weburl_path_len(&u));
    weburl_clear(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_urls_are_taken_apart),
        cmocka_unit_test(credentials_are_decoded),
        cmocka_unit_test(bad_urls_are_refused),
        cmocka_unit_test(one_that_is_too_long_is_refused),
        cmocka_unit_test(a_sentence_holds_no_password),
        cmocka_unit_test(redirects_are_followed_where_they_may_be),
        cmocka_unit_test(what_may_be_shown_ends_before_the_query),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
