/* A certificate request: what is taken has a key that certificates are made for, inside the bytes
 * that were read. */
#include <stdlib.h>

#include "pki/csr.h"
#include "pki/issue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct errinfo e = ERRINFO_INIT;
    struct csr c;

    if (is_err(csr_read(slice_of(data, size), &c, &e))) {
        if (e.text[0] == '\0')
            abort();
        return 0;
    }
    const struct slice der = buf_slice(&c.der);
    if (is_err(issue_check_key(c.key, NULL)) || c.subject.n == 0 || c.key.p < c.subject.p ||
        c.key.p + c.key.n > der.p + der.n)
        abort();
    csr_free(&c);
    return 0;
}
