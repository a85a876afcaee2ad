#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "mot/log.h"
#include "mot/types.h"
#include "mot/version.h"

static const struct verb {
    const char *name;
    mot_verb_function *run;
    bool parallel; /* runs on every rank of a job; the others are for one process */
    const char *help;
} verbs[] = {
    {"train", mot_cmd_train, true,
     "train a Mixture-of-Transformers, or resume what stands in the run folder"},
    {"eval", mot_cmd_eval, true, "repeat the evaluation from a checkpoint"},
    {"bench", mot_cmd_bench, true, "measure the steps of a configuration, and what they could reach here"},
    {"study", mot_cmd_study, true, "train many models and answer a question from all of them"},
    {"data", mot_cmd_data, false, "import, make and show data sets"},
    {"inspect", mot_cmd_inspect, false, "show what is in a run, checkpoint, record or data set"},
};

static void print_help(FILE *stream)
{
    fprintf(stream, "Usage: mot VERB [ARGUMENT...]\n"
                    "Distributed expert-parallel training of Mixture-of-Transformers.\n\nVerbs:\n");
    for (size_t v = 0; v < MOT_COUNT(verbs); ++v)
        fprintf(stream, "  %-9s %s\n", verbs[v].name, verbs[v].help);
    fprintf(stream,
            "\n'mot VERB --help' tells more of one verb; 'mot --version' names the version.\n"
            "Exit code: 0 done, 2 a mistake in configuration, arguments or data, 75 stopped and can be\n"
            "resumed by the same command, 1 any other failure.\n");
}

/* A job of several processes by what its launcher says: verbs for one process refuse it before anything is done. */
static int launched_ranks(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};
    for (size_t i = 0; i < MOT_COUNT(names); ++i) {
        const char *text = getenv(names[i]);
        if (text != NULL) return atoi(text);
    }
    return 1;
}

static int finish(mot_status status)
{
    if (status != MOT_OK && status != MOT_STOPPED) mot_log(MOT_LOG_ERROR, "%s", mot_error_message());
    return mot_exit_code(status);
}

static mot_status refuse_ranks(const struct verb *verb)
{
    return mot_fail(MOT_ERR_INPUT, "'mot %s' works in one process: run it without mpirun", verb->name);
}

static int run_parallel(const struct verb *verb, int argc, char **argv)
{
    int rank, provided;
    /* A rank's threads compute; its first one alone talks MPI. */
    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    mot_log_init(rank, MOT_LOG_INFO);
    /* The same on every rank. */
    const mot_status status = verb->parallel ? verb->run(argc, argv) : refuse_ranks(verb);
    const int code = finish(status);
    /* None leaves before the sentence is out: mpirun kills the others as soon as one has left with a failure. */
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return code;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("mot %s (%s)\n", MOT_VERSION, MOT_COMMIT);
        return 0;
    }
    for (size_t v = 0; v < MOT_COUNT(verbs); ++v) {
        if (strcmp(argv[1], verbs[v].name) != 0) continue;
        char name[64];
        snprintf(name, sizeof name, "mot %s", verbs[v].name);
        argv[1] = name;
        return verbs[v].parallel || launched_ranks() > 1 ? run_parallel(&verbs[v], argc - 1, argv + 1)
                                                         : finish(verbs[v].run(argc - 1, argv + 1));
    }
    return finish(mot_fail(
        MOT_ERR_INPUT, "unknown verb '%s': the verbs are train, eval, bench, study, data, inspect", argv[1]));
}
