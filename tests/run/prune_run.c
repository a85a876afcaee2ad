/* prune_run CONFIG KEEP/KEEP/... [KEY=VALUE...]: `mot train` of a run whose stages end with fewer experts, for run.prune. A KEEP,
 * "0,2,5", names those that stay behind the last step of a stage by their numbers in the beginning. With PRUNE_DIES=before:1
 * (after:0) the job is killed before (after) the experts go at the end of stage 1 (0); with PRUNE_SPOILS=1 the gate is spoiled, once,
 * after they have gone at the end of stage 1, so that the next step fails. */
#include <math.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mot/log.h"
#include "mot/memory.h"
#include "run_private.h"

static const char *stays; /* KEEP/KEEP/... */

/* Whether the list of that stage names the expert. */
static bool is_kept(int stage, int expert)
{
    const char *at = stays;
    for (int s = 0; s < stage; ++s) at += strcspn(at, "/") + 1;
    for (char *end; *at != '/' && *at != '\0'; at = *end == ',' ? end + 1 : end)
        if (strtol(at, &end, 10) == expert) return true;
    return false;
}

static void maybe_spoil(mot_model *model, int stage)
{
    static bool spoiled;
    const char *spoils = getenv("PRUNE_SPOILS");
    if (spoiled || spoils == NULL || atoi(spoils) != stage) return;
    spoiled = true;
    if (model->comm->rank == MOT_ROOT) model->layer->gate_params.value[0] = NAN;
}

static void maybe_die(const char *when, int stage)
{
    char wanted[32];
    const char *dies = getenv("PRUNE_DIES");
    snprintf(wanted, sizeof wanted, "%s:%d", when, stage);
    if (dies != NULL && strcmp(dies, wanted) == 0) kill(getpid(), SIGKILL);
}

/* What follows the last step of a stage. */
void __real_mot_run_begin_stage(run_world *world, const run_course *course);
void __wrap_mot_run_begin_stage(run_world *world, const run_course *course);
void __wrap_mot_run_begin_stage(run_world *world, const run_course *course)
{
    mot_run *run = (mot_run *)(void *)((char *)world - offsetof(mot_run, world));
    const int stage = course->progress.stage - 1;
    bool keep[MOT_MAX_EXPERTS];
    for (int e = 0; e < world->model.layer->experts; ++e) keep[e] = is_kept(stage, world->model.layer->origin[e]);
    maybe_die("before", stage);
    if (mot_run_keep_experts(run, keep) != MOT_OK) {
        fprintf(stderr, "%s\n", mot_error_message());
        MPI_Abort(world->comm->mpi, 1);
    }
    maybe_die("after", stage);
    maybe_spoil(&world->model, stage);
    __real_mot_run_begin_stage(world, course);
}

int main(int argc, char **argv)
{
    mot_comm comm;
    mot_config *config = NULL;
    int provided;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
    mot_comm_init(&comm, MPI_COMM_WORLD);
    mot_log_init(comm.rank, MOT_LOG_INFO);
    if (argc < 3) return 2;
    stays = argv[2];
    mot_status status = mot_allocate(&config, 1, sizeof *config, "a configuration");
    if (status == MOT_OK)
        status = mot_config_read(config, argv[1], (size_t)(argc - 3), (const char *const *)argv + 3);
    if (status == MOT_OK) status = mot_run_train(&comm, config, false);
    if (status != MOT_OK && comm.rank == MOT_ROOT) fprintf(stderr, "%s\n", mot_error_message());
    mot_free(config);
    mot_comm_free(&comm);
    MPI_Finalize();
    return (int)status;
}
