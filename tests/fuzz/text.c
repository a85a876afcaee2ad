/* Texts: a file a split, words or bytes. */
#include "import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const fuzz_input input = fuzz_cut(data, size);
    const mot_import_options options = {.bytes = input.choice & 1,
                                        .length = input.choice >> 1 & 15,
                                        .min_count = 1 + (input.choice >> 5 & 1),
                                        .text_column = input.choice & 0x40 ? "text" : NULL};
    fuzz_import(mot_import_text, options, &input, 1);
    return 0;
}
