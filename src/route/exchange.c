#include "mot/exchange.h"

#include <assert.h>
#include <limits.h>
#include <stdatomic.h>

#include "mot/memory.h"

/* In front of the rows. They only grow: who begins once more has seen the end of the time before, for which all had
 * begun, so a counter never runs ahead of what somebody still waits for. */
typedef struct counters {
    _Alignas(64) _Atomic uint64_t written; /* members that have begun */
    _Alignas(64) _Atomic uint64_t arrived; /* messages from other nodes */
} counters;

enum { MOST_EXCHANGES = 1 << 14 }; /* alive at a time; MPI's tags reach at least twice as far */

/* ---- making ---- */

/* Which nodes have no member on this host. */
static mot_status find_distant(mot_exchange *exchange)
{
    const mot_comm *comm = exchange->comm;
    const mot_nodes *nodes = exchange->nodes;
    mot_status status;
    int *rank = NULL;
    MPI_Group all, host;
    MPI_Comm_group(comm->mpi, &all);
    MPI_Comm_group(comm->host, &host);
    MOT_TRY(mot_allocate(&exchange->distant, (size_t)nodes->count, sizeof(bool), "an exchange"));
    MOT_TRY(mot_allocate(&rank, 2 * (size_t)comm->size, sizeof(int), "an exchange"));
    for (int r = 0; r < comm->size; ++r) rank[r] = r;
    MPI_Group_translate_ranks(all, comm->size, rank, host, rank + comm->size);
    for (int n = 0; n < nodes->count; ++n)
        exchange->distant[n] = rank[comm->size + nodes->member[nodes->first[n]]] == MPI_UNDEFINED;

done:
    mot_free(rank);
    MPI_Group_free(&host);
    MPI_Group_free(&all);
    return status;
}

mot_status mot_exchange_init(mot_exchange *exchange, const mot_comm *comm, mot_nodes *nodes, size_t row_bytes)
{
    mot_status status;
    *exchange = (mot_exchange){.comm = comm,
                               .nodes = nodes,
                               .row_bytes = row_bytes > 0 ? row_bytes : MOT_UNIT_BYTES,
                               .own_lengths = row_bytes == 0};
    struct mot_exchange_flight *flight = &exchange->flight;
    flight->tag = MOT_TAG_EXCHANGE + nodes->exchanges++ % MOST_EXCHANGES;
    int bytes;
    MOT_TRY(mot_mpi_count(exchange->row_bytes, &bytes));
    MOT_TRY(find_distant(exchange));
    MOT_TRY(mot_allocate(&flight->request, 2 * MOT_MOST_PIECES * (size_t)nodes->count, sizeof(MPI_Request),
                         "an exchange"));
    MPI_Type_contiguous(bytes, MPI_BYTE, &flight->type);
    MPI_Type_commit(&flight->type);

done:
    return status;
}

void mot_exchange_free(mot_exchange *exchange)
{
    struct mot_exchange_flight *flight = &exchange->flight;
    assert(!flight->flies);
    /* Without requests the type was not made either: init failed, or never was. */
    if (flight->request != NULL) MPI_Type_free(&flight->type);
    mot_free(flight->request);
    mot_free(exchange->distant);
    mot_shared_free(&flight->shared);
    *exchange = (mot_exchange){0};
}

static const mot_layout *layout_of(const mot_exchange *exchange, const mot_plan *plan)
{
    return exchange->own_lengths ? &plan->own_layout : &plan->layout;
}

static size_t places_of(const mot_exchange *exchange, const mot_plan *plan)
{
    return layout_of(exchange, plan)->owner[exchange->nodes->count];
}

bool mot_exchange_fits(const mot_exchange *exchange, const mot_plan *plan)
{
    return exchange->row != NULL && places_of(exchange, plan) <= exchange->room;
}

mot_status mot_exchange_reserve(mot_exchange *exchange, const mot_plan *plan)
{
    struct mot_exchange_flight *flight = &exchange->flight;
    assert(!flight->flies);
    if (mot_exchange_fits(exchange, plan)) return MOT_OK;
    /* At first just what is needed, then a quarter more: as mot_reserve. */
    const size_t need = places_of(exchange, plan), room = MOT_MAX(need, exchange->room + exchange->room / 4);
    exchange->row = NULL;
    exchange->room = 0;
    const mot_status status = mot_shared_resize(
        &flight->shared, exchange->nodes, sizeof(counters) + room * exchange->row_bytes, sizeof(counters));
    if (status != MOT_OK) return status;
    exchange->row = flight->shared.bytes + sizeof(counters);
    exchange->room = room;
    flight->written = flight->arrived = 0;
    return MOT_OK;
}

/* ---- messages ---- */

static counters *counters_of(const mot_exchange *exchange)
{
    return (counters *)(void *)exchange->flight.shared.bytes;
}

/* Where the rows of each node begin on the side that sends, or on that which receives. */
static const size_t *parts_of(const mot_exchange *exchange, bool receives)
{
    const mot_layout *layout = layout_of(exchange, exchange->flight.plan);
    return (exchange->flight.direction == MOT_DISPATCH) == receives ? layout->owner : layout->home;
}

/* Rows of a pair of nodes as MPI's count; the plan refused whatever would not fit. */
static int rows_between(const size_t *part, int node)
{
    const size_t rows = part[node + 1] - part[node];
    assert(rows <= INT_MAX);
    return (int)rows;
}

/* The rows of a pair of nodes travel in slices, each from one member to one, so that large ones have several ways and
 * several cores. Both ends come to the same number. */
static int slices_of(const mot_exchange *exchange, int node, int rows)
{
    const mot_nodes *nodes = exchange->nodes;
    const size_t bytes = (size_t)rows * exchange->row_bytes,
                 most = (size_t)MOT_MIN(mot_nodes_members(nodes, nodes->mine),
                                        mot_nodes_members(nodes, node));
    return (int)MOT_MIN(most, MOT_MIN((size_t)rows, (bytes + MOT_SLICE_BYTES - 1) / MOT_SLICE_BYTES));
}

/* How rows become messages: `all` units, `most` of them in a message. Both ends come to the same. */
typedef struct cut {
    MPI_Datatype unit;
    size_t unit_bytes;
    int all, most;
} cut;

static cut cut_rows(const mot_exchange *exchange, int node, int rows)
{
    const size_t bytes = (size_t)rows * exchange->row_bytes;
    if (exchange->distant[node] && bytes <= (size_t)MOT_MOST_PIECES * MOT_PIECE_BYTES)
        return (cut){MPI_BYTE, 1, (int)bytes, MOT_PIECE_BYTES};
    return (cut){exchange->flight.type, exchange->row_bytes, rows, rows};
}

/* This rank's slice of what its node and `node` say to each other, in one direction, if it has one. Returns the
 * messages. */
static int post(mot_exchange *exchange, int node, bool receives, MPI_Request *request)
{
    const mot_nodes *nodes = exchange->nodes;
    const struct mot_exchange_flight *flight = &exchange->flight;
    const size_t *part = parts_of(exchange, receives);
    const int rows = rows_between(part, node), slices = slices_of(exchange, node, rows);
    int slice = 0, messages = 0;
    while (slice < slices && mot_nodes_speaker(nodes, nodes->mine, node, slice) != nodes->rank) ++slice;
    if (slice == slices) return 0;
    const int peer = mot_nodes_speaker(nodes, node, nodes->mine, slice);
    const size_t first = mot_part_first((size_t)rows, (size_t)slices, (size_t)slice),
                 end = mot_part_first((size_t)rows, (size_t)slices, (size_t)slice + 1);
    const cut c = cut_rows(exchange, node, (int)(end - first));
    unsigned char *at = exchange->row + (part[node] + first) * exchange->row_bytes;
    for (int u = 0; u < c.all; u += c.most, ++messages) {
        unsigned char *piece = at + (size_t)u * c.unit_bytes;
        const int units = MOT_MIN(c.most, c.all - u);
        if (receives)
            MPI_Irecv(piece, units, c.unit, peer, flight->tag, exchange->comm->mpi, request + messages);
        else
            MPI_Isend(piece, units, c.unit, peer, flight->tag, exchange->comm->mpi, request + messages);
    }
    return messages;
}

/* Each node starts with another one, its next, so that no node is everyone's first. */
static void post_receives(mot_exchange *exchange)
{
    const mot_nodes *nodes = exchange->nodes;
    struct mot_exchange_flight *flight = &exchange->flight;
    const size_t *part = parts_of(exchange, true);
    for (int i = 1; i < nodes->count; ++i) {
        const int node = (nodes->mine + nodes->count - i) % nodes->count;
        const int messages = post(exchange, node, true, flight->request + flight->receives);
        flight->receives += messages;
        flight->messages += messages > 0;
        flight->arrived += (uint64_t)slices_of(exchange, node, rows_between(part, node));
    }
}

static void post_sends(mot_exchange *exchange)
{
    const mot_nodes *nodes = exchange->nodes;
    struct mot_exchange_flight *flight = &exchange->flight;
    MPI_Request *request = flight->request + MOT_MOST_PIECES * nodes->count;
    for (int i = 1; i < nodes->count; ++i)
        flight->sends += post(exchange, (nodes->mine + i) % nodes->count, false, request + flight->sends);
    flight->waits = false;
}

/* Of places from this rank, or to it: [members, ranks]. */
static size_t bytes_of(const mot_exchange *exchange, const size_t *places, bool own)
{
    const mot_nodes *nodes = exchange->nodes;
    const size_t ranks = (size_t)nodes->ranks;
    size_t all = 0;
    places += (size_t)nodes->place[nodes->rank] * ranks;
    for (size_t r = 0; r < ranks; ++r)
        if (own || r != (size_t)nodes->rank) all += places[r];
    return all * exchange->row_bytes;
}

size_t mot_exchange_home_bytes(const mot_exchange *exchange, const mot_plan *plan)
{
    return bytes_of(exchange, layout_of(exchange, plan)->sent, true);
}

size_t mot_exchange_owner_bytes(const mot_exchange *exchange, const mot_plan *plan)
{
    return bytes_of(exchange, layout_of(exchange, plan)->received, true);
}

static void count_bytes(mot_exchange *exchange)
{
    const mot_layout *layout = layout_of(exchange, exchange->flight.plan);
    const bool dispatches = exchange->flight.direction == MOT_DISPATCH;
    const size_t home = bytes_of(exchange, layout->sent, false), owner = bytes_of(exchange, layout->received, false);
    exchange->sent_bytes += dispatches ? home : owner;
    exchange->received_bytes += dispatches ? owner : home;
}

/* ---- in flight ---- */

static bool done(int *requests, MPI_Request *request)
{
    int all = 1;
    if (*requests > 0) MPI_Testall(*requests, request, &all, MPI_STATUSES_IGNORE);
    if (all) *requests = 0;
    return all;
}

/* What this rank does for its node, as far as it can now; then whether everything is there. */
static bool move(mot_exchange *exchange)
{
    struct mot_exchange_flight *flight = &exchange->flight;
    counters *count = counters_of(exchange);
    if (flight->waits && atomic_load_explicit(&count->written, memory_order_acquire) >= flight->written)
        post_sends(exchange);
    if (flight->messages > 0 && done(&flight->receives, flight->request)) {
        atomic_fetch_add_explicit(&count->arrived, (uint64_t)flight->messages, memory_order_release);
        flight->messages = 0;
    }
    const bool sent = !flight->waits &&
                      done(&flight->sends, flight->request + MOT_MOST_PIECES * exchange->nodes->count);
    return sent && atomic_load_explicit(&count->arrived, memory_order_acquire) >= flight->arrived;
}

static void move_all(mot_nodes *nodes)
{
    for (mot_exchange **link = &nodes->flying; *link != NULL;) {
        mot_exchange *exchange = *link;
        exchange->flight.flies = !move(exchange);
        if (exchange->flight.flies)
            link = &exchange->flight.next;
        else
            *link = exchange->flight.next;
    }
}

void mot_exchange_begin(mot_exchange *exchange, const mot_plan *plan, mot_direction direction)
{
    mot_nodes *nodes = exchange->nodes;
    struct mot_exchange_flight *flight = &exchange->flight;
    assert(plan->layout.nodes == nodes && !flight->flies && mot_exchange_fits(exchange, plan));
    flight->plan = plan;
    flight->direction = direction;
    flight->written += (uint64_t)mot_nodes_members(nodes, nodes->mine);
    flight->flies = flight->waits = true;
    post_receives(exchange);
    count_bytes(exchange);
    atomic_fetch_add_explicit(&counters_of(exchange)->written, 1, memory_order_release);
    flight->next = nodes->flying;
    nodes->flying = exchange;
    move_all(nodes);
}

bool mot_exchange_test(mot_exchange *exchange)
{
    if (exchange->flight.flies) move_all(exchange->nodes);
    return !exchange->flight.flies;
}

/* MPI moves on, and gives the core away where it was told to. */
static void let_mpi_move(const mot_comm *comm)
{
    int there;
    MPI_Iprobe(MPI_ANY_SOURCE, MOT_TAG_EXCHANGE, comm->mpi, &there, MPI_STATUS_IGNORE);
    mot_comm_pause(comm);
}

void mot_exchange_end(mot_exchange *exchange)
{
    const mot_nodes *nodes = exchange->nodes;
    struct mot_exchange_flight *flight = &exchange->flight;
    const bool alone = mot_nodes_members(nodes, nodes->mine) == 1; /* nobody needs this rank meanwhile */
    while (!mot_exchange_test(exchange)) {
        if (!alone) {
            let_mpi_move(exchange->comm);
            continue;
        }
        mot_comm_wait(exchange->comm, flight->receives, flight->request);
        mot_comm_wait(exchange->comm, flight->sends, flight->request + MOT_MOST_PIECES * nodes->count);
    }
}

void mot_exchange_wait(mot_nodes *nodes, const mot_comm *comm, int requests, MPI_Request *request)
{
    if (nodes->flying == NULL || mot_nodes_members(nodes, nodes->mine) == 1) {
        mot_comm_wait(comm, requests, request);
        return;
    }
    while (!done(&requests, request)) {
        move_all(nodes);
        let_mpi_move(comm);
    }
}
