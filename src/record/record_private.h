/* record_private.h: the record while it collects. Private to this folder.
 *
 * What has collected lies in columns, one growing array each; columns of one table have the same number of
 * rows. */
#ifndef MOT_RECORD_PRIVATE_H
#define MOT_RECORD_PRIVATE_H

#include <limits.h>

#include "mot/h5.h"
#include "mot/record.h"

#define MOT_RECORD_FORMAT "mot-record"
#define MOT_RUN_FORMAT    "mot-run"
enum { MOT_RECORD_VERSION = 1, MOT_RECORD_PATH = PATH_MAX };

typedef enum mot_column_type {
    MOT_COLUMN_I8,
    MOT_COLUMN_I32,
    MOT_COLUMN_I64,
    MOT_COLUMN_F32,
    MOT_COLUMN_F64
} mot_column_type;

typedef struct mot_column {
    const char *name, *units, *long_name;
    mot_column_type type;
    void *data;      /* owned */
    size_t capacity; /* numbers */
} mot_column;

enum {
    STEP_STEP,
    STEP_STAGE,
    STEP_LOSS,
    STEP_ACCURACY,
    STEP_RATE,
    STEP_SAMPLES,
    STEP_COMPUTE,
    STEP_EXCHANGE,
    STEP_WAIT,
    STEP_COLUMNS
};
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
    ASSIGN_LOSS,
    ASSIGN_COLUMNS
};
enum { LAYER_LOAD, LAYER_IMPORTANCE, LAYER_SNAPSHOT_STEP, LAYER_CLASS_LOAD, LAYER_GROUP_LOAD, LAYER_COLUMNS };

/* A figure of evaluations, as it was given, and what has collected. */
typedef struct record_figure {
    mot_eval_figure about;
    size_t numbers; /* of one evaluation */
    mot_column column;
} record_figure;

struct mot_record {
    char *folder, *config_text, *dataset_checksum, *run_id;
    char **class_names, **group_names; /* one allocation each; NULL: none */
    int experts, choices, classes, groups;
    uint64_t seed;
    int log; /* descriptor of log.jsonl, appending */

    size_t steps, snapshots, evaluations, assigned; /* rows that have collected */
    mot_gidx first, last;                           /* steps that they belong to */
    mot_gidx flushed;                               /* last step of the newest segment; -1: none */
    mot_column step[STEP_COLUMNS];                  /* [steps] */
    mot_column layer[LAYER_COLUMNS];   /* [steps, E] twice, [snapshots], [snapshots, classes or groups, E] */
    mot_column assign[ASSIGN_COLUMNS]; /* [assigned] */
    mot_column eval_step;              /* [evaluations] */
    record_figure *figure;             /* [figures], each [evaluations, its shape]; owned */
    size_t figures;
};

hid_t mot_column_h5(mot_column_type type);
size_t mot_column_size(mot_column_type type);

/* "00000001-00000400.h5" and back: true when the name is one of ours. */
void mot_segment_name(char *name, size_t size, mot_gidx first, mot_gidx last);
bool mot_segment_parse(const char *name, mot_gidx *first, mot_gidx *last);

/* Writes what has collected as record/FIRST-LAST.h5. Something has. */
mot_status mot_segment_write(const mot_record *record);

/* What every file of the record says of itself. */
mot_status mot_record_provenance(hid_t file, const mot_record *record, const char *format);
/* The scales class and group, with their names. */
mot_status mot_record_kinds(hid_t file, const mot_record *record);

/* Cuts RUN/log.jsonl after `step`, and opens it. */
mot_status mot_log_open(mot_record *record, mot_gidx step);

#endif
