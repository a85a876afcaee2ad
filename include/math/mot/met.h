/* met.h: which rows of a table of words a block of gradients has numbers in: those of the words that it met.
 *
 *      row       0 1 2 3 4 5 6 7 ...              for (size_t w = mot_met_next(met, rows, 0); w < rows;
 *      bit       0 0 1 0 0 0 1 0 ...                   w = mot_met_next(met, rows, w + 1)) ...          w = 2, 6
 *
 * All other rows of the block are zero, so whoever zeroes it, adds it or learns from it visits rows that were met, in
 * ascending order. A set that says all rows, which a new one does, is right of any block. */
#ifndef MOT_MET_H
#define MOT_MET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { MOT_MET_BITS = 64 };

/* Of so many rows: the numbers of a set. */
static inline size_t mot_met_size(size_t rows)
{
    return (rows + MOT_MET_BITS - 1) / MOT_MET_BITS;
}

static inline void mot_met_none(uint64_t *met, size_t rows)
{
    memset(met, 0, mot_met_size(rows) * sizeof *met);
}

static inline void mot_met_all(uint64_t *met, size_t rows)
{
    memset(met, 0xff, mot_met_size(rows) * sizeof *met);
}

static inline void mot_met_add(uint64_t *met, size_t row)
{
    met[row / MOT_MET_BITS] |= (uint64_t)1 << row % MOT_MET_BITS;
}

/* The words of a text. */
static inline void mot_met_words(uint64_t *met, const int32_t *word, size_t count)
{
    for (size_t t = 0; t < count; ++t) mot_met_add(met, (size_t)word[t]);
}

static inline void mot_met_join(uint64_t *met, const uint64_t *other, size_t rows)
{
    for (size_t i = 0; i < mot_met_size(rows); ++i) met[i] |= other[i];
}

/* The first row at or behind `from` that was met; `rows` or more: there is none. */
static inline size_t mot_met_next(const uint64_t *met, size_t rows, size_t from)
{
    while (from < rows) {
        const uint64_t left = met[from / MOT_MET_BITS] >> from % MOT_MET_BITS;
        if (left != 0) return from + (size_t)__builtin_ctzll(left);
        from = (from / MOT_MET_BITS + 1) * MOT_MET_BITS;
    }
    return rows;
}

static inline size_t mot_met_count(const uint64_t *met, size_t rows)
{
    size_t count = 0;
    for (size_t w = mot_met_next(met, rows, 0); w < rows; w = mot_met_next(met, rows, w + 1)) ++count;
    return count;
}

#endif
