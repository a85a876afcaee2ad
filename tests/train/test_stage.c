/* Schedules and the criteria that end a stage, with sequences made by hand. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ck.h"
#include "mot/stage.h"

enum { SAMPLES = 100, BATCH = 8 };

static mot_config config;

/* A configuration whose stages are `stages` (YAML). */
static void configure(const char *stages)
{
    char text[1024];
    snprintf(text, sizeof text, "data: {file: none.h5}\ntrain: {batch: %d}\nstages: %s\n", BATCH, stages);
    mot_ck_ok(mot_config_parse(&config, "test", text, 0, NULL));
}

/* Steps until the first stage ends, when the losses (or purities) of its steps are `value`; 0: it does not. */
static int ends_after(const char *until, bool purity, int count, const double *value)
{
    char stages[300];
    mot_progress progress = {0};
    snprintf(stages, sizeof stages, "[{name: a, until: %s}, {name: b}]", until);
    configure(stages);
    for (int s = 0; s < count; ++s) {
        const mot_stage_seen seen = {purity ? 1 : value[s], purity ? value[s] : 0, 0};
        const bool ended = mot_stage_advance(&config, SAMPLES, &seen, &progress);
        ck_assert_int_eq(progress.step, s + 1);
        ck_assert_int_eq(progress.stage, ended ? 1 : 0);
        if (!ended) continue;
        ck_assert_int_eq(progress.stage_first, s + 1);
        ck_assert_int_eq(progress.window_steps, 0);
        ck_assert_int_eq(progress.windows, 0);
        return s + 1;
    }
    return 0;
}

#define LOSS(until, ...)                                                                                     \
    ends_after(until, false, (int)(sizeof(double[]){__VA_ARGS__} / sizeof(double)), (double[]){__VA_ARGS__})
#define PURITY(until, ...)                                                                                   \
    ends_after(until, true, (int)(sizeof(double[]){__VA_ARGS__} / sizeof(double)), (double[]){__VA_ARGS__})

START_TEST(counts_steps_and_epochs)
{
    const double nothing[60] = {0};
    ck_assert_int_eq(ends_after("1 steps", false, 60, nothing), 1);
    ck_assert_int_eq(ends_after("17 steps", false, 60, nothing), 17);
    ck_assert_int_eq(ends_after("1 epochs", false, 60, nothing), 13); /* 100 of 8, rounded up */
    ck_assert_int_eq(ends_after("2 epochs", false, 60, nothing), 25);
    ck_assert_int_eq(ends_after("0.5 epochs", false, 60, nothing), 7);
    ck_assert_int_eq(ends_after("2 epochs or 19 steps", false, 60, nothing), 19);
    ck_assert_int_eq(ends_after("19 steps or 1 epochs", false, 60, nothing), 13);
    ck_assert_int_eq(ends_after("70 steps", false, 60, nothing), 0);
}
END_TEST

START_TEST(ends_below_a_loss)
{
    ck_assert_int_eq(LOSS("loss < 0.5", 3, 1, 0.5, 0.6, 0.4999, 0.1), 5);
    ck_assert_int_eq(LOSS("loss < 0.5", 3, 1, 0.5, 0.5), 0);
    ck_assert_int_eq(LOSS("loss < 0.5 or 3 steps", 3, 1, 0.5, 0.4), 3);
}
END_TEST

START_TEST(ends_on_a_plateau_of_the_loss)
{
    /* Windows of 3: means 4, 3, 3 end it; means 4, 3, 2.9 do not. */
    ck_assert_int_eq(LOSS("loss plateau 3", 4, 4, 4, 3, 3, 3, 2, 3, 4, 1, 1, 1), 9);
    ck_assert_int_eq(LOSS("loss plateau 3", 4, 4, 4, 3, 3, 3, 2.9, 2.9, 2.9), 0);
    /* 0.1 % is the bound. */
    ck_assert_int_eq(LOSS("loss plateau 2", 1, 1, 0.9989, 0.9989), 0);
    ck_assert_int_eq(LOSS("loss plateau 2", 1, 1, 0.9991, 0.9991), 4);
    /* The first window has none before it, and half a window is none. */
    ck_assert_int_eq(LOSS("loss plateau 4", 1, 2, 3, 4, 5, 6, 7), 0);
    ck_assert_int_eq(LOSS("loss plateau 4", 1, 2, 3, 4, 5, 6, 7, 8), 8);
    ck_assert_int_eq(LOSS("loss plateau 1", 5, 4, 3, 3), 4);
    ck_assert_int_eq(LOSS("loss plateau 2 or 3 steps", 1, 1, 1, 1), 3);
}
END_TEST

START_TEST(ends_on_a_plateau_of_the_purity)
{
    ck_assert_int_eq(PURITY("purity plateau 2", 0.3, 0.3, 0.4, 0.4, 0.5, 0.5), 0);
    ck_assert_int_eq(PURITY("purity plateau 2", 0.3, 0.3, 0.4, 0.4, 0.404, 0.404), 6);
    ck_assert_int_eq(PURITY("purity plateau 2", 0.3, 0.3, 0.2, 0.2), 4);
    ck_assert_int_eq(PURITY("purity plateau 2", 0.3, 0.3, 0.3051, 0.3051), 0);
}
END_TEST

/* What counts is where a window of 3 steps ends; the first one has nothing before it. */
START_TEST(ends_on_a_plateau_of_the_alignment)
{
    static const struct {
        double alignment[4];
        int end;
    } row[] = {{{0.1, 0.5, 0.506, 0.512}, 0}, {{0.1, 0.5, 0.504, 0}, 9}, {{0.9, 0.8, 0, 0}, 6}};
    for (size_t r = 0; r < MOT_COUNT(row); ++r) {
        mot_progress progress = {0};
        int steps = 0;
        bool ended = false;
        configure("[{name: a, until: alignment plateau 3}, {name: b, until: alignment plateau 3}]");
        while (steps < 12 && !ended) {
            const bool asked = mot_stage_asks_alignment(&config, &progress);
            ck_assert_int_eq(asked, steps % 3 == 2);
            const mot_stage_seen seen = {.loss = 1, .alignment = asked ? row[r].alignment[steps / 3] : NAN};
            ended = mot_stage_advance(&config, SAMPLES, &seen, &progress);
            ++steps;
        }
        ck_assert_int_eq(ended ? steps : 0, row[r].end);
        if (ended) ck_assert_double_eq(progress.previous_alignment, 0);
    }
}
END_TEST

START_TEST(goes_through_three_stages)
{
    /* The windows of a stage are its own; after the last one the stage is their number. */
    configure(
        "[{name: a, until: loss plateau 2}, {name: b, until: 3 steps}, {name: c, until: loss plateau 2}]");
    const double loss[] = {5, 5, 5, 5, 9, 9, 9, 9, 9, 8, 8, 8, 8};
    const int stage[] = {0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3};
    mot_progress progress = {0};
    mot_ck_ok(mot_stages_check(&config, SAMPLES));
    for (int s = 0; s < 13; ++s) {
        /* Half way the progress travels through a checkpoint: nothing else may be remembered. */
        mot_progress stored = progress;
        mot_stage_advance(&config, SAMPLES, &(mot_stage_seen){.loss = loss[s]}, &stored);
        progress = stored;
        ck_assert_int_eq(progress.stage, stage[s]);
    }
    ck_assert_int_eq(progress.stage, config.stages);
    ck_assert_int_eq(progress.stage_first, 7);
}
END_TEST

START_TEST(goes_on_when_it_is_made_longer)
{
    static const struct {
        const char *until, *longer;
        int steps, stage; /* taken; afterwards */
    } row[] = {{"3 steps", "5 steps", 3, 1},
               {"3 steps", "loss < 0.5", 3, 1},
               {"3 steps", "3 steps", 3, 2},
               {"3 steps", "2 steps", 3, -1},
               {"9 steps or loss < 2", "12 steps or loss < 2", 3, 2}};
    for (size_t r = 0; r < MOT_COUNT(row); ++r) {
        char stages[300];
        mot_progress progress = {0};
        snprintf(stages, sizeof stages, "[{name: a, until: 2 steps}, {name: b, until: %s}]", row[r].until);
        configure(stages);
        for (int s = 0; s < 2 + row[r].steps; ++s)
            mot_stage_advance(&config, SAMPLES, &(mot_stage_seen){.loss = s < 4 ? 3 : 1}, &progress);
        ck_assert_int_eq(progress.stage, 2);
        const mot_gidx former = mot_stage_steps(&config, 1, SAMPLES);
        snprintf(stages, sizeof stages, "[{name: a, until: 2 steps}, {name: b, until: %s}]", row[r].longer);
        configure(stages);
        bool next;
        const mot_status status = mot_stage_reopen(&config, SAMPLES, former, &progress, &next);
        ck_assert_int_eq(status, row[r].stage < 0 ? MOT_ERR_INPUT : MOT_OK);
        ck_assert(!next);
        if (row[r].stage < 0)
            ck_assert_ptr_nonnull(strstr(mot_error_message(), "until = '2 steps' ends after 2 steps, but 3"));
        ck_assert_int_eq(progress.stage, row[r].stage < 0 ? 2 : row[r].stage);
        ck_assert_int_eq(progress.stage_first, 2);
    }
}
END_TEST

/* A stage that is under way and gets another end: behind, at, or before what is done. */
START_TEST(ends_where_it_stands_when_it_is_made_shorter)
{
    static const struct {
        const char *until;
        int stage; /* afterwards; -1: refused */
    } row[] = {{"9 steps", 0}, {"5 steps", 1}, {"4 steps", -1}, {"0.2 epochs", -1}, {"loss < 1", 0}};
    for (size_t r = 0; r < MOT_COUNT(row); ++r) {
        char stages[300];
        mot_progress progress = {0};
        bool next;
        configure("[{name: a, until: 8 steps or loss plateau 3}, {name: b}]");
        for (int s = 0; s < 5; ++s) mot_stage_advance(&config, SAMPLES, &(mot_stage_seen){.loss = 9 - s}, &progress);
        snprintf(stages, sizeof stages, "[{name: a, until: %s}, {name: b}]", row[r].until);
        configure(stages);
        const mot_status status = mot_stage_reopen(&config, SAMPLES, 0, &progress, &next);
        ck_assert_int_eq(status, row[r].stage < 0 ? MOT_ERR_INPUT : MOT_OK);
        ck_assert_int_eq(progress.stage, MOT_MAX(row[r].stage, 0));
        ck_assert(next == (row[r].stage == 1));
        ck_assert_int_eq(progress.stage_first, row[r].stage == 1 ? 5 : 0);
        ck_assert_int_eq(progress.window_steps, row[r].stage == 1 ? 0 : 2);
        ck_assert_int_eq(progress.step, 5);
    }
}
END_TEST

/* Windows of 2 and of 3 side by side: each clause ends the stage where it would alone. */
START_TEST(two_plateaus_keep_their_own_windows)
{
    static const struct {
        const char *until;
        double loss[9], purity[9];
        int end;
    } row[] = {
        /* The loss falls for ever; the purity's third window of 3 is no higher than its second. */
        {"loss plateau 2 or purity plateau 3",
         {9, 9, 8, 8, 7, 7, 6, 6, 5},
         {0.1, 0.1, 0.1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5},
         9},
        /* The purity rises for ever; the loss's third window of 2 is no lower than its second. */
        {"loss plateau 2 or purity plateau 3",
         {9, 9, 8, 8, 8, 8, 8, 8, 8},
         {0.1, 0.1, 0.1, 0.5, 0.5, 0.5, 0.9, 0.9, 0.9},
         6},
        {"loss plateau 3 or purity plateau 2",
         {9, 9, 9, 8, 8, 8, 7, 7, 7},
         {0.1, 0.1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5},
         6},
    };
    for (size_t r = 0; r < MOT_COUNT(row); ++r) {
        char stages[300];
        mot_progress progress = {0};
        snprintf(stages, sizeof stages, "[{name: a, until: %s}, {name: b}]", row[r].until);
        configure(stages);
        int s = 0;
        while (s < 9 &&
               !mot_stage_advance(&config, SAMPLES, &(mot_stage_seen){row[r].loss[s], row[r].purity[s], 0}, &progress))
            ++s;
        ck_assert_int_eq(s + 1, row[r].end);
    }
}
END_TEST

START_TEST(follows_a_schedule)
{
    configure("[{name: a, schedule: constant, until: 20 steps}]");
    mot_stage_config *stage = &config.stage[0];
    for (mot_gidx s = 0; s < 20; ++s) ck_assert_double_eq(mot_stage_factor(stage, s, 20), 1);

    configure("[{name: a, schedule: linear, warmup: 4, final_rate: 0.2, until: 20 steps}]");
    ck_assert_int_eq(mot_stage_steps(&config, 0, SAMPLES), 20);
    double before = 0;
    for (mot_gidx s = 0; s < 4; ++s) { /* grows evenly, and is never 0 */
        ck_assert_double_eq_tol(mot_stage_factor(stage, s, 20), (double)(s + 1) / 5, 1e-15);
        before = mot_stage_factor(stage, s, 20);
    }
    for (mot_gidx s = 4; s < 20; ++s) {
        const double factor = mot_stage_factor(stage, s, 20);
        ck_assert_double_eq_tol(factor, 1 - 0.8 * (double)(s - 4) / 16, 1e-15);
        ck_assert(s == 4 ? factor == 1 && before < 1 : factor < before);
        before = factor;
    }
    ck_assert_double_eq_tol(mot_stage_factor(stage, 20, 20), 0.2, 1e-15);
    ck_assert_double_eq_tol(mot_stage_factor(stage, 25, 20), 0.2, 1e-15);

    configure("[{name: a, schedule: cosine, final_rate: 0, until: 20 steps}]");
    ck_assert_double_eq(mot_stage_factor(stage, 0, 20), 1);
    ck_assert_double_eq_tol(mot_stage_factor(stage, 5, 20), 0.5 + sqrt(0.125), 1e-12);
    ck_assert_double_eq_tol(mot_stage_factor(stage, 10, 20), 0.5, 1e-12);
    ck_assert_double_eq_tol(mot_stage_factor(stage, 20, 20), 0, 1e-12);

    /* Without a word it is a cosine that ends at a tenth; where the end is not known, the rate stays. */
    configure("[{name: a, until: 20 steps}, {name: b, until: loss < 1}]");
    mot_ck_ok(mot_stages_check(&config, SAMPLES));
    ck_assert_double_eq_tol(mot_stage_factor(stage, 10, 20), 0.55, 1e-12);
    ck_assert_double_eq_tol(mot_stage_factor(stage, 20, 20), 0.1, 1e-12);
    ck_assert_double_eq(mot_stage_factor(&config.stage[1], 10, 0), 1);

    /* A warm-up longer than the stage never ends, and divides by nothing. */
    configure("[{name: a, schedule: cosine, warmup: 30, until: 20 steps}]");
    for (mot_gidx s = 0; s < 20; ++s)
        ck_assert_double_eq_tol(mot_stage_factor(stage, s, 20), (double)(s + 1) / 31, 1e-15);
}
END_TEST

START_TEST(wants_an_end_for_a_schedule)
{
    configure("[{name: a}, {name: fall, schedule: cosine, until: loss < 0.1}]");
    ck_assert_int_eq(mot_stages_check(&config, SAMPLES), MOT_ERR_INPUT);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "stage 'fall'"));
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "loss < 0.1"));
    configure("[{name: a}, {name: fall, schedule: cosine, until: loss < 0.1 or 2 epochs}]");
    mot_ck_ok(mot_stages_check(&config, SAMPLES));
}
END_TEST

/* What its end does is done behind a step, and once. */
START_TEST(an_action_is_not_done_twice)
{
    mot_progress progress = {0};
    bool next;
    configure("[{name: a, until: 3 steps, action: drop_idle}]");
    for (int s = 0; s < 2; ++s) mot_stage_advance(&config, SAMPLES, &(mot_stage_seen){.loss = 1}, &progress);
    mot_ck_ok(mot_stage_reopen(&config, SAMPLES, 3, &progress, &next));
    configure("[{name: a, until: 2 steps, action: drop_idle}]");
    ck_assert_int_eq(mot_stage_reopen(&config, SAMPLES, 3, &progress, &next), MOT_ERR_INPUT);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "action = drop_idle is done behind a step"));
    ck_assert(!next && progress.stage == 0);
    mot_stage_advance(&config, SAMPLES, &(mot_stage_seen){.loss = 1}, &progress);
    ck_assert_int_eq(progress.stage, 1);
    configure("[{name: a, until: 3 steps, action: drop_idle}]");
    mot_ck_ok(mot_stage_reopen(&config, SAMPLES, 3, &progress, &next));
    configure("[{name: a, until: 4 steps, action: drop_idle}]");
    ck_assert_int_eq(mot_stage_reopen(&config, SAMPLES, 3, &progress, &next), MOT_ERR_INPUT);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "has done action = drop_idle"));
    ck_assert(!next && progress.stage == 1);
}
END_TEST

/* What is given in per cent of the run. */
START_TEST(a_share_of_the_run_becomes_steps)
{
    configure("[{name: a, until: 20 steps, noise: gumbel, noise_steps: 25%}, {name: b, until: 1 epochs, "
              "noise: uniform, noise_steps: 7}]");
    ck_assert_int_eq(mot_run_steps(&config, SAMPLES), 33);
    mot_ck_ok(mot_stages_resolve(&config, SAMPLES, MOT_SAMPLE_VECTOR));
    ck_assert_int_eq(config.stage[0].explore.noise_steps.steps, 8);
    ck_assert_int_eq(config.stage[0].explore.noise, MOT_NOISE_GUMBEL);
    ck_assert_int_eq(config.stage[1].explore.noise_steps.steps, 7);
    ck_assert_int_eq(config.stage[1].explore.noise, MOT_NOISE_UNIFORM);
    configure("[{name: a, until: loss < 1, noise_steps: 0.5%}]");
    ck_assert_int_eq(mot_run_steps(&config, SAMPLES), 0);
    ck_assert_int_eq(mot_stages_resolve(&config, SAMPLES, MOT_SAMPLE_VECTOR), MOT_ERR_INPUT);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "stage 'a': noise_steps = 0.5%"));
}
END_TEST

/* A schedule that has begun stays, whatever its stage's length becomes. */
START_TEST(keeps_a_schedule_that_has_begun)
{
    static const struct {
        const char *before, *now;
        int done;
        mot_gidx steps; /* that it is given; 0: none */
    } row[] = {
        {"until: 20 steps", "until: 40 steps", 20, 20},
        {"until: 20 steps", "until: 40 steps", 5, 20},
        {"until: 20 steps", "until: 10 steps", 5, 20},
        {"until: 20 steps", "until: 40 steps", 4, 0}, /* within the warm-up */
        {"until: 20 steps", "until: 20 steps or loss < 1", 8, 0},
        {"until: 20 steps", "until: 40 steps, schedule_steps: 30", 20, 0},
        {"until: 30 steps, schedule_steps: 20", "until: 40 steps", 30, 20},
        {"until: 30 steps, schedule_steps: 20", "until: 20 steps", 20, 0},
        {"until: 20 steps", "until: 3 epochs", 20, 20},
        {"until: 3 steps", "until: 40 steps", 3, 0},
    };
    for (size_t r = 0; r < MOT_COUNT(row); ++r) {
        static mot_config before;
        char stages[300];
        const mot_progress progress = {.step = 7 + row[r].done, .stage = 1, .stage_first = 7};
        const char *const form =
            "[{name: a, until: 7 steps}, {name: b, schedule: linear, warmup: 4, final_rate: 0.5, %s}]";
        snprintf(stages, sizeof stages, form, row[r].before);
        configure(stages);
        before = config;
        snprintf(stages, sizeof stages, form, row[r].now);
        configure(stages);
        const mot_gidx own = config.stage[1].schedule_steps;
        ck_assert(mot_stage_keep_schedule(&config, &before, SAMPLES, &progress) == (row[r].steps > 0));
        ck_assert_int_eq(config.stage[1].schedule_steps, row[r].steps > 0 ? row[r].steps : own);
        ck_assert_int_eq(config.stage[0].schedule_steps, 0);
        mot_ck_ok(mot_stages_check(&config, SAMPLES));
    }
    configure("[{name: b, until: 20 steps}]");
    const mot_progress over = {.step = 20, .stage = 1};
    ck_assert(!mot_stage_keep_schedule(&config, &config, SAMPLES, &over));
}
END_TEST

/* The batch where nobody gave one: a power of two with which an epoch has 16 steps or a few more. */
START_TEST(a_batch_follows_from_the_data)
{
    static const struct {
        mot_gidx samples;
        size_t batch;
    } row[] = {{1, 8}, {120, 8}, {255, 8}, {256, 16}, {1437, 64}, {2047, 64}, {2048, 128}, {60000, 128}, {MOT_ENDLESS, 128}};
    for (size_t r = 0; r < MOT_COUNT(row); ++r) {
        mot_ck_ok(mot_config_parse(&config, "test", "{data: {file: none.h5}, train.until: 5 steps}", 0, NULL));
        mot_ck_ok(mot_stages_resolve(&config, row[r].samples, MOT_SAMPLE_VECTOR));
        ck_assert_uint_eq(config.train.batch, row[r].batch);
        ck_assert_int_eq(config.stage[0].explore.noise_steps.steps, 5); /* of the run */
    }
    ck_assert_double_eq(config.stage[0].expert.rate, 1e-3);
    ck_assert_double_eq(config.stage[0].gate.rate, 1e-3);
    const char *const chunks = "route.chunks=9";
    mot_ck_ok(mot_config_parse(&config, "test", "data: {file: none.h5}", 1, &chunks));
    ck_assert_int_eq(mot_stages_resolve(&config, 120, MOT_SAMPLE_TEXT), MOT_ERR_INPUT);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "route.chunks = 9 is more than train.batch = auto, which is 8"));
    ck_assert_double_eq(config.stage[0].expert.rate, 1e-2);
    configure("[{name: a, until: loss < 1}]");
    mot_ck_ok(mot_stages_resolve(&config, SAMPLES, MOT_SAMPLE_VECTOR));
    ck_assert_uint_eq(config.train.batch, BATCH);
    ck_assert_int_eq(config.stage[0].explore.noise_steps.steps, 1000);
}
END_TEST

static void stage_tests(TCase *tcase)
{
    tcase_add_test(tcase, counts_steps_and_epochs);
    tcase_add_test(tcase, ends_below_a_loss);
    tcase_add_test(tcase, ends_on_a_plateau_of_the_loss);
    tcase_add_test(tcase, ends_on_a_plateau_of_the_purity);
    tcase_add_test(tcase, ends_on_a_plateau_of_the_alignment);
    tcase_add_test(tcase, goes_through_three_stages);
    tcase_add_test(tcase, goes_on_when_it_is_made_longer);
    tcase_add_test(tcase, ends_where_it_stands_when_it_is_made_shorter);
    tcase_add_test(tcase, two_plateaus_keep_their_own_windows);
    tcase_add_test(tcase, follows_a_schedule);
    tcase_add_test(tcase, wants_an_end_for_a_schedule);
    tcase_add_test(tcase, an_action_is_not_done_twice);
    tcase_add_test(tcase, keeps_a_schedule_that_has_begun);
    tcase_add_test(tcase, a_share_of_the_run_becomes_steps);
    tcase_add_test(tcase, a_batch_follows_from_the_data);
}

MOT_CK_MAIN("stage", stage_tests)
