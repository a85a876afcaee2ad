#include <math.h>

#include "ck.h"
#include "mot/dataset.h"
#include "mot/h5.h"
#include "mot/memory.h"
#include "scratch.h"

enum { TRAIN = 20, TEST = 6 };

static const char *const animals[] = {"ape", "bee", "cat"}, *const sizes[] = {"small", "large"};

/* Colour pictures of 2 x 3 pixels: sample i is full of i, in three classes and two groups (class 2 is the
 * large one). */
static void make(const char *path)
{
    const mot_sample_format format = {.kind = MOT_SAMPLE_PICTURE, .channels = 3, .height = 2, .width = 3};
    const mot_dataset_about about = {.title = "test",
                                     .licence = "none",
                                     .class_count = 3,
                                     .class_names = animals,
                                     .group_count = 2,
                                     .group_names = sizes};
    mot_dataset_writer *writer;
    mot_ck_ok(mot_dataset_writer_open(&writer, path, &format));
    for (int i = 0; i < TRAIN + TEST; ++i) {
        unsigned char x[18];
        memset(x, i, sizeof x);
        const int32_t y = i % 3, g = y == 2;
        mot_ck_ok(mot_dataset_writer_add(writer, i < TRAIN ? "train" : "test", 1, x, &y, &g));
    }
    ck_assert_int_ne(access(path, F_OK), 0);
    mot_ck_ok(mot_dataset_writer_close(&writer, &about, true));
    ck_assert_ptr_null(writer);
}

START_TEST(round_trip)
{
    const char *path = scratch_path("set.h5");
    make(path);
    ck_assert_int_eq(scratch_count(), 1);
    for (size_t memory = 0; memory <= 1 << 20; memory += 1 << 20) { /* row by row, and loaded */
        mot_dataset train, test;
        mot_ck_ok(mot_dataset_open(&train, path, "train", memory));
        mot_ck_ok(mot_dataset_open(&test, path, "test", memory));
        ck_assert(train.samples == TRAIN && test.samples == TEST && train.classes == 3 && train.groups == 2);
        ck_assert(train.format.channels == 3 && train.format.height == 2 && train.format.width == 3);
        ck_assert_uint_eq(train.format.bytes, 18);
        ck_assert(fabs(train.format.mean[1] - 9.5 / 255) < 1e-12);
        ck_assert(fabs(train.format.deviation[2] - sqrt(33.25) / 255) < 1e-12);
        ck_assert(test.format.mean[0] == train.format.mean[0]);
        ck_assert_str_eq(train.class_names[1], "bee");
        ck_assert_str_eq(train.group_names[1], "large");
        ck_assert_uint_eq(strlen(train.checksum), 32);
        ck_assert_str_ne(train.checksum, test.checksum);
        unsigned char x[18];
        for (mot_gidx i = TEST - 1; i >= 0; --i) {
            mot_ck_ok(mot_dataset_read(&test, i, x));
            ck_assert(x[0] == TRAIN + i && x[17] == TRAIN + i && test.label[i] == (TRAIN + i) % 3);
        }
        /* What is read as it is needed can be announced, whatever was announced, and reads the same. */
        ck_assert(mot_dataset_expect(&test, 0) == (memory == 0));
        (void)mot_dataset_expect(&test, TEST);
        (void)mot_dataset_expect(&test, -1);
        mot_ck_ok(mot_dataset_read(&test, 0, x));
        ck_assert(x[0] == TRAIN && x[17] == TRAIN);
        ck_assert_int_eq(mot_dataset_read(&test, TEST, x), MOT_ERR_INPUT);
        ck_assert_int_eq(mot_dataset_read(&test, -1, x), MOT_ERR_INPUT);
        int parent[3];
        ck_assert(mot_dataset_label_groups(&train, parent));
        ck_assert(parent[0] == 0 && parent[1] == 0 && parent[2] == 1);
        mot_dataset_close(&train);
        mot_dataset_close(&test);
        mot_dataset_close(&test);
    }
    mot_dataset none;
    ck_assert_int_eq(mot_dataset_open(&none, path, "val", 0), MOT_ERR_INPUT);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "has no split 'val'"));
    ck_assert_int_eq(mot_dataset_open(&none, path, "all", 0), MOT_ERR_INPUT);
    scratch_clear();
}
END_TEST

START_TEST(signed_vectors)
{
    const char *path = scratch_path("signed.h5");
    for (int given = 0; given < 2; ++given) {
        const mot_sample_format format = {.kind = MOT_SAMPLE_VECTOR,
                                          .element = MOT_ELEMENT_F32,
                                          .tokens = 1,
                                          .features = 2,
                                          .deviation = {given}};
        const mot_dataset_about about = {.signed_labels = true};
        const float x[4] = {1, 3, 5, 7};
        const int32_t y[2] = {-1, 1}, g[2] = {0, 4};
        mot_dataset_writer *writer;
        mot_dataset set;
        mot_ck_ok(mot_dataset_writer_open(&writer, path, &format));
        mot_ck_ok(mot_dataset_writer_add(writer, "train", 2, x, y, g));
        mot_ck_ok(mot_dataset_writer_close(&writer, &about, true));
        mot_ck_ok(mot_dataset_open(&set, path, "train", 100));
        ck_assert(set.signed_labels && set.classes == 2 && set.groups == 5 && set.label[0] == -1);
        ck_assert_str_eq(set.class_names[0], "-1");
        ck_assert(set.format.mean[0] == (given ? 0 : 4));
        ck_assert(fabs(set.format.deviation[0] - (given ? 1 : sqrt(5))) < 1e-12);
        mot_dataset_close(&set);
    }
    scratch_clear();
}
END_TEST

START_TEST(what_cannot_be_written)
{
    const char *path = scratch_path("bad.h5");
    mot_sample_format format = {
        .kind = MOT_SAMPLE_VECTOR, .element = MOT_ELEMENT_F32, .tokens = 1, .features = 1};
    mot_dataset_about about = {.class_count = 2};
    mot_dataset_writer *writer;
    const float good = 1, bad = NAN;
    const int32_t zero = 0, two = 2;
    mot_ck_ok(mot_dataset_writer_open(&writer, path, &format));
    ck_assert_int_eq(mot_dataset_writer_add(writer, "train", 1, &bad, &zero, NULL), MOT_ERR_INPUT);
    ck_assert_int_eq(mot_dataset_writer_add(writer, "later", 1, &good, &zero, NULL), MOT_ERR_INPUT);
    mot_ck_ok(mot_dataset_writer_add(writer, "train", 1, &good, &two, NULL));
    ck_assert_int_eq(mot_dataset_writer_add(writer, "train", 1, &good, &zero, &zero), MOT_ERR_INPUT);
    ck_assert_int_eq(mot_dataset_writer_close(&writer, &about, true), MOT_ERR_INPUT);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "sample 0 of train has label 2, expected [0, 2)"));
    mot_ck_ok(mot_dataset_writer_open(&writer, path, &format));
    ck_assert_int_eq(mot_dataset_writer_close(&writer, &about, true),
                     MOT_ERR_INPUT); /* nothing to train with */
    format.features = 0;
    ck_assert_int_eq(mot_dataset_writer_open(&writer, path, &format), MOT_ERR_INPUT);
    format = (mot_sample_format){
        .kind = MOT_SAMPLE_TEXT, .element = MOT_ELEMENT_I32, .tokens = 1, .vocabulary = 3};
    mot_ck_ok(mot_dataset_writer_open(&writer, path, &format));
    ck_assert_int_eq(mot_dataset_writer_add(writer, "train", 1, &(int32_t){3}, &zero, NULL), MOT_ERR_INPUT);
    mot_ck_ok(mot_dataset_writer_close(&writer, NULL, false));
    ck_assert_int_eq(scratch_count(), 0);
    ck_assert_int_eq(mot_dataset_writer_open(&writer, scratch_path("no/such/folder"), &format), MOT_OK);
    ck_assert_int_eq(mot_dataset_writer_add(writer, "train", 1, &(int32_t){2}, &zero, NULL), MOT_ERR_FILE);
    mot_ck_ok(mot_dataset_writer_close(&writer, NULL, false));
}
END_TEST

/* ---- files by other hands: a good one with one thing wrong ---- */

typedef struct fault {
    const char *name;
    const char *said; /* part of the sentence */
} fault;

static const fault faults[] = {
    {"format", "not a mot data set"},
    {"no format", "not a mot data set"},
    {"version", "format version 9"},
    {"kind", "unknown kind 'film'"},
    {"no kind", "'kind' is missing"},
    {"classes 0", "0 classes"},
    {"classes huge", "classes, expected 1"},
    {"classes text", "not an integer"},
    {"names", "3 class_names, expected 5"},
    {"label high", "has label 3"},
    {"label low", "has label -1"},
    {"label count", "expected 20"},
    {"label type", "does not hold integers"},
    {"no y", "is missing"},
    {"no x", "is missing"},
    {"x rank", "do not fit the kind"},
    {"x type", "expected bytes"},
    {"x claims", "claims"},
    {"x empty", "0 samples"},
    {"x bomb", "do not fit into a file"},
    {"mean", "finite numbers"},
    {"deviation", "the deviation above 0"},
    {"mean count", "has 3 values"},
    {"group", "has group 7"},
    {"groups", "0 groups"},
    {"checksum y", "is damaged"},
    {"checksum x", "is damaged"},
    {"x link", "not followed"},
    {"signed", "signed labels with 3 classes"},
    {"x group", "is not a dataset"},
};

static void replace(hid_t file, const char *name, hid_t type, int rank, const hsize_t *shape,
                    mot_h5_layout layout, const void *data)
{
    if (H5Lexists(file, name, H5P_DEFAULT) > 0) H5Ldelete(file, name, H5P_DEFAULT);
    mot_ck_ok(mot_h5_write(file, name, type, rank, shape, layout, data));
}

static void spoil(hid_t file, const char *name)
{
    const hsize_t n = TRAIN, x_shape[4] = {TRAIN, 3, 2, 3}, two[2] = {TRAIN, 18}, fewer = TRAIN - 1;
    static const unsigned char zeros[TRAIN * 18];
    static const double numbers[TRAIN * 18];
    int32_t y[TRAIN] = {0};
    const double bad[3] = {NAN, 0.5, 0.5}, zero[3] = {0, 1, 1};
#define IS(other) (strcmp(name, other) == 0)
    if (IS("format")) mot_h5_set_text(file, ".", "format", "other");
    if (IS("no format")) H5Adelete(file, "format");
    if (IS("version")) mot_h5_set_int(file, ".", "format_version", 9);
    if (IS("kind")) mot_h5_set_text(file, ".", "kind", "film");
    if (IS("no kind")) H5Adelete(file, "kind");
    if (IS("classes 0")) mot_h5_set_int(file, ".", "classes", 0);
    if (IS("classes huge")) mot_h5_set_int(file, ".", "classes", INT64_MAX);
    if (IS("classes text")) mot_h5_set_text(file, ".", "classes", "3");
    if (IS("names")) mot_h5_set_int(file, ".", "classes", 5);
    if (IS("label high")) y[3] = 3;
    if (IS("label low")) y[3] = -1;
    if (IS("label high") || IS("label low"))
        replace(file, "train/y", H5T_NATIVE_INT32, 1, &n, MOT_H5_CONTIGUOUS, y);
    if (IS("label count")) replace(file, "train/y", H5T_NATIVE_INT32, 1, &fewer, MOT_H5_CONTIGUOUS, y);
    if (IS("label type")) replace(file, "train/y", H5T_NATIVE_DOUBLE, 1, &n, MOT_H5_CONTIGUOUS, numbers);
    if (IS("no y")) H5Ldelete(file, "train/y", H5P_DEFAULT);
    if (IS("no x")) H5Ldelete(file, "train/x", H5P_DEFAULT);
    if (IS("x rank")) replace(file, "train/x", H5T_NATIVE_UINT8, 2, two, MOT_H5_CONTIGUOUS, zeros);
    if (IS("x type")) replace(file, "train/x", H5T_NATIVE_DOUBLE, 4, x_shape, MOT_H5_CONTIGUOUS, numbers);
    const hsize_t huge[4] = {(hsize_t)1 << 50, 3, 2, 3}, none[4] = {0, 3, 2, 3};
    if (IS("x claims")) replace(file, "train/x", H5T_NATIVE_UINT8, 4, huge, MOT_H5_CONTIGUOUS, NULL);
    if (IS("x empty")) replace(file, "train/x", H5T_NATIVE_UINT8, 4, none, MOT_H5_CONTIGUOUS, NULL);
    if (IS("x bomb")) replace(file, "train/x", H5T_NATIVE_UINT8, 4, huge, MOT_H5_COMPRESSED, NULL);
    if (IS("mean")) mot_h5_set_reals(file, ".", "mean", 3, bad);
    if (IS("deviation")) mot_h5_set_reals(file, ".", "deviation", 3, zero);
    if (IS("mean count"))
        replace(file, "train/x", H5T_NATIVE_UINT8, 3, (hsize_t[]){TRAIN, 6, 3}, MOT_H5_CONTIGUOUS, zeros);
    if (IS("group")) {
        y[3] = 7;
        replace(file, "train/group", H5T_NATIVE_INT32, 1, &n, MOT_H5_CONTIGUOUS, y);
    }
    if (IS("groups")) mot_h5_set_int(file, ".", "groups", 0);
    if (IS("checksum y")) mot_h5_write_rows(file, "train/y", H5T_NATIVE_INT32, 5, 1, y);
    if (IS("checksum x")) mot_h5_write_rows(file, "train/x", H5T_NATIVE_UINT8, 5, 1, zeros);
    if (IS("x link"))
        H5Ldelete(file, "train/x", H5P_DEFAULT), mot_h5_link(file, "train/x", "set.h5", "/test/x");
    if (IS("signed")) mot_h5_set_int(file, ".", "signed_labels", 1);
    if (IS("x group"))
        H5Ldelete(file, "train/x", H5P_DEFAULT), mot_h5_write_texts(file, "train/x/deeper", 0, NULL);
}

START_TEST(files_by_other_hands)
{
    const char *path = scratch_path("bad.h5");
    for (size_t f = 0; f < MOT_COUNT(faults); ++f) {
        mot_dataset set;
        unlink(path);
        make(path);
        hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
        ck_assert(file >= 0);
        spoil(file, faults[f].name);
        H5Fclose(file);
        const mot_status status = mot_dataset_open(&set, path, "train", 1 << 20);
        ck_assert_msg(status == MOT_ERR_INPUT, "'%s' gave %d", faults[f].name, status);
        ck_assert_msg(strstr(mot_error_message(), faults[f].said) != NULL, "'%s' said: %s", faults[f].name,
                      mot_error_message());
        ck_assert_ptr_null(set.source);
    }
    scratch_clear();
}
END_TEST

/* Any byte may be wrong. What matters is that nothing crashes, and that damaged samples are not taken for
 * good ones. */
/* Chunked and packed by another program: no sample has a place in the file, and HDF5 reads them. */
START_TEST(packed_samples)
{
    const char *path = scratch_path("set.h5");
    make(path);
    mot_dataset plain, packed;
    unsigned char x[TEST][18], y[18];
    mot_ck_ok(mot_dataset_open(&plain, path, "test", 0));
    for (int i = 0; i < TEST; ++i) mot_ck_ok(mot_dataset_read(&plain, i, x[i]));
    mot_dataset_close(&plain);
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    const hsize_t shape[] = {TEST, 3, 2, 3};
    H5Ldelete(file, "test/x", H5P_DEFAULT);
    mot_ck_ok(mot_h5_write(file, "test/x", H5T_NATIVE_UINT8, 4, shape, MOT_H5_COMPRESSED, x));
    H5Fclose(file);
    mot_ck_ok(mot_dataset_open(&packed, path, "test", 0));
    ck_assert(!mot_dataset_expect(&packed, 0));
    for (int i = TEST - 1; i >= 0; --i) {
        mot_ck_ok(mot_dataset_read(&packed, i, y));
        ck_assert(memcmp(x[i], y, sizeof y) == 0);
    }
    mot_dataset_close(&packed);
    scratch_clear();
}
END_TEST

/* A file that becomes shorter under a run is an error of the file system with a sentence, not a wrong sample. */
START_TEST(shrinking_file)
{
    const char *path = scratch_path("set.h5");
    make(path);
    mot_dataset set;
    unsigned char x[18];
    mot_ck_ok(mot_dataset_open(&set, path, "test", 0));
    ck_assert_int_eq(truncate(path, 900), 0);
    ck_assert_int_eq(mot_dataset_read(&set, TEST - 1, x), MOT_ERR_FILE);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "cannot read sample"));
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "the file ends before it"));
    mot_dataset_close(&set);
    scratch_clear();
}
END_TEST

START_TEST(flipped_bytes)
{
    const char *path = scratch_path("flip.h5");
    make(path);
    FILE *file = fopen(path, "r+b");
    fseek(file, 0, SEEK_END);
    const long size = ftell(file);
    for (long at = 0; at < size; at += 7) {
        fseek(file, at, SEEK_SET);
        const int old = fgetc(file);
        fseek(file, at, SEEK_SET);
        fputc(old ^ 0x41, file);
        fflush(file);
        mot_dataset set;
        unsigned char x[18];
        if (mot_dataset_open(&set, path, "train", 1 << 20) == MOT_OK) {
            if (set.format.bytes == 18 && set.samples == TRAIN && strlen(set.checksum) > 0) {
                mot_ck_ok(mot_dataset_read(&set, 9, x));
                ck_assert(x[0] == 9 && x[17] == 9 && set.label[9] == 0);
            }
            mot_dataset_close(&set);
        }
        fseek(file, at, SEEK_SET);
        fputc(old, file);
        fflush(file);
    }
    fclose(file);
    scratch_clear();
}
END_TEST

static void dataset_tests(TCase *tcase)
{
    tcase_add_test(tcase, round_trip);
    tcase_add_test(tcase, signed_vectors);
    tcase_add_test(tcase, what_cannot_be_written);
    tcase_add_test(tcase, files_by_other_hands);
    tcase_add_test(tcase, packed_samples);
    tcase_add_test(tcase, shrinking_file);
    tcase_add_test(tcase, flipped_bytes);
    tcase_add_unchecked_fixture(tcase, NULL, scratch_remove);
}

MOT_CK_MAIN("dataset", dataset_tests)
