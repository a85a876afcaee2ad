/* stream_support.h: data sets of pictures whose pixels say which sample they are, for streams. */
#ifndef MOT_TEST_STREAM_SUPPORT_H
#define MOT_TEST_STREAM_SUPPORT_H

#include <stdio.h>
#include <string.h>

#include "ck.h"
#include "mot/stream.h"
#include "scratch.h"

enum { SIDE = 3, BYTES = SIDE * SIDE };

/* What a data set is made of: sample i has class i % classes; its group is that of its class, or its own. */
typedef struct made_set {
    const char *name;
    int mark; /* first pixel of its samples */
    int classes, groups;
    bool shared; /* groups share classes */
    int train, test;
} made_set;

static const made_set a = {"a.h5", 1, 6, 3, false, 61, 25}, b = {"b.h5", 2, 4, 2, false, 40, 17};

static inline int class_of(const made_set *set, int i)
{
    return i % set->classes;
}

static inline int group_of(const made_set *set, int i)
{
    return set->shared ? i / set->classes % set->groups : class_of(set, i) * set->groups / set->classes;
}

/* mark, split, number, and what makes the mean another in each data set */
static inline void picture_of(const made_set *set, int split, int i, unsigned char picture[BYTES])
{
    memset(picture, 10 * set->mark, BYTES);
    picture[0] = (unsigned char)set->mark;
    picture[1] = (unsigned char)split;
    picture[2] = (unsigned char)i;
    picture[3] = (unsigned char)(i >> 8);
}

static inline void make_set(const made_set *set)
{
    const mot_sample_format format = {.kind = MOT_SAMPLE_PICTURE, .channels = 1, .height = SIDE, .width = SIDE};
    const int samples[] = {set->train, 0, set->test};
    const char *const split[] = {"train", "val", "test"};
    char text[64][16];
    const char *names[64];
    mot_dataset_writer *writer;
    mot_ck_ok(mot_dataset_writer_open(&writer, scratch_path(set->name), &format));
    for (int s = 0; s < 3; ++s)
        for (int i = 0; i < samples[s]; ++i) {
            unsigned char picture[BYTES];
            const int32_t label = class_of(set, i), group = group_of(set, i);
            picture_of(set, s, i, picture);
            mot_ck_ok(mot_dataset_writer_add(writer, split[s], 1, picture, &label, set->groups > 0 ? &group : NULL));
        }
    for (int c = 0; c < 64; ++c) {
        snprintf(text[c], sizeof text[c], "%c%d", c < 32 ? 'c' : 'g', c % 32);
        names[c] = text[c];
    }
    const mot_dataset_about about = {.class_count = (size_t)set->classes,
                                     .class_names = names,
                                     .group_count = (size_t)set->groups,
                                     .group_names = set->groups > 0 ? names + 32 : NULL};
    mot_ck_ok(mot_dataset_writer_close(&writer, &about, true));
}

/* Four texts of two classes, for training. */
static const char *const words_a[] = {"", "?", "sun", "moon"}, *const words_b[] = {"", "?", "moon", "star", "sky"};

static inline void make_texts(const char *name, const char *const *words, size_t count, size_t length)
{
    const mot_sample_format format = {
        .kind = MOT_SAMPLE_TEXT, .element = MOT_ELEMENT_I32, .tokens = length, .vocabulary = count};
    mot_dataset_writer *writer;
    mot_ck_ok(mot_dataset_writer_open(&writer, scratch_path(name), &format));
    for (int32_t i = 0; i < 4; ++i) {
        int32_t id[8] = {0};
        const int32_t label = i % 2;
        for (size_t t = 0; t + 1 < length; ++t) id[t] = 1 + (int32_t)((t + (size_t)i) % (count - 1));
        mot_ck_ok(mot_dataset_writer_add(writer, "train", 1, id, &label, NULL));
    }
    const mot_dataset_about about = {.class_count = 2, .vocabulary_count = count, .vocabulary = words};
    mot_ck_ok(mot_dataset_writer_close(&writer, &about, true));
}

static inline mot_data_config config_of(const char *first, const char *second, mot_stream_split split, int tasks)
{
    mot_data_config config = {.memory = SIZE_MAX, .stream = {.split = split, .tasks = tasks, .changes = "none"}};
    snprintf(config.stream.files, sizeof config.stream.files, "%s%s%s", scratch_path(first),
             second != NULL ? ", " : "", second != NULL ? scratch_path(second) : "");
    return config;
}

static inline mot_dataset open_stream(const mot_data_config *config, const char *split, uint64_t seed)
{
    mot_dataset set;
    mot_ck_ok(mot_dataset_stream_open(&set, config, split, strcmp(split, "train") == 0, seed));
    return set;
}

#endif
