#include "record_private.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "mot/atomic_file.h"
#include "mot/memory.h"

/* ---- opening ---- */

static mot_status copy_text(char **copy, const char *text)
{
    const size_t length = text != NULL ? strlen(text) : 0;
    mot_status status = mot_allocate(copy, length + 1, 1, "the routing record");
    if (status == MOT_OK && length > 0) memcpy(*copy, text, length);
    return status;
}

mot_status mot_record_take_source(record_source *source, const mot_record_about *about)
{
    mot_status status;
    source->begun = MOT_MAX(about->experts, about->begun);
    source->classes = about->classes;
    source->groups = about->groups;
    source->ranks = about->ranks;
    source->layers = about->layers;
    assert(about->layers <= MOT_RECORD_LAYERS && (about->layers == 1 || about->layer_experts != NULL));
    for (int l = 1; l < about->layers; ++l) {
        source->layer_experts[l] = about->layer_experts[l];
        source->layer_choices[l] = about->layer_choices[l];
    }
    source->seed = about->seed;
    MOT_TRY(mot_record_take_experts(source, about->experts, about->choices, about->origin));
    MOT_TRY(copy_text(&source->dataset_checksum, about->dataset_checksum));
    MOT_TRY(copy_text(&source->run_id, about->run_id));
    MOT_TRY(mot_record_names_copy(&source->class_names, about->class_names, about->classes));
    MOT_TRY(mot_record_names_copy(&source->group_names, about->group_names, about->groups));
done:
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
    MOT_TRY(copy_text(&record->folder, about->folder));
    MOT_TRY(copy_text(&record->config_text, about->config_text));
    MOT_TRY(mot_record_take_source(&record->source, about));
    MOT_TRY(mot_allocate(&record->table, record_table_count(about->layers), sizeof *record->table,
                         "the routing record"));
    MOT_TRY(mot_record_tables_make(record->table, &record->source));

    MOT_TRY(mot_path_join(segments, sizeof segments, record->folder, "record"));
    MOT_TRY(mot_folder_make(segments));
    MOT_TRY(mot_record_segments_list(record->folder, &record->segment, &record->segments));
    record->room = record->segments;
    MOT_TRY(mot_record_segments_cut(record, step));
    MOT_TRY(mot_file_sweep(segments)); /* what a killed process left behind while it wrote */
    MOT_TRY(mot_file_sweep(record->folder));
    MOT_TRY(mot_log_open(record, step));
    MOT_TRY(mot_events_open(&record->events, record->folder, step, about->tensorboard));
    MOT_TRY(mot_record_relink(record));
    *opened = record;
    record = NULL;

done:
    mot_record_close(&record);
    return status;
}

void mot_record_close(mot_record **closed)
{
    mot_record *const record = *closed;
    *closed = NULL;
    if (record == NULL) return;
    if (record->log >= 0) close(record->log);
    mot_events_close(&record->events);
    mot_record_tables_free(record->table, record_table_count(record->source.layers));
    mot_record_source_free(&record->source);
    mot_task_matrix_free(&record->by_task);
    mot_free(record->segment);
    mot_free(record->folder);
    mot_free(record->config_text);
    mot_free(record);
}

mot_status mot_record_by_task(mot_record *record, const mot_task_matrix *matrix)
{
    mot_task_matrix *const own = &record->by_task;
    mot_status status = MOT_OK;
    if (own->tasks == 0) MOT_TRY(mot_task_matrix_create(own, matrix->tasks, matrix->unaided != NULL, matrix->names));
    MOT_TRY(mot_task_matrix_copy(own, matrix));
    record->unlinked = true;
done:
    return status;
}

/* ---- writing ---- */

/* Rows begin that no segment has. */
static mot_status begin_segment(mot_record *record, mot_gidx step)
{
    record_segment segment = {.first = step, .last = step, .open = true};
    if (record->segments > 0) {
        const record_segment *before = &record->segment[record->segments - 1];
        if (before->first == step) segment.number = before->number + 1;
    }
    const mot_status status = mot_record_segments_add(record, &segment);
    record->begun = status == MOT_OK;
    return status;
}

/* What the tables hold, as the open segment. */
static mot_status write_segment(mot_record *record)
{
    char path[MOT_RECORD_PATH];
    mot_status status = MOT_OK;
    if (!record->begun || !record->dirty) return MOT_OK;
    const record_segment *const segment = &record->segment[record->segments - 1];
    MOT_TRY(mot_record_segment_path(path, record->folder, segment));
    MOT_TRY(mot_record_segment_write(path, &record->source, record->table, segment->first, segment->last));
    record->dirty = false;
    record->unlinked = record->unlinked || !record->written; /* else run.h5 leads to it already */
    record->written = true;
done:
    return status;
}

/* Nothing more comes into the open segment, which has been written. */
static void end_segment(mot_record *record)
{
    for (size_t t = 0; t < record_table_count(record->source.layers); ++t) record->table[t].rows = 0;
    record->bytes = 0;
    record->unlinked = record->unlinked || record->begun;
    record->begun = record->written = false;
}

mot_status mot_record_close_segment(mot_record *record)
{
    const mot_status status = write_segment(record);
    if (status == MOT_OK) end_segment(record);
    return status;
}

mot_status mot_record_flush(mot_record *record, bool last)
{
    mot_status status;
    MOT_TRY(write_segment(record));
    if (last || record->bytes >= MOT_SEGMENT_BYTES) end_segment(record);
    if (last) MOT_TRY(mot_record_relink(record));
done:
    return status;
}

/* ---- collecting ---- */

/* Room for a row's numbers: of a wide column at once as much as there ever is, so that nothing is copied; what is not
 * written takes no memory. */
static mot_status reserve(record_table *table, size_t rows)
{
    mot_status status = MOT_OK;
    for (size_t c = 0; c < table->columns && status == MOT_OK; ++c) {
        enum { WIDE = 256 };
        record_column *const column = &table->column[c];
        const size_t numbers = mot_record_column_numbers(column), size = mot_record_type_bytes(column->type);
        size_t need = (table->rows + rows) * numbers;
        if (need > column->capacity && (numbers * size >= WIDE || rows > 1))
            need = MOT_MAX(need, MOT_RECORD_ROOM / table->row_bytes * numbers);
        status = mot_reserve(&column->data, &column->capacity, need, size, "the routing record");
    }
    return status;
}

/* A segment ends where so many bytes have no room in it. */
static mot_status end_full_segment(mot_record *record, size_t bytes)
{
    return record->bytes + bytes > MOT_RECORD_ROOM ? mot_record_close_segment(record) : MOT_OK;
}

mot_status mot_record_make_room(mot_record *record, record_table *table, size_t rows)
{
    const mot_status status = end_full_segment(record, rows * table->row_bytes);
    return status == MOT_OK ? reserve(table, rows) : status;
}

mot_status mot_record_count_rows(mot_record *record, record_table *table, mot_gidx step, size_t rows)
{
    if (!record->begun) {
        const mot_status status = begin_segment(record, step);
        if (status != MOT_OK) return status;
    }
    record_segment *const segment = &record->segment[record->segments - 1];
    segment->last = MOT_MAX(segment->last, step);
    table->rows += rows;
    record->bytes += rows * table->row_bytes;
    record->dirty = true;
    return MOT_OK;
}

/* A row that there is no room for is a segment by itself, and is written from where it is. */
static mot_status write_alone(mot_record *record, record_table *table, mot_gidx step, const void *const *value)
{
    mot_status status;
    MOT_TRY(mot_record_close_segment(record));
    for (size_t c = 0; c < table->columns; ++c) table->column[c].given = value[c];
    status = mot_record_count_rows(record, table, step, 1);
    if (status == MOT_OK) status = mot_record_close_segment(record);
    for (size_t c = 0; c < table->columns; ++c) table->column[c].given = NULL;
    if (status != MOT_OK && record->begun) { /* it is not kept */
        end_segment(record);
        record->segments--;
    }
done:
    return status;
}

/* A row: value[c] has the numbers of column c. */
static mot_status add_row(mot_record *record, record_table *table, mot_gidx step, const void *const *value)
{
    mot_status status;
    if (table->row_bytes > MOT_RECORD_ROOM) return write_alone(record, table, step, value);
    MOT_TRY(mot_record_make_room(record, table, 1));
    for (size_t c = 0; c < table->columns; ++c) {
        const size_t bytes = mot_record_column_numbers(&table->column[c]) *
                             mot_record_type_bytes(table->column[c].type);
        memcpy((char *)table->column[c].data + table->rows * bytes, value[c], bytes);
    }
    MOT_TRY(mot_record_count_rows(record, table, step, 1));
done:
    return status;
}

mot_status mot_record_step(mot_record *record, const mot_step_figures *figures)
{
    const int64_t step = figures->step, samples = (int64_t)figures->samples;
    const int32_t stage = figures->stage;
    const void *value[] = {&step,
                           &stage,
                           &figures->loss,
                           [STEPS_ACCURACY] = &figures->accuracy,
                           &figures->rate,
                           &samples,
                           &figures->compute_s,
                           &figures->exchange_s,
                           &figures->wait_s};
    record_table *const table = record->table;
    size_t bytes = table[TABLE_STEPS].row_bytes; /* a step is not cut in two */
    for (int l = 0; l < record->source.layers; ++l) bytes += table[record_layer_table(l, LAYER_LOADS)].row_bytes;
    const mot_status status = end_full_segment(record, bytes);
    const bool classes = record->source.classes > 0;
    const void **const rest = &value[STEPS_ACCURACY];
    if (!classes) memmove(rest, rest + 1, (MOT_COUNT(value) - STEPS_ACCURACY - 1) * sizeof *rest);
    assert(MOT_COUNT(value) - !classes == table[TABLE_STEPS].columns);
    return status == MOT_OK ? add_row(record, &table[TABLE_STEPS], figures->step, value) : status;
}

mot_status mot_record_ranks(mot_record *record, const mot_rank_figures *figures)
{
    const int64_t step = figures->step, steps = figures->steps;
    const void *const value[] = {&step,
                                 &steps,
                                 &figures->interval_s,
                                 &figures->slowest_s,
                                 figures->compute_s,
                                 figures->exchange_s,
                                 figures->wait_s};
    record_table *const table = &record->table[TABLE_RANKS];
    assert(MOT_COUNT(value) == table->columns);
    return add_row(record, table, figures->step, value);
}

mot_status mot_record_loads(mot_record *record, mot_gidx step, int layer, const int64_t *load, const double *importance,
                            const mot_record_gate *gate)
{
    const int64_t of = step;
    const void *const value[] = {&of, load, importance, &gate->confidence, &gate->margin, &gate->entropy};
    assert(layer < record->source.layers);
    return add_row(record, &record->table[record_layer_table(layer, LAYER_LOADS)], step, value);
}

mot_status mot_record_snapshot(mot_record *record, mot_gidx step, int layer, const int64_t *class_load,
                               const int64_t *group_load)
{
    const int64_t of = step;
    const bool classes = record->source.classes > 0;
    const void *const value[] = {&of, classes ? class_load : group_load, group_load};
    assert(layer < record->source.layers);
    return add_row(record, &record->table[record_layer_table(layer, LAYER_SNAPSHOTS)], step, value);
}

/* ---- evaluations ---- */

static record_column column_of(const mot_eval_figure *figure)
{
    record_column column = {.name = figure->name,
                            .units = figure->units,
                            .long_name = figure->long_name,
                            .type = RECORD_F64,
                            .rank = figure->rank};
    memcpy(column.shape, figure->shape, sizeof column.shape);
    memcpy(column.axis, figure->axis, sizeof column.axis);
    return column;
}

/* The list of figures as the first evaluation gives it. */
static mot_status take_figures(record_table *table, size_t count, const mot_eval_figure *figure)
{
    record_column *column;
    mot_status status = mot_allocate(&column, count + 1, sizeof *column, "figures of evaluations");
    if (status != MOT_OK) return status;
    column[0] = mot_record_eval_step;
    for (size_t f = 0; f < count; ++f) column[1 + f] = column_of(&figure[f]);
    status = mot_record_table_make(table, count + 1, column);
    mot_free(column);
    return status;
}

mot_status mot_record_eval(mot_record *record, mot_gidx step, size_t count, const mot_eval_figure *figure)
{
    record_table *const table = &record->table[TABLE_EVAL];
    const void **value = NULL;
    const int64_t of = step;
    mot_status status = MOT_OK;
    if (table->columns == 0) MOT_TRY(take_figures(table, count, figure));
    assert(count + 1 == table->columns);
    MOT_TRY(mot_allocate(&value, count + 1, sizeof *value, "figures of evaluations"));
    value[0] = &of;
    for (size_t f = 0; f < count; ++f) value[1 + f] = figure[f].value;
    MOT_TRY(add_row(record, table, step, value));

done:
    mot_free(value);
    return status;
}
