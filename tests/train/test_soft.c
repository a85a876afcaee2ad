/* Soft routing by a spread gate: gradients of a whole step against central differences of a dull twin in double, and the
 * same bits on any number of ranks and threads, for experts that work together and for those that do not. */
#include "mot/order.h"
#include "mot/step.h"
#include "train_data.h"

enum { BATCH = 53, STEPS = 4, SAMPLES = 90, WIDTH = 11 };

typedef struct world {
    mot_comm comm;
    mot_model model;
    mot_batch_source source;
    mot_step *step;
} world;

static void configure(mot_config *config, const char *more)
{
    char text[700];
    snprintf(text, sizeof text, "route.top_k: all\n%s", more);
    data_configure(config, text);
}

static void world_make(world *w, MPI_Comm mpi, mot_dataset *set, const mot_config *config, int threads)
{
    mot_loss loss;
    memset(w, 0, sizeof *w);
    mot_comm_init(&w->comm, mpi);
    w->source = (mot_batch_source){
        .dataset = set, .patch = 1, .seed = 9, .shuffled = true};
    mot_ck_ok(mot_loss_init(&loss, mot_loss_kind_at(config->train.loss), sizeof(int32_t), set->classes));
    mot_ck_ok(mot_model_create(&w->model, &w->comm, config, set->format.tokens, set->format.features, 0,
                               loss.outputs, w->comm.size == 1));
    mot_model_init(&w->model);
    mot_ck_ok(mot_step_create(&w->step, &w->model, &w->source, &loss, 0, BATCH, threads));
}

static void world_free(world *w)
{
    mot_step_destroy(&w->step);
    mot_model_free(&w->model);
    mot_comm_free(&w->comm);
}

static double run(world *w, const mot_stage_config *stage, int number)
{
    const mot_step_task task = {
        .first = (mot_gidx)number * BATCH, .total = BATCH, .number = number, .stage = stage, .factor = 1};
    mot_step_result result;
    mot_ck_ok(mot_step_run(w->step, &w->source, &task, false, &result));
    ck_assert_ptr_null(result.expert);
    for (int e = 0; e < w->model.config->model.experts; ++e) ck_assert_int_eq(result.load[e], BATCH);
    return result.loss;
}

/* ---- the same bits ---- */

static const struct {
    size_t tokens;
    int classes, threads;
    const char *more;
} cases[] = {
    {1, 2, 1, "gate.kind: sigmoid\nmodel: {kind: hermite}\ntrain.loss: logistic"},
    {1, 2, 3, "gate.kind: softmax\nmodel: {kind: hermite, tile: 8}\ntrain: {loss: squared, optimizer: sgd}"},
    {1, 2, 2, "gate.kind: sigmoid\nmodel: {kind: hermite, tie: [ffn]}\ntrain.loss: squared"},
    {4, 3, 2, "gate: {kind: sigmoid, input: flat}"},
    {4, 3, 1, "gate: {kind: softmax}\nmodel: {tile: 7}\nroute.placement: [[4, 1], [], [0, 2, 3]]"},
    {4, 2, 2, "gate.kind: softmax\nmodel: {kind: merged}\ntrain.loss: logistic\nroute.coordinator: dedicated"},
};

START_TEST(the_same_bits_on_any_ranks)
{
    mot_dataset set;
    mot_config config;
    world w, alone;
    int ranks;
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    configure(&config, cases[_i].more);
    if (ranks < 3 && strstr(cases[_i].more, "placement") != NULL) return;
    mot_ck_ok(mot_dataset_random(&set, cases[_i].tokens, WIDTH, cases[_i].classes, SAMPLES, 5));
    world_make(&w, MPI_COMM_WORLD, &set, &config, cases[_i].threads);
    world_make(&alone, MPI_COMM_SELF, &set, &config, 1);
    const double before = run(&alone, NULL, 0);
    ck_assert(run(&w, NULL, 0) == before);
    for (int s = 0; s < STEPS; ++s) {
        const double mine = run(&w, &config.stage[0], s), twin = run(&alone, &config.stage[0], s);
        mot_ck_all(mine == twin && data_same_units(&w.model, &alone.model));
    }
    ck_assert(run(&w, NULL, 0) != before);
    world_free(&alone);
    world_free(&w);
    mot_dataset_close(&set);
}
END_TEST

/* ---- gradients ---- */

enum { EXPERTS = 5 };

/* All that is learned, expert by expert. */
typedef struct parameters {
    double w[EXPERTS][WIDTH], v[EXPERTS][WIDTH];
} parameters;

/* Of a model that one rank holds. */
static void read_parameters(const mot_model *model, parameters *p)
{
    for (int e = 0; e < EXPERTS; ++e)
        for (int d = 0; d < WIDTH; ++d) {
            p->w[e][d] = (double)mot_model_expert(model, e)->value[d];
            p->v[e][d] = (double)model->layer->gate_params.value[d * EXPERTS + e];
        }
}

static double along(const double *direction, const float *x)
{
    double dot = 0, square = 0;
    for (int d = 0; d < WIDTH; ++d) {
        dot += direction[d] * (double)x[d];
        square += direction[d] * direction[d];
    }
    return dot / sqrt(square);
}

/* The mean loss 1/2 (F - y)^2 of the step's samples, written out. */
static double dull_loss(const parameters *p, mot_dataset *set, const mot_batch_source *source, bool softmax,
                        mot_neuron_activation activation)
{
    double sum = 0;
    for (size_t b = 0; b < BATCH; ++b) {
        float x[WIDTH];
        int32_t label, group;
        double F = 0, weights = 0;
        mot_ck_ok(mot_dataset_sample(set, mot_order_sample(source->seed, set->samples, (mot_gidx)b), x, &label,
                                     &group));
        for (int e = 0; e < EXPERTS; ++e) {
            const double z = along(p->v[e], x), weight = softmax ? exp(z) : 1 / (1 + exp(-z));
            F += weight * mot_neuron_value(activation, along(p->w[e], x));
            weights += weight;
        }
        if (softmax) F /= weights;
        const double gap = F - (label > 0 ? 1 : -1);
        sum += gap * gap / 2;
    }
    return sum / BATCH;
}

static const char *const activations[] = {MOT_NEURON_ACTIVATIONS};

/* One step of gradient descent at rate 1 takes the gradient away. */
START_TEST(gradients_are_those_of_the_loss)
{
    const bool softmax = _i % 2 == 1;
    const mot_neuron_activation activation = (mot_neuron_activation)(_i / 2);
    const double h = 1e-5;
    char more[200];
    mot_dataset set;
    mot_config config;
    world w;
    parameters before, after;
    snprintf(more, sizeof more,
             "gate.kind: %s\nmodel: {kind: hermite, tile: 16, hermite.activation: %s}\ntrain: {loss: squared, "
             "optimizer: sgd, rate: 1, schedule: constant}",
             softmax ? "softmax" : "sigmoid", activations[activation]);
    configure(&config, more);
    mot_ck_ok(mot_dataset_random(&set, 1, WIDTH, 2, SAMPLES, 6));
    world_make(&w, MPI_COMM_SELF, &set, &config, 2);
    read_parameters(&w.model, &before);
    const double loss = run(&w, &config.stage[0], 0);
    read_parameters(&w.model, &after);
    ck_assert_double_eq_tol(loss, dull_loss(&before, &set, &w.source, softmax, activation), 1e-5 * loss);
    for (int e = 0; e < EXPERTS; ++e) {
        double across = 0, inner = 0, square = 0;
        for (int i = 0; i < 2 * WIDTH; ++i) {
            double *const at = i < WIDTH ? &before.w[e][i] : &before.v[e][i - WIDTH];
            const double value = *at, gradient = value - (i < WIDTH ? after.w[e][i] : after.v[e][i - WIDTH]);
            *at = value + h;
            const double up = dull_loss(&before, &set, &w.source, softmax, activation);
            *at = value - h;
            const double down = dull_loss(&before, &set, &w.source, softmax, activation);
            *at = value;
            ck_assert_double_eq_tol(gradient, (up - down) / (2 * h), 2e-5 * (1 + fabs(gradient)));
            if (i >= WIDTH) across += value * before.w[e][i - WIDTH];
            if (i < WIDTH) inner += value * gradient;
            if (i < WIDTH) square += gradient * gradient;
        }
        ck_assert_double_eq_tol(across, 0, 1e-6); /* a router begins orthogonal to its expert */
        ck_assert(square > 0 && fabs(inner) < 1e-5 * sqrt(square)); /* gradient flow keeps the length */
    }
    world_free(&w);
    mot_dataset_close(&set);
}
END_TEST

/* What is frozen stays, whether or not the other learns. */
START_TEST(either_is_frozen)
{
    mot_dataset set;
    mot_config config;
    world w;
    parameters before, after;
    configure(&config, _i == 0 ? "gate.kind: sigmoid\nmodel.kind: hermite\ntrain: {loss: squared, parts: [gate]}"
                               : "gate.kind: sigmoid\nmodel.kind: hermite\ntrain: {loss: squared, parts: [ffn]}");
    mot_ck_ok(mot_dataset_random(&set, 1, WIDTH, 2, SAMPLES, 6));
    world_make(&w, MPI_COMM_SELF, &set, &config, 1);
    read_parameters(&w.model, &before);
    (void)run(&w, &config.stage[0], 0);
    read_parameters(&w.model, &after);
    ck_assert_int_eq(memcmp(before.w, after.w, sizeof before.w) == 0, _i == 0);
    ck_assert_int_eq(memcmp(before.v, after.v, sizeof before.v) == 0, _i == 1);
    world_free(&w);
    mot_dataset_close(&set);
}
END_TEST

/* Each would be left without effect. */
static const char *const meaningless[] = {"route.top_k: 2", "route.chunks: 2", "route.scale: none",
                                          "route.split: true", "route.z_loss: 0.1"};
START_TEST(what_has_no_effect_is_refused)
{
    mot_config config;
    char text[300];
    snprintf(text, sizeof text, "data.file: none.h5\nmodel.experts: 4\ngate.kind: sigmoid\n%s%s\n",
             _i == 0 ? "" : "route.top_k: all\n", meaningless[_i]);
    ck_assert_int_eq(mot_config_parse(&config, "test", text, 0, NULL), MOT_ERR_INPUT);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "gate.kind = sigmoid"));
}
END_TEST

static void tests(TCase *tc)
{
    tcase_add_loop_test(tc, the_same_bits_on_any_ranks, 0, (int)MOT_COUNT(cases));
    tcase_add_loop_test(tc, gradients_are_those_of_the_loss, 0, 8);
    tcase_add_loop_test(tc, either_is_frozen, 0, 2);
    tcase_add_loop_test(tc, what_has_no_effect_is_refused, 0, (int)MOT_COUNT(meaningless));
}

MOT_CK_MAIN("soft routing", tests)
