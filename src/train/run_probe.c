#include "run_probe.h"

#include <math.h>
#include <string.h>

#include "mot/memory.h"
#include "mot/merged.h"
#include "mot/watch.h"

enum { MOST_PROBE = 512 };

mot_status mot_run_probe_create(const run_world *world, run_probe *probe)
{
    const mot_model *model = &world->model;
    const mot_expert_shape *shape = &model->shape;
    const size_t L = shape->tokens, D = shape->width, E = (size_t)world->model.experts,
                 N = (size_t)world->groups;
    const size_t tile = model->kind->tile(shape);
    const char *what = "the probe of an evaluation";
    int split;
    mot_status status;
    probe->mixture = mot_dataset_mixture(&world->eval_set, &split);
    probe->loss = *mot_step_loss(world->step); /* a step may be made anew */
    probe->classes = N;
    probe->samples = (size_t)MOT_MIN((mot_gidx)MOST_PROBE, world->eval_set.samples);
    probe->samples = MOT_MIN(probe->samples, world->model.config->eval.batch);
    const size_t P = probe->samples;
    MOT_TRY(mot_allocate(&probe->x, P * L * D, sizeof(float), what));
    MOT_TRY(mot_allocate(&probe->label, P, sizeof(int32_t), what));
    MOT_TRY(mot_allocate(&probe->group, P, sizeof(int32_t), what));
    MOT_TRY(mot_allocate(&probe->role, P * L, 1, what));
    MOT_TRY(mot_allocate(&probe->expert, P, sizeof(int32_t), what));
    MOT_TRY(mot_allocate(&probe->weight, P, sizeof(mot_real), what));
    MOT_TRY(mot_allocate(&probe->neurons, E * N, sizeof(double), what));
    MOT_TRY(mot_allocate(&probe->gate, E * N, sizeof(double), what));
    MOT_TRY(mot_allocate(&probe->cosine, E, sizeof(double), what));
    MOT_TRY(mot_allocate(&probe->agreement, E, sizeof(double), what));
    MOT_TRY(mot_allocate(&probe->mass, P * MOT_ROLES * MOT_ROLES, sizeof(double), what));
    MOT_TRY(mot_arena_init(&probe->arena, model->kind->workspace(shape)));
    MOT_TRY(mot_allocate(&probe->signal, D, sizeof(double), what));
    MOT_TRY(mot_allocate(&probe->gradient, N * model->table.count, sizeof(mot_real), what));
    MOT_TRY(mot_allocate(&probe->row, model->table.rows, sizeof(void *), what));
    MOT_TRY(mot_allocate(&probe->prob, L * L, sizeof(mot_real), what));
    MOT_TRY(mot_allocate(&probe->scratch, mot_merged_attention_scratch(shape), sizeof(mot_real), what));
    MOT_TRY(mot_allocate(&probe->first, tile + 1, sizeof(size_t), what));
    MOT_TRY(mot_allocate(&probe->tile_x, tile * L * D, sizeof(mot_real), what));
    MOT_TRY(mot_allocate(&probe->out, tile, sizeof(mot_real), what));
    MOT_TRY(mot_allocate(&probe->d_out, tile, sizeof(mot_real), what));
    for (size_t s = 0; s <= tile; ++s) probe->first[s] = s * L;
    for (size_t p = 0; p < P; ++p)
        mot_mixture_sample(probe->mixture, split, (mot_gidx)p, probe->x + p * L * D, &probe->label[p],
                           &probe->group[p], probe->role + p * L);
done:
    return status;
}

void mot_run_probe_destroy(run_probe *probe)
{
    mot_arena_free(&probe->arena);
    void *const arrays[] = {probe->x,       probe->label,   probe->group,    probe->role,   probe->expert,
                            probe->weight,  probe->neurons, probe->gate,     probe->cosine, probe->agreement,
                            probe->mass,    probe->signal,  probe->gradient, probe->row,    probe->prob,
                            probe->scratch, probe->first,   probe->tile_x,   probe->out,    probe->d_out};
    for (size_t i = 0; i < MOT_COUNT(arrays); ++i) mot_free(arrays[i]);
    *probe = (run_probe){0};
}

void mot_run_probe_take(const mot_model *model, run_probe *probe, const mot_step_result *result)
{
    const size_t K = mot_model_choices(model);
    for (size_t p = 0; p < probe->samples; ++p) {
        probe->expert[p] = result->expert[p * K];
        probe->weight[p] = result->weight[p * K];
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
    for (size_t r = 0; r < model->table.rows; ++r)
        if (model->table.row[r].part == part) return model->weight[(size_t)local * model->table.rows + r];
    return NULL;
}

static void map_expert(const mot_model *model, run_probe *probe, int local, size_t expert)
{
    const mot_merged_config *merged = &model->config->model.merged;
    for (size_t n = 0; n < probe->classes; ++n) {
        label_signal(probe, n, probe->signal);
        probe->neurons[expert * probe->classes + n] = alignment(weight_of(model, local, MOT_PART_FFN),
                                                                merged->heads, model->shape.width,
                                                                merged->neurons, probe->signal);
    }
}

/* theta_i c_n, on the root, which owns the gate; stays 0 unless the gate is linear in the tokens' sum or mean. */
static void map_gate(const mot_model *model, run_probe *probe)
{
    const mot_gate *gate = &model->gate;
    const size_t D = model->shape.width, E = gate->experts;
    if (gate->kind != &mot_gate_linear || gate->features != D) return;
    for (size_t e = 0; e < E; ++e)
        for (size_t n = 0; n < probe->classes; ++n) {
            double sum = 0;
            for (size_t d = 0; d < D; ++d)
                sum += (double)model->gate_params.value[d * E + e] * probe->mixture->class_signal[n * D + d];
            probe->gate[e * probe->classes + n] = sum;
        }
}

/* Attention of one sample, summed by kind of key, mean over the queries of a kind and over the heads. */
static void look(const mot_model *model, run_probe *probe, int local, size_t p)
{
    const size_t L = model->shape.tokens, D = model->shape.width, H = model->config->model.merged.heads;
    const int8_t *role = probe->role + p * L;
    double *mass = probe->mass + p * MOT_ROLES * MOT_ROLES;
    size_t queries[MOT_ROLES] = {0};
    for (size_t i = 0; i < L; ++i) ++queries[role[i]];
    for (size_t i = 0; i < L * D; ++i) probe->tile_x[i] = probe->x[p * L * D + i];
    for (size_t h = 0; h < H; ++h) {
        mot_merged_attention(&model->shape, model->weight + (size_t)local * model->table.rows, h,
                             probe->tile_x, L, probe->prob, probe->scratch);
        for (size_t i = 0; i < L; ++i)
            for (size_t j = 0; j < L; ++j)
                mass[role[i] * MOT_ROLES + role[j]] += probe->prob[i * L + j] /
                                                       (double)(queries[role[i]] * H);
    }
}

/* Adds the gradient of the loss over the probe's samples of class n at this expert. Returns how many there are. */
static size_t class_gradient(const mot_model *model, run_probe *probe, int local, size_t expert, size_t n,
                             mot_real *gradient)
{
    const mot_expert_shape *shape = &model->shape;
    const mot_loss *loss = &probe->loss;
    const mot_real *const *weight = model->weight + (size_t)local * model->table.rows;
    const size_t LD = shape->tokens * shape->width, tile = model->kind->tile(shape);
    size_t count = 0;
    memset(gradient, 0, model->table.count * sizeof *gradient);
    for (size_t r = 0; r < model->table.rows; ++r) probe->row[r] = gradient + model->table.row[r].offset;
    for (size_t p = 0; p < probe->samples;) {
        size_t sample[MOST_PROBE], m = 0;
        for (; p < probe->samples && m < tile; ++p)
            if ((size_t)probe->expert[p] == expert && (size_t)probe->group[p] == n) sample[m++] = p;
        if (m == 0) break;
        for (size_t s = 0; s < m; ++s)
            for (size_t i = 0; i < LD; ++i) probe->tile_x[s * LD + i] = probe->x[sample[s] * LD + i];
        const mot_tile rows = {m, probe->first, probe->tile_x, NULL};
        const size_t mark = mot_arena_mark(&probe->arena);
        void *kept = model->kind->forward(shape, weight, &rows, &probe->arena, true, probe->out);
        for (size_t s = 0; s < m; ++s) {
            const mot_real w = probe->weight[sample[s]], combined = w * probe->out[s];
            const int32_t class = probe->label[sample[s]] > 0;
            loss->kind->value(loss, &combined, &class, &probe->d_out[s]);
            probe->d_out[s] *= w;
        }
        model->kind->backward(shape, weight, probe->row, &rows, &probe->arena, kept, probe->d_out, ~0u);
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
static void conflict(const mot_model *model, run_probe *probe, int local, size_t expert)
{
    const size_t count = model->table.count, N = probe->classes;
    double length[MOT_MIXTURE_MAX_CLASSES], lengths = 0, cosines = 0, square = 0;
    size_t pairs = 0, present = 0;
    for (size_t n = 0; n < N; ++n) {
        mot_real *gradient = probe->gradient + present * count;
        if (class_gradient(model, probe, local, expert, n, gradient) == 0) continue;
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
    probe->cosine[expert] = pairs > 0 ? cosines / (double)pairs : NAN;
    probe->agreement[expert] = present > 0 ? sqrt(fmax(square, 0)) / lengths : NAN;
}

/* Every rank its experts; then all are put together on the root. */
void mot_run_probe_look(const mot_model *model, run_probe *probe)
{
    const mot_comm *comm = model->comm;
    const size_t E = (size_t)model->experts, N = probe->classes, P = probe->samples;
    mot_comm_bcast(comm, probe->expert, P * sizeof *probe->expert, MOT_ROOT);
    mot_comm_bcast(comm, probe->weight, P * sizeof *probe->weight, MOT_ROOT);
    memset(probe->neurons, 0, E * N * sizeof(double));
    memset(probe->gate, 0, E * N * sizeof(double));
    memset(probe->cosine, 0, E * sizeof(double));
    memset(probe->agreement, 0, E * sizeof(double));
    memset(probe->mass, 0, P * MOT_ROLES * MOT_ROLES * sizeof(double));
    for (int local = 0; local < model->local; ++local) {
        const size_t expert = (size_t)model->placement.local[model->placement.first[comm->rank] + local];
        map_expert(model, probe, local, expert);
        conflict(model, probe, local, expert);
        for (size_t p = 0; p < P; ++p)
            if ((size_t)probe->expert[p] == expert) look(model, probe, local, p);
    }
    struct {
        double *values;
        size_t count;
    } const all[] = {{probe->neurons, E * N},
                     {probe->cosine, E},
                     {probe->agreement, E},
                     {probe->mass, P * MOT_ROLES * MOT_ROLES}};
    const bool root = comm->rank == MOT_ROOT;
    mot_watch_wait(root ? MOT_WATCH_ALL : MOT_ROOT);
    for (size_t i = 0; i < MOT_COUNT(all); ++i)
        MPI_Reduce(root ? MPI_IN_PLACE : all[i].values, all[i].values, (int)all[i].count, MPI_DOUBLE, MPI_SUM,
                   MOT_ROOT, comm->mpi);
    mot_watch_wait(MOT_WATCH_NOBODY);
    if (!root) return;
    map_gate(model, probe);
    memset(probe->attention, 0, sizeof probe->attention);
    for (size_t p = 0; p < P; ++p)
        for (size_t i = 0; i < MOT_ROLES * MOT_ROLES; ++i)
            probe->attention[i] += probe->mass[p * MOT_ROLES * MOT_ROLES + i] / (double)P;
}
