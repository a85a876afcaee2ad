/* scratch.h: a folder for the files of one test program, gone when it ends. */
#ifndef MOT_TEST_SCRATCH_H
#define MOT_TEST_SCRATCH_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char scratch[64];

static inline const char *scratch_path(const char *name)
{
    static char paths[1024][128]; /* many stay in use at once */
    static int next;
    if (scratch[0] == '\0') {
        snprintf(scratch, sizeof scratch, "/tmp/mot-test-XXXXXX");
        if (mkdtemp(scratch) == NULL) perror(scratch);
    }
    char *path = paths[next++ % 1024];
    snprintf(path, sizeof paths[0], "%s/%s", scratch, name);
    return path;
}

/* The number of files in the folder: temporary ones must not stay. */
static inline int scratch_count(void)
{
    int count = 0;
    DIR *folder = opendir(scratch);
    if (folder == NULL) return 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static inline void scratch_clear(void)
{
    DIR *folder = opendir(scratch);
    if (folder == NULL) return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.') unlinkat(dirfd(folder), entry->d_name, 0);
    closedir(folder);
}

static inline void scratch_remove(void)
{
    scratch_clear();
    rmdir(scratch);
}

static inline void scratch_write(const char *path, const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL) return;
    fwrite(bytes, 1, count, file);
    fclose(file);
}

#endif
