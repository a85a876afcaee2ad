/* Where experts look: a sample by itself goes forward once more, as if the expert were to learn from it, and the kind reads what
 * that has kept. So the passes of an evaluation are what they are without it. */
#include "step_private.h"

void mot_step_look(const mot_step *step, const step_layer *layer, const mot_real *const *weight, const mot_tile *tile, size_t s,
                   size_t position, mot_arena *arena, mot_real *out)
{
    const mot_step_attention *wanted = &step->attention[layer - step->layer];
    if (wanted->place == NULL || wanted->place[position] < 0) return;
    const mot_expert_kind *kind = layer->of->kind;
    const mot_expert_shape *shape = &layer->of->shape;
    const size_t maps = shape->config->depth * shape->config->heads, from = tile->first[s], mark = mot_arena_mark(arena),
                 first[] = {0, tile->first[s + 1] - from};
    const mot_tile alone = {.samples = 1,
                            .first = first,
                            .x = tile->x != NULL ? tile->x + from * shape->width : NULL,
                            .id = tile->id != NULL ? tile->id + from : NULL,
                            .prepared = tile->prepared};
    float *value = wanted->value + (size_t)wanted->place[position] * ((maps + 1) * wanted->rows + 1);
    const void *kept = kind->forward(shape, weight, &alone, arena, true, out);
    const size_t rows = kind->look(shape, &alone, arena, kept, 0, value, value + maps * wanted->rows);
    value[(maps + 1) * wanted->rows] = (float)rows;
    mot_arena_rewind(arena, mark);
}
