#include "unit/pki/judging.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/unit.h"

struct question question_new(void)
{
    return (struct question){.clock = CLOCK_SET, .policy = {.check_trust = true}};
}

static struct trust *trust_of(const struct question *q)
{
    struct trust_custom custom[COUNT_OF(q->trusted)];
    struct trust *trust;
    size_t n = 0;

    for (; n < COUNT_OF(custom) && q->trusted[n] != NULL; n++)
        custom[n] = (struct trust_custom){"ca.pem", testpki_der(q->trusted[n])};
    assert_true(is_ok(trust_new(custom, n, NULL, NULL, &trust, NULL)));
    assert_int_equal(trust_count(trust, TRUST_CUSTOM), n);
    return trust;
}

struct verdict question_ask(const struct question *q)
{
    const bool unchecked = q->name != NULL && q->name[0] == '\0';
    const char *text = q->name != NULL && !unchecked ? q->name : "sip.example.com";
    struct slice chain[COUNT_OF(q->chain) + 1];
    struct peername name;
    struct trust *trust = trust_of(q);
    struct verdict v;
    size_t n = 0;

    for (; n < COUNT_OF(q->chain) && q->chain[n] != NULL; n++)
        chain[n] = testpki_der(q->chain[n]);
    if (q->garbage.n > 0)
        chain[n++] = q->garbage;
    assert_true(is_ok(peername_parse(slice_of_str(text), &name, NULL)));
    const struct verify_input in = {
        .chain = chain,
        .chain_len = n,
        .trust = trust,
        .filter = TRUST_CUSTOM,
        .name = unchecked ? NULL : &name,
        .now = {q->now != 0 ? q->now : TESTPKI_NOW, q->clock},
        .purpose = q->purpose,
        .policy = &q->policy,
        .crls = q->crls,
        .crls_count = q->crls_count,
    };
    verify_chain(&in, &v);
    trust_unref(trust);
    return v;
}

struct testpki_spec root_spec(void)
{
    return (struct testpki_spec){.subject = "O=Example,CN=Example Root",
                                 .key = 1,
                                 .ca = true,
                                 .key_usage = TESTPKI_KEY_CERT_SIGN | TESTPKI_CRL_SIGN};
}

struct testpki_spec sub_spec(const struct testpki_cert *issuer)
{
    return (struct testpki_spec){.subject = "O=Example,CN=Example Issuing CA",
                                 .issuer = issuer,
                                 .key = 2,
                                 .ca = true,
                                 .pathlen = TESTPKI_PATHLEN(0),
                                 .key_usage = TESTPKI_KEY_CERT_SIGN | TESTPKI_CRL_SIGN};
}

struct testpki_spec leaf_spec(const struct testpki_cert *issuer)
{
    static const char *const server_auth[] = {TESTPKI_OID_SERVER_AUTH, NULL};

    return (struct testpki_spec){.subject = "CN=sip.example.com",
                                 .issuer = issuer,
                                 .key = 3,
                                 .not_ca = true,
                                 .key_usage = TESTPKI_DIGITAL_SIGNATURE,
                                 .eku = server_auth,
                                 .san = "DNS:sip.example.com"};
}

void assert_verified(const struct verdict *v)
{
    if (v->class != VERDICT_VERIFIED || v->reasons_count != 0)
        fail_msg("%s: %s", verdict_class_name(v->class), verdict_sentence(v));
}

void assert_refused(const struct verdict *v, enum reason_code code, int depth)
{
    if (v->class != VERDICT_REJECTED || v->reasons_count == 0 || v->reasons[0].code != code ||
        v->reasons[0].depth != depth)
        fail_msg("expected %s at %d, got %s, %s at %d: %s", reason_name(code), depth,
                 verdict_class_name(v->class), reason_name(v->reasons[0].code), v->reasons[0].depth,
                 verdict_sentence(v));
}

void assert_sentence(const struct verdict *v, const char *sentence)
{
    assert_string_equal(verdict_sentence(v), sentence);
}
