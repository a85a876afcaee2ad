/* run_private.h: what the parts of a run share. Included by src/train/run*.c alone. */
#ifndef MOT_RUN_PRIVATE_H
#define MOT_RUN_PRIVATE_H

#include "mot/clock.h"
#include "mot/digest.h"
#include "mot/expert_speed.h"
#include "mot/lock.h"
#include "mot/record.h"
#include "mot/run.h"
#include "mot/schema.h"
#include "mot/stage.h"
#include "mot/step.h"
#include "watchdog.h"

/* The numbers of an evaluation; run_number_about says what each is. */
typedef enum run_number {
    RUN_LOSS,
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
typedef struct run_number_about {
    const char *name; /* in the record; NULL: it has it as part of a table */
    const char *key;  /* in log.jsonl and summary.json */
    const char *long_name;
} run_number_about;
extern const run_number_about run_numbers[RUN_NUMBERS];

/* What an evaluation found. Loss and accuracy are the same on every rank; all else is the root's. */
typedef struct run_eval {
    mot_gidx step; /* steps done; -1: there was none */
    mot_gidx samples;
    double number[RUN_NUMBERS]; /* NaN: there is no such thing */
    int64_t *class_load;        /* [classes, E] first choices */
    int64_t *group_load;        /* [groups, E]; NULL without groups */
    double *confusion; /* [classes, classes]: samples by label and predicted label; NULL: too many classes */
    int64_t *hits, *predicted;                /* [classes] */
    int64_t *group_hits;                      /* [groups]; NULL without groups */
    int64_t *expert_hits;                     /* [E] */
    double *class_accuracy, *expert_accuracy; /* [classes], [E]: NaN without samples */
    uint16_t *expert;                         /* [samples]: first choice of each; UINT16_MAX: not known yet */
} run_eval;

/* Where the job runs. */
typedef struct run_place {
    int hosts, cores, threads; /* hosts of the job; cores this rank may use; its threads */
    bool crowded;              /* some host has more threads than cores */
} run_place;

/* RUN_PREDICT: as RUN_EVAL, of samples whose labels nobody knows. */
typedef enum run_purpose { RUN_TRAIN, RUN_EVAL, RUN_PREDICT, RUN_BENCH } run_purpose;

/* What a run does besides its steps. */
typedef enum run_part {
    RUN_RECORD,
    RUN_LOG,
    RUN_EVALUATION,
    RUN_CHECKPOINT,
    RUN_REBALANCE,
    RUN_PARTS
} run_part;

struct mot_run {
    const mot_comm *comm;
    mot_config config;
    run_purpose purpose;
    char *config_text; /* root */
    watchdog *watchdog;
    mot_lock *lock;    /* root: on the run folder, while it is trained */
    char folder[1024]; /* of checkpoints */
    run_place place;
    mot_dataset train_set, eval_set;
    mot_schema schema; /* of what was learned from: its own, or that of the checkpoint */
    char dataset_checksum[2 * MOT_DIGEST_TEXT]; /* of both; "": they lie in no file */
    char id[MOT_RUN_ID];                        /* root; "" before the run has begun */
    int classes, groups;                        /* of what is learned; groups 0: none */
    int *parent;                                /* [classes]: group of a label, or NULL */
    mot_batch_source train, eval;
    mot_model model;
    mot_step *step;
    mot_progress progress;
    mot_record *record; /* root */
    mot_saver *saver;
    double saved_s; /* when the last checkpoint was begun */
    bool unlinked;  /* run.h5 does not name it yet */
    run_eval last_eval;
    struct run_figures *figures; /* run_figures.c */
    mot_config *former;          /* that the checkpoint was written with; NULL: there was none */
    struct run_health *health;   /* run_health.c; root, where it trains */
    unsigned warned;             /* root: bit 1u << a run_warning (run_health.h) that the run has said */
    bool continued;              /* from a checkpoint */
    bool finished;               /* before this process began, and summed up: nothing of its files changes */
    bool again;                  /* this evaluation has been recorded before */
    mot_gidx evaluated;          /* step of the last evaluation of this process; -1: none */
    int skipped_on_end;          /* steps without an update up to now, in a row */
    double called_s, start_s; /* stop_after counts from the first, figures of this process from the second */
    double restored_s;        /* when progress.wall_s was the run's */
    mot_yardstick yardstick;  /* of this rank */
    double part_s[RUN_PARTS];
    size_t resident_before; /* bytes of this process before the run was set up: libraries */
    size_t data_bytes, model_bytes, step_bytes; /* held since, by what was made */
    size_t figure_bytes;                        /* that an evaluation's figures and tables take */
    size_t copy_bytes;                          /* that copies for checkpoints take */
    mot_step_work evaluations;                  /* phases of their passes alone, which are no training */
    int64_t *load;                              /* [E]: of the steps since experts might move */
    mot_gidx moves;                             /* of experts to other ranks, in this process */
    size_t moved_bytes, memory_before;          /* by them; the most that run_memory_so_far was before */

    /* since the last report line */
    double since_s, loss, hits, compute_s, exchange_s, wait_s, flops;
    mot_gidx since_step, since_skipped;

    double drawn_s;      /* when the progress line was last drawn */
    double paced_s;      /* when the stage at work began, in this process; 0: none has */
    mot_gidx paced_step; /* steps since then */
    int paced_stage;
};

/* run.c: the root turns a run folder or a checkpoint into a checkpoint's path and its configuration; all get them, and the
 * run's schema (format.bytes 0, and a warning: it has none). `config` and `schema` are the caller's. Collective. */
enum { RUN_CHECKPOINT_PATH = 2048 };
mot_status run_find(const mot_comm *comm, const char *path, size_t count, const char *const *assignments,
                    char checkpoint[RUN_CHECKPOINT_PATH], mot_config *config, mot_schema *schema);

/* run_setup.c: data, model and step for `config`; what is not for the purpose is left out. `schema`: the data are read as
 * its (taken over, whatever the status), NULL: as their own. Collective. */
mot_status run_open(mot_run *run, const mot_comm *comm, const mot_config *config, run_purpose purpose,
                    mot_schema *schema);
void run_close(mot_run *run);
mot_state run_state(mot_run *run);

/* run.c: the optimizers forget, as a stage begins; nothing behind the last one. */
void run_begin_stage(mot_run *run);

/* run_data.c: the run's data, and its schema. Open: not collective, to be agreed on. Write: for checkpoints.
 * Keep: a run that is continued goes on with the normalization of its checkpoint. */
mot_status run_open_data(mot_run *run);
mot_status run_write_schema(const void *schema, hid_t file);
mot_status run_read_schema(void *schema, hid_t file, const char *path);
mot_status run_keep_normalization(mot_run *run, const char *path);

/* run_resume.c: checkpoints and record. */
/* The mot_precision_rule of the run that its folder holds, by its newest sound checkpoint; -1 without one. Root. */
int run_precision_before(const mot_run *run);
mot_status run_begin(mot_run *run); /* makes the folder, or continues what stands in it */
/* Sets the run to its newest checkpoint, as a new start would, or to its beginning; the data go on behind the batch of
 * the step that failed. Collective. */
enum { RUN_MOST_ROLLBACKS = 10 };
mot_status run_go_back(mot_run *run);

/* run_parts.c: what a run that goes on does otherwise than before. Between two changes of its configuration lies a part of
 * it, whose configuration stays in the folder. */
/* MOT_ERR_INPUT names the first key that must stay what it was. Root. */
mot_status run_compare(const mot_config *now, const mot_config *before, const char *path);
/* After the progress has been read: schedule and noise that have begun stay, with a warning where that is a choice, and
 * run->config_text says so. Collective, with run->former on every rank. */
mot_status run_keep_schedule(mot_run *run);
/* Says each key whose value is another one from the step after run->progress.step on. Root. */
mot_status run_say_changes(const mot_run *run);
/* Writes config.yaml, and keeps that of the part before, which ended at this step, where it was another one. Root. */
mot_status run_write_config(const mot_run *run);

/* run_save.c: when and how checkpoints are written. */
mot_status run_save_begin(mot_run *run); /* collective, before any other */
/* A checkpoint of this step. `wait`: returns when it is on disk; otherwise it may be written in the background.
 * Collective. */
mot_status run_save(mot_run *run, bool wait);
/* Moves a checkpoint on that is being written; once it is there, run.h5 names it. Not collective: the status is this
 * rank's own. */
mot_status run_save_poll(mot_run *run);
bool run_save_due(const mot_run *run); /* by the root's clock; false elsewhere */
/* After an evaluation: whether it is the best so far and `checkpoint.best` wants its checkpoint. The same everywhere. */
bool run_note_best(mot_run *run);
size_t run_copy_bytes(mot_run *run); /* that this rank holds for checkpoints in the background */

/* run_eval.c: collective. */
mot_status run_evaluate(mot_run *run);
/* run_count.c: what an evaluation counts, sample by sample. Create: root; released by destroy. */
mot_status run_count_create(mot_run *run);
void run_count_destroy(run_eval *eval);
void run_count_begin(mot_run *run);
void run_count_add(mot_run *run, mot_gidx first, size_t n, const mot_step_result *result);
void run_count_end(mot_run *run);

/* run_figures.c: what an evaluation shows, for the record, log.jsonl and the terminal. Begin, add and end: see
 * run_evaluate; end is collective, its status each rank's own; the others are the root's. */
mot_status run_figures_create(mot_run *run);
void run_figures_destroy(mot_run *run);
size_t run_figure_numbers(const mot_run *run); /* in all figures of an evaluation; root */
void run_figures_begin(mot_run *run);
void run_figures_add(mot_run *run, mot_gidx first, size_t n, const mot_step_result *result);
mot_status run_figures_end(mot_run *run);
/* All numbers of the last evaluation, with its step, samples and split; and, for `mot eval --json`, tables and names. */
void run_put_eval(const mot_run *run, mot_json *json);
void run_put_tables(const mot_run *run, mot_json *json);
/* On a root that continues a run: the last evaluation of it, as far as log.jsonl and the record have it. */
mot_status run_recall_eval(mot_run *run);

/* run_health.c: warns of what goes wrong, each once in a run, with its cure; the root's alone. Begin: the run is where it
 * begins or goes on. Step: after each of training, with `progress` behind it, unless it was left out. Eval: after each
 * evaluation. */
mot_status run_health_create(mot_run *run);
void run_health_destroy(mot_run *run);
mot_status run_health_begin(mot_run *run);
mot_status run_health_step(mot_run *run, const mot_step_result *result);
mot_status run_health_eval(mot_run *run);
/* run_warn.c: names of the warnings so far, for summary.json; and those that a run which is continued has said. */
void run_put_warnings(const mot_run *run, mot_json *json);
mot_status run_recall_warnings(mot_run *run);

/* run_place.c: where experts live. Count: after each step of training. Due: the same on every rank. See also
 * mot_run_rebalance. */
void run_count_load(mot_run *run, const mot_step_result *result);
bool run_rebalance_due(const mot_run *run);

/* run_memory.c: what a rank holds. */
size_t run_memory(const mot_run *run); /* the sum of all parts of this rank, bytes, at most */
size_t
run_memory_so_far(const mot_run *run); /* with what splitting has needed in place of what it may need */
void run_dry(const mot_run *run);      /* prints what each rank would hold and send; collective */
/* The rank that grew most: its peak, its growth since the run was set up, and its sum. Collective. */
typedef struct run_memory_peak {
    double rank, peak, growth, sum;
} run_memory_peak;
run_memory_peak run_measure_memory(const mot_run *run);
const char *run_bytes_text(size_t bytes, char text[32]); /* "1.5 MiB" */

/* run_report.c: what is said while it goes on. */
/* "group" or "label", where the gate is told the truth instead of learning; else "". */
const char *run_told(const mot_run *run);
void run_banner(const mot_run *run, const char *what);
void run_report_begin(mot_run *run);
mot_status run_report_step(mot_run *run, const mot_step_result *result, int stage, double rate);
void run_say_eval(const mot_run *run);

/* run_progress.c: the lines of steps. Root. */
/* Means over the steps since the last report. */
typedef struct run_means {
    double loss, accuracy, samples_per_s, gflops, load_ratio, compute, exchange, wait, wall_s;
} run_means;
/* Says them, as much of it as a terminal has room for. */
void run_say_means(const mot_run *run, const run_means *means);
/* Counts a step of `stage`, from which follows how long the others will take. */
void run_keep_pace(mot_run *run, int stage);
/* On a terminal: how far the run is, and the means, ten times a second at most. */
void run_draw_progress(mot_run *run, const run_means *means);

/* run_time.c: where the time went. */
/* Adds the time since `*since` to a part of the run, and sets `*since` to now. */
static inline void run_lap(mot_run *run, run_part part, double *since)
{
    const double now = mot_clock_s();
    run->part_s[part] += now - *since;
    *since = now;
}
/* Adds what a step took, the mean over ranks, to the run's. */
void run_count_seconds(mot_run *run, const mot_step_result *result);
/* Seconds of the run so far, those of former processes with it, by this rank's clock. */
double run_seconds(const mot_run *run);
/* Adds what the step has done since `before` to the evaluations. */
void run_time_evaluation(mot_run *run, const mot_step_work *before);
/* A row of the split of a run's time: a phase of its training steps, or one of its parts. Over all ranks. */
typedef struct run_time_row {
    const char *name;
    double mean_s, least_s, most_s; /* of a rank */
    double flops, bytes;            /* of all ranks; 0: not counted */
} run_time_row;
enum { RUN_TIME_ROWS = MOT_PHASES + RUN_PARTS + 1 }; /* the last: all else */
/* Fills the rows for a run of `wall_s` seconds so far. Collective. */
void run_time(const mot_run *run, double wall_s, run_time_row row[RUN_TIME_ROWS]);
void run_say_time(const mot_run *run, const run_time_row row[RUN_TIME_ROWS], double wall_s);
void run_put_time(mot_json *json, const run_time_row row[RUN_TIME_ROWS]);

/* run_table.c: what went where, and what was taken for what, after the last evaluation. */
void run_say_table(const mot_run *run);
/* The same as classes.csv and groups.csv in the run folder. Root; its own status. */
mot_status run_write_tables(const mot_run *run);
/* Name of a class or group, or its number, which is then written to `number`. */
const char *run_class_name(const mot_run *run, int class, char number[16]);
const char *run_group_name(const mot_run *run, int group, char number[16]);

/* run_summary.c: summary.json, and what is said at the end. run_note: that the run is at work, or that it failed and why
 * (`error`, else NULL); the root's alone. */
mot_status run_note(const mot_run *run, const char *status, const char *error);
/* Whether summary.json says that the run is done. */
bool run_is_summed_up(const mot_run *run);
mot_status run_summarize(mot_run *run, const char *status);
/* Says the digest alone. Collective. */
mot_status run_say_digest(mot_run *run);

/* signals.c: the first signal asks to stop after the step; a later one, half a second after it or more, ends the
 * process as it would have without us. Every file is complete or absent at any moment, so nothing breaks. */
void mot_signals_catch(void);
bool mot_signals_asked(void);

#endif
