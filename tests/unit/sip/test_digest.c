#include "tools/unit.h"

#include <string.h>

#include "sip/digest.h"
#include "tools/rigged_rng.h"

static struct digest_challenge challenge(enum hash_alg alg, bool sess, bool qop, const char *realm,
                                         const char *nonce)
{
    struct digest_challenge c = {.alg = alg, .sess = sess, .qop_auth = qop};
    assert_true(slice_to_str(slice_of_str(realm), c.realm, sizeof c.realm));
    assert_true(slice_to_str(slice_of_str(nonce), c.nonce, sizeof c.nonce));
    return c;
}

/* --- responses --- */

#define RFC2617_NONCE  "dcd98b7102dd2f0e8b11d0f600bfb0c093"
#define RFC7616_NONCE  "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
#define RFC7616_CNONCE "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"

static void gives_the_known_answers(void **state)
{
    static const struct {
        enum hash_alg alg;
        bool sess, qop;
        const char *user, *password, *realm, *nonce, *method, *uri;
        uint32_t nc;
        const char *cnonce, *response;
    } cases[] = {
        /* RFC 2617 section 3.5 */
        {HASH_MD5, false, true, "Mufasa", "Circle Of Life", "testrealm@host.com", RFC2617_NONCE,
         "GET", "/dir/index.html", 1, "0a4f113b", "6629fae49393a05397450978507c4ef1"},
        /* RFC 7616 section 3.9.1 */
        {HASH_MD5, false, true, "Mufasa", "Circle of Life", "http-auth@example.org", RFC7616_NONCE,
         "GET", "/dir/index.html", 1, RFC7616_CNONCE, "8ca523f5e9506fed4657c9700eebdbec"},
        {HASH_SHA256, false, true, "Mufasa", "Circle of Life", "http-auth@example.org",
         RFC7616_NONCE, "GET", "/dir/index.html", 1, RFC7616_CNONCE,
         "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
        /* without qop, and -sess: made with another implementation of the hashes */
        {HASH_MD5, false, false, "alice", "secret", "example.com", "abc", "REGISTER",
         "sips:example.com", 1, "", "aeec8ceb765b3b2c33bcef666513ee2b"},
        {HASH_MD5, true, true, "alice", "secret", "example.com", "abc", "REGISTER",
         "sips:example.com", 0x1f, "xyz", "e9f9e2576671d33a3d2f74387e7bc308"},
        {HASH_SHA256, false, false, "alice", "secret", "example.com", "abc", "REGISTER",
         "sips:example.com", 1, "",
         "7c0607b03b0b7144edfb039e7e64e1b71d5f2614f65e0014b40066c0a477b659"},
        {HASH_SHA256, true, true, "alice", "secret", "example.com", "abc", "REGISTER",
         "sips:example.com", 0x1f, "xyz",
         "b00cd9ffbf4eff713d65ef16a7e561cba0d33e30f3d3540f8069cfa83af0019c"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct digest_challenge c =
            challenge(cases[i].alg, cases[i].sess, cases[i].qop, cases[i].realm, cases[i].nonce);
        const struct digest_credentials cred = {cases[i].user, cases[i].password};
        char got[HASH_HEX_SIZE(HASH_MAX_SIZE)];
        digest_response(&c, &cred, cases[i].method, cases[i].uri, cases[i].nc, cases[i].cnonce,
                        got);
        assert_string_equal(got, cases[i].response);
    }
}

/* What is sent says all that the server needs to compute the same. */
static void answer_can_be_checked_by_a_server(void **state)
{
    uint64_t seed = 1;
    const struct rng rng = rigged_rng(&seed);
    const struct digest_credentials cred = {"al\"ice\\", "secret"};
    struct digest_challenge c = challenge(HASH_SHA256, false, true, "a \"b\" \\c", "n,=;");
    char nonce[64], cnonce[64], response[80], expected[HASH_HEX_SIZE(HASH_MAX_SIZE)], user[64];
    struct buf out;
    (void)state;
    buf_init(&out, 4096);
    c.has_opaque = true;
    assert_true(is_ok(digest_answer(&out, &c, &cred, "REGISTER", "sips:x", 10, &rng, NULL)));
    const struct slice text = buf_slice(&out);
    assert_true(is_ok(digest_param(text, "username", user, sizeof user)));
    assert_string_equal(user, cred.user);
    assert_true(is_ok(digest_param(text, "realm", user, sizeof user)));
    assert_string_equal(user, c.realm);
    assert_true(is_ok(digest_param(text, "nonce", nonce, sizeof nonce)));
    assert_string_equal(nonce, c.nonce);
    assert_true(is_ok(digest_param(text, "cnonce", cnonce, sizeof cnonce)));
    assert_true(strlen(cnonce) >= 16);
    assert_true(is_ok(digest_param(text, "response", response, sizeof response)));
    digest_response(&c, &cred, "REGISTER", "sips:x", 10, cnonce, expected);
    assert_string_equal(response, expected);
    /* these three have no quotes (RFC 7616 section 3.4) */
    assert_non_null(strstr(buf_str(&out), ", algorithm=SHA-256,"));
    assert_non_null(strstr(buf_str(&out), ", qop=auth, nc=0000000a,"));
    assert_non_null(strstr(buf_str(&out), ", opaque=\"\""));
    assert_null(strstr(buf_str(&out), cred.password));
    buf_free(&out);
}

static void answer_has_no_qop_where_none_was_offered(void **state)
{
    uint64_t seed = 1;
    const struct rng rng = rigged_rng(&seed);
    const struct digest_credentials cred = {"alice", "secret"};
    const struct digest_challenge c = challenge(HASH_MD5, false, false, "r", "n");
    struct buf out;
    (void)state;
    buf_init(&out, 4096);
    assert_true(is_ok(digest_answer(&out, &c, &cred, "REGISTER", "sips:x", 1, &rng, NULL)));
    assert_null(strstr(buf_str(&out), "nc="));
    assert_null(strstr(buf_str(&out), "qop"));
    assert_null(strstr(buf_str(&out), "opaque"));
    buf_free(&out);
}

static void answer_takes_no_line_ends(void **state)
{
    uint64_t seed = 1;
    const struct rng rng = rigged_rng(&seed);
    const struct digest_credentials cred = {"alice\r\nRoute: <sip:evil>", "secret"};
    const struct digest_challenge c = challenge(HASH_MD5, false, false, "r", "n");
    struct errinfo e = ERRINFO_INIT;
    struct buf out;
    (void)state;
    buf_init(&out, 4096);
    assert_int_equal(digest_answer(&out, &c, &cred, "REGISTER", "sips:x", 1, &rng, &e).code,
                     ERR_INVALID);
    assert_string_equal(e.text, "the user name has a character that cannot stand in a SIP message");
    assert_int_equal(buf_len(&out), 0);
    buf_free(&out);
}

/* --- challenges --- */

static void reads_challenges(void **state)
{
    static const struct {
        const char *text;
        struct digest_challenge c;
    } cases[] = {
        {"Digest realm=\"r\", nonce=\"n\"", {.realm = "r", .nonce = "n", .alg = HASH_MD5}},
        {"dIGEST NONCE=\"n\",REALM=\"r\",ALGORITHM=md5,QOP=\"auth\"",
         {.realm = "r", .nonce = "n", .alg = HASH_MD5, .qop_auth = true}},
        {"Digest\trealm = \"r\" ,\tnonce = \"n\" , qop = auth",
         {.realm = "r", .nonce = "n", .qop_auth = true}},
        {"Digest realm=\"r\", nonce=\"n\", qop=\"auth-int, auth\", algorithm=\"SHA-256\"",
         {.realm = "r", .nonce = "n", .alg = HASH_SHA256, .qop_auth = true}},
        {"Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256-sess, qop=\"auth\"",
         {.realm = "r", .nonce = "n", .alg = HASH_SHA256, .sess = true, .qop_auth = true}},
        {"Digest realm=\"r\", nonce=\"n\", algorithm=MD5-sess, qop=\"auth\"",
         {.realm = "r", .nonce = "n", .sess = true, .qop_auth = true}},
        {"Digest realm=\"r\", nonce=\"n\", stale=TRUE",
         {.realm = "r", .nonce = "n", .stale = true}},
        {"Digest realm=\"r\", nonce=\"n\", stale=false", {.realm = "r", .nonce = "n"}},
        {"Digest realm=\"r\", nonce=\"n\", qop=\"\"", {.realm = "r", .nonce = "n"}},
        {"Digest realm=\"r\", nonce=\"n\", opaque=\"o\"",
         {.realm = "r", .nonce = "n", .opaque = "o", .has_opaque = true}},
        {"Digest realm=\"r\", nonce=\"n\", opaque=\"\"",
         {.realm = "r", .nonce = "n", .has_opaque = true}},
        {"Digest realm=\"a, \\\"b\\\" = \\\\c\", nonce=\"n=,\"",
         {.realm = "a, \"b\" = \\c", .nonce = "n=,"}},
        {"Digest realm=\"r\", nonce=\"n\", userhash=true, charset=UTF-8, domain=\"sip:a sip:b\", "
         "x-new=\"a,b\", x=1",
         {.realm = "r", .nonce = "n"}},
        {"Digest realm=\"r\",, nonce=\"n\",", {.realm = "r", .nonce = "n"}},
        {"Digest realm=\"\", nonce=\"\"", {.realm = ""}},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct digest_challenge c;
        struct slice rest = slice_of_str(cases[i].text);
        struct errinfo e = ERRINFO_INIT;
        if (is_err(digest_parse(&rest, &c, &e)))
            fail_msg("%s: %s", cases[i].text, e.text);
        assert_string_equal(c.realm, cases[i].c.realm);
        assert_string_equal(c.nonce, cases[i].c.nonce);
        assert_string_equal(c.opaque, cases[i].c.opaque);
        assert_int_equal(c.has_opaque, cases[i].c.has_opaque);
        assert_int_equal(c.alg, cases[i].c.alg);
        assert_int_equal(c.sess, cases[i].c.sess);
        assert_int_equal(c.qop_auth, cases[i].c.qop_auth);
        assert_int_equal(c.stale, cases[i].c.stale);
        assert_int_equal(rest.n, 0);
    }
}

static void refuses_other_challenges(void **state)
{
    static const struct {
        const char *text;
        enum err code;
        const char *sentence;
    } cases[] = {
        {"Basic realm=\"r\"", ERR_UNSUPPORTED,
         "the server wants a kind of authentication that is not known here: Basic"},
        {"Negotiate YII=", ERR_UNSUPPORTED,
         "the server wants a kind of authentication that is not known here: Negotiate"},
        {"NTLM", ERR_UNSUPPORTED,
         "the server wants a kind of authentication that is not known here: NTLM"},
        {"Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256", ERR_UNSUPPORTED,
         "the server wants a digest algorithm that is not known here: SHA-512-256"},
        {"Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"", ERR_UNSUPPORTED,
         "the server wants a quality of protection that is not known here: auth-int"},
        {"Digest realm=\"r\", nonce=\"n\", algorithm=MD5-sess", ERR_UNSUPPORTED,
         "the server wants a session digest without qop"},
        {"", ERR_PARSE, "the server's challenge is malformed"},
        {"Digest", ERR_PARSE, "the server's challenge is malformed"},
        {"Digest realm=\"r\"", ERR_PARSE, "the server's challenge is malformed"},
        {"Digest nonce=\"n\"", ERR_PARSE, "the server's challenge is malformed"},
        {"Digest realm=\"r, nonce=\"n\"", ERR_PARSE, "the server's challenge is malformed"},
        {"Digest realm=\"r\\", ERR_PARSE, "the server's challenge is malformed"},
        {"Digest realm=, nonce=\"n\"", ERR_PARSE, "the server's challenge is malformed"},
        {"Digest realm=\"r\" nonce=\"n\"", ERR_PARSE, "the server's challenge is malformed"},
        {"Digest realm=\"r\"x, nonce=\"n\"", ERR_PARSE, "the server's challenge is malformed"},
        {"Digest realm=\"\\\x01\", nonce=\"n\"", ERR_PARSE, "the server's challenge is malformed"},
        {"realm=\"r\", nonce=\"n\"", ERR_PARSE, "the server's challenge is malformed"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct digest_challenge c;
        struct slice rest = slice_of_str(cases[i].text);
        struct errinfo e = ERRINFO_INIT;
        if (digest_parse(&rest, &c, &e).code != cases[i].code)
            fail_msg("%s: not %s", cases[i].text, err_name(cases[i].code));
        assert_string_equal(e.text, cases[i].sentence);
        assert_int_equal(rest.n, 0);
    }
}

static void refuses_parameters_that_do_not_fit(void **state)
{
    static const struct {
        const char *before;
        size_t longest;
        const char *behind;
    } cases[] = {
        {"Digest nonce=\"n\", realm=\"", DIGEST_REALM_SIZE - 1, "\""},
        {"Digest realm=\"r\", nonce=\"", DIGEST_NONCE_SIZE - 1, "\""},
        {"Digest realm=\"r\", nonce=\"n\", opaque=\"", DIGEST_OPAQUE_SIZE - 1, "\""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        for (size_t more = 0; more < 2; more++) {
            struct digest_challenge c;
            struct buf text;
            buf_init(&text, 1024);
            assert_true(is_ok(buf_append_str(&text, cases[i].before)));
            for (size_t n = 0; n < cases[i].longest + more; n++)
                assert_true(is_ok(buf_append_str(&text, "x")));
            assert_true(is_ok(buf_append_str(&text, cases[i].behind)));
            struct slice rest = buf_slice(&text);
            assert_int_equal(digest_parse(&rest, &c, NULL).code, more != 0 ? ERR_LIMIT : ERR_OK);
            buf_free(&text);
        }
}

static void takes_several_challenges_off_one_field(void **state)
{
    struct slice rest = slice_of_str("Basic realm=\"b\", Digest realm=\"one\", nonce=\"1\", "
                                     "algorithm=SHA-256 , Digest nonce=\"2\", realm=\"two\"");
    struct digest_challenge c;
    (void)state;
    assert_int_equal(digest_parse(&rest, &c, NULL).code, ERR_UNSUPPORTED);
    assert_true(is_ok(digest_parse(&rest, &c, NULL)));
    assert_string_equal(c.realm, "one");
    assert_int_equal(c.alg, HASH_SHA256);
    assert_true(is_ok(digest_parse(&rest, &c, NULL)));
    assert_string_equal(c.realm, "two");
    assert_string_equal(c.nonce, "2");
    assert_int_equal(rest.n, 0);
}

static void prefers_sha256_and_then_qop(void **state)
{
    const struct digest_challenge md5 = challenge(HASH_MD5, false, true, "r", "n");
    const struct digest_challenge old = challenge(HASH_MD5, false, false, "r", "n");
    const struct digest_challenge sha = challenge(HASH_SHA256, false, false, "r", "n");
    (void)state;
    assert_true(digest_better(&sha, &md5));
    assert_false(digest_better(&md5, &sha));
    assert_true(digest_better(&md5, &old));
    assert_false(digest_better(&old, &md5));
    assert_false(digest_better(&md5, &md5)); /* the first one stays */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_known_answers),
        cmocka_unit_test(answer_can_be_checked_by_a_server),
        cmocka_unit_test(answer_has_no_qop_where_none_was_offered),
        cmocka_unit_test(answer_takes_no_line_ends),
        cmocka_unit_test(reads_challenges),
        cmocka_unit_test(refuses_other_challenges),
        cmocka_unit_test(refuses_parameters_that_do_not_fit),
        cmocka_unit_test(takes_several_challenges_off_one_field),
        cmocka_unit_test(prefers_sha256_and_then_qop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
