/*
 * header: the header fields that we know by name: their compact forms, which of them are lists and
 * which may stand only once (RFC 3261 section 20 and 7.3.1, and the IANA registry).
 */
#ifndef SIPSD_SIP_HEADER_H
#define SIPSD_SIP_HEADER_H

#include "base/slice.h"

enum sip_header_id {
    SIP_HEADER_VIA,
    SIP_HEADER_FROM,
    SIP_HEADER_TO,
    SIP_HEADER_CALL_ID,
    SIP_HEADER_CSEQ,
    SIP_HEADER_CONTACT,
    SIP_HEADER_ROUTE,
    SIP_HEADER_RECORD_ROUTE,
    SIP_HEADER_CONTENT_LENGTH,
    SIP_HEADER_CONTENT_TYPE,
    SIP_HEADER_MAX_FORWARDS,
    SIP_HEADER_DATE,
    SIP_HEADER_OTHER,
};

struct sip_header {
    const char *name; /* the long form */
    char compact;     /* 0: there is none */
    enum sip_header_id id;
    bool list; /* elements between commas */
    bool once; /* a second one makes the message invalid */
};

/* The header field of that name (long or compact form, in any case); NULL for one that we do not
 * know, which is no list and may be repeated. */
const struct sip_header *sip_header_find(struct slice name);

#endif
