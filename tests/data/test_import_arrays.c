/* Arrays of every type and order, word ids with padding, labels of every form, splits by fractions. */
#include <math.h>

#include "import_support.h"

static void open_train(mot_dataset *set, const char *path)
{
    mot_ck_ok(mot_dataset_open(set, path, "train", 1 << 20));
}

/* ---- types: the numbers 0 to 5 as [3, 2], in either order of bytes and of axes ---- */

static const struct {
    const char *type;
    size_t size;
    bool is_float, big;
} types[] = {
    {"|b1", 1, false, false}, {"|i1", 1, false, false}, {"|u1", 1, false, false}, {"<i2", 2, false, false},
    {">i2", 2, false, true},  {"<u2", 2, false, false}, {"<i4", 4, false, false}, {">u4", 4, false, true},
    {"<i8", 8, false, false}, {">u8", 8, false, true},  {"<f2", 2, true, false},  {">f2", 2, true, true},
    {"<f4", 4, true, false},  {">f4", 4, true, true},   {"<f8", 8, true, false},  {">f8", 8, true, true}};

static void put_number(bytes *b, size_t type, int value)
{
    static const uint16_t half[6] = {0, 0x3c00, 0x4000, 0x4200, 0x4400, 0x4500};
    const float single = (float)value;
    const double real = value;
    uint64_t bits = (uint64_t)value;
    if (types[type].is_float && types[type].size == 2) bits = half[value];
    if (types[type].is_float && types[type].size == 4) memcpy(&bits, &single, 4);
    if (types[type].is_float && types[type].size == 8) memcpy(&bits, &real, 8);
    for (size_t i = 0; i < types[type].size; ++i) {
        const size_t from = types[type].big ? types[type].size - 1 - i : i;
        b->byte[b->count++] = (unsigned char)(bits >> 8 * from);
    }
}

START_TEST(every_type)
{
    const bool is_bool = strcmp(types[_i].type, "|b1") == 0;
    const bytes y = npy("<i4", "(3,)", "False", (int32_t[]){0, 1, 0}, 12);
    for (int fortran = 0; fortran < 2; ++fortran) {
        static bytes data;
        data.count = 0;
        for (int k = 0; k < 6; ++k) {
            const int value = fortran ? k % 3 * 2 + k / 3 : k;
            put_number(&data, (size_t)_i, is_bool ? value % 2 : value);
        }
        const bytes x = npy(types[_i].type, "(3, 2)", fortran ? "True" : "False", data.byte, data.count);
        const mot_import_options o = {.out = scratch_path("out.h5"),
                                      .kind = "vector",
                                      .files = {join(save("x.npy", &x), save("y.npy", &y))}};
        mot_dataset set;
        float number[2];
        mot_ck_ok(mot_import_npy(&o));
        open_train(&set, o.out);
        ck_assert(set.samples == 3 && set.format.features == 2);
        for (int i = 0; i < 3; ++i) {
            mot_ck_ok(mot_dataset_read(&set, i, number));
            ck_assert(number[0] == (is_bool ? 0 : 2 * i) && number[1] == (is_bool ? 1 : 2 * i + 1));
        }
        mot_dataset_close(&set);
    }
    scratch_clear();
}
END_TEST

/* Numbers that have their own bits: below zero, subnormal halves, extended precision, above 2^32. */
START_TEST(odd_numbers)
{
    static const struct {
        const char *type;
        unsigned char byte[16];
        size_t size;
        double value;
    } odd[] = {
        {"|i1", {0xfe}, 1, -2},
        {"<i2", {0x00, 0x80}, 2, -32768},
        {">i8", {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfd}, 8, -3},
        {"<u8", {0, 0, 0, 0, 1}, 8, 4294967296.0},
        {"<f2", {0x01, 0x00}, 2, 5.9604644775390625e-08},
        {"<f2", {0x00, 0xc0}, 2, -2},
        {"<f2", {0xff, 0x7b}, 2, 65504},
#if defined(__x86_64__)
        {"<f16", {0, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0x40}, 16, 3},
#endif
    };
    const bytes y = npy("<i4", "(1,)", "False", "\0\0\0", 4);
    for (size_t k = 0; k < MOT_COUNT(odd); ++k) {
        const bytes x = npy(odd[k].type, "(1, 1)", "False", odd[k].byte, odd[k].size);
        const mot_import_options o = {.out = scratch_path("out.h5"),
                                      .kind = "vector",
                                      .files = {join(save("x.npy", &x), save("y.npy", &y))}};
        mot_dataset set;
        float number;
        mot_ck_ok(mot_import_npy(&o));
        open_train(&set, o.out);
        mot_ck_ok(mot_dataset_read(&set, 0, &number));
        ck_assert_msg(number == (float)odd[k].value, "%s: %g", odd[k].type, number);
        mot_dataset_close(&set);
    }
    scratch_clear();
}
END_TEST

/* Heads as Julia, Python 2 and people write them. */
START_TEST(every_head)
{
    static const char *const heads[] = {
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 1L), }\n",
        "{\"descr\": \"<f4\", \"fortran_order\": False, \"shape\": (2, 1)}",
        "{'shape':(2,1),'fortran_order':False,'descr':'=f4'}   \n",
        "{u'descr': b'<f4', 'made': 'by (hand)', 'fortran_order': False, 'shape': (2, 1,)}"};
    const bytes y = npy("<i4", "(2,)", "True", (int32_t[]){0, 1}, 8);
    for (size_t k = 0; k < MOT_COUNT(heads); ++k)
        for (int version = 1; version <= 3; ++version) {
            bytes x = {.count = 0};
            add(&x, "\x93NUMPY", 6);
            add_le(&x, (uint64_t)version, 2);
            add_le(&x, strlen(heads[k]), version == 1 ? 2 : 4);
            add(&x, heads[k], strlen(heads[k]));
            add(&x, (float[]){1.5f, 2.5f}, 8);
            const mot_import_options o = {.out = scratch_path("out.h5"),
                                          .files = {join(save("x.npy", &x), save("y.npy", &y))}};
            mot_ck_ok(mot_import_npy(&o));
        }
    scratch_clear();
}
END_TEST

/* ---- word ids ---- */

static const struct {
    const char *pad;
    int32_t in[8], out[8];
    const char *said;
} pads[] = {
    {NULL, {5, 6, 0, 0, 7, 0, 0, 0}, {5, 6, 0, 0, 7, 0, 0, 0}, NULL},
    {NULL, {0, 0, 5, 6, 0, 0, 0, 7}, {0}, "id 0 stands before other ids: is it padding, or a word? (--pad 0"},
    {"0", {0, 0, 5, 6, 0, 0, 0, 7}, {5, 6, 0, 0, 7, 0, 0, 0}, NULL},
    {"1", {0, 5, 1, 1, 0, 6, 7, 1}, {1, 6, 0, 0, 1, 7, 8, 0}, NULL},
    {"1", {1, 1, 5, 2, 1, 1, 1, 1}, {5, 2, 0, 0, 0, 0, 0, 0}, NULL},
    {"-100", {5, 6, -100, -100, 7, 8, 9, -100}, {5, 6, 0, 0, 7, 8, 9, 0}, NULL},
    {"none", {0, 5, 6, 0, 7, 0, 0, 0}, {1, 6, 7, 1, 8, 1, 1, 1}, NULL},
    {NULL, {5, 6, -1, -1, 7, 8, 9, -1}, {0}, "(--pad -1, if that is padding"}};

START_TEST(padding)
{
    const bytes x = npy("<i4", "(2, 4)", "False", pads[_i].in, sizeof pads[_i].in),
                y = npy("<i4", "(2,)", "False", (int32_t[]){0, 1}, 8);
    const mot_import_options o = {.out = scratch_path("out.h5"),
                                  .pad = pads[_i].pad,
                                  .files = {join(save("x.npy", &x), save("y.npy", &y))}};
    const mot_status status = mot_import_npy(&o);
    if (pads[_i].said != NULL) {
        ck_assert(status == MOT_ERR_INPUT && strstr(mot_error_message(), pads[_i].said) != NULL);
    } else {
        mot_dataset set;
        int32_t ids[4];
        mot_ck_ok(status);
        open_train(&set, o.out);
        for (int i = 0; i < 2; ++i) {
            mot_ck_ok(mot_dataset_read(&set, i, ids));
            ck_assert_mem_eq(ids, pads[_i].out + 4 * i, sizeof ids);
        }
        mot_dataset_close(&set);
    }
    scratch_clear();
}
END_TEST

/* ---- labels ---- */

static const struct {
    const char *type, *shape, *label_column;
    unsigned char byte[32];
    size_t size;
    int32_t first, last; /* of 4 samples; two classes */
    const char *said;
} labels[] = {
    {"|i1", "(4,)", NULL, {0, 1, 0, 1}, 4, 0, 1, NULL},
    {"|b1", "(4,)", NULL, {1, 0, 0, 1}, 4, 1, 1, NULL},
    {"<f4", "(4,)", NULL, {0, 0, 0, 0, 0, 0, 0x80, 0x3f, 0, 0, 0x80, 0x3f}, 16, 0, 0, NULL},
    {"|u1", "(4, 1)", NULL, {1, 0, 0, 1}, 4, 1, 1, NULL},
    {"|u1", "(1, 4)", NULL, {1, 0, 0, 1}, 4, 1, 1, NULL},
    {"|u1", "(4, 2)", NULL, {1, 0, 0, 1, 0, 1, 1, 0}, 8, 0, 0, NULL},
    {"|u1", "(4, 2)", "last", {1, 0, 1, 1, 0, 1, 1, 0}, 8, 0, 0, NULL},
    {"|u1", "(4, 2)", NULL, {1, 0, 1, 1, 0, 1, 1, 0}, 8, 0, 0, "one label a sample (--label-column N"},
    {"|S2", "(4,)", NULL, {'b', 'b', 'a', 0, 'a', ' ', 'b', 'b'}, 8, 1, 1, NULL},
    {"<U1", "(4,)", NULL, {'b', 0, 0, 0, 0xe4, 0, 0, 0, 'b', 0, 0, 0, 0xe4}, 16, 0, 1, NULL},
    {"<f4", "(4,)", NULL, {0, 0, 0, 0x3f}, 16, 0, 0, "(regression)"},
    {"<f4", "(4,)", NULL, {0, 0, 0xc0, 0x7f}, 16, 0, 0, "the label is missing ('nan')"},
    {"|u1", "(3,)", NULL, {0, 1, 0}, 3, 0, 0, "expected one label for each of the 4 samples"},
    {"|u1", "(4, 3)", NULL, {1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0}, 12, 0, 0, "a label a token"}};

/* Targets that are numbers, of the four samples above; said: NULL, they are read as `value`. */
static const struct {
    const char *type, *shape;
    const void *data;
    size_t size, numbers;
    float value[4]; /* of the last sample */
    const char *said;
} targets[] = {
    {"<f4", "(4,)", (const float[]){1, 2, 3, 0.5f}, 16, 1, {0.5f}, NULL},
    {"<f8", "(4, 1)", (const double[]){1, 2, 3, -7.25}, 32, 1, {-7.25f}, NULL},
    {"<i4", "(1, 4)", (const int32_t[]){1, 2, 3, 9}, 16, 1, {9}, NULL},
    {"<f4", "(4, 2)", (const float[]){1, 2, 3, 4, 5, 6, 7, 8}, 32, 2, {7, 8}, NULL},
    {"<f4", "(4,)", (const float[]){1, 2, NAN, 4}, 16, 0, {0}, "sample 2: number 0 of its target is not finite"},
    {"<f8", "(4, 2)", (const double[]){1, 2, 3, 4, 5, 6, 7, 1e300}, 64, 0, {0}, "sample 3: number 1 of its target"},
    {"<f4", "(3,)", (const float[]){1, 2, 3}, 12, 0, {0}, "expected one target for each of the 4 samples"},
    {"|S2", "(4,)", "aabbccdd", 8, 0, {0}, "expected numbers, one or several a sample"}};

START_TEST(every_target)
{
    const int32_t ids[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3};
    const bytes x = npy("<i4", "(4, 3)", "False", ids, sizeof ids),
                y = npy(targets[_i].type, targets[_i].shape, "False", targets[_i].data, targets[_i].size);
    mot_import_options o = {.out = scratch_path("out.h5"), .numbers = true};
    o.files[0] = join(save("x.npy", &x), save("y.npy", &y));
    const mot_status status = mot_import_npy(&o);
    if (targets[_i].said != NULL) {
        ck_assert_int_eq(status, MOT_ERR_INPUT);
        ck_assert_msg(strstr(mot_error_message(), targets[_i].said) != NULL, "%s", mot_error_message());
        ck_assert_int_ne(access(o.out, F_OK), 0);
    } else {
        mot_dataset set;
        ck_assert_msg(status == MOT_OK, "%s", mot_error_message());
        mot_ck_ok(mot_dataset_open(&set, o.out, "train", 1 << 16));
        ck_assert(set.classes == 0 && set.target_bytes == targets[_i].numbers * sizeof(float));
        ck_assert_mem_eq(set.target + 3 * set.target_bytes, targets[_i].value, set.target_bytes);
        mot_dataset_close(&set);
    }
    scratch_clear();
}
END_TEST

START_TEST(every_label)
{
    const int32_t ids[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3};
    const bytes x = npy("<i4", "(4, 3)", "False", ids, sizeof ids),
                y = npy(labels[_i].type, labels[_i].shape, "False", labels[_i].byte, labels[_i].size);
    const mot_import_options o = {.out = scratch_path("out.h5"),
                                  .label_column = labels[_i].label_column,
                                  .files = {join(save("x.npy", &x), save("y.npy", &y))}};
    const mot_status status = mot_import_npy(&o);
    if (labels[_i].said != NULL) {
        ck_assert_msg(status == MOT_ERR_INPUT && strstr(mot_error_message(), labels[_i].said) != NULL,
                      "%d: %s", _i, mot_error_message());
    } else {
        mot_dataset set;
        ck_assert_msg(status == MOT_OK, "%d: %s", _i, mot_error_message());
        open_train(&set, o.out);
        ck_assert_msg(set.classes == 2 && mot_dataset_class(&set, 0) == labels[_i].first &&
                          mot_dataset_class(&set, 3) == labels[_i].last,
                      "%d", _i);
        mot_dataset_close(&set);
    }
    scratch_clear();
}
END_TEST

/* ---- kinds ---- */

START_TEST(kinds)
{
    static const struct {
        const char *type, *shape, *kind;
        mot_picture_layout layout;
        mot_sample_kind is;
        size_t a, b; /* features and tokens, or height and channels */
        const char *said;
    } cases[] = {{"|u1", "(2, 12)", NULL, 0, MOT_SAMPLE_VECTOR, 12, 1, NULL},
                 {"|u1", "(2, 3, 4)", NULL, 0, MOT_SAMPLE_PICTURE, 3, 1, NULL},
                 {"|u1", "(2, 3, 4)", "vector", 0, MOT_SAMPLE_VECTOR, 4, 3, NULL},
                 {"|u1", "(2, 1, 12, 1)", NULL, 0, 0, 0, 0, "(--layout chw, --layout hwc)"},
                 {"|u1", "(2, 1, 12, 1)", NULL, MOT_LAYOUT_HWC, MOT_SAMPLE_PICTURE, 1, 1, NULL},
                 {"|u1", "(2, 12, 1, 1)", NULL, 0, MOT_SAMPLE_PICTURE, 12, 1, NULL},
                 {"|i1", "(2, 3, 4)", NULL, 0, 0, 0, 0, "(--kind picture, --kind vector)"},
                 {"|i1", "(2, 3, 4)", "picture", 0, MOT_SAMPLE_PICTURE, 3, 1, NULL},
                 {"|u1", "(2, 12)", "picture", 0, 0, 0, 0, "expected [n, H, W]"},
                 {"|u1", "(2, 12)", "text", 0, MOT_SAMPLE_TEXT, 0, 12, NULL}};
    unsigned char byte[24];
    for (size_t i = 0; i < sizeof byte; ++i) byte[i] = (unsigned char)(1 + i);
    const bytes y = npy("|u1", "(2,)", "False", "\0\1", 2);
    for (size_t k = 0; k < MOT_COUNT(cases); ++k) {
        const bytes x = npy(cases[k].type, cases[k].shape, "False", byte, sizeof byte);
        const mot_import_options o = {.out = scratch_path("out.h5"),
                                      .kind = cases[k].kind,
                                      .layout = cases[k].layout,
                                      .files = {join(save("x.npy", &x), save("y.npy", &y))}};
        const mot_status status = mot_import_npy(&o);
        if (cases[k].said != NULL) {
            ck_assert_msg(status == MOT_ERR_INPUT && strstr(mot_error_message(), cases[k].said) != NULL,
                          "%zu: %s", k, mot_error_message());
            continue;
        }
        mot_dataset set;
        ck_assert_msg(status == MOT_OK, "%zu: %s", k, mot_error_message());
        open_train(&set, o.out);
        const mot_sample_format *f = &set.format;
        const bool picture = cases[k].is == MOT_SAMPLE_PICTURE;
        ck_assert_msg(f->kind == cases[k].is && (picture ? f->height : f->features) == cases[k].a &&
                          (picture ? f->channels : f->tokens) == cases[k].b,
                      "%zu", k);
        mot_dataset_close(&set);
    }
    scratch_clear();
}
END_TEST

/* [2, 12, 1, 3]: a column of pixels with its colours at the end becomes three planes. */
START_TEST(channels_last)
{
    unsigned char byte[2 * 12 * 3], sample[36];
    for (size_t i = 0; i < sizeof byte; ++i) byte[i] = (unsigned char)i;
    const bytes y = npy("|u1", "(2,)", "False", "\0\1", 2),
                x = npy("|u1", "(2, 12, 1, 3)", "False", byte, sizeof byte);
    const mot_import_options o = {.out = scratch_path("out.h5"),
                                  .layout = MOT_LAYOUT_HWC,
                                  .files = {join(save("x.npy", &x), save("y.npy", &y))}};
    mot_dataset set;
    mot_ck_ok(mot_import_npy(&o));
    open_train(&set, o.out);
    ck_assert(set.format.channels == 3 && set.format.height == 12 && set.format.width == 1);
    mot_ck_ok(mot_dataset_read(&set, 1, sample));
    for (size_t c = 0; c < 3; ++c)
        for (size_t h = 0; h < 12; ++h) ck_assert_uint_eq(sample[12 * c + h], 36 + 3 * h + c);
    mot_dataset_close(&set);
    scratch_clear();
}
END_TEST

/* ---- fractions ---- */

/* Of 40, 20 and 3 samples of three classes a quarter and a tenth, each sample once, and the same again by the same seed. */
START_TEST(fractions)
{
    char text[4000] = "";
    int of_class[3] = {40, 20, 3};
    for (int i = 0, c = 0, k = 0; i < 63; ++i) {
        snprintf(text + strlen(text), 20, "%d,%d\n", 100 + i, c);
        if (++k == of_class[c]) ++c, k = 0;
    }
    mot_import_options o = {.out = scratch_path("out.h5"),
                            .test_fraction = 0.25,
                            .val_fraction = 0.1,
                            .header = MOT_ANSWER_NO,
                            .files = {save_text("t.csv", text)}};
    static const char *const splits[] = {"train", "val", "test"};
    static const int right[3][3] = {{26, 13, 2}, {4, 2, 0}, {10, 5, 1}};
    char checksum[2][MOT_DIGEST_TEXT];
    for (int round = 0; round < 3; ++round) {
        bool seen[63] = {false};
        o.seed = round == 2;
        mot_ck_ok(mot_import_csv(&o));
        for (int s = 0; s < 3; ++s) {
            mot_dataset set;
            int count[3] = {0};
            mot_ck_ok(mot_dataset_open(&set, o.out, splits[s], 1 << 20));
            for (mot_gidx i = 0; i < set.samples; ++i) {
                float number;
                mot_ck_ok(mot_dataset_read(&set, i, &number));
                ck_assert(!seen[(int)number - 100]);
                seen[(int)number - 100] = true;
                ++count[mot_dataset_class(&set, i)];
            }
            for (int c = 0; c < 3; ++c)
                ck_assert_msg(count[c] == right[s][c], "%s, class %d: %d", splits[s], c, count[c]);
            if (s == 2 && round < 2) strcpy(checksum[round], set.checksum);
            if (s == 2 && round == 2) ck_assert_str_ne(checksum[0], set.checksum);
            mot_dataset_close(&set);
        }
    }
    ck_assert_str_eq(checksum[0], checksum[1]);
    o.files[2] = o.files[0];
    ck_assert_int_eq(mot_import_csv(&o), MOT_ERR_INPUT);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "--test-fraction and --test: give one of them"));
    scratch_clear();
}
END_TEST

static void import_arrays_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, every_type, 0, MOT_COUNT(types));
    tcase_add_test(tcase, odd_numbers);
    tcase_add_test(tcase, every_head);
    tcase_add_loop_test(tcase, padding, 0, MOT_COUNT(pads));
    tcase_add_loop_test(tcase, every_label, 0, MOT_COUNT(labels));
    tcase_add_loop_test(tcase, every_target, 0, MOT_COUNT(targets));
    tcase_add_test(tcase, kinds);
    tcase_add_test(tcase, channels_last);
    tcase_add_test(tcase, fractions);
    tcase_add_unchecked_fixture(tcase, NULL, scratch_remove);
}

MOT_CK_MAIN("import_arrays", import_arrays_tests)
