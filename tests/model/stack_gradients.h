/* stack_gradients.h: gradients of the kinds that an encoder is stacked of, each by itself, by its tensors and, where it hands
 * gradients on, by the state that it is given.
 *
 *      L = <out, fixed>
 *
 * All tiles go forward before the first of them goes backward, the last first, in an arena that holds what they keep and one
 * tile's scratch. */
#ifndef MOT_TEST_STACK_GRADIENTS_H
#define MOT_TEST_STACK_GRADIENTS_H

#include "bench.h"
#include "mot/stack_kinds.h"

enum { STACK_WIDTH = 6, STACK_ROWS = BENCH_ROWS + BENCH_SAMPLES, STACK_NUMBERS = STACK_ROWS * STACK_WIDTH };

typedef struct stack_tile {
    mot_tile tile;
    size_t first[BENCH_SAMPLES + 1];
    size_t from, out; /* where its rows begin, and what it gives */
    void *kept;
} stack_tile;

typedef struct stack_case {
    bench_expert expert;
    bench_batch batch;
    bool text;                       /* the kind is given ids */
    size_t first[BENCH_SAMPLES + 1]; /* rows of what it is given */
    mot_real x[STACK_NUMBERS], d_x[STACK_NUMBERS], out[STACK_NUMBERS], fixed[STACK_NUMBERS], *start;
    stack_tile tile[BENCH_SAMPLES];
} stack_case;

static stack_case k;
static gradient_case stack_gradient;

/* Samples from `from` on go forward as a tile; returns the rows behind what they give. */
static size_t stack_forward(stack_tile *tile, size_t from, size_t samples, size_t out, bool learn)
{
    const mot_expert_shape *shape = &k.expert.shape;
    const size_t wide = k.expert.kind->rows ? STACK_WIDTH : BENCH_OUTPUTS;
    *tile = (stack_tile){.from = k.first[from], .out = out * wide};
    tile->tile = (mot_tile){.samples = samples, .first = tile->first};
    if (k.text)
        tile->tile.id = k.batch.id + tile->from;
    else
        tile->tile.x = k.x + tile->from * shape->width;
    for (size_t s = 0; s < samples; ++s) {
        tile->first[s + 1] = k.first[from + s + 1] - tile->from;
        out += mot_expert_rows(k.expert.kind, shape, tile->first[s + 1] - tile->first[s]);
    }
    tile->kept = bench_forward(&k.expert, &tile->tile, learn, k.out + tile->out);
    return out;
}

static void stack_backward(const stack_tile *tile)
{
    const bench_expert *e = &k.expert;
    e->kind->backward(&e->shape, e->weight, e->gradient, &tile->tile, &k.expert.arena, tile->kept,
                      k.fixed + tile->out, e->kind->hands_on ? k.d_x + tile->from * e->shape.width : NULL, ~0u);
}

static double stack_loss(void *context, bool learn)
{
    (void)context;
    const size_t samples = k.expert.kind->tile(&k.expert.shape);
    size_t tiles = 0, rows = 0;
    double sum = bench_start(&k.expert.params, k.start, learn);
    for (size_t from = 0; from < BENCH_SAMPLES; from += samples)
        rows = stack_forward(&k.tile[tiles++], from, MOT_MIN(samples, BENCH_SAMPLES - from), rows, learn);
    for (size_t i = 0; i < rows * (k.expert.kind->rows ? STACK_WIDTH : BENCH_OUTPUTS); ++i)
        sum += (double)k.out[i] * (double)k.fixed[i];
    while (learn && tiles-- > 0) stack_backward(&k.tile[tiles]);
    mot_arena_rewind(&k.expert.arena, 0);
    return sum;
}

static void check_stack(const mot_expert_kind *kind, bool text, mot_pool pool, size_t depth, size_t tile)
{
    const mot_expert_config config = {
        .width = STACK_WIDTH, .heads = 2, .depth = depth, .ffn = 7, .pool = pool, .tile = tile};
    const bool samples = kind == &mot_embed_kind;
    gradient_case *of = &stack_gradient;
    memset(of, 0, sizeof *of);
    memset(&k, 0, sizeof k);
    snprintf(of->name, sizeof of->name, "%s%s_%s_depth%zu_tile%zu", kind->kind.name, text ? "_ids" : "",
             pool == MOT_POOL_MEAN ? "mean" : "class", depth, tile);
    bench_batch_init(&k.batch, text);
    k.text = text;
    bench_expert_begin(&k.expert, kind, &config,
                       samples ? bench_shape(text, BENCH_OUTPUTS) : bench_states(&config, BENCH_OUTPUTS), 60);
    for (size_t s = 0; s <= BENCH_SAMPLES; ++s)
        k.first[s] = k.batch.first[s] + (!samples && pool == MOT_POOL_CLASS ? s : 0);

    const mot_expert_shape *shape = &k.expert.shape;
    const size_t kept = kind->kept(shape), tiles = (BENCH_SAMPLES + tile - 1) / tile;
    mot_arena_free(&k.expert.arena);
    mot_ck_ok(mot_arena_init(&k.expert.arena, (tiles - 1) * kept + kind->workspace(shape)));
    gradient_fill(k.x, STACK_NUMBERS, 62, 0, 1);
    gradient_fill(k.fixed, STACK_NUMBERS, 63, 0, 1);
    k.start = mot_calloc(k.expert.table.count, sizeof *k.start);
    gradient_fill(k.start, k.expert.table.count, 61, 0, 0.01);
    of->loss = stack_loss;
    of->sums = 2 * (9 * (double)depth + 3);
    of->longest = STACK_ROWS;
    gradient_add_params(of, "", &k.expert.params);
    if (kind->hands_on) gradient_add(of, "x", k.x, k.d_x, k.first[BENCH_SAMPLES] * shape->width);
    gradient_check(of);
    mot_free(k.start);
    bench_expert_free(&k.expert);
}

START_TEST(stack)
{
    for (int pool = MOT_POOL_MEAN; pool <= MOT_POOL_CLASS; ++pool) {
        for (int text = 0; text < 2; ++text) check_stack(&mot_embed_kind, text, (mot_pool)pool, 0, 3);
        check_stack(&mot_blocks_kind, false, (mot_pool)pool, 1 + (size_t)pool, 2 + (size_t)pool);
        check_stack(&mot_head_kind, false, (mot_pool)pool, 0, 3);
    }
    check_stack(&mot_blocks_kind, false, MOT_POOL_MEAN, 0, 1);
}
END_TEST

#endif
