/*
 * The torture messages of RFC 4475 and RFC 5118, through framing and parsing as a connection does
 * it. They are not ours to carry: the test looks for them in ../shared/sip and is skipped without.
 */
#include "tools/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "sip/frame.h"
#include "sip/message.h"

#define SKIPPED 77 /* ctest's SKIP_RETURN_CODE, see tests/suite.cmake */

static char *directory(const char *suite)
{
    static char path[4096];
    const char *top = getenv("SOURCE_DIR");
    (void)snprintf(path, sizeof path, "%s/../shared/sip/%s", top != NULL ? top : ".", suite);
    return path;
}

static size_t read_file(const char *suite, const char *name, uint8_t *out, size_t size)
{
    char path[8192];
    (void)snprintf(path, sizeof path, "%s/%s", directory(suite), name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    const size_t n = fread(out, 1, size, f);
    (void)fclose(f);
    return n;
}

/*
 * What a peer that sends BYTES and then nothing gets: a parsed message, or none. The messages were
 * made for UDP, where a missing Content-Length is allowed (RFC 3261 section 18.3); such a one is
 * judged as if the transport had said where it ends.
 */
static bool is_accepted(struct slice bytes, struct errinfo *e)
{
    struct sip_frame *frame;
    struct sip_message *m = NULL;
    enum sip_frame_event event;
    struct slice whole;
    assert_true(is_ok(sip_frame_new(&frame)));
    assert_true(is_ok(sip_frame_feed(frame, bytes)));
    struct result r = sip_frame_next(frame, &event, &whole, e);
    if (is_err(r) && strstr(e->text, "no Content-Length") != NULL) {
        errinfo_clear(e);
        r = sip_message_parse(bytes, &m, e);
    } else if (is_ok(r) && event == SIP_FRAME_MESSAGE) {
        r = sip_message_parse(whole, &m, e);
    } else if (is_ok(r)) {
        r = fail(e, ERR_TRUNCATED, "it does not end");
    }
    assert_true(is_ok(r) == (m != NULL));
    assert_true(is_ok(r) || e->code != ERR_OK);
    sip_message_free(m);
    sip_frame_free(frame);
    return is_ok(r);
}

/* RFC 5118 prints a Content-Length of 268 above a body of 251 bytes; on a stream the rest is waited
 * for, so it is given here. */
static size_t complete(const char *file, uint8_t *bytes, size_t n)
{
    if (strcmp(file, "ipv6-in-sdp") != 0)
        return n;
    memset(bytes + n, '\n', 268 - 251);
    return n + 268 - 251;
}

static int check_suite(const char *suite, int *accepted, int *rejected)
{
    static uint8_t bytes[LIMIT_SIP_MESSAGE];
    static char table[65536];
    int wrong = 0;
    table[read_file(suite, "expect.tsv", (uint8_t *)table, sizeof table - 1)] = '\0';
    char *save, *line = strtok_r(table, "\n", &save); /* the headings */
    while ((line = strtok_r(NULL, "\n", &save)) != NULL) {
        char file[64], section[16], title[128], expected[16];
        struct errinfo e = ERRINFO_INIT;
        assert_int_equal(
            sscanf(line, "%63[^\t]\t%15[^\t]\t%127[^\t]\t%15[^\t]", file, section, title, expected),
            4);
        if (strcmp(expected, "none") == 0)
            continue;
        size_t n = read_file(suite, file, bytes, sizeof bytes / 2);
        n = complete(file, bytes, n);
        const bool ok = is_accepted(slice_of(bytes, n), &e);
        *(ok ? accepted : rejected) += 1;
        print_message("%-28s %s %s\n", file, ok ? "accepted" : "rejected:", ok ? "" : e.text);
        if (ok != (strcmp(expected, "accept") == 0)) {
            print_error("%s (%s, %s) must be %sed\n", file, section, title, expected);
            wrong++;
        }
    }
    return wrong;
}

static void judges_rfc4475_as_it_says(void **state)
{
    int accepted = 0, rejected = 0;
    (void)state;
    assert_int_equal(check_suite("rfc4475", &accepted, &rejected), 0);
    assert_int_equal(accepted, 27);
    assert_int_equal(rejected, 22);
}

static void judges_rfc5118_as_it_says(void **state)
{
    int accepted = 0, rejected = 0;
    (void)state;
    assert_int_equal(check_suite("rfc5118-wire", &accepted, &rejected), 0);
    assert_int_equal(accepted, 11);
    assert_int_equal(rejected, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_rfc4475_as_it_says),
        cmocka_unit_test(judges_rfc5118_as_it_says),
    };
    char path[4200];
    (void)snprintf(path, sizeof path, "%s/expect.tsv", directory("rfc4475"));
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        print_message("skipped: %s is not there\n", path);
        return SKIPPED;
    }
    (void)fclose(f);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
