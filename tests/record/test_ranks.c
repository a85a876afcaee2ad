/* Seconds of ranks: each segment has those of the job that wrote it. */
#include "mot/h5.h"
#include "mot/record_read.h"
#include "recorded.h"

static void ranks_row(mot_record *record, mot_gidx step, int ranks)
{
    float seconds[3][4];
    for (int r = 0; r < ranks; ++r)
        for (int k = 0; k < 3; ++k) seconds[k][r] = (float)(step + 10 * r + 100 * k);
    const mot_rank_figures figures = {.step = step, .steps = 2, .interval_s = 0.5, .slowest_s = 0.25,
                                      .compute_s = seconds[0], .exchange_s = seconds[1], .wait_s = seconds[2]};
    mot_ck_ok(mot_record_ranks(record, &figures));
}

/* What check_ranks wants of the next segment. */
static const struct {
    size_t rows, ranks;
    double last;
} ranks_wanted[] = {{1, 3, 2}, {1, 2, 4}, {0, 0, 0}};
static size_t ranks_seen;

static mot_status check_ranks(void *with, hid_t file)
{
    enum { STEP, WAIT };
    const mot_record_item item[] = {{MOT_RECORD_RANKS, "step", 0}, {MOT_RECORD_RANKS, "wait", 0}};
    mot_record_values values[MOT_COUNT(item)] = {0};
    (void)with;
    ck_assert_uint_lt(ranks_seen, MOT_COUNT(ranks_wanted));
    const size_t rows = ranks_wanted[ranks_seen].rows, ranks = ranks_wanted[ranks_seen].ranks;
    const double last = ranks_wanted[ranks_seen++].last;
    mot_ck_ok(mot_record_add(file, MOT_COUNT(item), item, values));
    ck_assert(values[STEP].rows == rows && values[WAIT].rows == rows && values[WAIT].width == ranks);
    ck_assert(mot_h5_exists(file, "rank") == (ranks > 0));
    for (size_t r = 0; r < ranks; ++r) ck_assert(values[WAIT].value[(rows - 1) * ranks + r] == last + 10 * (double)r + 200);
    for (size_t i = 0; i < MOT_COUNT(item); ++i) mot_record_values_free(&values[i]);
    return MOT_OK;
}

/* Jobs of three and of two ranks, the first of which is cut back; and one that records nothing of them. */
START_TEST(each_segment_has_its_own_ranks)
{
    mot_record_about about = plain_about();
    static const int ranks[] = {3, 2, 0};
    static const mot_gidx last[] = {5, 4, 6}, from[] = {-1, 3, 4};
    for (size_t job = 0; job < MOT_COUNT(ranks); ++job) {
        mot_record *record;
        about.ranks = ranks[job];
        mot_ck_ok(mot_record_open(&record, &about, from[job]));
        for (mot_gidx step = MOT_MAX(from[job], 0) + 1; step <= last[job]; ++step) {
            one_step(record, step);
            if (step % 2 == 0 && ranks[job] > 0) ranks_row(record, step, ranks[job]);
        }
        mot_ck_ok(mot_record_flush(record, job != 0)); /* the first is killed */
        mot_record_close(&record);
    }
    ranks_seen = 0;
    mot_ck_ok(mot_record_each(folder, check_ranks, NULL));
    ck_assert_uint_eq(ranks_seen, MOT_COUNT(ranks_wanted));
}
END_TEST

static void rank_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, each_segment_has_its_own_ranks);
}

MOT_CK_MAIN("seconds of ranks", rank_tests)
