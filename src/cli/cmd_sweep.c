/* mot sweep */
#include <stdlib.h>

#include "cli.h"
#include "mot/blas.h"
#include "mot/sweep_study.h"

enum { KEY_INDEX = 256, KEY_COUNT };

typedef struct arguments {
    const char *path;
    mot_cli_settings settings;
    uint64_t index, count; /* count 0: not given */
    bool index_given;
} arguments;

static uint64_t variable(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    uint64_t value;
    return text != NULL && mot_cli_whole(text, 0, UINT32_MAX, &value) ? value : otherwise;
}

/* Which part of the runs: as told, or as Slurm has it of a job array, whatever its first number and its step are. */
static error_t find_part(arguments *given, struct argp_state *state)
{
    const uint64_t step = MOT_MAX(variable("SLURM_ARRAY_TASK_STEP", 1), 1), tasks = variable("SLURM_ARRAY_TASK_COUNT", 1),
                   first = variable("SLURM_ARRAY_TASK_MIN", 0), last = variable("SLURM_ARRAY_TASK_MAX", first + (tasks - 1) * step);
    if (given->index_given && given->count <= 1 && getenv("SLURM_ARRAY_TASK_COUNT") == NULL)
        return mot_cli_refuse(state, "--array-index needs --array-count, or a job array");
    if (!given->index_given && given->count > 1 && given->count != tasks)
        return mot_cli_refuse(state, "--array-count %llu needs --array-index, or a job array of as many tasks", (unsigned long long)given->count);
    if (given->count == 0) given->count = tasks;
    if (!given->index_given) {
        if (last != first + (tasks - 1) * step)
            return mot_cli_refuse(state, "the numbers of the job array, %llu tasks from %llu to %llu, are no row: give --array-index and --array-count",
                                  (unsigned long long)tasks, (unsigned long long)first, (unsigned long long)last);
        given->index = (variable("SLURM_ARRAY_TASK_ID", 0) - first) / step;
    }
    if (given->index < given->count) return 0;
    return mot_cli_refuse(state, "--array-index %llu: expected one below --array-count, which is %llu", (unsigned long long)given->index,
               (unsigned long long)given->count);
}

static error_t take(int key, char *text, struct argp_state *state)
{
    arguments *given = state->input;
    switch (key) {
    case KEY_INDEX:
        given->index_given = true;
        return mot_cli_whole(text, 0, UINT32_MAX, &given->index) ? 0 : mot_cli_refuse(state, "--array-index: expected a number from 0");
    case KEY_COUNT:
        return mot_cli_whole(text, 1, UINT32_MAX, &given->count) ? 0 : mot_cli_refuse(state, "--array-count: expected a number from 1");
    case ARGP_KEY_ARG:
        if (given->path != NULL) return mot_cli_add_setting(&given->settings, text, state);
        given->path = text;
        return 0;
    case ARGP_KEY_END:
        if (given->path == NULL) return mot_cli_refuse(state, "an argument is missing, expected SWEEP.yaml");
        return find_part(given, state);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

mot_status mot_cmd_sweep(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"array-index", KEY_INDEX, "I", 0, "Do the I-th part of the runs, from 0 (default: SLURM_ARRAY_TASK_ID, of a job array)", 0},
        {"array-count", KEY_COUNT, "N", 0, "of N parts (default: SLURM_ARRAY_TASK_COUNT)", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options, .parser = take, .args_doc = "SWEEP.yaml [KEY=VALUE...]",
        .doc = "Trains one configuration with every combination of some values, and several seeds of each. KEY=VALUE changes all of them.\v"
               "config: configs/fashion-mnist.yaml\n"
               "folder: sweeps/experts\n"
               "seeds: 3\n"
               "grid: {model.experts: [2, 4, 8], train.rate: [1e-3, 3e-3]}\n"
               "list: [{route.top_k: 1}, {route.top_k: 2, route.scale: chosen}]\n\n"
               "Every run is an ordinary one, of one rank, in FOLDER/trials/. Under mpirun the ranks share them out, and so do the tasks "
               "of a job array; what was stopped continues by the same command. mot compare FOLDER shows what came out."};
    arguments given = {.path = NULL};
    bool help;
    mot_status status = mot_cli_parse(&argp, argc, argv, &given, &help);
    if (status != MOT_OK || help) return status;
    mot_comm comm;
    mot_comm_init(&comm, MPI_COMM_WORLD);
    status = mot_blas_agree(&comm); /* over all: a run knows its own rank alone */
    if (status == MOT_OK)
        status = mot_study_sweep(&comm, given.path, given.settings.count, given.settings.text,
                                 (mot_sweep_part){(size_t)given.index, (size_t)given.count});
    mot_comm_free(&comm);
    return status;
}
