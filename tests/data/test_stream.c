/* A stream of tasks: every sample once, in its task and its class, under any cut, from memory and from the disk. */
#include <math.h>

#include "mot/memory.h"
#include "mot/schema.h"
#include "stream_support.h"

static const made_set c = {"c.h5", 3, 4, 3, true, 48, 24}, plain = {"plain.h5", 4, 2, 0, false, 10, 4};
static const made_set *const sets[] = {&a, &b, &c, &plain};

static void make_sets(void)
{
    for (size_t s = 0; s < MOT_COUNT(sets); ++s) make_set(sets[s]);
}

/* Whose sample it is, and which. */
static const made_set *find(const unsigned char *picture, int *i)
{
    *i = picture[2] | picture[3] << 8;
    return sets[picture[0] - 1];
}

/* Every sample of all the data sets is there `times` times, whole, in its task, by a label that is of the task. */
static void check_whole(mot_dataset *set, int split, const made_set *const *of, int count, int times)
{
    const mot_stream *stream = mot_dataset_stream(set);
    int seen[4][128] = {{0}};
    mot_gidx samples = 0;
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_eq(stream->tasks, set->groups);
    ck_assert_int_eq(stream->first[0], 0);
    ck_assert_int_eq(stream->first[stream->tasks], set->samples);
    for (int t = 0; t < stream->tasks; ++t)
        for (mot_gidx i = stream->first[t]; i < stream->first[t + 1]; ++i) {
            unsigned char picture[BYTES], should[BYTES];
            int32_t label, group;
            int own;
            mot_ck_ok(mot_dataset_sample(set, i, picture, &label, &group));
            const made_set *from = find(picture, &own);
            picture_of(from, split, own, should);
            ck_assert_mem_eq(picture, should, BYTES);
            ++seen[from->mark - 1][own];
            ck_assert_int_eq(group, t);
            ck_assert_int_eq(mot_stream_task(stream, i), t);
            ck_assert_int_eq(label, mot_dataset_class(set, i));
            ck_assert(label >= 0 && label < set->classes);
            ck_assert(stream->head == NULL || stream->head[label] == t);
        }
    for (int s = 0; s < count; ++s) {
        const int n = split == 0 ? of[s]->train : of[s]->test;
        samples += n * times;
        for (int i = 0; i < n; ++i) ck_assert_int_eq(seen[of[s]->mark - 1][i], times);
    }
    ck_assert_int_eq(set->samples, samples);
}

START_TEST(by_class_the_earliest_tasks_have_one_more)
{
    const made_set *const of[] = {&a};
    mot_data_config config = config_of("a.h5", NULL, MOT_SPLIT_CLASS, 4);
    static const int32_t head[] = {0, 0, 1, 1, 2, 3};
    static const char *const names[] = {"0: c0 and c1", "1: c2 and c3", "2: c4", "3: c5"};
    for (int split = 0; split < 3; split += 2)
        for (int memory = 0; memory < 2; ++memory) {
            config.memory = memory > 0 ? SIZE_MAX : 0;
            mot_dataset set = open_stream(&config, split == 0 ? "train" : "test", 1);
            ck_assert_int_eq(mot_dataset_waits(&set), memory == 0);
            ck_assert_int_eq(mot_dataset_expect(&set, 3), memory == 0);
            check_whole(&set, split, of, 1, 1);
            ck_assert_int_eq(set.classes, 6);
            ck_assert_mem_eq(mot_dataset_stream(&set)->head, head, sizeof head);
            for (int t = 0; t < 4; ++t) {
                ck_assert_str_eq(set.group_names[t], names[t]);
                ck_assert_int_eq(mot_dataset_stream(&set)->classes[t], t < 2 ? 2 : 1);
                ck_assert_str_eq(mot_dataset_stream(&set)->change[t], "none");
            }
            for (int k = 0; k < 6; ++k) ck_assert_int_eq(set.class_names[k][1], '0' + k);
            mot_dataset_close(&set);
        }
}
END_TEST

/* Names of tasks and of classes as one text. */
static void names_of(const mot_dataset *set, char text[2048])
{
    text[0] = '\0';
    for (int t = 0; t < set->groups; ++t) strcat(strcat(text, set->group_names[t]), "; ");
    for (int k = 0; k < set->classes; ++k) strcat(strcat(text, set->class_names[k]), " ");
}

START_TEST(a_drawn_order_is_the_seeds_and_all_splits_have_it)
{
    const made_set *const of[] = {&a, &b};
    mot_data_config config = config_of("a.h5", "b.h5", MOT_SPLIT_CLASS, 3);
    char stored[2048], first[2048], again[2048], other[2048];
    mot_dataset set = open_stream(&config, "train", 1);
    check_whole(&set, 0, of, 2, 1);
    names_of(&set, stored);
    mot_dataset_close(&set);
    ck_assert_str_eq(stored, "0: a: c0 to a: c3; 1: a: c4 to b: c0; 2: b: c1 to b: c3; a: c0 a: c1 a: c2 a: c3 a: c4 "
                             "a: c5 b: c0 b: c1 b: c2 b: c3 ");
    config.stream.drawn = true;
    for (int split = 0; split < 3; split += 2) {
        set = open_stream(&config, split == 0 ? "train" : "test", 1);
        check_whole(&set, split, of, 2, 1);
        names_of(&set, split == 0 ? first : again);
        mot_dataset_close(&set);
    }
    set = open_stream(&config, "train", 2);
    names_of(&set, other);
    mot_dataset_close(&set);
    ck_assert_str_eq(first, again);
    ck_assert_str_ne(first, stored);
    ck_assert_str_ne(first, other);
}
END_TEST

START_TEST(by_group_classes_stay_or_each_task_has_its_own)
{
    const made_set *const of_a[] = {&a}, *const of_c[] = {&c};
    mot_data_config config = config_of("a.h5", NULL, MOT_SPLIT_GROUP, 0);
    char names[2048];
    mot_dataset set = open_stream(&config, "test", 1);
    check_whole(&set, 2, of_a, 1, 1);
    names_of(&set, names);
    ck_assert_str_eq(names, "0: g0; 1: g1; 2: g2; c0 c1 c2 c3 c4 c5 ");
    mot_dataset_close(&set);

    config = config_of("c.h5", NULL, MOT_SPLIT_GROUP, 2); /* of groups 0, 1 and of 2, which share all four classes */
    set = open_stream(&config, "train", 1);
    check_whole(&set, 0, of_c, 1, 1);
    names_of(&set, names);
    ck_assert_str_eq(names, "0: g0 and g1; 1: g2; 0: c0 0: c1 0: c2 0: c3 1: c0 1: c1 1: c2 1: c3 ");
    mot_dataset_close(&set);
    config.stream.one_head = true;
    set = open_stream(&config, "train", 1);
    check_whole(&set, 0, of_c, 1, 1);
    ck_assert_int_eq(set.classes, 4);
    ck_assert_ptr_null(mot_dataset_stream(&set)->head);
    mot_dataset_close(&set);
}
END_TEST

START_TEST(data_sets_are_tasks_and_come_again)
{
    const made_set *const of[] = {&a, &b};
    mot_data_config config = config_of("a.h5", "b.h5", MOT_SPLIT_FILE, 4);
    mot_dataset set = open_stream(&config, "train", 1);
    const mot_normalization *n = &set.format.normalization;
    double mean = 0, square = 0;
    check_whole(&set, 0, of, 2, 2);
    ck_assert_int_eq(set.classes, 20);
    ck_assert_str_eq(set.group_names[2], "2: a");
    ck_assert_str_eq(set.class_names[10], "2: a: c0");
    for (int f = 0; f < 2; ++f) /* mean and deviation of all pixels of both, once more */
        for (int i = 0; i < of[f]->train; ++i) {
            unsigned char picture[BYTES];
            picture_of(of[f], 0, i, picture);
            for (int p = 0; p < BYTES; ++p) {
                mean += picture[p] / 255.0;
                square += picture[p] / 255.0 * (picture[p] / 255.0);
            }
        }
    const double count = (a.train + b.train) * BYTES;
    mean /= count;
    ck_assert_msg(fabs(n->mean[0] - mean) < 1e-12, "%g, should be %g", n->mean[0], mean);
    ck_assert_msg(fabs(n->deviation[0] - sqrt(square / count - mean * mean)) < 1e-9, "%g", n->deviation[0]);
    mot_dataset_close(&set);

    config.stream.one_head = true;
    set = open_stream(&config, "test", 1);
    check_whole(&set, 2, of, 2, 2);
    ck_assert_int_eq(set.classes, 10);
    mot_dataset_close(&set);
}
END_TEST

START_TEST(changes_go_round_and_come_alike_in_any_order_of_reading)
{
    mot_data_config config = config_of("a.h5", NULL, MOT_SPLIT_FILE, 3);
    strcpy(config.stream.changes, "none, pixels + noise 0.05");
    for (int split = 0; split < 3; split += 2) {
        const char *name = split == 0 ? "train" : "test";
        mot_dataset set = open_stream(&config, name, 5), back;
        config.memory = 0;
        back = open_stream(&config, name, 5);
        config.memory = SIZE_MAX;
        const mot_stream *stream = mot_dataset_stream(&set);
        const mot_gidx n = stream->first[1];
        int changed = 0;
        ck_assert_str_eq(stream->change[1], "pixels + noise 0.05");
        ck_assert_str_eq(stream->change[2], "none");
        for (mot_gidx i = set.samples - 1; i >= 0; --i) {
            unsigned char forth[BYTES], again[BYTES], first[BYTES];
            mot_ck_ok(mot_dataset_read(&set, set.samples - 1 - i, forth));
            mot_ck_ok(mot_dataset_read(&back, i, again));
            mot_ck_ok(mot_dataset_read(&set, i, forth));
            ck_assert_mem_eq(forth, again, BYTES);
            mot_ck_ok(mot_dataset_read(&set, i % n, first));
            changed += memcmp(forth, first, BYTES) != 0;
            ck_assert(mot_stream_task(stream, i) == 1 || memcmp(forth, first, BYTES) == 0);
        }
        ck_assert_int_eq(changed, n);
        mot_dataset_close(&back);
        mot_dataset_close(&set);
    }
}
END_TEST

START_TEST(each_split_has_noise_of_its_own)
{
    mot_data_config config = config_of("a.h5", NULL, MOT_SPLIT_FILE, 1);
    strcpy(config.stream.changes, "noise 0.2");
    mot_dataset train = open_stream(&config, "train", 5), test = open_stream(&config, "test", 5);
    unsigned char one[BYTES], other[BYTES];
    mot_ck_ok(mot_dataset_read(&train, 7, one));
    mot_ck_ok(mot_dataset_read(&test, 7, other));
    ck_assert_mem_ne(one + 4, other + 4, BYTES - 4); /* where all samples of a data set are alike */
    mot_dataset_close(&test);
    mot_dataset_close(&train);
}
END_TEST

START_TEST(labels_are_wrong_in_training_alone_and_within_the_task)
{
    mot_data_config config = config_of("a.h5", NULL, MOT_SPLIT_CLASS, 2);
    strcpy(config.stream.changes, "none, labels 1");
    mot_dataset set;
    for (int training = 0; training < 2; ++training) {
        mot_ck_ok(mot_dataset_stream_open(&set, &config, "train", training, 3));
        const mot_stream *stream = mot_dataset_stream(&set);
        for (mot_gidx i = 0; i < set.samples; ++i) {
            unsigned char picture[BYTES];
            int32_t label, group;
            int own;
            mot_ck_ok(mot_dataset_sample(&set, i, picture, &label, &group));
            const made_set *from = find(picture, &own);
            ck_assert_int_eq(label != class_of(from, own), training == 1 && group == 1);
            ck_assert_int_eq(stream->head[label], group);
        }
        mot_dataset_close(&set);
    }
}
END_TEST

/* ---- texts ---- */

START_TEST(texts_have_the_words_of_all)
{
    static const char *const all[] = {"", "?", "sun", "moon", "star", "sky"};
    make_texts("ta.h5", words_a, 4, 4);
    make_texts("tb.h5", words_b, 5, 6);
    for (int memory = 0; memory < 2; ++memory) {
        mot_data_config config = config_of("ta.h5", "tb.h5", MOT_SPLIT_FILE, 0);
        config.memory = memory > 0 ? SIZE_MAX : 0;
        mot_dataset set = open_stream(&config, "train", 1);
        ck_assert_int_eq(set.format.vocabulary, 6);
        ck_assert_int_eq(set.format.tokens, 6);
        for (int w = 0; w < 6; ++w) ck_assert_str_eq(set.vocabulary[w], all[w]);
        for (int32_t i = 0; i < 8; ++i) {
            int32_t id[8];
            const char *const *own = i < 4 ? words_a : words_b;
            const int length = i < 4 ? 4 : 6, count = i < 4 ? 4 : 5;
            mot_ck_ok(mot_dataset_read(&set, i, id));
            for (int t = 0; t < 6; ++t)
                ck_assert_str_eq(all[id[t]], t + 1 < length ? own[1 + (t + i % 4) % (count - 1)] : "");
        }
        mot_dataset_close(&set);
    }
}
END_TEST

/* ---- what a run does with it ---- */

START_TEST(another_making_is_other_data)
{
    mot_data_config config = config_of("a.h5", NULL, MOT_SPLIT_CLASS, 2), row[] = {config, config, config, config, config};
    char sum[8][MOT_DIGEST_TEXT];
    row[1].stream.tasks = 3;
    row[2].stream.drawn = true;
    row[3].stream.one_head = true;
    strcpy(row[4].stream.changes, "none, pixels");
    for (size_t r = 0; r < MOT_COUNT(row); ++r) {
        mot_dataset set = open_stream(&row[r], "train", 1), again = open_stream(&row[r], "train", r < 2 ? 9 : 1);
        ck_assert_str_eq(set.checksum, again.checksum); /* a seed that decides nothing does not count */
        strcpy(sum[r], set.checksum);
        for (size_t k = 0; k < r; ++k) ck_assert_str_ne(sum[k], sum[r]);
        mot_dataset_close(&set);
        mot_dataset_close(&again);
    }
}
END_TEST

START_TEST(an_evaluation_reads_it_as_the_run_did)
{
    const made_set *const of[] = {&a, &b};
    const mot_data_config config = config_of("a.h5", "b.h5", MOT_SPLIT_FILE, 0);
    mot_dataset train = open_stream(&config, "train", 1), test = open_stream(&config, "test", 1);
    mot_schema schema;
    mot_gidx unknown, words;
    mot_ck_ok(mot_schema_take(&schema, &train));
    mot_ck_ok(mot_schema_adopt(&schema, &test, MOT_ADOPT_LABELS | MOT_ADOPT_GROUPS, "it", &unknown, &words));
    check_whole(&test, 2, of, 2, 1);
    mot_dataset_close(&test);
    mot_dataset_close(&train);
    mot_schema_free(&schema);
}
END_TEST

START_TEST(what_cannot_be_is_said)
{
    const struct {
        const char *first, *second;
        mot_stream_split split;
        int tasks;
        const char *changes, *sentence; /* behind the folder's name, where it begins with one */
    } row[] = {
        {"a.h5", NULL, MOT_SPLIT_CLASS, 0, "none",
         "data.stream.tasks: expected the number of tasks that the 6 classes are dealt to"},
        {"a.h5", NULL, MOT_SPLIT_CLASS, 7, "none",
         "data.stream.tasks = 7: expected 6 at most, since there are so many classes"},
        {"a.h5", NULL, MOT_SPLIT_GROUP, 4, "none",
         "data.stream.tasks = 4: expected 3 at most, since there are so many groups"},
        {"a.h5", "b.h5", MOT_SPLIT_FILE, 1, "none",
         "data.stream.tasks = 1: expected 2 or more, since there are so many data sets"},
        {"a.h5", "plain.h5", MOT_SPLIT_GROUP, 0, "none", "plain.h5 has no groups"},
        {"a.h5", "a.h5", MOT_SPLIT_FILE, 0, "none",
         "a.h5 stands there twice (with split = file and more tasks a data set comes again)"},
        {"a.h5", "ta.h5", MOT_SPLIT_FILE, 0, "none",
         "a.h5 pictures of 3 x 3 pixels (rows x columns) and 1 channel: data sets that are joined have one form"},
        {"a.h5", "missing.h5", MOT_SPLIT_FILE, 0, "none", "missing.h5: No such file or directory"},
        {"a.h5", NULL, MOT_SPLIT_CLASS, 2, "none, colours",
         "data.stream.changes: colours permutes, and the samples have one channel at most"},
        {"a.h5", NULL, MOT_SPLIT_CLASS, 6, "labels 0.1",
         "data.stream.changes: the task '0: c0' has one class: no label of it can be wrong"},
        {"a.h5", NULL, MOT_SPLIT_CLASS, 2, "none, none, none", "data.stream.changes has 3 items, and there are 2 tasks"},
        {"ta.h5", "bytes.h5", MOT_SPLIT_FILE, 0, "none", "ta.h5 of words: data sets that are joined have one form"},
        {"sparse.h5", NULL, MOT_SPLIT_GROUP, 0, "none", "the task '2: g2' has no samples in the split 'test'"},
    };
    const made_set sparse = {"sparse.h5", 1, 6, 3, false, 20, 3};
    make_texts("ta.h5", words_a, 4, 4);
    make_set(&sparse);
    const mot_sample_format bytes = {
        .kind = MOT_SAMPLE_TEXT, .element = MOT_ELEMENT_U8, .tokens = 4, .vocabulary = 256};
    mot_dataset_writer *writer;
    const int32_t label = 0;
    mot_ck_ok(mot_dataset_writer_open(&writer, scratch_path("bytes.h5"), &bytes));
    mot_ck_ok(mot_dataset_writer_add(writer, "train", 1, "abc", &label, NULL));
    mot_ck_ok(mot_dataset_writer_close(&writer, &(mot_dataset_about){.class_count = 2}, true));
    for (size_t r = 0; r < MOT_COUNT(row); ++r) {
        mot_data_config config = config_of(row[r].first, row[r].second, row[r].split, row[r].tasks);
        mot_dataset set;
        strcpy(config.stream.changes, row[r].changes);
        const char *split = strcmp(row[r].first, "sparse.h5") == 0 ? "test" : "train";
        ck_assert_int_eq(mot_dataset_stream_open(&set, &config, split, true, 1), MOT_ERR_INPUT);
        const char *said = mot_error_message();
        const size_t length = strlen(said), end = strlen(row[r].sentence);
        ck_assert_msg(length >= end && strcmp(said + length - end, row[r].sentence) == 0, "%s", said);
    }
}
END_TEST

static void stream_tests(TCase *tcase)
{
    tcase_add_unchecked_fixture(tcase, make_sets, scratch_remove);
    tcase_add_test(tcase, by_class_the_earliest_tasks_have_one_more);
    tcase_add_test(tcase, a_drawn_order_is_the_seeds_and_all_splits_have_it);
    tcase_add_test(tcase, by_group_classes_stay_or_each_task_has_its_own);
    tcase_add_test(tcase, data_sets_are_tasks_and_come_again);
    tcase_add_test(tcase, changes_go_round_and_come_alike_in_any_order_of_reading);
    tcase_add_test(tcase, each_split_has_noise_of_its_own);
    tcase_add_test(tcase, labels_are_wrong_in_training_alone_and_within_the_task);
    tcase_add_test(tcase, texts_have_the_words_of_all);
    tcase_add_test(tcase, another_making_is_other_data);
    tcase_add_test(tcase, an_evaluation_reads_it_as_the_run_did);
    tcase_add_test(tcase, what_cannot_be_is_said);
}

MOT_CK_MAIN("stream", stream_tests)
