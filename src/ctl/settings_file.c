#include "ctl/settings_file.h"

#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"
#include "control/weburl.h"
#include "pki/pem.h"

static RESULT said(struct result r, struct errinfo *e)
{
    if (r.code == ERR_LIMIT)
        return fail(e, ERR_LIMIT,
                    "a settings file can have at most %d bytes: publish the "
                    "certificates, and use --url",
                    LIMIT_SETTINGS_BYTES);
    return is_ok(r) ? r : fail(e, r.code, "%s", err_text(r.code));
}

RESULT settings_file_begin(struct buf *out, struct errinfo *e)
{
    return said(buf_append_str(out, "#!version:1.0.0.1\n"), e);
}

RESULT settings_file_put(struct buf *out, const char *key, struct slice value, struct errinfo *e)
{
    if (strlen(key) + strlen(" = ") + value.n > LIMIT_SETTINGS_LINE)
        return fail(e, ERR_LIMIT,
                    "it does not fit into a line of settings, which has at most %d "
                    "bytes: publish the file, and use --url",
                    LIMIT_SETTINGS_LINE);
    TRY(said(buf_printf(out, "%s = ", key), e));
    TRY(said(buf_append(out, value), e));
    return said(buf_append_str(out, "\n"), e);
}

RESULT settings_file_comment(struct buf *out, const struct cert *cert, struct errinfo *e)
{
    char name[LIMIT_TEXT], until[CLOCK_ISO_SIZE], hex[HASH_HEX_SIZE(HASH_SHA256_SIZE)];
    uint8_t sha256[HASH_SHA256_SIZE];

    cert_label(cert, name, sizeof name);
    clock_to_iso(cert_not_after(cert), until);
    cert_sha256(cert, sha256);
    hash_hex(slice_of(sha256, sizeof sha256), hex);
    return said(buf_printf(out, "# %s, until %.10s, SHA-256 %s\n", name, until, hex), e);
}

/* --- URLs --- */

/* Unreserved characters stay as they are (RFC 3986 section 2.3), others become %XX. In the data of
 * a data: URL (RFC 2397) those that Base64 and PEM are made of stay, too. */
static RESULT put_encoded(struct buf *to, struct slice text, const char *also)
{
    for (size_t i = 0; i < text.n; i++) {
        const char c = (char)text.p[i];
        const bool plain = isalnum((unsigned char)c) != 0 ||
                           (c != '\0' && (strchr("-._~", c) != NULL || strchr(also, c) != NULL));
        TRY(plain ? buf_append(to, slice_of(&c, 1)) : buf_printf(to, "%%%02X", (unsigned char)c));
    }
    return OK;
}

static RESULT put_value(struct buf *out, const char *key, struct buf *value, struct result made,
                        struct errinfo *e)
{
    struct result r = said(made, e);

    if (is_ok(r))
        r = settings_file_put(out, key, buf_slice(value), e);
    buf_wipe(value);
    return r;
}

static RESULT make_cert_url(struct buf *to, const char *name, const struct cert *cert)
{
    TRY(buf_append_str(to, "data:application/pkix-cert;name="));
    TRY(put_encoded(to, slice_of_str(name), ""));
    TRY(buf_append_str(to, ";base64,"));
    return pem_encode(cert_der(cert), to);
}

RESULT settings_file_put_cert(struct buf *out, const char *name, const struct cert *cert,
                              struct errinfo *e)
{
    struct buf url;

    buf_init(&url, LIMIT_SETTINGS_BYTES);
    const struct result made = make_cert_url(&url, name, cert);
    return put_value(out, "static.trusted_certificates.url", &url, made, e);
}

/* As text: in Base64 it would be a third longer, for most of PEM is Base64 already. */
static RESULT make_identity_url(struct buf *to, const char *name, struct slice pem)
{
    TRY(buf_append_str(to, "data:application/x-pem-file;name="));
    TRY(put_encoded(to, slice_of_str(name), ""));
    TRY(buf_append_str(to, ","));
    return put_encoded(to, pem, "+/=");
}

RESULT settings_file_put_identity(struct buf *out, const char *name, const struct identity *id,
                                  struct errinfo *e)
{
    struct buf pem, url;

    buf_init(&pem, LIMIT_SETTINGS_BYTES);
    buf_init(&url, LIMIT_SETTINGS_BYTES);
    struct result r = identity_write(id, &pem, e);
    if (is_ok(r)) {
        r = make_identity_url(&url, name, buf_slice(&pem));
        r = put_value(out, "static.server_certificates.url", &url, r, e);
    }
    buf_wipe(&pem);
    return r;
}

static RESULT make_url(struct buf *to, const char *base, const char *name)
{
    struct slice directory = slice_of_str(base);

    while (slice_ends(directory, SLICE_LIT("/")))
        directory.n--;
    TRY(buf_append(to, directory));
    TRY(buf_append_str(to, "/"));
    return put_encoded(to, slice_of_str(name), "");
}

static RESULT check_url(struct buf *text, struct errinfo *e)
{
    const char *s = buf_str(text);
    struct weburl url;

    if (s == NULL)
        return fail(e, ERR_NOMEM, "out of memory");
    TRY(weburl_parse(s, &url, e));
    weburl_clear(&url);
    return OK;
}

RESULT settings_file_put_url(struct buf *out, const char *key, const char *base, const char *name,
                             struct errinfo *e)
{
    struct buf url;

    if (strpbrk(base, "?#") != NULL)
        return fail(e, ERR_INVALID, "%s is not the URL of a directory", base);
    buf_init(&url, LIMIT_SETTINGS_BYTES);
    struct result r = make_url(&url, base, name);
    if (is_ok(r))
        r = check_url(&url, e);
    return put_value(out, key, &url, r, e);
}

RESULT settings_file_put_delete(struct buf *out, const char *key, const char *name,
                                struct errinfo *e)
{
    struct buf url;

    buf_init(&url, LIMIT_SETTINGS_BYTES);
    struct result r = buf_append_str(&url, "http://localhost/");
    if (is_ok(r))
        r = put_encoded(&url, slice_of_str(name), "");
    return put_value(out, key, &url, r, e);
}
