/* What the machine can do: products, memory, messages. Every rank measures at the same time, since memory and network are
 * shared. */
#include "bench_private.h"

#include <stdatomic.h>
#include <string.h>

#include "mot/bare_product.h"
#include "mot/choose.h"
#include "mot/clock.h"
#include "mot/memory.h"

enum { FAR = 64 << 20, RUNS = 5 }; /* bytes of an array that no cache holds; runs of which the best counts */
static const double run_s = 1e-3;  /* a run is at least so long, for the clock's sake */

struct bench_limits {
    const mot_comm *comm;
    mot_model *model;
    mot_gemm_shape product[MOT_MOST_GEMMS];
    size_t products;
    mot_real *a, *b, *c;           /* [room] operands of the largest product */
    float *x, *y, *z;              /* [FAR / 4] */
    unsigned char *send, *receive; /* rows of the last step */
    size_t send_room, receive_room;
    size_t *home, *owner;                         /* [ranks] */
    int *counts, *places, *to_counts, *to_places; /* [ranks] */
};

static size_t largest(const bench_limits *limits)
{
    size_t most = 1;
    for (size_t p = 0; p < limits->products; ++p) {
        const mot_gemm_shape *product = &limits->product[p];
        const size_t room = mot_bare_room(limits->model->layer->shape.precision, product->m, product->n, product->k);
        most = MOT_MAX(most, room);
    }
    return most;
}

mot_status mot_bench_limits_create(bench_limits **result, const mot_comm *comm, mot_model *model)
{
    const char *what = "the operands of a measurement";
    const size_t ranks = (size_t)comm->size;
    bench_limits *limits = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&limits, 1, sizeof *limits, what));
    limits->comm = comm;
    limits->model = model;
    limits->products = model->layer->kind->products(&model->layer->shape, limits->product);
    const size_t room = largest(limits);
    MOT_TRY(mot_allocate(&limits->a, room, sizeof(mot_real), what));
    MOT_TRY(mot_allocate(&limits->b, room, sizeof(mot_real), what));
    MOT_TRY(mot_allocate(&limits->c, room, sizeof(mot_real), what));
    MOT_TRY(mot_allocate(&limits->x, FAR, 1, what));
    MOT_TRY(mot_allocate(&limits->y, FAR, 1, what));
    MOT_TRY(mot_allocate(&limits->z, FAR, 1, what));
    MOT_TRY(mot_allocate(&limits->home, ranks, sizeof(size_t), what));
    MOT_TRY(mot_allocate(&limits->owner, ranks, sizeof(size_t), what));
    MOT_TRY(mot_allocate(&limits->counts, ranks, sizeof(int), what));
    MOT_TRY(mot_allocate(&limits->places, ranks, sizeof(int), what));
    MOT_TRY(mot_allocate(&limits->to_counts, ranks, sizeof(int), what));
    MOT_TRY(mot_allocate(&limits->to_places, ranks, sizeof(int), what));
    for (size_t i = 0; i < room; ++i) {
        limits->a[i] = (mot_real)(i % 7) - 3;
        limits->b[i] = (mot_real)(i % 5) - 2;
    }
    for (size_t i = 0; i < FAR / sizeof(float); ++i) {
        limits->x[i] = 0;
        limits->y[i] = (float)(i % 3);
        limits->z[i] = (float)(i % 11);
    }
done:
    if (status != MOT_OK) mot_bench_limits_destroy(&limits);
    *result = limits;
    return status;
}

void mot_bench_limits_destroy(bench_limits **handle)
{
    bench_limits *limits = *handle;
    *handle = NULL;
    if (limits == NULL) return;
    void *const arrays[] = {limits->a,      limits->b,      limits->c,         limits->x,
                            limits->y,      limits->z,      limits->home,      limits->owner,
                            limits->counts, limits->places, limits->to_counts, limits->to_places,
                            limits->send,   limits->receive};
    for (size_t i = 0; i < MOT_COUNT(arrays); ++i) mot_free(arrays[i]);
    mot_free(limits);
}

/* ---- the best of several runs ---- */

/* Seconds of one thing, which `take` does once: runs of as many as take `run_s`. */
static double best_s(void (*take)(bench_limits *, const void *), bench_limits *limits, const void *what)
{
    double start = mot_clock_s(), best = 1e30;
    take(limits, what);
    const int times = 1 + (int)(run_s / (1e-9 + mot_clock_s() - start));
    for (int run = 0; run < RUNS; ++run) {
        start = mot_clock_s();
        for (int i = 0; i < times; ++i) take(limits, what);
        best = MOT_MIN(best, (mot_clock_s() - start) / times);
    }
    return best;
}

typedef struct bare_task {
    const mot_gemm_shape *product;
    mot_bare by;
} bare_task;

static void take_product(bench_limits *limits, const void *what)
{
    const bare_task *task = what;
    const mot_gemm_shape *p = task->product;
    mot_bare_multiply(task->by, p->transpose_a, p->transpose_b, p->m, p->n, p->k, limits->a, limits->b,
                      limits->c);
}

/* Seconds of one product, by the fastest of those that take it. */
static double fastest_s(bench_limits *limits, const mot_gemm_shape *product)
{
    double least = 1e30;
    for (int by = 0; by < mot_bare_count(limits->model->layer->shape.precision); ++by)
        least = MOT_MIN(least, best_s(take_product, limits, &(bare_task){product, (mot_bare)by}));
    return least;
}

static void take_triad(bench_limits *limits, const void *what)
{
    const size_t count = *(const size_t *)what;
    float *restrict x = limits->x;
    const float *y = limits->y, *z = limits->z;
#pragma omp simd
    for (size_t i = 0; i < count; ++i) x[i] = y[i] + 0.5f * z[i];
    atomic_signal_fence(memory_order_seq_cst); /* the compiler must not see that it was for nothing */
}

static void take_copy(bench_limits *limits, const void *what)
{
    memcpy(limits->x, limits->y, *(const size_t *)what);
    atomic_signal_fence(memory_order_seq_cst);
}

/* All products as often as the expert takes them. */
static void measure_products(bench_limits *limits, bench_sample *sample)
{
    double seconds = 0, flops = 0, most = 0;
    for (size_t p = 0; p < limits->products; ++p) {
        const mot_gemm_shape *product = &limits->product[p];
        const double each = 2.0 * (double)product->m * (double)product->n * (double)product->k,
                     each_s = fastest_s(limits, product);
        flops += product->times * each;
        seconds += product->times * each_s;
        if (product->times * each <= most) continue;
        most = product->times * each;
        sample->typical_flops_per_s = each / each_s;
    }
    sample->product_flops_per_s = flops / seconds;
}

/* Bytes a second that a triad reads and writes over arrays of `bytes` bytes together. */
static double triad_rate(bench_limits *limits, double bytes)
{
    const size_t count = MOT_MIN((size_t)FAR / sizeof(float), (size_t)(bytes / (3 * sizeof(float))) + 1);
    return 3.0 * (double)count * sizeof(float) / best_s(take_triad, limits, &count);
}

/* Bytes a second that memcpy copies, `bytes` at a time. */
static double copy_rate(bench_limits *limits, double bytes)
{
    const size_t count = MOT_MIN((size_t)FAR, (size_t)bytes + 1);
    return (double)count / best_s(take_copy, limits, &count);
}

/* ---- messages ---- */

static size_t place(const size_t *rows, int ranks, int *counts, int *places)
{
    size_t all = 0;
    for (int r = 0; r < ranks; ++r) {
        counts[r] = (int)rows[r];
        places[r] = (int)all;
        all += rows[r];
    }
    return all;
}

/* Seconds of an MPI_Alltoallv of rows of `row_bytes`, from the home side to the owner's or (reversed) back. The whole
 * exchange of all chunks is one message a pair. Collective. */
static mot_status alltoallv_s(bench_limits *limits, size_t row_bytes, bool reversed, double *seconds)
{
    const mot_comm *comm = limits->comm;
    const size_t *from = reversed ? limits->owner : limits->home,
                 *to = reversed ? limits->home : limits->owner;
    const size_t out = place(from, comm->size, limits->counts, limits->places),
                 in = place(to, comm->size, limits->to_counts, limits->to_places);
    mot_status status = mot_reserve(&limits->send, &limits->send_room, out, row_bytes, "rows to send");
    if (status == MOT_OK)
        status = mot_reserve(&limits->receive, &limits->receive_room, in, row_bytes, "rows to receive");
    status = mot_comm_agree(comm, status);
    if (status != MOT_OK) return status;
    if (out > 0) memset(limits->send, 1, out * row_bytes);
    MPI_Datatype row;
    MPI_Type_contiguous((int)row_bytes, MPI_BYTE, &row);
    MPI_Type_commit(&row);
    double best = 1e30;
    for (int run = 0; run < RUNS + 1; ++run) { /* the first one warms up */
        MPI_Barrier(comm->mpi);
        const double start = mot_clock_s();
        MPI_Alltoallv(limits->send, limits->counts, limits->places, row, limits->receive, limits->to_counts,
                      limits->to_places, row, comm->mpi);
        if (run > 0) best = MOT_MIN(best, mot_clock_s() - start);
    }
    MPI_Type_free(&row);
    *seconds = best;
    return MOT_OK;
}

/* ---- a repeat ---- */

/* Rooms are counted in rows of a width; another width is another room. */
static void forget_rooms(bench_limits *limits)
{
    mot_free(limits->send);
    mot_free(limits->receive);
    limits->send = limits->receive = NULL;
    limits->send_room = limits->receive_room = 0;
}

static mot_status measure_exchanges(bench_limits *limits, const mot_step *step, bench_sample *sample)
{
    const mot_step_size size = mot_step_bytes(step);
    const mot_config *config = limits->model->config;
    mot_status status = MOT_OK;
    mot_step_rows(step, limits->home, limits->owner);
    size_t row = size.dispatch_row;
    if (size.own_lengths) { /* rows of their mean length */
        uint64_t sum[2] = {size.dispatched, 1};
        for (int r = 0; r < limits->comm->size; ++r) sum[1] += limits->home[r];
        mot_comm_allreduce(limits->comm, sum, 2, MPI_UINT64_T, MPI_SUM);
        row = MOT_MAX((size_t)(sum[0] / sum[1]), (size_t)1);
    }
    MOT_TRY(alltoallv_s(limits, row, false, &sample->limit_s[MOT_PHASE_DISPATCH]));
    if (mot_choice_count(&config->route, config->model.experts) > 1) {
        forget_rooms(limits);
        MOT_TRY(alltoallv_s(limits, size.output_row, true, &sample->limit_s[MOT_PHASE_COMBINE]));
        forget_rooms(limits);
        MOT_TRY(alltoallv_s(limits, size.output_row, false, &sample->limit_s[MOT_PHASE_RETURN]));
    }
done:
    forget_rooms(limits);
    return status;
}

mot_status mot_bench_limits_measure(bench_limits *limits, const mot_step *step, bench_sample *sample)
{
    static const mot_phase streams[] = {MOT_PHASE_SCORE, MOT_PHASE_CHOOSE, MOT_PHASE_LOSS, MOT_PHASE_UPDATE,
                                        MOT_PHASE_REPORT};
    MPI_Barrier(limits->comm->mpi);
    measure_products(limits, sample);
    MPI_Barrier(limits->comm->mpi);
    sample->triad_bytes_per_s = triad_rate(limits, 3.0 * FAR);
    MPI_Barrier(limits->comm->mpi);
    sample->copy_bytes_per_s = copy_rate(limits, FAR);
    MPI_Barrier(limits->comm->mpi);
    for (size_t s = 0; s < MOT_COUNT(streams); ++s) {
        const mot_phase p = streams[s];
        const double by_bytes = sample->bytes[p] > 0 ? sample->bytes[p] / triad_rate(limits, sample->bytes[p])
                                                     : 0,
                     by_flops = sample->flops[p] / sample->product_flops_per_s;
        sample->limit_s[p] = MOT_MAX(by_bytes, by_flops);
    }
    const double loaded = sample->bytes[MOT_PHASE_LOAD];
    if (loaded > 0) sample->limit_s[MOT_PHASE_LOAD] = loaded / copy_rate(limits, loaded);
    /* One thread was measured, and experts work on all of them. */
    sample->limit_s[MOT_PHASE_EXPERT] = sample->flops[MOT_PHASE_EXPERT] /
                                        (sample->product_flops_per_s * mot_step_threads(step));
    return measure_exchanges(limits, step, sample);
}
