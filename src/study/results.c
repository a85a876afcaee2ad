/* What the trials left in their records. */
#include <string.h>
#include <unistd.h>

#include "mot/memory.h"
#include "study_private.h"

#define FIGURE(name_)                                                                                        \
    {                                                                                                        \
        name_, {MOT_RECORD_FIGURES, name_, 0}                                                                \
    }
const study_column_about mot_study_columns[STUDY_COLUMNS] = {
    [STUDY_STEP] = FIGURE("step"),
    [STUDY_TIME] = FIGURE("time"), /* this and the next: no record has them, they are made from others */
    [STUDY_FLOWED] = FIGURE("flowed"),
    [STUDY_LOSS] = FIGURE("loss"),
    [STUDY_ACCURACY] = FIGURE("accuracy"),
    [STUDY_GROUP_ACCURACY] = FIGURE("group_accuracy"),
    [STUDY_PURITY] = FIGURE("purity"),
    [STUDY_NMI] = FIGURE("nmi"),
    [STUDY_ENTROPY] = FIGURE("entropy"),
    [STUDY_USED] = FIGURE("experts_used"),
    [STUDY_ROUTING_ACCURACY] = FIGURE("routing_accuracy"),
    [STUDY_ROUTED_LOSS] = FIGURE("routed_loss"),
    [STUDY_MATCHED] = FIGURE("teacher_matched"),
    [STUDY_LEAST_W] = FIGURE("teacher_least_w"),
    [STUDY_LEAST_V] = FIGURE("teacher_least_v"),
    [STUDY_LOAD] = {"group_load", {MOT_RECORD_GROUP_LOAD, NULL, 0}},
    [STUDY_ATTENTION] = FIGURE("attention"),
    [STUDY_NEURONS] = FIGURE("neurons"),
    [STUDY_GATE] = FIGURE("gate"),
    [STUDY_AGREEMENT] = FIGURE("gradient_agreement"),
    [STUDY_TEACHER_W] = FIGURE("teacher_w"),
    [STUDY_TEACHER_V] = FIGURE("teacher_v"),
    [STUDY_LENGTH_W] = FIGURE("length_w"),
};

/* What else is read, to make columns of. */
enum { CLASS_LOAD, STAGE, COMPUTE, EXCHANGE, WAIT, RATE, OTHERS };
static const mot_record_item others[OTHERS] = {
    [CLASS_LOAD] = {MOT_RECORD_CLASS_LOAD, NULL, 0},
    [STAGE] = {MOT_RECORD_STEPS, "stage", 0},
    [COMPUTE] = {MOT_RECORD_STEPS, "time_compute", 0},
    [EXCHANGE] = {MOT_RECORD_STEPS, "time_exchange", 0},
    [WAIT] = {MOT_RECORD_STEPS, "time_wait", 0},
    [RATE] = {MOT_RECORD_STEPS, "learning_rate", 0},
};

/* All of it, in one pass over the files: values [STUDY_COLUMNS + OTHERS]. */
static mot_status read_items(const char *folder, mot_record_values *values)
{
    mot_record_item item[STUDY_COLUMNS + OTHERS];
    for (size_t c = 0; c < STUDY_COLUMNS; ++c) item[c] = mot_study_columns[c].item;
    memcpy(&item[STUDY_COLUMNS], others, sizeof others);
    return mot_record_read(folder, STUDY_COLUMNS + OTHERS, item, values);
}

/* Seconds of training and sum of the rates at each evaluation, and where the stages began. */
static mot_status follow_steps(const mot_record_values *more, study_result *result)
{
    const double *at_step = result->column[STUDY_STEP];
    double *time, *flowed, sum = 0, flow = 0;
    mot_status status;
    MOT_TRY(mot_allocate(&time, result->rows, sizeof *time, "the record of a trial"));
    result->column[STUDY_TIME] = time;
    MOT_TRY(mot_allocate(&flowed, result->rows, sizeof *flowed, "the record of a trial"));
    result->column[STUDY_FLOWED] = flowed;
    const size_t steps = more[STAGE].rows;
    size_t at = 0;
    for (size_t i = 0; i <= steps; ++i) { /* after i steps */
        for (; at < result->rows && at_step[at] <= (double)i; ++at) time[at] = sum, flowed[at] = flow;
        if (i == steps) break;
        for (int part = COMPUTE; part <= WAIT; ++part) sum += more[part].value[i];
        flow += more[RATE].value[i];
        while (result->stages <= (size_t)more[STAGE].value[i] &&
               result->stages < MOT_COUNT(result->stage_begin))
            result->stage_begin[result->stages++] = (double)i;
    }
    result->steps = (double)steps;
done:
    return status;
}

/* Experts and kinds: what the trial's load has, or of a teacher and his students, who all have every sample, their cosines. */
static void find_sizes(const mot_record_values *columns, size_t *E, size_t *N)
{
    const bool load = columns[STUDY_LOAD].rows > 0;
    const mot_record_values *of = &columns[load ? STUDY_LOAD : STUDY_TEACHER_W];
    *N = of->shape[load ? 0 : 1];
    *E = of->shape[load ? 1 : 0];
}

/* Numbers in a row of a column. */
static size_t row_width(size_t column, size_t E, size_t N)
{
    if (column < STUDY_NUMBERS) return 1;
    if (column == STUDY_ATTENTION) return (size_t)MOT_ROLES * MOT_ROLES;
    return column == STUDY_AGREEMENT || column == STUDY_LENGTH_W ? E : N * E;
}

/* Every column has a row an evaluation, every table of steps a row a step. */
static mot_status check_rows(const char *folder, const mot_record_values *columns, const mot_record_values *more,
                             size_t E, size_t N)
{
    const size_t rows = columns[STUDY_STEP].rows;
    if (rows == 0) return mot_fail(MOT_ERR_INPUT, "%s has no evaluation", folder);
    for (size_t c = 0; c < STUDY_COLUMNS; ++c) {
        if (columns[c].rows == 0) continue;
        if (columns[c].rows != rows)
            return mot_fail(MOT_ERR_INPUT, "%s: %s has %zu rows, the evaluations are %zu", folder,
                            mot_study_columns[c].name, columns[c].rows, rows);
        if (columns[c].width != row_width(c, E, N))
            return mot_fail(MOT_ERR_INPUT, "%s: %s of a trial has an unexpected shape", folder,
                            mot_study_columns[c].name);
    }
    for (int part = COMPUTE; part <= RATE; ++part)
        if (more[part].rows != more[STAGE].rows)
            return mot_fail(MOT_ERR_INPUT, "%s: %s has %zu rows, the steps are %zu", folder,
                            others[part].name, more[part].rows, more[STAGE].rows);
    return MOT_OK;
}

static mot_status read_record(const char *folder, study_result *result)
{
    mot_record_values columns[STUDY_COLUMNS + OTHERS] = {0}, *const more = columns + STUDY_COLUMNS;
    mot_status status = read_items(folder, columns);
    if (columns[STUDY_LOAD].rows == 0) { /* data without groups */
        columns[STUDY_LOAD] = more[CLASS_LOAD];
        more[CLASS_LOAD] = (mot_record_values){0};
    }
    for (size_t c = 0; c < STUDY_COLUMNS; ++c) result->column[c] = columns[c].value;
    MOT_TRY(status);
    find_sizes(columns, &result->E, &result->N);
    MOT_TRY(check_rows(folder, columns, more, result->E, result->N));
    result->rows = columns[STUDY_STEP].rows;
    MOT_TRY(follow_steps(more, result));
done:
    for (int o = 0; o < OTHERS; ++o) mot_record_values_free(&more[o]);
    return status;
}

static mot_status read_trial(const mot_study *study, const study_variant *variant, int seed,
                             study_result *result)
{
    char folder[600], path[640];
    mot_study_path(study, variant, seed, folder, sizeof folder);
    snprintf(path, sizeof path, "%s/failed.txt", folder);
    *result = (study_result){.failed = access(path, F_OK) == 0};
    if (result->failed) return MOT_OK;
    const mot_status status = mot_task_matrix_of_run(&result->tasks, folder);
    return status == MOT_OK ? read_record(folder, result) : status;
}

mot_status mot_study_read(mot_study *study)
{
    mot_status status = MOT_OK;
    for (size_t v = 0; v < study->variants; ++v) {
        study_variant *variant = &study->variant[v];
        MOT_TRY(mot_allocate(&variant->result, (size_t)variant->seeds, sizeof *variant->result, "a study"));
        for (int s = 0; s < variant->seeds; ++s)
            MOT_TRY(read_trial(study, variant, variant->chosen + s + 1, &variant->result[s]));
    }
done:
    return status;
}

void mot_study_result_free(study_result *result)
{
    for (int c = 0; c < STUDY_COLUMNS; ++c) mot_free(result->column[c]);
    mot_task_matrix_free(&result->tasks);
    *result = (study_result){0};
}
