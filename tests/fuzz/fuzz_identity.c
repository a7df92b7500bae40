/*
 * An upload of certificate and key: bytes that are put into a good one. The input's first byte says
 * where (in 256ths), the second how much of the good one they replace; or, if that is 255, they are
 * the whole file.
 */
#include <stdlib.h>
#include <string.h>

#include "pki/identity.h"
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

static void load(struct slice content)
{
    struct errinfo e = ERRINFO_INIT;
    struct rng rng = testpki_rng();
    struct identity *id;
    struct result r = identity_load(content, SLICE_EMPTY, SLICE_LIT("password"), &rng, &id, &e);

    if (is_err(r)) {
        if (e.text[0] == '\0')
            abort();
        return;
    }
    if (identity_chain_len(id) == 0 || identity_mbedtls_chain(id) == NULL)
        abort();
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
