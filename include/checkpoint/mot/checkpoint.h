/* checkpoint.h: the whole state of a run in one HDF5 file, complete or absent.
 *
 * Layout (docs/files.md has the table, docs/checkpoint.md the reasons):
 *      /config                  text: the resolved configuration
 *      /progress/...            step, stage, criterion state, (attributes)
 *      /gate/TENSOR             value, and beside it TENSOR.moment0, TENSOR.moment1 (optimizer state)
 *      /gate/balance_bias [E]          of several layers: of all, one behind the other
 *      /tied/PART/TENSOR        tied tensors, when there are any
 *      /experts/PART/TENSOR [E, ...]   PART in embed attention ffn head; TENSOR is the table's name
 *      /layer1_gate, /layer1_experts, ... the same of the layers behind the first
 *      /dense0/PART/TENSOR, ...        what all ranks hold alike of a model of several layers
 *      /experts/updates [E]
 *      /experts/origin [E]             the number that each had in the beginning, where some have gone since
 *      /experts/xxh3 [E, tensors, 16]  the checksum of each expert's tensors
 *      /experts/state [E, n]           a row is an expert's bytes; the tensors are views of it
 * A tensor of the gate, and a tied one, carries the attribute `xxh3` of its bytes, their group the attribute `updates`.
 * Root attributes: format, format_version, mot_version, commit, created (UTC), seed, ranks, hosts, library versions,
 * restarts, digest; and `complete` = 1, written last. Behind the HDF5 file stands a mark with the checksum of all that
 * is not a tensor: a reader refuses a file without both, before libhdf5 sees a byte of it. A moment that is all zero
 * (an optimizer without it, a unit never updated; of the experts, all of them) is left out; the group's attribute `moments`
 * says how many there are. Files of format version 2, in which each expert was a group with its own datasets, are read too.
 *
 * Every rank writes and reads the tensors of its own units, the root also those that all ranks hold alike: the run folder
 * must be seen by all hosts. Units lie at places that do not depend on ranks, so any rank count, placement and coordinator
 * form reads it. */
#ifndef MOT_CHECKPOINT_H
#define MOT_CHECKPOINT_H

#include "mot/comm.h"
#include "mot/h5.h"
#include "mot/units.h"

/* Where a run stands; plain data that every rank holds alike. All that decides the next step besides parameters,
 * seed and configuration. */
typedef struct mot_progress {
    mot_gidx step;        /* steps done */
    int32_t stage;        /* index of the current stage; == number of stages when all are done */
    mot_gidx stage_first; /* the step (0-based) at which it began */
    /* criteria of `until` (stage.h): of the loss and of the purity the sum over the current window and its steps, the
     * mean of the previous one, and how many there were */
    mot_gidx window_steps, purity_steps;
    double window_loss, window_purity, previous_loss, previous_purity;
    int32_t windows, purity_windows;
    double previous_alignment; /* at the end of the window before; 0: there was none */
    int32_t action_left; /* 1: the stage has ended, but for what its end does (stage_action.h), which a stop came before */
    int32_t restarts; /* times the run was continued from a checkpoint */
    /* train.on_nonfinite: steps without an update, times the run went back, and batches of the stream left out by that */
    int32_t skipped, rollbacks;
    mot_gidx left_out;
    mot_gidx best_step; /* of the evaluation with the lowest loss, when they are kept; 0: none */
    double best_loss;
    /* seconds that all processes of the run took for its steps so far; the last three are means over ranks. timed_steps: the
     * steps that they took them for: all, unless the run was begun by a version that did not count */
    double wall_s, compute_s, exchange_s, wait_s;
    mot_gidx timed_steps;
} mot_progress;

typedef struct mot_state {
    mot_progress progress;
    mot_units units; /* tables, and what of them this rank holds; the list is not owned */
    int experts;     /* E of the first layer */
    const int *origin; /* [E]: numbers that they had in the beginning, ascending; NULL: none has gone; not owned */
    mot_real *balance_bias; /* of all layers, one behind the other, the root's matter; not owned */
    int biases;             /* how many; 0: E */
    const char *config_text;                                 /* on the root */
    const char *dataset_checksum; /* on the root: of what is learned from; NULL or "": it lies in no file */
    const char *run_id;           /* on the root; NULL: none */
    uint64_t seed;
    /* On the root: writes what else belongs to the run into the file, NULL: nothing; with `more_of`, both to stay until the
     * file is there. */
    mot_status (*more)(const void *more_of, hid_t file);
    const void *more_of;
} mot_state;

static inline size_t mot_state_biases(const mot_state *state)
{
    return (size_t)(state->biases > 0 ? state->biases : state->experts);
}

/* ---- writing ----
 *
 *      saver    begin |-- training goes on ---------- poll ---- poll -------- poll ---------| wait, or the next begin
 *      a rank's thread  |-- tensors of its units, fsync --|
 *      the root's thread                                       |-- structure, mark, rename --|
 *
 * What training waits for is the copy of the tensors in `begin`. The file has its name when everybody's tensors are on
 * disk, and not before. */
typedef struct mot_saver mot_saver;

/* Which checkpoints stay in a folder when one has been written. */
typedef struct mot_retention {
    mot_gidx newest; /* so many of the newest; 0: all */
    mot_gidx every;  /* and those of steps that are multiples of this; 0: none */
    mot_gidx best;   /* and that of this step; -1: none */
} mot_retention;

/* `room`: bytes for copies that are taken now rather than by the first begin (mot_state_bytes, or 0). Collective; the same
 * status on every rank, on failure *saver is NULL. */
mot_status mot_saver_create(mot_saver **saver, const mot_comm *comm, size_t room);
/* Waits for a checkpoint that is under way, whatever came of it; the sentence of a failure before stays. Collective. */
void mot_saver_destroy(mot_saver **saver);

/* Bytes of the tensors that this rank stores: values and moments of the units that it keeps. */
size_t mot_state_bytes(const mot_comm *comm, const mot_state *state);

/* Begins to write `path` (which the root alone need know), after the end of the checkpoint before. `copy`: the tensors are
 * copied, and may change at once; otherwise they must not before mot_saver_wait. Tables and config_text must stay until
 * then; all else of the state is copied. Once the file is there, other checkpoints of its folder are removed as
 * `retention` says, unless it is NULL. Collective; the same status on every rank, also that of the checkpoint before. */
mot_status mot_saver_begin(mot_saver *saver, const mot_state *state, const char *path, bool copy,
                           const mot_retention *retention);

/* Moves a checkpoint on without ever waiting; call it now and then. Not collective: the status is this rank's own, to be
 * agreed on. MOT_ERR_FILE (the disk is full) or MOT_ERR_NUMERIC (a number is not finite): there will be no file. */
mot_status mot_saver_poll(mot_saver *saver);
/* Whether the poll has seen the file of the checkpoint under way get its name. On the root, which alone is told. */
bool mot_saver_written(const mot_saver *saver);

/* Waits until the file is on disk under its name, or will never be. Collective; the same status on every rank. Nothing
 * under way: MOT_OK. */
mot_status mot_saver_wait(mot_saver *saver);

/* Begin and wait in one, without a copy: writes `path`. */
mot_status mot_checkpoint_write(const mot_comm *comm, const mot_state *state, const char *path);

/* ---- reading ---- */

/* Reads `path` into the state's parameters, bias and progress. Collective: the root checks the structure, then every rank
 * the tensors that it will hold. Nothing of the state is changed unless the whole file was found sound (complete, every
 * expert 0..E-1 exactly once and of the state's origin, every tensor with its shape and checksum); otherwise MOT_ERR_INPUT
 * names what is missing, wrong or damaged. MOT_ERR_FILE: a rank cannot open it. */
mot_status mot_checkpoint_read(const mot_comm *comm, mot_state *state, const char *path);

/* Which of the `begun` experts that a run began with a checkpoint has: there [begun]. MOT_ERR_INPUT: it has others. Not
 * collective. */
mot_status mot_checkpoint_experts(const char *path, int begun, bool *there);

/* Reads only the configuration text of a checkpoint, and the checksum of what it was trained with (NULL when it names none)
 * unless `dataset_checksum` is NULL; mot_free both. Not collective. */
mot_status mot_checkpoint_config(const char *path, char **text, char **dataset_checksum);
/* The id of the run that wrote it, cut where `size` ends; "" where it names none (older versions). Not collective. */
mot_status mot_checkpoint_run_id(const char *path, char *id, size_t size);

/* Calls `read` with a checkpoint that is open, for what else belongs to the run. Its status is returned. Not collective. */
mot_status mot_checkpoint_more(const char *path, mot_status (*read)(void *to, hid_t file, const char *path),
                               void *to);

/* Checks a checkpoint by itself, whatever its model: all checksums, complete, every expert 0..E-1 once.
 * MOT_ERR_INPUT names what is wrong. Not collective. */
mot_status mot_checkpoint_verify(const char *path);
/* Renews all checksums of a checkpoint that lies at `path` and is open as mot_h5_edit opens it, where the bytes have others
 * now; *changed counts those datasets, and where there is any, the digest of the parameters says so. Not collective. */
mot_status mot_checkpoint_renew(hid_t file, const char *path, size_t *changed);
/* Puts other values into a sound checkpoint that nobody else reads yet: `give` is asked for each tensor, by the name and shape that the
 * file has it in, experts as the first axis, and for gate/balance_bias; a status of its own ends it, with the file as far as it
 * came. Optimizers begin anew, and all checksums are right then. Not collective. */
typedef mot_status mot_replace_function(void *of, const char *name, int rank, const hsize_t *shape, mot_real *value);
mot_status mot_checkpoint_replace(const char *path, const char *run_id, mot_replace_function *give, void *of);

/* ---- a folder of checkpoints; none of these is collective ---- */

/* The newest checkpoint of a folder: its step, or -1 when there is none. `path` gets its name. */
mot_gidx mot_checkpoint_newest(const char *folder, char *path, size_t size);
/* The newest one of a step below `step`. */
mot_gidx mot_checkpoint_before(const char *folder, mot_gidx step, char *path, size_t size);

/* The file's name for a step: "step-00000400.h5". */
void mot_checkpoint_name(char *name, size_t size, mot_gidx step);

/* Removes all checkpoints but those that `retention` names. */
mot_status mot_checkpoint_retain(const char *folder, const mot_retention *retention);

/* ---- */

/* Digest of all parameters, the same for any rank count, thread count and placement: XXH3 over the digests of the units in
 * their order, each over its tensors' values in table order (padding excluded; no tensors: of no bytes). Collective; the
 * text is the same on every rank. */
mot_status mot_state_digest(const mot_comm *comm, const mot_state *state, char text[33]);

/* ---- names inside a file ---- */

enum { MOT_CHECKPOINT_NAME = 192 };
/* The dataset of a tensor in a group: moment -1 is the value, else the optimizer's moment 0 or 1. */
void mot_tensor_path(char path[MOT_CHECKPOINT_NAME], const char *group, const mot_tensor *tensor, int moment);

#endif
