/* blas.h: matrix products, by OpenBLAS on one thread.
 *
 * OpenBLAS gives the same bits whatever the alignment of its operands, but not whatever the number of rows; so which
 * rows share a product must be a function of the configuration alone. Row-major everywhere.
 *
 * The library is loaded when it is first needed, once a process, with one thread: ranks and their threads (threads.h) are
 * the parallelism. Its kernels are those that it takes by itself; where the processor can do more than these use, the
 * best ones in their place; or those that OPENBLAS_CORETYPE names. A name that OpenBLAS does not know, or whose kernels
 * the processor cannot run, is a warning, and counts as not set. */
#ifndef MOT_BLAS_H
#define MOT_BLAS_H

#include "mot/comm.h"
#include "mot/real.h"
#include "mot/types.h"

/* Loads the library, where it is not yet. MOT_ERR_FILE: it is not there. May be called from any thread; the first call
 * changes the environment and changes it back, so that one belongs before threads that read it. */
mot_status mot_blas_load(void);

/* The same kernels on every rank, since other kernels are other bits: where they differ, those that the least capable
 * processor of all ranks runs, and a warning says so. Before the first product, or between two that no thread is at;
 * loads. Collective. */
mot_status mot_blas_agree(const mot_comm *comm);

/* From now on (before the library is loaded) kernels that a processor of this x86-64 level (level.h: 1 to 4) can run;
 * below 3, AVX is the most. OPENBLAS_CORETYPE still decides. */
void mot_blas_limit(int level);

/* "OpenBLAS 0.3.21, Cooperlake kernels (chosen by mot; OpenBLAS took Prescott)"; static text. Loads. */
const char *mot_blas_name(void);

/* C[m, n] = alpha op(A)[m, k] op(B)[k, n] + beta C, with leading dimensions; op transposes where asked. Loads; C becomes
 * NaN where the library is not there, which mot_blas_load has a sentence for. */
void mot_gemm(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, mot_real alpha,
              const mot_real *a, size_t lda, const mot_real *b, size_t ldb, mot_real beta, mot_real *c,
              size_t ldc);

#endif
