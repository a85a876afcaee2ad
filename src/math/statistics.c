#include "mot/statistics.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "mot/memory.h"
#include "mot/rng.h"
#include "mot/types.h"

/* A double as an integer that sorts in the same order, so that halving a range of integers halves that of doubles. */
static uint64_t ordered_bits(double value)
{
    const uint64_t sign = (uint64_t)1 << 63;
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits & sign ? ~bits : bits | sign;
}

static double from_ordered_bits(uint64_t ordered)
{
    const uint64_t sign = (uint64_t)1 << 63, bits = ordered & sign ? ordered & ~sign : ~ordered;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The value at place `rank` (from 0) of the sorted values: the smallest that has more than `rank` values up to it. */
static double value_at_rank(const double *values, size_t count, size_t rank)
{
    uint64_t low = 0, high = UINT64_MAX;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        size_t up_to = 0;
        for (size_t i = 0; i < count; ++i) up_to += ordered_bits(values[i]) <= middle;
        if (up_to > rank)
            high = middle;
        else
            low = middle + 1;
    }
    return from_ordered_bits(low);
}

double mot_quantile(const double *values, size_t count, double q)
{
    if (count == 0) return NAN;
    const double place = q * (double)(count - 1);
    const size_t below = MOT_MIN((size_t)place, count - 1);
    const double part = place - (double)below, low = value_at_rank(values, count, below);
    if (!(part > 0) || below + 1 == count) return low;
    return low + part * (value_at_rank(values, count, below + 1) - low);
}

double mot_median(const double *values, size_t count)
{
    return mot_quantile(values, count, 0.5);
}

mot_summary mot_summarize(const double *values, size_t count)
{
    mot_summary s = {.count = count, .mean = NAN, .deviation = NAN};
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; ++i) sum += values[i];
    if (count > 0) s.mean = sum / (double)count;
    for (size_t i = 0; i < count; ++i) squares += (values[i] - s.mean) * (values[i] - s.mean);
    if (count > 1) s.deviation = sqrt(squares / (double)(count - 1));
    s.min = mot_quantile(values, count, 0);
    s.quarter = mot_quantile(values, count, 0.25);
    s.median = mot_median(values, count);
    s.three_quarters = mot_quantile(values, count, 0.75);
    s.max = mot_quantile(values, count, 1);
    return s;
}

/* Least squares where point i counts weight[i] times (once each for NULL): a resample is a set of weights. */
static mot_line weighted_line(const double *x, const double *y, const double *weight, size_t count)
{
    double total = 0, mean_x = 0, mean_y = 0, xx = 0, xy = 0, yy = 0, residual = 0;
    for (size_t i = 0; i < count; ++i) {
        const double w = weight == NULL ? 1 : weight[i];
        total += w;
        mean_x += w * x[i];
        mean_y += w * y[i];
    }
    mean_x /= total;
    mean_y /= total;
    for (size_t i = 0; i < count; ++i) {
        const double w = weight == NULL ? 1 : weight[i], dx = x[i] - mean_x, dy = y[i] - mean_y;
        xx += w * dx * dx;
        xy += w * dx * dy;
        yy += w * dy * dy;
    }
    if (!(xx > 0)) return (mot_line){NAN, NAN, NAN, NAN};
    const double b = xy / xx;
    for (size_t i = 0; i < count; ++i) {
        const double error = y[i] - mean_y - b * (x[i] - mean_x);
        residual += (weight == NULL ? 1 : weight[i]) * error * error;
    }
    return (mot_line){mean_y - b * mean_x, b, yy > 0 ? 1 - residual / yy : NAN, residual};
}

static bool two_values(const double *x, size_t count)
{
    size_t i = 1;
    while (i < count && x[i] == x[0]) ++i;
    return i < count;
}

mot_line mot_line_fit(const double *x, const double *y, size_t count)
{
    /* Asked of x itself: the mean of equal numbers may be off by a rounding, and its square look like variance. */
    if (!two_values(x, count)) return (mot_line){NAN, NAN, NAN, NAN};
    return weighted_line(x, y, NULL, count);
}

/* The points of a power fit; x is taken over its largest, so that no power leaves (0, 1]. */
typedef struct power_points {
    const double *log_x; /* [count] log(x / x_max) */
    const double *t, *weight;
    double *power; /* [count] scratch */
    size_t count;
} power_points;

static mot_line line_over_power(const power_points *points, double p)
{
    for (size_t i = 0; i < points->count; ++i) points->power[i] = exp(p * points->log_x[i]);
    return weighted_line(points->power, points->t, points->weight, points->count);
}

/* What is minimized over p: the sum of squares where b > 0, else nothing can be said for this p. */
static double misfit(const power_points *points, double p)
{
    const mot_line line = line_over_power(points, p);
    return line.b > 0 ? line.residual : HUGE_VAL;
}

static double golden_section(const power_points *points, double low, double high)
{
    const double golden = 0.6180339887498949;
    double left = high - golden * (high - low), right = low + golden * (high - low);
    double at_left = misfit(points, left), at_right = misfit(points, right);
    while (high - low > 1e-10) {
        if (at_left <= at_right) {
            high = right;
            right = left, at_right = at_left;
            left = high - golden * (high - low), at_left = misfit(points, left);
        } else {
            low = left;
            left = right, at_left = at_right;
            right = low + golden * (high - low), at_right = misfit(points, right);
        }
    }
    return (low + high) / 2;
}

/* NaN where b > 0 at no place of the grid. */
static double best_power(const power_points *points)
{
    enum { CELLS = 59 }; /* of 0.05 each */
    const double step = (MOT_POWER_MAX - MOT_POWER_MIN) / CELLS;
    double best = NAN, least = HUGE_VAL;
    for (int i = 0; i <= CELLS; ++i) {
        const double p = MOT_POWER_MIN + i * step, value = misfit(points, p);
        if (value < least) best = p, least = value;
    }
    if (isnan(best)) return NAN;
    const double fine = golden_section(points, fmax(best - step, MOT_POWER_MIN),
                                       fmin(best + step, MOT_POWER_MAX));
    return misfit(points, fine) < least ? fine : best;
}

/* Three different x among the points that count. */
static bool three_values(const double *x, const double *weight, size_t count)
{
    double value[2];
    int values = 0;
    for (size_t i = 0; i < count; ++i) {
        if (weight != NULL && weight[i] == 0) continue;
        if ((values > 0 && x[i] == value[0]) || (values > 1 && x[i] == value[1])) continue;
        if (values == 2) return true;
        value[values++] = x[i];
    }
    return false;
}

/* Gives the largest x, which the logarithms are relative to. */
static double fill_logarithms(double *memory, const double *x, size_t count)
{
    double largest = 0;
    for (size_t i = 0; i < count; ++i) largest = fmax(largest, x[i]);
    for (size_t i = 0; i < count; ++i) memory[i] = log(x[i] / largest);
    return largest;
}

/* b = 0: what is left is the mean. */
static mot_power constant_fit(const double *t, size_t count)
{
    const mot_summary s = mot_summarize(t, count);
    const double residual = s.deviation * s.deviation * (double)(count - 1);
    return (mot_power){NAN, s.mean, 0, residual > 0 ? 0 : NAN, residual};
}

mot_status mot_power_fit(const double *x, const double *t, size_t count, mot_power *fit)
{
    *fit = (mot_power){NAN, NAN, NAN, NAN, NAN};
    if (!three_values(x, NULL, count)) return MOT_OK;
    double *memory;
    const mot_status status = mot_allocate(&memory, count, 2 * sizeof(double), "points of a fit");
    if (status != MOT_OK) return status;
    const double largest = fill_logarithms(memory, x, count);
    const power_points points = {memory, t, NULL, memory + count, count};
    const double p = best_power(&points);
    if (isnan(p)) {
        *fit = constant_fit(t, count);
    } else {
        const mot_line line = line_over_power(&points, p);
        *fit = (mot_power){p, line.a, line.b / pow(largest, p), line.r2, line.residual};
    }
    mot_free(memory);
    return MOT_OK;
}

/* The seeds that occur, as list [count]; their number, or -1 for an index outside. */
static int list_seeds(const int *seed, size_t count, double *times, int *list)
{
    int seeds = 0;
    for (size_t i = 0; i < count; ++i) {
        if (seed[i] < 0 || (size_t)seed[i] >= count) return -1;
        if (times[seed[i]] == 0) list[seeds++] = seed[i];
        times[seed[i]] = 1;
    }
    return seeds;
}

static void draw_seeds(const int *list, int seeds, uint64_t key, int resample, double *times)
{
    for (int i = 0; i < seeds; ++i) times[list[i]] = 0;
    for (int draw = 0; draw < seeds; ++draw) {
        const mot_random4 random = mot_random(key, MOT_STREAM_STUDY, (uint32_t)resample, (uint32_t)draw / 4,
                                              0, 0);
        times[list[(int)(mot_uniform(random.word[draw % 4]) * seeds)]] += 1;
    }
}

mot_status mot_power_bootstrap(const double *x, const double *t, const int *seed, size_t count, int resamples,
                               uint64_t key, mot_power_interval *interval)
{
    mot_status status = MOT_OK;
    double *memory = NULL, *found = NULL;
    int *list = NULL;
    *interval = (mot_power_interval){{NAN, NAN}, resamples, 0};
    if (resamples < 1) return mot_fail(MOT_ERR_INPUT, "%d resamples asked for: at least 1", resamples);
    MOT_TRY(mot_allocate(&memory, count, 4 * sizeof(double), "points of a bootstrap"));
    MOT_TRY(mot_allocate(&found, (size_t)resamples, sizeof(double), "powers of a bootstrap"));
    MOT_TRY(mot_allocate(&list, count, sizeof(int), "seeds of a bootstrap"));
    double *weight = memory + 2 * count, *times = memory + 3 * count;
    const int seeds = list_seeds(seed, count, times, list);
    if (seeds < 2) {
        status = seeds < 0 ? mot_fail(MOT_ERR_INPUT, "a seed's index is outside [0, %zu)", count)
                           : mot_fail(MOT_ERR_INPUT, "a bootstrap over seeds needs two, not %d", seeds);
        goto done;
    }
    fill_logarithms(memory, x, count);
    const power_points points = {memory, t, weight, memory + count, count};
    size_t have = 0;
    for (int r = 0; r < resamples; ++r) {
        draw_seeds(list, seeds, key, r, times);
        for (size_t i = 0; i < count; ++i) weight[i] = times[seed[i]];
        const double p = three_values(x, weight, count) ? best_power(&points) : NAN;
        if (!isnan(p)) found[have++] = p;
    }
    interval->without = resamples - (int)have;
    if (2 * have <= (size_t)resamples) {
        status = mot_fail(MOT_ERR_INPUT,
                          "%d of %d resamples have no power: too few points, or t does not grow",
                          interval->without, resamples);
        goto done;
    }
    interval->p = (mot_interval){mot_quantile(found, have, 0.025), mot_quantile(found, have, 0.975)};
done:
    mot_free(memory);
    mot_free(found);
    mot_free(list);
    return status;
}

mot_interval mot_wilson(size_t k, size_t n)
{
    if (n == 0) return (mot_interval){0, 1};
    const double z = 1.959963984540054, count = (double)n,
                 share = (double)k / count; /* z: 97.5 % of N(0, 1) */
    const double centre = share + z * z / (2 * count);
    const double half = z * sqrt(share * (1 - share) / count + z * z / (4 * count * count));
    const double scale = 1 + z * z / count;
    return (mot_interval){k == 0 ? 0 : (centre - half) / scale, k == n ? 1 : (centre + half) / scale};
}

/* The 97.5 % quantile of Student's t: for few degrees of freedom as tabulated, else by the expansion of Abramowitz and
 * Stegun, 26.7.5, which is right to three digits from five on. */
static double student(size_t freedom)
{
    static const double few[] = {12.706205, 4.302653, 3.182446, 2.776445};
    if (freedom <= MOT_COUNT(few)) return few[freedom - 1];
    const double z = 1.959963984540054, f = (double)freedom, q = z * z;
    const double g1 = z * (q + 1) / 4, g2 = z * ((5 * q + 16) * q + 3) / 96,
                 g3 = z * (((3 * q + 19) * q + 17) * q - 15) / 384,
                 g4 = z * ((((79 * q + 776) * q + 1482) * q - 1920) * q - 945) / 92160;
    return z + (g1 + (g2 + (g3 + g4 / f) / f) / f) / f;
}

mot_interval mot_mean_interval(const double *values, size_t count)
{
    const mot_summary of = mot_summarize(values, count);
    if (count < 2) return (mot_interval){NAN, NAN};
    const double half = student(count - 1) * of.deviation / sqrt((double)count);
    return (mot_interval){of.mean - half, of.mean + half};
}

mot_interval mot_line_slope(const double *x, const double *y, size_t count)
{
    const mot_line line = mot_line_fit(x, y, count);
    double mean = 0, xx = 0;
    if (count < 3 || isnan(line.b)) return (mot_interval){NAN, NAN};
    for (size_t i = 0; i < count; ++i) mean += x[i] / (double)count;
    for (size_t i = 0; i < count; ++i) xx += (x[i] - mean) * (x[i] - mean);
    const double half = student(count - 2) * sqrt(line.residual / (double)(count - 2) / xx);
    return (mot_interval){line.b - half, line.b + half};
}

/* The rank of a value, from 1; equal ones share the mean of theirs. */
static double rank_of(const double *values, size_t count, double value)
{
    size_t below = 0, equal = 0;
    for (size_t i = 0; i < count; ++i) {
        below += values[i] < value;
        equal += values[i] == value;
    }
    return (double)below + ((double)equal + 1) / 2;
}

mot_correlation mot_spearman(const double *x, const double *y, size_t count)
{
    const double mean = ((double)count + 1) / 2, nan = NAN;
    double xy = 0, xx = 0, yy = 0;
    for (size_t i = 0; i < count; ++i) {
        const double a = rank_of(x, count, x[i]) - mean, b = rank_of(y, count, y[i]) - mean;
        xy += a * b;
        xx += a * a;
        yy += b * b;
    }
    if (!(xx > 0 && yy > 0)) return (mot_correlation){nan, {nan, nan}};
    const double r = xy / sqrt(xx * yy);
    if (count < 4) return (mot_correlation){r, {nan, nan}};
    const double half = 1.959963984540054 * sqrt((1 + r * r / 2) / (double)(count - 3));
    return (mot_correlation){r, {tanh(atanh(r) - half), tanh(atanh(r) + half)}};
}
