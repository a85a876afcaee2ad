/* mot data make teacher */
#include <errno.h>
#include <string.h>

#include "cmd_data.h"
#include "mot/teacher.h"

enum { EXPERTS = 256, WIDTH, ACTIVATION, GATE, CORRELATION };

static const struct argp_option options[] = {
    {"experts", EXPERTS, "M", 0, "experts of the teacher (default 2)", 0},
    {"width", WIDTH, "D", 0, "numbers a sample (default 32)", 0},
    {"activation", ACTIVATION, "KIND", 0, "of its neurons: hermite (default), hermite2, relu or tanh", 0},
    {"gate", GATE, "KIND", 0, "sigmoid (default) or softmax", 0},
    {"correlation", CORRELATION, "C", 0, "cosine between any two of its vectors (default 0)", 0},
    {0}};

/* The place of a word in a list that ends with NULL. */
static int read_word(struct argp_state *state, const char *option, const char *const *words, const char *text)
{
    for (int i = 0; words[i] != NULL; ++i)
        if (strcmp(words[i], text) == 0) return i;
    cmd_data_wrong(state, "--%s: '%s' is none of those that --help lists", option, text);
    return 0;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    static const char *const activations[] = {MOT_NEURON_ACTIVATIONS, NULL},
                             *const gates[] = {"sigmoid", "softmax", NULL};
    mot_teacher_config *c = state->input;
    switch (key) {
    case EXPERTS:
        c->experts = (int)cmd_data_whole(state, "experts", text, 1, MOT_TEACHER_MAX_EXPERTS);
        break;
    case WIDTH:
        c->width = cmd_data_whole(state, "width", text, 2, 1 << 16);
        break;
    case ACTIVATION:
        c->activation = (mot_neuron_activation)read_word(state, "activation", activations, text);
        break;
    case GATE:
        c->gate = (mot_teacher_gate)read_word(state, "gate", gates, text);
        break;
    case CORRELATION:
        c->correlation = cmd_data_number(state, "correlation", text, 0, 1);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return state->hook != NULL ? EINVAL : 0;
}

static mot_status open_split(mot_dataset *set, const void *config, uint64_t seed, const char *split, mot_gidx samples)
{
    mot_teacher_config teacher = *(const mot_teacher_config *)config;
    teacher.seed = seed;
    return mot_dataset_taught(set, &teacher, split, samples, 0);
}

mot_status cmd_data_make_teacher(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options, .parser = parse,
        .doc = "--out FILE\nSamples x ~ N(0, I) whose targets are numbers: y = sum_j P_j sigma(w_j . x), the P_j being "
               "sigmoids or the softmax of v_j . x. Each sample is a function of seed and index, the same as a run "
               "with data.source=teacher and that seed makes."};
    mot_teacher_config config = {.experts = 2, .width = 32};
    return cmd_data_make_by(argc, argv, &argp, &config, "teacher", open_split);
}
