/* A step through several layers: out to the loss, and back. */
#include "step_stack.h"

#include "model_private.h"

/* The coordinator gets what the record wants of each sample, and nothing goes on unless all ranks have theirs. */
static mot_status begin(mot_step *step, mot_status status, bool stop, bool learn)
{
    const mot_comm *comm = step->comm;
    coordinator *root = &step->root;
    double since = mot_clock_s();
    const rank_note note = {status, stop, (int64_t)mot_batch_note_units(&step->batch), mot_step_sums(step)};
    if (status == MOT_OK) status = mot_stack_home(step);
    if (status == MOT_OK) status = mot_stack_room(step, step->stack->stage, learn);
    enter_meeting(step, MOT_PHASE_LOAD);
    status = mot_comm_agree(comm, status);
    if (status != MOT_OK) return status;
    mot_comm_gather(comm, &note, sizeof note, root->rank);
    mot_step_gather_notes(step);
    lap(step, MOT_PHASE_WAIT, &since);
    if (comm->rank != MOT_ROOT) return MOT_OK;
    step->stop = false;
    for (int r = 0; r < comm->size; ++r) step->stop = step->stop || root->rank[r].stop;
    mot_step_spread_notes(step);
    lap(step, MOT_PHASE_CHOOSE, &since);
    return MOT_OK;
}

static mot_status forward(mot_step *step, const mot_step_task *task, bool learn)
{
    step_stack *stack = step->stack;
    mot_status status = MOT_OK;
    memcpy(stack->holder, step->batch.home, step->batch.total * sizeof *stack->holder);
    for (int i = 0; i < stack->stages; ++i) {
        stack_stage *stage = &stack->stage[i];
        if (stage->layer != NULL) {
            MOT_TRY(mot_stack_hop(step, stage, task, learn));
            continue;
        }
        double since = mot_clock_s();
        enter(MOT_PHASE_EXPERT);
        if (i > 0) stage->in = stage[-1].out;
        if (i == 0 && task->stage != NULL) mot_step_catch_up_met(step, &stage->dense->params, stack->met);
        if (stage->role == MOT_LAYER_HEAD)
            mot_stack_loss(step, stage, learn);
        else
            mot_stack_forward(step, stage, 0, stage->strips, learn);
        lap(step, MOT_PHASE_EXPERT, &since);
    }
done:
    return status;
}

static void backward(mot_step *step, const mot_step_task *task)
{
    for (int i = step->stack->stages - 2; i >= 0; --i) { /* the head has given its gradient */
        stack_stage *stage = &step->stack->stage[i];
        double since = mot_clock_s();
        if (stage->layer != NULL) {
            mot_stack_hop_back(step, stage, task);
            continue;
        }
        enter(MOT_PHASE_EXPERT);
        mot_stack_backward(step, stage, 0, stage->strips);
        lap(step, MOT_PHASE_EXPERT, &since);
    }
}

/* Rows that leave a rank, by the choices that every rank knows. */
static void count_bytes(mot_step *step, const stack_stage *stage, bool learn)
{
    step_layer *layer = stage->layer;
    const size_t K = layer->K;
    const double row = (double)layer->wire.row_bytes, state = (double)layer->wire.output_bytes,
                 round_trip = row + state + (learn ? 2 * state : 0), hop = row + (learn ? state : 0);
    size_t from_holder = 0, from_home = 0;
    for (size_t r = 0; r < step->batch.total * K; ++r) {
        const int owner = layer->of->placement.owner[layer->choices.expert[r]];
        from_holder += stage->held[r / K] != owner;
        from_home += step->batch.home[r / K] != owner;
    }
    layer->bytes = (mot_layer_bytes){(double)from_holder * (K > 1 ? round_trip : hop), (double)from_home * round_trip};
    mot_layer_bytes *sum = &step->work.layer[layer - step->layer];
    sum->moved += layer->bytes.moved;
    sum->there_and_back += layer->bytes.there_and_back;
}

const int *mot_stack_holder(const mot_step *step)
{
    return step->stack->holder;
}

static void sum(mot_step *step, const stack_stage *stage)
{
    mot_dense *dense = stage->dense;
    /* Fewer strips than samples, however many ranks have them. */
    mot_exact_sum(&(exact_sum){step->comm, &dense->table, stage->term, stage->met, stage->strips, step->batch.total,
                               dense->largest, dense->sum},
                  &dense->params);
}

void mot_stack_sum(mot_step *step)
{
    for (int i = 0; i < step->stack->stages; ++i) {
        const stack_stage *stage = &step->stack->stage[i];
        if (stage->dense != NULL) sum(step, stage);
        for (int s = 0; s < stage->shareds; ++s) sum(step, &stage->shared[s]);
    }
}

mot_status mot_stack_step(mot_step *step, const mot_step_task *task, mot_status status, bool stop, bool learn)
{
    status = begin(step, status, stop, learn);
    if (status != MOT_OK) return status;
    if (task->stage != NULL) mot_step_zero(step);
    status = forward(step, task, learn);
    if (status != MOT_OK) return status;
    if (learn) backward(step, task);
    for (int i = 0; i < step->stack->stages; ++i)
        if (step->stack->stage[i].layer != NULL) count_bytes(step, &step->stack->stage[i], learn);
    return status;
}
