/* fuzz.h: what the fuzzers share.
 *
 * An input is one byte of choices, then pieces with `fuzz_between` between them: the files that a parser reads. They
 * lie in a folder in memory. After every input nothing of it may be left: no memory, no descriptor, no HDF5 object. */
#ifndef MOT_FUZZ_H
#define MOT_FUZZ_H

#include <fcntl.h>
#include <hdf5.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mot/atomic_file.h"
#include "mot/memory.h"
#include "mot/types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_PIECES = 8 };
static const char fuzz_between[] = "\xff<>\xff";

typedef struct fuzz_input {
    unsigned choice;
    size_t count, size[FUZZ_PIECES];
    const uint8_t *piece[FUZZ_PIECES];
} fuzz_input;

/* There is always a first piece, maybe an empty one; what stands behind the last one is part of it. */
static inline fuzz_input fuzz_cut(const uint8_t *data, size_t size)
{
    fuzz_input input = {.choice = size > 0 ? data[0] : 0};
    const uint8_t *at = size > 0 ? data + 1 : data, *const end = data + size;
    const size_t length = sizeof fuzz_between - 1;
    for (;;) {
        const uint8_t *stop = input.count + 1 < FUZZ_PIECES && at < end
                                  ? memmem(at, (size_t)(end - at), fuzz_between, length)
                                  : NULL;
        input.piece[input.count] = at;
        input.size[input.count++] = (size_t)((stop != NULL ? stop : end) - at);
        if (stop == NULL) return input;
        at = stop + length;
    }
}

/* A sentence of the fuzzer's own: the parser did what it must not do. */
#define FUZZ_CHECK(condition)                                                                                \
    do {                                                                                                     \
        if (condition) break;                                                                                \
        fprintf(stderr, "%s:%d: not so: %s (last sentence: %s)\n", __FILE__, __LINE__, #condition,           \
                mot_error_message());                                                                        \
        abort();                                                                                             \
    } while (0)

/* Bad input is refused as such, in a sentence. */
static inline bool fuzz_accepted(mot_status status)
{
    if (status == MOT_OK) return true;
    FUZZ_CHECK(status == MOT_ERR_INPUT || status == MOT_ERR_MEMORY);
    FUZZ_CHECK(mot_error_message()[0] != '\0');
    return false;
}

/* ---- files ---- */

static char fuzz_folder[64];

static inline void fuzz_remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", fuzz_folder);
    if (system(command) != 0) perror(fuzz_folder);
}

static inline const char *fuzz_path(const char *name)
{
    static char paths[16][256];
    static int next;
    if (fuzz_folder[0] == '\0') {
        snprintf(fuzz_folder, sizeof fuzz_folder, "/dev/shm/mot-fuzz-XXXXXX");
        FUZZ_CHECK(mkdtemp(fuzz_folder) != NULL);
        atexit(fuzz_remove_folder);
    }
    char *path = paths[next++ % 16];
    snprintf(path, sizeof paths[0], "%s/%s", fuzz_folder, name);
    return path;
}

static inline const char *fuzz_save(const char *name, const void *bytes, size_t count)
{
    const char *path = fuzz_path(name);
    FILE *file = fopen(path, "wb");
    FUZZ_CHECK(file != NULL && fwrite(bytes, 1, count, file) == count);
    fclose(file);
    return path;
}

/* ---- what is left behind ---- */

typedef struct fuzz_state {
    size_t held;
    int descriptor;
} fuzz_state;

static inline fuzz_state fuzz_look(void)
{
    const fuzz_state state = {mot_memory_held(), open("/dev/null", O_RDONLY)};
    FUZZ_CHECK(state.descriptor >= 0);
    close(state.descriptor);
    return state;
}

static inline void fuzz_nothing_left(fuzz_state before)
{
    const fuzz_state now = fuzz_look();
    FUZZ_CHECK(now.held == before.held);
    FUZZ_CHECK(now.descriptor == before.descriptor); /* the lowest free one */
    FUZZ_CHECK(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL) <= 0);
}

#endif
