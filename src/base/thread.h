/* thread.h: a thread that takes no signals: they go to the process' first one. */
#ifndef MOT_THREAD_H
#define MOT_THREAD_H

#include <pthread.h>

/* As pthread_create; 0, or errno. */
int mot_thread_start(pthread_t *thread, void *(*live)(void *), void *context);

#endif
