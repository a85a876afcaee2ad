/* recorded.h: a small record for the tests of this folder, in a folder of each test's own. */
#ifndef MOT_TEST_RECORDED_H
#define MOT_TEST_RECORDED_H

#include <stdio.h>
#include <unistd.h>

#include "ck.h"
#include "mot/record.h"

enum { E = 3, K = 2, CLASSES = 4, GROUPS = 2, SAMPLES = 5 };

static char folder[64];
static char *class_names[] = {"cat", "dog", "caf\xc3\xa9", "ship"}, *group_names[] = {"animal", "thing"};

static inline void set_up(void)
{
    snprintf(folder, sizeof folder, "/tmp/mot-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static inline void tear_down(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

static inline const char *in(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* The least that a record is about. */
static inline mot_record_about plain_about(void)
{
    return (mot_record_about){.folder = folder,
                              .config_text = "",
                              .experts = E,
                              .choices = K,
                              .classes = CLASSES,
                              .layers = 1,
                              .dataset_checksum = ""};
}

static inline mot_record *open_record(mot_gidx step)
{
    mot_record_about about = plain_about();
    mot_record *record;
    about.config_text = "run: x\n";
    about.groups = GROUPS;
    about.class_names = class_names;
    about.group_names = group_names;
    about.dataset_checksum = "abc";
    about.seed = 7;
    mot_ck_ok(mot_record_open(&record, &about, step));
    return record;
}

static inline void one_step(mot_record *record, mot_gidx step)
{
    const mot_step_figures figures = {.step = step,
                                      .stage = 1,
                                      .samples = SAMPLES,
                                      .loss = 1.0 / (double)step,
                                      .accuracy = 0.5,
                                      .rate = 0.01,
                                      .compute_s = 1,
                                      .exchange_s = 2,
                                      .wait_s = 3};
    const int64_t load[E] = {step, 2, 3};
    const double importance[E] = {0.5, (double)step, 1.5};
    mot_ck_ok(mot_record_step(record, &figures));
    mot_ck_ok(mot_record_loads(record, step, 0, load, importance, &(mot_record_gate){0.5, 0.25, (double)step}));
}

static inline void assignments(mot_record *record, mot_gidx step, bool evaluation)
{
    mot_gidx sample[SAMPLES];
    int32_t label[SAMPLES], group[SAMPLES], expert[SAMPLES * K];
    int32_t predicted[SAMPLES];
    double loss[SAMPLES];
    float prob[SAMPLES * K];
    for (int i = 0; i < SAMPLES; ++i) {
        predicted[i] = (i + 1) % CLASSES;
        loss[i] = 0.25 * i;
        sample[i] = 100 * step + i;
        label[i] = i % CLASSES;
        group[i] = i % GROUPS;
        for (int k = 0; k < K; ++k) {
            expert[i * K + k] = (i + k) % E;
            prob[i * K + k] = 0.3f / (float)(k + 1);
        }
    }
    mot_ck_ok(mot_record_assign(record, step, 0, evaluation, SAMPLES, sample, label, evaluation ? NULL : group,
                                expert, prob, predicted, loss));
}

static inline void snapshot(mot_record *record, mot_gidx step)
{
    int64_t by_class[CLASSES * E], by_group[GROUPS * E];
    for (int i = 0; i < CLASSES * E; ++i) by_class[i] = step + i;
    for (int i = 0; i < GROUPS * E; ++i) by_group[i] = step - i;
    mot_ck_ok(mot_record_snapshot(record, step, 0, by_class, by_group));
}

static inline bool exists(const char *name)
{
    return access(in(name), F_OK) == 0;
}

static inline void segment(mot_record *record, mot_gidx first, mot_gidx last)
{
    for (mot_gidx step = first; step <= last; ++step) one_step(record, step);
    mot_ck_ok(mot_record_flush(record, true));
}

#endif
