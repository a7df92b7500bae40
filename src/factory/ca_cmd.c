/* The command that makes the maker's CA. */
#include <stdio.h>

#include "factory/ca.h"
#include "factory/factory.h"
#include "factory/validity.h"

#define ORGANIZATION "SIP Phone Maker" /* where no --name says better */
#define RSA_BITS     3072              /* it is to last for decades */

struct result factory_ca(const struct options *o, struct errinfo *e)
{
    struct buf password;
    struct ca_plan plan = {
        .dir = o->operands[0],
        .organization = o->name != NULL ? o->name : ORGANIZATION,
        .rsa_bits = options_rsa_bits(o, false, RSA_BITS),
        .years = o->years != 0 ? o->years : VALIDITY_ROOT_YEARS,
        .no_end = o->no_end,
        .now_s = o->now_s,
    };

    struct result r = factory_password(o, &password, e);
    if (is_ok(r)) {
        plan.password = buf_slice(&password);
        r = ca_create(&plan, o->rng, e);
    }
    buf_wipe(&password);
    if (is_ok(r))
        (void)printf("%s: made the CA; keep root.key in a safe, root.pem is for those who are to "
                     "trust it\n",
                     plan.dir);
    return r;
}
