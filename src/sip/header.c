#include "sip/header.h"

#include "base/ascii.h"

#define OTHER SIP_HEADER_OTHER
#define LIST  true, false
#define ONCE  false, true
#define MANY  false, false

/* WWW-Authenticate and its like are not here: their commas separate parameters (section 7.3.1). */
static const struct sip_header table[] = {
    {"Via", 'v', SIP_HEADER_VIA, LIST},
    {"From", 'f', SIP_HEADER_FROM, ONCE},
    {"To", 't', SIP_HEADER_TO, ONCE},
    {"Call-ID", 'i', SIP_HEADER_CALL_ID, ONCE},
    {"CSeq", 0, SIP_HEADER_CSEQ, ONCE},
    {"Contact", 'm', SIP_HEADER_CONTACT, LIST},
    {"Route", 0, SIP_HEADER_ROUTE, LIST},
    {"Record-Route", 0, SIP_HEADER_RECORD_ROUTE, LIST},
    {"Content-Length", 'l', SIP_HEADER_CONTENT_LENGTH, MANY}, /* alike: sip/frame looks at that */
    {"Content-Type", 'c', SIP_HEADER_CONTENT_TYPE, ONCE},
    {"Max-Forwards", 0, SIP_HEADER_MAX_FORWARDS, ONCE},
    {"Date", 0, SIP_HEADER_DATE, ONCE},
    {"Accept", 0, OTHER, LIST},
    {"Accept-Contact", 'a', OTHER, LIST},
    {"Accept-Encoding", 0, OTHER, LIST},
    {"Accept-Language", 0, OTHER, LIST},
    {"Alert-Info", 0, OTHER, LIST},
    {"Allow", 0, OTHER, LIST},
    {"Allow-Events", 'u', OTHER, LIST},
    {"Call-Info", 0, OTHER, LIST},
    {"Content-Encoding", 'e', OTHER, LIST},
    {"Content-Language", 0, OTHER, LIST},
    {"Error-Info", 0, OTHER, LIST},
    {"Event", 'o', OTHER, MANY},
    {"Expires", 0, OTHER, MANY},
    {"Identity", 'y', OTHER, LIST},
    {"In-Reply-To", 0, OTHER, LIST},
    {"P-Asserted-Identity", 0, OTHER, LIST},
    {"P-Associated-URI", 0, OTHER, LIST},
    {"Path", 0, OTHER, LIST},
    {"Proxy-Require", 0, OTHER, LIST},
    {"Refer-To", 'r', OTHER, MANY},
    {"Referred-By", 'b', OTHER, MANY},
    {"Reject-Contact", 'j', OTHER, LIST},
    {"Request-Disposition", 'd', OTHER, LIST},
    {"Require", 0, OTHER, LIST},
    {"Service-Route", 0, OTHER, LIST},
    {"Session-Expires", 'x', OTHER, MANY},
    {"Subject", 's', OTHER, MANY},
    {"Supported", 'k', OTHER, LIST},
    {"Unsupported", 0, OTHER, LIST},
    {"Warning", 0, OTHER, LIST},
};

const struct sip_header *sip_header_find(struct slice name)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const struct sip_header *h = &table[i];
        if (name.n == 1 ? h->compact != 0 && ascii_lower(name.p[0]) == (uint8_t)h->compact
                        : slice_eq_nocase_str(name, h->name))
            return h;
    }
    return NULL;
}
