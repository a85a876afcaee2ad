/* Weights that are prepared once a step: by a kind that only copies the first of them, and counts. */
#include "step_private.h"

#include "ck.h"

enum { UNITS = 5, BYTES = 128 };
static int made[UNITS];
static mot_real value[UNITS];
static const mot_real *row[UNITS];

typedef struct copy {
    mot_real first;
    bool learn;
} copy;

static size_t prepared_bytes(const mot_expert_shape *shape)
{
    (void)shape;
    return BYTES;
}

static const void *prepare(const mot_expert_shape *shape, const mot_real *const *weight, mot_arena *arena, bool learn)
{
    copy *to = mot_arena_take(arena, BYTES, 1);
    (void)shape;
    ++made[weight - row];
    *to = (copy){**weight, learn};
    return to;
}

static const mot_expert_kind kind = {.prepared = prepared_bytes, .prepare = prepare};

static const copy *at(const step_prepared *prepared, size_t unit)
{
    return mot_prepared_at(prepared, unit);
}

START_TEST(once_a_step_from_what_the_weights_are_then)
{
    const mot_expert_shape shape = {.precision = MOT_PRECISION_BF16};
    step_prepared prepared;
    mot_threads *threads;
    mot_ck_ok(mot_threads_create(&threads, 3));
    mot_ck_ok(mot_prepared_create(&prepared, &kind, &shape, 2));
    ck_assert_uint_eq(mot_prepared_of_strip(&kind, &shape), 0);
    ck_assert_uint_eq(mot_prepared_of_step(&kind, &shape), BYTES);
    ck_assert_uint_eq(prepared.created, 2 * BYTES);
    for (int u = 0; u < UNITS; ++u) row[u] = &value[u];
    for (int step = 1; step <= 3; ++step) {
        const size_t units = step == 2 ? UNITS : 2;
        for (int u = 0; u < UNITS; ++u) value[u] = (mot_real)(10 * step + u);
        mot_ck_ok(mot_prepared_begin(&prepared, units, step != 3));
        for (size_t u = 0; u < units; ++u) ck_assert_ptr_null(at(&prepared, u)); /* nothing of the step before */
        for (int chunk = 0; chunk < 2; ++chunk)
            for (size_t u = 1; u < units; ++u) {
                mot_prepared_want(&prepared, u, &row[u]);
                if (u % 2 == 0) mot_prepared_make(&prepared, threads);
            }
        mot_prepared_make(&prepared, threads);
        ck_assert_ptr_null(at(&prepared, 0)); /* which nobody wanted */
        for (size_t u = 1; u < units; ++u) {
            ck_assert(at(&prepared, u)->first == value[u]);
            ck_assert_int_eq(at(&prepared, u)->learn, step != 3);
            ck_assert_int_eq(made[u], u == 1 ? step : 1);
        }
    }
    ck_assert_uint_ge(prepared.room, UNITS * BYTES);
    ck_assert_uint_lt(prepared.room, 2 * UNITS * BYTES);
    mot_prepared_free(&prepared);
    mot_threads_destroy(&threads);
}
END_TEST

/* And takes nothing. */
START_TEST(in_fp32_strips_do_it)
{
    const mot_expert_shape shape = {.precision = MOT_PRECISION_FP32};
    step_prepared prepared;
    const size_t held = mot_memory_held();
    mot_ck_ok(mot_prepared_create(&prepared, &kind, &shape, UNITS));
    ck_assert_uint_eq(mot_prepared_of_strip(&kind, &shape), BYTES);
    mot_ck_ok(mot_prepared_begin(&prepared, UNITS, true));
    mot_prepared_want(&prepared, 0, &row[0]);
    ck_assert(mot_prepared_make(&prepared, NULL) == 0);
    ck_assert_ptr_null(mot_prepared_at(&prepared, 0));
    ck_assert_uint_eq(mot_memory_held(), held);
    mot_prepared_free(&prepared);
}
END_TEST

static void prepared_tests(TCase *tcase)
{
    tcase_add_test(tcase, once_a_step_from_what_the_weights_are_then);
    tcase_add_test(tcase, in_fp32_strips_do_it);
}

MOT_CK_MAIN("prepared", prepared_tests)
