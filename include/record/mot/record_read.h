/* record_read.h: what a run's record says, by what it is and not by where it stands in a file.
 *
 * Segments are read one by one, in the order of steps: what a step or an evaluation has is a row of numbers, and the rows of
 * all segments together are a table. */
#ifndef MOT_RECORD_READ_H
#define MOT_RECORD_READ_H

#include "mot/h5.h"
#include "mot/record.h"

typedef enum mot_record_kind {
    MOT_RECORD_STEPS,      /* NAME of every step: loss, stage, time_compute, ... */
    MOT_RECORD_FIGURES,    /* NAME of every evaluation: step, loss, confusion, ... */
    MOT_RECORD_RANKS,      /* NAME of every report: step, steps, interval, slowest; compute, exchange, wait [R] */
    MOT_RECORD_CHOICES,    /* NAME of every assignment: step, sample, expert, ... */
    MOT_RECORD_LOAD,       /* of every step, [E]: samples of an expert, in a layer */
    MOT_RECORD_CLASS_LOAD, /* of every evaluation, [C, E] */
    MOT_RECORD_GROUP_LOAD  /* of every evaluation, [G, E] */
} mot_record_kind;

typedef struct mot_record_item {
    mot_record_kind kind;
    const char *name; /* of the first four */
    int layer;        /* of the others, and of choices; the first is 0 */
} mot_record_item;

/* Rows of numbers, integers among them as doubles. A row has `rank` extents, of which `shape` has as many as fit. */
typedef struct mot_record_values {
    double *value; /* [rows, width], owned: mot_record_values_free */
    size_t rows, width;
    int rank;
    size_t shape[MOT_FIGURE_RANK];
} mot_record_values;
void mot_record_values_free(mot_record_values *values);

/* The first and the last step of a segment, as it says itself. Not for a damaged one. */
mot_status mot_record_span(const char *path, mot_gidx *first, mot_gidx *last);
/* Layers of experts that an open segment knows of; at least 1. */
int mot_record_layers(hid_t segment);
bool mot_record_has(hid_t segment, const mot_record_item *item);
/* Where some of the `begun` experts of the run have gone before a segment: *origin, the numbers in the beginning of its own
 * (attribute `experts` says how many); mot_free. NULL: none has gone. */
mot_status mot_record_left(hid_t segment, int *begun, int **origin);

/* Adds the rows that a segment has, all or the last alone; a segment without the item adds none. MOT_ERR_INPUT: rows of another
 * width than those before, or more than 2^26 numbers. Of a failure nothing is added. */
mot_status mot_record_take(hid_t segment, const mot_record_item *item, bool last, mot_record_values *values);
/* The same of all segments of a run's record, for each of `count` items, and along axes of experts with a place for each that
 * the run began with: those that have gone have no samples, and figures that are no numbers. values [count], zeroed by the caller and freed by it,
 * whatever comes back. */
mot_status mot_record_read(const char *run, size_t count, const mot_record_item *item, mot_record_values *values);
/* The same of one segment, and the next. */
mot_status mot_record_add(hid_t segment, size_t count, const mot_record_item *item, mot_record_values *values);

/* Calls `take` with each segment of a run's record, open, in the order of steps, until one fails; none where there is no record. */
typedef mot_status mot_record_taker(void *with, hid_t segment);
mot_status mot_record_each(const char *run, mot_record_taker *take, void *with);

/* Assignments as they stand: what a segment does not say is -1, or not a number. */
typedef struct mot_record_choices {
    size_t rows;
    const int64_t *step, *sample;
    const int32_t *split, *label, *group, *choice, *expert, *predicted;
    const float *prob, *loss;
} mot_record_choices;
/* Calls `take` with those of a segment's layer block by block, so that memory holds few of them. */
typedef mot_status mot_record_choices_taker(void *with, const mot_record_choices *choices);
mot_status mot_record_each_choice(hid_t segment, int layer, mot_record_choices_taker *take, void *with);

#endif
