#include "mot/alignment.h"

#include <math.h>
#include <string.h>

#include "mot/memory.h"

void mot_gather_neurons(const mot_model *model, double *neuron)
{
    const size_t E = model->layer->gate.experts, D = model->layer->shape.width, T = model->layer->table.rows;
    memset(neuron, 0, E * D * sizeof *neuron);
    for (int local = 0; local < model->layer->local; ++local) {
        const size_t e = (size_t)model->layer->placement.local[model->layer->placement.first[model->comm->rank] + local];
        for (size_t d = 0; d < D; ++d) neuron[e * D + d] = (double)model->layer->weight[(size_t)local * T][d];
    }
    mot_comm_allreduce(model->comm, neuron, (int)(E * D), MPI_DOUBLE, MPI_SUM);
}

void mot_take_directions(const mot_model *model, size_t expert, double *neuron, double *v, double *of_neuron, double *of_v)
{
    const size_t E = model->layer->gate.experts, D = model->layer->shape.width;
    for (size_t d = 0; d < D; ++d) v[d] = (double)model->layer->gate_params.value[d * E + expert];
    *of_neuron = mot_to_unit(neuron, D);
    *of_v = mot_to_unit(v, D);
}

/* Largest [m], and the cosine of the gate beside it [m], with one student more. neuron, v: his directions. */
static void compare(const mot_teacher *teacher, const double *neuron, const double *v, double *largest, double *beside)
{
    const size_t D = teacher->config.width;
    for (size_t j = 0; j < (size_t)teacher->config.experts; ++j) {
        const double cosine = fabs(mot_neuron_sum(neuron, teacher->w + j * D, D));
        if (cosine <= largest[j]) continue;
        largest[j] = cosine;
        beside[j] = mot_neuron_sum(v, teacher->v + j * D, D);
    }
}

mot_status mot_align(const mot_model *model, const mot_teacher *teacher, double *alignment)
{
    const size_t E = model->layer->gate.experts, D = teacher->config.width, m = (size_t)teacher->config.experts;
    double *neuron = NULL, length;
    mot_status status;
    MOT_TRY(mot_comm_agree(model->comm, mot_allocate(&neuron, (E + 1) * D + 2 * m, sizeof *neuron, "alignments")));
    double *const v = neuron + E * D, *const largest = v + D, *const beside = largest + m;
    mot_gather_neurons(model, neuron);
    *alignment = 0;
    if (model->comm->rank == MOT_ROOT) {
        memset(largest, 0, 2 * m * sizeof *largest);
        for (size_t e = 0; e < E; ++e) {
            mot_take_directions(model, e, neuron + e * D, v, &length, &length);
            compare(teacher, neuron + e * D, v, largest, beside);
        }
        for (size_t j = 0; j < m; ++j) *alignment += (largest[j] + beside[j]) / 2 / (double)m;
    }
    mot_comm_bcast(model->comm, alignment, sizeof *alignment, MOT_ROOT);
done:
    mot_free(neuron);
    return status;
}
