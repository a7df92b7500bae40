/* reset: forgets what was uploaded. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"

static void show(const char *json)
{
    cJSON *answer = cJSON_Parse(json);
    const cJSON *n = cJSON_GetObjectItemCaseSensitive(answer, "certificates");
    const bool identity = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer, "identity"));
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer, "reserved")))
        (void)puts("Nothing was forgotten: phone_setting.reserve_certs_enable = 1 keeps uploaded "
                   "certificates");
    else if (cJSON_IsNumber(n))
        (void)printf("Forgotten: %d trusted certificates%s\n", n->valueint,
                     identity ? ", and the phone's uploaded one" : "");
    cJSON_Delete(answer);
}

int ctl_reset(int argc, char **argv)
{
    const bool yes = argc == 2 && strcmp(argv[1], "--yes") == 0;
    if (!yes && argc != 1)
        return ctl_fail(CTL_FAILED, "usage: sipsctl reset [--yes]");
    const int status =
        yes ? CTL_OK
            : ctl_confirm("Forget all uploaded trusted certificates and the phone's uploaded one?");
    return status == CTL_OK ? ctl_call_and_show("reset", NULL, show) : status;
}
