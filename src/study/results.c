/* What the trials left in their records. */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mot/memory.h"
#include "study_private.h"

enum { MOST_NUMBERS = 1 << 26 };

/* The segments of a record, in the order of steps. */
typedef struct segments {
    char folder[640];
    struct dirent **name;
    int count;
} segments;

static int is_segment(const struct dirent *entry)
{
    const size_t length = strlen(entry->d_name);
    return length > 3 && strcmp(entry->d_name + length - 3, ".h5") == 0 &&
           strspn(entry->d_name, "0123456789-") == length - 3;
}

static void close_segments(segments *record)
{
    for (int s = 0; s < record->count; ++s) free(record->name[s]);
    free(record->name);
    *record = (segments){0};
}

/* A dataset over all segments that have it, as one table. */
typedef struct table {
    double *value;      /* [rows, width], owned */
    size_t rows, width; /* width: numbers of a row */
    size_t shape[2];    /* of a row, as far as it has two extents */
} table;

/* HDF5 does not turn integers into doubles here: they are read as what they are. */
static mot_status read_numbers(hid_t file, const char *name, bool integers, int rank, const hsize_t *shape,
                               size_t count, double *values)
{
    if (!integers) return mot_h5_read(file, name, H5T_NATIVE_DOUBLE, rank, shape, values);
    int64_t *read = NULL;
    mot_status status = mot_allocate(&read, count, sizeof *read, "the record of a trial");
    if (status == MOT_OK) status = mot_h5_read(file, name, H5T_NATIVE_INT64, rank, shape, read);
    for (size_t i = 0; status == MOT_OK && i < count; ++i) values[i] = (double)read[i];
    mot_free(read);
    return status;
}

static mot_status append(hid_t file, const char *name, bool integers, table *to)
{
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK];
    mot_status status = mot_h5_shape(file, name, &rank, shape);
    if (status != MOT_OK) return status;
    size_t width = 1;
    for (int d = 1; d < rank; ++d) width *= (size_t)MOT_MIN(shape[d], (hsize_t)MOST_NUMBERS);
    for (int d = 1; d < rank && d < 3; ++d) to->shape[d - 1] = (size_t)shape[d];
    if (width > MOST_NUMBERS || shape[0] > MOST_NUMBERS / width || (to->rows > 0 && width != to->width))
        return mot_fail(MOT_ERR_INPUT, "%s of a trial has an unexpected shape", name);
    const size_t rows = (size_t)shape[0];
    double *grown = realloc(to->value, (to->rows + rows) * width * sizeof *grown);
    if (grown == NULL) return mot_fail(MOT_ERR_MEMORY, "not enough memory for the record of a trial");
    to->value = grown;
    to->width = width;
    status = read_numbers(file, name, integers, rank, shape, rows * width, grown + to->rows * width);
    to->rows += rows;
    return status;
}

static mot_status read_table(const segments *record, const char *name, bool integers, table *to)
{
    mot_status status = MOT_OK;
    *to = (table){0};
    for (int s = 0; s < record->count && status == MOT_OK; ++s) {
        char path[1024];
        hid_t file = H5I_INVALID_HID;
        snprintf(path, sizeof path, "%s/%s", record->folder, record->name[s]->d_name);
        status = mot_h5_open(&file, path, false);
        if (status == MOT_OK && mot_h5_exists(file, name)) status = append(file, name, integers, to);
        mot_h5_close(&file);
    }
    return status;
}

/* A figure of the evaluations; NULL where the record has none of this name. */
static mot_status read_figure(const segments *record, const char *name, study_result *result, double **value,
                              table *to)
{
    char path[64];
    snprintf(path, sizeof path, "eval/%s", name);
    const mot_status status = read_table(record, path, false, to);
    *value = to->value;
    if (status == MOT_OK && to->rows != 0 && to->rows != result->rows)
        return mot_fail(MOT_ERR_INPUT, "%s: %s has %zu rows, the evaluations are %zu", record->folder, path,
                        to->rows, result->rows);
    return status;
}

/* Seconds of training at each evaluation, and where the stages began. */
static mot_status read_steps(const segments *record, study_result *result)
{
    static const char *const parts[] = {"steps/time_compute", "steps/time_exchange", "steps/time_wait"};
    table step, stage = {0}, time[3] = {{0}};
    mot_status status;
    MOT_TRY(read_table(record, "steps/step", true, &step));
    MOT_TRY(read_table(record, "steps/stage", true, &stage));
    for (int p = 0; p < 3; ++p) MOT_TRY(read_table(record, parts[p], false, &time[p]));
    MOT_TRY(mot_allocate(&result->time, result->rows, sizeof(double), "the record of a trial"));
    double sum = 0;
    size_t at = 0;
    for (size_t i = 0; i <= step.rows; ++i) { /* after i steps */
        for (; at < result->rows && result->step[at] <= (double)i; ++at) result->time[at] = sum;
        if (i == step.rows) break;
        for (int p = 0; p < 3; ++p) sum += time[p].value[i];
        while (result->stages <= (size_t)stage.value[i] && result->stages < MOT_COUNT(result->stage_begin))
            result->stage_begin[result->stages++] = (double)i;
    }
    result->steps = (double)step.rows;
done:
    free(step.value);
    free(stage.value);
    for (int p = 0; p < 3; ++p) free(time[p].value);
    return status;
}

static mot_status read_record(const segments *record, study_result *result)
{
    table at;
    mot_status status;
    MOT_TRY(read_table(record, "eval/step", true, &at));
    result->step = at.value;
    result->rows = at.rows;
    if (at.rows == 0) {
        status = mot_fail(MOT_ERR_INPUT, "%s has no evaluation", record->folder);
        goto done;
    }
    const struct {
        const char *name;
        double **value;
    } figures[] = {{"loss", &result->loss},
                   {"accuracy", &result->accuracy},
                   {"group_accuracy", &result->group_accuracy},
                   {"purity", &result->purity},
                   {"nmi", &result->nmi},
                   {"entropy", &result->entropy},
                   {"experts_used", &result->experts_used},
                   {"routing_accuracy", &result->routing_accuracy},
                   {"routed_loss", &result->routed_loss},
                   {"attention", &result->attention},
                   {"neurons", &result->neurons},
                   {"gate", &result->gate},
                   {"gradient_cosine", &result->cosine},
                   {"gradient_agreement", &result->agreement}};
    for (size_t f = 0; f < MOT_COUNT(figures); ++f)
        MOT_TRY(read_figure(record, figures[f].name, result, figures[f].value, &at));
    MOT_TRY(read_table(record, "layer0/group_load", true, &at));
    if (at.rows == 0) MOT_TRY(read_table(record, "layer0/class_load", true, &at));
    result->load = at.value;
    result->N = at.shape[0];
    result->E = at.shape[1];
    MOT_TRY(read_steps(record, result));
done:
    return status;
}

static mot_status read_trial(const mot_study *study, const study_variant *variant, int seed,
                             study_result *result)
{
    char folder[600], failed[640];
    segments record = {0};
    *result = (study_result){0};
    study_path(study, variant, seed, folder, sizeof folder);
    snprintf(failed, sizeof failed, "%s/failed.txt", folder);
    if (access(failed, F_OK) == 0) {
        result->failed = true;
        return MOT_OK;
    }
    snprintf(record.folder, sizeof record.folder, "%s/record", folder);
    record.count = scandir(record.folder, &record.name, is_segment, alphasort);
    if (record.count < 0) return mot_fail(MOT_ERR_FILE, "%s: %s", record.folder, strerror(errno));
    const mot_status status = read_record(&record, result);
    close_segments(&record);
    return status;
}

mot_status study_read(mot_study *study)
{
    mot_status status = MOT_OK;
    for (size_t v = 0; v < study->variants; ++v) {
        study_variant *variant = &study->variant[v];
        MOT_TRY(mot_allocate(&variant->result, (size_t)variant->seeds, sizeof *variant->result, "a study"));
        for (int seed = 1; seed <= variant->seeds; ++seed)
            MOT_TRY(read_trial(study, variant, seed, &variant->result[seed - 1]));
    }
done:
    return status;
}

void study_result_free(study_result *result)
{
    double *const columns[] = {result->step,           result->loss,         result->accuracy,
                               result->group_accuracy, result->purity,       result->nmi,
                               result->entropy,        result->experts_used, result->routing_accuracy,
                               result->routed_loss,    result->load,         result->attention,
                               result->neurons,        result->gate,         result->cosine,
                               result->agreement};
    for (size_t c = 0; c < MOT_COUNT(columns); ++c) free(columns[c]);
    mot_free(result->time);
    *result = (study_result){0};
}
