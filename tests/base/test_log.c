#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ck.h"
#include "mot/log.h"
#include "mot/status.h"

/* Standard error as a socket of datagrams, each of which is one write. */
static int errors, kept;

static void listen_to_errors(void)
{
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    errors = ends[0];
    kept = dup(STDERR_FILENO);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    close(ends[1]);
}

static void give_errors_back(void)
{
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(errors);
}

static const char *next_write(void)
{
    static char text[4 * MOT_SENTENCE];
    const ssize_t n = recv(errors, text, sizeof text - 1, MSG_DONTWAIT);
    text[n < 0 ? 0 : n] = '\0';
    return text;
}

START_TEST(a_sentence_is_one_write)
{
    mot_log_init(0, MOT_LOG_INFO);
    mot_log(MOT_LOG_WARNING, "%s is %d years old", "the lock", 3);
    ck_assert_str_eq(next_write(), "mot: warning: the lock is 3 years old\n");
    mot_log(MOT_LOG_ERROR, "no such file");
    ck_assert_str_eq(next_write(), "mot: error: no such file\n");
    mot_log_aside(MOT_LOG_WARNING, "rank %d waits", 7);
    ck_assert_str_eq(next_write(), "mot: warning: rank 7 waits\n");
    ck_assert_str_eq(next_write(), "");
}
END_TEST

START_TEST(the_longest_sentence_is_whole_and_a_longer_one_ends_its_line)
{
    char longest[MOT_SENTENCE], longer[4 * MOT_SENTENCE];
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    memset(longer, 'b', sizeof longer);
    longer[sizeof longer - 1] = '\0';

    mot_log_init(0, MOT_LOG_INFO);
    mot_log(MOT_LOG_WARNING, "%s", longest);
    ck_assert_uint_eq(strlen(next_write()), strlen("mot: warning: \n") + strlen(longest));
    mot_log(MOT_LOG_WARNING, "%s", longer);
    const char *said = next_write();
    ck_assert_uint_gt(strlen(said), strlen(longest));
    ck_assert_str_eq(said + strlen(said) - 2, "b\n");
    ck_assert_str_eq(next_write(), "");
}
END_TEST

START_TEST(only_the_root_speaks_and_of_nothing_below_its_level)
{
    mot_log_init(1, MOT_LOG_INFO);
    mot_log(MOT_LOG_WARNING, "rank 1");
    ck_assert_str_eq(next_write(), "");
    mot_log_aside(MOT_LOG_WARNING, "rank 1");
    ck_assert_str_eq(next_write(), "mot: warning: rank 1\n");
    mot_log_init(0, MOT_LOG_ERROR);
    mot_log(MOT_LOG_WARNING, "hushed");
    mot_log_aside(MOT_LOG_WARNING, "hushed");
    ck_assert_str_eq(next_write(), "");
    mot_log(MOT_LOG_ERROR, "heard");
    ck_assert_str_eq(next_write(), "mot: error: heard\n");
}
END_TEST

static void log_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, listen_to_errors, give_errors_back);
    tcase_add_test(tcase, a_sentence_is_one_write);
    tcase_add_test(tcase, the_longest_sentence_is_whole_and_a_longer_one_ends_its_line);
    tcase_add_test(tcase, only_the_root_speaks_and_of_nothing_below_its_level);
}

MOT_CK_MAIN("log", log_tests)
