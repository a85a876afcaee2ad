/* Importers on small files made here, and on the real sets where they are installed. */
#include <math.h>

#include "import_support.h"

START_TEST(idx)
{
    const bytes x = idx_pictures(2051, 4, 2, 3, 24), y = idx_labels(2049, 4, 4);
    mot_import_options o = {.out = scratch_path("out.h5"), .class_names = "a,b,c"};
    o.files[0] = join(save("x", &x), save_gz("y.gz", &y));
    o.files[2] = o.files[0];
    mot_dataset set;
    mot_ck_ok(mot_import_idx(&o));
    mot_ck_ok(mot_dataset_open(&set, o.out, "test", 1000));
    unsigned char sample[6];
    mot_ck_ok(mot_dataset_read(&set, 2, sample));
    ck_assert(set.samples == 4 && set.classes == 3 && set.groups == 0 && sample[0] == 12 &&
              mot_dataset_class(&set, 2) == 2);
    ck_assert(fabs(set.format.normalization.mean[0] - 11.5 / 255) < 1e-12);
    mot_dataset_close(&set);
    scratch_clear();
}
END_TEST

START_TEST(cifar_records)
{
    for (int kind = 10; kind <= 100; kind += 90) {
        static bytes b;
        b = cifar(kind, 5);
        mot_import_options o = {.out = scratch_path("out.h5"), .files = {save("train", &b)}};
        mot_dataset set;
        mot_ck_ok(mot_import_cifar(&o));
        mot_ck_ok(mot_dataset_open(&set, o.out, "train", 0));
        unsigned char sample[3072];
        mot_ck_ok(mot_dataset_read(&set, 3, sample));
        ck_assert(set.classes == kind && set.groups == (kind == 100 ? 20 : 0) && set.format.channels == 3);
        ck_assert(sample[0] == 103 && sample[3071] == 103 &&
                  mot_dataset_class(&set, 3) == (kind == 100 ? 63 : 3));
        mot_dataset_close(&set);
        scratch_clear();
    }
}
END_TEST

START_TEST(numpy)
{
    const float f4[6] = {1, 2, 3, 4, 5, 6};
    const double f8[6] = {1, 2, 3, 4, 5, 6};
    const int64_t y8[3] = {0, 2, 1}, ids[6] = {5, 0, 7, 1, 1, 2}; /* 0 is a word: all are stored plus 1 */
    const int32_t g4[3] = {1, 1, 0};
    bytes y = npy("<i8", "(3,)", "False", y8, sizeof y8), g = npy("<i4", "(3,)", "False", g4, sizeof g4);
    bytes x[4] = {
        npy("<f4", "(3, 2)", "False", f4, sizeof f4), npy("<f8", "(3, 1, 2)", "False", f8, sizeof f8),
        npy("<i8", "(3, 2)", "False", ids, sizeof ids), npy("|u1", "(3, 1, 2)", "False", "abcdef", 6)};
    mot_import_options o = {.out = scratch_path("out.h5"), .pad = "none"};
    mot_dataset set;
    for (int i = 0; i < 4; ++i)
        for (int zipped = 0; zipped < 3; ++zipped) { /* files, stored, deflated */
            static bytes zip, directory;
            zip.count = directory.count = 0;
            zip_member(&zip, &directory, "x.npy", &x[i], zipped == 2);
            zip_member(&zip, &directory, "group.npy", &g, zipped == 2);
            zip_member(&zip, &directory, "y.npy", &y, zipped == 2);
            zip_end(&zip, &directory, 3);
            o.files[0] = zipped ? save("set.npz", &zip)
                                : join(join(save("x.npy", &x[i]), save("y.npy", &y)), save("g.npy", &g));
            mot_ck_ok(mot_import_npy(&o));
            mot_ck_ok(mot_dataset_open(&set, o.out, "train", 1000));
            ck_assert(set.samples == 3 && set.classes == 3 && set.groups == 2 &&
                      mot_dataset_class(&set, 1) == 2 && set.group[2] == 0);
            int32_t sample[2];
            float number[2];
            mot_ck_ok(mot_dataset_read(&set, 1, sample));
            memcpy(number, sample, sizeof number);
            if (i < 2) ck_assert(number[0] == 3 && number[1] == 4 && set.format.features == 2);
            if (i == 2) ck_assert(sample[0] == 8 && sample[1] == 2 && set.format.vocabulary == 9);
            if (i == 3) ck_assert(memcmp(sample, "cd", 2) == 0 && set.format.width == 2);
            mot_dataset_close(&set);
        }
    scratch_clear();
}
END_TEST

START_TEST(texts)
{
    const char *train = "yes\tg1\tOne two two\r\nno\tg2\ttwo ONE three\n\nyes\tg1\tone\n";
    mot_import_options o = {.out = scratch_path("out.h5"), .length = 3, .min_count = 2};
    o.files[0] = save_text("train", train);
    o.files[2] = save_text("test", "no\tg2\t\nyes\tg1\tone  none two one\n");
    mot_dataset set;
    int32_t ids[3];
    mot_ck_ok(mot_import_text(&o));
    mot_ck_ok(mot_dataset_open(&set, o.out, "train", 1000));
    ck_assert(set.samples == 3 && set.classes == 2 && set.groups == 2 && set.format.vocabulary == 4);
    ck_assert_str_eq(set.class_names[0], "no");
    mot_ck_ok(mot_dataset_read(&set, 1, ids));
    ck_assert(ids[0] == 3 && ids[1] == 2 && ids[2] == 1 && mot_dataset_class(&set, 1) == 0 &&
              set.group[1] == 1);
    mot_dataset_close(&set);
    mot_ck_ok(mot_dataset_open(&set, o.out, "test", 0));
    mot_ck_ok(mot_dataset_read(&set, 0, ids));
    ck_assert(ids[0] == 0);
    mot_ck_ok(mot_dataset_read(&set, 1, ids));
    ck_assert(ids[0] == 2 && ids[1] == 1 && ids[2] == 3);
    mot_dataset_close(&set);

    o = (mot_import_options){.out = o.out, .bytes = true, .length = 4};
    o.files[0] = save_text("train", "a\th\xc3\xa4\nb\tabcdefg");
    mot_ck_ok(mot_import_text(&o));
    mot_ck_ok(mot_dataset_open(&set, o.out, "train", 1000));
    unsigned char byte[4];
    mot_ck_ok(mot_dataset_read(&set, 0, byte));
    ck_assert(memcmp(byte, "h\xc3\xa4", 4) == 0 && set.format.vocabulary == 256 && set.groups == 0);
    mot_ck_ok(mot_dataset_read(&set, 1, byte));
    ck_assert(memcmp(byte, "abcd", 4) == 0);
    mot_dataset_close(&set);
    scratch_clear();
}
END_TEST

START_TEST(csv)
{
    char text[4000] = "a,b,c,d,label\n";
    for (int i = 0; i < 50; ++i) snprintf(text + strlen(text), 60, "%d,1,2, 3.0 ,%d\n", i, i % 2);
    mot_import_options o = {.out = scratch_path("out.h5"), .test_fraction = 0.2, .shape = {1, 2, 2}};
    o.files[0] = save_text("table", text);
    mot_dataset train, test;
    mot_ck_ok(mot_import_csv(&o));
    mot_ck_ok(mot_dataset_open(&train, o.out, "train", 1000));
    mot_ck_ok(mot_dataset_open(&test, o.out, "test", 1000));
    ck_assert(train.samples == 40 && test.samples == 10 && train.format.height == 2);
    bool seen[50] = {false};
    for (mot_gidx i = 0; i < 50; ++i) {
        unsigned char sample[4];
        mot_ck_ok(mot_dataset_read(i < 40 ? &train : &test, i % 40, sample));
        ck_assert(sample[0] < 50 && !seen[sample[0]] && sample[3] == 3);
        seen[sample[0]] = true;
    }
    mot_dataset_close(&train);
    mot_dataset_close(&test);
    o = (mot_import_options){
        .out = o.out, .label_column = "1", .files = {save_text("table", "1;-2.5e1\n0;7")}};
    mot_ck_ok(mot_import_csv(&o));
    mot_ck_ok(mot_dataset_open(&train, o.out, "train", 1000));
    float number;
    mot_ck_ok(mot_dataset_read(&train, 0, &number));
    ck_assert(number == -25 && mot_dataset_class(&train, 0) == 1 && train.format.kind == MOT_SAMPLE_VECTOR);
    mot_dataset_close(&train);
    scratch_clear();
}
END_TEST

/* ---- the real sets ---- */

static const char *data_file(const char *name)
{
    static char paths[8][600];
    static int next;
    char *path = paths[next++ % 8];
    const char *folder = getenv("MOT_DATA"), *source = getenv("MOT_SOURCE_DIR");
    if (folder != NULL)
        snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    else
        snprintf(path, sizeof paths[0], "%s/../shared/data/%s", source != NULL ? source : ".", name);
    return path;
}

START_TEST(real_fashion)
{
    const char *folder = "/usr/share/datasets/fashion-mnist/";
    char files[2][600];
    for (int i = 0; i < 2; ++i) {
        const char *name = i == 0 ? "train" : "t10k";
        snprintf(files[i], sizeof files[i], "%s%s-images-idx3-ubyte.gz,%s%s-labels-idx1-ubyte.gz", folder,
                 name, folder, name);
    }
    if (access(folder, R_OK) != 0) {
        printf("skipped: no Fashion-MNIST (install dataset-fashion-mnist)\n");
        return;
    }
    mot_import_options o = {.out = scratch_path("fashion.h5"), .files = {files[0], NULL, files[1]}};
    mot_dataset set;
    mot_ck_ok(mot_import_idx(&o));
    mot_ck_ok(mot_dataset_open(&set, o.out, "test", (size_t)1 << 30));
    ck_assert(set.samples == 10000 && set.classes == 10);
    ck_assert(fabs(set.format.normalization.mean[0] - 0.2860) < 5e-5 &&
              fabs(set.format.normalization.deviation[0] - 0.3530) < 5e-5);
    mot_dataset_close(&set);
    scratch_clear();
}
END_TEST

START_TEST(real_cifar)
{
    mot_import_options o = {.out = scratch_path("cifar.h5"),
                            .files = {data_file("cifar100-mid-test.bin.xz")}};
    if (access(o.files[0], R_OK) != 0) {
        printf("skipped: no cifar100-mid (set MOT_DATA)\n");
        return;
    }
    o.class_names = data_file("cifar100-fine-labels.txt");
    o.group_names = data_file("cifar100-coarse-labels.txt");
    mot_dataset set;
    int parent[100], children[20] = {0};
    mot_ck_ok(mot_import_cifar(&o));
    mot_ck_ok(mot_dataset_open(&set, o.out, "train", (size_t)1 << 30));
    ck_assert(set.samples == 2000 && set.classes == 100 && set.groups == 20);
    ck_assert(mot_dataset_label_groups(&set, parent));
    for (int c = 0; c < 100; ++c) ++children[parent[c]];
    for (int g = 0; g < 20; ++g) ck_assert_int_eq(children[g], 5);
    ck_assert_str_eq(set.class_names[0], "apple");
    mot_dataset_close(&set);
    scratch_clear();
}
END_TEST

START_TEST(real_clinc)
{
    mot_import_options o = {.out = scratch_path("clinc.h5"),
                            .files = {data_file("clinc150-train.tsv.xz"), data_file("clinc150-val.tsv.xz"),
                                      data_file("clinc150-test.tsv.xz")},
                            .length = 16};
    if (access(o.files[0], R_OK) != 0) {
        printf("skipped: no clinc150 (set MOT_DATA)\n");
        return;
    }
    mot_dataset set;
    mot_ck_ok(mot_import_text(&o));
    mot_ck_ok(mot_dataset_open(&set, o.out, "val", 0));
    ck_assert(set.samples == 3000 && set.classes == 150 && set.groups == 10);
    ck_assert(set.format.vocabulary == 2301 + 2 &&
              set.format.tokens == 16); /* padding and unknown beside the words */
    mot_dataset_close(&set);
    scratch_clear();
}
END_TEST

static void import_tests(TCase *tcase)
{
    tcase_add_test(tcase, idx);
    tcase_add_test(tcase, cifar_records);
    tcase_add_test(tcase, numpy);
    tcase_add_test(tcase, texts);
    tcase_add_test(tcase, csv);
    tcase_add_test(tcase, real_fashion);
    tcase_add_test(tcase, real_cifar);
    tcase_add_test(tcase, real_clinc);
    tcase_add_unchecked_fixture(tcase, NULL, scratch_remove);
}

MOT_CK_MAIN("import", import_tests)
