#include "control/report.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "control/lock.h"
#include "control/object.h"
#include "pki/certprofile.h"

/* --- an account --- */

static struct cJSON *reason_at(const void *ctx, size_t i)
{
    const struct reason *r = &((const struct verdict *)ctx)->reasons[i];
    struct object o = object_begin();

    object_text(&o, "code", reason_name(r->code));
    object_add(&o, "depth", r->depth >= 0 ? cJSON_CreateNumber(r->depth) : cJSON_CreateNull());
    object_text(&o, "certificate", r->about);
    object_text(&o, "sentence", r->sentence);
    return object_end(&o);
}

struct cJSON *report_reasons(const struct verdict *v)
{
    return object_array(v->reasons_count, reason_at, v);
}

static struct cJSON *certificate_at(const void *ctx, size_t i)
{
    const struct verdict_cert *c = &((const struct verdict *)ctx)->path[i];
    struct object o = object_begin();

    object_text(&o, "certificate", c->label);
    object_sha256(&o, c->sha256);
    object_time(&o, "not_before", c->not_before_s);
    object_time(&o, "not_after", c->not_after_s);
    return object_end(&o);
}

static const char *source_name(enum trust_source source)
{
    return source == TRUST_SOURCE_BUILTIN ? "builtin" : "custom";
}

/* Who is on the other side, or was refused there. */
static struct cJSON *peer(const struct account_status *s, const struct verdict *v)
{
    char address[ADDR_TEXT_SIZE] = "";
    struct object o = object_begin();

    if (s->remote.family != 0)
        addr_format(&s->remote, address);
    object_text(&o, "host", s->host);
    object_text(&o, "address", address);
    object_text(&o, "protocol", s->tls.version);
    object_text(&o, "cipher", s->tls.cipher);
    object_bool(&o, "resumed", s->tls.resumed);
    object_text(&o, "name", v->matched);
    object_add(&o, "chain", object_array(v->path_len, certificate_at, v));
    object_text(&o, "anchor", v->anchored ? source_name(v->anchor_source) : NULL);
    return object_end(&o);
}

enum registration_state report_registration_state(const struct account_status *s)
{
    return s->registration == REGISTRATION_REFRESHING ? REGISTRATION_REGISTERED : s->registration;
}

static void add_registration(struct object *o, const struct account_status *s)
{
    const struct errinfo *error = s->registration_error;

    object_text(o, "state", registration_state_name(report_registration_state(s)));
    object_number(o, "expires_s", s->granted_s);
    object_add(o, "status",
               s->registration_status != 0 ? cJSON_CreateNumber(s->registration_status)
                                           : cJSON_CreateNull());
    object_text(o, "error", error->code != ERR_OK ? error->text : NULL);
}

static struct cJSON *registration(const struct account_status *s)
{
    struct object o = object_begin();

    add_registration(&o, s);
    return object_end(&o);
}

struct cJSON *report_registration(const struct account_status *s)
{
    struct object o = object_begin();

    object_number(&o, "account", s->number);
    add_registration(&o, s);
    return object_end(&o);
}

struct cJSON *report_account(const struct account_status *s)
{
    const struct verdict *v = lock_verdict(s);
    struct lock_entry lock;
    struct object o = object_begin();

    lock_reduce(s, &lock);
    object_number(&o, "account", s->number);
    object_text(&o, "label", s->label);
    object_text(&o, "aor", s->aor);
    object_text(&o, "state", lock_state_name(lock.state));
    object_bool(&o, "lock", lock.lock);
    object_text(&o, "assurance", lock_assurance_name(lock.assurance));
    object_bool(&o, "encrypted", s->encrypted);
    object_text(&o, "verdict", verdict_class_name(lock.verdict));
    object_text(&o, "code", lock.code);
    object_text(&o, "sentence", lock.sentence);
    object_add(&o, "reasons", object_array(v != NULL ? v->reasons_count : 0, reason_at, v));
    object_add(&o, "registration", registration(s));
    object_add(&o, "peer", v != NULL ? peer(s, v) : cJSON_CreateNull());
    object_add(&o, "retry_in_ms",
               s->state == ACCOUNT_WAITING ? cJSON_CreateNumber(s->retry_in_ms)
                                           : cJSON_CreateNull());
    object_number(&o, "failures", s->failures);
    return object_end(&o);
}

/* --- an inbound connection --- */

static struct cJSON *inbound_peer(const struct inbound_status *s)
{
    const struct verdict *v = s->verdict;
    char address[ADDR_TEXT_SIZE];
    struct object o = object_begin();

    addr_format(&s->remote, address);
    object_text(&o, "address", address);
    object_text(&o, "protocol", s->tls.version);
    object_text(&o, "cipher", s->tls.cipher);
    object_bool(&o, "resumed", s->tls.resumed);
    object_text(&o, "certificate", v->path_len != 0 ? v->path[0].label : NULL);
    object_add(&o, "chain", object_array(v->path_len, certificate_at, v));
    object_text(&o, "anchor", v->anchored ? source_name(v->anchor_source) : NULL);
    return object_end(&o);
}

struct cJSON *report_inbound(const struct inbound_status *s)
{
    struct lock_entry lock;
    char id[17]; /* as text: JSON's numbers have 53 bits */
    struct object o = object_begin();

    lock_reduce_inbound(s, &lock);
    (void)snprintf(id, sizeof id, "%016" PRIx64, s->id);
    object_text(&o, "id", id);
    object_text(&o, "state", lock_state_name(lock.state));
    object_bool(&o, "lock", lock.lock);
    object_text(&o, "assurance", lock_assurance_name(lock.assurance));
    object_text(&o, "verdict", verdict_class_name(lock.verdict));
    object_text(&o, "code", lock.code);
    object_text(&o, "sentence", lock.sentence);
    object_add(&o, "reasons", report_reasons(s->verdict));
    object_add(&o, "account",
               s->account != 0 ? cJSON_CreateNumber(s->account) : cJSON_CreateNull());
    object_add(&o, "peer", inbound_peer(s));
    return object_end(&o);
}

struct cJSON *report_inbound_untold(unsigned connections)
{
    const int seconds = LIMIT_INBOUND_TALLY_MS / 1000;
    char sentence[LIMIT_TEXT];
    struct object o = object_begin();

    (void)snprintf(sentence, sizeof sentence,
                   "%u more connection%s made to the phone within %d s: too many to tell of each",
                   connections, connections == 1 ? " was" : "s were", seconds);
    object_number(&o, "connections", connections);
    object_number(&o, "seconds", seconds);
    object_text(&o, "sentence", sentence);
    return object_end(&o);
}

/* --- clock and trust --- */

struct cJSON *report_clock(struct wallclock now)
{
    struct object o = object_begin();

    object_text(&o, "state", clock_state_name(now.state));
    object_time(&o, "time", now.epoch_s);
    return object_end(&o);
}

struct cJSON *report_trust(const struct trust *t, enum trust_filter filter)
{
    struct object o = object_begin();

    object_number(&o, "generation", (double)trust_generation(t));
    object_number(&o, "builtin", (double)trust_count(t, TRUST_DEFAULT));
    object_number(&o, "custom", (double)trust_count(t, TRUST_CUSTOM));
    object_text(&o, "filter", report_filter_name(filter));
    return object_end(&o);
}

/* What is told of any certificate. */
static void add_certificate(struct object *o, const struct cert *c, struct wallclock now)
{
    uint8_t sha256[HASH_SHA256_SIZE];
    char text[LIMIT_REPORT_TEXT];

    cert_subject_text(c, text, sizeof text);
    object_text(o, "subject", text);
    cert_sha256(c, sha256);
    object_sha256(o, sha256);
    object_time(o, "not_before", cert_not_before(c));
    object_time(o, "not_after", cert_not_after(c));
    object_bool(o, "expired", cert_not_after(c) < now.epoch_s);
    cert_key_text(c, text, sizeof text);
    object_text(o, "key", text);
}

static void add_label(struct object *o, const struct cert *c)
{
    char text[LIMIT_REPORT_TEXT];

    cert_label(c, text, sizeof text);
    object_text(o, "name", text);
}

struct cJSON *report_cert(const struct cert *c, struct wallclock now, bool with_pem)
{
    struct object o = object_begin();

    add_label(&o, c);
    add_certificate(&o, c, now);
    if (with_pem)
        object_pem(&o, cert_der(c));
    return object_end(&o);
}

struct cJSON *report_anchor(const struct trust_anchor *a, struct wallclock now, bool with_pem)
{
    const bool builtin = a->source == TRUST_SOURCE_BUILTIN;
    struct object o = object_begin();

    add_label(&o, a->cert);
    object_text(&o, "source", source_name(a->source));
    object_text(&o, "operator", builtin ? a->name : NULL);
    object_text(&o, "file", builtin ? NULL : a->name);
    add_certificate(&o, a->cert, now);
    if (with_pem)
        object_pem(&o, cert_der(a->cert));
    return object_end(&o);
}

struct cJSON *report_replaced(const struct identity *id, const char *why, struct wallclock now)
{
    const struct cert *leaf = id != NULL ? identity_leaf(id) : NULL;
    const int64_t left_s = leaf != NULL ? cert_not_after(leaf) - now.epoch_s : 0;
    const int64_t days = left_s > 0 ? left_s / 86400 : 0;
    uint8_t sha256[HASH_SHA256_SIZE];
    struct object o = object_begin();

    object_text(&o, "role", "own");
    object_add(&o, "accounts", cJSON_CreateArray());
    if (leaf != NULL) {
        add_label(&o, leaf);
        cert_sha256(leaf, sha256);
        object_sha256(&o, sha256);
        object_time(&o, "not_after", cert_not_after(leaf));
    } else {
        object_text(&o, "name", NULL);
        object_text(&o, "sha256", NULL);
        object_text(&o, "not_after", NULL);
    }
    object_number(&o, "days_left", (double)days);
    object_text(&o, "state", "replaced");
    object_text(&o, "sentence", why);
    return object_end(&o);
}

static struct cJSON *complaint_at(const void *ctx, size_t i)
{
    const struct complaint *said = &((const struct complaints *)ctx)->list[i];
    struct object o = object_begin();

    object_text(&o, "file", said->file);
    object_text(&o, "sentence", said->text);
    return object_end(&o);
}

struct cJSON *report_complaints(const struct complaints *c)
{
    return object_array(c->count, complaint_at, c);
}

/* --- certificates that end --- */

static struct cJSON *account_numbers(uint32_t accounts)
{
    int numbers[LIMIT_ACCOUNTS], n = 0;

    for (int i = 0; i < LIMIT_ACCOUNTS; i++)
        if ((accounts >> i & 1) != 0)
            numbers[n++] = i + 1;
    return cJSON_CreateIntArray(numbers, n);
}

struct cJSON *report_certificate(const struct expiry_notice *n)
{
    char sentence[LIMIT_REPORT_TEXT];
    struct object o = object_begin();

    object_text(&o, "role", expiry_role_name(n->item->role));
    object_add(&o, "accounts", account_numbers(n->item->accounts));
    object_text(&o, "name", n->item->name);
    object_sha256(&o, n->item->sha256);
    object_time(&o, "not_after", n->item->not_after_s);
    object_number(&o, "days_left", (double)expiry_days_left(n));
    object_text(&o, "state", expiry_state_name(n));
    expiry_sentence(n, sentence, sizeof sentence);
    object_text(&o, "sentence", sentence);
    return object_end(&o);
}

/* --- local ports --- */

struct cJSON *report_local_port(const struct door_status *s)
{
    char text[ADDR_TEXT_SIZE];
    struct object o = object_begin();

    object_number(&o, "account", s->account);
    (void)snprintf(text, sizeof text, "127.0.0.1:%u", (unsigned)s->port);
    object_text(&o, "address", text);
    object_bool(&o, "listening", s->open);
    object_text(&o, "registers", s->stack_registers ? "stack" : "sipsd");
    text[0] = '\0';
    if (s->stack.family != 0)
        addr_format(&s->stack, text);
    object_text(&o, "stack", text);
    object_number(&o, "connections", (double)s->connections);
    object_number(&o, "calls", s->calls);
    return object_end(&o);
}

/* --- rules --- */

static const char *const filter_names[] = {
    [TRUST_DEFAULT] = "default", [TRUST_CUSTOM] = "custom", [TRUST_ALL] = "all"};

struct cJSON *report_rules(const struct account_status *s)
{
    static const char *const versions[] = {
        [TLS_1_2_AND_1_3] = "any", [TLS_1_2_ONLY] = "1.2", [TLS_1_3_ONLY] = "1.3"};
    const struct account_rules *r = &s->rules;
    struct object o = object_begin();

    object_add(&o, "account", cJSON_CreateNumber(s->number));
    object_text(&o, "host", s->host);
    object_add(&o, "port", cJSON_CreateNumber(r->port));
    object_add(&o, "name",
               r->name != NULL ? cJSON_CreateString(r->name->text) : cJSON_CreateNull());
    object_add(&o, "check_trust", cJSON_CreateBool(r->policy->check_trust));
    object_text(&o, "filter", report_filter_name(r->filter));
    object_text(&o, "rules", peername_rules_name(r->policy->rules));
    object_text(&o, "profile", certprofile_name(r->policy->profile));
    object_text(&o, "tls", versions[r->versions]);
    return object_end(&o);
}

const char *report_filter_name(enum trust_filter f)
{
    return filter_names[f];
}

bool report_filter_from_name(const char *name, enum trust_filter *out)
{
    for (int f = TRUST_DEFAULT; f <= TRUST_ALL; f++) {
        if (strcmp(name, filter_names[f]) == 0) {
            *out = (enum trust_filter)f;
            return true;
        }
    }
    return false;
}
