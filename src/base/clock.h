/*
 * clock: what is known about the time of day, and how sure that is.
 *
 * A phone without a battery-backed clock starts in 1970, or at its firmware's build date, until NTP
 * has answered. Certificates must not be refused as "not yet valid" then, nor expired ones accepted
 * for ever. So the wall clock has three states, and dates are judged against the best lower bound:
 *
 *   UNSET  The system's clock is before the build date, so it was never set. The lower bound is the
 *          build date; there is no upper bound.
 *   FLOOR  The time is plausible, but nobody vouches for it. It is the system's clock, or the last
 *          known good time, kept on flash, where the clock is behind that.
 *   SET    The kernel says that the clock is synchronised, and it is not before the build date.
 *
 * Where nothing tells the kernel (containers, an SNTP client that only steps the clock) the state
 * stays FLOOR for good. Its epoch is the system's clock then: dates are judged as with SET, and
 * what FLOOR adds is that "not yet valid" may be the clock's fault.
 *
 * A synchronised clock is believed even where it is behind the last known good time: NTP steps
 * back, and a time that was kept while the clock was wrong must not outlive the mistake.
 *
 * Pure: the readings are passed in (sys/wallclock.h takes them).
 */
#ifndef SIPSD_BASE_CLOCK_H
#define SIPSD_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum clock_state { CLOCK_UNSET, CLOCK_FLOOR, CLOCK_SET };

/* A moment as far as it is known; a value type. */
struct wallclock {
    int64_t epoch_s; /* SET: the time. Else: the best lower bound of the time */
    enum clock_state state;
};

struct clock_reading {
    int64_t system_s;    /* CLOCK_REALTIME, seconds since 1970 */
    int64_t build_s;     /* when this firmware was built */
    int64_t last_good_s; /* the last known good time from flash, or 0 */
    bool synchronised;   /* the kernel's word (no STA_UNSYNC), or a setting that says to trust the
                            clock */
};

struct wallclock clock_judge(const struct clock_reading *r);

/* "unset", "floor", "set". */
const char *clock_state_name(enum clock_state s);

/*
 * Seconds since 1970 as "YYYY-MM-DDTHH:MM:SSZ" into OUT (21 bytes), for years 0 to 9999; and back,
 * from that form or from plain decimal seconds. Proleptic Gregorian, no leap seconds, no time zone.
 */
#define CLOCK_ISO_SIZE 21
void clock_to_iso(int64_t epoch_s, char out[CLOCK_ISO_SIZE]);
bool clock_from_iso(const char *text, int64_t *epoch_s);

/* Seconds since 1970 of a UTC date and time (month 1 to 12); the fields must be in range. */
int64_t clock_from_utc(int year, int month, int day, int hour, int minute, int second);

#endif
