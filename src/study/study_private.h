/* study_private.h: what the parts of a study share. Private to src/study. */
#ifndef MOT_STUDY_PRIVATE_H
#define MOT_STUDY_PRIVATE_H

#include <stdio.h>

#include "mot/continual.h"
#include "mot/figure.h"
#include "mot/h5.h"
#include "mot/mixture.h"
#include "mot/record_read.h"
#include "mot/statistics.h"
#include "mot/study.h"

enum { STUDY_NAME = 64, STUDY_MOST_SETTINGS = 32, STUDY_SETTING = 640, STUDY_MOST_SEEDS = 64 };

/* What is read of a trial, a row an evaluation: first numbers, then tables. */
typedef enum study_column {
    STUDY_STEP,
    STUDY_TIME,   /* seconds of training up to the step: computing, exchanging, waiting */
    STUDY_FLOWED, /* sum of the rates of the steps: the time of gradient flow */
    STUDY_LOSS,
    STUDY_ACCURACY,
    STUDY_GROUP_ACCURACY,
    STUDY_PURITY,
    STUDY_NMI,
    STUDY_ENTROPY,
    STUDY_USED,
    STUDY_ROUTING_ACCURACY,
    STUDY_ROUTED_LOSS,
    STUDY_MATCHED, /* these three: of students and their teacher */
    STUDY_LEAST_W,
    STUDY_LEAST_V,
    STUDY_NUMBERS,
    STUDY_LOAD = STUDY_NUMBERS, /* [N, E] samples of a kind that an expert got */
    STUDY_ATTENTION,            /* [roles, roles], and below: the theory's alone */
    STUDY_NEURONS,              /* [E, N] */
    STUDY_GATE,                 /* [E, N] */
    STUDY_AGREEMENT,            /* [E] */
    STUDY_TEACHER_W,            /* [E, N] cosines of neurons with the teacher's, and of gates; NaN: the student has gone */
    STUDY_TEACHER_V,
    STUDY_LENGTH_W, /* [E] of neurons */
    STUDY_COLUMNS
} study_column;

/* The name of a column in the study's file, and what it is in the record. */
typedef struct study_column_about {
    const char *name;
    mot_record_item item;
} study_column_about;
extern const study_column_about mot_study_columns[STUDY_COLUMNS];

/* One trial as its record tells. */
typedef struct study_result {
    bool failed;                   /* the run could not be finished */
    size_t rows;                   /* evaluations; 0: not read, or failed */
    size_t E, N;                   /* experts in the beginning; groups (classes without), or the teacher's experts */
    double *column[STUDY_COLUMNS]; /* [rows, its shape], owned; NULL where the record has none */
    size_t stages;
    double stage_begin[16]; /* steps done when each stage began */
    double steps;           /* in all */
    mot_task_matrix tasks;  /* of a stream: what was right in each task after each; else of no tasks */
} study_result;

/* A configuration, and the seeds that it is tried with. */
typedef struct study_variant {
    char name[STUDY_NAME];                            /* in file names */
    char label[STUDY_NAME];                           /* in pictures and tables */
    const char *base;                                 /* YAML, not owned */
    char setting[STUDY_MOST_SETTINGS][STUDY_SETTING]; /* key=value over it */
    size_t settings;
    int seeds;            /* at most STUDY_MOST_SEEDS: chosen + 1 .. chosen + seeds */
    int chosen;           /* seeds 1 .. chosen are left out: settings were chosen by them */
    double cost;          /* seconds that a trial takes, roughly: only decides who does what */
    /* Writes the values that a trial begins with (init.from), where they are not drawn: the same whenever it is asked. */
    mot_status (*initial)(const struct study_variant *variant, int seed, const char *path);
    double parameter; /* of `initial`, or of the variant's claim */
    study_result *result; /* [seeds], owned; on the root, once all trials are done: that of seed chosen + 1 first */
} study_variant;

typedef struct mot_study {
    const mot_comm *comm;
    mot_study_options options;
    const char *name; /* of the file and the page */
    study_variant *variant;
    size_t variants, room;
    size_t part, parts; /* of several jobs that share the trials out: every parts-th, from `part` on; parts 0: all */
    /* the root's, while the page is written */
    FILE *page; /* into text */
    char *text;
    size_t text_size;
    hid_t file;
    int sections;
    char pictures[1024];    /* folder of the pictures */
    char picture_name[256]; /* that folder, as the page calls it */
} mot_study;

/* ---- study.c ---- */

/* Plans the variants (every rank the same; a status that is the same everywhere), trains and reads them, and tells what came
 * out (the root). Collective. */
typedef mot_status study_part(mot_study *study, void *with);
mot_status mot_study_do(const mot_comm *comm, const mot_study_options *options, const char *name,
                        study_part *plan, study_part *tell, void *with);
/* Releases everything, also a page that was begun and not finished. */
void mot_study_free(mot_study *study);

/* Names the trials that failed. */
void mot_study_say_failures(mot_study *study);

/* A claim plans its trials, which it may share with others, and later tells what came out: a section of the page, its
 * pictures, its numbers in the file. */
typedef struct study_claim {
    const char *name; /* in the file */
    void (*plan)(mot_study *study);
    mot_status (*tell)(mot_study *study);
} study_claim;

/* A study whose page goes from one claim to the next. */
typedef struct study_claims {
    const char *name, *title;        /* of the file, and of the page */
    void (*about)(mot_study *study); /* says the first words of the page */
    const study_claim *const *claim; /* [count] */
    size_t count;
} study_claims;
mot_status mot_study_do_claims(const mot_comm *comm, const mot_study_options *options, const study_claims *claims);

/* ---- trials.c ---- */

/* Adds a variant, or finds the one of that name. `settings`: "key=value; key=value", made as printf does. The returned
 * one stays where it is. Every rank adds the same. */
study_variant *mot_study_add(mot_study *study, const char *name, const char *label, const char *base, int seeds,
                             double cost, const char *settings, ...) __attribute__((format(printf, 7, 8)));

/* Does all trials that are not done. Collective. */
mot_status mot_study_train(mot_study *study);
/* How many of a variant's trials are done, or failed, before the first that is not: for pages from what is there. */
int mot_study_there(const mot_study *study, const study_variant *variant);
void mot_study_path(const mot_study *study, const study_variant *variant, int seed, char *path, size_t size);

/* ---- results.c: the root ---- */
mot_status mot_study_read(mot_study *study);
void mot_study_result_free(study_result *result);

/* ---- page.c: the root ---- */
mot_status mot_study_page_open(mot_study *study, const char *title);
mot_status mot_study_page_close(mot_study *study);
void mot_study_page_give_up(mot_study *study); /* one that was begun and not finished; none is fine */
/* Text of the page; printf. */
void mot_study_say(mot_study *study, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "## 3. TITLE". */
void mot_study_section(mot_study *study, const char *title);
/* What came out of a claim. Where trials could have decided it and did not, it is undecided. */
typedef enum study_verdict { STUDY_NOT_SO = false, STUDY_HOLDS = true, STUDY_UNDECIDED } study_verdict;
/* The end of a claim: "**Verdict: holds.** ...". */
void mot_study_verdict(mot_study *study, study_verdict verdict, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Draws a picture and puts it on the page. Without gnuplot the page says so instead. */
mot_status mot_study_draw(mot_study *study, const char *name, const char *caption, const mot_figure *figure);
/* Numbers into the file: /claims/CLAIM/NAME. */
mot_status mot_study_keep(mot_study *study, const char *claim, const char *name, int rank, const hsize_t *shape,
                          const double *values);

/* ---- curves.c: what is asked of a variant ---- */

/* A number of one evaluation; what `which` means is the function's affair. */
typedef double study_value(const study_result *result, size_t row, size_t which);
double mot_study_number(const study_result *result, size_t row, size_t column); /* column below STUDY_NUMBERS */
double mot_study_error(const study_result *result, size_t row, size_t unused);  /* one minus the accuracy */
/* Attention of queries of one role to keys of another: which = query * MOT_ROLES + key. */
double mot_study_attention(const study_result *result, size_t row, size_t which);

/* The kind that an expert mostly has at an evaluation, and how many samples it has (NULL: not wanted). */
size_t mot_study_expert_kind(const study_result *result, size_t row, size_t expert, double *samples);

/* The run with the most evaluations: one that was not failed, if there is one. */
const study_result *mot_study_longest(const study_variant *variant);

/* Median over the seeds with the quartiles, at the evaluations of the longest run: over its steps, or over the medians of
 * STUDY_TIME or STUDY_FLOWED. Owned by the caller: mot_study_curve_free. */
typedef struct study_curve {
    size_t count;
    double *x, *median, *low, *high;
} study_curve;
mot_status mot_study_curve_make(const study_variant *variant, study_value *value, size_t which, study_column over,
                                study_curve *curve);
void mot_study_curve_free(study_curve *curve);
mot_series mot_study_series(const study_curve *curve, const char *label, int color);
/* A panel of lines over `x`; all else is as if left out. */
mot_panel mot_study_lines(const char *title, const char *x, mot_axis y, const mot_series *series, size_t count);
/* Dashed marks where the stages of a trial begin, but for the first. `marks` must stay as long as the panel. */
void mot_study_mark(mot_panel *panel, const study_result *result, mot_mark marks[16]);

/* The value of every seed at its last evaluation, NaN for a failed one: values [variant->seeds]. */
void mot_study_last(const study_variant *variant, study_value *value, size_t which, double *values);
/* The least test loss; NaN for a failed trial. */
double mot_study_lowest_loss(const study_result *result);
/* Where (in `over`: STUDY_STEP, STUDY_TIME) the test loss is first at or below `bound`, linear in the logarithm between
 * two evaluations; NaN: never. */
double mot_study_reach(const study_result *result, double bound, study_column over);
/* Moves the finite values to the front and returns how many there are. */
size_t mot_study_finite(double *values, size_t count);
/* Median over the finite ones; NaN without any. */
double mot_study_median(const double *values, size_t count);
/* "0.99 (0.98 to 1.00)": median and range over the finite ones; "never" without any. */
const char *mot_study_spread(const double *values, size_t count, char text[96]);

#endif
