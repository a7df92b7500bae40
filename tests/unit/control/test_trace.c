/* trace: what people see of a message, and what nobody sees. */
#include <cjson/cJSON.h>
#include <string.h>

#include "base/limits.h"
#include "control/trace.h"
#include "tools/unit.h"

static void shows(const char *message, bool body, const char *expected)
{
    struct cJSON *o = trace_message(1, UINT64_MAX, true, slice_of_str(message), body);
    assert_non_null(o);
    char *text = cJSON_PrintUnformatted(o);
    assert_string_equal(text, expected);
    cJSON_free(text);
    cJSON_Delete(o);
}

#define HEAD \
    "{\"account\":1,\"connection\":\"18446744073709551615\",\"direction\":\"out\",\"first\":"

static void headers_only(void **state)
{
    (void)state;
    shows("INVITE sip:b@c SIP/2.0\r\nVia: a\r\nSubject: two\r\n lines\t\x01\xff\r\nX:\r\n\r\nbody",
          false,
          HEAD
          "\"INVITE sip:b@c SIP/2.0\",\"headers\":[\"Via: a\",\"Subject: two?? lines???\",\"X: \"],"
          "\"cut\":false}");
}

static void bodies_when_asked_for(void **state)
{
    (void)state;
    shows("SIP/2.0 200 OK\r\nl: 4\r\n\r\nv=0\r\ns=-\r\n", true,
          HEAD
          "\"SIP/2.0 200 OK\",\"headers\":[\"l: 4\"],\"body\":[\"v=0\",\"s=-\"],\"cut\":false}");
    shows("SIP/2.0 200 OK\r\nl: 0\r\n\r\n", true,
          HEAD "\"SIP/2.0 200 OK\",\"headers\":[\"l: 0\"],\"body\":[],\"cut\":false}");
}

/* Whatever they are called, and however they are folded. */
static void no_credentials(void **state)
{
    (void)state;
    static const char message[] = "REGISTER sip:c SIP/2.0\r\n"
                                  "Authorization: Digest username=\"a\", response=\"secret\"\r\n"
                                  "proxy-authorization : Digest\r\n response=\"secret\"\r\n"
                                  "PROXY-AUTHENTICATE: Digest nonce=\"secret\"\r\n"
                                  "WWW-Authenticate: Digest nonce=\"secret\"\r\n"
                                  "Authentication-Info: nextnonce=\"secret\"\r\n"
                                  "Proxy-Authentication-Info: rspauth=\"secret\"\r\n"
                                  "l: 1\r\n\r\n"
                                  "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:secret\r\n"
                                  "A=CRYPTO:2 AES_CM_128_HMAC_SHA1_32 inline:secret\n"
                                  "a=key-mgmt:mikey secret\r\n"
                                  "k=clear:secret\r\n"
                                  "a=rtpmap:0 PCMU/8000\r\n";
    struct cJSON *o = trace_message(1, 2, false, slice_of_str(message), true);
    char *text = cJSON_PrintUnformatted(o);
    assert_null(strstr(text, "secret"));
    assert_non_null(strstr(text, "\"Authorization: (not shown)\""));
    assert_non_null(strstr(text, "a=rtpmap:0 PCMU/8000"));
    assert_non_null(strstr(text, "\"direction\":\"in\""));
    cJSON_free(text);
    cJSON_Delete(o);
}

static void long_ones_are_cut(void **state)
{
    (void)state;
    char *message = malloc(60001);
    memset(message, 'x', 60000);
    message[60000] = '\0';
    memcpy(message, "SIP/2.0 200 OK\r\nA: b\r\n\r\n", 24);
    struct cJSON *o = trace_message(1, 2, true, slice_of_str(message), true);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, "cut")));
    const struct cJSON *body = cJSON_GetObjectItemCaseSensitive(o, "body");
    assert_int_equal(cJSON_GetArraySize(body), 1);
    assert_int_equal(strlen(cJSON_GetArrayItem(body, 0)->valuestring), LIMIT_TRACE - 1);
    cJSON_Delete(o);
    memcpy(message, "SIP/2.0 200 OK\r\nA: bxxxx", 24);
    memcpy(message + 20000, "\r\nB: c\r\n\r\n", 10);
    o = trace_message(1, 2, true, slice_of_str(message), true);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, "cut")));
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(o, "headers")), 1);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(o, "body")), 0);
    cJSON_Delete(o);
    free(message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_only),
        cmocka_unit_test(bodies_when_asked_for),
        cmocka_unit_test(no_credentials),
        cmocka_unit_test(long_ones_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
