/*
 * field: the shape that the structured header fields share (RFC 3261 section 25.1): elements
 * between commas, each a head and its parameters between semicolons, where commas and semicolons
 * inside quoted strings and <> do not count.
 *
 * What osip parses has passed here: it takes the first '>' or ';' that it finds and skips what it
 * does not understand. All input is one unfolded line: no CR, LF or NUL.
 */
#ifndef SIPSD_SIP_FIELD_H
#define SIPSD_SIP_FIELD_H

#include "base/slice.h"

/* A token of RFC 3261 section 25.1, at least one character. */
bool sip_token_valid(struct slice s);

/*
 * The next element of a comma-separated list, without blanks around it; false at the end. An empty
 * element is returned as such; so is what follows an unclosed quote or '<', as one element.
 */
bool sip_field_next(struct slice *rest, struct slice *element);

/*
 * Whether ELEMENT is well-formed: NULL if so, else what is wrong, to follow "the Contact header
 * field is malformed: ". An address is a name-addr or an addr-spec with parameters (From, To,
 * Contact, Route, Record-Route); the wildcard "*" is the caller's business.
 */
const char *sip_field_check_address(struct slice element);
const char *sip_field_check_via(struct slice element);

/* The next piece between semicolons, likewise: the head of an element first, then its parameters.
 */
bool sip_field_next_piece(struct slice *rest, struct slice *piece);

/* The value of the parameter called NAME, quotes and all, of a well-formed ELEMENT; false if it has
 * no such parameter. *VALUE is empty then, and where it has no value. */
bool sip_field_param(struct slice element, const char *name, struct slice *value);

/* The parts of a well-formed Via. */
struct sip_via {
    struct slice transport;
    struct slice host; /* IPv6 with its brackets */
    struct slice port; /* empty if there is none */
};
void sip_field_via(struct slice element, struct sip_via *out);

/* The same for parameters alone; PARAMS without the first ';'. */
const char *sip_field_check_params(struct slice params);

/* The URI of a well-formed address, without <>. */
struct slice sip_field_uri(struct slice address);

#endif
