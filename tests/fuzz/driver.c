/*
 * Runs a fuzz target without libFuzzer, for builds by any compiler: every file of the corpus as it
 * is, then, in rounds, mutations of each, until there were enough of them or a few seconds are
 * over. They are the same in every run, so a failure comes back; finding new inputs is `./dev fuzz
 * NAME`.
 *
 * usage: fuzz_NAME [FILE | DIRECTORY]...
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define INPUT_MAX     (1U << 20)
#define ROUNDS        20U    /* of mutations, over all files */
#define MUTATIONS     10U    /* of each file in a round */
#define INPUTS_MAX    50000U /* a large corpus has its own variety */
#define SECONDS_MAX   5      /* of processor time, for mutations */
#define EDITS_MAX     8U     /* in one mutation */
#define PATH_SIZE_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static unsigned long inputs_run;
static unsigned round_now; /* 0: the files as they are */
static clock_t end;        /* of the mutations */

/* xorshift64 */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* From a heap block of exactly its size, so that a read past the end is seen. */
static void run_bytes(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size > 0 ? size : 1);

    if (exact == NULL)
        abort();
    memcpy(exact, data, size);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    inputs_run++;
}

/* Changes, removes or doubles a few bytes; returns the new size. DATA has room for one byte more.
 */
static size_t mutate(uint8_t *data, size_t size, uint64_t *state)
{
    uint64_t r = next_random(state);
    size_t at = (size_t)(r >> 16) % size;

    switch (r % 4) {
    case 0:
        data[at] ^= (uint8_t)(1U << ((r >> 8) % 8));
        return size;
    case 1:
        data[at] = (uint8_t)(r >> 8);
        return size;
    case 2:
        memmove(data + at, data + at + 1, size - at - 1);
        return size - 1;
    default:
        memmove(data + at + 1, data + at, size - at);
        return size + 1;
    }
}

static void run_mutations(const uint8_t *data, size_t size)
{
    uint64_t state = (0x9e3779b97f4a7c15U ^ size) + round_now;
    uint8_t *changed = malloc(size + EDITS_MAX);

    if (changed == NULL)
        abort();
    for (unsigned i = 0; i < MUTATIONS && clock() < end; i++) {
        size_t n = size;
        uint64_t edits = 1 + next_random(&state) % EDITS_MAX;

        memcpy(changed, data, size);
        for (uint64_t e = 0; e < edits && n > 0; e++)
            n = mutate(changed, n, &state);
        run_bytes(changed, n);
    }
    free(changed);
}

static int run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(INPUT_MAX);
    size_t size;

    if (f == NULL || data == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        if (f != NULL)
            fclose(f);
        free(data);
        return 1;
    }
    size = fread(data, 1, INPUT_MAX, f);
    fclose(f);
    if (round_now == 0)
        run_bytes(data, size);
    else if (size > 0 && inputs_run < INPUTS_MAX)
        run_mutations(data, size);
    free(data);
    return 0;
}

static int run_directory(const char *path)
{
    DIR *dir = opendir(path);
    int failed = 0;

    if (dir == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return 1;
    }
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char file[PATH_SIZE_MAX];

        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
        failed |= run_file(file);
    }
    closedir(dir);
    return failed;
}

static int run_all(int count, char **paths)
{
    int failed = 0;

    for (int i = 0; i < count; i++) {
        struct stat st;

        if (stat(paths[i], &st) == 0 && S_ISDIR(st.st_mode))
            failed |= run_directory(paths[i]);
        else
            failed |= run_file(paths[i]);
    }
    return failed;
}

int main(int argc, char **argv)
{
    if (LLVMFuzzerInitialize != NULL)
        (void)LLVMFuzzerInitialize(&argc, &argv);
    int failed = run_all(argc - 1, argv + 1);
    end = clock() + (clock_t)SECONDS_MAX * CLOCKS_PER_SEC;
    for (round_now = 1; round_now <= ROUNDS && clock() < end; round_now++)
        failed |= run_all(argc - 1, argv + 1);
    printf("%lu inputs\n", inputs_run);
    if (inputs_run == 0) {
        fprintf(stderr, "nothing to run: the corpus is empty\n");
        failed = 1;
    }
    return failed;
}
