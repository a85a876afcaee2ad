/* x = n ln 2 + r with |r| <= ln 2 / 2: the rounding to n is the addition of 1.5 * 2^52, which leaves n in the lowest bits;
 * e^r = 1 + r + r^2 (...), a polynomial of degree 9 with the least largest error; 2^n by the exponent bits. So few operations
 * leave a processor waiting for results: AT_ONCE vectors take each of them one after another. */
#include "mot/exponentials.h"

#include <math.h>
#include <string.h>

#include "mot/rowops.h"
#include "mot/vector.h"

enum { AT_ONCE = 6, BLOCK = AT_ONCE * MOT_WIDE_LANES };

#define EACH _Pragma("GCC unroll 6") for (int k = 0; k < vectors; ++k)

typedef uint64_t bits __attribute__((vector_size(MOT_VECTOR_BYTES)));

/* `vectors`, a constant where this is inlined, of them. */
static inline __attribute__((always_inline)) void exponentials(const int vectors, mot_wide e[AT_ONCE], const mot_real *out,
                                                               double most)
{
    static const double term[] = {0x1.a16e3477f76abp-16, 0x1.a01b7387b6345p-13, 0x1.6c163be7c46b0p-10, 0x1.1111108e2aaa4p-7,
                                  0x1.5555557def8f5p-5,  0x1.5555555589f12p-3,  0x1.fffffffff13f1p-2,  1, 1};
    const double first = 0x1.710181949f0f5p-19, to_integer = 0x1.8p52;
    mot_wide x[AT_ONCE], n[AT_ONCE], r[AT_ONCE];
    EACH x[k] = mot_wide_larger(mot_wide_all(-700), mot_wide_load(out + k * MOT_WIDE_LANES) - most);
    EACH n[k] = mot_wide_fused(x[k], mot_wide_all(0x1.71547652b82fep0), mot_wide_all(to_integer));
    EACH r[k] = mot_wide_fused(n[k] - to_integer, mot_wide_all(-0x1.62e42fefa39efp-1), x[k]);
    EACH e[k] = mot_wide_all(first);
#pragma GCC unroll 9
    for (size_t t = 0; t < MOT_COUNT(term); ++t)
        EACH e[k] = mot_wide_fused(e[k], r[k], mot_wide_all(term[t]));
    EACH e[k] = (mot_wide)((bits)e[k] + ((bits)n[k] << 52));
}

/* So many numbers go through it, of which those behind `count` are filled up and count for nothing: e^-700. */
static inline __attribute__((always_inline)) void rest_of(const int vectors, mot_real *e, const mot_real *out, size_t count,
                                                          mot_real most, mot_wide *sum)
{
    mot_real rest[BLOCK];
    mot_wide some[AT_ONCE];
    for (int i = 0; i < vectors * MOT_WIDE_LANES; i += MOT_LANES) {
        const size_t left = count > (size_t)i ? count - (size_t)i : 0;
        mot_store(rest + i, left > 0 ? mot_load_first(out + i, left, (mot_real)-INFINITY) : mot_all((mot_real)-INFINITY));
    }
    exponentials(vectors, some, rest, (double)most);
    EACH *sum += some[k];
    if (e == NULL) return;
    EACH mot_wide_store(rest + k * MOT_WIDE_LANES, some[k]);
    for (size_t i = 0; i < count; i += MOT_LANES) mot_store_first(e + i, mot_load(rest + i), count - i);
}

double mot_exponentials(mot_real *e, const mot_real *out, size_t C, mot_real most)
{
    enum { FEW = 2 * MOT_LANES / MOT_WIDE_LANES };
    mot_wide sum = {0};
    size_t c = 0;
    for (; c + BLOCK <= C; c += BLOCK) {
        const int vectors = AT_ONCE;
        mot_wide some[AT_ONCE];
        exponentials(vectors, some, out + c, (double)most);
        EACH sum += some[k];
        if (e != NULL) EACH mot_wide_store(e + c + k * MOT_WIDE_LANES, some[k]);
    }
    if (c < C && C - c <= FEW * MOT_WIDE_LANES)
        rest_of(FEW, e != NULL ? e + c : NULL, out + c, C - c, most, &sum);
    else if (c < C)
        rest_of(AT_ONCE, e != NULL ? e + c : NULL, out + c, C - c, most, &sum);
    double all = 0;
    for (int lane = 0; lane < MOT_WIDE_LANES; ++lane) all += sum[lane];
    return all;
}

double mot_log_sum_exp(const mot_real *x, size_t n)
{
    const mot_real most = mot_row_max(x, n);
    return (double)most + log(mot_exponentials(NULL, x, n, most));
}
