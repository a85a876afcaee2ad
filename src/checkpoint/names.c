#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mot/atomic_file.h"
#include "mot/checkpoint.h"
#include "mot/memory.h"

void mot_checkpoint_name(char *name, size_t size, mot_gidx step)
{
    snprintf(name, size, "step-%08" MOT_PRI_GIDX ".h5", step);
}

/* The step of a checkpoint's name followed by `tail`, or -1. Only names that we would give ourselves count.
 */
static mot_gidx step_of(const char *name)
{
    if (strncmp(name, "step-", 5) != 0 || name[5] < '0' || name[5] > '9') return -1;
    errno = 0;
    const long long step = strtoll(name + 5, NULL, 10);
    if (errno != 0 || step < 0) return -1;
    char again[64];
    mot_checkpoint_name(again, sizeof again, step);
    return strncmp(name, again, strlen(again)) == 0 ? step : -1;
}

static bool is_checkpoint(const char *name)
{
    const mot_gidx step = step_of(name);
    char again[64];
    if (step < 0) return false;
    mot_checkpoint_name(again, sizeof again, step);
    return strcmp(name, again) == 0;
}

mot_gidx mot_checkpoint_before(const char *folder, mot_gidx step, char *path, size_t size)
{
    DIR *const files = opendir(folder);
    if (files == NULL) return -1;
    mot_gidx newest = -1;
    for (struct dirent *file; (file = readdir(files)) != NULL;) {
        const mot_gidx of_file = is_checkpoint(file->d_name) ? step_of(file->d_name) : -1;
        if (of_file < step) newest = MOT_MAX(newest, of_file);
    }
    closedir(files);
    if (newest < 0) return -1;
    char name[64];
    mot_checkpoint_name(name, sizeof name, newest);
    return mot_path_join(path, size, folder, name) == MOT_OK ? newest : -1;
}

mot_gidx mot_checkpoint_newest(const char *folder, char *path, size_t size)
{
    return mot_checkpoint_before(folder, INT64_MAX, path, size);
}

static mot_status remove_file(const char *folder, const char *name)
{
    char path[4096];
    mot_status status = mot_path_join(path, sizeof path, folder, name);
    if (status == MOT_OK && unlink(path) != 0 && errno != ENOENT)
        status = mot_fail(MOT_ERR_FILE, "%s: cannot remove the old checkpoint: %s", path, strerror(errno));
    return status;
}

static int newest_first(const void *a, const void *b)
{
    const mot_gidx x = *(const mot_gidx *)a, y = *(const mot_gidx *)b;
    return (x < y) - (x > y);
}

mot_status mot_checkpoint_retain(const char *folder, const mot_retention *retention)
{
    mot_status status = MOT_OK;
    mot_gidx *steps = NULL;
    size_t count = 0, capacity = 0;
    if (retention->newest <= 0) return MOT_OK; /* all stay: a folder with many is not looked through */
    DIR *const files = opendir(folder);
    if (files == NULL) return mot_fail(MOT_ERR_FILE, "%s: %s", folder, strerror(errno));
    for (struct dirent *file; (file = readdir(files)) != NULL;) {
        if (!is_checkpoint(file->d_name)) continue;
        MOT_TRY(mot_reserve(&steps, &capacity, count + 1, sizeof *steps, "a list of checkpoints"));
        steps[count++] = step_of(file->d_name);
    }
    if (count <= (size_t)retention->newest) goto done;
    qsort(steps, count, sizeof *steps, newest_first);
    for (size_t i = (size_t)retention->newest; i < count; ++i) {
        char name[64];
        if (steps[i] == retention->best) continue;
        if (retention->every > 0 && steps[i] % retention->every == 0) continue;
        mot_checkpoint_name(name, sizeof name, steps[i]);
        MOT_TRY(remove_file(folder, name));
    }

done:
    closedir(files);
    mot_free(steps);
    return status;
}
