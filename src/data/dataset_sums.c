#include "dataset_sums.h"

#include <math.h>

#include "mot/memory.h"

mot_status mot_dataset_sums_begin(dataset_sums *sums, mot_sample_format *format)
{
    *sums = (dataset_sums){.format = format, .passes = format->kind == MOT_SAMPLE_PICTURE ? 1 : 2};
    return mot_allocate(&sums->number, format->normalization.count, sizeof(double), "sums of columns");
}

void mot_dataset_sums_free(dataset_sums *sums)
{
    mot_free(sums->number);
    sums->number = NULL;
}

static void add_pictures(dataset_sums *s, size_t count, const unsigned char *x)
{
    const size_t plane = s->format->height * s->format->width, channels = s->format->channels;
    for (size_t i = 0; i < count * channels; ++i) {
        const size_t column = s->format->normalization.count == 1 ? 0 : i % channels;
        for (size_t p = 0; p < plane; ++p, ++x) {
            s->byte[column] += *x;
            s->square[column] += (unsigned)*x * *x;
        }
    }
}

static void add_vectors(dataset_sums *s, size_t count, const float *x)
{
    const mot_normalization *n = &s->format->normalization;
    const size_t numbers = count * s->format->tokens * s->format->features;
    for (size_t i = 0, c = 0; i < numbers; ++i) {
        s->number[c] += s->second ? (x[i] - n->mean[c]) * (x[i] - n->mean[c]) : x[i];
        if (++c == n->count) c = 0;
    }
}

void mot_dataset_sums_add(dataset_sums *sums, size_t count, const void *x)
{
    if (sums->format->kind == MOT_SAMPLE_PICTURE)
        add_pictures(sums, count, x);
    else
        add_vectors(sums, count, x);
}

void mot_dataset_sums_end_pass(dataset_sums *s, size_t samples)
{
    const mot_sample_format *format = s->format;
    const mot_normalization *n = &format->normalization;
    const size_t all = samples * (format->bytes / mot_element_bytes(format->element));
    const size_t columns = format->kind == MOT_SAMPLE_PICTURE ? format->channels : format->features;
    const double each = (double)(n->count == 1 ? all : all / columns);
    for (size_t c = 0; c < n->count; ++c) {
        if (format->kind == MOT_SAMPLE_PICTURE) {
            const double mean = (double)s->byte[c] / each,
                         variance = (double)s->square[c] / each - mean * mean;
            n->mean[c] = mean / 255;
            n->deviation[c] = variance > 0 ? sqrt(variance) / 255 : 1;
        } else if (!s->second) {
            n->mean[c] = s->number[c] / each;
        } else {
            n->deviation[c] = s->number[c] > 0 ? sqrt(s->number[c] / each) : 1;
        }
        s->number[c] = 0;
    }
    s->second = true;
}
