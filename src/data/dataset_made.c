/* A data set that is made instead of read. */
#include <stdio.h>
#include <string.h>

#include "dataset_private.h"
#include "mot/memory.h"

typedef struct made {
    mot_dataset_maker by;
    unsigned char *there;  /* [samples]: which of the loaded ones stand there; NULL: none is kept */
    unsigned char *target; /* [samples, target_bytes], as far as made */
    int32_t *group;        /* [samples], likewise */
} made;

static void free_made(void *of)
{
    made *m = of;
    if (m->by.free != NULL) m->by.free(m->by.of);
    mot_free(m->there);
    mot_free(m->target);
    mot_free(m->group);
    mot_free(m);
}

static mot_status make(const mot_dataset *dataset, mot_gidx index, void *bytes, void *target, int32_t *group)
{
    const struct mot_dataset_source *source = dataset->source;
    made *m = source->maker;
    if (m->there == NULL) return m->by.sample(m->by.of, source->split, index, bytes, target, group);
    unsigned char *kept = source->loaded + (size_t)index * dataset->format.bytes,
                  *kept_target = m->target + (size_t)index * dataset->target_bytes;
    if (!m->there[index]) {
        const mot_status status = m->by.sample(m->by.of, source->split, index, kept, kept_target,
                                               &m->group[index]);
        if (status != MOT_OK) return status;
        m->there[index] = 1;
    }
    memcpy(bytes, kept, dataset->format.bytes);
    if (target != NULL) memcpy(target, kept_target, dataset->target_bytes);
    *group = m->group[index];
    return MOT_OK;
}

mot_status mot_dataset_make(mot_dataset *dataset, const char *split, const mot_dataset_maker *maker,
                            size_t memory_bytes)
{
    const mot_dataset given = *dataset;
    made *m;
    mot_status status = mot_dataset_begin(dataset, split);
    if (status == MOT_OK) status = mot_allocate(&m, 1, sizeof *m, "the samples");
    if (status != MOT_OK) {
        if (maker->free != NULL) maker->free(maker->of);
        goto done;
    }
    struct mot_dataset_source *source = dataset->source;
    *dataset = given;
    dataset->source = source;
    m->by = *maker;
    source->maker = m;
    source->free_maker = free_made;
    source->sample = make;
    snprintf(source->where, sizeof source->where, "%s's split '%s'", maker->title, split);
    MOT_TRY(mot_dataset_format_check(&dataset->format, source->where));
    if (dataset->samples <= (mot_gidx)(memory_bytes / dataset->format.bytes)) {
        const size_t n = (size_t)dataset->samples;
        MOT_TRY(mot_allocate(&source->loaded, n, dataset->format.bytes, "the samples"));
        MOT_TRY(mot_allocate(&m->there, n, 1, "the samples"));
        MOT_TRY(mot_allocate(&m->target, n, dataset->target_bytes, "the samples"));
        MOT_TRY(mot_allocate(&m->group, n, sizeof *m->group, "the samples"));
    }
done:
    if (status != MOT_OK) mot_dataset_close(dataset);
    return status;
}

bool mot_dataset_made_anew(const mot_dataset *dataset)
{
    const struct mot_dataset_source *source = dataset->source;
    return source->sample == make && source->map == NULL && ((const made *)source->maker)->there == NULL;
}

const void *mot_dataset_made_by(const mot_dataset *dataset, mot_dataset_sampler *sample, int *split)
{
    const struct mot_dataset_source *source = dataset->source;
    const made *m = source->sample == make ? source->maker : NULL;
    if (split != NULL) *split = source->split;
    return m != NULL && m->by.sample == sample ? m->by.of : NULL;
}
