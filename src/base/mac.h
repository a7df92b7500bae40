/*
 * mac: the MAC address of a phone, and its forms: the six bytes, the twelve digits that are its
 * name everywhere in the project, and the URN of RFC 9039.
 */
#ifndef SIPSD_BASE_MAC_H
#define SIPSD_BASE_MAC_H

#include "base/slice.h"

#define MAC_SIZE      6
#define MAC_TEXT_SIZE 13 /* with the NUL */
#define MAC_URN_SIZE  29

/* A value type. */
struct mac {
    uint8_t byte[MAC_SIZE];
};

/*
 * Reads the usual forms, digits in either case: 001565a1b2c3, 00:15:65:a1:b2:c3, 00-15-65-a1-b2-c3,
 * 0015.65a1.b2c3. False for anything else, blanks around it included.
 */
bool mac_parse(struct slice text, struct mac *out);

/* Whether a device can have it for its own: not a group address (broadcast is one), not all zero.
 */
bool mac_is_device(const struct mac *mac);

bool mac_equal(const struct mac *a, const struct mac *b);

/* "001565A1B2C3" */
void mac_text(const struct mac *mac, char out[MAC_TEXT_SIZE]);

/* "urn:dev:mac:001565ffffa1b2c3": RFC 9039 section 4.1 wants the 64-bit form, with ffff in the
 * middle, and lower case. */
void mac_urn(const struct mac *mac, char out[MAC_URN_SIZE]);

#endif
