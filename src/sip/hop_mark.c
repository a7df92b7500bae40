#include "sip/hop_mark.h"

#include <assert.h>
#include <string.h>

#include "base/ascii.h"
#include "base/hash.h"
#include "sip/field.h"

#define MAGIC_COOKIE     "z9hG4bK" /* RFC 3261 section 8.1.1.7 */
#define ID_DIGITS        16
#define MAC_DIGITS       32
#define TOKEN_MAC_DIGITS (HOP_TOKEN_SIZE - 3)

static_assert(sizeof MAGIC_COOKIE + ID_DIGITS + MAC_DIGITS == HOP_BRANCH_SIZE, "a branch");

static void put_u64(uint8_t out[8], uint64_t v)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(v >> (56 - 8 * i));
}

static void mac_hex(const uint8_t *key, const struct slice *parts, size_t n, size_t digits,
                    char *out)
{
    uint8_t mac[HASH_SHA256_SIZE];
    hash_hmac_sha256(slice_of(key, HOP_KEY_SIZE), parts, n, mac);
    hash_hex(slice_of(mac, digits / 2), out);
}

/* CANCEL and the ACK of a refusal belong to the INVITE (section 9.1, 17.1.1.3). */
static const char *transaction_method(const struct sip_message *m)
{
    const char *method = sip_message_method(m);
    return strcmp(method, "ACK") == 0 || strcmp(method, "CANCEL") == 0 ? "INVITE" : method;
}

void hop_mark_branch(const uint8_t key[HOP_KEY_SIZE], int account, const struct sip_message *m,
                     size_t via, uint64_t back, uint64_t forth, char out[HOP_BRANCH_SIZE])
{
    const struct slice below = slice_of_str(sip_message_header(m, "Via", via));
    struct sip_via of;
    struct slice branch = SLICE_EMPTY;
    uint8_t head[1 + 3 * 8], cseq[8];
    (void)sip_field_param(below, "branch", &branch);
    sip_field_via(below, &of);
    head[0] = 'b';
    put_u64(head + 1, (uint64_t)account);
    put_u64(head + 9, back);
    put_u64(head + 17, forth);
    put_u64(cseq, sip_message_cseq(m));
    const struct slice end = slice_of("", 1);
    /* A branch without the cookie is not unique by itself. */
    const bool unique = slice_starts(branch, SLICE_LIT(MAGIC_COOKIE));
    const struct slice parts[] = {
        slice_of(head, sizeof head),
        branch,
        end,
        unique ? SLICE_EMPTY : of.host,
        end,
        unique ? SLICE_EMPTY : of.port,
        end,
        slice_of_str(sip_message_call_id(m)),
        end,
        slice_of_str(sip_message_from_tag(m)),
        end,
        slice_of(cseq, sizeof cseq),
        slice_of_str(transaction_method(m)),
    };
    uint8_t id[8];
    put_u64(id, back);
    memcpy(out, MAGIC_COOKIE, sizeof MAGIC_COOKIE);
    hash_hex(slice_of(id, sizeof id), out + sizeof MAGIC_COOKIE - 1);
    mac_hex(key, parts, sizeof parts / sizeof parts[0], MAC_DIGITS,
            out + sizeof MAGIC_COOKIE - 1 + ID_DIGITS);
}

bool hop_mark_branch_id(struct slice branch, uint64_t *back)
{
    if (branch.n != HOP_BRANCH_SIZE - 1 || !slice_starts(branch, SLICE_LIT(MAGIC_COOKIE)))
        return false;
    *back = 0;
    for (size_t i = 0; i < ID_DIGITS; i++) {
        const int digit = ascii_hex(branch.p[sizeof MAGIC_COOKIE - 1 + i]);
        if (digit < 0)
            return false;
        *back = *back << 4 | (uint64_t)digit;
    }
    return true;
}

void hop_mark_route(const uint8_t key[HOP_KEY_SIZE], int account, bool outward, bool sips,
                    char out[HOP_TOKEN_SIZE])
{
    uint8_t number[8];
    put_u64(number, (uint64_t)account);
    out[0] = outward ? 'o' : 'i';
    out[1] = sips ? 's' : 'p';
    const struct slice parts[] = {SLICE_LIT("r"), slice_of(number, sizeof number),
                                  slice_of(out, 2)};
    mac_hex(key, parts, sizeof parts / sizeof parts[0], TOKEN_MAC_DIGITS, out + 2);
}

bool hop_mark_is_route(const uint8_t key[HOP_KEY_SIZE], int account, struct slice userinfo,
                       bool outward, bool *sips)
{
    char token[HOP_TOKEN_SIZE];
    if (userinfo.n != HOP_TOKEN_SIZE - 1)
        return false;
    *sips = userinfo.p[1] == 's';
    hop_mark_route(key, account, outward, *sips, token);
    return hash_equal(userinfo.p, token, HOP_TOKEN_SIZE - 1);
}
