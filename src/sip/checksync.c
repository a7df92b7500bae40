#include "sip/checksync.h"

#include <string.h>

#include "sip/field.h"

enum checksync checksync_of(const struct sip_message *request)
{
    struct slice event, name, reboot;

    if (strcmp(sip_message_method(request), "NOTIFY") != 0 ||
        sip_message_to_tag(request)[0] != '\0')
        return CHECKSYNC_NONE;
    event = slice_of_str(sip_message_header(request, "Event", 0));
    struct slice rest = event;
    if (!sip_field_next_piece(&rest, &name) || !slice_eq_nocase_str(slice_trim(name), "check-sync"))
        return CHECKSYNC_NONE;
    return sip_field_param(event, "reboot", &reboot) && slice_eq_nocase_str(reboot, "true")
               ? CHECKSYNC_REBOOT
               : CHECKSYNC_FETCH;
}
