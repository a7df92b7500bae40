/* reset: forgets what was uploaded, provisioned and set. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"

static void show(const char *json)
{
    cJSON *answer = cJSON_Parse(json);
    const cJSON *n = cJSON_GetObjectItemCaseSensitive(answer, "certificates");
    const bool identity = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer, "identity"));
    const cJSON *settings = cJSON_GetObjectItemCaseSensitive(answer, "settings");
    if (cJSON_IsNumber(n) && cJSON_IsNumber(settings))
        (void)printf("Forgotten: %d settings, %d trusted certificates%s\n", settings->valueint,
                     n->valueint, identity ? ", and the phone's uploaded one" : "");
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer, "reserved")))
        (void)puts("phone_setting.reserve_certs_enable = 1 kept uploaded certificates");
    cJSON_Delete(answer);
}

int ctl_reset(int argc, char **argv)
{
    const bool yes = argc == 2 && strcmp(argv[1], "--yes") == 0;
    if (!yes && argc != 1)
        return ctl_fail(CTL_FAILED, "usage: sipsctl reset [--yes]");
    const int status =
        yes ? CTL_OK
            : ctl_confirm(
                  "Forget all uploaded certificates, and all settings but those of the files that "
                  "sipsd was started with?");
    return status == CTL_OK ? ctl_call_and_show("reset", NULL, show) : status;
}
