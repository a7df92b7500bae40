/* hop: what a request and its responses look like behind us, and what is no response of ours. */
#include "sip/hop.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "tools/unit.h"

static const uint8_t key[HOP_KEY_SIZE] = "a key that nobody else can know";

static const struct hop_side phone = {.id = 7, .transport = HOP_TLS, .hostport = "192.0.2.7:40312"};
static const struct hop_side server = {.id = 9,
                                       .transport = HOP_TLS,
                                       .hostport = "192.0.2.7:40312",
                                       .peer_host = "198.51.100.1",
                                       .peer_port = 5061};
static const struct hop_side stack = {.id = 8,
                                      .transport = HOP_TCP,
                                      .hostport = "127.0.0.1:5070",
                                      .peer_host = "127.0.0.1",
                                      .peer_port = 33444};

static struct hop outward(const struct hop_side *from)
{
    return (struct hop){.key = key, .account = 1, .outward = true, .from = *from, .to = server};
}

static struct hop inward(const struct hop_side *to)
{
    return (struct hop){.key = key, .account = 1, .from = server, .to = *to};
}

static struct sip_message *parse(const char *text)
{
    struct sip_message *m;
    struct errinfo e = ERRINFO_INIT;
    const struct result r = sip_message_parse(slice_of_str(text), &m, &e);
    if (is_err(r))
        fail_msg("%s\n%s", errinfo_text(&e, r), text);
    return m;
}

/* What becomes of TEXT; the caller frees it. */
static char *pass(const struct hop *h, const char *text)
{
    struct sip_message *m = parse(text);
    struct buf out;
    struct errinfo e = ERRINFO_INIT;
    buf_init(&out, 2 * LIMIT_SIP_MESSAGE);
    const struct result r = sip_message_is_request(m)
                                ? hop_request(h, m, slice_of_str(text), &out, &e)
                                : hop_response(h, m, slice_of_str(text), &out, &e);
    if (is_err(r))
        fail_msg("%s\n%s", errinfo_text(&e, r), text);
    sip_message_free(m);
    char *copy = strdup(buf_str(&out));
    buf_free(&out);
    return copy;
}

static void refused(const struct hop *h, const char *text, enum err code, int status)
{
    struct sip_message *m = parse(text);
    struct buf out;
    struct errinfo e = ERRINFO_INIT;
    buf_init(&out, 2 * LIMIT_SIP_MESSAGE);
    const struct result r = sip_message_is_request(m)
                                ? hop_request(h, m, slice_of_str(text), &out, &e)
                                : hop_response(h, m, slice_of_str(text), &out, &e);
    assert_int_equal(r.code, code);
    assert_int_equal(e.native, status);
    assert_true(e.text[0] != '\0');
    sip_message_free(m);
    buf_free(&out);
}

/* Puts "BRANCH" where the topmost branch is, and "TOKEN" for each user part of ours: what they are
 * is nobody's business, and tested by what they do. */
static void blank(char *text)
{
    char *branch = strstr(text, "branch=z9hG4bK");
    if (branch != NULL && strcspn(branch + 7, ";\r\n") == HOP_BRANCH_SIZE - 1) {
        memcpy(branch + 7, "BRANCH", 6);
        memmove(branch + 13, branch + 7 + HOP_BRANCH_SIZE - 1,
                strlen(branch + 7 + HOP_BRANCH_SIZE - 1) + 1);
    }
    for (char *at = text; (at = strchr(at, '@')) != NULL; at++) {
        char *token = at - (HOP_TOKEN_SIZE - 1);
        if (token < text || token[-1] != ':' || strspn(token + 2, "0123456789abcdef") != 16)
            continue;
        memcpy(token, "TOKEN", 5);
        memmove(token + 5, at, strlen(at) + 1);
        at = token + 5;
    }
}

static void becomes(const struct hop *h, const char *text, const char *expected)
{
    char *got = pass(h, text);
    blank(got);
    assert_string_equal(got, expected);
    free(got);
}

/* The topmost branch of TEXT. */
static void branch_of(const char *text, char out[HOP_BRANCH_SIZE])
{
    struct sip_message *m = parse(text);
    assert_int_equal(strlen(sip_message_branch(m)), HOP_BRANCH_SIZE - 1);
    (void)snprintf(out, HOP_BRANCH_SIZE, "%s", sip_message_branch(m));
    sip_message_free(m);
}

#define REST                                \
    "f: <sips:alice@example.com>;tag=a\r\n" \
    "t: <sips:bob@example.com>\r\n"         \
    "i: call\r\n"                           \
    "CSeq: 1 INVITE\r\n"

#define INVITE(middle)                        \
    "INVITE sips:bob@example.com SIP/2.0\r\n" \
    "v: SIP/2.0/TLS 192.0.2.7:40312;branch=z9hG4bKx\r\n" REST middle "l: 4\r\n\r\nbody"

static void a_request_out(void **state)
{
    (void)state;
    const struct hop h = outward(&phone);
    becomes(&h, INVITE("Max-Forwards: 70\r\nX-Own :  as it\r\n\tstands \r\n"),
            "INVITE sips:bob@example.com SIP/2.0\r\n"
            "Via: SIP/2.0/TLS 192.0.2.7:40312;branch=BRANCH;rport;alias\r\n"
            "Record-Route: <sips:TOKEN@192.0.2.7:40312;lr>\r\n"
            "v: SIP/2.0/TLS 192.0.2.7:40312;branch=z9hG4bKx\r\n" REST
            "Max-Forwards: 69\r\nX-Own :  as it\r\n\tstands \r\nl: 4\r\n\r\nbody");
}

static void a_request_in(void **state)
{
    (void)state;
    const struct hop h = inward(&stack);
    /* from a peer that is behind a NAT and asks where it is; three Vias on one line */
    becomes(&h,
            "INVITE sip:alice@192.0.2.7:40312;transport=tls SIP/2.0\r\n"
            "Via: SIP/2.0/TLS 10.0.0.1:5061;rport;branch=z9hG4bKx;received=1.2.3.4 , "
            "SIP/2.0/UDP b,SIP/2.0/UDP c\r\n" REST "\r\n",
            "INVITE sip:alice@192.0.2.7:40312;transport=tls SIP/2.0\r\n"
            "Via: SIP/2.0/TCP 127.0.0.1:5070;branch=BRANCH\r\n"
            "Record-Route: <sip:TOKEN@127.0.0.1:5070;transport=tcp;lr>\r\n"
            "Max-Forwards: 70\r\n"
            "Via: SIP/2.0/TLS 10.0.0.1:5061;branch=z9hG4bKx;rport=5061;received=198.51.100.1, "
            "SIP/2.0/UDP b, SIP/2.0/UDP c\r\n" REST "\r\n");
}

/* RFC 3261 section 18.2.1: only who is not where he says; RFC 5118 section 4.5: no brackets. */
static void where_a_request_came_from(void **state)
{
    (void)state;
    struct hop h = inward(&phone);
    static const char *const cases[][3] = {
        {"SIP/2.0/TLS 198.51.100.1;branch=z9hG4bKx", "198.51.100.1",
         "SIP/2.0/TLS 198.51.100.1;branch=z9hG4bKx"},
        {"SIP/2.0/TLS proxy.example.com;branch=z9hG4bKx", "198.51.100.1",
         "SIP/2.0/TLS proxy.example.com;branch=z9hG4bKx;received=198.51.100.1"},
        {"SIP/2.0/TLS 198.51.100.1;branch=z9hG4bKx;received=9.9.9.9", "198.51.100.1",
         "SIP/2.0/TLS 198.51.100.1;branch=z9hG4bKx;received=198.51.100.1"},
        {"SIP/2.0/TLS [2001:db8::1]:5061;branch=z9hG4bKx;RPORT", "[2001:db8::1]",
         "SIP/2.0/TLS [2001:db8::1]:5061;branch=z9hG4bKx;rport=5061;received=2001:db8::1"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[512], expected[128];
        h.from.peer_host = cases[i][1];
        (void)snprintf(text, sizeof text,
                       "ACK sip:x@y SIP/2.0\r\nVia: %s\r\nFrom: <sip:a@b>\r\nTo: <sip:a@b>\r\n"
                       "Call-ID: 1\r\nCSeq: 1 ACK\r\n\r\n",
                       cases[i][0]);
        (void)snprintf(expected, sizeof expected, "\r\nVia: %s\r\nFrom", cases[i][2]);
        char *got = pass(&h, text);
        assert_non_null(strstr(got, expected));
        free(got);
    }
}

static void record_routes_are_for_new_dialogs(void **state)
{
    (void)state;
    const struct hop h = outward(&phone);
    static const struct {
        const char *method, *uri, *to, *expected;
    } cases[] = {
        {"INVITE", "sip:b@c", "", "<sip:TOKEN@192.0.2.7:40312;transport=tls;lr>"},
        {"SUBSCRIBE", "SIPS:b@c", "", "<sips:TOKEN@192.0.2.7:40312;lr>"},
        {"REFER", "sips:b@c", "", "<sips:TOKEN@192.0.2.7:40312;lr>"},
        {"NOTIFY", "sips:b@c", "", "<sips:TOKEN@192.0.2.7:40312;lr>"},
        {"INVITE", "sips:b@c", ";tag=b", NULL},
        {"NOTIFY", "sips:b@c", ";tag=b", NULL},
        {"REGISTER", "sips:c", "", NULL},
        {"MESSAGE", "sips:b@c", "", NULL},
        {"BYE", "sips:b@c", ";tag=b", NULL},
        {"CANCEL", "sips:b@c", "", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[512];
        (void)snprintf(text, sizeof text,
                       "%s %s SIP/2.0\r\nVia: SIP/2.0/TLS a;branch=z9hG4bKx\r\n"
                       "From: <sip:a@b>;tag=a\r\nTo: <sip:b@c>%s\r\nCall-ID: 1\r\nCSeq: 1 %s\r\n"
                       "Record-Route: <sip:other;lr>\r\n\r\n",
                       cases[i].method, cases[i].uri, cases[i].to, cases[i].method);
        char *got = pass(&h, text);
        blank(got);
        const char *ours = strstr(got, "Record-Route: <");
        assert_non_null(ours);
        if (cases[i].expected != NULL) {
            assert_memory_equal(ours + 14, cases[i].expected, strlen(cases[i].expected));
            ours = strstr(ours + 1, "Record-Route: <");
            assert_non_null(ours); /* on top of the other's */
        }
        assert_memory_equal(ours, "Record-Route: <sip:other;lr>\r\n\r\n", 32);
        free(got);
    }
}

/* The response that the far end makes of what we sent: all Vias and Record-Routes of REQUEST. */
static char *response_to(const char *request, int status, const char *cseq)
{
    struct sip_message *m = parse(request);
    struct buf out;
    buf_init(&out, LIMIT_SIP_MESSAGE);
    assert_true(is_ok(buf_printf(&out, "SIP/2.0 %d Words\r\nVia: ", status)));
    for (size_t n = 0; sip_message_header(m, "Via", n) != NULL; n++)
        assert_true(
            is_ok(buf_printf(&out, "%s%s", n > 0 ? ", " : "", sip_message_header(m, "Via", n))));
    for (size_t n = 0; sip_message_header(m, "Record-Route", n) != NULL; n++)
        assert_true(is_ok(
            buf_printf(&out, "\r\nRecord-Route: %s", sip_message_header(m, "Record-Route", n))));
    assert_true(is_ok(buf_printf(&out,
                                 "\r\nFrom: %s\r\nTo: %s;tag=z\r\nCall-ID: %s\r\nCSeq: %s\r\n"
                                 "Content-Length: 0\r\n\r\n",
                                 sip_message_header(m, "From", 0), sip_message_header(m, "To", 0),
                                 sip_message_header(m, "Call-ID", 0), cseq)));
    char *copy = strdup(buf_str(&out));
    buf_free(&out);
    sip_message_free(m);
    return copy;
}

/* How a response to what passed H comes back. */
static struct hop back(const struct hop *h)
{
    return (struct hop){
        .key = h->key, .account = h->account, .outward = !h->outward, .from = h->to, .to = h->from};
}

static void a_response_finds_its_way(void **state)
{
    (void)state;
    const struct hop h = outward(&stack);
    const struct hop b = back(&h);
    char *sent = pass(&h, INVITE(""));
    char *response = response_to(sent, 180, "1 INVITE");
    struct sip_message *m = parse(response);
    uint64_t id;
    assert_true(hop_response_id(m, &id));
    assert_int_equal(id, stack.id);
    sip_message_free(m);
    becomes(&b, response,
            "SIP/2.0 180 Words\r\n"
            "Via: SIP/2.0/TLS 192.0.2.7:40312;branch=z9hG4bKx;received=127.0.0.1\r\n"
            "Record-Route: <sip:TOKEN@127.0.0.1:5070;transport=tcp;lr>\r\n"
            "From: <sips:alice@example.com>;tag=a\r\nTo: <sips:bob@example.com>;tag=z\r\n"
            "Call-ID: call\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n");
    free(response);
    free(sent);
}

/* RFC 3261 section 16.11: the same for the request that cancels and the one that acknowledges a
 * refusal, another for every other. */
static void branches(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "INVITE", "CANCEL", "ACK", "BYE", "INVITE",
    };
    char first[HOP_BRANCH_SIZE], other[HOP_BRANCH_SIZE];
    struct hop h = outward(&phone);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        char text[512];
        (void)snprintf(
            text, sizeof text,
            "%s sips:b@c SIP/2.0\r\nVia: SIP/2.0/TLS a;branch=z9hG4bKx\r\n"
            "From: <sip:a@b>;tag=a\r\nTo: <sip:b@c>%s\r\nCall-ID: 1\r\nCSeq: %d %s\r\n\r\n",
            texts[i], i == 2 ? ";tag=b" : "", i == 4 ? 2 : 1, texts[i]);
        char *got = pass(&h, text);
        branch_of(got, i == 0 ? first : other);
        free(got);
        if (i > 0)
            assert_int_equal(strcmp(first, other) == 0, i < 3);
    }
}

/* RFC 2543 branches are not unique, and may be missing: then the sender's address counts. */
static void branches_of_old_stacks(void **state)
{
    (void)state;
    static const char *const vias[] = {"SIP/2.0/UDP a", "SIP/2.0/UDP a;ttl=1", "SIP/2.0/UDP a:5060",
                                       "SIP/2.0/UDP b", "SIP/2.0/UDP a;branch=1"};
    char branch[COUNT_OF(vias)][HOP_BRANCH_SIZE];
    const struct hop h = outward(&stack);
    const struct hop b = back(&h);
    for (size_t i = 0; i < COUNT_OF(vias); i++) {
        char text[512];
        (void)snprintf(text, sizeof text, "INVITE sip:b@c SIP/2.0\r\nv: %s\r\n" REST "\r\n",
                       vias[i]);
        char *sent = pass(&h, text);
        branch_of(sent, branch[i]);
        char *response = response_to(sent, 200, "1 INVITE");
        char *got = pass(&b, response); /* although we have added where it came from */
        free(got);
        free(response);
        free(sent);
    }
    assert_string_equal(branch[0], branch[1]); /* the other parameters do not count */
    for (size_t i = 2; i < COUNT_OF(vias); i++)
        for (size_t j = 1; j < i; j++)
            assert_string_not_equal(branch[i], branch[j]);
}

/* Whatever is not as it was, the response is not taken. */
static void forged_responses(void **state)
{
    (void)state;
    const struct hop h = outward(&phone);
    struct hop b = back(&h);
    char *sent = pass(&h, INVITE(""));
    char *response = response_to(sent, 200, "1 INVITE");

    b.account = 2;
    refused(&b, response, ERR_DENIED, 0);
    b = back(&h);
    b.from.id++; /* another connection than the request went over */
    refused(&b, response, ERR_DENIED, 0);
    b = back(&h);
    b.to.id++; /* to another than it came from */
    refused(&b, response, ERR_DENIED, 0);
    b = back(&h);
    b.key = (const uint8_t *)"another process has another key!!";
    refused(&b, response, ERR_DENIED, 0);
    b = back(&h);
    char *altered = response_to(sent, 200, "2 INVITE");
    refused(&b, altered, ERR_DENIED, 0);
    free(altered);
    altered = response_to(sent, 200, "1 OPTIONS");
    refused(&b, altered, ERR_DENIED, 0);
    free(altered);
    static const char *const pieces[] = {"call", "z9hG4bKx", "tag=a", "z9hG4bK0"};
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        altered = strdup(response);
        char *at = strstr(altered, pieces[i]);
        assert_non_null(at);
        at[strlen(pieces[i]) - 1] ^= 1;
        refused(&b, altered, ERR_DENIED, 0);
        free(altered);
    }
    char *got = pass(&b, response);
    refused(&b, got, ERR_PARSE, 0); /* popped already: it has no Via below the topmost */
    free(got);
    free(response);
    free(sent);
}

/* The URI inside the first <> behind NAME. */
static void uri_of(const char *text, const char *name, char out[128])
{
    const char *at = strstr(text, name);
    assert_non_null(at);
    at = strchr(at, '<') + 1;
    const size_t n = strcspn(at, ">");
    assert_true(n < 128);
    memcpy(out, at, n);
    out[n] = '\0';
}

/* Later requests of a call come with the Record-Route as Route. */
static void our_route_is_removed(void **state)
{
    (void)state;
    struct hop h = outward(&stack);
    char *sent = pass(&h, INVITE(""));
    char ours[128], text[1024];
    uri_of(sent, "Record-Route", ours);
    free(sent);
    const struct {
        const char *uri, *behind, *expected;
    } cases[] = {
        {ours, ">\r\n", "Call-ID: 1\r\nCSeq"},
        {ours, ">,\r\n <sips:other;lr>;x=y\r\n", "Route: <sips:other;lr>;x=y\r\n"},
        {ours, ">\r\nRoute:\r\nroute: <sips:other;lr>\r\n",
         "Call-ID: 1\r\nRoute:\r\nroute: <sips:other;lr>\r\n"},
        {"sip:127.0.0.1:5070;lr", ">, <sip:b;lr>\r\n", "Route: <sip:b;lr>\r\n"},
        {"sip:127.0.0.1:5071;lr", "> ,<sip:b;lr>\r\n",
         "Route: <sip:127.0.0.1:5071;lr> ,<sip:b;lr>\r\n"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        (void)snprintf(text, sizeof text,
                       "BYE sips:b@c SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bKx\r\n"
                       "From: <sip:a@b>;tag=a\r\nTo: <sip:b@c>;tag=b\r\nCall-ID: 1\r\n"
                       "Route: <%s%sCSeq: 1 BYE\r\n\r\n",
                       cases[i].uri, cases[i].behind);
        char *got = pass(&h, text);
        if (strstr(got, cases[i].expected) == NULL)
            fail_msg("\"%s\" is not in\n%s", cases[i].expected, got);
        free(got);
    }
    /* another account's is not ours */
    h.account = 2;
    (void)snprintf(text, sizeof text, INVITE("Route: <%s>\r\n"), ours);
    char *got = pass(&h, text);
    assert_non_null(strstr(got, "\r\nRoute: "));
    free(got);
}

/* RFC 3261 section 16.4 */
static void a_strict_router_before_us(void **state)
{
    (void)state;
    const struct hop h = inward(&stack);
    char *sent = pass(&h, INVITE(""));
    char ours[128], text[1024];
    uri_of(sent, "Record-Route", ours);
    free(sent);
    (void)snprintf(
        text, sizeof text,
        "BYE %s SIP/2.0\r\nVia: SIP/2.0/TLS 198.51.100.1;branch=z9hG4bKx\r\n"
        "From: <sip:a@b>;tag=a\r\nTo: <sip:b@c>;tag=b\r\nCall-ID: 1\r\n"
        "CSeq: 1 BYE\r\nMax-Forwards: 2\r\nRoute: <sip:first>, <sip:real@target>\r\n\r\n",
        ours);
    becomes(&h, text,
            "BYE sip:real@target SIP/2.0\r\n"
            "Via: SIP/2.0/TCP 127.0.0.1:5070;branch=BRANCH\r\n"
            "Via: SIP/2.0/TLS 198.51.100.1;branch=z9hG4bKx\r\n"
            "From: <sip:a@b>;tag=a\r\nTo: <sip:b@c>;tag=b\r\nCall-ID: 1\r\n"
            "CSeq: 1 BYE\r\nMax-Forwards: 1\r\nRoute: <sip:first>\r\n\r\n");
}

/* The phone calls itself: the call passes us outwards and inwards, and each end must know us by its
 * own address. */
static void a_call_that_passes_us_twice(void **state)
{
    (void)state;
    const struct hop out = outward(&stack), in = inward(&stack);
    char *sent = pass(&out, INVITE(""));
    char *forwarded = pass(&in, sent); /* as if the server had not touched it */
    char *response = response_to(forwarded, 200, "1 INVITE");
    const struct hop out_back = back(&out), in_back = back(&in);
    char *once = pass(&in_back, response);
    char *twice = pass(&out_back, once);
    const char *callee = strstr(once, "Record-Route: "), *caller = strstr(twice, "Record-Route: ");
    assert_non_null(callee);
    assert_non_null(caller);
    char uri[128];
    uri_of(callee, "<", uri); /* the inward hop, as the server can reach it */
    assert_non_null(strstr(uri, "@192.0.2.7:40312;lr"));
    uri_of(strchr(caller + 1, '<') + 1, "Record-Route", uri); /* the outward hop, for the caller */
    assert_non_null(strstr(uri, "@127.0.0.1:5070;transport=tcp;lr"));
    uri_of(caller, "<", uri); /* and the inward one stays as it is for others */
    assert_non_null(strstr(uri, "@192.0.2.7:40312;lr"));
    free(twice);
    free(once);
    free(response);
    free(forwarded);
    free(sent);
}

static void uris_are_exchanged(void **state)
{
    (void)state;
    struct hop h = outward(&stack);
    h.edit = (struct hop_edit){.request_uri = "sips:carol@example.com",
                               .contact_was = SLICE_LIT("sip:alice@127.0.0.1:5090;transport=tcp"),
                               .contact_is = "sips:alice@192.0.2.7:40312"};
    static const struct {
        const char *line, *expected;
    } cases[] = {
        {"m: <sip:alice@127.0.0.1:5090;transport=tcp>;expires=9;+sip.x=\"<a,b;c>\"\r\n",
         "m: <sips:alice@192.0.2.7:40312>;expires=9;+sip.x=\"<a,b;c>\"\r\n"},
        {"Contact: Alice <sip:alice@127.0.0.1:5090;transport=TCP>\r\n",
         "Contact: Alice <sips:alice@192.0.2.7:40312>\r\n"},
        {"Contact: \"<,\" <sip:alice@127.0.0.1:5090;transport=tcp> ; q=1\r\n",
         "Contact: <sips:alice@192.0.2.7:40312>; q=1\r\n"},
        {"Contact: <sip:other@x>, <sip:alice@127.0.0.1:5090;transport=tcp>\r\n",
         "Contact: <sip:other@x>, <sips:alice@192.0.2.7:40312>\r\n"},
        {"Contact: <sip:other@x> ,<sip:y@x>\r\n", "Contact: <sip:other@x> ,<sip:y@x>\r\n"},
        {"Contact: *\r\n", "Contact: *\r\n"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[1024];
        (void)snprintf(text, sizeof text, INVITE("%s"), cases[i].line);
        char *got = pass(&h, text);
        assert_memory_equal(got, "INVITE sips:carol@example.com SIP/2.0\r\n", 39);
        if (strstr(got, cases[i].expected) == NULL)
            fail_msg("\"%s\" is not in\n%s", cases[i].expected, got);
        free(got);
    }
    h.edit.request_uri = "no uri";
    refused(&h, INVITE(""), ERR_INVALID, 500);
    h.edit.request_uri = "sip:a@b?with=header";
    refused(&h, INVITE(""), ERR_INVALID, 500);
    h.edit = (struct hop_edit){.contact_is = "sip:a@b> , <sip:c@d"};
    refused(&h, INVITE(""), ERR_INVALID, 500);
    h = outward(&stack);
    h.to.hostport = "two words";
    refused(&h, INVITE(""), ERR_INVALID, 500);
}

static void what_cannot_pass(void **state)
{
    (void)state;
    const struct hop h = outward(&phone);
    refused(&h, INVITE("Max-Forwards: 0\r\n"), ERR_LIMIT, 483);
    static const char start[] = "MESSAGE sip:b@c SIP/2.0\r\nv: SIP/2.0/TLS a;branch=z9hG4bKx\r\n"
                                "f: <sip:a@b>;tag=a\r\nt: <sip:b@c>\r\ni: 1\r\nCSeq: 1 MESSAGE\r\n";
    /* whole, it is as long as it may be; and one whose header is */
    char *text = malloc(LIMIT_SIP_MESSAGE + 1);
    memset(text, 'x', LIMIT_SIP_MESSAGE);
    memcpy(text, start, sizeof start - 1);
    memcpy(text + sizeof start - 1, "\r\n", 2);
    text[LIMIT_SIP_MESSAGE] = '\0';
    refused(&h, text, ERR_LIMIT, 513);
    memcpy(text + sizeof start - 1, "X:", 2);
    memcpy(text + LIMIT_SIP_HEADER_BYTES - 4, "\r\n\r\n", 5);
    refused(&h, text, ERR_LIMIT, 513);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_out),
        cmocka_unit_test(a_request_in),
        cmocka_unit_test(where_a_request_came_from),
        cmocka_unit_test(record_routes_are_for_new_dialogs),
        cmocka_unit_test(a_response_finds_its_way),
        cmocka_unit_test(branches),
        cmocka_unit_test(branches_of_old_stacks),
        cmocka_unit_test(forged_responses),
        cmocka_unit_test(our_route_is_removed),
        cmocka_unit_test(a_strict_router_before_us),
        cmocka_unit_test(a_call_that_passes_us_twice),
        cmocka_unit_test(uris_are_exchanged),
        cmocka_unit_test(what_cannot_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
