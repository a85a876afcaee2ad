/* driver.c: runs a fuzzer where there is no libFuzzer, in the build with GCC's sanitizers.
 *
 * usage: fuzz_PARSER FILE             one input, as it is
 *        fuzz_PARSER FOLDER COUNT     each seed of the folder, then COUNT changed ones, the same each time
 *
 * Nothing leads it to new code, as Clang's fuzzer is led (fuzz.sh): it finds what a few changed bytes do. The input that
 * is being tried lies in a file beside the parser's own, which is left behind when the parser does what it must not. */
#include <dirent.h>

#include "fuzz.h"
#include "mot/rng.h"

enum { LONGEST = 16384, MOST_SEEDS = 128, MOST_CHANGES = 4 };

typedef struct input {
    uint8_t bytes[LONGEST];
    size_t size;
} input;

static input seeds[MOST_SEEDS];
static int seed_count;
static size_t drawn; /* numbers so far */

/* One of 0 .. below - 1. */
static size_t draw(size_t below)
{
    const uint32_t word = mot_random(1, MOT_STREAM_TEST, (uint32_t)drawn++, 0, 0, 0).word[0];
    return word % (below > 0 ? below : 1);
}

static void load(input *it, const char *path)
{
    FILE *file = fopen(path, "rb");
    FUZZ_CHECK(file != NULL);
    it->size = fread(it->bytes, 1, LONGEST, file);
    fclose(file);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In the order of their names, which is that of no folder. */
static void load_folder(const char *folder)
{
    char *names[MOST_SEEDS], path[PATH_MAX];
    DIR *all = opendir(folder);
    FUZZ_CHECK(all != NULL);
    for (struct dirent *entry; (entry = readdir(all)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        FUZZ_CHECK(seed_count < MOST_SEEDS && (names[seed_count++] = strdup(entry->d_name)) != NULL);
    }
    closedir(all);
    FUZZ_CHECK(seed_count > 0);
    qsort(names, (size_t)seed_count, sizeof names[0], by_name);
    for (int i = 0; i < seed_count; ++i) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        load(&seeds[i], path);
        free(names[i]);
    }
}

static void overwrite_bit(input *it)
{
    if (it->size > 0) it->bytes[draw(it->size)] ^= (uint8_t)(1u << draw(8));
}

/* What counts, sizes and signs turn on, in one to eight bytes of either order. */
static void overwrite_number(input *it)
{
    static const uint64_t numbers[] = {0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX};
    const uint64_t number = numbers[draw(MOT_COUNT(numbers))];
    const size_t width = (size_t)1 << draw(4);
    if (it->size < width) return;
    uint8_t *at = it->bytes + draw(it->size - width + 1);
    const bool turned = draw(2) == 0;
    for (size_t i = 0; i < width; ++i) at[turned ? width - 1 - i : i] = (uint8_t)(number >> 8 * i);
}

static void cut_out(input *it)
{
    const size_t from = draw(it->size + 1), count = draw(it->size - from + 1);
    memmove(it->bytes + from, it->bytes + from + count, it->size - from - count);
    it->size -= count;
}

/* A stretch of some seed, itself maybe, at any place. */
static void put_in(input *it)
{
    const input *other = &seeds[draw((size_t)seed_count)];
    const size_t from = draw(other->size + 1), to = draw(it->size + 1);
    size_t count = draw(other->size - from + 1);
    if (count > LONGEST - it->size) count = LONGEST - it->size;
    memmove(it->bytes + to + count, it->bytes + to, it->size - to);
    memcpy(it->bytes + to, other->bytes + from, count);
    it->size += count;
}

static void change(input *it)
{
    static void (*const ways[])(input *) = {overwrite_bit, overwrite_bit, overwrite_number, overwrite_number, cut_out, put_in};
    for (size_t left = 1 + draw(MOST_CHANGES); left > 0; --left) ways[draw(MOT_COUNT(ways))](it);
}

/* The bytes in memory of their own size, so that one that is read behind them is found. */
static void try_one(const input *it)
{
    uint8_t *bytes = malloc(it->size > 0 ? it->size : 1);
    FUZZ_CHECK(bytes != NULL);
    memcpy(bytes, it->bytes, it->size);
    LLVMFuzzerTestOneInput(bytes, it->size);
    free(bytes);
}

int main(int argc, char **argv)
{
    static input it;
    if (argc == 2) {
        load(&it, argv[1]);
        try_one(&it);
        return 0;
    }
    FUZZ_CHECK(argc == 3);
    load_folder(argv[1]);
    const char *kept = fuzz_path("tried");
    printf("%d seeds, %s changed ones; what is tried lies in %s\n", seed_count, argv[2], kept);
    fflush(stdout);
    for (int i = 0; i < seed_count; ++i) try_one(&seeds[i]);
    for (long count = atol(argv[2]); count > 0; --count) {
        it = seeds[draw((size_t)seed_count)];
        change(&it);
        fuzz_save("tried", it.bytes, it.size);
        try_one(&it);
    }
    return 0;
}
