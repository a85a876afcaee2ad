/* checkpoint.h: the whole state of a run in one HDF5 file, complete or absent.
 *
 * Layout (docs/files.md has the table):
 *      /config                  text: the resolved configuration
 *      /progress/...            step, stage, criterion state, (attributes)
 *      /gate/TENSOR             value, and beside it TENSOR.moment0, TENSOR.moment1 (optimizer state)
 *      /gate/balance_bias [E]
 *      /tied/PART/TENSOR        tied tensors, when there are any
 *      /experts/00007/PART/TENSOR   PART in embed attention ffn head; TENSOR is the table's name
 * Each tensor dataset carries the attribute `xxh3` of its bytes; each unit the attribute `updates`.
 * Root attributes: format, format_version, mot_version, commit, created (UTC), seed, ranks, hosts, library versions,
 * restarts, digest; and `complete` = 1, written last. Behind the HDF5 file stands a mark of 32 bytes with the checksum
 * of all before it: a reader refuses a file without both, before libhdf5 sees a byte of it. A moment that is all zero
 * (an optimizer without it, a unit never updated) is left out; the unit's attribute `moments` says how many there are.
 *
 * The root streams the file, tensor by tensor wherever it comes from, and replaces its name atomically. Units are stored under
 * global ids, so any rank count, placement and coordinator form reads it. */
#ifndef MOT_CHECKPOINT_H
#define MOT_CHECKPOINT_H

#include "mot/comm.h"
#include "mot/params.h"

/* Where a run stands; plain data that every rank holds alike. All that decides the next step besides parameters,
 * seed and configuration. */
typedef struct mot_progress {
    mot_gidx step;        /* steps done */
    int32_t stage;        /* index of the current stage; == number of stages when all are done */
    mot_gidx stage_first; /* the step (0-based) at which it began */
    /* criteria of `until`: running sums of the current and the previous window (stage.h) */
    mot_gidx window_steps;
    double window_loss, window_purity, previous_loss, previous_purity;
    int32_t windows;
    int32_t restarts; /* times the run was continued from a checkpoint */
} mot_progress;

typedef struct mot_state {
    mot_progress progress;
    int experts;            /* E */
    mot_real *balance_bias; /* [E], the root's matter; not owned */
    mot_params *gate;       /* on the root; elsewhere NULL */
    mot_params *tied;       /* on every rank alike; NULL when nothing is tied */
    mot_params **expert;    /* [E]: not NULL on the rank that owns the expert */
    const int *owner;       /* [E]: rank that owns expert e (same on every rank) */
    const mot_table *gate_table, *tied_table, *expert_table; /* on every rank; gate_table may have no rows */
    const char *config_text;                                 /* on the root */
    uint64_t seed;
} mot_state;

/* Writes `path`. Collective; experts are sent to the root one at a time. Same status on every rank. */
mot_status mot_checkpoint_write(const mot_comm *comm, const mot_state *state, const char *path);

/* Reads `path` into the state's parameters, bias and progress. Collective: the root reads, checks and sends. Nothing
 * of the state is changed unless the whole file was found sound (complete, every expert 0..E-1 exactly once, every
 * tensor with its shape and checksum); otherwise MOT_ERR_INPUT names what is missing, wrong or damaged. */
mot_status mot_checkpoint_read(const mot_comm *comm, mot_state *state, const char *path);

/* Reads only the configuration text of a checkpoint (for `mot eval`); mot_free(*text). Not collective. */
mot_status mot_checkpoint_config(const char *path, char **text);

/* Checks a checkpoint by itself, whatever its model: the checksum over all its bytes, complete, every expert 0..E-1 once.
 * MOT_ERR_INPUT names what is wrong. Not collective. */
mot_status mot_checkpoint_verify(const char *path);

/* The newest checkpoint of a folder: its step, or -1 when there is none. `path` gets its name. Not collective. */
mot_gidx mot_checkpoint_newest(const char *folder, char *path, size_t size);

/* The file's name for a step: "step-00000400.h5". */
void mot_checkpoint_name(char *name, size_t size, mot_gidx step);

/* Removes all but the newest `keep` (0: keeps all). Not collective. */
mot_status mot_checkpoint_retain(const char *folder, mot_gidx keep);

/* Digest of all parameters, the same for any rank count, thread count and placement: XXH3 over the digests of gate,
 * tied tensors and experts 0..E-1, each over its tensors' values in table order (padding excluded). Collective; the
 * text is the same on every rank. */
mot_status mot_state_digest(const mot_comm *comm, const mot_state *state, char text[33]);

#endif
