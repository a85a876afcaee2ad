/* What an evaluation counts on the root: where samples went, and what they were taken for. */
#include <math.h>
#include <string.h>

#include "mot/memory.h"
#include "run_reporter.h"

enum { MOST_CONFUSED = 256 }; /* classes: a table of their pairs is kept with every evaluation */

mot_status mot_run_count_create(run_eval *eval, const run_world *world)
{
    const char *what = "counts of an evaluation";
    const size_t C = (size_t)world->classes, G = (size_t)world->groups,
                 E = (size_t)world->model.layer->experts;
    mot_status status;
    MOT_TRY(mot_allocate(&eval->load, E, sizeof(int64_t), what));
    MOT_TRY(mot_allocate(&eval->origin, E, sizeof(int), what));
    MOT_TRY(mot_allocate(&eval->class_load, C * E, sizeof(int64_t), what));
    if (G > 0) MOT_TRY(mot_allocate(&eval->group_load, G * E, sizeof(int64_t), what));
    if (C > 0 && C <= MOST_CONFUSED) MOT_TRY(mot_allocate(&eval->confusion, C * C, sizeof(double), what));
    if (G > 0) MOT_TRY(mot_allocate(&eval->group_hits, G, sizeof(int64_t), what));
    MOT_TRY(mot_allocate(&eval->hits, C, sizeof(int64_t), what));
    MOT_TRY(mot_allocate(&eval->predicted, C, sizeof(int64_t), what));
    MOT_TRY(mot_allocate(&eval->expert_hits, E, sizeof(int64_t), what));
    MOT_TRY(mot_allocate(&eval->class_accuracy, C, sizeof(double), what));
    MOT_TRY(mot_allocate(&eval->expert_accuracy, E, sizeof(double), what));
    MOT_TRY(mot_run_layers_create(eval, world));
done:
    return status; /* released by mot_run_take_down */
}

void mot_run_count_destroy(run_eval *eval)
{
    mot_run_layers_destroy(eval);
    void *const arrays[] = {eval->load,        eval->class_load,     eval->group_load,      eval->confusion,
                            eval->hits,        eval->predicted,      eval->group_hits,      eval->origin,
                            eval->expert_hits, eval->class_accuracy, eval->expert_accuracy};
    for (size_t i = 0; i < MOT_COUNT(arrays); ++i) mot_free(arrays[i]);
}

void mot_run_count_begin(run_eval *eval, const run_world *world)
{
    const size_t C = (size_t)world->classes, G = (size_t)world->groups,
                 E = (size_t)world->model.layer->experts;
    eval->experts = world->model.layer->experts;
    eval->seen = world->model.layer->gate.kind->spread ? eval->experts : 1;
    memcpy(eval->origin, world->model.layer->origin, E * sizeof *eval->origin);
    mot_run_layers_begin(eval, world);
    memset(eval->load, 0, E * sizeof *eval->load);
    memset(eval->class_load, 0, C * E * sizeof *eval->class_load);
    if (eval->group_load != NULL) memset(eval->group_load, 0, G * E * sizeof *eval->group_load);
    if (eval->confusion != NULL) memset(eval->confusion, 0, C * C * sizeof *eval->confusion);
    if (eval->group_hits != NULL) memset(eval->group_hits, 0, G * sizeof *eval->group_hits);
    memset(eval->hits, 0, C * sizeof *eval->hits);
    memset(eval->predicted, 0, C * sizeof *eval->predicted);
    memset(eval->expert_hits, 0, E * sizeof *eval->expert_hits);
    for (int i = 0; i < RUN_NUMBERS; ++i) eval->number[i] = NAN;
    if (world->parent != NULL && world->eval_set.groups > 0) eval->number[RUN_GROUP_ACCURACY] = 0;
}

/* A sample of a split without labels or groups has none of what is counted by them. */
void mot_run_count_add(run_eval *eval, const run_world *world, mot_gidx first, size_t n,
                       const mot_step_result *result)
{
    const size_t C = (size_t)world->classes, E = (size_t)world->model.layer->experts,
                 K = mot_model_choices(&world->model);
    mot_run_layers_add(eval, world, first, n, result);
    for (size_t p = 0; p < n; ++p) {
        const bool chose = result->expert != NULL; /* else every expert has seen it */
        const size_t expert = chose ? (size_t)result->expert[p * K] : 0, end = chose ? expert + 1 : E;
        const int32_t label = result->label[p], group = result->group[p], predicted = result->predicted[p];
        for (size_t e = expert; e < end; ++e) ++eval->load[e];
        if (predicted >= 0) ++eval->predicted[predicted];
        for (size_t e = expert; group >= 0 && e < end; ++e) ++eval->group_load[(size_t)group * E + e];
        if (world->parent != NULL && predicted >= 0)
            eval->number[RUN_GROUP_ACCURACY] += world->parent[predicted] == group;
        if (label < 0) continue;
        for (size_t e = expert; e < end; ++e) ++eval->class_load[(size_t)label * E + e];
        if (group >= 0) eval->group_hits[group] += result->right[p];
        eval->hits[label] += result->right[p];
        for (size_t e = expert; e < end; ++e) eval->expert_hits[e] += result->right[p];
        if (eval->confusion != NULL) ++eval->confusion[(size_t)label * C + (size_t)predicted];
    }
}

/* ---- at the end ---- */

static int64_t row_sum(const int64_t *load, size_t columns)
{
    int64_t sum = 0;
    for (size_t e = 0; e < columns; ++e) sum += load[e];
    return sum;
}

/* Of each class, of the commonest one, and the mean F1 of those that occur, among labels or predictions. */
static void conclude_classes(run_eval *eval, size_t C, size_t E)
{
    double f1 = 0, occur = 0, samples = 0, most = 0;
    for (size_t c = 0; c < C; ++c) {
        const double there = (double)row_sum(eval->class_load + c * E, E) / eval->seen, hits = (double)eval->hits[c],
                     both = there + (double)eval->predicted[c];
        eval->class_accuracy[c] = there > 0 ? hits / there : NAN;
        f1 += both > 0 ? 2 * hits / both : 0;
        occur += both > 0;
        samples += there;
        most = MOT_MAX(most, there);
    }
    if (samples == 0) return; /* nobody knows the labels */
    eval->number[RUN_MACRO_F1] = f1 / occur;
    eval->number[RUN_MAJORITY] = most / samples;
}

static void conclude_experts(run_eval *eval, size_t C, size_t E)
{
    for (size_t e = 0; e < E; ++e) {
        int64_t samples = 0;
        for (size_t c = 0; c < C; ++c) samples += eval->class_load[c * E + e];
        eval->expert_accuracy[e] = samples > 0 ? (double)eval->expert_hits[e] / (double)samples : NAN;
    }
}

static void conclude_routing(run_eval *eval, bool classes, bool groups)
{
    double *number = eval->number;
    const double *figure = eval->layer->routing.figure;
    if (classes) {
        number[RUN_PURITY] = number[RUN_CLASS_PURITY] = figure[ROUTING_CLASS_PURITY];
        number[RUN_NMI] = number[RUN_CLASS_NMI] = figure[ROUTING_CLASS_NMI];
    }
    number[RUN_ENTROPY] = figure[ROUTING_ENTROPY];
    number[RUN_EXPERTS_USED] = figure[ROUTING_USED];
    number[RUN_EXPERTS_EFFECTIVE] = figure[ROUTING_EFFECTIVE];
    number[RUN_CHANGED] = figure[ROUTING_CHANGED];
    if (!groups) return;
    number[RUN_PURITY] = number[RUN_GROUP_PURITY] = figure[ROUTING_GROUP_PURITY];
    number[RUN_NMI] = number[RUN_GROUP_NMI] = figure[ROUTING_GROUP_NMI];
}

mot_status mot_run_count_end(run_eval *eval, const run_world *world)
{
    const size_t C = (size_t)world->classes, E = (size_t)world->model.layer->experts;
    const mot_status status = mot_run_layers_end(eval, world);
    eval->number[RUN_GROUP_ACCURACY] /= (double)world->eval_set.samples;
    conclude_classes(eval, C, E);
    conclude_experts(eval, C, E);
    conclude_routing(eval, C > 0, world->eval_set.groups > 0 && world->groups > 0);
    return status;
}
