/* A study from its trials to its page, on any number of ranks: small trials, real runs. */
#include <fcntl.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mot/atomic_file.h"
#include "scratch.h"

static const char *const base =
    "data: {source: mixture, mixture: {classes: 2, tokens: 4, width: 8, eval: 64}}\n"
    "model: {kind: merged, experts: 4}\n"
    "gate: {input: sum}\n"
    "train: {batch: 16, loss: logistic, optimizer: sgd, rate: 0.1}\n"
    "stages:\n"
    "  - {name: a, train: [gate, ffn], until: 6 steps}\n"
    "  - {name: b, train: [gate, attention], until: 4 steps}\n"
    "eval: {every: 4, start: true}\n"
    "record: {every: 0, eval: false}\n";

static void plan(mot_study *study)
{
    ck_assert_ptr_eq(mot_study_add(study, "four", "four experts", base, 3, 1, "%s", ""), &study->variant[0]);
    (void)mot_study_add(study, "two", "two experts", base, 2, 5, "model.experts=%d; eval.every=5", 2);
    ck_assert_ptr_eq(mot_study_add(study, "broken", "a rate without reason", base, 1, 1,
                                   "stages.0.rate=1e6; model.merged.init=100; route.scale=none"),
                     &study->variant[2]);
    ck_assert_ptr_eq(mot_study_add(study, "four", "again", base, 3, 1, "%s", ""), &study->variant[0]);
    ck_assert_uint_eq(study->variants, 3);
}

static long modified(const char *name)
{
    char path[160];
    struct stat info;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return stat(path, &info) == 0 ? (long)info.st_mtim.tv_nsec + 1 : 0;
}

START_TEST(trials_are_done_once)
{
    mot_study study;
    mot_comm comm;
    begin(&study, &comm, "small", 8);
    plan(&study);
    study.options.draw_only = true; /* nothing is there yet */
    mot_ck_all(mot_study_train(&study) == MOT_ERR_INPUT &&
               strstr(mot_error_message(), "is not done yet") != NULL);
    study.options.draw_only = false;
    mot_status status = mot_study_train(&study);
    mot_ck_all(status == MOT_OK);
    const long before = modified("trials/two-2/summary.json");
    ck_assert_int_ne(before, 0);
    study.options.draw_only = true;
    status = mot_study_train(&study);
    mot_ck_all(status == MOT_OK);
    ck_assert_int_eq(modified("trials/two-2/summary.json"), before);
    ck_assert_int_ne(modified("trials/broken-1/failed.txt"), 0);
    finish(&study, &comm);

    begin(&study, &comm, "small", 8); /* the same name with another configuration */
    (void)mot_study_add(&study, "four", "four experts", base, 3, 1, "train.batch=8");
    status = mot_study_train(&study);
    mot_ck_all(status == MOT_ERR_INPUT && strstr(mot_error_message(), "another configuration") != NULL);
    finish(&study, &comm);
}
END_TEST

START_TEST(records_are_read)
{
    mot_study study;
    mot_comm comm;
    begin(&study, &comm, "small", 8);
    plan(&study);
    if (comm.rank == MOT_ROOT) {
        mot_ck_ok(mot_study_read(&study));
        const study_result *r = &study.variant[0].result[1];
        static const double steps[] = {0, 4, 8, 10};
        ck_assert_uint_eq(r->rows, 4);
        for (size_t i = 0; i < 4; ++i) {
            double load = 0;
            ck_assert_double_eq(r->column[STUDY_STEP][i], steps[i]);
            ck_assert(r->column[STUDY_LOSS][i] > 0 && r->column[STUDY_PURITY][i] >= 0.5 &&
                      r->column[STUDY_PURITY][i] <= 1);
            for (size_t k = 0; k < 8; ++k) load += r->column[STUDY_LOAD][i * 8 + k];
            ck_assert_double_eq(load, 64);
            ck_assert_double_eq_tol(
                r->column[STUDY_ATTENTION][i * 16 + 5] + r->column[STUDY_ATTENTION][i * 16 + 4] +
                    r->column[STUDY_ATTENTION][i * 16 + 6] + r->column[STUDY_ATTENTION][i * 16 + 7],
                1, 1e-6); /* a row of attention */
        }
        ck_assert_uint_eq(r->E, 4);
        ck_assert_uint_eq(r->N, 2);
        ck_assert_uint_eq(r->stages, 2);
        ck_assert_double_eq(r->stage_begin[1], 6);
        ck_assert_double_eq(r->column[STUDY_TIME][0], 0);
        ck_assert(r->column[STUDY_TIME][3] > r->column[STUDY_TIME][1]);
        ck_assert(study.variant[2].result[0].failed && study.variant[2].result[0].rows == 0);
        ck_assert_uint_eq(study.variant[1].result[0].rows, 3);
        ck_assert(r->column[STUDY_LOSS][3] !=
                  study.variant[0].result[0].column[STUDY_LOSS][3]); /* another seed */
    }
    finish(&study, &comm);
}
END_TEST

/* One bit of one segment: no figure is drawn of it. */
START_TEST(a_damaged_record_is_refused)
{
    mot_study study;
    mot_comm comm;
    begin(&study, &comm, "small", 8);
    plan(&study);
    if (comm.rank == MOT_ROOT) {
        char trial[900], pattern[1024], byte;
        glob_t segments;
        mot_study_path(&study, &study.variant[0], 1, trial, sizeof trial);
        snprintf(pattern, sizeof pattern, "%s/record/*.h5", trial);
        ck_assert_int_eq(glob(pattern, 0, NULL, &segments), 0);
        const char *const path = segments.gl_pathv[segments.gl_pathc - 1];
        const int file = open(path, O_RDWR);
        ck_assert_uint_eq(mot_read_at(file, &byte, 1, 5000), 1);
        byte ^= 4;
        ck_assert_uint_eq(mot_write_at(file, &byte, 1, 5000), 1);
        ck_assert_int_eq(mot_study_read(&study), MOT_ERR_INPUT);
        ck_assert_msg(strstr(mot_error_message(), path) != NULL, "said: %s", mot_error_message());
        byte ^= 4;
        ck_assert_uint_eq(mot_write_at(file, &byte, 1, 5000), 1);
        close(file);
        globfree(&segments);
    }
    finish(&study, &comm);
}
END_TEST

START_TEST(the_page_is_written)
{
    mot_study study;
    mot_comm comm;
    begin(&study, &comm, "small", 8);
    plan(&study);
    if (comm.rank == MOT_ROOT) {
        const hsize_t shape[] = {2};
        char path[160], *text = NULL;
        size_t size;
        hid_t file = H5I_INVALID_HID;
        double loss[6];
        mot_ck_ok(mot_study_read(&study));
        mot_ck_ok(mot_study_page_open(&study, "A small study"));
        mot_study_section(&study, "First");
        mot_study_say(&study, "%d words\n\n", 2);
        mot_ck_ok(mot_study_keep(&study, "claim", "numbers", 1, shape, (const double[]){1, NAN}));
        const double x[] = {1, 2}, y[] = {3, 4};
        const mot_series series = {.label = "a", .count = 2, .x = x, .y = y};
        const mot_panel panel = {.kind = MOT_PANEL_LINES, .series = &series, .series_count = 1};
        mot_ck_ok(
            mot_study_draw(&study, "picture", "Two points.", &(mot_figure){.panels = &panel, .panel_count = 1}));
        mot_ck_ok(mot_study_page_close(&study));

        snprintf(path, sizeof path, "%s/small.md", folder);
        mot_ck_ok(mot_file_read(path, 1 << 20, &text, &size));
        ck_assert(strstr(text, "# A small study") != NULL && strstr(text, "## 1. First\n\n2 words") != NULL);
        ck_assert(strstr(text, mot_figure_available() ? "(small/picture.svg)" : "No picture") != NULL);
        mot_free(text);
        snprintf(path, sizeof path, "%s/small.h5", folder);
        mot_ck_ok(mot_h5_open(&file, path, false));
        const hsize_t table[] = {2, 3};
        mot_ck_ok(mot_h5_read(file, "variants/two/loss", H5T_NATIVE_DOUBLE, 2, table, loss));
        ck_assert_double_eq(loss[5], study.variant[1].result[1].column[STUDY_LOSS][2]);
        ck_assert(mot_h5_exists(file, "claims/claim/numbers") &&
                  !mot_h5_exists(file, "variants/broken/loss"));
        mot_h5_close(&file);
    }
    finish(&study, &comm);
}
END_TEST

START_TEST(curves_and_crossings)
{
    double step[] = {0, 10, 20, 30}, fast[] = {1, 1e-2, 1e-4, 0}, slow[] = {1, 0.5, 0.25, 0.125};
    study_result results[] = {{.rows = 4, .column = {[STUDY_STEP] = step, [STUDY_LOSS] = fast}},
                              {.rows = 4, .column = {[STUDY_STEP] = step, [STUDY_LOSS] = slow}},
                              {.failed = true}};
    const study_variant variant = {.seeds = 3, .result = results};
    ck_assert_double_eq_tol(mot_study_reach(&results[0], 1e-1, STUDY_STEP), 5, 1e-9);
    ck_assert_double_eq_tol(mot_study_reach(&results[0], 1e-3, STUDY_STEP), 15, 1e-9);
    ck_assert(mot_study_reach(&results[0], 1e-12, STUDY_STEP) <= 30);
    ck_assert(isnan(mot_study_reach(&results[1], 1e-3, STUDY_STEP)) &&
              isnan(mot_study_reach(&results[2], 1, STUDY_STEP)));
    study_curve curve;
    mot_ck_ok(mot_study_curve_make(&variant, mot_study_number, STUDY_LOSS, STUDY_STEP, &curve));
    ck_assert_uint_eq(curve.count, 4);
    ck_assert_double_eq_tol(curve.median[1], 0.255, 1e-12);
    mot_study_curve_free(&curve);
    double last[3];
    char text[96];
    mot_study_last(&variant, mot_study_number, STUDY_LOSS, last);
    ck_assert(last[1] == 0.125 && isnan(last[2]));
    ck_assert_double_eq(mot_study_median(last, 3), 0.0625); /* of the two that are there */
    ck_assert(mot_study_lowest_loss(&results[1]) == 0.125 && isnan(mot_study_lowest_loss(&results[2])));
    ck_assert_ptr_eq(mot_study_longest(&variant), &results[0]);
    ck_assert_str_eq(mot_study_spread(last + 1, 2, text), "0.125, 1 of 2");
    ck_assert_str_eq(mot_study_spread(last + 2, 1, text), "never");
}
END_TEST

/* Two evaluations of three experts, of which the last gets nothing. */
START_TEST(experts_have_kinds)
{
    double load[] = {3, 1, 0, 2, 4, 0, /* second */ 0, 5, 0, 1, 4, 0};
    const study_result result = {.rows = 2, .N = 2, .E = 3, .column = {[STUDY_LOAD] = load}};
    double samples;
    ck_assert_uint_eq(mot_study_expert_kind(&result, 0, 0, &samples), 0);
    ck_assert_double_eq(samples, 5);
    ck_assert_uint_eq(mot_study_expert_kind(&result, 0, 1, NULL), 1);
    ck_assert_uint_eq(mot_study_expert_kind(&result, 1, 0, NULL), 1);
    ck_assert_uint_eq(mot_study_expert_kind(&result, 1, 1, &samples), 0);
    ck_assert_double_eq(samples, 9);
    (void)mot_study_expert_kind(&result, 1, 2, &samples);
    ck_assert_double_eq(samples, 0);
}
END_TEST

START_TEST(a_variant_of_failures_is_empty)
{
    study_result results[] = {{.failed = true}, {.failed = true}};
    const study_variant variant = {.seeds = 2, .result = results};
    study_curve curve;
    double last[2];
    mot_ck_ok(mot_study_curve_make(&variant, mot_study_error, 0, STUDY_TIME, &curve));
    ck_assert_uint_eq(curve.count, 0);
    mot_study_curve_free(&curve);
    ck_assert_ptr_eq(mot_study_longest(&variant), &results[0]);
    mot_study_last(&variant, mot_study_attention, 0, last);
    ck_assert(isnan(last[0]) && isnan(last[1]) && isnan(mot_study_median(last, 2)));
}
END_TEST

static void trials_tests(TCase *tcase)
{
    tcase_add_test(tcase, trials_are_done_once);
    tcase_add_test(tcase, records_are_read);
    tcase_add_test(tcase, a_damaged_record_is_refused);
    tcase_add_test(tcase, the_page_is_written);
    tcase_add_test(tcase, curves_and_crossings);
    tcase_add_test(tcase, experts_have_kinds);
    tcase_add_test(tcase, a_variant_of_failures_is_empty);
}

MOT_CK_MAIN("trials", trials_tests)
