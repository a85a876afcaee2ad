/* The claim that a router learns with the cube of its expert's alignment: gates alone, beside neurons that stay as they are. */
#include <math.h>

#include "mot/memory.h"
#include "mot/npz.h"
#include "mot/rng.h"
#include "mot/teacher.h"
#include "soft.h"

enum { EXPERTS = 2, WIDTH = 32, MOST_COSINES = 7, LONG = 20 };
static const double cosines[MOST_COSINES] = {0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1};
static const double derived = 0.256;

static bool in_quick(double z)
{
    return z == 0.4 || z == 0.6 || z == 0.8 || z == 1;
}

/* ---- what they begin with ---- */

/* Takes what lies along the unit vectors of `other` [count] out of x, and makes it one. */
static void leave(double *x, const double *other, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        const double along = mot_neuron_sum(x, other + i * WIDTH, WIDTH);
        for (size_t d = 0; d < WIDTH; ++d) x[d] -= along * other[i * WIDTH + d];
    }
    (void)mot_to_unit(x, WIDTH);
}

/* Unit vectors of which each is orthogonal to all of the teacher's, and to those before it: basis [2m + more, D], the teacher's
 * first. */
static void extend(int seed, size_t teachers, size_t more, double *basis)
{
    for (size_t i = teachers; i < teachers + more; ++i) {
        double *x = basis + i * WIDTH;
        for (size_t d = 0; d < WIDTH; d += 2) {
            const mot_random4 r = mot_random((uint64_t)seed, MOT_STREAM_STUDY, 0, (uint32_t)i, (uint32_t)d + 1, 0);
            mot_normal_pair(r.word[0], r.word[1], x + d);
        }
        leave(x, basis, i);
    }
}

/* Neurons with a cosine of z to the teacher's, gates that know nothing of his; z = variant->parameter. */
static mot_status initial(const study_variant *variant, int seed, const char *path)
{
    const mot_teacher_config config = {.experts = EXPERTS, .width = WIDTH, .seed = (uint64_t)seed};
    const double z = variant->parameter, rest = sqrt(fmax(0, 1 - z * z));
    double basis[4 * EXPERTS * WIDTH];
    float neuron[EXPERTS * WIDTH], gate[WIDTH * EXPERTS];
    mot_teacher teacher;
    const mot_status status = mot_teacher_init(&teacher, &config);
    if (status != MOT_OK) return status;
    for (size_t i = 0; i < 2 * EXPERTS * WIDTH; ++i) basis[i] = teacher.v[i]; /* and w behind it: one block */
    mot_teacher_free(&teacher);
    extend(seed, 2 * EXPERTS, 2 * EXPERTS, basis);
    const double *w = basis + EXPERTS * WIDTH, *beside = basis + 2 * EXPERTS * WIDTH, *free = basis + 3 * EXPERTS * WIDTH;
    for (size_t i = 0; i < EXPERTS; ++i)
        for (size_t d = 0; d < WIDTH; ++d) {
            neuron[i * WIDTH + d] = (float)(z * w[i * WIDTH + d] + rest * beside[i * WIDTH + d]);
            gate[d * EXPERTS + i] = (float)free[i * WIDTH + d];
        }
    const mot_npz_array arrays[] = {
        {.name = "experts/ffn/neuron", .kind = 'f', .rank = 2, .shape = {EXPERTS, WIDTH}, .data = neuron},
        {.name = "gate/weight", .kind = 'f', .rank = 2, .shape = {WIDTH, EXPERTS}, .data = gate}};
    return mot_npz_write(path, MOT_COUNT(arrays), arrays, 0, NULL);
}

/* ---- the trials ---- */

static study_variant *add(mot_study *study, double z)
{
    char name[STUDY_NAME], label[STUDY_NAME];
    const bool quick = study->options.quick;
    const double rate = quick ? 0.05 : 0.025;
    snprintf(name, sizeof name, "router-%g", z);
    snprintf(label, sizeof label, "gates alone, neurons at %g", z);
    study_variant *variant = mot_study_add(study, name, label, mot_soft_base, quick ? 3 : 10, 1.2,
                                           "model.experts=%d; train.parts=[gate]; train.rate=%g; train.until=%d "
                                           "steps",
                                           EXPERTS, rate, (int)(LONG / rate));
    variant->initial = initial;
    variant->parameter = z;
    return variant;
}

static void plan(mot_study *study)
{
    for (size_t i = 0; i < MOST_COSINES; ++i)
        if (!study->options.quick || in_quick(cosines[i])) (void)add(study, cosines[i]);
}

/* With du/dt = c (1 - u^2), atanh u = c t: c of a seed, by the mean over its gates, as far as u is below 0.9. */
static double speed_of(const study_result *result)
{
    enum { MOST = 128 };
    double t[MOST], y[MOST];
    size_t count = 0;
    for (size_t r = 0; r < result->rows && count < MOST; ++r) {
        double u = 0;
        for (size_t j = 0; j < EXPERTS; ++j)
            u += result->column[STUDY_TEACHER_V][(r * EXPERTS + j) * EXPERTS + j] / EXPERTS;
        if (u >= 0.9) break;
        t[count] = result->column[STUDY_FLOWED][r];
        y[count++] = atanh(u);
    }
    return mot_line_fit(t, y, count).b;
}

typedef struct points {
    size_t count;
    double z[MOST_COSINES * STUDY_MOST_SEEDS], speed[MOST_COSINES * STUDY_MOST_SEEDS];
} points;

/* Measures a variant, and says its row. */
static void tell_row(mot_study *study, const study_variant *variant, points *p)
{
    const double z = variant->parameter;
    double speed[STUDY_MOST_SEEDS];
    char text[96];
    for (int s = 0; s < variant->seeds; ++s) {
        speed[s] = speed_of(&variant->result[s]);
        if (!(speed[s] > 0)) continue;
        p->z[p->count] = z;
        p->speed[p->count++] = speed[s];
    }
    mot_study_say(study, "| %g | %s | %.3f |\n", z, mot_study_spread(speed, (size_t)variant->seeds, text),
                  derived * z * z * z);
}

static mot_status draw(mot_study *study, const points *p)
{
    double theory[MOST_COSINES];
    for (size_t i = 0; i < MOST_COSINES; ++i) theory[i] = derived * pow(cosines[i], 3);
    const mot_series series[] = {
        {.label = "a seed", .count = p->count, .x = p->z, .y = p->speed, .style = MOT_SERIES_POINTS},
        {.label = "0.256 z^3", .count = MOST_COSINES, .x = cosines, .y = theory, .dashed = true, .color = 7}};
    mot_panel panel = mot_study_lines("Gates alone", "cosine z of neuron and teacher",
                                      (mot_axis){.label = "d atanh(u) / dt", .log = 10},
                                      series, 2);
    panel.x.log = 2;
    panel.key = MOT_KEY_BOTTOM_RIGHT;
    const mot_figure figure = {.panels = &panel, .panel_count = 1};
    return mot_study_draw(study, "router", "Speed of gates beside neurons that stay at a cosine of z.", &figure);
}

static mot_status tell(mot_study *study)
{
    points p = {0};
    mot_status status = MOT_OK;
    mot_study_section(study, "A router learns with the cube of its expert's alignment");
    mot_study_say(study, "Two students whose neurons stay at a cosine of z with the teacher's, and whose gates begin "
                         "orthogonal to all that the teacher has; gates alone learn, for t = 20. Derived: du/dt = "
                         "0.256 z^3 (1 - u^2), u the cosine of the gates, so that atanh u grows linearly; its slope "
                         "is taken while u is below 0.9.\n\n"
                         "| z | slope | 0.256 z^3 |\n|---|---|---|\n");
    for (size_t i = 0; i < MOST_COSINES; ++i)
        if (!study->options.quick || in_quick(cosines[i])) tell_row(study, add(study, cosines[i]), &p);
    mot_study_say(study, "\n");
    MOT_TRY(draw(study, &p));
    for (size_t i = 0; i < p.count; ++i) {
        p.z[i] = log(p.z[i]);
        p.speed[i] = log(p.speed[i]);
    }
    const mot_line line = mot_line_fit(p.z, p.speed, p.count);
    const mot_interval slope = mot_line_slope(p.z, p.speed, p.count);
    const double kept[] = {line.b, slope.low, slope.high, exp(line.a)};
    MOT_TRY(mot_study_keep(study, "router", "exponent", 1, (const hsize_t[]){4}, kept));
    mot_study_verdict(study, fabs(line.b - 3) <= 0.3,
                      "The speed is %.3f z^b with b = %.2f (95 %%: %.2f to %.2f); 0.256 z^3 is derived, and an "
                      "exponent within a tenth asked.",
                      exp(line.a), line.b, slope.low, slope.high);
done:
    return status;
}
const study_claim mot_soft_router = {"router", plan, tell};
