#include "control/trial.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "control/lock.h"
#include "control/phone.h"
#include "sys/generation.h"

/* --- the accounts --- */

static bool is_locked(const struct account_status *s)
{
    struct lock_entry lock;

    lock_reduce(s, &lock);
    return lock.lock && !s->retiring; /* a call keeps that one; it is not what was provisioned */
}

void trial_prepare(struct trial *t, const struct trial_accounts *a, bool identity)
{
    memset(t->before, 0, sizeof t->before);
    t->identity = identity;
    t->failed = false;
    for (size_t i = 0; i < a->count(a->arg); i++) {
        const struct account_status s = account_status(a->at(a->arg, i));
        t->before[s.number - 1] = (struct trial_before){is_locked(&s), s.connection};
    }
}

/* Locked, with what is on trial. */
static bool proves(const struct trial *t, const struct account_status *s)
{
    const struct trial_before *before = &t->before[s->number - 1];

    if (!is_locked(s))
        return false;
    return !t->identity || !s->tls.sent_certificate || s->connection != before->connection;
}

static bool is_wanted(const struct settings *now, int number)
{
    struct account_config cfg;

    return is_ok(phone_account(now, number, &cfg, NULL)) && cfg.enabled;
}

bool trial_has_proved(const struct trial *t, const struct trial_accounts *a,
                      const struct settings *now)
{
    bool proved[LIMIT_ACCOUNTS] = {false};
    size_t n = 0;

    for (size_t i = 0; i < a->count(a->arg); i++) {
        const struct account_status s = account_status(a->at(a->arg, i));
        proved[s.number - 1] = proves(t, &s);
        n += proved[s.number - 1];
    }
    for (int number = 1; number <= LIMIT_ACCOUNTS; number++)
        if (t->before[number - 1].locked && !proved[number - 1] && is_wanted(now, number))
            return false;
    return n > 0;
}

/* --- the file --- */

struct result trial_write(uint64_t id, int64_t ends_s, struct buf *out)
{
    char iso[CLOCK_ISO_SIZE];

    clock_to_iso(ends_s, iso);
    return buf_printf(out,
                      "Run %" PRIu64 " of provisioning is on trial until %s.\n"
                      "If sipsd starts with this file, it rolls it back.\n",
                      id, iso);
}

static void look(void *arg, const char *name, struct slice content, const struct errinfo *damage)
{
    bool *found = arg;

    (void)content;
    (void)damage; /* it was there, which is enough */
    *found |= strcmp(name, TRIAL_FILE) == 0;
}

bool trial_is_open(const char *state_dir, uint64_t *number)
{
    bool found = false;

    return is_ok(generation_read(state_dir, look, &found, number, NULL)) && found;
}

/* Of all files, but the one that says that it is on trial. */
struct digest {
    uint8_t sha256[HASH_SHA256_SIZE];
};

static void add(void *arg, const char *name, struct slice content, const struct errinfo *damage)
{
    struct digest *d = arg;
    uint8_t next[HASH_MAX_SIZE], of_content[HASH_SHA256_SIZE];
    const struct slice parts[] = {slice_of(d->sha256, sizeof d->sha256),
                                  slice_of(name, strlen(name) + 1),
                                  slice_of(of_content, sizeof of_content)};

    if (damage != NULL || strcmp(name, TRIAL_FILE) == 0)
        return;
    hash_sha256(content, of_content);
    hash_parts(HASH_SHA256, parts, 3, next);
    memcpy(d->sha256, next, sizeof d->sha256);
}

bool trial_was_kept(const char *state_dir)
{
    struct digest newest = {{0}}, before = {{0}};
    uint64_t number;

    return is_ok(generation_read(state_dir, add, &newest, &number, NULL)) && number != 0 &&
           is_ok(generation_read_before(state_dir, number, add, &before, &number, NULL)) &&
           memcmp(&newest, &before, sizeof newest) == 0;
}

void trial_clear(struct trial *t)
{
    provision_report_clear(&t->report);
    memset(t, 0, sizeof *t);
}
