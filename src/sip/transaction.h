/*
 * transaction: the non-INVITE client transaction over a reliable transport (RFC 3261
 * section 17.1.2).
 *
 * Sans-I/O, time passed in. Over TLS there are no retransmissions: timer E is off, timer K is zero;
 * what is left is matching responses by branch and method, and timer F. osip's machine reads its
 * own clock and so cannot be run under simulated time; that is why this small one is ours.
 */
#ifndef SIPSD_SIP_TRANSACTION_H
#define SIPSD_SIP_TRANSACTION_H

#include <stdint.h>

#include "sip/message.h"

enum sip_transaction_state {
    SIP_TRANSACTION_IDLE,
    SIP_TRANSACTION_TRYING,
    SIP_TRANSACTION_PROCEEDING,
    SIP_TRANSACTION_DONE, /* completed, timed out or cancelled */
};

/* A value type; all zero is IDLE. */
struct sip_transaction {
    enum sip_transaction_state state;
    char branch[40];
    char method[16];
    uint64_t deadline_ms; /* timer F */
};

/* A request with this branch and method (of 39 and 15 characters at most) is sent at NOW_MS; what
 * was under way before is forgotten. */
void sip_transaction_start(struct sip_transaction *t, const char *branch, const char *method,
                           uint64_t now_ms);

/* Whether M is a response of this transaction; a final one ends it (17.1.3). */
bool sip_transaction_receive(struct sip_transaction *t, const struct sip_message *m);

/* True, once, when timer F has fired: LIMIT_SIP_TIMER_F_MS after the start, whatever provisional
 * responses came (17.1.2.2). */
bool sip_transaction_expired(struct sip_transaction *t, uint64_t now_ms);

/* When that will be; UINT64_MAX if nothing is under way. */
uint64_t sip_transaction_deadline(const struct sip_transaction *t);

void sip_transaction_cancel(struct sip_transaction *t);

#endif
