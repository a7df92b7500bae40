/*
 * The torture messages of RFC 4475 into the listener: each gets the answer that the RFC asks for,
 * and the phone goes on. They are not ours to carry: the test looks for them in ../shared/sip and
 * is skipped without.
 */
#include "tools/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "scenario/callers.h"

#define SKIPPED 77 /* ctest's SKIP_RETURN_CODE, see tests/suite.cmake */

/* Where the answer is not the usual one: 400 to what the suite says is to be rejected, 404 to the
 * rest, whose users are none of the phone's. */
static const struct exception {
    const char *file;
    int status; /* 0: none */
} exceptions[] = {
    {"badvers.dat", 505}, {"unkscm.dat", 416}, /* section 3.3.2 */
    {"novelsc.dat", 416},                      /* section 3.3.3 */
    {"bext01.dat", 420},                       /* section 3.3.5 */
    {"wsinv.dat", 481},                     /* it has a To tag, of a call that we know nothing of */
    {"clerr.dat", 0},     {"baddn.dat", 0}, /* their ends never come */
    {"scalarlg.dat", 0},  {"bigcode.dat", 0},  {"unreason.dat", 0},
    {"noreason.dat", 0},  {"bcast.dat", 0}, /* responses */
};

static char *directory(void)
{
    static char path[4096];
    const char *top = getenv("SOURCE_DIR");
    (void)snprintf(path, sizeof path, "%s/../shared/sip/rfc4475", top != NULL ? top : ".");
    return path;
}

static size_t read_file(const char *name, uint8_t *out, size_t size)
{
    char path[8192];
    (void)snprintf(path, sizeof path, "%s/%s", directory(), name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    const size_t n = fread(out, 1, size, f);
    (void)fclose(f);
    return n;
}

static int expected_status(const char *file, bool accept)
{
    for (size_t i = 0; i < COUNT_OF(exceptions); i++)
        if (strcmp(file, exceptions[i].file) == 0)
            return exceptions[i].status;
    return accept ? 404 : 400;
}

/* The messages were made for UDP: without a Content-Length they have no end on a stream. */
static bool has_content_length(struct slice text)
{
    static const char *const names[] = {
        "\nContent-Length", "\ncontent-length", "\nCONTENT-LENGTH", "\nl:", "\nL:", "\nl "};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (slice_find_slice(text, slice_of_str(names[i])) < text.n)
            return true;
    return false;
}

static int ask(struct called *phone, struct slice bytes)
{
    struct caller *peer = caller_dial(phone, NULL, NULL);
    assert_true(is_ok(connection_send(peer->connection, bytes)));
    sim_settle(phone->lab->sim);
    const int status = peer->first_status;
    caller_free(peer);
    return status;
}

static bool check(struct called *phone, const char *file, const char *expected)
{
    static uint8_t bytes[LIMIT_SIP_MESSAGE];
    const size_t n = read_file(file, bytes, sizeof bytes);
    const bool accept = strcmp(expected, "accept") == 0;
    int status = expected_status(file, accept);
    if (status == 404 && !has_content_length(slice_of(bytes, n)))
        status = 400;
    const int got = ask(phone, slice_of(bytes, n));
    if (got != status)
        print_error("%s (%s) gets %d, not %d\n", file, expected, got, status);
    return got == status;
}

static void each_gets_its_answer(void **state)
{
    static char table[65536];
    struct lab *lab = lab_new();
    struct called *phone = called_new(lab, NULL);
    unsigned count = 0, wrong = 0;
    (void)state;
    table[read_file("expect.tsv", (uint8_t *)table, sizeof table - 1)] = '\0';
    char *save, *line = strtok_r(table, "\n", &save); /* the headings */
    while ((line = strtok_r(NULL, "\n", &save)) != NULL) {
        char file[64], section[16], title[128], expected[16];
        assert_int_equal(
            sscanf(line, "%63[^\t]\t%15[^\t]\t%127[^\t]\t%15[^\t]", file, section, title, expected),
            4);
        if (strcmp(expected, "none") == 0)
            continue;
        wrong += !check(phone, file, expected);
        count++;
    }
    assert_int_equal(wrong, 0);
    assert_int_equal(count, 49);
    struct caller *after = caller_dial(phone, NULL, NULL);
    assert_int_equal(caller_ask(after, "OPTIONS", "sips:" CALLED_IP), 200);
    caller_free(after);
    called_free(phone);
    lab_free(lab);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_gets_its_answer),
    };
    char path[4200];
    (void)snprintf(path, sizeof path, "%s/expect.tsv", directory());
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        print_message("skipped: %s is not there\n", path);
        return SKIPPED;
    }
    (void)fclose(f);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
