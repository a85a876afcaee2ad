/* export.h: what a run has learned, in files of other programs, and back. docs/export.md is the page for users.
 *
 * Tensors have the names and shapes that a checkpoint has them in, experts as the first axis, all float32:
 *      gate/weight [F, E]    gate/balance_bias [E]    tied/PART/TENSOR    experts/PART/TENSOR [E, ...]    dense0/...    layer1_gate/...
 * Not collective: one process reads and writes. `path` is a run folder, whose newest checkpoint is meant, or a checkpoint. */
#ifndef MOT_EXPORT_H
#define MOT_EXPORT_H

#include <stdbool.h>

#include "mot/status.h"

typedef enum mot_export_form {
    MOT_EXPORT_SAFETENSORS, /* a header in JSON, whose __metadata__ says configuration, data, step and program; then the bytes */
    MOT_EXPORT_NPZ,         /* an array a tensor, and `metadata`: one text, the same as JSON */
    MOT_EXPORT_H5           /* of a run folder alone: run.h5 with all that it links to in it */
} mot_export_form;

/* Writes `out`, complete or not at all. MOT_ERR_INPUT: it is there, and is not to be replaced. */
mot_status mot_export(const char *path, mot_export_form form, const char *out, bool replace);

/* Makes a run folder `run` of one checkpoint: the one of `path`, with the values that `weights` (.safetensors, .npz) has. Every tensor
 * must be there, once, in its shape and finite, and no other; otherwise MOT_ERR_INPUT says which, and nothing is made. Optimizers
 * begin anew. */
mot_status mot_import_weights(const char *weights, const char *path, const char *run);

#endif
