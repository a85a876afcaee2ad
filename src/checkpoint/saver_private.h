/* saver_private.h: a checkpoint on its way; what saver.c and saver_begin.c share. */
#ifndef MOT_SAVER_PRIVATE_H
#define MOT_SAVER_PRIVATE_H

#include <stdatomic.h>

#include "checkpoint_file.h"
#include "mot/background.h"

/* What all write to and speak of. */
typedef struct saver_names {
    char path[MOT_PATH], temporary[MOT_PATH];
} saver_names;

struct mot_saver {
    const mot_comm *comm;
    mot_background *background;
    unsigned long work; /* the piece of it that was begun last */
    char *hosts;        /* root */
    unsigned char *copy;
    size_t copy_room;

    /* The checkpoint under way. */
    enum { IDLE, WRITING, SENT, DESCRIBING, ENDED } phase;
    atomic_bool done; /* the thread's work */
    mot_state state;  /* with arrays of its own: */
    mot_unit *units;
    mot_real *bias;
    int *origin;
    size_t unit_room; /* of these and of what follows with [units] */
    saver_names names;
    mot_retention retention;
    bool retain;
    mot_unit_about *about;                    /* [units] */
    uint64_t *first;                          /* [units + 1] */
    const mot_real *(*block)[MOT_BLOCKS];     /* [units]: what this rank writes */
    mot_digest *digest;                       /* grouped by rank, so that one message brings a rank's */
    mot_digest **digest_of;                   /* [units]: into `digest` */
    size_t digest_room, *digests, *digest_at; /* [ranks]: how many, and where they begin */
    mot_failure *reports; /* how a rank's part went, its thread says: [ranks] on the root, [1] elsewhere */
    MPI_Request *request; /* [2 ranks] */
    int requests;
    mot_failure outcome; /* of the whole, as this rank knows it */
};

/* saver_begin.c: all that a rank needs to know and hold before its thread begins: copies the state, surveys the units,
 * lays out the file. Collective; the same status on every rank. */
mot_status mot_saver_prepare(mot_saver *saver, const mot_state *state, const char *path, bool copy);
void mot_saver_free_units(mot_saver *saver);

#endif
