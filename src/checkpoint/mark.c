#include "checkpoint_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mot/memory.h"

static const char magic[8] = {'m', 'o', 't', '-', 'm', 'r', 'k', '2'};
/* Version 1 had a mark of 32 bytes that covered the tensors too. */
static const char magic_1[8] = {'m', 'o', 't', '-', 'm', 'a', 'r', 'k'};
enum { MARK_1 = 32 };

static void put_number(unsigned char *bytes, uint64_t number)
{
    for (int byte = 0; byte < 8; ++byte) bytes[byte] = (unsigned char)(number >> 8 * byte);
}

static uint64_t get_number(const unsigned char *bytes)
{
    uint64_t number = 0;
    for (int byte = 0; byte < 8; ++byte) number |= (uint64_t)bytes[byte] << 8 * byte;
    return number;
}

static mot_status read_at(int file, const char *path, void *bytes, size_t count, uint64_t offset)
{
    for (size_t have = 0; have < count;) {
        const ssize_t got = pread(file, (char *)bytes + have, count - have, (off_t)(offset + have));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return mot_fail(MOT_ERR_INPUT, "cannot read %s: %s", path, strerror(errno));
        if (got == 0) return mot_fail(MOT_ERR_INPUT, "cannot read %s: it became shorter meanwhile", path);
        have += (size_t)got;
    }
    return MOT_OK;
}

static mot_status add_range(mot_digest_state *digest, int file, const char *path, uint64_t from, uint64_t to)
{
    enum { PIECE = 1 << 20 };
    unsigned char *piece = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&piece, PIECE, 1, "a piece of a checkpoint"));
    while (from < to) {
        const size_t length = (size_t)MOT_MIN((uint64_t)PIECE, to - from);
        MOT_TRY(read_at(file, path, piece, length, from));
        mot_digest_add(digest, piece, length);
        from += length;
    }
done:
    mot_free(piece);
    return status;
}

/* Of what belongs to HDF5: [0, head) and [end, count). */
static mot_status digest_file(int file, const char *path, uint64_t end, uint64_t count, mot_digest *result)
{
    mot_digest_state *digest = mot_digest_begin();
    if (digest == NULL) return mot_fail(MOT_ERR_MEMORY, "not enough memory for a digest");
    mot_status status = add_range(digest, file, path, 0, MOT_H5_HEAD);
    if (status == MOT_OK) status = add_range(digest, file, path, end, count);
    *result = mot_digest_end(digest);
    return status;
}

void mot_mark_make(unsigned char mark[MOT_MARK], uint64_t end, uint64_t count, const mot_digest *digest)
{
    memcpy(mark, magic, sizeof magic);
    put_number(mark + 8, end);
    put_number(mark + 16, count);
    memcpy(mark + 24, digest->byte, sizeof digest->byte);
}

mot_status mot_mark_append(void *context, const char *temporary, const char *path)
{
    const uint64_t end = *(const uint64_t *)context;
    unsigned char mark[MOT_MARK];
    struct stat about;
    mot_digest digest;
    mot_status status = MOT_OK;
    const char *step = "opening";
    const int file = open(temporary, O_RDWR | O_CLOEXEC);
    if (file < 0 || fstat(file, &about) != 0) goto failed;
    const uint64_t count = (uint64_t)about.st_size;
    MOT_TRY(digest_file(file, path, end, count, &digest));
    mot_mark_make(mark, end, count, &digest);
    step = "writing";
    errno = ENOSPC; /* what a write that is cut short means */
    if (pwrite(file, mark, sizeof mark, (off_t)count) != (ssize_t)sizeof mark) goto failed;
    step = "syncing";
    if (fsync(file) != 0) goto failed;
done:
    close(file);
    return status;

failed:
    status = mot_fail(MOT_ERR_FILE, "cannot write %s: %s: %s", path, step, strerror(errno));
    if (file >= 0) close(file);
    return status;
}

/* Reads the mark at the end of a file of `size` bytes; *end and *count bound what it covers. */
static mot_status read_mark(int file, const char *path, uint64_t size, unsigned char mark[MOT_MARK],
                            uint64_t *end, uint64_t *count)
{
    unsigned char old[sizeof magic_1] = "";
    mot_status status = MOT_OK;
    if (size >= MOT_MARK) MOT_TRY(read_at(file, path, mark, MOT_MARK, size - MOT_MARK));
    if (size >= MOT_MARK && memcmp(mark, magic, sizeof magic) == 0) {
        *end = get_number(mark + 8);
        *count = get_number(mark + 16);
        if (*count == size - MOT_MARK && *end <= *count && *count >= MOT_H5_HEAD && *end >= MOT_H5_HEAD)
            return MOT_OK;
    }
    if (size >= MARK_1) MOT_TRY(read_at(file, path, old, sizeof old, size - MARK_1));
    if (memcmp(old, magic_1, sizeof magic_1) == 0)
        return mot_fail(
            MOT_ERR_INPUT,
            "%s: a checkpoint of format version 1, this program reads version %d: the program that "
            "wrote it (h5dump -a commit) can still use it",
            path, MOT_CHECKPOINT_VERSION);
    status = mot_fail(MOT_ERR_INPUT,
                      "%s: not a complete checkpoint: it does not end with the mark that is written last "
                      "(damaged, cut short, or changed by another program)",
                      path);
done:
    return status;
}

mot_status mot_mark_check(const char *path)
{
    mot_status status = MOT_OK;
    unsigned char mark[MOT_MARK];
    char said[MOT_DIGEST_TEXT], found[MOT_DIGEST_TEXT];
    struct stat about;
    uint64_t end = 0, count = 0;
    /* O_NONBLOCK: opening a named pipe must not wait for a writer. */
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return mot_fail(MOT_ERR_FILE, "cannot read %s: %s", path, strerror(errno));
    if (fstat(file, &about) != 0 || !S_ISREG(about.st_mode)) {
        status = mot_fail(MOT_ERR_INPUT, "cannot read %s: it is not a regular file", path);
        goto done;
    }
    MOT_TRY(read_mark(file, path, (uint64_t)about.st_size, mark, &end, &count));
    mot_digest of_file, of_mark;
    MOT_TRY(digest_file(file, path, end, count, &of_file));
    memcpy(of_mark.byte, mark + 24, sizeof of_mark.byte);
    mot_digest_text(&of_mark, said);
    mot_digest_text(&of_file, found);
    if (strcmp(said, found) != 0)
        status = mot_fail(MOT_ERR_INPUT,
                          "%s: the checkpoint is damaged: its structure has checksum %s, %s was written",
                          path, found, said);

done:
    close(file);
    return status;
}
