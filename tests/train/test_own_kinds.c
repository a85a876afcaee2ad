/* A gate, an expert and a loss from outside of mot (own_kinds.h), whose targets are two numbers and no class, go through
 * whole steps as those of mot do: chosen by their names, with the same bits on any number of ranks, and they learn. */
#include "mot/step.h"
#include "own_kinds.h"
#include "train_data.h"

enum { BATCH = 23, STEPS = 5, NUMBERS = 2 };

/* What sample i should be taken for. */
static void numbers_of(int i, float y[NUMBERS])
{
    y[0] = 1.5f - data_number(i, 0);
    y[1] = data_number(i, 1) - 1;
}

/* Samples of a file, with numbers in place of their labels. */
static void open_numbers(mot_dataset *set, const mot_comm *comm)
{
    data_open(set, comm);
    mot_free(set->target);
    set->classes = 0;
    set->target_bytes = NUMBERS * sizeof(float);
    set->target = mot_calloc(DATA_SAMPLES, set->target_bytes);
    ck_assert_ptr_nonnull(set->target);
    for (int i = 0; i < DATA_SAMPLES; ++i) {
        float y[NUMBERS];
        numbers_of(i, y);
        memcpy(set->target + (size_t)i * sizeof y, y, sizeof y);
    }
    ck_assert_int_eq(mot_dataset_class(set, 0), -1);
}

typedef struct world {
    mot_comm comm;
    mot_model model;
    mot_batch_source source;
    mot_step *step;
} world;

static void world_make(world *w, MPI_Comm mpi, mot_dataset *set, const mot_config *config, int threads)
{
    mot_loss loss;
    memset(w, 0, sizeof *w);
    mot_comm_init(&w->comm, mpi);
    w->source = (mot_batch_source){
        .dataset = set, .gate = &w->model.gate, .patch = 1, .seed = 9, .shuffled = true};
    mot_ck_ok(mot_loss_init(&loss, mot_loss_kind_at(config->train.loss), mot_batch_target_bytes(&w->source),
                            set->classes));
    mot_ck_ok(mot_model_create(&w->model, &w->comm, config, DATA_TOKENS, DATA_WIDTH, 0, loss.outputs,
                               w->comm.size == 1));
    mot_model_init(&w->model);
    mot_ck_ok(mot_step_create(&w->step, &w->model, &w->source, &loss, DATA_GROUPS, BATCH, threads));
}

static void world_free(world *w)
{
    mot_step_destroy(&w->step);
    mot_model_free(&w->model);
    mot_comm_free(&w->comm);
}

/* Of one batch, without learning. */
static double loss_of(world *w)
{
    const mot_step_task look = {.first = 5, .total = BATCH};
    mot_step_result result;
    mot_ck_ok(mot_step_run(w->step, &w->source, &look, false, &result));
    return result.loss;
}

static bool same_units(const mot_model *a, const mot_model *b)
{
    for (size_t u = 0; u < a->units.count; ++u) {
        const mot_params *mine = a->units.unit[u].params, *other = b->units.unit[u].params;
        if (mine != NULL && other != NULL &&
            memcmp(mine->value, other->value, mine->table->count * sizeof(mot_real)) != 0)
            return false;
    }
    return true;
}

/* Nobody calls a number a class, or an output right. */
static bool says_no_class(const mot_step_result *result)
{
    bool none = isnan(result->hits);
    for (size_t p = 0; result->label != NULL && p < BATCH; ++p)
        none = none && result->label[p] == -1 && result->predicted[p] == -1 && !result->right[p];
    return none;
}

static const char *const cases[] = {
    "",
    "route.top_k: 2\nroute.chunks: 3",
    "route.top_k: all\nmodel.tie: [head]",
    "model.strip: 2\nmodel.tile: 1\nroute.split: true\ngate.kind: fixed",
};

START_TEST(they_learn_with_the_same_bits_on_any_ranks)
{
    mot_comm all;
    mot_dataset set;
    mot_config config;
    world w, alone;
    char more[400];
    snprintf(more, sizeof more, "model.kind: average\n%strain: {loss: numbers, rate: 0.2}\n%s",
             strstr(cases[_i], "gate.kind") != NULL ? "" : "gate.kind: tanh\n", cases[_i]);
    data_configure(&config, more);
    mot_comm_init(&all, MPI_COMM_WORLD);
    open_numbers(&set, &all);
    world_make(&w, MPI_COMM_WORLD, &set, &config, 2);
    world_make(&alone, MPI_COMM_SELF, &set, &config, 1);
    ck_assert(w.model.kind == &own_expert && mot_step_loss(w.step)->kind == &own_loss);
    ck_assert_uint_eq(w.model.shape.outputs, NUMBERS);
    const double before = loss_of(&w);
    for (int s = 0; s < STEPS; ++s) {
        const mot_step_task task = {.first = (mot_gidx)s * BATCH,
                                    .total = BATCH,
                                    .number = s,
                                    .stage = &config.stage[0],
                                    .factor = 1};
        mot_step_result result, twin;
        mot_ck_ok(mot_step_run(w.step, &w.source, &task, false, &result));
        mot_ck_ok(mot_step_run(alone.step, &alone.source, &task, false, &twin));
        mot_ck_all(result.loss == twin.loss && says_no_class(&result) && says_no_class(&twin));
        mot_ck_all(same_units(&w.model, &alone.model));
    }
    const double after = loss_of(&w);
    ck_assert_msg(after < 0.8 * before, "the loss went from %g to %g", before, after);
    world_free(&alone);
    world_free(&w);
    mot_dataset_close(&set);
    mot_comm_free(&all);
}
END_TEST

/* The losses are those of the samples' own numbers: the right ones travel with them. */
START_TEST(targets_stay_with_their_samples)
{
    mot_comm all;
    mot_dataset set;
    mot_config config;
    world w;
    mot_step_result result;
    data_configure(&config, "model.kind: average\ngate.kind: tanh\ntrain.loss: numbers\nroute.scale: none");
    mot_comm_init(&all, MPI_COMM_WORLD);
    open_numbers(&set, &all);
    world_make(&w, MPI_COMM_WORLD, &set, &config, 1);
    for (int e = 0; e < config.model.experts; ++e) {
        mot_params *expert = mot_model_expert(&w.model, e);
        if (expert != NULL) memset(expert->value, 0, expert->table->count * sizeof(mot_real));
    }
    const mot_step_task look = {.first = 5, .total = BATCH};
    mot_ck_ok(mot_step_run(w.step, &w.source, &look, false, &result));
    for (size_t p = 0; w.comm.rank == MOT_ROOT && p < BATCH; ++p) {
        float y[NUMBERS];
        numbers_of((int)result.sample[p], y);
        const double a = (double)y[0], b = (double)y[1];
        ck_assert_double_eq(result.sample_loss[p], a * a / 2 + b * b / 2); /* outputs are 0 */
    }
    world_free(&w);
    mot_dataset_close(&set);
    mot_comm_free(&all);
}
END_TEST

START_TEST(a_name_is_taken_once)
{
    static const mot_kind twice = {"linear"};
    ck_assert_int_eq(mot_kinds_add(&mot_gate_kinds, &twice), MOT_ERR_INPUT);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "'linear'"));
    ck_assert_int_eq(mot_kinds_find(&mot_gate_kinds, "deep"), MOT_NO_KIND);
    mot_kinds full = {{NULL}};
    static char names[MOT_MOST_KINDS + 1][16];
    static mot_kind kinds[MOT_MOST_KINDS + 1];
    for (int i = 0; i <= MOT_MOST_KINDS; ++i) {
        snprintf(names[i], sizeof names[i], "k%d", i);
        kinds[i].name = names[i];
        ck_assert_int_eq(mot_kinds_add(&full, &kinds[i]), i < MOT_MOST_KINDS ? MOT_OK : MOT_ERR_INPUT);
    }
    ck_assert_int_eq(mot_kinds_find(&full, "k30"), 30);
}
END_TEST

static void own_kinds_tests(TCase *tcase)
{
    tcase_add_unchecked_fixture(tcase, own_kinds_add, NULL);
    tcase_add_loop_test(tcase, they_learn_with_the_same_bits_on_any_ranks, 0,
                        (int)(sizeof cases / sizeof *cases));
    tcase_add_test(tcase, targets_stay_with_their_samples);
    tcase_add_test(tcase, a_name_is_taken_once);
}

MOT_CK_MAIN("own_kinds", own_kinds_tests)
