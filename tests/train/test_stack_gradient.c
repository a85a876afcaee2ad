/* Whole models of several layers, in double: the gradient that a step leaves of every tensor, gates and shared experts among
 * them, against central differences of the loss that an evaluation finds, with what balances. Choices are held: a difference
 * that changes one would be no gradient, and says so. */
#include <string.h>

#include "gradient.h"
#include "train_world.h"

enum { SAMPLES = 7, LAYERS = 2 };

/* Of what balances: as large as the loss itself, or small gradients of it would hide. */
static const double balance_loss = 0.4, z_loss = 0.05;

#define BLOCKS "heads: 2, ffn: 3"
static const struct stack {
    const char *name, *layers, *more;
} stacks[] = {
    {"one choice, then two, with shared experts",
     "[{embed: {width: 4}}, {dense: {depth: 1, " BLOCKS "}}, "
     "{experts: {count: 3, depth: 1, shared: 1, " BLOCKS "}}, "
     "{experts: {count: 4, depth: 1, shared: 2, " BLOCKS ", route: {top_k: 2, scale: chosen}}}, {head: {pool: mean}}]",
     ""},
    {"two choices, then one, without what comes in",
     "[{embed: {width: 4}}, {experts: {count: 3, depth: 1, shared: 2, residual: false, " BLOCKS ", route: {top_k: 2}}}, "
     "{dense: {depth: 1, " BLOCKS "}}, "
     "{experts: {count: 2, depth: 2, shared: 1, residual: false, " BLOCKS ", gate: {kind: mlp, hidden: 3}}}, {head: {pool: class}}]",
     "model.recompute: yes\nroute.chunks: 2"},
    {"all, then one, tied, gates on samples",
     "[{embed: {width: 4}}, {dense: {depth: 1, " BLOCKS "}}, "
     "{experts: {count: 3, depth: 1, shared: 1, " BLOCKS ", gate: {kind: mlp, hidden: 3, input: mean}, route: {top_k: all}}}, "
     "{experts: {count: 3, depth: 1, tie: [ffn], " BLOCKS ", gate: {input: flat}}}, {head: {pool: mean}}]",
     "model: {tile: 2, strip: 2}"},
};

typedef struct gradient_world {
    world w;
    int32_t expert[LAYERS][SAMPLES * 3]; /* the choices that are held */
    bool held;
} gradient_world;

static void hold(gradient_world *g, const mot_step_result *result)
{
    for (int l = 0; l < LAYERS; ++l) {
        const mot_layer_result *of = &result->layer[l];
        const size_t bytes = SAMPLES * of->choices * sizeof *of->expert;
        ck_assert_uint_le(bytes, sizeof g->expert[l]);
        if (g->held)
            ck_assert_msg(memcmp(g->expert[l], of->expert, bytes) == 0, "a difference changes what layer %d chooses", l);
        else
            memcpy(g->expert[l], of->expert, bytes);
    }
    g->held = true;
}

static double loss_of(void *context, bool learn)
{
    gradient_world *g = context;
    const mot_step_task task = {.total = SAMPLES, .stage = learn ? &g->w.config.stage[0] : NULL, .factor = 1, .look = learn};
    mot_step_result result;
    mot_ck_ok(mot_step_run(g->w.step, &g->w.source, &task, false, &result));
    hold(g, &result);
    double loss = result.loss;
    for (int l = 0; l < LAYERS; ++l)
        loss += balance_loss * result.layer[l].balance.switch_loss + z_loss * result.layer[l].balance.z_loss;
    return loss;
}

/* With one thread: some thousand steps, each of which is over before another thread would have woken. */
static void build(world *w)
{
    const mot_loss loss = data_loss(&w->config);
    data_model(&w->model, &w->comm, &w->config);
    w->source = (mot_batch_source){.dataset = &w->dataset, .patch = 1, .seed = 9, .shuffled = true};
    mot_ck_ok(mot_step_create(&w->step, &w->model, &w->source, &loss, DATA_GROUPS, SAMPLES, 1));
}

START_TEST(gradients_of_a_whole_stack)
{
    static gradient_world g;
    gradient_case c = {.name = "", .loss = loss_of, .context = &g, .tolerance = 1e-7};
    char more[1500];
    snprintf(c.name, sizeof c.name, "%s", stacks[_i].name);
    snprintf(more, sizeof more,
             "model.layers: %s\nroute.noise: none\nroute.balance_loss: %g\nroute.z_loss: %g\ntrain.batch: %d\n%s",
             stacks[_i].layers, balance_loss, z_loss, SAMPLES, stacks[_i].more);
    g.held = false;
    world_configure(&g.w, MPI_COMM_WORLD, more);
    build(&g.w);
    const mot_units *units = &g.w.model.units;
    for (size_t u = 0; u < units->count; ++u) {
        char prefix[GRADIENT_NAME];
        const mot_unit *unit = &units->unit[u];
        snprintf(prefix, sizeof prefix, "%s %d ", unit->group, unit->row);
        gradient_fill_params(unit->params, (uint32_t)(1000 * (_i + 1) + 50 * (int)u));
        gradient_add_params(&c, prefix, unit->params);
    }
    gradient_check(&c);
    world_free(&g.w);
}
END_TEST

static void open_file(void)
{
    gradient_open(GRADIENT_PATH("stack"));
}

static void stack_tests(TCase *tcase)
{
    tcase_add_unchecked_fixture(tcase, open_file, gradient_close);
    tcase_add_loop_test(tcase, gradients_of_a_whole_stack, 0, MOT_COUNT(stacks));
}

MOT_CK_MAIN("stack_gradient", stack_tests)
