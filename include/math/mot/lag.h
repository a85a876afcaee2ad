/* lag.h: rows of a table of words that updates have passed by, because nobody met their words.
 *
 * An update changes a row without a gradient too: moments fade, momentum goes on, weights decay. That is done when the row
 * is wanted next, one missed update after the other with the numbers that each had, so it has the bits it would have had.
 *
 *      update      0     1     2     3     4     5                     a row that was met in 1 and 4
 *      met               x                 x
 *      done        -     2     2     2     5     5                     before 4 is worked out, 2 and 3 are caught up with
 *
 * Such a run of updates needs the row's numbers alone, which stay in registers; the numbers of the updates stand in `late`. Once
 * momentum has faded so far that it cannot change any bit of the values, what is left is a product for each number. */
#ifndef MOT_LAG_H
#define MOT_LAG_H

#include <stdbool.h>
#include <stdint.h>

#include "mot/real.h"
#include "mot/status.h"
#include "mot/types.h"

/* What the updates have in common, where the gradient is 0:
 *      adam        m = first m,  v = second v,  w -= decay w + rate m / (sqrt(v) root + epsilon)
 *      otherwise   m = first m + decay w,       w -= rate m                                           (first 0: m is not kept) */
typedef struct mot_lag_rule {
    bool adam;
    mot_real first, second, epsilon;
} mot_lag_rule;

/* The numbers of one update. */
typedef struct mot_late {
    mot_real decay, rate, root;
} mot_late;

/* Updates that are remembered at most: when there are as many, all rows catch up. And as many are looked at together. */
enum { MOT_LATE_MOST = 1024, MOT_LATE_BLOCK = 32 };

typedef struct mot_lag {
    mot_lag_rule rule;
    size_t updates; /* since all rows had all of them */
    bool decays;    /* one of them has a decay */
    mot_late late[MOT_LATE_MOST];
    /* Of each block of them, as far as they have a rate: the least decay, and the largest decay and rate. */
    mot_real least_decay[MOT_LATE_MOST / MOT_LATE_BLOCK], most_decay[MOT_LATE_MOST / MOT_LATE_BLOCK],
        most_rate[MOT_LATE_MOST / MOT_LATE_BLOCK];
    uint32_t done[]; /* [rows]: of these updates, those that a row has had */
} mot_lag;

static inline size_t mot_lag_bytes(size_t rows)
{
    return sizeof(mot_lag) + rows * sizeof(uint32_t);
}

/* No row has missed anything. */
void mot_lag_forget(mot_lag *lag, size_t rows);

/* One more update, which all rows miss that are not noted as having had it. There is room for it, and the rule is theirs. */
void mot_lag_add(mot_lag *lag, const mot_late *late);

/* The updates that the row has missed so far, on its n numbers. Different rows may be worked on at the same time. */
void mot_lag_catch_up(mot_lag *lag, size_t row, size_t n, mot_real *w, mot_real *m, mot_real *v);

#endif
