#include "image_folder.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "mot/memory.h"

enum { MAX_DEPTH = 16 };

/* ---- one folder ---- */

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

typedef struct entries {
    int count;
    struct dirent **entry;
} entries;

static mot_status read_folder(const char *path, entries *e)
{
    *e = (entries){0};
    e->count = scandir(path, &e->entry, is_shown, by_bytes);
    if (e->count >= 0) return MOT_OK;
    *e = (entries){0};
    return mot_fail(MOT_ERR_INPUT, "cannot read the folder %s: %s", path, strerror(errno));
}

static void free_entries(entries *e)
{
    for (int i = 0; i < e->count; ++i) free(e->entry[i]);
    free(e->entry);
}

static mot_status join(char *path, const char *folder, const char *name)
{
    if (snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX) return MOT_OK;
    return mot_fail(MOT_ERR_INPUT, "the path '%.80s...' is too long", folder);
}

static bool is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static bool names_picture(const char *name)
{
    static const char *const ends[] = {".png", ".jpg", ".jpeg", ".jpe"};
    const size_t length = strlen(name);
    for (size_t i = 0; i < MOT_COUNT(ends); ++i)
        if (length > strlen(ends[i]) && strcasecmp(name + length - strlen(ends[i]), ends[i]) == 0)
            return true;
    return false;
}

/* ---- the list ---- */

static mot_status add_file(image_list *list, const char *path, const char *class_name, int split)
{
    const size_t size = strlen(path) + 1;
    mot_status status = mot_reserve(&list->file, &list->capacity, list->count + 1, sizeof *list->file,
                                    "a list of files");
    if (status != MOT_OK) return status;
    image_file *file = &list->file[list->count];
    *file = (image_file){.split = split};
    status = mot_allocate(&file->path, size + strlen(class_name) + 1, 1, "a list of files");
    if (status != MOT_OK) return status;
    memcpy(file->path, path, size);
    file->class_name = strcpy(file->path + size, class_name);
    ++list->count;
    return MOT_OK;
}

static void add_other(image_list *list, const char *path)
{
    if (list->others++ == 0) snprintf(list->other, sizeof list->other, "%.250s", path);
}

/* All pictures of a class, also in folders below. */
static mot_status list_class(image_list *list, const char *folder, const char *class_name, int split,
                             int depth)
{
    entries e;
    char path[PATH_MAX];
    mot_status status = read_folder(folder, &e);
    if (status == MOT_OK && depth > MAX_DEPTH)
        status = mot_fail(MOT_ERR_INPUT, "%s: more than %d folders below each other", folder, MAX_DEPTH);
    for (int i = 0; i < e.count && status == MOT_OK; ++i) {
        status = join(path, folder, e.entry[i]->d_name);
        if (status != MOT_OK) break;
        if (is_folder(path))
            status = list_class(list, path, class_name, split, depth + 1);
        else if (names_picture(path))
            status = add_file(list, path, class_name, split);
        else
            add_other(list, path);
    }
    free_entries(&e);
    return status;
}

/* The folders in one are classes. */
static mot_status list_classes(image_list *list, const char *folder, int split)
{
    entries e;
    char path[PATH_MAX];
    const size_t before = list->count;
    mot_status status = read_folder(folder, &e);
    size_t folders = 0, loose = 0;
    for (int i = 0; i < e.count && status == MOT_OK; ++i) {
        status = join(path, folder, e.entry[i]->d_name);
        if (status != MOT_OK) break;
        if (is_folder(path)) {
            status = list_class(list, path, e.entry[i]->d_name, split, 0);
            ++folders;
        } else {
            loose += names_picture(path);
            add_other(list, path);
        }
    }
    free_entries(&e);
    if (status == MOT_OK && list->count == before)
        status = mot_fail(
            MOT_ERR_INPUT,
            "%s: expected a folder a class with .png and .jpg files; there are %zu folders and %zu "
            "pictures in none",
            folder, folders, loose);
    return status;
}

static int split_of(const char *name)
{
    static const struct {
        const char *name;
        int split;
    } names[] = {{"train", 0},      {"training", 0}, {"val", 1},    {"valid", 1},
                 {"validation", 1}, {"test", 2},     {"testing", 2}};
    for (size_t i = 0; i < MOT_COUNT(names); ++i)
        if (strcasecmp(names[i].name, name) == 0) return names[i].split;
    return -1;
}

/* Whether every folder is called as a split is, one of them train, and holds folders. */
static bool holds_splits(const char *folder, const entries *e)
{
    char path[PATH_MAX];
    bool train = false;
    for (int i = 0; i < e->count; ++i) {
        entries inner;
        bool folders = false;
        if (join(path, folder, e->entry[i]->d_name) != MOT_OK || !is_folder(path)) continue;
        if (split_of(e->entry[i]->d_name) < 0 || read_folder(path, &inner) != MOT_OK) return false;
        for (int k = 0; k < inner.count && !folders; ++k) {
            char below[PATH_MAX];
            folders = join(below, path, inner.entry[k]->d_name) == MOT_OK && is_folder(below);
        }
        free_entries(&inner);
        if (!folders) return false;
        train = train || split_of(e->entry[i]->d_name) == 0;
    }
    return train;
}

static int by_split(const void *a, const void *b)
{
    const image_file *x = a, *y = b;
    if (x->split != y->split) return x->split < y->split ? -1 : 1;
    const int classes = strcmp(x->class_name, y->class_name);
    return classes != 0 ? classes : strcmp(x->path, y->path);
}

mot_status mot_image_folder_list(const char *folder, int split, image_list *list)
{
    entries e;
    char path[PATH_MAX];
    mot_status status = read_folder(folder, &e);
    if (status == MOT_OK && split == 0 && holds_splits(folder, &e)) {
        for (int i = 0; i < e.count && status == MOT_OK; ++i) {
            status = join(path, folder, e.entry[i]->d_name);
            if (status == MOT_OK && is_folder(path))
                status = list_classes(list, path, split_of(e.entry[i]->d_name));
        }
    } else if (status == MOT_OK) {
        status = list_classes(list, folder, split);
    }
    free_entries(&e);
    if (status == MOT_OK && list->count > 0) qsort(list->file, list->count, sizeof *list->file, by_split);
    return status;
}

mot_status mot_image_folder_list_all(const char *path, image_list *list)
{
    const bool one = !is_folder(path) && names_picture(path);
    const mot_status status = one ? add_file(list, path, "", 0) : list_class(list, path, "", 0, 0);
    if (status == MOT_OK && list->count == 0)
        return mot_fail(MOT_ERR_INPUT, "%s: no .png or .jpg file in it or in a folder below", path);
    if (status == MOT_OK) qsort(list->file, list->count, sizeof *list->file, by_split);
    return status;
}

void mot_image_folder_free(image_list *list)
{
    for (size_t i = 0; i < list->count; ++i) mot_free(list->file[i].path);
    mot_free(list->file);
    *list = (image_list){0};
}
