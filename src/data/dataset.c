#include "mot/dataset.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dataset_private.h"
#include "mot/digest.h"
#include "mot/memory.h"

/* ---- the parts of the file, in the order in which they are read ---- */

static mot_status read_head(mot_dataset *dataset, hid_t file, const char *path)
{
    char *text = NULL;
    int64_t version, integer;
    mot_status status = mot_h5_get_text(file, ".", "format", &text);
    if (status == MOT_ERR_MEMORY) goto done;
    if (status != MOT_OK || strcmp(text, DATASET_FORMAT) != 0) {
        status = mot_fail(MOT_ERR_INPUT, "%s is not a mot data set (make one with 'mot data import')", path);
        goto done;
    }
    MOT_TRY(mot_h5_get_int(file, ".", "format_version", &version));
    if (version != DATASET_VERSION) {
        status = mot_fail(MOT_ERR_INPUT, "%s: format version %lld, this program reads version %d", path,
                          (long long)version, DATASET_VERSION);
        goto done;
    }
    mot_free(text);
    text = NULL;
    MOT_TRY(mot_h5_get_text(file, ".", "kind", &text));
    int kind = 0;
    while (kind < 3 && strcmp(text, dataset_kind_names[kind]) != 0) ++kind;
    if (kind == 3) {
        status = mot_fail(MOT_ERR_INPUT, "%s: unknown kind '%.40s', expected picture, text or vector", path,
                          text);
        goto done;
    }
    dataset->format.kind = (mot_sample_kind)kind;

    MOT_TRY(mot_h5_get_int(file, ".", "classes", &integer));
    if (integer < 1 || integer > DATASET_MAX_NAMES) {
        status = mot_fail(MOT_ERR_INPUT, "%s: %lld classes, expected 1 to %d", path, (long long)integer,
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

static mot_status read_names(hid_t file, const char *path, const char *name, int expected, char ***names)
{
    size_t count;
    if (!mot_h5_exists(file, name)) return MOT_OK;
    mot_status status = mot_h5_read_texts(file, name, DATASET_MAX_NAMES, &count, names);
    if (status != MOT_OK || (int)count == expected) return status;
    return mot_fail(MOT_ERR_INPUT, "%s: %zu %s, expected %d", path, count, name, expected);
}

static mot_status read_type(mot_dataset *dataset, const char *where)
{
    hid_t type = H5Dget_type(dataset->source->x);
    const H5T_class_t class = H5Tget_class(type);
    const size_t size = H5Tget_size(type);
    const bool is_signed = class == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_2;
    mot_h5_close(&type);
    if (class == H5T_INTEGER && size == 1 && !is_signed)
        dataset->format.element = MOT_ELEMENT_U8;
    else if (class == H5T_INTEGER && size == 4 && is_signed)
        dataset->format.element = MOT_ELEMENT_I32;
    else if (class == H5T_FLOAT && size == 4)
        dataset->format.element = MOT_ELEMENT_F32;
    else
        return mot_fail(MOT_ERR_INPUT, "%s: expected bytes, 32-bit signed integers or 32-bit floats", where);
    dataset->source->type = dataset_element_type(dataset->format.element);
    return MOT_OK;
}

/* Shape [n, ...] of x: [n, H, W], [n, C, H, W], [n, L] or [n, L, D]. */
static mot_status read_shape(mot_dataset *dataset, hid_t file, const char *split, const char *where)
{
    mot_sample_format *format = &dataset->format;
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK], size = 0;
    mot_status status = mot_h5_shape(file, split, &rank, shape);
    if (status != MOT_OK) return status;
    const bool right[3] = {rank == 3 || rank == 4, rank == 2, rank == 3};
    if (!right[format->kind])
        return mot_fail(MOT_ERR_INPUT, "%s: %d dimensions do not fit the kind %s", where, rank,
                        dataset_kind_names[format->kind]);
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
    status = dataset_format_check(format, where);
    if (status != MOT_OK) return status;

    /* What is claimed must be able to lie in the file: deflate packs at most 1032 bytes into one. */
    hid_t list = H5Dget_create_plist(dataset->source->x);
    const hsize_t ratio = H5Pget_layout(list) == H5D_CHUNKED ? 1032 : 1;
    mot_h5_close(&list);
    if (shape[0] < 1 || H5Fget_filesize(file, &size) < 0 || shape[0] > size * ratio / format->bytes)
        return mot_fail(MOT_ERR_INPUT, "%s: %llu samples of %zu bytes do not fit into a file of %llu bytes",
                        where, (unsigned long long)shape[0], format->bytes, (unsigned long long)size);
    dataset->samples = (mot_gidx)shape[0];
    return MOT_OK;
}

static mot_status read_scaling(mot_sample_format *format, hid_t file, const char *path)
{
    const size_t count = format->kind == MOT_SAMPLE_PICTURE ? format->channels : 1;
    for (size_t c = 0; c < MOT_COUNT(format->mean); ++c) {
        format->mean[c] = 0;
        format->deviation[c] = 1;
    }
    if (format->kind == MOT_SAMPLE_TEXT || !mot_h5_has_attribute(file, ".", "mean")) return MOT_OK;
    mot_status status = MOT_OK;
    MOT_TRY(mot_h5_get_reals(file, ".", "mean", count, format->mean));
    MOT_TRY(mot_h5_get_reals(file, ".", "deviation", count, format->deviation));
    for (size_t c = 0; c < count; ++c)
        if (!isfinite(format->mean[c]) || !isfinite(format->deviation[c]) || !(format->deviation[c] > 0))
            return mot_fail(
                MOT_ERR_INPUT,
                "%s: mean %g and deviation %g of channel %zu: expected finite numbers, the deviation above 0",
                path, format->mean[c], format->deviation[c], c);
done:
    return status;
}

/* Compares with the attribute xxh3 of `name`, if it has one; the text goes into `said` ("" without one). */
static mot_status verify(hid_t file, const char *path, const char *name, const void *bytes, size_t count,
                         char said[MOT_DIGEST_TEXT])
{
    char *text = NULL, found[MOT_DIGEST_TEXT];
    said[0] = '\0';
    if (!mot_h5_has_attribute(file, name, "xxh3")) return MOT_OK;
    mot_status status = mot_h5_get_text(file, name, "xxh3", &text);
    if (status != MOT_OK) return status;
    snprintf(said, MOT_DIGEST_TEXT, "%s", text);
    mot_free(text);
    if (bytes == NULL) return MOT_OK;
    const mot_digest digest = mot_digest_bytes(bytes, count);
    mot_digest_text(&digest, found);
    if (strcmp(found, said) == 0) return MOT_OK;
    return mot_fail(MOT_ERR_INPUT, "%s:/%s is damaged: its checksum is %s, the file says %s", path, name,
                    found, said);
}

static mot_status read_labels(hid_t file, const char *path, const char *name, mot_gidx samples,
                              int32_t **values, char said[MOT_DIGEST_TEXT])
{
    const hsize_t shape = (hsize_t)samples;
    mot_status status = mot_allocate(values, (size_t)samples, sizeof(int32_t), "the labels");
    if (status == MOT_OK) status = mot_h5_read(file, name, H5T_NATIVE_INT32, 1, &shape, *values);
    if (status == MOT_OK) status = verify(file, path, name, *values, (size_t)samples * sizeof(int32_t), said);
    return status;
}

static mot_status check_labels(const mot_dataset *dataset, const char *path, const char *split)
{
    for (mot_gidx i = 0; i < dataset->samples; ++i) {
        const int32_t y = dataset->label[i];
        if (dataset->signed_labels ? y != 1 && y != -1 : y < 0 || y >= dataset->classes)
            return mot_fail(MOT_ERR_INPUT, "%s:/%s/y: sample %" MOT_PRI_GIDX " has label %d, expected %s%d%s",
                            path, split, i, y, dataset->signed_labels ? "-1 or " : "[0, ",
                            dataset->signed_labels ? 1 : dataset->classes, dataset->signed_labels ? "" : ")");
        if (dataset->group == NULL) continue;
        const int32_t g = dataset->group[i];
        if (g < 0 || g >= dataset->groups)
            return mot_fail(MOT_ERR_INPUT,
                            "%s:/%s/group: sample %" MOT_PRI_GIDX " has group %d, expected [0, %d)", path,
                            split, i, g, dataset->groups);
    }
    return MOT_OK;
}

static mot_status read_groups(mot_dataset *dataset, hid_t file, const char *path, const char *split)
{
    char name[16], said[MOT_DIGEST_TEXT];
    int64_t groups = 0;
    snprintf(name, sizeof name, "%s/group", split);
    if (!mot_h5_exists(file, name)) return MOT_OK;
    mot_status status = MOT_OK;
    MOT_TRY(mot_h5_get_int(file, ".", "groups", &groups));
    if (groups < 1 || groups > DATASET_MAX_NAMES)
        return mot_fail(MOT_ERR_INPUT, "%s: %lld groups, expected 1 to %d", path, (long long)groups,
                        DATASET_MAX_NAMES);
    dataset->groups = (int)groups;
    MOT_TRY(read_labels(file, path, name, dataset->samples, &dataset->group, said));
    MOT_TRY(read_names(file, path, "group_names", dataset->groups, &dataset->group_names));
done:
    return status;
}

static mot_status load(mot_dataset *dataset)
{
    struct mot_dataset_source *source = dataset->source;
    mot_status status = MOT_OK;
    MOT_TRY(mot_allocate(&source->loaded, (size_t)dataset->samples, dataset->format.bytes, "the samples"));
    MOT_TRY(mot_h5_read_rows_of(source->x, source->type, 0, (hsize_t)dataset->samples, source->loaded));
    MOT_TRY(
        dataset_samples_check(&dataset->format, source->where, 0, (size_t)dataset->samples, source->loaded));
done:
    return status;
}

/* ---- samples that lie one after another ---- */

static mot_status read_place(const mot_dataset *dataset, mot_gidx index, void *bytes)
{
    const struct mot_dataset_source *source = dataset->source;
    const size_t size = dataset->format.bytes;
    for (size_t have = 0; have < size;) {
        const ssize_t got = pread(source->descriptor, (char *)bytes + have, size - have,
                                  source->first + (off_t)index * (off_t)size + (off_t)have);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0)
            return mot_fail(MOT_ERR_FILE, "%s: cannot read sample %" MOT_PRI_GIDX ": %s", source->where,
                            index, got < 0 ? strerror(errno) : "the file ends before it");
        have += (size_t)got;
    }
    return MOT_OK;
}

/* Without HDF5 a sample is read several times faster, and the system can be told of it beforehand. Only where the bytes
 * in the file are those that HDF5 would give, which the last sample shows. */
static void find_place(mot_dataset *dataset, const char *path)
{
    struct mot_dataset_source *source = dataset->source;
    const size_t size = dataset->format.bytes;
    const mot_gidx last = dataset->samples - 1;
    const haddr_t place = H5Dget_offset(source->x); /* undefined for chunks */
    hid_t stored = H5Dget_type(source->x);
    unsigned char *bytes = NULL;
    if (place == HADDR_UNDEF || H5Tequal(stored, source->type) <= 0) goto done;
    source->descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (source->descriptor < 0) goto done;
    source->first = (off_t)place;
    bytes = mot_calloc(2, size);
    if (bytes != NULL && read_place(dataset, last, bytes) == MOT_OK &&
        mot_h5_read_rows_of(source->x, source->type, (hsize_t)last, 1, bytes + size) == MOT_OK &&
        memcmp(bytes, bytes + size, size) == 0)
        goto done;
    close(source->descriptor);
    source->descriptor = -1;
done:
    mot_free(bytes);
    mot_h5_close(&stored);
}

bool mot_dataset_waits(const mot_dataset *dataset)
{
    return dataset->source->descriptor >= 0;
}

bool mot_dataset_expect(const mot_dataset *dataset, mot_gidx index)
{
    const struct mot_dataset_source *source = dataset->source;
    const off_t size = (off_t)dataset->format.bytes;
    return source->descriptor >= 0 && posix_fadvise(source->descriptor, source->first + (off_t)index * size,
                                                    size, POSIX_FADV_WILLNEED) == 0;
}

mot_status mot_dataset_open(mot_dataset *dataset, const char *path, const char *split, size_t memory_bytes)
{
    *dataset = (mot_dataset){0};
    char x[16], y[16], x_digest[MOT_DIGEST_TEXT], y_digest[MOT_DIGEST_TEXT];
    if (dataset_split(split) < 0)
        return mot_fail(MOT_ERR_INPUT, "unknown split '%s', expected train, val or test", split);
    snprintf(x, sizeof x, "%s/x", split);
    snprintf(y, sizeof y, "%s/y", split);

    struct mot_dataset_source *source;
    mot_status status = mot_allocate(&source, 1, sizeof *source, "a data set");
    if (status != MOT_OK) return status;
    dataset->source = source;
    source->file = source->x = H5I_INVALID_HID;
    source->descriptor = -1;
    snprintf(source->where, sizeof source->where, "%s:/%s", path, x);

    MOT_TRY(mot_h5_open(&source->file, path, false));
    MOT_TRY(read_head(dataset, source->file, path));
    if (!mot_h5_exists(source->file, split)) {
        status = mot_fail(MOT_ERR_INPUT, "%s has no split '%s'", path, split);
        goto done;
    }
    MOT_TRY(mot_h5_open_dataset(source->file, x, &source->x));
    MOT_TRY(read_type(dataset, source->where));
    MOT_TRY(read_shape(dataset, source->file, x, source->where));
    MOT_TRY(read_scaling(&dataset->format, source->file, path));
    MOT_TRY(read_names(source->file, path, "class_names", dataset->classes, &dataset->class_names));
    MOT_TRY(read_labels(source->file, path, y, dataset->samples, &dataset->label, y_digest));
    MOT_TRY(read_groups(dataset, source->file, path, split));
    MOT_TRY(check_labels(dataset, path, split));
    const size_t bytes = (size_t)dataset->samples *
                         dataset->format.bytes; /* fits: at most 1032 times the file */
    const bool fits = bytes <= memory_bytes;
    if (fits) MOT_TRY(load(dataset));
    MOT_TRY(verify(source->file, path, x, source->loaded, bytes, x_digest));
    if (x_digest[0] != '\0' && y_digest[0] != '\0') {
        char both[2 * MOT_DIGEST_TEXT];
        snprintf(both, sizeof both, "%s%s", x_digest, y_digest);
        const mot_digest digest = mot_digest_bytes(both, strlen(both));
        mot_digest_text(&digest, dataset->checksum);
    }
    if (!fits) find_place(dataset, path);
    if (fits) {
        mot_h5_close(&source->x);
        mot_h5_close(&source->file);
    }
done:
    if (status != MOT_OK) mot_dataset_close(dataset);
    return status;
}

void mot_dataset_close(mot_dataset *dataset)
{
    if (dataset->source != NULL) {
        if (dataset->source->descriptor >= 0) close(dataset->source->descriptor);
        mot_h5_close(&dataset->source->x);
        mot_h5_close(&dataset->source->file);
        mot_free(dataset->source->loaded);
        mot_free(dataset->source->made);
        mot_free(dataset->source->label);
        mot_free(dataset->source->group);
        if (dataset->source->mixture != NULL) mot_mixture_free(dataset->source->mixture);
        mot_free(dataset->source->mixture);
    }
    mot_free(dataset->source);
    mot_free(dataset->class_names);
    mot_free(dataset->group_names);
    mot_free(dataset->label);
    mot_free(dataset->group);
    *dataset = (mot_dataset){0};
}

mot_status mot_dataset_read(mot_dataset *dataset, mot_gidx index, void *bytes)
{
    int32_t label, group;
    return mot_dataset_sample(dataset, index, bytes, &label, &group);
}

mot_status mot_dataset_sample(mot_dataset *dataset, mot_gidx index, void *bytes, int32_t *label,
                              int32_t *group)
{
    struct mot_dataset_source *source = dataset->source;
    const size_t size = dataset->format.bytes;
    if (index < 0 || index >= dataset->samples)
        return mot_fail(MOT_ERR_INPUT, "%s: sample %" MOT_PRI_GIDX " outside [0, %" MOT_PRI_GIDX ")",
                        source->where, index, dataset->samples);
    if (source->mixture != NULL) {
        dataset_make(source, &dataset->format, index, bytes, label, group);
        return MOT_OK;
    }
    *label = dataset->label[index];
    *group = dataset->group != NULL ? dataset->group[index] : -1;
    if (source->loaded != NULL) {
        memcpy(bytes, source->loaded + (size_t)index * size, size);
        return MOT_OK;
    }
    mot_status status = source->descriptor >= 0
                            ? read_place(dataset, index, bytes)
                            : mot_h5_read_rows_of(source->x, source->type, (hsize_t)index, 1, bytes);
    if (status == MOT_OK) status = dataset_samples_check(&dataset->format, source->where, index, 1, bytes);
    return status;
}

bool mot_dataset_label_groups(const mot_dataset *dataset, int *parent)
{
    for (int c = 0; c < dataset->classes; ++c) parent[c] = -1;
    if (dataset->group == NULL) return false;
    for (mot_gidx i = 0; i < dataset->samples; ++i) {
        /* Signed labels -1, +1 are classes 0 and 1. */
        const int c = dataset->signed_labels ? dataset->label[i] > 0 : dataset->label[i];
        if (parent[c] >= 0 && parent[c] != dataset->group[i]) return false;
        parent[c] = dataset->group[i];
    }
    return true;
}
