/* A data set that a teacher makes: its targets are numbers. */
#include <stdio.h>
#include <string.h>

#include "dataset_private.h"
#include "mot/memory.h"
#include "mot/source.h"

typedef struct maker {
    mot_teacher teacher;
    unsigned char *made; /* [samples]: which of the loaded ones stand there; NULL: none is kept */
    float *y;            /* [samples], as far as made */
} maker;

static void free_maker(void *of)
{
    maker *m = of;
    mot_teacher_free(&m->teacher);
    mot_free(m->made);
    mot_free(m->y);
    mot_free(m);
}

static void make_kept(const mot_dataset *dataset, mot_gidx index, void *bytes, float *y)
{
    const struct mot_dataset_source *source = dataset->source;
    maker *m = source->maker;
    unsigned char *kept = source->loaded + (size_t)index * dataset->format.bytes;
    if (!m->made[index]) {
        mot_teacher_sample(&m->teacher, source->split, index, (float *)(void *)kept, &m->y[index]);
        m->made[index] = 1;
    }
    memcpy(bytes, kept, dataset->format.bytes);
    *y = m->y[index];
}

static mot_status make(const mot_dataset *dataset, mot_gidx index, void *bytes, void *target, int32_t *group)
{
    const maker *m = dataset->source->maker;
    float y;
    if (m->made != NULL)
        make_kept(dataset, index, bytes, &y);
    else
        mot_teacher_sample(&m->teacher, dataset->source->split, index, bytes, &y);
    if (target != NULL) memcpy(target, &y, sizeof y);
    *group = -1;
    return MOT_OK;
}

mot_status mot_dataset_taught(mot_dataset *dataset, const mot_teacher_config *config, const char *split,
                              mot_gidx samples, size_t memory_bytes)
{
    maker *m;
    mot_status status = mot_dataset_begin(dataset, split);
    if (status != MOT_OK) return status;
    struct mot_dataset_source *source = dataset->source;
    source->sample = make;
    source->free_maker = free_maker;
    snprintf(source->where, sizeof source->where, "the teacher's split '%s'", split);
    MOT_TRY(mot_allocate(&m, 1, sizeof *m, "a teacher"));
    source->maker = m;
    MOT_TRY(mot_teacher_init(&m->teacher, config));
    dataset->samples = samples;
    dataset->target_bytes = sizeof(float);
    dataset->format = (mot_sample_format){.kind = MOT_SAMPLE_VECTOR,
                                          .element = MOT_ELEMENT_F32,
                                          .tokens = 1,
                                          .features = config->width,
                                          .normalization = {.scaling = MOT_SCALING_NONE}};
    MOT_TRY(mot_dataset_format_check(&dataset->format, source->where));
    if (samples <= (mot_gidx)(memory_bytes / dataset->format.bytes)) {
        const size_t n = (size_t)samples;
        MOT_TRY(mot_allocate(&source->loaded, n, dataset->format.bytes, "the samples"));
        MOT_TRY(mot_allocate(&m->made, n, 1, "the samples"));
        MOT_TRY(mot_allocate(&m->y, n, sizeof *m->y, "the samples"));
    }
done:
    if (status != MOT_OK) mot_dataset_close(dataset);
    return status;
}

const mot_teacher *mot_dataset_teacher(const mot_dataset *dataset, int *split)
{
    const struct mot_dataset_source *source = dataset->source;
    if (split != NULL) *split = source->split;
    return source->sample == make ? &((const maker *)source->maker)->teacher : NULL;
}

/* ---- the source ---- */

static mot_status open_split(mot_dataset *dataset, const mot_data_config *config, const char *split,
                             bool training, uint64_t seed)
{
    mot_teacher_config teacher = config->teacher;
    teacher.seed = seed;
    const mot_gidx samples = !training                    ? config->teacher_eval
                             : config->teacher_train == 0 ? MOT_ENDLESS
                                                          : config->teacher_train;
    return mot_dataset_taught(dataset, &teacher, split, samples, config->memory);
}

const mot_source_kind mot_source_teacher = {
    .kind = {"teacher"}, .keys = "data.teacher.", .title = "teacher", .made = true, .open = open_split};
