#include "client/account_json.h"

#include <cjson/cJSON.h>
#include <string.h>

/* Cuts at SIZE, but never inside a UTF-8 character. */
static void copy_text(char *dst, size_t size, const cJSON *value)
{
    const char *text = cJSON_GetStringValue(value);
    if (text == NULL)
        text = "";
    size_t n = strlen(text);
    if (n >= size) {
        n = size - 1;
        while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
            n--;
    }
    memcpy(dst, text, n);
    dst[n] = '\0';
}

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

#define COPY(dst, object, name) copy_text(dst, sizeof(dst), member(object, name))

static uint32_t number(const cJSON *object, const char *name)
{
    const cJSON *v = member(object, name);
    return cJSON_IsNumber(v) && v->valuedouble > 0 && v->valuedouble < UINT32_MAX
               ? (uint32_t)v->valuedouble
               : 0;
}

static bool is_text(const cJSON *object, const char *name, const char *text)
{
    const char *value = cJSON_GetStringValue(member(object, name));
    return value != NULL && strcmp(value, text) == 0;
}

bool registration_from_json(const cJSON *object, struct sipsd_account *out)
{
    if (!cJSON_IsObject(object))
        return false;
    COPY(out->registration, object, "state");
    COPY(out->registration_error, object, "error");
    out->expires_s = number(object, "expires_s");
    return true;
}

static void peer_from_json(const cJSON *peer, struct sipsd_account *out)
{
    COPY(out->host, peer, "host");
    COPY(out->protocol, peer, "protocol");
    COPY(out->cipher, peer, "cipher");
}

bool account_from_json(const cJSON *object, struct sipsd_account *out)
{
    *out = (struct sipsd_account){.retry_in_ms = -1};
    out->number = (int)number(object, "account");
    if (out->number == 0)
        return false;
    COPY(out->label, object, "label");
    COPY(out->aor, object, "aor");
    COPY(out->code, object, "code");
    COPY(out->sentence, object, "sentence");
    out->state = is_text(object, "state", "up")           ? SIPSD_STATE_UP
                 : is_text(object, "state", "connecting") ? SIPSD_STATE_CONNECTING
                                                          : SIPSD_STATE_DOWN;
    out->assurance = is_text(object, "assurance", "full")    ? SIPSD_ASSURANCE_FULL
                     : is_text(object, "assurance", "chain") ? SIPSD_ASSURANCE_CHAIN
                                                             : SIPSD_ASSURANCE_NONE;
    out->lock = cJSON_IsTrue(member(object, "lock"));
    out->failures = number(object, "failures");
    if (cJSON_IsNumber(member(object, "retry_in_ms")))
        out->retry_in_ms = number(object, "retry_in_ms");
    (void)registration_from_json(member(object, "registration"),
                                 out); /* a registration is not always there */
    peer_from_json(member(object, "peer"), out);
    return true;
}

bool certificate_from_json(const cJSON *object, struct sipsd_certificate *out)
{
    memset(out, 0, sizeof *out);
    if (!cJSON_IsString(member(object, "sha256")))
        return false;
    COPY(out->role, object, "role");
    COPY(out->name, object, "name");
    COPY(out->sha256, object, "sha256");
    COPY(out->not_after, object, "not_after");
    out->days_left = number(object, "days_left");
    COPY(out->state, object, "state");
    COPY(out->sentence, object, "sentence");
    return true;
}

bool sipsd_account_from_json(const char *json, struct sipsd_account *out)
{
    cJSON *object = cJSON_Parse(json);
    const bool ok = account_from_json(object, out);
    cJSON_Delete(object);
    return ok;
}

bool sipsd_certificate_from_json(const char *json, struct sipsd_certificate *out)
{
    cJSON *object = cJSON_Parse(json);
    const bool ok = certificate_from_json(object, out);
    cJSON_Delete(object);
    return ok;
}
