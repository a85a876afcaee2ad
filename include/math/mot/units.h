/* units.h: all that has parameters, in one list, which every rank has alike.
 *
 *      number   0        1       2          3          ...
 *      group    gate     tied    experts    experts    ...
 *      row      -        -       0          1          ...
 *      owner    rank 0   all     its rank   its rank   ...
 *
 * Digest, checkpoint, optimizer, check of gradients, reset, initial values and moving are loops over the list: a new kind of
 * unit is one more entry. Its order is that of the digest and of files. It may be another one at every step: nobody keeps
 * more of it than what the step, or the checkpoint that is being written, works on. */
#ifndef MOT_UNITS_H
#define MOT_UNITS_H

#include "mot/params.h"

/* Whose optimizer it has: train.optimizer and what belongs to it, or train.gate_optimizer. */
typedef enum mot_unit_role { MOT_ROLE_EXPERT, MOT_ROLE_GATE } mot_unit_role;

enum {
    MOT_ALONE = -1, /* as a row: the only unit of its group */
    MOT_ALIKE = -1  /* as an owner: every rank holds it, with the same bits */
};

typedef struct mot_unit {
    const char *group;      /* its name in files; units of one group follow each other, in the order of their rows */
    int row;                /* 0, 1, ... in a group whose units have the same table, or MOT_ALONE */
    const mot_table *table; /* no rows: the model has no such unit */
    mot_unit_role role;
    int owner;          /* the rank that holds it, or MOT_ALIKE */
    mot_params *params; /* where this rank holds it; elsewhere NULL */
} mot_unit;

typedef struct mot_units {
    size_t count;
    mot_unit *unit; /* [count] */
} mot_units;

/* The rank that writes it into files. */
static inline int mot_unit_keeper(const mot_unit *unit)
{
    return unit->owner == MOT_ALIKE ? 0 : unit->owner;
}
/* How many units its group has, of which it is the first. */
static inline size_t mot_units_alike(const mot_units *units, size_t first)
{
    size_t count = 1;
    while (units->unit[first].row != MOT_ALONE && first + count < units->count &&
           units->unit[first + count].row == (int)count)
        ++count;
    return count;
}

#endif
