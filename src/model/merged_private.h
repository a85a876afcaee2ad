/* merged_private.h: what the files of the expert kind `merged` share. */
#ifndef MOT_MERGED_PRIVATE_H
#define MOT_MERGED_PRIVATE_H

#include "merged_lanes.h"
#include "mot/merged.h"

static inline bool attends(const mot_expert_shape *shape)
{
    return shape->config->merged.attention == MOT_ATTENTION_SOFTMAX;
}

/* The table's rows: attention, if there is any, then neurons. */
static inline size_t neurons_row(const mot_expert_shape *shape)
{
    return attends(shape) ? 1 : 0;
}

/* Length of a row with one number for each of so many tokens, behind the last of which BEHIND may be read or written.
 * An odd number of cache lines, lest a column's numbers meet in few places of the cache. */
static inline size_t row_length(size_t rows)
{
    const size_t line = MOT_ALIGNMENT / sizeof(mot_real), lines = (rows + 2 * BEHIND - 1) / line + 1;
    return (lines | 1) * line;
}

/* What is kept of a tile from forward to backward; the arrays of a head, then those of the next. */
typedef struct merged_acts {
    size_t rows, length; /* tokens of the tile; row_length of it */
    size_t lanes, pairs; /* sum over the samples of padded(l), and of l padded(l), with room for EIGHT rows at a time */
    mot_real *prob;      /* [H][pairs]: of each sample [l keys, padded(l) queries]; none without attention */
    mot_real *z;         /* [H][J, length] */
    mot_real *a;         /* [H][lanes J]: of each sample [J, padded(l)] */
} merged_acts;

/* ---- merged_group.c: the samples that forward takes at a time ---- */

typedef struct merged_group {
    const mot_tile *tile;
    size_t from, to;   /* its samples */
    size_t lanes;      /* sum of padded(l), */
    size_t pairs;      /* and of l padded(l) */
    size_t columns;    /* up to the last lane of any sample, in whole vectors */
    size_t length;     /* of a row */
    mot_real *x;       /* [D, length]: their tokens */
    mot_real *weight;  /* [H][m, D]: of each head A, then W^T; where it stacks() */
    mot_real *product; /* [m, length]: weight x */
    mot_real *act;     /* [J, lanes] */
} merged_group;

/* Bytes of the arena that one takes. */
size_t mot_merged_group_bytes(const mot_expert_shape *shape);
merged_group mot_merged_group_take(const mot_expert_shape *shape, const mot_tile *tile, mot_arena *arena);

/* As many samples at a time. */
size_t mot_merged_group_samples(const mot_expert_shape *shape);

/* Samples [from, to): their tokens become columns, with zeros behind the last. */
void mot_merged_group_begin(const mot_expert_shape *shape, merged_group *g, size_t from, size_t to);

/* Puts a tile's weights in order. */
void mot_merged_group_weights(const mot_expert_shape *shape, const mot_real *const *weight, merged_group *g);

/* product [m, length] = w x, or w^T x of w [D, m] */
void mot_merged_group_multiply(const mot_expert_shape *shape, const merged_group *g, bool transpose, const mot_real *w, size_t m,
                               mot_real *product);

/* product = [A; W^T] x of head h */
void mot_merged_group_head(const mot_expert_shape *shape, const merged_group *g, const mot_real *const *weight, size_t h);

/* ---- merged_readout.c: the activation and the readout ---- */

/* out += the readout of act(a) of a group's samples under one head; `a` is its first sample's. */
void mot_merged_read(const mot_expert_shape *shape, const merged_group *g, const mot_real *a, mot_real *out);

/* d = g act'(a) of a head, 0 where the readout does not count. */
void mot_merged_unread(const mot_expert_shape *shape, const mot_tile *tile, const mot_real *d_out, const mot_real *a, mot_real *d);

#endif
