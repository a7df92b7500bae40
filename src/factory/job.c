#include "factory/job.h"

#include "base/clock.h"
#include "factory/factory.h"
#include "factory/issued.h"
#include "sys/store.h"

#define RSA_BITS 2048 /* of a phone's key: its processor is small */

struct result job_open(const struct options *o, struct job *out, struct errinfo *e)
{
    struct buf password;

    *out = (struct job){.options = o};
    struct result r = factory_password(o, &password, e);
    if (is_ok(r))
        r = ca_open(o->operands[0], buf_slice(&password), o->rng, &out->ca, e);
    buf_wipe(&password);
    return r;
}

void job_close(struct job *j)
{
    char date[CLOCK_ISO_SIZE];

    if (j->cut) {
        clock_to_iso(cert_not_after(identity_leaf(j->ca.identity)), date);
        factory_note("the CA ends on %s, and what it issued now ends with it", date);
    }
    ca_close(&j->ca);
}

struct phone_plan job_plan(const struct job *j)
{
    const struct options *o = j->options;

    return (struct phone_plan){
        .wish = {o->now_s, o->years != 0 ? o->years : VALIDITY_PHONE_YEARS, o->no_end},
        .rsa_bits = options_rsa_bits(o, ca_is_rsa(&j->ca), RSA_BITS),
    };
}

struct result job_deliver(const struct job *j, const struct buf *rows, const char *path,
                          mode_t mode, const struct buf *pem, struct errinfo *e)
{
    TRY(issued_append(j->ca.dir, rows, e));
    return store_create(path, mode, buf_slice(pem), e);
}
