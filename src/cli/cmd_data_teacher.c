/* mot data make teacher */
#include <errno.h>
#include <string.h>

#include "cmd_data.h"
#include "mot/memory.h"
#include "mot/teacher.h"

enum { OUT = 256, FORCE, EXPERTS, WIDTH, ACTIVATION, GATE, CORRELATION, TRAIN, VAL, TEST, SEED };

typedef struct arguments {
    mot_teacher_config config;
    const char *out;
    bool force;
    mot_gidx samples[3];
} arguments;

static const struct argp_option options[] = {
    {"out", OUT, "FILE", 0, "the data set to make", 0},
    {"force", FORCE, NULL, 0, "replace an existing file", 0},
    {"experts", EXPERTS, "M", 0, "experts of the teacher (default 2)", 0},
    {"width", WIDTH, "D", 0, "numbers a sample (default 32)", 0},
    {"activation", ACTIVATION, "KIND", 0, "of its neurons: hermite (default), hermite2, relu or tanh", 0},
    {"gate", GATE, "KIND", 0, "sigmoid (default) or softmax", 0},
    {"correlation", CORRELATION, "C", 0, "cosine between any two of its vectors (default 0)", 0},
    {"train", TRAIN, "N", 0, "training samples (default 4000)", 0},
    {"val", VAL, "N", 0, "validation samples (default 0)", 0},
    {"test", TEST, "N", 0, "test samples (default 1000)", 0},
    {"seed", SEED, "S", 0, "of everything (default 0)", 0},
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
    arguments *a = state->input;
    mot_teacher_config *c = &a->config;
    switch (key) {
    case OUT:
        a->out = text;
        break;
    case FORCE:
        a->force = true;
        break;
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
    case TRAIN:
    case VAL:
    case TEST:
        a->samples[key - TRAIN] = (mot_gidx)cmd_data_whole(state, "train, --val or --test", text, 0,
                                                           (uint64_t)1 << 40);
        break;
    case SEED:
        c->seed = cmd_data_whole(state, "seed", text, 0, UINT64_MAX);
        break;
    case ARGP_KEY_ARG:
        cmd_data_wrong(state, "unexpected argument '%s'", text);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return state->hook != NULL ? EINVAL : 0;
}

static mot_status make(const arguments *a)
{
    static const char *const splits[] = {"train", "val", "test"};
    const mot_sample_format format = {.kind = MOT_SAMPLE_VECTOR,
                                      .element = MOT_ELEMENT_F32,
                                      .tokens = 1,
                                      .features = a->config.width,
                                      .normalization = {.scaling = MOT_SCALING_NONE}};
    const mot_dataset_about about = {.title = "teacher", .source = "mot data make teacher"};
    mot_teacher teacher = {0};
    mot_dataset_writer *writer = NULL;
    float *x = NULL, y;
    mot_status status = MOT_OK;
    MOT_TRY(mot_teacher_init(&teacher, &a->config));
    MOT_TRY(mot_dataset_writer_open(&writer, a->out, &format));
    mot_dataset_writer_numbers(writer, 1);
    MOT_TRY(mot_allocate(&x, a->config.width, sizeof *x, "a sample"));
    for (int s = 0; s < 3; ++s)
        for (mot_gidx i = 0; i < a->samples[s]; ++i) {
            mot_teacher_sample(&teacher, s, i, x, &y);
            MOT_TRY(mot_dataset_writer_add(writer, splits[s], 1, x, &y, NULL));
        }
    MOT_TRY(mot_dataset_writer_close(&writer, &about, true));
    MOT_TRY(cmd_data_say_made(a->out));
done:
    mot_dataset_writer_close(&writer, &about, false);
    mot_teacher_free(&teacher);
    mot_free(x);
    return status;
}

mot_status cmd_data_make_teacher(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options, .parser = parse,
        .doc = "--out FILE\nSamples x ~ N(0, I) whose targets are numbers: y = sum_j P_j sigma(w_j . x), the P_j being "
               "sigmoids or the softmax of v_j . x. Each sample is a function of seed and index, the same as a run "
               "with data.source=teacher and that seed makes."};
    arguments a = {.config = {.experts = 2, .width = 32}, .samples = {4000, 0, 1000}};
    bool help;
    mot_status status = mot_cli_parse(&argp, argc, argv, &a, &help);
    if (status != MOT_OK || help) return status;
    if (a.out == NULL) return mot_fail(MOT_ERR_INPUT, "%s needs --out (see %s --help)", argv[0], argv[0]);
    status = cmd_data_check_out(a.out, a.force);
    return status == MOT_OK ? make(&a) : status;
}
