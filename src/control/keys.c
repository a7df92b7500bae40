#include "control/keys.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "control/keyrules.h"

/* --- the table --- */

#define PORT_HELP "Its port; 0 is 5061, the port of SIPS"
#define DEV_CERT_HELP                                                                             \
    "Which certificate of its own the phone shows, to servers that ask for one and to whoever "   \
    "connects to it: 0 the maker's, "                                                             \
    "the unique one of this phone or else the generic one of all; "                               \
    "1 "                                                                                          \
    "the uploaded one; 2 the uploaded one, else the maker's. Where the one that is asked for is " \
    "not there or cannot be used, another is shown, and the log says why"

/* X(suffix, type, min, max, choices, initial, check, help): what can be said for all uses of TLS,
 * for SIP, and for one account; the narrower one counts. */
#define SECURITY_TABLE(X)                                                                          \
    X("trust_certificates", KEY_BOOL, 0, 1, NULL, "1", NULL,                                       \
      "1: only servers with a trusted certificate are accepted; 0: all are, and a wrong "          \
      "certificate is only reported")                                                              \
    X("ca_cert", KEY_INT, 0, 2, NULL, "2", NULL,                                                   \
      "Which trusted certificates count: 0 the built-in ones, 1 the custom ones, 2 all")           \
    X("cn_validation", KEY_BOOL, 0, 1, NULL, "1", NULL,                                            \
      "1: the name in the server's certificate must be the configured one; 0: any name will do")   \
    X("cn_rules", KEY_CHOICE, 0, 0, cn_rules, "rfc2818", NULL,                                     \
      "How the name is compared: rfc2818 as on the web of old, rfc9525 without common names, "     \
      "rfc5922 as for SIP domains, without wildcards")                                             \
    X("certificate_profile", KEY_CHOICE, 0, 0, profiles, "public", NULL,                           \
      "How closely certificates must keep to the form of public ones: public, or compatible with " \
      "home-made and old CAs (version 1, no key identifiers); who the server is, is checked in "   \
      "both")                                                                                      \
    X("default_ssl_method", KEY_INT, 0, 6, NULL, "3", keyrule_ssl_method,                          \
      "3: TLS 1.3, or 1.2 where the server has no more; 5: TLS 1.2 only; 6: TLS 1.3 only; 0 and "  \
      "4, the older ones, are refused")                                                            \
    X("unset_clock", KEY_CHOICE, 0, 0, unset_clock, "wait", NULL,                                  \
      "While the phone does not know the time: wait for it where dates decide, accept "            \
      "provisionally, or refuse all")

static const char *const cn_rules[] = {"rfc2818", "rfc9525", "rfc5922", NULL};
static const char *const profiles[] = {"public", "compatible", NULL};
static const char *const unset_clock[] = {"wait", "provisional", "refuse", NULL};
static const char *const client_auth[] = {"off", "request", "require", NULL};

#define ROW_GLOBAL(suffix, type, min, max, choices, initial, check, help) \
    {"static.security." suffix, type, min, max, choices, initial, NULL, check, help},
#define ROW_SIP(suffix, type, min, max, choices, initial, check, help) \
    {"static.security.sip." suffix, type,  min, max, choices, "",      \
     "static.security." suffix,     check, help},
#define ROW_PROVISION(suffix, type, min, max, choices, initial, check, help) \
    {"static.security.auto_provision." suffix,                               \
     type,                                                                   \
     min,                                                                    \
     max,                                                                    \
     choices,                                                                \
     "",                                                                     \
     "static.security." suffix,                                              \
     check,                                                                  \
     help},
#define ROW_ACCOUNT(suffix, type, min, max, choices, initial, check, help) \
    {"account.X.security." suffix,  type,  min, max, choices, "",          \
     "static.security.sip." suffix, check, help},

static const struct key table[] = {
    {"account.X.enable", KEY_BOOL, 0, 1, NULL, "0", NULL, NULL, "1: the account is in use"},
    {"account.X.label", KEY_TEXT, 0, 99, NULL, "", "account.X.user_name", NULL,
     "Its name on the phone's screen"},
    {"account.X.display_name", KEY_TEXT, 0, 99, NULL, "", NULL, NULL,
     "The name that other phones show of a caller"},
    {"account.X.user_name", KEY_TEXT, 0, 99, NULL, "", NULL, keyrule_user,
     "The user part of the address: alice in sips:alice@example.com"},
    {"account.X.auth_name", KEY_TEXT, 0, 99, NULL, "", "account.X.user_name", NULL,
     "The name to log in with"},
    {"account.X.password", KEY_SECRET, 0, 99, NULL, "", NULL, NULL, "The password to log in with"},
    {"account.X.sip_server.Y.address", KEY_TEXT, 0, 253, NULL, "", NULL, keyrule_host,
     "The registrar: a host name or an IP address. It is the domain of the account's address, and "
     "the name that the server's certificate must have"},
    {"account.X.sip_server.Y.port", KEY_INT, 0, 65535, NULL, "0", NULL, NULL, PORT_HELP},
    {"account.X.sip_server.Y.transport_type", KEY_INT, 0, 3, NULL, "0", NULL, NULL,
     "0 UDP, 1 TCP, 2 TLS, 3 as DNS says. Accounts with 2 are sipsd's; it reports the others and "
     "leaves them alone"},
    {"account.X.sip_server.Y.expires", KEY_INT, LIMIT_EXPIRES_MIN_S, LIMIT_REGISTER_MAX_S, NULL,
     "3600", NULL, NULL, "How long a registration shall last, in seconds"},
    {"account.X.outbound_proxy_enable", KEY_BOOL, 0, 1, NULL, "0", NULL, NULL,
     "1: connect to the outbound proxy instead of the registrar"},
    {"account.X.outbound_proxy.Y.address", KEY_TEXT, 0, 253, NULL, "", NULL, keyrule_host,
     "The outbound proxy: a host name or an IP address. The server's certificate must have its "
     "name then"},
    {"account.X.outbound_proxy.Y.port", KEY_INT, 0, 65535, NULL, "0", NULL, NULL, PORT_HELP},
    {"account.X.local_port", KEY_INT, 0, 65535, NULL, "0", NULL, NULL,
     "A port of 127.0.0.1 at which a SIP stack on the phone can use the account, over TCP and "
     "without TLS of its own; 0: none"},
    {"account.X.local_register", KEY_BOOL, 0, 1, NULL, "0", NULL, NULL,
     "1: the SIP stack at local_port registers the account, sipsd does not; 0: sipsd registers it"},
    {"account.X.local_peer", KEY_TEXT, 0, 21, NULL, "", NULL, keyrule_local_peer,
     "Where that SIP stack takes calls, such as 127.0.0.1:5080, if it has not connected and said "
     "so itself"},
    /* clang-format off */
    SECURITY_TABLE(ROW_GLOBAL)
    SECURITY_TABLE(ROW_SIP)
    SECURITY_TABLE(ROW_ACCOUNT)
    SECURITY_TABLE(ROW_PROVISION)
    /* clang-format on */
    {"static.security.dev_cert", KEY_INT, 0, 2, NULL, "2", NULL, NULL, DEV_CERT_HELP},
    {"static.security.sip.dev_cert", KEY_INT, 0, 2, NULL, "", "static.security.dev_cert", NULL,
     DEV_CERT_HELP},
    {"static.security.auto_provision.dev_cert", KEY_INT, 0, 2, NULL, "", "static.security.dev_cert",
     NULL, DEV_CERT_HELP},
    {"phone_setting.reserve_certs_enable", KEY_BOOL, 0, 1, NULL, "0", NULL, NULL,
     "1: uploaded certificates survive a reset of the phone"},
    {"sip.tls_listen_port", KEY_INT, 0, 65535, NULL, "5061", NULL, NULL,
     "The port on which the phone itself takes SIP over TLS; 0: it takes none"},
    {"sip.tls_client_auth", KEY_CHOICE, 0, 0, client_auth, "off", NULL, NULL,
     "Whether who connects to that port is asked for a certificate: off; request, and one that is "
     "shown must be right; require. It is judged as a server's would be, but for the name"},
    {"sip.tls_client_eku", KEY_BOOL, 0, 1, NULL, "0", NULL, NULL,
     "1: that certificate must be one for clients (clientAuth), where it says what it is for; 0: "
     "one for servers will do, for public CAs make no others any more"},
    {"sip.trust_ctrl", KEY_BOOL, 0, 1, NULL, "0", NULL, NULL,
     "1: on that port, requests are taken from an account's own server only, known by its address "
     "or by the name in its certificate; others get 403"},
    {"static.trusted_certificates.url", KEY_COMMAND, 0, LIMIT_SETTINGS_LINE, NULL, "", NULL,
     keyrule_certificate_url,
     "Trusts the certificates of the file at this URL: https, http where "
     "static.auto_provision.allow_http is 1, or a data: URL that has the file in it"},
    {"static.trusted_certificates.delete", KEY_COMMAND, 0, LIMIT_SETTINGS_LINE, NULL, "", NULL,
     keyrule_delete_url,
     "http://localhost/all forgets all custom trusted certificates; http://localhost/NAME the ones "
     "of that file, or the one whose SHA-256 begins with NAME"},
    {"static.server_certificates.url", KEY_COMMAND, 0, LIMIT_SETTINGS_LINE, NULL, "", NULL,
     keyrule_certificate_url,
     "Makes what is in the file at this URL, a certificate with its chain and private key, the "
     "phone's own; https, http or data: as above"},
    {"static.server_certificates.delete", KEY_COMMAND, 0, LIMIT_SETTINGS_LINE, NULL, "", NULL,
     keyrule_delete_url,
     "http://localhost/all forgets the uploaded certificate of the phone's own, and so does "
     "http://localhost/NAME"},
    {"static.auto_provision.server.url", KEY_TEXT, 0, LIMIT_URL - 1, NULL, "", NULL,
     keyrule_server_url,
     "The directory on the provisioning server that has the settings files, such as "
     "https://prov.example.com/phones/; without one nothing is fetched"},
    {"static.auto_provision.server.username", KEY_TEXT, 0, 99, NULL, "", NULL, NULL,
     "The name to log in with there, by basic or digest authentication"},
    {"static.auto_provision.server.password", KEY_SECRET, 0, 99, NULL, "", NULL, NULL,
     "The password to log in with there"},
    {"static.auto_provision.common_file", KEY_TEXT, 0, 99, NULL, "common.cfg", NULL,
     keyrule_common_file,
     "The file there that all phones read, before the one that is called by the phone's MAC "
     "address (001565123456.cfg); none: there is no such file"},
    {"static.auto_provision.power_on", KEY_BOOL, 0, 1, NULL, "1", NULL, NULL,
     "1: the phone fetches its settings when it starts"},
    {"static.auto_provision.repeat.enable", KEY_BOOL, 0, 1, NULL, "0", NULL, NULL,
     "1: it fetches them again and again"},
    {"static.auto_provision.repeat.minutes", KEY_INT, 1, LIMIT_PROVISION_REPEAT_MIN, NULL, "1440",
     NULL, NULL, "How often, in minutes"},
    {"static.auto_provision.check_sync", KEY_BOOL, 0, 1, NULL, "1", NULL, NULL,
     "1: it fetches them when an account's own server, verified by its certificate, says so with "
     "a SIP NOTIFY check-sync"},
    {"static.auto_provision.spread", KEY_INT, 0, LIMIT_PROVISION_SPREAD_S, NULL, "10", NULL, NULL,
     "Before a fetch that many phones may begin at the same time, each waits up to so many seconds "
     "at random"},
    {"static.auto_provision.allow_http", KEY_BOOL, 0, 1, NULL, "0", NULL, NULL,
     "1: settings and certificates may come over http, which anybody on the way can read and "
     "change; 0: only over https"},
    {"static.auto_provision.report.url", KEY_TEXT, 0, LIMIT_URL - 1, NULL, "", NULL,
     keyrule_report_url,
     "Where the phone sends, as JSON by POST, what came of each provisioning; without one it sends "
     "nothing"},
};

#define ROWS (sizeof table / sizeof table[0])

const char *key_type_name(enum key_type type)
{
    static const char *const names[] = {
        [KEY_BOOL] = "bool",     [KEY_INT] = "int",       [KEY_TEXT] = "text",
        [KEY_SECRET] = "secret", [KEY_CHOICE] = "choice", [KEY_COMMAND] = "command",
    };

    return names[type];
}

const struct key *keys_table(size_t *n)
{
    *n = ROWS;
    return table;
}

const struct key *keys_row(const char *name)
{
    for (size_t i = 0; i < ROWS; i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

static bool has_x(const struct key *k)
{
    return strstr(k->name, ".X.") != NULL;
}

static bool has_y(const struct key *k)
{
    return strstr(k->name, ".Y.") != NULL;
}

size_t key_xs(const struct key *k)
{
    return has_x(k) ? LIMIT_ACCOUNTS : 1;
}

size_t key_ys(const struct key *k)
{
    return has_y(k) ? LIMIT_SERVERS : 1;
}

struct key_ref key_at(const struct key *k, size_t i)
{
    return (struct key_ref){
        .key = k,
        .x = has_x(k) ? (unsigned)(i / key_ys(k)) + 1 : 0,
        .y = has_y(k) ? (unsigned)(i % key_ys(k)) + 1 : 0,
    };
}

/* --- between a file's words and a row with its numbers --- */

void key_name(const struct key *k, unsigned x, unsigned y, char out[KEY_NAME_SIZE])
{
    size_t used = 0;

    for (struct slice rest = slice_of_str(k->name); rest.p != NULL;) {
        const struct slice part = slice_cut(&rest, '.');
        const char *dot = rest.p != NULL ? "." : "";
        const bool is_x = slice_eq_str(part, "X"), is_y = slice_eq_str(part, "Y");
        const int n =
            is_x || is_y
                ? snprintf(out + used, KEY_NAME_SIZE - used, "%u%s", is_x ? x : y, dot)
                : snprintf(out + used, KEY_NAME_SIZE - used, "%.*s%s", SLICE_FMT(part), dot);
        used += (size_t)n;
        assert(used < KEY_NAME_SIZE);
    }
}

#define NAME_SIZE 64 /* longer than the longest name, with room to spare */

/* A number as names have it: no zero at the front. */
static bool is_number(struct slice part, unsigned *out)
{
    uint64_t value;

    if (!slice_to_u64(part, 999999, &value) || part.p[0] == '0')
        return false;
    *out = (unsigned)value;
    return true;
}

/* "account.3.label" becomes "account.X.label" and 3; false if it is longer than any name. */
static bool split(struct slice text, char name[NAME_SIZE], unsigned numbers[2])
{
    size_t used = 0, count = 0;

    for (struct slice rest = text; rest.p != NULL;) {
        struct slice part = slice_cut(&rest, '.');
        if (count < 2 && is_number(part, &numbers[count]))
            part = slice_of(&"XY"[count++], 1);
        if (used + part.n + 2 > NAME_SIZE)
            return false;
        if (part.n != 0)
            memcpy(name + used, part.p, part.n);
        used += part.n;
        if (rest.p != NULL)
            name[used++] = '.';
    }
    name[used] = '\0';
    return strlen(name) == used;
}

struct result key_find(struct slice text, struct key_ref *out, struct errinfo *e)
{
    char name[NAME_SIZE], shown[NAME_SIZE];
    unsigned numbers[2] = {0, 0};
    const struct key *k = split(text, name, numbers) ? keys_row(name) : NULL;

    utf8_clean(text, shown, sizeof shown);
    /* A name that has the letter X itself has no number. */
    if (k == NULL || has_x(k) != (numbers[0] != 0) || has_y(k) != (numbers[1] != 0))
        return fail(e, ERR_NOT_FOUND, "there is no key '%s'", shown);
    if (numbers[0] > key_xs(k) && has_x(k))
        return fail(e, ERR_NOT_FOUND, "'%s': accounts are numbered from 1 to %zu", shown,
                    key_xs(k));
    if (numbers[1] > key_ys(k) && has_y(k))
        return fail(e, ERR_NOT_FOUND, "'%s': servers and proxies are numbered from 1 to %zu", shown,
                    key_ys(k));
    *out = (struct key_ref){.key = k, .x = numbers[0], .y = numbers[1]};
    return OK;
}

/* --- values --- */

struct slice key_plain(struct slice value)
{
    value = slice_trim(value);
    return slice_eq_str(value, KEY_NULL) ? SLICE_EMPTY : value;
}

bool key_is_command(const struct key *k)
{
    return k->type == KEY_COMMAND;
}

static RESULT check_int(const struct key *k, struct slice value, struct errinfo *e)
{
    uint64_t number;

    if (!slice_to_u64(value, (uint64_t)k->max, &number) || number < (uint64_t)k->min)
        return fail(e, ERR_INVALID, "it has to be a number from %lld to %lld", (long long)k->min,
                    (long long)k->max);
    return OK;
}

static RESULT check_text(const struct key *k, struct slice value, struct errinfo *e)
{
    if (value.n > (size_t)k->max)
        return fail(e, ERR_INVALID, "it is longer than %lld bytes", (long long)k->max);
    if (!utf8_is_text(value))
        return fail(e, ERR_INVALID, "it has control characters in it, or is not UTF-8");
    return OK;
}

static RESULT check_choice(const struct key *k, struct slice value, struct errinfo *e)
{
    char all[128] = "";

    for (size_t i = 0, used = 0; k->choices[i] != NULL; i++) {
        if (slice_eq_str(value, k->choices[i]))
            return OK;
        used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i != 0 ? ", " : "",
                                 k->choices[i]);
    }
    return fail(e, ERR_INVALID, "it has to be one of %s", all);
}

struct result key_check(const struct key *k, struct slice value, struct errinfo *e)
{
    switch (k->type) {
    case KEY_BOOL:
        if (!slice_eq_str(value, "0") && !slice_eq_str(value, "1"))
            return fail(e, ERR_INVALID, "it has to be 0 or 1");
        break;
    case KEY_INT:
        TRY(check_int(k, value, e));
        break;
    case KEY_TEXT:
    case KEY_SECRET:
    case KEY_COMMAND:
        TRY(check_text(k, value, e));
        break;
    case KEY_CHOICE:
        TRY(check_choice(k, value, e));
        break;
    }
    return k->check != NULL ? k->check(value, e) : OK;
}
