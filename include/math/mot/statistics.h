/* statistics.h: the few figures that studies and measurements report: quantiles, a line, a power law, intervals.
 *
 * All arrays are read only and in any order. NaN stands for a missing value elsewhere: the caller drops
 * it before it calls these. Nothing here is collective. */
#ifndef MOT_STATISTICS_H
#define MOT_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

#include "mot/status.h"

/* The `q`-quantile, q in [0, 1], of `count` finite values: linear between the two neighbours in order, at the place
 * q (count - 1) counted from 0 (type 7 of Hyndman and Fan 1996, the default of R and NumPy). NaN for count 0.
 * Takes no memory and O(64 count) time, since it halves the range of doubles instead of sorting. */
double mot_quantile(const double *values, size_t count, double q);
double mot_median(const double *values, size_t count);

/* `deviation` is the sample's (divided by count - 1), NaN for fewer than two values; for none, all are NaN. */
typedef struct mot_summary {
    size_t count;
    double mean, deviation;
    double min, quarter, median, three_quarters, max;
} mot_summary;

mot_summary mot_summarize(const double *values, size_t count);

/* y = a + b x. */
typedef struct mot_line {
    double a, b;
    double r2;       /* share of y's variance that the line explains; NaN where y does not vary */
    double residual; /* sum of squared residuals, in y's unit squared */
} mot_line;

/* Ordinary least squares over `count` points. All NaN unless x has two different values. */
mot_line mot_line_fit(const double *x, const double *y, size_t count);

/* t = a + b x^p with p in [MOT_POWER_MIN, MOT_POWER_MAX] and b >= 0: a cost `a` that does not grow, and one that does.
 * p at either end of the range means that the range, not the data, decided. */
typedef struct mot_power {
    double p, a, b;
    double r2, residual; /* as of mot_line, in t and its unit */
} mot_power;

#define MOT_POWER_MIN 0.05
#define MOT_POWER_MAX 3.0

/* Least squares over `count` points, x > 0 (a number of ranks, of experts, of samples). For a given p, a and b are
 * a line over x^p, so only p is searched: on a grid, then by golden section around its best place.
 * All NaN unless x has three different values. Where t grows with x at no p, b = 0, a is the mean and p is NaN.
 * Fails only for want of memory. */
mot_status mot_power_fit(const double *x, const double *t, size_t count, mot_power *fit);

typedef struct mot_interval {
    double low, high;
} mot_interval;

/* The interval of p that a bootstrap over seeds gives. */
typedef struct mot_power_interval {
    mot_interval p; /* 2.5 % and 97.5 % quantile of p over the resamples that have one */
    int resamples;  /* drawn */
    int without;    /* of them: those without a p (t did not grow, or x had fewer than three values) */
} mot_power_interval;

/* Seeds, not points, are drawn with replacement (as many as there are), each with all its points: the points of one
 * seed share its luck. `seed` [count] says whose a point is, an index in [0, count); which indices occur does not
 * matter. The same `key` draws the same seeds on any machine (MOT_STREAM_STUDY). With few seeds (below ten) such
 * an interval is too narrow: five seeds cover the truth some 80 % of the time instead of 95 %.
 * MOT_ERR_INPUT for fewer than two seeds, fewer than one resample, a seed outside, or when most resamples have no p;
 * MOT_ERR_MEMORY. */
mot_status mot_power_bootstrap(const double *x, const double *t, const int *seed, size_t count, int resamples,
                               uint64_t key, mot_power_interval *interval);

/* The 95 % interval of the slope b of mot_line_fit by Student's t, for errors of y that are independent, normal and alike. NaN
 * for fewer than three points, or equal x. */
mot_interval mot_line_slope(const double *x, const double *y, size_t count);

/* The 95 % interval of a mean by Student's t, for values that are independent, normal and alike. NaN for fewer than two. */
mot_interval mot_mean_interval(const double *values, size_t count);

/* The 95 % interval of a mean over seeds by the percentile bootstrap: the 2.5 % and 97.5 % quantiles of the means of
 * MOT_BOOTSTRAP_RESAMPLES resamples, each of as many values drawn with replacement. The draws are always the same, and so is the
 * interval, in whatever order the values come. It asks for no distribution, but of few values it is too narrow: of three it
 * goes from the least to the largest. NaN for fewer than MOT_BOOTSTRAP_LEAST. MOT_ERR_MEMORY.
 * Draw d of resample r, of the values in ascending order, is value floor(u n), u word d % 4 of (0, MOT_STREAM_STUDY, r, d / 4). */
enum { MOT_BOOTSTRAP_RESAMPLES = 4000, MOT_BOOTSTRAP_LEAST = 3 };
mot_status mot_bootstrap_mean(const double *values, size_t count, mot_interval *interval);

/* Spearman's: the correlation of ranks, where equal values share the mean of theirs, and its 95 % interval by Fisher's
 * transformation with the variance (1 + r^2 / 2) / (count - 3) of Bonett and Wright (2000). NaN where x or y does not vary,
 * and for the interval of fewer than four points. */
typedef struct mot_correlation {
    double r;
    mot_interval interval;
} mot_correlation;
mot_correlation mot_spearman(const double *x, const double *y, size_t count);

/* The Wilson score interval of 95 % of a proportion, `k` of `n` (Wilson 1927); [0, 1] for n = 0. */
mot_interval mot_wilson(size_t k, size_t n);

#endif
