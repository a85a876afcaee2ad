/* model_private.h: how a rank's experts are held. Included by src/train/model*.c and step_split.c alone. */
#ifndef MOT_MODEL_PRIVATE_H
#define MOT_MODEL_PRIVATE_H

#include "mot/model.h"

/* The fields of a model that depend on its placement, for another one. */
typedef struct model_experts {
    mot_units units;
    mot_placement placement;
    int local;
    mot_params *own;         /* of experts that the model has, the same memory */
    mot_real *tied_gradient; /* and so on: as in the model */
    const mot_real **weight;
    mot_real **gradient;
    const int *from; /* [placement.experts]: their numbers in the model; NULL: the same; not owned */
} model_experts;

/* Unit u of those held, as the model has it. */
static inline const mot_unit *mot_model_former(const mot_model *model, const model_experts *held, size_t u)
{
    const size_t first = model->first_expert;
    const bool same = u < first || held->from == NULL;
    return &model->units.unit[same ? u : first + (size_t)held->from[u - first]];
}

/* Where row r of an expert's table lies: in the tied unit, or in its own. Rows are asked for from 0 on, one after another. */
typedef struct model_place {
    bool tied;
    size_t offset;
    size_t rows[2]; /* so far: of its own, tied */
} model_place;
static inline void mot_model_next(const mot_model *model, size_t r, model_place *place)
{
    place->tied = model->config->model.tie >> model->table.row[r].part & 1u;
    const mot_table *table = place->tied ? &model->tied_table : &model->own_table;
    place->offset = table->row[place->rows[place->tied]++].offset;
}

/* Room for the experts that `placement`, which is taken over in either case, gives this rank; those that the model has
 * already, under the numbers from[] (NULL: the same), are kept. On failure everything new is released, and the model is as it
 * was. Not collective. */
mot_status mot_model_hold(const mot_model *model, mot_placement *placement, const int *from,
                          model_experts *held);
/* Of what was held, all that is not the model's. */
void mot_model_let_go(const mot_model *model, model_experts *held);
/* The model's experts become these; those that it no longer has are released. */
void mot_model_adopt(mot_model *model, model_experts *held);
/* model_move.c: mot_model_move to experts that had the numbers from[] (NULL: the same), ascending; others go. */
mot_status mot_model_settle(mot_model *model, mot_placement *placement, const int *from);

#endif
