/* config_reader.h: a configuration while it is read. Private to src/config. Not collective. */
#ifndef MOT_CONFIG_READER_H
#define MOT_CONFIG_READER_H

#include "option.h"
#include "yaml_tree.h"

/* Where a key was given: 0 nowhere, n > 0 line n of the file, n < 0 argument -n of the command line. */
typedef struct mot_given {
    long where;
    bool same; /* as "same": it inherits */
} mot_given;

enum { MOT_PLACE = 600, MOT_LAYER_KEYS = 32 };

typedef struct mot_config_reader {
    mot_config config;
    mot_stage_config common; /* the keys of a stage in `train` */
    const char *name;        /* of the file */
    mot_given given[MOT_OPTION_LIMIT];
    mot_given stage_given[MOT_MAX_STAGES][MOT_OPTION_LIMIT];
    mot_given layer_given[MOT_MAX_LAYERS][MOT_LAYER_KEYS];
} mot_config_reader;

/* "configs/x.yaml:12", "argument 3", or "configs/x.yaml". */
const char *mot_reader_place(const mot_config_reader *reader, long where, char place[MOT_PLACE]);

/* Sets an option in the configuration, or in one stage. `key` is what the user called it. */
mot_status mot_reader_set(mot_config_reader *reader, int option, int stage, const char *key, const char *text,
                          long where);
mot_status mot_reader_unknown(const mot_config_reader *reader, const char *key, int stage, long where);

/* The file: all but its lists, which come back (a node or MOT_YAML_NONE); then those. In two steps, since a stage, or a layer,
 * starts from what file and command line together say of `train`, or of `model`. */
typedef struct mot_yaml_lists {
    int stages, layers;
} mot_yaml_lists;
mot_status mot_reader_take_map(mot_config_reader *reader, const mot_yaml_tree *tree, mot_yaml_lists *lists);
mot_status mot_reader_take_stages(mot_config_reader *reader, const mot_yaml_tree *tree, int stages);
mot_status mot_reader_take_layers(mot_config_reader *reader, const mot_yaml_tree *tree, int layers);

/* layers.c: a layer that begins as the configuration says of all; one of its keys; what concerns several layers; and as text. */
extern const char *const mot_layer_names[];
void mot_layer_begin(mot_config_reader *reader, int layer, mot_layer_role role);
mot_status mot_layer_set(mot_config_reader *reader, int layer, const char *name, const char *text, long where);
mot_status mot_layers_check(mot_config_reader *reader);

/* lists.c: each of `experts` stands in exactly one row of a canonical text. `where` and `what` begin the sentence. */
mot_status mot_check_placement(const char *where, const char *what, const char *placement, int experts);

/* What concerns several keys. */
mot_status mot_config_check(mot_config_reader *reader);

#endif
