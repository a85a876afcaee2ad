/* mot predict */
#include <errno.h>
#include <stdio.h>

#include "cli.h"
#include "mot/predict.h"

enum { KEY_DATA = 256, KEY_CSV, KEY_TEXT, KEY_NPY, KEY_SPLIT };

typedef struct arguments {
    mot_predict_options options;
    mot_cli_settings settings;
} arguments;

static error_t take_input(arguments *given, mot_predict_input input, const char *file,
                          struct argp_state *state)
{
    if (given->options.file != NULL) {
        argp_error(state, "one of --data, --csv, --text and --npy at a time");
        return EINVAL;
    }
    given->options.input = input;
    given->options.file = file;
    return 0;
}

static error_t finish(const arguments *given, struct argp_state *state)
{
    const mot_predict_options *options = &given->options;
    const char *missing = options->run == NULL   ? state->root_argp->args_doc
                          : options->out == NULL ? "-o OUT.csv, OUT.npz or OUT.h5"
                                                 : NULL;
    if (missing != NULL) {
        argp_error(state, "an argument is missing, expected %s", missing);
        return EINVAL;
    }
    if (options->split == NULL || options->input == MOT_PREDICT_DATA) return 0;
    argp_error(state, "--split is of a data set (--data)");
    return EINVAL;
}

static error_t take(int key, char *text, struct argp_state *state)
{
    arguments *given = state->input;
    switch (key) {
    case KEY_DATA:
        return take_input(given, MOT_PREDICT_DATA, text, state);
    case KEY_CSV:
        return take_input(given, MOT_PREDICT_CSV, text, state);
    case KEY_TEXT:
        return take_input(given, MOT_PREDICT_TEXT, text, state);
    case KEY_NPY:
        return take_input(given, MOT_PREDICT_NPY, text, state);
    case KEY_SPLIT:
        given->options.split = text;
        return 0;
    case 'o':
        given->options.out = text;
        return 0;
    case ARGP_KEY_ARG:
        if (given->options.run != NULL) return mot_cli_add_setting(&given->settings, text, state);
        given->options.run = text;
        return 0;
    case ARGP_KEY_END:
        return finish(given, state);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

mot_status mot_cmd_predict(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"data", KEY_DATA, "FILE", 0, "Samples of a data set; default: the run's own", 0},
        {"split", KEY_SPLIT, "SPLIT", 0, "train, val or test of it; default: eval.split of the run", 0},
        {"csv", KEY_CSV, "FILE", 0, "A sample a line, numbers alone; a line of names may stand above", 0},
        {"text", KEY_TEXT, "FILE", 0, "A text a line", 0},
        {"npy", KEY_NPY, "FILE", 0, "An array of samples, as numpy.save writes it", 0},
        {"output", 'o', "OUT", 0, "What comes out: OUT.csv, OUT.npz or OUT.h5", 0},
        {0},
    };
    static const struct argp argp = {
        options,
        take,
        "RUN|CHECKPOINT [KEY=VALUE...]",
        "Says of each sample its class, the probability of every class, its expert and the gate's "
        "probability of "
        "it, in the order of the input. Labels are not needed, and not looked at.\v"
        "Samples are read as the run's own: with its normalization, and with words and columns matched by "
        "name. "
        "The same numbers come out on any number of ranks.\n\n"
        "mot predict runs/mine --csv new.csv -o new-classes.csv",
        NULL,
        NULL,
        NULL};
    arguments given = {0};
    bool help;
    mot_status status = mot_cli_parse(&argp, argc, argv, &given, &help);
    if (status != MOT_OK || help) return status;
    given.options.count = given.settings.count;
    given.options.assignments = given.settings.text;
    mot_comm comm;
    mot_comm_init(&comm, MPI_COMM_WORLD);
    status = mot_predict(&comm, &given.options);
    mot_comm_free(&comm);
    return status;
}
