/* What each sample of a split should be taken for, and its group, as the file has them. */
#include <math.h>
#include <stdio.h>

#include "dataset_private.h"
#include "mot/memory.h"

static mot_status read_values(hid_t file, const char *name, mot_gidx samples, int32_t **values)
{
    const hsize_t shape = (hsize_t)samples;
    mot_status status = mot_allocate(values, (size_t)samples, sizeof(int32_t), "the labels");
    return status == MOT_OK ? mot_h5_read(file, name, H5T_NATIVE_INT32, 1, &shape, *values) : status;
}

/* Labels become classes. */
static mot_status take_labels(const mot_dataset *dataset, const char *path, const char *split, int32_t *label)
{
    for (mot_gidx i = 0; i < dataset->samples; ++i) {
        const int32_t y = label[i];
        if (dataset->signed_labels ? y != 1 && y != -1 : y < 0 || y >= dataset->classes)
            return mot_fail(MOT_ERR_INPUT, "%s:/%s/y: sample %" MOT_PRI_GIDX " has label %d, expected %s%d%s",
                            path, split, i, y, dataset->signed_labels ? "-1 or " : "[0, ",
                            dataset->signed_labels ? 1 : dataset->classes, dataset->signed_labels ? "" : ")");
        if (dataset->signed_labels) label[i] = y > 0;
    }
    return MOT_OK;
}

static mot_status read_labels(mot_dataset *dataset, hid_t file, const char *path, const char *split,
                              const char *name)
{
    int32_t *label = NULL;
    mot_status status = read_values(file, name, dataset->samples, &label);
    dataset->target = (unsigned char *)label; /* the data set's to release, whatever was read */
    dataset->target_bytes = sizeof *label;
    return status == MOT_OK ? take_labels(dataset, path, split, label) : status;
}

/* ---- numbers ---- */

mot_status mot_dataset_numbers_check(const char *where, mot_gidx first, size_t count, size_t numbers,
                                     const float *y)
{
    for (size_t i = 0; i < count * numbers; ++i)
        if (!isfinite(y[i]))
            return mot_fail(MOT_ERR_INPUT, "%s: sample %" MOT_PRI_GIDX ": number %zu of its target is not finite",
                            where, first + (mot_gidx)(i / numbers), i % numbers);
    return MOT_OK;
}

/* y [n] or [n, C], of which no more may be claimed than the file has bytes. */
static mot_status read_numbers(mot_dataset *dataset, hid_t file, const char *where, const char *name)
{
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK], size = 0;
    mot_status status = MOT_OK;
    MOT_TRY(mot_h5_shape(file, name, &rank, shape));
    const hsize_t numbers = rank == 2 ? shape[1] : 1;
    if (rank > 2 || shape[0] != (hsize_t)dataset->samples || numbers < 1 || numbers > DATASET_MAX_EXTENT ||
        H5Fget_filesize(file, &size) < 0 || numbers > size / sizeof(float) / shape[0])
        return mot_fail(MOT_ERR_INPUT, "%s: expected one target for each of the %" MOT_PRI_GIDX
                                       " samples, of one number or several",
                        where, dataset->samples);
    dataset->target_bytes = (size_t)numbers * sizeof(float);
    MOT_TRY(mot_allocate(&dataset->target, (size_t)dataset->samples, dataset->target_bytes, "the targets"));
    MOT_TRY(mot_h5_read(file, name, H5T_NATIVE_FLOAT, rank, shape, dataset->target));
    MOT_TRY(mot_dataset_numbers_check(where, 0, (size_t)dataset->samples, (size_t)numbers,
                                      (const float *)(const void *)dataset->target));
done:
    return status;
}

/* ---- groups ---- */

static mot_status read_groups(mot_dataset *dataset, hid_t file, const char *path, const char *split)
{
    char name[16];
    int64_t groups = 0;
    snprintf(name, sizeof name, "%s/group", split);
    if (!mot_h5_exists(file, name)) return MOT_OK;
    mot_status status = MOT_OK;
    MOT_TRY(mot_h5_get_int(file, ".", "groups", &groups));
    if (groups < 1 || groups > DATASET_MAX_NAMES)
        return mot_fail(MOT_ERR_INPUT, "%s: %lld groups, expected 1 to %d", path, (long long)groups,
                        DATASET_MAX_NAMES);
    dataset->groups = (int)groups;
    MOT_TRY(read_values(file, name, dataset->samples, &dataset->group));
    MOT_TRY(mot_dataset_names_read(file, path, "group_names", (size_t)groups, &dataset->group_names));
    for (mot_gidx i = 0; i < dataset->samples; ++i)
        if (dataset->group[i] < 0 || dataset->group[i] >= dataset->groups)
            return mot_fail(MOT_ERR_INPUT,
                            "%s:/%s/group: sample %" MOT_PRI_GIDX " has group %d, expected [0, %d)", path,
                            split, i, dataset->group[i], dataset->groups);
done:
    return status;
}

mot_status mot_dataset_read_targets(mot_dataset *dataset, hid_t file, const char *path, const char *split)
{
    char name[16], where[PATH_MAX + 16];
    mot_status status;
    snprintf(name, sizeof name, "%s/y", split);
    snprintf(where, sizeof where, "%s:/%s", path, name);
    MOT_TRY(dataset->classes > 0 ? read_labels(dataset, file, path, split, name)
                                 : read_numbers(dataset, file, where, name));
    MOT_TRY(read_groups(dataset, file, path, split));
done:
    return status;
}
