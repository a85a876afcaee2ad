/* yaml_tree.h: a small, strict part of YAML as a tree: one document of maps, lists and scalars, without
 * anchors, aliases and tags. The text is hostile: depth and number of nodes are bounded. Not collective. */
#ifndef MOT_YAML_TREE_H
#define MOT_YAML_TREE_H

#include "mot/status.h"
#include "mot/types.h"

typedef enum mot_yaml_kind { MOT_YAML_SCALAR, MOT_YAML_LIST, MOT_YAML_MAP } mot_yaml_kind;

enum { MOT_YAML_NONE = -1, MOT_YAML_DEPTH = 8, MOT_YAML_NODES = 1 << 16 };

/* Children in order: a map's are key, value, key, value. */
typedef struct mot_yaml_node {
    mot_yaml_kind kind;
    bool plain;      /* scalar without quotes */
    int child, next; /* numbers of nodes, or MOT_YAML_NONE */
    long line;       /* from 1 */
    size_t text;     /* scalar: offset into the tree's text */
} mot_yaml_node;

typedef struct mot_yaml_tree {
    mot_yaml_node *node; /* owned; node 0 is the root */
    size_t count, capacity;
    char *text; /* owned; every scalar ends with 0 */
    size_t used, room;
} mot_yaml_tree;

/* MOT_ERR_INPUT names `name` and the line. An empty document has no nodes. */
mot_status mot_yaml_read(mot_yaml_tree *tree, const char *name, const char *text);
void mot_yaml_free(mot_yaml_tree *tree);

/* A scalar's text. */
const char *mot_yaml_text(const mot_yaml_tree *tree, int node);
/* A plain scalar that YAML reads as "nothing". */
bool mot_yaml_is_null(const mot_yaml_tree *tree, int node);
/* "a map", "a list", "nothing", "a text": for sentences. */
const char *mot_yaml_what(const mot_yaml_tree *tree, int node);
/* A scalar, or a list of scalars or of such lists, as flow text: "[[0,1],[2]]". False for a map, for an item
 * that would need quotes, and when it does not fit. */
bool mot_yaml_flow(const mot_yaml_tree *tree, int node, char *text, size_t size);

#endif
