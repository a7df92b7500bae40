#include "link/binding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "sip/uri.h"

/* The text of B as a string of its own; B is empty then. */
static struct result take_text(struct buf *b, char **out)
{
    const char *text = buf_str(b);
    *out = text == NULL ? NULL : strdup(text);
    buf_clear(b);
    return *out == NULL ? err(ERR_NOMEM) : OK;
}

static struct result write_user(struct buf *b, const char *user, struct errinfo *e)
{
    const struct result r = sip_uri_write_user(b, user);
    return r.code == ERR_INVALID ? fail(e, ERR_INVALID, "the account has no user name") : r;
}

static struct result write_domain(struct buf *b, const char *domain, struct errinfo *e)
{
    const struct result r = sip_uri_write_host(b, domain);
    if (r.code == ERR_INVALID)
        return fail(e, ERR_INVALID, "\"%s\" is no name or address of a server", domain);
    return r;
}

/* RFC 5626 section 4.1 and 4.2: reg-id means nothing without an instance. */
static struct result write_params(struct buf *b, const char *instance_id, bool no_outbound,
                                  struct errinfo *e)
{
    if (instance_id == NULL)
        return OK;
    if (!sip_uri_valid(slice_of_str(instance_id)))
        return fail(e, ERR_INVALID, "the instance id is no URN");
    return buf_printf(b, ";+sip.instance=\"<%s>\"%s", instance_id, no_outbound ? "" : ";reg-id=1");
}

static struct result make(struct binding *out, struct buf *b, const struct registration_params *p,
                          const struct binding_style *style, const char *local, struct errinfo *e)
{
    const char *scheme = style->sip ? "sip" : "sips";
    TRY(buf_printf(b, "%s:", scheme));
    TRY(write_domain(b, p->domain, e));
    TRY(take_text(b, &out->registrar));

    TRY(buf_printf(b, "%s:", scheme));
    TRY(write_user(b, p->user, e));
    TRY(buf_append_str(b, "@"));
    TRY(write_domain(b, p->domain, e));
    TRY(take_text(b, &out->aor));

    TRY(buf_printf(b, "%s:", scheme));
    TRY(write_user(b, p->user, e));
    /* RFC 3261 section 26.2.2: a SIPS URI says it all, transport=tls is for "sip:" alone */
    TRY(buf_printf(b, "@%s%s", local, style->sip ? ";transport=tls" : ""));
    TRY(take_text(b, &out->contact));

    TRY(write_params(b, p->instance_id, style->no_outbound, e));
    return take_text(b, &out->contact_params);
}

struct result binding_make(struct binding *out, const struct registration_params *p,
                           const struct binding_style *style, const char *local, struct errinfo *e)
{
    struct buf b;
    *out = (struct binding){NULL};
    buf_init(&b, LIMIT_SIP_HEADER_BYTES);
    const struct result r = make(out, &b, p, style, local, e);
    buf_free(&b);
    return r;
}

bool binding_contact_as(const char *contact, bool sips, char out[BINDING_CONTACT_SIZE])
{
    static const struct slice tls = {(const uint8_t *)";transport=tls", 14};
    struct slice rest = slice_of_str(contact);
    const struct slice scheme = slice_cut(&rest, ':');
    if (slice_eq_str(scheme, "sip") && slice_ends(rest, tls))
        rest.n -= tls.n;
    else if (!slice_eq_str(scheme, "sips"))
        return false;
    const int n = snprintf(out, BINDING_CONTACT_SIZE, "%s:%.*s%s", sips ? "sips" : "sip",
                           SLICE_FMT(rest), sips ? "" : ";transport=tls");
    return n > 0 && n < BINDING_CONTACT_SIZE;
}

void binding_clear(struct binding *b)
{
    free(b->registrar);
    free(b->aor);
    free(b->contact);
    free(b->contact_params);
    *b = (struct binding){NULL};
}
