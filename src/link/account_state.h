/* account_state: the states of an account, and which may follow which. account.h has the picture.
 */
#ifndef SIPSD_LINK_ACCOUNT_STATE_H
#define SIPSD_LINK_ACCOUNT_STATE_H

#include <stdbool.h>

enum account_state {
    ACCOUNT_IDLE, /* disabled, or stopped */
    ACCOUNT_RESOLVING,
    ACCOUNT_CONNECTING,
    ACCOUNT_HANDSHAKE,
    ACCOUNT_OPEN,
    ACCOUNT_WAITING,  /* for the next try */
    ACCOUNT_STOPPING, /* un-REGISTER is under way */
};

bool account_state_may_follow(enum account_state from, enum account_state to);
const char *account_state_name(enum account_state s); /* "idle" ... */

#endif
