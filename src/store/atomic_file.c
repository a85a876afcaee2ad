#include "mot/atomic_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mot/memory.h"
#include "mot/types.h"
#include "mot/watch.h"

mot_status mot_file_temporary(char name[MOT_PATH], const char *path)
{
    struct stat there;
    if (path[0] == '\0') return mot_fail(MOT_ERR_INPUT, "the name of the file to write is empty");
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode)) /* root may rename over /dev/null */
        return mot_fail(MOT_ERR_INPUT, "cannot write %s: it is there, and is not a regular file", path);
    const int length = snprintf(name, MOT_PATH, "%s.tmp.%ld", path, (long)getpid());
    if (length < 0 || length >= MOT_PATH)
        return mot_fail(MOT_ERR_INPUT, "the path '%.80s...' is too long", path);
    return MOT_OK;
}

void mot_path_folder(char *folder, size_t size, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        snprintf(folder, size, ".");
    else
        snprintf(folder, size, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

/* The folder's own fsync makes the rename last; a file system that cannot sync folders says EINVAL, which is
 * fine. */
static int sync_folder(const char *path)
{
    char folder[PATH_MAX];
    mot_path_folder(folder, sizeof folder, path);
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -1;
    int result = fsync(fd);
    if (result < 0 && errno == EINVAL) result = 0;
    const int error = errno;
    close(fd);
    errno = error;
    return result;
}

mot_status mot_file_rename(const char *temporary, const char *path)
{
    if (rename(temporary, path) != 0) {
        const int error = errno;
        unlink(temporary);
        return mot_fail(MOT_ERR_FILE, "cannot write %s: renaming the finished file: %s", path,
                        strerror(error));
    }
    if (sync_folder(path) != 0)
        return mot_fail(MOT_ERR_FILE, "cannot write %s: syncing its folder: %s", path, strerror(errno));
    return MOT_OK;
}

/* "NAME.tmp.4711" */
static bool is_temporary(const char *name)
{
    const char *tail = NULL;
    for (const char *at = name; (at = strstr(at, ".tmp.")) != NULL; ++at) tail = at + strlen(".tmp.");
    return tail != NULL && *tail != '\0' && strspn(tail, "0123456789") == strlen(tail);
}

mot_status mot_file_sweep(const char *folder)
{
    mot_status status = MOT_OK;
    DIR *const files = opendir(folder);
    if (files == NULL && errno == ENOENT) return MOT_OK;
    if (files == NULL) return mot_fail(MOT_ERR_FILE, "%s: %s", folder, strerror(errno));
    for (struct dirent *file; status == MOT_OK && (file = readdir(files)) != NULL;) {
        if (is_temporary(file->d_name) && unlinkat(dirfd(files), file->d_name, 0) != 0 && errno != ENOENT)
            status = mot_fail(MOT_ERR_FILE, "%s/%s: cannot remove what a killed process left: %s", folder,
                              file->d_name, strerror(errno));
    }
    closedir(files);
    return status;
}

/* Of one call: a rank that reads or writes gigabytes says now and then that it gets on. */
static const size_t most_at_once = (size_t)1 << 26;

size_t mot_read_at(int file, void *bytes, size_t count, uint64_t at)
{
    size_t have = 0;
    while (have < count) {
        const ssize_t got = pread(file, (char *)bytes + have, MOT_MIN(count - have, most_at_once),
                                  (off_t)(at + have));
        if (got < 0 && errno == EINTR) continue;
        if (got == 0) errno = 0;
        if (got <= 0) break;
        have += (size_t)got;
        mot_watch_progress();
    }
    return have;
}

size_t mot_write_at(int file, const void *bytes, size_t count, uint64_t at)
{
    size_t have = 0;
    while (have < count) {
        const ssize_t put = pwrite(file, (const char *)bytes + have, MOT_MIN(count - have, most_at_once),
                                   (off_t)(at + have));
        if (put < 0 && errno == EINTR) continue;
        if (put == 0) errno = ENOSPC;
        if (put <= 0) break;
        have += (size_t)put;
        mot_watch_progress();
    }
    return have;
}

mot_status mot_file_replace(const char *path, const void *bytes, size_t count)
{
    char temporary[MOT_PATH];
    mot_status status = mot_file_temporary(temporary, path);
    if (status != MOT_OK) return status;

    const char *step = "opening";
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) goto failed;
    step = "writing";
    if (mot_write_at(fd, bytes, count, 0) < count) goto failed;
    step = "syncing";
    if (fsync(fd) != 0) goto failed;
    step = "closing";
    const int closed = close(fd);
    fd = -1;
    if (closed != 0) goto failed;
    return mot_file_rename(temporary, path);

failed:;
    const int error = errno;
    if (fd >= 0) close(fd);
    unlink(temporary);
    return mot_fail(MOT_ERR_FILE, "cannot write %s: %s: %s", path, step, strerror(error));
}

mot_status mot_file_read(const char *path, size_t limit, char **bytes, size_t *count)
{
    *bytes = NULL;
    *count = 0;
    /* O_NONBLOCK: opening a named pipe must not wait for a writer. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return mot_fail(MOT_ERR_INPUT, "cannot read %s: %s", path, strerror(errno));
    mot_status status = MOT_OK;
    char *memory = NULL;
    struct stat about;
    if (fstat(fd, &about) != 0) {
        status = mot_fail(MOT_ERR_INPUT, "cannot read %s: %s", path, strerror(errno));
        goto done;
    }
    if (!S_ISREG(about.st_mode)) {
        status = mot_fail(MOT_ERR_INPUT, "cannot read %s: it is not a regular file", path);
        goto done;
    }
    if ((uint64_t)about.st_size > limit) {
        status = mot_fail(MOT_ERR_INPUT, "cannot read %s: %lld bytes, at most %zu are allowed", path,
                          (long long)about.st_size, limit);
        goto done;
    }
    MOT_TRY(mot_allocate(&memory, (size_t)about.st_size + 1, 1, "a file"));
    /* A file that shrinks meanwhile ends early, one that grows is cut. */
    const size_t size = (size_t)about.st_size, have = mot_read_at(fd, memory, size, 0);
    if (have < size && errno != 0) {
        status = mot_fail(MOT_ERR_INPUT, "cannot read %s: %s", path, strerror(errno));
        goto done;
    }
    memory[have] = '\0';
    *bytes = memory;
    *count = have;
    memory = NULL;
done:
    mot_free(memory);
    close(fd);
    return status;
}

mot_status mot_folder_make(const char *path)
{
    char partial[PATH_MAX];
    const size_t length = strlen(path);
    if (length == 0 || length >= sizeof partial)
        return mot_fail(MOT_ERR_INPUT, "'%.80s' cannot be the name of a folder", path);
    memcpy(partial, path, length + 1);
    for (size_t i = 1; i <= length; ++i) {
        if (partial[i] != '/' && partial[i] != '\0') continue;
        const char end = partial[i];
        partial[i] = '\0';
        struct stat about;
        /* Asking first: mkdir on an existing folder of a read-only file system says EROFS, not EEXIST. */
        const bool there = stat(partial, &about) == 0;
        if (there && !S_ISDIR(about.st_mode))
            return mot_fail(MOT_ERR_FILE, "cannot make the folder %s: %s is not a folder", path, partial);
        if (!there && mkdir(partial, 0777) != 0 && errno != EEXIST)
            return mot_fail(MOT_ERR_FILE, "cannot make the folder %s: %s", path, strerror(errno));
        partial[i] = end;
    }
    return MOT_OK;
}

mot_status mot_path_join(char *path, size_t size, const char *folder, const char *name)
{
    const size_t length = strlen(folder);
    const char *between = length == 0 || folder[length - 1] == '/' || name[0] == '\0' ? "" : "/";
    const int wanted = snprintf(path, size, "%s%s%s", folder, between, name);
    if (wanted < 0 || (size_t)wanted >= size)
        return mot_fail(MOT_ERR_INPUT, "the path '%.80s%s%.80s' is too long", folder, between, name);
    return MOT_OK;
}
