#include "link/account_state.h"

#define BIT(s) (1u << (s))

static const struct {
    const char *name;
    unsigned next;
} states[] = {
    [ACCOUNT_IDLE] = {"idle", BIT(ACCOUNT_RESOLVING)},
    [ACCOUNT_RESOLVING] = {"resolving", BIT(ACCOUNT_CONNECTING) | BIT(ACCOUNT_WAITING) |
                                            BIT(ACCOUNT_RESOLVING) | BIT(ACCOUNT_IDLE)},
    [ACCOUNT_CONNECTING] = {"connecting", BIT(ACCOUNT_HANDSHAKE) | BIT(ACCOUNT_CONNECTING) |
                                              BIT(ACCOUNT_WAITING) | BIT(ACCOUNT_RESOLVING) |
                                              BIT(ACCOUNT_IDLE)},
    [ACCOUNT_HANDSHAKE] = {"handshake", BIT(ACCOUNT_OPEN) | BIT(ACCOUNT_CONNECTING) |
                                            BIT(ACCOUNT_WAITING) | BIT(ACCOUNT_RESOLVING) |
                                            BIT(ACCOUNT_IDLE)},
    [ACCOUNT_OPEN] = {"open", BIT(ACCOUNT_WAITING) | BIT(ACCOUNT_RESOLVING) |
                                  BIT(ACCOUNT_STOPPING) | BIT(ACCOUNT_IDLE)},
    [ACCOUNT_WAITING] = {"waiting", BIT(ACCOUNT_RESOLVING) | BIT(ACCOUNT_IDLE)},
    [ACCOUNT_STOPPING] = {"stopping", BIT(ACCOUNT_IDLE)},
};

bool account_state_may_follow(enum account_state from, enum account_state to)
{
    return (states[from].next & BIT(to)) != 0;
}

const char *account_state_name(enum account_state s)
{
    return states[s].name;
}
