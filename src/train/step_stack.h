/* step_stack.h: a step through a model of several layers. Included by step*.c alone.
 *
 *      home ─► embed ─► dense ─┐ gather, choose                       ┌─► head ─► loss, where the samples are
 *                              └─► hop to the experts ─► work ─► hop ─► work ─┘
 *      home ◄─ embed ◄─ dense ◄─── hop back ◄─ work again ◄─ hop back ◄─ work again ◄─ d_state
 *
 * A state is a sample's rows [tokens, D]. With K = 1 it goes straight from the rank of one expert to that of the next, its target
 * with it, and the loss is taken where it ends; with K > 1 outputs come back to where the states came from, and are combined
 * there. On the way back gradients take the same plans in reverse. Where K = 1 and the head comes next, each tile turns round at
 * once: forward, loss, backward.
 *
 * The same bits on any number of ranks: a stand is the samples that are at this rank between two hops, in groups that are alike
 * on any number of ranks, at home a grain of positions, behind a hop an expert's rows of one chunk in global order. Groups are
 * cut into strips. An expert adds the gradients of its strips in their order; what all ranks hold alike sums them exactly
 * (mot_exact_sum). */
#ifndef MOT_STEP_STACK_H
#define MOT_STEP_STACK_H

#include "mot/stack_kinds.h"
#include "step_private.h"

/* A state on its way: | head, target | rows [tokens, D] |. */
typedef struct stack_head {
    uint32_t position, choice, rows;
    mot_real weight;
    unsigned char target[];
} stack_head;

/* A layer's choice of a sample, on its way to the coordinator. */
typedef struct stack_report {
    uint32_t position, choice;
    mot_real d_weight;
} stack_report;

/* The samples that are here between two hops. */
typedef struct stack_stand {
    size_t count, groups;
    uint32_t *position;    /* [count] */
    uint32_t *place;       /* [B]: which of the samples here stands at a position */
    size_t *first;         /* [count + 1]: rows before each */
    size_t *group_first;   /* [groups + 1] */
    unsigned char *target; /* [count, target_bytes] */
    mot_real *weight;      /* [count]: behind a hop, of the expert that it went to */
    void **slot;           /* [count]: likewise; where its row goes back from */
    mot_real *d;           /* [rows, D]: gradient by the state */
    size_t room, row_room, group_room;
} stack_stand;

/* Consecutive samples of one group: who works on them, and when, cannot be seen in the bits. */
typedef struct stack_strip {
    size_t group, first, count; /* places in the stand */
    size_t turn;                /* strips of the same expert before it; of what all hold alike: strips here before it */
    size_t tile, arena;         /* the first of its tiles; where its arena begins */
} stack_strip;

/* One entry of the model's flow, in this step; or an expert that is shared, of the one that it stands beside. */
typedef struct stack_stage stack_stage;
struct stack_stage {
    mot_layer_role role;
    const mot_expert_kind *kind;
    const mot_expert_shape *shape;
    const mot_table *table;
    mot_dense *dense;   /* of embed, dense, head */
    stack_stage *of;    /* of a shared expert: the layer that it is of */
    step_layer *layer;  /* of experts, as what follows */
    bool residual, back; /* back: in this step rows go back as well */
    bool keeps;          /* in learning, what forward keeps waits for the way back */
    bool turns;          /* of experts, one a sample, before the head: a tile goes to the loss and back while it is in the cache */
    stack_stage *shared; /* [shareds] */
    int shareds;
    mot_real *past; /* [rows where y is made, D]: with shared experts, d of x by them all */
    size_t past_size;
    int *held;           /* [B]: of experts: the rank that each sample came from, in this step */
    stack_stand *here, *there; /* where states come from, and where they are worked on: the same but for experts */
    stack_stand owned;         /* that of `there`, of experts */
    size_t tile, strip_rows;   /* samples of a full one */
    step_prepared prepared;    /* local experts; or what all hold alike */
    const mot_real *in;  /* [rows there, D]: what it works on; of experts owned */
    mot_real *in_room, *given, *out; /* what is owned of it; of experts f [rows there, D]; the state behind it */
    size_t in_size, given_size, out_size;
    stack_strip *strip;
    size_t strips, strip_room, tiles;
    size_t *relative; /* [count + tiles]: of each tile, rows before each of its samples, and all */
    void **kept;      /* [tiles] */
    size_t relative_room, kept_room;
    unsigned char *arena; /* activations that wait for the way back */
    size_t arena_room;
    mot_real *term; /* [strips, table->count]: gradients of what all hold alike */
    uint64_t *met; /* [strips, size]: the words of each, where the table has words (met.h) */
    size_t term_room;
    stack_report *report; /* of experts: [rows] */
    size_t reports, report_room;
    size_t feature_bytes; /* of a sample's record for the gate */
    unsigned char *feature, *features; /* [count of here, feature_bytes]; the root: of the batch, by rank */
    size_t feature_room;
    uint32_t *order;      /* [B], the root: the position of each of those */
    mot_real *d_features; /* of a gate that sees states: [B, F] by rank at the root; [count of here, F] */
    size_t d_room;
    MPI_Datatype feature_type, report_type, row_type;
    stack_report *all_reports; /* [B * K], the root */
};

typedef struct stack_worker {
    mot_arena arena;
    strip_prepared before;
    size_t *first;
    mot_real *x, *out, *d; /* tokens of a tile; outputs [samples, C], or states [rows, D]; gradients, likewise */
    int32_t *id;
    mot_real *sum, **row, **head_row; /* a strip's gradient, as one block of a table; rows of the head's */
    double busy_s, flops;
} stack_worker;

struct step_stack {
    size_t D, most_rows; /* numbers of a row; rows of the longest sample */
    size_t grain;        /* positions that stay together at home */
    stack_stand home;
    stack_stage *stage; /* [flows] */
    int stages;
    stack_worker *worker; /* [threads] */
    int *holder;          /* [B]: the rank that has each sample, as the flow goes on */
    int *count;           /* [4 * ranks] */
    uint64_t *met;        /* the words at home in this batch; NULL: the embedding has none */
    size_t *turn;         /* [most experts + 1]: while strips are cut */
    int workers;
    bool recompute;
};

/* Whose weights a stage works with on this rank. */
static inline size_t stack_units(const stack_stage *stage)
{
    return stage->layer != NULL ? (size_t)stage->layer->of->local : 1;
}

/* Of a strip's gradient: the words that it met. NULL: the table has none. */
static inline uint64_t *mot_stack_met(const stack_stage *stage, size_t strip)
{
    return stage->met != NULL ? stage->met + strip * mot_met_size(mot_table_vocabulary(stage->table)) : NULL;
}

/* step_stack_memory.c */
/* The samples at home in this batch; room in a stand for so many samples, rows and groups; strips of what a stage works on, and
 * room for what comes of it, and of those behind it up to the next with experts, so that ranks agree once a hop. All are this
 * rank's own. */
mot_status mot_stack_home(mot_step *step);
mot_status mot_stack_stand(const mot_step *step, stack_stand *stand, size_t count, size_t rows, size_t groups);
mot_status mot_stack_room(mot_step *step, stack_stage *stage, bool learn);

/* step_words.c: room for a gradient of each strip; one of a table of words is zero but for rows that it met, from the first on. */
mot_status mot_stack_terms(stack_stage *stage);

/* step_stack_size.c: whether what is kept of a stage could wait for the way back; bytes of activations that wait for the way back, of a batch that is spread evenly. */
bool mot_stack_waits(const stack_stage *stage);
size_t mot_stack_activations(const mot_step *step);

/* step_stack_work.c: forward over the strips [from, to) of a stage; backward; the head's loss, and its gradient. Of a stage that
 * turns, forward in learning is all three. */
void mot_stack_forward(mot_step *step, stack_stage *stage, size_t from, size_t to, bool learn);
void mot_stack_backward(mot_step *step, stack_stage *stage, size_t from, size_t to);
void mot_stack_loss(mot_step *step, stack_stage *stage, bool learn);

/* step_stack_route.c: states hop to the experts of a layer, and are there or back with what experts made of them; gradients the
 * other way. Collective; the same status everywhere. */
mot_status mot_stack_hop(mot_step *step, stack_stage *stage, const mot_step_task *task, bool learn);
void mot_stack_hop_back(mot_step *step, stack_stage *stage, const mot_step_task *task);

/* step_stack_shared.c: the shared experts of a layer. Of one of them and a tile, whose numbers begin at `at`: where it puts
 * what it gives; that is added to y, and its d of x in worker->d to that of the others. */
mot_status mot_stack_shared_create(const mot_step *step, stack_stage *stage);
mot_real *mot_stack_shared_out(const stack_stage *stage, stack_worker *worker, size_t at);
void mot_stack_shared_add(const stack_stage *stage, const stack_worker *worker, size_t at, size_t numbers);
void mot_stack_shared_add_back(const stack_stage *stage, const stack_worker *worker, size_t at, size_t numbers);

/* Numbers of a state, or of its gradient, as they lie in a row on its way to or from a layer; and back: where they lie, or in
 * `room` where they travel rounded. */
static inline void stack_pack(const stack_stage *stage, const mot_real *numbers, size_t count, void *row)
{
    mot_payload_pack(stage->layer->wire.outputs, count, numbers, row);
}
static inline const mot_real *stack_unpack(const stack_stage *stage, const void *row, size_t count, mot_real *room)
{
    if (stage->layer->wire.outputs == MOT_PAYLOAD_FP32) return row;
    mot_payload_unpack(stage->layer->wire.outputs, count, row, room);
    return room;
}

/* Where a layer's outputs are made, and go on from. */
static inline stack_stand *stack_behind(const stack_stage *stage)
{
    return stage->layer != NULL && stage->layer->K > 1 ? stage->here : stage->there;
}

static inline size_t stack_rows(const stack_stand *stand, size_t sample)
{
    return stand->first[sample + 1] - stand->first[sample];
}

#endif
