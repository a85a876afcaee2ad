/* The closed forms of rehearsal.h. */
#include "mot/rehearsal.h"

#include <math.h>
#include <string.h>

#include "rehearsal_private.h"

static double distance(const mot_rehearsal_truths *truths, int a, int b)
{
    const double *wa = truths->w + (size_t)a * truths->length, *wb = truths->w + (size_t)b * truths->length;
    double sum = 0;
    for (size_t k = 0; k < truths->length; ++k) sum += (wa[k] - wb[k]) * (wa[k] - wb[k]);
    return sum;
}

mot_rehearsal_truths mot_rehearsal_apart(int tasks, double gap, double *w)
{
    const mot_rehearsal_truths truths = {tasks, (size_t)tasks + 1, w};
    memset(w, 0, (size_t)tasks * truths.length * sizeof *w);
    for (int t = 0; t < tasks; ++t) {
        w[(size_t)t * truths.length] = 1;
        w[(size_t)t * truths.length + 1 + (size_t)t] = gap / sqrt(2);
    }
    return truths;
}

static mot_status check_sizes(const mot_rehearsal *r)
{
    if (r->tasks < 1 || r->tasks > MOT_REHEARSAL_TASKS)
        return mot_fail(MOT_ERR_INPUT, "%d tasks: expected 1 to %d", r->tasks, MOT_REHEARSAL_TASKS);
    if (r->samples < 1 || r->samples > MOT_REHEARSAL_ROWS || r->memory > MOT_REHEARSAL_ROWS - r->samples)
        return mot_fail(MOT_ERR_INPUT, "%zu samples and a memory of %zu: expected a sample at least, and %d together at most",
                        r->samples, r->memory, MOT_REHEARSAL_ROWS);
    if (r->width > MOT_REHEARSAL_WIDTH)
        return mot_fail(MOT_ERR_INPUT, "a width of %zu: expected %d at most", r->width, MOT_REHEARSAL_WIDTH);
    if (r->width < r->samples + r->memory + 2)
        return mot_fail(MOT_ERR_INPUT,
                        "a width of %zu for %zu samples and a memory of %zu: the theory needs samples + memory + 2 = %zu at "
                        "least",
                        r->width, r->samples, r->memory, r->samples + r->memory + 2);
    if (!(r->noise >= 0 && r->noise <= 1e6))
        return mot_fail(MOT_ERR_INPUT, "noise of %g: expected a number from 0 to 1e6", r->noise);
    if (r->stored && r->tasks > 1 && r->memory > r->samples)
        return mot_fail(MOT_ERR_INPUT, "a memory of %zu stored samples: a task has %zu that it could store", r->memory,
                        r->samples);
    return MOT_OK;
}

/* Coordinates that are 0 for all tasks may lie beyond the width. */
mot_status mot_rehearsal_check(const mot_rehearsal *r, const mot_rehearsal_truths *truths)
{
    const mot_status status = check_sizes(r);
    if (status != MOT_OK) return status;
    if (truths->tasks < r->tasks)
        return mot_fail(MOT_ERR_INPUT, "%d truths for %d tasks: expected one each", truths->tasks, r->tasks);
    for (int t = 0; t < r->tasks; ++t)
        for (size_t k = 0; k < truths->length; ++k) {
            const double value = truths->w[(size_t)t * truths->length + k];
            if (!(fabs(value) <= 1e6))
                return mot_fail(MOT_ERR_INPUT, "the truth of task %d has a coordinate %g: expected -1e6 to 1e6", t + 1, value);
            if (k >= r->width && value != 0)
                return mot_fail(MOT_ERR_INPUT, "the truth of task %d has a coordinate %zu: the width is %zu", t + 1, k + 1,
                                r->width);
        }
    return MOT_OK;
}

size_t mot_rehearsal_share(const mot_rehearsal *r, int t)
{
    return t > 0 ? r->memory / (size_t)t : 0;
}

void mot_rehearsal_geometry_make(const mot_rehearsal *r, const mot_rehearsal_truths *truths, rehearsal_geometry *g)
{
    g->tasks = r->tasks;
    for (int a = 0; a < r->tasks; ++a) {
        const double *w = truths->w + (size_t)a * truths->length;
        g->squared[a] = 0;
        for (size_t k = 0; k < truths->length; ++k) g->squared[a] += w[k] * w[k];
        for (int b = 0; b < r->tasks; ++b) g->d[a][b] = distance(truths, a, b);
    }
}

/* One fit: count[i] samples of each task i. */
static void map(const mot_rehearsal *r, const rehearsal_geometry *g, const double *count, double *D)
{
    const double p = (double)r->width;
    double m = 0, pairs = 0;
    for (int i = 0; i < g->tasks; ++i) {
        m += count[i];
        for (int j = 0; j < i; ++j) pairs += count[i] * count[j] * g->d[i][j];
    }
    const double added = pairs / (p * (p - m - 1)) + m * r->noise * r->noise / (p - m - 1);
    for (int v = 0; v < g->tasks; ++v) {
        double pull = 0;
        for (int i = 0; i < g->tasks; ++i) pull += count[i] / p * g->d[i][v];
        D[v] = (1 - m / p) * D[v] + pull + added;
    }
}

int mot_rehearsal_last_fit(const uint8_t *place, int t)
{
    int last = 0;
    for (int h = 0; h < t; ++h)
        if (place[h] != MOT_REHEARSAL_NEVER && place[h] > last) last = place[h];
    return last;
}

void mot_rehearsal_map_task(const mot_rehearsal *r, const rehearsal_geometry *g, int t, const uint8_t *place, double *D)
{
    double count[MOT_REHEARSAL_TASKS];
    const double share = (double)mot_rehearsal_share(r, t);
    for (int fit = 0; fit <= mot_rehearsal_last_fit(place, t); ++fit) {
        for (int i = 0; i < g->tasks; ++i) count[i] = i < t && place[i] == fit ? share : 0;
        if (fit == 0) count[t] = (double)r->samples;
        map(r, g, count, D);
    }
}

void mot_rehearsal_theory(const mot_rehearsal *r, const mot_rehearsal_truths *truths, const mot_rehearsal_plan *plan,
                          double *loss)
{
    rehearsal_geometry g;
    double D[MOT_REHEARSAL_TASKS];
    mot_rehearsal_geometry_make(r, truths, &g);
    memcpy(D, g.squared, (size_t)r->tasks * sizeof *D);
    for (int t = 0; t < r->tasks; ++t) {
        mot_rehearsal_map_task(r, &g, t, plan->place[t], D);
        memcpy(loss + (size_t)t * (size_t)r->tasks, D, (size_t)r->tasks * sizeof *D);
    }
}

mot_rehearsal_figures mot_rehearsal_figures_of(const double *loss, int tasks, int after)
{
    const double *last = loss + (size_t)(after - 1) * (size_t)tasks;
    double forgetting = 0, error = 0;
    for (int v = 0; v < after; ++v) {
        error += last[v];
        forgetting += last[v] - loss[(size_t)v * (size_t)tasks + (size_t)v];
    }
    return (mot_rehearsal_figures){after > 1 ? forgetting / (after - 1) : NAN, error / after};
}
