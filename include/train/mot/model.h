/* model.h: the Mixture-of-Transformers as one rank holds it.
 *
 * The coordinator owns the gate; every rank owns its experts' own tensors whole; tied tensors are held by every rank
 * alike, and each expert has a gradient of its own for them:
 *
 *      expert's table   | embed ... | attention ... | ffn ... | head |       tie: [attention]
 *      own unit         | embed ... |               | ffn ... | head |       one a local expert
 *      tied unit                    | attention ... |                        one a rank, the same bits everywhere
 *
 * weight[e][row] and gradient[e][row] point into the one or the other, so that an expert does not know. */
#ifndef MOT_MODEL_H
#define MOT_MODEL_H

#include "mot/checkpoint.h"
#include "mot/choose.h"
#include "mot/comm.h"
#include "mot/config.h"
#include "mot/expert.h"
#include "mot/gate.h"
#include "mot/placement.h"

typedef struct mot_layer {
    const mot_expert_config *config; /* not owned, as the next */
    const mot_route_config *route;
    int experts;  /* E: those at work; config->experts in the beginning, and fewer after mot_model_keep */
    int *origin;  /* [E]: the number that each had in the beginning, ascending; owned */
    const mot_expert_kind *kind;
    mot_expert_shape shape;
    mot_table table, own_table, tied_table; /* an expert's tensors; those of its own; those tied */
    size_t first_unit, first_expert; /* in the model's list: its gate, and its expert 0 */
    mot_placement placement; /* changes in mot_model_move and mot_model_keep alone, with all that follows from it */
    int local;               /* experts of this rank */
    int shared, first_shared; /* experts that every sample passes beside the chosen ones: dense[first_shared ...] of the model */

    mot_gate gate;
    mot_params gate_params; /* on the root */
    mot_real *balance_bias; /* [E], on the root; elsewhere zero */
    mot_params tied;
    mot_params *own;         /* [local] */
    mot_real *tied_gradient; /* [local][tied_table.count] */
    const mot_real **weight; /* [local * table.rows] */
    mot_real **gradient;     /* [local * table.rows] */
    uint64_t *tied_met;      /* [local][size]: of tied_gradient, where it has words (met.h) */
    uint64_t **met;          /* [local]: of each expert's gradient, wherever its words are; NULL: it has none */
    double *tied_largest;    /* [tied_table.rows] */
    int64_t *tied_sum;       /* [tied_table.count] */
} mot_layer;

/* What all ranks hold alike: embedding, blocks that every sample passes, head; and each shared expert of a layer. */
typedef struct mot_dense {
    const char *group; /* its name in files; row s: the s-th of that name, or MOT_ALONE */
    int row;
    const mot_expert_config *config; /* not owned */
    const mot_expert_kind *kind;
    mot_expert_shape shape;
    mot_table table;
    mot_params params;
    const mot_real **weight; /* [table.rows] */
    size_t unit;             /* in the model's list */
    double *largest;         /* [table.rows]: for the exact sum of its gradients, as the next */
    int64_t *sum;            /* [table.count] */
} mot_dense;

/* The way of a sample through a model of several layers: one of `dense`, or of `layer`. */
typedef struct mot_flow {
    mot_layer_role role;
    int at;
} mot_flow;

typedef struct mot_model {
    const mot_config *config; /* not owned */
    const mot_comm *comm;     /* not owned */
    bool fold;                /* see mot_placement_init */
    mot_units units; /* layer by layer its gate, tied part, experts 0..E-1; what is held where changes with the placements */
    int layers;
    mot_layer *layer; /* [layers]: those with a gate and experts */
    int denses, flows; /* 0: one layer, whose experts are whole transformers */
    mot_dense *dense; /* [denses]: those of the flow in its order, and the shared experts of each layer */
    mot_flow *flow;   /* [flows]: embed, ..., head */
} mot_model;

/* Own unit of an expert of the first layer; NULL where this rank does not hold it. */
static inline mot_params *mot_model_expert(const mot_model *model, int expert)
{
    return model->units.unit[model->layer->first_expert + (size_t)expert].params;
}

/* The experts that a sample gets in a layer: K. */
static inline size_t mot_layer_choices(const mot_layer *layer)
{
    return mot_choice_count(layer->route, layer->experts);
}
static inline size_t mot_model_choices(const mot_model *model)
{
    return mot_layer_choices(model->layer);
}

/* The layer of a unit of the list; NULL: it is of none. */
const mot_layer *mot_model_layer_of(const mot_model *model, size_t unit);

/* Builds and initializes. Products are in bf16 where config->model.precision is MOT_RULE_BF16_ALWAYS, which the kind and the
 * processors of all ranks must have. `tokens, width, vocabulary` describe a sample, `outputs` the loss. `fold`: see
 * mot_placement_init. Collective only in that all ranks must call alike; errors are the same on every rank except for
 * memory. On failure everything is released. */
mot_status mot_model_create(mot_model *model, const mot_comm *comm, const mot_config *config, size_t tokens,
                            size_t width, size_t vocabulary, size_t outputs, bool fold);
void mot_model_free(mot_model *model);

/* Sets shape.precision to what config->model.precision comes to: fp32 where the kind, or the processor of any rank, cannot
 * take products in bf16, and, unless the rule is MOT_RULE_BF16_ALWAYS, where experts do not learn clearly faster with them,
 * over all ranks: that is measured now, on a tile, in some milliseconds (or three times what a tile takes). A line or a
 * warning says what came out. The same on every rank. Between mot_model_create and what asks for the shape; the gradient of
 * the first expert is zero afterwards. Collective; MOT_ERR_MEMORY, the same everywhere. */
mot_status mot_model_choose_precision(mot_model *model);

/* Initial values of all units: a pure function of the configuration's seed. */
void mot_model_init(mot_model *model);
/* Of one local expert: its own gradient and its part of the tied one, whole, so that anything may be added; and only where it has
 * met words since it was zeroed last, so that who adds to rows of words says so (layer->met). */
void mot_layer_zero_expert(mot_layer *layer, int local);
void mot_layer_clear_expert(mot_layer *layer, int local);
/* Rows of words have all that they missed (mot_params_catch_up), in all units that are here: before anybody looks at them. */
void mot_model_catch_up(mot_model *model);

/* Sums the experts' gradients of the tied tensors into tied.gradient of their layer, exactly: each is rounded once to a fixed-point
 * number of 62 - log2(E) bits below the largest of its tensor over all experts, and integers are added; so neither the
 * order nor the number of ranks can matter. Collective when anything is tied. */
void mot_model_sum_tied(mot_model *model);

/* Experts of a layer move to where `placement` has them, with parameters and optimizer state; no bit of what they learn depends on
 * it. `placement`, the same on every rank, is taken over in either case and left empty. MOT_ERR_MEMORY, the same
 * everywhere: the model is as it was. Between steps alone; collective. */
mot_status mot_model_move(mot_model *model, int layer, mot_placement *placement);
/* Bytes that travel for each expert that moves. */
size_t mot_layer_expert_bytes(const mot_layer *layer);

/* The experts with keep[E], the same on every rank, stay; the others go, and with them their values and optimizer state, their
 * places in the gate and in the balance bias. Those that stay are numbered 0..E'-1 in their order, keep every bit and the
 * number of their updates, and live where route.placement has them (mot_placement_left), which may leave ranks without any.
 * From then on the model is one that began with E' experts: random numbers go by the numbers that experts have now, and
 * nothing depends on ranks. At least one stays. MOT_ERR_INPUT: a gate that does not say which of its tensors have places for
 * experts; MOT_ERR_MEMORY. Both are the same everywhere, and leave the model as it was. A step that was made for the model
 * must be made anew (mot_step_renew). Between steps alone; collective. */
mot_status mot_model_keep(mot_model *model, const bool *keep);

/* The view that checkpoint and digest take, of a model that has caught up; `config_text` is not owned. */
mot_state mot_model_state(mot_model *model, const mot_progress *progress, const char *config_text);

/* Parameters of the gate, the tied part and one expert's own part; and bytes that this rank holds of values,
 * gradients (and sums of tied ones) and optimizer state. */
typedef struct mot_model_size {
    size_t gate, tied, own, all; /* numbers: of all layers' gates, of what all ranks hold alike, of an expert of the first layer;
                                    and of the whole */
    size_t of_expert;                  /* bytes that one more expert takes, of all that follows */
    size_t values, gradients, moments; /* bytes */
} mot_model_size;
mot_model_size mot_model_measure(const mot_model *model);

#endif
