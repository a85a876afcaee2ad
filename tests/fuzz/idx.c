/* IDX: pictures and labels, a pair a split. */
#include "import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const fuzz_input input = fuzz_cut(data, size);
    fuzz_import(mot_import_idx, (mot_import_options){0}, &input, 2);
    return 0;
}
