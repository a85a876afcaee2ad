/* The coordinator's work for a layer of experts: from features to scores and to choices; and back, to the gate's gradient. */
#include "step_private.h"

/* ---- strips ---- */

/* Samples are shared out among threads in strips, of which there are as many as the batch's scores are worth: sums over each are
 * added up in their order, so that the number of threads cannot be seen. */
enum { MOST_STRIPS = 64, STRIP_SCORES = 1 << 14 };

typedef struct gate_work {
    const step_layer *layer;
    mot_route_config route;
    mot_choice_batch choice;
    size_t strips;
    union {
        mot_confidence sure[MOST_STRIPS];
        double z[MOST_STRIPS];
    };
    double share[MOT_MAX_EXPERTS];
    bool learns;
} gate_work;

static void begin(gate_work *work, const mot_step *step, const step_layer *layer, const mot_step_task *task)
{
    work->layer = layer;
    work->route = mot_layer_routing(layer, task);
    work->choice = mot_layer_choice(step, layer, task);
    const size_t n = work->choice.n, strips = MOT_MIN(n, n * work->choice.E / STRIP_SCORES);
    work->strips = MOT_MAX(1, MOT_MIN(strips, MOST_STRIPS));
}

/* The samples [*from, *to) of a strip. */
static void find_strip(const gate_work *work, size_t strip, size_t *from, size_t *to)
{
    *from = strip * work->choice.n / work->strips;
    *to = (strip + 1) * work->choice.n / work->strips;
}

/* ---- the way there ---- */

void mot_layer_take_features(const step_layer *layer, size_t position, const void *numbers, size_t count)
{
    const mot_gate *gate = &layer->of->gate;
    const size_t row = mot_gate_row(gate);
    int32_t *id = layer->root.id + position * gate->tokens;
    if (gate->tokens > 0) {
        memcpy(id, numbers, count * sizeof *id);
        if (count < gate->tokens) id[count] = 0; /* nobody looks behind the first */
    } else
        memcpy(layer->root.g + position * row, numbers, row * sizeof *layer->root.g);
}

mot_choice_batch mot_layer_choice(const mot_step *step, const step_layer *layer, const mot_step_task *task)
{
    const coordinator *root = &step->root;
    return (mot_choice_batch){
        .n = step->batch.total,
        .E = (size_t)layer->of->experts,
        .K = layer->K,
        .h = layer->root.h,
        .bias = layer->of->balance_bias,
        .group = layer->of->gate.config->told == MOT_TOLD_LABEL ? root->label : root->group,
        .seed = step->model->config->seed,
        .step = task->stage != NULL ? task->number : -1,
        .first = task->first,
        .expert = layer->choices.expert,
        .weight = layer->choices.weight,
        .p = layer->root.p,
    };
}

static void leave_out(mot_real *h, size_t n, size_t E, int active, const bool *without)
{
    for (size_t b = 0; active > 0 && b < n; ++b)
        for (size_t e = (size_t)active; e < E; ++e) h[b * E + e] = MOT_LEFT_OUT;
    for (size_t b = 0; without != NULL && b < n; ++b)
        for (size_t e = 0; e < E; ++e)
            if (without[e]) h[b * E + e] = MOT_LEFT_OUT;
}

/* The words of the batch, whose rows of the gate catch up. */
static void meet_words(mot_step *step, const step_layer *layer)
{
    const mot_gate *gate = &layer->of->gate;
    const layer_root *root = &layer->root;
    if (root->met == NULL) return;
    mot_met_none(root->met, mot_table_vocabulary(&gate->table));
    for (size_t p = 0; p < step->batch.total; ++p) {
        const int32_t *id = root->id + p * gate->tokens;
        mot_met_words(root->met, id, mot_gate_words(gate, id));
    }
    mot_step_catch_up_met(step, &layer->of->gate_params, root->met);
}

void mot_layer_score(mot_step *step, const step_layer *layer, const mot_step_task *task)
{
    const mot_gate *gate = &layer->of->gate;
    const layer_root *root = &layer->root;
    const size_t n = step->batch.total;
    const bool texts = gate->tokens > 0;
    if (task->stage != NULL) meet_words(step, layer);
    mot_gate_forward(gate, &layer->of->gate_params, n, texts ? NULL : root->g, texts ? root->id : NULL, root->h,
                     root->kept);
    leave_out(root->h, n, gate->experts, task->active, task->without != NULL ? task->without[layer - step->layer] : NULL);
}

static void choose_strip(void *context, size_t strip, int thread)
{
    gate_work *work = context;
    size_t from, to;
    (void)thread;
    find_strip(work, strip, &from, &to);
    work->sure[strip] = mot_choose(&work->route, work->layer->of->gate.kind, &work->choice, from, to);
}

void mot_layer_choose(const mot_step *step, step_layer *layer, const mot_step_task *task)
{
    gate_work work;
    mot_confidence sum = {0};
    begin(&work, step, layer, task);
    mot_threads_run(step->threads, work.strips, choose_strip, &work);
    for (size_t s = 0; s < work.strips; ++s) {
        sum.top += work.sure[s].top;
        sum.margin += work.sure[s].margin;
        sum.entropy += work.sure[s].entropy;
    }
    const double n = (double)work.choice.n;
    layer->root.sure = (mot_confidence){sum.top / n, sum.margin / n, sum.entropy / n};
}

/* ---- the way back ---- */

typedef struct importance_work {
    const layer_root *root;
    mot_choice_batch choice;
    size_t pieces;
} importance_work;

/* A piece is a range of experts: their sums are over all samples, in order. */
static void sum_importance(void *context, size_t piece, int thread)
{
    const importance_work *work = context;
    const size_t E = work->choice.E;
    (void)thread;
    mot_balance_importance(&work->choice, piece * E / work->pieces, (piece + 1) * E / work->pieces, work->root->importance);
}

void mot_layer_importance(const mot_step *step, step_layer *layer)
{
    enum { PIECE = 256 }; /* experts, at least: of each sample's row a few lines of the cache */
    const layer_root *root = &layer->root;
    const size_t n = step->batch.total, E = (size_t)layer->of->experts, K = layer->K;
    const size_t most = MOT_MAX(1, n * E / STRIP_SCORES), threads = (size_t)mot_threads_count(step->threads);
    importance_work work = {.root = root, .choice = {.n = n, .E = E, .p = root->p}};
    work.pieces = MOT_MIN(MOT_MIN(most, threads), (E + PIECE - 1) / PIECE);
    mot_threads_run(step->threads, work.pieces, sum_importance, &work);
    layer->root.confidence = root->sure;
    for (size_t r = 0; r < n * K; ++r)
        root->prob[r] = root->p[r / K * E + (size_t)layer->choices.expert[r]];
}

static bool gate_learns(const step_layer *layer, const mot_step_task *task)
{
    return task->stage != NULL && mot_gate_learns(&layer->of->gate) && (task->stage->train >> MOT_PART_GATE & 1u);
}

/* A few samples at a time, so that one after the other finds their rows in the cache. */
static void differentiate_strip(void *context, size_t strip, int thread)
{
    enum { FEW = 4 };
    gate_work *work = context;
    const layer_root *root = &work->layer->root;
    size_t from, to;
    (void)thread;
    find_strip(work, strip, &from, &to);
    work->z[strip] = 0;
    for (; from < to; from += FEW) {
        const size_t end = MOT_MIN(from + FEW, to);
        if (work->learns) mot_choose_backward(&work->route, &work->choice, from, end, root->d_weight, root->d_h);
        work->z[strip] +=
            mot_balance_rows(&work->route, &work->choice, work->share, from, end, work->learns ? root->d_h : NULL);
    }
}

double mot_layer_gate_gradient(const mot_step *step, const step_layer *layer, const mot_step_task *task, mot_real share)
{
    mot_layer *of = layer->of;
    const layer_root *root = &layer->root;
    const bool texts = of->gate.tokens > 0, learns = gate_learns(layer, task);
    double z = 0;
    gate_work work;
    if (layer->K == 0) return 0; /* a spread gate has its gradient */
    begin(&work, step, layer, task);
    work.learns = learns || (task->stage != NULL && root->d_g != NULL); /* the latter: it is handed on */
    for (size_t r = 0; work.learns && r < work.choice.n * work.choice.K; ++r) root->d_weight[r] *= share;
    if (work.learns) mot_balance_shares(&work.choice, work.share);
    mot_threads_run(step->threads, work.strips, differentiate_strip, &work);
    for (size_t s = 0; s < work.strips; ++s) z += work.z[s];
    if (!work.learns) return z;
    if (root->met != NULL) mot_met_join(of->gate_params.met, root->met, mot_table_vocabulary(&of->gate.table));
    if (learns) mot_gate_learn_labels(&of->gate, &of->gate_params, work.choice.n, step->root.label, !task->look, root->kept);
    mot_gate_backward(&of->gate, &of->gate_params, work.choice.n, texts ? NULL : root->g, texts ? root->id : NULL, root->d_h,
                      root->kept, root->d_g);
    return z;
}

double mot_layer_switch_loss(const mot_step *step, const step_layer *layer, const mot_step_task *task)
{
    const mot_choice_batch choice = mot_layer_choice(step, layer, task);
    return mot_balance_switch_loss(&choice, layer->root.importance);
}

mot_status mot_layer_learn_gate(const mot_step *step, const step_layer *layer, const mot_step_task *task)
{
    mot_layer *of = layer->of;
    const mot_route_config route = mot_layer_routing(layer, task);
    if (!gate_learns(layer, task) || task->look) return MOT_OK;
    const mot_status status = mot_step_learn(task, &step->model->units.unit[of->first_unit]);
    if (status != MOT_OK)
        return mot_fail(status, "step %" MOT_PRI_GIDX ": %s", task->number + 1, mot_error_message());
    /* Those that are not active are the last. */
    mot_balance_bias(&route, task->active > 0 ? (size_t)task->active : of->gate.experts, layer->load, of->balance_bias);
    return MOT_OK;
}
