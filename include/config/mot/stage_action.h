/* stage_action.h: what is done once at the end of a stage: behind its last step, and before all that follows it, which is
 * the next stage's begin (where optimizers forget), and the evaluation and the checkpoint of that step.
 *
 *      steps of stage 0 | its action | steps of stage 1 | its action | the last evaluation
 *                       step 400     ^                  step 900
 *                                    a checkpoint of step 400 says that stage 1 stands, and its parameters are those
 *                                    behind the action
 *
 * So a run that was stopped, killed or set back does what its checkpoint does not have, and an action is done once in all
 * that a run has come to. For that, and for the same bits on any number of ranks, what it does must be a pure function of
 * what it is shown; its random numbers follow from config->seed. */
#ifndef MOT_STAGE_ACTION_H
#define MOT_STAGE_ACTION_H

#include "mot/comm.h"
#include "mot/config.h"
#include "mot/kinds.h"
#include "mot/units.h"

enum { MOT_STAGE_DID = 256 };

/* The moment between two stages. Nothing of it is the action's own, and it ends with the action. */
typedef struct mot_stage_moment {
    const mot_comm *comm;
    const mot_config *config;
    int stage;                           /* that has ended: config->stage[stage] */
    const struct mot_progress *progress; /* checkpoint.h; its step is the last one of the stage */
    int experts;                         /* E, those at work; fewer than config->model.experts where some are gone */
    const mot_loss *loss;
    mot_dataset *held_out;     /* samples that are evaluated and not learned */
    const mot_units *units;    /* all parameters, which it may change, alike on any number of ranks */
    mot_real *balance_bias;    /* [E], the root's; it may change too */
    const struct mot_model *model; /* model.h: what the units are of */
    bool *keep; /* [E], all true: an expert whose place becomes false goes when the action is over. The root's count. */
    char *did;  /* [MOT_STAGE_DID], "": what was done, in words that may follow a colon. The root's is said and logged. */
    /* The batches of the last `steps` steps (at most all that the run has made) once more, without learning and noise: their
     * mean loss, and how many samples each expert got, load [E]. Collective; the same on every rank, also what fails. */
    mot_status (*look)(const struct mot_stage_moment *moment, mot_gidx steps, double *loss, int64_t *load);
    /* Whether this rank is asked to stop, by a signal or by stop_after: one is enough. What takes long asks now and then, and gives up
     * with MOT_STOPPED on every rank, having changed nothing: the run stops, and the next start does it anew. */
    bool (*stop)(const struct mot_stage_moment *moment);
    void *run; /* private: that of the two above */
} mot_stage_moment;

typedef struct mot_stage_action {
    mot_kind kind; /* its name is a value of the stage key `action` */
    /* Why it is of no use behind that stage, in words that may follow "action = NAME: ", or NULL. (NULL: it may always be.)
     * Not collective; asked as the configuration is read, in which only what the data decide is not known. */
    const char *(*useless)(const mot_config *config, int stage);
    /* Does it. Called on every rank at once, and may talk; a failure is this rank's own, and the caller agrees on it. It ends
     * the run: MOT_ERR_INPUT as the user's mistake, MOT_ERR_NUMERIC as train.on_nonfinite says. (NULL: nothing is done.) */
    mot_status (*run)(const mot_stage_moment *moment);
} mot_stage_action;

/* Whether stage `stage` or a later one ends with the action group: until then one expert has all classes of the gate. */
bool mot_groups_to_come(const mot_config *config, int stage);

/* All actions, in the order of the stage key. */
extern mot_kinds mot_stage_actions;
static inline const mot_stage_action *mot_stage_action_at(int row)
{
    return (const mot_stage_action *)mot_stage_actions.row[row];
}

#endif
