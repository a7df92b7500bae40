/* generation: what is written is read, and every kind of damage stays with the file that has it. */
#include "sys/generation.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "tools/tempdir.h"
#include "tools/unit.h"

static char dir[TEMPDIR_SIZE];
static char text[4096];       /* "a=one b=two " of the files that were read */
static char damages[64][400]; /* "NAME: SENTENCE" */
static size_t damages_count;

static int set_up(void **state)
{
    (void)state;
    tempdir_make(dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tempdir_remove(dir);
    return 0;
}

static const char *path_of(const char *name)
{
    return tempdir_path(dir, name);
}

static void put(const char *name, const char *content)
{
    tempdir_put(path_of(name), slice_of_str(content));
}

static void collect(void *arg, const char *name, struct slice content, const struct errinfo *damage)
{
    (void)arg;
    const size_t used = strlen(text);
    if (damage == NULL) {
        (void)snprintf(text + used, sizeof text - used, "%s=%.*s ", name, SLICE_FMT(content));
        return;
    }
    assert_int_equal(content.n, 0);
    assert_true(damages_count < COUNT_OF(damages));
    (void)snprintf(damages[damages_count++], sizeof damages[0], "%s: %s", name, damage->text);
}

static uint64_t read_all(void)
{
    uint64_t number = 99;
    struct errinfo e = ERRINFO_INIT;
    text[0] = '\0';
    damages_count = 0;
    const struct result r = generation_read(dir, collect, NULL, &number, &e);
    if (is_err(r))
        fail_msg("%s", errinfo_text(&e, r));
    return number;
}

static void assert_holds(uint64_t number, const char *expected)
{
    assert_int_equal(read_all(), number);
    assert_string_equal(text, expected);
}

static void assert_damage(size_t i, const char *name, const char *words)
{
    assert_true(i < damages_count);
    assert_int_equal(strncmp(damages[i], name, strlen(name)), 0);
    if (strstr(damages[i], words) == NULL)
        fail_msg("'%s' does not say '%s'", damages[i], words);
}

static struct result write_pair(const char *a, const char *b)
{
    const struct generation_file files[] = {{"b", slice_of_str(b)}, {"a", slice_of_str(a)}};
    return generation_write(dir, files, 2, NULL, NULL);
}

static void must_write(const char *a, const char *b)
{
    assert_true(is_ok(write_pair(a, b)));
}

/* --- without damage --- */

static void nothing_there_is_generation_zero(void **state)
{
    (void)state;
    assert_holds(0, "");
    assert_true(is_ok(generation_clean(dir, NULL)));
    assert_int_equal(tempdir_count(dir), 0);
}

static void what_was_written_is_read_in_order(void **state)
{
    (void)state;
    uint64_t number = 0;
    const struct generation_file file = {"only", SLICE_LIT("x")};
    must_write("one", "two");
    assert_holds(1, "a=one b=two ");
    assert_true(is_ok(generation_write(dir, &file, 1, &number, NULL)));
    assert_int_equal(number, 2);
    assert_holds(2, "only=x ");
    assert_true(is_ok(generation_write(dir, NULL, 0, NULL, NULL)));
    assert_holds(3, "");
    assert_int_equal(damages_count, 0);
}

static void an_empty_content_is_content(void **state)
{
    (void)state;
    must_write("", "two");
    assert_holds(1, "a= b=two ");
    assert_int_equal(damages_count, 0);
}

static void two_are_kept_and_the_one_before_can_be_read(void **state)
{
    (void)state;
    uint64_t found;
    must_write("1", "1");
    must_write("2", "2");
    must_write("3", "3");
    assert_int_equal(tempdir_count(path_of("generations")), 2);
    assert_int_equal(tempdir_count(dir), 1); /* nothing is "damaged" */
    text[0] = '\0';
    assert_true(is_ok(generation_read_before(dir, 3, collect, NULL, &found, NULL)));
    assert_int_equal(found, 2);
    assert_string_equal(text, "a=2 b=2 ");
    assert_true(is_ok(generation_read_before(dir, 2, collect, NULL, &found, NULL)));
    assert_int_equal(found, 0);
}

static void modes_are_the_owners_alone_whatever_the_umask(void **state)
{
    (void)state;
    struct stat st;
    static const struct {
        const char *path;
        mode_t mode;
    } cases[] = {
        {"generations", 0700}, {"generations/00000001", 0700}, {"generations/00000001/a", 0600}};
    for (unsigned mask = 0; mask <= 0777; mask += 0777) {
        const mode_t before = umask((mode_t)mask);
        const struct result r = write_pair("x", "y");
        (void)umask(before);
        assert_true(is_ok(r));
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
            assert_int_equal(stat(path_of(cases[i].path), &st), 0);
            assert_int_equal(st.st_mode & 07777, cases[i].mode);
        }
        tempdir_remove(path_of("generations"));
    }
}

static void a_file_starts_with_its_hash(void **state)
{
    (void)state;
    char line[100] = "";
    must_write("abc", "");
    const int fd = open(path_of("generations/00000001/a"), O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, line, sizeof line - 1), 77);
    assert_int_equal(close(fd), 0);
    assert_string_equal(
        line, "# sha256 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\nabc");
}

static void numbers_have_as_many_digits_as_they_need(void **state)
{
    (void)state;
    uint64_t number;
    assert_int_equal(mkdir(path_of("generations"), 0700), 0);
    assert_int_equal(mkdir(path_of("generations/99999999"), 0700), 0);
    assert_int_equal(mkdir(path_of("generations/000000000000123456789"), 0700), 0); /* not ours */
    assert_true(is_ok(generation_write(dir, NULL, 0, &number, NULL)));
    assert_int_equal(number, 100000000);
    assert_holds(100000000, "");
    assert_int_equal(mkdir(path_of("generations/18446744073709551614"), 0700), 0);
    assert_int_equal(write_pair("x", "y").code, ERR_LIMIT);
}

static void what_cannot_be_a_generation_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"", ".hidden", "a/b", "a b", "\xc3\xa4", "..", "a\n"};
    struct generation_file files[LIMIT_GENERATION_FILES + 1] = {{"a", SLICE_LIT("1")},
                                                                {"a", SLICE_LIT("2")}};
    char long_name[LIMIT_GENERATION_NAME + 2] = "";
    struct errinfo e = ERRINFO_INIT;
    assert_int_equal(generation_write(dir, files, 2, NULL, &e).code, ERR_INVALID);
    assert_string_equal(e.text, "there are two files with the name a");
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        files[1].name = names[i];
        assert_int_equal(generation_write(dir, files, 2, NULL, NULL).code, ERR_INVALID);
    }
    memset(long_name, 'n', LIMIT_GENERATION_NAME);
    assert_true(generation_is_name(long_name));
    memset(long_name, 'n', LIMIT_GENERATION_NAME + 1);
    assert_false(generation_is_name(long_name));
    assert_int_equal(generation_write(dir, files, COUNT_OF(files), NULL, NULL).code, ERR_LIMIT);
    files[0].content.n = LIMIT_GENERATION_BYTES + 1;
    assert_int_equal(generation_write(dir, files, 1, NULL, NULL).code, ERR_LIMIT);
    assert_int_equal(generation_write(path_of("none"), NULL, 0, NULL, NULL).code, ERR_NOT_FOUND);
    assert_int_equal(tempdir_count(dir), 0);
}

static void the_largest_file_is_written_and_read(void **state)
{
    (void)state;
    char *large = malloc(LIMIT_GENERATION_BYTES);
    assert_non_null(large);
    memset(large, 'x', LIMIT_GENERATION_BYTES);
    const struct generation_file file = {"large", slice_of(large, LIMIT_GENERATION_BYTES)};
    assert_true(is_ok(generation_write(dir, &file, 1, NULL, NULL)));
    assert_int_equal(read_all(), 1);
    assert_int_equal(damages_count, 0);
    assert_int_equal(strncmp(text, "large=xxx", 9), 0);
    free(large);
}

/* --- damage --- */

static void a_file_put_there_by_hand_is_taken_as_it_is(void **state)
{
    (void)state;
    must_write("1", "2");
    put("generations/00000001/ca.mine.pem", "by hand");
    put("generations/00000001/.swap", "not looked at");
    assert_holds(1, "a=1 b=2 ca.mine.pem=by hand ");
    assert_int_equal(damages_count, 0);
}

static void make_every_damage(void)
{
    must_write("one", "two");
    put("generations/00000001/c-truncated", "# sha256 ba7816bf");
    put("generations/00000001/d-changed",
        "# sha256 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\nabd");
    put("generations/00000001/e-empty", "");
    tempdir_put(path_of("generations/00000001/f-zeroed"), slice_of((uint8_t[512]){0}, 512));
    assert_int_equal(mkdir(path_of("generations/00000001/g-directory"), 0700), 0);
    put("generations/00000001/g-directory/inside", "x");
    assert_int_equal(symlink("a", path_of("generations/00000001/h-link")), 0);
    assert_int_equal(mkfifo(path_of("generations/00000001/i-fifo"), 0600), 0);
    put("generations/00000001/j-huge", "x");
    assert_int_equal(truncate(path_of("generations/00000001/j-huge"), 1L << 40), 0);
    put("generations/00000001/k strange\nname", "x");
}

static void every_damage_is_reported_and_the_rest_stands(void **state)
{
    (void)state;
    make_every_damage();
    assert_holds(1, "a=one b=two ");
    assert_int_equal(damages_count, 9);
    assert_damage(0, "c-truncated: ", "does not fit the hash");
    assert_damage(1, "d-changed: ", "does not fit the hash");
    assert_damage(2, "e-empty: ", "is empty");
    assert_damage(3, "f-zeroed: ", "zero byte");
    assert_damage(4, "g-directory: ", "is not a regular file");
    assert_damage(5, "h-link: ", "is a symbolic link");
    assert_damage(6, "i-fifo: ", "is not a regular file");
    assert_damage(7, "j-huge: ", "is larger than");
    assert_damage(8, "k strange?name: ", "a name that no file here may have");
    assert_holds(1, "a=one b=two "); /* nothing was changed by looking */
    assert_int_equal(damages_count, 9);
}

static void the_next_write_sets_damage_aside_and_keeps_eight(void **state)
{
    (void)state;
    make_every_damage();
    must_write("three", "four");
    assert_holds(2, "a=three b=four ");
    assert_int_equal(damages_count, 0);
    assert_int_equal(tempdir_count(path_of("damaged")), LIMIT_DAMAGED_FILES);
    assert_int_equal(access(path_of("damaged/00000001-c-truncated"), F_OK), -1); /* the first */
    assert_int_equal(access(path_of("damaged/00000001-d-changed"), F_OK), 0);
    assert_int_equal(access(path_of("damaged/00000001-g-directory/inside"), F_OK), 0);
    assert_int_equal(access(path_of("damaged/00000001-k strange\nname"), F_OK), 0);
    assert_int_equal(tempdir_count(path_of("generations/00000001")), 2); /* a and b */
    put("generations/00000002/z", "# sha256 ");
    must_write("five", "six");
    assert_int_equal(tempdir_count(path_of("damaged")), LIMIT_DAMAGED_FILES);
    assert_int_equal(access(path_of("damaged/00000002-z"), F_OK), 0);
    assert_int_equal(access(path_of("damaged/00000001-d-changed"), F_OK), -1);
}

static void damage_does_not_hinder_writes_where_it_cannot_be_set_aside(void **state)
{
    (void)state;
    must_write("1", "1");
    put("generations/00000001/z", "# sha256 ");
    put("damaged", "a file where the directory should be");
    for (int i = 0; i < 4; i++)
        must_write("2", "2");
    assert_int_equal(tempdir_count(path_of("generations")), 2);
}

static void an_unreadable_file_is_damage(void **state)
{
    (void)state;
    must_write("1", "2");
    assert_int_equal(chmod(path_of("generations/00000001/a"), 0), 0);
    if (geteuid() == 0) /* root may read it: as somebody else */
        assert_int_equal(chmod(dir, 0755) | chmod(path_of("generations"), 0755) |
                             chmod(path_of("generations/00000001"), 0755) |
                             chmod(path_of("generations/00000001/b"), 0644),
                         0);
    const pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(1);
        _exit(read_all() == 1 && strcmp(text, "b=2 ") == 0 && damages_count == 1 &&
                      strstr(damages[0], "a: cannot open ") == damages[0]
                  ? 0
                  : 2);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_generation_that_is_none_falls_back_to_the_one_before(void **state)
{
    (void)state;
    must_write("1", "1");
    must_write("2", "2");
    put("generations/00000003", "a file");
    assert_int_equal(symlink("00000001", path_of("generations/00000004")), 0);
    assert_holds(2, "a=2 b=2 ");
    assert_int_equal(damages_count, 2);
    assert_damage(0, "00000004: ", "cannot open");
    assert_damage(1, "00000003: ", "cannot open");
    must_write("5", "5");
    assert_holds(5, "a=5 b=5 ");
    assert_int_equal(damages_count, 0);
    assert_int_equal(tempdir_count(path_of("generations")), 2); /* 5 and 2 */
    assert_int_equal(access(path_of("generations/00000002/a"), F_OK), 0);
    assert_int_equal(tempdir_count(path_of("damaged")), 2);
}

static void too_many_files_are_told_as_one_damage(void **state)
{
    (void)state;
    char name[64];
    must_write("1", "2");
    for (unsigned i = 2; i < LIMIT_GENERATION_FILES + 3; i++) {
        (void)snprintf(name, sizeof name, "generations/00000001/f%03u", i);
        put(name, "x");
    }
    assert_int_equal(read_all(), 1);
    assert_int_equal(damages_count, 1);
    assert_damage(0, "00000001: ", "35 files; only the first 32 were read");
}

static void many_old_generations_are_got_rid_of_bit_by_bit(void **state)
{
    (void)state;
    char name[64];
    assert_int_equal(mkdir(path_of("generations"), 0700), 0);
    for (unsigned i = 1; i <= 100; i++) {
        (void)snprintf(name, sizeof name, "generations/%08u", i);
        assert_int_equal(mkdir(path_of(name), 0700), 0);
    }
    for (unsigned i = 0; i < 10; i++)
        must_write("x", "y");
    assert_int_equal(tempdir_count(path_of("generations")), 2);
}

/* --- two processes --- */

static void a_second_writer_is_refused(void **state)
{
    (void)state;
    struct errinfo e = ERRINFO_INIT;
    must_write("1", "1");
    const int fd = open(path_of("generations"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(mkdir(path_of("generations/.00000002.new"), 0700), 0); /* what it makes */
    assert_int_equal(generation_write(dir, NULL, 0, NULL, &e).code, ERR_BUSY);
    assert_non_null(strstr(e.text, "two writers at once"));
    assert_int_equal(generation_clean(dir, NULL).code, ERR_BUSY);
    assert_int_equal(access(path_of("generations/.00000002.new"), F_OK), 0);
    assert_holds(1, "a=1 b=1 "); /* readers are not disturbed */
    assert_int_equal(close(fd), 0);
    must_write("2", "2");
    assert_holds(2, "a=2 b=2 ");
}

#define RACING_WRITES 40

/* Writes until it has succeeded often enough; every refusal must be that it is busy. */
static pid_t race(const char *content)
{
    const pid_t child = fork();
    if (child != 0)
        return child;
    for (unsigned done = 0; done < RACING_WRITES;) {
        const struct result r = write_pair(content, content);
        if (is_err(r) && r.code != ERR_BUSY)
            _exit(1);
        done += is_ok(r);
    }
    _exit(0);
}

static void two_racing_writers_never_mix(void **state)
{
    (void)state;
    const pid_t children[2] = {race("mine"), race("yours")};
    for (size_t i = 0; i < 2; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_int_equal(read_all(), 2 * RACING_WRITES);
    assert_true(strcmp(text, "a=mine b=mine ") == 0 || strcmp(text, "a=yours b=yours ") == 0);
    assert_int_equal(tempdir_count(path_of("generations")), 2);
}

static void cleaning_removes_what_interrupted_writes_left(void **state)
{
    (void)state;
    must_write("1", "1");
    assert_int_equal(mkdir(path_of("generations/.00000002.new"), 0700), 0);
    put("generations/.00000002.new/a", "half");
    assert_int_equal(mkdir(path_of("generations/.00000000.old"), 0700), 0);
    assert_int_equal(mkdir(path_of("generations/.mine"), 0700), 0);
    assert_holds(1, "a=1 b=1 ");
    assert_true(is_ok(generation_clean(dir, NULL)));
    assert_int_equal(tempdir_count_hidden(path_of("generations")), 1);
    assert_holds(1, "a=1 b=1 ");
}

static void the_one_before_can_be_made_to_count_again(void **state)
{
    (void)state;
    uint64_t number = 0;
    struct errinfo e = ERRINFO_INIT;
    must_write("1", "1");
    must_write("2", "2");
    assert_int_equal(generation_roll_back(dir, 1, NULL, &e).code, ERR_STATE);
    assert_string_equal(e.text, "generation 1 is not the newest one, 2 is");
    assert_true(is_ok(generation_roll_back(dir, 2, &number, NULL)));
    assert_int_equal(number, 3);
    assert_holds(3, "a=1 b=1 ");
}

static void before_the_first_one_there_is_nothing(void **state)
{
    (void)state;
    must_write("1", "1");
    assert_true(is_ok(generation_roll_back(dir, 1, NULL, NULL)));
    assert_holds(2, "");
}

static void what_is_damaged_does_not_come_back(void **state)
{
    (void)state;
    must_write("1", "1");
    must_write("2", "2");
    put("generations/00000001/a", "");
    assert_true(is_ok(generation_roll_back(dir, 2, NULL, NULL)));
    assert_holds(3, "b=1 ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(nothing_there_is_generation_zero),
        TEST(what_was_written_is_read_in_order),
        TEST(an_empty_content_is_content),
        TEST(two_are_kept_and_the_one_before_can_be_read),
        TEST(modes_are_the_owners_alone_whatever_the_umask),
        TEST(a_file_starts_with_its_hash),
        TEST(numbers_have_as_many_digits_as_they_need),
        TEST(what_cannot_be_a_generation_is_refused),
        TEST(the_largest_file_is_written_and_read),
        TEST(a_file_put_there_by_hand_is_taken_as_it_is),
        TEST(every_damage_is_reported_and_the_rest_stands),
        TEST(the_next_write_sets_damage_aside_and_keeps_eight),
        TEST(damage_does_not_hinder_writes_where_it_cannot_be_set_aside),
        TEST(an_unreadable_file_is_damage),
        TEST(a_generation_that_is_none_falls_back_to_the_one_before),
        TEST(too_many_files_are_told_as_one_damage),
        TEST(many_old_generations_are_got_rid_of_bit_by_bit),
        TEST(a_second_writer_is_refused),
        TEST(two_racing_writers_never_mix),
        TEST(cleaning_removes_what_interrupted_writes_left),
        TEST(the_one_before_can_be_made_to_count_again),
        TEST(before_the_first_one_there_is_nothing),
        TEST(what_is_damaged_does_not_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
