/* What a step took and did, phase by phase. Operations and bytes follow from the sizes alone: counting them once a step
 * costs next to nothing, and leaves the phases' code as it is. */
#include "step_private.h"

const char *const mot_phase_name[MOT_PHASES] = {
    [MOT_PHASE_LOAD] = "load",         [MOT_PHASE_SCORE] = "score",   [MOT_PHASE_CHOOSE] = "choose",
    [MOT_PHASE_DISPATCH] = "dispatch", [MOT_PHASE_EXPERT] = "expert", [MOT_PHASE_COMBINE] = "combine",
    [MOT_PHASE_LOSS] = "loss",         [MOT_PHASE_RETURN] = "return", [MOT_PHASE_UPDATE] = "update",
    [MOT_PHASE_REPORT] = "report",     [MOT_PHASE_WAIT] = "wait",
};

/* ---- time ---- */

mot_rank_work mot_step_sums(const mot_step *step)
{
    const mot_phase_work *phase = step->work.phase;
    mot_rank_work sums = {
        .exchange_s = phase[MOT_PHASE_DISPATCH].seconds + phase[MOT_PHASE_COMBINE].seconds +
                      phase[MOT_PHASE_RETURN].seconds,
        .wait_s = phase[MOT_PHASE_WAIT].seconds,
        .expert_flops = step->work.expert_flops,
    };
    double all = 0;
    for (int p = 0; p < MOT_PHASES; ++p) all += phase[p].seconds;
    sums.compute_s = all - sums.exchange_s - sums.wait_s;
    return sums;
}

const mot_step_work *mot_step_measure(mot_step *step)
{
    mot_step_work *work = &step->work;
    const mot_rank_work sums = mot_step_sums(step);
    work->compute_s = sums.compute_s;
    work->exchange_s = sums.exchange_s;
    work->wait_s = sums.wait_s;
    work->phase[MOT_PHASE_EXPERT].flops = work->expert_flops;
    work->sent_bytes = step->split.sent_bytes + step->soft.sent_bytes;
    for (int l = 0; l < step->model->layers; ++l)
        for (size_t c = 0; c < step->chunks; ++c)
            work->sent_bytes += step->layer[l].chunk[c].dispatch.sent_bytes + step->layer[l].chunk[c].outputs.sent_bytes;
    return work;
}

/* ---- operations and bytes ---- */

static void add(mot_step *step, mot_phase phase, double flops, double bytes)
{
    step->work.phase[phase].flops += flops;
    step->work.phase[phase].bytes += bytes;
}

/* Multiplications and additions of the gate's products for one sample; a text adds up a row of the first matrix for
 * every token. */
static double gate_flops(const mot_gate *gate)
{
    const double all = (double)mot_table_parameters(&gate->table, ~0u);
    if (gate->tokens == 0 || gate->table.rows == 0) return 2 * all;
    const double columns = (double)gate->table.row[0].count / (double)gate->features;
    return (double)gate->tokens * columns + 2 * (all - (double)gate->table.row[0].count);
}

/* The coordinator's phases. */
static void count_coordinator(mot_step *step, bool gate_learns)
{
    const mot_gate *gate = &step->model->layer->gate;
    const size_t real = sizeof(mot_real);
    const double n = (double)step->batch.total, rows = n * (double)step->layer->K;
    const double logits = n * (double)(gate->experts * real), flops = n * gate_flops(gate),
                 parameters = (double)(gate->table.count * real);
    const double noted = (double)step->root.noted, row = noted - n * (double)step->batch.note_numbers;
    add(step, MOT_PHASE_SCORE, flops, noted + row + logits + parameters);
    add(step, MOT_PHASE_CHOOSE, 0, 2 * logits + rows * (double)(sizeof(int32_t) + real));
    /* Reports and probabilities are read; a gate that learns has its features, gradients and parameters as well. */
    add(step, MOT_PHASE_REPORT, gate_learns ? flops : 0, rows * (double)sizeof(choice_report) + logits);
    if (gate_learns)
        add(step, MOT_PHASE_REPORT, 0, row + logits + 4 * parameters);
}

/* Bytes and operations that an update makes for one parameter: the gradient is read for its norm, then gradient, values
 * and moments are read, and values and moments written. */
static mot_phase_work update_cost(const mot_optimizer_config *config)
{
    const double real = sizeof(mot_real);
    if (config->kind == MOT_ADAMW) return (mot_phase_work){.flops = 17, .bytes = 8 * real};
    if (config->kind == MOT_SGD && config->momentum == 0)
        return (mot_phase_work){.flops = 7, .bytes = 4 * real};
    return (mot_phase_work){.flops = 9, .bytes = 6 * real};
}

/* Numbers of a block in rows of words that were not met: nobody visits them. */
static double passed_by(const mot_table *table, const uint64_t *met)
{
    const mot_tensor *of = mot_table_words(table);
    return of != NULL ? (double)((of->shape[0] - mot_met_count(met, of->shape[0])) * of->shape[1]) : 0;
}

static void count_update(mot_step *step, const mot_step_task *task, size_t taught)
{
    const mot_model *model = step->model;
    const mot_layer *layer = model->layer;
    const mot_table *own = &layer->own_table, *tied = &layer->tied_table;
    const mot_tensor *words = mot_table_words(&layer->table);
    const double real = sizeof(mot_real), local = (double)layer->local,
                 tied_count = (double)tied->count - passed_by(tied, layer->tied.met);
    const bool words_learn = words != NULL && (step->learns >> words->part & 1u);
    double zeroed = local * (double)(own->count + tied->count), passed = words_learn ? passed_by(tied, layer->tied.met) : 0;
    for (int e = 0; e < layer->local; ++e) {
        zeroed -= passed_by(&layer->table, layer->met[e]);
        if (words_learn && step->layer->added[e] > 0) passed += passed_by(own, layer->met[e]);
    }
    add(step, MOT_PHASE_UPDATE, 0, zeroed * real);
    if (step->learns == 0) return;
    const mot_phase_work cost = update_cost(&task->stage->expert);
    const double parameters = (double)taught * (double)mot_table_parameters(own, step->learns) +
                              (double)mot_table_parameters(tied, step->learns) - passed;
    add(step, MOT_PHASE_UPDATE, parameters * cost.flops, parameters * cost.bytes);
    /* Tied gradients are read twice (the largest, the sum); their integers are set to zero, added to, and read. */
    add(step, MOT_PHASE_UPDATE, 2 * local * tied_count,
        2 * local * tied_count * real + 3 * tied_count * sizeof(int64_t));
}

/* Nothing is dispatched or chosen; its operations are counted tile by tile. */
static void count_soft(mot_step *step, const mot_step_task *task)
{
    const mot_model *model = step->model;
    const step_soft *soft = &step->soft;
    const size_t real = sizeof(mot_real), E = model->layer->gate.experts, F = model->layer->gate.features;
    const double B = (double)step->batch.total, mine = (double)step->reports.count, local = (double)model->layer->local,
                 samples = B * (double)step->batch.sample_bytes, outputs = (double)(soft->there * real),
                 directions = (double)(E * F * real);
    const bool learns = task->stage != NULL;
    add(step, MOT_PHASE_LOAD, 0, samples);
    add(step, MOT_PHASE_EXPERT, 0,
        (learns ? 2 : 1) * samples + local * B * outputs * (learns ? 2 : 1) +
            local * (double)(model->layer->table.count * real) * (learns ? 3 : 1));
    add(step, MOT_PHASE_COMBINE, 0, local * B * outputs);
    add(step, MOT_PHASE_LOSS, 2 * mine * (double)(E * step->C), mine * (double)E * outputs);
    if (learns) add(step, MOT_PHASE_RETURN, 0, B * (double)(soft->back * real));
    add(step, MOT_PHASE_WAIT, 0, directions + mine * (double)sizeof(choice_report));
    if (learns) count_update(step, task, (size_t)model->layer->local);
    if (step->comm->rank == MOT_ROOT)
        add(step, MOT_PHASE_REPORT, 0, B * (double)sizeof(choice_report) + 4 * directions);
}

/* Operations are counted tile by tile; bytes are those of rows that set out. */
static void count_stack(mot_step *step)
{
    for (int l = 0; l < step->model->layers; ++l) {
        const step_layer *layer = &step->layer[l];
        for (size_t c = 0; c < step->chunks; ++c) {
            const mot_plan *plan = &layer->chunk[c].plan;
            const double out = (double)(plan->rows_home * layer->wire.row_bytes),
                         back = (double)(plan->rows_owner * layer->wire.output_bytes);
            step->work.phase[MOT_PHASE_DISPATCH].bytes += out;
            if (layer->K > 1) step->work.phase[MOT_PHASE_COMBINE].bytes += back;
            if (step->learns != 0) step->work.phase[MOT_PHASE_RETURN].bytes += layer->K > 1 ? 2 * back : back;
        }
    }
}

void mot_step_count_work(mot_step *step, const mot_step_task *task)
{
    if (step->soft.on) {
        count_soft(step, task);
        return;
    }
    if (step->stack != NULL) {
        count_stack(step);
        return;
    }
    const mot_model *model = step->model;
    const mot_batch *batch = &step->batch;
    const double real = sizeof(mot_real), C = (double)step->layer->wire.output_bytes;
    double home = 0, owner = 0, sent = 0, received = 0; /* rows of this rank, and bytes of those that were dispatched */
    size_t worked = 0, taught = 0; /* experts with rows here, guests among them; local experts that learned */
    for (int e = 0; e < model->layer->local; ++e) taught += step->layer->added[e] > 0;
    for (size_t c = 0; c < step->chunks; ++c) {
        const mot_plan *plan = &step->layer->chunk[c].plan;
        for (size_t g = 0; g < plan->groups; ++g) worked += plan->group_first[g + 1] > plan->group_first[g];
        home += (double)plan->rows_home;
        owner += (double)plan->rows_owner;
        sent += (double)mot_exchange_home_bytes(&step->layer->chunk[c].dispatch, plan);
        received += (double)mot_exchange_owner_bytes(&step->layer->chunk[c].dispatch, plan);
    }
    add(step, MOT_PHASE_LOAD, 0, (double)batch->begin[batch->mine]);
    add(step, MOT_PHASE_DISPATCH, 0, sent);
    /* Its operations are counted tile by tile. Weights are read; in learning gradients are read and written too. */
    add(step, MOT_PHASE_EXPERT, 0,
        received +
            (double)worked * (double)model->layer->table.count * real * (step->learns != 0 ? 3 : 1));
    if (step->layer->K > 1) {
        add(step, MOT_PHASE_COMBINE, 0, owner * C);
        add(step, MOT_PHASE_LOSS, 5 * home * (double)step->C, 2 * home * C);
        if (step->learns != 0) add(step, MOT_PHASE_RETURN, 0, home * C);
    }
    if (task->stage != NULL) count_update(step, task, taught);
    add(step, MOT_PHASE_WAIT, 0,
        (double)(batch->note_begin[batch->mine] + step->layer->choices.bytes +
                 step->reports.count * sizeof(choice_report)));
    if (step->comm->rank == MOT_ROOT)
        count_coordinator(step, task->stage != NULL && mot_gate_learns(&model->layer->gate) &&
                                    (task->stage->train >> MOT_PART_GATE & 1u));
}

int mot_step_threads(const mot_step *step)
{
    return mot_threads_count(step->threads);
}

void mot_step_rows(const mot_step *step, size_t *home, size_t *owner)
{
    for (int r = 0; r < step->comm->size; ++r) {
        home[r] = owner[r] = 0;
        for (size_t c = 0; !step->soft.on && c < step->chunks; ++c) {
            const mot_plan *plan = &step->layer->chunk[c].plan;
            home[r] += plan->home_first[r + 1] - plan->home_first[r];
            owner[r] += plan->owner_first[r + 1] - plan->owner_first[r];
        }
    }
}
