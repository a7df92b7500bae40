/*
 * maclist: the MAC addresses of a production run.
 *
 * A list is a text: an address on each line, in any form that base/mac reads; blank lines and what
 * follows a '#' mean nothing; lines end with LF or CRLF. It is all good, or refused as a whole: a
 * run must not stop in its middle because of a line that could have been read before.
 */
#ifndef SIPSD_FACTORY_MACLIST_H
#define SIPSD_FACTORY_MACLIST_H

#include "base/errinfo.h"
#include "base/mac.h"

/* A value type; all zero is empty. */
struct maclist {
    struct mac_line {
        struct mac mac;
        unsigned line; /* in the file, from 1 */
    } * list;
    size_t count, size;
};

/*
 * Adds those of CONTENT, which has at most LIMIT_MAC_LIST_BYTES. ERR_INVALID, with "NAME:LINE: ..."
 * for the first line that is no address, is one that no device can have, or was there before;
 * ERR_NOT_FOUND for a list without any.
 */
RESULT maclist_read(struct slice content, const char *name, struct maclist *out, struct errinfo *e);

RESULT maclist_add(struct maclist *l, const struct mac *mac, unsigned line, struct errinfo *e);
void maclist_free(struct maclist *l);

#endif
