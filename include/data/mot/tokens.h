/* tokens.h: from stored bytes to the tokens a transformer reads.
 *
 * A picture [C, H, W] becomes (H/P)(W/P) patches in row-major order, each of C*P*P numbers (channel, row, column)
 * normalized by (value/255 - mean) / deviation of its channel; the numbers of a vector sample [L, D] by those of their
 * column, by one mean and deviation, or not at all (mot_normalization); a text's tokens are its ids up to the first 0 (an empty text keeps one
 * token, the unknown 1). Not collective; never fails. */
#ifndef MOT_TOKENS_H
#define MOT_TOKENS_H

#include "mot/dataset.h"

typedef struct mot_token_shape {
    size_t tokens;     /* the most tokens of a sample, L */
    size_t width;      /* numbers a token; 0 for texts */
    size_t vocabulary; /* 0 for pictures and vectors */
} mot_token_shape;

/* MOT_ERR_INPUT when the patch does not divide height and width ("patch 5 does not divide 28 x 28 pixels"). */
mot_status mot_token_shape_of(const mot_sample_format *format, size_t patch, mot_token_shape *shape);

/* True where a sample's tokens are its bytes as they are stored. */
static inline bool mot_tokens_plain(const mot_sample_format *format)
{
    return format->kind == MOT_SAMPLE_VECTOR && format->normalization.count == 0;
}

/* Tokens of a text before what it is padded with: 0 of an empty one, of which mot_tokens_decode makes one. */
size_t mot_text_length(const mot_sample_format *format, const void *sample);

/* Writes a sample's tokens: x [L, width] (pictures, vectors) or id [L] (texts). Returns the number of tokens. */
size_t mot_tokens_decode(const mot_sample_format *format, size_t patch, const void *sample, float *x,
                         int32_t *id);

#endif
