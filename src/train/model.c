#include "model_private.h"

#include <math.h>
#include <string.h>

#include "mot/memory.h"
#include "mot/stack_kinds.h"

/* ---- one layer ---- */

/* What the configuration says of a layer, and of the samples that come to it. */
typedef struct layer_plan {
    const mot_expert_config *config;
    const mot_gate_config *gate;
    const mot_route_config *route;
    const mot_expert_kind *kind;
    mot_expert_shape shape, seen; /* of what experts work on, and of what the gate sees */
} layer_plan;

static mot_status create_layer(mot_model *model, mot_layer *layer, const layer_plan *plan)
{
    const int E = plan->config->experts, number = (int)(layer - model->layer);
    const mot_expert_shape *shape = &plan->shape, *seen = &plan->seen;
    mot_status status;
    layer->config = plan->config;
    layer->route = plan->route;
    layer->experts = E;
    layer->kind = plan->kind;
    layer->shape = *shape;
    MOT_TRY(layer->kind->table(shape, &layer->table));
    mot_table_select(&layer->own_table, &layer->table, plan->config->tie, false);
    mot_table_select(&layer->tied_table, &layer->table, plan->config->tie, true);
    MOT_TRY(mot_gate_init(&layer->gate, plan->gate, (size_t)E, seen->tokens, seen->width, seen->vocabulary,
                          MOT_MAX(shape->outputs, (size_t)2))); /* one output: two classes */
    MOT_TRY(mot_allocate(&layer->origin, (size_t)E, sizeof(int), "the numbers of experts"));
    for (int e = 0; e < E; ++e) layer->origin[e] = e;
    MOT_TRY(mot_allocate(&layer->tied_largest, layer->tied_table.rows, sizeof(double), "tied gradients"));
    MOT_TRY(mot_allocate(&layer->tied_sum, layer->tied_table.count, sizeof(int64_t), "tied gradients"));
    MOT_TRY(mot_params_create(&layer->tied, &layer->tied_table, mot_unit_of(number, MOT_UNIT_TIED)));
    if (model->comm->rank == MOT_ROOT)
        MOT_TRY(mot_params_create(&layer->gate_params, &layer->gate.table, mot_unit_of(number, MOT_UNIT_GATE)));
done:
    return status;
}

static void free_layer(mot_layer *layer)
{
    mot_free(layer->tied_sum);
    mot_free(layer->tied_largest);
    mot_free(layer->gradient);
    mot_free(layer->weight);
    mot_free(layer->tied_gradient);
    mot_free(layer->tied_met);
    mot_free(layer->met);
    mot_params_free(&layer->tied); /* those that are not in the list yet */
    mot_params_free(&layer->gate_params);
    mot_free(layer->own);
    mot_free(layer->origin);
    mot_placement_free(&layer->placement);
}

/* ---- the whole ---- */

/* Names of units in files: of the first layer's gate, tied part, experts and shared experts, and those of the layers behind it. */
enum { PARTS = 4 };
static const char *const unit_names[MOT_MAX_LAYERS][PARTS] = {
#define OF_LAYER(l) {"layer" #l "_gate", "layer" #l "_tied", "layer" #l "_experts", "layer" #l "_shared"}
    {"gate", "tied", "experts", "shared"}, OF_LAYER(1),  OF_LAYER(2),  OF_LAYER(3),  OF_LAYER(4),  OF_LAYER(5),
    OF_LAYER(6),                           OF_LAYER(7),  OF_LAYER(8),  OF_LAYER(9),  OF_LAYER(10), OF_LAYER(11),
    OF_LAYER(12),                          OF_LAYER(13), OF_LAYER(14), OF_LAYER(15),
#undef OF_LAYER
};

/* A layer's units, the last of the list; its experts are nowhere yet. */
static mot_status list_units(mot_model *model, mot_layer *layer)
{
    const size_t experts = (size_t)layer->experts;
    const char *const *name = unit_names[layer - model->layer];
    const mot_unit alone[] = {
        {name[0], MOT_ALONE, &layer->gate.table, MOT_ROLE_GATE, MOT_ROOT,
         model->comm->rank == MOT_ROOT ? &layer->gate_params : NULL},
        {name[1], MOT_ALONE, &layer->tied_table, MOT_ROLE_EXPERT, MOT_ALIKE, &layer->tied},
    };
    const size_t count = model->units.count + MOT_COUNT(alone) + experts;
    size_t room = model->units.count;
    mot_status status = mot_reserve(&model->units.unit, &room, count, sizeof *model->units.unit, "units");
    if (status != MOT_OK) return status;
    layer->first_unit = model->units.count;
    layer->first_expert = layer->first_unit + MOT_COUNT(alone);
    model->units.count = count;
    memcpy(model->units.unit + layer->first_unit, alone, sizeof alone);
    for (size_t e = 0; e < experts; ++e)
        model->units.unit[layer->first_expert + e] =
            (mot_unit){name[2], (int)e, &layer->own_table, MOT_ROLE_EXPERT, MOT_ROOT, NULL};
    return MOT_OK;
}

static mot_status list_dense(mot_model *model, int number)
{
    mot_dense *dense = &model->dense[number];
    size_t room = model->units.count;
    const mot_status status = mot_reserve(&model->units.unit, &room, room + 1, sizeof *model->units.unit, "units");
    if (status != MOT_OK) return status;
    dense->unit = model->units.count++;
    model->units.unit[dense->unit] =
        (mot_unit){dense->group, dense->row, &dense->table, MOT_ROLE_EXPERT, MOT_ALIKE, &dense->params};
    return MOT_OK;
}

/* Its experts come to the ranks. */
static mot_status place_layer(mot_model *model, int number)
{
    const mot_layer *layer = &model->layer[number];
    const mot_route_config *route = layer->route;
    mot_placement placement = {0};
    model_experts held;
    mot_status status;
    MOT_TRY(mot_placement_init(&placement, route->placement, layer->experts, model->comm->size, route->dedicated,
                               model->fold));
    MOT_TRY(mot_model_hold(model, number, &placement, NULL, &held));
    mot_model_adopt(model, &held);
done:
    mot_placement_free(&placement);
    return status;
}

/* One block for all layers, as a checkpoint has it. */
static mot_status create_bias(mot_model *model)
{
    size_t experts = 0;
    mot_real *bias;
    for (int l = 0; l < model->layers; ++l) experts += (size_t)model->layer[l].experts;
    const mot_status status = mot_allocate(&bias, experts, sizeof *bias, "the balance bias");
    for (int l = 0; status == MOT_OK && l < model->layers; bias += model->layer[l++].experts)
        model->layer[l].balance_bias = bias;
    return status;
}

/* One layer, whose experts are whole transformers. */
static mot_status create_alone(mot_model *model, const mot_expert_shape *shape)
{
    const mot_config *config = model->config;
    const layer_plan plan = {&config->model, &config->gate, &config->route, mot_expert_kind_at(config->model.kind), *shape,
                             *shape};
    mot_status status;
    MOT_TRY(mot_allocate_sparse(&model->layer, 1, sizeof *model->layer, "layers"));
    model->layers = 1;
    MOT_TRY(create_layer(model, model->layer, &plan));
    MOT_TRY(list_units(model, model->layer));
done:
    return status;
}

/* Behind those of the flow. */
static mot_status create_shared(mot_model *model, mot_layer *layer, int shared)
{
    const int number = (int)(layer - model->layer);
    mot_status status = MOT_OK;
    layer->first_shared = model->denses;
    layer->shared = shared;
    for (int s = 0; s < shared; ++s) {
        mot_dense *dense = &model->dense[model->denses++];
        *dense = (mot_dense){unit_names[number][PARTS - 1], s, layer->config, layer->kind, .shape = layer->shape};
        MOT_TRY(mot_dense_create(dense, mot_unit_of(number, MOT_UNIT_SHARED + s)));
    }
done:
    return status;
}

/* Embedding, layers and head. */
static mot_status create_flow(mot_model *model, const mot_expert_shape *shape)
{
    const mot_config *config = model->config;
    size_t denses = 0;
    mot_status status;
    for (int i = 0; i < config->layers; ++i)
        denses += config->layer[i].role == MOT_LAYER_EXPERTS ? (size_t)config->layer[i].shared : 1;
    MOT_TRY(mot_allocate(&model->flow, (size_t)config->layers, sizeof *model->flow, "layers"));
    MOT_TRY(mot_allocate_sparse(&model->layer, (size_t)config->layers, sizeof *model->layer, "layers"));
    MOT_TRY(mot_allocate_sparse(&model->dense, denses, sizeof *model->dense, "layers"));
    for (int i = 0; i < config->layers; ++i) {
        const mot_layer_config *of = &config->layer[i];
        const size_t rows = mot_expert_rows(&mot_embed_kind, &(mot_expert_shape){.config = &of->model}, shape->tokens);
        const mot_expert_shape state = {&of->model, rows, of->model.width, 0, shape->outputs, shape->precision};
        const layer_plan plan = {&of->model, &of->gate, &of->route, &mot_blocks_kind, state,
                                 of->gate.input == MOT_GATE_STATE ? state : *shape};
        const bool experts = of->role == MOT_LAYER_EXPERTS;
        model->flow[model->flows++] = (mot_flow){of->role, experts ? model->layers : model->denses};
        if (experts) {
            MOT_TRY(create_layer(model, &model->layer[model->layers++], &plan));
            MOT_TRY(list_units(model, &model->layer[model->layers - 1]));
        } else {
            mot_expert_shape samples = *shape;
            samples.config = &of->model;
            const int number = model->denses++;
            model->dense[number] = (mot_dense){mot_dense_name(number), MOT_ALONE, &of->model,
                                               of->role == MOT_LAYER_EMBED  ? &mot_embed_kind
                                               : of->role == MOT_LAYER_HEAD ? &mot_head_kind
                                                                            : &mot_blocks_kind,
                                               .shape = of->role == MOT_LAYER_EMBED ? samples : state};
            MOT_TRY(mot_dense_create(&model->dense[number], mot_unit_of(number, MOT_UNIT_DENSE)));
        }
    }
    for (int i = 0, l = 0; i < config->layers; ++i)
        if (config->layer[i].role == MOT_LAYER_EXPERTS)
            MOT_TRY(create_shared(model, &model->layer[l++], config->layer[i].shared));
    for (int d = 0; d < model->denses; ++d) MOT_TRY(list_dense(model, d));
done:
    return status;
}

mot_status mot_model_create(mot_model *model, const mot_comm *comm, const mot_config *config, size_t tokens,
                            size_t width, size_t vocabulary, size_t outputs, bool fold)
{
    const mot_expert_config *expert = &config->model;
    const mot_precision precision = expert->precision == MOT_RULE_BF16_ALWAYS ? MOT_PRECISION_BF16
                                                                              : MOT_PRECISION_FP32;
    const mot_expert_shape shape = {expert, tokens, width, vocabulary, outputs, precision};
    mot_status status;
    *model = (mot_model){.config = config, .comm = comm, .fold = fold};
    MOT_TRY(config->layers > 0 ? create_flow(model, &shape) : create_alone(model, &shape));
    MOT_TRY(create_bias(model));
    for (int l = 0; l < model->layers; ++l) MOT_TRY(place_layer(model, l));
done:
    if (status != MOT_OK) mot_model_free(model);
    return status;
}

void mot_model_free(mot_model *model)
{
    for (size_t u = 0; u < model->units.count; ++u)
        if (model->units.unit[u].params != NULL) mot_params_free(model->units.unit[u].params);
    if (model->layers > 0) mot_free(model->layer[0].balance_bias);
    for (int l = 0; l < model->layers; ++l) free_layer(&model->layer[l]);
    for (int d = 0; d < model->denses; ++d) mot_dense_free(&model->dense[d]);
    mot_free(model->units.unit);
    mot_free(model->layer);
    mot_free(model->dense);
    mot_free(model->flow);
    *model = (mot_model){0};
}

const mot_layer *mot_model_layer_of(const mot_model *model, size_t unit)
{
    for (int l = 0; l < model->layers; ++l)
        if (unit >= model->layer[l].first_unit && unit < model->layer[l].first_expert + (size_t)model->layer[l].experts)
            return &model->layer[l];
    return NULL;
}

/* A spread gate's directions begin orthogonal to those of the experts. The root makes these for itself, where a gradient
 * will be: each is a pure function of the seed. */
static void part_directions(const mot_model *model, int number)
{
    mot_layer *layer = &model->layer[number];
    const mot_gate *gate = &layer->gate;
    const mot_table *tied = &layer->tied_table, *own = &layer->own_table;
    if (model->comm->rank != MOT_ROOT || !gate->kind->spread || !layer->kind->directed ||
        layer->table.row[0].count != gate->features)
        return;
    mot_real *direction = layer->gate_params.gradient;
    const bool shared = layer->config->tie >> layer->table.row[0].part & 1u;
    for (size_t e = 0; e < gate->experts; ++e) {
        mot_params_init_row(shared ? tied : own, mot_unit_of(number, shared ? MOT_UNIT_TIED : (int)e),
                            model->config->seed, 0, direction);
        mot_gate_part_from(gate, &layer->gate_params, e, direction);
    }
    mot_params_zero_gradient(&layer->gate_params);
}

void mot_model_init(mot_model *model)
{
    for (size_t u = 0; u < model->units.count; ++u)
        if (model->units.unit[u].params != NULL)
            mot_params_init(model->units.unit[u].params, model->config->seed);
    for (int l = 0; l < model->layers; ++l) {
        const mot_layer *layer = &model->layer[l];
        part_directions(model, l);
        memset(layer->balance_bias, 0, (size_t)layer->experts * sizeof(mot_real));
    }
}

void mot_layer_zero_expert(mot_layer *layer, int local)
{
    const size_t tied = layer->tied_table.count;
    const size_t words = mot_table_vocabulary(&layer->tied_table);
    mot_params_zero_gradient(&layer->own[local]);
    memset(layer->tied_gradient + (size_t)local * tied, 0, tied * sizeof(mot_real));
    if (words > 0) mot_met_all(layer->met[local], words);
}

void mot_layer_clear_expert(mot_layer *layer, int local)
{
    mot_params *own = &layer->own[local];
    const mot_table *tied = &layer->tied_table;
    mot_table_clear(own->table, own->gradient, own->met);
    mot_table_clear(tied, layer->tied_gradient + (size_t)local * tied->count, tied->words > 0 ? layer->met[local] : NULL);
}

void mot_model_catch_up(mot_model *model)
{
    for (size_t u = 0; u < model->units.count; ++u)
        if (model->units.unit[u].params != NULL) mot_params_catch_up(model->units.unit[u].params);
}

void mot_model_sum_tied(mot_model *model)
{
    for (int l = 0; l < model->layers; ++l) {
        mot_layer *layer = &model->layer[l];
        mot_exact_sum(&(exact_sum){model->comm, &layer->tied_table, layer->tied_gradient, layer->tied_met,
                                   (size_t)layer->local, (size_t)layer->experts, layer->tied_largest, layer->tied_sum},
                      &layer->tied);
    }
}

mot_state mot_model_state(mot_model *model, const mot_progress *progress, const char *config_text)
{
    const mot_layer *layer = model->layer;
    int biases = 0;
    mot_model_catch_up(model);
    for (int l = 0; l < model->layers; ++l) biases += model->layer[l].experts;
    return (mot_state){
        .progress = *progress,
        .units = model->units,
        .experts = layer->experts,
        .origin = layer->experts < layer->config->experts ? layer->origin : NULL,
        .balance_bias = layer->balance_bias,
        .biases = biases,
        .config_text = config_text,
        .seed = model->config->seed,
    };
}

/* What rows of words have missed, beside the moments. */
static size_t late_bytes(const mot_table *table)
{
    return table->words > 0 ? mot_lag_bytes(mot_table_vocabulary(table)) : 0;
}

mot_model_size mot_model_measure(const mot_model *model)
{
    const mot_part_set all = ~0u;
    const size_t real = sizeof(mot_real);
    mot_model_size size = {0};
    size_t held = 0, sums = 0, late = 0;
    for (size_t u = 0; u < model->units.count; ++u) {
        if (model->units.unit[u].params != NULL) {
            held += model->units.unit[u].table->count * real;
            late += late_bytes(model->units.unit[u].table);
        }
        size.all += mot_table_parameters(model->units.unit[u].table, all);
    }
    for (int l = 0; l < model->layers; ++l) {
        const mot_layer *layer = &model->layer[l];
        size.gate += mot_table_parameters(&layer->gate.table, all);
        size.tied += mot_table_parameters(&layer->tied_table, all);
        sums += layer->tied_table.count * ((size_t)layer->local * real + sizeof(int64_t));
    }
    for (int d = 0; d < model->denses; ++d) {
        size.tied += mot_table_parameters(&model->dense[d].table, all);
        sums += model->dense[d].table.count * sizeof(int64_t);
    }
    size.own = mot_table_parameters(&model->layer->own_table, all);
    size.of_expert = (4 * model->layer->own_table.count + model->layer->tied_table.count) * real +
                     late_bytes(&model->layer->own_table);
    size.values = held;
    size.gradients = held + sums;
    size.moments = 2 * held + late;
    return size;
}
