/* What an evaluation counts of the layers behind the first, and what a run says and records of them. The first one's is the
 * run's own (run_count.c). */
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
    for (int l = 1; l < layers; ++l) {
        run_layer_eval *of = &eval->layer[l];
        const size_t E = experts_of(world, l);
        ++eval->layers;
        MOT_TRY(mot_allocate(&of->load, E, sizeof *of->load, what));
        MOT_TRY(mot_allocate(&of->class_load, (size_t)world->classes * E, sizeof *of->class_load, what));
        MOT_TRY(mot_allocate(&of->group_load, (size_t)world->groups * E, sizeof *of->group_load, what));
    }
done:
    return status; /* released by mot_run_layers_destroy */
}

void mot_run_layers_destroy(run_eval *eval)
{
    for (int l = 1; l <= eval->layers; ++l) {
        mot_free(eval->layer[l].load);
        mot_free(eval->layer[l].class_load);
        mot_free(eval->layer[l].group_load);
    }
    mot_free(eval->layer);
}

void mot_run_layers_begin(run_eval *eval, const run_world *world)
{
    for (int l = 1; l <= eval->layers; ++l) {
        run_layer_eval *of = &eval->layer[l];
        const size_t E = experts_of(world, l);
        memset(of->load, 0, E * sizeof *of->load);
        memset(of->class_load, 0, (size_t)world->classes * E * sizeof *of->class_load);
        memset(of->group_load, 0, (size_t)world->groups * E * sizeof *of->group_load);
    }
}

void mot_run_layers_add(run_eval *eval, const run_world *world, size_t n, const mot_step_result *result)
{
    for (int l = 1; l <= eval->layers; ++l) {
        const mot_layer_result *chose = &result->layer[l];
        run_layer_eval *of = &eval->layer[l];
        const size_t E = experts_of(world, l);
        for (size_t p = 0; p < n; ++p) {
            const size_t expert = (size_t)chose->expert[p * chose->choices];
            ++of->load[expert];
            if (result->label[p] >= 0) ++of->class_load[(size_t)result->label[p] * E + expert];
            if (result->group[p] >= 0 && world->groups > 0) ++of->group_load[(size_t)result->group[p] * E + expert];
        }
    }
}

void mot_run_layers_end(run_eval *eval, const run_world *world)
{
    for (int l = 1; l <= eval->layers; ++l) {
        run_layer_eval *of = &eval->layer[l];
        const int E = (int)experts_of(world, l);
        of->by_class = world->classes > 0 ? mot_specialize(world->classes, E, of->class_load)
                                          : mot_specialize(1, E, of->load);
        if (world->groups > 0) of->by_group = mot_specialize(world->groups, E, of->group_load);
    }
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
    for (int l = 1; l <= eval->layers && eval->step >= 0; ++l) {
        const run_layer_eval *of = &eval->layer[l];
        if (world->classes > 0) {
            mot_json_real(json, key_of(key, l, "class_purity"), of->by_class.purity);
            mot_json_real(json, key_of(key, l, "class_nmi"), of->by_class.nmi);
        }
        if (world->groups > 0) {
            mot_json_real(json, key_of(key, l, "group_purity"), of->by_group.purity);
            mot_json_real(json, key_of(key, l, "group_nmi"), of->by_group.nmi);
        }
        mot_json_real(json, key_of(key, l, "entropy"), of->by_class.entropy);
        mot_json_int(json, key_of(key, l, "experts_used"), of->by_class.experts_used);
        mot_json_real(json, key_of(key, l, "experts_effective"), of->by_class.effective);
        mot_json_ints(json, key_of(key, l, "eval_load"), experts_of(world, l), of->load);
    }
}

void mot_run_layers_put_step(const run_world *world, const mot_step_result *result, mot_json *json)
{
    char key[48];
    for (int l = 1; l < world->model.layers; ++l) {
        const mot_layer_result *of = &result->layer[l];
        if (world->classes > 0 || world->groups > 0) mot_json_real(json, key_of(key, l, "purity"), of->purity);
        mot_json_real(json, key_of(key, l, "balance_loss"), of->balance.switch_loss);
        mot_json_real(json, key_of(key, l, "z_loss"), of->balance.z_loss);
        mot_json_ints(json, key_of(key, l, "load"), experts_of(world, l), of->load);
    }
}

void mot_run_layers_say(const run_eval *eval, const run_world *world, int indent)
{
    for (int l = 1; l <= eval->layers; ++l) {
        const run_layer_eval *of = &eval->layer[l];
        char by_class[64] = "", by_group[64] = "";
        if (world->classes > 0)
            snprintf(by_class, sizeof by_class, "class purity %.3f nmi %.3f, ", of->by_class.purity, of->by_class.nmi);
        if (world->groups > 0)
            snprintf(by_group, sizeof by_group, "group purity %.3f nmi %.3f; ", of->by_group.purity, of->by_group.nmi);
        mot_log_wrap(indent, "%*slayer %d: %s%sentropy %.3f, experts used %d of %zu, %.2f effective", indent, "", l, by_class,
                     by_group, of->by_class.entropy, of->by_class.experts_used, experts_of(world, l), of->by_class.effective);
    }
}

/* ---- the record ---- */

mot_status mot_run_layers_record_step(mot_record *record, const run_world *world, mot_gidx step,
                                      const mot_step_result *result)
{
    mot_status status = MOT_OK;
    for (int l = 0; l < world->model.layers && status == MOT_OK; ++l)
        status = mot_record_loads(record, step, l, result->layer[l].load, result->layer[l].importance);
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
