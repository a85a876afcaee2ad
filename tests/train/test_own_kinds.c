/* What is from outside of mot goes through a run as what is of mot does, chosen by its name: a gate, an expert and a loss
 * (own_kinds.h), whose targets are two numbers and no class, through whole steps, with the same bits on any number of ranks;
 * and with a source, a stage action and figures (own_rooms.h) through a run that is stopped and continued. */
#include <math.h>
#include <string.h>

#include "mot/atomic_file.h"
#include "mot/log.h"
#include "mot/memory.h"
#include "mot/record_read.h"
#include "mot/run.h"
#include "mot/step.h"
#include "own_kinds.h"
#include "own_rooms.h"

enum { BATCH = 23, STEPS = 5 };

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
        .dataset = set, .patch = 1, .seed = 9, .shuffled = true};
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
    mot_ck_ok(own_source.open(&set, &config.data, "train", true, 0));
    world_make(&w, MPI_COMM_WORLD, &set, &config, 2);
    world_make(&alone, MPI_COMM_SELF, &set, &config, 1);
    ck_assert(w.model.layer->kind == &own_expert && mot_step_loss(w.step)->kind == &own_loss);
    ck_assert_uint_eq(w.model.layer->shape.outputs, WAVES_NUMBERS);
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
        mot_ck_all(data_same_units(&w.model, &alone.model));
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
    mot_ck_ok(own_source.open(&set, &config.data, "train", true, 0));
    world_make(&w, MPI_COMM_WORLD, &set, &config, 1);
    for (int e = 0; e < config.model.experts; ++e) {
        mot_params *expert = mot_model_expert(&w.model, e);
        if (expert != NULL) memset(expert->value, 0, expert->table->count * sizeof(mot_real));
    }
    const mot_step_task look = {.first = 5, .total = BATCH};
    mot_ck_ok(mot_step_run(w.step, &w.source, &look, false, &result));
    for (size_t p = 0; w.comm.rank == MOT_ROOT && p < BATCH; ++p) {
        float y[WAVES_NUMBERS];
        waves_target((int)result.sample[p], y);
        const double a = (double)y[0], b = (double)y[1];
        ck_assert_double_eq(result.sample_loss[p], a * a / 2 + b * b / 2); /* outputs are 0 */
    }
    world_free(&w);
    mot_dataset_close(&set);
    mot_comm_free(&all);
}
END_TEST

/* ---- a whole run ---- */

enum { ENDED = 4, WHOLE = 7, EVALUATIONS = 3 }; /* steps of the first stage, and of all; evaluations are after 3, 6 and 7 */
static const char *const run_text = "data.source: waves\nmodel: {kind: average, experts: 3}\n"
                                    "gate: {kind: tanh, init: 0.3}\nroute.top_k: 1\n"
                                    "train: {batch: 8, loss: numbers, rate: 0.05}\neval: {every: 3, batch: 5}\n"
                                    "checkpoint.every: 1\nreport.every: 1\nthreads: 1\n"
                                    "stages: [{name: a, until: 4 steps, action: halve}, {name: b, until: 3 steps}]\n";

/* `gate` and `action` in place of those of the text, NULL: those. */
static void run_on(const mot_comm *comm, const char *folder, const char *gate, const char *action)
{
    static mot_config config;
    char argument[128];
    const char *const arguments[] = {argument, gate, action};
    snprintf(argument, sizeof argument, "run=%s", folder);
    mot_ck_ok(mot_config_parse(&config, "test", run_text, gate != NULL ? 3 : 1, arguments));
    mot_ck_ok(mot_run_train(comm, &config, false));
}

/* A file of a run folder, whole; "" where there is none. */
static const char *text_of(const char *folder, const char *name)
{
    static char text[1 << 16];
    char path[256], *read = NULL;
    size_t count;
    text[0] = '\0';
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (mot_file_read(path, sizeof text - 1, &read, &count) == MOT_OK)
        snprintf(text, sizeof text, "%.*s", (int)count, read);
    mot_free(read);
    return text;
}

static void digest_of(const char *folder, char digest[33])
{
    const char *at = strstr(text_of(folder, "summary.json"), "\"digest\": \"");
    snprintf(digest, 33, "%s", at != NULL ? at + strlen("\"digest\": \"") : "");
}

/* What a process leaves that was killed before it had made a checkpoint of a later step. */
static void forget_behind(const char *folder, int step)
{
    for (int s = step + 1; s <= WHOLE; ++s) {
        char path[256];
        snprintf(path, sizeof path, "%s/checkpoints/step-%08d.h5", folder, s);
        unlink(path);
    }
}

/* It stands in log.jsonl once, at its step. */
static bool acted_once(const char *folder)
{
    static const char mark[] = "\"step\": 4, \"stage\": 0, \"action\": \"halve\", "
                               "\"did\": \"halved at a loss of ";
    const char *text = text_of(folder, "log.jsonl"), *at = strstr(text, "\"action\"");
    return strstr(text, mark) != NULL && at != NULL && strstr(at + 1, "\"action\"") == NULL;
}

/* The record has the figures, with their axes, and log.jsonl the number that has a key. */
static bool figures_are_there(const char *folder)
{
    const mot_record_item item[] = {{.kind = MOT_RECORD_FIGURES, .name = "worst"},
                                    {.kind = MOT_RECORD_FIGURES, .name = "group_worst"},
                                    {.kind = MOT_RECORD_FIGURES, .name = "held"}};
    mot_record_values value[3] = {{0}};
    const char *text = text_of(folder, "log.jsonl"), *last = strrchr(text, '{');
    double said = NAN;
    bool right = mot_record_read(folder, 3, item, value) == MOT_OK;
    for (size_t i = 0; i < 3; ++i) right = right && value[i].rows == EVALUATIONS;
    right = right && value[0].rank == 0 && value[1].rank == 1 && value[1].width == DATA_GROUPS;
    for (size_t r = 0; right && r < EVALUATIONS; ++r) {
        const double *group = value[1].value + r * DATA_GROUPS, worst = value[0].value[r];
        right = worst > 0 && worst == fmax(group[0], group[1]) && value[2].value[r] == (r == 0 ? 3 : 2);
    }
    right = right && last != NULL && mot_json_find_real(last, strlen(last), "eval.worst", &said) &&
            said == value[0].value[EVALUATIONS - 1] && strstr(text, "eval.held") == NULL;
    for (size_t i = 0; i < 3; ++i) mot_record_values_free(&value[i]);
    return right;
}

START_TEST(a_run_has_them_all_and_goes_on_on_either_side_of_its_action)
{
    mot_comm all, alone;
    char folder[64], twin[64], idle[64], command[160], digest[33], other[33];
    int number = (int)getpid();
    MPI_Bcast(&number, 1, MPI_INT, 0, MPI_COMM_WORLD);
    snprintf(folder, sizeof folder, "own-run.%d", number);
    snprintf(twin, sizeof twin, "own-run.%d.alone", number);
    snprintf(idle, sizeof idle, "own-run.%d.idle", number);
    mot_comm_init(&all, MPI_COMM_WORLD);
    mot_comm_init(&alone, MPI_COMM_SELF);
    mot_log_init(all.rank, MOT_LOG_ERROR);
    const bool root = all.rank == MOT_ROOT;
    run_on(&all, folder, NULL, NULL);
    if (root && all.size > 1) run_on(&alone, twin, NULL, NULL);
    MPI_Barrier(MPI_COMM_WORLD);
    digest_of(folder, digest);
    digest_of(all.size > 1 ? twin : folder, other);
    mot_ck_all(strlen(digest) == 32 && strcmp(digest, other) == 0);
    mot_ck_all(!root || (acted_once(folder) && figures_are_there(folder)));
    for (int step = ENDED - 1; step <= ENDED; ++step) {
        MPI_Barrier(MPI_COMM_WORLD);
        if (root) forget_behind(folder, step);
        MPI_Barrier(MPI_COMM_WORLD);
        run_on(&all, folder, NULL, NULL);
        digest_of(folder, other);
        mot_ck_all(strcmp(digest, other) == 0);
        mot_ck_all(!root || (acted_once(folder) && figures_are_there(folder)));
    }
    /* Of two groups, a gate that is told them leaves the third expert idle. */
    run_on(&all, idle, "gate.kind=fixed", "stages.0.action=drop_idle");
    mot_ck_all(!root || (strstr(text_of(idle, "log.jsonl"), "\"did\": \"1 of 3 experts are idle\"") != NULL &&
                         figures_are_there(idle)));
    MPI_Barrier(MPI_COMM_WORLD);
    snprintf(command, sizeof command, "rm -r %s*", folder);
    if (root) ck_assert_int_eq(system(command), 0);
    mot_comm_free(&alone);
    mot_comm_free(&all);
}
END_TEST

/* Behind a stage in which it is of no use it is refused as the configuration is read. */
START_TEST(an_action_says_where_it_is_useless)
{
    static mot_config config;
    const char *const idle = "stages.0.rate=0";
    ck_assert_int_eq(mot_config_parse(&config, "test", run_text, 1, &idle), MOT_ERR_INPUT);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "stage 'a': action = halve: nothing has been learned"));
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
    tcase_add_unchecked_fixture(tcase, own_rooms_add, NULL);
    tcase_add_loop_test(tcase, they_learn_with_the_same_bits_on_any_ranks, 0,
                        (int)(sizeof cases / sizeof *cases));
    tcase_add_test(tcase, targets_stay_with_their_samples);
    tcase_add_test(tcase, a_run_has_them_all_and_goes_on_on_either_side_of_its_action);
    tcase_add_test(tcase, an_action_says_where_it_is_useless);
    tcase_add_test(tcase, a_name_is_taken_once);
}

MOT_CK_MAIN("own_kinds", own_kinds_tests)
