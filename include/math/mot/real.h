/* real.h: the number type of the mathematics. Float in the program; the same sources are built once more with
 * MOT_DOUBLE for the gradient tests, where central differences want the digits. */
#ifndef MOT_REAL_H
#define MOT_REAL_H

#include <math.h>

#ifdef MOT_DOUBLE
typedef double mot_real;
#define MOT_MPI_REAL MPI_DOUBLE
#define MOT_R(x)     x
#define mot_sqrt     sqrt
#else
typedef float mot_real;
#define MOT_MPI_REAL MPI_FLOAT
#define MOT_R(x)     x##f
#define mot_sqrt     sqrtf
#endif

#endif
