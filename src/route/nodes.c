#include "mot/nodes.h"

#include <assert.h>

#include "mot/memory.h"

mot_status mot_nodes_map(mot_nodes *nodes, int ranks, int rank, const int *colour)
{
    assert(rank >= 0 && rank < ranks);
    mot_status status;
    *nodes = (mot_nodes){.ranks = ranks, .rank = rank, .comm = MPI_COMM_NULL};
    MOT_TRY(mot_allocate(&nodes->node, (size_t)ranks, sizeof(int), "the nodes"));
    MOT_TRY(mot_allocate(&nodes->place, (size_t)ranks, sizeof(int), "the nodes"));
    MOT_TRY(mot_allocate(&nodes->member, (size_t)ranks, sizeof(int), "the nodes"));
    MOT_TRY(mot_allocate(&nodes->first, (size_t)ranks + 1, sizeof(int), "the nodes"));
    int placed = 0;
    for (int lowest = 0; lowest < ranks; ++lowest) {
        bool known = false;
        for (int r = 0; r < lowest; ++r) known = known || colour[r] == colour[lowest];
        if (known) continue;
        const int node = nodes->count++, first = placed;
        nodes->first[node] = first;
        for (int r = lowest; r < ranks; ++r) {
            if (colour[r] != colour[lowest]) continue;
            nodes->node[r] = node;
            nodes->place[r] = placed - first;
            nodes->member[placed++] = r;
        }
    }
    nodes->first[nodes->count] = placed;
    nodes->mine = nodes->node[rank];
    assert(placed == ranks);

done:
    if (status != MOT_OK) mot_nodes_free(nodes);
    return status;
}

mot_status mot_nodes_init(mot_nodes *nodes, const mot_comm *comm, int colour)
{
    mot_status status;
    int *of_rank = NULL;
    MPI_Comm together;
    *nodes = (mot_nodes){.comm = MPI_COMM_NULL};
    status = mot_allocate(&of_rank, (size_t)comm->size, sizeof(int), "the nodes");
    MOT_TRY(mot_comm_agree(comm, status));
    MPI_Allgather(&colour, 1, MPI_INT, of_rank, 1, MPI_INT, comm->mpi);
    status = mot_nodes_map(nodes, comm->size, comm->rank, of_rank);
    MOT_TRY(mot_comm_agree(comm, status));
    MPI_Comm_split(comm->mpi, colour, comm->rank, &together);
    nodes->comm = together;

done:
    mot_free(of_rank);
    if (status != MOT_OK) mot_nodes_free(nodes);
    return status;
}

int mot_nodes_host(const mot_comm *comm)
{
    int lowest;
    MPI_Allreduce(&comm->rank, &lowest, 1, MPI_INT, MPI_MIN, comm->host);
    return lowest;
}

void mot_nodes_free(mot_nodes *nodes)
{
    assert(nodes->flying == NULL);
    if (nodes->member != NULL && nodes->comm != MPI_COMM_NULL) MPI_Comm_free(&nodes->comm);
    mot_free(nodes->node);
    mot_free(nodes->place);
    mot_free(nodes->first);
    mot_free(nodes->member);
    *nodes = (mot_nodes){.comm = MPI_COMM_NULL};
}
