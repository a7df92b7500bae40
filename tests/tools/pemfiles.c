#include "tools/pemfiles.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "pki/certfile.h"
#include "sys/entropy.h"
#include "sys/store.h"

#define CAS_MAX 8

static void must(struct result r, const char *path, const struct errinfo *e)
{
    if (is_ok(r))
        return;
    fprintf(stderr, "%s: %s\n", path, e->text);
    exit(2);
}

struct buf pemfiles_read(const char *path)
{
    struct errinfo e = ERRINFO_INIT;
    struct buf b;

    buf_init(&b, LIMIT_CERT_FILE_BYTES);
    if (path != NULL)
        must(store_read(path, &b, &e), path, &e);
    return b;
}

struct identity *pemfiles_identity(const char *cert, const char *key)
{
    struct identity *id = NULL;
    struct errinfo e = ERRINFO_INIT;

    if (cert == NULL)
        return NULL;
    struct buf c = pemfiles_read(cert), k = pemfiles_read(key);
    must(identity_load(buf_slice(&c), buf_slice(&k), SLICE_EMPTY, &entropy_system, &id, &e), cert,
         &e);
    buf_free(&c);
    buf_wipe(&k);
    return id;
}

struct cas {
    struct trust_custom list[CAS_MAX];
    size_t n;
};

static struct result add_ca(void *arg, struct slice der, struct errinfo *e)
{
    struct cas *cas = arg;

    if (cas->n == CAS_MAX)
        return fail(e, ERR_LIMIT, "there are more than %d CAs", CAS_MAX);
    const struct slice copy = {slice_dup(der), der.n};
    if (copy.p == NULL)
        return fail(e, ERR_NOMEM, "out of memory");
    cas->list[cas->n++] = (struct trust_custom){"ca", copy};
    return OK;
}

struct trust *pemfiles_trust(const char *path)
{
    struct cas cas = {.n = 0};
    struct trust *t = NULL;
    struct errinfo e = ERRINFO_INIT;
    struct buf file = pemfiles_read(path);

    if (path != NULL)
        must(certfile_each(buf_slice(&file), add_ca, &cas, &e), path, &e);
    must(trust_new(cas.list, cas.n, NULL, NULL, &t, &e), "the trusted certificates", &e);
    buf_free(&file);
    for (size_t i = 0; i < cas.n; i++)
        free((void *)(uintptr_t)cas.list[i].der.p);
    return t;
}
