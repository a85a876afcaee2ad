/* bench.h: a small ragged batch, and an expert to run over any of its samples. Built in float and in double.
 */
#ifndef MOT_TEST_BENCH_H
#define MOT_TEST_BENCH_H

#include "gradient.h"
#include "mot/expert.h"
#include "mot/memory.h"

enum {
    BENCH_SAMPLES = 7,
    BENCH_TOKENS = 5,
    BENCH_ROWS = BENCH_SAMPLES * BENCH_TOKENS,
    BENCH_WIDTH = 3,
    BENCH_VOCABULARY = 9,
    BENCH_OUTPUTS = 3
};

/* Pictures (x) or texts (id); the gate wants texts padded with 0. */
typedef struct bench_batch {
    bool text;
    size_t first[BENCH_SAMPLES + 1];
    mot_real x[BENCH_ROWS * BENCH_WIDTH];
    int32_t id[BENCH_ROWS], padded[BENCH_ROWS];
    int32_t label[BENCH_SAMPLES];
} bench_batch;

static inline void bench_batch_init(bench_batch *batch, bool text)
{
    static const size_t length[BENCH_SAMPLES] = {3, 1, 5, 2, 5, 1, 4};
    memset(batch, 0, sizeof *batch);
    batch->text = text;
    for (size_t s = 0; s < BENCH_SAMPLES; ++s) {
        batch->first[s + 1] = batch->first[s] + length[s];
        batch->label[s] = (int32_t)(s % BENCH_OUTPUTS);
        for (size_t t = 0; t < length[s]; ++t) {
            const size_t row = batch->first[s] + t;
            const mot_random4 random = mot_random(32, MOT_STREAM_TEST, (uint32_t)row, 0, 0, 0);
            batch->id[row] = 1 + (int32_t)(random.word[0] % (BENCH_VOCABULARY - 1));
            batch->padded[s * BENCH_TOKENS + t] = batch->id[row];
        }
    }
    gradient_fill(batch->x, MOT_COUNT(batch->x), 900, 0, 1);
}

/* Some of the batch's samples, copied one behind the other as a tile. */
typedef struct bench_tile {
    mot_tile tile;
    size_t first[BENCH_SAMPLES + 1];
    mot_real x[BENCH_ROWS * BENCH_WIDTH];
    int32_t id[BENCH_ROWS];
} bench_tile;

static inline void bench_gather(bench_tile *to, const bench_batch *batch, const size_t *sample,
                                size_t samples)
{
    to->first[0] = 0;
    for (size_t i = 0; i < samples; ++i) {
        const size_t from = batch->first[sample[i]], rows = batch->first[sample[i] + 1] - from,
                     at = to->first[i];
        memcpy(to->x + at * BENCH_WIDTH, batch->x + from * BENCH_WIDTH, rows * BENCH_WIDTH * sizeof *to->x);
        memcpy(to->id + at, batch->id + from, rows * sizeof *to->id);
        to->first[i + 1] = at + rows;
    }
    to->tile = (mot_tile){.samples = samples, .first = to->first};
    if (batch->text)
        to->tile.id = to->id;
    else
        to->tile.x = to->x;
}

typedef struct bench_expert {
    const mot_expert_kind *kind;
    mot_expert_config config;
    mot_expert_shape shape;
    mot_table table;
    mot_params params;
    mot_arena arena;
    const mot_real *weight[MOT_TABLE_ROWS];
    mot_real *gradient[MOT_TABLE_ROWS];
} bench_expert;

static inline mot_expert_shape bench_shape(bool text, size_t outputs)
{
    return (mot_expert_shape){.tokens = BENCH_TOKENS,
                              .width = text ? 0 : BENCH_WIDTH,
                              .vocabulary = text ? BENCH_VOCABULARY : 0,
                              .outputs = outputs};
}

/* Of the states of samples of such a shape: what blocks and head are given (stack_kinds.h). */
static inline mot_expert_shape bench_states(const mot_expert_config *config, size_t outputs)
{
    return (mot_expert_shape){.tokens = BENCH_TOKENS + (config->pool == MOT_POOL_CLASS),
                              .width = config->width,
                              .outputs = outputs};
}

/* The shape without what follows from the configuration. */
static inline void bench_expert_begin(bench_expert *expert, const mot_expert_kind *kind,
                                      const mot_expert_config *config, mot_expert_shape shape, uint32_t salt)
{
    memset(expert, 0, sizeof *expert);
    expert->kind = kind;
    expert->config = *config;
    expert->shape = shape;
    expert->shape.config = &expert->config;
    expert->shape.precision = config->precision == MOT_RULE_FP32 ? MOT_PRECISION_FP32 : MOT_PRECISION_BF16;
    mot_ck_ok(expert->kind->table(&expert->shape, &expert->table));
    mot_ck_ok(mot_params_create(&expert->params, &expert->table, 0));
    mot_ck_ok(mot_arena_init(&expert->arena, expert->kind->workspace(&expert->shape)));
    gradient_fill_params(&expert->params, salt);
    for (size_t r = 0; r < expert->table.rows; ++r) {
        expert->weight[r] = expert->params.value + expert->table.row[r].offset;
        expert->gradient[r] = expert->params.gradient + expert->table.row[r].offset;
    }
}

static inline void bench_expert_init(bench_expert *expert, const mot_expert_config *config, bool text,
                                     size_t outputs, uint32_t salt)
{
    bench_expert_begin(expert, mot_expert_kind_at(config->kind), config, bench_shape(text, outputs), salt);
}

static inline void bench_expert_free(bench_expert *expert)
{
    mot_params_free(&expert->params);
    mot_arena_free(&expert->arena);
}

static inline void *bench_forward(bench_expert *expert, const mot_tile *tile, bool learn, mot_real *out)
{
    return expert->kind->forward(&expert->shape, expert->weight, tile, &expert->arena, learn, out);
}

static inline void bench_backward(bench_expert *expert, const mot_tile *tile, void *kept,
                                  const mot_real *d_out)
{
    expert->kind->backward(&expert->shape, expert->weight, expert->gradient, tile, &expert->arena, kept,
                           d_out, NULL, ~0u);
}

/* A gradient that is there already, as if the loss had another term <start, value>: what is found must be
 * added to it. */
static inline double bench_start(mot_params *params, const mot_real *start, bool learn)
{
    double sum = 0;
    for (size_t r = 0; r < params->table->rows; ++r)
        for (size_t i = 0; i < params->table->row[r].count; ++i) {
            const size_t at = params->table->row[r].offset + i;
            if (learn) params->gradient[at] = start[at];
            sum += (double)params->value[at] * (double)start[at];
        }
    return sum;
}

#endif
