/* Which memory is fitted when (rehearsal.h). */
#include <math.h>
#include <string.h>

#include "mot/memory.h"
#include "rehearsal_private.h"

const char *const mot_rehearsal_strategy_names[] = {"none", "concurrent", "sequential", "hybrid"};
const char *const mot_rehearsal_order_names[] = {"oldest", "newest", "dissimilar"};

/* Places the memories that are not together[h] behind one another. */
static void place_rest(const rehearsal_geometry *g, int t, mot_rehearsal_order order, const bool *together, uint8_t *place)
{
    int queue[MOT_REHEARSAL_TASKS], count = 0;
    for (int i = 0; i < t; ++i) {
        const int h = order == MOT_REHEARSAL_NEWEST ? t - 1 - i : i;
        int at = count;
        place[h] = 0;
        if (together[h]) continue;
        if (order == MOT_REHEARSAL_DISSIMILAR)
            while (at > 0 && g->d[t][queue[at - 1]] < g->d[t][h]) --at;
        memmove(queue + at + 1, queue + at, (size_t)(count - at) * sizeof *queue);
        queue[at] = h;
        ++count;
    }
    for (int i = 0; i < count; ++i) place[queue[i]] = (uint8_t)(1 + i);
}

static bool better(double mean, int size, double least, int least_size)
{
    const double slack = 1e-12 * fabs(least);
    return mean < least - slack || (mean <= least + slack && size > least_size);
}

/* The set after which the mean of D over the tasks so far is least. */
static void foresee(const mot_rehearsal *r, const rehearsal_geometry *g, int t, mot_rehearsal_order order, const double *D,
                    bool *together)
{
    double least = HUGE_VAL;
    int least_size = -1;
    for (uint32_t set = 0; set < UINT32_C(1) << t; ++set) {
        bool tried[MOT_REHEARSAL_TASKS];
        uint8_t place[MOT_REHEARSAL_TASKS];
        double after[MOT_REHEARSAL_TASKS], mean = 0;
        int size = 0;
        for (int h = 0; h < t; ++h) size += tried[h] = set >> h & 1;
        place_rest(g, t, order, tried, place);
        memcpy(after, D, (size_t)g->tasks * sizeof *D);
        mot_rehearsal_map_task(r, g, t, place, after);
        for (int v = 0; v <= t; ++v) mean += after[v] / (t + 1);
        if (!better(mean, size, least, least_size)) continue;
        least = mean;
        least_size = size;
        memcpy(together, tried, (size_t)t * sizeof *tried);
    }
}

/* D: expected losses when task t begins. */
static bool alike(const rehearsal_geometry *g, const mot_rehearsal_rule *rule, int t, int h, const double *D)
{
    switch (rule->likeness) {
    case MOT_REHEARSAL_BY_DISTANCE:
        return sqrt(g->d[t][h]) <= rule->bound;
    case MOT_REHEARSAL_BY_COSINE:
        return (D[t] + D[h] - g->d[t][h]) / 2 >= rule->bound * sqrt(D[t] * D[h]);
    case MOT_REHEARSAL_GIVEN:
        return rule->similar[(size_t)t * (size_t)g->tasks + (size_t)h];
    case MOT_REHEARSAL_BY_FORESIGHT:
        break;
    }
    return false;
}

static void choose(const mot_rehearsal *r, const rehearsal_geometry *g, const mot_rehearsal_rule *rule, int t, const double *D,
                   bool *together)
{
    const bool hybrid = rule->strategy == MOT_REHEARSAL_HYBRID;
    if (hybrid && rule->likeness == MOT_REHEARSAL_BY_FORESIGHT) {
        foresee(r, g, t, rule->order, D, together);
        return;
    }
    for (int h = 0; h < t; ++h) together[h] = hybrid ? alike(g, rule, t, h, D) : rule->strategy == MOT_REHEARSAL_CONCURRENT;
}

mot_status mot_rehearsal_make_plan(const mot_rehearsal *r, const mot_rehearsal_truths *truths, const mot_rehearsal_rule *rule,
                                   mot_rehearsal_plan *plan)
{
    rehearsal_geometry g;
    double D[MOT_REHEARSAL_TASKS];
    bool together[MOT_REHEARSAL_TASKS];
    const mot_status status = mot_rehearsal_check(r, truths);
    if (status != MOT_OK) return status;
    const bool foreseen = rule->strategy == MOT_REHEARSAL_HYBRID && rule->likeness == MOT_REHEARSAL_BY_FORESIGHT;
    if (foreseen && r->tasks > MOT_REHEARSAL_FORESEEN)
        return mot_fail(MOT_ERR_INPUT, "foresight over %d tasks: expected %d at most, as it looks at all sets of old ones",
                        r->tasks, MOT_REHEARSAL_FORESEEN);
    mot_rehearsal_geometry_make(r, truths, &g);
    memcpy(D, g.squared, sizeof D);
    *plan = (mot_rehearsal_plan){.tasks = r->tasks};
    for (int t = 0; t < r->tasks; ++t) {
        if (rule->strategy == MOT_REHEARSAL_NONE) {
            memset(plan->place[t], MOT_REHEARSAL_NEVER, (size_t)t);
        } else {
            choose(r, &g, rule, t, D, together);
            place_rest(&g, t, rule->order, together, plan->place[t]);
        }
        mot_rehearsal_map_task(r, &g, t, plan->place[t], D);
    }
    return MOT_OK;
}

/* F and G are lines over the gap's square, so two gaps tell where they cross. */
static double root(double at_0, double at_1)
{
    const double slope = at_1 - at_0;
    if (at_0 > 0 && slope >= 0) return 0;
    return slope > 0 ? sqrt(-at_0 / slope) : INFINITY;
}

mot_rehearsal_figures mot_rehearsal_crossover(const mot_rehearsal *r)
{
    static const mot_rehearsal_rule rules[] = {{.strategy = MOT_REHEARSAL_CONCURRENT}, {.strategy = MOT_REHEARSAL_SEQUENTIAL}};
    double w[MOT_REHEARSAL_TASKS * (MOT_REHEARSAL_TASKS + 1)], loss[MOT_REHEARSAL_TASKS * MOT_REHEARSAL_TASKS];
    mot_rehearsal_figures at[2];
    for (int gap = 0; gap < 2; ++gap) {
        const mot_rehearsal_truths truths = mot_rehearsal_apart(r->tasks, gap, w);
        mot_rehearsal_figures of[2];
        for (int s = 0; s < 2; ++s) {
            mot_rehearsal_plan plan;
            if (mot_rehearsal_make_plan(r, &truths, &rules[s], &plan) != MOT_OK) return (mot_rehearsal_figures){NAN, NAN};
            mot_rehearsal_theory(r, &truths, &plan, loss);
            of[s] = mot_rehearsal_figures_of(loss, r->tasks, r->tasks);
        }
        at[gap] = (mot_rehearsal_figures){of[0].forgetting - of[1].forgetting, of[0].error - of[1].error};
    }
    return (mot_rehearsal_figures){root(at[0].forgetting, at[1].forgetting), root(at[0].error, at[1].error)};
}

double mot_rehearsal_like_gap(const mot_rehearsal *r)
{
    const double gap = mot_rehearsal_crossover(r).forgetting;
    return gap > 0 ? gap : -1;
}
