/* checkpoint_file.h: what writing, reading and checking a checkpoint share. Private to this folder.
 *
 * Two kinds of damage are told apart. The bytes of a dataset are covered by its attribute `xxh3`. Everything
 * else (names, shapes, attributes, the xxh3 texts themselves) is covered by the root attribute `seal`, a
 * digest of the file's tree as it is walked in name order. Neither needs to know the model, so `mot inspect
 * --verify` checks any checkpoint. */
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

/* ---- the tree ---- */

typedef struct mot_tree {
    mot_gidx groups, datasets;
    char seal[MOT_DIGEST_TEXT];
} mot_tree;

/* Walks the file and makes its seal. With `check`, every dataset's bytes are read, must have their xxh3 and
 * be finite. MOT_ERR_INPUT names the object that is damaged, or that does not belong in a checkpoint. */
mot_status mot_tree_walk(hid_t file, const char *path, bool check, mot_tree *tree);

/* ---- a unit on its way ---- */

/* How many moments hold anything: 0 before the first update, and always for an optimizer without any. */
int mot_unit_moments(const mot_params *unit);

/* The unit's three blocks to or from another rank, in pieces; the moments that are not in use are not sent.
 * `header` goes first; a header that is not `sound` is followed by nothing. */
typedef struct mot_unit_header {
    int64_t sound, updates, moments;
} mot_unit_header;
void mot_unit_send(const mot_comm *comm, const mot_params *unit, const mot_unit_header *header, int to);
void mot_unit_receive(const mot_comm *comm, mot_params *unit, mot_unit_header *header, int from);

/* Room for one unit of any of the state's tables (gradient excluded); freed with mot_unit_staging_free. */
mot_status mot_unit_staging(const mot_state *state, mot_params *staging);
void mot_unit_staging_free(mot_params *staging);

/* True when the state has this unit at all. */
static inline bool mot_table_used(const mot_table *table)
{
    return table != NULL && table->rows > 0;
}

/* Each rank: the experts that it owns are there. The root: so are the gate and the tied tensors. */
mot_status mot_state_check(const mot_comm *comm, const mot_state *state);

#endif
