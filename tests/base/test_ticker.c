#include <stdatomic.h>
#include <unistd.h>

#include "ck.h"
#include "mot/clock.h"
#include "mot/ticker.h"

static void count(void *context)
{
    atomic_fetch_add((atomic_int *)context, 1);
}

START_TEST(ticks_until_it_is_stopped)
{
    atomic_int ticks = 0;
    mot_ticker *ticker;
    mot_ck_ok(mot_ticker_start(&ticker, 0.01, count, &ticks));
    for (int i = 0; i < 1000 && atomic_load(&ticks) < 3; ++i) usleep(10000);
    ck_assert_int_ge(atomic_load(&ticks), 3);
    mot_ticker_stop(&ticker);
    ck_assert_ptr_null(ticker);
    const int then = atomic_load(&ticks);
    usleep(50000);
    ck_assert_int_eq(atomic_load(&ticks), then);
    mot_ticker_stop(&ticker);
}
END_TEST

START_TEST(stops_without_waiting_for_its_time)
{
    atomic_int ticks = 0;
    mot_ticker *ticker;
    const double since = mot_clock_s();
    mot_ck_ok(mot_ticker_start(&ticker, 3600, count, &ticks));
    mot_ticker_stop(&ticker);
    ck_assert(mot_clock_s() - since < 60);
    ck_assert_int_eq(atomic_load(&ticks), 0);
}
END_TEST

static void ticker_tests(TCase *tcase)
{
    tcase_add_test(tcase, ticks_until_it_is_stopped);
    tcase_add_test(tcase, stops_without_waiting_for_its_time);
}

MOT_CK_MAIN("ticker", ticker_tests)
