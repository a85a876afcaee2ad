/* predict.h: what a trained model says of samples whose labels nobody need know; what `mot predict` does.
 *
 * Samples come from a split of a data set, or from a file that is imported for the occasion; in either case they are read
 * as the run's own (schema.h). What comes out, in the order of the input, the same on any number of ranks:
 *      class             [n]      index of the predicted class; its name beside it
 *      probability       [n, C]   of each class (mot_loss_probabilities)
 *      expert            [n, K]   the gate's choices, the first one first
 *      gate_probability  [n, K]   its softmax probability of each */
#ifndef MOT_PREDICT_H
#define MOT_PREDICT_H

#include "mot/comm.h"
#include "mot/config.h"

/* csv: numbers, a sample a line, perhaps under a line of names; text: a text a line; npy: an array of samples. */
typedef enum mot_predict_input {
    MOT_PREDICT_DATA,
    MOT_PREDICT_CSV,
    MOT_PREDICT_TEXT,
    MOT_PREDICT_NPY
} mot_predict_input;

typedef struct mot_predict_options {
    const char *run; /* folder, or a checkpoint */
    mot_predict_input input;
    const char *file;  /* of samples; NULL (MOT_PREDICT_DATA alone): the run's own data set */
    const char *split; /* of a data set; NULL: the run's eval.split */
    const char *out;   /* ends with .csv, .npz or .h5 */
    size_t count;      /* assignments over the run's configuration */
    const char *const *assignments;
} mot_predict_options;

/* Writes options->out, complete or not at all. A file that is imported becomes a data set beside it for as long as it takes,
 * which all ranks must be able to read. MOT_ERR_INPUT: a sentence. Collective; `options` the same everywhere. */
mot_status mot_predict(const mot_comm *comm, const mot_predict_options *options);

#endif
