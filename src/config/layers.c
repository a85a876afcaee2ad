/* The list model.layers: a map of one entry each, `dense: {depth: 1}`, whose keys are those of model.*, gate.* and route.* that a
 * layer may have for itself. What it leaves out is as it stands there. */
#include <string.h>

#include "config_reader.h"
#include "mot/expert.h"
#include "mot/gate.h"

const char *const mot_layer_names[] = {"embed", "dense", "experts", "head", NULL};

/* A key of a layer is an option under another name, in a field of its own. */
typedef struct layer_key {
    const char *name, *option;
    unsigned roles; /* bits 1u << mot_layer_role */
    unsigned own; /* bit 1u << mot_own_key of what is a stage's where a layer does not say it */
} layer_key;

enum {
    EMBED = 1u << MOT_LAYER_EMBED,
    DENSE = 1u << MOT_LAYER_DENSE,
    EXPERTS = 1u << MOT_LAYER_EXPERTS,
    HEAD = 1u << MOT_LAYER_HEAD
};

static const layer_key keys[] = {
    {"patch", "model.patch", EMBED, 0},
    {"width", "model.width", EMBED, 0},
    {"count", "model.experts", EXPERTS, 0},
    {"depth", "model.depth", DENSE | EXPERTS, 0},
    {"heads", "model.heads", DENSE | EXPERTS, 0},
    {"ffn", "model.ffn", DENSE | EXPERTS, 0},
    {"pool", "model.pool", HEAD, 0},
    {"tie", "model.tie", EXPERTS, 0},
    {"tile", "model.tile", EMBED | DENSE | EXPERTS | HEAD, 0},
    {"strip", "model.strip", EMBED | DENSE | EXPERTS | HEAD, 0},
    {"residual", "model.residual", EXPERTS, 0},
    {"shared", "model.shared", EXPERTS, 0},
    {"gate.kind", "gate.kind", EXPERTS, 0},
    {"gate.told", "gate.told", EXPERTS, 0},
    {"gate.input", "gate.input", EXPERTS, 0},
    {"gate.hidden", "gate.hidden", EXPERTS, 0},
    {"gate.init", "gate.init", EXPERTS, 0},
    {"route.top_k", "route.top_k", EXPERTS, 0},
    {"route.scale", "route.scale", EXPERTS, 0},
    {"route.placement", "route.placement", EXPERTS, 0},
    {"route.noise", "route.noise", EXPERTS, 1u << MOT_OWN_NOISE},
    {"route.noise_scale", "route.noise_scale", EXPERTS, 1u << MOT_OWN_NOISE_SCALE},
    {"route.noise_end", "route.noise_end", EXPERTS, 1u << MOT_OWN_NOISE_END},
    {"route.noise_steps", "route.noise_steps", EXPERTS, 1u << MOT_OWN_NOISE_STEPS},
    {"route.balance_loss", "route.balance_loss", EXPERTS, 1u << MOT_OWN_BALANCE_LOSS},
    {"route.z_loss", "route.z_loss", EXPERTS, 1u << MOT_OWN_Z_LOSS},
    {"route.balance_bias", "route.balance_bias", EXPERTS, 1u << MOT_OWN_BALANCE_BIAS},
};

_Static_assert(MOT_COUNT(keys) <= MOT_LAYER_KEYS, "mot_config_reader has room for every key of a layer");

/* Whether a layer has the key: of what is a stage's otherwise, whether it says it itself. */
static bool has(const mot_layer_config *of, const layer_key *key)
{
    return (key->roles >> of->role & 1u) && (key->own == 0 || (of->route.own & key->own) != 0);
}

static const layer_key *find_key(const char *name)
{
    for (size_t i = 0; i < MOT_COUNT(keys); ++i)
        if (strcmp(keys[i].name, name) == 0) return &keys[i];
    return NULL;
}

/* The option of a key, whose field is in a layer. */
static mot_option option_of(const layer_key *key)
{
    static const char *const inputs[] = {"mean", "sum", "flat", "state", NULL}; /* one more than a sample has */
    mot_option option = mot_options[mot_option_find(key->option)];
    if (strcmp(key->option, "gate.input") == 0) option.choices = inputs;
    const size_t offset = option.offset;
    if (strncmp(key->option, "gate.", 5) == 0)
        option.offset = offsetof(mot_layer_config, gate) + (offset - offsetof(mot_config, gate));
    else if (key->own != 0)
        option.offset = offsetof(mot_layer_config, route.explore) + (offset - offsetof(mot_stage_config, explore));
    else if (strncmp(key->option, "route.", 6) == 0)
        option.offset = offsetof(mot_layer_config, route) + (offset - offsetof(mot_config, route));
    else if (strcmp(key->option, "model.residual") == 0)
        option.offset = offsetof(mot_layer_config, residual);
    else if (strcmp(key->option, "model.shared") == 0)
        option.offset = offsetof(mot_layer_config, shared);
    else
        option.offset = offsetof(mot_layer_config, model) + (offset - offsetof(mot_config, model));
    return option;
}

mot_status mot_layer_set(mot_config_reader *reader, int layer, const char *name, const char *text, long where)
{
    mot_layer_config *of = &reader->config.layer[layer];
    const layer_key *key = find_key(name);
    char place[MOT_PLACE], shown[80], wanted[600];
    mot_reader_place(reader, where, place);
    if (key == NULL || !(key->roles >> of->role & 1u)) {
        char known[400] = "";
        for (size_t i = 0; i < MOT_COUNT(keys); ++i) {
            const size_t used = strlen(known);
            if (keys[i].roles >> of->role & 1u)
                snprintf(known + used, sizeof known - used, "%s%s", used > 0 ? ", " : "", keys[i].name);
        }
        return mot_fail(MOT_ERR_INPUT, "%s: unknown key 'model.layers.%d.%s': %s has %s", place, layer,
                        mot_shown(name, shown), mot_layer_names[of->role], known);
    }
    const mot_option option = option_of(key);
    mot_given *given = &reader->layer_given[layer][key - keys];
    if (where > 0 && given->where > 0)
        return mot_fail(MOT_ERR_INPUT, "%s: model.layers.%d.%s is given twice, first in line %ld", place, layer, name,
                        given->where);
    if (!mot_option_set(&option, of, text)) {
        mot_option_expected(&option, wanted, sizeof wanted);
        mot_option_value_hint(&option, text, wanted, sizeof wanted);
        return mot_fail(MOT_ERR_INPUT, "%s: model.layers.%d.%s = %s: expected %s", place, layer, name,
                        mot_shown(text, shown), wanted);
    }
    given->where = where != 0 ? where : 1;
    of->route.own |= key->own;
    return MOT_OK;
}

void mot_layer_begin(mot_config_reader *reader, int layer, mot_layer_role role)
{
    const mot_config *config = &reader->config;
    mot_layer_config *of = &reader->config.layer[layer];
    memset(of, 0, sizeof *of);
    of->role = role;
    of->model = config->model;
    of->gate = config->gate;
    of->route = config->route;
    of->residual = config->residual;
    of->shared = config->shared;
    of->gate.input = MOT_GATE_STATE;
    of->model.tie = 0;
    snprintf(of->route.placement, sizeof of->route.placement, "even");
}

/* ---- what concerns several of them ---- */

static mot_status refuse(const mot_config_reader *reader, const char *key, const char *why)
{
    char place[MOT_PLACE];
    return mot_fail(MOT_ERR_INPUT, "%s: %s: %s", mot_reader_place(reader, reader->given[mot_option_find(key)].where, place),
                    key, why);
}

/* Of those that a whole layer of transformers can have alone. */
static mot_status check_alone(const mot_config_reader *reader)
{
    const mot_config *config = &reader->config;
    if (config->route.split) return refuse(reader, "route.split", "experts of model.layers are not helped by other ranks");
    if (config->route.rebalance != MOT_REBALANCE_NEVER)
        return refuse(reader, "route.rebalance", "experts of model.layers stay where they are: expected never");
    if (strcmp(mot_expert_kinds.row[config->model.kind]->name, "encoder") != 0)
        return refuse(reader, "model.kind", "experts of model.layers are blocks of an encoder");
    if (config->model.precision != MOT_RULE_FP32 && config->model.precision != MOT_RULE_BF16_ALWAYS)
        return refuse(reader, "model.precision", "what is faster is not measured for model.layers: expected fp32 or bf16_always");
    if (config->rehearsal.grow > 0)
        return refuse(reader, "rehearsal.grow", "layers of model.layers do not grow: expected 0");
    for (int s = 0; s < config->stages; ++s)
        if (config->stage[s].action != 0)
            return refuse(reader, "model.layers", "experts of model.layers do not go: expected stages without an action");
    return MOT_OK;
}

static mot_status check_order(const mot_config_reader *reader)
{
    const mot_config *config = &reader->config;
    int experts = 0;
    for (int i = 0; i < config->layers; ++i) {
        const mot_layer_role role = config->layer[i].role;
        experts += role == MOT_LAYER_EXPERTS;
        if ((role == MOT_LAYER_EMBED) != (i == 0))
            return mot_fail(MOT_ERR_INPUT, "%s: model.layers: expected embed first, and nowhere else", reader->name);
        if ((role == MOT_LAYER_HEAD) != (i + 1 == config->layers))
            return mot_fail(MOT_ERR_INPUT, "%s: model.layers: expected head last, and nowhere else", reader->name);
    }
    if (experts == 0)
        return mot_fail(MOT_ERR_INPUT, "%s: model.layers: expected a layer of experts (count: 1 is one that all samples pass)",
                        reader->name);
    return MOT_OK;
}

/* An end that a layer's noise comes to in no stage. */
static mot_status check_noise(const mot_config_reader *reader, int number)
{
    const mot_config *config = &reader->config;
    const mot_route_config *route = &config->layer[number].route;
    bool falls = false;
    for (int s = 0; s < config->stages; ++s) {
        const mot_span *steps =
            route->own >> MOT_OWN_NOISE_STEPS & 1u ? &route->explore.noise_steps : &config->stage[s].explore.noise_steps;
        falls = falls || steps->steps > 0 || steps->percent != 0;
    }
    if (falls || route->explore.noise_end == 0) return MOT_OK;
    return mot_fail(MOT_ERR_INPUT, "%s: model.layers.%d: route.noise_end has no effect while noise_steps is 0", reader->name, number);
}

/* What a layer of experts says must fit together, as of a model of one layer. */
static mot_status check_experts(const mot_config_reader *reader, int number)
{
    const mot_layer_config *of = &reader->config.layer[number];
    const mot_gate_kind *gate = mot_gate_kind_at(of->gate.kind);
    char what[64];
    mot_status status;
    snprintf(what, sizeof what, "model.layers.%d", number);
    if (of->route.top_k > of->model.experts)
        return mot_fail(MOT_ERR_INPUT, "%s: %s: route.top_k = %d of %d experts", reader->name, what, of->route.top_k,
                        of->model.experts);
    if (gate->spread)
        return mot_fail(MOT_ERR_INPUT, "%s: %s: gate.kind = %s sends every sample to every expert; expected one that chooses",
                        reader->name, what, mot_gate_kinds.row[of->gate.kind]->name);
    if (gate->group != NULL)
        return mot_fail(MOT_ERR_INPUT, "%s: %s: gate.kind = %s deals classes to whole transformers; expected one that does not",
                        reader->name, what, mot_gate_kinds.row[of->gate.kind]->name);
    if (!gate->told && of->gate.told != reader->config.gate.told) /* a run's own copy says it of every layer */
        return mot_fail(MOT_ERR_INPUT, "%s: %s: gate.told has no effect with gate.kind = %s, which is told nothing", reader->name,
                        what, gate->kind.name);
    MOT_TRY(check_noise(reader, number));
    status = mot_check_placement(reader->name, what, of->route.placement, of->model.experts);
done:
    return status;
}

/* `model.depth=3` would change nothing where the file gives every layer a depth of its own. */
static mot_status check_arguments(const mot_config_reader *reader)
{
    for (size_t k = 0; k < MOT_COUNT(keys); ++k) {
        const long where = reader->given[mot_option_find(keys[k].option)].where;
        int last = -1, own = 0, all = 0;
        for (int i = 0; i < reader->config.layers; ++i) {
            if (!(keys[k].roles >> reader->config.layer[i].role & 1u)) continue;
            last = i;
            ++all;
            own += reader->layer_given[i][k].where > 0;
        }
        if (where < 0 && own == all)
            return mot_fail(MOT_ERR_INPUT, "argument %ld: %s has no effect, since the file gives it for every layer; use model.layers.%d.%s",
                            -where, keys[k].option, last, keys[k].name);
    }
    return MOT_OK;
}

mot_status mot_layers_check(mot_config_reader *reader)
{
    mot_config *config = &reader->config;
    mot_status status = MOT_OK;
    if (config->layers == 0) return MOT_OK;
    MOT_TRY(check_order(reader));
    MOT_TRY(check_alone(reader));
    MOT_TRY(check_arguments(reader));
    const mot_layer_config *const embed = &config->layer[0], *const head = &config->layer[config->layers - 1];
    for (int i = 0; i < config->layers; ++i) {
        mot_layer_config *of = &config->layer[i];
        of->model.width = embed->model.width;
        of->model.patch = embed->model.patch;
        of->model.pool = head->model.pool;
        if (of->role != MOT_LAYER_EXPERTS) {
            of->gate = config->gate;
            of->route = config->route;
            of->model.experts = 1;
        }
        const bool blocks = of->role == MOT_LAYER_DENSE || of->role == MOT_LAYER_EXPERTS;
        if (blocks && of->model.width % of->model.heads != 0)
            return mot_fail(MOT_ERR_INPUT, "%s: model.layers.%d: width %zu is not divisible by %zu heads", reader->name, i,
                            of->model.width, of->model.heads);
        if (of->role == MOT_LAYER_EXPERTS) MOT_TRY(check_experts(reader, i));
    }
    /* What is said of one layer is said of the first with experts. */
    config->model.patch = embed->model.patch;
    config->model.width = embed->model.width;
    config->model.pool = head->model.pool;
    for (int i = 0; i < config->layers; ++i) {
        if (config->layer[i].role != MOT_LAYER_EXPERTS) continue;
        config->model.experts = config->layer[i].model.experts;
        config->route.top_k = config->layer[i].route.top_k;
        break;
    }
done:
    return status;
}

/* ---- what two configurations say otherwise ---- */

static bool print_value(const layer_key *key, const mot_layer_config *of, char *text, size_t size)
{
    const mot_option option = option_of(key);
    FILE *stream = fmemopen(text, size, "w");
    if (stream == NULL) return false;
    if (has(of, key))
        mot_option_print(&option, of, stream);
    else
        fputs("the stage's", stream);
    return fclose(stream) == 0;
}

/* The names of the layers, "embed, experts, head". */
static void list_roles(const mot_config *config, char *text, size_t size)
{
    snprintf(text, size, "%s", config->layers == 0 ? "none" : "");
    for (int i = 0; i < config->layers; ++i) {
        const size_t used = strlen(text);
        snprintf(text + used, size - used, "%s%s", i > 0 ? ", " : "", mot_layer_names[config->layer[i].role]);
    }
}

bool mot_layers_changes(const mot_config *before, const mot_config *now, mot_change_function *say, void *with)
{
    char then_text[MOT_OPTION_VALUE + 32], now_text[MOT_OPTION_VALUE + 32], key[2 * MOT_OPTION_KEY];
    list_roles(before, then_text, sizeof then_text);
    list_roles(now, now_text, sizeof now_text);
    if (strcmp(then_text, now_text) != 0) {
        say(with, &(mot_change){"model.layers", then_text, now_text, MOT_KEY_FIXED});
        return true;
    }
    for (int i = 0; i < now->layers; ++i)
        for (size_t k = 0; k < MOT_COUNT(keys); ++k) {
            const mot_option option = option_of(&keys[k]);
            if (!has(&before->layer[i], &keys[k]) && !has(&now->layer[i], &keys[k])) continue;
            if (!print_value(&keys[k], &before->layer[i], then_text, sizeof then_text) ||
                !print_value(&keys[k], &now->layer[i], now_text, sizeof now_text))
                return false;
            if (strcmp(then_text, now_text) == 0) continue;
            snprintf(key, sizeof key, "model.layers.%d.%s", i, keys[k].name);
            say(with, &(mot_change){key, then_text, now_text, option.role});
        }
    return true;
}

/* ---- the resolved copy ---- */

void mot_layers_print(const mot_config *config, FILE *stream)
{
    if (config->layers == 0) return;
    fputs("\nmodel.layers:\n", stream);
    for (int i = 0; i < config->layers; ++i) {
        const mot_layer_config *of = &config->layer[i];
        fprintf(stream, "  - %s:\n", mot_layer_names[of->role]);
        for (size_t k = 0; k < MOT_COUNT(keys); ++k) {
            if (!has(of, &keys[k])) continue;
            const mot_option option = option_of(&keys[k]);
            fprintf(stream, "      %s: ", keys[k].name);
            mot_option_print(&option, of, stream);
            fputc('\n', stream);
        }
    }
}

bool mot_layers_list(const mot_config *config, mot_setting_function *say, void *with)
{
    char key[2 * MOT_OPTION_KEY], text[MOT_OPTION_VALUE + 32];
    for (int i = 0; i < config->layers; ++i) {
        const mot_layer_config *of = &config->layer[i];
        snprintf(key, sizeof key, "model.layers.%d", i);
        say(with, key, mot_layer_names[of->role]);
        for (size_t k = 0; k < MOT_COUNT(keys); ++k) {
            if (!has(of, &keys[k])) continue;
            if (!print_value(&keys[k], of, text, sizeof text)) return false;
            snprintf(key, sizeof key, "model.layers.%d.%s", i, keys[k].name);
            say(with, key, text);
        }
    }
    return true;
}

/* ---- gates that are told ---- */

const mot_gate_config *mot_config_told(const mot_config *config, mot_told told)
{
    for (int i = 0; i < MOT_MAX(config->layers, 1); ++i) {
        const mot_gate_config *gate = config->layers > 0 ? &config->layer[i].gate : &config->gate;
        const bool has = config->layers == 0 || config->layer[i].role == MOT_LAYER_EXPERTS;
        if (has && mot_gate_kind_at(gate->kind)->told && gate->told == told) return gate;
    }
    return NULL;
}
