/* mot study */
#include "cli.h"

#include <errno.h>
#include <string.h>

#include "cmd_data.h"
#include "cmd_study_rehearsal.h"
#include "mot/blas.h"
#include "mot/comm.h"
#include "mot/study.h"

enum { KEY_QUICK = 256, KEY_DRAW, KEY_PAGE, KEY_DATA, KEY_SEED, KEY_RUNS };

typedef struct arguments {
    const char *study;
    mot_study_options options;
    const char *of_rehearsal; /* an option that was given, and that the other studies do not take; NULL: none */
    cmd_rehearsal asked;      /* its settings of one's own */
} arguments;

static bool is_rehearsal(const arguments *given)
{
    return given->study != NULL && strcmp(given->study, "rehearsal") == 0;
}

/* What does not go together. */
static error_t check(const arguments *given, struct argp_state *state)
{
    const mot_study_options *o = &given->options;
    const char *asked = given->asked.given, *other = asked != NULL ? asked : given->of_rehearsal;
    if (!is_rehearsal(given)) {
        if (other != NULL) cmd_data_wrong(state, "--%s is of the study rehearsal alone", other);
        if (other == NULL && o->folder == NULL)
            cmd_data_wrong(state, "an argument is missing, expected %s", "claims|soft-routed|rehearsal|ablations FOLDER");
    } else if (asked == NULL && o->folder == NULL) {
        cmd_data_wrong(state, "rehearsal needs a FOLDER for a study, or settings for a table, such as --gap=1");
    } else if (asked != NULL && (o->folder != NULL || o->quick || o->draw_only || o->page != NULL)) {
        cmd_data_wrong(state, "--%s makes a table, for which there is no %s: they are of a study", asked,
                       o->folder != NULL ? "FOLDER" : o->quick ? "--quick" : o->draw_only ? "--draw" : "--page");
    } else if (given->asked.similar_given && !given->asked.all && given->asked.rule.strategy != MOT_REHEARSAL_HYBRID) {
        cmd_data_wrong(state, "--similar is of hybrid rehearsal alone, not of --strategy=%s",
                       mot_rehearsal_strategy_names[given->asked.rule.strategy]);
    } else if (given->asked.order_given && !given->asked.all && given->asked.rule.strategy < MOT_REHEARSAL_SEQUENTIAL) {
        cmd_data_wrong(state, "--order is of sequential and hybrid rehearsal, not of --strategy=%s",
                       mot_rehearsal_strategy_names[given->asked.rule.strategy]);
    } else if (given->asked.truths != NULL && (given->asked.gap_given || given->asked.tasks_given)) {
        cmd_data_wrong(state, "--truths is given in place of --gap and --tasks, not with them");
    }
    return state->hook != NULL ? EINVAL : 0;
}

static error_t take(int key, char *text, struct argp_state *state)
{
    arguments *given = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &given->asked;
        return 0;
    case KEY_SEED:
        given->of_rehearsal = "seed";
        given->options.seed = cmd_data_whole(state, "seed", text, 0, UINT64_MAX);
        return state->hook != NULL ? EINVAL : 0;
    case KEY_RUNS:
        given->of_rehearsal = "runs";
        given->options.runs = (int)cmd_data_whole(state, "runs", text, 2, 1000000);
        return state->hook != NULL ? EINVAL : 0;
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
            return mot_cli_refuse(state, "unexpected argument '%s'", text);
        }
        return 0;
    case ARGP_KEY_END:
        return check(given, state);
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
        {"data", KEY_DATA, "DIR", 0, "Folder of the data sets, for ablations and rehearsal (default: data)", 0},
        {"seed", KEY_SEED, "S", 0, "Of rehearsal's simulations (default 1)", 0},
        {"runs", KEY_RUNS, "R", 0, "Of each of rehearsal's simulations (default 300)", 0},
        {0},
    };
    static const struct argp_child children[] = {
        {&cmd_rehearsal_argp, 0, "For rehearsal without FOLDER, which prints a table of theory and simulation for these settings:", 1}, {0}};
    static const struct argp argp = {
        .options = options, .parser = take, .args_doc = "claims|soft-routed|rehearsal|ablations FOLDER\nrehearsal SETTING...", .children = children,
        .doc =
            "Trains many models and answers one question from all of them: an HDF5 file of all figures, and a "
            "page with pictures, numbers with their spread over seeds, and verdicts.\v"
            "claims       the claims of arXiv 2510.27004 about Mixture-of-Transformers, on its synthetic mixture\n"
            "soft-routed  the claims of arXiv 2510.07205 about students of a soft-routed teacher\n"
            "rehearsal    the claims of arXiv 2506.00205 about rehearsal in linear regression, simulated, and of\n"
            "             transformers and MoTs on streams of tasks: CLINC150 and CIFAR-100, where they are there\n"
            "ablations    MoT against one transformer, and stages, sharing, gates and sizes, on joined data,\n"
            "             Fashion-MNIST, CIFAR-100 and CLINC150, where they are there\n\n"
            "Every trial is an ordinary run in FOLDER/trials/. Under mpirun the ranks share the trials out; a "
            "study that was stopped continues by the same command."};
    static const struct {
        const char *name;
        mot_status (*run)(const mot_comm *comm, const mot_study_options *options);
    } studies[] = {{"claims", mot_study_claims}, {"soft-routed", mot_study_soft_routed}, {"rehearsal", mot_study_rehearsal}, {"ablations", mot_study_ablations}};
    arguments given = {.options = {.data = "data", .runs = 300, .seed = 1}, .asked = CMD_REHEARSAL_USUAL};
    bool help;
    mot_status status = mot_cli_parse(&argp, argc, argv, &given, &help);
    if (status != MOT_OK || help) return status;
    for (size_t s = 0; s < MOT_COUNT(studies); ++s) {
        if (strcmp(given.study, studies[s].name) != 0) continue;
        mot_comm comm;
        mot_comm_init(&comm, MPI_COMM_WORLD);
        status = mot_blas_agree(&comm); /* over all: a trial knows its own rank alone */
        if (status == MOT_OK && given.asked.given != NULL)
            status = cmd_rehearsal_say(&comm, &given.asked, given.options.seed, given.options.runs);
        else if (status == MOT_OK)
            status = studies[s].run(&comm, &given.options);
        mot_comm_free(&comm);
        return status;
    }
    return mot_fail(MOT_ERR_INPUT, "unknown study '%s': the studies are claims, soft-routed, rehearsal and ablations", given.study);
}
