#include "tools/tlswire.h"

#include <mbedtls/ssl_ticket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

#define BARE_BUFFER_MAX (4U << 20)

int64_t tlswire_now_s = TESTPKI_NOW;

static int64_t now_s(void)
{
    return tlswire_now_s;
}

static void must(bool done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "tlswire: %s\n", what);
    abort();
}

void tlswire_global_init(void)
{
    const struct rng rng = testpki_rng();

    must(is_ok(tls_global_init(&rng, now_s, NULL)), "the library does not start");
}

struct identity *tlswire_identity(const struct testpki_cert *const *chain, size_t n)
{
    const struct rng rng = testpki_rng();
    struct identity *id = NULL;
    char *certs = testpki_pem(chain, n);
    char *key = testpki_key_pem(chain[0]);

    must(is_ok(identity_load(slice_of_str(certs), slice_of_str(key), SLICE_EMPTY, &rng, &id, NULL)),
         "the identity does not load");
    free(certs);
    free(key);
    return id;
}

/* --- the wire --- */

static bool carry(struct tlswire from, struct tlswire to, size_t chunk)
{
    const struct slice out = from.output(from.end);
    const size_t n = chunk == 0 || chunk > out.n ? out.n : chunk;

    if (n == 0)
        return false;
    to.feed(to.end, slice_first(out, n));
    from.sent(from.end, n);
    return true;
}

void tlswire_run(struct tlswire a, struct tlswire b, size_t chunk)
{
    bool more = true;

    while (more) {
        more = carry(a, b, chunk);
        more = carry(b, a, chunk) || more;
    }
}

/* --- our end --- */

static void answer(void *arg, const struct slice *chain, size_t n, struct verdict *out)
{
    struct tlsend *end = arg;

    end->judged++;
    end->chain_len = n;
    for (size_t i = 0; i < n && i < TLSWIRE_CHAIN_MAX; i++)
        end->chain_sizes[i] = chain[i].n;
    *out = end->verdict;
}

void tlsend_init(struct tlsend *end, const struct tlsend_spec *spec)
{
    const struct tls_profile_params params = {
        .role = spec->role,
        .versions = spec->versions,
        .identity = spec->identity,
        .client_auth = spec->client_auth,
        .alpn = spec->alpn,
        .tickets = spec->tickets,
        .rng = testpki_rng(),
    };

    *end = (struct tlsend){
        .verdict = {.class = VERDICT_VERIFIED, .valid_until_s = TESTPKI_NOT_AFTER},
    };
    must(is_ok(tls_profile_new(&params, &end->profile, NULL)), "no profile");
}

void tlsend_open(struct tlsend *end, const struct tlsend_spec *spec)
{
    tls_session_free(end->session);
    end->session = NULL;
    must(is_ok(tls_session_new(end->profile,
                               &(struct tls_session_params){
                                   .server_name = spec->server_name,
                                   .judge = end->judge != NULL ? end->judge : answer,
                                   .judge_arg = end->judge != NULL ? end->judge_arg : end,
                                   .tickets = spec->store,
                                   .flow_key = slice_of_str(spec->flow_key),
                                   .now_s = tlswire_now_s,
                               },
                               &end->session, NULL)),
         "no session");
    tls_session_start(end->session);
}

void tlsend_free(struct tlsend *end)
{
    tls_session_free(end->session);
    tls_profile_unref(end->profile);
    *end = (struct tlsend){0};
}

static void end_feed(void *end, struct slice in)
{
    tls_session_feed(((struct tlsend *)end)->session, in);
}

static struct slice end_output(void *end)
{
    return tls_session_output(((struct tlsend *)end)->session);
}

static void end_sent(void *end, size_t n)
{
    tls_session_sent(((struct tlsend *)end)->session, n);
}

struct tlswire tlsend_wire(struct tlsend *end)
{
    return (struct tlswire){end, end_feed, end_output, end_sent};
}

char *tlsend_read(struct tlsend *end)
{
    struct buf text;
    uint8_t part[1000];
    size_t n;

    buf_init(&text, LIMIT_TLS_UNREAD);
    while (is_ok(tls_session_read(end->session, part, sizeof(part), &n)))
        must(is_ok(buf_append(&text, slice_of(part, n))), "too much to read");
    char *s = calloc(1, buf_len(&text) + 1);
    must(s != NULL, "out of memory");
    if (buf_len(&text) > 0)
        memcpy(s, buf_slice(&text).p, buf_len(&text));
    buf_free(&text);
    return s;
}

void tlsend_write(struct tlsend *end, const char *text)
{
    must(is_ok(tls_session_write(end->session, slice_of_str(text))), "cannot write");
}

/* --- two of our ends --- */

struct tlspair tlspair_of(struct tlsend_spec client, struct tlsend_spec server)
{
    struct tlspair p = {.client_spec = client, .server_spec = server};

    p.client_spec.role = TLS_CLIENT;
    p.server_spec.role = TLS_SERVER;
    tlsend_init(&p.client, &p.client_spec);
    tlsend_init(&p.server, &p.server_spec);
    return p;
}

void tlspair_connect(struct tlspair *p, size_t chunk)
{
    tlsend_open(&p->client, &p->client_spec);
    tlsend_open(&p->server, &p->server_spec);
    tlswire_run(tlsend_wire(&p->client), tlsend_wire(&p->server), chunk);
}

void tlspair_run(struct tlspair *p)
{
    tlswire_run(tlsend_wire(&p->client), tlsend_wire(&p->server), 0);
}

void tlspair_free(struct tlspair *p)
{
    tlsend_free(&p->client);
    tlsend_free(&p->server);
}

/* --- bare mbedTLS --- */

static int bare_recv(void *ctx, unsigned char *out, size_t size)
{
    struct tlsbare *b = ctx;
    const struct slice part = slice_first(buf_slice(&b->in), size);

    if (part.n == 0)
        return MBEDTLS_ERR_SSL_WANT_READ;
    memcpy(out, part.p, part.n);
    buf_consume(&b->in, part.n);
    return (int)part.n;
}

static int bare_send(void *ctx, const unsigned char *data, size_t n)
{
    struct tlsbare *b = ctx;

    must(is_ok(buf_append(&b->out, slice_of(data, n))), "out of memory");
    return (int)n;
}

/*
 * The list to send is only ever read as bytes. But the library looks at what it takes for its own
 * certificate before it uses it: that is the one of the key.
 */
static mbedtls_x509_crt *make_chain(const struct tlsbare_spec *spec)
{
    mbedtls_x509_crt *first = NULL;
    mbedtls_x509_crt **place = &first;

    for (size_t i = 0; i < spec->chain_len; i++, place = &(*place)->next) {
        const struct slice own = testpki_der(spec->key_of);
        *place = calloc(1, sizeof(**place));
        must(*place != NULL, "out of memory");
        mbedtls_x509_crt_init(*place);
        if (i == 0)
            must(mbedtls_x509_crt_parse_der_nocopy(*place, own.p, own.n) == 0,
                 "the certificate of the key must parse");
        (*place)->raw = (mbedtls_x509_buf){.len = spec->chain[i].n,
                                           .p = (unsigned char *)(uintptr_t)spec->chain[i].p};
    }
    return first;
}

static void set_tickets(struct tlsbare *b, bool server)
{
    const struct rng rng = testpki_rng();

    if (!server) {
        mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
            &b->config, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
        return;
    }
    b->ticket_keys = calloc(1, sizeof(*b->ticket_keys));
    must(b->ticket_keys != NULL, "out of memory");
    mbedtls_ssl_ticket_init(b->ticket_keys);
    must(mbedtls_ssl_ticket_setup(b->ticket_keys, rng.fill, rng.ctx, MBEDTLS_CIPHER_AES_256_GCM,
                                  86400) == 0,
         "no ticket keys");
    mbedtls_ssl_conf_session_tickets_cb(&b->config, mbedtls_ssl_ticket_write,
                                        mbedtls_ssl_ticket_parse, b->ticket_keys);
}

static void set_authmode(struct tlsbare *b, const struct tlsbare_spec *spec)
{
    if (spec->server || spec->ca.n == 0) {
        mbedtls_ssl_conf_authmode(&b->config,
                                  spec->server ? spec->authmode : MBEDTLS_SSL_VERIFY_NONE);
        return;
    }
    must(mbedtls_x509_crt_parse_der(&b->ca, spec->ca.p, spec->ca.n) == 0, "no CA");
    mbedtls_ssl_conf_ca_chain(&b->config, &b->ca, NULL);
    mbedtls_ssl_conf_authmode(&b->config, MBEDTLS_SSL_VERIFY_REQUIRED);
}

static void configure(struct tlsbare *b, const struct tlsbare_spec *spec)
{
    const struct rng rng = testpki_rng();
    mbedtls_ssl_config *c = &b->config;

    must(mbedtls_ssl_config_defaults(c,
                                     spec->server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
                                     MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) == 0,
         "no configuration");
    mbedtls_ssl_conf_rng(c, rng.fill, rng.ctx);
    set_authmode(b, spec);
    mbedtls_ssl_conf_min_tls_version(c, spec->min != 0 ? spec->min : MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_max_tls_version(c, spec->max != 0 ? spec->max : MBEDTLS_SSL_VERSION_TLS1_3);
    if (spec->suites != NULL)
        mbedtls_ssl_conf_ciphersuites(c, spec->suites);
    if (spec->groups != NULL)
        mbedtls_ssl_conf_groups(c, spec->groups);
    if (spec->signatures != NULL)
        mbedtls_ssl_conf_sig_algs(c, spec->signatures);
    if (spec->alpn != NULL)
        must(mbedtls_ssl_conf_alpn_protocols(c, (const char **)(uintptr_t)spec->alpn) == 0, "ALPN");
    if (spec->tickets)
        set_tickets(b, spec->server);
    b->chain = make_chain(spec);
    if (b->chain != NULL)
        must(mbedtls_ssl_conf_own_cert(c, b->chain, testpki_key(spec->key_of)) == 0, "own cert");
}

void tlsbare_init(struct tlsbare *b, const struct tlsbare_spec *spec)
{
    *b = (struct tlsbare){.hostname = spec->hostname, .tickets = spec->tickets && !spec->server};
    buf_init(&b->in, BARE_BUFFER_MAX);
    buf_init(&b->out, BARE_BUFFER_MAX);
    buf_init(&b->plain, BARE_BUFFER_MAX);
    mbedtls_ssl_config_init(&b->config);
    mbedtls_x509_crt_init(&b->ca);
    mbedtls_ssl_session_init(&b->session);
    mbedtls_ssl_init(&b->ssl);
    configure(b, spec);
    tlsbare_open(b);
}

void tlsbare_open(struct tlsbare *b)
{
    mbedtls_ssl_free(&b->ssl);
    mbedtls_ssl_init(&b->ssl);
    buf_free(&b->in);
    buf_free(&b->out);
    buf_free(&b->plain);
    b->rc = MBEDTLS_ERR_SSL_WANT_READ;
    must(mbedtls_ssl_setup(&b->ssl, &b->config) == 0, "no context");
    must(mbedtls_ssl_set_hostname(&b->ssl, b->hostname) == 0, "no name");
    if (b->has_session)
        must(mbedtls_ssl_set_session(&b->ssl, &b->session) == 0, "no session");
    mbedtls_ssl_set_bio(&b->ssl, b, bare_send, bare_recv, NULL);
}

void tlsbare_free(struct tlsbare *b)
{
    mbedtls_ssl_free(&b->ssl);
    mbedtls_ssl_config_free(&b->config);
    for (mbedtls_x509_crt *next; b->chain != NULL; b->chain = next) {
        next = b->chain->next;
        b->chain->next = NULL;
        mbedtls_x509_crt_free(b->chain);
        free(b->chain);
    }
    mbedtls_x509_crt_free(&b->ca);
    mbedtls_ssl_session_free(&b->session);
    if (b->ticket_keys != NULL)
        mbedtls_ssl_ticket_free(b->ticket_keys);
    free(b->ticket_keys);
    buf_free(&b->in);
    buf_free(&b->out);
    buf_free(&b->plain);
}

static void keep_session(struct tlsbare *b)
{
    mbedtls_ssl_session_free(&b->session);
    mbedtls_ssl_session_init(&b->session);
    b->has_session = mbedtls_ssl_get_session(&b->ssl, &b->session) == 0;
}

static void bare_read(struct tlsbare *b)
{
    uint8_t part[4096];

    for (;;) {
        b->rc = mbedtls_ssl_read(&b->ssl, part, sizeof(part));
        if (b->rc > 0)
            must(is_ok(buf_append(&b->plain, slice_of(part, (size_t)b->rc))), "out of memory");
        else if (b->rc == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
            keep_session(b);
        else if (b->rc != MBEDTLS_ERR_SSL_WANT_READ || mbedtls_ssl_check_pending(&b->ssl) == 0)
            return;
    }
}

void tlsbare_step(struct tlsbare *b)
{
    if (b->rc != 0 && b->rc != MBEDTLS_ERR_SSL_WANT_READ)
        return; /* it has failed, or was closed */
    if (mbedtls_ssl_is_handshake_over(&b->ssl) == 0) {
        b->rc = mbedtls_ssl_handshake(&b->ssl);
        if (b->rc == 0 && b->tickets &&
            mbedtls_ssl_get_version_number(&b->ssl) == MBEDTLS_SSL_VERSION_TLS1_2)
            keep_session(b);
    }
    if (mbedtls_ssl_is_handshake_over(&b->ssl) != 0)
        bare_read(b);
}

void tlsbare_write(struct tlsbare *b, const char *text)
{
    const size_t n = strlen(text);

    must(mbedtls_ssl_write(&b->ssl, (const unsigned char *)text, n) == (int)n, "cannot write");
}

static void bare_feed(void *end, struct slice in)
{
    struct tlsbare *b = end;

    must(is_ok(buf_append(&b->in, in)), "out of memory");
    tlsbare_step(b);
}

static struct slice bare_output(void *end)
{
    return buf_slice(&((struct tlsbare *)end)->out);
}

static void bare_sent(void *end, size_t n)
{
    buf_consume(&((struct tlsbare *)end)->out, n);
}

struct tlswire tlsbare_wire(struct tlsbare *b)
{
    return (struct tlswire){b, bare_feed, bare_output, bare_sent};
}
