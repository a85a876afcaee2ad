#include "yaml_tree.h"

#include <string.h>
#include <yaml.h>

#include "mot/memory.h"

/* The open maps and lists, outermost first, and the last child of each. */
typedef struct builder {
    mot_yaml_tree *tree;
    const char *name;
    int open[MOT_YAML_DEPTH], last[MOT_YAML_DEPTH], depth;
} builder;

static mot_status add_node(builder *build, mot_yaml_kind kind, long line, int *number)
{
    mot_yaml_tree *tree = build->tree;
    if (tree->count >= MOT_YAML_NODES)
        return mot_fail(MOT_ERR_INPUT, "%s:%ld: more than %d entries", build->name, line, MOT_YAML_NODES);
    mot_status status = mot_reserve(&tree->node, &tree->capacity, tree->count + 1, sizeof *tree->node,
                                    "YAML nodes");
    if (status != MOT_OK) return status;
    *number = (int)tree->count++;
    tree->node[*number] = (mot_yaml_node){
        .kind = kind, .child = MOT_YAML_NONE, .next = MOT_YAML_NONE, .line = line};
    if (build->depth == 0) return MOT_OK;
    int *last = &build->last[build->depth - 1];
    if (*last == MOT_YAML_NONE)
        tree->node[build->open[build->depth - 1]].child = *number;
    else
        tree->node[*last].next = *number;
    *last = *number;
    return MOT_OK;
}

static mot_status add_scalar(builder *build, const yaml_event_t *event, long line)
{
    mot_yaml_tree *tree = build->tree;
    const char *value = (const char *)event->data.scalar.value;
    const size_t length = event->data.scalar.length;
    if (strlen(value) != length)
        return mot_fail(MOT_ERR_INPUT, "%s:%ld: a text with a zero byte", build->name, line);
    int number;
    mot_status status = add_node(build, MOT_YAML_SCALAR, line, &number);
    if (status == MOT_OK)
        status = mot_reserve(&tree->text, &tree->room, tree->used + length + 1, 1, "YAML text");
    if (status != MOT_OK) return status;
    tree->node[number].plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    tree->node[number].text = tree->used;
    memcpy(tree->text + tree->used, value, length + 1);
    tree->used += length + 1;
    return MOT_OK;
}

static mot_status open_node(builder *build, mot_yaml_kind kind, long line)
{
    if (build->depth == MOT_YAML_DEPTH)
        return mot_fail(MOT_ERR_INPUT, "%s:%ld: nested deeper than %d", build->name, line, MOT_YAML_DEPTH);
    int number;
    mot_status status = add_node(build, kind, line, &number);
    if (status != MOT_OK) return status;
    build->open[build->depth] = number;
    build->last[build->depth++] = MOT_YAML_NONE;
    return MOT_OK;
}

static mot_status refuse(const builder *build, long line, const char *what)
{
    return mot_fail(MOT_ERR_INPUT, "%s:%ld: %s are not accepted in a configuration", build->name, line, what);
}

static mot_status take_event(builder *build, const yaml_event_t *event)
{
    const long line = (long)event->start_mark.line + 1;
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return refuse(build, line, "aliases");
    case YAML_SCALAR_EVENT:
        if (event->data.scalar.anchor != NULL) return refuse(build, line, "anchors");
        if (event->data.scalar.tag != NULL) return refuse(build, line, "tags");
        return add_scalar(build, event, line);
    case YAML_SEQUENCE_START_EVENT:
        if (event->data.sequence_start.anchor != NULL) return refuse(build, line, "anchors");
        if (event->data.sequence_start.tag != NULL) return refuse(build, line, "tags");
        return open_node(build, MOT_YAML_LIST, line);
    case YAML_MAPPING_START_EVENT:
        if (event->data.mapping_start.anchor != NULL) return refuse(build, line, "anchors");
        if (event->data.mapping_start.tag != NULL) return refuse(build, line, "tags");
        return open_node(build, MOT_YAML_MAP, line);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        --build->depth;
        return MOT_OK;
    case YAML_DOCUMENT_START_EVENT:
        if (build->tree->count > 0) return refuse(build, line, "several documents");
        return MOT_OK;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return MOT_OK;
}

static mot_status parser_failed(const yaml_parser_t *parser, const char *name)
{
    if (parser->error == YAML_MEMORY_ERROR)
        return mot_fail(MOT_ERR_MEMORY, "%s: not enough memory to read it", name);
    const long line = (long)parser->problem_mark.line + 1;
    return mot_fail(MOT_ERR_INPUT, "%s:%ld: not YAML: %s", name, line,
                    parser->problem != NULL ? parser->problem : "cannot be read");
}

mot_status mot_yaml_read(mot_yaml_tree *tree, const char *name, const char *text)
{
    *tree = (mot_yaml_tree){.node = NULL};
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return mot_fail(MOT_ERR_MEMORY, "%s: not enough memory to read it", name);
    yaml_parser_set_encoding(&parser,
                             YAML_UTF8_ENCODING); /* otherwise a byte order mark could choose UTF-16 */
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));

    builder build = {.tree = tree, .name = name};
    mot_status status = MOT_OK;
    for (bool more = true; more && status == MOT_OK;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            status = parser_failed(&parser, name);
            break;
        }
        more = event.type != YAML_STREAM_END_EVENT;
        status = take_event(&build, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    if (status != MOT_OK) mot_yaml_free(tree);
    return status;
}

void mot_yaml_free(mot_yaml_tree *tree)
{
    mot_free(tree->node);
    mot_free(tree->text);
    *tree = (mot_yaml_tree){.node = NULL};
}

const char *mot_yaml_text(const mot_yaml_tree *tree, int node)
{
    return tree->text + tree->node[node].text;
}

bool mot_yaml_is_null(const mot_yaml_tree *tree, int node)
{
    static const char *const null[] = {"", "~", "null", "Null", "NULL"};
    if (tree->node[node].kind != MOT_YAML_SCALAR || !tree->node[node].plain) return false;
    for (size_t i = 0; i < MOT_COUNT(null); ++i)
        if (strcmp(mot_yaml_text(tree, node), null[i]) == 0) return true;
    return false;
}

const char *mot_yaml_what(const mot_yaml_tree *tree, int node)
{
    if (tree->node[node].kind == MOT_YAML_MAP) return "a map";
    if (tree->node[node].kind == MOT_YAML_LIST) return "a list";
    return mot_yaml_is_null(tree, node) ? "nothing" : "a text";
}

static bool append(char *text, size_t size, const char *piece)
{
    const size_t used = strlen(text), length = strlen(piece);
    if (length >= size - used) return false;
    memcpy(text + used, piece, length + 1);
    return true;
}

/* The nesting is at most MOT_YAML_DEPTH, and so is the recursion. */
static bool append_item(const mot_yaml_tree *tree, int node, char *text, size_t size)
{
    if (tree->node[node].kind == MOT_YAML_MAP) return false;
    if (tree->node[node].kind == MOT_YAML_SCALAR) {
        const char *item = mot_yaml_text(tree, node);
        const size_t length = strlen(item);
        const bool padded = length > 0 && (item[0] == ' ' || item[length - 1] == ' ');
        return !padded && strcspn(item, ",[]") == length && append(text, size, item);
    }
    if (!append(text, size, "[")) return false;
    for (int item = tree->node[node].child; item != MOT_YAML_NONE; item = tree->node[item].next)
        if (!append_item(tree, item, text, size) ||
            (tree->node[item].next != MOT_YAML_NONE && !append(text, size, ",")))
            return false;
    return append(text, size, "]");
}

bool mot_yaml_flow(const mot_yaml_tree *tree, int node, char *text, size_t size)
{
    text[0] = '\0';
    if (tree->node[node].kind == MOT_YAML_SCALAR) return append(text, size, mot_yaml_text(tree, node));
    return append_item(tree, node, text, size);
}
