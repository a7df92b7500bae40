#include "pki/trust.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "pki/builtin.h"
#include "pki/dn.h"

struct custom {
    char *name;
    struct cert *cert;
    uint64_t subject_hash;
};

struct trust {
    unsigned refs;
    uint64_t generation;
    size_t custom_count;
    struct custom custom[];
};

/* --- the snapshot --- */

static struct result add_custom(struct trust *t, const struct trust_custom *from, struct errinfo *e)
{
    struct custom *c = &t->custom[t->custom_count];

    TRY(cert_parse(from->der, &c->cert, e));
    c->name = strdup(from->name);
    if (c->name == NULL) {
        cert_unref(c->cert);
        return fail(e, ERR_NOMEM, "out of memory");
    }
    c->subject_hash = dn_hash(cert_subject(c->cert));
    t->custom_count++;
    return OK;
}

struct result trust_new(const struct trust_custom *custom, size_t n, trust_refused_fn *refused,
                        void *arg, struct trust **out, struct errinfo *e)
{
    if (n > LIMIT_CUSTOM_CAS)
        return fail(e, ERR_LIMIT, "there are more than %d custom certificates", LIMIT_CUSTOM_CAS);
    return trust_new_large(custom, n, refused, arg, out, e);
}

struct result trust_new_large(const struct trust_custom *custom, size_t n,
                              trust_refused_fn *refused, void *arg, struct trust **out,
                              struct errinfo *e)
{
    static uint64_t last_generation;
    struct trust *t;

    t = malloc(sizeof(*t) + n * sizeof(t->custom[0]));
    if (t == NULL)
        return fail(e, ERR_NOMEM, "out of memory");
    t->refs = 1;
    t->generation = ++last_generation;
    t->custom_count = 0;
    for (size_t i = 0; i < n; i++) {
        struct errinfo why = ERRINFO_INIT;

        if (is_err(add_custom(t, &custom[i], &why)) && refused != NULL)
            refused(arg, custom[i].name, &why);
    }
    *out = t;
    return OK;
}

struct trust *trust_ref(struct trust *t)
{
    t->refs++;
    return t;
}

void trust_unref(struct trust *t)
{
    if (t == NULL || --t->refs > 0)
        return;
    for (size_t i = 0; i < t->custom_count; i++) {
        free(t->custom[i].name);
        cert_unref(t->custom[i].cert);
    }
    free(t);
}

uint64_t trust_generation(const struct trust *t)
{
    return t->generation;
}

const char *trust_builtin_version(void)
{
    return builtin_version;
}

/* --- visiting --- */

/* A look-up on its way. STOPPED: the visitor has had enough. */
struct visit {
    trust_visit_fn *fn;
    void *arg;
    bool stopped;
};

static void visit_custom(struct visit *v, const struct custom *c)
{
    const struct trust_anchor a = {c->cert, TRUST_SOURCE_CUSTOM, c->name};

    v->stopped = !v->fn(v->arg, &a);
}

static struct slice builtin_slice(const struct builtin_entry *entry)
{
    return slice_of(builtin_der + entry->der_at, entry->der_size);
}

/* Parses, visits, frees. Only without memory can it fail, and then there is no such anchor. SUBJECT
 * (if it has a pointer) is compared, for the index knows only its hash. */
static void visit_builtin(struct visit *v, const struct builtin_entry *entry, struct slice subject)
{
    struct trust_anchor a = {
        .source = TRUST_SOURCE_BUILTIN,
        .name = builtin_operators + builtin_operator_at[entry->operator],
    };

    if (is_err(cert_parse_static(builtin_slice(entry), &a.cert, NULL)))
        return;
    if (subject.p == NULL || dn_equal(cert_subject(a.cert), subject))
        v->stopped = !v->fn(v->arg, &a);
    cert_unref(a.cert);
}

static bool has_custom(enum trust_filter f)
{
    return f != TRUST_DEFAULT;
}

static bool has_builtin(enum trust_filter f)
{
    return f != TRUST_CUSTOM;
}

/* --- by subject --- */

/* What is looked for; and in which of its two passes. */
struct wanted {
    struct slice subject;
    uint64_t subject_hash;
    struct slice key_id;
    bool same_key_id; /* those that have it, or those that do not */
};

static bool in_this_pass(const struct wanted *w, struct slice key_id)
{
    return (w->key_id.n > 0 && slice_eq(w->key_id, key_id)) == w->same_key_id;
}

static void find_custom(const struct trust *t, const struct wanted *w, struct visit *v)
{
    for (size_t i = 0; i < t->custom_count && !v->stopped; i++) {
        const struct custom *c = &t->custom[i];

        if (c->subject_hash == w->subject_hash && in_this_pass(w, cert_subject_key_id(c->cert)) &&
            dn_equal(cert_subject(c->cert), w->subject))
            visit_custom(v, c);
    }
}

/* The first entry whose hash is not below HASH. */
static uint32_t lower_bound(uint64_t hash)
{
    uint32_t low = 0;
    uint32_t high = builtin_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (builtin_entries[middle].subject_hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void find_builtin(const struct wanted *w, struct visit *v)
{
    for (uint32_t i = lower_bound(w->subject_hash);
         i < builtin_count && builtin_entries[i].subject_hash == w->subject_hash && !v->stopped;
         i++) {
        const struct builtin_entry *entry = &builtin_entries[i];
        struct slice key_id =
            slice_of(builtin_der + entry->der_at + entry->key_id_at, entry->key_id_size);

        if (in_this_pass(w, key_id))
            visit_builtin(v, entry, w->subject);
    }
}

void trust_find(const struct trust *t, enum trust_filter f, struct slice subject,
                struct slice key_id, trust_visit_fn *visit, void *arg)
{
    struct visit v = {visit, arg, false};
    struct wanted w = {subject, dn_hash(subject), key_id, true};

    for (int pass = 0; pass < 2 && !v.stopped; pass++, w.same_key_id = false) {
        if (has_custom(f))
            find_custom(t, &w, &v);
        if (has_builtin(f) && !v.stopped)
            find_builtin(&w, &v);
    }
}

/* --- all of them, one of them --- */

bool trust_find_exact(const struct trust *t, enum trust_filter f, struct slice der,
                      trust_visit_fn *visit, void *arg)
{
    struct visit v = {visit, arg, false};

    for (size_t i = 0; has_custom(f) && i < t->custom_count; i++) {
        if (slice_eq(cert_der(t->custom[i].cert), der)) {
            visit_custom(&v, &t->custom[i]);
            return true;
        }
    }
    for (uint32_t i = 0; has_builtin(f) && i < builtin_count; i++) {
        if (slice_eq(builtin_slice(&builtin_entries[i]), der)) {
            visit_builtin(&v, &builtin_entries[i], SLICE_EMPTY);
            return true;
        }
    }
    return false;
}

void trust_each(const struct trust *t, enum trust_filter f, trust_visit_fn *visit, void *arg)
{
    struct visit v = {visit, arg, false};

    for (size_t i = 0; has_custom(f) && i < t->custom_count && !v.stopped; i++)
        visit_custom(&v, &t->custom[i]);
    for (uint32_t i = 0; has_builtin(f) && i < builtin_count && !v.stopped; i++)
        visit_builtin(&v, &builtin_entries[builtin_order[i]], SLICE_EMPTY);
}

size_t trust_count(const struct trust *t, enum trust_filter f)
{
    return (has_custom(f) ? t->custom_count : 0) + (has_builtin(f) ? builtin_count : 0);
}
