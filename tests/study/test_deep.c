/* The deep half of the study of rehearsal: its figures over seeds, its plan, and one tiny trial as it plans them. */
#include <math.h>
#include <string.h>

#include "deep.h"
#include "mot/config.h"
#include "mot/dataset.h"
#include "scratch.h"

/* Three tasks: before, and after each of them. */
static double first[] = {0.1, 0.1, 0.1, /**/ 0.9, 0.2, 0.1, /**/ 0.5, 0.8, 0.1, /**/ 0.6, 0.4, 0.8};
static double second[] = {0.1, 0.1, 0.1, /**/ 0.7, 0.2, 0.1, /**/ 0.5, 0.6, 0.1, /**/ 0.4, 0.4, 0.4};
static double cosine[] = {NAN, NAN, NAN, 0.3, NAN, NAN, -0.1, 0.02, NAN};
static mot_gidx step[] = {0, 10, 20, 30};

static study_result result_of(double *accuracy)
{
    return (study_result){
        .tasks = {.tasks = 3, .step = step, .accuracy = accuracy, .unaided = NULL, .cosine = cosine}};
}

START_TEST(figures_over_seeds)
{
    study_result some[] = {result_of(first), result_of(second), {.failed = true}}, other[] = {result_of(second), result_of(second)};
    const study_variant variant = {.seeds = 3, .result = some}, compared = {.seeds = 2, .result = other};
    double values[3];
    char text[96];
    mot_deep_values(&variant, DEEP_ACC, values);
    ck_assert_double_eq_tol(values[0], 60, 1e-12);
    ck_assert_double_eq_tol(values[1], 40, 1e-12);
    ck_assert_double_nan(values[2]);
    mot_deep_values(&variant, DEEP_FORGETTING, values);
    ck_assert_double_eq_tol(values[0], 35, 1e-12); /* 0.9 - 0.6 and 0.8 - 0.4 */
    mot_deep_values(&variant, DEEP_UNAIDED, values);
    ck_assert_double_nan(values[0]); /* there is one head */
    deep_mean mean = mot_deep_mean(&variant, DEEP_ACC);
    ck_assert_uint_eq(mean.seeds, 2);
    ck_assert_double_eq_tol(mean.mean, 50, 1e-12);
    ck_assert_double_eq_tol(mean.interval.high, 50 + 12.706205 * 10, 1e-4);
    mean = mot_deep_difference(&variant, &compared, DEEP_ACC);
    ck_assert_double_eq_tol(mean.mean, 10, 1e-12);
    ck_assert_str_eq(mot_deep_text(&mean, true, text), "+10.0 (-117.1 to +137.1)");
    const deep_cosines cosines = mot_deep_compare(&compared, 0);
    ck_assert_double_eq_tol(cosines.share, 2. / 3, 1e-12);
    ck_assert_double_eq_tol(cosines.magnitude, 0.1, 1e-12);
    deep_line line = {0};
    mot_deep_line_add(&line, 5, &variant);
    ck_assert(line.count == 1 && line.x[0] == 5);
    ck_assert_double_eq_tol(line.mean[1][0], (35 + 25) / 2., 1e-12);
}
END_TEST

/* Texts of four groups of two classes, in the place of the data set of that name. */
static void make_data(void)
{
    enum { CLASSES = 8, EACH = 5, LENGTH = 4, WORDS = 12 };
    static const char *const words[WORDS] = {"", "?", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    const mot_sample_format format = {
        .kind = MOT_SAMPLE_TEXT, .element = MOT_ELEMENT_I32, .tokens = LENGTH, .vocabulary = WORDS};
    const mot_dataset_about about = {
        .class_count = CLASSES, .group_count = CLASSES / 2, .vocabulary_count = WORDS, .vocabulary = words};
    mot_dataset_writer *writer;
    char path[160];
    snprintf(path, sizeof path, "%s/%s", folder, mot_deep_sets[DEEP_CLINC].file[0]);
    mot_ck_ok(mot_dataset_writer_open(&writer, path, &format));
    for (int split = 0; split < 2; ++split)
        for (int32_t i = 0; i < CLASSES * EACH; ++i) {
            const int32_t label = i % CLASSES, group = label / 2;
            const int32_t id[LENGTH] = {2 + label, 2 + (label + i) % 10, 2 + i / CLASSES, 0};
            mot_ck_ok(mot_dataset_writer_add(writer, split == 0 ? "train" : "test", 1, id, &label, &group));
        }
    mot_ck_ok(mot_dataset_writer_close(&writer, &about, true));
}

static const rehearsal_claim *const claims[] = {&mot_deep_strategy, &mot_deep_similar, &mot_deep_memories, &mot_deep_experts};

static void plan(mot_study *study)
{
    for (size_t c = 0; c < MOT_COUNT(claims); ++c) mot_ck_ok(claims[c]->measure(study, NULL));
}

/* Every trial's configuration is one; without data there is no trial, and the page says that all is skipped. */
START_TEST(what_is_planned)
{
    mot_study study;
    mot_comm comm;
    begin(&study, &comm, "deep", 256);
    study.options.data = folder;
    plan(&study);
    ck_assert_uint_eq(study.variants, 0);
    if (comm.rank == MOT_ROOT) {
        mot_ck_ok(mot_study_page_open(&study, "Nothing"));
        for (size_t c = 0; c < MOT_COUNT(claims); ++c) mot_ck_ok(claims[c]->tell(&study, NULL));
        mot_study_say(&study, "%s", "");
        fflush(study.page);
        ck_assert_msg(strstr(study.text, "CLINC150: skipped: its file is not there") != NULL, "said: %s", study.text);
        mot_ck_ok(mot_study_page_close(&study));
        make_data();
    }
    MPI_Barrier(comm.mpi);
    study.options.quick = true;
    plan(&study);
    const size_t quick = study.variants;
    study.options.quick = false;
    plan(&study);
    ck_assert(quick > 0 && study.variants > quick);
    for (size_t v = 0; v < study.variants; ++v) {
        const study_variant *variant = &study.variant[v];
        const char *setting[STUDY_MOST_SETTINGS];
        mot_config *config;
        ck_assert_msg(strlen(variant->name) < STUDY_NAME - 1, "a cut name: %s", variant->name);
        for (size_t s = 0; s < variant->settings; ++s) setting[s] = variant->setting[s];
        mot_ck_ok(mot_allocate(&config, 1, sizeof *config, "a configuration"));
        mot_ck_ok(mot_config_parse(config, variant->name, variant->base, variant->settings, setting));
        mot_free(config);
    }
    finish(&study, &comm);
}
END_TEST

START_TEST(a_trial_is_learned)
{
    mot_study study;
    mot_comm comm;
    begin(&study, &comm, "tiny", 4);
    if (comm.rank == MOT_ROOT) make_data();
    MPI_Barrier(comm.mpi);
    study.options.data = folder;
    const study_variant *variant = mot_deep_add(
        &study, &(deep_trial){DEEP_CLINC, DEEP_CHANGED, DEEP_MOT, DEEP_HYBRID, "tiny",
                              "train.until=6 steps; train.batch=4; model.width=8; rehearsal.memory=2 a class", 2});
    mot_ck_ok(mot_study_train(&study));
    if (comm.rank == MOT_ROOT) {
        double values[2];
        mot_ck_ok(mot_study_read(&study));
        ck_assert_int_eq(variant->result[1].tasks.tasks, 4);
        for (int v = 0; v < DEEP_VALUES; ++v) {
            mot_deep_values(variant, (deep_value)v, values);
            ck_assert_msg(isfinite(values[0]) && isfinite(values[1]), "value %d: %g %g", v, values[0], values[1]);
        }
        ck_assert(isfinite(mot_deep_compare(variant, 0).share));
    }
    finish(&study, &comm);
}
END_TEST

static void deep_tests(TCase *tcase)
{
    tcase_add_test(tcase, figures_over_seeds);
    tcase_add_test(tcase, what_is_planned);
    tcase_add_test(tcase, a_trial_is_learned);
}

MOT_CK_MAIN("deep", deep_tests)
