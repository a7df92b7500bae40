/* check: judges settings files as a phone judges them that gets them, without one. */
#include <cjson/cJSON.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/ascii.h"
#include "base/limits.h"
#include "base/mac.h"
#include "control/layers.h"
#include "control/plan.h"
#include "control/weburl.h"
#include "ctl/ctl.h"
#include "ctl/files.h"
#include "ctl/offline.h"
#include "ctl/run_view.h"
#include "sys/store.h"

static const char usage_text[] =
    "usage: sipsctl check [OPTION]... FILE...\n\n"
    "Judges settings files as a phone does that gets them all at once: every line, every account,\n"
    "and the certificates. Nothing is asked of a phone, and nothing changed.\n\n"
    "  --mac MAC     for the phone with this address; else that in the name of a FILE\n"
    "  --files DIR   the certificates at https: and http: URLs are in DIR, by the URLs' last "
    "parts;\n"
    "                without it only those in data: URLs are judged\n"
    "  --ca FILE     the phone has these trusted certificates already; may repeat\n"
    "  --at TIME     the time to judge at: epoch seconds or ISO 8601, UTC; else now\n\n"
    "Exit status: 0 a phone would take it, 1 it would refuse it, 2 could not run.\n";

#define NAME_SIZE 256

struct checking {
    const char *mac, *dir;
    char named_mac[NAME_SIZE]; /* what MAC may point to */
    int64_t at_s;
    struct files files, cas;
};

/* --- the command line --- */

static int set_option(struct checking *c, int option, const char *value)
{
    switch (option) {
    case 'm':
        c->mac = value;
        return CTL_OK;
    case 'd':
        c->dir = value;
        return CTL_OK;
    case 'c':
        return files_read(&c->cas, value);
    case 't':
        return clock_from_iso(value, &c->at_s) ? CTL_OK
                                               : ctl_fail(CTL_FAILED,
                                                          "--at is seconds since 1970 or like "
                                                          "2026-11-23T15:00:00Z, not '%s'",
                                                          value);
    default:
        return CTL_FAILED; /* getopt said why */
    }
}

/* Without --mac: the phone is that of the first file that has one in its name. */
static void find_mac(struct checking *c)
{
    bool phones;
    for (size_t i = 0; c->mac == NULL && i < c->files.count; i++) {
        const char *name = files_name(&c->files.list[i]);
        if (plan_is_phones(name, "", &phones, NULL) || strlen(name) >= sizeof c->named_mac)
            continue;
        (void)snprintf(c->named_mac, sizeof c->named_mac, "%.*s",
                       (int)(strlen(name) - strlen(".cfg")), name);
        c->mac = c->named_mac;
    }
    if (c->mac == NULL)
        c->mac = "000000000000";
}

static int check_use(struct checking *c)
{
    struct mac mac;
    if (c->files.count == 0)
        return ctl_fail(CTL_FAILED, "which file? See sipsctl check --help");
    if (c->files.count > LIMIT_PROVISION_FILES)
        return ctl_fail(CTL_REFUSED, "a phone takes at most %d settings files at once",
                        LIMIT_PROVISION_FILES);
    find_mac(c);
    if (!mac_parse(slice_of_str(c->mac), &mac))
        return ctl_fail(CTL_FAILED, "'%s' is no MAC address", c->mac);
    return CTL_OK;
}

static int read_arguments(struct checking *c, int argc, char **argv)
{
    static const struct option options[] = {
        {"mac", required_argument, NULL, 'm'},
        {"files", required_argument, NULL, 'd'},
        {"ca", required_argument, NULL, 'c'},
        {"at", required_argument, NULL, 't'},
        {NULL, 0, NULL, 0},
    };
    int option, status = CTL_OK;
    while (status == CTL_OK && (option = getopt_long(argc, argv, "", options, NULL)) != -1)
        status = set_option(c, option, optarg);
    for (int i = optind; status == CTL_OK && i < argc; i++)
        status = files_read(&c->files, argv[i]);
    return status == CTL_OK ? check_use(c) : status;
}

/* --- certificates at URLs --- */

/* TEXT percent-decoded; false if it cannot be the name of a file in a directory. */
static bool decode_name(struct slice text, char out[NAME_SIZE])
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        int byte = text.p[i];
        if (byte == '%' && i + 2 < text.n) {
            byte = ascii_hex(text.p[i + 1]) * 16 + ascii_hex(text.p[i + 2]);
            i += 2;
        }
        if (byte < ' ' || byte == '/' || n + 1 == NAME_SIZE)
            return false;
        out[n++] = (char)byte;
    }
    out[n] = '\0';
    return n > 0 && strcmp(out, ".") != 0 && strcmp(out, "..") != 0;
}

static bool last_part(const char *text, char out[NAME_SIZE])
{
    struct weburl url;
    if (is_err(weburl_parse(text, &url, NULL)))
        return false;
    struct slice path = slice_of(url.target, (size_t)weburl_path_len(&url));
    size_t slash;
    while ((slash = slice_find(path, '/')) < path.n)
        path = slice_from(path, slash + 1);
    const bool ok = decode_name(path, out);
    weburl_clear(&url);
    return ok;
}

static void give_file(const struct checking *c, struct plan *p, const char *name,
                      struct provision_report *r)
{
    char path[4096], sentence[LIMIT_TEXT];
    struct errinfo e = ERRINFO_INIT;
    struct buf content;
    (void)snprintf(path, sizeof path, "%s/%s", c->dir, name);
    buf_init(&content, LIMIT_CERT_FILE_BYTES);
    const struct result read = store_read(path, &content, &e);
    (void)snprintf(sentence, sizeof sentence, "not looked at: %s", errinfo_text(&e, read));
    if (is_ok(read))
        plan_give(p, "", buf_slice(&content), r);
    else if (read.code == ERR_NOT_FOUND)
        plan_pass(p, sentence, r);
    else
        plan_deny(p, "", errinfo_text(&e, read), r);
    buf_wipe(&content);
}

static void carry_out(const struct checking *c, struct plan *p, struct provision_report *r)
{
    const char *url;
    char name[NAME_SIZE];
    while ((url = plan_next(p, r)) != NULL)
        if (c->dir == NULL)
            plan_pass(p, "not looked at: it is elsewhere, and --files was not given", r);
        else if (!last_part(url, name))
            plan_pass(p, "not looked at: no file can be called like the end of its URL", r);
        else
            give_file(c, p, name, r);
}

/* --- the judgement --- */

static void end(enum plan_verdict verdict, struct provision_report *r)
{
    const size_t faults = provision_report_faults(r);
    if (verdict == PLAN_REFUSED)
        provision_report_end(r, PROVISION_REFUSED, ERR_INVALID,
                             "a phone would refuse all of it, for %zu fault%s", faults,
                             faults == 1 ? "" : "s");
    else if (verdict == PLAN_UNCHANGED)
        provision_report_end(r, PROVISION_UNCHANGED, ERR_OK,
                             "a phone would take it, and there is nothing in it that changes one");
    else
        provision_report_end(r, PROVISION_CHECKED, ERR_OK, "a phone would take it");
}

static RESULT judge_plan(const struct checking *c, const struct plan_input *in,
                         struct provision_report *r, struct errinfo *e)
{
    enum plan_verdict verdict = PLAN_REFUSED;
    struct plan *p;
    TRY(plan_new(in, &p, e));
    for (size_t i = 0; i < c->files.count; i++) {
        const struct file *f = &c->files.list[i];
        (void)plan_file(p, files_name(f), "", buf_slice(&f->content), NULL, r);
    }
    carry_out(c, p, r);
    const struct result judged = plan_judge(p, &verdict, r, e);
    plan_free(p);
    if (is_ok(judged))
        end(verdict, r);
    return judged;
}

static RESULT judge_for(const struct checking *c, const struct offline *phone,
                        struct provision_report *r, struct errinfo *e)
{
    struct layers *layers;
    struct settings *none;
    if (is_err(layers_new(&layers)))
        return fail(e, ERR_NOMEM, "out of memory");
    struct result result = settings_new(&none);
    if (is_ok(result)) {
        const struct plan_input in = {offline_credentials(phone), layers, none, none, c->mac};
        result = judge_plan(c, &in, r, e);
        settings_free(none);
    }
    layers_free(layers);
    return result;
}

static RESULT judge(const struct checking *c, struct provision_report *r, struct errinfo *e)
{
    struct offline *phone;
    TRY(offline_new(c->mac, c->at_s, &c->cas, &phone, e));
    const struct result result = judge_for(c, phone, r, e);
    offline_free(phone);
    return result;
}

/* --- all of it --- */

static int show(const struct provision_report *r)
{
    cJSON *report = provision_report_json(r);
    char *text = report != NULL && ctl_options.json ? cJSON_PrintUnformatted(report) : NULL;
    int status = CTL_FAILED;
    if (report == NULL || (ctl_options.json && text == NULL)) {
        status = ctl_fail(CTL_FAILED, "out of memory");
    } else {
        status = run_view_status(report);
        if (ctl_options.json)
            (void)puts(text);
        else
            run_view_print(report);
    }
    cJSON_free(text);
    cJSON_Delete(report);
    return status;
}

static int judge_and_show(const struct checking *c)
{
    struct provision_report r;
    struct errinfo e = ERRINFO_INIT;
    provision_report_init(&r, 0, PROVISION_PUSH);
    r.time_s = c->at_s;
    const struct result result = judge(c, &r, &e);
    const int status =
        is_ok(result) ? show(&r) : ctl_fail(CTL_FAILED, "%s", errinfo_text(&e, result));
    provision_report_clear(&r);
    return status;
}

int ctl_check(int argc, char **argv)
{
    struct checking c = {.at_s = (int64_t)time(NULL)};
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0)
            return fputs(usage_text, stdout) >= 0 ? CTL_OK : CTL_FAILED;
    int status = read_arguments(&c, argc, argv);
    if (status == CTL_OK)
        status = judge_and_show(&c);
    files_clear(&c.files);
    files_clear(&c.cas);
    return status;
}
