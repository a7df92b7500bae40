#include "tools/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "sip/auth.h"
#include "tools/rigged_rng.h"

static const struct digest_credentials alice = {"alice", "secret"};

/* A response with LINES. */
static struct sip_message *response(int status, const char *lines)
{
    char text[2048];
    struct sip_message *m;
    (void)snprintf(text, sizeof text,
                   "SIP/2.0 %d Some Words\r\nVia: SIP/2.0/TLS h;branch=z9hG4bKa\r\n"
                   "From: sip:a@h;tag=1\r\nTo: sip:a@h\r\nCall-ID: x\r\nCSeq: 1 REGISTER\r\n"
                   "%s\r\n",
                   status, lines);
    assert_true(is_ok(sip_message_parse(slice_of_str(text), &m, NULL)));
    return m;
}

static enum err challenged(struct sip_auth *a, int status, const char *lines, struct errinfo *e)
{
    struct sip_message *m = response(status, lines);
    errinfo_clear(e);
    const struct result r = sip_auth_challenged(a, m, e);
    sip_message_free(m);
    return r.code;
}

static void accepted(struct sip_auth *a, const char *lines)
{
    struct sip_message *m = response(200, lines);
    sip_auth_accepted(a, m);
    sip_message_free(m);
}

/* What would be sent now; static storage. */
static const char *lines(struct sip_auth *a)
{
    static char text[4096];
    static uint64_t seed = 7;
    const struct rng rng = rigged_rng(&seed);
    struct buf b;
    buf_init(&b, sizeof text - 1);
    assert_true(is_ok(sip_auth_write(a, &b, &alice, "REGISTER", "sips:h", &rng, NULL)));
    assert_true(slice_to_str(buf_slice(&b), text, sizeof text));
    buf_free(&b);
    return text;
}

#define MD5(nonce) "WWW-Authenticate: Digest realm=\"r\",nonce=\"" nonce "\",qop=\"auth\"\r\n"
#define SHA256(nonce) \
    "WWW-Authenticate: Digest realm=\"r\",nonce=\"" nonce "\",qop=\"auth\",algorithm=SHA-256\r\n"
#define STALE(nonce) \
    "WWW-Authenticate: Digest realm=\"r\",nonce=\"" nonce "\",qop=\"auth\",stale=true\r\n"
#define PROXY(nonce) "Proxy-Authenticate: Digest realm=\"p\",nonce=\"" nonce "\"\r\n"

static void says_nothing_unasked(void **state)
{
    struct sip_auth a = {.rounds = 0};
    (void)state;
    assert_false(sip_auth_known(&a));
    assert_string_equal(lines(&a), "");
}

static void answers_the_best_challenge(void **state)
{
    static const char *const offers[] = {
        SHA256("sha") MD5("md5"),
        MD5("md5") SHA256("sha"),
        "WWW-Authenticate: Basic realm=\"r\"\r\n" SHA256("sha"),
        "WWW-Authenticate: Digest nonsense\r\n" SHA256("sha"),
        ("WWW-Authenticate: Basic realm=\"r\", Digest realm=\"r\", nonce=\"md5\", "
         "Digest realm=\"r\", nonce=\"sha\", algorithm=SHA-256\r\n"),
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(offers); i++) {
        struct sip_auth a = {.rounds = 0};
        struct errinfo e;
        assert_int_equal(challenged(&a, 401, offers[i], &e), ERR_OK);
        assert_true(sip_auth_known(&a));
        assert_non_null(strstr(lines(&a), "nonce=\"sha\""));
        assert_null(strstr(lines(&a), "nonce=\"md5\""));
    }
}

static void answers_server_and_proxy_together(void **state)
{
    struct sip_auth a = {.rounds = 0};
    struct errinfo e;
    (void)state;
    assert_int_equal(challenged(&a, 407, PROXY("one"), &e), ERR_OK);
    assert_true(strncmp(lines(&a), "Proxy-Authorization: Digest ", 28) == 0);
    assert_int_equal(challenged(&a, 401, MD5("two"), &e), ERR_OK);
    const char *both = lines(&a);
    assert_true(strncmp(both, "Authorization: Digest ", 22) == 0);
    assert_non_null(strstr(both, "\r\nProxy-Authorization: Digest "));
    assert_non_null(strstr(both, "nonce=\"one\""));
    assert_non_null(strstr(both, "nonce=\"two\""));
}

static void counts_the_uses_of_a_nonce(void **state)
{
    struct sip_auth a = {.rounds = 0};
    struct errinfo e;
    (void)state;
    assert_int_equal(challenged(&a, 401, MD5("one"), &e), ERR_OK);
    assert_non_null(strstr(lines(&a), "nc=00000001"));
    accepted(&a, "");
    sip_auth_begin(&a);
    assert_non_null(strstr(lines(&a), "nc=00000002"));
    accepted(&a, "Authentication-Info: rspauth=\"x\", nextnonce=\"two\"\r\n");
    sip_auth_begin(&a);
    const char *next = lines(&a);
    assert_non_null(strstr(next, "nonce=\"two\""));
    assert_non_null(strstr(next, "nc=00000001"));
}

static void knows_a_refusal(void **state)
{
    struct sip_auth a = {.rounds = 0};
    struct errinfo e;
    (void)state;
    assert_int_equal(challenged(&a, 401, MD5("one"), &e), ERR_OK);
    assert_int_equal(challenged(&a, 401, MD5("two"), &e), ERR_AUTH);
    assert_string_equal(e.text, "the server refused the user name or password (401 Some Words)");
}

/* A server need not say that a nonce kept from an earlier request has become too old. */
static void takes_no_old_nonce_for_a_wrong_password(void **state)
{
    struct sip_auth a = {.rounds = 0};
    struct errinfo e;
    (void)state;
    assert_int_equal(challenged(&a, 401, MD5("one"), &e), ERR_OK);
    accepted(&a, "");
    sip_auth_begin(&a);
    assert_int_equal(challenged(&a, 401, MD5("two"), &e), ERR_OK);
    assert_int_equal(challenged(&a, 401, MD5("three"), &e), ERR_AUTH);
}

static void stale_is_no_refusal_but_has_an_end(void **state)
{
    struct sip_auth a = {.rounds = 0};
    struct errinfo e;
    (void)state;
    assert_int_equal(challenged(&a, 401, MD5("one"), &e), ERR_OK);
    for (int i = 1; i < LIMIT_AUTH_ROUNDS; i++)
        assert_int_equal(challenged(&a, 401, STALE("again"), &e), ERR_OK);
    assert_int_equal(challenged(&a, 401, STALE("again"), &e), ERR_AUTH);
    assert_string_equal(e.text, "the server asks for the password again and again");
    sip_auth_begin(&a);
    assert_int_equal(challenged(&a, 401, STALE("again"), &e), ERR_OK);
}

static void says_why_it_cannot_answer(void **state)
{
    static const struct {
        const char *lines;
        enum err code;
        const char *sentence;
    } cases[] = {
        {"", ERR_PARSE, "the server asks for a password without a challenge"},
        {PROXY("for another"), ERR_PARSE, "the server asks for a password without a challenge"},
        {"WWW-Authenticate: Basic realm=\"r\"\r\nWWW-Authenticate: Digest x\r\n", ERR_UNSUPPORTED,
         "the server wants a kind of authentication that is not known here: Basic"},
        {"WWW-Authenticate: Digest realm=\"r\"\r\n", ERR_PARSE,
         "the server's challenge is malformed"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sip_auth a = {.rounds = 0};
        struct errinfo e;
        assert_int_equal(challenged(&a, 401, cases[i].lines, &e), cases[i].code);
        assert_string_equal(e.text, cases[i].sentence);
        assert_false(sip_auth_known(&a));
    }
}

static void forgets(void **state)
{
    struct sip_auth a = {.rounds = 0};
    struct errinfo e;
    (void)state;
    assert_int_equal(challenged(&a, 401, MD5("one"), &e), ERR_OK);
    sip_auth_reset(&a);
    assert_string_equal(lines(&a), "");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_nothing_unasked),
        cmocka_unit_test(answers_the_best_challenge),
        cmocka_unit_test(answers_server_and_proxy_together),
        cmocka_unit_test(counts_the_uses_of_a_nonce),
        cmocka_unit_test(knows_a_refusal),
        cmocka_unit_test(takes_no_old_nonce_for_a_wrong_password),
        cmocka_unit_test(stale_is_no_refusal_but_has_an_end),
        cmocka_unit_test(says_why_it_cannot_answer),
        cmocka_unit_test(forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
