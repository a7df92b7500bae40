/*
 * judgeopts: the options that say how a chain is to be judged, which verify and probe have in
 * common, and what is made of them.
 */
#ifndef SIPSD_CTL_JUDGEOPTS_H
#define SIPSD_CTL_JUDGEOPTS_H

#include <getopt.h>

#include "ctl/material.h"
#include "pki/der_value.h"
#include "pki/verify.h"

#define JUDGEOPTS_POLICIES_MAX 16

/* A value type; judgeopts_free() what judgeopts_init() began. */
struct judgeopts {
    struct material trusted, crls;
    struct peername name;
    bool has_name;
    enum trust_filter filter;
    int64_t now_s;
    struct verify_policy policy;
    uint8_t oids[JUDGEOPTS_POLICIES_MAX][DER_OID_MAX];
    struct slice policies[JUDGEOPTS_POLICIES_MAX]; /* into OIDS */
};

/* Rows of a getopt_long() table. Their values are below JUDGEOPTS_END. */
enum {
    JUDGEOPTS_NAME = 1,
    JUDGEOPTS_TIME,
    JUDGEOPTS_TRUSTED,
    JUDGEOPTS_BUILTIN,
    JUDGEOPTS_CRL,
    JUDGEOPTS_RULES,
    JUDGEOPTS_PROFILE,
    JUDGEOPTS_POLICY,
    JUDGEOPTS_REQUIRE_POLICY,
    JUDGEOPTS_INHIBIT_MAPPING,
    JUDGEOPTS_INHIBIT_ANY,
    JUDGEOPTS_JSON,
    JUDGEOPTS_END
};
/* clang-format off */
#define JUDGEOPTS_ROWS                                                 \
    {"name", required_argument, NULL, JUDGEOPTS_NAME},                 \
    {"time", required_argument, NULL, JUDGEOPTS_TIME},                 \
    {"trusted", required_argument, NULL, JUDGEOPTS_TRUSTED},           \
    {"builtin", no_argument, NULL, JUDGEOPTS_BUILTIN},                 \
    {"crl", required_argument, NULL, JUDGEOPTS_CRL},                   \
    {"rules", required_argument, NULL, JUDGEOPTS_RULES},               \
    {"profile", required_argument, NULL, JUDGEOPTS_PROFILE},           \
    {"policy", required_argument, NULL, JUDGEOPTS_POLICY},             \
    {"require-policy", no_argument, NULL, JUDGEOPTS_REQUIRE_POLICY},   \
    {"inhibit-mapping", no_argument, NULL, JUDGEOPTS_INHIBIT_MAPPING}, \
    {"inhibit-any", no_argument, NULL, JUDGEOPTS_INHIBIT_ANY},         \
    {"json", no_argument, NULL, JUDGEOPTS_JSON}
/* clang-format on */

/* Their part of --help, but for --name. */
#define JUDGEOPTS_USAGE                                                                         \
    "  --time T               the time to judge at: epoch seconds or ISO 8601, UTC; else now\n" \
    "  --trusted FILE         trust what is in FILE, and no built-in certificate; may repeat\n" \
    "  --builtin              trust the built-in certificates beside those\n"                   \
    "  --crl FILE             revocation lists; may repeat\n"                                   \
    "  --rules R              how names match: rfc2818 (as without it), rfc9525, rfc5922\n"     \
    "  --profile P            how strict about form: public (as without it), or compatible\n"   \
    "  --policy OID           a certificate policy that is acceptable; may repeat\n"            \
    "  --require-policy, --inhibit-mapping, --inhibit-any\n"                                    \
    "                         the other inputs of RFC 5280 section 6.1.1\n"                     \
    "  --json                 for scripts\n"

/* Trust checked, the built-in certificates, as of now. */
void judgeopts_init(struct judgeopts *o);
void judgeopts_free(struct judgeopts *o);

/* One of the options above. */
RESULT judgeopts_set(struct judgeopts *o, int option, const char *value, struct errinfo *e);

/* As the daemon judges for account NUMBER, with the custom certificates that it has. ERR_NOT_FOUND
 * or ERR_PARSE, with a sentence. */
struct judgeopts_server {
    char host[256];
    uint16_t port;
    char tls[8]; /* "any", "1.2", "1.3" */
};
RESULT judgeopts_of_account(struct judgeopts *o, int number, struct judgeopts_server *server,
                            struct errinfo *e);

/* What goes into a judgement: IN is filled but for chain and purpose. judgeopts_drop() it. What
 * cannot be used of the trusted certificates is said on stderr. */
RESULT judgeopts_input(const struct judgeopts *o, struct verify_input *in, struct errinfo *e);
void judgeopts_drop(struct verify_input *in);

#endif
