/*
 * store: files that are whole or not there. What an interruption leaves is tried at every single
 * system call: a child process makes the write under ptrace and is killed before the n-th one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/store.h"
#include "tools/unit.h"

static char dir[64];
static struct buf content;

static const char *path_of(const char *name)
{
    static char path[2][128];
    static unsigned turn;
    turn ^= 1U;
    (void)snprintf(path[turn], sizeof path[turn], "%s/%s", dir, name);
    return path[turn];
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof dir, "/tmp/test_store.XXXXXX");
    assert_non_null(mkdtemp(dir));
    buf_init(&content, 4096);
    return 0;
}

static void remove_tree(const char *path)
{
    DIR *d = opendir(path);
    const struct dirent *entry;
    if (d == NULL) {
        (void)unlink(path);
        return;
    }
    while ((entry = readdir(d)) != NULL) {
        char inner[512];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        (void)snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (unlink(inner) != 0)
            remove_tree(inner);
    }
    (void)closedir(d);
    (void)rmdir(path);
}

static int tear_down(void **state)
{
    (void)state;
    buf_free(&content);
    remove_tree(dir);
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
    unsigned n = 0;
    DIR *d = opendir(dir);
    const struct dirent *entry;
    while ((entry = readdir(d)) != NULL)
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    (void)closedir(d);
    return n;
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

/* --- interrupted --- */

static _Noreturn void write_new_in_child(void)
{
    (void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    (void)raise(SIGSTOP);
    const struct result r = store_write(path_of("a"), 0640, SLICE_LIT("new"), NULL);
    _exit(is_ok(r) ? 0 : 1);
}

/* A child that is about to write, stopped, under ptrace. */
static pid_t start_write(void)
{
    int status;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        write_new_in_child();
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSTOPPED(status));
    assert_int_equal(
        ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)(PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD)),
        0);
    return child;
}

/* To the beginning of a system call or to its end, in turn; false if the child ended, well. */
static bool next_stop(pid_t child)
{
    int status;
    assert_int_equal(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSTOPPED(status))
        return true;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    return false;
}

/* Kills the write before its N-th system call; false if it ended by itself before. */
static bool kill_write_before_call(unsigned n)
{
    int status;
    const pid_t child = start_write();
    for (unsigned stops = 0; stops < 2 * n - 1; stops++)
        if (!next_stop(child))
            return false;
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    return true;
}

/* What a power cut spares is decided by the order of these. */
static void content_and_name_are_synced_in_their_order(void **state)
{
    (void)state;
    SKIP_UNDER_VALGRIND();
    char calls[256] = "";
    const pid_t child = start_write();
    while (next_stop(child)) {
        struct __ptrace_syscall_info info = {0};
        assert_true(ptrace(PTRACE_GET_SYSCALL_INFO, child, (void *)sizeof info, &info) > 0);
        if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
            continue;
        const long call = (long)info.entry.nr;
        const char *name = call == SYS_fchmod                              ? "fchmod "
                           : call == SYS_write                             ? "write "
                           : call == SYS_fsync                             ? "fsync "
                           : call == SYS_renameat || call == SYS_renameat2 ? "rename "
                                                                           : "";
        const size_t used = strlen(calls);
        (void)snprintf(calls + used, sizeof calls - used, "%s", name);
    }
    assert_string_equal(calls, "fchmod write fsync rename fsync ");
}

static void a_kill_at_any_system_call_leaves_old_or_new(void **state)
{
    (void)state;
    SKIP_UNDER_VALGRIND();
    unsigned old_ones = 0, new_ones = 0, n = 1;
    for (bool killed = true; killed; n++) {
        put("a", "old");
        killed = kill_write_before_call(n);
        const bool is_old = holds("a", "old");
        assert_true(is_old || holds("a", "new"));
        old_ones += is_old;
        new_ones += !is_old;
        assert_true(is_ok(store_clean(dir, NULL)));
        assert_int_equal(count_entries(), 1);
    }
    assert_true(n > 8);        /* it was not over before it began */
    assert_true(old_ones > 5); /* open, open, fchmod, write, fsync, close, rename */
    assert_true(new_ones > 1); /* fsync of the directory, close, and undisturbed */
}

/* The child's calls of number CALL fail with ERROR. */
static void forbid(long call, int error)
{
    const struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = COUNT_OF(code),
                                       .filter = (struct sock_filter *)(uintptr_t)code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(100);
}

static int write_with_failing_call(long call, int error)
{
    int status;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct errinfo e = ERRINFO_INIT;
        forbid(call, error);
        const struct result r = store_write(path_of("a"), 0600, SLICE_LIT("new"), &e);
        _exit(is_ok(r) ? 0 : e.native == error ? 1 : 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
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
        put("a", "old");
        assert_int_equal(write_with_failing_call(cases[i].call, cases[i].error), 1);
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
        TEST(content_and_name_are_synced_in_their_order),
        TEST(a_kill_at_any_system_call_leaves_old_or_new),
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
