/* A report of provisioning, as it is read from flash: what is taken is written the same again. */
#include <stdlib.h>

#include "base/buf.h"
#include "control/provision_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct provision_report r, again;
    struct errinfo e = ERRINFO_INIT;
    struct buf first, second;

    if (is_err(provision_report_read(slice_of(data, size), &r, &e))) {
        if (e.text[0] == '\0' || r.items != NULL)
            abort();
        return 0;
    }
    buf_init(&first, LIMIT_RPC_BACKLOG);
    buf_init(&second, LIMIT_RPC_BACKLOG);
    if (is_err(provision_report_write(&r, &first, NULL)) ||
        is_err(provision_report_read(buf_slice(&first), &again, NULL)) ||
        is_err(provision_report_write(&again, &second, NULL)) ||
        !slice_eq(buf_slice(&first), buf_slice(&second)))
        abort();
    buf_free(&first);
    buf_free(&second);
    provision_report_clear(&r);
    provision_report_clear(&again);
    return 0;
}
