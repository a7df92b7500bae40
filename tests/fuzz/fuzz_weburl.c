/*
 * A URL in the first line and Locations that it redirects to in the lines behind: what is taken
 * says the same when it is written out and read again, and no redirect leads down from HTTPS.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "control/weburl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_taken(const struct weburl *u)
{
    char text[8 * LIMIT_URL]; /* what it was read from had to fit, and bytes become three */
    struct weburl again;

    check(u->target[0] == '/' && u->port > 0 && u->authority[0] != '\0');
    for (const char *p = u->target; *p != '\0'; p++)
        check((unsigned char)*p > ' ' && (unsigned char)*p < 0x7f);
    (void)snprintf(text, sizeof text, "%s://%s%s", u->secure ? "https" : "http", u->authority,
                   u->target);
    if (strlen(text) >= LIMIT_URL)
        return;
    check(is_ok(weburl_parse(text, &again, NULL)));
    check(again.secure == u->secure && again.port == u->port);
    check(strcmp(again.host.text, u->host.text) == 0);
    check(strcmp(again.authority, u->authority) == 0);
    weburl_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of(data, size);
    char text[LIMIT_URL + 16];
    struct weburl from, to;

    if (!slice_to_str(slice_cut(&rest, '\n'), text, sizeof text) ||
        is_err(weburl_parse(text, &from, NULL)))
        return 0;
    check_taken(&from);
    while (rest.n > 0) {
        if (!slice_to_str(slice_cut(&rest, '\n'), text, sizeof text) ||
            is_err(weburl_follow(&from, text, &to, NULL)))
            continue;
        check_taken(&to);
        check(to.secure || !from.secure);
        check(to.user == NULL || (from.user != NULL && strcmp(to.authority, from.authority) == 0));
        weburl_clear(&to);
    }
    weburl_clear(&from);
    return 0;
}
