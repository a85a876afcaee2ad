/* Experts of a layer that every sample passes beside the chosen ones.
 *
 *      y = x + sum_s (f_s - x) + sum_k w_k (h_k - x)         without residual   y = sum_s f_s + sum_k w_k h_k
 *
 * They work where y is made: K = 1 behind the hop, whose states go on from there, K > 1 where states wait for what comes back,
 * while it travels. So no row travels for them, and with K = 1 none comes back. Their strips are those of the samples there,
 * which are alike on any number of ranks. */
#include "mot/memory.h"
#include "mot/rowops.h"
#include "step_stack.h"

mot_status mot_stack_shared_create(const mot_step *step, stack_stage *stage)
{
    const mot_layer *layer = stage->layer->of;
    const mot_status status = mot_allocate(&stage->shared, (size_t)layer->shared, sizeof *stage->shared, "shared experts");
    if (status != MOT_OK) return status;
    for (; stage->shareds < layer->shared; ++stage->shareds) {
        mot_dense *dense = &step->model->dense[layer->first_shared + stage->shareds];
        stack_stand *where = stack_behind(stage);
        stage->shared[stage->shareds] = (stack_stage){.role = MOT_LAYER_EXPERTS, .kind = dense->kind, .shape = &dense->shape,
                                                      .table = &dense->table, .dense = dense, .of = stage,
                                                      .here = where, .there = where,
                                                      .feature_type = MPI_DATATYPE_NULL, .report_type = MPI_DATATYPE_NULL,
                                                      .row_type = MPI_DATATYPE_NULL};
    }
    return MOT_OK;
}

mot_real *mot_stack_shared_out(const stack_stage *stage, stack_worker *worker, size_t at)
{
    return stage == stage->of->shared ? stage->of->out + at : worker->out;
}

void mot_stack_shared_add(const stack_stage *stage, const stack_worker *worker, size_t at, size_t numbers)
{
    const mot_real *f = worker->out, *x = stage->in + at;
    mot_real *y = stage->of->out + at;
    if (stage == stage->of->shared) return;
    for (size_t i = 0; i < numbers; ++i) y[i] += stage->of->residual ? f[i] - x[i] : f[i];
}

void mot_stack_shared_add_back(const stack_stage *stage, const stack_worker *worker, size_t at, size_t numbers)
{
    mot_real *past = stage->of->past + at;
    if (stage == stage->of->shared)
        memcpy(past, worker->d, numbers * sizeof *past);
    else
        mot_row_add(past, worker->d, numbers);
}
