#include "ctl/material.h"

#include <stdlib.h>

#include "base/limits.h"
#include "pki/certfile.h"
#include "pki/der.h"
#include "pki/pem.h"
#include "sys/store.h"

void material_free(struct material *m)
{
    for (size_t i = 0; i < m->count; i++)
        free((void *)(uintptr_t)m->list[i].p);
    free(m->list);
    *m = (struct material){NULL, 0};
}

static RESULT append(struct material *m, struct slice der, struct errinfo *e)
{
    struct slice *list = realloc(m->list, (m->count + 1) * sizeof *list);

    if (list == NULL)
        return fail(e, ERR_NOMEM, "out of memory");
    m->list = list;
    uint8_t *copy = slice_dup(der);
    if (copy == NULL)
        return fail(e, ERR_NOMEM, "out of memory");
    list[m->count++] = (struct slice){copy, der.n};
    return OK;
}

/* --- whole files of blocks --- */

/* Reads PATH, and hands what is in it to READ; the error says which file. */
typedef struct result read_fn(struct slice content, struct material *m, struct errinfo *e);

static RESULT read_file(const char *path, read_fn *read, struct material *m, struct errinfo *e)
{
    struct buf content;

    buf_init(&content, LIMIT_CERT_FILE_BYTES);
    struct result r = store_read(path, &content, e);
    if (is_ok(r)) {
        r = read(buf_slice(&content), m, e);
        if (is_err(r))
            errinfo_context(e, "%s", path);
    }
    buf_free(&content);
    return r;
}

/* The PEM blocks of LABEL, or the whole content where it is DER. */
static RESULT read_blocks(struct slice content, const char *label, struct material *m,
                          struct errinfo *e)
{
    struct pem_reader at = pem_begin(content);
    struct pem_block block;
    struct result r;

    if (content.n > 0 && content.p[0] == DER_SEQUENCE &&
        slice_find_slice(content, SLICE_LIT("-----BEGIN ")) == content.n)
        return append(m, content, e);
    while (is_ok(r = pem_next(&at, &block, e))) {
        struct buf der;
        if (!pem_label_is(&block, label))
            continue;
        buf_init(&der, LIMIT_CERT_FILE_BYTES);
        r = pem_decode(&block, &der, e);
        if (is_ok(r))
            r = append(m, buf_slice(&der), e);
        buf_free(&der);
        TRY(r);
    }
    return r.code == ERR_NOT_FOUND ? OK : r;
}

static struct result read_chain(struct slice content, struct material *m, struct errinfo *e)
{
    const size_t before = m->count;

    TRY(read_blocks(content, "CERTIFICATE", m, e));
    return m->count > before ? OK : fail(e, ERR_NOT_FOUND, "there is no certificate in the file");
}

RESULT material_read_chain(const char *path, struct material *m, struct errinfo *e)
{
    return read_file(path, read_chain, m, e);
}

static struct result read_crls(struct slice content, struct material *m, struct errinfo *e)
{
    const size_t before = m->count;

    TRY(read_blocks(content, "X509 CRL", m, e));
    return m->count > before ? OK
                             : fail(e, ERR_NOT_FOUND, "there is no revocation list in the file");
}

RESULT material_read_crls(const char *path, struct material *m, struct errinfo *e)
{
    return read_file(path, read_crls, m, e);
}

static struct result add_trusted(void *arg, struct slice der, struct errinfo *e)
{
    return append(arg, der, e);
}

struct result material_add_trusted(struct slice content, struct material *m, struct errinfo *e)
{
    return certfile_each(content, add_trusted, m, e);
}

RESULT material_read_trusted(const char *path, struct material *m, struct errinfo *e)
{
    return read_file(path, material_add_trusted, m, e);
}

/* --- what is made of them --- */

RESULT material_trust(const struct material *m, trust_refused_fn *refused, struct trust **out,
                      struct errinfo *e)
{
    struct trust_custom *custom = calloc(m->count + 1, sizeof *custom);

    if (custom == NULL)
        return fail(e, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < m->count; i++)
        custom[i] = (struct trust_custom){"trusted certificate", m->list[i]};
    const struct result r = trust_new_large(custom, m->count, refused, NULL, out, e);
    free(custom);
    return r;
}

RESULT material_crls(const struct material *m, struct crl **out, struct errinfo *e)
{
    struct crl *list = calloc(m->count > 0 ? m->count : 1, sizeof *list);

    if (list == NULL)
        return fail(e, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < m->count; i++) {
        const struct result r = crl_read(m->list[i], &list[i], e);
        if (is_err(r)) {
            free(list);
            return r;
        }
    }
    *out = list;
    return OK;
}
