/* merged.h: what an analysis wants to see inside an expert of the kind `merged` (src/model/merged.c). */
#ifndef MOT_MERGED_H
#define MOT_MERGED_H

#include "mot/expert.h"

extern const mot_expert_kind mot_merged_kind;

/* Numbers of scratch that mot_merged_attention takes for samples of up to shape->tokens tokens. */
size_t mot_merged_attention_scratch(const mot_expert_shape *shape);

/* Attention probabilities of one sample x [tokens, width] under one head: prob [tokens, tokens], row i the query,
 * column j the key, s_ij = softmax_j(X_j . A X_i). Without attention: the identity. `weight` as for forward; `scratch`
 * has mot_merged_attention_scratch(shape) numbers, aligned as any array of them. */
void mot_merged_attention(const mot_expert_shape *shape, const mot_real *const *weight, size_t head,
                          const mot_real *x, size_t tokens, mot_real *prob, mot_real *scratch);

#endif
