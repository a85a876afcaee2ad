/* The encoder's forward pass against a dull twin in double, and what callers rely on: tiles do not matter,
 * inference and learning agree, the arena is as large as was said. */
#include "bench.h"
#include "mot/blas.h"
#include "mot/product_bf16.h"

enum { D = 6, H = 2, F = 7, C = BENCH_OUTPUTS, LONGEST = BENCH_TOKENS + 1 };

static mot_precision precision; /* of begin; what loops over it has it as its _i */
static bench_expert expert;
static bench_batch batch;

static void begin(mot_pool pool, size_t depth, size_t tile, bool text)
{
    const mot_expert_config config = {.width = D,
                                      .heads = H,
                                      .depth = depth,
                                      .ffn = F,
                                      .pool = pool,
                                      .tile = tile,
                                      .precision = (mot_precision_rule)precision};
    bench_batch_init(&batch, text);
    bench_expert_init(&expert, &config, text, C, 80);
}

static void forward(const size_t *sample, size_t samples, bool learn, mot_real *out)
{
    static bench_tile tile;
    const size_t mark = mot_arena_mark(&expert.arena);
    bench_gather(&tile, &batch, sample, samples);
    const void *kept = bench_forward(&expert, &tile.tile, learn, out);
    ck_assert(learn == (kept != NULL));
    mot_arena_rewind(&expert.arena, mark);
}

/* ---- the twin: one sample, plain loops, tensors by name ---- */

static const float *tensor(const char *prefix, const char *name)
{
    char whole[2 * MOT_TENSOR_NAME];
    snprintf(whole, sizeof whole, "%s%s", prefix, name);
    for (size_t r = 0; r < expert.table.rows; ++r)
        if (strcmp(expert.table.row[r].name, whole) == 0)
            return expert.params.value + expert.table.row[r].offset;
    ck_abort_msg("no tensor %s", whole);
    return NULL;
}

static void affine(double *y, const double *x, size_t rows, size_t K, size_t M, const float *w,
                   const float *b)
{
    for (size_t r = 0; r < rows; ++r)
        for (size_t m = 0; m < M; ++m) {
            y[r * M + m] = (double)b[m];
            for (size_t k = 0; k < K; ++k) y[r * M + m] += x[r * K + k] * (double)w[k * M + m];
        }
}

static void norm(double *y, const double *x, size_t rows, const float *gain, const float *bias)
{
    for (size_t r = 0; r < rows; ++r) {
        double mean = 0, variance = 0;
        for (size_t i = 0; i < D; ++i) mean += x[r * D + i] / D;
        for (size_t i = 0; i < D; ++i) variance += (x[r * D + i] - mean) * (x[r * D + i] - mean) / D;
        for (size_t i = 0; i < D; ++i)
            y[r * D + i] = (x[r * D + i] - mean) / sqrt(variance + 1e-5) * (double)gain[i] + (double)bias[i];
    }
}

/* Probabilities of the sample at hand, by block, head, query and key. */
enum { MOST_BLOCKS = 3 };
static double probability[MOST_BLOCKS][H][LONGEST][LONGEST];

static void attend(double *out, const double *qkv, size_t rows, size_t at)
{
    const size_t W = D / H;
    for (size_t h = 0; h < H; ++h)
        for (size_t i = 0; i < rows; ++i) {
            double p[LONGEST], sum = 0;
            for (size_t j = 0; j < rows; ++j) {
                double score = 0;
                for (size_t c = h * W; c < (h + 1) * W; ++c)
                    score += qkv[i * 3 * D + c] * qkv[j * 3 * D + D + c];
                p[j] = exp(score / sqrt((double)W));
                sum += p[j];
            }
            for (size_t j = 0; j < rows; ++j) probability[at][h][i][j] = p[j] / sum;
            for (size_t c = h * W; c < (h + 1) * W; ++c) {
                out[i * D + c] = 0;
                for (size_t j = 0; j < rows; ++j) out[i * D + c] += p[j] / sum * qkv[j * 3 * D + 2 * D + c];
            }
        }
}

static void block(double *h, size_t rows, size_t at)
{
    char prefix[32];
    snprintf(prefix, sizeof prefix, "block%zu_", at);
    double a[LONGEST * D], b[LONGEST * 3 * D], c[LONGEST * 3 * D];
    norm(a, h, rows, tensor(prefix, "norm1_gain"), tensor(prefix, "norm1_bias"));
    affine(b, a, rows, D, 3 * D, tensor(prefix, "qkv_weight"), tensor(prefix, "qkv_bias"));
    attend(a, b, rows, at);
    affine(c, a, rows, D, D, tensor(prefix, "mix_weight"), tensor(prefix, "mix_bias"));
    for (size_t i = 0; i < rows * D; ++i) h[i] += c[i];
    norm(a, h, rows, tensor(prefix, "norm2_gain"), tensor(prefix, "norm2_bias"));
    affine(b, a, rows, D, F, tensor(prefix, "up_weight"), tensor(prefix, "up_bias"));
    for (size_t i = 0; i < rows * F; ++i)
        b[i] = 0.5 * b[i] * (1 + tanh(sqrt(2 / M_PI) * (b[i] + 0.044715 * b[i] * b[i] * b[i])));
    affine(c, b, rows, F, D, tensor(prefix, "down_weight"), tensor(prefix, "down_bias"));
    for (size_t i = 0; i < rows * D; ++i) h[i] += c[i];
}

static void twin(double *out, size_t s)
{
    const bool class_token = expert.config.pool == MOT_POOL_CLASS;
    const size_t tokens = batch.first[s + 1] - batch.first[s], rows = tokens + class_token;
    double h[LONGEST * D] = {0}, y[LONGEST * D], pooled[D] = {0};
    for (size_t i = 0; i < D && class_token; ++i) h[i] = (double)tensor("", "class_token")[i];
    for (size_t t = 0; t < tokens; ++t)
        for (size_t i = 0; i < D; ++i) {
            const float *w = tensor("", "embed_weight");
            const size_t row = batch.first[s] + t;
            double sum = (double)tensor("", "position")[t * D + i];
            if (batch.text)
                sum += (double)w[(size_t)batch.id[row] * D + i];
            else
                sum += (double)tensor("", "embed_bias")[i];
            for (size_t k = 0; k < BENCH_WIDTH && !batch.text; ++k)
                sum += (double)batch.x[row * BENCH_WIDTH + k] * (double)w[k * D + i];
            h[(t + class_token) * D + i] = sum;
        }
    for (size_t b = 0; b < expert.config.depth; ++b) block(h, rows, b);
    norm(y, h, rows, tensor("", "norm_gain"), tensor("", "norm_bias"));
    for (size_t i = 0; i < D; ++i) {
        for (size_t r = 0; r < (class_token ? 1 : rows); ++r) pooled[i] += y[r * D + i];
        if (!class_token) pooled[i] /= (double)rows;
    }
    affine(out, pooled, 1, D, C, tensor("", "head_weight"), tensor("", "head_bias"));
}

/* ---- tests ---- */

static const size_t all[] = {0, 1, 2, 3, 4, 5, 6};

/* Runs over every pooling, input and depth. */
static void for_all_encoders(void (*check)(void))
{
    for (int pool = MOT_POOL_MEAN; pool <= MOT_POOL_CLASS; ++pool)
        for (int text = 0; text < 2; ++text)
            for (size_t depth = 0; depth <= 3; ++depth) {
                begin((mot_pool)pool, depth, BENCH_SAMPLES, text);
                check();
                bench_expert_free(&expert);
            }
}

static double worst;

static void check_twin(void)
{
    float out[BENCH_SAMPLES * C];
    double want[C];
    forward(all, BENCH_SAMPLES, false, out);
    for (size_t s = 0; s < BENCH_SAMPLES; ++s) {
        twin(want, s);
        for (size_t i = 0; i < C; ++i) {
            const double error = fabs((double)out[s * C + i] - want[i]) / (1 + fabs(want[i]));
            worst = error <= worst ? worst : error;
        }
    }
}

START_TEST(forward_is_the_twin)
{
    worst = 0;
    for_all_encoders(check_twin);
    printf("encoder: %.1e off its twin\n", worst);
    ck_assert_double_le(worst, 1e-5);
}
END_TEST

/* Attention rollout as matrices: the product of (I + A) / 2, the last block on the left, of which the row that the head reads. */
static void roll_out(double *rollout, const double *query, size_t rows)
{
    double product[LONGEST][LONGEST], next[LONGEST][LONGEST];
    for (size_t i = 0; i < rows; ++i)
        for (size_t j = 0; j < rows; ++j) product[i][j] = i == j;
    for (size_t b = 0; b < expert.config.depth; ++b) {
        for (size_t i = 0; i < rows; ++i)
            for (size_t j = 0; j < rows; ++j) {
                next[i][j] = product[i][j] / 2;
                for (size_t k = 0; k < rows; ++k)
                    for (size_t h = 0; h < H; ++h) next[i][j] += probability[b][h][i][k] / H * product[k][j] / 2;
            }
        memcpy(product, next, sizeof product);
    }
    for (size_t j = 0; j < rows; ++j) {
        rollout[j] = 0;
        for (size_t i = 0; i < rows; ++i) rollout[j] += query[i] * product[i][j];
    }
}

static double off(double found, double wanted)
{
    const double error = fabs(found - wanted);
    return error <= worst ? worst : error;
}

static void check_look(void)
{
    const bool class_token = expert.config.pool == MOT_POOL_CLASS;
    double want[C], query[LONGEST], rolled[LONGEST];
    float out[BENCH_SAMPLES * C], received[MOST_BLOCKS * H * LONGEST], rollout[LONGEST];
    static bench_tile tile;
    bench_gather(&tile, &batch, all, BENCH_SAMPLES);
    const void *kept = bench_forward(&expert, &tile.tile, true, out);
    for (size_t s = 0; s < BENCH_SAMPLES; ++s) {
        const size_t rows = batch.first[s + 1] - batch.first[s] + class_token, mark = mot_arena_mark(&expert.arena);
        twin(want, s);
        ck_assert_uint_eq(expert.kind->look(&expert.shape, &tile.tile, &expert.arena, kept, s, received, rollout), rows);
        ck_assert_uint_eq(mot_arena_mark(&expert.arena), mark);
        for (size_t i = 0; i < rows; ++i) query[i] = class_token ? i == 0 : 1 / (double)rows;
        for (size_t map = 0; map < expert.config.depth * H; ++map) {
            double sum = 0;
            for (size_t j = 0; j < rows; ++j) {
                double of_key = 0;
                for (size_t i = 0; i < rows; ++i) of_key += query[i] * probability[map / H][map % H][i][j];
                worst = off((double)received[map * rows + j], of_key);
                sum += (double)received[map * rows + j];
            }
            worst = off(sum, 1);
        }
        roll_out(rolled, query, rows);
        for (size_t j = 0; j < rows; ++j) worst = off((double)rollout[j], rolled[j]);
    }
    mot_arena_rewind(&expert.arena, 0);
}

START_TEST(where_it_looks_is_the_twins)
{
    worst = 0;
    precision = MOT_PRECISION_FP32;
    for_all_encoders(check_look);
    printf("attention: %.1e off its twin\n", worst);
    ck_assert_double_le(worst, 1e-6);
}
END_TEST

static void check_learn(void)
{
    static const size_t mixed[] = {4, 0, 6, 1};
    float learning[BENCH_SAMPLES * C], inference[BENCH_SAMPLES * C], again[BENCH_SAMPLES * C];
    for (size_t samples = 1; samples <= 4; ++samples) {
        const size_t bytes = samples * C * sizeof *learning;
        memset(expert.arena.base, 0xff,
               expert.arena.size); /* NaN: nothing may be read before it is written */
        forward(mixed, samples, true, learning);
        memset(expert.arena.base, 0xff, expert.arena.size);
        forward(mixed, samples, false, inference);
        forward(mixed, samples, false, again);
        ck_assert_int_eq(memcmp(learning, inference, bytes), 0);
        ck_assert_int_eq(memcmp(again, inference, bytes), 0);
        for (size_t i = 0; i < samples * C; ++i) ck_assert(isfinite(learning[i]));
    }
}

static void check_tile_bits(void)
{
    float together[BENCH_SAMPLES * C], alone[C];
    forward(all, BENCH_SAMPLES, false, together);
    for (size_t s = 0; s < BENCH_SAMPLES; ++s) {
        forward(&all[s], 1, false, alone);
        ck_assert_int_eq(memcmp(alone, together + s * C, sizeof alone), 0);
    }
}

START_TEST(inference_and_learning_agree_to_the_bit)
{
    precision = (mot_precision)_i;
    for_all_encoders(check_learn);
}
END_TEST

/* However the samples are cut into tiles, the outputs are the same to the bit. */
START_TEST(outputs_do_not_depend_on_the_tile)
{
    precision = (mot_precision)_i;
    for_all_encoders(check_tile_bits);
}
END_TEST

/* The same tile at another time, in memory with other contents, gives the same gradient to the bit. */
START_TEST(backward_reads_nothing_stale)
{
    precision = (mot_precision)_i;
    for (int pool = MOT_POOL_MEAN; pool <= MOT_POOL_CLASS; ++pool) {
        begin((mot_pool)pool, 2, 4, false);
        static bench_tile tile;
        static float found[2][20000];
        float out[4 * C], d_out[4 * C];
        ck_assert_uint_le(expert.table.count, 20000);
        gradient_fill(d_out, 4 * C, 90, 0, 1);
        for (int run = 0; run < 2; ++run) {
            memset(expert.arena.base, run == 0 ? 0 : 0xff, expert.arena.size);
            mot_params_zero_gradient(&expert.params);
            bench_gather(&tile, &batch, all + 1, 4);
            void *kept = bench_forward(&expert, &tile.tile, true, out);
            bench_backward(&expert, &tile.tile, kept, d_out);
            memcpy(found[run], expert.params.gradient, expert.table.count * sizeof *found[run]);
            mot_arena_rewind(&expert.arena, 0);
        }
        for (size_t i = 0; i < expert.table.count; ++i) ck_assert(isfinite(found[1][i]));
        ck_assert_int_eq(memcmp(found[0], found[1], expert.table.count * sizeof *found[0]), 0);
        bench_expert_free(&expert);
    }
}
END_TEST

/* A full tile of the longest samples takes exactly the workspace; a shorter one less. */
START_TEST(the_workspace_is_what_was_said)
{
    precision = (mot_precision)_i;
    for (size_t samples = 1; samples <= 3; ++samples)
        for (size_t depth = 0; depth <= 2; ++depth) {
            begin(MOT_POOL_CLASS, depth, samples, false);
            static const size_t longest[] = {2, 4, 2}; /* the samples with BENCH_TOKENS tokens */
            static bench_tile tile;
            float out[3 * C], d_out[3 * C] = {0};
            ck_assert_uint_eq(expert.kind->tile(&expert.shape), samples);
            bench_gather(&tile, &batch, all + 5, 1);
            void *kept = bench_forward(&expert, &tile.tile, true, out);
            bench_backward(&expert, &tile.tile, kept, d_out);
            ck_assert_uint_lt(expert.arena.high, expert.kind->workspace(&expert.shape));
            mot_arena_rewind(&expert.arena, 0);
            bench_gather(&tile, &batch, longest, samples);
            kept = bench_forward(&expert, &tile.tile, true, out);
            bench_backward(&expert, &tile.tile, kept, d_out);
            ck_assert_uint_eq(expert.arena.high, expert.kind->workspace(&expert.shape));
            bench_expert_free(&expert);
        }
}
END_TEST

/* Where some samples are too long for what attention keeps of short ones, the short ones take no more than they. */
START_TEST(short_samples_fit_among_long_ones)
{
    enum { TOKENS = 300 };
    static float x[TOKENS * BENCH_WIDTH];
    static const size_t rows[] = {1, 100, 256, 257, TOKENS};
    const mot_expert_config config = {.width = D, .heads = H, .depth = 2, .ffn = F, .tile = 1};
    mot_expert_shape shape = bench_shape(false, C);
    shape.tokens = TOKENS;
    bench_expert_begin(&expert, mot_expert_kind_at(config.kind), &config, shape, 80);
    gradient_fill(x, MOT_COUNT(x), 901, 0, 1);
    for (size_t r = 0; r < MOT_COUNT(rows); ++r) {
        const size_t first[] = {0, rows[r]};
        const mot_tile tile = {.samples = 1, .first = first, .x = x};
        float out[C], d_out[C] = {1, -1};
        void *kept = bench_forward(&expert, &tile, true, out);
        bench_backward(&expert, &tile, kept, d_out);
        ck_assert_uint_le(expert.arena.high, expert.arena.size);
        mot_arena_rewind(&expert.arena, 0);
    }
    bench_expert_free(&expert);
}
END_TEST

/* The gradient of a tile, in the precision of `begin`. */
static void gradient_of(float *gradient, mot_pool pool, bool text)
{
    static bench_tile tile;
    float out[4 * C], d_out[4 * C];
    begin(pool, 2, 4, text);
    gradient_fill(d_out, 4 * C, 90, 0, 1);
    bench_gather(&tile, &batch, all + 1, 4);
    void *kept = bench_forward(&expert, &tile.tile, true, out);
    bench_backward(&expert, &tile.tile, kept, d_out);
    memcpy(gradient, expert.params.gradient, expert.table.count * sizeof *gradient);
    bench_expert_free(&expert);
}

/* Products of rounded operands: each operand is off by at most 2^-9 of itself, independently. 6 products a block and 2
 * around them, forward and backward: 28 in a row for two blocks, with two operands each, add up as roots do; 4 times that
 * is the bound, for the gradient as a whole. */
START_TEST(gradients_of_rounded_products)
{
    static float plain[20000], rounded[20000];
    if (!mot_bf16_available()) return;
    for (int text = 0; text < 2; ++text)
        for (int pool = MOT_POOL_MEAN; pool <= MOT_POOL_CLASS; ++pool) {
            precision = MOT_PRECISION_FP32;
            gradient_of(plain, (mot_pool)pool, text);
            precision = MOT_PRECISION_BF16;
            gradient_of(rounded, (mot_pool)pool, text);
            double off = 0, size = 0;
            for (size_t i = 0; i < expert.table.count; ++i) {
                off += pow((double)rounded[i] - (double)plain[i], 2);
                size += pow((double)plain[i], 2);
            }
            printf("gradient of rounded products: %.2g off\n", sqrt(off / size));
            ck_assert_double_gt(off, 0);
            ck_assert_double_le(sqrt(off / size), 4 * sqrt(2 * 28) * 0x1p-9);
        }
}
END_TEST

START_TEST(the_tile_follows_from_the_shape)
{
    precision = MOT_PRECISION_FP32;
    mot_expert_config config = {.width = 8, .heads = 2, .depth = 1, .ffn = 8};
    mot_expert_shape shape = {.config = &config, .tokens = 4, .width = 3, .outputs = 2};
    const mot_expert_kind *kind = mot_expert_kind_at(0);
    ck_assert_uint_eq(kind->tile(&shape), 32); /* small samples: the most */
    config.width = config.ffn = 512;
    shape.tokens = 512;
    ck_assert_uint_eq(kind->tile(&shape), 1); /* larger than the cache: one by one */
    config.width = config.ffn = 64;
    shape.tokens = 49;
    const size_t tile = kind->tile(&shape);
    ck_assert(tile > 1 && tile < 32);
    shape.precision = MOT_PRECISION_BF16;
    ck_assert_uint_eq(kind->tile(&shape), tile / 2); /* half as long, twice as fast: nearer to the caches */
    config.tile = 5;
    ck_assert_uint_eq(kind->tile(&shape), 5);
}
END_TEST

START_TEST(operations_are_counted)
{
    precision = MOT_PRECISION_FP32;
    begin(MOT_POOL_CLASS, 2, 1, false);
    const double t = BENCH_TOKENS, r = t + 1;
    const double products = r * D * 3 * D + 2 * r * r * D + r * D * D + 2 * r * D * F;
    const double want = 2 * (t * BENCH_WIDTH * D + 2 * products + D * C);
    ck_assert_double_eq_tol(expert.kind->flops(&expert.shape, BENCH_TOKENS), want, 1e-9);
    bench_expert_free(&expert);

    /* Its products are the same operations three times, but for the gradient that the input does not need. */
    begin(MOT_POOL_CLASS, 2, 3, false);
    mot_gemm_shape product[MOT_MOST_GEMMS];
    double sum = 0;
    const size_t count = expert.kind->products(&expert.shape, product);
    ck_assert(count > 0 && count <= MOT_MOST_GEMMS);
    for (size_t p = 0; p < count; ++p)
        sum += product[p].times * 2 * (double)(product[p].m * product[p].n * product[p].k);
    const double embed = 2 * t * BENCH_WIDTH * D;
    ck_assert_double_eq_tol(sum, 3 * (3 * want - embed), 1e-6);
    ck_assert_double_eq_tol(sum, 3 * (want + expert.kind->backward_flops(&expert.shape, BENCH_TOKENS, ~(mot_part_set)0)), 1e-6);

    /* What is frozen has no gradient of its weights; what goes through it has one. */
    const double frozen = expert.kind->backward_flops(&expert.shape, BENCH_TOKENS, 1u << MOT_PART_HEAD),
                 ffn = expert.kind->backward_flops(&expert.shape, BENCH_TOKENS, 1u << MOT_PART_HEAD | 1u << MOT_PART_FFN);
    ck_assert_double_eq_tol(frozen, 2 * want - 2 * embed - 2 * 2 * (r * D * 3 * D + r * D * D + 2 * r * D * F), 1e-6);
    ck_assert_double_eq_tol(ffn - frozen, 2 * 2 * 2 * r * D * F, 1e-6);
    bench_expert_free(&expert);
}
END_TEST

START_TEST(too_deep_is_refused)
{
    const mot_expert_config config = {.width = 2, .heads = 1, .depth = MOT_TABLE_ROWS, .ffn = 2};
    const mot_expert_shape shape = {.config = &config, .tokens = 2, .width = 2, .outputs = 2};
    static mot_table table;
    table.rows = table.count = 0;
    ck_assert_int_eq(mot_expert_kind_at(0)->table(&shape, &table), MOT_ERR_INPUT);
}
END_TEST

static void encoder_tests(TCase *tcase)
{
    const int precisions = mot_bf16_available() ? 2 : 1;
    tcase_add_test(tcase, forward_is_the_twin);
    tcase_add_test(tcase, where_it_looks_is_the_twins);
    tcase_add_loop_test(tcase, inference_and_learning_agree_to_the_bit, 0, precisions);
    tcase_add_loop_test(tcase, outputs_do_not_depend_on_the_tile, 0, precisions);
    tcase_add_loop_test(tcase, backward_reads_nothing_stale, 0, precisions);
    tcase_add_loop_test(tcase, the_workspace_is_what_was_said, 0, precisions);
    tcase_add_test(tcase, short_samples_fit_among_long_ones);
    tcase_add_test(tcase, gradients_of_rounded_products);
    tcase_add_test(tcase, the_tile_follows_from_the_shape);
    tcase_add_test(tcase, operations_are_counted);
    tcase_add_test(tcase, too_deep_is_refused);
}

MOT_CK_MAIN("encoder", encoder_tests)
