/*
 * testpki: writes a throw-away PKI for the demo and for tests against other programs.
 *
 *     testpki [--name HOST] [--ip ADDRESS] DIR [PROFILE]...
 *
 * DIR/ca.pem is the CA to trust; DIR/PROFILE/chain.pem and key.pem are what a peer of that kind
 * presents. Without a PROFILE all are made; `testpki --list` names them. All servers are for HOST
 * (sip.example.com) and, if given, ADDRESS.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tools/der.h"
#include "tools/testpki.h"

#define DAY       ((int64_t)86400)
#define YEAR      (365 * DAY)
#define CHAIN_MAX 4 /* certificates that a peer sends, at most */

/* Keys that several certificates share: making RSA keys takes the time. */
enum { KEY_CA = 1, KEY_UNKNOWN_CA, KEY_INTERMEDIATE, KEY_EXPIRED_CA };

/* What all profiles are made with. */
struct pki {
    const char *name;
    char *san; /* of the good servers */
    int64_t now_s;
    const struct testpki_cert *ca, *unknown_ca, *intermediate;
};

/* Fills CHAIN, which has CHAIN_MAX places, the leaf first. */
typedef void profile_fn(const struct pki *pki, const struct testpki_cert **chain);

static const char *const server_auth[] = {TESTPKI_OID_SERVER_AUTH, NULL};
static const char *const client_auth[] = {TESTPKI_OID_CLIENT_AUTH, NULL};

/* --- the profiles --- */

static struct testpki_spec server(const struct pki *pki)
{
    static char subject[300];

    (void)snprintf(subject, sizeof(subject), "O=Example,CN=%s", pki->name);
    return (struct testpki_spec){
        .subject = subject,
        .issuer = pki->ca,
        .not_ca = true,
        .key_usage = TESTPKI_DIGITAL_SIGNATURE,
        .eku = server_auth,
        .san = pki->san,
        .not_before = pki->now_s - DAY,
        .not_after = pki->now_s + YEAR,
    };
}

static struct testpki_spec client(const struct pki *pki)
{
    struct testpki_spec s = server(pki);

    s.subject = "O=Example,CN=phone";
    s.eku = client_auth;
    s.san = NULL;
    return s;
}

static void good(const struct pki *pki, const struct testpki_cert **chain)
{
    struct testpki_spec s = server(pki);

    chain[0] = testpki_make(&s);
}

static void good_rsa(const struct pki *pki, const struct testpki_cert **chain)
{
    struct testpki_spec s = server(pki);

    s.key_type = TESTPKI_RSA_2048;
    s.key_usage |= TESTPKI_KEY_ENCIPHERMENT;
    chain[0] = testpki_make(&s);
}

static void wildcard(const struct pki *pki, const struct testpki_cert **chain)
{
    struct testpki_spec s = server(pki);
    const char *parent = strchr(pki->name, '.');
    char san[300];

    (void)snprintf(san, sizeof(san), "DNS:*%s", parent != NULL ? parent : "");
    s.san = san;
    chain[0] = testpki_make(&s);
}

static void common_name(const struct pki *pki, const struct testpki_cert **chain)
{
    struct testpki_spec s = server(pki);

    s.san = NULL;
    chain[0] = testpki_make(&s);
}

static void wrong_name(const struct pki *pki, const struct testpki_cert **chain)
{
    struct testpki_spec s = server(pki);

    s.subject = "O=Example,CN=other.example.net";
    s.san = "DNS:other.example.net";
    chain[0] = testpki_make(&s);
}

static void expired(const struct pki *pki, const struct testpki_cert **chain)
{
    struct testpki_spec s = server(pki);

    s.not_before = pki->now_s - YEAR;
    s.not_after = pki->now_s - DAY;
    chain[0] = testpki_make(&s);
}

static void ending(const struct pki *pki, const struct testpki_cert **chain)
{
    struct testpki_spec s = server(pki);

    s.not_after = pki->now_s + 5 * DAY - 1;
    chain[0] = testpki_make(&s);
}

static void not_yet_valid(const struct pki *pki, const struct testpki_cert **chain)
{
    struct testpki_spec s = server(pki);

    s.not_before = pki->now_s + DAY;
    chain[0] = testpki_make(&s);
}

static void unknown_ca(const struct pki *pki, const struct testpki_cert **chain)
{
    struct testpki_spec s = server(pki);

    s.issuer = pki->unknown_ca;
    chain[0] = testpki_make(&s);
}

static void self_signed(const struct pki *pki, const struct testpki_cert **chain)
{
    struct testpki_spec s = server(pki);

    s.issuer = NULL;
    chain[0] = testpki_make(&s);
}

static void missing_intermediate(const struct pki *pki, const struct testpki_cert **chain)
{
    struct testpki_spec s = server(pki);

    s.issuer = pki->intermediate;
    chain[0] = testpki_make(&s);
}

static void via_intermediate(const struct pki *pki, const struct testpki_cert **chain)
{
    missing_intermediate(pki, chain);
    chain[1] = pki->intermediate;
}

static void with_root(const struct pki *pki, const struct testpki_cert **chain)
{
    via_intermediate(pki, chain);
    chain[2] = pki->ca;
}

static void issuer_not_ca(const struct pki *pki, const struct testpki_cert **chain)
{
    struct testpki_spec s = server(pki);

    good(pki, chain + 1);
    s.issuer = chain[1];
    chain[0] = testpki_make(&s);
}

/* As scripts for home-made PKIs write them: version 1, so the name is in the CN alone. */
static void home_made(const struct pki *pki, const struct testpki_cert **chain)
{
    struct testpki_spec s = server(pki);

    s.version = 1;
    chain[0] = testpki_make(&s);
}

/* An intermediate CA that may issue for NAME and for 127.0.0.0/8 (RFC 5280 section 4.2.1.10). */
static const struct testpki_cert *constrained_ca(const struct pki *pki, const char *name,
                                                 bool critical)
{
    static const uint8_t loopback[] = {127, 0, 0, 0, 255, 0, 0, 0};
    struct der d = {0};
    const size_t all = der_open(&d, DER_SEQUENCE);
    const size_t permitted = der_open(&d, 0xa0); /* permittedSubtrees [0] */
    size_t subtree = der_open(&d, DER_SEQUENCE);

    der_put_str(&d, 0x82, name); /* dNSName [2] */
    der_close(&d, subtree);
    subtree = der_open(&d, DER_SEQUENCE);
    der_put(&d, 0x87, slice_of(loopback, sizeof(loopback))); /* iPAddress [7] */
    der_close(&d, subtree);
    der_close(&d, permitted);
    der_close(&d, all);

    const struct testpki_ext constraints = {"2.5.29.30", critical, der_slice(&d)};
    const struct testpki_cert *ca = testpki_make(&(struct testpki_spec){
        .subject = "O=Example,CN=Example Constrained CA",
        .issuer = pki->ca,
        .ca = true,
        .key_usage = TESTPKI_KEY_CERT_SIGN,
        .exts = &constraints,
        .exts_count = 1,
        .not_before = pki->now_s - YEAR,
        .not_after = pki->now_s + YEAR,
    });
    der_free(&d);
    return ca;
}

static void via_constrained(const struct pki *pki, const char *name, bool critical,
                            const struct testpki_cert **chain)
{
    struct testpki_spec s = server(pki);

    chain[1] = constrained_ca(pki, name, critical);
    s.issuer = chain[1];
    chain[0] = testpki_make(&s);
}

static void constrained(const struct pki *pki, const struct testpki_cert **chain)
{
    via_constrained(pki, pki->name, true, chain);
}

static void constrained_softly(const struct pki *pki, const struct testpki_cert **chain)
{
    via_constrained(pki, pki->name, false, chain);
}

static void outside_constraints(const struct pki *pki, const struct testpki_cert **chain)
{
    via_constrained(pki, "other.example.net", true, chain);
}

static void outside_soft_constraints(const struct pki *pki, const struct testpki_cert **chain)
{
    via_constrained(pki, "other.example.net", false, chain);
}

/* The intermediate's trusted root has a twin, signed by a root that expired and is sent, too. */
static void cross_signed(const struct pki *pki, const struct testpki_cert **chain)
{
    struct testpki_spec s = {
        .subject = "O=Example,CN=Example Old Root",
        .ca = true,
        .key = KEY_EXPIRED_CA,
        .key_usage = TESTPKI_KEY_CERT_SIGN,
        .not_before = pki->now_s - 3 * YEAR,
        .not_after = pki->now_s - DAY,
    };

    via_intermediate(pki, chain);
    chain[3] = testpki_make(&s);
    s.subject = "O=Example,CN=Example Test Root";
    s.key = KEY_CA;
    s.issuer = chain[3];
    chain[2] = testpki_make(&s);
}

static void p384(const struct pki *pki, const struct testpki_cert **chain)
{
    struct testpki_spec s = server(pki);

    s.key_type = TESTPKI_P384;
    s.digest = TESTPKI_SHA384;
    chain[0] = testpki_make(&s);
}

/* RSASSA-PSS signs the leaf, and its own handshake. */
static void rsa_pss(const struct pki *pki, const struct testpki_cert **chain)
{
    struct testpki_spec s = server(pki);

    chain[1] = testpki_make(&(struct testpki_spec){
        .subject = "O=Example,CN=Example RSA CA",
        .issuer = pki->ca,
        .ca = true,
        .key_type = TESTPKI_RSA_2048,
        .key_usage = TESTPKI_KEY_CERT_SIGN,
        .not_before = pki->now_s - YEAR,
        .not_after = pki->now_s + YEAR,
    });
    s.issuer = chain[1];
    s.pss = true;
    s.key_type = TESTPKI_RSA_2048;
    chain[0] = testpki_make(&s);
}

static void client_purpose(const struct pki *pki, const struct testpki_cert **chain)
{
    struct testpki_spec s = server(pki);

    s.eku = client_auth;
    chain[0] = testpki_make(&s);
}

static void sha1(const struct pki *pki, const struct testpki_cert **chain)
{
    struct testpki_spec s = server(pki);

    s.digest = TESTPKI_SHA1;
    chain[0] = testpki_make(&s);
}

static void weak_key(const struct pki *pki, const struct testpki_cert **chain)
{
    struct testpki_spec s = server(pki);

    s.key_type = TESTPKI_RSA_1024;
    s.key_usage |= TESTPKI_KEY_ENCIPHERMENT;
    chain[0] = testpki_make(&s);
}

static void client_good(const struct pki *pki, const struct testpki_cert **chain)
{
    struct testpki_spec s = client(pki);

    chain[0] = testpki_make(&s);
}

static void client_expired(const struct pki *pki, const struct testpki_cert **chain)
{
    struct testpki_spec s = client(pki);

    s.not_before = pki->now_s - YEAR;
    s.not_after = pki->now_s - DAY;
    chain[0] = testpki_make(&s);
}

static void client_unknown_ca(const struct pki *pki, const struct testpki_cert **chain)
{
    struct testpki_spec s = client(pki);

    s.issuer = pki->unknown_ca;
    chain[0] = testpki_make(&s);
}

static const struct {
    const char *name, *what;
    profile_fn *make;
} profiles[] = {
    {"good", "as it should be", good},
    {"good-rsa", "the same with an RSA key", good_rsa},
    {"wildcard", "for *.DOMAIN", wildcard},
    {"common-name", "the name is only in the CN", common_name},
    {"via-intermediate", "the chain has an intermediate CA", via_intermediate},
    {"with-root", "the same, and the root is sent too", with_root},
    {"cross-signed", "its root is sent too, signed by one that expired", cross_signed},
    {"constrained", "by a CA that may issue for HOST only", constrained},
    {"constrained-softly", "the same, not critical", constrained_softly},
    {"p384", "with a key on P-384", p384},
    {"rsa-pss", "signed by RSASSA-PSS", rsa_pss},
    {"wrong-name", "for other.example.net", wrong_name},
    {"expired", "since yesterday", expired},
    {"ending", "in less than five days", ending},
    {"not-yet-valid", "until tomorrow", not_yet_valid},
    {"unknown-ca", "issued by a CA that is not ca.pem", unknown_ca},
    {"self-signed", "by its own key", self_signed},
    {"missing-intermediate", "the intermediate CA is not sent", missing_intermediate},
    {"issuer-not-ca", "issued by a server certificate", issuer_not_ca},
    {"home-made", "of version 1, which only the compatible profile accepts", home_made},
    {"outside-constraints", "by a CA that may not issue for HOST", outside_constraints},
    {"outside-soft-constraints", "the same, not critical", outside_soft_constraints},
    {"client-purpose", "a server with a client's extended key usage", client_purpose},
    {"sha1", "signed with SHA-1", sha1},
    {"weak-key", "RSA 1024", weak_key},
    {"client", "a client certificate", client_good},
    {"client-expired", "since yesterday", client_expired},
    {"client-unknown-ca", "issued by a CA that is not ca.pem", client_unknown_ca},
};

#define PROFILES (sizeof(profiles) / sizeof(profiles[0]))

static void make_cas(struct pki *pki)
{
    struct testpki_spec s = {
        .subject = "O=Example,CN=Example Test Root",
        .ca = true,
        .key = KEY_CA,
        .key_usage = TESTPKI_KEY_CERT_SIGN | TESTPKI_CRL_SIGN,
        .not_before = pki->now_s - 2 * YEAR,
        .not_after = pki->now_s + 10 * YEAR,
    };

    pki->ca = testpki_make(&s);
    s.subject = "O=Elsewhere,CN=Elsewhere Test Root";
    s.key = KEY_UNKNOWN_CA;
    pki->unknown_ca = testpki_make(&s);
    s.subject = "O=Example,CN=Example Test Issuing CA";
    s.key = KEY_INTERMEDIATE;
    s.issuer = pki->ca;
    s.pathlen = TESTPKI_PATHLEN(0);
    pki->intermediate = testpki_make(&s);
}

/* --- files --- */

static _Noreturn void die_errno(const char *path)
{
    fprintf(stderr, "testpki: %s: %s\n", path, strerror(errno));
    exit(1);
}

static void make_dir(const char *path)
{
    if (mkdir(path, 0755) != 0 && errno != EEXIST)
        die_errno(path);
}

/* Takes TEXT and frees it. */
static void write_file(const char *dir, const char *name, mode_t mode, char *text)
{
    char path[4096];
    int fd;
    FILE *f = NULL;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0 || fchmod(fd, mode) != 0 || (f = fdopen(fd, "w")) == NULL)
        die_errno(path);
    if (fputs(text, f) == EOF || fclose(f) != 0)
        die_errno(path);
    free(text);
}

static void write_profile(const struct pki *pki, const char *dir, size_t profile)
{
    const struct testpki_cert *chain[CHAIN_MAX] = {NULL};
    char path[4096];
    size_t n = 0;

    profiles[profile].make(pki, chain);
    while (n < CHAIN_MAX && chain[n] != NULL)
        n++;
    (void)snprintf(path, sizeof(path), "%s/%s", dir, profiles[profile].name);
    make_dir(path);
    write_file(path, "chain.pem", 0644, testpki_pem(chain, n));
    write_file(path, "key.pem", 0600, testpki_key_pem(chain[0]));
}

static void write_profile_named(const struct pki *pki, const char *dir, const char *name)
{
    for (size_t i = 0; i < PROFILES; i++) {
        if (strcmp(profiles[i].name, name) == 0) {
            write_profile(pki, dir, i);
            return;
        }
    }
    fprintf(stderr, "testpki: there is no profile '%s'; --list names them\n", name);
    exit(2);
}

static void usage(FILE *to)
{
    fputs("usage: testpki [--name HOST] [--ip ADDRESS] DIR [PROFILE]...\n"
          "       testpki --list\n",
          to);
}

static void list(void)
{
    for (size_t i = 0; i < PROFILES; i++)
        printf("%-21s %s\n", profiles[i].name, profiles[i].what);
}

/* "DNS:NAME IP:ADDRESS" */
static char *make_san(const char *name, const char *ip)
{
    size_t size = strlen(name) + strlen(ip) + sizeof("DNS: IP:");
    char *san = malloc(size);

    if (san == NULL)
        die_errno("san");
    (void)snprintf(san, size, "DNS:%s%s%s", name, ip[0] != '\0' ? " IP:" : "", ip);
    return san;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"name", required_argument, NULL, 'n'},
        {"ip", required_argument, NULL, 'i'},
        {"list", no_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct pki pki = {.name = "sip.example.com", .now_s = (int64_t)time(NULL)};
    const char *ip = "";
    const char *dir;

    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'n':
            pki.name = optarg;
            break;
        case 'i':
            ip = optarg;
            break;
        case 'l':
            list();
            return 0;
        case 'h':
            usage(stdout);
            return 0;
        default:
            usage(stderr);
            return 2;
        }
    }
    if (optind == argc) {
        usage(stderr);
        return 2;
    }

    dir = argv[optind++];
    pki.san = make_san(pki.name, ip);
    make_cas(&pki);
    make_dir(dir);
    write_file(dir, "ca.pem", 0644, testpki_pem(&pki.ca, 1));
    if (optind == argc) {
        for (size_t i = 0; i < PROFILES; i++)
            write_profile(&pki, dir, i);
    } else {
        for (; optind < argc; optind++)
            write_profile_named(&pki, dir, argv[optind]);
    }
    free(pki.san);
    return 0;
}
