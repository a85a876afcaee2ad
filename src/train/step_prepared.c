/* Experts' weights as their kind wants them for many tiles, made once a step. */
#include "step_private.h"

#include "mot/memory.h"

/* In fp32 a strip's thread packs them for itself, in its arena: there is less to do, and copies of all experts would take as much
 * memory as the experts. In bf16 a tile takes them rounded whatever is done. */
static bool once_a_step(const mot_expert_kind *kind, const mot_expert_shape *shape)
{
    return kind->prepared != NULL && shape->precision == MOT_PRECISION_BF16;
}

size_t mot_prepared_of_strip(const mot_expert_kind *kind, const mot_expert_shape *shape)
{
    return once_a_step(kind, shape) ? 0 : mot_expert_prepared(kind, shape);
}

size_t mot_prepared_of_step(const mot_expert_kind *kind, const mot_expert_shape *shape)
{
    return once_a_step(kind, shape) ? mot_expert_prepared(kind, shape) : 0;
}

mot_status mot_prepared_create(step_prepared *prepared, const mot_expert_kind *kind, const mot_expert_shape *shape, size_t units)
{
    *prepared = (step_prepared){.kind = kind, .shape = shape, .bytes = mot_prepared_of_step(kind, shape)};
    const mot_status status = mot_prepared_begin(prepared, units, false);
    prepared->created = prepared->room;
    return status;
}

void mot_prepared_free(step_prepared *prepared)
{
    mot_free(prepared->block);
    mot_free(prepared->unit);
    mot_free(prepared->due);
}

mot_status mot_prepared_begin(step_prepared *prepared, size_t units, bool learn)
{
    static const char *const what = "weights rounded for products in bf16";
    mot_status status = MOT_OK;
    if (prepared->bytes == 0) return MOT_OK;
    prepared->learn = learn;
    prepared->units = prepared->dues = 0;
    MOT_TRY(mot_reserve(&prepared->unit, &prepared->unit_room, units, sizeof *prepared->unit, what));
    MOT_TRY(mot_reserve(&prepared->due, &prepared->due_room, units, sizeof *prepared->due, what));
    MOT_TRY(mot_reserve(&prepared->block, &prepared->room, units * prepared->bytes, 1, what)); /* a quarter more, not 16 units */
    for (; prepared->units < units; ++prepared->units) prepared->unit[prepared->units] = (prepared_unit){0};
done:
    return status;
}

void mot_prepared_want(step_prepared *prepared, size_t unit, const mot_real *const *weight)
{
    if (prepared->bytes == 0) return;
    assert(unit < prepared->units);
    if (prepared->unit[unit].weight != NULL) return;
    prepared->unit[unit].weight = weight;
    prepared->due[prepared->dues++] = unit;
}

const void *mot_prepared_for(const step_prepared *prepared, strip_prepared *before, mot_arena *arena, const mot_real *const *weight,
                             size_t unit, size_t tiles, bool learn)
{
    const void *made = mot_prepared_at(prepared, unit);
    if (made != NULL) return made;
    if (before->made == NULL || before->unit != unit) {
        mot_arena_rewind(arena, 0);
        *before = (strip_prepared){mot_expert_prepare(prepared->kind, prepared->shape, weight, arena, tiles, learn), unit};
    }
    return before->made;
}

void mot_prepared_forget(strip_prepared *before, mot_arena *arena)
{
    before->made = NULL;
    mot_arena_rewind(arena, 0);
}

static void make_one(void *context, size_t task, int thread)
{
    (void)thread;
    const step_prepared *prepared = context;
    const size_t number = prepared->due[task];
    prepared_unit *unit = &prepared->unit[number];
    mot_arena room = {.base = prepared->block + number * prepared->bytes, .size = prepared->bytes};
    const double start = mot_clock_s();
    unit->made = prepared->kind->prepare(prepared->shape, unit->weight, &room, prepared->learn);
    unit->seconds = mot_clock_s() - start;
}

double mot_prepared_make(step_prepared *prepared, mot_threads *threads)
{
    double seconds = 0;
    if (prepared->dues == 0) return 0;
    mot_threads_run(threads, prepared->dues, make_one, prepared);
    for (size_t i = 0; i < prepared->dues; ++i) seconds += prepared->unit[prepared->due[i]].seconds;
    prepared->dues = 0;
    return seconds;
}
