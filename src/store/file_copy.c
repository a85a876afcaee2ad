#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mot/atomic_file.h"
#include "mot/memory.h"
#include "mot/types.h"

static mot_status fail_read(const char *from)
{
    return mot_fail(MOT_ERR_INPUT, "cannot read %s: %s", from, strerror(errno));
}

static mot_status fail_write(const char *to)
{
    return mot_fail(MOT_ERR_FILE, "cannot write %s: %s", to, strerror(errno));
}

mot_status mot_file_copy(const char *from, const char *to)
{
    enum { PIECE = 1 << 20 };
    unsigned char *piece = NULL;
    struct stat about;
    mot_status status;
    const int source = open(from, O_RDONLY | O_CLOEXEC);
    const int target = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    MOT_TRY(mot_allocate(&piece, PIECE, 1, "a piece of a file"));
    if (source < 0 || fstat(source, &about) != 0) {
        status = fail_read(from);
        goto done;
    }
    for (uint64_t at = 0; status == MOT_OK && at < (uint64_t)about.st_size; at += PIECE) {
        const size_t count = (size_t)MOT_MIN((uint64_t)PIECE, (uint64_t)about.st_size - at);
        if (mot_read_at(source, piece, count, at) != count)
            status = fail_read(from);
        else if (target < 0 || mot_write_at(target, piece, count, at) != count)
            status = fail_write(to);
    }
    if (status == MOT_OK && fchmod(target, about.st_mode & 07777) != 0) status = fail_write(to);

done:
    if (source >= 0) close(source);
    if (target >= 0) close(target);
    mot_free(piece);
    return status;
}
