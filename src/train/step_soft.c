/* Soft routing by a spread gate: every sample goes to every expert, so there is nothing to choose, and no sample travels.
 *
 *            every rank, for all samples and its own experts          home of a sample
 *   load     read (or make) the whole batch
 *   score    directions of the gate come from the coordinator; h_i = g . u_i
 *   expert   forward
 *   combine  outputs  ────────────────── exchange ─────────────────► F = sum_i p_i f_i, in the order of the experts
 *   loss                                                             loss, dF
 *   return   ◄───────────────────────── all gather ──────────────── the same few numbers for all experts
 *   expert   p and d_h of each, backward, update
 *   report   gradients by directions, losses ──► coordinator: update gate
 *
 * What goes home of a (sample, expert) is p_i f_i [C] where p_i is the expert's own affair (sigmoid); else h_i and f_i [C].
 * What comes back of a sample is dF [C] / B; else also log sum_j exp h_j and s = <dF, F> / B, with which
 *
 *      d_f_i = p_i dF,   d_h_i = p_i (1 - p_i) <dF, f_i>;      p_i = exp(h_i - log sum),   d_h_i = p_i (<dF, f_i> - s)
 */
#include "mot/memory.h"
#include "step_private.h"

/* ---- memory ---- */

/* Numbers of all arrays of a step, in one block; *soft gets their places. */
static size_t lay_out(const mot_step *step, step_soft *soft, mot_real *block)
{
    const mot_model *model = step->model;
    const size_t local = (size_t)model->layer->local, E = model->layer->gate.experts, F = model->layer->gate.features, C = step->C,
                 B = step->most, mine = B / (size_t)step->comm->size + 1,
                 root = step->comm->rank == MOT_ROOT ? E * F : 0;
    struct {
        mot_real **array;
        size_t numbers;
    } const all[] = {{&soft->unit, E * F},
                     {&soft->mine, local * F},
                     {&soft->raw, local * F},
                     {&soft->all_raw, root},
                     {&soft->h, local * B},
                     {&soft->f, local * B * C},
                     {&soft->keep, local * B * (model->layer->kind->team != NULL ? model->layer->kind->team->kept : 0)},
                     {&soft->sent, local * B * soft->there},
                     {&soft->got, E * mine * soft->there},
                     {&soft->combined, mine * C},
                     {&soft->sum, mine},
                     {&soft->said, mine * soft->back},
                     {&soft->heard, B * soft->back}};
    size_t used = 0;
    for (size_t i = 0; i < MOT_COUNT(all); ++i) {
        *all[i].array = block + used;
        used += (all[i].numbers / 16 + 1) * 16; /* an empty one, too, has a place of its own: see mot_comm_alltoallv */
    }
    return used;
}

mot_status mot_step_soft_create(mot_step *step)
{
    step_soft *soft = &step->soft;
    const mot_gate_kind *gate = step->model->layer->gate.kind;
    const size_t ranks = (size_t)step->comm->size;
    mot_status status = MOT_OK;
    if (!gate->spread) return MOT_OK;
    soft->on = true;
    soft->coupled = gate->coupled;
    soft->plain = mot_tokens_plain(&step->format) && step->shape.tokens == 1;
    soft->there = step->C + soft->coupled;
    soft->back = step->C + 2 * (size_t)soft->coupled;
    int fits;
    MOT_TRY(mot_mpi_count(step->model->layer->gate.experts * step->most * soft->there, &fits));
    MOT_TRY(mot_allocate(&soft->count, 4 * ranks, sizeof *soft->count, "soft routing"));
    status = mot_step_soft_prepare(step);
done:
    return status;
}

void mot_step_soft_destroy(step_soft *soft)
{
    mot_free(soft->count);
    mot_free(soft->block);
}

mot_status mot_step_soft_prepare(mot_step *step)
{
    step_soft *soft = &step->soft;
    const size_t bytes = mot_step_soft_tile_bytes(step, (size_t)step->model->layer->local);
    mot_status status;
    MOT_TRY(mot_reserve(&soft->block, &soft->room, lay_out(step, soft, soft->block), sizeof(mot_real),
                        "soft routing"));
    (void)lay_out(step, soft, soft->block);
    for (int t = 0; t < mot_threads_count(step->threads); ++t) {
        mot_arena *arena = &step->worker[t].arena;
        if (arena->size >= bytes) continue;
        mot_arena_free(arena);
        MOT_TRY(mot_arena_init(arena, bytes));
    }
    status = mot_prepared_begin(&step->layer->prepared, (size_t)step->model->layer->local, step->learns != 0);
done:
    return status;
}

/* ---- the whole ---- */

void mot_step_soft_notes(mot_step *step)
{
    coordinator *root = &step->root;
    for (size_t p = 0; p < step->batch.total; ++p) {
        const mot_sample_note *note = mot_batch_note(&step->batch, p);
        root->sample[p] = note->index;
        root->label[p] = mot_target_class(&step->loss, note->target);
        root->group[p] = note->group;
    }
}

void mot_step_soft_work(mot_step *step, const mot_step_task *task)
{
    const bool gate = task->stage != NULL && (task->stage->train >> MOT_PART_GATE & 1u);
    double since = mot_clock_s();
    enter_meeting(step, MOT_PHASE_SCORE);
    mot_step_soft_directions(step);
    lap(step, MOT_PHASE_WAIT, &since);
    enter(MOT_PHASE_EXPERT);
    mot_step_soft_forward(step);
    lap(step, MOT_PHASE_EXPERT, &since);
    enter_exchange(MOT_PHASE_COMBINE);
    mot_step_soft_combine(step);
    lap(step, MOT_PHASE_COMBINE, &since);
    enter(MOT_PHASE_LOSS);
    mot_step_soft_losses(step);
    lap(step, MOT_PHASE_LOSS, &since);
    if (gate || step->learns != 0) {
        enter_exchange(MOT_PHASE_RETURN);
        mot_step_soft_return(step);
        lap(step, MOT_PHASE_RETURN, &since);
        enter(MOT_PHASE_EXPERT);
        mot_step_soft_backward(step, gate);
        lap(step, MOT_PHASE_EXPERT, &since);
    }
    if (gate) {
        enter_meeting(step, MOT_PHASE_REPORT);
        mot_step_soft_give_gate(step);
        lap(step, MOT_PHASE_WAIT, &since);
    }
    if (step->comm->rank != MOT_ROOT) step->soft.sent_bytes += step->reports.count * sizeof(choice_report);
}
