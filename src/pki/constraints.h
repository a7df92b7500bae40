/*
 * constraints: the name constraints of a CA against the names of a certificate below it (RFC 5280
 * section 4.2.1.10), critical or not.
 *
 * Understood are host names, e-mail addresses, URIs, IP addresses and directory names. A constraint
 * on a form that is not understood refuses certificates that have a name of that form.
 */
#ifndef SIPSD_PKI_CONSTRAINTS_H
#define SIPSD_PKI_CONSTRAINTS_H

#include "pki/certfields.h"

enum constraints_result {
    CONSTRAINTS_KEPT,
    CONSTRAINTS_VIOLATED,  /* NAME says by which name */
    CONSTRAINTS_MALFORMED, /* the constraints themselves */
    CONSTRAINTS_DOTTED,    /* a ".example.com" for host names, which is not tolerated */
    CONSTRAINTS_TOO_MANY,  /* the budget is used up */
};

struct constraints_question {
    const struct certfields *ca;   /* whose constraints */
    const struct certfields *cert; /* whose names: its subject and alternative names */
    struct slice common_name;      /* looked at as a host name, too; empty: none */
    bool leading_dots; /* tolerate ".example.com" for host names: only what is below it */
    unsigned *budget;  /* comparisons that may still be made; counted down */
};

/* NAME gets the violating name, for people. */
enum constraints_result constraints_check(const struct constraints_question *q, char *name,
                                          size_t name_size);

#endif
