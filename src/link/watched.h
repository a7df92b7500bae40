/*
 * watched: what is known of a registration that somebody else makes over our connection (a SIP
 * stack behind link/door), from the REGISTERs and responses that pass.
 *
 *     OFF -> TRYING -> REGISTERED <-> REFRESHING       refused: WAITING, for whoever registers
 *
 * Pure; time is passed in. A challenge leaves it as it is: the answer is the other one's business,
 * who has LIMIT_SIP_TIMER_F_MS for it; only what answers a password is a refusal.
 */
#ifndef SIPSD_LINK_WATCHED_H
#define SIPSD_LINK_WATCHED_H

#include "link/registration.h"

/* A value type; watched_reset() makes it OFF. Read only. */
struct watched {
    enum registration_state state;
    uint32_t asked_s;
    bool credentials;   /* were in the REGISTER */
    uint32_t granted_s; /* 0 unless it is registered */
    uint64_t ends_ms;   /* of the binding, or of TRYING; UINT64_MAX: nothing ends */
    int last_status;    /* of the last final response; 0 before one */
    struct errinfo error;
};

/* There is no connection, or a new one. The last status stays. */
void watched_reset(struct watched *w);

/* M passed: a REGISTER, or a response to one that binds CONTACT, in its sip or its sips form (what
 * the server calls it). Nothing else is looked at. True if something changed. */
bool watched_see(struct watched *w, const struct sip_message *m, const char *contact,
                 uint64_t now_ms);

/* The binding has ended, or nobody answered. True if something changed. */
bool watched_tick(struct watched *w, uint64_t now_ms);

#endif
