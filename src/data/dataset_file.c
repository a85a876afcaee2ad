/* The structure of a data set file: all but the samples. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "dataset_private.h"
#include "mot/digest.h"
#include "mot/memory.h"

static mot_status fail_other(const char *path)
{
    return mot_fail(MOT_ERR_INPUT, "%s is not a mot data set (make one with 'mot data import')", path);
}

static mot_status read_head(mot_dataset *dataset, hid_t file, const char *path, int64_t *version)
{
    char *text = NULL;
    int64_t integer;
    mot_status status = mot_h5_get_text(file, ".", "format", &text);
    if (status == MOT_ERR_MEMORY) goto done;
    if (status != MOT_OK || strcmp(text, DATASET_FORMAT) != 0) {
        status = fail_other(path);
        goto done;
    }
    MOT_TRY(mot_h5_get_int(file, ".", "format_version", version));
    if (*version < DATASET_VERSION_ATTRIBUTES || *version > DATASET_VERSION_LENGTHS) {
        status = mot_fail(MOT_ERR_INPUT, "%s: format version %lld, this program reads versions %d to %d",
                          path, (long long)*version, DATASET_VERSION_ATTRIBUTES, DATASET_VERSION_LENGTHS);
        goto done;
    }
    mot_free(text);
    text = NULL;
    MOT_TRY(mot_h5_get_text(file, ".", "kind", &text));
    int kind = 0;
    while (kind < 3 && strcmp(text, mot_dataset_kind_names[kind]) != 0) ++kind;
    if (kind == 3) {
        status = mot_fail(MOT_ERR_INPUT, "%s: unknown kind '%.40s', expected picture, text or vector", path,
                          text);
        goto done;
    }
    dataset->format.kind = (mot_sample_kind)kind;

    MOT_TRY(mot_h5_get_int(file, ".", "classes", &integer));
    if (integer < 0 || integer > DATASET_MAX_NAMES) {
        status = mot_fail(MOT_ERR_INPUT, "%s: %lld classes, expected 0 to %d", path, (long long)integer,
                          DATASET_MAX_NAMES);
        goto done;
    }
    dataset->classes = (int)integer;
    if (mot_h5_has_attribute(file, ".", "signed_labels")) {
        MOT_TRY(mot_h5_get_int(file, ".", "signed_labels", &integer));
        dataset->signed_labels = integer != 0;
    }
    if (dataset->signed_labels && dataset->classes != 2)
        status = mot_fail(MOT_ERR_INPUT, "%s: signed labels with %d classes, expected 2", path,
                          dataset->classes);
    if (dataset->format.kind == MOT_SAMPLE_TEXT) {
        MOT_TRY(mot_h5_get_int(file, ".", "vocabulary_size", &integer));
        dataset->format.vocabulary = integer > 0 ? (size_t)integer : 0;
    }
done:
    mot_free(text);
    return status;
}

static mot_status read_element(mot_dataset *dataset, hid_t file, const char *name, const char *where)
{
    hid_t x;
    mot_status status = mot_h5_open_dataset(file, name, &x);
    if (status != MOT_OK) return status;
    hid_t type = H5Dget_type(x);
    const H5T_class_t class = H5Tget_class(type);
    const size_t size = H5Tget_size(type);
    const bool is_signed = class == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_2;
    mot_h5_close(&type);
    mot_h5_close(&x);
    if (class == H5T_INTEGER && size == 1 && !is_signed)
        dataset->format.element = MOT_ELEMENT_U8;
    else if (class == H5T_INTEGER && size == 4 && is_signed)
        dataset->format.element = MOT_ELEMENT_I32;
    else if (class == H5T_FLOAT && size == 4)
        dataset->format.element = MOT_ELEMENT_F32;
    else
        return mot_fail(MOT_ERR_INPUT, "%s: expected bytes, 32-bit signed integers or 32-bit floats", where);
    return MOT_OK;
}

/* Shape [n, ...] of x: [n, H, W], [n, C, H, W], [n, L] or [n, L, D]. */
static mot_status read_shape(mot_dataset *dataset, hid_t file, const char *name, const char *where)
{
    mot_sample_format *format = &dataset->format;
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK], size = 0;
    mot_status status = mot_h5_shape(file, name, &rank, shape);
    if (status != MOT_OK) return status;
    const bool right[3] = {rank == 3 || rank == 4, rank == 2, rank == 3};
    if (!right[format->kind])
        return mot_fail(MOT_ERR_INPUT, "%s: %d dimensions do not fit the kind %s", where, rank,
                        mot_dataset_kind_names[format->kind]);
    for (int d = 1; d < rank; ++d)
        shape[d] = MOT_MIN(shape[d], (hsize_t)DATASET_MAX_EXTENT + 1); /* refused below */
    if (format->kind == MOT_SAMPLE_PICTURE) {
        format->channels = rank == 4 ? (size_t)shape[1] : 1;
        format->height = (size_t)shape[rank - 2];
        format->width = (size_t)shape[rank - 1];
    } else {
        format->tokens = (size_t)shape[1];
        format->features = rank == 3 ? (size_t)shape[2] : 0;
    }
    status = mot_dataset_format_check(format, where);
    if (status != MOT_OK) return status;

    /* What is claimed must lie in the file. */
    uint64_t first;
    MOT_TRY(mot_h5_position(file, name, mot_dataset_element_type(format->element), &first));
    if (H5Fget_filesize(file, &size) < 0 || shape[0] < 1 || first > size ||
        shape[0] > (size - first) / format->bytes) {
        status = mot_fail(MOT_ERR_INPUT, "%s: %llu samples of %zu bytes do not fit into a file of %llu bytes",
                          where, (unsigned long long)shape[0], format->bytes, (unsigned long long)size);
        goto done;
    }
    dataset->source->first = (off_t)first;
    dataset->samples = (mot_gidx)shape[0];
done:
    return status;
}

/* Data sets of version 2: attributes, one mean and deviation a channel of pictures and for all numbers of vectors. */
static mot_status read_attributes(mot_sample_format *format, hid_t file)
{
    mot_normalization *n = &format->normalization;
    mot_status status = MOT_OK;
    n->scaling = format->kind == MOT_SAMPLE_PICTURE ? MOT_SCALING_COLUMN : MOT_SCALING_ALL;
    if (!mot_h5_has_attribute(file, ".", "mean")) n->scaling = MOT_SCALING_NONE;
    MOT_TRY(mot_dataset_normalization_allocate(format));
    if (n->count == 0) goto done;
    MOT_TRY(mot_h5_get_reals(file, ".", "mean", n->count, n->mean));
    MOT_TRY(mot_h5_get_reals(file, ".", "deviation", n->count, n->deviation));
done:
    return status;
}

static mot_status check_normalization(const mot_normalization *n, const char *path)
{
    for (size_t c = 0; c < n->count; ++c)
        if (!isfinite(n->mean[c]) || !isfinite(n->deviation[c]) || !(n->deviation[c] > 0))
            return mot_fail(
                MOT_ERR_INPUT,
                "%s: mean %g and deviation %g of column %zu: expected finite numbers, the deviation above 0",
                path, n->mean[c], n->deviation[c], c);
    return MOT_OK;
}

mot_status mot_dataset_normalization_read(mot_sample_format *format, hid_t where, const char *path)
{
    mot_normalization *n = &format->normalization;
    char *text = NULL;
    int scaling = 0;
    mot_status status = MOT_OK;
    MOT_TRY(mot_h5_get_text(where, "normalization", "scaling", &text));
    while (scaling < 3 && strcmp(text, mot_dataset_scaling_names[scaling]) != 0) ++scaling;
    if (scaling == 3) {
        status = mot_fail(MOT_ERR_INPUT, "%s: unknown scaling '%.40s', expected column, all or none", path,
                          text);
        goto done;
    }
    n->scaling = (mot_scaling)scaling;
    MOT_TRY(mot_dataset_normalization_allocate(format));
    const hsize_t shape = n->count;
    if (n->count == 0) goto done;
    MOT_TRY(mot_h5_read(where, "normalization/mean", H5T_NATIVE_DOUBLE, 1, &shape, n->mean));
    MOT_TRY(mot_h5_read(where, "normalization/deviation", H5T_NATIVE_DOUBLE, 1, &shape, n->deviation));
    MOT_TRY(check_normalization(n, path));
done:
    mot_free(text);
    return status;
}

mot_status mot_dataset_reading_read(mot_reading *reading, hid_t where, const char *path)
{
    const struct {
        const char *name;
        size_t *value;
        int64_t most;
    } numbers[] = {{"id_shift", &reading->id_shift, 1},
                   {"min_count", &reading->min_count, INT32_MAX},
                   {"pixel_unit", &reading->pixel_unit, 255}};
    char *text = NULL;
    mot_status status = MOT_OK;
    *reading = (mot_reading){0};
    for (size_t i = 0; i < MOT_COUNT(numbers); ++i) {
        int64_t value;
        if (!mot_h5_has_attribute(where, ".", numbers[i].name)) continue;
        MOT_TRY(mot_h5_get_int(where, ".", numbers[i].name, &value));
        if (value < 0 || value > numbers[i].most) {
            status = mot_fail(MOT_ERR_INPUT, "%s: %s is %lld, expected 0 to %lld", path, numbers[i].name,
                              (long long)value, (long long)numbers[i].most);
            goto done;
        }
        *numbers[i].value = (size_t)value;
    }
    if (!mot_h5_has_attribute(where, ".", "pad")) goto done;
    MOT_TRY(mot_h5_get_text(where, ".", "pad", &text));
    if (strlen(text) >= sizeof reading->pad)
        status = mot_fail(MOT_ERR_INPUT, "%s: pad is '%.40s', expected a word id or none", path, text);
    else
        strcpy(reading->pad, text);
done:
    mot_free(text);
    return status;
}

mot_status mot_dataset_reading_write(hid_t where, const mot_reading *reading)
{
    mot_status status = MOT_OK;
    if (reading->id_shift > 0) MOT_TRY(mot_h5_set_int(where, ".", "id_shift", (int64_t)reading->id_shift));
    if (reading->min_count > 0) MOT_TRY(mot_h5_set_int(where, ".", "min_count", (int64_t)reading->min_count));
    if (reading->pixel_unit > 0)
        MOT_TRY(mot_h5_set_int(where, ".", "pixel_unit", (int64_t)reading->pixel_unit));
    if (reading->pad[0] != '\0') MOT_TRY(mot_h5_set_text(where, ".", "pad", reading->pad));
done:
    return status;
}

static mot_status read_normalization(mot_sample_format *format, hid_t file, const char *path, int64_t version)
{
    if (format->kind == MOT_SAMPLE_TEXT) return MOT_OK;
    if (version != DATASET_VERSION_ATTRIBUTES) return mot_dataset_normalization_read(format, file, path);
    const mot_status status = read_attributes(format, file);
    return status == MOT_OK ? check_normalization(&format->normalization, path) : status;
}

/* Of the checksums of x, y and, where there are any, groups, which stand beside them. */
static mot_status read_checksum(mot_dataset *dataset, hid_t file, const char *split)
{
    static const char *const of[] = {"x", "y", "group"};
    char all[MOT_COUNT(of) * MOT_DIGEST_TEXT] = "";
    mot_status status = MOT_OK;
    for (size_t i = 0; i < MOT_COUNT(of); ++i) {
        char name[16], *text = NULL;
        if (strcmp(of[i], "group") == 0 && dataset->group == NULL) continue;
        snprintf(name, sizeof name, "%s/%s", split, of[i]);
        MOT_TRY(mot_h5_get_text(file, name, i == 0 && dataset->source->place != NULL ? DATASET_PADDED : "xxh3", &text));
        const size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s", text);
        mot_free(text);
    }
    const mot_digest digest = mot_digest_bytes(all, strlen(all));
    mot_digest_text(&digest, dataset->checksum);
done:
    return status;
}

static mot_status read_sums(mot_dataset *dataset, hid_t file, const char *split)
{
    char name[32];
    const hsize_t shape = (hsize_t)dataset->samples;
    snprintf(name, sizeof name, "%s/%s", split, DATASET_SUMS);
    mot_status status = mot_allocate(&dataset->source->sum, (size_t)shape, sizeof(uint64_t),
                                     "the samples' checksums");
    return status == MOT_OK
               ? mot_h5_read(file, name, mot_dataset_sum_type(file, name), 1, &shape, dataset->source->sum)
               : status;
}

/* What people have in the place of a data set: the file that one is made of. */
static bool is_something_else(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode) && H5Fis_hdf5(path) == 0;
}

static mot_status open_file(hid_t *file, const char *path)
{
    mot_status status = mot_h5_open_sealed(file, path, "data set");
    if (status != MOT_OK && is_something_else(path)) status = fail_other(path);
    return status == MOT_ERR_FILE ? MOT_ERR_INPUT : status; /* the user's choice of a file */
}

mot_status mot_dataset_splits(const char *path, bool has[DATASET_SPLITS])
{
    mot_dataset head = {0};
    int64_t version;
    hid_t file = H5I_INVALID_HID;
    mot_status status;
    MOT_TRY(open_file(&file, path));
    MOT_TRY(read_head(&head, file, path, &version));
    for (int s = 0; s < DATASET_SPLITS; ++s) has[s] = mot_h5_exists(file, mot_dataset_split_names[s]);
done:
    mot_h5_close(&file);
    return status;
}

mot_status mot_dataset_read_structure(mot_dataset *dataset, const char *path, const char *split)
{
    const char *where = dataset->source->where;
    char x[16];
    int64_t version;
    hid_t file = H5I_INVALID_HID;
    mot_status status;
    MOT_TRY(open_file(&file, path));
    snprintf(x, sizeof x, "%s/x", split);
    MOT_TRY(read_head(dataset, file, path, &version));
    if (!mot_h5_exists(file, split)) {
        status = mot_fail(MOT_ERR_INPUT, "%s has no split '%s'", path, split);
        goto done;
    }
    MOT_TRY(read_element(dataset, file, x, where));
    MOT_TRY(version == DATASET_VERSION_LENGTHS && dataset->format.kind == MOT_SAMPLE_TEXT
                ? mot_dataset_read_places(dataset, file, split, where)
                : read_shape(dataset, file, x, where));
    MOT_TRY(read_normalization(&dataset->format, file, path, version));
    MOT_TRY(mot_dataset_reading_read(&dataset->format.reading, file, path));
    if (dataset->format.kind == MOT_SAMPLE_VECTOR)
        MOT_TRY(
            mot_dataset_names_read(file, path, "column_names", dataset->format.features, &dataset->column_names));
    if (dataset->format.kind == MOT_SAMPLE_TEXT)
        MOT_TRY(
            mot_dataset_names_read(file, path, "vocabulary", dataset->format.vocabulary, &dataset->vocabulary));
    MOT_TRY(mot_dataset_names_read(file, path, "class_names", (size_t)dataset->classes, &dataset->class_names));
    MOT_TRY(mot_dataset_read_targets(dataset, file, path, split));
    if (dataset->classes == 0)
        MOT_TRY(mot_dataset_names_read(file, path, "target_names", dataset->target_bytes / sizeof(float),
                                       &dataset->target_names));
    MOT_TRY(read_checksum(dataset, file, split));
    MOT_TRY(read_sums(dataset, file, split));
done:
    mot_h5_close(&file);
    return status;
}
