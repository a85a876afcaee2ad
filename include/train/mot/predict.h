/* predict.h: what a trained model says of samples whose labels nobody need know; what `mot predict` does.
 *
 * Samples come from a split of a data set, or from files that are imported for the occasion, by the importers of data sets
 * (import.h, `as`); in either case they are read as the run's own (schema.h). What comes out, in the order of the input, the
 * same on any number of ranks:
 *      class             [n]      index of the predicted class; its name beside it
 *      probability       [n, C]   of each class (mot_loss_probabilities)
 *      output            [n, C]   in place of both, where targets are C numbers: what is said for each
 *      expert            [n, K]   the gate's choices, the first one first
 *      gate_probability  [n, K]   its softmax probability of each
 *      file              [n]      of pictures in a folder alone: their paths
 * It is written as it comes: of .csv and .h5 memory holds one batch, however many samples there are. Of .npz it holds all
 * at the end. */
#ifndef MOT_PREDICT_H
#define MOT_PREDICT_H

#include "mot/comm.h"
#include "mot/config.h"
#include "mot/import.h"

/* csv: a table, a sample a line; text: a text a line; npy: an array of samples; images: a folder of pictures, in the order
 * of their paths; hdf5: an array in a file of others. */
typedef enum mot_predict_input {
    MOT_PREDICT_DATA,
    MOT_PREDICT_CSV,
    MOT_PREDICT_TEXT,
    MOT_PREDICT_NPY,
    MOT_PREDICT_IMAGES,
    MOT_PREDICT_HDF5
} mot_predict_input;

typedef struct mot_predict_options {
    const char *run; /* folder, or a checkpoint */
    mot_predict_input input;
    const char *file;  /* of samples; NULL (MOT_PREDICT_DATA alone): the run's own data set */
    mot_import_options reading; /* how it is read: header, separator, array[0], ...; the rest is the run's */
    /* Of a run with a head a task: the task that all samples are known to be of, "3: birds", "birds" or "3"; "group": each is of
     * the one that its group is called by. Then classes of other tasks are not predicted, and have the probability 0. NULL: no
     * task is known. The run's own data must be there, which say what tasks are. */
    const char *task;
    const char *split; /* of a data set; NULL: the run's eval.split */
    const char *out;   /* ends with .csv, .npz or .h5 */
    bool force;        /* replaces `out` where it is there; never what is read */
    size_t count;      /* assignments over the run's configuration */
    const char *const *assignments;
} mot_predict_options;

/* Writes options->out, complete or not at all. A file that is imported becomes a data set beside it for as long as it takes,
 * which all ranks must be able to read. MOT_ERR_INPUT: a sentence. Collective; `options` the same everywhere. */
mot_status mot_predict(const mot_comm *comm, const mot_predict_options *options);

#endif
