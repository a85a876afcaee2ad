/* mot predict */
#include <stdio.h>
#include <string.h>

#include "cmd_data_import.h"
#include "mot/predict.h"
#include "mot/types.h"

enum { KEY_DATA = 1024, KEY_CSV, KEY_TEXT, KEY_NPY, KEY_IMAGES, KEY_HDF5, KEY_X, KEY_SPLIT, KEY_TASK, KEY_FORCE };
enum { MOST_GIVEN = 16 };

/* From where samples come, and which of the importers' options go with it. */
static const struct {
    int key;
    mot_predict_input input;
    const char *name;
    unsigned importer;
} inputs[] = {
    {KEY_DATA, MOT_PREDICT_DATA, "data", 0},
    {KEY_CSV, MOT_PREDICT_CSV, "csv", CSV},
    {KEY_TEXT, MOT_PREDICT_TEXT, "text", TEXTS},
    {KEY_NPY, MOT_PREDICT_NPY, "npy", NPY},
    {KEY_IMAGES, MOT_PREDICT_IMAGES, "images", IMAGES},
    {KEY_HDF5, MOT_PREDICT_HDF5, "hdf5", HDF5},
};

typedef struct arguments {
    import_arguments import; /* first: import_parse gets its address */
    mot_predict_options options;
    mot_cli_settings settings;
    struct {
        const char *name;
        unsigned importers;
    } given[MOST_GIVEN]; /* options that say how a file is read */
    size_t count;
} arguments;

static error_t take_input(arguments *given, size_t input, const char *file, struct argp_state *state)
{
    if (given->options.file != NULL)
        return mot_cli_refuse(state, "one of --data, --csv, --text, --npy, --images and --hdf5 at a time");
    given->options.input = inputs[input].input;
    given->options.file = file;
    return 0;
}

static error_t note_reading(arguments *given, const char *name, unsigned importers, struct argp_state *state)
{
    if (given->count == MOST_GIVEN) return mot_cli_refuse(state, "an option is given again and again");
    given->given[given->count].name = name;
    given->given[given->count++].importers = importers;
    return 0;
}

/* An option of the importers, or one that nobody knows. */
static error_t take_reading(arguments *given, int key, char *text, struct argp_state *state)
{
    const char *name = NULL;
    const unsigned importers = import_takers(key, &name);
    if (importers == 0) return ARGP_ERR_UNKNOWN;
    const error_t error = note_reading(given, name, importers, state);
    return error != 0 ? error : import_parse(key, text, state);
}

/* No option is without effect. */
static error_t check_reading(const arguments *given, struct argp_state *state)
{
    size_t i = 0;
    char sentence[128];
    while (inputs[i].input != given->options.input) ++i;
    for (size_t k = 0; k < given->count; ++k) {
        if (given->given[k].importers & inputs[i].importer) continue;
        snprintf(sentence, sizeof sentence, "--%s does not go with --%s", given->given[k].name,
                 inputs[i].name);
        return mot_cli_refuse(state, "%s", sentence);
    }
    return 0;
}

/* What an option says, no setting says as well. */
static error_t check_settings(const arguments *given, struct argp_state *state)
{
    const mot_predict_options *options = &given->options;
    const struct {
        const char *key;
        bool said;
    } keys[] = {{"data.file=", options->file != NULL},
                {"data.source=", options->file != NULL},
                {"eval.split=", options->split != NULL || options->input != MOT_PREDICT_DATA}};
    char sentence[128];
    for (size_t i = 0; i < given->settings.count; ++i)
        for (size_t k = 0; k < MOT_COUNT(keys); ++k) {
            const char *key = keys[k].key;
            if (!keys[k].said || strncmp(given->settings.text[i], key, strlen(key)) != 0) continue;
            snprintf(sentence, sizeof sentence, "%.*s is said by an option: give one of them",
                     (int)strlen(key) - 1, key);
            return mot_cli_refuse(state, "%s", sentence);
        }
    return 0;
}

static error_t finish(const arguments *given, struct argp_state *state)
{
    const mot_predict_options *options = &given->options;
    const char *missing = options->run == NULL   ? state->root_argp->args_doc
                          : options->out == NULL ? "-o OUT.csv, OUT.npz or OUT.h5"
                                                 : NULL;
    if (missing != NULL)
        return mot_cli_refuse(state, "an argument is missing, expected %s", missing);
    if (options->split != NULL && options->input != MOT_PREDICT_DATA)
        return mot_cli_refuse(state, "--split is of a data set (--data)");
    const error_t error = check_settings(given, state);
    return error != 0 ? error : check_reading(given, state);
}

static error_t take(int key, char *text, struct argp_state *state)
{
    arguments *given = state->input;
    for (size_t i = 0; i < MOT_COUNT(inputs); ++i)
        if (key == inputs[i].key) return take_input(given, i, text, state);
    switch (key) {
    case KEY_X:
        given->import.options.array[0] = text;
        return note_reading(given, "x", NPY | HDF5, state);
    case KEY_SPLIT:
        given->options.split = text;
        return 0;
    case KEY_TASK:
        given->options.task = text;
        return 0;
    case 'o':
        given->options.out = text;
        return 0;
    case KEY_FORCE:
        given->options.force = true;
        return 0;
    case ARGP_KEY_ARG:
        if (given->options.run != NULL) return mot_cli_add_setting(&given->settings, text, state);
        given->options.run = text;
        return 0;
    case ARGP_KEY_END:
        return finish(given, state);
    default:
        return take_reading(given, key, text, state);
    }
}

static void options_of(struct argp_option taken[2 * IMPORT_MAX_OPTIONS])
{
    static const struct argp_option own[] = {
        {"data", KEY_DATA, "FILE", 0, "Samples of a data set; default: the run's own", 0},
        {"split", KEY_SPLIT, "SPLIT", 0, "train, val or test of it; default: eval.split of the run", 0},
        {"task", KEY_TASK, "NAME|group", 0,
         "Of a run with a head a task: all samples are of this task, by its name or number; group: each is of the task "
         "that its group in the data set is",
         0},
        {"csv", KEY_CSV, "FILE", 0, "A table of numbers, a sample a line; a line of names may stand above",
         0},
        {"text", KEY_TEXT, "FILE", 0, "A text a line, or a column of a table", 0},
        {"npy", KEY_NPY, "FILE", 0, "An array of samples, .npy or in a .npz", 0},
        {"images", KEY_IMAGES, "FOLDER", 0,
         "PNG and JPEG files, also in folders below, in the order of their paths; or one such file", 0},
        {"hdf5", KEY_HDF5, "FILE", 0, "An array in an HDF5 file of others, which --x names", 0},
        {"x", KEY_X, "NAME", 0,
         "The array of samples in a .npz (default x, data, ...), or /PATH in an HDF5 file", 0},
        {"output", 'o', "OUT", 0, "What comes out: OUT.csv, OUT.npz or OUT.h5", 0},
        {"force", KEY_FORCE, NULL, 0, "Replace OUT where it is there", 0},
        {NULL, 0, NULL, 0, "How a file is read, as mot data import has it:", 1},
    };
    memcpy(taken, own, sizeof own);
    import_options_of(PREDICT, taken + MOT_COUNT(own));
}

mot_status mot_cmd_predict(int argc, char **argv)
{
    struct argp_option options[2 * IMPORT_MAX_OPTIONS];
    const struct argp argp = {
        .options = options, .parser = take, .args_doc = "RUN|CHECKPOINT [KEY=VALUE...]",
        .doc =
            "Says of each sample its class, the probability of every class, its expert and the gate's "
            "probability of it, in the order of the input. Labels are not needed, and not looked at.\v"
            "Samples are read as the run's own: with its normalization, pictures in its size and colours, and "
            "with words and columns matched by name. The same numbers come out on any number of ranks.\n\n"
            "mot predict runs/mine --csv new.csv -o new-classes.csv\n"
            "mot predict runs/shapes --images photos -o photos.csv\n"
            "mot predict runs/signals --hdf5 new.h5 --x /signals -o signals.h5"};
    arguments given = {.import.options.out = NULL};
    bool help;
    options_of(options);
    mot_status status = mot_cli_parse(&argp, argc, argv, &given, &help);
    if (status != MOT_OK || help) return status;
    given.options.reading = given.import.options;
    given.options.count = given.settings.count;
    given.options.assignments = given.settings.text;
    mot_comm comm;
    mot_comm_init(&comm, MPI_COMM_WORLD);
    status = mot_predict(&comm, &given.options);
    mot_comm_free(&comm);
    return status;
}
