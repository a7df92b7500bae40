#include "control/fetchway.h"

#include <stdio.h>
#include <string.h>

#include "base/ascii.h"
#include "base/limits.h"
#include "base/mac.h"
#include "control/phone.h"

#define AGENT_SIZE 64

/* What is asked of whom. */
struct asking {
    const char *url;
    bool login; /* user and password are for that server */
    bool known; /* it may know which phone this is */
};

/* The certificate that the settings want servers to be shown, or NULL: there is none. */
static struct identity *own_identity(const struct fetchway *w, const struct phone_fetch *rules)
{
    char why[ERRINFO_TEXT_MAX];
    const struct identity_slots *slots = credentials_slots(w->credentials);
    const struct identity_slot *slot =
        identity_slot_of(slots, identity_choose(slots, rules->identity, why, sizeof why));

    return slot != NULL ? slot->identity : NULL;
}

static struct result make_profile(const struct fetchway *w, const struct phone_fetch *rules,
                                  struct tls_profile **out, struct errinfo *e)
{
    const struct tls_profile_params params = {
        .role = TLS_CLIENT,
        .versions = rules->versions,
        .identity = own_identity(w, rules),
        .rng = *w->rng,
    };

    return tls_profile_new(&params, out, e);
}

/* "001565a1b2c3": provisioning servers look for it as it stands in file names. */
static void lower_mac(const char *mac, char out[MAC_TEXT_SIZE])
{
    struct mac parsed;

    out[0] = '\0';
    if (!mac_parse(slice_of_str(mac), &parsed))
        return;
    mac_text(&parsed, out);
    for (char *c = out; *c != '\0'; c++)
        *c = (char)ascii_lower((uint8_t)*c);
}

static void write_agent(const struct fetchway *w, bool with_mac, char out[AGENT_SIZE])
{
    char mac[MAC_TEXT_SIZE];

    lower_mac(w->mac, mac);
    (void)snprintf(out, AGENT_SIZE, with_mac ? "%.40s %s" : "%.40s", w->agent, mac);
}

/* Begins what is said in F, with all that is the same for everything that is fetched. */
static struct result begin(const struct fetchway *w, const struct asking *a, struct fetch_params *f,
                           fetch_fn *fn, void *fn_arg, struct fetch **out, struct errinfo *e)
{
    struct phone_fetch rules;
    struct weburl url;
    char agent[AGENT_SIZE];

    TRY(weburl_parse(a->url, &url, e));
    const bool secure = url.secure;
    weburl_clear(&url);
    write_agent(w, a->known && secure, agent);
    phone_fetch(w->settings(w->settings_arg), &rules);
    TRY(make_profile(w, &rules, &f->profile, e));
    f->loop = w->loop;
    f->dns = w->dns;
    f->clock = w->clock;
    f->trust = credentials_trust(w->credentials);
    f->filter = rules.filter;
    f->check_name = rules.check_name;
    f->policy = rules.policy;
    f->on_refused = w->on_refused;
    f->on_refused_arg = w->on_refused_arg;
    f->url = a->url;
    f->user = a->login ? rules.user : NULL;
    f->password = a->login ? rules.password : NULL;
    f->allow_http = rules.allow_http;
    f->user_agent = agent;
    const struct result r = fetch_start(f, fn, fn_arg, out, e);
    tls_profile_unref(f->profile);
    return r;
}

RESULT fetchway_get(const struct fetchway *w, const struct fetch_wanted *wanted, fetch_fn *fn,
                    void *fn_arg, struct fetch **out, struct errinfo *e)
{
    const struct asking a = {wanted->url, .login = wanted->login, .known = wanted->login};
    struct fetch_params f = {
        .etag = wanted->etag,
        .last_modified = wanted->last_modified,
        .max_bytes = wanted->max_bytes,
    };

    return begin(w, &a, &f, fn, fn_arg, out, e);
}

/* Whether URL is at the provisioning server: by scheme, host and port. */
static bool is_at_server(const char *url, const char *server)
{
    struct weburl a, b = {0};
    bool same = false;

    if (is_err(weburl_parse(url, &a, NULL)))
        return false;
    if (is_ok(weburl_parse(server, &b, NULL)))
        same = a.secure == b.secure && a.port == b.port &&
               slice_eq_nocase(slice_of_str(a.host.text), slice_of_str(b.host.text));
    weburl_clear(&a);
    weburl_clear(&b);
    return same;
}

RESULT fetchway_post(const struct fetchway *w, const char *url, struct slice json, fetch_fn *fn,
                     void *fn_arg, struct fetch **out, struct errinfo *e)
{
    struct phone_fetch rules;
    struct fetch_params f = {.post = true, .body = json, .max_bytes = LIMIT_REPORT_ANSWER_BYTES};

    phone_fetch(w->settings(w->settings_arg), &rules);
    const struct asking a = {url, .login = is_at_server(url, rules.server), .known = true};
    return begin(w, &a, &f, fn, fn_arg, out, e);
}

/* --- for the engine --- */

static struct result start(void *arg, const struct fetch_wanted *wanted, fetch_fn *fn, void *fn_arg,
                           struct fetch **out, struct errinfo *e)
{
    return fetchway_get(arg, wanted, fn, fn_arg, out, e);
}

static void cancel(void *arg, struct fetch *f)
{
    (void)arg;
    fetch_cancel(f);
}

struct fetch_ops fetchway_ops(struct fetchway *w)
{
    return (struct fetch_ops){.start = start, .cancel = cancel, .arg = w};
}
