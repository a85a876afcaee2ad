/* mot report */
#include <errno.h>

#include "cli.h"
#include "mot/report.h"

enum { KEY_FIGURES = 1024, KEY_JSON, KEY_FORCE, MOST_RUNS = 256 };

typedef struct arguments {
    mot_report_options options;
    const char *run[MOST_RUNS];
} arguments;

static error_t take(int key, char *text, struct argp_state *state)
{
    arguments *const given = state->input;
    switch (key) {
    case 'o':
        given->options.html = text;
        return 0;
    case KEY_JSON:
        given->options.json = text;
        return 0;
    case KEY_FIGURES:
        given->options.figures = text;
        return 0;
    case KEY_FORCE:
        given->options.force = true;
        return 0;
    case ARGP_KEY_ARG:
        if (given->options.runs == MOST_RUNS) return mot_cli_refuse(state, "more than 256 runs");
        given->run[given->options.runs++] = text;
        return 0;
    case ARGP_KEY_END:
        if (given->options.runs == 0) return mot_cli_refuse(state, "an argument is missing, expected RUN...");
        if (given->options.html == NULL && given->options.json == NULL && given->options.figures == NULL)
            return mot_cli_refuse(state, "nothing is to be written, expected -o REPORT.html, --json FILE or --figures DIR");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

mot_status mot_cmd_report(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"output", 'o', "REPORT.html", 0, "The page, one file that opens without a network", 0},
        {"json", KEY_JSON, "FILE", 0, "All numbers of the page", 0},
        {"figures", KEY_FIGURES, "DIR", 0, "Every view as CSV, and those that can be drawn as SVG and PDF (gnuplot)", 0},
        {"force", KEY_FORCE, NULL, 0, "Replace what is there", 0},
        {0},
    };
    const struct argp argp = {
        .options = options, .parser = take, .args_doc = "RUN...",
        .doc =
            "Shows what one or several runs have learned: which expert has which class, and since when; how even the loads are; "
            "where samples went; what is lost without an expert; how sure the routing is; what several runs have in common; and "
            "what it cost.\v"
            "A run may be under way. What a run lacks the page says, with the command that makes it: what every expert would "
            "have done with every sample is measured by `mot eval RUN route.all=record`. docs/report.md says what each "
            "figure is.\n\n"
            "mot report runs/mine -o report.html\n"
            "mot report runs/seed-* -o seeds.html --json seeds.json\n"
            "mot report runs/mine --figures figures"};
    arguments given = {.options = {.runs = 0}};
    bool help;
    const mot_status status = mot_cli_parse(&argp, argc, argv, &given, &help);
    if (status != MOT_OK || help) return status;
    given.options.run = given.run;
    return mot_report(&given.options);
}
