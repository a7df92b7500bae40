/*
 * generation, interrupted: a write that is killed between any two of its system calls, for which a
 * call fails, or the disk is full, leaves the old generation or the new one, whole; and the next
 * write works, and leaves no rubbish.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "sys/generation.h"
#include "tools/killing.h"
#include "tools/tempdir.h"
#include "tools/unit.h"

#define OLD "a=old b=old c=old "
#define NEW "b=new c=new d=new "

static char dir[TEMPDIR_SIZE];
static char text[256];

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

static void collect(void *arg, const char *name, struct slice content, const struct errinfo *damage)
{
    (void)arg;
    const size_t used = strlen(text);
    if (damage != NULL)
        (void)snprintf(text + used, sizeof text - used, "%s damaged: %s ", name, damage->text);
    else
        (void)snprintf(text + used, sizeof text - used, "%s=%.*s ", name, (int)content.n,
                       (const char *)content.p);
}

static const char *what_counts(void)
{
    uint64_t number;
    text[0] = '\0';
    assert_true(is_ok(generation_read(dir, collect, NULL, &number, NULL)));
    return text;
}

static struct result write_three(const char *const names[3], const char *content, struct errinfo *e)
{
    struct generation_file files[3];
    for (size_t i = 0; i < 3; i++)
        files[i] = (struct generation_file){names[i], slice_of_str(content)};
    return generation_write(dir, files, 3, NULL, e);
}

static void write_old(void)
{
    static const char *const names[] = {"a", "b", "c"};
    assert_true(is_ok(write_three(names, "old", NULL)));
}

/* 0: done; 1: failed with *ERROR, which may be NULL; 2: otherwise. */
static int write_new(void *error)
{
    static const char *const names[] = {"b", "c", "d"};
    struct errinfo e = ERRINFO_INIT;
    if (is_ok(write_three(names, "new", &e)))
        return 0;
    return error != NULL && e.native == *(const int *)error ? 1 : 2;
}

static bool is_old(void)
{
    const char *now = what_counts();
    if (strcmp(now, OLD) != 0 && strcmp(now, NEW) != 0)
        fail_msg("neither the old nor the new: %s", now);
    return strcmp(now, OLD) == 0;
}

static void assert_next_write_leaves_two(void)
{
    write_old();
    assert_string_equal(what_counts(), OLD);
    assert_int_equal(tempdir_count(tempdir_path(dir, "generations")), 2);
    assert_int_equal(tempdir_count(dir), 1); /* nothing was taken for damaged */
}

/* --- killed --- */

static void a_kill_at_any_system_call_leaves_old_or_new(void **state)
{
    (void)state;
    unsigned old_ones = 0, new_ones = 0, n = 1;
    if (!killing_is_possible())
        skip();
    for (bool killed = true; killed; n++) {
        write_old(); /* three generations at least, so that one is removed, too */
        write_old();
        killed = killing_before_call(write_new, NULL, n);
        const bool old = is_old();
        assert_true(killed || !old);
        old_ones += old;
        new_ones += !old;
        assert_next_write_leaves_two();
    }
    print_message("killed before each of %u system calls: %u times the old, %u times the new\n",
                  n - 1, old_ones, new_ones);
    assert_true(old_ones > 20); /* three files: open, fchmod, two writes, fsync, close */
    assert_true(new_ones > 20); /* looking for damage, removing the oldest */
}

static void a_kill_at_any_system_call_of_the_first_write_leaves_nothing_or_all(void **state)
{
    (void)state;
    unsigned n = 1;
    if (!killing_is_possible())
        skip();
    for (bool killed = true; killed; n++) {
        killed = killing_before_call(write_new, NULL, n);
        const char *now = what_counts();
        assert_true(strcmp(now, "") == 0 || strcmp(now, NEW) == 0);
        assert_true(is_ok(generation_clean(dir, NULL)));
        assert_true(tempdir_count(tempdir_path(dir, "generations")) <= 1);
        assert_int_equal(tempdir_count_hidden(tempdir_path(dir, "generations")), 0);
        tempdir_remove(dir);
        assert_int_equal(mkdir(dir, 0700), 0);
    }
    assert_true(n > 20);
}

static void a_cleaning_that_is_killed_can_be_done_again(void **state)
{
    (void)state;
    if (!killing_is_possible())
        skip();
    for (unsigned n = 15; n < 40; n += 5) {
        write_old();
        (void)killing_before_call(write_new, NULL, n);
        assert_true(is_ok(generation_clean(dir, NULL)));
        assert_int_equal(tempdir_count_hidden(tempdir_path(dir, "generations")), 0);
        (void)is_old();
    }
}

static void note_call(void *calls, long call)
{
    const char *name = call == SYS_mkdirat                             ? "mkdir "
                       : call == SYS_write                             ? "write "
                       : call == SYS_fsync                             ? "fsync "
                       : call == SYS_renameat || call == SYS_renameat2 ? "rename "
                       : call == SYS_unlinkat                          ? "unlink "
                                                                       : "";
    const size_t used = strlen(calls);
    (void)snprintf((char *)calls + used, 512 - used, "%s", name);
}

/* What a power cut spares is decided by the order of these. */
static void content_and_names_are_synced_in_their_order(void **state)
{
    (void)state;
    char calls[512] = "";
    if (!killing_is_possible())
        skip();
    write_old();
    write_old();
    killing_watch(write_new, NULL, note_call, calls);
    assert_string_equal(calls, "mkdir " /* "generations", which is there */
                               "mkdir write write fsync write write fsync write write fsync "
                               "fsync rename fsync " /* now it counts */
                               "rename unlink unlink unlink unlink unlink " /* the oldest goes */);
}

/* --- failing --- */

static void a_failing_system_call_leaves_the_old_and_no_rest(void **state)
{
    (void)state;
    SKIP_UNDER_VALGRIND();
    static const struct {
        long call;
        int error;
    } cases[] = {{SYS_mkdirat, ENOSPC}, {SYS_mkdirat, EROFS}, {SYS_openat, EMFILE},
                 {SYS_flock, EBADF},    {SYS_fchmod, EPERM},  {SYS_write, ENOSPC},
                 {SYS_write, EDQUOT},   {SYS_fsync, EIO},     {SYS_renameat, ENOSPC}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int error = cases[i].error;
        write_old();
        assert_int_equal(killing_with_failing_call(write_new, &error, cases[i].call, error), 1);
        assert_string_equal(what_counts(), OLD);
        assert_int_equal(tempdir_count_hidden(tempdir_path(dir, "generations")), 0);
        assert_next_write_leaves_two();
    }
}

/* --- full --- */

/* The child's files cannot grow past BYTES. */
static int write_new_limited(void *bytes)
{
    int error = EFBIG;
    const struct rlimit limit = {*(rlim_t *)bytes, *(rlim_t *)bytes};
    (void)signal(SIGXFSZ, SIG_IGN);
    return setrlimit(RLIMIT_FSIZE, &limit) == 0 ? write_new(&error) : 100;
}

static void a_file_size_limit_leaves_the_old(void **state)
{
    (void)state;
    for (rlim_t bytes = 0; bytes < 100; bytes += 7) {
        int status;
        write_old();
        const pid_t child = fork();
        if (child == 0)
            _exit(write_new_limited(&bytes));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        const bool fits = bytes >= 77; /* the line of the hash and "new" */
        assert_int_equal(WEXITSTATUS(status), fits ? 0 : 1);
        assert_string_equal(what_counts(), fits ? NEW : OLD);
        assert_int_equal(tempdir_count_hidden(tempdir_path(dir, "generations")), 0);
    }
}

/* A file system of our own on DIR, which nobody else sees. */
static bool mount_small(const char *options)
{
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return false;
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", dir, "tmpfs", 0, options) == 0;
}

/* Fills the disk, or its table of files, but for SPARE pages or files. */
static void fill_up(unsigned spare, bool pages)
{
    static const uint8_t page[4096] = {1};
    char name[64];
    unsigned n = 0;
    const int fd = open(tempdir_path(dir, "ballast"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    while (pages && write(fd, page, sizeof page) == (ssize_t)sizeof page)
        n++;
    assert_true(!pages || ftruncate(fd, (off_t)(n > spare ? n - spare : 0) * 4096) == 0);
    assert_int_equal(close(fd), 0);
    for (n = 0; !pages; n++) {
        (void)snprintf(name, sizeof name, "ballast%u", n);
        const int one = open(tempdir_path(dir, name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (one < 0)
            break;
        assert_int_equal(close(one), 0);
    }
    for (; !pages && n > 0 && spare > 0; n--, spare--) {
        (void)snprintf(name, sizeof name, "ballast%u", n - 1);
        assert_int_equal(unlink(tempdir_path(dir, name)), 0);
    }
}

static void remove_ballast(void)
{
    char name[64];
    (void)unlink(tempdir_path(dir, "ballast"));
    for (unsigned n = 0; n < 100; n++) {
        (void)snprintf(name, sizeof name, "ballast%u", n);
        (void)unlink(tempdir_path(dir, name));
    }
}

/* Until there is room enough; returns how often there was not. */
static unsigned fill_and_write(bool pages)
{
    int error = ENOSPC;
    unsigned refused = 0;
    for (unsigned spare = 0;; spare++) {
        write_old();
        write_old();
        fill_up(spare, pages);
        const int done = write_new(&error);
        assert_true(done == 0 || done == 1);
        assert_int_equal(is_old(), done == 1);
        assert_int_equal(tempdir_count_hidden(tempdir_path(dir, "generations")), 0);
        remove_ballast();
        if (done == 0)
            return refused;
        refused++;
    }
}

static _Noreturn void try_full_disk(void)
{
    if (!mount_small("size=128k,nr_inodes=40"))
        _exit(77);
    const unsigned pages = fill_and_write(true);
    const unsigned files = fill_and_write(false);
    print_message("refused with 0 to %u free pages, and with 0 to %u free files\n", pages - 1,
                  files - 1);
    _exit(pages >= 3 && files >= 4 ? 0 : 1);
}

static void a_full_disk_leaves_the_old(void **state)
{
    (void)state;
    SKIP_UNDER_VALGRIND();
    int status;
    const pid_t child = fork();
    if (child == 0)
        try_full_disk();
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        print_error("SKIPPED: no file system can be mounted here\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_kill_at_any_system_call_leaves_old_or_new),
        TEST(a_kill_at_any_system_call_of_the_first_write_leaves_nothing_or_all),
        TEST(a_cleaning_that_is_killed_can_be_done_again),
        TEST(content_and_names_are_synced_in_their_order),
        TEST(a_failing_system_call_leaves_the_old_and_no_rest),
        TEST(a_file_size_limit_leaves_the_old),
        TEST(a_full_disk_leaves_the_old),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
