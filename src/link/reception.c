#include "link/reception.h"

#include <stdio.h>
#include <string.h>

#include "sip/checksync.h"
#include "sip/field.h"
#include "sip/uri.h"

/* --- who sends --- */

bool reception_names_server(const struct cert *client, enum peername_rules rules,
                            const struct account *a)
{
    struct peername name;
    return client != NULL &&
           is_ok(peername_parse(slice_of_str(account_status(a).host), &name, NULL)) &&
           is_ok(peername_match(&name, cert_fields(client), rules, NULL, 0, NULL));
}

bool reception_is_server(const struct reception *r, const struct account *a)
{
    return route_has(account_status(a).route, &r->from) ||
           reception_names_server(r->client, r->rules, a);
}

static bool is_anybodys_server(const struct reception *r)
{
    for (size_t i = 0; i < r->accounts->count(r->accounts->arg); i++)
        if (reception_is_server(r, r->accounts->at(r->accounts->arg, i)))
            return true;
    return false;
}

/* --- whom it is for --- */

/* The URI of the header field FIELD; false if it is not "sip:" or "sips:". */
static bool party(const struct sip_message *m, const char *field, struct sip_uri *out)
{
    return sip_uri_parse(sip_field_uri(slice_of_str(sip_message_header(m, field, 0))), out);
}

/*
 * How well A fits; 0 if not at all. The Request-URI is the Contact of the registration, whose host
 * is the phone's: accounts of one name at two servers are told apart by who sends, then by the
 * domain.
 */
static unsigned fit(const struct reception *r, const struct sip_message *m,
                    const struct sip_uri *target, const struct account *a)
{
    struct sip_uri aor, to;
    if (!sip_uri_parse(slice_of_str(account_status(a).aor), &aor) ||
        !sip_user_equal(aor.userinfo, target->userinfo))
        return 0;
    const bool domain = slice_eq_nocase(aor.host, target->host) ||
                        (party(m, "To", &to) && slice_eq_nocase(aor.host, to.host));
    return 1 + (reception_is_server(r, a) ? 2U : 0U) + (domain ? 1U : 0U);
}

static struct account *find_account(const struct reception *r, const struct sip_message *m,
                                    const struct sip_uri *target)
{
    struct account *best = NULL;
    unsigned best_fit = 0;
    for (size_t i = 0; i < r->accounts->count(r->accounts->arg); i++) {
        struct account *a = r->accounts->at(r->accounts->arg, i);
        const unsigned f = fit(r, m, target, a);
        if (f > best_fit) {
            best_fit = f;
            best = a;
        }
    }
    return best;
}

struct account *reception_asker(const struct reception *r, const struct sip_message *m)
{
    struct sip_uri from;
    return party(m, "From", &from) ? find_account(r, m, &from) : NULL;
}

static bool is_within_a_call(const struct sip_message *m)
{
    return sip_message_to_tag(m)[0] != '\0';
}

/* Within a call the Request-URI is the Contact of whoever has it (RFC 3261 section 12.2.1.1), which
 * can be anything; To is what the call began with. */
static struct account *addressee(const struct reception *r, const struct sip_message *m,
                                 const struct sip_uri *target)
{
    struct sip_uri to;
    struct account *a = find_account(r, m, target);
    if (a == NULL && is_within_a_call(m) && party(m, "To", &to))
        a = find_account(r, m, &to);
    return a;
}

/* --- what is refused --- */

static bool is_method(const struct sip_message *m, const char *method)
{
    return strcmp(sip_message_method(m), method) == 0;
}

static void refuse(struct reception_answer *out, int status, const char *reason)
{
    out->status = status;
    out->reason = reason;
}

/* Section 16.3, item 3: OPTIONS may end here instead. */
static bool no_hop_is_left(const struct sip_message *m)
{
    uint64_t hops;
    return sip_message_number(m, "Max-Forwards", 255, &hops) && hops == 0 &&
           !is_method(m, "OPTIONS");
}

/* The option tags of FIELD, none of which we know, as an Unsupported header field; false if there
 * are none. */
static bool list_unsupported(const struct sip_message *m, const char *field, char *out, size_t size)
{
    const char *tag;
    size_t used = 0;
    for (size_t n = 0; (tag = sip_message_header(m, field, n)) != NULL; n++) {
        const size_t room = size - used;
        if (!sip_token_valid(slice_of_str(tag)) ||
            strlen(tag) + sizeof "Unsupported: , \r\n" > room)
            continue;
        used += (size_t)snprintf(out + used, room, "%s%s", used == 0 ? "Unsupported: " : ", ", tag);
    }
    if (used != 0)
        (void)snprintf(out + used, size - used, "\r\n");
    return used != 0;
}

/* Section 16.3, item 5; what only the one who takes the call must know (Require, section 8.2.2.3)
 * is ours to refuse where we answer ourselves. */
static bool wants_unknown_extension(const struct sip_message *m, struct reception_answer *out)
{
    return list_unsupported(m, "Proxy-Require", out->extra, sizeof out->extra) ||
           (is_method(m, "OPTIONS") &&
            list_unsupported(m, "Require", out->extra, sizeof out->extra));
}

/* OPTIONS without a user asks the phone itself. */
static bool needs_no_account(const struct sip_message *m, const struct sip_uri *target)
{
    return is_within_a_call(m) || (is_method(m, "OPTIONS") && target->userinfo.n == 0);
}

void reception_decide(const struct reception *r, const struct sip_message *m,
                      struct reception_answer *out)
{
    struct sip_uri target;
    *out = (struct reception_answer){.status = 0};
    if (r->trust_ctrl && !is_anybodys_server(r)) { /* strangers learn nothing of the accounts */
        refuse(out, 403, "Forbidden");
        return;
    }
    if (!sip_uri_parse(slice_of_str(sip_message_uri(m)), &target)) {
        refuse(out, 416, "Unsupported URI Scheme");
        return;
    }
    if (no_hop_is_left(m)) {
        refuse(out, 483, "Too Many Hops");
        return;
    }
    if (wants_unknown_extension(m, out)) {
        refuse(out, 420, "Bad Extension");
        return;
    }
    out->account = addressee(r, m, &target);
    if (out->account == NULL && !needs_no_account(m, &target))
        refuse(out, 404, "Not Found");
    else if ((out->account != NULL && r->trust_ctrl && !reception_is_server(r, out->account)) ||
             (r->no_check_sync && checksync_of(m) == CHECKSYNC_FETCH))
        refuse(out, 403, "Forbidden");
}
