/* Changes of a task: pictures against exact arrays and dull twins, permutations as such, rates against their probability. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "change.h"
#include "ck.h"
#include "mot/memory.h"

enum { C = 3, H = 6, W = 6, PLANE = H * W, PICTURE = C * PLANE, TOKENS = 40, WORDS = 50 };

static mot_sample_format pictures(size_t channels, size_t height, size_t width)
{
    return (mot_sample_format){.kind = MOT_SAMPLE_PICTURE,
                               .element = MOT_ELEMENT_U8,
                               .channels = channels,
                               .height = height,
                               .width = width,
                               .bytes = channels * height * width};
}

static const mot_sample_format texts = {.kind = MOT_SAMPLE_TEXT,
                                        .element = MOT_ELEMENT_I32,
                                        .tokens = TOKENS,
                                        .vocabulary = WORDS,
                                        .bytes = TOKENS * sizeof(int32_t)};
static const mot_sample_format vectors = {.kind = MOT_SAMPLE_VECTOR,
                                          .element = MOT_ELEMENT_F32,
                                          .tokens = 2,
                                          .features = 8,
                                          .bytes = 2 * 8 * sizeof(float)};

/* `sample` as the task `task` has it under `text`, of sample `index` of the split `split`. */
static void change(const char *text, const mot_sample_format *format, int task, int split, mot_gidx index, void *sample)
{
    const change_place place = {7, split, index};
    mot_task_changes wanted;
    made_changes made;
    void *scratch = mot_calloc(mot_change_scratch(format), 1);
    ck_assert_msg(mot_task_changes_parse(text, &wanted), "%s", text);
    mot_ck_ok(mot_changes_make(&made, &wanted, format, 7, task, "a task"));
    mot_changes_apply(&made, &place, format, sample, scratch);
    mot_changes_free(&made);
    mot_free(scratch);
}

static unsigned char pixel_of(size_t i)
{
    return (unsigned char)(i * 37 % 251);
}

static void make_picture(unsigned char *picture, size_t bytes)
{
    for (size_t i = 0; i < bytes; ++i) picture[i] = pixel_of(i);
}

/* ---- pictures ---- */

START_TEST(turned_by_right_angles_pixels_are_the_same)
{
    static const char *const text[] = {"rotate 90",  "rotate 180", "rotate -90",
                                       "rotate 270", "rotate 360", "rotate 90 + rotate 270"};
    const mot_sample_format format = pictures(C, H, W);
    for (size_t r = 0; r < MOT_COUNT(text); ++r) {
        unsigned char picture[PICTURE];
        make_picture(picture, sizeof picture);
        change(text[r], &format, 0, 0, 0, picture);
        for (size_t c = 0; c < C; ++c)
            for (size_t h = 0; h < H; ++h)
                for (size_t w = 0; w < W; ++w) {
                    const size_t from[][2] = {{w, W - 1 - h}, {H - 1 - h, W - 1 - w}, {H - 1 - w, h},
                                              {H - 1 - w, h}, {h, w},                 {h, w}};
                    ck_assert_int_eq(picture[c * PLANE + h * W + w],
                                     pixel_of(c * PLANE + from[r][0] * W + from[r][1]));
                }
    }
}
END_TEST

START_TEST(mirrored_transposed_and_negated_pixels_are_where_they_should_be)
{
    static const char *const text[] = {"flip", "transpose", "negate", "rotate 180 + negate", "transpose + flip"};
    const mot_sample_format format = pictures(C, H, W);
    for (size_t r = 0; r < MOT_COUNT(text); ++r) {
        unsigned char picture[PICTURE];
        make_picture(picture, sizeof picture);
        change(text[r], &format, 0, 0, 0, picture);
        for (size_t c = 0; c < C; ++c)
            for (size_t h = 0; h < H; ++h)
                for (size_t w = 0; w < W; ++w) {
                    const size_t from[][2] = {{h, W - 1 - w}, {w, h}, {h, w}, {H - 1 - h, W - 1 - w}, {W - 1 - w, h}};
                    const int was = pixel_of(c * PLANE + from[r][0] * W + from[r][1]);
                    ck_assert_int_eq(picture[c * PLANE + h * W + w], r == 2 || r == 3 ? 255 - was : was);
                }
    }
}
END_TEST

/* What lies between pixels, in double. */
static double between(const unsigned char *picture, int height, int width, double row, double column)
{
    double sum = 0;
    for (int h = 0; h < height; ++h)
        for (int w = 0; w < width; ++w)
            sum += fmax(0, 1 - fabs(row - h)) * fmax(0, 1 - fabs(column - w)) * picture[h * width + w];
    return sum;
}

START_TEST(turned_by_any_angle_it_is_as_between_the_pixels)
{
    enum { HIGH = 7, WIDE = 5 };
    const mot_sample_format format = pictures(1, HIGH, WIDE);
    static const double angle[] = {30, -17.5, 45, 211};
    for (size_t a = 0; a < MOT_COUNT(angle); ++a) {
        unsigned char before[HIGH * WIDE], after[HIGH * WIDE];
        char text[32];
        const double turn = angle[a] * acos(-1.0) / 180;
        snprintf(text, sizeof text, "rotate %g", angle[a]);
        make_picture(before, sizeof before);
        memcpy(after, before, sizeof after);
        change(text, &format, 0, 0, 0, after);
        for (int h = 0; h < HIGH; ++h)
            for (int w = 0; w < WIDE; ++w) {
                const double y = h - (HIGH - 1) / 2.0, x = w - (WIDE - 1) / 2.0;
                const double should = between(before, HIGH, WIDE, sin(turn) * x + cos(turn) * y + (HIGH - 1) / 2.0,
                                              cos(turn) * x - sin(turn) * y + (WIDE - 1) / 2.0);
                ck_assert_msg(fabs(after[h * WIDE + w] - should) <= 0.6, "%s at %d, %d: %d, should be %g", text, h, w,
                              after[h * WIDE + w], should);
            }
    }
}
END_TEST

START_TEST(blurred_it_is_as_by_all_pixels_of_the_plane)
{
    const mot_sample_format format = pictures(1, H, W);
    const double deviation = 1.5;
    unsigned char before[PLANE], after[PLANE], flat[PLANE];
    make_picture(before, sizeof before);
    memcpy(after, before, sizeof after);
    memset(flat, 200, sizeof flat);
    change("blur 1.5", &format, 0, 0, 0, after);
    change("blur 1.5 + blur 32", &format, 0, 0, 0, flat); /* also from far outside */
    for (int h = 0; h < H; ++h)
        for (int w = 0; w < W; ++w) {
            double sum = 0, weights = 0;
            for (int i = -5; i <= 5; ++i)
                for (int j = -5; j <= 5; ++j) {
                    const double weight = exp(-0.5 * (i * i + j * j) / (deviation * deviation));
                    const int row = MOT_MIN(MOT_MAX(h + i, 0), H - 1), column = MOT_MIN(MOT_MAX(w + j, 0), W - 1);
                    sum += weight * before[row * W + column];
                    weights += weight;
                }
            ck_assert_msg(fabs(after[h * W + w] - sum / weights) <= 0.6, "at %d, %d", h, w);
            ck_assert_int_eq(flat[h * W + w], 200);
        }
}
END_TEST

/* ---- permutations ---- */

START_TEST(permutations_are_one_a_task_and_of_all_splits)
{
    const mot_sample_format format = pictures(C, H, W);
    static const char *const text[] = {"pixels", "colours"};
    for (size_t r = 0; r < MOT_COUNT(text); ++r)
        for (int task = 0; task < 6; ++task) { /* of three colours every sixth permutation would be none */
            unsigned char before[PICTURE], after[PICTURE], other[PICTURE], next[PICTURE];
            int seen[256] = {0};
            for (size_t i = 0; i < PICTURE; ++i) before[i] = (unsigned char)i; /* all different */
            memcpy(after, before, sizeof after);
            memcpy(other, before, sizeof other);
            memcpy(next, before, sizeof next);
            change(text[r], &format, task, 0, 5, after);
            change(text[r], &format, task, 2, 9, other);
            change(text[r], &format, task + 1, 0, 5, next);
            ck_assert_mem_eq(after, other, sizeof after);
            ck_assert_mem_ne(after, before, sizeof after);
            if (r == 0) ck_assert_mem_ne(after, next, sizeof after);
            for (size_t i = 0; i < PICTURE; ++i) ++seen[after[i]];
            for (size_t i = 0; i < PICTURE; ++i) ck_assert_int_eq(seen[i], 1);
            for (size_t i = 0; i < PLANE; ++i) { /* pixels move in all channels alike, channels as a whole */
                const bool pixels = r == 0;
                for (size_t c = 1; c < C; ++c)
                    if (pixels)
                        ck_assert_int_eq(after[c * PLANE + i], after[i] + (int)(c * PLANE));
                ck_assert(pixels || after[i] % PLANE == (int)i);
            }
        }
}
END_TEST

START_TEST(columns_and_words_are_permuted)
{
    float x[16];
    int32_t id[TOKENS];
    int seen[WORDS] = {0}, moved = 0;
    for (int i = 0; i < 16; ++i) x[i] = (float)i;
    change("columns", &vectors, 3, 0, 0, x);
    for (int c = 0; c < 8; ++c) {
        ck_assert(x[8 + c] == x[c] + 8);
        moved += x[c] != (float)c;
    }
    ck_assert_int_gt(moved, 0);
    for (int round = 0; round < 2; ++round) { /* two texts have all words */
        for (int t = 0; t < TOKENS; ++t) id[t] = MOT_MIN(round * TOKENS + t, WORDS - 1);
        if (round == 1) memset(id + WORDS - TOKENS, 0, (2 * TOKENS - WORDS) * sizeof *id);
        change("words", &texts, 3, 0, round, id);
        for (int t = 0; t < (round == 0 ? TOKENS : WORDS - TOKENS); ++t) ++seen[id[t]];
        if (round == 0) ck_assert(id[0] == 0 && id[1] == 1);
        if (round == 1) ck_assert_int_eq(id[TOKENS - 1], 0);
    }
    for (int w = 0; w < WORDS; ++w) ck_assert_int_eq(seen[w], 1);
}
END_TEST

/* ---- drawn for each sample ---- */

START_TEST(noise_has_its_deviation_and_is_another_for_each_sample)
{
    enum { MANY = 4000 };
    const mot_sample_format format = pictures(C, H, W);
    double sum = 0, square = 0;
    unsigned char first[PICTURE], again[PICTURE], picture[PICTURE];
    for (int i = 0; i < MANY / 40; ++i) {
        memset(picture, 128, sizeof picture);
        change("noise 0.1", &format, 0, 0, i, picture);
        for (size_t p = 0; p < PICTURE; ++p) {
            sum += picture[p] - 128.0;
            square += (picture[p] - 128.0) * (picture[p] - 128.0);
        }
    }
    const double count = MANY / 40 * PICTURE, deviation = 25.5;
    ck_assert_msg(fabs(sum / count) < 4 * deviation / sqrt(count), "mean %g", sum / count);
    ck_assert_msg(fabs(sqrt(square / count) / deviation - 1) < 0.03, "deviation %g", sqrt(square / count));

    memset(first, 128, sizeof first);
    memset(again, 128, sizeof again);
    change("noise 0.1", &format, 0, 0, 3, first);
    change("noise 0.1", &format, 0, 0, 3, again);
    ck_assert_mem_eq(first, again, sizeof first);
    for (int other = 0; other < 2; ++other) {
        memset(again, 128, sizeof again);
        change("noise 0.1", &format, 0, other == 0 ? 2 : 0, other == 0 ? 3 : 4, again);
        ck_assert_mem_ne(first, again, sizeof first);
    }
    memset(again, 255, sizeof again); /* no pixel leaves its range: half of them stay at its end */
    change("noise 0.1", &format, 0, 0, 3, again);
    for (size_t p = 0; p < PICTURE; ++p) ck_assert(first[p] >= 128 ? again[p] == 255 : again[p] > 100);
    float x[16] = {0}, y[16] = {0};
    change("noise 0.5 + noise 0.5", &vectors, 0, 0, 1, x);
    change("noise 1", &vectors, 0, 0, 1, y);
    ck_assert_mem_ne(x, y, sizeof x); /* two noises are not one twice */
}
END_TEST

START_TEST(tokens_are_dropped_at_their_rate)
{
    int dropped = 0;
    enum { TEXTS = 200 };
    for (int i = 0; i < TEXTS; ++i) {
        int32_t id[TOKENS];
        for (int t = 0; t < TOKENS; ++t) id[t] = t < TOKENS - 4 ? 2 + t : 0;
        change("drop 0.3", &texts, 0, 0, i, id);
        for (int t = 0; t < TOKENS; ++t) {
            ck_assert(id[t] == 1 || id[t] == (t < TOKENS - 4 ? 2 + t : 0));
            dropped += id[t] == 1;
        }
    }
    const double count = TEXTS * (TOKENS - 4);
    ck_assert(fabs(dropped / count - 0.3) < 4 * sqrt(0.3 * 0.7 / count));
}
END_TEST

START_TEST(labels_are_wrong_at_their_rate_and_any_other_alike)
{
    enum { SAMPLES = 20000, CLASSES = 5, OWN = 2 };
    mot_task_changes wanted;
    made_changes made;
    int seen[CLASSES] = {0};
    ck_assert(mot_task_changes_parse("labels 0.2", &wanted));
    mot_ck_ok(mot_changes_make(&made, &wanted, &texts, 7, 0, "a task"));
    ck_assert(mot_changes_wrong_labels(&made) && !mot_changes_touch(&made));
    for (mot_gidx i = 0; i < SAMPLES; ++i) {
        const change_place place = {7, 0, i};
        ++seen[mot_changes_label(&made, &place, OWN, CLASSES)];
    }
    ck_assert(fabs(seen[OWN] / (double)SAMPLES - 0.8) < 4 * sqrt(0.2 * 0.8 / SAMPLES));
    for (int c = 0; c < CLASSES; ++c)
        ck_assert(c == OWN || fabs(seen[c] / (double)SAMPLES - 0.05) < 4 * sqrt(0.05 * 0.95 / SAMPLES));
    mot_changes_free(&made);
}
END_TEST

/* ---- grammar ---- */

START_TEST(what_is_no_change_is_not_taken)
{
    static const char *const good[] = {"none", "rotate 30", "rotate -30.5 + noise 1e-1", "colours+pixels", "flip + transpose + negate",
                                       "blur 2 + labels 0.5 + noise 0.1 + rotate 1"};
    static const char *const bad[] = {"",          "rotate",    "rotate x", "rotate 361",  "blur 0",     "colours 3",
                                      "noise -1",  "labels 2",  "none + x", "turn 3",      "rotate 30 +", "+ rotate 30",
                                      "rotate 3 4", "noise 0x1", "noise nan", "noise 1e999", "none + rotate 3",
                                      "pixels + pixels + pixels + pixels + pixels"};
    for (size_t i = 0; i < MOT_COUNT(good); ++i) ck_assert_msg(mot_task_changes_known(good[i]), "%s", good[i]);
    for (size_t i = 0; i < MOT_COUNT(bad); ++i) ck_assert_msg(!mot_task_changes_known(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(what_cannot_be_done_is_said)
{
    const mot_sample_format picture = pictures(C, H, W), grey = pictures(1, H, W), wide = pictures(1, H, W + 1);
    const struct {
        const char *text;
        const mot_sample_format *format;
        const char *sentence;
    } row[] = {
        {"rotate 30", &texts, "data.stream.changes: rotate is for pictures, and the samples are texts"},
        {"noise 1", &texts, "data.stream.changes: noise is for pictures and vectors, and the samples are texts"},
        {"drop 0.1", &vectors, "data.stream.changes: drop is for texts, and the samples are vectors"},
        {"columns", &picture, "data.stream.changes: columns is for vectors, and the samples are pictures"},
        {"rotate 3 + colours", &grey,
         "data.stream.changes: colours permutes, and the samples have one channel at most"},
        {"negate + transpose", &wide,
         "data.stream.changes: transpose is for pictures as high as wide, and the samples have 6 x 7 pixels"},
    };
    for (size_t r = 0; r < MOT_COUNT(row); ++r) {
        mot_task_changes wanted;
        made_changes made;
        ck_assert(mot_task_changes_parse(row[r].text, &wanted));
        ck_assert_int_eq(mot_changes_make(&made, &wanted, row[r].format, 7, 0, "data.stream.changes"), MOT_ERR_INPUT);
        ck_assert_str_eq(mot_error_message(), row[r].sentence);
    }
}
END_TEST

static void change_tests(TCase *tcase)
{
    tcase_add_test(tcase, turned_by_right_angles_pixels_are_the_same);
    tcase_add_test(tcase, mirrored_transposed_and_negated_pixels_are_where_they_should_be);
    tcase_add_test(tcase, turned_by_any_angle_it_is_as_between_the_pixels);
    tcase_add_test(tcase, blurred_it_is_as_by_all_pixels_of_the_plane);
    tcase_add_test(tcase, permutations_are_one_a_task_and_of_all_splits);
    tcase_add_test(tcase, columns_and_words_are_permuted);
    tcase_add_test(tcase, noise_has_its_deviation_and_is_another_for_each_sample);
    tcase_add_test(tcase, tokens_are_dropped_at_their_rate);
    tcase_add_test(tcase, labels_are_wrong_at_their_rate_and_any_other_alike);
    tcase_add_test(tcase, what_is_no_change_is_not_taken);
    tcase_add_test(tcase, what_cannot_be_done_is_said);
}

MOT_CK_MAIN("change", change_tests)
