/* judgement: a verdict for people, as a tree of its chain, and for scripts. */
#ifndef SIPSD_CTL_JUDGEMENT_H
#define SIPSD_CTL_JUDGEMENT_H

#include <cjson/cJSON.h>

#include "pki/verdict.h"

/* To stdout: the sentence, then the chain from the anchor down to the leaf, with what is wrong
 * below each certificate. */
void judgement_print(const struct verdict *v);

/*
 * {"verdict", "accepted", "code", "sentence", "alert", "pinned", "anchor": "builtin"|"custom"|null,
 *  "name": the matching one | null, "reasons": [{"code", "depth", "certificate", "sentence"}],
 *  "chain": [{"certificate", "sha256", "not_before", "not_after"}], "signature_checks"}
 * NULL without memory; cJSON_Delete() it.
 */
cJSON *judgement_json(const struct verdict *v);

#endif
