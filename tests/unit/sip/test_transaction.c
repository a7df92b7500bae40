#include "tools/unit.h"

#include <stdio.h>

#include "base/limits.h"
#include "sip/transaction.h"

#define START_MS 1000U
#define F_MS     ((uint64_t)START_MS + LIMIT_SIP_TIMER_F_MS)

static struct sip_message *message(const char *line, const char *branch, const char *method)
{
    char text[512];
    struct sip_message *m;
    (void)snprintf(text, sizeof text,
                   "%s\r\nVia: SIP/2.0/TLS h;branch=%s\r\nVia: SIP/2.0/TLS h;branch=z9hG4bKa\r\n"
                   "From: sip:a@h;tag=1\r\nTo: sip:a@h\r\nCall-ID: x\r\nCSeq: 1 %s\r\n\r\n",
                   line, branch, method);
    assert_true(is_ok(sip_message_parse(slice_of_str(text), &m, NULL)));
    return m;
}

static bool receive(struct sip_transaction *t, const char *line, const char *branch,
                    const char *method)
{
    struct sip_message *m = message(line, branch, method);
    const bool ours = sip_transaction_receive(t, m);
    sip_message_free(m);
    return ours;
}

static struct sip_transaction started(void)
{
    struct sip_transaction t = {.state = SIP_TRANSACTION_IDLE};
    sip_transaction_start(&t, "z9hG4bKa", "REGISTER", START_MS);
    assert_int_equal(t.state, SIP_TRANSACTION_TRYING);
    assert_int_equal(sip_transaction_deadline(&t), F_MS);
    return t;
}

static void ends_with_a_final_response(void **state)
{
    struct sip_transaction t = started();
    (void)state;
    assert_true(receive(&t, "SIP/2.0 100 Trying", "z9hG4bKa", "REGISTER"));
    assert_int_equal(t.state, SIP_TRANSACTION_PROCEEDING);
    assert_true(receive(&t, "SIP/2.0 401 X", "z9hG4bKa", "REGISTER"));
    assert_int_equal(t.state, SIP_TRANSACTION_DONE);
    assert_true(sip_transaction_deadline(&t) == UINT64_MAX);
    assert_false(sip_transaction_expired(&t, F_MS));
    assert_false(receive(&t, "SIP/2.0 200 OK", "z9hG4bKa", "REGISTER")); /* once */
}

static void takes_only_its_own_responses(void **state)
{
    struct sip_transaction t = started();
    (void)state;
    assert_false(receive(&t, "SIP/2.0 200 OK", "z9hG4bKb", "REGISTER"));
    assert_false(receive(&t, "SIP/2.0 200 OK", "z9hG4bKA", "REGISTER"));
    assert_false(receive(&t, "SIP/2.0 200 OK", "z9hG4bKa", "OPTIONS"));
    assert_false(receive(&t, "REGISTER sip:h SIP/2.0", "z9hG4bKa", "REGISTER"));
    assert_int_equal(t.state, SIP_TRANSACTION_TRYING);
}

static void expires_once_whatever_came_before(void **state)
{
    struct sip_transaction t = started();
    (void)state;
    assert_true(receive(&t, "SIP/2.0 100 Trying", "z9hG4bKa", "REGISTER"));
    assert_false(sip_transaction_expired(&t, F_MS - 1));
    assert_true(sip_transaction_expired(&t, F_MS));
    assert_false(sip_transaction_expired(&t, F_MS));
    assert_false(receive(&t, "SIP/2.0 200 OK", "z9hG4bKa", "REGISTER"));
}

static void is_quiet_while_nothing_is_under_way(void **state)
{
    struct sip_transaction idle = {.state = SIP_TRANSACTION_IDLE}, t = started();
    (void)state;
    assert_true(sip_transaction_deadline(&idle) == UINT64_MAX);
    assert_false(sip_transaction_expired(&idle, UINT64_MAX));
    assert_false(receive(&idle, "SIP/2.0 200 OK", "z9hG4bKa", "REGISTER"));
    sip_transaction_cancel(&t);
    assert_false(receive(&t, "SIP/2.0 200 OK", "z9hG4bKa", "REGISTER"));
    assert_false(sip_transaction_expired(&t, F_MS));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_with_a_final_response),
        cmocka_unit_test(takes_only_its_own_responses),
        cmocka_unit_test(expires_once_whatever_came_before),
        cmocka_unit_test(is_quiet_while_nothing_is_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
