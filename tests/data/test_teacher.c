/* A teacher against a twin that is as dull as its definition, and the data set of its samples. */
#include "mot/teacher.h"

#include <math.h>
#include <string.h>

#include "ck.h"
#include "mot/dataset.h"
#include "mot/rng.h"
#include "mot/schema.h"

static mot_teacher_config teacher_of(int experts, size_t width)
{
    return (mot_teacher_config){.experts = experts, .width = width, .seed = 7};
}

static double dot(const double *a, const float *x, size_t width)
{
    double sum = 0;
    for (size_t d = 0; d < width; ++d) sum += a[d] * (double)x[d];
    return sum;
}

static double activated(mot_neuron_activation activation, double a)
{
    if (activation == MOT_NEURON_HERMITE3) return a * a * a - 3 * a;
    if (activation == MOT_NEURON_HERMITE2) return a * a - 1;
    return activation == MOT_NEURON_RELU ? fmax(a, 0) : tanh(a);
}

/* As its definition stands. */
static double value_of(const mot_teacher *teacher, const float *x)
{
    const mot_teacher_config *config = &teacher->config;
    double sum = 0, gates = 0;
    for (int j = 0; j < config->experts; ++j) {
        const double v = dot(teacher->v + (size_t)j * config->width, x, config->width),
                     w = dot(teacher->w + (size_t)j * config->width, x, config->width);
        const double gate = config->gate == MOT_TEACHER_SOFTMAX ? exp(v) : 1 / (1 + exp(-v));
        sum += gate * activated(config->activation, w);
        gates += gate;
    }
    return config->gate == MOT_TEACHER_SOFTMAX ? sum / gates : sum;
}

START_TEST(targets_are_the_formula)
{
    const struct {
        int experts;
        size_t width;
    } sizes[] = {{1, 2}, {3, 7}, {4, 8}, {5, 33}, {16, 64}};
    for (size_t s = 0; s < MOT_COUNT(sizes); ++s)
        for (int kind = 0; kind < 8; ++kind) {
            mot_teacher_config config = teacher_of(sizes[s].experts, sizes[s].width);
            config.activation = (mot_neuron_activation)(kind / 2);
            config.gate = (mot_teacher_gate)(kind % 2);
            mot_teacher teacher;
            mot_ck_ok(mot_teacher_init(&teacher, &config));
            for (mot_gidx i = 0; i < 20; ++i) {
                float x[64], y;
                mot_teacher_sample(&teacher, 1, i, x, &y);
                const double want = value_of(&teacher, x);
                ck_assert_double_le(fabs(mot_teacher_value(&teacher, x) - want), 1e-12 * (1 + fabs(want)));
                ck_assert(y == (float)mot_teacher_value(&teacher, x));
            }
            mot_teacher_free(&teacher);
            mot_teacher_free(&teacher);
        }
}
END_TEST

/* Slopes are the derivatives of values. */
START_TEST(slopes_are_those_of_the_values)
{
    const double h = 1e-5;
    for (int k = 0; k < 4; ++k)
        for (double a = -2.03; a < 2; a += 0.5) {
            const mot_neuron_activation of = (mot_neuron_activation)k;
            const double slope = (mot_neuron_value(of, a + h) - mot_neuron_value(of, a - h)) / (2 * h);
            ck_assert_double_eq_tol(mot_neuron_value(of, a), activated(of, a), 1e-14);
            ck_assert_double_eq_tol(mot_neuron_slope(of, a), slope, 1e-8);
        }
}
END_TEST

START_TEST(vectors_have_the_cosines_that_were_asked_for)
{
    for (int c = 0; c < 2; ++c) {
        mot_teacher_config config = teacher_of(6, 13);
        mot_teacher teacher;
        config.correlation = 0.4 * c;
        mot_ck_ok(mot_teacher_init(&teacher, &config));
        ck_assert_ptr_eq(teacher.w, teacher.v + 6 * 13);
        for (int i = 0; i < 12; ++i)
            for (int j = 0; j < 12; ++j) {
                double cosine = 0;
                for (int d = 0; d < 13; ++d) cosine += teacher.v[i * 13 + d] * teacher.v[j * 13 + d];
                ck_assert_double_eq_tol(cosine, i == j ? 1 : config.correlation, 1e-12);
            }
        mot_teacher_free(&teacher);
    }
}
END_TEST

/* The numbers are N(0, 1), each sample and split has its own, and with them the target has the moments of the theory:
 * E y = 0, since He3 is orthogonal to 1, and E y^2 = m E[P^2] E[He3^2] = 6 m (1/4 + E[(P - 1/2)^2]). */
START_TEST(samples_are_normal_and_of_their_own)
{
    enum { D = 24, N = 40000, M = 3 };
    const mot_teacher_config config = teacher_of(M, D);
    mot_teacher teacher;
    double sum = 0, squares = 0, mean = 0, power = 0, want = 0;
    mot_ck_ok(mot_teacher_init(&teacher, &config));
    for (mot_gidx i = 0; i < N; ++i) {
        float x[D], other[D], y, of_other;
        mot_teacher_sample(&teacher, 0, i, x, &y);
        if (i < 100) {
            mot_teacher_sample(&teacher, 2, i, other, &of_other);
            ck_assert(x[0] != other[0] && y != of_other);
            mot_teacher_sample(&teacher, 0, i + 1, other, &of_other);
            ck_assert(x[0] != other[0] && y != of_other);
            mot_teacher_sample(&teacher, 0, i + ((mot_gidx)1 << 32), other, &of_other);
            ck_assert(x[0] != other[0] && y != of_other);
            mot_teacher_sample(&teacher, 0, i, other, &of_other);
            ck_assert(memcmp(x, other, sizeof x) == 0 && y == of_other);
        }
        for (int d = 0; d < D; ++d) {
            sum += (double)x[d];
            squares += (double)x[d] * (double)x[d];
        }
        mean += (double)y / N;
        power += (double)y * (double)y / N;
        for (int j = 0; j < M; ++j) want += 6 * pow(mot_sigmoid(dot(teacher.v + j * D, x, D)), 2) / N;
    }
    ck_assert_double_eq_tol(sum / N / D, 0, 5e-3);
    ck_assert_double_eq_tol(squares / N / D, 1, 8e-3);
    ck_assert_double_eq_tol(mean, 0, 0.06);
    ck_assert_double_eq_tol(power / want, 1, 0.1);
    mot_teacher_free(&teacher);
}
END_TEST

START_TEST(what_cannot_be_is_refused)
{
    mot_teacher_config bad[] = {teacher_of(0, 8), teacher_of(MOT_TEACHER_MAX_EXPERTS + 1, 1 << 16),
                                teacher_of(5, 9), teacher_of(2, 1 << 17), teacher_of(2, 8),
                                teacher_of(2, 8), teacher_of(2, 8)};
    mot_teacher teacher;
    bad[4].correlation = NAN;
    bad[5].correlation = 1;
    bad[6].correlation = -0.1;
    for (size_t i = 0; i < MOT_COUNT(bad); ++i) {
        ck_assert_int_eq(mot_teacher_init(&teacher, &bad[i]), MOT_ERR_INPUT);
        ck_assert_ptr_null(teacher.v);
    }
    ck_assert_int_eq(mot_teacher_init(&teacher, &bad[2]), MOT_ERR_INPUT);
    ck_assert_str_eq(mot_error_message(), "a teacher of 5 experts needs a width of 10 to 65536, not 9");
}
END_TEST

/* The same samples whether they are kept once made or made again, in any order. */
START_TEST(a_data_set_gives_its_samples)
{
    enum { D = 6, N = 10 };
    const mot_teacher_config config = teacher_of(2, D);
    for (size_t memory = 0; memory < 2; ++memory) {
        mot_dataset set;
        int split;
        float all[N];
        mot_ck_ok(mot_dataset_taught(&set, &config, "test", N, memory > 0 ? SIZE_MAX : 0));
        const mot_teacher *teacher = mot_dataset_teacher(&set, &split);
        ck_assert(teacher != NULL && split == 2 && mot_dataset_mixture(&set, NULL) == NULL);
        ck_assert(set.classes == 0 && set.groups == 0 && set.target_bytes == sizeof(float));
        ck_assert(set.format.tokens == 1 && set.format.features == D && !mot_dataset_waits(&set));
        ck_assert_int_eq(mot_dataset_class(&set, 0), -1);
        for (int pass = 0; pass < 2; ++pass)
            for (mot_gidx i = N - 1; i >= 0; --i) {
                float x[D], want[D], y, want_y;
                int32_t group;
                mot_ck_ok(mot_dataset_sample(&set, i, x, &y, &group));
                mot_teacher_sample(teacher, 2, i, want, &want_y);
                ck_assert(memcmp(x, want, sizeof x) == 0 && y == want_y && group == -1);
            }
        mot_ck_ok(mot_dataset_targets(&set, all));
        for (mot_gidx i = 0; i < N; ++i) {
            float x[D], y;
            mot_teacher_sample(teacher, 2, i, x, &y);
            ck_assert(all[i] == y);
        }
        mot_dataset_close(&set);
    }
}
END_TEST

/* What a run learned from is not taken for something else. */
START_TEST(other_targets_are_not_adopted)
{
    const mot_mixture_config mixture = {
        .classes = 2, .tokens = 4, .width = 8, .alpha = {1, 1}, .beta = {1, 1}, .gamma = {1, 1}};
    const mot_teacher_config config = teacher_of(2, 8);
    mot_dataset numbers, classes;
    mot_schema schema;
    mot_gidx unknown, words;
    mot_ck_ok(mot_dataset_generate(&classes, &mixture, "train", 5, SIZE_MAX));
    mot_ck_ok(mot_dataset_taught(&numbers, &config, "train", 5, SIZE_MAX));
    mot_ck_ok(mot_schema_take(&schema, &numbers));
    mot_ck_ok(mot_schema_adopt(&schema, &numbers, MOT_ADOPT_LABELS, "teacher", &unknown, &words));
    mot_schema_free(&schema);
    mot_dataset_close(&numbers);
    mot_ck_ok(mot_dataset_taught(&numbers, &config, "train", 5, SIZE_MAX));
    mot_ck_ok(mot_schema_take(&schema, &classes));
    schema.format.tokens = 1; /* the same samples, and other targets */
    ck_assert_int_eq(mot_schema_adopt(&schema, &numbers, MOT_ADOPT_LABELS, "teacher", &unknown, &words),
                     MOT_ERR_INPUT);
    ck_assert_str_eq(mot_error_message(),
                     "teacher has targets that are numbers, 1 a sample; the run learned classes");
    mot_schema_free(&schema);
    mot_dataset_close(&numbers);
    mot_dataset_close(&classes);
}
END_TEST

static void teacher_tests(TCase *tcase)
{
    tcase_add_test(tcase, targets_are_the_formula);
    tcase_add_test(tcase, slopes_are_those_of_the_values);
    tcase_add_test(tcase, vectors_have_the_cosines_that_were_asked_for);
    tcase_add_test(tcase, samples_are_normal_and_of_their_own);
    tcase_add_test(tcase, what_cannot_be_is_refused);
    tcase_add_test(tcase, a_data_set_gives_its_samples);
    tcase_add_test(tcase, other_targets_are_not_adopted);
}

MOT_CK_MAIN("teacher", teacher_tests)
