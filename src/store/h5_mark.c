/* The mark that seals a file, the last bytes of it:
 *
 *      "mot-mrk2" | end, 8 bytes, little-endian | n, 8 bytes | XXH3 of [0, MOT_H5_HEAD) and [end, n), 16 bytes
 *
 * [MOT_H5_HEAD, end) are the bytes of others, n is where the mark begins. HDF5 counts its room as the file's and has
 * nothing in it, so that what another program does to the file leaves it where it is: a program that only opens and
 * closes it, right; one that changes something, wrong, or no longer at the end. Older files have it behind
 * the end that HDF5 knows, and lose it when they are opened for writing. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mot/atomic_file.h"
#include "mot/digest.h"
#include "mot/h5.h"
#include "mot/memory.h"
#include "store_private.h"

static const char magic[8] = {'m', 'o', 't', '-', 'm', 'r', 'k', '2'};

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
    if (mot_read_at(file, bytes, count, offset) == count) return MOT_OK;
    if (errno != 0) return mot_fail(MOT_ERR_INPUT, "cannot read %s: %s", path, strerror(errno));
    return mot_fail(MOT_ERR_INPUT, "cannot read %s: it became shorter meanwhile", path);
}

static mot_status add_range(mot_digest_state *digest, int file, const char *path, uint64_t from, uint64_t to)
{
    enum { PIECE = MOT_H5_PIECE };
    unsigned char *piece = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&piece, PIECE, 1, "a piece of a file"));
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

static void fill_mark(unsigned char mark[MOT_H5_MARK], uint64_t end, uint64_t count, mot_digest digest)
{
    memcpy(mark, magic, sizeof magic);
    put_number(mark + 8, end);
    put_number(mark + 16, count);
    memcpy(mark + 24, digest.byte, sizeof digest.byte);
}

mot_status mot_h5_mark_write(const char *name, const char *path, uint64_t end)
{
    unsigned char mark[MOT_H5_MARK];
    struct stat about;
    mot_digest digest;
    mot_status status = MOT_OK;
    const char *step = "opening";
    const int file = open(name, O_RDWR | O_CLOEXEC);
    if (file < 0 || fstat(file, &about) != 0) goto failed;
    const uint64_t count = (uint64_t)about.st_size - MOT_H5_MARK;
    MOT_TRY(digest_file(file, path, end, count, &digest));
    fill_mark(mark, end, count, digest);
    step = "writing";
    if (mot_write_at(file, mark, sizeof mark, count) < sizeof mark) goto failed;
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
static mot_status read_mark(int file, const char *path, const char *what, uint64_t size,
                            unsigned char mark[MOT_H5_MARK], uint64_t *end, uint64_t *count)
{
    if (size >= MOT_H5_MARK) {
        const mot_status status = read_at(file, path, mark, MOT_H5_MARK, size - MOT_H5_MARK);
        if (status != MOT_OK) return status;
        *end = get_number(mark + 8);
        *count = get_number(mark + 16);
        if (memcmp(mark, magic, sizeof magic) == 0 && *count == size - MOT_H5_MARK && *end <= *count &&
            *count >= MOT_H5_HEAD && *end >= MOT_H5_HEAD)
            return MOT_OK;
    }
    if (H5Fis_hdf5(path) <= 0) return mot_fail(MOT_ERR_INPUT, "cannot read %s: it is not an HDF5 file", path);
    return mot_fail(MOT_ERR_INPUT,
                    "%s: not a complete %s: it does not end with the mark that is written last (damaged, cut "
                    "short, changed by another program, or of an older version); mot inspect --reseal seals "
                    "what was changed on purpose",
                    path, what);
}

bool mot_h5_is_sealed(const char *path)
{
    char end[MOT_H5_MARK] = "";
    FILE *const file = fopen(path, "rb");
    const bool read = file != NULL && fseek(file, -MOT_H5_MARK, SEEK_END) == 0 &&
                      fread(end, 1, sizeof end, file) == sizeof end;
    if (file != NULL) fclose(file);
    return read && memcmp(end, magic, sizeof magic) == 0;
}

static mot_status check_open(int file, const char *path, const char *what)
{
    mot_status status = MOT_OK;
    unsigned char mark[MOT_H5_MARK];
    char said[MOT_DIGEST_TEXT], found[MOT_DIGEST_TEXT];
    mot_digest of_file, of_mark;
    struct stat about;
    uint64_t end = 0, count = 0;
    if (fstat(file, &about) != 0 || !S_ISREG(about.st_mode))
        return mot_fail(MOT_ERR_INPUT, "cannot read %s: it is not a regular file", path);
    MOT_TRY(read_mark(file, path, what, (uint64_t)about.st_size, mark, &end, &count));
    MOT_TRY(digest_file(file, path, end, count, &of_file));
    memcpy(of_mark.byte, mark + 24, sizeof of_mark.byte);
    mot_digest_text(&of_mark, said);
    mot_digest_text(&of_file, found);
    if (strcmp(said, found) != 0)
        status = mot_fail(MOT_ERR_INPUT,
                          "%s: the %s is damaged, or another program changed it: its structure has checksum "
                          "%s, %s was written; mot inspect --reseal seals what was changed on purpose",
                          path, what, found, said);
done:
    return status;
}

mot_status mot_h5_mark_check(const char *path, const char *what)
{
    /* O_NONBLOCK: opening a named pipe must not wait for a writer. */
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return mot_fail(MOT_ERR_FILE, "cannot read %s: %s", path, strerror(errno));
    const mot_status status = check_open(file, path, what);
    close(file);
    return status;
}
