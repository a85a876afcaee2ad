/* A disk that fills up: a small tmpfs, which only root may mount. */
#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "ck.h"
#include "mot/atomic_file.h"
#include "mot/h5.h"
#include "mot/memory.h"
#include "mot/rng.h"
#include "scratch.h"

static char disk[128];
static bool mounted;

static void setup(void)
{
    snprintf(disk, sizeof disk, "%s", scratch_path("disk"));
    mkdir(disk, 0700);
    mounted = mount("tmpfs", disk, "tmpfs", 0, "size=256k") == 0;
    if (!mounted) printf("skipped: no small disk to fill (mount: %s)\n", strerror(errno));
}

static void teardown(void)
{
    if (mounted) umount(disk);
    rmdir(disk);
    scratch_remove();
}

static int files_on_disk(void)
{
    int count = 0;
    DIR *folder = opendir(disk);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

START_TEST(plain_file)
{
    if (!mounted) return;
    char path[160], *bytes, *old;
    size_t count;
    snprintf(path, sizeof path, "%s/file", disk);
    mot_ck_ok(mot_file_replace(path, "old", 3));
    mot_ck_ok(mot_allocate(&bytes, 1 << 20, 1, "a test"));
    ck_assert_int_eq(mot_file_replace(path, bytes, 1 << 20), MOT_ERR_FILE);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "writing: No space left"));
    mot_ck_ok(mot_file_read(path, 3, &old, &count)); /* the old file stands */
    ck_assert_str_eq(old, "old");
    ck_assert_int_eq(files_on_disk(), 1);
    unlink(path);
    mot_free(old);
    mot_free(bytes);
}
END_TEST

/* Large contiguous data, data in the chunk cache, and metadata alone: each must be seen before the rename,
 * and the process must live on. */
START_TEST(streamed)
{
    if (!mounted) return;
    char path[160], name[32];
    hid_t file;
    unsigned *data;
    const hsize_t shape[1] = {1 << 17};
    snprintf(path, sizeof path, "%s/stream.h5", disk);
    mot_ck_ok(mot_allocate(&data, shape[0], sizeof *data, "a test"));
    for (size_t i = 0; i < shape[0]; ++i)
        data[i] = mot_random(1, MOT_STREAM_TEST, (unsigned)i, 0, 0, 0).word[0];
    for (int layout = MOT_H5_CONTIGUOUS; layout <= MOT_H5_GROWING; ++layout) {
        mot_ck_ok(mot_h5_create_file(&file, path, MOT_H5_HEAD));
        const mot_status wrote = mot_h5_write(file, "x", H5T_NATIVE_UINT, 1, shape, (mot_h5_layout)layout,
                                              data);
        const mot_status closed = mot_h5_close_file(&file, path, wrote == MOT_OK);
        ck_assert(wrote == MOT_ERR_FILE || closed == MOT_ERR_FILE);
        ck_assert_int_eq(files_on_disk(), 0);
    }
    /* Metadata alone: from what is found by the flush at the end to what is found by the writes. */
    for (int groups = 125; groups <= 8000; groups *= 2) {
        mot_ck_ok(mot_h5_create_file(&file, path, MOT_H5_HEAD));
        mot_status status = MOT_OK;
        for (int i = 0; i < groups && status == MOT_OK; ++i) {
            snprintf(name, sizeof name, "group%d/x", i);
            status = mot_h5_write(file, name, H5T_NATIVE_UINT, 1, (hsize_t[]){1}, MOT_H5_CONTIGUOUS, data);
        }
        const mot_status closed = mot_h5_close_file(&file, path, status == MOT_OK);
        if (status == MOT_OK && closed == MOT_OK) {
            ck_assert_int_lt(groups, 2000);
            unlink(path);
        }
        ck_assert_int_eq(files_on_disk(), 0);
    }
    mot_free(data);
}
END_TEST

static void full_disk_tests(TCase *tcase)
{
    tcase_add_test(tcase, plain_file);
    tcase_add_test(tcase, streamed);
    tcase_add_unchecked_fixture(tcase, setup, teardown);
}

MOT_CK_MAIN("full_disk", full_disk_tests)
