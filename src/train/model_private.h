/* model_private.h: how a rank's experts are held. Included by src/train/model*.c and step_split.c alone. */
#ifndef MOT_MODEL_PRIVATE_H
#define MOT_MODEL_PRIVATE_H

#include "mot/model.h"

/* The fields of a layer that depend on its placement, for another one; and the model's list with it. */
typedef struct model_experts {
    int layer;
    mot_units units;
    mot_placement placement;
    int local;
    mot_params *own;         /* of experts that the model has, the same memory */
    mot_real *tied_gradient; /* and so on: as in the layer */
    const mot_real **weight;
    mot_real **gradient;
    uint64_t *tied_met;
    uint64_t **met;
    const int *from; /* [placement.experts]: their numbers in the layer; NULL: the same; not owned */
} model_experts;

/* Unit u of those held, as the model has it. */
static inline const mot_unit *mot_model_former(const mot_model *model, const model_experts *held, size_t u)
{
    const mot_layer *layer = &model->layer[held->layer];
    const size_t first = layer->first_expert, experts = (size_t)held->placement.experts;
    if (u >= first + experts) u = u - experts + (size_t)layer->experts;
    else if (u >= first && held->from != NULL) u = first + (size_t)held->from[u - first];
    return &model->units.unit[u];
}

/* Where row r of an expert's table lies: in the tied unit, or in its own. Rows are asked for from 0 on, one after another. */
typedef struct model_place {
    bool tied;
    size_t offset;
    size_t rows[2]; /* so far: of its own, tied */
} model_place;
static inline void mot_layer_next(const mot_layer *layer, size_t r, model_place *place)
{
    place->tied = layer->config->tie >> layer->table.row[r].part & 1u;
    const mot_table *table = place->tied ? &layer->tied_table : &layer->own_table;
    place->offset = table->row[place->rows[place->tied]++].offset;
}

/* Room for the experts of a layer that `placement`, which is taken over in either case, gives this rank; those that it has
 * already, under the numbers from[] (NULL: the same), are kept. On failure everything new is released, and the model is as it
 * was. Not collective. */
mot_status mot_model_hold(const mot_model *model, int layer, mot_placement *placement, const int *from,
                          model_experts *held);
/* Of what was held, all that is not the model's. */
void mot_model_let_go(const mot_model *model, model_experts *held);
/* The layer's experts become these; those that it no longer has are released. */
void mot_model_adopt(mot_model *model, model_experts *held);
/* model_move.c: mot_model_move to experts that had the numbers from[] (NULL: the same), ascending; others go. */
mot_status mot_model_settle(mot_model *model, int layer, mot_placement *placement, const int *from);

/* model_dense.c: what all ranks hold alike, with config, kind, shape and its name in files given, as unit `unit` of random
 * numbers; on failure free it. And the name of the `number`-th of the flow. */
mot_status mot_dense_create(mot_dense *dense, int unit);
void mot_dense_free(mot_dense *dense);
const char *mot_dense_name(int number);

/* exact_sum.c: the gradient of `total` = the sum of `all` terms, of which this rank has `terms`: each number is rounded once to
 * a fixed-point number of 62 - log2(all) bits below the largest of its tensor over all terms, and integers are added; so
 * neither the order nor the number of ranks can matter. NaN where a tensor is not finite. Collective; nothing where the table
 * is empty. Of words that no term met nothing is summed or sent; `total` has met those of all. */
typedef struct exact_sum {
    const mot_comm *comm;
    const mot_table *table;
    const mot_real *term; /* [terms, table->count] */
    const uint64_t *met;  /* [terms, size]: of a table of words (met.h), which of their rows each has */
    size_t terms, all;
    double *largest; /* [table->rows], scratch, as the next */
    int64_t *fixed;  /* [table->count] */
} exact_sum;
void mot_exact_sum(const exact_sum *sum, mot_params *total);

#endif
