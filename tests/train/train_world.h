/* train_world.h: a model and its step on the samples of train_data.h. */
#ifndef MOT_TEST_TRAIN_WORLD_H
#define MOT_TEST_TRAIN_WORLD_H

#include <string.h>

#include "mot/step.h"
#include "train_data.h"

enum { EXPERTS = 5, BATCH = 23 };

typedef struct world {
    mot_comm comm;
    mot_config config;
    mot_dataset dataset;
    mot_model model;
    mot_batch_source source;
    mot_step *step;
} world;

/* With the configuration, which may still be changed; the rest comes of it. */
static inline void world_configure(world *w, MPI_Comm mpi, const char *more)
{
    memset(w, 0, sizeof *w);
    mot_comm_init(&w->comm, mpi);
    data_open(&w->dataset, &w->comm);
    data_configure(&w->config, more);
}

static inline void world_build(world *w)
{
    data_model(&w->model, &w->comm, &w->config);
    w->source = (mot_batch_source){
        .dataset = &w->dataset, .patch = 1, .seed = 9, .shuffled = true};
    const mot_loss loss = data_loss(&w->config);
    mot_ck_ok(mot_step_create(&w->step, &w->model, &w->source, &loss, DATA_GROUPS, BATCH, 2));
}

static inline void world_free(world *w)
{
    mot_step_destroy(&w->step);
    mot_model_free(&w->model);
    mot_dataset_close(&w->dataset);
    mot_comm_free(&w->comm);
}

static inline double train(world *w, int number)
{
    const mot_step_task task = {.first = (mot_gidx)number * BATCH,
                                .total = BATCH,
                                .number = number,
                                .stage = &w->config.stage[0],
                                .factor = 1};
    mot_step_result result;
    mot_ck_ok(mot_step_run(w->step, &w->source, &task, false, &result));
    return result.loss;
}

#endif
