/* run_private.h: a run is its parts, and what takes all of them. Included by src/train/run*.c and predict.c alone. */
#ifndef MOT_RUN_PRIVATE_H
#define MOT_RUN_PRIVATE_H

#include "mot/run.h"
#include "mot/stage.h"
#include "run_keeper.h"
#include "run_reporter.h"

struct mot_run {
    run_course course;
    run_world world;
    run_keeper keeper;
    run_reporter reporter;
};

/* run_stored.c: the root turns a run folder or a checkpoint into a checkpoint's path and its configuration; all get them, and the
 * run's schema (format.bytes 0, and a warning: it has none). `config` and `schema` are the caller's. Collective. */
enum { RUN_CHECKPOINT_PATH = 2048 };
mot_status mot_run_find(const mot_comm *comm, const char *path, size_t count, const char *const *assignments,
                        char checkpoint[RUN_CHECKPOINT_PATH], mot_config *config, mot_schema *schema);

/* run_settings.c: says which settings have no effect in a run that begins. */
void mot_run_warn_of_settings(const run_world *world, const run_course *course);
/* run_setup.c: all that is needed before the first step; `schema`: see mot_run_world_open. Collective. */
mot_status mot_run_set_up(mot_run *run, const mot_comm *comm, const mot_config *config, run_purpose purpose,
                          mot_schema *schema);
void mot_run_take_down(mot_run *run);

/* run_resume.c: makes the folder, or continues what stands in it. Collective. */
mot_status mot_run_begin(mot_run *run);
/* Sets the run to its newest checkpoint, as a new start would, or to its beginning; the data go on behind the batch of
 * the step that failed. Collective. */
enum { RUN_MOST_ROLLBACKS = 10 };
mot_status mot_run_go_back(mot_run *run);

/* run_prune.c; see also mot_run_keep_experts. Fit: the run gets those of the experts that it began with which are `there`
 * [config.model.experts], whose values are then undefined, where it has others. Read: a checkpoint (its path on the root), with
 * the experts that it has; the progress is then its. MOT_ERR_INPUT: it is not sound, and may be tried again with another.
 * Collective. */
mot_status mot_run_fit(mot_run *run, const bool *there);
mot_status mot_run_read(mot_run *run, const char *path);

/* run_save.c: when and how checkpoints are written, and of what. */
mot_state mot_run_state(mot_run *run);
mot_status mot_run_save_begin(mot_run *run); /* collective, before any other */
/* A checkpoint of this step. `wait`: returns when it is on disk; otherwise it may be written in the background.
 * Collective. */
mot_status mot_run_save(mot_run *run, bool wait);
/* The checkpoint before is on disk, and run.h5 names it. Collective. */
mot_status mot_run_save_wait(mot_run *run);
bool mot_run_save_due(const mot_run *run); /* by the root's clock; false elsewhere */
/* After an evaluation: whether it is the best so far and `checkpoint.best` wants its checkpoint. The same everywhere. */
bool mot_run_note_best(run_course *course, const run_eval *eval);
size_t mot_run_copy_bytes(mot_run *run); /* that this rank holds for checkpoints in the background */

/* run_action.c: whether this rank is asked to stop; one is enough. The root's clock decides for all. */
bool mot_run_stop_asked(const run_world *world, const run_course *course);

/* Behind the last step of a stage, when progress says that the next one stands: does the stage's action, and
 * begins the next. MOT_STOPPED: it was asked to stop, and has changed nothing but progress. Collective. */
mot_status mot_run_end_stage(mot_run *run);

/* run_rehearsal.c: of a stream, what the stage that begins, or goes on, learns from. Collective. */
mot_status mot_run_rehearse(mot_run *run);
/* run_compare.c: how similar each old task is to one that begins, into its row of the cosines. Collective. */
mot_status mot_run_compare_tasks(mot_run *run, int task);

/* run_eval.c: collective. */
mot_status mot_run_evaluate(mot_run *run);
/* run_gate.c: gates get the values of those in another run folder or checkpoint. MOT_ERR_INPUT: they are not alike. Collective. */
mot_status mot_run_take_gates(const run_world *world, const char *from);
/* run_analyse.c: after an evaluation, what every expert of a layer makes of every sample, as RUN/eval/step-*.h5 of the run folder that
 * `checkpoint` stands in (mot/analysis.h). Check (run_analyse_file.c): whether that can be, before the evaluation. Collective. */
mot_status mot_run_analyse_check(const mot_run *run, const char *checkpoint);
mot_status mot_run_analyse(mot_run *run, const char *checkpoint);
/* run_figures.c: collective, its status each rank's own. */
mot_status mot_run_figures_end(mot_run *run);
/* On a root that continues a run: the last evaluation of it, as far as log.jsonl and the record have it. */
mot_status mot_run_recall_eval(mot_run *run);

/* run_health.c: warns of what goes wrong, each once in a run, with its cure; the root's alone. Begin: the run is where it
 * begins or goes on. Step: after each of training, with `progress` behind it, unless it was left out. Eval: after each
 * evaluation. */
mot_status mot_run_health_begin(mot_run *run);
mot_status mot_run_health_step(mot_run *run, const mot_step_result *result);
mot_status mot_run_health_eval(mot_run *run);
/* run_warn.c: those that a run which is continued has said. */
mot_status mot_run_recall_warnings(mot_run *run);

/* run_tasks.c: the last evaluation was that after `task` of a stream; -1: before the first step. Says and logs how well it was
 * learned, and what it did to others. Without a stream nothing. Collective. */
mot_status mot_run_take_tasks(mot_run *run, int task);
/* The whole of it, at the end. Root. */
void mot_run_say_tasks(const mot_run *run);

/* run_report.c: what is said while it goes on. */
mot_status mot_run_report_step(mot_run *run, const mot_step_result *result, int stage, double rate);
void mot_run_say_eval(const mot_run *run);

/* run_table.c: what went where, and what was taken for what, after the last evaluation. */
void mot_run_say_table(const mot_run *run);
/* The same as classes.csv and groups.csv in the run folder. Root; its own status. */
mot_status mot_run_write_tables(const mot_run *run);

/* run_summary.c: summary.json, and what is said at the end. mot_run_note: that the run is at work, or that it failed and why
 * (`error`, else NULL); the root's alone. */
mot_status mot_run_note(const mot_run *run, const char *status, const char *error);
mot_status mot_run_summarize(mot_run *run, const char *status);
/* The digest of all parameters; and says it, alone. Collective. */
mot_status mot_run_digest(mot_run *run, char digest[MOT_DIGEST_TEXT]);
mot_status mot_run_say_digest(mot_run *run);

/* signals.c: the first signal asks to stop after the step; a later one, half a second after it or more, ends the
 * process as it would have without us. Every file is complete or absent at any moment, so nothing breaks. */
void mot_signals_catch(void);
bool mot_signals_asked(void);

#endif
