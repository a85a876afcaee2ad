/* The linear theory of rehearsal: closed forms against printed values and against runs, and runs against a dull twin. */
#include <math.h>
#include <string.h>

#include "ck.h"
#include "mot/log.h"
#include "mot/memory.h"
#include "mot/rehearsal.h"
#include "mot/rng.h"
#include "mot/types.h"

enum { MOST = 8, TABLE = MOST * MOST };

static const mot_rehearsal usual = {.tasks = 4, .width = 200, .samples = 24, .memory = 24, .noise = 0.3};

static mot_rehearsal_figures expect(const mot_rehearsal *r, const mot_rehearsal_truths *truths, const mot_rehearsal_rule *rule)
{
    mot_rehearsal_plan plan;
    double loss[TABLE];
    mot_ck_ok(mot_rehearsal_make_plan(r, truths, rule, &plan));
    mot_rehearsal_theory(r, truths, &plan, loss);
    return mot_rehearsal_figures_of(loss, r->tasks, r->tasks);
}

static mot_rehearsal_figures expect_apart(const mot_rehearsal *r, double gap, mot_rehearsal_strategy strategy)
{
    double w[MOST * (MOST + 1)];
    const mot_rehearsal_truths truths = mot_rehearsal_apart(r->tasks, gap, w);
    return expect(r, &truths, &(mot_rehearsal_rule){.strategy = strategy});
}

/* Values that were printed by another program, which rounded some of them twice. */
START_TEST(closed_forms_have_known_values)
{
    static const double known[][5] = {{0, -0.263, -0.257, 0.459, 0.471},
                                      {0.5, -0.228, -0.234, 0.636, 0.633},
                                      {1, -0.123, -0.164, 1.167, 1.118},
                                      {2, 0.299, 0.113, 3.291, 3.059}};
    for (size_t i = 0; i < MOT_COUNT(known); ++i) {
        const mot_rehearsal_figures joint = expect_apart(&usual, known[i][0], MOT_REHEARSAL_CONCURRENT),
                                    single = expect_apart(&usual, known[i][0], MOT_REHEARSAL_SEQUENTIAL);
        ck_assert_double_eq_tol(joint.forgetting, known[i][1], 6e-4);
        ck_assert_double_eq_tol(single.forgetting, known[i][2], 6e-4);
        ck_assert_double_eq_tol(joint.error, known[i][3], 6e-4);
        ck_assert_double_eq_tol(single.error, known[i][4], 6e-4);
    }
}
END_TEST

/* Two tasks, by hand: D of both from |w_v|^2. */
START_TEST(two_tasks_by_hand)
{
    const mot_rehearsal r = {.tasks = 2, .width = 10, .samples = 2, .memory = 3, .noise = 0.5};
    const double w[] = {1, 0, 0, 2}, d = 5, one = 2.0 / 10, all = 5.0 / 10, noise = 0.25;
    const mot_rehearsal_truths truths = {2, 2, w};
    const double D0 = (1 - one) * 1 + 2 * noise / 7, D1 = (1 - one) * 4 + one * d + 2 * noise / 7;
    const double pairs = 2 * 3 * d / (10 * (10 - 5 - 1)), added = pairs + 5 * noise / 4;
    const double J0 = (1 - all) * D0 + 2.0 / 10 * d + added, J1 = (1 - all) * D1 + 3.0 / 10 * d + added;
    const mot_rehearsal_figures joint = expect(&r, &truths, &(mot_rehearsal_rule){.strategy = MOT_REHEARSAL_CONCURRENT});
    ck_assert_double_eq_tol(joint.forgetting, J0 - D0, 1e-14);
    ck_assert_double_eq_tol(joint.error, (J0 + J1) / 2, 1e-14);
    const double N0 = (1 - one) * D0 + one * d + 2 * noise / 7, N1 = (1 - one) * D1 + 2 * noise / 7;
    const double S0 = (1 - 0.3) * N0 + 3 * noise / 6, S1 = (1 - 0.3) * N1 + 0.3 * d + 3 * noise / 6;
    const mot_rehearsal_figures single = expect(&r, &truths, &(mot_rehearsal_rule){.strategy = MOT_REHEARSAL_SEQUENTIAL});
    ck_assert_double_eq_tol(single.forgetting, S0 - D0, 1e-14);
    ck_assert_double_eq_tol(single.error, (S0 + S1) / 2, 1e-14);
}
END_TEST

/* ---- plans ---- */

/* Three clusters on a line, in the order 0 9 1 9 0 5. */
static const double line[] = {0, 9, 1, 9, 0, 5};
static const mot_rehearsal_truths on_line = {6, 1, line};
static const mot_rehearsal six = {.tasks = 6, .width = 60, .samples = 9, .memory = 13, .noise = 0.2};

static const uint8_t *places(const mot_rehearsal_rule *rule, int t)
{
    static mot_rehearsal_plan plan;
    mot_ck_ok(mot_rehearsal_make_plan(&six, &on_line, rule, &plan));
    return plan.place[t];
}

START_TEST(plans_follow_their_rules)
{
    mot_rehearsal_rule rule = {.strategy = MOT_REHEARSAL_HYBRID, .bound = 1};
    ck_assert_mem_eq(places(&rule, 4), ((uint8_t[]){0, 1, 0, 2}), 4);
    ck_assert_mem_eq(places(&rule, 5), ((uint8_t[]){1, 2, 3, 4, 5}), 5);
    rule.order = MOT_REHEARSAL_NEWEST;
    ck_assert_mem_eq(places(&rule, 4), ((uint8_t[]){0, 2, 0, 1}), 4);
    rule.order = MOT_REHEARSAL_DISSIMILAR; /* 5, 4, 4, 4, 5 away: of equals the oldest first */
    ck_assert_mem_eq(places(&rule, 5), ((uint8_t[]){1, 3, 4, 5, 2}), 5);
    bool similar[36] = {false};
    similar[5 * 6 + 3] = true;
    rule = (mot_rehearsal_rule){.strategy = MOT_REHEARSAL_HYBRID, .likeness = MOT_REHEARSAL_GIVEN, .similar = similar};
    ck_assert_mem_eq(places(&rule, 5), ((uint8_t[]){1, 2, 3, 0, 4}), 5);
    ck_assert_mem_eq(places(&rule, 4), ((uint8_t[]){1, 2, 3, 4}), 4);
    /* before task 4 the cosines are 1, -0.03, 0.98, -0.03 */
    rule = (mot_rehearsal_rule){.strategy = MOT_REHEARSAL_HYBRID, .likeness = MOT_REHEARSAL_BY_COSINE, .bound = 0.99};
    ck_assert_mem_eq(places(&rule, 4), ((uint8_t[]){0, 1, 2, 3}), 4);
    rule.bound = 0.5;
    ck_assert_mem_eq(places(&rule, 4), ((uint8_t[]){0, 1, 0, 2}), 4);
}
END_TEST

static void check_same(const mot_rehearsal_rule *a, const mot_rehearsal_rule *b)
{
    const mot_rehearsal_figures x = expect(&six, &on_line, a), y = expect(&six, &on_line, b);
    ck_assert_double_eq(x.forgetting, y.forgetting);
    ck_assert_double_eq(x.error, y.error);
}

START_TEST(hybrid_has_both_as_its_limits)
{
    const mot_rehearsal_rule joint = {.strategy = MOT_REHEARSAL_CONCURRENT}, single = {.strategy = MOT_REHEARSAL_SEQUENTIAL};
    mot_rehearsal_rule hybrid = {.strategy = MOT_REHEARSAL_HYBRID, .bound = INFINITY};
    check_same(&hybrid, &joint);
    hybrid.bound = -1;
    check_same(&hybrid, &single);
    hybrid.likeness = MOT_REHEARSAL_BY_COSINE;
    check_same(&hybrid, &joint);
    hybrid.bound = 1.1;
    check_same(&hybrid, &single);
    mot_rehearsal without = six;
    without.memory = 4; /* of which five old tasks have none */
    const mot_rehearsal_rule none = {.strategy = MOT_REHEARSAL_NONE};
    ck_assert_double_ne(expect(&without, &on_line, &none).error, expect(&without, &on_line, &joint).error);
    without.memory = 0;
    ck_assert_double_eq(expect(&without, &on_line, &none).error, expect(&without, &on_line, &single).error);
    ck_assert_double_eq(expect(&without, &on_line, &none).error, expect(&without, &on_line, &joint).error);
}
END_TEST

/* Foresight at the last task: no other set has a smaller mean. */
START_TEST(foresight_is_least)
{
    const mot_rehearsal three = {.tasks = 3, .width = 60, .samples = 9, .memory = 13, .noise = 0.2};
    bool similar[9] = {false};
    mot_rehearsal_plan plan;
    const mot_rehearsal_rule foresight = {.strategy = MOT_REHEARSAL_HYBRID, .likeness = MOT_REHEARSAL_BY_FORESIGHT};
    const double found = expect(&three, &on_line, &foresight).error;
    mot_ck_ok(mot_rehearsal_make_plan(&three, &on_line, &foresight, &plan));
    similar[3] = plan.place[1][0] == 0;
    double least = INFINITY;
    for (int set = 0; set < 4; ++set) {
        similar[6] = set & 1;
        similar[7] = set & 2;
        const mot_rehearsal_rule given = {.strategy = MOT_REHEARSAL_HYBRID, .likeness = MOT_REHEARSAL_GIVEN, .similar = similar};
        least = fmin(least, expect(&three, &on_line, &given).error);
    }
    ck_assert_double_eq_tol(found, least, 1e-12 * least);
}
END_TEST

START_TEST(crossover_is_a_root)
{
    const mot_rehearsal_figures at = mot_rehearsal_crossover(&usual);
    ck_assert_double_eq_tol(expect_apart(&usual, at.forgetting, MOT_REHEARSAL_CONCURRENT).forgetting,
                            expect_apart(&usual, at.forgetting, MOT_REHEARSAL_SEQUENTIAL).forgetting, 1e-12);
    ck_assert_double_eq_tol(expect_apart(&usual, at.error, MOT_REHEARSAL_CONCURRENT).error,
                            expect_apart(&usual, at.error, MOT_REHEARSAL_SEQUENTIAL).error, 1e-12);
    mot_rehearsal noisy = usual;
    noisy.noise = 3;
    ck_assert_double_eq(mot_rehearsal_crossover(&noisy).error, 0); /* a joint fit has more of the noise */
}
END_TEST

START_TEST(wrong_settings_get_a_sentence)
{
    static const struct {
        mot_rehearsal r;
        const char *sentence;
    } wrong[] = {{{.tasks = 2, .width = 49, .samples = 24, .memory = 24}, "samples + memory + 2 = 50"},
                 {{.tasks = 65, .width = 500, .samples = 24}, "65 tasks: expected 1 to 64"},
                 {{.tasks = 7, .width = 500, .samples = 24}, "6 truths for 7 tasks"},
                 {{.tasks = 2, .width = 500, .samples = 0}, "expected a sample at least"},
                 {{.tasks = 2, .width = 500, .samples = 24, .noise = NAN}, "noise of nan"},
                 {{.tasks = 2, .width = 500, .samples = 24, .memory = 25, .stored = true}, "25 stored samples"},
                 {{.tasks = 2, .width = SIZE_MAX, .samples = 2, .memory = SIZE_MAX}, "together at most"}};
    for (size_t i = 0; i < MOT_COUNT(wrong); ++i) {
        ck_assert_int_eq(mot_rehearsal_check(&wrong[i].r, &on_line), MOT_ERR_INPUT);
        ck_assert_msg(strstr(mot_error_message(), wrong[i].sentence) != NULL, "%s", mot_error_message());
    }
    const mot_rehearsal many = {.tasks = 13, .width = 500, .samples = 24};
    double w[13 * 14];
    mot_rehearsal_plan plan;
    const mot_rehearsal_truths apart = mot_rehearsal_apart(13, 1, w);
    const mot_rehearsal_rule foresight = {.strategy = MOT_REHEARSAL_HYBRID, .likeness = MOT_REHEARSAL_BY_FORESIGHT};
    ck_assert_int_eq(mot_rehearsal_make_plan(&many, &apart, &foresight, &plan), MOT_ERR_INPUT);
}
END_TEST

/* ---- runs ---- */

/* Of samples [m, p] and targets: w goes to the nearest point that fits, by projecting on one sample after another, each made
 * orthogonal to those before it. */
static void fit_dully(size_t m, size_t p, double *x, double *y, double *w)
{
    for (size_t i = 0; i < m; ++i) {
        double *row = x + i * p, length = 0, off = y[i];
        for (int twice = 0; twice < 2; ++twice)
            for (size_t j = 0; j < i; ++j) {
                double along = 0;
                for (size_t k = 0; k < p; ++k) along += row[k] * x[j * p + k];
                for (size_t k = 0; k < p; ++k) row[k] -= along * x[j * p + k];
                off -= along * y[j];
            }
        for (size_t k = 0; k < p; ++k) length += row[k] * row[k];
        for (size_t k = 0; k < p; ++k) row[k] /= sqrt(length);
        y[i] = off / sqrt(length);
    }
    for (size_t i = 0; i < m; ++i) {
        double step = y[i];
        for (size_t k = 0; k < p; ++k) step -= x[i * p + k] * w[k];
        for (size_t k = 0; k < p; ++k) w[k] += step * x[i * p + k];
    }
}

enum { DULL_P = 60, DULL_ROWS = 22 };

static size_t take_dully(const mot_rehearsal *r, uint64_t seed, uint32_t run, int time, int h, size_t count, size_t row,
                         double (*x)[DULL_P], double *y)
{
    float z[DULL_P];
    for (uint32_t i = 0; i < count; ++i, ++row) {
        const uint32_t block = (uint32_t)time << 16 | (uint32_t)h;
        mot_normal_row(seed, MOT_STREAM_REHEARSAL, (uint32_t[]){run, block, UINT32_MAX, 0}, 1, z, count);
        y[row] = r->noise * (double)z[i];
        mot_normal_row(seed, MOT_STREAM_REHEARSAL, (uint32_t[]){run, block, i, 0}, 1, z, DULL_P);
        for (size_t k = 0; k < DULL_P; ++k) x[row][k] = (double)z[k];
        y[row] += line[h] * x[row][0];
    }
    return row;
}

/* loss [T, T] */
static void run_dully(const mot_rehearsal *r, const mot_rehearsal_plan *plan, uint64_t seed, uint32_t run, double *loss)
{
    double w[DULL_P] = {0}, x[DULL_ROWS][DULL_P], y[DULL_ROWS];
    for (int t = 0; t < r->tasks; ++t) {
        for (int fit = 0; fit <= t; ++fit) {
            size_t m = 0;
            if (fit == 0) m = take_dully(r, seed, run, t, t, r->samples, 0, x, y);
            for (int h = 0; h < t; ++h)
                if (plan->place[t][h] == fit)
                    m = take_dully(r, seed, run, r->stored ? h : t, h, r->memory / (size_t)t, m, x, y);
            fit_dully(m, DULL_P, &x[0][0], y, w);
        }
        for (int v = 0; v < r->tasks; ++v) {
            double *of = loss + t * r->tasks + v;
            *of = 0;
            for (size_t k = 0; k < DULL_P; ++k) *of += (w[k] - (k == 0 ? line[v] : 0)) * (w[k] - (k == 0 ? line[v] : 0));
        }
    }
}

static void check_dully(const mot_rehearsal *r, const mot_rehearsal_rule *rule)
{
    enum { RUNS = 5 };
    double loss[RUNS][TABLE], dull[TABLE];
    mot_rehearsal_plan plan;
    mot_comm comm;
    const size_t table = (size_t)(r->tasks * r->tasks);
    mot_comm_init(&comm, MPI_COMM_WORLD);
    mot_ck_ok(mot_rehearsal_make_plan(r, &on_line, rule, &plan));
    double *all;
    mot_ck_ok(mot_allocate(&all, RUNS * table, sizeof *all, "losses"));
    const mot_rehearsal_case of = {&on_line, &plan};
    mot_ck_all(mot_rehearsal_simulate(&comm, r, &of, 1, 5, RUNS, all) == MOT_OK);
    for (uint32_t run = 0; run < RUNS; ++run) {
        memcpy(loss[run], all + run * table, table * sizeof *all);
        run_dully(r, &plan, 5, run, dull);
        for (size_t i = 0; i < table; ++i) ck_assert_double_eq_tol(loss[run][i], dull[i], 1e-9 * (1 + dull[i]));
    }
    mot_free(all);
    mot_comm_free(&comm);
}

START_TEST(runs_are_those_of_a_dull_twin)
{
    mot_rehearsal_rule rule = {.strategy = MOT_REHEARSAL_NONE};
    check_dully(&six, &rule);
    rule.strategy = MOT_REHEARSAL_CONCURRENT;
    check_dully(&six, &rule);
    rule = (mot_rehearsal_rule){.strategy = MOT_REHEARSAL_HYBRID, .bound = 1, .order = MOT_REHEARSAL_NEWEST};
    check_dully(&six, &rule);
    mot_rehearsal stored = six;
    stored.stored = true;
    stored.memory = 9;
    check_dully(&stored, &rule);
}
END_TEST

/* Several cases on several ranks, against this rank alone and one case at a time; the first tasks of more are those of fewer. */
START_TEST(runs_do_not_depend_on_who_does_them)
{
    enum { RUNS = 7, CASES = 3 };
    static double all[RUNS][CASES][TABLE], one[RUNS][TABLE];
    const mot_rehearsal_rule rules[CASES] = {{.strategy = MOT_REHEARSAL_SEQUENTIAL},
                                             {.strategy = MOT_REHEARSAL_CONCURRENT},
                                             {.strategy = MOT_REHEARSAL_HYBRID, .bound = 1}};
    mot_rehearsal eight = six, three = six;
    const double w[] = {0, 9, 1, 9, 0, 5, 3, 2};
    const mot_rehearsal_truths truths = {8, 1, w};
    mot_rehearsal_plan plan[CASES], first;
    mot_rehearsal_case cases[CASES];
    mot_comm comm, alone;
    eight.tasks = 8;
    three.tasks = 3;
    mot_comm_init(&comm, MPI_COMM_WORLD);
    mot_comm_init(&alone, MPI_COMM_SELF);
    for (int c = 0; c < CASES; ++c) {
        mot_ck_ok(mot_rehearsal_make_plan(&eight, &truths, &rules[c], &plan[c]));
        cases[c] = (mot_rehearsal_case){&truths, &plan[c]};
    }
    mot_ck_all(mot_rehearsal_simulate(&comm, &eight, cases, CASES, 11, RUNS, &all[0][0][0]) == MOT_OK);
    bool same = true, prefix = true;
    for (int c = 0; c < CASES; ++c) {
        same = same && mot_rehearsal_simulate(&alone, &eight, &cases[c], 1, 11, RUNS, &one[0][0]) == MOT_OK;
        for (int run = 0; run < RUNS; ++run) same = same && memcmp(all[run][c], one[run], sizeof one[run]) == 0;
    }
    mot_ck_all(same);
    double few[RUNS][9];
    mot_ck_ok(mot_rehearsal_make_plan(&three, &truths, &rules[2], &first));
    prefix = mot_rehearsal_simulate(&alone, &three, &(mot_rehearsal_case){&truths, &first}, 1, 11, RUNS, &few[0][0]) == MOT_OK;
    for (int run = 0; run < RUNS; ++run)
        for (int t = 0; t < 3; ++t) prefix = prefix && memcmp(few[run] + 3 * t, all[run][2] + 8 * t, 3 * sizeof few[0][0]) == 0;
    mot_ck_all(prefix);
    mot_comm_free(&comm);
    mot_comm_free(&alone);
}
END_TEST

/* The mean of runs against the closed forms: the seed is fixed, so that this holds always or never. */
static void check_means(const mot_rehearsal *r, const mot_rehearsal_rule *rule, const mot_rehearsal_truths *truths, size_t runs)
{
    const size_t table = (size_t)(r->tasks * r->tasks);
    double *all, expected[TABLE];
    mot_rehearsal_plan plan;
    mot_comm comm;
    mot_comm_init(&comm, MPI_COMM_WORLD);
    mot_ck_ok(mot_rehearsal_make_plan(r, truths, rule, &plan));
    mot_rehearsal_theory(r, truths, &plan, expected);
    mot_ck_ok(mot_allocate(&all, runs * table, sizeof *all, "losses"));
    mot_ck_all(mot_rehearsal_simulate(&comm, r, &(mot_rehearsal_case){truths, &plan}, 1, 2, runs, all) == MOT_OK);
    for (size_t i = 0; i < table; ++i) {
        double mean = 0, square = 0;
        for (size_t run = 0; run < runs; ++run) mean += all[run * table + i] / (double)runs;
        for (size_t run = 0; run < runs; ++run) square += (all[run * table + i] - mean) * (all[run * table + i] - mean);
        const double error = sqrt(square / (double)(runs - 1) / (double)runs);
        ck_assert_double_le(fabs(mean - expected[i]), 4 * error);
        ck_assert_double_lt(error, 0.1 * expected[i]);
    }
    mot_free(all);
    mot_comm_free(&comm);
}

START_TEST(means_of_runs_are_the_closed_forms)
{
    const size_t runs = mot_ck_short() ? 100 : 1000;
    double w[MOST * (MOST + 1)];
    const mot_rehearsal four = {.tasks = 4, .width = 40, .samples = 10, .memory = 14, .noise = 1};
    const mot_rehearsal_truths apart = mot_rehearsal_apart(4, 1.5, w);
    for (int s = 0; s < MOT_REHEARSAL_STRATEGIES; ++s)
        check_means(&four, &(mot_rehearsal_rule){.strategy = (mot_rehearsal_strategy)s}, &apart, runs);
    check_means(&six, &(mot_rehearsal_rule){.strategy = MOT_REHEARSAL_HYBRID, .bound = 4}, &on_line, runs);
}
END_TEST

static void rehearsal_tests(TCase *tcase)
{
    mot_log_init(0, MOT_LOG_ERROR);
    tcase_add_test(tcase, closed_forms_have_known_values);
    tcase_add_test(tcase, two_tasks_by_hand);
    tcase_add_test(tcase, plans_follow_their_rules);
    tcase_add_test(tcase, hybrid_has_both_as_its_limits);
    tcase_add_test(tcase, foresight_is_least);
    tcase_add_test(tcase, crossover_is_a_root);
    tcase_add_test(tcase, wrong_settings_get_a_sentence);
    tcase_add_test(tcase, runs_are_those_of_a_dull_twin);
    tcase_add_test(tcase, runs_do_not_depend_on_who_does_them);
    tcase_add_test(tcase, means_of_runs_are_the_closed_forms);
}

MOT_CK_MAIN("rehearsal", rehearsal_tests)
