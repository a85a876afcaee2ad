#include "mot/augment.h"

#include <string.h>

#include "mot/rng.h"

/* A number in [-most, most]. */
static int shift_of(uint32_t word, int most)
{
    return (int)((uint64_t)word * (2 * (uint64_t)most + 1) >> 32) - most;
}

static void augment_picture(const mot_augment_config *config, const mot_sample_format *format,
                            mot_random4 random, unsigned char *sample, unsigned char *scratch)
{
    const long down = shift_of(random.word[0], config->shift),
               right = shift_of(random.word[1], config->shift);
    const bool flip = config->flip && random.word[2] >> 31;
    if (down == 0 && right == 0 && !flip) return;
    const long height = (long)format->height, width = (long)format->width;
    memcpy(scratch, sample, format->bytes);
    for (size_t c = 0; c < format->channels; ++c)
        for (long h = 0; h < height; ++h)
            for (long w = 0; w < width; ++w) {
                const long from_h = h - down, across = flip ? width - 1 - w : w, from_w = across - right;
                const bool inside = from_h >= 0 && from_h < height && from_w >= 0 && from_w < width;
                const size_t plane = c * format->height;
                sample[(plane + (size_t)h) * format->width + (size_t)w] =
                    inside ? scratch[(plane + (size_t)from_h) * format->width + (size_t)from_w] : 0;
            }
}

void mot_augment_drop(double drop, const mot_sample_format *format, uint64_t seed, const uint32_t counter[3],
                      void *sample)
{
    unsigned char *bytes = sample;
    int32_t *ids = sample;
    mot_random4 random = {{0}};
    for (size_t t = 0; t < format->tokens; ++t) {
        const bool wide = format->element == MOT_ELEMENT_I32;
        if (wide ? ids[t] == 0 : bytes[t] == 0) return;
        if (t % 4 == 0)
            random = mot_random(seed, MOT_STREAM_DROP, counter[0], counter[1], (uint32_t)(t / 4), counter[2]);
        if (mot_uniform(random.word[t % 4]) >= drop) continue;
        if (wide)
            ids[t] = 1;
        else
            bytes[t] = 1;
    }
}

void mot_augment(const mot_augment_config *config, const mot_sample_format *format, uint64_t seed,
                 mot_gidx position, void *sample, void *scratch)
{
    if (format->kind == MOT_SAMPLE_TEXT && config->drop > 0)
        mot_augment_drop(config->drop, format, seed,
                         (const uint32_t[]){(uint32_t)position, (uint32_t)(position >> 32), 0}, sample);
    if (format->kind == MOT_SAMPLE_PICTURE && (config->shift > 0 || config->flip))
        augment_picture(
            config, format,
            mot_random(seed, MOT_STREAM_AUGMENT, (uint32_t)position, (uint32_t)(position >> 32), 0, 0),
            sample, scratch);
}
