#include "base/clock.h"

#include <stdio.h>
#include <string.h>

#include "base/slice.h"

#define DAY_S 86400

struct wallclock clock_judge(const struct clock_reading *r)
{
    /* No clock can be right that is before the day on which this program was built. */
    const bool plausible = r->system_s >= r->build_s;
    if (plausible && r->synchronised)
        return (struct wallclock){r->system_s, CLOCK_SET};
    if (plausible && r->system_s >= r->last_good_s)
        return (struct wallclock){r->system_s, CLOCK_FLOOR};
    if (r->last_good_s >= r->build_s)
        return (struct wallclock){r->last_good_s, CLOCK_FLOOR};
    return (struct wallclock){r->build_s, CLOCK_UNSET};
}

const char *clock_state_name(enum clock_state s)
{
    static const char *const names[] = {"unset", "floor", "set"};
    return s <= CLOCK_SET ? names[s] : "unknown";
}

/* Days since 1970-01-01, counting years from March so that the leap day is the last of its year. */
static int64_t days_from_civil(int64_t y, int m, int d)
{
    y -= m <= 2;
    const int64_t era = (y >= 0 ? y : y - 399) / 400;
    const int64_t yoe = y - era * 400;
    const int64_t doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    const int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

int64_t clock_from_utc(int year, int month, int day, int hour, int minute, int second)
{
    return days_from_civil(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second;
}

void clock_to_iso(int64_t epoch_s, char out[CLOCK_ISO_SIZE])
{
    int64_t days = epoch_s / DAY_S;
    int64_t rest = epoch_s % DAY_S;
    if (rest < 0) {
        rest += DAY_S;
        days--;
    }
    days += 719468;
    const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    const int64_t doe = days - era * 146097;
    const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    const int64_t mp = (5 * doy + 2) / 153;
    const int64_t month = mp < 10 ? mp + 3 : mp - 9;
    const int64_t year = yoe + era * 400 + (month <= 2);
    if (year < 0 || year > 9999) {
        (void)snprintf(out, CLOCK_ISO_SIZE, "%s", year < 0 ? "before year 0" : "after year 9999");
        return;
    }
    char text[64];
    (void)snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)year, (int)month,
                   (int)(doy - (153 * mp + 2) / 5 + 1), (int)(rest / 3600), (int)(rest / 60 % 60),
                   (int)(rest % 60));
    memcpy(out, text, CLOCK_ISO_SIZE - 1);
    out[CLOCK_ISO_SIZE - 1] = '\0';
}

static bool field(struct slice s, size_t at, size_t n, uint64_t low, uint64_t high, int *out)
{
    uint64_t v;
    if (at + n > s.n || !slice_to_u64(slice_of(s.p + at, n), high, &v) || v < low)
        return false;
    *out = (int)v;
    return true;
}

bool clock_from_iso(const char *text, int64_t *epoch_s)
{
    const struct slice s = slice_of_str(text);
    uint64_t plain;
    if (slice_to_u64(s, INT64_MAX, &plain)) {
        *epoch_s = (int64_t)plain;
        return true;
    }
    int y, mo, d, h = 0, mi = 0, sec = 0;
    if (!field(s, 0, 4, 0, 9999, &y) || !field(s, 5, 2, 1, 12, &mo) || !field(s, 8, 2, 1, 31, &d) ||
        s.p[4] != '-' || s.p[7] != '-')
        return false;
    if (s.n != 10 && (s.n != 20 || s.p[10] != 'T' || s.p[13] != ':' || s.p[16] != ':' ||
                      s.p[19] != 'Z' || !field(s, 11, 2, 0, 23, &h) ||
                      !field(s, 14, 2, 0, 59, &mi) || !field(s, 17, 2, 0, 60, &sec)))
        return false;
    static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    if (d > month_days[mo - 1] + (mo == 2 && leap))
        return false;
    *epoch_s = clock_from_utc(y, mo, d, h, mi, sec);
    return true;
}
