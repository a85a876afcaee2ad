/* Every single request for memory fails once, wherever a run loads, steps, saves and goes on. */
#include "../checkpoint/checkpoint_state.h"
#include "../store/scratch.h"
#include "mot/config.h"
#include "mot/dataset.h"
#include "mot/import.h"
#include "mot/log.h"
#include "mot/run.h"
#include "short_memory.h"

static mot_comm comm;

static void set_up(void)
{
    mot_comm_init(&comm, MPI_COMM_SELF);
    mot_log_init(1, MOT_LOG_ERROR); /* not the root's lines */
    const char table[] = "1,2,0\n3,4,1\n5,6,0\n7,8,1\n";
    scratch_write(scratch_path("table.csv"), table, sizeof table - 1);
}

static void tear_down(void)
{
    scratch_remove();
    mot_comm_free(&comm);
}

/* ---- configurations and data ---- */

static mot_status read_config(void)
{
    const char *const arguments[] = {"model.experts=3", "route.placement=[[0,1,2]]"};
    static mot_config config;
    char *text = NULL;
    mot_status status;
    MOT_TRY(mot_config_parse(&config, "x.yaml", "data: {source: mixture}\nmodel: {width: 8, heads: 2}\n", 2,
                             arguments));
    MOT_TRY(mot_config_text(&config, &text));
done:
    mot_free(text);
    return status;
}

static mot_status import_table(void)
{
    const mot_import_options options = {.out = scratch_path("table.h5"),
                                        .files = {scratch_path("table.csv")},
                                        .class_names = "no,yes"};
    return mot_import_csv(&options);
}

static mot_status read_data(void)
{
    mot_dataset dataset = {0};
    float sample[2];
    mot_status status = MOT_OK;
    for (size_t memory = 0; memory <= 1 << 20; memory += 1 << 20) {
        MOT_TRY(mot_dataset_open(&dataset, scratch_path("table.h5"), "train", memory));
        MOT_TRY(mot_dataset_read(&dataset, 3, sample));
        mot_dataset_close(&dataset);
    }
done:
    mot_dataset_close(&dataset);
    return status;
}

START_TEST(data_are_loaded)
{
    short_of_memory("a configuration", read_config, 2);
    short_of_memory("an import", import_table, 5);
    short_of_memory("a data set", read_data, 5);
}
END_TEST

/* ---- steps ---- */

static const char *const *steps_settings;

static mot_status take_steps(void)
{
    static const bool keep[] = {true, false, true};
    static mot_config config;
    mot_run *run = NULL;
    mot_step_result result;
    mot_status status;
    MOT_TRY(mot_config_parse(
        &config, "x.yaml",
        "data: {source: random, random: {tokens: 4, width: 5, classes: 3, samples: 50}}\nthreads: 1\n"
        "model: {width: 8, heads: 2, ffn: 12, depth: 1, experts: 3}\ntrain: {batch: 20}\n",
        2, steps_settings));
    MOT_TRY(mot_run_open(&run, &comm, &config));
    for (mot_gidx step = 0; step < 3; ++step) MOT_TRY(mot_run_step(run, step, &result));
    MOT_TRY(mot_run_keep_experts(run, keep));
    MOT_TRY(mot_run_step(run, 3, &result));
done:
    mot_run_close(&run);
    return status;
}

static mot_status take_steps_through_layers(void)
{
    static mot_config config;
    mot_run *run = NULL;
    mot_step_result result;
    mot_status status;
    MOT_TRY(mot_config_parse(
        &config, "x.yaml",
        "data: {source: random, random: {tokens: 4, width: 5, classes: 3, samples: 50}}\nthreads: 1\n"
        "model:\n  layers:\n    - embed: {width: 8}\n    - dense: {depth: 1, heads: 2, ffn: 12}\n"
        "    - experts: {count: 3, depth: 1, heads: 2, ffn: 12}\n"
        "    - experts: {count: 2, depth: 1, heads: 2, ffn: 12, route: {top_k: 2}}\n    - head:\ntrain: {batch: 20}\n",
        0, NULL));
    MOT_TRY(mot_run_open(&run, &comm, &config));
    for (mot_gidx step = 0; step < 2; ++step) MOT_TRY(mot_run_step(run, step, &result));
done:
    mot_run_close(&run);
    return status;
}

START_TEST(steps_are_taken)
{
    const char *const one[] = {"route.top_k=1", "route.chunks=2"}, *const two[] = {"route.top_k=2",
                                                                                   "model.tie=[attention]"};
    steps_settings = one;
    short_of_memory("steps with one choice", take_steps, 20);
    steps_settings = two;
    short_of_memory("steps with two choices and tied parts", take_steps, 20);
    short_of_memory("steps through layers", take_steps_through_layers, 20);
}
END_TEST

/* ---- checkpoints ---- */

static test_state state;

static mot_status save_and_go_on(void)
{
    const char *path = scratch_path("step-00000001.h5");
    char *text = NULL;
    mot_status status;
    MOT_TRY(mot_checkpoint_write(&comm, &state.state, path));
    MOT_TRY(mot_checkpoint_verify(path));
    MOT_TRY(mot_checkpoint_config(path, &text, NULL));
    MOT_TRY(mot_checkpoint_read(&comm, &state.state, path));
done:
    mot_free(text);
    return status;
}

START_TEST(checkpoints_are_written_and_read)
{
    test_state_make(&state, &comm, PLACE_ROOT, true);
    test_state_fill(&state, 2, 1);
    short_of_memory("a checkpoint", save_and_go_on, 10);
    test_state_free(&state);
}
END_TEST

static void short_memory_tests(TCase *tcase)
{
    tcase_add_unchecked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, data_are_loaded);
    tcase_add_test(tcase, steps_are_taken);
    tcase_add_test(tcase, checkpoints_are_written_and_read);
}

MOT_CK_MAIN("short_memory", short_memory_tests)
