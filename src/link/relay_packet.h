/*
 * relay_packet: the packets of relay.sock (include/sipsd/relay.h), read and written. Pure.
 */
#ifndef SIPSD_LINK_RELAY_PACKET_H
#define SIPSD_LINK_RELAY_PACKET_H

#include "base/buf.h"
#include "base/errinfo.h"
#include "link/carrier.h"
#include "sipsd/relay.h"

/* What call-control sends. A value type; the message is a slice of the packet. */
struct relay_packet {
    enum sipsd_relay_type type; /* HELLO, SEND or DIALOGS */
    int account;
    uint64_t connection;
    uint32_t token;
    struct slice message; /* SEND */
    unsigned calls;       /* DIALOGS */
};

/* ERR_PARSE with a sentence for what is no packet of ours, ERR_UNSUPPORTED for another version or a
 * type that is not for us, ERR_INVALID for an account that there cannot be. */
RESULT relay_packet_parse(struct slice bytes, struct relay_packet *out, struct errinfo *e);

/* The header of a packet with a payload of LENGTH bytes. */
void relay_packet_header(enum sipsd_relay_type type, int account, uint64_t connection,
                         size_t length, uint32_t token, uint8_t out[SIPSD_RELAY_HEADER]);

/* Whole packets, appended. ERR_LIMIT, ERR_NOMEM. */
RESULT relay_packet_state(struct buf *out, const struct carrier_facts *f, bool up);
RESULT relay_packet_busy(struct buf *out, int account, uint64_t connection, bool busy);
RESULT relay_packet_error(struct buf *out, int account, uint64_t connection, uint32_t token,
                          enum sipsd_relay_error code, int status, const char *sentence);

#endif
