/* NumPy: an .npz, or two or three .npy, a split. */
#include "import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const fuzz_input input = fuzz_cut(data, size);
    static const char *const kinds[] = {NULL, "picture", "text", "vector"}, *const pads[] = {NULL, "none", "1", "-1"};
    const mot_import_options options = {.kind = kinds[input.choice >> 2 & 3],
                                        .pad = pads[input.choice >> 4 & 3],
                                        .numbers = (input.choice & 3) == 3,
                                        .layout = input.choice & 0x40 ? MOT_LAYOUT_HWC : MOT_LAYOUT_AUTO};
    fuzz_import(mot_import_npy, options, &input, 1 + (input.choice & 3) % 3);
    return 0;
}
