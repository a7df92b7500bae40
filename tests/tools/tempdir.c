#include "tools/tempdir.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void must(bool done, const char *what)
{
    if (done)
        return;
    perror(what);
    abort();
}

void tempdir_make(char out[TEMPDIR_SIZE])
{
    /* In memory, where it can be: no test is about the disk, and syncing one takes time. */
    (void)snprintf(out, TEMPDIR_SIZE, "/dev/shm/sipsd-test.XXXXXX");
    if (mkdtemp(out) != NULL)
        return;
    (void)snprintf(out, TEMPDIR_SIZE, "/tmp/sipsd-test.XXXXXX");
    must(mkdtemp(out) != NULL, "mkdtemp");
}

const char *tempdir_path(const char *dir, const char *name)
{
    static char path[4][512];
    static unsigned turn;
    turn = (turn + 1) % 4;
    must(snprintf(path[turn], sizeof path[turn], "%s/%s", dir, name) < (int)sizeof path[turn],
         name);
    return path[turn];
}

static bool is_real(const char *name)
{
    return strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

void tempdir_remove(const char *path)
{
    (void)chmod(path, 0700);
    DIR *d = opendir(path);
    const struct dirent *entry;
    while (d != NULL && (entry = readdir(d)) != NULL) {
        char inner[512];
        if (!is_real(entry->d_name))
            continue;
        must(snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name) < (int)sizeof inner, path);
        if (unlink(inner) != 0)
            tempdir_remove(inner);
    }
    if (d != NULL)
        (void)closedir(d);
    (void)rmdir(path);
}

void tempdir_put(const char *path, struct slice content)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(fd >= 0, path);
    must(content.n == 0 || write(fd, content.p, content.n) == (ssize_t)content.n, path);
    must(close(fd) == 0, path);
}

static unsigned count(const char *dir, bool hidden_only)
{
    unsigned n = 0;
    DIR *d = opendir(dir);
    const struct dirent *entry;
    while (d != NULL && (entry = readdir(d)) != NULL)
        n += is_real(entry->d_name) && (!hidden_only || entry->d_name[0] == '.');
    if (d != NULL)
        (void)closedir(d);
    return n;
}

unsigned tempdir_count(const char *dir)
{
    return count(dir, false);
}

unsigned tempdir_count_hidden(const char *dir)
{
    return count(dir, true);
}
