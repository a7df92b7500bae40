#include "scenario/provlab.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "control/phone.h"
#include "pki/pem.h"
#include "sys/entropy.h"
#include "tls/profile.h"
#include "tools/unit.h"

static void need(bool done, const char *what)
{
    if (done)
        return;
    (void)fprintf(stderr, "provlab: %s failed\n", what);
    abort();
}

/* --- the server: a table --- */

/* One answer on its way; the product knows it as its fetch. */
struct fetch {
    struct provlab *world;
    char url[200];
    char etag[32];
    fetch_fn *fn;
    void *arg;
    struct loop_timer *timer;
};

static const struct provlab_served *find(const struct provlab *w, const char *url)
{
    for (size_t i = 0; i < w->served_count; i++)
        if (strcmp(w->served[i].url, url) == 0)
            return &w->served[i];
    return NULL;
}

static void forget(struct fetch *f)
{
    f->world->fetching--;
    loop_timer_free(f->timer);
    free(f);
}

static struct peerchain chain_of(const struct provlab *w)
{
    struct peerchain chain = {0};
    for (size_t i = 0; i < 2 && w->chain[i] != NULL; i++)
        chain.certs[chain.count++] = testpki_der(w->chain[i]);
    return chain;
}

static void fill_in(const struct provlab_served *s, const struct fetch *f, struct fetch_result *r)
{
    if (s == NULL || s->text == NULL) {
        r->outcome = FETCH_FAILED;
        r->retry_after_s = s != NULL ? s->retry_after_s : 0;
        IGNORE(fail(&r->error, s != NULL ? s->error : ERR_NOT_FOUND, "%s has no such file (404)",
                    PROVLAB_HOST));
    } else if (s->etag != NULL && strcmp(s->etag, f->etag) == 0) {
        r->outcome = FETCH_UNCHANGED;
        r->etag = s->etag;
    } else {
        r->outcome = FETCH_DONE;
        r->body = slice_of_str(s->text);
        r->etag = s->etag != NULL ? s->etag : "";
    }
}

static void answer(void *arg)
{
    struct fetch *f = arg;
    const struct provlab *w = f->world;
    const struct verdict verdict = {.class = w->chain[0] != NULL ? VERDICT_VERIFIED : VERDICT_NONE};
    const struct peerchain chain = chain_of(w);
    struct fetch_result r = {
        .error = ERRINFO_INIT,
        .etag = "",
        .last_modified = "",
        .content_type = "",
        .host = PROVLAB_HOST,
        .secure = true,
        .verdict = &verdict,
        .chain = &chain,
    };
    fill_in(find(w, f->url), f, &r);
    f->fn(f->arg, &r);
    forget(f);
}

static void note(struct provlab *w, const struct fetch_wanted *wanted)
{
    struct provlab_asked *a = &w->asked[w->asked_count++ % PROVLAB_MAX];
    (void)snprintf(a->url, sizeof a->url, "%s", wanted->url);
    (void)snprintf(a->etag, sizeof a->etag, "%s", wanted->etag != NULL ? wanted->etag : "");
    a->login = wanted->login;
}

static struct result start(void *arg, const struct fetch_wanted *wanted, fetch_fn *fn, void *fn_arg,
                           struct fetch **out, struct errinfo *e)
{
    struct provlab *w = arg;
    if (w->no_memory_to_fetch)
        return fail(e, ERR_NOMEM, "out of memory for a fetch");
    struct fetch *f = calloc(1, sizeof *f);
    need(f != NULL, "calloc");
    f->world = w;
    f->fn = fn;
    f->arg = fn_arg;
    (void)snprintf(f->url, sizeof f->url, "%s", wanted->url);
    (void)snprintf(f->etag, sizeof f->etag, "%s", wanted->etag != NULL ? wanted->etag : "");
    f->timer = loop_timer_new(sim_loop(w->sim), answer, f);
    loop_timer_start(f->timer, w->latency_ms);
    w->fetching++;
    note(w, wanted);
    *out = f;
    return OK;
}

static void cancel(void *arg, struct fetch *f)
{
    (void)arg;
    forget(f);
}

void provlab_serve(struct provlab *w, struct provlab_served s)
{
    for (size_t i = 0; i < w->served_count; i++)
        if (strcmp(w->served[i].url, s.url) == 0) {
            w->served[i] = s;
            return;
        }
    need(w->served_count < PROVLAB_MAX, "serving so much");
    w->served[w->served_count++] = s;
}

/* --- the phone --- */

static const struct settings *base(void *arg)
{
    const struct provlab *w = arg;
    return w->base;
}

static void apply(void *arg, const struct settings *old, const struct settings *now)
{
    struct provlab *w = arg;
    w->applied++;
    w->applied_custom = provlab_custom(w);
    credentials_want(w->dir.credentials, phone_identity(now));
    if (w->on_apply != NULL)
        w->on_apply(w, old, now);
}

static void ended(void *arg, const struct provision_report *r)
{
    struct provlab *w = arg;
    struct provision_report *copy = &w->ended[w->ended_count++ % PROVLAB_MAX];
    need(is_ok(provision_report_copy(r, copy)), "copying a report");
}

static size_t account_count(void *arg)
{
    const struct provlab *w = arg;
    return w->lab != NULL && w->lab->account != NULL ? 1 : 0;
}

static struct account *account_at(void *arg, size_t i)
{
    const struct provlab *w = arg;
    need(i == 0, "account");
    return w->lab->account;
}

static struct wallclock now(void *arg)
{
    const struct provlab *w = arg;
    return (struct wallclock){.epoch_s =
                                  SIM_EPOCH_S + (int64_t)(loop_now_ms(sim_loop(w->sim)) / 1000),
                              .state = CLOCK_SET};
}

/* As the daemon does. */
static void on_credentials(void *arg, unsigned what)
{
    struct provlab *w = arg;
    if (w->engine != NULL)
        provision_credentials_changed(w->engine);
    if (w->lab != NULL && w->lab->account != NULL && (what & CREDENTIALS_TRUST) != 0)
        account_set_trust(w->lab->account, credentials_trust(w->dir.credentials));
}

void provlab_start(struct provlab *w)
{
    struct errinfo e = ERRINFO_INIT;
    provision_recover(w->dir.path);
    w->dir.on_changed = on_credentials;
    w->dir.on_changed_arg = w;
    statedir_open(&w->dir, IDENTITY_WANT_ANY);
    const struct provision_params p = {
        .loop = sim_loop(w->sim),
        .credentials = w->dir.credentials,
        .state_dir = w->dir.path,
        .mac = STATEDIR_MAC,
        .hooks =
            {
                .base = base,
                .apply = apply,
                .ended = ended,
                .account_count = account_count,
                .account_at = account_at,
                .now = now,
                .arg = w,
                .fetch = {.start = start, .cancel = cancel, .arg = w},
            },
    };
    need(is_ok(provision_new(&p, &w->engine, &e)), "provision_new");
}

void provlab_stop(struct provlab *w)
{
    provision_free(w->engine);
    w->engine = NULL;
    need(w->fetching == 0, "cancelling of fetches");
    credentials_free(w->dir.credentials);
    w->dir.credentials = NULL;
}

void provlab_restart(struct provlab *w)
{
    provlab_stop(w);
    provlab_start(w);
}

static int64_t epoch_s(void)
{
    return TESTPKI_NOW;
}

static void make_base(struct provlab *w, const char *lines)
{
    char *text;
    need(is_ok(settings_new(&w->base)), "settings_new");
    need(asprintf(&text, PROVLAB_HEAD "%s", lines != NULL ? lines : "") > 0, "asprintf");
    need(is_ok(settings_apply(w->base, "base.cfg", slice_of_str(text), NULL, NULL, NULL, NULL)),
         "the base");
    free(text);
}

struct provlab *provlab_new(struct lab *lab, const char *base_lines)
{
    struct provlab *w = calloc(1, sizeof *w);
    need(w != NULL, "calloc");
    w->lab = lab;
    w->sim = lab != NULL ? lab->sim : sim_new();
    if (lab == NULL) {
        log_open(getenv("LAB_LOG") != NULL ? LOG_SINK_STDERR : LOG_SINK_NONE, LOG_LEVEL_DEBUG,
                 "lab");
        need(is_ok(tls_global_init(&entropy_system, epoch_s, NULL)), "TLS");
    }
    make_base(w, base_lines);
    statedir_make(&w->dir);
    provlab_start(w);
    return w;
}

void provlab_free(struct provlab *w)
{
    provlab_stop(w);
    statedir_remove(&w->dir);
    settings_free(w->base);
    for (size_t i = 0; i < PROVLAB_MAX; i++)
        provision_report_clear(&w->ended[i]);
    if (w->lab == NULL) {
        sim_free(w->sim);
        tls_global_free();
    }
    free(w);
}

/* --- runs --- */

const struct provision_report *provlab_last(const struct provlab *w)
{
    return w->ended_count > 0 ? &w->ended[(w->ended_count - 1) % PROVLAB_MAX] : NULL;
}

struct provision_request provlab_request(const char *name, const char *lines)
{
    static char text[LIMIT_SETTINGS_BYTES + 100];
    static struct provision_file file;
    (void)snprintf(text, sizeof text, PROVLAB_HEAD "%s", lines);
    file = (struct provision_file){name, slice_of_str(text)};
    return (struct provision_request){.cause = PROVISION_PUSH, .files = &file, .count = 1};
}

uint64_t provlab_begin(struct provlab *w, const struct provision_request *r, struct errinfo *e)
{
    uint64_t id = 0;
    return is_ok(provision_begin(w->engine, r, &id, e)) ? id : 0;
}

uint64_t provlab_push(struct provlab *w, const char *name, const char *lines)
{
    const struct provision_request r = provlab_request(name, lines);
    return provlab_begin(w, &r, NULL);
}

static bool has_more(void *arg)
{
    const struct provlab *w = arg;
    return !provision_is_busy(w->engine);
}

const struct provision_report *provlab_run(struct provlab *w, const struct provision_request *r)
{
    struct errinfo e = ERRINFO_INIT;
    const uint64_t id = provlab_begin(w, r, &e);
    if (id == 0)
        fail_msg("%s", e.text);
    if (!sim_run_until(w->sim, has_more, w, 1000000))
        fail_msg("the run did not end");
    for (size_t i = w->ended_count; i-- > 0 && i + PROVLAB_MAX >= w->ended_count;)
        if (w->ended[i % PROVLAB_MAX].id == id)
            return &w->ended[i % PROVLAB_MAX];
    fail_msg("nothing was told of the run");
    return NULL;
}

const struct provision_report *provlab_apply(struct provlab *w, const char *name, const char *lines)
{
    const struct provision_request r = provlab_request(name, lines);
    return provlab_run(w, &r);
}

const struct provision_report *provlab_fetch(struct provlab *w)
{
    return provlab_run(w, &(struct provision_request){.cause = PROVISION_ASKED});
}

/* --- certificates in settings files --- */

static char *data_line(const char *key, const char *pem)
{
    static const char *const escaped =
        "%+#\n"; /* what a line of settings, or a URL, has no room for */
    char *line = calloc(1, 3 * strlen(pem) + 100);
    need(line != NULL, "calloc");
    size_t n = (size_t)sprintf(line, "%s = data:,", key);
    for (; *pem != '\0'; pem++)
        n += (size_t)sprintf(line + n, strchr(escaped, *pem) != NULL ? "%%%02X" : "%c",
                             (unsigned char)*pem);
    (void)sprintf(line + n, "\n");
    return line;
}

char *provlab_trust_line(const struct testpki_cert *ca)
{
    char *pem = statedir_pem(ca);
    char *line = data_line("static.trusted_certificates.url", pem);
    free(pem);
    return line;
}

char *provlab_identity_line(const char *subject)
{
    char *pem = statedir_identity(subject);
    char *line = data_line("static.server_certificates.url", pem);
    free(pem);
    return line;
}

/* --- what there is --- */

size_t provlab_custom(const struct provlab *w)
{
    return trust_count(credentials_trust(w->dir.credentials), TRUST_CUSTOM);
}

const char *provlab_text(const struct provlab *w, const char *name, unsigned x, unsigned y)
{
    return settings_text(provision_settings(w->engine), name, x, y);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the state directory */
static void list(const char *path, FILE *out)
{
    struct dirent **names;
    const int n = scandir(path, &names, NULL, alphasort);
    need(n >= 0, "scandir");
    for (int i = 0; i < n; i++) {
        char inside[600];
        struct stat st;
        (void)snprintf(inside, sizeof inside, "%s/%s", path, names[i]->d_name);
        const bool dots = names[i]->d_name[0] == '.' && strchr("./", names[i]->d_name[1]) != NULL;
        free(names[i]);
        if (dots)
            continue;
        need(stat(inside, &st) == 0, "stat");
        (void)fprintf(out, "%s %lld %lld.%09ld %llu\n", inside, (long long)st.st_size,
                      (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
                      (unsigned long long)st.st_ino);
        if (S_ISDIR(st.st_mode))
            list(inside, out);
    }
    free(names);
}

char *provlab_flash(const struct provlab *w)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    need(out != NULL, "open_memstream");
    list(w->dir.path, out);
    (void)fclose(out);
    return text;
}
