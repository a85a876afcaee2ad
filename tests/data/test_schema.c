/* Another data set as a run's own: against what each sample should be, number by number. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ck.h"
#include "mot/schema.h"
#include "mot/tokens.h"

enum { SAMPLES = 12, COLUMNS = 3 };

static char folder[] = "/tmp/mot-schema-XXXXXX";
static char path[64];

static const char *in_folder(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* Column c of sample i; a column's number does not depend on where it stands. */
static float number(int i, char column)
{
    return (float)(i * 10 + column);
}

/* A table of columns with one-letter names, and labels with names. */
static void make_table(const char *name, const char *columns, size_t classes, const char *const *class_names)
{
    const size_t count = strlen(columns);
    char text[8][2];
    const char *names[8];
    const mot_sample_format format = {
        .kind = MOT_SAMPLE_VECTOR, .element = MOT_ELEMENT_F32, .tokens = 1, .features = count};
    mot_dataset_writer *writer;
    mot_ck_ok(mot_dataset_writer_open(&writer, in_folder(name), &format));
    for (int i = 0; i < SAMPLES; ++i) {
        float x[8];
        const int32_t y = (int32_t)((size_t)i % classes);
        for (size_t c = 0; c < count; ++c) x[c] = number(i, columns[c]);
        mot_ck_ok(mot_dataset_writer_add(writer, "train", 1, x, &y, NULL));
    }
    for (size_t c = 0; c < count; ++c) {
        snprintf(text[c], sizeof text[c], "%c", columns[c]);
        names[c] = text[c];
    }
    const mot_dataset_about about = {
        .class_count = classes, .class_names = class_names, .column_names = names};
    mot_ck_ok(mot_dataset_writer_close(&writer, &about, true));
}

static mot_schema schema_of(const char *name)
{
    mot_dataset set;
    mot_schema schema;
    mot_ck_ok(mot_dataset_open(&set, in_folder(name), "train", SIZE_MAX));
    mot_ck_ok(mot_schema_take(&schema, &set));
    mot_dataset_close(&set);
    return schema;
}

static const char *const abc[] = {"a", "b", "c"}, *const cab[] = {"c", "a", "b"},
                         *const abcd[] = {"a", "b", "c", "d"};

START_TEST(columns_and_classes_go_by_name)
{
    make_table("run.h5", "xyz", 3, abc);
    make_table("other.h5", "zqxy", 3, cab);
    mot_schema schema = schema_of("run.h5");
    for (size_t memory = 0; memory < 2; ++memory) { /* from the disk, and from memory */
        mot_dataset set;
        mot_gidx unknown, words;
        mot_ck_ok(mot_dataset_open(&set, in_folder("other.h5"), "train", memory > 0 ? SIZE_MAX : 0));
        mot_ck_ok(mot_schema_adopt(&schema, &set, MOT_ADOPT_LABELS, "other.h5", &unknown, &words));
        ck_assert_int_eq(words, 0);
        for (int i = 0; i < SAMPLES; ++i) {
            float x[COLUMNS], token[COLUMNS];
            int32_t label, group;
            mot_ck_ok(mot_dataset_sample(&set, i, x, &label, &group));
            mot_tokens_decode(&set.format, 0, x, token, NULL);
            for (int c = 0; c < COLUMNS; ++c) {
                ck_assert(x[c] == number(i, "xyz"[c]));
                ck_assert(token[c] == (float)((x[c] - schema.format.normalization.mean[c]) /
                                              schema.format.normalization.deviation[c]));
            }
            ck_assert_str_eq(set.class_names[label], cab[i % 3]);
            ck_assert_int_eq(group, -1);
        }
        mot_dataset_close(&set);
    }
    mot_schema_free(&schema);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
    static const struct {
        const char *columns;
        size_t classes;
        const char *const *names;
        const char *sentence;
    } row[] = {
        {"xy", 3, abc, "other.h5 has no column 'z', which the run learned from"},
        {"xyz", 4, abcd,
         "other.h5: 3 samples are of the class 'd', which the run does not know; it has a, b, c"},
    };
    make_table("run.h5", "xyz", 3, abc);
    mot_schema schema = schema_of("run.h5");
    for (size_t r = 0; r < MOT_COUNT(row); ++r) {
        mot_dataset set;
        mot_gidx unknown, words;
        make_table("other.h5", row[r].columns, row[r].classes, row[r].names);
        mot_ck_ok(mot_dataset_open(&set, in_folder("other.h5"), "train", SIZE_MAX));
        ck_assert_int_eq(mot_schema_adopt(&schema, &set, MOT_ADOPT_LABELS, "other.h5", &unknown, &words),
                         MOT_ERR_INPUT);
        ck_assert_str_eq(mot_error_message(), row[r].sentence);
        mot_dataset_close(&set);
    }
    mot_schema_free(&schema);
}
END_TEST

START_TEST(a_file_gives_it_back)
{
    make_table("run.h5", "xyz", 3, abc);
    mot_schema schema = schema_of("run.h5"), back;
    hid_t file;
    mot_ck_ok(mot_h5_create_file(&file, in_folder("other.h5"), MOT_H5_HEAD));
    mot_ck_ok(mot_schema_read(&back, file, "none"));
    ck_assert_uint_eq(back.format.bytes, 0); /* there is none */
    mot_ck_ok(mot_schema_write(&schema, file));
    mot_ck_ok(mot_h5_close_file(&file, in_folder("other.h5"), true));
    mot_ck_ok(mot_h5_open_sealed(&file, in_folder("other.h5"), "file"));
    mot_ck_ok(mot_schema_read(&back, file, "other.h5"));
    ck_assert_uint_eq(back.format.bytes, schema.format.bytes);
    ck_assert_uint_eq(back.format.features, COLUMNS);
    ck_assert_int_eq(back.classes, 3);
    ck_assert_str_eq(back.class_names[2], "c");
    ck_assert_str_eq(back.column_names[1], "y");
    ck_assert_ptr_null(back.group_names);
    ck_assert_uint_eq(back.format.normalization.count, COLUMNS);
    ck_assert_mem_eq(back.format.normalization.mean, schema.format.normalization.mean,
                     2 * COLUMNS * sizeof(double));
    mot_h5_close(&file);
    mot_schema_free(&back);
    mot_schema_free(&schema);
}
END_TEST

static void make_folder(void)
{
    memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    unlink(in_folder("run.h5"));
    unlink(in_folder("other.h5"));
    rmdir(folder);
}

static void schema_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, make_folder, remove_folder);
    tcase_add_test(tcase, columns_and_classes_go_by_name);
    tcase_add_test(tcase, what_does_not_fit_is_refused);
    tcase_add_test(tcase, a_file_gives_it_back);
}

MOT_CK_MAIN("schema", schema_tests)
