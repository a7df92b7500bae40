/*
 * killat: runs a program and kills it before the N-th system call with which it changes something
 * below a directory: what a power cut leaves there, at every step.
 *
 *     killat --below DIR --count FILE [--when FILE] [--before N] PROGRAM [ARGUMENT]...
 *
 * Counted are the calls that make, write, sync, rename or remove files below DIR, from when the
 * file of --when is there. How many those were is written to the file of --count in the end. By
 * ptrace: only the program's first thread is looked at. Its exit status is the program's; 137 if it
 * was killed, 77 where tracing is not allowed.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS_FORBIDDEN 77
#define STATUS_KILLED    137
#define PATH_SIZE        4096

struct job {
    char *below;
    const char *count, *when;
    unsigned before; /* 0: never */
    unsigned counted;
    pid_t child;
};

static pid_t signalled; /* the child, for the handler */

static _Noreturn void die(const char *what)
{
    perror(what);
    exit(1);
}

static void pass_on(int signum)
{
    (void)kill(signalled, signum);
}

/* --- what a call is about --- */

static bool is_below(const struct job *j, const char *path)
{
    const size_t n = strlen(j->below);
    return strncmp(path, j->below, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* What FD of the child is, or "". */
static void fd_path(const struct job *j, int fd, char path[PATH_SIZE])
{
    char link[64];
    if (fd == AT_FDCWD)
        (void)snprintf(link, sizeof link, "/proc/%d/cwd", (int)j->child);
    else
        (void)snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)j->child, fd);
    const ssize_t n = readlink(link, path, PATH_SIZE - 1);
    path[n > 0 ? n : 0] = '\0';
}

static bool fd_is_below(const struct job *j, int fd)
{
    char path[PATH_SIZE];
    fd_path(j, fd, path);
    return is_below(j, path);
}

/* Reads no further than the end of the page, beyond which there may be nothing. */
static bool path_is_below(const struct job *j, int dir, uint64_t address)
{
    char path[PATH_SIZE] = "", whole[2 * PATH_SIZE];
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t n = 0; n < sizeof path - 1;) {
        size_t want = page - (address + n) % page;
        if (want > sizeof path - 1 - n)
            want = sizeof path - 1 - n;
        const struct iovec to = {path + n, want};
        const struct iovec from = {(void *)(uintptr_t)(address + n), want};
        if (process_vm_readv(j->child, &to, 1, &from, 1, 0) != (ssize_t)want)
            break;
        if (memchr(path + n, '\0', want) != NULL)
            break;
        n += want;
    }
    path[sizeof path - 1] = '\0';
    if (path[0] == '/')
        return is_below(j, path);
    fd_path(j, dir, whole);
    const size_t n = strlen(whole);
    (void)snprintf(whole + n, sizeof whole - n, "/%s", path);
    return is_below(j, whole);
}

static bool opens_to_change(uint64_t flags)
{
    return (flags & (O_CREAT | O_TRUNC | O_WRONLY | O_RDWR)) != 0;
}

/* Whether the call changes something below the directory. */
static bool is_change(const struct job *j, uint64_t nr, const uint64_t *args)
{
    switch (nr) {
    case SYS_openat:
        return opens_to_change(args[2]) && path_is_below(j, (int)args[0], args[1]);
    case SYS_write:
    case SYS_writev:
    case SYS_pwrite64:
    case SYS_fsync:
    case SYS_fdatasync:
    case SYS_ftruncate:
    case SYS_fchmod:
    case SYS_fchown:
        return fd_is_below(j, (int)args[0]);
    case SYS_unlinkat:
    case SYS_mkdirat:
    case SYS_fchmodat:
        return path_is_below(j, (int)args[0], args[1]);
#ifdef SYS_renameat
    case SYS_renameat:
#endif
    case SYS_renameat2:
    case SYS_linkat:
        return path_is_below(j, (int)args[2], args[3]);
#ifdef SYS_open
    case SYS_open:
        return opens_to_change(args[1]) && path_is_below(j, AT_FDCWD, args[0]);
#endif
#ifdef SYS_unlink
    case SYS_unlink:
    case SYS_rmdir:
    case SYS_mkdir:
    case SYS_chmod:
        return path_is_below(j, AT_FDCWD, args[0]);
#endif
#ifdef SYS_rename
    case SYS_rename:
    case SYS_link:
        return path_is_below(j, AT_FDCWD, args[1]);
#endif
    default:
        return false;
    }
}

/* --- the run --- */

/* At the beginning of a call: whether the end has come. */
static bool counts_and_ends(struct job *j)
{
    struct __ptrace_syscall_info info = {0};
    if (ptrace(PTRACE_GET_SYSCALL_INFO, j->child, (void *)sizeof info, &info) <= 0)
        die("PTRACE_GET_SYSCALL_INFO");
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY ||
        !is_change(j, info.entry.nr, (const uint64_t *)info.entry.args) ||
        (j->when != NULL && access(j->when, F_OK) != 0))
        return false;
    return ++j->counted == j->before;
}

static int wait_for(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) != child)
        if (errno != EINTR)
            die("waitpid");
    return status;
}

/* Until the next stop; what the status then means for the child is its next signal. */
static int go_on(struct job *j, int sig)
{
    if (ptrace(PTRACE_SYSCALL, j->child, NULL, (void *)(uintptr_t)sig) != 0 && errno != ESRCH)
        die("PTRACE_SYSCALL");
    return wait_for(j->child);
}

static int watch(struct job *j)
{
    int status = go_on(j, 0);
    while (WIFSTOPPED(status)) {
        int sig = WSTOPSIG(status);
        if (sig == (SIGTRAP | 0x80)) {
            if (counts_and_ends(j)) {
                (void)kill(j->child, SIGKILL);
                status = wait_for(j->child);
                break;
            }
            sig = 0;
        } else if (status >> 16 != 0) { /* it has become the program */
            sig = 0;
        }
        status = go_on(j, sig);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_KILLED;
}

static _Noreturn void become(char **argv)
{
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(STATUS_FORBIDDEN);
    (void)raise(SIGSTOP);
    (void)execvp(argv[0], argv);
    die(argv[0]);
}

static int run(struct job *j, char **argv)
{
    const struct sigaction action = {.sa_handler = pass_on};
    j->child = signalled = fork();
    if (j->child < 0)
        die("fork");
    if (j->child == 0)
        become(argv);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGHUP, &action, NULL);
    if (!WIFSTOPPED(wait_for(j->child)))
        return STATUS_FORBIDDEN;
    if (ptrace(PTRACE_SETOPTIONS, j->child, NULL,
               (void *)(PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC)) != 0)
        die("PTRACE_SETOPTIONS");
    return watch(j);
}

static void write_count(const struct job *j)
{
    FILE *f = fopen(j->count, "w");
    if (f == NULL || fprintf(f, "%u\n", j->counted) < 0 || fclose(f) != 0)
        die(j->count);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"below", required_argument, NULL, 'd'},
                                            {"count", required_argument, NULL, 'c'},
                                            {"when", required_argument, NULL, 'w'},
                                            {"before", required_argument, NULL, 'n'},
                                            {NULL, 0, NULL, 0}};
    struct job j = {.below = NULL};
    int c;
    while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        if (c == 'd')
            j.below = realpath(optarg, NULL);
        else if (c == 'c')
            j.count = optarg;
        else if (c == 'w')
            j.when = optarg;
        else if (c == 'n')
            j.before = (unsigned)strtoul(optarg, NULL, 10);
    }
    if (j.below == NULL || j.count == NULL || optind == argc) {
        free(j.below);
        (void)fputs("usage: killat --below DIR --count FILE [--when FILE] [--before N] PROGRAM "
                    "[ARGUMENT]...\n",
                    stderr);
        return 2;
    }
    const int status = run(&j, argv + optind);
    write_count(&j);
    free(j.below);
    return status;
}
