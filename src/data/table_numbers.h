/* table_numbers.h: the columns of numbers of a table. */
#ifndef MOT_DATA_TABLE_NUMBERS_H
#define MOT_DATA_TABLE_NUMBERS_H

#include "table.h"

typedef struct table_numbers {
    size_t count, targets, *column; /* [count + targets]: which columns of the training table, in their order, and behind
                                       them those of the targets; owned */
    char decimal;
} table_numbers;

/* The decimal mark of all tables, whose columns lie at `place` each: the one that is told, or the only one that all their
 * numbers have. Then every cell is a number. */
mot_status mot_table_numbers_check(const mot_import_options *options, const table *tables,
                                   size_t *const place[IMPORT_SPLITS], table_numbers *numbers);

#endif
