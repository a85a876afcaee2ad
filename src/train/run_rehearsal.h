/* run_rehearsal.h: what a run over a stream of tasks has beside its data: what the stage at hand learns from, and what is kept
 * of it for the next task and for files. All of it but the memory that `sampler` points into follows from the configuration,
 * the data and the cosines, which are in every checkpoint. */
#ifndef MOT_RUN_REHEARSAL_H
#define MOT_RUN_REHEARSAL_H

#include "mot/batch.h"
#include "mot/rehearsal_memory.h"
#include "mot/sampler.h"
#include "mot/stream.h"
#include "run_course.h"

typedef struct run_rehearsal {
    const mot_stream *stream; /* of what is learned from; NULL: it is none, and nothing else is here */
    mot_sampler sampler;      /* of the stage at hand */
    mot_memory memory;        /* of the tasks before it */
    mot_gidx *similar;        /* what of it is learned beside the new task */
    mot_batch_source look;    /* samples whose gradients are compared, */
    mot_sampler look_sampler; /* and which those are */
    mot_leg look_leg;
    double *cosine; /* [tasks, tasks]: as a task (row) began, of an old one's gradient (column) with its own; NaN: not taken */
} run_rehearsal;

/* run_rehearsal.c: whether old tasks are to be compared with the new one before the next step. */
bool mot_run_compares_now(const run_course *course, const run_rehearsal *rehearsal);
/* run_task.c: whether this configuration can learn a stream of config->tasks tasks that have so many training samples. */
mot_status mot_run_check_tasks(const mot_config *config, mot_gidx samples);
/* run_task.c: the task of the last step; of its learning, the experts that may be chosen, and those below which they stand still
 * (mot_step_task). */
int mot_run_task(const run_course *course);
int mot_run_active(const mot_config *config, int task);
int mot_run_frozen(const mot_config *config, int task);

#endif
