/* Random numbers: Random123's published vectors, then what the numbers are good for. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ck.h"
#include "mot/rng.h"
#include "mot/types.h"

/* The seed that makes a stream's key what the published vector wants: the mixing is undone. */
static uint64_t seed_of_key(uint32_t low, uint32_t high, mot_random_stream stream)
{
    return ((uint64_t)high << 32 | low) - (uint64_t)stream * UINT64_C(0x9E3779B97F4A7C15);
}

/* Random123, tests/kat_vectors, "philox4x32 10". */
static const struct {
    uint32_t counter[4], key[2], word[4];
} published[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

START_TEST(known_answers)
{
    for (size_t v = 0; v < MOT_COUNT(published); ++v)
        for (int stream = MOT_STREAM_INIT; stream <= MOT_STREAM_DROP; ++stream) {
            const uint32_t *c = published[v].counter;
            const uint64_t seed = seed_of_key(published[v].key[0], published[v].key[1], (mot_random_stream)stream);
            const mot_random4 random = mot_random(seed, (mot_random_stream)stream, c[0], c[1], c[2], c[3]);
            for (int i = 0; i < 4; ++i)
                ck_assert_msg(random.word[i] == published[v].word[i],
                              "vector %zu, stream %d, word %d: %08x, not %08x", v, stream, i, random.word[i],
                              published[v].word[i]);
        }
}
END_TEST

/* Stored runs depend on the values: a stream that changes its number changes every run. */
START_TEST(streams_keep_their_numbers)
{
    ck_assert_int_eq(MOT_STREAM_INIT, 1);
    ck_assert_int_eq(MOT_STREAM_ORDER, 2);
    ck_assert_int_eq(MOT_STREAM_AUGMENT, 3);
    ck_assert_int_eq(MOT_STREAM_NOISE, 4);
    ck_assert_int_eq(MOT_STREAM_CHOICE, 5);
    ck_assert_int_eq(MOT_STREAM_MIXTURE, 6);
    ck_assert_int_eq(MOT_STREAM_TEST, 7);
    ck_assert_int_eq(MOT_STREAM_DROP, 8);
}
END_TEST

/* Every argument matters; and neighbouring seeds on neighbouring streams are not the same numbers shifted. */
START_TEST(arguments_are_told_apart)
{
    mot_random4 all[] = {
        mot_random(1, MOT_STREAM_TEST, 0, 0, 0, 0),
        mot_random(2, MOT_STREAM_TEST, 0, 0, 0, 0),
        mot_random(1, MOT_STREAM_DROP, 0, 0, 0, 0),
        mot_random(1, MOT_STREAM_TEST, 1, 0, 0, 0),
        mot_random(1, MOT_STREAM_TEST, 0, 1, 0, 0),
        mot_random(1, MOT_STREAM_TEST, 0, 0, 1, 0),
        mot_random(1, MOT_STREAM_TEST, 0, 0, 0, 1),
        mot_random(1 + (UINT64_C(1) << 32), MOT_STREAM_TEST, 0, 0, 0, 0),
    };
    for (size_t i = 0; i < MOT_COUNT(all); ++i)
        for (size_t j = 0; j < i; ++j) ck_assert_uint_ne(all[i].word[0], all[j].word[0]);
}
END_TEST

/* Many at once are those that one asks for one by one, across the end of the last word too. */
START_TEST(pairs_are_the_draws)
{
    for (uint32_t i = 0; i < 1000; ++i) {
        const mot_random4 r = mot_random(15, MOT_STREAM_TEST, i, 0, 0, 0), more = mot_random(15, MOT_STREAM_TEST, i, 1, 0, 0);
        const uint64_t seed = (uint64_t)more.word[0] << 32 | more.word[1];
        const uint32_t counter[] = {r.word[0], r.word[1], i % 3 == 0 ? 0 : r.word[2], i % 5 == 0 ? UINT32_MAX - i % 16 : r.word[3]};
        mot_random_pairs pairs;
        mot_draw_pairs(seed, MOT_STREAM_NOISE, counter, &pairs);
        for (uint32_t j = 0; j < MOT_RANDOM_PAIRS; ++j) {
            const mot_random4 one = mot_random(seed, MOT_STREAM_NOISE, counter[0], counter[1], counter[2], counter[3] + j);
            ck_assert_uint_eq(pairs.first[j], one.word[0]);
            ck_assert_uint_eq(pairs.second[j], one.word[1]);
        }
    }
}
END_TEST

/* Also where the third word comes to its end. */
START_TEST(few_are_the_draws)
{
    for (uint32_t i = 0; i < 100; ++i) {
        const mot_random4 r = mot_random(16, MOT_STREAM_TEST, i, 0, 0, 0);
        const uint32_t counter[] = {r.word[0], r.word[1], i % 2 ? r.word[2] : UINT32_MAX - 1, r.word[3]};
        const uint64_t seed = (uint64_t)r.word[2] << 32 | r.word[3];
        mot_random4 few[MOT_RANDOM_FEW];
        mot_random_few(seed, MOT_STREAM_MIXTURE, counter, few);
        for (uint32_t j = 0; j < MOT_RANDOM_FEW; ++j) {
            const mot_random4 one = mot_random(seed, MOT_STREAM_MIXTURE, counter[0], counter[1], counter[2] + j, counter[3]);
            ck_assert_mem_eq(&few[j], &one, sizeof one);
        }
    }
}
END_TEST

START_TEST(uniform_is_in_range)
{
    ck_assert(mot_uniform(0) == 0);
    ck_assert(mot_uniform(1) == 0x1p-32);
    ck_assert(mot_uniform(UINT32_C(1) << 31) == 0.5);
    ck_assert(mot_uniform(UINT32_MAX) == 1 - 0x1p-32);
}
END_TEST

enum { DRAWS = 100000 };

/* Limits: five standard deviations of the mean of DRAWS numbers; the numbers are fixed, so the test does not
 * flicker. */
START_TEST(uniform_moments)
{
    double sum = 0, square = 0;
    int below[10] = {0};
    for (uint32_t i = 0; i < DRAWS; ++i) {
        const double x = mot_uniform(mot_random(11, MOT_STREAM_TEST, i, 0, 0, 0).word[i % 4]);
        sum += x;
        square += x * x;
        ++below[(int)(10 * x)];
    }
    const double n = DRAWS;
    ck_assert_double_lt(fabs(sum / n - 0.5), 5 * sqrt(1.0 / 12 / n));
    ck_assert_double_lt(fabs(square / n - 1.0 / 3), 5 * sqrt(4.0 / 45 / n));
    for (int t = 0; t < 10; ++t) ck_assert_double_lt(fabs(below[t] - n / 10), 5 * sqrt(n * 0.1 * 0.9));
}
END_TEST

START_TEST(normal_moments)
{
    double moment[5] = {0}, product = 0, within = 0;
    for (uint32_t i = 0; i < DRAWS / 2; ++i) {
        const mot_random4 random = mot_random(12, MOT_STREAM_TEST, 0, i, 0, 0);
        double x[2];
        mot_normal_pair(random.word[0], random.word[1], x);
        product += x[0] * x[1];
        for (int j = 0; j < 2; ++j) {
            within += fabs(x[j]) < 1;
            for (int m = 1; m <= 4; ++m) moment[m] += pow(x[j], m) / DRAWS;
        }
    }
    const double n = DRAWS; /* variances of x, x^2, x^3, x^4: 1, 2, 15, 96 */
    ck_assert_double_lt(fabs(moment[1]), 5 * sqrt(1 / n));
    ck_assert_double_lt(fabs(moment[2] - 1), 5 * sqrt(2 / n));
    ck_assert_double_lt(fabs(moment[3]), 5 * sqrt(15 / n));
    ck_assert_double_lt(fabs(moment[4] - 3), 5 * sqrt(96 / n));
    ck_assert_double_lt(fabs(product / (n / 2)), 5 * sqrt(1 / (n / 2)));
    ck_assert_double_lt(fabs(within / n - erf(sqrt(0.5))), 5 * sqrt(0.25 / n));
}
END_TEST

START_TEST(normal_extremes_are_finite)
{
    const uint32_t words[] = {0, 1, UINT32_C(1) << 31, UINT32_MAX - 1, UINT32_MAX};
    for (size_t i = 0; i < MOT_COUNT(words); ++i)
        for (size_t j = 0; j < MOT_COUNT(words); ++j) {
            double x[2];
            mot_normal_pair(words[i], words[j], x);
            ck_assert(isfinite(x[0]) && isfinite(x[1]) && hypot(x[0], x[1]) < 7);
        }
}
END_TEST

enum { ROW = 1000, NORMALS = 10000000, BINS = 1000 };

/* P(N(0, 1) < x) */
static double below(double x)
{
    return erfc(-x / sqrt(2)) / 2;
}

/* Of each number: it is the quantile of the word that the header says. Of all: moments to five deviations, the
 * Kolmogorov-Smirnov distance (chance 1e-6 to exceed 2.7 / sqrt(n)), and how many lie far out. */
START_TEST(normal_rows)
{
    static float row[ROW];
    static int in_bin[BINS];
    double moment[5] = {0}, far = 0, distance = 0, next = 0, sum = 0;
    for (uint32_t r = 0; r < NORMALS / ROW; ++r) {
        mot_normal_row(13, MOT_STREAM_TEST, (const uint32_t[]){1, 2, r, 0}, 1, row, ROW);
        for (uint32_t i = 0; i < ROW; ++i) {
            const double x = row[i], p = below(x);
            ++in_bin[MOT_MIN((int)(BINS * p), BINS - 1)];
            far += fabs(x) > 4;
            next += i > 0 ? x * row[i - 1] : 0;
            for (int m = 1; m <= 4; ++m) moment[m] += (m > 2 ? x * x : 1) * (m % 2 ? x : x * x) / NORMALS;
            if (r >= 100) continue;
            const uint32_t word =
                mot_random(13, MOT_STREAM_TEST, 1, 2, r, i / 32 * 8 + i % 8).word[i / 8 % 4];
            const double low = ((word & 0x7fffffff) + 0.5) * 0x1p-32;
            ck_assert_int_eq(word >> 31, x > 0);
            ck_assert_double_lt(fabs(below(-fabs(x)) - low), 1e-6 * low * (1 + x * x));
        }
    }
    const double n = NORMALS;
    for (int b = 0; b < BINS; ++b) {
        sum += in_bin[b];
        distance = fmax(distance, fabs(sum / n - (b + 1.0) / BINS));
    }
    printf("normal rows: distance %.1e, moments %.5f %.5f %.5f %.5f, beyond 4: %.0f of %.0f\n", distance,
           moment[1], moment[2], moment[3], moment[4], far, n * 2 * below(-4));
    ck_assert_double_lt(distance, 2.7 / sqrt(n));
    ck_assert_double_lt(fabs(moment[1]), 5 * sqrt(1 / n));
    ck_assert_double_lt(fabs(moment[2] - 1), 5 * sqrt(2 / n));
    ck_assert_double_lt(fabs(moment[3]), 5 * sqrt(15 / n));
    ck_assert_double_lt(fabs(moment[4] - 3), 5 * sqrt(96 / n));
    ck_assert_double_lt(fabs(next / n), 5 * sqrt(1 / n));
    ck_assert_double_lt(fabs(far - n * 2 * below(-4)), 5 * sqrt(n * 2 * below(-4)));
}
END_TEST

/* A row's beginning does not depend on its length, nor on where it is put; and nothing is written behind it. */
START_TEST(normal_rows_of_any_length)
{
    float whole[201], part[203];
    const uint32_t counter[] = {5, 6, 7, UINT32_MAX - 20}; /* the last word wraps around */
    mot_normal_row(14, MOT_STREAM_TEST, counter, 0.5f, whole, MOT_COUNT(whole));
    for (size_t count = 0; count <= MOT_COUNT(whole); ++count)
        for (size_t place = 0; place < 2; ++place) {
            part[place + count] = 77;
            mot_normal_row(14, MOT_STREAM_TEST, counter, 0.5f, part + place, count);
            ck_assert(memcmp(part + place, whole, count * sizeof *part) == 0 && part[place + count] == 77);
        }
}
END_TEST

static void rng_tests(TCase *tcase)
{
    tcase_add_test(tcase, known_answers);
    tcase_add_test(tcase, streams_keep_their_numbers);
    tcase_add_test(tcase, arguments_are_told_apart);
    tcase_add_test(tcase, pairs_are_the_draws);
    tcase_add_test(tcase, few_are_the_draws);
    tcase_add_test(tcase, uniform_is_in_range);
    tcase_add_test(tcase, uniform_moments);
    tcase_add_test(tcase, normal_moments);
    tcase_add_test(tcase, normal_extremes_are_finite);
    tcase_add_test(tcase, normal_rows);
    tcase_add_test(tcase, normal_rows_of_any_length);
}

MOT_CK_MAIN("rng", rng_tests)
