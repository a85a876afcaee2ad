/* layout.h: where the rows of one plan lie in the buffer of a node, which all its members write and read.
 *
 * Rows are numbered by their places. A row that crosses between nodes has one at either end; a row that stays within
 * the node has one alone, which its home and its owner share. Node 1 of 3:
 *
 *      | to node 0 | within node 1 | to node 2 | from node 0 | from node 2 |
 *      |<----------- home side -------------->|<------ owner side ------->|
 *
 * Within each part rows are ordered by (home rank, owner rank), and so are the same rows at the other node: a part is
 * one message, and needs no sorting where it arrives. COMBINE is the same picture read from right to left.
 * With every rank a node of its own a part is what one rank sends to another.
 *
 * Rows of one length take a place each. Where each row has its own, a place is a unit of bytes, and a row takes as many as it needs;
 * its own is the first of them. */
#ifndef MOT_LAYOUT_H
#define MOT_LAYOUT_H

#include <stddef.h>

#include "mot/nodes.h"

typedef struct mot_layout {
    const mot_nodes *nodes;    /* not owned, must outlive the layout */
    size_t *sent, *received;   /* [members, ranks]: places from member to rank, and to member from rank */
    size_t *home, *owner;      /* [nodes + 1]: places of the parts; owner[nodes] is all of them */
    size_t *to_peer, *of_peer; /* [ranks]: places of this rank's first row to, and of, every rank */
} mot_layout;

mot_status mot_layout_init(mot_layout *layout, const mot_nodes *nodes);
void mot_layout_free(mot_layout *layout);

/* All rows are counted after a clear, in any order, with the places that they take; settle gives everything its place. None of these fails. */
void mot_layout_clear(mot_layout *layout);
void mot_layout_settle(mot_layout *layout);

static inline void mot_layout_count(mot_layout *layout, int home, int owner, size_t places)
{
    const mot_nodes *nodes = layout->nodes;
    const size_t ranks = (size_t)nodes->ranks;
    if (nodes->node[home] == nodes->mine) layout->sent[(size_t)nodes->place[home] * ranks + (size_t)owner] += places;
    if (nodes->node[owner] == nodes->mine)
        layout->received[(size_t)nodes->place[owner] * ranks + (size_t)home] += places;
}

#endif
