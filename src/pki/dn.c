#include "pki/dn.h"

#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>
#include <string.h>

#include "base/ascii.h"
#include "base/hash.h"
#include "pki/der.h"

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

    if (!joined && !der_take(&at->rdns, DER_SET, &at->rdn))
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

/* --- characters --- */

#define CHAR_END UINT32_MAX
#define CHAR_RAW 0x80000000U /* | a byte of what is no text; never equal to a character */
#define CHAR_TAG 0x100U      /* | CHAR_RAW | the tag, before the bytes of what is no string */

/* Reads an attribute's value character by character, whatever its string type. */
struct chars {
    uint8_t tag;
    struct slice rest;
    bool begun;
    bool spaces;   /* skipped, since the last character that was no space */
    uint32_t held; /* a character that was read ahead, or CHAR_END */
};

static struct chars chars_of(const struct dn_attribute *a)
{
    return (struct chars){.tag = a->tag, .rest = a->value, .held = CHAR_END};
}

/* N bytes that the caller has seen to be there, as a big-endian number. */
static uint32_t take_bytes(struct chars *c, size_t n)
{
    uint32_t value = 0;

    for (size_t i = 0; i < n; i++)
        value = value << 8 | c->rest.p[i];
    c->rest = slice_from(c->rest, n);
    return value;
}

static uint32_t take_raw(struct chars *c)
{
    return CHAR_RAW | take_bytes(c, 1);
}

static uint32_t take_utf8(struct chars *c)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    uint8_t first = c->rest.p[0];
    size_t more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    uint32_t value = more == 0 ? first : first & (0x3fU >> more);

    if ((first >= 0x80 && first < 0xc0) || first >= 0xf8 || c->rest.n <= more)
        return take_raw(c);
    for (size_t i = 1; i <= more; i++) {
        if ((c->rest.p[i] & 0xc0) != 0x80)
            return take_raw(c);
        value = value << 6 | (c->rest.p[i] & 0x3f);
    }
    if (value < least[more] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
        return take_raw(c);
    c->rest = slice_from(c->rest, more + 1);
    return value;
}

static uint32_t take_bmp(struct chars *c)
{
    const uint8_t *p = c->rest.p;

    if (c->rest.n < 2)
        return take_raw(c);
    if (p[0] < 0xd8 || p[0] >= 0xe0)
        return take_bytes(c, 2);
    /* The standard has no surrogates here, but there are writers that use them. */
    if (p[0] < 0xdc && c->rest.n >= 4 && p[2] >= 0xdc && p[2] < 0xe0) {
        uint32_t high = take_bytes(c, 2) - 0xd800;

        return 0x10000 + (high << 10) + (take_bytes(c, 2) - 0xdc00);
    }
    return take_raw(c);
}

static uint32_t take_universal(struct chars *c)
{
    const uint8_t *p = c->rest.p;

    if (c->rest.n < 4 || p[0] != 0 || p[1] > 0x10 || (p[1] == 0 && p[2] >= 0xd8 && p[2] < 0xe0))
        return take_raw(c);
    return take_bytes(c, 4);
}

/* The next character as it is written; CHAR_END at the end. */
static uint32_t take_char(struct chars *c)
{
    if (c->rest.n == 0)
        return CHAR_END;
    switch (c->tag) {
    case DER_UTF8_STRING:
        return take_utf8(c);
    case DER_BMP_STRING:
        return take_bmp(c);
    case DER_UNIVERSAL_STRING:
        return take_universal(c);
    case DER_PRINTABLE_STRING:
    case DER_NUMERIC_STRING:
    case DER_VISIBLE_STRING:
    case DER_IA5_STRING:
    case DER_T61_STRING: /* in certificates it has always meant Latin-1 */
        return take_bytes(c, 1);
    default:
        return take_raw(c);
    }
}

static bool is_string(uint8_t tag)
{
    switch (tag) {
    case DER_UTF8_STRING:
    case DER_BMP_STRING:
    case DER_UNIVERSAL_STRING:
    case DER_PRINTABLE_STRING:
    case DER_NUMERIC_STRING:
    case DER_VISIBLE_STRING:
    case DER_IA5_STRING:
    case DER_T61_STRING:
        return true;
    default:
        return false;
    }
}

/* --- comparison --- */

static bool is_space(uint32_t c)
{
    return c == ' ' || (c >= 0x09 && c <= 0x0d) || c == 0x85 || c == 0xa0 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x202f || c == 0x205f || c == 0x3000;
}

/* The letters of FIRST to LAST, every STEP-th, become lower case by adding ADD. */
static const struct {
    uint32_t first, last, step;
    int32_t add;
} upper[] = {
    {0x41, 0x5a, 1, 32},   {0xc0, 0xd6, 1, 32},     {0xd8, 0xde, 1, 32},  /* Latin */
    {0x100, 0x12e, 2, 1},  {0x132, 0x136, 2, 1},    {0x139, 0x147, 2, 1}, /* Extended-A */
    {0x14a, 0x176, 2, 1},  {0x178, 0x178, 1, -121}, {0x179, 0x17d, 2, 1},
    {0x386, 0x386, 1, 38}, {0x388, 0x38a, 1, 37},   {0x38c, 0x38c, 1, 64}, /* Greek */
    {0x38e, 0x38f, 1, 63}, {0x391, 0x3a1, 1, 32},   {0x3a3, 0x3ab, 1, 32},
    {0x3c2, 0x3c2, 1, 1},                         /* final sigma */
    {0x400, 0x40f, 1, 80}, {0x410, 0x42f, 1, 32}, /* Cyrillic */
};

static uint32_t fold_case(uint32_t c)
{
    if (c < 0x80)
        return ascii_lower((uint8_t)c);
    for (size_t i = 0; i < sizeof(upper) / sizeof(upper[0]) && upper[i].first <= c; i++)
        if (c <= upper[i].last && (c - upper[i].first) % upper[i].step == 0)
            return (uint32_t)((int32_t)c + upper[i].add);
    return c;
}

/*
 * The next character of the normal form: lower case; a run of spaces as one; none at the ends. What
 * is no string keeps its bytes, behind its tag.
 */
static uint32_t take_folded(struct chars *c)
{
    uint32_t ch;

    if (!is_string(c->tag)) {
        if (!c->begun) {
            c->begun = true;
            return CHAR_RAW | CHAR_TAG | c->tag;
        }
        return take_char(c);
    }
    if (c->held != CHAR_END) {
        ch = c->held;
        c->held = CHAR_END;
        return ch;
    }
    while ((ch = take_char(c)) != CHAR_END && is_space(ch))
        c->spaces = true;
    if (ch == CHAR_END)
        return CHAR_END;
    if ((ch & CHAR_RAW) == 0)
        ch = fold_case(ch);
    if (c->spaces && c->begun) {
        c->held = ch;
        ch = ' ';
    }
    c->spaces = false;
    c->begun = true;
    return ch;
}

static bool attribute_equal(const struct dn_attribute *a, const struct dn_attribute *b)
{
    struct chars x, y;
    uint32_t c;

    if (!slice_eq(a->oid, b->oid))
        return false;
    if (a->tag == b->tag && slice_eq(a->value, b->value))
        return true;
    x = chars_of(a);
    y = chars_of(b);
    do {
        c = take_folded(&x);
        if (c != take_folded(&y))
            return false;
    } while (c != CHAR_END);
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

    if (slice_eq(a, b))
        return true;
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
    struct chars chars = chars_of(a);
    uint64_t h = hash_bytes(HASH_START, a->oid);

    for (uint32_t c; (c = take_folded(&chars)) != CHAR_END;)
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

static size_t encode_utf8(uint32_t c, uint8_t out[4])
{
    size_t more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;

    if (more == 0) {
        out[0] = (uint8_t)c;
        return 1;
    }
    out[0] = (uint8_t)(0xff00U >> (more + 1) | c >> (6 * more));
    for (size_t i = 1; i <= more; i++)
        out[i] = (uint8_t)(0x80 | (c >> (6 * (more - i)) & 0x3f));
    return more + 1;
}

/* Control characters, and those that are not seen or that change the direction of writing. */
static bool is_deceptive(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x061c ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || c >= 0xe0000;
}

void dn_value_text(const struct dn_attribute *a, char *out, size_t size)
{
    struct text t = text_in(out, size);
    struct chars chars = chars_of(a);

    for (uint32_t c; !t.full && (c = take_char(&chars)) != CHAR_END;) {
        uint8_t utf8[4];

        if (is_deceptive(c)) /* CHAR_RAW is above all characters */
            c = '?';
        const size_t n = encode_utf8(c, utf8);
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

    if ((c & CHAR_RAW) != 0)
        utf8[0] = (uint8_t)c;
    else
        n = encode_utf8(c, utf8);
    if (is_deceptive(c)) {
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
    struct chars chars = chars_of(a);
    bool first = true;

    if (type == NULL || !is_string(a->tag)) {
        if (type != NULL)
            put_str(t, type);
        else
            put_dotted(t, a->oid);
        put_hex(t, "=#", a->whole);
        return;
    }
    put_str(t, type);
    put_str(t, "=");
    for (uint32_t c; !t->full && (c = take_char(&chars)) != CHAR_END; first = false)
        put_escaped(t, c, first, chars.rest.n == 0);
}

void dn_text(struct slice name, char *out, size_t size)
{
    struct text t = text_in(out, size);
    struct slice rdns, rdn;
    size_t count = 0;

    if (!open_name(name, &rdns))
        return;
    for (struct slice rest = rdns; der_take(&rest, DER_SET, &rdn);)
        count++;
    for (size_t i = count; i > 0 && !t.full; i--) {
        struct slice rest = rdns;
        const char *before = i == count ? "" : ",";
        struct dn_attribute a;

        for (size_t k = 0; k < i; k++)
            (void)der_take(&rest, DER_SET, &rdn);
        for (; !t.full && next_attribute(&rdn, &a); before = "+") {
            put_str(&t, before);
            put_attribute(&t, &a);
        }
    }
}
