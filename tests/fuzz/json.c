/* The two readers of JSON: of a line of log.jsonl, and of a file of `mot bench --json`. */
#include "bench_private.h"
#include "fuzz.h"
#include "mot/record.h"
#include "record_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char description[] = "model:\n  width: 8\n# sample: 6 tokens\n";
    const fuzz_state before = fuzz_look();
    const fuzz_input input = fuzz_cut(data, size);
    int64_t step;
    char *line = malloc(input.size[0] + 1); /* the address sanitizer sees a read behind its end */
    FUZZ_CHECK(line != NULL);
    memcpy(line, input.piece[0], input.size[0]);
    mot_json_find_int(line, input.size[0], "step", &step);
    free(line);

    const char *path = fuzz_save("bench.json", input.piece[0], input.size[0]);
    static bench_sample samples[2];
    const bench_result result = {.ranks = 1, .repeats = 2, .steps = 1, .batch = 1, .sample = samples};
    bench_file file = {0};
    if (fuzz_accepted(mot_bench_read(&file, path, description, 2))) mot_bench_compare(&file, path, &result);
    mot_free(file.text);
    fuzz_nothing_left(before);
    return 0;
}
