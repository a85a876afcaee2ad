/* Figures of continual learning against a table that was worked out by hand, and against their formulas taken literally. */
#include <math.h>
#include <string.h>

#include "mot/continual.h"
#include "mot/rng.h"
#include "recorded.h"

enum { MOST = 7 };

static mot_continual_figure figure[MOT_CONTINUAL_FIGURES];

static void expect(mot_continual_name name, double value)
{
    ck_assert_msg(figure[name].why[0] == '\0', "%s: %s", mot_continual_abouts[name].key, figure[name].why);
    ck_assert_double_eq_tol(figure[name].value, value, 1e-12);
}

static void expect_none(mot_continual_name name, const char *why)
{
    ck_assert_msg(isnan(figure[name].value), "%s is %g", mot_continual_abouts[name].key, figure[name].value);
    ck_assert_str_eq(figure[name].why, why);
}

/* Task 0 is best after task 1, task 1 before its turn, and task 2 at the end, where it was never better. */
static const double by_hand_table[5 * 4] = {
    0.25, 0.30, 0.20, 0.10, /* before */
    0.80, 0.90, 0.30, 0.10, /* after task 0 */
    0.90, 0.70, 0.10, 0.20, /* 1 */
    0.60, 0.50, 0.60, 0.40, /* 2 */
    0.50, 0.60, 0.70, 0.80, /* 3 */
};

START_TEST(by_hand)
{
    mot_continual_measure(4, 4, by_hand_table, figure);
    expect(MOT_CONTINUAL_ACC, 0.65);         /* (0.5 + 0.6 + 0.7 + 0.8) / 4 */
    expect(MOT_CONTINUAL_LEARNING, 0.725);   /* (0.8 + 0.7 + 0.6 + 0.8) / 4 */
    expect(MOT_CONTINUAL_INCREMENTAL, (0.8 + 0.8 + 1.7 / 3 + 0.65) / 4);
    expect(MOT_CONTINUAL_BWT, -0.1);         /* (-0.3 - 0.1 + 0.1) / 3 */
    expect(MOT_CONTINUAL_FWT, 0.8 / 3);      /* (0.9 - 0.3) + (0.1 - 0.2) + (0.4 - 0.1) */
    expect(MOT_CONTINUAL_FORGETTING, 0.2);   /* 0.9 - 0.5, 0.9 - 0.6, 0.6 - 0.7 */
    expect(MOT_CONTINUAL_FORGETTING_LEARNED, 0.4 / 3); /* 0.4 + 0.1 - 0.1 */
    expect(MOT_CONTINUAL_FORGETTING_PEAK, 0.5 / 3);    /* 0.4 + 0.1 + 0 */
    expect(MOT_CONTINUAL_FORGETTING_FIRST, 0.1);
}
END_TEST

/* The figures after two of four tasks are those of these two alone. */
START_TEST(on_the_way)
{
    mot_continual_measure(4, 2, by_hand_table, figure);
    expect(MOT_CONTINUAL_ACC, 0.8);
    expect(MOT_CONTINUAL_LEARNING, 0.75);
    expect(MOT_CONTINUAL_INCREMENTAL, 0.8);
    expect(MOT_CONTINUAL_BWT, 0.1);
    expect(MOT_CONTINUAL_FWT, 0.6);
    expect(MOT_CONTINUAL_FORGETTING, -0.1);
    expect(MOT_CONTINUAL_FORGETTING_LEARNED, -0.1);
    expect(MOT_CONTINUAL_FORGETTING_PEAK, 0);
    expect(MOT_CONTINUAL_FORGETTING_FIRST, -0.1);
}
END_TEST

/* ---- the formulas, one at a time ---- */

/* R_{row, task} of the papers, which count from 1; row 0 is b. */
static double R(int T, const double *table, int row, int task)
{
    return table[row * T + task - 1];
}

static double A(int T, const double *table, int k)
{
    double sum = 0;
    for (int j = 1; j <= k; ++j) sum += R(T, table, k, j);
    return sum / k;
}

/* The largest of R_{l, j} with first <= l <= last. */
static double peak(int T, const double *table, int first, int last, int j)
{
    double most = R(T, table, first, j);
    for (int l = first + 1; l <= last; ++l)
        if (R(T, table, l, j) > most) most = R(T, table, l, j);
    return most;
}

static void check_formulas(int T, int n, const double *table)
{
    double learning = 0, incremental = 0, bwt = 0, fwt = 0, all = 0, learned = 0, with_last = 0;
    for (int j = 1; j <= n; ++j) learning += R(T, table, j, j) / n;
    for (int i = 1; i <= n; ++i) incremental += A(T, table, i) / n;
    for (int i = 1; i <= n - 1; ++i) bwt += (R(T, table, n, i) - R(T, table, i, i)) / (n - 1);
    for (int i = 2; i <= n; ++i) fwt += (R(T, table, i - 1, i) - R(T, table, 0, i)) / (n - 1);
    for (int j = 1; j <= n - 1; ++j) {
        all += (peak(T, table, 1, n - 1, j) - R(T, table, n, j)) / (n - 1);
        learned += (peak(T, table, j, n - 1, j) - R(T, table, n, j)) / (n - 1);
        with_last += (peak(T, table, j, n, j) - R(T, table, n, j)) / (n - 1);
    }
    mot_continual_measure(T, n, table, figure);
    expect(MOT_CONTINUAL_ACC, A(T, table, n));
    expect(MOT_CONTINUAL_LEARNING, learning);
    expect(MOT_CONTINUAL_INCREMENTAL, incremental);
    if (n == 1) return;
    expect(MOT_CONTINUAL_BWT, bwt);
    expect(MOT_CONTINUAL_FWT, fwt);
    expect(MOT_CONTINUAL_FORGETTING, all);
    expect(MOT_CONTINUAL_FORGETTING_LEARNED, learned);
    expect(MOT_CONTINUAL_FORGETTING_PEAK, with_last);
    expect(MOT_CONTINUAL_FORGETTING_FIRST, -bwt);
}

static void draw(int T, uint32_t number, double *table)
{
    for (int i = 0; i < (T + 1) * T; ++i)
        table[i] = mot_uniform(mot_random(7, MOT_STREAM_TEST, number, (uint32_t)i, (uint32_t)T, 0).word[0]);
}

START_TEST(as_their_formulas)
{
    double table[(MOST + 1) * MOST];
    for (uint32_t number = 0; number < 50; ++number)
        for (int T = 1; T <= MOST; ++T) {
            draw(T, number, table);
            for (int n = 1; n <= T; ++n) check_formulas(T, n, table);
        }
}
END_TEST

/* ---- where there is none ---- */

START_TEST(of_one_task)
{
    const double table[2] = {0.5, 0.75};
    mot_continual_measure(1, 1, table, figure);
    expect(MOT_CONTINUAL_ACC, 0.75);
    expect(MOT_CONTINUAL_LEARNING, 0.75);
    expect(MOT_CONTINUAL_INCREMENTAL, 0.75);
    expect_none(MOT_CONTINUAL_FWT, "no task was learned after another");
    const char *const before = "no task was learned before another";
    expect_none(MOT_CONTINUAL_BWT, before);
    for (int f = MOT_CONTINUAL_FORGETTING; f < MOT_CONTINUAL_FIGURES; ++f) expect_none((mot_continual_name)f, before);
}
END_TEST

START_TEST(of_none)
{
    mot_continual_measure(4, 0, by_hand_table, figure);
    for (int f = 0; f < MOT_CONTINUAL_FIGURES; ++f) ck_assert(isnan(figure[f].value) && figure[f].why[0] != '\0');
    expect_none(MOT_CONTINUAL_ACC, "no task has been learned");
}
END_TEST

/* What was not measured is missing where it is needed, and nowhere else. */
START_TEST(not_measured)
{
    double table[5 * 4];
    memcpy(table, by_hand_table, sizeof table);
    for (int j = 0; j < 4; ++j) table[j] = NAN;
    mot_continual_measure(4, 4, table, figure);
    expect_none(MOT_CONTINUAL_FWT, "the accuracy of task 1 before the first step was not measured");
    expect(MOT_CONTINUAL_BWT, -0.1);
    expect(MOT_CONTINUAL_FORGETTING, 0.2);

    memcpy(table, by_hand_table, sizeof table);
    table[1 * 4 + 1] = NAN; /* R(0, 1): before task 1 was learned */
    mot_continual_measure(4, 4, table, figure);
    const char *const early = "the accuracy of task 1 after task 0 was not measured";
    expect_none(MOT_CONTINUAL_FWT, early);
    expect_none(MOT_CONTINUAL_FORGETTING, early);
    expect(MOT_CONTINUAL_FORGETTING_LEARNED, 0.4 / 3);
    expect(MOT_CONTINUAL_ACC, 0.65);

    memcpy(table, by_hand_table, sizeof table);
    table[4 * 4 + 2] = NAN; /* R(3, 2) */
    mot_continual_measure(4, 4, table, figure);
    const char *const last = "the accuracy of task 2 after task 3 was not measured";
    expect_none(MOT_CONTINUAL_ACC, last);
    expect_none(MOT_CONTINUAL_INCREMENTAL, last);
    expect_none(MOT_CONTINUAL_BWT, last);
    expect_none(MOT_CONTINUAL_FORGETTING_PEAK, last);
    expect(MOT_CONTINUAL_LEARNING, 0.725);
    expect(MOT_CONTINUAL_FWT, 0.8 / 3);
}
END_TEST

/* ---- the table of a run ---- */

static char *task_names[] = {"0: cats", "1: dogs", "2: caf\xc3\xa9s", "3: a name that is longer than its column"};

/* That by hand, as a run comes to it, up to `learned` tasks; task not known: half as often right. */
static mot_task_matrix by_hand_matrix(bool unaided, int learned)
{
    mot_task_matrix matrix;
    mot_ck_ok(mot_task_matrix_create(&matrix, 4, unaided, task_names));
    ck_assert_int_eq(mot_task_matrix_learned(&matrix), 0);
    for (int task = -1; task < learned; ++task) {
        double half[4];
        const double *row = by_hand_table + (task + 1) * 4;
        for (int j = 0; j < 4; ++j) half[j] = row[j] / 2;
        mot_task_matrix_set(&matrix, task, 10 * (task + 1), row, half);
        ck_assert_int_eq(mot_task_matrix_learned(&matrix), task + 1);
    }
    return matrix;
}

static bool same(const double *a, const double *b, size_t count)
{
    for (size_t i = 0; i < count; ++i)
        if (!(a[i] == b[i] || (isnan(a[i]) && isnan(b[i])))) return false;
    return true;
}

static void expect_same(const mot_task_matrix *a, const mot_task_matrix *b)
{
    ck_assert_int_eq(a->tasks, b->tasks);
    for (int j = 0; j < a->tasks; ++j) ck_assert_str_eq(a->names[j], b->names[j]);
    for (int r = 0; r <= a->tasks; ++r) ck_assert_int_eq(a->step[r], b->step[r]);
    ck_assert(same(a->accuracy, b->accuracy, 20));
    ck_assert((a->unaided == NULL) == (b->unaided == NULL));
    ck_assert(a->unaided == NULL || same(a->unaided, b->unaided, 20));
}

static void round_trip(bool unaided, int learned)
{
    mot_task_matrix matrix = by_hand_matrix(unaided, learned), read, copy;
    hid_t file = H5I_INVALID_HID;
    double acc;
    const char *const path = in("matrix.h5");
    mot_ck_ok(mot_h5_create_file(&file, path, MOT_H5_HEAD));
    mot_ck_ok(mot_task_matrix_write(&matrix, file));
    mot_ck_ok(mot_h5_close_file(&file, path, true));
    mot_ck_ok(mot_h5_open_sealed(&file, path, "file"));
    mot_ck_ok(mot_task_matrix_read(&read, file, path));
    expect_same(&matrix, &read);
    mot_ck_ok(mot_h5_get_real(file, "stream/accuracy", "acc", &acc));
    ck_assert(learned > 0 ? acc > 0 : isnan(acc));
    ck_assert(mot_h5_has_attribute(file, "stream/accuracy", "acc_why") == (learned <= 0));
    mot_h5_close(&file);
    mot_ck_ok(mot_task_matrix_create(&copy, 4, unaided, task_names));
    mot_ck_ok(mot_task_matrix_copy(&copy, &read));
    expect_same(&matrix, &copy);
    mot_task_matrix_clear(&copy);
    ck_assert(mot_task_matrix_learned(&copy) == 0 && copy.step[0] == -1 && isnan(copy.accuracy[0]));
    mot_task_matrix_free(&matrix);
    mot_task_matrix_free(&read);
    mot_task_matrix_free(&copy);
}

START_TEST(in_a_file)
{
    round_trip(true, 4);
    round_trip(true, 2);
    round_trip(false, 3);
    round_trip(false, -1);
}
END_TEST

/* run.h5 has it, from the next time that it is made. */
START_TEST(in_run_h5)
{
    mot_record *record = open_record(-1);
    mot_task_matrix matrix = by_hand_matrix(true, 3), read;
    hid_t file = H5I_INVALID_HID;
    mot_ck_ok(mot_h5_open_sealed(&file, in("run.h5"), "file"));
    mot_ck_ok(mot_task_matrix_read(&read, file, "run.h5"));
    ck_assert_int_eq(read.tasks, 0);
    mot_h5_close(&file);
    mot_ck_ok(mot_record_by_task(record, &matrix));
    mot_task_matrix_set(&matrix, 3, 40, by_hand_table + 16, by_hand_table + 16);
    mot_ck_ok(mot_record_by_task(record, &matrix));
    segment(record, 1, 2);
    mot_ck_ok(mot_h5_open_sealed(&file, in("run.h5"), "file"));
    mot_ck_ok(mot_task_matrix_read(&read, file, "run.h5"));
    expect_same(&matrix, &read);
    mot_h5_close(&file);
    mot_record_close(&record);
    mot_task_matrix_free(&matrix);
    mot_task_matrix_free(&read);
}
END_TEST

static char said[8192];

static void say(const char *line)
{
    const size_t used = strlen(said);
    snprintf(said + used, sizeof said - used, "%s\n", line);
}

static void expect_said(const mot_task_matrix *matrix, int width, const char *text)
{
    said[0] = '\0';
    mot_task_matrix_say(matrix, width, say);
    ck_assert_str_eq(said, text);
}

static const char figures_after_three[] =
    "\n"
    "after 3 of 4 tasks\n"
    "  accuracy                               0.5667\n"
    "  learning accuracy                      0.7000\n"
    "  average incremental accuracy           0.7222\n"
    "  backward transfer                     -0.2000\n"
    "  forward transfer                         none\n"
    "  forgetting                             0.3500\n"
    "  forgetting since it was learned        0.2500\n"
    "  forgetting from the peak               0.2500\n"
    "  forgetting from right after it         0.2000\n"
    "  no forward transfer: the accuracy of task 1 before the first step was not measured\n";

START_TEST(on_a_terminal)
{
    mot_task_matrix matrix = by_hand_matrix(false, 3);
    char text[4096];
    matrix.accuracy[1] = NAN;
    snprintf(text, sizeof text, "%s%s",
             "\n"
             "accuracy, %            0     1     2\n"
             "before              25.0     .  20.0\n"
             "0: cats             80.0\n"
             "1: dogs             90.0  70.0\n"
             "2: caf\xc3\xa9s            60.0  50.0  60.0\n"
             "forgotten           30.0  40.0\n",
             figures_after_three);
    expect_said(&matrix, 80, text);
    /* On a narrow one two columns at a time, and no row that would be empty. */
    snprintf(text, sizeof text, "%s%s",
             "\n"
             "accu~     0     1\n"
             "befo~  25.0     .\n"
             "0: c~  80.0\n"
             "1: d~  90.0  70.0\n"
             "2: c~  60.0  50.0\n"
             "forg~  30.0  40.0\n"
             "\n"
             "accu~     2\n"
             "2: c~  60.0\n",
             figures_after_three);
    expect_said(&matrix, 20, text);
    mot_task_matrix_clear(&matrix);
    expect_said(&matrix, 80, "");
    mot_task_matrix_free(&matrix);
}
END_TEST

/* Of many tasks a row each, of very many the first of them; and no line is longer than the terminal. */
START_TEST(of_many_tasks)
{
    static const int counts[] = {2, 20, 24, 25, 60};
    for (size_t c = 0; c < MOT_COUNT(counts); ++c) {
        const int T = counts[c];
        mot_task_matrix matrix;
        double row[60];
        mot_ck_ok(mot_task_matrix_create(&matrix, T, true, NULL));
        for (int task = -1; task < T; ++task) {
            for (int j = 0; j < T; ++j) row[j] = j <= task ? 1 - 0.01 * (task - j) : 0;
            mot_task_matrix_set(&matrix, task, task + 1, row, row);
        }
        said[0] = '\0';
        mot_task_matrix_say(&matrix, 79, say);
        size_t longest = 0, lines = 0;
        for (const char *at = said; *at != '\0'; at += strcspn(at, "\n") + 1, ++lines)
            longest = MOT_MAX(longest, strcspn(at, "\n"));
        ck_assert_uint_le(longest, 79);
        ck_assert_uint_le(lines, 132); /* 2 x (a blank, names, 50 tasks, what is not shown), and figures */
        ck_assert((strstr(said, "shown: 50 of 60 tasks") != NULL) == (T == 60));
        ck_assert((strstr(said, "learned      best       now forgotten") != NULL) == (T > 24));
        mot_task_matrix_free(&matrix);
    }
}
END_TEST

static void continual_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, by_hand);
    tcase_add_test(tcase, on_the_way);
    tcase_add_test(tcase, as_their_formulas);
    tcase_add_test(tcase, of_one_task);
    tcase_add_test(tcase, of_none);
    tcase_add_test(tcase, not_measured);
    tcase_add_test(tcase, in_a_file);
    tcase_add_test(tcase, in_run_h5);
    tcase_add_test(tcase, on_a_terminal);
    tcase_add_test(tcase, of_many_tasks);
}

MOT_CK_MAIN("continual", continual_tests)
