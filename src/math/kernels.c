#include "kernels.h"

#include <stddef.h>
#include <strings.h>

#include "mot/types.h"

const char *const mot_kernels_set_name[] = {"SSE", "AVX", "AVX2", "AVX-512", "unknown"};

kernels_set mot_kernels_of_processor(void)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return KERNELS_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return KERNELS_AVX2;
    return __builtin_cpu_supports("avx") ? KERNELS_AVX : KERNELS_SSE;
#else
    return KERNELS_UNKNOWN;
#endif
}

kernels_set mot_kernels_of_name(const char *name)
{
    static const struct {
        const char *name;
        kernels_set set;
    } known[] = {
        {"Katmai", KERNELS_SSE},        {"Coppermine", KERNELS_SSE},
        {"Northwood", KERNELS_SSE},     {"Prescott", KERNELS_SSE},
        {"Banias", KERNELS_SSE},        {"Atom", KERNELS_SSE},
        {"Core2", KERNELS_SSE},         {"Penryn", KERNELS_SSE},
        {"Dunnington", KERNELS_SSE},    {"Nehalem", KERNELS_SSE},
        {"Athlon", KERNELS_SSE},        {"Opteron", KERNELS_SSE},
        {"Opteron_SSE3", KERNELS_SSE},  {"Barcelona", KERNELS_SSE},
        {"Bobcat", KERNELS_SSE},        {"Nano", KERNELS_SSE},
        {"Sandybridge", KERNELS_AVX},   {"Bulldozer", KERNELS_AVX},
        {"Piledriver", KERNELS_AVX2},   {"Steamroller", KERNELS_AVX2},
        {"Excavator", KERNELS_AVX2},    {"Haswell", KERNELS_AVX2},
        {"Zen", KERNELS_AVX2},          {"SkylakeX", KERNELS_AVX512},
        {"Cooperlake", KERNELS_AVX512}, {"SapphireRapids", KERNELS_AVX512},
    };
    for (size_t k = 0; k < MOT_COUNT(known); ++k)
        if (strcasecmp(known[k].name, name) == 0) return known[k].set;
    return KERNELS_UNKNOWN;
}

const char *mot_kernels_common(kernels_set set)
{
    static const char *const names[] = {"Prescott", "Sandybridge", "Haswell", "SkylakeX", NULL};
    return names[set];
}

/* Cooperlake's sums are SkylakeX's, compiled for more instructions; OpenBLAS takes them for itself where they are there. */
const char *mot_kernels_best(kernels_set set)
{
#ifdef __x86_64__
    if (set == KERNELS_AVX2 && __builtin_cpu_is("amd")) return "Zen";
    if (set == KERNELS_AVX512 && __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni"))
        return "Cooperlake";
#endif
    return mot_kernels_common(set);
}
