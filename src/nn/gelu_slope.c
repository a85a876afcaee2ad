#include "mot/layers.h"

#include "mot/vector.h"

/* As in gelu.c. */
#define SLOPE MOT_R(1.5957691216057308)
#define CUBIC MOT_R(0.07135481282962443)

typedef struct gelu {
    mot_vector y, slope;
} gelu;

static inline gelu gelu_of(mot_vector x)
{
    const mot_vector square = x * x, inner = mot_fused(mot_all(CUBIC), square, mot_all(SLOPE));
    const mot_vector s = 1 / (1 + mot_vector_exp(-x * inner));
    const mot_vector y = x * s;
    return (gelu){y, mot_fused(y * (1 - s), mot_fused(mot_all(3 * CUBIC), square, mot_all(SLOPE)), s)};
}

void mot_gelu_with_slope(mot_real *y, mot_real *slope, const mot_real *x, size_t n)
{
    const size_t whole = n / MOT_LANES * MOT_LANES, rest = n - whole;
    for (size_t i = 0; i < whole; i += MOT_LANES) {
        const gelu g = gelu_of(mot_load(x + i));
        mot_store(y + i, g.y);
        if (slope != NULL) mot_store(slope + i, g.slope);
    }
    if (rest > 0) {
        const gelu g = gelu_of(mot_load_first(x + whole, rest, 0));
        mot_store_first(y + whole, g.y, rest);
        if (slope != NULL) mot_store_first(slope + whole, g.slope, rest);
    }
}
