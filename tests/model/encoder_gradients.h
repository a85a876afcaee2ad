/* encoder_gradients.h: gradients of a whole expert; the double build checks them, then the float build.
 *
 * The loss is the sum over the batch's samples, which run in tiles as in training. */
#include "bench.h"
#include "mot/loss.h"
#include "stack_gradients.h"

typedef struct encoder_case {
    bench_expert expert;
    bench_batch batch;
    bench_tile tile;
    mot_loss loss;
    mot_real *start;
} encoder_case;

static encoder_case e;
static gradient_case c;

static double tile_loss(size_t from, size_t samples, bool learn)
{
    const size_t C = e.expert.shape.outputs, mark = mot_arena_mark(&e.expert.arena);
    const size_t sample[] = {0, 1, 2, 3, 4, 5, 6};
    mot_real out[BENCH_SAMPLES * BENCH_OUTPUTS], d_out[BENCH_SAMPLES * BENCH_OUTPUTS];
    double sum = 0;
    bench_gather(&e.tile, &e.batch, sample + from, samples);
    void *kept = bench_forward(&e.expert, &e.tile.tile, learn, out);
    for (size_t s = 0; s < samples; ++s) {
        const int32_t label = C == 1 ? e.batch.label[from + s] % 2 : e.batch.label[from + s];
        sum += e.loss.kind->value(&e.loss, out + s * C, &label, d_out + s * C);
    }
    if (learn) bench_backward(&e.expert, &e.tile.tile, kept, d_out);
    mot_arena_rewind(&e.expert.arena, mark);
    return sum;
}

static double encoder_loss(void *context, bool learn)
{
    (void)context;
    const size_t tile = e.expert.kind->tile(&e.expert.shape);
    double sum = bench_start(&e.expert.params, e.start, learn);
    for (size_t from = 0; from < BENCH_SAMPLES; from += tile)
        sum += tile_loss(from, MOT_MIN(tile, BENCH_SAMPLES - from), learn);
    return sum;
}

static void check(const char *name, const mot_expert_config *config, bool text, const char *loss,
                  size_t outputs)
{
    memset(&c, 0, sizeof c);
    snprintf(c.name, sizeof c.name, "%s", name);
    bench_batch_init(&e.batch, text);
    bench_expert_init(&e.expert, config, text, outputs, 50);
    e.loss = (mot_loss){.kind = mot_loss_kind_at(mot_kinds_find(&mot_loss_kinds, loss)),
                        .target_bytes = sizeof(int32_t),
                        .classes = outputs == 1 ? 2 : (int)outputs,
                        .outputs = outputs};
    e.start = mot_calloc(e.expert.table.count, sizeof *e.start);
    gradient_fill(e.start, e.expert.table.count, 51, 0, 0.01);
    c.loss = encoder_loss;
    /* Forward and backward: 9 layers a block, 3 around them. */
    c.sums = 2 * (9 * (double)config->depth + 3);
    c.longest = BENCH_ROWS;
    gradient_add_params(&c, "", &e.expert.params);
    gradient_check(&c);
    mot_free(e.start);
    bench_expert_free(&e.expert);
}

/* Depth 0 is embedding, pooling and head. A tile of 3 leaves one sample over; 7 is the whole batch at once.
 */
START_TEST(encoder)
{
    for (int text = 0; text < 2; ++text)
        for (int pool = MOT_POOL_MEAN; pool <= MOT_POOL_CLASS; ++pool)
            for (size_t depth = 0; depth <= 2; ++depth) {
                const size_t tile = depth == 0 ? 7 : depth == 1 ? 1 : 3;
                const mot_expert_config config = {
                    .width = 6, .heads = 2, .depth = depth, .ffn = 7, .pool = (mot_pool)pool, .tile = tile};
                char name[GRADIENT_NAME];
                snprintf(name, sizeof name, "encoder_%s_%s_depth%zu_tile%zu", text ? "ids" : "dense",
                         pool == MOT_POOL_MEAN ? "mean" : "class", depth, tile);
                check(name, &config, text, "cross_entropy", BENCH_OUTPUTS);
            }
}
END_TEST

/* The FFN narrower than 3 D and wider: the workspace is shared between them. One output, and other losses. */
START_TEST(encoder_of_other_sizes)
{
    const mot_expert_config wide = {
        .width = 4, .heads = 4, .depth = 1, .ffn = 20, .pool = MOT_POOL_MEAN, .tile = 2};
    check("encoder_wide_ffn_logistic_C1", &wide, false, "logistic", 1);
    const mot_expert_config thin = {
        .width = 5, .heads = 1, .depth = 1, .ffn = 3, .pool = MOT_POOL_CLASS, .tile = 4};
    check("encoder_thin_ffn_squared_C3", &thin, true, "squared", 3);
    const mot_expert_config own = {
        .width = 4, .heads = 2, .depth = 1, .ffn = 6, .pool = MOT_POOL_CLASS, .tile = 0};
    check("encoder_tile_of_its_own", &own, false, "squared", 1);
}
END_TEST

static void check_merged(mot_activation activation, mot_readout readout, mot_attention attention,
                         size_t heads, size_t neurons)
{
    static const char *const names[] = {"cubic", "identity", "relu", "gelu"};
    const mot_expert_config config = {.kind = 1,
                                      .tile = (size_t)readout + heads,
                                      .merged = {.activation = activation,
                                                 .readout = readout,
                                                 .attention = attention,
                                                 .heads = heads,
                                                 .neurons = neurons,
                                                 .init = 1}};
    char name[GRADIENT_NAME];
    snprintf(name, sizeof name, "merged_%s_readout%d%s_H%zu_J%zu", names[activation], (int)readout,
             attention == MOT_ATTENTION_NONE ? "_none" : "", heads, neurons);
    check(name, &config, false, readout == MOT_READOUT_MEAN ? "squared" : "logistic", 1);
}

/* The theory model: every activation and readout; with and without attention, one head and several, one neuron and
 * several. */
START_TEST(merged)
{
    for (int activation = MOT_ACTIVATION_CUBIC; activation <= MOT_ACTIVATION_GELU; ++activation)
        for (int readout = MOT_READOUT_SUM; readout <= MOT_READOUT_FIRST; ++readout)
            check_merged((mot_activation)activation, (mot_readout)readout, MOT_ATTENTION_SOFTMAX, 1,
                         1 + 2 * (size_t)readout);
    for (int attention = MOT_ATTENTION_SOFTMAX; attention <= MOT_ATTENTION_NONE; ++attention)
        for (size_t heads = 1; heads <= 3; ++heads)
            for (size_t neurons = 1; neurons <= 3; neurons += 2) {
                check_merged(MOT_ACTIVATION_CUBIC, MOT_READOUT_SUM, (mot_attention)attention, heads, neurons);
                check_merged(MOT_ACTIVATION_GELU, MOT_READOUT_MEAN, (mot_attention)attention, heads, neurons);
            }
}
END_TEST

static void open_file(void)
{
    gradient_open(GRADIENT_PATH("encoder"));
}

static void encoder_gradient_tests(TCase *tcase)
{
    tcase_add_unchecked_fixture(tcase, open_file, gradient_close);
    tcase_add_test(tcase, encoder);
    tcase_add_test(tcase, encoder_of_other_sizes);
    tcase_add_test(tcase, merged);
    tcase_add_test(tcase, stack);
}
