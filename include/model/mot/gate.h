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
 * The last three are controls, which learn nothing: what routing by the truth, by nothing, and without any imbalance would
 * give. Their h is 0, so that they differ from a gate that learns in their choices alone. */
#ifndef MOT_GATE_H
#define MOT_GATE_H

#include "mot/memory.h"
#include "mot/model_config.h"

typedef struct mot_gate {
    const mot_gate_config *config; /* not owned */
    size_t experts;                /* E */
    size_t features;               /* F: numbers of g; for texts the vocabulary */
    size_t tokens;                 /* texts: ids a sample [tokens], 0 behind the end; else 0 */
    mot_table table;               /* no rows for fixed and random */
} mot_gate;

/* tokens, width, vocabulary: as mot_expert_shape. MOT_ERR_INPUT for gate.input flat with texts. */
mot_status mot_gate_init(mot_gate *gate, const mot_gate_config *config, size_t experts, size_t tokens,
                         size_t width, size_t vocabulary);

static inline bool mot_gate_learns(const mot_gate *gate)
{
    return gate->table.rows > 0;
}

/* Numbers (not bytes) that describe a sample to the gate: F features, or `tokens` ids. */
static inline size_t mot_gate_row(const mot_gate *gate)
{
    return gate->tokens > 0 ? gate->tokens : gate->features;
}

/* g [F] of one sample with `count` tokens x [count, width]. For pictures and vectors; texts send their ids. */
void mot_gate_features(const mot_gate *gate, mot_real *g, const mot_real *x, size_t count, size_t width);

/* Numbers of scratch memory that forward keeps for backward, for n samples. */
size_t mot_gate_kept(const mot_gate *gate, size_t n);

/* h [n, E] from g [n, F] (or id [n, tokens], the other NULL). `kept` has mot_gate_kept numbers. */
void mot_gate_forward(const mot_gate *gate, const mot_params *params, size_t n, const mot_real *g,
                      const int32_t *id, mot_real *h, mot_real *kept);
/* Adds to params->gradient for d_h [n, E]. `kept` is what forward left; it is overwritten. */
void mot_gate_backward(const mot_gate *gate, mot_params *params, size_t n, const mot_real *g,
                       const int32_t *id, const mot_real *d_h, mot_real *kept);

#endif
