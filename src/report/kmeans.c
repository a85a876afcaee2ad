/* Lloyd's k-means from the beginnings of k-means++ (Arthur and Vassilvitskii 2007), the best of a few. Of many samples it is found on
 * some, spread evenly, and all are dealt to what was found. What is drawn is a function of the draw: the same clusters come out twice. */
#include <math.h>
#include <string.h>

#include "mot/memory.h"
#include "mot/rng.h"
#include "report_private.h"

enum { RESTARTS = 4, MOST_STEPS = 25, PURPOSE = 2 };

typedef struct means {
    size_t n, F, k; /* samples that it is found on */
    const float *x; /* [n, F] */
    float *center;  /* [k, F] */
    double *sum;    /* [k, F] */
    size_t *count;  /* [k] */
    double *far;    /* [n]: squared distance to the nearest center so far */
    int32_t *cluster; /* [n] */
} means;

static double distance(const float *a, const float *b, size_t F)
{
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t f = 0; f < F; ++f) sum += (a[f] - b[f]) * (a[f] - b[f]);
    return (double)sum;
}

static int32_t nearest(const float *x, const float *center, size_t k, size_t F, double *at)
{
    int32_t best = 0;
    *at = HUGE_VAL;
    for (size_t c = 0; c < k; ++c) {
        const double d = distance(x, center + c * F, F);
        if (d < *at) *at = d, best = (int32_t)c;
    }
    return best;
}

static double draw(uint32_t i, uint32_t restart)
{
    return mot_uniform(mot_random(0, MOT_STREAM_REPORT, i, 0, PURPOSE, restart).word[0]);
}

/* The first center is any sample; each next one a sample with a chance that goes as the square of its distance. */
static void begin(means *m, uint32_t restart)
{
    size_t chosen = (size_t)(draw(0, restart) * (double)m->n);
    for (size_t i = 0; i < m->n; ++i) m->far[i] = HUGE_VAL;
    for (size_t c = 0; c < m->k; ++c) {
        double all = 0;
        memcpy(m->center + c * m->F, m->x + chosen * m->F, m->F * sizeof *m->center);
        for (size_t i = 0; i < m->n; ++i) {
            m->far[i] = fmin(m->far[i], distance(m->x + i * m->F, m->center + c * m->F, m->F));
            all += m->far[i];
        }
        double left = draw((uint32_t)c + 1, restart) * all;
        for (chosen = 0; chosen + 1 < m->n && (left -= m->far[chosen]) >= 0;) ++chosen;
    }
}

/* Every center becomes the mean of its samples; one without samples stays. False: nothing changed. */
static bool step(means *m, double *inertia)
{
    bool changed = false;
    *inertia = 0;
    memset(m->sum, 0, m->k * m->F * sizeof *m->sum);
    memset(m->count, 0, m->k * sizeof *m->count);
    for (size_t i = 0; i < m->n; ++i) {
        double at;
        const int32_t c = nearest(m->x + i * m->F, m->center, m->k, m->F, &at);
        changed = changed || c != m->cluster[i];
        m->cluster[i] = c;
        m->count[c]++;
        *inertia += at;
        for (size_t f = 0; f < m->F; ++f) m->sum[(size_t)c * m->F + f] += (double)m->x[i * m->F + f];
    }
    for (size_t c = 0; c < m->k; ++c)
        for (size_t f = 0; f < m->F && m->count[c] > 0; ++f)
            m->center[c * m->F + f] = (float)(m->sum[c * m->F + f] / (double)m->count[c]);
    return changed;
}

static mot_status find(means *m, float *best)
{
    double least = HUGE_VAL;
    mot_status status;
    MOT_TRY(mot_allocate(&m->center, m->k * m->F, sizeof *m->center, "k-means"));
    MOT_TRY(mot_allocate(&m->sum, m->k * m->F, sizeof *m->sum, "k-means"));
    MOT_TRY(mot_allocate(&m->count, m->k, sizeof *m->count, "k-means"));
    MOT_TRY(mot_allocate(&m->far, m->n, sizeof *m->far, "k-means"));
    MOT_TRY(mot_allocate(&m->cluster, m->n, sizeof *m->cluster, "k-means"));
    for (uint32_t restart = 0; restart < RESTARTS; ++restart) {
        double inertia = HUGE_VAL;
        begin(m, restart);
        for (int s = 0; s < MOST_STEPS && step(m, &inertia); ++s) continue;
        if (inertia >= least) continue;
        least = inertia;
        memcpy(best, m->center, m->k * m->F * sizeof *best);
    }
done:
    mot_free(m->center);
    mot_free(m->sum);
    mot_free(m->count);
    mot_free(m->far);
    mot_free(m->cluster);
    return status;
}

mot_status mot_report_kmeans(size_t samples, size_t F, const float *x, size_t k, double work, int32_t *cluster)
{
    const double cost = (double)F * (double)k * RESTARTS * MOST_STEPS;
    const size_t n = MOT_MIN(samples, MOT_MAX(10 * k, (size_t)fmin(work / cost, (double)samples)));
    float *some = NULL, *center = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&some, n * F, sizeof *some, "k-means"));
    MOT_TRY(mot_allocate(&center, k * F, sizeof *center, "k-means"));
    for (size_t i = 0; i < n; ++i) memcpy(some + i * F, x + i * samples / n * F, F * sizeof *some);
    means m = {.n = n, .F = F, .k = k, .x = some};
    MOT_TRY(find(&m, center));
    for (size_t i = 0; i < samples; ++i) {
        double at;
        cluster[i] = nearest(x + i * F, center, k, F, &at);
    }
done:
    mot_free(some);
    mot_free(center);
    return status;
}
