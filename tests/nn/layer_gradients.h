/* layer_gradients.h: gradients of all layers and losses; the double build checks them, then the float build.
 *
 * The loss of a layer is <y, d_y> for a fixed d_y. Gradients that are added to what is there find a gradient
 * already, as if the loss had another term <start, x>; those that are written find NaN. */
#include "gradient.h"
#include "mot/layers.h"
#include "mot/loss.h"

enum { MOST = 1024, SCRATCH = 40000 };

typedef struct layer {
    size_t R, K, M; /* rows, inputs, outputs (attention: D is M) */
    size_t H, samples, most;
    const size_t *first;
    bool with_bias, in_place;
    mot_real x[MOST], w[MOST], b[MOST], y[MOST];
    mot_real d_y[MOST], d_x[MOST], d_w[MOST], d_b[MOST];
    mot_real start_x[MOST], start_w[MOST], start_b[MOST];
    mot_real mean[MOST], rstd[MOST], prob[MOST], scratch[SCRATCH];
} layer;

static layer l;
static gradient_case c;

static void begin(const char *name, double (*loss)(void *, bool), double sums, double longest)
{
    memset(&l, 0, sizeof l);
    memset(&c, 0, sizeof c);
    snprintf(c.name, sizeof c.name, "%s", name);
    c.loss = loss;
    c.sums = sums;
    c.longest = longest;
    mot_real *input[] = {l.x, l.w, l.b, l.d_y, l.start_x, l.start_w, l.start_b};
    for (uint32_t i = 0; i < MOT_COUNT(input); ++i) gradient_fill(input[i], MOST, 100 + i, 0, 1);
}

static void start_gradients(void)
{
    for (size_t i = 0; i < MOST; ++i) l.d_x[i] = (mot_real)NAN;
    memcpy(l.d_w, l.start_w, sizeof l.d_w);
    memcpy(l.d_b, l.start_b, sizeof l.d_b);
}

static double inner(const mot_real *x, const mot_real *y, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; ++i) sum += (double)x[i] * (double)y[i];
    return sum;
}

/* ---- linear ---- */

static double linear_loss(void *context, bool learn)
{
    (void)context;
    mot_linear_forward(l.y, l.x, l.w, l.with_bias ? l.b : NULL, l.R, l.K, l.M);
    if (learn) {
        start_gradients();
        mot_linear_backward(l.d_x, l.d_w, l.with_bias ? l.d_b : NULL, l.d_y, l.x, l.w, l.R, l.K, l.M);
    }
    return inner(l.y, l.d_y, l.R * l.M) + inner(l.w, l.start_w, l.K * l.M) + inner(l.b, l.start_b, l.M);
}

START_TEST(linear)
{
    const size_t size[][3] = {{1, 1, 1}, {1, 5, 3}, {7, 1, 4}, {6, 5, 1}, {9, 17, 13}};
    for (size_t s = 0; s < MOT_COUNT(size); ++s)
        for (int with_bias = 0; with_bias < 2; ++with_bias) {
            char name[GRADIENT_NAME];
            snprintf(name, sizeof name, "linear_%zux%zux%zu%s", size[s][0], size[s][1], size[s][2],
                     with_bias ? "_bias" : "");
            begin(name, linear_loss, 1, 17);
            l.R = size[s][0];
            l.K = size[s][1];
            l.M = size[s][2];
            l.with_bias = with_bias;
            gradient_add(&c, "x", l.x, l.d_x, l.R * l.K);
            gradient_add(&c, "weight", l.w, l.d_w, l.K * l.M);
            if (with_bias) gradient_add(&c, "bias", l.b, l.d_b, l.M);
            gradient_check(&c);
        }
}
END_TEST

/* The first layer's shortcut and the input's gradient alone give the same bits as the whole. */
START_TEST(linear_in_parts)
{
    begin("linear parts", linear_loss, 1, 1);
    l.R = 9, l.K = 17, l.M = 13, l.with_bias = true;
    (void)linear_loss(NULL, true);
    static mot_real d_w[MOST], d_b[MOST], d_x[MOST];
    memcpy(d_w, l.start_w, sizeof d_w);
    memcpy(d_b, l.start_b, sizeof d_b);
    mot_linear_backward(NULL, d_w, d_b, l.d_y, l.x, NULL, l.R, l.K, l.M);
    mot_linear_backward_input(d_x, l.d_y, l.w, l.R, l.K, l.M);
    ck_assert_int_eq(memcmp(d_w, l.d_w, sizeof d_w), 0);
    ck_assert_int_eq(memcmp(d_b, l.d_b, sizeof d_b), 0);
    ck_assert_int_eq(memcmp(d_x, l.d_x, l.R * l.K * sizeof *d_x), 0);
}
END_TEST

/* ---- layernorm ---- */

static double layernorm_loss(void *context, bool learn)
{
    (void)context;
    mot_layernorm_forward(l.y, l.mean, l.rstd, l.x, l.w, l.b, l.R, l.M);
    if (learn) {
        start_gradients();
        memcpy(l.d_x, l.start_x, sizeof l.d_x);
        mot_layernorm_backward(l.d_x, l.d_w, l.d_b, l.d_y, l.x, l.mean, l.rstd, l.w, l.R, l.M);
    }
    return inner(l.y, l.d_y, l.R * l.M) + inner(l.x, l.start_x, l.R * l.M) + inner(l.w, l.start_w, l.M) +
           inner(l.b, l.start_b, l.M);
}

START_TEST(layernorm)
{
    const size_t size[][2] = {{1, 1}, {1, 2}, {5, 3}, {4, 16}, {7, 37}};
    for (size_t s = 0; s < MOT_COUNT(size); ++s) {
        char name[GRADIENT_NAME];
        snprintf(name, sizeof name, "layernorm_%zux%zu", size[s][0], size[s][1]);
        begin(name, layernorm_loss, 4, 37);
        l.R = size[s][0];
        l.M = size[s][1];
        gradient_fill(l.x, MOST, 7, 0.5, 2);
        gradient_add(&c, "x", l.x, l.d_x, l.R * l.M);
        gradient_add(&c, "gain", l.w, l.d_w, l.M);
        gradient_add(&c, "bias", l.b, l.d_b, l.M);
        gradient_check(&c);
    }
}
END_TEST

/* ---- gelu ---- */

static double gelu_loss(void *context, bool learn)
{
    (void)context;
    mot_real *y = l.y;
    if (l.in_place) memcpy(y, l.x, l.R * sizeof *y);
    mot_gelu_forward(y, l.in_place ? y : l.x, l.R);
    if (learn && l.in_place) {
        memcpy(l.d_x, l.d_y, l.R * sizeof *y);
        mot_gelu_backward(l.d_x, l.d_x, l.x, l.R);
    } else if (learn) {
        start_gradients();
        mot_gelu_backward(l.d_x, l.d_y, l.x, l.R);
    }
    return inner(y, l.d_y, l.R);
}

START_TEST(gelu)
{
    for (int in_place = 0; in_place < 2; ++in_place) {
        begin(in_place ? "gelu_in_place" : "gelu", gelu_loss, 2, 8);
        l.R = 203;
        l.in_place = in_place;
        gradient_fill(l.x, MOST, 8, 0, 2);
        l.x[0] = 0, l.x[1] = 8, l.x[2] = -8;
        gradient_add(&c, "x", l.x, l.d_x, l.R);
        gradient_check(&c);
    }
}
END_TEST

static double gelu_slope_loss(void *context, bool learn)
{
    (void)context;
    memcpy(l.y, l.x, l.R * sizeof *l.y);
    mot_gelu_with_slope(l.y, learn ? l.scratch : NULL, l.y, l.R);
    if (learn) {
        start_gradients();
        memcpy(l.d_x, l.d_y, l.R * sizeof *l.d_x);
        mot_multiply_and_sum_rows(l.d_x, l.d_b, l.scratch, l.R / l.M, l.M);
    }
    return inner(l.y, l.d_y, l.R);
}

/* On its own, and with the sum that is the gradient of a bias in front of it. */
START_TEST(gelu_slope)
{
    begin("gelu_slope", gelu_slope_loss, 2, 8);
    l.R = 203;
    l.M = 29;
    gradient_fill(l.x, MOST, 8, 0, 2);
    l.x[0] = 0, l.x[1] = 8, l.x[2] = -8;
    gradient_add(&c, "x", l.x, l.d_x, l.R);
    gradient_check(&c);
    for (size_t i = 0; i < l.M; ++i) {
        double sum = (double)l.start_b[i];
        for (size_t r = 0; r < l.R / l.M; ++r) sum += (double)l.d_x[r * l.M + i];
        ck_assert_double_eq_tol((double)l.d_b[i], sum, 1e-5);
    }
}
END_TEST

/* ---- attention ---- */

static double attention_loss(void *context, bool learn)
{
    (void)context;
    mot_attention_forward(MOT_PRECISION_FP32, l.y, l.prob, l.scratch, l.x, l.first, l.samples, l.most, l.M,
                          l.H);
    if (learn) {
        start_gradients();
        mot_attention_backward(MOT_PRECISION_FP32, l.d_x, l.scratch, l.d_y, l.y, l.x, l.prob, l.first, l.samples,
                               l.most, l.M, l.H);
    }
    return inner(l.y, l.d_y, l.R * l.M);
}

/* Where samples may be long, short ones go tile by tile too; of 133 rows it takes two tiles each way. */
START_TEST(attention)
{
    static const size_t alone[] = {0, 1}, pair[] = {0, 1, 3}, ragged[] = {0, 3, 4, 9, 10, 12},
                        even[] = {0, 4, 8}, tiles[] = {0, 133, 135};
    enum { LONG = 257 };
    const struct {
        const char *name;
        const size_t *first;
        size_t samples, most, D, H;
    } size[] = {{"attention_one_token", alone, 1, 1, 4, 2},
                {"attention_two_samples", pair, 2, 2, 3, 1},
                {"attention_ragged", ragged, 5, 5, 12, 3},
                {"attention_width_1", ragged, 5, 5, 4, 4},
                {"attention_even", even, 2, 4, 10, 2},
                {"attention_long_one_token", alone, 1, LONG, 4, 2},
                {"attention_long_ragged", ragged, 5, LONG, 12, 3},
                {"attention_long_tiles", tiles, 2, LONG, 2, 1}};
    for (size_t s = 0; s < MOT_COUNT(size); ++s) {
        begin(size[s].name, attention_loss, 6, size[s].first == tiles ? 133 : 12);
        l.first = size[s].first;
        l.samples = size[s].samples;
        l.most = size[s].most;
        l.R = l.first[l.samples];
        l.M = size[s].D;
        l.H = size[s].H;
        ck_assert_uint_le(mot_attention_scratch(MOT_PRECISION_FP32, l.most, l.M, l.H, true), SCRATCH);
        if (size[s].first == tiles) { /* rows on both sides of where they end, and as few as show it */
            const size_t at = 126 * 3 * l.M;
            gradient_add(&c, "qkv", l.x, l.d_x, 2 * 3 * l.M);
            gradient_add(&c, "qkv_behind", l.x + at, l.d_x + at, l.R * 3 * l.M - at);
        } else {
            gradient_add(&c, "qkv", l.x, l.d_x, l.R * 3 * l.M);
        }
        gradient_check(&c);
    }
}
END_TEST

/* ---- losses ---- */

typedef struct loss_context {
    mot_loss loss;
    union {
        int32_t label;
        float number[5];
    } target;
} loss_context;

static double loss_loss(void *context, bool learn)
{
    const loss_context *p = context;
    if (learn) start_gradients();
    return p->loss.kind->value(&p->loss, l.x, &p->target, learn ? l.d_x : NULL);
}

START_TEST(losses)
{
    for (int kind = 0; mot_loss_kinds.row[kind] != NULL; ++kind)
        for (size_t C = 1; C <= 5; C += C == 1 ? 1 : 3)
            for (int label = 0; label < (C == 1 ? 2 : (int)C); ++label) {
                loss_context p = {.loss = {.kind = mot_loss_kind_at(kind),
                                           .target_bytes = sizeof(int32_t),
                                           .classes = C == 1 ? 2 : (int)C,
                                           .outputs = C},
                                  .target = {label}};
                char name[GRADIENT_NAME];
                snprintf(name, sizeof name, "%s_C%zu_label%d", mot_loss_kinds.row[kind]->name, C, label);
                begin(name, loss_loss, 1, 1); /* computed in double, rounded once */
                c.context = &p;
                gradient_add(&c, "out", l.x, l.d_x, C);
                gradient_check(&c);
            }
}
END_TEST

START_TEST(losses_of_numbers)
{
    for (size_t C = 1; C <= 5; C += 2) {
        loss_context p = {.target.number = {0.5f, -1.25f, 3, 0, 1e-3f}};
        const int row = mot_kinds_find(&mot_loss_kinds, "squared");
        mot_ck_ok(mot_loss_init(&p.loss, mot_loss_kind_at(row), C * sizeof(float), 0));
        char name[GRADIENT_NAME];
        snprintf(name, sizeof name, "squared_numbers_C%zu", C);
        begin(name, loss_loss, 1, 1);
        c.context = &p;
        gradient_add(&c, "out", l.x, l.d_x, C);
        gradient_check(&c);
    }
}
END_TEST

static void open_file(void)
{
    gradient_open(GRADIENT_PATH("layers"));
}

static void layer_gradient_tests(TCase *tcase)
{
    tcase_add_unchecked_fixture(tcase, open_file, gradient_close);
    tcase_add_test(tcase, linear);
    tcase_add_test(tcase, linear_in_parts);
    tcase_add_test(tcase, layernorm);
    tcase_add_test(tcase, gelu);
    tcase_add_test(tcase, gelu_slope);
    tcase_add_test(tcase, attention);
    tcase_add_test(tcase, losses);
    tcase_add_test(tcase, losses_of_numbers);
}
