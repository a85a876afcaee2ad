/* mot data: import, make and show data sets. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_data.h"
#include "mot/dataset.h"
#include "mot/h5.h"
#include "mot/log.h"
#include "mot/memory.h"
#include "mot/mixture.h"

/* ---- mot data make mixture ---- */

enum {
    OUT = 256,
    FORCE,
    CLASSES,
    TOKENS,
    WIDTH,
    SIGMA,
    ALPHA,
    BETA,
    GAMMA,
    TRAIN,
    VAL,
    TEST,
    SEED,
    LABELS,
    CORRELATION,
    CLASS_WEIGHTS
};

typedef struct make_arguments {
    mot_mixture_config config;
    const char *out;
    bool force;
    mot_gidx samples[3];
} make_arguments;

static const struct argp_option make_options[] = {
    {"out", OUT, "FILE", 0, "the data set to make", 0},
    {"force", FORCE, NULL, 0, "replace an existing file", 0},
    {"classes", CLASSES, "N", 0, "classes of the mixture (default 4)", 0},
    {"tokens", TOKENS, "L", 0, "tokens a sample (default 8)", 0},
    {"width", WIDTH, "D", 0, "numbers a token (default 32)", 0},
    {"sigma", SIGMA, "S", 0, "of the noise tokens (default 1)", 0},
    {"alpha", ALPHA, "LO[,HI]", 0, "strength of the classification signal (default 1)", 0},
    {"beta", BETA, "LO[,HI]", 0, "strength of the class signal (default 1)", 0},
    {"gamma", GAMMA, "LO[,HI]", 0, "strength of the distractor (default 1)", 0},
    {"train", TRAIN, "N", 0, "training samples (default 4000)", 0},
    {"val", VAL, "N", 0, "validation samples (default 0)", 0},
    {"test", TEST, "N", 0, "test samples (default 1000)", 0},
    {"seed", SEED, "S", 0, "of everything (default 0)", 0},
    {"labels", LABELS, "KIND", 0, "signed (default) or vector", 0},
    {"correlation", CORRELATION, "C", 0, "cosine between any two signals (default 0)", 0},
    {"class-weights", CLASS_WEIGHTS, "W,W,...", 0, "one a class (default: all alike)", 0},
    {0}};

static void read_list(struct argp_state *state, const char *option, const char *text, int most,
                      double *values, int *count)
{
    *count = 0;
    for (const char *at = text;; ++at) {
        char *end;
        const double value = strtod(at, &end);
        if (end == at || !isfinite(value) || *count == most || (*end != ',' && *end != '\0')) {
            cmd_data_wrong(state, "--%s is up to %d numbers with commas between, not '%s'", option, most,
                           text);
            return;
        }
        values[(*count)++] = value;
        if (*end == '\0') return;
        at = end;
    }
}

static void read_range(struct argp_state *state, const char *option, const char *text, double range[2])
{
    int count;
    read_list(state, option, text, 2, range, &count);
    if (count == 1) range[1] = range[0];
}

static error_t parse_make(int key, char *text, struct argp_state *state)
{
    make_arguments *a = state->input;
    mot_mixture_config *c = &a->config;
    int count;
    switch (key) {
    case OUT:
        a->out = text;
        break;
    case FORCE:
        a->force = true;
        break;
    case CLASSES:
        c->classes = (int)cmd_data_whole(state, "classes", text, 2, MOT_MIXTURE_MAX_CLASSES);
        break;
    case TOKENS:
        c->tokens = cmd_data_whole(state, "tokens", text, 4, 1 << 20);
        break;
    case WIDTH:
        c->width = cmd_data_whole(state, "width", text, 1, 1 << 16);
        break;
    case SIGMA:
        c->sigma = cmd_data_number(state, "sigma", text, 0, 1e6);
        break;
    case ALPHA:
        read_range(state, "alpha", text, c->alpha);
        break;
    case BETA:
        read_range(state, "beta", text, c->beta);
        break;
    case GAMMA:
        read_range(state, "gamma", text, c->gamma);
        break;
    case TRAIN:
    case VAL:
    case TEST:
        a->samples[key - TRAIN] = (mot_gidx)cmd_data_whole(state, "train, --val or --test", text, 0,
                                                           (uint64_t)1 << 40);
        break;
    case SEED:
        c->seed = cmd_data_whole(state, "seed", text, 0, UINT64_MAX);
        break;
    case LABELS:
        c->vector_labels = strcmp(text, "vector") == 0;
        if (!c->vector_labels && strcmp(text, "signed") != 0)
            cmd_data_wrong(state, "--labels is signed or vector, not '%s'", text);
        break;
    case CORRELATION:
        c->correlation = cmd_data_number(state, "correlation", text, 0, 1);
        break;
    case CLASS_WEIGHTS:
        read_list(state, "class-weights", text, MOT_MIXTURE_MAX_CLASSES, c->class_weight, &count);
        break;
    case ARGP_KEY_ARG:
        cmd_data_wrong(state, "unexpected argument '%s'", text);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return state->hook != NULL ? EINVAL : 0;
}

static mot_status make_mixture(const make_arguments *a)
{
    static const char *const splits[] = {"train", "val", "test"};
    const mot_mixture_config *c = &a->config;
    mot_sample_format format = {.kind = MOT_SAMPLE_VECTOR,
                                .element = MOT_ELEMENT_F32,
                                .tokens = c->tokens,
                                .features = c->width,
                                .normalization = {.scaling = MOT_SCALING_NONE}};
    const mot_dataset_about about = {.title = "mixture",
                                     .source = "mot data make mixture",
                                     .signed_labels = true,
                                     .group_count = (size_t)c->classes};
    mot_mixture mixture = {0};
    mot_dataset_writer *writer = NULL;
    float *x = NULL;
    mot_status status = MOT_OK;
    MOT_TRY(mot_mixture_init(&mixture, c));
    MOT_TRY(mot_dataset_writer_open(&writer, a->out, &format));
    MOT_TRY(mot_allocate(&x, c->tokens * c->width, sizeof *x, "a sample"));
    for (int s = 0; s < 3; ++s)
        for (mot_gidx i = 0; i < a->samples[s]; ++i) {
            int32_t y, group;
            mot_mixture_sample(&mixture, s, i, x, &y, &group, NULL);
            MOT_TRY(mot_dataset_writer_add(writer, splits[s], 1, x, &y, &group));
        }
    MOT_TRY(mot_dataset_writer_close(&writer, &about, true));
    MOT_TRY(cmd_data_say_made(a->out));
done:
    mot_dataset_writer_close(&writer, &about, false);
    mot_mixture_free(&mixture);
    mot_free(x);
    return status;
}

static mot_status cmd_data_make_mixture(int argc, char **argv)
{
    static const struct argp argp = {
        .options = make_options, .parser = parse_make,
        .doc = "--out FILE\nThe synthetic N-class mixture, each sample a function of seed and index."};
    make_arguments a = {.config = {.classes = 4,
                                   .tokens = 8,
                                   .width = 32,
                                   .sigma = 1,
                                   .alpha = {1, 1},
                                   .beta = {1, 1},
                                   .gamma = {1, 1}},
                        .samples = {4000, 0, 1000}};
    bool help;
    mot_status status = mot_cli_parse(&argp, argc, argv, &a, &help);
    if (status != MOT_OK || help) return status;
    if (a.out == NULL) return mot_fail(MOT_ERR_INPUT, "%s needs --out (see %s --help)", argv[0], argv[0]);
    status = cmd_data_check_out(a.out, a.force);
    return status == MOT_OK ? make_mixture(&a) : status;
}

/* ---- the verb ---- */

typedef struct part {
    const char *name;
    mot_verb_function *run;
} part;

/* The part that argv[1] names gets its own arguments, and *status is what came of it; false: there is none of that name. */
static bool hand_over(size_t count, const part *parts, const char *verb, int argc, char **argv, mot_status *status)
{
    for (size_t i = 0; i < count && argc > 1; ++i) {
        if (strcmp(argv[1], parts[i].name) != 0) continue;
        char name[32];
        snprintf(name, sizeof name, "%s %s", verb, parts[i].name);
        argv[1] = name;
        *status = parts[i].run(argc - 1, argv + 1);
        return true;
    }
    return false;
}

static mot_status cmd_data_make(int argc, char **argv)
{
    static const part kinds[] = {{"mixture", cmd_data_make_mixture}, {"teacher", cmd_data_make_teacher}};
    mot_status status;
    if (hand_over(MOT_COUNT(kinds), kinds, "mot data make", argc, argv, &status)) return status;
    if (argc < 2 || strcmp(argv[1], "--help") != 0)
        return mot_fail(MOT_ERR_INPUT, "'%s': expected mot data make mixture or teacher", argc > 1 ? argv[1] : "");
    mot_log(MOT_LOG_INFO, "Usage: mot data make mixture|teacher [OPTION...]\n"
                          "'mot data make mixture --help' tells more of one.");
    return MOT_OK;
}

mot_status mot_cmd_data(int argc, char **argv)
{
    static const part parts[] = {
        {"import", cmd_data_import}, {"join", cmd_data_join}, {"make", cmd_data_make}, {"show", cmd_data_show}};
    mot_status status;
    if (hand_over(MOT_COUNT(parts), parts, "mot data", argc, argv, &status)) return status;
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        mot_log(MOT_LOG_INFO,
                "Usage: mot data import KIND [OPTION...]   idx, cifar, npy, text, csv, images, hdf5\n"
                "       mot data join FILE [OPTION...]...  several data sets as one, each turned, mirrored, ... as told\n"
                "       mot data make KIND [OPTION...]     synthetic data: mixture, teacher\n"
                "       mot data show FILE [OPTION...]     what a data set holds\n"
                "Each has its own --help.");
        return MOT_OK;
    }
    if (argc == 1) return mot_fail(MOT_ERR_INPUT, "nothing given: expected mot data import, join, make or show");
    return mot_fail(MOT_ERR_INPUT, "'%s': expected mot data import, join, make or show", argv[1]);
}
