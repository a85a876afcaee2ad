/* The gate's logits against plain formulas in double. */
#include "mot/gate.h"

#include "bench.h"

enum { E = 5, HIDDEN = 4, C = 7, MOST = 3, MOST_U = C * MOST, n = BENCH_SAMPLES }; /* classes: MOST prototypes each */

static mot_gate gate;
static mot_gate_config config;
static mot_params params;
static bench_batch batch;
static float g[n * BENCH_TOKENS * BENCH_WIDTH], h[n * E], kept[n * (2 * MOST_U + E) + MOST_U];

static void begin_with(const char *kind, mot_gate_input input, bool text, size_t prototypes)
{
    bench_batch_init(&batch, text);
    config = (mot_gate_config){.kind = mot_kinds_find(&mot_gate_kinds, kind),
                               .input = input,
                               .hidden = HIDDEN,
                               .prototypes = prototypes,
                               .init = 0.5};
    mot_ck_ok(
        mot_gate_init(&gate, &config, E, BENCH_TOKENS, text ? 0 : BENCH_WIDTH, text ? BENCH_VOCABULARY : 0, C));
    mot_ck_ok(mot_params_create(&params, &gate.table, MOT_UNIT_GATE));
    gradient_fill_params(&params, 60);
}

static void begin(const char *kind, mot_gate_input input, bool text)
{
    begin_with(kind, input, text, 1);
}

/* What the gate sees of a sample: one number a feature. A text is a bag of words. */
static void features(double *v, size_t s)
{
    const size_t from = batch.first[s], rows = batch.first[s + 1] - from;
    const double scale = config.input == MOT_GATE_MEAN ? 1 / (double)rows : 1;
    for (size_t i = 0; i < gate.features; ++i) v[i] = 0;
    for (size_t t = 0; t < rows; ++t) {
        if (batch.text) v[batch.id[from + t]] += scale;
        for (size_t i = 0; i < BENCH_WIDTH && !batch.text; ++i)
            v[config.input == MOT_GATE_FLAT ? t * BENCH_WIDTH + i : i] +=
                scale * (double)batch.x[(from + t) * BENCH_WIDTH + i];
    }
}

static void affine(double *y, const double *x, size_t K, size_t M, size_t row, bool bias)
{
    const float *w = params.value + gate.table.row[row].offset;
    for (size_t i = 0; i < M; ++i) {
        y[i] = bias ? (double)params.value[gate.table.row[row + 1].offset + i] : 0;
        for (size_t k = 0; k < K; ++k) y[i] += x[k] * (double)w[k * M + i];
    }
}

/* Of a prototype: as the params have it, or the first. */
static size_t expert_of(size_t u)
{
    const float *member = params.value + gate.table.row[3].offset + u * E;
    for (size_t e = 0; e < E; ++e)
        if (member[e] == 1) return e;
    return 0;
}

static double twin_error(void)
{
    double worst = 0;
    for (size_t s = 0; s < n; ++s) {
        double v[BENCH_TOKENS * BENCH_WIDTH], up[HIDDEN], want[E];
        features(v, s);
        if (strcmp(gate.kind->kind.name, "mlp") == 0) {
            affine(up, v, gate.features, HIDDEN, 0, true);
            for (size_t i = 0; i < HIDDEN; ++i)
                up[i] = 0.5 * up[i] * (1 + tanh(sqrt(2 / M_PI) * (up[i] + 0.044715 * pow(up[i], 3))));
            affine(want, up, HIDDEN, E, 2, true);
        } else if (strcmp(gate.kind->kind.name, "classes") == 0) {
            const size_t U = C * config.prototypes;
            double z[MOST_U], sum[E] = {0};
            affine(z, v, gate.features, U, 0, true);
            for (size_t u = 0; u < U; ++u) sum[expert_of(u)] += exp(z[u]);
            for (size_t i = 0; i < E; ++i) want[i] = sum[i] > 0 ? log(sum[i]) : (double)-1e30f;
        } else {
            affine(want, v, gate.features, E, 0, false);
        }
        for (size_t i = 0; i < E; ++i) worst = fmax(worst, fabs((double)h[s * E + i] - want[i]));
        for (size_t i = 0; i < E; ++i) ck_assert(isfinite(h[s * E + i]));
    }
    return worst;
}

START_TEST(logits_are_the_formulas)
{
    double worst = 0;
    static const char *const kinds[] = {"linear", "mlp", "classes"};
    for (size_t kind = 0; kind < MOT_COUNT(kinds); ++kind)
        for (int input = MOT_GATE_MEAN; input <= MOT_GATE_FLAT; ++input)
            for (int text = 0; text < (input == MOT_GATE_FLAT ? 1 : 2); ++text) {
                const size_t prototypes = text ? MOST : 1;
                begin_with(kinds[kind], (mot_gate_input)input, text, prototypes);
                for (size_t u = 0; kind == 2 && u < C * prototypes; ++u) /* 1: of two experts; 3: of one; 2: of none */
                    for (size_t e = 0; e < E; ++e)
                        params.value[gate.table.row[3].offset + u * E + e] = u % 3 != 2 && e == 1 + 2 * (u % 3);
                ck_assert_uint_eq(mot_gate_row(&gate), text                     ? BENCH_TOKENS
                                                       : input == MOT_GATE_FLAT ? BENCH_TOKENS * BENCH_WIDTH
                                                                                : BENCH_WIDTH);
                ck_assert_uint_le(mot_gate_kept(&gate, n), MOT_COUNT(kept));
                for (size_t i = 0; i < MOT_COUNT(g); ++i) g[i] = NAN;
                for (size_t s = 0; s < n && !text; ++s)
                    mot_gate_features(&gate, g + s * mot_gate_row(&gate),
                                      batch.x + batch.first[s] * BENCH_WIDTH,
                                      batch.first[s + 1] - batch.first[s], BENCH_WIDTH);
                mot_gate_forward(&gate, &params, n, text ? NULL : g, text ? batch.padded : NULL, h, kept);
                worst = fmax(worst, twin_error());
                mot_params_free(&params);
            }
    /* Sums of at most 15 and 4 products of order one. */
    printf("gate: %.1e off its twin\n", worst);
    ck_assert_double_le(worst, (15 + 4) * 4 * 0x1p-24);
}
END_TEST

START_TEST(a_text_without_words_is_the_bias)
{
    begin("linear", MOT_GATE_MEAN, true);
    memset(batch.padded, 0, sizeof batch.padded);
    mot_gate_forward(&gate, &params, n, NULL, batch.padded, h, NULL);
    for (size_t i = 0; i < n * E; ++i) ck_assert(h[i] == 0);
    mot_params_free(&params);
}
END_TEST

START_TEST(controls_learn_nothing)
{
    static const char *const kinds[] = {"fixed", "random", "even"};
    for (size_t kind = 0; kind < MOT_COUNT(kinds); ++kind) {
        begin(kinds[kind], MOT_GATE_SUM, false);
        ck_assert(!mot_gate_learns(&gate));
        ck_assert_uint_eq(gate.table.rows, 0);
        ck_assert_uint_eq(mot_gate_kept(&gate, n), 0);
        for (size_t i = 0; i < n * E; ++i) h[i] = NAN;
        mot_gate_forward(&gate, &params, n, g, NULL, h, NULL);
        for (size_t i = 0; i < n * E; ++i) ck_assert(h[i] == 0);
        mot_gate_backward(&gate, &params, n, g, NULL, h, NULL, NULL);
        mot_params_free(&params);
    }
}
END_TEST

START_TEST(learners_have_their_tensors)
{
    begin("linear", MOT_GATE_SUM, true);
    ck_assert(mot_gate_learns(&gate));
    ck_assert_uint_eq(mot_table_parameters(&gate.table, 1u << MOT_PART_GATE), BENCH_VOCABULARY * E);
    mot_params_free(&params);
    begin("mlp", MOT_GATE_FLAT, false);
    ck_assert_uint_eq(mot_table_parameters(&gate.table, 1u << MOT_PART_GATE),
                      BENCH_TOKENS * BENCH_WIDTH * HIDDEN + HIDDEN + HIDDEN * E + E);
    mot_params_free(&params);

    /* init = 0: all logits start at 0, whatever the sample. */
    config.init = 0;
    mot_ck_ok(mot_gate_init(&gate, &config, E, BENCH_TOKENS, BENCH_WIDTH, 0, C));
    mot_ck_ok(mot_params_create(&params, &gate.table, MOT_UNIT_GATE));
    mot_params_init(&params, 1);
    gradient_fill(g, MOT_COUNT(g), 1, 0, 1);
    mot_gate_forward(&gate, &params, n, g, NULL, h, kept);
    for (size_t i = 0; i < n * E; ++i) ck_assert(h[i] == 0);
    mot_params_free(&params);
}
END_TEST

/* What it gave the samples of each prototype, the latest the most, is noted down, and only when that is asked for; a sample is of
 * its class's prototypes as they share its probability. */
static void check_count(size_t P)
{
    static const int32_t label[n] = {0, 1, 2, 0, -1, 6, 2};
    const size_t U = C * P;
    double want[MOST_U][MOST_U] = {0};
    begin_with("classes", MOT_GATE_SUM, false, P);
    float *confusion = params.value + gate.table.row[2].offset;
    memset(confusion, 0, U * U * sizeof *confusion);
    gradient_fill(g, MOT_COUNT(g), 1, 0, 1);
    for (int round = 0; round < 3; ++round) {
        params.value[0] += 0.5f; /* it learns in between */
        mot_gate_forward(&gate, &params, n, g, NULL, h, kept);
        for (size_t u = 0; u < U; ++u)
            for (size_t v = 0; v < U; ++v) want[u][v] *= 0.99;
        for (size_t s = 0; s < n; ++s) {
            const float *z = kept + s * U;
            double all = 0, own = 0;
            if (label[s] < 0) continue;
            for (size_t u = 0; u < U; ++u) {
                all += exp((double)z[u]);
                own += u / P == (size_t)label[s] ? exp((double)z[u]) : 0;
            }
            for (size_t u = (size_t)label[s] * P; u < ((size_t)label[s] + 1) * P; ++u)
                for (size_t v = 0; v < U; ++v) want[u][v] += 0.01 * exp((double)z[u]) / own * exp((double)z[v]) / all / n;
        }
        mot_gate_learn_labels(&gate, &params, n, label, true, kept);
    }
    mot_gate_forward(&gate, &params, n, g, NULL, h, kept);
    mot_gate_learn_labels(&gate, &params, n, label, false, kept);
    for (size_t i = 0; i < U * U; ++i) ck_assert_double_eq_tol((double)confusion[i], want[i / U][i % U], 1e-7);
    mot_params_free(&params);
}

START_TEST(what_is_confused_is_counted)
{
    check_count(1);
    check_count(MOST);
}
END_TEST

/* Alike they would stay, so of several prototypes none begins as another one. */
START_TEST(prototypes_begin_apart)
{
    config = (mot_gate_config){.kind = mot_kinds_find(&mot_gate_kinds, "classes"), .prototypes = MOST};
    mot_ck_ok(mot_gate_init(&gate, &config, E, BENCH_TOKENS, BENCH_WIDTH, 0, C));
    mot_ck_ok(mot_params_create(&params, &gate.table, MOT_UNIT_GATE));
    mot_params_init(&params, 1);
    for (size_t u = 0; u < MOST_U; ++u)
        for (size_t v = 0; v < u; ++v) ck_assert(params.value[u] != params.value[v]);
    mot_params_free(&params);
}
END_TEST

/* Classes c and c + 3 are confused: of as many experts as there are such pairs, each gets one. */
START_TEST(confused_classes_go_to_one_expert)
{
    mot_gate_groups made = {0};
    begin("classes", MOT_GATE_SUM, false);
    float *confusion = params.value + gate.table.row[2].offset, *member = params.value + gate.table.row[3].offset;
    for (size_t b = 0; b < C; ++b)
        for (size_t c = 0; c < C; ++c) confusion[b * C + c] = b == c ? 0.6f : b % 3 == c % 3 ? 0.3f : 0.01f;
    mot_ck_ok(gate.kind->group(&params, 1, &made));
    ck_assert_uint_eq(made.prototypes, C);
    ck_assert_uint_eq(made.groups, 3);
    for (size_t c = 0; c < C; ++c)
        for (size_t e = 0; e < E; ++e) ck_assert(member[c * E + e] == (e == c % 3 ? 1.0f : 0.0f));
    mot_params_free(&params);
}
END_TEST

START_TEST(flat_texts_are_refused)
{
    config = (mot_gate_config){.kind = 0, .input = MOT_GATE_FLAT};
    ck_assert_int_eq(mot_gate_init(&gate, &config, E, BENCH_TOKENS, 0, BENCH_VOCABULARY, C), MOT_ERR_INPUT);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "gate.input"));
}
END_TEST

START_TEST(a_table_of_too_many_classes_is_refused)
{
    config = (mot_gate_config){.kind = mot_kinds_find(&mot_gate_kinds, "classes"), .prototypes = 2};
    ck_assert_int_eq(mot_gate_init(&gate, &config, E, BENCH_TOKENS, BENCH_WIDTH, 0, 50000), MOT_ERR_INPUT);
    ck_assert_ptr_nonnull(strstr(mot_error_message(), "50000 classes with 2 prototypes each is 37.3 GiB"));
}
END_TEST

static void gate_tests(TCase *tcase)
{
    tcase_add_test(tcase, logits_are_the_formulas);
    tcase_add_test(tcase, a_text_without_words_is_the_bias);
    tcase_add_test(tcase, controls_learn_nothing);
    tcase_add_test(tcase, learners_have_their_tensors);
    tcase_add_test(tcase, what_is_confused_is_counted);
    tcase_add_test(tcase, prototypes_begin_apart);
    tcase_add_test(tcase, confused_classes_go_to_one_expert);
    tcase_add_test(tcase, flat_texts_are_refused);
    tcase_add_test(tcase, a_table_of_too_many_classes_is_refused);
}

MOT_CK_MAIN("gate", gate_tests)
