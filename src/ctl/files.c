#include "ctl/files.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "pki/pem.h"
#include "sys/store.h"

/* Bytes of all files together that go with a request: as Base64, and with names beside, they fit
 * into LIMIT_RPC_REQUEST. And bytes of a piece. */
#define INLINE_MAX 42000
#define PIECE_SIZE 45000

#define CALL_TIMEOUT_MS 5000

static RESULT read_stdin(struct buf *out, struct errinfo *e)
{
    uint8_t *p;
    size_t n;
    do {
        const size_t want = buf_space(out) < PIECE_SIZE ? buf_space(out) : PIECE_SIZE;
        if (want == 0)
            return fail(e, ERR_LIMIT, "standard input has more than %d MB",
                        LIMIT_CERT_FILE_BYTES >> 20);
        TRY(buf_reserve(out, want, &p));
        n = fread(p, 1, want, stdin);
        buf_commit(out, n);
    } while (n > 0);
    return ferror(stdin) != 0 ? fail(e, ERR_SYSTEM, "standard input cannot be read") : OK;
}

int files_read(struct files *f, const char *path)
{
    struct errinfo e = ERRINFO_INIT;
    if (f->count == FILES_MAX)
        return ctl_fail(CTL_REFUSED, "no more than %d files at a time", FILES_MAX);
    struct file *next = &f->list[f->count];
    next->path = path;
    buf_init(&next->content, LIMIT_CERT_FILE_BYTES);
    const bool from_stdin = strcmp(path, "-") == 0;
    const struct result r =
        from_stdin ? read_stdin(&next->content, &e) : store_read(path, &next->content, &e);
    if (is_err(r)) {
        buf_wipe(&next->content);
        return ctl_fail(r.code == ERR_LIMIT ? CTL_REFUSED : CTL_FAILED, "%s", errinfo_text(&e, r));
    }
    f->count++;
    return CTL_OK;
}

void files_clear(struct files *f)
{
    for (size_t i = 0; i < f->count; i++)
        buf_wipe(&f->list[i].content);
    f->count = 0;
}

const char *files_name(const struct file *f)
{
    const char *slash = strrchr(f->path, '/');
    if (strcmp(f->path, "-") == 0)
        return FILES_NAME_STDIN;
    return slash != NULL ? slash + 1 : f->path;
}

static bool add_base64(cJSON *object, struct slice content)
{
    struct buf text;
    buf_init(&text, LIMIT_RPC_REQUEST);
    const char *s = is_ok(pem_encode(content, &text)) ? buf_str(&text) : NULL;
    const bool added = s != NULL && cJSON_AddStringToObject(object, "base64", s) != NULL;
    buf_wipe(&text);
    return added;
}

bool files_inline(cJSON *object, const struct file *f)
{
    return cJSON_AddStringToObject(object, "name", files_name(f)) != NULL &&
           add_base64(object, buf_slice(&f->content));
}

/* --- uploading --- */

/* What is on its way: all files, one behind the other. */
struct transfer {
    struct sipsd_client *client;
    size_t size, done;
    double number; /* that sipsd gave it; 0: not yet */
    int status;
};

static bool read_number(const char *json, double *number)
{
    cJSON *answer = cJSON_Parse(json);
    const cJSON *staged = cJSON_GetObjectItemCaseSensitive(answer, "staged");
    const bool ok = cJSON_IsNumber(staged);
    if (ok)
        *number = staged->valuedouble;
    cJSON_Delete(answer);
    return ok;
}

static bool out_of_memory(struct transfer *t)
{
    t->status = ctl_fail(CTL_FAILED, "out of memory");
    return false;
}

static bool send_piece(struct transfer *t, struct slice piece)
{
    char error[SIPSD_ERROR_SIZE];
    const char *json;
    cJSON *params = cJSON_CreateObject();
    bool ok = cJSON_AddNumberToObject(params, t->number == 0 ? "size" : "staged",
                                      t->number == 0 ? (double)t->size : t->number) != NULL;
    ok = ok && cJSON_AddNumberToObject(params, "offset", (double)t->done) != NULL &&
         add_base64(params, piece);
    char *text = ctl_take_params(params);
    if (!ok || text == NULL) {
        ctl_free_params(text);
        return out_of_memory(t);
    }
    const enum sipsd_status status =
        sipsd_client_call(t->client, "upload", text, CALL_TIMEOUT_MS, &json, error);
    ctl_free_params(text);
    if (status != SIPSD_OK || !read_number(json, &t->number)) {
        t->status = ctl_call_failed(status, status != SIPSD_OK ? error : "strange answer");
        return false;
    }
    t->done += piece.n;
    return true;
}

static bool send_file(struct transfer *t, const struct file *f)
{
    for (struct slice rest = buf_slice(&f->content); rest.n > 0;
         rest = slice_from(rest, PIECE_SIZE))
        if (!send_piece(t, slice_first(rest, PIECE_SIZE)))
            return false;
    return true;
}

/* --- a request --- */

static size_t total(const struct files *f)
{
    size_t n = 0;
    for (size_t i = 0; i < f->count; i++)
        n += buf_len(&f->list[i].content);
    return n;
}

static bool describe_staged(cJSON *object, const struct file *f, const struct transfer *t,
                            size_t offset)
{
    return cJSON_AddStringToObject(object, "name", files_name(f)) != NULL &&
           cJSON_AddNumberToObject(object, "staged", t->number) != NULL &&
           cJSON_AddNumberToObject(object, "offset", (double)offset) != NULL &&
           cJSON_AddNumberToObject(object, "size", (double)buf_len(&f->content)) != NULL;
}

static bool describe_all(const struct files *f, struct transfer *t, cJSON *list)
{
    const bool staged = t->size > INLINE_MAX;
    size_t offset = 0;
    for (size_t i = 0; i < f->count; i++) {
        if (staged && !send_file(t, &f->list[i]))
            return false;
    }
    for (size_t i = 0; i < f->count; i++) {
        cJSON *object = cJSON_CreateObject();
        if (!cJSON_AddItemToArray(list, object) ||
            !(staged ? describe_staged(object, &f->list[i], t, offset)
                     : files_inline(object, &f->list[i])))
            return out_of_memory(t);
        offset += buf_len(&f->list[i].content);
    }
    return true;
}

cJSON *files_describe(const struct files *f, struct sipsd_client *c, int *status)
{
    struct transfer t = {.client = c, .size = total(f)};
    cJSON *list = cJSON_CreateArray();
    if (t.size > LIMIT_CERT_FILE_BYTES) {
        *status = ctl_fail(CTL_REFUSED,
                           "the files are larger than %d MB together: add them one "
                           "after the other",
                           LIMIT_CERT_FILE_BYTES >> 20);
    } else if (list != NULL && describe_all(f, &t, list)) {
        return list;
    } else {
        *status = t.status;
    }
    cJSON_Delete(list);
    return NULL;
}
