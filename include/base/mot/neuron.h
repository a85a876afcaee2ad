/* neuron.h: what a neuron makes of its sum: the activations of teachers and of the experts that learn from them.
 *
 *      hermite     a^3 - 3a    the third Hermite polynomial (probabilists')
 *      hermite2    a^2 - 1     the second
 *      relu        max(0, a)   its slope at 0 is 0
 *      tanh        tanh a
 *
 * Never fails. */
#ifndef MOT_NEURON_H
#define MOT_NEURON_H

#include <math.h>
#include <stddef.h>

typedef enum mot_neuron_activation {
    MOT_NEURON_HERMITE3,
    MOT_NEURON_HERMITE2,
    MOT_NEURON_RELU,
    MOT_NEURON_TANH,
} mot_neuron_activation;

/* Their names, in the order of the values. */
#define MOT_NEURON_ACTIVATIONS "hermite", "hermite2", "relu", "tanh"

/* Its sum w . x, one after another. */
static inline double mot_neuron_sum(const double *w, const double *x, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; ++i) sum += w[i] * x[i];
    return sum;
}

/* w becomes a unit vector; its length before. */
static inline double mot_to_unit(double *w, size_t count)
{
    const double length = sqrt(mot_neuron_sum(w, w, count));
    for (size_t i = 0; i < count; ++i) w[i] /= length;
    return length;
}

static inline double mot_neuron_value(mot_neuron_activation activation, double a)
{
    switch (activation) {
    case MOT_NEURON_HERMITE3: return a * (a * a - 3);
    case MOT_NEURON_HERMITE2: return a * a - 1;
    case MOT_NEURON_RELU: return a > 0 ? a : 0;
    case MOT_NEURON_TANH: return tanh(a);
    }
    return 0;
}

/* Its derivative. */
static inline double mot_neuron_slope(mot_neuron_activation activation, double a)
{
    switch (activation) {
    case MOT_NEURON_HERMITE3: return 3 * (a * a - 1);
    case MOT_NEURON_HERMITE2: return 2 * a;
    case MOT_NEURON_RELU: return a > 0 ? 1 : 0;
    case MOT_NEURON_TANH: return 1 - tanh(a) * tanh(a);
    }
    return 0;
}

/* 1 / (1 + exp(-z)): what a gate of its own makes of its sum. */
static inline double mot_sigmoid(double z)
{
    return 1 / (1 + exp(-z));
}

#endif
