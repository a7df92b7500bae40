/* identity: the phone's own certificate. */
#include <cjson/cJSON.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/wipe.h"
#include "ctl/ctl.h"
#include "ctl/files.h"
#include "ctl/term.h"

static int usage(void)
{
    return ctl_fail(CTL_FAILED, "usage: sipsctl identity show | install FILE [--key FILE] "
                                "[--password-file FILE] | remove");
}

/* --- show --- */

static void put_text(const char *text)
{
    term_put(stdout, text, term_width(text));
}

static void show_cert(const cJSON *c)
{
    (void)fputs("    ", stdout);
    term_put(stdout, ctl_text(c, "name"), 36);
    (void)printf(" %.10s %.16s %s%s\n", ctl_text(c, "not_after"), ctl_text(c, "sha256"),
                 ctl_text(c, "key"),
                 cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(c, "expired")) ? ", expired" : "");
}

static void show_slot(const cJSON *slot, const char *in_use)
{
    const cJSON *chain = cJSON_GetObjectItemCaseSensitive(slot, "chain");
    const cJSON *c;
    (void)printf("%s%s", ctl_text(slot, "source"),
                 strcmp(ctl_text(slot, "source"), in_use) == 0 ? " (in use)" : "");
    if (ctl_text(slot, "problem")[0] != '\0') {
        (void)fputs(": ", stdout);
        put_text(ctl_text(slot, "problem"));
    } else if (cJSON_GetArraySize(chain) == 0) {
        (void)fputs(": none", stdout);
    }
    (void)fputc('\n', stdout);
    cJSON_ArrayForEach(c, chain)
    {
        show_cert(c);
    }
}

static void show_all(const char *json)
{
    cJSON *answer = cJSON_Parse(json);
    const cJSON *slot;
    put_text(ctl_text(answer, "sentence"));
    (void)fputs("\n\n", stdout);
    cJSON_ArrayForEach(slot, cJSON_GetObjectItemCaseSensitive(answer, "identities"))
    {
        show_slot(slot, ctl_text(answer, "in_use"));
    }
    cJSON_Delete(answer);
}

/* --- install --- */

struct installing {
    struct files cert, key, password;
};

/* The first line of the password's file. */
static bool add_password(cJSON *params, const struct file *f)
{
    char text[256];
    struct slice rest = buf_slice(&f->content);
    struct slice line = slice_cut(&rest, '\n');
    if (slice_ends(line, SLICE_LIT("\r")))
        line.n--;
    const bool ok = slice_to_str(line, text, sizeof text) &&
                    cJSON_AddStringToObject(params, "password", text) != NULL;
    wipe(text, sizeof text);
    return ok;
}

/* The certificate's members stand in PARAMS itself. */
static cJSON *make_params(const struct installing *in, struct sipsd_client *c, int *status)
{
    cJSON *list = files_describe(&in->cert, c, status);
    cJSON *params = list != NULL ? cJSON_DetachItemFromArray(list, 0) : NULL;
    bool ok = params != NULL;
    cJSON_Delete(list);
    if (ok && in->key.count > 0) {
        cJSON *key = cJSON_AddObjectToObject(params, "key");
        ok = key != NULL && files_inline(key, &in->key.list[0]);
    }
    if (ok && in->password.count > 0 && !add_password(params, &in->password.list[0])) {
        *status = ctl_fail(CTL_FAILED, "%s: the password is not one line of text",
                           in->password.list[0].path);
        ok = false;
    }
    if (ok)
        return params;
    ctl_free_params(ctl_take_params(params));
    return NULL;
}

static int send_all(const struct installing *in, struct sipsd_client *c)
{
    int status = CTL_FAILED;
    cJSON *params = make_params(in, c, &status);
    if (params == NULL)
        return status;
    char *text = ctl_take_params(params);
    if (text == NULL)
        return ctl_fail(CTL_FAILED, "out of memory");
    status = ctl_call_on(c, "identity.install", text, show_all);
    ctl_free_params(text);
    return status;
}

static int connect_and_send(const struct installing *in)
{
    char error[SIPSD_ERROR_SIZE];
    struct sipsd_client *c;
    const enum sipsd_status connected = ctl_connect_control(&c, error);
    if (connected != SIPSD_OK)
        return ctl_call_failed(connected, error);
    const int status = send_all(in, c);
    sipsd_client_free(c);
    return status;
}

static int read_arguments(int argc, char **argv, struct installing *in)
{
    static const struct option options[] = {{"key", required_argument, NULL, 'k'},
                                            {"password-file", required_argument, NULL, 'p'},
                                            {NULL, 0, NULL, 0}};
    int c, status = CTL_OK;
    while (status == CTL_OK && (c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c != 'k' && c != 'p')
            return CTL_FAILED;
        struct files *to = c == 'k' ? &in->key : &in->password;
        files_clear(to);
        status = files_read(to, optarg);
    }
    if (status == CTL_OK)
        status = optind + 1 == argc ? files_read(&in->cert, argv[optind]) : usage();
    return status;
}

static int install(int argc, char **argv)
{
    struct installing in = {.cert.count = 0};
    int status = read_arguments(argc, argv, &in);
    if (status == CTL_OK)
        status = connect_and_send(&in);
    files_clear(&in.cert);
    files_clear(&in.key);
    files_clear(&in.password);
    return status;
}

int ctl_identity(int argc, char **argv)
{
    const char *what = argc >= 2 ? argv[1] : "";
    if (strcmp(what, "show") == 0 && argc == 2)
        return ctl_call_and_show("identity.show", NULL, show_all);
    if (strcmp(what, "install") == 0)
        return install(argc - 1, argv + 1);
    if (strcmp(what, "remove") == 0 && argc == 2)
        return ctl_call_and_show("identity.remove", NULL, show_all);
    return usage();
}
