/* watch.h: where this process is, noted as it goes along, so that a watchdog can tell when it is stuck and on whom.
 *
 * The notes are the process's own, like those of log.h: the first thread writes them, any thread counts progress, and
 * the watchdog's reads them. A note costs a few nanoseconds. */
#ifndef MOT_WATCH_H
#define MOT_WATCH_H

#include "mot/types.h"

enum {
    MOT_WATCH_NOBODY = -1, /* at work itself */
    MOT_WATCH_ALL = -2,    /* a meeting of all ranks */
    MOT_WATCH_PEERS = -3   /* the ranks that samples go to and come from */
};

typedef struct mot_watch_place {
    const char *phase; /* "dispatch"; NULL: nothing was noted yet */
    const char *part;  /* "step", "the evaluation after step" */
    mot_gidx step;     /* of the part */
    int whom;          /* a rank, or one of the above */
    uint64_t progress; /* differs from that of a former look if anything happened in between */
} mot_watch_place;

/* Texts are literals, or last as long as the process. All count as progress. */
void mot_watch_part(const char *part, mot_gidx step);
void mot_watch_phase(const char *phase); /* whom: nobody */
void mot_watch_wait(int whom);

void mot_watch_progress(void);
mot_watch_place mot_watch_look(void);

#endif
