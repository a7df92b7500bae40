#include "tools/unit.h"

#include <stdio.h>
#include <string.h>

#include "sip/message_write.h"

static const struct sip_register good = {
    .registrar_uri = "sips:example.com",
    .aor = "sips:alice@example.com",
    .display_name = "Alice \"A\" \\ \xc3\xa9",
    .contact_uri = "sips:alice@[2001:db8::7]:40312",
    .contact_params = ";+sip.instance=\"<urn:uuid:1>\";reg-id=1",
    .via_host = "[2001:db8::7]:40312",
    .branch = "z9hG4bKabc",
    .call_id = "callid",
    .from_tag = "tag",
    .cseq = 4294967,
    .expires = 3600,
    .user_agent = "Phone 1.0 (x)",
    .supported = "path, outbound",
    .authorization = "Authorization: Digest x=\"y\"\r\nProxy-Authorization: Digest z=1\r\n",
};

static void writes_a_register(void **state)
{
    struct buf b;
    struct errinfo e = ERRINFO_INIT;
    (void)state;
    buf_init(&b, 4096);
    assert_true(is_ok(sip_message_write_register(&b, &good, &e)));
    assert_string_equal(
        buf_str(&b), "REGISTER sips:example.com SIP/2.0\r\n"
                     "Via: SIP/2.0/TLS [2001:db8::7]:40312;branch=z9hG4bKabc;rport\r\n"
                     "Max-Forwards: 70\r\n"
                     "From: \"Alice \\\"A\\\" \\\\ \xc3\xa9\" <sips:alice@example.com>;tag=tag\r\n"
                     "To: <sips:alice@example.com>\r\n"
                     "Call-ID: callid\r\n"
                     "CSeq: 4294967 REGISTER\r\n"
                     "Contact: <sips:alice@[2001:db8::7]:40312>;+sip.instance="
                     "\"<urn:uuid:1>\";reg-id=1\r\n"
                     "Expires: 3600\r\n"
                     "Supported: path, outbound\r\n"
                     "User-Agent: Phone 1.0 (x)\r\n"
                     "Authorization: Digest x=\"y\"\r\n"
                     "Proxy-Authorization: Digest z=1\r\n"
                     "Content-Length: 0\r\n\r\n");
    buf_free(&b);
}

/* What we write we would take ourselves. */
static void writes_what_can_be_read(void **state)
{
    struct sip_register r = good;
    struct sip_message *m;
    struct sip_contact c;
    struct buf b;
    (void)state;
    buf_init(&b, 4096);
    r.display_name = NULL;
    r.contact_params = "";
    r.authorization = NULL;
    r.supported = NULL;
    assert_true(is_ok(sip_message_write_register(&b, &r, NULL)));
    assert_true(is_ok(sip_message_parse(buf_slice(&b), &m, NULL)));
    assert_string_equal(sip_message_method(m), "REGISTER");
    assert_string_equal(sip_message_branch(m), "z9hG4bKabc");
    assert_string_equal(sip_message_header(m, "From", 0), "<sips:alice@example.com>;tag=tag");
    assert_null(sip_message_header(m, "Supported", 0));
    assert_true(sip_message_contact(m, 0, &c));
    assert_true(slice_eq_str(c.uri, r.contact_uri));
    sip_message_free(m);
    buf_free(&b);
}

static void nothing_breaks_out_of_its_place(void **state)
{
    static const struct {
        size_t offset;
        const char *value;
        const char *what;
    } cases[] = {
        {offsetof(struct sip_register, registrar_uri), "sip:a SIP/2.0\r\nX: y",
         "registrar's address"},
        {offsetof(struct sip_register, registrar_uri), "tel:1", "registrar's address"},
        {offsetof(struct sip_register, aor), "sip:a@h>;tag=x, <sip:b@h", "account's address"},
        {offsetof(struct sip_register, aor), "", "account's address"},
        {offsetof(struct sip_register, contact_uri), "sip:a@h>,<sip:b@h", "contact's address"},
        {offsetof(struct sip_register, contact_params), "expires=1", "contact's parameters"},
        {offsetof(struct sip_register, contact_params), ";", "contact's parameters"},
        {offsetof(struct sip_register, contact_params), ";x,<sip:b@h>", "contact's parameters"},
        {offsetof(struct sip_register, contact_params), ";x=\"\r\n\"", "contact's parameters"},
        {offsetof(struct sip_register, contact_params), ";x=1\r\nX: y", "contact's parameters"},
        {offsetof(struct sip_register, via_host), "h;branch=x", "local address"},
        {offsetof(struct sip_register, via_host), "2001:db8::1", "local address"},
        {offsetof(struct sip_register, branch), "a;b", "branch, tag or Call-ID"},
        {offsetof(struct sip_register, from_tag), "", "branch, tag or Call-ID"},
        {offsetof(struct sip_register, call_id), "a b", "branch, tag or Call-ID"},
        {offsetof(struct sip_register, display_name), "a\r\nX: y", "display name"},
        {offsetof(struct sip_register, display_name), "a\tb", "display name"},
        {offsetof(struct sip_register, user_agent), "a\nb", "User-Agent"},
        {offsetof(struct sip_register, user_agent), "", "User-Agent"},
        {offsetof(struct sip_register, supported), "a\r\nX: y", "list of option tags"},
        {offsetof(struct sip_register, authorization), "X: y", "Authorization"},
        {offsetof(struct sip_register, authorization), "X: y\r\n\r\n", "Authorization"},
        {offsetof(struct sip_register, authorization), "X: y\nZ: z\r\n", "Authorization"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sip_register r = good;
        struct errinfo e = ERRINFO_INIT;
        struct buf b;
        char expected[128];
        memcpy((char *)&r + cases[i].offset, &cases[i].value, sizeof cases[i].value);
        buf_init(&b, 4096);
        if (sip_message_write_register(&b, &r, &e).code != ERR_INVALID)
            fail_msg("%s", cases[i].value);
        (void)snprintf(expected, sizeof expected,
                       "the %s has a character that cannot stand in a SIP message", cases[i].what);
        assert_string_equal(e.text, expected);
        buf_free(&b);
    }
}

static void stops_at_the_buffers_cap(void **state)
{
    struct buf whole;
    (void)state;
    buf_init(&whole, 4096);
    assert_true(is_ok(sip_message_write_register(&whole, &good, NULL)));
    for (size_t cap = 0; cap < buf_len(&whole); cap++) {
        struct buf b;
        buf_init(&b, cap);
        assert_int_equal(sip_message_write_register(&b, &good, NULL).code, ERR_LIMIT);
        buf_free(&b);
    }
    buf_free(&whole);
}

/* --- responses --- */

#define REQUEST(to)                                                           \
    "OPTIONS sips:a@h SIP/2.0\r\n"                                            \
    "v: SIP/2.0/TLS one;branch=z9hG4bK1, SIP/2.0/TLS two;branch=z9hG4bK2\r\n" \
    "f: \"A,\" <sips:b@h>;tag=f\r\n"                                          \
    "Via: SIP/2.0/TLS three\r\n"                                              \
    "Record-Route: <sip:p;lr>\r\n"                                            \
    "t: " to "\r\n"                                                           \
    "i: c@h\r\n"                                                              \
    "CSeq: 9 OPTIONS\r\n"                                                     \
    "l: 0\r\n\r\n"

#define RESPONSE(line, to, extra)                   \
    line "\r\n"                                     \
         "Via: SIP/2.0/TLS one;branch=z9hG4bK1\r\n" \
         "Via: SIP/2.0/TLS two;branch=z9hG4bK2\r\n" \
         "Via: SIP/2.0/TLS three\r\n"               \
         "From: \"A,\" <sips:b@h>;tag=f\r\n"        \
         "To: " to "\r\n"                           \
         "Call-ID: c@h\r\n"                         \
         "CSeq: 9 OPTIONS\r\n" extra "Content-Length: 0\r\n\r\n"

static void answers_requests(void **state)
{
    static const struct {
        const char *request;
        int status;
        const char *reason, *extra, *response;
    } cases[] = {
        {REQUEST("<sips:a@h>"), 200, "OK", NULL,
         RESPONSE("SIP/2.0 200 OK", "<sips:a@h>;tag=mine", "")},
        {REQUEST("<sips:a@h>;tag=theirs"), 481, NULL, "Allow: A, B\r\n",
         RESPONSE("SIP/2.0 481 Call/Transaction Does Not Exist", "<sips:a@h>;tag=theirs",
                  "Allow: A, B\r\n")},
        {REQUEST("sips:a@h"), 699, NULL, "", RESPONSE("SIP/2.0 699 ", "sips:a@h;tag=mine", "")},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sip_message *m;
        struct buf b;
        buf_init(&b, 4096);
        assert_true(is_ok(sip_message_parse(slice_of_str(cases[i].request), &m, NULL)));
        assert_true(is_ok(sip_message_write_response(&b, m, cases[i].status, cases[i].reason,
                                                     "mine", cases[i].extra)));
        assert_string_equal(buf_str(&b), cases[i].response);
        sip_message_free(m);
        buf_free(&b);
    }
}

static void refuses_answers_that_are_none(void **state)
{
    static const struct {
        int status;
        const char *reason, *tag, *extra;
    } cases[] = {
        {99, "x", "t", NULL},     {700, "x", "t", NULL}, {200, "a\r\nX: y", "t", NULL},
        {200, "OK", "a;b", NULL}, {200, "OK", "", NULL}, {200, "OK", "t", "X: y"},
        {200, "OK", "t", "\r\n"},
    };
    struct sip_message *m;
    (void)state;
    assert_true(is_ok(sip_message_parse(slice_of_str(REQUEST("<sips:a@h>")), &m, NULL)));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf b;
        buf_init(&b, 4096);
        assert_int_equal(sip_message_write_response(&b, m, cases[i].status, cases[i].reason,
                                                    cases[i].tag, cases[i].extra)
                             .code,
                         ERR_INVALID);
        assert_int_equal(buf_len(&b), 0);
        buf_free(&b);
    }
    sip_message_free(m);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_a_register),
        cmocka_unit_test(writes_what_can_be_read),
        cmocka_unit_test(nothing_breaks_out_of_its_place),
        cmocka_unit_test(stops_at_the_buffers_cap),
        cmocka_unit_test(answers_requests),
        cmocka_unit_test(refuses_answers_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
