#include "mot/blas.h"

#include <stdio.h>
#include <stdlib.h>

#include <cblas.h>

void mot_blas_init(void)
{
    openblas_set_num_threads(1);
}

const char *mot_blas_name(void)
{
    static char name[160];
    char config[100];
    snprintf(config, sizeof config, "%s", openblas_get_config()); /* "OpenBLAS 0.3.21 NO_LAPACKE ..." */
    char *end = config;
    for (int words = 0; *end != '\0' && !(*end == ' ' && ++words == 2); ++end) continue;
    *end = '\0';
    /* A kernel that the environment asks for is often a slower one, left over from another machine. */
    const char *asked = getenv("OPENBLAS_CORETYPE");
    snprintf(name, sizeof name, "%s, %s kernels%s", config, openblas_get_corename(),
             asked != NULL ? " (set by OPENBLAS_CORETYPE)" : "");
    return name;
}

void mot_gemm(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, mot_real alpha,
              const mot_real *a, size_t lda, const mot_real *b, size_t ldb, mot_real beta, mot_real *c,
              size_t ldc)
{
    if (m == 0 || n == 0) return;
    const CBLAS_TRANSPOSE ta = transpose_a ? CblasTrans : CblasNoTrans;
    const CBLAS_TRANSPOSE tb = transpose_b ? CblasTrans : CblasNoTrans;
#ifdef MOT_DOUBLE
    cblas_dgemm(CblasRowMajor, ta, tb, (blasint)m, (blasint)n, (blasint)k, alpha, a, (blasint)lda, b,
                (blasint)ldb, beta, c, (blasint)ldc);
#else
    cblas_sgemm(CblasRowMajor, ta, tb, (blasint)m, (blasint)n, (blasint)k, alpha, a, (blasint)lda, b,
                (blasint)ldb, beta, c, (blasint)ldc);
#endif
}
