/* The choice against a dull twin that sorts all experts, over random logits with many ties. */
#include "mot/choose.h"

#include <math.h>
#include <string.h>

#include "ck.h"
#include "choosing.h"
#include "mot/rng.h"

enum { MOST_E = 40, MANY = 300, n = 60 };

static float h[n * MANY], bias[MANY], weight[n * MANY], p[n * MANY];
static int32_t expert[n * MANY], group[n];
static mot_route_config config;
static mot_choice_batch batch;

static double uniform(uint32_t a, uint32_t b, uint32_t c)
{
    return mot_uniform(mot_random(61, MOT_STREAM_TEST, a, b, c, 0).word[0]);
}

/* `levels` > 0: logits of so few values that ties abound. */
static void begin(size_t E, size_t K, uint32_t salt, int levels)
{
    config = (mot_route_config){.top_k = (int)K, .explore.noise_scale = 1};
    batch = (mot_choice_batch){.n = n,
                               .E = E,
                               .K = K,
                               .h = h,
                               .bias = bias,
                               .group = group,
                               .seed = 9,
                               .step = 17,
                               .expert = expert,
                               .weight = weight,
                               .p = p};
    for (size_t i = 0; i < n * E; ++i) {
        const double x = uniform(salt, (uint32_t)i, 0);
        h[i] = (float)(levels > 0 ? floor(x * levels) : 6 * x - 3);
    }
    for (size_t i = 0; i < E; ++i) bias[i] = 0;
    for (size_t s = 0; s < n; ++s) group[s] = (int32_t)(uniform(salt, (uint32_t)s, 1) * 100);
}

/* ---- the twin ---- */

typedef struct scored {
    double score;
    int32_t index;
} scored;

static int falling(const void *left, const void *right)
{
    const scored *a = left, *b = right;
    if (a->score != b->score) return a->score > b->score ? -1 : 1;
    return a->index - b->index;
}

/* Noise and random choices straight from their counters, documented in the table of streams (rng.h). */
static double drawn(mot_random_stream stream, size_t s, size_t i)
{
    const uint64_t place = batch.step >= 0 ? s : (uint64_t)batch.first + s;
    const mot_random4 random = mot_random(batch.seed, stream, (uint32_t)batch.step, (uint32_t)place,
                                          (uint32_t)(place >> 32), (uint32_t)i);
    double normal[2];
    if (stream == MOT_STREAM_CHOICE || config.explore.noise == MOT_NOISE_UNIFORM)
        return mot_uniform(random.word[0]);
    if (config.explore.noise == MOT_NOISE_GUMBEL) return -log(-log((random.word[0] + 0.5) / 4294967296.0));
    mot_normal_pair(random.word[0], random.word[1], normal);
    return normal[0];
}

static bool is(const mot_gate_kind *kind, const char *name)
{
    return strcmp(kind->kind.name, name) == 0;
}

static void check_choices(const mot_gate_kind *kind, size_t s)
{
    const size_t E = batch.E, K = batch.K;
    scored all[MANY];
    for (size_t i = E; i-- > 0;) { /* from the last to the first: the order of asking does not matter */
        all[i] = (scored){(double)h[s * E + i] + (double)bias[i], (int32_t)i};
        if (is(kind, "random"))
            all[i].score = drawn(MOT_STREAM_CHOICE, s, i);
        else if (config.explore.noise != MOT_NOISE_NONE && batch.step >= 0)
            all[i].score += config.explore.noise_scale * drawn(MOT_STREAM_NOISE, s, i);
    }
    qsort(all, E, sizeof *all, falling);
    for (size_t k = 0; k < K; ++k) {
        const size_t place = s + (batch.step < 0 ? (size_t)batch.first : 0);
        const int32_t want = is(kind, "fixed")  ? (int32_t)(((size_t)group[s] + k) % E)
                             : is(kind, "even") ? (int32_t)((place * K + k) % E)
                                                : all[k].index;
        ck_assert_msg(expert[s * K + k] == want, "sample %zu of E = %zu, K = %zu: choice %zu is %d, not %d",
                      s, E, K, k, expert[s * K + k], want);
    }
}

static void check_weights(size_t s)
{
    const size_t E = batch.E, K = batch.K;
    double sum = 0, chosen_sum = 0, total = 0;
    for (size_t i = 0; i < E; ++i) sum += exp((double)h[s * E + i]);
    for (size_t k = 0; k < K; ++k) chosen_sum += exp((double)h[s * E + (size_t)expert[s * K + k]]);
    for (size_t i = 0; i < E; ++i)
        ck_assert_double_eq_tol((double)p[s * E + i], exp((double)h[s * E + i]) / sum, 2e-6);
    for (size_t k = 0; k < K; ++k) {
        const double e = exp((double)h[s * E + (size_t)expert[s * K + k]]);
        const double want = config.scale == MOT_SCALE_NONE   ? 1 / (double)K
                            : config.scale == MOT_SCALE_PROB ? e / sum
                                                             : e / chosen_sum;
        ck_assert_double_eq_tol((double)weight[s * K + k], want, 2e-6);
        total += (double)weight[s * K + k];
    }
    if (config.scale != MOT_SCALE_PROB || K == E) ck_assert_double_eq_tol(total, 1, 1e-5);
}

static const mot_gate_kind *named(const char *kind)
{
    return mot_gate_kind_at(mot_kinds_find(&mot_gate_kinds, kind));
}

static void check(const char *kind)
{
    choose_all(&config, named(kind), &batch);
    for (size_t s = n; s-- > 0;) {
        check_choices(named(kind), s);
        check_weights(s);
    }
}

START_TEST(the_largest_are_chosen)
{
    const size_t sizes[] = {1, 2, 3, 8, MOST_E};
    for (uint32_t e = 0; e < MOT_COUNT(sizes); ++e)
        for (size_t K = 1; K <= sizes[e]; K += sizes[e] > 8 ? 13 : 1)
            for (int levels = 0; levels <= 3; ++levels) { /* levels 1: all experts tie */
                begin(sizes[e], K, 10 * e + (uint32_t)levels, levels);
                config.scale = (mot_scale)(K % 3);
                check("linear");
                for (size_t i = 0; i < batch.E; ++i) bias[i] = (float)(i % 2);
                check("mlp");
            }
}
END_TEST

START_TEST(noise_is_a_pure_function)
{
    for (int noise = MOT_NOISE_UNIFORM; noise <= MOT_NOISE_GAUSSIAN; ++noise)
        for (size_t K = 1; K <= 6; K += 5) {
            begin(6, K, 5, 2);
            config.explore.noise = (mot_noise)noise;
            config.explore.noise_scale = 0.7;
            check("linear");
            batch.step = INT64_C(1) << 20;
            check("linear");
            batch.step = -1; /* evaluation: no noise, ties to the lowest again */
            check("linear");
        }
}
END_TEST

/* Of many experts the noise is drawn of those that can still be chosen, and known to no more digits than it takes: noise of any size
 * beside scores that are all alike, of few values, or far apart. */
START_TEST(noise_of_many)
{
    static const size_t choices[] = {1, 2, 7, 33, MANY};
    static const double scales[] = {1e-6, 0.3, 3, 1e4};
    for (int noise = MOT_NOISE_NONE; noise <= MOT_NOISE_GAUSSIAN; ++noise)
        for (uint32_t i = 0; i < MOT_COUNT(choices) * MOT_COUNT(scales); ++i) {
            const size_t E = MANY - i % 5;
            begin(E, MOT_MIN(choices[i % MOT_COUNT(choices)], E), 40 + i, (int)(i / 3 % 3));
            config.explore.noise = (mot_noise)noise;
            config.explore.noise_scale = scales[i / MOT_COUNT(choices)];
            for (size_t e = 0; e < E; ++e) bias[e] = (float)(e % 7) * 0x1p-6f;
            for (size_t s = 0; s < n && i % 2 == 1; ++s) h[s * E + s] = s % 3 == 0 ? MOT_LEFT_OUT : 1e6f;
            batch.step = i;
            choose_all(&config, &mot_gate_linear, &batch);
            for (size_t s = 0; s < n; ++s) check_choices(&mot_gate_linear, s);
        }
}
END_TEST

/* A batch that is shared out gives what it gives at once. */
START_TEST(parts_of_a_batch)
{
    float whole[n * 8];
    int32_t chosen[n * 8];
    begin(40, 8, 90, 0);
    config.explore.noise = MOT_NOISE_GUMBEL;
    const mot_confidence all = mot_choose(&config, &mot_gate_linear, &batch, 0, n);
    memcpy(whole, weight, sizeof whole);
    memcpy(chosen, expert, sizeof chosen);
    memset(weight, 0, sizeof whole);
    const mot_confidence last = mot_choose(&config, &mot_gate_linear, &batch, 23, n),
                         first = mot_choose(&config, &mot_gate_linear, &batch, 0, 23);
    ck_assert(memcmp(whole, weight, sizeof whole) == 0 && memcmp(chosen, expert, sizeof chosen) == 0);
    ck_assert_double_eq_tol(all.entropy, first.entropy + last.entropy, 1e-12 * all.entropy);
    ck_assert_double_eq_tol(all.top, first.top + last.top, 1e-12 * all.top);
    ck_assert_double_eq_tol(all.margin, first.margin + last.margin, 1e-12 * all.margin);
}
END_TEST

START_TEST(noise_differs_by_step_and_seed)
{
    int32_t before[n];
    begin(8, 1, 6, 1);
    config.explore.noise = MOT_NOISE_UNIFORM;
    choose_all(&config, &mot_gate_linear, &batch);
    memcpy(before, expert, sizeof before);
    choose_all(&config, &mot_gate_linear, &batch);
    ck_assert_int_eq(memcmp(before, expert, sizeof before), 0);
    batch.step = 18;
    choose_all(&config, &mot_gate_linear, &batch);
    ck_assert_int_ne(memcmp(before, expert, sizeof before), 0);
    batch.step = 17;
    batch.seed = 10;
    choose_all(&config, &mot_gate_linear, &batch);
    ck_assert_int_ne(memcmp(before, expert, sizeof before), 0);
}
END_TEST

START_TEST(noise_changes_the_choice_alone)
{
    begin(8, 3, 7, 0);
    config.explore.noise = MOT_NOISE_GUMBEL;
    config.explore.noise_scale = 50;
    float clean[n * 8];
    choose_all(&config, &mot_gate_linear, &batch);
    memcpy(clean, p, sizeof clean);
    config.explore.noise = MOT_NOISE_NONE;
    choose_all(&config, &mot_gate_linear, &batch);
    ck_assert_int_eq(memcmp(clean, p, sizeof clean), 0);
}
END_TEST

START_TEST(noise_fades_in_a_straight_line)
{
    config = (mot_route_config){
        .explore.noise_scale = 2, .explore.noise_end = 0.5, .explore.noise_steps = {0}};
    ck_assert_double_eq(mot_noise_scale(&config, 0), 2);
    ck_assert_double_eq(mot_noise_scale(&config, 1000), 2);
    config.explore.noise_steps.steps = 100;
    ck_assert_double_eq(mot_noise_scale(&config, 0), 2);
    ck_assert_double_eq(mot_noise_scale(&config, 50), 1.25);
    ck_assert_double_eq(mot_noise_scale(&config, 100), 0.5);
    ck_assert_double_eq(mot_noise_scale(&config, INT64_C(1) << 40), 0.5);
}
END_TEST

START_TEST(fixed_gates_go_by_group)
{
    for (size_t K = 1; K <= 5; ++K) {
        begin(5, K, 8, 0);
        config.explore.noise = MOT_NOISE_UNIFORM; /* controls have none */
        check("fixed");
        batch.step = -1;
        check("fixed");
    }
}
END_TEST

START_TEST(even_gates_take_turns)
{
    for (size_t K = 1; K <= 5; ++K) {
        begin(5, K, 8, 0);
        check("even");
        batch.step = -1;
        batch.first = 7;
        check("even");
    }
}
END_TEST

START_TEST(random_gates_draw)
{
    for (size_t K = 1; K <= 7; K += 3) {
        begin(7, K, 9, 0);
        check("random");
        batch.step = -1; /* evaluation: by the position in the data set, beyond 32 bits too */
        batch.first = (INT64_C(1) << 32) - n / 2;
        check("random");
    }
    /* Every expert gets its share: 5 standard deviations of n draws for each of 200 steps. */
    int count[7] = {0};
    begin(7, 1, 9, 0);
    for (batch.step = 0; batch.step < 200; ++batch.step) {
        choose_all(&config, named("random"), &batch);
        for (size_t s = 0; s < n; ++s) ++count[expert[s]];
    }
    for (int i = 0; i < 7; ++i) ck_assert_double_lt(fabs(count[i] - 200 * n / 7.0), 5 * sqrt(200 * n / 7.0));
}
END_TEST

/* Evaluating in pieces must choose as evaluating at once does. */
START_TEST(random_evaluation_does_not_see_the_batch)
{
    int32_t whole[n];
    begin(7, 1, 9, 0);
    batch.step = -1;
    batch.first = 1000;
    choose_all(&config, named("random"), &batch);
    memcpy(whole, expert, sizeof whole);
    batch.n = n / 2;
    batch.first = 1000 + n / 2;
    choose_all(&config, named("random"), &batch);
    ck_assert_int_eq(memcmp(whole + n / 2, expert, n / 2 * sizeof *whole), 0);
}
END_TEST

/* Of 7 experts two are left out: choices, probabilities and weights are those of 5, whichever gate chooses; and with all as
 * choices those two get no weight (an exponential has a least value, mot_exp). */
START_TEST(as_if_they_were_not_there)
{
    static const char *const kinds[] = {"linear", "random", "fixed", "even"};
    static const int32_t left[] = {0, 2, 3, 5, 6};
    for (int scale = MOT_SCALE_PROB; scale <= MOT_SCALE_NONE; ++scale)
        for (size_t kind = 0; kind < MOT_COUNT(kinds); ++kind)
            for (size_t K = 1; K <= 7; K += 3) {
                float few[n * 5];
                begin(7, K, 11, 0);
                config.scale = (mot_scale)scale;
                for (size_t i = 0; i < n * 7; ++i)
                    if (i % 7 == 1 || i % 7 == 4) h[i] = MOT_LEFT_OUT;
                for (size_t i = 0; i < n * 5; ++i) few[i] = h[i / 5 * 7 + (size_t)left[i % 5]];
                choose_all(&config, named(kinds[kind]), &batch);
                for (size_t s = 0; s < n; ++s) {
                    double total = 0;
                    ck_assert(p[s * 7 + 1] < 1e-30f && p[s * 7 + 4] < 1e-30f);
                    for (size_t k = 0; k < K; ++k) {
                        const int32_t e = expert[s * K + k];
                        total += (double)weight[s * K + k];
                        if (k >= 5)
                            ck_assert((e == 1 || e == 4) && weight[s * K + k] < 1e-30f);
                        else
                            ck_assert(e != 1 && e != 4 && weight[s * K + k] > 0);
                    }
                    if (scale != MOT_SCALE_PROB || K == 7) ck_assert_double_eq_tol(total, 1, 1e-5);
                }
                if (kind > 0 || K > 5) continue; /* rules go by the numbers of experts */
                float then[n * 5];
                int32_t chose[n * 5];
                memcpy(then, weight, n * K * sizeof *then);
                memcpy(chose, expert, n * K * sizeof *chose);
                batch.E = 5;
                memcpy(h, few, sizeof few);
                choose_all(&config, named(kinds[kind]), &batch);
                for (size_t r = 0; r < n * K; ++r) {
                    ck_assert_int_eq(chose[r], left[expert[r]]);
                    ck_assert_double_eq_tol((double)then[r], (double)weight[r], 1e-6);
                }
            }
}
END_TEST

/* Probabilities 1/2, 1/4, 1/8, 1/8 and, of a second sample, all alike; and of one expert alone. */
START_TEST(confidence)
{
    begin(4, 1, 12, 0);
    batch.n = 2;
    for (size_t i = 0; i < 4; ++i) h[i] = (float)log((double[]){0.25, 0.125, 0.5, 0.125}[i]) + 3;
    for (size_t i = 4; i < 8; ++i) h[i] = -7;
    mot_confidence sure = choose_all(&config, &mot_gate_linear, &batch);
    ck_assert_double_eq_tol(sure.top, (0.5 + 0.25) / 2, 1e-6);
    ck_assert_double_eq_tol(sure.margin, (0.25 + 0) / 2, 1e-6);
    ck_assert_double_eq_tol(sure.entropy, (1.75 + 2) / 2 * log(2), 1e-6);
    begin(1, 1, 12, 0);
    sure = choose_all(&config, &mot_gate_linear, &batch);
    ck_assert(sure.top == 1 && sure.margin == 1 && sure.entropy == 0);
    for (size_t E = 1; E <= MANY; E += 1 + E / 2) {
        double entropy = 0, top = 0, margin = 0;
        begin(E, 1, 13, E % 3 == 0 ? 4 : 0);
        sure = choose_all(&config, &mot_gate_linear, &batch);
        for (size_t b = 0; b < n; ++b) {
            double most = 0, next = 0;
            for (size_t i = b * E; i < (b + 1) * E; ++i) {
                entropy -= (double)p[i] * log((double)p[i]) / n;
                next = fmax(next, fmin(most, (double)p[i]));
                most = fmax(most, (double)p[i]);
            }
            top += most / n;
            margin += (most - next) / n;
        }
        ck_assert_double_eq_tol(sure.top, top, 1e-9);
        ck_assert_double_eq_tol(sure.margin, margin, 1e-9);
        ck_assert_double_eq_tol(sure.entropy, entropy, 3e-6);
    }
}
END_TEST

START_TEST(lost_logits_still_choose_different_experts)
{
    for (size_t K = 1; K <= 4; ++K) {
        begin(4, K, 10, 0);
        for (size_t i = 0; i < 4; ++i) h[i] = NAN;
        h[4] = INFINITY, h[6] = -INFINITY;
        h[8] = h[9] = h[10] = h[11] = -INFINITY;
        h[13] = NAN;
        choose_all(&config, &mot_gate_linear, &batch);
        for (size_t s = 0; s < n; ++s)
            for (size_t k = 0; k < K; ++k) {
                ck_assert(expert[s * K + k] >= 0 && expert[s * K + k] < 4);
                for (size_t j = 0; j < k; ++j)
                    ck_assert_msg(expert[s * K + k] != expert[s * K + j], "sample %zu got expert %d twice", s,
                                  expert[s * K + k]);
            }
    }
}
END_TEST

START_TEST(counts_follow_the_configuration)
{
    config = (mot_route_config){.top_k = 0};
    ck_assert_uint_eq(mot_choice_count(&config, 6), 6);
    config.top_k = 2;
    ck_assert_uint_eq(mot_choice_count(&config, 6), 2);
}
END_TEST

static void choose_tests(TCase *tcase)
{
    tcase_add_test(tcase, the_largest_are_chosen);
    tcase_add_test(tcase, noise_is_a_pure_function);
    tcase_add_test(tcase, noise_of_many);
    tcase_add_test(tcase, parts_of_a_batch);
    tcase_add_test(tcase, noise_differs_by_step_and_seed);
    tcase_add_test(tcase, noise_changes_the_choice_alone);
    tcase_add_test(tcase, noise_fades_in_a_straight_line);
    tcase_add_test(tcase, fixed_gates_go_by_group);
    tcase_add_test(tcase, even_gates_take_turns);
    tcase_add_test(tcase, random_gates_draw);
    tcase_add_test(tcase, random_evaluation_does_not_see_the_batch);
    tcase_add_test(tcase, as_if_they_were_not_there);
    tcase_add_test(tcase, confidence);
    tcase_add_test(tcase, lost_logits_still_choose_different_experts);
    tcase_add_test(tcase, counts_follow_the_configuration);
}

MOT_CK_MAIN("choose", choose_tests)
