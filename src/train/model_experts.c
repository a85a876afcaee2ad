/* The experts of a layer that this rank holds. */
#include "model_private.h"

#include <string.h>

#include "mot/memory.h"

/* Points an expert's weights and gradients into its own unit and the tied one. */
static void point(const mot_layer *layer, model_experts *held, int local)
{
    const mot_params *params = &held->own[local];
    const size_t tied = (size_t)local * layer->tied_table.count;
    model_place place = {0};
    for (size_t r = 0; r < layer->table.rows; ++r) {
        const size_t at = (size_t)local * layer->table.rows + r;
        mot_layer_next(layer, r, &place);
        held->weight[at] = (place.tied ? layer->tied.value : params->value) + place.offset;
        held->gradient[at] = (place.tied ? held->tied_gradient + tied : params->gradient) + place.offset;
    }
}

/* Where an expert notes the words that it met: in its own unit, or with its tied gradient. */
static void point_met(const mot_layer *layer, model_experts *held, int local)
{
    const size_t size = mot_met_size(mot_table_vocabulary(&layer->tied_table));
    held->met[local] = size > 0 ? held->tied_met + (size_t)local * size : held->own[local].met;
}

static int expert_at(const mot_model *model, const mot_placement *placement, int local)
{
    return placement->local[placement->first[model->comm->rank] + local];
}

/* The model's list, with experts of the layer where the placement has them, and none of them here yet. */
static mot_status copy_units(const mot_model *model, model_experts *held)
{
    const mot_layer *layer = &model->layer[held->layer];
    const size_t first = layer->first_expert, before = (size_t)layer->experts,
                 experts = (size_t)held->placement.experts, count = model->units.count - before + experts;
    mot_unit *unit;
    const mot_status status = mot_allocate(&unit, count, sizeof *unit, "units");
    if (status != MOT_OK) return status;
    held->units = (mot_units){count, unit};
    memcpy(unit, model->units.unit, first * sizeof *unit);
    for (size_t e = 0; e < experts; ++e)
        unit[first + e] = (mot_unit){model->units.unit[first].group, (int)e, &layer->own_table, MOT_ROLE_EXPERT,
                                     held->placement.owner[e], NULL};
    memcpy(unit + first + experts, model->units.unit + first + before, (count - first - experts) * sizeof *unit);
    return MOT_OK;
}

/* What the model has already of an expert of those held; NULL: it is new here. */
static mot_params *former(const mot_model *model, const model_experts *held, int expert)
{
    return mot_model_former(model, held, model->layer[held->layer].first_expert + (size_t)expert)->params;
}

mot_status mot_model_hold(const mot_model *model, int number, mot_placement *placement, const int *from,
                          model_experts *held)
{
    const mot_layer *layer = &model->layer[number];
    mot_status status;
    const int count = mot_placement_count(placement, model->comm->rank);
    const size_t local = (size_t)count, rows = layer->table.rows;
    *held = (model_experts){.layer = number, .placement = *placement, .from = from};
    *placement = (mot_placement){0};
    MOT_TRY(copy_units(model, held));
    MOT_TRY(mot_allocate(&held->own, local, sizeof *held->own, "experts"));
    MOT_TRY(mot_allocate(&held->tied_gradient, local * layer->tied_table.count, sizeof(mot_real),
                         "tied gradients"));
    MOT_TRY(mot_allocate(&held->weight, local * rows, sizeof(void *), "experts"));
    MOT_TRY(mot_allocate(&held->gradient, local * rows, sizeof(void *), "experts"));
    MOT_TRY(mot_allocate(&held->met, local, sizeof *held->met, "experts"));
    MOT_TRY(mot_allocate(&held->tied_met, local * mot_met_size(mot_table_vocabulary(&layer->tied_table)),
                         sizeof *held->tied_met, "words"));
    for (; held->local < count; ++held->local) {
        const int expert = expert_at(model, &held->placement, held->local);
        mot_params *own = &held->own[held->local], *const before = former(model, held, expert);
        if (before != NULL)
            *own = *before;
        else
            MOT_TRY(mot_params_create(own, &layer->own_table, 0));
        own->unit = mot_unit_of(number, expert);
        held->units.unit[layer->first_expert + (size_t)expert].params = own;
        point(layer, held, held->local);
        point_met(layer, held, held->local);
    }
done:
    if (status != MOT_OK) mot_model_let_go(model, held);
    return status;
}

static void free_arrays(model_experts *held)
{
    mot_free(held->gradient);
    mot_free(held->weight);
    mot_free(held->tied_gradient);
    mot_free(held->tied_met);
    mot_free(held->met);
    mot_free(held->own);
    mot_free(held->units.unit);
    mot_placement_free(&held->placement);
    *held = (model_experts){0};
}

void mot_model_let_go(const mot_model *model, model_experts *held)
{
    for (int i = 0; i < held->local; ++i)
        if (former(model, held, expert_at(model, &held->placement, i)) == NULL) mot_params_free(&held->own[i]);
    free_arrays(held);
}

void mot_model_adopt(mot_model *model, model_experts *held)
{
    mot_layer *layer = &model->layer[held->layer];
    for (int i = 0; i < held->local; ++i) { /* theirs now */
        mot_params *const before = former(model, held, expert_at(model, &held->placement, i));
        if (before != NULL) *before = (mot_params){0};
    }
    for (int i = 0; i < layer->local; ++i) mot_params_free(&layer->own[i]);
    model_experts before = {.units = model->units,
                            .placement = layer->placement,
                            .own = layer->own,
                            .tied_gradient = layer->tied_gradient,
                            .weight = layer->weight,
                            .gradient = layer->gradient,
                            .tied_met = layer->tied_met,
                            .met = layer->met};
    free_arrays(&before);
    model->units = held->units;
    layer->placement = held->placement;
    layer->local = held->local;
    layer->own = held->own;
    layer->tied_gradient = held->tied_gradient;
    layer->weight = held->weight;
    layer->gradient = held->gradient;
    layer->tied_met = held->tied_met;
    layer->met = held->met;
    *held = (model_experts){0};
}
