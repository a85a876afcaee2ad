/* mot eval */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "mot/log.h"
#include "mot/memory.h"
#include "mot/run.h"
#include "mot/types.h"

enum { KEY_JSON = 256 };

typedef struct arguments {
    const char *path;
    mot_cli_settings settings;
    mot_eval_request request;
    bool json;
} arguments;

/* KEY=VALUE that is no setting of the run. */
static error_t take_setting(arguments *given, const char *text, struct argp_state *state)
{
    mot_eval_request *request = &given->request;
    const char *all = NULL;
    const struct {
        const char *key, **value;
    } own[] = {{"mask=", &request->mask}, {"gate.from=", &request->gate_from}, {"route.all=", &all}};
    size_t i = 0;
    while (i < MOT_COUNT(own) && strncmp(text, own[i].key, strlen(own[i].key)) != 0) ++i;
    if (i == MOT_COUNT(own)) return mot_cli_add_setting(&given->settings, text, state);
    *own[i].value = text + strlen(own[i].key);
    if (all == NULL) return 0;
    request->analyse = true;
    if (strcmp(all, "record") == 0) return 0;
    return mot_cli_refuse(state, "%s: expected route.all=record", text);
}

static error_t take(int key, char *text, struct argp_state *state)
{
    arguments *given = state->input;
    switch (key) {
    case KEY_JSON:
        given->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (given->path != NULL) return take_setting(given, text, state);
        given->path = text;
        return 0;
    case ARGP_KEY_END:
        if (given->request.analyse && (given->request.mask != NULL || given->request.gate_from != NULL))
            return mot_cli_refuse(state, "route.all=record is of the run as it is, without mask and gate.from");
        if (given->path != NULL) return 0;
        return mot_cli_refuse(state, "an argument is missing, expected %s", state->root_argp->args_doc);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

mot_status mot_cmd_eval(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"json", KEY_JSON, NULL, 0, "Print all figures as one JSON object, and nothing else", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options, .parser = take, .args_doc = "RUN|CHECKPOINT [KEY=VALUE...]",
        .doc =
            "Repeats the evaluation from a checkpoint file, or from the newest one of a run folder. KEY=VALUE "
            "changes the run's configuration, for example eval.split=val or data.file=other.h5.\v"
            "Another data set is read as the run's own: with its normalization, and with classes, words and "
            "columns matched by name. What does not fit is refused.\n\n"
            "mask=[0, 3] evaluates without experts 0 and 3: their samples go to the gate's next choice, and weights are "
            "shared out among those that are left. [1:3] is expert 3 of layer 1, of several layers.\n\n"
            "gate.from=OTHER has the gate of another run folder or checkpoint choose among this run's experts.\n\n"
            "route.all=record writes RUN/eval/step-*.h5: the loss and class of every sample with each expert alone, without "
            "each, and with the busiest half, quarter and eighth; of E experts 2 E + 3 evaluations more, in each layer. And once "
            "more, where the experts look (attention by block and head) of the samples that each of them likes best."};
    arguments given = {0};
    bool help;
    mot_status status = mot_cli_parse(&argp, argc, argv, &given, &help);
    if (status != MOT_OK || help) return status;
    mot_comm comm;
    char *json = NULL;
    mot_comm_init(&comm, MPI_COMM_WORLD);
    if (given.json) mot_log_init(comm.rank, MOT_LOG_WARNING);
    status = mot_run_eval(&comm, given.path, given.settings.count, given.settings.text,
                          &given.request, given.json ? &json : NULL);
    if (json != NULL) puts(json);
    mot_free(json);
    mot_comm_free(&comm);
    return status;
}
