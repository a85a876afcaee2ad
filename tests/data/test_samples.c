/* What happens to a sample between the file and the model: tokens, augmentation, and the synthetic mixture.
 */
#include <math.h>
#include <string.h>

#include "ck.h"
#include "mot/augment.h"
#include "mot/dataset.h"
#include "mot/memory.h"
#include "mot/mixture.h"
#include "mot/rng.h"
#include "mot/tokens.h"

START_TEST(picture_tokens)
{
    mot_sample_format format = {
        .kind = MOT_SAMPLE_PICTURE,
        .channels = 2,
        .height = 4,
        .width = 6,
        .bytes = 48,
        .normalization = {MOT_SCALING_COLUMN, 2, (double[]){0.5, 0.25}, (double[]){0.25, 0.5}}};
    mot_token_shape shape;
    unsigned char sample[48];
    float x[48];
    for (int i = 0; i < 48; ++i) sample[i] = (unsigned char)(5 * i);
    mot_ck_ok(mot_token_shape_of(&format, 2, &shape));
    ck_assert(shape.tokens == 6 && shape.width == 8 && shape.vocabulary == 0);
    ck_assert_uint_eq(mot_tokens_decode(&format, 2, sample, x, NULL), 6);
    for (int t = 0; t < 6; ++t)
        for (int c = 0; c < 2; ++c)
            for (int h = 0; h < 2; ++h)
                for (int w = 0; w < 2; ++w) {
                    const int row = t / 3 * 2 + h, column = t % 3 * 2 + w,
                              pixel = 5 * (c * 24 + row * 6 + column);
                    const double expected = (pixel / 255.0 - format.normalization.mean[c]) /
                                            format.normalization.deviation[c];
                    ck_assert(fabs(x[t * 8 + c * 4 + h * 2 + w] - expected) < 1e-6);
                }
    ck_assert_int_eq(mot_token_shape_of(&format, 3, &shape), MOT_ERR_INPUT);
    ck_assert_str_eq(mot_error_message(), "model.patch = 3: pictures of 4 x 6 pixels are divided by 1, 2");
    ck_assert_int_eq(mot_token_shape_of(&format, 0, &shape), MOT_ERR_INPUT);
}
END_TEST

START_TEST(text_and_vector_tokens)
{
    mot_sample_format text = {
        .kind = MOT_SAMPLE_TEXT, .element = MOT_ELEMENT_I32, .tokens = 4, .vocabulary = 9};
    const int32_t words[4] = {5, 8, 0, 3}, empty[4] = {0};
    int32_t id[4];
    ck_assert_uint_eq(mot_tokens_decode(&text, 0, words, NULL, id), 2);
    ck_assert(id[0] == 5 && id[1] == 8 && id[2] == 0 && id[3] == 0);
    ck_assert_uint_eq(mot_tokens_decode(&text, 0, empty, NULL, id), 1);
    ck_assert(id[0] == 1 && id[1] == 0);
    text.element = MOT_ELEMENT_U8;
    ck_assert_uint_eq(mot_tokens_decode(&text, 0, "h\xc3\xa4!", NULL, id), 4);
    ck_assert(id[0] == 'h' && id[1] == 0xc3 && id[3] == '!');

    const mot_sample_format vector = {.kind = MOT_SAMPLE_VECTOR,
                                      .element = MOT_ELEMENT_F32,
                                      .tokens = 2,
                                      .features = 2,
                                      .normalization = {MOT_SCALING_ALL, 1, (double[]){1}, (double[]){2}}};
    const float numbers[4] = {1, 3, -1, 5};
    float x[4];
    ck_assert_uint_eq(mot_tokens_decode(&vector, 0, numbers, x, NULL), 2);
    ck_assert(x[0] == 0 && x[1] == 1 && x[2] == -1 && x[3] == 2);
}
END_TEST

START_TEST(augmentation)
{
    const mot_sample_format format = {
        .kind = MOT_SAMPLE_PICTURE, .channels = 1, .height = 5, .width = 5, .bytes = 25};
    const mot_augment_config move = {.shift = 2}, flip = {.flip = true}, nothing = {0};
    unsigned char sample[25], again[25], scratch[25];
    int flipped = 0, places[5][5] = {{0}};
    for (mot_gidx position = 0; position < 2500; ++position) {
        memset(sample, 0, 25);
        sample[12] = 200; /* the middle */
        mot_augment(&move, &format, 1, position, sample, scratch);
        for (int i = 0; i < 25; ++i) places[i / 5][i % 5] += sample[i] == 200;
        memset(again, 0, 25);
        again[12] = 200;
        mot_augment(&move, &format, 1, position, again, scratch);
        ck_assert_mem_eq(sample, again, 25);

        for (int i = 0; i < 25; ++i) again[i] = sample[i] = (unsigned char)i;
        mot_augment(&flip, &format, 1, position, sample, scratch);
        flipped += sample[0] == 4 && sample[5] == 9;
        mot_augment(&nothing, &format, 1, position, again, scratch);
        for (int i = 0; i < 25; ++i) ck_assert_int_eq(again[i], i);
    }
    for (int i = 0; i < 25; ++i) ck_assert(places[i / 5][i % 5] > 50 && places[i / 5][i % 5] < 150);
    ck_assert(flipped > 1150 && flipped < 1350);

    const mot_sample_format text = {
        .kind = MOT_SAMPLE_TEXT, .element = MOT_ELEMENT_I32, .tokens = 8, .bytes = 32};
    const mot_augment_config drop = {.drop = 0.25};
    int dropped = 0;
    for (mot_gidx position = 0; position < 1000; ++position) {
        int32_t ids[8] = {5, 6, 7, 8, 9, 0, 0, 0};
        mot_augment(&drop, &text, 1, position, ids, scratch);
        for (int t = 0; t < 5; ++t) {
            ck_assert(ids[t] == 1 || ids[t] == 5 + t);
            dropped += ids[t] == 1;
        }
        ck_assert(ids[5] == 0 && ids[7] == 0);
    }
    ck_assert(dropped > 1100 && dropped < 1400);
}
END_TEST

static mot_mixture_config small(void)
{
    return (mot_mixture_config){.classes = 4,
                                .tokens = 6,
                                .width = 13,
                                .alpha = {2, 2},
                                .beta = {3, 4},
                                .gamma = {1, 1},
                                .sigma = 0.5,
                                .seed = 11};
}

START_TEST(mixture_signals)
{
    for (int vector = 0; vector < 2; ++vector)
        for (int c = 0; c < 2; ++c) {
            mot_mixture_config config = small();
            mot_mixture mixture;
            config.vector_labels = vector;
            config.correlation = 0.3 * c;
            mot_ck_ok(mot_mixture_init(&mixture, &config));
            const int count = vector ? 12 : 8;
            for (int i = 0; i < count; ++i)
                for (int j = 0; j < count; ++j) {
                    double cosine = 0;
                    for (int d = 0; d < 13; ++d)
                        cosine += mixture.class_signal[i * 13 + d] * mixture.class_signal[j * 13 + d];
                    ck_assert(fabs(cosine - (i == j ? 1 : 0.3 * c)) < 1e-12);
                }
            ck_assert_ptr_eq(mixture.label_signal, mixture.class_signal + 4 * 13);
            mot_mixture_free(&mixture);
            mot_mixture_free(&mixture);
        }
}
END_TEST

static double along(const float *token, const double *signal)
{
    double sum = 0;
    for (int d = 0; d < 13; ++d) sum += token[d] * signal[d];
    return sum;
}

START_TEST(mixture_samples)
{
    mot_mixture_config config = small();
    mot_mixture mixture;
    float x[6 * 13], again[6 * 13];
    int32_t label, group, label2, group2;
    int8_t role[6];
    int positive = 0, classes[4] = {0}, first[6] = {0}, noise_count = 0;
    double noise = 0;
    mot_ck_ok(mot_mixture_init(&mixture, &config));
    for (mot_gidx i = 0; i < 4000; ++i) {
        mot_mixture_sample(&mixture, 0, i, x, &label, &group, role);
        mot_mixture_sample(&mixture, 0, i, again, &label2, &group2, NULL);
        ck_assert(memcmp(x, again, sizeof x) == 0 && label == label2 && group == group2);
        ck_assert(label == 1 || label == -1);
        ++classes[group];
        positive += label > 0;
        int roles[4] = {0};
        for (int t = 0; t < 6; ++t) {
            const float *token = x + 13 * t;
            ++roles[role[t]];
            if (role[t] == 1) {
                const double strength = along(token, mixture.class_signal + 13 * group);
                ck_assert(strength > 3 - 1e-6 && strength < 4 + 1e-6);
                ++first[t];
            }
            if (role[t] == 2)
                ck_assert(fabs(along(token, mixture.label_signal + 13 * group) - 2 * label) < 1e-5);
            if (role[t] == 3) ck_assert(fabs(along(token, mixture.label_signal + 13 * group)) < 1e-5);
            for (int d = 0; d < 13 && role[t] == 0; ++d, ++noise_count) noise += token[d] * token[d];
        }
        ck_assert(roles[0] == 3 && roles[1] == 1 && roles[2] == 1 && roles[3] == 1);
    }
    ck_assert(fabs(noise / noise_count - 0.25 / 13) < 0.0005);
    ck_assert(positive > 1850 && positive < 2150);
    for (int c = 0; c < 4; ++c) ck_assert(classes[c] > 880 && classes[c] < 1120);
    for (int t = 0; t < 6; ++t) ck_assert(first[t] > 560 && first[t] < 770);
    mot_mixture_sample(&mixture, 0, 5, x, &label, &group, NULL);
    mot_mixture_sample(&mixture, 2, 5, again, &label, &group, NULL);
    ck_assert(memcmp(x, again, sizeof x) != 0); /* splits differ */
    mot_mixture_free(&mixture);

    config.class_weight[1] = 3;
    config.class_weight[3] = 1;
    mot_ck_ok(mot_mixture_init(&mixture, &config));
    memset(classes, 0, sizeof classes);
    for (mot_gidx i = 0; i < 4000; ++i) {
        mot_mixture_sample(&mixture, 0, i, x, &label, &group, NULL);
        ++classes[group];
    }
    ck_assert(classes[0] == 0 && classes[2] == 0 && classes[1] > 2880 && classes[1] < 3120);
    mot_mixture_free(&mixture);
}
END_TEST

/* The noise tokens of a sample are one normal row, in the order of the tokens; the others are as if there was none. */
START_TEST(mixture_noise)
{
    mot_mixture_config config = small();
    mot_mixture mixture;
    float x[6 * 13], quiet[6 * 13], noise[3 * 13];
    int32_t label, group;
    int8_t role[6];
    for (mot_gidx i = ((mot_gidx)1 << 33) - 100; i < ((mot_gidx)1 << 33) + 100; ++i) {
        const uint32_t counter[] = {(uint32_t)i, (uint32_t)(i >> 32) << 2 | 1, 3, 0};
        config.sigma = 0.5;
        mot_ck_ok(mot_mixture_init(&mixture, &config));
        mot_mixture_sample(&mixture, 1, i, x, &label, &group, role);
        mot_mixture_free(&mixture);
        config.sigma = 0;
        mot_ck_ok(mot_mixture_init(&mixture, &config));
        mot_mixture_sample(&mixture, 1, i, quiet, &label, &group, role);
        mot_mixture_free(&mixture);
        mot_normal_row(config.seed, MOT_STREAM_MIXTURE, counter, (float)(0.5 / sqrt(13)), noise, 3 * 13);
        size_t made = 0;
        for (size_t t = 0; t < 6; ++t) {
            ck_assert_mem_eq(x + 13 * t, role[t] == 0 ? noise + 13 * made : quiet + 13 * t, 13 * sizeof *x);
            for (int d = 0; d < 13 && role[t] == 0; ++d) ck_assert(quiet[13 * t + (size_t)d] == 0);
            made += role[t] == 0;
        }
    }
}
END_TEST

START_TEST(mixture_bounds)
{
    mot_mixture mixture;
    mot_mixture_config wrong[10];
    for (int i = 0; i < 10; ++i) wrong[i] = small();
    wrong[0].classes = 1;
    wrong[1].classes = MOT_MIXTURE_MAX_CLASSES + 1;
    wrong[2].tokens = 3;
    wrong[3].width = 7;
    wrong[4].sigma = -1;
    wrong[5].sigma = NAN;
    wrong[6].correlation = 1;
    wrong[7].alpha[0] = 3;
    wrong[8].class_weight[2] = -1;
    wrong[9].width = 11;
    wrong[9].vector_labels = true;
    for (int i = 0; i < 10; ++i) {
        ck_assert_int_eq(mot_mixture_init(&mixture, &wrong[i]), MOT_ERR_INPUT);
        ck_assert_ptr_null(mixture.class_signal);
    }
}
END_TEST

/* ---- random samples ---- */

START_TEST(random_samples)
{
    enum { N = 500, L = 3, D = 7, C = 4 };
    mot_dataset set, again;
    float x[L * D], y[L * D];
    int32_t label, group, same;
    int count[C] = {0};
    double sum = 0, square = 0;
    mot_ck_ok(mot_dataset_random(&set, L, D, C, N, 5));
    mot_ck_ok(mot_dataset_random(&again, L, D, C, N / 2, 5));
    ck_assert(set.samples == N && set.classes == C && set.groups == 0 && !set.signed_labels);
    ck_assert(set.format.kind == MOT_SAMPLE_VECTOR && set.format.bytes == sizeof x);
    for (int i = 0; i < N; ++i) {
        mot_ck_ok(mot_dataset_sample(&set, i, x, &label, &group));
        ck_assert(label >= 0 && label < C && group == -1);
        ++count[label];
        for (int j = 0; j < L * D; ++j) sum += x[j], square += (double)x[j] * (double)x[j];
        if (i >= N / 2) continue;
        mot_ck_ok(mot_dataset_sample(&again, i, y, &same, &group)); /* whatever the size of the set */
        ck_assert(same == label && memcmp(x, y, sizeof x) == 0);
    }
    ck_assert(fabs(sum / (N * L * D)) < 0.05 && fabs(square / (N * L * D) - 1) < 0.05);
    for (int c = 0; c < C; ++c) ck_assert(count[c] > N / C / 2);
    ck_assert_int_eq(mot_dataset_sample(&set, N, x, &label, &group), MOT_ERR_INPUT);
    mot_dataset_close(&again);
    mot_dataset_close(&set);
}
END_TEST

static void samples_tests(TCase *tcase)
{
    tcase_add_test(tcase, picture_tokens);
    tcase_add_test(tcase, text_and_vector_tokens);
    tcase_add_test(tcase, augmentation);
    tcase_add_test(tcase, mixture_signals);
    tcase_add_test(tcase, mixture_samples);
    tcase_add_test(tcase, mixture_noise);
    tcase_add_test(tcase, mixture_bounds);
    tcase_add_test(tcase, random_samples);
}

MOT_CK_MAIN("samples", samples_tests)
