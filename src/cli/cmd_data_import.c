/* mot data import KIND: from the formats in which data come to one data set file. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd_data.h"
#include "mot/import.h"
#include "mot/log.h"
#include "mot/types.h"

/* The importers; an option says which of them take it. */
enum { IDX = 1, CIFAR = 2, NPY = 4, TEXTS = 8, CSV = 16, IMAGES = 32, HDF5 = 64, PARQUET = 128, ALL = 127 };
enum { ARRAYS = IDX | NPY | HDF5, TABLES = TEXTS | CSV, FILES_OF_SPLITS = ALL };

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
    {TEXTS,
     {"label-column", LABEL_COLUMN, "COLUMN", 0, "its name or its number from 1 (default: the first)", 1}},
    {TABLES, {"group-column", GROUP_COLUMN, "COLUMN", 0, "likewise", 1}},
    {TEXTS, {"text-column", TEXT_COLUMN, "COLUMN", 0, "likewise (default: the last)", 1}},
    {CSV, {"ignore-columns", IGNORE_COLUMNS, "COLUMN,...", 0, "such as are left out", 1}},
    {TABLES,
     {"header", HEADER, "yes|no|auto", 0,
      "whether line 1 names the columns (default auto, which says what it took)", 1}},
    {TABLES, {"separator", SEPARATOR, "S", 0, "comma, semicolon, tab, bar or space (default: found out)", 1}},
    {CSV, {"decimal", DECIMAL, "point|comma", 0, "the decimal mark (default: found out)", 1}},
    {TABLES,
     {"columns", COLUMNS, "name|place", 0, "how columns of splits in another order belong together", 1}},
    {CSV, {"shape", SHAPE, "HxW", 0, "the numbers are a picture: HxW or CxHxW", 1}},
    {TEXTS, {"tokens", TOKENS, "KIND", 0, "word (default) or byte", 1}},
    {TEXTS, {"length", LENGTH, "N", 0, "tokens a text (default 16 words, 128 bytes)", 1}},
    {TEXTS, {"min-count", MIN_COUNT, "N", 0, "words seen this often in train get an id (default 3)", 1}},
    {CIFAR,
     {"kind", CIFAR_KIND, "KIND", 0, "cifar10 or cifar100; found from the records when only one is possible",
      1}},
    {ARRAYS, {"kind", KIND, "KIND", 0, "picture, text (word ids) or vector (default: by type and axes)", 1}},
    {ARRAYS, {"layout", LAYOUT, "chw|hwc", 0, "where the channels of pictures are (default: found out)", 1}},
    {ARRAYS,
     {"pad", PAD, "ID", 0, "the word id of padding at either end, or 'none' (default: 0, at the end)", 1}},
    {ARRAYS, {"label-column", LABEL_COLUMN, "N", 0, "of labels in several columns: from 1, or 'last'", 1}},
    {NPY,
     {"x", ARRAY_X, "NAME", 0, "the array of samples in a .npz (default x, data, ..., or x_train and so on)",
      1}},
    {NPY, {"y", ARRAY_Y, "NAME", 0, "that of labels (default y, labels, ...)", 1}},
    {NPY, {"group", ARRAY_GROUP, "NAME", 0, "that of groups (default group)", 1}},
    {IMAGES, {"size", SIZE, "HxW", 0, "resample to this size (default: all have one already)", 1}},
    {IMAGES, {"color", COLOR, "grey|rgb", 0, "one channel or three (default: what all pictures have)", 1}},
    {IMAGES, {"background", BACKGROUND, "white|black", 0, "behind what is transparent", 1}},
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

typedef struct arguments {
    mot_import_options options;
    const struct importer *importer;
    bool force;
} arguments;

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

/* The place of a word in a list "a|b|c", or an error that names the option and the list. */
static int read_word(struct argp_state *state, const char *option, const char *list, const char *text)
{
    const size_t length = strlen(text);
    int place = 0;
    for (const char *at = list;; ++place) {
        const size_t word = strcspn(at, "|");
        if (word == length && strncmp(at, text, word) == 0) return place;
        if (at[word] == '\0') break;
        at += word + 1;
    }
    cmd_data_wrong(state, "--%s is %s, not '%s'", option, list, text);
    return 0;
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
    mot_import_options *o = &((arguments *)state->input)->options;
    switch (key) {
    case LABEL_COLUMN:
        o->label_column = text;
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
        o->header = (mot_answer)read_word(state, "header", "auto|yes|no", text);
        break;
    case SEPARATOR:
        o->separator = read_separator(state, text);
        break;
    case DECIMAL:
        o->decimal = ".,.,"[read_word(state, "decimal", "point|comma|.|,", text)];
        break;
    case COLUMNS:
        o->by_name = (mot_answer)(1 + read_word(state, "columns", "name|place", text));
        break;
    case SHAPE:
        if (read_shape(text, o->shape) != 0) cmd_data_wrong(state, "--shape is HxW or CxHxW, not '%s'", text);
        break;
    case TOKENS:
        o->bytes = read_word(state, "tokens", "word|byte", text) == 1;
        break;
    case LENGTH:
        o->length = cmd_data_whole(state, "length", text, 1, 1 << 20);
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
    mot_import_options *o = &((arguments *)state->input)->options;
    size_t shape[3] = {0};
    switch (key) {
    case CIFAR_KIND:
        o->cifar = read_word(state, "kind", "cifar10|cifar100", text) == 0 ? 10 : 100;
        break;
    case KIND:
        read_word(state, "kind", "picture|text|vector", text);
        o->kind = text;
        break;
    case LAYOUT:
        o->layout = (mot_picture_layout)(1 + read_word(state, "layout", "chw|hwc", text));
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
        o->color = (mot_picture_color)read_word(state, "color", "auto|grey|rgb", text);
        break;
    case BACKGROUND:
        read_word(state, "background", "white|black", text);
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
    arguments *a = state->input;
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
        read_word(state, "first-label", "0|1", text);
        o->first_label = text;
        break;
    case FORCE:
        a->force = true;
        break;
    case SCALE:
        o->scaling = (mot_scaling)read_word(state, "scale", "column|all|none", text);
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

static const struct importer {
    unsigned bit;
    const char *name;
    mot_importer *run;
    const char *usage, *help;
} importers[] = {
    {IDX, "idx", mot_import_idx, NULL,
     "--out FILE --train IMAGES,LABELS[,GROUPS] --test IMAGES,LABELS\n"
     "MNIST and its likes: IDX files of any type, plain, .gz or .xz."},
    {CIFAR, "cifar", mot_import_cifar, NULL,
     "--out FILE --train F[,F...] --test F[,F...]\n"
     "CIFAR-10 or CIFAR-100 binary records, plain, .gz or .xz."},
    {NPY, "npy", mot_import_npy, NULL,
     "--out FILE --train X.npy,Y.npy[,GROUP.npy] | FILE.npz\n"
     "NumPy arrays: bytes of three or four axes are pictures, integers of 32 or 64 bits [n, L] word ids, "
     "other numbers "
     "vectors [n, D] or [n, L, D]."},
    {TEXTS, "text", mot_import_text, NULL,
     "--out FILE --train FILE.tsv [--val FILE.tsv] [--test FILE.tsv]\n"
     "Lines label<TAB>group<TAB>text, or label<TAB>text, or a table with such columns; plain, .gz or .xz."},
    {CSV, "csv", mot_import_csv, NULL,
     "--out FILE --train FILE [--test FILE | --test-fraction F]\n"
     "Lines of numbers with the label in one column; plain, .gz or .xz."},
    {IMAGES, "images", mot_import_images, "FOLDER",
     "--out FILE --test-fraction F\n"
     "PNG and JPEG files, a folder a class: FOLDER/CLASS/*.png, or FOLDER/train/CLASS and "
     "FOLDER/test/CLASS."},
    {HDF5, "hdf5", mot_import_hdf5, "FILE X=/PATH Y=/PATH [GROUP=/PATH]",
     "--out FILE\n"
     "Arrays in an HDF5 file, taken as those of npy are. VAL_X=, TEST_X= and so on name those of other "
     "splits."},
};

static error_t parse_argument(arguments *a, char *text, struct argp_state *state)
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

static error_t parse(int key, char *text, struct argp_state *state)
{
    error_t error = key == ARGP_KEY_ARG ? parse_argument(state->input, text, state) : ARGP_ERR_UNKNOWN;
    if (error == ARGP_ERR_UNKNOWN) error = parse_any(key, text, state);
    if (error == ARGP_ERR_UNKNOWN) error = parse_table(key, text, state);
    if (error == ARGP_ERR_UNKNOWN) error = parse_array(key, text, state);
    return error == 0 && state->hook != NULL ? EINVAL : error;
}

static mot_status import(const struct importer *importer, char *name, int argc, char **argv)
{
    struct argp_option taken[MOT_COUNT(options) + 1] = {{0}};
    for (size_t i = 0, count = 0; i < MOT_COUNT(options); ++i)
        if (options[i].importers & importer->bit) taken[count++] = options[i].option;
    const struct argp argp = {taken, parse, importer->usage, importer->help, NULL, NULL, NULL};
    mot_import_notes notes = {.count = 0};
    arguments a = {.importer = importer, .options = {.notes = &notes}};
    bool help;
    mot_status status = mot_cli_parse(&argp, argc, argv, &a, &help);
    if (status != MOT_OK || help) return status;
    if (a.options.out == NULL || a.options.files[0] == NULL)
        return mot_fail(MOT_ERR_INPUT, "%s needs %s (see %s --help)", name,
                        a.options.out == NULL     ? "--out"
                        : importer->usage != NULL ? importer->usage
                                                  : "--train",
                        name);
    MOT_TRY(cmd_data_check_out(a.options.out, a.force));
    MOT_TRY(importer->run(&a.options));
    for (size_t i = 0; i < MOT_MIN(notes.count, (size_t)MOT_IMPORT_NOTES); ++i)
        mot_log(MOT_LOG_INFO, "note: %s", notes.text[i]);
    MOT_TRY(cmd_data_say_made(a.options.out));
done:
    return status;
}

mot_status cmd_data_import(int argc, char **argv)
{
    const char *wanted = argc > 1 ? argv[1] : "--help";
    for (size_t i = 0; i < MOT_COUNT(importers); ++i) {
        if (strcmp(wanted, importers[i].name) != 0) continue;
        char name[64];
        snprintf(name, sizeof name, "%.32s %s", argv[0], wanted);
        argv[1] = name;
        return import(&importers[i], name, argc - 1, argv + 1);
    }
    const char *usage =
        "Usage: mot data import KIND [OPTION...]\nKIND is idx, cifar, npy, text, csv, images or hdf5; "
        "'mot data import KIND --help' tells more of one.";
    if (strcmp(wanted, "--help") == 0 && argc > 1) return mot_log(MOT_LOG_INFO, "%s", usage), MOT_OK;
    if (strcmp(wanted, "parquet") == 0)
        return mot_fail(MOT_ERR_INPUT, "'parquet': no C library of Debian reads it; docs/data.md has the "
                                       "line that makes a .csv or .npz of it");
    return mot_fail(MOT_ERR_INPUT,
                    "'%s': expected mot data import idx, cifar, npy, text, csv, images or hdf5",
                    argc > 1 ? wanted : "");
}
