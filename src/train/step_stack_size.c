/* What a step through several layers will take. */
#include "step_stack.h"

bool mot_stack_waits(const stack_stage *stage)
{
    return stage->kind->kept != NULL && stage->role != MOT_LAYER_HEAD && !stage->turns;
}

size_t mot_stack_activations(const mot_step *step)
{
    const step_stack *stack = step->stack;
    const size_t batch = step->model->config->train.batch, samples = batch / (size_t)step->comm->size + stack->grain;
    size_t bytes = 0;
    for (int i = 0; i < stack->stages; ++i) {
        const stack_stage *stage = &stack->stage[i];
        const size_t choices = stage->layer != NULL ? stage->layer->K : 1,
                     local = stage->layer != NULL ? (size_t)stage->layer->of->local : 0, /* whose last tiles are not full */
                     tiles = samples * choices / stage->tile + 1 + local;
        if (mot_stack_waits(stage))
            bytes += (tiles + (size_t)stage->shareds * (samples / stage->tile + 1 + local)) * stage->kind->kept(stage->shape);
    }
    return bytes;
}

/* Gradients of the strips of what all hold alike, of so many samples here. */
static size_t term_bytes(const step_stack *stack, const stack_stage *stage, size_t rows)
{
    return (rows / MOT_MIN(stage->strip_rows, stack->grain) + 1) * stage->table->count * sizeof(mot_real);
}

static void count_prepared(mot_step_size *size, const stack_stage *stage)
{
    size->workspace += stage->prepared.created;
    size->guests += stage->prepared.room - stage->prepared.created;
    if (stage->layer != NULL) size->prepared += stage->prepared.bytes;
}

/* Nothing of it but the workers' arenas and prepared weights is there before the first step. */
mot_step_size mot_stack_bytes(const mot_step *step)
{
    const step_stack *stack = step->stack;
    const size_t state = stack->most_rows * stack->D * sizeof(mot_real),
                 rows = step->most / (size_t)step->comm->size + stack->grain;
    mot_step_size size = {.workspace = (size_t)stack->workers * stack->worker[0].arena.size,
                          .exchange = rows * state + (stack->recompute ? 0 : mot_stack_activations(step)),
                          .most_rows = step->most,
                          .dispatch_row = step->layer->wire.row_bytes,
                          .output_row = step->layer->wire.output_bytes};
    for (int i = 0; i < stack->stages; ++i) {
        const stack_stage *stage = &stack->stage[i];
        count_prepared(&size, stage);
        for (int s = 0; s < stage->shareds; ++s) count_prepared(&size, &stage->shared[s]);
        if (stage->dense != NULL) {
            size.exchange += rows * state + term_bytes(stack, stage, rows);
            continue;
        }
        if (stage->shareds > 0)
            size.exchange += rows * state + (size_t)stage->shareds * term_bytes(stack, stage, rows);
        /* In, given, out and their gradient; and a row there and back, on either side. */
        size.exchange += rows * stage->layer->K *
                         (4 * state + 2 * (stage->layer->wire.row_bytes + stage->layer->wire.output_bytes));
    }
    return size;
}
