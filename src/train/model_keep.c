/* Experts go; those that stay are numbered anew, in their order. */
#include <string.h>

#include "model_private.h"
#include "mot/memory.h"

/* What a model of fewer experts has besides what ranks hold of them. */
typedef struct fewer {
    int experts;
    int *from, *origin; /* [experts]: numbers in the model as it is, and in the beginning */
    mot_real *balance_bias;
    mot_gate *gate;
    mot_params gate_params; /* on the root */
    mot_placement placement;
} fewer;

static void free_fewer(fewer *to)
{
    mot_free(to->from);
    mot_free(to->origin);
    mot_free(to->balance_bias);
    mot_free(to->gate);
    mot_params_free(&to->gate_params);
    mot_placement_free(&to->placement);
}

/* ---- the gate ---- */

/* Whether a tensor of the gate changes with the number of experts along its axis of them alone. */
static bool is_alike(const mot_tensor *before, const mot_tensor *after, size_t experts, size_t left)
{
    bool alike = before->rank == after->rank && before->expert_axis == after->expert_axis;
    for (int d = 0; alike && d < before->rank; ++d)
        alike = d == before->expert_axis ? before->shape[d] == experts && after->shape[d] == left
                                         : before->shape[d] == after->shape[d];
    return alike;
}

static mot_status check_gate(const mot_gate *before, const mot_gate *after)
{
    for (size_t r = 0; r < before->table.rows; ++r) {
        const mot_tensor *row = &before->table.row[r];
        if (after->table.rows == before->table.rows &&
            is_alike(row, &after->table.row[r], before->experts, after->experts))
            continue;
        return mot_fail(MOT_ERR_INPUT,
                        "gate.kind = %s: its tensor '%s' does not say which of its axes is that of the experts, so none "
                        "of them can go",
                        before->kind->kind.name, row->name);
    }
    return MOT_OK;
}

/* A block of the gate's parameters, values or moments: of a tensor with places for experts those of the ones that stay. */
static void select_block(const fewer *to, const mot_table *table, const mot_real *block, mot_real *selected)
{
    for (size_t r = 0; r < table->rows; ++r) {
        const mot_tensor *const row = &table->row[r], *const left = &to->gate->table.row[r];
        const mot_real *const whole = block + row->offset;
        mot_real *at = selected + left->offset;
        size_t outer = 1, inner = 1;
        if (row->expert_axis < 0) {
            memcpy(at, whole, row->count * sizeof *at);
            continue;
        }
        for (int d = 0; d < row->rank; ++d) {
            if (d < row->expert_axis) outer *= row->shape[d];
            if (d > row->expert_axis) inner *= row->shape[d];
        }
        const size_t E = row->shape[row->expert_axis];
        for (size_t o = 0; o < outer; ++o)
            for (int e = 0; e < to->experts; ++e, at += inner)
                memcpy(at, whole + (o * E + (size_t)to->from[e]) * inner, inner * sizeof *at);
    }
}

static mot_status make_gate(const mot_model *model, fewer *to)
{
    const mot_expert_shape *shape = &model->layer->shape;
    const mot_params *whole = &model->layer->gate_params;
    mot_params *params = &to->gate_params;
    mot_status status;
    MOT_TRY(mot_allocate_sparse(&to->gate, 1, sizeof *to->gate, "a gate"));
    MOT_TRY(mot_gate_init(to->gate, model->layer->gate.config, (size_t)to->experts, shape->tokens, shape->width,
                          shape->vocabulary, model->layer->gate.classes));
    MOT_TRY(check_gate(&model->layer->gate, to->gate));
    if (model->comm->rank != MOT_ROOT) goto done;
    MOT_TRY(mot_params_create(params, &to->gate->table, MOT_UNIT_GATE));
    select_block(to, whole->table, whole->value, params->value);
    for (int m = 0; m < 2; ++m) select_block(to, whole->table, whole->moment[m], params->moment[m]);
    params->updates = whole->updates;
done:
    return status;
}

/* ---- the whole ---- */

/* All that a rank needs before anything changes. */
static mot_status prepare(const mot_model *model, const bool *keep, fewer *to)
{
    const mot_config *config = model->config;
    int left = 0;
    mot_status status;
    for (int e = 0; e < model->layer->experts; ++e) left += keep[e];
    const size_t count = (size_t)left;
    MOT_TRY(mot_allocate(&to->from, count, sizeof(int), "the numbers of experts"));
    MOT_TRY(mot_allocate(&to->origin, count, sizeof(int), "the numbers of experts"));
    MOT_TRY(mot_allocate(&to->balance_bias, count, sizeof(mot_real), "the balance bias"));
    for (int e = 0; e < model->layer->experts; ++e) {
        if (!keep[e]) continue;
        to->from[to->experts] = e;
        to->origin[to->experts] = model->layer->origin[e];
        to->balance_bias[to->experts++] = model->layer->balance_bias[e];
    }
    MOT_TRY(mot_placement_left(&to->placement, config->route.placement, config->model.experts, left, to->origin,
                               model->comm->size, config->route.dedicated, model->fold));
    MOT_TRY(make_gate(model, to));
done:
    return status;
}

/* The model gets what is its own now, and `to` what was. */
static void swap(mot_model *model, fewer *to)
{
    int *const origin = model->layer->origin;
    mot_real *const bias = model->layer->balance_bias;
    const mot_params params = model->layer->gate_params;
    model->layer->experts = to->experts;
    model->layer->origin = to->origin;
    model->layer->balance_bias = to->balance_bias;
    model->layer->gate = *to->gate;
    model->layer->gate_params = to->gate_params;
    if (model->layer->gate_params.table != NULL) model->layer->gate_params.table = &model->layer->gate.table;
    to->origin = origin;
    to->balance_bias = bias;
    to->gate_params = params;
}

mot_status mot_model_keep(mot_model *model, const bool *keep)
{
    fewer to = {0};
    mot_status status;
    mot_model_catch_up(model);
    MOT_TRY(mot_comm_agree(model->comm, prepare(model, keep, &to)));
    MOT_TRY(mot_model_settle(model, 0, &to.placement, to.from)); /* the same everywhere */
    swap(model, &to);
done:
    free_fewer(&to);
    return status;
}
