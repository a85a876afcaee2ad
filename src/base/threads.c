#include "mot/threads.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "mot/memory.h"
#include "thread.h"

/* Tasks for whoever has nothing else to do; changed with the lock held. */
typedef struct idle_tasks {
    mot_thread_work *work;
    void *context;
    size_t count, begun;
    atomic_size_t left; /* that are not done */
} idle_tasks;

/* A round is one mot_threads_run. A thread that wakes when the round is over sleeps on: nobody waits for it. */
struct mot_threads {
    int count, started; /* with the caller; without it */
    pthread_t *thread;  /* [started] */
    pthread_mutex_t lock;
    pthread_cond_t begun, ended, turned;
    mot_thread_work *work; /* of the round that is open; NULL: none is */
    void *context;
    size_t tasks;
    atomic_size_t next;   /* the first task that nobody has begun */
    atomic_ulong news;    /* rounds and idle tasks that were begun, ever */
    atomic_size_t joined; /* threads inside the round, without the caller */
    idle_tasks idle;
    bool leave;
};

typedef struct start {
    mot_threads *threads;
    int number;
} start;

static void take_tasks(mot_threads *threads, mot_thread_work *work, int number)
{
    for (;;) {
        const size_t task = atomic_fetch_add(&threads->next, 1);
        if (task >= threads->tasks) return;
        work(threads->context, task, number);
    }
}

/* Waking up costs a virtual machine's thread tens of microseconds: what follows soon is waited for awake. */
enum { AWAKE = 4000 /* looks */ };

static void rest(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    atomic_signal_fence(memory_order_seq_cst);
#endif
}

/* With the lock held, but for the work itself. */
static void join_round(mot_threads *threads, int number)
{
    mot_thread_work *work = threads->work;
    ++threads->joined;
    pthread_mutex_unlock(&threads->lock);
    take_tasks(threads, work, number);
    pthread_mutex_lock(&threads->lock);
    if (--threads->joined == 0) pthread_cond_signal(&threads->ended);
}

/* Likewise: the next of the idle tasks. */
static void take_idle(mot_threads *threads, int number)
{
    idle_tasks *const idle = &threads->idle;
    const size_t task = idle->begun++;
    pthread_mutex_unlock(&threads->lock);
    idle->work(idle->context, task, number);
    pthread_mutex_lock(&threads->lock);
    if (--idle->left == 0) pthread_cond_signal(&threads->ended);
}

/* The caller's part, likewise: waits until there are none of *number, awake at first. */
static void await_none(mot_threads *threads, const atomic_size_t *number)
{
    pthread_mutex_unlock(&threads->lock);
    for (int i = 0; i < AWAKE && atomic_load_explicit(number, memory_order_relaxed) > 0; ++i) rest();
    pthread_mutex_lock(&threads->lock);
    while (*number > 0) pthread_cond_wait(&threads->ended, &threads->lock);
}

/* Likewise: waits awake for what is begun after `seen`. */
static void look_out(mot_threads *threads, unsigned long seen)
{
    pthread_mutex_unlock(&threads->lock);
    for (int i = 0; i < AWAKE && atomic_load_explicit(&threads->news, memory_order_relaxed) == seen; ++i) rest();
    pthread_mutex_lock(&threads->lock);
}

static void *live(void *argument)
{
    const start own = *(start *)argument;
    mot_threads *threads = own.threads;
    unsigned long seen = 0;
    bool awake = false;
    mot_free(argument);
    pthread_mutex_lock(&threads->lock);
    while (!threads->leave) {
        const bool round = threads->work != NULL && threads->news != seen;
        seen = threads->news;
        const bool idle = !round && threads->idle.begun < threads->idle.count;
        if (round)
            join_round(threads, own.number);
        else if (idle)
            take_idle(threads, own.number);
        else if (awake)
            look_out(threads, seen);
        else
            pthread_cond_wait(&threads->begun, &threads->lock);
        awake = round || idle;
    }
    pthread_mutex_unlock(&threads->lock);
    return NULL;
}

static mot_status start_one(mot_threads *threads)
{
    start *argument;
    const mot_status status = mot_allocate(&argument, 1, sizeof *argument, "a thread");
    if (status != MOT_OK) return status;
    *argument = (start){threads, threads->started + 1};
    const int error = mot_thread_start(&threads->thread[threads->started], live, argument);
    if (error != 0) {
        mot_free(argument);
        return mot_fail(MOT_ERR_MEMORY, "cannot start thread %d of %d: %s; threads=1 needs none",
                        threads->started + 1, threads->count, strerror(error));
    }
    ++threads->started;
    return MOT_OK;
}

mot_status mot_threads_create(mot_threads **result, int count)
{
    assert(count >= 1);
    mot_status status;
    mot_threads *threads = NULL;
    MOT_TRY(mot_allocate(&threads, 1, sizeof *threads, "threads"));
    threads->count = count;
    pthread_mutex_init(&threads->lock, NULL);
    pthread_cond_init(&threads->begun, NULL);
    pthread_cond_init(&threads->ended, NULL);
    pthread_cond_init(&threads->turned, NULL);
    MOT_TRY(mot_allocate(&threads->thread, (size_t)count, sizeof *threads->thread, "threads"));
    while (threads->started < count - 1) MOT_TRY(start_one(threads));
done:
    if (status != MOT_OK) mot_threads_destroy(&threads);
    *result = threads;
    return status;
}

void mot_threads_destroy(mot_threads **handle)
{
    mot_threads *threads = *handle;
    *handle = NULL;
    if (threads == NULL) return;
    pthread_mutex_lock(&threads->lock);
    threads->leave = true;
    pthread_cond_broadcast(&threads->begun);
    pthread_mutex_unlock(&threads->lock);
    for (int i = 0; i < threads->started; ++i) pthread_join(threads->thread[i], NULL);
    pthread_cond_destroy(&threads->turned);
    pthread_cond_destroy(&threads->ended);
    pthread_cond_destroy(&threads->begun);
    pthread_mutex_destroy(&threads->lock);
    mot_free(threads->thread);
    mot_free(threads);
}

int mot_threads_count(const mot_threads *threads)
{
    return threads->count;
}

void mot_threads_run(mot_threads *threads, size_t tasks, mot_thread_work *work, void *context)
{
    if (threads->count == 1 || tasks <= 1) {
        for (size_t task = 0; task < tasks; ++task) work(context, task, 0);
        return;
    }
    pthread_mutex_lock(&threads->lock);
    assert(threads->work == NULL && threads->joined == 0);
    threads->work = work;
    threads->context = context;
    threads->tasks = tasks;
    atomic_store(&threads->next, 0);
    ++threads->news;
    pthread_cond_broadcast(&threads->begun);
    pthread_mutex_unlock(&threads->lock);

    take_tasks(threads, work, 0);

    pthread_mutex_lock(&threads->lock);
    threads->work = NULL;
    await_none(threads, &threads->joined);
    pthread_mutex_unlock(&threads->lock);
}

void mot_threads_begin_idle(mot_threads *threads, size_t tasks, mot_thread_work *work, void *context)
{
    pthread_mutex_lock(&threads->lock);
    assert(threads->work == NULL && threads->idle.left == 0);
    threads->idle.work = work;
    threads->idle.context = context;
    threads->idle.count = tasks;
    threads->idle.begun = 0;
    atomic_store(&threads->idle.left, tasks);
    ++threads->news;
    pthread_cond_broadcast(&threads->begun);
    pthread_mutex_unlock(&threads->lock);
}

void mot_threads_end_idle(mot_threads *threads)
{
    idle_tasks *const idle = &threads->idle;
    pthread_mutex_lock(&threads->lock);
    while (idle->begun < idle->count) take_idle(threads, 0);
    await_none(threads, &idle->left);
    pthread_mutex_unlock(&threads->lock);
}

void mot_threads_await(mot_threads *threads, const size_t *counter, size_t value)
{
    if (threads->count == 1) {
        assert(*counter >= value);
        return;
    }
    pthread_mutex_lock(&threads->lock);
    while (*counter < value) pthread_cond_wait(&threads->turned, &threads->lock);
    pthread_mutex_unlock(&threads->lock);
}

void mot_threads_advance(mot_threads *threads, size_t *counter)
{
    if (threads->count == 1) {
        ++*counter;
        return;
    }
    pthread_mutex_lock(&threads->lock);
    ++*counter;
    pthread_cond_broadcast(&threads->turned);
    pthread_mutex_unlock(&threads->lock);
}

/* The first of the hyperthreads of a processor's core; itself where the system does not say. */
static int first_of_core(int processor)
{
    char path[96];
    int first = processor;
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", processor);
    FILE *file = fopen(path, "r");
    if (file == NULL) return processor;
    if (fscanf(file, "%d", &first) != 1 || first < 0 || first >= CPU_SETSIZE) first = processor;
    fclose(file);
    return first;
}

void mot_threads_cores(cpu_set_t *allowed)
{
    cpu_set_t processors;
    CPU_ZERO(&processors);
    CPU_ZERO(allowed);
    sched_getaffinity(0, sizeof processors, &processors);
    for (int p = 0; p < CPU_SETSIZE; ++p)
        if (CPU_ISSET(p, &processors)) CPU_SET(first_of_core(p), allowed);
}

int mot_threads_share(const cpu_set_t *allowed, int ranks, int rank)
{
    int sharing = 0;
    for (int r = 0; r < ranks; ++r) {
        cpu_set_t common;
        CPU_AND(&common, &allowed[r], &allowed[rank]);
        sharing += CPU_COUNT(&common) > 0;
    }
    const int share = sharing > 0 ? CPU_COUNT(&allowed[rank]) / sharing : 1;
    return share > 1 ? share : 1;
}
