#include <math.h>
#include <sys/stat.h>

#include "ck.h"
#include "mot/dataset.h"
#include "mot/h5.h"
#include "mot/memory.h"
#include "mot/tokens.h"
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
        ck_assert(fabs(train.format.normalization.mean[1] - 9.5 / 255) < 1e-12);
        ck_assert(fabs(train.format.normalization.deviation[2] - sqrt(33.25) / 255) < 1e-12);
        ck_assert(test.format.normalization.mean[0] == train.format.normalization.mean[0]);
        ck_assert_str_eq(train.class_names[1], "bee");
        ck_assert_str_eq(train.group_names[1], "large");
        ck_assert_uint_eq(strlen(train.checksum), 32);
        ck_assert_str_ne(train.checksum, test.checksum);
        unsigned char x[18];
        for (mot_gidx i = TEST - 1; i >= 0; --i) {
            mot_ck_ok(mot_dataset_read(&test, i, x));
            ck_assert(x[0] == TRAIN + i && x[17] == TRAIN + i &&
                      mot_dataset_class(&test, i) == (TRAIN + i) % 3);
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

/* Two samples of two tokens with a wide and a narrow column, and what becomes of them under each scaling. */
START_TEST(scaled_vectors)
{
    static const struct {
        mot_scaling scaling;
        size_t count;
        double mean[2], deviation[2];
    } right[] = {{MOT_SCALING_COLUMN, 2, {1000, 2.5}, {500, 1}},
                 {MOT_SCALING_ALL, 1, {501.25}, {611.4}},
                 {MOT_SCALING_NONE, 0, {0}, {0}}};
    const float x[8] = {500, 1.5f, 1500, 3.5f, 500, 3.5f, 1500, 1.5f};
    const int32_t y[2] = {-1, 1}, g[2] = {0, 4};
    static const char *const columns[] = {"wide", "narrow"};
    const char *path = scratch_path("signed.h5");
    for (size_t k = 0; k < MOT_COUNT(right); ++k) {
        const mot_sample_format format = {.kind = MOT_SAMPLE_VECTOR,
                                          .element = MOT_ELEMENT_F32,
                                          .tokens = 2,
                                          .features = 2,
                                          .normalization = {.scaling = right[k].scaling}};
        const mot_dataset_about about = {.signed_labels = true, .column_names = columns};
        mot_dataset_writer *writer;
        mot_dataset set;
        mot_ck_ok(mot_dataset_writer_open(&writer, path, &format));
        mot_ck_ok(mot_dataset_writer_add(writer, "train", 2, x, y, g));
        mot_ck_ok(mot_dataset_writer_close(&writer, &about, true));
        mot_ck_ok(mot_dataset_open(&set, path, "train", 100));
        ck_assert(set.signed_labels && set.classes == 2 && set.groups == 5 &&
                  mot_dataset_class(&set, 0) == 0);
        ck_assert_str_eq(set.class_names[0], "-1");
        ck_assert_str_eq(set.column_names[1], "narrow");
        const mot_normalization *n = &set.format.normalization;
        ck_assert(n->scaling == right[k].scaling && n->count == right[k].count);
        float decoded[4];
        ck_assert_uint_eq(mot_tokens_decode(&set.format, 0, x, decoded, NULL), 2);
        for (size_t i = 0; i < 4; ++i) {
            const size_t c = n->count == 2 ? i % 2 : 0;
            const double mean = n->count > 0 ? right[k].mean[c] : 0,
                         deviation = n->count > 0 ? right[k].deviation[c] : 1;
            if (n->count > 0) ck_assert_double_eq_tol(n->mean[c], mean, 1e-9);
            if (n->count > 0) ck_assert_double_eq_tol(n->deviation[c], deviation, 0.05);
            const double expected = n->count > 0 ? (x[i] - n->mean[c]) / n->deviation[c] : x[i];
            ck_assert_float_eq_tol(decoded[i], (float)expected, 1e-5f);
        }
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
    FILE *const file = fopen(scratch_path("in-the-way"), "w"); /* of a folder that would be made */
    ck_assert_ptr_nonnull(file);
    fclose(file);
    ck_assert_int_eq(mot_dataset_writer_open(&writer, scratch_path("in-the-way/folder/new.h5"), &format), MOT_OK);
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
    {"classes 0", "3 class_names, expected 0"},
    {"classes -1", "-1 classes"},
    {"classes huge", "classes, expected 0"},
    {"number type", "does not hold floating-point numbers"},
    {"number nan", "/train/y: sample 7: number 0 of its target is not finite"},
    {"number inf", "/train/y: sample 9: number 17 of its target is not finite"},
    {"number count", "expected one target for each of the 20 samples"},
    {"number claims", "claims"},
    {"number none", "expected one target for each of the 20 samples"},
    {"number rank", "expected one target for each of the 20 samples"},
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
    {"x packed", "is not stored as mot stores it"},
    {"mean", "finite numbers"},
    {"deviation", "the deviation above 0"},
    {"mean count", "expected 1"},
    {"scaling", "unknown scaling 'row'"},
    {"group", "has group 7"},
    {"groups", "0 groups"},
    {"no checksum", "'xxh3' is missing"},
    {"no sums", "sample_xxh3: is missing"},
    {"sums count", "expected 20"},
    {"changed sum", "sample 5 has checksum"},
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

#define IS(other) (strcmp(name, other) == 0)

/* Targets that are numbers, and what may be wrong with them. */
static void spoil_numbers(hid_t file, const char *name)
{
    static float y[TRAIN * 18];
    const hsize_t n = TRAIN, fewer = TRAIN - 1, wide[2] = {TRAIN, 18}, huge[2] = {TRAIN, 1 << 19},
                  none[2] = {TRAIN, 0}, cube[3] = {TRAIN, 2, 2};
    mot_h5_set_int(file, ".", "classes", 0);
    H5Ldelete(file, "class_names", H5P_DEFAULT);
    y[7] = IS("number nan") ? NAN : 0;
    y[9 * 18 + 17] = IS("number inf") ? INFINITY : 0;
    if (IS("number nan")) replace(file, "train/y", H5T_NATIVE_FLOAT, 1, &n, MOT_H5_CONTIGUOUS, y);
    if (IS("number inf")) replace(file, "train/y", H5T_NATIVE_FLOAT, 2, wide, MOT_H5_CONTIGUOUS, y);
    if (IS("number count")) replace(file, "train/y", H5T_NATIVE_FLOAT, 1, &fewer, MOT_H5_CONTIGUOUS, y);
    if (IS("number claims")) replace(file, "train/y", H5T_NATIVE_FLOAT, 2, huge, MOT_H5_CONTIGUOUS, NULL);
    if (IS("number none")) replace(file, "train/y", H5T_NATIVE_FLOAT, 2, none, MOT_H5_CONTIGUOUS, NULL);
    if (IS("number rank")) replace(file, "train/y", H5T_NATIVE_FLOAT, 3, cube, MOT_H5_CONTIGUOUS, y);
}

static void spoil(hid_t file, const char *name)
{
    const hsize_t n = TRAIN, x_shape[4] = {TRAIN, 3, 2, 3}, two[2] = {TRAIN, 18}, fewer = TRAIN - 1;
    static const unsigned char zeros[TRAIN * 18];
    static const double numbers[TRAIN * 18];
    int32_t y[TRAIN] = {0};
    const double bad[3] = {NAN, 0.5, 0.5}, zero[3] = {0, 1, 1};
    if (IS("format")) mot_h5_set_text(file, ".", "format", "other");
    if (IS("no format")) H5Adelete(file, "format");
    if (IS("version")) mot_h5_set_int(file, ".", "format_version", 9);
    if (IS("kind")) mot_h5_set_text(file, ".", "kind", "film");
    if (IS("no kind")) H5Adelete(file, "kind");
    if (IS("classes 0")) mot_h5_set_int(file, ".", "classes", 0);
    if (IS("classes -1")) mot_h5_set_int(file, ".", "classes", -1);
    if (strncmp(name, "number", 6) == 0) spoil_numbers(file, name);
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
    if (IS("x packed")) replace(file, "train/x", H5T_NATIVE_UINT8, 4, x_shape, MOT_H5_GROWING, zeros);
    const hsize_t channels = 3;
    if (IS("mean"))
        replace(file, "normalization/mean", H5T_NATIVE_DOUBLE, 1, &channels, MOT_H5_CONTIGUOUS, bad);
    if (IS("deviation"))
        replace(file, "normalization/deviation", H5T_NATIVE_DOUBLE, 1, &channels, MOT_H5_CONTIGUOUS, zero);
    if (IS("scaling")) mot_h5_set_text(file, "normalization", "scaling", "row");
    if (IS("mean count"))
        replace(file, "train/x", H5T_NATIVE_UINT8, 3, (hsize_t[]){TRAIN, 6, 3}, MOT_H5_CONTIGUOUS, zeros);
    if (IS("group")) {
        y[3] = 7;
        replace(file, "train/group", H5T_NATIVE_INT32, 1, &n, MOT_H5_CONTIGUOUS, y);
    }
    if (IS("groups")) mot_h5_set_int(file, ".", "groups", 0);
    if (IS("no checksum")) H5Adelete_by_name(file, "train/x", "xxh3", H5P_DEFAULT);
    if (IS("no sums")) H5Ldelete(file, "train/sample_xxh3", H5P_DEFAULT);
    if (IS("sums count"))
        replace(file, "train/sample_xxh3", H5T_NATIVE_UINT64, 1, &fewer, MOT_H5_CONTIGUOUS, numbers);
    if (IS("changed sum")) mot_h5_write_rows(file, "train/sample_xxh3", H5T_NATIVE_UINT64, 5, 1, numbers);
    if (IS("x link"))
        H5Ldelete(file, "train/x", H5P_DEFAULT), mot_h5_link(file, "train/x", "set.h5", "/test/x");
    if (IS("signed")) mot_h5_set_int(file, ".", "signed_labels", 1);
    if (IS("x group"))
        H5Ldelete(file, "train/x", H5P_DEFAULT), mot_h5_write_texts(file, "train/x/deeper", 0, NULL);
}

/* Where the samples end, as the mark says. */
static uint64_t samples_end(const char *path)
{
    uint64_t end;
    FILE *file = fopen(path, "rb");
    ck_assert_int_eq(fseek(file, -MOT_H5_MARK + 8, SEEK_END), 0);
    ck_assert_uint_eq(fread(&end, sizeof end, 1, file), 1);
    fclose(file);
    return end;
}

/* Targets that are numbers, one or several: what was written is read, and what cannot be learned is refused. */
START_TEST(numbers_are_written_and_read)
{
    const mot_sample_format format = {
        .kind = MOT_SAMPLE_VECTOR, .element = MOT_ELEMENT_F32, .tokens = 1, .features = 2};
    const char *path = scratch_path("numbers.h5");
    for (size_t C = 1; C <= 3; ++C) {
        float x[TEST][2] = {{0}}, y[TEST][3];
        int32_t group[TEST];
        mot_dataset_writer *writer;
        mot_dataset set;
        for (int i = 0; i < TEST; ++i) {
            group[i] = i % 2;
            x[i][0] = (float)i;
            for (size_t c = 0; c < C; ++c) (&y[0][0])[(size_t)i * C + c] = 0.5f * (float)i - (float)c;
        }
        mot_ck_ok(mot_dataset_writer_open(&writer, path, &format));
        mot_dataset_writer_numbers(writer, C);
        mot_ck_ok(mot_dataset_writer_add(writer, "train", TEST, x, y, group));
        mot_ck_ok(mot_dataset_writer_add(writer, "test", TEST - 1, x, y, group));
        mot_ck_ok(mot_dataset_writer_close(&writer, &(mot_dataset_about){.title = "numbers"}, true));
        mot_ck_ok(mot_dataset_open(&set, path, "test", SIZE_MAX));
        ck_assert(set.samples == TEST - 1 && set.classes == 0 && set.groups == 2 && set.class_names == NULL);
        ck_assert_uint_eq(set.target_bytes, C * sizeof(float));
        ck_assert_mem_eq(set.target, y, (TEST - 1) * C * sizeof(float));
        ck_assert(mot_dataset_class(&set, 1) == -1 && set.checksum[0] != '\0');
        mot_dataset_close(&set);
        mot_ck_ok(mot_dataset_writer_open(&writer, path, &format));
        mot_dataset_writer_numbers(writer, C);
        (&y[0][0])[3 * C + C - 1] = NAN;
        ck_assert_int_eq(mot_dataset_writer_add(writer, "train", TEST, x, y, NULL), MOT_ERR_INPUT);
        ck_assert_ptr_nonnull(strstr(mot_error_message(), "train: sample 3: number"));
        mot_dataset_writer_close(&writer, NULL, false);
    }
    scratch_clear();
}
END_TEST

/* A data set as version 2 left it: mean and deviation are attributes. */
START_TEST(version_two)
{
    const char *path = scratch_path("old.h5");
    mot_dataset set;
    make(path);
    hid_t file;
    mot_ck_ok(mot_h5_edit(&file, path, path));
    H5Ldelete(file, "normalization", H5P_DEFAULT);
    mot_h5_set_int(file, ".", "format_version", 2);
    mot_h5_set_reals(file, ".", "mean", 3, (double[]){0.1, 0.2, 0.3});
    mot_h5_set_reals(file, ".", "deviation", 3, (double[]){1, 2, 3});
    mot_ck_ok(mot_h5_seal(&file, path, path));
    mot_ck_ok(mot_dataset_open(&set, path, "train", 1 << 20));
    const mot_normalization *n = &set.format.normalization;
    ck_assert(n->scaling == MOT_SCALING_COLUMN && n->count == 3 && n->mean[1] == 0.2 && n->deviation[2] == 3);
    mot_dataset_close(&set);
    scratch_clear();
}
END_TEST

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
        ck_assert_int_eq(mot_dataset_open(&set, path, "train", 1 << 20), MOT_ERR_INPUT);
        ck_assert_ptr_nonnull(strstr(mot_error_message(), "mot inspect --reseal"));
        mot_ck_ok(mot_h5_edit(&file, path, path));
        mot_ck_ok(mot_h5_seal(&file, path, path));
        const mot_status status = mot_dataset_open(&set, path, "train", 1 << 20);
        ck_assert_msg(status == MOT_ERR_INPUT, "'%s' gave %d", faults[f].name, status);
        ck_assert_msg(strstr(mot_error_message(), faults[f].said) != NULL, "'%s' said: %s", faults[f].name,
                      mot_error_message());
        ck_assert_ptr_null(set.source);
    }
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

/* ---- damage ---- */

static bool same_names(char **a, char **b, int count)
{
    for (int i = 0; i < count; ++i)
        if (strcmp(a[i], b[i]) != 0) return false;
    return true;
}

/* Refused by a sentence that names the file, when it is opened or when the sample is read; or all of the split is as it
 * was, read at once (`memory`) or sample by sample. */
static bool refused_or_harmless(const char *path, const char *split, mot_dataset *good, size_t memory)
{
    mot_dataset set;
    unsigned char was[18], is[18];
    mot_status status = mot_dataset_open(&set, path, split, memory);
    if (status == MOT_OK) {
        ck_assert(set.samples == good->samples && set.classes == good->classes && set.groups == good->groups);
        ck_assert(set.signed_labels == good->signed_labels);
        const size_t numbers = 2 * good->format.normalization.count * sizeof(double);
        ck_assert_mem_eq(set.format.normalization.mean, good->format.normalization.mean, numbers);
        mot_sample_format format = set.format;
        format.normalization = good->format.normalization;
        ck_assert_mem_eq(&format, &good->format, sizeof format);
        ck_assert_mem_eq(set.target, good->target, (size_t)good->samples * good->target_bytes);
        ck_assert_mem_eq(set.group, good->group, (size_t)good->samples * sizeof *good->group);
        ck_assert(same_names(set.class_names, good->class_names, good->classes));
        ck_assert(same_names(set.group_names, good->group_names, good->groups));
        ck_assert_str_eq(set.checksum, good->checksum);
        for (mot_gidx i = 0; i < good->samples && status == MOT_OK; ++i) {
            mot_ck_ok(mot_dataset_read(good, i, was));
            status = mot_dataset_read(&set, i, is);
            if (status == MOT_OK) ck_assert_mem_eq(was, is, sizeof was);
        }
        mot_dataset_close(&set);
    }
    if (status == MOT_OK) return false;
    ck_assert_int_eq(status, MOT_ERR_INPUT);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), path));
    return true;
}

typedef struct damage {
    const char *path;
    mot_dataset good[2];
    size_t size, end; /* of the file, and where the samples end */
} damage;

static const char *const splits[] = {"train", "test"};

static void begin_damage(damage *d)
{
    struct stat about;
    d->path = scratch_path("damage.h5");
    make(d->path);
    for (int s = 0; s < 2; ++s) mot_ck_ok(mot_dataset_open(&d->good[s], d->path, splits[s], 1 << 20));
    ck_assert_int_eq(stat(d->path, &about), 0);
    d->size = (size_t)about.st_size;
    d->end = samples_end(d->path);
}

static void end_damage(damage *d)
{
    for (int s = 0; s < 2; ++s) mot_dataset_close(&d->good[s]);
    scratch_clear();
}

/* How many of the four ways to read refuse it. */
static int refusals(damage *d)
{
    int count = 0;
    for (int s = 0; s < 2; ++s)
        for (size_t memory = 0; memory <= 1 << 20; memory += 1 << 20)
            count += refused_or_harmless(d->path, splits[s], &d->good[s], memory);
    return count;
}

/* What belongs to HDF5 is refused whatever is read; a sample where its split is read; what lies between splits is
 * nobody's. */
static int expected_refusals(const damage *d, size_t at)
{
    enum { PAGE = MOT_H5_HEAD };
    if (at < PAGE || at >= d->end) return 4;
    const size_t split = at / PAGE - 1; /* each fits into a page here */
    return at % PAGE < (split == 0 ? TRAIN : TEST) * 18 ? 2 : 0;
}

START_TEST(flipped_bits)
{
    damage d;
    begin_damage(&d);
    const size_t stride = getenv("MOT_TEST_EVERY_BYTE") != NULL ? 1 : mot_ck_short() ? 61 : 16;
    size_t refused = 0;
    FILE *file = fopen(d.path, "r+b");
    for (size_t at = 0; at < d.size; at += stride) {
        fseek(file, (long)at, SEEK_SET);
        const int was = fgetc(file);
        fseek(file, (long)at, SEEK_SET);
        fputc(was ^ 1 << at / stride % 8, file);
        fflush(file);
        const int found = refusals(&d);
        ck_assert_msg(found == expected_refusals(&d, at), "bit flipped in byte %zu: %d refusals", at, found);
        refused += found > 0;
        fseek(file, (long)at, SEEK_SET);
        fputc(was, file);
        fflush(file);
    }
    fclose(file);
    ck_assert_uint_gt(refused * stride, d.size / 4);
    end_damage(&d);
}
END_TEST

START_TEST(cut_short)
{
    damage d;
    begin_damage(&d);
    for (size_t size = d.size - 1; size > 0; size -= 1 + size / 50) {
        ck_assert_int_eq(truncate(d.path, (off_t)size), 0);
        ck_assert_int_eq(refusals(&d), 4);
    }
    end_damage(&d);
}
END_TEST

static void dataset_tests(TCase *tcase)
{
    tcase_add_test(tcase, round_trip);
    tcase_add_test(tcase, scaled_vectors);
    tcase_add_test(tcase, numbers_are_written_and_read);
    tcase_add_test(tcase, version_two);
    tcase_add_test(tcase, what_cannot_be_written);
    tcase_add_test(tcase, files_by_other_hands);
    tcase_add_test(tcase, shrinking_file);
    tcase_add_test(tcase, flipped_bits);
    tcase_add_test(tcase, cut_short);
    tcase_add_unchecked_fixture(tcase, NULL, scratch_remove);
}

MOT_CK_MAIN("dataset", dataset_tests)
