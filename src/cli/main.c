#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "mot/blas.h"
#include "mot/comm.h"
#include "mot/level.h"
#include "mot/log.h"
#include "mot/object.h"
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
    {"predict", mot_cmd_predict, true, "say classes, probabilities and experts of samples"},
    {"bench", mot_cmd_bench, true, "measure the steps of a configuration, and what they could reach here"},
    {"study", mot_cmd_study, true, "train many models and answer a question from all of them"},
    {"sweep", mot_cmd_sweep, true, "train a configuration with many values of some keys, and several seeds"},
    {"compare", mot_cmd_compare, false, "show runs, or those of a sweep, against each other"},
    {"report", mot_cmd_report, false, "show what runs have learned, as a page of figures"},
    {"data", mot_cmd_data, false, "import, make and show data sets"},
    {"inspect", mot_cmd_inspect, false, "show what is in a run, checkpoint, record or data set"},
    {"export", mot_cmd_export, false, "write what was learned as safetensors, NumPy's arrays or one HDF5 file"},
    {"import-weights", mot_cmd_import_weights, false, "make a run of such a file, changed by another program"},
};

static void print_help(FILE *stream)
{
    fprintf(stream, "Usage: mot VERB [ARGUMENT...]\n"
                    "Distributed expert-parallel training of Mixture-of-Transformers.\n\nVerbs:\n");
    for (size_t v = 0; v < MOT_COUNT(verbs); ++v)
        fprintf(stream, "  %-14s %s\n", verbs[v].name, verbs[v].help);
    fprintf(stream,
            "\n'mot VERB --help' tells more of one verb; 'mot --version' names version, MPI and launcher.\n"
            "Exit code: 0 done, 2 a mistake in configuration, arguments or data, 75 stopped and can be\n"
            "resumed by the same command, 1 any other failure.\n");
}

/* A job of several processes by what its launcher says: verbs for one process refuse it before anything is done. The
 * variable that says so, and its number in *ranks. */
static const char *launched_ranks(int *ranks)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};
    *ranks = 1;
    for (size_t i = 0; i < MOT_COUNT(names); ++i) {
        const char *text = getenv(names[i]);
        if (text == NULL) continue;
        *ranks = atoi(text);
        return names[i];
    }
    return NULL;
}

/* "Open MPI v4.1.4" or "MPICH 4.0.2": what the library says of itself, up to where the details begin. May be called
 * before MPI_Init. */
static const char *mpi_name(void)
{
    static char name[MPI_MAX_LIBRARY_VERSION_STRING];
    int length;
    MPI_Get_library_version(name, &length);
    name[strcspn(name, ",\n")] = '\0';
    char *const word = strstr(name, "Version:"); /* MPICH's, with blanks behind it */
    if (word != NULL) {
        const char *const number = word + strlen("Version:");
        const char *const first = number + strspn(number, " \t");
        memmove(word, first, strlen(first) + 1);
    }
    return name;
}

static void print_version(void)
{
    printf("mot %s (%s), %s\n", MOT_VERSION, MOT_COMMIT, mot_level());
    printf("MPI       %s\n", mpi_name());
    printf("launcher  %s\n", MOT_LAUNCHER); /* launch/env.sh reads this line */
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

/* A launcher of another MPI starts processes of which each takes itself for the whole job. */
static mot_status check_launcher(const mot_comm *world)
{
    int ranks;
    const char *const name = launched_ranks(&ranks);
    if (world->size > 1 || ranks == 1) return MOT_OK;
    return mot_fail(MOT_ERR_INPUT,
                    "%s is %d, but MPI knows 1 rank: the launcher is not of this MPI (%s): expected %s", name,
                    ranks, mpi_name(), MOT_LAUNCHER);
}

static mot_status check_start(const mot_start *start)
{
    return start->mistake == NULL ? MOT_OK : mot_fail(MOT_ERR_INPUT, "%s", start->mistake);
}

/* Ranks of different levels, or different programs, would each round in their own way, and nobody would know. */
static mot_status check_program(const mot_comm *world)
{
    char mine[192] = "", root[192];
    mot_status status = MOT_OK;
    snprintf(mine, sizeof mine, "mot %s (%s), %s", MOT_VERSION, MOT_COMMIT, mot_level());
    memcpy(root, mine, sizeof root);
    MPI_Bcast(root, sizeof root, MPI_CHAR, MOT_ROOT, world->mpi);
    if (strcmp(mine, root) != 0)
        status = mot_fail(MOT_ERR_INPUT,
                          "rank %d runs %s, and rank 0 %s: all ranks must run the same program", world->rank,
                          mine, root);
    return mot_comm_agree(world, status);
}

/* All ranks come to run at the lowest level of any. False: this one must change to start->next. */
static bool agree_on_level(const mot_comm *world, mot_start *start, mot_status *status)
{
    int lowest = start->level;
    *status = mot_comm_agree(world, check_start(start));
    if (*status != MOT_OK) return true;
    MPI_Allreduce(MPI_IN_PLACE, &lowest, 1, MPI_INT, MPI_MIN, world->mpi);
    if (lowest < start->level) start->next = lowest;
    return start->next < 0;
}

/* Whether anything in the environment comes from a launcher, or from a scheduler that may be one; settings of theirs do not. */
static bool is_launched(void)
{
    static const char *const begins[] = {"OMPI_COMM_",   "PMIX_NAMESPACE", "PMIX_RANK", "PMIX_SERVER", "PMI_",  "PMI2_",
                                         "PRTE_LAUNCHED", "SLURM_",         "PALS_",     "ALPS_",       "FLUX_"};
    for (char **variable = environ; *variable != NULL; ++variable)
        for (size_t i = 0; i < MOT_COUNT(begins); ++i)
            if (strncmp(*variable, begins[i], strlen(begins[i])) == 0) return true;
    return false;
}

/* A process that nobody launched is a job of its own, of which Open MPI makes more than is needed:
 * - a daemon, in case the process starts others, which takes a tenth of a second;
 * - without the daemon, a folder that all such processes take for theirs, and remove from each other;
 * - every network's library, of which one (PSM2, and its forerunner) measures the processor's clock for two tenths of a second
 *   when it is loaded. What is sent goes to the process itself.
 * What the user has said of these stays. */
static void begin_alone(int *argc, char ***argv)
{
    static const char *const wanted[][2] = {{"OMPI_MCA_ess_singleton_isolated", "1"},
                                            {"OMPI_MCA_orte_create_session_dirs", "0"},
                                            {"OMPI_MCA_pml", "ob1"}};
    bool set[MOT_COUNT(wanted)];
    int provided;
    for (size_t i = 0; i < MOT_COUNT(wanted); ++i) {
        set[i] = getenv(wanted[i][0]) == NULL;
        setenv(wanted[i][0], wanted[i][1], 0);
    }
    MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided);
    for (size_t i = 0; i < MOT_COUNT(wanted); ++i)
        if (set[i]) unsetenv(wanted[i][0]); /* they are no matter of a child's */
}

static int run_parallel(mot_start *start, const struct verb *verb, int argc, char **argv)
{
    int began, provided;
    mot_comm world = {.mpi = MPI_COMM_WORLD};
    mot_status status = MOT_OK;
    MPI_Initialized(&began);
    /* A rank's threads compute; its first one alone talks MPI. */
    if (!began && !is_launched())
        begin_alone(&argc, &argv);
    else if (!began)
        MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
    MPI_Comm_rank(world.mpi, &world.rank);
    MPI_Comm_size(world.mpi, &world.size);
    mot_log_init(world.rank, MOT_LOG_INFO);
    if (!began && !agree_on_level(&world, start, &status)) return 0;
    if (status == MOT_OK) status = check_program(&world);
    /* The same on every rank. */
    if (status == MOT_OK) status = check_launcher(&world);
    if (status == MOT_OK) status = verb->parallel ? verb->run(argc, argv) : refuse_ranks(verb);
    const int code = finish(status);
    /* None leaves before the sentence is out: mpirun kills the others as soon as one has left with a failure. */
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return code;
}

static int run_verb(mot_start *start, const struct verb *verb, int argc, char **argv)
{
    char name[64];
    char *const given = argv[0];
    int code, ranks;
    launched_ranks(&ranks);
    mot_blas_limit(MOT_X86_LEVEL); /* MOT_LEVEL, and the lowest of all ranks, hold for OpenBLAS too */
    snprintf(name, sizeof name, "mot %s", verb->name);
    argv[0] = name;
    if (verb->parallel || ranks > 1)
        code = run_parallel(start, verb, argc, argv);
    else
        code = finish(start->mistake != NULL ? check_start(start) : verb->run(argc, argv));
    argv[0] = given; /* the next level's */
    return code;
}

static mot_status unknown_verb(const char *given)
{
    char list[256] = "";
    for (size_t v = 0; v < MOT_COUNT(verbs); ++v) {
        const size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", v == 0 ? "" : ", ", verbs[v].name);
    }
    return mot_fail(MOT_ERR_INPUT, "unknown verb '%s': the verbs are %s", given, list);
}

static int run(mot_start *start, int argc, char **argv)
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
        if (start->mistake == NULL) print_version();
        return finish(check_start(start));
    }
    for (size_t v = 0; v < MOT_COUNT(verbs); ++v)
        if (strcmp(argv[1], verbs[v].name) == 0) return run_verb(start, &verbs[v], argc - 1, argv + 1);
    return finish(unknown_verb(argv[1]));
}

const mot_object mot_program = {MOT_FEATURES_COMPILED, run};
