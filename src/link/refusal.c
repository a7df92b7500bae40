#include "link/refusal.h"

#include "base/limits.h"

/* The first row that fits counts; the sentence is followed by " (403 Forbidden)". */
static const struct row {
    int from;
    int to;
    bool credentials; /* only if the request had some */
    bool of_account;
    enum err code;
    const char *sentence;
} rows[] = {
    {401, 401, false, true, ERR_AUTH, "the server refused the user name or password"},
    {403, 403, true, true, ERR_AUTH, "the server refused the user name or password"},
    {403, 403, false, true, ERR_DENIED, "the server does not let this account register"},
    {404, 404, false, true, ERR_NOT_FOUND, "the server does not know this account"},
    {407, 407, false, true, ERR_AUTH, "the proxy refused the user name or password"},
    {408, 408, false, false, ERR_TIMEOUT, "the server waited in vain for another one"},
    {423, 423, false, false, ERR_PEER, "the server is content with no length of a registration"},
    {504, 504, false, false, ERR_TIMEOUT, "the server waited in vain for another one"},
    {604, 604, false, true, ERR_NOT_FOUND, "the server does not know this account"},
    {300, 399, false, false, ERR_UNSUPPORTED,
     "the server points to another one, which is not asked"},
    {500, 599, false, false, ERR_PEER, "the server cannot register the account now"},
    {300, 699, false, false, ERR_PEER, "the server refused the registration"},
};

static const struct row *find_row(int status, bool credentials)
{
    const struct row *r = rows;
    while (status < r->from || status > r->to || (r->credentials && !credentials))
        r++;
    return r;
}

struct refusal refusal_read(const struct sip_message *m, bool credentials, struct errinfo *e)
{
    const int status = sip_message_status(m);
    const struct row *row = find_row(status, credentials);
    uint64_t wait = 0;
    IGNORE(fail(e, row->code, "%s (%d%s%.60s)", row->sentence, status,
                sip_message_reason(m)[0] != '\0' ? " " : "", sip_message_reason(m)));
    (void)sip_message_number(m, "Retry-After", UINT32_MAX, &wait);
    return (struct refusal){
        .of_account = row->of_account,
        .retry_after_s = wait < LIMIT_RETRY_AFTER_S ? (uint32_t)wait : LIMIT_RETRY_AFTER_S,
    };
}
