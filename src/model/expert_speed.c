#include "mot/expert_speed.h"

#include <time.h>

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

/* ---- alone ---- */

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

/* ---- in either precision, with all that belongs to it ---- */

enum { ROUNDS = 7, LEAST_ROUNDS = 2 };
static const double run_s = 5e-5, enough_s = 2e-2; /* a run is at least so long; of one product in all */

typedef struct trial {
    mot_real *a, *b, *c, *room, *operands;
} trial;

static size_t largest(const mot_gemm_shape *product, size_t products)
{
    const mot_precision bf16 = MOT_PRECISION_BF16;
    size_t most = 1;
    for (size_t i = 0; i < products; ++i) {
        const mot_gemm_shape p = with_few_rows(product[i]);
        const size_t rooms[] = {p.m * p.k,
                                p.k * p.n,
                                p.m * p.n,
                                mot_factor_room(bf16, p.k, p.n),
                                mot_factor_transposed_room(MOT_PRECISION_FP32, p.k, p.n),
                                mot_factor_transposed_room(bf16, p.k, p.n),
                                mot_mixed_operands(bf16, p.k),
                                mot_mixed_across_operands(bf16, p.m, p.n, p.k)};
        for (size_t r = 0; r < MOT_COUNT(rooms); ++r) most = MOT_MAX(most, rooms[r]);
    }
    return most;
}

/* As an expert takes it. */
static void take(const trial *t, mot_precision precision, const mot_gemm_shape *p)
{
    const mot_mixed mixed = {precision, t->operands};
    if (p->transpose_a) {
        mot_mixed_multiply_across(&mixed, t->c, p->n, t->a, p->m, t->b, p->n, p->m, p->n, p->k, false);
        return;
    }
    const mot_factor b = p->transpose_b ? mot_factor_transposed(precision, t->room, t->b, p->k, p->k, p->n)
                                        : mot_factor_of(precision, t->room, t->b, p->n, p->k, p->n);
    mot_mixed_multiply(
        &mixed, &(mot_mixed_product){
                    .m = p->m, .n = p->n, .k = p->k, .a = t->a, .lda = p->k, .b = b, .c = t->c, .ldc = p->n});
}

/* Of this thread alone: others that want the core must not decide. */
static double thread_s(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static double run_of(const trial *t, mot_precision precision, const mot_gemm_shape *p, int times)
{
    const double start = thread_s();
    for (int i = 0; i < times; ++i) take(t, precision, p);
    return (thread_s() - start) / times;
}

/* In turns, so that whatever else the machine does meets both. */
static void compare(const trial *t, const mot_gemm_shape *p, double seconds[2])
{
    double best[2] = {1e30, 1e30};
    const double start = thread_s();
    const int times = 1 + (int)(run_s / (1e-9 + run_of(t, MOT_PRECISION_FP32, p, 1)));
    for (int round = 0; round < ROUNDS; ++round) {
        if (round >= LEAST_ROUNDS && thread_s() - start > enough_s) break;
        for (int precision = 0; precision < 2; ++precision)
            best[precision] = MOT_MIN(best[precision], run_of(t, (mot_precision)precision, p, times));
    }
    for (int precision = 0; precision < 2; ++precision) seconds[precision] += p->times * best[precision];
}

mot_status mot_precision_measure(const mot_expert_kind *kind, const mot_expert_shape *shape,
                                 double seconds[2])
{
    mot_gemm_shape product[MOT_MOST_GEMMS];
    const size_t products = kind->products(shape, product), room = largest(product, products);
    trial t = {0};
    mot_real **const arrays[] = {&t.a, &t.b, &t.c, &t.room, &t.operands};
    mot_status status = MOT_OK;
    seconds[0] = seconds[1] = 0;
    for (size_t i = 0; i < MOT_COUNT(arrays); ++i)
        MOT_TRY(mot_allocate(arrays[i], room, sizeof(mot_real), "the operands of a measurement"));
    for (size_t i = 0; i < room; ++i) {
        t.a[i] = (mot_real)(i % 7) - 3;
        t.b[i] = (mot_real)(i % 5) - 2;
    }
    for (size_t p = 0; p < products; ++p) {
        const mot_gemm_shape few = with_few_rows(product[p]);
        compare(&t, &few, seconds);
    }
done:
    for (size_t i = 0; i < MOT_COUNT(arrays); ++i) mot_free(*arrays[i]);
    return status;
}
