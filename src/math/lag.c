/* Missed updates, some vectors of a row at a time. */
#include "mot/lag.h"

#include <assert.h>
#include <float.h>
#include <string.h>

#include "mot/vector.h"

#ifdef MOT_DOUBLE
#define LEAST_DOUBT ((mot_real)(DBL_EPSILON / 8))
#else
#define LEAST_DOUBT ((mot_real)(FLT_EPSILON / 8))
#endif

/* Vectors that are worked on together, so that no operation waits for the one before it; and one, of what is left of a row.
 * Functions of so many are inline, so that each of the two is compiled by itself. */
enum { TOGETHER = 4, NUMBERS = TOGETHER * MOT_LANES };
#define IN_BOTH static inline __attribute__((always_inline))

typedef struct numbers {
    mot_real w[NUMBERS], m[NUMBERS], v[NUMBERS];
} numbers;

void mot_lag_forget(mot_lag *lag, size_t rows)
{
    lag->updates = 0;
    lag->decays = false;
    memset(lag->done, 0, rows * sizeof *lag->done);
}

void mot_lag_add(mot_lag *lag, const mot_late *late)
{
    const size_t block = lag->updates / MOT_LATE_BLOCK;
    assert(lag->updates < MOT_LATE_MOST);
    if (lag->updates % MOT_LATE_BLOCK == 0) {
        lag->least_decay[block] = INFINITY;
        lag->most_decay[block] = lag->most_rate[block] = 0;
    }
    if (late->rate != 0) {
        lag->least_decay[block] = MOT_MIN(lag->least_decay[block], late->decay);
        lag->most_decay[block] = MOT_MAX(lag->most_decay[block], late->decay);
        lag->most_rate[block] = MOT_MAX(lag->most_rate[block], late->rate);
    }
    lag->decays = lag->decays || late->decay != 0;
    lag->late[lag->updates++] = *late;
}

/* ---- AdamW ---- */

/* As the optimizer has it, for d = 0: b m + (1 - b) 0 makes +0 of a -0, v has none. */
IN_BOTH void work_out(const mot_lag *lag, size_t from, size_t to, numbers *x, size_t vectors)
{
    const mot_real b1 = lag->rule.first, b2 = lag->rule.second, epsilon = lag->rule.epsilon;
    for (size_t s = from; s < to; ++s) {
        const mot_real decay = lag->late[s].decay, step = lag->late[s].rate, root = lag->late[s].root;
#pragma omp simd
        for (size_t i = 0; i < vectors * MOT_LANES; ++i) {
            x->m[i] = b1 * x->m[i] + 0;
            x->v[i] = b2 * x->v[i];
            x->w[i] -= decay * x->w[i] + step * x->m[i] / (mot_sqrt(x->v[i]) * root + epsilon);
        }
    }
}

/* x[i] times `by`, `times` times, rounded each time. */
IN_BOTH void fade(mot_real *x, mot_real by, size_t times, size_t vectors)
{
    mot_vector at[TOGETHER];
    for (size_t k = 0; k < vectors; ++k) at[k] = mot_load(x + k * MOT_LANES);
    for (size_t s = 0; s < times; ++s)
        for (size_t k = 0; k < vectors; ++k) at[k] *= by;
    for (size_t k = 0; k < vectors; ++k) mot_store(x + k * MOT_LANES, at[k]);
}

/* As the formula has it where momentum adds 0. */
IN_BOTH void decay(const mot_lag *lag, size_t from, size_t to, mot_real *w, size_t vectors)
{
    mot_vector at[TOGETHER];
    for (size_t k = 0; k < vectors; ++k) at[k] = mot_load(w + k * MOT_LANES);
    for (size_t s = from; s < to; ++s)
        for (size_t k = 0; k < vectors; ++k) at[k] -= lag->late[s].decay * at[k] + 0;
    for (size_t k = 0; k < vectors; ++k) mot_store(w + k * MOT_LANES, at[k]);
}

/* Numbers that have a bit. */
IN_BOTH bool has_bits(const mot_real *x, size_t vectors)
{
    mot_vector_int any = {0};
    for (size_t k = 0; k < vectors; ++k) any |= (mot_vector_int)mot_load(x + k * MOT_LANES);
    for (size_t l = 1; l < MOT_LANES; ++l) any[0] |= any[l];
    return any[0] != 0;
}

/* Of updates that have a rate. */
typedef struct bounds {
    mot_real least_decay, most_decay, most_rate;
} bounds;

/* Of all blocks that [from, to) is in. */
static bounds bounds_of(const mot_lag *lag, size_t from, size_t to)
{
    bounds of = {INFINITY, 0, 0};
    for (size_t b = from / MOT_LATE_BLOCK; b * MOT_LATE_BLOCK < to; ++b) {
        of.least_decay = MOT_MIN(of.least_decay, lag->least_decay[b]);
        of.most_decay = MOT_MAX(of.most_decay, lag->most_decay[b]);
        of.most_rate = MOT_MAX(of.most_rate, lag->most_rate[b]);
    }
    return of;
}

/* Whether momentum m is too small to change a bit of any value in updates where m is no larger, and v and w are no smaller. What
 * it adds, t, is at most rate |m| / (sqrt(v) + epsilon), since rounding keeps order and root >= 1. It is added to p = decay w, or,
 * without decay, to w: nothing changes where |t| is below a quarter of a unit in p's last place, and p is not tiny. */
IN_BOTH bool has_faded(const mot_lag *lag, bounds of, const mot_real *w, const mot_real *m, const mot_real *v, size_t vectors)
{
    const mot_real epsilon = lag->rule.epsilon, tiny = (mot_real)0x1p-90,
                   share = of.most_decay > 0 ? of.least_decay : 1;
    int doubts = 0;
    if (of.most_decay > (mot_real)0.5) return false;
#pragma omp simd reduction(+ : doubts)
    for (size_t i = 0; i < vectors * MOT_LANES; ++i) {
        const mot_real p = share * (w[i] < 0 ? -w[i] : w[i]), most = of.most_rate * (m[i] < 0 ? -m[i] : m[i]);
        const int small = (p >= tiny) & (most / (mot_sqrt(v[i]) + epsilon) <= LEAST_DOUBT * p);
        doubts += 1 - small;
    }
    return doubts == 0;
}

/* All that is left in [from, to) is to fade and to decay; false, and nothing done, where that is not sure. */
IN_BOTH bool coast(const mot_lag *lag, size_t from, size_t to, numbers *x, size_t vectors)
{
    const bounds of = bounds_of(lag, from, to);
    numbers later;
    if (!has_faded(lag, of, x->w, x->m, x->v, vectors)) return false;
    memcpy(later.w, x->w, vectors * sizeof(mot_vector));
    memcpy(later.v, x->v, vectors * sizeof(mot_vector));
    fade(later.v, lag->rule.second, to - from, vectors);
    if (of.most_decay > 0) decay(lag, from, to, later.w, vectors);
    if (!has_faded(lag, of, later.w, x->m, later.v, vectors)) return false;
    memcpy(x->w, later.w, vectors * sizeof(mot_vector));
    memcpy(x->v, later.v, vectors * sizeof(mot_vector));
    fade(x->m, lag->rule.first, to - from, vectors);
    for (size_t i = 0; i < vectors * MOT_LANES; ++i) x->m[i] += 0; /* a product that was rounded to -0 */
    return true;
}

/* Without momentum there is nothing to be sure of, to the end. */
IN_BOTH void decay_alone(const mot_lag *lag, size_t from, numbers *x, size_t vectors)
{
    if (lag->decays) decay(lag, from, lag->updates, x->w, vectors);
    if (has_bits(x->v, vectors)) fade(x->v, lag->rule.second, lag->updates - from, vectors);
}

IN_BOTH void catch_up_adam(const mot_lag *lag, size_t from, numbers *x, size_t vectors)
{
    while (from < lag->updates) {
        const size_t to = MOT_MIN((from / MOT_LATE_BLOCK + 1) * MOT_LATE_BLOCK, lag->updates);
        if (!has_bits(x->m, vectors)) {
            decay_alone(lag, from, x, vectors);
            return;
        }
        if (lag->updates - from < MOT_LATE_BLOCK / 2) { /* to be sure takes as long */
            work_out(lag, from, lag->updates, x, vectors);
            return;
        }
        if (coast(lag, from, lag->updates, x, vectors)) return;
        if (to == lag->updates || !coast(lag, from, to, x, vectors)) work_out(lag, from, to, x, vectors);
        from = to;
    }
}

/* ---- gradient descent ---- */

IN_BOTH void catch_up_descent(const mot_lag *lag, size_t from, numbers *x, size_t vectors)
{
    const mot_real momentum = lag->rule.first;
    for (size_t s = from; s < lag->updates; ++s) {
        const mot_real decay = lag->late[s].decay, rate = lag->late[s].rate;
        if (momentum == 0) {
#pragma omp simd
            for (size_t i = 0; i < vectors * MOT_LANES; ++i) x->w[i] -= rate * (0 + decay * x->w[i]);
            continue;
        }
#pragma omp simd
        for (size_t i = 0; i < vectors * MOT_LANES; ++i) {
            x->m[i] = momentum * x->m[i] + (0 + decay * x->w[i]);
            x->w[i] -= rate * x->m[i];
        }
    }
}

/* ---- a row ---- */

/* The first n of so many vectors; what is behind them stays 0. */
IN_BOTH void catch_up(const mot_lag *lag, size_t from, size_t n, mot_real *w, mot_real *m, mot_real *v, size_t vectors)
{
    const size_t bytes = n * sizeof *w;
    numbers x;
    for (size_t i = n; i < vectors * MOT_LANES; ++i) x.w[i] = x.m[i] = x.v[i] = 0;
    memcpy(x.w, w, bytes);
    memcpy(x.m, m, bytes);
    memcpy(x.v, v, bytes);
    if (lag->rule.adam)
        catch_up_adam(lag, from, &x, vectors);
    else
        catch_up_descent(lag, from, &x, vectors);
    memcpy(w, x.w, bytes);
    memcpy(m, x.m, bytes);
    if (lag->rule.adam) memcpy(v, x.v, bytes);
}

void mot_lag_catch_up(mot_lag *lag, size_t row, size_t n, mot_real *w, mot_real *m, mot_real *v)
{
    const size_t from = lag->done[row];
    size_t i = 0;
    if (from == lag->updates) return;
    lag->done[row] = (uint32_t)lag->updates;
    for (; i + NUMBERS <= n; i += NUMBERS) catch_up(lag, from, NUMBERS, w + i, m + i, v + i, TOGETHER);
    for (; i < n; i += MOT_LANES) catch_up(lag, from, MOT_MIN((size_t)MOT_LANES, n - i), w + i, m + i, v + i, 1);
}
