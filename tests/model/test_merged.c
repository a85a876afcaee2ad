/* The expert kind `merged` against loops straight from its formulas, on samples longer than a vector and shorter. */
#include "bench.h"
#include "mot/merged.h"

enum { SAMPLES = 5, TOKENS = 19, WIDTH = 11, HEADS = 2, MOST_NEURONS = 6 };
static size_t neurons = 3; /* few go with the attention's product, many have one of their own */

static const size_t first[SAMPLES + 1] = {0, 8, 27, 28, 44, 51};
enum { ROWS = 51 };

/* The twin's gradients; double, as all of its sums. */
typedef struct twin {
    mot_expert_config config;
    mot_expert_shape shape;
    mot_table table;
    mot_real x[ROWS * WIDTH], d_out[SAMPLES];
    mot_real value[2][HEADS * WIDTH * WIDTH], gradient[2][HEADS * WIDTH * WIDTH];
    const mot_real *weight[2];
    double out[SAMPLES], prob[TOKENS][TOKENS];
    double d_attention[HEADS * WIDTH * WIDTH], d_neurons[HEADS * WIDTH * MOST_NEURONS];
} twin;

static twin t;

static bool attends(void)
{
    return t.config.merged.attention == MOT_ATTENTION_SOFTMAX;
}

static void start(mot_attention attention, mot_activation activation, mot_readout readout)
{
    memset(&t, 0, sizeof t);
    t.config = (mot_expert_config){.kind = 1,
                                   .tile = SAMPLES,
                                   .merged = {.activation = activation,
                                              .readout = readout,
                                              .attention = attention,
                                              .heads = HEADS,
                                              .neurons = (int)neurons,
                                              .init = 1}};
    t.shape = (mot_expert_shape){.config = &t.config, .tokens = TOKENS, .width = WIDTH, .outputs = 1};
    mot_ck_ok(mot_merged_kind.table(&t.shape, &t.table));
    gradient_fill(t.x, ROWS * WIDTH, 1, 0, 0.5);
    gradient_fill(t.d_out, SAMPLES, 2, 0, 1);
    for (int r = 0; r < 2; ++r) {
        gradient_fill(t.value[r], HEADS * WIDTH * WIDTH, 3 + (uint32_t)r, 0, 0.3);
        t.weight[r] = t.value[r];
    }
}

static double slope(double x)
{
    const double h = 1e-5;
    switch (t.config.merged.activation) {
    case MOT_ACTIVATION_CUBIC:
        return 3 * x * x;
    case MOT_ACTIVATION_RELU:
        return x > 0;
    case MOT_ACTIVATION_GELU:
        return (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x))) / 2 +
               x *
                   (tanh(sqrt(2 / acos(-1)) * (x + h + 0.044715 * pow(x + h, 3))) -
                    tanh(sqrt(2 / acos(-1)) * (x - h + 0.044715 * pow(x - h, 3)))) /
                   (4 * h);
    default:
        return 1;
    }
}

static double act(double x)
{
    switch (t.config.merged.activation) {
    case MOT_ACTIVATION_CUBIC:
        return x * x * x;
    case MOT_ACTIVATION_RELU:
        return x > 0 ? x : 0;
    case MOT_ACTIVATION_GELU:
        return x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x))) / 2;
    default:
        return x;
    }
}

/* prob[i][j] = softmax_j(X_j . A X_i) */
static void twin_attention(const mot_real *x, size_t l, const mot_real *A)
{
    for (size_t i = 0; i < l; ++i) {
        double sum = 0;
        for (size_t j = 0; j < l; ++j) {
            double score = 0;
            for (size_t d = 0; d < WIDTH; ++d)
                for (size_t e = 0; e < WIDTH; ++e)
                    score += (double)x[j * WIDTH + d] * (double)A[d * WIDTH + e] * (double)x[i * WIDTH + e];
            t.prob[i][j] = attends() ? exp(score) : i == j;
            sum += t.prob[i][j];
        }
        for (size_t j = 0; j < l; ++j) t.prob[i][j] /= sum;
    }
}

/* Query i under neuron n of head h: adds to f, and by the chain rule to both gradients. */
static void twin_query(size_t s, size_t h, size_t n, size_t i, double share)
{
    const size_t l = first[s + 1] - first[s];
    const mot_real *x = t.x + first[s] * WIDTH, *W = t.value[attends()] + h * WIDTH * neurons;
    double u[WIDTH] = {0}, z[TOKENS] = {0}, a = 0;
    for (size_t j = 0; j < l; ++j)
        for (size_t d = 0; d < WIDTH; ++d) {
            u[d] += t.prob[i][j] * (double)x[j * WIDTH + d];
            z[j] += (double)x[j * WIDTH + d] * (double)W[d * neurons + n];
        }
    for (size_t d = 0; d < WIDTH; ++d) a += u[d] * (double)W[d * neurons + n];
    t.out[s] += share * act(a);
    const double g = (double)t.d_out[s] * share * slope(a);
    for (size_t d = 0; d < WIDTH; ++d) t.d_neurons[(h * WIDTH + d) * neurons + n] += g * u[d];
    for (size_t j = 0; j < l; ++j)
        for (size_t d = 0; d < WIDTH; ++d)
            for (size_t e = 0; e < WIDTH; ++e)
                t.d_attention[(h * WIDTH + d) * WIDTH + e] += g * t.prob[i][j] * (z[j] - a) *
                                                              (double)x[j * WIDTH + d] *
                                                              (double)x[i * WIDTH + e];
}

static void twin_run(void)
{
    for (size_t s = 0; s < SAMPLES; ++s)
        for (size_t h = 0; h < HEADS; ++h) {
            const size_t l = first[s + 1] - first[s];
            const mot_readout readout = t.config.merged.readout;
            twin_attention(t.x + first[s] * WIDTH, l, t.value[0] + h * WIDTH * WIDTH);
            for (size_t i = 0; i < (readout == MOT_READOUT_FIRST ? 1 : l); ++i)
                for (size_t n = 0; n < neurons; ++n)
                    twin_query(s, h, n, i, readout == MOT_READOUT_MEAN ? 1 / (double)l : 1);
        }
}

static void compare(const char *what, const mot_real *got, const double *wanted, size_t count)
{
    double error = 0, norm = 0;
    for (size_t i = 0; i < count; ++i) {
        error += ((double)got[i] - wanted[i]) * ((double)got[i] - wanted[i]);
        norm += wanted[i] * wanted[i];
    }
    ck_assert_double_gt(norm, 0);
    ck_assert_msg(sqrt(error / norm) < 2e-6, "%s off by %.2g", what, sqrt(error / norm));
}

/* A gradient that learns is added to what is there; one that does not is left as it is. */
static void compare_gradient(const char *what, size_t row, const double *wanted, size_t count, bool learns)
{
    const mot_real *got = t.gradient[row];
    if (learns) compare(what, got, wanted, count);
    for (size_t i = 0; i < count && !learns; ++i) ck_assert(got[i] == 0);
}

static void check_twin(mot_part_set learns)
{
    const mot_expert_kind *kind = &mot_merged_kind;
    const mot_tile tile = {.samples = SAMPLES, .first = first, .x = t.x};
    mot_real *gradient[2] = {t.gradient[0], t.gradient[1]}, out[SAMPLES];
    mot_arena arena;
    memset(t.gradient, 0, sizeof t.gradient);
    mot_ck_ok(mot_arena_init(&arena, kind->workspace(&t.shape)));
    memset(arena.base, 0xff, arena.size); /* NaN: nothing may be read that was not written */
    void *kept = kind->forward(&t.shape, t.weight, &tile, &arena, true, out);
    kind->backward(&t.shape, t.weight, gradient, &tile, &arena, kept, t.d_out, NULL, learns);
    mot_arena_free(&arena);
    compare("output", out, t.out, SAMPLES);
    if (attends())
        compare_gradient("attention", 0, t.d_attention, HEADS * WIDTH * WIDTH,
                         learns >> MOT_PART_ATTENTION & 1);
    compare_gradient("neurons", attends(), t.d_neurons, HEADS * WIDTH * neurons, learns >> MOT_PART_FFN & 1);
}

START_TEST(twins)
{
    const mot_part_set ffn = 1u << MOT_PART_FFN, attention = 1u << MOT_PART_ATTENTION;
    neurons = _i == 0 ? 3 : MOST_NEURONS;
    for (int a = MOT_ATTENTION_SOFTMAX; a <= MOT_ATTENTION_NONE; ++a)
        for (int activation = MOT_ACTIVATION_CUBIC; activation <= MOT_ACTIVATION_GELU; ++activation)
            for (int readout = MOT_READOUT_SUM; readout <= MOT_READOUT_FIRST; ++readout) {
                start((mot_attention)a, (mot_activation)activation, (mot_readout)readout);
                ck_assert_uint_eq(t.table.rows, a == MOT_ATTENTION_SOFTMAX ? 2 : 1);
                twin_run();
                check_twin(ffn);
                check_twin(attention);
                check_twin(ffn | attention);
                check_twin(1u << MOT_PART_GATE);
            }
}
END_TEST

START_TEST(attention_probabilities)
{
    for (int a = MOT_ATTENTION_SOFTMAX; a <= MOT_ATTENTION_NONE; ++a) {
        start((mot_attention)a, MOT_ACTIVATION_CUBIC, MOT_READOUT_SUM);
        mot_real *scratch = mot_calloc(mot_merged_attention_scratch(&t.shape), sizeof *scratch);
        mot_real prob[TOKENS * TOKENS];
        for (size_t s = 0; s < SAMPLES; ++s)
            for (size_t h = 0; h < HEADS; ++h) {
                const size_t l = first[s + 1] - first[s];
                const mot_real *x = t.x + first[s] * WIDTH;
                twin_attention(x, l, t.value[0] + h * WIDTH * WIDTH);
                mot_merged_attention(&t.shape, t.weight, h, x, l, prob, scratch);
                for (size_t i = 0; i < l; ++i)
                    for (size_t j = 0; j < l; ++j)
                        ck_assert_double_lt(fabs((double)prob[i * l + j] - t.prob[i][j]), 1e-6);
            }
        mot_free(scratch);
    }
}
END_TEST

/* A = 0 at the start: every token looks at all alike. */
START_TEST(attention_starts_uniform)
{
    mot_real prob[TOKENS * TOKENS];
    mot_params params;
    start(MOT_ATTENTION_SOFTMAX, MOT_ACTIVATION_CUBIC, MOT_READOUT_SUM);
    mot_real *scratch = mot_calloc(mot_merged_attention_scratch(&t.shape), sizeof *scratch);
    mot_ck_ok(mot_params_create(&params, &t.table, 0));
    mot_params_init(&params, 1);
    const mot_real *const weight[] = {params.value + t.table.row[0].offset,
                                      params.value + t.table.row[1].offset};
    mot_merged_attention(&t.shape, weight, HEADS - 1, t.x, 7, prob, scratch);
    for (int i = 0; i < 49; ++i) ck_assert_double_lt(fabs((double)prob[i] - 1.0 / 7), 1e-7);
    ck_assert(weight[1][0] != weight[1][WIDTH * neurons]); /* heads start apart by their neurons */
    mot_params_free(&params);
    mot_free(scratch);
}
END_TEST

/* The same bits wherever the tile lies in memory, and whether or not the activations are kept. */
START_TEST(place_in_memory)
{
    const mot_expert_kind *kind = &mot_merged_kind;
    mot_real moved[ROWS * WIDTH + 1], out[2][SAMPLES];
    mot_arena arena;
    start(MOT_ATTENTION_SOFTMAX, MOT_ACTIVATION_CUBIC, MOT_READOUT_SUM);
    memcpy(moved + 1, t.x, sizeof t.x);
    mot_ck_ok(mot_arena_init(&arena, kind->workspace(&t.shape) + MOT_ALIGNMENT));
    for (int place = 0; place < 2; ++place) {
        const mot_tile tile = {.samples = SAMPLES, .first = first, .x = place ? moved + 1 : t.x};
        mot_arena_rewind(&arena, place * MOT_ALIGNMENT);
        (void)kind->forward(&t.shape, t.weight, &tile, &arena, place == 1, out[place]);
    }
    ck_assert_mem_eq(out[0], out[1], sizeof out[0]);
    mot_arena_free(&arena);
}
END_TEST

static void merged_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, twins, 0, 2);
    tcase_add_test(tcase, attention_probabilities);
    tcase_add_test(tcase, attention_starts_uniform);
    tcase_add_test(tcase, place_in_memory);
}

MOT_CK_MAIN("merged", merged_tests)
