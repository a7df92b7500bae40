/* The writing half of sys/generation.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ascii.h"
#include "base/limits.h"
#include "sys/fileio.h"
#include "sys/generation.h"
#include "sys/generation_dir.h"
#include "sys/seal.h"

/* --- what is left of interrupted writes --- */

/* One writer at a time: until D is closed. */
static RESULT lock(const struct generation_dir *d, struct errinfo *e)
{
    if (flock(d->fd, LOCK_EX | LOCK_NB) == 0)
        return OK;
    return errno == EWOULDBLOCK
               ? fail(e, ERR_BUSY, "another process is writing to %s: two writers at once", d->path)
               : fileio_fail(e, errno, "lock", d->path);
}

/* ".00000012.new": being written; ".00000010.old": being removed. */
static bool is_leftover(const char *name)
{
    const struct slice s = slice_of_str(name);
    return s.n > 2 && s.p[0] == '.' && ascii_is_digit(s.p[1]) &&
           (slice_ends(s, SLICE_LIT(".new")) || slice_ends(s, SLICE_LIT(".old")));
}

static RESULT remove_leftovers(const struct generation_dir *d, struct errinfo *e)
{
    const struct dirent *entry;
    const int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    int error = list == NULL ? errno : 0;
    if (list == NULL) {
        if (fd >= 0)
            (void)close(fd);
        return fileio_fail(e, error, "clean", d->path);
    }
    /* cppcheck-suppress readdirCalled ; as in generation_dir.c */
    while ((entry = readdir(list)) != NULL)
        if (is_leftover(entry->d_name) && !fileio_remove_all(d->fd, entry->d_name))
            error = errno;
    (void)closedir(list);
    return error == 0 ? OK : fileio_fail(e, error, "clean", d->path);
}

/* --- old generations --- */

/* Looked at in one write: three, when nothing was ever left undone. */
#define OLD_MAX 16

/* An old generation is looked through, and what is damaged in it moved to DIR/damaged. */
struct pruning {
    const struct generation_dir *d;
    char path[PATH_MAX + sizeof "/../damaged"];
    int damaged; /* that directory, open since there was something for it, or -1 */
};

/* FROM in the directory FD becomes damaged/NUMBER-NAME. */
static void set_aside(struct pruning *p, int fd, const char *from, uint64_t number,
                      const char *name)
{
    char to[NAME_MAX + 1];
    generation_dir_name(number, to);
    const size_t used = strlen(to);
    if (name[0] != '\0')
        (void)snprintf(to + used, sizeof to - used, "-%s", name);
    if (p->damaged < 0) {
        (void)mkdir(p->path, 0700);
        p->damaged = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    (void)fileio_remove_all(p->damaged, to);
    (void)renameat(fd, from, p->damaged, to);
}

static void set_files_aside(struct pruning *p, const struct generation_inside *in, uint64_t number)
{
    for (size_t i = 0; i < in->files.count; i++) {
        struct buf file;
        struct slice content;
        struct errinfo why = ERRINFO_INIT;
        buf_init(&file, LIMIT_GENERATION_BYTES + SEAL_LEN);
        const struct result r = generation_dir_read(in, in->files.names[i], &file, &content, &why);
        if (is_err(r) && !generation_dir_is_passing(r, &why))
            set_aside(p, in->fd, in->files.names[i], number, in->files.names[i]);
        buf_wipe(&file);
    }
}

/* What is damaged in generation NUMBER is moved away; false if that was all of it. */
static bool set_damage_aside(struct pruning *p, uint64_t number)
{
    struct generation_inside in;
    struct errinfo why = ERRINFO_INIT;
    char name[GENERATION_DIR_NAME];
    const struct result r = generation_dir_enter(p->d, number, &in, &why);
    if (is_ok(r)) {
        set_files_aside(p, &in, number);
        generation_dir_leave(&in);
        return true;
    }
    if (generation_dir_is_passing(r, &why))
        return true;
    generation_dir_name(number, name);
    set_aside(p, p->d->fd, name, number, "");
    return false;
}

/* Under another name first: what an interruption leaves must not look like a generation. */
static void remove_generation(const struct generation_dir *d, uint64_t number)
{
    char name[GENERATION_DIR_NAME];
    char dying[GENERATION_DIR_NAME + 8];
    generation_dir_name(number, name);
    (void)snprintf(dying, sizeof dying, ".%s.old", name);
    if (renameat(d->fd, name, d->fd, dying) == 0)
        (void)fileio_remove_all(d->fd, dying);
}

/* The oldest go first: their names begin with their numbers. */
static void trim_damaged(const struct pruning *p)
{
    struct namelist list;
    if (is_ok(namelist_read(p->damaged, p->path, LIMIT_DAMAGED_FILES + LIMIT_GENERATION_FILES,
                            namelist_any, &list, NULL)))
        for (size_t i = 0; i + LIMIT_DAMAGED_FILES < list.total && i < list.count; i++)
            (void)fileio_remove_all(p->damaged, list.names[i]);
    namelist_free(&list);
}

/* A failure leaves something for the next write, which is fine: the new one is in place. */
static void prune(const struct generation_dir *d, uint64_t newest)
{
    struct pruning p = {.d = d, .damaged = -1};
    unsigned kept = 0;
    (void)snprintf(p.path, sizeof p.path, "%s/../damaged", d->path);
    for (unsigned i = 0; i < OLD_MAX; i++) {
        uint64_t number;
        if (is_err(generation_dir_newest(d, newest, &number, NULL)) || number == 0)
            break;
        if (set_damage_aside(&p, number) && kept++ > 0)
            remove_generation(d, number);
        newest = number;
    }
    if (p.damaged >= 0) {
        trim_damaged(&p);
        (void)close(p.damaged);
    }
}

/* --- a new one --- */

static RESULT check_files(const struct generation_file *files, size_t n, struct errinfo *e)
{
    if (n > LIMIT_GENERATION_FILES)
        return fail(e, ERR_LIMIT, "%zu files are more than the %d allowed", n,
                    LIMIT_GENERATION_FILES);
    for (size_t i = 0; i < n; i++) {
        if (!generation_is_name(files[i].name))
            return fail(e, ERR_INVALID, "'%s' cannot be the name of a file", files[i].name);
        if (files[i].content.n > LIMIT_GENERATION_BYTES)
            return fail(e, ERR_LIMIT, "%s is larger than the %d bytes allowed", files[i].name,
                        LIMIT_GENERATION_BYTES);
        for (size_t j = 0; j < i; j++)
            if (strcmp(files[i].name, files[j].name) == 0)
                return fail(e, ERR_INVALID, "there are two files with the name %s", files[i].name);
    }
    return OK;
}

/* The directory in which generation NUMBER is made, and the one that it becomes. */
struct draft {
    const struct generation_dir *d;
    char name[GENERATION_DIR_NAME];
    char temporary[GENERATION_DIR_NAME + 8];
    int fd;
    char path[PATH_MAX + GENERATION_DIR_NAME];
};

static RESULT draft_file(const struct draft *t, const struct generation_file *file,
                         struct errinfo *e)
{
    char seal[SEAL_LEN + 1];
    char path[PATH_MAX + GENERATION_DIR_NAME + NAME_MAX + 2];
    seal_make(file->content, seal);
    (void)snprintf(path, sizeof path, "%s/%s", t->path, file->name);
    const struct slice parts[] = {slice_of(seal, SEAL_LEN), file->content};
    return fileio_create(t->fd, file->name, 0600, parts, 2, path, e);
}

static RESULT draft_files(const struct draft *t, const struct generation_file *files, size_t n,
                          struct errinfo *e)
{
    for (size_t i = 0; i < n; i++)
        TRY(draft_file(t, &files[i], e));
    return fsync(t->fd) == 0 ? OK : fileio_fail(e, errno, "sync", t->path);
}

/* Whatever the umask is. */
static RESULT draft_open(struct draft *t, struct errinfo *e)
{
    t->fd = -1;
    if (mkdirat(t->d->fd, t->temporary, 0700) == 0 &&
        fchmodat(t->d->fd, t->temporary, 0700, 0) == 0)
        t->fd = openat(t->d->fd, t->temporary, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return t->fd >= 0 ? OK : fileio_fail(e, errno, "make", t->path);
}

/* If the new name may not outlast a power cut it is taken back, so that a caller that is told of a
 * failure does not find the new generation at the next start. */
static RESULT draft_publish(const struct draft *t, struct errinfo *e)
{
    if (renameat(t->d->fd, t->temporary, t->d->fd, t->name) != 0)
        return fileio_fail(e, errno, "make", t->path);
    if (fsync(t->d->fd) == 0)
        return OK;
    const int error = errno;
    (void)renameat(t->d->fd, t->name, t->d->fd, t->temporary);
    return fileio_fail(e, error, "sync", t->d->path);
}

static RESULT write_number(const struct generation_dir *d, uint64_t number,
                           const struct generation_file *files, size_t n, struct errinfo *e)
{
    struct draft t = {.d = d};
    generation_dir_name(number, t.name);
    (void)snprintf(t.temporary, sizeof t.temporary, ".%s.new", t.name);
    (void)snprintf(t.path, sizeof t.path, "%s/%s", d->path, t.name);
    struct result r = draft_open(&t, e);
    if (is_ok(r))
        r = draft_files(&t, files, n, e);
    if (is_ok(r))
        r = draft_publish(&t, e);
    if (t.fd >= 0)
        (void)close(t.fd);
    if (is_err(r))
        (void)fileio_remove_all(d->fd, t.temporary);
    return r;
}

static RESULT write_next(const struct generation_dir *d, const struct generation_file *files,
                         size_t n, uint64_t *number, struct errinfo *e)
{
    uint64_t newest;
    TRY(lock(d, e));
    TRY(remove_leftovers(d, e));
    TRY(generation_dir_newest(d, UINT64_MAX, &newest, e));
    if (newest == UINT64_MAX - 1)
        return fail(e, ERR_LIMIT, "%s has the highest number that there is", d->path);
    TRY(write_number(d, newest + 1, files, n, e));
    prune(d, newest + 1);
    if (number != NULL)
        *number = newest + 1;
    return OK;
}

RESULT generation_write(const char *dir, const struct generation_file *files, size_t n,
                        uint64_t *number, struct errinfo *e)
{
    struct generation_dir d;
    TRY(check_files(files, n, e));
    TRY(generation_dir_make(dir, e));
    TRY(generation_dir_open(dir, &d, e));
    const struct result r = write_next(&d, files, n, number, e);
    generation_dir_close(&d);
    return r;
}

RESULT generation_clean(const char *dir, struct errinfo *e)
{
    struct generation_dir d;
    struct errinfo why = ERRINFO_INIT;
    struct result r = generation_dir_open(dir, &d, &why);
    if (r.code == ERR_NOT_FOUND)
        return OK;
    if (is_err(r))
        return fail_native(e, r.code, why.native, "%s", why.text);
    r = lock(&d, e);
    if (is_ok(r))
        r = remove_leftovers(&d, e);
    generation_dir_close(&d);
    return r;
}
