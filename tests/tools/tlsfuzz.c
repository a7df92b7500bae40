#include "tools/tlsfuzz.h"

#include <stdlib.h>
#include <string.h>

#include "tools/tlswire.h"

#define STEPS_MAX 64

/* The first byte of the input. */
enum {
    PLAY_VERSIONS = 0x03, /* enum tls_versions; 3 is as 0 */
    PLAY_ASKS = 0x04,     /* the server asks for a certificate */
    PLAY_REQUIRES = 0x08,
    PLAY_REFUSES = 0x10,  /* the judge does */
    PLAY_HAS_CERT = 0x20, /* the client does */
};

/* Then steps: one byte says which, modulo their number; what they need follows. */
enum step {
    STEP_CARRY,  /* what the peer has to say */
    STEP_ANSWER, /* what we have to say */
    STEP_CUT,    /* one byte: so much of what the peer has to say */
    STEP_DAMAGE, /* three bytes: where, and what to change there, in what the peer has to say */
    STEP_FEED,   /* two bytes: how many bytes of the input, as from the peer */
    STEP_READ,
    STEP_WRITE,
    STEP_CLOSE,
    STEP_EOF,
    STEP_COUNT
};

struct play {
    struct slice input;
    uint8_t mode;
    bool ended; /* by us or by the network: there need not be an alert */
    struct tlsend us;
    struct tlsbare peer;
};

static struct identity *our_id;
static const struct testpki_cert *their_cert;

static void hold(bool condition)
{
    if (!condition)
        abort();
}

static void make_once(void)
{
    if (our_id != NULL)
        return;
    testpki_repeat(1);
    tlswire_global_init();
    their_cert = testpki_make(&(struct testpki_spec){.subject = "CN=peer"});
    our_id = tlswire_identity(&their_cert, 1);
}

static uint8_t take_byte(struct play *p)
{
    const uint8_t byte = p->input.n > 0 ? p->input.p[0] : 0;

    p->input = slice_from(p->input, 1);
    return byte;
}

static struct slice take_bytes(struct play *p, size_t n)
{
    const struct slice part = slice_first(p->input, n);

    p->input = slice_from(p->input, part.n);
    return part;
}

static void begin(struct play *p, enum tls_role role)
{
    static struct slice chain[1];
    const bool client = role == TLS_CLIENT;
    const bool has_cert = (p->mode & PLAY_HAS_CERT) != 0;
    const enum tls_client_auth asks = (p->mode & PLAY_REQUIRES) != 0 ? TLS_CLIENT_AUTH_REQUIRE
                                      : (p->mode & PLAY_ASKS) != 0   ? TLS_CLIENT_AUTH_REQUEST
                                                                     : TLS_CLIENT_AUTH_OFF;
    const struct tlsend_spec spec = {
        .role = role,
        .versions = (enum tls_versions)((p->mode & PLAY_VERSIONS) % 3),
        .client_auth = client ? TLS_CLIENT_AUTH_OFF : asks,
        .identity = !client || has_cert ? our_id : NULL,
        .tickets = true,
        .server_name = "sip.example.com",
    };

    chain[0] = testpki_der(their_cert);
    tlsend_init(&p->us, &spec);
    if ((p->mode & PLAY_REFUSES) != 0)
        p->us.verdict.class = VERDICT_REJECTED;
    tlsbare_init(&p->peer, &(struct tlsbare_spec){.server = client,
                                                  .authmode = asks == TLS_CLIENT_AUTH_OFF
                                                                  ? MBEDTLS_SSL_VERIFY_NONE
                                                                  : MBEDTLS_SSL_VERIFY_OPTIONAL,
                                                  .chain = chain,
                                                  .chain_len = client || has_cert ? 1 : 0,
                                                  .key_of = their_cert,
                                                  .tickets = true});
    tlsend_open(&p->us, &spec);
    tlsbare_step(&p->peer);
}

/* N bytes of what the peer has to say are for us, the rest is lost. */
static void carry(struct play *p, size_t n)
{
    tls_session_feed(p->us.session, slice_first(buf_slice(&p->peer.out), n));
    buf_clear(&p->peer.out);
}

static void damage(struct play *p)
{
    struct slice out = buf_slice(&p->peer.out);
    const size_t where = (size_t)take_byte(p) << 8 | take_byte(p);
    const uint8_t change = take_byte(p);

    if (out.n > 0)
        p->peer.out.mem[p->peer.out.start + where % out.n] ^= change;
    carry(p, out.n);
}

static void answer(struct play *p)
{
    const struct tlswire us = tlsend_wire(&p->us), peer = tlsbare_wire(&p->peer);
    const struct slice out = us.output(us.end);

    peer.feed(peer.end, out);
    us.sent(us.end, out.n);
}

static void step(struct play *p)
{
    const uint8_t which = take_byte(p) % STEP_COUNT;

    switch ((enum step)which) {
    case STEP_CARRY:
        carry(p, SIZE_MAX);
        break;
    case STEP_ANSWER:
        answer(p);
        break;
    case STEP_CUT:
        carry(p, take_byte(p));
        break;
    case STEP_DAMAGE:
        damage(p);
        break;
    case STEP_FEED: {
        const size_t n = (size_t)take_byte(p) << 8;
        tls_session_feed(p->us.session, take_bytes(p, n | take_byte(p)));
        break;
    }
    case STEP_READ:
        free(tlsend_read(&p->us));
        break;
    case STEP_WRITE:
        IGNORE(tls_session_write(p->us.session, slice_first(p->input, 100)));
        break;
    case STEP_CLOSE:
        tls_session_close(p->us.session);
        p->ended = true;
        break;
    case STEP_EOF:
        tls_session_feed_eof(p->us.session);
        p->ended = true;
        break;
    case STEP_COUNT:
        break;
    }
}

/* --- what must hold --- */

/* Nobody is let in unjudged, and nobody who was refused. */
static void check_judgement(const struct play *p, bool client)
{
    const struct tls_session_facts f = tls_session_facts(p->us.session);
    const enum verdict_class class = tls_session_verdict(p->us.session)->class;

    if (f.cipher == NULL) /* it was never established */
        return;
    hold(class != VERDICT_REJECTED);
    if (client || (p->mode & PLAY_REQUIRES) != 0) {
        hold(p->us.judged == 1);
        hold(class == VERDICT_VERIFIED);
    }
}

/* A failure has its sentence, and the peer its alert, unless the alert was its own. */
static void check_failure(const struct play *p)
{
    const struct errinfo *e = tls_session_error(p->us.session);
    const struct tls_session_facts f = tls_session_facts(p->us.session);

    hold((e != NULL) == (tls_session_state(p->us.session) == TLS_FAILED));
    if (e == NULL)
        return;
    hold(e->code != ERR_OK && e->text[0] != '\0');
    hold(strstr(e->text, "inside the phone") == NULL);
    hold(p->ended || f.alert_sent >= 0 || f.alert_received >= 0 ||
         e->native == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY);
}

static void check_end(const struct play *p, enum tls_state before)
{
    const enum tls_state after = tls_session_state(p->us.session);

    if (before == TLS_CLOSED || before == TLS_FAILED)
        hold(after == before);
    hold(tls_session_output(p->us.session).n <= LIMIT_CONNECTION_OUT + LIMIT_TLS_CONTROL_OUT);
}

void tlsfuzz_play(enum tls_role role, const uint8_t *data, size_t size)
{
    struct play p = {.input = slice_of(data, size)};

    make_once();
    testpki_repeat(2);
    p.mode = take_byte(&p);
    begin(&p, role);
    for (int i = 0; i < STEPS_MAX && p.input.n > 0; i++) {
        const enum tls_state before = tls_session_state(p.us.session);
        step(&p);
        check_judgement(&p, role == TLS_CLIENT);
        check_failure(&p);
        check_end(&p, before);
    }
    tlsend_free(&p.us);
    tlsbare_free(&p.peer);
}
