#include "stack_private.h"

#include <stdio.h>

enum { LEAST_ROWS = 256, MOST_ROWS = 512 }; /* of a tile */

size_t mot_stack_tile(const mot_expert_shape *shape, size_t rows)
{
    if (shape->config->tile > 0) return shape->config->tile;
    /* So many rows that reading the weights, and reading and writing their gradients, costs little beside multiplying
     * with them, and no more: the wider the expert, the farther away its weights lie. In bf16, whose weights are half as long
     * and whose products take half the time, what a tile keeps being near the caches counts for more: half as many. */
    const size_t most = MOT_MIN(MOT_MAX(2 * shape->config->width, (size_t)LEAST_ROWS), (size_t)MOST_ROWS),
                 fit = most / (shape->precision == MOT_PRECISION_BF16 ? 2 : 1) / rows;
    return fit < 1 ? 1 : fit > 32 ? 32 : fit;
}

mot_status mot_stack_table(mot_table *table, mot_part part, const char *prefix, size_t count,
                           const row_init *init)
{
    mot_status status = MOT_OK;
    for (size_t i = 0; i < count && status == MOT_OK; ++i) {
        char name[MOT_TENSOR_NAME];
        snprintf(name, sizeof name, "%s%s", prefix, init[i].name);
        status = mot_table_add(table, name, part, init[i].columns > 0 ? 2 : 1,
                               (const size_t[]){init[i].rows, init[i].columns}, init[i].mean,
                               init[i].deviation, init[i].deviation > 0);
    }
    return status;
}

void *mot_stack_carve(mot_arena *arena, size_t *bytes, size_t count, size_t size)
{
    *bytes += mot_arena_bytes(count, size);
    return arena != NULL ? mot_arena_take(arena, count, size) : NULL;
}

mot_factor mot_stack_prepare(mot_precision precision, mot_arena *arena, size_t *bytes, const mot_real *w, size_t K, size_t M,
                             bool across)
{
    const size_t k = across ? M : K, n = across ? K : M;
    mot_real *room = mot_stack_carve(arena, bytes, mot_factor_packed_room(precision, k, n), sizeof *room);
    if (arena == NULL) return (mot_factor){0};
    return (across ? mot_factor_packed_transposed : mot_factor_packed)(precision, room, w, M, k, n);
}

size_t mot_stack_linear_products(mot_gemm_shape *product, size_t R, size_t K, size_t M, double times)
{
    product[0] = (mot_gemm_shape){R, M, K, false, false, times};
    product[1] = (mot_gemm_shape){K, M, R, true, false, times};
    product[2] = (mot_gemm_shape){R, K, M, false, true, times};
    return 3;
}
