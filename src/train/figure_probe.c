/* A look inside the experts at every evaluation, where the truth is known: merged experts on the theory's mixture.
 *
 * The probe, the first samples of the evaluation split, is made by every rank for itself; an expert's owner looks at the
 * probe's samples that the gate sends to it. What a rank finds stands in rows that are its own, zero elsewhere, so that
 * the sum over ranks is exact; sums over samples are taken by the root in sample order. */
#include "mot/eval_figure.h"

#include <math.h>
#include <string.h>

#include "mot/memory.h"
#include "mot/merged.h"

enum { MOST_PROBE = 512 };

/* Its figures. */
enum { NEURONS, GATE, ATTENTION, COSINE, AGREEMENT, ROUTING, SIGNAL };

typedef struct run_probe {
    size_t classes;             /* N of the mixture */
    const mot_mixture *mixture; /* the evaluation split's */
    size_t samples;             /* P */
    float *x;                   /* [P, L, D] */
    int32_t *label, *group;     /* [P] */
    int8_t *role;               /* [P, L] */
    int32_t *expert;            /* [P]: first choice in the last evaluation */
    mot_real *weight;           /* [P] */
    double *mass;               /* [P, roles, roles]: attention by kind of query and key */

    /* scratch of one expert */
    mot_arena arena;
    double *signal;     /* [D] */
    mot_real *gradient; /* [N, table.count] */
    mot_real **row;     /* [table.rows] */
    mot_real *prob, *scratch;
    size_t *first;
    mot_real *tile_x, *out, *d_out;
} run_probe;

static void describe(mot_evaluation *e)
{
    const size_t E = (size_t)e->model->layer->experts, N = (size_t)e->groups;
    if (mot_dataset_mixture(e->set, NULL) == NULL || e->model->layer->kind != &mot_merged_kind ||
        e->model->layer->gate.kind->spread)
        return;
/* clang-format off */
    e->figure[NEURONS] = MOT_FIGURE_TABLE("neurons", "W_i v_n / |W_i|, of an expert's neuron where it is largest", E, "expert", N, "group");
    e->figure[GATE] = MOT_FIGURE_TABLE("gate", "theta_i c_n", E, "expert", N, "group");
    e->figure[ATTENTION] = MOT_FIGURE_TABLE("attention", "attention by kind of query (row) and key (column): noise, class signal, classification signal, distractor", MOT_ROLES, "query", MOT_ROLES, "key");
    e->figure[COSINE] = MOT_FIGURE_ROW("gradient_cosine", "mean cosine between the gradients of two classes at an expert", E, "expert");
    e->figure[AGREEMENT] = MOT_FIGURE_ROW("gradient_agreement", "|sum of the classes' gradients| / sum of their lengths at an expert", E, "expert");
    e->figure[ROUTING] = MOT_FIGURE("routing_accuracy", "routing.accuracy", "share of samples with an expert whose neurons are aligned best with their class");
    e->figure[SIGNAL] = MOT_FIGURE(NULL, "attention.signal", "attention of the classification signal to itself");
/* clang-format on */
    e->figures = SIGNAL + 1;
}

static mot_status create(mot_evaluation *e)
{
    const mot_model *model = e->model;
    const mot_expert_shape *shape = &model->layer->shape;
    const size_t L = shape->tokens, D = shape->width, N = (size_t)e->groups, tile = model->layer->kind->tile(shape);
    const char *what = "the probe of an evaluation";
    int split;
    run_probe *probe;
    mot_status status;
    MOT_TRY(mot_allocate(&e->own, 1, sizeof *probe, what));
    probe = e->own;
    probe->mixture = mot_dataset_mixture(e->set, &split);
    probe->classes = N;
    probe->samples = MOT_MIN((size_t)MOT_MIN((mot_gidx)MOST_PROBE, e->set->samples), e->pass);
    const size_t P = probe->samples;
    MOT_TRY(mot_allocate(&probe->x, P * L * D, sizeof(float), what));
    MOT_TRY(mot_allocate(&probe->label, P, sizeof(int32_t), what));
    MOT_TRY(mot_allocate(&probe->group, P, sizeof(int32_t), what));
    MOT_TRY(mot_allocate(&probe->role, P * L, 1, what));
    MOT_TRY(mot_allocate(&probe->expert, P, sizeof(int32_t), what));
    MOT_TRY(mot_allocate(&probe->weight, P, sizeof(mot_real), what));
    MOT_TRY(mot_allocate(&probe->mass, P * MOT_ROLES * MOT_ROLES, sizeof(double), what));
    MOT_TRY(mot_arena_init(&probe->arena, model->layer->kind->workspace(shape)));
    MOT_TRY(mot_allocate(&probe->signal, D, sizeof(double), what));
    MOT_TRY(mot_allocate(&probe->gradient, N * model->layer->table.count, sizeof(mot_real), what));
    MOT_TRY(mot_allocate(&probe->row, model->layer->table.rows, sizeof(void *), what));
    MOT_TRY(mot_allocate(&probe->prob, L * L, sizeof(mot_real), what));
    MOT_TRY(mot_allocate(&probe->scratch, mot_merged_attention_scratch(shape), sizeof(mot_real), what));
    MOT_TRY(mot_allocate(&probe->first, tile + 1, sizeof(size_t), what));
    MOT_TRY(mot_allocate(&probe->tile_x, tile * L * D, sizeof(mot_real), what));
    MOT_TRY(mot_allocate(&probe->out, tile, sizeof(mot_real), what));
    MOT_TRY(mot_allocate(&probe->d_out, tile, sizeof(mot_real), what));
    for (size_t s = 0; s <= tile; ++s) probe->first[s] = s * L;
    for (size_t i = 0; i < P; ++i)
        mot_mixture_sample(probe->mixture, split, (mot_gidx)i, probe->x + i * L * D, &probe->label[i],
                           &probe->group[i], probe->role + i * L);
done:
    return status;
}

static void destroy(mot_evaluation *e)
{
    run_probe *probe = e->own;
    if (probe == NULL) return;
    mot_arena_free(&probe->arena);
    void *const arrays[] = {probe->x,       probe->label, probe->group,    probe->role, probe->expert,
                            probe->weight,  probe->mass,  probe->signal,   probe->row,  probe->gradient,
                            probe->prob,    probe->first, probe->tile_x,   probe->out,  probe->d_out,
                            probe->scratch, probe};
    for (size_t i = 0; i < MOT_COUNT(arrays); ++i) mot_free(arrays[i]);
}

/* Takes from the first pass of an evaluation where the probe's samples went. */
static void take(mot_evaluation *e, mot_gidx first, size_t n, const mot_step_result *result)
{
    run_probe *probe = e->own;
    const size_t K = mot_model_choices(e->model);
    for (size_t i = 0; i < probe->samples && first == 0 && i < n; ++i) {
        probe->expert[i] = result->expert[i * K];
        probe->weight[i] = result->weight[i * K];
    }
}

/* The direction that tells the label within class n: v_n, or the difference of its two signals. */
static void label_signal(const run_probe *probe, size_t n, double *signal)
{
    const mot_mixture *mixture = probe->mixture;
    const size_t D = mixture->config.width;
    for (size_t d = 0; d < D; ++d)
        signal[d] = mixture->config.vector_labels ? (mixture->label_signal[(2 * n + 1) * D + d] -
                                                     mixture->label_signal[2 * n * D + d]) /
                                                        sqrt(2)
                                                  : mixture->label_signal[n * D + d];
}

/* W v_n / |W| of the neuron for which it is largest in magnitude. */
static double alignment(const mot_real *neurons, size_t heads, size_t D, size_t J, const double *signal)
{
    double best = 0;
    for (size_t h = 0; h < heads; ++h)
        for (size_t j = 0; j < J; ++j) {
            const mot_real *w = neurons + h * D * J + j;
            double dot = 0, square = 0;
            for (size_t d = 0; d < D; ++d) {
                dot += (double)w[d * J] * signal[d];
                square += (double)w[d * J] * (double)w[d * J];
            }
            const double cosine = square > 0 ? dot / sqrt(square) : 0;
            if (fabs(cosine) > fabs(best)) best = cosine;
        }
    return best;
}

/* An expert's tensor of a part; NULL when it has none. */
static const mot_real *weight_of(const mot_model *model, int local, mot_part part)
{
    for (size_t r = 0; r < model->layer->table.rows; ++r)
        if (model->layer->table.row[r].part == part) return model->layer->weight[(size_t)local * model->layer->table.rows + r];
    return NULL;
}

static void map_expert(const mot_evaluation *e, int local, size_t expert)
{
    const mot_model *model = e->model;
    const run_probe *probe = e->own;
    const mot_merged_config *merged = &model->config->model.merged;
    for (size_t n = 0; n < probe->classes; ++n) {
        label_signal(probe, n, probe->signal);
        e->value[NEURONS][expert * probe->classes + n] = alignment(weight_of(model, local, MOT_PART_FFN),
                                                                   merged->heads, model->layer->shape.width,
                                                                   merged->neurons, probe->signal);
    }
}

/* theta_i c_n, on the root, which owns the gate; stays 0 unless the gate is linear in the tokens' sum or mean. */
static void map_gate(const mot_evaluation *e)
{
    const mot_model *model = e->model;
    const run_probe *probe = e->own;
    const mot_gate *gate = &model->layer->gate;
    const size_t D = model->layer->shape.width, E = gate->experts;
    if (gate->kind != &mot_gate_linear || gate->features != D) return;
    for (size_t i = 0; i < E; ++i)
        for (size_t n = 0; n < probe->classes; ++n) {
            double sum = 0;
            for (size_t d = 0; d < D; ++d)
                sum += (double)model->layer->gate_params.value[d * E + i] * probe->mixture->class_signal[n * D + d];
            e->value[GATE][i * probe->classes + n] = sum;
        }
}

/* Attention of one sample, summed by kind of key, mean over the queries of a kind and over the heads. */
static void look(const mot_model *model, run_probe *probe, int local, size_t p)
{
    const size_t L = model->layer->shape.tokens, D = model->layer->shape.width, H = model->config->model.merged.heads;
    const int8_t *role = probe->role + p * L;
    double *mass = probe->mass + p * MOT_ROLES * MOT_ROLES;
    size_t queries[MOT_ROLES] = {0};
    for (size_t i = 0; i < L; ++i) ++queries[role[i]];
    for (size_t i = 0; i < L * D; ++i) probe->tile_x[i] = probe->x[p * L * D + i];
    for (size_t h = 0; h < H; ++h) {
        mot_merged_attention(&model->layer->shape, model->layer->weight + (size_t)local * model->layer->table.rows, h,
                             probe->tile_x, L, probe->prob, probe->scratch);
        for (size_t i = 0; i < L; ++i)
            for (size_t j = 0; j < L; ++j)
                mass[role[i] * MOT_ROLES + role[j]] += probe->prob[i * L + j] /
                                                       (double)(queries[role[i]] * H);
    }
}

/* Adds the gradient of the loss over the probe's samples of class n at this expert. Returns how many there are. */
static size_t class_gradient(const mot_evaluation *e, int local, size_t expert, size_t n, mot_real *gradient)
{
    const mot_model *model = e->model;
    const mot_loss *loss = &e->loss;
    run_probe *probe = e->own;
    const mot_expert_shape *shape = &model->layer->shape;
    const mot_real *const *weight = model->layer->weight + (size_t)local * model->layer->table.rows;
    const size_t LD = shape->tokens * shape->width, tile = model->layer->kind->tile(shape);
    size_t count = 0;
    mot_table_begin(&model->layer->table, gradient, NULL, probe->row);
    for (size_t p = 0; p < probe->samples;) {
        size_t sample[MOST_PROBE], m = 0;
        for (; p < probe->samples && m < tile; ++p)
            if ((size_t)probe->expert[p] == expert && (size_t)probe->group[p] == n) sample[m++] = p;
        if (m == 0) break;
        for (size_t s = 0; s < m; ++s)
            for (size_t i = 0; i < LD; ++i) probe->tile_x[s * LD + i] = probe->x[sample[s] * LD + i];
        const mot_tile rows = {.samples = m, .first = probe->first, .x = probe->tile_x};
        const size_t mark = mot_arena_mark(&probe->arena);
        void *kept = model->layer->kind->forward(shape, weight, &rows, &probe->arena, true, probe->out);
        for (size_t s = 0; s < m; ++s) {
            const mot_real w = probe->weight[sample[s]], combined = w * probe->out[s];
            const int32_t class = probe->label[sample[s]] > 0;
            loss->kind->value(loss, &combined, &class, &probe->d_out[s]);
            probe->d_out[s] *= w;
        }
        model->layer->kind->backward(shape, weight, probe->row, &rows, &probe->arena, kept, probe->d_out, NULL, ~0u);
        mot_arena_rewind(&probe->arena, mark);
        count += m;
    }
    return count;
}

static double product(size_t count, const mot_real *a, const mot_real *b)
{
    double sum = 0;
    for (size_t i = 0; i < count; ++i) sum += (double)a[i] * (double)b[i];
    return sum;
}

/* How the classes that an expert sees pull at it: the mean cosine between two classes' gradients, and
 * |sum of gradients| / sum of |gradient|, which is 1 when all pull in one direction, or when there is one class alone. */
static void conflict(const mot_evaluation *e, int local, size_t expert)
{
    run_probe *probe = e->own;
    const size_t count = e->model->layer->table.count, N = probe->classes;
    double length[MOT_MIXTURE_MAX_CLASSES], lengths = 0, cosines = 0, square = 0;
    size_t pairs = 0, present = 0;
    for (size_t n = 0; n < N; ++n) {
        mot_real *gradient = probe->gradient + present * count;
        if (class_gradient(e, local, expert, n, gradient) == 0) continue;
        length[present] = sqrt(product(count, gradient, gradient));
        if (length[present] > 0) lengths += length[present++];
    }
    for (size_t a = 0; a < present; ++a)
        for (size_t b = 0; b < present; ++b) {
            const double dot = product(count, probe->gradient + a * count, probe->gradient + b * count);
            square += dot;
            if (a >= b) continue;
            cosines += dot / (length[a] * length[b]);
            ++pairs;
        }
    e->value[COSINE][expert] = pairs > 0 ? cosines / (double)pairs : NAN;
    e->value[AGREEMENT][expert] = present > 0 ? sqrt(fmax(square, 0)) / lengths : NAN;
}

/* Share of the samples that are with an expert whose neurons are aligned best with their class. */
static double routing_accuracy(const mot_evaluation *e)
{
    const size_t E = (size_t)e->model->layer->experts, N = (size_t)e->groups;
    int64_t right = 0;
    for (size_t i = 0; i < E; ++i) {
        const double *neurons = e->value[NEURONS] + i * N;
        size_t own = 0;
        for (size_t n = 1; n < N; ++n)
            if (fabs(neurons[n]) > fabs(neurons[own])) own = n;
        right += e->group_load[own * E + i];
    }
    return (double)right / (double)e->set->samples;
}

/* Every rank its experts; then all are put together. */
static void look_inside(mot_evaluation *e)
{
    const mot_model *model = e->model;
    const mot_comm *comm = model->comm;
    run_probe *probe = e->own;
    const size_t E = (size_t)model->layer->experts, N = probe->classes, P = probe->samples,
                 roles = MOT_ROLES * MOT_ROLES;
    mot_comm_bcast(comm, probe->expert, P * sizeof *probe->expert, MOT_ROOT);
    mot_comm_bcast(comm, probe->weight, P * sizeof *probe->weight, MOT_ROOT);
    memset(probe->mass, 0, P * roles * sizeof(double));
    for (int local = 0; local < model->layer->local; ++local) {
        const size_t expert = (size_t)model->layer->placement.local[model->layer->placement.first[comm->rank] + local];
        map_expert(e, local, expert);
        conflict(e, local, expert);
        for (size_t p = 0; p < P; ++p)
            if ((size_t)probe->expert[p] == expert) look(model, probe, local, p);
    }
    struct {
        double *values;
        size_t count;
    } const all[] = {
        {e->value[NEURONS], E * N}, {e->value[COSINE], E}, {e->value[AGREEMENT], E}, {probe->mass, P * roles}};
    for (size_t i = 0; i < MOT_COUNT(all); ++i)
        mot_comm_allreduce(comm, all[i].values, (int)all[i].count, MPI_DOUBLE, MPI_SUM);
    if (comm->rank != MOT_ROOT) return;
    map_gate(e);
    for (size_t p = 0; p < P; ++p)
        for (size_t i = 0; i < roles; ++i) e->value[ATTENTION][i] += probe->mass[p * roles + i] / (double)P;
    *e->value[ROUTING] = routing_accuracy(e);
    *e->value[SIGNAL] = e->value[ATTENTION][MOT_ROLE_SIGNAL * MOT_ROLES + MOT_ROLE_SIGNAL];
}

const mot_figure_kind mot_figure_probe = {
    .kind = {"probe"}, .describe = describe, .create = create, .destroy = destroy, .add = take, .end = look_inside};
