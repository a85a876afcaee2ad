#include <sys/stat.h>

#include "ck.h"
#include "mot/atomic_file.h"
#include "mot/memory.h"
#include "scratch.h"

START_TEST(round_trip)
{
    const char *path = scratch_path("plain");
    char *bytes;
    size_t count;
    mot_ck_ok(mot_file_replace(path, "first", 5));
    mot_ck_ok(mot_file_replace(path, "se\0cond", 7));
    mot_ck_ok(mot_file_read(path, 7, &bytes, &count));
    ck_assert_uint_eq(count, 7);
    ck_assert_mem_eq(bytes, "se\0cond", 8);
    mot_free(bytes);
    mot_ck_ok(mot_file_replace(path, NULL, 0));
    mot_ck_ok(mot_file_read(path, 0, &bytes, &count));
    ck_assert_uint_eq(count, 0);
    ck_assert_str_eq(bytes, "");
    mot_free(bytes);
    ck_assert_int_eq(scratch_count(), 1);
}
END_TEST

START_TEST(what_cannot_be_read)
{
    char *bytes;
    size_t count;
    const char *path = scratch_path("long");
    scratch_write(path, "12345", 5);
    ck_assert_int_eq(mot_file_read(path, 4, &bytes, &count), MOT_ERR_INPUT);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "5 bytes, at most 4"));
    ck_assert_ptr_null(bytes);
    ck_assert_int_eq(mot_file_read(scratch_path("absent"), 4, &bytes, &count), MOT_ERR_INPUT);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "No such file"));
    ck_assert_int_eq(mot_file_read(scratch, 4, &bytes, &count), MOT_ERR_INPUT);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "not a regular file"));
    const char *pipe = scratch_path("pipe");
    ck_assert_int_eq(mkfifo(pipe, 0600), 0); /* must not wait for a writer */
    ck_assert_int_eq(mot_file_read(pipe, 4, &bytes, &count), MOT_ERR_INPUT);
    scratch_clear();
}
END_TEST

START_TEST(what_cannot_be_written)
{
    ck_assert_int_eq(mot_file_replace(scratch_path("no/such/folder"), "x", 1), MOT_ERR_FILE);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "opening: No such file"));
    const char *folder = scratch_path("folder");
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    ck_assert_int_eq(mot_file_replace(folder, "x", 1), MOT_ERR_INPUT);
    const char *pipe = scratch_path("pipe"); /* what is none of our files, a device too, is not taken away for one */
    ck_assert_int_eq(mkfifo(pipe, 0600), 0);
    ck_assert_int_eq(mot_file_replace(pipe, "x", 1), MOT_ERR_INPUT);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "pipe: it is there, and is not a regular file"));
    ck_assert_int_eq(scratch_count(), 2);
    unlink(pipe);
    rmdir(folder);
}
END_TEST

START_TEST(folders_and_paths)
{
    char path[32];
    mot_ck_ok(mot_folder_make(scratch_path("a/b/c")));
    mot_ck_ok(mot_folder_make(scratch_path("a/b/c/")));
    ck_assert_int_eq(access(scratch_path("a/b/c"), W_OK), 0);
    scratch_write(scratch_path("a/file"), "", 0);
    ck_assert_int_eq(mot_folder_make(scratch_path("a/file/d")), MOT_ERR_FILE);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "is not a folder"));
    ck_assert_int_eq(mot_folder_make(""), MOT_ERR_INPUT);
    unlink(scratch_path("a/file"));
    rmdir(scratch_path("a/b/c"));
    rmdir(scratch_path("a/b"));
    rmdir(scratch_path("a"));

    mot_ck_ok(mot_path_join(path, sizeof path, "a", "b"));
    ck_assert_str_eq(path, "a/b");
    mot_ck_ok(mot_path_join(path, sizeof path, "a/", "b"));
    ck_assert_str_eq(path, "a/b");
    mot_ck_ok(mot_path_join(path, sizeof path, "", "b"));
    ck_assert_str_eq(path, "b");
    mot_ck_ok(mot_path_join(path, 4, "a", "b"));
    ck_assert_int_eq(mot_path_join(path, 3, "a", "b"), MOT_ERR_INPUT);
}
END_TEST

static void file_tests(TCase *tcase)
{
    tcase_add_test(tcase, round_trip);
    tcase_add_test(tcase, what_cannot_be_read);
    tcase_add_test(tcase, what_cannot_be_written);
    tcase_add_test(tcase, folders_and_paths);
    tcase_add_unchecked_fixture(tcase, NULL, scratch_remove);
}

MOT_CK_MAIN("file", file_tests)
