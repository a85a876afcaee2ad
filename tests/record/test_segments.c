/* Segments: which files a record has, how much it holds in memory, and that a run which goes on finds no step twice. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ck.h"
#include "mot/atomic_file.h"
#include "mot/h5.h"
#include "mot/memory.h"
#include "mot/record_read.h"
#include "recorded.h"

START_TEST(resuming_removes_what_will_be_redone)
{
    mot_record *record = open_record(0);
    segment(record, 1, 10);
    segment(record, 11, 20);
    segment(record, 21, 30);
    mot_record_close(&record);
    mot_ck_ok(mot_file_replace(in("record/00000031-00000040.h5.tmp.123"), "half", 4));
    mot_ck_ok(mot_file_replace(in("run.h5.tmp.123"), "half", 4));
    mot_ck_ok(mot_file_replace(in("record/mine.h5"), "x", 1));
    mot_ck_ok(mot_file_replace(in("notes.tmp.txt"), "x", 1));

    record = open_record(20);
    ck_assert(exists("record/00000001-00000010.h5") && exists("record/00000011-00000020.h5"));
    ck_assert(!exists("record/00000021-00000030.h5"));
    ck_assert(!exists("record/00000031-00000040.h5.tmp.123") && !exists("run.h5.tmp.123"));
    ck_assert(exists("record/mine.h5") && exists("notes.tmp.txt")); /* not ours */
    hid_t file;
    mot_ck_ok(mot_h5_open(&file, in("run.h5"), true));
    ck_assert(mot_h5_exists(file, "segments/00000011-00000020"));
    ck_assert(!mot_h5_exists(file, "segments/00000021-00000030"));
    mot_h5_close(&file);
    mot_record_close(&record);

    /* Steps on both sides, of another run: nothing is removed. */
    mot_record_about about = plain_about();
    about.run_id = "another";
    ck_assert_int_eq(mot_record_open(&record, &about, 5), MOT_ERR_INPUT);
    ck_assert_ptr_null(record);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "00000001-00000010.h5"));
    ck_assert(exists("record/00000001-00000010.h5") && exists("record/00000011-00000020.h5"));

    record = open_record(0); /* from the beginning: nothing of the old run stays */
    ck_assert(!exists("record/00000001-00000010.h5") && !exists("record/00000011-00000020.h5"));
    mot_record_close(&record);
}
END_TEST

/* The steps that a reader finds in all segments, in their order. */
static void check_steps(mot_gidx last)
{
    const mot_record_item item[] = {{MOT_RECORD_STEPS, "step", 0}, {MOT_RECORD_LOAD, NULL, 0}};
    mot_record_values values[MOT_COUNT(item)] = {0};
    mot_ck_ok(mot_record_read(folder, MOT_COUNT(item), item, values));
    ck_assert_uint_eq(values[0].rows, (size_t)last);
    ck_assert_uint_eq(values[1].rows, (size_t)last);
    for (size_t i = 0; i < values[0].rows; ++i) {
        ck_assert(values[0].value[i] == (double)(i + 1));
        ck_assert(values[1].value[i * values[1].width] == (double)(i + 1));
    }
    for (size_t i = 0; i < MOT_COUNT(item); ++i) mot_record_values_free(&values[i]);
}

/* An evaluation after the flush of its step is kept by a run that goes on from that step. */
START_TEST(late_evaluation_stays)
{
    const mot_record_item item = {MOT_RECORD_CLASS_LOAD, NULL, 0};
    mot_record_values values = {0};
    mot_record *record = open_record(0);
    segment(record, 1, 10);
    snapshot(record, 10);
    segment(record, 11, 20);
    mot_record_close(&record);
    ck_assert(exists("record/00000010-00000020.h5"));
    record = open_record(10);
    ck_assert(exists("record/00000001-00000010.h5") && exists("record/00000010-00000010.h5"));
    ck_assert(!exists("record/00000010-00000020.h5"));
    check_steps(10);
    mot_ck_ok(mot_record_read(folder, 1, &item, &values));
    ck_assert(values.rows == 1 && values.value[1] == 11);
    mot_record_values_free(&values);
    snapshot(record, 10);
    mot_ck_ok(mot_record_flush(record, true));
    ck_assert(exists("record/00000010-00000010_1.h5"));
    mot_record_close(&record);
}
END_TEST

static size_t count_segments(void)
{
    DIR *const files = opendir(in("record"));
    size_t count = 0;
    for (struct dirent *file; (file = readdir(files)) != NULL;) count += strstr(file->d_name, ".h5") != NULL;
    closedir(files);
    return count;
}

/* A checkpoint a step: few files, the rows of all flushes in them, and of a run that was killed too. */
START_TEST(small_segments_are_joined)
{
    mot_record *record = open_record(0);
    for (mot_gidx step = 1; step <= 40; ++step) {
        one_step(record, step);
        if (step % 10 == 0) snapshot(record, step);
        assignments(record, step, step % 10 == 0);
        mot_ck_ok(mot_record_flush(record, false));
        ck_assert_uint_eq(count_segments(), 1);
    }
    check_steps(40); /* while it goes on, and when it is killed now */
    mot_record_close(&record);
    ck_assert(exists("record/00000001-open.h5"));
    record = open_record(33);
    ck_assert(exists("record/00000001-00000033.h5") && count_segments() == 1);
    check_steps(33);
    for (mot_gidx step = 34; step <= 50; ++step) {
        one_step(record, step);
        mot_ck_ok(mot_record_flush(record, step == 50));
    }
    ck_assert(exists("record/00000034-00000050.h5") && count_segments() == 2);
    check_steps(50);
    mot_record_close(&record);
    hid_t file;
    mot_ck_ok(mot_h5_open(&file, in("run.h5"), true));
    ck_assert(mot_h5_exists(file, "segments/00000001-00000033/assign/loss"));
    ck_assert(mot_h5_exists(file, "segments/00000034-00000050/steps"));
    mot_h5_close(&file);
}
END_TEST

/* Of a version that knew fewer columns: what there is stays, and is cut. */
START_TEST(an_older_segment_is_cut)
{
    static const char *const since[] = {"layer0/confidence", "layer0/margin", "layer0/gate_entropy"};
    mot_record *record = open_record(0);
    segment(record, 1, 10);
    mot_record_close(&record);
    hid_t file;
    mot_ck_ok(mot_h5_edit(&file, in("record/00000001-00000010.h5"), "segment"));
    for (size_t i = 0; i < MOT_COUNT(since); ++i) ck_assert_int_ge(H5Ldelete(file, since[i], H5P_DEFAULT), 0);
    mot_ck_ok(mot_h5_seal(&file, in("record/00000001-00000010.h5"), "segment"));
    record = open_record(6);
    for (mot_gidx step = 7; step <= 9; ++step) one_step(record, step);
    mot_ck_ok(mot_record_flush(record, true));
    mot_record_close(&record);
    check_steps(9);
    mot_ck_ok(mot_h5_open_sealed(&file, in("record/00000001-00000006.h5"), "segment"));
    for (size_t i = 0; i < MOT_COUNT(since); ++i) ck_assert(!mot_h5_exists(file, since[i]));
    mot_h5_close(&file);
    double entropy[3];
    mot_ck_ok(mot_h5_open_sealed(&file, in("record/00000007-00000009.h5"), "segment"));
    mot_ck_ok(mot_h5_read(file, "layer0/gate_entropy", H5T_NATIVE_DOUBLE, 1, (const hsize_t[]){3}, entropy));
    ck_assert(entropy[0] == 7 && entropy[2] == 9);
    mot_h5_close(&file);
}
END_TEST

/* What a segment has but rows is the same after it was cut. */
START_TEST(a_cut_segment_is_whole)
{
    static const double number = 0.5, table[E * 2] = {1, 2, 3, 4, 5, 6};
    const mot_eval_figure figures[] = {
        {.name = "loss", .units = "s", .long_name = "mean loss", .value = &number},
        {.name = "glance", .units = "1", .long_name = "of an expert", .rank = 2, .shape = {E, 2},
         .axis = {"expert", "eye"}, .value = table}};
    mot_record *record = open_record(0);
    for (mot_gidx step = 1; step <= 20; ++step) {
        one_step(record, step);
        if (step % 5 == 0) mot_ck_ok(mot_record_eval(record, step, MOT_COUNT(figures), figures));
    }
    assignments(record, 20, true);
    mot_ck_ok(mot_record_flush(record, true));
    mot_record_close(&record);
    char *bytes, *text;
    size_t count;
    mot_ck_ok(mot_file_read(in("record/00000001-00000020.h5"), 1 << 24, &bytes, &count));
    record = open_record(12);
    mot_record_close(&record);
    mot_ck_ok(mot_file_replace(in("record/00000001-00000020.h5"), bytes, count)); /* killed while it cut */
    mot_free(bytes);
    record = open_record(12);
    mot_record_close(&record);
    ck_assert(exists("record/00000001-00000012.h5") && count_segments() == 1);
    check_steps(12);

    hid_t file;
    int64_t step[2];
    double value[2 * E * 2];
    char label[16];
    mot_ck_ok(mot_h5_open_sealed(&file, in("record/00000001-00000012.h5"), "segment"));
    mot_ck_ok(mot_h5_read(file, "eval/step", H5T_NATIVE_INT64, 1, (const hsize_t[]){2}, step));
    ck_assert(step[0] == 5 && step[1] == 10);
    mot_ck_ok(mot_h5_read(file, "eval/glance", H5T_NATIVE_DOUBLE, 3, (const hsize_t[]){2, E, 2}, value));
    ck_assert(value[0] == 1 && value[2 * E * 2 - 1] == 6);
    mot_ck_ok(mot_h5_axis(file, "eval/glance", 0, label, sizeof label));
    ck_assert_str_eq(label, "step");
    mot_ck_ok(mot_h5_axis(file, "eval/glance", 2, label, sizeof label));
    ck_assert_str_eq(label, "eye");
    mot_ck_ok(mot_h5_get_text(file, "eval/loss", "units", &text));
    ck_assert_str_eq(text, "s");
    mot_free(text);
    ck_assert(mot_h5_exists(file, "class_names") && !mot_h5_exists(file, "assign"));
    mot_h5_close(&file);
}
END_TEST

/* Memory that rows take is bounded, whatever there is of them; a row above that is written from where it is. */
START_TEST(memory_is_bounded)
{
    enum { EXPERTS = 1024, KINDS = 4200, STEPS = 2100 };
    static int64_t load[EXPERTS], class_load[KINDS * EXPERTS];
    static double importance[EXPERTS];
    mot_record *record;
    mot_record_about about = plain_about();
    about.experts = EXPERTS;
    about.choices = 1;
    about.classes = KINDS;
    mot_ck_ok(mot_record_open(&record, &about, 0));
    class_load[KINDS * EXPERTS - 1] = 17;
    const size_t before = mot_memory_held();
    for (mot_gidx step = 1; step <= STEPS; ++step) {
        const mot_step_figures figures = {.step = step};
        load[0] = step;
        mot_ck_ok(mot_record_step(record, &figures));
        mot_ck_ok(mot_record_loads(record, step, 0, load, importance, &(mot_record_gate){0.5, 0.25, 1}));
        ck_assert_uint_le(mot_memory_held() - before, (size_t)64 << 20);
    }
    ck_assert_uint_eq(count_segments(), 2); /* what there was no room for any more */
    mot_ck_ok(mot_record_snapshot(record, STEPS, 0, class_load, NULL));
    mot_ck_ok(mot_record_snapshot(record, STEPS, 0, class_load, NULL));
    ck_assert_uint_le(mot_memory_held() - before, (size_t)64 << 20);
    mot_ck_ok(mot_record_flush(record, true));
    mot_record_close(&record);
    ck_assert(exists("record/00002100-00002100.h5") && exists("record/00002100-00002100_1.h5"));
    check_steps(STEPS);
    hid_t file;
    mot_ck_ok(mot_h5_open_sealed(&file, in("record/00002100-00002100_1.h5"), "segment"));
    const mot_record_item item = {MOT_RECORD_CLASS_LOAD, NULL, 0};
    mot_record_values values = {0};
    mot_ck_ok(mot_record_take(file, &item, true, &values));
    ck_assert(values.rows == 1 && values.width == (size_t)KINDS * EXPERTS && values.value[values.width - 1] == 17);
    mot_record_values_free(&values);
    mot_h5_close(&file);

    const mot_record_amount much = {.experts = EXPERTS, .layers = 1, .steps = (mot_gidx)1 << 32};
    ck_assert_uint_eq(mot_record_bytes(&much), (size_t)16 << 20);
}
END_TEST

/* A row of every table after `step` steps, of `experts`. */
static void row_of(mot_record *record, mot_gidx step, int experts)
{
    static const double importance[E] = {0}, of_expert[E] = {1, 2, 3};
    static const int64_t load[E] = {4, 5, 6}, class_load[CLASSES * E] = {7, 8, 9};
    const mot_step_figures figures = {.step = step};
    const mot_eval_figure figure = {.name = "of", .units = "1", .long_name = "of an expert", .rank = 1,
                                    .shape = {(size_t)experts}, .axis = {"expert"}, .value = of_expert};
    const mot_gidx sample = 1;
    const int32_t label = 0, expert = experts - 1;
    const float prob = 1;
    mot_ck_ok(mot_record_step(record, &figures));
    mot_ck_ok(mot_record_loads(record, step, 0, load, importance, &(mot_record_gate){0.5, 0.25, 1}));
    mot_ck_ok(mot_record_snapshot(record, step, 0, class_load, NULL));
    mot_ck_ok(mot_record_eval(record, step, 1, &figure));
    mot_ck_ok(mot_record_assign(record, step, 0, false, 1, &sample, &label, NULL, &expert, &prob, NULL, NULL));
}

/* Row r of what all segments say of an item is `wanted` [width]. */
static void check_row(const mot_record_item *item, size_t r, size_t width, const double *wanted)
{
    mot_record_values values = {0};
    mot_ck_ok(mot_record_read(folder, 1, item, &values));
    ck_assert_uint_eq(values.width, width);
    ck_assert_uint_eq(values.rows, 6);
    for (size_t i = 0; i < width; ++i) {
        const double found = values.value[r * width + i];
        ck_assert_msg(found == wanted[i] || (isnan(found) && isnan(wanted[i])), "[%zu, %zu] is %g, not %g", r, i,
                      found, wanted[i]);
    }
    mot_record_values_free(&values);
}

/* Expert 1 goes after step 3, expert 0 after step 5: each time a segment ends, and all together are read as if they were
 * there, without samples. The run is continued from step 4, in the midst of the second segment. */
START_TEST(experts_go)
{
    static const int origin[] = {0, 2}, last[] = {2};
    static const double load[][E] = {{4, 5, 6}, {4, 0, 5}, {0, 0, 4}},
                        classes[][CLASSES * E] = {{7, 8, 9}, {7, 0, 8, 9}, {[2] = 7, [5] = 8, [8] = 9}},
                        of[][E] = {{1, 2, 3}, {1, NAN, 2}, {NAN, NAN, 1}};
    mot_record_about about = plain_about();
    mot_record *record;
    about.choices = 1;
    about.begun = E;
    mot_ck_ok(mot_record_open(&record, &about, -1));
    for (mot_gidx step = 1; step <= 6; ++step) {
        if (step == 4) mot_ck_ok(mot_record_experts(record, 2, 1, origin));
        row_of(record, step, step < 4 ? E : 2);
    }
    mot_ck_ok(mot_record_flush(record, true));
    mot_record_close(&record);
    about.experts = 2;
    about.origin = origin;
    mot_ck_ok(mot_record_open(&record, &about, 4));
    row_of(record, 5, 2);
    mot_ck_ok(mot_record_experts(record, 1, 1, last));
    row_of(record, 6, 1);
    mot_ck_ok(mot_record_flush(record, true));
    mot_record_close(&record);
    ck_assert(exists("record/00000001-00000003.h5") && exists("record/00000004-00000004.h5") &&
              exists("record/00000005-00000005.h5") && exists("record/00000006-00000006.h5"));
    for (size_t r = 0; r < 6; ++r) {
        const int left = r < 3 ? 0 : r < 5 ? 1 : 2;
        check_row(&(mot_record_item){MOT_RECORD_LOAD, NULL, 0}, r, E, load[left]);
        check_row(&(mot_record_item){MOT_RECORD_CLASS_LOAD, NULL, 0}, r, (size_t)CLASSES * E, classes[left]);
        check_row(&(mot_record_item){MOT_RECORD_FIGURES, "of", 0}, r, E, of[left]);
        check_row(&(mot_record_item){MOT_RECORD_STEPS, "step", 0}, r, 1, (const double[]){(double)r + 1});
    }

    hid_t file;
    int32_t number[2];
    int64_t value;
    mot_ck_ok(mot_h5_open_sealed(&file, in("record/00000004-00000004.h5"), "segment")); /* that was cut */
    mot_ck_ok(mot_h5_read(file, "expert", H5T_NATIVE_INT32, 1, (const hsize_t[]){2}, number));
    ck_assert(number[0] == 0 && number[1] == 2);
    mot_ck_ok(mot_h5_read(file, "assign/expert", H5T_NATIVE_INT32, 1, (const hsize_t[]){1}, number));
    ck_assert_int_eq(number[0], 2);
    mot_ck_ok(mot_h5_get_int(file, ".", "experts_begun", &value));
    ck_assert_int_eq(value, E);
    mot_h5_close(&file);
    mot_ck_ok(mot_h5_open_sealed(&file, in("record/00000001-00000003.h5"), "segment"));
    ck_assert(!mot_h5_has_attribute(file, ".", "experts_begun"));
    mot_h5_close(&file);

    /* Numbers that do not ascend. */
    mot_ck_ok(mot_h5_edit(&file, in("record/00000004-00000004.h5"), "the segment"));
    number[0] = 2;
    mot_ck_ok(mot_h5_write_rows(file, "expert", H5T_NATIVE_INT32, 0, 2, number));
    mot_ck_ok(mot_h5_seal(&file, in("record/00000004-00000004.h5"), "the segment"));
    mot_record_values values = {0};
    ck_assert_int_eq(mot_record_read(folder, 1, &(mot_record_item){MOT_RECORD_LOAD, NULL, 0}, &values), MOT_ERR_INPUT);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "does not have ascending numbers of 2 of 3 experts"));
    mot_record_values_free(&values);
}
END_TEST

START_TEST(layers_are_told_apart)
{
    mot_record_about about = plain_about();
    about.choices = 1;
    about.layers = 2;
    about.layer_experts = (const int[]){E, E};
    about.layer_choices = (const int[]){1, 1};
    const int64_t load[2][E] = {{1, 2, 3}, {4, 5, 6}};
    const double importance[E] = {0};
    const mot_step_figures figures = {.step = 1};
    mot_record *record;
    mot_ck_ok(mot_record_open(&record, &about, -1));
    mot_ck_ok(mot_record_step(record, &figures));
    for (int l = 0; l < 2; ++l) mot_ck_ok(mot_record_loads(record, 1, l, load[l], importance, &(mot_record_gate){0.5, 0.25, 1}));
    mot_ck_ok(mot_record_flush(record, true));
    mot_record_close(&record);
    hid_t file;
    mot_ck_ok(mot_h5_open_sealed(&file, in("record/00000001-00000001.h5"), "segment"));
    ck_assert_int_eq(mot_record_layers(file), 2);
    for (int l = 0; l < 2; ++l) {
        const mot_record_item item = {MOT_RECORD_LOAD, NULL, l};
        mot_record_values values = {0};
        mot_ck_ok(mot_record_take(file, &item, false, &values));
        ck_assert(values.rows == 1 && values.rank == 1 && values.value[2] == (double)load[l][2]);
        mot_record_values_free(&values);
    }
    mot_h5_close(&file);
}
END_TEST

static void segment_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, resuming_removes_what_will_be_redone);
    tcase_add_test(tcase, late_evaluation_stays);
    tcase_add_test(tcase, small_segments_are_joined);
    tcase_add_test(tcase, a_cut_segment_is_whole);
    tcase_add_test(tcase, an_older_segment_is_cut);
    tcase_add_test(tcase, memory_is_bounded);
    tcase_add_test(tcase, experts_go);
    tcase_add_test(tcase, layers_are_told_apart);
}

MOT_CK_MAIN("segments", segment_tests)
