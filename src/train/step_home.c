/* K > 1: where outputs come home, are combined, and go back as gradients. */
#include "mot/likelihood.h"
#include "step_private.h"

static bool mixes(const mot_step *step)
{
    return step->layer->of->route->combine == MOT_COMBINE_PROBABILITIES;
}

/* F with what choice k, of that weight, gave; k = 0: F is that alone. */
static void add_part(const mot_step *step, mot_real weight, size_t k, const mot_real *f)
{
    mot_real *F = step->home.combined;
    if (mixes(step))
        mot_likelihood_add(F, k == 0, weight, f, step->C);
    else
        for (size_t c = 0; c < step->C; ++c) F[c] = (k == 0 ? 0 : F[c]) + weight * f[c];
}

/* In the place of what a choice gave, its gradient, of one of B samples; returns d_weight. */
static mot_real part_gradient(const mot_step *step, mot_real weight, mot_real *f)
{
    const mot_real *d_F = step->home.d_combined, share = 1 / (mot_real)step->batch.total;
    mot_real d_weight = 0;
    if (mixes(step)) {
        d_weight = mot_likelihood_backward(f, weight, step->home.combined, d_F, step->C);
        for (size_t c = 0; c < step->C; ++c) f[c] *= share;
        return d_weight;
    }
    for (size_t c = 0; c < step->C; ++c) {
        d_weight += d_F[c] * f[c];
        f[c] = weight * share * d_F[c];
    }
    return d_weight;
}

/* Sample s of the chunk, K rows of outputs: F of them in the order of the choices; the gradient of each is written over
 * the output. */
static void combine_sample(mot_step *step, step_chunk *chunk, size_t from, size_t s)
{
    const size_t C = step->C, K = step->layer->K, p = from + s;
    const mot_real *weight = step->layer->choices.weight + p * K;
    mot_real *f = step->home.output;
    const mot_sample_note *note = mot_batch_note(&step->batch, p);

    for (size_t k = 0; k < K; ++k) {
        mot_payload_unpack(step->layer->wire.outputs, C,
                           mot_exchange_home(&chunk->outputs, &chunk->plan, step->home.row[s * K + k]), f);
        add_part(step, weight[k], k, f);
    }
    choice_report said = mot_step_judge(step, step->home.combined, note->target, step->home.d_combined);
    said.position = (uint32_t)p;
    for (size_t k = 0; k < K; ++k) {
        void *row = mot_exchange_home(&chunk->outputs, &chunk->plan, step->home.row[s * K + k]);
        mot_payload_unpack(step->layer->wire.outputs, C, row, f);
        said.d_weight = part_gradient(step, weight[k], f);
        mot_payload_pack(step->layer->wire.outputs, C, f, row);
        choice_report *report = mot_step_next_report(step);
        said.choice = (uint16_t)k;
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
