/* report_private.h: what the files of a report share.
 *
 *      runs ──► report_run ──► parts (a function each) ──► views ──► JSON, CSV, pictures
 *
 * A run is read once (read_*.c); a part computes from what was read, and knows nothing of how its views are shown; those who show
 * them (write_*.c) know kinds of views and no parts. All that is made lies in one pool, and goes with it. */
#ifndef MOT_REPORT_PRIVATE_H
#define MOT_REPORT_PRIVATE_H

#include <math.h>

#include "mot/config.h"
#include "mot/continual.h"
#include "mot/record_read.h"
#include "mot/report.h"
#include "mot/types.h"

/* ---- pool.c: memory that is let go at once ---- */

typedef struct report_pool {
    void **block; /* owned */
    size_t blocks, room;
    mot_status status; /* the first text that failed */
} report_pool;
void mot_report_pool_free(report_pool *pool);
/* `count` elements of `size` bytes, zeroed, into *pointer. */
mot_status mot_report_take(report_pool *pool, void *pointer, size_t count, size_t size);
/* printf; where memory is short "", and pool->status says so. */
const char *mot_report_text(report_pool *pool, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- views ---- */

typedef enum report_kind {
    REPORT_HEAT,
    REPORT_LINES,
    REPORT_BARS,
    REPORT_SCATTER,
    REPORT_FLOW,
    REPORT_GALLERY,
    REPORT_TABLE,
    REPORT_KINDS
} report_kind;

typedef struct report_axis {
    const char *label;
    size_t count;
    const char *const *names; /* [count]: of rows, columns, groups of bars; or */
    const double *values;     /* [count]: of lines */
    double low, high;         /* both 0: as the numbers have it */
    bool log;                 /* powers of ten; what is not above 0 is not drawn. Of the y of lines */
} report_axis;

typedef struct report_series {
    const char *name;
    size_t count;            /* of a scatter; else that of the axis x */
    const double *x;         /* of a scatter */
    const double *value;     /* [count] */
    const double *low, *high; /* both or none */
    bool dashed;
} report_series;

typedef struct report_frame {
    mot_gidx step;
    const char *label;
    const double *value; /* heat: [y, x]; counts where there are modes */
} report_frame;

typedef struct report_mark {
    double x;
    const char *label;
} report_mark;

typedef struct report_cell { /* of a table: a text, or a number */
    const char *text;
    double value;
} report_cell;

typedef struct report_look { /* where the expert of an item looks: shares of its rows, in the order of tokens */
    size_t rows;              /* 0: nobody looked */
    const double *received;   /* [blocks, heads, rows], of its view's looks */
    const double *rollout;    /* [rows] */
    const char *const *piece; /* [rows - class_token]: of a text what the tokens stand for; else NULL */
} report_look;

typedef struct report_looks { /* what the looks of a gallery have in common */
    size_t blocks, heads;                /* that they have: all, or 1 for the mean of all */
    size_t all_blocks, all_heads;        /* of the expert; 0: there are no looks */
    size_t grid_rows, grid_columns;      /* patches of a picture; 0: the tokens are none */
    bool class_token;                    /* it is the first row */
    const char *between;                 /* what stands between the pieces of a text */
} report_looks;

typedef struct report_item { /* of a gallery */
    size_t of;
    const char *picture, *text, *caption; /* picture: a data URL; NULL: there is none */
    mot_gidx sample;
    report_look look;
} report_item;

typedef struct report_view {
    report_kind kind;
    const char *id, *title, *note, *csv;
    int run, layer; /* -1: of all */
    report_axis x, y;
    const char *unit;
    bool diverging, modes, diagonal;
    size_t series_count, frames, marks, rows, items;
    report_series *series; /* lines, bars, scatter */
    report_frame *frame;   /* heat; of a flow its snapshots */
    const double **flow;   /* [frames, frames]: from i to j > i, [x, x] */
    const report_mark *mark;
    report_cell *cell; /* table [rows, x.count] */
    report_item *item;
    report_looks looks; /* of a gallery */
    struct report_view *next;
} report_view;

struct report_all;
typedef struct report_part {
    const struct report_part_kind *kind;
    int number;
    const char *missing; /* what cannot be shown, and what to do; NULL: nothing */
    report_view *first, *last;
} report_part;

typedef struct report_part_kind {
    const char *id, *title, *definition, *denominator, *interval;
    mot_status (*make)(struct report_all *report, report_part *part);
} report_part_kind;
extern const report_part_kind *const mot_report_parts[]; /* parts.c */
extern const size_t mot_report_part_count;

/* ---- a run as it was read ---- */

/* What is known by a name, such as the keys of summary.json. */
typedef struct report_fact {
    const char *key, *text; /* text NULL: a number */
    double value;
} report_fact;

/* What the evaluation set went to, at one evaluation, in one layer. */
typedef struct report_routes {
    mot_gidx step;
    size_t samples, room;
    uint16_t *expert; /* [samples, REPORT_CHOICES]: owned; REPORT_NOBODY: not said */
} report_routes;
enum { REPORT_CHOICES = 8, REPORT_NOBODY = 0xffff }; /* choices that are held of a sample */

/* Numbers of steps, folded into bins of as many steps. */
enum { REPORT_BINS = 400, REPORT_WINDOWS = 8, REPORT_IDLE = 100 };
typedef struct report_fold {
    double sum, low, high;
    size_t steps;
} report_fold;
typedef enum report_load_name { REPORT_MAX_OVER_MEAN, REPORT_EFFECTIVE, REPORT_DEAD, REPORT_LOADS } report_load_name;
typedef enum report_step_name {
    REPORT_LOSS,
    REPORT_COMPUTE,
    REPORT_EXCHANGE,
    REPORT_WAIT,
    REPORT_STEP_NAMES
} report_step_name;

/* Seconds of ranks between two reports, folded into bins of as many reports. */
typedef enum report_rank_name {
    REPORT_RANK_COMPUTE,
    REPORT_RANK_EXCHANGE,
    REPORT_RANK_WAIT,
    REPORT_RANK_OTHER, /* between steps */
    REPORT_RANK_NAMES
} report_rank_name;
typedef struct report_ranks {
    size_t ranks, rows, bins, row; /* of the largest job; reports; the one that is read next */
    mot_gidx first;                /* step */
    double *step;                  /* [bins]: the last of each */
    double *seconds[REPORT_RANK_NAMES], *there; /* [bins, ranks]; there: steps that had such a rank */
    double *steps;                              /* [bins]: as all that follows */
    double *mean, *slowest, *kept; /* seconds of computation: mean over ranks; of the slowest of each step; of the one that had most
                                      over the steps of a report */
    double *whole;                    /* seconds in steps, mean over ranks */
} report_ranks;
/* Figures of evaluations that parts look at, a row an evaluation. */
typedef enum report_figure_name {
    REPORT_EVAL_STEP,
    REPORT_EVAL_LOSS,
    REPORT_TEACHER_W, /* [E, m], and the next: students and their teacher */
    REPORT_TEACHER_V,
    REPORT_MATCHED,
    REPORT_NEURONS, /* [E, N], and below: the theory's experts on its mixture */
    REPORT_GATE,
    REPORT_ATTENTION, /* [roles, roles] */
    REPORT_AGREEMENT, /* [E] */
    REPORT_ROUTED,
    REPORT_FIGURES
} report_figure_name;

/* Counts of the choices of training, of a window of steps. */
typedef struct report_window {
    mot_gidx first, last;
    double *class_load, *group_load; /* [C, E], [G, E]: first choices */
    double *expert_load;             /* [E] */
} report_window;

typedef struct report_layer {
    int experts, choices; /* in the beginning; choices 0: no assignment is recorded */
    const char *const *names; /* [experts] */
    mot_record_values snapshot, class_load, group_load; /* of each evaluation; owned */
    report_fold *load[REPORT_LOADS];                    /* [bins] */
    double *bin_load;                                   /* [bins, E] */
    mot_gidx *seen;                                     /* [E]: when an expert had a sample last */
    report_window window[REPORT_WINDOWS];
    double *pair;  /* [E, E]: evaluations' last assignments with both among their choices; the diagonal: one */
    report_routes *routes; /* in the order of steps */
    size_t routes_count, routes_room;
    size_t last_samples; /* of the last evaluation: room of what follows */
    float *prob, *loss;  /* [last_samples], owned: of the first choice */
    int32_t *label, *group, *predicted;
} report_layer;

typedef struct report_run {
    const char *folder, *name;
    size_t facts;
    report_fact *fact;
    mot_config *config; /* owned; NULL: it has none that is readable */
    int layers, classes, groups;
    const char *const *class_names, *const *group_names; /* [classes], [groups] */
    report_layer *layer;                                 /* [layers] */
    mot_gidx first, last;                                /* steps of the record; last 0: there are none */
    size_t bins;
    double *bin_step;                                    /* [bins]: the last of each */
    report_fold *step[REPORT_STEP_NAMES];                /* [bins] */
    report_ranks ranks;                                  /* rows 0: not recorded */
    mot_record_values figure[REPORT_FIGURES];            /* of each evaluation; owned */
    mot_task_matrix tasks;                               /* of a stream; owned */
    size_t marks;
    report_mark *mark;   /* beginnings of stages behind the first */
    const char *analysis;    /* the newest file that mot eval route.all=record made, or NULL; */
    mot_gidx analysis_step;  /* of its checkpoint */
    const char *spread;  /* why no sample has experts of its own, or NULL */
    const char *checksum, *run_id;
    size_t variant;
    bool again; /* one before it has the seed too: it is left out of what is said over seeds */
} report_run;

/* Runs that differ in their seeds alone; one whose configuration cannot be read stands alone. */
typedef struct report_variant {
    const char *name; /* the keys in which variants differ; of one alone, or with many keys, its first run */
    size_t seeds;
} report_variant;

typedef struct report_all {
    report_pool pool;
    size_t runs;
    report_run *run;
    size_t variants;
    report_variant *variant; /* in the order in which they come first */
    size_t parts;
    report_part *part;
    size_t warnings;
    const char **warning;
    size_t warning_room;
} report_all;

/* ---- report_view.c: making views ---- */

/* A view at the end of a part, of a run and a layer (-1: of all). */
mot_status mot_report_view(report_all *report, report_part *part, report_kind kind, const char *id, const char *title,
                           int run, int layer, report_view **view);
/* Room for series over an axis of `count` places: each with its own values, and bounds where they are wanted. */
mot_status mot_report_series(report_all *report, report_view *view, size_t series, size_t count, bool bounds);
static inline double *mot_report_values(const report_view *view, size_t series)
{
    return (double *)view->series[series].value;
}
static inline double *mot_report_low(const report_view *view, size_t series)
{
    return (double *)view->series[series].low;
}
static inline double *mot_report_high(const report_view *view, size_t series)
{
    return (double *)view->series[series].high;
}
/* Lines over the bins of a run's steps, with the beginnings of its stages: all but the lines. */
void mot_report_over_steps(const report_run *run, const char *label, report_view *view);
/* NaN: there was no step. */
static inline double mot_report_fold_mean(const report_fold *fold)
{
    return fold->steps > 0 ? fold->sum / (double)fold->steps : NAN;
}
/* Frames of `count` numbers each. */
mot_status mot_report_frames(report_all *report, report_view *view, size_t frames, size_t count);
/* Of a heat map too large for a page only the rows with the largest weight [y] stay, in their order, which its note says. */
mot_status mot_report_cut_rows(report_all *report, report_view *view, const double *weight);
/* Names "0", "1", ... */
mot_status mot_report_numbers(report_all *report, size_t count, const char *const **names);
/* How many frames of `numbers` numbers a view may have in every layer of every run, so that a page stays small;
 * at least two. */
size_t mot_report_frame_room(const report_all *report, size_t numbers);
/* At most `most` of `count` places, spread evenly, the first and the last among them: pick [most]. Returns how many. */
size_t mot_report_pick(size_t count, size_t most, size_t *pick);
/* A sentence of what a part cannot show of a run. */
void mot_report_lacks(report_all *report, report_part *part, const report_run *run, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
mot_status mot_report_warn(report_all *report, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "`mot train ...` trains it again": the command that makes what evaluations did not record; `settings` end in a blank, or are "". */
const char *mot_report_again(report_all *report, const report_run *run, const char *settings);
/* Why a run has no tables of classes and groups by expert, and what to do. */
const char *mot_report_no_classes(report_all *report, const report_run *run);
/* Why a run has no loads of steps, or NULL. */
const char *mot_report_no_loads(report_all *report, const report_run *run);
/* "The record has no assignments of evaluations, ...": the first reason why a run has no routes of evaluations, or NULL. */
const char *mot_report_no_routes(report_all *report, const report_run *run);

/* Calls `make` with every layer of every run, but where all samples see all experts; says of a run of which nothing came what `why`
 * says of it, unless something was said. */
typedef const char *report_obstacle(report_all *report, const report_run *run); /* NULL: there is none */
typedef mot_status report_layer_part(report_all *report, report_part *part, int run, int layer);
mot_status mot_report_each_layer(report_all *report, report_part *part, report_obstacle *why, report_layer_part *make);

/* ---- seeds.c: what several runs that differ in their seeds alone have in common ---- */

mot_status mot_report_find_variants(report_all *report);
/* At the end of a part a view over seeds of each of its views of lines that is called so: of every variant with several seeds the mean
 * of each line that is not dashed, and its interval by bootstrap (mot_bootstrap_mean). */
mot_status mot_report_over_seeds(report_all *report, report_part *part, const char *id);

/* ---- statistics.c ---- */

/* The interval of Wilson (1927) at 95 % of a share of `hits` among `all`; not numbers where all is 0. */
void mot_report_wilson(double hits, double all, double *low, double *high);
/* A mean of `count` numbers of that sum and sum of squares, and its interval at 95 % by the normal distribution. */
void mot_report_mean(double sum, double squares, double count, double *mean, double *low, double *high);
/* Ranks from 1 on of value[count], those of equal numbers their mean. */
mot_status mot_report_ranks(size_t count, const double *value, double *rank);
/* Spearman's rank correlation; NaN where either is constant. */
mot_status mot_report_spearman(size_t count, const double *a, const double *b, double *correlation);

/* ---- controls.c: what other gates would have done with the same samples; tables [rows, columns] of counts ---- */

/* The same rows and columns, dealt to each other by lot. */
mot_status mot_report_shuffle(int rows, int columns, const int64_t *count, int64_t *shuffled);
/* Each sample of a row goes to a column by lot. */
void mot_report_draw_lots(int rows, int columns, const int64_t *count, int64_t *drawn);
/* The same groups, dealt to the classes that have them by a lot of that number. */
void mot_report_regroup(size_t count, int32_t *group, uint32_t lot);
/* Whole rows go to columns, the largest first, each to the one with fewest samples: a gate that is told. */
mot_status mot_report_tell(int rows, int columns, const int64_t *count, int64_t *told);

/* A point of F numbers each sample: all of them, or those that are not 0. */
typedef struct report_points {
    size_t samples, F;
    float *value;    /* [samples, F]; or those of sample i from start[i] to start[i + 1] */
    size_t *start;   /* [samples + 1]; NULL: all numbers are there */
    int32_t *column; /* [start[samples]]: which of the F, each once a sample */
} report_points;
void mot_report_points_free(report_points *points);
/* The cluster of each point among k, by k-means; `work` bounds the multiplications. */
mot_status mot_report_kmeans(const report_points *points, size_t k, double work, int32_t *cluster);

/* ---- read_*.c ---- */

mot_status mot_report_read_run(report_all *report, const char *folder, report_run *run);
mot_status mot_report_read_facts(report_all *report, report_run *run);
mot_status mot_report_read_record(report_all *report, report_run *run);
/* Adds the figures of a segment's evaluations. */
mot_status mot_report_read_figures(report_run *run, hid_t segment);
/* Whether every evaluation has a figure; its row [width] at an evaluation. */
bool mot_report_has(const report_run *run, report_figure_name figure);
const double *mot_report_row(const report_run *run, report_figure_name figure, size_t row);
void mot_report_run_free(report_run *run);
const report_fact *mot_report_fact(const report_run *run, const char *key);

/* What every expert would have done with every sample (mot/analysis.h), read a column at a time, since they are large. */
typedef struct report_analysis {
    hid_t file;
    const report_run *run;
    size_t samples;
    int32_t *label, *group, *predicted; /* [samples], owned */
    int64_t *sample;
    float *loss;
    int8_t *hit; /* -1: nothing is right or wrong */
    double hits, accuracy, mean_loss;
} report_analysis;
mot_status mot_report_analysis_open(report_analysis *analysis, const report_run *run);
void mot_report_analysis_close(report_analysis *analysis);

/* A layer of it. Experts are those that were left, by their places; names are those of the beginning. */
typedef struct report_experts {
    size_t E, K;
    const char *const *names; /* [E] */
    int32_t *first;           /* [samples], owned: the place of the first choice */
} report_experts;
mot_status mot_report_analysis_layer(report_all *report, const report_analysis *analysis, int layer, report_experts *experts);
void mot_report_experts_free(report_experts *experts);
/* Rows of a column of a layer, [samples, *width]; *rows NULL: there is none; mot_free. */
mot_status mot_report_analysis_rows(const report_analysis *analysis, int layer, const char *name, hid_t type, size_t bytes,
                                    size_t *width, void *rows);
/* What the gate of a layer saw, where the analysis has it; else points->value is NULL and *why says why (mot_free; NULL: nobody knows).
 * The words of a text are one number for each word that occurs in any of them: how often, or its share where the gate takes the mean. */
mot_status mot_report_analysis_seen(const report_analysis *analysis, int layer, report_points *points, char **why);
/* What a part that needs an analysis says where there is none. */
const char *mot_report_no_analysis(report_all *report, const report_run *run);
/* Calls `make` with every layer of every run that has an analysis; says of others that they have none. */
typedef mot_status report_layer_maker(report_all *report, report_part *part, int run, int layer, const report_analysis *analysis,
                                      const report_experts *experts);
mot_status mot_report_each_analysis(report_all *report, report_part *part, report_layer_maker *make);

/* ---- write_*.c ---- */

mot_status mot_report_json(const report_all *report, char **text);
/* The numbers of a view, with the columns that the page's own CSV has; and of a gallery that has looks, those; free(*text). */
mot_status mot_report_csv(const report_view *view, char **text, size_t *length);
mot_status mot_report_csv_of_looks(const report_view *view, char **text, size_t *length);
/* Every view as CSV, and as SVG and PDF what can be drawn, where gnuplot is there, in a folder. */
mot_status mot_report_figures(const report_all *report, const char *folder);
mot_status mot_report_page(const char *json, char **text, size_t *length);

#endif
