#include "pki/certfile.h"

#include "base/limits.h"
#include "pki/der.h"
#include "pki/pem.h"

/* --- what a DER structure is --- */

enum kind {
    KIND_CERTIFICATE,
    KIND_REQUEST,
    KIND_CRL,
    KIND_PRIVATE_KEY,
    KIND_PUBLIC_KEY,
    KIND_PKCS7,
    KIND_PKCS12,
    KIND_NOTHING,
    KIND_UNKNOWN,
};

/* What a file without certificates has instead: the end of a sentence. */
static const char *const kind_text[] = {
    [KIND_REQUEST] = "a certificate request: send it to the CA, and take what comes back",
    [KIND_CRL] = "a revocation list",
    [KIND_PRIVATE_KEY] = "a private key",
    [KIND_PUBLIC_KEY] = "a public key",
    [KIND_NOTHING] = "a block that is empty",
    [KIND_UNKNOWN] = "something else",
};

/* The tag of the N-th element of S, from 0; 0 if there is none. */
static uint8_t tag_at(struct slice s, size_t n)
{
    struct der_item item = {0};

    do {
        if (!der_next(&s, &item))
            return 0;
    } while (n-- > 0);
    return item.tag;
}

/* SEQUENCE { to be signed, algorithm, signature }: which of the three it is. */
static enum kind signed_kind(struct slice tbs)
{
    struct slice version, second;

    if (tag_at(tbs, 0) == DER_CONTEXT_CONSTRUCTED(0))
        return KIND_CERTIFICATE;
    if (tag_at(tbs, 0) == DER_SEQUENCE)
        return KIND_CRL; /* of version 1, which begins with the algorithm */
    if (!der_take(&tbs, DER_INTEGER, &version) || !der_take(&tbs, DER_SEQUENCE, &second))
        return KIND_UNKNOWN;
    if (tag_at(second, 0) != DER_OID) /* a name where the others have the algorithm */
        return KIND_REQUEST;
    return tag_at(tbs, 1) == DER_SEQUENCE ? KIND_CERTIFICATE : KIND_CRL;
}

/* IN is what is inside the outermost SEQUENCE. */
static enum kind kind_of(struct slice in)
{
    struct slice inner = in;
    struct slice value;

    switch (tag_at(in, 0)) {
    case DER_OID:
        return KIND_PKCS7;
    case DER_INTEGER:
        if (der_take(&inner, DER_INTEGER, &value) && value.n == 1 && value.p[0] == 3)
            return KIND_PKCS12;
        return KIND_PRIVATE_KEY;
    case DER_SEQUENCE:
        (void)der_take(&inner, DER_SEQUENCE, &value);
        if (tag_at(value, 0) == DER_OID)
            return tag_at(in, 1) == DER_OCTET_STRING ? KIND_PRIVATE_KEY : KIND_PUBLIC_KEY;
        return signed_kind(value);
    default:
        return KIND_UNKNOWN;
    }
}

/* --- the reading --- */

struct reader {
    const struct certfile_handler *handler;
    size_t found;
    enum kind seen; /* what there was instead of a certificate; KIND_CERTIFICATE: nothing */
};

static struct result refuse_pkcs7(struct errinfo *e, bool der)
{
    return fail(e, ERR_UNSUPPORTED,
                "this is PKCS#7; convert it with: openssl pkcs7 -print_certs%s -in FILE -out "
                "NEW.pem",
                der ? " -inform DER" : "");
}

static struct result refuse_pkcs12(struct errinfo *e)
{
    return fail(e, ERR_UNSUPPORTED,
                "this is PKCS#12; convert it with: openssl pkcs12 -nodes -in FILE -out NEW.pem, "
                "and for the certificates alone add -nokeys");
}

/* The indefinite lengths of BER, which PKCS#7 and PKCS#12 of some programs have. */
static bool is_indefinite(struct slice s)
{
    return s.n >= 2 && s.p[0] == DER_SEQUENCE && s.p[1] == 0x80;
}

static struct result refuse_ber(struct slice s, bool der_file, struct errinfo *e)
{
    switch (tag_at(slice_from(s, 2), 0)) {
    case DER_OID:
        return refuse_pkcs7(e, der_file);
    case DER_INTEGER:
        return refuse_pkcs12(e);
    default:
        return fail(e, ERR_UNSUPPORTED,
                    "this is BER, not DER; convert it with: openssl x509 -in FILE -out NEW.pem");
    }
}

static struct result refuse_pkcs12_pem(struct errinfo *e)
{
    return fail(
        e, ERR_UNSUPPORTED,
        "this is PKCS#12 in Base64; convert it with: grep -v -e ----- FILE | openssl base64 "
        "-d | openssl pkcs12 -nodes -out NEW.pem, and for the certificates alone add "
        "-nokeys");
}

static struct result see_private_key(struct reader *r, struct errinfo *e)
{
    r->seen = KIND_PRIVATE_KEY;
    return r->handler->private_key != NULL ? r->handler->private_key(r->handler->arg, e) : OK;
}

static bool only_filling(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != 0 && s.p[i] != '\n' && s.p[i] != '\r' && s.p[i] != ' ')
            return false;
    return true;
}

/* One DER structure of any kind, which is WHOLE and has CONTENT in its SEQUENCE. */
static struct result read_structure(struct reader *r, struct slice whole, struct slice content,
                                    bool der_file, struct errinfo *e)
{
    enum kind kind = kind_of(content);

    switch (kind) {
    case KIND_CERTIFICATE:
        r->found++;
        return r->handler->certificate(r->handler->arg, whole, e);
    case KIND_PKCS7:
        return refuse_pkcs7(e, der_file);
    case KIND_PKCS12:
        return refuse_pkcs12(e);
    case KIND_PRIVATE_KEY:
        return see_private_key(r, e);
    case KIND_REQUEST:
    case KIND_CRL:
    case KIND_PUBLIC_KEY:
    case KIND_NOTHING:
    case KIND_UNKNOWN:
        r->seen = kind;
        break;
    }
    return OK;
}

/* One certificate after the other, as they are. What cannot be the beginning of another one is
 * passed over, as OpenSSL does it. */
static struct result read_der(struct reader *r, struct slice content, struct errinfo *e)
{
    struct slice rest = content;

    while (rest.n > 0 && rest.p[0] == DER_SEQUENCE) {
        const size_t offset = content.n - rest.n;
        struct der_item item;

        if (!der_next(&rest, &item))
            return fail(e, ERR_PARSE,
                        offset == 0 ? "the file is damaged or cut off"
                                    : "byte %zu: the certificate that begins here is cut off",
                        offset);
        const struct result res = read_structure(r, item.whole, item.value, true, e);
        if (is_err(res)) {
            if (offset > 0)
                errinfo_context(e, "byte %zu", offset);
            return res;
        }
    }
    return OK;
}

/* DECODED is what a PEM block has. What is behind the certificate means nothing here: OpenSSL puts
 * settings of its own there in a TRUSTED CERTIFICATE, others leave rubbish. */
static struct result read_decoded(struct reader *r, const struct pem_block *block,
                                  struct slice decoded, struct errinfo *e)
{
    struct slice rest = decoded;
    struct der_item item;
    struct result res;

    if (decoded.n == 0) { /* nothing was there that could be broken */
        r->seen = KIND_NOTHING;
        return OK;
    }
    if (is_indefinite(decoded))
        res = refuse_ber(decoded, false, e);
    else if (!der_next(&rest, &item) || item.tag != DER_SEQUENCE)
        res = fail(e, ERR_PARSE, "the certificate is damaged or cut off");
    else
        res = read_structure(r, item.whole, item.value, false, e);
    if (is_err(res))
        errinfo_context(e, "line %zu", block->line);
    return res;
}

/* A block that by its label is no certificate. */
static struct result read_other(struct reader *r, const struct pem_block *block, struct errinfo *e)
{
    if (pem_label_is(block, "PKCS7") || pem_label_is(block, "PKCS #7 SIGNED DATA") ||
        pem_label_is(block, "CMS"))
        return refuse_pkcs7(e, false);
    if (pem_label_is(block, "PKCS12") || pem_label_is(block, "PKCS #12"))
        return refuse_pkcs12_pem(e);
    if (slice_ends(block->label, SLICE_LIT("PRIVATE KEY"))) {
        const struct result res = see_private_key(r, e);
        if (is_err(res))
            errinfo_context(e, "line %zu", block->line);
        return res;
    }
    if (slice_ends(block->label, SLICE_LIT("PUBLIC KEY")))
        r->seen = KIND_PUBLIC_KEY;
    else if (slice_ends(block->label, SLICE_LIT("CERTIFICATE REQUEST")))
        r->seen = KIND_REQUEST;
    else if (pem_label_is(block, "X509 CRL"))
        r->seen = KIND_CRL;
    return OK;
}

static struct result read_block(struct reader *r, const struct pem_block *block, struct errinfo *e)
{
    struct buf decoded;
    struct result res;

    if (!pem_label_is(block, "CERTIFICATE") && !pem_label_is(block, "X509 CERTIFICATE") &&
        !pem_label_is(block, "TRUSTED CERTIFICATE"))
        return read_other(r, block, e);
    buf_init(&decoded, LIMIT_CERT_BYTES);
    res = pem_decode(block, &decoded, e);
    if (is_ok(res))
        res = read_decoded(r, block, buf_slice(&decoded), e);
    buf_wipe(&decoded); /* whatever the label says, it may be a private key */
    return res;
}

static struct result read_pem(struct reader *r, struct slice text, struct errinfo *e)
{
    struct pem_reader at = pem_begin(text);
    struct pem_block block;
    struct result res;

    while (is_ok(res = pem_next(&at, &block, e)))
        TRY(read_block(r, &block, e));
    return res.code == ERR_NOT_FOUND ? OK : res;
}

/* Base64 without its BEGIN and END lines, as some programs call DER "in Base64". */
static struct result read_base64(struct reader *r, struct slice text, struct errinfo *e)
{
    const struct pem_block block = {.base64 = text, .line = 1, .base64_line = 1};
    struct buf decoded;
    struct result res = OK;

    buf_init(&decoded, LIMIT_CERT_BYTES);
    if (is_ok(pem_decode(&block, &decoded, NULL)))
        res = read_decoded(r, &block, buf_slice(&decoded), e);
    buf_free(&decoded);
    return res;
}

/* --- what a file is --- */

/* UTF-16, with a byte-order mark or without. */
static bool is_utf16(struct slice s)
{
    return s.n >= 2 && ((s.p[0] == 0xff && s.p[1] == 0xfe) || (s.p[0] == 0xfe && s.p[1] == 0xff) ||
                        (s.p[0] == 0 && s.p[1] == '-') || (s.p[0] == '-' && s.p[1] == 0));
}

/* A SEQUENCE with a long length, as everything is that holds a certificate. Text may begin with
 * '0', which is the tag, too. */
static bool is_der(struct slice s)
{
    return s.n >= 2 && s.p[0] == DER_SEQUENCE && s.p[1] > 0x80 && s.p[1] <= 0x84;
}

static struct result refuse_without_certificate(const struct reader *r, struct slice content,
                                                struct errinfo *e)
{
    if (r->seen != KIND_CERTIFICATE)
        return fail(e, ERR_NOT_FOUND, "there is no certificate in the file, but %s",
                    kind_text[r->seen]);
    if (slice_find_slice(content, SLICE_LIT("BEGIN CERTIFICATE")) < content.n)
        return fail(e, ERR_PARSE,
                    "the BEGIN and END lines must begin and end with exactly five hyphens");
    return fail(e, ERR_NOT_FOUND, "there is no certificate in the file");
}

struct result certfile_read(struct slice content, const struct certfile_handler *handler,
                            struct errinfo *e)
{
    const struct slice bom = SLICE_LIT("\xef\xbb\xbf");
    struct reader r = {.handler = handler, .seen = KIND_CERTIFICATE};

    if (content.n > LIMIT_CERT_FILE_BYTES)
        return fail(e, ERR_LIMIT, "the file is larger than %d MB", LIMIT_CERT_FILE_BYTES >> 20);
    if (slice_starts(content, bom))
        content = slice_from(content, bom.n);
    if (only_filling(content))
        return fail(e, ERR_NOT_FOUND, "the file is empty");
    if (is_utf16(content))
        return fail(e, ERR_UNSUPPORTED,
                    "the file is UTF-16 text; convert it with: iconv -f UTF-16 -t UTF-8 FILE > "
                    "NEW.pem");
    if (is_indefinite(content))
        return refuse_ber(content, true, e);
    if (is_der(content))
        TRY(read_der(&r, content, e));
    else
        TRY(read_pem(&r, content, e));
    if (r.found == 0 && slice_starts(content, SLICE_LIT("MI"))) /* a SEQUENCE, long length */
        TRY(read_base64(&r, content, e));
    return r.found > 0 ? OK : refuse_without_certificate(&r, content, e);
}

struct result certfile_each(struct slice content, certfile_fn *fn, void *arg, struct errinfo *e)
{
    const struct certfile_handler handler = {fn, NULL, arg};

    return certfile_read(content, &handler, e);
}
