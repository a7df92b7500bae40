#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "link/watched.h"
#include "tools/unit.h"

#define CONTACT "sip:alice@192.0.2.7:4;transport=tls"

static struct watched w;

static int set_up(void **state)
{
    (void)state;
    w = (struct watched){.error = ERRINFO_INIT};
    watched_reset(&w);
    return 0;
}

/* STATUS 0: the REGISTER. MORE: whole header lines. */
static bool sees_method(const char *method, int status, const char *more, uint64_t now)
{
    char text[1024], start[64];
    struct sip_message *m;
    struct errinfo e = ERRINFO_INIT;
    if (status == 0)
        (void)snprintf(start, sizeof start, "%s sip:example.com SIP/2.0", method);
    else
        (void)snprintf(start, sizeof start, "SIP/2.0 %d x", status);
    (void)snprintf(text, sizeof text,
                   "%s\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n"
                   "To: <sip:a@b>\r\nCall-ID: c\r\nCSeq: 1 %s\r\nMax-Forwards: 9\r\n%s"
                   "Content-Length: 0\r\n\r\n",
                   start, method, more);
    if (is_err(sip_message_parse(slice_of_str(text), &m, &e)))
        fail_msg("%s", e.text);
    const bool changed = watched_see(&w, m, CONTACT, now);
    sip_message_free(m);
    return changed;
}

static bool sees(int status, const char *more, uint64_t now)
{
    return sees_method("REGISTER", status, more, now);
}

#define ASKS   "Contact: <sip:s@127.0.0.1:9>;expires=600\r\n"
#define GRANTS "Contact: <sip:x@y>;expires=7, <" CONTACT ">;expires=300\r\n"
#define LOGIN  "Authorization: Digest username=\"a\"\r\n"
#define ASKED  "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n"
#define STALE  "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", stale=TRUE\r\n"

static void test_registered(void **state)
{
    (void)state;
    assert_true(sees(0, ASKS, 1000));
    assert_int_equal(w.state, REGISTRATION_TRYING);
    assert_true(sees(401, ASKED, 1000));
    assert_false(sees(0, ASKS LOGIN, 1000));
    assert_false(sees(100, "", 1000));
    assert_true(sees(200, GRANTS, 2000));
    assert_int_equal(w.state, REGISTRATION_REGISTERED);
    assert_int_equal(w.granted_s, 300);
    assert_int_equal(w.last_status, 200);
    assert_int_equal(w.ends_ms, 302000);
    assert_true(sees(0, ASKS LOGIN, 200000));
    assert_int_equal(w.state, REGISTRATION_REFRESHING);
    assert_int_equal(w.granted_s, 300);
    (void)sees(401, STALE, 200000);
    assert_int_equal(w.state, REGISTRATION_REFRESHING);
    assert_true(sees(200, "Contact: <sips:alice@192.0.2.7:4>\r\nExpires: 60\r\n", 200000));
    assert_int_equal(w.granted_s, 60);
    assert_false(watched_tick(&w, 259999));
    assert_true(watched_tick(&w, 260000));
    assert_int_equal(w.state, REGISTRATION_OFF);
    assert_false(watched_tick(&w, UINT64_MAX - 1));
}

static void test_refused(void **state)
{
    (void)state;
    (void)sees(0, ASKS LOGIN, 0);
    assert_true(sees(401, STALE, 0)); /* its status */
    assert_int_equal(w.state, REGISTRATION_TRYING);
    (void)sees(0, ASKS LOGIN, 0);
    assert_true(sees(401, ASKED, 0));
    assert_int_equal(w.state, REGISTRATION_WAITING);
    assert_int_equal(w.error.code, ERR_AUTH);
    assert_false(watched_tick(&w, UINT64_MAX - 1));
    (void)sees(0, ASKS LOGIN, 0);
    assert_int_equal(w.state, REGISTRATION_TRYING);
    (void)sees(200, GRANTS, 0);
    assert_int_equal(w.error.code, ERR_OK);
    (void)sees(0, ASKS LOGIN, 0);
    (void)sees(503, "", 0);
    assert_int_equal(w.state, REGISTRATION_WAITING);
    assert_int_equal(w.granted_s, 0);
}

static void test_taken_back(void **state)
{
    (void)state;
    (void)sees(0, ASKS, 0);
    (void)sees(200, GRANTS, 0);
    (void)sees(0, "Contact: *\r\nExpires: 0\r\n", 0);
    assert_true(sees(200, "", 0));
    assert_int_equal(w.state, REGISTRATION_OFF);
    (void)sees(0, ASKS, 0);
    (void)sees(200, "Contact: <sip:x@y>;expires=7\r\n", 0); /* another one's */
    assert_int_equal(w.state, REGISTRATION_OFF);
}

static void test_no_answer(void **state)
{
    (void)state;
    assert_false(sees_method("OPTIONS", 0, "", 0));
    (void)sees(0, ASKS, 1000);
    assert_false(watched_tick(&w, 999 + LIMIT_SIP_TIMER_F_MS));
    assert_true(watched_tick(&w, 1000 + LIMIT_SIP_TIMER_F_MS));
    assert_int_equal(w.state, REGISTRATION_WAITING);
    assert_int_equal(w.error.code, ERR_TIMEOUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_registered, set_up),
        cmocka_unit_test_setup(test_refused, set_up),
        cmocka_unit_test_setup(test_taken_back, set_up),
        cmocka_unit_test_setup(test_no_answer, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
