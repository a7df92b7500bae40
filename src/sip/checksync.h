/*
 * checksync: recognises the request by which a SIP server has a phone fetch its settings anew: a
 * NOTIFY with "Event: check-sync" outside of any subscription. No standard has it; all phones and
 * servers do. RFC 6665 section 4.1.3 would have such a NOTIFY refused.
 */
#ifndef SIPSD_SIP_CHECKSYNC_H
#define SIPSD_SIP_CHECKSYNC_H

#include "sip/message.h"

enum checksync {
    CHECKSYNC_NONE,   /* it is another request, or one within a dialog */
    CHECKSYNC_FETCH,  /* look for new settings */
    CHECKSYNC_REBOOT, /* "reboot=true": start the whole phone anew, which is not ours to do */
};

enum checksync checksync_of(const struct sip_message *request);

#endif
