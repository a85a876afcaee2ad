/* What the trials left in their records. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mot/memory.h"
#include "study_private.h"

enum { MOST_NUMBERS = 1 << 26 };

const study_column_about study_columns[STUDY_COLUMNS] = {
    [STUDY_STEP] = {"step", "eval", true},
    [STUDY_TIME] = {"time", NULL, false},
    [STUDY_LOSS] = {"loss", "eval", false},
    [STUDY_ACCURACY] = {"accuracy", "eval", false},
    [STUDY_GROUP_ACCURACY] = {"group_accuracy", "eval", false},
    [STUDY_PURITY] = {"purity", "eval", false},
    [STUDY_NMI] = {"nmi", "eval", false},
    [STUDY_ENTROPY] = {"entropy", "eval", false},
    [STUDY_USED] = {"experts_used", "eval", false},
    [STUDY_ROUTING_ACCURACY] = {"routing_accuracy", "eval", false},
    [STUDY_ROUTED_LOSS] = {"routed_loss", "eval", false},
    [STUDY_LOAD] = {"group_load", "layer0", true},
    [STUDY_ATTENTION] = {"attention", "eval", false},
    [STUDY_NEURONS] = {"neurons", "eval", false},
    [STUDY_GATE] = {"gate", "eval", false},
    [STUDY_AGREEMENT] = {"gradient_agreement", "eval", false},
};

/* What else is read, to make columns of. */
enum { CLASS_LOAD, STAGE, COMPUTE, EXCHANGE, WAIT, OTHERS };
static const study_column_about others[OTHERS] = {
    [CLASS_LOAD] = {"class_load", "layer0", true}, [STAGE] = {"stage", "steps", true},
    [COMPUTE] = {"time_compute", "steps", false},  [EXCHANGE] = {"time_exchange", "steps", false},
    [WAIT] = {"time_wait", "steps", false},
};

static int is_segment(const struct dirent *entry)
{
    const size_t length = strlen(entry->d_name);
    return length > 3 && strcmp(entry->d_name + length - 3, ".h5") == 0 &&
           strspn(entry->d_name, "0123456789-") == length - 3;
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
    bool fits = rank > 0 && shape[0] <= MOST_NUMBERS;
    for (int d = 1; d < rank && fits; ++d) {
        fits = shape[d] > 0 && shape[d] <= MOST_NUMBERS / width;
        width *= fits ? (size_t)shape[d] : 1;
        if (d < 3) to->shape[d - 1] = (size_t)shape[d];
    }
    if (!fits || shape[0] > MOST_NUMBERS / width || (to->rows > 0 && width != to->width))
        return mot_fail(MOT_ERR_INPUT, "%s of a trial has an unexpected shape", name);
    const size_t rows = (size_t)shape[0];
    if (rows == 0) return MOT_OK;
    double *grown = realloc(to->value, (to->rows + rows) * width * sizeof *grown);
    if (grown == NULL) return mot_fail(MOT_ERR_MEMORY, "not enough memory for the record of a trial");
    to->value = grown;
    to->width = width;
    status = read_numbers(file, name, integers, rank, shape, rows * width, grown + to->rows * width);
    to->rows += rows;
    return status;
}

/* Adds what a segment has of these datasets. */
static mot_status append_all(hid_t file, const study_column_about *about, size_t count, table *tables)
{
    mot_status status = MOT_OK;
    for (size_t c = 0; c < count && status == MOT_OK; ++c) {
        char path[64];
        if (about[c].group == NULL) continue;
        snprintf(path, sizeof path, "%s/%s", about[c].group, about[c].name);
        if (mot_h5_exists(file, path)) status = append(file, path, about[c].integers, &tables[c]);
    }
    return status;
}

/* Every segment of a record, in the order of steps, which is that of their names. */
static mot_status read_segments(const char *folder, table *columns, table *more)
{
    struct dirent **name = NULL;
    mot_status status = MOT_OK;
    const int count = scandir(folder, &name, is_segment, alphasort);
    if (count < 0) return mot_fail(MOT_ERR_FILE, "%s: %s", folder, strerror(errno));
    for (int s = 0; s < count; ++s) {
        char path[1024];
        hid_t file = H5I_INVALID_HID;
        snprintf(path, sizeof path, "%s/%s", folder, name[s]->d_name);
        if (status == MOT_OK) status = mot_h5_open_sealed(&file, path, "segment of a record");
        if (status == MOT_OK) status = append_all(file, study_columns, STUDY_COLUMNS, columns);
        if (status == MOT_OK) status = append_all(file, others, OTHERS, more);
        mot_h5_close(&file);
        free(name[s]);
    }
    free(name);
    return status;
}

/* Seconds of training at each evaluation, and where the stages began. */
static mot_status follow_steps(const table *more, study_result *result)
{
    const double *at_step = result->column[STUDY_STEP];
    double *time, sum = 0;
    mot_status status = mot_allocate(&time, result->rows, sizeof *time, "the record of a trial");
    if (status != MOT_OK) return status;
    result->column[STUDY_TIME] = time;
    const size_t steps = more[STAGE].rows;
    size_t at = 0;
    for (size_t i = 0; i <= steps; ++i) { /* after i steps */
        for (; at < result->rows && at_step[at] <= (double)i; ++at) time[at] = sum;
        if (i == steps) break;
        for (int part = COMPUTE; part <= WAIT; ++part) sum += more[part].value[i];
        while (result->stages <= (size_t)more[STAGE].value[i] &&
               result->stages < MOT_COUNT(result->stage_begin))
            result->stage_begin[result->stages++] = (double)i;
    }
    result->steps = (double)steps;
    return MOT_OK;
}

/* Numbers in a row of a column, by what the trial's load says of its experts and kinds. */
static size_t row_width(size_t column, const table *columns)
{
    const size_t N = columns[STUDY_LOAD].shape[0], E = columns[STUDY_LOAD].shape[1];
    if (column < STUDY_NUMBERS) return 1;
    if (column == STUDY_ATTENTION) return (size_t)MOT_ROLES * MOT_ROLES;
    return column == STUDY_AGREEMENT ? E : N * E;
}

/* Every column has a row an evaluation, every table of steps a row a step. */
static mot_status check_rows(const char *folder, const table *columns, const table *more)
{
    const size_t rows = columns[STUDY_STEP].rows;
    if (rows == 0) return mot_fail(MOT_ERR_INPUT, "%s has no evaluation", folder);
    for (size_t c = 0; c < STUDY_COLUMNS; ++c) {
        if (columns[c].rows == 0) continue;
        if (columns[c].rows != rows)
            return mot_fail(MOT_ERR_INPUT, "%s: %s has %zu rows, the evaluations are %zu", folder,
                            study_columns[c].name, columns[c].rows, rows);
        if (columns[c].width != row_width(c, columns))
            return mot_fail(MOT_ERR_INPUT, "%s: %s of a trial has an unexpected shape", folder,
                            study_columns[c].name);
    }
    for (int part = COMPUTE; part <= WAIT; ++part)
        if (more[part].rows != more[STAGE].rows)
            return mot_fail(MOT_ERR_INPUT, "%s: %s has %zu rows, the steps are %zu", folder,
                            others[part].name, more[part].rows, more[STAGE].rows);
    return MOT_OK;
}

static mot_status read_record(const char *folder, study_result *result)
{
    table columns[STUDY_COLUMNS] = {0}, more[OTHERS] = {0};
    mot_status status = read_segments(folder, columns, more);
    if (columns[STUDY_LOAD].rows == 0) { /* data without groups */
        columns[STUDY_LOAD] = more[CLASS_LOAD];
        more[CLASS_LOAD] = (table){0};
    }
    for (size_t c = 0; c < STUDY_COLUMNS; ++c) result->column[c] = columns[c].value;
    MOT_TRY(status);
    MOT_TRY(check_rows(folder, columns, more));
    result->rows = columns[STUDY_STEP].rows;
    result->N = columns[STUDY_LOAD].shape[0];
    result->E = columns[STUDY_LOAD].shape[1];
    MOT_TRY(follow_steps(more, result));
done:
    for (int t = 0; t < OTHERS; ++t) free(more[t].value);
    return status;
}

static mot_status read_trial(const mot_study *study, const study_variant *variant, int seed,
                             study_result *result)
{
    char folder[600], path[640];
    study_path(study, variant, seed, folder, sizeof folder);
    snprintf(path, sizeof path, "%s/failed.txt", folder);
    *result = (study_result){.failed = access(path, F_OK) == 0};
    if (result->failed) return MOT_OK;
    snprintf(path, sizeof path, "%s/record", folder);
    return read_record(path, result);
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
    for (int c = 0; c < STUDY_COLUMNS; ++c) free(result->column[c]);
    *result = (study_result){0};
}
