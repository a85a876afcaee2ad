/* Defaults, and the way from a file and arguments to a checked configuration:
 *
 *  1. defaults;
 *  2. the file, all but its stages;
 *  3. arguments, all but those of a stage;
 *  4. every stage starts from `train`, and every layer from `model`, `gate` and `route`, then takes what the file says of it,
 *     then the arguments;
 *  5. the gate takes what it was not given from the experts;
 *  6. what concerns several keys is checked. */
#include <stdlib.h>
#include <string.h>

#include "config_reader.h"
#include "mot/atomic_file.h"
#include "mot/memory.h"

enum { LARGEST_FILE = 1 << 20 };

/* An argument is of the configuration, or of an entry of one of its lists. */
typedef enum argument_of { OF_CONFIG, OF_STAGE, OF_LAYER, LISTS } argument_of;
static const char *const list_name[LISTS] = {NULL, "stages", "model.layers"};

/* Splits "key=value" and finds out what it is of. */
typedef struct argument {
    char key[MOT_OPTION_KEY];
    const char *value, *listed_key; /* in key, of a stage or a layer; NULL for "model.width" */
    argument_of of;
    int number; /* of the stage, or layer */
} argument;

static mot_status split_argument(const char *text, long number, argument *split)
{
    char shown[80];
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text)
        return mot_fail(MOT_ERR_INPUT, "argument %ld: '%s': expected key=value", number,
                        mot_shown(text, shown));
    const size_t length = MOT_MIN((size_t)(equals - text), sizeof split->key - 1);
    memcpy(split->key, text, length);
    split->key[length] = '\0';
    split->value = equals + 1;
    split->listed_key = NULL;
    split->of = OF_CONFIG;
    split->number = MOT_NO_STAGE;
    for (argument_of of = OF_STAGE; of < LISTS; ++of) {
        const size_t name = strlen(list_name[of]);
        if (strncmp(split->key, list_name[of], name) != 0 || split->key[name] != '.') continue;
        const char *digits = split->key + name + 1;
        const size_t count = strspn(digits, "0123456789");
        if (count == 0 || count > 3 || digits[count] != '.')
            return mot_fail(MOT_ERR_INPUT, "argument %ld: '%s': expected %s.N.key=value, N from 0", number,
                            mot_shown(text, shown), list_name[of]);
        split->of = of;
        split->number = atoi(digits);
        split->listed_key = digits + count + 1;
    }
    return MOT_OK;
}

/* A list stands in the file alone. */
static mot_status check_no_list(const argument *split, long number)
{
    char shown[80];
    for (argument_of of = OF_STAGE; of < LISTS; ++of)
        if (strcmp(split->key, list_name[of]) == 0)
            return mot_fail(MOT_ERR_INPUT,
                            "argument %ld: %s = %s: it is a list, which stands in the file, and %s.N.key=value changes one of its "
                            "entries%s",
                            number, split->key, mot_shown(split->value, shown), split->key,
                            of == OF_LAYER ? "; a number of blocks is 'model.depth'" : "");
    return MOT_OK;
}

/* The arguments of the configuration, or of one of its lists. */
static mot_status take_arguments(mot_config_reader *reader, size_t count, const char *const *assignments,
                                 argument_of of)
{
    const mot_config *config = &reader->config;
    const int entries = of == OF_STAGE ? config->stages : config->layers;
    for (size_t i = 0; i < count; ++i) {
        const long number = (long)i + 1;
        argument split;
        mot_status status = split_argument(assignments[i], number, &split);
        if (status != MOT_OK) return status;
        if (split.of != of) continue;
        if (of != OF_CONFIG && split.number >= entries)
            return entries == 0
                       ? mot_fail(MOT_ERR_INPUT, "argument %ld: %s: there is no list %s", number, split.key, list_name[of])
                       : mot_fail(MOT_ERR_INPUT, "argument %ld: %s: expected a %s from 0 to %d", number, split.key,
                                  of == OF_STAGE ? "stage" : "layer", entries - 1);
        if (of == OF_LAYER) {
            status = mot_layer_set(reader, split.number, split.listed_key, split.value, -number);
        } else {
            if (of == OF_CONFIG) status = check_no_list(&split, number);
            if (status != MOT_OK) return status;
            const int option = of == OF_STAGE ? mot_option_find_in_stage(split.listed_key) : mot_option_find(split.key);
            if (option == MOT_OPTION_NONE)
                return mot_reader_unknown(reader, of == OF_STAGE ? split.listed_key : split.key, split.number, -number);
            status = mot_reader_set(reader, option, split.number, split.key, split.value, -number);
        }
        if (status != MOT_OK) return status;
    }
    return MOT_OK;
}

/* A gate_* key that nobody gave, or that is "same", is what it inherits, in every stage. */
static void inherit(mot_config_reader *reader)
{
    for (int i = 0; i < mot_option_count; ++i) {
        const mot_option *to = &mot_options[i];
        if (to->inherits == NULL) continue;
        const mot_option *from = &mot_options[mot_option_find_in_stage(to->inherits)];
        for (int stage = 0; stage < reader->config.stages; ++stage) {
            const mot_given *given = &reader->stage_given[stage][i];
            if (given->where == 0) given = &reader->given[i];
            if (given->where != 0 && !given->same) continue;
            char *base = (char *)&reader->config.stage[stage];
            memcpy(base + to->offset, base + from->offset, to->size);
        }
    }
}

static void set_defaults(mot_config_reader *reader)
{
    memset(reader, 0, sizeof *reader); /* padding too: configurations are compared as bytes */
    for (int i = 0; i < mot_option_count; ++i)
        if (mot_options[i].inherits == NULL && mot_options[i].fallback[0] != '\0')
            (void)mot_reader_set(reader, i, MOT_NO_STAGE, mot_options[i].key, mot_options[i].fallback, 0);
    reader->config.tasks = reader->config.stages = 1;
}

/* The stage that stands for no `stages`. */
static void set_only_stage(mot_config_reader *reader)
{
    memcpy(&reader->config.stage[0], &reader->common, sizeof reader->common);
}

void mot_config_defaults(mot_config *config)
{
    mot_config_reader *reader = NULL; /* too large for a stack, whose pages stay */
    memset(config, 0, sizeof *config);
    if (mot_allocate_sparse(&reader, 1, sizeof *reader, "a configuration") != MOT_OK) return;
    set_defaults(reader);
    set_only_stage(reader);
    inherit(reader);
    memcpy(config, &reader->config, sizeof *config);
    mot_free(reader);
}

/* No `run`: "runs/digits" for "configs/digits.yaml". */
static mot_status name_run(mot_config_reader *reader)
{
    if (reader->config.run[0] != '\0') return MOT_OK;
    const char *slash = strrchr(reader->name, '/');
    const char *file = slash != NULL ? slash + 1 : reader->name;
    const char *dot = strrchr(file, '.');
    const int length = dot != NULL && dot != file ? (int)(dot - file) : (int)strlen(file);
    char run[MOT_PLACE];
    snprintf(run, sizeof run, "runs/%.*s", MOT_MIN(length, MOT_PLACE - 10), file);
    return mot_reader_set(reader, mot_option_find("run"), MOT_NO_STAGE, "run", run, 0);
}

/* libyaml would say less, and nothing of the line. */
static mot_status check_bytes(const char *name, const char *text)
{
    long line = 1;
    while (*text != '\0') {
        char piece[256];
        const size_t whole = strcspn(text, "\t\r\n");
        size_t length = MOT_MIN(whole, sizeof piece - 1);
        if (length < whole)
            while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
                --length; /* not inside a character */
        if (length == 0 && whole > 0) length = 1;
        memcpy(piece, text, length);
        piece[length] = '\0';
        if (!mot_parse_is_text(piece))
            return mot_fail(MOT_ERR_INPUT, "%s:%ld: expected UTF-8 text without control characters", name,
                            line);
        text += length;
        if (length < whole || *text == '\0') continue;
        if (*text == '\n') ++line;
        ++text;
    }
    return MOT_OK;
}

mot_status mot_config_parse(mot_config *config, const char *name, const char *text, size_t count,
                            const char *const *assignments)
{
    mot_config_reader *reader = NULL;
    mot_yaml_tree tree = {.node = NULL};
    mot_status status = MOT_OK;
    mot_yaml_lists lists;
    if (strncmp(text, "\xEF\xBB\xBF", 3) == 0) text += 3; /* a byte order mark, as some editors leave it */
    MOT_TRY(mot_allocate_sparse(&reader, 1, sizeof *reader, "a configuration"));
    set_defaults(reader);                                /* 1 */
    reader->name = name;
    MOT_TRY(check_bytes(name, text));
    MOT_TRY(mot_yaml_read(&tree, name, text));
    MOT_TRY(mot_reader_take_map(reader, &tree, &lists));            /* 2 */
    MOT_TRY(take_arguments(reader, count, assignments, OF_CONFIG)); /* 3 */
    set_only_stage(reader);                                         /* 4 */
    MOT_TRY(mot_reader_take_stages(reader, &tree, lists.stages));
    MOT_TRY(take_arguments(reader, count, assignments, OF_STAGE));
    MOT_TRY(mot_reader_take_layers(reader, &tree, lists.layers));
    MOT_TRY(take_arguments(reader, count, assignments, OF_LAYER));
    inherit(reader); /* 5 */
    MOT_TRY(name_run(reader));
    MOT_TRY(mot_config_check(reader)); /* 6 */
    memcpy(config, &reader->config, sizeof *config);
done:
    mot_yaml_free(&tree);
    mot_free(reader);
    return status;
}

mot_status mot_config_read(mot_config *config, const char *path, size_t count, const char *const *assignments)
{
    char *text = NULL;
    size_t bytes = 0;
    mot_status status = mot_file_read(path, LARGEST_FILE, &text, &bytes);
    if (status == MOT_OK && strlen(text) != bytes)
        status = mot_fail(MOT_ERR_INPUT, "%s: expected text, found a zero byte at %zu", path, strlen(text));
    if (status == MOT_OK) status = mot_config_parse(config, path, text, count, assignments);
    mot_free(text);
    return status;
}
