#include "mot/layers.h"

#include "mot/vector.h"

/* A row is taken vector by vector; `count` numbers are left at its last, and nothing is read or written behind them.
 * So many rows go through each part one after another: the sums of one row alone would have to be waited for. */
enum { ROWS_AT_ONCE = 8 };

static inline mot_vector minus(const mot_real *x, size_t count, mot_real m)
{
    return mot_load_first(x, count, m) - m;
}

static inline void normalize(mot_real *y, const mot_real *x, mot_real m, mot_real s, const mot_real *gain,
                             const mot_real *bias, size_t count)
{
    const mot_vector norm = minus(x, count, m) * s;
    mot_store_first(y, norm * mot_load_first(gain, count, 0) + mot_load_first(bias, count, 0), count);
}

static inline mot_real mean_of(const mot_real *x, size_t D)
{
    const size_t whole = D / MOT_LANES * MOT_LANES;
    mot_vector sum = {0};
    for (size_t i = 0; i < whole; i += MOT_LANES) sum += mot_load(x + i);
    if (whole < D) sum += mot_load_first(x + whole, D - whole, 0);
    return mot_lanes_sum(sum) / (mot_real)D;
}

static inline mot_real rstd_of(const mot_real *x, mot_real m, size_t D)
{
    const size_t whole = D / MOT_LANES * MOT_LANES;
    mot_vector square = {0};
    for (size_t i = 0; i < whole; i += MOT_LANES) {
        const mot_vector away = minus(x + i, MOT_LANES, m);
        square += away * away;
    }
    if (whole < D) {
        const mot_vector away = minus(x + whole, D - whole, m);
        square += away * away;
    }
    return 1 / mot_sqrt(mot_lanes_sum(square) / (mot_real)D + MOT_R(1e-5));
}

void mot_layernorm_forward(mot_real *y, mot_real *mean, mot_real *rstd, const mot_real *x,
                           const mot_real *gain, const mot_real *bias, size_t R, size_t D)
{
    const size_t whole = D / MOT_LANES * MOT_LANES, rest = D - whole;
    for (size_t from = 0; from < R; from += ROWS_AT_ONCE) {
        const size_t to = MOT_MIN(R, from + ROWS_AT_ONCE);
        for (size_t r = from; r < to; ++r) mean[r] = mean_of(x + r * D, D);
        for (size_t r = from; r < to; ++r) rstd[r] = rstd_of(x + r * D, mean[r], D);
        for (size_t r = from; r < to; ++r) {
            const mot_real m = mean[r], s = rstd[r], *in = x + r * D;
            for (size_t i = 0; i < whole; i += MOT_LANES)
                normalize(y + r * D + i, in + i, m, s, gain + i, bias + i, MOT_LANES);
            if (rest > 0) normalize(y + r * D + whole, in + whole, m, s, gain + whole, bias + whole, rest);
        }
    }
}

/* Lane by lane the sums of d_norm and of d_norm * norm, where norm = (x - mean) rstd. */
typedef struct norm_sums {
    mot_vector d_norm, dot;
} norm_sums;

static inline void take_sums(norm_sums *sums, mot_real *d_gain, mot_real *d_bias, const mot_real *d_y,
                             const mot_real *x, mot_real m, mot_real s, const mot_real *gain, size_t count)
{
    const mot_vector norm = minus(x, count, m) * s, d = mot_load_first(d_y, count, 0),
                     d_norm = d * mot_load_first(gain, count, 0);
    sums->d_norm += d_norm;
    sums->dot += d_norm * norm;
    mot_store_first(d_gain, mot_load_first(d_gain, count, 0) + d * norm, count);
    mot_store_first(d_bias, mot_load_first(d_bias, count, 0) + d, count);
}

static inline void add_input(mot_real *d_x, const mot_real *d_y, const mot_real *x, mot_real m, mot_real s,
                             const mot_real *gain, mot_real sum, mot_real dot, size_t count)
{
    const mot_vector norm = minus(x, count, m) * s,
                     d_norm = mot_load_first(d_y, count, 0) * mot_load_first(gain, count, 0);
    mot_store_first(d_x, mot_load_first(d_x, count, 0) + (d_norm - sum - norm * dot) * s, count);
}

void mot_layernorm_backward(mot_real *d_x, mot_real *d_gain, mot_real *d_bias, const mot_real *d_y,
                            const mot_real *x, const mot_real *mean, const mot_real *rstd,
                            const mot_real *gain, size_t R, size_t D)
{
    const size_t whole = D / MOT_LANES * MOT_LANES, rest = D - whole;
    for (size_t r = 0; r < R; ++r, x += D, d_y += D, d_x += D) {
        const mot_real m = mean[r], s = rstd[r];
        norm_sums sums = {{0}, {0}};
        for (size_t i = 0; i < whole; i += MOT_LANES)
            take_sums(&sums, d_gain + i, d_bias + i, d_y + i, x + i, m, s, gain + i, MOT_LANES);
        if (rest > 0)
            take_sums(&sums, d_gain + whole, d_bias + whole, d_y + whole, x + whole, m, s, gain + whole,
                      rest);
        const mot_real sum = mot_lanes_sum(sums.d_norm) / (mot_real)D,
                       dot = mot_lanes_sum(sums.dot) / (mot_real)D;
        for (size_t i = 0; i < whole; i += MOT_LANES)
            add_input(d_x + i, d_y + i, x + i, m, s, gain + i, sum, dot, MOT_LANES);
        if (rest > 0) add_input(d_x + whole, d_y + whole, x + whole, m, s, gain + whole, sum, dot, rest);
    }
}
