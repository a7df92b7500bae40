#include "factory/options.h"

#include <getopt.h>
#include <string.h>

#include "base/limits.h"

/* The letters are what the commands' rules name them by; on the command line they are long. */
static const struct option table[] = {
    {"name", required_argument, NULL, 'n'},
    {"rsa", optional_argument, NULL, 'r'},
    {"ec", no_argument, NULL, 'e'},
    {"years", required_argument, NULL, 'y'},
    {"mac", required_argument, NULL, 'm'},
    {"list", required_argument, NULL, 'l'},
    {"password-file", required_argument, NULL, 'p'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char *name_of(int letter)
{
    for (size_t i = 0; table[i].name != NULL; i++)
        if (table[i].val == letter)
            return table[i].name;
    return "?";
}

static struct result set_years(struct options *o, const char *text, struct errinfo *e)
{
    uint64_t years;

    if (strcmp(text, "never") == 0) {
        o->no_end = true;
        return OK;
    }
    if (!slice_to_u64(slice_of_str(text), LIMIT_FACTORY_YEARS, &years) || years == 0)
        return fail(e, ERR_INVALID, "--years is a number from 1 to %d, or never, not '%s'",
                    LIMIT_FACTORY_YEARS, text);
    o->years = (unsigned)years;
    return OK;
}

static struct result set_rsa(struct options *o, const char *text, struct errinfo *e)
{
    uint64_t bits = 0;

    if (text != NULL && (!slice_to_u64(slice_of_str(text), 4096, &bits) ||
                         (bits != 2048 && bits != 3072 && bits != 4096)))
        return fail(e, ERR_INVALID, "--rsa is of 2048, 3072 or 4096 bits, not '%s'", text);
    o->key_kind = KEY_RSA;
    o->rsa_bits = (unsigned)bits;
    return OK;
}

static struct result add_mac(struct options *o, const char *text, struct errinfo *e)
{
    struct mac mac;

    if (!mac_parse(slice_of_str(text), &mac) || !mac_is_device(&mac))
        return fail(e, ERR_INVALID, "'%s' is not the MAC address of a device", text);
    for (size_t i = 0; i < o->macs.count; i++)
        if (mac_equal(&o->macs.list[i].mac, &mac))
            return fail(e, ERR_INVALID, "--mac %s was given before", text);
    return maclist_add(&o->macs, &mac, 0, e);
}

static struct result set_option(struct options *o, int letter, const char *value, struct errinfo *e)
{
    switch (letter) {
    case 'n':
        o->name = value;
        return OK;
    case 'r':
        return set_rsa(o, value, e);
    case 'e':
        o->key_kind = KEY_EC;
        return OK;
    case 'y':
        return set_years(o, value, e);
    case 'm':
        return add_mac(o, value, e);
    case 'l':
        o->list = value;
        return OK;
    default:
        o->password_file = value;
        return OK;
    }
}

static struct result check_macs(const struct options *o, const struct options_rule *rule,
                                struct errinfo *e)
{
    if (rule->macs == ONE_MAC && o->macs.count != 1)
        return fail(e, ERR_INVALID, "one --mac says for which phone");
    if (rule->macs == MACS_OR_LIST && (o->list == NULL) == (o->macs.count == 0))
        return fail(e, ERR_INVALID, "either --mac or --list says for which phones");
    return OK;
}

static struct result take_operands(struct options *o, int count, char **list,
                                   const struct options_rule *rule, const char *command,
                                   struct errinfo *e)
{
    if ((unsigned)count != rule->operands)
        return fail(e, ERR_INVALID, "'%s' takes %u names; see sipsd-factory %s --help", command,
                    rule->operands, command);
    for (int i = 0; i < count; i++)
        o->operands[i] = list[i];
    return OK;
}

struct result options_read(int argc, char **argv, const struct options_rule *rule,
                           struct options *out, struct errinfo *e)
{
    int letter;

    *out = (struct options){.key_kind = KEY_AS_CA};
    opterr = 0;
    optind = 0; /* glibc's way to begin anew */
    while ((letter = getopt_long(argc, argv, "", table, NULL)) != -1) {
        if (letter == 'h') {
            out->help = true;
            return OK;
        }
        if (letter == '?' || letter == ':')
            return fail(e, ERR_INVALID, "'%s' is no option, or lacks its value; see %s --help",
                        argv[optind - 1], argv[0]);
        if (strchr(rule->allowed, letter) == NULL)
            return fail(e, ERR_INVALID, "'%s' takes no option --%s", argv[0], name_of(letter));
        TRY(set_option(out, letter, optarg, e));
    }
    TRY(take_operands(out, argc - optind, argv + optind, rule, argv[0], e));
    return check_macs(out, rule, e);
}

void options_free(struct options *o)
{
    maclist_free(&o->macs);
}

unsigned options_rsa_bits(const struct options *o, bool ca_is_rsa, unsigned default_bits)
{
    if (o->key_kind == KEY_EC || (o->key_kind == KEY_AS_CA && !ca_is_rsa))
        return 0;
    return o->rsa_bits != 0 ? o->rsa_bits : default_bits;
}
