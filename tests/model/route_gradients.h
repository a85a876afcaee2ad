/* route_gradients.h: gradients of the gate, of the choice's weights with the balance losses, and of the
 * mixture as a whole, as training does it; the double build checks them, then the float build.
 *
 *      gate      L = <h, fixed>                of one that learns from labels: + the cross-entropy of z
 *      weights   L = <w, fixed> + balance losses
 *      mixture   L = mean_b loss(sum_k w_bk f_bk, label_b) + balance losses
 *                or of log sum_k w_bk softmax(f_bk) (likelihood.h)
 *
 * The choice is not differentiable: it must stay as it was, which every evaluation of the loss asserts. */
#include "bench.h"
#include "choosing.h"
#include "mot/gate.h"
#include "mot/likelihood.h"
#include "mot/loss.h"
#include "own_kinds.h"

enum { E = 4, n = BENCH_SAMPLES, C = BENCH_OUTPUTS, MOST_PROTOTYPES = 3, TILE = 2 };

typedef enum route_loss { OF_GATE, OF_WEIGHTS, OF_MIXTURE } route_loss;

typedef struct mixture {
    route_loss what;
    mot_gate gate;
    mot_gate_config gate_config;
    mot_route_config route;
    mot_choice_batch choice;
    mot_params params;
    bench_batch batch;
    mot_loss loss;
    float numbers[n * C]; /* targets that are no classes */
    bench_expert expert[E];
    bench_tile tile;
    mot_real *start, *kept;
    mot_real g[n * BENCH_TOKENS * BENCH_WIDTH];
    mot_real h[n * E], bias[E], p[n * E], weight[n * E], d_weight[n * E], d_h[n * E], fixed[n * E];
    int32_t chosen[n * E], chosen_first[n * E], group[n];
    bool chosen_before;
    mot_real f[n * E * C], d_f[n * E * C];
} mixture;

static mixture m;
static gradient_case c;

static double inner(const mot_real *x, const mot_real *y, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; ++i) sum += (double)x[i] * (double)y[i];
    return sum;
}

/* ---- experts ---- */

/* Runs expert e over all samples that chose it, tile by tile: forward into f, or with `learn` backward from
 * d_f. */
static void run_expert(int e, bool learn)
{
    const size_t K = m.choice.K;
    size_t row[n], sample[n], rows = 0;
    for (size_t r = 0; r < n * K; ++r)
        if (m.chosen[r] == e) {
            row[rows] = r;
            sample[rows++] = r / K;
        }
    bench_expert *expert = &m.expert[e];
    for (size_t from = 0; from < rows; from += TILE) {
        const size_t samples = MOT_MIN((size_t)TILE, rows - from), mark = mot_arena_mark(&expert->arena);
        mot_real out[TILE * C], d_out[TILE * C];
        bench_gather(&m.tile, &m.batch, sample + from, samples);
        void *kept = bench_forward(expert, &m.tile.tile, learn, out);
        for (size_t s = 0; s < samples; ++s) {
            if (learn)
                memcpy(d_out + s * C, m.d_f + row[from + s] * C, C * sizeof *d_out);
            else
                memcpy(m.f + row[from + s] * C, out + s * C, C * sizeof *out);
        }
        if (learn) bench_backward(expert, &m.tile.tile, kept, d_out);
        mot_arena_rewind(&expert->arena, mark);
    }
}

/* sum_k w_k f_k, its loss, and back: d f_k = w_k dF, d w_k = <dF, f_k>. */
static double combine_loss(size_t b)
{
    const size_t K = m.choice.K;
    const bool mixes = m.route.combine == MOT_COMBINE_PROBABILITIES;
    const mot_real *w = m.weight + b * K, *f = m.f + b * K * C;
    mot_real F[C] = {0}, d_F[C];
    for (size_t k = 0; k < K; ++k)
        if (mixes)
            mot_likelihood_add(F, k == 0, w[k], f + k * C, C);
        else
            for (size_t i = 0; i < C; ++i) F[i] += w[k] * f[k * C + i];
    const void *target = m.loss.classes > 0 ? (const void *)&m.batch.label[b] : &m.numbers[b * C];
    const double loss = m.loss.kind->value(&m.loss, F, target, d_F);
    for (size_t k = 0; k < K && mixes; ++k) {
        mot_real d[C];
        memcpy(d, f + k * C, sizeof d);
        m.d_weight[b * K + k] = mot_likelihood_backward(d, w[k], F, d_F, C) / n;
        for (size_t i = 0; i < C; ++i) m.d_f[(b * K + k) * C + i] = d[i] / n;
    }
    for (size_t k = 0; k < K && !mixes; ++k) {
        m.d_weight[b * K + k] = 0;
        for (size_t i = 0; i < C; ++i) {
            m.d_weight[b * K + k] += d_F[i] * f[k * C + i] / n;
            m.d_f[(b * K + k) * C + i] = w[k] * d_F[i] / n;
        }
    }
    return loss / n;
}

/* ---- the loss ---- */

static void choose(void)
{
    mot_choose(&m.route, m.gate.kind, &m.choice, 0, n);
    if (!m.chosen_before) memcpy(m.chosen_first, m.chosen, sizeof m.chosen);
    m.chosen_before = true;
    ck_assert_msg(memcmp(m.chosen_first, m.chosen, n * m.choice.K * sizeof *m.chosen) == 0,
                  "%s: the choice changed: this batch is too close to a tie", c.name);
}

/* Of a gate that learns from labels: mean_b (log sum_u exp z_bu - log sum_{u of the class} exp z_bu), by its product alone. */
static double label_loss(const mot_real *g, const int32_t *id)
{
    const mot_tensor *row = m.gate.table.row;
    const size_t P = m.gate_config.prototypes, U = C * P;
    mot_real z[n * C * MOST_PROTOTYPES];
    double loss = 0;
    if (m.gate.kind->learn_labels == NULL) return 0;
    mot_gate_product(&m.gate, n, g, id, m.params.value + row[0].offset, m.params.value + row[1].offset, U, z);
    for (size_t b = 0; b < n; ++b) {
        double sum = 0, own = 0;
        for (size_t u = 0; u < U; ++u) {
            sum += exp((double)z[b * U + u]);
            own += u / P == (size_t)m.batch.label[b] ? exp((double)z[b * U + u]) : 0;
        }
        loss += (log(sum) - log(own)) / n;
    }
    return loss;
}

static void learn_gate(const mot_real *g, const int32_t *id)
{
    mot_gate_learn_labels(&m.gate, &m.params, n, m.batch.label, false, m.kept);
    mot_gate_backward(&m.gate, &m.params, n, g, id, m.d_h, m.kept, NULL);
}

static double mixture_loss(void *context, bool learn)
{
    (void)context;
    const size_t K = m.choice.K;
    const int32_t *id = m.batch.text ? m.batch.padded : NULL;
    const mot_real *g = m.batch.text ? NULL : m.g;
    double loss = bench_start(&m.params, m.start, learn);
    mot_gate_forward(&m.gate, &m.params, n, g, id, m.h, m.kept);
    loss += label_loss(g, id);
    if (m.what == OF_GATE) {
        loss += inner(m.h, m.fixed, n * E);
        memcpy(m.d_h, m.fixed, sizeof m.d_h);
        if (learn) learn_gate(g, id);
        return loss;
    }
    choose();
    if (m.what == OF_WEIGHTS) {
        loss += inner(m.weight, m.fixed, n * K);
        memcpy(m.d_weight, m.fixed, n * K * sizeof *m.fixed);
    } else {
        for (int e = 0; e < E; ++e) {
            if (learn) mot_params_zero_gradient(&m.expert[e].params);
            run_expert(e, false);
        }
        for (size_t b = 0; b < n; ++b) loss += combine_loss(b);
        for (int e = 0; e < E && learn; ++e) run_expert(e, true);
    }
    mot_choose_backward(&m.route, &m.choice, 0, n, m.d_weight, m.d_h);
    const mot_balance balance = balance_all(&m.route, &m.choice, learn ? m.d_h : NULL);
    if (learn) learn_gate(g, id);
    return loss + m.route.explore.balance_loss * balance.switch_loss +
           m.route.explore.z_loss * balance.z_loss;
}

/* ---- setting up ---- */

/* Prototype u is of expert 3, 1, 3, 3, ...: two experts have some, and two have none, whose scores are no numbers to sum. */
static void deal_classes(void)
{
    mot_real *member = m.params.value + m.gate.table.row[3].offset;
    for (size_t i = 0; i < C * m.gate_config.prototypes * E; ++i) member[i] = i % E == (i / E == 1 ? 1 : 3);
    for (size_t i = 0; i < n * E; ++i)
        if (i % 2 == 0) m.fixed[i] = 0;
}

static void begin(const char *name, route_loss what, const char *kind, mot_gate_input input, bool text,
                  size_t K)
{
    memset(&c, 0, sizeof c);
    memset(&m, 0, sizeof m);
    snprintf(c.name, sizeof c.name, "%s", name);
    m.what = what;
    bench_batch_init(&m.batch, text);
    m.gate_config = (mot_gate_config){
        .kind = mot_kinds_find(&mot_gate_kinds, kind), .input = input, .hidden = 5, .init = 0.6};
    m.gate_config.prototypes = text ? 1 : MOST_PROTOTYPES;
    mot_ck_ok(mot_gate_init(&m.gate, &m.gate_config, E, BENCH_TOKENS, text ? 0 : BENCH_WIDTH,
                            text ? BENCH_VOCABULARY : 0, C));
    mot_ck_ok(mot_params_create(&m.params, &m.gate.table, MOT_UNIT_GATE));
    gradient_fill_params(&m.params, 70);
    m.start = mot_calloc(m.gate.table.count, sizeof *m.start);
    m.kept = mot_calloc(mot_gate_kept(&m.gate, n), sizeof *m.kept);
    gradient_fill(m.start, m.gate.table.count, 71, 0, 0.01);
    gradient_fill(m.fixed, n * E, 72, 0, 1);
    gradient_fill(m.bias, E, 73, 0, 0.2);
    if (m.gate.kind->group != NULL) deal_classes();
    for (size_t s = 0; s < n; ++s) {
        m.group[s] = (int32_t)(3 * s);
        const size_t rows = m.batch.first[s + 1] - m.batch.first[s];
        if (!text)
            mot_gate_features(&m.gate, m.g + s * mot_gate_row(&m.gate),
                              m.batch.x + m.batch.first[s] * BENCH_WIDTH, rows, BENCH_WIDTH);
    }
    m.choice = (mot_choice_batch){.n = n,
                                  .E = E,
                                  .K = K,
                                  .h = m.h,
                                  .bias = m.bias,
                                  .group = m.group,
                                  .seed = 5,
                                  .step = 3,
                                  .expert = m.chosen,
                                  .weight = m.weight,
                                  .p = m.p};
    m.route = (mot_route_config){
        .top_k = (int)K, .explore.noise = MOT_NOISE_UNIFORM, .explore.noise_scale = 0.5};
    c.loss = mixture_loss;
    /* Forward and backward through two products, GELU and softmax; the mixture: an expert of one block too.
     */
    c.sums = what == OF_MIXTURE ? 2 * (4 + 12) : 2 * 4;
    c.longest = BENCH_ROWS;
    gradient_add_params(&c, "gate/", &m.params);
}

static void end(void)
{
    gradient_check(&c);
    mot_params_free(&m.params);
    mot_free(m.start);
    mot_free(m.kept);
}

static const char *const learning[] = {"linear", "mlp", "classes"};
static const char *const input_name[] = {"mean", "sum", "flat"};
static const char *const scale_name[] = {"prob", "chosen", "none"};

START_TEST(gate)
{
    for (size_t kind = 0; kind < MOT_COUNT(learning); ++kind)
        for (int input = MOT_GATE_MEAN; input <= MOT_GATE_FLAT; ++input)
            for (int text = 0; text < (input == MOT_GATE_FLAT ? 1 : 2); ++text) {
                char name[GRADIENT_NAME];
                snprintf(name, sizeof name, "gate_%s_%s_%s", learning[kind], input_name[input],
                         text ? "ids" : "dense");
                begin(name, OF_GATE, learning[kind], (mot_gate_input)input, text, 1);
                memset(m.batch.padded, 0, BENCH_TOKENS * sizeof *m.batch.padded); /* a text without words */
                end();
            }
}
END_TEST

static const size_t choices[] = {1, 2, E};

START_TEST(weights)
{
    for (int scale = MOT_SCALE_PROB; scale <= MOT_SCALE_NONE; ++scale)
        for (size_t k = 0; k < MOT_COUNT(choices); ++k)
            for (int balance = 0; balance < 4; ++balance) {
                char name[GRADIENT_NAME];
                snprintf(name, sizeof name, "weights_%s_K%zu%s%s", scale_name[scale], choices[k],
                         balance & 1 ? "_switch" : "", balance & 2 ? "_z" : "");
                begin(name, OF_WEIGHTS, learning[k == 1], MOT_GATE_MEAN, balance == 3, choices[k]);
                m.route.scale = (mot_scale)scale;
                m.route.explore.balance_loss = balance & 1 ? 0.7 : 0;
                m.route.explore.z_loss = balance & 2 ? 0.3 : 0;
                end();
            }
}
END_TEST

/* `own`: experts and loss are those of own_kinds.h. */
static void check_kinds(const char *name, const char *kind, bool own, bool text, mot_pool pool,
                        mot_scale scale, size_t K, double balance, mot_combine combine)
{
    const mot_expert_config config = {.kind = mot_kinds_find(&mot_expert_kinds, own ? "average" : "encoder"),
                                      .width = 4,
                                      .heads = 2,
                                      .depth = 1,
                                      .ffn = 5,
                                      .pool = pool,
                                      .tile = TILE};
    const int loss = mot_kinds_find(&mot_loss_kinds, own ? "numbers" : "cross_entropy");
    begin(name, OF_MIXTURE, kind, MOT_GATE_MEAN, text, K);
    mot_ck_ok(mot_loss_init(&m.loss, mot_loss_kind_at(loss), own ? C * sizeof(float) : sizeof(int32_t),
                            own ? 0 : C));
    for (size_t i = 0; i < n * C; ++i) m.numbers[i] = (float)sin(1.7 * (double)i);
    m.route.scale = scale;
    m.route.combine = combine;
    m.route.explore.balance_loss = m.route.explore.z_loss = balance;
    for (int e = 0; e < E; ++e) {
        char prefix[32];
        snprintf(prefix, sizeof prefix, "expert%d/", e);
        bench_expert_init(&m.expert[e], &config, text, C, 200 + 100 * (uint32_t)e);
        gradient_add_params(&c, prefix, &m.expert[e].params);
    }
    end();
    for (int e = 0; e < E; ++e) bench_expert_free(&m.expert[e]);
}

static void check_mixture(const char *name, const char *kind, bool text, mot_pool pool, mot_scale scale,
                          size_t K, double balance)
{
    check_kinds(name, kind, false, text, pool, scale, K, balance, MOT_COMBINE_OUTPUTS);
}

START_TEST(mixture_of_experts)
{
    for (int scale = MOT_SCALE_PROB; scale <= MOT_SCALE_NONE; ++scale)
        for (size_t k = 0; k < MOT_COUNT(choices); ++k) {
            char name[GRADIENT_NAME];
            const bool text = (scale + (int)k) % 2;
            const char *kind = learning[k == 1];
            snprintf(name, sizeof name, "mixture_%s_%s_K%zu_%s", scale_name[scale], kind, choices[k],
                     text ? "ids" : "dense");
            check_mixture(name, kind, text, k == 2 ? MOT_POOL_CLASS : MOT_POOL_MEAN, (mot_scale)scale,
                          choices[k], k == 1 ? 0.05 : 0);
        }
    check_mixture("mixture_classes_K1", "classes", false, MOT_POOL_MEAN, MOT_SCALE_PROB, 1, 0.05);
    check_mixture("mixture_classes_K2", "classes", true, MOT_POOL_MEAN, MOT_SCALE_CHOSEN, 2, 0);
    check_mixture("mixture_fixed_K2", "fixed", false, MOT_POOL_MEAN, MOT_SCALE_PROB, 2, 0);
    check_mixture("mixture_random_K2", "random", true, MOT_POOL_MEAN, MOT_SCALE_PROB, 2, 0);
}
END_TEST

/* What mot does not have, through the same path. */
START_TEST(mixture_of_own_kinds)
{
    for (size_t k = 0; k < MOT_COUNT(choices); ++k) {
        char name[GRADIENT_NAME];
        snprintf(name, sizeof name, "own_kinds_%s_K%zu", scale_name[k], choices[k]);
        check_kinds(name, "tanh", true, false, MOT_POOL_MEAN, (mot_scale)k, choices[k], k == 1 ? 0.05 : 0,
                    MOT_COMBINE_OUTPUTS);
    }
}
END_TEST

START_TEST(mixture_of_likelihoods)
{
    for (int scale = MOT_SCALE_PROB; scale <= MOT_SCALE_NONE; ++scale)
        for (size_t k = 1; k < MOT_COUNT(choices); ++k) {
            char name[GRADIENT_NAME];
            snprintf(name, sizeof name, "likelihoods_%s_K%zu", scale_name[scale], choices[k]);
            check_kinds(name, learning[k == 1], false, k == 2, MOT_POOL_MEAN, (mot_scale)scale, choices[k], k == 1 ? 0.05 : 0,
                        MOT_COMBINE_PROBABILITIES);
        }
}
END_TEST

static void open_file(void)
{
    gradient_open(GRADIENT_PATH("route"));
    own_kinds_add();
}

static void route_gradient_tests(TCase *tcase)
{
    tcase_add_unchecked_fixture(tcase, open_file, gradient_close);
    tcase_add_test(tcase, gate);
    tcase_add_test(tcase, weights);
    tcase_add_test(tcase, mixture_of_experts);
    tcase_add_test(tcase, mixture_of_own_kinds);
    tcase_add_test(tcase, mixture_of_likelihoods);
}
