#include "tools/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "sip/frame.h"

#define SMALL "OPTIONS sip:a SIP/2.0\r\nl: 0\r\n\r\n"
#define BODY  "MESSAGE sip:a SIP/2.0\r\nContent-Length: 5\r\n\r\nhe\r\no"

static const char *const event_names[] = {"more", "message", "ping", "pong"};

/* Feeds STREAM in pieces of SIZE and writes down what comes out: "ping message(N) ...", an error as
 * its sentence at the end. */
static void run(struct slice stream, size_t size, char *out, size_t out_size)
{
    struct sip_frame *f;
    struct errinfo e = ERRINFO_INIT;
    struct result r = OK;
    size_t used = 0;
    out[0] = '\0';
    assert_true(is_ok(sip_frame_new(&f)));
    while (stream.n > 0 && is_ok(r)) {
        enum sip_frame_event event;
        struct slice whole;
        assert_true(is_ok(sip_frame_feed(f, slice_first(stream, size))));
        stream = slice_from(stream, size);
        while (is_ok(r = sip_frame_next(f, &event, &whole, &e)) && event != SIP_FRAME_MORE) {
            used += (size_t)snprintf(out + used, out_size - used, "%s%s", used > 0 ? " " : "",
                                     event_names[event]);
            if (event == SIP_FRAME_MESSAGE)
                used += (size_t)snprintf(out + used, out_size - used, "(%zu)", whole.n);
        }
    }
    if (is_err(r))
        (void)snprintf(out + used, out_size - used, "%s%s", used > 0 ? " " : "", e.text);
    sip_frame_free(f);
}

static void assert_stream(struct slice stream, size_t size, const char *expected)
{
    char got[2048];
    run(stream, size, got, sizeof got);
    assert_string_equal(got, expected);
}

static void finds_messages_and_keep_alives(void **state)
{
    static const struct {
        const char *stream;
        const char *whole;
        const char *bytewise; /* NULL: the same */
    } cases[] = {
        {SMALL, "message(31)", NULL},
        {BODY, "message(49)", NULL},
        {SMALL SMALL BODY, "message(31) message(31) message(49)", NULL},
        {"\r\n", "pong", NULL},
        {"\r\n\r\n", "ping", "pong ping"},
        {SMALL "\r\n" SMALL, "message(31) pong message(31)", NULL},
        {SMALL "\r\n\r\n" SMALL, "message(31) ping message(31)",
         "message(31) pong ping message(31)"},
        {"\r\n" SMALL "\r\n", "pong message(31) pong", NULL},
        {"\r\n\r\n\r\n\r\n", "ping ping", "pong ping pong ping"},
        {"SIP/2.0 200 OK\r\nContent-Length:0\r\n\r\n", "message(36)", NULL},
        {"SIP/2.0 200 OK\r\ncontent-LENGTH \t: \t0  \r\n\r\n", "message(42)", NULL},
        {"SIP/2.0 200 OK\r\nContent-Length:\r\n 0\r\n\r\n", "message(39)", NULL},
        {"SIP/2.0 200 OK\r\nl: 2\r\nX: l: 9\r\n l: 7\r\n\r\nab", "message(42)", NULL},
        {"SIP/2.0 200 OK\r\nl: 2\r\nContent-Length: 02\r\n\r\nab", "message(46)", NULL},
        {"A sip:a SIP/2.0\r\nl: 0\r\n \r\nX: y\r\n\r\n", "message(34)",
         NULL}, /* a fold of blanks */
        {SMALL "OPTIONS", "message(31)", NULL},
        {"", "", NULL},
        {"\r", "", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct slice stream = slice_of_str(cases[i].stream);
        assert_stream(stream, stream.n, cases[i].whole);
        assert_stream(stream, 1, cases[i].bytewise != NULL ? cases[i].bytewise : cases[i].whole);
    }
}

static void refuses_what_has_no_clear_boundary(void **state)
{
    static const struct {
        struct slice stream;
        const char *sentence;
    } cases[] = {
        {SLICE_LIT("A sip:a SIP/2.0\r\nX: y\r\n\r\n"),
         "a message has no Content-Length (RFC 3261 section 18.3)"},
        {SLICE_LIT("A sip:a SIP/2.0\r\nContent-Length: -5\r\n\r\n"),
         "Content-Length is not a plain number: \"-5\""},
        {SLICE_LIT("A sip:a SIP/2.0\r\nl: +5\r\n\r\n"),
         "Content-Length is not a plain number: \"+5\""},
        {SLICE_LIT("A sip:a SIP/2.0\r\nl: 5, 5\r\n\r\n"),
         "Content-Length is not a plain number: \"5, 5\""},
        {SLICE_LIT("A sip:a SIP/2.0\r\nl:\r\n\r\n"), "Content-Length is not a plain number: \"\""},
        {SLICE_LIT("A sip:a SIP/2.0\r\nl: 1\r\n 2\r\n\r\n"),
         "Content-Length is not a plain number: \"1?? 2\""},
        {SLICE_LIT("A sip:a SIP/2.0\r\nl: 99999999999\r\n\r\n"),
         "Content-Length is not a plain number: \"99999999999\""},
        {SLICE_LIT("A sip:a SIP/2.0\r\nl: 5\r\nContent-Length: 6\r\n\r\n"),
         "a message says its Content-Length twice, 5 and 6"},
        {SLICE_LIT("A sip:a SIP/2.0\nl: 0\n\n"), "a line of a message's header ends in a bare LF"},
        {SLICE_LIT("A sip:a SIP/2.0\r\nl: 0\n\r\n"),
         "a line of a message's header ends in a bare LF"},
        {SLICE_LIT("A sip:a SIP/2.0\r\nX: a\rl: 5\r\nl: 0\r\n\r\n"),
         "a message's header has a bare CR"},
        {SLICE_LIT("A sip:a SIP/2.0\r\nX: a\r\r\nl: 0\r\n\r\n"),
         "a message's header has a bare CR"},
        {SLICE_LIT("\n"), "a line between SIP messages does not end in CR LF"},
        {SLICE_LIT("\rA"), "a line between SIP messages does not end in CR LF"},
        {SLICE_LIT("\x16\x03\x01\0\x05\r\n"), "a message's header has a NUL: this is not SIP"},
        {SLICE_LIT("HTTP/1.1 400 Bad Request\r\n"), "it speaks HTTP, not SIP: check the port"},
        {SLICE_LIT("A sip:a SIP/2.0\r\nl: 65535\r\n\r\n"),
         "a message with a body of 65535 bytes is too large: 65535 in all are taken"},
        {SLICE_LIT("A sip:a SIP/2.0\r\nl: 4294967295\r\n\r\n"),
         "a message with a body of 4294967295 bytes is too large: 65535 in all are taken"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_stream(cases[i].stream, cases[i].stream.n, cases[i].sentence);
        assert_stream(cases[i].stream, 1, cases[i].sentence);
    }
}

/* A NUL behind a backslash is legal in a quoted string (RFC 3261 section 25.1). */
static void bears_a_quoted_nul(void **state)
{
    (void)state;
    assert_stream(SLICE_LIT("A sip:a SIP/2.0\r\nl: 0\r\nX: \"\\\0\"\r\n\r\n"), 1, "message(34)");
}

static void is_broken_for_good_after_an_error(void **state)
{
    struct sip_frame *f;
    enum sip_frame_event event;
    struct slice whole;
    struct errinfo e = ERRINFO_INIT;
    (void)state;
    assert_true(is_ok(sip_frame_new(&f)));
    assert_true(is_ok(sip_frame_feed(f, SLICE_LIT("\n"))));
    assert_int_equal(sip_frame_next(f, &event, &whole, NULL).code, ERR_PARSE);
    assert_int_equal(sip_frame_feed(f, SLICE_LIT(SMALL)).code, ERR_STATE);
    assert_int_equal(sip_frame_next(f, &event, &whole, &e).code, ERR_STATE);
    assert_int_equal(event, SIP_FRAME_MORE);
    assert_string_equal(e.text, "the boundaries between SIP messages are lost on this connection");
    sip_frame_free(f);
}

/* For an answer: what is wrong is given out, from its beginning. */
static void an_error_gives_what_there_is(void **state)
{
    struct sip_frame *f;
    enum sip_frame_event event;
    struct slice out;
    (void)state;
    assert_true(is_ok(sip_frame_new(&f)));
    assert_true(is_ok(sip_frame_feed(f, SLICE_LIT(SMALL "A sip:a SIP/2.0\r\nl: -1\r\n\r\n"))));
    assert_true(is_ok(sip_frame_next(f, &event, &out, NULL)));
    assert_int_equal(event, SIP_FRAME_MESSAGE);
    assert_int_equal(sip_frame_next(f, &event, &out, NULL).code, ERR_PARSE);
    assert_true(slice_eq_str(out, "A sip:a SIP/2.0\r\nl: -1\r\n\r\n"));
    sip_frame_free(f);
}

static void knows_when_a_message_has_begun(void **state)
{
    static const struct {
        const char *bytes;
        bool partial; /* after these and all before */
    } steps[] = {
        {"\r\n", false}, {"O", true},    {"PTIONS sip:a SIP/2.0\r\nl: 2\r\n\r\n", true},
        {"x", true},     {"y\r", false}, {"\n" SMALL "O", true},
    };
    struct sip_frame *f;
    enum sip_frame_event event;
    struct slice out;
    (void)state;
    assert_true(is_ok(sip_frame_new(&f)));
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        assert_true(is_ok(sip_frame_feed(f, slice_of_str(steps[i].bytes))));
        do
            assert_true(is_ok(sip_frame_next(f, &event, &out, NULL)));
        while (event != SIP_FRAME_MORE);
        assert_int_equal(sip_frame_is_partial(f), steps[i].partial);
    }
    sip_frame_free(f);
}

/* A message of exactly N bytes, of which HEADER are its header. */
static void make_message(struct buf *b, size_t header, size_t n)
{
    buf_init(b, 2 * LIMIT_SIP_MESSAGE);
    assert_true(is_ok(buf_printf(b, "A sip:a SIP/2.0\r\nl: %05zu\r\nX: ", n - header)));
    while (buf_len(b) < header - 4)
        assert_true(is_ok(buf_append_str(b, "x")));
    assert_true(is_ok(buf_append_str(b, "\r\n\r\n")));
    while (buf_len(b) < n)
        assert_true(is_ok(buf_append_str(b, "y")));
}

static void takes_the_largest_message_and_no_larger(void **state)
{
    static const struct {
        size_t header, n;
        const char *expected;
    } cases[] = {
        {1000, LIMIT_SIP_MESSAGE, "message(65535)"},
        {LIMIT_SIP_HEADER_BYTES, LIMIT_SIP_MESSAGE, "message(65535)"},
        {1000, LIMIT_SIP_MESSAGE + 1,
         "a message with a body of 64536 bytes is too large: 65535 in all are taken"},
        {LIMIT_SIP_HEADER_BYTES + 1, LIMIT_SIP_HEADER_BYTES + 1,
         "a message's header is longer than 32768 bytes"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf b;
        make_message(&b, cases[i].header, cases[i].n);
        assert_stream(buf_slice(&b), 1000, cases[i].expected);
        buf_free(&b);
    }
}

static void holds_no_more_than_a_message_and_a_read(void **state)
{
    static const uint8_t zeros[LIMIT_TLS_PLAINTEXT];
    struct sip_frame *f;
    size_t fed = 0;
    (void)state;
    assert_true(is_ok(sip_frame_new(&f)));
    while (is_ok(sip_frame_feed(f, slice_of(zeros, 1000))))
        fed += 1000;
    assert_in_range(fed, LIMIT_SIP_MESSAGE, LIMIT_SIP_MESSAGE + LIMIT_TLS_PLAINTEXT);
    sip_frame_free(f);
}

/* One byte at a time through the longest header without a line end: seconds, if each byte were
 * looked at again and again; the suite's time-out would tell. */
static void time_is_linear_in_the_bytes(void **state)
{
    struct buf b;
    (void)state;
    for (int i = 0; i < 20; i++) {
        make_message(&b, LIMIT_SIP_HEADER_BYTES, LIMIT_SIP_MESSAGE);
        assert_stream(buf_slice(&b), 1, "message(65535)");
        buf_free(&b);
    }
}

static void message_is_what_was_sent(void **state)
{
    struct sip_frame *f;
    enum sip_frame_event event;
    struct slice whole;
    (void)state;
    assert_true(is_ok(sip_frame_new(&f)));
    assert_true(is_ok(sip_frame_feed(f, SLICE_LIT("\r\n" BODY SMALL))));
    assert_true(is_ok(sip_frame_next(f, &event, &whole, NULL)));
    assert_true(is_ok(sip_frame_next(f, &event, &whole, NULL)));
    assert_true(slice_eq(whole, SLICE_LIT(BODY)));
    assert_true(is_ok(sip_frame_next(f, &event, &whole, NULL)));
    assert_true(slice_eq(whole, SLICE_LIT(SMALL)));
    sip_frame_free(f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_messages_and_keep_alives),
        cmocka_unit_test(refuses_what_has_no_clear_boundary),
        cmocka_unit_test(bears_a_quoted_nul),
        cmocka_unit_test(is_broken_for_good_after_an_error),
        cmocka_unit_test(an_error_gives_what_there_is),
        cmocka_unit_test(knows_when_a_message_has_begun),
        cmocka_unit_test(takes_the_largest_message_and_no_larger),
        cmocka_unit_test(holds_no_more_than_a_message_and_a_read),
        cmocka_unit_test(time_is_linear_in_the_bytes),
        cmocka_unit_test(message_is_what_was_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
