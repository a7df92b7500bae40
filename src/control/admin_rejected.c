/* rejected.*: the last chains that were refused, and the way to trust one. */
#include <cjson/cJSON.h>
#include <string.h>

#include "control/admin_parts.h"
#include "control/report.h"
#include "control/request_file.h"

static const struct rejected *rejected_of(const struct admin *a)
{
    return a->source.rejected(a->source.arg);
}

/* --- what is shown of one --- */

struct showing {
    struct rejected_entry entry;
    struct wallclock now;
    bool with_pem;
};

/* A certificate as the peer sent it: it may be none at all. */
static struct cJSON *cert_at(const void *ctx, size_t i)
{
    const struct showing *s = ctx;
    struct cert *c;

    if (is_err(cert_parse(s->entry.chain[i], &c, NULL)))
        return cJSON_CreateNull();
    struct cJSON *item = report_cert(c, s->now, s->with_pem);
    cert_unref(c);
    return item;
}

static struct object begin_entry(const struct showing *s)
{
    const struct verdict *v = s->entry.verdict;
    const struct reason *first = v->reasons_count > 0 ? &v->reasons[0] : NULL;
    struct object o = object_begin();

    object_number(&o, "id", (double)s->entry.id);
    object_number(&o, "account", s->entry.account);
    object_text(&o, "host", s->entry.host);
    object_time(&o, "first", s->entry.first.epoch_s);
    object_time(&o, "last", s->entry.last.epoch_s);
    object_number(&o, "count", (double)s->entry.count);
    object_text(&o, "code", reason_name(first != NULL ? first->code : REASON_NONE));
    object_text(&o, "sentence", first != NULL ? first->sentence : v->summary);
    object_add(&o, "reasons", report_reasons(v));
    object_bool(&o, "chain_kept", s->entry.chain_kept);
    object_add(&o, "chain", object_array(s->entry.chain_len, cert_at, s));
    return o;
}

/* --- rejected.list --- */

#define OF_ALL UINT64_MAX

struct listing {
    const struct admin *admin;
    uint64_t account; /* OF_ALL, or a number; 0 is who was to give a file */
    bool with_pem;
};

static struct cJSON *entries(const struct listing *l)
{
    const struct rejected *r = rejected_of(l->admin);
    struct cJSON *array = cJSON_CreateArray();

    for (size_t i = 0; array != NULL && i < rejected_count(r); i++) {
        const struct showing s = {rejected_at(r, i), admin_now(l->admin), l->with_pem};
        if (l->account != OF_ALL && l->account != (uint64_t)s.entry.account)
            continue;
        struct object o = begin_entry(&s);
        struct cJSON *item = object_end(&o);
        if (item == NULL || !cJSON_AddItemToArray(array, item)) {
            cJSON_Delete(item);
            cJSON_Delete(array);
            array = NULL;
        }
    }
    return array;
}

static struct result list(void *arg, const struct cJSON *params, struct cJSON **result,
                          struct errinfo *e)
{
    struct listing l = {.admin = arg, .account = OF_ALL};

    TRY(request_number(params, "account", &l.account, e));
    TRY(request_bool(params, "pem", &l.with_pem, e));
    struct object o = object_begin();
    object_add(&o, "rejected", entries(&l));
    return object_result(&o, result, e);
}

/* --- rejected.show --- */

static RESULT find(const struct admin *a, const struct cJSON *params, uint64_t *id,
                   struct rejected_candidate *out, struct errinfo *e)
{
    *id = 0;
    TRY(request_number(params, "id", id, e));
    if (*id == 0)
        return fail(e, ERR_INVALID, "\"id\" has to be the number of a rejected chain");
    return rejected_candidate(rejected_of(a), *id, credentials_trust(admin_credentials(a)),
                              admin_now(a), out, e);
}

static struct result show(void *arg, const struct cJSON *params, struct cJSON **result,
                          struct errinfo *e)
{
    const struct admin *a = arg;
    struct rejected_candidate remedy;
    struct showing s = {.now = admin_now(a), .with_pem = true};
    uint64_t id;

    TRY(find(a, params, &id, &remedy, e));
    if (!rejected_find(rejected_of(a), id, &s.entry)) {
        rejected_candidate_clear(&remedy);
        return fail(e, ERR_NOT_FOUND, "there is no rejected chain %.0f", (double)id);
    }
    struct object o = begin_entry(&s);
    object_text(&o, "remedy", rejected_remedy_name(remedy.remedy));
    object_text(&o, "advice", remedy.sentence);
    object_add(&o, "candidate",
               remedy.cert != NULL ? report_cert(remedy.cert, s.now, true) : cJSON_CreateNull());
    rejected_candidate_clear(&remedy);
    return object_result(&o, result, e);
}

/* --- rejected.trust --- */

/* What the admin was shown has to be what is trusted: the list moves on meanwhile. */
static RESULT check_candidate(const struct rejected_candidate *c, const char *sha256,
                              struct errinfo *e)
{
    uint8_t digest[HASH_SHA256_SIZE];
    char hex[HASH_HEX_SIZE(HASH_SHA256_SIZE)];

    if (c->cert == NULL)
        return fail(e, ERR_STATE, "%s", c->sentence);
    cert_sha256(c->cert, digest);
    hash_hex(slice_of(digest, sizeof digest), hex);
    if (!slice_eq_nocase_str(slice_of_str(sha256), hex))
        return fail(e, ERR_INVALID,
                    "the certificate that would help has the SHA-256 %s, which is not the one that "
                    "was to be trusted",
                    hex);
    return OK;
}

static RESULT trust_cert(const struct admin *a, const struct cert *cert, struct cJSON **report,
                         struct errinfo *e)
{
    char label[LIMIT_TEXT];
    struct change_added added;
    struct change *ch;

    cert_label(cert, label, sizeof label);
    TRY(change_begin(admin_credentials(a), &ch, e));
    struct result r = change_add_cert(ch, label, cert_der(cert), &added, e);
    if (is_ok(r)) {
        *report = admin_added(a, label, &added);
        import_clear(&added.items);
        r = change_commit(ch, e);
    }
    change_free(ch);
    return r;
}

static struct result trust(void *arg, const struct cJSON *params, struct cJSON **result,
                           struct errinfo *e)
{
    const struct admin *a = arg;
    struct rejected_candidate remedy;
    struct cJSON *report = NULL;
    const char *sha256 = NULL;
    uint64_t id;

    TRY(request_text(params, "sha256", &sha256, e));
    if (sha256 == NULL)
        return fail(e, ERR_INVALID,
                    "\"sha256\" has to be that of the certificate to be trusted, as rejected.show "
                    "has it");
    TRY(find(a, params, &id, &remedy, e));
    struct result r = check_candidate(&remedy, sha256, e);
    if (is_ok(r))
        r = trust_cert(a, remedy.cert, &report, e);
    rejected_candidate_clear(&remedy);
    if (is_err(r)) {
        cJSON_Delete(report);
        return r;
    }
    struct object o = object_begin();
    object_add(&o, "file", report);
    return admin_trust_result(a, &o, result, e);
}

static const char *const list_params[] = {"account", "pem", NULL};
static const char *const show_params[] = {"id", NULL};
static const char *const trust_params[] = {"id", "sha256", NULL};
const struct jsonrpc_method admin_rejected_methods[] = {
    {"rejected.list", list_params, list},
    {"rejected.show", show_params, show},
    {"rejected.trust", trust_params, trust},
    {NULL, NULL, NULL},
};
