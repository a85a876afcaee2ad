/* shared.h: memory that all members of a node write and read. */
#ifndef MOT_SHARED_H
#define MOT_SHARED_H

#include <stddef.h>

#include "mot/nodes.h"

typedef struct mot_shared {
    unsigned char *bytes; /* aligned to 64 */
    size_t size;
    bool mapped; /* more than one member: shared; else the rank's own */
} mot_shared;

/* In place of what it held, `size` bytes; the first `cleared` are 0. The memory is taken at once, so that a lack of it is
 * an error here and not a signal later. It has no name, so nothing is left behind by a rank that dies, and it does not
 * count against /dev/shm, which is small in containers.
 * Collective over the node's members, with equal arguments and the same status; on failure (MOT_ERR_MEMORY) it is
 * empty. */
mot_status mot_shared_resize(mot_shared *shared, const mot_nodes *nodes, size_t size, size_t cleared);
/* Not collective: others keep the memory while they use it. */
void mot_shared_free(mot_shared *shared);

#endif
