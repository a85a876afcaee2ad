/* K > 1: where outputs come home, are combined, and go back as gradients. */
#include "step_private.h"

#include <string.h>

/* Sample s of the chunk, K rows of outputs: F = sum_k w_k f_k in the order of the choices; the gradient of
 * each, w_k dF / B, is written over the output. */
static void combine_sample(mot_step *step, step_chunk *chunk, size_t from, size_t s)
{
    const size_t C = step->C, K = step->layer->K, p = from + s;
    const mot_real *weight = step->layer->choices.weight + p * K;
    const mot_real share = 1 / (mot_real)step->batch.total;
    mot_real *f = step->home.output;
    const mot_sample_note *note = mot_batch_note(&step->batch, p);

    memset(step->home.combined, 0, C * sizeof *step->home.combined);
    for (size_t k = 0; k < K; ++k) {
        mot_payload_unpack(step->layer->wire.outputs, C,
                           mot_exchange_home(&chunk->outputs, &chunk->plan, step->home.row[s * K + k]), f);
        for (size_t c = 0; c < C; ++c) step->home.combined[c] += weight[k] * f[c];
    }
    choice_report said = mot_step_judge(step, step->home.combined, note->target, step->home.d_combined);
    said.position = (uint32_t)p;
    for (size_t k = 0; k < K; ++k) {
        void *row = mot_exchange_home(&chunk->outputs, &chunk->plan, step->home.row[s * K + k]);
        mot_real d_weight = 0;
        mot_payload_unpack(step->layer->wire.outputs, C, row, f);
        for (size_t c = 0; c < C; ++c) {
            d_weight += step->home.d_combined[c] * f[c];
            f[c] = weight[k] * share * step->home.d_combined[c];
        }
        mot_payload_pack(step->layer->wire.outputs, C, f, row);
        choice_report *report = mot_step_next_report(step);
        said.choice = (uint16_t)k;
        said.d_weight = d_weight;
        *report = said;
        mot_step_keep_output(step, report, step->home.combined);
    }
}

void mot_step_combine(mot_step *step, size_t c)
{
    step_chunk *chunk = &step->layer->chunk[c];
    const mot_batch *batch = &step->batch;
    const size_t from = mot_chunk_first(batch, c), count = mot_chunk_first(batch, c + 1) - from;
    mot_layer_find_rows(step, step->layer, chunk);
    for (size_t s = 0; s < count; ++s)
        if (batch->home[from + s] == step->comm->rank) combine_sample(step, chunk, from, s);
}
