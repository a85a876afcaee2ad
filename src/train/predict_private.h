/* predict_private.h: what the parts of a prediction share. Included by src/train/predict*.c alone. */
#ifndef MOT_PREDICT_PRIVATE_H
#define MOT_PREDICT_PRIVATE_H

#include "mot/atomic_file.h"
#include "mot/loss.h"
#include "mot/predict.h"
#include "mot/stream.h"

/* What came out of `count` samples from `first` on. */
typedef struct predictions {
    size_t first, count;
    int32_t *class;     /* [count] */
    float *probability; /* [count, classes] */
    float *output;      /* [count, numbers]: in place of both, where targets are no classes */
    int32_t *expert;    /* [count, choices] */
    float *gate;        /* [count, choices] */
} predictions;

/* predict_import.c: the samples of a file as the training split of a data set `made`, with labels that mean nothing; and
 * the file of each, of pictures. */
mot_status mot_predict_import(const mot_predict_options *options, const mot_schema *schema, const char *made,
                              mot_import_paths *paths);

/* The sentence of a failure, if any, with `path`, which the user knows, in place of `to`. */
mot_status mot_predict_user_words(mot_status status, const char *to, const char *path);

/* predict_task.c: the task that each sample is known to be of, where that is said (options->task). On the root alone. */
typedef struct predict_task {
    mot_dataset own;          /* the run's stream, which says what its tasks are; source NULL: not opened */
    const mot_stream *stream; /* that it is; NULL: no task is known */
    int task;                 /* of all samples; -1: of each that of its group */
    int32_t *of_group;        /* [groups of the samples], owned */
    mot_real *out;            /* [classes], owned, as the next two: what of a head is worked on */
    int32_t *number;
    float *probability;
} predict_task;
/* Open: while the configuration is still that of the run's own data. Begin: of the samples in `set`, which are called `title`. */
mot_status mot_predict_task_open(predict_task *task, const mot_predict_options *options, const mot_config *config);
mot_status mot_predict_task_begin(predict_task *task, const mot_dataset *set, const char *title, const mot_loss *loss);
/* The class, and the probabilities [classes], of outputs that are known to be of its task: 0 for classes of others. */
void mot_predict_task_say(const predict_task *task, const mot_loss *loss, int32_t group, const mot_real *out, int32_t *class,
                          float *probability);
void mot_predict_task_close(predict_task *task);

/* predict_write.c: a file by the end of its name, written piece by piece, so that memory does not grow with the samples:
 *
 *      .csv    lines, as they come
 *      .h5     columns in a nameless file beside it, each at its place, until all are there; then HDF5's, block by block
 *      .npz    likewise; but at the end it is whole in memory once, since a zip is made of whole files */
typedef struct predict_output {
    const char *path; /* not owned */
    size_t samples;   /* that will come */
    size_t classes, numbers, choices; /* classes, or numbers of a target; the other is 0 */
    char *const *names;       /* [classes] or [numbers], not owned; NULL: numbers */
    char *const *files;       /* [samples], not owned; NULL: samples have no files */
    char temporary[MOT_PATH]; /* .csv: its name; else "" */
    int file;                 /* -1: none */
    uint64_t end;             /* of what is written; .csv */
} predict_output;

mot_status mot_predict_check_name(const char *path);
/* Path, samples, classes, numbers, choices, names and files are set by the caller, `file` is -1. */
mot_status mot_predict_output_open(predict_output *output);
/* Pieces come in order. */
mot_status mot_predict_output_add(predict_output *output, const predictions *piece);
/* `commit`: the file is there, complete; otherwise nothing is. Closes always, also what was never opened. */
mot_status mot_predict_output_close(predict_output *output, bool commit);

#endif
