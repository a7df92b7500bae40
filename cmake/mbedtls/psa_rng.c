#include "mbedtls/psa_rng.h"

#include <psa/crypto.h>

static int (*rng_fill)(void *ctx, unsigned char *out, size_t n);
static void *rng_ctx;

void mbedtls_psa_rng_set(int (*fill)(void *ctx, unsigned char *out, size_t n), void *ctx)
{
    rng_fill = fill;
    rng_ctx = ctx;
}

/* The library calls it by this name (MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG). */
psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t *context,
                                             uint8_t *output, size_t output_size,
                                             size_t *output_length)
{
    (void)context;
    if (rng_fill == NULL || rng_fill(rng_ctx, output, output_size) != 0)
        return PSA_ERROR_INSUFFICIENT_ENTROPY;
    *output_length = output_size;
    return PSA_SUCCESS;
}
