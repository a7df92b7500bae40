#include "control/fetch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/wipe.h"
#include "control/transfer.h"

struct fetch {
    struct fetch_params p; /* with its own strings */
    char *etag;
    char *last_modified;
    char *user_agent;
    uint8_t *post_body;
    fetch_fn *fn;
    void *arg;
    struct loop_timer *total;
    struct buf body;
    unsigned redirects;
    struct verdict no_verdict;
    struct peerchain no_chain;

    /* What is asked now, of whom; a redirect begins anew. */
    struct weburl url;
    struct judge judge;
    struct transfer *transfer; /* NULL where it could not begin */
};

/* --- one request --- */

static void on_answer(void *arg, struct result r, const struct errinfo *e);

static struct result ask(struct fetch *f, struct errinfo *e)
{
    const struct transfer_params params = {
        .loop = f->p.loop,
        .dns = f->p.dns,
        .profile = f->p.profile,
        .judge = &f->judge,
        .url = &f->url,
        .user_agent = f->user_agent,
        .etag = f->etag,
        .last_modified = f->last_modified,
        .post = f->p.post,
        .post_body = slice_of(f->post_body, f->p.body.n),
        .body = &f->body,
        .on_refused = f->p.on_refused,
        .on_refused_arg = f->p.on_refused_arg,
        .slow_ms = f->p.slow_ms,
    };

    if (!f->url.secure && !f->p.allow_http)
        return fail(e, ERR_DENIED, "%s is to be asked over HTTP without TLS, which is not allowed",
                    f->url.authority);
    TRY(judge_init(&f->judge, f->p.trust, f->url.host.text, f->p.clock, e));
    f->judge.filter = f->p.filter;
    f->judge.check_name = f->p.check_name;
    f->judge.policy = f->p.policy;
    return transfer_start(&params, on_answer, f, &f->transfer, e);
}

/* Leaves the url alone. */
static void stop_asking(struct fetch *f)
{
    transfer_free(f->transfer);
    f->transfer = NULL;
    judge_clear(&f->judge);
}

static const char *field(const struct fetch *f, const char *name)
{
    return f->transfer != NULL ? transfer_field(f->transfer, name) : "";
}

/* --- what the answer means --- */

static struct result check_encoding(const struct fetch *f, struct errinfo *e)
{
    const char *encoding = field(f, "Content-Encoding");

    if (encoding[0] == '\0' || slice_eq_nocase_str(slice_of_str(encoding), "identity"))
        return OK;
    return fail(e, ERR_PARSE, "%s sent the file compressed (%s), which was not asked for",
                f->url.authority, encoding);
}

/* What a status other than success means to an admin. */
static struct result refused(const struct fetch *f, int status, struct errinfo *e)
{
    const char *host = f->url.authority;
    const int path_len = weburl_path_len(&f->url);

    switch (status) {
    case 401:
        return f->url.user == NULL
                   ? fail(e, ERR_AUTH, "%s asks for a user name and a password (401)", host)
                   : fail(e, ERR_AUTH, "%s refused the user name or the password (401)", host);
    case 403:
        return fail(e, ERR_DENIED, "%s does not give out %.*s to this phone (403)", host, path_len,
                    f->url.target);
    case 404:
    case 410:
        return fail(e, ERR_NOT_FOUND, "%s has no %.*s (%d)", host, path_len, f->url.target, status);
    default:
        return fail(e, ERR_PEER, "%s answered with the status %d", host, status);
    }
}

static bool is_redirect(const struct fetch *f, int status)
{
    if (field(f, "Location")[0] == '\0')
        return false;
    if (status == 307 || status == 308)
        return true;
    return !f->p.post && status >= 301 && status <= 303;
}

/* Goes on at the Location of the answer. */
static struct result redirect(struct fetch *f, struct errinfo *e)
{
    struct weburl next;

    if (f->redirects++ == LIMIT_FETCH_REDIRECTS)
        return fail(e, ERR_LIMIT, "%s redirects once more, after %d times", f->url.authority,
                    LIMIT_FETCH_REDIRECTS);
    TRY(weburl_follow(&f->url, field(f, "Location"), &next, e));
    stop_asking(f);
    weburl_clear(&f->url);
    f->url = next;
    return ask(f, e);
}

/* Success, or nothing new; all else is an error. */
static struct result judge_answer(const struct fetch *f, int status, struct errinfo *e)
{
    if (status >= 200 && status <= 299)
        return check_encoding(f, e);
    if (status == 304 && (f->etag != NULL || f->last_modified != NULL))
        return OK;
    return refused(f, status, e);
}

/* --- the end --- */

static uint32_t retry_after(const struct fetch *f)
{
    uint64_t seconds;

    return slice_to_u64(slice_of_str(field(f, "Retry-After")), UINT32_MAX, &seconds)
               ? (uint32_t)(seconds < LIMIT_RETRY_AFTER_S ? seconds : LIMIT_RETRY_AFTER_S)
               : 0;
}

static void finish(struct fetch *f, enum fetch_outcome outcome, const struct errinfo *e)
{
    const struct transfer *t = f->transfer;
    const struct fetch_result result = {
        .outcome = outcome,
        .error = *e,
        .status = t != NULL ? transfer_status(t) : 0,
        .body = outcome == FETCH_DONE ? buf_slice(&f->body) : SLICE_EMPTY,
        .etag = field(f, "ETag"),
        .last_modified = field(f, "Last-Modified"),
        .content_type = field(f, "Content-Type"),
        .retry_after_s = retry_after(f),
        .host = f->url.authority,
        .secure = f->url.secure,
        .verdict = t != NULL ? transfer_verdict(t) : &f->no_verdict,
        .chain = t != NULL ? transfer_chain(t) : &f->no_chain,
        .facts = t != NULL ? transfer_facts(t) : (struct tls_session_facts){0},
    };

    f->fn(f->arg, &result);
    fetch_cancel(f);
}

static void on_answer(void *arg, struct result r, const struct errinfo *why)
{
    struct fetch *f = arg;
    struct errinfo e = *why;
    const int status = transfer_status(f->transfer);

    if (is_ok(r) && is_redirect(f, status)) {
        r = redirect(f, &e);
        if (is_ok(r))
            return;
    } else if (is_ok(r)) {
        r = judge_answer(f, status, &e);
    }
    if (is_err(r))
        finish(f, FETCH_FAILED, &e);
    else
        finish(f, status == 304 ? FETCH_UNCHANGED : FETCH_DONE, &e);
}

static void on_total(void *arg)
{
    struct fetch *f = arg;
    struct errinfo e = ERRINFO_INIT;

    IGNORE(fail(&e, ERR_TIMEOUT, "%s was not done within %u s", f->url.authority,
                f->p.total_ms / 1000));
    finish(f, FETCH_FAILED, &e);
}

/* --- life --- */

void fetch_cancel(struct fetch *f)
{
    if (f == NULL)
        return;
    stop_asking(f);
    weburl_clear(&f->url);
    loop_timer_free(f->total);
    tls_profile_unref(f->p.profile);
    trust_unref(f->p.trust);
    buf_wipe(&f->body);
    free(f->etag);
    free(f->last_modified);
    free(f->user_agent);
    if (f->post_body != NULL)
        wipe(f->post_body, f->p.body.n);
    free(f->post_body);
    free(f);
}

static char *copy(const char *text, bool *failed)
{
    char *own = text != NULL && text[0] != '\0' ? strdup(text) : NULL;

    *failed |= own == NULL && text != NULL && text[0] != '\0';
    return own;
}

static size_t at_most(size_t wanted, size_t limit)
{
    return wanted == 0 || wanted > limit ? limit : wanted;
}

static bool copy_params(struct fetch *f, const struct fetch_params *p)
{
    bool failed = false;

    f->p = *p;
    f->p.profile = tls_profile_ref(p->profile);
    f->p.trust = trust_ref(p->trust);
    f->p.max_bytes = at_most(p->max_bytes, LIMIT_FETCH_BYTES);
    f->p.total_ms = (unsigned)at_most(p->total_ms, LIMIT_FETCH_MS);
    f->p.slow_ms = (unsigned)at_most(p->slow_ms, LIMIT_FETCH_SLOW_MS);
    f->etag = copy(p->etag, &failed);
    f->last_modified = copy(p->last_modified, &failed);
    f->user_agent = copy(p->user_agent, &failed);
    if (p->post) {
        f->post_body = slice_dup(p->body);
        failed |= f->post_body == NULL;
    }
    buf_init(&f->body, f->p.max_bytes);
    return !failed;
}

static struct result set_up(struct fetch *f, const struct fetch_params *p, struct errinfo *e)
{
    if (!copy_params(f, p))
        return fail(e, ERR_NOMEM, "out of memory for a fetch");
    f->total = loop_timer_new(p->loop, on_total, f);
    if (f->total == NULL)
        return fail(e, ERR_NOMEM, "out of memory for a fetch");
    TRY(weburl_parse(p->url, &f->url, e));
    if (p->user != NULL && p->user[0] != '\0') {
        wipe_free_str(f->url.user);
        wipe_free_str(f->url.password);
        TRY(weburl_set_credentials(&f->url, p->user, p->password));
    }
    loop_timer_start(f->total, f->p.total_ms);
    return ask(f, e);
}

RESULT fetch_start(const struct fetch_params *p, fetch_fn *fn, void *arg, struct fetch **out,
                   struct errinfo *e)
{
    assert(p->profile != NULL && p->trust != NULL);
    struct fetch *f = calloc(1, sizeof *f);
    if (f == NULL)
        return fail(e, ERR_NOMEM, "out of memory for a fetch");
    f->fn = fn;
    f->arg = arg;
    const struct result r = set_up(f, p, e);
    if (is_err(r)) {
        fetch_cancel(f);
        return fail(e, r.code, "out of memory for a fetch");
    }
    *out = f;
    return OK;
}
