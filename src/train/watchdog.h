/* watchdog.h: a thread that says when and where this rank is stuck. Included by src/train/ alone. */
#ifndef MOT_WATCHDOG_H
#define MOT_WATCHDOG_H

#include "mot/step.h"

typedef struct watchdog watchdog;

/* A rank that makes no progress (watch.h) for `warn_s` seconds prints one line: rank, host, phase, step, and whom it
 * waits for: those that do not wait as well, as far as they answer (roll_call.h). After `abort_s` in which no rank that
 * answers made progress it prints another one, and ends with exit code 1, on which mpirun ends the job. 0: never.
 * Collective. */
mot_status mot_watchdog_start(watchdog **dog, const mot_comm *comm, double warn_s, double abort_s);
/* From now on it knows the ranks that a step exchanges with; until then they are all others. `step` (not owned) must outlive
 * it. dog NULL is fine. Not collective. */
void mot_watchdog_step(watchdog *dog, const mot_step *step);
/* NULL is fine. Not collective. */
void mot_watchdog_stop(watchdog **dog);

#endif
