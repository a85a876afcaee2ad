/* Losses whose targets are classes. */
#include <math.h>
#include <string.h>

#include "mot/exponentials.h"
#include "mot/loss.h"
#include "mot/rowops.h"

extern const mot_loss_kind mot_loss_squared_numbers;

static int class_of(const void *target)
{
    int32_t class;
    memcpy(&class, target, sizeof class);
    return class;
}

static size_t an_output_a_class(size_t target_bytes, int classes)
{
    return target_bytes == sizeof(int32_t) && classes > 0 ? (size_t)classes : 0;
}

/* One output tells two classes apart. */
static size_t one_for_two(size_t target_bytes, int classes)
{
    return classes == 2 && target_bytes == sizeof(int32_t) ? 1 : an_output_a_class(target_bytes, classes);
}

/* Whether a class is of the same head as another; a single output is of all there are. */
static bool beside(const mot_loss *loss, size_t c, size_t own)
{
    return loss->head == NULL || loss->outputs == 1 || loss->head[c] == loss->head[own];
}

/* The largest output, the lowest of equal ones. Data of one class have one output, which could stand for two. */
static int predicted(const mot_loss *loss, const mot_real *out, const void *target)
{
    const size_t own = loss->head != NULL ? (size_t)class_of(target) : 0;
    size_t best = 0;
    if (loss->head == NULL && loss->outputs > 1) {
        const mot_real most = mot_row_max(out, loss->outputs);
        while (out[best] != most && !isnan(most)) ++best;
        return (int)best;
    }
    while (!beside(loss, best, own)) ++best;
    for (size_t c = best + 1; c < loss->outputs; ++c)
        if (out[c] > out[best] && beside(loss, c, own)) best = c;
    return loss->outputs > 1 ? (int)best : loss->classes > 1 && out[0] > 0;
}

static bool right(const mot_loss *loss, const mot_real *out, const void *target)
{
    return predicted(loss, out, target) == class_of(target);
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* Of two classes, by the probability of the second. */
static void probability_of_two(double second, float *probability)
{
    probability[0] = (float)(1 - second);
    probability[1] = (float)second;
}

static void softmax(const mot_loss *loss, const mot_real *out, float *probability)
{
    double most = (double)out[0], sum = 0;
    for (size_t c = 1; c < loss->outputs; ++c) most = fmax(most, (double)out[c]);
    for (size_t c = 0; c < loss->outputs; ++c) sum += exp((double)out[c] - most);
    for (size_t c = 0; c < loss->outputs; ++c) probability[c] = (float)(exp((double)out[c] - most) / sum);
}

/* ---- logistic ---- */

/* log(1 + exp(-m)) and its derivative by m, without overflow on either side. */
static double logistic_loss(double margin, double *slope)
{
    const double e = exp(-fabs(margin));
    *slope = margin > 0 ? -e / (1 + e) : -1 / (1 + e);
    return (margin > 0 ? 0 : -margin) + log1p(e);
}

static double logistic(const mot_loss *loss, const mot_real *out, const void *target, mot_real *d_out)
{
    const int own = class_of(target);
    double sum = 0;
    for (size_t c = 0; c < loss->outputs; ++c) {
        const double y = (loss->outputs == 1 ? own == 1 : c == (size_t)own) ? 1 : -1;
        double slope;
        if (d_out != NULL) d_out[c] = 0;
        if (!beside(loss, c, (size_t)own)) continue;
        sum += logistic_loss(y * out[c], &slope);
        if (d_out != NULL) d_out[c] = (mot_real)(y * slope);
    }
    return sum;
}

/* Each class by itself. */
static void logistic_probabilities(const mot_loss *loss, const mot_real *out, float *probability)
{
    if (loss->outputs == 1 && loss->classes == 2)
        probability_of_two(sigmoid((double)out[0]), probability);
    else
        for (size_t c = 0; c < loss->outputs; ++c) probability[c] = (float)sigmoid((double)out[c]);
}

const mot_loss_kind mot_loss_logistic = {
    .kind = {"logistic"},
    .outputs = one_for_two,
    .value = logistic,
    .right = right,
    .target_class = class_of,
    .predicted = predicted,
    .probabilities = logistic_probabilities,
};

/* ---- cross_entropy ---- */

/* More classes than this, of one head, are taken in vectors: their exponentials once, and rounded, on the way back. */
enum { FEW_CLASSES = 256 };

static double cross_entropy_of_many(size_t C, const mot_real *out, size_t own, mot_real *d_out)
{
    const mot_real most = mot_row_max(out, C);
    const double sum = mot_exponentials(d_out, out, C, most);
    if (d_out != NULL) {
        const mot_real scale = (mot_real)(1 / sum);
        for (size_t c = 0; c < C; ++c) d_out[c] *= scale;
        d_out[own] = (mot_real)(exp((double)out[own] - (double)most) / sum - 1);
    }
    return (double)most - (double)out[own] + log(sum);
}

static double cross_entropy(const mot_loss *loss, const mot_real *out, const void *target, mot_real *d_out)
{
    const size_t C = loss->outputs, own = (size_t)class_of(target);
    if (C == 1) return logistic(loss, out, target, d_out);
    if (C > FEW_CLASSES && loss->head == NULL) return cross_entropy_of_many(C, out, own, d_out);
    double most = out[own], sum = 0;
    for (size_t c = 0; c < C; ++c)
        if (out[c] > most && beside(loss, c, own)) most = out[c];
    for (size_t c = 0; c < C; ++c)
        if (beside(loss, c, own)) sum += exp(out[c] - most);
    if (d_out != NULL)
        for (size_t c = 0; c < C; ++c)
            d_out[c] = beside(loss, c, own) ? (mot_real)(exp(out[c] - most) / sum - (c == own)) : 0;
    return most + log(sum) - out[own];
}

const mot_loss_kind mot_loss_cross_entropy = {
    .kind = {"cross_entropy"},
    .softmax = true,
    .outputs = an_output_a_class,
    .value = cross_entropy,
    .right = right,
    .target_class = class_of,
    .predicted = predicted,
    .probabilities = softmax,
};

/* ---- squared ---- */

static double squared(const mot_loss *loss, const mot_real *out, const void *target, mot_real *d_out)
{
    const int own = class_of(target);
    double sum = 0;
    for (size_t c = 0; c < loss->outputs; ++c) {
        const double wanted = loss->outputs == 1 ? 2 * own - 1 : c == (size_t)own;
        if (d_out != NULL) d_out[c] = 0;
        if (!beside(loss, c, (size_t)own)) continue;
        sum += 0.5 * (out[c] - wanted) * (out[c] - wanted);
        if (d_out != NULL) d_out[c] = (mot_real)(out[c] - wanted);
    }
    return sum;
}

/* Of two classes (1 + F) / 2, as far as that is a probability. */
static void squared_probabilities(const mot_loss *loss, const mot_real *out, float *probability)
{
    if (loss->outputs == 1 && loss->classes == 2)
        probability_of_two(fmin(fmax((1 + (double)out[0]) / 2, 0), 1), probability);
    else
        softmax(loss, out, probability);
}

const mot_loss_kind mot_loss_squared = {
    .kind = {"squared"},
    .outputs = one_for_two,
    .otherwise = &mot_loss_squared_numbers,
    .value = squared,
    .right = right,
    .target_class = class_of,
    .predicted = predicted,
    .probabilities = squared_probabilities,
};
