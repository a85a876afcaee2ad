/* run_keeper.h: what a run leaves in its folder to go on from. */
#ifndef MOT_RUN_KEEPER_H
#define MOT_RUN_KEEPER_H

#include "mot/lock.h"
#include "mot/record.h"
#include "run_world.h"

typedef struct run_keeper {
    mot_lock *lock;      /* root: on the run folder, while it is trained */
    char folder[1024];   /* of checkpoints */
    char id[MOT_RUN_ID]; /* root; "" before the run has begun */
    char *config_text;   /* root */
    mot_config *former;  /* that the checkpoint was written with; NULL: there was none */
    mot_record *record;  /* root */
    mot_saver *saver;
    double saved_s; /* when the last checkpoint was begun */
    bool unlinked;  /* run.h5 does not name it yet */
} run_keeper;

/* run_about.c: what the record says of a run whose samples are those of `set`; nothing is copied. Root. */
typedef struct run_about {
    mot_record_about record;
    int experts[MOT_MAX_LAYERS], choices[MOT_MAX_LAYERS]; /* which it shows */
} run_about;
void mot_run_describe(run_about *about, const run_keeper *keeper, const run_world *world, const run_course *course,
                      const mot_dataset *set);

/* run_parts.c: what a run that goes on does otherwise than before. Between two changes of its configuration lies a part of
 * it, whose configuration stays in the folder. */
/* MOT_ERR_INPUT names the first key that must stay what it was. Root. */
mot_status mot_run_compare(const mot_config *now, const mot_config *before, const char *path);
/* After the progress has been read: schedule and noise that have begun stay, with a warning where that is a choice, and
 * config_text says so. Collective, with `former` on every rank. */
mot_status mot_run_keep_schedule(run_course *course, run_keeper *keeper, const run_world *world);
/* Says each key whose value is another one from the step after progress.step on. Root. */
mot_status mot_run_say_changes(const run_course *course, const mot_config *former, mot_gidx samples);
/* Writes config.yaml, and keeps that of the part before, which ended at this step, where it was another one. Root. */
mot_status mot_run_write_config(const run_keeper *keeper, const run_course *course);

/* run_save.c: moves a checkpoint on that is being written; once it is there, run.h5 names it. Not collective: the status
 * is this rank's own. */
mot_status mot_run_save_poll(run_keeper *keeper);

#endif
