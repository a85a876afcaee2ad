/* run_reporter.h: what a run finds and says. */
#ifndef MOT_RUN_REPORTER_H
#define MOT_RUN_REPORTER_H

#include <math.h>
#include <stdio.h>

#include "mot/clock.h"
#include "mot/continual.h"
#include "mot/expert_speed.h"
#include "mot/record.h"
#include "run_routing.h"
#include "run_world.h"

/* The numbers of an evaluation; run_figures.c says what each is. */
typedef enum run_number {
    RUN_LOSS,
    RUN_EXPLAINED,
    RUN_ACCURACY,
    RUN_GROUP_ACCURACY,
    RUN_MACRO_F1,
    RUN_MAJORITY,
    RUN_PURITY,
    RUN_NMI,
    RUN_CLASS_PURITY,
    RUN_CLASS_NMI,
    RUN_GROUP_PURITY,
    RUN_GROUP_NMI,
    RUN_ENTROPY,
    RUN_EXPERTS_USED,
    RUN_EXPERTS_EFFECTIVE,
    RUN_CHANGED,
    RUN_ROUTED_LOSS,
    RUN_ROUTING_ACCURACY,
    RUN_SIGNAL_ATTENTION,
    RUN_NUMBERS
} run_number;

/* Of a layer: where first choices went; of the first one the run has that itself. */
typedef struct run_layer_eval {
    int64_t *load, *class_load, *group_load; /* [E], [classes, E], [groups, E] */
    run_routing routing;
} run_layer_eval;

/* What an evaluation found. Loss and accuracy are the same on every rank; all else is the root's. */
typedef struct run_eval {
    mot_gidx step; /* steps done; -1: there was none */
    mot_gidx samples;
    int experts;                /* E, those at work in it; their numbers in the beginning [E] */
    int *origin;
    int seen; /* experts that have each sample: the first choice, or all of them */
    double number[RUN_NUMBERS]; /* NaN: there is no such thing */
    int64_t *load;              /* [E] first choices */
    int64_t *class_load;        /* [classes, E] */
    int64_t *group_load;        /* [groups, E]; NULL without groups */
    double *confusion;          /* [classes, classes] by label and predicted label; NULL: too many classes, or none */
    int64_t *hits, *predicted;  /* [classes] */
    int64_t *group_hits;        /* [groups]; NULL without groups */
    int64_t *expert_hits;       /* [E] */
    double *class_accuracy, *expert_accuracy; /* [classes], [E]: NaN without samples */
    int layers;            /* behind the first */
    run_layer_eval *layer; /* [1 + layers] */
} run_eval;

/* What a run does besides its steps. */
typedef enum run_part {
    RUN_RECORD,
    RUN_LOG,
    RUN_EVALUATION,
    RUN_CHECKPOINT,
    RUN_REBALANCE,
    RUN_PARTS
} run_part;

/* Accuracies by task after each; the root's, where it learns tasks, else of none. `saved`: as the checkpoint under way has them,
 * which may be written later. */
typedef struct run_tasks {
    mot_task_matrix now, saved;
} run_tasks;

typedef struct run_reporter {
    run_eval last_eval;
    run_tasks tasks;
    struct run_figures *figures; /* run_figures.c */
    struct run_health *health;   /* run_health.c; root, where it trains */
    struct run_ranks *ranks;     /* run_ranks.c; root, where it trains */
    unsigned warned;             /* root: bit 1u << a run_warning (run_health.h) that the run has said */
    double start_s;              /* from which figures of this process count */
    double part_s[RUN_PARTS];
    mot_step_work evaluations; /* phases of their passes alone, which are no training */
    mot_yardstick yardstick;   /* of this rank */
    struct {
        double begun_s, loss, hits, compute_s, exchange_s, wait_s, flops;
        mot_gidx step, skipped;
    } since; /* the last report line */
    struct {
        double begun_s; /* 0: none has, in this process */
        mot_gidx steps;
        int stage;
    } pace;         /* of the stage at work */
    double drawn_s; /* when the progress line was last drawn */
} run_reporter;

/* A loss on the terminal, in eight columns. */
typedef struct run_number_text {
    char text[16];
} run_number_text;
static inline run_number_text run_loss_text(double loss)
{
    run_number_text number;
    snprintf(number.text, sizeof number.text, fabs(loss) < 1e-3 ? "%8.1e" : "%8.5f", loss);
    return number;
}

/* run_count.c: what an evaluation counts, sample by sample. Create: root; released by destroy. */
mot_status mot_run_count_create(run_eval *eval, const run_world *world);
void mot_run_count_destroy(run_eval *eval);
void mot_run_count_begin(run_eval *eval, const run_world *world);
void mot_run_count_add(run_eval *eval, const run_world *world, mot_gidx first, size_t n,
                       const mot_step_result *result);
mot_status mot_run_count_end(run_eval *eval, const run_world *world);

/* run_layers.c: the same by layer, and how each routes; what is said of them in log.jsonl, at an evaluation and a step, and on
 * the terminal, with `more` behind the first; and the record of all layers. Root. */
mot_status mot_run_layers_create(run_eval *eval, const run_world *world);
void mot_run_layers_destroy(run_eval *eval);
void mot_run_layers_begin(run_eval *eval, const run_world *world);
void mot_run_layers_add(run_eval *eval, const run_world *world, mot_gidx first, size_t n, const mot_step_result *result);
mot_status mot_run_layers_end(run_eval *eval, const run_world *world);
void mot_run_layers_put(const run_eval *eval, const run_world *world, mot_json *json);
void mot_run_layers_put_bytes(const run_world *world, mot_json *json);
void mot_run_layers_put_step(const run_world *world, const mot_step_result *result, mot_json *json);
void mot_run_layers_say(const run_eval *eval, const run_world *world, int indent, const char *more);
mot_status mot_run_layers_record_step(mot_record *record, const run_world *world, mot_gidx step,
                                      const mot_step_result *result);
mot_status mot_run_layers_record_choices(mot_record *record, const run_world *world, mot_gidx step, bool evaluation,
                                         size_t n, const mot_step_result *result);
mot_status mot_run_layers_record_eval(mot_record *record, const run_eval *eval, mot_gidx step, bool groups);

/* run_figures.c: what an evaluation shows, for the record, log.jsonl and the terminal. Create: after the root has its counts;
 * the status is this rank's own. Begin: every rank. Add: the root, after its counts. mot_run_figures_end is of the whole run. */
mot_status mot_run_figures_create(run_reporter *reporter, const run_world *world);
void mot_run_figures_destroy(run_reporter *reporter);
/* What kinds of figures say of the last evaluation. Root. */
void mot_run_say_figures(const run_reporter *reporter, int indent);
/* The numbers of a figure of the last evaluation; NULL: there is none of this name. Root. */
const double *mot_run_find_figure(const run_reporter *reporter, const char *name);
size_t mot_run_figure_numbers(const run_reporter *reporter); /* in all of an evaluation; root */
void mot_run_figures_begin(run_reporter *reporter, const run_world *world);
void mot_run_figures_add(run_reporter *reporter, mot_gidx first, size_t n, const mot_step_result *result);
/* All numbers of an evaluation that there can be of these data; and, for `mot eval --json`, tables and names. */
void mot_run_put_eval(const run_reporter *reporter, mot_json *json);
void mot_run_put_tables(const run_eval *eval, const run_world *world, mot_json *json);
/* Whole numbers as a list. */
void mot_run_put_numbers(mot_json *json, const char *key, int count, const int *number);

/* run_tasks.c: of a stream of tasks; all but mot_run_take_tasks (run_private.h) the root's alone, its own status. Begin: what has
 * been measured is that of the checkpoint, NULL: nothing. Keep: for the checkpoint that is about to be written. */
mot_status mot_run_tasks_create(run_tasks *tasks, const run_world *world);
void mot_run_tasks_destroy(run_tasks *tasks);
mot_status mot_run_tasks_begin(run_tasks *tasks, const char *checkpoint);
mot_status mot_run_tasks_keep(run_tasks *tasks);
/* What is held for `task`, which is said to be the same where a checkpoint has it. MOT_ERR_INPUT: it is not. */
mot_status mot_run_tasks_hold(run_tasks *tasks, int task, const mot_memory *memory);
void mot_run_put_tasks(const run_tasks *tasks, mot_json *json); /* for summary.json */
/* For `mot eval --json`: of each task, by the last evaluation. */
void mot_run_put_task_rows(const run_reporter *reporter, const run_world *world, mot_json *json);

/* run_health.c: what warnings follow from; the root's alone. */
mot_status mot_run_health_create(run_reporter *reporter, const run_world *world);
void mot_run_health_destroy(run_reporter *reporter);
/* Experts have other numbers from here on: loads are counted anew. Nothing, where there is no health. */
void mot_run_health_recount(run_reporter *reporter, const run_world *world);
/* run_warn.c: names of the warnings so far, for summary.json. */
void mot_run_put_warnings(const run_reporter *reporter, mot_json *json);

/* run_ranks.c: seconds of each rank since the last report line; the root's alone. Add: a training step. Record: as a row of the
 * record. */
mot_status mot_run_ranks_create(run_reporter *reporter, const run_world *world);
void mot_run_ranks_destroy(run_reporter *reporter);
void mot_run_ranks_begin(run_reporter *reporter); /* anew; nothing, where there are none */
void mot_run_ranks_add(run_reporter *reporter, const mot_step_result *result);
mot_status mot_run_ranks_record(const run_reporter *reporter, mot_record *record, mot_gidx step, double interval_s);

/* run_report.c: the figure gate.told, where the gate is told the truth instead of learning. */
void mot_run_put_told(const mot_config *config, mot_json *json);
void mot_run_banner(const run_world *world, const run_course *course, const char *what);
/* From this step on. */
void mot_run_report_begin(run_reporter *reporter, mot_gidx step);

/* run_progress.c: the lines of steps. Root. */
/* Means over the steps since the last report. */
typedef struct run_means {
    bool classes; /* there are some: otherwise nothing is right or wrong, and accuracy means nothing */
    double loss, accuracy, samples_per_s, gflops, load_ratio, compute, exchange, wait, wall_s;
} run_means;
/* Says them, as much of it as a terminal has room for. */
void mot_run_say_means(mot_gidx step, const run_means *means);
/* Counts a step of `stage`, from which follows how long the others will take. */
void mot_run_keep_pace(run_reporter *reporter, int stage);
/* On a terminal: how far the run is, and the means, ten times a second at most. */
void mot_run_draw_progress(run_reporter *reporter, const run_world *world, const run_course *course,
                           const run_means *means);

/* run_time.c: where the time went. */
/* Adds the time since `*since` to a part of the run, and sets `*since` to now. */
static inline void run_lap(run_reporter *reporter, run_part part, double *since)
{
    const double now = mot_clock_s();
    reporter->part_s[part] += now - *since;
    *since = now;
}
/* Adds what the step has done since `before` to the evaluations. */
void mot_run_time_evaluation(run_reporter *reporter, mot_step *step, const mot_step_work *before);
/* A row of the split of a run's time: a phase of its training steps, or one of its parts. Over all ranks. */
typedef struct run_time_row {
    const char *name;
    double mean_s, least_s, most_s; /* of a rank */
    double flops, bytes;            /* of all ranks; 0: not counted */
} run_time_row;
enum { RUN_TIME_ROWS = MOT_PHASES + RUN_PARTS + 1 }; /* the last: all else */
/* Fills the rows for a run of `wall_s` seconds so far. Collective. */
void mot_run_time(const run_reporter *reporter, const run_world *world, double wall_s,
                  run_time_row row[RUN_TIME_ROWS]);
void mot_run_say_time(int ranks, const run_time_row row[RUN_TIME_ROWS], double wall_s);
void mot_run_put_time(mot_json *json, const run_time_row row[RUN_TIME_ROWS]);

#endif
