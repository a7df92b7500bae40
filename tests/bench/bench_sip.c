/* What SIP costs a connection: messages framed and parsed in a second, challenges answered, and
 * requests parsed and passed on. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sip/digest.h"
#include "sip/frame.h"
#include "sip/hop.h"
#include "sip/message.h"
#include "tools/rigged_rng.h"

#define SECONDS 1.0

static const char response[] =
    "SIP/2.0 200 OK\r\n"
    "Via: SIP/2.0/TLS 192.0.2.7:40312;branch=z9hG4bKabcdefghijklmnopqrst;rport=40312;"
    "received=192.0.2.7\r\n"
    "From: \"Alice\" <sips:alice@example.com>;tag=0123456789abcdef\r\n"
    "To: <sips:alice@example.com>;tag=fedcba9876543210\r\n"
    "Call-ID: 0123456789abcdefghijklmn\r\n"
    "CSeq: 4711 REGISTER\r\n"
    "Contact: <sips:alice@192.0.2.7:40312>;expires=3600;+sip.instance=\"<urn:uuid:00000000-0000-"
    "1000-8000-001565123456>\";reg-id=1\r\n"
    "Supported: path, outbound\r\n"
    "Server: registrar\r\n"
    "Content-Length: 0\r\n\r\n";

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void need(struct result r)
{
    if (is_err(r)) {
        (void)fprintf(stderr, "bench_sip: %s\n", err_text(r.code));
        exit(1);
    }
}

static void frame_and_parse(void)
{
    struct sip_frame *f;
    enum sip_frame_event event;
    struct slice raw;
    struct sip_message *m;
    need(sip_frame_new(&f));
    need(sip_frame_feed(f, slice_of_str(response)));
    need(sip_frame_next(f, &event, &raw, NULL));
    need(sip_message_parse(raw, &m, NULL));
    if (sip_message_granted_expires(m, "sips:alice@192.0.2.7:40312", NULL, 0) != 3600)
        need(err(ERR_PARSE));
    sip_message_free(m);
    sip_frame_free(f);
}

static void answer_challenge(enum hash_alg alg)
{
    static const struct digest_credentials cred = {"alice", "secret"};
    const struct digest_challenge c = {
        .realm = "example.com", .nonce = "0123456789abcdef", .alg = alg, .qop_auth = true};
    uint64_t seed = 1;
    const struct rng rng = rigged_rng(&seed);
    struct buf out;
    buf_init(&out, 4096);
    need(digest_answer(&out, &c, &cred, "REGISTER", "sips:example.com", 1, &rng, NULL));
    buf_wipe(&out);
}

static void answer_sha256(void)
{
    answer_challenge(HASH_SHA256);
}

static void answer_md5(void)
{
    answer_challenge(HASH_MD5);
}

static const char invite[] =
    "INVITE sips:bob@example.com SIP/2.0\r\n"
    "Via: SIP/2.0/TLS phone.invalid;branch=z9hG4bKabcdefghijklmnopqrst\r\n"
    "Max-Forwards: 70\r\n"
    "From: \"Alice\" <sips:alice@example.com>;tag=0123456789abcdef\r\n"
    "To: <sips:bob@example.com>\r\n"
    "Call-ID: 0123456789abcdefghijklmn\r\n"
    "CSeq: 1 INVITE\r\n"
    "Contact: <sips:alice@192.0.2.7:40312>\r\n"
    "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, REFER, NOTIFY, UPDATE\r\n"
    "Content-Type: application/sdp\r\n"
    "Content-Length: 128\r\n\r\n"
    "v=0\r\no=phone 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n";

static void pass_on(void)
{
    static const uint8_t key[HOP_KEY_SIZE] = "key";
    static const struct hop h = {
        .key = key,
        .account = 1,
        .outward = true,
        .from = {.id = 1, .hostport = "192.0.2.7:40312"},
        .to = {.id = 2, .hostport = "192.0.2.7:40312"},
    };
    struct sip_message *m;
    struct buf out;
    buf_init(&out, 4096);
    need(sip_message_parse(slice_of_str(invite), &m, NULL));
    need(hop_request(&h, m, slice_of_str(invite), &out, NULL));
    sip_message_free(m);
    buf_wipe(&out);
}

static void measure(const char *what, void (*work)(void))
{
    unsigned long n = 0;
    const double start = now();
    double passed;
    do {
        for (int i = 0; i < 100; i++, n++)
            work();
        passed = now() - start;
    } while (passed < SECONDS);
    printf("%-40s %9.0f /s %8.2f us\n", what, (double)n / passed, passed / (double)n * 1e6);
}

int main(void)
{
    printf("a 200 to REGISTER of %zu bytes\n", sizeof response - 1);
    measure("frame and parse", frame_and_parse);
    measure("answer a challenge, SHA-256", answer_sha256);
    measure("answer a challenge, MD5", answer_md5);
    printf("an INVITE of %zu bytes\n", sizeof invite - 1);
    measure("parse and pass on", pass_on);
    return 0;
}
