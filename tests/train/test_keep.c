/* Experts that go between steps. What is left has the bits that it had, and goes on with the bits of a dull twin: a model
 * that was made with so many experts, on one rank, and got their values one by one. */
#include <string.h>

#include "mot/rng.h"
#include "train_world.h"

/* `experts`: as many as that, of which a sample gets no more than there are. */
static void world_make(world *w, MPI_Comm mpi, const char *more, int experts)
{
    world_configure(w, mpi, more);
    if (experts < EXPERTS) {
        w->config.model.experts = experts;
        w->config.route.top_k = MOT_MIN(w->config.route.top_k, experts);
        strcpy(w->config.route.placement, "even");
    }
    world_build(w);
}

/* Experts go round the ranks. */
static void move(world *w, int by)
{
    const int lowest = w->model.layer->placement.dedicated ? 1 : 0, workers = w->comm.size - lowest;
    mot_placement placement;
    int owner[EXPERTS];
    for (int e = 0; e < w->model.layer->experts; ++e) owner[e] = lowest + (e + by) % workers;
    mot_ck_ok(mot_placement_assign(&placement, &w->model.layer->placement, owner));
    mot_ck_ok(mot_model_move(&w->model, 0, &placement));
}

/* ---- the twin ---- */

static void copy(mot_params *to, const mot_params *from)
{
    const size_t bytes = from->table->count * sizeof(mot_real);
    memcpy(to->value, from->value, bytes);
    for (int m = 0; m < 2; ++m) memcpy(to->moment[m], from->moment[m], bytes);
    to->updates = from->updates;
}

/* The columns of experts from[left] of a gate's tensor; its last axis is that of experts where it has one. */
static void copy_columns(const mot_tensor *to, mot_real *into, const mot_tensor *of, const mot_real *block, int left,
                         const int *from)
{
    const size_t E = of->shape[of->rank - 1], L = to->shape[to->rank - 1];
    const bool by_expert = of->count != to->count;
    for (size_t i = 0; i < to->count; ++i)
        into[to->offset + i] = block[of->offset + (by_expert ? i / L * E + (size_t)from[i % L] : i)];
    ck_assert(!by_expert || L == (size_t)left);
}

/* The twin of the experts from[left] of `whole`, both on one rank. */
static void fill(mot_model *twin, const mot_model *whole, int left, const int *from)
{
    for (int e = 0; e < left; ++e) {
        copy(mot_model_expert(twin, e), mot_model_expert(whole, from[e]));
        twin->layer->balance_bias[e] = whole->layer->balance_bias[from[e]];
    }
    copy(&twin->layer->tied, &whole->layer->tied);
    for (size_t r = 0; r < twin->layer->gate.table.rows; ++r) {
        const mot_tensor *const to = &twin->layer->gate.table.row[r], *const of = &whole->layer->gate.table.row[r];
        copy_columns(to, twin->layer->gate_params.value, of, whole->layer->gate_params.value, left, from);
        for (int m = 0; m < 2; ++m)
            copy_columns(to, twin->layer->gate_params.moment[m], of, whole->layer->gate_params.moment[m], left, from);
    }
    twin->layer->gate_params.updates = whole->layer->gate_params.updates;
}

/* ---- the comparison ---- */

static bool same(const mot_params *a, const mot_params *b)
{
    const size_t bytes = a->table->count * sizeof(mot_real);
    return a->table->count == b->table->count && memcmp(a->value, b->value, bytes) == 0 &&
           memcmp(a->moment[0], b->moment[0], bytes) == 0 && memcmp(a->moment[1], b->moment[1], bytes) == 0 &&
           a->updates == b->updates && a->unit == b->unit;
}

/* Of what this rank holds, which is what the placement says. */
static bool is_its_twin(const mot_model *model, const mot_model *twin)
{
    bool good = model->layer->experts == twin->layer->experts && same(&model->layer->tied, &twin->layer->tied) &&
                model->units.count == twin->units.count && model->layer->placement.experts == twin->layer->experts &&
                model->layer->gate.experts == (size_t)twin->layer->experts &&
                model->layer->local == mot_placement_count(&model->layer->placement, model->comm->rank);
    if (model->comm->rank == MOT_ROOT)
        good = good && same(&model->layer->gate_params, &twin->layer->gate_params) &&
               memcmp(model->layer->balance_bias, twin->layer->balance_bias, (size_t)twin->layer->experts * sizeof(mot_real)) == 0;
    for (int e = 0; good && e < twin->layer->experts; ++e) {
        const mot_params *own = mot_model_expert(model, e);
        good = (own != NULL) == (model->layer->placement.owner[e] == model->comm->rank) &&
               model->units.unit[model->layer->first_expert + (size_t)e].row == e &&
               (own == NULL || same(own, mot_model_expert(twin, e)));
    }
    return good;
}

/* ---- */

static const char *const cases[] = {
    "train.optimizer: adamw\nroute.balance_bias: 0.01\nroute.noise: gumbel",
    "train.optimizer: adamw\nroute.top_k: 2\ngate.kind: mlp\ngate.hidden: 7\nroute.balance_loss: 0.1",
    "train.optimizer: sgd\ntrain.momentum: 0.9\nmodel.tie: [attention]\nroute.top_k: all\nroute.chunks: 3",
    "train.optimizer: adamw\nroute.top_k: 4\nroute.scale: chosen\nmodel.tie: [embed, attention, ffn, head]",
    "model.strip: 2\nroute.split: true\ngate.kind: fixed\nroute.chunks: 2\ntrain.optimizer: adamw",
    "model.strip: 1\nroute.split: true\nroute.top_k: 2\nroute.coordinator: dedicated\nmodel.tie: [ffn]",
    "gate.kind: random\nroute.top_k: 2\ntrain.optimizer: adamw",
    "gate.kind: sigmoid\nroute.top_k: all\ntrain.optimizer: adamw",
    "gate.kind: softmax\nroute.top_k: all",
    "gate.kind: even\nroute.placement: \"[[3, 1, 0, 4, 2]]\"\ntrain.optimizer: adamw",
};

/* Whether a rank gets the experts that are left as the placement's text has them: by numbers in the beginning. */
static bool lives_where_it_should(const world *w)
{
    const mot_model *model = &w->model;
    const mot_route_config *route = &w->config.route;
    mot_placement placed, all;
    bool good = true;
    mot_ck_ok(mot_placement_init(&placed, "even", model->layer->experts, w->comm.size, route->dedicated, false));
    mot_ck_ok(mot_placement_init(&all, route->placement, EXPERTS, w->comm.size, route->dedicated, false));
    const bool even = strcmp(route->placement, "even") == 0;
    for (int e = 0; e < model->layer->experts; ++e)
        good = good && model->layer->placement.owner[e] == (even ? placed.owner[e] : all.owner[model->layer->origin[e]]);
    mot_placement_free(&all);
    mot_placement_free(&placed);
    return good;
}

/* One time after another fewer are left, at last one. Each time a twin is made of the twin before. */
START_TEST(what_is_left_is_a_twin)
{
    static const bool keep[][EXPERTS] = {{true, false, true, true, false}, {false, true, true}, {false, true}};
    static const int origins[][3] = {{0, 2, 3}, {2, 3}, {3}};
    static world w, twins[1 + MOT_COUNT(keep)]; /* large */
    world_make(&w, MPI_COMM_WORLD, cases[_i], EXPERTS);
    world_make(&twins[0], MPI_COMM_SELF, cases[_i], EXPERTS);
    int step = 0;
    for (; step < 3; ++step) mot_ck_all(train(&w, step) == train(&twins[0], step));
    for (size_t round = 0; round < MOT_COUNT(keep); ++round) {
        const world *const before = &twins[round];
        world *const twin = &twins[round + 1];
        int from[EXPERTS], left = 0;
        for (int e = 0; e < before->model.layer->experts; ++e)
            if (keep[round][e]) from[left++] = e;
        world_make(twin, MPI_COMM_SELF, cases[_i], left);
        fill(&twin->model, &before->model, left, from);
        if (round != 1) move(&w, 1 + (int)round);
        mot_ck_ok(mot_model_keep(&w.model, keep[round]));
        mot_ck_ok(mot_step_renew(&w.step, &w.source));
        mot_ck_all(is_its_twin(&w.model, &twin->model));
        mot_ck_all(lives_where_it_should(&w));
        ck_assert_mem_eq(w.model.layer->origin, origins[round], (size_t)left * sizeof(int));
        for (int i = 0; i < 2; ++i, ++step) {
            mot_ck_all(train(&w, step) == train(twin, step));
            mot_ck_all(is_its_twin(&w.model, &twin->model));
            if (i == 0) move(&w, 2);
        }
    }
    for (size_t t = 0; t < MOT_COUNT(twins); ++t) world_free(&twins[t]);
    world_free(&w);
}
END_TEST

/* ---- a gate that does not say which of its axes is that of the experts ---- */

static mot_status silent_table(const mot_gate *gate, mot_table *table)
{
    return mot_table_add(table, "theta", MOT_PART_GATE, 2, (const size_t[]){gate->features, gate->experts}, 0,
                         gate->config->init, true);
}

static void silent_forward(const mot_gate *gate, const mot_params *params, size_t n, const mot_real *g,
                           const int32_t *id, mot_real *h, mot_real *kept)
{
    (void)kept;
    mot_gate_product(gate, n, g, id, mot_gate_tensor(gate, params->value, 0), NULL, gate->experts, h);
}

static const mot_gate_kind silent_gate = {
    .kind = {"silent"}, .table = silent_table, .forward = silent_forward};

START_TEST(a_gate_that_does_not_say_keeps_all)
{
    static const bool keep[EXPERTS] = {true, true, false, true, true};
    static world w;
    mot_ck_ok(mot_kinds_add(&mot_gate_kinds, &silent_gate.kind));
    world_make(&w, MPI_COMM_WORLD, "gate.kind: silent", EXPERTS);
    ck_assert_int_eq(mot_model_keep(&w.model, keep), MOT_ERR_INPUT);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "'theta'"));
    ck_assert_int_eq(w.model.layer->experts, EXPERTS);
    mot_ck_all(isfinite(train(&w, 0)));
    world_free(&w);
}
END_TEST

static void keep_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, what_is_left_is_a_twin, 0, (int)(sizeof cases / sizeof *cases));
    tcase_add_test(tcase, a_gate_that_does_not_say_keeps_all);
}

MOT_CK_MAIN("keep", keep_tests)
