#include "run_routing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mot/contingency.h"
#include "mot/eval_figure.h"
#include "mot/memory.h"

/* What it is of: every layer; data with classes, or groups. */
typedef enum routing_of { OF_ALL, OF_CLASSES, OF_GROUPS } routing_of;

static const struct {
    const char *name, *long_name;
    routing_of of;
    bool own;     /* the run has that of the first layer among its own numbers */
    bool of_eval; /* of evaluations alone */
} figures[ROUTING_FIGURES] = {
    [ROUTING_CLASS_PURITY] = {"class_purity", "share of samples of the commonest class of their expert", OF_CLASSES, true, false},
    [ROUTING_CLASS_NMI] = {"class_nmi", "mutual information of expert and class, normalized", OF_CLASSES, true, false},
    [ROUTING_CLASS_AMI] = {"class_ami", "mutual information of expert and class, adjusted for chance", OF_CLASSES, false, false},
    [ROUTING_GROUP_PURITY] = {"group_purity", "share of samples of the commonest group of their expert", OF_GROUPS, true, false},
    [ROUTING_GROUP_NMI] = {"group_nmi", "mutual information of expert and group, normalized", OF_GROUPS, true, false},
    [ROUTING_GROUP_AMI] = {"group_ami", "mutual information of expert and group, adjusted for chance", OF_GROUPS, false, false},
    [ROUTING_ENTROPY] = {"entropy", "entropy of the load over the experts, 1 is even", OF_ALL, true, false},
    [ROUTING_USED] = {"experts_used", "experts with at least 1 % of a fair share", OF_ALL, true, false},
    [ROUTING_EFFECTIVE] = {"experts_effective", "so many experts with even loads have the entropy of these", OF_ALL, true, false},
    [ROUTING_IDLE] = {"experts_idle", "experts without a sample", OF_ALL, false, false},
    [ROUTING_LOAD_RATIO] = {"load_max_over_mean", "largest load over the mean one", OF_ALL, false, false},
    [ROUTING_LOAD_CV] = {"load_cv", "standard deviation of the loads over their mean", OF_ALL, false, false},
    [ROUTING_CONFIDENCE] = {"confidence", "mean of the gate's largest probability", OF_ALL, false, false},
    [ROUTING_MARGIN] = {"margin", "mean of what the next one is below it", OF_ALL, false, false},
    [ROUTING_GATE_ENTROPY] = {"gate_entropy", "mean entropy of the gate's probabilities, in nats", OF_ALL, false, false},
    [ROUTING_CHANGED] = {"changed", "share of samples with another expert than in the evaluation before", OF_ALL, true, true},
    [ROUTING_SATURATION] = {"saturation", "mean share of a sample's experts that it had in the evaluation before", OF_ALL, false, true},
};

/* ---- what there is ---- */

static void call(run_routing *routing, int layer)
{
    char before[16] = "routing";
    if (layer > 0) snprintf(before, sizeof before, "layer%d", layer);
    for (int f = 0; f < ROUTING_FIGURES; ++f) {
        snprintf(routing->called[f].key, sizeof routing->called[f].key, "%s.%s", before, figures[f].name);
        snprintf(routing->called[f].name, sizeof routing->called[f].name, "%s%s%s", layer > 0 ? before : "", layer > 0 ? "_" : "",
                 figures[f].name);
    }
}

/* Of choices that take in all experts the first one is kept: all others are the same. */
mot_status mot_run_routing_create(run_routing *routing, const run_world *world, int layer)
{
    const mot_layer *of = &world->model.layer[layer];
    const size_t K = mot_layer_choices(of), samples = (size_t)world->eval_set.samples;
    mot_status status;
    routing->stride = K < (size_t)of->experts ? K : 1;
    call(routing, layer);
    for (int f = 0; f < ROUTING_FIGURES; ++f) routing->figure[f] = NAN;
    MOT_TRY(mot_allocate(&routing->chosen, samples * routing->stride, sizeof *routing->chosen, "choices of an evaluation"));
    memset(routing->chosen, 0xff, samples * routing->stride * sizeof *routing->chosen);
done:
    return status;
}

void mot_run_routing_destroy(run_routing *routing)
{
    mot_free(routing->chosen);
}

static bool is_of(run_routing_figure figure, int classes, int groups)
{
    return figures[figure].of == OF_ALL || (figures[figure].of == OF_CLASSES ? classes : groups) > 0;
}

size_t mot_run_routing_list(run_routing *routing, const run_world *world, int layer, mot_eval_figure *list, double **value)
{
    size_t count = 0;
    if (world->model.layer[layer].gate.kind->spread) return 0; /* nothing is chosen */
    for (int f = 0; f < ROUTING_FIGURES; ++f) {
        if ((layer == 0 && figures[f].own) || !is_of((run_routing_figure)f, world->classes, world->eval_set.groups)) continue;
        list[count] = MOT_FIGURE(routing->called[f].name, routing->called[f].key, figures[f].long_name);
        value[count++] = &routing->figure[f];
    }
    return count;
}

/* ---- of a table of what went where ---- */

static mot_status measure_kinds(int kinds, const run_routed *routed, const int64_t *load, double *purity, double *nmi, double *ami)
{
    const mot_contingency of = mot_contingency_measure(kinds, routed->experts, load);
    *purity = of.purity;
    *nmi = of.nmi;
    return mot_contingency_ami(kinds, routed->experts, load, ami);
}

static mot_status measure(double figure[ROUTING_FIGURES], const run_routed *routed)
{
    const bool classes = routed->classes > 0;
    const mot_specialization all = mot_specialize(classes ? routed->classes : 1, routed->experts, classes ? routed->class_load : routed->load);
    const mot_load_spread spread = mot_load_spread_of(routed->experts, routed->load);
    mot_status status = MOT_OK;
    figure[ROUTING_ENTROPY] = all.entropy;
    figure[ROUTING_USED] = all.experts_used;
    figure[ROUTING_EFFECTIVE] = all.effective;
    figure[ROUTING_IDLE] = spread.idle;
    figure[ROUTING_LOAD_RATIO] = spread.max_over_mean;
    figure[ROUTING_LOAD_CV] = spread.cv;
    if (classes)
        MOT_TRY(measure_kinds(routed->classes, routed, routed->class_load, &figure[ROUTING_CLASS_PURITY], &figure[ROUTING_CLASS_NMI],
                              &figure[ROUTING_CLASS_AMI]));
    if (routed->groups > 0)
        MOT_TRY(measure_kinds(routed->groups, routed, routed->group_load, &figure[ROUTING_GROUP_PURITY], &figure[ROUTING_GROUP_NMI],
                              &figure[ROUTING_GROUP_AMI]));
done:
    return status;
}

/* ---- an evaluation ---- */

void mot_run_routing_begin(run_routing *routing)
{
    for (int f = 0; f < ROUTING_FIGURES; ++f) routing->figure[f] = NAN;
    for (int f = ROUTING_CONFIDENCE; f < ROUTING_FIGURES; ++f) routing->figure[f] = 0; /* sums */
}

/* How many of the choices `expert` [K] a sample had before, and what it has now comes in their place. */
static size_t replace(uint16_t *before, size_t stride, size_t K, const int32_t *expert, const int *origin)
{
    size_t same = 0;
    for (size_t k = 0; k < MOT_MIN(K, stride); ++k)
        for (size_t b = 0; b < stride; ++b) same += before[b] == origin[expert[k]];
    for (size_t b = 0; b < stride; ++b) before[b] = b < K ? (uint16_t)origin[expert[b]] : UINT16_MAX;
    return K > stride ? K : same;
}

void mot_run_routing_add(run_routing *routing, const mot_layer *layer, mot_gidx first, size_t n, const mot_layer_result *result)
{
    const size_t K = result->choices;
    double *figure = routing->figure;
    figure[ROUTING_CONFIDENCE] += result->confidence.top * (double)n;
    figure[ROUTING_MARGIN] += result->confidence.margin * (double)n;
    figure[ROUTING_GATE_ENTROPY] += result->confidence.entropy * (double)n;
    for (size_t p = 0; p < n && result->expert != NULL; ++p) {
        uint16_t *before = routing->chosen + ((size_t)first + p) * routing->stride;
        const int32_t *expert = result->expert + p * K;
        const bool known = before[0] != UINT16_MAX;
        figure[ROUTING_CHANGED] += known ? before[0] != layer->origin[expert[0]] : NAN;
        const size_t same = replace(before, routing->stride, K, expert, layer->origin);
        figure[ROUTING_SATURATION] += known ? (double)same / (double)K : NAN;
    }
    if (result->expert == NULL) figure[ROUTING_CHANGED] = figure[ROUTING_SATURATION] = NAN;
}

mot_status mot_run_routing_end(run_routing *routing, const run_routed *routed, mot_gidx samples)
{
    for (int f = ROUTING_CONFIDENCE; f < ROUTING_FIGURES; ++f) routing->figure[f] /= (double)samples;
    return measure(routing->figure, routed);
}

/* ---- on the terminal ---- */

static void add_kind(char text[160], const char *what, double purity, double nmi, double ami, const char *end)
{
    const size_t used = strlen(text);
    if (!isnan(nmi)) snprintf(text + used, 160 - used, "%s purity %.3f nmi %.3f ami %.3f%s", what, purity, nmi, ami, end);
}

void mot_run_routing_say(const double figure[ROUTING_FIGURES], char text[160])
{
    text[0] = '\0';
    add_kind(text, "class", figure[ROUTING_CLASS_PURITY], figure[ROUTING_CLASS_NMI], figure[ROUTING_CLASS_AMI],
             isnan(figure[ROUTING_GROUP_NMI]) ? "; " : ", ");
    add_kind(text, "group", figure[ROUTING_GROUP_PURITY], figure[ROUTING_GROUP_NMI], figure[ROUTING_GROUP_AMI], "; ");
}

void mot_run_routing_say_sure(const double figure[ROUTING_FIGURES], char text[40])
{
    text[0] = '\0';
    if (!isnan(figure[ROUTING_CONFIDENCE])) snprintf(text, 40, ", gate %.2f sure", figure[ROUTING_CONFIDENCE]);
}

/* ---- a step ---- */

static void count_kinds(size_t n, const mot_layer_result *of, int experts, const int32_t *kind, int64_t *load)
{
    for (size_t p = 0; p < n; ++p)
        if (kind[p] >= 0) ++load[(size_t)kind[p] * (size_t)experts + (size_t)of->expert[p * of->choices]];
}

static mot_status put_layer(const run_world *world, int layer, const mot_step_result *result, mot_json *json)
{
    const mot_layer_result *of = &result->layer[layer];
    const int E = world->model.layer[layer].experts;
    const size_t n = world->model.config->train.batch;
    run_routing routing;
    int64_t *class_load = NULL, *group_load = NULL;
    mot_status status;
    call(&routing, layer);
    for (int f = 0; f < ROUTING_FIGURES; ++f) routing.figure[f] = NAN;
    MOT_TRY(mot_allocate(&class_load, (size_t)world->classes * (size_t)E, sizeof *class_load, "counts of a step"));
    MOT_TRY(mot_allocate(&group_load, (size_t)world->groups * (size_t)E, sizeof *group_load, "counts of a step"));
    if (!isnan(result->loss)) { /* else it is left out, and its choices may mean nothing */
        count_kinds(n, of, E, result->label, class_load);
        if (world->groups > 0) count_kinds(n, of, E, result->group, group_load);
        routing.figure[ROUTING_CONFIDENCE] = of->confidence.top;
        routing.figure[ROUTING_MARGIN] = of->confidence.margin;
        routing.figure[ROUTING_GATE_ENTROPY] = of->confidence.entropy;
        MOT_TRY(measure(routing.figure, &(run_routed){E, world->classes, world->groups, of->load, class_load, group_load}));
    }
    for (int f = 0; f < ROUTING_FIGURES; ++f)
        if (!figures[f].of_eval && !(layer == 0 && f == ROUTING_LOAD_RATIO) && /* said of every gate */
            is_of((run_routing_figure)f, world->classes, world->groups))
            mot_json_real(json, routing.called[f].key, routing.figure[f]);
done:
    mot_free(class_load);
    mot_free(group_load);
    return status;
}

mot_status mot_run_routing_put_step(const run_world *world, const mot_step_result *result, mot_json *json)
{
    mot_status status = MOT_OK;
    for (int l = 0; l < world->model.layers && status == MOT_OK; ++l)
        if (result->layer[l].expert != NULL) status = put_layer(world, l, result, json);
    return status;
}
