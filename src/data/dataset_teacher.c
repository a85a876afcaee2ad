/* Samples of a teacher: their targets are numbers. */
#include <string.h>

#include "dataset_private.h"
#include "mot/memory.h"
#include "mot/source.h"

static void free_teacher(void *of)
{
    mot_teacher_free(of);
    mot_free(of);
}

static mot_status sample(const void *of, int split, mot_gidx index, void *bytes, void *target, int32_t *group)
{
    float y;
    mot_teacher_sample(of, split, index, bytes, &y);
    if (target != NULL) memcpy(target, &y, sizeof y);
    *group = -1;
    return MOT_OK;
}

mot_status mot_dataset_taught(mot_dataset *dataset, const mot_teacher_config *config, const char *split,
                              mot_gidx samples, size_t memory_bytes)
{
    mot_teacher *teacher;
    *dataset = (mot_dataset){
        .format = mot_dataset_vectors(1, config->width), .samples = samples, .target_bytes = sizeof(float)};
    mot_status status;
    MOT_TRY(mot_allocate(&teacher, 1, sizeof *teacher, "a teacher"));
    status = mot_teacher_init(teacher, config);
    if (status == MOT_OK) {
        const mot_dataset_maker maker = {"the teacher", sample, free_teacher, teacher};
        return mot_dataset_make(dataset, split, &maker, memory_bytes);
    }
    free_teacher(teacher);
done:
    *dataset = (mot_dataset){0};
    return status;
}

const mot_teacher *mot_dataset_teacher(const mot_dataset *dataset, int *split)
{
    return mot_dataset_made_by(dataset, sample, split);
}

/* ---- the source ---- */

static mot_status open_split(mot_dataset *dataset, const mot_data_config *config, const char *split,
                             bool training, uint64_t seed)
{
    mot_teacher_config teacher = config->teacher;
    teacher.seed = seed;
    return mot_dataset_taught(dataset, &teacher, split,
                              mot_dataset_made_samples(training, config->teacher_train, config->teacher_eval),
                              config->memory);
}

const mot_source_kind mot_source_teacher = {
    .kind = {"teacher"}, .keys = "data.teacher.", .title = "teacher", .made = true, .open = open_split};
