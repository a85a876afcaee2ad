/* model_private.h: how a rank's experts are held. Included by src/train/model*.c alone. */
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
} model_experts;

/* Room for the experts that `placement`, which is taken over in either case, gives this rank; those that the model has
 * already are kept. On failure everything new is released, and the model is as it was. Not collective. */
mot_status mot_model_hold(const mot_model *model, mot_placement *placement, model_experts *held);
/* Of what was held, all that is not the model's. */
void mot_model_let_go(const mot_model *model, model_experts *held);
/* The model's experts become these; those that it no longer has are released. */
void mot_model_adopt(mot_model *model, model_experts *held);

#endif
