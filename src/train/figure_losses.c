/* Where the loss lies: among kinds of samples, which are their groups or else their classes, and experts. */
#include "mot/eval_figure.h"

#include <math.h>

enum { KIND_LOSS, ROUTED_LOSS };

static bool by_group(const mot_evaluation *e)
{
    return e->set->groups > 0;
}

static size_t kinds(const mot_evaluation *e)
{
    return (size_t)(by_group(e) ? e->groups : e->classes);
}

static void describe(mot_evaluation *e)
{
    const size_t E = (size_t)e->model->layer->experts;
    if (kinds(e) == 0) return;
    e->figures = ROUTED_LOSS + 1;
    e->figure[KIND_LOSS] = MOT_FIGURE_TABLE("kind_loss", "mean loss by group (or class) and expert", kinds(e),
                                            by_group(e) ? "group" : "class", E, "expert");
    e->figure[ROUTED_LOSS] = MOT_FIGURE(
        "routed_loss", "eval.routed_loss",
        "mean loss of the samples with an expert that mostly has their group (or class)");
}

static void add(mot_evaluation *e, mot_gidx first, size_t n, const mot_step_result *result)
{
    const size_t E = (size_t)e->model->layer->experts, K = mot_model_choices(e->model);
    const int32_t *kind = by_group(e) ? result->group : result->label;
    (void)first;
    for (size_t b = 0; b < n && kind[b] >= 0; ++b) {
        const bool chose = result->expert != NULL; /* else every expert has it */
        const size_t first_of = chose ? (size_t)result->expert[b * K] : 0, end_of = chose ? first_of + 1 : E;
        for (size_t i = first_of; i < end_of; ++i)
            e->value[KIND_LOSS][(size_t)kind[b] * E + i] += result->sample_loss[b];
    }
}

/* Loss where a sample is with an expert that mostly has its kind, and the mean losses of the table. */
static void end(mot_evaluation *e)
{
    const size_t E = (size_t)e->model->layer->experts, N = kinds(e);
    const int64_t *load = by_group(e) ? e->group_load : e->class_load;
    double *sum = e->value[KIND_LOSS], loss = 0, count = 0;
    if (e->model->comm->rank != MOT_ROOT) return;
    for (size_t i = 0; i < E; ++i) {
        size_t own = 0;
        for (size_t n = 1; n < N; ++n)
            if (load[n * E + i] > load[own * E + i]) own = n;
        loss += sum[own * E + i];
        count += (double)load[own * E + i];
    }
    *e->value[ROUTED_LOSS] = count > 0 ? loss / count : NAN;
    for (size_t i = 0; i < N * E; ++i) sum[i] = load[i] > 0 ? sum[i] / (double)load[i] : NAN;
}

const mot_figure_kind mot_figure_losses = {.kind = {"losses"}, .describe = describe, .add = add, .end = end};
