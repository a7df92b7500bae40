/* A revocation list: what is read is inside its bytes, and every serial number has an answer. */
#include <stdlib.h>

#include "pki/crl.h"
#include "pki/distpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct slice whole, struct slice part)
{
    if (part.n > 0 && (part.p < whole.p || part.p + part.n > whole.p + whole.n))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice whole = slice_of(data, size);
    struct errinfo e = ERRINFO_INIT;
    const struct certfields cert = {.serial = slice_first(whole, 3)};
    struct crl crl;

    if (is_err(crl_read(whole, &crl, &e))) {
        if (e.text[0] == '\0')
            abort();
        return 0;
    }
    check_inside(whole, crl.tbs);
    check_inside(whole, crl.signature);
    check_inside(crl.tbs, crl.issuer);
    check_inside(crl.tbs, crl.entries);
    check_inside(crl.tbs, crl.number);
    check_inside(crl.tbs, crl.distribution_point);
    if ((crl.reasons & ~CRL_ALL_REASONS) != 0 || !distpoint_same_scope(&crl, &crl))
        abort();
    (void)crl_find(&crl, cert.serial, NULL);
    (void)distpoint_reasons(&crl, &cert);
    return 0;
}
