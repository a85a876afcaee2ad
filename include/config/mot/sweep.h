/* sweep.h: many configurations by one short file:
 *
 *      config: configs/fashion-mnist.yaml       what all begin with
 *      folder: sweeps/experts                   where the runs go
 *      seeds: 3                                 1, 2, 3 for each; without it 1
 *      grid:                                    every combination of these values,
 *        model.experts: [2, 4, 8]
 *        train.rate: [1e-3, 3e-3]
 *      list:                                    with each of these: one or the other may be left out
 *        - {route.top_k: 1}
 *        - {route.top_k: 2, route.scale: chosen}
 * Not collective. */
#ifndef MOT_SWEEP_H
#define MOT_SWEEP_H

#include "mot/status.h"
#include "mot/types.h"

enum { MOT_SWEEP_MOST = 100000, MOT_SWEEP_SEEDS = 64 };

typedef struct mot_sweep {
    char config[512], folder[512];
    int seeds;
    size_t count;
    char **settings; /* [count], owned: "model.experts=2; train.rate=1e-3"; no two are the same */
} mot_sweep;

/* MOT_ERR_INPUT names file and line. Keys and values are looked at where a configuration is made of them. */
mot_status mot_sweep_read(mot_sweep *sweep, const char *path);
void mot_sweep_free(mot_sweep *sweep);

#endif
