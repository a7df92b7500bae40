/*
 * certext: values of extensions, written from text, for testpki's .exts. They live until the
 * process ends, as certificates do.
 */
#ifndef SIPSD_TESTS_TOOLS_CERTEXT_H
#define SIPSD_TESTS_TOOLS_CERTEXT_H

#include "tools/testpki.h"

/* NameConstraints of names as der_general_names() takes them, with "IP:192.0.2.0/24" for networks
 * and "dir:CN=x" for directory names; NULL: no such subtrees. */
struct testpki_ext certext_constraints(const char *permitted, const char *excluded);

/* "1.2.3 1.2.4", "any" for anyPolicy. */
struct testpki_ext certext_policies(const char *oids);

/* "1.2.3=1.2.4 1.2.3=1.2.5": issuer's policy and subject's. */
struct testpki_ext certext_mappings(const char *pairs);

/* SkipCerts; -1: no such field. */
struct testpki_ext certext_policy_constraints(int require_explicit, int inhibit_mapping);
struct testpki_ext certext_inhibit_any(unsigned skip);

#endif
