#include "basis.h"

#include <math.h>
#include <string.h>

#include "mot/neuron.h"
#include "mot/types.h"

/* Normal rows, made orthonormal one after the other; twice, since once loses digits when rows are nearly
 * parallel. */
void mot_basis_make(uint64_t seed, mot_random_stream stream, uint32_t purpose, size_t count, size_t width,
                    double *basis)
{
    for (size_t m = 0; m < count; ++m) {
        double *row = basis + m * width;
        for (size_t d = 0; d < width; d += 4) {
            double normal[4];
            const mot_random4 r = mot_random(seed, stream, (uint32_t)m, 0, purpose, (uint32_t)(d / 4));
            mot_normal_pair(r.word[0], r.word[1], normal);
            mot_normal_pair(r.word[2], r.word[3], normal + 2);
            memcpy(row + d, normal, MOT_MIN(width - d, 4) * sizeof(double));
        }
        for (int pass = 0; pass < 2; ++pass) {
            for (size_t k = 0; k < m; ++k) {
                const double part = mot_neuron_sum(row, basis + k * width, width);
                for (size_t d = 0; d < width; ++d) row[d] -= part * basis[k * width + d];
            }
            (void)mot_to_unit(row, width);
        }
    }
}

/* Unit vectors whose cosines are all c: with G = (1 - c) I + c J the signals are the rows of G^(1/2) times
 * the basis, and G^(1/2) = sqrt(1 - c) I + shared J. They need no dimension more than orthonormal ones. */
void mot_basis_correlate(double c, size_t count, size_t width, double *basis)
{
    const double own = sqrt(1 - c), shared = (sqrt(1 - c + c * (double)count) - own) / (double)count;
    for (size_t d = 0; d < width; ++d) {
        double sum = 0;
        for (size_t m = 0; m < count; ++m) sum += basis[m * width + d];
        for (size_t m = 0; m < count; ++m) basis[m * width + d] = own * basis[m * width + d] + shared * sum;
    }
}
