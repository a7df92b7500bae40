/*
 * trust: the certificates that the phone trusts: 76 built in, up to LIMIT_CUSTOM_CAS of the admin's
 * own.
 *
 * A `struct trust` is an immutable, reference-counted snapshot with a generation number that is
 * never used twice in a process: a change builds a new one, and the old one dies with its last
 * reference. Not for threads. The built-in ones cost no heap: they are parsed when a look-up finds
 * them and freed after use.
 */
#ifndef SIPSD_PKI_TRUST_H
#define SIPSD_PKI_TRUST_H

#include "base/errinfo.h"
#include "base/slice.h"
#include "pki/x509.h"

struct trust;

/* Which certificates count: the values of static.security.ca_cert. */
enum trust_filter { TRUST_DEFAULT, TRUST_CUSTOM, TRUST_ALL };

enum trust_source { TRUST_SOURCE_BUILTIN, TRUST_SOURCE_CUSTOM };

struct trust_custom {
    const char *name; /* of the file, for people; copied */
    struct slice der; /* copied */
};

/*
 * A snapshot of the built-in and the N custom ones. Each custom one is judged alone: one that does
 * not parse is left out, and REFUSED (may be NULL) is told; the rest stand. ERR_LIMIT for more than
 * LIMIT_CUSTOM_CAS.
 */
typedef void trust_refused_fn(void *arg, const char *name, const struct errinfo *why);
RESULT trust_new(const struct trust_custom *custom, size_t n, trust_refused_fn *refused, void *arg,
                 struct trust **out, struct errinfo *e);

/* The same for tools, which may judge by other lists than a phone's: any number. */
RESULT trust_new_large(const struct trust_custom *custom, size_t n, trust_refused_fn *refused,
                       void *arg, struct trust **out, struct errinfo *e);

struct trust *trust_ref(struct trust *t);
void trust_unref(struct trust *t); /* NULL is fine */

uint64_t trust_generation(const struct trust *t);

/* An anchor as a look-up gives it: CERT is borrowed, valid during the call (cert_ref it to keep
 * it). */
struct trust_anchor {
    struct cert *cert;
    enum trust_source source;
    const char *name; /* operator of a built-in one, file name of a custom one */
};

/* Return false to stop. */
typedef bool trust_visit_fn(void *arg, const struct trust_anchor *a);

/*
 * Visits the anchors of FILTER whose subject is SUBJECT (DER of a Name); where KEY_ID is not empty,
 * those with the same subject key identifier come first. A built-in one that is found is parsed on
 * demand; without memory for that it is not found.
 */
void trust_find(const struct trust *t, enum trust_filter f, struct slice subject,
                struct slice key_id, trust_visit_fn *visit, void *arg);

/* Visits the anchor of FILTER that is this very certificate (exact DER); false if there is none. */
bool trust_find_exact(const struct trust *t, enum trust_filter f, struct slice der,
                      trust_visit_fn *visit, void *arg);

/* Visits all of FILTER: custom ones first, then the built-in ones by operator. */
void trust_each(const struct trust *t, enum trust_filter f, trust_visit_fn *visit, void *arg);
size_t trust_count(const struct trust *t, enum trust_filter f);

/* The version of the built-in set (the Debian package's that it was taken from). */
const char *trust_builtin_version(void);

#endif
