/* study_private.h: what the parts of a study share. Private to src/study. */
#ifndef MOT_STUDY_PRIVATE_H
#define MOT_STUDY_PRIVATE_H

#include <stdio.h>

#include "mot/figure.h"
#include "mot/h5.h"
#include "mot/statistics.h"
#include "mot/study.h"

enum { STUDY_NAME = 64, STUDY_MOST_SETTINGS = 32, STUDY_SETTING = 160, STUDY_ROLES = 4 };

/* One trial as its record tells. Rows are evaluations. */
typedef struct study_result {
    bool failed;  /* the run could not be finished */
    size_t rows;  /* m; 0: not read */
    size_t E, N;  /* experts; groups (classes without) */
    double *step; /* [m], and below, owned */
    double *time; /* [m] seconds of training up to the step: computing, exchanging, waiting */
    double *loss, *accuracy, *group_accuracy, *purity, *nmi, *entropy, *experts_used, *routing_accuracy,
        *routed_loss;
    double *load; /* [m, N, E] samples of a kind that an expert got */
    /* the theory's alone, else NULL */
    double *attention;          /* [m, 4, 4] */
    double *neurons;            /* [m, E, N] */
    double *gate;               /* [m, E, N] */
    double *cosine, *agreement; /* [m, E] */
    size_t stages;
    double stage_begin[16]; /* steps done when each stage began */
    double steps;           /* in all */
} study_result;

/* A configuration, and the seeds that it is tried with. */
typedef struct study_variant {
    char name[STUDY_NAME];                            /* in file names */
    char label[STUDY_NAME];                           /* in pictures and tables */
    const char *base;                                 /* YAML, not owned */
    char setting[STUDY_MOST_SETTINGS][STUDY_SETTING]; /* key=value over it */
    size_t settings;
    int seeds;            /* 1 .. seeds */
    double cost;          /* seconds that a trial takes, roughly: only decides who does what */
    study_result *result; /* [seeds], owned; on the root, once all trials are done */
} study_variant;

typedef struct mot_study {
    const mot_comm *comm;
    mot_study_options options;
    const char *name; /* of the file and the page */
    study_variant *variant;
    size_t variants, room;
    /* the root's, while the page is written */
    FILE *page; /* into text */
    char *text;
    size_t text_size;
    hid_t file;
    int sections;
    char pictures[1024];    /* folder of the pictures */
    char picture_name[256]; /* that folder, as the page calls it */
} mot_study;

/* ---- trials.c ---- */

/* Adds a variant, or finds the one of that name. `settings`: "key=value; key=value", made as printf does. The returned
 * number stays valid. Every rank adds the same. */
size_t study_add(mot_study *study, const char *name, const char *label, const char *base, int seeds,
                 double cost, const char *settings, ...) __attribute__((format(printf, 7, 8)));

/* Does all trials that are not done. Collective. */
mot_status study_train(mot_study *study);
void study_path(const mot_study *study, const study_variant *variant, int seed, char *path, size_t size);

/* Releases everything, also a page that was begun and not finished. */
void study_free(mot_study *study);

/* ---- results.c: the root ---- */
mot_status study_read(mot_study *study);
void study_result_free(study_result *result);

/* ---- page.c: the root ---- */
mot_status study_page_open(mot_study *study, const char *title);
mot_status study_page_close(mot_study *study);
/* Text of the page; printf. */
void study_say(mot_study *study, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "## 3. TITLE". */
void study_section(mot_study *study, const char *title);
/* Draws a picture and puts it on the page. Without gnuplot the page says so instead. */
mot_status study_draw(mot_study *study, const char *name, const char *caption, const mot_figure *figure);
/* Numbers into the file: /claims/CLAIM/NAME. */
mot_status study_keep(mot_study *study, const char *claim, const char *name, int rank, const hsize_t *shape,
                      const double *values);

/* ---- curves.c: what is asked of a variant ---- */

/* A column of a result, as study_curve and others want it. */
typedef double *study_column(const study_result *result);
double *study_loss(const study_result *result);
double *study_accuracy(const study_result *result); /* the error is one minus it */
double *study_purity(const study_result *result);
double *study_nmi(const study_result *result);
double *study_entropy(const study_result *result);
double *study_used(const study_result *result);
double *study_routed_loss(const study_result *result);
double *study_step(const study_result *result);
double *study_time(const study_result *result);

/* Median over the seeds with the quartiles, at the steps (or median seconds) of the longest run. Owned by
 * the caller: study_curve_free. */
typedef struct study_curve {
    size_t count;
    double *x, *median, *low, *high;
} study_curve;
mot_status study_curve_make(const study_variant *variant, study_column *column, bool one_minus,
                            bool over_time, study_curve *curve);
void study_curve_free(study_curve *curve);
mot_series study_series(const study_curve *curve, const char *label, int color);

/* The last value of a column of every seed, NaN for a failed one: values [variant->seeds]. */
void study_last(const study_variant *variant, study_column *column, double *values);
/* Where (in `over`: study_step, study_time) the column is first at or below `bound`, linear in the logarithm between two
 * evaluations; NaN: never. */
double study_reach(const study_result *result, study_column *column, double bound, study_column *over);
/* Moves the finite values to the front and returns how many there are. */
size_t study_finite(double *values, size_t count);
/* "0.99 (0.98 to 1.00)": median and range over the finite ones; "never" without any. */
const char *study_spread(const double *values, size_t count, char text[96]);

#endif
