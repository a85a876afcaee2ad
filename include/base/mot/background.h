/* background.h: a thread that does pieces of work, in the order in which its owner begins them, while the owner does
 * something else.
 *
 *      owner     begin 1, begin 2 |...... other work ......| end 1: done |... other work ...| end 2: waits |
 *      thread                  |--- 1 ---|---------- 2 ------------------------------------------------|  sleeps
 *
 * For work that waits for something besides the processor; it may not talk MPI. The thread never takes the processor
 * from its owner by waking up: it runs when a processor is free, or at the scheduler's next turn; an owner who cannot
 * wait any longer does the work himself. So where processors are short, nothing is lost. The thread takes no signals.
 * Not collective. */
#ifndef MOT_BACKGROUND_H
#define MOT_BACKGROUND_H

#include <stddef.h>

#include "mot/status.h"

typedef struct mot_background mot_background;
typedef void mot_background_work(void *context);

/* Starts the thread, for up to `most` pieces in flight. MOT_ERR_MEMORY when the system gives none; then *background is
 * NULL. */
mot_status mot_background_create(mot_background **background, size_t most);
/* Waits for all that was begun. */
void mot_background_destroy(mot_background **background);

/* Begins a piece, which sees what the caller wrote before, and returns its number: 1, 2, ... Until it is done, what it
 * touches is the thread's. */
unsigned long mot_background_begin(mot_background *background, mot_background_work *work, void *context);
/* Returns when piece `number` and all before it are done; what they wrote is then seen by the caller. Waits for the one
 * that the thread is at, and does those that it has not come to on the caller's own thread. 0: returns at once. */
void mot_background_end(mot_background *background, unsigned long number);

#endif
