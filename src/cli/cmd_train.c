/* mot train */
#include "cli.h"

#include <stdio.h>

#include "mot/log.h"
#include "mot/memory.h"
#include "mot/run.h"

enum { KEY_DRY_RUN = 256, KEY_HELP_CONFIG };

typedef struct arguments {
    const char *path;
    mot_cli_settings settings;
    bool dry_run, help_config, quiet;
} arguments;

static error_t take(int key, char *text, struct argp_state *state)
{
    arguments *given = state->input;
    switch (key) {
    case KEY_DRY_RUN:
        given->dry_run = true;
        return 0;
    case KEY_HELP_CONFIG:
        given->help_config = true;
        return 0;
    case 'q':
        given->quiet = true;
        return 0;
    case ARGP_KEY_ARG:
        if (given->path != NULL) return mot_cli_add_setting(&given->settings, text, state);
        given->path = text;
        return 0;
    case ARGP_KEY_END:
        if (given->path != NULL || given->help_config) return 0;
        return mot_cli_refuse(state, "an argument is missing, expected %s", state->root_argp->args_doc);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

mot_status mot_cmd_train(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"dry-run", KEY_DRY_RUN, NULL, 0,
         "Print parameters, memory and message sizes per rank; write nothing", 0},
        {"help-config", KEY_HELP_CONFIG, NULL, 0,
         "Explain every key of the configuration, and which it is for a name of another program", 0},
        {"quiet", 'q', NULL, 0, "Say nothing but warnings and errors", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options, .parser = take, .args_doc = "CONFIG [KEY=VALUE...]",
        .doc =
            "Trains the Mixture-of-Transformers that CONFIG (YAML) describes, or continues what stands in its "
            "run folder. KEY=VALUE changes the configuration, for example model.experts=8 or "
            "stages.0.rate=0.01.\v"
            "Run it under mpirun or srun for more ranks; the result has the same bits on any number.\n"
            "The run folder is described in docs/files.md, the keys in docs/config.md; --help-config explains "
            "them, and says what other programs' names for them (lr, epochs, batch_size) are here."};
    arguments given = {0};
    bool help;
    mot_status status = mot_cli_parse(&argp, argc, argv, &given, &help);
    if (status != MOT_OK || help) return status;

    mot_comm comm;
    mot_config *config = NULL;
    mot_comm_init(&comm, MPI_COMM_WORLD);
    if (given.quiet) mot_log_init(comm.rank, MOT_LOG_WARNING);
    if (given.help_config) {
        if (comm.rank == MOT_ROOT) mot_config_help(stdout, false);
        goto done;
    }
    MOT_TRY(mot_cli_config(&comm, given.path, NULL, NULL, &given.settings, &config));
    MOT_TRY(mot_run_train(&comm, config, given.dry_run));
done:
    mot_free(config);
    mot_comm_free(&comm);
    return status;
}
