/* Threads that share out tasks: each is done once, begun in order, and waits for those before it without a deadlock. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "ck.h"
#include "mot/threads.h"

enum { MOST_TASKS = 500, MOST_THREADS = 7 };

typedef struct tally {
    mot_threads *threads;
    atomic_int done[MOST_TASKS], by[MOST_THREADS];
    size_t turn;
    size_t order[MOST_TASKS]; /* guarded by the turns alone */
} tally;

static void count_task(void *context, size_t task, int thread)
{
    tally *all = context;
    atomic_fetch_add(&all->done[task], 1);
    atomic_fetch_add(&all->by[thread], 1);
}

START_TEST(every_task_is_done_once)
{
    for (int count = 1; count <= MOST_THREADS; ++count) {
        mot_threads *threads;
        mot_ck_ok(mot_threads_create(&threads, count));
        ck_assert_int_eq(mot_threads_count(threads), count);
        for (size_t tasks = 0; tasks < MOST_TASKS; tasks = tasks < 9 ? tasks + 1 : tasks * 3) {
            static tally all;
            memset(&all, 0, sizeof all);
            mot_threads_run(threads, tasks, count_task, &all);
            int by = 0;
            for (size_t t = 0; t < MOST_TASKS; ++t) ck_assert_int_eq(all.done[t], t < tasks);
            for (int i = 0; i < MOST_THREADS; ++i) {
                by += all.by[i];
                ck_assert(i < count || all.by[i] == 0);
            }
            ck_assert_uint_eq(by, tasks);
        }
        mot_threads_destroy(&threads);
        ck_assert_ptr_null(threads);
    }
}
END_TEST

/* Some tasks are long, so that later ones finish before them; their turns are in order all the same. */
static void take_turn(void *context, size_t task, int thread)
{
    (void)thread;
    tally *all = context;
    volatile double x = 0;
    for (int i = 0; i < (task % 5 == 0 ? 20000 : 10); ++i) x = x + i;
    mot_threads_await(all->threads, &all->turn, task);
    all->order[all->turn] = task;
    mot_threads_advance(all->threads, &all->turn);
}

START_TEST(turns_come_in_order)
{
    for (int count = 1; count <= MOST_THREADS; ++count) {
        static tally all;
        memset(&all, 0, sizeof all);
        mot_ck_ok(mot_threads_create(&all.threads, count));
        mot_threads_run(all.threads, MOST_TASKS, take_turn, &all);
        ck_assert_uint_eq(all.turn, MOST_TASKS);
        for (size_t t = 0; t < MOST_TASKS; ++t) ck_assert_uint_eq(all.order[t], t);
        mot_threads_destroy(&all.threads);
    }
}
END_TEST

/* What the caller wrote is seen by the tasks, and what they write by the caller. */
static void copy_over(void *context, size_t task, int thread)
{
    (void)thread;
    size_t *number = context;
    number[task + 2] = number[task];
}

START_TEST(many_short_rounds)
{
    mot_threads *threads;
    mot_ck_ok(mot_threads_create(&threads, 3));
    size_t number[4] = {0};
    for (size_t round = 0; round < 20000; ++round) {
        mot_threads_run(threads, 2, copy_over, number);
        for (size_t i = 0; i < 2; ++i) ck_assert_uint_eq(number[2 + i], round);
        number[0] = number[1] = round + 1;
    }
    mot_threads_destroy(&threads);
}
END_TEST

/* Between and beside rounds, whose tasks they do not keep waiting for good; with one thread at the end alone. */
START_TEST(idle_tasks_are_done_once_beside_rounds)
{
    for (int count = 1; count <= MOST_THREADS; ++count) {
        mot_threads *threads;
        mot_ck_ok(mot_threads_create(&threads, count));
        for (size_t lot = 0; lot < 200; ++lot) {
            static tally idle, round;
            const size_t tasks = lot % 41;
            memset(&idle, 0, sizeof idle);
            memset(&round, 0, sizeof round);
            mot_threads_begin_idle(threads, tasks, count_task, &idle);
            for (size_t r = 0; r < lot % 4; ++r) mot_threads_run(threads, 30, count_task, &round);
            if (count == 1)
                for (size_t t = 0; t < MOST_TASKS; ++t) ck_assert_int_eq(idle.done[t], 0);
            mot_threads_end_idle(threads);
            for (size_t t = 0; t < MOST_TASKS; ++t) {
                ck_assert_int_eq(idle.done[t], t < tasks);
                ck_assert_int_eq(round.done[t], t < 30 ? (int)(lot % 4) : 0);
            }
        }
        mot_threads_end_idle(threads); /* there is none */
        mot_threads_destroy(&threads);
    }
}
END_TEST

static void look_at_signals(void *context, size_t task, int thread)
{
    tally *all = context;
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    atomic_fetch_add(&all->by[thread], 1);
    atomic_fetch_add(&all->done[task], sigismember(&blocked, SIGTERM) == (thread != 0));
    mot_threads_advance(all->threads, &all->turn);
    mot_threads_await(all->threads, &all->turn, 3); /* so that each thread does one */
}

/* A signal that asks the run to stop interrupts the caller and nobody's matrix product. */
START_TEST(only_the_caller_takes_signals)
{
    static tally all;
    memset(&all, 0, sizeof all);
    mot_ck_ok(mot_threads_create(&all.threads, 3));
    mot_threads_run(all.threads, 3, look_at_signals, &all);
    for (int i = 0; i < 3; ++i) ck_assert(all.by[i] == 1 && all.done[i] == 1);
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    ck_assert_int_eq(sigismember(&blocked, SIGTERM), 0);
    mot_threads_destroy(&all.threads);
}
END_TEST

static cpu_set_t cores(int first, int count)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int i = 0; i < count; ++i) CPU_SET(first + i, &set);
    return set;
}

START_TEST(cores_are_shared_fairly)
{
    const cpu_set_t bound[] = {cores(0, 1), cores(1, 1), cores(2, 1)};
    const cpu_set_t unbound[] = {cores(0, 8), cores(0, 8), cores(0, 8)};
    const cpu_set_t sockets[] = {cores(0, 4), cores(4, 4), cores(4, 4)};
    const cpu_set_t crowded[] = {cores(0, 2), cores(0, 2), cores(0, 2)};
    ck_assert_int_eq(mot_threads_share(unbound, 1, 0), 8);
    for (int r = 0; r < 3; ++r) {
        ck_assert_int_eq(mot_threads_share(bound, 3, r), 1);
        ck_assert_int_eq(mot_threads_share(unbound, 3, r), 2);
        ck_assert_int_eq(mot_threads_share(sockets, 3, r), r == 0 ? 4 : 2);
        ck_assert_int_eq(mot_threads_share(crowded, 3, r), 1);
    }
}
END_TEST

START_TEST(cores_are_no_more_than_processors)
{
    cpu_set_t mine, before, one;
    mot_threads_cores(&mine);
    sched_getaffinity(0, sizeof before, &before);
    ck_assert(CPU_COUNT(&mine) >= 1 && CPU_COUNT(&mine) <= CPU_COUNT(&before));
    int last = 0;
    for (int p = 0; p < CPU_SETSIZE; ++p)
        if (CPU_ISSET(p, &before)) last = p;
    CPU_ZERO(&one);
    CPU_SET(last, &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0) return; /* not allowed here */
    mot_threads_cores(&mine);
    sched_setaffinity(0, sizeof before, &before);
    ck_assert_int_eq(CPU_COUNT(&mine), 1);
}
END_TEST

static void threads_tests(TCase *tcase)
{
    tcase_add_test(tcase, every_task_is_done_once);
    tcase_add_test(tcase, turns_come_in_order);
    tcase_add_test(tcase, many_short_rounds);
    tcase_add_test(tcase, idle_tasks_are_done_once_beside_rounds);
    tcase_add_test(tcase, only_the_caller_takes_signals);
    tcase_add_test(tcase, cores_are_shared_fairly);
    tcase_add_test(tcase, cores_are_no_more_than_processors);
}

MOT_CK_MAIN("threads", threads_tests)
