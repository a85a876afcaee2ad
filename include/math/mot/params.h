/* params.h: parameters as one block and one table.
 *
 * A table's row has name, shape, offset, part and initial value; a block is one allocation of table.count numbers.
 * Optimizer, digest, gradient norm, checkpoint and "frozen in this stage" are loops over the table: a new tensor is
 * one row.
 *
 * A unit is what is updated and stored as a whole: the gate, one expert, or the tensors tied over all experts. */
#ifndef MOT_PARAMS_H
#define MOT_PARAMS_H

#include <assert.h>
#include <limits.h>

#include "mot/lag.h"
#include "mot/met.h"
#include "mot/real.h"
#include "mot/status.h"
#include "mot/types.h"

typedef enum mot_part {
    MOT_PART_GATE,
    MOT_PART_EMBED,
    MOT_PART_ATTENTION,
    MOT_PART_FFN,
    MOT_PART_HEAD
} mot_part;
enum { MOT_PARTS = 5 };
extern const char *const mot_part_name[MOT_PARTS]; /* "gate", "embed", "attention", "ffn", "head" */
typedef unsigned mot_part_set;                     /* bit 1u << part */

/* Tensors begin at multiples of MOT_TABLE_STEP numbers, so that they are aligned; so does the end. */
enum { MOT_TENSOR_NAME = 40, MOT_TENSOR_RANK = 3, MOT_TABLE_ROWS = 1552, MOT_TABLE_STEP = 16 };

typedef struct mot_tensor {
    char name[MOT_TENSOR_NAME]; /* "block0/qkv_weight"; unique in its table */
    mot_part part;
    int rank;
    size_t shape[MOT_TENSOR_RANK], count; /* count: product of the shape */
    size_t offset;          /* in the block, in numbers; a multiple of MOT_TABLE_STEP */
    double mean, deviation; /* initial values: N(mean, deviation^2); deviation 0: the constant mean */
    bool decay;             /* weight decay applies (matrices and embeddings; not gains, biases) */
    int expert_axis;        /* which extent counts the experts, so that it loses places when some go; -1: none */
} mot_tensor;

typedef struct mot_table {
    size_t rows, count; /* count: numbers in a block, padding included */
    size_t words;       /* 1 + the row of the tensor that is looked up by words; 0: there is none */
    mot_tensor row[MOT_TABLE_ROWS];
} mot_table;

/* In how many steps MPI counts so many numbers, which are whole ones. */
static inline int mot_table_steps(size_t numbers)
{
    assert(numbers % MOT_TABLE_STEP == 0 && numbers / MOT_TABLE_STEP <= INT_MAX);
    return (int)(numbers / MOT_TABLE_STEP);
}

/* Appends a tensor; MOT_ERR_INPUT when the table is full. */
mot_status mot_table_add(mot_table *table, const char *name, mot_part part, int rank, const size_t *shape,
                         double mean, double deviation, bool decay);

/* The tensor added last has a place for each expert along this axis. A gate says so of its tensors: only then can experts go
 * in the middle of a run. */
static inline void mot_table_by_expert(mot_table *table, int axis)
{
    table->row[table->rows - 1].expert_axis = axis;
}

/* Rows of the tensor added last, a matrix, are looked up by the words of a text, of which a batch has few: its gradient has
 * numbers in the rows of words that were met alone. One tensor of a table is. */
static inline void mot_table_by_word(mot_table *table)
{
    assert(table->words == 0 && table->row[table->rows - 1].rank == 2);
    table->words = table->rows;
}
static inline const mot_tensor *mot_table_words(const mot_table *table)
{
    return table->words > 0 ? &table->row[table->words - 1] : NULL;
}
/* Words that it has; 0: there is no such tensor. */
static inline size_t mot_table_vocabulary(const mot_table *table)
{
    return table->words > 0 ? table->row[table->words - 1].shape[0] : 0;
}

/* The rows of `whole` whose part is (or is not) in `parts`, in order, with offsets of their own. */
void mot_table_select(mot_table *selected, const mot_table *whole, mot_part_set parts, bool in);

/* Numbers in the tensors of `parts`, padding not included: what is reported as "parameters". */
size_t mot_table_parameters(const mot_table *table, mot_part_set parts);

/* A block of gradients becomes zero. Where `met` says which words' rows have numbers, the others are not touched, and it says
 * none from then on. NULL: nobody says, or the table has no words. */
void mot_table_clear(const mot_table *table, mot_real *block, uint64_t *met);

/* A block that gradients are added to begins: it is cleared, and row [table->rows] points to its tensors. */
void mot_table_begin(const mot_table *table, mot_real *block, uint64_t *met, mot_real **row);

/* Identity of a unit, by which its random numbers go: expert e of a layer, its tied part, its gate, or one of its shared
 * experts (MOT_UNIT_SHARED + s); or what all ranks hold alike. In the first layer it is that number itself. */
enum { MOT_UNIT_TIED = -1, MOT_UNIT_GATE = -2, MOT_UNIT_DENSE = -3, MOT_UNIT_SHARED = 4096, MOT_UNITS_A_LAYER = 8192 };
static inline int mot_unit_of(int layer, int unit)
{
    return layer * MOT_UNITS_A_LAYER + unit;
}

typedef struct mot_params {
    const mot_table *table; /* not owned */
    int unit;
    mot_real *value, *gradient; /* [table->count], owned */
    mot_real *moment[2];        /* optimizer state, [table->count], owned; zero until used */
    uint64_t *met; /* of a table of words, else NULL, as the next: those whose rows of the gradient may have numbers */
    mot_lag *lag;  /* updates that rows have missed so far */
    int64_t updates; /* optimizer steps this unit has taken since moments were last reset (AdamW's t) */
} mot_params;

mot_status mot_params_create(mot_params *params, const mot_table *table, int unit);
void mot_params_free(mot_params *params);

/* Initial values: a pure function of (seed, unit, tensor name's row, element). Resets the optimizer state. */
void mot_params_init(mot_params *params, uint64_t seed);
/* Of one tensor alone, without a block: value [count of the row]. */
void mot_params_init_row(const mot_table *table, int unit, uint64_t seed, size_t row, mot_real *value);
/* The whole gradient: then anything may be added to it. */
void mot_params_zero_gradient(mot_params *params);
/* All rows of words have all updates that they missed: before anybody reads values or moments who did not ask for certain rows. */
void mot_params_catch_up(mot_params *params);
/* Those of [from, to) that were met (NULL: any): before they are used. Different rows may be worked on at the same time. */
void mot_params_catch_up_met(mot_params *params, const uint64_t *met, size_t from, size_t to);

#endif
