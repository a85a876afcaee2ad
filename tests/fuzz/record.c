/* A run folder that a run would go on in: the first piece is log.jsonl, the others are names of files in record/. */
#include "fuzz.h"
#include "mot/record.h"

static bool name_of(const fuzz_input *input, size_t piece, char name[128])
{
    const size_t length = input->size[piece];
    if (length == 0 || length > 100 || memchr(input->piece[piece], '/', length) != NULL ||
        memchr(input->piece[piece], 0, length) != NULL)
        return false;
    snprintf(name, 128, "run/record/%.*s", (int)length, (const char *)input->piece[piece]);
    return strcmp(name, "run/record/.") != 0 && strcmp(name, "run/record/..") != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const fuzz_input input = fuzz_cut(data, size);
    const mot_record_about about = {
        .folder = fuzz_path("run"), .config_text = "run: x\n", .experts = 2, .choices = 1, .classes = 2, .layers = 1};
    char name[128];
    FUZZ_CHECK(mot_folder_make(fuzz_path("run/record")) == MOT_OK);
    const fuzz_state before = fuzz_look();
    fuzz_save("run/log.jsonl", input.piece[0], input.size[0]);
    for (size_t i = 1; i < input.count; ++i)
        if (name_of(&input, i, name)) fuzz_save(name, "", 0);
    mot_record *record = NULL;
    if (fuzz_accepted(mot_record_open(&record, &about, (mot_gidx)input.choice - 1)))
        mot_record_close(&record);
    for (size_t i = 1; i < input.count; ++i)
        if (name_of(&input, i, name)) unlink(fuzz_path(name));
    fuzz_nothing_left(before);
    return 0;
}
