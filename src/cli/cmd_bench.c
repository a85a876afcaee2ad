/* mot bench */
#include "cli.h"

#include <string.h>

#include "mot/bench.h"
#include "mot/memory.h"

enum { KEY_STEPS = 256, KEY_REPEATS, KEY_JSON, KEY_FORCE, KEY_COMPARE };

typedef struct arguments {
    const char *path;
    mot_cli_settings settings;
    mot_bench_options options;
} arguments;

static error_t take_number(const char *name, const char *text, int most, int *number,
                           struct argp_state *state)
{
    uint64_t value;
    if (!mot_cli_whole(text, 1, (uint64_t)most, &value)) {
        return mot_cli_refuse(state, "--%s '%s': expected an integer from 1 to %d", name, text, most);
    }
    *number = (int)value;
    return 0;
}

static error_t take(int key, char *text, struct argp_state *state)
{
    arguments *given = state->input;
    switch (key) {
    case KEY_STEPS:
        return take_number("steps", text, MOT_BENCH_MOST_STEPS, &given->options.steps, state);
    case KEY_REPEATS:
        return take_number("repeats", text, MOT_BENCH_MOST_REPEATS, &given->options.repeats, state);
    case KEY_JSON:
        given->options.json = text;
        return 0;
    case KEY_FORCE:
        given->options.force = true;
        return 0;
    case KEY_COMPARE:
        given->options.compare = text;
        return 0;
    case ARGP_KEY_ARG:
        if (given->path != NULL || given->settings.count > 0 || strchr(text, '=') != NULL)
            return mot_cli_add_setting(&given->settings, text, state);
        given->path = text;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

mot_status mot_cmd_bench(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"steps", KEY_STEPS, "N", 0, "Steps a repeat (default: what takes 0.3 s)", 0},
        {"repeats", KEY_REPEATS, "N", 0, "Repeats (default: 9)", 0},
        {"json", KEY_JSON, "FILE", 0, "Write all figures to FILE as well", 0},
        {"force", KEY_FORCE, NULL, 0, "Replace the FILE of --json", 0},
        {"compare", KEY_COMPARE, "FILE", 0, "Compare with a FILE that --json wrote before", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options, .parser = take, .args_doc = "[CONFIG] [KEY=VALUE...]",
        .doc =
            "Measures on all ranks, in one go, the steps of CONFIG phase by phase, and what the machine alone "
            "reaches: the experts' matrix products, memory, MPI_Alltoallv. Writes nothing but --json. Without "
            "CONFIG, or with data.source=random in it, samples are random numbers of a shape (data.random.*)."
            "\vmpirun -n 2 mot bench configs/bench-64x128.yaml train.batch=512 --json before.json\n"
            "mpirun -n 2 mot bench configs/bench-64x128.yaml train.batch=512 --compare before.json\n\n"
            "docs/performance.md explains the table."};
    arguments given = {.options.repeats = 9};
    bool help;
    mot_status status = mot_cli_parse(&argp, argc, argv, &given, &help);
    if (status != MOT_OK || help) return status;

    mot_comm comm;
    mot_config *config = NULL;
    mot_comm_init(&comm, MPI_COMM_WORLD);
    MOT_TRY(
        mot_cli_config(&comm, given.path, "mot bench", "data: {source: random}", &given.settings, &config));
    MOT_TRY(mot_bench_run(&comm, config, &given.options));
done:
    mot_free(config);
    mot_comm_free(&comm);
    return status;
}
