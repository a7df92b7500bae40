#include "sys/neterr.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct result(neterr_system)(struct errinfo *e, int errnum, const char *what)
{
    switch (errnum) {
    case ETIMEDOUT:
        return fail_native(e, ERR_TIMEOUT, errnum, "%s: %s", what, strerror(errnum));
    case ENOMEM:
        return fail_native(e, ERR_NOMEM, errnum, "%s: %s", what, strerror(errnum));
    case EACCES:
    case EPERM:
        return fail_native(e, ERR_DENIED, errnum, "%s: %s", what, strerror(errnum));
    default:
        return fail_errno(e, errnum, "%s", what);
    }
}

struct result neterr_connect(struct errinfo *e, const struct addr *to, int errnum)
{
    char text[ADDR_TEXT_SIZE];
    char what[ADDR_TEXT_SIZE + 32];
    addr_format(to, text);
    (void)snprintf(what, sizeof what, "cannot connect to %s", text);
    return neterr_system(e, errnum, what);
}

struct result neterr_stream(struct errinfo *e, int errnum)
{
    switch (errnum) {
    case 0:
        return fail(e, ERR_CLOSED, "the other side closed the connection");
    case ECONNRESET:
    case EPIPE:
        return fail_native(e, ERR_CLOSED, errnum, "the other side reset the connection");
    default:
        return neterr_system(e, errnum, "the connection failed");
    }
}

struct result neterr_no_address(struct errinfo *e, const char *host)
{
    return fail(e, ERR_DNS, "%s has no address: check the name and the network's DNS", host);
}

struct result neterr_no_answer(struct errinfo *e, const char *host)
{
    return fail(e, ERR_TIMEOUT, "no DNS server answered when asked for %s", host);
}
