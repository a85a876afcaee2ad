/* Whole training steps of the program, on any number of ranks, against a dull twin: one process, one sample after
 * another, no batch, no plan, no exchange, no tile; only the kernels and the optimizer are the same. */
#include <string.h>

#include "choosing.h"
#include "mot/clock.h"
#include "mot/loss.h"
#include "mot/optimizer.h"
#include "mot/order.h"
#include "mot/stage.h"
#include "mot/step.h"
#include "train_data.h"

enum { EXPERTS = 5, BATCH = 23, STEPS = 4, SAMPLE = DATA_TOKENS * DATA_WIDTH };

typedef struct world {
    mot_comm comm, self;
    mot_dataset dataset;
    mot_config config;
    mot_model model, twin; /* the twin lives on every rank, whole */
    mot_step *step;
    mot_batch_source source;
} world;

/* Rank r is told that it shares memory with r + hosts, r + 2 hosts, ... alone. */
static void pretend_hosts(mot_comm *comm, int hosts)
{
    MPI_Comm_free(&comm->host);
    MPI_Comm_split(comm->mpi, comm->rank % hosts, comm->rank, &comm->host);
}

static void world_make(world *w, const char *more, int threads, int hosts)
{
    memset(w, 0, sizeof *w);
    mot_comm_init(&w->comm, MPI_COMM_WORLD);
    pretend_hosts(&w->comm, hosts);
    mot_comm_init(&w->self, MPI_COMM_SELF);
    data_open(&w->dataset, &w->comm);
    data_configure(&w->config, more);
    data_model(&w->model, &w->comm, &w->config);
    data_model(&w->twin, &w->self, &w->config);
    w->source = (mot_batch_source){
        .dataset = &w->dataset, .patch = 1, .seed = 9, .shuffled = true};
    const mot_loss loss = data_loss(&w->config);
    mot_ck_ok(mot_step_create(&w->step, &w->model, &w->source, &loss, DATA_GROUPS, BATCH, threads));
}

static void world_free(world *w)
{
    mot_step_destroy(&w->step);
    mot_model_free(&w->twin);
    mot_model_free(&w->model);
    mot_dataset_close(&w->dataset);
    mot_comm_free(&w->self);
    mot_comm_free(&w->comm);
}

/* ---- the twin ---- */

typedef struct sample {
    float x[SAMPLE];
    int32_t label;
} sample;

/* Numbers as they arrive. */
static void travel(const world *w, float *x, size_t n)
{
    unsigned char row[4 * SAMPLE];
    ck_assert(n <= SAMPLE);
    mot_payload_pack(w->config.route.payload, n, x, row);
    mot_payload_unpack(w->config.route.payload, n, row, x);
}

/* Forward of one sample through one expert, and with d_out backward as well. */
static void one_expert(world *w, int e, const sample *s, float *out, const float *d_out)
{
    mot_model *twin = &w->twin;
    const size_t at = (size_t)e * twin->layer->table.rows, first[] = {0, DATA_TOKENS};
    const mot_tile tile = {.samples = 1, .first = first, .x = s->x};
    mot_arena arena;
    mot_ck_ok(mot_arena_init(&arena, twin->layer->kind->workspace(&twin->layer->shape)));
    void *kept = twin->layer->kind->forward(&twin->layer->shape, twin->layer->weight + at, &tile, &arena, d_out != NULL, out);
    if (d_out != NULL)
        twin->layer->kind->backward(&twin->layer->shape, twin->layer->weight + at, twin->layer->gradient + at, &tile, &arena, kept, d_out,
                             NULL, ~0u);
    mot_arena_free(&arena);
}

static double twin_step(world *w, const mot_step_task *task)
{
    mot_model *twin = &w->twin;
    const mot_config *config = &w->config;
    const size_t K = mot_choice_count(&config->route, EXPERTS), C = DATA_CLASSES;
    const mot_loss *of = mot_step_loss(w->step);
    static sample s[BATCH];
    static float g[BATCH * DATA_WIDTH], h[BATCH * EXPERTS], p[BATCH * EXPERTS], d_h[BATCH * EXPERTS],
        weight[BATCH * EXPERTS], d_weight[BATCH * EXPERTS], kept[BATCH * 256];
    static int32_t expert[BATCH * EXPERTS], group[BATCH];
    int64_t load[EXPERTS] = {0};
    double loss = 0;
    ck_assert(mot_gate_kept(&twin->layer->gate, BATCH) <= sizeof kept / sizeof *kept);
    for (size_t b = 0; b < BATCH; ++b) {
        const int index = (int)mot_order_sample(9, DATA_SAMPLES, task->first + (mot_gidx)b);
        for (int j = 0; j < SAMPLE; ++j) s[b].x[j] = data_number(index, j);
        s[b].label = data_label(index);
        group[b] = data_group(index);
        mot_gate_features(&twin->layer->gate, g + b * DATA_WIDTH, s[b].x, DATA_TOKENS, DATA_WIDTH);
        travel(w, s[b].x, SAMPLE);
    }
    mot_params_zero_gradient(&twin->layer->gate_params);
    for (int e = 0; e < twin->layer->local; ++e) mot_layer_zero_expert(twin->layer, e);
    mot_gate_forward(&twin->layer->gate, &twin->layer->gate_params, BATCH, g, NULL, h, kept);
    const mot_choice_batch choice = {.n = BATCH,
                                     .E = EXPERTS,
                                     .K = K,
                                     .h = h,
                                     .bias = twin->layer->balance_bias,
                                     .group = group,
                                     .seed = config->seed,
                                     .step = task->number,
                                     .first = task->first,
                                     .expert = expert,
                                     .weight = weight,
                                     .p = p};
    mot_route_config route = config->route;
    route.explore = task->stage->explore;
    mot_choose(&route, twin->layer->gate.kind, &choice, 0, choice.n);
    for (size_t b = 0; b < BATCH; ++b) {
        float out[EXPERTS][DATA_CLASSES], F[DATA_CLASSES] = {0}, d[DATA_CLASSES], d_out[DATA_CLASSES];
        for (size_t k = 0; k < K; ++k) {
            ++load[expert[b * K + k]];
            one_expert(w, expert[b * K + k], &s[b], out[k], NULL);
            for (size_t c = 0; c < C; ++c) F[c] += weight[b * K + k] * out[k][c];
        }
        loss += of->kind->value(of, F, &s[b].label, d) / BATCH;
        for (size_t k = 0; k < K; ++k) {
            d_weight[b * K + k] = 0;
            for (size_t c = 0; c < C; ++c) {
                d_weight[b * K + k] += d[c] * out[k][c] / BATCH;
                d_out[c] = d[c] * weight[b * K + k] / BATCH;
            }
            one_expert(w, expert[b * K + k], &s[b], out[k], d_out);
        }
    }
    const mot_stage_config *stage = task->stage;
    if (stage->train & ~(1u << MOT_PART_GATE)) {
        for (size_t i = 0; i < twin->layer->tied_table.count; ++i) {
            double sum = 0;
            for (int e = 0; e < EXPERTS; ++e)
                sum += twin->layer->tied_gradient[(size_t)e * twin->layer->tied_table.count + i];
            twin->layer->tied.gradient[i] = (mot_real)sum;
        }
        const double rate = stage->expert.rate * task->factor;
        for (int e = 0; e < EXPERTS; ++e)
            if (load[e] > 0)
                mot_ck_ok(mot_optimizer_update(&stage->expert, rate, stage->train, &twin->layer->own[e], NULL));
        if (twin->layer->tied_table.rows > 0)
            mot_ck_ok(mot_optimizer_update(&stage->expert, rate, stage->train, &twin->layer->tied, NULL));
    }
    if (stage->train >> MOT_PART_GATE & 1u && mot_gate_learns(&twin->layer->gate)) {
        mot_choose_backward(&route, &choice, 0, choice.n, d_weight, d_h);
        balance_all(&route, &choice, d_h);
        mot_gate_backward(&twin->layer->gate, &twin->layer->gate_params, BATCH, g, NULL, d_h, kept, NULL);
        mot_ck_ok(mot_optimizer_update(&stage->gate, stage->gate.rate * task->factor, 1u << MOT_PART_GATE,
                                       &twin->layer->gate_params, NULL));
        mot_balance_bias(&route, EXPERTS, load, twin->layer->balance_bias);
    }
    return loss;
}

/* ---- the comparison ---- */

/* The largest difference of two units, relative to the size of their tensors. */
static double difference(const mot_params *a, const mot_params *b)
{
    double most = 0;
    for (size_t r = 0; r < a->table->rows; ++r) {
        const mot_tensor *row = &a->table->row[r];
        double size = 0.01, gap = 0;
        for (size_t i = row->offset; i < row->offset + row->count; ++i) {
            size = fmax(size, fabs(b->value[i]));
            gap = fmax(gap,
                       isfinite(a->value[i]) ? fabs((double)a->value[i] - (double)b->value[i]) : INFINITY);
        }
        most = fmax(most, gap / size);
    }
    return most;
}

static double distance(const world *w)
{
    double most = 0;
    for (int e = 0; e < EXPERTS; ++e)
        if (mot_model_expert(&w->model, e) != NULL) most = fmax(most, difference(mot_model_expert(&w->model, e), mot_model_expert(&w->twin, e)));
    if (w->model.layer->tied_table.rows > 0) most = fmax(most, difference(&w->model.layer->tied, &w->twin.layer->tied));
    if (w->comm.rank == MOT_ROOT) {
        if (mot_gate_learns(&w->model.layer->gate))
            most = fmax(most, difference(&w->model.layer->gate_params, &w->twin.layer->gate_params));
        for (int e = 0; e < EXPERTS; ++e)
            most = fmax(most, fabs((double)w->model.layer->balance_bias[e] - (double)w->twin.layer->balance_bias[e]));
    }
    MPI_Allreduce(MPI_IN_PLACE, &most, 1, MPI_DOUBLE, MPI_MAX, w->comm.mpi);
    return most;
}

static const char *const cases[] = {
    "train.optimizer: sgd\ntrain.rate: 0.2",
    "train.optimizer: sgd\ntrain.rate: 0.2\ntrain.momentum: 0.9\ntrain.weight_decay: 0.01\nroute.chunks: 3",
    "train.optimizer: normalized_gd\ntrain.rate: 0.1\nroute.noise: gumbel\nroute.balance_bias: 0.01",
    "train.optimizer: sgd\ntrain.rate: 0.2\nroute.top_k: 2",
    "train.optimizer: sgd\ntrain.rate: 0.2\nroute.top_k: 2\nroute.scale: chosen\nroute.chunks: "
    "4\nroute.coordinator: dedicated",
    "train.optimizer: sgd\ntrain.rate: 0.2\nroute.top_k: 3\nroute.scale: none\nmodel.tie: [ffn]",
    "train.optimizer: sgd\ntrain.rate: 0.2\nroute.top_k: all\ntrain.clip: 0.1",
    "train.optimizer: sgd\ntrain.rate: 0.2\nroute.top_k: all\nmodel.tie: [embed, attention, ffn, "
    "head]\nroute.chunks: 2",
    "train.optimizer: sgd\ntrain.rate: 0.2\nmodel.tie: [attention]\nroute.balance_loss: 0.1\nroute.z_loss: "
    "0.01",
    "train.optimizer: sgd\ntrain.rate: 0.2\ngate.kind: mlp\ngate.hidden: 7\nmodel.pool: class\nroute.top_k: "
    "2",
    "train.optimizer: sgd\ntrain.rate: 0.2\ngate.kind: fixed",
    "train.optimizer: sgd\ntrain.rate: 0.2\ngate.kind: random\nroute.top_k: 2\ntrain.loss: squared",
    "train.optimizer: sgd\ntrain.rate: 0.2\ntrain.loss: logistic\nmodel.tile: 2\ntrain.gate_rate: 0.5",
    "train.optimizer: adamw\ntrain.rate: 0.003\ntrain.epsilon: 0.01",
    "train.optimizer: sgd\ntrain.rate: 0.2\nroute.payload: bf16",
    "train.optimizer: sgd\ntrain.rate: 0.2\nmodel.strip: 2\nmodel.tile: 1",
    "train.optimizer: sgd\ntrain.rate: 0.2\nmodel.strip: 2\ngate.kind: fixed\nroute.split: true",
    "train.optimizer: sgd\ntrain.rate: 0.2\nmodel.strip: 1\nroute.split: true\nroute.chunks: 3\nroute.top_k: "
    "2",
    "train.optimizer: sgd\ntrain.rate: 0.2\nmodel.strip: 2\nmodel.tile: 2\nroute.chunks: 3\nmodel.tie: [ffn]",
    "train.optimizer: sgd\ntrain.rate: 0.2\nmodel.strip: 3\nmodel.tile: 2\nroute.top_k: 2",
};

START_TEST(a_step_is_what_its_twin_does)
{
    world w;
    world_make(&w, cases[_i], 1 + _i % 3, 1 + _i % 2);
    for (int s = 0; s < STEPS; ++s) {
        const mot_step_task task = {.first = (mot_gidx)s * BATCH,
                                    .total = BATCH,
                                    .number = s,
                                    .stage = &w.config.stage[0],
                                    .factor = 1 / (1.0 + s)};
        mot_step_result result;
        mot_ck_ok(mot_step_run(w.step, &w.source, &task, false, &result));
        const double loss = twin_step(&w, &task), gap = distance(&w);
        mot_ck_all(fabs(result.loss - loss) <= 2e-6 * (1 + fabs(loss)));
        ck_assert_msg(gap < 2e-5, "step %d: parameters differ by %g", s, gap);
        ck_assert(!result.stop);
        int64_t rows = 0;
        for (int e = 0; w.comm.rank == MOT_ROOT && e < EXPERTS; ++e) rows += result.load[e];
        mot_ck_all(w.comm.rank != MOT_ROOT ||
                   rows == BATCH * (int64_t)mot_choice_count(&w.config.route, EXPERTS));
    }
    /* It did learn: the twin is no copy of the beginning. */
    mot_model fresh;
    data_model(&fresh, &w.self, &w.config);
    double moved = 0;
    for (int e = 0; e < EXPERTS; ++e)
        moved = fmax(moved,
                     fmax(difference(&fresh.layer->own[e], &w.twin.layer->own[e]), difference(&fresh.layer->tied, &w.twin.layer->tied)));
    ck_assert(moved > 1e-3);
    mot_model_free(&fresh);
    world_free(&w);
}
END_TEST

/* ---- threads ---- */

/* The sum of what a rank holds, bit by bit. */
static uint64_t checksum(const mot_model *model)
{
    uint64_t sum = 0;
    const mot_table *table = &model->layer->own_table;
    for (int e = 0; e < EXPERTS; ++e) {
        const mot_params *unit = mot_model_expert(model, e);
        for (size_t i = 0; unit != NULL && i < table->count; ++i) {
            uint32_t word;
            memcpy(&word, &unit->value[i], sizeof word);
            sum = sum * 0x9e3779b97f4a7c15u + word;
        }
    }
    return sum;
}

static const char *const threaded[] = {
    "model.strip: 1",
    "model.strip: 2\nmodel.tile: 1\nroute.top_k: 2\nroute.chunks: 2",
    "model.strip: 3\nroute.top_k: all\nmodel.tie: [attention]",
    "model.strip: 4\nmodel.tile: 2\nroute.chunks: 3",
    "model.strip: 20\ngate.kind: fixed", /* two groups: strips of two experts alone */
    "model.strip: 2\nroute.chunks: 2\ngate.kind: fixed\nmodel.tie: [ffn]",
    "model.strip: 1\ngate.kind: fixed\nroute.top_k: 2\nroute.chunks: 3",
    "model.strip: 3\ngate.kind: even\nroute.coordinator: dedicated",
};

/* More threads than cores, strips, experts, and help for experts with many samples: the same bits and the same losses,
 * in training and evaluation. */
START_TEST(threads_and_splits_do_not_show)
{
    uint64_t wanted = 0;
    double wanted_loss = 0;
    for (int threads = 1; threads <= 6; ++threads) {
        world w;
        double loss = 0;
        mot_step_result result;
        char more[300];
        snprintf(more, sizeof more, "%s\nroute.split: %s", threaded[_i], threads % 2 == 0 ? "true" : "false");
        world_make(&w, more, threads, 1);
        for (int s = 0; s < STEPS; ++s) {
            const mot_step_task task = {.first = (mot_gidx)s * BATCH,
                                        .total = BATCH,
                                        .number = s,
                                        .stage = &w.config.stage[0],
                                        .factor = 1};
            mot_ck_ok(mot_step_run(w.step, &w.source, &task, false, &result));
            loss += result.loss;
        }
        const mot_step_task look = {.first = 1000, .total = BATCH - 2, .number = STEPS};
        mot_ck_ok(mot_step_run(w.step, &w.source, &look, false, &result));
        loss += result.loss;
        const mot_step_work *work = mot_step_measure(w.step);
        mot_ck_all((work->expert_flops > 0) == (work->expert_s > 0));
        double flops = work->expert_flops;
        MPI_Allreduce(MPI_IN_PLACE, &flops, 1, MPI_DOUBLE, MPI_SUM, w.comm.mpi);
        ck_assert(flops > 0);
        const uint64_t sum = checksum(&w.model);
        if (threads == 1) {
            wanted = sum;
            wanted_loss = loss;
        }
        mot_ck_all(sum == wanted && loss == wanted_loss);
        world_free(&w);
    }
}
END_TEST

/* ---- stages ---- */

/* True where a unit's tensors have moved exactly when their part is in `parts`. */
static bool moved_only(const mot_params *now, const mot_params *before, mot_part_set parts, bool must)
{
    for (size_t r = 0; r < now->table->rows; ++r) {
        const mot_tensor *row = &now->table->row[r];
        const bool same = memcmp(now->value + row->offset, before->value + row->offset,
                                 row->count * sizeof(mot_real)) == 0;
        const bool learns = (parts >> row->part & 1u) && row->count > 0; /* a class token that is not there */
        if ((!learns && !same) || (learns && must && same)) return false;
    }
    return true;
}

static bool stage_moved_only(const world *w, mot_part_set parts)
{
    bool well = true, some = w->model.layer->local == 0;
    for (int e = 0; e < EXPERTS; ++e) {
        if (mot_model_expert(&w->model, e) == NULL) continue;
        well = well && moved_only(mot_model_expert(&w->model, e), mot_model_expert(&w->twin, e), parts, false);
        some = some || moved_only(mot_model_expert(&w->model, e), mot_model_expert(&w->twin, e), parts, true);
    }
    well = well && some && moved_only(&w->model.layer->tied, &w->twin.layer->tied, parts, true);
    if (w->comm.rank == MOT_ROOT)
        well = well && moved_only(&w->model.layer->gate_params, &w->twin.layer->gate_params, parts, true);
    return well;
}

static void copy_units(world *w)
{
    const size_t own = w->model.layer->own_table.count * sizeof(mot_real);
    for (int e = 0; e < EXPERTS; ++e)
        if (mot_model_expert(&w->model, e) != NULL) memcpy(mot_model_expert(&w->twin, e)->value, mot_model_expert(&w->model, e)->value, own);
    memcpy(w->twin.layer->tied.value, w->model.layer->tied.value, w->model.layer->tied_table.count * sizeof(mot_real));
    if (w->comm.rank == MOT_ROOT)
        memcpy(w->twin.layer->gate_params.value, w->model.layer->gate_params.value,
               w->model.layer->gate.table.count * sizeof(mot_real));
}

START_TEST(a_frozen_part_stays_frozen)
{
    world w;
    world_make(
        &w,
        "model.tie: [attention]\nroute.top_k: 2\nstages:\n"
        "  - {name: a, train: [gate, head], optimizer: sgd, rate: 0.1, momentum: 0.9, until: 2 steps}\n"
        "  - {name: b, train: [embed, attention, ffn], weight_decay: 0.1, until: 2 steps}\n"
        "  - {name: c, train: [gate], gate_rate: 0.1, until: 2 steps}\n"
        "  - {name: d, train: [attention], optimizer: normalized_gd, rate: 0.1, until: 2 steps}\n",
        2, 1);
    mot_progress progress = {0};
    for (int s = 0; progress.stage < w.config.stages; ++s) {
        const mot_stage_config *stage = &w.config.stage[progress.stage];
        const mot_step_task task = {
            .first = (mot_gidx)s * BATCH, .total = BATCH, .number = s, .stage = stage, .factor = 1};
        mot_step_result result;
        mot_ck_ok(mot_step_run(w.step, &w.source, &task, false, &result));
        mot_ck_all(stage_moved_only(&w, stage->train));
        copy_units(&w);
        mot_stage_advance(&w.config, DATA_SAMPLES, &(mot_stage_seen){result.loss, result.purity, 0}, &progress);
        ck_assert_int_eq(progress.step, s + 1);
    }
    ck_assert_int_eq(progress.step, 8);

    /* An evaluation moves nothing, and a request to stop reaches everybody. */
    const mot_step_task look = {.first = 3, .total = 11, .number = 8};
    const mot_batch_source plain = {.dataset = &w.dataset, .patch = 1};
    mot_step_result result, again;
    mot_ck_ok(mot_step_run(w.step, &plain, &look, w.comm.rank == w.comm.size - 1, &result));
    mot_ck_all(stage_moved_only(&w, 0));
    mot_ck_all(result.stop);
    mot_ck_ok(mot_step_run(w.step, &plain, &look, false, &again));
    mot_ck_all(!again.stop && again.loss == result.loss && again.hits == result.hits);
    world_free(&w);
}
END_TEST

/* ---- failures: the same status on every rank, and the next step still works ---- */

START_TEST(everybody_hears_of_a_failure)
{
    world w;
    mot_step_result result;
    world_make(&w, "train.optimizer: sgd", 2, 1);
    const mot_batch_source plain = {.dataset = &w.dataset, .patch = 1};
    mot_step_task task = {
        .first = DATA_SAMPLES - 1, .total = BATCH, .stage = &w.config.stage[0], .factor = 1};
    mot_status status = mot_step_run(w.step, &plain, &task, false,
                                     &result); /* all but one sample are not there */
    mot_ck_all(status == MOT_ERR_INPUT && strstr(mot_error_message(), "outside [0, 37)") != NULL);
    task.first = 0;
    mot_ck_ok(mot_step_run(w.step, &plain, &task, false, &result));

    /* An expert whose weights are not numbers: loss and gradient are named, everywhere alike. */
    for (int e = 0; e < EXPERTS; ++e)
        if (mot_model_expert(&w.model, e) != NULL)
            for (size_t i = 0; i < w.model.layer->own_table.count; ++i) mot_model_expert(&w.model, e)->value[i] = NAN;
    status = mot_step_run(w.step, &plain, &task, false, &result);
    mot_ck_all(status == MOT_ERR_NUMERIC && strstr(mot_error_message(), "not finite") != NULL);
    world_free(&w);
}
END_TEST

/* ---- what a step says of its own work ---- */

/* The phases of all ranks together. */
static void sum_phases(world *w, mot_phase_work sum[MOT_PHASES])
{
    const mot_step_work *work = mot_step_measure(w->step);
    MPI_Allreduce(work->phase, sum, 3 * MOT_PHASES, MPI_DOUBLE, MPI_SUM, w->comm.mpi);
}

START_TEST(work_is_counted_by_phase)
{
    enum { K = 2 };
    world w;
    mot_step_result result;
    mot_phase_work sum[MOT_PHASES], then[MOT_PHASES];
    world_make(&w, "train.optimizer: sgd\nroute: {top_k: 2, chunks: 3}", 1, 1);
    const double rows = BATCH * K, output = DATA_CLASSES * sizeof(mot_real),
                 row = (double)mot_step_bytes(w.step).dispatch_row,
                 forward = w.model.layer->kind->flops(&w.model.layer->shape, DATA_TOKENS),
                 backward = mot_expert_backward_flops(w.model.layer->kind, &w.model.layer->shape, DATA_TOKENS, ~(mot_part_set)0);
    const mot_step_task task = {.total = BATCH, .stage = &w.config.stage[0], .factor = 1};
    const double start = mot_clock_s();
    mot_ck_ok(mot_step_run(w.step, &w.source, &task, false, &result));
    const double wall = mot_clock_s() - start;
    sum_phases(&w, sum);
    ck_assert(sum[MOT_PHASE_LOAD].bytes == BATCH * (double)w.dataset.format.bytes);
    ck_assert(sum[MOT_PHASE_SCORE].flops == 2.0 * BATCH * DATA_WIDTH * EXPERTS);
    ck_assert(sum[MOT_PHASE_DISPATCH].bytes == rows * row);
    ck_assert(sum[MOT_PHASE_EXPERT].flops == rows * (2 * forward + backward)); /* outputs first, then again to learn */
    ck_assert(sum[MOT_PHASE_COMBINE].bytes == rows * output);
    ck_assert(sum[MOT_PHASE_RETURN].bytes == rows * output);
    ck_assert(sum[MOT_PHASE_LOSS].bytes == 2 * rows * output);
    ck_assert(sum[MOT_PHASE_UPDATE].bytes > 0 && sum[MOT_PHASE_REPORT].flops > 0);

    /* Every moment is in one phase, and the three sums are of phases. */
    const mot_step_work *work = mot_step_measure(w.step);
    double seconds = 0;
    for (int p = 0; p < MOT_PHASES; ++p) seconds += work->phase[p].seconds;
    mot_ck_all(seconds > 0 && seconds <= wall);
    mot_ck_all(fabs(seconds - work->compute_s - work->exchange_s - work->wait_s) < 1e-9);

    /* An evaluation goes forward alone. */
    const mot_step_task look = {.total = 11};
    mot_ck_ok(mot_step_run(w.step, &w.source, &look, false, &result));
    sum_phases(&w, then);
    ck_assert(then[MOT_PHASE_EXPERT].flops == sum[MOT_PHASE_EXPERT].flops + 11 * K * forward);
    ck_assert(then[MOT_PHASE_COMBINE].bytes == sum[MOT_PHASE_COMBINE].bytes + 11 * K * output);
    ck_assert(then[MOT_PHASE_RETURN].bytes == sum[MOT_PHASE_RETURN].bytes);
    ck_assert(then[MOT_PHASE_UPDATE].bytes == sum[MOT_PHASE_UPDATE].bytes);
    world_free(&w);
}
END_TEST

static void step_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, a_step_is_what_its_twin_does, 0, (int)(sizeof cases / sizeof *cases));
    tcase_add_loop_test(tcase, threads_and_splits_do_not_show, 0, (int)(sizeof threaded / sizeof *threaded));
    tcase_add_test(tcase, a_frozen_part_stays_frozen);
    tcase_add_test(tcase, everybody_hears_of_a_failure);
    tcase_add_test(tcase, work_is_counted_by_phase);
}

MOT_CK_MAIN("step", step_tests)
