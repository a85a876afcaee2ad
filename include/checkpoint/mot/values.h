/* values.h: the values of a checkpoint by their names, whatever its model: for a run that begins with those of another.
 *
 *      group      units       a tensor of it
 *      gate       one         gate/weight
 *      tied       one         tied/ffn/block0/in_weight
 *      experts    0 .. E-1    experts/ffn/block0/in_weight, one of each
 * and so on, of all groups of units that the file has.
 *
 * Checkpoints of any number of ranks, placement, precision and version that mot_checkpoint_read reads. The file's mark is
 * compared when it is opened, and a tensor's checksum whenever it is read. Not collective: every rank opens it for itself, and
 * reads what it needs. */
#ifndef MOT_VALUES_H
#define MOT_VALUES_H

#include "mot/checkpoint.h"

typedef struct mot_values mot_values;

/* MOT_ERR_INPUT: it is no checkpoint, or not a sound one. On failure *values is NULL. */
mot_status mot_values_open(mot_values **values, const char *path);
void mot_values_close(mot_values **values);
/* How many units a group has; 0: there is none. */
size_t mot_values_units(const mot_values *values, const char *group);

/* What it has under the name of a tensor: of how many units, and in which shape. */
typedef struct mot_values_found {
    size_t units; /* 0: nothing */
    bool rows;    /* units are alike: the file shows all of them as one dataset [units, shape] */
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK];
    size_t number; /* private */
} mot_values_found;
/* The tensor counts as found from here on. MOT_ERR_INPUT: the file is not what mot writes. */
mot_status mot_values_find(mot_values *values, const char *group, const mot_tensor *tensor, mot_values_found *found);
/* All that have values, one after another in the order of their names: the name, such as "experts/ffn/block0_up_weight". */
size_t mot_values_count(const mot_values *values);
mot_status mot_values_at(mot_values *values, size_t number, const char **name, mot_values_found *found);
/* Of unit `row`: value [count], which is the product of the shape that was found. MOT_ERR_INPUT names a tensor that is damaged. */
mot_status mot_values_read(mot_values *values, const mot_values_found *found, size_t row, size_t count, mot_real *value);
/* The bias that balances the load, which belongs to gates: bias [count], from that of expert `first` on; of several layers the file
 * has those of all, one layer's behind another's. */
mot_status mot_values_bias(mot_values *values, size_t first, size_t count, mot_real *bias);
/* A tensor of these parts that nobody has found, such as "experts/ffn/block3/in_weight"; NULL: there is none. */
const char *mot_values_left(const mot_values *values, mot_part_set parts);
/* All tensors of a group count as found: they are not wanted. */
void mot_values_leave(mot_values *values, const char *group);

#endif
