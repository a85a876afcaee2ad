/* The optimizers against their plain formulas, in double, number by number. */
#include <math.h>
#include <string.h>

#include "ck.h"
#include "mot/optimizer.h"
#include "mot/rng.h"

enum { STEPS = 7, MOST = 256 };

static mot_table table;

static void make_table(void)
{
    memset(&table, 0, sizeof table);
    mot_ck_ok(mot_table_add(&table, "embed_weight", MOT_PART_EMBED, 2, (size_t[]){5, 7}, 0, 0.3, true));
    mot_ck_ok(mot_table_add(&table, "block0/in_weight", MOT_PART_FFN, 2, (size_t[]){3, 17}, 0, 0.3, true));
    mot_ck_ok(mot_table_add(&table, "block0/in_bias", MOT_PART_FFN, 1, (size_t[]){17}, 0.1, 0, false));
    mot_ck_ok(mot_table_add(&table, "weight", MOT_PART_HEAD, 2, (size_t[]){7, 3}, 0, 0.3, true));
    ck_assert(table.count <= MOST);
}

static double gradient_at(int step, size_t i)
{
    return sin(1.7 * (double)i + 0.9 * step) * (i % 5 == 0 ? 3 : 0.2);
}

typedef struct twin {
    double w[MOST], m[MOST], v[MOST], g[MOST];
    int updates;
} twin;

/* The same update as the page of formulas says it. */
static void plain(const mot_optimizer_config *c, double rate, mot_part_set parts, twin *t)
{
    double square = 0;
    for (size_t r = 0; r < table.rows; ++r)
        for (size_t i = 0; (parts >> table.row[r].part & 1u) && i < table.row[r].count; ++i)
            square += t->g[table.row[r].offset + i] * t->g[table.row[r].offset + i];
    const double norm = sqrt(square);
    if (c->kind == MOT_NORMALIZED_GD && norm == 0) return;
    double scale = c->kind == MOT_NORMALIZED_GD ? 1 / norm : 1;
    if (c->clip > 0 && norm * scale > c->clip) scale = c->clip / norm;
    ++t->updates;
    for (size_t r = 0; r < table.rows; ++r) {
        if (!(parts >> table.row[r].part & 1u)) continue;
        const double decay = table.row[r].decay ? c->weight_decay : 0;
        for (size_t i = table.row[r].offset; i < table.row[r].offset + table.row[r].count; ++i) {
            const double g = scale * t->g[i];
            if (c->kind == MOT_ADAMW) {
                t->m[i] = c->beta1 * t->m[i] + (1 - c->beta1) * g;
                t->v[i] = c->beta2 * t->v[i] + (1 - c->beta2) * g * g;
                const double m = t->m[i] / (1 - pow(c->beta1, t->updates)),
                             v = t->v[i] / (1 - pow(c->beta2, t->updates));
                t->w[i] -= rate * (m / (sqrt(v) + c->epsilon) + decay * t->w[i]);
            } else {
                t->m[i] = c->momentum * t->m[i] + g + decay * t->w[i];
                t->w[i] -= rate * t->m[i];
            }
        }
    }
}

static const struct {
    mot_optimizer_config config;
    mot_part_set parts;
} cases[] = {
    {{.kind = MOT_SGD}, ~0u},
    {{.kind = MOT_SGD, .momentum = 0.9}, ~0u},
    {{.kind = MOT_SGD, .momentum = 0.9, .weight_decay = 0.1}, ~0u},
    {{.kind = MOT_SGD, .weight_decay = 0.1, .clip = 0.5}, ~0u},
    {{.kind = MOT_SGD, .clip = 1e6}, ~0u},
    {{.kind = MOT_SGD, .momentum = 0.5, .clip = 0.01}, 1u << MOT_PART_FFN},
    {{.kind = MOT_NORMALIZED_GD}, ~0u},
    {{.kind = MOT_NORMALIZED_GD, .momentum = 0.5, .weight_decay = 0.01}, ~0u},
    {{.kind = MOT_NORMALIZED_GD, .clip = 0.3}, 1u << MOT_PART_HEAD},
    {{.kind = MOT_ADAMW, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8}, ~0u},
    {{.kind = MOT_ADAMW, .beta1 = 0.9, .beta2 = 0.95, .epsilon = 1e-3, .weight_decay = 0.1, .clip = 1}, ~0u},
    {{.kind = MOT_ADAMW, .beta1 = 0, .beta2 = 0, .epsilon = 1e-4},
     1u << MOT_PART_EMBED | 1u << MOT_PART_HEAD},
};

START_TEST(follows_its_formula)
{
    const mot_optimizer_config *config = &cases[_i].config;
    const mot_part_set parts = cases[_i].parts;
    static twin t;
    mot_params params, fresh;
    make_table();
    memset(&t, 0, sizeof t);
    mot_ck_ok(mot_params_create(&params, &table, 2));
    mot_ck_ok(mot_params_create(&fresh, &table, 2));
    mot_params_init(&params, 5);
    mot_params_init(&fresh, 5);
    for (size_t i = 0; i < table.count; ++i) t.w[i] = params.value[i];
    for (int s = 0; s < STEPS; ++s) {
        const double rate = 0.05 / (1 + s);
        double norm, square = 0;
        for (size_t i = 0; i < table.count; ++i) t.g[i] = params.gradient[i] = (mot_real)gradient_at(s, i);
        for (size_t r = 0; r < table.rows; ++r)
            for (size_t i = 0; (parts >> table.row[r].part & 1u) && i < table.row[r].count; ++i)
                square += pow(params.gradient[table.row[r].offset + i], 2);
        mot_ck_ok(mot_optimizer_update(config, rate, parts, &params, &norm));
        ck_assert_double_eq_tol(norm, sqrt(square), 1e-9 * sqrt(square));
        plain(config, rate, parts, &t);
    }
    ck_assert_int_eq(params.updates, STEPS);
    for (size_t r = 0; r < table.rows; ++r) {
        const size_t from = table.row[r].offset, bytes = table.row[r].count * sizeof(mot_real);
        for (size_t i = from; i < from + table.row[r].count; ++i)
            ck_assert_msg(fabs(params.value[i] - t.w[i]) <= 1e-5 * (fabs(t.w[i]) + 0.1),
                          "%s[%zu] is %.9g, expected %.9g", table.row[r].name, i - from, params.value[i],
                          t.w[i]);
        if (parts >> table.row[r].part & 1u) {
            ck_assert(memcmp(params.value + from, fresh.value + from, bytes) != 0);
            continue;
        }
        /* Frozen: value and state are what they were, to the bit. */
        ck_assert(memcmp(params.value + from, fresh.value + from, bytes) == 0);
        for (int m = 0; m < 2; ++m)
            ck_assert(memcmp(params.moment[m] + from, fresh.moment[m] + from, bytes) == 0);
    }
    mot_params_free(&params);
    mot_params_free(&fresh);
}
END_TEST

START_TEST(steps_have_the_length_of_the_rate)
{
    mot_params params, before;
    make_table();
    mot_ck_ok(mot_params_create(&params, &table, 0));
    mot_ck_ok(mot_params_create(&before, &table, 0));
    const mot_optimizer_config normalized = {.kind = MOT_NORMALIZED_GD};
    /* The second is so short that its inverse is beyond float. */
    static const double lengths[] = {1e-3, 1e-40};
    for (size_t l = 0; l < MOT_COUNT(lengths); ++l) {
        mot_params_init(&params, 5);
        mot_params_init(&before, 5);
        for (size_t i = 0; i < table.count; ++i)
            params.gradient[i] = (mot_real)(lengths[l] * gradient_at(1, i));
        mot_ck_ok(mot_optimizer_update(&normalized, 0.25, ~0u, &params, NULL));
        double square = 0;
        for (size_t i = 0; i < table.count; ++i)
            square += pow((double)params.value[i] - (double)before.value[i], 2);
        ck_assert_double_eq_tol(sqrt(square), 0.25, 1e-5);
    }

    /* No gradient: normalized descent stands still, and does not count the update. */
    mot_params_zero_gradient(&params);
    memcpy(before.value, params.value, table.count * sizeof(mot_real));
    mot_ck_ok(mot_optimizer_update(&normalized, 0.25, ~0u, &params, NULL));
    ck_assert(memcmp(before.value, params.value, table.count * sizeof(mot_real)) == 0);
    ck_assert_int_eq(params.updates, 1);
    mot_params_free(&params);
    mot_params_free(&before);
}
END_TEST

START_TEST(names_a_gradient_that_is_not_finite)
{
    static const struct {
        int unit;
        const char *name;
    } units[] = {{MOT_UNIT_GATE, "the gate"}, {MOT_UNIT_TIED, "the tied tensors"}, {3, "expert 3"}};
    static const double bad[] = {NAN, INFINITY, -INFINITY};
    const mot_optimizer_config config = {.kind = MOT_ADAMW, .beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-8};
    make_table();
    for (size_t u = 0; u < 3; ++u) {
        mot_params params, before;
        mot_ck_ok(mot_params_create(&params, &table, units[u].unit));
        mot_ck_ok(mot_params_create(&before, &table, units[u].unit));
        mot_params_init(&params, 1);
        mot_params_init(&before, 1);
        params.gradient[table.row[2].offset + 16] = (mot_real)bad[u];
        ck_assert_int_eq(mot_optimizer_update(&config, 0.1, ~0u, &params, NULL), MOT_ERR_NUMERIC);
        ck_assert_ptr_nonnull(strstr(mot_error_message(), units[u].name));
        ck_assert_ptr_nonnull(strstr(mot_error_message(), "block0/in_bias"));
        ck_assert(memcmp(params.value, before.value, table.count * sizeof(mot_real)) == 0);
        ck_assert_int_eq(params.updates, 0);
        /* A part that is frozen may hold anything. */
        mot_ck_ok(mot_optimizer_update(&config, 0.1, 1u << MOT_PART_HEAD, &params, NULL));
        mot_params_free(&params);
        mot_params_free(&before);
    }
}
END_TEST

START_TEST(forgets_at_a_stage)
{
    const mot_optimizer_config config = {.kind = MOT_ADAMW, .beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-8};
    mot_params params;
    make_table();
    mot_ck_ok(mot_params_create(&params, &table, 0));
    mot_params_init(&params, 1);
    for (size_t i = 0; i < table.count; ++i) params.gradient[i] = 1;
    mot_ck_ok(mot_optimizer_update(&config, 0.1, ~0u, &params, NULL));
    ck_assert(params.moment[0][0] != 0 && params.moment[1][0] != 0);
    mot_optimizer_reset(&params);
    ck_assert_int_eq(params.updates, 0);
    for (size_t i = 0; i < table.count; ++i) ck_assert(params.moment[0][i] == 0 && params.moment[1][i] == 0);
    mot_params_free(&params);
}
END_TEST

/* ---- rows of words that updates pass by ---- */

enum { WORDS = 41, PASSES = 1300 }; /* more updates than are remembered */

static void make_words(size_t width)
{
    memset(&table, 0, sizeof table);
    mot_ck_ok(mot_table_add(&table, "position", MOT_PART_EMBED, 1, (size_t[]){3}, 0, 0.3, true));
    mot_ck_ok(mot_table_add(&table, "embed_weight", MOT_PART_EMBED, 2, (size_t[]){WORDS, width}, 0, 0.3, true));
    mot_table_by_word(&table);
    mot_ck_ok(mot_table_add(&table, "weight", MOT_PART_HEAD, 2, (size_t[]){7, 3}, 0, 0.3, true));
}

/* Words are met in each step, now and then, once, or never. */
static bool is_met(int step, size_t word)
{
    if (word % 4 == 0) return false;
    if (word % 4 == 1) return step == 2 * (int)word;
    return mot_random(7, MOT_STREAM_TEST, (uint32_t)step, (uint32_t)word, 0, 0).word[0] % (word * word * word / 40 + 1) == 0;
}

/* Gradients of very different sizes, -0 and 0 among them. */
static mot_real gradient_of(int step, size_t i)
{
    const mot_random4 random = mot_random(7, MOT_STREAM_TEST, (uint32_t)step, (uint32_t)i, 1, 0);
    const double x = mot_uniform(random.word[0]) - 0.5;
    return (mot_real)(random.word[1] % 9 == 0 ? -0.0 : ldexp(x, -(int)(random.word[2] % 30)));
}

static double rate_at(int step)
{
    return step % 97 == 0 ? 0 : 0.02 * (1 + sin(0.01 * step));
}

static const struct {
    mot_optimizer_config config;
    size_t width;
} late_cases[] = {
    {{.kind = MOT_ADAMW, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8}, 64},
    {{.kind = MOT_ADAMW, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0.01, .clip = 1}, 7},
    {{.kind = MOT_ADAMW, .beta1 = 0.9, .beta2 = 0.95, .epsilon = 1e-3, .weight_decay = 1}, 48},
    {{.kind = MOT_ADAMW, .beta1 = 0.3, .beta2 = 0.5, .epsilon = 1e-30, .weight_decay = 0.1}, 33},
    {{.kind = MOT_ADAMW, .beta1 = 0, .beta2 = 0, .epsilon = 1e-8}, 1},
    {{.kind = MOT_ADAMW, .beta1 = 0.999, .beta2 = 0.9, .epsilon = 1e-8, .weight_decay = 40}, 16},
    {{.kind = MOT_SGD, .weight_decay = 0.1}, 20},
    {{.kind = MOT_SGD, .momentum = 0.9, .weight_decay = 0.1, .clip = 0.5}, 64},
    {{.kind = MOT_NORMALIZED_GD, .momentum = 0.5}, 5},
};

static bool same_state(const mot_params *a, const mot_params *b)
{
    const size_t bytes = table.count * sizeof(mot_real);
    return a->updates == b->updates && memcmp(a->value, b->value, bytes) == 0 &&
           memcmp(a->moment[0], b->moment[0], bytes) == 0 && memcmp(a->moment[1], b->moment[1], bytes) == 0;
}

/* A unit whose rows all take every update, and one whose rows catch up. */
START_TEST(rows_that_are_passed_by_catch_up_to_the_bit)
{
    mot_params all, late;
    make_words(late_cases[_i].width);
    const mot_tensor *of = mot_table_words(&table);
    mot_ck_ok(mot_params_create(&all, &table, 2));
    mot_ck_ok(mot_params_create(&late, &table, 2));
    mot_params_init(&all, 5);
    mot_params_init(&late, 5);
    static const double odd[] = {0, -0.0, 1e-30, -1e-42};
    for (size_t i = 0; i < of->count; i += 5)
        all.value[of->offset + i] = late.value[of->offset + i] = (mot_real)odd[i % MOT_COUNT(odd)];
    for (int s = 0; s < PASSES; ++s) {
        mot_optimizer_config config = late_cases[_i].config;
        double norm, late_norm;
        if (s >= 400) config.clip = 2; /* another stage, with another rule */
        if (s >= 400 && config.kind == MOT_ADAMW) config.beta2 = (1 + config.beta2) / 2;
        mot_params_zero_gradient(&all);
        mot_table_clear(&table, late.gradient, late.met);
        for (size_t i = 0; i < table.count; ++i) {
            const bool word = i >= of->offset && i < of->offset + of->count;
            const size_t w = (i - of->offset) / of->shape[1];
            if (word && !is_met(s, w)) continue;
            if (word) mot_met_add(late.met, w);
            all.gradient[i] = late.gradient[i] = gradient_of(s, i);
        }
        const mot_part_set parts = s % 50 == 49 ? 1u << MOT_PART_HEAD : ~0u;
        mot_ck_ok(mot_optimizer_update(&config, rate_at(s), parts, &all, &norm));
        mot_ck_ok(mot_optimizer_update(&config, rate_at(s), parts, &late, &late_norm));
        ck_assert(norm == late_norm);
        for (size_t w = 0; w < WORDS; ++w)
            if (is_met(s, w) && parts == ~0u)
                ck_assert(memcmp(all.value + of->offset + w * of->shape[1], late.value + of->offset + w * of->shape[1],
                                 of->shape[1] * sizeof(mot_real)) == 0);
        if (s == 150 || s == 399) mot_params_catch_up(&late);
        if (s == 150 || s == 399) ck_assert(same_state(&all, &late));
    }
    ck_assert(late.lag->updates > 0 && !same_state(&all, &late)); /* there is something to catch up with */
    mot_params_catch_up(&late);
    ck_assert(same_state(&all, &late));
    mot_params_free(&all);
    mot_params_free(&late);
}
END_TEST

static void optimizer_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, follows_its_formula, 0, (int)(sizeof cases / sizeof *cases));
    tcase_add_test(tcase, steps_have_the_length_of_the_rate);
    tcase_add_test(tcase, names_a_gradient_that_is_not_finite);
    tcase_add_test(tcase, forgets_at_a_stage);
    tcase_add_loop_test(tcase, rows_that_are_passed_by_catch_up_to_the_bit, 0, (int)MOT_COUNT(late_cases));
}

MOT_CK_MAIN("optimizer", optimizer_tests)
