/* provision: settings files are pushed or fetched, and what came of it is waited for. */
#include <cjson/cJSON.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/slice.h"
#include "ctl/ctl.h"
#include "ctl/files.h"
#include "ctl/run_view.h"
#include "ctl/run_wait.h"

#define CALL_TIMEOUT_MS 30000 /* a file is judged while the call waits */

static const char usage_text[] =
    "usage: sipsctl provision [OPTION]... FILE...   push settings files; - is standard input\n"
    "       sipsctl provision [OPTION]... --fetch   fetch those of the provisioning server\n"
    "       sipsctl provision --last                what came of the last run\n"
    "       sipsctl provision --confirm | --rollback\n"
    "                                               keep what is on trial, or take it back\n"
    "       sipsctl provision --make ...            write a settings file; see --make --help\n\n"
    "  --check          only judge it\n"
    "  --force          apply it also if it would lock out accounts or the provisioning server\n"
    "  --trial SECONDS  take it back then, unless it was confirmed or all accounts are locked\n\n"
    "Exit status: 0 applied, nothing to change, or good; 1 refused; 2 failed.\n";

enum action { PUSH, FETCH, LAST, CONFIRM, ROLL_BACK };

struct job {
    enum action action;
    bool check, force;
    uint64_t trial_s;
    struct files files;
};

/* --- the command line --- */

static int set_action(struct job *j, enum action action)
{
    if (j->action != PUSH && j->action != action)
        return ctl_fail(CTL_FAILED, "--fetch, --last, --confirm and --rollback exclude each other");
    j->action = action;
    return CTL_OK;
}

static int set_trial(struct job *j, const char *text)
{
    if (slice_to_u64(slice_of_str(text), UINT32_MAX, &j->trial_s) && j->trial_s > 0)
        return CTL_OK;
    return ctl_fail(CTL_FAILED, "--trial is a number of seconds, not '%s'", text);
}

static int set_option(struct job *j, int option, const char *value)
{
    switch (option) {
    case 'f':
        j->force = true;
        return CTL_OK;
    case 'c':
        j->check = true;
        return CTL_OK;
    case 't':
        return set_trial(j, value);
    case 'F':
        return set_action(j, FETCH);
    case 'l':
        return set_action(j, LAST);
    case 'k':
        return set_action(j, CONFIRM);
    case 'r':
        return set_action(j, ROLL_BACK);
    default:
        return CTL_FAILED; /* getopt said why */
    }
}

static int check_use(const struct job *j)
{
    const bool runs = j->action == PUSH || j->action == FETCH;
    if ((j->action == PUSH) != (j->files.count > 0))
        return ctl_fail(CTL_FAILED, "%s",
                        j->action == PUSH ? "which file? See sipsctl provision --help"
                                          : "there is no use for a file here");
    if (!runs && (j->check || j->force || j->trial_s > 0))
        return ctl_fail(CTL_FAILED, "--check, --force and --trial are about a new run");
    if (j->check && j->trial_s > 0)
        return ctl_fail(CTL_FAILED, "--check applies nothing that could be on --trial");
    return CTL_OK;
}

static int read_arguments(struct job *j, int argc, char **argv)
{
    static const struct option options[] = {
        {"force", no_argument, NULL, 'f'},       {"check", no_argument, NULL, 'c'},
        {"trial", required_argument, NULL, 't'}, {"fetch", no_argument, NULL, 'F'},
        {"last", no_argument, NULL, 'l'},        {"confirm", no_argument, NULL, 'k'},
        {"rollback", no_argument, NULL, 'r'},    {NULL, 0, NULL, 0},
    };
    int c, status = CTL_OK;
    while (status == CTL_OK && (c = getopt_long(argc, argv, "", options, NULL)) != -1)
        status = set_option(j, c, optarg);
    for (int i = optind; status == CTL_OK && i < argc; i++)
        status = files_read(&j->files, argv[i]);
    return status == CTL_OK ? check_use(j) : status;
}

/* --- asking for a run --- */

static bool add_options(cJSON *params, const struct job *j)
{
    return (!j->force || cJSON_AddTrueToObject(params, "force") != NULL) &&
           (!j->check || cJSON_AddTrueToObject(params, "check") != NULL) &&
           (j->trial_s == 0 ||
            cJSON_AddNumberToObject(params, "trial_s", (double)j->trial_s) != NULL);
}

static bool read_id(const char *json, double *id)
{
    cJSON *answer = cJSON_Parse(json);
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(answer, "id");
    const bool ok = cJSON_IsNumber(member);
    if (ok)
        *id = member->valuedouble;
    cJSON_Delete(answer);
    return ok;
}

static int call_for_run(struct sipsd_client *c, const char *method, const char *params, double *id)
{
    char error[SIPSD_ERROR_SIZE];
    const char *json;
    const enum sipsd_status status =
        sipsd_client_call(c, method, params, CALL_TIMEOUT_MS, &json, error);
    if (status != SIPSD_OK)
        return ctl_call_failed(status, error);
    return read_id(json, id) ? CTL_OK : ctl_fail(CTL_FAILED, "sipsd's answer cannot be read");
}

/* *ID is the run's number. */
static int begin(struct sipsd_client *c, const struct job *j, double *id)
{
    int status = CTL_FAILED;
    cJSON *files = j->action == PUSH ? files_describe(&j->files, c, &status) : NULL;
    if (j->action == PUSH && files == NULL)
        return status;
    cJSON *params = cJSON_CreateObject();
    const bool ok =
        (files == NULL || cJSON_AddItemToObject(params, "files", files)) && add_options(params, j);
    if (!ok && params == NULL)
        ctl_free_params(ctl_take_params(files));
    char *text = ctl_take_params(params);
    status =
        ok && text != NULL
            ? call_for_run(c, j->action == PUSH ? "provision.push" : "provision.fetch", text, id)
            : ctl_fail(CTL_FAILED, "out of memory");
    ctl_free_params(text);
    return status;
}

static int run(const struct job *j)
{
    char error[SIPSD_ERROR_SIZE];
    struct sipsd_client *c;
    double id = 0;
    enum sipsd_status connected = ctl_connect_control(&c, error);
    if (connected != SIPSD_OK)
        return ctl_call_failed(connected, error);
    connected = sipsd_client_subscribe(c, error); /* before the run, whose end may come at once */
    int status = connected == SIPSD_OK ? begin(c, j, &id) : ctl_call_failed(connected, error);
    if (status == CTL_OK)
        status = run_wait(c, id);
    sipsd_client_free(c);
    return status;
}

/* --- the other actions --- */

static void show_report(const char *json)
{
    cJSON *report = cJSON_Parse(json);
    run_view_print(report);
    cJSON_Delete(report);
}

static int show_last(const char *json)
{
    cJSON *report = cJSON_Parse(json);
    const bool none = cJSON_IsNull(report);
    const int status = none ? CTL_OK : run_view_status(report);
    if (ctl_options.json)
        (void)puts(json);
    else if (none)
        (void)puts("Nothing was provisioned yet");
    else
        run_view_print(report);
    cJSON_Delete(report);
    return status;
}

/* Its exit status is that of the run. */
static int report_last(void)
{
    char error[SIPSD_ERROR_SIZE];
    struct sipsd_client *c;
    const char *json;
    enum sipsd_status called = ctl_connect_control(&c, error);
    if (called != SIPSD_OK)
        return ctl_call_failed(called, error);
    called = sipsd_client_call(c, "provision.last", NULL, CALL_TIMEOUT_MS, &json, error);
    const int status = called == SIPSD_OK ? show_last(json) : ctl_call_failed(called, error);
    sipsd_client_free(c);
    return status;
}

static int act(const struct job *j)
{
    switch (j->action) {
    case LAST:
        return report_last();
    case CONFIRM:
        return ctl_call_and_show("provision.confirm", NULL, show_report);
    case ROLL_BACK:
        return ctl_call_and_show("provision.rollback", NULL, show_report);
    case PUSH:
    case FETCH:
        break;
    }
    return run(j);
}

/* Whether WORD is among the options: it decides how the others are read. */
static bool has_option(int argc, char **argv, const char *word)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], word) == 0)
            return true;
    return false;
}

int ctl_provision(int argc, char **argv)
{
    struct job j = {.action = PUSH};
    if (has_option(argc, argv, "--make"))
        return ctl_make(argc, argv);
    if (has_option(argc, argv, "--help"))
        return fputs(usage_text, stdout) >= 0 ? CTL_OK : CTL_FAILED;
    int status = read_arguments(&j, argc, argv);
    if (status == CTL_OK)
        status = act(&j);
    files_clear(&j.files);
    return status;
}
