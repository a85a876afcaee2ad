/* basis.h: the unit vectors that synthetic data are made of. */
#ifndef MOT_BASIS_H
#define MOT_BASIS_H

#include <stddef.h>
#include <stdint.h>

#include "mot/rng.h"

/* `count` <= `width` orthonormal rows basis [count, width]: those of normal numbers (m, 0, purpose, d / 4) of the stream. */
void mot_basis_make(uint64_t seed, mot_random_stream stream, uint32_t purpose, size_t count, size_t width,
                    double *basis);
/* Turns orthonormal rows into unit vectors whose cosines are all c, in [0, 1). */
void mot_basis_correlate(double c, size_t count, size_t width, double *basis);

#endif
