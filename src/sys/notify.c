#include "sys/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/slice.h"

/* The address's length, or 0 for one that is neither a path nor an abstract name. */
static socklen_t address(const char *name, struct sockaddr_un *at)
{
    const size_t n = strlen(name);
    if ((name[0] != '/' && name[0] != '@') || n < 2 || n >= sizeof at->sun_path)
        return 0;
    *at = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(at->sun_path, name, n);
    if (name[0] == '@')
        at->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
}

void notify_send(const char *lines)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un at;
    if (name == NULL || name[0] == '\0')
        return;
    const socklen_t size = address(name, &at);
    if (size == 0) {
        log_warning("notify", "NOTIFY_SOCKET is neither a path nor an abstract name: '%s'", name);
        return;
    }
    /* It never waits: a supervisor that does not read must not stop the phone's calls. */
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 ||
        sendto(fd, lines, strlen(lines), MSG_NOSIGNAL, (const struct sockaddr *)&at, size) < 0)
        log_warning("notify", "the supervisor cannot be told: %s", strerror(errno));
    if (fd >= 0)
        (void)close(fd);
}

static bool number_in(const char *variable, uint64_t *out)
{
    return slice_to_u64(slice_of_str(getenv(variable)), UINT64_MAX, out);
}

uint64_t notify_watchdog_ms(void)
{
    uint64_t usec, pid;
    if (!number_in("WATCHDOG_USEC", &usec))
        return 0;
    if (getenv("WATCHDOG_PID") != NULL &&
        (!number_in("WATCHDOG_PID", &pid) || pid != (uint64_t)getpid()))
        return 0;
    return usec / 1000;
}
