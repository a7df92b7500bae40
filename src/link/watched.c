#include "link/watched.h"

#include <string.h>

#include "base/limits.h"
#include "link/binding.h"
#include "link/door_rules.h"
#include "link/refusal.h"

static bool is_up(const struct watched *w)
{
    return w->state == REGISTRATION_REGISTERED || w->state == REGISTRATION_REFRESHING;
}

void watched_reset(struct watched *w)
{
    w->state = REGISTRATION_OFF;
    w->granted_s = 0;
    w->ends_ms = UINT64_MAX;
}

static void see_request(struct watched *w, const struct sip_message *m, uint64_t now_ms)
{
    w->asked_s = door_asked_s(m);
    w->credentials = sip_message_header(m, "Authorization", 0) != NULL ||
                     sip_message_header(m, "Proxy-Authorization", 0) != NULL;
    if (is_up(w)) {
        w->state = REGISTRATION_REFRESHING;
        return;
    }
    w->state = REGISTRATION_TRYING;
    w->ends_ms = now_ms + LIMIT_SIP_TIMER_F_MS;
}

static uint32_t granted_to(const struct watched *w, const struct sip_message *m,
                           const char *contact)
{
    char uri[BINDING_CONTACT_SIZE];
    uint32_t seconds = 0;
    if (w->asked_s == 0)
        return 0;
    for (int sips = 0; sips <= 1 && seconds == 0; sips++)
        if (binding_contact_as(contact, sips != 0, uri))
            seconds = sip_message_granted_expires(m, uri, NULL, w->asked_s);
    return seconds < LIMIT_REGISTER_MAX_S ? seconds : LIMIT_REGISTER_MAX_S;
}

static void see_success(struct watched *w, const struct sip_message *m, const char *contact,
                        uint64_t now_ms)
{
    const uint32_t granted = granted_to(w, m, contact);
    errinfo_clear(&w->error);
    if (granted == 0) { /* it was taken back, or never for us */
        watched_reset(w);
        return;
    }
    w->state = REGISTRATION_REGISTERED;
    w->granted_s = granted;
    w->ends_ms = now_ms + (uint64_t)granted * 1000;
}

/* RFC 3261 section 22.2: to be answered, not a refusal. What stands meanwhile goes on to stand. */
static bool is_challenge(const struct watched *w, const struct sip_message *m)
{
    const bool proxy = sip_message_status(m) == 407;
    const char *value = sip_message_header(m, proxy ? "Proxy-Authenticate" : "WWW-Authenticate", 0);
    if (sip_message_status(m) != 401 && !proxy)
        return false;
    return !w->credentials || is_up(w) ||
           (value != NULL && strcasestr(value, "stale=true") != NULL);
}

static void see_response(struct watched *w, const struct sip_message *m, const char *contact,
                         uint64_t now_ms)
{
    const int status = sip_message_status(m);
    if (status < 300) {
        see_success(w, m, contact, now_ms);
    } else if (!is_challenge(w, m)) {
        errinfo_clear(&w->error);
        (void)refusal_read(m, w->credentials, &w->error);
        w->state = REGISTRATION_WAITING;
        w->granted_s = 0;
        w->ends_ms = UINT64_MAX;
    }
}

bool watched_see(struct watched *w, const struct sip_message *m, const char *contact,
                 uint64_t now_ms)
{
    const struct watched before = *w;
    if (strcmp(sip_message_method(m), "REGISTER") != 0)
        return false;
    if (sip_message_is_request(m)) {
        see_request(w, m, now_ms);
    } else if (sip_message_status(m) >= 200) {
        w->last_status = sip_message_status(m);
        see_response(w, m, contact, now_ms);
    }
    return w->state != before.state || w->granted_s != before.granted_s ||
           w->last_status != before.last_status || w->error.code != before.error.code;
}

bool watched_tick(struct watched *w, uint64_t now_ms)
{
    if (now_ms < w->ends_ms)
        return false;
    if (w->state == REGISTRATION_TRYING) {
        errinfo_clear(&w->error);
        IGNORE(fail(&w->error, ERR_TIMEOUT, "the REGISTER of the SIP stack came to nothing"));
        w->state = REGISTRATION_WAITING;
        w->ends_ms = UINT64_MAX;
    } else {
        watched_reset(w);
    }
    return true;
}
