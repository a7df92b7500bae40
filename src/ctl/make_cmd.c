/* provision --make: writes the settings file that gives certificates to phones. Each is judged
 * first as a phone judges it. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "control/change.h"
#include "control/command.h"
#include "control/settings.h"
#include "ctl/ctl.h"
#include "ctl/files.h"
#include "ctl/offline.h"
#include "ctl/settings_file.h"

#define TRUSTED_URL    "static.trusted_certificates.url"
#define TRUSTED_DELETE "static.trusted_certificates.delete"
#define OWN_URL        "static.server_certificates.url"
#define OWN_DELETE     "static.server_certificates.delete"

#define LINES_MAX 64 /* --delete and --set together, each; a file for more is written by hand */

static const char usage_text[] =
    "usage: sipsctl provision --make [OPTION]... [CERT]...\n\n"
    "Writes to standard output the settings file that makes phones trust the certificates in the\n"
    "files CERT. Each is judged first, as a phone does it; a refused one ends it all.\n\n"
    "  --identity FILE   give the phone this certificate of its own: chain and private key\n"
    "  --key FILE        the private key, where it is in a file of its own\n"
    "  --delete NAME     first delete the trusted certificates of this upload; may repeat\n"
    "  --delete-all      first delete all that were uploaded\n"
    "  --delete-identity first delete the phone's uploaded certificate\n"
    "  --set KEY=VALUE   a setting; may repeat\n"
    "  --url BASE        the files will be published in this directory, as BASE/CERT: only their\n"
    "                    URLs are written. Without it the certificates themselves are\n\n"
    "Exit status: 0 written, 1 a certificate is refused, 2 could not run.\n";

struct making {
    const char *base; /* NULL: the certificates themselves */
    const char *deletes[LINES_MAX], *sets[LINES_MAX];
    size_t deletes_count, sets_count;
    bool delete_all, delete_identity;
    struct files certs, identity, key;
    struct buf out;
};

/* --- the command line --- */

static int add_line(const char **list, size_t *n, const char *value)
{
    if (*n == LINES_MAX)
        return ctl_fail(CTL_FAILED, "no more than %d of an option", LINES_MAX);
    list[(*n)++] = value;
    return CTL_OK;
}

static int read_only_one(struct files *f, const char *path)
{
    files_clear(f);
    return files_read(f, path);
}

static int set_option(struct making *m, int option, const char *value)
{
    switch (option) {
    case 'm':
        return CTL_OK;
    case 'u':
        m->base = value;
        return CTL_OK;
    case 'i':
        return read_only_one(&m->identity, value);
    case 'k':
        return read_only_one(&m->key, value);
    case 'd':
        return add_line(m->deletes, &m->deletes_count, value);
    case 's':
        return add_line(m->sets, &m->sets_count, value);
    case 'a':
        m->delete_all = true;
        return CTL_OK;
    case 'o':
        m->delete_identity = true;
        return CTL_OK;
    default:
        return CTL_FAILED; /* getopt said why */
    }
}

static int check_use(const struct making *m)
{
    if (m->key.count > 0 && m->identity.count == 0)
        return ctl_fail(CTL_FAILED, "--key is the key of an --identity");
    if (m->key.count > 0 && m->base != NULL)
        return ctl_fail(CTL_FAILED,
                        "with --url, phones fetch one file: put the private key into "
                        "%s",
                        m->identity.list[0].path);
    if (m->certs.count + m->identity.count + m->deletes_count + m->sets_count == 0 &&
        !m->delete_all && !m->delete_identity)
        return ctl_fail(CTL_FAILED, "which certificates? See sipsctl provision --make --help");
    return CTL_OK;
}

static int read_arguments(struct making *m, int argc, char **argv)
{
    static const struct option options[] = {
        {"make", no_argument, NULL, 'm'},
        {"url", required_argument, NULL, 'u'},
        {"identity", required_argument, NULL, 'i'},
        {"key", required_argument, NULL, 'k'},
        {"delete", required_argument, NULL, 'd'},
        {"delete-all", no_argument, NULL, 'a'},
        {"delete-identity", no_argument, NULL, 'o'},
        {"set", required_argument, NULL, 's'},
        {NULL, 0, NULL, 0},
    };
    int c, status = CTL_OK;
    while (status == CTL_OK && (c = getopt_long(argc, argv, "", options, NULL)) != -1)
        status = set_option(m, c, optarg);
    for (int i = optind; status == CTL_OK && i < argc; i++)
        status = files_read(&m->certs, argv[i]);
    return status == CTL_OK ? check_use(m) : status;
}

/* --- settings --- */

/* A key that is not sipsd's may be another part of the phone's: it is written all the same. */
static RESULT put_setting(struct making *m, struct settings *known, const char *text,
                          struct errinfo *e)
{
    struct slice value = slice_of_str(text);
    char key[LIMIT_TEXT];
    struct errinfo why = ERRINFO_INIT;
    if (slice_find(value, '=') == value.n ||
        !slice_to_str(slice_trim(slice_cut(&value, '=')), key, sizeof key))
        return fail(e, ERR_INVALID, "--set is KEY=VALUE, not '%s'", text);
    value = slice_trim(value);
    if (key[0] == '#' || slice_find(value, '\n') < value.n)
        return fail(e, ERR_INVALID, "--set is one line KEY=VALUE");
    const struct result r = settings_set(known, key, value, &why);
    if (r.code == ERR_NOT_FOUND)
        (void)ctl_fail(CTL_OK, "note: %s", errinfo_text(&why, r));
    else if (is_err(r))
        return fail(e, r.code, "%s", errinfo_text(&why, r));
    return settings_file_put(&m->out, key, value.n > 0 ? value : SLICE_LIT("%NULL%"), e);
}

static RESULT put_settings(struct making *m, struct errinfo *e)
{
    struct settings *known;
    if (is_err(settings_new(&known)))
        return fail(e, ERR_NOMEM, "out of memory");
    struct result r = OK;
    for (size_t i = 0; i < m->sets_count && is_ok(r); i++)
        r = put_setting(m, known, m->sets[i], e);
    settings_free(known);
    return r;
}

/* --- certificates --- */

static RESULT put_deletes(struct making *m, struct errinfo *e)
{
    if (m->delete_all)
        TRY(settings_file_put_delete(&m->out, TRUSTED_DELETE, "all", e));
    for (size_t i = 0; i < m->deletes_count; i++)
        TRY(settings_file_put_delete(&m->out, TRUSTED_DELETE, m->deletes[i], e));
    return m->delete_identity ? settings_file_put_delete(&m->out, OWN_DELETE, "all", e) : OK;
}

static RESULT put_items(struct making *m, const char *name, const struct import *items,
                        struct errinfo *e)
{
    for (size_t i = 0; i < items->count; i++) {
        const struct import_item *item = &items->items[i];
        if (item->fate == IMPORT_KNOWN) /* in a file before */
            continue;
        TRY(settings_file_comment(&m->out, item->cert, e));
        if (m->base == NULL)
            TRY(settings_file_put_cert(&m->out, name, item->cert, e));
    }
    return m->base != NULL ? settings_file_put_url(&m->out, TRUSTED_URL, m->base, name, e) : OK;
}

/* What the ending of the file's name is looked up in; standard input has none. */
static const char *judged_name(const struct file *f)
{
    return strcmp(f->path, "-") != 0 ? f->path : NULL;
}

static RESULT put_trusted(struct making *m, struct change *ch, const struct file *f,
                          struct errinfo *e)
{
    struct change_added added;
    struct result r = change_add_trusted(ch, judged_name(f), buf_slice(&f->content), &added, e);
    if (is_ok(r)) {
        r = put_items(m, files_name(f), &added.items, e);
        import_clear(&added.items);
    }
    if (is_err(r))
        errinfo_context(e, "%s", f->path);
    return r;
}

static RESULT set_identity(const struct making *m, struct change *ch, int64_t now_s,
                           struct errinfo *e)
{
    const struct file *f = &m->identity.list[0];
    const bool apart = m->key.count > 0;
    const struct upload_request upload = {
        .filename = judged_name(f),
        .content = buf_slice(&f->content),
        .key_filename = apart ? judged_name(&m->key.list[0]) : NULL,
        .key = apart ? buf_slice(&m->key.list[0].content) : SLICE_EMPTY,
        .now = {now_s, CLOCK_SET},
    };
    return change_set_identity(ch, &upload, e);
}

static RESULT put_identity(struct making *m, struct change *ch, int64_t now_s, struct errinfo *e)
{
    const struct file *f = &m->identity.list[0];
    struct result r = set_identity(m, ch, now_s, e);
    if (is_ok(r)) {
        const struct identity *id = change_identity(ch);
        r = settings_file_comment(&m->out, identity_leaf(id), e);
        if (is_ok(r) && m->base != NULL)
            r = settings_file_put_url(&m->out, OWN_URL, m->base, files_name(f), e);
        else if (is_ok(r))
            r = settings_file_put_identity(&m->out, files_name(f), id, e);
    }
    if (is_err(r))
        errinfo_context(e, "%s", f->path);
    return r;
}

static RESULT put_certificates(struct making *m, struct change *ch, int64_t now_s,
                               struct errinfo *e)
{
    for (size_t i = 0; i < m->certs.count; i++)
        TRY(put_trusted(m, ch, &m->certs.list[i], e));
    if (m->identity.count > 0)
        TRY(put_identity(m, ch, now_s, e));
    return change_check(ch, e); /* the identity's handshake with itself */
}

static RESULT judge_and_put(struct making *m, struct errinfo *e)
{
    const int64_t now_s = (int64_t)time(NULL);
    struct offline *phone;
    struct change *ch;
    TRY(offline_new("000000000000", now_s, NULL, &phone, e));
    struct result r = change_begin(offline_credentials(phone), &ch, e);
    if (is_ok(r)) {
        r = put_certificates(m, ch, now_s, e);
        change_free(ch);
    }
    offline_free(phone);
    return r;
}

/* --- all of it --- */

static int check_names(const struct making *m)
{
    for (size_t i = 0; m->base != NULL && i < m->certs.count; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(files_name(&m->certs.list[i]), files_name(&m->certs.list[k])) == 0)
                return ctl_fail(CTL_REFUSED, "two files would have the URL of %s",
                                files_name(&m->certs.list[i]));
    return CTL_OK;
}

/* A phone's complaint about a line; what it would only note is said above. */
static void complain(void *arg, const char *file, size_t line, bool severe, const char *text)
{
    struct errinfo *e = arg;
    (void)file;
    if (severe)
        errinfo_fill(e, ERR_INVALID, 0, "line %zu: %s", line, text);
}

/* The phone's own word on what was made. */
static RESULT read_back(const struct making *m, struct errinfo *e)
{
    struct settings *read;
    struct commands commands = {0};
    if (is_err(settings_new(&read)))
        return fail(e, ERR_NOMEM, "out of memory");
    const struct result r =
        settings_apply(read, "it", buf_slice(&m->out), &commands, complain, e, e);
    commands_clear(&commands);
    settings_free(read);
    return is_ok(r) && e->code != ERR_OK ? err(e->code) : r;
}

static RESULT make(struct making *m, struct errinfo *e)
{
    TRY(settings_file_begin(&m->out, e));
    TRY(put_deletes(m, e));
    TRY(judge_and_put(m, e));
    TRY(put_settings(m, e));
    return read_back(m, e);
}

static int write_out(const struct making *m)
{
    const struct slice text = buf_slice(&m->out);
    if (fwrite(text.p, 1, text.n, stdout) != text.n || fflush(stdout) != 0)
        return ctl_fail(CTL_FAILED, "standard output cannot be written");
    if (m->identity.count > 0 && m->base == NULL)
        (void)ctl_fail(CTL_OK, "note: the private key is in this file: keep it from others");
    if (m->base != NULL && strncmp(m->base, "http:", 5) == 0)
        (void)ctl_fail(CTL_OK, "note: phones fetch from http: only with "
                               "static.auto_provision.allow_http = 1");
    return CTL_OK;
}

int ctl_make(int argc, char **argv)
{
    struct making m = {.base = NULL};
    struct errinfo e = ERRINFO_INIT;
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0)
            return fputs(usage_text, stdout) >= 0 ? CTL_OK : CTL_FAILED;
    buf_init(&m.out, LIMIT_SETTINGS_BYTES);
    int status = read_arguments(&m, argc, argv);
    if (status == CTL_OK)
        status = check_names(&m);
    if (status == CTL_OK) {
        const struct result r = make(&m, &e);
        status = is_ok(r) ? write_out(&m)
                          : ctl_fail(r.code == ERR_NOMEM ? CTL_FAILED : CTL_REFUSED, "%s",
                                     errinfo_text(&e, r));
    }
    files_clear(&m.certs);
    files_clear(&m.identity);
    files_clear(&m.key);
    buf_wipe(&m.out);
    return status;
}
