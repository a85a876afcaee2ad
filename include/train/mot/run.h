/* run.h: a run from its configuration to its summary; what `mot train` and `mot eval` do.
 *
 * A run stands in a folder (docs/files.md). Starting it again continues from its newest checkpoint, on any number of
 * ranks, with any placement, and ends with the same bits as a run that never stopped. */
#ifndef MOT_RUN_H
#define MOT_RUN_H

#include "mot/comm.h"
#include "mot/config.h"
#include "mot/step.h"

/* Trains. Collective; `config` is read on the root and sent to all. dry_run: prints parameters, memory and message
 * sizes a rank, writes nothing. MOT_STOPPED: a signal (TERM, INT, USR1, USR2 at any one rank) or stop_after ended
 * the run after a whole step and a checkpoint. */
mot_status mot_run_train(const mot_comm *comm, const mot_config *config, bool dry_run);

/* A run that is set up and stepped by somebody else, and leaves nothing: what `mot bench` measures. Its data may be
 * random. All but mot_run_model and mot_run_stepper are collective; the status is the same everywhere. */
typedef struct mot_run mot_run;
mot_status mot_run_open(mot_run **run, const mot_comm *comm, const mot_config *config);
void mot_run_close(mot_run **run);
/* Says what is run, on what: the first lines of `mot train`. */
void mot_run_say(const mot_run *run);
mot_model *mot_run_model(mot_run *run);
mot_step *mot_run_stepper(mot_run *run);
/* A line for each layer of a model of several: what moved between ranks for it, beside what sending each state to its expert and
 * back would have. */
void mot_run_say_bytes(const mot_step_work *work);
/* Step `number` (from 0) of the first stage, at its full rate. */
mot_status mot_run_step(mot_run *run, mot_gidx number, mot_step_result *result);

/* Experts move to other ranks where the loads of the steps since the last call say that the busiest rank would have had
 * a twentieth less to do (placement.h); says so in one line. Not within a step. MOT_ERR_MEMORY: nothing moved. */
mot_status mot_run_rebalance(mot_run *run);

/* Of the experts at work those with keep[E], the same on every rank, stay, and the others go (mot_model_keep); the run goes on
 * as one of those that are left, on any number of ranks with the same bits. A checkpoint that is being written is waited for;
 * the record begins a new segment; what was allocated by the number of experts is made anew. Files name an expert by the number
 * that it had in the beginning (mot_run_model(run)->origin). route.top_k that is more than are left becomes all of them, with
 * a warning. All of them: nothing happens. MOT_ERR_INPUT: none would be left, or the gate cannot do without any; then nothing
 * has changed. Between steps alone. */
mot_status mot_run_keep_experts(mot_run *run, const bool *keep);

/* What an evaluation is to do besides. */
typedef struct mot_eval_request {
    const char *mask; /* "[3]", "[3, 1:2]": experts of the first layer, or of LAYER:, are as if they were not there; NULL: none */
    const char *gate_from; /* a run folder or checkpoint whose gates choose in place of these; NULL: none */
    bool analyse;     /* what every expert makes of every sample: RUN/eval/step-*.h5 (mot/analysis.h) */
} mot_eval_request;

/* Repeats the evaluation from a checkpoint file, or the newest one of a run folder, with `count` assignments over its
 * configuration. Another data set is read as the run's own (schema.h). Writes nothing but to the terminal, unless it is asked for. `json`, unless
 * it is NULL, gets all figures as one object on the root, elsewhere NULL; mot_free(*json). Collective. */
mot_status mot_run_eval(const mot_comm *comm, const char *path, size_t count, const char *const *assignments,
                        const mot_eval_request *request, char **json);

/* The checkpoint that `path` means: itself, or the newest one of a run folder. Not collective. */
mot_status mot_run_find_checkpoint(const char *path, char *checkpoint, size_t size);

#endif
