/* planted FOLDER SEED E C G LAYERS K SAMPLES EVALUATIONS STEPS BATCH ANALYSIS RANKS: a run's folder with the record of a training that
 * never was, by the real functions, and its analysis (0: without; 2: as before there was
 * attention). RANKS 0: nothing is recorded of them, as in older versions.
 * Everything in it is a formula of whole numbers, which planted.py has as well: what a report says of it is known.
 *
 *      label(i) = i % C, group(i) = label(i) % G, own(i) = (label(i) + layer + SEED) % E; of other seeds samples with i % 10 < SEED
 *      have own(i) + 2 instead
 *      at evaluation t of T a sample has own(i) from (i / C) % T on, and own(i) + 1 before; its next choice is 1 + (i / C) % 2 further
 *      taken for label(i), but for every seventh, which is taken for the next class
 *      its expert looks at 4 tokens, in 2 blocks of 2 heads: token j gets (1 + (i + b + 2 h + j) % 4) / 10, by rollout (1 + (i + layer +
 *      3 j) % 4) / 10
 *      RANKS ranks, and one less from the second half on, with a report every other step: 1 + (rank * step) % 5 sixteenths of a second
 *      of computation in a step, (rank + step) % 4 of exchange, rank % 3 of waiting; from report to report two seconds
 *      what the gate saw: in layer 0 ten times the expert, and half a unit of noise; in others the mean of a text's words, which are two,
 *      four or six times the word 10 + expert
 *      figures of the theories, and accuracies of a stream of three tasks: as below, of e, j, t; the last student is gone in the second half
 *      load of a step: even, but 3 * ((step + SEED) % 3) of expert 1 are expert 0's, and in the second half all of the last one's as well */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "mot/analysis.h"
#include "mot/continual.h"
#include "mot/memory.h"
#include "mot/record.h"

enum { MOST = 256, FEATURES = 2, WORDS = 8, REPORT = 2, TEACHERS = 3, ROLES = 4, TASKS = 3 };
static long seed, E, C, G, layers, K, samples, evaluations, steps, batch, analysed, all_ranks;

static int label_of(long i) { return (int)(i % C); }
static int own(int layer, long i) { return (int)((label_of(i) + layer + seed + (i % 10 < seed ? 2 : 0)) % E); }
static int first_choice(int layer, long t, long i) { return (int)((own(layer, i) + (i / C % evaluations <= t ? 0 : 1)) % E); }
static int choice(int layer, long t, long i, int k)
{
    return (int)((first_choice(layer, t, i) + (k == 0 ? 0 : 1 + i / C % 2)) % E);
}
static int predicted_of(long i) { return (int)(i % 7 == 0 ? (label_of(i) + 1) % C : label_of(i)); }
static double loss_of(long i) { return i % 7 == 0 ? 2 + 0.125 * (double)(i % 4) : 0.25 + 0.0625 * (double)(i % 3); }
static float prob_of(long i) { return 0.5f + 0.03125f * (float)(i % 15); }
static int best_of(int layer, long i) { return (int)((own(layer, i) + (i % 5 == 0)) % E); }

static void load_of(long step, int64_t *load)
{
    for (long e = 0; e < E; ++e) load[e] = batch / E;
    load[0] += 3 * ((step + seed) % 3);
    load[1] -= 3 * ((step + seed) % 3);
    if (step <= steps / 2) return;
    load[0] += load[E - 1];
    load[E - 1] = 0;
}

typedef struct rows {
    mot_gidx *sample;
    int32_t *label, *group, *expert, *predicted;
    float *prob;
    double *loss;
} rows;

static mot_status make_rows(rows *r, long count)
{
    mot_status status;
    MOT_TRY(mot_allocate(&r->sample, (size_t)count, sizeof *r->sample, "rows"));
    MOT_TRY(mot_allocate(&r->label, (size_t)count, sizeof *r->label, "rows"));
    MOT_TRY(mot_allocate(&r->group, (size_t)count, sizeof *r->group, "rows"));
    MOT_TRY(mot_allocate(&r->expert, (size_t)(count * K), sizeof *r->expert, "rows"));
    MOT_TRY(mot_allocate(&r->predicted, (size_t)count, sizeof *r->predicted, "rows"));
    MOT_TRY(mot_allocate(&r->prob, (size_t)(count * K), sizeof *r->prob, "rows"));
    MOT_TRY(mot_allocate(&r->loss, (size_t)count, sizeof *r->loss, "rows"));
done:
    return status;
}

static void free_rows(rows *r)
{
    mot_free(r->sample);
    mot_free(r->label);
    mot_free(r->group);
    mot_free(r->expert);
    mot_free(r->predicted);
    mot_free(r->prob);
    mot_free(r->loss);
}

static mot_status plant_step(mot_record *record, long step, rows *r)
{
    int64_t load[MOST];
    double importance[MOST];
    mot_status status = MOT_OK;
    const mot_step_figures figures = {.step = step, .stage = step > steps / 2, .samples = (size_t)batch, .loss = 1 / (double)step,
                                      .accuracy = 0.5, .rate = 0.01, .compute_s = 0.5, .exchange_s = 0.25, .wait_s = 0.125};
    MOT_TRY(mot_record_step(record, &figures));
    load_of(step, load);
    for (long i = 0, e = 0, left = load[0]; i < batch; ++i, --left) {
        while (left == 0) left = load[++e];
        r->sample[i] = (step - 1) * batch + i;
        r->label[i] = (int32_t)(i % C);
        r->group[i] = (int32_t)(i % C % G);
        for (long k = 0; k < K; ++k) {
            r->expert[i * K + k] = (int32_t)((e + k) % E);
            r->prob[i * K + k] = 0.5f;
        }
    }
    for (long e = 0; e < E; ++e) importance[e] = (double)load[e];
    for (int l = 0; l < layers; ++l) {
        MOT_TRY(mot_record_loads(record, step, l, load, importance, &(mot_record_gate){0.5, 0.25, 1}));
        MOT_TRY(mot_record_assign(record, step, l, false, (size_t)batch, r->sample, r->label, r->group, r->expert, r->prob, NULL, NULL));
    }
done:
    return status;
}

static mot_status plant_report(mot_record *record, long step, int ranks)
{
    float compute[MOST] = {0}, exchange[MOST] = {0}, wait[MOST] = {0};
    double slowest = 0;
    for (long s = step - REPORT + 1; s <= step; ++s) {
        double most = 0;
        for (int r = 0; r < ranks; ++r) {
            const float of_step = 0.0625f * (float)(1 + r * s % 5);
            compute[r] += of_step;
            exchange[r] += 0.0625f * (float)((r + s) % 4);
            wait[r] += 0.0625f * (float)(r % 3);
            most = MOT_MAX(most, (double)of_step);
        }
        slowest += most;
    }
    return mot_record_ranks(record, &(mot_rank_figures){.step = step, .steps = REPORT, .interval_s = 2, .slowest_s = slowest,
                                                        .compute_s = compute, .exchange_s = exchange, .wait_s = wait});
}

/* The run goes on with another number of ranks. */
static mot_status plant_restart(mot_record **record, mot_record_about *about, long step, int ranks)
{
    mot_status status;
    MOT_TRY(mot_record_flush(*record, true));
    mot_record_close(record);
    about->ranks = ranks;
    MOT_TRY(mot_record_open(record, about, step));
done:
    return status;
}

static mot_status plant_evaluation(mot_record *record, long step, long t, rows *r)
{
    int64_t *by_class = NULL, *by_group = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&by_class, (size_t)(C * E), sizeof *by_class, "counts"));
    MOT_TRY(mot_allocate(&by_group, (size_t)(G * E), sizeof *by_group, "counts"));
    for (int l = 0; l < layers; ++l) {
        for (long i = 0; i < C * E; ++i) by_class[i] = 0;
        for (long i = 0; i < G * E; ++i) by_group[i] = 0;
        for (long i = 0; i < samples; ++i) {
            const int e = first_choice(l, t, i);
            r->sample[i] = i;
            r->label[i] = label_of(i);
            r->group[i] = (int32_t)(label_of(i) % G);
            r->predicted[i] = predicted_of(i);
            r->loss[i] = loss_of(i);
            for (int k = 0; k < K; ++k) {
                r->expert[i * K + k] = choice(l, t, i, k);
                r->prob[i * K + k] = k == 0 ? prob_of(i) : 0.0625f;
            }
            by_class[label_of(i) * E + e]++;
            by_group[label_of(i) % G * E + e]++;
        }
        MOT_TRY(mot_record_snapshot(record, step, l, by_class, by_group));
        MOT_TRY(mot_record_assign(record, step, l, true, (size_t)samples, r->sample, r->label, r->group, r->expert, r->prob, r->predicted,
                                  r->loss));
    }
done:
    mot_free(by_class);
    mot_free(by_group);
    return status;
}

/* ---- what experts have of what made the data ---- */

static double teacher_w(long e, long j, long t) { return (double)((7 * e + 3 * j + 4 * t) % 17) / ((e + j) % 2 ? -16 : 16); }
static double teacher_v(long e, long j, long t) { return (double)((5 * e + 11 * j + 6 * t) % 19 - 3) / 16; }
static double neuron(long e, long n, long t) { return (double)((3 * e + 5 * n + 2 * t) % 13 - 4) / 12; }
static double theta(long e, long n, long t) { return (double)(e - n + t) / 4; }
static double attention(long q, long k, long t) { return (double)((q + 2 * k + t) % 8) / 8; }
static double agreement(long e, long unused, long t) { return (double)((e + t + unused) % 5) / 4; }

static mot_status plant_figures(mot_record *record, long step, long t)
{
    enum { TABLES = 6, NUMBERS = 3 };
    const struct {
        const char *name, *axis[2];
        long rows, columns;
        double (*value)(long row, long column, long t);
    } tables[TABLES] = {{"teacher_w", {"expert", "teacher"}, E, TEACHERS, teacher_w}, {"teacher_v", {"expert", "teacher"}, E, TEACHERS, teacher_v},
                        {"neurons", {"expert", "group"}, E, G, neuron}, {"gate", {"expert", "group"}, E, G, theta},
                        {"attention", {"query", "key"}, ROLES, ROLES, attention}, {"gradient_agreement", {"expert"}, E, 1, agreement}};
    const double number[NUMBERS] = {1 / (double)(1 << t), (double)(t % 4), (double)t / 8};
    static const char *const names[NUMBERS] = {"loss", "teacher_matched", "routing_accuracy"};
    mot_eval_figure figure[TABLES + NUMBERS];
    double *value = NULL, *at;
    mot_status status;
    MOT_TRY(mot_allocate(&value, TABLES * MOST * MOST, sizeof *value, "figures"));
    at = value;
    for (int k = 0; k < TABLES; ++k) {
        const bool row = tables[k].axis[1] == NULL;
        figure[k] = (mot_eval_figure){.name = tables[k].name, .units = "1", .long_name = "planted", .rank = row ? 1 : 2,
                                      .shape = {(size_t)tables[k].rows, row ? 0 : (size_t)tables[k].columns},
                                      .axis = {tables[k].axis[0], tables[k].axis[1]}, .value = at};
        for (long r = 0; r < tables[k].rows; ++r)
            for (long c = 0; c < tables[k].columns; ++c)
                *at++ = k < 2 && r == E - 1 && t >= evaluations / 2 ? NAN : tables[k].value(r, c, t);
    }
    for (int k = 0; k < NUMBERS; ++k)
        figure[TABLES + k] = (mot_eval_figure){.name = names[k], .units = "1", .long_name = "planted", .value = &number[k]};
    status = mot_record_eval(record, step, MOT_COUNT(figure), figure);
done:
    mot_free(value);
    return status;
}

/* Row i of R is what is right after task i - 1: half of it where the task is not known. */
static mot_status plant_tasks(mot_record *record)
{
    mot_task_matrix tasks;
    mot_status status;
    MOT_TRY(mot_task_matrix_create(&tasks, TASKS, true, NULL));
    for (int i = 0; i <= TASKS; ++i) {
        double known[TASKS], unaided[TASKS];
        for (int j = 0; j < TASKS; ++j) {
            known[j] = (double)((5 * i + 3 * j + 7) % 9) / 8;
            unaided[j] = known[j] / 2;
        }
        mot_task_matrix_set(&tasks, i - 1, 10 * i, known, unaided);
    }
    for (int i = 0; i < TASKS; ++i)
        for (int j = 0; j < i; ++j) tasks.cosine[i * TASKS + j] = (double)((2 * i + j) % 5 - 2) / 2;
    status = mot_record_by_task(record, &tasks);
    mot_task_matrix_free(&tasks);
done:
    return status;
}

/* ---- the analysis: sample i in rows of one, as nothing here is large ---- */

static mot_status plant_layer(mot_analysis *a, int l, long i)
{
    float score[MOST], weight[MOST], features[FEATURES], only[MOST], without[MOST];
    int32_t words[WORDS] = {0}, chosen[MOST], only_predicted[MOST], without_predicted[MOST];
    const int first = first_choice(l, evaluations - 1, i), label = label_of(i);
    mot_status status;
    for (int e = 0; e < E; ++e) {
        score[e] = e == first ? prob_of(i) : (1 - prob_of(i)) / (float)(E - 1);
        only[e] = 0.5f + 0.25f * (float)((e - best_of(l, i) + E) % E);
        only_predicted[e] = (int32_t)(e == best_of(l, i) || (i + e) % 4 == 0 ? label : (label + 1) % C);
        without[e] = (float)loss_of(i) + (e == first ? 0.5f : 0);
        without_predicted[e] = (int32_t)(e != first ? predicted_of(i) : i % 3 == 0 ? label : (label + 1) % C);
    }
    for (int k = 0; k < K; ++k) chosen[k] = choice(l, evaluations - 1, i, k), weight[k] = 1.0f / (float)K;
    features[0] = (float)(10 * first);
    features[1] = (float)(i % 2);
    for (int w = 0; w < 2 + 2 * (i % 3); ++w) words[w] = 10 + first;
    const struct {
        mot_analysis_column column;
        const void *rows;
    } all[] = {{MOT_ANALYSIS_GATE_SCORE, score}, {MOT_ANALYSIS_CHOSEN, chosen}, {MOT_ANALYSIS_WEIGHT, weight},
               {MOT_ANALYSIS_FEATURES, features}, {MOT_ANALYSIS_WORDS, words}, {MOT_ANALYSIS_ONLY_LOSS, only}, {MOT_ANALYSIS_ONLY_PREDICTED, only_predicted},
               {MOT_ANALYSIS_WITHOUT_LOSS, without}, {MOT_ANALYSIS_WITHOUT_PREDICTED, without_predicted}};
    for (size_t c = 0; c < MOT_COUNT(all); ++c) MOT_TRY(mot_analysis_write(a, l, all[c].column, i, 1, all[c].rows));
done:
    return status;
}

static mot_status plant_attention(mot_analysis *a, int l)
{
    enum { B = 2, H = 2, T = 4, MAPS = B * H };
    const size_t N = (size_t)samples;
    mot_gidx *sample = NULL;
    int32_t *expert = NULL;
    float *received = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&sample, N, sizeof *sample, "rows"));
    MOT_TRY(mot_allocate(&expert, 2 * N, sizeof *expert, "rows"));
    MOT_TRY(mot_allocate(&received, (MAPS + 1) * N * T, sizeof *received, "rows"));
    int32_t *const length = expert + N;
    float *const rollout = received + MAPS * N * T;
    for (size_t i = 0; i < N; ++i) {
        sample[i] = (mot_gidx)i;
        expert[i] = first_choice(l, evaluations - 1, (long)i);
        length[i] = T;
        for (size_t j = 0; j < T; ++j) {
            for (size_t m = 0; m < MAPS; ++m)
                received[(i * MAPS + m) * T + j] = (float)(1 + (i + m / H + 2 * (m % H) + j) % T) / 10;
            rollout[i * T + j] = (float)(1 + (i + (size_t)l + 3 * j) % T) / 10;
        }
    }
    status = mot_analysis_write_attention(a, l, &(mot_analysis_attention){.samples = N, .blocks = B, .heads = H, .rows = T, .sample = sample,
                                                                          .expert = expert, .length = length, .received = received,
                                                                          .rollout = rollout});
done:
    mot_free(sample);
    mot_free(expert);
    mot_free(received);
    return status;
}

static mot_status plant_analysis(const mot_record_about *about)
{
    char path[4096];
    int origin[MOST];
    mot_analysis_layer layer[MOT_COUNT(origin)];
    int8_t kept[3 * MOST] = {0};
    const double loss[] = {1, 2, 3}, accuracy[] = {0.75, 0.5, 0.25};
    mot_analysis *a = NULL;
    mot_status status;
    for (int e = 0; e < E; ++e) origin[e] = e;
    for (int p = 0; p < 3; ++p)
        for (int e = 0; e < E >> (p + 1); ++e) kept[p * E + e] = 1;
    for (int l = 0; l < layers; ++l)
        layer[l] = (mot_analysis_layer){.experts = (int)E, .choices = (int)K, .origin = origin, .features = l == 0 ? FEATURES : 0,
                                        .words = l > 0 ? WORDS : 0, .input = "mean", .parts = 3};
    const mot_analysis_about of = {.run = about, .checkpoint = "none", .checkpoint_digest = "none", .split = "test",
                                   .config_digest = "none", .step = steps, .samples = samples, .layer = layer};
    snprintf(path, sizeof path, "%s/eval/step-%08ld.h5", about->folder, steps);
    MOT_TRY(mot_analysis_create(&a, path, &of));
    for (long i = 0; i < samples; ++i) {
        const int32_t label = label_of(i), group = (int32_t)(label_of(i) % G), predicted = predicted_of(i);
        const double of_sample = loss_of(i);
        const int8_t hit = label == predicted;
        const mot_gidx number = i;
        MOT_TRY(mot_analysis_write(a, 0, MOT_ANALYSIS_SAMPLE, i, 1, &number));
        MOT_TRY(mot_analysis_write(a, 0, MOT_ANALYSIS_LABEL, i, 1, &label));
        MOT_TRY(mot_analysis_write(a, 0, MOT_ANALYSIS_GROUP, i, 1, &group));
        MOT_TRY(mot_analysis_write(a, 0, MOT_ANALYSIS_LOSS, i, 1, &of_sample));
        MOT_TRY(mot_analysis_write(a, 0, MOT_ANALYSIS_PREDICTED, i, 1, &predicted));
        MOT_TRY(mot_analysis_write(a, 0, MOT_ANALYSIS_HIT, i, 1, &hit));
        for (int l = 0; l < layers; ++l) MOT_TRY(plant_layer(a, l, i));
    }
    for (int l = 0; l < layers; ++l) MOT_TRY(mot_analysis_write_parts(a, l, kept, loss, accuracy));
    for (int l = 0; l < layers && analysed == 1; ++l) MOT_TRY(plant_attention(a, l));
    MOT_TRY(mot_analysis_close(&a, true));
done:
    (void)mot_analysis_close(&a, false);
    return status;
}

static mot_status plant_summary(const char *folder)
{
    char path[4096];
    double right = 0;
    for (long i = 0; i < samples; ++i) right += i % 7 != 0;
    mot_json *const json = mot_json_begin();
    mot_json_text(json, "status", "done");
    mot_json_int(json, "steps", steps);
    mot_json_text(json, "eval.split", "test");
    mot_json_int(json, "eval.samples", samples);
    mot_json_real(json, "eval.accuracy", right / (double)samples);
    mot_json_real(json, "eval.loss", 1 + (double)seed);
    snprintf(path, sizeof path, "%s/summary.json", folder);
    return mot_json_save(json, path);
}

static mot_status plant(const char *folder)
{
    int experts[MOST], choices[MOST];
    for (int l = 0; l < layers; ++l) experts[l] = (int)E, choices[l] = (int)K;
    mot_record_about about = {.folder = folder, .config_text = "run: planted\n", .experts = (int)E, .choices = (int)K,
                                    .begun = (int)E, .classes = (int)C, .groups = (int)G, .layers = (int)layers,
                                    .ranks = (int)all_ranks, .layer_experts = experts, .layer_choices = choices, .dataset_checksum = "planted",
                                    .run_id = "8c5f0a52-6d3e-4b0f-9f6e-3a9d1c2b4e70", .seed = (uint64_t)seed};
    mot_record *record = NULL;
    rows r = {0};
    mot_status status;
    MOT_TRY(make_rows(&r, MOT_MAX(samples, batch)));
    MOT_TRY(mot_record_open(&record, &about, 0));
    for (long step = 1, t = 0; step <= steps; ++step) {
        MOT_TRY(plant_step(record, step, &r));
        if (step % REPORT == 0 && about.ranks > 0) MOT_TRY(plant_report(record, step, about.ranks));
        if (step == steps / 2 && about.ranks > 1) MOT_TRY(plant_restart(&record, &about, step, about.ranks - 1));
        if (step * evaluations < (t + 1) * steps) continue;
        MOT_TRY(plant_figures(record, step, t));
        MOT_TRY(plant_evaluation(record, step, t++, &r));
        if (step == steps) MOT_TRY(plant_tasks(record));
        MOT_TRY(mot_record_flush(record, step == steps));
    }
    if (analysed) MOT_TRY(plant_analysis(&about));
    MOT_TRY(plant_summary(folder));
done:
    free_rows(&r);
    mot_record_close(&record);
    return status;
}

int main(int argc, char **argv)
{
    long *const number[] = {&seed, &E, &C, &G, &layers, &K, &samples, &evaluations, &steps, &batch, &analysed, &all_ranks};
    if (argc != 2 + (int)MOT_COUNT(number)) return EXIT_FAILURE;
    for (size_t i = 0; i < MOT_COUNT(number); ++i) *number[i] = atol(argv[2 + i]);
    if (E > MOST || layers > 16 || all_ranks > MOST) return EXIT_FAILURE;
    const mot_status status = plant(argv[1]);
    if (status != MOT_OK) fprintf(stderr, "planted: %s\n", mot_error_message());
    return status == MOT_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
