/*
 * killing: runs a piece of work in a child process that can be killed between any two of its system
 * calls, or whose calls can be made to fail: what a crash or a full disk leaves behind, at every
 * step.
 *
 * By ptrace, of a process by its own parent, which an ordinary user may do, and root in a
 * container. Where it is forbidden all the same, or under valgrind, killing_is_possible() says so.
 * What goes wrong in here itself ends the process.
 */
#ifndef SIPSD_TESTS_TOOLS_KILLING_H
#define SIPSD_TESTS_TOOLS_KILLING_H

#include <stdbool.h>
#include <stddef.h>

/* Returns 0 if it was done. */
typedef int killing_work(void *arg);

/* Whether it works here; if not, says so on standard error. */
bool killing_is_possible(void);

/* Kills WORK(ARG) before its N-th system call, from 1. False if it ended by itself before that;
 * it must have been done then. */
bool killing_before_call(killing_work *work, void *arg, unsigned n);

/* The same, counting only the calls that can change a file system: what is between two of them
 * leaves the same behind, and long work is done with in reasonable time. */
bool killing_before_change(killing_work *work, void *arg, unsigned n);

/* Runs WORK(ARG) undisturbed and calls SEEN with the number of each of its system calls. */
typedef void killing_seen(void *arg, long call);
void killing_watch(killing_work *work, void *arg, killing_seen *seen, void *seen_arg);

/* WORK(ARG), in a child all of whose calls of that number fail with ERROR; what it returned. */
int killing_with_failing_call(killing_work *work, void *arg, long call, int error);

#endif
