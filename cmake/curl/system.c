/* What curl gets from here instead of from the C library; see curl_config.h. */
#include <errno.h>
#include <netdb.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

uint32_t sipsd_curl_random(void);
int sipsd_curl_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                           struct addrinfo **out);

uint32_t sipsd_curl_random(void)
{
    uint32_t value;

    while (getrandom(&value, sizeof value, 0) != (ssize_t)sizeof value)
        if (errno != EINTR)
            abort(); /* no kernel that the daemon runs on lacks it */
    return value;
}

int sipsd_curl_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                           struct addrinfo **out)
{
    (void)host;
    (void)port;
    (void)hints;
    (void)out;
    return EAI_FAIL;
}
