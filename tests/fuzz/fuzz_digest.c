/* Every challenge that is taken can be answered, and a server finds in the answer what it had put
 * into the challenge. */
#include <stdlib.h>
#include <string.h>

#include "sip/digest.h"
#include "tools/rigged_rng.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct buf *answer, const char *name, const char *expected)
{
    char got[DIGEST_NONCE_SIZE];
    if (is_err(digest_param(buf_slice(answer), name, got, sizeof got)) ||
        strcmp(got, expected) != 0)
        abort();
}

static void answer(const struct digest_challenge *c)
{
    static const struct digest_credentials cred = {"a \"user\" \\", "secret"};
    uint64_t seed = 1;
    const struct rng rng = rigged_rng(&seed);
    struct buf out;
    buf_init(&out, 65536);
    if (is_err(digest_answer(&out, c, &cred, "REGISTER", "sips:example.com", 1, &rng, NULL)))
        abort();
    check(&out, "username", cred.user);
    check(&out, "realm", c->realm);
    check(&out, "nonce", c->nonce);
    if (c->has_opaque)
        check(&out, "opaque", c->opaque);
    buf_wipe(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of(data, size);
    while (rest.n > 0) {
        struct digest_challenge c;
        struct errinfo e = ERRINFO_INIT;
        const size_t before = rest.n;
        const struct result r = digest_parse(&rest, &c, &e);
        if (rest.n >= before || e.code != r.code) /* it always gets on */
            abort();
        if (is_ok(r))
            answer(&c);
    }
    return 0;
}
