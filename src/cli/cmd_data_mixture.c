/* mot data make mixture */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_data.h"
#include "mot/mixture.h"

enum { CLASSES = 256, TOKENS, WIDTH, SIGMA, ALPHA, BETA, GAMMA, LABELS, CORRELATION, CLASS_WEIGHTS };

static const struct argp_option options[] = {
    {"classes", CLASSES, "N", 0, "classes of the mixture (default 4)", 0},
    {"tokens", TOKENS, "L", 0, "tokens a sample (default 8)", 0},
    {"width", WIDTH, "D", 0, "numbers a token (default 32)", 0},
    {"sigma", SIGMA, "S", 0, "of the noise tokens (default 1)", 0},
    {"alpha", ALPHA, "LO[,HI]", 0, "strength of the classification signal (default 1)", 0},
    {"beta", BETA, "LO[,HI]", 0, "strength of the class signal (default 1)", 0},
    {"gamma", GAMMA, "LO[,HI]", 0, "strength of the distractor (default 1)", 0},
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

static error_t parse(int key, char *text, struct argp_state *state)
{
    mot_mixture_config *c = state->input;
    int count;
    switch (key) {
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
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return state->hook != NULL ? EINVAL : 0;
}

static mot_status open_split(mot_dataset *set, const void *config, uint64_t seed, const char *split, mot_gidx samples)
{
    mot_mixture_config mixture = *(const mot_mixture_config *)config;
    mixture.seed = seed;
    return mot_dataset_generate(set, &mixture, split, samples, 0);
}

mot_status cmd_data_make_mixture(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options, .parser = parse,
        .doc = "--out FILE\nThe synthetic N-class mixture, each sample a function of seed and index."};
    mot_mixture_config config = {
        .classes = 4, .tokens = 8, .width = 32, .sigma = 1, .alpha = {1, 1}, .beta = {1, 1}, .gamma = {1, 1}};
    return cmd_data_make_by(argc, argv, &argp, &config, "mixture", open_split);
}
