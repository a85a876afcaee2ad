#include "mot/theory.h"

#include <math.h>

size_t mot_theory_nearest(const double *cosine, size_t E, size_t N, size_t n, bool magnitude)
{
    size_t nearest = E;
    double most = NAN;
    for (size_t e = 0; e < E; ++e) {
        const double value = magnitude ? fabs(cosine[e * N + n]) : cosine[e * N + n];
        if (isnan(value) || value <= most) continue;
        most = value;
        nearest = e;
    }
    return nearest;
}

double mot_theory_largest(const double *cosine, size_t E, size_t N, size_t n, bool magnitude)
{
    const size_t nearest = mot_theory_nearest(cosine, E, N, n, magnitude);
    if (nearest == E) return NAN;
    return magnitude ? fabs(cosine[nearest * N + n]) : cosine[nearest * N + n];
}

size_t mot_theory_class(const double *row, size_t N)
{
    size_t best = 0;
    for (size_t n = 1; n < N; ++n)
        if (row[n] > row[best]) best = n;
    return best;
}

/* A mean that is being taken over experts. */
typedef struct mean {
    double sum, samples;
} mean;

static void add(mean *m, double figure, const double *load, size_t e, size_t E, size_t N)
{
    double samples = 0;
    for (size_t n = 0; n < N; ++n) samples += load[n * E + e];
    if (samples == 0 || !isfinite(figure)) return;
    m->sum += samples * figure;
    m->samples += samples;
}

static double end(const mean *m)
{
    return m->samples > 0 ? m->sum / m->samples : NAN;
}

double mot_theory_aligned(const double *cosine, const double *load, size_t E, size_t N)
{
    mean m = {0};
    for (size_t e = 0; e < E; ++e) add(&m, cosine[e * N + mot_theory_class(cosine + e * N, N)], load, e, E, N);
    return end(&m);
}

double mot_theory_mean(const double *figure, const double *load, size_t E, size_t N)
{
    mean m = {0};
    for (size_t e = 0; e < E; ++e) add(&m, figure[e], load, e, E, N);
    return end(&m);
}

double mot_theory_reach(size_t rows, const double *at, mot_theory_value *value, const void *with, double bound)
{
    double before = NAN;
    for (size_t r = 0; r < rows; ++r) {
        const double now = value(with, r);
        if (now >= bound) return r == 0 ? at[0] : at[r - 1] + (bound - before) / (now - before) * (at[r] - at[r - 1]);
        before = now;
    }
    return NAN;
}
