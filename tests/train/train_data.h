/* train_data.h: a small data set of vectors and a small configuration, for the tests of this folder. */
#ifndef MOT_TEST_TRAIN_DATA_H
#define MOT_TEST_TRAIN_DATA_H

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "ck.h"
#include "mot/batch.h"
#include "mot/model.h"
#include "mot/stage.h"

enum { DATA_SAMPLES = 37, DATA_TOKENS = 5, DATA_WIDTH = 6, DATA_CLASSES = 3, DATA_GROUPS = 2 };

/* Sample i, number j; label and group of sample i. */
static inline float data_number(int i, int j)
{
    return (float)sin(0.37 * i * (j + 1) + 0.1 * j);
}
static inline int32_t data_label(int i)
{
    return i * 7 % DATA_CLASSES;
}
static inline int32_t data_group(int i)
{
    return i / 3 % DATA_GROUPS;
}

static inline void data_write(const char *path)
{
    const mot_sample_format format = {.kind = MOT_SAMPLE_VECTOR,
                                      .element = MOT_ELEMENT_F32,
                                      .tokens = DATA_TOKENS,
                                      .features = DATA_WIDTH,
                                      .normalization = {.scaling = MOT_SCALING_NONE}};
    const mot_dataset_about about = {.title = "test"};
    mot_dataset_writer *writer;
    mot_ck_ok(mot_dataset_writer_open(&writer, path, &format));
    for (int i = 0; i < DATA_SAMPLES; ++i) {
        float x[DATA_TOKENS * DATA_WIDTH];
        const int32_t label = data_label(i), group = data_group(i);
        for (int j = 0; j < DATA_TOKENS * DATA_WIDTH; ++j) x[j] = data_number(i, j);
        mot_ck_ok(mot_dataset_writer_add(writer, "train", 1, x, &label, &group));
    }
    mot_ck_ok(mot_dataset_writer_close(&writer, &about, true));
}

/* The root writes the file, and every rank opens it. Collective. */
static inline void data_open(mot_dataset *dataset, const mot_comm *comm)
{
    char path[64];
    int number = (int)getpid();
    MPI_Bcast(&number, 1, MPI_INT, 0, comm->mpi);
    snprintf(path, sizeof path, "train-data.%d.h5", number);
    if (comm->rank == MOT_ROOT) data_write(path);
    MPI_Barrier(comm->mpi);
    const mot_status status = mot_dataset_open(dataset, path, "train", 1 << 20);
    MPI_Barrier(comm->mpi);
    if (comm->rank == MOT_ROOT) unlink(path);
    mot_ck_ok(status);
}

/* A small model, with `more` YAML. */
static inline void data_configure(mot_config *config, const char *more)
{
    char text[2048];
    snprintf(text, sizeof text,
             "data: {file: none.h5}\nmodel.width: 8\nmodel.heads: 2\nmodel.depth: 1\nmodel.ffn: 12\n"
             "model.experts: 5\ngate.init: 0.3\n%s\n",
             more);
    mot_ck_ok(mot_config_parse(config, "test", text, 0, NULL));
    mot_ck_ok(mot_stages_resolve(config, DATA_SAMPLES, MOT_SAMPLE_VECTOR));
}

static inline mot_loss data_loss(const mot_config *config)
{
    mot_loss loss;
    mot_ck_ok(mot_loss_init(&loss, mot_loss_kind_at(config->train.loss), sizeof(int32_t), DATA_CLASSES));
    return loss;
}

static inline void data_model(mot_model *model, const mot_comm *comm, const mot_config *config)
{
    mot_ck_ok(
        mot_model_create(model, comm, config, DATA_TOKENS, DATA_WIDTH, 0, DATA_CLASSES, comm->size == 1));
    mot_model_init(model);
}

/* Whether two models have the same values, as far as this rank holds both. */
static inline bool data_same_units(const mot_model *a, const mot_model *b)
{
    for (size_t u = 0; u < a->units.count; ++u) {
        const mot_params *mine = a->units.unit[u].params, *other = b->units.unit[u].params;
        if (mine != NULL && other != NULL &&
            memcmp(mine->value, other->value, mine->table->count * sizeof(mot_real)) != 0)
            return false;
    }
    return true;
}

#endif
