#include "tools/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "link/answer.h"
#include "sys/entropy.h"

static struct sip_message *request(const char *method)
{
    char text[512];
    struct sip_message *m = NULL;
    (void)snprintf(text, sizeof text,
                   "%s sips:alice@192.0.2.7 SIP/2.0\r\n"
                   "Via: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bK1\r\n"
                   "From: <sips:bob@example.com>;tag=1\r\nTo: <sips:alice@example.com>\r\n"
                   "Call-ID: 1\r\nCSeq: 7 %s\r\nMax-Forwards: 70\r\n"
                   "Content-Length: 0\r\n\r\n",
                   method, method);
    assert_true(is_ok(sip_message_parse(slice_of_str(text), &m, NULL)));
    return m;
}

static void test_answers(void **state)
{
    (void)state;
    static const struct {
        const char *method;
        int status; /* 0: no answer */
        const char *header, *value;
    } cases[] = {
        {"OPTIONS", 200, "Allow", "OPTIONS"},  {"INVITE", 503, "Retry-After", "60"},
        {"NOTIFY", 503, "Retry-After", "60"},  {"BYE", 481, NULL, NULL},
        {"CANCEL", 481, NULL, NULL},           {"ACK", 0, NULL, NULL},
        {"options", 503, "Retry-After", "60"}, /* methods are case-sensitive */
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sip_message *m = request(cases[i].method), *response = NULL;
        struct buf out;
        buf_init(&out, LIMIT_SIP_MESSAGE);
        assert_true(is_ok(answer_request(&out, m, &entropy_system)));
        if (cases[i].status == 0) {
            assert_int_equal(buf_len(&out), 0);
        } else {
            assert_true(is_ok(sip_message_parse(buf_slice(&out), &response, NULL)));
            assert_int_equal(sip_message_status(response), cases[i].status);
            assert_int_equal(sip_message_cseq(response), 7);
            assert_string_not_equal(sip_message_to_tag(response), "");
        }
        if (cases[i].header != NULL)
            assert_string_equal(sip_message_header(response, cases[i].header, 0), cases[i].value);
        sip_message_free(response);
        sip_message_free(m);
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_answers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
