#include "base/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "base/utf8.h"

#define LINE_MAX_BYTES 1024

static struct {
    enum log_sink sink;
    enum log_level level;
} state = {LOG_SINK_STDERR, LOG_LEVEL_NOTICE};

static const struct {
    const char *name;
    int priority;
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error", LOG_ERR},      [LOG_LEVEL_WARNING] = {"warning", LOG_WARNING},
    [LOG_LEVEL_NOTICE] = {"notice", LOG_NOTICE}, [LOG_LEVEL_INFO] = {"info", LOG_INFO},
    [LOG_LEVEL_DEBUG] = {"debug", LOG_DEBUG},
};

void log_open(enum log_sink sink, enum log_level level, const char *name)
{
    state.sink = sink;
    state.level = level;
    if (sink == LOG_SINK_SYSLOG)
        openlog(name, LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

void log_set_level(enum log_level level)
{
    state.level = level;
}

bool log_level_from_name(const char *name, enum log_level *level)
{
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (strcmp(name, levels[i].name) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    return false;
}

bool log_enabled(enum log_level level)
{
    return state.sink != LOG_SINK_NONE && level <= state.level;
}

void log_write(enum log_level level, const char *area, const char *fmt, ...)
{
    if (!log_enabled(level))
        return;
    char raw[LINE_MAX_BYTES + 4]; /* one more character: see where the last that fits ends */
    char line[LINE_MAX_BYTES];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    utf8_clean(slice_of_str(raw), line, sizeof line);
    if (state.sink == LOG_SINK_SYSLOG)
        syslog(levels[level].priority, "%s: %s", area, line);
    else
        (void)fprintf(stderr, "%-7s %s: %s\n", levels[level].name, area, line);
}
