/* The expert kind `hermite`, a neuron of the soft-routed theory (Liao and Kyrillidis, arXiv 2510.07205): its weight w
 * counts by its direction alone, and there is nothing else.
 *
 *      u = w / |w|,   a = u . x,   f = sigma(a)                  sigma: neuron.h; a^3 - 3a as the paper has it
 *
 * So the gradient is orthogonal to w, and gradient flow keeps |w|: with G = sum d_f sigma'(a) x,
 *
 *      dw = (G - (G . u) u) / |w|
 *
 * The neurons of several experts are rows of one matrix, and all of them one product with the samples (mot_multiply, whose
 * sums do not depend on how many rows there are). */
#include <assert.h>
#include <math.h>

#include "mot/expert.h"
#include "mot/neuron.h"
#include "mot/product.h"
#include "mot/rowops.h"
#include "mot/vector.h"

static mot_status hermite_table(const mot_expert_shape *shape, mot_table *table)
{
    if (shape->vocabulary > 0 || shape->tokens != 1)
        return mot_fail(MOT_ERR_INPUT, "model.kind = hermite works on vectors of one token, the data have %s",
                        shape->vocabulary > 0 ? "texts" : "several tokens a sample");
    if (shape->outputs != 1)
        return mot_fail(MOT_ERR_INPUT,
                        "model.kind = hermite has one output: targets of one number, or two classes and "
                        "train.loss logistic or squared, not %zu outputs",
                        shape->outputs);
    return mot_table_add(table, "neuron", MOT_PART_FFN, 1, (const size_t[]){shape->width}, 0,
                         1 / sqrt((double)shape->width), true);
}

/* So many samples that they and their transpose stay in a second-level cache. */
static size_t hermite_tile(const mot_expert_shape *shape)
{
    enum { NUMBERS = 1 << 14, FEWEST = 32, MOST = 512 };
    if (shape->config->tile > 0) return shape->config->tile;
    const size_t fit = NUMBERS / shape->width / FEWEST * FEWEST;
    return fit < FEWEST ? FEWEST : MOT_MIN(fit, (size_t)MOST);
}

/* ---- several experts together ---- */

static size_t team_workspace(const mot_expert_shape *shape, size_t experts)
{
    const size_t n = hermite_tile(shape), D = shape->width, real = sizeof(mot_real);
    const size_t forward = mot_arena_bytes(D * mot_padded(n), real) + mot_arena_bytes(experts * n, real),
                 backward = mot_arena_bytes(experts * n, real) + mot_arena_bytes(experts * D, real);
    return mot_arena_bytes(experts * D, real) + mot_arena_bytes(experts, real) + MOT_MAX(forward, backward);
}

/* Directions [experts, D] and lengths [experts]. */
typedef struct directions {
    mot_real *unit, *length;
} directions;

static directions take_directions(mot_arena *arena, size_t experts, size_t D, const mot_real *const *weight)
{
    const directions of = {mot_arena_take(arena, experts * D, sizeof(mot_real)),
                           mot_arena_take(arena, experts, sizeof(mot_real))};
    for (size_t e = 0; e < experts; ++e) {
        of.length[e] = (mot_real)sqrt(mot_row_squares(weight[e], D));
        for (size_t d = 0; d < D; ++d) of.unit[e * D + d] = weight[e][d] / of.length[e];
    }
    return of;
}

#define ALL_OF(kind, to, function)                                              \
    case kind:                                                                  \
        for (size_t i = 0; i < n; ++i) (to)[i] = (mot_real)function(kind, (double)a[i]); \
        break;

static void values_of(mot_neuron_activation activation, mot_real *restrict y, const mot_real *restrict a,
                      size_t n)
{
    switch (activation) {
        ALL_OF(MOT_NEURON_HERMITE3, y, mot_neuron_value)
        ALL_OF(MOT_NEURON_HERMITE2, y, mot_neuron_value)
        ALL_OF(MOT_NEURON_RELU, y, mot_neuron_value)
        ALL_OF(MOT_NEURON_TANH, y, mot_neuron_value)
    }
}

static void slopes_of(mot_neuron_activation activation, mot_real *restrict y, const mot_real *restrict a,
                      size_t n)
{
    switch (activation) {
        ALL_OF(MOT_NEURON_HERMITE3, y, mot_neuron_slope)
        ALL_OF(MOT_NEURON_HERMITE2, y, mot_neuron_slope)
        ALL_OF(MOT_NEURON_RELU, y, mot_neuron_slope)
        ALL_OF(MOT_NEURON_TANH, y, mot_neuron_slope)
    }
}
#undef ALL_OF

/* Numbers of a sum that are added by themselves: errors of a long sum, some 10^-7 of a, would be 10^-6 of sigma(a), and keep the
 * loss of a perfect student at 10^-12. */
enum { PIECE = 16 };

/* keep: a [experts, samples] */
static void team_forward(const mot_expert_shape *shape, size_t experts, const mot_real *const *weight,
                         const mot_tile *tile, mot_arena *arena, mot_real *keep, mot_real *out)
{
    const size_t n = tile->samples, D = shape->width, padded = mot_padded(n),
                 mark = mot_arena_mark(arena);
    const directions of = take_directions(arena, experts, D, weight);
    mot_real *own = tile->column == NULL ? mot_arena_take(arena, D * padded, sizeof *own) : NULL,
             *a = keep != NULL ? keep : mot_arena_take(arena, experts * n, sizeof *a);
    if (own != NULL) mot_transpose(own, padded, tile->x, D, n, D);
    const mot_real *x = own != NULL ? own : tile->column;
    for (size_t d = 0; d < D; d += PIECE)
        mot_multiply(&(mot_product){.m = experts,
                                    .n = n,
                                    .k = MOT_MIN((size_t)PIECE, D - d),
                                    .a = of.unit + d,
                                    .a_row = D,
                                    .a_step = 1,
                                    .b = x + d * padded,
                                    .ldb = padded,
                                    .start = d > 0 ? a : NULL,
                                    .c = a,
                                    .ldc = n});
    values_of(shape->config->hermite.activation, out, a, experts * n);
    mot_arena_rewind(arena, mark);
}

static void team_backward(const mot_expert_shape *shape, size_t experts, const mot_real *const *weight,
                          mot_real *const *gradient, const mot_tile *tile, mot_arena *arena,
                          const mot_real *keep, const mot_real *d_out, mot_part_set learns)
{
    const size_t n = tile->samples, D = shape->width, mark = mot_arena_mark(arena);
    if (!(learns >> MOT_PART_FFN & 1u)) return;
    const directions of = take_directions(arena, experts, D, weight);
    mot_real *d_a = mot_arena_take(arena, experts * n, sizeof *d_a),
             *raw = mot_arena_take(arena, experts * D, sizeof *raw);
    slopes_of(shape->config->hermite.activation, d_a, keep, experts * n);
    for (size_t i = 0; i < experts * n; ++i) d_a[i] *= d_out[i];
    mot_multiply(&(mot_product){.m = experts,
                                .n = D,
                                .k = n,
                                .a = d_a,
                                .a_row = n,
                                .a_step = 1,
                                .b = tile->x,
                                .ldb = D,
                                .c = raw,
                                .ldc = D});
    for (size_t e = 0; e < experts; ++e)
        mot_row_tangent(gradient[e], raw + e * D, of.unit + e * D, of.length[e], D);
    mot_arena_rewind(arena, mark);
}

/* ---- one expert ---- */

static size_t hermite_workspace(const mot_expert_shape *shape)
{
    return mot_arena_bytes(hermite_tile(shape), sizeof(mot_real)) + team_workspace(shape, 1);
}

static void *hermite_forward(const mot_expert_shape *shape, const mot_real *const *weight,
                             const mot_tile *tile, mot_arena *arena, bool learn, mot_real *out)
{
    mot_real *keep = learn ? mot_arena_take(arena, tile->samples, sizeof *keep) : NULL;
    team_forward(shape, 1, weight, tile, arena, keep, out);
    return keep;
}

static void hermite_backward(const mot_expert_shape *shape, const mot_real *const *weight,
                             mot_real *const *gradient, const mot_tile *tile, mot_arena *arena, void *kept,
                             const mot_real *d_out, mot_real *d_in, mot_part_set learns)
{
    (void)d_in;
    assert(d_in == NULL);
    team_backward(shape, 1, weight, gradient, tile, arena, kept, d_out, learns);
}

static double hermite_flops(const mot_expert_shape *shape, size_t tokens)
{
    return 2 * (double)tokens * (double)shape->width;
}

static double hermite_backward_flops(const mot_expert_shape *shape, size_t tokens, mot_part_set learns)
{
    return learns >> MOT_PART_FFN & 1 ? hermite_flops(shape, tokens) : 0;
}

/* All experts of the model at once, as one rank would take them. */
static size_t hermite_products(const mot_expert_shape *shape, mot_gemm_shape product[MOT_MOST_GEMMS])
{
    const size_t n = hermite_tile(shape), D = shape->width, E = (size_t)shape->config->experts;
    product[0] = (mot_gemm_shape){E, n, D, false, true, 1};
    product[1] = (mot_gemm_shape){E, D, n, false, false, 1};
    return 2;
}

static const mot_expert_team team = {
    .kept = 1, .workspace = team_workspace, .forward = team_forward, .backward = team_backward};

const mot_expert_kind mot_hermite_kind = {
    .kind = {"hermite"},
    .directed = true,
    .table = hermite_table,
    .tile = hermite_tile,
    .workspace = hermite_workspace,
    .forward = hermite_forward,
    .backward = hermite_backward,
    .team = &team,
    .flops = hermite_flops,
    .backward_flops = hermite_backward_flops,
    .products = hermite_products,
};
