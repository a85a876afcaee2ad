/* rehearsal_config.h: what the configuration says of learning a stream of tasks. Plain data; the option table has defaults and
 * bounds. Strategies: Deng et al., arXiv 2506.00205. */
#ifndef MOT_REHEARSAL_CONFIG_H
#define MOT_REHEARSAL_CONFIG_H

#include "mot/params.h"
#include "mot/rehearsal_memory.h"
#include "mot/stage_config.h"

/* What a task's steps learn from: it has the same number of them under each strategy. */
typedef enum mot_strategy {
    MOT_REHEARSE_NONE,       /* its own samples */
    MOT_REHEARSE_CONCURRENT, /* batches of its own samples and the memory together */
    MOT_REHEARSE_SEQUENTIAL, /* its own samples, then the memory of one old task after another */
    MOT_REHEARSE_HYBRID,     /* its own and the memory of similar tasks together, then that of the others likewise */
    MOT_REHEARSE_JOINT       /* its own and all samples of all old tasks together: what rehearsal can at best come to */
} mot_strategy;

/* Which old task is revisited first. */
typedef enum mot_revisit { MOT_REVISIT_OLDEST, MOT_REVISIT_NEWEST, MOT_REVISIT_DISSIMILAR } mot_revisit;

typedef struct mot_rehearsal_config { /* keys rehearsal.* */
    mot_strategy strategy;
    char memory[64]; /* what of old tasks is held, as mot_memory_size_parse has it */
    mot_memory_form memory_form;
    double share; /* of what is learned that is old; MOT_SHARE_AUTO: as there are samples */
    mot_revisit order;
    double tau;              /* old tasks whose gradient has this cosine with the new one's, or more, are similar */
    mot_part_set parts;      /* whose gradients those are */
    mot_gidx cosine_samples; /* of a task, at most, for its gradient */
    mot_gidx compare_after;  /* steps of a task, on its own samples, behind which they are compared */
    int grow;                /* experts that are new with each task but the first; 0: all are there from the beginning */
    bool freeze_old;         /* experts of former tasks stand still */
    int gate_tasks;          /* the gate learns in the first so many tasks; 0: in all */
} mot_rehearsal_config;
#define MOT_SHARE_AUTO MOT_RATE_AUTO

/* Whether a strategy learns from a memory; revisits old tasks one after another; asks how similar they are to the new one. */
static inline bool mot_rehearsal_remembers(const mot_rehearsal_config *config)
{
    return config->strategy != MOT_REHEARSE_NONE && config->strategy != MOT_REHEARSE_JOINT;
}
static inline bool mot_rehearsal_revisits(const mot_rehearsal_config *config)
{
    return config->strategy == MOT_REHEARSE_SEQUENTIAL || config->strategy == MOT_REHEARSE_HYBRID;
}
static inline bool mot_rehearsal_compares(const mot_rehearsal_config *config)
{
    return config->strategy == MOT_REHEARSE_HYBRID ||
           (mot_rehearsal_revisits(config) && config->order == MOT_REVISIT_DISSIMILAR);
}

#endif
