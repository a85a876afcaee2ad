#include "record_private.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "mot/atomic_file.h"
#include "mot/memory.h"
#include "mot/version.h"

mot_status mot_record_provenance(hid_t file, const record_source *source, const char *format)
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
    MOT_TRY(mot_h5_set_text(file, ".", "run_id", source->run_id));
    MOT_TRY(mot_h5_set_int(file, ".", "seed", (int64_t)source->seed)); /* the same 64 bits */
    MOT_TRY(mot_h5_set_text(file, ".", "dataset_checksum", source->dataset_checksum));
    MOT_TRY(mot_h5_set_int(file, ".", "experts", source->experts));
    if (source->origin != NULL) MOT_TRY(mot_h5_set_int(file, ".", "experts_begun", source->begun));
    MOT_TRY(mot_h5_set_int(file, ".", "choices", source->choices));
    MOT_TRY(mot_h5_set_int(file, ".", "classes", source->classes));
    MOT_TRY(mot_h5_set_int(file, ".", "groups", source->groups));

done:
    return status;
}

mot_status mot_record_describe(hid_t file, const char *path, const char *units, const char *long_name)
{
    mot_status status = mot_h5_set_text(file, path, "units", units);
    return status == MOT_OK ? mot_h5_set_text(file, path, "long_name", long_name) : status;
}

mot_status mot_record_write_scale(hid_t file, const char *name, size_t count, const int *value, const char *long_name)
{
    int32_t *number = NULL;
    const hsize_t shape[] = {count};
    mot_status status = mot_allocate(&number, count, sizeof *number, "an axis of the record");
    if (status != MOT_OK) return status;
    for (size_t i = 0; i < count; ++i) number[i] = value != NULL ? (int32_t)value[i] : (int32_t)i;
    MOT_TRY(mot_h5_write(file, name, H5T_NATIVE_INT32, 1, shape, MOT_H5_COMPRESSED, number));
    MOT_TRY(mot_record_describe(file, name, "1", long_name));

done:
    mot_free(number);
    return status;
}

static mot_status write_numbers(hid_t file, const char *name, size_t count, const char *long_name)
{
    return mot_record_write_scale(file, name, count, NULL, long_name);
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

mot_status mot_record_kinds(hid_t file, const record_source *source)
{
    const mot_status status = write_kinds(file, "class", source->classes, source->class_names,
                                          "class, index into class_names");
    return status != MOT_OK ? status
                            : write_kinds(file, "group", source->groups, source->group_names,
                                          "group, index into group_names");
}

/* An axis of a column: one of the file's, or one of the group's own, made when it is met first. Readers of netCDF look for a
 * scale in the group of what it belongs to, and above it. */
static mot_status attach(hid_t file, const record_table *table, const char *path, unsigned dim,
                         const char *axis, size_t count)
{
    mot_status status = MOT_OK;
    char own[MOT_RECORD_PATH];
    if (mot_h5_exists(file, axis)) return mot_h5_scale(file, path, dim, axis, axis);
    MOT_TRY(mot_record_path(own, table, axis));
    if (!mot_h5_exists(file, own)) MOT_TRY(write_numbers(file, own, count, "place along an axis"));
    MOT_TRY(mot_h5_scale(file, path, dim, own, axis));

done:
    return status;
}

static mot_status write_column(hid_t file, const record_table *table, const record_column *column)
{
    mot_status status = MOT_OK;
    char path[MOT_RECORD_PATH], rows[MOT_RECORD_PATH];
    hsize_t shape[1 + MOT_FIGURE_RANK] = {table->rows};
    for (int d = 0; d < column->rank; ++d) shape[1 + d] = column->shape[d];
    MOT_TRY(mot_record_path(path, table, column->name));
    MOT_TRY(mot_record_path(rows, table, table->axis));
    MOT_TRY(mot_h5_write(file, path, mot_record_type_h5(column->type), 1 + column->rank, shape, MOT_H5_COMPRESSED,
                         column->given != NULL ? column->given : column->data));
    MOT_TRY(mot_record_describe(file, path, column->units, column->long_name));
    if (strcmp(path, rows) != 0) MOT_TRY(mot_h5_scale(file, path, 0, rows, table->axis));
    for (int d = 0; d < column->rank; ++d)
        MOT_TRY(attach(file, table, path, 1 + (unsigned)d, column->axis[d], column->shape[d]));

done:
    return status;
}

static mot_status write_table(hid_t file, const record_table *table)
{
    mot_status status = MOT_OK;
    char rows[MOT_RECORD_PATH];
    if (table->rows == 0) return MOT_OK;
    MOT_TRY(mot_record_path(rows, table, table->axis));
    if (strcmp(table->axis, table->column[0].name) != 0)
        MOT_TRY(write_numbers(file, rows, table->rows, "row of the table"));
    for (size_t c = 0; c < table->columns; ++c) MOT_TRY(write_column(file, table, &table->column[c]));

done:
    return status;
}

mot_status mot_record_segment_write(const char *path, const record_source *source, const record_table *tables,
                                    mot_gidx first, mot_gidx last)
{
    mot_status status = MOT_OK;
    hid_t file = H5I_INVALID_HID;
    MOT_TRY(mot_h5_create_file(&file, path, MOT_H5_HEAD));
    MOT_TRY(mot_record_provenance(file, source, MOT_RECORD_FORMAT));
    MOT_TRY(mot_h5_set_int(file, ".", "first_step", first));
    MOT_TRY(mot_h5_set_int(file, ".", "last_step", last));
    MOT_TRY(mot_record_write_scale(file, "expert", (size_t)source->experts, source->origin,
                         source->origin == NULL ? "expert, numbered over all ranks"
                                                : "expert, by its number in the beginning"));
    for (int l = 1; l < source->layers; ++l)
        MOT_TRY(write_numbers(file, mot_record_expert_axis(l), (size_t)source->layer_experts[l],
                              "expert of the layer, numbered over all ranks"));
    if (source->ranks > 0)
        MOT_TRY(write_numbers(file, "rank", (size_t)source->ranks, "rank of the job that wrote the segment"));
    MOT_TRY(mot_record_kinds(file, source));
    for (size_t t = 0; t < record_table_count(source->layers); ++t) MOT_TRY(write_table(file, &tables[t]));
    MOT_TRY(mot_h5_close_file(&file, path, true));

done:
    (void)mot_h5_close_file(&file, path, false);
    return status;
}
