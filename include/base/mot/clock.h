/* clock.h: wall time. */
#ifndef MOT_CLOCK_H
#define MOT_CLOCK_H

#include <time.h>

/* Seconds since an arbitrary point; never goes back. */
static inline double mot_clock_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#endif
