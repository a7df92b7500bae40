/*
 * judging: asks verify_chain() about certificates of testpki, with everything that a test does not
 * care about filled in.
 *
 *     struct question q = question_new();
 *     q.chain[0] = leaf;
 *     q.trusted[0] = root;
 *     const struct verdict v = question_ask(&q);
 *     assert_verified(&v);
 */
#ifndef SIPSD_TESTS_UNIT_PKI_JUDGING_H
#define SIPSD_TESTS_UNIT_PKI_JUDGING_H

#include "pki/verify.h"
#include "tools/testpki.h"

/* A value type; lists end with a NULL. */
struct question {
    const struct testpki_cert *chain[20];
    struct slice garbage; /* sent behind the chain, if not empty */
    const struct testpki_cert *trusted[4];
    const char *name; /* NULL: sip.example.com; "": unchecked */
    int64_t now;      /* 0: TESTPKI_NOW */
    enum clock_state clock;
    enum verify_purpose purpose;
    struct verify_policy policy;
    struct crl crls[8];
    size_t crls_count;
};

/* A server's, with trust checked and the clock set. */
struct question question_new(void);

struct verdict question_ask(const struct question *q);

/* An ordinary root, an issuing CA below ISSUER, and a server's certificate for sip.example.com, to
 * be made, or changed first. */
struct testpki_spec root_spec(void);
struct testpki_spec sub_spec(const struct testpki_cert *issuer);
struct testpki_spec leaf_spec(const struct testpki_cert *issuer);

/* End the test with what was said instead. */
void assert_verified(const struct verdict *v);
void assert_refused(const struct verdict *v, enum reason_code code, int depth); /* first reason */
void assert_sentence(const struct verdict *v, const char *sentence);

#endif
