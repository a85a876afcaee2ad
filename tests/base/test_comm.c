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

enum { MOST = 16 }; /* ranks */

/* Rank r gives r + 1 bytes of its number; the root has them behind each other, in the order of ranks. */
static bool gathers_texts(void)
{
    char mine[MOST], all[MOST * (MOST + 1) / 2], want[sizeof all];
    int counts[MOST], places[MOST], sum = 0;
    memset(mine, 'a' + comm.rank, sizeof mine);
    for (int r = 0; r < comm.size; ++r) {
        counts[r] = r + 1;
        places[r] = sum;
        memset(want + sum, 'a' + r, (size_t)counts[r]);
        sum += counts[r];
    }
    mot_comm_gatherv(&comm, mine, comm.rank + 1, MPI_CHAR, all, counts, places);
    return comm.rank != MOT_ROOT || memcmp(all, want, (size_t)sum) == 0;
}

static bool gathers_numbers(void)
{
    int all[MOST];
    bool right = true;
    mot_comm_gather(&comm, &comm.rank, sizeof comm.rank, all);
    for (int r = 0; r < comm.size && comm.rank == MOT_ROOT; ++r) right = right && all[r] == r;
    return right;
}

static bool passes_around(void)
{
    const int to = (comm.rank + 1) % comm.size, from = (comm.rank + comm.size - 1) % comm.size;
    int got = -1;
    MPI_Request request[2];
    MPI_Irecv(&got, 1, MPI_INT, from, MOT_TAG_STRIPS, comm.mpi, &request[0]);
    MPI_Isend(&comm.rank, 1, MPI_INT, to, MOT_TAG_STRIPS, comm.mpi, &request[1]);
    mot_comm_wait(&comm, 2, request);
    return got == from;
}

/* By the blocking calls and, where ranks share cores, by the others. */
START_TEST(yielding_changes_nothing)
{
    const bool yields = comm.yields;
    ck_assert_int_le(comm.size, MOST);
    for (int on = 0; on < 2; ++on) {
        comm.yields = on;
        mot_ck_all(gathers_texts());
        mot_ck_all(gathers_numbers());
        mot_ck_all(passes_around());
        int sum = comm.rank, root = comm.rank + 5;
        mot_comm_allreduce(&comm, &sum, 1, MPI_INT, MPI_SUM);
        mot_comm_bcast(&comm, &root, sizeof root, comm.size - 1);
        mot_ck_all(sum == comm.size * (comm.size - 1) / 2 && root == comm.size + 4);
    }
    comm.yields = yields;
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
    tcase_add_test(tcase, yielding_changes_nothing);
}

MOT_CK_MAIN("comm", comm_tests)
