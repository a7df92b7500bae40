#include "control/phone.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mac.h"

#define PORT_SIPS     5061 /* RFC 3261 section 19.1.2 */
#define TRANSPORT_TLS 2

static uint16_t port_of(const struct settings *s, const char *name, unsigned x)
{
    const int64_t port = settings_int(s, name, x, 1);

    return port == 0 ? PORT_SIPS : (uint16_t)port;
}

/* NULL for none, where a text of settings is "". */
static const char *or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

/* ca_cert has the order of the enum. */
static enum trust_filter filter_of(int64_t ca_cert)
{
    static_assert(TRUST_DEFAULT == 0 && TRUST_CUSTOM == 1 && TRUST_ALL == 2, "as ca_cert is");
    return (enum trust_filter)ca_cert;
}

static enum tls_versions versions_of(int64_t ssl_method)
{
    switch (ssl_method) {
    case 5:
        return TLS_1_2_ONLY;
    case 6:
        return TLS_1_3_ONLY;
    default:
        return TLS_1_2_AND_1_3;
    }
}

/* The choices of cn_rules, profile and unset_clock, in their order. */
static const enum peername_rules rules[] = {PEERNAME_RFC2818, PEERNAME_RFC9525, PEERNAME_RFC5922};
static const enum verify_profile profiles[] = {VERIFY_PROFILE_PUBLIC, VERIFY_PROFILE_COMPATIBLE};
static const enum verify_clock_policy clocks[] = {VERIFY_CLOCK_WAIT, VERIFY_CLOCK_PROVISIONAL,
                                                  VERIFY_CLOCK_REFUSE};

static void security_of(const struct settings *s, unsigned x, struct account_config *out)
{
    out->policy = (struct verify_policy){
        .check_trust = settings_bool(s, "account.X.security.trust_certificates", x, 0),
        .rules = rules[settings_choice(s, "account.X.security.cn_rules", x, 0)],
        .profile = profiles[settings_choice(s, "account.X.security.certificate_profile", x, 0)],
        .clock = clocks[settings_choice(s, "account.X.security.unset_clock", x, 0)],
    };
    out->check_name = settings_bool(s, "account.X.security.cn_validation", x, 0);
    out->filter = filter_of(settings_int(s, "account.X.security.ca_cert", x, 0));
    out->versions = versions_of(settings_int(s, "account.X.security.default_ssl_method", x, 0));
}

static RESULT check_complete(const struct settings *s, const struct account_config *a,
                             struct errinfo *e)
{
    static const char *const transports[] = {"UDP", "TCP", "TLS", "what DNS says"};
    const unsigned x = (unsigned)a->number;
    const int64_t transport = settings_int(s, "account.X.sip_server.Y.transport_type", x, 1);

    if (transport != TRANSPORT_TLS)
        return fail(e, ERR_UNSUPPORTED,
                    "account %u uses %s and is left alone: sipsd handles accounts with "
                    "account.%u.sip_server.1.transport_type = 2 (TLS)",
                    x, transports[transport], x);
    if (a->user[0] == '\0')
        return fail(e, ERR_INVALID, "account %u has no user name: set account.%u.user_name", x, x);
    if (a->domain[0] == '\0')
        return fail(e, ERR_INVALID, "account %u has no server: set account.%u.sip_server.1.address",
                    x, x);
    if (a->proxy_host == NULL && settings_bool(s, "account.X.outbound_proxy_enable", x, 0))
        return fail(e, ERR_INVALID,
                    "account %u has no outbound proxy: set account.%u.outbound_proxy.1.address, or "
                    "account.%u.outbound_proxy_enable = 0",
                    x, x, x);
    if (a->registered_by_stack && settings_int(s, "account.X.local_port", x, 0) == 0)
        return fail(e, ERR_INVALID,
                    "account %u is to be registered by a SIP stack, which has no port to come to: "
                    "set account.%u.local_port",
                    x, x);
    return OK;
}

struct result phone_account(const struct settings *s, int number, struct account_config *out,
                            struct errinfo *e)
{
    const unsigned x = (unsigned)number;
    const bool proxy = settings_bool(s, "account.X.outbound_proxy_enable", x, 0);

    *out = (struct account_config){
        .number = number,
        .enabled = settings_bool(s, "account.X.enable", x, 0),
        .label = settings_text(s, "account.X.label", x, 0),
        .display_name = or_null(settings_text(s, "account.X.display_name", x, 0)),
        .user = settings_text(s, "account.X.user_name", x, 0),
        .auth_user = settings_text(s, "account.X.auth_name", x, 0),
        .password = settings_text(s, "account.X.password", x, 0),
        .domain = settings_text(s, "account.X.sip_server.Y.address", x, 1),
        .proxy_host =
            proxy ? or_null(settings_text(s, "account.X.outbound_proxy.Y.address", x, 1)) : NULL,
        .port = port_of(
            s, proxy ? "account.X.outbound_proxy.Y.port" : "account.X.sip_server.Y.port", x),
        .expires_s = (uint32_t)settings_int(s, "account.X.sip_server.Y.expires", x, 1),
        .registered_by_stack = settings_bool(s, "account.X.local_register", x, 0),
    };
    security_of(s, x, out);
    return out->enabled ? check_complete(s, out, e) : OK;
}

bool phone_door(const struct settings *s, int number, struct door_config *out)
{
    struct account_config a;
    if (is_err(phone_account(s, number, &a, NULL)) || !a.enabled)
        return false;
    *out = (struct door_config){
        .account = number,
        .port = (uint16_t)settings_int(s, "account.X.local_port", (unsigned)number, 0),
        .stack_registers = a.registered_by_stack,
        .user = a.user,
        .domain = a.domain,
        .peer = settings_text(s, "account.X.local_peer", (unsigned)number, 0),
    };
    return out->port != 0;
}

/* NULL is equal to NULL only. */
static bool text_differs(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a != b : strcmp(a, b) != 0;
}

static bool policy_differs(const struct verify_policy *a, const struct verify_policy *b)
{
    return a->check_trust != b->check_trust || a->rules != b->rules || a->clock != b->clock ||
           a->profile != b->profile || a->min_rsa_bits != b->min_rsa_bits ||
           a->allow_sha1 != b->allow_sha1 || a->client_eku_required != b->client_eku_required;
}

bool phone_account_differs(const struct account_config *a, const struct account_config *b)
{
    return a->number != b->number || a->enabled != b->enabled || text_differs(a->label, b->label) ||
           text_differs(a->display_name, b->display_name) || text_differs(a->user, b->user) ||
           text_differs(a->auth_user, b->auth_user) || text_differs(a->password, b->password) ||
           text_differs(a->domain, b->domain) || text_differs(a->proxy_host, b->proxy_host) ||
           a->port != b->port || a->expires_s != b->expires_s ||
           a->registered_by_stack != b->registered_by_stack ||
           policy_differs(&a->policy, &b->policy) || a->check_name != b->check_name ||
           a->filter != b->filter || a->versions != b->versions;
}

void phone_listener(const struct settings *s, struct listener_config *out)
{
    static_assert(TLS_CLIENT_AUTH_OFF == 0 && TLS_CLIENT_AUTH_REQUIRE == 2, "as the choices are");
    *out = (struct listener_config){
        .port = (uint16_t)settings_int(s, "sip.tls_listen_port", 0, 0),
        .versions = versions_of(settings_int(s, "static.security.sip.default_ssl_method", 0, 0)),
        .client_auth = (enum tls_client_auth)settings_choice(s, "sip.tls_client_auth", 0, 0),
        .filter = phone_trust_filter(s),
        .policy =
            {
                .check_trust = settings_bool(s, "static.security.sip.trust_certificates", 0, 0),
                .rules = rules[settings_choice(s, "static.security.sip.cn_rules", 0, 0)],
                .profile =
                    profiles[settings_choice(s, "static.security.sip.certificate_profile", 0, 0)],
                .clock = clocks[settings_choice(s, "static.security.sip.unset_clock", 0, 0)],
                .client_eku_required = settings_bool(s, "sip.tls_client_eku", 0, 0),
            },
        .trust_ctrl = settings_bool(s, "sip.trust_ctrl", 0, 0),
    };
}

#define FETCH(suffix) "static.security.auto_provision." suffix

void phone_fetch(const struct settings *s, struct phone_fetch *out)
{
    *out = (struct phone_fetch){
        .filter = filter_of(settings_int(s, FETCH("ca_cert"), 0, 0)),
        .check_name = settings_bool(s, FETCH("cn_validation"), 0, 0),
        .policy =
            {
                .check_trust = settings_bool(s, FETCH("trust_certificates"), 0, 0),
                .rules = rules[settings_choice(s, FETCH("cn_rules"), 0, 0)],
                .profile = profiles[settings_choice(s, FETCH("certificate_profile"), 0, 0)],
                .clock = clocks[settings_choice(s, FETCH("unset_clock"), 0, 0)],
            },
        .versions = versions_of(settings_int(s, FETCH("default_ssl_method"), 0, 0)),
        .identity = (enum identity_want)settings_int(s, FETCH("dev_cert"), 0, 0),
        .allow_http = settings_bool(s, "static.auto_provision.allow_http", 0, 0),
        .server = settings_text(s, "static.auto_provision.server.url", 0, 0),
        .user = settings_text(s, "static.auto_provision.server.username", 0, 0),
        .password = settings_text(s, "static.auto_provision.server.password", 0, 0),
    };
}

void phone_schedule(const struct settings *s, struct phone_schedule *out)
{
    const bool again = settings_bool(s, "static.auto_provision.repeat.enable", 0, 0);
    *out = (struct phone_schedule){
        .server = settings_text(s, "static.auto_provision.server.url", 0, 0),
        .power_on = settings_bool(s, "static.auto_provision.power_on", 0, 0),
        .period_min =
            again ? (uint32_t)settings_int(s, "static.auto_provision.repeat.minutes", 0, 0) : 0,
        .check_sync = settings_bool(s, "static.auto_provision.check_sync", 0, 0),
        .spread_s = (uint32_t)settings_int(s, "static.auto_provision.spread", 0, 0),
        .report = settings_text(s, "static.auto_provision.report.url", 0, 0),
    };
}

enum trust_filter phone_trust_filter(const struct settings *s)
{
    return filter_of(settings_int(s, "static.security.sip.ca_cert", 0, 0));
}

enum identity_want phone_identity(const struct settings *s)
{
    static_assert(IDENTITY_WANT_DEFAULT == 0 && IDENTITY_WANT_ANY == 2, "as dev_cert is");
    return (enum identity_want)settings_int(s, "static.security.sip.dev_cert", 0, 0);
}

bool phone_reserves_certs(const struct settings *s)
{
    return settings_bool(s, "phone_setting.reserve_certs_enable", 0, 0);
}

struct result phone_instance_id(const char *mac, char out[PHONE_INSTANCE_SIZE], struct errinfo *e)
{
    char digits[MAC_TEXT_SIZE];
    struct mac parsed;

    if (!mac_parse(slice_of_str(mac), &parsed))
        return fail(e, ERR_INVALID, "'%.32s' is no MAC address; one looks like 00:15:65:12:34:56",
                    mac);
    mac_text(&parsed, digits);
    (void)snprintf(out, PHONE_INSTANCE_SIZE, "urn:uuid:00000000-0000-1000-8000-%s", digits);
    return OK;
}
