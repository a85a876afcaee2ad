/* gate.h: scores all samples of a batch for all experts. Runs on the coordinator alone, over the whole batch at once,
 * so its sums do not depend on the number of ranks.
 *
 * The gate sees a sample X through one vector g: the sum or the mean of its tokens (Li et al., arXiv 2510.27004: the
 * sum), or all its numbers side by side. A text's token is one-hot in the vocabulary, so the sum or mean is a bag of
 * words and the product with it a sum of table rows.
 *      linear   h = g Theta                                 Theta [F, E]
 *      mlp      h = gelu(g W + b) Theta + c                 W [F, H], Theta [H, E]
 *      fixed    sample of group (or label: gate.told) n goes to expert n % E, its choices n, n+1, ... (mod E)
 *      random   choices drawn anew for every step
 *      even     experts in turn
 *      classes  z = g W + b, h_i = log sum_{u of i} exp z_u         W [F, C P]; prototypes u are dealt to experts: below
 *      sigmoid  h_i = g v_i / |v_i|, p_i = 1 / (1 + exp(-h_i))     v [F, E]; every sample goes to every expert
 *      softmax  the same, p = softmax(h)
 * fixed, random and even are controls, which learn nothing: what routing by the truth, by nothing, and without any imbalance would
 * give. Their h is 0, so that they differ from a gate that learns in their choices alone.
 *
 * One of `classes` learns from labels besides: a class has P prototypes (gate.prototypes), and the loss is
 * log sum_u exp z_u - log sum_{u of the class} exp z_u, the cross-entropy; so p_i is the probability it has for the prototypes
 * of expert i. Until they are dealt all are the first expert's; then those that it confuses go together (partition.h, by the
 * probabilities that it gave to each prototype's samples in about the last hundred batches; a sample is of its class's prototypes by their
 * probabilities among themselves), so that what it cannot tell apart need not be told apart by it, and each expert has few
 * classes. A class that several sources share may go to several experts, a prototype to each. (Label trees: Bengio, Weston and
 * Grangier 2010; experts over confused classes: Yan et al. 2015, arXiv 1410.0736.)
 *
 * The last two are spread (Liao and Kyrillidis, arXiv 2510.07205): nothing is to be chosen, so the coordinator, whose the
 * parameters are, sends each expert's owner the direction v_i / |v_i|, owners score the rows that they have, and what comes
 * back is the gradient by that direction; it is made orthogonal to v_i, so gradient flow keeps |v_i|. */
#ifndef MOT_GATE_H
#define MOT_GATE_H

#include "mot/kinds.h"
#include "mot/memory.h"
#include "mot/model_config.h"

struct mot_gate_kind;
struct mot_choice_batch; /* choose.h */

typedef struct mot_gate {
    const struct mot_gate_kind *kind;
    const mot_gate_config *config; /* not owned */
    size_t experts;                /* E */
    size_t features;               /* F: numbers of g; for texts the vocabulary */
    size_t classes;                /* C, of the labels that it may learn from */
    size_t tokens;                 /* texts: ids a sample [tokens], 0 behind the end; else 0 */
    mot_table table;               /* no rows for a control */
} mot_gate;

/* What came of grouping classes, or their prototypes. */
typedef struct mot_gate_groups {
    size_t prototypes, groups; /* as many as classes where each has one */
    double within; /* share of its probabilities that stays within the group of the true class */
    /* Given: whether to give up, asked again and again with what is given beside it (NULL: never). */
    bool (*stop)(void *of);
    void *of;
} mot_gate_groups;

/* A kind of gates: what they learn, how they score, and by what their choices are made. Tensors that have a place for each
 * expert say along which axis (mot_table_by_expert), so that experts can go while a run goes on: the gate is then what it would
 * be had it begun with those that are left. */
typedef struct mot_gate_kind {
    mot_kind kind; /* its name is a value of gate.kind */
    bool spread;   /* scored by the experts' owners, for all samples and experts (K = E); scores and forward are NULL */
    bool coupled;  /* of a spread one: p of an expert depends on the others' h */
    bool told;     /* chooses by what it is told of a sample (gate.told): the data must have it, and it cannot predict */
    /* What learns; all are NULL for a control. Adds the tensors of mot_gate.table. The numbers that forward keeps for
     * backward, for n samples (NULL: none). Forward and backward: as mot_gate_forward and mot_gate_backward. */
    mot_status (*table)(const mot_gate *gate, mot_table *table);
    size_t (*kept)(const mot_gate *gate, size_t n);
    void (*forward)(const mot_gate *gate, const mot_params *params, size_t n, const mot_real *g,
                    const int32_t *id, mot_real *h, mot_real *kept);
    void (*backward)(const mot_gate *gate, mot_params *params, size_t n, const mot_real *g, const int32_t *id,
                     const mot_real *d_h, mot_real *kept, mot_real *d_g);
    /* Of one that learns from labels too (else NULL): as mot_gate_learn_labels. Deals classes to experts; params: of such a gate.
     * A pure function of them and the seed, but for `made->stop`; gradients are overwritten. MOT_ERR_MEMORY; MOT_STOPPED: nothing has
     * changed. Group_bytes: what that takes, of a gate, beside parameters and gradients. */
    void (*learn_labels)(const mot_gate *gate, mot_params *params, size_t n, const int32_t *label, bool count,
                         mot_real *kept);
    mot_status (*group)(mot_params *params, uint64_t seed, mot_gate_groups *made);
    size_t (*group_bytes)(const mot_gate *gate);
    /* score [E]: the experts with the largest are those of sample b (choose.h). NULL: by h, with noise and bias. */
    void (*scores)(const struct mot_choice_batch *batch, size_t b, double *score);
} mot_gate_kind;

extern const mot_gate_kind mot_gate_linear; /* for who wants to see its Theta */

/* All kinds, in the order of the option gate.kind. */
extern mot_kinds mot_gate_kinds;
static inline const mot_gate_kind *mot_gate_kind_at(int row)
{
    return (const mot_gate_kind *)mot_gate_kinds.row[row];
}

/* tokens, width, vocabulary: as mot_expert_shape; classes: of labels. MOT_ERR_INPUT for gate.input flat with texts. */
mot_status mot_gate_init(mot_gate *gate, const mot_gate_config *config, size_t experts, size_t tokens,
                         size_t width, size_t vocabulary, size_t classes);

static inline bool mot_gate_learns(const mot_gate *gate)
{
    return gate->table.rows > 0;
}

/* Numbers (not bytes) that describe a sample to the coordinator: F features, or `tokens` ids; none for a spread gate. */
static inline size_t mot_gate_row(const mot_gate *gate)
{
    return gate->kind->spread ? 0 : gate->tokens > 0 ? gate->tokens : gate->features;
}

/* Words of a text of which these are the ids [tokens]: those before the first 0. */
size_t mot_gate_words(const mot_gate *gate, const int32_t *id);

/* g [F] of one sample with `count` tokens x [count, width]. For pictures and vectors; texts send their ids. */
void mot_gate_features(const mot_gate *gate, mot_real *g, const mot_real *x, size_t count, size_t width);

/* What the coordinator is told of one sample, mot_gate_row numbers: its features, or its ids [count] and 0 behind them. */
void mot_gate_describe(const mot_gate *gate, void *row, const mot_real *x, const int32_t *id, size_t count, size_t width);

/* Numbers of scratch memory that forward keeps for backward, for n samples. */
size_t mot_gate_kept(const mot_gate *gate, size_t n);

/* h [n, E] from g [n, F] (or id [n, tokens], the other NULL). `kept` has mot_gate_kept numbers. */
void mot_gate_forward(const mot_gate *gate, const mot_params *params, size_t n, const mot_real *g,
                      const int32_t *id, mot_real *h, mot_real *kept);
/* Between the two: what backward is to add for label [n] as well (-1: none) goes into `kept`, of the mean over the n samples.
 * count: what it confuses is noted down. Nothing for a gate that learns from its scores alone. */
static inline void mot_gate_learn_labels(const mot_gate *gate, mot_params *params, size_t n, const int32_t *label,
                                         bool count, mot_real *kept)
{
    if (gate->kind->learn_labels != NULL) gate->kind->learn_labels(gate, params, n, label, count, kept);
}
/* Adds to params->gradient for d_h [n, E], and writes d_g [n, F] (NULL: not wanted, as with ids; a control's is 0). `kept` is what
 * forward left; it is overwritten. */
void mot_gate_backward(const mot_gate *gate, mot_params *params, size_t n, const mot_real *g,
                       const int32_t *id, const mot_real *d_h, mot_real *kept, mot_real *d_g);

/* ---- of spread gates ---- */

/* The directions unit [E, F]. */
void mot_gate_directions(const mot_gate *gate, const mot_params *params, mot_real *unit);
/* Adds to params->gradient what the gradient by one expert's direction, raw [F], is by v of it. */
void mot_gate_directions_backward(const mot_gate *gate, mot_params *params, size_t expert, const mot_real *raw);
/* Initial values: v of an expert loses what it has of `other` [F]: of the expert's own direction. */
void mot_gate_part_from(const mot_gate *gate, mot_params *params, size_t expert, const mot_real *other);

/* ---- for kinds of gates ---- */

/* A tensor of the gate's table within a block of them, values or gradients. */
static inline mot_real *mot_gate_tensor(const mot_gate *gate, mot_real *block, int row)
{
    return block + gate->table.row[row].offset;
}

/* y [n, M] = g w + b, of numbers and of bags of words; w [F, M], b [M] or NULL. Backward adds to d_w and d_b. */
void mot_gate_product(const mot_gate *gate, size_t n, const mot_real *g, const int32_t *id, const mot_real *w,
                      const mot_real *b, size_t M, mot_real *y);
void mot_gate_product_backward(const mot_gate *gate, size_t n, const mot_real *g, const int32_t *id,
                               mot_real *d_w, mot_real *d_b, const mot_real *d_y, size_t M);

#endif
