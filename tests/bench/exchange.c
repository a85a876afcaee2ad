/* exchange: what the exchange costs beside MPI_Alltoallv, and how much of it hides behind work.
 *
 *      mpirun -n RANKS bench_exchange speed [REPEATS]
 *      mpirun -n RANKS bench_exchange overlap [REPEATS [SAMPLES [WORK [sleep]]]]
 *
 * speed: rows go to random experts and come back. `alltoallv` is two calls of MPI_Alltoallv with the same counts and
 * bytes; `by rank` and `by node` are the same by mot_exchange_begin and end, with every rank a node of its own and with
 * those of one host together, which meet (MPI_Barrier) before every round, as they do in a step. `+ packing` adds the
 * copy out of a batch, for alltoallv all rows into its send buffer, for mot each to mot_exchange_home. A ratio, to
 * alltoallv, is taken within its repeat. With one rank a host the two forms are the same, and their difference is noise.
 *
 * overlap: SAMPLES samples of 12,304 bytes (64 tokens of 48 numbers and a head) go to their experts in C chunks, all
 * begun at once; an expert works on a chunk when it is there. Work is matrix products in tiles, WORK times as long as
 * the exchange. Measured in turn: exchange alone T_x, work alone T_w, both T_b; hidden is T_x + T_w - T_b.
 *
 * What could be hidden: with x = T_x / C and w = T_w / C nothing can be done before the first chunk is there, nor sent
 * during the work on the last one: T_b >= x + (C - 1) max(x, w) + w, so hidden <= (C - 1)/C min(T_x, T_w). And MPI's
 * own work takes its core: of the processor time U_x that an exchange uses (measured in one that sleeps instead of
 * polling) nothing hides where work would use the core as well; U_w being that of the work, it takes U_x T_w / U_w,
 * so hidden <= T_x - U_x T_w / U_w. The bound is the smaller one. U_x is what the ranks used and what the machines
 * spent on network interrupts meanwhile.
 *
 * With `sleep` a tile is slept through: as if each rank had a core of its own to work on, where in truth several hosts
 * share this machine's. A rank's own part of U_x, U_x / RANKS, still comes between its tiles.
 *
 * `of bound` is hidden / bound, and `no progress` the same without a look at the messages between tiles. On cores that
 * are busy anyway the bound is next to nothing, or below it.
 *
 * Times are the slowest rank's, figures are medians over the repeats. Nothing is asserted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "mot/blas.h"
#include "mot/clock.h"
#include "mot/exchange.h"
#include "mot/memory.h"
#include "mot/rng.h"
#include "mot/statistics.h"

enum { MOST_REPEATS = 999, MOST_CHUNKS = 8, EDGE = 192 };

static mot_comm comm;
static mot_nodes nodes[2]; /* every rank by itself; the ranks of a host */

static void must(mot_status status)
{
    if (status == MOT_OK) return;
    fprintf(stderr, "%s\n", mot_error_message());
    MPI_Abort(MPI_COMM_WORLD, 1);
}

static double of_all(double mine, MPI_Op op)
{
    double all;
    MPI_Allreduce(&mine, &all, 1, MPI_DOUBLE, op, comm.mpi);
    return all;
}

static double cpu_s(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           1e-6 * (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

/* Seconds that the processors of this machine have spent on soft interrupts: packets that arrive. */
static double interrupts_s(void)
{
    unsigned long ticks = 0;
    FILE *file = fopen("/proc/stat", "r");
    if (file == NULL) return 0;
    if (fscanf(file, "cpu %*u %*u %*u %*u %*u %*u %lu", &ticks) != 1) ticks = 0;
    fclose(file);
    return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

/* True on one rank of each machine; several hosts of netns-cluster are one. */
static bool first_of_machine(void)
{
    char mine[64] = "", *all = mot_calloc((size_t)comm.size, sizeof mine);
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
    if (file != NULL && fgets(mine, sizeof mine, file) == NULL) mine[0] = 0;
    if (file != NULL) fclose(file);
    MPI_Allgather(mine, sizeof mine, MPI_BYTE, all, sizeof mine, MPI_BYTE, comm.mpi);
    int first = 0;
    while (memcmp(all + (size_t)first * sizeof mine, mine, sizeof mine) != 0) ++first;
    mot_free(all);
    return first == comm.rank;
}

/* ---- rows on their way ---- */

typedef enum form { BY_RANK, BY_NODE, FORMS } form;

typedef struct traffic {
    mot_plan plan[FORMS]; /* the same rows in the same order */
    mot_exchange there[FORMS], back[FORMS];
    unsigned char *batch, *send, *receive; /* MPI_Alltoallv: rows as they were read; as they are sent */
    unsigned char *out, *home;             /* rows that come back */
    uint32_t *slot;                        /* [rows_home]: row of the batch */
    int *count[4], *place[4]; /* MPI_Alltoallv: sent and received there; sent and received back */
} traffic;

/* `samples` samples, read in equal slices, for `choices` of two experts a rank, at random. */
static void traffic_make(traffic *t, size_t samples, size_t choices, size_t row_bytes, size_t back_bytes,
                         uint32_t salt)
{
    const int experts = 2 * comm.size;
    const size_t ranks = (size_t)comm.size;
    mot_placement placement;
    int *home = mot_calloc(samples, sizeof *home);
    int32_t *expert = mot_calloc(samples * choices, sizeof *expert);
    memset(t, 0, sizeof *t);
    for (size_t s = 0; s < samples; ++s) {
        home[s] = (int)(s * ranks / samples);
        const uint32_t first = mot_random(7, MOT_STREAM_TEST, salt, (uint32_t)s, 0, 0).word[0];
        for (size_t k = 0; k < choices; ++k)
            expert[s * choices + k] = (int32_t)((first + k) % (uint32_t)experts);
    }
    must(mot_placement_init(&placement, "even", experts, comm.size, false, false));
    for (int f = 0; f < FORMS; ++f) {
        must(mot_plan_init(&t->plan[f], &placement, &nodes[f]));
        must(mot_plan_build(&t->plan[f], &placement, samples, choices, home, expert, NULL, NULL));
        must(mot_exchange_init(&t->there[f], &comm, &nodes[f], row_bytes));
        must(mot_exchange_init(&t->back[f], &comm, &nodes[f], back_bytes));
        must(mot_exchange_reserve(&t->there[f], &t->plan[f]));
        must(mot_exchange_reserve(&t->back[f], &t->plan[f]));
    }
    const mot_plan *plan = &t->plan[BY_RANK];
    const size_t mine = samples / ranks + 1;
    must(mot_allocate(&t->batch, mine, row_bytes, "a batch"));
    must(mot_allocate(&t->send, plan->rows_home, row_bytes, "rows"));
    must(mot_allocate(&t->receive, plan->rows_owner, row_bytes, "rows"));
    must(mot_allocate(&t->out, plan->rows_owner, back_bytes, "rows"));
    must(mot_allocate(&t->home, plan->rows_home, back_bytes, "rows"));
    must(mot_allocate(&t->slot, plan->rows_home, sizeof *t->slot, "rows"));
    const size_t first = (samples * (size_t)comm.rank + ranks - 1) / ranks;
    for (size_t r = 0; r < plan->rows_home; ++r)
        t->slot[r] = (uint32_t)((size_t)plan->home_sample[r] - first);
    for (int i = 0; i < 4; ++i) {
        const size_t *at = i == 0 || i == 3 ? plan->home_first : plan->owner_first;
        const size_t bytes = i < 2 ? row_bytes : back_bytes;
        must(mot_allocate(&t->count[i], ranks, sizeof(int), "counts"));
        must(mot_allocate(&t->place[i], ranks, sizeof(int), "counts"));
        for (size_t r = 0; r < ranks; ++r) {
            t->count[i][r] = (int)((at[r + 1] - at[r]) * bytes);
            t->place[i][r] = (int)(at[r] * bytes);
        }
    }
    mot_placement_free(&placement);
    mot_free(home);
    mot_free(expert);
}

static void traffic_free(traffic *t)
{
    void *const arrays[] = {t->batch, t->send, t->receive, t->out, t->home, t->slot};
    for (size_t i = 0; i < MOT_COUNT(arrays); ++i) mot_free(arrays[i]);
    for (int i = 0; i < 4; ++i) {
        mot_free(t->count[i]);
        mot_free(t->place[i]);
    }
    for (int f = 0; f < FORMS; ++f) {
        mot_exchange_free(&t->there[f]);
        mot_exchange_free(&t->back[f]);
        mot_plan_free(&t->plan[f]);
    }
}

/* ---- speed ---- */

static void by_alltoallv(traffic *t, bool pack)
{
    const size_t bytes = t->there[0].row_bytes;
    for (size_t r = 0; pack && r < t->plan[0].rows_home; ++r)
        memcpy(t->send + r * bytes, t->batch + t->slot[r] * bytes, bytes);
    MPI_Alltoallv(t->send, t->count[0], t->place[0], MPI_BYTE, t->receive, t->count[1], t->place[1], MPI_BYTE,
                  comm.mpi);
    MPI_Alltoallv(t->out, t->count[2], t->place[2], MPI_BYTE, t->home, t->count[3], t->place[3], MPI_BYTE,
                  comm.mpi);
}

/* A step meets others before it writes rows anew; here the members of a node do. */
static void by_mot(traffic *t, form f, bool pack)
{
    const mot_plan *plan = &t->plan[f];
    mot_exchange *there = &t->there[f], *back = &t->back[f];
    const size_t bytes = there->row_bytes;
    if (mot_nodes_members(&nodes[f], nodes[f].mine) > 1) MPI_Barrier(nodes[f].comm);
    for (size_t r = 0; pack && r < plan->rows_home; ++r)
        memcpy(mot_exchange_home(there, plan, r), t->batch + t->slot[r] * bytes, bytes);
    mot_exchange_begin(there, plan, MOT_DISPATCH);
    mot_exchange_end(there);
    mot_exchange_begin(back, plan, MOT_COMBINE);
    mot_exchange_end(back);
}

/* MPI_Alltoallv, then mot's forms; the same with packing. */
enum { KINDS_OF_WAYS = 1 + FORMS, WAYS = 2 * KINDS_OF_WAYS };

static double run_s(traffic *t, int way, int times)
{
    const int kind = way % KINDS_OF_WAYS;
    const bool pack = way >= KINDS_OF_WAYS;
    MPI_Barrier(comm.mpi);
    const double start = mot_clock_s();
    for (int i = 0; i < times; ++i) {
        if (kind == 0)
            by_alltoallv(t, pack);
        else
            by_mot(t, (form)(kind - 1), pack);
    }
    return of_all(mot_clock_s() - start, MPI_MAX) / times;
}

static void measure_speed(size_t samples, size_t choices, size_t row_bytes, size_t back_bytes, int repeats)
{
    static double figure[WAYS][MOST_REPEATS], ratio[WAYS][MOST_REPEATS];
    traffic t;
    traffic_make(&t, samples, choices, row_bytes, back_bytes, 1);
    /* A run is so long that a link's burst is a small part of it. */
    int times[WAYS];
    for (int way = 0; way < WAYS; ++way) {
        const double first = run_s(&t, way, 3), least = MOT_MAX(1e-6, MOT_MIN(first, run_s(&t, way, 3)));
        times[way] = 1 + (int)(20e-3 / least); /* alike on all ranks, as the time is */
    }
    for (int r = 0; r < repeats; ++r) {
        for (int i = 0; i < WAYS; ++i) { /* each way is first in its turn */
            const int way = (i + r) % WAYS;
            figure[way][r] = run_s(&t, way, times[way]);
        }
        for (int way = 0; way < WAYS; ++way)
            ratio[way][r] = figure[way][r] / figure[way - way % KINDS_OF_WAYS][r];
    }
    if (comm.rank == MOT_ROOT) {
        printf("%7zu %2zu %7zu %7zu", samples, choices, row_bytes, back_bytes);
        for (int way = 0; way < WAYS; ++way) {
            printf(" %s%10.1f", way % KINDS_OF_WAYS == 0 ? " " : "",
                   1e6 * mot_median(figure[way], (size_t)repeats));
            if (way % KINDS_OF_WAYS > 0) printf(" %6.3f", mot_median(ratio[way], (size_t)repeats));
        }
        printf("\n");
    }
    fflush(stdout);
    traffic_free(&t);
}

static void speed(int repeats)
{
    static const size_t shape[][4] = {
        {128, 1, 800, 40},    /* pictures of 28 x 28, ten classes */
        {128, 2, 800, 40},    /* twice */
        {128, 1, 3088, 400},  /* pictures of 3 x 32 x 32, a hundred classes */
        {512, 2, 3088, 400},  /* four times the batch, twice */
        {128, 1, 12304, 40},  /* 64 tokens of 48 numbers */
        {1024, 2, 12304, 40}, /* more of them, twice */
        {256, 2, 4096, 4096}, /* as much back as there */
        {64, 1, 65552, 4000}, /* few and large */
    };
    if (comm.rank == MOT_ROOT)
        printf("%d ranks on %d hosts; microseconds there and back, medians of %d\n%7s %2s %7s %7s  %10s %10s "
               "%6s %10s "
               "%6s  %10s %10s %6s %10s %6s\n",
               comm.size, nodes[BY_NODE].count, repeats, "samples", "K", "bytes", "back", "alltoallv",
               "by rank", "ratio", "by node", "ratio", "+ packing", "by rank", "ratio", "by node", "ratio");
    for (size_t s = 0; s < MOT_COUNT(shape); ++s)
        measure_speed(shape[s][0], shape[s][1], shape[s][2], shape[s][3], repeats);
}

/* ---- overlap ---- */

typedef struct pipeline {
    traffic chunk[MOST_CHUNKS];
    size_t chunks;
    form how;
    mot_real *a, *b, *c; /* [EDGE, EDGE] */
    int tiles;           /* of a chunk */
    bool sleeps;
} pipeline;

static void begin(pipeline *p)
{
    for (size_t c = 0; c < p->chunks; ++c) {
        traffic *t = &p->chunk[c];
        mot_exchange_begin(&t->there[p->how], &t->plan[p->how], MOT_DISPATCH);
    }
}

/* As a step does between tiles. */
static void progress(pipeline *p)
{
    static double last_s;
    const double now = mot_clock_s();
    if (now - last_s < 5e-4) return;
    last_s = now;
    for (size_t c = 0; c < p->chunks; ++c)
        if (!mot_exchange_test(&p->chunk[c].there[p->how])) return;
}

static void work(pipeline *p, bool progresses)
{
    for (int i = 0; i < p->tiles; ++i) {
        const struct timespec tile = {.tv_nsec = 300000};
        if (p->sleeps)
            nanosleep(&tile, NULL);
        else
            mot_gemm(false, false, EDGE, EDGE, EDGE, 1, p->a, EDGE, p->b, EDGE, 0, p->c, EDGE);
        if (progresses) progress(p);
    }
}

enum { EXCHANGE, WORK, BOTH, BOTH_QUIET, NAPS, KINDS };

/* Seconds of the slowest rank. */
static double once(pipeline *p, int kind)
{
    MPI_Barrier(comm.mpi);
    const double start = mot_clock_s();
    if (kind != WORK) begin(p);
    for (size_t c = 0; c < p->chunks; ++c) {
        const struct timespec nap = {.tv_nsec = 500000};
        while (kind == NAPS && !mot_exchange_test(&p->chunk[c].there[p->how])) nanosleep(&nap, NULL);
        if (kind != WORK) mot_exchange_end(&p->chunk[c].there[p->how]);
        if (kind != EXCHANGE && kind != NAPS) work(p, kind == BOTH);
    }
    return of_all(mot_clock_s() - start, MPI_MAX);
}

/* The mean of several in a row, in all `long_s` or more: a process that has waited for long runs ahead of the others at
 * first, and one alone would tell of that. *cpu: processor time of all ranks, and of interrupts. */
static double several(pipeline *p, int kind, bool counts, double *cpu)
{
    const double long_s = 0.2, interrupted = interrupts_s(), used = cpu_s();
    double sum = 0;
    int times = 0;
    for (; sum < long_s; ++times) sum += once(p, kind);
    const double mine = cpu_s() - used + (counts ? interrupts_s() - interrupted : 0);
    *cpu = of_all(mine, MPI_SUM) / times;
    return sum / times;
}

static void pipeline_make(pipeline *p, size_t samples, double share, bool counts)
{
    double cpu;
    must(mot_allocate(&p->a, EDGE * EDGE, sizeof(mot_real), "a tile"));
    must(mot_allocate(&p->b, EDGE * EDGE, sizeof(mot_real), "a tile"));
    must(mot_allocate(&p->c, EDGE * EDGE, sizeof(mot_real), "a tile"));
    for (size_t c = 0; c < p->chunks; ++c)
        traffic_make(&p->chunk[c], samples / p->chunks, 1, 12304, 40, (uint32_t)c);
    p->tiles = 10;
    const double tiles_s = several(p, WORK, counts, &cpu); /* also a warm-up */
    const double exchange_s = several(p, EXCHANGE, counts, &cpu);
    p->tiles = 1 + (int)(10 * share * exchange_s / tiles_s);
}

static void pipeline_free(pipeline *p)
{
    for (size_t c = 0; c < p->chunks; ++c) traffic_free(&p->chunk[c]);
    mot_free(p->a);
    mot_free(p->b);
    mot_free(p->c);
}

static void measure_overlap(size_t chunks, size_t samples, double share, bool sleeps, int repeats)
{
    enum { T_X, T_W, T_B, U_X, BOUND, HIDDEN, FRACTION, QUIET, FIGURES };
    static double figure[FIGURES][MOST_REPEATS];
    const bool counts = first_of_machine() && !sleeps;
    pipeline p = {.chunks = chunks, .sleeps = sleeps};
    pipeline_make(&p, samples, share, counts);
    for (int r = 0; r < repeats; ++r) {
        double s[KINDS], cpu[KINDS];
        for (int i = 0; i < KINDS; ++i) {
            const int kind = (i + r) % KINDS;
            s[kind] = several(&p, kind, counts, &cpu[kind]);
        }
        const double C = (double)chunks, pipelined = (C - 1) / C * MOT_MIN(s[EXCHANGE], s[WORK]),
                     core_s = cpu[NAPS] * (sleeps ? 1.0 / comm.size : s[WORK] / cpu[WORK]),
                     bound = MOT_MIN(pipelined, s[EXCHANGE] - core_s);
        figure[T_X][r] = s[EXCHANGE];
        figure[T_W][r] = s[WORK];
        figure[T_B][r] = s[BOTH];
        figure[U_X][r] = core_s;
        figure[BOUND][r] = bound;
        figure[HIDDEN][r] = s[EXCHANGE] + s[WORK] - s[BOTH];
        figure[FRACTION][r] = figure[HIDDEN][r] / bound;
        figure[QUIET][r] = (s[EXCHANGE] + s[WORK] - s[BOTH_QUIET]) / bound;
    }
    for (int f = 0; f < FIGURES; ++f) figure[f][0] = mot_median(figure[f], (size_t)repeats);
    if (comm.rank == MOT_ROOT)
        printf("%6zu %6d  %8.2f %8.2f %8.2f %8.2f  %8.2f %8.2f", chunks, p.tiles, 1e3 * figure[T_X][0],
               1e3 * figure[T_W][0], 1e3 * figure[T_B][0], 1e3 * figure[U_X][0], 1e3 * figure[BOUND][0],
               1e3 * figure[HIDDEN][0]);
    if (comm.rank == MOT_ROOT && figure[BOUND][0] > 0.1 * figure[T_X][0])
        printf("  %9.0f %% %9.0f %%\n", 100 * figure[FRACTION][0], 100 * figure[QUIET][0]);
    else if (comm.rank == MOT_ROOT)
        printf("  nothing can be hidden\n");
    fflush(stdout);
    pipeline_free(&p);
}

static void overlap(int repeats, size_t samples, double share, bool sleeps)
{
    if (comm.rank == MOT_ROOT)
        printf("%d ranks, %zu samples of 12304 bytes, %s %.2g times the exchange; milliseconds, medians of "
               "%d\n"
               "%6s %6s  %8s %8s %8s %8s  %8s %8s  %11s %11s\n",
               comm.size, samples, sleeps ? "sleep" : "work", share, repeats, "chunks", "tiles", "exchange",
               "work", "both", "core", "bound", "hidden", "of bound", "no progress");
    for (size_t chunks = 2; chunks <= MOST_CHUNKS; chunks *= 2)
        measure_overlap(chunks, samples, share, sleeps, repeats);
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    mot_comm_init(&comm, MPI_COMM_WORLD);
    must(mot_nodes_init(&nodes[BY_RANK], &comm, comm.rank));
    must(mot_nodes_init(&nodes[BY_NODE], &comm, mot_nodes_host(&comm)));
    const int asked = argc > 2 ? atoi(argv[2]) : 21, repeats = MOT_MAX(1, MOT_MIN(asked, MOST_REPEATS));
    const size_t samples = argc > 3 ? (size_t)atol(argv[3]) : 1024;
    const double share = argc > 4 ? atof(argv[4]) : 1;
    if (argc > 1 && strcmp(argv[1], "overlap") == 0)
        overlap(repeats, samples, share, argc > 5 && strcmp(argv[5], "sleep") == 0);
    else
        speed(repeats);
    for (int f = 0; f < FORMS; ++f) mot_nodes_free(&nodes[f]);
    mot_comm_free(&comm);
    MPI_Finalize();
    return 0;
}
