/* A checkpoint with a right mark and any contents behind it: refused, and the state is as it was, or read. With the
 * highest bit of the choice the input itself is the file. */
#include "h5.h"

#define MOT_TEST_CK_H   /* what fails while the state is made is told without Check */
#define mot_ck_ok(call) FUZZ_CHECK((call) == MOT_OK)
#include "../checkpoint/checkpoint_state.h"
#include "checkpoint_file.h"

static const char *const objects[] = {"/",
                                      "progress",
                                      "gate",
                                      "gate/weight",
                                      "gate/balance_bias",
                                      "tied",
                                      "tied/attention/block0/qkv_weight",
                                      "experts",
                                      "experts/state",
                                      "experts/xxh3",
                                      "experts/updates",
                                      "experts/ffn/block0/in_weight",
                                      "experts/ffn/block0/in_bias.moment0",
                                      "experts/00000",
                                      "config",
                                      NULL};
static const char *const attributes[] = {
    "format",  "format_version", "complete", "experts", "tensors",
    "moments", "updates",        "expert",   "xxh3",    "xxh3_column",
    "step",    "stage",   "window_loss",    "restarts", "seed",    "dataset_checksum",
    NULL};

static mot_comm comm;
static test_state state, kept;

static void fresh(test_state *made, int moments, int salt)
{
    test_state_free(made);
    test_state_make(made, &comm, PLACE_ROOT, true);
    test_state_fill(made, moments, salt);
}

static void make(fuzz_file *good, const char *path)
{
    MPI_Init(NULL, NULL);
    mot_comm_init(&comm, MPI_COMM_SELF);
    fresh(&state, 2, 1);
    FUZZ_CHECK(mot_checkpoint_write(&comm, &state.state, path) == MOT_OK);
    fuzz_keep_good(good, path);
    good->objects = objects;
    good->attributes = attributes;
    fresh(&state, 1, 5);
    fresh(&kept, 1, 5);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static fuzz_file good;
    const fuzz_input input = fuzz_cut(data, size);
    const char *path = fuzz_path("step-00000400.h5");
    if (good.image == NULL) make(&good, path);
    const fuzz_state before = fuzz_look();
    if (input.choice & 0x80)
        fuzz_save("step-00000400.h5", input.piece[0], input.size[0]);
    else if (!fuzz_change(&good, input.piece[0], input.size[0], path) ||
             !fuzz_seal(path))
        return 0;
    char *text, *checksum;
    if (fuzz_accepted(mot_checkpoint_read(&comm, &state.state, path)))
        fresh(&state, 1, 5);
    else
        FUZZ_CHECK(test_same_state(&state, &kept));
    if (fuzz_accepted(mot_checkpoint_config(path, &text, &checksum))) {
        mot_free(text);
        mot_free(checksum);
    }
    fuzz_accepted(mot_checkpoint_verify(path));
    fuzz_nothing_left(before);
    return 0;
}
