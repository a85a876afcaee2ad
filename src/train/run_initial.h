/* run_initial.h: values that a run begins with in place of those that were drawn. Included by src/train/run_initial*.c alone. */
#ifndef MOT_RUN_INITIAL_H
#define MOT_RUN_INITIAL_H

#include "run_world.h"

/* run_initial_check.c. Whether the vectors of tensor r of a unit count by their directions alone: neurons, rows of it; a gate of unit
 * length, columns. */
bool mot_initial_directed(const mot_model *model, const mot_unit *unit, size_t r);
/* MOT_ERR_INPUT: one is 0. all: [count, numbers] of neurons, from expert `first` on; [F, E] of a gate. */
mot_status mot_initial_check_directions(const char *name, const mot_tensor *tensor, bool rows, size_t first, size_t count,
                                        const mot_real *all);

/* run_initial_run.c. Reads what init.parts has of another run's checkpoint, and keeps it unless it is only looked at. Its own status. */
mot_status mot_initial_of_run(const run_world *world, const char *path, bool take);
/* Of a checkpoint the gates alone, with their biases, which must be as these are; `key` stands in sentences. Its own status. And a
 * warning where it has learned with other data. */
mot_status mot_initial_gates(const run_world *world, const char *key, const char *path);
mot_status mot_initial_warn_of_data(const run_world *world, const char *key, const char *path);
/* Says what comes from there, and what of the data is other than there. Its own status. */
mot_status mot_initial_say(const run_world *world, const char *path);

#endif
