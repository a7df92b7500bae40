#include "link/judge.h"

#include <inttypes.h>
#include <string.h>

RESULT judge_init(struct judge *j, struct trust *trust, const char *name,
                  const struct wallclock_source *clock, struct errinfo *e)
{
    memset(j, 0, sizeof *j);
    if (name != NULL)
        TRY(peername_parse(slice_of_str(name), &j->name, e));
    j->trust = trust_ref(trust);
    j->clock = clock;
    return OK;
}

void judge_clear(struct judge *j)
{
    trust_unref(j->trust);
    j->trust = NULL;
}

void judge_set_trust(struct judge *j, struct trust *trust)
{
    struct trust *old = j->trust;
    j->trust = trust_ref(trust);
    trust_unref(old);
}

struct verify_input judge_input(const struct judge *j, const struct slice *chain, size_t n)
{
    return (struct verify_input){
        .chain = chain,
        .chain_len = n,
        .trust = j->trust,
        .filter = j->filter,
        .name = j->check_name ? &j->name : NULL,
        .now = wallclock_now(j->clock),
        .purpose = j->purpose,
        .policy = &j->policy,
    };
}

const char *judge_server_name(const struct judge *j)
{
    return j->name.kind == PEERNAME_DNS ? j->name.text : NULL;
}

RESULT judge_flow_key(const struct judge *j, int account, enum tls_versions versions,
                      struct buf *out)
{
    const struct verify_policy *p = &j->policy;
    return buf_printf(out, "%d %s %d %d %d %d %d %u %d %d %" PRIu64 " %d", account, j->name.text,
                      j->check_name, j->filter, p->check_trust, p->profile, p->rules,
                      p->min_rsa_bits, p->allow_sha1, p->clock, trust_generation(j->trust),
                      versions);
}

bool judge_clock_matters(const struct verdict *v)
{
    if (v->class == VERDICT_PROVISIONAL)
        return true;
    for (size_t i = 0; i < v->reasons_count; i++)
        switch (v->reasons[i].code) {
        case REASON_EXPIRED:
        case REASON_NOT_YET_VALID:
        case REASON_CLOCK_UNSET:
            return true;
        default:
            break;
        }
    return false;
}

static bool same_path(const struct verdict *a, const struct verdict *b)
{
    if (a->path_len != b->path_len)
        return false;
    for (size_t i = 0; i < a->path_len; i++)
        if (memcmp(a->path[i].sha256, b->path[i].sha256, HASH_SHA256_SIZE) != 0)
            return false;
    return true;
}

static bool same_reasons(const struct verdict *a, const struct verdict *b)
{
    if (a->reasons_count != b->reasons_count)
        return false;
    for (size_t i = 0; i < a->reasons_count; i++)
        if (a->reasons[i].code != b->reasons[i].code ||
            a->reasons[i].depth != b->reasons[i].depth ||
            strcmp(a->reasons[i].sentence, b->reasons[i].sentence) != 0)
            return false;
    return true;
}

bool judge_same(const struct verdict *a, const struct verdict *b)
{
    return a->class == b->class && a->name_checked == b->name_checked && a->pinned == b->pinned &&
           a->anchored == b->anchored && (!a->anchored || a->anchor_source == b->anchor_source) &&
           same_reasons(a, b) && same_path(a, b);
}
