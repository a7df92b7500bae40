/*
 * hop: what a message goes through when it passes us on its way between a TLS connection and the
 * phone side (call-control, or a SIP stack behind a local port): the work of a stateless proxy (RFC
 * 3261 sections 16.6, 16.7 and 16.11), done on the text. Header fields that are not ours, and the
 * body, stay byte for byte.
 *
 * Sans-I/O, and without any table: which connection a response has to go back over stands in the
 * branch of our Via, with a keyed hash of what the response must have in common with its request.
 * So CANCEL, and the ACK of a refusal, get the branch of their INVITE; a response finds its way
 * after any time; and nobody can make up one that reaches another connection or account.
 *
 *     request:   struct hop h = {key, account, outward, from, to};
 *                hop_request(&h, m, raw, &out, &e)            send OUT over h.to
 *     response:  hop_response_id(m, &id)                      where it wants to go: find that side
 *                hop_response(&h, m, raw, &out, &e)           is it true? then OUT goes to h.to
 */
#ifndef SIPSD_SIP_HOP_H
#define SIPSD_SIP_HOP_H

#include "base/buf.h"
#include "base/errinfo.h"
#include "sip/hop_mark.h"
#include "sip/message.h"

#define HOP_HOSTPORT_SIZE 80 /* "[IPv6]:65535" and NUL, and room */

enum hop_transport { HOP_TLS, HOP_TCP };

/* One of the two sides that a message passes between. Strings are borrowed for the call. */
struct hop_side {
    uint64_t id; /* of the connection; never given twice */
    enum hop_transport transport;
    const char *hostport;  /* where this side can reach us: sent-by of a Via, host of a Route */
    const char *peer_host; /* where its messages come from, an IP address as in a URI ("[::1]");
                              NULL: there is no such thing, or it does not matter */
    uint16_t peer_port;
};

/* What else is to be changed; all NULL or empty: nothing. */
struct hop_edit {
    const char *request_uri;  /* a new Request-URI */
    struct slice contact_was; /* Contacts that are this URI (sip_uri_equal()) ... */
    const char *contact_is;   /* ... become this one; their parameters stay */
};

struct hop {
    const uint8_t *key; /* HOP_KEY_SIZE random bytes of this process */
    int account;        /* whose message it is; 0 for none: part of what is authenticated */
    bool outward;       /* from the phone side to a TLS connection, else the other way */
    struct hop_side from, to;
    struct hop_edit edit;
};

/*
 * Appends to OUT what has to be sent on for the request M, whose text is RAW:
 *
 * - Max-Forwards is one less; 70 if there was none (section 16.6, step 3).
 * - The topmost Via says where the request came from: received, and rport if that was asked for
 *   (section 18.2.1, RFC 3581 section 4), where h->from.peer_host is known. What it said of that
 *   itself is replaced.
 * - A topmost Route that is ours is removed (section 16.4); where an old peer has put our
 *   Record-Route into the Request-URI, the last Route takes its place there.
 * - What can begin a dialog (INVITE, SUBSCRIBE, REFER and NOTIFY without a To tag) gets a
 *   Record-Route with the address at which h->to reaches us: sips if the Request-URI came as one
 *   (RFC 5630 section 3.2), else sip with the transport.
 * - Our Via comes on top; towards a TLS connection with rport and alias (RFC 5923).
 *
 * On failure OUT has a part of it, E the sentence, and e->native the status of the response that
 * the request is to be given: 483 (ERR_LIMIT: Max-Forwards was 0), 513 (ERR_LIMIT: it has become
 * longer than LIMIT_SIP_MESSAGE), 500 (ERR_NOMEM, ERR_INVALID: H is not usable).
 */
RESULT hop_request(const struct hop *h, const struct sip_message *m, struct slice raw,
                   struct buf *out, struct errinfo *e);

/*
 * The id of the connection that response M says it has to go to (h->to.id); false if its topmost
 * Via is none of ours. Only hop_response() says whether it is true.
 */
bool hop_response_id(const struct sip_message *m, uint64_t *id);

/*
 * Appends to OUT what has to be sent on for the response M, which came over h->from and wants to go
 * to h->to: without our Via, and with our Record-Route in the form of the other side (section 16.7,
 * steps 3 and 8), so that each of the two ends knows us by the address at which it can reach us.
 *
 * ERR_DENIED: the branch was not made for this request, account and pair of connections; the
 * response is to be dropped. ERR_PARSE: ours is the only Via, so the response is for nobody.
 * ERR_LIMIT, ERR_NOMEM, ERR_INVALID as above.
 */
RESULT hop_response(const struct hop *h, const struct sip_message *m, struct slice raw,
                    struct buf *out, struct errinfo *e);

/*
 * The address at which the peer saw us, from the received and rport parameters of the topmost Via
 * of response M ("203.0.113.5:40312"): behind a NAT it is another one than the connection's own.
 * False if they are not both there. Believe only whom you have asked yourself: whoever answers a
 * request that we have passed on can write there what he likes.
 */
bool hop_seen_at(const struct sip_message *m, char out[HOP_HOSTPORT_SIZE]);

#endif
