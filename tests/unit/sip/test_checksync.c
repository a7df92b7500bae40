#include "tools/unit.h"

#include <stdio.h>

#include "sip/checksync.h"

static enum checksync of(const char *method, const char *to, const char *lines)
{
    char text[600];
    struct sip_message *m = NULL;
    (void)snprintf(text, sizeof text,
                   "%s sips:alice@192.0.2.7 SIP/2.0\r\nVia: SIP/2.0/TLS a;branch=z9hG4bK1\r\n"
                   "From: <sips:asterisk@example.com>;tag=1\r\nTo: <sips:alice@example.com>%s\r\n"
                   "Call-ID: 1\r\nCSeq: 7 %s\r\n%sContent-Length: 0\r\n\r\n",
                   method, to, method, lines);
    assert_true(is_ok(sip_message_parse(slice_of_str(text), &m, NULL)));
    const enum checksync c = checksync_of(m);
    sip_message_free(m);
    return c;
}

static void test_recognises_it(void **state)
{
    static const struct {
        const char *method, *to, *lines;
        enum checksync is;
    } cases[] = {
        {"NOTIFY", "", "Event: check-sync\r\n", CHECKSYNC_FETCH},
        {"NOTIFY", "", "o: check-sync\r\n", CHECKSYNC_FETCH},
        {"NOTIFY", "", "EVENT:  Check-Sync ; reboot=false\r\n", CHECKSYNC_FETCH},
        {"NOTIFY", "", "Event: check-sync;id=7;reboot\r\n", CHECKSYNC_FETCH},
        {"NOTIFY", "", "Event: check-sync;reboot=true\r\n", CHECKSYNC_REBOOT},
        {"NOTIFY", "", "Event: check-sync ; id=1 ; Reboot = TRUE\r\n", CHECKSYNC_REBOOT},
        {"NOTIFY", ";tag=x", "Event: check-sync\r\n", CHECKSYNC_NONE},
        {"MESSAGE", "", "Event: check-sync\r\n", CHECKSYNC_NONE},
        {"NOTIFY", "", "Event: check-sync-2\r\n", CHECKSYNC_NONE},
        {"NOTIFY", "", "Event: message-summary;check-sync\r\n", CHECKSYNC_NONE},
        {"NOTIFY", "", "Event: ;\r\n", CHECKSYNC_NONE},
        {"NOTIFY", "", "Event: \r\n", CHECKSYNC_NONE},
        {"NOTIFY", "", "Event: \"check-sync\r\n", CHECKSYNC_NONE},
        {"NOTIFY", "", "", CHECKSYNC_NONE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (of(cases[i].method, cases[i].to, cases[i].lines) != cases[i].is)
            fail_msg("case %zu: %s", i, cases[i].lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_recognises_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
