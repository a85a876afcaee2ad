/* mot import-weights */
#include <errno.h>

#include "cli.h"
#include "mot/export.h"

typedef struct arguments {
    const char *weights, *path, *run;
} arguments;

static error_t take(int key, char *text, struct argp_state *state)
{
    arguments *given = state->input;
    switch (key) {
    case 'o':
        given->run = text;
        return 0;
    case ARGP_KEY_ARG:
        if (given->path != NULL) return mot_cli_refuse(state, "expected FILE and RUN|CHECKPOINT, and nothing more");
        *(given->weights == NULL ? &given->weights : &given->path) = text;
        return 0;
    case ARGP_KEY_END:
        if (given->path == NULL) return mot_cli_refuse(state, "an argument is missing, expected FILE RUN|CHECKPOINT");
        if (given->run == NULL) return mot_cli_refuse(state, "an argument is missing, expected -o NEW_RUN");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

mot_status mot_cmd_import_weights(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"output", 'o', "NEW_RUN", 0, "The run folder that is made", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options, .parser = take, .args_doc = "FILE RUN|CHECKPOINT",
        .doc = "Makes a run folder of one checkpoint: that of RUN, with the values of FILE (.safetensors or .npz), which has every tensor "
               "that mot export writes, under the same name and in the same shape.\v"
               "mot eval, mot predict and init.from take the new run; mot train NEW_RUN/config.yaml goes on from it, with optimizers "
               "that begin anew.\n\n"
               "mot import-weights changed.safetensors runs/mine -o runs/changed"};
    arguments given = {.path = NULL};
    bool help;
    const mot_status status = mot_cli_parse(&argp, argc, argv, &given, &help);
    return status != MOT_OK || help ? status : mot_import_weights(given.weights, given.path, given.run);
}
