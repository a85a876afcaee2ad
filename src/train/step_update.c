/* What is done to whole experts, before, while and after they work; each by one thread. */
#include <math.h>
#include <string.h>

#include "mot/optimizer.h"
#include "mot/rowops.h"
#include "step_private.h"

/* Tasks that touch so many numbers in all. Few are sooner done than another thread is awake. */
static void share_out(mot_threads *threads, size_t tasks, size_t numbers, mot_thread_work *work, void *context)
{
    enum { WORTH_NUMBERS = 1 << 16 };
    if (numbers >= WORTH_NUMBERS)
        mot_threads_run(threads, tasks, work, context);
    else
        for (size_t task = 0; task < tasks; ++task) work(context, task, 0);
}

static void zero_expert(void *context, size_t expert, int thread)
{
    (void)thread;
    mot_layer *layer = context;
    mot_layer_clear_expert(layer, (int)expert);
}

void mot_step_zero(mot_step *step)
{
    mot_model *model = step->model;
    for (size_t u = 0; u < model->units.count; ++u) {
        const mot_unit *unit = &model->units.unit[u];
        if (unit->role == MOT_ROLE_GATE && unit->params != NULL)
            mot_table_clear(unit->table, unit->params->gradient, unit->params->met);
    }
    for (int l = 0; l < model->layers; ++l) {
        mot_layer *layer = &model->layer[l];
        share_out(step->threads, (size_t)layer->local, (size_t)layer->local * layer->table.count, zero_expert, layer);
        memset(step->layer[l].added, 0, (size_t)layer->local * sizeof *step->layer[l].added);
    }
}

/* The first strip of a step is the gradient, bit by bit, even where it says -0. */
static void add(mot_real *gradient, const mot_real *strip, size_t count, bool first)
{
    if (first)
        memcpy(gradient, strip, count * sizeof *strip);
    else
        mot_row_add(gradient, strip, count);
}

/* Whether there is a bit in a row. */
static bool is_met(const mot_real *row, size_t count)
{
    static const mot_real none[64];
    for (size_t i = 0; i < count; i += MOT_COUNT(none))
        if (memcmp(row + i, none, MOT_MIN(MOT_COUNT(none), count - i) * sizeof *row) != 0) return true;
    return false;
}

static void add_words(const mot_tensor *of, mot_real *gradient, uint64_t *noted, const mot_real *strip, const uint64_t *met,
                      bool first)
{
    const size_t words = of->shape[0], D = of->shape[1];
    size_t w = met != NULL ? mot_met_next(met, words, 0) : 0;
    for (; w < words; w = met != NULL ? mot_met_next(met, words, w + 1) : w + 1) {
        if (met == NULL && !is_met(strip + w * D, D)) continue;
        mot_met_add(noted, w);
        add(gradient + w * D, strip + w * D, D, first);
    }
}

void mot_step_add_strip(const mot_step *step, const step_layer *layer, size_t local, const mot_real *strip,
                        const uint64_t *met)
{
    const mot_table *table = &layer->of->table;
    mot_real *const *gradient = layer->of->gradient + local * table->rows;
    const bool first = layer->added[local] == 0;
    for (size_t r = 0; r < table->rows; ++r) {
        const mot_tensor *row = &table->row[r];
        if (!(step->learns >> row->part & 1u)) continue;
        if (row == mot_table_words(table))
            add_words(row, gradient[r], layer->of->met[local], strip + row->offset, met, first);
        else
            add(gradient[r], strip + row->offset, row->count, first);
    }
}

mot_status mot_step_learn(const mot_step_task *task, const mot_unit *unit)
{
    const mot_stage_config *stage = task->stage;
    const mot_optimizer_config *config = unit->role == MOT_ROLE_GATE ? &stage->gate : &stage->expert;
    return mot_optimizer_update(config, config->rate * task->factor, stage->train, unit->params, NULL);
}

/* Whether a unit learns here from what experts did: one that saw a sample does, one that saw none stands still; what all
 * hold alike does on every rank. The gate's gradient comes later. */
static bool learns(const mot_step *step, const mot_step_task *task, const mot_unit *unit)
{
    const mot_layer *layer = mot_model_layer_of(step->model, (size_t)(unit - step->model->units.unit));
    if (unit->params == NULL || unit->role == MOT_ROLE_GATE) return false;
    if (unit->owner != MOT_ALIKE && unit->row < task->frozen) return false;
    if (unit->owner == MOT_ALIKE) return unit->table->rows > 0;
    return step->layer[layer - step->model->layer].added[layer->placement.local_index[unit->row]] > 0;
}

/* Lists those, experts first: where one has spoiled what all share, it is named. */
static void find_due(mot_step *step, const mot_step_task *task)
{
    const mot_units *units = &step->model->units;
    step->dues = 0;
    for (int alike = 0; alike < 2; ++alike)
        for (size_t u = 0; u < units->count; ++u)
            if ((units->unit[u].owner == MOT_ALIKE) == alike && learns(step, task, &units->unit[u]))
                step->due[step->dues++] = &units->unit[u];
}

typedef struct update {
    mot_step *step;
    const mot_step_task *task;
} update;

static void update_unit(void *context, size_t due, int thread)
{
    (void)thread;
    const update *all = context;
    all->step->updated[due] = mot_step_learn(all->task, all->step->due[due]);
}

/* What this rank can see before anything learns. */
static mot_status check_finite(const mot_step *step, const mot_step_task *task)
{
    mot_status status = MOT_OK;
    for (size_t r = 0; r < step->reports.count; ++r)
        if (!isfinite(step->reports.report[r].loss))
            return mot_fail(MOT_ERR_NUMERIC, "the loss of the batch's sample %" PRIu32 " is not finite",
                            step->reports.report[r].position);
    for (size_t d = 0; d < step->dues; ++d)
        MOT_TRY(mot_optimizer_check(task->stage->train, step->due[d]->params));
done:
    return status;
}

mot_status mot_step_update(mot_step *step, const mot_step_task *task)
{
    update all = {step, task};
    size_t numbers = 0;
    mot_status status = MOT_OK;
    mot_model_sum_tied(step->model);
    if (task->look) return status;
    find_due(step, task);
    for (size_t d = 0; d < step->dues; ++d) numbers += mot_table_parameters(step->due[d]->table, task->stage->train);
    if (task->careful) MOT_TRY(mot_comm_agree(step->comm, check_finite(step, task)));
    share_out(step->threads, step->dues, numbers, update_unit, &all);
    /* The sentence of a failure stayed with its thread; an update that fails changes nothing, so it fails again. */
    for (size_t d = 0; d < step->dues; ++d)
        if (step->updated[d] != MOT_OK) MOT_TRY(mot_step_learn(task, step->due[d]));
done:
    return status;
}
