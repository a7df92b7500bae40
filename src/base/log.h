/*
 * log: one line an event, to stderr or syslog. The only global state of the daemon, because
 * everything may need to log and nothing depends on it. Not for secrets: no key, password, HA1 or
 * Authorization line ever goes in. What is no printable UTF-8 in the text is replaced by '?', so
 * that nobody outside writes our log lines.
 */
#ifndef SIPSD_BASE_LOG_H
#define SIPSD_BASE_LOG_H

#include <stdbool.h>

enum log_level {
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_NOTICE,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG
};

enum log_sink { LOG_SINK_STDERR, LOG_SINK_SYSLOG, LOG_SINK_NONE };

/* Until called: stderr, NOTICE. NAME (static storage) is syslog's ident. */
void log_open(enum log_sink sink, enum log_level level, const char *name);
void log_set_level(enum log_level level);

/* "error" ... "debug"; false (and *LEVEL untouched) for any other name. */
bool log_level_from_name(const char *name, enum log_level *level);

bool log_enabled(enum log_level level);

/* One line: "LEVEL AREA: text". AREA is the module or the account ("account 2"). At most 1 KB. */
void log_write(enum log_level level, const char *area, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(area, ...)   log_write(LOG_LEVEL_ERROR, area, __VA_ARGS__)
#define log_warning(area, ...) log_write(LOG_LEVEL_WARNING, area, __VA_ARGS__)
#define log_notice(area, ...)  log_write(LOG_LEVEL_NOTICE, area, __VA_ARGS__)
#define log_info(area, ...)    log_write(LOG_LEVEL_INFO, area, __VA_ARGS__)
#define log_debug(area, ...)                               \
    do {                                                   \
        if (log_enabled(LOG_LEVEL_DEBUG))                  \
            log_write(LOG_LEVEL_DEBUG, area, __VA_ARGS__); \
    } while (0)

#endif
