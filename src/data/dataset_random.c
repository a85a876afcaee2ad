/* A data set that means nothing. */
#include <stdio.h>
#include <string.h>

#include "dataset_private.h"
#include "mot/memory.h"
#include "mot/rng.h"
#include "mot/source.h"

mot_status mot_dataset_random(mot_dataset *dataset, size_t tokens, size_t width, int classes,
                              mot_gidx samples, uint64_t seed)
{
    mot_status status = mot_dataset_begin(dataset, "train");
    if (status != MOT_OK) return status;
    struct mot_dataset_source *source = dataset->source;
    dataset->classes = classes;
    dataset->samples = samples;
    snprintf(source->where, sizeof source->where, "random samples");
    dataset->format = mot_dataset_vectors(tokens, width);
    MOT_TRY(mot_dataset_format_check(&dataset->format, source->where));
    MOT_TRY(mot_allocate(&source->loaded, (size_t)samples, dataset->format.bytes, "the samples"));
    dataset->target_bytes = sizeof(int32_t);
    MOT_TRY(mot_allocate(&dataset->target, (size_t)samples, dataset->target_bytes, "the labels"));
    for (mot_gidx i = 0; i < samples; ++i) {
        const uint32_t low = (uint32_t)i, high = (uint32_t)(i >> 32), counter[] = {low, high, 0, 0};
        mot_normal_row(seed, MOT_STREAM_RANDOM, counter, 1,
                       (float *)(void *)(source->loaded + (size_t)i * dataset->format.bytes), tokens * width);
        const mot_random4 draw = mot_random(seed, MOT_STREAM_RANDOM, low, high, 1, 0);
        const int32_t label = (int32_t)(mot_uniform(draw.word[0]) * classes);
        memcpy(dataset->target + (size_t)i * sizeof label, &label, sizeof label);
    }
done:
    if (status != MOT_OK) mot_dataset_close(dataset);
    return status;
}

/* ---- the source ---- */

static mot_status open_split(mot_dataset *dataset, const mot_data_config *config, const char *split,
                             bool training, uint64_t seed)
{
    (void)split;
    (void)training;
    return mot_dataset_random(dataset, config->random.tokens, config->random.width, config->random.classes,
                              config->random.samples, seed);
}

const mot_source_kind mot_source_random = {.kind = {"random"},
                                           .keys = "data.random.",
                                           .title = "random numbers",
                                           .made = true,
                                           .meaningless = true,
                                           .open = open_split};
