/*
 * Runs a fuzz target without libFuzzer, for builds by any compiler: every file of the corpus as it
 * is, then a fixed number of mutations of each. The mutations are the same in every run, so a
 * failure comes back; finding new inputs is `./dev fuzz NAME`.
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

#define INPUT_MAX     (1U << 20)
#define MUTATIONS     200U   /* of each file */
#define INPUTS_MAX    50000U /* then files run as they are: a large corpus has its own variety */
#define EDITS_MAX     8U     /* in one mutation */
#define PATH_SIZE_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static unsigned long inputs_run;

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
    uint64_t state = 0x9e3779b97f4a7c15U ^ size;
    uint8_t *changed = malloc(size + EDITS_MAX);

    if (changed == NULL)
        abort();
    for (unsigned i = 0; i < MUTATIONS; i++) {
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
    run_bytes(data, size);
    if (size > 0 && inputs_run < INPUTS_MAX)
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

int main(int argc, char **argv)
{
    int failed = 0;

    if (LLVMFuzzerInitialize != NULL)
        (void)LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++) {
        struct stat st;

        if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
            failed |= run_directory(argv[i]);
        else
            failed |= run_file(argv[i]);
    }
    printf("%lu inputs\n", inputs_run);
    if (inputs_run == 0) {
        fprintf(stderr, "nothing to run: the corpus is empty\n");
        failed = 1;
    }
    return failed;
}
