/* Seeds drawn again. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mot/memory.h"
#include "mot/rng.h"
#include "mot/statistics.h"

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double mean_of_resample(const double *values, size_t count, uint32_t resample)
{
    double sum = 0;
    mot_random4 random = {{0}};
    for (size_t draw = 0; draw < count; ++draw) {
        if (draw % 4 == 0) random = mot_random(0, MOT_STREAM_STUDY, resample, (uint32_t)(draw / 4), 0, 0);
        sum += values[(size_t)(mot_uniform(random.word[draw % 4]) * (double)count)];
    }
    return sum / (double)count;
}

/* As mot_quantile, of values in order. */
static double quantile(const double *sorted, size_t count, double q)
{
    const double place = q * (double)(count - 1);
    const size_t below = (size_t)place;
    return sorted[below] + (place - (double)below) * (sorted[below + 1] - sorted[below]);
}

mot_status mot_bootstrap_mean(const double *values, size_t count, mot_interval *interval)
{
    double *sorted = NULL;
    mot_status status = MOT_OK;
    *interval = (mot_interval){NAN, NAN};
    if (count < MOT_BOOTSTRAP_LEAST) return MOT_OK;
    MOT_TRY(mot_allocate(&sorted, count + MOT_BOOTSTRAP_RESAMPLES, sizeof *sorted, "a bootstrap"));
    double *const mean = sorted + count;
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, ascending);
    for (uint32_t r = 0; r < MOT_BOOTSTRAP_RESAMPLES; ++r) mean[r] = mean_of_resample(sorted, count, r);
    qsort(mean, MOT_BOOTSTRAP_RESAMPLES, sizeof *mean, ascending);
    *interval = (mot_interval){quantile(mean, MOT_BOOTSTRAP_RESAMPLES, 0.025), quantile(mean, MOT_BOOTSTRAP_RESAMPLES, 0.975)};
done:
    mot_free(sorted);
    return status;
}
