/* choose: what it costs to choose experts, a sample after another on one thread.
 *
 *      bench_choose [EXPERTS [TOP_K [SAMPLES [spread|alike [REPEATS]]]]]
 *
 * Nanoseconds a score (a sample and an expert) without noise and with each kind of it, the least of the repeats, by the thread's own
 * time, and a sum of what was chosen. `alike`: all scores are 0. Nothing is asserted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mot/choose.h"
#include "mot/memory.h"
#include "mot/rng.h"

static double cpu_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static size_t number(int count, char **argument, int at, size_t otherwise)
{
    return count > at ? strtoul(argument[at], NULL, 10) : otherwise;
}

int main(int count, char **argument)
{
    const size_t E = number(count, argument, 1, 1024), K = number(count, argument, 2, 1), n = number(count, argument, 3, 1024),
                 repeats = number(count, argument, 5, 9);
    const bool alike = count > 4 && strcmp(argument[4], "alike") == 0;
    const mot_gate_kind *kind = mot_gate_kind_at(mot_kinds_find(&mot_gate_kinds, "linear"));
    mot_real *h, *bias, *weight, *p;
    int32_t *expert;
    if (E < 1 || E > MOT_MAX_EXPERTS || K < 1 || K > E || mot_allocate(&h, n * E, sizeof *h, "scores") != MOT_OK ||
        mot_allocate(&bias, E, sizeof *bias, "bias") != MOT_OK || mot_allocate(&weight, n * K, sizeof *weight, "weights") != MOT_OK ||
        mot_allocate(&p, n * E, sizeof *p, "probabilities") != MOT_OK ||
        mot_allocate(&expert, n * K, sizeof *expert, "choices") != MOT_OK)
        return 1;
    memset(bias, 0, E * sizeof *bias);
    for (size_t b = 0; b < n; ++b)
        mot_normal_row(7, MOT_STREAM_TEST, (const uint32_t[]){(uint32_t)b, 0, 0, 0}, alike ? 0 : 1, h + b * E, E);
    printf("%zu experts, %zu of them, %zu samples, ns a score:", E, K, n);
    for (int noise = MOT_NOISE_NONE; noise <= MOT_NOISE_GAUSSIAN; ++noise) {
        mot_route_config config = {.top_k = (int)K, .scale = MOT_SCALE_CHOSEN};
        mot_choice_batch batch = {.n = n, .E = E, .K = K, .h = h, .bias = bias, .seed = 3, .expert = expert, .weight = weight, .p = p};
        double least = 1e9, sum = 0;
        config.explore.noise = (mot_noise)noise;
        config.explore.noise_scale = 1;
        for (size_t i = 0; i < repeats; ++i) {
            const double start = cpu_s();
            sum = mot_choose(&config, kind, &batch, 0, n).entropy;
            least = MOT_MIN(least, cpu_s() - start);
        }
        for (size_t i = 0; i < n * K; ++i) sum += (double)(i % 1009 + 1) * expert[i];
        printf("  %s %.2f (%.17g)", (const char *[]){"none", "uniform", "gumbel", "gaussian"}[noise], 1e9 * least / (double)(n * E), sum);
    }
    printf("\n");
    mot_free(h);
    mot_free(bias);
    mot_free(weight);
    mot_free(p);
    mot_free(expert);
    return 0;
}
