/* mot inspect, without the child process in which it reads: a run.h5 with any contents beside a segment. */
#include "h5.h"

#include "../../src/cli/cmd_inspect.c"
#include "mot/continual.h"

static const char *const objects[] = {"/",           "segments",         "segments/00000001-00000002",
                                      "checkpoints", "checkpoints/step", "steps",
                                      "steps/step",  "layer1",           "layer1/load",
                                      "experts",     "experts/00000",    "config",
                                      "stream",      "stream/accuracy",  "stream/step",
                                      "stream/task_names", NULL};
static const char *const attributes[] = {"format", "format_version", "experts", "complete", "step",
                                         "digest", "long_name",      "units",   "seed",     NULL};

/* Accuracies by task, of two tasks that are learned. */
static void make_tasks(hid_t file)
{
    static char *names[] = {"0: a", "1: b"};
    const double row[2] = {0.5, 0.25};
    mot_task_matrix matrix;
    FUZZ_CHECK(mot_task_matrix_create(&matrix, 2, true, names) == MOT_OK);
    for (int task = -1; task < 2; ++task) mot_task_matrix_set(&matrix, task, task + 1, row, row);
    FUZZ_CHECK(mot_task_matrix_write(&matrix, file) == MOT_OK);
    mot_task_matrix_free(&matrix);
}

static void make(const char *path)
{
    const char *const config = "run: x\n";
    const int64_t step[2] = {1, 2}, load[4] = {3, 4, 5, 6};
    const hsize_t shape[2] = {2, 2};
    hid_t file;
    FUZZ_CHECK(mot_h5_create_file(&file, path, MOT_H5_HEAD) == MOT_OK);
    FUZZ_CHECK(mot_h5_set_text(file, ".", "format", "mot-run") == MOT_OK);
    FUZZ_CHECK(mot_h5_write(file, "steps/step", H5T_NATIVE_INT64, 1, shape, MOT_H5_GROWING, step) == MOT_OK);
    FUZZ_CHECK(mot_h5_write(file, "layer1/load", H5T_NATIVE_INT64, 2, shape, MOT_H5_COMPRESSED, load) ==
               MOT_OK);
    FUZZ_CHECK(mot_h5_write_texts(file, "config", 1, &config) == MOT_OK);
    make_tasks(file);
    FUZZ_CHECK(mot_h5_link(file, "segments/00000001-00000002", "record/segment.h5", "/") == MOT_OK);
    FUZZ_CHECK(mot_h5_link(file, "checkpoints/step", "run.h5", "/") == MOT_OK);
    FUZZ_CHECK(mot_h5_close_file(&file, path, true) == MOT_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static fuzz_file good;
    const fuzz_input input = fuzz_cut(data, size);
    const char *path = fuzz_path("run.h5");
    if (good.image == NULL) {
        FUZZ_CHECK(mot_folder_make(fuzz_path("record")) == MOT_OK);
        make(fuzz_path("record/segment.h5"));
        make(path);
        fuzz_keep_good(&good, path);
        good.objects = objects;
        good.attributes = attributes;
    }
    const fuzz_state before = fuzz_look();
    const inspect_options options = {.path = path, .values = input.choice & 31, .verify = input.choice & 32};
    if (input.choice & 0x80) { /* any text */
        const inspect_options text = {.path = fuzz_save("text", input.piece[0], input.size[0])};
        if (H5Fis_hdf5(text.path) <= 0) fuzz_accepted(inspect(&text));
    } else if (fuzz_change(&good, input.piece[0], input.size[0], path)) {
        fuzz_accepted(inspect(&options));
    }
    fuzz_nothing_left(before);
    return 0;
}
