/*
 * A judgement of what a peer sends, under policies that the input chooses: it ends, within its
 * limits, with a verdict that makes sense.
 *
 * Input: a byte of choices, a byte of more, then certificates, each behind two bytes of length. The
 * last one is trusted, so that whole paths are judged; what is trusted twice is a pin.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "pki/verify.h"

#define NOW 1800000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t read_list(struct slice in, struct slice list[LIMIT_PEER_CERTS + 4])
{
    size_t n = 0;

    while (in.n >= 2 && n < LIMIT_PEER_CERTS + 4) {
        const size_t len = (size_t)in.p[0] << 8 | in.p[1];
        list[n++] = slice_first(slice_from(in, 2), len);
        in = slice_from(in, 2 + len);
    }
    return n;
}

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_verdict(const struct verify_input *in, const struct verdict *v)
{
    check(v->class != VERDICT_NONE);
    check(v->signature_checks <= LIMIT_SIGNATURE_CHECKS);
    check(v->path_len <= LIMIT_PATH_DEPTH && v->reasons_count <= VERDICT_REASONS_MAX);
    check(utf8_is_text(slice_of_str(verdict_sentence(v))));
    for (size_t i = 0; i < v->reasons_count; i++) {
        check(utf8_is_text(slice_of_str(v->reasons[i].sentence)));
        check(v->reasons[i].depth < (int)LIMIT_PATH_DEPTH);
        check(i == 0 || v->reasons[i - 1].code <= v->reasons[i].code);
    }
    for (size_t i = 0; i < v->path_len; i++)
        check(utf8_is_text(slice_of_str(v->path[i].label)));
    if (v->class == VERDICT_VERIFIED) {
        check(v->reasons_count == 0 && v->anchored && v->path_len > 0);
        check(v->valid_until_s >= in->now.epoch_s);
        check(v->name_checked == (in->name != NULL));
        check(v->pinned || (v->path_len > 1 && v->signature_checks > 0));
    } else {
        check(v->reasons_count > 0 && v->reasons[0].code != REASON_NONE);
        check((v->class == VERDICT_REJECTED) == !verdict_accepted(v));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice list[LIMIT_PEER_CERTS + 4];
    struct peername name;
    struct trust *trust;
    struct verdict v;

    if (size < 2 || is_err(peername_parse(SLICE_LIT("sip.example.com"), &name, NULL)))
        return 0;
    const size_t n = read_list(slice_of(data + 2, size - 2), list);
    const struct verify_policy policy = {
        .check_trust = (data[0] & 0x01) == 0,
        .rules = (enum peername_rules)(data[0] >> 1 & 0x03) % 3,
        .clock = (enum verify_clock_policy)(data[0] >> 3 & 0x03) % 3,
        .profile = (data[0] & 0x20) != 0 ? VERIFY_PROFILE_COMPATIBLE : VERIFY_PROFILE_PUBLIC,
        .allow_sha1 = (data[0] & 0x40) != 0,
        .client_eku_required = true,
        .policies = {.require_explicit = (data[1] & 0x01) != 0,
                     .inhibit_mapping = (data[1] & 0x02) != 0,
                     .inhibit_any = (data[1] & 0x04) != 0},
    };
    const struct trust_custom last = {"last", n > 0 ? list[n - 1] : SLICE_EMPTY};
    if (is_err(trust_new(&last, n > 0 ? 1 : 0, NULL, NULL, &trust, NULL)))
        return 0;
    const struct verify_input in = {
        .chain = list,
        .chain_len = n,
        .trust = trust,
        .filter = TRUST_ALL,
        .name = (data[1] & 0x08) != 0 ? NULL : &name,
        .now = {NOW, (enum clock_state)((data[1] >> 4 & 0x03) % 3)},
        .purpose = (enum verify_purpose)((data[1] >> 6) % 3),
        .policy = &policy,
    };
    verify_chain(&in, &v);
    check_verdict(&in, &v);
    trust_unref(trust);
    return 0;
}
