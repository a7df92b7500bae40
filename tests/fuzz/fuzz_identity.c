/*
 * An upload of certificate and key, loaded, judged, written and loaded again: bytes that are put
 * into a good one. The input's first byte says where (in 256ths), the second how much of the good
 * one they replace; or, if that is 255, they are the whole file.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "pki/identity.h"
#include "pki/upload.h"
#include "tools/testpki.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *good;

static void make_good(void)
{
    const struct testpki_cert *chain[2];
    char *certs, *key;

    chain[1] = testpki_make(&(struct testpki_spec){.subject = "CN=CA", .ca = true, .key = 1});
    chain[0] =
        testpki_make(&(struct testpki_spec){.subject = "CN=a", .issuer = chain[1], .key = 2});
    certs = testpki_pem(chain, 2);
    key = testpki_key_pem(chain[0]);
    good = malloc(strlen(certs) + strlen(key) + 1);
    if (good == NULL)
        abort();
    strcpy(good, certs);
    strcat(good, key);
    free(certs);
    free(key);
}

/* What is written is read again as the same. */
static void write_and_read(const struct identity *id, const struct rng *rng)
{
    struct identity *again;
    struct buf text;

    buf_init(&text, 4 * LIMIT_CERT_FILE_BYTES);
    if (is_err(identity_write(id, &text, NULL)) ||
        is_err(identity_load(buf_slice(&text), SLICE_EMPTY, SLICE_EMPTY, rng, &again, NULL)) ||
        identity_chain_len(id) != identity_chain_len(again))
        abort();
    for (size_t i = 0; i < identity_chain_len(id); i++)
        if (!slice_eq(cert_der(identity_cert(id, i)), cert_der(identity_cert(again, i))))
            abort();
    identity_unref(again);
    buf_wipe(&text);
}

static void upload(struct slice content)
{
    const struct rng rng = testpki_rng();
    const struct upload_request request = {
        .content = content,
        .password = SLICE_LIT("password"),
        .now = {TESTPKI_NOW, CLOCK_SET},
    };
    struct errinfo e = ERRINFO_INIT;
    struct identity *id;

    if (is_ok(upload_identity(&request, &rng, &id, &e)))
        identity_unref(id);
    else if (e.text[0] == '\0')
        abort();
}

static void load(struct slice content)
{
    struct errinfo e = ERRINFO_INIT;
    struct rng rng = testpki_rng();
    struct identity *id;
    struct result r = identity_load(content, SLICE_EMPTY, SLICE_LIT("password"), &rng, &id, &e);

    upload(content);
    if (is_err(r)) {
        if (e.text[0] == '\0')
            abort();
        return;
    }
    if (identity_chain_len(id) == 0 || identity_mbedtls_chain(id) == NULL)
        abort();
    (void)identity_is_for_mac(id, "00:15:65:12:34:56");
    write_and_read(id, &rng);
    identity_unref(id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t total, at, replaced;
    uint8_t *file;

    if (good == NULL)
        make_good();
    if (size < 2)
        return 0;
    if (data[1] == 255) {
        load(slice_of(data + 2, size - 2));
        return 0;
    }
    total = strlen(good);
    at = data[0] * total / 256;
    replaced = data[1] < total - at ? data[1] : total - at;
    file = malloc(total + size);
    if (file == NULL)
        abort();
    memcpy(file, good, at);
    memcpy(file + at, data + 2, size - 2);
    memcpy(file + at + size - 2, good + at + replaced, total - at - replaced);
    load(slice_of(file, total - replaced + size - 2));
    free(file);
    return 0;
}
