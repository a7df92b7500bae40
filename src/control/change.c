#include "control/change.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "tls/selftest.h"

/* A digest's first digits have to be so many: fewer are too easily another's. */
#define SHA256_DIGITS_MIN 8

struct change {
    struct credentials *credentials;
    uint64_t base;        /* the version that it began with */
    struct holdings next; /* what shall be held */
    struct trust *trust;  /* of NEXT, to judge by; NULL: has to be made */
    struct trust *before; /* the one before that: what was told by it still borrows from it */
    bool drops_all;       /* uploads that could not be read go, too */
    bool drops_identity;  /* the same for the identity */
    struct change_drop {
        char name[IMPORT_NAME_MAX + 1];
    } drops[LIMIT_COMPLAINTS]; /* single ones of them */
    size_t drops_count;
    struct holdings_files files; /* others, that are not about certificates */
};

/* --- beginning and end --- */

RESULT change_begin(struct credentials *c, struct change **out, struct errinfo *e)
{
    struct change *ch = calloc(1, sizeof *ch);

    if (ch == NULL)
        return fail(e, ERR_NOMEM, "out of memory for a change of certificates");
    ch->credentials = c;
    ch->trust = trust_ref(credentials_trust(c));
    ch->base = credentials_version(c);
    holdings_copy(&ch->next, credentials_holdings(c));
    *out = ch;
    return OK;
}

void change_free(struct change *ch)
{
    if (ch == NULL)
        return;
    holdings_clear(&ch->next);
    holdings_files_clear(&ch->files);
    trust_unref(ch->trust);
    trust_unref(ch->before);
    free(ch);
}

/* NEXT has other certificates now. */
static void touch(struct change *ch)
{
    if (ch->trust == NULL)
        return;
    trust_unref(ch->before);
    ch->before = ch->trust;
    ch->trust = NULL;
}

static RESULT need_trust(struct change *ch, struct errinfo *e)
{
    return ch->trust != NULL ? OK : holdings_trust(&ch->next, &ch->trust, e);
}

struct wallclock change_now(const struct change *ch)
{
    const struct credentials_params *p = credentials_params(ch->credentials);

    return p->now(p->arg);
}

/* --- trusted certificates --- */

/* What is new in OUT goes into NEXT, or none of it. */
static RESULT keep(struct change *ch, const char *filename, struct change_added *out,
                   struct errinfo *e)
{
    struct holdings next;
    char wanted[IMPORT_NAME_MAX + 1];
    struct result r = OK;

    out->name[0] = '\0';
    if (out->items.fresh == 0)
        return OK;
    import_name(filename, wanted);
    holdings_name(&ch->next, wanted, out->name);
    holdings_copy(&next, &ch->next);
    for (size_t i = 0; i < out->items.count && is_ok(r); i++)
        if (out->items.items[i].fate != IMPORT_KNOWN)
            r = holdings_add(&next, out->name, out->items.items[i].cert, e);
    if (is_err(r)) {
        holdings_clear(&next);
        return r;
    }
    holdings_clear(&ch->next);
    ch->next = next;
    touch(ch);
    return OK;
}

static RESULT add(struct change *ch, const char *filename, const char *checked_name,
                  struct slice content, struct change_added *out, struct errinfo *e)
{
    TRY(need_trust(ch, e));
    const struct import_request request = {
        .filename = checked_name, .content = content, .trust = ch->trust, .now = change_now(ch)};
    TRY(import_trusted(&request, &out->items, e));
    const struct result r = keep(ch, filename, out, e);
    if (is_err(r))
        import_clear(&out->items);
    return r;
}

RESULT change_add_trusted(struct change *ch, const char *filename, struct slice content,
                          struct change_added *out, struct errinfo *e)
{
    return add(ch, filename, filename, content, out, e);
}

RESULT change_add_cert(struct change *ch, const char *wanted, struct slice der,
                       struct change_added *out, struct errinfo *e)
{
    return add(ch, wanted, NULL, der, out, e);
}

/* Notes that the file of the upload NAME, which could not be read, goes; false if there is none. */
static bool drop_unread(struct change *ch, const char *name)
{
    const struct complaints *said = credentials_complaints(ch->credentials);
    char unread[IMPORT_NAME_MAX + 1];

    for (size_t i = 0; i < said->count; i++) {
        if (!holdings_is_upload(said->list[i].file, unread) || strcmp(unread, name) != 0 ||
            ch->drops_count == LIMIT_COMPLAINTS)
            continue;
        memcpy(ch->drops[ch->drops_count++].name, unread, sizeof unread);
        return true;
    }
    return false;
}

/* How many certificates that removes. */
static size_t remove_upload(struct change *ch, const char *name)
{
    size_t n = 0;

    for (size_t i = ch->next.count; i-- > 0;) {
        if (strcmp(ch->next.cas[i].upload, name) != 0)
            continue;
        holdings_remove(&ch->next, i);
        n++;
    }
    return n;
}

/* The digits of WHICH without colons; false if it is no beginning of a digest. */
static bool read_digits(const char *which, char out[HASH_HEX_SIZE(HASH_SHA256_SIZE)])
{
    size_t n = 0;

    for (; *which != '\0'; which++) {
        if (*which == ':')
            continue;
        if (ascii_hex((uint8_t)*which) < 0 || n == (size_t)2 * HASH_SHA256_SIZE)
            return false;
        out[n++] = (char)tolower((unsigned char)*which);
    }
    out[n] = '\0';
    return n >= SHA256_DIGITS_MIN;
}

static bool begins_with(const struct cert *cert, const char *digits)
{
    uint8_t sha256[HASH_SHA256_SIZE];
    char hex[HASH_HEX_SIZE(HASH_SHA256_SIZE)];

    cert_sha256(cert, sha256);
    hash_hex(slice_of(sha256, sizeof sha256), hex);
    return strncmp(hex, digits, strlen(digits)) == 0;
}

struct builtin_search {
    const char *digits;
    bool found;
};

static bool look_at_builtin(void *arg, const struct trust_anchor *a)
{
    struct builtin_search *s = arg;

    s->found = begins_with(a->cert, s->digits);
    return !s->found;
}

static RESULT not_held(const struct change *ch, const char *which, const char *digits,
                       struct errinfo *e)
{
    struct builtin_search s = {digits, false};

    if (digits != NULL)
        trust_each(credentials_trust(ch->credentials), TRUST_DEFAULT, look_at_builtin, &s);
    if (s.found)
        return fail(e, ERR_INVALID,
                    "%s is built in and cannot be removed; to do without the built-in ones, set "
                    "static.security.ca_cert = 1",
                    which);
    return fail(e, ERR_NOT_FOUND,
                "there is no custom certificate with the name '%s', and none whose SHA-256 begins "
                "so (with at least %d digits)",
                which, SHA256_DIGITS_MIN);
}

static RESULT remove_by_digits(struct change *ch, const char *which, struct errinfo *e)
{
    char digits[HASH_HEX_SIZE(HASH_SHA256_SIZE)];
    size_t found = ch->next.count, matches = 0;

    if (!read_digits(which, digits))
        return not_held(ch, which, NULL, e);
    for (size_t i = 0; i < ch->next.count; i++) {
        if (!begins_with(ch->next.cas[i].cert, digits))
            continue;
        found = i;
        matches++;
    }
    if (matches == 0)
        return not_held(ch, which, digits, e);
    if (matches > 1)
        return fail(e, ERR_INVALID,
                    "the SHA-256 of %zu certificates begins with %s: give more digits", matches,
                    which);
    holdings_remove(&ch->next, found);
    return OK;
}

RESULT change_remove_trusted(struct change *ch, const char *which, size_t *removed,
                             struct errinfo *e)
{
    char name[IMPORT_NAME_MAX + 1];
    size_t n = remove_upload(ch, which);
    bool unread = drop_unread(ch, which);

    if (n == 0 && !unread) { /* perhaps it is as the admin's own file is called */
        import_name(which, name);
        n = remove_upload(ch, name);
        unread = drop_unread(ch, name);
    }
    if (n == 0 && !unread) {
        TRY(remove_by_digits(ch, which, e));
        n = 1;
    }
    if (n > 0)
        touch(ch);
    if (removed != NULL)
        *removed = n;
    return OK;
}

size_t change_clear_trusted(struct change *ch)
{
    const size_t n = ch->next.count;

    while (ch->next.count > 0)
        holdings_remove(&ch->next, ch->next.count - 1);
    ch->drops_all = true;
    touch(ch);
    return n;
}

/* --- the identity --- */

RESULT change_set_identity(struct change *ch, const struct upload_request *upload,
                           struct errinfo *e)
{
    struct identity *id;

    TRY(upload_identity(upload, &credentials_params(ch->credentials)->rng, &id, e));
    identity_unref(ch->next.identity);
    ch->next.identity = id;
    ch->drops_identity = true; /* of one that could not be read */
    return OK;
}

bool change_remove_identity(struct change *ch)
{
    const struct identity_slot *slot = &credentials_slots(ch->credentials)->custom;
    const bool there = ch->next.identity != NULL || slot->problem.code != ERR_OK;

    identity_unref(ch->next.identity);
    ch->next.identity = NULL;
    ch->drops_identity = true;
    return there;
}

/* --- other files --- */

RESULT change_set_file(struct change *ch, const char *name, struct slice content, struct errinfo *e)
{
    struct buf copy;

    for (size_t i = 0; i < ch->files.count; i++) {
        if (strcmp(ch->files.list[i].name, name) != 0)
            continue;
        buf_init(&copy, LIMIT_GENERATION_BYTES);
        if (is_err(buf_append(&copy, content)))
            return fail(e, ERR_NOMEM, "no memory for a file");
        buf_wipe(&ch->files.list[i].content);
        ch->files.list[i].content = copy;
        return OK;
    }
    return holdings_files_add(&ch->files, name, content, e);
}

/* --- what it would come to --- */

static bool has_cert(const struct holdings *h, const struct cert *cert)
{
    for (size_t i = 0; i < h->count; i++)
        if (slice_eq(cert_der(h->cas[i].cert), cert_der(cert)))
            return true;
    return false;
}

/* How many certificates of A are not in B. */
static size_t count_missing(const struct holdings *a, const struct holdings *b)
{
    size_t n = 0;

    for (size_t i = 0; i < a->count; i++)
        n += !has_cert(b, a->cas[i].cert);
    return n;
}

RESULT change_trust(struct change *ch, struct trust **out, struct errinfo *e)
{
    TRY(need_trust(ch, e));
    *out = ch->trust;
    return OK;
}

struct identity *change_identity(const struct change *ch)
{
    return ch->next.identity;
}

/* --- commit --- */

static bool drops(const void *arg, const char *file)
{
    const struct change *ch = arg;
    char name[IMPORT_NAME_MAX + 1];

    if (strcmp(file, HOLDINGS_IDENTITY) == 0)
        return ch->drops_identity;
    if (!holdings_is_upload(file, name))
        return false;
    for (size_t i = 0; i < ch->drops_count; i++)
        if (strcmp(ch->drops[i].name, name) == 0)
            return true;
    return ch->drops_all;
}

/* Whether a file that could not be read would go. */
static bool drops_something(const struct change *ch)
{
    const struct complaints *said = credentials_complaints(ch->credentials);

    for (size_t i = 0; i < said->count; i++)
        if (drops(ch, said->list[i].file))
            return true;
    return false;
}

static RESULT try_identity(const struct change *ch, struct errinfo *e)
{
    const struct result r =
        tls_selftest(ch->next.identity, &credentials_params(ch->credentials)->rng, e);

    if (is_err(r))
        errinfo_context(e, "the certificate failed its test");
    return r;
}

struct change_summary change_summary(const struct change *ch)
{
    const struct holdings *held = credentials_holdings(ch->credentials);
    const bool identity = !holdings_same_identity(&ch->next, held);

    return (struct change_summary){
        .trusted_added = count_missing(&ch->next, held),
        .trusted_removed = count_missing(held, &ch->next),
        .identity = identity,
        .nothing = holdings_same_cas(&ch->next, held) && !identity && ch->files.count == 0 &&
                   !drops_something(ch),
    };
}

RESULT change_check(struct change *ch, struct errinfo *e)
{
    const struct holdings *held = credentials_holdings(ch->credentials);
    const char *held_by = credentials_held_by(ch->credentials);

    if (held_by != NULL)
        return fail(e, ERR_BUSY, "%s", held_by);
    if (credentials_version(ch->credentials) != ch->base)
        return fail(e, ERR_STATE, "the certificates were changed meanwhile: try again");
    if (!holdings_same_identity(&ch->next, held) && ch->next.identity != NULL)
        TRY(try_identity(ch, e));
    return holdings_same_cas(&ch->next, held) ? OK : need_trust(ch, e);
}

RESULT change_commit(struct change *ch, struct errinfo *e)
{
    const bool cas = !holdings_same_cas(&ch->next, credentials_holdings(ch->credentials));

    TRY(change_check(ch, e));
    if (change_summary(ch).nothing)
        return OK;
    return credentials_replace(ch->credentials, &ch->next, cas ? ch->trust : NULL, &ch->files,
                               drops, ch, e);
}
