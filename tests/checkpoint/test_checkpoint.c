/* A checkpoint brings back every bit, whoever owned the experts when it was written and whoever owns them
 * now. */
#include <sys/stat.h>

#include "checkpoint_state.h"
#include "mot/atomic_file.h"

static mot_comm comm;

static void set_up(void)
{
    mot_comm_init(&comm, MPI_COMM_WORLD);
}

static void tear_down(void)
{
    mot_comm_free(&comm);
}

/* loop index: placement when writing x placement when reading x moments x tied */
START_TEST(every_placement_reads_every_other)
{
    const int writing = _i % PLACEMENTS, reading = _i / PLACEMENTS % PLACEMENTS;
    const int moments = _i % 3;
    const bool tied = _i / PLACEMENTS % 2 == 1;
    const char *const path = test_path("round.h5");
    test_state written, expected, read;
    char before[33], after[33];
    test_state_make(&written, &comm, writing, tied);
    test_state_fill(&written, moments, 1);
    mot_ck_all(mot_state_digest(&comm, &written.state, before) == MOT_OK);
    mot_ck_all(mot_checkpoint_write(&comm, &written.state, path) == MOT_OK);

    test_state_make(&read, &comm, reading, tied);
    test_state_fill(&read, 2, 9); /* what stands there must go */
    test_state_make(&expected, &comm, reading, tied);
    test_state_fill(&expected, moments, 1);
    const mot_status status = mot_checkpoint_read(&comm, &read.state, path);
    ck_assert_msg(status == MOT_OK, "%s", mot_error_message());
    mot_ck_all(test_same_state(&read, &expected));
    mot_ck_all(mot_state_digest(&comm, &read.state, after) == MOT_OK);
    mot_ck_all(strcmp(before, after) == 0);

    if (comm.rank == MOT_ROOT) unlink(path);
    test_state_free(&written);
    test_state_free(&expected);
    test_state_free(&read);
}
END_TEST

/* loop index: moments x placement */
START_TEST(files_of_version_2_are_read)
{
    const int moments = _i % 3, reading = _i / 3;
    const char *const path = test_path("former.h5");
    test_state expected, read;
    if (comm.rank == MOT_ROOT) {
        mot_comm alone;
        test_state written;
        mot_comm_init(&alone, MPI_COMM_SELF);
        test_state_make(&written, &alone, PLACE_ROOT, true);
        test_state_fill(&written, moments, 1);
        mot_ck_ok(mot_checkpoint_write(&alone, &written.state, path));
        test_make_former(&written, path, moments);
        mot_ck_ok(mot_checkpoint_verify(path));
        test_state_free(&written);
        mot_comm_free(&alone);
    }
    MPI_Barrier(comm.mpi);
    test_state_make(&read, &comm, reading, true);
    test_state_fill(&read, 2, 9);
    test_state_make(&expected, &comm, reading, true);
    test_state_fill(&expected, moments, 1);
    const mot_status status = mot_checkpoint_read(&comm, &read.state, path);
    ck_assert_msg(status == MOT_OK, "%s", mot_error_message());
    mot_ck_all(test_same_state(&read, &expected));
    if (comm.rank == MOT_ROOT) unlink(path);
    test_state_free(&expected);
    test_state_free(&read);
}
END_TEST

START_TEST(digest_is_of_the_values_only)
{
    test_state s;
    char first[33], second[33];
    test_state_make(&s, &comm, PLACE_ROUND, true);
    test_state_fill(&s, 0, 1);
    mot_ck_all(mot_state_digest(&comm, &s.state, first) == MOT_OK);
    /* Padding, moments and progress belong to nobody's parameters. */
    if (s.experts[0] != NULL) s.experts[0]->value[s.expert.row[0].count] = 7;
    if (s.experts[0] != NULL) s.experts[0]->moment[0][0] = 7;
    s.state.progress.step++;
    mot_ck_all(mot_state_digest(&comm, &s.state, second) == MOT_OK);
    mot_ck_all(strcmp(first, second) == 0);
    if (s.experts[4] != NULL) s.experts[4]->value[0] = nextafterf(s.experts[4]->value[0], 9);
    mot_ck_all(mot_state_digest(&comm, &s.state, second) == MOT_OK);
    mot_ck_all(strcmp(first, second) != 0);
    mot_ck_all(strlen(first) == 32);
    test_state_free(&s);
}
END_TEST

/* Known once and for all: a digest that changes makes every published run unrepeatable. */
START_TEST(digest_stays_what_it_is)
{
    test_state s;
    char text[33];
    test_state_make(&s, &comm, PLACE_BLOCKS, false);
    for (int e = 0; e < STATE_EXPERTS; ++e) {
        if (s.experts[e] != NULL) s.experts[e]->value[0] = (float)(e + 1);
    }
    mot_ck_all(mot_state_digest(&comm, &s.state, text) == MOT_OK);
    ck_assert_str_eq(text, "4feb3f0e1f4a3e9f77ad9234338c35c8");
    test_state_free(&s);
}
END_TEST

START_TEST(failures_are_common_and_leave_everything)
{
    test_state s, untouched;
    test_state_make(&s, &comm, PLACE_ROUND, true);
    test_state_fill(&s, 2, 1);
    test_state_make(&untouched, &comm, PLACE_ROUND, true);
    test_state_fill(&untouched, 2, 1);

    mot_ck_all(mot_checkpoint_write(&comm, &s.state, "/nowhere/step-00000001.h5") == MOT_ERR_FILE);
    mot_ck_all(strstr(mot_error_message(), "/nowhere/step-00000001.h5") != NULL);
    mot_ck_all(mot_checkpoint_read(&comm, &s.state, "/nowhere/step-00000001.h5") == MOT_ERR_FILE);
    mot_ck_all(strstr(mot_error_message(), "/nowhere/step-00000001.h5") != NULL);
    mot_ck_all(test_same_state(&s, &untouched));

    /* A value that is not finite: nothing is written, the last good file stays. */
    const char *const path = test_path("finite.h5");
    mot_ck_all(mot_checkpoint_write(&comm, &s.state, path) == MOT_OK);
    if (s.experts[3] != NULL) s.experts[3]->value[s.expert.row[1].offset + 4] = NAN;
    mot_ck_all(mot_checkpoint_write(&comm, &s.state, path) == MOT_ERR_NUMERIC);
    mot_ck_all(strstr(mot_error_message(), "/experts/ffn/block0/in_bias of expert 3 is nan at [4]") != NULL);
    mot_ck_all(mot_checkpoint_read(&comm, &s.state, path) == MOT_OK);
    mot_ck_all(test_same_state(&s, &untouched));
    if (comm.rank == MOT_ROOT) unlink(path);

    /* An expert that its owner does not have, known on one rank only. */
    const int last = comm.size > 1 ? 1 : 0;
    if (comm.rank == last) s.unit[2 + last].params = NULL;
    mot_ck_all(mot_checkpoint_write(&comm, &s.state, path) == MOT_ERR_INPUT);
    mot_ck_all(strstr(mot_error_message(), "is not on rank") != NULL);
    mot_ck_all(access(path, F_OK) != 0);
    test_state_free(&s);
    test_state_free(&untouched);
}
END_TEST

START_TEST(another_model_is_refused)
{
    test_state s, other;
    const char *const path = test_path("other.h5");
    test_state_make(&s, &comm, PLACE_ROUND, true);
    test_state_fill(&s, 1, 1);
    mot_ck_all(mot_checkpoint_write(&comm, &s.state, path) == MOT_OK);

    test_state_make(&other, &comm, PLACE_LAST, true);
    other.expert.row[0].shape[0] = 9;
    other.expert.row[0].shape[1] = 6;
    mot_ck_all(mot_checkpoint_read(&comm, &other.state, path) == MOT_ERR_INPUT);
    mot_ck_all(strstr(mot_error_message(), "/experts/ffn/block0/in_weight has shape [6, 9]") != NULL);
    test_state_free(&other);

    test_state_make(&other, &comm, PLACE_LAST, true);
    snprintf(other.expert.row[1].name, MOT_TENSOR_NAME, "block0/gain");
    mot_ck_all(mot_checkpoint_read(&comm, &other.state, path) == MOT_ERR_INPUT);
    mot_ck_all(strstr(mot_error_message(), "/experts/ffn/block0/gain is missing") != NULL);
    test_state_free(&other);

    test_state_make(&other, &comm, PLACE_LAST, false); /* nothing tied: the file has more than the model */
    mot_ck_all(mot_checkpoint_read(&comm, &other.state, path) == MOT_ERR_INPUT);
    mot_ck_all(strstr(mot_error_message(), "another model") != NULL);
    other.state.experts = 4;
    mot_ck_all(mot_checkpoint_read(&comm, &other.state, path) == MOT_ERR_INPUT);
    mot_ck_all(strstr(mot_error_message(), "5 experts, the configuration has 4") != NULL);
    test_state_free(&other);

    if (comm.rank == MOT_ROOT) unlink(path);
    test_state_free(&s);
}
END_TEST

/* Of nine experts in the beginning; those of a state are copied before the checkpoint is written. */
START_TEST(some_experts_have_gone)
{
    enum { BEGUN = 9 };
    static const bool wanted[BEGUN] = {[0] = true, [2] = true, [3] = true, [7] = true, [8] = true};
    int origin[STATE_EXPERTS] = {0, 2, 3, 7, 8};
    const char *const path = test_path("gone.h5");
    bool there[BEGUN];
    test_state s, read;
    mot_saver *saver;
    test_state_make(&s, &comm, PLACE_ROUND, true);
    test_state_fill(&s, 2, 1);
    s.state.origin = origin;
    mot_ck_ok(mot_saver_create(&saver, &comm, 0));
    mot_ck_ok(mot_saver_begin(saver, &s.state, path, true, NULL));
    origin[0] = 1;
    mot_ck_ok(mot_saver_wait(saver));
    mot_saver_destroy(&saver);
    origin[0] = 0;
    mot_ck_ok(mot_checkpoint_experts(path, BEGUN, there));
    ck_assert_mem_eq(there, wanted, sizeof wanted);
    mot_ck_ok(mot_checkpoint_verify(path));

    test_state_make(&read, &comm, PLACE_LAST, true);
    read.state.origin = origin;
    mot_ck_ok(mot_checkpoint_read(&comm, &read.state, path));
    test_state_free(&read);

    /* Other experts, and none that could be these. */
    test_state_make(&read, &comm, PLACE_LAST, true);
    mot_ck_all(mot_checkpoint_read(&comm, &read.state, path) == MOT_ERR_INPUT);
    mot_ck_all(strstr(mot_error_message(), "its expert 1 had the number 2 in the beginning, that of the run had 1") != NULL);
    test_state_free(&read);
    mot_ck_all(mot_checkpoint_experts(path, 8, there) == MOT_ERR_INPUT);
    mot_ck_all(strstr(mot_error_message(), "[4] is 8, expected ascending numbers in [0, 8)") != NULL);
    mot_ck_all(mot_checkpoint_experts(path, 4, there) == MOT_ERR_INPUT);
    mot_ck_all(strstr(mot_error_message(), "a checkpoint of 5 experts, the configuration has 4") != NULL);

    /* Without their numbers all must be there. */
    s.state.origin = NULL;
    mot_ck_ok(mot_checkpoint_write(&comm, &s.state, path));
    mot_ck_ok(mot_checkpoint_experts(path, STATE_EXPERTS, there));
    mot_ck_all(there[0] && there[4]);
    mot_ck_all(mot_checkpoint_experts(path, BEGUN, there) == MOT_ERR_INPUT);
    s.state.origin = origin;
    mot_ck_all(mot_checkpoint_read(&comm, &s.state, path) == MOT_ERR_INPUT);
    if (comm.rank == MOT_ROOT) unlink(path);
    test_state_free(&s);
}
END_TEST

START_TEST(names_newest_and_retained)
{
    if (comm.rank != MOT_ROOT) return;
    char folder[] = "/tmp/mot-test-XXXXXX", path[4096], name[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(mot_checkpoint_newest(folder, path, sizeof path), -1);
    ck_assert_int_eq(mot_checkpoint_newest("/nowhere", path, sizeof path), -1);
    mot_checkpoint_name(name, sizeof name, 400);
    ck_assert_str_eq(name, "step-00000400.h5");

    const char *const made[] = {
        "step-00000008.h5", "step-00000400.h5", "step-123456789012.h5", "step-00000099.h5",
        /* none of these is a checkpoint: */
        "step-500.h5", "step-99999999999999999999.h5", "step-00000900.h5.bak", "step--0000009.h5",
        "step-00000900.h5.tmp.17", "other.h5", "summary.json.tmp.17", "note.tmp.x"};
    for (size_t f = 0; f < MOT_COUNT(made); ++f) {
        mot_ck_ok(mot_path_join(path, sizeof path, folder, made[f]));
        mot_ck_ok(mot_file_replace(path, "x", 1));
    }
    ck_assert_int_eq(mot_checkpoint_newest(folder, path, sizeof path), 123456789012);
    ck_assert_ptr_nonnull(strstr(path, "/step-123456789012.h5"));
    mot_ck_ok(mot_checkpoint_retain(folder, &(mot_retention){.best = -1}));
    ck_assert_int_eq(mot_checkpoint_before(folder, 400, path, sizeof path), 99);
    ck_assert_int_eq(mot_checkpoint_before(folder, 8, path, sizeof path), -1);
    mot_ck_ok(mot_checkpoint_retain(folder, &(mot_retention){.newest = 1, .every = 50, .best = 8}));
    mot_ck_ok(mot_file_sweep(folder));
    mot_ck_ok(mot_file_sweep("/nowhere"));
    for (size_t f = 0; f < MOT_COUNT(made); ++f) {
        const bool gone = f == 3 || f == 8 || f == 10; /* not the newest, multiples of 50, the best */
        mot_ck_ok(mot_path_join(path, sizeof path, folder, made[f]));
        ck_assert_msg((access(path, F_OK) != 0) == gone, "%s", made[f]);
        unlink(path);
    }
    rmdir(folder);
    ck_assert_int_eq(mot_checkpoint_retain("/nowhere", &(mot_retention){.newest = 1}), MOT_ERR_FILE);
}
END_TEST

START_TEST(configuration_alone)
{
    test_state s;
    const char *const path = test_path("config.h5");
    test_state_make(&s, &comm, PLACE_ROUND, false);
    mot_ck_all(mot_checkpoint_write(&comm, &s.state, path) == MOT_OK);
    char *text, *checksum;
    const bool good = mot_checkpoint_config(path, &text, &checksum) == MOT_OK &&
                      strcmp(text, s.state.config_text) == 0 &&
                      strcmp(checksum, s.state.dataset_checksum) == 0;
    mot_free(text);
    mot_free(checksum);
    mot_ck_all(good);
    mot_ck_all(mot_checkpoint_verify(path) == MOT_OK);
    if (comm.rank == MOT_ROOT) unlink(path);
    test_state_free(&s);
}
END_TEST

static void checkpoint_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, every_placement_reads_every_other, 0, PLACEMENTS * PLACEMENTS);
    tcase_add_loop_test(tcase, files_of_version_2_are_read, 0, 3 * PLACEMENTS);
    tcase_add_test(tcase, digest_is_of_the_values_only);
    tcase_add_test(tcase, digest_stays_what_it_is);
    tcase_add_test(tcase, failures_are_common_and_leave_everything);
    tcase_add_test(tcase, another_model_is_refused);
    tcase_add_test(tcase, some_experts_have_gone);
    tcase_add_test(tcase, names_newest_and_retained);
    tcase_add_test(tcase, configuration_alone);
}

MOT_CK_MAIN("checkpoint", checkpoint_tests)
