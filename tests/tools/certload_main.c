/* certload FILE...: what certfile and x509 make of each file: "FILE<tab>COUNT" of the certificates
 * in it, or "FILE<tab>no<tab>SENTENCE". */
#include <stdio.h>

#include "base/limits.h"
#include "pki/certfile.h"
#include "pki/x509.h"
#include "sys/store.h"

static struct result count(void *arg, struct slice der, struct errinfo *e)
{
    struct cert *c;
    TRY(cert_load(der, &c, e));
    cert_unref(c);
    ++*(unsigned *)arg;
    return OK;
}

static void load(const char *path)
{
    struct buf content;
    struct errinfo e = ERRINFO_INIT;
    unsigned n = 0;
    buf_init(&content, LIMIT_CERT_FILE_BYTES);
    struct result r = store_read(path, &content, &e);
    if (is_ok(r))
        r = certfile_each(buf_slice(&content), count, &n, &e);
    buf_free(&content);
    if (is_ok(r))
        (void)printf("%s\t%u\n", path, n);
    else
        (void)printf("%s\tno\t%s\n", path, errinfo_text(&e, r));
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        load(argv[i]);
    return 0;
}
