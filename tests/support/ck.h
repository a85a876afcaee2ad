/* ck.h: a Check program in one line, serial or under mpiexec.
 *
 *      MOT_CK_MAIN("plan", plan_tests)     static void plan_tests(TCase *tcase) { tcase_add_test(tcase, ...); }
 *
 * Tests run without fork (a forked child must not talk MPI), so the time limit is CTest's. Under MPI an assertion
 * that fails on one rank leaves the others in the next collective: agree first, with mot_ck_all. */
#ifndef MOT_TEST_CK_H
#define MOT_TEST_CK_H

#include <check.h>
#include <mpi.h>
#include <stdbool.h>
#include <stdlib.h>

/* True on every rank where `condition` holds on every rank. Collective over MPI_COMM_WORLD. */
static inline bool mot_ck_everywhere(bool condition)
{
    int mine = condition, all;
    MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_LAND, MPI_COMM_WORLD);
    return all;
}

/* Where every step is many times slower (sanitizers), tests that try many cases of a kind try a part of them. */
static inline bool mot_ck_short(void)
{
    return getenv("MOT_TEST_SHORT") != NULL;
}

#define mot_ck_all(condition)                                                                                \
    ck_assert_msg(mot_ck_everywhere(condition), "not so on every rank: %s", #condition)
#define mot_ck_ok(call)                                                                                      \
    do {                                                                                                     \
        mot_status ck_status = (call);                                                                       \
        ck_assert_msg(ck_status == MOT_OK, "%s: %s", #call, mot_error_message());                            \
    } while (0)

#define MOT_CK_MAIN(name, add_tests)                                                                         \
    int main(int argc, char **argv)                                                                          \
    {                                                                                                        \
        int rank, provided;                                                                                  \
        MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);                                       \
        MPI_Comm_rank(MPI_COMM_WORLD, &rank);                                                                \
        Suite *suite = suite_create(name);                                                                   \
        TCase *tcase = tcase_create(name);                                                                   \
        add_tests(tcase);                                                                                    \
        suite_add_tcase(suite, tcase);                                                                       \
        SRunner *runner = srunner_create(suite);                                                             \
        srunner_set_fork_status(runner, CK_NOFORK);                                                          \
        srunner_run_all(runner, rank == 0 ? CK_NORMAL : CK_SILENT);                                          \
        int failed = srunner_ntests_failed(runner);                                                          \
        srunner_free(runner);                                                                                \
        MPI_Finalize();                                                                                      \
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;                                                    \
    }

#endif
