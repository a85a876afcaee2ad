/* What an evaluation counts by layer, and what a run says and records of it. What went where in the first one the run counts itself
 * (run_count.c). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mot/log.h"
#include "mot/memory.h"
#include "run_private.h"

static size_t experts_of(const run_world *world, int layer)
{
    return (size_t)world->model.layer[layer].experts;
}

mot_status mot_run_layers_create(run_eval *eval, const run_world *world)
{
    const char *what = "counts of an evaluation";
    const int layers = world->model.layers;
    mot_status status;
    MOT_TRY(mot_allocate(&eval->layer, (size_t)layers, sizeof *eval->layer, what));
    for (int l = 0; l < layers; ++l) {
        run_layer_eval *of = &eval->layer[l];
        const size_t E = experts_of(world, l);
        eval->layers = l;
        MOT_TRY(mot_run_routing_create(&of->routing, world, l));
        if (l == 0) continue;
        MOT_TRY(mot_allocate(&of->load, E, sizeof *of->load, what));
        MOT_TRY(mot_allocate(&of->class_load, (size_t)world->classes * E, sizeof *of->class_load, what));
        MOT_TRY(mot_allocate(&of->group_load, (size_t)world->groups * E, sizeof *of->group_load, what));
    }
done:
    return status; /* released by mot_run_layers_destroy */
}

void mot_run_layers_destroy(run_eval *eval)
{
    for (int l = 0; eval->layer != NULL && l <= eval->layers; ++l) {
        mot_run_routing_destroy(&eval->layer[l].routing);
        mot_free(eval->layer[l].load);
        mot_free(eval->layer[l].class_load);
        mot_free(eval->layer[l].group_load);
    }
    mot_free(eval->layer);
}

void mot_run_layers_begin(run_eval *eval, const run_world *world)
{
    for (int l = 0; l <= eval->layers; ++l) {
        run_layer_eval *of = &eval->layer[l];
        const size_t E = experts_of(world, l);
        mot_run_routing_begin(&of->routing);
        if (l == 0) continue;
        memset(of->load, 0, E * sizeof *of->load);
        memset(of->class_load, 0, (size_t)world->classes * E * sizeof *of->class_load);
        memset(of->group_load, 0, (size_t)world->groups * E * sizeof *of->group_load);
    }
}

void mot_run_layers_add(run_eval *eval, const run_world *world, mot_gidx first, size_t n, const mot_step_result *result)
{
    for (int l = 0; l <= eval->layers; ++l) {
        const mot_layer_result *chose = &result->layer[l];
        run_layer_eval *of = &eval->layer[l];
        const size_t E = experts_of(world, l);
        mot_run_routing_add(&of->routing, &world->model.layer[l], first, n, chose);
        for (size_t p = 0; p < n && l > 0; ++p) {
            const size_t expert = (size_t)chose->expert[p * chose->choices];
            ++of->load[expert];
            if (result->label[p] >= 0) ++of->class_load[(size_t)result->label[p] * E + expert];
            if (result->group[p] >= 0 && world->groups > 0) ++of->group_load[(size_t)result->group[p] * E + expert];
        }
    }
}

mot_status mot_run_layers_end(run_eval *eval, const run_world *world)
{
    mot_status status = MOT_OK;
    for (int l = 0; l <= eval->layers && status == MOT_OK; ++l) {
        run_layer_eval *of = &eval->layer[l];
        const run_routed routed = {.experts = (int)experts_of(world, l),
                                   .classes = world->classes,
                                   .groups = world->eval_set.groups > 0 ? world->groups : 0,
                                   .load = l > 0 ? of->load : eval->load,
                                   .class_load = l > 0 ? of->class_load : eval->class_load,
                                   .group_load = l > 0 ? of->group_load : eval->group_load};
        status = mot_run_routing_end(&of->routing, &routed, world->eval_set.samples);
    }
    return status;
}

/* "layer1.entropy" */
static const char *key_of(char key[48], int layer, const char *figure)
{
    snprintf(key, 48, "layer%d.%s", layer, figure);
    return key;
}

void mot_run_layers_put(const run_eval *eval, const run_world *world, mot_json *json)
{
    char key[48];
    for (int l = 1; l <= eval->layers && eval->step >= 0; ++l)
        mot_json_ints(json, key_of(key, l, "eval_load"), experts_of(world, l), eval->layer[l].load);
}

static void put_bytes(mot_json *json, int l, const mot_layer_bytes *bytes)
{
    char key[48];
    mot_json_real(json, key_of(key, l, "moved_bytes"), bytes->moved);
    mot_json_real(json, key_of(key, l, "there_and_back_bytes"), bytes->there_and_back);
}

void mot_run_layers_put_step(const run_world *world, const mot_step_result *result, mot_json *json)
{
    char key[48];
    for (int l = 0; l < world->model.layers && world->model.flows > 0; ++l) put_bytes(json, l, &result->layer[l].bytes);
    for (int l = 1; l < world->model.layers; ++l) {
        const mot_layer_result *of = &result->layer[l];
        if (world->classes > 0 || world->groups > 0) mot_json_real(json, key_of(key, l, "purity"), of->purity);
        mot_json_real(json, key_of(key, l, "balance_loss"), of->balance.switch_loss);
        mot_json_real(json, key_of(key, l, "z_loss"), of->balance.z_loss);
        mot_json_ints(json, key_of(key, l, "load"), experts_of(world, l), of->load);
    }
}

void mot_run_layers_say(const run_eval *eval, const run_world *world, int indent, const char *more)
{
    for (int l = 0; l <= eval->layers && eval->seen == 1; ++l) { /* where every expert has every sample, loads say nothing */
        const double *figure = eval->layer[l].routing.figure;
        char layer[24] = "", kinds[160], changed[40] = "", sure[40];
        if (l > 0) snprintf(layer, sizeof layer, "layer %d: ", l);
        mot_run_routing_say(figure, kinds);
        mot_run_routing_say_sure(figure, sure);
        if (!isnan(figure[ROUTING_CHANGED])) snprintf(changed, sizeof changed, ", %.1f%% changed", 100 * figure[ROUTING_CHANGED]);
        mot_log_wrap(indent, "%*s%s%sentropy %.3f, experts used %.0f of %zu, %.2f effective%s%s%s", indent, "", layer, kinds,
                     figure[ROUTING_ENTROPY], figure[ROUTING_USED], experts_of(world, l), figure[ROUTING_EFFECTIVE], changed, sure,
                     l == 0 ? more : "");
    }
}

void mot_run_layers_put_bytes(const run_world *world, mot_json *json)
{
    const mot_step_work *work = mot_step_measure(world->step);
    for (int l = 0; l < world->model.layers && world->model.flows > 0; ++l) put_bytes(json, l, &work->layer[l]);
}

void mot_run_say_bytes(const mot_step_work *work)
{
    char bytes[32];
    for (int l = 0; l < MOT_MAX_LAYERS; ++l)
        if (work->layer[l].there_and_back > 0)
            mot_log_wrap(2, "layer %d moved %s between ranks, %.2f of what sending each state to its expert and back takes", l,
                         mot_run_bytes_text((size_t)work->layer[l].moved, bytes),
                         work->layer[l].moved / work->layer[l].there_and_back);
}

/* ---- the record ---- */

static mot_status record_layer(mot_record *record, mot_gidx step, int l, const mot_layer_result *of)
{
    const mot_record_gate gate = {of->confidence.top, of->confidence.margin, of->confidence.entropy};
    return mot_record_loads(record, step, l, of->load, of->importance, &gate);
}

mot_status mot_run_layers_record_step(mot_record *record, const run_world *world, mot_gidx step,
                                      const mot_step_result *result)
{
    mot_status status = MOT_OK;
    for (int l = 0; l < world->model.layers && status == MOT_OK; ++l)
        status = record_layer(record, step, l, &result->layer[l]);
    return status;
}

mot_status mot_run_layers_record_choices(mot_record *record, const run_world *world, mot_gidx step, bool evaluation,
                                         size_t n, const mot_step_result *result)
{
    mot_status status = MOT_OK;
    for (int l = 0; l < world->model.layers && status == MOT_OK; ++l) {
        const mot_layer_result *of = &result->layer[l];
        if (of->expert == NULL) continue;
        status = mot_record_assign(record, step, l, evaluation, n, result->sample, result->label, result->group, of->expert,
                                   of->prob, evaluation ? result->predicted : NULL, evaluation ? result->sample_loss : NULL);
    }
    return status;
}

mot_status mot_run_layers_record_eval(mot_record *record, const run_eval *eval, mot_gidx step, bool groups)
{
    mot_status status = mot_record_snapshot(record, step, 0, eval->class_load, eval->group_load);
    for (int l = 1; l <= eval->layers && status == MOT_OK; ++l)
        status = mot_record_snapshot(record, step, l, eval->layer[l].class_load, groups ? eval->layer[l].group_load : NULL);
    return status;
}
