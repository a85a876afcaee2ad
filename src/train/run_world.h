/* run_world.h: what is trained, with what, where. */
#ifndef MOT_RUN_WORLD_H
#define MOT_RUN_WORLD_H

#include "mot/digest.h"
#include "mot/schema.h"
#include "run_course.h"
#include "run_rehearsal.h"
#include "watchdog.h"

/* Where the job runs. */
typedef struct run_place {
    int hosts, cores, threads; /* hosts of the job; cores this rank may use; its threads */
    bool crowded;              /* some host has more threads than cores */
} run_place;

typedef struct run_world {
    const mot_comm *comm; /* not owned */
    run_place place;
    watchdog *watchdog;
    mot_dataset train_set, eval_set;
    char dataset_checksum[2 * MOT_DIGEST_TEXT]; /* of both; "": they lie in no file */
    mot_schema schema;   /* of what was learned from: its own, or that of the checkpoint */
    int classes, groups; /* of what is learned; groups 0: none */
    int *parent;         /* [classes]: group of a label, or NULL */
    mot_batch_source train, eval;
    run_rehearsal rehearsal; /* of a stream of tasks */
    mot_model model; /* its config is the course's */
    mot_step *step;
    size_t figures; /* numbers in all figures of an evaluation; root */
    struct {
        int64_t *load; /* [E]: of the steps since experts might move */
        mot_gidx experts;
        size_t bytes;
    } moves; /* to other ranks, in this process */
    struct {
        size_t before;            /* the run was set up: libraries */
        size_t data, model, step; /* since, by what was made */
        size_t figures;           /* for an evaluation's figures and tables */
        size_t copies;            /* for checkpoints */
        size_t most;              /* that mot_run_memory_so_far was before experts moved */
    } held;                       /* bytes of this process */
} run_world;

/* run_world.c: data, model and step for the course; what is not for its purpose is left out. `schema`: the data are read
 * as its (taken over, whatever the status), NULL: as their own. What was made before a failure stays for mot_run_world_close.
 * Collective. */
mot_status mot_run_world_open(run_world *world, run_course *course, const mot_comm *comm, mot_schema *schema);
void mot_run_world_close(run_world *world);
/* run_initial.c: of what begins: the values that init.from has in place of those that were drawn. Collective. */
mot_status mot_run_take_initial(const run_world *world, const run_course *course);
/* That these are right, where the run is still to begin: before anything is written; `say`: and what comes from where. Collective. */
mot_status mot_run_check_initial(const run_world *world, const run_course *course, bool say);
/* run_rehearsal.c: what a stream needs beside its data; its own status. */
mot_status mot_run_rehearsal_open(run_world *world, const run_course *course);
void mot_run_rehearsal_close(run_rehearsal *rehearsal);
/* The optimizers forget, as a stage begins; nothing behind the last one. */
void mot_run_begin_stage(run_world *world, const run_course *course);

/* run_data.c: the run's data, and its schema. Open: not collective, to be agreed on. Read: of a checkpoint. Keep: a run that is
 * continued goes on with the normalization of its checkpoint. */
mot_status mot_run_open_data(run_world *world, run_course *course);
mot_status mot_run_read_schema(void *schema, hid_t file, const char *path);
mot_status mot_run_keep_normalization(run_world *world, const char *path);

/* run_place.c: after each step of training. See also mot_run_rebalance. */
void mot_run_count_load(run_world *world, const mot_step_result *result);

/* run_memory.c: bytes that this rank holds: the sum of all parts at most, and with what splitting has needed in place of
 * what it may need. */
size_t mot_run_memory(const run_world *world, const run_course *course);
size_t mot_run_memory_so_far(const run_world *world, const run_course *course);
/* run_stream.c: what the tasks of a stream are: in a line, and each of them; without a stream nothing. */
void mot_run_say_stream(const run_world *world, const run_course *course, int indent);
void mot_run_dry_stream(const run_world *world, const run_course *course);
/* Prints what each rank would hold and send. Collective. */
void mot_run_dry(const run_world *world, const run_course *course);
/* The rank that grew most: its peak, its growth since the run was set up, and its sum. Collective. */
typedef struct run_memory_peak {
    double rank, peak, growth, sum;
} run_memory_peak;
run_memory_peak mot_run_measure_memory(const run_world *world, const run_course *course);
const char *mot_run_bytes_text(size_t bytes, char text[32]); /* "1.5 MiB" */

#endif
