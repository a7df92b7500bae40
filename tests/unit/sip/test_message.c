#include "tools/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "sip/message.h"

#define START   "OPTIONS sips:bob@example.com SIP/2.0\r\n"
#define OK_LINE "SIP/2.0 200 OK\r\n"
#define VIA     "Via: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bKa\r\n"
#define FROM    "From: \"A\" <sips:alice@example.com>;tag=f\r\n"
#define TO      "To: <sips:bob@example.com>;tag=t\r\n"
#define CALL_ID "Call-ID: c@h\r\n"
#define CSEQ    "CSeq: 7 OPTIONS\r\n"
#define REST    VIA FROM TO CALL_ID CSEQ
#define END     "Content-Length: 0\r\n\r\n"

static struct sip_message *parse(const char *text)
{
    struct sip_message *m = NULL;
    struct errinfo e = ERRINFO_INIT;
    if (is_err(sip_message_parse(slice_of_str(text), &m, &e)))
        fail_msg("%s\nis refused: %s", text, e.text);
    return m;
}

static void assert_refused(struct slice text, enum err code, const char *sentence)
{
    struct sip_message *m = NULL;
    struct errinfo e = ERRINFO_INIT;
    const struct result r = sip_message_parse(text, &m, &e);
    if (r.code != code || strcmp(e.text, sentence) != 0)
        fail_msg("%.*s\ngives %s: %s", SLICE_FMT(text), err_name(r.code), e.text);
    assert_null(m);
}

/* --- what it says --- */

static void reads_a_request(void **state)
{
    struct sip_message *m = parse(START REST "Content-Length: 3\r\n\r\n a\n");
    (void)state;
    assert_true(sip_message_is_request(m));
    assert_int_equal(sip_message_status(m), 0);
    assert_string_equal(sip_message_method(m), "OPTIONS");
    assert_string_equal(sip_message_uri(m), "sips:bob@example.com");
    assert_string_equal(sip_message_reason(m), "");
    assert_string_equal(sip_message_call_id(m), "c@h");
    assert_int_equal(sip_message_cseq(m), 7);
    assert_string_equal(sip_message_branch(m), "z9hG4bKa");
    assert_string_equal(sip_message_from_tag(m), "f");
    assert_string_equal(sip_message_to_tag(m), "t");
    assert_true(slice_eq_str(sip_message_body(m), " a\n"));
    sip_message_free(m);
}

static void reads_a_response(void **state)
{
    static const struct {
        const char *line;
        int status;
        const char *reason;
    } cases[] = {
        {"SIP/2.0 200 OK", 200, "OK"},
        {"sip/2.0 404 Not Found", 404, "Not Found"},
        {"SIP/2.0 100 ", 100, ""},
        {"SIP/2.0 100", 100, ""}, /* seen, though the grammar wants the space */
        {"SIP/2.0 699  = 2**3 \xd0\xbd", 699, " = 2**3 \xd0\xbd"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[512];
        (void)snprintf(text, sizeof text, "%s\r\n%s", cases[i].line, REST END);
        struct sip_message *m = parse(text);
        assert_false(sip_message_is_request(m));
        assert_int_equal(sip_message_status(m), cases[i].status);
        assert_string_equal(sip_message_reason(m), cases[i].reason);
        assert_string_equal(sip_message_method(m), "OPTIONS"); /* of CSeq */
        assert_string_equal(sip_message_uri(m), "");
        assert_int_equal(sip_message_body(m).n, 0);
        sip_message_free(m);
    }
}

static void finds_header_fields_by_any_of_their_names(void **state)
{
    struct sip_message *m =
        parse(START "v: SIP/2.0/TLS h;branch=1, SIP/2.0/TLS i\r\n"
                    "f: sip:a@h\r\nt: sip:b@h\r\ni: x\r\n" CSEQ "vIA :\tSIP/2.0/TLS j\r\n"
                    "k: path,\r\n outbound\r\n"
                    "Subject:\r\n"
                    "X-Mine: a, b\r\n  c\r\n"
                    "x-mine: d\r\n"
                    "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n"
                    "l: 0\r\n\r\n");
    (void)state;
    assert_string_equal(sip_message_header(m, "Via", 0), "SIP/2.0/TLS h;branch=1");
    assert_string_equal(sip_message_header(m, "v", 1), "SIP/2.0/TLS i");
    assert_string_equal(sip_message_header(m, "VIA", 2), "SIP/2.0/TLS j");
    assert_null(sip_message_header(m, "Via", 3));
    assert_string_equal(sip_message_header(m, "supported", 0), "path");
    assert_string_equal(sip_message_header(m, "K", 1), "outbound");
    assert_string_equal(sip_message_header(m, "s", 0), "");
    assert_string_equal(sip_message_header(m, "x-MINE", 0), "a, b c");
    assert_string_equal(sip_message_header(m, "x-MINE", 1), "d");
    assert_string_equal(sip_message_header(m, "WWW-Authenticate", 0),
                        "Digest realm=\"r\", nonce=\"n\"");
    assert_null(sip_message_header(m, "Expires", 0));
    assert_null(sip_message_header(m, "X", 0));
    assert_string_equal(sip_message_branch(m), "1");
    assert_string_equal(sip_message_from_tag(m), "");
    sip_message_free(m);
}

static void reads_numbers(void **state)
{
    static const struct {
        const char *value;
        bool ok;
        uint64_t number;
    } cases[] = {
        {"0", true, 0},
        {"0120", true, 120},
        {"120 (in a meeting)", true, 120},
        {"18000;duration=3600", true, 18000},
        {"1000", true, 1000},
        {"1001", false, 0},
        {"99999999999999999999999", false, 0},
        {"-1", false, 0},
        {"1x", false, 0},
        {"", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[512];
        uint64_t number = 4711;
        (void)snprintf(text, sizeof text, OK_LINE REST "Retry-After: %s\r\n" END, cases[i].value);
        struct sip_message *m = parse(text);
        if (i == 0)
            assert_false(sip_message_number(m, "Expires", 1000, &number));
        if (sip_message_number(m, "Retry-After", 18000 - (i > 3 ? 17000 : 0), &number) !=
            cases[i].ok)
            fail_msg("\"%s\"", cases[i].value);
        if (cases[i].ok)
            assert_int_equal(number, cases[i].number);
        sip_message_free(m);
    }
}

/* --- what it refuses --- */

static void refuses_bad_start_lines(void **state)
{
    static const struct {
        const char *line;
        enum err code;
        const char *sentence;
    } cases[] = {
        {"", ERR_PARSE, "it is empty"},
        {"OPTIONS", ERR_PARSE, "its first line is not one of SIP"},
        {"OPTIONS sip:a", ERR_PARSE, "its first line is not one of SIP"},
        {"OPT:IONS sip:a SIP/2.0", ERR_PARSE, "its first line is not one of SIP"},
        {" OPTIONS sip:a SIP/2.0", ERR_PARSE, "its first line is not one of SIP"},
        {"OPTIONS  sip:a SIP/2.0", ERR_PARSE, "its first line is not one of SIP"},
        {"OPTIONS sip:a SIP/2.0 ", ERR_PARSE, "its first line is not one of SIP"},
        {"OPTIONS sip:a SIP/3.0", ERR_UNSUPPORTED, "its version is not SIP/2.0 but SIP/3.0"},
        {"GET / HTTP/1.1", ERR_PARSE, "its first line is not one of SIP"},
        {"OPTIONS <sip:a> SIP/2.0", ERR_PARSE, "its Request-URI is not valid"},
        {"OPTIONS sip:a?b=c SIP/2.0", ERR_PARSE, "its Request-URI has headers"},
        {"SIP/1.0 200 OK", ERR_UNSUPPORTED, "its version is not SIP/2.0 but SIP/1.0"},
        {"SIP/2.0 99 X", ERR_PARSE, "its status is not one from 100 to 699"},
        {"SIP/2.0 700 X", ERR_PARSE, "its status is not one from 100 to 699"},
        {"SIP/2.0 9999999 X", ERR_PARSE, "its status is not one from 100 to 699"},
        {"SIP/2.0 020 X", ERR_PARSE, "its status is not one from 100 to 699"},
        {"SIP/2.0  200 X", ERR_PARSE, "its status is not one from 100 to 699"},
        {"SIP/2.0 OK", ERR_PARSE, "its status is not one from 100 to 699"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[512];
        (void)snprintf(text, sizeof text, "%s\r\n%s", cases[i].line, REST END);
        assert_refused(slice_of_str(text), cases[i].code, cases[i].sentence);
    }
}

static void refuses_bad_headers(void **state)
{
    static const struct {
        struct slice text;
        const char *sentence;
    } cases[] = {
        {SLICE_LIT(START VIA FROM TO CALL_ID END), "it has no CSeq header field"},
        {SLICE_LIT(START VIA FROM TO CSEQ END), "it has no Call-ID header field"},
        {SLICE_LIT(START VIA FROM CALL_ID CSEQ END), "it has no To header field"},
        {SLICE_LIT(START VIA TO CALL_ID CSEQ END), "it has no From header field"},
        {SLICE_LIT(START FROM TO CALL_ID CSEQ END), "it has no Via header field"},
        {SLICE_LIT(START "Via:\r\n" FROM TO CALL_ID CSEQ END), "it has no Via header field"},
        {SLICE_LIT(START REST FROM END), "it has more than one From header field"},
        {SLICE_LIT(START REST "t: sip:x\r\n" END), "it has more than one To header field"},
        {SLICE_LIT(START REST "i: x\r\n" END), "it has more than one Call-ID header field"},
        {SLICE_LIT(START REST "cseq: 7 OPTIONS\r\n" END), "it has more than one CSeq header field"},
        {SLICE_LIT(START VIA FROM TO CALL_ID "CSeq: 7 INVITE\r\n" END),
         "its CSeq header field is malformed: its method is not the request's"},
        {SLICE_LIT(START VIA FROM TO CALL_ID "CSeq: 7 options\r\n" END),
         "its CSeq header field is malformed: its method is not the request's"},
        {SLICE_LIT(OK_LINE VIA FROM TO CALL_ID "CSeq: 7\r\n" END),
         "its CSeq header field is malformed: its method is no token"},
        {SLICE_LIT(OK_LINE VIA FROM TO CALL_ID "CSeq: 2147483648 A\r\n" END),
         "its CSeq header field is malformed: its number is none below 2147483648"},
        {SLICE_LIT(OK_LINE VIA FROM TO CALL_ID "CSeq: -1 A\r\n" END),
         "its CSeq header field is malformed: its number is none below 2147483648"},
        {SLICE_LIT(START VIA FROM TO "Call-ID:\r\n" CSEQ END),
         "its Call-ID header field is malformed: it is no word"},
        {SLICE_LIT(START VIA FROM TO "Call-ID: a b\r\n" CSEQ END),
         "its Call-ID header field is malformed: it is no word"},
        {SLICE_LIT(START VIA "From: Bell, A <sip:a@h>;tag=1\r\n" TO CALL_ID CSEQ END),
         "its From header field is malformed: the display name needs quotes"},
        {SLICE_LIT(START VIA FROM "To: sip:b@h;tag;x\r\n" CALL_ID CSEQ END),
         "its To header field is malformed: its tag has no value"},
        {SLICE_LIT(START REST "Contact: <sip:a@h>,\r\n" END),
         "its Contact header field is malformed: the URI is missing"},
        {SLICE_LIT(START REST "Contact: *;expires=0\r\n" END),
         "its Contact header field is malformed: the URI is not valid"},
        {SLICE_LIT(START REST "Route: <sip:a@h\r\n" END),
         "its Route header field is malformed: the '<' has no '>' at the end of the address"},
        {SLICE_LIT(START REST "Max-Forwards: 256\r\n" END),
         "its Max-Forwards header field is malformed: it is no number up to 255"},
        {SLICE_LIT(START REST "Content-Length: 1\r\n\r\n"),
         "its Content-Length header field is malformed: it is not the body's length"},
        {SLICE_LIT(START REST "Content-Length: -5\r\n\r\nabcde"),
         "its Content-Length header field is malformed: it is not a plain number"},
        {SLICE_LIT(START REST "Content-Type: text\r\n" END),
         "its Content-Type header field is malformed: it cannot be read"},
        {SLICE_LIT(START REST "X y: z\r\n" END), "a line of its header is no header field"},
        {SLICE_LIT(START REST ": z\r\n" END), "a line of its header is no header field"},
        {SLICE_LIT(START REST "X\r\n" END), "a line of its header is no header field"},
        {SLICE_LIT(START REST "X: a\0b\r\n" END), "its header has a control character (0x00)"},
        {SLICE_LIT(START REST "X: a\nY: b\r\n" END), "its header has a control character (0x0a)"},
        {SLICE_LIT(START REST "X: a\rY: b\r\n" END), "its header has a control character (0x0d)"},
        {SLICE_LIT(START REST "X: \\\\\x07\r\n" END), "its header has a control character (0x07)"},
        {SLICE_LIT(START REST "X: a\x7f\r\n" END), "its header has a control character (0x7f)"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_refused(cases[i].text, ERR_PARSE, cases[i].sentence);
    assert_refused(SLICE_LIT(START REST), ERR_TRUNCATED, "its header does not end");
    assert_refused(SLICE_EMPTY, ERR_TRUNCATED, "its header does not end");
}

/* What is not needed is not judged (RFC 3261 section 8.2.2). */
static void bears_what_it_does_not_need(void **state)
{
    static const char *const lines[] = {
        "X: ;;,,\"<\r\n", "Expires: never\r\n",    "Supported: ,,\r\n",
        "Contact:\r\n",   "Subject: \\\x01\r\n",   "Authorization: x\r\n",
        "Allow:\r\n",     "Content-Length: 0\r\n", "Warning: 399 h \"a, b\", 399 i \"c\"\r\n",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        char text[512];
        (void)snprintf(text, sizeof text, "%s%s%s", START REST, lines[i], END);
        sip_message_free(parse(text));
    }
    sip_message_free(parse(OK_LINE REST "Date: Fri, 01 Jan 2010 16:00:00 EST\r\n" END));
}

static void joins_folded_lines(void **state)
{
    struct sip_message *m =
        parse(START VIA "From:\r\n\t sip:a@h\r\n ;\r\n  tag\r\n =\r\n x\r\n" TO CALL_ID
                        "CSeq: 0007\r\n\t\tOPTIONS\r\nX:a\tb\r\n \r\n \"\\\x01\"\r\n" END);
    (void)state;
    assert_string_equal(sip_message_from_tag(m), "x");
    assert_int_equal(sip_message_cseq(m), 7);
    assert_string_equal(sip_message_header(m, "X", 0), "a b  \"\\?\"");
    sip_message_free(m);
}

/* Parses a message with BEFORE, N times PIECE, and BEHIND between its header fields and its end. */
static enum err parse_many(const char *before, const char *piece, size_t n, const char *behind)
{
    struct buf b;
    struct sip_message *m = NULL;
    buf_init(&b, 4 * LIMIT_SIP_MESSAGE);
    assert_true(is_ok(buf_printf(&b, "%s%s", START REST, before)));
    for (size_t i = 0; i < n; i++)
        assert_true(is_ok(buf_append_str(&b, piece)));
    assert_true(is_ok(buf_printf(&b, "%s%s", behind, END)));
    const struct result r = sip_message_parse(buf_slice(&b), &m, NULL);
    sip_message_free(m);
    buf_free(&b);
    return r.code;
}

static void has_limits(void **state)
{
    static const struct {
        const char *before, *piece, *behind;
        size_t most;
    } cases[] = {
        {"", "X: y\r\n", "", LIMIT_SIP_HEADERS - 6},
        /* the other fields have nine parts, and the first of a list comes without a separator */
        {"Supported: a", ",a", "\r\n", LIMIT_SIP_PARTS - 10},
        {"Contact: <sip:a@h>", ";a", "\r\n", LIMIT_SIP_PARTS - 10},
        {"Contact: <sip:a@h", ";a", ">\r\n", LIMIT_SIP_PARTS - 10},
        {"Contact: <sip:a@h?a=b", "&a=b", ">\r\n", LIMIT_SIP_PARTS - 10},
        {"Via: SIP/2.0/TLS h", ", SIP/2.0/TLS h", "\r\n", LIMIT_SIP_PARTS - 10},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(
            parse_many(cases[i].before, cases[i].piece, cases[i].most, cases[i].behind), ERR_OK);
        assert_int_equal(
            parse_many(cases[i].before, cases[i].piece, cases[i].most + 1, cases[i].behind),
            ERR_LIMIT);
    }
    assert_int_equal(parse_many("X: ", "x", LIMIT_SIP_MESSAGE, "\r\n"), ERR_LIMIT);
}

/* --- contacts --- */

static void reads_contacts(void **state)
{
    struct sip_contact c;
    struct sip_message *m =
        parse(OK_LINE REST "m: \"A, B\" <sips:a@h;x>;expires=60;+sip.instance=\"<urn:uuid:1>\"\r\n"
                           "Contact: sip:b@h;EXPIRES = 5 , *\r\n" END);
    (void)state;
    assert_true(sip_message_contact(m, 0, &c));
    assert_true(slice_eq_str(c.uri, "sips:a@h;x"));
    assert_string_equal(c.expires, "60");
    assert_string_equal(c.instance, "\"<urn:uuid:1>\"");
    assert_true(sip_message_contact(m, 1, &c));
    assert_true(slice_eq_str(c.uri, "sip:b@h"));
    assert_string_equal(c.expires, "5");
    assert_null(c.instance);
    assert_true(sip_message_contact(m, 2, &c));
    assert_true(slice_eq_str(c.uri, "*"));
    assert_null(c.expires);
    assert_false(sip_message_contact(m, 3, &c));
    sip_message_free(m);
}

static void finds_what_was_granted(void **state)
{
    static const struct {
        const char *lines;
        uint32_t granted;
    } cases[] = {
        {"Contact: <sips:a@h:1>;expires=60\r\n", 60},
        {"Contact: <sips:a@h:1>\r\nExpires: 90\r\n", 90},
        {"Contact: <sips:a@h:1>;expires=60\r\nExpires: 90\r\n", 60},
        {"Contact: <sips:a@h:1>\r\n", 1000},
        {"Contact: <sips:a@h:1>;expires=soon\r\n", 1000},
        {"Contact: <sips:a@h:1>;expires=99999999999\r\n", 1000},
        {"Contact: <sips:a@h:2>;expires=1, \"x\" <SIPS:%61@H:1;ob>;q=1;expires=\"7\"\r\n", 1000},
        {"Contact: <sips:a@h:2>;expires=1, \"x\" <SIPS:%61@H:1;ob>;q=1;expires=7\r\n", 7},
        {"Contact: <sips:a@h:1>;expires=0\r\n", 0},
        {"Contact: <sips:a@h:2>;expires=60\r\n", 0},
        {"Contact: <sip:a@h:1>;expires=60\r\n", 0},
        {"Contact: <sip:x@y>;+sip.instance=\"<URN:uuid:1>\";expires=60\r\n", 60},
        {"Contact: <sip:x@y>;+sip.instance=\"<urn:uuid:12>\";expires=60\r\n", 0},
        {"Contact: <sip:x@y>;+sip.instance=\"<\";expires=60\r\n", 0},
        {"Contact: <sip:x@y>;+sip.instance;expires=60\r\n", 0},
        {"Contact: *\r\n", 0},
        {"Expires: 90\r\n", 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[512];
        (void)snprintf(text, sizeof text, "%s%s%s", OK_LINE REST, cases[i].lines, END);
        struct sip_message *m = parse(text);
        assert_int_equal(sip_message_granted_expires(m, "sips:a@h:1", "urn:uuid:1", 1000),
                         cases[i].granted);
        sip_message_free(m);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_request),
        cmocka_unit_test(reads_a_response),
        cmocka_unit_test(finds_header_fields_by_any_of_their_names),
        cmocka_unit_test(reads_numbers),
        cmocka_unit_test(refuses_bad_start_lines),
        cmocka_unit_test(refuses_bad_headers),
        cmocka_unit_test(bears_what_it_does_not_need),
        cmocka_unit_test(joins_folded_lines),
        cmocka_unit_test(has_limits),
        cmocka_unit_test(reads_contacts),
        cmocka_unit_test(finds_what_was_granted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
