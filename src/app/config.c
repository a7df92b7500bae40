#include "app/config.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "base/log.h"
#include "control/phone.h"
#include "sys/store.h"

static void complain(void *arg, const char *file, size_t line, bool severe, const char *text)
{
    unsigned *refused = arg;
    if (severe)
        (*refused)++;
    log_write(severe ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "settings", "%s:%zu: %s", file, line,
              text);
}

/* A FIFO or a device would block us; others who can read it can read the passwords. */
static struct result look_at(const char *path, struct errinfo *e)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return fail_errno(e, errno, "cannot read %s", path);
    if (!S_ISREG(st.st_mode))
        return fail(e, ERR_INVALID, "%s is not a regular file", path);
    if ((st.st_mode & (S_IRGRP | S_IROTH)) != 0)
        log_warning("settings", "%s has passwords and others can read it: its mode should be 0600",
                    path);
    return OK;
}

static struct result apply(const char *path, struct settings *s, struct commands *commands,
                           unsigned *refused, struct errinfo *e)
{
    struct buf content;
    TRY(look_at(path, e));
    buf_init(&content, LIMIT_SETTINGS_BYTES);
    struct result r = store_read(path, &content, e);
    if (is_ok(r))
        r = settings_apply(s, path, buf_slice(&content), commands, complain, refused, e);
    buf_wipe(&content);
    return r;
}

unsigned config_check_accounts(const struct settings *s)
{
    unsigned refused = 0;
    for (int number = 1; number <= LIMIT_ACCOUNTS; number++) {
        struct account_config cfg;
        struct errinfo e = ERRINFO_INIT;
        const struct result r = phone_account(s, number, &cfg, &e);
        if (is_ok(r))
            continue;
        if (r.code == ERR_UNSUPPORTED) { /* it is another part of the phone's */
            log_notice("settings", "%s", errinfo_text(&e, r));
            continue;
        }
        refused++;
        log_error("settings", "%s", errinfo_text(&e, r));
    }
    return refused;
}

RESULT config_read(const char *const *paths, size_t n, struct settings **out,
                   struct commands *commands, unsigned *refused, struct errinfo *e)
{
    struct settings *s;
    *refused = 0;
    *commands = (struct commands){.count = 0};
    if (is_err(settings_new(&s)))
        return fail(e, ERR_NOMEM, "out of memory for the settings");
    for (size_t i = 0; i < n; i++) {
        const struct result r = apply(paths[i], s, commands, refused, e);
        if (is_err(r)) {
            settings_free(s);
            commands_clear(commands);
            return r;
        }
    }
    *out = s;
    return OK;
}

static struct result peek(const char *path, struct settings *s)
{
    struct stat st;
    struct buf content;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return err(ERR_SYSTEM);
    buf_init(&content, LIMIT_SETTINGS_BYTES);
    struct result r = store_read(path, &content, NULL);
    if (is_ok(r))
        r = settings_apply(s, path, buf_slice(&content), NULL, NULL, NULL, NULL);
    buf_wipe(&content);
    return r;
}

uint16_t config_peek_port(const char *const *paths, size_t n)
{
    struct settings *s;
    uint16_t port = 0;
    if (is_err(settings_new(&s)))
        return 0;
    size_t i = 0;
    while (i < n && is_ok(peek(paths[i], s)))
        i++;
    if (i == n)
        port = (uint16_t)settings_int(s, "sip.tls_listen_port", 0, 0);
    settings_free(s);
    return port;
}
