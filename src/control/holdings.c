#include "control/holdings.h"

#include <stdio.h>
#include <string.h>

#include "pki/certfile.h"
#include "pki/pem.h"

#define PREFIX SLICE_LIT("ca.")
#define SUFFIX SLICE_LIT(".pem")

/* --- the value --- */

void holdings_copy(struct holdings *dst, const struct holdings *src)
{
    *dst = *src;
    for (size_t i = 0; i < dst->count; i++)
        (void)cert_ref(dst->cas[i].cert);
    if (dst->identity != NULL)
        (void)identity_ref(dst->identity);
}

void holdings_clear(struct holdings *h)
{
    for (size_t i = 0; i < h->count; i++)
        cert_unref(h->cas[i].cert);
    identity_unref(h->identity);
    *h = (struct holdings){0};
}

static bool same_cert(const struct cert *a, const struct cert *b)
{
    return a == b || slice_eq(cert_der(a), cert_der(b));
}

bool holdings_same_cas(const struct holdings *a, const struct holdings *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->cas[i].upload, b->cas[i].upload) != 0 ||
            !same_cert(a->cas[i].cert, b->cas[i].cert))
            return false;
    return true;
}

/* The key is the leaf's, so it need not be looked at. */
bool holdings_same_identity(const struct holdings *a, const struct holdings *b)
{
    return identity_same(a->identity, b->identity);
}

RESULT holdings_add(struct holdings *h, const char *upload, struct cert *cert, struct errinfo *e)
{
    size_t at = h->count;

    if (h->count == LIMIT_CUSTOM_CAS)
        return fail(e, ERR_LIMIT, "no more than %d custom certificates are kept", LIMIT_CUSTOM_CAS);
    while (at > 0 && strcmp(h->cas[at - 1].upload, upload) > 0)
        at--;
    memmove(&h->cas[at + 1], &h->cas[at], (h->count - at) * sizeof h->cas[0]);
    (void)snprintf(h->cas[at].upload, sizeof h->cas[at].upload, "%s", upload);
    h->cas[at].cert = cert_ref(cert);
    h->count++;
    return OK;
}

void holdings_remove(struct holdings *h, size_t i)
{
    cert_unref(h->cas[i].cert);
    h->count--;
    memmove(&h->cas[i], &h->cas[i + 1], (h->count - i) * sizeof h->cas[0]);
}

bool holdings_has_upload(const struct holdings *h, const char *upload)
{
    for (size_t i = 0; i < h->count; i++)
        if (strcmp(h->cas[i].upload, upload) == 0)
            return true;
    return false;
}

void holdings_name(const struct holdings *h, const char *wanted, char out[IMPORT_NAME_MAX + 1])
{
    (void)snprintf(out, IMPORT_NAME_MAX + 1, "%s", wanted);
    for (unsigned n = 2; holdings_has_upload(h, out); n++) /* of ten uploads, one has no twin */
        (void)snprintf(out, IMPORT_NAME_MAX + 1, "%.*s-%u", IMPORT_NAME_MAX - 4, wanted, n);
}

static void left_out(void *arg, const char *name, const struct errinfo *why)
{
    struct errinfo *e = arg;

    IGNORE(fail(e, why->code, "%s: %s", name, why->text)); /* the first one is told */
}

RESULT holdings_trust(const struct holdings *h, struct trust **out, struct errinfo *e)
{
    struct trust_custom custom[LIMIT_CUSTOM_CAS];
    struct errinfo missing = ERRINFO_INIT;

    for (size_t i = 0; i < h->count; i++)
        custom[i] = (struct trust_custom){h->cas[i].upload, cert_der(h->cas[i].cert)};
    TRY(trust_new(custom, h->count, left_out, &missing, out, e));
    if (missing.code == ERR_OK)
        return OK;
    trust_unref(*out); /* all were read before: memory is short */
    return fail(e, missing.code, "%s", missing.text);
}

/* --- reading --- */

bool holdings_is_upload(const char *file, char name[IMPORT_NAME_MAX + 1])
{
    const struct slice s = slice_of_str(file);

    if (!slice_starts(s, PREFIX) || !slice_ends(s, SUFFIX) || s.n <= PREFIX.n + SUFFIX.n)
        return false;
    return slice_to_str(slice_of(s.p + PREFIX.n, s.n - PREFIX.n - SUFFIX.n), name,
                        IMPORT_NAME_MAX + 1);
}

struct reading {
    struct holdings *h;
    const char *name;
};

static struct result add_der(void *arg, struct slice der, struct errinfo *e)
{
    const struct reading *r = arg;
    struct cert *cert;

    TRY(cert_parse(der, &cert, e));
    const struct result added = holdings_add(r->h, r->name, cert, e);
    cert_unref(cert);
    return added;
}

RESULT holdings_read_upload(struct holdings *h, const char *name, struct slice content,
                            struct errinfo *e)
{
    struct holdings with;
    struct reading reading = {&with, name};

    holdings_copy(&with, h);
    const struct result r = certfile_each(content, add_der, &reading, e);
    if (is_err(r)) {
        holdings_clear(&with);
        return r;
    }
    holdings_clear(h);
    *h = with;
    return OK;
}

RESULT holdings_read_identity(struct holdings *h, struct slice content, const struct rng *rng,
                              struct errinfo *e)
{
    struct identity *id;

    TRY(identity_load(content, SLICE_EMPTY, SLICE_EMPTY, rng, &id, e));
    identity_unref(h->identity);
    h->identity = id;
    return OK;
}

/* --- writing --- */

/* The next file, empty. */
static RESULT next_file(struct holdings_files *f, const char *name, struct holdings_file **out,
                        struct errinfo *e)
{
    if (f->count == LIMIT_GENERATION_FILES)
        return fail(e, ERR_LIMIT, "there are more than %d files to keep", LIMIT_GENERATION_FILES);
    *out = &f->list[f->count];
    if (!slice_to_str(slice_of_str(name), (*out)->name, sizeof(*out)->name))
        return fail(e, ERR_INVALID, "'%s' is too long a name for a file", name);
    buf_init(&(*out)->content, LIMIT_GENERATION_BYTES);
    f->count++;
    return OK;
}

RESULT holdings_files_add(struct holdings_files *f, const char *name, struct slice content,
                          struct errinfo *e)
{
    struct holdings_file *file;

    TRY(next_file(f, name, &file, e));
    return is_ok(buf_append(&file->content, content)) ? OK
                                                      : fail(e, ERR_NOMEM, "no memory for a file");
}

/* The certificates from number *I on that came with the same upload. */
static RESULT write_upload(const struct holdings *h, size_t *i, struct holdings_files *out,
                           struct errinfo *e)
{
    const char *upload = h->cas[*i].upload;
    char name[sizeof "ca..pem" + IMPORT_NAME_MAX];
    struct holdings_file *file;

    (void)snprintf(name, sizeof name, "ca.%s.pem", upload);
    TRY(next_file(out, name, &file, e));
    for (; *i < h->count && strcmp(h->cas[*i].upload, upload) == 0; (*i)++)
        if (is_err(pem_write("CERTIFICATE", cert_der(h->cas[*i].cert), &file->content)))
            return fail(e, ERR_NOMEM, "no memory for a file of certificates");
    return OK;
}

static RESULT write_identity(const struct identity *id, struct holdings_files *out,
                             struct errinfo *e)
{
    struct holdings_file *file;

    TRY(next_file(out, HOLDINGS_IDENTITY, &file, e));
    return identity_write(id, &file->content, e);
}

RESULT holdings_write(const struct holdings *h, struct holdings_files *out, struct errinfo *e)
{
    for (size_t i = 0; i < h->count;)
        TRY(write_upload(h, &i, out, e));
    return h->identity != NULL ? write_identity(h->identity, out, e) : OK;
}

void holdings_files_clear(struct holdings_files *f)
{
    for (size_t i = 0; i < f->count; i++)
        buf_wipe(&f->list[i].content);
    f->count = 0;
}
