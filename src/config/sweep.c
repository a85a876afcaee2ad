#include "mot/sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mot/atomic_file.h"
#include "mot/memory.h"
#include "yaml_tree.h"

typedef struct reading {
    const char *path;
    mot_yaml_tree tree;
    mot_sweep *sweep;
    size_t room;
} reading;

static mot_status fail(const reading *r, int node, const char *sentence, const char *shown)
{
    return mot_fail(MOT_ERR_INPUT, "%s: line %ld: %s%s", r->path, r->tree.node[node].line, sentence, shown);
}

static mot_status add(reading *r, const char *before, const char *key, const char *value, int node)
{
    mot_sweep *sweep = r->sweep;
    const size_t size = strlen(before) + strlen(key) + strlen(value) + 4;
    mot_status status;
    if (sweep->count == MOT_SWEEP_MOST) return fail(r, node, "more combinations than can be run", "");
    MOT_TRY(mot_reserve(&sweep->settings, &r->room, sweep->count + 1, sizeof *sweep->settings, "settings of a sweep"));
    MOT_TRY(mot_allocate(&sweep->settings[sweep->count], size, 1, "settings of a sweep"));
    snprintf(sweep->settings[sweep->count++], size, "%s%s%s%s%s", before, before[0] != '\0' && key[0] != '\0' ? "; " : "", key,
             key[0] != '\0' ? "=" : "", value);
done:
    return status;
}

/* What a node says as the value of a key. */
static mot_status value_of(const reading *r, int node, char value[512])
{
    if (!mot_yaml_flow(&r->tree, node, value, 512) || strchr(value, ';') != NULL)
        return fail(r, node, "expected a value of a key, here is ", mot_yaml_what(&r->tree, node));
    return MOT_OK;
}

/* Every combination so far with each value of one more key. */
static mot_status multiply(reading *r, int key, int values)
{
    const mot_yaml_node *node = r->tree.node;
    mot_sweep *sweep = r->sweep;
    char **before = sweep->settings, value[512];
    const size_t count = sweep->count;
    mot_status status = MOT_OK;
    if (node[values].kind != MOT_YAML_LIST || node[values].child == MOT_YAML_NONE)
        return fail(r, values, "expected a list of values of ", mot_yaml_text(&r->tree, key));
    sweep->settings = NULL;
    sweep->count = r->room = 0;
    for (size_t c = 0; c < count && status == MOT_OK; ++c)
        for (int v = node[values].child; v != MOT_YAML_NONE && status == MOT_OK; v = node[v].next) {
            status = value_of(r, v, value);
            if (status == MOT_OK) status = add(r, before[c], mot_yaml_text(&r->tree, key), value, v);
        }
    for (size_t c = 0; c < count; ++c) mot_free(before[c]);
    mot_free(before);
    return status;
}

static mot_status read_grid(reading *r, int grid)
{
    const mot_yaml_node *node = r->tree.node;
    mot_status status = MOT_OK;
    if (node[grid].kind != MOT_YAML_MAP) return fail(r, grid, "grid: expected a map, here is ", mot_yaml_what(&r->tree, grid));
    for (int key = node[grid].child; key != MOT_YAML_NONE; key = node[node[key].next].next) MOT_TRY(multiply(r, key, node[key].next));
done:
    return status;
}

static mot_status read_list(reading *r, int list)
{
    const mot_yaml_node *node = r->tree.node;
    char value[512], text[4096];
    mot_status status = MOT_OK;
    if (node[list].kind != MOT_YAML_LIST || node[list].child == MOT_YAML_NONE)
        return fail(r, list, "list: expected a list of maps, here is ", mot_yaml_what(&r->tree, list));
    for (int item = node[list].child; item != MOT_YAML_NONE; item = node[item].next) {
        if (node[item].kind != MOT_YAML_MAP) return fail(r, item, "list: expected a map, here is ", mot_yaml_what(&r->tree, item));
        text[0] = '\0';
        for (int key = node[item].child; key != MOT_YAML_NONE; key = node[node[key].next].next) {
            const size_t used = strlen(text);
            MOT_TRY(value_of(r, node[key].next, value));
            if ((size_t)snprintf(text + used, sizeof text - used, "%s%s=%s", used > 0 ? "; " : "", mot_yaml_text(&r->tree, key), value) >=
                sizeof text - used)
                return fail(r, item, "too many settings", "");
        }
        MOT_TRY(add(r, text, "", "", item));
    }
done:
    return status;
}

static mot_status read_text(const reading *r, int node, char *text, size_t size)
{
    if (r->tree.node[node].kind != MOT_YAML_SCALAR || mot_yaml_is_null(&r->tree, node) || strlen(mot_yaml_text(&r->tree, node)) >= size)
        return fail(r, node, "expected a path, here is ", mot_yaml_what(&r->tree, node));
    snprintf(text, size, "%s", mot_yaml_text(&r->tree, node));
    return MOT_OK;
}

static mot_status read_seeds(const reading *r, int node)
{
    char *end = NULL;
    const char *text = r->tree.node[node].kind == MOT_YAML_SCALAR ? mot_yaml_text(&r->tree, node) : "";
    const long seeds = strtol(text, &end, 10);
    if (end == text || *end != '\0' || seeds < 1 || seeds > MOT_SWEEP_SEEDS) return fail(r, node, "seeds: expected a number from 1 to 64", "");
    r->sweep->seeds = (int)seeds;
    return MOT_OK;
}

static mot_status read_root(reading *r)
{
    const mot_yaml_node *node = r->tree.node;
    int grid = MOT_YAML_NONE, list = MOT_YAML_NONE;
    mot_status status = MOT_OK;
    if (r->tree.count == 0 || node[0].kind != MOT_YAML_MAP)
        return mot_fail(MOT_ERR_INPUT, "%s: expected a map with config, folder, seeds, grid and list", r->path);
    for (int key = node[0].child; key != MOT_YAML_NONE; key = node[node[key].next].next) {
        const char *name = mot_yaml_text(&r->tree, key);
        const int value = node[key].next;
        if (strcmp(name, "config") == 0)
            MOT_TRY(read_text(r, value, r->sweep->config, sizeof r->sweep->config));
        else if (strcmp(name, "folder") == 0)
            MOT_TRY(read_text(r, value, r->sweep->folder, sizeof r->sweep->folder));
        else if (strcmp(name, "seeds") == 0)
            MOT_TRY(read_seeds(r, value));
        else if (strcmp(name, "grid") == 0)
            grid = value;
        else if (strcmp(name, "list") == 0)
            list = value;
        else
            return fail(r, key, "a sweep has config, folder, seeds, grid and list, and no ", name);
    }
    if (r->sweep->config[0] == '\0' || r->sweep->folder[0] == '\0')
        return mot_fail(MOT_ERR_INPUT, "%s: expected %s: it is missing", r->path, r->sweep->config[0] == '\0' ? "config" : "folder");
    if (list != MOT_YAML_NONE)
        MOT_TRY(read_list(r, list));
    else
        MOT_TRY(add(r, "", "", "", 0));
    if (grid != MOT_YAML_NONE) MOT_TRY(read_grid(r, grid));
done:
    return status;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* They may be very many. */
static mot_status check_once(const mot_sweep *sweep, const char *path)
{
    char **sorted = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&sorted, sweep->count, sizeof *sorted, "settings of a sweep"));
    memcpy(sorted, sweep->settings, sweep->count * sizeof *sorted);
    qsort(sorted, sweep->count, sizeof *sorted, by_text);
    for (size_t s = 1; s < sweep->count && status == MOT_OK; ++s)
        if (strcmp(sorted[s - 1], sorted[s]) == 0)
            status = mot_fail(MOT_ERR_INPUT, "%s: the settings '%s' are there twice", path, sorted[s]);
done:
    mot_free(sorted);
    return status;
}

mot_status mot_sweep_read(mot_sweep *sweep, const char *path)
{
    reading r = {.path = path, .sweep = sweep};
    char *text = NULL;
    size_t count;
    mot_status status;
    *sweep = (mot_sweep){.seeds = 1};
    MOT_TRY(mot_file_read(path, 1 << 20, &text, &count));
    MOT_TRY(mot_yaml_read(&r.tree, path, text));
    MOT_TRY(read_root(&r));
    status = check_once(sweep, path);
done:
    mot_yaml_free(&r.tree);
    mot_free(text);
    if (status != MOT_OK) mot_sweep_free(sweep);
    return status;
}

void mot_sweep_free(mot_sweep *sweep)
{
    for (size_t c = 0; c < sweep->count; ++c) mot_free(sweep->settings[c]);
    mot_free(sweep->settings);
    *sweep = (mot_sweep){.count = 0};
}
