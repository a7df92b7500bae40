/* What a server makes of a ClientHello, written byte by byte: how it is cut, and what is in it. */
#include <malloc.h>
#include <mbedtls/platform.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tlswire.h"
#include "tools/unit.h"

#define RECORD_HEADER 5
#define HELLO_MAX     140000

/* --- what the library holds of the heap --- */

static size_t library_bytes, library_peak;

static void *counting_calloc(size_t n, size_t size)
{
    void *p = calloc(n, size);

    if (p != NULL)
        library_bytes += malloc_usable_size(p);
    if (library_peak < library_bytes)
        library_peak = library_bytes;
    return p;
}

static void counting_free(void *p)
{
    library_bytes -= malloc_usable_size(p);
    free(p);
}

static struct identity *server_id;

static int set_up_all(void **state)
{
    (void)state;
    assert_int_equal(0, mbedtls_platform_set_calloc_free(counting_calloc, counting_free));
    tlswire_global_init();
    const struct testpki_cert *leaf = testpki_make(&(struct testpki_spec){.subject = "CN=leaf"});
    server_id = tlswire_identity(&leaf, 1);
    return 0;
}

static int tear_down_all(void **state)
{
    (void)state;
    identity_unref(server_id);
    tls_global_free();
    return 0;
}

/* --- a ClientHello --- */

enum { GROUP_P256 = 0x0017, GROUP_P384 = 0x0018, GROUP_X25519 = 0x001d };

struct share {
    uint16_t group;
    struct slice point;
};

/* The base points, which are as good a share as any. */
static const uint8_t p256_point[] = {
    0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5,
    0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4,
    0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a,
    0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33,
    0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
};
static const uint8_t x25519_point[32] = {9};

/* What is 0 or NULL is as an ordinary client of TLS 1.3 has it. */
struct hello {
    bool tls12;
    uint16_t version, record_version;
    const struct share *share;
    bool no_share; /* an empty list: it asks for a HelloRetryRequest */
    const uint16_t *signatures;
    size_t signatures_len;
    bool signatures_last; /* of the extensions */
    size_t padding;       /* an extension of so many bytes */
    size_t junk;          /* so many unknown extensions, empty */
    size_t record;        /* bytes in one, at most */
};

struct message {
    uint8_t *p;
    size_t n;
};

static void put(struct message *m, size_t bytes, size_t value)
{
    for (size_t i = bytes; i-- > 0;)
        m->p[m->n++] = (uint8_t)(value >> (8 * i));
}

static void put_bytes(struct message *m, struct slice s)
{
    if (s.n > 0)
        memcpy(m->p + m->n, s.p, s.n);
    m->n += s.n;
}

static void put_signatures(struct message *m, const struct hello *h)
{
    static const uint16_t usual[] = {0x0403, 0x0804};
    const uint16_t *list = h->signatures != NULL ? h->signatures : usual;
    const size_t n = h->signatures != NULL ? h->signatures_len : COUNT_OF(usual);

    put(m, 2, 13);
    put(m, 2, 2 + 2 * n);
    put(m, 2, 2 * n);
    for (size_t i = 0; i < n; i++)
        put(m, 2, list[i]);
}

static void put_share(struct message *m, const struct hello *h)
{
    static const struct share usual = {GROUP_P256, {p256_point, sizeof(p256_point)}};
    const struct share *s = h->share != NULL ? h->share : &usual;
    const size_t n = h->no_share ? 0 : 4 + s->point.n;

    put(m, 2, 51);
    put(m, 2, 2 + n);
    put(m, 2, n);
    if (h->no_share)
        return;
    put(m, 2, s->group);
    put(m, 2, s->point.n);
    put_bytes(m, s->point);
}

static void put_extensions(struct message *m, const struct hello *h)
{
    static const uint8_t groups[] = {0, 10, 0, 8, 0, 6, 0, 0x1d, 0, 0x17, 0, 0x18};
    static const uint8_t versions[] = {0, 43, 0, 3, 2, 3, 4};

    if (!h->signatures_last)
        put_signatures(m, h);
    put_bytes(m, slice_of(groups, sizeof(groups)));
    if (!h->tls12) {
        put_bytes(m, slice_of(versions, sizeof(versions)));
        put_share(m, h);
    }
    for (size_t i = 0; i < h->junk; i++)
        put(m, 4, (0x4000 + i) << 16);
    if (h->padding > 0) {
        put(m, 2, 21);
        put(m, 2, h->padding);
        memset(m->p + m->n, 0, h->padding);
        m->n += h->padding;
    }
    if (h->signatures_last)
        put_signatures(m, h);
}

/* The message without records, in BYTES that have room for HELLO_MAX. */
static struct slice write_message(const struct hello *h, uint8_t *bytes)
{
    struct message m = {bytes, 4};

    put(&m, 2, h->version != 0 ? h->version : 0x0303);
    for (uint8_t i = 0; i < 32; i++)
        put(&m, 1, i);
    put(&m, 1, 0);
    put(&m, 2, 2);
    put(&m, 2, h->tls12 ? 0xc02b : 0x1301);
    put(&m, 2, 0x0100);
    m.n += 2;
    const size_t before = m.n;
    put_extensions(&m, h);
    const size_t end = m.n;
    m.n = before - 2;
    put(&m, 2, end - before);
    m.n = 0;
    put(&m, 1, 1);
    put(&m, 3, end - 4);
    return slice_of(bytes, end);
}

static void feed_record(struct tlsend *server, uint8_t type, uint16_t version, struct slice content)
{
    uint8_t bytes[RECORD_HEADER + 0x10000];
    struct message m = {bytes, 0};

    put(&m, 1, type);
    put(&m, 2, version);
    put(&m, 2, content.n);
    put_bytes(&m, content);
    tls_session_feed(server->session, slice_of(bytes, m.n));
}

/* In records, as long as the server listens; returns how many bytes of the message it took. */
static size_t feed_hello(struct tlsend *server, const struct hello *h)
{
    uint8_t *bytes = calloc(1, HELLO_MAX);
    assert_non_null(bytes);
    const struct slice message = write_message(h, bytes);
    struct slice rest = message;

    while (rest.n > 0 && tls_session_state(server->session) == TLS_HANDSHAKE) {
        const struct slice part =
            slice_first(rest, h->record != 0 ? h->record : LIMIT_TLS_PLAINTEXT);
        feed_record(server, 22, h->record_version != 0 ? h->record_version : 0x0301, part);
        rest = slice_from(rest, part.n);
    }
    free(bytes);
    return message.n - rest.n;
}

static void open_server(struct tlsend *server)
{
    const struct tlsend_spec spec = {.role = TLS_SERVER, .identity = server_id};

    tlsend_init(server, &spec);
    tlsend_open(server, &spec);
}

/* It begins with a ServerHello (a HelloRetryRequest looks like one). */
static bool has_answered(const struct tlsend *server)
{
    const struct slice out = tls_session_output(server->session);

    return tls_session_state(server->session) == TLS_HANDSHAKE && out.n > RECORD_HEADER &&
           out.p[0] == 22 && out.p[RECORD_HEADER] == 2;
}

/* It said ALERT, in the clear, and nothing else. */
static bool has_refused(const struct tlsend *server, int alert)
{
    const uint8_t want[] = {0x15, 0x03, 0x03, 0, 2, 2, (uint8_t)alert};

    return tls_session_state(server->session) == TLS_FAILED &&
           slice_eq(slice_of(want, sizeof(want)), tls_session_output(server->session));
}

/* ALERT is 0 where the server shall go on. */
static void assert_outcome(const char *what, const struct hello *h, int alert)
{
    struct tlsend server;
    open_server(&server);

    (void)feed_hello(&server, h);
    if (!(alert == 0 ? has_answered(&server) : has_refused(&server, alert)))
        fail_msg("%s: alert %d", what, tls_session_facts(server.session).alert_sent);
    tlsend_free(&server);
}

/* --- how it is cut --- */

static void test_records_of_any_size(void **state)
{
    static const size_t sizes[] = {1, 2, 3, 4, 5, 100};
    (void)state;

    for (int tls12 = 0; tls12 < 2; tls12++)
        for (size_t i = 0; i < COUNT_OF(sizes); i++)
            assert_outcome("small records", &(struct hello){.tls12 = tls12, .record = sizes[i]}, 0);
}

static void test_empty_fragment(void **state)
{
    static const uint8_t start[] = {1, 0};
    struct tlsend server;
    open_server(&server);
    (void)state;

    feed_record(&server, 22, 0x0301, slice_of(start, sizeof(start)));
    assert_int_equal(TLS_HANDSHAKE, tls_session_state(server.session));
    feed_record(&server, 22, 0x0301, SLICE_EMPTY);
    assert_true(has_refused(&server, 10));
    tlsend_free(&server);
}

static void test_something_else_between(void **state)
{
    static const uint8_t start[] = {1, 0}, warning[] = {1, 112};
    struct tlsend server;
    open_server(&server);
    (void)state;

    feed_record(&server, 22, 0x0301, slice_of(start, sizeof(start)));
    feed_record(&server, 21, 0x0301, slice_of(warning, sizeof(warning)));
    assert_true(has_refused(&server, 10));
    tlsend_free(&server);
}

static void test_long_hellos(void **state)
{
    static const struct hello cases[] = {
        {.padding = 16384}, {.padding = 40000, .tls12 = true},
        {.padding = 65000}, {.padding = 65000, .tls12 = true, .record = 300},
        {.junk = 16300},    {.junk = 16300, .signatures_last = true},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_outcome("long", &cases[i], 0);
}

/* As soon as its length is known, whatever is sent of it. */
static void test_too_long(void **state)
{
    static const uint8_t longest[] = {1, 1, 0x03, 0xfc}, longer[] = {1, 1, 0x03, 0xfd},
                         certificate[] = {11, 0, 0x40, 0};
    struct tlsend server;
    (void)state;

    open_server(&server);
    feed_record(&server, 22, 0x0301, slice_of(longest, sizeof(longest)));
    assert_int_equal(TLS_HANDSHAKE, tls_session_state(server.session));
    tlsend_free(&server);

    open_server(&server);
    feed_record(&server, 22, 0x0301, slice_of(longer, 2));
    assert_int_equal(TLS_HANDSHAKE, tls_session_state(server.session));
    feed_record(&server, 22, 0x0301, slice_of(longer + 2, 2));
    assert_true(has_refused(&server, 50));
    assert_string_equal("the client sent a TLS message that is too long",
                        tls_session_error(server.session)->text);
    tlsend_free(&server);

    open_server(&server);
    feed_record(&server, 22, 0x0301, slice_of(certificate, sizeof(certificate)));
    assert_true(has_refused(&server, 50));
    tlsend_free(&server);
}

/* What a long one needs is in proportion to what was sent, and is given back. */
static void test_memory(void **state)
{
    static const uint8_t start[] = {1, 1, 0, 0};
    static const uint8_t change_cipher_spec[] = {1};
    struct tlsend server;
    (void)state;

    open_server(&server);
    library_peak = library_bytes;
    const size_t before = library_bytes;
    feed_record(&server, 22, 0x0301, slice_of(start, sizeof(start)));
    assert_true(library_peak - before < 1000);

    tlsend_free(&server);
    open_server(&server);
    const size_t fresh = library_bytes;
    library_peak = fresh;
    (void)feed_hello(&server, &(struct hello){.padding = 65000});
    assert_true(has_answered(&server));
    assert_true(library_peak - fresh < 200000);
    feed_record(&server, 20, 0x0303, slice_of(change_cipher_spec, 1));
    assert_int_equal(TLS_HANDSHAKE, tls_session_state(server.session));
    assert_true(library_bytes < fresh + 20000);
    tlsend_free(&server);
}

/* A message whose last record has more behind it than the buffer has room for. */
static void test_next_messages_in_its_last_record(void **state)
{
    static uint8_t first[9000] = {2, 0, 0x2e, 0xe0}, second[LIMIT_TLS_PLAINTEXT];
    const struct tlsend_spec spec = {.role = TLS_CLIENT};
    struct tlsend client;
    (void)state;

    tlsend_init(&client, &spec);
    tlsend_open(&client, &spec);
    feed_record(&client, 22, 0x0303, slice_of(first, sizeof(first)));
    assert_int_equal(TLS_HANDSHAKE, tls_session_state(client.session));
    feed_record(&client, 22, 0x0303, slice_of(second, sizeof(second)));
    assert_int_equal(TLS_FAILED, tls_session_state(client.session)); /* it is no ServerHello */
    assert_null(strstr(tls_session_error(client.session)->text, "too long"));
    tlsend_free(&client);
}

/* --- versions --- */

static void test_versions(void **state)
{
    static const struct {
        const char *what;
        struct hello hello;
        int alert;
    } cases[] = {
        {"1.3 as the legacy version", {.version = 0x0304}, 0},
        {"of the future", {.version = 0xfefe}, 0},
        {"of the future, with 1.2", {.version = 0x0401, .tls12 = true}, 0},
        {"1.1", {.version = 0x0302, .tls12 = true}, 70},
        {"SSL 3.0", {.version = 0x0300}, 70},
        {"record 3.0", {.record_version = 0x0300}, 0},
        {"record 3.254", {.record_version = 0x03fe}, 0},
        {"record 3.254, with 1.2", {.record_version = 0x03fe, .tls12 = true}, 0},
        {"record 4.1", {.record_version = 0x0401}, 10},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_outcome(cases[i].what, &cases[i].hello, cases[i].alert);
}

/* --- signature algorithms --- */

static void test_signatures(void **state)
{
    static const uint16_t unknown_only[] = {0xfe01, 0xfe02}, pkcs1_only[] = {0x0401, 0x0501},
                          rsa_only[] = {0x0804};
    static uint16_t many[5000], same[5000];
    const struct {
        const char *what;
        struct hello hello;
        int alert;
    } cases[] = {
        {"none", {.signatures = many}, 50},
        {"none, with 1.2", {.signatures = many, .tls12 = true}, 50},
        {"unknown ones", {.signatures = unknown_only, .signatures_len = 2}, 40},
        {"of TLS 1.2 only", {.signatures = pkcs1_only, .signatures_len = 2}, 40},
        {"for another key", {.signatures = rsa_only, .signatures_len = 1}, 40},
        {"ours last", {.signatures = many, .signatures_len = 5000}, 0},
        {"ours last, with 1.2", {.signatures = many, .signatures_len = 5000, .tls12 = true}, 0},
        {"one many times", {.signatures = same, .signatures_len = 5000}, 0},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(many); i++) {
        many[i] = (uint16_t)(0xe000 + i);
        same[i] = 0x0804;
    }
    many[COUNT_OF(many) - 1] = same[COUNT_OF(same) - 1] = 0x0403;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_outcome(cases[i].what, &cases[i].hello, cases[i].alert);
}

/* A client without PKCS #1 v1.5 takes PSS with TLS 1.2, too (RFC 8446 section 4.2.3). */
static void test_rsa_with_tls12(void **state)
{
    static const uint16_t pss[] = {MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384, 0},
                          both[] = {MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,
                                    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256, 0},
                          other[] = {MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256, 0};
    static const struct {
        const uint16_t *signatures;
        bool well;
    } cases[] = {{pss, true}, {both, true}, {other, false}};
    const struct testpki_cert *leaf =
        testpki_make(&(struct testpki_spec){.subject = "CN=rsa", .key_type = TESTPKI_RSA_2048});
    struct identity *rsa_id = tlswire_identity(&leaf, 1);
    const struct tlsend_spec spec = {
        .role = TLS_SERVER, .versions = TLS_1_2_ONLY, .identity = rsa_id};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct tlsend server;
        struct tlsbare peer;
        tlsend_init(&server, &spec);
        tlsend_open(&server, &spec);
        tlsbare_init(&peer, &(struct tlsbare_spec){.signatures = cases[i].signatures});
        tlsbare_step(&peer);
        tlswire_run(tlsbare_wire(&peer), tlsend_wire(&server), 0);
        assert_int_equal(cases[i].well ? TLS_ESTABLISHED : TLS_FAILED,
                         tls_session_state(server.session));
        assert_int_equal(cases[i].well ? -1 : 40, tls_session_facts(server.session).alert_sent);
        tlsbare_free(&peer);
        tlsend_free(&server);
    }
    identity_unref(rsa_id);
}

/* --- key shares --- */

static void test_key_shares(void **state)
{
    static const uint8_t minus_one[32] = {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                          0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                          0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                          0xff, 0xff, 0xff, 0xff, 0x7f}; /* modulo p: of order 4 */
    static const uint8_t zeros[133], one[32] = {1};
    uint8_t off_curve[65], hybrid[65], compressed[33];
    const struct {
        const char *what;
        struct share share;
        int alert;
    } cases[] = {
        {"P-256", {GROUP_P256, {p256_point, 65}}, 0},
        {"X25519", {GROUP_X25519, {x25519_point, 32}}, 0},
        {"off its curve", {GROUP_P256, {off_curve, 65}}, 47},
        {"hybrid", {GROUP_P256, {hybrid, 65}}, 47},
        {"compressed", {GROUP_P256, {compressed, 33}}, 47},
        {"infinity", {GROUP_P256, {zeros, 1}}, 47},
        {"zeros", {GROUP_P256, {zeros, 65}}, 47},
        {"empty", {GROUP_P256, {p256_point, 0}}, 47},
        {"too short", {GROUP_P256, {p256_point, 64}}, 47},
        {"of another group", {GROUP_P384, {p256_point, 65}}, 47},
        {"X25519, zero", {GROUP_X25519, {zeros, 32}}, 47},
        {"X25519, one", {GROUP_X25519, {one, 32}}, 47},
        {"X25519, of low order", {GROUP_X25519, {minus_one, 32}}, 47},
        {"X25519, empty", {GROUP_X25519, {zeros, 0}}, 47},
        {"X25519, too short", {GROUP_X25519, {x25519_point, 31}}, 47},
        {"X25519, too long", {GROUP_X25519, {p256_point, 33}}, 47},
        {"X25519, far too long", {GROUP_X25519, {zeros, 133}}, 47},
        {"of an unknown group", {0x4242, {zeros, 133}}, 0}, /* a HelloRetryRequest */
    };
    (void)state;

    memcpy(off_curve, p256_point, sizeof(off_curve));
    off_curve[64] ^= 1;
    memcpy(hybrid, p256_point, sizeof(hybrid));
    hybrid[0] = 0x07;
    memcpy(compressed, p256_point, sizeof(compressed));
    compressed[0] = 0x03;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_outcome(cases[i].what, &(struct hello){.share = &cases[i].share}, cases[i].alert);
}

/* --- behind a HelloRetryRequest --- */

/* SECOND is answered with a real ServerHello, or with ALERT. */
static void assert_second(const char *what, const struct hello *first, const struct hello *second,
                          int alert)
{
    struct tlsend server;
    open_server(&server);

    (void)feed_hello(&server, first);
    assert_true(has_answered(&server));
    tls_session_sent(server.session, tls_session_output(server.session).n);
    (void)feed_hello(&server, second);
    if (!(alert == 0 ? has_answered(&server) : has_refused(&server, alert)))
        fail_msg("%s: alert %d", what, tls_session_facts(server.session).alert_sent);
    tlsend_free(&server);
}

static void test_second_hello(void **state)
{
    static const uint16_t more[] = {0x0403, 0x0804, 0x0805};
    static const struct share x25519 = {GROUP_X25519, {x25519_point, 32}};
    static const struct hello first = {.no_share = true, .junk = 3, .padding = 10};
    static const struct {
        const char *what;
        struct hello hello;
        int alert;
    } cases[] = {
        {"the same", {.share = &x25519, .junk = 3, .padding = 10}, 0},
        {"padded otherwise", {.share = &x25519, .junk = 3, .padding = 99}, 0},
        {"not padded", {.share = &x25519, .junk = 3}, 0},
        {"in another order", {.share = &x25519, .junk = 3, .signatures_last = true}, 47},
        {"one extension more", {.share = &x25519, .junk = 4}, 47},
        {"one extension less", {.share = &x25519, .junk = 2}, 47},
        {"another version", {.share = &x25519, .junk = 3, .version = 0x0304}, 47},
        {"other algorithms",
         {.share = &x25519, .junk = 3, .signatures = more, .signatures_len = 3},
         47},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_second(cases[i].what, &first, &cases[i].hello, cases[i].alert);
}

/* --- ChangeCipherSpec --- */

/* One is passed over, for the sake of middleboxes; more are not. */
static void test_one_change_cipher_spec(void **state)
{
    static const uint8_t content[] = {1};
    struct tlsend server;
    (void)state;

    for (int retried = 0; retried < 2; retried++) {
        open_server(&server);
        (void)feed_hello(&server, &(struct hello){.no_share = retried});
        feed_record(&server, 20, 0x0303, slice_of(content, 1));
        assert_int_equal(TLS_HANDSHAKE, tls_session_state(server.session));
        feed_record(&server, 20, 0x0303, slice_of(content, 1));
        assert_int_equal(TLS_FAILED, tls_session_state(server.session));
        assert_int_equal(10, tls_session_facts(server.session).alert_sent);
        tlsend_free(&server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records_of_any_size),
        cmocka_unit_test(test_empty_fragment),
        cmocka_unit_test(test_something_else_between),
        cmocka_unit_test(test_long_hellos),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_next_messages_in_its_last_record),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_rsa_with_tls12),
        cmocka_unit_test(test_key_shares),
        cmocka_unit_test(test_second_hello),
        cmocka_unit_test(test_one_change_cipher_spec),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
