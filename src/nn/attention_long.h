/* attention_long.h: attention within a sample so long that its l x l probabilities should lie nowhere: tile by tile, with
 * a softmax that goes on from tile to tile. Private to src/nn.
 *
 * One head of one sample: q is its first row of queries, keys stand D and values 2 D behind, rows 3 D apart; rows of out and d_out
 * lie D apart; W is the head's width. `scratch` has mot_attention_long_scratch numbers, however long the sample is. */
#ifndef MOT_ATTENTION_LONG_H
#define MOT_ATTENTION_LONG_H

#include "mot/mixed.h"
#include "mot/real.h"
#include "mot/types.h"

/* `kept` (NULL: nothing is) is what backward wants of forward: of each query what its scores are less, and by what its
 * exponentials are multiplied, [2, l]. */
void mot_attention_long_forward(mot_precision precision, mot_real *out, mot_real *kept, mot_real *scratch, const mot_real *q,
                                size_t l, size_t D, size_t W);
void mot_attention_long_backward(mot_precision precision, mot_real *d_q, mot_real *scratch, const mot_real *d_out,
                                 const mot_real *out, const mot_real *q, const mot_real *kept, size_t l, size_t D, size_t W);
/* received [l] += what each key gets of queries as they are weighed, query [l]. */
void mot_attention_long_received(mot_precision precision, double *received, mot_real *scratch, const double *query,
                                 const mot_real *q, const mot_real *kept, size_t l, size_t D, size_t W);
/* `learn`: for backward too. */
size_t mot_attention_long_scratch(mot_precision precision, size_t W, bool learn);

#endif
