/*
 * binding: what one registration binds: the URIs of a REGISTER, made from an account and the
 * address of its connection.
 */
#ifndef SIPSD_LINK_BINDING_H
#define SIPSD_LINK_BINDING_H

#include "base/errinfo.h"
#include "link/registration.h"

/* A value type; all zero is empty. */
struct binding {
    char *registrar;      /* "sips:example.com" */
    char *aor;            /* "sips:alice@example.com" */
    char *contact;        /* "sips:alice@192.0.2.7:40312" */
    char *contact_params; /* "" or ";+sip.instance=...;reg-id=1" */
};

/*
 * How a server is spoken to. It starts with all of it and drops what the server does not know.
 */
struct binding_style {
    bool sip;         /* "sip:" and transport=tls instead of "sips:" */
    bool no_outbound; /* no reg-id (RFC 5626) */
};

/* LOCAL: the connection's own address with the port. ERR_INVALID with a sentence, ERR_NOMEM. *OUT
 * is to be cleared in any case. */
RESULT binding_make(struct binding *out, const struct registration_params *p,
                    const struct binding_style *style, const char *local, struct errinfo *e);
void binding_clear(struct binding *b);

/* A Contact's URI of the form "sips:..." or "sip:...;transport=tls", as binding_make() writes them,
 * in the form that is asked for. False if it is neither, or too long. */
#define BINDING_CONTACT_SIZE 512
bool binding_contact_as(const char *contact, bool sips, char out[BINDING_CONTACT_SIZE]);

#endif
