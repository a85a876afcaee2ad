/* run.h: a run from its configuration to its summary; what `mot train` and `mot eval` do.
 *
 * A run stands in a folder (docs/files.md). Starting it again continues from its newest checkpoint, on any number of
 * ranks, with any placement, and ends with the same bits as a run that never stopped. */
#ifndef MOT_RUN_H
#define MOT_RUN_H

#include "mot/comm.h"
#include "mot/config.h"

/* Trains. Collective; `config` is read on the root and sent to all. dry_run: prints parameters, memory and message
 * sizes a rank, writes nothing. MOT_STOPPED: a signal (TERM, INT, USR1, USR2 at any one rank) ended the run after a
 * whole step and a checkpoint. */
mot_status mot_run_train(const mot_comm *comm, const mot_config *config, bool dry_run);

/* Repeats the evaluation from a checkpoint file, or the newest one of a run folder, with `count` assignments over its
 * configuration. Writes nothing but to the terminal. Collective. */
mot_status mot_run_eval(const mot_comm *comm, const char *path, size_t count, const char *const *assignments);

#endif
