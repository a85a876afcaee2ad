/* Pictures of another size, and without transparency. */
#include <math.h>
#include <string.h>

#include "mot/memory.h"
#include "mot/types.h"
#include "picture.h"

bool mot_picture_flatten(picture *p, int background)
{
    if (p->channels == 1 || p->channels == 3) return true;
    const size_t colours = p->channels - 1, pixels = p->height * p->width;
    for (size_t i = 0; i < pixels; ++i) {
        const unsigned char *from = p->pixel + i * p->channels;
        const unsigned opaque = from[colours];
        if (opaque < 255 && background < 0) return false;
        for (size_t c = 0; c < colours; ++c) {
            const unsigned mixed = opaque * from[c] + (255 - opaque) * (unsigned)MOT_MAX(background, 0);
            p->pixel[i * colours + c] = (unsigned char)((mixed + 127) / 255);
        }
    }
    p->channels = colours;
    return true;
}

/* The weights of one axis: output k is the sum of `count` inputs from first[k] on. */
typedef struct filter {
    size_t count, *first;
    float *weight; /* [outputs, count] */
} filter;

static void filter_free(filter *f)
{
    mot_free(f->first);
    mot_free(f->weight);
}

/* A triangle as wide as what an output covers, and no narrower than two inputs. */
static mot_status filter_make(filter *f, size_t in, size_t out)
{
    const double scale = (double)in / (double)out, radius = fmax(scale, 1);
    mot_status status = MOT_OK;
    *f = (filter){.count = MOT_MIN((size_t)ceil(2 * radius) + 1, in)};
    MOT_TRY(mot_allocate(&f->first, out, sizeof(size_t), "a filter"));
    MOT_TRY(mot_allocate(&f->weight, out * f->count, sizeof(float), "a filter"));
    for (size_t k = 0; k < out; ++k) {
        const double centre = ((double)k + 0.5) * scale - 0.5;
        const double start = fmax(ceil(centre - radius), 0);
        f->first[k] = MOT_MIN((size_t)start, in - f->count);
        double sum = 0;
        for (size_t i = 0; i < f->count; ++i) {
            const double weight = fmax(0, 1 - fabs((double)(f->first[k] + i) - centre) / radius);
            f->weight[k * f->count + i] = (float)weight;
            sum += weight;
        }
        for (size_t i = 0; i < f->count; ++i) f->weight[k * f->count + i] /= (float)sum;
    }
done:
    return status;
}

/* One plane: rows are made narrow first, then columns short. */
static void resample_plane(const picture *p, size_t channel, const filter *down, const filter *across,
                           size_t height, size_t width, float *narrow, unsigned char *to)
{
    for (size_t row = 0; row < p->height; ++row)
        for (size_t w = 0; w < width; ++w) {
            const unsigned char *from = p->pixel + (row * p->width + across->first[w]) * p->channels +
                                        channel;
            float sum = 0;
            for (size_t i = 0; i < across->count; ++i)
                sum += across->weight[w * across->count + i] * from[i * p->channels];
            narrow[row * width + w] = sum;
        }
    for (size_t h = 0; h < height; ++h)
        for (size_t w = 0; w < width; ++w) {
            float sum = 0;
            for (size_t i = 0; i < down->count; ++i)
                sum += down->weight[h * down->count + i] * narrow[(down->first[h] + i) * width + w];
            to[h * width + w] = (unsigned char)fminf(fmaxf(sum + 0.5f, 0), 255);
        }
}

mot_status mot_picture_resample(const picture *p, size_t height, size_t width, unsigned char *to)
{
    filter down = {0}, across = {0};
    float *narrow = NULL;
    mot_status status = MOT_OK;
    MOT_TRY(filter_make(&down, p->height, height));
    MOT_TRY(filter_make(&across, p->width, width));
    MOT_TRY(mot_allocate(&narrow, p->height * width, sizeof(float), "a picture"));
    for (size_t c = 0; c < p->channels; ++c)
        resample_plane(p, c, &down, &across, height, width, narrow, to + c * height * width);
done:
    filter_free(&down);
    filter_free(&across);
    mot_free(narrow);
    return status;
}
