/* What SIP costs a connection: messages framed and parsed in a second, and challenges
 * answered. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sip/digest.h"
#include "sip/frame.h"
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
    return 0;
}
