#include <fcntl.h>
#include <sys/stat.h>

#include "ck.h"
#include "mot/atomic_file.h"
#include "mot/digest.h"
#include "mot/h5.h"
#include "mot/memory.h"
#include "scratch.h"

#define refused(call, part)                                                                                  \
    do {                                                                                                     \
        ck_assert_int_eq((call), MOT_ERR_INPUT);                                                             \
        ck_assert_msg(strstr(mot_error_message(), part) != NULL, "said: %s", mot_error_message());           \
    } while (0)

static const float matrix[6] = {1, 2, 3, 4, 5, 6};

static void fill(hid_t file)
{
    mot_ck_ok(mot_h5_set_text(file, ".", "format", "gr\xc3\xbc\xc3\x9f"));
    mot_ck_ok(mot_h5_set_int(file, ".", "big", INT64_MIN));
    mot_ck_ok(mot_h5_set_int(file, ".", "big", INT64_MAX)); /* replaced */
    mot_ck_ok(mot_h5_set_real(file, ".", "pi", 3.25));
    const hsize_t shape[2] = {3, 2}, none[2] = {0, 2};
    mot_ck_ok(mot_h5_write(file, "a/b/plain", H5T_NATIVE_FLOAT, 2, shape, MOT_H5_CONTIGUOUS, matrix));
    mot_ck_ok(mot_h5_write(file, "a/packed", H5T_NATIVE_FLOAT, 2, shape, MOT_H5_COMPRESSED, matrix));
    mot_ck_ok(mot_h5_write(file, "a/empty", H5T_NATIVE_FLOAT, 2, none, MOT_H5_COMPRESSED, matrix));
    mot_ck_ok(mot_h5_write(file, "grow", H5T_NATIVE_INT64, 1, none, MOT_H5_GROWING, NULL));
    const int64_t rows[4] = {10, 11, 12, 13};
    mot_ck_ok(mot_h5_write_rows(file, "grow", H5T_NATIVE_INT64, 0, 1, rows));
    mot_ck_ok(mot_h5_write_rows(file, "grow", H5T_NATIVE_INT64, 1, 3, rows + 1));
    const double two[2] = {0.5, -2};
    mot_ck_ok(mot_h5_set_reals(file, "a/packed", "mean", 2, two));
    mot_ck_ok(mot_h5_set_text(file, "a", "empty", ""));
    const char *const names[] = {"cat", "", "g\xc3\xbcrteltier"};
    mot_ck_ok(mot_h5_write_texts(file, "names", 3, names));
    mot_ck_ok(mot_h5_write_texts(file, "no names", 0, NULL));
    mot_ck_ok(mot_h5_scale(file, "a/packed", 0, "grow", "step"));
    mot_ck_ok(mot_h5_scale(file, "a/b/plain", 0, "grow", "step"));
}

static hid_t begin(const char *name)
{
    hid_t file;
    mot_ck_ok(mot_h5_create_file(&file, scratch_path(name), MOT_H5_HEAD));
    return file;
}

static void save(hid_t file, const char *name)
{
    mot_ck_ok(mot_h5_close_file(&file, scratch_path(name), true));
    ck_assert_int_eq((int)file, H5I_INVALID_HID);
}

static void give_up(hid_t file, const char *name)
{
    mot_ck_ok(mot_h5_close_file(&file, scratch_path(name), false));
}

static void save_filled(const char *name)
{
    const hid_t file = begin(name);
    fill(file);
    save(file, name);
}

static void compare(hid_t file)
{
    char *text;
    int64_t integer;
    double real, two[2];
    float got[6] = {0};
    mot_ck_ok(mot_h5_get_text(file, ".", "format", &text));
    ck_assert_str_eq(text, "gr\xc3\xbc\xc3\x9f");
    mot_free(text);
    mot_ck_ok(mot_h5_get_text(file, "a", "empty", &text));
    ck_assert_str_eq(text, "");
    mot_free(text);
    mot_ck_ok(mot_h5_get_int(file, ".", "big", &integer));
    ck_assert_int_eq(integer, INT64_MAX);
    mot_ck_ok(mot_h5_get_real(file, ".", "pi", &real));
    ck_assert(real == 3.25);
    mot_ck_ok(mot_h5_get_reals(file, "a/packed", "mean", 2, two));
    ck_assert(two[0] == 0.5 && two[1] == -2);

    int rank;
    hsize_t shape[MOT_H5_MAX_RANK];
    mot_ck_ok(mot_h5_shape(file, "a/b/plain", &rank, shape));
    ck_assert(rank == 2 && shape[0] == 3 && shape[1] == 2);
    mot_ck_ok(mot_h5_read(file, "a/b/plain", H5T_NATIVE_FLOAT, 2, shape, got));
    ck_assert_mem_eq(got, matrix, sizeof matrix);
    mot_ck_ok(mot_h5_read_rows(file, "a/packed", H5T_NATIVE_FLOAT, 1, 2, got));
    ck_assert_mem_eq(got, matrix + 2, 4 * sizeof(float));
    mot_ck_ok(mot_h5_shape(file, "a/empty", &rank, shape));
    ck_assert(rank == 2 && shape[0] == 0);
    int64_t rows[4];
    mot_ck_ok(mot_h5_read_rows(file, "grow", H5T_NATIVE_INT64, 0, 4, rows));
    for (int i = 0; i < 4; ++i) ck_assert_int_eq(rows[i], 10 + i);

    size_t count;
    char **texts;
    mot_ck_ok(mot_h5_read_texts(file, "names", 3, &count, &texts));
    ck_assert_uint_eq(count, 3);
    ck_assert_str_eq(texts[0], "cat");
    ck_assert_str_eq(texts[1], "");
    ck_assert_str_eq(texts[2], "g\xc3\xbcrteltier");
    mot_free(texts);
    mot_ck_ok(mot_h5_read_texts(file, "no names", 3, &count, &texts));
    ck_assert_uint_eq(count, 0);
    mot_free(texts);
    ck_assert(mot_h5_exists(file, "a/b") && !mot_h5_exists(file, "a/c/d"));
    ck_assert(mot_h5_has_attribute(file, "a", "empty") && !mot_h5_has_attribute(file, "b", "empty"));
}

START_TEST(round_trips)
{
    hid_t file = begin("whole.h5");
    fill(file);
    ck_assert_int_ne(access(scratch_path("whole.h5"), F_OK), 0);
    save(file, "whole.h5");
    mot_ck_ok(mot_h5_open(&file, scratch_path("whole.h5"), false));
    compare(file);
    mot_h5_close(&file);
    mot_h5_close(&file); /* safe */

    file = begin("given-up.h5");
    fill(file);
    give_up(file, "given-up.h5");
    ck_assert_int_eq(scratch_count(), 1);
    scratch_clear();
    ck_assert_int_eq((int)H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL), 0); /* nothing leaks */
}
END_TEST

/* A small file belongs to HDF5 as a whole: the mark covers each of its bytes. */
START_TEST(a_small_file_is_sealed_to_the_last_byte)
{
    hid_t file;
    char *whole;
    size_t count;
    const char *const path = scratch_path("small.h5");
    save_filled("small.h5");
    mot_ck_ok(mot_file_read(path, 1 << 24, &whole, &count));
    mot_ck_ok(mot_h5_open_sealed(&file, path, "file"));
    compare(file);
    mot_h5_close(&file);

    const int descriptor = open(path, O_WRONLY);
    const size_t stride = getenv("MOT_TEST_SHORT") != NULL ? 7 : 1;
    for (size_t at = 0; at < count; at += stride) {
        const char flipped = (char)(whole[at] ^ (1 << at % 8));
        ck_assert_uint_eq(mot_write_at(descriptor, &flipped, 1, at), 1);
        ck_assert_msg(mot_h5_open_sealed(&file, path, "file") == MOT_ERR_INPUT, "byte %zu of %zu", at, count);
        ck_assert_uint_eq(mot_write_at(descriptor, whole + at, 1, at), 1);
    }
    for (size_t length = 0; length < count; length += 1 + length / 50) {
        ck_assert_int_eq(ftruncate(descriptor, (off_t)length), 0);
        ck_assert_msg(mot_h5_open_sealed(&file, path, "file") == MOT_ERR_INPUT, "cut at %zu of %zu", length,
                      count);
        ck_assert_uint_eq(mot_write_at(descriptor, whole, count, 0), count);
    }
    mot_ck_ok(mot_h5_open_sealed(&file, path, "file"));
    mot_h5_close(&file);
    close(descriptor);
    mot_free(whole);
    scratch_clear();
}
END_TEST

/* What another program does to a file by HDF5. */
static void edit(const char *path, void (*change)(hid_t file))
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    ck_assert(file >= 0);
    if (change != NULL) change(file);
    ck_assert_int_ge(H5Fclose(file), 0);
}

static void seal(const char *path)
{
    hid_t file;
    mot_ck_ok(mot_h5_edit(&file, path, path));
    mot_ck_ok(mot_h5_seal(&file, path, path));
    ck_assert_int_eq((int)file, H5I_INVALID_HID);
}

static void change_value(hid_t file)
{
    const int64_t row = 14;
    mot_ck_ok(mot_h5_write_rows(file, "grow", H5T_NATIVE_INT64, 3, 1, &row));
}

static void add_value(hid_t file)
{
    mot_ck_ok(mot_h5_set_int(file, "a", "new", 1));
}

static void remove_all(hid_t file)
{
    ck_assert_int_ge(H5Ldelete(file, "a", H5P_DEFAULT), 0);
}

/* Opened for writing and closed, however often: every byte as it was. */
START_TEST(opened_for_writing)
{
    static void (*const changes[])(hid_t) = {change_value, add_value, remove_all};
    const char *const path = scratch_path("edited.h5");
    char *before, *after;
    size_t size[2];
    hid_t file;
    save_filled("edited.h5");
    mot_ck_ok(mot_file_read(path, 1 << 24, &before, &size[0]));
    for (int i = 0; i < 3; ++i) edit(path, NULL);
    mot_ck_ok(mot_file_read(path, 1 << 24, &after, &size[1]));
    ck_assert_uint_eq(size[0], size[1]);
    ck_assert_mem_eq(before, after, size[0]);
    mot_free(after);

    for (size_t c = 0; c < MOT_COUNT(changes); ++c) {
        scratch_write(path, before, size[0]);
        edit(path, changes[c]);
        refused(mot_h5_open_sealed(&file, path, "file"), "mot inspect --reseal seals what was changed");
        seal(path);
        mot_ck_ok(mot_h5_open_sealed(&file, path, "file"));
        mot_h5_close(&file);
        edit(path, NULL);
        mot_ck_ok(mot_h5_open_sealed(&file, path, "file"));
        mot_h5_close(&file);
    }
    mot_free(before);
    scratch_clear();
}
END_TEST

/* As version 0.1.0 wrote it: the mark lies behind the end that HDF5 knows. */
START_TEST(mark_behind_the_end)
{
    const char *const path = scratch_path("old.h5");
    char *whole;
    size_t count;
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    fill(file);
    ck_assert_int_ge(H5Fclose(file), 0);
    mot_ck_ok(mot_file_read(path, 1 << 24, &whole, &count));
    unsigned char mark[MOT_H5_MARK] = "mot-mrk2";
    const mot_digest digest = mot_digest_bytes(whole, count);
    for (int byte = 0; byte < 8; ++byte) {
        mark[8 + byte] = (unsigned char)((uint64_t)MOT_H5_HEAD >> 8 * byte);
        mark[16 + byte] = (unsigned char)((uint64_t)count >> 8 * byte);
    }
    memcpy(mark + 24, digest.byte, sizeof digest.byte);
    FILE *const end = fopen(path, "ab");
    ck_assert_uint_eq(fwrite(mark, 1, sizeof mark, end), sizeof mark);
    fclose(end);
    mot_free(whole);
    mot_ck_ok(mot_h5_open_sealed(&file, path, "file"));
    compare(file);
    mot_h5_close(&file);

    edit(path, NULL); /* cuts it */
    refused(mot_h5_open_sealed(&file, path, "file"), "does not end with the mark");
    seal(path);
    mot_ck_ok(mot_h5_open_sealed(&file, path, "file"));
    compare(file);
    mot_h5_close(&file);
    scratch_clear();
}
END_TEST

/* Above 4 KiB; below, the index of its chunks alone would be half as large. */
START_TEST(packs_what_is_worth_an_index)
{
    enum { MOST_PLAIN = 1024, PACKED };
    static int32_t wrote[PACKED], found[PACKED];
    for (int i = 0; i < PACKED; ++i) wrote[i] = i / 100;
    hid_t file = begin("packed.h5");
    for (hsize_t n = MOST_PLAIN; n <= PACKED; ++n) {
        const char *name = n == PACKED ? "packed" : "plain";
        mot_ck_ok(mot_h5_write(file, name, H5T_NATIVE_INT32, 1, &n, MOT_H5_COMPRESSED, wrote));
    }
    save(file, "packed.h5");
    mot_ck_ok(mot_h5_open(&file, scratch_path("packed.h5"), false));
    for (hsize_t n = MOST_PLAIN; n <= PACKED; ++n) {
        hid_t dataset = H5Dopen2(file, n == PACKED ? "packed" : "plain", H5P_DEFAULT),
              list = H5Dget_create_plist(dataset);
        ck_assert_int_eq(H5Pget_layout(list), n == PACKED ? H5D_CHUNKED : H5D_CONTIGUOUS);
        ck_assert_int_eq(H5Pget_nfilters(list), n == PACKED ? 2 : 0); /* shuffle, deflate */
        ck_assert(n < PACKED || H5Dget_storage_size(dataset) < n);
        mot_h5_close(&list);
        mot_h5_close(&dataset);
        mot_ck_ok(mot_h5_read(file, n == PACKED ? "packed" : "plain", H5T_NATIVE_INT32, 1, &n, found));
        ck_assert_mem_eq(found, wrote, n * sizeof *wrote);
    }
    mot_h5_close(&file);
    scratch_clear();
}
END_TEST

START_TEST(same_contents_same_bytes)
{
    char *bytes[2];
    size_t count[2];
    for (int i = 0; i < 2; ++i) {
        save_filled("same.h5");
        mot_ck_ok(mot_file_read(scratch_path("same.h5"), 1 << 24, &bytes[i], &count[i]));
        if (i == 0) sleep(1);
    }
    ck_assert_uint_eq(count[0], count[1]);
    ck_assert_mem_eq(bytes[0], bytes[1], count[0]);
    mot_free(bytes[0]);
    mot_free(bytes[1]);
    scratch_clear();
}
END_TEST

START_TEST(what_does_not_fit)
{
    int64_t integer;
    double real;
    char *text, **texts;
    size_t count;
    float got[6];
    const hsize_t wrong[2] = {2, 3};
    const hid_t file = begin("open.h5");
    fill(file);
    refused(mot_h5_get_int(file, ".", "pi", &integer), "not an integer");
    refused(mot_h5_get_real(file, "a/packed", "mean", &real), "has 2 values, expected 1");
    refused(mot_h5_get_text(file, ".", "absent", &text), "the attribute 'absent' is missing");
    refused(mot_h5_get_text(file, ".", "pi", &text), "not a text");
    refused(mot_h5_read(file, "a/b/plain", H5T_NATIVE_FLOAT, 2, wrong, got), "dimension 0 is 3, expected 2");
    refused(mot_h5_read(file, "a/b/plain", H5T_NATIVE_FLOAT, 1, wrong, got), "has 2 dimensions, expected 1");
    refused(mot_h5_read_rows(file, "a/b/plain", H5T_NATIVE_INT, 0, 1, got), "does not hold integers");
    refused(mot_h5_read_rows(file, "a/b/plain", H5T_NATIVE_FLOAT, 2, 2, got), "not among its 3");
    refused(mot_h5_read_rows(file, "a/b/plain", H5T_NATIVE_FLOAT, 1, (hsize_t)-1, got), "not among its 3");
    refused(mot_h5_read_rows(file, "a/b", H5T_NATIVE_FLOAT, 0, 1, got), "a/b: is not a dataset");
    refused(mot_h5_read_rows(file, "a/x/y", H5T_NATIVE_FLOAT, 0, 1, got), "a/x: is missing");
    refused(mot_h5_read_texts(file, "names", 2, &count, &texts), "has 3 strings, at most 2");
    refused(mot_h5_read_texts(file, "grow", 9, &count, &texts), "is not a list of strings");
    ck_assert_int_eq(mot_h5_write_rows(file, "a/packed", H5T_NATIVE_FLOAT, 2, 2, matrix), MOT_ERR_FILE);
    ck_assert_int_eq(mot_h5_write(file, "names", H5T_NATIVE_FLOAT, 2, wrong, MOT_H5_CONTIGUOUS, got),
                     MOT_ERR_FILE);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "already exists"));
    ck_assert_int_eq(mot_h5_scale(file, "a/packed", 2, "grow", "step"), MOT_ERR_FILE);
    give_up(file, "open.h5");
}
END_TEST

START_TEST(damaged_files)
{
    hid_t file;
    char *bytes;
    size_t count;
    refused(mot_h5_open(&file, scratch_path("absent.h5"), false), "No such file");
    refused(mot_h5_open(&file, scratch, false), "not a regular file");
    scratch_write(scratch_path("text.h5"), "not hdf5 at all", 15);
    refused(mot_h5_open(&file, scratch_path("text.h5"), false), "not an HDF5 file");
    save_filled("whole.h5");
    mot_ck_ok(mot_file_read(scratch_path("whole.h5"), 1 << 24, &bytes, &count));
    for (size_t keep = 0; keep < count; keep += 1 + count / 50) {
        scratch_write(scratch_path("cut.h5"), bytes, keep);
        ck_assert_int_eq(mot_h5_open(&file, scratch_path("cut.h5"), false), MOT_ERR_INPUT);
        ck_assert_int_eq((int)file, H5I_INVALID_HID);
    }
    mot_free(bytes);
    scratch_clear();
}
END_TEST

START_TEST(links)
{
    hid_t file, group = H5I_INVALID_HID;
    float got[6];
    const hsize_t shape[2] = {3, 2};
    save_filled("target.h5");
    file = begin("run.h5");
    mot_ck_ok(mot_h5_link(file, "parts/one", "target.h5", "/a"));
    mot_ck_ok(mot_h5_link(file, "parts/two", "absent.h5", "/a"));
    mot_ck_ok(mot_h5_write(file, "own", H5T_NATIVE_FLOAT, 2, shape, MOT_H5_CONTIGUOUS, matrix));
    ck_assert(H5Lcreate_soft("/own", file, "soft", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    save(file, "run.h5");

    mot_ck_ok(mot_h5_open(&file, scratch_path("run.h5"), true));
    mot_ck_ok(mot_h5_read(file, "parts/one/packed", H5T_NATIVE_FLOAT, 2, shape, got));
    ck_assert_mem_eq(got, matrix, sizeof matrix);
    mot_ck_ok(mot_h5_read(file, "soft", H5T_NATIVE_FLOAT, 2, shape, got));
    refused(mot_h5_read(file, "parts/two/packed", H5T_NATIVE_FLOAT, 2, shape, got), "leads nowhere");
    group = H5Gopen2(file, "parts", H5P_DEFAULT);
    ck_assert(mot_h5_exists(group, "one/b/plain"));
    mot_h5_close(&group);
    mot_h5_close(&file);

    mot_ck_ok(mot_h5_open(&file, scratch_path("run.h5"), false));
    refused(mot_h5_read(file, "parts/one/packed", H5T_NATIVE_FLOAT, 2, shape, got), "is not followed");
    refused(mot_h5_read(file, "soft", H5T_NATIVE_FLOAT, 2, shape, got), "is not followed");
    ck_assert(!mot_h5_exists(file, "parts/one"));
    mot_h5_close(&file);
    scratch_clear();
}
END_TEST

/* A dataset whose bytes lie in another file must not carry that file's contents to the reader. */
START_TEST(data_elsewhere)
{
    unsigned char got[4];
    const hsize_t shape[2] = {4, 1}, huge[2] = {(hsize_t)1 << 40, 1};
    scratch_write(scratch_path("secret"), "abcd", 4);
    const hid_t file = begin("open.h5");
    hid_t list = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(1, shape, NULL);
    H5Pset_external(list, scratch_path("secret"), 0, 4);
    hid_t set = H5Dcreate2(file, "outside", H5T_NATIVE_UCHAR, space, H5P_DEFAULT, list, H5P_DEFAULT);
    ck_assert(set >= 0);
    mot_h5_close(&set);
    mot_h5_close(&space);
    mot_h5_close(&list);
    mot_ck_ok(mot_h5_write(file, "claim", H5T_NATIVE_UCHAR, 1, huge, MOT_H5_CONTIGUOUS, NULL));
    refused(mot_h5_read(file, "outside", H5T_NATIVE_UCHAR, 1, shape, got), "in another file");
    refused(mot_h5_read_rows(file, "claim", H5T_NATIVE_UCHAR, 0, 4, got),
            "claims 1099511627776 bytes and has 0");
    give_up(file, "open.h5");
    scratch_clear();
}
END_TEST

static void h5_tests(TCase *tcase)
{
    tcase_add_test(tcase, round_trips);
    tcase_add_test(tcase, a_small_file_is_sealed_to_the_last_byte);
    tcase_add_test(tcase, opened_for_writing);
    tcase_add_test(tcase, mark_behind_the_end);
    tcase_add_test(tcase, packs_what_is_worth_an_index);
    tcase_add_test(tcase, same_contents_same_bytes);
    tcase_add_test(tcase, what_does_not_fit);
    tcase_add_test(tcase, damaged_files);
    tcase_add_test(tcase, links);
    tcase_add_test(tcase, data_elsewhere);
    tcase_add_unchecked_fixture(tcase, NULL, scratch_remove);
}

MOT_CK_MAIN("h5", h5_tests)
