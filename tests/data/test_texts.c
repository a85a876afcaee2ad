/* Texts whose padding would be most of a file keep lengths of their own there and in memory; whoever reads them sees the padding. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ck.h"
#include "mot/dataset.h"
#include "mot/h5.h"
#include "scratch.h"

enum { TEXTS = 400, LONG = 3000, MOST = LONG + 10, LONGEST = 123 }; /* one text has all LONG tokens */

/* Token t of a text: most are short, some are empty, and one has a 0 among its words, which nobody wrote but may stand there. */
static int token_of(int text, int t)
{
    if (text == LONGEST) return 1 + t % 200;
    if (text == 7) return t < 5 && t != 2 ? 9 : 0;
    return t < text % 11 ? 1 + (text + t) % 255 : 0;
}

static void fill(mot_element element, int text, size_t tokens, void *out)
{
    for (size_t t = 0; t < tokens; ++t) {
        if (element == MOT_ELEMENT_I32) ((int32_t *)out)[t] = token_of(text, (int)t);
        if (element == MOT_ELEMENT_U8) ((unsigned char *)out)[t] = (unsigned char)token_of(text, (int)t);
    }
}

static void make(const char *path, mot_element element, size_t tokens)
{
    const mot_sample_format format = {.kind = MOT_SAMPLE_TEXT, .element = element, .tokens = tokens, .vocabulary = 256};
    const mot_dataset_about about = {.title = "test"};
    static int32_t x[3 * MOST];
    mot_dataset_writer *writer;
    mot_ck_ok(mot_dataset_writer_open(&writer, path, &format));
    for (int i = 0; i < TEXTS; i += 3) { /* some at a time, and the last ones */
        const size_t count = MOT_MIN((size_t)3, (size_t)(TEXTS - i)), bytes = tokens * mot_element_bytes(element);
        const int32_t label[] = {0, 1, 0};
        for (size_t k = 0; k < count; ++k) fill(element, i + (int)k, tokens, (unsigned char *)x + k * bytes);
        mot_ck_ok(mot_dataset_writer_add(writer, i % 2 == 0 ? "train" : "test", count, x, label, NULL));
    }
    mot_ck_ok(mot_dataset_writer_close(&writer, &about, true));
}

/* The texts of a split, in the order that they were added in. */
static void check(const char *path, mot_element element, size_t tokens, const char *name, size_t memory, bool in_memory)
{
    static int32_t want[MOST], got[MOST];
    mot_dataset set;
    mot_gidx at = 0;
    mot_ck_ok(mot_dataset_open(&set, path, name, memory));
    ck_assert(set.format.tokens == tokens && set.format.bytes == tokens * mot_element_bytes(element));
    ck_assert(mot_dataset_waits(&set) == !in_memory);
    for (int i = 0; i < TEXTS; i += 3)
        for (int k = i; k < MOT_MIN(i + 3, TEXTS) && (i % 2 == 0) == (strcmp(name, "train") == 0); ++k, ++at) {
            memset(got, 0xff, sizeof got);
            (void)mot_dataset_expect(&set, at);
            mot_ck_ok(mot_dataset_read(&set, at, got));
            fill(element, k, tokens, want);
            ck_assert_msg(memcmp(got, want, set.format.bytes) == 0, "text %d of %s", k, name);
        }
    ck_assert_int_eq(at, set.samples);
    mot_dataset_close(&set);
}

START_TEST(keep_their_lengths)
{
    const char *path = scratch_path("texts.h5");
    static const mot_element elements[] = {MOT_ELEMENT_I32, MOT_ELEMENT_U8};
    for (size_t e = 0; e < MOT_COUNT(elements); ++e) {
        struct stat about;
        make(path, elements[e], MOST);
        ck_assert_int_eq(stat(path, &about), 0);
        ck_assert_int_lt(about.st_size, 150000); /* padded: 1.2 or 4.8 million bytes */
        for (int s = 0; s < 2; ++s) {
            check(path, elements[e], MOST, s == 0 ? "train" : "test", 0, false);
            check(path, elements[e], MOST, s == 0 ? "train" : "test", 100000, true);
        }
    }
    scratch_clear();
}
END_TEST

/* Where padding costs little, x is a table as before. */
START_TEST(stay_a_table)
{
    const char *path = scratch_path("texts.h5");
    hid_t file;
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK];
    make(path, MOT_ELEMENT_I32, 12);
    check(path, MOT_ELEMENT_I32, 12, "train", 1 << 20, true);
    check(path, MOT_ELEMENT_I32, 12, "test", 0, false);
    mot_ck_ok(mot_h5_open(&file, path, false));
    mot_ck_ok(mot_h5_shape(file, "train/x", &rank, shape));
    ck_assert(rank == 2 && shape[1] == 12 && !mot_h5_exists(file, "train/first"));
    mot_h5_close(&file);
    scratch_clear();
}
END_TEST

/* ---- how many tokens some of them may have together ---- */

static int falling(const void *left, const void *right)
{
    return *(const int *)right - *(const int *)left;
}

/* The longest ones, each as often as it may come, added up one after the other. */
static size_t most_tokens_twin(const int *tokens, size_t texts, size_t count, size_t times)
{
    size_t sum = 0;
    for (size_t i = 0; i < texts * times && i < count; ++i) sum += (size_t)tokens[i / times];
    return sum;
}

START_TEST(most_tokens_are_those_of_the_longest)
{
    const char *path = scratch_path("texts.h5");
    int tokens[TEXTS];
    mot_dataset set;
    make(path, MOT_ELEMENT_I32, MOST);
    mot_ck_ok(mot_dataset_open(&set, path, "test", 0)); /* with the longest */
    const size_t texts = (size_t)set.samples;
    static int32_t x[MOST];
    for (size_t i = 0; i < texts; ++i) {
        mot_ck_ok(mot_dataset_read(&set, (mot_gidx)i, x));
        for (tokens[i] = MOST; tokens[i] > 1 && x[tokens[i] - 1] == 0;) --tokens[i]; /* an empty one counts as one */
    }
    qsort(tokens, texts, sizeof *tokens, falling);
    ck_assert_int_eq(tokens[0], MOST);
    for (size_t times = 1; times <= 3; ++times)
        for (size_t count = 0; count <= texts * times + 2; ++count)
            ck_assert_uint_eq(mot_dataset_most_tokens(&set, count, times), most_tokens_twin(tokens, texts, count, times));
    mot_dataset_close(&set);

    make(path, MOT_ELEMENT_I32, 12); /* a table: lengths are not known */
    mot_ck_ok(mot_dataset_open(&set, path, "test", 0));
    ck_assert_uint_eq(mot_dataset_most_tokens(&set, 7, 1), 7 * 12);
    mot_dataset_close(&set);
    scratch_clear();
}
END_TEST

/* ---- other hands ---- */

static const struct {
    const char *name, *said;
} faults[] = {
    {"descends", "expected 0 to"},   {"too long", "expected 0 to"},        {"begins late", "texts have the tokens from"},
    {"ends early", "texts have the"}, {"ends late", "expected 0 to"},       {"no first", "first"},
    {"no tokens", "tokens"},         {"tokens 0", "texts are bytes or"},    {"x rank", "do not fit"},
    {"one place", "do not fit"},     {"fewer places", "texts have the"},
};

static void spoil(hid_t file, const char *fault)
{
#define IS(other) (strcmp(fault, other) == 0)
    static int64_t first[TEXTS + 1];
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK], one = 1;
    mot_ck_ok(mot_h5_shape(file, "train/first", &rank, shape));
    mot_ck_ok(mot_h5_read(file, "train/first", H5T_NATIVE_INT64, 1, shape, first));
    const hsize_t last = shape[0] - 1;
    if (IS("descends")) first[4] = first[3] - 1;
    if (IS("too long")) first[last - 1] = 0;
    if (IS("begins late")) first[0] = 1, first[1] = MOT_MAX(first[1], 1);
    if (IS("ends early")) first[last] = first[last - 1];
    if (IS("ends late")) first[last] = INT64_MAX;
    mot_ck_ok(mot_h5_write_rows(file, "train/first", H5T_NATIVE_INT64, 0, shape[0], first));
    if (IS("no first") || IS("one place") || IS("fewer places")) H5Ldelete(file, "train/first", H5P_DEFAULT);
    shape[0] -= 20;
    if (IS("one place")) mot_ck_ok(mot_h5_write(file, "train/first", H5T_NATIVE_INT64, 1, &one, MOT_H5_CONTIGUOUS, first));
    if (IS("fewer places"))
        mot_ck_ok(mot_h5_write(file, "train/first", H5T_NATIVE_INT64, 1, shape, MOT_H5_CONTIGUOUS, first));
    if (IS("no tokens")) H5Adelete(file, "tokens");
    if (IS("tokens 0")) mot_h5_set_int(file, ".", "tokens", 0);
    if (IS("x rank")) {
        static const int32_t table[8];
        H5Ldelete(file, "train/x", H5P_DEFAULT);
        mot_ck_ok(mot_h5_write(file, "train/x", H5T_NATIVE_INT32, 2, (hsize_t[]){2, 4}, MOT_H5_CONTIGUOUS, table));
    }
}

START_TEST(by_other_hands)
{
    const char *path = scratch_path("texts.h5");
    for (size_t f = 0; f < MOT_COUNT(faults); ++f) {
        hid_t file;
        mot_dataset set;
        unlink(path);
        make(path, MOT_ELEMENT_I32, LONG);
        mot_ck_ok(mot_h5_edit(&file, path, path));
        spoil(file, faults[f].name);
        mot_ck_ok(mot_h5_seal(&file, path, path));
        const mot_status status = mot_dataset_open(&set, path, "train", 1 << 20);
        ck_assert_msg(status == MOT_ERR_INPUT, "'%s' gave %d", faults[f].name, status);
        ck_assert_msg(strstr(mot_error_message(), faults[f].said) != NULL, "'%s' said: %s", faults[f].name, mot_error_message());
    }
    scratch_clear();
}
END_TEST

/* A token that changed is seen, and taken where it was changed on purpose. */
START_TEST(changed)
{
    const char *path = scratch_path("texts.h5");
    const int32_t word = 77;
    static int32_t x[LONG];
    mot_dataset set;
    hid_t file;
    make(path, MOT_ELEMENT_I32, LONG);
    for (int renew = 0; renew < 2; ++renew) {
        mot_ck_ok(mot_h5_edit(&file, path, path));
        mot_ck_ok(mot_h5_write_rows(file, "train/x", H5T_NATIVE_INT32, 1, 1, &word)); /* of sample 2, whose tokens are the next */
        if (renew) mot_ck_ok(mot_dataset_renew_sums(file));
        mot_ck_ok(mot_h5_seal(&file, path, path));
        mot_ck_ok(mot_dataset_open(&set, path, "train", 0));
        mot_ck_ok(mot_dataset_read(&set, 1, x));
        ck_assert_int_eq(mot_dataset_read(&set, 2, x), renew ? MOT_OK : MOT_ERR_INPUT);
        if (!renew) ck_assert_ptr_nonnull(strstr(mot_error_message(), "sample 2 has checksum"));
        if (renew) ck_assert(x[0] == word && x[1] == token_of(2, 1) && x[2] == 0);
        mot_dataset_close(&set);
    }
    scratch_clear();
}
END_TEST

static void texts_tests(TCase *tcase)
{
    tcase_add_test(tcase, keep_their_lengths);
    tcase_add_test(tcase, stay_a_table);
    tcase_add_test(tcase, most_tokens_are_those_of_the_longest);
    tcase_add_test(tcase, by_other_hands);
    tcase_add_test(tcase, changed);
    tcase_add_unchecked_fixture(tcase, NULL, scratch_remove);
}

MOT_CK_MAIN("texts", texts_tests)
