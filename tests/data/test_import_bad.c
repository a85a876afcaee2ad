/* Importers on malformed files: each is refused with one sentence, and leaves nothing behind. */
#include <math.h>

#include "import_support.h"

typedef mot_status importer(const mot_import_options *);

static void refuse(importer *import, mot_import_options o, const char *said)
{
    o.out = scratch_path("refused.h5");
    const mot_status status = import(&o);
    ck_assert_msg(status == MOT_ERR_INPUT, "expected '%s', got %d", said, status);
    ck_assert_msg(strstr(mot_error_message(), said) != NULL, "expected '%s', said: %s", said,
                  mot_error_message());
    ck_assert_int_ne(access(o.out, F_OK), 0);
    char temporary[600];
    snprintf(temporary, sizeof temporary, "%s.tmp.%ld", o.out, (long)getpid());
    ck_assert_int_ne(access(temporary, F_OK), 0);
}

static void refuse_file(importer *import, const char *file, const char *said)
{
    refuse(import, (mot_import_options){.files = {file}}, said);
}

START_TEST(bad_idx)
{
    const bytes x = idx_pictures(2051, 4, 2, 3, 24), y = idx_labels(2049, 4, 4),
                other = idx_labels(2049, 5, 5);
    bytes b = x;
    const char *good = save("y", &y), *pictures = save("x", &x);
#define BAD(said) refuse_file(mot_import_idx, join(save("bad", &b), good), said)
    b.count -= 1;
    BAD("23 bytes behind the head, expected 24");
    b.count += 2;
    BAD("25 bytes behind the head");
    b.count = 11;
    BAD("its head alone has 16");
    b.count = 0;
    BAD("is empty");
    b = idx_pictures(2049, 4, 2, 3, 24);
    BAD("32 bytes behind the head, expected 4 numbers of 1 bytes for 4 labels");
    b = idx_pictures(2563, 4, 2, 3, 24);
    BAD("the magic number is 2563, expected two zero bytes");
    b = idx_pictures(2051, 0, 2, 3, 0);
    BAD("cannot be an extent");
    b = idx_pictures(2051, UINT32_MAX, UINT32_MAX, UINT32_MAX, 24);
    BAD("expected extents above 0");
    b = idx_pictures(2051, UINT32_MAX, 100, 100, 24);
    BAD("expected 42949672950000");
    refuse_file(mot_import_idx, join(pictures, save("z", &other)),
                "expected one label for each of the 4 samples");
    refuse_file(mot_import_idx, join(pictures, pictures), "columns of labels: mot learns one label a sample");
    refuse_file(mot_import_idx, pictures, "expected IMAGES,LABELS");
    refuse_file(mot_import_idx, join(pictures, ""), "an empty piece");
    refuse_file(mot_import_idx, join(pictures, "absent"), "No such file");
    const bytes small = idx_pictures(2051, 4, 1, 3, 12);
    refuse(mot_import_idx,
           (mot_import_options){.files = {join(pictures, good), NULL, join(save("s", &small), good)}},
           "another shape than those of train: uint8 [4, 1, 3], and uint8 [4, 2, 3]");
    refuse(mot_import_idx, (mot_import_options){.files = {join(pictures, good)}, .class_names = "a,b"},
           "sample 2 has label 2, expected [0, 2)");
    refuse(mot_import_idx, (mot_import_options){.files = {join(pictures, good)}, .class_names = "absent"},
           "No such file");
    /* Packed files that end early, are damaged, or lie. */
    const char *packed = save_gz("x.gz", &x);
    FILE *file = fopen(packed, "rb");
    b.count = fread(b.byte, 1, sizeof b.byte, file);
    fclose(file);
    b.count -= 9;
    BAD("the gzip data are damaged or cut short");
    b.byte[20] ^= 0x55;
    BAD("the gzip data are damaged or cut short");
    b.count = 0;
    add(&b,
        "\xfd"
        "7zXZ\0abcdefghijk",
        17);
    BAD("the xz data are damaged or cut short");
    scratch_clear();
}
END_TEST

START_TEST(bad_cifar)
{
    static bytes b;
    b = cifar(10, 3);
    b.count -= 1;
    refuse_file(mot_import_cifar, save("bad", &b), "are not whole records");
    b = cifar(10, 3);
    b.byte[3073] = 10;
    refuse_file(mot_import_cifar, save("bad", &b), "are not whole records of 3073 or 3074");
    refuse(mot_import_cifar, (mot_import_options){.files = {save("bad", &b)}, .cifar = 10},
           "byte 3073: label 10");
    refuse(mot_import_cifar, (mot_import_options){.files = {save("bad", &b)}, .cifar = 100},
           "whole records of 3074");
    b = cifar(100, 3);
    b.byte[0] = 20;
    refuse(mot_import_cifar, (mot_import_options){.files = {save("bad", &b)}, .cifar = 100},
           "byte 0: label 20");
    scratch_clear();
}
END_TEST

START_TEST(bad_npy)
{
    const int32_t y4[3] = {0, 2, -1};
    const float f4[3] = {1, NAN, 3};
    const bytes y = npy("<i4", "(3,)", "False", y4, 12), x = npy("<f4", "(3, 1)", "False", f4, 12);
    const bytes good_x = npy("<i4", "(3, 1)", "False", "\1\0\0\0\2\0\0\0\3\0\0", 12);
    const bytes good_y = npy("<i4", "(3,)", "False", "\0\0\0\0\0\0\0\0\0\0\0", 12);
    const char *labels = save("y.npy", &good_y);
    const struct {
        const char *type, *shape, *order, *said;
    } heads[] = {{"<c8", "(3, 1)", "False", "complex"},
                 {"<M8[D]", "(3, 1)", "False", "dates"},
                 {"<V4", "(3, 1)", "False", "bfloat16"},
                 {"<f3", "(3, 1)", "False", "expected bool, integers"},
                 {">f16", "(3, 1)", "False", "expected bool, integers"},
                 {"<f4", "(3, 2)", "False", "expected 6 numbers"},
                 {"<f4", "(0, 2)", "False", "extents above 0"},
                 {"<f4", "3", "False", "has no shape"},
                 {"|O", "(3, 1)", "False", "Python objects"},
                 {"<f4", "()", "False", "one value alone"},
                 {"<f4", "(1, 1, 1, 1, 1, 1, 3)", "False", "extents"},
                 {"<f4", "(3,)", "False", "in 1 dimensions"},
                 {"<f4", "(1099511627776, 1099511627776)", "False", "extents"},
                 {"<f8", "(4611686018427387904, 4)", "False", "extents"}};
    for (size_t i = 0; i < MOT_COUNT(heads); ++i) {
        const bytes b = npy(heads[i].type, heads[i].shape, heads[i].order, f4, 12);
        refuse_file(mot_import_npy, join(save("bad.npy", &b), labels), heads[i].said);
    }
    bytes b = good_x;
    b.byte[8] = b.byte[9] = 0xff;
    refuse_file(mot_import_npy, join(save("bad.npy", &b), labels), "byte 6: a head");
    b.count = 9;
    refuse_file(mot_import_npy, join(save("bad.npy", &b), labels), "not a .npy array");
    refuse_file(mot_import_npy, join(save("x.npy", &good_x), save("bad.npy", &y)),
                "sample 2: -1 is no label");
    refuse_file(mot_import_npy, join(save("x.npy", &x), labels), "is not finite");
    refuse_file(mot_import_npy, join(save("x.npy", &y), labels), "in 1 dimensions");
    b = npy("<i4", "(3, 1)", "False", y4, 12);
    refuse_file(mot_import_npy, join(save("x.npy", &b), labels), "id -1");

    static bytes zip, directory;
    refuse_file(mot_import_npy, save("a.npz", &good_x), "samples without labels");
    refuse_file(mot_import_npy, save_text("a.npz", "PK"), "not a whole .npz file");
    zip_member(&zip, &directory, "x.npy", &good_x, true);
    zip_end(&zip, &directory, 1);
    refuse_file(mot_import_npy, save("a.npz", &zip), "has no array 'y'; it has: x");
    for (size_t at = 0; at < zip.count;
         ++at) { /* every byte wrong once: refused, or unimportant, never a crash */
        zip.byte[at] ^= 0xff;
        mot_import_options o = {.out = scratch_path("refused.h5"), .files = {save("a.npz", &zip)}};
        ck_assert_int_eq(mot_import_npy(&o), MOT_ERR_INPUT);
        zip.byte[at] ^= 0xff;
    }
    scratch_clear();
}
END_TEST

START_TEST(bad_texts)
{
    const struct {
        const char *text, *said;
    } bad[] = {{"only text\n", "line 1: expected label<TAB>group<TAB>text"},
               {"a\tb\tc\td\n", "line 1: expected"},
               {"a\tb\tc\na\tb\n", "line 2 has 2 columns, line 1 has 3"},
               {"a\tb\n\n\tb\n", "line 3 has no label"},
               {"a\tb\na\t\xfc", "line 2: not a text in UTF-8"},
               {"a\tb\na\t\xff\xfe\n", "line 2: not a text in UTF-8"},
               {"a\t\xc0\xaf\n", "line 1: not a text in UTF-8"},
               {"a\t\xed\xa0\x80\n", "line 1: not a text in UTF-8"},
               {"\n\n", "no line of text"},
               {"", "is empty"}};
    for (size_t i = 0; i < MOT_COUNT(bad); ++i)
        refuse_file(mot_import_text, save_text("bad", bad[i].text), bad[i].said);
    refuse(
        mot_import_text,
        (mot_import_options){.files = {save_text("good", "a\tx\n"), NULL, save_text("bad", "a\ty\nb\ty\n")}},
        "line 2: the label 'b' does not occur in");
    refuse(mot_import_text,
           (mot_import_options){.files = {save_text("good", "a\tg\tx\n"), save_text("bad", "a\th\tx\n")}},
           "the group 'h'");
    scratch_write(scratch_path("nul"), "a\tb\0c\n", 6);
    refuse_file(mot_import_text, scratch_path("nul"), "not a text in UTF-8");
    scratch_clear();
}
END_TEST

START_TEST(bad_csv)
{
    const struct {
        const char *text, *said;
    } bad[] = {{"1,2,0\n3,x,0\n", "line 2, column 2: 'x' is not a number"},
               {"1,2\n3\n", "line 2 has 1 columns, line 1 has 2"},
               {"1,2\n3,4,5\n", "line 1 has 2 columns, line 2 has 3"},
               {"1,nan,0\n2,3,1\n", "line 1, column 2: 'nan' is not a number: a value that is missing"},
               {"1,2\ninf,4\n", "'inf' is not a number"},
               {"1e999,2\n3,4\n", "beyond what a float can hold"},
               {"1,2.5\n", "label 2.5, expected a whole number: a label is a class"},
               {"1,-1\n2,0\n", "-1 is no label"},
               {"a,b\n", "no line of numbers"},
               {"7\n8\n", "1 columns, expected a label"},
               {"1,2,0\n3,,1\n", "line 2, column 2: '' is not a number"},
               {"1,2\n3,\n4,5\n", "line 2: the label is missing"},
               {"1 2,3\n4,5\n6 7,8", "line 1, column 1: '1 2' is not a number"},
               {"1e39,0\n", "beyond what a float can hold"},
               {"\"1,2\n3,4\n", "line 1: a quote is never closed"},
               {"\xff\xfe"
                "1\0,",
                "UTF-16"}};
    for (size_t i = 0; i < MOT_COUNT(bad); ++i)
        refuse_file(mot_import_csv, save_text("bad", bad[i].text), bad[i].said);
    const char *good = save_text("good", "1,300,0\n4,5,1\n");
    refuse(mot_import_csv, (mot_import_options){.files = {good}, .label_column = "4"},
           "no column of that number");
    refuse(mot_import_csv, (mot_import_options){.files = {good}, .shape = {1, 2, 2}}, "do not fill");
    refuse(mot_import_csv, (mot_import_options){.files = {good}, .shape = {1, 1, 2}}, "pixel 300");
    refuse(mot_import_csv, (mot_import_options){.files = {good}, .test_fraction = 0.1}, "empty");
    scratch_clear();
}
END_TEST

static void import_bad_tests(TCase *tcase)
{
    tcase_add_test(tcase, bad_idx);
    tcase_add_test(tcase, bad_cifar);
    tcase_add_test(tcase, bad_npy);
    tcase_add_test(tcase, bad_texts);
    tcase_add_test(tcase, bad_csv);
    tcase_add_unchecked_fixture(tcase, NULL, scratch_remove);
}

MOT_CK_MAIN("import_bad", import_bad_tests)
