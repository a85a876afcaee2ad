/* mot compare */
#include <errno.h>

#include "cli.h"
#include "mot/memory.h"
#include "mot/sweep_study.h"

enum { KEY_CSV = 256, KEY_JSON, KEY_FORCE, MOST_PATHS = 4096, MOST_FIGURES = 16 };

typedef struct arguments {
    mot_compare_options options;
    const char *path[MOST_PATHS], *figure[MOST_FIGURES];
} arguments;

static error_t take(int key, char *text, struct argp_state *state)
{
    arguments *given = state->input;
    mot_compare_options *options = &given->options;
    switch (key) {
    case KEY_CSV:
        options->csv = text;
        return 0;
    case KEY_JSON:
        options->json = text;
        return 0;
    case KEY_FORCE:
        options->force = true;
        return 0;
    case 'f':
        if (options->figures == MOST_FIGURES) return mot_cli_refuse(state, "at most 16 figures at a time");
        given->figure[options->figures++] = text;
        return 0;
    case ARGP_KEY_ARG:
        if (options->count == MOST_PATHS) return mot_cli_refuse(state, "at most 4096 runs and sweeps at a time");
        given->path[options->count++] = text;
        return 0;
    case ARGP_KEY_END:
        return options->count > 0 ? 0 : mot_cli_refuse(state, "an argument is missing, expected RUN or a sweep's FOLDER");
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

mot_status mot_cmd_compare(int argc, char **argv)
{
    static const struct argp_option table[] = {
        {"figure", 'f', "KEY", 0, "A number of summary.json, such as routing.purity; may be given several times", 0},
        {"csv", KEY_CSV, "FILE", 0, "The same as a table, a line for each setting and figure", 0},
        {"json", KEY_JSON, "FILE", 0, "The same as a list of objects", 0},
        {"force", KEY_FORCE, NULL, 0, "Replace files that are there", 0},
        {0},
    };
    static const struct argp argp = {
        .options = table, .parser = take, .args_doc = "RUN|FOLDER...",
        .doc = "Shows runs against each other, those of a sweep and others: accuracy, loss and NMI as their evaluations ended.\v"
               "Runs that differ in their seeds alone are one row: median, quartiles, and the 95 % interval of the mean by Student's t. The "
               "last column is the mean difference to the first row over the seeds that both have, with its interval. Runs that are not "
               "done are left out, which a warning says."};
    arguments *given;
    bool help;
    mot_status status = mot_allocate(&given, 1, sizeof *given, "arguments");
    if (status != MOT_OK) return status;
    given->options.path = given->path;
    given->options.figure = given->figure;
    status = mot_cli_parse(&argp, argc, argv, given, &help);
    if (status == MOT_OK && !help) status = mot_compare(&given->options);
    mot_free(given);
    return status;
}
