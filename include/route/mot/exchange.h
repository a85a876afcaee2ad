/* exchange.h: moves rows of any width along a plan, in either direction; several may be in flight.
 *
 * DISPATCH takes rows in home order (plan.h) and delivers them in owner order; COMBINE takes owner order and delivers
 * home order. Rows that stay on this rank are copied, not sent; peers without rows cost nothing; receives are posted
 * first. Row counts, not bytes, reach MPI (a row is a derived datatype), so a message may exceed 2 GiB; the plan keeps
 * its rows below 2^31.
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
    MPI_Request *request;                /* [2 * ranks], owned */
    int requests;                        /* in flight */
    uint64_t sent_bytes, received_bytes; /* to and from other ranks, ever */
} mot_exchange;

/* For rows of `row_bytes` (> 0) bytes; MOT_ERR_INPUT beyond INT_MAX. One exchange object is one thing in flight. Not
 * collective. */
mot_status mot_exchange_init(mot_exchange *exchange, const mot_comm *comm, size_t row_bytes);
void mot_exchange_free(mot_exchange *exchange);

/* Starts moving. `send` and `receive` stay untouched by the caller until the end; either may be NULL when the plan
 * has no rows on that side. They must not overlap. */
void mot_exchange_begin(mot_exchange *exchange, const mot_plan *plan, mot_direction direction,
                        const void *send, void *receive);
/* Lets MPI make progress; true when everything has arrived (the end will not wait). Not collective. */
bool mot_exchange_test(mot_exchange *exchange);
void mot_exchange_end(mot_exchange *exchange);

#endif
