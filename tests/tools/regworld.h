/*
 * regworld: a registration and the test registrar, wired together in simulated time: what one sends
 * the other gets at once, and the clock goes from deadline to deadline. For tests alone.
 */
#ifndef SIPSD_TESTS_TOOLS_REGWORLD_H
#define SIPSD_TESTS_TOOLS_REGWORLD_H

#include "link/registration.h"
#include "tools/registrar.h"

/* A value type: made by regworld_make(), and not to be moved. */
struct regworld {
    uint64_t now_ms;
    uint64_t seed;
    struct rng rng;
    struct registration *phone;
    struct registrar *server;
    struct registrar_peer *peer;
    struct buf wire; /* from the phone, not delivered yet */
    char last[8192]; /* the last request */
    char log[4096];  /* the server's events, a word each */
    int requests;
    int changes;
    int given_up;
    bool unplugged; /* nothing gets through */
};

/* The phone of alice@example.com, whose password is "secret". */
extern const struct registration_params regworld_alice;

/* A registrar that offers SHA-256 and MD5. */
extern const struct registrar_config regworld_both;

/* What the phone calls; their argument is the world. */
extern const struct registration_handlers regworld_handlers;

void regworld_make(struct regworld *w, const struct registrar_config *cfg,
                   const struct registration_params *p, uint64_t seed);
void regworld_end(struct regworld *w);

/* Carries requests and responses to and fro until nobody has anything to say. */
void regworld_exchange(struct regworld *w);

/* A fresh connection from LOCAL, and all that is said then. */
void regworld_connect(struct regworld *w, const char *local);

/* Lets time pass up to AT, or for MS, with all that is due until then. */
void regworld_run_until(struct regworld *w, uint64_t at);
void regworld_run_for(struct regworld *w, uint64_t ms);

/* Whether the last request has TEXT in it. */
bool regworld_said(const struct regworld *w, const char *text);

/* How many bindings the registrar has. */
size_t regworld_bindings(struct regworld *w);

#define assert_state(w, name) \
    assert_string_equal(registration_state_name(registration_state((w)->phone)), (name))

#define assert_error(w, words) assert_string_equal(registration_error((w)->phone)->text, (words))

#endif
