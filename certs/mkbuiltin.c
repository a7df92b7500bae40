/*
 * mkbuiltin MANIFEST OUT.c PEM...: makes the table of built-in CAs (src/pki/builtin.h).
 *
 * Runs in the build. It takes no word of the manifest for granted: each line is checked against
 * what the product's own code reads in the PEM file beside it, so a wrong fingerprint, date, key or
 * name stops the build, as does a PEM file that no line names.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/limits.h"
#include "pki/builtin.h"
#include "pki/certfile.h"
#include "pki/dn.h"
#include "pki/pubkey.h"
#include "pki/x509.h"

#define CERTS_MAX     255 /* builtin_order has bytes */
#define OPERATORS_MAX 64
#define FIELDS        7
#define MANIFEST_MAX  (1U << 20)

struct row {
    struct cert *cert;
    uint64_t subject_hash;
    size_t order; /* line of the manifest among those with certificates */
    size_t operator;
};

static struct row rows[CERTS_MAX];
static size_t row_count;
static struct slice operators[OPERATORS_MAX]; /* of the manifest's text */
static size_t operator_count;
static struct slice version;

static _Noreturn void die(const char *where, const char *what)
{
    fprintf(stderr, "mkbuiltin: %s: %s\n", where, what);
    exit(1);
}

static struct buf read_file(const char *path, size_t max)
{
    FILE *f = fopen(path, "rb");
    struct buf content;
    uint8_t *p = NULL;

    if (f == NULL)
        die(path, "cannot be read");
    buf_init(&content, max);
    if (is_err(buf_reserve(&content, max, &p)))
        die(path, "is too large for the memory");
    buf_commit(&content, fread(p, 1, max, f));
    if (ferror(f) || !feof(f))
        die(path, "cannot be read, or is too large");
    fclose(f);
    return content;
}

/* --- checks --- */

static struct result keep(void *arg, struct slice der, struct errinfo *e)
{
    struct row *row = arg;

    if (row->cert != NULL)
        return fail(e, ERR_INVALID, "there is more than one certificate");
    return cert_parse(der, &row->cert, e);
}

static void check_text(const char *file, const char *field, struct slice said, const char *is)
{
    if (!slice_eq_str(said, is)) {
        fprintf(stderr, "mkbuiltin: %s: the manifest says %s '%.*s', the file has '%s'\n", file,
                field, SLICE_FMT(said), is);
        exit(1);
    }
}

/* The row's certificate against FIELDS: file, operator, subject, SHA-256, key, notAfter, source. */
static void check_row(const char *file, const struct row *row, const struct slice *fields)
{
    uint8_t sha256[HASH_SHA256_SIZE];
    char text[1024];
    time_t not_after = (time_t)cert_not_after(row->cert);
    const struct certfields *c = cert_fields(row->cert);
    struct tm tm;

    cert_sha256(row->cert, sha256);
    hash_hex(slice_of(sha256, sizeof(sha256)), text);
    check_text(file, "SHA-256", fields[3], text);
    cert_subject_text(row->cert, text, sizeof(text));
    check_text(file, "subject", fields[2], text);
    cert_key_text(row->cert, text, sizeof(text));
    check_text(file, "key", fields[4], text);
    if (gmtime_r(&not_after, &tm) == NULL ||
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        die(file, "has an impossible date");
    check_text(file, "notAfter", fields[5], text);
    if (!c->is_ca)
        die(file, "is not a CA");
    if (!sig_check(c->algorithm, c->tbs, c->signature, c->key))
        die(file, "has a wrong signature");
    for (size_t i = 0; i < row_count; i++)
        if (slice_eq(cert_der(rows[i].cert), cert_der(row->cert)))
            die(file, "is there twice");
}

/* --- reading --- */

static size_t operator_index(struct slice name)
{
    for (size_t i = 0; i < operator_count; i++)
        if (slice_eq(operators[i], name))
            return i;
    if (operator_count == OPERATORS_MAX)
        die("manifest", "too many operators");
    operators[operator_count] = name;
    return operator_count++;
}

static const char *find_file(struct slice name, char **files, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *slash = strrchr(files[i], '/');

        if (slice_eq_str(name, slash != NULL ? slash + 1 : files[i]))
            return files[i];
    }
    fprintf(stderr, "mkbuiltin: the manifest names %.*s, which is not there\n", SLICE_FMT(name));
    exit(1);
}

static void read_row(struct slice line, char **files, size_t n)
{
    struct slice fields[FIELDS];
    struct errinfo e = ERRINFO_INIT;
    struct row *row = &rows[row_count];
    struct buf content;
    const char *file;

    for (size_t i = 0; i < FIELDS; i++)
        fields[i] = slice_cut(&line, '\t');
    if (fields[FIELDS - 1].n == 0 || line.n != 0)
        die("manifest", "a line does not have seven fields");
    if (row_count == CERTS_MAX)
        die("manifest", "too many certificates");
    file = find_file(fields[0], files, n);
    content = read_file(file, LIMIT_CERT_FILE_BYTES);
    if (is_err(certfile_each(buf_slice(&content), keep, row, &e)))
        die(file, e.text);
    buf_free(&content);
    check_row(file, row, fields);
    row->subject_hash = dn_hash(cert_subject(row->cert));
    row->operator= operator_index(fields[1]);
    row->order = row_count++;
}

static void read_manifest(struct slice text, char **files, size_t n)
{
    const struct slice version_mark = SLICE_LIT("# version\t");

    while (text.n > 0) {
        struct slice line = slice_cut(&text, '\n');

        if (slice_starts(line, version_mark))
            version = slice_from(line, version_mark.n);
        else if (line.n > 0 && line.p[0] != '#')
            read_row(line, files, n);
    }
    if (version.n == 0)
        die("manifest", "does not say which version it is");
    if (row_count != n)
        die("manifest", "there are PEM files that it does not name");
}

/* --- writing --- */

static int by_hash(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    if (x->subject_hash != y->subject_hash)
        return x->subject_hash < y->subject_hash ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

static void write_entries(FILE *out)
{
    size_t at = 0;

    fprintf(out, "const uint32_t builtin_count = %zu;\n\n", row_count);
    fprintf(out, "const struct builtin_entry builtin_entries[] = {\n");
    for (size_t i = 0; i < row_count; i++) {
        struct slice der = cert_der(rows[i].cert), key_id = cert_subject_key_id(rows[i].cert);
        size_t key_id_at = key_id.n > 0 ? (size_t)(key_id.p - der.p) : 0;

        if (der.n > UINT16_MAX || key_id.n > UINT8_MAX)
            die("a certificate", "is too large for the table");
        fprintf(out, "    {0x%016" PRIx64 ", %zu, %zu, %zu, %zu, %zu},\n", rows[i].subject_hash, at,
                der.n, key_id_at, key_id.n, rows[i].operator);
        at += der.n;
    }
    fprintf(out, "};\n\n");
}

static void write_order(FILE *out)
{
    fprintf(out, "const uint8_t builtin_order[] = {");
    for (size_t order = 0; order < row_count; order++)
        for (size_t i = 0; i < row_count; i++)
            if (rows[i].order == order)
                fprintf(out, "%zu,", i);
    fprintf(out, "};\n\n");
}

static void write_operators(FILE *out)
{
    size_t at = 0;

    fprintf(out, "const uint16_t builtin_operator_at[] = {");
    for (size_t i = 0; i < operator_count; i++) {
        fprintf(out, "%zu,", at);
        at += operators[i].n + 1;
    }
    fprintf(out, "};\n\nconst char builtin_operators[] =\n");
    for (size_t i = 0; i < operator_count; i++)
        fprintf(out, "    \"%.*s\\0\"\n", SLICE_FMT(operators[i]));
    fprintf(out, "    ;\n\nconst char builtin_version[] = \"%.*s\";\n\n", SLICE_FMT(version));
}

static void write_der(FILE *out)
{
    fprintf(out, "const uint8_t builtin_der[] = {\n");
    for (size_t i = 0; i < row_count; i++) {
        struct slice der = cert_der(rows[i].cert);

        for (size_t k = 0; k < der.n; k++)
            fprintf(out, "%u,%s", der.p[k], k % 24 == 23 || k + 1 == der.n ? "\n" : "");
    }
    fprintf(out, "};\n");
}

int main(int argc, char **argv)
{
    struct buf manifest;
    FILE *out;

    if (argc < 4) {
        fprintf(stderr, "usage: mkbuiltin MANIFEST OUT.c PEM...\n");
        return 2;
    }
    manifest = read_file(argv[1], MANIFEST_MAX);
    read_manifest(buf_slice(&manifest), argv + 3, (size_t)argc - 3);
    qsort(rows, row_count, sizeof(rows[0]), by_hash);

    out = fopen(argv[2], "w");
    if (out == NULL)
        die(argv[2], "cannot be written");
    fprintf(out,
            "/* The built-in CAs. Made by certs/mkbuiltin. */\n#include \"pki/builtin.h\"\n\n");
    write_entries(out);
    write_order(out);
    write_operators(out);
    write_der(out);
    if (fclose(out) != 0)
        die(argv[2], "cannot be written");

    for (size_t i = 0; i < row_count; i++)
        cert_unref(rows[i].cert);
    buf_free(&manifest);
    return 0;
}
