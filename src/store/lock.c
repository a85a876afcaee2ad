#include "mot/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mot/atomic_file.h"
#include "mot/log.h"
#include "mot/memory.h"
#include "mot/ticker.h"

enum { BEAT_S = 5, SILENT_S = 3 * BEAT_S };

struct mot_lock {
    char path[PATH_MAX];
    int file;
    mot_ticker *beat;
};

/* ---- who has it ---- */

typedef struct holder {
    char host[65], since[32], boot[40];
    long process;
} holder;

static holder myself(void)
{
    holder me = {.host = "?", .boot = "?", .process = (long)getpid()};
    gethostname(me.host, sizeof me.host - 1);
    const time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(me.since, sizeof me.since, "%Y-%m-%d %H:%M:%S UTC", &utc);
    FILE *boot = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (boot != NULL) {
        if (fscanf(boot, "%39s", me.boot) != 1) snprintf(me.boot, sizeof me.boot, "?");
        fclose(boot);
    }
    return me;
}

static int write_holder(int file, const holder *who)
{
    char text[256];
    const int length = snprintf(text, sizeof text, "host %s\nprocess %ld\nsince %s\nboot %s\n", who->host,
                                who->process, who->since, who->boot);
    errno = ENOSPC; /* what a write that is cut short means */
    if (ftruncate(file, 0) != 0 || pwrite(file, text, (size_t)length, 0) != length) return -1;
    return 0;
}

/* False where there is no whole note: the file is new, or just being written. */
static bool read_holder(int file, holder *who)
{
    char text[256];
    const ssize_t length = pread(file, text, sizeof text - 1, 0);
    if (length <= 0) return false;
    text[length] = '\0';
    return sscanf(text, "host %64s process %ld since %31[^\n] boot %39s", who->host, &who->process,
                  who->since, who->boot) == 4;
}

static mot_status refuse(const char *folder, const holder *who)
{
    if (who == NULL)
        return mot_fail(MOT_ERR_BUSY,
                        "%s: another process works in this run folder: choose another one (run=...)", folder);
    return mot_fail(MOT_ERR_BUSY,
                    "%s: process %ld on host %s works in this run folder since %s: wait for its end, stop "
                    "it, or choose another folder (run=...)",
                    folder, who->process, who->host, who->since);
}

/* ---- taking it ---- */

/* Whether `path` still names the open file: its holder may have removed it in between. */
static bool is_still(int file, const char *path)
{
    struct stat open, named;
    return fstat(file, &open) == 0 && stat(path, &named) == 0 && open.st_ino == named.st_ino &&
           open.st_dev == named.st_dev;
}

/* When the file was last changed; opened anew each time, which is when NFS asks its server. */
static struct timespec last_beat(const char *path)
{
    struct stat about = {0};
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file >= 0) {
        if (fstat(file, &about) != 0) about.st_mtim = (struct timespec){0};
        close(file);
    }
    return about.st_mtim;
}

static bool is_silent(const char *path)
{
    const struct timespec before = last_beat(path);
    for (int s = 0; s < SILENT_S; ++s) {
        sleep(1);
        const struct timespec now = last_beat(path);
        if (now.tv_sec != before.tv_sec || now.tv_nsec != before.tv_nsec) return false;
    }
    return true;
}

/* The file is open, and locked unless its file system has no locks. */
static mot_status claim(mot_lock *lock, const char *folder, bool locked)
{
    const holder me = myself();
    holder before;
    if (read_holder(lock->file, &before)) {
        const bool here = locked && strcmp(me.boot, before.boot) == 0;
        if (!here) {
            mot_log(MOT_LOG_INFO, "%s: process %ld on host %s may be at work here: its lock is watched",
                    folder, before.process, before.host);
            if (!is_silent(lock->path)) return refuse(folder, &before);
        }
        mot_log(MOT_LOG_WARNING,
                "%s: process %ld on host %s, at work here since %s, is gone without a word: its lock is "
                "taken over",
                folder, before.process, before.host, before.since);
    }
    if (write_holder(lock->file, &me) == 0) return MOT_OK;
    const int error = errno;
    unlink(lock->path);
    return mot_fail(MOT_ERR_FILE, "cannot write %s: %s", lock->path, strerror(error));
}

static mot_status open_lock(mot_lock *lock, const char *folder)
{
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    for (;;) {
        lock->file = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
        if (lock->file < 0)
            return mot_fail(MOT_ERR_INPUT, "run = %s: cannot open %s: %s", folder, lock->path,
                            strerror(errno));
        const bool locked = fcntl(lock->file, F_OFD_SETLK, &all) == 0;
        if (!locked && (errno == EAGAIN || errno == EACCES)) {
            holder who;
            const bool known = read_holder(lock->file, &who);
            return refuse(folder, known ? &who : NULL);
        }
        if (is_still(lock->file, lock->path)) return claim(lock, folder, locked);
        close(lock->file);
    }
}

static void beat(void *context)
{
    const mot_lock *lock = context;
    futimens(lock->file, NULL); /* a file that is gone, or a server: nothing that would help the run */
}

mot_status mot_lock_take(mot_lock **result, const char *folder)
{
    mot_status status;
    mot_lock *lock = NULL;
    MOT_TRY(mot_allocate(&lock, 1, sizeof *lock, "a lock"));
    lock->file = -1;
    MOT_TRY(mot_path_join(lock->path, sizeof lock->path, folder, "lock"));
    MOT_TRY(open_lock(lock, folder));
    status = mot_ticker_start(&lock->beat, BEAT_S, beat, lock);
    if (status != MOT_OK) unlink(lock->path);
done:
    if (status != MOT_OK && lock != NULL) {
        if (lock->file >= 0) close(lock->file);
        mot_free(lock);
        lock = NULL;
    }
    *result = lock;
    return status;
}

void mot_lock_release(mot_lock **handle)
{
    mot_lock *lock = *handle;
    *handle = NULL;
    if (lock == NULL) return;
    mot_ticker_stop(&lock->beat);
    unlink(lock->path); /* while it is held: whoever has opened it meanwhile sees that it is gone */
    close(lock->file);
    mot_free(lock);
}
