/* record_private.h: the record while it collects. Private to this folder, as is where in a file each number stands.
 *
 * What has collected lies in tables, which files have as groups of columns. A row belongs to a step, which its first
 * column says, and rows come in the order of steps:
 *
 *      table          group      a row a                     rows are numbered by
 *      TABLE_STEPS    steps      step                        its steps
 *      TABLE_EVAL     eval       evaluation                  its steps
 *      TABLE_RANKS    ranks      report                      its steps
 *      TABLE_ASSIGN   assign     (sample, chosen expert)     "row": 0, 1, 2, ...
 *      table_loads(l) layerL     step                        its steps
 *      table_snapshots(l)        evaluation                  its steps
 *
 * Rows are written as a segment, by mot_record_flush or because there is no more room:
 *
 *      |  segment 0  |  segment 1  |  open segment: in memory, and as of the last flush in its file  |
 *
 * A segment below MOT_SEGMENT_BYTES stays open: the next flush writes it anew, with what has come since. So a run with a
 * checkpoint a step has few files, and a flush costs the same however long the run is. */
#ifndef MOT_RECORD_PRIVATE_H
#define MOT_RECORD_PRIVATE_H

#include <limits.h>

#include "events.h"
#include "mot/continual.h"
#include "mot/h5.h"
#include "mot/record.h"

#define MOT_RECORD_FORMAT "mot-record"
enum { MOT_RECORD_VERSION = 1, MOT_RECORD_PATH = PATH_MAX, MOT_SEGMENT_NAME = 80 };

/* Rows in memory: never more than the first, but for a row that is larger by itself, which is written from where it is. */
#define MOT_RECORD_ROOM   ((size_t)16 << 20)
#define MOT_SEGMENT_BYTES ((size_t)32 << 10)

/* ---- table.c: what there is, and what it is called ---- */

typedef enum record_type { RECORD_I8, RECORD_I32, RECORD_I64, RECORD_F32, RECORD_F64 } record_type;
size_t mot_record_type_bytes(record_type type);
hid_t mot_record_type_h5(record_type type);

typedef struct record_column {
    const char *name, *units, *long_name;
    record_type type;
    int rank; /* of a row's numbers, and below: their extents, and the names of the axes */
    size_t shape[MOT_FIGURE_RANK];
    const char *axis[MOT_FIGURE_RANK];
    void *data;        /* [rows, shape], owned */
    size_t capacity;   /* numbers */
    const void *given; /* in place of data: a row that is written from where it is */
} record_column;
size_t mot_record_column_numbers(const record_column *column); /* of a row */

enum { MOT_RECORD_GROUP = 24 };
/* The scale of a layer's experts: "expert", "expert_layer1", ... */
const char *mot_record_expert_axis(int layer);
/* "layer0" of a layer of experts. */
void mot_record_layer_group(char group[MOT_RECORD_GROUP], int layer);
/* "assign" of the first layer, "layer1_assign" of the next, ... */
void mot_record_assign_group(char group[MOT_RECORD_GROUP], int layer);

typedef struct record_table {
    char group[MOT_RECORD_GROUP];
    const char *axis;      /* of the rows: the first column, or a numbering of that name */
    record_column *column; /* [columns], owned; the first has the steps, in 64 bits */
    size_t columns;        /* 0: nobody has said yet which */
    size_t rows, row_bytes;
} record_table;

enum { TABLE_STEPS, TABLE_EVAL, TABLE_RANKS, TABLE_ASSIGN, TABLE_LAYERS };
enum { LAYER_LOADS, LAYER_SNAPSHOTS, LAYER_ASSIGN, LAYER_TABLES, MOT_RECORD_LAYERS = 16 }; /* of a layer; the first's assignments are TABLE_ASSIGN */
static inline size_t record_layer_table(int layer, int table)
{
    return TABLE_LAYERS + LAYER_TABLES * (size_t)layer + (size_t)table;
}
extern const record_column mot_record_eval_step;
enum { STEPS_ACCURACY = 3 }; /* left out where there are no classes */
enum { LOADS_LOAD = 1, LOADS_IMPORTANCE, LOADS_CONFIDENCE, LOADS_MARGIN, LOADS_ENTROPY };
enum {
    ASSIGN_STEP,
    ASSIGN_SPLIT,
    ASSIGN_SAMPLE,
    ASSIGN_LABEL,
    ASSIGN_GROUP,
    ASSIGN_CHOICE,
    ASSIGN_EXPERT,
    ASSIGN_PROB,
    ASSIGN_PREDICTED,
    ASSIGN_LOSS
};

/* The shapes that tables have, and what a file says of where it comes from. */
typedef struct record_source {
    int experts, choices, classes, groups, layers, ranks;
    int layer_experts[MOT_RECORD_LAYERS], layer_choices[MOT_RECORD_LAYERS]; /* of those behind the first */
    int begun;   /* experts in the beginning */
    int *origin; /* [experts]: the numbers that they had then; owned; NULL: none has gone */
    uint64_t seed;
    char *dataset_checksum, *run_id;   /* owned */
    char **class_names, **group_names; /* one allocation each; NULL: none */
} record_source;
/* Copied. On failure what has been made is released by mot_record_source_free. */
mot_status mot_record_take_source(record_source *source, const mot_record_about *about);
void mot_record_source_free(record_source *source);
/* names [count] or NULL; pointers and characters in one allocation. */
mot_status mot_record_names_copy(char ***copy, char *const *names, int count);
/* Who is left of those that there were in the beginning: origin [experts], copied. */
mot_status mot_record_take_experts(record_source *source, int experts, int choices, const int *origin);

static inline size_t record_table_count(int layers)
{
    return TABLE_LAYERS + LAYER_TABLES * (size_t)layers;
}

/* tables [record_table_count(layers)]; all but that of evaluations get their columns. */
mot_status mot_record_tables_make(record_table *tables, const record_source *source);
void mot_record_tables_free(record_table *tables, size_t count);
/* The columns of a table that has none, copied. */
mot_status mot_record_table_make(record_table *table, size_t columns, const record_column *column);

/* "steps/loss" of a table's column. */
mot_status mot_record_path(char path[MOT_RECORD_PATH], const record_table *table, const char *column);

/* The path of an open file, for sentences. */
const char *mot_record_file_name(hid_t file, char path[MOT_RECORD_PATH]);

/* ---- segment.c: the files in RUN/record ---- */

/* Segments that begin with the same step, as where a row is a segment by itself, are numbered. */
typedef struct record_segment {
    mot_gidx first, last; /* steps; last -1: of a file that is open, and not known */
    int number;
    bool open; /* its file is called so: it may be written again with another last step */
} record_segment;

/* "00000001-00000400.h5", "00000401-open.h5", "00000400-00000400_1.h5". */
void mot_record_segment_name(char name[MOT_SEGMENT_NAME], const record_segment *segment);
mot_status mot_record_segment_path(char path[MOT_RECORD_PATH], const char *run, const record_segment *segment);

/* Those of RUN/record in the order of steps; mot_free(*segments). A folder that is not there has none. */
mot_status mot_record_segments_list(const char *run, record_segment **segments, size_t *count);

/* An open segment is not written again: its file gets the name that says its last step. */
mot_status mot_record_segment_settle(const char *run, record_segment *segment);
mot_status mot_record_segments_add(mot_record *record, const record_segment *segment);

/* ---- record_segment.c: one file ---- */

/* Writes all rows of the tables [record_table_count(source->layers)]. There are some. */
mot_status mot_record_segment_write(const char *path, const record_source *source, const record_table *tables,
                                    mot_gidx first, mot_gidx last);

/* What every file of the record says of itself. */
mot_status mot_record_provenance(hid_t file, const record_source *source, const char *format);
/* What a dataset is. And the values of an axis: value [count]; NULL: it has none of its own, 0, 1, 2, ... */
mot_status mot_record_describe(hid_t file, const char *path, const char *units, const char *long_name);
mot_status mot_record_write_scale(hid_t file, const char *name, size_t count, const int *value, const char *long_name);
/* The scales class and group, with their names. */
mot_status mot_record_kinds(hid_t file, const record_source *source);

/* ---- segment_cut.c: a run goes on ---- */

/* The record after `step`: what was written of later steps goes, and open segments get their names. */
mot_status mot_record_segments_cut(mot_record *record, mot_gidx step);

/* ---- the record ---- */

struct mot_record {
    char *folder, *config_text;
    record_source source;
    int log; /* descriptor of log.jsonl, appending */
    record_events *events; /* the same for TensorBoard; NULL: not wanted */

    record_table *table; /* [record_table_count(layers)] */
    size_t bytes;        /* of the rows */
    bool dirty;          /* they are more than the open segment's file has */

    record_segment *segment; /* of the run, in their order; owned */
    size_t segments, room;
    bool begun;   /* the last of them is open, and its rows are those in memory */
    bool written; /* it has a file */

    mot_task_matrix by_task; /* as run.h5 has it; of no tasks: there is none */

    bool unlinked;                  /* run.h5 does not name all that there is */
    double linked_s, linked_work_s; /* when it was written, by the clock and by this thread's work */
    double link_work_s;             /* that it took */
};

/* record.c: writes what has collected; what follows is another segment. */
mot_status mot_record_close_segment(mot_record *record);
/* Room for that many rows more, which are fewer than the record has room for; and that they are there, of that step. */
mot_status mot_record_make_room(mot_record *record, record_table *table, size_t rows);
mot_status mot_record_count_rows(mot_record *record, record_table *table, mot_gidx step, size_t rows);

/* Cuts RUN/log.jsonl after `step`, and opens it. */
mot_status mot_log_open(mot_record *record, mot_gidx step);

#endif
