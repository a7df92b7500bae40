#include "tools/statedir.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/store.h"

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "statedir: %s failed\n", what);
    abort();
}

void statedir_make(struct statedir *s)
{
    *s = (struct statedir){.path = "/tmp/sipsd-state-XXXXXX"};
    must(mkdtemp(s->path) != NULL, "mkdtemp");
    (void)snprintf(s->factory, sizeof s->factory, "%s/factory", s->path);
    must(mkdir(s->factory, 0700) == 0, "mkdir");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void statedir_remove(struct statedir *s)
{
    credentials_free(s->credentials);
    must(nftw(s->path, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0, "removing the directory");
}

static struct wallclock now(void *arg)
{
    (void)arg;
    return (struct wallclock){.epoch_s = TESTPKI_NOW, .state = CLOCK_SET};
}

static void changed(void *arg, unsigned what)
{
    struct statedir *s = arg;
    s->changed |= what;
    s->changes++;
    if (s->on_changed != NULL)
        s->on_changed(s->on_changed_arg, what);
}

void statedir_open(struct statedir *s, unsigned want)
{
    const struct credentials_params p = {.state_dir = s->path,
                                         .factory_dir = s->factory,
                                         .mac = STATEDIR_MAC,
                                         .rng = testpki_rng(),
                                         .now = now,
                                         .changed = changed,
                                         .arg = s};
    must(is_ok(credentials_open(&p, want, &s->credentials, NULL)), "credentials_open");
}

const char *statedir_path(const struct statedir *s, const char *path)
{
    static char full[320];
    (void)snprintf(full, sizeof full, "%s/%s", s->path, path);
    return full;
}

void statedir_put(const struct statedir *s, const char *name, const char *text)
{
    char inside[160];
    (void)snprintf(inside, sizeof inside, "generations/00000001/%s", name);
    must(is_ok(store_make_dir(statedir_path(s, "generations/00000001"), 0700, NULL)), "mkdir");
    must(is_ok(store_write(statedir_path(s, inside), 0600, slice_of_str(text), NULL)), "write");
}

void statedir_put_ca(const struct statedir *s, const char *name, const char *subject)
{
    char *pem = statedir_pem(statedir_ca(subject));
    statedir_put(s, name, pem);
    free(pem);
}

const struct testpki_cert *statedir_ca(const char *subject)
{
    return testpki_make(&(struct testpki_spec){
        .subject = subject, .ca = true, .key_usage = TESTPKI_KEY_CERT_SIGN, .key = 1});
}

char *statedir_pem(const struct testpki_cert *c)
{
    return testpki_pem(&c, 1);
}

char *statedir_identity(const char *subject)
{
    const struct testpki_cert *c =
        testpki_make(&(struct testpki_spec){.subject = subject, .not_ca = true});
    char *chain = testpki_pem(&c, 1), *key = testpki_key_pem(c), *both = NULL;
    must(asprintf(&both, "%s%s", chain, key) > 0, "asprintf");
    free(chain);
    free(key);
    return both;
}

struct names {
    char text[1024];
};

static void add_name(void *arg, const char *name, struct slice content,
                     const struct errinfo *damage)
{
    struct names *n = arg;
    const size_t used = strlen(n->text);
    (void)content;
    (void)snprintf(n->text + used, sizeof n->text - used, "%s%s ", name,
                   damage != NULL ? "(damaged)" : "");
}

const char *statedir_files(const struct statedir *s)
{
    static struct names names;
    uint64_t number;
    names.text[0] = '\0';
    must(is_ok(generation_read(s->path, add_name, &names, &number, NULL)), "generation_read");
    return names.text;
}
