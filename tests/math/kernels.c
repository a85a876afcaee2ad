/* kernels: prints what mot says of OpenBLAS, once a product by it is right. Compiled for any processor, so that it runs
 * under qemu as well (kernels.sh). */
#include <math.h>
#include <stdio.h>

#include "mot/blas.h"

int main(void)
{
    enum { M = 5, N = 7, K = 9 };
    float a[M * K], b[K * N], c[M * N];
    if (mot_blas_load() != MOT_OK) {
        printf("%s\n", mot_error_message());
        return 2;
    }
    for (int i = 0; i < M * K; ++i) a[i] = (float)(i % 7) - 3;
    for (int i = 0; i < K * N; ++i) b[i] = (float)(i % 5) - 2;
    mot_gemm(false, false, M, N, K, 1, a, K, b, N, 0, c, N);
    for (int i = 0; i < M; ++i)
        for (int j = 0; j < N; ++j) {
            float want = 0; /* of small integers: exact in any order */
            for (int k = 0; k < K; ++k) want += a[i * K + k] * b[k * N + j];
            if (c[i * N + j] != want) {
                printf("[%d, %d] is %g, not %g\n", i, j, (double)c[i * N + j], (double)want);
                return 1;
            }
        }
    printf("%s\n", mot_blas_name());
    return 0;
}
