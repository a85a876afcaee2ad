#include "thread.h"

#include <signal.h>

int mot_thread_start(pthread_t *thread, void *(*live)(void *), void *context)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* a new thread inherits it */
    const int error = pthread_create(thread, NULL, live, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}
