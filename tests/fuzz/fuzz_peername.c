/*
 * The name that the admin wrote, in the first line, against names in a certificate, in the lines
 * behind: what is taken is canonical, and what matches does so by every rule that it should.
 */
#include <stdlib.h>
#include <string.h>

#include "pki/ip.h"
#include "pki/peername.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_parsed(const struct peername *p)
{
    struct peername again;
    uint8_t ip[16];

    check(strlen(p->text) < sizeof p->text && p->text[0] != '\0');
    check(is_ok(peername_parse(slice_of_str(p->text), &again, NULL)));
    check(again.kind == p->kind && strcmp(again.text, p->text) == 0);
    if (p->kind == PEERNAME_IP)
        check(ip_parse(slice_of_str(p->text), ip) == p->ip_len &&
              memcmp(ip, p->ip, p->ip_len) == 0);
}

static void check_match(struct slice presented, const struct peername *want)
{
    const bool by_2818 = peername_match_dns(presented, want, PEERNAME_RFC2818);
    const bool by_9525 = peername_match_dns(presented, want, PEERNAME_RFC9525);
    const bool by_5922 = peername_match_dns(presented, want, PEERNAME_RFC5922);

    /* RFC 5922 knows no wildcards, RFC 9525 whole ones, RFC 2818 fragments too. */
    check(!by_5922 || by_9525);
    check(!by_9525 || by_2818);
    check(by_5922 == (want->kind == PEERNAME_DNS && peername_is_host(presented, false) &&
                      slice_eq_nocase_str(presented, want->text)));
    if (by_2818 && !by_5922)
        check(slice_find(presented, '*') < presented.n);
    /* No name of one label matches anything but itself. */
    if (slice_find(presented, '.') == presented.n)
        check(by_2818 == by_5922);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of(data, size);
    const struct slice first = slice_cut(&rest, '\n');
    struct peername want;
    struct slice host;
    bool secure, has_user;

    if (is_err(peername_parse(first, &want, NULL)))
        return 0;
    check_parsed(&want);
    while (rest.n > 0) {
        const struct slice line = slice_cut(&rest, '\n');
        check_match(line, &want);
        if (peername_sip_host(line, &host, &secure, &has_user))
            check(host.n > 0 && host.p >= line.p && host.p + host.n <= line.p + line.n);
    }
    return 0;
}
