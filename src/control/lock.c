#include "control/lock.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* --- the state --- */

/* A connection that is there, encrypted, and whose peer the policy accepts. */
static bool is_live(const struct account_status *s)
{
    return s->encrypted && verdict_accepted(s->verdict) &&
           (s->state == ACCOUNT_OPEN || s->state == ACCOUNT_STOPPING);
}

static enum lock_state state_of(const struct account_status *s)
{
    if (is_live(s))
        return LOCK_UP;
    switch (s->state) {
    case ACCOUNT_RESOLVING:
    case ACCOUNT_CONNECTING:
    case ACCOUNT_HANDSHAKE:
    case ACCOUNT_OPEN: /* the server has not accepted our certificate yet */
        return LOCK_CONNECTING;
    case ACCOUNT_IDLE:
    case ACCOUNT_WAITING:
    case ACCOUNT_STOPPING:
        break;
    }
    return LOCK_DOWN;
}

static bool is_refused(const struct account_status *s)
{
    return s->error->code == ERR_CERT && s->verdict->class == VERDICT_REJECTED;
}

const struct verdict *lock_verdict(const struct account_status *s)
{
    return is_live(s) || is_refused(s) ? s->verdict : NULL;
}

static enum lock_assurance assurance_of(enum assurance a)
{
    static const enum lock_assurance of[] = {[ASSURANCE_NONE] = LOCK_ASSURANCE_NONE,
                                             [ASSURANCE_CHAIN] = LOCK_ASSURANCE_CHAIN,
                                             [ASSURANCE_FULL] = LOCK_ASSURANCE_FULL};

    return of[a];
}

/* --- the code --- */

static enum reason_code first_reason(const struct verdict *v)
{
    return v->reasons_count != 0 ? v->reasons[0].code : REASON_NONE;
}

static const char *code_of_error(enum err code)
{
    switch (code) {
    case ERR_IDENTITY:
        return "identity";
    case ERR_DNS:
        return "dns";
    case ERR_SYSTEM:
        return "connect";
    case ERR_TIMEOUT:
        return "timeout";
    case ERR_TLS:
    case ERR_CERT: /* where no verdict says more */
        return "tls";
    case ERR_CLOSED:
        return "closed";
    case ERR_PARSE:
    case ERR_LIMIT:
        return "protocol";
    case ERR_AUTH:
    case ERR_PEER:
        return "registration";
    default:
        return "internal";
    }
}

static const char *code_of(const struct account_status *s)
{
    if (is_live(s)) /* a verified peer has no reasons */
        return reason_name(first_reason(s->verdict));
    if (is_refused(s))
        return reason_name(first_reason(s->verdict));
    if (s->error->code != ERR_OK)
        return code_of_error(s->error->code);
    return s->state == ACCOUNT_IDLE ? "off" : "none";
}

/* --- the sentence --- */

/* Composed here, then cut and cleaned into the entry. */
struct sentence {
    char text[4 * LIMIT_TEXT];
};

static void say(struct sentence *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(struct sentence *out, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(out->text, sizeof out->text, fmt, ap);
    va_end(ap);
}

static void say_up(struct sentence *out, const struct account_status *s)
{
    const struct verdict *v = s->verdict;

    if (v->class == VERDICT_UNVERIFIED && first_reason(v) == REASON_NOT_CHECKED)
        say(out, "Encrypted, but not verified: trust checking is off");
    else if (v->class == VERDICT_UNVERIFIED)
        say(out, "Encrypted, but not verified (trust checking is off): %s", verdict_sentence(v));
    else if (v->class == VERDICT_VERIFIED && !v->name_checked)
        say(out, "Trusted, but name validation is off: nobody has checked that it is %s", s->host);
    else
        say(out, "%s", verdict_sentence(v));
}

static const char *error_sentence(const struct account_status *s)
{
    return is_refused(s) ? verdict_sentence(s->verdict) : errinfo_text(s->error, OK);
}

static void say_not_up(struct sentence *out, const struct account_status *s)
{
    const bool failed = s->error->code != ERR_OK;

    switch (state_of(s)) {
    case LOCK_CONNECTING:
        if (failed)
            say(out, "Trying again; the last time: %s", error_sentence(s));
        else if (s->state == ACCOUNT_OPEN)
            say(out, "Waiting for %s to accept the phone's certificate", s->host);
        else
            say(out, "Connecting to %s", s->host);
        break;
    default:
        if (failed)
            say(out, "%s", error_sentence(s));
        else if (s->state == ACCOUNT_IDLE)
            say(out, "Not connected: the account is off");
        else
            say(out, "Not connected to %s", s->host);
        break;
    }
}

/* --- the whole --- */

void lock_reduce(const struct account_status *s, struct lock_entry *out)
{
    assert(s->verdict != NULL);
    const struct verdict *v = lock_verdict(s);
    struct sentence sentence;

    *out = (struct lock_entry){
        .account = s->number,
        .state = state_of(s),
        .lock = is_live(s),
        .assurance = is_live(s) ? assurance_of(verdict_assurance(s->verdict)) : LOCK_ASSURANCE_NONE,
        .verdict = v != NULL ? v->class : VERDICT_NONE,
    };
    (void)snprintf(out->code, sizeof out->code, "%s", code_of(s));
    if (out->lock)
        say_up(&sentence, s);
    else
        say_not_up(&sentence, s);
    utf8_clean(slice_of_str(sentence.text), out->sentence, sizeof out->sentence);
}

/* --- inbound --- */

static bool is_refused_inbound(const struct inbound_status *s)
{
    return s->error->code == ERR_CERT && s->verdict->class == VERDICT_REJECTED;
}

static const char *code_inbound(const struct inbound_status *s)
{
    if (s->state == INBOUND_OPEN || is_refused_inbound(s))
        return reason_name(first_reason(s->verdict));
    return code_of_error(s->error->code);
}

static void say_inbound(struct sentence *out, const struct inbound_status *s)
{
    if (is_refused_inbound(s))
        say(out, "%s", verdict_sentence(s->verdict));
    else if (s->state != INBOUND_OPEN)
        say(out, "%s", errinfo_text(s->error, OK));
    else if (s->verdict->class == VERDICT_NONE)
        say(out, "Encrypted, but who it is is not known: it showed no certificate");
    else if (s->verdict->class == VERDICT_UNVERIFIED)
        say(out, "Encrypted, but not verified (trust checking is off): %s",
            verdict_sentence(s->verdict));
    else
        say(out, "%s", verdict_sentence(s->verdict));
}

void lock_reduce_inbound(const struct inbound_status *s, struct lock_entry *out)
{
    struct sentence sentence;

    *out = (struct lock_entry){
        .account = s->account,
        .state = s->state == INBOUND_OPEN ? LOCK_UP : LOCK_DOWN,
        .lock = s->state == INBOUND_OPEN,
        .assurance = assurance_of(s->assurance),
        .verdict = s->verdict->class,
    };
    (void)snprintf(out->code, sizeof out->code, "%s", code_inbound(s));
    say_inbound(&sentence, s);
    utf8_clean(slice_of_str(sentence.text), out->sentence, sizeof out->sentence);
}

bool lock_differs(const struct lock_entry *a, const struct lock_entry *b)
{
    return a->account != b->account || a->state != b->state || a->lock != b->lock ||
           a->assurance != b->assurance || a->verdict != b->verdict ||
           strcmp(a->code, b->code) != 0 || strcmp(a->sentence, b->sentence) != 0;
}

const char *lock_state_name(enum lock_state s)
{
    static const char *const names[] = {
        [LOCK_DOWN] = "down", [LOCK_CONNECTING] = "connecting", [LOCK_UP] = "up"};

    return names[s];
}

const char *lock_assurance_name(enum lock_assurance a)
{
    static const char *const names[] = {[LOCK_ASSURANCE_NONE] = "none",
                                        [LOCK_ASSURANCE_CHAIN] = "chain",
                                        [LOCK_ASSURANCE_FULL] = "full"};

    return names[a];
}
