/* Tables: a file a split, the label in any column, numbers as vectors or as pictures. */
#include "import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const fuzz_input input = fuzz_cut(data, size);
    static const char *const columns[] = {NULL, "1", "kind", "name=b"};
    mot_import_options options = {.label_column = columns[input.choice & 3], .seed = 1};
    if (input.choice & 4) memcpy(options.shape, (size_t[]){1, 2, 2}, sizeof options.shape);
    if (input.choice & 8) options.test_fraction = 0.5;
    if (input.choice & 16) options.header = MOT_ANSWER_YES;
    if (input.choice & 32) options.by_name = MOT_ANSWER_YES;
    if (input.choice & 64) options.group_column = "2";
    if ((input.choice & 76) == 76) { /* targets that are numbers */
        options.target_columns = (input.choice & 3) == 0 ? "1" : "last,1";
        options.label_column = NULL;
        memset(options.shape, 0, sizeof options.shape);
    }
    fuzz_import(mot_import_csv, options, &input, 1);
    return 0;
}
