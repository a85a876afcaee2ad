/* checkpoint_file.h: what writing, reading and checking a checkpoint share. Private to this folder.
 *
 * Behind the end of the HDF5 file, where HDF5 looks at nothing, stands the mark: it covers every byte before
 * it and is checked before HDF5 sees the file, since libhdf5 may crash on damaged metadata.
 *
 *      | HDF5 file, n bytes | "mot-mark" | n, 8 bytes, little-endian | XXH3 of the n bytes, 16 bytes |
 */
#ifndef MOT_CHECKPOINT_FILE_H
#define MOT_CHECKPOINT_FILE_H

#include "mot/checkpoint.h"
#include "mot/digest.h"
#include "mot/h5.h"

_Static_assert(sizeof(mot_real) == sizeof(float), "a checkpoint holds float32");

#define MOT_CHECKPOINT_FORMAT "mot-checkpoint"
enum { MOT_CHECKPOINT_VERSION = 1, MOT_CHECKPOINT_PATH = 192, MOT_MOMENTS = 2 };

/* ---- names inside the file ---- */

/* The group of a unit: "gate", "tied", "experts/00007". */
void mot_unit_path(char path[MOT_CHECKPOINT_PATH], int unit);

/* The dataset of a tensor: moment -1 is the value, else the optimizer's moment 0 or 1. */
void mot_tensor_path(char path[MOT_CHECKPOINT_PATH], int unit, const mot_tensor *tensor, int moment);

/* The fields of mot_progress as attributes of /progress: one table for writing and reading. */
typedef struct mot_progress_field {
    const char *name;
    enum { MOT_PROGRESS_INT32, MOT_PROGRESS_INT64, MOT_PROGRESS_REAL } kind;
    size_t offset;
} mot_progress_field;
extern const mot_progress_field mot_progress_fields[];
extern const size_t mot_progress_field_count;

/* ---- digests ---- */

/* Of the values of a unit's tensors in table order; a unit without tensors has the digest of no bytes. */
mot_status mot_unit_digest(const mot_table *table, const mot_real *value, mot_digest *digest);

/* The digest of all from those of the units: gate, tied, experts 0..E-1 in `units` [E + 2]. */
void mot_state_digest_text(const mot_digest *units, int experts, char text[MOT_DIGEST_TEXT]);

/* ---- the mark ---- */

enum { MOT_MARK = 32 };
void mot_mark_make(unsigned char mark[MOT_MARK], const mot_digest *digest, size_t count);
/* Adds the mark to the complete file `temporary`, and syncs it; sentences name `path`. */
mot_status mot_mark_append(const char *temporary, const char *path);

/* MOT_ERR_INPUT when the file does not end with a mark, or not with that of its bytes. */
mot_status mot_mark_check(const char *path);

/* ---- a unit on its way ---- */

/* How many moments hold anything: 0 before the first update, and always for an optimizer without any. */
int mot_unit_moments(const mot_params *unit);

/* The unit's three blocks to or from another rank, values first, tensor by tensor; the moments that are not in use are
 * not sent. `header` goes first; a header that is not `sound` is followed by nothing. */
typedef struct mot_unit_header {
    int64_t sound, updates, moments;
} mot_unit_header;
void mot_unit_send(const mot_comm *comm, const mot_params *unit, const mot_unit_header *header, int to);
void mot_unit_receive(const mot_comm *comm, mot_params *unit, mot_unit_header *header, int from);
/* The same, piece by piece: the root passes other ranks' units on, and holds one tensor of them at a time. */
void mot_unit_send_header(const mot_comm *comm, const mot_unit_header *header, int to);
void mot_unit_receive_header(const mot_comm *comm, mot_unit_header *header, int from);
void mot_tensor_send(const mot_comm *comm, const mot_real *value, size_t count, int to);
void mot_tensor_receive(const mot_comm *comm, mot_real *value, size_t count, int from);

/* Room for any tensor of the state; mot_free(*value). */
mot_status mot_tensor_staging(const mot_state *state, mot_real **value);

/* True when the state has this unit at all. */
static inline bool mot_table_used(const mot_table *table)
{
    return table != NULL && table->rows > 0;
}

/* Each rank: the experts that it owns are there. The root: so are the gate and the tied tensors. */
mot_status mot_state_check(const mot_comm *comm, const mot_state *state);

#endif
