/* exchange.h: moves rows of any width along a plan, in either direction; several may be in flight.
 *
 * DISPATCH takes rows in home order (plan.h) and delivers them in owner order; COMBINE takes owner order and delivers
 * home order. Peers without rows cost nothing; receives are posted first. Row counts, not bytes, reach MPI (a row is a
 * derived datatype), so a message may exceed 2 GiB; the plan keeps its rows below 2^31.
 *
 * To another host a message of up to 960 KiB travels in pieces of 60 KiB, just below the size from which Open MPI asks
 * the receiver before it sends over TCP (64 KiB). An answer takes as long as the receiver computes before it next looks
 * at its messages; a piece needs none, and waits in a socket for whoever is late. Beyond, and within a host, asking
 * saves a copy and pays.
 *
 * Rows that stay on this rank are not moved: whoever makes a row writes it once, to mot_exchange_place, which for such
 * a row is where it would arrive. A dispatch on rank 1 of 3:
 *
 *      send      | to rank 0   |   (unused)   | to rank 2   |
 *      receive   | from rank 0 | written here | from rank 2 |
 *
 * Collective in the sense that every rank must begin the same exchanges in the same order (that is how messages
 * match); a rank with nothing to send or receive still calls. Ends may come in any order. */
#ifndef MOT_EXCHANGE_H
#define MOT_EXCHANGE_H

#include "mot/comm.h"
#include "mot/plan.h"

typedef enum mot_direction { MOT_DISPATCH, MOT_COMBINE } mot_direction;

typedef struct mot_exchange {
    const mot_comm *comm; /* not owned, must outlive the exchange */
    MPI_Datatype row;     /* owned */
    size_t row_bytes;
    bool *distant;                       /* [ranks]: peers on other hosts; owned */
    MPI_Request *request;                /* owned */
    int requests;                        /* in flight */
    uint64_t sent_bytes, received_bytes; /* to and from other ranks, ever */
} mot_exchange;

/* For rows of `row_bytes` (> 0) bytes; MOT_ERR_INPUT beyond INT_MAX. One exchange object is one thing in flight. Not
 * collective. */
enum { MOT_PIECE_BYTES = 60 << 10, MOT_MOST_PIECES = 16 };
mot_status mot_exchange_init(mot_exchange *exchange, const mot_comm *comm, size_t row_bytes);
void mot_exchange_free(mot_exchange *exchange);

/* Where the caller writes row `row` of the sending side, before the begin: its place in `send`, or, if it stays on this
 * rank, in `receive`. */
static inline void *mot_exchange_place(const mot_exchange *exchange, const mot_plan *plan,
                                       mot_direction direction, void *send, void *receive, size_t row)
{
    const size_t *from = direction == MOT_DISPATCH ? plan->home_first : plan->owner_first;
    const size_t *to = direction == MOT_DISPATCH ? plan->owner_first : plan->home_first;
    const size_t own = from[plan->rank], end = from[plan->rank + 1];
    if (row < own || row >= end) return (unsigned char *)send + row * exchange->row_bytes;
    return (unsigned char *)receive + (to[plan->rank] + row - own) * exchange->row_bytes;
}

/* Starts moving. `send` and `receive` stay untouched by the caller until the end; either may be NULL when the plan
 * has no rows on that side. They must not overlap. */
void mot_exchange_begin(mot_exchange *exchange, const mot_plan *plan, mot_direction direction,
                        const void *send, void *receive);
/* Lets MPI make progress, with whatever is in flight; true when everything of this exchange has arrived (the end will
 * not wait). Open MPI moves nothing by itself: a message beyond its eager limit needs several calls on both sides, so a
 * rank that computes meanwhile calls this now and then. Not collective. */
bool mot_exchange_test(mot_exchange *exchange);
void mot_exchange_end(mot_exchange *exchange);

#endif
