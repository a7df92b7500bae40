/*
 * trace: a SIP message as JSON, for people who look for what is wrong: never with credentials, the
 * body only when asked for. Pure.
 */
#ifndef SIPSD_CONTROL_TRACE_H
#define SIPSD_CONTROL_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct cJSON;

/*
 * The params of "message". MESSAGE was parsed before. The values of header fields with credentials
 * or challenges are left out, and so are keys in SDP (RFC 4568); what is longer than LIMIT_TRACE is
 * cut. NULL on no memory.
 */
struct cJSON *trace_message(int account, uint64_t connection, bool outward, struct slice message,
                            bool body);

#endif
