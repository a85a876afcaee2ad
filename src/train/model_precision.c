/* In which precision the experts of a run take their products. */
#include <stdlib.h>
#include <time.h>

#include "model_private.h"
#include "mot/level.h"
#include "mot/log.h"
#include "mot/memory.h"
#include "mot/product_bf16.h"

/* So much faster bf16 must be measured to be: where it pays it is 1.4 and more, where it does not less than 1, and no noise
 * may make one of the other. */
static const double clearly = 1.15;

/* ---- measuring ---- */

enum { ROUNDS = 9, LEAST_ROUNDS = 3 };
static const double run_s = 2e-4, enough_s = 0.1; /* a run is at least so long; all of them */

/* Some of the longest samples, of zeros: the larger tile of both precisions. */
typedef struct trial {
    mot_model *model;
    mot_expert_shape shape;
    size_t samples;
    size_t *first;
    mot_real *x, *out, *d_out;
    int32_t *id;
    mot_arena arena;
} trial;

static mot_status make_trial(trial *t, mot_model *model)
{
    const char *what = "a measurement of the experts";
    size_t bytes = 0;
    mot_status status;
    *t = (trial){.model = model, .shape = model->layer->shape};
    for (int precision = 0; precision < 2; ++precision) {
        t->shape.precision = (mot_precision)precision;
        bytes = MOT_MAX(bytes, model->layer->kind->workspace(&t->shape) + mot_expert_prepared(model->layer->kind, &t->shape));
        t->samples = MOT_MAX(t->samples, model->layer->kind->tile(&t->shape));
    }
    const size_t samples = t->samples, rows = samples * t->shape.tokens;
    MOT_TRY(mot_arena_init(&t->arena, bytes));
    MOT_TRY(mot_allocate(&t->first, samples + 1, sizeof *t->first, what));
    MOT_TRY(mot_allocate(&t->out, samples * t->shape.outputs, sizeof *t->out, what));
    MOT_TRY(mot_allocate(&t->d_out, samples * t->shape.outputs, sizeof *t->d_out, what));
    if (t->shape.vocabulary > 0)
        MOT_TRY(mot_allocate(&t->id, rows, sizeof *t->id, what));
    else
        MOT_TRY(mot_allocate(&t->x, rows * t->shape.width, sizeof *t->x, what));
    for (size_t s = 0; s <= samples; ++s) t->first[s] = s * t->shape.tokens;
done:
    return status;
}

static void free_trial(trial *t)
{
    mot_free(t->id);
    mot_free(t->x);
    mot_free(t->d_out);
    mot_free(t->out);
    mot_free(t->first);
    mot_arena_free(&t->arena);
}

/* Of this thread alone: others that want the core must not decide. */
static double thread_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Forward and backward of the first expert, tile by tile as a run cuts them; its gradient is left to be zeroed. */
static void learn_once(trial *t, const void *prepared)
{
    const mot_layer *layer = t->model->layer;
    const size_t tile = layer->kind->tile(&t->shape);
    for (size_t s = 0; s < t->samples; s += tile) {
        const mot_tile part = {
            .samples = MOT_MIN(tile, t->samples - s), .first = t->first, .x = t->x, .id = t->id, .prepared = prepared};
        const size_t mark = mot_arena_mark(&t->arena);
        void *kept = layer->kind->forward(&t->shape, layer->weight, &part, &t->arena, true, t->out);
        layer->kind->backward(&t->shape, layer->weight, layer->gradient, &part, &t->arena, kept, t->d_out, NULL,
                              ~(mot_part_set)0);
        mot_arena_rewind(&t->arena, mark);
    }
}

/* Seconds of learning from all samples. What is made of the weights serves all tiles of a step, and is not counted. */
static double learning_s(trial *t, mot_precision precision, int times)
{
    const mot_layer *layer = t->model->layer;
    const size_t mark = mot_arena_mark(&t->arena);
    t->shape.precision = precision;
    const void *prepared = mot_expert_prepare(layer->kind, &t->shape, layer->weight, &t->arena, SIZE_MAX, true);
    const double start = thread_s();
    for (int i = 0; i < times; ++i) learn_once(t, prepared);
    const double seconds = (thread_s() - start) / times;
    mot_arena_rewind(&t->arena, mark);
    return seconds;
}

/* Seconds by mot_precision: each the best of a few, taken in turns, so that whatever the machine does meets both. */
static mot_status measure(mot_model *model, double seconds[2])
{
    trial t;
    mot_status status;
    seconds[0] = seconds[1] = 0;
    if (model->layer->local == 0) return MOT_OK;
    MOT_TRY(make_trial(&t, model));
    const double start = thread_s();
    seconds[0] = seconds[1] = 1e30;
    const int times = 1 + (int)(run_s / (1e-9 + learning_s(&t, MOT_PRECISION_FP32, 1)));
    for (int round = 0; round < ROUNDS; ++round) {
        if (round >= LEAST_ROUNDS && thread_s() - start > enough_s) break;
        for (int p = 0; p < 2; ++p) seconds[p] = MOT_MIN(seconds[p], learning_s(&t, (mot_precision)p, times));
    }
    mot_layer_zero_expert(model->layer, 0);
done:
    free_trial(&t);
    return status;
}

/* ---- choosing ---- */

/* In all layers, and in those that are alike on every rank. */
static void take_products(mot_model *model, mot_precision precision, bool tiles)
{
    mot_level_with(tiles && precision == MOT_PRECISION_BF16 ? "AMX-BF16" : NULL);
    for (int l = 0; l < model->layers; ++l) model->layer[l].shape.precision = precision;
    for (int d = 0; d < model->denses; ++d) model->dense[d].shape.precision = precision;
}

/* All ranks measure at once, since each will work beside the others. */
static mot_status find_faster(mot_model *model, bool tiles, const char *rule, mot_log_level level)
{
    double seconds[2];
    mot_status status = measure(model, seconds);
    MOT_TRY(mot_comm_agree(model->comm, status));
    mot_comm_allreduce(model->comm, seconds, 2, MPI_DOUBLE, MPI_SUM);
    const double speedup = seconds[MOT_PRECISION_FP32] / seconds[MOT_PRECISION_BF16];
    const bool pays = speedup > clearly;
    take_products(model, pays ? MOT_PRECISION_BF16 : MOT_PRECISION_FP32, tiles);
    mot_log(pays ? MOT_LOG_INFO : level,
            "model.precision = %s: with products in bf16 experts learn at %.2f times the speed of fp32 here; "
            "%s is taken",
            rule, speedup, pays ? "bf16" : "fp32");
done:
    return status;
}

mot_status mot_model_choose_precision(mot_model *model)
{
    static const char *const names[] = {"fp32", "bf16", "auto", "bf16_always"};
    const mot_precision_rule asked = model->config->model.precision;
    /* Who leaves it open is told; who asks for bf16 and does not get it is warned. */
    const mot_log_level level = asked == MOT_RULE_AUTO ? MOT_LOG_INFO : MOT_LOG_WARNING;
    take_products(model, MOT_PRECISION_FP32, false);
    if (asked == MOT_RULE_FP32) return MOT_OK;
    if (!model->layer->kind->bf16) {
        mot_log(level, "model.precision = %s: experts of the kind %s take their products in fp32",
                names[asked], model->layer->kind->kind.name);
        return MOT_OK;
    }
    /* A level that is asked for is that one and no more. */
    const char *const exactly = getenv("MOT_LEVEL");
    enum { BF16, TILES };
    int available[] = {mot_bf16_available(), (exactly == NULL || exactly[0] == '\0') && mot_tiles_available()};
    mot_comm_allreduce(model->comm, available, 2, MPI_INT, MPI_LAND);
    mot_take_tiles(available[TILES]);
    if (!available[BF16]) {
        mot_log(level,
                "model.precision = %s: not every processor of this job has AVX512_BF16; products are taken "
                "in fp32",
                names[asked]);
        return MOT_OK;
    }
    if (asked != MOT_RULE_BF16_ALWAYS) return find_faster(model, available[TILES], names[asked], level);
    take_products(model, MOT_PRECISION_BF16, available[TILES]);
    return MOT_OK;
}
