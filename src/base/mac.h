/* mac: MAC addresses (EUI-48) as people and certificates write them. */
#ifndef SIPSD_BASE_MAC_H
#define SIPSD_BASE_MAC_H

#include "base/slice.h"

#define MAC_DIGITS_SIZE 13

/*
 * The twelve digits of TEXT, in upper case and terminated, into OUT. TEXT is "00:15:65:12:34:56",
 * "00-15-65-12-34-56", "0015.6512.3456" or "001565123456", in any case, and nothing else; false,
 * and OUT is empty, for what is none of these.
 */
bool mac_digits(struct slice text, char out[MAC_DIGITS_SIZE]);

#endif
