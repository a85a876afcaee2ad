/* CIFAR's records, one or two files a split. */
#include "import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int kinds[] = {0, 10, 100};
    const fuzz_input input = fuzz_cut(data, size);
    const mot_import_options options = {.cifar = kinds[input.choice % 3]};
    fuzz_import(mot_import_cifar, options, &input, 1 + (input.choice >> 2 & 1));
    return 0;
}
