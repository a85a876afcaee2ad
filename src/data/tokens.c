#include "mot/tokens.h"

#include <stdio.h>
#include <string.h>

/* A patch that does not fit, and those that would: the common divisors of both sides, the first ten of them. */
static mot_status fail_patch(const mot_sample_format *format, size_t patch)
{
    char fitting[128] = "";
    size_t used = 0;
    for (size_t p = 1, found = 0; p <= format->height && found < 10; ++p) {
        if (format->height % p != 0 || format->width % p != 0) continue;
        used += (size_t)snprintf(fitting + used, sizeof fitting - used, "%s%zu", found++ > 0 ? ", " : "", p);
    }
    return mot_fail(MOT_ERR_INPUT, "model.patch = %zu: pictures of %zu x %zu pixels are divided by %s", patch,
                    format->height, format->width, fitting);
}

mot_status mot_token_shape_of(const mot_sample_format *format, size_t patch, mot_token_shape *shape)
{
    *shape = (mot_token_shape){0};
    switch (format->kind) {
    case MOT_SAMPLE_PICTURE:
        if (patch == 0 || format->height % patch != 0 || format->width % patch != 0)
            return fail_patch(format, patch);
        shape->tokens = (format->height / patch) * (format->width / patch);
        shape->width = format->channels * patch * patch;
        break;
    case MOT_SAMPLE_TEXT:
        shape->tokens = format->tokens;
        shape->vocabulary = format->vocabulary;
        break;
    case MOT_SAMPLE_VECTOR:
        shape->tokens = format->tokens;
        shape->width = format->features;
        break;
    }
    return MOT_OK;
}

typedef struct affine {
    double mean, deviation;
} affine;

static affine affine_of(const mot_normalization *n, size_t index)
{
    if (n->count == 0) return (affine){0, 1};
    const size_t place = n->count == 1 ? 0 : index;
    return (affine){n->mean[place], n->deviation[place]};
}

static size_t decode_picture(const mot_sample_format *format, size_t patch, const unsigned char *pixel,
                             float *x)
{
    const size_t rows = format->height / patch, columns = format->width / patch;
    for (size_t row = 0; row < rows; ++row)
        for (size_t column = 0; column < columns; ++column)
            for (size_t c = 0; c < format->channels; ++c) {
                const affine to = affine_of(&format->normalization, c);
                const double scale = 1 / (255 * to.deviation), shift = to.mean / to.deviation;
                for (size_t h = row * patch; h < (row + 1) * patch; ++h)
                    for (size_t w = column * patch; w < (column + 1) * patch; ++w)
                        *x++ = (float)(pixel[(c * format->height + h) * format->width + w] * scale - shift);
            }
    return rows * columns;
}

size_t mot_text_length(const mot_sample_format *format, const void *sample)
{
    const unsigned char *bytes = sample;
    const int32_t *ids = sample;
    const bool words = format->element == MOT_ELEMENT_I32;
    size_t length = 0;
    while (length < format->tokens && (words ? ids[length] : bytes[length]) != 0) ++length;
    return length;
}

static size_t decode_text(const mot_sample_format *format, const void *sample, int32_t *id)
{
    const unsigned char *bytes = sample;
    const int32_t *ids = sample;
    const size_t length = mot_text_length(format, sample);
    for (size_t t = 0; t < length; ++t) id[t] = format->element == MOT_ELEMENT_I32 ? ids[t] : bytes[t];
    for (size_t t = length; t < format->tokens; ++t) id[t] = 0;
    if (length > 0 || format->tokens == 0) return length;
    id[0] = 1;
    return 1;
}

static size_t decode_vectors(const mot_sample_format *format, const float *value, float *x)
{
    const mot_normalization *n = &format->normalization;
    const size_t D = format->features, count = format->tokens * D;
    if (n->count == 0) {
        memcpy(x, value, count * sizeof *x);
    } else if (n->count == 1) {
        const affine to = affine_of(n, 0);
        for (size_t i = 0; i < count; ++i) x[i] = (float)((value[i] - to.mean) / to.deviation);
    } else {
        for (size_t i = 0; i < count; i += D)
            for (size_t d = 0; d < D; ++d) x[i + d] = (float)((value[i + d] - n->mean[d]) / n->deviation[d]);
    }
    return format->tokens;
}

size_t mot_tokens_decode(const mot_sample_format *format, size_t patch, const void *sample, float *x,
                         int32_t *id)
{
    if (format->kind == MOT_SAMPLE_PICTURE) return decode_picture(format, patch, sample, x);
    if (format->kind == MOT_SAMPLE_TEXT) return decode_text(format, sample, id);
    return decode_vectors(format, sample, x);
}
