/* What a task does to pictures. Weights are whole numbers of 2^-16, and sums those of whole numbers, so that turning by right
 * angles is exact, and all else the same on every machine. */
#include <math.h>
#include <string.h>

#include "change.h"
#include "mot/rng.h"

enum { ONE = 1 << 16 };

static int64_t fixed(double value)
{
    return llround(value * ONE);
}

/* A pixel of a plane, 0 outside. */
static int64_t pixel_at(const mot_sample_format *format, const unsigned char *plane, int64_t row, int64_t column)
{
    const bool inside = row >= 0 && row < (int64_t)format->height && column >= 0 && column < (int64_t)format->width;
    return inside ? plane[(size_t)row * format->width + (size_t)column] : 0;
}

/* Between four pixels; `row`, `column` in units of 1 / (2 ONE). */
static unsigned char pixel_between(const mot_sample_format *format, const unsigned char *plane, int64_t row,
                                   int64_t column)
{
    const int64_t unit = 2 * ONE, h = row >> 17, w = column >> 17, down = row & (unit - 1), right = column & (unit - 1);
    const int64_t above = pixel_at(format, plane, h, w) * (unit - right) + pixel_at(format, plane, h, w + 1) * right,
                  below = pixel_at(format, plane, h + 1, w) * (unit - right) +
                          pixel_at(format, plane, h + 1, w + 1) * right;
    return (unsigned char)((above * (unit - down) + below * down + unit * unit / 2) / (unit * unit));
}

static void rotate(const made_change *change, const change_place *place, const mot_sample_format *format, void *sample,
                   void *scratch)
{
    const double angle = change->amount * acos(-1.0) / 180;
    const int64_t cosine = fixed(cos(angle)), sine = fixed(sin(angle)), H = (int64_t)format->height,
                  W = (int64_t)format->width;
    const size_t plane = format->height * format->width;
    unsigned char *to = sample;
    (void)place;
    memcpy(scratch, sample, format->bytes);
    for (int64_t h = 0; h < H; ++h)
        for (int64_t w = 0; w < W; ++w, ++to) {
            /* Twice the way from the centre, turned back. */
            const int64_t y = 2 * h - (H - 1), x = 2 * w - (W - 1);
            const int64_t row = sine * x + cosine * y + (H - 1) * ONE, column = cosine * x - sine * y + (W - 1) * ONE;
            for (size_t c = 0; c < format->channels; ++c)
                to[c * plane] = pixel_between(format, (const unsigned char *)scratch + c * plane, row, column);
        }
}

static void flip(const made_change *change, const change_place *place, const mot_sample_format *format, void *sample,
                 void *scratch)
{
    const size_t width = format->width;
    (void)change;
    (void)place;
    (void)scratch;
    for (unsigned char *row = sample, *end = row + format->bytes; row < end; row += width)
        for (size_t left = 0, right = width - 1; left < right; ++left, --right) {
            const unsigned char pixel = row[left];
            row[left] = row[right];
            row[right] = pixel;
        }
}

static void transpose(const made_change *change, const change_place *place, const mot_sample_format *format, void *sample,
                      void *scratch)
{
    const size_t side = format->height;
    unsigned char *plane = sample;
    (void)change;
    (void)place;
    (void)scratch;
    for (size_t c = 0; c < format->channels; ++c, plane += side * side)
        for (size_t h = 0; h < side; ++h)
            for (size_t w = 0; w < h; ++w) {
                const unsigned char pixel = plane[h * side + w];
                plane[h * side + w] = plane[w * side + h];
                plane[w * side + h] = pixel;
            }
}

static void negate(const made_change *change, const change_place *place, const mot_sample_format *format, void *sample,
                   void *scratch)
{
    unsigned char *pixel = sample;
    (void)change;
    (void)place;
    (void)scratch;
    for (size_t i = 0; i < format->bytes; ++i) pixel[i] = (unsigned char)(255 - pixel[i]);
}

/* Weights of the pixel itself and of those up to `radius` away, on both sides; their sum is ONE. */
static int weights_of(double deviation, uint32_t weight[CHANGE_MOST_RADIUS + 1])
{
    const int radius = (int)ceil(3 * deviation);
    double sum = 0;
    uint32_t others = 0;
    for (int i = -radius; i <= radius; ++i) sum += exp(-0.5 * i * i / (deviation * deviation));
    for (int i = 1; i <= radius; ++i) {
        weight[i] = (uint32_t)fixed(exp(-0.5 * i * i / (deviation * deviation)) / sum);
        others += 2 * weight[i];
    }
    weight[0] = ONE - others;
    return radius;
}

static size_t near(int at, int end)
{
    return (size_t)MOT_MIN(MOT_MAX(at, 0), end - 1);
}

/* sum [width] of a row of pixels; `padded`: room for it with the pixels at its ends repeated. Below 2^24. */
static void blur_along(size_t width, int radius, const uint32_t *weight, const unsigned char *row, unsigned char *padded,
                       uint32_t *sum)
{
    for (int i = -radius; i < (int)width + radius; ++i) padded[i + radius] = row[near(i, (int)width)];
    padded += radius;
    for (size_t w = 0; w < width; ++w) sum[w] = weight[0] * padded[w];
    for (int i = 1; i <= radius; ++i) {
        const unsigned char *left = padded - i, *right = padded + i;
        for (size_t w = 0; w < width; ++w) sum[w] += weight[i] * ((uint32_t)left[w] + right[w]);
    }
}

/* sum [width] of row h and those above and below it, which have 8 more bits. Below 2^32. */
static void blur_across(const mot_sample_format *format, int h, int radius, const uint32_t *weight,
                        const uint16_t *between, uint32_t *sum)
{
    const int H = (int)format->height;
    const size_t width = format->width;
    for (size_t w = 0; w < width; ++w) sum[w] = weight[0] * between[(size_t)h * width + w];
    for (int i = 1; i <= radius; ++i) {
        const uint16_t *above = between + near(h - i, H) * width, *below = between + near(h + i, H) * width;
        for (size_t w = 0; w < width; ++w) sum[w] += weight[i] * ((uint32_t)above[w] + below[w]);
    }
}

/* scratch: | sum [W] | between [H, W] | padded [W + 2 radius] | */
static void blur_plane(const mot_sample_format *format, int radius, const uint32_t *weight, unsigned char *plane,
                       void *scratch)
{
    const int H = (int)format->height;
    const size_t width = format->width;
    uint32_t *sum = scratch;
    uint16_t *between = (uint16_t *)(sum + width);
    unsigned char *padded = (unsigned char *)(between + format->height * width);
    for (int h = 0; h < H; ++h) {
        blur_along(width, radius, weight, plane + (size_t)h * width, padded, sum);
        for (size_t w = 0; w < width; ++w) between[(size_t)h * width + w] = (uint16_t)((sum[w] + 128) >> 8);
    }
    for (int h = 0; h < H; ++h) {
        blur_across(format, h, radius, weight, between, sum);
        for (size_t w = 0; w < width; ++w) plane[(size_t)h * width + w] = (unsigned char)((sum[w] + (1 << 23)) >> 24);
    }
}

static void blur(const made_change *change, const change_place *place, const mot_sample_format *format, void *sample,
                 void *scratch)
{
    uint32_t weight[CHANGE_MOST_RADIUS + 1];
    (void)place;
    const int radius = weights_of(change->amount, weight);
    for (size_t c = 0; c < format->channels; ++c)
        blur_plane(format, radius, weight, (unsigned char *)sample + c * format->height * format->width, scratch);
}

static size_t channels(const mot_sample_format *format, size_t *still)
{
    *still = 0;
    return format->channels;
}

static void permute_colours(const made_change *change, const change_place *place, const mot_sample_format *format,
                            void *sample, void *scratch)
{
    const size_t plane = format->height * format->width;
    (void)place;
    memcpy(scratch, sample, format->bytes);
    for (size_t c = 0; c < format->channels; ++c)
        memcpy((unsigned char *)sample + c * plane, (unsigned char *)scratch + (size_t)change->table[c] * plane, plane);
}

static size_t places(const mot_sample_format *format, size_t *still)
{
    *still = 0;
    return format->height * format->width;
}

static void permute_pixels(const made_change *change, const change_place *place, const mot_sample_format *format,
                           void *sample, void *scratch)
{
    const size_t plane = format->height * format->width;
    unsigned char *to = sample;
    const unsigned char *from = scratch;
    (void)place;
    memcpy(scratch, sample, format->bytes);
    for (size_t c = 0; c < format->channels; ++c, to += plane, from += plane)
        for (size_t i = 0; i < plane; ++i) to[i] = from[change->table[i]];
}

enum { PICTURES = 1u << MOT_SAMPLE_PICTURE };
const change_kind
    mot_change_rotate = {.name = "rotate", .low = -360, .high = 360, .of = PICTURES, .apply = rotate},
    mot_change_flip = {.name = "flip", .of = PICTURES, .apply = flip},
    mot_change_transpose = {.name = "transpose", .of = PICTURES, .square = true, .apply = transpose},
    mot_change_negate = {.name = "negate", .of = PICTURES, .apply = negate},
    mot_change_blur = {.name = "blur", .low = 0.1, .high = CHANGE_MOST_BLUR, .of = PICTURES, .apply = blur},
    mot_change_colours = {.name = "colours", .of = PICTURES, .entries = channels, .what = "channel", .apply = permute_colours},
    mot_change_pixels = {.name = "pixels", .of = PICTURES, .entries = places, .what = "pixel", .apply = permute_pixels};
