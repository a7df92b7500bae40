/* What a connection holds of the heap while it is idle, and that nothing stays behind. */
#include <malloc.h>
#include <mbedtls/platform.h>
#include <stdlib.h>

#include "tools/tlswire.h"
#include "tools/unit.h"

static size_t library_bytes;

static void *counting_calloc(size_t n, size_t size)
{
    void *p = calloc(n, size);

    if (p != NULL)
        library_bytes += malloc_usable_size(p);
    return p;
}

static void counting_free(void *p)
{
    library_bytes -= malloc_usable_size(p);
    free(p);
}

static struct identity *identity;

static int set_up_all(void **state)
{
    (void)state;
    assert_int_equal(0, mbedtls_platform_set_calloc_free(counting_calloc, counting_free));
    tlswire_global_init();
    const struct testpki_cert *leaf = testpki_make(&(struct testpki_spec){.subject = "CN=leaf"});
    identity = tlswire_identity(&leaf, 1);
    return 0;
}

static int tear_down_all(void **state)
{
    (void)state;
    identity_unref(identity);
    tls_global_free();
    return 0;
}

#define for_each_version(v) for (enum tls_versions v = TLS_1_2_ONLY; v <= TLS_1_3_ONLY; v++)

static struct tlspair pair(enum tls_versions v)
{
    return tlspair_of((struct tlsend_spec){.versions = v},
                      (struct tlsend_spec){.identity = identity});
}

/*
 * The library's two record buffers, and little besides: no certificate of the peer's, parsed, and
 * no keys of the handshake.
 */
static void test_idle_connection(void **state)
{
    const size_t buffers = MBEDTLS_SSL_IN_CONTENT_LEN + MBEDTLS_SSL_OUT_CONTENT_LEN;
    (void)state;

    for_each_version(v)
    {
        struct tlspair p = pair(v);
        const size_t before = library_bytes;
        tlspair_connect(&p, 0);
        assert_int_equal(TLS_ESTABLISHED, tls_session_state(p.client.session));
        const size_t both = library_bytes - before;
        assert_true(both > 2 * buffers);
        assert_in_range(both / 2, buffers, buffers + 6500);
        tlspair_free(&p);
    }
}

/* Whatever state a session is freed in. */
static void test_nothing_stays_behind(void **state)
{
    (void)state;
    for_each_version(v)
    {
        struct tlspair p = pair(v);
        const size_t before = library_bytes;
        for (size_t stop = 0;; stop++) {
            tlsend_open(&p.client, &p.client_spec);
            tlsend_open(&p.server, &p.server_spec);
            const struct tlswire ends[] = {tlsend_wire(&p.client), tlsend_wire(&p.server)};
            for (size_t i = 0; i < stop; i++) {
                const struct tlswire from = ends[i % 2], to = ends[(i + 1) % 2];
                const struct slice out = from.output(from.end);
                to.feed(to.end, out);
                from.sent(from.end, out.n);
            }
            const bool done = tls_session_state(p.client.session) == TLS_ESTABLISHED &&
                              tls_session_state(p.server.session) == TLS_ESTABLISHED;
            tls_session_free(p.client.session);
            tls_session_free(p.server.session);
            p.client.session = NULL;
            p.server.session = NULL;
            assert_int_equal(before, library_bytes);
            if (done)
                break;
        }
        tlspair_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idle_connection),
        cmocka_unit_test(test_nothing_stays_behind),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
