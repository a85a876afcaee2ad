#include "checkpoint_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mot/memory.h"

static const char magic[8] = {'m', 'o', 't', '-', 'm', 'a', 'r', 'k'};

void mot_mark_make(unsigned char mark[MOT_MARK], const mot_digest *digest, size_t count)
{
    memcpy(mark, magic, sizeof magic);
    for (int byte = 0; byte < 8; ++byte) mark[8 + byte] = (unsigned char)((uint64_t)count >> 8 * byte);
    memcpy(mark + 16, digest->byte, sizeof digest->byte);
}

static mot_status read_at(int file, const char *path, void *bytes, size_t count, off_t offset)
{
    for (size_t have = 0; have < count;) {
        const ssize_t got = pread(file, (char *)bytes + have, count - have, offset + (off_t)have);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return mot_fail(MOT_ERR_INPUT, "cannot read %s: %s", path, strerror(errno));
        if (got == 0) return mot_fail(MOT_ERR_INPUT, "cannot read %s: it became shorter meanwhile", path);
        have += (size_t)got;
    }
    return MOT_OK;
}

/* XXH3 of the first `count` bytes. */
static mot_status digest_file(int file, const char *path, size_t count, mot_digest *result)
{
    enum { PIECE = 1 << 20 };
    unsigned char *piece = NULL;
    mot_digest_state *digest = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&piece, PIECE, 1, "a piece of a checkpoint"));
    digest = mot_digest_begin();
    if (digest == NULL) {
        status = mot_fail(MOT_ERR_MEMORY, "not enough memory for a digest");
        goto done;
    }
    for (size_t at = 0; at < count; at += PIECE) {
        const size_t length = MOT_MIN((size_t)PIECE, count - at);
        MOT_TRY(read_at(file, path, piece, length, (off_t)at));
        mot_digest_add(digest, piece, length);
    }
done:
    if (digest != NULL) *result = mot_digest_end(digest);
    mot_free(piece);
    return status;
}

mot_status mot_mark_append(const char *temporary, const char *path)
{
    unsigned char mark[MOT_MARK];
    struct stat about;
    mot_digest digest;
    mot_status status = MOT_OK;
    const char *step = "opening";
    const int file = open(temporary, O_RDWR | O_CLOEXEC);
    if (file < 0 || fstat(file, &about) != 0) goto failed;
    const size_t count = (size_t)about.st_size;
    MOT_TRY(digest_file(file, path, count, &digest));
    mot_mark_make(mark, &digest, count);
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

mot_status mot_mark_check(const char *path)
{
    mot_status status = MOT_OK;
    unsigned char mark[MOT_MARK];
    char said[MOT_DIGEST_TEXT], found[MOT_DIGEST_TEXT];
    struct stat about;
    /* O_NONBLOCK: opening a named pipe must not wait for a writer. */
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return mot_fail(MOT_ERR_INPUT, "cannot read %s: %s", path, strerror(errno));
    if (fstat(file, &about) != 0 || !S_ISREG(about.st_mode)) {
        status = mot_fail(MOT_ERR_INPUT, "cannot read %s: it is not a regular file", path);
        goto done;
    }
    const size_t size = (size_t)about.st_size, count = size >= MOT_MARK ? size - MOT_MARK : 0;
    if (size >= MOT_MARK) MOT_TRY(read_at(file, path, mark, MOT_MARK, (off_t)count));
    uint64_t claimed = 0;
    for (int byte = 0; byte < 8 && size >= MOT_MARK; ++byte) claimed |= (uint64_t)mark[8 + byte] << 8 * byte;
    if (size < MOT_MARK || memcmp(mark, magic, sizeof magic) != 0 || claimed != count) {
        status = mot_fail(MOT_ERR_INPUT,
                          "%s: not a complete checkpoint: it does not end with the mark that is written last "
                          "(damaged, cut short, or changed by another program)",
                          path);
        goto done;
    }
    mot_digest of_file;
    MOT_TRY(digest_file(file, path, count, &of_file));
    mot_digest of_mark;
    memcpy(of_mark.byte, mark + 16, sizeof of_mark.byte);
    mot_digest_text(&of_mark, said);
    mot_digest_text(&of_file, found);
    if (strcmp(said, found) != 0)
        status = mot_fail(MOT_ERR_INPUT,
                          "%s: the checkpoint is damaged: its %zu bytes have checksum %s, %s was written",
                          path, count, found, said);

done:
    close(file);
    return status;
}
