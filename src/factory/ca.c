#include "factory/ca.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mbedtls/pk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "factory/factory.h"
#include "factory/issued.h"
#include "factory/validity.h"
#include "pki/pem.h"
#include "pki/pkcs8.h"
#include "pki/pubkey.h"
#include "sys/store.h"

/* How often a CA's password is hashed: under a second of a PC's time, once a run. */
#define PASSWORD_ITERATIONS 600000

#define PEM_MAX 65536

/* --- making: a certificate and its key --- */

struct authority {
    mbedtls_pk_context key;
    struct cert *cert; /* NULL: not made yet */
    struct buf key_pem, cert_pem;
};

static void authority_init(struct authority *a)
{
    mbedtls_pk_init(&a->key);
    a->cert = NULL;
    buf_init(&a->key_pem, PEM_MAX);
    buf_init(&a->cert_pem, PEM_MAX);
}

static void authority_free(struct authority *a)
{
    mbedtls_pk_free(&a->key); /* wipes it */
    cert_unref(a->cert);
    buf_wipe(&a->key_pem);
    buf_free(&a->cert_pem);
}

static struct result make_key(struct authority *a, const struct ca_plan *plan,
                              const struct rng *rng, struct errinfo *e)
{
    TRY(pkcs8_new_key(plan->rsa_bits, rng, &a->key, e));
    return plan->password.n > 0 ? pkcs8_write_encrypted(&a->key, plan->password,
                                                        PASSWORD_ITERATIONS, rng, &a->key_pem, e)
                                : pkcs8_write(&a->key, &a->key_pem, e);
}

static struct result sign(struct authority *a, struct issue_request *q, struct authority *issuer,
                          const struct rng *rng, struct errinfo *e)
{
    const struct issue_signer signer = {issuer != NULL ? cert_fields(issuer->cert) : NULL,
                                        issuer != NULL ? &issuer->key : &a->key};
    struct buf der, spki;

    buf_init(&der, LIMIT_CERT_BYTES);
    buf_init(&spki, LIMIT_CERT_BYTES);
    struct result r = pkcs8_public(&a->key, &spki, e);
    q->key = buf_slice(&spki);
    if (is_ok(r))
        r = issue_certificate(q, &signer, rng, &der, e);
    if (is_ok(r))
        r = cert_parse(buf_slice(&der), &a->cert, e);
    if (is_ok(r) && is_err(pem_write("CERTIFICATE", buf_slice(&der), &a->cert_pem)))
        r = fail(e, ERR_NOMEM, "out of memory");
    buf_free(&der);
    buf_free(&spki);
    return r;
}

/* A root's certificate, or, below ISSUER, that of an issuing CA. */
static struct result make(struct authority *a, const struct ca_plan *plan, struct authority *issuer,
                          const struct rng *rng, struct errinfo *e)
{
    const bool root = issuer == NULL;
    const struct validity_wish wish = {
        plan->now_s, root ? plan->years : validity_issuing_years(plan->years), plan->no_end};
    struct validity v;
    char name[4 * ISSUE_NAME_MAX + 32];

    (void)snprintf(name, sizeof name, "%s %s CA", plan->organization, root ? "Root" : "Issuing");
    TRY(validity_make(&wish, issuer == NULL ? NULL : cert_fields(issuer->cert), &v, e));
    struct issue_request q = {.kind = root ? ISSUE_ROOT : ISSUE_ISSUING,
                              .common_name = name,
                              .organization = plan->organization,
                              .not_before_s = v.not_before_s,
                              .not_after_s = v.not_after_s};
    TRY(make_key(a, plan, rng, e));
    return sign(a, &q, issuer, rng, e);
}

/* --- making: the directory --- */

static struct result write_file(const char *dir, const char *name, mode_t mode,
                                struct slice content, struct errinfo *e)
{
    char *path = factory_path(dir, name, "");
    const struct result r =
        path == NULL ? fail(e, ERR_NOMEM, "out of memory") : store_write(path, mode, content, e);

    free(path);
    return r;
}

static struct result write_record(const char *dir, const struct authority *root,
                                  const struct authority *issuing, struct errinfo *e)
{
    struct buf rows;

    buf_init(&rows, PEM_MAX);
    struct result r = issued_row(root->cert, &rows, e);
    if (is_ok(r))
        r = issued_row(issuing->cert, &rows, e);
    if (is_ok(r))
        r = issued_append(dir, &rows, e);
    buf_free(&rows);
    return r;
}

static struct result write_files(const char *dir, const struct authority *root,
                                 const struct authority *issuing, struct errinfo *e)
{
    TRY(write_file(dir, "root.key", 0600, buf_slice(&root->key_pem), e));
    TRY(write_file(dir, "issuing.key", 0600, buf_slice(&issuing->key_pem), e));
    TRY(write_file(dir, "root.pem", 0644, buf_slice(&root->cert_pem), e));
    TRY(write_file(dir, "issuing.pem", 0644, buf_slice(&issuing->cert_pem), e));
    return write_record(dir, root, issuing, e);
}

static void remove_files(const char *dir)
{
    static const char *const names[] = {"root.key", "issuing.key", "root.pem", "issuing.pem",
                                        ISSUED_FILE};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *path = factory_path(dir, names[i], "");
        if (path != NULL)
            (void)unlink(path);
        free(path);
    }
    (void)rmdir(dir);
}

static struct result sync_parent(const char *dir, struct errinfo *e)
{
    char *parent = factory_path(dir, "..", "");
    const int fd = parent != NULL ? open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    const bool synced = fd >= 0 && fsync(fd) == 0;
    const int error = errno;

    if (fd >= 0)
        (void)close(fd);
    free(parent);
    return synced ? OK : fail_errno(e, error, "cannot sync the directory that %s is in", dir);
}

static struct result refuse_to_overwrite(const char *dir, struct errinfo *e)
{
    return fail(e, ERR_EXISTS, "%s is there already, and no CA is ever overwritten", dir);
}

/* rename(2) puts a directory in the place of an empty one, and of nothing else. */
static struct result put_in_place(const char *made, const char *dir, struct errinfo *e)
{
    if (rename(made, dir) == 0)
        return sync_parent(dir, e);
    if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR)
        return refuse_to_overwrite(dir, e);
    return fail_errno(e, errno, "cannot make %s", dir);
}

/* DIR without slashes at its end, and with the X's of mkdtemp(3) instead. */
static char *template_of(const char *dir, size_t length)
{
    char *path = malloc(length + sizeof ".XXXXXX");

    if (path != NULL) {
        memcpy(path, dir, length);
        memcpy(path + length, ".XXXXXX", sizeof ".XXXXXX");
    }
    return path;
}

static struct result write_ca(const char *dir, const struct authority *root,
                              const struct authority *issuing, struct errinfo *e)
{
    size_t length = strlen(dir);

    while (length > 1 && dir[length - 1] == '/')
        length--;
    char *made = template_of(dir, length);
    if (made == NULL)
        return fail(e, ERR_NOMEM, "out of memory");
    struct result r = mkdtemp(made) != NULL ? write_files(made, root, issuing, e)
                                            : fail_errno(e, errno, "cannot make %s", dir);
    if (is_ok(r))
        r = put_in_place(made, dir, e);
    if (is_err(r))
        remove_files(made); /* which is nothing once it has its name */
    free(made);
    return r;
}

static bool is_empty(DIR *d)
{
    const struct dirent *entry;

    /* cppcheck-suppress readdirCalled ; one thread, and glibc deprecates readdir_r() */
    while ((entry = readdir(d)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            return false;
    return true;
}

/* Before minutes are spent on keys; put_in_place() is what is sure. */
static struct result check_place(const char *dir, struct errinfo *e)
{
    DIR *d = opendir(dir);
    bool taken = d == NULL && errno == ENOTDIR;

    if (d != NULL) {
        taken = !is_empty(d);
        (void)closedir(d);
    }
    return taken ? refuse_to_overwrite(dir, e) : OK;
}

struct result ca_create(const struct ca_plan *plan, const struct rng *rng, struct errinfo *e)
{
    struct authority root, issuing;

    TRY(check_place(plan->dir, e));
    authority_init(&root);
    authority_init(&issuing);
    struct result r = make(&root, plan, NULL, rng, e);
    if (is_ok(r))
        r = make(&issuing, plan, &root, rng, e);
    if (is_ok(r))
        r = write_ca(plan->dir, &root, &issuing, e);
    authority_free(&root);
    authority_free(&issuing);
    return r;
}

/* --- using --- */

static struct result load(struct ca *ca, struct slice password, const struct rng *rng,
                          const char *cert_path, const char *key_path, struct errinfo *e)
{
    struct buf cert, key;

    buf_init(&key, 0);
    struct result r = factory_read(cert_path, &cert, e);
    if (is_ok(r))
        r = factory_read_secret(key_path, &key, e);
    if (is_ok(r)) {
        r = identity_load_patiently(buf_slice(&cert), buf_slice(&key), password, rng, &ca->identity,
                                    e);
        if (is_err(r))
            errinfo_context(e, "%s", key_path);
    }
    buf_free(&cert);
    buf_wipe(&key);
    return r;
}

struct result ca_open(const char *dir, struct slice password, const struct rng *rng, struct ca *out,
                      struct errinfo *e)
{
    char *cert_path = factory_path(dir, "issuing.pem", "");
    char *key_path = factory_path(dir, "issuing.key", "");
    struct result r;

    *out = (struct ca){.dir = dir};
    if (cert_path != NULL && key_path != NULL)
        r = load(out, password, rng, cert_path, key_path, e);
    else
        r = fail(e, ERR_NOMEM, "out of memory");
    if (is_ok(r) && !cert_fields(identity_leaf(out->identity))->is_ca) {
        r = fail(e, ERR_INVALID, "%s is not the certificate of a CA", cert_path);
        ca_close(out);
    }
    free(cert_path);
    free(key_path);
    return r;
}

void ca_close(struct ca *ca)
{
    identity_unref(ca->identity);
    ca->identity = NULL;
}

struct issue_signer ca_signer(const struct ca *ca)
{
    return (struct issue_signer){cert_fields(identity_leaf(ca->identity)),
                                 identity_mbedtls_key(ca->identity)};
}

bool ca_is_rsa(const struct ca *ca)
{
    return pubkey_read(cert_fields(identity_leaf(ca->identity))->key).type == PUBKEY_RSA;
}
