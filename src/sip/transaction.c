#include "sip/transaction.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"

void sip_transaction_start(struct sip_transaction *t, const char *branch, const char *method,
                           uint64_t now_ms)
{
    const bool fits = slice_to_str(slice_of_str(branch), t->branch, sizeof t->branch) &&
                      slice_to_str(slice_of_str(method), t->method, sizeof t->method);
    assert(fits && branch[0] != '\0'); /* both are ours */
    (void)fits;
    t->state = SIP_TRANSACTION_TRYING;
    t->deadline_ms = now_ms + LIMIT_SIP_TIMER_F_MS;
}

static bool is_under_way(const struct sip_transaction *t)
{
    return t->state == SIP_TRANSACTION_TRYING || t->state == SIP_TRANSACTION_PROCEEDING;
}

/* RFC 3261 section 17.1.3: the branch of the top Via, and the method of CSeq. */
static bool matches(const struct sip_transaction *t, const struct sip_message *m)
{
    return !sip_message_is_request(m) && strcmp(sip_message_branch(m), t->branch) == 0 &&
           strcmp(sip_message_method(m), t->method) == 0;
}

bool sip_transaction_receive(struct sip_transaction *t, const struct sip_message *m)
{
    if (!is_under_way(t) || !matches(t, m))
        return false;
    t->state = sip_message_status(m) < 200 ? SIP_TRANSACTION_PROCEEDING : SIP_TRANSACTION_DONE;
    return true;
}

bool sip_transaction_expired(struct sip_transaction *t, uint64_t now_ms)
{
    if (!is_under_way(t) || now_ms < t->deadline_ms)
        return false;
    t->state = SIP_TRANSACTION_DONE;
    return true;
}

uint64_t sip_transaction_deadline(const struct sip_transaction *t)
{
    return is_under_way(t) ? t->deadline_ms : UINT64_MAX;
}

void sip_transaction_cancel(struct sip_transaction *t)
{
    t->state = SIP_TRANSACTION_DONE;
}
