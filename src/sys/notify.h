/*
 * notify: the sd_notify protocol (sd_notify(3)): datagrams to the socket that NOTIFY_SOCKET names,
 * path or abstract. Everything is a no-op where the variable is not set.
 */
#ifndef SIPSD_SYS_NOTIFY_H
#define SIPSD_SYS_NOTIFY_H

#include <stdint.h>

/* One or more "KEY=VALUE" lines: "READY=1", "STOPPING=1", "RELOADING=1\nMONOTONIC_USEC=...",
 * "STATUS=...". */
void notify_send(const char *lines);

/* Milliseconds within which the supervisor wants WATCHDOG=1 (WATCHDOG_USEC, for this pid), or 0. */
uint64_t notify_watchdog_ms(void);

#endif
