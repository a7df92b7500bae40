/*
 * lab: what most scenarios need: a simulated world with a CA, registrars behind TLS, and one
 * account that is watched.
 *
 *     struct lab *lab = lab_new();
 *     struct registrar_endpoint *server = lab_serve(lab, "192.0.2.1", lab_good(lab));
 *     lab_account(lab, NULL);
 *     account_start(lab->account);
 *     assert_true(lab_until(lab, lab_is_locked, 1000));
 *     lab_free(lab);
 *
 * With LAB_LOG set in the environment, what the product logs is shown.
 *
 * The account is alice's at sip.example.com, which is 192.0.2.1; the password is right. A failure
 * of the lab itself ends the program.
 */
#ifndef SIPSD_TESTS_SCENARIO_LAB_H
#define SIPSD_TESTS_SCENARIO_LAB_H

#include "link/account.h"
#include "sim/sim.h"
#include "tools/registrar.h"
#include "tools/registrar_server.h"
#include "tools/testpki.h"

#define LAB_HOST "sip.example.com"
#define LAB_IP   "192.0.2.1"
#define LAB_PORT 5061

/* What a UI would show, each time that the account said that it changed. */
struct lab_view {
    enum account_state state;
    enum registration_state registration;
    bool encrypted;
};
#define LAB_VIEWS_MAX 64

struct lab {
    struct sim *sim;
    struct account_shared shared;
    const struct testpki_cert *ca;
    struct trust *trust; /* the built-in certificates and the CA */
    struct registrar *core;
    struct registrar_server *server;
    struct account *account;
    struct lab_view views[LAB_VIEWS_MAX]; /* the first ones */
    size_t views_count;                   /* of all */
    unsigned events[REGISTRAR_ASKED + 1]; /* of the registrar, by type */
};

struct lab *lab_new(void);
void lab_free(struct lab *lab);

/* A certificate of the lab's CA for LAB_HOST. */
const struct testpki_cert *lab_good(struct lab *lab);

/* Listens at IP, with versions 1.2 and 1.3. */
struct registrar_endpoint *lab_serve(struct lab *lab, const char *ip,
                                     const struct testpki_cert *cert);
struct registrar_endpoint *lab_serve_as(struct lab *lab, const char *ip,
                                        const struct testpki_cert *cert,
                                        struct registrar_endpoint_params params);

/* Makes the account; CHANGE (may be NULL) alters its usual configuration first. */
typedef void lab_change_fn(struct account_config *cfg);
void lab_account(struct lab *lab, lab_change_fn *change);

/* A trust store of the N certificates, to unref; the lab's own has just its CA. */
struct trust *lab_trust(const struct testpki_cert *const *certs, size_t n);

/* Runs until CONDITION holds; false if it does not within MS. */
typedef bool lab_condition(const struct account_status *s);
bool lab_until(struct lab *lab, lab_condition *condition, uint64_t ms);

bool lab_is_locked(const struct account_status *s); /* encrypted, judged well, registered */
bool lab_is_waiting(const struct account_status *s);
bool lab_is_idle(const struct account_status *s);

struct account_status lab_status(const struct lab *lab);

/* Fails the test unless the account's error has PART in its sentence. */
void lab_assert_error(const struct lab *lab, enum err code, const char *part);

#endif
