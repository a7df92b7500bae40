/*
 * Any request that can be parsed is let pass or refused with one of a few answers, and each answer
 * is a message itself. Before the message is a byte: whether only servers may send.
 *
 * The accounts are stand-ins: linked first, what reception asks of link/account is answered here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link/reception.h"
#include "sip/message_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct account {
    const char *aor, *host;
};

static struct account accounts[] = {{"sips:alice@example.com", "sip.example.com"},
                                    {"sips:alice@example.net", "192.0.2.1"},
                                    {"sips:b%20ob@example.com", "sip.example.com"}};

struct account_status account_status(const struct account *a)
{
    static struct route here, nowhere;
    here.addrs[0].family = 4;
    here.count = 1;
    return (struct account_status){
        .aor = a->aor, .host = a->host, .route = a == &accounts[1] ? &here : &nowhere};
}

int account_number(const struct account *a)
{
    return (int)(a - accounts) + 1;
}

static size_t count(void *arg)
{
    (void)arg;
    return sizeof accounts / sizeof accounts[0];
}

static struct account *at(void *arg, size_t i)
{
    (void)arg;
    return &accounts[i];
}

static bool is_known(int status)
{
    static const int known[] = {0, 403, 404, 416, 420, 483};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i] == status)
            return true;
    return false;
}

static void check_answer(const struct sip_message *m, const struct reception_answer *a)
{
    struct sip_message *parsed;
    struct buf out;
    buf_init(&out, 2 * LIMIT_SIP_MESSAGE);
    if (is_err(sip_message_write_response(&out, m, a->status, a->reason, "tag", a->extra)) ||
        is_err(sip_message_parse(buf_slice(&out), &parsed, NULL)) ||
        sip_message_status(parsed) != a->status)
        abort();
    sip_message_free(parsed);
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct account_source source = {.count = count, .at = at};
    struct reception r = {.accounts = &source, .from = {.family = 4}};
    struct reception_answer a;
    struct sip_message *m;
    if (size == 0 || is_err(sip_message_parse(slice_of(data + 1, size - 1), &m, NULL)))
        return 0;
    r.trust_ctrl = data[0] % 2 != 0;
    r.no_check_sync = data[0] % 4 >= 2;
    if (!sip_message_is_request(m)) {
        (void)reception_asker(&r, m);
    } else {
        reception_decide(&r, m, &a);
        if (!is_known(a.status) || (a.status != 0) != (a.reason != NULL))
            abort();
        if (a.status == 0 && r.trust_ctrl && a.account != NULL && a.account != &accounts[1])
            abort();
        if (a.status != 0)
            check_answer(m, &a);
    }
    sip_message_free(m);
    return 0;
}
