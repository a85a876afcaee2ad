/* Texts, of whose words a batch has few: rows of words that nobody met catch up later, with the bits of rows that always did. */
#include <string.h>

#include "mot/step.h"
#include "train_data.h"

enum { TEXTS = 60, TOKENS = 6, WORDS = 90, BATCH = 9, STEPS = 11 };

/* Word t of text i, 0 behind its end: few words are in many texts, and some in none. */
static int32_t word_of(int i, int t)
{
    if (t >= 1 + i % TOKENS) return 0;
    return 1 + (i * 31 + t * 17) % (t % 2 == 0 ? 7 : WORDS - 10);
}

static void write_texts(const char *path)
{
    const mot_sample_format format = {.kind = MOT_SAMPLE_TEXT, .element = MOT_ELEMENT_I32, .tokens = TOKENS, .vocabulary = WORDS};
    const mot_dataset_about about = {.title = "test"};
    mot_dataset_writer *writer;
    mot_ck_ok(mot_dataset_writer_open(&writer, path, &format));
    for (int i = 0; i < TEXTS; ++i) {
        int32_t id[TOKENS];
        const int32_t label = data_label(i), group = data_group(i);
        for (int t = 0; t < TOKENS; ++t) id[t] = word_of(i, t);
        mot_ck_ok(mot_dataset_writer_add(writer, "train", 1, id, &label, &group));
    }
    mot_ck_ok(mot_dataset_writer_close(&writer, &about, true));
}

static void open_texts(mot_dataset *dataset, const mot_comm *comm)
{
    char path[64];
    int number = (int)getpid();
    MPI_Bcast(&number, 1, MPI_INT, 0, comm->mpi);
    snprintf(path, sizeof path, "train-words.%d.h5", number);
    if (comm->rank == MOT_ROOT) write_texts(path);
    MPI_Barrier(comm->mpi);
    const mot_status status = mot_dataset_open(dataset, path, "train", 1 << 20);
    MPI_Barrier(comm->mpi);
    if (comm->rank == MOT_ROOT) unlink(path);
    mot_ck_ok(status);
}

/* Whether gradients have numbers in rows of words alone that they say they met; and whether some are behind. */
static bool says_what_it_met(const mot_model *model, bool *behind)
{
    bool well = true;
    for (size_t u = 0; u < model->units.count; ++u) {
        const mot_params *params = model->units.unit[u].params;
        const mot_tensor *of = params != NULL ? mot_table_words(params->table) : NULL;
        if (of == NULL) continue;
        *behind = *behind || params->lag->updates > 0;
        for (size_t i = 0; i < of->count; ++i)
            well = well && (params->gradient[of->offset + i] == 0 ||
                            mot_met_next(params->met, of->shape[0], i / of->shape[1]) == i / of->shape[1]);
    }
    return well;
}

#define ALONE "model.width: 8\nmodel.heads: 2\nmodel.depth: 1\nmodel.ffn: 12\nmodel.experts: 5\n"
#define STACK                                                                                                                      \
    "model.layers: [{embed: {width: 8}}, {experts: {count: 3, heads: 2, ffn: 12, depth: 1, shared: 1}}, {dense: {heads: 2, "       \
    "ffn: 12, depth: 1}}, {experts: {count: 2, heads: 2, ffn: 12, depth: 1, gate: {input: state}}}, {head: {pool: mean}}]\n"
static const char *const cases[] = {
    ALONE "route.chunks: 2\nmodel.strip: 1\ntrain: {weight_decay: 0.1, clip: 0.1}",
    ALONE "gate.kind: mlp\ngate.input: sum\nroute.top_k: 2\nmodel.tie: [embed]\nroute.chunks: 2",
    ALONE "route.split: true\nmodel.strip: 1\nmodel.tile: 1\nroute.top_k: 2\ntrain.clip: 0.1",
    ALONE "route.split: true\nmodel.strip: 2\nmodel.tie: [embed, head]\ntrain: {optimizer: sgd, momentum: 0.9, weight_decay: 0.1}",
    STACK "train.weight_decay: 0.1",
};

START_TEST(catches_up_with_what_always_did)
{
    mot_comm comm;
    mot_config config;
    mot_dataset dataset;
    mot_model model[2]; /* the second is never behind */
    mot_step *step[2];
    mot_batch_source source = {.dataset = &dataset, .seed = 9, .shuffled = true};
    bool behind = false;
    char text[1024];
    mot_comm_init(&comm, MPI_COMM_WORLD);
    open_texts(&dataset, &comm);
    snprintf(text, sizeof text, "data: {file: none.h5}\ngate.init: 0.3\n%s\n", cases[_i]);
    mot_ck_ok(mot_config_parse(&config, "test", text, 0, NULL));
    mot_ck_ok(mot_stages_resolve(&config, TEXTS, MOT_SAMPLE_TEXT));
    const mot_loss loss = data_loss(&config);
    for (int m = 0; m < 2; ++m) {
        mot_ck_ok(mot_model_create(&model[m], &comm, &config, TOKENS, 0, WORDS, DATA_CLASSES, comm.size == 1));
        mot_model_init(&model[m]);
        mot_ck_ok(mot_step_create(&step[m], &model[m], &source, &loss, DATA_GROUPS, BATCH, 1 + m));
    }
    for (int s = 0; s < STEPS; ++s) {
        const mot_step_task look = {.first = 5, .total = BATCH, .number = s},
                            task = {.first = (mot_gidx)s * BATCH, .total = BATCH, .number = s, .stage = config.stage,
                                    .factor = 1. / (1 + s)};
        mot_step_result result[2];
        for (int m = 0; m < 2; ++m) mot_ck_ok(mot_step_run(step[m], &source, &task, false, &result[m]));
        mot_ck_all(says_what_it_met(&model[0], &behind));
        mot_ck_all(result[0].loss == result[1].loss);
        mot_model_catch_up(&model[1]);
        if (s != STEPS / 2) continue;
        for (int m = 0; m < 2; ++m) mot_ck_ok(mot_step_run(step[m], &source, &look, false, &result[m]));
        mot_ck_all(result[0].loss == result[1].loss && data_same_units(&model[0], &model[1]));
    }
    int some = behind && !data_same_units(&model[0], &model[1]);
    mot_comm_allreduce(&comm, &some, 1, MPI_INT, MPI_MAX);
    ck_assert_int_eq(some, 1);
    mot_model_catch_up(&model[0]);
    mot_ck_all(data_same_units(&model[0], &model[1]));
    for (int m = 0; m < 2; ++m) {
        mot_step_destroy(&step[m]);
        mot_model_free(&model[m]);
    }
    mot_dataset_close(&dataset);
    mot_comm_free(&comm);
}
END_TEST

static void words_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, catches_up_with_what_always_did, 0, (int)MOT_COUNT(cases));
}

MOT_CK_MAIN("words", words_tests)
