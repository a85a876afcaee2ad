#include "model_private.h"

#include <math.h>
#include <string.h>

#include "mot/memory.h"

/* ---- the experts of this rank ---- */

/* Points an expert's weights and gradients into its own unit and the tied one. */
static void point(const mot_model *model, model_experts *held, int local)
{
    const mot_params *params = &held->own[local];
    const size_t tied = (size_t)local * model->tied_table.count;
    model_place place = {0};
    for (size_t r = 0; r < model->table.rows; ++r) {
        const size_t at = (size_t)local * model->table.rows + r;
        mot_model_next(model, r, &place);
        held->weight[at] = (place.tied ? model->tied.value : params->value) + place.offset;
        held->gradient[at] = (place.tied ? held->tied_gradient + tied : params->gradient) + place.offset;
    }
}

static int expert_at(const mot_model *model, const mot_placement *placement, int local)
{
    return placement->local[placement->first[model->comm->rank] + local];
}

/* The model's list, with experts where the placement has them, and none of them here yet. */
static mot_status copy_units(const mot_model *model, model_experts *held)
{
    const size_t first = model->first_expert, count = first + (size_t)held->placement.experts;
    mot_unit *unit;
    const mot_status status = mot_allocate(&unit, count, sizeof *unit, "units");
    if (status != MOT_OK) return status;
    held->units = (mot_units){count, unit};
    memcpy(unit, model->units.unit, first * sizeof *unit);
    for (size_t e = 0; e < count - first; ++e)
        unit[first + e] = (mot_unit){"experts", (int)e, &model->own_table, MOT_ROLE_EXPERT,
                                     held->placement.owner[e], NULL};
    return MOT_OK;
}

/* What the model has already of an expert of those held; NULL: it is new here. */
static mot_params *former(const mot_model *model, const model_experts *held, int expert)
{
    return mot_model_former(model, held, model->first_expert + (size_t)expert)->params;
}

mot_status mot_model_hold(const mot_model *model, mot_placement *placement, const int *from,
                          model_experts *held)
{
    mot_status status;
    const int count = mot_placement_count(placement, model->comm->rank);
    const size_t local = (size_t)count, rows = model->table.rows;
    *held = (model_experts){.placement = *placement, .from = from};
    *placement = (mot_placement){0};
    MOT_TRY(copy_units(model, held));
    MOT_TRY(mot_allocate(&held->own, local, sizeof *held->own, "experts"));
    MOT_TRY(mot_allocate(&held->tied_gradient, local * model->tied_table.count, sizeof(mot_real),
                         "tied gradients"));
    MOT_TRY(mot_allocate(&held->weight, local * rows, sizeof(void *), "experts"));
    MOT_TRY(mot_allocate(&held->gradient, local * rows, sizeof(void *), "experts"));
    for (; held->local < count; ++held->local) {
        const int expert = expert_at(model, &held->placement, held->local);
        mot_params *own = &held->own[held->local], *const before = former(model, held, expert);
        if (before != NULL)
            *own = *before;
        else
            MOT_TRY(mot_params_create(own, &model->own_table, expert));
        own->unit = expert;
        held->units.unit[model->first_expert + (size_t)expert].params = own;
        point(model, held, held->local);
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
    mot_free(held->own);
    mot_free(held->units.unit);
    mot_placement_free(&held->placement);
    *held = (model_experts){0};
}

void mot_model_let_go(const mot_model *model, model_experts *held)
{
    for (int i = 0; i < held->local; ++i)
        if (former(model, held, held->own[i].unit) == NULL) mot_params_free(&held->own[i]);
    free_arrays(held);
}

void mot_model_adopt(mot_model *model, model_experts *held)
{
    for (int i = 0; i < held->local; ++i) { /* theirs now */
        mot_params *const before = former(model, held, held->own[i].unit);
        if (before != NULL) *before = (mot_params){0};
    }
    for (int i = 0; i < model->local; ++i) mot_params_free(&model->own[i]);
    model_experts before = {model->units, model->placement,     model->local,
                            model->own,   model->tied_gradient, model->weight,
                            model->gradient, NULL};
    free_arrays(&before);
    model->units = held->units;
    model->placement = held->placement;
    model->local = held->local;
    model->own = held->own;
    model->tied_gradient = held->tied_gradient;
    model->weight = held->weight;
    model->gradient = held->gradient;
    *held = (model_experts){0};
}

/* ---- the whole ---- */

/* All that has parameters. The order is that of the digest. */
static mot_status list_units(mot_model *model)
{
    const size_t experts = (size_t)model->experts;
    const mot_unit alone[] = {
        {"gate", MOT_ALONE, &model->gate.table, MOT_ROLE_GATE, MOT_ROOT,
         model->comm->rank == MOT_ROOT ? &model->gate_params : NULL},
        {"tied", MOT_ALONE, &model->tied_table, MOT_ROLE_EXPERT, MOT_ALIKE, &model->tied},
    };
    mot_unit *unit;
    model->first_expert = MOT_COUNT(alone);
    const mot_status status = mot_allocate(&unit, model->first_expert + experts, sizeof *unit, "units");
    if (status != MOT_OK) return status;
    model->units = (mot_units){model->first_expert + experts, unit};
    memcpy(unit, alone, sizeof alone);
    for (size_t e = 0; e < experts; ++e)
        unit[model->first_expert + e] = (mot_unit){"experts", (int)e, &model->own_table, MOT_ROLE_EXPERT,
                                                   MOT_ROOT, NULL};
    return MOT_OK;
}

mot_status mot_model_create(mot_model *model, const mot_comm *comm, const mot_config *config, size_t tokens,
                            size_t width, size_t vocabulary, size_t outputs, bool fold)
{
    mot_status status;
    const int E = config->model.experts;
    mot_placement placement = {0};
    model_experts held;
    memset(model, 0, sizeof *model);
    model->config = config;
    model->comm = comm;
    model->experts = E;
    model->fold = fold;
    model->kind = mot_expert_kind_at(config->model.kind);
    model->shape = (mot_expert_shape){
        &config->model,
        tokens,
        width,
        vocabulary,
        outputs,
        config->model.precision == MOT_RULE_BF16_ALWAYS ? MOT_PRECISION_BF16 : MOT_PRECISION_FP32};
    MOT_TRY(model->kind->table(&model->shape, &model->table));
    mot_table_select(&model->own_table, &model->table, config->model.tie, false);
    mot_table_select(&model->tied_table, &model->table, config->model.tie, true);
    MOT_TRY(mot_gate_init(&model->gate, &config->gate, (size_t)E, tokens, width, vocabulary));
    MOT_TRY(mot_placement_init(&placement, config->route.placement, E, comm->size, config->route.dedicated,
                               fold));
    MOT_TRY(mot_allocate(&model->balance_bias, (size_t)E, sizeof(mot_real), "the balance bias"));
    MOT_TRY(mot_allocate(&model->origin, (size_t)E, sizeof(int), "the numbers of experts"));
    for (int e = 0; e < E; ++e) model->origin[e] = e;
    MOT_TRY(list_units(model));
    MOT_TRY(mot_allocate(&model->tied_largest, model->tied_table.rows, sizeof(double), "tied gradients"));
    MOT_TRY(mot_allocate(&model->tied_sum, model->tied_table.count, sizeof(int64_t), "tied gradients"));
    MOT_TRY(mot_params_create(&model->tied, &model->tied_table, MOT_UNIT_TIED));
    if (comm->rank == MOT_ROOT)
        MOT_TRY(mot_params_create(&model->gate_params, &model->gate.table, MOT_UNIT_GATE));
    MOT_TRY(mot_model_hold(model, &placement, NULL, &held));
    mot_model_adopt(model, &held);
done:
    mot_placement_free(&placement);
    if (status != MOT_OK) mot_model_free(model);
    return status;
}

void mot_model_free(mot_model *model)
{
    for (size_t u = 0; u < model->units.count; ++u)
        if (model->units.unit[u].params != NULL) mot_params_free(model->units.unit[u].params);
    mot_free(model->tied_sum);
    mot_free(model->tied_largest);
    mot_free(model->gradient);
    mot_free(model->weight);
    mot_free(model->tied_gradient);
    mot_free(model->own);
    mot_free(model->units.unit);
    mot_free(model->balance_bias);
    mot_free(model->origin);
    mot_placement_free(&model->placement);
    memset(model, 0, sizeof *model);
}

/* A spread gate's directions begin orthogonal to those of the experts. The root makes these for itself, where a gradient
 * will be: each is a pure function of the seed. */
static void part_directions(mot_model *model)
{
    const mot_gate *gate = &model->gate;
    const mot_table *tied = &model->tied_table, *own = &model->own_table;
    if (model->comm->rank != MOT_ROOT || !gate->kind->spread || !model->kind->directed ||
        model->table.row[0].count != gate->features)
        return;
    mot_real *direction = model->gate_params.gradient;
    const bool shared = model->config->model.tie >> model->table.row[0].part & 1u;
    for (size_t e = 0; e < gate->experts; ++e) {
        mot_params_init_row(shared ? tied : own, shared ? MOT_UNIT_TIED : (int)e, model->config->seed, 0,
                            direction);
        mot_gate_part_from(gate, &model->gate_params, e, direction);
    }
    mot_params_zero_gradient(&model->gate_params);
}

void mot_model_init(mot_model *model)
{
    for (size_t u = 0; u < model->units.count; ++u)
        if (model->units.unit[u].params != NULL)
            mot_params_init(model->units.unit[u].params, model->config->seed);
    part_directions(model);
    memset(model->balance_bias, 0, (size_t)model->experts * sizeof(mot_real));
}

void mot_model_zero_expert(mot_model *model, int local)
{
    const size_t tied = model->tied_table.count;
    mot_params_zero_gradient(&model->own[local]);
    memset(model->tied_gradient + (size_t)local * tied, 0, tied * sizeof(mot_real));
}

/* The largest magnitude of each tied tensor over this rank's experts; infinite when one is not finite. */
static void largest_of(const mot_model *model, double *largest)
{
    const mot_table *table = &model->tied_table;
    for (size_t r = 0; r < table->rows; ++r) {
        const mot_tensor *row = &table->row[r];
        double most = 0;
        for (int e = 0; e < model->local; ++e) {
            const mot_real *g = model->tied_gradient + (size_t)e * table->count + row->offset;
            for (size_t i = 0; i < row->count; ++i)
                most = fabs(g[i]) <= most ? most : isnan(g[i]) ? INFINITY : fabs(g[i]);
        }
        largest[r] = most;
    }
}

void mot_model_sum_tied(mot_model *model)
{
    const mot_table *table = &model->tied_table;
    if (table->rows == 0) return;
    largest_of(model, model->tied_largest);
    mot_comm_allreduce(model->comm, model->tied_largest, (int)table->rows, MPI_DOUBLE, MPI_MAX);

    int headroom = 0; /* bits that the sum over the experts may add */
    while ((1 << headroom) < model->experts) ++headroom;
    memset(model->tied_sum, 0, table->count * sizeof *model->tied_sum);
    for (size_t r = 0; r < table->rows; ++r) {
        const mot_tensor *row = &table->row[r];
        int exponent;
        if (!isfinite(model->tied_largest[r])) continue;
        frexp(model->tied_largest[r], &exponent); /* largest < 2^exponent */
        const double unit = ldexp(1, 62 - headroom - exponent);
        for (int e = 0; e < model->local; ++e) {
            const mot_real *g = model->tied_gradient + (size_t)e * table->count + row->offset;
            int64_t *sum = model->tied_sum + row->offset;
            for (size_t i = 0; i < row->count; ++i) sum[i] += llrint((double)g[i] * unit);
        }
    }
    const size_t piece = (size_t)1 << 27; /* 1 GiB a message */
    for (size_t at = 0; at < table->count; at += piece)
        mot_comm_allreduce(model->comm, model->tied_sum + at, (int)MOT_MIN(piece, table->count - at),
                           MPI_INT64_T, MPI_SUM);
    for (size_t r = 0; r < table->rows; ++r) {
        const mot_tensor *row = &table->row[r];
        mot_real *g = model->tied.gradient + row->offset;
        const int64_t *sum = model->tied_sum + row->offset;
        int exponent;
        frexp(model->tied_largest[r], &exponent);
        const double unit = isfinite(model->tied_largest[r]) ? ldexp(1, exponent - 62 + headroom) : NAN;
        for (size_t i = 0; i < row->count; ++i) g[i] = (mot_real)((double)sum[i] * unit);
    }
}

mot_state mot_model_state(mot_model *model, const mot_progress *progress, const char *config_text)
{
    return (mot_state){
        .progress = *progress,
        .units = model->units,
        .experts = model->experts,
        .origin = model->experts < model->config->model.experts ? model->origin : NULL,
        .balance_bias = model->balance_bias,
        .config_text = config_text,
        .seed = model->config->seed,
    };
}

mot_model_size mot_model_measure(const mot_model *model)
{
    const mot_part_set all = ~0u;
    const size_t tied = model->tied_table.count;
    size_t all_units = 0;
    for (size_t u = 0; u < model->units.count; ++u)
        if (model->units.unit[u].params != NULL)
            all_units += model->units.unit[u].table->count * sizeof(mot_real);
    const mot_model_size size = {
        .gate = mot_table_parameters(&model->gate.table, all),
        .tied = mot_table_parameters(&model->tied_table, all),
        .own = mot_table_parameters(&model->own_table, all),
        .of_expert = 4 * (size_t)model->own_table.count * sizeof(mot_real) + tied * sizeof(mot_real),
        .values = all_units,
        .gradients = all_units + tied * ((size_t)model->local * sizeof(mot_real) + sizeof(int64_t)),
        .moments = 2 * all_units,
    };
    return size;
}
