#include "mot/background.h"

#include <assert.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>

#include "mot/memory.h"
#include "thread.h"

typedef struct piece {
    mot_background_work *work;
    void *context;
} piece;

struct mot_background {
    pthread_t thread;
    bool started, leave;
    pthread_mutex_t lock;
    pthread_cond_t changed;    /* anything below */
    unsigned long asked, done; /* pieces ever */
    bool working;              /* somebody is at the next one */
    size_t most;
    piece *queue; /* [most]: piece i at (i - 1) % most */
};

/* With the lock held, but for the work itself. */
static void do_next(mot_background *background)
{
    const piece next = background->queue[background->done % background->most];
    background->working = true;
    pthread_mutex_unlock(&background->lock);
    next.work(next.context);
    pthread_mutex_lock(&background->lock);
    background->working = false;
    ++background->done;
    pthread_cond_broadcast(&background->changed);
}

static void *live(void *argument)
{
    mot_background *background = argument;
    /* A thread of this kind does not preempt others when it wakes. Its owner would otherwise wait where it was to go on.
     * Where the system refuses, the work is done all the same. */
    (void)pthread_setschedparam(pthread_self(), SCHED_BATCH, &(struct sched_param){0});
    pthread_mutex_lock(&background->lock);
    while (!background->leave || background->done < background->asked) {
        if (background->done < background->asked && !background->working)
            do_next(background);
        else
            pthread_cond_wait(&background->changed, &background->lock);
    }
    pthread_mutex_unlock(&background->lock);
    return NULL;
}

mot_status mot_background_create(mot_background **result, size_t most)
{
    mot_status status;
    mot_background *background = NULL;
    MOT_TRY(mot_allocate(&background, 1, sizeof *background, "a thread"));
    background->most = most;
    pthread_mutex_init(&background->lock, NULL);
    pthread_cond_init(&background->changed, NULL);
    MOT_TRY(mot_allocate(&background->queue, most, sizeof *background->queue, "a thread"));
    const int error = mot_thread_start(&background->thread, live, background);
    background->started = error == 0;
    if (error != 0) status = mot_fail(MOT_ERR_MEMORY, "cannot start a thread: %s", strerror(error));
done:
    if (status != MOT_OK) mot_background_destroy(&background);
    *result = background;
    return status;
}

void mot_background_destroy(mot_background **handle)
{
    mot_background *background = *handle;
    *handle = NULL;
    if (background == NULL) return;
    pthread_mutex_lock(&background->lock);
    background->leave = true;
    pthread_cond_signal(&background->changed);
    pthread_mutex_unlock(&background->lock);
    if (background->started) pthread_join(background->thread, NULL);
    mot_free(background->queue);
    pthread_cond_destroy(&background->changed);
    pthread_mutex_destroy(&background->lock);
    mot_free(background);
}

unsigned long mot_background_begin(mot_background *background, mot_background_work *work, void *context)
{
    pthread_mutex_lock(&background->lock);
    assert(background->asked - background->done < background->most);
    background->queue[background->asked % background->most] = (piece){work, context};
    const unsigned long number = ++background->asked;
    pthread_cond_signal(&background->changed);
    pthread_mutex_unlock(&background->lock);
    return number;
}

void mot_background_end(mot_background *background, unsigned long number)
{
    pthread_mutex_lock(&background->lock);
    while (background->done < number) {
        if (background->working)
            pthread_cond_wait(&background->changed, &background->lock);
        else
            do_next(background);
    }
    pthread_mutex_unlock(&background->lock);
}
