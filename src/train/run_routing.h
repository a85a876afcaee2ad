/* run_routing.h: figures of the routing of a layer, over an evaluation or a batch. The root's. Part of run_reporter.h. */
#ifndef MOT_RUN_ROUTING_H
#define MOT_RUN_ROUTING_H

#include "mot/record.h"
#include "run_world.h"

/* run_routing.c says what each is. */
typedef enum run_routing_figure {
    ROUTING_CLASS_PURITY,
    ROUTING_CLASS_NMI,
    ROUTING_CLASS_AMI,
    ROUTING_GROUP_PURITY,
    ROUTING_GROUP_NMI,
    ROUTING_GROUP_AMI,
    ROUTING_ENTROPY,
    ROUTING_USED,
    ROUTING_EFFECTIVE,
    ROUTING_IDLE,
    ROUTING_LOAD_RATIO,
    ROUTING_LOAD_CV,
    ROUTING_CONFIDENCE,
    ROUTING_MARGIN,
    ROUTING_GATE_ENTROPY,
    ROUTING_CHANGED,
    ROUTING_SATURATION,
    ROUTING_FIGURES
} run_routing_figure;

typedef struct run_routing {
    double figure[ROUTING_FIGURES]; /* NaN: there is no such thing */
    struct {
        char name[40], key[40];
    } called[ROUTING_FIGURES]; /* in the record, and in log.jsonl */
    size_t stride;
    uint16_t *chosen; /* [samples, stride]: choices of the evaluation before, by numbers in the beginning; UINT16_MAX: not known */
} run_routing;

/* Where samples went: first choices but for the load of a step, which is of all. */
typedef struct run_routed {
    int experts, classes, groups; /* classes, groups 0: there are none */
    const int64_t *load, *class_load, *group_load; /* [E], [classes, E], [groups, E] */
} run_routed;

mot_status mot_run_routing_create(run_routing *routing, const run_world *world, int layer);
void mot_run_routing_destroy(run_routing *routing);

/* An evaluation: begin; add each pass, samples [first, first + n); end. */
void mot_run_routing_begin(run_routing *routing);
void mot_run_routing_add(run_routing *routing, const mot_layer *layer, mot_gidx first, size_t n, const mot_layer_result *result);
mot_status mot_run_routing_end(run_routing *routing, const run_routed *routed, mot_gidx samples);

/* The figures that there are of a layer, but for those of the first which the run has among its own, and where their values stand:
 * list, value [ROUTING_FIGURES]. */
size_t mot_run_routing_list(run_routing *routing, const run_world *world, int layer, mot_eval_figure *list, double **value);

/* "class purity 0.325 nmi 0.360 ami 0.210, group ..., " as far as there is any of it; and "; gate 0.83 sure". */
void mot_run_routing_say(const double figure[ROUTING_FIGURES], char text[160]);
void mot_run_routing_say_sure(const double figure[ROUTING_FIGURES], char text[40]);

/* Of the batch of a step, for all layers. */
mot_status mot_run_routing_put_step(const run_world *world, const mot_step_result *result, mot_json *json);

#endif
