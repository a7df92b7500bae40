/*
 * builtin: the table of the built-in CAs. Its source is made at build time by certs/mkbuiltin; only
 * pki/trust reads it.
 *
 * Read-only and without a pointer, so that it needs no relocation at start and all of it stays on
 * flash until a look-up touches it.
 */
#ifndef SIPSD_PKI_BUILTIN_H
#define SIPSD_PKI_BUILTIN_H

#include <stdint.h>

/* Where one is in builtin_der, and what it is found by. */
struct builtin_entry {
    uint64_t subject_hash; /* dn_hash() of its subject */
    uint32_t der_at;
    uint16_t der_size;
    uint16_t key_id_at; /* the subject key identifier, inside the DER */
    uint8_t key_id_size;
    uint8_t operator; /* index of builtin_operator_at */
};

extern const uint32_t builtin_count;
extern const struct builtin_entry builtin_entries[]; /* sorted by subject_hash */
extern const uint8_t builtin_order[]; /* indices of builtin_entries: by operator, then as listed */
extern const uint16_t builtin_operator_at[]; /* where in builtin_operators each begins */
extern const char builtin_operators[];       /* each terminated */
extern const uint8_t builtin_der[];          /* whole certificates, one after the other */
extern const char builtin_version[];         /* of the package that they were taken from */

#endif
