/* Failing together: every pattern of failing ranks, and what each rank hears. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "ck.h"
#include "mot/comm.h"
#include "mot/memory.h"

static mot_comm comm;

static void open_comm(void)
{
    mot_comm_init(&comm, MPI_COMM_WORLD);
}

static void close_comm(void)
{
    mot_comm_free(&comm);
}

START_TEST(communicator_is_a_duplicate)
{
    int rank, size, relation;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_compare(comm.mpi, MPI_COMM_WORLD, &relation);
    const bool same = comm.rank == rank && comm.size == size && relation == MPI_CONGRUENT;
    mot_ck_all(same);
}
END_TEST

/* Rank r fails where bit r of `failing` is set, each in its own way and with its own sentence. */
static bool agreement_holds(unsigned failing, mot_status (*code_of)(int rank))
{
    char mine[64], want[64], foreign[128];
    mot_status status = MOT_OK;
    mot_fail(MOT_OK, "nothing happened");
    if (failing >> comm.rank & 1u) {
        snprintf(mine, sizeof mine, "100%% of file %d%s", comm.rank, "%s");
        status = mot_fail(code_of(comm.rank), "%s", mine);
    }
    const mot_status agreed = mot_comm_agree(&comm, status);
    if (failing == 0) return agreed == MOT_OK && strcmp(mot_error_message(), "nothing happened") == 0;

    const int lowest = __builtin_ctz(failing);
    snprintf(want, sizeof want, "100%% of file %d%s", lowest, "%s");
    snprintf(foreign, sizeof foreign, "rank %d: %s", lowest, want);
    const bool plain = lowest == MOT_ROOT || comm.rank == lowest || code_of(lowest) == MOT_ERR_INPUT;
    return agreed == code_of(lowest) && strcmp(mot_error_message(), plain ? want : foreign) == 0;
}

static mot_status differing_codes(int rank)
{
    static const mot_status code[] = {MOT_ERR_NUMERIC, MOT_ERR_FILE, MOT_ERR_MEMORY, MOT_STOPPED};
    return code[rank % 4];
}

static mot_status input_codes(int rank)
{
    (void)rank;
    return MOT_ERR_INPUT;
}

START_TEST(lowest_failure_is_heard_everywhere)
{
    for (unsigned failing = 0; failing < 1u << comm.size; ++failing) {
        mot_ck_all(agreement_holds(failing, differing_codes));
        mot_ck_all(agreement_holds(failing, input_codes));
    }
}
END_TEST

START_TEST(long_sentences_are_cut_not_overrun)
{
    char sentence[3000];
    memset(sentence, 'x', sizeof sentence - 1);
    sentence[sizeof sentence - 1] = '\0';
    const int last = comm.size - 1;
    mot_status status = MOT_OK;
    if (comm.rank == last) status = mot_fail(MOT_ERR_FILE, "%s", sentence);
    status = mot_comm_agree(&comm, status);
    const char *heard = strchr(mot_error_message(), 'x');
    const bool cut = status == MOT_ERR_FILE && heard != NULL && strspn(heard, "x") >= 1000 &&
                     strlen(heard) < 2048;
    mot_ck_all(cut);
}
END_TEST

START_TEST(counts_fit_or_fail)
{
    int count = -1;
    mot_ck_ok(mot_mpi_count(0, &count));
    ck_assert_int_eq(count, 0);
    mot_ck_ok(mot_mpi_count(INT_MAX, &count));
    ck_assert_int_eq(count, INT_MAX);
    const size_t too_many[] = {(size_t)INT_MAX + 1, (size_t)UINT_MAX + 1, (size_t)UINT_MAX + 8, SIZE_MAX};
    for (size_t i = 0; i < MOT_COUNT(too_many); ++i) {
        char number[32];
        snprintf(number, sizeof number, "%zu", too_many[i]);
        ck_assert_int_eq(mot_mpi_count(too_many[i], &count), MOT_ERR_INPUT);
        ck_assert_int_eq(count, INT_MAX);
        ck_assert_ptr_nonnull(strstr(mot_error_message(), number));
    }
}
END_TEST

START_TEST(broadcast_from_any_root)
{
    unsigned char bytes[1000];
    for (int root = 0; root < comm.size; ++root)
        for (size_t count = 0; count <= sizeof bytes; count += 250) {
            memset(bytes, comm.rank + 1, sizeof bytes);
            mot_comm_bcast(&comm, bytes, count, root);
            bool right = true;
            for (size_t i = 0; i < sizeof bytes; ++i)
                right = right && bytes[i] == (i < count ? root : comm.rank) + 1;
            mot_ck_all(right);
        }
}
END_TEST

static void comm_tests(TCase *tcase)
{
    tcase_add_unchecked_fixture(tcase, open_comm, close_comm);
    tcase_add_test(tcase, communicator_is_a_duplicate);
    tcase_add_test(tcase, lowest_failure_is_heard_everywhere);
    tcase_add_test(tcase, long_sentences_are_cut_not_overrun);
    tcase_add_test(tcase, counts_fit_or_fail);
    tcase_add_test(tcase, broadcast_from_any_root);
}

MOT_CK_MAIN("comm", comm_tests)
