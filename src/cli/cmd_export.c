/* mot export */
#include <errno.h>

#include "cli.h"
#include "mot/export.h"

enum { KEY_SAFETENSORS = 256, KEY_NPZ, KEY_H5, KEY_FORCE };

typedef struct arguments {
    const char *path, *out;
    mot_export_form form;
    bool force;
} arguments;

static error_t take_out(arguments *given, mot_export_form form, const char *file, struct argp_state *state)
{
    if (given->out != NULL) return mot_cli_refuse(state, "one of --safetensors, --npz and --h5 at a time");
    given->form = form;
    given->out = file;
    return 0;
}

static error_t take(int key, char *text, struct argp_state *state)
{
    arguments *given = state->input;
    switch (key) {
    case KEY_SAFETENSORS:
        return take_out(given, MOT_EXPORT_SAFETENSORS, text, state);
    case KEY_NPZ:
        return take_out(given, MOT_EXPORT_NPZ, text, state);
    case KEY_H5:
        return take_out(given, MOT_EXPORT_H5, text, state);
    case KEY_FORCE:
        given->force = true;
        return 0;
    case ARGP_KEY_ARG:
        if (given->path != NULL) return mot_cli_refuse(state, "one run folder or checkpoint at a time");
        given->path = text;
        return 0;
    case ARGP_KEY_END:
        if (given->path == NULL) return mot_cli_refuse(state, "an argument is missing, expected RUN|CHECKPOINT");
        if (given->out == NULL) return mot_cli_refuse(state, "an argument is missing, expected --safetensors FILE, --npz FILE or --h5 FILE");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

mot_status mot_cmd_export(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"safetensors", KEY_SAFETENSORS, "FILE", 0, "All parameters by their names, as PyTorch and others read them", 0},
        {"npz", KEY_NPZ, "FILE", 0, "The same as NumPy's arrays", 0},
        {"h5", KEY_H5, "FILE", 0, "Of a run folder: run.h5 with the record and all checkpoints in it, as one HDF5 file", 0},
        {"force", KEY_FORCE, NULL, 0, "Replace FILE where it is there", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options, .parser = take, .args_doc = "RUN|CHECKPOINT",
        .doc = "Writes what a run has learned, of its newest checkpoint or of the one that is named, into a file of another kind: "
               "float32, with names and shapes as in the checkpoint, and with configuration, data's normalization and classes "
               "beside; or a whole run as one HDF5 file.\v"
               "docs/export.md says the architecture in PyTorch; mot import-weights brings changed values back.\n\n"
               "mot export runs/mine --safetensors mine.safetensors"};
    arguments given = {.path = NULL};
    bool help;
    const mot_status status = mot_cli_parse(&argp, argc, argv, &given, &help);
    return status != MOT_OK || help ? status : mot_export(given.path, given.form, given.out, given.force);
}
