#include "mot/comm.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mot/threads.h"
#include "mot/watch.h"

#ifndef OPEN_MPI
static bool is_on(const char *variable)
{
    const char *const text = getenv(variable);
    return text != NULL && atoi(text) != 0;
}
#endif

/* Whether ranks have to share cores on this host. Collective over its ranks. */
static bool is_crowded(const mot_comm *comm)
{
    cpu_set_t mine, all;
    int ranks;
    mot_threads_cores(&mine);
    MPI_Comm_size(comm->host, &ranks);
    MPI_Allreduce(&mine, &all, sizeof mine, MPI_BYTE, MPI_BOR, comm->host);
    return ranks > CPU_COUNT(&all);
}

void mot_comm_init(mot_comm *comm, MPI_Comm given)
{
    MPI_Comm_dup(given, &comm->mpi);
    MPI_Comm_rank(comm->mpi, &comm->rank);
    MPI_Comm_size(comm->mpi, &comm->size);
    MPI_Comm_split_type(comm->mpi, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &comm->host);
    int yields = is_crowded(comm);
#ifndef OPEN_MPI
    if (is_on("MPIR_CVAR_ENABLE_HEAVY_YIELD")) yields = true;
#endif
    MPI_Allreduce(MPI_IN_PLACE, &yields, 1, MPI_INT, MPI_LOR, comm->mpi);
    comm->yields = yields;
}

void mot_comm_free(mot_comm *comm)
{
    if (comm->size > 0) {
        MPI_Comm_free(&comm->host);
        MPI_Comm_free(&comm->mpi);
    }
    *comm = (mot_comm){0};
}

mot_status mot_comm_agree(const mot_comm *comm, mot_status status)
{
    bool nothing = false;
    return mot_comm_agree_any(comm, status, &nothing);
}

mot_status mot_comm_agree_any(const mot_comm *comm, mot_status status, bool *any)
{
    int least[2] = {status == MOT_OK ? comm->size : comm->rank, !*any};
    mot_comm_allreduce(comm, least, 2, MPI_INT, MPI_MIN);
    const int lowest = least[0];
    *any = least[1] == 0;
    if (lowest == comm->size) return MOT_OK;

    mot_failure failure;
    mot_failure_keep(&failure, status);
    mot_comm_bcast(comm, &failure, sizeof failure, lowest);
    if (comm->rank == lowest) return status;
    if (lowest == MOT_ROOT || failure.status == MOT_ERR_INPUT) return mot_failure_say(&failure);
    return mot_fail((mot_status)failure.status, "rank %d: %s", lowest, failure.sentence);
}

mot_status mot_mpi_count(size_t count, int *out)
{
    if (count > INT_MAX)
        return mot_fail(MOT_ERR_INPUT, "%zu elements in one message: MPI counts end at %d", count, INT_MAX);
    *out = (int)count;
    return MOT_OK;
}

void mot_comm_pause(const mot_comm *comm)
{
    /* Not sched_yield: with it, as Open MPI does by itself (mpi_yield_when_idle), who waits still takes a share of the
     * core, and MPICH over UCX was up to ten times slower. The kernel makes some 60 microseconds of it. */
    const struct timespec moment = {.tv_nsec = 1};
    if (comm->yields) nanosleep(&moment, NULL);
}

void mot_comm_wait(const mot_comm *comm, int count, MPI_Request *request)
{
    if (!comm->yields) {
        MPI_Waitall(count, request, MPI_STATUSES_IGNORE);
        return;
    }
    for (;;) {
        int all;
        MPI_Testall(count, request, &all, MPI_STATUSES_IGNORE);
        if (all) return;
        mot_comm_pause(comm);
    }
}

void mot_comm_gatherv(const mot_comm *comm, const void *mine, int count, MPI_Datatype type, void *all,
                      const int *counts, const int *places)
{
    MPI_Request request = MPI_REQUEST_NULL;
    if (comm->yields)
        MPI_Igatherv(mine, count, type, all, counts, places, type, MOT_ROOT, comm->mpi, &request);
    else
        MPI_Gatherv(mine, count, type, all, counts, places, type, MOT_ROOT, comm->mpi);
    mot_comm_wait(comm, 1, &request);
}

void mot_comm_gather(const mot_comm *comm, const void *mine, size_t bytes, void *all)
{
    MPI_Request request = MPI_REQUEST_NULL;
    if (comm->yields)
        MPI_Igather(mine, (int)bytes, MPI_BYTE, all, (int)bytes, MPI_BYTE, MOT_ROOT, comm->mpi, &request);
    else
        MPI_Gather(mine, (int)bytes, MPI_BYTE, all, (int)bytes, MPI_BYTE, MOT_ROOT, comm->mpi);
    mot_comm_wait(comm, 1, &request);
}

void mot_comm_alltoallv(const mot_comm *comm, const void *mine, const int *counts, const int *places, void *all,
                        const int *all_counts, const int *all_places, MPI_Datatype type)
{
    MPI_Request request = MPI_REQUEST_NULL;
    assert(mine != all);
    if (comm->yields)
        MPI_Ialltoallv(mine, counts, places, type, all, all_counts, all_places, type, comm->mpi, &request);
    else
        MPI_Alltoallv(mine, counts, places, type, all, all_counts, all_places, type, comm->mpi);
    mot_comm_wait(comm, 1, &request);
}

void mot_comm_allgatherv(const mot_comm *comm, const void *mine, int count, void *all, const int *counts,
                         const int *places, MPI_Datatype type)
{
    MPI_Request request = MPI_REQUEST_NULL;
    assert(mine != all);
    if (comm->yields)
        MPI_Iallgatherv(mine, count, type, all, counts, places, type, comm->mpi, &request);
    else
        MPI_Allgatherv(mine, count, type, all, counts, places, type, comm->mpi);
    mot_comm_wait(comm, 1, &request);
}

void mot_comm_allreduce(const mot_comm *comm, void *values, int count, MPI_Datatype type, MPI_Op op)
{
    MPI_Request request = MPI_REQUEST_NULL;
    mot_watch_wait(MOT_WATCH_ALL);
    if (comm->yields)
        MPI_Iallreduce(MPI_IN_PLACE, values, count, type, op, comm->mpi, &request);
    else
        MPI_Allreduce(MPI_IN_PLACE, values, count, type, op, comm->mpi);
    mot_comm_wait(comm, 1, &request);
    mot_watch_wait(MOT_WATCH_NOBODY);
}

static void broadcast(const mot_comm *comm, void *bytes, int count, int root)
{
    MPI_Request request = MPI_REQUEST_NULL;
    if (comm->yields)
        MPI_Ibcast(bytes, count, MPI_BYTE, root, comm->mpi, &request);
    else
        MPI_Bcast(bytes, count, MPI_BYTE, root, comm->mpi);
    mot_comm_wait(comm, 1, &request);
}

void mot_comm_bcast(const mot_comm *comm, void *bytes, size_t count, int root)
{
    const size_t piece = (size_t)1 << 30;
    mot_watch_wait(comm->rank == root ? MOT_WATCH_ALL : root);
    for (size_t at = 0; at < count; at += piece) {
        broadcast(comm, (char *)bytes + at, (int)MOT_MIN(piece, count - at), root);
        mot_watch_progress();
    }
    mot_watch_wait(MOT_WATCH_NOBODY);
}
