/* From the tree of a YAML file to options. */
#include <string.h>

#include "config_reader.h"

static mot_status expected(const mot_config_reader *reader, const mot_yaml_tree *tree, int node,
                           const char *key, const char *what)
{
    char place[MOT_PLACE], shown[80];
    return mot_fail(MOT_ERR_INPUT, "%s: %s: expected %s, found %s",
                    mot_reader_place(reader, tree->node[node].line, place), mot_shown(key, shown), what,
                    mot_yaml_what(tree, node));
}

static mot_status take_value(mot_config_reader *reader, const mot_yaml_tree *tree, int option, int stage,
                             const char *key, int node)
{
    const mot_option *row = &mot_options[option];
    const bool listed = row->type == MOT_OPTION_PARTS || row->type == MOT_OPTION_PLACEMENT ||
                        row->type == MOT_OPTION_REALS || row->type == MOT_OPTION_TEXTS;
    char text[MOT_OPTION_VALUE], wanted[400];
    const bool null = mot_yaml_is_null(tree, node), scalar = tree->node[node].kind == MOT_YAML_SCALAR;
    if (null || (!scalar && !listed) || !mot_yaml_flow(tree, node, text, sizeof text)) {
        mot_option_expected(row, wanted, sizeof wanted);
        if (!null && scalar)
            return mot_reader_set(reader, option, stage, key, mot_yaml_text(tree, node),
                                  tree->node[node].line);
        return expected(reader, tree, node, key, wanted);
    }
    return mot_reader_set(reader, option, stage, key, text, tree->node[node].line);
}

/* The key of a map's entry as text, which no earlier entry of the map may have. */
static mot_status take_key(const mot_config_reader *reader, const mot_yaml_tree *tree, int map, int key_node,
                           const char **key)
{
    char place[MOT_PLACE], shown[80];
    const long line = tree->node[key_node].line;
    mot_reader_place(reader, line, place);
    if (tree->node[key_node].kind != MOT_YAML_SCALAR)
        return mot_fail(MOT_ERR_INPUT, "%s: expected a key, found %s", place, mot_yaml_what(tree, key_node));
    *key = mot_yaml_text(tree, key_node);
    int other = tree->node[map].child;
    while (other != key_node) {
        if (strcmp(mot_yaml_text(tree, other), *key) == 0)
            return mot_fail(MOT_ERR_INPUT, "%s: key '%s' is given twice, first in line %ld", place,
                            mot_shown(*key, shown), tree->node[other].line);
        other = tree->node[tree->node[other].next].next;
    }
    return MOT_OK;
}

/* One map below `path` ("" the whole file). A name with dots is as good as maps in maps. */
static mot_status take_section(mot_config_reader *reader, const mot_yaml_tree *tree, int map,
                               const char *path, mot_yaml_lists *lists)
{
    mot_status status = MOT_OK;
    for (int key_node = tree->node[map].child; key_node != MOT_YAML_NONE && status == MOT_OK;) {
        const int value = tree->node[key_node].next;
        const char *name = NULL;
        status = take_key(reader, tree, map, key_node, &name);
        if (status != MOT_OK) return status;
        char key[2 * MOT_OPTION_KEY];
        snprintf(key, sizeof key, "%s%s%s", path, path[0] != '\0' ? "." : "", name);
        const int option = mot_option_find(key);
        if (strcmp(key, "stages") == 0) {
            lists->stages = value;
        } else if (strcmp(key, "model.layers") == 0) {
            lists->layers = value;
        } else if (option != MOT_OPTION_NONE) {
            status = take_value(reader, tree, option, MOT_NO_STAGE, key, value);
        } else if (!mot_option_is_section(key)) {
            status = mot_reader_unknown(reader, key, MOT_NO_STAGE, tree->node[key_node].line);
        } else if (tree->node[value].kind == MOT_YAML_MAP) {
            status = take_section(reader, tree, value, key, lists);
        } else if (!mot_yaml_is_null(tree, value)) { /* a section whose keys are all commented out is fine */
            status = expected(reader, tree, value, key, "a map of keys");
        }
        key_node = tree->node[value].next;
    }
    return status;
}

mot_status mot_reader_take_map(mot_config_reader *reader, const mot_yaml_tree *tree, mot_yaml_lists *lists)
{
    *lists = (mot_yaml_lists){MOT_YAML_NONE, MOT_YAML_NONE};
    if (tree->count == 0 || mot_yaml_is_null(tree, 0)) return MOT_OK;
    if (tree->node[0].kind != MOT_YAML_MAP) return expected(reader, tree, 0, "the file", "a map of keys");
    return take_section(reader, tree, 0, "", lists);
}

static mot_status take_stage(mot_config_reader *reader, const mot_yaml_tree *tree, int map, int stage)
{
    char key[2 * MOT_OPTION_KEY];
    snprintf(key, sizeof key, "stages.%d", stage);
    if (tree->node[map].kind != MOT_YAML_MAP) return expected(reader, tree, map, key, "a map of keys");
    mot_status status = MOT_OK;
    for (int key_node = tree->node[map].child; key_node != MOT_YAML_NONE && status == MOT_OK;) {
        const int value = tree->node[key_node].next;
        const char *name = NULL;
        status = take_key(reader, tree, map, key_node, &name);
        if (status != MOT_OK) return status;
        snprintf(key, sizeof key, "stages.%d.%s", stage, name);
        const int option = mot_option_find_in_stage(name);
        if (option == MOT_OPTION_NONE)
            return mot_reader_unknown(reader, name, stage, tree->node[key_node].line);
        status = take_value(reader, tree, option, stage, key, value);
        key_node = tree->node[value].next;
    }
    return status;
}

mot_status mot_reader_take_stages(mot_config_reader *reader, const mot_yaml_tree *tree, int stages)
{
    if (stages == MOT_YAML_NONE) return MOT_OK;
    char place[MOT_PLACE];
    if (tree->node[stages].kind != MOT_YAML_LIST)
        return expected(reader, tree, stages, "stages", "a list of maps");
    int count = 0;
    for (int map = tree->node[stages].child; map != MOT_YAML_NONE; map = tree->node[map].next) ++count;
    if (count < 1 || count > MOT_MAX_STAGES)
        return mot_fail(MOT_ERR_INPUT, "%s: stages: expected 1 to %d stages, found %d",
                        mot_reader_place(reader, tree->node[stages].line, place), MOT_MAX_STAGES, count);
    reader->config.stages = count;
    mot_status status = MOT_OK;
    int stage = 0;
    for (int map = tree->node[stages].child; map != MOT_YAML_NONE && status == MOT_OK;
         map = tree->node[map].next) {
        memcpy(&reader->config.stage[stage], &reader->common, sizeof reader->common);
        snprintf(reader->config.stage[stage].name, sizeof reader->common.name, "stage%d", stage);
        status = take_stage(reader, tree, map, stage++);
    }
    return status;
}

/* The keys of one layer, "depth" or, in a map or with a dot, "gate.input". */
static mot_status take_layer_keys(mot_config_reader *reader, const mot_yaml_tree *tree, int map, int layer,
                                  const char *path)
{
    mot_status status = MOT_OK;
    for (int key_node = tree->node[map].child; key_node != MOT_YAML_NONE && status == MOT_OK;) {
        const int value = tree->node[key_node].next;
        const long line = tree->node[key_node].line;
        const char *name = NULL;
        char key[2 * MOT_OPTION_KEY], shown[3 * MOT_OPTION_KEY], text[MOT_OPTION_VALUE];
        status = take_key(reader, tree, map, key_node, &name);
        if (status != MOT_OK) return status;
        snprintf(key, sizeof key, "%s%s%s", path, path[0] != '\0' ? "." : "", name);
        snprintf(shown, sizeof shown, "model.layers.%d.%s", layer, key);
        const bool section = strcmp(key, "gate") == 0 || strcmp(key, "route") == 0;
        if (section && tree->node[value].kind == MOT_YAML_MAP)
            status = take_layer_keys(reader, tree, value, layer, key);
        else if (section || mot_yaml_is_null(tree, value) || tree->node[value].kind == MOT_YAML_MAP ||
                 !mot_yaml_flow(tree, value, text, sizeof text))
            status = expected(reader, tree, value, shown, section ? "a map of keys" : "a value");
        else
            status = mot_layer_set(reader, layer, key, text, line);
        key_node = tree->node[value].next;
    }
    return status;
}

static mot_status take_layer(mot_config_reader *reader, const mot_yaml_tree *tree, int map, int layer)
{
    char key[64], place[MOT_PLACE], shown[80];
    const char *name = NULL;
    int role = 0;
    snprintf(key, sizeof key, "model.layers.%d", layer);
    const int key_node = tree->node[map].kind == MOT_YAML_MAP ? tree->node[map].child : MOT_YAML_NONE;
    if (key_node == MOT_YAML_NONE || tree->node[tree->node[key_node].next].next != MOT_YAML_NONE)
        return expected(reader, tree, map, key, "a map of one entry, such as experts: {count: 8}");
    mot_status status = take_key(reader, tree, map, key_node, &name);
    if (status != MOT_OK) return status;
    while (mot_layer_names[role] != NULL && strcmp(mot_layer_names[role], name) != 0) ++role;
    if (mot_layer_names[role] == NULL)
        return mot_fail(MOT_ERR_INPUT, "%s: %s: unknown layer '%s'; expected embed, dense, experts or head",
                        mot_reader_place(reader, tree->node[key_node].line, place), key, mot_shown(name, shown));
    mot_layer_begin(reader, layer, (mot_layer_role)role);
    const int keys = tree->node[key_node].next;
    if (mot_yaml_is_null(tree, keys)) return MOT_OK;
    if (tree->node[keys].kind != MOT_YAML_MAP) return expected(reader, tree, keys, key, "a map of keys");
    return take_layer_keys(reader, tree, keys, layer, "");
}

mot_status mot_reader_take_layers(mot_config_reader *reader, const mot_yaml_tree *tree, int layers)
{
    if (layers == MOT_YAML_NONE) return MOT_OK;
    char place[MOT_PLACE];
    int count = 0;
    if (tree->node[layers].kind != MOT_YAML_LIST)
        return expected(reader, tree, layers, "model.layers", "a list of layers, each a map of one entry");
    for (int map = tree->node[layers].child; map != MOT_YAML_NONE; map = tree->node[map].next) ++count;
    if (count < 3 || count > MOT_MAX_LAYERS)
        return mot_fail(MOT_ERR_INPUT, "%s: model.layers: expected 3 to %d layers, found %d",
                        mot_reader_place(reader, tree->node[layers].line, place), MOT_MAX_LAYERS, count);
    mot_status status = MOT_OK;
    for (int map = tree->node[layers].child; map != MOT_YAML_NONE && status == MOT_OK; map = tree->node[map].next)
        status = take_layer(reader, tree, map, reader->config.layers++);
    return status;
}
