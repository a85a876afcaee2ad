/* What all kinds of mot data make share: the file, how many samples, and writing them. */
#include <errno.h>
#include <stdio.h>

#include "cmd_data.h"
#include "mot/memory.h"
#include "mot/output.h"

enum { OUT = 512, FORCE, TRAIN, VAL, TEST, SEED };
static const char *const splits[] = {"train", "val", "test"};
enum { SPLITS = 3 };

typedef struct arguments {
    void *config; /* of the kind */
    const char *out;
    bool force;
    mot_gidx samples[SPLITS];
    uint64_t seed;
} arguments;

static const struct argp_option options[] = {
    {"out", OUT, "FILE", 0, "the data set to make", 0},
    {"force", FORCE, NULL, 0, "replace an existing file", 0},
    {"train", TRAIN, "N", 0, "training samples (default 4000)", 0},
    {"val", VAL, "N", 0, "validation samples (default 0)", 0},
    {"test", TEST, "N", 0, "test samples (default 1000)", 0},
    {"seed", SEED, "S", 0, "of everything (default 0)", 0},
    {0}};

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = a->config;
        return 0;
    case OUT:
        a->out = text;
        break;
    case FORCE:
        a->force = true;
        break;
    case TRAIN:
    case VAL:
    case TEST:
        a->samples[key - TRAIN] = (mot_gidx)cmd_data_whole(state, splits[key - TRAIN], text, 0, (uint64_t)1 << 40);
        break;
    case SEED:
        a->seed = cmd_data_whole(state, "seed", text, 0, UINT64_MAX);
        break;
    case ARGP_KEY_ARG:
        cmd_data_wrong(state, "unexpected argument '%s'", text);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return state->hook != NULL ? EINVAL : 0;
}

/* Sample by sample, as they are made. */
static mot_status copy_split(mot_dataset_writer *writer, mot_dataset *set, const char *split)
{
    unsigned char *x = NULL, *target = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&x, 1, set->format.bytes, "a sample"));
    MOT_TRY(mot_allocate(&target, 1, MOT_MAX(set->target_bytes, sizeof(int32_t)), "a sample"));
    for (mot_gidx i = 0; i < set->samples; ++i) {
        int32_t group, *label = (int32_t *)(void *)target;
        MOT_TRY(mot_dataset_sample(set, i, x, target, &group));
        if (set->signed_labels) *label = 2 * *label - 1;
        MOT_TRY(mot_dataset_writer_add(writer, split, 1, x, target, set->groups > 0 ? &group : NULL));
    }
done:
    mot_free(target);
    mot_free(x);
    return status;
}

static mot_status make(const arguments *a, const char *kind, cmd_data_opener *open)
{
    char source[64];
    mot_dataset set = {0};
    mot_dataset_about about = {.title = kind, .source = source};
    mot_dataset_writer *writer = NULL;
    mot_status status = MOT_OK;
    double samples = 0; /* of all splits */
    snprintf(source, sizeof source, "mot data make %s", kind);
    for (int s = 0; s < SPLITS; ++s) samples += (double)a->samples[s];
    for (int s = 0; s < SPLITS; ++s) {
        if (a->samples[s] == 0 && s > 0) continue;
        MOT_TRY(open(&set, a->config, a->seed, splits[s], a->samples[s]));
        if (s == 0) {
            MOT_TRY(mot_output_room(a->out, samples * (double)set.format.bytes));
            about.signed_labels = set.signed_labels;
            about.group_count = (size_t)set.groups;
            MOT_TRY(mot_dataset_writer_open(&writer, a->out, &set.format));
            if (set.classes == 0) mot_dataset_writer_numbers(writer, set.target_bytes / sizeof(float));
        }
        MOT_TRY(copy_split(writer, &set, splits[s]));
        mot_dataset_close(&set);
    }
    MOT_TRY(mot_dataset_writer_close(&writer, &about, true));
    MOT_TRY(cmd_data_say_made(a->out));
done:
    mot_dataset_close(&set);
    mot_dataset_writer_close(&writer, &about, false);
    return status;
}

mot_status cmd_data_make_by(int argc, char **argv, const struct argp *own, void *config, const char *kind, cmd_data_opener *open)
{
    const struct argp child = {.options = own->options, .parser = own->parser};
    const struct argp_child children[] = {{&child, 0, NULL, 0}, {0}};
    const struct argp argp = {.options = options, .parser = parse, .doc = own->doc, .children = children};
    arguments a = {.config = config, .samples = {4000, 0, 1000}};
    bool help;
    mot_status status = mot_cli_parse(&argp, argc, argv, &a, &help);
    if (status != MOT_OK || help) return status;
    if (a.out == NULL) return mot_fail(MOT_ERR_INPUT, "%s needs --out (see %s --help)", argv[0], argv[0]);
    status = mot_output_check(a.out, MOT_OUTPUT_FILE_IN_MADE, a.force);
    return status == MOT_OK ? make(&a, kind, open) : status;
}
