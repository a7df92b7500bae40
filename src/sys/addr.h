/* addr: an IPv4 or IPv6 address with a port. A value type; compare with addr_eq(), not with
 * memcmp(). */
#ifndef SIPSD_SYS_ADDR_H
#define SIPSD_SYS_ADDR_H

#include <stdbool.h>
#include <stdint.h>

struct addr {
    uint8_t family;    /* 4, 6, or 0 for none */
    uint8_t bytes[16]; /* network order; the first 4 for IPv4 */
    uint32_t scope;    /* of a link-local IPv6 address, else 0 */
    uint16_t port;     /* host order */
};

/* "[" + 45 characters + "%" + scope + "]:65535" and NUL. */
#define ADDR_TEXT_SIZE 72

/*
 * From an IP literal ("192.0.2.1", "2001:db8::1", "[2001:db8::1]", "fe80::1%eth0"); false, and *OUT
 * untouched, if TEXT is not one. A zone is the name or the number of a network interface (RFC 4007
 * section 11).
 */
bool addr_parse(const char *text, uint16_t port, struct addr *out);

bool addr_eq(const struct addr *a, const struct addr *b);
bool addr_same_host(const struct addr *a, const struct addr *b); /* the port aside */

/* "192.0.2.1:5061", "[2001:db8::1]:5061"; and without the port (no brackets). "" for none. */
void addr_format(const struct addr *a, char out[ADDR_TEXT_SIZE]);
void addr_format_host(const struct addr *a, char out[ADDR_TEXT_SIZE]);

/* To the form that the system's calls take, and back: family 0 for one that is neither. */
struct sockaddr;
struct sockaddr_storage;
unsigned addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *out); /* its length */
struct addr addr_from_sockaddr(const struct sockaddr *sa);

#endif
