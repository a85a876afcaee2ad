/* What a rank is told of the others, while their first threads are elsewhere. */
#include <string.h>
#include <unistd.h>

#include "ck.h"
#include "mot/roll_call.h"

static mot_comm comm;
static mot_roll_call *roll;

static void open_roll(void)
{
    mot_comm_init(&comm, MPI_COMM_WORLD);
    const bool made = mot_roll_call_create(&roll, &comm) == MOT_OK;
    mot_ck_all(made);
}

static void close_roll(void)
{
    mot_roll_call_destroy(&roll);
    mot_comm_free(&comm);
}

/* Asks until all others have answered, some of them anew. */
static bool all_answer(bool anew)
{
    for (int i = 0; i < 200; ++i) {
        int answers = 0;
        mot_roll_call_ask(roll, anew && i == 0);
        usleep(50000);
        for (int r = 0; r < comm.size; ++r) answers += mot_roll_call_look(roll, r).answered;
        if (answers == comm.size - 1) return true;
    }
    return false;
}

START_TEST(everybody_says_where_it_is)
{
    mot_watch_part("step", 100 + comm.rank);
    mot_watch_phase(comm.rank % 2 == 0 ? "expert" : "dispatch");
    if (comm.rank % 2 == 1) mot_watch_wait(comm.rank - 1);
    MPI_Barrier(comm.mpi);
    bool right = all_answer(true);
    for (int r = 0; r < comm.size; ++r) {
        const mot_roll_answer answer = mot_roll_call_look(roll, r);
        if (r == comm.rank)
            right = right && !answer.answered;
        else
            right = right && answer.step == 100 + r && strcmp(answer.part, "step") == 0 &&
                    strcmp(answer.phase, r % 2 == 0 ? "expert" : "dispatch") == 0 &&
                    answer.whom == (r % 2 == 0 ? MOT_WATCH_NOBODY : r - 1);
    }
    mot_ck_all(right);
}
END_TEST

START_TEST(progress_of_others_is_seen)
{
    MPI_Barrier(comm.mpi);
    bool right = all_answer(true);
    const uint64_t moves = mot_roll_call_moves(roll);
    right = right && all_answer(false) && mot_roll_call_moves(roll) == moves; /* nobody moves */
    MPI_Barrier(comm.mpi);
    if (comm.rank == MOT_ROOT) mot_watch_progress();
    MPI_Barrier(comm.mpi);
    for (int i = 0; i < 2000 && comm.rank != MOT_ROOT && mot_roll_call_moves(roll) == moves; ++i) {
        if (i % 200 == 0) mot_roll_call_ask(roll, false); /* once, unless it is lost */
        usleep(5000);
    }
    right = right && mot_roll_call_moves(roll) == moves + (comm.rank != MOT_ROOT);
    for (int r = 0; r < comm.size; ++r)
        right = right && mot_roll_call_look(roll, r).moving == (r == MOT_ROOT && comm.rank != MOT_ROOT);
    mot_ck_all(right);
}
END_TEST

START_TEST(who_does_not_answer_is_seen)
{
    const int gone = comm.size - 1;
    MPI_Barrier(comm.mpi);
    bool right = comm.rank == gone || all_answer(true);
    MPI_Barrier(comm.mpi);
    if (comm.rank == gone) mot_roll_call_destroy(&roll);
    MPI_Barrier(comm.mpi);
    for (int i = 0; i < 2 && comm.rank != gone; ++i) mot_roll_call_ask(roll, false);
    right = right && !mot_roll_call_look(roll, gone).answered;
    mot_roll_call_ask(roll, true); /* who is gone may ask, and hears of nobody */
    mot_ck_all(right);
}
END_TEST

START_TEST(one_rank_has_nobody_to_ask)
{
    mot_comm alone;
    mot_roll_call *none;
    mot_comm_init(&alone, MPI_COMM_SELF);
    const bool made = mot_roll_call_create(&none, &alone) == MOT_OK && none == NULL;
    mot_roll_call_ask(none, true);
    const bool right = made && !mot_roll_call_look(none, 0).answered && mot_roll_call_moves(none) == 0;
    mot_roll_call_destroy(&none);
    mot_comm_free(&alone);
    mot_ck_all(right);
}
END_TEST

static void roll_call_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, open_roll, close_roll);
    tcase_add_test(tcase, everybody_says_where_it_is);
    tcase_add_test(tcase, progress_of_others_is_seen);
    tcase_add_test(tcase, who_does_not_answer_is_seen);
    tcase_add_test(tcase, one_rank_has_nobody_to_ask);
}

MOT_CK_MAIN("roll_call", roll_call_tests)
