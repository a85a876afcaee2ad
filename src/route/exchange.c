#include "mot/exchange.h"

#include <assert.h>
#include <limits.h>

#include "mot/memory.h"

/* Which ranks do not share memory with this one. */
static mot_status find_distant(mot_exchange *exchange)
{
    const mot_comm *comm = exchange->comm;
    mot_status status;
    int *rank = NULL;
    MPI_Group all, host;
    MPI_Comm_group(comm->mpi, &all);
    MPI_Comm_group(comm->host, &host);
    MOT_TRY(mot_allocate(&exchange->distant, (size_t)comm->size, sizeof(bool), "an exchange"));
    MOT_TRY(mot_allocate(&rank, 2 * (size_t)comm->size, sizeof(int), "an exchange"));
    for (int r = 0; r < comm->size; r++) rank[r] = r;
    MPI_Group_translate_ranks(all, comm->size, rank, host, rank + comm->size);
    for (int r = 0; r < comm->size; r++) exchange->distant[r] = rank[comm->size + r] == MPI_UNDEFINED;

done:
    mot_free(rank);
    MPI_Group_free(&host);
    MPI_Group_free(&all);
    return status;
}

mot_status mot_exchange_init(mot_exchange *exchange, const mot_comm *comm, size_t row_bytes)
{
    assert(row_bytes > 0);
    mot_status status = MOT_OK;
    *exchange = (mot_exchange){.comm = comm, .row = MPI_DATATYPE_NULL, .row_bytes = row_bytes};
    int bytes;
    MOT_TRY(mot_mpi_count(row_bytes, &bytes));
    MOT_TRY(find_distant(exchange));
    MOT_TRY(mot_allocate(&exchange->request, 2 * MOT_MOST_PIECES * (size_t)comm->size, sizeof(MPI_Request),
                         "an exchange"));
    MPI_Type_contiguous(bytes, MPI_BYTE, &exchange->row);
    MPI_Type_commit(&exchange->row);

done:
    return status;
}

void mot_exchange_free(mot_exchange *exchange)
{
    assert(exchange->requests == 0);
    /* Without requests the type was not made either: init failed, or never was. */
    if (exchange->request != NULL) MPI_Type_free(&exchange->row);
    mot_free(exchange->request);
    mot_free(exchange->distant);
    *exchange = (mot_exchange){.row = MPI_DATATYPE_NULL};
}

/* Rows of a peer as MPI's count; the plan refused whatever would not fit. */
static int rows_of(const size_t *first, int peer)
{
    const size_t rows = first[peer + 1] - first[peer];
    assert(rows <= INT_MAX);
    return (int)rows;
}

/* How rows become messages: `all` units, `most` of them in a message. Both sides come to the same. */
typedef struct cut {
    MPI_Datatype unit;
    size_t unit_bytes;
    int all, most;
} cut;

static cut cut_rows(const mot_exchange *exchange, int peer, int rows)
{
    const size_t bytes = (size_t)rows * exchange->row_bytes;
    if (exchange->distant[peer] && bytes <= (size_t)MOT_MOST_PIECES * MOT_PIECE_BYTES)
        return (cut){MPI_BYTE, 1, (int)bytes, MOT_PIECE_BYTES};
    return (cut){exchange->row, exchange->row_bytes, rows, rows};
}

void mot_exchange_begin(mot_exchange *exchange, const mot_plan *plan, mot_direction direction,
                        const void *send, void *receive)
{
    const mot_comm *comm = exchange->comm;
    const int rank = comm->rank, size = comm->size;
    const size_t row_bytes = exchange->row_bytes;
    const size_t *from = direction == MOT_DISPATCH ? plan->home_first : plan->owner_first;
    const size_t *to = direction == MOT_DISPATCH ? plan->owner_first : plan->home_first;
    assert(plan->ranks == size && plan->rank == rank);
    assert(exchange->requests == 0);
    assert((send != NULL || from[size] == 0) && (receive != NULL || to[size] == 0));
    assert(rows_of(from, rank) == rows_of(to, rank)); /* the caller's */

    /* Each rank starts with another peer, its next one, so that no rank is everyone's first. */
    MPI_Request *next = exchange->request;
    for (int i = 1; i < size; i++) {
        const int peer = (rank + size - i) % size, rows = rows_of(to, peer);
        if (rows == 0) continue;
        const cut c = cut_rows(exchange, peer, rows);
        char *at = (char *)receive + to[peer] * row_bytes;
        for (int u = 0; u < c.all; u += c.most)
            MPI_Irecv(at + (size_t)u * c.unit_bytes, MOT_MIN(c.most, c.all - u), c.unit, peer,
                      MOT_TAG_EXCHANGE, comm->mpi, next++);
        exchange->received_bytes += (uint64_t)rows * row_bytes;
    }
    for (int i = 1; i < size; i++) {
        const int peer = (rank + i) % size, rows = rows_of(from, peer);
        if (rows == 0) continue;
        const cut c = cut_rows(exchange, peer, rows);
        const char *at = (const char *)send + from[peer] * row_bytes;
        for (int u = 0; u < c.all; u += c.most)
            MPI_Isend(at + (size_t)u * c.unit_bytes, MOT_MIN(c.most, c.all - u), c.unit, peer,
                      MOT_TAG_EXCHANGE, comm->mpi, next++);
        exchange->sent_bytes += (uint64_t)rows * row_bytes;
    }
    exchange->requests = (int)(next - exchange->request);
    assert(exchange->requests <= 2 * MOT_MOST_PIECES * (size - 1));
}

bool mot_exchange_test(mot_exchange *exchange)
{
    int arrived;
    if (exchange->requests == 0) return true;
    MPI_Testall(exchange->requests, exchange->request, &arrived, MPI_STATUSES_IGNORE);
    if (arrived) exchange->requests = 0;
    return exchange->requests == 0;
}

void mot_exchange_end(mot_exchange *exchange)
{
    MPI_Waitall(exchange->requests, exchange->request, MPI_STATUSES_IGNORE);
    exchange->requests = 0;
}
