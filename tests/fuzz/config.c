/* A configuration in YAML, and the arguments "key=value" behind it. What is accepted says itself in a text that reads
 * back to the same configuration. */
#include "fuzz.h"
#include "mot/config.h"

static char *copy(const fuzz_input *input, size_t piece)
{
    char *text = mot_calloc(input->size[piece] + 1, 1);
    FUZZ_CHECK(text != NULL);
    memcpy(text, input->piece[piece], input->size[piece]);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static mot_config config, again;
    const fuzz_state before = fuzz_look();
    const fuzz_input input = fuzz_cut(data, size);
    const char *path = fuzz_save("fuzz.yaml", input.piece[0], input.size[0]);
    char *argument[FUZZ_PIECES], *text = NULL;
    for (size_t i = 1; i < input.count; ++i) argument[i - 1] = copy(&input, i);
    if (fuzz_accepted(mot_config_read(&config, path, input.count - 1, (const char *const *)argument))) {
        FUZZ_CHECK(mot_config_text(&config, &text) == MOT_OK);
        FUZZ_CHECK(mot_config_parse(&again, path, text, 0, NULL) == MOT_OK);
        FUZZ_CHECK(memcmp(&config, &again, sizeof config) == 0);
    }
    mot_free(text);
    for (size_t i = 1; i < input.count; ++i) mot_free(argument[i - 1]);
    fuzz_nothing_left(before);
    return 0;
}
