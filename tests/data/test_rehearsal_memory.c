/* The memory of old tasks: sizes, who shares them, that nothing comes back, and that all are drawn alike. */
#include "mot/memory.h"
#include "mot/rehearsal_memory.h"
#include "stream_support.h"

enum { TASKS = 5, CLASSES = 10 };
/* Tasks of two classes each, of 52, 51, 50, 50 and 50 samples. */
static const made_set data = {"m.h5", 1, CLASSES, 2, false, 253, 10};

static mot_dataset open_data(void)
{
    const mot_data_config config = config_of("m.h5", NULL, MOT_SPLIT_CLASS, TASKS);
    make_set(&data);
    return open_stream(&config, "train", 1);
}

static mot_memory choose(mot_memory_form form, const char *text, const mot_dataset *set, int tasks, uint64_t seed)
{
    mot_memory_size size;
    mot_memory memory;
    ck_assert_msg(mot_memory_size_parse(text, form, &size), "%s", text);
    mot_ck_ok(mot_memory_choose(&memory, form, size, set, tasks, seed));
    ck_assert_int_eq(memory.tasks, tasks);
    for (int t = 0; t < tasks; ++t)
        for (mot_gidx i = memory.first[t]; i < memory.first[t + 1]; ++i) {
            ck_assert_int_eq(mot_stream_task(mot_dataset_stream(set), memory.sample[i]), t);
            ck_assert(i == 0 || memory.sample[i] > memory.sample[i - 1]);
        }
    return memory;
}

/* Samples of each task as "11 11 10". */
static void counts_of(const mot_memory *memory, char text[128])
{
    text[0] = '\0';
    for (int t = 0; t < memory->tasks; ++t)
        sprintf(text + strlen(text), "%s%d", t > 0 ? " " : "", (int)(memory->first[t + 1] - memory->first[t]));
}

START_TEST(sizes_are_shared_alike)
{
    static const struct {
        mot_memory_form form;
        const char *size;
        int tasks;
        const char *counts;
    } row[] = {
        {MOT_MEMORY_TASK, "32", 3, "11 11 10"},
        {MOT_MEMORY_TASK, "2", 4, "1 1 0 0"},
        {MOT_MEMORY_TASK, "100 B", 1, "11"}, /* of 9 bytes each */
        {MOT_MEMORY_TASK, "1 KiB", 2, "52 51"}, /* 113, and there are not so many */
        {MOT_MEMORY_TASK, "102", 2, "51 51"},
        {MOT_MEMORY_TASK, "103", 2, "52 51"},
        {MOT_MEMORY_TASK, "7 a task", 4, "7 7 7 7"},
        {MOT_MEMORY_TASK, "10000", 5, "52 51 50 50 50"},
        {MOT_MEMORY_TASK, "0", 2, "0 0"},
        {MOT_MEMORY_TASK, "32", 0, ""},
        {MOT_MEMORY_CLASS, "21", 5, "5 4 4 4 4"}, /* the earliest class has one more */
        {MOT_MEMORY_CLASS, "20 a class", 3, "40 40 40"},
        {MOT_MEMORY_CLASS, "26 a class", 3, "52 51 50"}, /* no class has more */
        {MOT_MEMORY_CLASS, "3 a class", 5, "6 6 6 6 6"},
    };
    mot_dataset set = open_data();
    for (size_t r = 0; r < MOT_COUNT(row); ++r) {
        char counts[128];
        mot_memory memory = choose(row[r].form, row[r].size, &set, row[r].tasks, 3);
        counts_of(&memory, counts);
        ck_assert_msg(strcmp(counts, row[r].counts) == 0, "%s: %s, should be %s", row[r].size, counts, row[r].counts);
        mot_memory_free(&memory);
    }
    mot_dataset_close(&set);
}
END_TEST

START_TEST(classes_have_as_many)
{
    mot_dataset set = open_data();
    mot_memory memory = choose(MOT_MEMORY_CLASS, "80", &set, 4, 3);
    int held[CLASSES] = {0};
    for (mot_gidx i = 0; i < memory.first[4]; ++i) ++held[mot_dataset_class(&set, memory.sample[i])];
    for (int class = 0; class < 8; ++class) ck_assert_int_eq(held[class], 10);
    mot_memory_free(&memory);
    mot_dataset_close(&set);
}
END_TEST

static bool holds(const mot_memory *memory, mot_gidx sample)
{
    for (mot_gidx i = 0; i < memory->first[memory->tasks]; ++i)
        if (memory->sample[i] == sample) return true;
    return false;
}

START_TEST(no_sample_comes_back)
{
    static const struct {
        mot_memory_form form;
        const char *size;
    } row[] = {{MOT_MEMORY_TASK, "40"},       {MOT_MEMORY_TASK, "120"},      {MOT_MEMORY_TASK, "9 a task"},
               {MOT_MEMORY_CLASS, "33"},      {MOT_MEMORY_CLASS, "20 a class"}, {MOT_MEMORY_RESERVOIR, "40"},
               {MOT_MEMORY_RESERVOIR, "200"}, {MOT_MEMORY_RESERVOIR, "1 KiB"}};
    mot_dataset set = open_data();
    for (size_t r = 0; r < MOT_COUNT(row); ++r)
        for (uint64_t seed = 0; seed < 5; ++seed) {
            mot_memory before = choose(row[r].form, row[r].size, &set, 1, seed);
            for (int tasks = 2; tasks <= TASKS; ++tasks) {
                mot_memory now = choose(row[r].form, row[r].size, &set, tasks, seed);
                for (mot_gidx i = 0; i < now.first[tasks - 1]; ++i) ck_assert(holds(&before, now.sample[i]));
                mot_memory_free(&before);
                before = now;
            }
            mot_memory_free(&before);
        }
    mot_dataset_close(&set);
}
END_TEST

START_TEST(all_are_held_as_often)
{
    enum { SEEDS = 2000, HELD = 40 };
    const int rounds = mot_ck_short() ? SEEDS / 10 : SEEDS;
    static const mot_memory_form form[] = {MOT_MEMORY_RESERVOIR, MOT_MEMORY_TASK};
    mot_dataset set = open_data();
    for (size_t f = 0; f < MOT_COUNT(form); ++f) {
        const int tasks = form[f] == MOT_MEMORY_TASK ? 1 : 4;
        const mot_gidx n = mot_dataset_stream(&set)->first[tasks];
        int *often = mot_calloc((size_t)n, sizeof *often);
        double chi = 0, pairs = 0;
        for (int seed = 0; seed < rounds; ++seed) {
            mot_memory memory = choose(form[f], "40", &set, tasks, (uint64_t)seed);
            ck_assert_int_eq(memory.first[tasks], HELD);
            for (mot_gidx i = 0; i < HELD; ++i) {
                ++often[memory.sample[i]];
                pairs += i > 0 && memory.sample[i] == memory.sample[i - 1] + 1;
            }
            mot_memory_free(&memory);
        }
        const double expected = (double)rounds * HELD / (double)n, share = HELD / (double)n;
        for (mot_gidx i = 0; i < n; ++i) chi += (often[i] - expected) * (often[i] - expected) / (expected * (1 - share));
        /* of n - 1 degrees of freedom in the mean, with a deviation of sqrt(2 n): five of them */
        const double far = chi - (double)n;
        ck_assert_msg(far * far < 50.0 * (double)n, "chi square %g of %d samples", chi, (int)n);
        /* one is held no more often for the one before it: as many pairs as in any choice of HELD of n */
        const double both = (double)rounds * HELD * (HELD - 1) / (double)n;
        ck_assert_msg((pairs - both) * (pairs - both) < 25 * both, "%g pairs, should be %g", pairs, both);
        mot_free(often);
    }
    mot_dataset_close(&set);
}
END_TEST

START_TEST(what_is_no_size_is_not_taken)
{
    static const char *const bad[] = {"", "-1", "20 a", "20 a group", "1.5", "4 XiB", "a class", "99999999999999", "4 MiB x"};
    mot_memory_size size;
    for (size_t i = 0; i < MOT_COUNT(bad); ++i)
        ck_assert_msg(!mot_memory_size_parse(bad[i], MOT_MEMORY_CLASS, &size), "%s", bad[i]);
    ck_assert(!mot_memory_size_parse("20 a class", MOT_MEMORY_RESERVOIR, &size));
    ck_assert(!mot_memory_size_parse("20 a class", MOT_MEMORY_TASK, &size));
    ck_assert(!mot_memory_size_parse("20 a task", MOT_MEMORY_CLASS, &size));
    ck_assert(mot_memory_size_parse("4 MiB", MOT_MEMORY_RESERVOIR, &size));
    ck_assert(size.amount == 4 << 20 && size.unit == MOT_MEMORY_BYTES);
}
END_TEST

static void rehearsal_tests(TCase *tcase)
{
    tcase_add_unchecked_fixture(tcase, NULL, scratch_remove);
    tcase_add_test(tcase, sizes_are_shared_alike);
    tcase_add_test(tcase, classes_have_as_many);
    tcase_add_test(tcase, no_sample_comes_back);
    tcase_add_test(tcase, all_are_held_as_often);
    tcase_add_test(tcase, what_is_no_size_is_not_taken);
}

MOT_CK_MAIN("rehearsal_memory", rehearsal_tests)
