#include "control/keyrules.h"

#include <string.h>

#include "base/ascii.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/wipe.h"
#include "control/command.h"
#include "control/dataurl.h"
#include "control/weburl.h"
#include "link/door_rules.h"
#include "pki/peername.h"

/*
 * RFC 3261 section 25.1: user = 1*( unreserved / escaped / user-unreserved ). What else an admin
 * may want, "@" above all, has to be written as an escape, or it would end the user part.
 */
struct result keyrule_user(struct slice value, struct errinfo *e)
{
    for (size_t i = 0; i < value.n; i++) {
        const uint8_t c = value.p[i];
        if (c == '%') {
            if (i + 2 >= value.n || ascii_hex(value.p[i + 1]) < 0 || ascii_hex(value.p[i + 2]) < 0)
                return fail(e, ERR_INVALID, "a %% in a user name is followed by two hex digits");
            i += 2;
        } else if (!ascii_is_alnum(c) && (c == 0 || strchr("-_.!~*'()&=+$,;?/", c) == NULL)) {
            return fail(e, ERR_INVALID,
                        "a user name is only the part before the @; write other characters as %%XX "
                        "(here %%%02X)",
                        c);
        }
    }
    return OK;
}

struct result keyrule_host(struct slice value, struct errinfo *e)
{
    struct peername ignored;

    return peername_parse(value, &ignored, e);
}

struct result keyrule_local_peer(struct slice value, struct errinfo *e)
{
    struct addr ignored;

    if (value.n != 0 && !door_address(value, &ignored))
        return fail(e, ERR_INVALID,
                    "it has to be an address of the phone itself with a port, such as "
                    "127.0.0.1:5080");
    return OK;
}

struct result keyrule_ssl_method(struct slice value, struct errinfo *e)
{
    if (slice_eq_str(value, "0") || slice_eq_str(value, "4"))
        return fail(e, ERR_INVALID,
                    "TLS 1.0 and 1.1 are broken and never used (RFC 8996); use 3, the best that "
                    "the server has");
    if (!slice_eq_str(value, "3") && !slice_eq_str(value, "5") && !slice_eq_str(value, "6"))
        return fail(e, ERR_INVALID, "use 3 (TLS 1.3 or 1.2), 5 (TLS 1.2 only) or 6 (TLS 1.3 only)");
    return OK;
}

/* --- URLs --- */

static RESULT parse_url(struct slice value, struct weburl *out, struct errinfo *e)
{
    char text[LIMIT_URL];

    if (value.n >= sizeof text)
        return fail(e, ERR_INVALID, "the URL is longer than %zu bytes", sizeof text - 1);
    if (!slice_to_str(value, text, sizeof text))
        return fail(e, ERR_INVALID, "this is not a URL");
    const struct result r = weburl_parse(text, out, e);
    wipe(text, value.n); /* there may be a password in it */
    return r;
}

struct result keyrule_certificate_url(struct slice value, struct errinfo *e)
{
    struct weburl url;
    struct buf content;
    struct result r;

    if (!dataurl_is(value)) {
        TRY(parse_url(value, &url, e));
        weburl_clear(&url);
        return OK;
    }
    buf_init(&content, LIMIT_SETTINGS_LINE);
    r = dataurl_decode(value, &content, e);
    buf_wipe(&content);
    return r;
}

struct result keyrule_delete_url(struct slice value, struct errinfo *e)
{
    char name[COMMAND_NAME_SIZE];
    bool all;

    return command_delete_target(value, name, &all, e);
}

/* It is shown to whoever may see settings: passwords have keys of their own. */
static RESULT check_shown(struct slice value, bool directory, struct errinfo *e)
{
    struct weburl url;

    TRY(parse_url(value, &url, e));
    const bool user = url.user != NULL;
    const bool query = url.target[weburl_path_len(&url)] != '\0';
    weburl_clear(&url);
    if (user)
        return fail(e, ERR_INVALID,
                    "a URL that is kept has no user name or password in it: set "
                    "static.auto_provision.server.username and .password");
    if (directory && query)
        return fail(e, ERR_INVALID,
                    "the URL is that of a directory, to which the names of the files are added: it "
                    "cannot have a '?'");
    return OK;
}

struct result keyrule_server_url(struct slice value, struct errinfo *e)
{
    return check_shown(value, true, e);
}

struct result keyrule_report_url(struct slice value, struct errinfo *e)
{
    return check_shown(value, false, e);
}

/* RFC 3986 section 2.3: characters that mean themselves in every URL. */
static bool is_plain_segment(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_alnum(s.p[i]) && (s.p[i] == 0 || strchr("-._~", s.p[i]) == NULL))
            return false;
    return s.n != 0 && !slice_eq_str(s, ".") && !slice_eq_str(s, "..");
}

struct result keyrule_common_file(struct slice value, struct errinfo *e)
{
    for (struct slice rest = value; rest.p != NULL;)
        if (!is_plain_segment(slice_cut(&rest, '/')))
            return fail(e, ERR_INVALID,
                        "it has to be the name of a file below the server's URL, of letters, "
                        "digits, '.', '-', '_' and '~', such as common.cfg or models/t40.cfg");
    return OK;
}
