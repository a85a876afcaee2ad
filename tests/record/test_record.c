/* The record: what was recorded is read back. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ck.h"
#include "mot/atomic_file.h"
#include "mot/clock.h"
#include "mot/h5.h"
#include "mot/memory.h"
#include "recorded.h"

START_TEST(what_is_recorded_is_read_back)
{
    mot_record *record = open_record(0);
    for (mot_gidx step = 1; step <= 10; ++step) {
        one_step(record, step);
        if (step % 5 == 0) assignments(record, step, false);
    }
    snapshot(record, 10);
    assignments(record, 10, true);
    mot_ck_ok(mot_record_flush(record, true));
    mot_ck_ok(mot_record_flush(record, true)); /* nothing has collected: no file */
    mot_record_close(&record);
    ck_assert_ptr_null(record);

    /* Through run.h5, as a reader would. */
    hid_t file;
    mot_ck_ok(mot_h5_open(&file, in("run.h5"), true));
    const char *const at = "segments/00000001-00000010";
    char name[96], *text;
    int64_t step[10], load[10 * E], class_load[CLASSES * E], group_load[GROUPS * E], sample[30], value;
    int32_t expert[30], label[30], group[30], choice[30], predicted[30];
    float of_sample[30];
    int8_t split[30];
    double loss[10], importance[10 * E];
    float prob[30];
#define READ(NAME, TYPE, RANK, TO, ...)                                                                      \
    do {                                                                                                     \
        snprintf(name, sizeof name, "%s/%s", at, NAME);                                                      \
        mot_ck_ok(mot_h5_read(file, name, TYPE, RANK, (const hsize_t[]){__VA_ARGS__}, TO));                  \
    } while (0)
    READ("steps/step", H5T_NATIVE_INT64, 1, step, 10);
    READ("steps/loss", H5T_NATIVE_DOUBLE, 1, loss, 10);
    READ("layer0/load", H5T_NATIVE_INT64, 2, load, 10, E);
    READ("layer0/importance", H5T_NATIVE_DOUBLE, 2, importance, 10, E);
    for (int i = 0; i < 10; ++i) {
        ck_assert_int_eq(step[i], i + 1);
        ck_assert(loss[i] == 1.0 / (i + 1));
        ck_assert_int_eq(load[i * E], i + 1);
        ck_assert_int_eq(load[i * E + 2], 3);
        ck_assert(importance[i * E + 1] == i + 1);
    }
    READ("layer0/snapshot_step", H5T_NATIVE_INT64, 1, step, 1);
    READ("layer0/class_load", H5T_NATIVE_INT64, 3, class_load, 1, CLASSES, E);
    READ("layer0/group_load", H5T_NATIVE_INT64, 3, group_load, 1, GROUPS, E);
    ck_assert(step[0] == 10 && class_load[CLASSES * E - 1] == 10 + CLASSES * E - 1 && group_load[1] == 9);
    READ("assign/step", H5T_NATIVE_INT64, 1, sample, 30);
    ck_assert(sample[0] == 5 && sample[10] == 10 && sample[29] == 10);
    READ("assign/sample", H5T_NATIVE_INT64, 1, sample, 30);
    READ("assign/split", H5T_NATIVE_INT8, 1, split, 30);
    READ("assign/label", H5T_NATIVE_INT32, 1, label, 30);
    READ("assign/group", H5T_NATIVE_INT32, 1, group, 30);
    READ("assign/choice", H5T_NATIVE_INT32, 1, choice, 30);
    READ("assign/expert", H5T_NATIVE_INT32, 1, expert, 30);
    READ("assign/prob", H5T_NATIVE_FLOAT, 1, prob, 30);
    READ("assign/predicted", H5T_NATIVE_INT32, 1, predicted, 30);
    READ("assign/loss", H5T_NATIVE_FLOAT, 1, of_sample, 30);
    for (int row = 0; row < 30; ++row) {
        const int i = row % 10 / K, k = row % K;
        ck_assert_int_eq(sample[row], (row < 10 ? 500 : 1000) + i);
        ck_assert_int_eq(split[row], row >= 20);
        ck_assert_int_eq(label[row], i % CLASSES);
        ck_assert_int_eq(group[row], row >= 20 ? -1 : i % GROUPS);
        ck_assert_int_eq(choice[row], k);
        ck_assert_int_eq(expert[row], (i + k) % E);
        const float given = 0.3f / (float)(k + 1); /* of training 16 bits behind the point are kept */
        uint32_t bits;
        memcpy(&bits, &prob[row], sizeof bits);
        ck_assert(row >= 20 ? prob[row] == given : fabsf(prob[row] - given) <= given * 0x1p-17f && (bits & 0x7f) == 0);
        ck_assert_int_eq(predicted[row], row >= 20 ? (i + 1) % CLASSES : -1);
        ck_assert(row >= 20 ? of_sample[row] == 0.25f * (float)i : isnan(of_sample[row]));
    }
    snprintf(name, sizeof name, "%s/layer0/load", at);
    mot_ck_ok(mot_h5_get_text(file, name, "long_name", &text));
    ck_assert_str_eq(text, "samples an expert got at the step");
    mot_free(text);
    ck_assert(mot_h5_has_attribute(file, name, "DIMENSION_LIST") &&
              mot_h5_has_attribute(file, name, "units"));
    mot_ck_ok(mot_h5_get_int(file, at, "first_step", &value));
    ck_assert_int_eq(value, 1);
    mot_ck_ok(mot_h5_get_int(file, at, "last_step", &value));
    ck_assert_int_eq(value, 10);
    mot_ck_ok(mot_h5_get_text(file, at, "format", &text));
    ck_assert_str_eq(text, "mot-record");
    mot_free(text);
    char **texts;
    size_t count;
    mot_ck_ok(mot_h5_read_names(file, "class_names", 100, &count, &texts));
    ck_assert(count == CLASSES && strcmp(texts[2], "caf\xc3\xa9") == 0);
    mot_free(texts);
    mot_ck_ok(mot_h5_read_names(file, "config", 1, &count, &texts));
    ck_assert_str_eq(texts[0], "run: x\n");
    mot_free(texts);
    mot_h5_close(&file);
}
END_TEST

/* What a run that goes on asks: where the samples of an evaluation went first, and what the log said last. */
START_TEST(the_last_evaluation_is_recalled)
{
    mot_record *record = open_record(0);
    uint16_t expert[2000];
    char *line;
    one_step(record, 1);
    assignments(record, 1, false);
    assignments(record, 1, true);
    mot_ck_ok(mot_record_log(record, "{\"step\": 1, \"eval.loss\": 0.25, \"eval.accuracy\": 1}"));
    mot_ck_ok(mot_record_flush(record, true));
    one_step(record, 2);
    assignments(record, 2, false);
    mot_ck_ok(mot_record_log(record, "{\"step\": 2, \"train.loss\": 0.125, \"eval.accuracy\": null}"));
    mot_ck_ok(mot_record_flush(record, true));
    mot_record_close(&record);

    record = open_record(2);
    memset(expert, 0xff, sizeof expert);
    mot_ck_ok(mot_record_last_choices(record, 1, 0, 2000, 1, expert));
    for (int i = 0; i < 2000; ++i)
        ck_assert_uint_eq(expert[i], i >= 100 && i < 100 + SAMPLES ? (i - 100) % E : UINT16_MAX);
    mot_ck_ok(mot_record_last_line(record, "eval.loss", &line));
    ck_assert_str_eq(line, "{\"step\": 1, \"eval.loss\": 0.25, \"eval.accuracy\": 1}\n");
    double value = 7;
    ck_assert(mot_json_find_real(line, strlen(line), "eval.loss", &value) && value == 0.25);
    ck_assert(!mot_json_find_real(line, strlen(line), "loss", &value) && value == 0.25);
    mot_free(line);
    mot_ck_ok(mot_record_last_line(record, "eval.none", &line));
    ck_assert_ptr_null(line);
    mot_record_close(&record);
}
END_TEST

START_TEST(log_is_cut)
{
    mot_record *record = open_record(0);
    mot_ck_ok(mot_record_log(record, "{\"event\": \"start\"}"));
    mot_ck_ok(mot_record_log(record, "{\"step\": 10}"));
    mot_ck_ok(mot_record_log(record, "{\"loss\": 1, \"step\": 20}"));
    mot_ck_ok(mot_record_log(record, "{\"step\": 30}"));
    mot_record_close(&record);
    FILE *const file = fopen(in("log.jsonl"), "a");
    fputs("{\"step\": 5, \"lo", file); /* killed in mid line */
    fclose(file);

    record = open_record(20);
    mot_ck_ok(mot_record_log(record, "{\"step\": 30, \"again\": 1}"));
    mot_record_close(&record);
    char *text;
    size_t count;
    mot_ck_ok(mot_file_read(in("log.jsonl"), 1000, &text, &count));
    ck_assert_str_eq(text, "{\"event\": \"start\"}\n{\"step\": 10}\n{\"loss\": 1, \"step\": 20}\n{\"step\": "
                           "30, \"again\": 1}\n");
    mot_free(text);
}
END_TEST

START_TEST(failures_name_the_place)
{
    mot_record *record;
    mot_ck_ok(mot_file_replace(in("record"), "x", 1)); /* a file where the folder should be */
    const mot_record_about about = plain_about();
    ck_assert_int_eq(mot_record_open(&record, &about, 0), MOT_ERR_FILE);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), folder));
    unlink(in("record"));
    mot_ck_ok(mot_record_open(&record, &about, 0));
    one_step(record, 1);
    ck_assert_int_eq(rmdir(in("record")), 0);
    ck_assert_int_eq(mot_record_flush(record, true), MOT_ERR_FILE);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "00000001-open.h5"));
    mot_ck_ok(mot_folder_make(in("record"))); /* nothing was lost: the next flush writes it */
    mot_ck_ok(mot_record_flush(record, true));
    ck_assert(exists("record/00000001-00000001.h5"));
    mot_record_close(&record);
}
END_TEST

/* A step of 512 samples over 64 experts takes milliseconds; recording all of it must not show. */
START_TEST(recording_is_cheap)
{
    enum { B = 512, EXPERTS = 64, STEPS = 400 };
    static mot_gidx sample[B];
    static int32_t label[B], expert[B];
    static float prob[B];
    static int64_t load[EXPERTS];
    static double importance[EXPERTS];
    mot_record *record;
    mot_record_about about = plain_about();
    about.experts = EXPERTS;
    about.choices = 1;
    about.classes = 10;
    mot_ck_ok(mot_record_open(&record, &about, 0));
    const double start = mot_clock_s();
    for (mot_gidx step = 1; step <= STEPS; ++step) {
        const mot_step_figures figures = {.step = step, .samples = B};
        for (int i = 0; i < B; ++i)
            sample[i] = (step * 7919 + i * 104729) % 50000, expert[i] = (int32_t)(sample[i] % EXPERTS);
        mot_ck_ok(mot_record_step(record, &figures));
        mot_ck_ok(mot_record_loads(record, step, 0, load, importance, &(mot_record_gate){0.5, 0.25, 1}));
        mot_ck_ok(mot_record_assign(record, step, 0, false, B, sample, label, NULL, expert, prob, NULL, NULL));
    }
    const double collected = mot_clock_s();
    mot_ck_ok(mot_record_flush(record, true));
    const double flushed = mot_clock_s();
    struct stat about_file;
    ck_assert_int_eq(stat(in("record/00000001-00000400.h5"), &about_file), 0);
    printf("a step of %d samples: %.1f us to collect, %.1f us of the flush, %.0f bytes on disk\n", B,
           (collected - start) / STEPS * 1e6, (flushed - collected) / STEPS * 1e6,
           (double)about_file.st_size / STEPS);
    mot_record_close(&record);
}
END_TEST

static void record_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, what_is_recorded_is_read_back);
    tcase_add_test(tcase, the_last_evaluation_is_recalled);
    tcase_add_test(tcase, log_is_cut);
    tcase_add_test(tcase, failures_name_the_place);
    tcase_add_test(tcase, recording_is_cheap);
}

MOT_CK_MAIN("record", record_tests)
