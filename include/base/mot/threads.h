/* threads.h: threads of one rank that share out numbered tasks.
 *
 * Tasks are begun in ascending order, each by whichever thread is free, so a task may wait for any task before it
 * without a deadlock:
 *
 *      task      0   1   2   3   4   5                mot_threads_run(threads, 6, work, context)
 *      thread 0  |-0-----|-2-|-4-----|  returns
 *      thread 1  |-1---------|-3-|-5-|                work(context, task, thread)
 *
 * Which thread does which task differs from run to run; what comes out must not depend on it. The caller is thread 0
 * and the only one that may talk MPI (MPI_THREAD_FUNNELED). The others take no signals, and sleep between calls,
 * but for a moment behind each.
 *
 * Not OpenMP: its threads spin as long as they wait, which takes the cores from the other ranks of a host; and GCC's runtime keeps
 * its locks from the thread sanitizer, which then sees races everywhere and proves nothing. */
#ifndef MOT_THREADS_H
#define MOT_THREADS_H

#include <sched.h>

#include "mot/comm.h"

typedef struct mot_threads mot_threads;
typedef void mot_thread_work(void *context, size_t task, int thread);

/* Starts count - 1 threads (count >= 1); one alone costs nothing. MOT_ERR_MEMORY when the system gives no more; then
 * *threads is NULL. Not collective. */
mot_status mot_threads_create(mot_threads **threads, int count);
void mot_threads_destroy(mot_threads **threads);
int mot_threads_count(const mot_threads *threads);

/* Does the tasks 0 .. tasks - 1 and returns when all are done; everything they wrote is then seen by the caller. Not
 * to be called from within a task. */
void mot_threads_run(mot_threads *threads, size_t tasks, mot_thread_work *work, void *context);

/* Tasks for threads that have nothing else to do: they are done between the caller's rounds, and beside them by a thread that a
 * round has no task for, in any order and none of them waiting for another. A round does not wait for a thread that is at one, so
 * they are short. One lot at a time. Its end does on the caller's thread what is left, and returns when all are done, as
 * mot_threads_run does; with one thread that is where all are done. Neither is to be called from within a task.
 *
 *      thread 0   begin_idle |-- other work --|-- a round --|-- other work --|-5-| end_idle returns
 *      thread 1              |-0-|-1-|-2-|-3-----|- a round -|-4------------------| */
void mot_threads_begin_idle(mot_threads *threads, size_t tasks, mot_thread_work *work, void *context);
void mot_threads_end_idle(mot_threads *threads);

/* Within a task: waits until *counter >= value; and adds 1 to it. What was written before an advance is seen after
 * the await. Counters are the caller's, and are touched between runs by the caller alone. */
void mot_threads_await(mot_threads *threads, const size_t *counter, size_t value);
void mot_threads_advance(mot_threads *threads, size_t *counter);

/* The processors that this process may use, one for each core: of the hyperthreads of a core the first alone, since a
 * second one adds nothing to matrix products. */
void mot_threads_cores(cpu_set_t *allowed);

/* Threads that suit rank `rank` when rank r may use the cores allowed[r] of one host: its cores divided by the ranks
 * that may use any of them, at least 1. A rank that is bound to a core of its own gets 1. */
int mot_threads_share(const cpu_set_t *allowed, int ranks, int rank);

#endif
