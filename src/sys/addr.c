#include "sys/addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/slice.h"

static bool parse_zone(const char *zone, uint32_t *scope)
{
    uint64_t number;
    *scope = if_nametoindex(zone);
    if (*scope == 0 && slice_to_u64(slice_of_str(zone), UINT32_MAX, &number))
        *scope = (uint32_t)number;
    return *scope != 0;
}

static bool parse_ipv6(char *host, struct addr *a)
{
    char *percent = strchr(host, '%');
    if (percent != NULL)
        *percent = '\0';
    a->family = 6;
    return inet_pton(AF_INET6, host, a->bytes) == 1 &&
           (percent == NULL || parse_zone(percent + 1, &a->scope));
}

bool addr_parse(const char *text, uint16_t port, struct addr *out)
{
    struct addr a = {.family = 4, .port = port};
    char host[ADDR_TEXT_SIZE];
    struct slice s = slice_of_str(text);

    const bool bracketed = s.n >= 2 && s.p[0] == '[' && s.p[s.n - 1] == ']';
    if (bracketed)
        s = slice_of(s.p + 1, s.n - 2);
    if (!slice_to_str(s, host, sizeof host))
        return false;
    if ((bracketed || inet_pton(AF_INET, host, a.bytes) != 1) && !parse_ipv6(host, &a))
        return false;
    *out = a;
    return true;
}

bool addr_same_host(const struct addr *a, const struct addr *b)
{
    const size_t n = a->family == 4 ? 4 : 16;
    return a->family == b->family && (a->family == 0 || memcmp(a->bytes, b->bytes, n) == 0) &&
           a->scope == b->scope;
}

bool addr_eq(const struct addr *a, const struct addr *b)
{
    return addr_same_host(a, b) && a->port == b->port;
}

void addr_format_host(const struct addr *a, char out[ADDR_TEXT_SIZE])
{
    out[0] = '\0';
    if (a->family == 0)
        return;
    (void)inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->bytes, out, ADDR_TEXT_SIZE);
    const size_t used = strlen(out);
    if (a->scope != 0)
        (void)snprintf(out + used, ADDR_TEXT_SIZE - used, "%%%u", (unsigned)a->scope);
}

void addr_format(const struct addr *a, char out[ADDR_TEXT_SIZE])
{
    char host[ADDR_TEXT_SIZE];
    addr_format_host(a, host);
    const int room = ADDR_TEXT_SIZE - (int)sizeof "[]:65535";
    if (a->family == 0)
        out[0] = '\0';
    else if (a->family == 4)
        (void)snprintf(out, ADDR_TEXT_SIZE, "%.*s:%u", room, host, (unsigned)a->port);
    else
        (void)snprintf(out, ADDR_TEXT_SIZE, "[%.*s]:%u", room, host, (unsigned)a->port);
}

unsigned addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (a->family == 4) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons(a->port);
        memcpy(&in->sin_addr, a->bytes, sizeof in->sin_addr);
        return sizeof *in;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(a->port);
    in6->sin6_scope_id = a->scope;
    memcpy(&in6->sin6_addr, a->bytes, sizeof in6->sin6_addr);
    return sizeof *in6;
}

struct addr addr_from_sockaddr(const struct sockaddr *sa)
{
    struct addr a = {0};
    if (sa->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
        a.family = 4;
        a.port = ntohs(in->sin_port);
        memcpy(a.bytes, &in->sin_addr, sizeof in->sin_addr);
    } else if (sa->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
        a.family = 6;
        a.port = ntohs(in6->sin6_port);
        a.scope = in6->sin6_scope_id;
        memcpy(a.bytes, &in6->sin6_addr, sizeof in6->sin6_addr);
    }
    return a;
}
