/*
 * dernames: the names of a certificate, written as DER from the text that a test gives.
 *
 * A test tool: with a text that it does not understand it ends the process.
 */
#ifndef SIPSD_TESTS_TOOLS_DERNAMES_H
#define SIPSD_TESTS_TOOLS_DERNAMES_H

#include "tools/der.h"

/* A Name: "CN=x,O=y", RDNs in the order of their encoding, '+' within one; "\," and "\41" as in
 * RFC 4514. NULL and "" are the empty name. */
void der_name(struct der *d, const char *text);

/* GeneralNames: "DNS:a.example IP:192.0.2.1 URI:sip:b.example email:c@d.example". */
void der_general_names(struct der *d, const char *text);

#endif
