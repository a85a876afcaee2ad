/* soft.h: the claims of Liao and Kyrillidis (arXiv 2510.07205) about soft-routed mixtures of experts. Private to src/study.
 *
 * Students with neurons w_i and gates v_i, all counted by their directions, learn from a teacher of the same form. Time t is
 * that of gradient flow: the sum of the rates of the steps. */
#ifndef MOT_SOFT_H
#define MOT_SOFT_H

#include "mot/theory.h"
#include "study_private.h"

extern const study_claim mot_soft_alignment;                    /* soft_alignment.c */
extern const study_claim mot_soft_width;                        /* soft_width.c */
extern const study_claim mot_soft_success;                      /* soft_success.c */
extern const study_claim mot_soft_pipeline, mot_soft_rules;     /* soft_pipeline.c */
extern const study_claim mot_soft_surplus;                      /* soft_surplus.c */
extern const study_claim mot_soft_router;                       /* soft_router.c */
extern const study_claim mot_soft_limits;                       /* soft_limits.c */

/* ---- soft_common.c: settings ---- */

/* One stage of learning; and three phases: students learn, prune (group) and are fine-tuned. */
extern const char *const mot_soft_base, *const mot_soft_phases;

/* A teacher and his students. */
typedef struct soft_size {
    int width, teachers, students;
} soft_size;

/* The phases of a size; which sizes claims look at: the first, in the quick form it alone. */
enum { SOFT_SIZES = 3 };
extern const soft_size mot_soft_sizes[SOFT_SIZES];
size_t mot_soft_size_count(const mot_study *study);
/* `rule` names what is changed in the pruning; group with "" is the one that all claims look at, with more seeds. */
study_variant *mot_soft_add_phases(mot_study *study, const soft_size *size, const char *rule, const char *settings);

/* ---- soft_measure.c: what is asked of a trial ---- */

/* Of teacher `which` at an evaluation: the largest |cosine| of a student's neuron with his, the largest cosine of a gate. */
double mot_soft_expert(const study_result *result, size_t row, size_t which);
double mot_soft_gate(const study_result *result, size_t row, size_t which);
/* The largest cosine of a neuron, with its sign. */
double mot_soft_toward(const study_result *result, size_t row, size_t which);
/* Over all teachers the least of mot_soft_expert. */
double mot_soft_all(const study_result *result, size_t row, size_t unused);
/* Students that are at work. */
size_t mot_soft_students(const study_result *result, size_t row);
/* The last evaluation before the pruning, or of all. */
size_t mot_soft_learned(const study_result *result);

/* The time when a value first is at or above `bound`, linear between two evaluations; NaN: never. */
double mot_soft_reach(const study_result *result, study_value *value, size_t which, double bound);
/* When the first of the teacher's experts has a student. */
double mot_soft_first(const study_result *result);
/* The same by the clock of the student that finds the expert: a direction turns with rate / |w|^2, and steps on batches make
 * |w| grow. */
double mot_soft_first_turned(const study_result *result);
/* How the order of learning depends on routers: of the teachers that some student's gate has found, those whose neuron was
 * found before. */
typedef struct soft_guided {
    size_t teachers, experts, gates, after; /* in all; found; found; gates found after their experts */
} soft_guided;
soft_guided mot_soft_count(const study_variant *variant);

/* At leading order dz/dt = 4.5 z^2 (1 - z^2): the time from z to 0.9. */
double mot_soft_theory(double z);
/* The number of seeds whose lowest test loss is at most 1e-12. */
size_t mot_soft_exact(const study_variant *variant);
/* Loss of a trial over t. */
mot_series mot_soft_loss(const study_result *result, const char *label, int color);

#define SOFT_EXACT 1e-12

#endif
