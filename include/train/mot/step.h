/* step.h: one step, the flow of the program.
 *
 *            every rank               coordinator (rank 0)            owner of expert e
 *   load     read my slice of the batch
 *   score    gate features of my slice ──► logits, noise
 *   choose                               top-K, balance
 *                              ◄──       expert, weight per sample
 *   dispatch rows ────────────────── exchange ─────────────────────► rows in global order
 *   expert                                                             forward
 *   combine  outputs  ◄───────────── exchange, reversed ──────────── outputs [C]
 *   loss     loss, d_output, d_weight
 *   return   d_output ────────────── exchange ─────────────────────► backward, update expert
 *   report   loss, d_weight ────────────► gate gradient, update gate
 *
 * One path for every K. For K = 1 target and weight travel with the sample, so the owner takes the loss on the spot and
 * combine and return fall away. For K > 1 a forward pass without memory gives the outputs, the loss is taken at home,
 * and each tile's forward is repeated with the d_output that came back. An evaluation is the same step without
 * backward and updates. All chunks' exchanges are begun as early as can be, move on between tiles, and are
 * waited for one by one.
 *
 * With a gate that is spread (gate.h) every sample goes to every expert: all ranks load (or make) the whole batch, owners
 * score and work, and only outputs and what comes back of them travel (src/train/step_soft.c has the picture).
 *
 * Of a model of several layers, states go through one layer after another, the loss is taken where they end, and gradients come
 * back the same ways (src/train/step_stack.h has the picture); results have each layer's choices.
 *
 * The same bits on any number of ranks and threads: rows of one expert within one chunk are cut into strips of tiles in
 * global order, whose gradients are added to the expert's in that order, whichever thread worked them out; the gate
 * works on the whole batch in position order; every sum over samples is taken in position order. */
#ifndef MOT_STEP_H
#define MOT_STEP_H

#include "mot/batch.h"
#include "mot/choose.h"
#include "mot/exchange.h"
#include "mot/loss.h"
#include "mot/model.h"

/* Of a layer, samples of an evaluation of which is wanted where their first choice looks (expert.h, look): of each, in `value`
 * [places, (depth heads + 1) rows + 1], received and, from depth heads rows on, rollout, and in the end how many rows it has.
 * A rank writes of those alone whose expert it works on. */
typedef struct mot_step_attention {
    const int32_t *place; /* [total]: its place, by position; -1: it is not wanted; NULL: none of this layer is */
    size_t rows;          /* most of a sample */
    float *value;
} mot_step_attention;

typedef struct mot_step_task {
    mot_gidx first;                /* position of the batch's first sample in the stream */
    size_t total;                  /* samples: at most the step's `most` */
    mot_gidx number;               /* steps done before this one: keys the noise */
    const mot_stage_config *stage; /* NULL: evaluation */
    double factor;                 /* on the stage's rates */
    bool careful;                  /* one meeting more: all is agreed to be finite before anything learns */
    int active;  /* experts from this one on are chosen for no sample; 0: none is left out. At least K */
    int frozen;  /* experts below this one stand still */
    bool look;   /* gradients are left where they are (mot_units), and nothing learns */
    /* Of an evaluation: [layers] of [E] experts each, those that are as if they were not there (MOT_LEFT_OUT); NULL, of all or of
     * a layer: none. At least one is there. Not for a spread gate. */
    const bool *const *without;
    const mot_step_attention *attention; /* of an evaluation, [layers]; NULL: of none. Only of kinds that have it */
} mot_step_task;

/* Bytes between ranks for a layer of several: states, outputs and gradients as they went; and what they would have been had
 * each state been sent to its expert from the rank that read the sample, and brought back there, as in a model of one layer.
 * Counted from the choices, over all ranks, and the same on every rank; both 0 in a model of one layer. */
typedef struct mot_layer_bytes {
    double moved, there_and_back;
} mot_layer_bytes;

/* What came out of one layer's gate. All but the arrays said otherwise are the coordinator's, elsewhere NULL. */
typedef struct mot_layer_result {
    mot_balance balance; /* on every rank, as the next */
    double purity;       /* of the first choices */
    size_t choices;      /* K; 0: soft, every sample went to every expert */
    const int32_t *expert;    /* [total, K] */
    const float *prob;        /* [total, K]: softmax probability of the chosen */
    const mot_real *weight;   /* [total, K]: of their outputs */
    const int64_t *load;      /* [E], on every rank */
    const double *importance; /* [E]: sums of probabilities */
    mot_confidence confidence; /* of the gate; NaN: soft */
    const mot_real *score;    /* [total, E]: softmax probabilities of all experts; NULL: soft */
    const mot_real *features; /* [total, F]: what the gate saw; NULL: a text's words, or soft */
    const int32_t *words;     /* [total, T]: ids that it saw of a text, 0 behind the end; NULL: no texts, or soft */
    mot_layer_bytes bytes;    /* on every rank */
} mot_layer_result;

/* Seconds of a rank by what they went to (mot_step_work), and operations of its experts. */
typedef struct mot_rank_work {
    double compute_s, exchange_s, wait_s, expert_flops;
} mot_rank_work;

/* What came out. The scalars, times and loads are the same on every rank; the other arrays are the coordinator's,
 * elsewhere NULL. All are valid until the next step. */
typedef struct mot_step_result {
    double loss, hits, purity; /* mean over the batch; how many are right, NaN where nothing is; of the first choices */
    mot_balance balance;
    double compute_s, exchange_s, wait_s; /* mean over ranks */
    double flops;                         /* of all experts */
    bool stop;                            /* some rank was asked to stop */
    const mot_gidx *sample;               /* [total] */
    const int32_t *label, *group;         /* [total]: class of the target, and group; -1: none */
    const int32_t *predicted;             /* [total]: class; -1: outputs stand for none */
    const bool *right;                    /* [total] */
    const bool *right_unaided;            /* [total]: if heads (loss.h) were not known; NULL everywhere: there are none */
    const double *sample_loss;            /* [total] */
    const int32_t *expert;                /* [total, K]; NULL everywhere: soft, every sample went to every expert */
    const float *prob;                    /* [total, K]: softmax probability of the chosen; NULL likewise */
    const mot_real *weight;               /* [total, K]: of their outputs; NULL likewise */
    const int64_t *load;                  /* [E], on every rank */
    const double *importance;             /* [E]: sums of probabilities */
    const mot_real *output; /* [total, C]: the samples' outputs, combined; NULL unless they are kept */
    const mot_layer_result *layer; /* [layers of the model]; what stands above is of the first */
    const mot_rank_work *rank;     /* [ranks]: from a rank's report of the step before to that of this one */
} mot_step_result;

/* The parts of the picture above. Every moment of a step belongs to exactly one. */
typedef enum mot_phase {
    MOT_PHASE_LOAD,     /* my slice is read, its gate features taken */
    MOT_PHASE_SCORE,    /* coordinator: features in position order, logits */
    MOT_PHASE_CHOOSE,   /* coordinator: top-K and weights */
    MOT_PHASE_DISPATCH, /* plans; rows are packed, sent, and waited for; so is what splits send */
    MOT_PHASE_EXPERT,   /* tokens, forward, backward; K = 1: the loss as well */
    MOT_PHASE_COMBINE,  /* K > 1: outputs go home */
    MOT_PHASE_LOSS,     /* K > 1: outputs are combined, their loss and its gradient taken */
    MOT_PHASE_RETURN,   /* K > 1: gradients of the outputs go to the experts */
    MOT_PHASE_UPDATE,   /* gradients are set to zero, those of tied tensors summed, experts updated */
    MOT_PHASE_REPORT,   /* coordinator: sums over the batch, the gate's gradient and update */
    MOT_PHASE_WAIT, /* the gathers and broadcasts around the coordinator: mostly, waiting for other ranks */
    MOT_PHASES
} mot_phase;

extern const char *const mot_phase_name[MOT_PHASES]; /* "load", "score", ... */

/* Floating point operations and bytes are counted, not measured: what the phase cannot do without (each operand read
 * once, each result written once; of an exchange, what this rank sends, to itself too). docs/performance.md has the
 * formulas. */
typedef struct mot_phase_work {
    double seconds, flops, bytes;
} mot_phase_work;

/* Time and work of this rank since the step was made, evaluations included; expert_s is the sum over its threads. */
typedef struct mot_step_work {
    mot_phase_work phase[MOT_PHASES];
    double compute_s, exchange_s,
        wait_s; /* sums: dispatch, combine and return exchange; wait waits; the rest computes */
    double expert_s, expert_flops; /* within the phase expert: what the expert kind alone did */
    uint64_t sent_bytes;           /* to other ranks */
    mot_layer_bytes layer[MOT_MAX_LAYERS]; /* of all ranks */
} mot_step_work;

typedef struct mot_step mot_step; /* opaque: buffers, plans, exchanges */

/* For batches of up to `most` samples such as `reader` reads (its format is copied; any reader of the same format may
 * be used in a step), with `loss` of their targets, which is copied. groups: 0, or the data's groups, by which the purity of a batch that has groups is then taken. threads: of this rank, at least 1; any number on any rank. Collective; the same status everywhere. */
mot_status mot_step_create(mot_step **step, mot_model *model, const mot_batch_source *reader,
                           const mot_loss *loss, int groups, size_t most, int threads);
void mot_step_destroy(mot_step **step);

/* Makes a step anew for its model, which has other experts than it was made for (mot_model_keep); all else is as before, and
 * time and work go on from what they were. `source` reads such samples as before. On failure *step is NULL. Collective; the
 * same status everywhere. */
mot_status mot_step_renew(mot_step **step, const mot_batch_source *source);

/* As mot_model_catch_up, with the step's threads. A step that learns nothing begins with it. */
void mot_step_catch_up(mot_step *step);

/* Nothing is loaded ahead any more (mot_batch_forget). */
void mot_step_forget(mot_step *step);

/* That it was made with. */
const mot_loss *mot_step_loss(const mot_step *step);

/* From here on results have outputs. Collective; the same status everywhere. */
mot_status mot_step_keep_outputs(mot_step *step);

/* One step. Collective; the same status everywhere. `stop`: this rank was asked to stop. After a failure of
 * MOT_ERR_NUMERIC parameters are undefined: the run goes back to its last checkpoint. Not so with task->careful: nothing
 * has learned then, and of the result load, sample, label, group and expert hold. (Where the gate's own gradient alone is
 * not finite, which is known last, experts have learned and the gate has not.) */
mot_status mot_step_run(mot_step *step, const mot_batch_source *source, const mot_step_task *task, bool stop,
                        mot_step_result *result);

const mot_step_work *mot_step_measure(mot_step *step);

/* Which ranks exchange as one, as route.exchange says. */
const mot_nodes *mot_step_nodes(const mot_step *step);

/* Threads of this rank. */
int mot_step_threads(const mot_step *step);

/* Rows that this rank sent to (home side) and got from (owner side) every rank in the last step's dispatch, itself
 * included: home, owner [ranks]. Combine is the reverse. */
void mot_step_rows(const mot_step *step, size_t *home, size_t *owner);

/* Ranks that this rank's samples of the last batch go to or come from, itself excluded: peer [ranks]. From any thread,
 * while the first one waits within a step: of samples that are just being chosen it tells nothing. */
void mot_step_peers(const mot_step *step, bool *peer);

/* What batches will be of, and how many samples they have: lengths of these texts then bound what they take. Both must stay; `eval`
 * may be NULL. */
void mot_step_expect(mot_step *step, const mot_dataset *train, size_t train_batch, const mot_dataset *eval, size_t eval_batch);

/* Bytes of this rank's workspace (of all its threads, and of its experts' weights as they are prepared once a step); of those weights
 * for one more expert; of what its batches and exchanges will hold beyond what it holds now, if rows are spread evenly, and of texts
 * if as many of the longest come together as ever may; of what it holds and will never touch; with route.split, of experts that it
 * helps and of gradients that come back: at most, about, and so far; of a row in dispatch, and of one in combine and return (K > 1).
 * most_rows counts rows. own_lengths: rows of dispatch have lengths of their own, of which dispatch_row is the longest, and
 * `dispatched` bytes set out here in the last step. */
typedef struct mot_step_size {
    size_t workspace, prepared, exchange, idle, guests_most, guests, dispatch_row, output_row, most_rows, dispatched;
    bool own_lengths;
} mot_step_size;
mot_step_size mot_step_bytes(const mot_step *step);
/* The most that so many rows take in dispatch. */
size_t mot_step_dispatch_bytes(const mot_step *step, size_t rows);

#endif
