#include "mot/output.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mot/atomic_file.h"
#include "mot/types.h"

mot_status mot_output_check(const char *path, bool is_folder, bool force)
{
    char folder[PATH_MAX];
    struct stat about;
    if (path == NULL || path[0] == '\0') return MOT_OK;
    if ((is_folder ? stat : lstat)(path, &about) == 0) {
        if (!force) return mot_fail(MOT_ERR_INPUT, "%s exists: add --force to replace it", path);
        if (is_folder ? !S_ISDIR(about.st_mode) : !S_ISREG(about.st_mode))
            return mot_fail(MOT_ERR_INPUT, "%s is no %s, and so is not replaced", path, is_folder ? "folder" : "ordinary file");
    }
    if (is_folder) return MOT_OK; /* it is made with those above it */
    mot_path_folder(folder, sizeof folder, path);
    if (access(folder, W_OK) != 0)
        return mot_fail(MOT_ERR_INPUT, "cannot write %s into the folder %s: %s", path, folder, strerror(errno));
    return MOT_OK;
}

/* Files of a run, and folders (with the slash) all files of which are its own. */
static const char *const own[] = {"config.yaml", "trial.yaml", "summary.json", "log.jsonl", "run.h5",
                                  "failed.txt",  "record/",    "checkpoints/", "eval/"};

mot_status mot_output_spares(const char *path, const char *run)
{
    char file[PATH_MAX], folder[PATH_MAX];
    if (path == NULL || realpath(path, file) == NULL || realpath(run, folder) == NULL) return MOT_OK;
    const size_t length = strlen(folder);
    if (strncmp(file, folder, length) != 0 || file[length] != '/') return MOT_OK;
    const char *const name = file + length + 1;
    for (size_t i = 0; i < MOT_COUNT(own); ++i) {
        const size_t count = strlen(own[i]);
        if (own[i][count - 1] == '/' ? strncmp(name, own[i], count) == 0 : strcmp(name, own[i]) == 0)
            return mot_fail(MOT_ERR_INPUT, "%s is the run's own: expected another name for what is written", path);
    }
    return MOT_OK;
}
