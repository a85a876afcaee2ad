#include "dataset_private.h"

#include <math.h>
#include <stdio.h>

#include "mot/memory.h"

const char *const mot_dataset_split_names[DATASET_SPLITS] = {"train", "val", "test"};
const char *const mot_dataset_kind_names[3] = {"picture", "text", "vector"};
const char *const mot_dataset_scaling_names[3] = {"column", "all", "none"};

size_t mot_element_bytes(mot_element element)
{
    return element == MOT_ELEMENT_U8 ? 1 : 4;
}

hid_t mot_dataset_element_type(mot_element element)
{
    if (element == MOT_ELEMENT_U8) return H5T_NATIVE_UINT8;
    return element == MOT_ELEMENT_I32 ? H5T_NATIVE_INT32 : H5T_NATIVE_FLOAT;
}

static bool in(size_t value, size_t most)
{
    return value >= 1 && value <= most;
}

mot_status mot_dataset_format_check(mot_sample_format *format, const char *where)
{
    size_t count = 0;
    switch (format->kind) {
    case MOT_SAMPLE_PICTURE:
        if (!in(format->channels, DATASET_MAX_CHANNELS) || !in(format->height, DATASET_MAX_EXTENT) ||
            !in(format->width, DATASET_MAX_EXTENT) || format->element != MOT_ELEMENT_U8)
            return mot_fail(
                MOT_ERR_INPUT,
                "%s: pictures are bytes with 1 to %d channels and sides of 1 to %d, not %zu x %zu x %zu",
                where, DATASET_MAX_CHANNELS, DATASET_MAX_EXTENT, format->channels, format->height,
                format->width);
        count = format->channels * format->height * format->width;
        break;
    case MOT_SAMPLE_TEXT:
        if (!in(format->tokens, DATASET_MAX_EXTENT) || format->element == MOT_ELEMENT_F32)
            return mot_fail(MOT_ERR_INPUT, "%s: texts are bytes or 32-bit ids, 1 to %d of them, not %zu",
                            where, DATASET_MAX_EXTENT, format->tokens);
        if (format->vocabulary < 2 || format->vocabulary > INT32_MAX)
            return mot_fail(MOT_ERR_INPUT, "%s: a vocabulary of %zu ids, expected 2 to %d", where,
                            format->vocabulary, INT32_MAX);
        count = format->tokens;
        break;
    case MOT_SAMPLE_VECTOR:
        if (!in(format->tokens, DATASET_MAX_EXTENT) || !in(format->features, DATASET_MAX_EXTENT) ||
            format->element != MOT_ELEMENT_F32)
            return mot_fail(MOT_ERR_INPUT,
                            "%s: vectors are 32-bit numbers, 1 to %d tokens of 1 to %d, not %zu x %zu", where,
                            DATASET_MAX_EXTENT, DATASET_MAX_EXTENT, format->tokens, format->features);
        count = format->tokens * format->features;
        break;
    }
    format->bytes = count * mot_element_bytes(format->element); /* at most 2^46: no overflow */
    if (format->bytes > dataset_max_sample)
        return mot_fail(MOT_ERR_INPUT, "%s: a sample of %zu bytes, at most %zu are allowed", where,
                        format->bytes, dataset_max_sample);
    return MOT_OK;
}

mot_status mot_dataset_samples_check(const mot_sample_format *format, const char *where, mot_gidx first,
                                     size_t count, const void *x)
{
    const size_t each = format->bytes / mot_element_bytes(format->element);
    const int32_t *ids = x;
    const unsigned char *bytes = x;
    const float *numbers = x;
    if (format->kind == MOT_SAMPLE_VECTOR) {
        for (size_t i = 0; i < count * each; ++i)
            if (!isfinite(numbers[i]))
                return mot_fail(MOT_ERR_INPUT, "%s: sample %" MOT_PRI_GIDX ": number %zu is not finite",
                                where, first + (mot_gidx)(i / each), i % each);
    } else if (format->kind == MOT_SAMPLE_TEXT) {
        const bool wide = format->element == MOT_ELEMENT_I32;
        if (!wide && format->vocabulary > UINT8_MAX) return MOT_OK;
        for (size_t i = 0; i < count * each; ++i) {
            const int32_t id = wide ? ids[i] : bytes[i];
            if (id < 0 || (size_t)id >= format->vocabulary)
                return mot_fail(MOT_ERR_INPUT,
                                "%s: sample %" MOT_PRI_GIDX ": id %d is outside the vocabulary [0, %zu)",
                                where, first + (mot_gidx)(i / each), id, format->vocabulary);
        }
    }
    return MOT_OK;
}

static size_t normalization_count(const mot_sample_format *format)
{
    if (format->kind == MOT_SAMPLE_TEXT || format->normalization.scaling == MOT_SCALING_NONE) return 0;
    if (format->normalization.scaling == MOT_SCALING_ALL) return 1;
    return format->kind == MOT_SAMPLE_PICTURE ? format->channels : format->features;
}

mot_status mot_dataset_normalization_allocate(mot_sample_format *format)
{
    mot_normalization *n = &format->normalization;
    n->count = normalization_count(format);
    n->mean = n->deviation = NULL;
    if (n->count == 0) return MOT_OK;
    const mot_status status = mot_allocate(&n->mean, n->count, 2 * sizeof(double), "means and deviations");
    if (status == MOT_OK) n->deviation = n->mean + n->count;
    return status;
}

void mot_dataset_form_text(const mot_sample_format *format, char text[160])
{
    switch (format->kind) {
    case MOT_SAMPLE_PICTURE:
        snprintf(text, 160, "pictures of %zu x %zu pixels (rows x columns) and %zu channel%s", format->height,
                 format->width, format->channels, format->channels == 1 ? "" : "s");
        break;
    case MOT_SAMPLE_TEXT:
        snprintf(text, 160, "texts");
        break;
    case MOT_SAMPLE_VECTOR:
        if (format->tokens == 1)
            snprintf(text, 160, "vectors of %zu columns", format->features);
        else
            snprintf(text, 160, "vectors of %zu tokens with %zu columns", format->tokens, format->features);
        break;
    }
}

void mot_dataset_target_text(int classes, size_t target_bytes, char text[48])
{
    if (classes > 0)
        snprintf(text, 48, "classes");
    else
        snprintf(text, 48, "numbers, %zu a sample", target_bytes / sizeof(float));
}
