/* step_private.h: what the parts of a step share. Included by src/train/step*.c alone. */
#ifndef MOT_STEP_PRIVATE_H
#define MOT_STEP_PRIVATE_H

#include <assert.h>
#include <string.h>

#include "mot/clock.h"
#include "mot/step.h"
#include "mot/threads.h"
#include "mot/watch.h"

/* A row on its way to an expert: | head, target | sample |, each of which begins at a multiple of 16 bytes. */
typedef struct row_head {
    uint32_t position; /* in the batch */
    uint32_t choice;   /* 0 .. K-1 */
    mot_real weight;
    unsigned char target[];
} row_head;

/* Bits: whether the outputs are right, and whether they would be if the sample's head were not known. */
typedef enum report_right { REPORT_RIGHT = 1, REPORT_UNAIDED = 2 } report_right;

/* What goes back to the coordinator of each (sample, choice). */
typedef struct choice_report {
    uint32_t position;
    uint16_t choice, right; /* right: bits of report_right */
    int32_t predicted;      /* class; -1: outputs stand for none */
    mot_real d_weight;      /* of the sample's loss by its weight */
    double loss;            /* counted for choice 0 */
} choice_report;

/* What every rank tells the coordinator before and after the experts' work. */
typedef struct rank_note {
    int32_t status, stop;
    int64_t units;      /* of its notes (mot_batch_note_units) */
    mot_rank_work work; /* so far: a step's figures are differences, and no moment is left out */
} rank_note;

/* What the coordinator tells every rank at the end. */
typedef struct step_verdict {
    int32_t status, stop;
    double loss, hits, purity[MOT_MAX_LAYERS];
    mot_balance balance[MOT_MAX_LAYERS];
    double compute_s, exchange_s, wait_s, flops;
} step_verdict;

/* One chunk of the batch: its plan and what is in flight. */
typedef struct step_chunk {
    mot_plan plan;
    mot_split split;                /* route.split: what the plan was built with */
    mot_exchange dispatch, outputs; /* rows of row_bytes; rows of out_bytes, which are outputs, then their
                                       gradients (K > 1) */
} step_chunk;

/* Rows [first, first + rows) of the chunk's owner order by expert: a strip, or a tile where nothing is learned. */
typedef struct step_strip {
    size_t group;       /* of the plan: a local expert, or a guest */
    size_t first, rows; /* places in plan->row */
    size_t turn;        /* strips before it, in this step: the expert's; of a guest, those done here */
} step_strip;

/* Experts of other ranks that this rank helps in this step, and what travels for it; all empty without route.split. */
typedef struct step_split {
    bool on;
    int *slot, *guest; /* [E]: slot of a guest, or -1; [guests]: expert in a slot, ascending */
    bool *sent;        /* [ranks] */
    size_t guests;
    mot_real *value;         /* [guests, own_table.count] */
    const mot_real **weight; /* [guests * table.rows] */
    mot_real *done;          /* [strips, table.count]: gradients of guests' strips */
    mot_real *back;          /* [strips, table.count]: of local experts', from helpers */
    const step_chunk *owing; /* the chunk whose strips come back; NULL: none */
    MPI_Request *request;
    int requests; /* in flight */
    MPI_Datatype unit;
    uint64_t sent_bytes;
    size_t value_room, weight_room, done_room, back_room, request_room;
} step_split;

/* Weights that a thread prepared for the strip before, at the front of its arena. */
typedef struct strip_prepared {
    const void *made; /* NULL: none */
    size_t unit;      /* whose */
} strip_prepared;

/* What one thread needs to work on a strip. */
typedef struct step_worker {
    mot_arena arena;
    strip_prepared before;
    size_t *first; /* [tile + 1] */
    mot_real *x, *out, *d_out;
    mot_real *sample; /* [format.bytes]: one that travelled as bf16 */
    int32_t *id;
    const row_head **head; /* [tile]: of rows as they arrived */
    mot_real *combined; /* [C] */
    mot_real *sum;      /* a strip's gradient, as one block of the expert's table */
    mot_real **row;     /* [table.rows], into it, or into a guest's */
    uint64_t *met;      /* words of the strip, where sum has any */
    double busy_s, flops;
} step_worker;

/* The coordinator's arrays, [B] unless said. */
typedef struct coordinator {
    unsigned char *gathered; /* [B, note_bytes] in rank order */
    int *counts, *places;    /* [ranks] */
    size_t noted;            /* bytes of all notes of a step */
    mot_gidx *sample;
    int32_t *label, *group, *predicted; /* label: class of the target */
    bool *right, *unaided; /* unaided: without the head; NULL: there are none */
    double *loss;
    choice_report *report;            /* [B * K] */
    mot_real *report_output, *output; /* [B * K, C], in the same order; [B, C]; NULL: not kept */
    int *reporter;                    /* [B * K]: the rank that reports each (sample, choice) */
    rank_note *rank;                  /* [ranks] */
    mot_rank_work *before, *done;     /* [ranks]: when they last reported; in the step since then */
    int64_t *table;                   /* [E, classes or groups]: for purity */
} coordinator;

/* Types of what is gathered. */
typedef struct step_types {
    MPI_Datatype note, report, output;
} step_types;

/* ---- a layer of experts ---- */

/* How rows lie while they travel. */
typedef struct layer_wire {
    mot_payload outputs;
    mot_payload samples; /* fp32 stands for as they are */
    size_t head_bytes;   /* of a row before the sample: its head and target */
    size_t row_bytes, output_bytes; /* with the sample, the longest; of the numbers that an expert gives */
    bool own_lengths;               /* rows of texts, each as long as it is */
} layer_wire;

/* One message from the coordinator to all: status, experts, weights, lengths. */
typedef struct layer_choices {
    unsigned char *message;
    size_t bytes;
    int32_t *status;  /* into the message, as those that follow */
    int32_t *expert;  /* [B, K] */
    mot_real *weight; /* [B, K] */
    uint32_t *units;  /* [B]: of a sample's row, where rows have their own lengths; else NULL */
} layer_choices;

/* The coordinator's arrays of a layer. */
typedef struct layer_root {
    mot_real *g;           /* [B, F] */
    int32_t *id;           /* [B, tokens] */
    mot_real *d_g;         /* [B, F], of a gate that sees a state; else NULL */
    mot_real *h, *p, *d_h; /* [B, E] */
    mot_real *kept;        /* the gate's */
    mot_real *d_weight;    /* [B, K] */
    float *prob;           /* [B, K] */
    double *importance;    /* [E] */
    uint64_t *met;         /* of a gate of words: those of the batch */
    mot_confidence confidence, sure; /* of the step, once it is known that it is right; as choosing found it */
} layer_root;

/* Experts' weights as their kind wants them for many tiles (mot_expert_kind.prepare), made once a step and read by all threads, where
 * products are in bf16; empty elsewhere. They live while the step works, before the update, and nothing else changes weights in
 * between: so who does, whatever it is, need not know of them. */
typedef struct prepared_unit {
    const mot_real *const *weight; /* NULL: not wanted in this step */
    const void *made;
    double seconds;
} prepared_unit;

typedef struct step_prepared {
    const mot_expert_kind *kind;
    const mot_expert_shape *shape;
    bool learn;
    size_t bytes; /* of one; 0: they are made strip by strip, in the thread's arena */
    unsigned char *block; /* [units, bytes] */
    prepared_unit *unit;
    size_t *due; /* units that are wanted and not made yet */
    size_t units, dues;
    size_t room, created; /* bytes: of block; of it from the beginning */
    size_t unit_room, due_room;
} step_prepared;

/* Where a layer's samples go and come back from, in a step. */
typedef struct step_layer {
    mot_layer *of;
    size_t K;           /* choices of a sample; 0: soft, there is nothing to choose */
    size_t tile, strip; /* samples of a full one */
    layer_wire wire;
    layer_choices choices;
    step_chunk *chunk; /* [chunks] */
    size_t *added;     /* [E], local experts: strips of this step, added to the expert's gradient */
    int64_t *load;     /* [E]: rows of each expert in this step, over all ranks */
    step_prepared prepared; /* local experts, then guests; of one layer alone */
    layer_root root;   /* arrays on the root alone */
    double z_loss;  /* on the root, of a way back through several layers */
    mot_layer_bytes bytes; /* of this step, through several layers */
} step_layer;

/* What threads share out. */
typedef struct step_strips {
    step_strip *strip; /* of the chunk at hand; room for every tile of a batch */
    size_t count, room;
} step_strips;

/* What this rank reports, in any order. */
typedef struct step_reports {
    choice_report *report;
    mot_real *output; /* [room, C]: outputs of the same samples; NULL: not kept */
    size_t count, room;
} step_reports;

/* Soft routing by a spread gate (step_soft.c); off where the gate chooses. Arrays lie in one block. */
typedef struct step_soft {
    bool on, coupled;   /* coupled: see mot_gate_kind */
    bool plain;         /* samples are read where the batch has them: numbers of one token, as they are */
    bool learns;        /* experts do, in the step that runs */
    size_t there, back; /* numbers that go home of a (sample, expert), that come back of a sample */
    mot_real *block;
    size_t room;
    mot_real *unit, *mine;     /* [E, F], [local, F]: directions of the gate */
    mot_real *raw, *all_raw;   /* [local, F]; root: [E, F] by rank: gradients by them */
    mot_real *h, *f;           /* [local, most], [local, most, C]: scores, or p at once where not coupled; outputs */
    mot_real *keep;            /* [local, most, kept of a team] */
    mot_real *sent, *got;      /* [local, most, there] by home; [E, samples of this rank, there] by owner */
    mot_real *combined, *sum;  /* [samples of this rank, C]; their log sum exp h */
    mot_real *said, *heard;    /* [samples of this rank, back]; [most, back] */
    int *count;                /* [4 * ranks] */
    uint64_t sent_bytes;
} step_soft;

/* Of the rank that read the samples, where K > 1. */
typedef struct step_home {
    uint32_t *row; /* [B * K]: the row of (sample of the chunk, choice) in home order */
    mot_real *combined, *d_combined, *output; /* [C] */
} step_home;

typedef struct step_stack step_stack; /* step_stack.h */

struct mot_step {
    mot_model *model;
    const mot_comm *comm;
    mot_sample_format format;
    mot_token_shape shape;
    mot_loss loss;
    size_t patch, most, C, chunks;
    struct {
        const mot_dataset *of;
        size_t batch;
    } comes[2]; /* what batches are of, so far as it is known, and their samples */
    size_t reported; /* reports of a sample */
    int groups;
    mot_part_set learns; /* in the step that runs */
    const mot_step_attention *attention; /* likewise */
    mot_batch batch;
    mot_nodes nodes;   /* ranks that exchange as one */
    step_layer *layer; /* [model->layers] */
    step_types types;
    mot_threads *threads;
    step_worker *worker; /* [threads] */
    step_strips strips;
    const mot_unit **due; /* [units]: those that learn in this step, `dues` of them */
    mot_status *updated;  /* [units]: how that went */
    size_t dues;
    step_split split;
    step_reports reports;
    step_home home;
    step_soft soft;
    step_stack *stack;        /* NULL: one layer */
    mot_layer_result *result; /* [model->layers] */
    coordinator root; /* arrays on the root alone */
    mot_step_work work;
    double progress_s; /* when mot_step_progress last asked MPI */
    bool stop;         /* some rank was asked to stop; known on the root */
};

/* step_route.c: score and choose. Returns the same status everywhere; `status` is this rank's so far. */
mot_status mot_step_choose(mot_step *step, const mot_step_task *task, mot_status status, bool stop);
/* step_layer.c: memory of a layer, whose sizes stand in it. */
mot_status mot_step_layer_create(mot_step *step, step_layer *layer);
void mot_step_layer_free(const mot_step *step, step_layer *layer);
/* step_gate.c, on the root: what a gate is told of the sample at a position (mot_gate_describe); the batch's choices as src/model
 * wants them; and from features to choices. */
void mot_layer_take_features(const step_layer *layer, size_t position, const void *numbers, size_t count);
mot_choice_batch mot_layer_choice(const mot_step *step, const step_layer *layer, const mot_step_task *task);
void mot_layer_score(mot_step *step, const step_layer *layer, const mot_step_task *task);
void mot_layer_choose(const mot_step *step, step_layer *layer, const mot_step_task *task);
/* step_route.c: every rank's notes go to the root, which knows from what ranks have told it how many they are; there, from where they
 * lie rank by rank, into position order. */
void mot_step_gather_notes(mot_step *step);
void mot_step_spread_notes(mot_step *step);
/* step_route.c, on the root: counts and places of a gather in which rank r gives a row for every owner[] that is r. */
void mot_step_count_rows(mot_step *step, size_t rows, const int *owner);
/* What stage and layer say of choosing; an evaluation explores nothing, and a look what its stage says. */
static inline mot_route_config mot_layer_routing(const step_layer *layer, const mot_step_task *task)
{
    mot_route_config route = *layer->of->route;
    if (task->stage == NULL)
        route.explore = (mot_exploration){.noise = MOT_NOISE_NONE};
    else
        route.explore = task->look ? task->stage->explore : mot_explore(layer->of->route, &task->stage->explore);
    return route;
}
/* step_gate.c, on the root, when the batch is done: sums of probabilities, those of the chosen, and how sure the gate is; the Switch
 * loss, when these sums are known; the gate's gradient, with d_weight times `share`, and the z-loss, which is returned; and the gate
 * learns. */
void mot_layer_importance(const mot_step *step, step_layer *layer);
double mot_layer_switch_loss(const mot_step *step, const step_layer *layer, const mot_step_task *task);
double mot_layer_gate_gradient(const mot_step *step, const step_layer *layer, const mot_step_task *task, mot_real share);
mot_status mot_layer_learn_gate(const mot_step *step, const step_layer *layer, const mot_step_task *task);
/* step_layer.c: where the rows of a chunk that came from here lie in home order: step->home.row. */
void mot_layer_find_rows(mot_step *step, const step_layer *layer, const step_chunk *chunk);
/* step_layer.c: room for the rows of all chunks' plans, once every rank is known to have built its own: `status` is this rank's.
 * `back`: outputs travel as well. Collective; the same status everywhere. */
mot_status mot_layer_make_room(const mot_step *step, step_layer *layer, bool back, mot_status status);
/* step_route.c: builds the plans and begins all dispatches. */
mot_status mot_step_dispatch(mot_step *step);
/* A sample that is worked on where it was read stays in the batch, unless numbers that travel are rounded: of its row only the head
 * is written. */
static inline bool mot_step_stays(const mot_step *step)
{
    return step->layer->wire.samples == MOT_PAYLOAD_FP32;
}
/* The sample of an owner's row, as it travelled. */
static inline const unsigned char *mot_step_row_sample(const mot_step *step, const step_chunk *chunk, size_t row)
{
    const mot_plan *plan = &chunk->plan;
    const unsigned char *there = mot_exchange_owner(&chunk->dispatch, plan, row);
    const size_t *own = plan->owner_first + plan->rank;
    if (row < own[0] || row >= own[1] || !mot_step_stays(step)) return there + step->layer->wire.head_bytes;
    const row_head *head = (const row_head *)(const void *)there;
    return mot_batch_sample(&step->batch, head->position);
}
/* step_route.c: called between tiles, on the thread that talks MPI: what is in flight moves on. Most calls return at
 * once. */
void mot_step_progress(mot_step *step);
/* step_expert.c: what an expert does with the rows of one chunk. */
typedef enum expert_work {
    WORK_OUTPUTS,     /* forward; outputs into the rows of chunk->outputs */
    WORK_LOSS,        /* forward, loss on the spot: reports */
    WORK_LEARN,       /* the same, and backward */
    WORK_LEARN_AGAIN, /* forward, and backward with the d_output that came back in them */
} expert_work;
void mot_step_experts(mot_step *step, step_chunk *chunk, expert_work work);
/* step_prepared.c. Bytes that prepared weights take of a thread's arena; and once a step, of an expert: one of them is 0. */
size_t mot_prepared_of_strip(const mot_expert_kind *kind, const mot_expert_shape *shape);
size_t mot_prepared_of_step(const mot_expert_kind *kind, const mot_expert_shape *shape);
/* Room for so many units from the beginning. In each step: room for them, none of which is made; `learn`: for backward too. This rank's
 * own. */
mot_status mot_prepared_create(step_prepared *prepared, const mot_expert_kind *kind, const mot_expert_shape *shape, size_t units);
void mot_prepared_free(step_prepared *prepared);
mot_status mot_prepared_begin(step_prepared *prepared, size_t units, bool learn);
/* Unit is worked on; those that have not been in this step are made, by all threads: seconds of all of them. */
void mot_prepared_want(step_prepared *prepared, size_t unit, const mot_real *const *weight);
double mot_prepared_make(step_prepared *prepared, mot_threads *threads);
/* For a strip, of a unit that is worked on in so many tiles: made once a step, or in the thread's arena, which has nothing else in it,
 * if the strip before was not of the same unit. NULL: each tile makes its own. Who works next with other weights forgets them. */
const void *mot_prepared_for(const step_prepared *prepared, strip_prepared *before, mot_arena *arena, const mot_real *const *weight,
                             size_t unit, size_t tiles, bool learn);
void mot_prepared_forget(strip_prepared *before, mot_arena *arena);
/* NULL: not once a step. */
static inline const void *mot_prepared_at(const step_prepared *prepared, size_t unit)
{
    return prepared->bytes > 0 ? prepared->unit[unit].made : NULL;
}
/* step_look.c: where an expert of a layer looks, of sample s of a tile, which stands at this position of the batch and has it as
 * its first choice, if that is wanted; `out`: room for what it gives of a sample. */
void mot_step_look(const mot_step *step, const step_layer *layer, const mot_real *const *weight, const mot_tile *tile,
                   size_t s, size_t position, mot_arena *arena, mot_real *out);
/* Bytes that are there of it: as it is stored, and of a text what its row is filled up with, unless it stays. */
static inline size_t mot_step_row_bytes(const mot_step *step, const step_chunk *chunk, size_t row)
{
    const step_layer *layer = step->layer;
    const size_t *own = chunk->plan.owner_first + step->comm->rank;
    if (layer->choices.units == NULL) return step->format.bytes;
    const size_t p = mot_chunk_first(&step->batch, (size_t)(chunk - layer->chunk)) + (size_t)chunk->plan.owner_sample[row];
    if (row >= own[0] && row < own[1] && mot_step_stays(step)) return mot_batch_sample_bytes(&step->batch, p);
    return layer->choices.units[p] * (size_t)MOT_UNIT_BYTES - layer->wire.head_bytes;
}

/* step_words.c: before experts work on a chunk in learning: they note the words that they meet, and rows of these catch up; and rows
 * of a unit's words that were met (NULL: of all). */
void mot_step_meet_words(mot_step *step, const step_chunk *chunk);
void mot_step_catch_up_met(mot_step *step, mot_params *params, const uint64_t *met);
/* step_update.c: adds a strip's gradient, a block of the expert's table, to a local expert's; `met`: its words, NULL: those
 * whose rows have numbers. The strip's turn must have come (layer->added), which the caller then counts. */
void mot_step_add_strip(const mot_step *step, const step_layer *layer, size_t local, const mot_real *strip,
                        const uint64_t *met);
/* step_split.c: all do nothing without route.split. Prepare: after the plans; the caller agrees on the status. Begin:
 * weights set out. Settle: everything in flight has arrived, and strips that came back are added. Expect and return:
 * gradients of the chunk's strips, at their owner and at the helper. */
mot_status mot_step_split_create(mot_step *step);
void mot_step_split_destroy(step_split *split);
mot_status mot_step_split_prepare(mot_step *step);
void mot_step_split_begin(mot_step *step);
/* Bytes of guests and gradients: at most, about; and now. */
size_t mot_step_split_most(const mot_step *step);
size_t mot_step_split_held(const mot_step *step);
/* Waiting counts as dispatch; `phase`: whose time it would be otherwise. */
void mot_step_split_settle(mot_step *step, mot_phase phase);
void mot_step_split_expect(mot_step *step, const step_chunk *chunk);
void mot_step_split_return(mot_step *step, const step_chunk *chunk);
/* step_update.c: before the experts' work, and after it: gradients become zero; all units but the gate learn. */
void mot_step_zero(mot_step *step);
mot_status mot_step_update(mot_step *step, const mot_step_task *task);
/* One unit takes the update of its role. */
mot_status mot_step_learn(const mot_step_task *task, const mot_unit *unit);
/* step_home.c: K > 1: combines the outputs that came home, takes the loss, and leaves d_output in
 * their place. */
void mot_step_combine(mot_step *step, size_t c);
/* step_soft.c: a spread gate's step in place of dispatch and work. Create: nothing where the gate chooses. Prepare: for the
 * experts that are here now; its status is this rank's own. Notes: of the whole batch, on the root. */
mot_status mot_step_soft_create(mot_step *step);
void mot_step_soft_destroy(step_soft *soft);
mot_status mot_step_soft_prepare(mot_step *step);
void mot_step_soft_notes(mot_step *step);
void mot_step_soft_work(mot_step *step, const mot_step_task *task);
/* step_soft_tiles.c: scores and outputs of this rank's experts, and their gradients, and those by the gate's directions where it
 * learns, from what came back. And bytes of a thread's arena for a tile of so many experts. */
void mot_step_soft_forward(mot_step *step);
void mot_step_soft_backward(mot_step *step, bool gate);
size_t mot_step_soft_tile_bytes(const mot_step *step, size_t local);
/* step_soft_home.c, collective but for the losses: the gate's directions; outputs go home; losses of the samples that are at home
 * here; what follows from them for the experts; gradients by the directions become the gate's. */
void mot_step_soft_directions(mot_step *step);
void mot_step_soft_combine(mot_step *step);
void mot_step_soft_losses(mot_step *step);
void mot_step_soft_return(mot_step *step);
void mot_step_soft_give_gate(mot_step *step);
/* step_stack*.c: several layers. Create and destroy; everything of a step up to the update, status as mot_step_choose; and sums
 * of the gradients of what all ranks hold alike. Collective. */
mot_status mot_stack_create(mot_step *step, int threads);
void mot_stack_destroy(mot_step *step);
mot_status mot_stack_step(mot_step *step, const mot_step_task *task, mot_status status, bool stop, bool learn);
void mot_stack_sum(mot_step *step);
/* Positions that stay together at home; bytes, as mot_step_bytes. */
size_t mot_stack_grain(const mot_step *step);
mot_step_size mot_stack_bytes(const mot_step *step);
/* The rank that has each sample at the end [B]. */
const int *mot_stack_holder(const mot_step *step);
/* step_report.c: gathers the reports, updates the gate, and tells everybody. */
mot_status mot_step_report(mot_step *step, const mot_step_task *task, mot_status status,
                           mot_step_result *result);

/* What is reported of a sample's combined outputs [C] alone, the rest is 0; and their gradient d_output [C]. */
static inline choice_report mot_step_judge(const mot_step *step, const mot_real *output, const void *target,
                                           mot_real *d_output)
{
    const mot_loss *loss = &step->loss;
    const mot_loss_kind *kind = loss->kind;
    mot_loss unaided = *loss;
    choice_report report = {.loss = kind->value(loss, output, target, d_output),
                            .predicted = mot_loss_predicted(loss, output, target)};
    unaided.head = NULL;
    if (kind->right != NULL && kind->right(loss, output, target)) report.right = REPORT_RIGHT;
    if (loss->head != NULL && kind->right(&unaided, output, target)) report.right |= REPORT_UNAIDED;
    return report;
}

/* The next report of this rank. */
static inline choice_report *mot_step_next_report(mot_step *step)
{
    assert(step->reports.count < step->reports.room);
    return &step->reports.report[step->reports.count++];
}
/* Keeps the outputs [C] of the sample of a report, where they are kept. */
static inline void mot_step_keep_output(const mot_step *step, const choice_report *report,
                                        const mot_real *output)
{
    if (step->reports.output == NULL) return;
    memcpy(step->reports.output + (size_t)(report - step->reports.report) * step->C, output,
           step->C * sizeof *output);
}

/* step_work.c: this rank's sums so far. */
mot_rank_work mot_step_sums(const mot_step *step);
/* step_work.c: adds what the step that is about to be reported did: operations and bytes of every phase. */
void mot_step_count_work(mot_step *step, const mot_step_task *task);

/* A phase begins; and, within it, waiting for the rows of other ranks. */
static inline void enter(mot_phase phase)
{
    mot_watch_phase(mot_phase_name[phase]);
}

static inline void enter_exchange(mot_phase phase)
{
    enter(phase);
    mot_watch_wait(MOT_WATCH_PEERS);
}

/* Adds the time since `*since` to a phase, and sets `*since` to now. */
static inline void lap(mot_step *step, mot_phase phase, double *since)
{
    const double now = mot_clock_s();
    step->work.phase[phase].seconds += now - *since;
    *since = now;
}

/* A meeting around the coordinator: it waits for all, and all for it. */
static inline void enter_meeting(const mot_step *step, mot_phase phase)
{
    enter(phase);
    mot_watch_wait(step->comm->rank == MOT_ROOT ? MOT_WATCH_ALL : MOT_ROOT);
}

#endif
