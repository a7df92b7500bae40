/*
 * callers: a listener under test, and those who call it.
 *
 *     struct called *phone = called_new(lab, NULL);
 *     struct caller *peer = caller_dial(phone, "192.0.2.50", NULL);
 *     assert_int_equal(caller_ask(peer, "OPTIONS", "sips:192.0.2.7"), 200);
 *     caller_free(peer);
 *     called_free(phone);
 *
 * The phone is 192.0.2.7 and 2001:db8::7; its account is the lab's, where it has one.
 */
#ifndef SIPSD_TESTS_SCENARIO_CALLERS_H
#define SIPSD_TESTS_SCENARIO_CALLERS_H

#include "link/listener.h"
#include "scenario/lab.h"

#define CALLED_IP   "192.0.2.7"
#define CALLED_IP6  "2001:db8::7"
#define CALLED_PORT 5061

/* --- the phone --- */

struct called {
    struct lab *lab;
    struct listener *listener;
    struct listener_config cfg;
    /* What was told: the first of a connection, more of the same, and ends, also of those that were
     * refused. */
    unsigned opened, changed, closed;
    unsigned untold; /* the number that was told last */
    uint64_t last_id;
    struct verdict verdict; /* of the last that was told */
    enum assurance assurance;
    int account;
    enum err why;
    char sentence[ERRINFO_TEXT_MAX];
};

/* It shows a good certificate and trusts the lab's CA; CHANGE (may be NULL) alters the usual
 * configuration: port 5061, no client certificates. */
typedef void called_change_fn(struct listener_config *cfg);
struct called *called_new(struct lab *lab, called_change_fn *change);
void called_free(struct called *c);

/* The listener with CFG as it is now. */
void called_configure(struct called *c);

/* An identity of CERT, to unref. */
struct identity *called_identity(const struct testpki_cert *cert);

/* --- who calls --- */

struct caller {
    struct lab *lab;
    struct tls_profile *profile;
    struct connection *connection; /* NULL once it has ended */
    bool open, closed;
    enum err why;       /* ... it was closed for */
    int alert_received; /* -1: none */
    int status;         /* of the last response; 0 before one */
    int first_status;   /* ... and of the first */
    unsigned responses;
    char text[2048];                  /* the last response */
    uint8_t server[HASH_SHA256_SIZE]; /* of the certificate that was shown to it */
};

/* Connects from FROM (NULL: the usual address) to the phone and shows CERT (NULL: none) if it is
 * asked; runs until it is quiet. */
struct caller *caller_dial(struct called *c, const char *from, const struct testpki_cert *cert);
struct caller *caller_dial_as(struct called *c, const char *from, const struct testpki_cert *cert,
                              enum tls_versions versions, const char *tickets);
/* The same, but nothing has run yet. */
struct caller *caller_begin(struct called *c, const char *from, const struct testpki_cert *cert);
void caller_free(struct caller *p);

/* Sends TEXT as it is, over TLS; and runs until it is quiet. */
void caller_send(struct caller *p, const char *text);

/* Sends a request, and gives the status of the answer; 0 if there was none. EXTRA: header lines. */
int caller_ask(struct caller *p, const char *method, const char *uri);
int caller_ask_with(struct caller *p, const char *method, const char *uri, const char *extra);

/* Answers the request that it was sent last. */
void caller_answer(struct caller *p, int status);

/* Calls and sends nothing: half-open. To stream_close(). */
struct stream *caller_stall(struct called *c, const char *from);

#endif
