/* Data sets that were joined against a stream of the same files under the same changes: sample for sample, also what is drawn. */
#include "mot/join.h"
#include "stream_support.h"

static mot_join_options two_sources(const char *change_a, const char *change_b)
{
    static char path[3][512];
    mot_join_options o = {.out = path[2], .count = 2, .seed = 11};
    snprintf(path[0], sizeof path[0], "%s", scratch_path("a.h5"));
    snprintf(path[1], sizeof path[1], "%s", scratch_path("b.h5"));
    snprintf(path[2], sizeof path[2], "%s", scratch_path("joined.h5"));
    o.source[0].path = path[0];
    o.source[1].path = path[1];
    snprintf(o.source[0].change, sizeof o.source[0].change, "%s", change_a);
    snprintf(o.source[1].change, sizeof o.source[1].change, "%s", change_b);
    return o;
}

START_TEST(joined_they_are_what_a_stream_by_file_gives)
{
    static const char *const change[][2] = {
        {"", ""}, {"rotate 180 + negate", "pixels"}, {"noise 0.2 + labels 0.5", "transpose + blur 0.5"}};
    make_set(&a);
    make_set(&b);
    for (size_t r = 0; r < MOT_COUNT(change); ++r)
        for (int s = 0; s < 2; ++s) {
            const mot_join_options o = two_sources(change[r][0], change[r][1]);
            const char *split = s == 0 ? "train" : "test";
            mot_data_config config = {.stream = {.split = MOT_SPLIT_FILE, .one_head = true}};
            mot_dataset joined, stream;
            mot_ck_ok(mot_data_join(&o));
            snprintf(config.stream.files, sizeof config.stream.files, "%s, %s", o.source[0].path, o.source[1].path);
            snprintf(config.stream.changes, sizeof config.stream.changes, "%s, %s", r == 0 ? "none" : change[r][0],
                     r == 0 ? "none" : change[r][1]);
            mot_ck_ok(mot_dataset_open(&joined, o.out, split, SIZE_MAX));
            mot_ck_ok(mot_dataset_stream_open(&stream, &config, split, s == 0, o.seed));
            ck_assert_int_eq(joined.samples, stream.samples);
            ck_assert_int_eq(joined.classes, stream.classes);
            ck_assert_int_eq(joined.groups, stream.groups);
            for (mot_gidx i = 0; i < joined.samples; ++i) {
                unsigned char one[BYTES], other[BYTES];
                int32_t class, other_class, group, other_group;
                mot_ck_ok(mot_dataset_sample(&joined, i, one, &class, &group));
                mot_ck_ok(mot_dataset_sample(&stream, i, other, &other_class, &other_group));
                ck_assert_mem_eq(one, other, BYTES);
                ck_assert_int_eq(class, other_class);
                ck_assert_int_eq(group, other_group);
            }
            mot_dataset_close(&joined);
            mot_dataset_close(&stream);
        }
}
END_TEST

static void join_tests(TCase *tcase)
{
    tcase_add_unchecked_fixture(tcase, NULL, scratch_remove);
    tcase_add_test(tcase, joined_they_are_what_a_stream_by_file_gives);
}

MOT_CK_MAIN("join", join_tests)
