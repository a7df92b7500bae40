/*
 * probe: one real handshake with a server, judged as an account's would be. No SIP is sent to it.
 */
#ifndef SIPSD_CTL_PROBE_H
#define SIPSD_CTL_PROBE_H

#include "base/errinfo.h"
#include "pki/identity.h"
#include "pki/verify.h"
#include "sys/addr.h"
#include "tls/session.h"

/* What to ask, of whom. Borrowed, all of it. */
struct probe_question {
    const char *host;
    uint16_t port;
    enum tls_versions versions;
    struct identity *identity; /* for a server that asks for one; or NULL */
    /* All but the chain is filled in; the name fixed before any DNS. */
    struct verify_input judgement;
    const char *server_name; /* SNI */
};

struct probe_answer {
    bool connected; /* TCP at least */
    struct addr remote;
    struct verdict verdict; /* class NONE: the server's certificates were not reached */
    struct tls_session_facts facts;
    bool open;            /* the handshake was done, and nobody took it back */
    struct errinfo error; /* where it is not open */
};

/* Tries the addresses of HOST in turn, until a verdict. ERR_NOMEM and the like; what the server
 * does is in *OUT. Runs a loop of its own until it is done: at most the limits of a try. */
RESULT probe_run(const struct probe_question *q, struct probe_answer *out, struct errinfo *e);

#endif
