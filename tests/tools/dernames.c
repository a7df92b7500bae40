#include "tools/dernames.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"

static _Noreturn void die(const char *what, const char *about)
{
    fprintf(stderr, "dernames: %s: %s\n", what, about);
    abort();
}

/* The next byte of TEXT, "\41" and "\," undone; false at its end or at one of the bytes STOP. */
static bool next_byte(const char **text, const char *stop, uint8_t *out)
{
    const char *t = *text;

    if (*t == '\0' || strchr(stop, *t) != NULL)
        return false;
    if (*t != '\\') {
        *out = (uint8_t)*t;
        *text = t + 1;
        return true;
    }
    if (ascii_hex((uint8_t)t[1]) >= 0 && ascii_hex((uint8_t)t[2]) >= 0) {
        *out = (uint8_t)(ascii_hex((uint8_t)t[1]) << 4 | ascii_hex((uint8_t)t[2]));
        *text = t + 3;
        return true;
    }
    if (t[1] == '\0')
        die("a backslash at the end", t);
    *out = (uint8_t)t[1];
    *text = t + 2;
    return true;
}

static void put_text(struct der *d, const char **text, const char *stop)
{
    uint8_t byte;

    while (next_byte(text, stop, &byte))
        der_raw(d, slice_of(&byte, 1));
}

static void put_attribute(struct der *d, const char **text)
{
    static const struct {
        const char *name, *oid;
        uint8_t tag;
    } types[] = {
        {"CN", "2.5.4.3", DER_UTF8_STRING},
        {"O", "2.5.4.10", DER_UTF8_STRING},
        {"OU", "2.5.4.11", DER_UTF8_STRING},
        {"L", "2.5.4.7", DER_UTF8_STRING},
        {"ST", "2.5.4.8", DER_UTF8_STRING},
        {"C", "2.5.4.6", DER_PRINTABLE_STRING},
        {"serialNumber", "2.5.4.5", DER_PRINTABLE_STRING},
        {"DC", "0.9.2342.19200300.100.1.25", DER_IA5_STRING},
        {"UID", "0.9.2342.19200300.100.1.1", DER_UTF8_STRING},
        {"emailAddress", "1.2.840.113549.1.9.1", DER_IA5_STRING},
    };
    size_t name = strcspn(*text, "=");

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        size_t attribute, value;

        if (strlen(types[i].name) != name || memcmp(types[i].name, *text, name) != 0)
            continue;
        *text += name + 1;
        attribute = der_open(d, DER_SEQUENCE);
        der_oid(d, types[i].oid);
        value = der_open(d, types[i].tag);
        put_text(d, text, ",+");
        der_close(d, value);
        der_close(d, attribute);
        return;
    }
    die("no such attribute", *text);
}

void der_name(struct der *d, const char *text)
{
    size_t name = der_open(d, DER_SEQUENCE);

    while (text != NULL && *text != '\0') {
        size_t rdn = der_open(d, DER_SET);

        put_attribute(d, &text);
        while (*text == '+') {
            text++;
            put_attribute(d, &text);
        }
        der_close(d, rdn);
        if (*text == ',')
            text++;
    }
    der_close(d, name);
}

static void put_ip(struct der *d, const char **text)
{
    struct der literal = {0};
    uint8_t ip[16];
    const uint8_t nul = 0;

    put_text(&literal, text, " ");
    der_raw(&literal, slice_of(&nul, 1));
    if (inet_pton(AF_INET, (const char *)literal.p, ip) == 1)
        der_put(d, DER_CONTEXT(7), slice_of(ip, 4));
    else if (inet_pton(AF_INET6, (const char *)literal.p, ip) == 1)
        der_put(d, DER_CONTEXT(7), slice_of(ip, 16));
    else
        die("not an IP address", (const char *)literal.p);
    der_free(&literal);
}

void der_general_names(struct der *d, const char *text)
{
    static const struct {
        const char *prefix;
        uint8_t tag;
    } kinds[] = {
        {"email:", DER_CONTEXT(1)},
        {"DNS:", DER_CONTEXT(2)},
        {"URI:", DER_CONTEXT(6)},
    };
    size_t names = der_open(d, DER_SEQUENCE);

    while (*text != '\0') {
        bool known = false;

        if (strncmp(text, "IP:", 3) == 0) {
            text += 3;
            put_ip(d, &text);
            known = true;
        }
        for (size_t i = 0; !known && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
            size_t prefix = strlen(kinds[i].prefix);
            size_t name;

            if (strncmp(text, kinds[i].prefix, prefix) != 0)
                continue;
            text += prefix;
            name = der_open(d, kinds[i].tag);
            put_text(d, &text, " ");
            der_close(d, name);
            known = true;
        }
        if (!known)
            die("not a DNS:, IP:, URI: or email: name", text);
        while (*text == ' ')
            text++;
    }
    der_close(d, names);
}
