/* Lloyd's k-means from the beginnings of k-means++ (Arthur and Vassilvitskii 2007), the best of a few. Of many samples it is found on
 * some, spread evenly, and all are dealt to what was found. What is drawn is a function of the draw: the same clusters come out twice.
 *
 * Of points x whose zeros are not there, |x - c|^2 is |c|^2 and the sum over the others of x (x - 2 c). */
#include <math.h>
#include <string.h>

#include "mot/memory.h"
#include "mot/rng.h"
#include "report_private.h"

enum { RESTARTS = 4, MOST_STEPS = 25, PURPOSE = 2 };

typedef struct means {
    const report_points *points;
    size_t n, F, k; /* samples that it is found on: at() */
    float *center;  /* [k, F] */
    double *norm;   /* [k]: of a center, squared; for points without their zeros */
    double *sum;    /* [k, F] */
    size_t *count;  /* [k] */
    double *far;    /* [n]: squared distance to the nearest center so far */
    int32_t *cluster; /* [n] */
} means;

static size_t at(const means *m, size_t i) { return i * m->points->samples / m->n; }

static double distance(const means *m, size_t sample, size_t center)
{
    const report_points *const points = m->points;
    const float *const c = m->center + center * m->F;
    if (points->start != NULL) {
        double sum = m->norm[center];
        for (size_t p = points->start[sample]; p < points->start[sample + 1]; ++p)
            sum += (double)points->value[p] * ((double)points->value[p] - 2 * (double)c[points->column[p]]);
        return fmax(sum, 0);
    }
    const float *const x = points->value + sample * m->F;
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t f = 0; f < m->F; ++f) sum += (x[f] - c[f]) * (x[f] - c[f]);
    return (double)sum;
}

static int32_t nearest(const means *m, size_t sample, double *away)
{
    int32_t best = 0;
    *away = HUGE_VAL;
    for (size_t c = 0; c < m->k; ++c) {
        const double d = distance(m, sample, c);
        if (d < *away) *away = d, best = (int32_t)c;
    }
    return best;
}

/* sum [F] and a sample's numbers. */
static void add(const means *m, size_t sample, double *sum)
{
    const report_points *const points = m->points;
    if (points->start == NULL)
        for (size_t f = 0; f < m->F; ++f) sum[f] += (double)points->value[sample * m->F + f];
    else
        for (size_t p = points->start[sample]; p < points->start[sample + 1]; ++p) sum[points->column[p]] += (double)points->value[p];
}

/* A center becomes the mean of the samples whose sum it has. */
static void place(means *m, size_t center, size_t count)
{
    float *const c = m->center + center * m->F;
    m->norm[center] = 0;
    for (size_t f = 0; f < m->F; ++f) c[f] = (float)(m->sum[center * m->F + f] / (double)count);
    for (size_t f = 0; f < m->F; ++f) m->norm[center] += (double)c[f] * (double)c[f];
}

static double draw(uint32_t i, uint32_t restart)
{
    return mot_uniform(mot_random(0, MOT_STREAM_REPORT, i, 0, PURPOSE, restart).word[0]);
}

/* The first center is any sample; each next one a sample with a chance that goes as the square of its distance. */
static void begin(means *m, uint32_t restart)
{
    size_t chosen = (size_t)(draw(0, restart) * (double)m->n);
    memset(m->sum, 0, m->k * m->F * sizeof *m->sum);
    for (size_t i = 0; i < m->n; ++i) m->far[i] = HUGE_VAL;
    for (size_t c = 0; c < m->k; ++c) {
        double all = 0;
        add(m, at(m, chosen), m->sum + c * m->F);
        place(m, c, 1);
        for (size_t i = 0; i < m->n; ++i) {
            m->far[i] = fmin(m->far[i], distance(m, at(m, i), c));
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
        double away;
        const int32_t c = nearest(m, at(m, i), &away);
        changed = changed || c != m->cluster[i];
        m->cluster[i] = c;
        m->count[c]++;
        *inertia += away;
        add(m, at(m, i), m->sum + (size_t)c * m->F);
    }
    for (size_t c = 0; c < m->k; ++c)
        if (m->count[c] > 0) place(m, c, m->count[c]);
    return changed;
}

/* The centers are then those of the best beginning. */
static mot_status find(means *m)
{
    double least = HUGE_VAL, *norm = NULL;
    float *center = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&center, m->k * m->F, sizeof *center, "k-means"));
    MOT_TRY(mot_allocate(&norm, m->k, sizeof *norm, "k-means"));
    for (uint32_t restart = 0; restart < RESTARTS; ++restart) {
        double inertia = HUGE_VAL;
        begin(m, restart);
        for (int s = 0; s < MOST_STEPS && step(m, &inertia); ++s) continue;
        if (inertia >= least) continue;
        least = inertia;
        memcpy(center, m->center, m->k * m->F * sizeof *center);
        memcpy(norm, m->norm, m->k * sizeof *norm);
    }
    memcpy(m->center, center, m->k * m->F * sizeof *center);
    memcpy(m->norm, norm, m->k * sizeof *norm);
done:
    mot_free(center);
    mot_free(norm);
    return status;
}

mot_status mot_report_kmeans(const report_points *points, size_t k, double work, int32_t *cluster)
{
    const size_t samples = points->samples, F = points->F;
    const double numbers = points->start != NULL ? (double)points->start[samples] / (double)samples : (double)F;
    const double cost = fmax(numbers, 1) * (double)k * RESTARTS * MOST_STEPS;
    const size_t n = MOT_MIN(samples, MOT_MAX(10 * k, (size_t)fmin(work / cost, (double)samples)));
    means m = {.points = points, .n = n, .F = F, .k = k};
    mot_status status;
    MOT_TRY(mot_allocate(&m.center, k * F, sizeof *m.center, "k-means"));
    MOT_TRY(mot_allocate(&m.norm, k, sizeof *m.norm, "k-means"));
    MOT_TRY(mot_allocate(&m.sum, k * F, sizeof *m.sum, "k-means"));
    MOT_TRY(mot_allocate(&m.count, k, sizeof *m.count, "k-means"));
    MOT_TRY(mot_allocate(&m.far, n, sizeof *m.far, "k-means"));
    MOT_TRY(mot_allocate(&m.cluster, n, sizeof *m.cluster, "k-means"));
    MOT_TRY(find(&m));
    for (size_t i = 0; i < samples; ++i) {
        double away;
        cluster[i] = nearest(&m, i, &away);
    }
done:
    mot_free(m.center);
    mot_free(m.norm);
    mot_free(m.sum);
    mot_free(m.count);
    mot_free(m.far);
    mot_free(m.cluster);
    return status;
}
