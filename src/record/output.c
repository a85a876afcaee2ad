#include "mot/output.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "mot/atomic_file.h"
#include "mot/types.h"

/* Files of a run, and folders (with the slash) all files of which are its own. */
static const char *const own[] = {"config.yaml", "trial.yaml", "summary.json", "log.jsonl", "run.h5",
                                  "failed.txt",  "record/",    "checkpoints/", "eval/"};

static bool is_own(const char *name)
{
    for (size_t i = 0; i < MOT_COUNT(own); ++i) {
        const size_t count = strlen(own[i]);
        if (own[i][count - 1] == '/' ? strncmp(name, own[i], count) == 0 : strcmp(name, own[i]) == 0) return true;
    }
    return false;
}

static bool is_run(const char *folder)
{
    static const char *const mark[] = {"config.yaml", "log.jsonl"};
    char path[PATH_MAX];
    for (size_t i = 0; i < MOT_COUNT(mark); ++i)
        if (mot_path_join(path, sizeof path, folder, mark[i]) != MOT_OK || access(path, F_OK) != 0) return false;
    return true;
}

/* Whether a folder above the file is a run's, which the file belongs to. */
static bool is_of_run(const char *path)
{
    char file[PATH_MAX];
    if (realpath(path, file) == NULL) return false;
    for (char *slash = strrchr(file, '/'); slash != NULL && slash > file; slash = memrchr(file, '/', (size_t)(slash - file))) {
        *slash = '\0';
        const bool found = is_own(slash + 1) && is_run(file);
        *slash = '/';
        if (found) return true;
    }
    return false;
}

/* The folder of a path; `made`: what is there of those above it, which are made with it. */
static void find_folder(char *folder, size_t size, const char *path, bool made)
{
    mot_path_folder(folder, size, path);
    while (made && access(folder, F_OK) != 0 && errno == ENOENT && strcmp(folder, ".") != 0) {
        char above[PATH_MAX];
        mot_path_folder(above, sizeof above, folder);
        snprintf(folder, size, "%s", above);
    }
}

mot_status mot_output_check(const char *path, mot_output kind, bool force)
{
    const bool is_folder = kind == MOT_OUTPUT_FOLDER;
    char folder[PATH_MAX];
    struct stat about;
    if (path == NULL || path[0] == '\0') return MOT_OK;
    if ((is_folder ? stat : lstat)(path, &about) == 0) {
        if (!force) return mot_fail(MOT_ERR_INPUT, "%s exists: add --force to replace it", path);
        if (is_folder ? !S_ISDIR(about.st_mode) : !S_ISREG(about.st_mode))
            return mot_fail(MOT_ERR_INPUT, "%s is no %s, and so is not replaced", path, is_folder ? "folder" : "ordinary file");
        if (is_folder) return MOT_OK;
        if (is_of_run(path))
            return mot_fail(MOT_ERR_INPUT, "%s is the run's own: expected another name for what is written", path);
    }
    find_folder(folder, sizeof folder, path, kind != MOT_OUTPUT_FILE);
    if (stat(folder, &about) == 0 && !S_ISDIR(about.st_mode))
        return mot_fail(MOT_ERR_INPUT, "cannot write %s: %s is no folder", path, folder);
    if (access(folder, W_OK) != 0)
        return mot_fail(MOT_ERR_INPUT, "cannot write %s into the folder %s: %s", path, folder, strerror(errno));
    return MOT_OK;
}

mot_status mot_output_room(const char *path, double bytes)
{
    char folder[PATH_MAX];
    struct statvfs disk;
    find_folder(folder, sizeof folder, path, true);
    if (statvfs(folder, &disk) != 0) return MOT_OK; /* whoever writes will see */
    const double room = (double)disk.f_bavail * (double)disk.f_frsize;
    if (bytes <= room) return MOT_OK;
    return mot_fail(MOT_ERR_INPUT, "%s would take %.3g GB, and the disk of the folder %s has %.3g GB left", path, bytes * 1e-9, folder,
                    room * 1e-9);
}

static bool is_one_file(const char *a, const char *b)
{
    struct stat of_a, of_b;
    return stat(a, &of_a) == 0 && stat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}

mot_status mot_output_apart(const char *path, const char *input)
{
    if (path == NULL || input == NULL) return MOT_OK;
    bool one = is_one_file(path, input);
    for (const char *at = input; !one && *at != '\0'; at += at[strcspn(at, ",")] == ',') {
        char name[PATH_MAX];
        const size_t length = strcspn(at, ",");
        if (snprintf(name, sizeof name, "%.*s", (int)length, at) < (int)sizeof name) one = is_one_file(path, name);
        at += length;
    }
    return one ? mot_fail(MOT_ERR_INPUT, "%s is what is read: expected another name for what is written", path) : MOT_OK;
}
