/* compare_private.h: what the parts of a comparison share. */
#ifndef MOT_COMPARE_PRIVATE_H
#define MOT_COMPARE_PRIVATE_H

#include "mot/config.h"
#include "mot/sweep_study.h"
#include "mot/types.h"
#include "mot/variants.h"

enum { COMPARE_FIGURES = 16, COMPARE_PATH = 1024 };

typedef struct compare_run {
    char path[COMPARE_PATH];
    mot_config *config;            /* owned */
    uint64_t seed;
    size_t row;                    /* of the table */
    bool again;                    /* it has the seed of another of its row, and does not count */
    double value[COMPARE_FIGURES]; /* NaN: it has none */
} compare_run;

/* Runs that differ in their seeds alone. */
typedef struct compare_row {
    char label[MOT_VARIANT_NAME];
    size_t first, runs; /* number of the first of them, and how many */
} compare_row;

typedef struct comparison {
    size_t runs, run_room, rows, figures;
    compare_run *run; /* owned */
    compare_row *row; /* owned */
    const char *figure[COMPARE_FIGURES];
} comparison;

/* compare_read.c: all that the paths mean. Rows are in the order in which they come first. */
mot_status mot_compare_read(comparison *c, const mot_compare_options *options);
void mot_compare_free(comparison *c);

/* What came out of a row, in one figure. */
typedef struct compare_cell {
    size_t count; /* runs that have it */
    double median, low, high, mean, mean_low, mean_high; /* low, high: quartiles; then the mean and its interval */
    size_t pairs; /* seeds that the first row has as well */
    double difference, difference_low, difference_high; /* the mean over these, and its interval */
    double bootstrap_low, bootstrap_high;               /* of the mean, by bootstrap */
} compare_cell;

/* compare_cell.c */
mot_status mot_compare_cell(const comparison *c, size_t row, size_t figure, compare_cell *cell);
/* compare_write.c */
mot_status mot_compare_say(const comparison *c);
mot_status mot_compare_csv(const comparison *c, const char *path);
mot_status mot_compare_json(const comparison *c, const char *path);

#endif
