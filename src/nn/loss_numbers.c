/* Losses whose targets are numbers. */
#include <string.h>

#include "mot/loss.h"

/* Number c of a target. */
static double number(const void *target, size_t c)
{
    float y;
    memcpy(&y, (const char *)target + c * sizeof y, sizeof y);
    return (double)y;
}

static size_t an_output_a_number(size_t target_bytes, int classes)
{
    return classes == 0 && target_bytes % sizeof(float) == 0 ? target_bytes / sizeof(float) : 0;
}

static double squared(const mot_loss *loss, const mot_real *out, const void *target, mot_real *d_out)
{
    double sum = 0;
    for (size_t c = 0; c < loss->outputs; ++c) {
        const double gap = (double)out[c] - number(target, c);
        sum += 0.5 * gap * gap;
        if (d_out != NULL) d_out[c] = (mot_real)gap;
    }
    return sum;
}

/* Half the variance of each number, summed: the best constant is the mean. */
static double half_of_variance(const mot_loss *loss, size_t samples, const void *target)
{
    const char *const targets = target;
    double loss_of_mean = 0;
    for (size_t c = 0; c < loss->outputs; ++c) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < samples; ++i) sum += number(targets + i * loss->target_bytes, c);
        const double mean = sum / (double)samples;
        for (size_t i = 0; i < samples; ++i) {
            const double gap = number(targets + i * loss->target_bytes, c) - mean;
            squares += gap * gap;
        }
        loss_of_mean += 0.5 * squares / (double)samples;
    }
    return loss_of_mean;
}

const mot_loss_kind mot_loss_squared_numbers = {
    .kind = {"squared"},
    .outputs = an_output_a_number,
    .value = squared,
    .of_constant = half_of_variance,
};
