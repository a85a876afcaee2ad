/* Seconds of every rank from one report line to the next, which come to the root with each step's reports anyway. */
#include <string.h>

#include "mot/memory.h"
#include "run_reporter.h"

enum { COMPUTE, EXCHANGE, WAIT, KINDS };

struct run_ranks {
    size_t ranks;
    double *sum;    /* [KINDS, ranks] */
    float *figure;  /* [KINDS, ranks]: the same as the record has them */
    double slowest; /* sum over the steps of the longest computation of a rank */
};

mot_status mot_run_ranks_create(run_reporter *reporter, const run_world *world)
{
    static const char *const what = "seconds of ranks";
    mot_status status;
    MOT_TRY(mot_allocate(&reporter->ranks, 1, sizeof *reporter->ranks, what));
    reporter->ranks->ranks = (size_t)world->comm->size;
    MOT_TRY(mot_allocate(&reporter->ranks->sum, KINDS * reporter->ranks->ranks, sizeof(double), what));
    MOT_TRY(mot_allocate(&reporter->ranks->figure, KINDS * reporter->ranks->ranks, sizeof(float), what));
done:
    return status;
}

void mot_run_ranks_destroy(run_reporter *reporter)
{
    struct run_ranks *const of = reporter->ranks;
    if (of == NULL) return;
    mot_free(of->sum);
    mot_free(of->figure);
    mot_free(of);
    reporter->ranks = NULL;
}

void mot_run_ranks_begin(run_reporter *reporter)
{
    struct run_ranks *const of = reporter->ranks;
    if (of == NULL) return;
    memset(of->sum, 0, KINDS * of->ranks * sizeof *of->sum);
    of->slowest = 0;
}

void mot_run_ranks_add(run_reporter *reporter, const mot_step_result *result)
{
    struct run_ranks *const of = reporter->ranks;
    double slowest = 0;
    for (size_t r = 0; r < of->ranks; ++r) {
        const mot_rank_work *work = &result->rank[r];
        of->sum[COMPUTE * of->ranks + r] += work->compute_s;
        of->sum[EXCHANGE * of->ranks + r] += work->exchange_s;
        of->sum[WAIT * of->ranks + r] += work->wait_s;
        slowest = MOT_MAX(slowest, work->compute_s);
    }
    of->slowest += slowest;
}

mot_status mot_run_ranks_record(const run_reporter *reporter, mot_record *record, mot_gidx step, double interval_s)
{
    const struct run_ranks *const of = reporter->ranks;
    for (size_t i = 0; i < KINDS * of->ranks; ++i) of->figure[i] = (float)of->sum[i];
    return mot_record_ranks(record, &(mot_rank_figures){.step = step,
                                                        .steps = step - reporter->since.step,
                                                        .interval_s = interval_s,
                                                        .slowest_s = of->slowest,
                                                        .compute_s = of->figure + COMPUTE * of->ranks,
                                                        .exchange_s = of->figure + EXCHANGE * of->ranks,
                                                        .wait_s = of->figure + WAIT * of->ranks});
}
