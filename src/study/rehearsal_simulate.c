/* Runs of the linear theory of rehearsal (rehearsal.h): samples of a task are made once, for all cases.
 *
 *      rows    | new, n | memory of task 0 | 1 | ... | t-1 |      N = n + t floor(M / t)
 *
 * x is kept with a row a coordinate, [p, N], so that loops over samples are loops over neighbours. Sums run in the order that
 * stands here, without any library: the same bits on every machine. */
#include <math.h>
#include <string.h>

#include "mot/memory.h"
#include "mot/rng.h"
#include "rehearsal_private.h"

typedef struct world {
    const mot_rehearsal *r;
    uint64_t seed;
    size_t run;
    int t;              /* the task */
    size_t share, rows; /* floor(M / t), N */
    /* owned by `block` */
    double *x;      /* [p, N] */
    double *gram;   /* [N, N] of which j <= i counts */
    double *noise;  /* [N] s z */
    double *target; /* [N] y of a case */
    double *factor; /* [m, m] */
    double *rest;   /* [m] */
    float *made;    /* [max(p, n, M)] */
    size_t *row;    /* [m] of a fit */
    void *block;
    /* the same rows, neighbours together */
    struct {
        size_t begin, end;
    } span[MOT_REHEARSAL_TASKS];
    size_t spans;
} world;

static mot_status world_make(const mot_rehearsal *r, uint64_t seed, world *of)
{
    const size_t N = r->samples + r->memory, made = r->width; /* which is more than N */
    const size_t sizes[] = {r->width * N, N * N, N, N, N * N, N};
    size_t all = 0;
    for (size_t i = 0; i < MOT_COUNT(sizes); ++i) all += sizes[i] * sizeof(double);
    *of = (world){.r = r, .seed = seed};
    const mot_status status = mot_allocate(&of->block, all + N * sizeof(size_t) + made * sizeof(float), 1, "the samples of a run");
    if (status != MOT_OK) return status;
    double *at = of->block, **const array[] = {&of->x, &of->gram, &of->noise, &of->target, &of->factor, &of->rest};
    for (size_t i = 0; i < MOT_COUNT(sizes); at += sizes[i++]) *array[i] = at;
    of->row = (size_t *)at;
    of->made = (float *)(of->row + N);
    return MOT_OK;
}

static size_t first_row(const world *of, int h)
{
    return h == of->t ? 0 : of->r->samples + (size_t)h * of->share;
}

/* Samples of task h, at the time of the world's task; stored ones are those of their own time. */
static void make_samples(world *of, int h, size_t count)
{
    const size_t p = of->r->width, begin = first_row(of, h);
    const uint32_t time = (uint32_t)(of->r->stored ? h : of->t);
    uint32_t counter[] = {(uint32_t)of->run, time << 16 | (uint32_t)h, UINT32_MAX, 0};
    mot_normal_row(of->seed, MOT_STREAM_REHEARSAL, counter, 1, of->made, count);
    for (size_t i = 0; i < count; ++i) of->noise[begin + i] = of->r->noise * (double)of->made[i];
    for (size_t i = 0; i < count; ++i) {
        counter[2] = (uint32_t)i;
        mot_normal_row(of->seed, MOT_STREAM_REHEARSAL, counter, 1, of->made, p);
        for (size_t k = 0; k < p; ++k) of->x[k * of->rows + begin + i] = (double)of->made[k];
    }
}

static void make_gram(world *of)
{
    const size_t N = of->rows;
    memset(of->gram, 0, N * N * sizeof *of->gram);
    for (size_t k = 0; k < of->r->width; ++k) {
        const double *x = of->x + k * N;
        for (size_t i = 0; i < N; ++i)
            for (size_t j = 0; j <= i; ++j) of->gram[i * N + j] += x[i] * x[j];
    }
}

static void begin_task(world *of, int t)
{
    of->t = t;
    of->share = mot_rehearsal_share(of->r, t);
    of->rows = of->r->samples + (size_t)t * of->share;
    make_samples(of, t, of->r->samples);
    for (int h = 0; h < t; ++h) make_samples(of, h, of->share);
    make_gram(of);
}

/* y = x . w_h + noise for all samples. */
static void make_targets(world *of, const mot_rehearsal_truths *truths)
{
    const size_t length = truths->length < of->r->width ? truths->length : of->r->width;
    memcpy(of->target, of->noise, of->rows * sizeof *of->target);
    for (int h = 0; h <= of->t; ++h) {
        const double *w = truths->w + (size_t)h * truths->length;
        const size_t begin = first_row(of, h), count = h == of->t ? of->r->samples : of->share;
        for (size_t k = 0; k < length; ++k)
            for (size_t i = 0; w[k] != 0 && i < count; ++i) of->target[begin + i] += w[k] * of->x[k * of->rows + begin + i];
    }
}

static void add_span(world *of, size_t begin, size_t count)
{
    if (of->spans > 0 && of->span[of->spans - 1].end == begin) {
        of->span[of->spans - 1].end += count;
        return;
    }
    of->span[of->spans].begin = begin;
    of->span[of->spans++].end = begin + count;
}

/* The rows of a fit into of->row and of->span; how many. */
static size_t find_rows(world *of, const uint8_t *place, int fit)
{
    size_t m = 0;
    of->spans = 0;
    if (fit == 0) add_span(of, 0, of->r->samples);
    for (int h = 0; h < of->t; ++h)
        if (place[h] == fit) add_span(of, first_row(of, h), of->share);
    for (size_t s = 0; s < of->spans; ++s)
        for (size_t i = of->span[s].begin; i < of->span[s].end; ++i) of->row[m++] = i;
    return m;
}

/* A := U with A = U'U, of which the upper triangle is read and written; false where A is not positive. */
static bool factorize(double *a, size_t m)
{
    for (size_t j = 0; j < m; ++j) {
        double *top = a + j * m;
        if (!(top[j] > 0)) return false;
        const double pivot = sqrt(top[j]);
        for (size_t k = j; k < m; ++k) top[k] /= pivot;
        for (size_t i = j + 1; i < m; ++i)
            for (size_t k = i; k < m; ++k) a[i * m + k] -= top[i] * top[k];
    }
    return true;
}

/* v := (U'U)^-1 v. */
static void solve(const double *u, size_t m, double *v)
{
    for (size_t j = 0; j < m; ++j) {
        v[j] /= u[j * m + j];
        for (size_t k = j + 1; k < m; ++k) v[k] -= u[j * m + k] * v[j];
    }
    for (size_t j = m; j-- > 0;) {
        for (size_t k = j + 1; k < m; ++k) v[j] -= u[j * m + k] * v[k];
        v[j] /= u[j * m + j];
    }
}

/* rest := y - X w over the rows of a fit. */
static void find_rest(world *of, size_t m, const double *w)
{
    for (size_t i = 0; i < m; ++i) of->rest[i] = of->target[of->row[i]];
    for (size_t k = 0; k < of->r->width; ++k) {
        double *rest = of->rest;
        for (size_t s = 0; s < of->spans; ++s) {
            const double *x = of->x + k * of->rows + of->span[s].begin;
            const size_t count = of->span[s].end - of->span[s].begin;
            for (size_t i = 0; i < count; ++i) rest[i] -= w[k] * x[i];
            rest += count;
        }
    }
}

/* w += X' rest. Four sums side by side, which need not wait for each other. */
static void move_by_rest(const world *of, double *w)
{
    for (size_t k = 0; k < of->r->width; ++k) {
        const double *rest = of->rest;
        double sum[4] = {0};
        for (size_t s = 0; s < of->spans; ++s) {
            const double *x = of->x + k * of->rows + of->span[s].begin;
            const size_t count = of->span[s].end - of->span[s].begin;
            size_t i = 0;
            for (; i + 4 <= count; i += 4)
                for (size_t j = 0; j < 4; ++j) sum[j] += rest[i + j] * x[i + j];
            for (; i < count; ++i) sum[0] += rest[i] * x[i];
            rest += count;
        }
        w[k] += (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }
}

/* w += X' (X X')^-1 (y - X w) over the rows of a fit. */
static mot_status fit(world *of, size_t m, double *w)
{
    const size_t N = of->rows;
    for (size_t i = 0; i < m; ++i)
        for (size_t j = i; j < m; ++j) of->factor[i * m + j] = of->gram[of->row[j] * N + of->row[i]];
    if (!factorize(of->factor, m))
        return mot_fail(MOT_ERR_NUMERIC, "run %zu: the samples of a fit depend on each other", of->run);
    find_rest(of, m, w);
    solve(of->factor, m, of->rest);
    move_by_rest(of, w);
    return MOT_OK;
}

/* |w - w_v|^2 for all v. */
static void measure(const world *of, const mot_rehearsal_truths *truths, const double *w, double *loss)
{
    const size_t p = of->r->width;
    for (int v = 0; v < of->r->tasks; ++v) {
        const double *truth = truths->w + (size_t)v * truths->length;
        loss[v] = 0;
        for (size_t k = 0; k < p; ++k) {
            const double off = w[k] - (k < truths->length ? truth[k] : 0);
            loss[v] += off * off;
        }
    }
}

/* state [count, p], loss [count, T, T]. */
static mot_status do_run(world *of, const mot_rehearsal_case *cases, size_t count, double *state, double *loss)
{
    const size_t T = (size_t)of->r->tasks, p = of->r->width;
    mot_status status = MOT_OK;
    memset(state, 0, count * p * sizeof *state);
    for (int t = 0; t < of->r->tasks; ++t) {
        begin_task(of, t);
        for (size_t c = 0; c < count; ++c) {
            const uint8_t *place = cases[c].plan->place[t];
            make_targets(of, cases[c].truths);
            for (int f = 0; f <= mot_rehearsal_last_fit(place, t); ++f)
                MOT_TRY(fit(of, find_rows(of, place, f), state + c * p));
            measure(of, cases[c].truths, state + c * p, loss + (c * T + (size_t)t) * T);
        }
    }
done:
    return status;
}

/* Every number is of one rank, and 0 on the others. */
static void sum_up(const mot_comm *comm, double *values, size_t count)
{
    enum { PIECE = 1 << 24 };
    for (size_t i = 0; comm->size > 1 && i < count; i += PIECE)
        mot_comm_allreduce(comm, values + i, (int)MOT_MIN(count - i, (size_t)PIECE), MPI_DOUBLE, MPI_SUM);
}

mot_status mot_rehearsal_simulate(const mot_comm *comm, const mot_rehearsal *r, const mot_rehearsal_case *cases, size_t count,
                                  uint64_t seed, size_t runs, double *loss)
{
    world of = {0};
    double *state = NULL;
    const size_t each = count * (size_t)r->tasks * (size_t)r->tasks;
    mot_status status = world_make(r, seed, &of);
    if (status == MOT_OK) status = mot_allocate(&state, count * r->width, sizeof *state, "the states of a run");
    memset(loss, 0, runs * each * sizeof *loss);
    for (of.run = (size_t)comm->rank; status == MOT_OK && of.run < runs; of.run += (size_t)comm->size)
        status = do_run(&of, cases, count, state, loss + of.run * each);
    mot_free(of.block);
    mot_free(state);
    MOT_TRY(mot_comm_agree(comm, status));
    sum_up(comm, loss, runs * each);
done:
    return status;
}
