/* kinds.h: tables of kinds: of experts, gates, losses and sources.
 *
 * A kind is a structure of facts and functions that begins with a mot_kind. All that the program knows of it stands there:
 * an option chooses it by its name, and the configuration holds its row.
 *
 *      mot_gate_kinds   | linear | mlp | fixed | random | even | NULL
 *
 * A program that links mot may add kinds of its own, before it reads a configuration and on every rank alike. */
#ifndef MOT_KINDS_H
#define MOT_KINDS_H

#include "mot/status.h"

typedef struct mot_kind {
    const char *name;
} mot_kind;

enum { MOT_MOST_KINDS = 31, MOT_NO_KIND = -1 };
typedef struct mot_kinds {
    const mot_kind *row[MOT_MOST_KINDS + 1]; /* ends with NULL; rows stay where they are */
} mot_kinds;

/* The row of the kind of that name, or MOT_NO_KIND. */
int mot_kinds_find(const mot_kinds *kinds, const char *name);
/* `kind` becomes the last row, and must stay. MOT_ERR_INPUT: its name is taken, or the table is full. Not thread-safe. */
mot_status mot_kinds_add(mot_kinds *kinds, const mot_kind *kind);

#endif
