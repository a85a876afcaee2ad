#include "mot/bench.h"

#include <string.h>

#include "bench_private.h"
#include "mot/clock.h"
#include "mot/memory.h"
#include "mot/output.h"

static const double repeat_s = 0.3; /* what a repeat takes when no number of steps is given */

typedef struct bench {
    const mot_comm *comm;
    const mot_config *config;
    const mot_bench_options *options;
    char *description; /* root */
    bench_file before; /* root */
    mot_run *run;
    bench_limits *limits;
    mot_gidx number; /* steps taken */
    int steps;
    bench_sample *mine, *all; /* [repeats]; [ranks][repeats], root */
} bench;

/* What can be refused is refused before anything is measured. Root. */
static mot_status prepare(bench *b)
{
    const mot_bench_options *options = b->options;
    const mot_data_config *data = &b->config->data;
    const char *const read[] = {options->compare, data->file, data->stream.files};
    mot_status status;
    for (size_t i = 0; i < MOT_COUNT(read); ++i) MOT_TRY(mot_output_apart(options->json, read[i]));
    MOT_TRY(mot_output_check(options->json, MOT_OUTPUT_FILE, options->force));
    MOT_TRY(mot_bench_describe(mot_run_model(b->run), &b->description));
    if (options->compare != NULL) MOT_TRY(mot_bench_read(&b->before, options->compare, b->description, b->comm->size));
done:
    return status;
}

static mot_status take_steps(bench *b, int steps, double *seconds)
{
    mot_step_result result;
    mot_status status = MOT_OK;
    MPI_Barrier(b->comm->mpi);
    const double start = mot_clock_s();
    for (int s = 0; s < steps && status == MOT_OK; ++s) status = mot_run_step(b->run, b->number++, &result);
    *seconds = mot_clock_s() - start;
    return status;
}

/* Warms up, and finds out how many steps a repeat takes where nobody said. */
static mot_status warm_up(bench *b)
{
    double seconds = 0;
    mot_status status;
    MOT_TRY(take_steps(b, BENCH_WARM_UP, &seconds));
    if (b->config->route.rebalance != MOT_REBALANCE_NEVER) MOT_TRY(mot_run_rebalance(b->run));
    MOT_TRY(take_steps(b, BENCH_WARM_UP, &seconds));
    const double steps = 1 + repeat_s * BENCH_WARM_UP / seconds;
    b->steps = b->options->steps > 0 ? b->options->steps : (int)MOT_MIN(steps, (double)MOT_BENCH_MOST_STEPS);
    MPI_Bcast(&b->steps, 1, MPI_INT, MOT_ROOT, b->comm->mpi);
done:
    return status;
}

static mot_status take_repeat(bench *b, bench_sample *sample)
{
    mot_step *step = mot_run_stepper(b->run);
    const mot_step_work before = *mot_step_measure(step);
    double seconds;
    mot_status status;
    MOT_TRY(take_steps(b, b->steps, &seconds));
    const mot_step_work *after = mot_step_measure(step);
    sample->step_s = seconds / b->steps;
    for (int p = 0; p < MOT_PHASES; ++p) {
        sample->phase_s[p] = (after->phase[p].seconds - before.phase[p].seconds) / b->steps;
        sample->flops[p] = (after->phase[p].flops - before.phase[p].flops) / b->steps;
        sample->bytes[p] = (after->phase[p].bytes - before.phase[p].bytes) / b->steps;
    }
    MOT_TRY(mot_bench_limits_measure(b->limits, step, sample));
done:
    return status;
}

static size_t scores_of(const mot_model *model)
{
    size_t experts = 0;
    for (int l = 0; l < model->layers; ++l)
        if (!model->layer[l].gate.kind->spread) experts += (size_t)model->layer[l].experts;
    return model->config->train.batch * experts;
}

static mot_status conclude(bench *b)
{
    const mot_comm *comm = b->comm;
    const mot_bench_options *options = b->options;
    const int bytes = options->repeats * (int)sizeof *b->mine;
    mot_status status = MOT_OK;
    MPI_Gather(b->mine, bytes, MPI_BYTE, b->all, bytes, MPI_BYTE, MOT_ROOT, comm->mpi);
    if (comm->rank == MOT_ROOT) {
        const bench_result result = {.ranks = comm->size,
                                     .repeats = options->repeats,
                                     .steps = b->steps,
                                     .batch = mot_run_model(b->run)->config->train.batch,
                                     .scores = scores_of(mot_run_model(b->run)),
                                     .work = mot_step_measure(mot_run_stepper(b->run)),
                                     .sample = b->all};
        mot_bench_say(&mot_run_model(b->run)->layer->placement, &result);
        if (options->compare != NULL) mot_bench_compare(&b->before, options->compare, &result);
        if (options->json != NULL) status = mot_bench_write(options->json, &result, b->description);
    }
    return mot_comm_agree(comm, status);
}

mot_status mot_bench_run(const mot_comm *comm, const mot_config *config, const mot_bench_options *options)
{
    bench b = {.comm = comm, .config = config, .options = options};
    const size_t repeats = (size_t)options->repeats;
    mot_status status = MOT_OK;
    MOT_TRY(mot_run_open(&b.run, comm, config));
    if (comm->rank == MOT_ROOT) status = prepare(&b);
    MOT_TRY(mot_comm_agree(comm, status));
    status = mot_bench_limits_create(&b.limits, comm, mot_run_model(b.run));
    if (status == MOT_OK) status = mot_allocate(&b.mine, repeats, sizeof *b.mine, "what is measured");
    if (status == MOT_OK && comm->rank == MOT_ROOT)
        status = mot_allocate(&b.all, repeats * (size_t)comm->size, sizeof *b.all, "what is measured");
    MOT_TRY(mot_comm_agree(comm, status));
    mot_run_say(b.run);
    MOT_TRY(warm_up(&b));
    for (size_t r = 0; r < repeats; ++r) MOT_TRY(take_repeat(&b, &b.mine[r]));
    MOT_TRY(conclude(&b));
done:
    mot_free(b.all);
    mot_free(b.mine);
    mot_bench_limits_destroy(&b.limits);
    mot_run_close(&b.run);
    mot_free(b.before.text);
    mot_free(b.description);
    return status;
}
