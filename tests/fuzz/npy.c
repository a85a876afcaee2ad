/* NumPy: an .npz, or two or three .npy, a split. */
#include "import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const fuzz_input input = fuzz_cut(data, size);
    fuzz_import(mot_import_npy, (mot_import_options){0}, &input, 1 + input.choice % 3);
    return 0;
}
