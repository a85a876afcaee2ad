/* blas.h: matrix products, by OpenBLAS on one thread.
 *
 * OpenBLAS gives the same bits whatever the alignment of its operands, but not whatever the number of rows; so which
 * rows share a product must be a function of the configuration alone. Row-major everywhere. */
#ifndef MOT_BLAS_H
#define MOT_BLAS_H

#include "mot/real.h"
#include "mot/types.h"

/* One thread for BLAS; ranks and their threads (threads.h) are the parallelism. Call once. */
void mot_blas_init(void);

/* "OpenBLAS 0.3.21, SkylakeX kernels"; static text. */
const char *mot_blas_name(void);

/* C[m, n] = alpha op(A)[m, k] op(B)[k, n] + beta C, with leading dimensions; op transposes where asked. */
void mot_gemm(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, mot_real alpha,
              const mot_real *a, size_t lda, const mot_real *b, size_t ldb, mot_real beta, mot_real *c,
              size_t ldc);

#endif
