/* engine: how close an expert of the kind `encoder` comes to the bare matrix product, on one thread.
 *
 *      bench_engine [REPEATS [TILE [SHAPE [fp32 | bf16 | tiles]]]]
 *
 * For each shape, EXPERTS experts take a step one after another, as a rank does: the weights put in order for its tiles,
 * tile by tile forward and backward, then the update and the zeroing of the gradient. Speeds are GFLOP/s of the model's
 * operations as the kind counts them, medians over the repeats. Of the expert's own shapes `sgemm` is OpenBLAS' best
 * bare product, and `peak` that of the fastest there is (bare_product.h), measured before every repeat; a ratio to
 * either is taken within its repeat, so that a machine that changes its clock spoils a repeat and not the median;
 * `best`, behind each, takes the shortest time of a tile and of an update over all repeats, as both are the best of
 * several runs. Times are the thread's own, so that others on the core count less.
 *
 * Nothing is asserted: what the numbers should be depends on the machine. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mot/bare_product.h"
#include "mot/blas.h"
#include "mot/level.h"
#include "mot/expert.h"
#include "mot/memory.h"
#include "mot/optimizer.h"
#include "mot/product_bf16.h"
#include "mot/rng.h"
#include "mot/statistics.h"

enum { EXPERTS = 4, MOST_REPEATS = 99 };

typedef struct bench_shape {
    size_t tokens, width, outputs; /* of a sample */
    size_t D, heads, F, depth;
    size_t batch; /* over all experts */
} bench_shape;

static const bench_shape shapes[] = {
    {64, 48, 10, 128, 4, 512, 2, 128},  {64, 48, 10, 128, 4, 512, 2, 512}, {64, 48, 10, 256, 8, 1024, 2, 128},
    {64, 48, 10, 256, 8, 1024, 2, 512}, {49, 16, 10, 64, 4, 256, 2, 128},  {49, 16, 10, 64, 4, 256, 2, 512},
};

typedef struct bench {
    mot_expert_config config;
    mot_expert_shape shape;
    mot_table table;
    mot_params params[EXPERTS];
    mot_arena arena;
    mot_real *x, *out, *d_out;    /* of a tile */
    size_t *first, tile, samples; /* samples: an expert's share of a batch */
} bench;

/* Seconds that this thread has computed: others on the same core do not count. */
static double cpu_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void must(mot_status status)
{
    if (status == MOT_OK) return;
    fprintf(stderr, "%s\n", mot_error_message());
    exit(1);
}

static void fill(mot_real *to, size_t n, uint32_t salt)
{
    for (size_t i = 0; i < n; ++i) {
        const mot_random4 random = mot_random(7, MOT_STREAM_TEST, salt, (uint32_t)i, 0, 0);
        double normal[2];
        mot_normal_pair(random.word[0], random.word[1], normal);
        to[i] = (mot_real)normal[0];
    }
}

static void prepare(bench *b, const bench_shape *shape, size_t tile, mot_precision precision)
{
    const mot_expert_kind *kind = mot_expert_kind_at(0);
    memset(b, 0, sizeof *b);
    b->config = (mot_expert_config){
        .width = shape->D, .heads = shape->heads, .depth = shape->depth, .ffn = shape->F, .tile = tile};
    b->shape = (mot_expert_shape){.config = &b->config,
                                  .tokens = shape->tokens,
                                  .width = shape->width,
                                  .outputs = shape->outputs,
                                  .precision = precision};
    must(kind->table(&b->shape, &b->table));
    for (int e = 0; e < EXPERTS; ++e) {
        must(mot_params_create(&b->params[e], &b->table, e));
        mot_params_init(&b->params[e], 1);
    }
    must(mot_arena_init(&b->arena, kind->workspace(&b->shape) + mot_expert_prepared(kind, &b->shape)));
    b->tile = kind->tile(&b->shape);
    b->samples = shape->batch / EXPERTS;
    const size_t rows = b->tile * shape->tokens;
    must(mot_allocate(&b->x, rows * shape->width, sizeof(mot_real), "a tile"));
    must(mot_allocate(&b->out, b->tile * shape->outputs, sizeof(mot_real), "a tile"));
    must(mot_allocate(&b->d_out, b->tile * shape->outputs, sizeof(mot_real), "a tile"));
    must(mot_allocate(&b->first, b->tile + 1, sizeof(size_t), "a tile"));
    fill(b->x, rows * shape->width, 1);
    fill(b->d_out, b->tile * shape->outputs, 2);
    for (size_t s = 0; s <= b->tile; ++s) b->first[s] = s * shape->tokens;
    for (size_t i = 0; i < b->tile * shape->outputs; ++i) b->d_out[i] /= (mot_real)shape->batch;
}

static void release(bench *b)
{
    for (int e = 0; e < EXPERTS; ++e) mot_params_free(&b->params[e]);
    mot_arena_free(&b->arena);
    mot_free(b->x);
    mot_free(b->out);
    mot_free(b->d_out);
    mot_free(b->first);
}

/* Seconds of each part of a step; the shortest of a full tile, forward and backward, and of an expert's update. */
typedef struct bench_time {
    double forward, backward, update, tile, one_update;
} bench_time;

static void take_step(bench *b, bool learn, bench_time *time)
{
    const mot_expert_kind *kind = mot_expert_kind_at(0);
    const mot_optimizer_config adamw = {
        .kind = MOT_ADAMW, .beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-8, .weight_decay = 0.01};
    for (int e = 0; e < EXPERTS; ++e) {
        const mot_real *weight[MOT_TABLE_ROWS];
        mot_real *gradient[MOT_TABLE_ROWS];
        for (size_t r = 0; r < b->table.rows; ++r) {
            weight[r] = b->params[e].value + b->table.row[r].offset;
            gradient[r] = b->params[e].gradient + b->table.row[r].offset;
        }
        const double before = cpu_s();
        const void *prepared = mot_expert_prepare(kind, &b->shape, weight, &b->arena,
                                                  (b->samples + b->tile - 1) / b->tile, learn);
        const size_t mark = mot_arena_mark(&b->arena);
        time->forward += cpu_s() - before;
        for (size_t s = 0; s < b->samples; s += b->tile) {
            const mot_tile tile = {
                .samples = MOT_MIN(b->tile, b->samples - s), .first = b->first, .x = b->x, .prepared = prepared};
            const double start = cpu_s();
            void *kept = kind->forward(&b->shape, weight, &tile, &b->arena, learn, b->out);
            const double middle = cpu_s();
            if (learn) kind->backward(&b->shape, weight, gradient, &tile, &b->arena, kept, b->d_out, NULL, ~0u);
            mot_arena_rewind(&b->arena, mark);
            time->forward += middle - start;
            const double end = cpu_s();
            time->backward += end - middle;
            if (tile.samples == b->tile) time->tile = fmin(time->tile, end - start);
        }
        mot_arena_rewind(&b->arena, 0);
        if (!learn) continue;
        const double start = cpu_s();
        must(mot_optimizer_update(&adamw, 1e-4, ~0u, &b->params[e], NULL));
        mot_params_zero_gradient(&b->params[e]);
        const double update = cpu_s() - start;
        time->update += update;
        time->one_update = fmin(time->one_update, update);
    }
}

/* The best bare product among the expert's, GFLOP/s: by OpenBLAS' sgemm, and by the fastest there is. */
static double peak_of(const bench *b, double *sgemm)
{
    const size_t R = b->tile * b->shape.tokens, D = b->config.width, F = b->config.ffn;
    const size_t products[][3] = {{R, 3 * D, D}, {R, D, D}, {R, F, D}, {R, D, F},
                                  {D, 3 * D, R}, {D, D, R}, {D, F, R}, {F, D, R}};
    double best = 0;
    *sgemm = 0;
    for (size_t p = 0; p < MOT_COUNT(products); ++p) {
        double speed[MOT_BARES];
        mot_bare_speeds(b->shape.precision, p >= 4, false, products[p][0], products[p][1], products[p][2], 8, 2e-3, speed);
        *sgemm = MOT_MAX(*sgemm, 1e-9 * speed[MOT_BARE_OPENBLAS]);
        for (int by = 0; by < mot_bare_count(b->shape.precision); ++by) best = MOT_MAX(best, 1e-9 * speed[by]);
    }
    return best;
}

enum { SGEMM, PEAK, INFER, STEP, OF_SGEMM, RATIO, FORWARD, BACKWARD, UPDATE, FIGURES };

static double largest(const double *x, int n)
{
    double most = x[0];
    for (int i = 1; i < n; ++i) most = MOT_MAX(most, x[i]);
    return most;
}

static void measure(const bench_shape *shape, int repeats, size_t tile, mot_precision precision)
{
    static double figure[FIGURES][MOST_REPEATS];
    bench b;
    prepare(&b, shape, tile, precision);
    const mot_expert_kind *kind = mot_expert_kind_at(0);
    const double samples = (double)(b.samples * EXPERTS) * 1e-9, flops = kind->flops(&b.shape, shape->tokens) * samples,
                 step_flops = flops + kind->backward_flops(&b.shape, shape->tokens, ~0u) * samples;
    const int steps = 1 + (int)(2 / flops); /* enough to be timed */
    bench_time best = {.tile = 1e30, .one_update = 1e30};
    take_step(&b, true, &best);
    for (int r = 0; r < repeats; ++r) {
        bench_time infer = {0}, learn = {.tile = 1e30, .one_update = 1e30};
        figure[PEAK][r] = peak_of(&b, &figure[SGEMM][r]);
        for (int s = 0; s < steps; ++s) take_step(&b, false, &infer);
        for (int s = 0; s < steps; ++s) take_step(&b, true, &learn);
        best.tile = fmin(best.tile, learn.tile);
        best.one_update = fmin(best.one_update, learn.one_update);
        const double whole = learn.forward + learn.backward + learn.update;
        figure[INFER][r] = steps * flops / infer.forward;
        figure[STEP][r] = steps * step_flops / whole;
        figure[OF_SGEMM][r] = figure[STEP][r] / figure[SGEMM][r];
        figure[RATIO][r] = figure[STEP][r] / figure[PEAK][r];
        figure[FORWARD][r] = 100 * learn.forward / whole;
        figure[BACKWARD][r] = 100 * learn.backward / whole;
        figure[UPDATE][r] = 100 * learn.update / whole;
    }
    printf("%6zu %4zu %5zu %5zu %6zu %6zu", shape->tokens, shape->D, shape->F, shape->batch, b.samples,
           b.tile);
    const double best_s = best.tile * (double)b.samples / (double)b.tile + best.one_update,
                 best_speed = step_flops / EXPERTS / best_s, best_sgemm = best_speed / largest(figure[SGEMM], repeats),
                 best_ratio = best_speed / largest(figure[PEAK], repeats);
    for (int f = 0; f < FIGURES; ++f) figure[f][0] = mot_median(figure[f], (size_t)repeats);
    printf(" %7.1f %7.1f %8.1f %7.1f  %6.3f %6.3f  %6.3f %6.3f   %5.1f %5.1f %5.1f\n", figure[SGEMM][0], figure[PEAK][0],
           figure[INFER][0], figure[STEP][0], figure[OF_SGEMM][0], best_sgemm, figure[RATIO][0], best_ratio, figure[FORWARD][0],
           figure[BACKWARD][0], figure[UPDATE][0]);
    fflush(stdout);
    release(&b);
}

int main(int argc, char **argv)
{
    const int asked = argc > 1 ? atoi(argv[1]) : 15;
    const size_t tile = argc > 2 ? (size_t)atoi(argv[2]) : 0; /* 0: the kind's own */
    const size_t only = argc > 3 ? (size_t)atoi(argv[3]) : 0; /* 1 is the first shape; 0: all */
    const bool tiles = argc > 4 && strcmp(argv[4], "tiles") == 0; /* bf16 by AMX */
    const mot_precision precision = tiles || (argc > 4 && strcmp(argv[4], "bf16") == 0);
    mot_take_tiles(tiles && mot_tiles_available());
    printf("%s, %s, one thread, %d experts; GFLOP/s\n", mot_level(), mot_blas_name(), EXPERTS);
    printf("%6s %4s %5s %5s %6s %6s %7s %7s %8s %7s  %6s %6s  %6s %6s   %s\n", "tokens", "D", "F", "batch", "expert", "tile", "sgemm",
           "peak", "forward", "step", "/sgemm", "best", "/peak", "best", "% forward, backward, update");
    for (size_t s = 0; s < MOT_COUNT(shapes); ++s)
        if (only == 0 || only == s + 1)
            measure(&shapes[s], MOT_MAX(1, MOT_MIN(asked, MOST_REPEATS)), tile, precision);
    return 0;
}
