/* From the samples of all ranks and repeats to figures. */
#include "bench_private.h"

#include <stdio.h>

#include "mot/statistics.h"

bench_figure mot_bench_figure_of(int count, const double *value)
{
    const size_t values = (size_t)count;
    return (bench_figure){mot_median(value, values), mot_quantile(value, values, 0.25),
                          mot_quantile(value, values, 0.75)};
}

void mot_bench_key(int kind, char key[64])
{
    static const char *const names[] = {
        [BENCH_SAMPLES_PER_S] = "samples_per_s",
        [BENCH_STEP_S] = "step_s",
        [BENCH_PRODUCT_FLOPS_PER_S] = "products_flops_per_s",
        [BENCH_TYPICAL_FLOPS_PER_S] = "typical_product_flops_per_s",
        [BENCH_TRIAD_BYTES_PER_S] = "triad_bytes_per_s",
        [BENCH_COPY_BYTES_PER_S] = "copy_bytes_per_s",
    };
    if (kind < BENCH_PHASE_S)
        snprintf(key, 64, "%s", names[kind]);
    else if (kind < BENCH_PHASE_REACHED)
        snprintf(key, 64, "phase.%s_s", mot_phase_name[kind - BENCH_PHASE_S]);
    else
        snprintf(key, 64, "phase.%s_reached", mot_phase_name[kind - BENCH_PHASE_REACHED]);
}

/* Numerator and denominator, which are added up over ranks. */
static void add(const bench_sample *sample, int kind, double *up, double *down)
{
    const int p = kind < BENCH_PHASE_REACHED ? kind - BENCH_PHASE_S : kind - BENCH_PHASE_REACHED;
    *down += kind < BENCH_PHASE_REACHED ? 1 : sample->phase_s[p];
    switch (kind) {
    case BENCH_SAMPLES_PER_S:
    case BENCH_STEP_S:
        *up += sample->step_s;
        break;
    case BENCH_PRODUCT_FLOPS_PER_S:
        *up += sample->product_flops_per_s;
        break;
    case BENCH_TYPICAL_FLOPS_PER_S:
        *up += sample->typical_flops_per_s;
        break;
    case BENCH_TRIAD_BYTES_PER_S:
        *up += sample->triad_bytes_per_s;
        break;
    case BENCH_COPY_BYTES_PER_S:
        *up += sample->copy_bytes_per_s;
        break;
    default:
        *up += kind < BENCH_PHASE_REACHED ? sample->phase_s[p] : sample->limit_s[p];
    }
}

void mot_bench_values(const bench_result *result, int kind, int rank, double *value)
{
    const int first = rank >= 0 ? rank : 0, end = rank >= 0 ? rank + 1 : result->ranks;
    for (int repeat = 0; repeat < result->repeats; ++repeat) {
        double up = 0, down = 0;
        for (int r = first; r < end; ++r)
            add(&result->sample[r * result->repeats + repeat], kind, &up, &down);
        value[repeat] = down > 0 ? up / down : 0;
        if (kind == BENCH_SAMPLES_PER_S) value[repeat] = (double)result->batch / value[repeat];
    }
}
