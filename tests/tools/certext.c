#include "tools/certext.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/dernames.h"

/* What was written, so that it is never lost. */
static struct kept {
    struct kept *next;
    struct der value;
} * all;

static struct testpki_ext extension(const char *oid, const struct der *d)
{
    struct kept *k = malloc(sizeof *k);

    if (k == NULL)
        abort();
    *k = (struct kept){all, *d};
    all = k;
    return (struct testpki_ext){oid, true, der_slice(&k->value)};
}

/* As testpki forgets its certificates. */
__attribute__((destructor)) static void forget_all(void)
{
    while (all != NULL) {
        struct kept *k = all;

        all = k->next;
        der_free(&k->value);
        free(k);
    }
}

/* The next word of *TEXT into OUT; false at the end. */
static bool next_word(const char **text, char *out, size_t size)
{
    const size_t blanks = strspn(*text, " ");
    const size_t n = strcspn(*text + blanks, " ");

    if (n == 0)
        return false;
    if (n >= size)
        abort();
    memcpy(out, *text + blanks, n);
    out[n] = '\0';
    *text += blanks + n;
    return true;
}

/* "IP:192.0.2.0/24": address and mask. */
static void put_network(struct der *d, const char *text)
{
    char address[64];
    uint8_t bytes[32] = {0};
    const char *slash = strchr(text, '/');
    const bool v6 = strchr(text, ':') != NULL;
    const size_t n = v6 ? 16 : 4;

    (void)snprintf(address, sizeof address, "%.*s", (int)(slash - text), text);
    if (inet_pton(v6 ? AF_INET6 : AF_INET, address, bytes) != 1)
        abort();
    const unsigned long ones = strtoul(slash + 1, NULL, 10);
    if (ones > 8 * n)
        abort();
    for (size_t i = 0; i < ones; i++)
        bytes[n + i / 8] |= (uint8_t)(0x80 >> i % 8);
    der_put(d, DER_CONTEXT(7), (struct slice){bytes, 2 * n});
}

/* One name: GeneralNames without its SEQUENCE. */
static void put_name(struct der *d, const char *text)
{
    struct der names = {0};
    struct slice whole, content = SLICE_EMPTY;

    der_general_names(&names, text);
    whole = der_slice(&names);
    (void)der_take(&whole, DER_SEQUENCE, &content);
    der_raw(d, content);
    der_free(&names);
}

static void put_subtrees(struct der *d, uint8_t tag, const char *names)
{
    char word[128];

    if (names == NULL)
        return;
    const size_t list = der_open(d, tag);
    while (next_word(&names, word, sizeof word)) {
        const size_t subtree = der_open(d, DER_SEQUENCE);
        if (strncmp(word, "IP:", 3) == 0 && strchr(word, '/') != NULL) {
            put_network(d, word + 3);
        } else if (strncmp(word, "dir:", 4) == 0) {
            const size_t directory = der_open(d, DER_CONTEXT_CONSTRUCTED(4));
            der_name(d, word + 4);
            der_close(d, directory);
        } else {
            put_name(d, word);
        }
        der_close(d, subtree);
    }
    der_close(d, list);
}

struct testpki_ext certext_constraints(const char *permitted, const char *excluded)
{
    struct der d = {0};
    const size_t seq = der_open(&d, DER_SEQUENCE);

    put_subtrees(&d, DER_CONTEXT_CONSTRUCTED(0), permitted);
    put_subtrees(&d, DER_CONTEXT_CONSTRUCTED(1), excluded);
    der_close(&d, seq);
    return extension("2.5.29.30", &d);
}

static void put_policy(struct der *d, const char *oid)
{
    der_oid(d, strcmp(oid, "any") == 0 ? "2.5.29.32.0" : oid);
}

struct testpki_ext certext_policies(const char *oids)
{
    struct der d = {0};
    char oid[64];
    const size_t seq = der_open(&d, DER_SEQUENCE);

    while (next_word(&oids, oid, sizeof oid)) {
        const size_t information = der_open(&d, DER_SEQUENCE);
        put_policy(&d, oid);
        der_close(&d, information);
    }
    der_close(&d, seq);
    return extension("2.5.29.32", &d);
}

struct testpki_ext certext_mappings(const char *pairs)
{
    struct der d = {0};
    char word[128];
    const size_t seq = der_open(&d, DER_SEQUENCE);

    while (next_word(&pairs, word, sizeof word)) {
        char *to = strchr(word, '=');
        if (to == NULL)
            abort();
        *to++ = '\0';
        const size_t pair = der_open(&d, DER_SEQUENCE);
        put_policy(&d, word);
        put_policy(&d, to);
        der_close(&d, pair);
    }
    der_close(&d, seq);
    return extension("2.5.29.33", &d);
}

static void put_skip(struct der *d, uint8_t tag, int skip)
{
    const uint8_t byte = (uint8_t)skip;

    if (skip >= 0)
        der_put(d, tag, (struct slice){&byte, 1});
}

struct testpki_ext certext_policy_constraints(int require_explicit, int inhibit_mapping)
{
    struct der d = {0};
    const size_t seq = der_open(&d, DER_SEQUENCE);

    put_skip(&d, DER_CONTEXT(0), require_explicit);
    put_skip(&d, DER_CONTEXT(1), inhibit_mapping);
    der_close(&d, seq);
    return extension("2.5.29.36", &d);
}

struct testpki_ext certext_inhibit_any(unsigned skip)
{
    struct der d = {0};

    der_uint(&d, skip);
    return extension("2.5.29.54", &d);
}
