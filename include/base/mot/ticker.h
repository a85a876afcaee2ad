/* ticker.h: a thread that sleeps, and calls a function every so many seconds; for what has to be done while the first
 * thread computes or waits. It takes no signals and must not talk MPI. */
#ifndef MOT_TICKER_H
#define MOT_TICKER_H

#include "mot/status.h"

typedef struct mot_ticker mot_ticker;

/* First after `seconds` (> 0). MOT_ERR_MEMORY when the system gives no thread; then *ticker is NULL. */
mot_status mot_ticker_start(mot_ticker **ticker, double seconds, void (*tick)(void *context), void *context);
/* Returns when no tick runs any more. NULL is fine. */
void mot_ticker_stop(mot_ticker **ticker);

#endif
