/*
 * neterr: how what the network did to us is told: one wording for the real streams and resolver and
 * for simulated ones, so that a test sees the sentences that an admin will see.
 */
#ifndef SIPSD_SYS_NETERR_H
#define SIPSD_SYS_NETERR_H

#include "base/errinfo.h"
#include "sys/addr.h"

/* connect(2) to TO failed with ERRNUM. */
RESULT neterr_connect(struct errinfo *e, const struct addr *to, int errnum);

/* A connection ended: ERRNUM 0 by a close of the other side (ERR_CLOSED, as for a reset). */
RESULT neterr_stream(struct errinfo *e, int errnum);

/* No address for HOST, for good or for now; nobody answered in time. */
RESULT neterr_no_address(struct errinfo *e, const char *host);
RESULT neterr_no_answer(struct errinfo *e, const char *host);

/* fail_errno() with ERR_TIMEOUT, ERR_NOMEM and ERR_DENIED where ERRNUM is one of those. */
RESULT neterr_system(struct errinfo *e, int errnum, const char *what);
#ifdef __clang_analyzer__ /* as with fail() */
#define neterr_system(e, errnum, what) ((void)(neterr_system)(e, errnum, what), err(ERR_SYSTEM))
#endif

#endif
