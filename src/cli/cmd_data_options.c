/* The options of mot data import. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_data_import.h"
#include "mot/types.h"

enum {
    OUT = 256,
    TRAIN,
    VAL,
    TEST,
    TITLE,
    SOURCE,
    LICENCE,
    CLASS_NAMES,
    GROUP_NAMES,
    FIRST_LABEL,
    FORCE,
    KIND,
    CIFAR_KIND,
    TOKENS,
    LENGTH,
    MIN_COUNT,
    LABEL_COLUMN,
    TARGET_COLUMNS,
    NUMBERS,
    GROUP_COLUMN,
    TEXT_COLUMN,
    IGNORE_COLUMNS,
    HEADER,
    SEPARATOR,
    DECIMAL,
    COLUMNS,
    SHAPE,
    SCALE,
    PAD,
    LAYOUT,
    ARRAY_X,
    ARRAY_Y,
    ARRAY_GROUP,
    SIZE,
    COLOR,
    BACKGROUND,
    SKIP_UNREADABLE,
    VAL_FRACTION,
    TEST_FRACTION,
    SEED
};

static const struct {
    unsigned importers;
    struct argp_option option;
} options[] = {
    {ALL, {"out", OUT, "FILE", 0, "the data set to make", 0}},
    {ALL, {"train", TRAIN, "FILES", 0, "the training split", 0}},
    {ALL, {"val", VAL, "FILES", 0, "the validation split", 0}},
    {ALL, {"test", TEST, "FILES", 0, "the test split", 0}},
    {ALL,
     {"val-fraction", VAL_FRACTION, "F", 0,
      "this part of the training samples, class by class, becomes the validation split", 0}},
    {ALL, {"test-fraction", TEST_FRACTION, "F", 0, "this part becomes the test split", 0}},
    {ALL, {"seed", SEED, "S", 0, "of that choice (default 0)", 0}},
    {CSV, {"label-column", LABEL_COLUMN, "COLUMN", 0, "its name, its number from 1, or 'last' (default)", 1}},
    {CSV,
     {"target", TARGET_COLUMNS, "COLUMN,...", 0,
      "columns of numbers that are to be predicted, in place of a label: by name or number from 1", 1}},
    {TEXTS,
     {"label-column", LABEL_COLUMN, "COLUMN", 0, "its name or its number from 1 (default: the first)", 1}},
    {TABLES, {"group-column", GROUP_COLUMN, "COLUMN", 0, "likewise", 1}},
    {TEXTS, {"text-column", TEXT_COLUMN, "COLUMN", 0, "likewise (default: the last)", 1}},
    {CSV, {"ignore-columns", IGNORE_COLUMNS, "COLUMN,...", 0, "such as are left out", 1}},
    {PREDICT,
     {"text-column", TEXT_COLUMN, "COLUMN", 0, "that of the texts: its name, its number from 1, or 'last'",
      1}},
    {PREDICT,
     {"ignore-columns", IGNORE_COLUMNS, "COLUMN,...", 0,
      "columns that are left out, by name or number from 1", 1}},
    {TABLES | PREDICT,
     {"header", HEADER, "yes|no|auto", 0,
      "whether line 1 names the columns (default auto, which says what it took)", 1}},
    {TABLES | PREDICT,
     {"separator", SEPARATOR, "S", 0, "comma, semicolon, tab, bar or space (default: found out)", 1}},
    {CSV | PREDICT, {"decimal", DECIMAL, "point|comma", 0, "the decimal mark (default: found out)", 1}},
    {TABLES,
     {"columns", COLUMNS, "name|place", 0, "how columns of splits in another order belong together", 1}},
    {CSV, {"shape", SHAPE, "HxW", 0, "the numbers are a picture: HxW or CxHxW", 1}},
    {TEXTS, {"tokens", TOKENS, "KIND", 0, "word (default) or byte", 1}},
    {TEXTS, {"length", LENGTH, "N", 0, "tokens a text (default: those of the longest, up to 64 words or 512 bytes)", 1}},
    {TEXTS, {"min-count", MIN_COUNT, "N", 0, "words seen this often in train get an id (default 3)", 1}},
    {CIFAR,
     {"kind", CIFAR_KIND, "KIND", 0, "cifar10 or cifar100; found from the records when only one is possible",
      1}},
    {ARRAYS, {"kind", KIND, "KIND", 0, "picture, text (word ids) or vector (default: by type and axes)", 1}},
    {ARRAYS | PREDICT,
     {"layout", LAYOUT, "chw|hwc", 0, "where the channels of pictures are (default: found out)", 1}},
    {ARRAYS,
     {"pad", PAD, "ID", 0, "the word id of padding at either end, or 'none' (default: 0, at the end)", 1}},
    {ARRAYS, {"label-column", LABEL_COLUMN, "N", 0, "of labels in several columns: from 1, or 'last'", 1}},
    {ARRAYS,
     {"numbers", NUMBERS, NULL, 0,
      "the second array is numbers that are to be predicted, one or several a sample, and no labels", 1}},
    {NPY,
     {"x", ARRAY_X, "NAME", 0, "the array of samples in a .npz (default x, data, ..., or x_train and so on)",
      1}},
    {NPY, {"y", ARRAY_Y, "NAME", 0, "that of labels (default y, labels, ...)", 1}},
    {NPY, {"group", ARRAY_GROUP, "NAME", 0, "that of groups (default group)", 1}},
    {IMAGES, {"size", SIZE, "HxW", 0, "resample to this size (default: all have one already)", 1}},
    {IMAGES, {"color", COLOR, "grey|rgb", 0, "one channel or three (default: what all pictures have)", 1}},
    {IMAGES | PREDICT, {"background", BACKGROUND, "white|black", 0, "behind what is transparent", 1}},
    {IMAGES,
     {"skip-unreadable", SKIP_UNREADABLE, NULL, 0, "leave out pictures that cannot be read, and name them",
      1}},
    {ALL & ~TEXTS,
     {"scale", SCALE, "column|all|none", 0,
      "mean and deviation by column or channel (default), one for all, or none", 1}},
    {CIFAR, {"fine-names", CLASS_NAMES, "NAMES", 0, "the classes: a file with a name a line, or a,b,c", 2}},
    {CIFAR, {"coarse-names", GROUP_NAMES, "NAMES", 0, "the groups of CIFAR-100", 2}},
    {ALL & ~CIFAR & ~IMAGES,
     {"class-names", CLASS_NAMES, "NAMES", 0, "a file with a name a line, or a,b,c", 2}},
    {ARRAYS | TABLES, {"group-names", GROUP_NAMES, "NAMES", 0, "a file with a name a line, or a,b,c", 2}},
    {ARRAYS | CSV,
     {"first-label", FIRST_LABEL, "0|1", 0, "the label of the first of the class names (default: found out)",
      2}},
    {ALL, {"title", TITLE, "TEXT", 0, "kept in the file", 3}},
    {ALL, {"source", SOURCE, "TEXT", 0, "kept in the file", 3}},
    {ALL, {"licence", LICENCE, "TEXT", 0, "kept in the file", 3}},
    {ALL, {"force", FORCE, NULL, 0, "replace an existing file", 3}},
};

static error_t read_shape(const char *text, size_t shape[3])
{
    size_t extent[3], count = 0;
    for (const char *at = text; count < 3;) {
        char *end;
        const unsigned long value = isdigit((unsigned char)*at) ? strtoul(at, &end, 10) : 0;
        if (value < 1 || value > 1 << 20) return EINVAL;
        extent[count++] = value;
        if (*end == '\0' && count >= 2) {
            shape[0] = count == 3 ? extent[0] : 1;
            shape[1] = extent[count - 2];
            shape[2] = extent[count - 1];
            return 0;
        }
        if (*end != 'x') return EINVAL;
        at = end + 1;
    }
    return EINVAL;
}

static void read_pad(struct argp_state *state, mot_import_options *o, const char *text)
{
    char *end;
    const long id = strtol(text, &end, 10);
    if (strcmp(text, "none") != 0 && (end == text || *end != '\0' || id < INT32_MIN || id > INT32_MAX))
        cmd_data_wrong(state, "--pad is a word id or none, not '%s'", text);
    o->pad = text;
}

static char read_separator(struct argp_state *state, const char *text)
{
    static const char marks[] = ",;\t| ,;\t| ";
    static const char *const words[] = {"comma", "semicolon", "tab", "bar", "space",
                                        ",",     ";",         "\t",  "|",   " "};
    for (size_t i = 0; i < MOT_COUNT(words); ++i)
        if (strcmp(text, words[i]) == 0) return marks[i];
    if (strcmp(text, "\\t") == 0) return '\t';
    cmd_data_wrong(state, "--separator is comma, semicolon, tab, bar or space, not '%s'", text);
    return 0;
}

/* The options of tables. */
static error_t parse_table(int key, char *text, struct argp_state *state)
{
    mot_import_options *o = &((import_arguments *)state->input)->options;
    switch (key) {
    case LABEL_COLUMN:
        o->label_column = text;
        break;
    case TARGET_COLUMNS:
        o->target_columns = text;
        break;
    case GROUP_COLUMN:
        o->group_column = text;
        break;
    case TEXT_COLUMN:
        o->text_column = text;
        break;
    case IGNORE_COLUMNS:
        o->ignore_columns = text;
        break;
    case HEADER:
        o->header = (mot_answer)cmd_data_word(state, "header", "auto|yes|no", text);
        break;
    case SEPARATOR:
        o->separator = read_separator(state, text);
        break;
    case DECIMAL:
        o->decimal = ".,.,"[cmd_data_word(state, "decimal", "point|comma|.|,", text)];
        break;
    case COLUMNS:
        o->by_name = (mot_answer)(1 + cmd_data_word(state, "columns", "name|place", text));
        break;
    case SHAPE:
        if (read_shape(text, o->shape) != 0) cmd_data_wrong(state, "--shape is HxW or CxHxW, not '%s'", text);
        break;
    case TOKENS:
        o->bytes = cmd_data_word(state, "tokens", "word|byte", text) == 1;
        break;
    case LENGTH:
        o->length = cmd_data_whole(state, "length", text, 1, MOT_IMPORT_MOST_TOKENS);
        break;
    case MIN_COUNT:
        o->min_count = cmd_data_whole(state, "min-count", text, 1, 1 << 30);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

/* Those of arrays and pictures. */
static error_t parse_array(int key, char *text, struct argp_state *state)
{
    mot_import_options *o = &((import_arguments *)state->input)->options;
    size_t shape[3] = {0};
    switch (key) {
    case CIFAR_KIND:
        o->cifar = cmd_data_word(state, "kind", "cifar10|cifar100", text) == 0 ? 10 : 100;
        break;
    case KIND:
        cmd_data_word(state, "kind", "picture|text|vector", text);
        o->kind = text;
        break;
    case LAYOUT:
        o->layout = (mot_picture_layout)(1 + cmd_data_word(state, "layout", "chw|hwc", text));
        break;
    case NUMBERS:
        o->numbers = true;
        break;
    case PAD:
        read_pad(state, o, text);
        break;
    case ARRAY_X:
    case ARRAY_Y:
    case ARRAY_GROUP:
        o->array[key - ARRAY_X] = text;
        break;
    case SIZE:
        if (read_shape(text, shape) != 0 || shape[0] != 1)
            cmd_data_wrong(state, "--size is HxW, not '%s'", text);
        o->height = shape[1];
        o->width = shape[2];
        break;
    case COLOR:
        o->color = (mot_picture_color)cmd_data_word(state, "color", "auto|grey|rgb", text);
        break;
    case BACKGROUND:
        cmd_data_word(state, "background", "white|black", text);
        o->background = text;
        break;
    case SKIP_UNREADABLE:
        o->skip_unreadable = true;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static error_t parse_any(int key, char *text, struct argp_state *state)
{
    import_arguments *a = state->input;
    mot_import_options *o = &a->options;
    switch (key) {
    case OUT:
        o->out = text;
        break;
    case TRAIN:
    case VAL:
    case TEST:
        o->files[key - TRAIN] = text;
        break;
    case TITLE:
        o->title = text;
        break;
    case SOURCE:
        o->source = text;
        break;
    case LICENCE:
        o->licence = text;
        break;
    case CLASS_NAMES:
        o->class_names = text;
        break;
    case GROUP_NAMES:
        o->group_names = text;
        break;
    case FIRST_LABEL:
        cmd_data_word(state, "first-label", "0|1", text);
        o->first_label = text;
        break;
    case FORCE:
        a->force = true;
        break;
    case SCALE:
        o->scaling = (mot_scaling)cmd_data_word(state, "scale", "column|all|none", text);
        break;
    case VAL_FRACTION:
        o->val_fraction = cmd_data_number(state, "val-fraction", text, 0, 1);
        break;
    case TEST_FRACTION:
        o->test_fraction = cmd_data_number(state, "test-fraction", text, 0, 1);
        break;
    case SEED:
        o->seed = cmd_data_whole(state, "seed", text, 0, UINT64_MAX);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static error_t parse_argument(import_arguments *a, char *text, struct argp_state *state)
{
    mot_import_options *o = &a->options;
    if (a->importer->usage != NULL && o->files[0] == NULL)
        o->files[0] = text;
    else if (a->importer->bit == HDF5 && o->argument_count < MOT_IMPORT_ARGUMENTS &&
             strchr(text, '=') != NULL)
        o->argument[o->argument_count++] = text;
    else
        cmd_data_wrong(state, "unexpected argument '%s'", text);
    return 0;
}

error_t import_parse(int key, char *text, struct argp_state *state)
{
    error_t error = key == ARGP_KEY_ARG ? parse_argument(state->input, text, state) : ARGP_ERR_UNKNOWN;
    if (error == ARGP_ERR_UNKNOWN) error = parse_any(key, text, state);
    if (error == ARGP_ERR_UNKNOWN) error = parse_table(key, text, state);
    if (error == ARGP_ERR_UNKNOWN) error = parse_array(key, text, state);
    return error == 0 && state->hook != NULL ? EINVAL : error;
}

void import_options_of(unsigned who, struct argp_option taken[IMPORT_MAX_OPTIONS])
{
    size_t count = 0;
    for (size_t i = 0; i < MOT_COUNT(options); ++i)
        if (options[i].importers & who) taken[count++] = options[i].option;
    taken[count] = (struct argp_option){0};
}

unsigned import_takers(int key, const char **name)
{
    unsigned takers = 0;
    for (size_t i = 0; i < MOT_COUNT(options); ++i) {
        if (options[i].option.key != key) continue;
        takers |= options[i].importers;
        *name = options[i].option.name;
    }
    return takers & PREDICT ? takers : 0;
}
