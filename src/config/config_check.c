/* What concerns several keys. What concerns the data set is checked where the data set is known. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config_reader.h"
#include "mot/choose.h"
#include "mot/gate.h"
#include "mot/source.h"
#include "mot/stage_action.h"

/* A sentence about `key`, with the place where it was given. */
#define FAIL(reader, key, ...) fail_at(reader, mot_option_find(key), __VA_ARGS__)
static mot_status fail_at(const mot_config_reader *reader, int option, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static mot_status fail_at(const mot_config_reader *reader, int option, const char *format, ...)
{
    char place[MOT_PLACE], sentence[600];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    return mot_fail(MOT_ERR_INPUT, "%s: %s", mot_reader_place(reader, reader->given[option].where, place),
                    sentence);
}

static mot_status check_placement(const mot_config_reader *reader)
{
    char place[MOT_PLACE];
    const long where = reader->given[mot_option_find("route.placement")].where;
    if (reader->config.layers > 0) return MOT_OK; /* each layer has its own */
    return mot_check_placement(mot_reader_place(reader, where, place), "route.placement", reader->config.route.placement,
                               reader->config.model.experts);
}

/* An argument may take another source than the file has, whose keys are then about nothing. */
static mot_status check_source(const mot_config_reader *reader)
{
    const mot_config *config = &reader->config;
    const bool other = reader->given[mot_option_find("data.source")].where < 0;
    const mot_source_kind *source = mot_source_kind_at(config->data.source);
    const char *missing = source->missing != NULL ? source->missing(&config->data) : NULL;
    for (int option = 0; option < mot_option_count; ++option)
        if ((other ? reader->given[option].where < 0 : reader->given[option].where != 0) &&
            !mot_option_in_effect(&mot_options[option], config))
            return strncmp(mot_options[option].key, "model.", 6) == 0
                       ? fail_at(reader, option, "%s has no effect without model.layers", mot_options[option].key)
                       : fail_at(reader, option, "%s has no effect while data.source is %s", mot_options[option].key,
                                 source->kind.name);
    if (missing != NULL) return mot_fail(MOT_ERR_INPUT, "%s: %s is missing", reader->name, missing);
    return MOT_OK;
}

static mot_status check_stages(const mot_config_reader *reader)
{
    const mot_config *config = &reader->config;
    char place[MOT_PLACE];
    const int name = mot_option_find_in_stage("name");
    for (int i = 0; i < config->stages; ++i)
        for (int j = 0; j < i; ++j)
            if (strcmp(config->stage[i].name, config->stage[j].name) == 0)
                return mot_fail(MOT_ERR_INPUT, "%s: stages.%d.name = %s: stage %d has the same name",
                                mot_reader_place(reader, reader->stage_given[i][name].where, place), i,
                                config->stage[i].name, j);
    return MOT_OK;
}

static mot_status check_actions(const mot_config_reader *reader)
{
    const mot_config *config = &reader->config;
    const int option = mot_option_find_in_stage("action");
    char place[MOT_PLACE];
    for (int s = 0; s < config->stages; ++s) {
        const mot_stage_action *action = mot_stage_action_at(config->stage[s].action);
        const char *useless = action->useless != NULL ? action->useless(config, s) : NULL;
        const long own = reader->stage_given[s][option].where;
        if (useless != NULL)
            return mot_fail(MOT_ERR_INPUT, "%s: stage '%s': action = %s: %s",
                            mot_reader_place(reader, own != 0 ? own : reader->given[option].where, place),
                            config->stage[s].name, action->kind.name, useless);
    }
    return MOT_OK;
}

/* An end that the noise never comes to; in a stage of a list, where it was given there. */
static mot_status check_noise(const mot_config_reader *reader)
{
    const int option = mot_option_find("route.noise_end");
    char place[MOT_PLACE];
    for (int s = 0; s < reader->config.stages; ++s) {
        const mot_exploration *explore = &reader->config.stage[s].explore;
        const mot_given *own = &reader->stage_given[s][option];
        if (explore->noise_steps.steps > 0 || explore->noise_steps.percent != 0 || explore->noise_end == 0)
            continue;
        if (own->where == 0)
            return FAIL(reader, "route.noise_end",
                        "route.noise_end has no effect while route.noise_steps is 0");
        return mot_fail(MOT_ERR_INPUT, "%s: stages.%d.noise_end has no effect while noise_steps is 0",
                        mot_reader_place(reader, own->where, place), s);
    }
    return MOT_OK;
}

/* `train.rate=0.1` would change nothing where the file gives every stage a rate of its own. */
static mot_status check_without_effect(const mot_config_reader *reader)
{
    for (int option = 0; option < mot_option_count; ++option) {
        if (reader->given[option].where >= 0 || mot_options[option].stage_key == NULL) continue;
        int own = 0;
        while (own < reader->config.stages && reader->stage_given[own][option].where > 0) ++own;
        if (own == reader->config.stages)
            return mot_fail(MOT_ERR_INPUT,
                            "argument %ld: %s has no effect, since the file gives it for every stage; "
                            "use stages.0.%s",
                            -reader->given[option].where, mot_options[option].key,
                            mot_options[option].stage_key);
    }
    return MOT_OK;
}

/* What is to happen after something that never happens, or at the end of the run alone. */
static mot_status check_rebalance(const mot_config_reader *reader)
{
    const mot_config *config = &reader->config;
    const mot_rebalance when = config->route.rebalance;
    if (when == MOT_REBALANCE_EVAL && config->eval.every == 0)
        return FAIL(reader, "route.rebalance", "route.rebalance = eval has no effect while eval.every is 0");
    if (when == MOT_REBALANCE_CHECKPOINT && config->checkpoint.every == 0)
        return FAIL(reader, "route.rebalance",
                    "route.rebalance = checkpoint has no effect while checkpoint.every is 0");
    if (when == MOT_REBALANCE_STAGE && config->stages == 1 && !mot_source_kind_at(config->data.source)->tasks)
        return FAIL(reader, "route.rebalance",
                    "route.rebalance = stage has no effect where there is one stage");
    return MOT_OK;
}

/* Where the gate sends every sample to every expert there is nothing to choose, and what concerns choices has no meaning. */
static mot_status check_spread(const mot_config_reader *reader)
{
    const mot_config *config = &reader->config;
    const mot_route_config *route = &config->route;
    const char *kind = mot_gate_kind_at(config->gate.kind)->kind.name;
    if (!mot_gate_kind_at(config->gate.kind)->spread) return MOT_OK;
    if (mot_choice_count(route, config->model.experts) != (size_t)config->model.experts)
        return FAIL(reader, "route.top_k", "gate.kind = %s sends every sample to every expert: route.top_k must be all, not %d",
                    kind, route->top_k);
    bool z_loss = false, bias = false;
    for (int s = 0; s < config->stages; ++s) {
        z_loss = z_loss || config->stage[s].explore.z_loss > 0;
        bias = bias || config->stage[s].explore.balance_bias > 0;
    }
    const struct {
        const char *key;
        bool set;
    } no[] = {{"route.scale", route->scale != MOT_SCALE_PROB},
              {"route.combine", route->combine != MOT_COMBINE_OUTPUTS},
              {"route.chunks", route->chunks > 1},
              {"route.split", route->split},
              {"route.payload", route->payload != MOT_PAYLOAD_FP32},
              {"route.z_loss", z_loss},
              {"route.balance_bias", bias}};
    for (size_t i = 0; i < MOT_COUNT(no); ++i)
        if (no[i].set)
            return FAIL(reader, no[i].key, "%s has no effect with gate.kind = %s, which sends every sample to every expert",
                        no[i].key, kind);
    return MOT_OK;
}

/* With one expert a sample a mixture of probabilities is that expert's, whatever its weight, and the gate would hear nothing. */
static mot_status check_combine(const mot_config_reader *reader)
{
    const mot_config *config = &reader->config;
    const mot_loss_kind *loss = mot_loss_kind_at(config->train.loss);
    if (config->route.combine == MOT_COMBINE_OUTPUTS) return MOT_OK;
    if (config->layers > 0)
        return FAIL(reader, "route.combine",
                    "route.combine = probabilities has no effect with model.layers: experts of a layer make states, not probabilities");
    if (!loss->softmax)
        return FAIL(reader, "route.combine",
                    "route.combine = probabilities needs train.loss = cross_entropy: with %s outputs are no logarithms of probabilities",
                    loss->kind.name);
    if (config->route.top_k == 1)
        return FAIL(reader, "route.combine",
                    "route.combine = probabilities needs route.top_k of at least 2, or all: of one expert the weight does not count, and "
                    "the gate would not learn");
    return MOT_OK;
}

/* A gate that tells classes has one expert for all of them until they are grouped. */
static mot_status check_groups(const mot_config_reader *reader)
{
    const mot_config *config = &reader->config;
    const mot_gate_kind *gate = mot_gate_kind_at(config->gate.kind);
    if (gate->group == NULL && config->gate.prototypes > 1)
        return FAIL(reader, "gate.prototypes", "gate.prototypes has no effect with gate.kind = %s: expected gate.kind = classes",
                    gate->kind.name);
    if (gate->group == NULL || mot_groups_to_come(config, 0)) return MOT_OK;
    return FAIL(reader, "gate.kind",
                "gate.kind = %s sends every sample to the first expert until a stage has ended with action: group, and none does",
                gate->kind.name);
}

/* A configuration may have keys for strategies that are tried in turn; one that is given with a strategy that has no use for it
 * is a mistake. */
static mot_status check_rehearsal(const mot_config_reader *reader)
{
    const mot_rehearsal_config *r = &reader->config.rehearsal;
    const bool remembers = mot_rehearsal_remembers(r), revisits = mot_rehearsal_revisits(r),
               compares = mot_rehearsal_compares(r), hybrid = r->strategy == MOT_REHEARSE_HYBRID;
    const char *name = mot_option_choice(&mot_options[mot_option_find("rehearsal.strategy")], r->strategy);
    const struct {
        const char *key;
        bool used;
    } keys[] = {{"rehearsal.memory", remembers},        {"rehearsal.memory_form", remembers},
                {"rehearsal.share", remembers},
                {"rehearsal.order", revisits},          {"rehearsal.tau", hybrid},
                {"rehearsal.parts", compares},          {"rehearsal.cosine_samples", compares},
                {"rehearsal.compare_after", compares}};
    mot_memory_size size;
    if (!mot_memory_size_parse(r->memory, r->memory_form, &size))
        return FAIL(reader, "rehearsal.memory",
                    "rehearsal.memory = %s: with rehearsal.memory_form = %s expected samples (500), bytes (4 MiB)%s", r->memory,
                    mot_option_choice(&mot_options[mot_option_find("rehearsal.memory_form")], r->memory_form),
                    r->memory_form == MOT_MEMORY_TASK    ? ", or samples a task (100 a task)"
                    : r->memory_form == MOT_MEMORY_CLASS ? ", or samples a class (20 a class)"
                                                         : "");
    if (r->freeze_old && r->grow == 0)
        return FAIL(reader, "rehearsal.freeze_old",
                    "rehearsal.freeze_old has no effect while rehearsal.grow is 0: no expert is an old task's");
    if (r->grow > 0 && r->gate_tasks > 0)
        return FAIL(reader, "rehearsal.gate_tasks",
                    "rehearsal.gate_tasks = %d: a gate that stands still would choose none of the experts that "
                    "rehearsal.grow = %d has later tasks begin with",
                    r->gate_tasks, r->grow);
    for (size_t i = 0; i < MOT_COUNT(keys); ++i)
        if (!keys[i].used && reader->given[mot_option_find(keys[i].key)].where < 0)
            return FAIL(reader, keys[i].key, "%s has no effect with rehearsal.strategy = %s%s", keys[i].key, name,
                        revisits && !compares && i > 4 ? " in this rehearsal.order" : "");
    return MOT_OK;
}

/* What is said of values that are drawn. */
static mot_status check_initial(const mot_config_reader *reader)
{
    static const char *const keys[] = {"init.parts", "init.noise"};
    for (size_t i = 0; i < MOT_COUNT(keys); ++i)
        if (reader->config.init.from[0] == '\0' && reader->given[mot_option_find(keys[i])].where != 0 &&
            (reader->config.init.noise > 0 || reader->config.init.parts != (1u << MOT_PARTS) - 1))
            return FAIL(reader, keys[i], "%s has no effect without init.from", keys[i]);
    return MOT_OK;
}

mot_status mot_config_check(mot_config_reader *reader)
{
    const mot_config *config = &reader->config;
    const mot_expert_config *model = &config->model;
    const mot_route_config *route = &config->route;
    mot_status status = check_source(reader);
    if (status == MOT_OK) status = mot_layers_check(reader);
    if (status != MOT_OK) return status;
    if (config->layers == 0 && model->width % model->heads != 0)
        return FAIL(reader, "model.width", "model.width = %zu is not divisible by model.heads = %zu",
                    model->width, model->heads);
    if (route->top_k > model->experts)
        return FAIL(reader, "route.top_k", "route.top_k = %d is more than model.experts = %d", route->top_k,
                    model->experts);
    status = check_noise(reader);
    if (status != MOT_OK) return status;
    if (config->train.batch > 0 && (size_t)route->chunks > config->train.batch)
        return FAIL(reader, "route.chunks", "route.chunks = %d is more than train.batch = %zu", route->chunks,
                    config->train.batch);
    status = check_spread(reader);
    if (status == MOT_OK) status = check_combine(reader);
    if (status == MOT_OK) status = check_placement(reader);
    if (status == MOT_OK) status = check_rebalance(reader);
    if (status == MOT_OK) status = check_rehearsal(reader);
    if (status == MOT_OK) status = check_initial(reader);
    if (status == MOT_OK) status = check_stages(reader);
    if (status == MOT_OK) status = check_actions(reader);
    if (status == MOT_OK) status = check_groups(reader);
    return status == MOT_OK ? check_without_effect(reader) : status;
}
