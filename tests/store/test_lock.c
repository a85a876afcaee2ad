/* One process at a time works in a folder; who is gone is told from who is at work. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "ck.h"
#include "mot/clock.h"
#include "mot/lock.h"
#include "scratch.h"

static const char elsewhere[] = "host far-away\nprocess 4711\nsince 2026-01-01 00:00:00 UTC\nboot none\n";

/* A process that leaves its lock behind. */
static void leave_behind(void)
{
    const pid_t child = fork();
    if (child == 0) {
        mot_lock *lock;
        _exit(mot_lock_take(&lock, scratch) == MOT_OK ? 0 : 1);
    }
    int code;
    ck_assert_int_eq(waitpid(child, &code, 0), child);
    ck_assert_int_eq(code, 0);
    ck_assert_int_eq(access(scratch_path("lock"), F_OK), 0);
}

START_TEST(one_at_a_time)
{
    mot_lock *first, *second;
    char process[64];
    mot_ck_ok(mot_lock_take(&first, scratch));
    ck_assert_int_eq(mot_lock_take(&second, scratch), MOT_ERR_BUSY);
    ck_assert_ptr_null(second);
    snprintf(process, sizeof process, ": process %ld on host ", (long)getpid());
    ck_assert_ptr_nonnull(strstr(mot_error_message(), process));
    ck_assert_ptr_nonnull(strstr(mot_error_message(), " works in this run folder since 20"));
    mot_lock_release(&first);
    ck_assert_ptr_null(first);
    ck_assert_int_eq(scratch_count(), 0);
    mot_ck_ok(mot_lock_take(&second, scratch));
    mot_lock_release(&second);
    mot_lock_release(&second);
    ck_assert_int_eq(scratch_count(), 0);
}
END_TEST

START_TEST(a_process_that_is_gone)
{
    mot_lock *lock;
    leave_behind();
    const double since = mot_clock_s();
    mot_ck_ok(mot_lock_take(&lock, scratch));
    ck_assert(mot_clock_s() - since < 10);
    mot_lock_release(&lock);
    scratch_write(scratch_path("lock"), "what nobody wrote", 17);
    mot_ck_ok(mot_lock_take(&lock, scratch));
    mot_lock_release(&lock);
    ck_assert_int_eq(scratch_count(), 0);
}
END_TEST

/* A holder whose lock cannot be seen from here, as on a file system that does not share locks: its beat tells. */
START_TEST(a_host_elsewhere_that_is_at_work)
{
    mot_lock *lock;
    const char *path = scratch_path("lock");
    scratch_write(path, elsewhere, strlen(elsewhere));
    const pid_t child = fork();
    if (child == 0) {
        for (;;) {
            usleep(500000);
            utimensat(AT_FDCWD, path, NULL, 0);
        }
    }
    ck_assert_int_eq(mot_lock_take(&lock, scratch), MOT_ERR_BUSY);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), ": process 4711 on host far-away works in this run"));
    ck_assert_int_eq(scratch_count(), 1);
    scratch_clear();
}
END_TEST

START_TEST(a_host_elsewhere_that_is_gone)
{
    mot_lock *lock;
    scratch_write(scratch_path("lock"), elsewhere, strlen(elsewhere));
    mot_ck_ok(mot_lock_take(&lock, scratch));
    mot_lock_release(&lock);
    ck_assert_int_eq(scratch_count(), 0);
}
END_TEST

START_TEST(no_lock_to_be_had)
{
    mot_lock *lock;
    ck_assert_int_eq(mot_lock_take(&lock, scratch_path("nowhere")), MOT_ERR_INPUT);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "nowhere/lock: No such file"));
    ck_assert_int_eq(mkdir(scratch_path("lock"), 0700), 0);
    ck_assert_int_eq(mot_lock_take(&lock, scratch), MOT_ERR_INPUT);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "/lock: Is a directory"));
    rmdir(scratch_path("lock"));
}
END_TEST

static void make_scratch(void)
{
    scratch_path("");
}

static void lock_tests(TCase *tcase)
{
    tcase_add_unchecked_fixture(tcase, make_scratch, scratch_remove);
    tcase_add_test(tcase, one_at_a_time);
    tcase_add_test(tcase, a_process_that_is_gone);
    tcase_add_test(tcase, a_host_elsewhere_that_is_at_work);
    tcase_add_test(tcase, a_host_elsewhere_that_is_gone);
    tcase_add_test(tcase, no_lock_to_be_had);
}

MOT_CK_MAIN("lock", lock_tests)
