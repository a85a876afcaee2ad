/* An expert's work on the rows of one chunk, tile by tile. */
#include "step_private.h"

#include <string.h>

#include "mot/tokens.h"

/* Rows of the receive buffer become tokens, one sample after another. */
static mot_tile decode_tile(mot_step *step, const step_chunk *chunk, const uint32_t *rows, size_t n)
{
    size_t used = 0;
    step->tile_first[0] = 0;
    for (size_t s = 0; s < n; ++s) {
        const unsigned char *row = chunk->receive + rows[s] * step->row_bytes;
        memcpy(&step->tile_head[s], row, sizeof(row_head));
        used += mot_tokens_decode(&step->format, step->patch, row + sizeof(row_head),
                                  step->tile_x + used * step->shape.width, step->tile_id + used);
        step->tile_first[s + 1] = used;
    }
    const bool texts = step->shape.vocabulary > 0;
    return (mot_tile){n, step->tile_first, texts ? NULL : step->tile_x, texts ? step->tile_id : NULL};
}

/* F = w f, its loss, and d_out = w dF / B; reports the loss and d_weight = <dF, f>. */
static void take_loss(mot_step *step, size_t n)
{
    const size_t C = step->C;
    const mot_real share = 1 / (mot_real)step->batch.total;
    for (size_t s = 0; s < n; ++s) {
        const row_head *head = &step->tile_head[s];
        const mot_real *f = step->tile_out + s * C;
        mot_real *d = step->tile_d_out + s * C, d_weight = 0;
        choice_report *report = mot_step_next_report(step);
        for (size_t c = 0; c < C; ++c) step->combined[c] = head->weight * f[c];
        report->loss = mot_loss(step->loss, C, step->combined, head->label, d, &report->predicted);
        for (size_t c = 0; c < C; ++c) {
            d_weight += d[c] * f[c];
            d[c] *= head->weight * share;
        }
        report->position = head->position;
        report->choice = head->choice;
        report->d_weight = d_weight;
    }
}

static void work_tile(mot_step *step, step_chunk *chunk, int local, const uint32_t *rows, size_t n,
                      expert_work work)
{
    const mot_model *model = step->model;
    const size_t C = step->C, at = (size_t)local * model->table.rows, mark = mot_arena_mark(&step->arena);
    const bool learn = work == WORK_LEARN || work == WORK_LEARN_AGAIN;
    const mot_tile tile = decode_tile(step, chunk, rows, n);
    const double start = mot_clock_s();
    void *kept = model->kind->forward(&model->shape, model->weight + at, &tile, &step->arena, learn,
                                      step->tile_out);

    if (work == WORK_OUTPUTS)
        for (size_t s = 0; s < n; ++s)
            memcpy(chunk->owner + rows[s] * C, step->tile_out + s * C, C * sizeof(mot_real));
    if (work == WORK_LOSS || work == WORK_LEARN) take_loss(step, n);
    if (work == WORK_LEARN_AGAIN)
        for (size_t s = 0; s < n; ++s)
            memcpy(step->tile_d_out + s * C, chunk->owner + rows[s] * C, C * sizeof(mot_real));
    if (learn)
        model->kind->backward(&model->shape, model->weight + at, model->gradient + at, &tile, &step->arena,
                              kept, step->tile_d_out, step->learns);
    mot_arena_rewind(&step->arena, mark);

    step->work.expert_s += mot_clock_s() - start;
    for (size_t s = 0; s < n; ++s)
        step->work.expert_flops += (learn ? 3 : 1) *
                                   model->kind->flops(&model->shape, tile.first[s + 1] - tile.first[s]);
}

void mot_step_experts(mot_step *step, step_chunk *chunk, expert_work work)
{
    const mot_plan *plan = &chunk->plan;
    for (size_t e = 0; e < plan->groups; ++e) {
        for (size_t r = plan->group_first[e]; r < plan->group_first[e + 1]; r += step->tile) {
            const size_t n = MOT_MIN(step->tile, plan->group_first[e + 1] - r);
            work_tile(step, chunk, (int)e, plan->row + r, n, work);
        }
    }
}
