/* checkpoint_file.h: what writing, reading and checking a checkpoint share. Private to this folder.
 *
 * A checkpoint is one HDF5 file. Where its tensors lie follows from the tables alone, so that every rank writes and
 * reads its own; HDF5 describes them afterwards:
 *
 *      0      4096                                              end
 *      | HDF5 | gate | tied | expert 0 | expert 1 | ...         | HDF5: names, digests,  | mark |
 *             each unit: its values, then its moments,          | configuration, ...     |
 *             tensor by tensor; begins at a multiple of 4096
 *
 * Units that are alike, the experts, are rows of one dataset, and each of their tensors is a view of it; so what HDF5 is
 * asked for does not grow with their number. A unit that is one of its kind has a dataset for each tensor.
 *
 * It is a sealed file (mot/h5.h). The tensors are covered by their digests, which stand in what the mark covers. The bytes
 * between units belong to nobody. */
#ifndef MOT_CHECKPOINT_FILE_H
#define MOT_CHECKPOINT_FILE_H

#include "mot/atomic_file.h"
#include "mot/checkpoint.h"
#include "mot/digest.h"
#include "mot/h5.h"

_Static_assert(sizeof(mot_real) == sizeof(float), "a checkpoint holds float32");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tensors are written as they lie in memory");

#define MOT_CHECKPOINT_FORMAT "mot-checkpoint"
enum {
    MOT_CHECKPOINT_VERSION = 3,
    MOT_CHECKPOINT_FORMER = 2, /* read as well: each expert has a group of its own, written as a unit that is alone */
    MOT_MOMENTS = 2,
    MOT_BLOCKS = 1 + MOT_MOMENTS
};

/* Digests of a unit: of its values together, then of each tensor of each block. */
static inline size_t mot_unit_digests(const mot_unit *unit, int64_t moments)
{
    return 1 + unit->table->rows * (size_t)(1 + moments);
}

/* How many moments hold anything: 0 before the first update, and always for an optimizer without any. */
int mot_unit_moments(const mot_params *unit);

/* Each rank: the units that it holds are there. */
mot_status mot_state_check(const mot_comm *comm, const mot_state *state);

/* ---- names inside the file ---- */

/* For sentences: "gate/weight", "experts/ffn/in_bias.moment0 of expert 7". */
void mot_tensor_words(char words[MOT_CHECKPOINT_NAME], const mot_unit *unit, const mot_tensor *tensor,
                      int moment);

/* The fields of mot_progress as attributes of /progress: one table for writing and reading. */
typedef struct mot_progress_field {
    const char *name;
    enum { MOT_PROGRESS_INT32, MOT_PROGRESS_INT64, MOT_PROGRESS_REAL } kind;
    size_t offset;
    const char *formerly; /* of files from before it: the field that stood for it; "": 0; NULL: it must be there */
} mot_progress_field;
extern const mot_progress_field mot_progress_fields[];
extern const size_t mot_progress_field_count;

/* ---- digests ---- */

/* The digest of all from those of the units, in their order. */
void mot_state_digest_text(const mot_digest *unit, size_t units, char text[MOT_DIGEST_TEXT]);

/* ---- where things lie ---- */

/* What every rank knows of every unit when a checkpoint begins. */
typedef struct mot_unit_about {
    int64_t holders; /* ranks that store it: 1 */
    int64_t updates, moments;
} mot_unit_about;

/* Bytes of a unit in the file, and where it begins: the first byte behind the units before, rounded up. */
static inline uint64_t mot_unit_bytes(const mot_table *table, int64_t moments)
{
    return (uint64_t)mot_table_parameters(table, ~0u) * sizeof(mot_real) * (uint64_t)(1 + moments);
}
static inline uint64_t mot_next_unit(uint64_t first, uint64_t bytes)
{
    const uint64_t page = MOT_H5_HEAD;
    return (first + bytes + page - 1) / page * page;
}

/* ---- bytes of tensors ---- */

/* A file of tensors that is open; sentences name `path`. */
typedef struct mot_tensor_file {
    int descriptor;
    const char *path;
    void *room; /* for a piece of a tensor, owned */
} mot_tensor_file;

/* `path` to open, `shown` for sentences. A file to be written is made when it is not there yet. */
mot_status mot_tensor_file_open(mot_tensor_file *file, const char *path, const char *shown, bool write);
/* `sync`: and all that was written is on disk. Closes whatever happens; a file that was never opened is fine. */
mot_status mot_tensor_file_close(mot_tensor_file *file, bool sync);
/* Asks the file system for room for bytes that will be written; MOT_ERR_FILE when it has none. */
mot_status mot_tensor_file_reserve(const mot_tensor_file *file, uint64_t at, uint64_t bytes);
/* Writes `count` numbers at byte `at`; *digest gets theirs, and they are added to `all` unless it is NULL.
 * MOT_ERR_NUMERIC names the first that is not finite. */
mot_status mot_tensor_write(const mot_tensor_file *file, uint64_t at, const mot_real *value, size_t count,
                            const char *name, mot_digest *digest, mot_digest_state *all);
/* Of the bytes that are in the file. */
mot_status mot_tensor_digest(const mot_tensor_file *file, uint64_t at, size_t count, mot_digest *digest);
/* MOT_ERR_INPUT when the bytes do not have this digest, or are not finite. */
mot_status mot_tensor_check(const mot_tensor_file *file, uint64_t at, size_t count, const char *name,
                            const mot_digest *digest);
mot_status mot_tensor_read(const mot_tensor_file *file, uint64_t at, mot_real *value, size_t count);
/* The disk begins with what was written there; what goes wrong is told by the fsync. */
void mot_tensor_file_hurry(const mot_tensor_file *file, uint64_t at, uint64_t bytes);

/* ---- the structure around the tensors ---- */

/* All that the root must know to describe tensors that lie in the file. */
typedef struct mot_description {
    const mot_state *state;
    const mot_unit_about *about; /* [units] */
    const uint64_t *first;       /* [units + 1]: where each begins; the last: where the tensors end */
    const mot_digest *const
        *digest; /* [units]: of the values together, then of each block's tensors in table order */
    int ranks;
    const char *hosts;
} mot_description;

/* Writes the structure into path.tmp.PID, which holds the tensors and is synced, marks the file and gives it its name. */
mot_status mot_description_write(const mot_description *description, const char *path);

/* ---- a file's structure, checked ---- */

/* A tensor in a file. */
typedef struct mot_place {
    uint64_t at;
    mot_digest digest;
} mot_place;

typedef struct mot_index {
    mot_progress progress;
    mot_unit_about *about; /* [units], owned */
    mot_place *place;      /* owned; those of unit u begin at start[u]: block by block, in table order */
    size_t *start;         /* [units + 1], owned */
} mot_index;

/* Room for the index of a file that holds this state. */
mot_status mot_index_create(mot_index *index, const mot_state *state);
void mot_index_free(mot_index *index);
/* Opens the file and finds its structure sound, or says why not; the tensors' bytes are not looked at. *file stays open. */
mot_status mot_index_read(mot_index *index, hid_t *file, const char *path, const mot_state *state);

/* Format, version, `complete`; and that it is of so many experts; in the former version also that all are there once. *version: MOT_CHECKPOINT_VERSION or
 * MOT_CHECKPOINT_FORMER; may be NULL. */
mot_status mot_check_format(hid_t file, const char *path, int *version);
mot_status mot_check_experts(hid_t file, const char *path, int version, int64_t experts);
/* "a checkpoint of 5 experts, the configuration has 4" */
mot_status mot_other_experts(const char *path, int64_t stored, int64_t experts);
/* Numbers that so many experts had in the beginning are sound, where some have gone; and those of a state, unless it is NULL. */
mot_status mot_check_origin(hid_t file, const char *path, int64_t experts, const mot_state *state);
/* Numbers [experts] that a file has, below `begun`; without any 0, 1, ... */
mot_status mot_get_origin(hid_t file, const char *path, int experts, int begun, int *origin);
/* The digest that stands beside a dataset. */
mot_status mot_get_digest(hid_t file, const char *path, const char *name, mot_digest *digest);

/* read.c: bias [experts], HDF5's and no tensor: its digest is compared. */
mot_status mot_balance_bias_read(hid_t file, const char *path, int experts, mot_real *bias);

/* ---- units that are alike, stacked (stack.c) ----
 *
 *      /experts/state [E, n]                    a row is a unit's bytes, up to where the next begins
 *      /experts/xxh3 [E, tensors, 16]           digests, block by block in table order
 *      /experts/updates [E]
 *      /experts/origin [E]                      where some have gone
 *      /experts/PART/TENSOR [E, shape]          a view of `state`; attribute xxh3_column: its column in `xxh3` */
static const char mot_stack_state[] = "state", mot_stack_xxh3[] = "xxh3", mot_stack_updates[] = "updates",
                  mot_stack_column[] = "xxh3_column";
static const char mot_origin_path[] = "/experts/origin";
/* "/experts/state" */
void mot_stack_path(char path[MOT_CHECKPOINT_NAME], const char *group, const char *own);

typedef struct mot_stack {
    char state[MOT_CHECKPOINT_NAME], xxh3[MOT_CHECKPOINT_NAME];
    uint64_t at, stride; /* bytes: where the first row begins, and from one row to the next */
    size_t rows, columns;
    mot_digest *digest; /* [rows, columns], owned */
} mot_stack;

/* A tensor of all rows: that of row i begins at byte at + i * stride. */
typedef struct mot_stacked {
    uint64_t at;
    size_t column, count; /* count: numbers of one row */
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK]; /* of one row */
} mot_stacked;

/* Every row is there once. */
mot_status mot_stack_check(hid_t file, const char *path, const char *group, size_t rows);
mot_status mot_stack_read(mot_stack *stack, hid_t file, const char *path, const char *group, size_t rows);
void mot_stack_free(mot_stack *stack);
/* Finds the dataset `name`. */
mot_status mot_stack_find(const mot_stack *stack, hid_t file, const char *path, const char *name,
                          mot_stacked *tensor);
/* Writes what HDF5 knows of the `rows` units from `first` on; *tensors counts the datasets. */
mot_status mot_stack_describe(hid_t file, const mot_description *description, size_t first, size_t rows,
                              mot_gidx *tensors);

#endif
