#include "mot/bare_product.h"

#include "mot/blas.h"
#include "mot/clock.h"
#include "mot/memory.h"
#include "mot/product.h"
#include "mot/product_bf16.h"

const char *const mot_bare_name[] = {"openblas", "mot", "mot_bf16"};

int mot_bare_count(mot_precision precision)
{
    return precision == MOT_PRECISION_BF16 ? MOT_BARE_OWN_BF16 + 1 : MOT_BARE_OWN + 1;
}

size_t mot_bare_room(mot_precision precision, size_t m, size_t n, size_t k)
{
    size_t room = MOT_MAX(m * n, MOT_MAX(m * k, k * n));
    if (precision == MOT_PRECISION_BF16) {
        room = MOT_MAX(room, MOT_MAX(mot_left_pairs(m, k), mot_left_transposed_pairs(m, k)));
        room = MOT_MAX(room, mot_right_pairs(k, n));
    }
    return room;
}

void mot_bare_multiply(mot_bare by, bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k,
                       const mot_real *a, const mot_real *b, mot_real *c)
{
    switch (by) {
    case MOT_BARE_OPENBLAS:
        mot_gemm(transpose_a, transpose_b, m, n, k, 1, a, transpose_a ? m : k, b, transpose_b ? k : n, 0, c,
                 n);
        break;
    case MOT_BARE_OWN:
        mot_multiply(&(mot_product){.m = m,
                                    .n = n,
                                    .k = k,
                                    .a = a,
                                    .a_row = transpose_a ? 1 : k,
                                    .a_step = transpose_a ? m : 1,
                                    .b = b,
                                    .ldb = n,
                                    .c = c,
                                    .ldc = n});
        break;
    case MOT_BARE_OWN_BF16:
        mot_multiply_bf16(&(mot_product_bf16){
            .m = m, .n = n, .k = k, .a = a, .transposed = transpose_a, .b = b, .c = c, .ldc = n});
        break;
    case MOT_BARES: break;
    }
}

typedef struct bare_task {
    bool transpose_a, transpose_b;
    size_t m, n, k;
    mot_real *a, *b, *c;
} bare_task;

/* Seconds of one product, of as many as fit into run_s. */
static double run_of(const bare_task *t, mot_bare by, double run_s)
{
    const int batch = (int)(1e6 / (2.0 * (double)t->m * (double)t->n * (double)t->k)) +
                      1; /* between two looks at the clock */
    const double start = mot_clock_s();
    double spent_s = 0;
    int products = 0;
    for (; spent_s < run_s; spent_s = mot_clock_s() - start, products += batch)
        for (int i = 0; i < batch; ++i)
            mot_bare_multiply(by, t->transpose_a, t->transpose_b, t->m, t->n, t->k, t->a, t->b, t->c);
    return spent_s / products;
}

void mot_bare_speeds(mot_precision precision, bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, int runs,
                     double run_s, double speed[MOT_BARES])
{
    const size_t room = mot_bare_room(precision, m, n, k);
    const bare_task task = {transpose_a,
                            transpose_b,
                            m,
                            n,
                            k,
                            mot_calloc(room, sizeof(mot_real)),
                            mot_calloc(room, sizeof(mot_real)),
                            mot_calloc(room, sizeof(mot_real))};
    const int count = mot_bare_count(precision);
    for (int by = 0; by < count; ++by) speed[by] = 0;
    if (task.a == NULL || task.b == NULL || task.c == NULL) goto done;
    for (size_t i = 0; i < room; ++i) {
        task.a[i] = (mot_real)(i % 7) - 3;
        task.b[i] = (mot_real)(i % 5) - 2;
    }
    for (int run = 0; run < runs * count; ++run) {
        const mot_bare turn = (mot_bare)(run % count);
        const double reached = 2.0 * (double)m * (double)n * (double)k / run_of(&task, turn, run_s);
        speed[turn] = MOT_MAX(speed[turn], reached);
    }
done:
    mot_free(task.c);
    mot_free(task.b);
    mot_free(task.a);
}

double mot_bare_peak(mot_precision precision, bool transpose_a, bool transpose_b, size_t m, size_t n,
                     size_t k, int runs, double run_s, mot_bare *by)
{
    double speed[MOT_BARES];
    mot_bare_speeds(precision, transpose_a, transpose_b, m, n, k, runs, run_s, speed);
    *by = MOT_BARE_OPENBLAS;
    for (int other = 1; other < mot_bare_count(precision); ++other)
        if (speed[other] > speed[*by]) *by = (mot_bare)other;
    return speed[*by];
}
