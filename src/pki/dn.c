#include "pki/dn.h"

#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>
#include <string.h>

#include "base/hash.h"
#include "pki/der.h"
#include "pki/dirstring.h"

/* --- walking a name --- */

/* The content of NAME's SEQUENCE; false if NAME is anything else. */
static bool open_name(struct slice name, struct slice *rdns)
{
    return der_take(&name, DER_SEQUENCE, rdns) && name.n == 0;
}

/* AttributeTypeAndValue, the next one of an RDN. */
static bool next_attribute(struct slice *rdn, struct dn_attribute *out)
{
    struct slice pair;
    struct der_item value;

    if (!der_take(rdn, DER_SEQUENCE, &pair) || !der_take(&pair, DER_OID, &out->oid) ||
        !der_next(&pair, &value) || pair.n != 0)
        return false;
    out->tag = value.tag;
    out->value = value.value;
    out->whole = value.whole;
    return true;
}

struct dn_cursor dn_begin(struct slice name)
{
    struct dn_cursor at = {SLICE_EMPTY, SLICE_EMPTY};

    if (!open_name(name, &at.rdns))
        at.rdns = SLICE_EMPTY;
    return at;
}

bool dn_next(struct dn_cursor *at, struct dn_attribute *out)
{
    bool joined = at->rdn.n > 0;

    while (at->rdn.n == 0) /* an empty one has no attribute, but others follow */
        if (!der_take(&at->rdns, DER_SET, &at->rdn))
            return false;
    if (!next_attribute(&at->rdn, out)) {
        *at = (struct dn_cursor){SLICE_EMPTY, SLICE_EMPTY};
        return false;
    }
    out->joined = joined;
    return true;
}

bool dn_is_empty(struct slice name)
{
    struct slice rdns;

    return open_name(name, &rdns) && rdns.n == 0;
}

bool dn_last(struct slice name, struct slice oid, struct dn_attribute *out)
{
    struct dn_cursor at = dn_begin(name);
    struct dn_attribute a;
    bool found = false;

    while (dn_next(&at, &a)) {
        if (slice_eq(a.oid, oid)) {
            *out = a;
            found = true;
        }
    }
    return found;
}

/* --- comparison --- */

static bool attribute_equal(const struct dn_attribute *a, const struct dn_attribute *b)
{
    struct dirstring x, y;
    uint32_t c;

    if (!slice_eq(a->oid, b->oid))
        return false;
    if (a->tag == b->tag && slice_eq(a->value, b->value))
        return true;
    x = dirstring_of(a->tag, a->value);
    y = dirstring_of(b->tag, b->value);
    do {
        c = dirstring_next_folded(&x);
        if (c != dirstring_next_folded(&y))
            return false;
    } while (c != DIRSTRING_END);
    return true;
}

/*
 * The attributes of an RDN are a set. DER orders them by their encoding, which folding may change,
 * so every order is tried; in absurdly large ones only the order in which they stand.
 */
#define SET_MAX 16

static bool take_set(struct slice rdn, struct dn_attribute set[SET_MAX], size_t *n)
{
    for (*n = 0; rdn.n > 0; (*n)++)
        if (*n == SET_MAX || !next_attribute(&rdn, &set[*n]))
            return false;
    return true;
}

static bool large_rdn_equal(struct slice a, struct slice b)
{
    struct dn_attribute x, y;

    while (a.n > 0)
        if (!next_attribute(&a, &x) || !next_attribute(&b, &y) || !attribute_equal(&x, &y))
            return false;
    return b.n == 0;
}

static bool rdn_equal(struct slice a, struct slice b)
{
    struct dn_attribute x[SET_MAX], y[SET_MAX];
    uint32_t used = 0;
    size_t n, m;

    if (!take_set(a, x, &n) || !take_set(b, y, &m))
        return large_rdn_equal(a, b);
    if (n != m)
        return false;
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;

        while (k < m && ((used >> k & 1) != 0 || !attribute_equal(&x[i], &y[k])))
            k++;
        if (k == m)
            return false;
        used |= 1U << k;
    }
    return true;
}

/* Whether the RDNs of BASE are the first ones of NAME; *REST are those behind. */
static bool starts_with(struct slice name, struct slice base, struct slice *rest)
{
    struct slice rdn, base_rdn;

    if (!open_name(name, &name) || !open_name(base, &base))
        return false;
    while (base.n > 0)
        if (!der_take(&base, DER_SET, &base_rdn) || !der_take(&name, DER_SET, &rdn) ||
            !rdn_equal(rdn, base_rdn))
            return false;
    *rest = name;
    return true;
}

bool dn_equal(struct slice a, struct slice b)
{
    struct slice rest;

    return slice_eq(a, b) || (starts_with(a, b, &rest) && rest.n == 0);
}

bool dn_within(struct slice name, struct slice base)
{
    struct slice rest;

    return starts_with(name, base, &rest);
}

/* --- hash --- */

/* FNV-1a over characters. It need not resist attackers: what it finds is compared. */
#define HASH_START 0xcbf29ce484222325U

static uint64_t mix(uint64_t h, uint64_t value)
{
    h = (h ^ value) * 0x100000001b3U;
    return h ^ h >> 29;
}

static uint64_t hash_bytes(uint64_t h, struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        h = mix(h, s.p[i]);
    return mix(h, s.n);
}

static uint64_t hash_attribute(const struct dn_attribute *a)
{
    struct dirstring chars = dirstring_of(a->tag, a->value);
    uint64_t h = hash_bytes(HASH_START, a->oid);

    for (uint32_t c; (c = dirstring_next_folded(&chars)) != DIRSTRING_END;)
        h = mix(h, c);
    return h;
}

uint64_t dn_hash(struct slice name)
{
    uint64_t h = HASH_START;
    struct slice rdns, rdn;

    if (!open_name(name, &rdns))
        return hash_bytes(h, name);
    while (rdns.n > 0) {
        uint64_t set = 0; /* a sum: in whatever order they stand */

        if (!der_take(&rdns, DER_SET, &rdn))
            return hash_bytes(HASH_START, name);
        while (rdn.n > 0) {
            struct dn_attribute a;

            if (!next_attribute(&rdn, &a))
                return hash_bytes(HASH_START, name);
            set += hash_attribute(&a);
        }
        h = mix(h, set);
    }
    return h;
}

/* --- text --- */

/* Where a text is written to. What does not fit as a whole ends it. */
struct text {
    char *out;
    size_t size, n;
    bool full;
};

static struct text text_in(char *out, size_t size)
{
    out[0] = '\0';
    return (struct text){.out = out, .size = size};
}

static void put(struct text *t, const void *bytes, size_t n)
{
    if (t->full || n >= t->size - t->n) {
        t->full = true;
        return;
    }
    memcpy(t->out + t->n, bytes, n);
    t->n += n;
    t->out[t->n] = '\0';
}

static void put_str(struct text *t, const char *s)
{
    put(t, s, strlen(s));
}

void dn_value_text(const struct dn_attribute *a, char *out, size_t size)
{
    struct text t = text_in(out, size);
    struct dirstring chars = dirstring_of(a->tag, a->value);

    for (uint32_t c; !t.full && (c = dirstring_next(&chars)) != DIRSTRING_END;) {
        uint8_t utf8[4];
        size_t n;

        if (dirstring_is_deceptive(c)) /* DIRSTRING_RAW is above all characters */
            c = '?';
        n = dirstring_utf8(c, utf8);
        put(&t, utf8, n);
    }
}

static void put_hex(struct text *t, const char *before, struct slice bytes)
{
    put_str(t, before);
    for (size_t i = 0; i < bytes.n && !t->full; i++) {
        char hex[HASH_HEX_SIZE(1)];

        hash_hex(slice_of(bytes.p + i, 1), hex);
        put_str(t, hex);
    }
}

/* RFC 4514 section 2.4. FIRST and LAST say where in the value the character stands. */
static void put_escaped(struct text *t, uint32_t c, bool first, bool last)
{
    uint8_t utf8[4];
    size_t n = 1;

    if ((c & DIRSTRING_RAW) != 0)
        utf8[0] = (uint8_t)c;
    else
        n = dirstring_utf8(c, utf8);
    if (dirstring_is_deceptive(c)) {
        for (size_t i = 0; i < n; i++)
            put_hex(t, "\\", slice_of(utf8 + i, 1));
        return;
    }
    if ((c < 0x80 && strchr("\"+,;<>\\", (int)c) != NULL) || (first && (c == ' ' || c == '#')) ||
        (last && c == ' ')) {
        const uint8_t escaped[] = {'\\', utf8[0]};

        put(t, escaped, sizeof(escaped));
        return;
    }
    put(t, utf8, n);
}

/* The short name of an attribute type: those of RFC 4514, and others that CAs use. */
static const char *type_name(struct slice oid)
{
    static const struct {
        struct slice oid;
        const char *name;
    } types[] = {
        {{(const uint8_t *)"\x55\x04\x03", 3}, "CN"},
        {{(const uint8_t *)"\x55\x04\x04", 3}, "SN"},
        {{(const uint8_t *)"\x55\x04\x05", 3}, "serialNumber"},
        {{(const uint8_t *)"\x55\x04\x06", 3}, "C"},
        {{(const uint8_t *)"\x55\x04\x07", 3}, "L"},
        {{(const uint8_t *)"\x55\x04\x08", 3}, "ST"},
        {{(const uint8_t *)"\x55\x04\x09", 3}, "STREET"},
        {{(const uint8_t *)"\x55\x04\x0a", 3}, "O"},
        {{(const uint8_t *)"\x55\x04\x0b", 3}, "OU"},
        {{(const uint8_t *)"\x55\x04\x0c", 3}, "title"},
        {{(const uint8_t *)"\x55\x04\x11", 3}, "postalCode"},
        {{(const uint8_t *)"\x55\x04\x2a", 3}, "GN"},
        {{(const uint8_t *)"\x55\x04\x61", 3}, "organizationIdentifier"},
        {{(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", 9}, "emailAddress"},
        {{(const uint8_t *)"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", 10}, "DC"},
        {{(const uint8_t *)"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", 10}, "UID"},
    };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (slice_eq(types[i].oid, oid))
            return types[i].name;
    return NULL;
}

static void put_dotted(struct text *t, struct slice oid)
{
    char dotted[128];
    const mbedtls_asn1_buf b = {MBEDTLS_ASN1_OID, oid.n, (unsigned char *)(uintptr_t)oid.p};

    put_str(t, mbedtls_oid_get_numeric_string(dotted, sizeof(dotted), &b) > 0 ? dotted : "?");
}

static void put_attribute(struct text *t, const struct dn_attribute *a)
{
    const char *type = type_name(a->oid);
    struct dirstring chars = dirstring_of(a->tag, a->value);
    bool first = true;

    if (type == NULL || !dirstring_is_text(a->tag)) {
        if (type != NULL)
            put_str(t, type);
        else
            put_dotted(t, a->oid);
        put_hex(t, "=#", a->whole);
        return;
    }
    put_str(t, type);
    put_str(t, "=");
    for (uint32_t c; !t->full && (c = dirstring_next(&chars)) != DIRSTRING_END; first = false)
        put_escaped(t, c, first, chars.rest.n == 0);
}

/* The next RDN that is not empty: thousands of those say nothing, and shall cost nothing. */
static bool next_rdn(struct slice *rdns, struct slice *rdn)
{
    do {
        if (!der_take(rdns, DER_SET, rdn))
            return false;
    } while (rdn->n == 0);
    return true;
}

void dn_text(struct slice name, char *out, size_t size)
{
    struct text t = text_in(out, size);
    struct slice rdns, rdn = SLICE_EMPTY;
    size_t count = 0;

    if (!open_name(name, &rdns))
        return;
    for (struct slice rest = rdns; next_rdn(&rest, &rdn);)
        count++;
    for (size_t i = count; i > 0 && !t.full; i--) {
        struct slice rest = rdns;
        const char *before = i == count ? "" : ",";
        struct dn_attribute a;

        for (size_t k = 0; k < i; k++)
            (void)next_rdn(&rest, &rdn);
        for (; !t.full && next_attribute(&rdn, &a); before = "+") {
            put_str(&t, before);
            put_attribute(&t, &a);
        }
    }
}
