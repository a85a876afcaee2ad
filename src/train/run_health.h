/* run_health.h: what goes wrong in a run that comes to its end all the same. Included by src/train/run_health.c and
 * run_warn.c alone.
 *
 * The root looks at what it has anyway, after each step and each evaluation; nothing is exchanged, and a warning follows
 * from figures that are the same on any number of ranks.
 *      window   an epoch, where data are endless 20,000 samples; at least 20 steps and 50 choices an expert. Windows lie
 *               at multiples of their length; steps count in which the gate learns and is past its warm-up, and a window
 *               is judged when half of its steps did, and 20. It judges loads.
 *      tenth    of the run's steps, where their number is not known 200; at least 20. It has four blocks, which judge the
 *               loss; for so long, and a window, must scores be alike before a gate counts as blind.
 * After a stop they begin anew; what has been said is read from log.jsonl and is not said again. Cost: of a step, two
 * operations a sample and one an expert. */
#ifndef MOT_RUN_HEALTH_H
#define MOT_RUN_HEALTH_H

#include "run_private.h"

/* In the order of docs/operations.md. */
typedef enum run_warning {
    RUN_CONSTANT_GATE,
    RUN_ONE_EXPERT,
    RUN_IDLE_EXPERTS,
    RUN_RISING_LOSS,
    RUN_OVERFITTING,
    RUN_WARNINGS
} run_warning;

/* Says what was seen, with a cure for this configuration, on the terminal and in log.jsonl, unless this run has said
 * this warning before. Root. */
mot_status mot_run_warn(mot_run *run, run_warning warning, const char *seen, ...)
    __attribute__((format(printf, 3, 4)));

/* Whether the loss alone tells the gate nothing: the weights of the experts' outputs do not depend on its scores. */
static inline bool run_gate_is_deaf(const mot_config *config)
{
    const mot_scale scale = config->route.scale;
    return scale == MOT_SCALE_NONE || (scale == MOT_SCALE_CHOSEN && config->route.top_k == 1);
}

#endif
