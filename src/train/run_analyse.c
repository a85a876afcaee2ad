/* What every expert of a layer makes of every sample: evaluations in which, in one layer, some experts alone are there.
 *
 *      samples   | block 0                    | block 1 ...            a block: whole batches, as many as BLOCK_BYTES hold
 *      batch     | 0 | 1 | 2 | ...            |
 *      of each   as it is; layer 0: with 0 alone, with 1 alone, ..., without 0, without 1, ..., with the busiest; layer 1: ...
 *
 * Rows of a block wait in memory until it is complete, so memory does not grow with the samples. At the end the samples that are
 * worth a look go through once more (run_attention.c). */
#include "run_analyse.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mot/log.h"
#include "mot/memory.h"

enum { BLOCK_BYTES = 32 << 20, MOST_PARTS = 3, MOST_SEEN = 4096 };

/* Of a layer: rows of a block, and sums over all samples. */
typedef struct layer_rows {
    mot_analysis_layer about;
    size_t E, K, F, T; /* F or T, or neither */
    float *score, *weight, *features, *only_loss, *without_loss;
    int32_t *words, *chosen, *only_predicted, *without_predicted;
    int8_t *kept; /* [MOST_PARTS, E] */
    double loss[MOST_PARTS], hits[MOST_PARTS];
} layer_rows;

typedef struct analysis {
    mot_run *run;
    size_t batch, room; /* samples of a batch, and of a block */
    mot_gidx *sample;
    int32_t *label, *group, *predicted;
    double *loss;
    int8_t *hit;
    bool *out; /* [MOT_MAX_EXPERTS]: experts that are not there */
    int layers;
    layer_rows *layer; /* [layers] */
    run_attention *attention;
    mot_analysis *file; /* root */
} analysis;

/* ---- before ---- */

/* How many parts of the experts are tried: half, quarter, eighth, as long as one is left. */
static size_t count_parts(int experts)
{
    size_t parts = 0;
    while (parts < MOST_PARTS && experts >> (parts + 1) > 0) ++parts;
    return parts;
}

static void describe_layer(layer_rows *rows, const mot_layer *layer)
{
    const mot_gate *gate = &layer->gate;
    rows->E = (size_t)layer->experts;
    rows->K = mot_layer_choices(layer);
    if (mot_gate_row(gate) <= MOST_SEEN) *(gate->tokens > 0 ? &rows->T : &rows->F) = mot_gate_row(gate);
    rows->about = (mot_analysis_layer){
        .experts = layer->experts,
        .choices = (int)rows->K,
        .origin = layer->origin,
        .features = rows->F,
        .words = rows->T,
        .without_features = "the gate sees more than 4096 numbers of a sample, too many for a file of all of them",
        .input = gate->config->input == MOT_GATE_MEAN ? "mean" : "sum",
        .parts = count_parts(layer->experts),
    };
}

static size_t row_bytes(const analysis *a)
{
    size_t bytes = sizeof *a->sample + 3 * sizeof *a->label + sizeof *a->loss + sizeof *a->hit;
    for (int l = 0; l < a->layers; ++l)
        bytes += (5 * a->layer[l].E + 2 * a->layer[l].K + a->layer[l].F + a->layer[l].T) * sizeof(float);
    return bytes;
}

static mot_status make_layer(layer_rows *rows, size_t n)
{
    const size_t E = rows->E, K = rows->K;
    const char *what = "an analysis";
    mot_status status;
    MOT_TRY(mot_allocate(&rows->score, n * E, sizeof(float), what));
    MOT_TRY(mot_allocate(&rows->weight, n * K, sizeof(float), what));
    MOT_TRY(mot_allocate(&rows->features, n * rows->F, sizeof(float), what));
    MOT_TRY(mot_allocate(&rows->words, n * rows->T, sizeof(int32_t), what));
    MOT_TRY(mot_allocate(&rows->only_loss, n * E, sizeof(float), what));
    MOT_TRY(mot_allocate(&rows->without_loss, n * E, sizeof(float), what));
    MOT_TRY(mot_allocate(&rows->chosen, n * K, sizeof(int32_t), what));
    MOT_TRY(mot_allocate(&rows->only_predicted, n * E, sizeof(int32_t), what));
    MOT_TRY(mot_allocate(&rows->without_predicted, n * E, sizeof(int32_t), what));
    MOT_TRY(mot_allocate(&rows->kept, MOST_PARTS * E, 1, what));
done:
    return status;
}

/* Every rank goes through the same evaluations; the root alone has rows. */
static mot_status make(analysis *a, mot_run *run)
{
    const size_t samples = (size_t)run->world.eval_set.samples;
    const char *what = "an analysis";
    mot_status status;
    a->run = run;
    a->layers = run->world.model.layers;
    a->batch = (size_t)run->course.config.eval.batch;
    MOT_TRY(mot_allocate(&a->out, MOT_MAX_EXPERTS, sizeof *a->out, what));
    MOT_TRY(mot_allocate(&a->layer, (size_t)a->layers, sizeof *a->layer, what));
    for (int l = 0; l < a->layers; ++l) describe_layer(&a->layer[l], &run->world.model.layer[l]);
    MOT_TRY(mot_run_attention_create(&a->attention, run));
    for (int l = 0; l < a->layers; ++l) a->layer[l].about.without_attention = mot_run_attention_missing(a->attention, l);
    const size_t batches = MOT_MAX(BLOCK_BYTES / (row_bytes(a) * a->batch), 1);
    a->room = MOT_MIN(batches * a->batch, samples);
    if (run->world.comm->rank != MOT_ROOT) return MOT_OK;
    MOT_TRY(mot_allocate(&a->sample, a->room, sizeof *a->sample, what));
    MOT_TRY(mot_allocate(&a->label, a->room, sizeof *a->label, what));
    MOT_TRY(mot_allocate(&a->group, a->room, sizeof *a->group, what));
    MOT_TRY(mot_allocate(&a->predicted, a->room, sizeof *a->predicted, what));
    MOT_TRY(mot_allocate(&a->loss, a->room, sizeof *a->loss, what));
    MOT_TRY(mot_allocate(&a->hit, a->room, sizeof *a->hit, what));
    for (int l = 0; l < a->layers; ++l) MOT_TRY(make_layer(&a->layer[l], a->room));
done:
    return status;
}

static void release(analysis *a)
{
    for (int l = 0; a->layer != NULL && l < a->layers; ++l) {
        const layer_rows *rows = &a->layer[l];
        void *const arrays[] = {rows->score,        rows->weight, rows->features,       rows->words,             rows->only_loss,
                                rows->without_loss, rows->chosen, rows->only_predicted, rows->without_predicted, rows->kept};
        for (size_t i = 0; i < MOT_COUNT(arrays); ++i) mot_free(arrays[i]);
    }
    void *const arrays[] = {a->sample, a->label, a->group, a->predicted, a->loss, a->hit, a->out, a->layer};
    for (size_t i = 0; i < MOT_COUNT(arrays); ++i) mot_free(arrays[i]);
    mot_run_attention_free(&a->attention);
    (void)mot_analysis_close(&a->file, false);
}

/* The busiest by their first choices; of equal ones the first. */
static void find_parts(const analysis *a)
{
    const run_eval *eval = &a->run->reporter.last_eval;
    for (int l = 0; l < a->layers; ++l) {
        const layer_rows *rows = &a->layer[l];
        const int64_t *load = l == 0 ? eval->load : eval->layer[l].load;
        for (size_t e = 0; e < rows->E; ++e) {
            size_t place = 0; /* in the order of loads */
            for (size_t f = 0; f < rows->E; ++f) place += load[f] > load[e] || (load[f] == load[e] && f < e);
            for (size_t part = 0; part < rows->about.parts; ++part)
                rows->kept[part * rows->E + e] = place < rows->E >> (part + 1);
        }
    }
}

/* ---- evaluations ---- */

/* A batch, with a->out of a layer not there; layer -1: as it is. Collective. */
static mot_status evaluate(const analysis *a, mot_gidx first, size_t n, int layer, mot_step_result *result)
{
    const mot_run *run = a->run;
    const bool *without[MOT_MAX_LAYERS] = {NULL};
    const mot_step_task task = {.first = first, .total = n, .number = run->course.progress.step, .without = without};
    if (layer >= 0) without[layer] = a->out;
    return mot_step_run(run->world.step, &run->world.eval, &task, mot_signals_asked(), result);
}

static void take_as_it_is(analysis *a, size_t at, size_t n, const mot_step_result *result)
{
    const bool judged = mot_step_loss(a->run->world.step)->kind->right != NULL;
    memcpy(a->sample + at, result->sample, n * sizeof *a->sample);
    memcpy(a->label + at, result->label, n * sizeof *a->label);
    memcpy(a->group + at, result->group, n * sizeof *a->group);
    memcpy(a->predicted + at, result->predicted, n * sizeof *a->predicted);
    memcpy(a->loss + at, result->sample_loss, n * sizeof *a->loss);
    for (size_t p = 0; p < n; ++p) a->hit[at + p] = judged ? (int8_t)result->right[p] : -1;
    for (int l = 0; l < a->layers; ++l) {
        const mot_layer_result *of = &result->layer[l];
        layer_rows *rows = &a->layer[l];
        for (size_t i = 0; i < n * rows->E; ++i) rows->score[at * rows->E + i] = (float)of->score[i];
        for (size_t i = 0; i < n * rows->K; ++i) rows->chosen[at * rows->K + i] = rows->about.origin[of->expert[i]];
        for (size_t i = 0; i < n * rows->K; ++i) rows->weight[at * rows->K + i] = (float)of->weight[i];
        for (size_t i = 0; i < n * rows->T; ++i) { /* behind a text's end stands what was there before */
            const bool ended = i % rows->T > 0 && rows->words[at * rows->T + i - 1] == 0;
            rows->words[at * rows->T + i] = ended ? 0 : of->words[i];
        }
        for (size_t i = 0; i < n * rows->F; ++i) rows->features[at * rows->F + i] = (float)of->features[i];
    }
}

/* Into a column of loss, predicted [room, E]. */
static void take_column(size_t at, size_t n, size_t E, size_t column, const mot_step_result *result, float *loss, int32_t *predicted)
{
    for (size_t p = 0; p < n; ++p) {
        loss[(at + p) * E + column] = (float)result->sample_loss[p];
        predicted[(at + p) * E + column] = result->predicted[p];
    }
}

/* One layer's evaluations of a batch, whose rows begin at `at` of the block. */
static mot_status try_experts(analysis *a, mot_gidx first, size_t at, size_t n, int l)
{
    const bool root = a->run->world.comm->rank == MOT_ROOT;
    layer_rows *rows = &a->layer[l];
    const size_t E = rows->E;
    mot_step_result result;
    mot_status status = MOT_OK;
    for (size_t e = 0; e < E; ++e) {
        for (size_t i = 0; i < E; ++i) a->out[i] = i != e;
        MOT_TRY(evaluate(a, first, n, l, &result));
        if (root) take_column(at, n, E, e, &result, rows->only_loss, rows->only_predicted);
    }
    for (size_t e = 0; e < E && E > 1; ++e) {
        for (size_t i = 0; i < E; ++i) a->out[i] = i == e;
        MOT_TRY(evaluate(a, first, n, l, &result));
        if (root) take_column(at, n, E, e, &result, rows->without_loss, rows->without_predicted);
    }
    for (size_t part = 0; part < rows->about.parts; ++part) {
        for (size_t i = 0; i < E && root; ++i) a->out[i] = !rows->kept[part * E + i];
        MOT_TRY(evaluate(a, first, n, l, &result));
        for (size_t p = 0; p < n && root; ++p) {
            rows->loss[part] += result.sample_loss[p];
            rows->hits[part] += result.right[p];
        }
    }
done:
    return status;
}

/* ---- the file ---- */

static mot_status write_layer(const analysis *a, int l, mot_gidx first, size_t n)
{
    const layer_rows *rows = &a->layer[l];
    const struct {
        mot_analysis_column column;
        const void *data;
    } column[] = {
        {MOT_ANALYSIS_GATE_SCORE, rows->score},
        {MOT_ANALYSIS_CHOSEN, rows->chosen},
        {MOT_ANALYSIS_WEIGHT, rows->weight},
        {MOT_ANALYSIS_FEATURES, rows->features},
        {MOT_ANALYSIS_WORDS, rows->words},
        {MOT_ANALYSIS_ONLY_LOSS, rows->only_loss},
        {MOT_ANALYSIS_ONLY_PREDICTED, rows->only_predicted},
        {MOT_ANALYSIS_WITHOUT_LOSS, rows->without_loss},
        {MOT_ANALYSIS_WITHOUT_PREDICTED, rows->without_predicted},
    };
    mot_status status = MOT_OK;
    for (size_t c = 0; c < MOT_COUNT(column) && status == MOT_OK; ++c)
        status = mot_analysis_write(a->file, l, column[c].column, first, n, column[c].data);
    return status;
}

static mot_status write_block(const analysis *a, mot_gidx first, size_t n)
{
    const struct {
        mot_analysis_column column;
        const void *data;
    } column[] = {
        {MOT_ANALYSIS_SAMPLE, a->sample}, {MOT_ANALYSIS_LABEL, a->label},         {MOT_ANALYSIS_GROUP, a->group},
        {MOT_ANALYSIS_LOSS, a->loss},     {MOT_ANALYSIS_PREDICTED, a->predicted}, {MOT_ANALYSIS_HIT, a->hit},
    };
    mot_status status = MOT_OK;
    for (size_t c = 0; c < MOT_COUNT(column) && status == MOT_OK; ++c)
        status = mot_analysis_write(a->file, 0, column[c].column, first, n, column[c].data);
    for (int l = 0; l < a->layers && status == MOT_OK; ++l) status = write_layer(a, l, first, n);
    return status;
}

static mot_status write_parts(const analysis *a)
{
    const double samples = (double)a->run->world.eval_set.samples;
    const bool judged = mot_step_loss(a->run->world.step)->kind->right != NULL;
    mot_status status = MOT_OK;
    for (int l = 0; l < a->layers && status == MOT_OK; ++l) {
        const layer_rows *rows = &a->layer[l];
        double loss[MOST_PARTS], accuracy[MOST_PARTS];
        for (size_t part = 0; part < rows->about.parts; ++part) {
            loss[part] = rows->loss[part] / samples;
            accuracy[part] = judged ? rows->hits[part] / samples : NAN;
        }
        status = mot_analysis_write_parts(a->file, l, rows->kept, loss, accuracy);
    }
    return status;
}

/* ---- all ---- */

static void say_cost(const analysis *a, const run_reporter *reporter)
{
    size_t passes = 1;
    char memory[32];
    bool look = false;
    for (int l = 0; l < a->layers; ++l) look = look || a->layer[l].about.without_attention == NULL;
    passes += look;
    for (int l = 0; l < a->layers; ++l) passes += a->layer[l].E * (a->layer[l].E > 1 ? 2 : 1) + a->layer[l].about.parts;
    mot_log_wrap(13, "analysis     %zu evaluations, one of which took %.1f s; rows of %zu samples at a time in %s", passes,
                 reporter->part_s[RUN_EVALUATION], a->room, mot_run_bytes_text(a->room * row_bytes(a), memory));
}

static mot_status go_through(analysis *a)
{
    const mot_comm *comm = a->run->world.comm;
    const mot_gidx samples = a->run->world.eval_set.samples;
    const bool root = comm->rank == MOT_ROOT;
    mot_step_result result;
    mot_status status = MOT_OK;
    for (mot_gidx block = 0; block < samples; block += (mot_gidx)a->room) {
        const size_t rows = (size_t)MOT_MIN((mot_gidx)a->room, samples - block);
        for (size_t at = 0; at < rows; at += a->batch) {
            const size_t n = MOT_MIN(a->batch, rows - at);
            const mot_gidx first = block + (mot_gidx)at;
            MOT_TRY(evaluate(a, first, n, -1, &result));
            if (root) take_as_it_is(a, at, n, &result);
            if (root) mot_run_attention_note(a->attention, n, &result);
            for (int l = 0; l < a->layers; ++l) MOT_TRY(try_experts(a, first, at, n, l));
        }
        if (root) status = write_block(a, block, rows);
        MOT_TRY(mot_comm_agree(comm, status));
    }
done:
    return status;
}

mot_status mot_run_analyse(mot_run *run, const char *checkpoint)
{
    const mot_comm *comm = run->world.comm;
    const bool root = comm->rank == MOT_ROOT;
    char digest[MOT_DIGEST_TEXT], path[RUN_CHECKPOINT_PATH] = "";
    analysis a = {0};
    mot_status status;
    MOT_TRY(mot_comm_agree(comm, make(&a, run)));
    MOT_TRY(mot_run_digest(run, digest));
    say_cost(&a, &run->reporter);
    if (root) {
        mot_analysis_layer layer[MOT_MAX_LAYERS];
        find_parts(&a);
        for (int l = 0; l < a.layers; ++l) layer[l] = a.layer[l].about;
        status = mot_run_analysis_create(&a.file, run, layer, checkpoint, digest, path);
    }
    MOT_TRY(mot_comm_agree(comm, status));
    MOT_TRY(go_through(&a));
    MOT_TRY(mot_run_attention_look(a.attention));
    if (root) status = write_parts(&a);
    if (root && status == MOT_OK) status = mot_run_attention_write(a.attention, a.file);
    if (root && status == MOT_OK) status = mot_analysis_close(&a.file, true);
    MOT_TRY(mot_comm_agree(comm, status));
    mot_log(MOT_LOG_INFO, "wrote %s", path);
done:
    release(&a);
    return status;
}
