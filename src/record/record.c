#include "record_private.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mot/atomic_file.h"
#include "mot/memory.h"

/* Above this much the record is flushed at the next step, so that a long run without checkpoints stays small.
 */
static const size_t flush_rows = (size_t)1 << 19;

static const mot_column step_columns[STEP_COLUMNS] = {
    [STEP_STEP] = {"step", "1", "training step, the first is 1", MOT_COLUMN_I64, NULL, 0},
    [STEP_STAGE] = {"stage", "1", "stage of training, the first is 0", MOT_COLUMN_I32, NULL, 0},
    [STEP_LOSS] = {"loss", "1", "mean loss over the batch", MOT_COLUMN_F64, NULL, 0},
    [STEP_ACCURACY] = {"accuracy", "1", "share of the batch with the right label", MOT_COLUMN_F64, NULL, 0},
    [STEP_RATE] = {"learning_rate", "1", "learning rate of the experts", MOT_COLUMN_F64, NULL, 0},
    [STEP_SAMPLES] = {"samples", "1", "samples of the batch", MOT_COLUMN_I64, NULL, 0},
    [STEP_COMPUTE] = {"time_compute", "s", "time in computation, mean over ranks", MOT_COLUMN_F64, NULL, 0},
    [STEP_EXCHANGE] = {"time_exchange", "s", "time in exchange, mean over ranks", MOT_COLUMN_F64, NULL, 0},
    [STEP_WAIT] = {"time_wait", "s", "time waiting for other ranks, mean over ranks", MOT_COLUMN_F64, NULL,
                   0},
};

static const mot_column layer_columns[LAYER_COLUMNS] = {
    [LAYER_LOAD] = {"load", "1", "samples an expert got at the step", MOT_COLUMN_I64, NULL, 0},
    [LAYER_IMPORTANCE] = {"importance", "1", "sum of an expert's gate probabilities over the batch",
                          MOT_COLUMN_F64, NULL, 0},
    [LAYER_SNAPSHOT_STEP] = {"snapshot_step", "1", "steps done when the evaluation set was routed",
                             MOT_COLUMN_I64, NULL, 0},
    [LAYER_CLASS_LOAD] = {"class_load", "1", "samples of a class an expert got, evaluation set, first choice",
                          MOT_COLUMN_I64, NULL, 0},
    [LAYER_GROUP_LOAD] = {"group_load", "1", "samples of a group an expert got, evaluation set, first choice",
                          MOT_COLUMN_I64, NULL, 0},
};

static const mot_column assign_columns[ASSIGN_COLUMNS] = {
    [ASSIGN_STEP] = {"step", "1", "training step of the assignment", MOT_COLUMN_I64, NULL, 0},
    [ASSIGN_SPLIT] = {"split", "1", "0: training, 1: evaluation", MOT_COLUMN_I8, NULL, 0},
    [ASSIGN_SAMPLE] = {"sample", "1", "index of the sample in its split", MOT_COLUMN_I64, NULL, 0},
    [ASSIGN_LABEL] = {"label", "1", "class of the sample", MOT_COLUMN_I32, NULL, 0},
    [ASSIGN_GROUP] = {"group", "1", "group of the sample, -1 where there is none", MOT_COLUMN_I32, NULL, 0},
    [ASSIGN_CHOICE] = {"choice", "1", "0: the gate's first choice, 1: its second, ...", MOT_COLUMN_I32, NULL,
                       0},
    [ASSIGN_EXPERT] = {"expert", "1", "expert that got the sample", MOT_COLUMN_I32, NULL, 0},
    [ASSIGN_PROB] = {"prob", "1", "the gate's probability of that expert", MOT_COLUMN_F32, NULL, 0},
    [ASSIGN_PREDICTED] = {"predicted", "1", "class that the sample was taken for; -1 in training",
                          MOT_COLUMN_I32, NULL, 0},
    [ASSIGN_LOSS] = {"loss", "1", "loss of the sample; not a number in training", MOT_COLUMN_F32, NULL, 0},
};

size_t mot_column_size(mot_column_type type)
{
    static const size_t bytes[] = {[MOT_COLUMN_I8] = 1,
                                   [MOT_COLUMN_I32] = 4,
                                   [MOT_COLUMN_I64] = 8,
                                   [MOT_COLUMN_F32] = 4,
                                   [MOT_COLUMN_F64] = 8};
    return bytes[type];
}

size_t mot_record_bytes(int experts, mot_gidx steps, mot_gidx rows)
{
    const size_t kept = (size_t)MOT_MIN(rows, (mot_gidx)flush_rows);
    const double share = rows > 0 ? (double)kept / (double)rows : 1;
    size_t step = (size_t)experts * (sizeof(int64_t) + sizeof(double)), row = sizeof(int32_t);
    for (int c = 0; c < STEP_COLUMNS; ++c) step += mot_column_size(step_columns[c].type);
    for (int c = 0; c < ASSIGN_COLUMNS; ++c) row += mot_column_size(assign_columns[c].type);
    return kept * row + (size_t)(share * (double)steps) * step;
}

static mot_status grow(mot_column *column, size_t need)
{
    return mot_reserve(&column->data, &column->capacity, need, mot_column_size(column->type),
                       "the routing record");
}

/* ---- opening ---- */

static mot_status copy_text(char **copy, const char *text)
{
    const size_t length = text != NULL ? strlen(text) : 0;
    mot_status status = mot_allocate(copy, length + 1, 1, "the routing record");
    if (status == MOT_OK && length > 0) memcpy(*copy, text, length);
    return status;
}

/* Pointers and characters in one allocation. */
static mot_status copy_names(char ***copy, char *const *names, int count)
{
    *copy = NULL;
    if (names == NULL || count <= 0) return MOT_OK;
    size_t bytes = (size_t)count * sizeof(char *);
    for (int i = 0; i < count; ++i) bytes += strlen(names[i]) + 1;
    mot_status status = mot_allocate(copy, bytes, 1, "the routing record");
    if (status != MOT_OK) return status;
    char *at = (char *)(*copy + count);
    for (int i = 0; i < count; ++i) {
        const size_t length = strlen(names[i]) + 1;
        (*copy)[i] = memcpy(at, names[i], length);
        at += length;
    }
    return MOT_OK;
}

void mot_segment_name(char *name, size_t size, mot_gidx first, mot_gidx last)
{
    snprintf(name, size, "%08" MOT_PRI_GIDX "-%08" MOT_PRI_GIDX ".h5", first, last);
}

bool mot_segment_parse(const char *name, mot_gidx *first, mot_gidx *last)
{
    char again[64];
    if (strspn(name, "0123456789") < 8 || sscanf(name, "%" SCNd64 "-%" SCNd64, first, last) != 2)
        return false;
    mot_segment_name(again, sizeof again, *first, *last);
    return strcmp(name, again) == 0;
}

/* "NAME.tmp.4711": what a killed process left behind while it wrote. */
static bool is_leftover(const char *name)
{
    const char *const tail = strstr(name, ".tmp.");
    return tail != NULL && tail[5] != '\0' && strspn(tail + 5, "0123456789") == strlen(tail + 5);
}

/* Removes leftovers, and segments of steps after `step`. Looks at all names before it touches any file. */
static mot_status tidy(mot_record *record, const char *folder, bool segments, mot_gidx step)
{
    mot_status status = MOT_OK;
    DIR *const files = opendir(folder);
    if (files == NULL) return mot_fail(MOT_ERR_FILE, "%s: %s", folder, strerror(errno));
    for (int pass = 0; pass < 2; ++pass) {
        rewinddir(files);
        for (struct dirent *file; (file = readdir(files)) != NULL;) {
            char path[MOT_RECORD_PATH];
            mot_gidx first, last;
            bool remove = is_leftover(file->d_name);
            if (segments && mot_segment_parse(file->d_name, &first, &last)) {
                remove = last > step;
                if (!remove) record->flushed = MOT_MAX(record->flushed, last);
                if (remove && step >= 0 && first <= step) {
                    status = mot_fail(MOT_ERR_INPUT,
                                      "%s/%s holds steps before and after step %" MOT_PRI_GIDX
                                      ", from which the run would go on: it is not of this run; move it away",
                                      folder, file->d_name, step);
                    goto done;
                }
            }
            if (pass == 0 || !remove) continue;
            MOT_TRY(mot_path_join(path, sizeof path, folder, file->d_name));
            if (unlink(path) != 0 && errno != ENOENT) {
                status = mot_fail(MOT_ERR_FILE, "%s: cannot be removed: %s", path, strerror(errno));
                goto done;
            }
        }
    }

done:
    closedir(files);
    return status;
}

mot_status mot_record_open(mot_record **opened, const mot_record_about *about, mot_gidx step)
{
    mot_record *record = NULL;
    char segments[MOT_RECORD_PATH];
    mot_status status = mot_allocate(&record, 1, sizeof *record, "the routing record");
    *opened = NULL;
    if (status != MOT_OK) return status;
    record->log = -1;
    record->flushed = -1;
    record->eval_step = (mot_column){"step", "1", "steps done at the evaluation", MOT_COLUMN_I64, NULL, 0};
    record->experts = about->experts;
    record->choices = about->choices;
    record->classes = about->classes;
    record->groups = about->groups;
    record->seed = about->seed;
    memcpy(record->step, step_columns, sizeof step_columns);
    memcpy(record->layer, layer_columns, sizeof layer_columns);
    memcpy(record->assign, assign_columns, sizeof assign_columns);
    MOT_TRY(copy_text(&record->folder, about->folder));
    MOT_TRY(copy_text(&record->config_text, about->config_text));
    MOT_TRY(copy_text(&record->dataset_checksum, about->dataset_checksum));
    MOT_TRY(copy_text(&record->run_id, about->run_id));
    MOT_TRY(copy_names(&record->class_names, about->class_names, about->classes));
    MOT_TRY(copy_names(&record->group_names, about->group_names, about->groups));

    MOT_TRY(mot_path_join(segments, sizeof segments, record->folder, "record"));
    MOT_TRY(mot_folder_make(segments));
    MOT_TRY(tidy(record, segments, true, step));
    MOT_TRY(tidy(record, record->folder, false, step));
    MOT_TRY(mot_log_open(record, step));
    MOT_TRY(mot_record_relink(record));
    *opened = record;
    record = NULL;

done:
    mot_record_close(&record);
    return status;
}

static void free_columns(mot_column *column, size_t count)
{
    for (size_t c = 0; c < count; ++c) mot_free(column[c].data);
}

void mot_record_close(mot_record **closed)
{
    mot_record *const record = *closed;
    *closed = NULL;
    if (record == NULL) return;
    if (record->log >= 0) close(record->log);
    free_columns(record->step, STEP_COLUMNS);
    free_columns(record->layer, LAYER_COLUMNS);
    free_columns(record->assign, ASSIGN_COLUMNS);
    mot_free(record->eval_step.data);
    for (size_t f = 0; f < record->figures; ++f) mot_free(record->figure[f].column.data);
    mot_free(record->figure);
    mot_free(record->folder);
    mot_free(record->config_text);
    mot_free(record->dataset_checksum);
    mot_free(record->run_id);
    mot_free(record->class_names);
    mot_free(record->group_names);
    mot_free(record);
}

/* ---- collecting ---- */

static bool has_something(const mot_record *record)
{
    return record->steps > 0 || record->snapshots > 0 || record->evaluations > 0 || record->assigned > 0;
}

/* Room is made before anything changes; the caller fills the rows and then counts them. */
static void belongs_to(mot_record *record, mot_gidx step)
{
    if (!has_something(record)) record->first = record->last = step;
    record->first = MOT_MIN(record->first, step);
    record->last = MOT_MAX(record->last, step);
}

static mot_status write_segment(mot_record *record)
{
    if (!has_something(record)) return MOT_OK;
    mot_status status = mot_segment_write(record);
    if (status != MOT_OK) return status;
    record->flushed = MOT_MAX(record->flushed, record->last);
    record->steps = record->snapshots = record->evaluations = record->assigned = 0;
    return MOT_OK;
}

/* Before the first row of a new step. Two things close a segment besides mot_record_flush: much has
 * collected; or what has collected came after the flush of its step (a last evaluation), and must not be
 * joined with later steps, or a resume from that checkpoint would find a segment on both sides of it. */
static mot_status close_early(mot_record *record, mot_gidx step)
{
    if (!has_something(record) || step <= record->last) return MOT_OK;
    const bool late = record->flushed >= 0 && record->first <= record->flushed;
    return late || record->assigned >= flush_rows ? write_segment(record) : MOT_OK;
}

mot_status mot_record_step(mot_record *record, const mot_step_figures *figures, const int64_t *load,
                           const double *importance)
{
    mot_status status = MOT_OK;
    const size_t experts = (size_t)record->experts;
    MOT_TRY(close_early(record, figures->step));
    const size_t row = record->steps;
    for (size_t c = 0; c < STEP_COLUMNS; ++c) MOT_TRY(grow(&record->step[c], row + 1));
    MOT_TRY(grow(&record->layer[LAYER_LOAD], (row + 1) * experts));
    MOT_TRY(grow(&record->layer[LAYER_IMPORTANCE], (row + 1) * experts));

    mot_column *const column = record->step;
    ((int64_t *)column[STEP_STEP].data)[row] = figures->step;
    ((int32_t *)column[STEP_STAGE].data)[row] = figures->stage;
    ((double *)column[STEP_LOSS].data)[row] = figures->loss;
    ((double *)column[STEP_ACCURACY].data)[row] = figures->accuracy;
    ((double *)column[STEP_RATE].data)[row] = figures->rate;
    ((int64_t *)column[STEP_SAMPLES].data)[row] = (int64_t)figures->samples;
    ((double *)column[STEP_COMPUTE].data)[row] = figures->compute_s;
    ((double *)column[STEP_EXCHANGE].data)[row] = figures->exchange_s;
    ((double *)column[STEP_WAIT].data)[row] = figures->wait_s;
    memcpy((int64_t *)record->layer[LAYER_LOAD].data + row * experts, load, experts * sizeof *load);
    memcpy((double *)record->layer[LAYER_IMPORTANCE].data + row * experts, importance,
           experts * sizeof *importance);
    belongs_to(record, figures->step);
    record->steps++;

done:
    return status;
}

mot_status mot_record_assign(mot_record *record, mot_gidx step, bool evaluation, size_t samples,
                             const mot_gidx *sample, const int32_t *label, const int32_t *group,
                             const int32_t *expert, const float *prob, const int32_t *predicted,
                             const double *loss)
{
    mot_status status = MOT_OK;
    if (samples == 0) return MOT_OK;
    MOT_TRY(close_early(record, step));
    const size_t choices = (size_t)record->choices, first = record->assigned, rows = samples * choices;
    /* At once as many as are ever kept, so that nothing is copied; what is not written takes no memory. */
    for (size_t c = 0; c < ASSIGN_COLUMNS; ++c)
        if (first + rows > record->assign[c].capacity)
            MOT_TRY(grow(&record->assign[c], MOT_MAX(first, flush_rows) + rows));

    mot_column *const column = record->assign;
    int64_t *const to_step = (int64_t *)column[ASSIGN_STEP].data + first;
    int64_t *const to_sample = (int64_t *)column[ASSIGN_SAMPLE].data + first;
    int32_t *const to_label = (int32_t *)column[ASSIGN_LABEL].data + first;
    int32_t *const to_group = (int32_t *)column[ASSIGN_GROUP].data + first;
    int32_t *const to_choice = (int32_t *)column[ASSIGN_CHOICE].data + first;
    int32_t *const to_predicted = (int32_t *)column[ASSIGN_PREDICTED].data + first;
    float *const to_loss = (float *)column[ASSIGN_LOSS].data + first;
    memset((int8_t *)column[ASSIGN_SPLIT].data + first, evaluation ? 1 : 0, rows);
    memcpy((int32_t *)column[ASSIGN_EXPERT].data + first, expert, rows * sizeof *expert);
    memcpy((float *)column[ASSIGN_PROB].data + first, prob, rows * sizeof *prob);
    for (size_t i = 0; i < samples; ++i) {
        for (size_t k = 0; k < choices; ++k) {
            const size_t row = i * choices + k;
            to_step[row] = step;
            to_sample[row] = sample[i];
            to_label[row] = label[i];
            to_group[row] = group != NULL ? group[i] : -1;
            to_choice[row] = (int32_t)k;
            to_predicted[row] = evaluation ? predicted[i] : -1;
            to_loss[row] = evaluation ? (float)loss[i] : NAN;
        }
    }
    belongs_to(record, step);
    record->assigned += rows;

done:
    return status;
}

mot_status mot_record_snapshot(mot_record *record, mot_gidx step, const int64_t *class_load,
                               const int64_t *group_load)
{
    mot_status status = MOT_OK;
    MOT_TRY(close_early(record, step));
    const size_t row = record->snapshots;
    const size_t by_class = (size_t)record->classes * (size_t)record->experts;
    const size_t by_group = (size_t)record->groups * (size_t)record->experts;
    mot_column *const layer = record->layer;
    MOT_TRY(grow(&layer[LAYER_SNAPSHOT_STEP], row + 1));
    MOT_TRY(grow(&layer[LAYER_CLASS_LOAD], (row + 1) * by_class));
    MOT_TRY(grow(&layer[LAYER_GROUP_LOAD], (row + 1) * by_group));

    ((int64_t *)layer[LAYER_SNAPSHOT_STEP].data)[row] = step;
    memcpy((int64_t *)layer[LAYER_CLASS_LOAD].data + row * by_class, class_load,
           by_class * sizeof *class_load);
    if (group_load != NULL)
        memcpy((int64_t *)layer[LAYER_GROUP_LOAD].data + row * by_group, group_load,
               by_group * sizeof *group_load);
    belongs_to(record, step);
    record->snapshots++;

done:
    return status;
}

/* The list of figures as the first evaluation gives it. */
static mot_status take_figures(mot_record *record, size_t count, const mot_eval_figure *figure)
{
    mot_status status = mot_allocate(&record->figure, count, sizeof *record->figure,
                                     "figures of evaluations");
    if (status != MOT_OK) return status;
    for (size_t f = 0; f < count; ++f) {
        record_figure *const to = &record->figure[f];
        to->about = figure[f];
        to->numbers = 1;
        for (int d = 0; d < figure[f].rank; ++d) to->numbers *= figure[f].shape[d];
        to->column = (mot_column){
            figure[f].name, figure[f].units, figure[f].long_name, MOT_COLUMN_F64, NULL, 0};
    }
    record->figures = count;
    return MOT_OK;
}

mot_status mot_record_eval(mot_record *record, mot_gidx step, size_t count, const mot_eval_figure *figure)
{
    mot_status status = MOT_OK;
    MOT_TRY(close_early(record, step));
    if (record->figure == NULL) MOT_TRY(take_figures(record, count, figure));
    assert(count == record->figures);
    const size_t row = record->evaluations;
    MOT_TRY(grow(&record->eval_step, row + 1));
    for (size_t f = 0; f < count; ++f)
        MOT_TRY(grow(&record->figure[f].column, (row + 1) * record->figure[f].numbers));
    ((int64_t *)record->eval_step.data)[row] = step;
    for (size_t f = 0; f < count; ++f) {
        const size_t numbers = record->figure[f].numbers;
        memcpy((double *)record->figure[f].column.data + row * numbers, figure[f].value,
               numbers * sizeof(double));
    }
    belongs_to(record, step);
    record->evaluations++;

done:
    return status;
}

mot_status mot_record_flush(mot_record *record)
{
    const mot_status status = write_segment(record);
    return status == MOT_OK ? mot_record_relink(record) : status;
}
