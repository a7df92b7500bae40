/* account_json: sipsd's JSON of accounts and certificates as the structs of the public header. */
#ifndef SIPSD_CLIENT_ACCOUNT_JSON_H
#define SIPSD_CLIENT_ACCOUNT_JSON_H

#include "sipsd/client.h"

struct cJSON;

/* Fills OUT whole; false if OBJECT is no account. */
bool account_from_json(const struct cJSON *object, struct sipsd_account *out);

/* Fills the registration fields of OUT; false if OBJECT is no registration. */
bool registration_from_json(const struct cJSON *object, struct sipsd_account *out);

/* Fills OUT whole; false if OBJECT is no certificate. */
bool certificate_from_json(const struct cJSON *object, struct sipsd_certificate *out);

#endif
