/* stack_kinds.h: the three kinds that a transformer is stacked of. A sample's state is one row of D = config->width
 * numbers for each of its tokens and, where model.pool is class, one for the class token, before them.
 *
 *      embed    [rows of tokens] -> [R, D]      h = x W + b + position, or h = W[id] + position; the class token's row
 *      blocks   [R, D] -> [R, D]                `depth` times   m = h + attention(norm(h)) W_o
 *                                                               h = m + gelu(norm(m) W_1) W_2
 *      head     [R, D] -> [samples, C]          out = pool(norm(h)) W + b, pool the mean or the class token's row
 *
 * They are no values of model.kind; the kind `encoder` is the three of them, one behind the other. R, and where a sample's
 * rows begin in what embed gives, follow from mot_expert_rows.
 *
 * Shapes: embed's is that of the samples. Those of blocks and head have width D, vocabulary 0, and as `tokens` the rows of
 * the longest sample, the class token's with them; so has a tile's `first`, and its `x` is the state. config->heads, ffn,
 * depth, pool and precision mean what they do for an encoder.
 *
 * Gradients: blocks and head hand on, d_in [R, D]; d_in of blocks may be d_out. Embed has none.
 *
 * Memory: what forward keeps lies at the arena's mark and takes kept() bytes at most (embed: none, its result is NULL);
 * whatever else forward and backward take comes behind it, and they rewind before they return, so without `learn` all of
 * it. Hence an arena of n kept() + (workspace() - kept()) bytes holds n tiles that wait for their backward. A tile and its
 * x stay as they were until then; what forward gave out is not read again. */
#ifndef MOT_STACK_KINDS_H
#define MOT_STACK_KINDS_H

#include "mot/expert.h"

extern const mot_expert_kind mot_embed_kind, mot_blocks_kind, mot_head_kind;

#endif
