/* Lists of names: of classes, groups, columns, words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataset_private.h"
#include "mot/memory.h"

mot_status mot_dataset_names_copy(char ***copy, char *const *names, size_t count)
{
    *copy = NULL;
    if (names == NULL || count == 0) return MOT_OK;
    size_t bytes = count * sizeof(char *);
    for (size_t i = 0; i < count; ++i) bytes += strlen(names[i]) + 1;
    mot_status status = mot_allocate(copy, bytes, 1, "names");
    if (status != MOT_OK) return status;
    char *at = (char *)(*copy + count);
    for (size_t i = 0; i < count; ++i) {
        const size_t length = strlen(names[i]) + 1;
        (*copy)[i] = memcpy(at, names[i], length);
        at += length;
    }
    return MOT_OK;
}

mot_status mot_dataset_names_number(char ***names, size_t count)
{
    enum { LONGEST = 24 };
    const mot_status status = mot_allocate(names, count, sizeof(char *) + LONGEST, "names");
    char *at = status == MOT_OK ? (char *)(*names + count) : NULL;
    for (size_t i = 0; status == MOT_OK && i < count; ++i, at += LONGEST) {
        (*names)[i] = at;
        snprintf(at, LONGEST, "%zu", i);
    }
    return status;
}

mot_status mot_dataset_names_read(hid_t file, const char *path, const char *name, size_t expected, char ***names)
{
    size_t count;
    if (!mot_h5_exists(file, name)) return MOT_OK;
    mot_status status = mot_h5_read_texts(file, name, DATASET_MAX_NAMES, &count, names);
    if (status != MOT_OK || count == expected) return status;
    return mot_fail(MOT_ERR_INPUT, "%s: %zu %s, expected %zu", path, count, name, expected);
}

bool mot_dataset_names_same(char *const *a, size_t count_a, char *const *b, size_t count_b)
{
    if (count_a != count_b) return false;
    for (size_t i = 0; i < count_a; ++i)
        if (strcmp(a[i], b[i]) != 0) return false;
    return true;
}

typedef struct named {
    const char *name;
    int32_t place;
} named;

static int by_name(const void *a, const void *b)
{
    const named *x = a, *y = b;
    const int order = strcmp(x->name, y->name);
    return order != 0 ? order : x->place - y->place;
}

mot_status mot_dataset_names_map(char *const *names, size_t count, char *const *of, size_t of_count,
                                 const char *what, const char *whose, const char *path, int32_t *map)
{
    named *sorted = NULL;
    mot_status status = mot_allocate(&sorted, of_count, sizeof *sorted, "names");
    if (status != MOT_OK) return status;
    for (size_t i = 0; i < of_count; ++i) sorted[i] = (named){of[i], (int32_t)i};
    qsort(sorted, of_count, sizeof *sorted, by_name);
    for (size_t i = 0; i + 1 < of_count; ++i)
        if (strcmp(sorted[i].name, sorted[i + 1].name) == 0) {
            status = mot_fail(MOT_ERR_INPUT, "%s: its %s are matched by name, but two %s are called '%.60s'",
                              path, what, whose, sorted[i].name);
            goto done;
        }
    for (size_t i = 0; i < count; ++i) {
        size_t low = 0, high = of_count;
        while (low < high) {
            const size_t middle = (low + high) / 2;
            if (strcmp(sorted[middle].name, names[i]) < 0)
                low = middle + 1;
            else
                high = middle;
        }
        const bool found = low < of_count && strcmp(sorted[low].name, names[i]) == 0;
        map[i] = found ? sorted[low].place : -1;
    }
done:
    mot_free(sorted);
    return status;
}

mot_status mot_dataset_names_add(char **all, size_t *all_count, char *const *names, size_t count, const char *what,
                                 const char *path, int32_t *map)
{
    const mot_status status = mot_dataset_names_map(names, count, all, *all_count, what, "of the data sets before", path, map);
    for (size_t i = 0; status == MOT_OK && i < count; ++i) {
        if (map[i] >= 0) continue;
        map[i] = (int32_t)*all_count;
        all[(*all_count)++] = names[i];
    }
    return status;
}
