#include "mot/ticker.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "mot/memory.h"
#include "thread.h"

struct mot_ticker {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    bool stop;
    double seconds;
    void (*tick)(void *context);
    void *context;
};

static void add_seconds(struct timespec *time, double seconds)
{
    const double whole = floor(seconds);
    time->tv_sec += (time_t)whole;
    time->tv_nsec += (long)((seconds - whole) * 1e9);
    if (time->tv_nsec >= 1000000000) {
        time->tv_nsec -= 1000000000;
        ++time->tv_sec;
    }
}

static void *live(void *argument)
{
    mot_ticker *ticker = argument;
    struct timespec due;
    clock_gettime(CLOCK_MONOTONIC, &due);
    pthread_mutex_lock(&ticker->lock);
    while (!ticker->stop) {
        add_seconds(&due, ticker->seconds);
        int woken = 0;
        while (!ticker->stop && woken != ETIMEDOUT)
            woken = pthread_cond_timedwait(&ticker->stopped, &ticker->lock, &due);
        if (ticker->stop) break;
        pthread_mutex_unlock(&ticker->lock);
        ticker->tick(ticker->context);
        pthread_mutex_lock(&ticker->lock);
        clock_gettime(CLOCK_MONOTONIC, &due); /* after a process was frozen, one tick is due and not many */
    }
    pthread_mutex_unlock(&ticker->lock);
    return NULL;
}

mot_status mot_ticker_start(mot_ticker **result, double seconds, void (*tick)(void *context), void *context)
{
    mot_ticker *ticker = NULL;
    *result = NULL;
    const mot_status status = mot_allocate(&ticker, 1, sizeof *ticker, "a thread");
    if (status != MOT_OK) return status;
    ticker->seconds = seconds;
    ticker->tick = tick;
    ticker->context = context;
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_mutex_init(&ticker->lock, NULL);
    pthread_cond_init(&ticker->stopped, &clock);
    pthread_condattr_destroy(&clock);
    const int error = mot_thread_start(&ticker->thread, live, ticker);
    if (error != 0) {
        pthread_cond_destroy(&ticker->stopped);
        pthread_mutex_destroy(&ticker->lock);
        mot_free(ticker);
        return mot_fail(MOT_ERR_MEMORY, "cannot start a thread: %s", strerror(error));
    }
    *result = ticker;
    return MOT_OK;
}

void mot_ticker_stop(mot_ticker **handle)
{
    mot_ticker *ticker = *handle;
    *handle = NULL;
    if (ticker == NULL) return;
    pthread_mutex_lock(&ticker->lock);
    ticker->stop = true;
    pthread_cond_signal(&ticker->stopped);
    pthread_mutex_unlock(&ticker->lock);
    pthread_join(ticker->thread, NULL);
    pthread_cond_destroy(&ticker->stopped);
    pthread_mutex_destroy(&ticker->lock);
    mot_free(ticker);
}
