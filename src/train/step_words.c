/* Words of texts: which of them units meet in a step, and their rows catch up before anybody reads them (mot/lag.h). */
#include "mot/memory.h"
#include "step_stack.h"

/* Words of a table that a thread takes at a time. */
enum { SLICE = 2048 };

static size_t slices_of(const mot_table *table)
{
    return (mot_table_vocabulary(table) + SLICE - 1) / SLICE;
}

/* ---- a layer whose experts have samples as they are stored ---- */

typedef struct meeting {
    mot_step *step;
    const step_chunk *chunk;
} meeting;

static void note_words(void *context, size_t group, int thread)
{
    const meeting *all = context;
    mot_step *step = all->step;
    const step_chunk *chunk = all->chunk;
    step_worker *worker = &step->worker[thread];
    for (size_t r = chunk->plan.group_first[group]; r < chunk->plan.group_first[group + 1]; ++r) {
        const size_t tokens = mot_batch_decode(&step->format, step->patch, step->shape.width,
                                               mot_step_row_sample(step, chunk, chunk->plan.row[r]),
                                               mot_step_row_bytes(step, chunk, chunk->plan.row[r]), worker->x, worker->id);
        mot_met_words(step->layer->of->met[group], worker->id, tokens);
    }
}

/* A slice of an expert's words, or, where they are tied, of all experts' words. */
static void catch_up_slice(void *context, size_t task, int thread)
{
    (void)thread;
    const meeting *all = context;
    mot_layer *layer = all->step->layer->of;
    const size_t slices = slices_of(&layer->table), from = task % slices * SLICE,
                 to = MOT_MIN(from + SLICE, mot_table_vocabulary(&layer->table));
    if (layer->tied_table.words == 0)
        mot_params_catch_up_met(&layer->own[task / slices], layer->met[task / slices], from, to);
    else
        for (int e = 0; e < layer->local; ++e) mot_params_catch_up_met(&layer->tied, layer->met[e], from, to);
}

void mot_step_meet_words(mot_step *step, const step_chunk *chunk)
{
    const mot_layer *layer = step->layer->of;
    const mot_tensor *words = mot_table_words(&layer->table);
    const size_t local = (size_t)layer->local;
    meeting all = {step, chunk};
    if (words == NULL || !(step->learns >> words->part & 1u)) return;
    const double start = mot_clock_s();
    mot_threads_run(step->threads, local, note_words, &all);
    mot_threads_run(step->threads, slices_of(&layer->table) * (layer->tied_table.words > 0 ? 1 : local), catch_up_slice, &all);
    const double took = mot_clock_s() - start;
    step->work.phase[MOT_PHASE_UPDATE].seconds += took;
    step->work.phase[MOT_PHASE_EXPERT].seconds -= took; /* which the caller's next lap adds */
}

/* ---- any unit ---- */

typedef struct wanted {
    mot_params *params;
    const uint64_t *met;
} wanted;

static void catch_up_wanted(void *context, size_t slice, int thread)
{
    (void)thread;
    const wanted *of = context;
    const size_t from = slice * SLICE;
    mot_params_catch_up_met(of->params, of->met, from, MOT_MIN(from + SLICE, mot_table_vocabulary(of->params->table)));
}

void mot_step_catch_up_met(mot_step *step, mot_params *params, const uint64_t *met)
{
    wanted of = {params, met};
    if (params->table->words > 0) mot_threads_run(step->threads, slices_of(params->table), catch_up_wanted, &of);
}

void mot_step_catch_up(mot_step *step)
{
    const mot_units *units = &step->model->units;
    for (size_t u = 0; u < units->count; ++u) {
        mot_params *params = units->unit[u].params;
        if (params == NULL || params->table->words == 0 || params->lag->updates == 0) continue;
        mot_step_catch_up_met(step, params, NULL);
        mot_params_catch_up(params);
    }
}

/* ---- gradients of strips ---- */

mot_status mot_stack_terms(stack_stage *stage)
{
    static const char *const what = "gradients of strips";
    const size_t count = stage->table->count, need = stage->strips * count, words = mot_table_vocabulary(stage->table),
                 size = mot_met_size(words), more = stage->term_room / count * 5 / 4, strips = MOT_MAX(stage->strips, more);
    mot_status status;
    if (need <= stage->term_room) return MOT_OK;
    mot_free(stage->term);
    mot_free(stage->met);
    stage->term = NULL;
    stage->met = NULL;
    stage->term_room = 0;
    MOT_TRY(mot_allocate(&stage->term, strips * count, sizeof *stage->term, what));
    if (words > 0) MOT_TRY(mot_allocate(&stage->met, strips * size, sizeof *stage->met, what));
    stage->term_room = strips * count;
done:
    return status;
}
