/* Says where this rank is stuck, and ends a job that will not go on. It counts its own ticks and not the clock: a
 * process that was frozen as a whole has not been waiting for anybody. */
#include "watchdog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mot/log.h"
#include "mot/memory.h"
#include "mot/ticker.h"
#include "mot/watch.h"

enum { SHOWN_RANKS = 8 };

struct watchdog {
    const mot_step *step;
    int rank, ranks;
    double warn_s, abort_s, tick_s;       /* 0: never */
    char (*host)[MPI_MAX_PROCESSOR_NAME]; /* [ranks] */
    bool *peer;                           /* [ranks] */
    mot_ticker *ticker;
    uint64_t progress; /* of the last look */
    double still_s;    /* since it changed */
    bool said;
};

static void name_rank(const watchdog *dog, int rank, char *text, size_t size)
{
    snprintf(text, size, "rank %d on %s", rank, dog->host[rank]);
}

static void name_peers(const watchdog *dog, char *text, size_t size)
{
    int count = 0;
    size_t used = 0;
    mot_step_peers(dog->step, dog->peer);
    for (int r = 0; r < dog->ranks; ++r) {
        if (!dog->peer[r] || ++count > SHOWN_RANKS) continue;
        if (count > 1) used += (size_t)snprintf(text + used, size - used, ", ");
        name_rank(dog, r, text + used, size - used);
        used += strlen(text + used);
    }
    if (count > SHOWN_RANKS) snprintf(text + used, size - used, " and %d more", count - SHOWN_RANKS);
    if (count == 0) snprintf(text, size, "other ranks");
}

/* "no progress for 60 s in dispatch of step 412: waits for rank 2 on h3" */
static void describe(const watchdog *dog, const mot_watch_place *place, char *text, size_t size)
{
    char whom[SHOWN_RANKS * (MPI_MAX_PROCESSOR_NAME + 16)] = "";
    if (place->whom >= 0 && place->whom < dog->ranks)
        name_rank(dog, place->whom, whom, sizeof whom);
    else if (place->whom == MOT_WATCH_ALL)
        snprintf(whom, sizeof whom, "all other ranks");
    else if (place->whom == MOT_WATCH_PEERS)
        name_peers(dog, whom, sizeof whom);
    snprintf(text, size, "no progress for %.0f s in %s of %s %" MOT_PRI_GIDX ": %s%s", dog->still_s,
             place->phase, place->part, place->step,
             whom[0] != '\0' ? "waits for " : "at work itself, waits for no rank", whom);
}

static void look(void *context)
{
    watchdog *dog = context;
    const mot_watch_place place = mot_watch_look();
    char text[4096], name[MPI_MAX_PROCESSOR_NAME + 32];
    name_rank(dog, dog->rank, name, sizeof name);
    if (place.progress != dog->progress) {
        if (dog->said) mot_log_aside(MOT_LOG_WARNING, "%s: goes on after %.0f s", name, dog->still_s);
        dog->progress = place.progress;
        dog->still_s = 0;
        dog->said = false;
        return;
    }
    dog->still_s += dog->tick_s;
    if (place.phase == NULL || place.part == NULL) return;
    if (dog->abort_s > 0 && dog->still_s >= dog->abort_s) {
        describe(dog, &place, text, sizeof text);
        mot_log_aside(MOT_LOG_ERROR,
                      "%s: %s; the job ends (watch.abort), and the same command goes on from the newest "
                      "checkpoint",
                      name, text);
        _exit(1); /* not exit: the first thread is in the middle of something */
    }
    if (dog->warn_s > 0 && dog->still_s >= dog->warn_s && !dog->said) {
        describe(dog, &place, text, sizeof text);
        mot_log_aside(MOT_LOG_WARNING, "%s: %s", name, text);
        dog->said = true;
    }
}

mot_status watchdog_start(watchdog **result, const mot_comm *comm, const mot_step *step, double warn_s,
                          double abort_s)
{
    mot_status status;
    watchdog *dog = NULL;
    char host[MPI_MAX_PROCESSOR_NAME] = "";
    int length;
    *result = NULL;
    if (warn_s == 0 && abort_s == 0) return MOT_OK; /* of the configuration, so alike on every rank */
    status = mot_allocate(&dog, 1, sizeof *dog, "a watchdog");
    if (status == MOT_OK)
        status = mot_allocate(&dog->host, (size_t)comm->size, sizeof *dog->host, "names of hosts");
    if (status == MOT_OK) status = mot_allocate(&dog->peer, (size_t)comm->size, sizeof(bool), "peers");
    MOT_TRY(mot_comm_agree(comm, status));
    MPI_Get_processor_name(host, &length);
    MPI_Allgather(host, sizeof host, MPI_CHAR, dog->host, sizeof host, MPI_CHAR, comm->mpi);
    dog->step = step;
    dog->rank = comm->rank;
    dog->ranks = comm->size;
    dog->warn_s = warn_s;
    dog->abort_s = abort_s;
    /* Often enough for the shorter bound, and no more than every second. */
    const double shorter = warn_s > 0 && (abort_s == 0 || warn_s < abort_s) ? warn_s : abort_s;
    dog->tick_s = shorter < 4 ? shorter / 4 : 1;
    MOT_TRY(mot_comm_agree(comm, mot_ticker_start(&dog->ticker, dog->tick_s, look, dog)));
done:
    if (status != MOT_OK) watchdog_stop(&dog);
    *result = dog;
    return status;
}

void watchdog_stop(watchdog **handle)
{
    watchdog *dog = *handle;
    *handle = NULL;
    if (dog == NULL) return;
    mot_ticker_stop(&dog->ticker);
    mot_free(dog->peer);
    mot_free(dog->host);
    mot_free(dog);
}
