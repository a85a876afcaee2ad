#include "mot/comm.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "mot/watch.h"

void mot_comm_init(mot_comm *comm, MPI_Comm given)
{
    MPI_Comm_dup(given, &comm->mpi);
    MPI_Comm_rank(comm->mpi, &comm->rank);
    MPI_Comm_size(comm->mpi, &comm->size);
    MPI_Comm_split_type(comm->mpi, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &comm->host);
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
    MPI_Bcast(&failure, sizeof failure, MPI_BYTE, lowest, comm->mpi);
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

void mot_comm_allreduce(const mot_comm *comm, void *values, int count, MPI_Datatype type, MPI_Op op)
{
    mot_watch_wait(MOT_WATCH_ALL);
    MPI_Allreduce(MPI_IN_PLACE, values, count, type, op, comm->mpi);
    mot_watch_wait(MOT_WATCH_NOBODY);
}

void mot_comm_bcast(const mot_comm *comm, void *bytes, size_t count, int root)
{
    const size_t piece = (size_t)1 << 30;
    mot_watch_wait(comm->rank == root ? MOT_WATCH_ALL : root);
    for (size_t at = 0; at < count; at += piece) {
        MPI_Bcast((char *)bytes + at, (int)MOT_MIN(piece, count - at), MPI_BYTE, root, comm->mpi);
        mot_watch_progress();
    }
    mot_watch_wait(MOT_WATCH_NOBODY);
}
