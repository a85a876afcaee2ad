/* How similar an old task is to the new one, as the new one begins: the cosine of the gradients of their losses, of what is held
 * of the old one and of as many samples of the new (Deng et al., arXiv 2506.00205; like Lopez-Paz and Ranzato 2017, eq. 6).
 * Nothing learns, and the gate chooses without noise. Each rank has the gradients of its own units; products of them are
 * summed unit by unit, in the units' order, so that the cosine does not depend on who holds what. */
#include "run_private.h"

#include <math.h>
#include <string.h>

#include "mot/memory.h"

/* Whether this rank answers for a unit. */
static bool is_kept(const run_world *world, const mot_unit *unit)
{
    return mot_unit_keeper(unit) == world->comm->rank && unit->params != NULL;
}

/* Of the units that it answers for, one after another. */
static size_t kept_numbers(const run_world *world)
{
    size_t count = 0;
    for (size_t u = 0; u < world->model.units.count; ++u) {
        const mot_unit *unit = &world->model.units.unit[u];
        if (is_kept(world, unit)) count += unit->table->count;
    }
    return count;
}

/* sum += share * gradient */
static void add_gradient(const run_world *world, double share, mot_real *sum)
{
    for (size_t u = 0; u < world->model.units.count; ++u) {
        const mot_unit *unit = &world->model.units.unit[u];
        if (!is_kept(world, unit)) continue;
        for (size_t i = 0; i < unit->table->count; ++i) *sum++ += (mot_real)share * unit->params->gradient[i];
    }
}

/* The gradient of the mean loss of the first `count` samples of a pool, into sum. Collective. */
static mot_status find_gradient(mot_run *run, int task, const mot_sample_pool *pool, mot_real *sum)
{
    run_world *world = &run->world;
    run_rehearsal *r = &world->rehearsal;
    const mot_config *config = &run->course.config;
    mot_stage_config stage = *mot_stage_at(config, run->course.progress.stage);
    const mot_gidx batch = (mot_gidx)config->train.batch;
    mot_status status = MOT_OK;
    stage.train = config->rehearsal.parts;
    stage.explore = (mot_exploration){.noise = MOT_NOISE_NONE};
    r->look_leg = (mot_leg){1, {*pool, {0}}};
    r->look_leg.pool[0].of_batch = config->train.batch;
    r->look_sampler = (mot_sampler){.batch = config->train.batch, .legs = 1, .leg = &r->look_leg};
    r->look = world->train;
    r->look.augment = NULL;
    r->look.sampler = &r->look_sampler;
    memset(sum, 0, kept_numbers(world) * sizeof *sum);
    for (mot_gidx first = 0; first < pool->count; first += batch) {
        const mot_gidx n = MOT_MIN(batch, pool->count - first);
        const mot_step_task look = {.first = first,
                                    .total = (size_t)n,
                                    .number = run->course.progress.step,
                                    .stage = &stage,
                                    .active = mot_run_active(config, task),
                                    .look = true};
        mot_step_result result;
        MOT_TRY(mot_step_run(world->step, &r->look, &look, mot_signals_asked(), &result));
        mot_run_count_seconds(&run->course, &result);
        add_gradient(world, (double)n / (double)pool->count, sum);
    }
done:
    mot_step_forget(world->step);
    return status;
}

/* part [units, 3]: <a, b>, <a, a>, <b, b> of each unit that this rank answers for. */
static void multiply(const run_world *world, mot_part_set parts, const mot_real *a, const mot_real *b, double *part)
{
    for (size_t u = 0; u < world->model.units.count; ++u, part += 3) {
        const mot_unit *unit = &world->model.units.unit[u];
        memset(part, 0, 3 * sizeof *part);
        if (!is_kept(world, unit)) continue;
        for (size_t row = 0; row < unit->table->rows; ++row) {
            const mot_tensor *tensor = &unit->table->row[row];
            if (!(parts >> tensor->part & 1u)) continue;
            for (size_t i = tensor->offset; i < tensor->offset + tensor->count; ++i) {
                part[0] += (double)a[i] * (double)b[i];
                part[1] += (double)a[i] * (double)a[i];
                part[2] += (double)b[i] * (double)b[i];
            }
        }
        a += unit->table->count;
        b += unit->table->count;
    }
}

/* Collective; 0 where one of them has no length. */
static double cosine_of(const run_world *world, mot_part_set parts, const mot_real *a, const mot_real *b, double *part)
{
    const size_t units = world->model.units.count;
    double sum[3] = {0};
    multiply(world, parts, a, b, part);
    mot_comm_allreduce(world->comm, part, (int)(3 * units), MPI_DOUBLE, MPI_SUM); /* one rank has a unit, others 0 */
    for (size_t i = 0; i < 3 * units; ++i) sum[i % 3] += part[i];
    return sum[1] > 0 && sum[2] > 0 ? sum[0] / sqrt(sum[1] * sum[2]) : 0;
}

mot_status mot_run_compare_tasks(mot_run *run, int task)
{
    run_world *world = &run->world;
    run_rehearsal *r = &world->rehearsal;
    const mot_rehearsal_config *config = &run->course.config.rehearsal;
    const mot_step_work before = *mot_step_measure(world->step);
    const mot_gidx *first = r->stream->first, *held = r->memory.first;
    double *cosine = r->cosine + (size_t)task * (size_t)r->stream->tasks, *part = NULL;
    mot_real *new = NULL, *old = NULL;
    const size_t numbers = MOT_MAX(kept_numbers(world), (size_t)1);
    mot_status status = mot_allocate(&new, numbers, sizeof *new, "gradients of two tasks");
    if (status == MOT_OK) status = mot_allocate(&old, numbers, sizeof *old, "gradients of two tasks");
    if (status == MOT_OK) status = mot_allocate(&part, 3 * world->model.units.count, sizeof *part, "gradients of two tasks");
    MOT_TRY(mot_comm_agree(world->comm, status));
    const mot_sample_pool own = {.count = MOT_MIN(first[task + 1] - first[task], config->cosine_samples), .first = first[task]};
    MOT_TRY(find_gradient(run, task, &own, new));
    for (int t = 0; t < task; ++t) {
        const mot_sample_pool memory = {.count = MOT_MIN(held[t + 1] - held[t], config->cosine_samples),
                                 .index = r->memory.sample + held[t]};
        if (memory.count > 0) MOT_TRY(find_gradient(run, task, &memory, old));
        cosine[t] = memory.count > 0 ? cosine_of(world, config->parts, new, old, part) : 0;
    }
done:
    mot_run_time_evaluation(&run->reporter, world->step, &before);
    mot_free(part);
    mot_free(old);
    mot_free(new);
    return status;
}
