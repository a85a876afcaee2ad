/* gradient.h: one gradient checker for every layer.
 *
 * The double build compares a gradient g with central differences for every number x it is by,
 *
 *      (8 (F(x + h) - F(x - h)) - (F(x + 2h) - F(x - 2h))) / 12h,
 *
 * and leaves g in a reference file. Truncation is h^4 F^(5) / 30 and rounding about 1e-16 F / h: at h = 1e-4
 * some 1e-12 of F, if F does not bend sharply (the simpler form, of order h^2, leaves 1e-7 where LayerNorm
 * sees a small row).
 *
 * The float build cannot do that: with u = 2^-24 the same two errors balance near 1e-4 of F, which is blind
 * to small mistakes. It takes the double build's g as the truth, for the same inputs: gradient_fill makes
 * numbers that float has. Its bound: a sum of n rounded products is off by about sqrt(n) u (roundings being
 * independent: Higham and Mary 2019; n u at the very worst). A gradient is made of such sums, `sums` of them
 * one after another, forward and backward; the error of each is carried to the result by the layers in
 * between, which at inputs of order one magnify by a small factor, allowed for with 4: LayerNorm by |x| /
 * deviation of the row, softmax by the size of the scores. So
 *
 *      ||g - g_double|| <= 4 sums sqrt(longest) u ||g_double||
 *
 * and in this no wrong term hides: leaving one out of n changes g by about 1/sqrt(n).
 *
 * Errors are ||g - g_fd|| / ||g||, for each field by itself, lest a small tensor hide behind a large one. */
#ifndef MOT_TEST_GRADIENT_H
#define MOT_TEST_GRADIENT_H

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ck.h"
#include "mot/params.h"
#include "mot/real.h"
#include "mot/rng.h"
#include "mot/types.h"

enum { GRADIENT_FIELDS = 200, GRADIENT_NAME = 96 };

/* Numbers of which the loss is a function, and where the gradient by them will be. */
typedef struct gradient_field {
    char name[GRADIENT_NAME];
    mot_real *value;
    const mot_real *gradient;
    size_t count;
} gradient_field;

typedef struct gradient_case {
    char name[GRADIENT_NAME];
    /* F at the fields' present values; `learn`: fills the gradients too. */
    double (*loss)(void *context, bool learn);
    void *context;
    double step, tolerance; /* of the double build; 0: 1e-4 and 1e-8 */
    double sums, longest;   /* of the float build's bound */
    size_t fields;
    gradient_field field[GRADIENT_FIELDS];
} gradient_case;

/* Normal numbers times `scale`, around `mean`, the same in both builds. */
static inline void gradient_fill(mot_real *x, size_t count, uint32_t salt, double mean, double scale)
{
    for (size_t i = 0; i < count; ++i) {
        const mot_random4 random = mot_random(31, MOT_STREAM_TEST, salt, (uint32_t)i, 0, 0);
        double normal[2];
        mot_normal_pair(random.word[0], random.word[1], normal);
        x[i] = (mot_real)(float)(mean + scale * normal[0]);
    }
}

static inline void gradient_add(gradient_case *c, const char *name, mot_real *value, const mot_real *gradient,
                                size_t count)
{
    ck_assert_uint_lt(c->fields, GRADIENT_FIELDS);
    gradient_field *field = &c->field[c->fields++];
    *field = (gradient_field){.value = value, .gradient = gradient, .count = count};
    snprintf(field->name, sizeof field->name, "%s", name);
}

/* Every tensor of a unit as a field. */
static inline void gradient_add_params(gradient_case *c, const char *prefix, const mot_params *params)
{
    for (size_t r = 0; r < params->table->rows; ++r) {
        const mot_tensor *row = &params->table->row[r];
        char name[GRADIENT_NAME];
        snprintf(name, sizeof name, "%s%s", prefix, row->name);
        if (row->count > 0)
            gradient_add(c, name, params->value + row->offset, params->gradient + row->offset, row->count);
    }
}

/* Values as after some training: no bias is 0 and no gain is 1, lest a gradient vanish by accident; no row of
 * the embedding is so small that LayerNorm magnifies it. */
static inline void gradient_fill_params(mot_params *params, uint32_t salt)
{
    for (size_t r = 0; r < params->table->rows; ++r) {
        const mot_tensor *row = &params->table->row[r];
        gradient_fill(params->value + row->offset, row->count, salt + (uint32_t)r, row->mean,
                      row->deviation == 0    ? 0.1
                      : row->deviation < 0.4 ? 0.4
                                             : row->deviation);
    }
}

/* ---- the reference file: lines "case field count numbers..." in the order of the checks ---- */

#define GRADIENT_PATH(name) GRADIENT_FOLDER "/" name ".gradients"

static FILE *gradient_file;

static inline void gradient_open(const char *path)
{
#ifdef MOT_DOUBLE
    gradient_file = fopen(path, "w");
#else
    gradient_file = fopen(path, "r");
#endif
    ck_assert_msg(gradient_file != NULL,
                  "no %s: the float build's test needs what the double build's test leaves there", path);
}

static inline void gradient_close(void)
{
    fclose(gradient_file);
}

static inline void gradient_put(const gradient_case *c, const gradient_field *field)
{
    fprintf(gradient_file, "%s %s %zu", c->name, field->name, field->count);
    for (size_t i = 0; i < field->count; ++i) fprintf(gradient_file, " %.17g", (double)field->gradient[i]);
    ck_assert(fputc('\n', gradient_file) != EOF);
}

static inline void gradient_get(const gradient_case *c, const gradient_field *field, double *g)
{
    char case_name[GRADIENT_NAME], field_name[GRADIENT_NAME];
    size_t count;
    ck_assert_int_eq(fscanf(gradient_file, "%95s %95s %zu", case_name, field_name, &count), 3);
    ck_assert_str_eq(case_name, c->name);
    ck_assert_str_eq(field_name, field->name);
    ck_assert_uint_eq(count, field->count);
    for (size_t i = 0; i < count; ++i) ck_assert_int_eq(fscanf(gradient_file, "%lf", &g[i]), 1);
}

/* ---- the check ---- */

/* ||gradient - wanted|| / ||wanted||; a gradient that should vanish must vanish to as many digits of 1/1000.
 */
static inline double gradient_error(const gradient_field *field, const double *wanted, size_t *worst)
{
    double error = 0, norm = 0, largest = -1;
    for (size_t i = 0; i < field->count; ++i) {
        const double difference = fabs((double)field->gradient[i] - wanted[i]);
        error += difference * difference;
        norm += wanted[i] * wanted[i];
        if (difference > largest) {
            largest = difference;
            *worst = i;
        }
    }
    return sqrt(error) / MOT_MAX(sqrt(norm), 1e-3);
}

static inline void gradient_differences(const gradient_case *c, const gradient_field *field, double *wanted)
{
    const double step = c->step > 0 ? c->step : 1e-4;
    for (size_t i = 0; i < field->count; ++i) {
        static const double away[] = {-2, -1, 1, 2}, factor[] = {1, -8, 8, -1};
        const mot_real kept = field->value[i];
        wanted[i] = 0;
        for (size_t j = 0; j < MOT_COUNT(away); ++j) {
            field->value[i] = kept + (mot_real)(away[j] * step);
            wanted[i] += factor[j] * c->loss(c->context, false) / (12 * step);
        }
        field->value[i] = kept;
        ck_assert_msg(isfinite(wanted[i]), "%s: the loss near %s[%zu] is not finite", c->name, field->name,
                      i);
    }
}

static inline void gradient_check(gradient_case *c)
{
    const double loss = c->loss(c->context, true);
    ck_assert_msg(isfinite(loss), "%s: the loss is not finite", c->name);
    for (size_t f = 0; f < c->fields; ++f)
        for (size_t i = 0; i < c->field[f].count; ++i)
            ck_assert_msg(isfinite(c->field[f].gradient[i]), "%s: the gradient by %s[%zu] is not finite",
                          c->name, c->field[f].name, i);

#ifdef MOT_DOUBLE
    const double tolerance = c->tolerance > 0 ? c->tolerance : 1e-8;
#else
    const double tolerance = 4 * c->sums * sqrt(c->longest) * 0x1p-24;
#endif
    double most = 0;
    const char *most_name = "";
    for (size_t f = 0; f < c->fields; ++f) {
        const gradient_field *field = &c->field[f];
        double *wanted = calloc(field->count + 1, sizeof *wanted);
        size_t worst = 0;
#ifdef MOT_DOUBLE
        gradient_differences(c, field, wanted);
        gradient_put(c, field);
#else
        gradient_get(c, field, wanted);
#endif
        const double error = gradient_error(field, wanted, &worst),
                     want = field->count > 0 ? wanted[worst] : 0;
        free(wanted);
        ck_assert_msg(error <= tolerance,
                      "%s: gradient by %s off by %.2g, more than %.2g; worst at %zu: %.9g, not %.9g", c->name,
                      field->name, error, tolerance, worst, (double)field->gradient[worst], want);
        if (error >= most) {
            most = error;
            most_name = field->name;
        }
    }
    printf("%-44s %.1e of %.1e, worst %s\n", c->name, most, tolerance, most_name);
}

#endif
