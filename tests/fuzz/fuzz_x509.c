/* One certificate: what can be read has fields inside its bytes, and texts that can be shown. */
#include <mbedtls/x509_crt.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "pki/dn.h"
#include "pki/pubkey.h"
#include "pki/x509.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct slice whole, struct slice part)
{
    if (part.n > 0 && (part.p < whole.p || part.p + part.n > whole.p + whole.n))
        abort();
}

static void check_text(const char *text, size_t size)
{
    if (strlen(text) >= size || !utf8_is_text(slice_of_str(text)))
        abort();
}

static void check_fields(const struct certfields *c)
{
    struct slice names = certfields_alt_names(c);
    struct general_name name;

    check_inside(c->der, c->tbs);
    check_inside(c->tbs, c->serial);
    check_inside(c->tbs, c->issuer);
    check_inside(c->tbs, c->subject);
    check_inside(c->tbs, c->key);
    check_inside(c->tbs, c->subject_key_id);
    check_inside(c->tbs, c->authority_key_id);
    check_inside(c->der, c->signature);
    while (general_name_next(&names, &name))
        check_inside(c->tbs, name.value);
    (void)certfields_self_issued(c);
    (void)certfields_has_eku(c, OID_SERVER_AUTH);
    (void)pubkey_read(c->key);
}

static void check_texts(const struct cert *c)
{
    static const size_t sizes[] = {1, 2, 7, 96, 4096};
    char text[4096];

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        cert_label(c, text, sizes[i]);
        check_text(text, sizes[i]);
        cert_subject_text(c, text, sizes[i]);
        check_text(text, sizes[i]);
        cert_issuer_text(c, text, sizes[i]);
        check_text(text, sizes[i]);
    }
    cert_key_text(c, text, sizeof(text));
    check_text(text, sizeof(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct errinfo e = ERRINFO_INIT;
    mbedtls_x509_crt list;
    struct cert *c;

    if (is_err(cert_parse(slice_of(data, size), &c, &e))) {
        if (e.text[0] == '\0')
            abort();
        return 0;
    }
    if (!slice_eq(cert_der(c), slice_of(data, size)))
        abort();
    check_fields(cert_fields(c));
    check_texts(c);
    mbedtls_x509_crt_init(&list);
    (void)cert_mbedtls_append(c, &list, NULL).code;
    mbedtls_x509_crt_free(&list);
    cert_unref(c);
    return 0;
}
