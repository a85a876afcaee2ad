/* attention: how its cost grows with the length of a sample, and what it reaches of a bare product, on one thread.
 *
 *      bench_attention [WIDTH [HEADS [REPEATS [LONGEST]]]]
 *
 * For lengths 256, 512 ... LONGEST: milliseconds of forward and backward of one sample, the least of the repeats, by the thread's own
 * time; GFLOP/s of the six products that they are counted as (2 l^2 D each: forward's two and backward's four, not what is found
 * again); that over a bare product of 512 rows; and the exponent of the time from length to length. Nothing is asserted. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "mot/bare_product.h"
#include "mot/blas.h"
#include "mot/layers.h"
#include "mot/memory.h"
#include "mot/rng.h"

static double cpu_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static mot_real *numbers(size_t count)
{
    mot_real *x = NULL;
    if (mot_allocate(&x, count, sizeof *x, "a sample") != MOT_OK) {
        fprintf(stderr, "%s\n", mot_error_message());
        exit(1);
    }
    for (size_t i = 0; i < count; ++i) {
        double normal[2];
        const mot_random4 random = mot_random(7, MOT_STREAM_TEST, 1, (uint32_t)i, 0, 0);
        mot_normal_pair(random.word[0], random.word[1], normal);
        x[i] = (mot_real)normal[0];
    }
    return x;
}

int main(int count, char **argument)
{
    const size_t D = count > 1 ? strtoul(argument[1], NULL, 10) : 64, H = count > 2 ? strtoul(argument[2], NULL, 10) : 1,
                 longest = count > 4 ? strtoul(argument[4], NULL, 10) : 16384;
    const int repeats = count > 3 ? atoi(argument[3]) : 5;
    mot_bare by;
    const double bare = mot_bare_peak(MOT_PRECISION_FP32, false, false, 512, 512, D / H, 20, 1e-3, &by);
    printf("width %zu, %zu heads; a bare product (%s): %.1f GFLOP/s\n", D, H, mot_bare_name[by], bare / 1e9);
    printf("%8s %12s %12s %10s %8s %9s\n", "tokens", "forward ms", "backward ms", "GFLOP/s", "of bare", "exponent");
    double before = 0;
    for (size_t l = 256; l <= longest; l *= 2) {
        const size_t first[] = {0, l};
        mot_real *qkv = numbers(l * 3 * D), *d_qkv = numbers(l * 3 * D), *out = numbers(l * D), *d_out = numbers(l * D),
                 *prob = numbers(mot_attention_prob(first, 1, l, H) + 1),
                 *scratch = numbers(mot_attention_scratch(MOT_PRECISION_FP32, l, D, H, true));
        double forward = INFINITY, backward = INFINITY;
        for (int i = 0; i < repeats; ++i) {
            const double start = cpu_s();
            mot_attention_forward(MOT_PRECISION_FP32, out, prob, scratch, qkv, first, 1, l, D, H);
            const double middle = cpu_s();
            mot_attention_backward(MOT_PRECISION_FP32, d_qkv, scratch, d_out, out, qkv, prob, first, 1, l, D, H);
            forward = fmin(forward, middle - start);
            backward = fmin(backward, cpu_s() - middle);
        }
        const double all = forward + backward, flops = 6 * 2 * (double)l * (double)l * (double)D;
        printf("%8zu %12.3f %12.3f %10.1f %8.2f", l, 1e3 * forward, 1e3 * backward, 1e-9 * flops / all, flops / all / bare);
        if (before > 0) printf(" %9.2f", log2(all / before));
        printf("\n");
        fflush(stdout);
        before = all;
        mot_real *const all_numbers[] = {qkv, d_qkv, out, d_out, prob, scratch};
        for (size_t i = 0; i < MOT_COUNT(all_numbers); ++i) mot_free(all_numbers[i]);
    }
    return 0;
}
