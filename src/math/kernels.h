/* kernels.h: which of OpenBLAS's kernels a processor should run. Private to src/math.
 *
 * OpenBLAS knows processors by their model numbers, and takes kernels of 2004 for an Intel model that is newer than it is.
 * What counts here is what the processor can do, and the operating system lets it. */
#ifndef MOT_KERNELS_H
#define MOT_KERNELS_H

/* What kernels use, from the least: any processor has the first, and one that has a later one has those before. */
typedef enum kernels_set {
    KERNELS_SSE,
    KERNELS_AVX,
    KERNELS_AVX2, /* with FMA */
    KERNELS_AVX512,
    KERNELS_UNKNOWN, /* another architecture, or a name that is not known here: OpenBLAS is right */
} kernels_set;

/* "AVX2" */
extern const char *const mot_kernels_set_name[];

/* Of this processor. */
kernels_set mot_kernels_of_processor(void);
/* Of the kernels that OpenBLAS calls `name`; case does not matter. */
kernels_set mot_kernels_of_name(const char *name);

/* Kernels that every processor that has `set` can run, the same on all of them; NULL of KERNELS_UNKNOWN. */
const char *mot_kernels_common(kernels_set set);
/* The best of them for this processor. */
const char *mot_kernels_best(kernels_set set);

#endif
