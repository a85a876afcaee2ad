/* What stays when a run goes on from a step: segments that end before it, and the part up to it of one that it is in the midst
 * of; the rest is done again. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mot/memory.h"
#include "mot/record_read.h"
#include "record_private.h"

static const char *const what = "a segment of the record";

/* ---- where it comes from ---- */

static mot_status get_count(hid_t file, const char *name, int *count)
{
    int64_t value;
    const mot_status status = mot_h5_get_int(file, ".", name, &value);
    if (status != MOT_OK) return status;
    char path[MOT_RECORD_PATH];
    if (value < 0 || value > INT_MAX)
        return mot_fail(MOT_ERR_INPUT, "%s: the number of %s is %" PRId64, mot_record_file_name(file, path), name,
                        value);
    *count = (int)value;
    return MOT_OK;
}

/* Of a scale. */
static mot_status get_length(hid_t file, const char *name, int *length)
{
    hsize_t shape[MOT_H5_MAX_RANK] = {0};
    int rank;
    const mot_status status = mot_h5_shape(file, name, &rank, shape);
    if (status == MOT_OK) *length = (int)MOT_MIN(shape[0], (hsize_t)INT_MAX);
    return status;
}

static mot_status get_names(hid_t file, const char *name, int count, char ***names)
{
    size_t found;
    char path[MOT_RECORD_PATH];
    if (!mot_h5_exists(file, name)) return MOT_OK;
    const mot_status status = mot_h5_read_names(file, name, INT_MAX, &found, names);
    if (status == MOT_OK && found != (size_t)count)
        return mot_fail(MOT_ERR_INPUT, "%s: %zu %s, expected %d", mot_record_file_name(file, path), found, name,
                        count);
    return status;
}

static mot_status get_source(hid_t file, record_source *source)
{
    mot_status status;
    int64_t seed;
    MOT_TRY(get_count(file, "experts", &source->experts));
    MOT_TRY(mot_record_left(file, &source->begun, &source->origin));
    MOT_TRY(get_count(file, "choices", &source->choices));
    MOT_TRY(get_count(file, "classes", &source->classes));
    MOT_TRY(get_count(file, "groups", &source->groups));
    MOT_TRY(mot_h5_get_int(file, ".", "seed", &seed));
    source->seed = (uint64_t)seed;
    MOT_TRY(mot_h5_get_text(file, ".", "dataset_checksum", &source->dataset_checksum));
    MOT_TRY(mot_h5_get_text(file, ".", "run_id", &source->run_id));
    MOT_TRY(get_names(file, "class_names", source->classes, &source->class_names));
    MOT_TRY(get_names(file, "group_names", source->groups, &source->group_names));
    if (mot_h5_exists(file, "rank")) MOT_TRY(get_length(file, "rank", &source->ranks));
    source->layers = mot_record_layers(file);
    for (int l = 1; l < source->layers; ++l)
        MOT_TRY(get_length(file, mot_record_expert_axis(l), &source->layer_experts[l]));

done:
    return status;
}

/* ---- the figures that its evaluations have ---- */

typedef struct mot_figure_text {
    char name[64], axis[MOT_FIGURE_RANK][32], *units, *long_name; /* the last two owned */
} mot_figure_text;

static void free_texts(mot_figure_text *text, size_t count)
{
    for (size_t f = 0; text != NULL && f < count; ++f) {
        mot_free(text[f].units);
        mot_free(text[f].long_name);
    }
    mot_free(text);
}

/* Describes the dataset `path` as a column; its words are kept in *text. */
static mot_status look_at(hid_t file, const char *path, mot_figure_text *text, record_column *column)
{
    mot_status status;
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK];
    MOT_TRY(mot_h5_shape(file, path, &rank, shape));
    if (rank < 1 || rank > 1 + MOT_FIGURE_RANK) {
        char of[MOT_RECORD_PATH];
        status = mot_fail(MOT_ERR_INPUT, "%s: %s has %d dimensions", mot_record_file_name(file, of), path, rank);
        goto done;
    }
    MOT_TRY(mot_h5_get_text(file, path, "units", &text->units));
    MOT_TRY(mot_h5_get_text(file, path, "long_name", &text->long_name));
    *column = (record_column){.name = text->name,
                              .units = text->units,
                              .long_name = text->long_name,
                              .type = RECORD_F64,
                              .rank = rank - 1};
    for (int d = 1; d < rank; ++d) {
        MOT_TRY(mot_h5_axis(file, path, (unsigned)d, text->axis[d - 1], sizeof text->axis[0]));
        column->shape[d - 1] = (size_t)shape[d];
        column->axis[d - 1] = text->axis[d - 1];
    }

done:
    return status;
}

/* What stands beside the steps, but for the scales of its axes. */
static mot_status find_figures(hid_t file, record_table *table, mot_figure_text **texts, size_t *count)
{
    mot_status status = MOT_OK;
    record_column *column = NULL;
    H5G_info_t info = {0};
    hid_t group = mot_h5_exists(file, table->group) ? H5Gopen2(file, table->group, H5P_DEFAULT) : H5I_INVALID_HID;
    size_t columns = 1;
    if (group < 0) return MOT_OK;
    H5Gget_info(group, &info);
    MOT_TRY(mot_allocate(texts, info.nlinks, sizeof **texts, what));
    *count = info.nlinks;
    MOT_TRY(mot_allocate(&column, info.nlinks + 1, sizeof *column, what));
    column[0] = mot_record_eval_step;
    for (hsize_t i = 0; i < info.nlinks; ++i) {
        mot_figure_text *const text = &(*texts)[i];
        char path[MOT_RECORD_PATH];
        H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, text->name, sizeof text->name,
                           H5P_DEFAULT);
        MOT_TRY(mot_record_path(path, table, text->name));
        if (!mot_h5_has_attribute(file, path, "CLASS")) MOT_TRY(look_at(file, path, text, &column[columns++]));
    }
    MOT_TRY(mot_record_table_make(table, columns, column));

done:
    mot_free(column);
    mot_h5_close(&group);
    return status;
}

/* ---- its rows ---- */

static mot_status load_column(hid_t file, const record_table *table, record_column *column, size_t rows)
{
    mot_status status;
    char path[MOT_RECORD_PATH];
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK];
    MOT_TRY(mot_record_path(path, table, column->name));
    MOT_TRY(mot_h5_shape(file, path, &rank, shape));
    bool right = rank == 1 + column->rank && shape[0] >= rows;
    for (int d = 0; d < column->rank; ++d) right = right && shape[1 + d] == column->shape[d];
    if (!right) {
        char of[MOT_RECORD_PATH];
        status = mot_fail(MOT_ERR_INPUT, "%s: %s has an unexpected shape", mot_record_file_name(file, of), path);
        goto done;
    }
    MOT_TRY(mot_reserve(&column->data, &column->capacity, rows * mot_record_column_numbers(column),
                        mot_record_type_bytes(column->type), what));
    MOT_TRY(mot_h5_read_rows(file, path, mot_record_type_h5(column->type), 0, rows, column->data));

done:
    return status;
}

/* A file of an older version has fewer columns, and keeps those that it has. */
static mot_status drop_missing(hid_t file, record_table *table)
{
    mot_status status = MOT_OK;
    size_t there = 1;
    for (size_t c = 1; c < table->columns; ++c) {
        char path[MOT_RECORD_PATH];
        MOT_TRY(mot_record_path(path, table, table->column[c].name));
        if (mot_h5_exists(file, path)) table->column[there++] = table->column[c];
    }
    table->columns = there;
done:
    return status;
}

/* The rows up to `step`; *last becomes at least the step of the last of them. */
static mot_status load_table(hid_t file, record_table *table, mot_gidx step, mot_gidx *last)
{
    mot_status status = MOT_OK;
    char path[MOT_RECORD_PATH];
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK];
    size_t rows = 0;
    if (table->columns == 0) return MOT_OK;
    MOT_TRY(mot_record_path(path, table, table->column[0].name));
    if (!mot_h5_exists(file, path)) return MOT_OK;
    MOT_TRY(mot_h5_shape(file, path, &rank, shape));
    MOT_TRY(load_column(file, table, &table->column[0], (size_t)shape[0]));
    const int64_t *const of = table->column[0].data;
    while (rows < shape[0] && of[rows] <= step) ++rows;
    if (rows == 0) return MOT_OK;
    MOT_TRY(drop_missing(file, table));
    for (size_t c = 1; c < table->columns; ++c)
        MOT_TRY(load_column(file, table, &table->column[c], rows));
    table->rows = rows;
    *last = MOT_MAX(*last, of[rows - 1]);

done:
    return status;
}

static mot_status remove_segment(const char *run, const record_segment *segment)
{
    char path[MOT_RECORD_PATH];
    const mot_status status = mot_record_segment_path(path, run, segment);
    if (status == MOT_OK && unlink(path) != 0 && errno != ENOENT)
        return mot_fail(MOT_ERR_FILE, "%s: cannot be removed: %s", path, strerror(errno));
    return status;
}

/* Writes the rows up to `step` under the name that they then have, and removes the file; *segment is that of the new one. */
static mot_status cut_segment(const char *run, record_segment *segment, mot_gidx step)
{
    mot_status status = MOT_OK;
    hid_t file = H5I_INVALID_HID;
    char path[MOT_RECORD_PATH], to[MOT_RECORD_PATH];
    record_source source = {0};
    record_table *table = NULL;
    mot_figure_text *text = NULL;
    size_t texts = 0;
    record_segment cut = {.first = segment->first, .last = segment->first, .number = segment->number};
    MOT_TRY(mot_record_segment_path(path, run, segment));
    MOT_TRY(mot_h5_open_sealed(&file, path, "segment"));
    MOT_TRY(get_source(file, &source));
    MOT_TRY(mot_allocate(&table, record_table_count(source.layers), sizeof *table, what));
    MOT_TRY(mot_record_tables_make(table, &source));
    MOT_TRY(find_figures(file, &table[TABLE_EVAL], &text, &texts));
    for (size_t t = 0; t < record_table_count(source.layers); ++t)
        MOT_TRY(load_table(file, &table[t], step, &cut.last));
    mot_h5_close(&file);
    MOT_TRY(mot_record_segment_path(to, run, &cut));
    MOT_TRY(mot_record_segment_write(to, &source, table, cut.first, cut.last));
    MOT_TRY(remove_segment(run, segment));
    *segment = cut;

done:
    if (table != NULL) mot_record_tables_free(table, record_table_count(source.layers));
    free_texts(text, texts);
    mot_record_source_free(&source);
    mot_h5_close(&file);
    return status;
}

/* ---- which stay ---- */

/* Which step an open segment ends with; and that the part of one which goes beyond `step` is this run's to cut away. */
static mot_status look_into(const mot_record *record, record_segment *segment, mot_gidx step)
{
    mot_status status = MOT_OK;
    hid_t file = H5I_INVALID_HID;
    char path[MOT_RECORD_PATH], *id = NULL;
    if (!segment->open && segment->last <= step) return MOT_OK;
    MOT_TRY(mot_record_segment_path(path, record->folder, segment));
    MOT_TRY(mot_h5_open_sealed(&file, path, "segment"));
    MOT_TRY(mot_h5_get_int(file, ".", "last_step", &segment->last));
    MOT_TRY(mot_h5_find_text(file, ".", "run_id", &id));
    if (segment->last > step && strcmp(id != NULL ? id : "", record->source.run_id) != 0)
        status = mot_fail(MOT_ERR_INPUT,
                          "%s holds steps before and after step %" MOT_PRI_GIDX
                          ", from which the run would go on: it is not of this run; move it away",
                          path, step);

done:
    mot_free(id);
    mot_h5_close(&file);
    return status;
}

/* A process that was killed while it cut one has left what it cut as well: the shorter stays. */
static bool is_uncut(const record_segment *segment, const record_segment *before)
{
    return segment->first == before->first && segment->number == before->number;
}

mot_status mot_record_segments_cut(mot_record *record, mot_gidx step)
{
    record_segment *const segment = record->segment;
    mot_status status = MOT_OK;
    size_t stay = 0;
    for (size_t s = 0; s < record->segments; ++s) /* all are looked at before any is touched */
        if (segment[s].first <= step) MOT_TRY(look_into(record, &segment[s], step));
    for (size_t s = 0; s < record->segments; ++s) {
        if (segment[s].first <= step && (stay == 0 || !is_uncut(&segment[s], &segment[stay - 1])))
            segment[stay++] = segment[s];
        else
            MOT_TRY(remove_segment(record->folder, &segment[s]));
    }
    record->segments = stay;
    for (size_t s = 0; s < stay; ++s) {
        if (segment[s].last > step)
            MOT_TRY(cut_segment(record->folder, &segment[s], step));
        else if (segment[s].open)
            MOT_TRY(mot_record_segment_settle(record->folder, &segment[s]));
    }

done:
    return status;
}
