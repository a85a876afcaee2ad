/* Every single request for memory fails once, wherever a stream of tasks is opened, read and remembered. */
#include "mot/rehearsal_memory.h"
#include "short_memory.h"
#include "stream_support.h"

static mot_status read_all(const mot_data_config *config, const char *split, bool memory)
{
    mot_dataset set;
    mot_memory held = {0};
    mot_status status = mot_dataset_stream_open(&set, config, split, memory, 1);
    if (status != MOT_OK) return status;
    for (mot_gidx i = 0; i < set.samples && status == MOT_OK; i += 30) {
        int32_t bytes[BYTES];
        status = mot_dataset_read(&set, i, bytes);
    }
    if (status == MOT_OK && memory)
        status = mot_memory_choose(&held, MOT_MEMORY_CLASS, (mot_memory_size){20, MOT_MEMORY_SAMPLES}, &set, 1, 1);
    mot_memory_free(&held);
    mot_dataset_close(&set);
    return status;
}

static mot_status pictures(void)
{
    mot_data_config config = config_of("a.h5", "b.h5", MOT_SPLIT_CLASS, 3);
    strcpy(config.stream.changes, "none, pixels + blur 1, labels 0.5");
    config.stream.drawn = true;
    config.memory = 0;
    const mot_status status = read_all(&config, "train", true);
    return status == MOT_OK ? read_all(&config, "test", false) : status;
}

static mot_status words(void)
{
    const mot_data_config config = config_of("ta.h5", "tb.h5", MOT_SPLIT_FILE, 0);
    return read_all(&config, "train", true);
}

START_TEST(short_of_memory_nothing_is_left)
{
    make_set(&a);
    make_set(&b);
    make_texts("ta.h5", words_a, 4, 4);
    make_texts("tb.h5", words_b, 5, 6);
    short_of_memory("pictures", pictures, 60);
    short_of_memory("texts", words, 30);
}
END_TEST

static void stream_short_tests(TCase *tcase)
{
    tcase_add_unchecked_fixture(tcase, NULL, scratch_remove);
    tcase_add_test(tcase, short_of_memory_nothing_is_left);
}

MOT_CK_MAIN("stream_short", stream_short_tests)
