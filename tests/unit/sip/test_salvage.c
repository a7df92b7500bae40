#include "tools/unit.h"

#include "base/limits.h"
#include "sip/salvage.h"

static void check(struct slice raw, const char *expected)
{
    struct buf out;
    buf_init(&out, LIMIT_SIP_MESSAGE);
    assert_true(is_ok(sip_salvage_response(&out, raw, 400, "Bad Request", "tag1")));
    assert_string_equal(buf_str(&out), expected);
    buf_free(&out);
}

#define ANSWER(fields) "SIP/2.0 400 Bad Request\r\n" fields "Content-Length: 0\r\n\r\n"

static void copies_what_an_answer_is_made_of(void **state)
{
    (void)state;
    check(SLICE_LIT("INVITE sip:a SIP/2.0\r\n"
                    "Via: SIP/2.0/TLS a;branch=1,SIP/2.0/TLS b\r\n"
                    "v: SIP/2.0/TLS c\r\n"
                    "From: <sip:x@y>;tag=2\r\n"
                    "t: <sip:a>\r\n"
                    "Subject: no matter\r\n"
                    "i: 7@y\r\n"
                    "CSeq: 1 INVITE\r\n"
                    "\r\n"
                    "To: in the body\r\n"),
          ANSWER("Via: SIP/2.0/TLS a;branch=1,SIP/2.0/TLS b\r\n"
                 "Via: SIP/2.0/TLS c\r\n"
                 "From: <sip:x@y>;tag=2\r\n"
                 "To: <sip:a>;tag=tag1\r\n"
                 "Call-ID: 7@y\r\n"
                 "CSeq: 1 INVITE\r\n"));
}

static void a_tag_that_is_there_stays(void **state)
{
    (void)state;
    check(SLICE_LIT("BYE sip:a SIP/2.0\r\nVia: a\r\nTo: <sip:a>\r\n ;TAG=9\r\n\r\n"),
          ANSWER("Via: a\r\nTo: <sip:a> ;TAG=9\r\n"));
}

/* The first of a kind counts, and nothing breaks out of its line. */
static void nothing_gets_in_that_should_not(void **state)
{
    (void)state;
    check(SLICE_LIT("A sip:a SIP/9\r\nVia: a\x01\0b\r\nCSeq: 1 A\r\nCSeq: 2 A\r\n\r\n"),
          ANSWER("Via: a??b\r\nCSeq: 1 A\r\n"));
    check(SLICE_LIT("A sip:a SIP/2.0\nVia: a\rb\tc\n\n"), ANSWER("Via: a?b c\r\n"));
}

static void a_message_that_is_cut_off(void **state)
{
    (void)state;
    check(SLICE_LIT("A sip:a SIP/2.0\r\nVia: a\r\nFrom: <sip"), ANSWER("Via: a\r\nFrom: <sip\r\n"));
}

static void who_cannot_be_answered_is_not(void **state)
{
    static const char *const raws[] = {
        "",
        "\r\n",
        "ACK sip:a SIP/2.0\r\nVia: a\r\n\r\n",       /* never */
        "SIP/2.0 200 OK\r\nVia: a\r\n\r\n",          /* a response */
        "GET / HTTP/1.1\r\nVia: a\r\n\r\n",          /* a web browser */
        "INVITE sip:a SIP/2.0\r\nFrom: a\r\n\r\n",   /* no Via */
        "INVITE sip:a SIP/2.0",                      /* no header */
        "INV\x01TE sip:a SIP/2.0\r\nVia: a\r\n\r\n", /* no method */
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(raws); i++) {
        struct buf out;
        buf_init(&out, LIMIT_SIP_MESSAGE);
        assert_true(
            is_ok(sip_salvage_response(&out, slice_of_str(raws[i]), 400, "Bad Request", "t")));
        if (buf_len(&out) != 0)
            fail_msg("'%s' is answered", raws[i]);
        buf_free(&out);
    }
}

static void what_does_not_fit_is_an_error(void **state)
{
    struct buf out;
    (void)state;
    for (size_t cap = 0; cap < sizeof ANSWER("Via: a\r\n") - 1; cap++) {
        buf_init(&out, cap);
        assert_int_equal(sip_salvage_response(&out, SLICE_LIT("A sip:a SIP/2.0\r\nVia: a\r\n\r\n"),
                                              400, "Bad Request", "t")
                             .code,
                         ERR_LIMIT);
        buf_free(&out);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_what_an_answer_is_made_of),
        cmocka_unit_test(a_tag_that_is_there_stays),
        cmocka_unit_test(nothing_gets_in_that_should_not),
        cmocka_unit_test(a_message_that_is_cut_off),
        cmocka_unit_test(who_cannot_be_answered_is_not),
        cmocka_unit_test(what_does_not_fit_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
