/* NumPy arrays: .npy files "X,Y[,GROUP]", or one .npz file (a zip of .npy) with the arrays x, y and perhaps
 * group. Little-endian u1, i4, i8, f4, f8, in C order. Bytes are pictures, 32- and 64-bit integers texts,
 * floats vectors. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "dataset_private.h"
#include "import.h"
#include "mot/memory.h"

enum { MAX_DIMENSIONS = 4 };

typedef struct array {
    char path[512];
    char kind; /* 'u', 'i', 'f' */
    size_t size, rank, shape[MAX_DIMENSIONS], count;
    const char *data; /* into the file's bytes */
} array;

/* ---- .npy: "\x93NUMPY", version, length of the head, the head as the text of a Python dictionary, the data
 * ---- */

static const char *value_of(const char *head, const char *key)
{
    const char *at = strstr(head, key);
    if (at == NULL) return head + strlen(head);
    at += strlen(key);
    return at + strspn(at, " :");
}

static mot_status read_shape(array *a, const char *text)
{
    a->count = 1;
    if (*text++ != '(') return mot_fail(MOT_ERR_INPUT, "%s: the head has no shape", a->path);
    for (;;) {
        text += strspn(text, " ,");
        if (*text == ')') return MOT_OK;
        char *end;
        const unsigned long long extent = strtoull(text, &end, 10);
        if (end == text || *text == '-' || a->rank == MAX_DIMENSIONS || extent == 0 ||
            extent > (size_t)1 << 40 || __builtin_mul_overflow(a->count, (size_t)extent, &a->count))
            return mot_fail(MOT_ERR_INPUT, "%s: shape '%.60s', expected 1 to %d extents above 0", a->path,
                            text, MAX_DIMENSIONS);
        a->shape[a->rank++] = (size_t)extent;
        text = end;
    }
}

static mot_status parse_npy(const char *path, const char *bytes, size_t size, array *a)
{
    *a = (array){0};
    snprintf(a->path, sizeof a->path, "%s", path);
    const unsigned char *b = (const unsigned char *)bytes;
    if (size < 12 || memcmp(bytes, "\x93NUMPY", 6) != 0)
        return mot_fail(MOT_ERR_INPUT, "%s: byte 0: not a .npy array", path);
    const size_t start = b[6] == 1 ? 10 : 12;
    const size_t length = b[6] == 1
                              ? (size_t)(b[8] | b[9] << 8)
                              : (size_t)b[8] | (size_t)b[9] << 8 | (size_t)b[10] << 16 | (size_t)b[11] << 24;
    if (b[6] < 1 || b[6] > 3 || length > size - start || length > 1 << 16)
        return mot_fail(MOT_ERR_INPUT, "%s: byte 6: a head of version %d and %zu bytes cannot be read", path,
                        b[6], length);
    char head[(1 << 16) + 1];
    memcpy(head, bytes + start, length);
    head[length] = '\0';

    const char *type = value_of(head, "'descr'"), *order = value_of(head, "'fortran_order'");
    static const char *const known[] = {"'|u1'", "'<i4'", "'<i8'", "'<f4'", "'<f8'", "'<u1'"};
    bool found = false;
    for (size_t i = 0; i < MOT_COUNT(known); ++i) found = found || strncmp(type, known[i], 5) == 0;
    if (!found)
        return mot_fail(MOT_ERR_INPUT,
                        "%s: type %.12s, expected one of u1, i4, i8, f4, f8 in little-endian order", path,
                        type);
    if (strncmp(order, "False", 5) != 0)
        return mot_fail(MOT_ERR_INPUT, "%s: expected C order (numpy.ascontiguousarray makes it)", path);
    a->kind = type[2];
    a->size = (size_t)(type[3] - '0');
    mot_status status = read_shape(a, value_of(head, "'shape'"));
    if (status != MOT_OK) return status;
    const size_t have = size - start - length;
    if (a->count > have / a->size || a->count * a->size != have)
        return mot_fail(MOT_ERR_INPUT, "%s: %zu bytes of data, expected %zu numbers of %zu bytes", path, have,
                        a->count, a->size);
    a->data = bytes + start + length;
    return MOT_OK;
}

static double number_at(const array *a, size_t i)
{
    const char *at = a->data + i * a->size; /* of any alignment */
    if (a->kind == 'u') return (unsigned char)*at;
    int32_t i4;
    int64_t i8;
    float f4;
    double f8;
    if (a->kind == 'i' && a->size == 4) return memcpy(&i4, at, 4), i4;
    if (a->kind == 'i') return memcpy(&i8, at, 8), (double)i8;
    if (a->size == 4) return memcpy(&f4, at, 4), f4;
    return memcpy(&f8, at, 8), f8;
}

/* ---- .npz: the central directory at the end of a zip names every member and where it begins ---- */

static uint32_t le(const char *bytes, int count)
{
    uint32_t value = 0;
    for (int i = count - 1; i >= 0; --i) value = value << 8 | (unsigned char)bytes[i];
    return value;
}

static mot_status inflate_member(const char *path, const char *packed, size_t packed_size, size_t size,
                                 char **bytes)
{
    if (size / 1032 > packed_size) /* deflate packs no better */
        return mot_fail(MOT_ERR_INPUT, "%s: %zu packed bytes cannot be %zu bytes", path, packed_size, size);
    mot_status status = mot_allocate(bytes, size + 1, 1, "a packed array");
    if (status != MOT_OK) return status;
    z_stream z = {.next_in = (Bytef *)packed, .avail_in = (uInt)packed_size};
    if (inflateInit2(&z, -15) != Z_OK)
        return mot_fail(MOT_ERR_MEMORY, "not enough memory to unpack %s", path);
    z.next_out = (Bytef *)*bytes;
    z.avail_out = (uInt)size;
    const int state = inflate(&z, Z_FINISH);
    const bool whole = state == Z_STREAM_END && z.total_out == size;
    inflateEnd(&z);
    return whole ? MOT_OK : mot_fail(MOT_ERR_INPUT, "%s: the packed data are damaged", path);
}

/* Member NAME.npy; *unpacked is owned by the caller, and NULL for one that lies there as it is. */
static mot_status find_member(const char *path, const char *zip, size_t size, const char *name, array *a,
                              bool *found, char **unpacked)
{
    char where[512], file[32];
    snprintf(file, sizeof file, "%s.npy", name);
    snprintf(where, sizeof where, "%s:%s", path, file);
    *found = false;
    size_t end = size >= 22 ? size - 22 : 0;
    while (end > 0 && memcmp(zip + end, "PK\5\6", 4) != 0) --end;
    if (size < 22 || memcmp(zip + end, "PK\5\6", 4) != 0)
        return mot_fail(MOT_ERR_INPUT, "%s: not a whole .npz file (a zip ends with a directory)", path);
    size_t at = le(zip + end + 16, 4);
    for (uint32_t entries = le(zip + end + 10, 2); entries > 0; --entries) {
        if (at > size || size - at < 46 || memcmp(zip + at, "PK\1\2", 4) != 0)
            return mot_fail(MOT_ERR_INPUT, "%s: byte %zu: the zip's directory is damaged", path, at);
        const char *entry = zip + at;
        const size_t name_length = le(entry + 28, 2),
                     skip = 46 + name_length + le(entry + 30, 2) + le(entry + 32, 2);
        if (skip > size - at)
            return mot_fail(MOT_ERR_INPUT, "%s: byte %zu: the zip's directory is damaged", path, at);
        at += skip;
        if (name_length != strlen(file) || memcmp(entry + 46, file, name_length) != 0) continue;

        const size_t method = le(entry + 10, 2), packed = le(entry + 20, 4), whole = le(entry + 24, 4);
        const size_t local = le(entry + 42, 4);
        if (local > size || size - local < 30 || memcmp(zip + local, "PK\3\4", 4) != 0)
            return mot_fail(MOT_ERR_INPUT, "%s: byte %zu: no member begins here", where, local);
        const size_t data = local + 30 + le(zip + local + 26, 2) + le(zip + local + 28, 2);
        if (data > size || packed > size - data || (method == 0 && packed != whole))
            return mot_fail(MOT_ERR_INPUT,
                            "%s: %zu bytes do not lie in the file (above 4 GiB use .npy files)", where,
                            packed);
        if (method != 0 && method != 8)
            return mot_fail(MOT_ERR_INPUT, "%s: packed by method %zu, expected stored or deflated", where,
                            method);
        const char *bytes = zip + data;
        if (method == 8) {
            mot_status status = inflate_member(where, bytes, packed, whole, unpacked);
            if (status != MOT_OK) return status;
            bytes = *unpacked;
        }
        if (crc32_z(0, (const Bytef *)bytes, whole) != le(entry + 16, 4))
            return mot_fail(MOT_ERR_INPUT, "%s: is damaged (its CRC is wrong)", where);
        *found = true;
        return parse_npy(where, bytes, whole, a);
    }
    return MOT_OK;
}

/* ---- a split: x, y and perhaps group ---- */

typedef struct arrays {
    array array[3];
    size_t count; /* 2, or 3 with group */
    char *bytes[6];
} arrays;

static mot_status read_arrays(const char *text, arrays *s)
{
    static const char *const names[3] = {"x", "y", "group"};
    char **files = NULL;
    size_t count, size;
    mot_status status = MOT_OK;
    *s = (arrays){0};
    MOT_TRY(import_split_list(text, IMPORT_MAX_FILES, "the files of a split", &count, &files));
    if (count > 3) {
        status = mot_fail(MOT_ERR_INPUT, "'%s': %zu files, expected X.npy,Y.npy[,GROUP.npy] or FILE.npz",
                          text, count);
        goto done;
    }
    s->count = count;
    for (size_t i = 0; i < count; ++i) {
        MOT_TRY(import_read(files[i], import_limit, &s->bytes[i], &size));
        if (count > 1) MOT_TRY(parse_npy(files[i], s->bytes[i], size, &s->array[i]));
    }
    if (count > 1) goto done;
    for (int i = 0; i < 3; ++i) {
        bool found;
        MOT_TRY(find_member(files[0], s->bytes[0], size, names[i], &s->array[i], &found, &s->bytes[3 + i]));
        if (found) s->count = (size_t)i + 1;
        if (found || i == 2) continue;
        status = mot_fail(MOT_ERR_INPUT, "%s has no array '%s'", files[0], names[i]);
        goto done;
    }
done:
    mot_free(files);
    return status;
}

static void free_arrays(arrays *s)
{
    for (size_t i = 0; i < MOT_COUNT(s->bytes); ++i) mot_free(s->bytes[i]);
}

static mot_status format_of(const array *x, mot_sample_format *format)
{
    *format = (mot_sample_format){0};
    const size_t *shape = x->shape;
    if (x->kind == 'u' && (x->rank == 3 || x->rank == 4)) {
        format->kind = MOT_SAMPLE_PICTURE;
        format->channels = x->rank == 4 ? shape[1] : 1;
        format->height = shape[x->rank - 2];
        format->width = shape[x->rank - 1];
    } else if (x->kind == 'i' && x->rank == 2) {
        format->kind = MOT_SAMPLE_TEXT;
        format->element = MOT_ELEMENT_I32;
        format->tokens = shape[1];
    } else if (x->kind == 'f' && (x->rank == 2 || x->rank == 3)) {
        format->kind = MOT_SAMPLE_VECTOR;
        format->element = MOT_ELEMENT_F32;
        format->tokens = x->rank == 3 ? shape[1] : 1;
        format->features = shape[x->rank - 1];
    } else {
        return mot_fail(MOT_ERR_INPUT,
                        "%s: %c%zu in %zu dimensions; expected u1 [n,H,W] or [n,C,H,W], i4 or i8 [n,L], f4 "
                        "or f8 [n,D] or [n,L,D]",
                        x->path, x->kind, x->size, x->rank);
    }
    return MOT_OK;
}

static mot_status integers_of(const array *a, size_t samples, int32_t **values)
{
    if (a->kind == 'f' || a->rank != 1 || a->count != samples)
        return mot_fail(MOT_ERR_INPUT, "%s: expected %zu integers in one dimension, as many as samples",
                        a->path, samples);
    mot_status status = mot_allocate(values, samples, sizeof(int32_t), "the labels");
    for (size_t i = 0; i < samples && status == MOT_OK; ++i) {
        const double value = number_at(a, i);
        if (value < 0 || value >= DATASET_MAX_NAMES)
            return mot_fail(MOT_ERR_INPUT, "%s: sample %zu: %.0f, expected 0 to %d", a->path, i, value,
                            DATASET_MAX_NAMES - 1);
        (*values)[i] = (int32_t)value;
    }
    return status;
}

static mot_status check_ids(const array *x, size_t *vocabulary)
{
    for (size_t i = 0; x->kind == 'i' && i < x->count; ++i) {
        const double id = number_at(x, i);
        if (id < 0 || id >= INT32_MAX)
            return mot_fail(MOT_ERR_INPUT, "%s: number %zu: id %.0f, expected 0 to %d", x->path, i, id,
                            INT32_MAX - 1);
        *vocabulary = MOT_MAX(*vocabulary, (size_t)id + 1);
    }
    return MOT_OK;
}

static mot_status add_split(mot_dataset_writer *writer, const char *split, const arrays *s)
{
    const array *x = &s->array[0];
    const size_t samples = x->shape[0], each = x->count / samples;
    const size_t block = MOT_MAX(MOT_MIN(samples, ((size_t)1 << 20) / each), 1);
    int32_t *y = NULL, *group = NULL, *ids = NULL;
    mot_status status = MOT_OK;
    MOT_TRY(integers_of(&s->array[1], samples, &y));
    if (s->count == 3) MOT_TRY(integers_of(&s->array[2], samples, &group));
    MOT_TRY(mot_allocate(&ids, block, each * 4, "a block of samples"));
    for (size_t first = 0; first < samples; first += block) {
        const size_t some = MOT_MIN(block, samples - first);
        float *numbers = (float *)(void *)ids;
        for (size_t i = 0; i < some * each && x->kind != 'u'; ++i) {
            if (x->kind == 'i')
                ids[i] = (int32_t)number_at(x, first * each + i);
            else
                numbers[i] = (float)number_at(x, first * each + i);
        }
        const void *data = x->kind == 'u' ? (const void *)(x->data + first * each) : ids;
        MOT_TRY(mot_dataset_writer_add(writer, split, some, data, y + first,
                                       group != NULL ? group + first : NULL));
    }
done:
    mot_free(ids);
    mot_free(group);
    mot_free(y);
    return status;
}

static bool same_format(const mot_sample_format *a, const mot_sample_format *b)
{
    return a->kind == b->kind && a->channels == b->channels && a->height == b->height &&
           a->width == b->width && a->tokens == b->tokens && a->features == b->features;
}

mot_status mot_import_npy(const mot_import_options *options)
{
    mot_dataset_writer *writer = NULL;
    mot_dataset_about about = {0};
    char **class_names = NULL, **group_names = NULL;
    arrays splits[IMPORT_SPLITS];
    mot_sample_format format = {0}, other;
    size_t vocabulary = 2;
    mot_status status = MOT_OK;
    memset(splits, 0, sizeof splits);
    MOT_TRY(import_names(options->class_names, "class names", &about.class_count, &class_names));
    MOT_TRY(import_names(options->group_names, "group names", &about.group_count, &group_names));
    for (int s = 0; s < IMPORT_SPLITS; ++s) {
        if (options->files[s] == NULL) continue;
        MOT_TRY(read_arrays(options->files[s], &splits[s]));
        MOT_TRY(format_of(&splits[s].array[0], &other));
        MOT_TRY(check_ids(&splits[s].array[0], &vocabulary));
        if (s == 0) format = other;
        if (same_format(&format, &other)) continue;
        status = mot_fail(MOT_ERR_INPUT, "%s: its samples have another shape than those of train",
                          splits[s].array[0].path);
        goto done;
    }
    if (format.kind == MOT_SAMPLE_TEXT) format.vocabulary = vocabulary;
    MOT_TRY(mot_dataset_writer_open(&writer, options->out, &format));
    for (int s = 0; s < IMPORT_SPLITS; ++s)
        if (splits[s].count > 0) MOT_TRY(add_split(writer, dataset_split_names[s], &splits[s]));
    import_about(options, &about);
    about.class_names = (const char *const *)class_names;
    about.group_names = (const char *const *)group_names;
    MOT_TRY(mot_dataset_writer_close(&writer, &about, true));
done:
    mot_dataset_writer_close(&writer, &about, false);
    for (int s = 0; s < IMPORT_SPLITS; ++s) free_arrays(&splits[s]);
    mot_free(class_names);
    mot_free(group_names);
    return status;
}
