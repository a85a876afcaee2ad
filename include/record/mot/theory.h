/* theory.h: what is asked of experts where the truth is known, of the tables that evaluations leave in the record: cosines [E, N]
 * of each expert's neuron, or gate, with what each of N kinds has, the experts of a teacher (teacher_w, teacher_v) or the classes of
 * the theory's mixture (neurons). Those of an expert that has gone are no numbers. */
#ifndef MOT_THEORY_H
#define MOT_THEORY_H

#include <stdbool.h>
#include <stddef.h>

/* The cosine above which an expert of a teacher counts as found by a student's neuron, or by a gate. */
#define MOT_THEORY_FOUND 0.9

/* The expert with the largest cosine, or the largest |cosine|, of kind n; E: there are no numbers. */
size_t mot_theory_nearest(const double *cosine, size_t E, size_t N, size_t n, bool magnitude);
/* That cosine, or its magnitude; NaN: there are no numbers. */
double mot_theory_largest(const double *cosine, size_t E, size_t N, size_t n, bool magnitude);

/* The class that an expert's neuron is aligned with most, of its row [N]. With its sign: the gradient 3 (W v)^2 v of a cubic
 * neuron drives it along +v whatever the sign, so a negative alignment first shrinks, and is overtaken. */
size_t mot_theory_class(const double *row, size_t N);
/* Means over the experts, weighted by their samples load [N, E], of that cosine, and of a figure [E]. An expert without samples,
 * or whose figure is no number, does not count; NaN: none does. */
double mot_theory_aligned(const double *cosine, const double *load, size_t E, size_t N);
double mot_theory_mean(const double *figure, const double *load, size_t E, size_t N);

/* Where a value of rows first is at or above `bound`, in `at` [rows], linear between two rows; NaN: nowhere. */
typedef double mot_theory_value(const void *with, size_t row);
double mot_theory_reach(size_t rows, const double *at, mot_theory_value *value, const void *with, double bound);

#endif
