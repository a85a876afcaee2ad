/* scratch.h: a study in a folder of its own, for tests. */
#ifndef MOT_TEST_SCRATCH_H
#define MOT_TEST_SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ck.h"
#include "mot/log.h"
#include "mot/memory.h"
#include "study_private.h"

static char folder[64];

static int gone(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info, (void)kind, (void)at;
    return remove(path);
}

static void clear(void)
{
    (void)nftw(folder, gone, 16, FTW_DEPTH | FTW_PHYS);
}

/* An empty study of that name, in a folder that is there until the program ends. Collective. */
static void begin(mot_study *study, mot_comm *comm, const char *name, size_t room)
{
    mot_comm_init(comm, MPI_COMM_WORLD);
    mot_log_init(comm->rank, MOT_LOG_ERROR);
    if (folder[0] == '\0') {
        if (comm->rank == MOT_ROOT) {
            snprintf(folder, sizeof folder, "/tmp/mot-study-XXXXXX");
            if (mkdtemp(folder) == NULL) perror(folder);
            (void)atexit(clear);
        }
        MPI_Bcast(folder, sizeof folder, MPI_CHAR, MOT_ROOT, comm->mpi);
    }
    *study = (mot_study){
        .comm = comm, .options.folder = folder, .name = name, .room = room, .file = H5I_INVALID_HID};
    mot_ck_ok(mot_allocate(&study->variant, study->room, sizeof *study->variant, "a study"));
}

static void finish(mot_study *study, mot_comm *comm)
{
    mot_study_free(study);
    MPI_Barrier(comm->mpi);
    mot_comm_free(comm);
}

#endif
