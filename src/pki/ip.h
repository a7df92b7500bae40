/*
 * ip: the texts of IP addresses, without the system's resolver.
 */
#ifndef SIPSD_PKI_IP_H
#define SIPSD_PKI_IP_H

#include "base/slice.h"

#define IP_TEXT_SIZE 46

/*
 * An IPv4 address in four decimal parts, or an IPv6 address in any form of RFC 4291 section 2.2,
 * the latter with or without brackets and without zone: its length (4 or 16) with the bytes in OUT,
 * or 0.
 */
size_t ip_parse(struct slice text, uint8_t out[16]);

/* The canonical text (RFC 5952) of 4 or 16 bytes; "?" for anything else. */
void ip_text(struct slice bytes, char *out, size_t size);

#endif
