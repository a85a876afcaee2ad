/* analysis_record FOLDER: writes the record of a small run with the real functions, for the recipes of
 * docs/analysis.md: 4 experts, 6 named classes, 2 groups, 40 steps in two segments; experts specialize as it
 * goes. */
#include <stdio.h>
#include <stdlib.h>

#include "mot/record.h"
#include "mot/rng.h"
#include "mot/status.h"

enum { EXPERTS = 4, CLASSES = 6, GROUPS = 2, BATCH = 64, STEPS = 40 };

static double uniform(mot_gidx step, int i, int purpose)
{
    return mot_uniform(
        mot_random(1, MOT_STREAM_TEST, (uint32_t)step, (uint32_t)i, (uint32_t)purpose, 0).word[0]);
}

/* Late in the run a class goes to its own expert; early to any. */
static int choose(mot_gidx step, int i, int label)
{
    const int own = label % EXPERTS;
    return uniform(step, i, 1) < (double)step / STEPS ? own : (int)(uniform(step, i, 2) * EXPERTS);
}

static mot_status record_step(mot_record *record, mot_gidx step)
{
    int64_t load[EXPERTS] = {0};
    double importance[EXPERTS] = {0};
    mot_gidx sample[BATCH];
    int32_t label[BATCH], group[BATCH], expert[BATCH];
    float prob[BATCH];
    for (int i = 0; i < BATCH; ++i) {
        sample[i] = step * BATCH + i;
        label[i] = (int32_t)(uniform(step, i, 0) * CLASSES);
        group[i] = label[i] / 3;
        expert[i] = choose(step, i, label[i]);
        prob[i] = (float)(0.25 + 0.7 * (double)step / STEPS);
        load[expert[i]]++;
        importance[expert[i]] += (double)prob[i];
    }
    const mot_step_figures figures = {.step = step,
                                      .stage = step > STEPS / 2,
                                      .samples = BATCH,
                                      .loss = 2.0 / (1 + 0.1 * (double)step),
                                      .accuracy = (double)step / STEPS,
                                      .rate = 0.01,
                                      .compute_s = 0.01,
                                      .exchange_s = 0.002,
                                      .wait_s = 0.001};
    mot_status status = mot_record_step(record, &figures);
    if (status == MOT_OK) status = mot_record_loads(record, step, 0, load, importance, &(mot_record_gate){0.5, 0.25, 1});
    if (status == MOT_OK && step % 5 == 0)
        status = mot_record_assign(record, step, 0, false, BATCH, sample, label, group, expert, prob, NULL,
                                   NULL);
    return status;
}

static mot_status record_snapshot(mot_record *record, mot_gidx step)
{
    int64_t by_class[CLASSES * EXPERTS] = {0}, by_group[GROUPS * EXPERTS] = {0};
    for (int i = 0; i < 100 * CLASSES; ++i) {
        const int label = i % CLASSES, expert = choose(step, i + BATCH, label);
        by_class[label * EXPERTS + expert]++;
        by_group[label / 3 * EXPERTS + expert]++;
    }
    return mot_record_snapshot(record, step, 0, by_class, by_group);
}

int main(int argc, char **argv)
{
    static char *class_names[] = {"cat", "dog", "horse", "car", "ship", "plane"},
                *group_names[] = {"animal", "vehicle"};
    const mot_record_about about = {.folder = argv[1],
                                    .config_text = "run: example\n",
                                    .experts = EXPERTS,
                                    .choices = 1,
                                    .classes = CLASSES,
                                    .groups = GROUPS,
                                    .layers = 1,
                                    .class_names = class_names,
                                    .group_names = group_names,
                                    .dataset_checksum = "none",
                                    .run_id = "8c5f0a52-6d3e-4b0f-9f6e-3a9d1c2b4e70",
                                    .seed = 1};
    mot_record *record = NULL;
    mot_status status = MOT_OK;
    if (argc != 2) return EXIT_FAILURE;
    MOT_TRY(mot_record_open(&record, &about, 0));
    for (mot_gidx step = 1; step <= STEPS; ++step) {
        MOT_TRY(record_step(record, step));
        if (step % 4 == 0) MOT_TRY(record_snapshot(record, step));
        if (step % 20 == 0) MOT_TRY(mot_record_flush(record, true));
    }

done:
    mot_record_close(&record);
    if (status != MOT_OK) fprintf(stderr, "analysis_record: %s\n", mot_error_message());
    return status == MOT_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
