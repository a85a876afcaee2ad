/* exchange.h: moves rows of any width along a plan, in either direction; several may be in flight.
 *
 * Rows lie in the buffer of a node, which all its members write and read (layout.h): with `nodes` made of hosts, that is
 * shared memory, rows within a host are written by their home and read by their owner without a message, and what goes
 * to another host is one message for each pair of hosts. With every rank a node of its own it is a message for each
 * pair of ranks. The bits are the same.
 *
 * DISPATCH takes rows from their homes to their owners, COMBINE back. A row is written once, where mot_exchange_home or
 * mot_exchange_owner says, and read in the same way at the other end:
 *
 *      home:    write rows     begin   ...   end
 *      owner:                  begin   ...   end    read rows         (COMBINE: the other way round)
 *
 * A row that stays within its node has one place, so what its owner writes for a combine takes the place of what was
 * dispatched.
 *
 * The message of a pair of nodes sets out when every member of the node has begun, and nobody waits for that in the
 * begin: it happens in a later test or end of the member that speaks for the pair. So whoever waits for something else
 * while exchanges are in flight does so with mot_exchange_wait.
 *
 * Nodes without rows for each other cost nothing; receives are posted first. Row counts, not bytes, reach MPI (a row is
 * a derived datatype), so a message may exceed 2 GiB; the plan keeps its rows below 2^31.
 *
 * To another host a message of up to 3.75 MiB travels in pieces of 60 KiB, just below the size from which Open MPI asks
 * the receiver before it sends over TCP (64 KiB). An answer takes as long as the receiver computes before it next looks
 * at its messages; a piece needs none, and waits in a socket for whoever is late. Beyond, and within a host, asking
 * saves a copy and pays.
 *
 * Collective in the sense that every rank must begin the same exchanges, and those of one object in the same order; a
 * rank with nothing to send or receive still calls. Ends may come in any order. */
#ifndef MOT_EXCHANGE_H
#define MOT_EXCHANGE_H

#include "mot/comm.h"
#include "mot/plan.h"
#include "mot/shared.h"

typedef enum mot_direction { MOT_DISPATCH, MOT_COMBINE } mot_direction;

/* Rows that have their own lengths, in units: a row begins at a multiple of it. */
enum { MOT_UNIT_BYTES = 16 };

typedef struct mot_exchange {
    const mot_comm *comm; /* not owned, as the nodes: must outlive the exchange */
    mot_nodes *nodes;
    size_t row_bytes; /* of a place: a row, or a unit */
    bool own_lengths; /* rows take as many units as the plan was told */
    uint64_t sent_bytes,
        received_bytes; /* rows of this rank to and from other ranks, however they went, ever */
    bool *distant;      /* [nodes]: on other hosts; owned */
    unsigned char *row; /* the node's buffer: `room` places */
    size_t room;
    struct mot_exchange_flight {
        MPI_Datatype type;
        MPI_Request *request; /* receives, then sends */
        int receives, sends;  /* in flight */
        int messages;         /* that this rank receives for its node, and has not announced */
        int tag;
        mot_shared shared;         /* counters, then rows */
        uint64_t written, arrived; /* what the counters say when all of this exchange is there */
        const mot_plan *plan;      /* in flight */
        mot_direction direction;
        bool flies, waits;         /* in flight; its messages have not set out */
        struct mot_exchange *next; /* in flight */
    } flight;                      /* private */
} mot_exchange;

/* For rows of `row_bytes` bytes; MOT_ERR_INPUT beyond INT_MAX. 0: for rows of their own lengths, along plans that were built with
 * units. One exchange object is one thing in flight. All
 * ranks make theirs in the same order. Not collective. */
enum { MOT_PIECE_BYTES = 60 << 10, MOT_MOST_PIECES = 64, MOT_SLICE_BYTES = 4 * MOT_PIECE_BYTES };
mot_status mot_exchange_init(mot_exchange *exchange, const mot_comm *comm, mot_nodes *nodes,
                             size_t row_bytes);
void mot_exchange_free(mot_exchange *exchange);

/* Room for the plan's rows, whatever they held being lost. Collective over the node's members, with the same status;
 * allocates only when the plan grows beyond any before, and `fits` says, alike on all members, whether it would not.
 * Rows may be written when all members have come here and done with the rows of the plan before: what makes them meet,
 * such as mot_comm_agree, is the caller's. */
bool mot_exchange_fits(const mot_exchange *exchange, const mot_plan *plan);
mot_status mot_exchange_reserve(mot_exchange *exchange, const mot_plan *plan);

/* Row `row` of this rank's home side and of its owner side. */
static inline void *mot_exchange_home(const mot_exchange *exchange, const mot_plan *plan, size_t row)
{
    return exchange->row + (exchange->own_lengths ? plan->home_unit : plan->home_place)[row] * exchange->row_bytes;
}
static inline void *mot_exchange_owner(const mot_exchange *exchange, const mot_plan *plan, size_t row)
{
    return exchange->row + (exchange->own_lengths ? plan->owner_unit : plan->owner_place)[row] * exchange->row_bytes;
}

/* Bytes of this rank's rows on its home side and on its owner side, those that stay here among them. */
size_t mot_exchange_home_bytes(const mot_exchange *exchange, const mot_plan *plan);
size_t mot_exchange_owner_bytes(const mot_exchange *exchange, const mot_plan *plan);

/* Starts moving what this rank has written. Until the end the sending side's rows stay as they are. */
void mot_exchange_begin(mot_exchange *exchange, const mot_plan *plan, mot_direction direction);
/* Lets everything in flight move on; true when everything of this exchange has arrived (the end will not wait). Open
 * MPI moves nothing by itself: a message beyond its eager limit needs several calls on both sides, so a rank that
 * computes meanwhile calls this now and then. Not collective. */
bool mot_exchange_test(mot_exchange *exchange);
void mot_exchange_end(mot_exchange *exchange);

/* As MPI_Waitall, while exchanges in flight move on. */
void mot_exchange_wait(mot_nodes *nodes, const mot_comm *comm, int requests, MPI_Request *request);

#endif
