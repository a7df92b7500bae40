/*
 * store: files that are whole or not there. What an interruption leaves is tried at every single
 * system call: a child process makes the write under ptrace and is killed before the n-th one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/store.h"
#include "tools/killing.h"
#include "tools/tempdir.h"
#include "tools/unit.h"

static char dir[TEMPDIR_SIZE];
static struct buf content;

static const char *path_of(const char *name)
{
    return tempdir_path(dir, name);
}

static int set_up(void **state)
{
    (void)state;
    tempdir_make(dir);
    buf_init(&content, 4096);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_free(&content);
    tempdir_remove(dir);
    return 0;
}

static void put(const char *name, const char *text)
{
    assert_true(is_ok(store_write(path_of(name), 0600, slice_of_str(text), NULL)));
}

static bool holds(const char *name, const char *text)
{
    buf_clear(&content);
    return is_ok(store_read(path_of(name), &content, NULL)) &&
           slice_eq_str(buf_slice(&content), text);
}

/* Names in the directory, hidden ones too. */
static unsigned count_entries(void)
{
    return tempdir_count(dir);
}

/* --- reading --- */

static void what_was_written_is_read(void **state)
{
    (void)state;
    put("a", "one");
    assert_true(holds("a", "one"));
    put("a", "");
    assert_true(holds("a", ""));
    assert_int_equal(count_entries(), 1);
}

static void a_read_appends_and_a_failed_one_changes_nothing(void **state)
{
    (void)state;
    struct buf small;
    struct errinfo e = ERRINFO_INIT;
    put("a", "12345");
    buf_init(&small, 8);
    assert_true(is_ok(buf_append_str(&small, "abc")));
    assert_true(is_ok(store_read(path_of("a"), &small, NULL)));
    assert_true(slice_eq_str(buf_slice(&small), "abc12345"));
    buf_consume(&small, 4);
    assert_int_equal(store_read(path_of("a"), &small, &e).code, ERR_LIMIT);
    assert_true(slice_eq_str(buf_slice(&small), "2345"));
    assert_non_null(strstr(e.text, "/a is larger than the 4 bytes allowed"));
    buf_free(&small);
}

/* /proc tells size 0 for all its files: only reading shows how long they are. */
static void the_cap_holds_for_files_that_do_not_tell_their_size(void **state)
{
    (void)state;
    struct buf small;
    buf_init(&small, 10);
    assert_int_equal(store_read("/proc/self/status", &small, NULL).code, ERR_LIMIT);
    assert_int_equal(buf_len(&small), 0);
    buf_free(&small);
}

static void what_cannot_be_read_has_a_code_and_a_sentence(void **state)
{
    (void)state;
    struct errinfo e = ERRINFO_INIT;
    char expected[200];
    assert_int_equal(store_read(path_of("missing"), &content, &e).code, ERR_NOT_FOUND);
    (void)snprintf(expected, sizeof expected, "cannot open %s: No such file or directory",
                   path_of("missing"));
    assert_string_equal(e.text, expected);
    assert_int_equal(store_read(dir, &content, NULL).code, ERR_INVALID);
    assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
    assert_int_equal(store_read(path_of("fifo"), &content, NULL).code, ERR_INVALID);
}

/* --- writing --- */

static void the_mode_is_set_whatever_the_umask(void **state)
{
    (void)state;
    struct stat st;
    const mode_t mask = umask(0777);
    const struct result r = store_write(path_of("a"), 0644, SLICE_LIT("x"), NULL);
    (void)umask(mask);
    assert_true(is_ok(r));
    assert_int_equal(stat(path_of("a"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_true(is_ok(store_write(path_of("a"), 0600, SLICE_LIT("x"), NULL)));
    assert_int_equal(stat(path_of("a"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

static void a_link_is_replaced_not_followed(void **state)
{
    (void)state;
    struct stat st;
    put("target", "kept");
    assert_int_equal(symlink("target", path_of("link")), 0);
    assert_true(holds("link", "kept"));
    put("link", "new");
    assert_true(holds("target", "kept"));
    assert_int_equal(lstat(path_of("link"), &st), 0);
    assert_true(S_ISREG(st.st_mode));
}

/* Somebody has put a link where the temporary file goes. */
static void the_temporary_file_follows_no_link(void **state)
{
    (void)state;
    put("target", "kept");
    assert_int_equal(symlink("target", path_of(".a.new")), 0);
    put("a", "new");
    assert_true(holds("a", "new"));
    assert_true(holds("target", "kept"));
}

static void impossible_names_are_refused(void **state)
{
    (void)state;
    char long_name[300] = "";
    memset(long_name, 'n', sizeof long_name - 1);
    assert_int_equal(store_write(path_of(""), 0600, SLICE_EMPTY, NULL).code, ERR_INVALID);
    assert_int_equal(store_write(long_name, 0600, SLICE_EMPTY, NULL).code, ERR_INVALID);
    assert_int_equal(store_write(path_of("no/such/dir"), 0600, SLICE_EMPTY, NULL).code,
                     ERR_NOT_FOUND);
}

static void removing_is_for_good_and_may_find_nothing(void **state)
{
    (void)state;
    put("a", "x");
    assert_true(is_ok(store_remove(path_of("a"), NULL)));
    assert_int_equal(count_entries(), 0);
    assert_true(is_ok(store_remove(path_of("a"), NULL)));
    assert_true(is_ok(store_remove(path_of("no/such/dir"), NULL)));
    assert_int_equal(mkdir(path_of("d"), 0700), 0);
    assert_true(is_err(store_remove(path_of("d"), NULL)));
}

static void what_is_there_is_not_created_again(void **state)
{
    (void)state;
    struct errinfo e = ERRINFO_INIT;
    struct stat st;
    assert_true(is_ok(store_create(path_of("a"), 0640, SLICE_LIT("one"), NULL)));
    assert_int_equal(stat(path_of("a"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(st.st_nlink, 1);
    assert_int_equal(store_create(path_of("a"), 0600, SLICE_LIT("two"), &e).code, ERR_EXISTS);
    assert_non_null(strstr(e.text, "/a is there already"));
    assert_true(holds("a", "one"));
    assert_int_equal(symlink("nowhere", path_of("link")), 0);
    assert_int_equal(store_create(path_of("link"), 0600, SLICE_LIT("x"), NULL).code, ERR_EXISTS);
    assert_int_equal(store_create(path_of("no/such"), 0600, SLICE_LIT("x"), NULL).code,
                     ERR_NOT_FOUND);
    assert_int_equal(count_entries(), 2);
}

#define CREATORS 8

static void of_many_that_create_one_does(void **state)
{
    (void)state;
    SKIP_UNDER_VALGRIND();
    char text[20000];
    unsigned created = 0;
    for (unsigned i = 0; i < CREATORS; i++) {
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            memset(text, 'A' + (int)i, sizeof text);
            const struct result r =
                store_create(path_of("a"), 0600, slice_of(text, sizeof text), NULL);
            _exit(is_ok(r) ? 0 : r.code == ERR_EXISTS ? 1 : 2);
        }
    }
    for (unsigned i = 0; i < CREATORS; i++) {
        int status;
        assert_true(waitpid(-1, &status, 0) > 0);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
        created += WEXITSTATUS(status) == 0;
    }
    assert_int_equal(created, 1);
    assert_int_equal(count_entries(), 1);
    buf_free(&content);
    buf_init(&content, sizeof text);
    assert_true(is_ok(store_read(path_of("a"), &content, NULL)));
    const struct slice got = buf_slice(&content);
    assert_int_equal(got.n, sizeof text);
    for (size_t i = 1; i < got.n; i++)
        assert_int_equal(got.p[i], got.p[0]);
}

/* --- interrupted --- */

static int write_new(void *error)
{
    struct errinfo e = ERRINFO_INIT;
    const struct result r = store_write(path_of("a"), 0640, SLICE_LIT("new"), &e);
    return is_ok(r) ? 0 : error != NULL && e.native == *(int *)error ? 1 : 2;
}

static int create_new(void *unused)
{
    (void)unused;
    return is_ok(store_create(path_of("a"), 0640, SLICE_LIT("new"), NULL)) ? 0 : 1;
}

static void note_call(void *calls, long call)
{
    const char *name = call == SYS_fchmod                              ? "fchmod "
                       : call == SYS_write                             ? "write "
                       : call == SYS_fsync                             ? "fsync "
                       : call == SYS_renameat || call == SYS_renameat2 ? "rename "
                                                                       : "";
    const size_t used = strlen(calls);
    (void)snprintf((char *)calls + used, 256 - used, "%s", name);
}

/* What a power cut spares is decided by the order of these. */
static void content_and_name_are_synced_in_their_order(void **state)
{
    (void)state;
    char calls[256] = "";
    if (!killing_is_possible())
        skip();
    killing_watch(write_new, NULL, note_call, calls);
    assert_string_equal(calls, "fchmod write fsync rename fsync ");
}

static void a_kill_at_any_system_call_leaves_old_or_new(void **state)
{
    (void)state;
    unsigned old_ones = 0, new_ones = 0, n = 1;
    if (!killing_is_possible())
        skip();
    for (bool killed = true; killed; n++) {
        put("a", "old");
        killed = killing_before_call(write_new, NULL, n);
        const bool is_old = holds("a", "old");
        assert_true(is_old || holds("a", "new"));
        old_ones += is_old;
        new_ones += !is_old;
        put("a", "next"); /* works, and leaves no rubbish */
        assert_int_equal(count_entries(), 1);
        assert_true(is_ok(store_clean(dir, NULL)));
        assert_int_equal(count_entries(), 1);
    }
    assert_true(n > 8);        /* it was not over before it began */
    assert_true(old_ones > 5); /* open, open, fchmod, write, fsync, close, rename */
    assert_true(new_ones > 1); /* fsync of the directory, close, and undisturbed */
}

static void a_kill_while_creating_leaves_nothing_or_all(void **state)
{
    (void)state;
    unsigned none = 0, whole = 0, n = 1;
    if (!killing_is_possible())
        skip();
    for (bool killed = true; killed; n++) {
        killed = killing_before_call(create_new, NULL, n);
        const bool there = access(path_of("a"), F_OK) == 0;
        assert_true(!there || holds("a", "new"));
        none += !there;
        whole += there;
        /* What is left is in nobody's way. */
        assert_true(there || is_ok(store_create(path_of("a"), 0600, SLICE_LIT("new"), NULL)));
        assert_true(is_ok(store_clean(dir, NULL)));
        assert_int_equal(count_entries(), 1);
        assert_true(is_ok(store_remove(path_of("a"), NULL)));
    }
    assert_true(none > 6);  /* open, flock, unlink, open, fchmod, write, fsync, close, link */
    assert_true(whole > 2); /* unlink, fsync of the directory, close, and undisturbed */
}

static void a_failing_system_call_leaves_the_old_and_no_rest(void **state)
{
    (void)state;
    SKIP_UNDER_VALGRIND();
    static const struct {
        long call;
        int error;
    } cases[] = {
        {SYS_openat, EMFILE}, {SYS_fchmod, EPERM}, {SYS_write, ENOSPC},
        {SYS_fsync, EIO},     {SYS_renameat, EIO},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int error = cases[i].error;
        put("a", "old");
        assert_int_equal(killing_with_failing_call(write_new, &error, cases[i].call, error), 1);
        assert_true(holds("a", "old"));
        assert_int_equal(count_entries(), 1);
    }
}

/* --- directories --- */

static char listed[256];

static void note(void *arg, const char *name)
{
    (void)arg;
    const size_t used = strlen(listed);
    (void)snprintf(listed + used, sizeof listed - used, "%s ", name);
    assert_true(is_ok(store_remove(path_of(name), NULL))); /* the directory may change */
}

static void a_list_is_sorted_and_of_regular_visible_files(void **state)
{
    (void)state;
    listed[0] = '\0';
    put("c.pem", "");
    put("a.pem", "");
    put("b.pem", "");
    put(".hidden", "");
    assert_int_equal(mkdir(path_of("directory"), 0700), 0);
    assert_int_equal(symlink("a.pem", path_of("link")), 0);
    assert_true(is_ok(store_list(dir, 10, note, NULL, NULL)));
    assert_string_equal(listed, "a.pem b.pem c.pem ");
}

static void a_list_holds_the_first_max_names(void **state)
{
    (void)state;
    static const char *const names[] = {"e", "b", "d", "a", "c"};
    listed[0] = '\0';
    for (size_t i = 0; i < COUNT_OF(names); i++)
        put(names[i], "");
    assert_true(is_ok(store_list(dir, 3, note, NULL, NULL)));
    assert_string_equal(listed, "a b c ");
    assert_true(is_ok(store_list(dir, 0, note, NULL, NULL)));
    assert_string_equal(listed, "a b c ");
}

static void a_list_of_no_directory_is_not_found(void **state)
{
    (void)state;
    assert_int_equal(store_list(path_of("none"), 3, note, NULL, NULL).code, ERR_NOT_FOUND);
}

static void directories_are_made_with_their_parents(void **state)
{
    (void)state;
    struct stat st;
    const mode_t mask = umask(0077);
    const struct result r = store_make_dir(path_of("x/y//z"), 0750, NULL);
    (void)umask(mask);
    assert_true(is_ok(r));
    assert_int_equal(stat(path_of("x/y/z"), &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_int_equal(st.st_mode & 07777, 0750);
    assert_int_equal(chmod(path_of("x/y"), 0700), 0);
    assert_true(is_ok(store_make_dir(path_of("x/y"), 0755, NULL)));
    assert_int_equal(stat(path_of("x/y"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
}

static void a_file_is_no_directory(void **state)
{
    (void)state;
    put("a", "");
    assert_int_equal(store_make_dir(path_of("a"), 0700, NULL).code, ERR_EXISTS);
    assert_true(is_err(store_make_dir(path_of("a/b"), 0700, NULL)));
    assert_int_equal(store_make_dir("", 0700, NULL).code, ERR_INVALID);
}

static void cleaning_removes_only_interrupted_writes(void **state)
{
    (void)state;
    static const char *const names[] = {"a", ".a", "a.new", ".new", ".a.new"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const int fd = open(path_of(names[i]), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(close(fd), 0);
    }
    assert_true(is_ok(store_clean(dir, NULL)));
    assert_int_equal(count_entries(), COUNT_OF(names) - 1);
    assert_int_equal(access(path_of(".a.new"), F_OK), -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_was_written_is_read),
        TEST(a_read_appends_and_a_failed_one_changes_nothing),
        TEST(the_cap_holds_for_files_that_do_not_tell_their_size),
        TEST(what_cannot_be_read_has_a_code_and_a_sentence),
        TEST(the_mode_is_set_whatever_the_umask),
        TEST(a_link_is_replaced_not_followed),
        TEST(the_temporary_file_follows_no_link),
        TEST(impossible_names_are_refused),
        TEST(removing_is_for_good_and_may_find_nothing),
        TEST(what_is_there_is_not_created_again),
        TEST(of_many_that_create_one_does),
        TEST(content_and_name_are_synced_in_their_order),
        TEST(a_kill_at_any_system_call_leaves_old_or_new),
        TEST(a_kill_while_creating_leaves_nothing_or_all),
        TEST(a_failing_system_call_leaves_the_old_and_no_rest),
        TEST(a_list_is_sorted_and_of_regular_visible_files),
        TEST(a_list_holds_the_first_max_names),
        TEST(a_list_of_no_directory_is_not_found),
        TEST(directories_are_made_with_their_parents),
        TEST(a_file_is_no_directory),
        TEST(cleaning_removes_only_interrupted_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
