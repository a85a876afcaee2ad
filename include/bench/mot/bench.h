/* bench.h: how fast a configuration's steps run here, and how fast they could.
 *
 * In one go, and on all ranks at the same time, it is measured in every repeat:
 *      products    the matrix products of the expert kind, at its own shapes and as often as it takes them, and nothing
 *                  between them: GFLOP/s that an expert could reach
 *      triad       a_i = b_i + s c_i over as many bytes as a phase moves: GB/s that it could reach
 *      copy        memcpy likewise
 *      alltoallv   MPI_Alltoallv of the very rows that the last step moved: seconds that an exchange has to take
 *      steps       the program's own, phase by phase (step.h)
 * A phase's limit is the largest of its operations by the products' rate, its bytes by triad or copy, and its rows by
 * alltoallv; what it reached is the limit over the time it took. Times are medians over the repeats; ratios are taken
 * within a repeat, so that a machine that changes its clock spoils a repeat and not the median. */
#ifndef MOT_BENCH_H
#define MOT_BENCH_H

#include "mot/comm.h"
#include "mot/config.h"

enum { MOT_BENCH_MOST_STEPS = 1000000, MOT_BENCH_MOST_REPEATS = 1000 };

typedef struct mot_bench_options {
    int steps, repeats;  /* steps a repeat, 0: as many as take 0.3 s; repeats, at least 1 */
    const char *json;    /* file to write, or NULL */
    bool force;          /* replaces it */
    const char *compare; /* such a file, of another time, or NULL */
} mot_bench_options;

/* Measures and prints; writes options->json and nothing else. MOT_ERR_INPUT when options->json cannot be
 * written (mot_output_check) or is what is read, and when options->compare is no such file, or is of another configuration or another
 * number of ranks: before anything is measured. Collective. */
mot_status mot_bench_run(const mot_comm *comm, const mot_config *config, const mot_bench_options *options);

#endif
