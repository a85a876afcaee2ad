/* stream.h: a stream of tasks, for continual learning: one data set a split that holds all tasks one after another.
 *
 *      task            0            1                 tasks-1
 *      samples  first[0] ..  first[1] ..  ...  first[tasks-1] .. first[tasks]
 *
 * A task is a part of a data set, by class or by group, or a data set of several, under a change of its own: rotated, blurred,
 * noisy, in other colours, permuted, with wrong labels. What a task is follows from the configuration (data.stream.*), the
 * seed and the train split alone, so all splits have the same tasks; and each sample is a pure function of (seed, split,
 * index), so all ranks have the same.
 *
 * The groups of the data set are its tasks, and its group_names what they are called ("3: banking"); so whatever is kept, counted
 * and written by group is by task. With `heads: task` each class is of one task: where tasks share classes each has its own
 * ("3: banking: balance"). Names of classes follow.
 *
 *      by class    as many classes a task, the earliest have one more where the number does not divide; classes stay as
 *                  they are numbered
 *      by group    a group a task, or several, likewise. Classes stay where each is of one group
 *      by file     a data set a task, and again the first where there are more tasks
 *
 * Data sets of a stream must have one form (kind, sizes, columns); classes of later ones get the numbers behind. Numbers are
 * read under one normalization: mean and deviation of the train splits of all together, as they stand in the files.
 * Texts are read with one vocabulary: the words of the first, then those that the next have besides, so no word is lost.
 *
 * Not collective. */
#ifndef MOT_STREAM_H
#define MOT_STREAM_H

#include "mot/data_config.h"
#include "mot/dataset.h"

typedef struct mot_stream {
    int tasks;
    const mot_gidx *first;     /* [tasks + 1] */
    const int32_t *head;       /* [classes]: the task whose head a class is of; NULL: one head for all */
    const int32_t *classes;    /* [tasks]: how many its train split has */
    const char *const *change; /* [tasks], as in the configuration: "rotate 30 + noise 0.1"; "none" */
} mot_stream;

/* The stream that a split is, owned by the data set; NULL: it is none. */
const mot_stream *mot_dataset_stream(const mot_dataset *dataset);
/* The task of a sample. */
static inline int mot_stream_task(const mot_stream *stream, mot_gidx index)
{
    int low = 0, high = stream->tasks; /* first[low] <= index < first[high] */
    while (high - low > 1) {
        const int middle = low + (high - low) / 2;
        if (stream->first[middle] <= index)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Opens a split of the stream that config->stream describes; `training`: labels may be wrong, where a change says so. MOT_ERR_INPUT
 * with a sentence for what a data set cannot be part of, and what a change cannot do. */
mot_status mot_dataset_stream_open(mot_dataset *dataset, const mot_data_config *config, const char *split,
                                   bool training, uint64_t seed);

#endif
