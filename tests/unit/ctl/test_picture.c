#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/picture.h"
#include "tools/unit.h"

#define STATUS(accounts)                                    \
    "{\"version\":\"1.2.3\",\"clock\":{\"state\":\"set\"}," \
    "\"trust\":{\"builtin\":76,\"custom\":2,\"filter\":\"all\"},\"accounts\":[" accounts "]}"
#define UP                                                                                        \
    "{\"account\":1,\"label\":\"Desk\",\"state\":\"up\",\"lock\":true,\"assurance\":\"full\","    \
    "\"sentence\":\"Verified: sip.test, a server whose name is long enough, issued by Demo CA\"," \
    "\"registration\":{\"state\":\"registered\",\"error\":null},"                                 \
    "\"peer\":{\"protocol\":\"TLSv1.3\"},\"retry_in_ms\":null}"
#define DOWN                                                                                     \
    "{\"account\":2,\"label\":\"Door\",\"state\":\"down\",\"lock\":false,"                       \
    "\"assurance\":\"none\",\"sentence\":\"The certificate of localhost expired on 2026-11-22; " \
    "the server's admin must renew it\","                                                        \
    "\"registration\":{\"state\":\"off\",\"error\":null},\"peer\":null,\"retry_in_ms\":1500}"

static struct picture picture;
static struct term term = {.columns = 62, .rows = 24, .utf8 = true};

/* Draws into at most MAX lines, and compares. */
static void check(int64_t now_ms, int max, int lines, const char *expected)
{
    char *printed;
    size_t size;
    FILE *out = open_memstream(&printed, &size);

    assert_non_null(out);
    assert_int_equal(lines, picture_draw(out, &term, &picture, now_ms, max, "\n"));
    (void)fclose(out);
    assert_string_equal(expected, printed);
    free(printed);
}

static int set_up(void **state)
{
    (void)state;
    assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
    memset(&picture, 0, sizeof picture);
    term.columns = 62;
    term.utf8 = true;
    return 0;
}

#define PHONE     "sipsd 1.2.3, clock set, 76 built-in and 2 custom CAs (all in u\n\n"
#define UP_LINE   "🔒 1 Desk               locked          registered  TLSv1.3\n"
#define DOWN_LINE "✗  2 Door               down            next try in 2 s\n"

static void test_all_fits(void **state)
{
    (void)state;
    assert_true(picture_read(&picture, STATUS(UP "," DOWN), 0));
    check(0, 8, 8,
          PHONE UP_LINE "     Verified: sip.test, a server whose name is long enough,\n"
                        "     issued by Demo CA\n" DOWN_LINE
                        "     The certificate of localhost expired on 2026-11-22; the\n"
                        "     server's admin must renew it\n");
}

static void test_with_less_room_sentences_are_cut(void **state)
{
    (void)state;
    assert_true(picture_read(&picture, STATUS(UP "," DOWN), 0));
    check(0, 7, 6,
          PHONE UP_LINE "     Verified: sip.test, a server whose name is long enoug...\n" DOWN_LINE
                        "     The certificate of localhost expired on 2026-11-22; t...\n");
    check(0, 5, 4, PHONE UP_LINE DOWN_LINE);
}

static void test_with_no_room_accounts_are_counted(void **state)
{
    (void)state;
    assert_true(picture_read(&picture, STATUS(UP "," DOWN), 0));
    check(0, 3, 3, PHONE "     ... and 2 more\n");
    check(0, 1, 0, "");
    assert_true(picture_read(&picture, STATUS(DOWN), 0));
    check(0, 3, 3, PHONE DOWN_LINE);
}

static void test_a_narrow_terminal(void **state)
{
    (void)state;
    term.columns = 45;
    assert_true(picture_read(&picture, STATUS(DOWN), 0));
    check(0, 3, 3,
          "sipsd 1.2.3, clock set, 76 built-in and 2 cus\n\n"
          "✗  2 Door               down            next \n");
    term.columns = 5; /* too few for a sentence */
    check(0, 100, 3, "sipsd\n\n✗  2 Door               down            \n");
}

static void test_without_utf8(void **state)
{
    (void)state;
    term.utf8 = false;
    assert_true(picture_read(&picture, STATUS(UP "," DOWN), 0));
    check(0, 5, 4,
          PHONE "[] 1 Desk               locked          registered  TLSv1.3\n"
                "x  2 Door               down            next try in 2 s\n");
}

/* Colours are for the eye: the words say the same. */
static void test_words(void **state)
{
    static const struct {
        struct sipsd_account account;
        const char *word;
        enum term_colour colour;
    } cases[] = {
        {{.state = SIPSD_STATE_UP, .lock = true, .assurance = SIPSD_ASSURANCE_FULL},
         "locked",
         TERM_GREEN},
        {{.state = SIPSD_STATE_UP, .lock = true, .assurance = SIPSD_ASSURANCE_CHAIN},
         "locked, no name",
         TERM_YELLOW},
        {{.state = SIPSD_STATE_UP, .lock = true, .assurance = SIPSD_ASSURANCE_NONE},
         "encrypted only",
         TERM_YELLOW},
        {{.state = SIPSD_STATE_UP}, "not locked", TERM_RED},
        {{.state = SIPSD_STATE_CONNECTING}, "connecting", TERM_PLAIN},
        {{.state = SIPSD_STATE_DOWN}, "down", TERM_RED},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_string_equal(cases[i].word, picture_word(&cases[i].account));
        assert_int_equal(cases[i].colour, picture_colour(&cases[i].account));
        for (int utf8 = 0; utf8 <= 1; utf8++) {
            term.utf8 = utf8 == 1;
            assert_int_equal(2, term_width(picture_glyph(&term, &cases[i].account)));
        }
    }
}

static void test_what_is_no_status(void **state)
{
    (void)state;
    assert_false(picture_read(&picture, "nonsense", 0));
    assert_true(picture_read(&picture, STATUS("1,{},null,{\"account\":\"x\"}"), 0));
    assert_int_equal(0, picture.count);
}

static void test_a_countdown(void **state)
{
    (void)state;
    assert_true(picture_read(&picture, STATUS(DOWN), 1000));
    check(2000, 3, 3, PHONE "✗  2 Door               down            next try in 1 s\n");
    check(9000, 3, 3, PHONE "✗  2 Door               down            next try in 0 s\n");
}

#define ENDS(sha256, state)                                                                    \
    "{\"role\":\"peer\",\"sha256\":\"" sha256 "\",\"state\":\"" state "\",\"sentence\":\"The " \
    "certificate 'sip.test' expires on 2027-01-20 (in 4 days); the server's admin must renew " \
    "it\"}"
#define STATUS_ENDS(list)                                                                      \
    "{\"version\":\"1.2.3\",\"clock\":{\"state\":\"set\"},"                                    \
    "\"trust\":{\"builtin\":76,\"custom\":2,\"filter\":\"all\"},\"accounts\":[],\"expiring\":" \
    "[" list "]}"
#define ENDS_LINES                                             \
    "The certificate 'sip.test' expires on 2027-01-20 (in 4\n" \
    "days); the server's admin must renew it\n"

static void test_certificates_that_end(void **state)
{
    struct sipsd_event ev = {.type = SIPSD_EVENT_CERTIFICATE};
    (void)state;
    assert_true(picture_read(&picture, STATUS_ENDS(ENDS("aa", "expiring") ",{}"), 0));
    check(0, 10, 5, PHONE "\n" ENDS_LINES);
    check(0, 3, 2, PHONE); /* no room for it */
    assert_true(sipsd_certificate_from_json(ENDS("bb", "expired"), &ev.certificate));
    assert_true(picture_apply(&picture, &ev, 0));
    check(0, 10, 7, PHONE "\n" ENDS_LINES ENDS_LINES);
    assert_true(picture_apply(&picture, &ev, 0)); /* the same again */
    assert_int_equal(picture.certificates_count, 2);
    (void)snprintf(ev.certificate.state, sizeof ev.certificate.state, "replaced");
    assert_true(picture_apply(&picture, &ev, 0));
    assert_false(picture_apply(&picture, &ev, 0));
    check(0, 10, 5, PHONE "\n" ENDS_LINES);
}

static void test_more_certificates_than_are_shown(void **state)
{
    struct sipsd_event ev = {.type = SIPSD_EVENT_CERTIFICATE};
    (void)state;
    assert_true(picture_read(&picture, STATUS_ENDS(""), 0));
    for (int i = 0; i <= PICTURE_CERTIFICATES_MAX; i++) {
        assert_true(sipsd_certificate_from_json(ENDS("aa", "expired"), &ev.certificate));
        (void)snprintf(ev.certificate.sha256, sizeof ev.certificate.sha256, "%d", i);
        assert_int_equal(picture_apply(&picture, &ev, 0), i < PICTURE_CERTIFICATES_MAX);
    }
    assert_true(picture_read(&picture, STATUS_ENDS(""), 0));
    assert_int_equal(picture.certificates_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_all_fits, set_up),
        cmocka_unit_test_setup(test_certificates_that_end, set_up),
        cmocka_unit_test_setup(test_more_certificates_than_are_shown, set_up),
        cmocka_unit_test_setup(test_with_less_room_sentences_are_cut, set_up),
        cmocka_unit_test_setup(test_with_no_room_accounts_are_counted, set_up),
        cmocka_unit_test_setup(test_a_narrow_terminal, set_up),
        cmocka_unit_test_setup(test_without_utf8, set_up),
        cmocka_unit_test_setup(test_words, set_up),
        cmocka_unit_test_setup(test_what_is_no_status, set_up),
        cmocka_unit_test_setup(test_a_countdown, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
