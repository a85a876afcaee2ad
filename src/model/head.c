/* The kind `head`: state rows -> outputs.
 *
 *      out = pool(norm(h)) W + b
 *
 * pool: mean over a sample's rows, or the first of them, the class token's. */
#include "stack_private.h"

#include <math.h>
#include <string.h>

#include "mot/layers.h"
#include "mot/rowops.h"

enum { NORM_GAIN, NORM_BIAS, WEIGHT, BIAS };

static mot_status head_table(const mot_expert_shape *shape, mot_table *table)
{
    const size_t D = shape->config->width, C = shape->outputs;
    const row_init head[] = {
        [NORM_GAIN] = {"norm_gain", D, 0, 1, 0},
        [NORM_BIAS] = {"norm_bias", D, 0, 0, 0},
        [WEIGHT] = {"head_weight", D, C, 0, 1 / sqrt((double)D)},
        [BIAS] = {"head_bias", C, 0, 0, 0},
    };
    return mot_stack_table(table, MOT_PART_HEAD, "", MOT_COUNT(head), head);
}

static size_t head_tile(const mot_expert_shape *shape)
{
    return mot_stack_tile(shape, shape->tokens);
}

/* ---- memory; R rows, n samples ---- */

typedef struct head_acts {
    mot_real *mean, *rstd; /* [R] */
    mot_real *pooled;      /* [n, D] */
} head_acts;

typedef struct head_work {
    linear_work linear;
    mot_real *norm;     /* [R, D] behind the norm; in backward its gradient */
    mot_real *d_pooled; /* [n, D], in backward */
} head_work;

static size_t carve_acts(const mot_expert_shape *shape, mot_arena *arena, size_t n, size_t R, head_acts **acts)
{
    size_t bytes = 0;
    head_acts sized, *a = mot_stack_carve(arena, &bytes, 1, sizeof sized);
    *acts = a;
    if (a == NULL) a = &sized;
    a->mean = mot_stack_carve(arena, &bytes, R, sizeof *a->mean);
    a->rstd = mot_stack_carve(arena, &bytes, R, sizeof *a->rstd);
    a->pooled = mot_stack_carve(arena, &bytes, n * shape->config->width, sizeof *a->pooled);
    return bytes;
}

static size_t carve_work(const mot_expert_shape *shape, mot_arena *arena, size_t n, size_t R, bool learn,
                         head_work *work)
{
    const mot_precision precision = shape->precision;
    const size_t D = shape->config->width, C = shape->outputs, real = sizeof(mot_real);
    size_t bytes = 0;
    work->linear.mixed.precision = precision;
    work->linear.mixed.operands =
        mot_stack_carve(arena, &bytes, linear_operands(precision, n, D, C, learn), real);
    work->linear.weights = mot_stack_carve(
        arena, &bytes, learn ? mot_factor_transposed_room(precision, C, D) : mot_factor_room(precision, D, C),
        real);
    work->norm = mot_stack_carve(arena, &bytes, R * D, real);
    work->d_pooled = learn ? mot_stack_carve(arena, &bytes, n * D, real) : NULL;
    return bytes;
}

static size_t head_kept(const mot_expert_shape *shape)
{
    const size_t n = head_tile(shape);
    head_acts *acts;
    return carve_acts(shape, NULL, n, n * shape->tokens, &acts);
}

static size_t head_workspace(const mot_expert_shape *shape)
{
    const size_t n = head_tile(shape), R = n * shape->tokens;
    head_work work;
    const size_t forward = carve_work(shape, NULL, n, R, false, &work),
                 backward = carve_work(shape, NULL, n, R, true, &work),
                 d_in = mot_arena_bytes(R * shape->config->width, sizeof(mot_real)); /* where it is not given */
    return head_kept(shape) + MOT_MAX(forward, backward + d_in);
}

/* The weight for forward and for backward. In fp32 that of forward is there as it is, and the other one is worth no room. */
typedef struct head_factors {
    mot_factor straight, across;
} head_factors;

static size_t prepare(const mot_expert_shape *shape, const mot_real *w, mot_arena *arena, bool learn, head_factors **f)
{
    const size_t D = shape->config->width, C = shape->outputs;
    size_t bytes = 0;
    *f = NULL;
    if (shape->precision != MOT_PRECISION_BF16) return 0;
    *f = mot_stack_carve(arena, &bytes, 1, sizeof **f);
    head_factors sized, *to = arena != NULL ? *f : &sized;
    to->straight = mot_stack_prepare(shape->precision, arena, &bytes, w, D, C, false);
    if (learn) to->across = mot_stack_prepare(shape->precision, arena, &bytes, w, D, C, true);
    return bytes;
}

static size_t head_prepared(const mot_expert_shape *shape)
{
    head_factors *f;
    return prepare(shape, NULL, NULL, true, &f);
}

static const void *head_prepare(const mot_expert_shape *shape, const mot_real *const *weight, mot_arena *arena, bool learn)
{
    head_factors *f;
    prepare(shape, weight[WEIGHT], arena, learn, &f);
    return f;
}

/* ---- the passes ---- */

static void pool(const mot_expert_shape *shape, const mot_tile *tile, const mot_real *norm, mot_real *pooled)
{
    const size_t D = shape->config->width;
    for (size_t s = 0; s < tile->samples; ++s, pooled += D) {
        const size_t from = tile->first[s], rows = tile->first[s + 1] - from;
        memcpy(pooled, norm + from * D, D * sizeof *pooled);
        if (class_rows(shape)) continue;
        for (size_t r = 1; r < rows; ++r) mot_row_add(pooled, norm + (from + r) * D, D);
        for (size_t i = 0; i < D; ++i) pooled[i] /= (mot_real)rows;
    }
}

static void pool_backward(const mot_expert_shape *shape, const mot_tile *tile, const mot_real *d_pooled,
                          mot_real *d_norm)
{
    const size_t D = shape->config->width;
    memset(d_norm, 0, tile->first[tile->samples] * D * sizeof *d_norm);
    for (size_t s = 0; s < tile->samples; ++s) {
        const size_t from = tile->first[s], rows = class_rows(shape) ? 1 : tile->first[s + 1] - from;
        for (size_t r = 0; r < rows; ++r)
            mot_row_axpy(d_norm + (from + r) * D, 1 / (mot_real)rows, d_pooled + s * D, D);
    }
}

static void *head_forward(const mot_expert_shape *shape, const mot_real *const *weight, const mot_tile *tile,
                          mot_arena *arena, bool learn, mot_real *out)
{
    const size_t D = shape->config->width, C = shape->outputs, n = tile->samples, R = tile->first[n],
                 start = mot_arena_mark(arena);
    head_acts *acts;
    carve_acts(shape, arena, n, R, &acts);
    const size_t mark = mot_arena_mark(arena);
    head_work work;
    carve_work(shape, arena, n, R, false, &work);

    mot_layernorm_forward(work.norm, acts->mean, acts->rstd, tile->x, weight[NORM_GAIN], weight[NORM_BIAS], R, D);
    pool(shape, tile, work.norm, acts->pooled);
    mot_real *room = work.linear.weights;
    const head_factors *ready = tile->prepared;
    const mot_factor w = ready != NULL ? ready->straight : factor_of(&work.linear, &room, weight[WEIGHT], D, C);
    linear(&work.linear, out, NULL, acts->pooled, w, weight[BIAS], n, D, C);
    mot_arena_rewind(arena, learn ? mark : start);
    return learn ? acts : NULL;
}

static void head_backward(const mot_expert_shape *shape, const mot_real *const *weight,
                          mot_real *const *gradient, const mot_tile *tile, mot_arena *arena, void *kept,
                          const mot_real *d_out, mot_real *d_in, mot_part_set learns)
{
    (void)learns;
    const head_acts *acts = kept;
    const size_t D = shape->config->width, C = shape->outputs, n = tile->samples, R = tile->first[n],
                 mark = mot_arena_mark(arena);
    head_work work;
    carve_work(shape, arena, n, R, true, &work);
    if (d_in == NULL) d_in = mot_arena_take(arena, R * D, sizeof *d_in);

    linear_weight(&work.linear, gradient[WEIGHT], d_out, acts->pooled, n, D, C);
    mot_sum_rows(gradient[BIAS], d_out, n, C);
    mot_real *room = work.linear.weights;
    const head_factors *ready = tile->prepared;
    const mot_factor across = ready != NULL ? ready->across : transpose_of(&work.linear, &room, weight[WEIGHT], D, C);
    linear_input(&work.linear, work.d_pooled, d_out, across, n, D, C);
    pool_backward(shape, tile, work.d_pooled, work.norm);
    memset(d_in, 0, R * D * sizeof *d_in);
    mot_layernorm_backward(d_in, gradient[NORM_GAIN], gradient[NORM_BIAS], work.norm, tile->x, acts->mean,
                           acts->rstd, weight[NORM_GAIN], R, D);
    mot_arena_rewind(arena, mark);
}

/* ---- what others want to know ---- */

static double head_flops(const mot_expert_shape *shape, size_t tokens)
{
    (void)tokens;
    return 2 * (double)shape->config->width * (double)shape->outputs;
}

static size_t head_products(const mot_expert_shape *shape, mot_gemm_shape product[MOT_MOST_GEMMS])
{
    return mot_stack_linear_products(product, head_tile(shape), shape->config->width, shape->outputs, 1);
}

const mot_expert_kind mot_head_kind = {
    .kind = {"head"},
    .bf16 = true,
    .hands_on = true,
    .table = head_table,
    .tile = head_tile,
    .workspace = head_workspace,
    .kept = head_kept,
    .prepared = head_prepared,
    .prepare = head_prepare,
    .forward = head_forward,
    .backward = head_backward,
    .flops = head_flops,
    .products = head_products,
};
