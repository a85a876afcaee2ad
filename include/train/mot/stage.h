/* stage.h: what learns when, how fast, and when a stage ends.
 *
 * A stage ends at the first of its clauses (`until`) that holds:
 *      N steps, N epochs      (epochs of the training set, rounded up to whole steps)
 *      loss < x               the loss of the step's batch
 *      loss plateau W         the mean loss of the last W steps is not below that of the W before by more than 0.1 %
 *      purity plateau W       the mean purity of the batches' routing is not above that of the W before by 0.005
 *      alignment plateau W    the alignment of students with their teacher (alignment.h) at the end of W steps is not above that of
 *                             W steps before by 0.005
 * Windows are disjoint, begin with the stage, and are each clause's own. A run ends with its last stage. Not collective; all of it is a
 * function of mot_progress and the coordinator's figures, so it survives stop and resume. */
#ifndef MOT_STAGE_H
#define MOT_STAGE_H

#include "mot/checkpoint.h"
#include "mot/config.h"
#include "mot/dataset.h"

/* Stages of a run: those of the configuration, over again for every task of a stream.
 *
 *      stage   0      1     | 2      3     | ...      two a task
 *      task    0            | 1            |
 */
static inline int mot_stage_count(const mot_config *config)
{
    return config->stages * config->tasks;
}
static inline const mot_stage_config *mot_stage_at(const mot_config *config, int stage)
{
    return &config->stage[stage % config->stages];
}
/* Behind the last stage: the last task. */
static inline int mot_stage_task(const mot_config *config, int stage)
{
    return MOT_MIN(stage, mot_stage_count(config) - 1) / config->stages;
}

/* Samples of an epoch of a training set of so many: of a stream the mean of its tasks, so that all take as many steps. */
static inline mot_gidx mot_stage_epoch(const mot_config *config, mot_gidx samples)
{
    return config->tasks == 1 ? samples : (samples + config->tasks - 1) / config->tasks;
}

/* Steps after which a stage ends at the latest; 0: only a criterion ends it. */
mot_gidx mot_stage_steps(const mot_config *config, int stage, mot_gidx samples);

/* Steps after which the stage's schedule has come to its end, where the rate stays; 0: there is no such number. */
mot_gidx mot_stage_schedule_steps(const mot_config *config, int stage, mot_gidx samples);

/* Checks what needs the data: a schedule that falls to an end needs a number of steps, and ends neither within the warm-up
 * nor, at a rate of 0, before its stage; a stage must end. */
mot_status mot_stages_check(const mot_config *config, mot_gidx samples);

/* Steps from where the run stands to its end, at the latest; -1: a criterion alone ends its stage, or a later one. */
mot_gidx mot_steps_left(const mot_config *config, mot_gidx samples, const mot_progress *progress);

/* Steps of the whole run at the latest; 0: a criterion alone ends a stage of it. */
mot_gidx mot_run_steps(const mot_config *config, mot_gidx samples);

/* Turns what follows from the data into numbers: batch and rates, where they are `auto`, and per cent of the run into
 * steps of it. MOT_ERR_INPUT: its length is not known, or it has more chunks than samples in a batch. */
mot_status mot_stages_resolve(mot_config *config, mot_gidx samples, mot_sample_kind kind);

/* The factor on the stage's rates for its step `done` (0 is its first): warm-up times schedule, which ends after `steps`. */
double mot_stage_factor(const mot_stage_config *stage, mot_gidx done, mot_gidx steps);

/* What a step has come to; of alignment where it is asked for: whether the next step will have to say it. */
typedef struct mot_stage_seen {
    double loss, purity, alignment;
} mot_stage_seen;
bool mot_stage_asks_alignment(const mot_config *config, const mot_progress *progress);

/* Counts a step into `progress` (step, window figures) and, when the stage has ended, moves to the next one. True when it
 * has. A loss that is NaN is that of a step that was left out: it counts, and no window has it. */
bool mot_stage_advance(const mot_config *config, mot_gidx samples, const mot_stage_seen *seen, mot_progress *progress);

/* The stage is over: the next one stands. What mot_stage_advance does, and what is done when `action_left` is made up for. */
void mot_stage_end(const mot_config *config, mot_progress *progress);

/* Where a run goes on whose stage may have another end than it had. One that was complete goes on when what ended its
 * last stage was its number of steps, `former_steps`, and the stage now has more, or no such number. A stage that now ends
 * where the run stands has ended: *next, and the next one begins. MOT_ERR_INPUT: it would have ended before; or what its end
 * does (stage_action.h), which is done behind a step and once, would be done without one, or has been done. */
mot_status mot_stage_reopen(const mot_config *config, mot_gidx samples, mot_gidx former_steps,
                            mot_progress *progress, bool *next);

/* A schedule that has begun to fall stays what it is, so that no rate jumps when a run is made longer or shorter: where
 * the stage that stands has no schedule_steps of its own and now another length than by `former`, it gets those that it had.
 * True when it has got them. */
bool mot_stage_keep_schedule(mot_config *config, const mot_config *former, mot_gidx samples,
                             const mot_progress *progress);

#endif
