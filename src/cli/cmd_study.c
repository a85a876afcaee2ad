/* mot study */
#include "cli.h"

#include <errno.h>
#include <string.h>

#include "mot/blas.h"
#include "mot/comm.h"
#include "mot/study.h"

enum { KEY_QUICK = 256, KEY_DRAW, KEY_PAGE, KEY_DATA };

typedef struct arguments {
    const char *study;
    mot_study_options options;
} arguments;

static error_t take(int key, char *text, struct argp_state *state)
{
    arguments *given = state->input;
    switch (key) {
    case KEY_QUICK:
        given->options.quick = true;
        return 0;
    case KEY_DRAW:
        given->options.draw_only = true;
        return 0;
    case KEY_PAGE:
        given->options.page = text;
        return 0;
    case KEY_DATA:
        given->options.data = text;
        return 0;
    case ARGP_KEY_ARG:
        if (given->study == NULL) {
            given->study = text;
        } else if (given->options.folder == NULL) {
            given->options.folder = text;
        } else {
            argp_error(state, "unexpected argument '%s'", text); /* which returns, see mot_cli_parse */
            return EINVAL;
        }
        return 0;
    case ARGP_KEY_END:
        if (given->options.folder != NULL) return 0;
        argp_error(state, "an argument is missing, expected %s", state->root_argp->args_doc);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

mot_status mot_cmd_study(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"quick", KEY_QUICK, NULL, 0, "Fewer settings, seeds and samples: minutes instead of an hour", 0},
        {"draw", KEY_DRAW, NULL, 0, "Train nothing; write file and page from the trials that are there", 0},
        {"page", KEY_PAGE, "FILE", 0, "Where the page goes, its pictures beside it (default: into FOLDER)",
         0},
        {"data", KEY_DATA, "DIR", 0, "Folder of the data sets, for ablations (default: data)", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options, .parser = take, .args_doc = "claims|soft-routed|ablations FOLDER",
        .doc =
            "Trains many models and answers one question from all of them: an HDF5 file of all figures, and a "
            "page with pictures, numbers with their spread over seeds, and verdicts.\v"
            "claims       the claims of arXiv 2510.27004 about Mixture-of-Transformers, on its synthetic mixture\n"
            "soft-routed  the claims of arXiv 2510.07205 about students of a soft-routed teacher\n"
            "ablations    stages, sharing, gates and sizes on Fashion-MNIST, CIFAR-100 and CLINC150\n\n"
            "Every trial is an ordinary run in FOLDER/trials/. Under mpirun the ranks share the trials out; a "
            "study that was stopped continues by the same command."};
    static const struct {
        const char *name;
        mot_status (*run)(const mot_comm *comm, const mot_study_options *options);
    } studies[] = {{"claims", mot_study_claims}, {"soft-routed", mot_study_soft_routed}, {"ablations", mot_study_ablations}};
    arguments given = {.options.data = "data"};
    bool help;
    mot_status status = mot_cli_parse(&argp, argc, argv, &given, &help);
    if (status != MOT_OK || help) return status;
    for (size_t s = 0; s < MOT_COUNT(studies); ++s) {
        if (strcmp(given.study, studies[s].name) != 0) continue;
        mot_comm comm;
        mot_comm_init(&comm, MPI_COMM_WORLD);
        status = mot_blas_agree(&comm); /* over all: a trial knows its own rank alone */
        if (status == MOT_OK) status = studies[s].run(&comm, &given.options);
        mot_comm_free(&comm);
        return status;
    }
    return mot_fail(MOT_ERR_INPUT, "unknown study '%s': the studies are claims, soft-routed and ablations", given.study);
}
