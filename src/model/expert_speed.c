#include "mot/expert_speed.h"

enum { MOST_ROWS = 512 };

/* So many rows show a product's speed; its operands must not be what the memory of a run peaks with. */
static mot_gemm_shape with_few_rows(mot_gemm_shape p)
{
    size_t *const rows = p.transpose_a ? &p.k : &p.m;
    const size_t few = MOT_MIN(*rows, (size_t)MOST_ROWS);
    p.times *= (double)*rows / (double)few;
    *rows = few;
    return p;
}

enum { PEAK_RUNS = 3 };
static const double peak_run_s = 2e-4;

void mot_yardstick_measure(mot_yardstick *best, const mot_expert_kind *kind, const mot_expert_shape *shape)
{
    mot_gemm_shape product[MOT_MOST_GEMMS];
    const size_t products = kind->products(shape, product);
    double flops = 0, seconds = 0, of[MOT_BARE_OWN_BF16 + 1] = {0};
    mot_bare by = MOT_BARE_OPENBLAS;
    for (size_t i = 0; i < products; ++i) {
        const mot_gemm_shape p = with_few_rows(product[i]);
        const double each = p.times * 2.0 * (double)p.m * (double)p.n * (double)p.k;
        mot_bare fastest;
        const double rate = mot_bare_peak(shape->precision, p.transpose_a, p.transpose_b, p.m, p.n, p.k,
                                          PEAK_RUNS, peak_run_s, &fastest);
        if (!(rate > 0)) return;
        flops += each;
        seconds += each / rate;
        of[fastest] += each;
        if (of[fastest] > of[by]) by = fastest;
    }
    if (flops / seconds > best->flops_per_s) *best = (mot_yardstick){flops / seconds, by};
}
