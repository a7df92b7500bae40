/*
 * hop_mark: what we write into messages to know them again without keeping anything: the branch of
 * our Via, and the user part of our Record-Route. Keyed hashes: who does not have the key can make
 * up neither.
 */
#ifndef SIPSD_SIP_HOP_MARK_H
#define SIPSD_SIP_HOP_MARK_H

#include "sip/message.h"

#define HOP_KEY_SIZE    32
#define HOP_BRANCH_SIZE (7 + 16 + 32 + 1) /* the cookie, an id, a hash of 128 bits, and NUL */
#define HOP_TOKEN_SIZE  (2 + 16 + 1)      /* direction, scheme, a hash of 64 bits, and NUL */

/*
 * The branch for what is known of a request M, or of a response to it, whose Via number VIA is the
 * one below ours (RFC 3261 section 16.11). It depends on nothing that the two do not have in
 * common; CANCEL and ACK get that of their INVITE. BACK is the connection that a response has to go
 * to, FORTH the one that the request goes to.
 */
void hop_mark_branch(const uint8_t key[HOP_KEY_SIZE], int account, const struct sip_message *m,
                     size_t via, uint64_t back, uint64_t forth, char out[HOP_BRANCH_SIZE]);

/* The BACK of a branch that looks like ours; false for any other. */
bool hop_mark_branch_id(struct slice branch, uint64_t *back);

/* OUTWARD and SIPS are how the request went that got the Record-Route. */
void hop_mark_route(const uint8_t key[HOP_KEY_SIZE], int account, bool outward, bool sips,
                    char out[HOP_TOKEN_SIZE]);

/* Whether USERINFO is that of a Record-Route of ours, of the direction OUTWARD; and its SIPS. */
bool hop_mark_is_route(const uint8_t key[HOP_KEY_SIZE], int account, struct slice userinfo,
                       bool outward, bool *sips);

#endif
