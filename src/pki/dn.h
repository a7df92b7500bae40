/*
 * dn: distinguished names, as DER: their comparison, and their text for people.
 *
 * Two names are equal as RFC 5280 section 7.1 says: attribute by attribute, whatever string types
 * they are written in, without regard to case and to the amount of white space. Case is folded for
 * the letters that CAs write their names in (Latin, Greek, Cyrillic); characters are not composed
 * (NFKC). A NAME is the DER of a Name, with the header of its SEQUENCE.
 *
 * Nothing here allocates or fails: what is malformed equals only the same bytes.
 */
#ifndef SIPSD_PKI_DN_H
#define SIPSD_PKI_DN_H

#include "base/slice.h"

bool dn_equal(struct slice a, struct slice b);

/* The same for all names that are equal: the key of the trust index, at build and at run time. */
uint64_t dn_hash(struct slice name);

/* Whether NAME is BASE or stands below it: BASE's RDNs are the first ones of NAME (RFC 5280
 * section 4.2.1.10, directoryName). */
bool dn_within(struct slice name, struct slice base);

bool dn_is_empty(struct slice name);

/* One attribute. A value type, borrowed. */
struct dn_attribute {
    struct slice oid;
    uint8_t tag; /* the string type: DER_UTF8_STRING ... */
    struct slice value;
    struct slice whole; /* the value with its tag and length */
    bool joined;        /* to the one before, in one multi-valued RDN */
};

/* Over the attributes in the order in which they are encoded, the most specific last. */
struct dn_cursor {
    struct slice rdns, rdn;
};
struct dn_cursor dn_begin(struct slice name);
bool dn_next(struct dn_cursor *at, struct dn_attribute *out);

#define DN_OID_COMMON_NAME         SLICE_LIT("\x55\x04\x03")
#define DN_OID_ORGANIZATION        SLICE_LIT("\x55\x04\x0a")
#define DN_OID_ORGANIZATIONAL_UNIT SLICE_LIT("\x55\x04\x0b")
#define DN_OID_EMAIL_ADDRESS       SLICE_LIT("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01")

/* The last attribute of type OID: the most specific one. False if there is none. */
bool dn_last(struct slice name, struct slice oid, struct dn_attribute *out);

/*
 * Texts are UTF-8, terminated, cut to SIZE (> 0) at the end of a character. What could fool a
 * reader or a terminal (control characters, changes of direction) is replaced by '?' in a value,
 * and written as \XX in a whole name.
 */
void dn_value_text(const struct dn_attribute *a, char *out, size_t size);

/* RFC 4514: "CN=x,O=y", the most specific first. */
void dn_text(struct slice name, char *out, size_t size);

#endif
