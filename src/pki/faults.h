/*
 * faults: where the rules of the validator say what is wrong with a path.
 *
 * While paths are searched, faults are only weighed; for the path that is reported in the end the
 * same rules run again and write their sentences into the verdict.
 */
#ifndef SIPSD_PKI_FAULTS_H
#define SIPSD_PKI_FAULTS_H

#include "pki/certfields.h"
#include "pki/verdict.h"

/* A value type. */
struct faults {
    struct verdict *verdict; /* NULL: faults are weighed, not written */
    const char *peer;        /* the name that was asked for, or NULL */
    unsigned count;
};

/* One certificate in its place. A value type, borrowed. */
struct place {
    const struct certfields *cert;
    size_t depth; /* 0 is the leaf */
    bool anchor;
};

/*
 * Adds a fault of the certificate at PLACE. The sentence is "The certificate of NAME" or "The CA
 * certificate 'NAME'" and then FMT: "expired on ...". No full stop.
 */
void fault(struct faults *f, enum reason_code code, const struct place *at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The same for a fault that only the public profile (verify.h) makes of it: the sentence ends with
 * the setting that accepts it. */
void fault_profile(struct faults *f, enum reason_code code, const struct place *at, const char *fmt,
                   ...) __attribute__((format(printf, 4, 5)));

/* Adds a fault whose sentence is FMT alone. */
void fault_said(struct faults *f, enum reason_code code, const struct place *at, const char *fmt,
                ...) __attribute__((format(printf, 4, 5)));

#endif
