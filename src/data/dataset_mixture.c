/* A data set that is made instead of read. */
#include <stdio.h>
#include <string.h>

#include "dataset_private.h"
#include "mot/memory.h"
#include "mot/source.h"

typedef struct maker {
    mot_mixture mixture;
    unsigned char *made;    /* [samples]: which of the loaded ones stand there; NULL: none is kept */
    int32_t *label, *group; /* [samples], as far as made: -1 and +1 */
} maker;

static void free_maker(void *of)
{
    maker *m = of;
    mot_mixture_free(&m->mixture);
    mot_free(m->made);
    mot_free(m->label);
    mot_free(m->group);
    mot_free(m);
}

static void make_kept(const mot_dataset *dataset, mot_gidx index, void *bytes, int32_t *label, int32_t *group)
{
    const struct mot_dataset_source *source = dataset->source;
    maker *m = source->maker;
    unsigned char *kept = source->loaded + (size_t)index * dataset->format.bytes;
    if (!m->made[index]) {
        mot_mixture_sample(&m->mixture, source->split, index, (float *)(void *)kept, &m->label[index],
                           &m->group[index], NULL);
        m->made[index] = 1;
    }
    memcpy(bytes, kept, dataset->format.bytes);
    *label = m->label[index];
    *group = m->group[index];
}

static mot_status make(const mot_dataset *dataset, mot_gidx index, void *bytes, void *target, int32_t *group)
{
    const maker *m = dataset->source->maker;
    int32_t label;
    if (m->made != NULL)
        make_kept(dataset, index, bytes, &label, group);
    else
        mot_mixture_sample(&m->mixture, dataset->source->split, index, bytes, &label, group, NULL);
    const int32_t class = label > 0;
    if (target != NULL) memcpy(target, &class, sizeof class);
    return MOT_OK;
}

mot_status mot_dataset_generate(mot_dataset *dataset, const mot_mixture_config *config, const char *split,
                                mot_gidx samples, size_t memory_bytes)
{
    maker *m;
    mot_status status = mot_dataset_begin(dataset, split);
    if (status != MOT_OK) return status;
    struct mot_dataset_source *source = dataset->source;
    source->sample = make;
    source->free_maker = free_maker;
    snprintf(source->where, sizeof source->where, "the mixture's split '%s'", split);
    MOT_TRY(mot_allocate(&m, 1, sizeof *m, "a mixture"));
    source->maker = m;
    MOT_TRY(mot_mixture_init(&m->mixture, config));
    dataset->samples = samples;
    dataset->classes = 2;
    dataset->groups = config->classes;
    dataset->signed_labels = true;
    dataset->target_bytes = sizeof(int32_t);
    dataset->format = (mot_sample_format){.kind = MOT_SAMPLE_VECTOR,
                                          .element = MOT_ELEMENT_F32,
                                          .tokens = config->tokens,
                                          .features = config->width,
                                          .normalization = {.scaling = MOT_SCALING_NONE}};
    MOT_TRY(mot_dataset_format_check(&dataset->format, source->where));
    if (samples <= (mot_gidx)(memory_bytes / dataset->format.bytes)) {
        const size_t n = (size_t)samples;
        MOT_TRY(mot_allocate(&source->loaded, n, dataset->format.bytes, "the samples"));
        MOT_TRY(mot_allocate(&m->made, n, 1, "the samples"));
        MOT_TRY(mot_allocate(&m->label, n, sizeof *m->label, "the samples"));
        MOT_TRY(mot_allocate(&m->group, n, sizeof *m->group, "the samples"));
    }
done:
    if (status != MOT_OK) mot_dataset_close(dataset);
    return status;
}

const mot_mixture *mot_dataset_mixture(const mot_dataset *dataset, int *split)
{
    const struct mot_dataset_source *source = dataset->source;
    if (split != NULL) *split = source->split;
    return source->sample == make ? &((const maker *)source->maker)->mixture : NULL;
}

/* ---- the source ---- */

static mot_status open_split(mot_dataset *dataset, const mot_data_config *config, const char *split,
                             bool training, uint64_t seed)
{
    mot_mixture_config mixture = config->mixture;
    mixture.seed = seed;
    const mot_gidx samples = !training                    ? config->mixture_eval
                             : config->mixture_train == 0 ? MOT_ENDLESS
                                                          : config->mixture_train;
    return mot_dataset_generate(dataset, &mixture, split, samples, config->memory);
}

const mot_source_kind mot_source_mixture = {
    .kind = {"mixture"}, .keys = "data.mixture.", .title = "mixture", .made = true, .open = open_split};
