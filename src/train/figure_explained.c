/* How much of targets that are numbers is explained: what their mean would lose tells what a loss is worth. */
#include "mot/eval_figure.h"

#include <math.h>

#include "mot/memory.h"

static void describe(mot_evaluation *e)
{
    if (e->loss.kind->of_constant == NULL) return;
    e->figures = 1;
    e->figure[0] = MOT_FIGURE(
        "explained", "eval.explained",
        "1 - loss / loss of the mean of the targets: 1 is right, 0 no better than that mean");
}

/* The loss of the constant, over the targets of the evaluated samples; on the root. */
static mot_status create(mot_evaluation *e)
{
    const size_t samples = (size_t)e->set->samples;
    unsigned char *target = NULL;
    double *loss;
    mot_status status = MOT_OK;
    if (e->model->comm->rank != MOT_ROOT) return MOT_OK;
    MOT_TRY(mot_allocate(&e->own, 1, sizeof *loss, "the targets"));
    MOT_TRY(mot_allocate(&target, samples, e->loss.target_bytes, "the targets"));
    MOT_TRY(mot_dataset_targets(e->set, target));
    loss = e->own;
    *loss = e->loss.kind->of_constant(&e->loss, samples, target);
done:
    mot_free(target);
    return status;
}

static void destroy(mot_evaluation *e)
{
    mot_free(e->own);
}

static void end(mot_evaluation *e)
{
    const double *constant = e->own;
    if (constant != NULL) *e->value[0] = *constant > 0 ? 1 - *e->mean_loss / *constant : NAN;
}

const mot_figure_kind mot_figure_explained = {
    .kind = {"explained"}, .describe = describe, .create = create, .destroy = destroy, .end = end};
