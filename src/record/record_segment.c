#include "record_private.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "mot/atomic_file.h"
#include "mot/memory.h"
#include "mot/version.h"

hid_t mot_column_h5(mot_column_type type)
{
    switch (type) {
    case MOT_COLUMN_I8:
        return H5T_NATIVE_INT8;
    case MOT_COLUMN_I32:
        return H5T_NATIVE_INT32;
    case MOT_COLUMN_I64:
        return H5T_NATIVE_INT64;
    case MOT_COLUMN_F32:
        return H5T_NATIVE_FLOAT;
    case MOT_COLUMN_F64:
        break;
    }
    return H5T_NATIVE_DOUBLE;
}

mot_status mot_record_provenance(hid_t file, const mot_record *record, const char *format)
{
    mot_status status = MOT_OK;
    char created[32];
    struct tm utc;
    const time_t now = time(NULL);
    strftime(created, sizeof created, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    MOT_TRY(mot_h5_set_text(file, ".", "format", format));
    MOT_TRY(mot_h5_set_int(file, ".", "format_version", MOT_RECORD_VERSION));
    MOT_TRY(mot_h5_set_text(file, ".", "mot_version", MOT_VERSION));
    MOT_TRY(mot_h5_set_text(file, ".", "commit", MOT_COMMIT));
    MOT_TRY(mot_h5_set_text(file, ".", "created", created));
    MOT_TRY(mot_h5_set_text(file, ".", "run_id", record->run_id));
    MOT_TRY(mot_h5_set_int(file, ".", "seed", (int64_t)record->seed)); /* the same 64 bits */
    MOT_TRY(mot_h5_set_text(file, ".", "dataset_checksum", record->dataset_checksum));
    MOT_TRY(mot_h5_set_int(file, ".", "experts", record->experts));
    MOT_TRY(mot_h5_set_int(file, ".", "choices", record->choices));
    MOT_TRY(mot_h5_set_int(file, ".", "classes", record->classes));
    MOT_TRY(mot_h5_set_int(file, ".", "groups", record->groups));

done:
    return status;
}

static mot_status describe(hid_t file, const char *path, const char *units, const char *long_name)
{
    mot_status status = mot_h5_set_text(file, path, "units", units);
    return status == MOT_OK ? mot_h5_set_text(file, path, "long_name", long_name) : status;
}

static mot_status write_column(hid_t file, const char *group, const mot_column *column, int rank,
                               const hsize_t *shape)
{
    mot_status status = MOT_OK;
    char path[64];
    MOT_TRY(mot_path_join(path, sizeof path, group, column->name));
    MOT_TRY(
        mot_h5_write(file, path, mot_column_h5(column->type), rank, shape, MOT_H5_COMPRESSED, column->data));
    MOT_TRY(describe(file, path, column->units, column->long_name));

done:
    return status;
}

/* 0, 1, 2, ... as the scale of an axis without values of its own. */
static mot_status write_numbers(hid_t file, const char *name, size_t count, const char *long_name)
{
    int32_t *number = NULL;
    const hsize_t shape[] = {count};
    mot_status status = mot_allocate(&number, count, sizeof *number, "an axis of the record");
    if (status != MOT_OK) return status;
    for (size_t i = 0; i < count; ++i) number[i] = (int32_t)i;
    MOT_TRY(mot_h5_write(file, name, H5T_NATIVE_INT32, 1, shape,
                         count > 1024 ? MOT_H5_COMPRESSED : MOT_H5_CONTIGUOUS, number));
    MOT_TRY(describe(file, name, "1", long_name));

done:
    mot_free(number);
    return status;
}

static mot_status write_kinds(hid_t file, const char *axis, int count, char **texts, const char *long_name)
{
    mot_status status = MOT_OK;
    char name[32];
    if (count == 0) return MOT_OK;
    MOT_TRY(write_numbers(file, axis, (size_t)count, long_name));
    if (texts == NULL) return MOT_OK;
    snprintf(name, sizeof name, "%s_names", axis);
    MOT_TRY(mot_h5_write_names(file, name, (size_t)count, (const char *const *)texts));
    MOT_TRY(mot_h5_scale(file, name, 0, axis, axis));

done:
    return status;
}

mot_status mot_record_kinds(hid_t file, const mot_record *record)
{
    const mot_status status = write_kinds(file, "class", record->classes, record->class_names,
                                          "class, index into class_names");
    return status != MOT_OK ? status
                            : write_kinds(file, "group", record->groups, record->group_names,
                                          "group, index into group_names");
}

/* Readers of netCDF look for a scale in the group of what it belongs to, and above it: so each group has its own. */
static mot_status write_steps(hid_t file, const mot_record *record)
{
    mot_status status = MOT_OK;
    const hsize_t shape[] = {record->steps, (hsize_t)record->experts};
    if (record->steps == 0) return MOT_OK;
    for (size_t c = 0; c < STEP_COLUMNS; ++c)
        MOT_TRY(write_column(file, "steps", &record->step[c], 1, shape));
    for (size_t c = STEP_STEP + 1; c < STEP_COLUMNS; ++c) {
        char path[64];
        MOT_TRY(mot_path_join(path, sizeof path, "steps", record->step[c].name));
        MOT_TRY(mot_h5_scale(file, path, 0, "steps/step", "step"));
    }
    MOT_TRY(write_column(file, "layer0", &record->step[STEP_STEP], 1, shape));
    MOT_TRY(write_column(file, "layer0", &record->layer[LAYER_LOAD], 2, shape));
    MOT_TRY(write_column(file, "layer0", &record->layer[LAYER_IMPORTANCE], 2, shape));
    MOT_TRY(mot_h5_scale(file, "layer0/load", 0, "layer0/step", "step"));
    MOT_TRY(mot_h5_scale(file, "layer0/load", 1, "expert", "expert"));
    MOT_TRY(mot_h5_scale(file, "layer0/importance", 0, "layer0/step", "step"));
    MOT_TRY(mot_h5_scale(file, "layer0/importance", 1, "expert", "expert"));

done:
    return status;
}

static mot_status write_table(hid_t file, const mot_record *record, int column, int rows, const char *path,
                              const char *axis)
{
    mot_status status = MOT_OK;
    const hsize_t shape[] = {record->snapshots, (hsize_t)rows, (hsize_t)record->experts};
    MOT_TRY(write_column(file, "layer0", &record->layer[column], 3, shape));
    MOT_TRY(mot_h5_scale(file, path, 0, "layer0/snapshot_step", "snapshot_step"));
    MOT_TRY(mot_h5_scale(file, path, 1, axis, axis));
    MOT_TRY(mot_h5_scale(file, path, 2, "expert", "expert"));

done:
    return status;
}

static mot_status write_snapshots(hid_t file, const mot_record *record)
{
    mot_status status = MOT_OK;
    const hsize_t shape[] = {record->snapshots};
    if (record->snapshots == 0) return MOT_OK;
    MOT_TRY(write_column(file, "layer0", &record->layer[LAYER_SNAPSHOT_STEP], 1, shape));
    if (record->classes > 0)
        MOT_TRY(write_table(file, record, LAYER_CLASS_LOAD, record->classes, "layer0/class_load", "class"));
    if (record->groups > 0)
        MOT_TRY(write_table(file, record, LAYER_GROUP_LOAD, record->groups, "layer0/group_load", "group"));

done:
    return status;
}

/* An axis of a figure: one of the file's, or one of the evaluations' own, made when it is met first. */
static mot_status attach(hid_t file, const char *figure, unsigned dim, const char *axis, size_t count)
{
    mot_status status = MOT_OK;
    char own[64];
    if (mot_h5_exists(file, axis)) return mot_h5_scale(file, figure, dim, axis, axis);
    MOT_TRY(mot_path_join(own, sizeof own, "eval", axis));
    if (!mot_h5_exists(file, own)) MOT_TRY(write_numbers(file, own, count, "place along an axis"));
    MOT_TRY(mot_h5_scale(file, figure, dim, own, axis));

done:
    return status;
}

static mot_status write_evaluations(hid_t file, const mot_record *record)
{
    mot_status status = MOT_OK;
    hsize_t shape[1 + MOT_FIGURE_RANK] = {record->evaluations};
    if (record->evaluations == 0) return MOT_OK;
    MOT_TRY(write_column(file, "eval", &record->eval_step, 1, shape));
    for (size_t f = 0; f < record->figures; ++f) {
        const mot_eval_figure *about = &record->figure[f].about;
        char path[64];
        for (int d = 0; d < about->rank; ++d) shape[1 + d] = about->shape[d];
        MOT_TRY(write_column(file, "eval", &record->figure[f].column, 1 + about->rank, shape));
        MOT_TRY(mot_path_join(path, sizeof path, "eval", about->name));
        MOT_TRY(mot_h5_scale(file, path, 0, "eval/step", "step"));
        for (int d = 0; d < about->rank; ++d)
            MOT_TRY(attach(file, path, 1 + (unsigned)d, about->axis[d], about->shape[d]));
    }

done:
    return status;
}

static mot_status write_assignments(hid_t file, const mot_record *record)
{
    mot_status status = MOT_OK;
    const hsize_t shape[] = {record->assigned};
    if (record->assigned == 0) return MOT_OK;
    MOT_TRY(write_numbers(file, "assign/row", record->assigned, "row of the table"));
    for (size_t c = 0; c < ASSIGN_COLUMNS; ++c) {
        char path[64];
        MOT_TRY(write_column(file, "assign", &record->assign[c], 1, shape));
        MOT_TRY(mot_path_join(path, sizeof path, "assign", record->assign[c].name));
        MOT_TRY(mot_h5_scale(file, path, 0, "assign/row", "row"));
    }

done:
    return status;
}

mot_status mot_segment_write(const mot_record *record)
{
    mot_status status = MOT_OK;
    hid_t file = H5I_INVALID_HID;
    char name[64], folder[MOT_RECORD_PATH], path[MOT_RECORD_PATH];
    mot_segment_name(name, sizeof name, record->first, record->last);
    MOT_TRY(mot_path_join(folder, sizeof folder, record->folder, "record"));
    MOT_TRY(mot_path_join(path, sizeof path, folder, name));

    MOT_TRY(mot_h5_create_file(&file, path, MOT_H5_HEAD));
    MOT_TRY(mot_record_provenance(file, record, MOT_RECORD_FORMAT));
    MOT_TRY(mot_h5_set_int(file, ".", "first_step", record->first));
    MOT_TRY(mot_h5_set_int(file, ".", "last_step", record->last));
    MOT_TRY(write_numbers(file, "expert", (size_t)record->experts, "expert, numbered over all ranks"));
    MOT_TRY(mot_record_kinds(file, record));
    MOT_TRY(write_steps(file, record));
    MOT_TRY(write_snapshots(file, record));
    MOT_TRY(write_evaluations(file, record));
    MOT_TRY(write_assignments(file, record));
    MOT_TRY(mot_h5_close_file(&file, path, true));

done:
    (void)mot_h5_close_file(&file, path, false);
    return status;
}
