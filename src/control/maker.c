#include "control/maker.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "base/log.h"
#include "sys/store.h"

#define PATH_SIZE 4096

/* The key is taken all the same: a phone without its certificate helps nobody. */
static void warn_if_open(const char *path)
{
    struct stat st;
    if (stat(path, &st) == 0 && (st.st_mode & (S_IRGRP | S_IROTH)) != 0)
        log_warning("identity",
                    "%s has a private key and others can read it: its mode should be "
                    "0600",
                    path);
}

static struct result check_mac(struct identity *id, const char *mac, struct errinfo *e)
{
    char label[96];
    if (identity_is_for_mac(id, mac))
        return OK;
    cert_label(identity_leaf(id), label, sizeof label);
    return fail(e, ERR_INVALID,
                "it is the certificate of '%s', not of this phone, whose MAC address is %s", label,
                mac);
}

/* MAC NULL: any phone's will do. */
static struct result load(struct slice content, const char *mac, const struct rng *rng,
                          struct identity **out, struct errinfo *e)
{
    struct identity *id;
    TRY(identity_load(content, SLICE_EMPTY, SLICE_EMPTY, rng, &id, e));
    const struct result r = mac != NULL ? check_mac(id, mac, e) : OK;
    if (is_ok(r))
        *out = id;
    else
        identity_unref(id);
    return r;
}

static void fill(struct identity_slot *slot, const char *dir, const char *name, const char *mac,
                 const struct rng *rng)
{
    char path[PATH_SIZE];
    struct buf content;
    struct errinfo e = ERRINFO_INIT;
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    buf_init(&content, LIMIT_CERT_FILE_BYTES);
    struct result r = store_read(path, &content, &e);
    const bool there = r.code != ERR_NOT_FOUND;
    if (is_ok(r)) {
        warn_if_open(path);
        r = load(buf_slice(&content), mac, rng, &slot->identity, &e);
        errinfo_context(&e, "%s", path);
    }
    buf_wipe(&content);
    if (!there || is_ok(r))
        return;
    IGNORE(fail(&e, r.code, "%s: %s", path, err_text(r.code))); /* where nobody said more */
    slot->problem = e;
    log_warning("identity", "it is not used: %s", e.text);
}

void maker_identities(const char *dir, const char *mac, const struct rng *rng,
                      struct identity_slots *slots)
{
    fill(&slots->unique, dir, "unique.pem", mac, rng);
    fill(&slots->generic, dir, "generic.pem", NULL, rng);
}
