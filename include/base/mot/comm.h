/* comm.h: the communicator, and the one rule about failing together.
 *
 * A collective is never guarded by a local condition. A phase that can fail on one rank keeps its status, goes on
 * to the meeting point and agrees there; then every rank takes the same branch:
 *
 *      mot_status status = local_phase(...);
 *      status = mot_comm_agree(comm, status);
 *      if (status != MOT_OK) return status;
 */
#ifndef MOT_COMM_H
#define MOT_COMM_H

#include <mpi.h>

#include "mot/status.h"
#include "mot/types.h"

typedef struct mot_comm {
    MPI_Comm mpi; /* a duplicate of the caller's communicator, owned */
    int rank, size;
    MPI_Comm host; /* the ranks that share memory with this one, itself among them; owned */
    bool yields;   /* who waits lets others have its core; the same on all ranks */
} mot_comm;

/* The coordinator: runs the gate, routes, writes files. */
enum { MOT_ROOT = 0 };

/* All message tags. */
enum {
    MOT_TAG_CHECKPOINT = 1,
    MOT_TAG_WEIGHTS = 3,
    MOT_TAG_STRIPS = 4,
    MOT_TAG_EXPERT = 5,
    MOT_TAG_EXCHANGE = 1 << 10 /* and those that follow: each exchange has its own */
};

/* Duplicates `given`. Collective. Waiting yields where a host has more ranks than cores; with MPICH also where
 * MPIR_CVAR_ENABLE_HEAVY_YIELD asks for it, which its 4.0 ignores. */
void mot_comm_init(mot_comm *comm, MPI_Comm given);
/* Collective. */
void mot_comm_free(mot_comm *comm);

/* Every rank gets the status, and the sentence, of the lowest rank that does not have MOT_OK. Collective: one
 * MPI_Allreduce, and one MPI_Bcast when somebody failed. On the other ranks the sentence then starts with "rank R: " if
 * R is not the root and the failure is not the user's input, which all ranks see alike. */
mot_status mot_comm_agree(const mot_comm *comm, mot_status status);

/* The same, and *any becomes true everywhere when it is on any rank. */
mot_status mot_comm_agree_any(const mot_comm *comm, mot_status status, bool *any);

/* A count for MPI's int: fails where it does not fit, instead of wrapping. */
mot_status mot_mpi_count(size_t count, int *out);

/* ---- waiting ----
 * A rank that spins keeps its core from the one that it waits for. So where comm->yields, these are asked for by their
 * non-blocking forms, and looked after in turns with short sleeps. */

/* Between two looks at what has not arrived: a short sleep where comm->yields, else nothing. */
void mot_comm_pause(const mot_comm *comm);

/* MPI_Waitall, its statuses ignored. */
void mot_comm_wait(const mot_comm *comm, int count, MPI_Request *request);

/* MPI_Gatherv to the root; `all`, `counts` and `places` are the root's alone. Collective. */
void mot_comm_gatherv(const mot_comm *comm, const void *mine, int count, MPI_Datatype type, void *all,
                      const int *counts, const int *places);

/* Of as many bytes from every rank. Collective. */
void mot_comm_gather(const mot_comm *comm, const void *mine, size_t bytes, void *all);

/* MPI_Alltoallv, of numbers of one type; and MPI_Allgatherv. `mine` and `all` are different addresses even where one of them is
 * empty: Open MPI's nonblocking forms take equal ones for MPI_IN_PLACE. Collective. */
void mot_comm_alltoallv(const mot_comm *comm, const void *mine, const int *counts, const int *places, void *all,
                        const int *all_counts, const int *all_places, MPI_Datatype type);
void mot_comm_allgatherv(const mot_comm *comm, const void *mine, int count, void *all, const int *counts,
                         const int *places, MPI_Datatype type);

/* MPI_Allreduce in place, noted as a wait for all ranks (watch.h). Collective. */
void mot_comm_allreduce(const mot_comm *comm, void *values, int count, MPI_Datatype type, MPI_Op op);

/* Broadcast of any number of bytes (beyond 2 GiB in pieces). Collective. */
void mot_comm_bcast(const mot_comm *comm, void *bytes, size_t count, int root);

#endif
