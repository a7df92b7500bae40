/*
 * refused: what is told of a server that was refused, so that an admin can look at its certificates
 * later: an account's, or one that files are fetched from.
 */
#ifndef SIPSD_LINK_REFUSED_H
#define SIPSD_LINK_REFUSED_H

#include "pki/verify.h"

/*
 * A peer that is refused: in a handshake, or by a later look at the chain of a live connection. All
 * of it is borrowed and valid during the call.
 */
struct refused_chain {
    int account;                      /* 0: the server was to give a file */
    const char *host;                 /* the name that was to be matched; as it was connected to */
    const struct verify_input *input; /* what was judged: the chain as the peer sent it (it may be
                                         empty), the trust store, the name, the policy, the time */
    const struct verdict *verdict;    /* VERDICT_REJECTED, and why */
};

/* Only to take notes: it comes from inside the handshake, where nothing may be called that acts on
 * the connection or its owner. */
typedef void refused_fn(void *arg, const struct refused_chain *c);

#endif
