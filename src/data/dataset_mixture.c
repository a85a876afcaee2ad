/* A data set that is made instead of read. */
#include <stdio.h>
#include <string.h>

#include "dataset_private.h"
#include "mot/memory.h"

int dataset_split(const char *name)
{
    for (int s = 0; s < DATASET_SPLITS; ++s)
        if (strcmp(name, dataset_split_names[s]) == 0) return s;
    return -1;
}

mot_status mot_dataset_generate(mot_dataset *dataset, const mot_mixture_config *config, const char *split,
                                mot_gidx samples, size_t memory_bytes)
{
    *dataset = (mot_dataset){0};
    const int number = dataset_split(split);
    if (number < 0) return mot_fail(MOT_ERR_INPUT, "unknown split '%s', expected train, val or test", split);
    struct mot_dataset_source *source;
    mot_status status = mot_allocate(&source, 1, sizeof *source, "a data set");
    if (status != MOT_OK) return status;
    dataset->source = source;
    source->descriptor = -1;
    source->split = number;
    snprintf(source->where, sizeof source->where, "the mixture's split '%s'", split);
    MOT_TRY(mot_allocate(&source->mixture, 1, sizeof *source->mixture, "a mixture"));
    MOT_TRY(mot_mixture_init(source->mixture, config));
    dataset->samples = samples;
    dataset->classes = 2;
    dataset->groups = config->classes;
    dataset->signed_labels = true;
    dataset->format = (mot_sample_format){.kind = MOT_SAMPLE_VECTOR,
                                          .element = MOT_ELEMENT_F32,
                                          .tokens = config->tokens,
                                          .features = config->width,
                                          .normalization = {.scaling = MOT_SCALING_NONE}};
    MOT_TRY(dataset_format_check(&dataset->format, source->where));
    if (samples <= (mot_gidx)(memory_bytes / dataset->format.bytes)) {
        const size_t n = (size_t)samples;
        MOT_TRY(mot_allocate(&source->loaded, n, dataset->format.bytes, "the samples"));
        MOT_TRY(mot_allocate(&source->made, n, 1, "the samples"));
        MOT_TRY(mot_allocate(&source->label, n, sizeof *source->label, "the samples"));
        MOT_TRY(mot_allocate(&source->group, n, sizeof *source->group, "the samples"));
    }
done:
    if (status != MOT_OK) mot_dataset_close(dataset);
    return status;
}

const mot_mixture *mot_dataset_mixture(const mot_dataset *dataset, int *split)
{
    *split = dataset->source->split;
    return dataset->source->mixture;
}

void dataset_make(struct mot_dataset_source *source, const mot_sample_format *format, mot_gidx index,
                  void *bytes, int32_t *label, int32_t *group)
{
    if (source->made == NULL) {
        mot_mixture_sample(source->mixture, source->split, index, bytes, label, group, NULL);
        return;
    }
    unsigned char *kept = source->loaded + (size_t)index * format->bytes;
    if (!source->made[index]) {
        mot_mixture_sample(source->mixture, source->split, index, (float *)(void *)kept,
                           &source->label[index], &source->group[index], NULL);
        source->made[index] = 1;
    }
    memcpy(bytes, kept, format->bytes);
    *label = source->label[index];
    *group = source->group[index];
}
