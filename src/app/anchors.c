#include "app/anchors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "pki/certfile.h"
#include "sys/store.h"

struct anchor {
    char *name;
    uint8_t *der;
    size_t der_len;
};

struct anchors {
    const char *dir; /* while they are read */
    struct anchor list[LIMIT_CUSTOM_CAS];
    size_t count;
};

static void truncate_to(struct anchors *a, size_t count)
{
    while (a->count > count) {
        struct anchor *last = &a->list[--a->count];
        free(last->name);
        free(last->der);
    }
}

void anchors_free(struct anchors *a)
{
    if (a == NULL)
        return;
    truncate_to(a, 0);
    free(a);
}

struct file {
    struct anchors *anchors;
    const char *name;
};

static struct result add(void *arg, struct slice der, struct errinfo *e)
{
    const struct file *f = arg;
    struct anchors *a = f->anchors;
    if (a->count == LIMIT_CUSTOM_CAS)
        return fail(e, ERR_LIMIT, "only %d custom certificates are kept", LIMIT_CUSTOM_CAS);
    struct anchor *next = &a->list[a->count++];
    *next = (struct anchor){strdup(f->name), malloc(der.n), der.n};
    if (next->name == NULL || next->der == NULL)
        return fail(e, ERR_NOMEM, "out of memory for a certificate");
    memcpy(next->der, der.p, der.n);
    return OK;
}

static struct result read_file(struct file *f, const char *path, struct errinfo *e)
{
    struct buf content;
    buf_init(&content, LIMIT_CERT_FILE_BYTES);
    struct result r = store_read(path, &content, e);
    if (is_ok(r))
        r = certfile_each(buf_slice(&content), add, f, e);
    buf_free(&content);
    return r;
}

static void read_one(void *arg, const char *name)
{
    struct anchors *a = arg;
    if (!slice_ends(slice_of_str(name), SLICE_LIT(".pem")))
        return;
    struct file f = {a, name};
    struct errinfo e = ERRINFO_INIT;
    char path[4096];
    const size_t before = a->count;
    (void)snprintf(path, sizeof path, "%s/%s", a->dir, name);
    const struct result r = read_file(&f, path, &e);
    if (is_ok(r))
        return;
    truncate_to(a, before);
    log_warning("trust", "%s is left out: %s", name, errinfo_text(&e, r));
}

RESULT anchors_read(const char *dir, struct anchors **out, struct errinfo *e)
{
    struct anchors *a = calloc(1, sizeof *a);
    if (a == NULL)
        return fail(e, ERR_NOMEM, "out of memory for the custom certificates");
    a->dir = dir;
    const struct result r = store_list(dir, LIMIT_TRUST_FILES, read_one, a, e);
    if (is_err(r) && r.code != ERR_NOT_FOUND) {
        anchors_free(a);
        return r;
    }
    a->dir = NULL;
    *out = a;
    return OK;
}

bool anchors_equal(const struct anchors *a, const struct anchors *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct anchor *x = &a->list[i];
        const struct anchor *y = &b->list[i];
        if (strcmp(x->name, y->name) != 0 || x->der_len != y->der_len ||
            memcmp(x->der, y->der, x->der_len) != 0)
            return false;
    }
    return true;
}

static void refused(void *arg, const char *name, const struct errinfo *why)
{
    (void)arg;
    log_warning("trust", "%s is left out: %s", name, why->text);
}

RESULT anchors_trust(const struct anchors *a, struct trust **out, struct errinfo *e)
{
    struct trust_custom custom[LIMIT_CUSTOM_CAS];
    for (size_t i = 0; i < a->count; i++)
        custom[i] = (struct trust_custom){
            .name = a->list[i].name,
            .der = slice_of(a->list[i].der, a->list[i].der_len),
        };
    return trust_new(custom, a->count, refused, NULL, out, e);
}
