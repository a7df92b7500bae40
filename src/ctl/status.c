/* status, accounts: what the phone is now. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/picture.h"

#define CALL_TIMEOUT_MS 5000

static const char *text_of(const cJSON *object, const char *name, const char *without)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return s != NULL ? s : without;
}

static int int_of(const cJSON *object, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(v) ? v->valueint : 0;
}

static void show_local_port(const cJSON *port)
{
    const bool open = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(port, "listening"));
    (void)printf("%2d ", int_of(port, "account"));
    term_put(stdout, text_of(port, "address", ""), 16);
    (void)fputc(' ', stdout);
    term_put(stdout, text_of(port, "registers", ""), 9);
    (void)fputc(' ', stdout);
    term_put(stdout, open ? text_of(port, "stack", "none is connected") : "the port is not open",
             21);
    (void)printf(" %d\n", int_of(port, "calls"));
}

/* The accounts' ports for SIP stacks, below all else, where there are any. */
static void show_local_ports(const char *json)
{
    cJSON *status = cJSON_Parse(json);
    const cJSON *ports = cJSON_GetObjectItemCaseSensitive(status, "local_ports"), *port;
    if (cJSON_GetArraySize(ports) > 0)
        (void)printf("\n%2s %-16s %-9s %-21s %s\n", "NO", "LOCAL PORT", "REGISTERS", "SIP STACK",
                     "CALLS");
    cJSON_ArrayForEach(port, ports)
    {
        show_local_port(port);
    }
    cJSON_Delete(status);
}

static void show_status(const char *json)
{
    static struct picture p; /* too large for a small stack */
    struct term t;
    term_look(&t);
    if (picture_read(&p, json, 0))
        (void)picture_draw(stdout, &t, &p, 0, 1000, "\n");
    show_local_ports(json);
}

int ctl_status(int argc, char **argv)
{
    char error[SIPSD_ERROR_SIZE];
    struct sipsd_client *c;
    const char *json;
    if (ctl_no_arguments(argc, argv) != CTL_OK)
        return CTL_FAILED;
    enum sipsd_status status = ctl_connect_events(&c, error);
    if (status != SIPSD_OK)
        return ctl_call_failed(status, error);
    status = sipsd_client_call(c, "status", NULL, CALL_TIMEOUT_MS, &json, error);
    if (status == SIPSD_OK && ctl_options.json)
        (void)puts(json);
    else if (status == SIPSD_OK)
        show_status(json);
    sipsd_client_free(c);
    return status == SIPSD_OK ? CTL_OK : ctl_call_failed(status, error);
}

static void show_account(const char *json)
{
    struct sipsd_account a;
    if (!sipsd_account_from_json(json, &a))
        return;
    (void)printf("%2d ", a.number);
    term_put(stdout, a.label, 16);
    (void)fputc(' ', stdout);
    term_put(stdout, picture_word(&a), 15);
    (void)fputc(' ', stdout);
    term_put(stdout, a.registration, 12);
    (void)printf(" %s\n", a.aor);
}

static void show_accounts(const char *json)
{
    cJSON *answer = cJSON_Parse(json);
    const cJSON *account;
    (void)printf("%2s %-16s %-15s %-12s %s\n", "NO", "LABEL", "LOCK", "REGISTRATION", "ADDRESS");
    cJSON_ArrayForEach(account, cJSON_GetObjectItemCaseSensitive(answer, "accounts"))
    {
        char *text = cJSON_PrintUnformatted(account);
        if (text != NULL)
            show_account(text);
        free(text);
    }
    cJSON_Delete(answer);
}

static void show_nothing(const char *json)
{
    (void)json; /* that it was done is all */
}

static int reconnect(const char *number)
{
    char params[64];
    char *end;
    const long n = strtol(number, &end, 10);
    if (*end != '\0' || n < 1 || n > 9999)
        return ctl_fail(CTL_FAILED, "'%s' is no account number", number);
    (void)snprintf(params, sizeof params, "{\"account\":%ld}", n);
    return ctl_call_and_show("account.reconnect", params, show_nothing);
}

int ctl_accounts(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "reconnect") == 0)
        return reconnect(argv[2]);
    if (ctl_no_arguments(argc, argv) != CTL_OK)
        return CTL_FAILED;
    return ctl_call_and_show("account.list", NULL, show_accounts);
}
