/* Says where this rank is stuck, and ends a job that will not go on. It counts its own ticks and not the clock: a
 * process that was frozen as a whole has not been waiting for anybody. */
#include "watchdog.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mot/log.h"
#include "mot/memory.h"
#include "mot/roll_call.h"
#include "mot/ticker.h"
#include "mot/watch.h"

enum { SHOWN_RANKS = 8, NAME = MPI_MAX_PROCESSOR_NAME + 32 };

struct watchdog {
    _Atomic(const mot_step *) step; /* NULL: not yet */
    int rank, ranks;
    double warn_s, abort_s, tick_s, ask_s; /* 0: never */
    char (*host)[MPI_MAX_PROCESSOR_NAME];  /* [ranks] */
    bool *awaited;                         /* [ranks] */
    mot_ticker *ticker;
    mot_roll_call *roll;
    uint64_t progress, moves;    /* of the last look: of this rank, of the others as far as they were asked */
    double still_s, job_still_s; /* since the first changed; since both did */
    double asked_s;              /* still_s at the last question to the others; 0: none yet */
    bool said;
};

/* ---- what is said ---- */

static void name_rank(const watchdog *dog, int rank, char *text, size_t size)
{
    snprintf(text, size, "rank %d on %s", rank, dog->host[rank]);
}

/* "rank 2 on node8 (at work itself in expert of step 412)" */
static void name_awaited(const watchdog *dog, int rank, char *text, size_t size)
{
    char name[NAME];
    const mot_roll_answer answer = mot_roll_call_look(dog->roll, rank);
    name_rank(dog, rank, name, sizeof name);
    if (dog->roll == NULL || (answer.answered && answer.whom != MOT_WATCH_NOBODY))
        snprintf(text, size, "%s", name);
    else if (!answer.answered)
        snprintf(text, size, "%s (does not answer)", name);
    else
        snprintf(text, size, "%s (at work itself in %s of %s %" MOT_PRI_GIDX "%s)", name, answer.phase,
                 answer.part, answer.step, answer.moving ? ", and gets on" : "");
}

static void name_all_awaited(const watchdog *dog, char *text, size_t size)
{
    int count = 0;
    size_t used = 0;
    for (int r = 0; r < dog->ranks; ++r) {
        if (!dog->awaited[r] || ++count > SHOWN_RANKS) continue;
        if (count > 1) used += (size_t)snprintf(text + used, size - used, ", ");
        name_awaited(dog, r, text + used, size - used);
        used += strlen(text + used);
    }
    if (count > SHOWN_RANKS) snprintf(text + used, size - used, " and %d more", count - SHOWN_RANKS);
}

/* The ranks that this one waits for, by what it notes. */
static void await(watchdog *dog, int whom)
{
    const mot_step *const step = atomic_load(&dog->step);
    if (whom == MOT_WATCH_PEERS && step != NULL) {
        mot_step_peers(step, dog->awaited);
    } else {
        for (int r = 0; r < dog->ranks; ++r) dog->awaited[r] = r != dog->rank && (whom < 0 || whom == r);
    }
}

/* Leaves those that are missing: that do not wait as well. Whether there are any. */
static bool leave_missing(const watchdog *dog)
{
    bool any = false;
    for (int r = 0; r < dog->ranks; ++r) {
        const mot_roll_answer answer = mot_roll_call_look(dog->roll, r);
        dog->awaited[r] = dog->awaited[r] && !(answer.answered && answer.whom != MOT_WATCH_NOBODY);
        any = any || dog->awaited[r];
    }
    return any;
}

/* Whom this rank waits for: those of `whom` that are missing; where they all wait as well, those of the job that are
 * missing; where nobody is, or nothing is known, as it is noted. */
static void describe_whom(watchdog *dog, int whom, char *text, size_t size)
{
    await(dog, whom);
    bool missing = dog->roll != NULL && leave_missing(dog);
    if (!missing && dog->roll != NULL) {
        await(dog, MOT_WATCH_ALL);
        missing = leave_missing(dog);
    }
    if (!missing) await(dog, whom);
    if (!missing && whom == MOT_WATCH_ALL)
        snprintf(text, size, "all other ranks");
    else
        name_all_awaited(dog, text, size);
    if (text[0] == '\0') snprintf(text, size, "other ranks");
    if (!missing && dog->roll != NULL)
        snprintf(text + strlen(text), size - strlen(text), ", which wait as well");
}

/* "no progress for 60 s in dispatch of step 412: waits for rank 2 on node8 (does not answer)" */
static void describe(watchdog *dog, const mot_watch_place *place, char *text, size_t size)
{
    char whom[SHOWN_RANKS * (NAME + 128)] = "";
    if (place->whom != MOT_WATCH_NOBODY) describe_whom(dog, place->whom, whom, sizeof whom);
    snprintf(text, size, "no progress for %.0f s in %s of %s %" MOT_PRI_GIDX ": %s%s", dog->still_s,
             place->phase, place->part, place->step,
             whom[0] != '\0' ? "waits for " : "at work itself, waits for no rank", whom);
}

/* ---- every tick ---- */

/* Counts the ticks since this rank made progress, and since any rank did. False: this one just did. */
static bool count_still(watchdog *dog, const mot_watch_place *place)
{
    const uint64_t moves = mot_roll_call_moves(dog->roll);
    const bool goes_on = place->progress != dog->progress;
    dog->job_still_s = goes_on || moves != dog->moves ? 0 : dog->job_still_s + dog->tick_s;
    dog->still_s = goes_on ? 0 : dog->still_s + dog->tick_s;
    dog->progress = place->progress;
    dog->moves = moves;
    return !goes_on;
}

static void look(void *context)
{
    watchdog *dog = context;
    const mot_watch_place place = mot_watch_look();
    const double before_s = dog->still_s;
    char text[4096], name[NAME];
    name_rank(dog, dog->rank, name, sizeof name);
    if (!count_still(dog, &place)) {
        if (dog->said) mot_log_aside(MOT_LOG_WARNING, "%s: goes on after %.0f s", name, before_s);
        dog->asked_s = 0;
        dog->said = false;
        return;
    }
    if (place.phase == NULL || place.part == NULL) return;
    if (dog->abort_s > 0 && dog->job_still_s >= dog->abort_s) {
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
    if (dog->still_s - dog->asked_s >= dog->ask_s) {
        mot_roll_call_ask(dog->roll, dog->asked_s == 0);
        dog->asked_s = dog->still_s;
    }
}

mot_status mot_watchdog_start(watchdog **result, const mot_comm *comm, double warn_s, double abort_s)
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
    if (status == MOT_OK) status = mot_allocate(&dog->awaited, (size_t)comm->size, sizeof(bool), "peers");
    MOT_TRY(mot_comm_agree(comm, status));
    MPI_Get_processor_name(host, &length);
    MPI_Allgather(host, sizeof host, MPI_CHAR, dog->host, sizeof host, MPI_CHAR, comm->mpi);
    dog->rank = comm->rank;
    dog->ranks = comm->size;
    dog->warn_s = warn_s;
    dog->abort_s = abort_s;
    /* Often enough for the shorter bound, and no more than every second. */
    const double shorter = warn_s > 0 && (abort_s == 0 || warn_s < abort_s) ? warn_s : abort_s;
    dog->tick_s = shorter < 4 ? shorter / 4 : 1;
    dog->ask_s = shorter / 4; /* so three times before anything is said */
    MOT_TRY(mot_roll_call_create(&dog->roll, comm));
    MOT_TRY(mot_comm_agree(comm, mot_ticker_start(&dog->ticker, dog->tick_s, look, dog)));
done:
    if (status != MOT_OK) mot_watchdog_stop(&dog);
    *result = dog;
    return status;
}

void mot_watchdog_step(watchdog *dog, const mot_step *step)
{
    if (dog != NULL) atomic_store(&dog->step, step);
}

void mot_watchdog_stop(watchdog **handle)
{
    watchdog *dog = *handle;
    *handle = NULL;
    if (dog == NULL) return;
    mot_ticker_stop(&dog->ticker);
    mot_roll_call_destroy(&dog->roll);
    mot_free(dog->awaited);
    mot_free(dog->host);
    mot_free(dog);
}
