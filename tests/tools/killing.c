#include "tools/killing.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS_FORBIDDEN 100

static void must(bool done, const char *what)
{
    if (done)
        return;
    perror(what);
    abort();
}

static int wait_for(pid_t child)
{
    int status;
    must(waitpid(child, &status, 0) == child, "waitpid");
    return status;
}

static void filter_calls(const struct sock_filter *code, size_t n)
{
    const struct sock_fprog program = {.len = (unsigned short)n,
                                       .filter = (struct sock_filter *)(uintptr_t)code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(STATUS_FORBIDDEN);
}

/* All that can change what is on a disk; openat() may make a file. */
static const unsigned changes[] = {
    SYS_openat,    SYS_mkdirat,   SYS_write,     SYS_pwrite64, SYS_writev,    SYS_fsync,
    SYS_fdatasync, SYS_renameat2, SYS_unlinkat,  SYS_linkat,   SYS_symlinkat, SYS_ftruncate,
    SYS_fchmod,    SYS_fchmodat,  SYS_fallocate, SYS_flock,    SYS_utimensat,
#ifdef SYS_renameat
    SYS_renameat,
#endif
#ifdef SYS_open /* not where there are only those with a directory */
    SYS_open,      SYS_creat,     SYS_mkdir,     SYS_rename,   SYS_unlink,    SYS_rmdir,
    SYS_link,      SYS_symlink,   SYS_chmod,
#endif
};
#define CHANGES (sizeof changes / sizeof changes[0])

/* They are told to the tracer from now on, before they are done. */
static void tell_changes(void)
{
    struct sock_filter code[2 * CHANGES + 2] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
    size_t n = 1;
    for (size_t i = 0; i < CHANGES; i++) {
        code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, changes[i], 0, 1);
        code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
    }
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    filter_calls(code, n);
}

static _Noreturn void be_traced(killing_work *work, void *arg, bool only_changes)
{
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(STATUS_FORBIDDEN);
    (void)raise(SIGSTOP);
    if (only_changes)
        tell_changes();
    _exit(work(arg));
}

/* A child that is about to begin, stopped; -1 if it may not be traced. */
static pid_t start_child(killing_work *work, void *arg, bool only_changes)
{
    const pid_t child = fork();
    must(child >= 0, "fork");
    if (child == 0)
        be_traced(work, arg, only_changes);
    if (!WIFSTOPPED(wait_for(child)))
        return -1;
    must(ptrace(PTRACE_SETOPTIONS, child, NULL,
                (void *)(PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP)) == 0,
         "ptrace");
    return child;
}

static pid_t start(killing_work *work, void *arg)
{
    return start_child(work, arg, false);
}

/* To the beginning of a system call or to its end, in turn; false if the child ended, well. */
static bool next_stop(pid_t child)
{
    must(ptrace(PTRACE_SYSCALL, child, NULL, NULL) == 0, "ptrace");
    const int status = wait_for(child);
    if (WIFSTOPPED(status))
        return true;
    must(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the work was not done");
    return false;
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

bool killing_is_possible(void)
{
    const char *preload = getenv("LD_PRELOAD");
    if (preload != NULL && strstr(preload, "/vgpreload_") != NULL) {
        (void)fprintf(stderr, "SKIPPED: valgrind knows no ptrace\n");
        return false;
    }
    const pid_t child = start(nothing, NULL);
    if (child < 0) {
        (void)fprintf(stderr, "SKIPPED: ptrace is not permitted here\n");
        return false;
    }
    while (next_stop(child))
        ;
    return true;
}

bool killing_before_call(killing_work *work, void *arg, unsigned n)
{
    const pid_t child = start(work, arg);
    must(child > 0, "ptrace");
    for (unsigned stops = 0; stops < 2 * n - 1; stops++)
        if (!next_stop(child))
            return false;
    must(kill(child, SIGKILL) == 0, "kill");
    must(WIFSIGNALED(wait_for(child)), "the child outlived its end");
    return true;
}

/* To the next call that is told; false if the child ended, well. */
static bool next_change(pid_t child)
{
    must(ptrace(PTRACE_CONT, child, NULL, NULL) == 0, "ptrace");
    const int status = wait_for(child);
    if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8))
        return true;
    must(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the work was not done");
    return false;
}

bool killing_before_change(killing_work *work, void *arg, unsigned n)
{
    const pid_t child = start_child(work, arg, true);
    must(child > 0, "ptrace");
    for (unsigned i = 0; i < n; i++)
        if (!next_change(child))
            return false;
    must(kill(child, SIGKILL) == 0, "kill");
    must(WIFSIGNALED(wait_for(child)), "the child outlived its end");
    return true;
}

void killing_watch(killing_work *work, void *arg, killing_seen *seen, void *seen_arg)
{
    const pid_t child = start(work, arg);
    must(child > 0, "ptrace");
    while (next_stop(child)) {
        struct __ptrace_syscall_info info = {0};
        must(ptrace(PTRACE_GET_SYSCALL_INFO, child, (void *)sizeof info, &info) > 0, "ptrace");
        if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
            seen(seen_arg, (long)info.entry.nr);
    }
}

static void forbid(long call, int error)
{
    const struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    filter_calls(code, sizeof code / sizeof code[0]);
}

int killing_with_failing_call(killing_work *work, void *arg, long call, int error)
{
    const pid_t child = fork();
    must(child >= 0, "fork");
    if (child == 0) {
        forbid(call, error);
        _exit(work(arg));
    }
    const int status = wait_for(child);
    must(WIFEXITED(status), "the child was killed");
    return WEXITSTATUS(status);
}
