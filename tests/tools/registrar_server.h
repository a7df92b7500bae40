/*
 * registrar_server: the registrar of tests/tools/registrar.h behind TLS, on the product's own
 * connections: for the program `registrar` and for the scenario tests.
 */
#ifndef SIPSD_TESTS_TOOLS_REGISTRAR_SERVER_H
#define SIPSD_TESTS_TOOLS_REGISTRAR_SERVER_H

#include "pki/identity.h"
#include "sys/stream.h"
#include "tls/session.h"
#include "tools/registrar.h"

struct registrar_server;
struct registrar_endpoint;

/* What happened to a connection, as one line: "127.0.0.1:40312 open TLSv1.3 ...". */
typedef void registrar_line_fn(void *arg, const char *line);

/* CORE, RNG's source and LINE's ARG must outlive it; LINE may be NULL. */
RESULT registrar_server_new(struct loop *l, struct registrar *core, const struct rng *rng,
                            registrar_line_fn *line, void *arg, struct registrar_server **out);

/* Closes all connections at once. NULL is fine. */
void registrar_server_free(struct registrar_server *s);

struct registrar_endpoint_params {
    struct addr at;            /* port 0 takes a free one */
    struct identity *identity; /* referenced */
    enum tls_versions versions;
    enum tls_client_auth client_auth;
    tls_judge_fn *judge; /* of clients' certificates; NULL: any is taken */
    void *judge_arg;
    bool no_tickets;
};
RESULT registrar_server_listen(struct registrar_server *s,
                               const struct registrar_endpoint_params *p,
                               struct registrar_endpoint **out, struct errinfo *e);

/* Stops listening there and cuts its connections, as a server that is killed; nothing is sent. */
void registrar_endpoint_kill(struct registrar_endpoint *p);

/* Listens there again; ERR_* as registrar_server_listen(). */
RESULT registrar_endpoint_revive(struct registrar_endpoint *p, struct errinfo *e);

struct registrar_endpoint_facts {
    struct addr at;
    unsigned accepted; /* connections */
    unsigned opened;   /* of which so many finished the handshake */
    unsigned messages; /* whole SIP messages that came in */
    int last_status;   /* of the last response among them, or 0 */
    unsigned resumed;  /* handshakes */
    unsigned open_now;
    unsigned closed_cleanly; /* by the client's close_notify */
    int alert_received;      /* the last one's number, or -1 */
};
struct registrar_endpoint_facts registrar_endpoint_facts(const struct registrar_endpoint *p);

/* Sends BYTES on every connection that is open there. */
void registrar_endpoint_send(struct registrar_endpoint *p, struct slice bytes);

#endif
