/* nodes.h: which ranks work in one memory, and so exchange as one.
 *
 * Nodes are numbered by their lowest ranks; a node's ranks are its members, in ascending order, any number of them and
 * not necessarily neighbours:
 *
 *      rank      0  1  2  3  4
 *      node      0  1  0  1  1          node 0: members 0, 2          node 1: members 1, 3, 4
 *      place     0  0  1  1  2          of a rank among its node's members
 */
#ifndef MOT_NODES_H
#define MOT_NODES_H

#include "mot/comm.h"

struct mot_exchange;

typedef struct mot_nodes {
    int ranks, rank;
    int count, mine; /* nodes; this rank's */
    int *node;       /* [ranks] */
    int *place;      /* [ranks] */
    int *first;      /* [count + 1]: members of node n are member[first[n] .. first[n + 1]) */
    int *member;     /* [ranks] */
    MPI_Comm comm;   /* this rank's node, in the order of its members; owned; MPI_COMM_NULL after mot_nodes_map */
    struct mot_exchange *flying; /* exchanges in flight, linked by exchange.c */
    int exchanges;               /* made so far: each has a tag of its own */
} mot_nodes;

/* Ranks with equal colours (>= 0) are a node; they must share memory. colour [ranks]. Without a communicator: for plans
 * alone. Not collective. */
mot_status mot_nodes_map(mot_nodes *nodes, int ranks, int rank, const int *colour);

/* The same with each rank's own colour; mot_nodes_host gives the ranks of one host one colour, and a rank's own number
 * makes it a node by itself. Collective; the same status everywhere. */
mot_status mot_nodes_init(mot_nodes *nodes, const mot_comm *comm, int colour);
/* The lowest rank on this rank's host. Collective. */
int mot_nodes_host(const mot_comm *comm);

/* Collective after mot_nodes_init, if that went well. */
void mot_nodes_free(mot_nodes *nodes);

static inline int mot_nodes_members(const mot_nodes *nodes, int node)
{
    return nodes->first[node + 1] - nodes->first[node];
}

/* The member of node `here` that talks to node `there`, in both directions, in the slice-th part of what they say (there
 * are at most as many parts as members at either end). Pairs are dealt over the members, so that none of them is the
 * way through which everything has to go. */
static inline int mot_nodes_speaker(const mot_nodes *nodes, int here, int there, int slice)
{
    return nodes->member[nodes->first[here] + (there + slice) % mot_nodes_members(nodes, here)];
}

#endif
