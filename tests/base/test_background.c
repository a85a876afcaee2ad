/* Work beside the caller's: all of it is done, in order, and seen. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "ck.h"
#include "mot/background.h"

enum { MOST = 4 };

typedef struct entry {
    int *last;    /* of the piece before; guarded by the order alone */
    int number;   /* the caller writes it */
    int found;    /* last, when this one began */
    int pause_us; /* how long it takes */
} entry;

static void note(void *context)
{
    entry *one = context;
    if (one->pause_us > 0) usleep((useconds_t)one->pause_us);
    one->found = *one->last;
    *one->last = one->number;
}

/* The thread is faster than the caller, slower, or now this and now that. */
START_TEST(pieces_are_done_in_order)
{
    mot_background *background;
    mot_ck_ok(mot_background_create(&background, MOST));
    mot_background_end(background, 0);
    int last = 0, begun = 0;
    entry ring[MOST];
    unsigned long number[MOST];
    for (int ended = 0; ended < 300;) {
        while (begun - ended < MOST) {
            const int place = begun % MOST;
            ++begun;
            ring[place] = (entry){&last, begun, -1, _i == 0 ? 0 : _i == 1 ? 200 : begun % 3 * 100};
            number[place] = mot_background_begin(background, note, &ring[place]);
        }
        if (_i == 0) usleep(50);
        const int place = ended % MOST;
        mot_background_end(background, number[place]);
        ck_assert_uint_eq(number[place], ++ended);
        ck_assert_int_eq(ring[place].found, ended - 1);
    }
    mot_background_destroy(&background);
    ck_assert_ptr_null(background);
    ck_assert_int_eq(last, begun); /* those in flight were done all the same */
    mot_background_destroy(&background);
}
END_TEST

static atomic_bool looked;

static void look_at_signals(void *context)
{
    pthread_sigmask(SIG_SETMASK, NULL, context);
    atomic_store(&looked, true);
}

START_TEST(signals_go_to_the_owner)
{
    mot_background *background;
    sigset_t mask;
    mot_ck_ok(mot_background_create(&background, 1));
    mot_background_begin(background, look_at_signals, &mask);
    while (!atomic_load(&looked)) usleep(100); /* by the thread: nobody asks for the end */
    mot_background_destroy(&background);
    ck_assert(sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGINT) == 1);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    ck_assert(sigismember(&mask, SIGTERM) == 0);
}
END_TEST

static void background_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, pieces_are_done_in_order, 0, 3);
    tcase_add_test(tcase, signals_go_to_the_owner);
}

MOT_CK_MAIN("background", background_tests)
