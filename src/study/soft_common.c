/* What the claims about soft routing share: settings, and the trials that several of them look at. */
#include "soft.h"

#define STUDENTS                                                                                             \
    "data:\n  source: teacher\n  teacher:\n    experts: 2\n    width: 32\n    eval: 2048\n"                  \
    "model:\n  kind: hermite\n  experts: 6\n"                                                                \
    "gate:\n  kind: sigmoid\n"                                                                               \
    "route:\n  top_k: all\n"                                                                                 \
    "train:\n  batch: 8192\n  loss: squared\n  optimizer: sgd\n  rate: 0.05\n  schedule: constant\n"
#define QUIET                                                                                                \
    "eval:\n  every: 10\n  start: true\n  batch: 2048\n"                                                     \
    "checkpoint:\n  every: 0\nrecord:\n  every: 0\n  eval: false\nreport:\n  every: 1000000\n"

const char *const mot_soft_base = STUDENTS "  until: 800 steps\n" QUIET;
const char *const mot_soft_phases =
    STUDENTS "stages:\n"
             "  - name: learn\n    until: loss < 0.005 or 2400 steps\n    action: prune\n    prune_rule: group\n"
             "  - name: tune\n    until: loss < 6e-13 or 800 steps\n    rate: 0.2\n" QUIET;

const soft_size mot_soft_sizes[SOFT_SIZES] = {{32, 2, 6}, {64, 4, 16}, {32, 2, 7}};

size_t mot_soft_size_count(const mot_study *study)
{
    return study->options.quick ? 1 : SOFT_SIZES;
}

study_variant *mot_soft_add_phases(mot_study *study, const soft_size *size, const char *rule, const char *settings)
{
    char name[STUDY_NAME], label[STUDY_NAME];
    const bool quick = study->options.quick, as_it_is = settings[0] == '\0';
    snprintf(name, sizeof name, "phases-d%d-m%d-%s", size->width, size->students, rule);
    snprintf(label, sizeof label, "D = %d, m* = %d, m = %d", size->width, size->teachers, size->students);
    return mot_study_add(study, name, label, mot_soft_phases, as_it_is ? (quick ? 6 : 20) : (quick ? 3 : 10),
                         0.01 * size->width * size->students,
                         "data.teacher.width=%d; data.teacher.experts=%d; model.experts=%d; %s", size->width,
                         size->teachers, size->students, settings);
}
