/*
 * reception: what becomes of a request that came over a connection which the phone did not make:
 * who it is for, and what is refused before anybody is asked (RFC 3261 sections 8.2 and 16.3).
 *
 * It looks at the accounts and at who sends, and has no state. Which certificate the peer has shown
 * was decided long before.
 */
#ifndef SIPSD_LINK_RECEPTION_H
#define SIPSD_LINK_RECEPTION_H

#include "link/account.h"
#include "pki/peername.h"
#include "pki/x509.h"
#include "sip/message.h"

/* The phone's accounts, in the order of their numbers. */
struct account_source {
    size_t (*count)(void *arg);
    struct account *(*at)(void *arg, size_t i);
    void *arg;
};

/* Who sends, and what the settings say of it; all borrowed. */
struct reception {
    const struct account_source *accounts;
    struct addr from;
    const struct cert *client; /* its certificate, if it was verified; else NULL */
    enum peername_rules rules; /* by which a certificate has a server's name */
    bool trust_ctrl;           /* only an account's own server may send it requests */
    bool no_check_sync;        /* nobody may have settings fetched: see account_shared */
};

struct reception_answer {
    int status; /* 0: it is not refused */
    const char *reason;
    char extra[LIMIT_TEXT];  /* header lines, or "" */
    struct account *account; /* whom it is for; NULL: the phone itself (OPTIONS), or, within a call,
                                whoever has that */
};

/*
 * 403 if only servers may send and this is none, or for what NO_CHECK_SYNC says, 416 for a
 * Request-URI that is neither "sip:" nor "sips:", 483 where no hop is left, 420 for extensions that
 * a hop must know and this one does not, 404 if there is no such account. ACK is never answered,
 * whatever STATUS is.
 *
 * The account is the one whose user the Request-URI names, within a call also the one that To
 * names. Of several, the sender's comes first, then that of the same domain.
 */
void reception_decide(const struct reception *r, const struct sip_message *m,
                      struct reception_answer *out);

/* Whose request the response M answers: the account that From names; NULL if there is none. */
struct account *reception_asker(const struct reception *r, const struct sip_message *m);

/* Whether the sender is A's server: by its address, or by the name in its certificate. */
bool reception_is_server(const struct reception *r, const struct account *a);

/* Whether the verified certificate CLIENT (may be NULL) has the name of A's server. */
bool reception_names_server(const struct cert *client, enum peername_rules rules,
                            const struct account *a);

#endif
