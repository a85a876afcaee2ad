/* Tables: a file a split, the label in any column, numbers as vectors or as pictures. */
#include "import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const fuzz_input input = fuzz_cut(data, size);
    mot_import_options options = {.label_column = (int)(input.choice & 3) - 1, .seed = 1};
    if (input.choice & 4) memcpy(options.shape, (size_t[]){1, 2, 2}, sizeof options.shape);
    if (input.choice & 8) options.test_fraction = 0.5;
    fuzz_import(mot_import_csv, options, &input, 1);
    return 0;
}
