#include "control/rejected.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"

/* What was judged is kept, to be judged again as if one more certificate were trusted. */
struct entry {
    uint64_t id;
    uint8_t same[HASH_SHA256_SIZE]; /* of the chain */
    int account;
    struct peername name; /* its text is the host, also where it is not checked */
    bool check_name;
    enum trust_filter filter;
    enum verify_purpose purpose;
    struct verify_policy policy;
    struct wallclock first, last;
    uint64_t count;
    struct verdict verdict;
    bool chain_kept;
    struct slice chain[LIMIT_PEER_CERTS];
    size_t chain_len;
    uint8_t bytes[]; /* of the chain */
};

struct rejected {
    struct entry *entries[LIMIT_REJECTED]; /* the newest first */
    size_t count;
    uint64_t last_id;
};

RESULT rejected_new(struct rejected **out)
{
    *out = calloc(1, sizeof **out);
    return *out != NULL ? OK : err(ERR_NOMEM);
}

void rejected_free(struct rejected *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->count; i++)
        free(r->entries[i]);
    free(r);
}

/* --- notes --- */

static size_t chain_bytes(const struct verify_input *in)
{
    size_t n = 0;
    for (size_t i = 0; i < in->chain_len; i++)
        n += in->chain[i].n;
    return n;
}

static bool same_reasons(const struct verdict *a, const struct verdict *b)
{
    if (a->reasons_count != b->reasons_count)
        return false;
    for (size_t i = 0; i < a->reasons_count; i++) /* not the sentences: they count the days */
        if (a->reasons[i].code != b->reasons[i].code || a->reasons[i].depth != b->reasons[i].depth)
            return false;
    return true;
}

static bool is_same(const struct entry *x, const struct refused_chain *c,
                    const uint8_t same[HASH_SHA256_SIZE])
{
    return x->account == c->account && strcmp(x->name.text, c->host) == 0 &&
           memcmp(x->same, same, HASH_SHA256_SIZE) == 0 && same_reasons(&x->verdict, c->verdict);
}

static size_t find_same(const struct rejected *r, const struct refused_chain *c,
                        const uint8_t same[HASH_SHA256_SIZE])
{
    size_t i = 0;
    while (i < r->count && !is_same(r->entries[i], c, same))
        i++;
    return i;
}

static struct entry *take_out(struct rejected *r, size_t i)
{
    struct entry *x = r->entries[i];
    r->count--;
    memmove(&r->entries[i], &r->entries[i + 1], (r->count - i) * sizeof(struct entry *));
    return x;
}

static void put_first(struct rejected *r, struct entry *x)
{
    memmove(&r->entries[1], &r->entries[0], r->count * sizeof(struct entry *));
    r->entries[0] = x;
    r->count++;
}

static size_t count_of(const struct rejected *r, int account)
{
    size_t n = 0;
    for (size_t i = 0; i < r->count; i++)
        n += r->entries[i]->account == account;
    return n;
}

/* The oldest of the account that has the most; ACCOUNT has one more, which is to come. */
static void make_room(struct rejected *r, int account)
{
    size_t victim = 0, most = 0;
    if (r->count < LIMIT_REJECTED)
        return;
    for (size_t i = 0; i < r->count; i++) {
        const int whose = r->entries[i]->account;
        const size_t n = count_of(r, whose) + (whose == account);
        if (n >= most) {
            victim = i;
            most = n;
        }
    }
    free(take_out(r, victim));
}

static void copy_chain(struct entry *x, const struct verify_input *in)
{
    uint8_t *to = x->bytes;
    for (size_t i = 0; i < in->chain_len; i++) {
        const struct slice from = in->chain[i];
        if (from.n != 0)
            memcpy(to, from.p, from.n);
        x->chain[i] = slice_of(to, from.n);
        to += from.n;
    }
    x->chain_len = in->chain_len;
}

static struct entry *make_entry(const struct verify_input *in)
{
    const size_t bytes = chain_bytes(in);
    const bool fits = bytes <= LIMIT_REJECTED_BYTES && in->chain_len <= LIMIT_PEER_CERTS;
    struct entry *x = calloc(1, sizeof *x + (fits ? bytes : 0));
    if (x == NULL)
        return NULL;
    x->first = in->now;
    x->chain_kept = fits;
    if (fits)
        copy_chain(x, in);
    return x;
}

/* What was judged, and how, this time. */
static void note_judgement(struct entry *x, const struct refused_chain *c)
{
    const struct verify_input *in = c->input;
    x->account = c->account;
    x->check_name = in->name != NULL;
    if (in->name != NULL)
        x->name = *in->name;
    (void)snprintf(x->name.text, sizeof x->name.text, "%s", c->host);
    x->filter = in->filter;
    x->purpose = in->purpose;
    x->policy = *in->policy;
    x->policy.policies.acceptable = NULL; /* borrowed; nobody sets it for a phone's peers */
    x->policy.policies.acceptable_count = 0;
    x->last = in->now;
    x->verdict = *c->verdict;
    x->count++;
}

void rejected_note(void *arg, const struct refused_chain *c)
{
    struct rejected *r = arg;
    uint8_t same[HASH_SHA256_SIZE];
    hash_parts(HASH_SHA256, c->input->chain, c->input->chain_len, same);
    const size_t found = find_same(r, c, same);
    struct entry *x;
    if (found < r->count) {
        x = take_out(r, found);
    } else {
        x = make_entry(c->input);
        if (x == NULL) {
            log_warning("trust", "no memory to keep the refused chain of %s", c->host);
            return;
        }
        x->id = ++r->last_id;
        memcpy(x->same, same, sizeof same);
        make_room(r, c->account);
    }
    note_judgement(x, c);
    put_first(r, x);
}

/* --- what there is --- */

static struct rejected_entry view(const struct entry *x)
{
    return (struct rejected_entry){
        .id = x->id,
        .account = x->account,
        .host = x->name.text,
        .first = x->first,
        .last = x->last,
        .count = x->count,
        .verdict = &x->verdict,
        .chain = x->chain,
        .chain_len = x->chain_len,
        .chain_kept = x->chain_kept,
    };
}

size_t rejected_count(const struct rejected *r)
{
    return r->count;
}

struct rejected_entry rejected_at(const struct rejected *r, size_t i)
{
    return view(r->entries[i]);
}

static const struct entry *entry_of(const struct rejected *r, uint64_t id)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->entries[i]->id == id)
            return r->entries[i];
    return NULL;
}

bool rejected_find(const struct rejected *r, uint64_t id, struct rejected_entry *out)
{
    const struct entry *x = entry_of(r, id);
    if (x != NULL)
        *out = view(x);
    return x != NULL;
}

/* --- what would help --- */

/* The custom certificates of a store, and room for one more. */
struct store_list {
    struct trust_custom *customs;
    struct cert **refs;
    size_t count, size;
};

static bool list_custom(void *arg, const struct trust_anchor *a)
{
    struct store_list *l = arg;
    if (l->count == l->size)
        return false;
    l->refs[l->count] = cert_ref(a->cert);
    l->customs[l->count++] = (struct trust_custom){.name = a->name, .der = cert_der(a->cert)};
    return true;
}

static void list_clear(struct store_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        cert_unref(l->refs[i]);
    free(l->refs);
    free(l->customs);
}

/* TRUST and one more custom certificate. */
static struct result trust_with(const struct trust *trust, struct slice der, struct trust **out,
                                struct errinfo *e)
{
    struct store_list l = {.size = trust_count(trust, TRUST_CUSTOM)};
    l.customs = calloc(l.size + 1, sizeof *l.customs);
    l.refs = calloc(l.size + 1, sizeof(struct cert *));
    if (l.customs == NULL || l.refs == NULL) {
        list_clear(&l);
        return fail(e, ERR_NOMEM, "out of memory for a trust store");
    }
    trust_each(trust, TRUST_CUSTOM, list_custom, &l);
    l.customs[l.count] = (struct trust_custom){.name = "candidate", .der = der};
    const struct result r = trust_new_large(l.customs, l.count + 1, NULL, NULL, out, e);
    list_clear(&l);
    return r;
}

static void judge(const struct entry *x, const struct trust *trust, enum trust_filter filter,
                  struct wallclock now, struct verdict *out)
{
    const struct verify_input in = {
        .chain = x->chain,
        .chain_len = x->chain_len,
        .trust = trust,
        .filter = filter,
        .name = x->check_name ? &x->name : NULL,
        .now = now,
        .purpose = x->purpose,
        .policy = &x->policy,
    };
    verify_chain(&in, out);
}

/* A search for what helps. */
struct trial {
    const struct entry *entry;
    const struct trust *trust;
    struct wallclock now;
    unsigned trials;
    bool only_filtered;     /* something would help, but custom certificates do not count */
    struct verdict verdict; /* of the first trial, else with nothing more */
    struct rejected_candidate *out;
};

/* CERT helps. */
static void found(struct trial *t, enum rejected_remedy remedy, struct cert *cert)
{
    const char *what = "the root CA", *mind = "it is trusted for all that it issues then";
    char label[96];
    if (remedy == REJECTED_TRUST_CA)
        what = "the CA"; /* its root was not sent, or has a fault */
    if (remedy == REJECTED_TRUST_LEAF) {
        what = "the server's own certificate";
        mind = "compare its SHA-256 with the server's first";
    }
    cert_label(cert, label, sizeof label);
    t->out->remedy = remedy;
    t->out->cert = cert_ref(cert);
    (void)snprintf(t->out->sentence, sizeof t->out->sentence,
                   "Adding %s '%s' to the trusted certificates makes this chain pass; %s", what,
                   label, mind);
}

/* Whether CERT helps, as far as LIMIT_REJECTED_TRIALS allow. */
static struct result try_cert(struct trial *t, struct cert *cert, enum rejected_remedy remedy,
                              struct errinfo *e)
{
    const struct entry *x = t->entry;
    struct trust *with;
    struct verdict v;
    if (t->out->cert != NULL || t->trials == LIMIT_REJECTED_TRIALS)
        return OK;
    TRY(trust_with(t->trust, cert_der(cert), &with, e));
    judge(x, with, x->filter, t->now, &v);
    if (verdict_accepted(&v)) {
        found(t, remedy, cert);
    } else if (x->filter == TRUST_DEFAULT) {
        struct verdict all;
        judge(x, with, TRUST_ALL, t->now, &all);
        t->only_filtered |= verdict_accepted(&all);
    }
    if (t->trials++ == 0)
        t->verdict = v; /* what would be wrong still */
    trust_unref(with);
    return OK;
}

typedef bool fits_fn(const struct certfields *c, bool is_leaf);

static bool is_root(const struct certfields *c, bool is_leaf)
{
    return !is_leaf && certfields_self_issued(c);
}

static bool is_other_ca(const struct certfields *c, bool is_leaf)
{
    return !is_leaf && c->is_ca && !certfields_self_issued(c);
}

static bool is_pin(const struct certfields *c, bool is_leaf)
{
    return is_leaf && certfields_self_issued(c);
}

/* Tries DER, if it can be read and is of the right kind. */
static struct result try_der(struct trial *t, struct slice der, bool is_leaf, fits_fn *fits,
                             enum rejected_remedy remedy, struct errinfo *e)
{
    struct cert *cert;
    if (is_err(cert_parse(der, &cert, NULL)))
        return OK;
    struct result r = OK;
    if (fits(cert_fields(cert), is_leaf))
        r = try_cert(t, cert, remedy, e);
    cert_unref(cert);
    return r;
}

/* How far up in the path that came furthest: -1 if it is not in it. */
static int height(const struct verdict *v, struct slice der)
{
    uint8_t sha256[HASH_SHA256_SIZE];
    hash_sha256(der, sha256);
    for (size_t i = 0; i < v->path_len; i++)
        if (memcmp(v->path[i].sha256, sha256, sizeof sha256) == 0)
            return (int)i;
    return -1;
}

/* The certificates of the chain that FITS lets in, the topmost of the path first. */
static struct result try_all(struct trial *t, fits_fn *fits, enum rejected_remedy remedy,
                             struct errinfo *e)
{
    const struct entry *x = t->entry;
    for (int at = LIMIT_PATH_DEPTH - 1; at >= -1; at--)
        for (size_t i = 0; i < x->chain_len; i++)
            if (height(&x->verdict, x->chain[i]) == at)
                TRY(try_der(t, x->chain[i], i == 0, fits, remedy, e));
    return OK;
}

static void say_nothing_helps(const struct trial *t)
{
    struct rejected_candidate *out = t->out;
    if (!t->entry->chain_kept)
        (void)snprintf(out->sentence, sizeof out->sentence,
                       "The chain is too large to have been kept; add the CA of %s from a file",
                       t->entry->name.text);
    else if (t->only_filtered)
        (void)snprintf(
            out->sentence, sizeof out->sentence,
            "Only built-in CAs count for this account, so no uploaded certificate helps; "
            "see static.security.ca_cert");
    else if (t->trials == 0)
        (void)snprintf(out->sentence, sizeof out->sentence,
                       "The server sent no certificate that could be trusted instead: %s",
                       verdict_sentence(&t->verdict));
    else
        (void)snprintf(out->sentence, sizeof out->sentence,
                       "Trusting another certificate does not help: %s",
                       verdict_sentence(&t->verdict));
}

static struct result search(struct trial *t, struct errinfo *e)
{
    judge(t->entry, t->trust, t->entry->filter, t->now, &t->verdict);
    if (t->entry->chain_kept && verdict_accepted(&t->verdict)) {
        t->out->remedy = REJECTED_ACCEPTED_NOW;
        (void)snprintf(t->out->sentence, sizeof t->out->sentence,
                       "It would be accepted now: nothing has to be trusted for it");
        return OK;
    }
    TRY(try_all(t, is_root, REJECTED_TRUST_ROOT, e));
    TRY(try_all(t, is_other_ca, REJECTED_TRUST_CA, e));
    TRY(try_all(t, is_pin, REJECTED_TRUST_LEAF, e));
    if (t->out->cert == NULL)
        say_nothing_helps(t);
    return OK;
}

RESULT rejected_candidate(const struct rejected *r, uint64_t id, const struct trust *trust,
                          struct wallclock now, struct rejected_candidate *out, struct errinfo *e)
{
    struct trial t = {.entry = entry_of(r, id), .trust = trust, .now = now, .out = out};
    *out = (struct rejected_candidate){.remedy = REJECTED_NOTHING_HELPS};
    if (t.entry == NULL)
        return fail(e, ERR_NOT_FOUND, "there is no refused chain %llu (any more)",
                    (unsigned long long)id);
    const struct result done = search(&t, e);
    char clean[sizeof out->sentence];
    utf8_clean(slice_of_str(out->sentence), clean, sizeof clean);
    memcpy(out->sentence, clean, sizeof clean);
    if (is_err(done))
        rejected_candidate_clear(out);
    return done;
}

void rejected_candidate_clear(struct rejected_candidate *c)
{
    cert_unref(c->cert);
    c->cert = NULL;
}

const char *rejected_remedy_name(enum rejected_remedy r)
{
    static const char *const names[] = {
        [REJECTED_NOTHING_HELPS] = "none", [REJECTED_ACCEPTED_NOW] = "accepted_now",
        [REJECTED_TRUST_ROOT] = "root",    [REJECTED_TRUST_CA] = "ca",
        [REJECTED_TRUST_LEAF] = "leaf",
    };
    return names[r];
}
