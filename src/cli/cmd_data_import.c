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
    FORCE,
    KIND,
    TOKENS,
    LENGTH,
    MIN_COUNT,
    LABEL_COLUMN,
    SHAPE,
    TEST_FRACTION,
    SEED
};

typedef struct arguments {
    mot_import_options options;
    const char *format; /* idx, cifar, ... */
    bool force;
} arguments;

#define COMMON                                                                                               \
    {"out", OUT, "FILE", 0, "the data set to make", 0},                                                      \
        {"train", TRAIN, "FILES", 0, "the training split", 0},                                               \
        {"val", VAL, "FILES", 0, "the validation split", 0},                                                 \
        {"test", TEST, "FILES", 0, "the test split", 0}, {"title", TITLE, "TEXT", 0, "kept in the file", 0}, \
        {"source", SOURCE, "TEXT", 0, "kept in the file", 0},                                                \
        {"licence", LICENCE, "TEXT", 0, "kept in the file", 0},                                              \
    {                                                                                                        \
        "force", FORCE, NULL, 0, "replace an existing file", 0                                               \
    }
#define CLASSES                                                                                              \
    {                                                                                                        \
        "class-names", CLASS_NAMES, "NAMES", 0, "a file with a name a line, or a,b,c", 0                     \
    }
#define GROUPS                                                                                               \
    {                                                                                                        \
        "group-names", GROUP_NAMES, "NAMES", 0, "a file with a name a line, or a,b,c", 0                     \
    }

static const struct argp_option idx_options[] = {COMMON, CLASSES, {0}};
static const struct argp_option cifar_options[] = {
    COMMON,
    {"fine-names", CLASS_NAMES, "NAMES", 0, "the classes: a file with a name a line, or a,b,c", 0},
    {"coarse-names", GROUP_NAMES, "NAMES", 0, "the groups of CIFAR-100", 0},
    {"kind", KIND, "KIND", 0, "cifar10 or cifar100; found from the records when only one is possible", 0},
    {0}};
static const struct argp_option npy_options[] = {COMMON, CLASSES, GROUPS, {0}};
static const struct argp_option text_options[] = {
    COMMON,
    {"tokens", TOKENS, "KIND", 0, "word (default) or byte", 0},
    {"length", LENGTH, "N", 0, "tokens a text (default 16 words, 128 bytes)", 0},
    {"min-count", MIN_COUNT, "N", 0, "words seen this often in train get an id (default 3)", 0},
    {0}};
static const struct argp_option csv_options[] = {
    COMMON,
    CLASSES,
    {"label-column", LABEL_COLUMN, "N", 0, "from 1, or 'last' (default)", 0},
    {"shape", SHAPE, "HxW", 0, "the numbers are a picture: HxW or CxHxW", 0},
    {"test-fraction", TEST_FRACTION, "F", 0, "without --test: this part of the lines becomes the test split",
     0},
    {"seed", SEED, "S", 0, "of the shuffle before that (default 0)", 0},
    {0}};

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

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *a = state->input;
    mot_import_options *o = &a->options;
    uint64_t number = 0;
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
    case FORCE:
        a->force = true;
        break;
    case KIND:
        o->cifar = strcmp(text, "cifar10") == 0 ? 10 : strcmp(text, "cifar100") == 0 ? 100 : 0;
        if (o->cifar == 0) cmd_data_wrong(state, "--kind is cifar10 or cifar100, not '%s'", text);
        break;
    case TOKENS:
        o->bytes = strcmp(text, "byte") == 0;
        if (!o->bytes && strcmp(text, "word") != 0)
            cmd_data_wrong(state, "--tokens is word or byte, not '%s'", text);
        break;
    case LENGTH:
        o->length = cmd_data_whole(state, "length", text, 1, 1 << 20);
        break;
    case MIN_COUNT:
        o->min_count = cmd_data_whole(state, "min-count", text, 1, 1 << 30);
        break;
    case LABEL_COLUMN:
        if (strcmp(text, "last") == 0) break;
        number = cmd_data_whole(state, "label-column", text, 1, 1 << 30);
        o->label_column = (int)number - 1;
        break;
    case SHAPE:
        if (read_shape(text, o->shape) != 0) cmd_data_wrong(state, "--shape is HxW or CxHxW, not '%s'", text);
        break;
    case TEST_FRACTION:
        o->test_fraction = cmd_data_number(state, "test-fraction", text, 0, 1);
        break;
    case SEED:
        o->seed = cmd_data_whole(state, "seed", text, 0, UINT64_MAX);
        break;
    case ARGP_KEY_ARG:
        cmd_data_wrong(state, "unexpected argument '%s'", text);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return state->hook != NULL ? EINVAL : 0;
}

static const struct importer {
    const char *name;
    mot_status (*run)(const mot_import_options *);
    const struct argp_option *options;
    const char *help;
} importers[] = {
    {"idx", mot_import_idx, idx_options,
     "--out FILE --train IMAGES,LABELS --test IMAGES,LABELS\n"
     "MNIST and its likes: IDX files, plain, .gz or .xz."},
    {"cifar", mot_import_cifar, cifar_options,
     "--out FILE --train F[,F...] --test F[,F...]\n"
     "CIFAR-10 or CIFAR-100 binary records, plain, .gz or .xz."},
    {"npy", mot_import_npy, npy_options,
     "--out FILE --train X.npy,Y.npy[,GROUP.npy] | FILE.npz\n"
     "NumPy arrays: u1 pictures, i4/i8 word ids, f4/f8 vectors."},
    {"text", mot_import_text, text_options,
     "--out FILE --train FILE.tsv [--val FILE.tsv] [--test FILE.tsv]\n"
     "Lines label<TAB>group<TAB>text, or label<TAB>text; plain, .gz or .xz."},
    {"csv", mot_import_csv, csv_options,
     "--out FILE --train FILE [--test FILE | --test-fraction F]\n"
     "Lines of numbers with the label in one column; plain, .gz or .xz."},
};

mot_status cmd_data_import(int argc, char **argv)
{
    const char *wanted = argc > 1 ? argv[1] : "--help";
    for (size_t i = 0; i < MOT_COUNT(importers); ++i) {
        if (strcmp(wanted, importers[i].name) != 0) continue;
        char name[64];
        snprintf(name, sizeof name, "%.32s %s", argv[0], wanted);
        argv[1] = name;
        const struct argp argp = {importers[i].options, parse, NULL, importers[i].help, NULL, NULL, NULL};
        arguments a = {.options = {.label_column = -1}};
        bool help;
        mot_status status = mot_cli_parse(&argp, argc - 1, argv + 1, &a, &help);
        if (status != MOT_OK || help) return status;
        if (a.options.out == NULL || a.options.files[0] == NULL)
            return mot_fail(MOT_ERR_INPUT, "%s needs --%s (see %s --help)", name,
                            a.options.out == NULL ? "out" : "train", name);
        status = cmd_data_check_out(a.options.out, a.force);
        if (status == MOT_OK) status = importers[i].run(&a.options);
        if (status == MOT_OK) mot_log(MOT_LOG_INFO, "made %s", a.options.out);
        return status;
    }
    const char *usage = "Usage: mot data import KIND [OPTION...]\nKIND is idx, cifar, npy, text or csv; "
                        "'mot data import KIND --help' tells more of one.";
    if (strcmp(wanted, "--help") == 0 && argc > 1) return mot_log(MOT_LOG_INFO, "%s", usage), MOT_OK;
    return mot_fail(MOT_ERR_INPUT, "'%s': expected mot data import idx, cifar, npy, text or csv",
                    argc > 1 ? wanted : "");
}
