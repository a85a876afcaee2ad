/* weights.h: the values of a checkpoint as a list of tensors, and what is said of them. Private to this folder. */
#ifndef MOT_EXPORT_WEIGHTS_H
#define MOT_EXPORT_WEIGHTS_H

#include "mot/atomic_file.h"
#include "mot/export.h"
#include "mot/values.h"

enum { WEIGHTS_RANK = 1 + MOT_TENSOR_RANK };

typedef struct weights_tensor {
    char name[MOT_CHECKPOINT_NAME];
    int rank;
    size_t shape[WEIGHTS_RANK], count; /* count: product of the shape */
    mot_values_found found;            /* units 0: the balance bias, which is no tensor of a table */
} weights_tensor;

typedef struct weights {
    char path[MOT_PATH]; /* of the checkpoint */
    mot_values *values;
    size_t count;
    weights_tensor *tensor; /* [count], owned */
} weights;

/* Opens the checkpoint that `path` means. On failure there is nothing to close. */
mot_status mot_weights_open(weights *w, const char *path);
void mot_weights_close(weights *w);
/* value [count] of a tensor, whose checksums are compared. */
mot_status mot_weights_read(const weights *w, const weights_tensor *tensor, float *value);

/* metadata.c: one flat JSON object of texts: all that a program needs besides the values; mot_free(*json). */
mot_status mot_weights_metadata(const char *checkpoint, char **json);

/* safetensors_write.c */
mot_status mot_safetensors_write(const weights *w, const char *metadata, const char *out);

/* ---- a file of weights that is read ---- */

typedef struct safetensors safetensors; /* safetensors_read.c: a file that is open */
mot_status mot_safetensors_open(safetensors **file, const char *path);
void mot_safetensors_close(safetensors **file);
/* value [count] of the tensor of that name, which must have this shape, and finite numbers. MOT_ERR_INPUT. */
mot_status mot_safetensors_read(safetensors *file, const weights_tensor *tensor, float *value);
/* MOT_ERR_INPUT names a tensor that nobody has read. */
mot_status mot_safetensors_all_read(const safetensors *file);

/* "[3, 16, 24]" */
enum { WEIGHTS_SHAPE = 128 };
void mot_weights_shape_text(int rank, const size_t *shape, char text[WEIGHTS_SHAPE]);

/* run_h5.c */
mot_status mot_run_h5_write(const char *run, const char *out);

#endif
