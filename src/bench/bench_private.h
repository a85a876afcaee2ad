/* bench_private.h: what measuring, showing and comparing share. Included by src/bench alone. */
#ifndef MOT_BENCH_PRIVATE_H
#define MOT_BENCH_PRIVATE_H

#include "mot/bench.h"
#include "mot/run.h"

enum { BENCH_WARM_UP = 3 };

/* What one rank measured in one repeat. Plain data: it is gathered as doubles. */
typedef struct bench_sample {
    double step_s;              /* a step, from the first to the last */
    double phase_s[MOT_PHASES]; /* a step's */
    double flops[MOT_PHASES];   /* a step's */
    double bytes[MOT_PHASES];   /* a step's */
    double limit_s[MOT_PHASES]; /* what a step's phase has to take; 0: it has no limit of its own */
    double product_flops_per_s; /* the expert's products alone */
    double typical_flops_per_s; /* of them the one that most operations are in */
    double triad_bytes_per_s;   /* far beyond the caches */
    double copy_bytes_per_s;    /* likewise */
} bench_sample;

/* All of it, on the root. */
typedef struct bench_result {
    int ranks, repeats, steps;
    size_t batch, scores; /* of a step: samples; those times the experts that are chosen from, over all layers */
    const bench_sample *sample; /* [ranks][repeats] */
    const mot_step_work *work; /* of the step, not owned */
} bench_result;

/* A list of numbers, one a repeat, and what it comes to. */
typedef struct bench_figure {
    double median, low, high; /* low and high: quartiles */
} bench_figure;

/* bench_limits.c: the machine alone. All collective in that every rank must call alike: they measure at the same
 * time. */
typedef struct bench_limits bench_limits;
mot_status mot_bench_limits_create(bench_limits **limits, const mot_comm *comm, mot_model *model);
void mot_bench_limits_destroy(bench_limits **limits);
/* Fills the rates and limits of a repeat whose phases are measured. */
mot_status mot_bench_limits_measure(bench_limits *limits, const mot_step *step, bench_sample *sample);

/* bench_figure.c: medians and quartiles, and the figures that are shown, written and compared. */
bench_figure mot_bench_figure_of(int count, const double *value);
/* One number of a repeat: the mean over ranks (or, of samples a second, of the job). */
typedef enum bench_kind {
    BENCH_SAMPLES_PER_S,
    BENCH_STEP_S,
    BENCH_PRODUCT_FLOPS_PER_S,
    BENCH_TYPICAL_FLOPS_PER_S,
    BENCH_TRIAD_BYTES_PER_S,
    BENCH_COPY_BYTES_PER_S,
    BENCH_PHASE_S,                                    /* + phase */
    BENCH_PHASE_REACHED = BENCH_PHASE_S + MOT_PHASES, /* limit over time; + phase */
    BENCH_KINDS = BENCH_PHASE_REACHED + MOT_PHASES
} bench_kind;
/* The key of a figure in the file: "samples_per_s", "phase.load_s", ... */
void mot_bench_key(int kind, char key[64]);
/* value[repeat], for all ranks, or of one (rank >= 0). */
void mot_bench_values(const bench_result *result, int kind, int rank, double *value);

/* bench_table.c: what is printed. Root. */
void mot_bench_say(const mot_placement *placement, const bench_result *result);

/* bench_file.c: the file of --json, one flat object, and comparing with a former one. Root. */
typedef struct bench_file {
    char *text; /* owned */
    size_t length;
} bench_file;
/* What must be equal for two files to be compared: the configuration without what does not change a step, and what a
 * sample is; mot_free(*text). */
mot_status mot_bench_describe(const mot_model *model, char **text);
mot_status mot_bench_write(const char *path, const bench_result *result, const char *description);
mot_status mot_bench_read(bench_file *file, const char *path, const char *description, int ranks);
void mot_bench_compare(const bench_file *before, const char *path, const bench_result *result);

#endif
