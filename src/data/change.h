/* change.h: the changes of a task, ready to be made: their tables drawn, and what cannot be refused. Private to src/data. */
#ifndef MOT_DATA_CHANGE_H
#define MOT_DATA_CHANGE_H

#include "mot/rng.h"
#include "mot/task_change.h"

/* Whose sample is changed: all that its random numbers are a function of. */
typedef struct change_place {
    uint64_t seed;
    int split; /* its number */
    mot_gidx index;
} change_place;

typedef struct made_change {
    const struct change_kind *kind;
    double amount;
    uint32_t number; /* among those of its task */
    int32_t *table;  /* a permutation, owned; NULL: it has none */
} made_change;

typedef struct made_changes {
    int count;
    made_change change[MOT_MOST_CHANGES];
} made_changes;

typedef void change_function(const made_change *change, const change_place *place, const mot_sample_format *format,
                             void *sample, void *scratch);

typedef struct change_kind {
    const char *name;
    double low, high; /* of its number; both 0: it has none */
    unsigned of;      /* bits 1 << mot_sample_kind */
    bool square;      /* pictures must be as high as wide */
    /* What its table permutes: so many, of which the first `still` stay; NULL: it has no table. */
    size_t (*entries)(const mot_sample_format *format, size_t *still);
    const char *what;       /* they are, in a sentence */
    change_function *apply; /* `scratch`: change_scratch bytes; NULL: it is one of labels */
} change_kind;

/* change_pictures.c */
extern const change_kind mot_change_rotate, mot_change_flip, mot_change_transpose, mot_change_negate, mot_change_blur, mot_change_colours,
    mot_change_pixels;

enum { CHANGE_NOISE, CHANGE_LABEL, CHANGE_OTHER_LABEL, CHANGE_TABLE, CHANGE_ORDER }; /* purposes of random numbers */
/* Four random words for a sample; `d`: of several. */
mot_random4 mot_change_draw(const change_place *place, uint32_t purpose, uint32_t number, uint32_t d);

/* permutation [count] of all numbers below `count`, of which those below `still` stay; another for each (task, purpose, number). */
void mot_change_permute(uint64_t seed, uint32_t task, uint32_t purpose, uint32_t number, size_t still,
                        size_t count, int32_t *permutation);

/* Bytes that a change may need beside a sample: its numbers as floats, and two rows of a picture and what is beside them. */
enum { CHANGE_MOST_BLUR = 32, CHANGE_MOST_RADIUS = 3 * CHANGE_MOST_BLUR };
static inline size_t mot_change_scratch(const mot_sample_format *format)
{
    return (format->bytes + 2 * format->width) * sizeof(float) + 2 * CHANGE_MOST_RADIUS;
}

/* Of task `task`. MOT_ERR_INPUT: what cannot be done to samples of this format; `where` begins the sentence. */
mot_status mot_changes_make(made_changes *all, const mot_task_changes *wanted, const mot_sample_format *format,
                            uint64_t seed, int task, const char *where);
void mot_changes_free(made_changes *all);
/* Whether there is anything to be done to a sample itself. */
bool mot_changes_touch(const made_changes *all);
void mot_changes_apply(const made_changes *all, const change_place *place, const mot_sample_format *format,
                       void *sample, void *scratch);
/* The label of a training sample among the `count` of its task, of which it is `own`. */
int mot_changes_label(const made_changes *all, const change_place *place, int own, int count);
bool mot_changes_wrong_labels(const made_changes *all);

#endif
