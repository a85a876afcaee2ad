/* roll_call.h: where the other ranks are (watch.h), asked without MPI, in which a rank's first thread may be stuck.
 *
 * Every rank has a socket (UDP, IPv4, a port that the system chooses) and a thread that answers at once:
 *
 *      rank 1                                        rank 0             rank 2 (frozen)
 *      mot_roll_call_ask     where are you?    ──►   its thread   ──►   nobody
 *      mot_roll_call_look    waiting, step 7   ◄──   answers
 *
 * Nobody talks before somebody asks, so a job that gets on pays nothing. A question is 112 bytes to each address of each
 * rank; one that gets lost is like one that is not answered, so ask more than once. */
#ifndef MOT_ROLL_CALL_H
#define MOT_ROLL_CALL_H

#include "mot/comm.h"
#include "mot/watch.h"

typedef struct mot_roll_call mot_roll_call;

typedef struct mot_roll_answer {
    bool answered;  /* one of the last two questions */
    bool moving;    /* made progress between the two */
    char phase[24]; /* as in mot_watch_place; "": nothing was noted yet */
    char part[44];  /* cut where they are longer */
    mot_gidx step;
    int whom;
} mot_roll_answer;

/* *roll is NULL, with MOT_OK, in a job of one rank, and where some rank gets no socket or has no address: then nothing
 * can be known. Collective; the same status everywhere. */
mot_status mot_roll_call_create(mot_roll_call **roll, const mot_comm *comm);
/* NULL is fine. Not collective: this rank answers no more. */
void mot_roll_call_destroy(mot_roll_call **roll);

/* The others are for one thread, any one, and not collective. Asks every other rank, and does not wait. anew: what was
 * answered before is forgotten. */
void mot_roll_call_ask(mot_roll_call *roll, bool anew);
mot_roll_answer mot_roll_call_look(mot_roll_call *roll, int rank);
/* Changes whenever some rank is found to have made progress since its former answer. */
uint64_t mot_roll_call_moves(mot_roll_call *roll);

#endif
