/* Bytes of tensors to and from a file, past HDF5. */
#include "checkpoint_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "mot/memory.h"

/* Small enough that a piece is still in the cache when it is written after it was looked at. */
enum { PIECE = 1 << 18 }; /* numbers */

mot_status mot_tensor_file_open(mot_tensor_file *file, const char *path, const char *shown, bool write)
{
    *file = (mot_tensor_file){.descriptor = -1, .path = shown};
    if (!write) {
        const mot_status status = mot_allocate(&file->room, PIECE, sizeof(mot_real), "a piece of a tensor");
        if (status != MOT_OK) return status;
    }
    file->descriptor = open(path, (write ? O_WRONLY | O_CREAT : O_RDONLY) | O_CLOEXEC, 0666);
    if (file->descriptor >= 0) return MOT_OK;
    return mot_fail(MOT_ERR_FILE, "cannot %s %s: opening: %s (all hosts must see the run folder)",
                    write ? "write" : "read", shown, strerror(errno));
}

mot_status mot_tensor_file_close(mot_tensor_file *file, bool sync)
{
    mot_status status = MOT_OK;
    if (file->descriptor >= 0 && sync && fsync(file->descriptor) != 0)
        status = mot_fail(MOT_ERR_FILE, "cannot write %s: syncing: %s", file->path, strerror(errno));
    if (file->descriptor >= 0 && close(file->descriptor) != 0 && sync && status == MOT_OK)
        status = mot_fail(MOT_ERR_FILE, "cannot write %s: closing: %s", file->path, strerror(errno));
    mot_free(file->room);
    *file = (mot_tensor_file){.descriptor = -1};
    return status;
}

mot_status mot_tensor_file_reserve(const mot_tensor_file *file, uint64_t at, uint64_t bytes)
{
    if (bytes == 0 || fallocate(file->descriptor, 0, (off_t)at, (off_t)bytes) == 0) return MOT_OK;
    /* A file system that cannot promise room says so when the bytes come. */
    if (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINTR) return MOT_OK;
    return mot_fail(MOT_ERR_FILE, "cannot write %s: asking for %" PRIu64 " bytes: %s", file->path, bytes,
                    strerror(errno));
}

/* The first number that is not finite, or `count`. */
static size_t first_not_finite(const mot_real *value, size_t count)
{
    const uint32_t exponent = 0x7f800000;
    uint32_t bad = 0;
    for (size_t i = 0; i < count; ++i) {
        uint32_t bits;
        memcpy(&bits, value + i, sizeof bits);
        bad |= (uint32_t)((bits & exponent) == exponent);
    }
    size_t i = 0;
    for (; i < count && bad != 0; ++i) {
        uint32_t bits;
        memcpy(&bits, value + i, sizeof bits);
        if ((bits & exponent) == exponent) return i;
    }
    return count;
}

static mot_status write_at(const mot_tensor_file *file, const void *bytes, size_t count, uint64_t at)
{
    if (mot_write_at(file->descriptor, bytes, count, at) == count) return MOT_OK;
    return mot_fail(MOT_ERR_FILE, "cannot write %s: writing: %s", file->path, strerror(errno));
}

static mot_status read_at(const mot_tensor_file *file, void *bytes, size_t count, uint64_t at)
{
    const size_t have = mot_read_at(file->descriptor, bytes, count, at);
    if (have == count) return MOT_OK;
    if (errno != 0) return mot_fail(MOT_ERR_INPUT, "cannot read %s: %s", file->path, strerror(errno));
    return mot_fail(MOT_ERR_INPUT, "cannot read %s: it ends before byte %" PRIu64, file->path, at + have);
}

mot_status mot_tensor_write(const mot_tensor_file *file, uint64_t at, const mot_real *value, size_t count,
                            const char *name, mot_digest *digest, mot_digest_state *all)
{
    mot_status status = MOT_OK;
    mot_digest_state *own = mot_digest_begin();
    if (own == NULL) return mot_fail(MOT_ERR_MEMORY, "not enough memory for a digest");
    for (size_t i = 0; i < count; i += PIECE) {
        const size_t n = MOT_MIN((size_t)PIECE, count - i), bad = first_not_finite(value + i, n);
        if (bad < n) {
            /* Such a checkpoint would be refused when it is needed; better the last good one stays the newest. */
            status = mot_fail(MOT_ERR_NUMERIC, "/%s is %g at [%zu]: no checkpoint is written", name,
                              (double)value[i + bad], i + bad);
            goto done;
        }
        mot_digest_add(own, value + i, n * sizeof *value);
        if (all != NULL) mot_digest_add(all, value + i, n * sizeof *value);
        const uint64_t place = at + i * sizeof *value;
        MOT_TRY(write_at(file, value + i, n * sizeof *value, place));
        /* At once, while the next piece is looked at; what is less goes with all of its unit. */
        if (n == PIECE) mot_tensor_file_hurry(file, place, n * sizeof *value);
    }
done:
    *digest = mot_digest_end(own);
    return status;
}

void mot_tensor_file_hurry(const mot_tensor_file *file, uint64_t at, uint64_t bytes)
{
    (void)sync_file_range(file->descriptor, (off_t)at, (off_t)bytes, SYNC_FILE_RANGE_WRITE);
}

/* The digest of what is there, and the first number that is not finite; *bad is `count` when all are. */
static mot_status look_at(const mot_tensor_file *file, uint64_t at, size_t count, mot_digest *digest,
                          size_t *bad, mot_real *found)
{
    mot_status status = MOT_OK;
    mot_real *const piece = file->room;
    mot_digest_state *state = mot_digest_begin();
    *bad = count;
    if (state == NULL) return mot_fail(MOT_ERR_MEMORY, "not enough memory for a digest");
    for (size_t i = 0; i < count && status == MOT_OK; i += PIECE) {
        const size_t n = MOT_MIN((size_t)PIECE, count - i);
        status = read_at(file, piece, n * sizeof *piece, at + i * sizeof *piece);
        if (status != MOT_OK) break;
        mot_digest_add(state, piece, n * sizeof *piece);
        const size_t first = *bad == count ? first_not_finite(piece, n) : n;
        if (first < n) {
            *bad = i + first;
            *found = piece[first];
        }
    }
    *digest = mot_digest_end(state);
    return status;
}

mot_status mot_tensor_digest(const mot_tensor_file *file, uint64_t at, size_t count, mot_digest *digest)
{
    size_t bad;
    mot_real found;
    return look_at(file, at, count, digest, &bad, &found);
}

mot_status mot_tensor_check(const mot_tensor_file *file, uint64_t at, size_t count, const char *name,
                            const mot_digest *digest)
{
    char is[MOT_DIGEST_TEXT], was[MOT_DIGEST_TEXT];
    size_t bad;
    mot_real found = 0;
    mot_digest of_file;
    const mot_status status = look_at(file, at, count, &of_file, &bad, &found);
    if (status != MOT_OK) return status;
    if (memcmp(&of_file, digest, sizeof of_file) != 0) {
        mot_digest_text(&of_file, is);
        mot_digest_text(digest, was);
        return mot_fail(MOT_ERR_INPUT,
                        "%s: the checkpoint is damaged: tensor /%s has checksum %s, %s was written; mot inspect "
                        "--reseal seals what was changed on purpose",
                        file->path, name, is, was);
    }
    if (bad < count)
        return mot_fail(MOT_ERR_INPUT, "%s: tensor /%s is %g at [%zu], expected a finite value", file->path,
                        name, (double)found, bad);
    return MOT_OK;
}

mot_status mot_tensor_read(const mot_tensor_file *file, uint64_t at, mot_real *value, size_t count)
{
    return read_at(file, value, count * sizeof *value, at);
}
